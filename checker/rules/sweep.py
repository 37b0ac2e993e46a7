"""Pure: what is known of an asset's ports, shared by the rules about exposure.

A port counts as open only where a connection was made or an answer came, and as proved only where a protocol byte came
from it: a firewall that takes connections in a device's name (a SYN proxy) makes everything look open. It counts as
decided only where what came back is a fact about the asset or its firewall: a reset, an ICMP message, or over TCP
silence until the time limit. Refusals of our own machine, questions that manners forbade, an address that our kernel
knows no way to, and silence over UDP decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from checker.catalog.ports import Transport, service_name
from checker.model import (
    Asset,
    AssociationOutcome,
    ConnectState,
    DicomFacts,
    Facts,
    HandshakeFacts,
    HttpEnd,
    HttpFacts,
    JsonValue,
    Observation,
    PortFacts,
    RecognisedFacts,
    Spoken,
    TlsFacts,
    UdpFacts,
    UdpState,
)
from checker.rules.base import Case, Verdict
from checker.rules.cases import own_addresses

Place: TypeAlias = tuple[str, int]
"""An address and a port."""

_ASKED_AGAIN = 2
_DECIDED = frozenset({ConnectState.OPEN, ConnectState.CLOSED, ConnectState.REJECTED, ConnectState.FILTERED})
_NOT_TRIED = frozenset({ConnectState.LOCAL_ERROR, ConnectState.NOT_ASKED})
_ASSOCIATION_ANSWERS = frozenset(
    {
        AssociationOutcome.ACCEPTED,
        AssociationOutcome.REJECTED,
        AssociationOutcome.ABORTED,
        AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED,
        AssociationOutcome.SPEAKS_TLS,
    }
)
# Silence over UDP is told apart by the transport of the sweep that it is in.
_OF_UDP = {
    UdpState.OPEN: ConnectState.OPEN,
    UdpState.CLOSED: ConnectState.CLOSED,
    UdpState.SILENT: ConnectState.FILTERED,
    UdpState.REJECTED: ConnectState.REJECTED,
    UdpState.UNREACHABLE: ConnectState.UNREACHABLE,
    UdpState.LOCAL_ERROR: ConnectState.LOCAL_ERROR,
    UdpState.NOT_ASKED: ConnectState.NOT_ASKED,
}


def answers(facts: Facts) -> bool:
    """Whether a protocol over TCP answered, which proves that the port is open, whatever a sweep of ports says."""
    match facts:
        case DicomFacts():
            return facts.outcome in _ASSOCIATION_ANSWERS
        case TlsFacts():
            return facts.answered or facts.plaintext_dicom or facts.plaintext_http
        case HandshakeFacts():
            return facts.completed
        case HttpFacts():
            return facts.end in (HttpEnd.ANSWERED, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)
        case RecognisedFacts():
            return facts.protocol is not Spoken.NONE
        case _:
            return False


def came_from(asset: Asset, item: Observation) -> bool:
    """Whether the observation is a sign of life of the asset itself."""
    facts = item.facts
    if isinstance(facts, UdpFacts):
        return facts.state in (UdpState.OPEN, UdpState.CLOSED) or _by_itself(asset, item)
    if not isinstance(facts, PortFacts):
        return answers(facts)
    return facts.state in (ConnectState.OPEN, ConnectState.CLOSED) or _by_itself(asset, item)


def _by_itself(asset: Asset, item: Observation) -> bool:
    """Whether an ICMP message came from the asset itself; one of a firewall on the way is no sign of its life."""
    facts = item.facts
    if not isinstance(facts, PortFacts | UdpFacts) or facts.state not in (ConnectState.REJECTED, UdpState.REJECTED):
        return False
    return facts.offender in {*asset.addresses, item.address}


@dataclass(frozen=True, slots=True)
class Sweep:
    """The states of an asset's ports over one transport, by place.

    `addresses` are those that must have been asked before nothing can be said to be open: the declared ones, or where
    the inventory has only a host name, those that it resolved to. A place may also be elsewhere, such as at a proxy
    that a URL names. `proved` are the open ones that gave a protocol byte; `refused_by_itself` those at which the asset
    itself, and no firewall on the way, answered by ICMP.
    """

    states: Mapping[Place, ConnectState]
    addresses: tuple[str, ...]
    proved: frozenset[Place] = frozenset()
    refused_by_itself: frozenset[Place] = frozenset()
    transport: Transport = "tcp"

    @property
    def open(self) -> tuple[Place, ...]:
        """The places that are open, sorted."""
        return self.where(ConnectState.OPEN)

    def where(self, *wanted: ConnectState) -> tuple[Place, ...]:
        """The places in one of the states, sorted."""
        return tuple(sorted(place for place, state in self.states.items() if state in wanted))

    def unproven(self, places: Iterable[Place]) -> tuple[Place, ...]:
        """Those of the places that took a connection and gave no protocol byte, sorted."""
        return tuple(sorted({place for place in places if place not in self.proved}))

    @property
    def asked(self) -> tuple[Place, ...]:
        """The places that a question was sent to, sorted."""
        return tuple(sorted(place for place, state in self.states.items() if state not in _NOT_TRIED))

    def decided(self, place: Place) -> bool:
        """Whether the state of the place is known and tells something about the asset."""
        state = self.states.get(place)
        return state in _DECIDED and not (self.transport == "udp" and state is ConnectState.FILTERED)

    @property
    def no_way(self) -> frozenset[str]:
        """The addresses to which our kernel knew no way at all: nothing was learnt of them."""
        return frozenset(
            address
            for address in {address for address, _ in self.states}
            if all(state is ConnectState.UNREACHABLE for state in self._of(address))
        )

    @property
    def undecided(self) -> tuple[Place, ...]:
        """The places that were meant to be asked and are not decided, sorted."""
        return tuple(sorted(place for place in self.states if not self.decided(place)))

    @property
    def unasked(self) -> tuple[str, ...]:
        """The addresses of which no port was asked."""
        return tuple(address for address in self.addresses if not self._of(address))

    @property
    def complete(self) -> bool:
        """Whether each address was asked and all that was asked is decided."""
        return bool(self.states) and not self.unasked and not self.undecided

    def only(self, addresses: Collection[str]) -> Sweep:
        """The part of it at some of the addresses."""
        return replace(
            self,
            states={place: state for place, state in self.states.items() if place[0] in addresses},
            addresses=tuple(address for address in self.addresses if address in addresses),
        )

    def ports(self, allowed: Collection[int]) -> Sweep:
        """The part of it at some of the ports."""
        return replace(self, states={place: state for place, state in self.states.items() if place[1] in allowed})

    def without(self, ports: Collection[int]) -> Sweep:
        """The part of it at all other ports."""
        return replace(self, states={place: state for place, state in self.states.items() if place[1] not in ports})

    def _of(self, address: str) -> list[ConnectState]:
        return [state for (where, _), state in self.states.items() if where == address]


def sweep(case: Case) -> Sweep:
    """All that the visit showed of the asset's TCP ports; where a port was seen twice, open outweighs the rest."""
    states: dict[Place, ConnectState] = {}
    proved: set[Place] = set()
    refused: set[Place] = set()
    for observation in case.asset_seen:
        facts = observation.facts
        if not observation.address or not observation.port:
            continue
        place = (observation.address, observation.port)
        if isinstance(facts, PortFacts):
            states[place] = _better(states.get(place), _decided(facts))
            if facts.state is ConnectState.REJECTED and _by_itself(case.asset, observation):
                refused.add(place)
        elif answers(facts):
            states[place] = ConnectState.OPEN
            proved.add(place)
    seen_at = tuple(dict.fromkeys(address for address, _ in states))
    return Sweep(states, own_addresses(case) or seen_at, frozenset(proved), frozenset(refused))


