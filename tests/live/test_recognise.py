"""Recognition against real servers: what answers one question, whichever protocol it was asked in, and how gently.

Every verdict of `check` at the end is held against what the servers really are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from checker.catalog.ports import Speaks
from checker.model import (
    AssetManners,
    AssociationOutcome,
    ConnectState,
    DicomFacts,
    HttpFacts,
    PortFacts,
    RecognisedFacts,
    Spoken,
    TlsFacts,
)
from checker.net.http import HttpDoor
from checker.probes import recognise as module
from checker.probes.recognise import CALLED_AE_TITLE, recognise
from tests.conftest import LOOPS
from tests.faults.servers import Fault, hostile
from tests.live.certificates import Authority
from tests.live.checking import CALLING, Run, check, inventory
from tests.live.servers import nginx as web
from tests.live.servers.dcmtk import storescp
from tests.live.servers.nginx import Nginx, nginx
from tests.live.servers.openssl import s_server
from tests.live.servers.orthanc import CALLED_TITLE_CHECKED, Orthanc, OrthancOptions, orthanc
from tests.live.servers.scp import Event, scp
from tests.live.talking import Session, talking
from tests.live.test_gateway import closed_port

pytestmark = pytest.mark.live

both_loops = pytest.mark.asyncio(loop_factories=LOOPS)
# Orthanc listens on all addresses: this one is for the asset that is checked as a whole.
WHOLE = "127.0.9.40"


@dataclass(frozen=True)
class Servers:
    """What runs for these tests, by name: where it listens."""

    places: Mapping[str, tuple[str, int]]
    orthanc: Orthanc
    page: Nginx


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    files = Authority.create(tmp_path_factory.mktemp("authority")).valid()
    with ExitStack() as stack:
        archive = stack.enter_context(orthanc(OrthancOptions(queries=True)))
        strict = stack.enter_context(orthanc(CALLED_TITLE_CHECKED))
        receiver, secret = stack.enter_context(storescp()), stack.enter_context(storescp(tls=files))
        page = stack.enter_context(nginx(web.plain_page(), host=WHOLE))
        gated = stack.enter_context(nginx(web.basic_auth()))
        inside = stack.enter_context(nginx(web.plain_page(), tls=files))
        bare = stack.enter_context(s_server(files, mode="echo"))
        modern = stack.enter_context(s_server(files, mode="echo", versions=("tls1_3",)))
        yield Servers(
            {
                "orthanc's DICOM": (archive.host, archive.dicom_port),
                "orthanc's web": (archive.host, archive.http_port),
                "orthanc that checks titles": (strict.host, strict.dicom_port),
                "storescp": (receiver.host, receiver.port),
                "storescp in TLS": (secret.host, secret.port),
                "nginx": (page.host, page.port),
                "nginx with a login": (gated.host, gated.port),
                "nginx in TLS": (inside.host, inside.port),
                "openssl": (bare.host, bare.port),
                "openssl of TLS 1.3 alone": (modern.host, modern.port),
            },
            archive,
            page,
        )


async def asked(session: Session, speaks: Speaks) -> None:
    door = HttpDoor("pacs-checker-test")
    await recognise(session.talk, speaks, host=None, calling=CALLING, door=door)
    await door.aclose()


def only(session: Session) -> RecognisedFacts:
    """What was recognised: one observation, of one connection, and nothing else was asked."""
    (facts,) = session.of(RecognisedFacts)
    assert session.connections == 1
    assert not any(isinstance(one, DicomFacts | HttpFacts | TlsFacts) for one in session.facts)
    assert [facts.state for facts in session.of(PortFacts)] == [ConnectState.OPEN]
    return facts


# ------------------------------------------------------------------------------------------- every pair of both

DICOM, HTTP, TLS, NONE = Spoken.DICOM, Spoken.HTTP, Spoken.TLS, Spoken.NONE
# What each of them answers to a question in DICOM, in HTTP and in TLS.
ANSWERS: Mapping[str, tuple[Spoken, Spoken, Spoken]] = {
    "orthanc's DICOM": (DICOM, NONE, NONE),  # DCMTK resets what begins no PDU
    "orthanc's web": (HTTP, HTTP, HTTP),
    "orthanc that checks titles": (DICOM, NONE, NONE),
    "storescp": (DICOM, NONE, NONE),
    "storescp in TLS": (NONE, NONE, TLS),
    "nginx": (HTTP, HTTP, HTTP),
    "nginx with a login": (HTTP, HTTP, HTTP),
    "nginx in TLS": (HTTP, HTTP, HTTP),
    "openssl": (NONE, NONE, TLS),
    "openssl of TLS 1.3 alone": (NONE, NONE, TLS),
}


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.asyncio
async def test_what_answers_is_recognised_in_whatever_it_is_asked(name: str, number: int, servers: Servers) -> None:
    languages: tuple[Speaks, ...] = ("dicom", "http", "tls")
    with talking(*servers.places[name]) as session:
        await asked(session, languages[number])

    found = only(session)
    assert (found.asked, found.protocol) == (languages[number], ANSWERS[name][number])
    assert session.purposes == [f"{languages[number]} recognise"]
    assert session.left_alone is None
    # Where nothing was recognised, words of ours say how it ended.
    assert (found.detail in ("closed", "reset")) is (found.protocol is NONE)


@pytest.mark.parametrize(("speaks", "told"), [("http", True), ("tls", True), ("dicom", False)])
@pytest.mark.asyncio
async def test_http_inside_tls_is_told_where_the_server_says_so(speaks: Speaks, told: bool, servers: Servers) -> None:
    with talking(*servers.places["nginx in TLS"]) as session:
        await asked(session, speaks)

    assert only(session).inside_tls is told


@pytest.mark.asyncio
async def test_what_a_web_server_shows_is_in_the_facts(servers: Servers) -> None:
    with talking(*servers.places["nginx with a login"]) as session:
        await asked(session, "http")

    found = only(session)
    assert found.status == 401
    assert found.server is not None
    assert found.server.startswith("nginx/")


@pytest.mark.asyncio
async def test_a_known_product_is_named_by_what_its_first_page_shows() -> None:
    with nginx(web.viewer_shell()) as server, talking(server.host, server.port) as session:
        await asked(session, "http")
        requests = server.requests(at_least=1)

    assert only(session).product == "ohif"
    assert len(requests) == 1
    assert requests[0].startswith("GET / ")


# ------------------------------------------------------------------------------------------------------ in DICOM


@both_loops
async def test_an_association_is_released_and_nothing_is_asked_in_it() -> None:
    with scp(host="127.0.9.41") as server:
        with talking(server.host, server.port) as session:
            await asked(session, "dicom")
        events = [event for event in server.events() if event is not Event.DISCONNECTED]

    found = only(session)
    assert (found.protocol, found.outcome) == (DICOM, AssociationOutcome.ACCEPTED)
    assert found.implementation_class_uid is not None
    assert events == [Event.CONNECTED, Event.REQUESTED, Event.ACCEPTED, Event.RELEASED]


@pytest.mark.asyncio
async def test_a_rejection_shows_dicom_as_well(servers: Servers) -> None:
    with talking(*servers.places["orthanc that checks titles"]) as session:
        await asked(session, "dicom")

    found = only(session)
    assert (found.protocol, found.outcome) == (DICOM, AssociationOutcome.REJECTED)
    assert CALLED_AE_TITLE == "ANY-SCP"


# ---------------------------------------------------------------------------------------------- what is none of them


@pytest.mark.parametrize("speaks", ["dicom", "http", "tls"])
@pytest.mark.parametrize(
    ("fault", "protocol"),
    [
        (Fault.BANNER, Spoken.OTHER),
        (Fault.GARBAGE, Spoken.OTHER),
        (Fault.CLOSES, NONE),
        (Fault.CLOSES_AFTER_REQUEST, NONE),
        (Fault.RESETS_AFTER_REQUEST, NONE),
        (Fault.TRUNCATED_PDU, NONE),
    ],
)
@pytest.mark.asyncio
async def test_what_is_none_of_them_is_not_taken_for_one(fault: Fault, protocol: Spoken, speaks: Speaks) -> None:
    with hostile(fault) as peer, talking(peer.host, peer.port) as session:
        await asked(session, speaks)
        assert peer.connections == 1

    if fault is Fault.TRUNCATED_PDU and speaks != "dicom":
        protocol = DICOM  # it begins as an A-ASSOCIATE-AC, and of a stranger no more than the start is looked at
    assert only(session).protocol is protocol


@pytest.mark.asyncio
async def test_a_peer_that_takes_the_question_and_says_nothing_is_not_recognised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_LIMITS", replace(module._LIMITS, conversation_s=0.3))
    with hostile(Fault.SILENT) as peer, talking(peer.host, peer.port) as session:
        await asked(session, "http")
        assert peer.connections == 1

    assert (only(session).protocol, only(session).detail) == (NONE, "timeout")


def test_a_web_server_that_misreads_a_hello_is_not_called_something_else(tmp_path: Path) -> None:
    # It answers with a page and no status line, as to HTTP/0.9.
    with ThreadingHTTPServer((WHOLE, 0), BaseHTTPRequestHandler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            port = server.server_port
            run = check(inventory(tmp_path, [{"id": "a", "address": WHOLE}]), "--ports", f"tls/{port}")
        finally:
            server.shutdown()
            serving.join()

    (facts,) = (line["facts"] for line in run.observations if line["facts"]["type"] == "recognised")
    assert (facts["asked"], facts["protocol"]) == ("tls", "other")
    assert run.status("a", "exposure.undeclared-web") == "unknown"


@pytest.mark.asyncio
async def test_a_port_that_took_no_connection_shows_that_and_is_not_recognised() -> None:
    with closed_port("127.0.9.42") as port, talking("127.0.9.42", port) as session:
        await asked(session, "dicom")

    assert session.of(RecognisedFacts) == []
    assert [facts.state for facts in session.of(PortFacts)] == [ConnectState.CLOSED]


@pytest.mark.parametrize("speaks", ["dicom", "http", "tls"])
@pytest.mark.asyncio
async def test_a_spent_budget_asks_nothing(speaks: Speaks, servers: Servers) -> None:
    place = servers.places["nginx"]
    with talking(*place, manners=AssetManners(max_connections=1, gap_s=0.001)) as session:
        await asked(session, speaks)
        await asked(session, speaks)

    assert len(session.of(RecognisedFacts)) == 1
    assert session.connections == 1
    assert "budget" in session.device.gaps[0]


# ------------------------------------------------------------------------------------------------ the whole product

Services = list[dict[str, Any]]


def whole(folder: Path, servers: Servers, ports: list[int | str], services: Services, **more: Any) -> Run:
    asset = {"id": "arc", "address": WHOLE, "zone": "local", "services": services, **more}
    defaults = {"calling_ae_title": CALLING, "ports": ports}
    return check(inventory(folder, [asset], defaults=defaults), "--rate", "1000/s")


@pytest.fixture(scope="module")
def everything(servers: Servers) -> list[int | str]:
    """The ports of an Orthanc and a web server of the same machine, and what is asked there."""
    return [
        f"dicom/{servers.orthanc.dicom_port}",
        f"http/{servers.orthanc.http_port}",
        f"tls/{servers.page.port}",
    ]


def evidence(run: Run, rule: str) -> dict[str, Any]:
    (found,) = (one for one in run.findings if one["rule"]["id"] == rule)
    return found["evidence"]  # type: ignore[no-any-return]


def test_undeclared_services_are_found_by_an_ordinary_check(
    tmp_path: Path, servers: Servers, everything: list[int | str]
) -> None:
    with closed_port(WHOLE) as shut:
        run = whole(tmp_path, servers, [*everything, f"dicom/{shut}"], [])

    assert run.status("arc", "exposure.undeclared-dicom") == "fail"
    assert run.status("arc", "exposure.undeclared-web") == "fail"
    (dicom,) = evidence(run, "exposure.undeclared-dicom")["places"]
    assert (dicom["port"], dicom["outcome"]) == (servers.orthanc.dicom_port, "accepted")
    web_ports = {place["port"] for place in evidence(run, "exposure.undeclared-web")["places"]}
    assert web_ports == {servers.orthanc.http_port, servers.page.port}
    # One connection for the sweep and one for the question, and none of the second kind at the port that is shut.
    purposes = [line["purpose"] for line in run.attempts("arc") if line["purpose"].endswith("recognise")]
    assert sorted(purposes) == ["dicom recognise", "http recognise", "tls recognise"]
    assert not any(line["purpose"].endswith("recognise") and line["port"] == shut for line in run.attempts("arc"))
    assert run.markers() == {}


def test_what_another_asset_declares_at_the_address_is_not_asked_what_it_is(tmp_path: Path, servers: Servers) -> None:
    port = servers.orthanc.dicom_port
    dicom = {"kind": "dicom", "port": port, "ae_title": "ORTHANC"}
    defaults = {"calling_ae_title": CALLING, "ports": [f"dicom/{port}"]}
    assets: list[dict[str, Any]] = [
        {"id": "arc", "address": WHOLE, "services": []},
        {"id": "pacs", "address": WHOLE, "services": [dicom]},
    ]
    run = check(inventory(tmp_path, assets, defaults=defaults), "--rate", "1000/s")
    assert run.status("arc", "exposure.undeclared-dicom") == "unknown"
    assert not any(line["purpose"].endswith("recognise") for line in run.attempts("arc"))


def test_the_run_has_the_matrix_and_the_summary_prints_it(
    tmp_path: Path, servers: Servers, everything: list[int | str]
) -> None:
    with closed_port(WHOLE) as shut:
        run = whole(tmp_path, servers, [*everything, shut], [])

    exposure = run.summary["exposure"]
    assert exposure["policy"] == "declared-services"
    assert exposure["totals"] == {
        "allowed_open": 0,
        "must_reach_broken": 0,
        "unexpected_open": 3,
        "shut": 1,
        "unknown": 0,
    }
    (dicom,) = (one for one in exposure["ports"] if one["port"] == servers.orthanc.dicom_port)
    assert (dicom["to_zone"], dicom["transport"], dicom["assets"]) == ("local", "tcp", {"unexpected_open": ["arc"]})
    assert "Assets by port, as seen from local" in run.out
    assert max(len(line) for line in run.out.splitlines() if not line.startswith("Stored in ")) <= 100


def test_what_is_declared_is_checked_and_not_asked_what_it_is(
    tmp_path: Path, servers: Servers, everything: list[int | str]
) -> None:
    declared: Services = [
        {"kind": "dicom", "port": servers.orthanc.dicom_port, "ae_title": "ORTHANC"},
        {"kind": "web", "url": f"http://{WHOLE}:{servers.orthanc.http_port}/"},
    ]
    run = whole(tmp_path, servers, everything, declared)

    purposes = {line["purpose"] for line in run.attempts("arc") if line["purpose"].endswith("recognise")}
    assert purposes == {"tls recognise"}
    assert run.status("arc", "exposure.undeclared-dicom") == "pass"
    assert [place["port"] for place in evidence(run, "exposure.undeclared-web")["places"]] == [servers.page.port]


def test_what_the_budget_does_not_leave_is_not_recognised_and_no_pass(
    tmp_path: Path, servers: Servers, everything: list[int | str]
) -> None:
    run = whole(tmp_path, servers, everything, [], manners={"max_connections": 3})

    assert len(run.attempts("arc")) == 3
    assert run.status("arc", "exposure.undeclared-dicom") == "unknown"
    assert run.status("arc", "exposure.undeclared-web") == "unknown"
    assert run.status("arc", "exposure.unexpected-open") == "fail"


def test_policy_proves_what_must_be_reached_by_what_answered(
    tmp_path: Path, servers: Servers, everything: list[int | str]
) -> None:
    web_port, dicom_port = servers.page.port, servers.orthanc.dicom_port
    exposure = [{"from": "local", "to": {}, "must_reach": [f"tcp/{web_port}"], "may_reach": [f"tcp/{dicom_port}"]}]
    asset = {"id": "arc", "address": WHOLE, "zone": "local", "services": []}
    defaults = {"calling_ae_title": CALLING, "ports": everything}

    path = inventory(tmp_path, [asset], defaults=defaults, exposure=exposure)
    run = check(path, "--vantage", "local")

    assert run.status("arc", "exposure.must-reach-broken") == "pass"
    (unexpected,) = evidence(run, "exposure.unexpected-open")["unexpected"]
    assert unexpected["port"] == servers.orthanc.http_port
    counts = run.summary["exposure"]
    assert (counts["policy"], counts["totals"]["allowed_open"], counts["totals"]["unexpected_open"]) == ("stated", 2, 1)

    other = check(path, "--vantage", "elsewhere")

    assert other.status("arc", "exposure.must-reach-broken") == "unknown"
    assert other.status("arc", "exposure.unexpected-open") == "unknown"
    assert other.status("arc", "exposure.not-filtered") == "unknown"
    assert other.summary["exposure"]["policy"] == "vantage-unknown"


def test_a_port_that_takes_connections_and_says_nothing_is_no_proof_of_what_must_be_reached(tmp_path: Path) -> None:
    # As a firewall does that answers in the name of a service that is down.
    with hostile(Fault.CLOSES, host="127.0.9.43") as peer:
        exposure = [{"from": "local", "to": {}, "must_reach": [f"tcp/{peer.port}"]}]
        asset = {"id": "arc", "address": peer.host, "zone": "local", "services": []}
        defaults = {"calling_ae_title": CALLING, "ports": [f"dicom/{peer.port}"]}
        run = check(inventory(tmp_path, [asset], defaults=defaults, exposure=exposure))

    (found,) = (one for one in run.findings if one["rule"]["id"] == "exposure.must-reach-broken")
    assert found["status"] == "unknown"
    assert found["evidence"]["required"] == {str(peer.port): {peer.host: "open-unproven"}}
    assert run.summary["exposure"]["totals"]["unknown"] == 1
    assert run.summary["exposure"]["totals"]["allowed_open"] == 0


def test_a_line_that_has_expired_is_told_by_the_run(tmp_path: Path, servers: Servers) -> None:
    port = servers.page.port
    exposure = [{"from": "local", "to": {}, "may_reach": [f"tcp/{port}"], "owner": "pacs", "expires": "2020-01-31"}]
    asset = {"id": "arc", "address": WHOLE, "zone": "local", "services": []}
    defaults = {"calling_ae_title": CALLING, "ports": [port]}
    run = check(inventory(tmp_path, [asset], defaults=defaults, exposure=exposure))

    told = f"The line of exposure policy from local to every asset (tcp/{port}) expired on 2020-01-31"
    assert any(notice.startswith(told) for notice in run.summary["notices"])
    assert f"Notice: {told}" in run.err
    assert run.status("arc", "exposure.unexpected-open") == "fail"
    assert evidence(run, "exposure.unexpected-open")["expired"] == [port]
