"""Pure: what answered at open ports where the inventory declares nothing, shared by the rules about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checker.model import JsonValue, NameFacts, RecognisedFacts, Service, Spoken
from checker.rules.base import Case, Verdict, passed, unknown
from checker.rules.cases import own_addresses
from checker.rules.sweep import Place, Sweep, counted, doubt, few, listed, sweep
from checker.scope import declared_at

# What is known to be something else than what lies inside TLS.
_IN_CLEAR = frozenset({Spoken.DICOM, Spoken.HTTP})


@dataclass(frozen=True, slots=True)
class Undeclared:
    """The ports of an asset where the inventory declares nothing: their states, and what the open ones speak."""

    swept: Sweep
    spoken: dict[Place, RecognisedFacts]

    def speaking(self, wanted: Callable[[RecognisedFacts], bool]) -> tuple[Place, ...]:
        """The places at which an answer is of the wanted kind, sorted."""
        return tuple(sorted(place for place, facts in self.spoken.items() if wanted(facts)))

    def unclear(self, wanted: Spoken) -> tuple[Place, ...]:
        """The open places of which it is not known whether the wanted protocol is spoken there, sorted."""
        return tuple(place for place in self.swept.open if not self._is_known(place, wanted))

    def _is_known(self, place: Place, wanted: Spoken) -> bool:
        facts = self.spoken.get(place)
        if facts is None:
            return False
        # What a server says to bytes of another protocol may be anything, so only the answer to its own shows that it
        # is none: some web servers answer a TLS hello with a page and no status line.
        return facts.protocol in _IN_CLEAR or (facts.protocol is Spoken.OTHER and facts.asked == wanted.value)


def undeclared(case: Case) -> Undeclared:
    """What was seen where the inventory declares nothing for this asset."""
    surely, declared = _surely_declared(case), declared_places(case)
    swept = sweep(case)
    # What may be a declared service by a name that did not resolve is neither that nor undeclared: it is not known.
    places = {place: state for place, state in swept.states.items() if place not in surely}
    spoken = {
        (seen.address, seen.port): seen.facts
        for seen in case.asset_seen
        if isinstance(seen.facts, RecognisedFacts) and (seen.address, seen.port) not in declared
    }
    return Undeclared(Sweep(places, swept.addresses, swept.proved, swept.refused_by_itself), spoken)


def not_seen(found: Undeclared, case: Case, wanted: Spoken, what: str) -> Verdict:
    """The verdict where nothing of the kind was recognised: a pass only where each open port is known not to be it."""
    swept = found.swept
    if not swept.complete:
        return unknown(
            f"No undeclared {what} was seen from {case.vantage!r}, but {doubt(swept)}.",
            not_decided=listed(swept.undecided),
            addresses_not_asked=list(swept.unasked),
        )
    unclear = found.unclear(wanted)
    if unclear:
        return unknown(
            f"No undeclared {what} was seen from {case.vantage!r}, but what these open ports speak is not known:"
            f" {few(port for _, port in unclear)}.",
            not_known=listed(unclear),
        )
    return passed(
        f"Of {counted(len(swept.asked))} asked from {case.vantage!r} where nothing is declared, none is undeclared"
        f" {what}.",
        asked=len(swept.asked),
        open=listed(swept.open),
    )


def told(found: Undeclared, places: tuple[Place, ...]) -> list[JsonValue]:
    """Places with what is known of what answers there, as evidence."""
    return [
        {
            "address": place[0],
            "port": place[1],
            "asked_in": facts.asked,
            "inside_tls": facts.inside_tls,
            "outcome": None if facts.outcome is None else facts.outcome.value,
            "implementation_class_uid": facts.implementation_class_uid,
            "implementation_version": facts.implementation_version,
            "status": facts.status,
            "product": facts.product,
            "server": facts.server,
        }
        for place in places
        if (facts := found.spoken.get(place)) is not None
    ]


def declared_places(case: Case) -> frozenset[Place]:
    """The places at which the inventory has, or may have, a service for this asset.

    A service by a name that did not resolve may be at each of the asset's addresses, as far as anybody knows.
    """
    services = case.asset.services
    return frozenset((at, service.port) for service in services for at in _at(case, service) or own_addresses(case))


def _surely_declared(case: Case) -> frozenset[Place]:
    return frozenset((at, service.port) for service in case.asset.services for at in _at(case, service))


def _at(case: Case, service: Service) -> Sequence[str]:
    """The addresses of a service; empty where its name did not resolve."""
    declared = declared_at(case.asset, service, own_addresses(case))
    if declared is not None:
        return declared
    names = (seen.facts for seen in case.asset_seen if isinstance(seen.facts, NameFacts))
    return tuple(address for facts in names if facts.hostname.lower() == service.host for address in facts.addresses)
