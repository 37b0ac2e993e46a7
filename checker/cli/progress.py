"""A progress bar on standard error: only where that is a terminal, and gone when the visits are over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from checker.model import Asset


def _nothing(_asset: Asset) -> None:
    return


@contextmanager
def visiting(assets: int, *, quiet: bool) -> Iterator[Callable[[Asset], None]]:
    """What to call after each visit, for as long as the block lasts."""
    if quiet or not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("Visiting"), BarColumn(), MofNCompleteColumn(), TextColumn("assets"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("visits", total=assets)
        yield lambda _asset: bar.advance(task)
