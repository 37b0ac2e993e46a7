"""Pure: what the inventory's exposure policy says about one asset, seen from one vantage.

What is not said is must_not. A vantage that is no zone of the policy is outside what the policy speaks of; a rule then
answers `unknown`, never `pass`. A line that has expired allows nothing; what it had allowed is told, not forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase

from checker.catalog.ports import Transport
from checker.model import Asset, AssetClass, Exposure, Inventory, Service, Zone

INTERNET = "internet"


class Access(StrEnum):
    """What policy says of one service from one zone."""

    MUST = "must"
    MAY = "may"
    MUST_NOT = "must not"


@dataclass(frozen=True, slots=True)
class Allowance:
    """That a line of policy lets its zone reach one port of an asset: `spec` in the line's own words."""

    port: int
    transport: Transport
    access: Access
    spec: str
    line: Exposure


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
        """Whether the inventory has any line of exposure policy, be it one that has expired."""
        return bool(self.exposure)

    def speaks_of(self, vantage: str) -> bool:
        """Whether the vantage is a zone that the policy can speak of."""
        return vantage in self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The zones that the policy can speak of: those of the inventory, then those that only lines name."""
        return tuple(dict.fromkeys((*(zone.name for zone in self.zones), *(line.from_zone for line in self.exposure))))

    def lines(self, asset: Asset, vantage: str, today: date) -> tuple[Exposure, ...]:
        """The lines in force for this asset from this vantage; a line holds through its day of expiry."""
        return tuple(line for line in self._about(asset, vantage) if not has_expired(line, today))

    def allowances(self, asset: Asset, vantage: str, today: date) -> tuple[Allowance, ...]:
        """What the lines in force let the vantage reach of the asset, in their order."""
        return tuple(_allowances(asset, self.lines(asset, vantage, today)))

    def must_reach(self, asset: Asset, vantage: str, today: date, transport: Transport = "tcp") -> frozenset[int]:
        """The ports of the asset that must be reachable from the vantage."""
        found = self.allowances(asset, vantage, today)
        return frozenset(one.port for one in found if one.transport == transport and one.access is Access.MUST)

    def may_reach(self, asset: Asset, vantage: str, today: date, transport: Transport = "tcp") -> frozenset[int]:
        """The ports that may or must be reachable from the vantage."""
        found = self.allowances(asset, vantage, today)
        return frozenset(one.port for one in found if one.transport == transport)

    def lapsed(self, asset: Asset, vantage: str, today: date, transport: Transport = "tcp") -> frozenset[int]:
        """The ports that only lines which have expired let the vantage reach."""
        expired = (line for line in self._about(asset, vantage) if has_expired(line, today))
        ports = frozenset(one.port for one in _allowances(asset, expired) if one.transport == transport)
        return ports - self.may_reach(asset, vantage, today, transport)

    def _about(self, asset: Asset, vantage: str) -> Iterator[Exposure]:
        return (line for line in self.exposure if line.from_zone == vantage and matches(line.to, asset))


def has_expired(line: Exposure, today: date) -> bool:
    """Whether the line's last day is over."""
    return line.expires is not None and line.expires < today


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


def expired(inventory: Inventory, today: date) -> tuple[str, ...]:
    """A sentence for each line of policy that has expired: what it allowed is judged as forbidden."""
    return tuple(
        f"The line of exposure policy from {line.from_zone} to {described(line.to)}"
        f" ({', '.join((*line.must_reach, *line.may_reach)) or 'nothing'}) expired on {line.expires};"
        f" what it allowed is judged as forbidden{f'. Its owner is {line.owner}' if line.owner else ''}."
        for line in inventory.exposure
        if has_expired(line, today)
    )


def described(to: AssetClass) -> str:
    """A class of assets in words, such as `every archive at main-* in clinical`."""
    words = "every asset" if to.role is None else f"every {to.role.value}"
    if to.asset is not None:
        words = f"{to.role.value} {to.asset}" if to.role is not None else to.asset
    return words + (f" at {to.site}" if to.site is not None else "") + (f" in {to.zone}" if to.zone is not None else "")


def matches(to: AssetClass, asset: Asset) -> bool:
    """Whether the asset belongs to the class; a class that says nothing means every asset."""
    return (
        (to.role is None or to.role is asset.role)
        and (to.site is None or fnmatchcase(asset.site, to.site))
        and (to.zone is None or fnmatchcase(asset.zone or "", to.zone))
        and (to.asset is None or fnmatchcase(asset.id, to.asset))
    )


def _allowances(asset: Asset, lines: Iterable[Exposure]) -> Iterator[Allowance]:
    for line in lines:
        for access, specs in ((Access.MUST, line.must_reach), (Access.MAY, line.may_reach)):
            for spec in specs:
                kind, _, port_text = spec.partition("/")
                port = int(port_text)
                if kind == "udp":
                    yield Allowance(port, "udp", access, spec, line)
                elif kind == "tcp" or any(_is(service, kind, port) for service in asset.services):
                    yield Allowance(port, "tcp", access, spec, line)


def _is(service: Service, kind: str, port: int) -> bool:
    return service.kind.value == kind and service.port == port
