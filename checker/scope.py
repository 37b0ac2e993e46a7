"""Pure: what may be contacted. (asset, address) -> Permit | Refusal. It looks nothing up and contacts nobody.

Nothing is contacted without a `Permit`, and the gateway asks `Scope.confirms` again just before it opens a socket, so a
permit that was not made from the inventory's own networks is worth nothing. A range is only ever a boundary, never a
target: a permit is for one address of one asset.

An IPv6 address that a translator or a tunnel turns into an IPv4 address is another way to the device behind that, so
both have to be in the scope.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import TypeAlias, TypeVar

from checker.model import Asset, AssetManners, Inventory, Permit, Refusal, Service

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Own = TypeVar("_Own")
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Addresses of no device: "this network" (RFC 1122 3.2.1.3; a socket takes some of them for this machine), and the
# limited broadcast.
_NO_DEVICE = (ipaddress.ip_network("0.0.0.0/8"), ipaddress.ip_network("255.255.255.255/32"))
# IPv6 prefixes whose last 32 bits are an IPv4 address: IPv4-compatible (RFC 4291 2.5.5.1), IPv4-translated (RFC 2765
# 2.1) and the well-known prefix of NAT64 (RFC 6052 2.1).
_ENDS_IN_IPV4 = tuple(ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
# NAT64 by a prefix of local choice (RFC 8215): where in the address the IPv4 address is, depends on that choice.
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
# The interface identifier of ISATAP (RFC 5214 6.1), its universal/local bit left out.
_ISATAP, _ISATAP_MASK = 0x00005EFE, 0xFDFFFFFF

# How many look-ups are remembered; the answers depend on nothing that changes.
_REMEMBERED = 65_536


@lru_cache(maxsize=_REMEMBERED)
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


def server_name(host: str | None) -> str | None:
    """The name to ask for in TLS, None where it would be an address (RFC 6066 section 3) or there is none."""
    return None if host is None or canonical(host) is not None else host


def declared_at(asset: Asset, service: Service, own: Sequence[_Own]) -> Sequence[_Own | str] | None:
    """The addresses at which a service is declared, None where its URL's name has to be looked up first.

    A URL that names the asset's own host means the asset's own addresses, which are `own`.
    """
    if service.host is None or service.host == (asset.hostname or "").lower():
        return own
    literal = canonical(service.host)
    return None if literal is None else (str(literal),)


def is_edge(address: str, network: str) -> bool:
    """Whether an address is the first or the last of an IPv4 network: of no device, or of all (RFC 1812 4.2.2.11)."""
    parsed, held = ipaddress.ip_address(address), ipaddress.ip_network(network)
    return held.version == 4 and held.prefixlen < 31 and parsed in (held.network_address, held.broadcast_address)


class Scope:
    """The boundary that an inventory draws: owned networks less exclusions, until the authorization expires."""

    def __init__(self, inventory: Inventory) -> None:
        self._owned = _Networks(inventory.owned_networks)
        self._public = _Networks(inventory.public_networks)
        self._excluded = _Networks(inventory.excluded)
        self._expires = inventory.authorization.expires
        # A permit is asked for at every connection, and the boundary does not move.
        self._boundary = lru_cache(maxsize=_REMEMBERED)(self._find_boundary)

    def permit(self, asset: Asset, address: str, today: date) -> Permit | Refusal:
        """Leave to contact `address` as a part of `asset` on this day, or why not."""
        parsed = canonical(address)
        if parsed is None:
            return Refusal(asset.id, address, f"{address!r} is not an address")
        shown = str(parsed)
        if self._expires < today:
            return Refusal(asset.id, shown, f"the authorization expired on {self._expires.isoformat()}")
        network = self._boundary(parsed)
        if isinstance(network, str):
            return Refusal(asset.id, shown, network)
        if parsed.version == 6:
            if parsed in _LOCAL_NAT64:
                return Refusal(asset.id, shown, f"{shown} is translated to an IPv4 address that it does not tell")
            for inner in _carried(parsed):
                reason = self._boundary(inner)
                if isinstance(reason, str):
                    return Refusal(asset.id, shown, f"{shown} leads to {inner}: {reason}")
        return Permit(asset.id, shown, str(network), self._expires)

    def confirms(self, permit: Permit, asset: Asset, today: date) -> bool:
        """Whether this very permit would be given again for the asset on this day."""
        return self.permit(asset, permit.address, today) == permit

    def _find_boundary(self, address: Address) -> Network | str:
        """The network by which an address is inside, or in one sentence why it is not."""
        if address.is_multicast or address.is_unspecified or any(address in network for network in _NO_DEVICE):
            return f"{address} is not the address of one device"
        if self._excluded.holding(address) is not None:
            return f"{address} is excluded by the inventory"
        if is_public(address):
            return self._public.holding(address) or (
                f"{address} is a public address and in no network of public_networks"
            )
        return (
            self._owned.holding(address)
            or self._public.holding(address)
            or f"{address} is in no network of owned_networks"
        )


class Listed:
    """What an inventory names. A network is a boundary: only what is listed, or what a listed name means, is asked."""

    def __init__(self, inventory: Inventory) -> None:
        self._assets = {asset.id: asset for asset in inventory.assets}
        self._at: dict[str, dict[str, AssetManners]] = {}
        self._hosts: set[str] = set()
        for asset in inventory.assets:
            for address in asset.addresses:
                self._at.setdefault(address, {})[asset.id] = asset.manners
            self._hosts.update(service.host for service in asset.services if service.host is not None)
            if asset.hostname is not None:
                self._hosts.add(asset.hostname.lower())
        self._services = {
            (address, service.port)
            for asset in inventory.assets
            for service in asset.services
            for address in declared_at(asset, service, asset.addresses) or ()
        }
        self._web = set(_web_places(inventory.assets))
        self._literals = {str(literal) for host in self._hosts if (literal := canonical(host)) is not None}

    def asset(self, asset: Asset) -> bool:
        """Whether this very asset, with these manners and addresses, is in the inventory."""
        return self._assets.get(asset.id) == asset

    def address(self, address: str) -> bool:
        """Whether a canonical address is named, as one of an asset or in the URL of a service."""
        return address in self._at or address in self._literals

    def service(self, address: str, port: int) -> bool:
        """Whether a service of any asset is declared at a canonical address. One behind another name is not found."""
        return (address, port) in self._services

    def name(self, hostname: str) -> bool:
        """Whether a host is named, as that of an asset or in the URL of a service."""
        return hostname.lower() in self._hosts

    def serves(self, address: str, port: int, tls: bool, host: str) -> bool:
        """Whether a web service is declared at a canonical address and a port, for clients that call it `host`.

        One whose name would first have to be looked up is not.
        """
        return (address, port, tls, host.lower()) in self._web

    def assets_at(self, address: str) -> Iterable[tuple[str, AssetManners]]:
        """The ids and manners of all assets at a canonical address."""
        return self._at.get(address, {}).items()


def _web_places(assets: Iterable[Asset]) -> Iterator[tuple[str, int, bool, str]]:
    """Each declared web service as (address, port, whether over TLS, host), by each host that means the address."""
    for asset in assets:
        hostname = (asset.hostname or "").lower()
        for service in asset.services:
            if not service.is_web or service.host is None:
                continue
            for address in declared_at(asset, service, asset.addresses) or ():
                hosts = {service.host, address, *((hostname,) if address in asset.addresses else ())}
                for host in hosts:
                    yield address, service.port, service.speaks_tls, host


class _Networks:
    """A set of networks that is asked by the lengths of their prefixes, however many networks there are."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_length: dict[tuple[int, int], dict[int, Network]] = {}
        for text in texts:
            network = ipaddress.ip_network(text)
            starts = self._by_length.setdefault((network.version, network.prefixlen), {})
            starts[int(network.network_address)] = network

    def holding(self, address: Address) -> Network | None:
        """A network that holds the address, or None."""
        number = int(address)
        for (version, length), starts in self._by_length.items():
            if version == address.version:
                host_bits = address.max_prefixlen - length
                network = starts.get(number >> host_bits << host_bits)
                if network is not None:
                    return network
        return None


def is_public(address: Address) -> bool:
    """Whether an address is anybody's, by the IANA special-purpose registries (RFC 6890).

    6to4 counts as public whatever the registry says of it: its relays are public, and Python's versions differ on it.
    """
    return address.is_global or (isinstance(address, ipaddress.IPv6Address) and address.sixtofour is not None)


def _carried(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses to which packets for an IPv6 address are translated or tunnelled."""
    if not isinstance(address, ipaddress.IPv6Address) or address.is_loopback:
        return ()
    number = int(address)
    carried: list[ipaddress.IPv4Address] = []
    if address.sixtofour is not None:  # RFC 3056 section 2
        carried.append(address.sixtofour)
    if address.teredo is not None:  # RFC 4380 section 4: the server and the client
        carried.extend(address.teredo)
    isatap = (number >> 32) & _ISATAP_MASK == _ISATAP
    if isatap or any(address in network for network in _ENDS_IN_IPV4):
        carried.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return tuple(carried)
