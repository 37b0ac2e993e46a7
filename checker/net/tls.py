"""TLS over a connection of the gateway, by `ssl` and memory buffers: every byte still passes the connection's caps.

The context takes whatever a server offers: this product looks at how a server is configured and never trusts it. The
certificate that came is judged elsewhere (`checker.codecs.x509`).
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

from checker.model import End
from checker.net.connection import Connection

_CHUNK = 16384
# Handshake message types, RFC 8446 section 4 and RFC 5246 section 7.4.
_NEW_SESSION_TICKET, _CERTIFICATE_REQUEST = 4, 13
# The record type by which OpenSSL's callback marks handshake messages.
_HANDSHAKE = 22
# Alerts by which servers refuse an empty list of certificates under TLS 1.2; decode_error is that of GnuTLS.
_REFUSALS = ("HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "ACCESS_DENIED", "NO_CERTIFICATE", "ALERT_DECODE_ERROR")


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """A handshake that did not complete. `alert` is OpenSSL's name of the reason, `end` that of the connection."""

    end: End | None
    reason: str | None
    client_certificate_requested: bool

    @property
    def client_certificate_required(self) -> bool:
        """Whether the server gave up because we have no client certificate.

        An alert certificate_required says so by itself; a refusal after a CertificateRequest does where the server
        had nothing else to object to, since it had already chosen a version, a suite and sent its certificate.
        """
        if self.reason is not None and "CERTIFICATE_REQUIRED" in self.reason:
            return True
        refused = self.reason is not None and any(word in self.reason for word in _REFUSALS)
        return self.client_certificate_requested and refused


