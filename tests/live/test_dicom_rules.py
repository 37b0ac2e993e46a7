"""The rules about strangers and about identity, on real archives: what they say in words is what the archive does."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checker.catalog.dicom import SOP_CLASSES, Meaning
from checker.model import AssociationPurpose, DicomFacts, Facts, Service, ServiceKind, Status
from checker.probes.dicom import WRONG_CALLED_AE_TITLES, probe_dicom
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.examples import archive, service_case
from checker.rules.identity import Implementation, implementations
from tests.live.checking import Run, check, command, environment, inventory, lines
from tests.live.servers import process
from tests.live.servers.dcmtk import dcmqrscp, storescp, wlmscpfs
from tests.live.servers.orthanc import DEFAULT, OPEN, REGISTERED_ONLY, OrthancOptions, orthanc
from tests.live.servers.process import LOOPBACK, free_ports
from tests.live.servers.scp import ACCEPTS_ANYBODY, STREAMS, scp
from tests.live.servers.scp_child import Behaviour
from tests.live.talking import talking

pytestmark = pytest.mark.live

CALLING = "UNREGISTERED"
RULES = {entry.id: entry.rule for entry in catalogue() if entry.family == "dicom"}
STORES = sum(sop_class.meaning is Meaning.PUT for sop_class in SOP_CLASSES)
DRIFT = "dicom.identity-drift"
DCMTK_367 = Implementation("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367")


@dataclass(frozen=True)
class Address:
    """Where a DICOM server listens, and for which AE title."""

    host: str
    port: int
    ae_title: str


@contextmanager
def of_orthanc(options: OrthancOptions) -> Iterator[Address]:
    with orthanc(options, loaded=()) as server:
        yield Address(server.host, server.dicom_port, server.ae_title)


async def visited(server: AbstractContextManager[Any], kind: ServiceKind = ServiceKind.DICOM) -> list[Facts]:
    """All that one visit of the DICOM service brought."""
    with server as running:
        service = Service(kind, running.port, ae_title=running.ae_title)
        with talking(running.host, running.port, (service,)) as session:
            await probe_dicom(session.talk, service, calling=CALLING, server_name=None)
    assert session.of(DicomFacts)
    return session.facts


def judged(rule: str, facts: list[Facts]) -> Verdict:
    return RULES[f"dicom.{rule}"].judge(service_case(archive(), *facts))


def words(facts: list[Facts]) -> dict[str, str]:
    """What the rules that fail say, by rule."""
    rules = (
        "anonymous-query", "calling-ae-unchecked", "called-ae-unchecked", "retrieve-offered", "store-offered",
    )  # fmt: skip
    verdicts = {rule: judged(rule, facts) for rule in rules}
    return {rule: verdict.summary for rule, verdict in verdicts.items() if verdict.status is Status.FAIL}


def services(facts: list[Facts]) -> tuple[object, object, object]:
    """The groups that are offered, those that were served, and those that were refused all the same."""
    evidence = judged("calling-ae-unchecked", facts).evidence
    return evidence["services"], evidence["served"], evidence.get("refused")


# ---------------------------------------------------------------------------------------------- what strangers may do


async def test_orthanc_by_default_offers_a_search_that_it_then_refuses() -> None:
    facts = await visited(of_orthanc(DEFAULT))
    offered = f"take images (4 SOP classes), store ({STORES}) and commit storage (1)"
    wrong = WRONG_CALLED_AE_TITLES[0]
    assert words(facts) == {
        "calling-ae-unchecked": f"A stranger, calling as '{CALLING}', was served C-ECHO and may ask to {offered}.",
        "called-ae-unchecked": f"The wrong AE title '{wrong}' was accepted, and a stranger may ask to {offered}.",
        "retrieve-offered": f"A stranger may ask to {offered}.",
        "store-offered": (
            f"A stranger may ask to store ({STORES} SOP classes), take images (4) and commit storage (1)."
        ),
    }
    assert services(facts) == (["search", "take", "put", "storage-commitment"], [], ["search"])
    assert judged("calling-ae-unchecked", facts).evidence["toolkit_hint"] == "DCMTK"


async def test_orthanc_open_to_queries_lets_a_stranger_search() -> None:
    facts = await visited(of_orthanc(OPEN))
    told = words(facts)
    assert told["anonymous-query"].startswith(
        "A stranger may search (a query for a study that cannot exist was answered), and may ask to take images (4 SOP"
    )
    assert told["retrieve-offered"].endswith(", and may search.")
    assert services(facts)[1:] == (["search"], None)


async def test_orthanc_for_registered_callers_offers_a_stranger_nothing() -> None:
    facts = await visited(of_orthanc(REGISTERED_ONLY))
    assert words(facts) == {}
    assert services(facts) == ([], [], None)


async def test_dcmqrscp_lets_a_stranger_search_and_counts_what_it_offers() -> None:
    facts = await visited(dcmqrscp(options=["--disable-get"]))
    evidence = judged("retrieve-offered", facts).evidence
    counts = evidence["counts"]
    assert isinstance(counts, dict)
    assert counts["take"] == {"offered": 2, "asked": 4}
    offered = evidence["offered"]
    assert isinstance(offered, list)
    assert {item["name"].rsplit(" ", 1)[-1] for item in offered if isinstance(item, dict)} == {"MOVE"}
    assert "take images (2 SOP classes)" in words(facts)["retrieve-offered"]
    assert evidence["served"] == ["search"]


async def test_storescp_takes_what_a_stranger_stores_and_nothing_else() -> None:
    facts = await visited(storescp())
    assert words(facts)["store-offered"] == f"A stranger may ask to store ({STORES} SOP classes)."
    assert services(facts) == (["put"], [], None)


async def test_a_worklist_is_a_worklist_and_no_archive() -> None:
    facts = await visited(wlmscpfs())
    assert words(facts)["calling-ae-unchecked"].endswith(
        "was served C-ECHO and may ask to read the worklist (1 SOP class)."
    )
    assert services(facts) == (["worklist"], [], None)


async def test_a_key_that_was_ignored_is_told_and_the_search_is_proved() -> None:
    facts = await visited(scp(STREAMS))
    assert words(facts)["anonymous-query"].startswith(
        "A stranger may search (a query had its key ignored; the data was left unread)"
    )
    assert services(facts)[1] == ["search"]
    assert judged("calling-ae-unchecked", facts).evidence["toolkit_hint"] == "pynetdicom"


async def test_a_server_of_verification_alone_gives_a_stranger_nothing() -> None:
    facts = await visited(scp(Behaviour(offered=False)))
    assert words(facts)["calling-ae-unchecked"] == f"A stranger, calling as '{CALLING}', was served C-ECHO."
    assert services(facts) == ([], [], None)


# ------------------------------------------------------------------------------------------------------------ identity


@pytest.mark.parametrize("server", [lambda: of_orthanc(DEFAULT), storescp, dcmqrscp], ids=["orthanc", "storescp", "qr"])
async def test_what_is_built_with_dcmtk_says_dcmtk(server: Any) -> None:
    facts = await visited(server())
    (found,) = implementations(service_case(archive(), *facts))
    assert found.class_uid is not None
    assert found.class_uid.startswith("1.2.276.0.7230010.3.")
    assert found.told()["toolkit_hint"] == "DCMTK"
    accepted = [one for one in facts if isinstance(one, DicomFacts) and one.implementation_class_uid]
    assert accepted[0].purpose is AssociationPurpose.SURVEY


@pytest.fixture
def one_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that every DICOM server of the test listens on, one after the other."""
    (port,) = free_ports(1)
    monkeypatch.setattr(process, "free_ports", lambda count: (port, *free_ports(count - 1)))
    return port


