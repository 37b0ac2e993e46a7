"""HTTP through the gateway: httpx with a transport of our own, one connection for each request.

GET only; no redirect is followed, no cookie kept, no proxy of the environment used, no credential known. httpx's client
stands for all of these, and it raises where a Location is malformed, so its transport is spoken to directly. The byte
cap and the deadline are those of the connection, on the raw stream, so a compressed or dripping answer cannot outgrow
them.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
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

_EXCHANGE = "pacs_checker.exchange"
# How much is taken from the kernel at once: of a body that nobody wants, less than this comes along with the headers.
_TAKEN_AT_ONCE = 1024
_STATUS_LINE = b"HTTP/"  # RFC 9112 section 4


@dataclass(frozen=True, slots=True)
class Request:
    """One GET: to `permit.address` and `port`, with the host of `url` in the Host header and as server name.

    `prefix_bytes` bounds what is read of the body; `enough` is asked after each part and may end the reading earlier.
    """

    url: str
    permit: Permit
    port: int
    purpose: str
    accept: str
    prefix_bytes: int
    limits: Limits
    enough: Enough | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `prefix` is at most the asked number of bytes; `complete` says that it is the whole body."""

    status: int
    headers: Headers
    prefix: bytes
    complete: bool
    rtt_ms: float


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer: one of `connect`, `tls`, `end` and `malformed` says why.

    `malformed` is for bytes that are no HTTP/1.1; a body that broke off is an `end`. `heard` says that something had
    come from the peer by then; `first` is the beginning of what is no HTTP, at most five bytes, to be told apart and
    dropped.
    """

    connect: PortFacts | None = None
    tls: TlsFailure | None = None
    end: End | None = None
    malformed: bool = False
    heard: bool = False
    rtt_ms: float | None = None
    first: bytes = field(default=b"", repr=False)


class _NotConnected(httpcore.ConnectError):
    def __init__(self, connect: PortFacts) -> None:
        super().__init__("the gateway has no connection")
        self.connect = connect


class _NoTls(httpcore.ConnectError):
    def __init__(self, failure: TlsFailure) -> None:
        super().__init__("no TLS session")
        self.failure = failure


class _Ended(httpcore.ReadError):
    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


class _NotHttp(httpcore.RemoteProtocolError):
    def __init__(self) -> None:
        super().__init__("the first bytes are not HTTP's")


class _Exchange:
    """The life of one request's connection, kept beside httpx, which knows nothing of outcomes as values."""

    def __init__(self, device: Device, request: Request, server_name: str | None) -> None:
        self.device = device
        self.request = request
        self.server_name = server_name
        self.connection: Connection | None = None
        self.stream: TlsStream | None = None
        self.first_bytes = b""
        self.hung_up = False
        self.head_came = False

    def begin(self, got: bytes) -> None:
        """Look at the first bytes: one that speaks another protocol and then waits would use up all of the time."""
        if len(self.first_bytes) < len(_STATUS_LINE):
            self.first_bytes += got[: len(_STATUS_LINE) - len(self.first_bytes)]
            if not _STATUS_LINE.startswith(self.first_bytes):
                raise _NotHttp

    async def drop(self) -> None:
        """Leave, and take nothing more from the peer."""
        if self.stream is not None:
            await self.stream.drop()
        elif self.connection is not None:
            self.connection.abandon()

    def failure(
        self,
        *,
        connect: PortFacts | None = None,
        tls: TlsFailure | None = None,
        end: End | None = None,
        malformed: bool = False,
    ) -> Failure:
        """A failure with what is known of the connection."""
        made = self.connection
        return Failure(
            connect=connect,
            tls=tls,
            end=end,
            malformed=malformed,
            heard=made is not None and made.bytes_received > 0,
            rtt_ms=None if made is None else made.rtt_ms,
            first=self.first_bytes if malformed else b"",
        )


