"""The main job on the simulated hospital: every status word against what each asset really is, on both event loops."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from checker.cli.main import run as run_command
from checker.demo import Hospital, hospital
from checker.demo.studies import STUDIES
from checker.inventory import load
from checker.plan import chosen_ports, plan_run
from checker.rules import catalogue
from tests.live.checking import Run, check, command, environment
from tests.live.servers.process import ROOT
from tests.live.test_demo_hospital import own_network
from tests.network_watch import NetworkWatch

pytestmark = pytest.mark.live

SCHEMAS = ROOT / "checker" / "catalog" / "schemas"

# What each asset really is (checker/demo/assets.py), rule by rule. "-" is not_applicable.
DICOM = (
    "dicom.cleartext", "dicom.tls-expected", "dicom.calling-ae-unchecked", "dicom.called-ae-unchecked",
    "dicom.anonymous-query", "dicom.retrieve-offered", "dicom.store-offered", "dicom.ae-title-mismatch",
    "dicom.unreachable",
)  # fmt: skip
DICOM_TRUTH = {
    "arc-open":         "fail - fail fail fail fail fail pass pass",
    # Strangers get 1/1/3, so what the service would say to a wrong title, or to its own, stays unseen.
    "arc-checked":      "fail - pass unknown pass pass pass unknown pass",
    "arc-tls-expired":  "pass pass fail fail fail fail pass pass pass",
    "arc-mtls":         "pass pass pass pass pass pass pass unknown pass",
    "arc-called":       "fail - fail pass fail fail pass pass pass",
    "arc-norights":     "fail - fail fail pass fail pass pass pass",
    # Nothing more is asked after an answer with data, so what it would say to a wrong title stays unseen.
    "arc-ignores-keys": "fail - fail unknown fail pass pass pass pass",
    "mod-ct-single":    "fail - fail fail pass pass pass pass pass",
    "mod-old-tls":      "pass pass fail fail pass pass pass pass pass",
    "ws-1":             "fail - fail fail pass pass fail pass pass",
    "gw-off":           "unknown - unknown unknown unknown unknown unknown unknown fail",
}  # fmt: skip
TLS = (
    "tls.obsolete-protocol", "tls.modern-protocol-missing", "tls.certificate-expired", "tls.certificate-expiring",
    "tls.certificate-name", "tls.certificate-untrusted", "tls.certificate-weak",
)  # fmt: skip
TLS_TRUTH = {
    # The hospital's own authority is in no system's trust store.
    "arc-checked":     "pass pass pass pass pass fail pass",
    # An expired certificate is no longer about to expire.
    "arc-tls-expired": "pass pass fail - pass fail pass",
    "arc-mtls":        "pass pass pass pass pass fail pass",
    "viewer-login":    "pass pass pass pass pass fail pass",
    "viewer-spa":      "pass pass pass pass pass fail pass",
    "mod-old-tls":     "fail pass pass pass fail fail pass",
}  # fmt: skip
ARCHIVE_OPEN = {
    "arc-open": "fail", "arc-checked": "pass", "arc-tls-expired": "fail", "arc-mtls": "pass", "arc-called": "fail",
    "arc-norights": "pass", "arc-ignores-keys": "fail", "viewer-login": "pass", "viewer-open": "fail",
    "viewer-spa": "pass", "mod-ct-single": "pass", "mod-old-tls": "pass", "ws-1": "pass", "gw-off": "unknown",
}  # fmt: skip
WEB_TRUTH = {
    ("arc-open", "web.archive-open"): ["fail"],
    ("arc-open", "web.cleartext"): ["fail"],
    ("arc-checked", "web.archive-open"): ["pass"],
    ("viewer-open", "web.archive-open"): ["fail", "not_applicable"],
    ("viewer-open", "web.viewer-unauthenticated"): ["fail"],
    ("viewer-open", "web.cleartext"): ["fail", "fail"],
    ("viewer-open", "web.cookie-flags"): ["fail", "not_applicable"],
    ("viewer-login", "web.viewer-unauthenticated"): ["pass"],
    ("viewer-login", "web.hsts-missing"): ["pass"],
    ("viewer-spa", "web.archive-open"): ["pass", "not_applicable"],
    ("viewer-spa", "web.viewer-unauthenticated"): ["pass"],
}
OTHERS = {
    ("ws-1", "exposure.unexpected-open"): "fail",
    ("ws-1", "exposure.remote-administration"): "fail",
    ("gw-off", "exposure.must-reach-broken"): "fail",
    ("viewer-login", "exposure.must-reach-broken"): "pass",
    ("viewer-login", "tls.certificate-shared-key"): "fail",
    ("viewer-spa", "tls.certificate-shared-key"): "fail",
    ("arc-checked", "tls.certificate-shared-key"): "pass",
    ("arc-mtls", "tls.client-certificate-optional"): "pass",
    # The short list of ports of the demo leaves most ports of administration unasked.
    ("arc-open", "exposure.remote-administration"): "unknown",
    ("arc-open", "exposure.unexpected-open"): "pass",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Hospital]:
    with hospital(own_network(1)) as started:
        yield started


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest, running: Hospital, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo")
    inventory = folder / "demo.yaml"
    inventory.write_text(running.inventory.read_text())
    return check(inventory, PACS_CHECKER_LOOP=str(request.param))


def spelled(run: Run, asset: str, rules: tuple[str, ...]) -> str:
    return " ".join(
        "+".join(sorted({"-" if status == "not_applicable" else status for status in run.statuses(asset, rule)}))
        for rule in rules
    )


@pytest.mark.parametrize("asset", DICOM_TRUTH)
def test_dicom_is_judged_as_it_is(run: Run, asset: str) -> None:
    assert spelled(run, asset, DICOM) == DICOM_TRUTH[asset]


@pytest.mark.parametrize("asset", TLS_TRUTH)
def test_tls_is_judged_as_it_is(run: Run, asset: str) -> None:
    assert spelled(run, asset, TLS) == TLS_TRUTH[asset]


def test_every_archive_is_judged_as_it_is(run: Run) -> None:
    assert {asset: run.status(asset, "archive.open") for asset in ARCHIVE_OPEN} == ARCHIVE_OPEN
    assert set(run.summary["open_archives"]) == {asset for asset, status in ARCHIVE_OPEN.items() if status == "fail"}


def test_web_is_judged_as_it_is(run: Run) -> None:
    assert {key: run.statuses(*key) for key in WEB_TRUTH} == WEB_TRUTH


def test_exposure_and_the_fleet_are_judged_as_they_are(run: Run) -> None:
    assert {key: run.status(*key) for key in OTHERS} == OTHERS


def test_every_rule_judged_every_asset(run: Run) -> None:
    judged = {(found["asset"]["id"], found["rule"]["id"]) for found in run.findings}
    assert judged == {(asset, entry.id) for asset in ARCHIVE_OPEN for entry in catalogue()}
    assert len({found["finding_id"] for found in run.findings}) == len(run.findings)


def test_the_exit_code_and_its_reasons(run: Run) -> None:
    assert run.exit_code == run.summary["exit_code"] == 3
    assert len(run.summary["reasons"]) == 2  # failures, and the gateway that is switched off
    assert run.summary["coverage"] == pytest.approx(17 / 18, abs=0.01)
    assert run.summary["errors"] == []


def test_the_open_archives_come_first_and_the_folder_last(run: Run) -> None:
    assert [found["rule"]["id"] for found in run.findings[:5]] == ["archive.open"] * 5
    first, last = run.out.splitlines()[0], run.out.splitlines()[-1]
    assert first.startswith("5 assets could be searched or downloaded by anyone at local: arc-called")
    assert last == f"Stored in {run.folder}"
    assert max(len(line) for line in run.out.splitlines()[:-1]) <= 100
    assert "\x1b" not in run.out
    assert run.err == ""


def test_a_waiver_annotates_and_hides_nothing(run: Run) -> None:
    (found,) = [
        item
        for item in run.findings
        if (item["asset"]["id"], item["rule"]["id"]) == ("mod-ct-single", "dicom.cleartext")
    ]
    assert found["status"] == "fail"
    assert found["waiver"]["owner"] == "radiology"
    assert sum(item["waiver"] is not None for item in run.findings) == 1


# -------------------------------------------------------------------------------------------------- files and manners


def test_the_run_is_whole_and_valid(run: Run) -> None:
    names = {path.name for path in run.folder.iterdir()}
    assert {"run.json", "findings.json", "findings.jsonl", "observations.jsonl", "ledger.jsonl"} <= names
    assert re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-local-[0-9a-f]{4}", run.folder.name)
    assert [path.name for path in run.folder.parent.iterdir() if path.name.startswith(".")] == []
    run_schema = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "run.schema.json").read_bytes()))
    finding_schema = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "finding.schema.json").read_bytes()))
    run_schema.validate(run.summary)
    whole = json.loads((run.folder / "findings.json").read_bytes())
    assert whole == {"run": run.summary, "findings": run.findings}
    for found in run.findings:
        finding_schema.validate(found)


def test_nothing_of_any_patient_is_in_the_run(run: Run) -> None:
    secrets = [
        study.values[keyword].encode()
        for study in STUDIES
        for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "StudyDescription")
    ]
    contents = [path.read_bytes() for path in run.folder.iterdir()] + [run.out.encode(), run.err.encode()]
    assert not [secret for secret in secrets for content in contents if secret in content]
    # The cookies that the web servers set are named, and their values are not kept.
    assert not [content for content in contents if b"VIEWERSESSION=" in content or b"JSESSIONID=" in content]


def test_the_ledger_shows_that_only_what_was_planned_was_asked(run: Run, running: Hospital) -> None:
    from datetime import date

    inventory = load([running.inventory], today=date(2026, 11, 24))
    plan = plan_run(
        inventory, inventory.assets, ports=chosen_ports(None, inventory), today=date(2026, 11, 24), concurrency=500
    )
    for asset in plan.assets:
        planned = {(step.address, step.port) for step in asset.steps}
        asked = [(line["address"], line["port"]) for line in run.attempts(asset.asset_id)]
        assert set(asked) == planned, asset.asset_id
        assert len(asked) <= asset.connections, asset.asset_id
    assert len(run.attempts()) == run.summary["connections"]


def test_one_connection_at_a_time_with_its_gap(run: Run) -> None:
    gaps = {"mod-ct-single": 0.2}
    for asset in ARCHIVE_OPEN:
        own = [line for line in run.ledger if line["asset"] == asset and line["event"] in ("attempt", "outcome")]
        assert [line["event"] for line in own] == ["attempt", "outcome"] * (len(own) // 2)
        assert [line["n"] for line in own[::2]] == [line["n"] for line in own[1::2]]
        for ended, begun in zip(own[1:-1:2], own[2::2], strict=True):
            # The ledger's clock is of milliseconds.
            assert seconds(begun["time"]) - seconds(ended["time"]) >= gaps.get(asset, 0.05) - 0.002


def seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_a_query_that_was_answered_with_data_is_asked_once(run: Run) -> None:
    canaries = [
        item["facts"]
        for item in run.observations
        if item["asset_id"] == "arc-ignores-keys" and item["facts"].get("purpose") == "canary"
    ]
    assert [facts["query"] for facts in canaries] == ["key-ignored"]
    assert canaries[0]["released"] is False


# --------------------------------------------------------------------------------------------------------- judge


def test_judging_again_gives_the_same_findings_and_sends_nothing(run: Run, only_the_gateway: NetworkWatch) -> None:
    output = run.folder.parent
    assert run_command(["judge", str(run.folder), "--output", str(output), "--quiet"]) == run.exit_code
    again = Run((output / "latest").resolve(), 3, "", "")
    assert again.folder != run.folder
    assert again.summary["judged_from"] == run.summary["run_id"]
    assert [item | {"run_id": ""} for item in again.findings] == [item | {"run_id": ""} for item in run.findings]
    assert (again.folder / "ledger.jsonl").read_bytes() == (run.folder / "ledger.jsonl").read_bytes()
    assert only_the_gateway.passed == []


def test_judging_again_by_another_day_and_policy(run: Run, tmp_path: Path) -> None:
    text = (run.folder.parent.parent / "demo.yaml").read_text()
    other = tmp_path / "other.yaml"
    other.write_text(
        text.replace(
            "to: {role: workstation}\n    may_reach: [dicom/11112]",
            "to: {role: workstation}\n    may_reach: [dicom/11112, tcp/1521]",
        )
    )
    output = run.folder.parent
    run_command(
        [
            "judge",
            run.folder.name,
            "--output",
            str(output),
            "--inventory",
            str(other),
            "--date",
            "2050-01-01",
            "--quiet",
        ]
    )
    again = Run((output / "latest").resolve(), 0, "", "")
    assert again.status("ws-1", "exposure.unexpected-open") == "pass"
    assert again.status("arc-mtls", "tls.certificate-expired") == "fail"
    # Policy allows the only one that was open, and most others were not asked.
    assert again.status("ws-1", "exposure.remote-administration") == "unknown"


# ---------------------------------------------------------------------------------------------- in this process


def test_nothing_but_the_gateway_touches_the_network(
    running: Hospital, tmp_path: Path, only_the_gateway: NetworkWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stock asyncio, for uvloop's own calls are in C and cannot be watched.
    monkeypatch.setenv("PACS_CHECKER_LOOP", "asyncio")
    assert run_command(["check", str(running.inventory), "--output", str(tmp_path), "--quiet"]) == 3
    summary = json.loads((tmp_path / "latest" / "run.json").read_bytes())
    assert len(only_the_gateway.passed) == summary["connections"] > 100
    assert set(only_the_gateway.passed) == {"socket.connect_ex"}


def test_the_demo_command_ends_as_a_check_does(tmp_path: Path) -> None:
    done = subprocess.run(
        command("demo", "--output", tmp_path / "reports"),
        capture_output=True, text=True, timeout=60, env=environment(), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "simulated hospital of 14 assets" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("Stored in ")
    summary = json.loads((tmp_path / "reports" / "latest" / "run.json").read_bytes())
    assert summary["duration_s"] < 30
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