def udp_sweep(case: Case) -> Sweep:
    """All that the visit showed of the asset's UDP ports. Empty where none was chosen; an open one is always proved."""
    states: dict[Place, ConnectState] = {}
    refused: set[Place] = set()
    for observation in case.asset_seen:
        if isinstance(observation.facts, UdpFacts) and observation.address:
            place = (observation.address, observation.port)
            states[place] = _better(states.get(place), _OF_UDP[observation.facts.state])
            if _by_itself(case.asset, observation):
                refused.add(place)
    found = tuple(place for place, state in states.items() if state is ConnectState.OPEN)
    return Sweep(states, own_addresses(case), frozenset(found), frozenset(refused), "udp")


def _decided(facts: PortFacts) -> ConnectState:
    """The state of a port; one that was silent once, and not asked again, may as well be open behind a lossy way."""
    once = facts.state is ConnectState.FILTERED and facts.asked < _ASKED_AGAIN
    return ConnectState.NOT_ASKED if once else facts.state


def _better(known: ConnectState | None, new: ConnectState) -> ConnectState:
    if known is None or new is ConnectState.OPEN:
        return new
    return known if known is ConnectState.OPEN or (known in _DECIDED and new not in _DECIDED) else new


# --------------------------------------------------------------------------------------------------------- in words


