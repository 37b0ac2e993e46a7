"""The table of the benchmark of DICOM: what we, a bare client, pynetdicom, echoscu and nmap cost in one run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.bench_dicom import SURVEY_ECHO, measure
from tests.bench.dicom_bystander import BOUND_MS, standings
from tests.tables.page import markdown

HEADER = ("Client", "CPU an association", "Beside our survey with C-ECHO", "Associations a second", "CPU in all")
BYSTANDER = ("Server", "Median without us", "Longest without us", "Longest beside us", "Delay at most")


def table() -> tuple[str, Sequence[str]]:
    """Measure; two tables as Markdown. Wrong is a bystander who was delayed by more than the bound."""
    costs = list(measure())
    ours = next(cost.cpu_us for cost in costs if cost.name == SURVEY_ECHO)
    rows = [
        (
            cost.name,
            f"{cost.cpu_us:,.0f} us",
            f"{cost.cpu_us / ours:.2g} times",
            f"{cost.per_second:,.0f}",
            f"{cost.cpu_s:.2f} s for {cost.associations:,}",
        )
        for cost in costs
    ]
    beside, wrong = [], []
    for name, standing in standings():
        seconds = (standing.median_s, max(standing.alone), max(standing.beside), standing.delay_s)
        beside.append((name, *(f"{value * 1000:.0f} ms" for value in seconds)))
        if standing.delay_s * 1000 > BOUND_MS:
            wrong.append(f"echoscu beside visits of {name} was delayed by {standing.delay_s * 1000:.0f} ms")
    return f"{markdown(HEADER, rows)}\n{markdown(BYSTANDER, beside)}", wrong
