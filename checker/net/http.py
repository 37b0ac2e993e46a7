"""HTTP through the gateway: httpx with a transport of our own, one connection for each request.

GET only; no redirect is followed, no cookie kept, no proxy of the environment used, no credential known. httpx's client
stands for all of these, and it raises where a Location is malformed, so its transport is spoken to directly. The byte
cap and the deadline are those of the connection, on the raw stream, so a compressed or dripping answer cannot outgrow
them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import httpcore
import httpx

from checker.model import End, PortFacts
from checker.net.gateway import Device
from checker.net.http_exchange import (
    EXCHANGE,
    Ended,
    Enough,
    Exchange,
    GatewayTransport,
    Headers,
    NotConnected,
    NotHttp,
    NoTls,
    Request,
)
from checker.net.tls import TlsFailure

__all__ = ["Enough", "Failure", "Headers", "HttpDoor", "Request", "Response"]


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

    `malformed` is for bytes that are no HTTP/1.1; a body that broke off is an `end`. `http2`: those bytes were a frame
    with which a server of HTTP/2 begins or takes its leave. `heard` says that something had come from the peer by then;
    `first` is the beginning of what is no HTTP, at most five bytes, to be told apart and dropped.
    """

    connect: PortFacts | None = None
    tls: TlsFailure | None = None
    end: End | None = None
    malformed: bool = False
    http2: bool = False
    heard: bool = False
    rtt_ms: float | None = None
    first: bytes = field(default=b"", repr=False)


class HttpDoor:
    """One way to ask for the whole run. `user_agent` is how we introduce ourselves."""

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent
        self._transport = GatewayTransport()

    async def get(self, device: Device, request: Request, *, server_name: str | None) -> Response | Failure:
        """Ask once. `server_name` is the SNI, None where the URL names an address (RFC 6066 section 3)."""
        exchange = Exchange(device, request, server_name)
        try:
            return await self._ask(exchange)
        except NotConnected as error:
            return _failure(exchange, connect=error.connect)
        except NoTls as error:
            return _failure(exchange, tls=error.failure)
        except Ended as error:
            return _failure(exchange, end=error.end)
        except NotHttp as error:
            return _failure(exchange, malformed=True, http2=error.http2)
        except httpcore.RemoteProtocolError:
            # h11's words may quote what the peer sent, so they are not passed on.
            if exchange.hung_up and (exchange.head_came or not exchange.first_bytes):
                return _failure(exchange, end=End.CLOSED)
            return _failure(exchange, malformed=True)
        finally:
            if exchange.connection is not None:
                exchange.connection.abandon()

    async def _ask(self, exchange: Exchange) -> Response:
        request = exchange.request
        headers_sent = {
            "User-Agent": self._user_agent,
            "Accept": request.accept,
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if request.origin is not None:
            headers_sent["Origin"] = request.origin
        built = httpx.Request(
            "GET",
            request.url,
            headers=headers_sent,
            extensions={EXCHANGE: exchange},
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
            # The rest of a body is not taken: draining it would be to download what was found.
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


def _failure(
    exchange: Exchange,
    *,
    connect: PortFacts | None = None,
    tls: TlsFailure | None = None,
    end: End | None = None,
    malformed: bool = False,
    http2: bool = False,
) -> Failure:
    """A failure with what is known of the connection."""
    made = exchange.connection
    return Failure(
        connect=connect,
        tls=tls,
        end=end,
        malformed=malformed,
        http2=http2,
        heard=made is not None and made.bytes_received > 0,
        first=exchange.first_bytes if malformed else b"",
        rtt_ms=None if made is None else made.rtt_ms,
    )