def named(port: int, transport: Transport = "tcp") -> str:
    """A port as people know it, such as `23 (telnet)` or `161/udp (snmp)`."""
    name = service_name(port, transport)
    number = str(port) if transport == "tcp" else f"{port}/{transport}"
    return number if name is None else f"{number} ({name})"


def listed(places: Iterable[Place], transport: Transport = "tcp") -> list[JsonValue]:
    """Places as evidence."""
    found: list[JsonValue] = []
    for address, port in places:
        place: dict[str, JsonValue] = {"address": address, "port": port, "name": service_name(port, transport)}
        found.append(place if transport == "tcp" else {**place, "transport": transport})
    return found


def few(ports: Iterable[int], most: int = 4, transport: Transport = "tcp") -> str:
    """Ports for a sentence: the first few by number, and how many more."""
    distinct = sorted(set(ports))
    rest = len(distinct) - most
    return ", ".join(named(port, transport) for port in distinct[:most]) + (f" and {rest} more" if rest > 0 else "")


def both_few(tcp: Iterable[Place], udp: Iterable[Place]) -> str:
    """Ports of both transports for a sentence."""
    told = (few((port for _, port in tcp)), few((port for _, port in udp), transport="udp"))
    return ", ".join(words for words in told if words)


def unproven_words(swept: Sweep, places: Iterable[Place]) -> str:
    """What has to be said of open ports that gave no protocol byte, as the end of a sentence; empty where all did."""
    everything = tuple(places)
    unproven = swept.unproven(everything)
    if not unproven:
        return ""
    which = "" if len(unproven) == len(set(everything)) else f" ({few(port for _, port in unproven)})"
    return f"; open-unproven{which}, for no protocol byte came from there"


def counted(number: int) -> str:
    """So many ports."""
    return "1 port" if number == 1 else f"{number} ports"


def doubt(swept: Sweep) -> str:
    """Why a sweep is not complete, as the end of a sentence."""
    if not swept.asked:
        return "no port was asked"
    if swept.unasked:
        return f"not at all of the asset's addresses ({len(swept.addresses)}) a port was asked"
    if swept.no_way:
        return "there was no way from here to the asset"
    return f"of {counted(len(swept.states))}, {len(swept.undecided)} gave no state that decides"


def silence_of(udp: Sweep) -> str:
    """That UDP ports were asked and decided nothing, as the end of a sentence."""
    return f"of {counted(len(udp.states))} of UDP {len(udp.undecided)} gave nothing that decides, such as silence"


def resting_on(verdict: Verdict, case: Case, places: Collection[Place], udp: Collection[Place] = ()) -> Verdict:
    """The verdict with the observations of those places named as what it rests on."""
    ids = tuple(
        seen.id
        for seen in case.asset_seen
        if (seen.address, seen.port) in (udp if isinstance(seen.facts, UdpFacts) else places)
    )
    return replace(verdict, observations=ids)
