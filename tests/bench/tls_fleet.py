"""A fleet of TLS services for the benchmark: visited by the engine itself, recorded into nothing."""

from __future__ import annotations

from collections.abc import Sequence

from checker.engine import EngineOptions, run_visits
from checker.model import Depth, Observation, Role, Service, ServiceKind
from tests.bench.fleet import inventory


class _Nowhere:
    def observation(self, observation: Observation) -> None:
        """Taken and dropped."""

    def ledger(self, line: bytes) -> None:
        """Taken and dropped."""

    def sync(self) -> None:
        """Nothing to bring to disk."""


def visit(addresses: Sequence[str], port: int, depth: str = "policy") -> int:
    """Visit a TLS service at each address, without gaps, all at once, at this depth; the connections that it took."""
    fleet = inventory(addresses, Service(ServiceKind.SYSLOG_TLS, port), Role.OTHER)
    options = EngineOptions(depth=Depth(depth))
    end = run_visits(fleet, fleet.assets, options, _Nowhere(), run_id="bench", visited=lambda _asset: None)
    return end.totals.connections
