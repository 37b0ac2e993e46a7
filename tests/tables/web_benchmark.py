"""The table of the benchmark of the web: what a request costs us, a bare client, httpx and aiohttp, in one run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.bench_web import BOUND_MS, REQUEST, measure
from tests.tables.page import markdown

HEADER = ("Client", "By", "Connections an address", "CPU an address", "Beside our request", "Bound")


def table() -> tuple[str, Sequence[str]]:
    """Measure; the table as Markdown. Wrong is a request of ours that costs more than its bound."""
    costs = list(measure())
    ours = {cost.scheme: cost for cost in costs if cost.name == REQUEST}
    rows = [
        (
            cost.name,
            cost.scheme,
            f"{cost.connections:.0f}",
            f"{cost.cpu_ms:.2f} ms",
            f"{cost.cpu_ms / ours[cost.scheme].cpu_ms:.2g} times",
            f"{BOUND_MS[cost.scheme]} ms" if cost.name == REQUEST else "none",
        )
        for cost in costs
    ]
    wrong = [
        f"{cost.name} by {cost.scheme} takes {cost.cpu_ms:.2f} ms of CPU, over {BOUND_MS[cost.scheme]} ms"
        for cost in ours.values()
        if cost.cpu_ms > BOUND_MS[cost.scheme]
    ]
    return markdown(HEADER, rows), wrong
