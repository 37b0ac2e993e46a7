"""`check` where a visit ends early or may not go everywhere: what was not asked is told, and nothing of it passes."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from checker.engine.visit import Visit
from checker.introduction import Introduction
from checker.model import NameFacts, Observation, Service, ServiceKind, Severity, Status
from checker.net.http import HttpDoor
from checker.policy import Policy
from checker.rules import catalogue
from checker.rules.base import Case
from checker.rules.cases import service_cases
from checker.summary import Tally, exit_code
from tests.faults.servers import Fault, hostile
from tests.live.checking import Run, check, command, environment, inventory
from tests.live.doors import Door, asset
from tests.live.servers.scp import CALLERS_REGISTERED, scp

pytestmark = pytest.mark.live

_NEVER_REACHED = [21, 23]


def _asset(host: str, *services: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "asset", "address": host, "services": list(services), **more}


def _dicom(port: int) -> dict[str, Any]:
    return {"kind": "dicom", "port": port, "ae_title": "ANY"}


def test_what_an_interrupted_visit_did_not_come_to_is_recorded_as_not_asked(tmp_path: Path) -> None:
    host = "127.0.1.205"
    with hostile(Fault.SILENT, host=host) as silent:
        path = inventory(
            tmp_path,
            [_asset(host, _dicom(silent.port), {"kind": "dicomweb", "url": f"http://{host}:8042/dicom-web"})],
            defaults={"calling_ae_title": "SECAUDIT", "ports": _NEVER_REACHED},
        )
        output = tmp_path / "reports"
        child = subprocess.Popen(
            command("check", path, "--output", output),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 30
            while silent.connections == 0:
                assert child.poll() is None, "it ended before it was interrupted"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=20)
        finally:
            child.kill()
            child.wait()
    run = Run((output / "latest").resolve(), child.returncode, out, err)
    states = {item["port"]: item["facts"]["state"] for item in run.observations if item["facts"]["type"] == "port"}
    assert states == {silent.port: "open", 8042: "not-asked"} | dict.fromkeys(_NEVER_REACHED, "not-asked")
    assert run.status("asset", "exposure.unexpected-open") == "unknown"
    assert run.status("asset", "archive.open") == "unknown"
    assert [item["facts"]["type"] for item in run.observations][-1] == "visit"


@pytest.mark.asyncio
async def test_an_address_of_a_name_that_the_scope_refuses_is_no_shut_door(monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked_up(hostname: str) -> tuple[NameFacts, str]:
        return NameFacts(hostname=hostname, addresses=("127.0.0.1", "203.0.113.5")), "resolved"

    monkeypatch.setattr("checker.net.gateway._look_up", looked_up)
    seen: list[Observation] = []
    web = HttpDoor("synthetic")
    with scp(CALLERS_REGISTERED, host="127.0.0.1") as server:
        named = asset("a", (), hostname="two.example.org", services=[Service(ServiceKind.DICOM, server.port, "ANY")])
        door = Door(named, owned=("127.0.0.0/8",))
        await Visit(
            door.device(), scope=door.gateway.scope, door=web, introduction=Introduction("SECAUDIT", "synthetic"),
            vantage="local", ports=(), clock=door.gateway.clock, record=seen.append,
        ).run()  # fmt: skip
    await web.aclose()
    assert {item.address for item in seen} == {"", "127.0.0.1"}
    whole = Case(named, "local", door.today, Policy(), seen=tuple(seen), asset_seen=tuple(seen))
    rules = {entry.id: entry.rule for entry in catalogue()}
    query = rules["dicom.anonymous-query"]
    assert {case.address: query.judge(case).status for case in service_cases(whole)} == {
        "127.0.0.1": Status.PASS,
        "203.0.113.5": Status.UNKNOWN,
    }
    assert rules["archive.open"].judge(whole).status is Status.UNKNOWN
    counted = Tally()
    counted.add(named, seen, ())
    code, reasons = exit_code(counted.outcome(visit_errors=0, interrupted=None), Severity.HIGH, fail_on_new=False)
    assert (code, reasons) == (4, ("Of 1 visited asset the scope refused an address.",))


def test_a_budget_of_two_is_enough_to_find_an_archive_open(tmp_path: Path) -> None:
    with scp() as server:
        tight = _asset(server.host, _dicom(server.port), manners={"max_connections": 2})
        run = check(inventory(tmp_path, [tight]), "--fail-on", "critical")
    assert run.status("asset", "archive.open") == "fail"
    assert run.status("asset", "dicom.called-ae-unchecked") == "unknown"
    assert run.exit_code == 3


def test_a_budget_that_ends_before_the_canary_is_not_clean(tmp_path: Path) -> None:
    with scp() as server:
        tight = _asset(server.host, _dicom(server.port), manners={"max_connections": 1})
        run = check(inventory(tmp_path, [tight]), "--fail-on", "critical")
    assert run.status("asset", "archive.open") == "unknown"
    assert run.exit_code == 4
    assert run.summary["reasons"] == ["1 service was not asked all that tells who is let in."]


def test_a_name_that_is_not_resolved_was_not_refused_by_the_scope(tmp_path: Path) -> None:
    lost = {"id": "asset", "hostname": "no-such-host.invalid", "services": [_dicom(11112)]}
    run = check(inventory(tmp_path, [lost]))
    assert (run.summary["assets"]["refused_by_scope"], run.summary["assets"]["not_visited"]) == (0, 1)
    assert run.exit_code == 4
