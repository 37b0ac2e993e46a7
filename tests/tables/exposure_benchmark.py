"""The tables of the benchmark of exposure: what thirty ports of many assets take us and nmap, in one run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.bench_exposure import TUNED, VISITS, closed, dropped
from tests.bench.exposure_fleet import PORTS
from tests.tables.page import markdown

DROPPED = ("Client", "Assets", "Time", "Beside the hand-tuned nmap", "CPU a port", "Memory at most")
CLOSED = ("Client", "Assets", "Time", "CPU a port", "Beside our whole visits")


def table() -> tuple[str, Sequence[str]]:
    """Measure; two tables as Markdown. Nothing in them can be wrong, for they judge nothing."""
    costs = list(dropped())
    tuned = next(cost for cost in costs if cost.name == TUNED)
    shut = list(closed())
    ours = next(cost for cost in shut if cost.name == VISITS)
    first = [
        (
            cost.name,
            f"{cost.assets:,}",
            f"{cost.wall_s:,.1f} s",
            f"{cost.wall_s / tuned.wall_s:.2g} times" if cost.assets == tuned.assets else "",
            f"{cost.cpu_us:.0f} us",
            "" if cost.peak_mib is None else f"{cost.peak_mib:.0f} MiB",
        )
        for cost in costs
    ]
    second = [
        (
            cost.name,
            f"{cost.assets:,}",
            f"{cost.wall_s:,.2f} s",
            f"{cost.cpu_us:.0f} us",
            f"{cost.cpu_us / ours.cpu_us:.2g} times",
        )
        for cost in shut
    ]
    return (
        f"{PORTS} ports of each asset, {PORTS - 1} of them dropped:\n\n{markdown(DROPPED, first)}\n"
        f"{PORTS} ports of each asset, all closed:\n\n{markdown(CLOSED, second)}"
    ), ()
