"""One request's connection: httpx's transport and httpcore's backend, over the gateway.

httpcore makes one connection for each request, and its way to the network is the gateway: the byte cap and the deadline
are those of the connection, on the raw stream. It opens nothing itself, reads nothing that was not asked for, and takes
nothing more from a peer once an answer is broken or enough of it is here.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import httpcore
import httpx

from checker.model import End, Permit, PortFacts
from checker.net.connection import ByteStream, Connection
from checker.net.gateway import Device, Limits
from checker.net.tls import TlsFailure, TlsStream

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
Enough: TypeAlias = Callable[[int, Headers, bytes], bool]
"""From a status, the headers and the body so far: whether no more of the body is to be read."""

EXCHANGE = "pacs_checker.exchange"
"""The extension of an `httpx.Request` that holds its `Exchange`."""

# How much is taken from the kernel at once: of a body that nobody wants, less than this comes along with the headers.
_TAKEN_AT_ONCE = 1024
_STATUS_LINE = b"HTTP/"  # RFC 9112 section 4
_ALPN = ("http/1.1",)  # RFC 7301: a server that has nothing but HTTP/2 then says so


@dataclass(frozen=True, slots=True)
class Request:
    """One GET: to `permit.address` and `port`, with the host of `url` in the Host header and as server name.

    `prefix_bytes` bounds what is read of the body; `enough` is asked after each part and may end the reading earlier.
    `origin` is sent as the header Origin, which no other request has (RFC 6454 section 7).
    """

    url: str
    permit: Permit
    port: int
    purpose: str
    accept: str
    prefix_bytes: int
    limits: Limits
    enough: Enough | None = None
    origin: str | None = None


class NotConnected(httpcore.ConnectError):
    """The gateway has no connection; `connect` says why."""

    def __init__(self, connect: PortFacts) -> None:
        super().__init__("the gateway has no connection")
        self.connect = connect


class NoTls(httpcore.ConnectError):
    """There is no TLS session, or it was refused after the handshake."""

    def __init__(self, failure: TlsFailure) -> None:
        super().__init__("no TLS session")
        self.failure = failure


class Ended(httpcore.ReadError):
    """The connection ended before the answer did."""

    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


class NotHttp(httpcore.RemoteProtocolError):
    """The first bytes are not HTTP's; `http2` says that they are a frame of HTTP/2."""

    def __init__(self, *, http2: bool) -> None:
        super().__init__("the first bytes are not HTTP's")
        self.http2 = http2


class Exchange:
    """The life of one request's connection, kept beside httpx, which knows nothing of outcomes as values.

    `hung_up`: the peer's end has come. `head_came` and `all_came`: the head of an answer has, and all of it.
    """

    def __init__(self, device: Device, request: Request, server_name: str | None) -> None:
        self.device = device
        self.request = request
        self.server_name = server_name
        self.connection: Connection | None = None
        self.stream: TlsStream | None = None
        self.first_bytes = b""
        self.hung_up = False
        self.head_came = False
        self.all_came = False

    def begin(self, got: bytes) -> None:
        """Look at the first bytes: one that speaks another protocol and then waits would use up all of the time."""
        if len(self.first_bytes) < len(_STATUS_LINE):
            begun = self.first_bytes + got
            self.first_bytes = begun[: len(_STATUS_LINE)]
            if not _STATUS_LINE.startswith(self.first_bytes):
                raise NotHttp(http2=_is_http2(begun))

    async def drop(self) -> None:
        """Leave, and take nothing more from the peer."""
        if self.stream is not None:
            await self.stream.drop()
        elif self.connection is not None:
            self.connection.abandon()


class _Stream(httpcore.AsyncNetworkStream):
    """A `ByteStream` as httpcore wants one. Time limits of httpcore are left aside: the connection has its own."""

    def __init__(self, exchange: Exchange, connection: Connection, stream: ByteStream) -> None:
        self._exchange = exchange
        self._connection = connection
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        got = await self._stream.receive(min(max_bytes, _TAKEN_AT_ONCE))
        if isinstance(got, bytes):
            self._exchange.begin(got)
            return got
        if got is End.CLOSED:
            self._exchange.hung_up = True
            return b""
        refusal = self._exchange.stream.refusal if self._exchange.stream is not None else None
        if refusal is not None:
            raise NoTls(refusal)
        raise Ended(got)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        end = await self._stream.send(buffer)
        if end is not None:
            raise Ended(end)

    async def aclose(self) -> None:
        # httpcore comes here after every error as well: what a broken answer goes on with is not to be taken, nor what
        # stands behind a whole one. Inside TLS that may be the peer's own farewell, which is not to be met by a reset.
        if self._exchange.all_came and self._exchange.stream is not None:
            await self._stream.close()
        else:
            await self._exchange.drop()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
    ) -> httpcore.AsyncNetworkStream:
        stream = TlsStream(self._connection, server_name=self._exchange.server_name, alpn=_ALPN)
        self._exchange.stream = stream
        failure = await stream.handshake()
        if failure is not None:
            raise NoTls(failure)
        return _Stream(self._exchange, self._connection, stream)

    def get_extra_info(self, info: str) -> Any:
        return None


class _Backend(httpcore.AsyncNetworkBackend):
    """httpcore's way to the network: the gateway, and only for the address that was permitted."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        exchange, request = self._exchange, self._exchange.request
        made = await exchange.device.connect(request.permit, request.port, request.purpose, request.limits)
        if isinstance(made, PortFacts):
            raise NotConnected(made)
        exchange.connection = made
        return _Stream(exchange, made, made)


class _Body(httpx.AsyncByteStream):
    def __init__(
        self, exchange: Exchange, response: httpcore.Response, connection: httpcore.AsyncHTTPConnection
    ) -> None:
        self._exchange = exchange
        self._response = response
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part
        self._exchange.all_came = True

    async def aclose(self) -> None:
        await self._response.aclose()
        await self._connection.aclose()


class GatewayTransport(httpx.AsyncBaseTransport):
    """httpx's transport over the gateway: a fresh `httpcore.AsyncHTTPConnection` for each request."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request over one connection of the gateway."""
        exchange: Exchange = request.extensions[EXCHANGE]
        origin = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=exchange.request.port,
            target=request.url.raw_path,
        )
        connection = httpcore.AsyncHTTPConnection(
            origin=origin.origin,
            ssl_context=_unused_context(),
            network_backend=_Backend(exchange),
            http1=True,
            http2=False,
        )
        try:
            response = await connection.handle_async_request(
                httpcore.Request(method=request.method, url=origin, headers=request.headers.raw)
            )
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(exchange, response, connection),
            extensions={"http_version": response.extensions.get("http_version", b"")},
        )


def _is_http2(begun: bytes) -> bool:
    """Whether the first bytes are the header of a SETTINGS or GOAWAY frame of a connection (RFC 9113 4.1, 6.5, 6.8)."""
    if len(begun) < 9:
        return False
    length, kind, stream = int.from_bytes(begun[:3], "big"), begun[3], int.from_bytes(begun[5:9], "big")
    sizes = length % 6 == 0 if kind == 4 else length >= 8
    return kind in (4, 7) and stream & 0x7FFFFFFF == 0 and sizes and length <= 16384


@cache
def _unused_context() -> ssl.SSLContext:
    # httpcore would load a trust store for each connection; the TLS here is `TlsStream`'s, which looks at none.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
