"""An inventory for the benchmarks: the same service at each of many addresses, without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from checker.model import Asset, AssetManners, Authorization, Defaults, Inventory, Role, Service


def inventory(addresses: Sequence[str], service: Service, role: Role) -> Inventory:
    """An asset at each address, on a site of its own."""
    assets = tuple(
        Asset(
            id=address,
            name="Synthetic",
            addresses=(address,),
            hostname=None,
            role=role,
            site=f"site-{number}",
            zone=None,
            owner=None,
            manners=AssetManners(gap_s=0.0),
            services=(service,),
        )
        for number, address in enumerate(addresses)
    )
    return Inventory(
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
