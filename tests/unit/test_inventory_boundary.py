"""What an inventory lets in is what the scope then permits: `validate` and the gateway draw one boundary."""

from __future__ import annotations

import ipaddress
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.inventory import InventoryError, load
from checker.inventory.addresses import Ranges, parse_address, parse_network, parse_owned_network
from checker.model import Asset, AssetManners, Authorization, Defaults, Inventory, Permit, Role
from checker.scope import Scope

TODAY = date(2026, 11, 24)
OWNED = ("10.20.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fd00:20::/48", "198.51.0.0/16")
PUBLIC = ("9.9.9.0/24", "10.30.0.0/16", "2620:fe::/48")
EXCLUDED = ("10.20.9.9/32", "9.9.9.9/32", "fd00:20::9/128", "10.20.128.0/17")
SPANS = (*OWNED, *PUBLIC, *EXCLUDED, "0.0.0.0/8", "8.8.8.0/24", "10.19.0.0/16", "224.0.0.0/4", "255.255.255.0/24")
FIXTURE = [HealthCheck.function_scoped_fixture]


def _addresses_near_the_boundary() -> st.SearchStrategy[str]:
    def of(text: str) -> st.SearchStrategy[str]:
        network = ipaddress.ip_network(text)
        last = int(network.broadcast_address)
        low, high = max(int(network.network_address) - 2, 0), min(last + 2, (1 << network.max_prefixlen) - 1)
        edges = st.sampled_from([low, low + 2, last, high])
        number = st.integers(low, high) | edges
        return number.map(lambda at: str(ipaddress.ip_address(at) if at >> 32 == 0 else ipaddress.IPv6Address(at)))

    mapped = st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}")
    return st.one_of(*(of(text) for text in SPANS), st.ip_addresses(v=4).map(str), mapped)


def is_of_one_device(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    meant = mapped or address
    if meant.version == 4 and int(meant) >> 24 in (0, *range(224, 240)):
        return False
    return not meant.is_multicast and not meant.is_unspecified and str(meant) != "255.255.255.255"


def scope() -> Scope:
    return Scope(
        Inventory(
            "",
            Authorization("Imaging Security", "CHG-1", date(2027, 6, 30)),
            OWNED,
            PUBLIC,
            EXCLUDED,
            (),
            Defaults(),
            (),
            (),
            (),
        )
    )


@settings(max_examples=400, deadline=None, suppress_health_check=FIXTURE)
@given(_addresses_near_the_boundary())
def test_an_address_is_valid_exactly_where_the_scope_permits_it(tmp_path: Path, address: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps(
            {
                "version": 1,
                "authorization": {"owner": "Imaging Security", "reference": "CHG-1", "expires": "2027-06-30"},
                "owned_networks": OWNED,
                "public_networks": PUBLIC,
                "excluded": EXCLUDED,
                "assets": [{"id": "a", "role": "other", "address": address}],
            }
        ),
        "utf-8",
    )
    asset = Asset("a", "a", (address,), None, Role.OTHER, "", None, None, AssetManners(), ())
    permitted = isinstance(scope().permit(asset, address, TODAY), Permit)

    try:
        loaded = load([path], today=TODAY).assets
    except InventoryError:
        assert not permitted
    else:
        assert permitted
        assert loaded == (asset,) or address.startswith("::ffff:")


@pytest.mark.parametrize("address", ["2002:a14:105::1", "2002:808:808::"])
def test_a_6to4_address_is_public(tmp_path: Path, address: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "version: 1\n"
        "authorization: {owner: a, reference: b, expires: 2027-06-30}\n"
        'owned_networks: ["2002::/16"]\n'
        f'assets: [{{id: a, role: other, address: "{address}"}}]\n',
        "utf-8",
    )

    with pytest.raises(InventoryError, match="a public one must be in public_networks"):
        load([path], today=TODAY)


@given(st.lists(st.sampled_from(SPANS), max_size=8), st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_ranges_hold_what_one_of_their_networks_holds(
    texts: list[str], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    networks = [ipaddress.ip_network(text) for text in texts]

    held = any(address.version == network.version and address in network for network in networks)

    assert (address in Ranges(texts)) is held
    for network in networks:
        assert network.network_address in Ranges(texts)
        assert network.broadcast_address in Ranges(texts)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_canonical_texts_are_stable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    network = parse_network(str(address))
    assert parse_network(network) == network

    if is_of_one_device(address):
        text = parse_address(str(address))
        assert parse_address(text) == text
    else:
        with pytest.raises(ValueError, match=r"^expected "):
            parse_address(str(address))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.20.0.0/16", "10.20.0.0/16"),
        ("10.20.9.9", "10.20.9.9/32"),
        ("FD00:20:0::/48", "fd00:20::/48"),
        ("fd00::1", "fd00::1/128"),
        ("::ffff:10.20.0.0/112", "10.20.0.0/16"),
        (" 10.0.0.0/8 ", "10.0.0.0/8"),
    ],
)
def test_networks_are_kept_in_canonical_form(text: str, canonical: str) -> None:
    assert parse_owned_network(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0/0",
        "10.0.0.0/7",
        "::/0",
        "2000::/3",
        "::ffff:0:0/96",
        "10.20.0.1/16",
        "10.20/16",
        "10.20.0.0/255.255.0.0",
        "10.20.0.0/+16",
        "10.20.0.0/",
        "/16",
        "",
        "fe80::%eth0/64",
        "10.20.0.0-10.20.0.9",
        "::ffff:10.20.0.0/95",
    ],
)
def test_no_boundary_is_guessed_or_wider_than_one_may_be(text: str) -> None:
    with pytest.raises(ValueError, match="expected a network"):
        parse_owned_network(text)
