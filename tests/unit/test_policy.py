"""Which lines of exposure policy hold for an asset, from where, until when, and which ports they mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.inventory import load
from checker.model import Asset, AssetClass, AssetManners, Exposure, Role, Service, ServiceKind, Zone
from checker.policy import INTERNET, Access, Policy, described, expired, has_expired, matches

TODAY = date(2026, 11, 24)
ARCHIVE = Asset(
    id="arc-01",
    name="Main archive",
    addresses=("10.20.1.5",),
    hostname=None,
    role=Role.ARCHIVE,
    site="main-campus",
    zone="clinical",
    owner=None,
    manners=AssetManners(),
    services=(
        Service(ServiceKind.DICOM, 11112),
        Service(ServiceKind.DICOM_TLS, 2762),
        Service(ServiceKind.WEB, 443, url="https://archive.example.org/"),
        Service(ServiceKind.DICOMWEB, 8443, url="https://archive.example.org:8443/dicom-web"),
    ),
)
ANY = AssetClass()


def policy(*lines: Exposure, zones: tuple[str, ...] = ()) -> Policy:
    return Policy(tuple(Zone(name) for name in zones), lines)


def line(
    from_zone: str = "clinical",
    to: AssetClass = ANY,
    must: tuple[str, ...] = (),
    may: tuple[str, ...] = (),
    expires: date | None = None,
) -> Exposure:
    return Exposure(from_zone, to, must, may, expires=expires)


# ---------------------------------------------------------------------------------------------------- lines in force


def test_a_line_holds_from_its_own_zone_only() -> None:
    here, elsewhere = line("clinical"), line("internet")

    assert policy(here, elsewhere).lines(ARCHIVE, "clinical", TODAY) == (here,)


@pytest.mark.parametrize("vantage", ["Clinical", "clinical ", "clin*", "*", ""])
def test_a_zone_of_a_line_is_a_name_and_no_pattern(vantage: str) -> None:
    assert policy(line("clinical"), line("clin*")).lines(ARCHIVE, vantage, TODAY) in ((), (line("clin*"),))
    assert policy(line("clin*")).lines(ARCHIVE, "clinical", TODAY) == ()


@pytest.mark.parametrize(
    ("expires", "holds"),
    [(None, True), (date(2026, 11, 25), True), (TODAY, True), (date(2026, 11, 23), False), (date(2020, 1, 1), False)],
)
def test_a_line_holds_through_its_day_of_expiry(expires: date | None, holds: bool) -> None:
    subject = policy(line(may=("tcp/443",), must=("tcp/104",), expires=expires))

    assert bool(subject.lines(ARCHIVE, "clinical", TODAY)) is holds
    assert subject.may_reach(ARCHIVE, "clinical", TODAY) == (frozenset({104, 443}) if holds else frozenset())
    assert subject.must_reach(ARCHIVE, "clinical", TODAY) == (frozenset({104}) if holds else frozenset())


def test_an_expired_line_still_makes_the_policy_a_stated_one() -> None:
    expired = policy(line(expires=date(2020, 1, 1)))

    # What it allowed is now forbidden, not unknown.
    assert expired.stated
    assert expired.speaks_of("clinical")
    assert expired.may_reach(ARCHIVE, "clinical", TODAY) == frozenset()


def test_a_policy_without_lines_is_none() -> None:
    assert not policy(zones=("clinical",)).stated
    assert not Policy().stated


@pytest.mark.parametrize(
    ("vantage", "spoken_of"), [("clinical", True), ("office", True), ("lab", False), (INTERNET, False)]
)
def test_a_policy_speaks_of_its_zones_and_of_those_that_its_lines_name(vantage: str, spoken_of: bool) -> None:
    assert policy(line("office"), zones=("clinical",)).speaks_of(vantage) is spoken_of


# -------------------------------------------------------------------------------------------------- classes of assets


@pytest.mark.parametrize(
    ("to", "belongs"),
    [
        (AssetClass(), True),
        (AssetClass(role=Role.ARCHIVE), True),
        (AssetClass(role=Role.VIEWER), False),
        (AssetClass(site="main-campus"), True),
        (AssetClass(site="main-*"), True),
        (AssetClass(site="Main-*"), False),
        (AssetClass(site="main"), False),
        (AssetClass(zone="clin[i]c?l"), True),
        (AssetClass(zone="clinic"), False),
        (AssetClass(asset="arc-0[1-3]"), True),
        (AssetClass(asset="arc-0[!1]"), False),
        (AssetClass(asset="arc-01\n"), False),
        (AssetClass(asset="*"), True),
        (AssetClass(Role.ARCHIVE, "main-*", "clinical", "arc-*"), True),
        (AssetClass(Role.ARCHIVE, "main-*", "clinical", "us-*"), False),
        (AssetClass(Role.ARCHIVE, "main-*", "office", "arc-*"), False),
        (AssetClass(Role.ARCHIVE, "clinic-*", "clinical", "arc-*"), False),
        (AssetClass(Role.PRINTER, "main-*", "clinical", "arc-*"), False),
    ],
)
def test_all_that_a_class_says_must_be_so(to: AssetClass, belongs: bool) -> None:
    assert matches(to, ARCHIVE) is belongs


def test_an_asset_without_a_zone_is_in_no_named_zone() -> None:
    nowhere = replace(ARCHIVE, zone=None)

    assert not matches(AssetClass(zone="clinical"), nowhere)
    assert not matches(AssetClass(zone="?*"), nowhere)
    assert matches(AssetClass(), nowhere)


# ---------------------------------------------------------------------------------------------------------------- ports


@pytest.mark.parametrize(
    ("spec", "port"),
    [
        ("dicom/11112", 11112),
        ("dicom-tls/2762", 2762),
        ("web/443", 443),
        ("dicomweb/8443", 8443),
        ("tcp/443", 443),
        ("tcp/9999", 9999),
        ("dicom/2762", None),  # DICOM without TLS is not what is declared there
        ("dicom/104", None),
        ("dicomweb/443", None),
        ("ldaps/636", None),
        ("udp/443", None),  # no TCP port
    ],
)
def test_a_service_means_the_port_where_the_asset_declares_it(spec: str, port: int | None) -> None:
    expected = frozenset() if port is None else frozenset({port})

    assert policy(line(may=(spec,))).may_reach(ARCHIVE, "clinical", TODAY) == expected
    assert policy(line(must=(spec,))).must_reach(ARCHIVE, "clinical", TODAY) == expected


def test_what_must_be_reached_may_be_reached_and_not_the_other_way_round() -> None:
    subject = policy(line(must=("dicom-tls/2762",), may=("tcp/443",)))

    assert subject.may_reach(ARCHIVE, "clinical", TODAY) == {443, 2762}
    assert subject.must_reach(ARCHIVE, "clinical", TODAY) == {2762}


def test_lines_add_up() -> None:
    subject = policy(
        line(may=("tcp/443",)),
        line(to=AssetClass(role=Role.ARCHIVE), may=("tcp/104",)),
        line(to=AssetClass(role=Role.VIEWER), may=("tcp/80",)),
        line("internet", may=("tcp/22",)),
    )

    assert subject.may_reach(ARCHIVE, "clinical", TODAY) == {104, 443}


def test_what_is_not_said_must_not_be_reached() -> None:
    assert policy(line("internet")).may_reach(ARCHIVE, "internet", TODAY) == frozenset()
    assert policy(line("internet")).may_reach(ARCHIVE, "clinical", TODAY) == frozenset()


def test_the_policy_of_an_inventory_is_what_its_file_says() -> None:
    path = Path(__file__).parents[2] / "inventories" / "example.yaml"
    inventory = load([path], today=TODAY)
    archive = next(asset for asset in inventory.assets if asset.id == "arc-01")

    subject = Policy.of(inventory)

    assert subject.must_reach(archive, "clinical", TODAY) == {2762}
    assert subject.may_reach(archive, "clinical", TODAY) == {443, 2762, 11112}
    assert subject.may_reach(archive, "administration", TODAY) == {636, 6514}
    assert subject.may_reach(archive, "internet", TODAY) == frozenset()
    assert [subject.speaks_of(zone) for zone in ("clinical", "internet", "local")] == [True, True, False]


_SPECS = st.lists(
    st.sampled_from(["dicom/11112", "dicom/104", "dicom-tls/2762", "tcp/443", "tcp/23", "udp/161", "ldaps/636"]),
    max_size=4,
).map(tuple)
_LINES = st.builds(
    line,
    from_zone=st.sampled_from(["clinical", "internet"]),
    to=st.sampled_from([ANY, AssetClass(role=Role.ARCHIVE), AssetClass(role=Role.VIEWER), AssetClass(asset="us-*")]),
    must=_SPECS,
    may=_SPECS,
    expires=st.sampled_from([None, TODAY, date(2020, 1, 1)]),
)


@given(st.lists(_LINES, max_size=6), _LINES)
def test_no_line_takes_away_what_another_allows(lines: list[Exposure], further: Exposure) -> None:
    before, after = policy(*lines), policy(*lines, further)

    for vantage in ("clinical", "internet"):
        assert before.may_reach(ARCHIVE, vantage, TODAY) <= after.may_reach(ARCHIVE, vantage, TODAY)
        assert after.must_reach(ARCHIVE, vantage, TODAY) <= after.may_reach(ARCHIVE, vantage, TODAY)
        assert after.may_reach(ARCHIVE, vantage, date(2027, 1, 1)) <= after.may_reach(ARCHIVE, vantage, TODAY)


# ------------------------------------------------------------------------------------------------- what a line was


def test_an_allowance_names_its_line_and_its_words() -> None:
    said = line(must=("dicom-tls/2762",), may=("tcp/443", "udp/161", "dicom/104"))

    found = policy(said).allowances(ARCHIVE, "clinical", TODAY)

    assert [(one.port, one.transport, one.access, one.spec) for one in found] == [
        (2762, "tcp", Access.MUST, "dicom-tls/2762"),
        (443, "tcp", Access.MAY, "tcp/443"),
        (161, "udp", Access.MAY, "udp/161"),
    ]
    assert all(one.line is said for one in found)


def test_udp_and_tcp_are_kept_apart() -> None:
    subject = policy(line(must=("udp/161",), may=("tcp/161", "udp/69")))

    assert subject.must_reach(ARCHIVE, "clinical", TODAY) == frozenset()
    assert subject.must_reach(ARCHIVE, "clinical", TODAY, "udp") == {161}
    assert subject.may_reach(ARCHIVE, "clinical", TODAY) == {161}
    assert subject.may_reach(ARCHIVE, "clinical", TODAY, "udp") == {69, 161}


def test_what_only_an_expired_line_allowed_has_lapsed() -> None:
    over = date(2026, 11, 23)
    subject = policy(line(must=("tcp/104",), may=("tcp/443", "udp/161"), expires=over), line(may=("tcp/443",)))

    assert subject.lapsed(ARCHIVE, "clinical", TODAY) == {104}
    assert subject.lapsed(ARCHIVE, "clinical", TODAY, "udp") == {161}
    assert subject.lapsed(ARCHIVE, "clinical", over) == frozenset()
    assert subject.lapsed(ARCHIVE, "internet", TODAY) == frozenset()


def test_a_line_has_expired_from_the_day_after_its_last() -> None:
    assert [has_expired(line(expires=day), TODAY) for day in (None, TODAY, date(2026, 11, 23))] == [False, False, True]


def test_expired_lines_tell_themselves() -> None:
    path = Path(__file__).parents[2] / "inventories" / "example.yaml"
    inventory = load([path], today=TODAY)
    over = Exposure(
        "clinical",
        AssetClass(Role.MODALITY, "main-*"),
        may_reach=("tcp/104",),
        owner="radiology",
        expires=date(2026, 1, 31),
    )

    (told,) = expired(replace(inventory, exposure=(*inventory.exposure, over)), TODAY)

    assert told == (
        "The line of exposure policy from clinical to every modality at main-* (tcp/104) expired on 2026-01-31;"
        " what it allowed is judged as forbidden. Its owner is radiology."
    )
    assert expired(inventory, TODAY) == ()


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (AssetClass(), "every asset"),
        (AssetClass(Role.ARCHIVE), "every archive"),
        (AssetClass(site="main-*", zone="clinical"), "every asset at main-* in clinical"),
        (AssetClass(asset="arc-*"), "arc-*"),
        (AssetClass(Role.VIEWER, "west", "dmz", "vw-01"), "viewer vw-01 at west in dmz"),
    ],
)
def test_a_class_is_described_in_words(to: AssetClass, words: str) -> None:
    assert described(to) == words


def test_the_zones_of_a_policy_are_the_inventorys_and_then_those_of_its_lines() -> None:
    assert policy(line("office"), line("clinical"), zones=("internet", "clinical")).names == (
        "internet",
        "clinical",
        "office",
    )
