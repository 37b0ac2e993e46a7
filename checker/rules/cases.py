"""Pure: from the case of a whole asset to the cases of its services.

A declared service is judged at each address that was observed for it and at each address at which clients would look
for it: those that the inventory declares, and those that its name was seen to resolve to, asked or not. An address that
nobody asked (the scope refused it, or the visit was broken off) gives a case with nothing seen, which a rule answers
with `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from checker.model import ConnectState, NameFacts, Observation, PortFacts, Service
from checker.rules.base import Case
from checker.scope import canonical


def service_cases(case: Case) -> Iterator[Case]:
    """The cases of all services that the asset declares, in the inventory's order, one for each address.

    Where no address is known at all (only a host name, and nothing seen), one case with `address` None.
    """
    for index, service in enumerate(case.asset.services):
        own = [observation for observation in case.asset_seen if _is_of(observation, index, service)]
        for address in _addresses(case, service, own):
            seen = tuple(observation for observation in own if (observation.address or None) == address)
            yield replace(case, service=service, address=address, seen=seen)


def _is_of(observation: Observation, index: int, service: Service) -> bool:
    if observation.service is None:  # a sweep of ports knows no service
        return observation.port == service.port and observation.port != 0
    return observation.service == index


def _addresses(case: Case, service: Service, own: list[Observation]) -> list[str | None]:
    host = service.host
    # A URL names its place. At another address of the asset its port matters only where a sweep saw it open.
    telling = (item for item in own if host is None or item.service is not None or _is_open(item))
    found = [item.address for item in telling if item.address]
    literal = None if host is None else canonical(host)
    if host is None or host == (case.asset.hostname or "").lower():
        found += own_addresses(case)
    elif literal is not None:
        found.append(str(literal))
    else:
        resolved = _resolved(case, host)
        found += resolved
        if not resolved and not any(observation.service is not None for observation in own):
            # The host's name was not asked: the service is at one of the asset's addresses as far as anybody knows.
            found += case.asset.addresses
    unplaced = any(not observation.address for observation in own)
    places: list[str | None] = list(dict.fromkeys(found))
    return places if places and not unplaced else [*places, None]


def _is_open(observation: Observation) -> bool:
    return isinstance(observation.facts, PortFacts) and observation.facts.state is ConnectState.OPEN


def own_addresses(case: Case) -> tuple[str, ...]:
    """The addresses of the asset: the declared ones, else those that its host name was seen to resolve to."""
    return case.asset.addresses or _resolved(case, case.asset.hostname or "")


def _resolved(case: Case, name: str) -> tuple[str, ...]:
    found = (observation.facts for observation in case.asset_seen if isinstance(observation.facts, NameFacts))
    of_name = (facts for facts in found if facts.hostname.lower() == name.lower())
    return tuple(dict.fromkeys(address for facts in of_name for address in facts.addresses))
