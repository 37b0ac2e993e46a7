"""`check` as a guest: what it must not ask is not asked, and reads as unknown; what it may ask it asks as agreed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.live.checking import Run, check, inventory
from tests.live.servers.nginx import Site, filter_ignored, nginx
from tests.live.servers.scp import Event, Scp, scp
from tests.live.servers.scp_child import Behaviour
from tests.live.test_gateway import closed_port

pytestmark = pytest.mark.live


@pytest.fixture
def open_archive() -> Iterator[Scp]:
    with scp(host="127.0.3.1") as running:
        yield running


def dicom(server: Scp) -> dict[str, Any]:
    return {"kind": "dicom", "port": server.port, "ae_title": server.ae_title}


def checked(folder: Path, *assets: dict[str, Any], arguments: tuple[str, ...] = (), **more: Any) -> Run:
    return check(inventory(folder, assets, **more), *arguments)


def hours_around_now() -> str:
    now = datetime.now().astimezone()
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"


@pytest.mark.parametrize("says", ["passive", "quiet hours"])
def test_what_must_be_left_in_peace_is_not_contacted_and_passes_nothing(
    says: str, open_archive: Scp, tmp_path: Path
) -> None:
    manners = {"passive": True} if says == "passive" else {"quiet_hours": hours_around_now()}
    run = checked(
        tmp_path,
        {"id": "shy", "address": open_archive.host, "services": [dicom(open_archive)], "manners": manners},
        defaults={"calling_ae_title": "SECAUDIT", "ports": [open_archive.port]},
    )
    assert run.attempts() == []
    assert open_archive.events() == ()
    (refused,) = run.ledger
    assert refused["event"] == "refused"
    assert says in refused["reason"]
    assert run.status("shy", "archive.open") == "unknown"
    assert {found["status"] for found in run.findings} <= {"unknown", "not_applicable", "pass"}
    # The one rule that judges the inventory alone.
    assert {found["rule"]["id"] for found in run.findings if found["status"] == "pass"} == {"asset.duplicate-address"}
    assert run.summary["assets"]["not_visited"] == 1
    assert run.exit_code == 4


def test_a_passive_asset_beside_others_is_no_news_for_cron_and_no_coverage(open_archive: Scp, tmp_path: Path) -> None:
    service = dicom(open_archive)
    run = checked(
        tmp_path,
        {"id": "seen", "address": open_archive.host, "services": [service]},
        {"id": "shy", "address": "127.0.3.9", "services": [service], "manners": {"passive": True}},
        arguments=("--only", "dicom.unreachable"),
    )
    assert run.exit_code == 0
    assert run.summary["coverage"] == 0.5
    assert "passive, of which nothing was asked: 1" in run.summary["notices"][0]


def test_a_port_that_takes_no_connection_is_knocked_on_once(tmp_path: Path) -> None:
    with closed_port("127.0.3.10") as port:
        run = checked(
            tmp_path,
            {
                "id": "off", "address": "127.0.3.10",
                "services": [
                    {"kind": "dicom-tls", "port": port, "ae_title": "ANY"},
                    {"kind": "web", "url": f"https://127.0.3.10:{port}/"},
                ],
            },
        )  # fmt: skip
    assert len(run.attempts()) == 1
    assert run.statuses("off", "tls.obsolete-protocol") == ["unknown", "unknown"]
    assert run.status("off", "dicom.unreachable") == "fail"
    assert run.exit_code == 4


def test_a_name_that_leads_out_of_the_owned_networks_is_refused_before_the_first_packet(
    open_archive: Scp, tmp_path: Path
) -> None:
    run = checked(
        tmp_path,
        {"id": "strayed", "hostname": "localhost", "services": [dicom(open_archive)]},
        owned_networks=["127.0.3.0/24"],
    )
    assert run.attempts() == []
    assert [line["reason"] for line in run.ledger if line["event"] == "refused"]
    assert open_archive.events() == ()
    assert run.summary["assets"]["refused_by_scope"] == 1
    assert run.status("strayed", "archive.open") == "unknown"
    assert run.exit_code == 4


def test_a_spent_budget_ends_the_questions_and_is_told(open_archive: Scp, tmp_path: Path) -> None:
    run = checked(
        tmp_path,
        {
            "id": "modest", "address": open_archive.host, "services": [dicom(open_archive)],
            "manners": {"max_connections": 2},
        },
        defaults={"calling_ae_title": "SECAUDIT", "ports": [23, 104]},
    )  # fmt: skip
    assert len(run.attempts()) == 2
    assert open_archive.wait_for(Event.DISCONNECTED, times=2).count(Event.CONNECTED) == 2
    assert run.status("modest", "dicom.calling-ae-unchecked") == "fail"
    assert run.status("modest", "exposure.unexpected-open") == "unknown"
    visit = run.observations[-1]["facts"]
    assert any("budget of 2 connections" in gap for gap in visit["gaps"])


def test_every_association_of_a_visit_is_released(open_archive: Scp, tmp_path: Path) -> None:
    run = checked(tmp_path, {"id": "host", "address": open_archive.host, "services": [dicom(open_archive)]})
    events = open_archive.wait_for(Event.DISCONNECTED, times=len(run.attempts()))
    assert events.count(Event.RELEASED) == events.count(Event.ACCEPTED) == 3
    assert Event.ABORTED not in events


def test_two_assets_on_one_address_are_one_device(tmp_path: Path) -> None:
    # It takes one association at a time and rejects a second: who came at the same time would be told so.
    with scp(Behaviour(max_associations=1), host="127.0.3.2") as single:
        run = checked(
            tmp_path,
            {"id": "first", "address": single.host, "services": [dicom(single)]},
            {"id": "second", "address": single.host, "services": [dicom(single)]},
        )
        attempts = len(run.attempts())
        events = single.wait_for(Event.DISCONNECTED, times=attempts)
    open_now = most = 0
    for event in events:
        open_now += {Event.CONNECTED: 1, Event.DISCONNECTED: -1}.get(event, 0)
        most = max(most, open_now)
    assert most == 1
    assert Event.REJECTED not in events
    assert run.status("first", "dicom.anonymous-query") == run.status("second", "dicom.anonymous-query") == "fail"
    assert run.status("first", "asset.duplicate-address") == "fail"


def test_a_dicomweb_question_answered_with_data_is_not_asked_of_the_asset_again(tmp_path: Path) -> None:
    with nginx(filter_ignored(), host="127.0.3.3") as server:
        roots = [
            {"kind": "dicomweb", "url": f"{server.url}/dicom-web"},
            {"kind": "dicomweb", "url": f"{server.url}/pacs"},
        ]
        run = checked(tmp_path, {"id": "leaky", "address": server.host, "services": roots})
        assert len(server.requests(1)) == 1
    assert run.statuses("leaky", "web.archive-open") == ["fail", "unknown"]
    assert run.status("leaky", "archive.open") == "fail"
    assert run.markers() == {}


def test_a_device_that_answers_with_data_is_asked_once_however_many_assets_it_is(tmp_path: Path) -> None:
    with (
        scp(Behaviour(stream_bytes=50_000), host="127.0.3.5") as leaky,
        nginx(filter_ignored(), host="127.0.3.5") as web,
    ):
        services = [dicom(leaky), {"kind": "dicomweb", "url": f"{web.url}/dicom-web"}]
        run = checked(
            tmp_path,
            {"id": "first", "address": leaky.host, "services": services},
            {"id": "second", "address": leaky.host, "services": services},
        )
        assert leaky.wait_for(Event.DISCONNECTED, times=3).count(Event.FIND) == 1
        assert len(web.requests(1)) == 1
    asked = [line["purpose"] for line in run.attempts()]
    assert (asked.count("dicom canary"), asked.count("dicomweb canary")) == (1, 1)
    refused = {line["purpose"]: line["reason"] for line in run.ledger if line["event"] == "refused"}
    assert set(refused.values()) == {"the device has answered this question with data before"}
    assert set(refused) == {"dicom canary", "dicomweb canary"}
    assert "fail" in {*run.statuses("first", "archive.open"), *run.statuses("second", "archive.open")}
    assert run.markers() == {}


def test_a_busy_device_is_left_in_peace_by_every_question(tmp_path: Path) -> None:
    host = "127.0.3.6"
    with scp(Behaviour(reject=(2, 3, 2)), host=host) as full, nginx(Site("return 503;", {}), host=host) as overloaded:
        roots = [{"kind": "dicomweb", "url": f"{overloaded.url}/{name}"} for name in ("one", "two", "three")]
        run = checked(
            tmp_path,
            {"id": "first", "address": host, "services": [dicom(full), *roots]},
            {"id": "second", "address": host, "services": [dicom(full)]},
        )
        assert full.wait_for(Event.DISCONNECTED, times=2).count(Event.REJECTED) == 2
        assert len(overloaded.requests(2)) == 2
    times = [datetime.fromisoformat(line["time"]) for line in run.attempts()]
    assert len(times) == 4
    # Twenty gaps of 50 ms, from each busy answer on.
    assert all(later - earlier >= timedelta(seconds=0.99) for earlier, later in pairwise(times))
    assert {found["status"] for found in run.findings if found["rule"]["id"] == "archive.open"} == {"unknown"}
    assert any("said 2 times that it is busy" in gap for gap in run.observations[-1]["facts"]["gaps"])


def test_the_vantage_is_part_of_every_finding_and_raises_severity(open_archive: Scp, tmp_path: Path) -> None:
    archive = {"id": "arc", "address": open_archive.host, "services": [dicom(open_archive)], "zone": "local"}
    inside = checked(tmp_path, archive, arguments=("--vantage", "local"))
    outside = checked(tmp_path, archive, arguments=("--vantage", "internet"))
    ids = [{found["finding_id"] for found in run.findings} for run in (inside, outside)]
    assert ids[0].isdisjoint(ids[1])
    for run, severity in ((inside, "medium"), (outside, "high")):
        (found,) = [item for item in run.findings if item["rule"]["id"] == "dicom.cleartext"]
        assert found["severity"] == severity
        assert found["vantage"] == run.summary["vantage"]


def test_drift_against_the_last_run(tmp_path: Path) -> None:
    with scp(host="127.0.3.4") as server:
        asset = {"id": "arc", "address": server.host, "services": [dicom(server)]}
        first = checked(tmp_path, asset)
        second = checked(tmp_path, asset)
    third = checked(tmp_path, asset)

    def drift(run: Run) -> str:
        (found,) = [item for item in run.findings if item["rule"]["id"] == "dicom.anonymous-query"]
        return f"{found['status']} {found['drift']}"

    assert drift(first) == "fail new"
    assert drift(second) == "fail persisting"
    # It is switched off: that resolves nothing.
    assert drift(third) == "unknown persisting"
    assert second.summary["baseline"] == first.summary["run_id"]


def test_only_new_failures_fail_where_that_is_asked(open_archive: Scp, tmp_path: Path) -> None:
    asset = {"id": "arc", "address": open_archive.host, "services": [dicom(open_archive)]}
    assert checked(tmp_path, asset, arguments=("--fail-on-new",)).exit_code == 3
    assert checked(tmp_path, asset, arguments=("--fail-on-new",)).exit_code == 0
    assert checked(tmp_path, asset).exit_code == 3
    assert checked(tmp_path, asset, arguments=("--only", "dicom.cleartext")).exit_code == 0
    assert checked(tmp_path, asset, arguments=("--only", "dicom.cleartext", "--fail-on", "medium")).exit_code == 3
