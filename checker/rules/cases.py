"""Pure: from the case of a whole asset to the cases of its services.

A declared service is judged at each address that was observed for it and at each address that the inventory declares,
asked or not: an address that nobody asked gives a case with nothing seen, which a rule answers with `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from checker.model import Observation, Service
from checker.rules.base import Case


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
    found = [observation.address for observation in own if observation.address]
    if service.host is None:
        found += case.asset.addresses
    elif _is_address(service.host):
        found.append(str(ip_address(service.host)))
    elif not any(observation.service is not None for observation in own):
        # The host's name was not asked: the service is at one of the asset's addresses as far as anybody knows.
        found += case.asset.addresses
    unplaced = any(not observation.address for observation in own)
    places: list[str | None] = list(dict.fromkeys(found))
    return places if places and not unplaced else [*places, None]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
