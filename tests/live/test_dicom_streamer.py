"""A peer that ignores the search key and pours out patients: it is stopped at once, and nothing of theirs is kept."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from pathlib import Path
from uuid import uuid4

import pytest

from checker.model import DicomFacts, Facts, QueryVerdict, Service, ServiceKind
from checker.probes.dicom import probe_dicom
from checker.probes.talk import Talk
from tests.live.certificates import Authority
from tests.live.checking import check, inventory
from tests.live.servers.process import ROOT
from tests.live.servers.scp import Event, scp
from tests.live.servers.scp_child import Behaviour
from tests.live.synthetic import markers_in
from tests.live.talking import talking

pytestmark = pytest.mark.live

STREAMED = 5_000_000
MOST_RECEIVED = 16_384
# What the kernels of both ends hold before the A-ABORT arrives, and no more than that.
MOST_SENT = STREAMED // 10

# Whatever any library would say of its own accord goes into the log, and of asyncio's debug mode every callback: of its
# own accord it tells of those alone that take long.
EVERYTHING_LOGGED = """\
import logging
logging.basicConfig(filename={log!r}, level=logging.DEBUG)
logging.basicConfig = lambda **_: None
logging.Logger.setLevel = lambda *_: None
logging.getLogger("test").debug("everything is logged")
import uvloop
new_event_loop = uvloop.new_event_loop
def talkative():
    loop = new_event_loop()
    loop.slow_callback_duration = 0.0
    return loop
uvloop.new_event_loop = talkative
"""


def patient() -> str:
    """A name that nobody else has, valid as a Person Name."""
    return f"PATIENT{uuid4().hex.upper()}"


def forms(text: str) -> list[bytes]:
    """How a text might stand in a file: as it is, in hexadecimal, in base64 at any offset, in UTF-16."""
    raw = text.encode()
    in_base64 = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)]
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), *in_base64, text.encode("utf-16-le")]


@pytest.mark.parametrize("before", range(3))
def test_a_name_is_found_in_base64_wherever_it_stands(before: int) -> None:
    encoded = base64.b64encode(b"y" * before + b"PATIENT12345678" + b"z")
    assert any(form in encoded for form in forms("PATIENT12345678"))


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "tls"])
def test_a_whole_run_keeps_nothing_of_the_patients(tmp_path: Path, *, inside: bool) -> None:
    name = patient()
    (tmp_path / "certificates").mkdir()
    (tmp_path / "modules").mkdir()
    log = tmp_path / "everything.log"
    (tmp_path / "modules" / "sitecustomize.py").write_text(EVERYTHING_LOGGED.format(log=str(log)))
    files = Authority.create(tmp_path / "certificates").valid() if inside else None
    with scp(Behaviour(stream_bytes=STREAMED, patient=name), tls=files) as server:
        kind = "dicom-tls" if inside else "dicom"
        service = {"kind": kind, "port": server.port, "ae_title": server.ae_title}
        run = check(
            inventory(tmp_path, [{"id": "streamer", "address": server.host, "services": [service]}]),
            PYTHONFAULTHANDLER="1",
            PYTHONASYNCIODEBUG="1",
            PYTHONPATH=f"{tmp_path / 'modules'}:{ROOT}",
        )
        canary = {line["n"] for line in run.attempts() if line["purpose"].endswith("canary")}
        (outcome,) = (line for line in run.ledger if line["event"] == "outcome" and line["n"] in canary)
        server.wait_for(Event.DISCONNECTED, times=server.events().count(Event.CONNECTED))
        sent = max(server.sent())
        assert server.events().count(Event.FIND) == 1
        assert server.process.text().count(name) == 0, "the streamer itself would betray the name"

    assert run.status("streamer", "dicom.anonymous-query") == "fail"
    (seen,) = (item["facts"] for item in run.observations if item["facts"].get("query"))
    assert seen["query"] == "key-ignored"
    assert outcome["bytes_received"] < MOST_RECEIVED
    assert 0 < sent < MOST_SENT, "the streamer was not stopped at once"

    contents = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    contents |= {"standard output": run.out.encode(), "standard error": run.err.encode()}
    assert str(run.folder / "observations.jsonl") in contents
    assert b"everything is logged" in contents[str(log)]
    assert b"asyncio" in contents[str(log)]
    assert {where for where, content in contents.items() if any(form in content for form in forms(name))} == set()
    assert run.markers() == {}
    assert markers_in(contents[str(log)]) == ()


async def test_an_exception_behind_the_answer_holds_nothing_of_the_patients(caplog: pytest.LogCaptureFixture) -> None:
    """Its traceback with the local variables of each frame, which no log of ours has, is the most that it can tell."""
    name = patient()
    caplog.set_level(logging.DEBUG)
    with scp(Behaviour(stream_bytes=STREAMED, patient=name)) as server:
        service = Service(ServiceKind.DICOM, server.port, ae_title=server.ae_title)
        with talking(server.host, server.port, (service,)) as session:

            def record(facts: Facts) -> None:
                if isinstance(facts, DicomFacts) and facts.query is QueryVerdict.KEY_IGNORED:
                    message = "a fault of ours"
                    raise RuntimeError(message)

            talk = Talk(session.device, session.permit, server.port, record)
            with pytest.raises(RuntimeError, match="a fault of ours") as raised:
                await probe_dicom(talk, service, calling="UNREGISTERED", server_name=None)
        events = await asyncio.to_thread(server.wait_for, Event.DISCONNECTED, times=2)

    below_the_test = raised.tb.tb_next
    told = "".join(
        traceback.TracebackException(RuntimeError, raised.value, below_the_test, capture_locals=True).format()
    )
    assert "query=<QueryVerdict.KEY_IGNORED" in told
    assert events.count(Event.FIND) == 1
    assert name not in told + caplog.text
    assert markers_in((told + caplog.text).encode()) == ()