def check_of(tmp_path: Path, server: AbstractContextManager[Any], *arguments: str) -> Run:
    with server as running:
        asset = {
            "id": "arc",
            "address": LOOPBACK,
            "services": [{"kind": "dicom", "port": running.port, "ae_title": "ANY"}],
        }
        return check(inventory(tmp_path, [asset]), *arguments)


def drift(run: Run) -> dict[str, Any]:
    (found,) = [item for item in run.findings if item["rule"]["id"] == DRIFT]
    return found


def test_another_implementation_on_the_same_port_is_seen(tmp_path: Path, one_port: int) -> None:
    servers: list[AbstractContextManager[Any]] = [storescp(), storescp(), of_orthanc(OPEN), scp(ACCEPTS_ANYBODY)]
    runs = [check_of(tmp_path, server) for server in servers]
    assert {line["port"] for run in runs for line in run.attempts()} == {one_port}
    found = [drift(run) for run in runs]
    # Orthanc is built with the same release of DCMTK as storescp: that it is another product does not show.
    assert [item["status"] for item in found] == ["unknown", "pass", "pass", "fail"]
    assert found[0]["evidence"]["earlier"] is None
    assert found[3]["severity"] == "info"
    assert found[3]["evidence"]["earlier"] == {
        **DCMTK_367.told(), "run_id": runs[2].summary["run_id"],
    }  # fmt: skip
    assert found[3]["evidence"]["now"][0]["toolkit_hint"] == "pynetdicom"
    assert found[3]["summary"].startswith("Another implementation answers than before: it was OFFIS_DCMTK_367, and is ")


def test_nothing_is_sent_for_it_and_it_is_the_same_when_judged_again(tmp_path: Path, one_port: int) -> None:
    first = check_of(tmp_path, storescp())
    second = check_of(tmp_path, scp(ACCEPTS_ANYBODY))
    alone = check_of(tmp_path, scp(ACCEPTS_ANYBODY), "--only", DRIFT)
    assert len(second.attempts()) == len(alone.attempts()) == 3
    assert drift(alone)["status"] == "pass"
    again = judged_again(tmp_path, second)
    assert {**drift(again), "run_id": None} == {**drift(second), "run_id": None}
    assert drift(again)["evidence"]["earlier"]["run_id"] == first.summary["run_id"]
    assert again.attempts() == second.attempts()
    assert one_port == second.attempts()[0]["port"]


def judged_again(tmp_path: Path, run: Run) -> Run:
    output = tmp_path / "reports"
    done = subprocess.run(
        command("judge", run.folder, "--output", output), capture_output=True, text=True, timeout=60, env=environment()
    )
    folder = (output / "latest").resolve()
    assert folder != run.folder, done.stderr
    return Run(folder, done.returncode, done.stdout, done.stderr)


def test_a_service_that_was_off_is_compared_with_what_it_was_before(tmp_path: Path, one_port: int) -> None:
    first = check_of(tmp_path, storescp())
    off = check(tmp_path / "inventory.yaml")
    back = check_of(tmp_path, scp(ACCEPTS_ANYBODY))
    assert [drift(run)["status"] for run in (first, off, back)] == ["unknown", "unknown", "fail"]
    assert drift(off)["summary"] == "No accepted association told which implementation answers."
    assert drift(back)["evidence"]["earlier"]["run_id"] == first.summary["run_id"]
    kept = lines(back.folder / "identities.jsonl")
    assert [(item["asset_id"], item["service"]["port"]) for item in kept] == [("arc", one_port)]
    assert back.markers() == {}
