"""Hostile web fronts on loopback, each at an address of its own, in one child process that writes down who came.

What they say is in `tests.faults.web_answers`.

`python -m tests.faults.web_fronts PLAIN_PORT TLS_PORT CERTIFICATE KEY` listens on both ports of every loopback address,
and on the first also on the IPv6 one. A front is told by the address that a connection came to. At every other address
there is a trap: nobody is to come there, and what came is written down.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.faults.web_answers import FRONTS, Asked, Front
from tests.live.certificates import TlsFiles
from tests.live.servers.process import Process, python_child, serving

_NETWORK = "127.1"


@dataclass(frozen=True, slots=True)
class Fronts:
    """The running fronts: a plain and a TLS port, the same at every address."""

    port: int
    tls_port: int
    process: Process

    def connections(self, address: str) -> int:
        """How many connections came to an address so far."""
        return len([line for line in self._lines() if line.get("opened") == address])

    def most_at_once(self, address: str) -> int:
        """The most connections to an address that were open at the same time."""
        return max((int(str(line["now"])) for line in self._lines() if line.get("opened") == address), default=0)

    def requests(self, address: str) -> list[str]:
        """The paths that were asked at an address, in their order."""
        return [str(line["path"]) for line in self._lines() if line.get("asked") == address]

    def strayed(self) -> list[dict[str, object]]:
        """The connections to where no front is."""
        return [line for line in self._lines() if "opened" in line and not line["front"]]

    def wait_until_left(self, within_s: float = 10.0) -> None:
        """Wait until every connection has ended, as the fronts see it; raises `TimeoutError`."""
        deadline = time.monotonic() + within_s
        while (lines := self._lines()) and sum("opened" in line for line in lines) > sum(
            "ended" in line for line in lines
        ):
            if time.monotonic() > deadline:
                message = "a connection is still open"
                raise TimeoutError(message)
            time.sleep(0.01)

    def _lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.process.text().splitlines() if line[:1] == "{" and line[-1:] == "}"]


@contextmanager
def web_fronts(tls: TlsFiles) -> Iterator[Fronts]:
    """All fronts, until the end of the block."""

    def command(_folder: object, ports: tuple[int, ...]) -> list[str]:
        return python_child(__name__, *map(str, ports), str(tls.certificate), str(tls.key))

    with serving("web-fronts", command, ports=2, ready="ready\n", polite=False) as process:
        plain, inside_tls = process.ports
        yield Fronts(plain, inside_tls, process)


def address_of(front: str, place: int = 0) -> str:
    """Where a front is; `place` tells the several addresses of one and the same apart."""
    number = list(FRONTS).index(front)
    return f"{_NETWORK}.{place}.{number + 1}"


# ------------------------------------------------------------------------------------------------------ in the child


class _Book:
    """What the child writes down for the test."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def opened(self, address: str, *, front: bool) -> None:
        self._open[address] = now = self._open.get(address, 0) + 1
        self._write({"opened": address, "front": front, "now": now})

    def asked(self, address: str, path: str) -> None:
        self._write({"asked": address, "path": path})

    def ended(self, address: str) -> None:
        self._open[address] -= 1
        self._write({"ended": address})

    def _write(self, line: Mapping[str, object]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _front_at(address: str) -> Front | None:
    number = int(address.rpartition(".")[2]) if address.startswith(f"{_NETWORK}.") else 0
    return list(FRONTS.values())[number - 1] if 0 < number <= len(FRONTS) else None


async def _serve(book: _Book, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    address, port, *_ = writer.get_extra_info("sockname")
    front = _front_at(address)
    book.opened(address, front=front is not None)
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode("latin-1")
        authority = head.lower().partition(b"host: ")[2].partition(b"\r\n")[0].decode("latin-1")
        book.asked(address, path)
        if front is not None:
            await _until_left(front(Asked(path, address, port, authority, writer)), reader)
        writer.close()
        await writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError):
        pass  # the client has had enough, or asked for nothing: its right
    finally:
        writer.transport.abort()
        book.ended(address)


async def _until_left(answering: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Answer until that is done, or the client has left: one that drips would not notice for long."""
    answer, left = asyncio.ensure_future(answering), asyncio.ensure_future(reader.read())
    try:
        await asyncio.wait((answer, left), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            await answer
    finally:
        answer.cancel()
        left.cancel()
        await asyncio.wait((answer, left))
        left.cancelled() or left.exception()


async def _listen(plain_port: int, tls_port: int, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    serve = partial(_serve, _Book())
    servers = [
        await asyncio.start_server(serve, "0.0.0.0", plain_port, backlog=512),
        await asyncio.start_server(serve, "::1", plain_port, family=socket.AF_INET6),
        await asyncio.start_server(serve, "0.0.0.0", tls_port, backlog=512, ssl=context),
    ]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_listen(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]))
