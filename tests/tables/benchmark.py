"""The table of the benchmark of TLS: what we, a bare client, nmap and sslyze cost the same server in one run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.bench_tls import Cost, measure
from tests.tables.page import markdown

HEADER = ("Client", "Connections a server", "CPU a server", "Beside policy depth", "Beside full depth")


def table() -> tuple[str, Sequence[str]]:
    """Measure; the table as Markdown. Nothing in it can be wrong, for it judges nothing."""
    costs = measure()
    policy, full = (next(cost for cost in costs if cost.name == f"pacs-checker, {depth} depth") for depth in _DEPTHS)
    rows = [
        (
            cost.name,
            f"{cost.connections:.0f}",
            f"{cost.cpu_ms:.1f} ms",
            _times(cost, policy),
            _times(cost, full),
        )
        for cost in costs
    ]
    return markdown(HEADER, rows), ()


_DEPTHS = ("policy", "full")


def _times(cost: Cost, ours: Cost) -> str:
    """How much more CPU it takes than we do."""
    ratio = cost.cpu_ms / ours.cpu_ms
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.2g} times"
