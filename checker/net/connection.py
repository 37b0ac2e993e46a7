"""One TCP connection to a device: every read has a byte cap and a deadline, at the socket.

Reading is on demand: no byte is taken from the kernel that the caller did not ask for, so a peer that floods fills its
own send buffer and not our memory. Network outcomes are values (`End`), never exceptions.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from checker.model import End
from checker.net.readiness import Readiness


class ByteStream(Protocol):
    """What a conversation needs, whether in plain or inside TLS."""

    async def send(self, data: bytes) -> End | None:
        """Send all of `data`; None when the kernel has taken it."""

    async def receive(self, limit: int = 16384) -> bytes | End:
        """At least one and at most `limit` bytes, or why there are none."""

    async def close(self) -> None:
        """Leave cleanly."""

    def abandon(self) -> None:
        """Leave at once and take nothing more from the peer."""


class Connection:
    """An established connection. Made by the gateway only; whoever got it must `close` or `abandon` it.

    `deadline` is a time of the event loop's clock: it holds for the whole conversation. `max_bytes` counts what was
    received over the whole conversation, at the socket.
    """

    def __init__(
        self,
        sock: socket.socket,
        readiness: Readiness,
        *,
        rtt_ms: float,
        deadline: float,
        max_bytes: int,
        on_end: Callable[[Connection, str], None],
    ) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._readiness = readiness
        self._deadline = deadline
        self._left = max_bytes
        self._on_end = on_end
        self._ended: End | None = None
        self._closed = False
        self._broken = False  # nothing more can be sent; what the peer said before is still to be taken
        self._more_ready = False  # there may be something to take of which there will be no news
        self.rtt_ms = rtt_ms
        self.bytes_sent = 0
        self.bytes_received = 0

    @property
    def deadline(self) -> float:
        """When the conversation must be over, by the event loop's clock."""
        return self._deadline

    async def send(self, data: bytes, *, last: bool = False) -> End | None:
        """Send all of `data`; an End where the peer or the deadline ended the conversation first.

        What the kernel takes at once goes out also after the deadline or the cap, so that a last word can be said. The
        `last` word waits for the FIN of `close`, with which it goes out in one packet.
        """
        flags = socket.MSG_MORE if last else 0
        view = memoryview(data)
        while view:
            if self._closed:
                return self._ended or End.CLOSED
            try:
                sent = self._sock.send(view, flags)
            except BlockingIOError:
                if not await self._readiness.writable(self._deadline):
                    return self._end(End.TIMEOUT)
                continue
            except OSError:
                self._broken = True
                return End.RESET
            self.bytes_sent += sent
            view = view[sent:]
        return None

    async def receive(self, limit: int = 16384) -> bytes | End:
        """At least one and at most `limit` bytes, or the End of the conversation. ValueError for a limit under one."""
        if limit < 1:
            message = f"a limit of {limit} bytes would read as the end of the conversation"
            raise ValueError(message)
        if self._more_ready:
            # A peer that sends faster than it is read would otherwise never let another visit have the loop.
            await asyncio.sleep(0)
            quiet = False
        else:
            quiet = self._readiness.quiet and self._left > 0
        while True:
            if self._ended is not None or self._closed:
                return self._ended or End.CLOSED
            # Bytes that trickle must not outlive the deadline, though each of them is ready at once.
            if self._loop.time() >= self._deadline:
                return self._end(End.TIMEOUT)
            if quiet:
                quiet = False
                if not await self._readiness.readable(self._deadline):
                    return self._end(End.TIMEOUT)
                self._more_ready = True
                continue
            try:
                if self._left <= 0:
                    # Whether the peer had more to say than the cap is seen without taking any of it.
                    return self._end(End.TOO_MUCH if self._sock.recv(1, socket.MSG_PEEK) else End.CLOSED)
                wanted = min(limit, self._left)
                data = self._sock.recv(wanted)
            except BlockingIOError:
                self._more_ready = False
                if not await self._readiness.readable(self._deadline):
                    return self._end(End.TIMEOUT)
                self._more_ready = True
                continue
            except OSError:
                return self._end(End.RESET)
            if not data:
                return self._end(End.RESET if self._broken else End.CLOSED)
            self.bytes_received += len(data)
            self._left -= len(data)
            self._more_ready = len(data) == wanted
            if not self._more_ready:
                self._readiness.drained()
            return data

    async def close(self) -> None:
        """Leave cleanly: a FIN. Bytes already here are taken first, for the kernel answers unread ones with a reset."""
        if self._closed:
            return
        # OSError: nothing (more) to take, or the peer is gone; closing is all that is left to do in either case.
        with suppress(OSError):
            while self._left > 0 and (data := self._sock.recv(min(4096, self._left))):
                self.bytes_received += len(data)
                self._left -= len(data)
        self._shut()

    def abandon(self) -> None:
        """Leave at once: what the peer still sends is answered by a reset, unread."""
        self._shut()

    def narrow_deadline(self, seconds: float) -> float:
        """Bring the deadline forward to at most `seconds` from now; gives the earlier one, to be put back."""
        before = self._deadline
        self._deadline = min(before, self._loop.time() + seconds)
        return before

    def put_back_deadline(self, deadline: float) -> None:
        """Undo `narrow_deadline`; a conversation that ended for the narrow one goes on."""
        self._deadline = deadline
        if self._ended is End.TIMEOUT and self._loop.time() < deadline:
            self._ended = None

    def _end(self, end: End) -> End:
        # A connection that was left in the middle of a wait has ended already, and not by the peer.
        if not self._closed:
            self._ended = end
        return self._ended or End.CLOSED

    def _shut(self) -> None:
        if self._closed:
            return
        self._closed = True
        ended = self._ended or (End.RESET if self._broken else None)
        word = (ended or End.CLOSED).value if self.bytes_received or ended else "opened"
        try:
            self._readiness.close()
            self._sock.close()
        finally:
            self._on_end(self, word)
