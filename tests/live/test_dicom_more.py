"""What the inventory asks for beyond what every DICOM service is asked: a registered title, opt-in canaries."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydicom.dataset import Dataset

from checker.codecs import dicom_requests
from checker.model import OPT_IN_CANARIES, AssociationPurpose, DicomFacts, QueryVerdict, Service, ServiceKind
from checker.plan import DICOM_MORE_CONNECTIONS
from checker.probes.dicom import MOST_CONNECTIONS, probe_dicom
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.examples import archive, asset_case, seen, service_case
from tests.codecs import dicom_oracle as oracle
from tests.live.certificates import Authority, TlsFiles
from tests.live.checking import check, inventory
from tests.live.dicom_telling import told
from tests.live.servers.dcmtk import Peer, dcmqrscp, storescp, wlmscpfs
from tests.live.servers.orthanc import DEFAULT, OPEN, REGISTERED_ONLY, OrthancOptions, orthanc
from tests.live.servers.process import LOOPBACK
from tests.live.servers.scp import Event, scp
from tests.live.servers.scp_child import Behaviour
from tests.live.synthetic import NAME, PATIENT_ID, markers_in
from tests.live.talking import Session, talking

pytestmark = pytest.mark.live

CALLING, KNOWN = "UNREGISTERED", "KNOWN"
WORKLIST, GET = OPT_IN_CANARIES
PLAIN, TLS = ServiceKind.DICOM, ServiceKind.DICOM_TLS

FRIEND = "registered accepted echo=0000 released"
WORKLIST_ANSWERED = "worklist accepted query-accepted 0000 released"
GET_ANSWERED = "get accepted query-accepted 0000 released"


@pytest.fixture(scope="module")
def tls() -> Iterator[TlsFiles]:
    """The key and certificate of a server."""
    with tempfile.TemporaryDirectory(prefix="pacs-checker-tls-") as folder:
        yield Authority.create(Path(folder)).valid()


async def asked(
    port: int,
    ae_title: str,
    *canaries: AssociationPurpose,
    kind: ServiceKind = PLAIN,
    registered: str | None = None,
    spared: tuple[AssociationPurpose, ...] = (),
) -> Session:
    """A server on loopback, asked as the inventory declares it; what holds after every visit is asserted here."""
    service = Service(kind, port, ae_title=ae_title, registered_ae_title=registered)
    with talking(LOOPBACK, port, (service,)) as session:
        answered = await probe_dicom(
            session.talk, service, calling=CALLING, server_name=None, canaries=canaries, spared=spared
        )
    more = DICOM_MORE_CONNECTIONS * (len(canaries) + (registered is not None))
    assert session.connections <= MOST_CONNECTIONS + more
    assert [line["event"] for line in session.lines if line["event"] != "refused"] == [
        *("attempt", "outcome") * session.connections
    ], "one connection at a time"
    assert answered == {facts.purpose for facts in session.of(DicomFacts) if facts.query is QueryVerdict.KEY_IGNORED}
    assert markers_in(repr(session.facts).encode() + b"".join(session.written)) == ()
    return session


def more(session: Session) -> list[str]:
    """The associations that only this inventory asks for, each in one line."""
    names = (AssociationPurpose.REGISTERED.value, *(purpose.value for purpose in OPT_IN_CANARIES))
    return [line for line in told(session) if line.startswith(names)]


def judged(session: Session, rule_id: str) -> Verdict:
    """What one rule makes of the visit."""
    of = archive(*session.device.asset.services)
    rule = next(entry.rule for entry in catalogue() if entry.id == rule_id)
    if rule_id == "archive.open":
        port = of.services[0].port
        return rule.judge(asset_case(of, *(seen(facts, port=port) for facts in session.facts)))
    return rule.judge(service_case(of, *session.facts))


def status(session: Session, rule_id: str) -> str:
    return judged(session, rule_id).status.value


# ---------------------------------------------------------------------------------------------- the registered title


async def test_dcmqrscp_refuses_strangers_as_it_refuses_titles_and_its_peer_shows_which() -> None:
    with dcmqrscp(peers=[Peer(KNOWN)]) as server:
        session = await asked(server.port, server.ae_title, registered=KNOWN)
        unlisted = await asked(server.port, server.ae_title, registered="NOT_LISTED")

    assert told(session) == ["survey rejected 1/1/7", "wrong-called rejected 1/1/7", FRIEND]
    assert session.of(DicomFacts)[-1].calling_ae_title == KNOWN
    assert session.purposes == ["dicom survey", "dicom wrong-called", "dicom registered"]
    verdict = judged(session, "dicom.calling-ae-unchecked")
    assert verdict.status.value == "pass"
    assert verdict.summary.startswith("Strangers are refused, and the registered title is accepted")
    assert {status(session, f"dicom.{rule}") for rule in ("anonymous-query", "store-offered", "retrieve-offered")} == {
        "pass"
    }
    assert status(session, "dicom.worklist-query") == "pass"

    assert more(unlisted) == ["registered rejected 1/1/7"]
    verdict = judged(unlisted, "dicom.calling-ae-unchecked")
    assert verdict.status.value == "unknown"
    assert "the registered title 'NOT_LISTED': rejected 1/1/7" in verdict.summary
    assert status(unlisted, "dicom.anonymous-query") == "unknown"


async def test_orthanc_for_registered_callers_takes_the_registered_one() -> None:
    peers = {"DicomModalities": {"known": [KNOWN, LOOPBACK, 11112]}}
    with orthanc(replace(REGISTERED_ONLY, settings=peers), loaded=()) as server:
        session = await asked(server.dicom_port, server.ae_title, registered=KNOWN)
        unlisted = await asked(server.dicom_port, server.ae_title, registered="NOT_LISTED")

    assert told(session) == ["survey rejected 1/1/3", FRIEND]
    assert judged(session, "dicom.calling-ae-unchecked").summary.startswith("Strangers are refused, and the registered")
    assert told(unlisted) == ["survey rejected 1/1/3", "registered rejected 1/1/3"]
    assert status(unlisted, "dicom.calling-ae-unchecked") == "pass"


async def test_storescp_tells_nobody_apart() -> None:
    with storescp() as server:
        session = await asked(server.port, server.ae_title, registered=KNOWN)

    assert more(session) == [FRIEND]
    assert status(session, "dicom.calling-ae-unchecked") == "fail"


async def test_inside_tls_the_registered_title_and_the_canaries_are_asked_inside_tls(tls: TlsFiles) -> None:
    with scp(tls=tls) as server:
        session = await asked(server.port, server.ae_title, WORKLIST, GET, kind=TLS, registered=KNOWN)

    assert more(session) == [
        "registered in TLS accepted echo=0000 released",
        "worklist in TLS accepted query-accepted 0000 released",
        "get in TLS accepted query-accepted 0000 released",
    ]
    assert session.purposes[-3:] == ["dicom-tls registered", "dicom-tls worklist", "dicom-tls get"]
    assert session.connections == MOST_CONNECTIONS + 3


@pytest.mark.parametrize("behaviour", [Behaviour(reject=(2, 3, 2)), Behaviour(drop_after_accept=True)])
async def test_a_busy_or_broken_service_is_spared_all_that_is_asked_beyond(behaviour: Behaviour) -> None:
    with scp(behaviour) as server:
        session = await asked(server.port, server.ae_title, WORKLIST, GET, registered=KNOWN)

    assert all(line.endswith("not-asked") for line in more(session))
    assert session.connections == 2


async def test_our_own_title_is_never_asked_for_as_the_registered_one() -> None:
    with scp() as server:
        session = await asked(server.port, server.ae_title, registered=CALLING)

    assert more(session) == ["registered not-asked"]


# ------------------------------------------------------------------------------------------------------- worklists


async def test_wlmscpfs_answers_a_stranger_and_its_items_stay_with_it() -> None:
    with wlmscpfs() as server:
        session = await asked(server.port, server.ae_title, WORKLIST, GET)
        without = await asked(server.port, server.ae_title)

    assert more(session) == [WORKLIST_ANSWERED], "it offers no retrieval, so that none is asked"
    assert status(session, "dicom.worklist-query") == "fail"
    assert status(session, "archive.open") != "fail"
    assert more(without) == []
    verdict = judged(without, "dicom.worklist-query")
    assert verdict.status.value == "unknown"
    assert "canaries: [worklist]" in verdict.summary


async def test_orthanc_with_its_worklist_plugin_answers_a_stranger(tmp_path: Path) -> None:
    plugin = Path("/usr/share/orthanc/plugins/libModalityWorklists.so")
    settings: dict[str, Any] = {
        "Plugins": [str(plugin)],
        "Worklists": {"Enable": True, "Database": str(tmp_path)},
        "DicomAlwaysAllowFindWorklist": True,
    }
    with orthanc(OrthancOptions(queries=True, settings=settings), loaded=()) as server:
        session = await asked(server.dicom_port, server.ae_title, WORKLIST)

    assert more(session) == [WORKLIST_ANSWERED]
    assert status(session, "dicom.worklist-query") == "fail"


async def test_orthanc_by_default_has_no_worklist_and_refuses_retrieval_by_an_abort() -> None:
    with orthanc(DEFAULT, loaded=()) as server:
        session = await asked(server.dicom_port, server.ae_title, WORKLIST, GET)

    assert more(session) == ["get accepted refused-abort abort=0/0"]
    assert status(session, "dicom.worklist-query") == "pass"
    retrieval = judged(session, "dicom.retrieve-offered")
    assert (retrieval.status.value, retrieval.evidence["proved"]) == ("fail", False)
    assert status(session, "archive.open") == "pass"


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "tls"])
async def test_a_worklist_that_ignores_its_keys_is_aborted_unread_and_not_followed(
    tls: TlsFiles, *, inside: bool
) -> None:
    behaviour = Behaviour(worklist=False)
    with scp(behaviour, tls=tls if inside else None) as server:
        session = await asked(server.port, server.ae_title, WORKLIST, GET, kind=TLS if inside else PLAIN)
        # What it poured out behind the first answer may reset the connection before the abort is read.
        events = server.wait_for(Event.DISCONNECTED, times=4)

    assert events.count(Event.RELEASED) == 3
    where = " in TLS" if inside else ""
    assert more(session) == [f"worklist{where} accepted key-ignored FF00", f"get{where} not-asked"]
    verdict = judged(session, "dicom.worklist-query")
    assert (verdict.status.value, verdict.evidence["data_on_its_way"]) == ("fail", True)


async def test_what_was_answered_with_data_before_is_not_asked_again() -> None:
    with scp() as server:
        session = await asked(server.port, server.ae_title, WORKLIST, GET, spared=(WORKLIST,))

    assert more(session) == ["worklist not-asked", GET_ANSWERED]


# ------------------------------------------------------------------------------------------------------- retrieval


async def test_orthanc_open_to_retrieval_fails_at_a_study_that_it_has_not_which_decides_nothing() -> None:
    with orthanc(OPEN) as server:
        session = await asked(server.dicom_port, server.ae_title, GET)

    assert more(session) == ["get accepted indeterminate C000 released"]
    verdict = judged(session, "dicom.retrieve-offered")
    assert (verdict.status.value, verdict.evidence["proved"]) == ("fail", False)
    assert "may ask to take images" in verdict.summary


async def test_dcmqrscp_serves_a_strangers_retrieval_and_without_it_is_not_asked() -> None:
    with dcmqrscp() as server:
        session = await asked(server.port, server.ae_title, GET)
    with dcmqrscp(options=["--disable-get"]) as server:
        without = await asked(server.port, server.ae_title, GET)

    assert more(session) == [GET_ANSWERED]
    verdict = judged(session, "dicom.retrieve-offered")
    assert verdict.summary.startswith("A stranger may take images (a retrieve request")
    assert verdict.evidence["proved"] is True
    assert "dicom.retrieve-offered" in str(judged(session, "archive.open").evidence["doors"])
    assert more(without) == []


def _patient() -> Dataset:
    patient = Dataset()
    patient.PatientName, patient.PatientID = NAME, PATIENT_ID
    return patient


SENT = {
    "an image": oracle.store_rq(_patient()),
    "the beginning of one": oracle.pdus(oracle.store_rq(_patient()))[0],
    "data alone": oracle.pdus(oracle.store_rq(_patient()))[1],
    "pending": oracle.get_rsp(status=0xFF00, remaining=3),
    "success for some": oracle.get_rsp(completed=2),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
async def test_a_retrieval_that_finds_something_is_aborted_unread(sent: bytes) -> None:
    with scp(Behaviour(get_sends=sent.hex())) as server:
        session = await asked(server.port, server.ae_title, GET)
        events = server.wait_for(Event.DISCONNECTED, times=4)

    assert (events.count(Event.GET), events.count(Event.RELEASED)) == (1, 3)
    facts = session.of(DicomFacts)[-1]
    assert (facts.purpose, facts.query, facts.released) == (GET, QueryVerdict.KEY_IGNORED, False)
    assert session.lines[-1]["bytes_received"] < 2_000  # type: ignore[operator]
    request = dicom_requests.associate_rq(GET, called=server.ae_title, calling=CALLING)
    get = dicom_requests.get_rq(1, 1, dicom_requests.fresh_study_uid(uuid4()))
    assert session.lines[-1]["bytes_sent"] == len(request + get + dicom_requests.abort())
    assert status(session, "archive.open") == "fail"
    assert judged(session, "dicom.retrieve-offered").evidence["key_ignored"] is True


# ------------------------------------------------------------------------------------------- broken off, and the whole


@pytest.mark.parametrize(
    ("canaries", "event", "delayed"),
    [((WORKLIST,), Event.FIND, 2), ((GET,), Event.GET, 1), ((), Event.ECHO, 2)],
    ids=["worklist", "get", "registered"],
)
async def test_a_visit_that_is_broken_off_aborts_whatever_it_asked(
    canaries: tuple[AssociationPurpose, ...], event: Event, delayed: int
) -> None:
    with scp(Behaviour(delay_s=0.3, delay_echo=not canaries)) as server:
        service = Service(PLAIN, server.port, server.ae_title, registered_ae_title=None if canaries else KNOWN)
        with talking(server.host, server.port, (service,)) as session:
            visit = asyncio.create_task(
                probe_dicom(session.talk, service, calling=CALLING, server_name=None, canaries=canaries)
            )
            await asyncio.to_thread(server.wait_for, event, times=delayed)
            visit.cancel()
            started = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await visit
            assert time.monotonic() - started < 0.1, "the abort was waited for"
        events = server.wait_for(Event.ABORTED)

    assert (events.count(Event.CONNECTED), events.count(Event.RELEASED)) == (4, 3)
    last = canaries[0] if canaries else AssociationPurpose.REGISTERED
    assert session.purposes[-1] == f"dicom {last}"


def test_check_asks_what_the_inventory_opts_in_to(tmp_path: Path) -> None:
    with wlmscpfs() as server:
        service = {"kind": "dicom", "port": server.port, "ae_title": server.ae_title, "registered_ae_title": KNOWN}
        asset = {"id": "asset", "address": server.host, "services": [service], "canaries": ["worklist"]}
        run = check(inventory(tmp_path, [asset]))

    purposes = [item["facts"]["purpose"] for item in run.observations if item["facts"]["type"] == "dicom"]
    assert purposes == ["survey", "canary", "wrong-called", "registered", "worklist"]
    assert run.status("asset", "dicom.worklist-query") == "fail"
