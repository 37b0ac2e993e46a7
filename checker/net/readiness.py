"""Waiting for a socket, with a time limit, on uvloop and on stock asyncio alike. It reads and writes nothing."""

from __future__ import annotations

import asyncio
import socket


class Readiness:
    """The waits on one socket. `close` ends them, and must come before the socket is closed.

    A loop knows a socket by its descriptor only. A wait that outlived its socket would watch whichever socket gets that
    number next.

    Between two waits for something to read the loop goes on watching, for to begin anew costs more than the wait; what
    comes meanwhile is remembered, and ends the watch.
    """

    __slots__ = ("_came", "_descriptor", "_loop", "_reading", "_watching", "_writing")

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = sock.fileno()
        self._reading: asyncio.Future[bool] | None = None
        self._writing: asyncio.Future[bool] | None = None
        self._watching = False
        self._came = False  # something came while nobody waited for it

    async def readable(self, deadline: float) -> bool:
        """Whether there was something to read before `deadline`, a time of the loop's clock. One wait at a time.

        It may be true of what has been read since the last wait.
        """
        if self._reading is not None:
            raise RuntimeError(_TWO)
        if self._came:
            self._came = False
            return True
        self.watch()
        ready: asyncio.Future[bool] = self._loop.create_future()
        self._reading = ready
        timer = self._loop.call_at(deadline, _settle, ready, False)
        try:
            return await ready
        finally:
            timer.cancel()
            self._reading = None

    async def writable(self, deadline: float) -> bool:
        """Whether there was room to write, or a connect() had ended, before `deadline`. One wait at a time."""
        try:
            return await self.connected(deadline)
        finally:
            self._end_writing()

    async def connected(self, deadline: float) -> bool:
        """Whether a connect() had ended before `deadline`. The wait goes on until `established` or `close`."""
        if self._writing is not None:
            raise RuntimeError(_TWO)
        ready: asyncio.Future[bool] = self._loop.create_future()
        self._writing = ready
        self._loop.add_writer(self._descriptor, _settle, ready, True)
        timer = self._loop.call_at(deadline, _settle, ready, False)
        try:
            return await ready
        finally:
            timer.cancel()

    def established(self) -> None:
        """A connect() has succeeded: from now on what comes is watched for."""
        # Before the other wait ends, for a loop that has one for a socket need not begin anew. Of a connect() that has
        # failed it must not be done: uvloop has given up on the socket then.
        self.watch()
        self._end_writing()

    @property
    def quiet(self) -> bool:
        """Whether nothing is known to have come since the last wait."""
        return self._watching and not self._came

    def watch(self) -> None:
        """Begin to watch for something to read, where that is not done already."""
        if not self._watching:
            self._watching = True
            self._loop.add_reader(self._descriptor, self._on_readable)

    def close(self) -> None:
        """End every wait: what waits is told that nothing came."""
        for ready in (self._reading, self._writing):
            if ready is not None:
                _settle(ready, False)
        self._unwatch()
        self._end_writing()

    def _end_writing(self) -> None:
        if self._writing is not None:
            self._writing = None
            self._loop.remove_writer(self._descriptor)

    def _on_readable(self) -> None:
        # The loop calls this again and again until what came is taken, and once more than is needed.
        if self._reading is not None and not self._reading.done():
            self._reading.set_result(True)
        elif self._came:
            self._unwatch()
        else:
            self._came = True

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._descriptor)


_TWO = "two tasks wait for the same side of one connection"


def _settle(ready: asyncio.Future[bool], value: bool) -> None:
    if not ready.done():
        ready.set_result(value)
