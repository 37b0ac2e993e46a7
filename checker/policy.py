"""Pure: what the inventory's exposure policy says about one asset, seen from one vantage.

What is not said is must_not. A vantage that is no zone of the policy is outside what the policy speaks of; a rule then
answers `unknown`, never `pass`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from checker.model import Asset, AssetClass, Exposure, Inventory, Service, Zone

INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class Policy:
    """The part of an inventory that exposure is judged against."""

    zones: tuple[Zone, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    public_networks: tuple[str, ...] = ()

    @classmethod
    def of(cls, inventory: Inventory) -> Policy:
        """The policy of a whole inventory."""
        return cls(inventory.zones, inventory.exposure, inventory.public_networks)

    @property
    def stated(self) -> bool:
        """Whether the inventory has any line of exposure policy."""
        return bool(self.exposure)

    def speaks_of(self, vantage: str) -> bool:
        """Whether the vantage is a zone that the policy can speak of."""
        return any(zone.name == vantage for zone in self.zones) or any(
            line.from_zone == vantage for line in self.exposure
        )

    def lines(self, asset: Asset, vantage: str, today: date) -> tuple[Exposure, ...]:
        """The lines in force for this asset from this vantage; a line holds through its day of expiry."""
        return tuple(
            line
            for line in self.exposure
            if line.from_zone == vantage and matches(line.to, asset) and (line.expires is None or line.expires >= today)
        )

    def must_reach(self, asset: Asset, vantage: str, today: date) -> frozenset[int]:
        """The TCP ports of the asset that must be reachable from the vantage."""
        return _ports(asset, (spec for line in self.lines(asset, vantage, today) for spec in line.must_reach))

    def may_reach(self, asset: Asset, vantage: str, today: date) -> frozenset[int]:
        """The TCP ports that may or must be reachable from the vantage."""
        return _ports(
            asset,
            (spec for line in self.lines(asset, vantage, today) for spec in (*line.must_reach, *line.may_reach)),
        )


def silence(inventory: Inventory, vantage: str) -> str | None:
    """A sentence for where there is exposure policy and the vantage is no zone that it speaks of; None elsewhere."""
    policy = Policy.of(inventory)
    if not policy.stated or policy.speaks_of(vantage):
        return None
    zones = ", ".join(zone.name for zone in inventory.zones) or "it has none"
    return (
        f"The vantage {vantage!r} is no zone of the inventory ({zones}), so its exposure policy says nothing of"
        " what may be reached from here; name the zone with --vantage."
    )


def matches(to: AssetClass, asset: Asset) -> bool:
    """Whether the asset belongs to the class; a class that says nothing means every asset."""
    return (
        (to.role is None or to.role is asset.role)
        and (to.site is None or fnmatchcase(asset.site, to.site))
        and (to.zone is None or fnmatchcase(asset.zone or "", to.zone))
        and (to.asset is None or fnmatchcase(asset.id, to.asset))
    )


def _ports(asset: Asset, specs: Iterable[str]) -> frozenset[int]:
    found: set[int] = set()
    for spec in specs:
        kind, _, port_text = spec.partition("/")
        port = int(port_text)
        if kind == "tcp" or any(_is(service, kind, port) for service in asset.services):
            found.add(port)
    return frozenset(found)


def _is(service: Service, kind: str, port: int) -> bool:
    return service.kind.value == kind and service.port == port
