"""Pure: observations by the services that are declared now, where the inventory has changed since they were made.

A service is the same where the same was asked of it. What was asked of another one says nothing of a service that took
its place in the inventory, but stays an observation of the asset: a port that was open is open, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from checker.model import Inventory, Observation, Service
from checker.records import StoredInventory

_NO_SERVICE = -1
"""The index of an observation that was made of a service which the inventory no longer declares so."""


def with_inventory(stored: StoredInventory, inventory: Inventory) -> StoredInventory:
    """Another inventory for the same observations, with the services by which those were made."""
    declared = {asset.id: asset.services for asset in inventory.assets}
    visited = {asset.id: stored.visited_services.get(asset.id, asset.services) for asset in stored.inventory.assets}
    visited = {**stored.visited_services, **visited}
    return StoredInventory(
        inventory,
        stored.listed,
        {asset_id: services for asset_id, services in visited.items() if declared.get(asset_id) != services},
    )


def placed(
    observations: Iterable[Observation], visited: Sequence[Service], declared: Sequence[Service]
) -> Iterator[Observation]:
    """The observations by the services that are declared now; those of a service that is not, by none of them."""
    now = {_asked_as(service): index for index, service in enumerate(declared)}
    places: Mapping[int, int] = {
        index: now.get(_asked_as(service), _NO_SERVICE) for index, service in enumerate(visited)
    }
    for item in observations:
        service = item.service if item.service is None else places.get(item.service, _NO_SERVICE)
        yield Observation(
            item.id, item.asset_id, item.vantage, item.observed_at, item.address, item.port, service, item.facts
        )


def _asked_as(service: Service) -> tuple[str, int, str | None, str | None]:
    """What of a declaration goes into the questions; the rest is for judging alone."""
    return (service.kind.value, service.port, service.ae_title, service.url)
