"""The matrix of the exposure policy on standard output: who may reach what, in a table of 100 columns or as JSON."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from checker.cli.console import console, harmless, plain
from checker.matrix import Reach
from checker.policy import Access

# To fit the columns of a table to a whole health system takes longer than to read any of it.
_ROWS = 500
_STYLES = {Access.MUST: "bold green", Access.MAY: "cyan", Access.MUST_NOT: "yellow"}


def print_matrix(rows: Sequence[Reach]) -> None:
    """Print the rows; the access stands in words, and the colour only repeats it."""
    output = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("From", max_width=18)
    table.add_column("To", max_width=30)
    table.add_column("Access", no_wrap=True)
    table.add_column("Services", max_width=26)
    table.add_column("Why")
    said: tuple[str, str] | None = None
    for row in rows[:_ROWS]:
        place = (row.zone, _to(row))
        table.add_row(
            plain(row.zone if said is None or said[0] != row.zone else ""),
            plain(place[1] if said != place else ""),
            Text(row.access.value, style=_STYLES[row.access]),
            plain(", ".join(row.services)),
            plain(row.why),
        )
        said = place
    output.print(table)
    for row in rows[_ROWS:]:
        cells = (row.zone, _to(row), row.access.value, ", ".join(row.services), row.why)
        click.echo(harmless("  ".join(cells)))
    output.print("\nWhat no row allows must not be reachable. Nothing was sent.")


def matrix_document(rows: Sequence[Reach]) -> list[dict[str, object]]:
    """The rows as JSON has them."""
    return [
        {
            "from": row.zone,
            "to": row.to,
            "assets": row.assets,
            "access": row.access.value,
            "services": row.services,
            "why": row.why,
            "reason": None if row.line is None else row.line.reason,
            "owner": None if row.line is None else row.line.owner,
            "expires": None if row.line is None else row.line.expires,
        }
        for row in rows
    ]


def _to(row: Reach) -> str:
    if row.of == 1:
        return row.to
    return f"{row.to} ({len(row.assets)} of {row.of})" if len(row.assets) < row.of else f"{row.to} (all {row.of})"