class _Stream(httpcore.AsyncNetworkStream):
    """A `ByteStream` as httpcore wants one. Time limits of httpcore are left aside: the connection has its own."""

    def __init__(self, exchange: _Exchange, connection: Connection, stream: ByteStream) -> None:
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
            raise _NoTls(refusal)
        raise _Ended(got)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        end = await self._stream.send(buffer)
        if end is not None:
            raise _Ended(end)

    async def aclose(self) -> None:
        await self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
    ) -> httpcore.AsyncNetworkStream:
        stream = TlsStream(self._connection, server_name=self._exchange.server_name)
        self._exchange.stream = stream
        failure = await stream.handshake()
        if failure is not None:
            raise _NoTls(failure)
        return _Stream(self._exchange, self._connection, stream)

    def get_extra_info(self, info: str) -> Any:
        return None


class _Backend(httpcore.AsyncNetworkBackend):
    """httpcore's way to the network: the gateway, and only for the address that was permitted."""

    def __init__(self, exchange: _Exchange) -> None:
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
            raise _NotConnected(made)
        exchange.connection = made
        return _Stream(exchange, made, made)


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, connection: httpcore.AsyncHTTPConnection) -> None:
        self._response = response
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()
        await self._connection.aclose()


class GatewayTransport(httpx.AsyncBaseTransport):
    """httpx's transport over the gateway: a fresh `httpcore.AsyncHTTPConnection` for each request."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request over one connection of the gateway."""
        exchange: _Exchange = request.extensions[_EXCHANGE]
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
            stream=_Body(response, connection),
            extensions={"http_version": response.extensions.get("http_version", b"")},
        )


class HttpDoor:
    """One way to ask for the whole run. `user_agent` is how we introduce ourselves."""

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent
        self._transport = GatewayTransport()

    async def get(self, device: Device, request: Request, *, server_name: str | None) -> Response | Failure:
        """Ask once. `server_name` is the SNI, None where the URL names an address (RFC 6066 section 3)."""
        exchange = _Exchange(device, request, server_name)
        try:
            return await self._ask(exchange)
        except _NotConnected as error:
            return exchange.failure(connect=error.connect)
        except _NoTls as error:
            return exchange.failure(tls=error.failure)
        except _Ended as error:
            return exchange.failure(end=error.end)
        except httpcore.RemoteProtocolError:
            # h11's words may quote what the peer sent, so they are not passed on.
            if exchange.hung_up and (exchange.head_came or not exchange.first_bytes):
                return exchange.failure(end=End.CLOSED)
            return exchange.failure(malformed=True)
        finally:
            if exchange.connection is not None:
                exchange.connection.abandon()

    async def _ask(self, exchange: _Exchange) -> Response:
        request = exchange.request
        built = httpx.Request(
            "GET",
            request.url,
            headers={
                "User-Agent": self._user_agent,
                "Accept": request.accept,
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            extensions={_EXCHANGE: exchange},
        )
        response = await self._transport.handle_async_request(built)
        exchange.head_came = True
        headers = tuple(response.headers.raw)
        prefix = bytearray()
        complete = True
        try:
            async for part in response.aiter_raw():
                prefix += part
                if len(prefix) > request.prefix_bytes or (
                    request.enough is not None and request.enough(response.status_code, headers, bytes(prefix))
                ):
                    complete = False
                    break
        finally:
            if not complete:
                # The rest of the body is not taken: draining it would be to download what was found.
                await exchange.drop()
            await response.aclose()
        return Response(
            response.status_code,
            headers,
            bytes(prefix[: request.prefix_bytes]),
            complete,
            exchange.connection.rtt_ms if exchange.connection is not None else 0.0,
        )

    async def aclose(self) -> None:
        """Let the transport go."""
        await self._transport.aclose()


@cache
def _unused_context() -> ssl.SSLContext:
    # httpcore would load a trust store for each connection; the TLS here is `TlsStream`'s, which looks at none.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
