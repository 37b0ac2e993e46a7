"""Waiting for a socket, with a time limit, on uvloop and on stock asyncio alike. It reads and writes nothing."""

from __future__ import annotations

import asyncio
import socket

from checker.net.poller import LAST, READ, URGENT, WRITE, Poller


class Readiness:
    """The waits on one socket. `close` ends them, and must come before the socket is closed.

    The kernel tells of each change once. What it tells while nobody waits is remembered; once it has said that the peer
    is done, a wait for something to read ends at once for ever.
    """

    __slots__ = (
        "_came",
        "_descriptor",
        "_done",
        "_loop",
        "_poller",
        "_read_by",
        "_reading",
        "_room",
        "_timer",
        "_timer_at",
        "_urgent",
        "_watching",
        "_write_by",
        "_writing",
    )

    def __init__(self, sock: socket.socket, poller: Poller) -> None:
        self._loop = asyncio.get_running_loop()
        self._poller = poller
        self._descriptor = sock.fileno()
        self._reading: asyncio.Future[bool] | None = None
        self._writing: asyncio.Future[bool] | None = None
        self._read_by = 0.0
        self._write_by = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._watching = False
        self._came = False  # something came while nobody waited for it
        self._room = False  # the same for room to write
        self._urgent = False  # a read may stop short of what has come
        self._done = False  # nothing more will be told, though there may be bytes to take

    def watch(self) -> None:
        """Begin to watch, once a connect() is under way: of a socket without one the kernel says that it hung up."""
        if not self._watching:
            self._poller.watch(self._descriptor, self._on_news)
            self._watching = True

    async def readable(self, deadline: float) -> bool:
        """Whether there was something to read before `deadline`, a time of the loop's clock. One wait at a time.

        It may be true of what has been read since the last wait.
        """
        if self._reading is not None:
            raise RuntimeError(_TWO)
        if self._came or self._done:
            self._came = False
            return True
        self._read_by = deadline
        self._reading = self._limited(deadline)
        try:
            return await self._reading
        except asyncio.CancelledError:
            # Told and given up at the same time: the next wait must not be for what is here already.
            self._came |= not self._reading.cancelled()
            raise
        finally:
            self._reading = None

    async def writable(self, deadline: float) -> bool:
        """Whether there was room to write, or a connect() had ended, before `deadline`. One wait at a time.

        It may be true of room that has been filled since the last wait.
        """
        if self._writing is not None:
            raise RuntimeError(_TWO)
        if self._room:
            self._room = False
            return True
        self._write_by = deadline
        self._writing = self._limited(deadline)
        try:
            return await self._writing
        except asyncio.CancelledError:
            self._room |= not self._writing.cancelled()
            raise
        finally:
            self._writing = None

    @property
    def quiet(self) -> bool:
        """Whether nothing is known to have come since the last wait."""
        return not (self._came or self._done)

    def drained(self) -> None:
        """All that had come was taken: what the kernel told of it is out of date."""
        self._came = self._urgent

    def close(self) -> None:
        """End every wait: what waits is told that nothing came."""
        for ready in (self._reading, self._writing):
            if ready is not None:
                _settle(ready, False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watching:
            self._watching = False
            self._poller.forget(self._descriptor)

    def _limited(self, deadline: float) -> asyncio.Future[bool]:
        """A wait that ends at the deadline. One timer serves them all, for most end long before it."""
        if self._timer is not None and self._timer_at > deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer, self._timer_at = self._loop.call_at(deadline, self._on_time), deadline
        return self._loop.create_future()

    def _on_time(self) -> None:
        self._timer = None
        now = self._loop.time() + _GRAIN_S
        later = []
        for ready, deadline in ((self._reading, self._read_by), (self._writing, self._write_by)):
            if ready is None or ready.done():
                continue
            if deadline <= now:
                ready.set_result(False)
            else:
                later.append(deadline)
        if later:
            self._timer_at = min(later)
            self._timer = self._loop.call_at(self._timer_at, self._on_time)

    def _on_news(self, bits: int) -> None:
        if bits & LAST:
            self._done = True
        if bits & URGENT:
            self._urgent = True
        if bits & READ:
            if self._reading is None or self._reading.done():
                self._came = True
            else:
                self._reading.set_result(True)
        if bits & WRITE:
            if self._writing is None or self._writing.done():
                self._room = True
            else:
                self._writing.set_result(True)


# uvloop's clock counts milliseconds, and calls at once what is due in less.
_GRAIN_S = 0.001
_TWO = "two tasks wait for the same side of one connection"


def _settle(ready: asyncio.Future[bool], value: bool) -> None:
    if not ready.done():
        ready.set_result(value)
