"""Pure: what a run saw of who can reach what: for each zone of assets and each port how many are as policy wants them.

It keeps counts, and of what is not as wanted the ids of the first assets, so its memory does not grow with the fleet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checker.catalog.ports import Transport, service_name
from checker.model import ConnectState
from checker.rules.base import Case
from checker.rules.sweep import Sweep, sweep, udp_sweep
from checker.rules.undeclared import declared_places

MOST_ASSETS = 50
"""Of so many assets that are not as wanted the ids are kept, for each port; all of them are counted."""


class Judged(StrEnum):
    """What a port of an asset is against policy."""

    ALLOWED_OPEN = "allowed_open"  # open, and policy lets it be; where it must be, proved by a protocol byte
    MUST_REACH_BROKEN = "must_reach_broken"  # not open at any address, and policy says it must be
    UNEXPECTED_OPEN = "unexpected_open"  # open at an address at least, and policy does not let it be
    SHUT = "shut"  # not open at any address, and it need not be
    UNKNOWN = "unknown"  # not asked, not decided, or nothing says what is wanted


@dataclass(frozen=True, slots=True)
class PortReach:
    """One port of all assets of one zone. `counts` has every word of `Judged`; `assets` the ids of the first of those
    that are broken, unexpected or unknown. `to_zone` is None for assets of which no zone is known.
    """

    to_zone: str | None
    transport: Transport
    port: int
    name: str | None
    counts: Mapping[str, int]
    assets: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ReachSummary:
    """What was seen from the vantage. `policy`: by what it was judged; `vantage-unknown` where the policy names no such
    zone, `declared-services` where none is stated. `ports` are sorted by zone, transport and number.
    """

    policy: str = "declared-services"
    totals: Mapping[str, int] = field(default_factory=dict)
    ports: tuple[PortReach, ...] = ()


class ReachTally:
    """Counts the ports of a run's assets, one asset at a time."""

    def __init__(self) -> None:
        self._policy = "declared-services"
        self._counts: dict[tuple[str, Transport, int], dict[Judged, int]] = {}
        self._assets: dict[tuple[str, Transport, int], dict[Judged, list[str]]] = {}

    def add(self, case: Case) -> None:
        """Count one asset, by the case of its whole visit; each asset once."""
        if case.policy.stated:
            self._policy = "stated" if case.policy.speaks_of(case.vantage) else "vantage-unknown"
        for transport, swept in (("tcp", sweep(case)), ("udp", udp_sweep(case))):
            for port, judged in _judged(case, swept).items():
                self._count(case, transport, port, judged)  # type: ignore[arg-type]

    def _count(self, case: Case, transport: Transport, port: int, judged: Judged) -> None:
        key = (case.asset.zone or "", transport, port)
        counts = self._counts.setdefault(key, dict.fromkeys(Judged, 0))
        counts[judged] += 1
        if judged in (Judged.ALLOWED_OPEN, Judged.SHUT):
            return
        ids = self._assets.setdefault(key, {}).setdefault(judged, [])
        if len(ids) < MOST_ASSETS:
            ids.append(case.asset.id)

    @property
    def summary(self) -> ReachSummary:
        """All that was counted."""
        totals = {judged.value: sum(counts[judged] for counts in self._counts.values()) for judged in Judged}
        ports = tuple(
            PortReach(
                to_zone=zone or None,
                transport=transport,
                port=port,
                name=service_name(port, transport),
                counts={judged.value: count for judged, count in self._counts[zone, transport, port].items()},
                assets={
                    judged.value: tuple(ids) for judged, ids in self._assets.get((zone, transport, port), {}).items()
                },
            )
            for zone, transport, port in sorted(self._counts)
        )
        return ReachSummary(self._policy, totals, ports)


def _judged(case: Case, swept: Sweep) -> dict[int, Judged]:
    """Each port that was to be asked, or that policy speaks of."""
    policy, asset, vantage, today = case.policy, case.asset, case.vantage, case.now.date()
    spoken = not policy.stated or policy.speaks_of(vantage)
    if policy.stated:
        must = policy.must_reach(asset, vantage, today, swept.transport)
        may = policy.may_reach(asset, vantage, today, swept.transport)
    else:
        must = frozenset()
        declared = declared_places(case) if swept.transport == "tcp" else frozenset()
        may = frozenset(port for _, port in declared) - {place[1] for place in swept.open if place not in declared}
    return {
        port: _port(swept, port, must=port in must, may=port in may, spoken=spoken)
        for port in sorted({port for _, port in swept.states} | must)
    }


def _port(swept: Sweep, port: int, *, must: bool, may: bool, spoken: bool) -> Judged:
    addresses = {*swept.addresses, *(address for address, number in swept.states if number == port)}
    places = [(address, port) for address in sorted(addresses)]
    opened = [place for place in places if swept.states.get(place) is ConnectState.OPEN]
    decided = bool(places) and all(
        swept.decided(place) or (must and swept.states.get(place) is ConnectState.RESET) for place in places
    )
    if opened and not spoken:
        return Judged.UNKNOWN
    if opened and must:
        return Judged.ALLOWED_OPEN if any(place in swept.proved for place in opened) else Judged.UNKNOWN
    if opened:
        return Judged.ALLOWED_OPEN if may else Judged.UNEXPECTED_OPEN
    if not decided:
        return Judged.UNKNOWN
    return Judged.MUST_REACH_BROKEN if must else Judged.SHUT
