"""The device behind the firewall of the bed, as child processes inside its namespace. It needs nothing of the product.

`serve TALKS SILENT...` takes every connection, and speaks first on one port alone. `queue (late|full) PORT ADDRESS...`
are listeners whose accept queue is full: those that are late begin to take connections when the kernel has dropped one
for that.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

_SO_MEMINFO, _DROPS = 55, 8  # asm-generic/socket.h, linux/sock_diag.h


def _serve(talks: int, silent: Sequence[int]) -> None:
    """Take every connection; speak first on one port, and never on the others."""
    selector = selectors.DefaultSelector()
    for port in (talks, *silent):
        listener = _listener("::", port, backlog=1024)
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, port)
    _say("ready")
    while True:
        for key, _ in selector.select():
            made = key.fileobj
            assert isinstance(made, socket.socket)
            if key.data is None:
                if not _received(made):
                    selector.unregister(made)
                    made.close()
                continue
            # Who only knocks may be gone again by now.
            with suppress(OSError):
                accepted, _ = made.accept()
                accepted.setblocking(False)
                selector.register(accepted, selectors.EVENT_READ, None)
                if key.data == talks:
                    accepted.send(b"hello\r\n")


def _received(accepted: socket.socket) -> bool:
    try:
        return bool(accepted.recv(4096))
    except OSError:
        return False


def _queue(how: str, port: int, addresses: Sequence[str]) -> None:
    """Listen with room for one connection, and take that room at once."""
    for address in addresses:
        listener = _listener(address, port, backlog=0)
        filling = socket.create_connection((address, port))
        threading.Thread(
            target=_take, args=(listener, filling), daemon=True
        ).start() if how == "late" else _keep.append((listener, filling))
    _say("ready")
    threading.Event().wait()  # until the end of the process


_keep: list[tuple[socket.socket, socket.socket]] = []


def _take(listener: socket.socket, filling: socket.socket) -> None:
    while not _drops(listener):
        time.sleep(0.005)
    with filling:
        while True:
            accepted, _ = listener.accept()
            _keep.append((accepted, filling))


def _drops(listener: socket.socket) -> int:
    """How many connections the kernel has dropped for want of room."""
    counters = listener.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
    return int(struct.unpack_from(f"={len(counters) // 4}I", counters)[_DROPS])


def _listener(address: str, port: int, *, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address == "::":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    role, first, *more = sys.argv[1:]
    if role == "serve":
        _serve(int(first), [int(port) for port in more])
    else:
        _queue(first, int(more[0]), more[1:])
