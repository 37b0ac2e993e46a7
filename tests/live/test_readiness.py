"""The waits on real sockets, on both event loops: no news is lost, however it falls together."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checker.model import End
from checker.net.connection import Connection
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


@contextmanager
def talking(sock: socket.socket) -> Iterator[Connection]:
    """A connection over our end."""
    with watched(sock) as (ready,):
        connection = Connection(
            sock,
            ready,
            rtt_ms=0.0,
            deadline=within(LATER),
            max_bytes=65536,
            on_end=lambda _connection, _word: None,
        )
        yield connection
        connection.abandon()


class _Full:
    """A loop that watches nothing more."""

    def add_reader(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    def remove_reader(self, _descriptor: int) -> None:
        """There is none."""


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


async def test_bytes_behind_an_urgent_one_are_not_waited_for() -> None:
    with pair() as (ours, theirs), talking(ours) as connection:
        theirs.sendall(b"abc")
        theirs.send(b"!", socket.MSG_OOB)
        theirs.sendall(b"def")

        assert await connection.receive(100) == b"abc"
        assert await connection.receive(100) == b"def"


async def test_news_for_a_wait_that_was_given_up_at_that_moment_is_kept() -> None:
    with pair() as (ours, theirs), watched(ours) as (ready,):
        waiting = asyncio.create_task(ready.readable(within(LATER)))
        await asyncio.sleep(0)
        theirs.sendall(b"hello")
        assert ready._reading is not None
        while not ready._reading.done():  # noqa: ASYNC110 - what is waited for is the loop itself
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert await ready.readable(within(LATER))


async def test_a_read_that_was_given_up_before_it_began_leaves_what_is_there() -> None:
    with pair() as (ours, theirs), talking(ours) as connection:
        theirs.sendall(bytes(200))
        assert await connection.receive(100) == bytes(100)
        second = asyncio.create_task(connection.receive(100))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second

        assert await connection.receive(100) == bytes(100)


async def test_what_came_before_a_narrow_deadline_that_a_late_loop_missed() -> None:
    with pair() as (ours, theirs), talking(ours) as connection:
        before = connection.narrow_deadline(SOON)
        reading = asyncio.create_task(connection.receive(100))
        await asyncio.sleep(0)
        theirs.sendall(b"in time")
        time.sleep(2 * SOON)  # noqa: ASYNC251 - the loop is meant to be late
        assert await reading is End.TIMEOUT
        connection.put_back_deadline(before)

        assert await connection.receive(100) == b"in time"


async def test_both_sides_may_wait_one_of_them_for_no_time() -> None:
    with pair() as (ours, _theirs), watched(ours) as (ready,):
        while await ready.writable(within(SOON)):
            _fill(ours)
        now = asyncio.get_running_loop().time()

        assert not any(await asyncio.gather(ready.writable(now), ready.readable(now + SOON)))


async def test_a_loop_that_takes_no_watcher_once_takes_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    poller = Poller()
    with pair() as (ours, theirs):
        first, second = Readiness(ours, poller), Readiness(ours, poller)
        with monkeypatch.context() as patched:
            patched.setattr("checker.net.poller.asyncio.get_running_loop", _Full)
            with pytest.raises(OSError, match="full"):
                first.watch()
        first.close()
        second.watch()
        theirs.sendall(b"hello")

        assert await second.readable(within(LATER))
        second.close()


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
