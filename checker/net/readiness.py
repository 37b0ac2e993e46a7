"""Waiting for a socket, with a time limit, on uvloop and on stock asyncio alike. It reads and writes nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable


class Readiness:
    """The waits on one socket. `close` ends them, and must come before the socket is closed.

    A loop knows a socket by its descriptor only. A wait that outlived its socket would watch whichever socket gets that
    number next.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = sock.fileno()
        self._reading: asyncio.Future[bool] | None = None
        self._writing: asyncio.Future[bool] | None = None

    async def readable(self, deadline: float) -> bool:
        """Whether there was something to read before `deadline`, a time of the loop's clock. One wait at a time."""
        self._reading = self._watch(self._reading, self._loop.add_reader)
        return await self._until(self._reading, deadline, self._stop_reading)

    async def writable(self, deadline: float) -> bool:
        """Whether there was room to write, or a connect() had ended, before `deadline`. One wait at a time."""
        self._writing = self._watch(self._writing, self._loop.add_writer)
        return await self._until(self._writing, deadline, self._stop_writing)

    def close(self) -> None:
        """End every wait: what waits is told that nothing came."""
        for ready in (self._reading, self._writing):
            if ready is not None:
                _settle(ready, False)
        self._stop_reading()
        self._stop_writing()

    def _watch(self, before: asyncio.Future[bool] | None, watch: Callable[..., object]) -> asyncio.Future[bool]:
        if before is not None:
            message = "two tasks wait for the same side of one connection"
            raise RuntimeError(message)
        ready: asyncio.Future[bool] = self._loop.create_future()
        watch(self._descriptor, _settle, ready, True)
        return ready

    async def _until(self, ready: asyncio.Future[bool], deadline: float, stop: Callable[[], None]) -> bool:
        timer = self._loop.call_at(deadline, _settle, ready, False)
        try:
            return await ready
        finally:
            timer.cancel()
            stop()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading = None
            self._loop.remove_reader(self._descriptor)

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing = None
            self._loop.remove_writer(self._descriptor)


def _settle(ready: asyncio.Future[bool], value: bool) -> None:
    if not ready.done():
        ready.set_result(value)
