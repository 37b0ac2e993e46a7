"""The cheapest DICOMweb that the benchmark can have, so that what is measured is the client: canned answers, on uvloop.

`python -m tests.bench.web_server PLAIN_PORT TLS_PORT CERTIFICATE KEY` listens on every loopback address, on one port in
plaintext and on the other inside TLS. A path that ends as a canary does is answered by an empty list, any other by 404.

A path below `/together/<number>/` is answered once so many requests below it wait at the same time, so that as many are
in flight as the benchmark says. One without `Connection: close` in its head keeps its connection (RFC 9112 9.3).
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import cast

from tests.bench.web_questions import CANARY_ENDS, TOGETHER

_HEAD_END = b"\r\n\r\n"
_CLOSE = b"connection: close"
_EMPTY = b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/dicom+json\r\nContent-Length: 2\r\n"
_NONE = b"HTTP/1.1 404 Not Found\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
_CANARY_ENDS = CANARY_ENDS.encode()
_TOGETHER = f"{TOGETHER}/".encode()


class _Web(asyncio.Protocol):
    """One connection."""

    def __init__(self, waiting: list[_Web]) -> None:
        self._waiting = waiting
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a head that is there as a whole, now or together with others."""
        self._head += data
        if not self._head.endswith(_HEAD_END):
            return
        path = self._head.split(b" ", 2)[1]
        if not path.startswith(_TOGETHER):
            self._answer()
            return
        self._waiting.append(self)
        if len(self._waiting) == int(path[len(_TOGETHER) :].split(b"/", 1)[0]):
            for one in self._waiting:
                one._answer()
            self._waiting.clear()

    def _answer(self) -> None:
        head, self._head = self._head, b""
        closes = _CLOSE in head.lower()
        body = b"[]" if head.split(b" ", 2)[1].endswith(_CANARY_ENDS) else b"{}"
        answer = _EMPTY if body == b"[]" else _NONE
        self._transport.write(answer + (b"Connection: close\r\n\r\n" if closes else b"\r\n") + body)
        if closes:
            self._transport.close()


async def _serve(plain_port: int, tls_port: int, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop, waiting = asyncio.get_running_loop(), list[_Web]()
    plain = await loop.create_server(lambda: _Web(waiting), "0.0.0.0", plain_port, backlog=4096)
    tls = await loop.create_server(lambda: _Web(waiting), "0.0.0.0", tls_port, backlog=4096, ssl=context)
    await asyncio.gather(plain.serve_forever(), tls.serve_forever())


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]))
