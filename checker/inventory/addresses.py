"""Pure: the addresses and networks of an inventory, as canonical texts, and a quick answer to "is it inside?".

A text that could mean two things (octal or short IPv4 forms, ranges, scope ids) is refused, never interpreted.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

ONE_ADDRESS = "expected one IPv4 or IPv6 address, such as 10.20.1.5"
FOUR_NUMBERS = "expected four decimal numbers from 0 to 255 without leading zeros, such as 10.20.1.5"
A_NETWORK = "expected a network such as 10.20.0.0/16 or fd00:20::/48"
# A boundary wider than this is none: it would let a typing error reach devices of others.
WIDEST = {4: 8, 6: 16}

_LIKE_IPV4 = re.compile(r"[0-9a-fxA-FX]+(\.[0-9a-fxA-FX]+){0,3}\.?", re.ASCII)
_PREFIX = re.compile(r"[0-9]{1,3}", re.ASCII)
_LONGEST = 64


def parse_address(text: str) -> str:
    """The canonical text of one unicast address; IPv4-mapped IPv6 (RFC 4291 2.5.5.2) becomes IPv4.

    Raises ValueError with the phrase that says what is expected.
    """
    text = text.strip()
    if "/" in text or "*" in text or ("-" in text and len(text) <= _LONGEST):
        raise ValueError("expected one address, not a range; list each device by itself")
    if "%" in text:
        raise ValueError("expected an address without a scope id")
    try:
        address = address_of(text)
    except ValueError:
        if len(text) <= _LONGEST and _LIKE_IPV4.fullmatch(text):
            raise ValueError(FOUR_NUMBERS) from None
        raise ValueError(ONE_ADDRESS) from None
    if address.is_multicast:
        raise ValueError("expected the address of one device, not a multicast address")
    if address.is_unspecified:
        raise ValueError("expected the address of one device, not the unspecified address")
    if address in _THIS_NETWORK:
        raise ValueError("expected the address of one device, not one of 0.0.0.0/8")
    if address == _BROADCAST:
        raise ValueError("expected the address of one device, not the broadcast address")
    return str(address)


def address_of(text: str) -> Address:
    """The address that a text means, IPv4-mapped IPv6 as IPv4. Raises ValueError where it is none."""
    if len(text) > _LONGEST:
        raise ValueError(ONE_ADDRESS)
    if ":" not in text:
        return ipaddress.IPv4Address(text)
    address = ipaddress.IPv6Address(text)
    return address.ipv4_mapped or address


def is_address(text: str) -> bool:
    """Whether a text is an address literal."""
    try:
        address_of(text)
    except ValueError:
        return False
    return True


def parse_network(text: str) -> str:
    """The canonical CIDR text of a network or of a single address. Raises ValueError with what is expected."""
    text = text.strip()
    if "%" in text:
        raise ValueError("expected a network without a scope id")
    bare, slash, prefix = text.partition("/")
    try:
        address = address_of(bare)
    except ValueError:
        raise ValueError(A_NETWORK) from None
    length: int = address.max_prefixlen
    if slash:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(A_NETWORK)
        # The prefix of an IPv4-mapped network is counted in its IPv6 form.
        length = int(prefix) - (96 if ":" in bare and address.version == 4 else 0)
        if not 0 <= length <= address.max_prefixlen:
            raise ValueError(A_NETWORK)
    network = ipaddress.ip_network((int(address) if address.version == 4 else str(address), length), strict=False)
    if network.network_address != address:
        raise ValueError(f"expected a network without host bits, such as {network}")
    return str(network)


def parse_owned_network(text: str) -> str:
    """As `parse_network`, but no wider than a boundary may be."""
    network = _network_of(parse_network(text))
    widest = WIDEST[network.version]
    if network.prefixlen < widest:
        raise ValueError(f"expected a network no wider than /{widest}")
    return str(network)


@lru_cache(maxsize=4096)
def _network_of(text: str) -> Network:
    return ipaddress.ip_network(text)


class Ranges:
    """A set of networks that answers membership by bisection."""

    def __init__(self, networks: Iterable[str]) -> None:
        spans: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for text in networks:
            network = _network_of(text)
            spans[network.version].append((int(network.network_address), int(network.broadcast_address)))
        self._starts: dict[int, list[int]] = {}
        self._ends: dict[int, list[int]] = {}
        for version, pairs in spans.items():
            merged: list[tuple[int, int]] = []
            for start, end in sorted(pairs):
                if merged and start <= merged[-1][1] + 1:
                    merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
                else:
                    merged.append((start, end))
            self._starts[version] = [start for start, _ in merged]
            self._ends[version] = [end for _, end in merged]

    def __contains__(self, address: Address) -> bool:
        """Whether the address is in one of the networks."""
        version = address.version
        at = bisect_right(self._starts[version], int(address)) - 1
        return at >= 0 and int(address) <= self._ends[version][at]


def is_public(address: Address) -> bool:
    """Whether the address is globally reachable by the IANA special-purpose registries (RFC 6890).

    6to4 (RFC 3056) counts as public whatever the registry says of it: its relays are public, as `checker.scope` has it.
    """
    # The registries are walked entry by entry in `is_global`; nearly every address of a hospital is in these few.
    if address in _USUAL_PRIVATE:
        return False
    return address.is_global or (isinstance(address, ipaddress.IPv6Address) and address.sixtofour is not None)


_THIS_NETWORK = Ranges(["0.0.0.0/8"])  # RFC 1122 3.2.1.3
_BROADCAST = ipaddress.IPv4Address(0xFFFFFFFF)
_USUAL_PRIVATE = Ranges(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7"])
