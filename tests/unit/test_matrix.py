"""Who may reach what, as it is printed before anything is sent: the policy, for single assets and for classes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from checker.cli.main import run as main
from checker.matrix import ANY_ZONE, ANYTHING, MOST_SINGLE, Reach, who_may_reach
from checker.model import Asset, AssetClass, Exposure, Role, Zone
from checker.policy import Access, Policy
from checker.rules.examples import archive, asset, dicom_service, dicom_tls_service, web_service

TODAY = date(2026, 11, 24)
EXAMPLE = Path(__file__).parents[2] / "inventories" / "example.yaml"
TO_ARCHIVES = Exposure(
    "clinical",
    AssetClass(Role.ARCHIVE),
    must_reach=("dicom-tls/2762",),
    may_reach=("tcp/443", "udp/161"),
    reason="Modalities send.",
    owner="imaging-it",
    expires=date(2027, 6, 30),
)
ARCHIVE = archive(dicom_service(), dicom_tls_service())


def policy(*lines: Exposure, zones: tuple[str, ...] = ("clinical", "guest")) -> Policy:
    return Policy(tuple(Zone(zone) for zone in zones), lines)


def told(rows: tuple[Reach, ...]) -> list[tuple[str, str, str, tuple[str, ...], str]]:
    return [(row.zone, row.to, row.access.value, row.services, row.why) for row in rows]


def test_each_zone_says_what_it_must_may_and_must_not_reach() -> None:
    why = "Modalities send. Owner: imaging-it. Until 2027-06-30."

    assert told(who_may_reach(policy(TO_ARCHIVES), [ARCHIVE], TODAY)) == [
        ("clinical", "synthetic-01", "must", ("dicom-tls/2762",), why),
        ("clinical", "synthetic-01", "may", ("tcp/443", "udp/161"), why),
        ("clinical", "synthetic-01", "must not", ("dicom/11112",), "No line allows it."),
        ("guest", "synthetic-01", "must not", ("dicom/11112", "dicom-tls/2762"), "No line allows it."),
    ]


def test_a_service_that_is_not_declared_is_not_in_it() -> None:
    plain = archive(dicom_service())
    rows = who_may_reach(policy(TO_ARCHIVES, zones=("clinical",)), [plain], TODAY)

    assert [row.services for row in rows] == [("tcp/443", "udp/161"), ("dicom/11112",)]


def test_a_line_that_has_expired_is_told() -> None:
    over = replace(TO_ARCHIVES, expires=date(2026, 11, 23))

    assert told(who_may_reach(policy(over, zones=("clinical",)), [ARCHIVE], TODAY)) == [
        ("clinical", "synthetic-01", "must not", ("dicom/11112",), "No line allows it."),
        (
            "clinical",
            "synthetic-01",
            "must not",
            ("dicom-tls/2762",),
            "The line that allowed it expired on 2026-11-23.",
        ),
    ]


def test_an_asset_without_services_must_not_be_reached_at_all() -> None:
    (row,) = who_may_reach(policy(replace(TO_ARCHIVES, from_zone="guest"), zones=("clinical",)), [asset()], TODAY)[:1]

    assert (row.zone, row.access, row.services) == ("clinical", Access.MUST_NOT, (ANYTHING,))


def test_without_a_policy_the_declared_services_are_allowed() -> None:
    rows = who_may_reach(Policy(), [ARCHIVE], TODAY)

    assert [(row.zone, row.access, row.services) for row in rows] == [
        (ANY_ZONE, Access.MAY, ("dicom/11112", "dicom-tls/2762"))
    ]


def fleet(number: int) -> list[Asset]:
    """So many assets of two roles at three sites; every tenth archive has no TLS."""
    found = []
    for index in range(number):
        role = Role.ARCHIVE if index % 2 else Role.VIEWER
        services = (web_service(),) if role is Role.VIEWER else (dicom_service(), dicom_tls_service())
        one = asset(*(services[:1] if index % 20 == 1 else services), role=role, id=f"a-{index:04}")
        found.append(replace(one, site=f"site-{index % 3}"))
    return found


def test_many_assets_are_told_by_their_classes_and_none_is_lost() -> None:
    assets = fleet(600)

    rows = who_may_reach(policy(TO_ARCHIVES), assets, TODAY)

    assert len(rows) < 12
    assert {row.to for row in rows} == {
        "archive at site-0, site-1, site-2",
        "viewer at site-0, site-1, site-2",
    }
    (must,) = (row for row in rows if row.zone == "clinical" and row.access is Access.MUST)
    # Those without the service are not among them, and the row says of how many it speaks.
    assert (len(must.assets), must.of) == (300 - 30, 300)
    seen = {one for row in rows if row.zone == "guest" for one in row.assets}
    assert seen == {one.id for one in assets}


def test_a_site_of_which_something_else_is_said_has_a_row_of_its_own() -> None:
    only_one = replace(TO_ARCHIVES, to=AssetClass(Role.ARCHIVE, "site-1"), reason="Only here.")

    rows = who_may_reach(policy(only_one, zones=("clinical",)), fleet(600), TODAY)

    may = [(row.to, row.services) for row in rows if row.access is Access.MAY]
    assert may == [("archive at site-1", ("tcp/443", "udp/161"))]
    shut = {(row.to, row.services) for row in rows if row.access is Access.MUST_NOT}
    assert ("archive at site-0, site-2", ("dicom-tls/2762",)) in shut
    assert ("archive at site-0, site-1, site-2", ("dicom/11112",)) in shut


def test_many_sites_are_counted() -> None:
    spread = [replace(one, site=f"site-{number:02}") for number, one in enumerate(fleet(60))]

    assert {row.to for row in who_may_reach(policy(TO_ARCHIVES), spread, TODAY)} >= {"viewer at 30 sites"}


def test_up_to_a_bound_each_asset_stands_for_itself() -> None:
    assets = fleet(MOST_SINGLE)
    assert {row.to for row in who_may_reach(policy(TO_ARCHIVES), assets, TODAY)} == {one.id for one in assets}


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_prints_it_within_a_hundred_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)

    assert main(["plan", str(EXAMPLE), "--matrix"]) == 0

    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert all(word in out for word in ("From", "To", "Access", "Services", "Why", "must not", "Nothing was sent."))
    assert "Referring physicians read" in out
    assert "\x1b" not in out


def test_the_command_gives_it_as_json_beside_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(EXAMPLE), "--matrix", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    (row,) = (row for row in document["matrix"] if (row["from"], row["to"]) == ("internet", "vw-01"))
    assert row == {
        "from": "internet",
        "to": "vw-01",
        "assets": ["vw-01"],
        "access": "may",
        "services": ["web/443"],
        "why": "Referring physicians read from their practices. Owner: imaging-it.",
        "reason": "Referring physicians read from their practices.",
        "owner": "imaging-it",
        "expires": None,
    }
    assert document["assets"]


def test_without_the_option_the_plan_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(EXAMPLE), "--json"]) == 0
    assert "matrix" not in json.loads(capsys.readouterr().out)


def test_an_expired_line_is_a_notice(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(
        "version: 1\n"
        "authorization: {owner: a, reference: b, expires: 2099-12-31}\n"
        "owned_networks: [10.20.0.0/16]\n"
        "zones: [{name: local}]\n"
        "exposure: [{from: local, to: {role: archive}, may_reach: [tcp/443], owner: radiology, expires: 2020-01-31}]\n"
        "assets: [{id: a, address: 10.20.1.5, role: archive, services: [{kind: dicom, port: 104}]}]\n"
    )

    assert main(["plan", str(path)]) == 0

    assert "Notice: The line of exposure policy from local to every archive (tcp/443) expired on 2020-01-31" in (
        capsys.readouterr().err
    )
