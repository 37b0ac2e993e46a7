"""The waits on real sockets, on both event loops: no news is lost, however it falls together."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checker.net.poller import Poller
from checker.net.readiness import Readiness
from tests.conftest import LOOPS

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_factories=LOOPS)]

SOON, LATER = 0.05, 30.0
"""Seconds: a limit that is meant to be met, and one that only a fault would meet."""


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection over loopback: ours does not block, theirs does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(5)
        yield ours, theirs


@contextmanager
def watched(*socks: socket.socket) -> Iterator[list[Readiness]]:
    """The waits on each of them, over one poller."""
    poller = Poller()
    found = [Readiness(sock, poller) for sock in socks]
    try:
        for one in found:
            one.watch()
        yield found
    finally:
        for one in found:
            one.close()


def within(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def heard(ready: Readiness) -> None:
    """Let the loop bring what has come, without a wait of the socket's owner."""
    while ready.quiet:  # noqa: ASYNC110 - what is waited for is the loop itself
        await asyncio.sleep(0)


async def test_bytes_and_the_end_in_one_piece_of_news() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        theirs.sendall(b"last words")
        theirs.close()
        await heard(ready)

        assert await ready.readable(within(LATER))
        assert ours.recv(100) == b"last words"
        ready.drained()
        assert await ready.readable(within(LATER))
        assert ours.recv(100) == b""
        assert not ready.quiet


async def test_an_end_that_comes_between_the_news_and_the_read() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        theirs.sendall(b"one")
        assert await ready.readable(within(LATER))
        theirs.close()
        assert ours.recv(100) == b"one"
        ready.drained()

        assert await ready.readable(within(LATER))
        assert ours.recv(100) == b""


async def test_a_reset_ends_every_wait_for_good() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()

        assert await ready.readable(within(LATER))
        with pytest.raises(ConnectionResetError):
            ours.recv(100)
        assert await ready.readable(within(LATER))


async def test_what_was_taken_is_waited_for_no_more() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        for word in (b"one", b"two"):
            theirs.sendall(word)
            await heard(ready)
            assert ours.recv(100) == word
            ready.drained()

        assert not await ready.readable(within(SOON))


async def test_each_new_piece_is_news_though_the_last_one_was_left() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        theirs.sendall(b"one")
        assert await ready.readable(within(LATER))
        assert not await ready.readable(within(SOON))
        theirs.sendall(b"two")

        assert await ready.readable(within(LATER))
        assert ours.recv(100) == b"onetwo"


async def test_room_to_write_is_news_when_the_peer_has_taken_something() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        sent = _fill(ours)
        while await ready.writable(within(SOON)):  # what was known before the buffer was full
            sent += _fill(ours)
        waiting = asyncio.create_task(ready.writable(within(LATER)))
        while not waiting.done():
            sent -= len(theirs.recv(min(sent, 1 << 20)))
            await asyncio.sleep(0)

        assert await waiting
        assert ours.send(b"more") == 4


async def test_a_wait_for_each_side_ends_at_its_own_time() -> None:
    with pair() as (ours, _theirs), watched(ours) as (ready,):
        while await ready.writable(within(SOON)):
            _fill(ours)
        loop = asyncio.get_running_loop()
        began = loop.time()
        writing = asyncio.create_task(ready.writable(began + 0.3))
        reading = asyncio.create_task(ready.readable(began + 0.1))
        ended = {}
        for task, name in ((reading, "read"), (writing, "write")):
            assert await task is False
            ended[name] = loop.time() - began

        assert 0.09 <= ended["read"] < 0.28
        assert 0.28 <= ended["write"] < 2.0


async def test_a_wait_that_is_given_up_leaves_the_next_one_its_time() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        first = asyncio.create_task(ready.readable(within(SOON)))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(ready.readable(within(LATER)))
        await asyncio.sleep(2 * SOON)
        assert not second.done()
        theirs.sendall(b"now")

        assert await second


async def test_many_sockets_each_hear_their_own() -> None:
    with pair() as (one, to_one), pair() as (other, _to_other), watched(one, other) as (mine, its):
        to_one.sendall(b"for one")

        assert await mine.readable(within(LATER))
        assert not await its.readable(within(SOON))


async def test_a_closed_one_tells_who_waits_that_nothing_came() -> None:
    with pair() as (ours, _theirs), watched(ours) as (ready,):
        waiting = asyncio.create_task(ready.readable(within(LATER)))
        await asyncio.sleep(0)
        ready.close()

        assert await waiting is False


def _fill(sock: socket.socket) -> int:
    sent = 0
    try:
        while True:
            sent += sock.send(bytes(1 << 16))
    except BlockingIOError:
        return sent
