"""`check`, the main job: visit every asset once, judge what was observed, write the run."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from checker.cli import options
from checker.errors import EXIT_INTERNAL
from checker.model import Depth, Severity


@click.command("check")
@options.inventories
@options.vantage
@options.output
@options.asset_globs
@options.only
@options.skip
@options.ports
@options.trust_store
@options.client_certificate
@options.client_key
@options.fail_on
@options.fail_on_new
@options.rate
@options.concurrency
@options.depth
@options.quiet
@options.as_json
def COMMAND(  # noqa: N802 - commands are found by this name
    inventory: tuple[Path, ...],
    vantage: str,
    output: Path,
    assets: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    ports: str | None,
    trust_store: Path | None,
    client_certificate: Path | None,
    client_key: Path | None,
    fail_on: str,
    fail_on_new: bool,
    rate: float | None,
    concurrency: int,
    depth: str | None,
    quiet: bool,
    json: bool,
) -> int:
    """Visit every asset once, gently, judge what was observed, and write the run to OUTPUT/<run>/."""
    found = options.with_trust_store(options.load_inventory(inventory), trust_store)
    found = options.with_client_certificate(found, client_certificate, client_key)
    chosen = options.chosen_assets(found, assets)
    numbers = options.chosen_ports(ports)

    from checker.run import Judging, Visits, check_judging, conclude

    judging = Judging(only=only, skip=skip, fail_on=Severity(fail_on), fail_on_new=fail_on_new)
    check_judging(judging)
    if not quiet:
        options.tell_notices(found)
        options.tell_vantage(found, vantage)

    from checker.cli.progress import visiting
    from checker.cli.report import tell
    from checker.engine import EngineOptions, check_own_certificate, run_visits
    from checker.store.folder import RunFolder, new_run_id

    check_own_certificate(found)
    started = datetime.now(UTC)
    folder = RunFolder.create(output, new_run_id(started, vantage, secrets.token_hex(2)))
    chosen_depth = None if depth is None else Depth(depth)
    engine = EngineOptions(vantage=vantage, ports=numbers, rate=rate, concurrency=concurrency, depth=chosen_depth)
    try:
        with visiting(len(chosen), quiet=quiet) as visited:
            end = run_visits(found, chosen, engine, folder, run_id=folder.run_id, visited=visited)
        visits = Visits(vantage, started, datetime.now(UTC), end.totals, end.interrupted, end.errors)
        summary = conclude(folder, found, chosen, visits, judging)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        click.echo(f"Error: the run was broken off: {reason}; what it recorded is in {folder.path}", err=True)
        return EXIT_INTERNAL
    return tell(summary, folder.published, as_json=json, quiet=quiet)
