"""A connection of the gateway against every hostile peer: the right end, in time, the cap kept, and left gently."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from checker.model import AssetManners, ConnectState, End, PortFacts
from checker.net.connection import Connection
from checker.net.gateway import Limits
from tests.conftest import LOOPS
from tests.faults.servers import Fault, Peer, hostile
from tests.live.doors import Door, asset

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_factories=LOOPS)]

REQUEST = b"a question of 28 bytes, asked"[:28]
CAP = 65_536
QUICK_S, PATIENT_S = 0.25, 10.0  # for those that go on until the deadline, and for those that end before
LIMITS = Limits(connect_s=0.5, conversation_s=PATIENT_S, max_bytes=CAP)

# How each conversation ends, and how many bytes come before: exactly, or from one to a few.
A_FEW = range(1, 100)
EXPECTED: dict[Fault, tuple[End, int | range]] = {
    Fault.CLOSES: (End.CLOSED, 0),
    Fault.CLOSES_AFTER_REQUEST: (End.CLOSED, 0),
    Fault.RESETS: (End.RESET, 0),
    Fault.RESETS_AFTER_REQUEST: (End.RESET, 0),
    Fault.SILENT: (End.TIMEOUT, 0),
    Fault.GARBAGE: (End.CLOSED, 4096),
    Fault.BANNER: (End.TIMEOUT, 44),
    Fault.DRIPS: (End.TIMEOUT, A_FEW),
    Fault.DRIPS_PDU: (End.TIMEOUT, A_FEW),
    Fault.DRIPS_TLS: (End.TIMEOUT, A_FEW),
    Fault.DRIPS_HTTP_HEADERS: (End.TIMEOUT, A_FEW),
    Fault.DRIPS_HTTP_BODY: (End.TIMEOUT, range(80, 200)),
    Fault.ENDLESS: (End.TOO_MUCH, CAP),
    Fault.ENDLESS_HTTP_BODY: (End.TOO_MUCH, CAP),
    Fault.ENDLESS_HTTP_HEADERS: (End.TOO_MUCH, CAP),
    Fault.PDU_OF_4_GIB: (End.TIMEOUT, 70),
    Fault.TRUNCATED_PDU: (End.CLOSED, 16),
    Fault.ALERTS: (End.TOO_MUCH, CAP),
    Fault.GZIP_BOMB: (End.TOO_MUCH, CAP),
}


async def test_every_fault_is_expected() -> None:
    assert set(EXPECTED) | {Fault.BACKLOG_FULL} == set(Fault)


@pytest.fixture(scope="module", params=list(EXPECTED))
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with hostile(request.param, interval_s=0.02) as running:
        yield running


async def converse(connection: Connection) -> tuple[End, int]:
    """Ask, and read to the end: how it ended, and how many bytes came."""
    got: bytes | End | None = await connection.send(REQUEST)
    count = 0
    while not isinstance(got, End):
        count += len(got or b"")
        got = await connection.receive()
    return got, count


@pytest.mark.parametrize("leave", ["close", "abandon"])
async def test_a_conversation_ends_rightly_and_in_time(peer: Peer, leave: str) -> None:
    door = Door(asset(addresses=[peer.host]))
    device, permit = door.permitted()
    loop = asyncio.get_running_loop()
    ended_before = peer.ended
    expected, received = EXPECTED[peer.fault]
    deadline_s = QUICK_S if expected is End.TIMEOUT else PATIENT_S
    made = await device.connect(permit, peer.port, "question", replace(LIMITS, conversation_s=deadline_s))
    if peer.fault is Fault.RESETS and isinstance(made, PortFacts):
        # On a busy machine the reset is there before the connection is: a thing of moments, told as it was seen.
        assert made.state is ConnectState.RESET
        assert door.idle
        return
    assert isinstance(made, Connection), made
    began = loop.time()

    end, count = await converse(made)
    took = loop.time() - began
    if leave == "close":
        await made.close()
    else:
        made.abandon()

    assert end is expected
    assert count in received if isinstance(received, range) else count == received
    assert count <= made.bytes_received <= CAP
    assert took < deadline_s + 1.0
    assert door.idle
    (outcome,) = door.events("outcome")
    assert (outcome["outcome"], outcome["bytes_received"]) == (expected.value, made.bytes_received)
    # The device is rid of us, and was sent nothing but the question.
    await asyncio.to_thread(peer.wait_for_end, ended_before + 1)
    assert peer.most_at_once == 1
    assert peer.received <= peer.ended * len(REQUEST)


async def test_a_full_queue_is_silence() -> None:
    with hostile(Fault.BACKLOG_FULL) as full:
        door = Door(asset(addresses=[full.host]))
        device, permit = door.permitted()

        made = await device.connect(permit, full.port, "question", LIMITS)

    assert made == PortFacts(state=ConnectState.FILTERED)
    assert door.idle


@pytest.mark.parametrize("fault", [Fault.ENDLESS, Fault.DRIPS, Fault.SILENT])
async def test_other_visits_go_on_meanwhile(fault: Fault) -> None:
    quick = AssetManners(gap_s=0.0)
    with hostile(fault, interval_s=0.01) as bad, socket.create_server(("127.0.0.2", 0)) as listener:
        good_port = listener.getsockname()[1]
        door = Door(asset("bad", [bad.host], manners=quick), asset("good", ["127.0.0.2"], manners=quick))

        async def suffer() -> End:
            device, permit = door.permitted("bad")
            made = await device.connect(permit, bad.port, "question", Limits(conversation_s=1.0, max_bytes=10**12))
            assert isinstance(made, Connection)
            end, _ = await converse(made)
            made.abandon()
            return end

        suffering = asyncio.create_task(suffer())
        device, permit = door.permitted("good")
        for _ in range(20):
            made = await device.connect(permit, good_port, "question", LIMITS)
            assert isinstance(made, Connection)
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(b"answer")
                assert await made.receive() == b"answer"
                await made.close()
        done_before_the_other = not suffering.done()

        assert await suffering is End.TIMEOUT
        assert done_before_the_other
    assert door.idle