@cache
def permissive_context() -> ssl.SSLContext:
    """One context for the whole run: any version, any suite, any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    # SSL_OP_LEGACY_SERVER_CONNECT (Python 3.12 names it): servers without RFC 5746 are to be seen as well.
    context.options |= 0x4
    # A private hook of the standard library; without it a CertificateRequest of TLS 1.3 stays unseen, hence unknown.
    if hasattr(context, "_msg_callback"):
        context._msg_callback = _note_message  # noqa: SLF001
    return context


@cache
def _code_points() -> dict[str, int]:
    # OpenSSL keeps the two bytes of the protocol in the low half of its own number.
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in permissive_context().get_ciphers()}


_seen: WeakKeyDictionary[ssl.SSLObject, set[int]] = WeakKeyDictionary()


def _note_message(
    owner: object, direction: str, _version: object, content: object, kind: object, _data: object
) -> None:
    if direction == "read" and content == _HANDSHAKE and isinstance(owner, ssl.SSLObject) and isinstance(kind, int):
        _seen.setdefault(owner, set()).add(int(kind))


class TlsStream:
    """A TLS session over a `Connection`: `handshake` first, then it is a `ByteStream`.

    `refusal` says how the session was refused where an alert ended it after the handshake.
    """

    def __init__(self, connection: Connection, *, server_name: str | None) -> None:
        self.connection = connection
        self.refusal: TlsFailure | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = permissive_context().wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._early = b""

    @property
    def version(self) -> str | None:
        """The version agreed on, as OpenSSL names it."""
        return self._tls.version()

    @property
    def cipher_suite_name(self) -> str | None:
        """The suite agreed on, as OpenSSL names it."""
        cipher = self._tls.cipher()
        return cipher[0] if cipher else None

    @property
    def cipher_suite(self) -> int | None:
        """The IANA code point of the suite agreed on."""
        name = self.cipher_suite_name
        return _code_points().get(name) if name is not None else None

    @property
    def can_see_requests(self) -> bool:
        """Whether this Python shows handshake messages; where it does not, no CertificateRequest is ever seen."""
        return hasattr(permissive_context(), "_msg_callback")

    @property
    def client_certificate_requested(self) -> bool:
        """Whether a CertificateRequest was seen."""
        return _CERTIFICATE_REQUEST in _seen.get(self._tls, ())

    @property
    def ticket_seen(self) -> bool:
        """Whether a NewSessionTicket came: a TLS 1.3 server sends one only after it took our Finished."""
        return _NEW_SESSION_TICKET in _seen.get(self._tls, ())

    @property
    def went_on(self) -> bool:
        """Whether the server has shown, by a ticket or by data, that it took what we answered to its request."""
        return self.ticket_seen or bool(self._early)

    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the server sent, leaf first, in DER; the leaf alone where Python shows no more."""
        shown = getattr(self._tls, "get_unverified_chain", None)  # Python 3.13
        if shown is not None:
            return tuple(shown())
        inner = getattr(self._tls, "_sslobj", None)
        if inner is not None and hasattr(inner, "get_unverified_chain"):
            shown_pem = (certificate.public_bytes() for certificate in inner.get_unverified_chain() or ())
            return tuple(ssl.PEM_cert_to_DER_cert(pem) for pem in shown_pem)
        leaf = self._tls.getpeercert(binary_form=True)
        return (leaf,) if leaf else ()

    async def handshake(self) -> TlsFailure | None:
        """Complete the handshake; a failure is a value."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                end = await self._exchange()
                if end is not None:
                    return self._failed(end, None)
            except ssl.SSLError as error:
                await self._flush()
                return self._failed(None, error)
            else:
                end = await self._flush()
                return None if end is None else self._failed(end, None)

    async def settle(self, seconds: float) -> TlsFailure | None:
        """Read after the handshake, for at most `seconds`, until a refusal, a ticket or data has come.

        A TLS 1.3 server that requires a client certificate says so only here (RFC 8446 section 4.4.2.4). None means
        that no refusal came in time; `ticket_seen` then tells whether the server went on.
        """
        before = self.connection.narrow_deadline(seconds)
        try:
            while True:
                try:
                    self._early += self._tls.read(_CHUNK)
                except ssl.SSLWantReadError:
                    if self.ticket_seen:
                        return None
                    end = await self._exchange()
                    if end is not None:
                        return None if end is End.TIMEOUT else self._failed(end, None)
                except ssl.SSLError as error:
                    return self._failed(None, error)
                else:
                    return None
        finally:
            self.connection.put_back_deadline(before)

    async def send(self, data: bytes) -> End | None:
        """Send application data."""
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            self.refusal = self._failed(None, error)
            return End.RESET
        end = await self._flush()
        if end is End.RESET:
            # A refusal that came before the reset is still there to be read, and says why.
            got = await self.receive()
            self._early = got if isinstance(got, bytes) else b""
        return end

    async def receive(self, limit: int = _CHUNK) -> bytes | End:
        """Application data, or why there is none: an alert reads as RESET (see `refusal`), close_notify as CLOSED."""
        if self._early:
            data, self._early = self._early[:limit], self._early[limit:]
            return data
        while True:
            try:
                return self._tls.read(limit) or End.CLOSED
            except ssl.SSLWantReadError:
                end = await self._exchange()
                if end is not None:
                    return end
            except ssl.SSLZeroReturnError:
                return End.CLOSED
            except ssl.SSLError as error:
                self.refusal = self._failed(None, error)
                return End.RESET

    async def close(self) -> None:
        """close_notify (RFC 8446 section 6.1), then a FIN. The peer's own close_notify is not waited for."""
        await self._notify()
        await self.connection.close()

    async def drop(self) -> None:
        """close_notify, and not a byte more is taken from the peer, whatever it still sends."""
        await self._notify()
        self.connection.abandon()

    def abandon(self) -> None:
        """Leave at once."""
        self.connection.abandon()

    async def _notify(self) -> None:
        # It raises in any case: our close_notify is in the buffer now, or there is no session to end.
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        await self._flush()

    async def _exchange(self) -> End | None:
        """Send what is due and take in what has come; an End where the connection gave nothing."""
        end = await self._flush()
        if end is not None:
            return end
        got = await self.connection.receive(_CHUNK)
        if isinstance(got, End):
            return got
        self._incoming.write(got)
        return None

    async def _flush(self) -> End | None:
        due = self._outgoing.read()
        return await self.connection.send(due) if due else None

    def _failed(self, end: End | None, error: ssl.SSLError | None) -> TlsFailure:
        return TlsFailure(end, error.reason if error is not None else None, self.client_certificate_requested)
