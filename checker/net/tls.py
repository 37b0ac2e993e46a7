"""TLS over a connection of the gateway, by `ssl` and memory buffers: every byte still passes the connection's caps.

The context takes whatever a server offers: this product looks at how a server is configured and never trusts it. The
certificate that came is judged elsewhere (`checker.codecs.x509`).
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field

from checker.codecs.tls_post_hello import ENCRYPTED_EXTENSIONS, NEW_SESSION_TICKET, early_data_size, named_groups
from checker.errors import MalformedPeerData
from checker.model import End
from checker.net.connection import Connection
from checker.net.tls_context import OwnCertificate, can_overhear, code_points, overheard, permissive_context

__all__ = ["OwnCertificate", "TlsFailure", "TlsSession", "TlsStream"]

_CHUNK = 16384
_DER = 2  # the encoding of X.509 by the standard library's private number, which has no name outside
_CERTIFICATE_REQUEST = 13  # RFC 8446 section 4 and RFC 5246 section 7.4
# Alerts by which servers refuse an empty list of certificates under TLS 1.2; decode_error is that of GnuTLS.
_REFUSALS = ("HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "ACCESS_DENIED", "NO_CERTIFICATE", "ALERT_DECODE_ERROR")


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """A handshake that did not complete. `reason` is OpenSSL's name of it, `end` that of the connection.

    `alert` is the code of the server's fatal alert, None where none was seen.
    """

    end: End | None
    reason: str | None
    client_certificate_requested: bool
    alert: int | None = None

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


@dataclass(frozen=True, slots=True)
class TlsSession:
    """What it takes to resume a session later, in this run; to be handed back and not to be looked into."""

    context: ssl.SSLContext = field(repr=False)
    session: ssl.SSLSession = field(repr=False)


class TlsStream:
    """A TLS session over a `Connection`: `handshake` first, then it is a `ByteStream`.

    `group` is the only named group that is offered, one of `checker.net.tls_context.GROUPS`; `alpn` the protocols that
    are. `session` is offered to be resumed, with the options that it was made with in place of these; no early data is
    ever sent. `client_certificate` is shown to a server that asks for one: see `usable_certificate` for its errors.

    `refusal` says how the session was refused where an alert ended it after the handshake; `left` that the server took
    its leave, by a close_notify, while `settle` read.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        server_name: str | None,
        group: str | None = None,
        alpn: tuple[str, ...] = (),
        session: TlsSession | None = None,
        client_certificate: OwnCertificate | None = None,
    ) -> None:
        context = permissive_context(group, alpn, client_certificate) if session is None else session.context
        self.connection = connection
        self.refusal: TlsFailure | None = None
        self.left = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._context = context
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=server_name,
            session=None if session is None else session.session,
        )
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
        return code_points().get(name) if name is not None else None

    @property
    def can_see_requests(self) -> bool:
        """Whether this Python shows handshake messages; where it does not, no CertificateRequest is ever seen."""
        return can_overhear()

    @property
    def client_certificate_requested(self) -> bool:
        """Whether a CertificateRequest was seen."""
        return _CERTIFICATE_REQUEST in overheard(self._tls).kinds

    @property
    def ticket_seen(self) -> bool:
        """Whether a NewSessionTicket came: a TLS 1.3 server sends one only after it took our Finished."""
        return NEW_SESSION_TICKET in overheard(self._tls).kinds

    @property
    def went_on(self) -> bool:
        """Whether the server has shown, by a ticket or by data, that it took what we answered to its request."""
        return self.ticket_seen or bool(self._early)

    @property
    def alpn(self) -> str | None:
        """The protocol that the server chose of those that were offered (RFC 7301)."""
        return self._tls.selected_alpn_protocol()

    @property
    def supported_groups(self) -> tuple[int, ...]:
        """The IANA code points of the groups that the server named as its own, in its order; () where it named none."""
        body = overheard(self._tls).bodies.get(ENCRYPTED_EXTENSIONS)
        if body is not None:
            with suppress(MalformedPeerData):
                return named_groups(body) or ()
        return ()

    @property
    def early_data(self) -> bool | None:
        """Whether the first ticket of TLS 1.3 allows early data; None where none came, or none that can be read."""
        body = overheard(self._tls).bodies.get(NEW_SESSION_TICKET)
        if body is not None and self.version == "TLSv1.3":
            with suppress(MalformedPeerData):
                return early_data_size(body) > 0
        return None

    @property
    def session(self) -> TlsSession | None:
        """What resumes this session, once its handshake is complete; None where the server gave nothing for that.

        Under TLS 1.3 that is a ticket, which comes after the handshake; before, a ticket or the session's id.
        """
        session = self._tls.session
        if session is None or not (session.has_ticket or session.id):
            return None
        return TlsSession(self._context, session)

    @property
    def session_reused(self) -> bool:
        """Whether the handshake resumed the session that was offered."""
        return bool(self._tls.session_reused)

    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the server sent, leaf first, in DER; the leaf alone where Python shows no more."""
        shown = getattr(self._tls, "get_unverified_chain", None)  # Python 3.13
        if shown is not None:
            return tuple(shown())
        inner = getattr(self._tls, "_sslobj", None)
        if inner is not None and hasattr(inner, "get_unverified_chain"):
            return tuple(certificate.public_bytes(_DER) for certificate in inner.get_unverified_chain() or ())
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
                    data = self._tls.read(_CHUNK)
                except ssl.SSLWantReadError:
                    if self.ticket_seen:
                        return None
                    end = await self._exchange()
                    if end is not None:
                        return None if end is End.TIMEOUT else self._failed(end, None)
                except ssl.SSLError as error:
                    return self._failed(None, error)
                else:
                    self._early += data
                    self.left = not data
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
        reason = error.reason if error is not None else None
        return TlsFailure(end, reason, self.client_certificate_requested, overheard(self._tls).alert)
