"""What may be contacted: every way in which an address can look like one of ours and not be it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.model import (
    Asset,
    AssetManners,
    Authorization,
    Defaults,
    Inventory,
    Permit,
    Refusal,
    Role,
    Service,
    ServiceKind,
)
from checker.scope import Listed, Scope, canonical, is_edge

TODAY = date(2026, 11, 24)


def asset(
    name: str = "arc-01",
    addresses: Sequence[str] = ("10.20.1.5",),
    hostname: str | None = None,
    services: Sequence[Service] = (),
) -> Asset:
    return Asset(
        name, name, tuple(addresses), hostname, Role.ARCHIVE, "campus", None, None, AssetManners(), (*services,)
    )


def inventory(
    owned: Sequence[str] = ("10.20.0.0/16",),
    public: Sequence[str] = (),
    excluded: Sequence[str] = (),
    assets: Sequence[Asset] = (),
    expires: date = TODAY,
) -> Inventory:
    return Inventory(
        organization="Synthetic",
        authorization=Authorization("Synthetic", "SYN-1", expires),
        owned_networks=tuple(owned),
        public_networks=tuple(public),
        excluded=tuple(excluded),
        zones=(),
        defaults=Defaults(),
        exposure=(),
        assets=tuple(assets),
        waivers=(),
    )


def reason(given_inventory: Inventory, address: str) -> str:
    """Why it is refused; fails where it is permitted."""
    answer = Scope(given_inventory).permit(asset(), address, TODAY)
    assert isinstance(answer, Refusal), f"{address} is permitted by {answer.network}"
    return answer.reason


def network_of(given_inventory: Inventory, address: str) -> str:
    """The network by which it is permitted; fails where it is refused."""
    answer = Scope(given_inventory).permit(asset(), address, TODAY)
    assert isinstance(answer, Permit), answer.reason
    return answer.network


class TestOwned:
    def test_an_owned_address_gets_a_permit_that_says_all(self) -> None:
        permit = Scope(inventory()).permit(asset(), "10.20.1.5", TODAY)

        assert permit == Permit("arc-01", "10.20.1.5", "10.20.0.0/16", TODAY)

    @pytest.mark.parametrize("address", ["10.20.0.0", "10.20.255.255", "::ffff:10.20.1.5", "::ffff:a14:105"])
    def test_inside(self, address: str) -> None:
        assert network_of(inventory(), address) == "10.20.0.0/16"

    @pytest.mark.parametrize("address", ["10.19.255.255", "10.21.0.0", "fd00:20::1", "192.168.0.1", "127.0.0.1", "::1"])
    def test_outside(self, address: str) -> None:
        assert "in no network of owned_networks" in reason(inventory(), address)

    def test_an_ipv6_network(self) -> None:
        ours = inventory(["fd00:20::/48"])

        assert network_of(ours, "FD00:20:0:7::1") == "fd00:20::/48"
        assert "owned_networks" in reason(ours, "fd00:21::1")

    def test_a_mapped_address_is_shown_and_permitted_as_ipv4(self) -> None:
        permit = Scope(inventory()).permit(asset(), "::ffff:10.20.1.5", TODAY)

        assert isinstance(permit, Permit)
        assert permit.address == "10.20.1.5"

    def test_many_networks(self) -> None:
        ours = inventory([f"10.{number // 256}.{number % 256}.0/24" for number in range(5000)])

        assert network_of(ours, "10.19.135.9") == "10.19.135.0/24"
        assert "owned_networks" in reason(ours, "10.19.136.9")

    @given(st.ip_addresses(), st.integers(0, 32), st.ip_addresses(v=4))
    def test_nothing_outside_every_network_is_ever_permitted(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int, around: ipaddress.IPv4Address
    ) -> None:
        owned = ipaddress.ip_network((around, length), strict=False)
        answer = Scope(inventory([str(owned)])).permit(asset(), str(address), TODAY)

        if isinstance(answer, Permit):
            meant = canonical(str(address))
            assert meant is not None
            assert meant in owned
            assert not meant.is_global
            assert not meant.is_multicast

    @given(st.ip_addresses())
    def test_a_permit_names_the_canonical_address_and_is_confirmed(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address
    ) -> None:
        scope = Scope(inventory(["0.0.0.0/0", "::/0"], ["0.0.0.0/0", "::/0"]))
        answer = scope.permit(asset(), str(address), TODAY)

        if isinstance(answer, Permit):
            assert answer.address == str(canonical(str(address)))
            assert scope.confirms(answer, asset(), TODAY)


class TestNotAnAddress:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " 10.20.1.5",
            "10.20.1.5 ",
            "10.20.1.5\n",
            "10.20.1",  # short forms of inet_aton(3)
            "10.20.261",
            "169082117",
            "0xA.20.1.5",
            "0x0a140105",
            "012.024.001.005",  # octal for some, decimal for others
            "10.20.1.05",
            "10.20.1.256",
            "10.20.0.0/16",
            "10.20.1.5-10.20.1.9",
            "10.20.1.5:104",
            "[fd00::1]",
            "fd00::1%eth0",
            "fe80::1%1",
            "::ffff:10.20.1.5%lo",
            "\u0661\u0660.20.1.5",  # 10.20.1.5 in Arabic-Indic digits
            "archive.example.org",
            "localhost",
            "\x00",
        ],
    )
    def test_it_is_refused_and_never_interpreted(self, text: str) -> None:
        assert canonical(text) is None
        assert "is not an address" in reason(inventory(["0.0.0.0/0", "::/0"]), text)

    @given(st.text(max_size=40))
    def test_any_text_gives_an_answer(self, text: str) -> None:
        assert isinstance(Scope(inventory()).permit(asset(), text, TODAY), Permit | Refusal)


class TestNotOneDevice:
    @pytest.mark.parametrize(
        "address",
        [
            *("0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "239.1.2.3", "::", "ff02::1", "ff0e::1"),
            *("::ffff:0.0.0.0", "::ffff:224.0.0.1", "::ffff:255.255.255.255"),
        ],
    )
    def test_it_is_refused_whatever_is_owned(self, address: str) -> None:
        everything = inventory(["0.0.0.0/0", "::/0"], ["0.0.0.0/0", "::/0"])

        assert "not the address of one device" in reason(everything, address)

    @pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "127.0.0.1", "::1", "100.64.0.1", "240.0.0.1"])
    def test_special_addresses_are_only_ours_by_name(self, address: str) -> None:
        assert "owned_networks" in reason(inventory(["10.0.0.0/8", "fd00::/16"]), address)


class TestEdge:
    @pytest.mark.parametrize("address", ["10.20.0.0", "10.20.255.255"])
    def test_the_first_and_the_last_of_a_network(self, address: str) -> None:
        assert is_edge(address, "10.20.0.0/16")

    @pytest.mark.parametrize(
        ("address", "network"),
        [
            *(("10.20.1.0", "10.20.0.0/16"), ("10.20.1.5", "10.20.1.5/32"), ("10.20.1.4", "10.20.1.4/31")),
            ("fd00:20::", "fd00:20::/48"),
        ],
    )
    def test_others(self, address: str, network: str) -> None:
        assert not is_edge(address, network)


class TestExcluded:
    @pytest.mark.parametrize("address", ["10.20.9.9", "::ffff:10.20.9.9", "10.20.8.1"])
    def test_an_exclusion_is_stronger_than_ownership(self, address: str) -> None:
        ours = inventory(excluded=["10.20.9.9/32", "10.20.8.0/24"])

        assert "excluded by the inventory" in reason(ours, address)
        assert network_of(ours, "10.20.9.8") == "10.20.0.0/16"

    def test_also_where_it_is_public_on_purpose(self) -> None:
        assert "excluded" in reason(inventory(public=["8.8.8.0/24"], excluded=["8.8.8.8/32"]), "8.8.8.8")


class TestPublic:
    @pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2001:4860::1", "192.88.99.1", "fec0::1"])
    def test_it_needs_an_entry_of_its_own(self, address: str) -> None:
        assert "in no network of public_networks" in reason(inventory(["0.0.0.0/0", "::/0"]), address)

    def test_with_one(self) -> None:
        assert network_of(inventory(public=["8.8.8.0/24"]), "8.8.8.8") == "8.8.8.0/24"

    def test_private_addresses_may_stand_there_as_well(self) -> None:
        assert network_of(inventory(public=["10.99.0.0/16"]), "10.99.0.1") == "10.99.0.0/16"


INNER = {
    "NAT64, well-known": "64:ff9b::{hex}",
    "6to4": "2002:{hex}::1",
    "IPv4-compatible": "::{hex}",
    "IPv4-translated": "::ffff:0:{hex}",
    "ISATAP": "fd00:20::5efe:{hex}",
    "ISATAP, unique": "fd00:20::200:5efe:{hex}",
    "Teredo, as server": "2001:0:{hex}:0:ffff:f5eb:fefa",  # its client is 10.20.1.5
}


class TestWaysToAnIpv4Device:
    """What a translator or a tunnel makes of an address is contacted as well, so it must be ours as well."""

    @staticmethod
    def within(form: str, ipv4: str) -> str:
        number = int(ipaddress.IPv4Address(ipv4))
        return INNER[form].format(hex=f"{number >> 16:x}:{number & 0xFFFF:x}")

    @staticmethod
    def ours(public: Sequence[str] = (), excluded: Sequence[str] = ()) -> Inventory:
        """Every IPv6 address is ours; of the IPv4 ones, 10.20.0.0/16."""
        return inventory(["10.20.0.0/16", "::/0"], ["::/0", *public], excluded)

    @pytest.mark.parametrize("form", INNER)
    def test_public_ones_need_their_entry(self, form: str) -> None:
        assert "8.8.8.8 is a public address" in reason(self.ours(), self.within(form, "8.8.8.8"))
        assert network_of(self.ours(public=["8.8.8.0/24"]), self.within(form, "8.8.8.8"))

    @pytest.mark.parametrize("form", INNER)
    def test_private_ones_must_be_owned(self, form: str) -> None:
        assert "owned_networks" in reason(self.ours(), self.within(form, "10.21.1.5"))
        assert network_of(self.ours(), self.within(form, "10.20.1.5"))

    @pytest.mark.parametrize("form", INNER)
    def test_excluded_ones_stay_excluded(self, form: str) -> None:
        ours = self.ours(excluded=["10.20.9.9/32"])

        assert "10.20.9.9 is excluded" in reason(ours, self.within(form, "10.20.9.9"))

    @pytest.mark.parametrize("form", INNER)
    @pytest.mark.parametrize("ipv4", ["224.0.0.1", "255.255.255.255", "0.0.0.0"])
    def test_they_must_be_of_one_device(self, form: str, ipv4: str) -> None:
        assert "not the address of one device" in reason(self.ours(), self.within(form, ipv4))

    def test_the_client_of_teredo(self) -> None:
        # The server is 10.20.1.5; the client is 8.8.8.8, its bits inverted (RFC 4380 section 4).
        address = "2001:0:a14:105:0:ffff:f7f7:f7f7"

        assert "8.8.8.8 is a public address" in reason(self.ours(), address)

    @pytest.mark.parametrize("address", ["64:ff9b:1::8.8.8.8", "64:ff9b:1:808:8:800::", "64:ff9b:1::a14:105"])
    def test_a_local_translator_does_not_tell(self, address: str) -> None:
        assert "translated to an IPv4 address that it does not tell" in reason(self.ours(), address)

    def test_6to4_is_public_whatever_python_says(self) -> None:
        assert "public_networks" in reason(inventory(["10.20.0.0/16", "2002::/16"]), "2002:a14:105::1")

    def test_loopback_is_no_way_to_anything(self) -> None:
        assert network_of(inventory(["::1/128"]), "::1") == "::1/128"


class TestAuthorization:
    def test_its_last_day_is_included(self) -> None:
        scope = Scope(inventory(expires=TODAY))

        assert isinstance(scope.permit(asset(), "10.20.1.5", TODAY), Permit)
        expired = scope.permit(asset(), "10.20.1.5", TODAY + timedelta(days=1))
        assert expired == Refusal("arc-01", "10.20.1.5", "the authorization expired on 2026-11-24")


class TestConfirms:
    PERMIT = Permit("arc-01", "10.20.1.5", "10.20.0.0/16", TODAY)

    def test_its_own(self) -> None:
        assert Scope(inventory()).confirms(self.PERMIT, asset(), TODAY)

    @pytest.mark.parametrize(
        "forged",
        [
            replace(PERMIT, address="8.8.8.8"),
            replace(PERMIT, address="10.21.1.5"),
            replace(PERMIT, address="::ffff:10.20.1.5"),
            replace(PERMIT, address="10.20.1.5 "),
            replace(PERMIT, asset_id="arc-02"),
            replace(PERMIT, network="10.0.0.0/8"),
            replace(PERMIT, expires=date.max),
        ],
        ids=str,
    )
    def test_none_that_it_would_not_give(self, forged: Permit) -> None:
        assert not Scope(inventory()).confirms(forged, asset(), TODAY)

    def test_none_of_another_asset(self) -> None:
        assert not Scope(inventory()).confirms(self.PERMIT, asset("arc-02"), TODAY)

    def test_none_any_more(self) -> None:
        assert not Scope(inventory()).confirms(self.PERMIT, asset(), TODAY + timedelta(days=1))
        assert not Scope(inventory(excluded=["10.20.1.5/32"])).confirms(self.PERMIT, asset(), TODAY)


class TestListed:
    WEB = Service(ServiceKind.WEB, 443, url="https://Viewer.example.org/")
    LITERAL = Service(ServiceKind.WEB, 443, url="https://[fd00:20::0007]:443/")
    LISTED = Listed(
        inventory(
            assets=[
                asset("a", ["10.20.1.5"], "Archive.example.org", [WEB, LITERAL]),
                asset("b", ["10.20.1.5", "10.20.1.6"]),
            ]
        )
    )

    @pytest.mark.parametrize("address", ["10.20.1.5", "10.20.1.6", "fd00:20::7"])
    def test_an_address_of_an_asset_or_in_a_url(self, address: str) -> None:
        assert self.LISTED.address(address)

    def test_a_neighbour_is_not(self) -> None:
        assert not self.LISTED.address("10.20.1.7")

    @pytest.mark.parametrize("name", ["archive.example.org", "ARCHIVE.example.org", "viewer.example.org"])
    def test_a_name_of_an_asset_or_in_a_url(self, name: str) -> None:
        assert self.LISTED.name(name)

    def test_another_name_is_not(self) -> None:
        assert not self.LISTED.name("example.org")

    def test_only_the_very_asset(self) -> None:
        own = asset("b", ["10.20.1.5", "10.20.1.6"])

        assert self.LISTED.asset(own)
        assert not self.LISTED.asset(replace(own, manners=AssetManners(gap_s=0.0)))
        assert not self.LISTED.asset(asset("c"))

    def test_who_is_at_an_address(self) -> None:
        assert {name for name, _ in self.LISTED.assets_at("10.20.1.5")} == {"a", "b"}
        assert not list(self.LISTED.assets_at("10.20.1.7"))
