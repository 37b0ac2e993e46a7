"""Pure: what is known of an asset's TCP ports, shared by the rules about exposure.

A port counts as open only where a connection was made or an answer came. It counts as decided only where what came
back is a fact about the asset or its firewall: a reset, an ICMP message, or silence until the time limit. Refusals of
our own machine, questions that manners forbade, and an address that our kernel knows no way to decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from checker.catalog.ports import port_set, service_name
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
    TlsFacts,
)
from checker.rules.base import Case, Verdict, failed, passed, unknown
from checker.rules.cases import own_addresses

Place: TypeAlias = tuple[str, int]
"""An address and a TCP port."""

CLEARTEXT_MANAGEMENT_PORTS = frozenset({21, 23})

_DECIDED = frozenset(
    {
        ConnectState.OPEN,
        ConnectState.CLOSED,
        ConnectState.REJECTED,
        ConnectState.FILTERED,
        ConnectState.UNREACHABLE,
    }
)
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


def answers(facts: Facts) -> bool:
    """Whether a protocol answered, which shows that the port is open, whatever a sweep of ports says."""
    match facts:
        case DicomFacts():
            return facts.outcome in _ASSOCIATION_ANSWERS
        case TlsFacts():
            return facts.answered or facts.plaintext_dicom or facts.plaintext_http
        case HandshakeFacts():
            return facts.completed
        case HttpFacts():
            return facts.end in (HttpEnd.ANSWERED, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)
        case _:
            return False


def came_from(asset: Asset, item: Observation) -> bool:
    """Whether the observation is a sign of life of the asset itself."""
    if not isinstance(item.facts, PortFacts):
        return answers(item.facts)
    if item.facts.state in (ConnectState.OPEN, ConnectState.CLOSED):
        return True
    # An ICMP message of a firewall on the way is no sign of life of the asset.
    own = {*asset.addresses, item.address}
    return item.facts.state is ConnectState.REJECTED and item.facts.offender in own


@dataclass(frozen=True, slots=True)
class Sweep:
    """The states of an asset's ports, by place.

    `addresses` are those that must have been asked before nothing can be said to be open: the declared ones, or where
    the inventory has only a host name, those that it resolved to. A place may also be elsewhere, such as at a proxy
    that a URL names.
    """

    states: Mapping[Place, ConnectState]
    addresses: tuple[str, ...]

    @property
    def open(self) -> tuple[Place, ...]:
        """The places that are open, sorted."""
        return self.where(ConnectState.OPEN)

    def where(self, *wanted: ConnectState) -> tuple[Place, ...]:
        """The places in one of the states, sorted."""
        return tuple(sorted(place for place, state in self.states.items() if state in wanted))

    @property
    def asked(self) -> tuple[Place, ...]:
        """The places that a question was sent to, sorted."""
        return tuple(sorted(place for place, state in self.states.items() if state not in _NOT_TRIED))

    def decided(self, place: Place) -> bool:
        """Whether the state of the place is known and tells something about the asset."""
        return self.states.get(place) in _DECIDED and place[0] not in self.no_way

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
        return Sweep(
            {place: state for place, state in self.states.items() if place[0] in addresses},
            tuple(address for address in self.addresses if address in addresses),
        )

    def ports(self, allowed: Collection[int]) -> Sweep:
        """The part of it at some of the ports."""
        return Sweep({place: state for place, state in self.states.items() if place[1] in allowed}, self.addresses)

    def _of(self, address: str) -> list[ConnectState]:
        return [state for (where, _), state in self.states.items() if where == address]


def sweep(case: Case) -> Sweep:
    """All that the visit showed of the asset's ports; where a port was seen twice, open outweighs the rest."""
    states: dict[Place, ConnectState] = {}
    for observation in case.asset_seen:
        if not observation.address:
            continue
        place = (observation.address, observation.port)
        if answers(observation.facts):
            states[place] = ConnectState.OPEN
        elif isinstance(observation.facts, PortFacts):
            states[place] = _better(states.get(place), observation.facts.state)
    seen_at = tuple(dict.fromkeys(address for address, _ in states))
    return Sweep(states, own_addresses(case) or seen_at)


def _better(known: ConnectState | None, new: ConnectState) -> ConnectState:
    if known is None or new is ConnectState.OPEN:
        return new
    return known if known is ConnectState.OPEN or (known in _DECIDED and new not in _DECIDED) else new


# --------------------------------------------------------------------------------------------------------- in words


def named(port: int) -> str:
    """A port as people know it, such as `23 (telnet)`."""
    name = service_name(port)
    return str(port) if name is None else f"{port} ({name})"


def listed(places: Iterable[Place]) -> list[JsonValue]:
    """Places as evidence."""
    return [{"address": address, "port": port, "name": service_name(port)} for address, port in places]


def few(ports: Iterable[int], most: int = 4) -> str:
    """Ports for a sentence: the first few by number, and how many more."""
    distinct = sorted(set(ports))
    rest = len(distinct) - most
    return ", ".join(named(port) for port in distinct[:most]) + (f" and {rest} more" if rest > 0 else "")


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


def resting_on(verdict: Verdict, case: Case, places: Collection[Place]) -> Verdict:
    """The verdict with the observations of those places named as what it rests on."""
    ids = tuple(seen.id for seen in case.asset_seen if (seen.address, seen.port) in places)
    return replace(verdict, observations=ids)


# ------------------------------------------------------------------------------------------------- ports to be shut


def administration_ports() -> frozenset[int]:
    """The ports of remote administration and of databases, as the catalogue of ports names them.

    SSH is left out, for it is the encrypted way to administer and policy alone can say where it belongs; so are the
    ports that `CLEARTEXT_MANAGEMENT_PORTS` names and telnet does not share.
    """
    ssh, ftp = 22, 21
    return frozenset(port_set("administration").numbers + port_set("databases").numbers) - {ssh, ftp}


def judge_shut(case: Case, watched: Collection[int], what: str) -> Verdict:
    """Fails where one of the ports is open; passes where all were asked at each address and none is; else unknown."""
    swept = sweep(case).ports(watched)
    if swept.open:
        verdict = failed(
            f"Open to {case.vantage!r} for {what}: {few(port for _, port in swept.open)}.",
            open=listed(swept.open),
        )
        return resting_on(verdict, case, swept.open)
    missing = sorted(
        {(address, port) for address in swept.addresses for port in watched if not swept.decided((address, port))}
    )
    if missing or not swept.asked:
        ports = few((port for _, port in missing), most=3)
        return unknown(
            f"None was seen open for {what}, but not all ports were asked or decided: {ports or 'none was'}.",
            not_decided=listed(missing),
        )
    return passed(
        f"None of {len(set(watched))} ports for {what} is open to {case.vantage!r}.",
        ports=sorted(watched),
        addresses=list(swept.addresses),
    )
