"""`judge`: judge the stored observations of a run again. It sends nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from checker.cli import options
from checker.model import Severity


@click.command("judge")
@click.argument("run")
@options.output
@options.option(
    "--inventory", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Judge by this inventory's policy, waivers and assets instead of the run's own.",
)  # fmt: skip
@options.option(
    "--date", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD",
    help="The day that expiry and validity are judged against; the run's own moment where not given.",
)  # fmt: skip
@options.only
@options.skip
@options.fail_on
@options.fail_on_new
@options.quiet
@options.as_json
def COMMAND(  # noqa: N802 - commands are found by this name
    run: str,
    output: Path,
    inventory: tuple[Path, ...],
    date: datetime | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    fail_on: str,
    fail_on_new: bool,
    quiet: bool,
    json: bool,
) -> int:
    """Judge the observations of RUN again, with other rules, waivers, policy or date, into a new run. Sends nothing.

    RUN is a folder, a run's id, the beginning of one, or `latest`.
    """
    from checker.cli.report import tell
    from checker.run import Judging, judge_again
    from checker.store.runs import find_run

    found = find_run(output, run)
    # Whoever judges asks no device anything, and need not have our key.
    other = options.load_inventory(inventory, own_certificate=False) if inventory else None
    if other is not None and not quiet:
        options.tell_notices(other)
    judging = Judging(only=only, skip=skip, fail_on=Severity(fail_on), fail_on_new=fail_on_new)
    at = None if date is None else date.replace(tzinfo=UTC)
    summary = judge_again(found, output, made_at=datetime.now(UTC), judging=judging, inventory=other, now=at)
    return tell(summary, output / summary.run_id, as_json=json, quiet=quiet)
