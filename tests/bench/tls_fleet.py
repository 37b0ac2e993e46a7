"""A fleet of TLS services for the benchmark: visited by the engine itself, recorded into nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from checker.engine import EngineOptions, run_visits
from checker.model import (
    Asset,
    AssetManners,
    Authorization,
    Defaults,
    Depth,
    Inventory,
    Observation,
    Role,
    Service,
    ServiceKind,
)


class _Nowhere:
    def observation(self, observation: Observation) -> None:
        """Taken and dropped."""

    def ledger(self, line: bytes) -> None:
        """Taken and dropped."""

    def sync(self) -> None:
        """Nothing to bring to disk."""


def visit(addresses: Sequence[str], port: int, depth: str = "policy") -> int:
    """Visit a TLS service at each address, without gaps, all at once, at this depth; the connections that it took."""
    assets = tuple(
        Asset(
            id=address,
            name="Synthetic",
            addresses=(address,),
            hostname=None,
            role=Role.OTHER,
            site=f"site-{number}",
            zone=None,
            owner=None,
            manners=AssetManners(gap_s=0.0),
            services=(Service(ServiceKind.SYSLOG_TLS, port),),
        )
        for number, address in enumerate(addresses)
    )
    inventory = Inventory(
        organization="Synthetic",
        authorization=Authorization("Synthetic", "BENCH", date.max),
        owned_networks=("127.0.0.0/8",),
        public_networks=(),
        excluded=(),
        zones=(),
        defaults=Defaults(ports=()),
        exposure=(),
        assets=assets,
        waivers=(),
    )
    end = run_visits(
        inventory, assets, EngineOptions(depth=Depth(depth)), _Nowhere(), run_id="bench", visited=lambda _asset: None
    )
    return end.totals.connections
