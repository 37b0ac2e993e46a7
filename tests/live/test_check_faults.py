"""`check` among peers that close, reset, stay silent, send garbage, drip or never end: each gets its right status in
time, and the visits of all others go on.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.servers import Fault, Peer, hostile
from tests.live.checking import Run, check, command, environment, inventory, lines
from tests.live.servers.scp import scp

pytestmark = pytest.mark.live

LOOPS = ("uvloop", "asyncio")


def at(number: int) -> str:
    return f"127.0.1.{number}"


KINDS = ("dicom", "dicom-tls", "dicomweb")


def declared(kind: str, port: int, host: str) -> dict[str, Any]:
    if kind == "dicomweb":
        return {"kind": kind, "url": f"http://{host}:{port}/dicom-web"}
    return {"kind": kind, "port": port, "ae_title": "HOSTILE"}


@pytest.fixture(scope="module", params=LOOPS)
def besieged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, dict[str, Peer]]]:
    """Every hostile peer as each kind of service, each at an address of its own, and one good device among them."""
    folder = tmp_path_factory.mktemp("besieged")
    assets: list[Mapping[str, Any]] = []
    peers: dict[str, Peer] = {}
    with ExitStack() as stack:
        number = 0
        for fault in Fault:
            # A device that falls silent is left alone, so one peer is three devices, each at an address of its own.
            peer = stack.enter_context(hostile(fault, interval_s=0.5, host="0.0.0.0"))
            for kind in KINDS:
                number += 1
                asset = f"{fault.value}-{kind}"
                peers[asset] = peer
                assets.append({"id": asset, "address": at(number), "services": [declared(kind, peer.port, at(number))]})
        good = stack.enter_context(scp(host=at(200)))
        assets.append(
            {
                "id": "good",
                "address": good.host,
                "services": [{"kind": "dicom", "port": good.port, "ae_title": good.ae_title}],
            }
        )
        started = time.monotonic()
        run = check(inventory(folder, assets), PACS_CHECKER_LOOP=str(request.param))
        assert time.monotonic() - started < 80
        yield run, peers


def test_the_good_device_is_fully_checked(besieged: tuple[Run, dict[str, Peer]]) -> None:
    run, _ = besieged
    assert run.status("good", "dicom.calling-ae-unchecked") == "fail"
    assert run.status("good", "dicom.cleartext") == "fail"
    assert run.status("good", "dicom.unreachable") == "pass"


def test_no_hostile_peer_passes_what_it_did_not_show(besieged: tuple[Run, dict[str, Peer]]) -> None:
    run, peers = besieged
    about_access = {
        "archive.open", "dicom.calling-ae-unchecked", "dicom.called-ae-unchecked", "dicom.anonymous-query",
        "dicom.retrieve-offered", "dicom.store-offered", "web.archive-open", "dicom.ae-title-mismatch",
        "tls.obsolete-protocol", "tls.certificate-expired", "tls.certificate-untrusted",
    }  # fmt: skip
    wrong = [
        (found["asset"]["id"], found["rule"]["id"], found["status"])
        for found in run.findings
        if found["asset"]["id"] in peers
        and found["rule"]["id"] in about_access
        and found["status"] not in ("unknown", "not_applicable")
    ]
    assert wrong == []


def test_no_visit_broke_off(besieged: tuple[Run, dict[str, Peer]]) -> None:
    run, peers = besieged
    assert run.summary["errors"] == []
    assert run.summary["assets"]["visited"] == len(peers) + 1
    assert [found for found in run.findings if found["status"] == "error"] == []
    assert run.exit_code == 3  # the good device serves strangers
    assert [reason for reason in run.summary["reasons"] if "gave no answer" in reason]


def test_every_attempt_in_the_ledger_has_its_outcome(besieged: tuple[Run, dict[str, Peer]]) -> None:
    run, _ = besieged
    ended = {line["n"] for line in run.ledger if line["event"] == "outcome"}
    assert {line["n"] for line in run.ledger if line["event"] == "attempt"} == ended


def test_a_flood_is_not_taken_in(besieged: tuple[Run, dict[str, Peer]]) -> None:
    run, peers = besieged
    for asset in peers:
        received = sum(
            line["bytes_received"] for line in run.ledger if line["asset"] == asset and line["event"] == "outcome"
        )
        assert received < 512 * 1024, asset


def test_one_connection_at_a_time_as_the_peers_saw_it(besieged: tuple[Run, dict[str, Peer]]) -> None:
    _, peers = besieged
    # Each peer is three devices.
    assert {peer.most_at_once for peer in peers.values()} <= {0, 1, 2, 3}


# --------------------------------------------------------------------------------------------------- interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_signal_ends_the_run_cleanly_with_what_was_learnt(tmp_path: Path, number: signal.Signals, loop: str) -> None:
    with hostile(Fault.SILENT, host=at(201)) as silent, scp(host=at(202)) as good:
        assets: list[Mapping[str, Any]] = [
            {"id": "good", "address": good.host, "services": [{"kind": "dicom", "port": good.port, "ae_title": "ANY"}]},
            {"id": "silent", "address": silent.host, "services": [declared("dicom", silent.port, silent.host)]},
            {"id": "later", "address": at(203), "services": [declared("dicom", 11112, at(203))]},
        ]
        output = tmp_path / "reports"
        child = subprocess.Popen(
            command("check", inventory(tmp_path, assets), "--output", output, "--concurrency", "1"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(PACS_CHECKER_LOOP=loop),
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 30
            while silent.connections == 0:
                assert child.poll() is None, "it ended before it was interrupted"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            child.send_signal(number)
            out, err = child.communicate(timeout=20)
        finally:
            child.kill()
            child.wait()
    run = Run((output / "latest").resolve(), child.returncode, out, err)
    assert "Traceback" not in err
    assert run.summary["interrupted"] == number.name
    assert run.status("good", "dicom.calling-ae-unchecked") == "fail"
    assert run.status("silent", "dicom.calling-ae-unchecked") == "unknown"
    assert run.status("later", "dicom.calling-ae-unchecked") == "unknown"
    assert run.summary["assets"]["not_visited"] == 1
    assert run.exit_code == 3  # over 4, which is among the reasons
    assert any("interrupted" in reason for reason in run.summary["reasons"])
    assert {line["n"] for line in run.attempts()} <= {line["n"] for line in run.ledger if line["event"] == "outcome"}


def test_a_killed_run_leaves_its_ledger_and_no_run(tmp_path: Path) -> None:
    with hostile(Fault.SILENT, host=at(204)) as silent:
        assets = [{"id": "silent", "address": silent.host, "services": [declared("dicom", silent.port, silent.host)]}]
        output = tmp_path / "reports"
        child = subprocess.Popen(
            command("check", inventory(tmp_path, assets), "--output", output),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(),
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 30
            while silent.connections == 0:
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            child.kill()
            child.wait()
    assert not (output / "latest").exists()
    (partial,) = output.iterdir()
    assert partial.name.endswith(".partial")
    (attempt,) = lines(partial / "ledger.jsonl")
    assert (attempt["event"], attempt["asset"], attempt["port"]) == ("attempt", "silent", silent.port)


# ------------------------------------------------------------------------------------------------------ the fleet


def test_thousands_at_once_in_bounded_memory(tmp_path: Path) -> None:
    count = 3000
    table = tmp_path / "assets.csv"
    rows = [
        f"dev-{n},Device {n},127.9.{n >> 8}.{n & 255},modality,campus-{n % 50},dicom,11112,AE{n}" for n in range(count)
    ]
    table.write_text("asset_id,name,address,role,site,service,port,ae_title\n" + "\n".join(rows) + "\n")
    path = inventory(tmp_path, [], assets_from=["assets.csv"])
    program = (
        "import json, sys; from checker.cli.main import run; from tests.memory import peak_kib;"
        "code = run(sys.argv[1:]); print('\\n' + json.dumps([code, peak_kib()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", path, "--output", tmp_path / "reports", "--concurrency=2000"],
        capture_output=True, text=True, timeout=90, env=environment(),
    )  # fmt: skip
    code, peak_kib = json.loads(done.stdout.splitlines()[-1])
    summary = json.loads((tmp_path / "reports" / "latest" / "run.json").read_bytes())
    assert code == 4, done.stderr  # nothing listens there: coverage is not complete
    assert summary["assets"] == {
        "listed": count, "visited": count, "answered": count, "unreachable": 0, "refused_by_scope": 0, "not_visited": 0,
    }  # fmt: skip
    assert summary["connections"] == count
    assert summary["errors"] == []
    assert peak_kib < 250 * 1024
