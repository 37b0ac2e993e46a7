"""What can only be judged with the whole inventory at hand: ownership, zones, ids that must differ, expiry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase

from checker.inventory.addresses import Ranges, address_of, is_address, is_public
from checker.inventory.entries import Entry
from checker.inventory.faults import ABSENT, FaultList, Place, did_you_mean, shown
from checker.inventory.merging import BOUNDARIES, Merged
from checker.model import Asset, Defaults, Service

INTERNET = "internet"


def check(merged: Merged, entries: Iterable[Entry], today: date, whole: Place, faults: FaultList) -> None:
    """Find all such faults. `whole` is the place of what no file says at all."""
    _authorization(merged, today, whole, faults)
    zones = _zones(merged, faults)
    _exposure(merged, zones, faults)
    boundary = _Boundary(merged, faults)
    owners: dict[str, Place] = {}
    calling = _calling(merged)
    for entry in entries:
        if entry.has("id"):
            _own_id(entry, owners, faults)
        boundary.check(entry)
        zone = entry.asset.zone
        if zone is not None and zone not in zones and "zones" not in merged.faulty:
            faults.add(entry.place, ("zone",), zone, _a_zone(zone, zones))
        _reachable(entry, faults)
        _services(entry, faults)
        if calling is not None:
            _registered(entry, calling, faults)


def notices(merged: Merged, assets: Iterable[Asset]) -> list[str]:
    """What is no fault, yet hardly meant: lines of policy and waivers that speak of an asset that is not listed."""
    named: list[tuple[str, str, Place]] = [
        ("exposure", line.value.to.asset, line.place) for line in merged.exposure if line.value.to.asset is not None
    ]
    named += [
        ("waiver", waiver.value.asset, waiver.place) for waiver in merged.waivers if waiver.value.asset is not None
    ]
    plain = [(what, asset, place) for what, asset, place in named if not any(sign in asset for sign in "*?[")]
    if not plain:
        return []
    known = {asset.id for asset in assets}
    return [
        f"{_where(place, 'asset')}: this {what} is about {shown(asset)}, which is no asset of the inventory"
        for what, asset, place in plain
        if asset not in known
    ]


def _authorization(merged: Merged, today: date, whole: Place, faults: FaultList) -> None:
    placed = merged.authorization
    if placed is not None:
        expires = placed.value.expires
        if expires < today:
            expected = f"expected an authorization in force; on {today} this one has expired"
            faults.add(placed.place, ("expires",), expires.isoformat(), expected)
    elif "authorization" not in merged.faulty:
        faults.add(whole, ("authorization",), ABSENT, "expected owner, reference and expires of who allowed this check")
    if not merged.networks["owned_networks"] and "owned_networks" not in merged.faulty:
        faults.add(whole, ("owned_networks",), ABSENT, "expected the networks that are yours, such as [10.20.0.0/16]")


def _zones(merged: Merged, faults: FaultList) -> set[str]:
    known: dict[str, Place] = {}
    for zone in merged.zones:
        name = zone.value.name
        if name in known:
            expected = f"expected a name of its own; {_where(known[name], 'name')} has it too"
            faults.add(zone.place, ("name",), name, expected)
        else:
            known[name] = zone.place
    return {INTERNET, *known}


def _exposure(merged: Merged, zones: set[str], faults: FaultList) -> None:
    if "zones" in merged.faulty:
        return
    for line in merged.exposure:
        if line.value.from_zone not in zones:
            faults.add(line.place, ("from",), line.value.from_zone, _a_zone(line.value.from_zone, zones))
        to = line.value.to.zone
        if to is not None and not any(fnmatchcase(zone, to) for zone in zones):
            faults.add(line.place, ("to", "zone"), to, _a_zone(to, zones))


def _a_zone(name: str, zones: set[str]) -> str:
    return f"expected a zone of the inventory{did_you_mean(name, sorted(zones))}"


def _where(place: Place, key: str) -> str:
    return f"{shown(place.file, 200)}:{place.locate((key,))[0]}"


def _own_id(entry: Entry, owners: dict[str, Place], faults: FaultList) -> None:
    name = entry.asset.id
    other = owners.setdefault(name, entry.place)
    if other is not entry.place:
        faults.add(entry.place, ("id",), name, f"expected an id of its own; {_where(other, 'id')} has it too")


class _Boundary:
    """Whether addresses are ours. Where a boundary itself is faulty, nothing is said about what it would hold."""

    def __init__(self, merged: Merged, faults: FaultList) -> None:
        self._owned, self._public, self._excluded = (Ranges(merged.networks[key]) for key in BOUNDARIES)
        missing = not merged.networks["owned_networks"]
        self._knows_owned = not missing and not merged.faulty & {"owned_networks", "public_networks"}
        self._knows_public = "public_networks" not in merged.faulty
        self._faults = faults

    def check(self, entry: Entry) -> None:
        for at, text in enumerate(entry.asset.addresses):
            address = address_of(text)
            if address in self._excluded:
                self._add(entry, at, text, "expected an address that excluded does not name")
            elif address in self._public:
                continue
            elif is_public(address):
                if self._knows_public:
                    self._add(
                        entry,
                        at,
                        text,
                        "expected an address of owned_networks; a public one must be in public_networks",
                    )
            elif self._knows_owned and address not in self._owned:
                self._add(entry, at, text, "expected an address in owned_networks")
        if len(set(entry.asset.addresses)) != len(entry.asset.addresses):
            self._repeated(entry)

    def _repeated(self, entry: Entry) -> None:
        seen: set[str] = set()
        for at, text in enumerate(entry.asset.addresses):
            if text in seen:
                self._add(entry, at, text, "expected each address once")
            seen.add(text)

    def _add(self, entry: Entry, at: int, text: str, expected: str) -> None:
        self._faults.add(entry.place, entry.address_path(at), text, expected)


def _reachable(entry: Entry, faults: FaultList) -> None:
    if entry.asset.addresses or entry.asset.hostname is not None:
        return
    if entry.has("address") and entry.has("hostname"):
        faults.add(entry.place, ("address",), ABSENT, "expected an address or a hostname")


def _services(entry: Entry, faults: FaultList) -> None:
    services = entry.asset.services
    for at, service in enumerate(services):
        host = service.host
        if host is None or host in entry.asset.addresses or not is_address(host) or not entry.has("address"):
            continue
        expected = "expected a URL on a host name or on an address of this asset"
        faults.add(entry.place, (*entry.service_path(at), "url"), service.url, expected)
    if len(services) > 1 and len(set(services)) != len(services):
        seen: set[Service] = set()
        for at, service in enumerate(services):
            if service in seen:
                faults.add(entry.place, entry.service_path(at), ABSENT, "expected each service of an asset once")
            seen.add(service)


def _calling(merged: Merged) -> str | None:
    """Our own calling AE title; None where it is not known, for what a file says of it is faulty."""
    if "defaults" in merged.faulty:
        return None
    return merged.calling_ae_title.value if merged.calling_ae_title is not None else Defaults().calling_ae_title


def _registered(entry: Entry, calling: str, faults: FaultList) -> None:
    """Else we would be no stranger there, and nothing that is asked would show what strangers get."""
    for at, service in enumerate(entry.asset.services):
        if service.registered_ae_title == calling:
            path = (*entry.service_path(at), "registered_ae_title")
            expected = "expected another title than our own calling_ae_title, which is registered nowhere"
            faults.add(entry.place, path, calling, expected)
