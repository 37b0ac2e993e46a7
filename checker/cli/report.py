"""What a run ends with on standard output: the open archives, the worst findings, coverage, where everything is."""

from __future__ import annotations

import sys
from itertools import islice
from math import floor
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from checker.cli.console import console, give_up_output, plain, word
from checker.errors import EXIT_INTERNAL
from checker.model import Status
from checker.rules.sweep import named
from checker.summary import Judged, PortReach, RunSummary

MOST_FINDINGS = 30
MOST_PORTS = 10
# The columns of the table of ports, each with what it counts.
_REACHED = {
    Judged.UNEXPECTED_OPEN: "Unexpected",
    Judged.MUST_REACH_BROKEN: "Broken",
    Judged.ALLOWED_OPEN: "As allowed",
    Judged.SHUT: "Shut",
    Judged.UNKNOWN: "Unknown",
}
_BY = {
    "stated": "by the exposure policy",
    "declared-services": "by the declared services, for no exposure policy is stated",
    "vantage-unknown": "though the exposure policy names no such zone",
}


def tell(summary: RunSummary, folder: Path, *, as_json: bool, quiet: bool) -> int:
    """Print how a run ended, as JSON or for people, and return its exit code.

    Whoever reads may stop in the middle, as `head` does; the run is stored and its exit code stays. Where the output
    itself fails, as on a full disk, the exit code is 1, for whoever reads it has not got all.
    """
    try:
        if as_json:
            click.echo((folder / "run.json").read_bytes().rstrip(b"\n"))
        elif not quiet:
            _print(summary, folder)
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_output()
    except OSError as error:
        give_up_output()
        click.echo(f"Error: standard output: {error.strerror}; the run is stored in {folder}", err=True)
        return EXIT_INTERNAL
    return summary.exit_code


def _print(summary: RunSummary, folder: Path) -> None:
    output = console()
    _headline(output, summary)
    _findings(output, summary, folder)
    _reach(output, summary)
    _counts(output, summary)
    output.print(plain(f"Stored in {folder}"), soft_wrap=True)


def _headline(output: Console, summary: RunSummary) -> None:
    opened = summary.open_archives
    if opened:
        shown = ", ".join(opened[:8]) + (f" and {len(opened) - 8} more" if len(opened) > 8 else "")
        count = "1 asset" if len(opened) == 1 else f"{len(opened)} assets"
        text = f"{count} could be searched or downloaded by anyone at {summary.vantage}: {shown}"
        output.print(plain(text, "bold red"))
    else:
        output.print(plain(f"No archive was seen to be open to anyone at {summary.vantage}.", "bold"))
    output.print()


def _findings(output: Console, summary: RunSummary, folder: Path) -> None:
    failing = summary.findings.by_status[Status.FAIL.value]
    if not failing:
        return
    table = Table("Severity", "Asset", "Finding", box=None, pad_edge=False, header_style="bold")
    with (folder / "findings.jsonl").open("rb") as lines:
        for line in islice(lines, min(failing, MOST_FINDINGS)):
            found = orjson.loads(line)
            cell = Text.assemble(
                (found["rule"]["id"], "bold"), "  ", *_marks(found, summary), "\n", plain(found["summary"])
            )
            table.add_row(word(found["severity"]), plain(found["asset"]["id"]), cell)
    output.print(table)
    if failing > MOST_FINDINGS:
        output.print(f"and {failing - MOST_FINDINGS} more failures in findings.json")
    output.print()


def _reach(output: Console, summary: RunSummary) -> None:
    """Which ports are open that should not be, or not open that must be: of each kind how many assets."""
    amiss = [port for port in summary.exposure.ports if _amiss(port)]
    if not amiss:
        return
    table = Table("Port", "In zone", box=None, pad_edge=False, header_style="bold")
    for heading in _REACHED.values():
        table.add_column(heading, justify="right")
    for port in sorted(amiss, key=_amiss, reverse=True)[:MOST_PORTS]:
        counts = [str(port.counts.get(judged.value, 0) or "-") for judged in _REACHED]
        table.add_row(named(port.port, port.transport), plain(port.to_zone or "-"), *counts)
    by = _BY.get(summary.exposure.policy, "")
    output.print(plain(f"Assets by port, as seen from {summary.vantage} and judged {by}:", "bold"))
    output.print(table)
    if len(amiss) > MOST_PORTS:
        output.print(f"and {len(amiss) - MOST_PORTS} more ports under exposure in run.json")
    output.print()


def _amiss(port: PortReach) -> int:
    """How many assets have the port open against policy, or not open against it."""
    return port.counts.get(Judged.UNEXPECTED_OPEN.value, 0) + port.counts.get(Judged.MUST_REACH_BROKEN.value, 0)


def _marks(found: dict[str, object], summary: RunSummary) -> list[Text]:
    """Where it is, whether it is waived, and whether it is new; in a first run everything would be."""
    service = found["service"]
    marks = (
        [plain(f"{service['kind']} on {service['port']} ", "dim")]
        if isinstance(service, dict) and service["port"]
        else []
    )
    if found["waiver"] is not None:
        marks.append(Text("waived ", style="cyan"))
    if summary.baseline is not None and found["drift"] in ("new", "reopened"):
        marks.append(Text(f"{found['drift']} ", style="yellow"))
    return marks


def _counts(output: Console, summary: RunSummary) -> None:
    statuses = summary.findings.by_status
    words = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in statuses.items() if number)
    severities = ", ".join(
        f"{number} {severity}" for severity, number in reversed(list(summary.findings.by_severity.items())) if number
    )
    output.print(f"Findings: {words}" + (f" (failures: {severities})" if severities else ""))
    assets = summary.assets
    output.print(
        f"Coverage: {floor(summary.coverage * 100)}%; {assets.answered} of {assets.listed} assets answered,"
        f" {summary.services.answered} of {summary.services.declared} declared services"
    )
    output.print(
        f"Visits:   {summary.connections} connections, {summary.bytes_sent} bytes sent, {summary.bytes_received}"
        f" received, {summary.duration_s:.1f} s from the vantage {summary.vantage}"
    )
    for reason in summary.reasons:
        output.print(
            plain(f"Exit {summary.exit_code}: {reason}" if reason == summary.reasons[0] else f"        {reason}")
        )
