"""The clients beside us, for the benchmark: a bare one of uvloop, httpx in two set-ups, and aiohttp.

`python -m tests.bench.web_clients NAME SCHEME PORT COUNT WARM_UP` is a child that asks so many addresses, all at the
same time, and writes what that has cost. Of the project it needs `web_questions` alone, for with aiohttp it runs in the
environment of `make peers`. Each client is set up as well as it can be: any number of connections, none kept where that
is cheaper, no environment, no cookies, no time limits, one TLS context for all, which looks at no certificate.
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import cast
from urllib.parse import urlsplit

from tests.bench.web_questions import ACCEPT, seldom_collecting, urls

BARE = "bare"
HTTPX = "httpx"
HTTPX_KEEPING = "httpx-keeping"
AIOHTTP = "aiohttp"

_HEADERS = {"User-Agent": "bench", "Accept": ACCEPT, "Accept-Encoding": "identity"}
_LAST_BYTES = b"\r\n\r\n[]"


class Unexpected(Exception):  # noqa: N818 - named for what it is
    """An answer was not the server's: what it has cost would mean nothing."""


class _Bare(asyncio.Protocol):
    """Sends its bytes, and is done when the end of the answer has come. It reads nothing in it."""

    def __init__(self, request: bytes, done: asyncio.Future[bytes]) -> None:
        self._request = request
        self._done = done
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._answer.endswith(_LAST_BYTES):
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(self._answer)


async def _bare(asked: Sequence[str], context: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()

    async def ask(url: str) -> None:
        parts = urlsplit(url)
        lines = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in (*_HEADERS.items(), ("Connection", "close"))]
        request = "\r\n".join((*lines, "", "")).encode()
        done: asyncio.Future[bytes] = loop.create_future()
        wanted = context if parts.scheme == "https" else None
        host, port = parts.hostname or "", parts.port or 0
        await loop.create_connection(partial(_Bare, request, done), host, port, ssl=wanted)
        _expect((await done).endswith(_LAST_BYTES))

    await asyncio.gather(*map(ask, asked))


async def _httpx(asked: Sequence[str], context: ssl.SSLContext, *, kept: int | None) -> None:
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=kept)
    async with httpx.AsyncClient(
        limits=limits, verify=context, trust_env=False, timeout=httpx.Timeout(None), headers=_HEADERS
    ) as client:

        async def ask(url: str) -> None:
            _expect((await client.get(url)).content == b"[]")

        await asyncio.gather(*map(ask, asked))


async def _aiohttp(asked: Sequence[str], context: ssl.SSLContext) -> None:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0, force_close=True, ssl=context)
    jar, timeout = aiohttp.DummyCookieJar(), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=jar, timeout=timeout, headers=_HEADERS, auto_decompress=False
    ) as client:

        async def ask(url: str) -> None:
            async with client.get(url, allow_redirects=False) as answer:
                _expect(await answer.read() == b"[]")

        await asyncio.gather(*map(ask, asked))


_CLIENTS: dict[str, Callable[[Sequence[str], ssl.SSLContext], Awaitable[None]]] = {
    BARE: _bare,
    HTTPX: partial(_httpx, kept=0),
    HTTPX_KEEPING: partial(_httpx, kept=None),
    AIOHTTP: _aiohttp,
}


def ask(name: str, addresses: Sequence[str], port: int, *, tls: bool) -> None:
    """One request of each address by the client of this name, all in flight together; raises `Unexpected`."""
    import uvloop

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with seldom_collecting(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_CLIENTS[name](urls(addresses, port, tls=tls), context))  # type: ignore[arg-type] # all coroutines


def address(number: int) -> str:
    """One of the addresses of loopback, which all lead to the same server."""
    return f"127.9.{100 + number // 250}.{number % 250 + 1}"


def measured(ask: Callable[[Sequence[str]], int], count: int, warm_up: int) -> dict[str, float]:
    """What it takes this process to ask so many addresses: CPU and wall time in seconds, and the connections.

    `ask` gives their number. What is imported and read once, in asking the first `warm_up`, is not counted.
    """
    ask([address(number) for number in range(warm_up)])
    addresses = [address(number) for number in range(count)]
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    connections = ask(addresses)
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "wall": wall, "connections": connections}


def _expect(right: bool) -> None:
    if not right:
        message = "the answer is not the server's"
        raise Unexpected(message)


def _main(name: str, scheme: str, port: int, count: int, warm_up: int) -> None:
    def asked(addresses: Sequence[str]) -> int:
        ask(name, addresses, port, tls=scheme == "https")
        return len(addresses)

    sys.stdout.write(json.dumps(measured(asked, count, warm_up)))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
