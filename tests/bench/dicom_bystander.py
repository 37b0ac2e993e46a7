"""What another client of the same server notices of our visits, to the millisecond."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.live.bystanding import SERVERS, Standing, beside

VISITS = 40
ALONE = 60
BOUND_MS = 100


def standings() -> Iterator[tuple[str, Standing]]:
    """Each server with what the bystander saw of it."""
    for name, serve in SERVERS.items():
        with serve() as server:
            yield name, beside(server, visits=VISITS, alone=ALONE)


def report() -> Iterator[str]:
    """A line for each server."""
    for name, standing in standings():
        delay = standing.delay_s * 1000
        yield (
            f"echoscu beside {VISITS} visits of {name}: longest {delay:.1f} ms over its median without us"
            f" ({'within' if delay <= BOUND_MS else 'OVER'} {BOUND_MS} ms); without us median"
            f" {standing.median_s * 1000:.1f} ms and longest {max(standing.alone) * 1000:.1f} ms, beside us median"
            f" {statistics.median(standing.beside) * 1000:.1f} ms and longest {max(standing.beside) * 1000:.1f} ms of"
            f" {len(standing.beside)}; our longest connection {max(standing.held_s) * 1000:.0f} ms"
        )
