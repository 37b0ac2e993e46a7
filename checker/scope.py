"""Pure: what may be contacted. (asset, address) -> Permit | Refusal.

Nothing is contacted without a `Permit`, and the gateway asks `Scope.confirms` again just before it opens a socket, so a
permit that was not made from the inventory's own networks is worth nothing. A range is only ever a boundary, never a
target: a permit is for one address of one asset.
"""

from __future__ import annotations

import ipaddress
from datetime import date
from typing import TypeAlias

from checker.model import Asset, Inventory, Permit, Refusal

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def canonical(text: str) -> Address | None:
    """The address that a text means, with IPv4-mapped IPv6 (RFC 4291 2.5.5.2) read as IPv4; None if it is none.

    A scope id (RFC 4007) names an interface of this machine and not a device that we own, so it is refused.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


class Scope:
    """The boundary that an inventory draws: owned networks less exclusions, until the authorization expires."""

    def __init__(self, inventory: Inventory) -> None:
        self._owned = [ipaddress.ip_network(text) for text in inventory.owned_networks]
        self._public = [ipaddress.ip_network(text) for text in inventory.public_networks]
        self._excluded = [ipaddress.ip_network(text) for text in inventory.excluded]
        self._expires = inventory.authorization.expires

    def permit(self, asset: Asset, address: str, today: date) -> Permit | Refusal:
        """Leave to contact `address` as a part of `asset` on this day, or why not."""
        parsed = canonical(address)
        if parsed is None:
            return Refusal(asset.id, address, f"{address!r} is not an address")
        shown = str(parsed)
        if self._expires < today:
            return Refusal(asset.id, shown, f"the authorization expired on {self._expires.isoformat()}")
        if parsed.is_multicast or parsed.is_unspecified or shown == "255.255.255.255":
            return Refusal(asset.id, shown, f"{shown} is not the address of one device")
        if _within(parsed, self._excluded) is not None:
            return Refusal(asset.id, shown, f"{shown} is excluded by the inventory")
        if parsed.is_global:
            network = _within(parsed, self._public)
            if network is None:
                return Refusal(asset.id, shown, f"{shown} is a public address and in no network of public_networks")
        else:
            network = _within(parsed, self._owned) or _within(parsed, self._public)
            if network is None:
                return Refusal(asset.id, shown, f"{shown} is in no network of owned_networks")
        return Permit(asset.id, shown, str(network), self._expires)

    def confirms(self, permit: Permit, asset: Asset, today: date) -> bool:
        """Whether this very permit would be given again for the asset on this day."""
        return self.permit(asset, permit.address, today) == permit


def _within(address: Address, networks: list[Network]) -> Network | None:
    for network in networks:
        if address.version == network.version and address in network:
            return network
    return None
