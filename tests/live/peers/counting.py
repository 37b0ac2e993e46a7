"""A door on loopback that leads to a server and counts who goes through it: the cost of a tool in connections.

It hands on what it gets in both directions, and ends a connection as the other side ended it, politely or with a reset.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.live.servers.process import LOOPBACK

_CHUNK = 65_536
_BACKLOG = 128
_NO_LINGERING = struct.pack("ii", 1, 0)


@contextmanager
def counting(host: str, port: int) -> Iterator[Door]:
    """A door to this server until the end of the block, which ends whatever still goes through it."""
    door = Door(host, port)
    try:
        yield door
    finally:
        door.close()


class Door:
    """The open door, at `host` and `port`. `connections` have come so far."""

    def __init__(self, host: str, port: int) -> None:
        self._leads_to = host, port
        self._listener = socket.create_server((LOOPBACK, 0), backlog=_BACKLOG)
        self.host, self.port = self._listener.getsockname()
        self.connections = 0
        self._sockets: set[socket.socket] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._passing: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        """Let nobody in any more, and end all that is under way."""
        self._listener.shutdown(socket.SHUT_RDWR)  # which ends the accept that waits in the thread
        self._accepting.join()
        self._listener.close()
        with self._lock:
            self._closed = True
            for open_socket in self._sockets:
                _shut(open_socket, socket.SHUT_RDWR)
        for thread in self._passing:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                outer, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._pass_on, args=(outer,))
            self._passing.append(thread)
            thread.start()

    def _pass_on(self, outer: socket.socket) -> None:
        with outer:
            try:
                with socket.create_connection(self._leads_to) as inner, self._known(outer, inner):
                    try:
                        _exchange(outer, inner)
                    except OSError:
                        _reset(inner)
                        raise
            except OSError:
                _reset(outer)

    @contextmanager
    def _known(self, *sockets: socket.socket) -> Iterator[None]:
        """These are what `close` has to end."""
        with self._lock:
            self._sockets.update(sockets)
            if self._closed:
                for known in sockets:
                    _shut(known, socket.SHUT_RDWR)
        try:
            yield
        finally:
            with self._lock:
                self._sockets.difference_update(sockets)


def _exchange(outer: socket.socket, inner: socket.socket) -> None:
    """Hand on until both sides have said all; raises `OSError` where one breaks off."""
    with selectors.DefaultSelector() as selector:
        selector.register(outer, selectors.EVENT_READ, (outer, inner))
        selector.register(inner, selectors.EVENT_READ, (inner, outer))
        while selector.get_map():
            for key, _events in selector.select():
                heard, other = key.data
                if data := heard.recv(_CHUNK):
                    other.sendall(data)
                else:
                    selector.unregister(heard)
                    _shut(other, socket.SHUT_WR)


def _shut(known: socket.socket, how: int) -> None:
    with suppress(OSError):  # the other side may have left altogether
        known.shutdown(how)


def _reset(known: socket.socket) -> None:
    known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
