"""One whole TLS handshake with a port, left cleanly: what shows only inside it, and what is done about one of ours.

That is the certificate, what the server says once it is encrypted, and what it gives to resume the session with. A
certificate is described, never trusted. Nothing is sent inside the session, nor before it is there (no early data).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checker.catalog.cipher_suites import suite_name
from checker.codecs.tls_alerts import alert_name
from checker.codecs.x509 import TrustStore, certificate_facts
from checker.errors import MalformedPeerData
from checker.model import CertificateFacts, End, HandshakeFacts, PortFacts
from checker.net.gateway import Limits
from checker.net.tls import OwnCertificate, TlsFailure, TlsSession, TlsStream
from checker.net.tls_context import usable_certificate
from checker.probes.talk import Talk
from checker.probes.tls_hellos import FLIGHT_BYTES

_HANDSHAKE = Limits(connect_s=4.0, conversation_s=6.0, max_bytes=FLIGHT_BYTES)
# TLS 1.3: how long a server that asked for a certificate has to refuse us, or to show by a ticket that it does not.
_SETTLE_S = 1.0
# How long another has for its first ticket. It is on its way as soon as our Finished is there, so that none came says
# something only where the way there and back takes much less.
_TICKET_S = 0.3
_NEAR_MS = 100.0

_NO_APPLICATION_PROTOCOL = 120  # RFC 7301 section 3.2
# What servers answer to a hello without a group that they have: RFC 8446 section 4.1.1, and as others take it.
_NO_COMMON_GROUP = (40, 47, 71)  # handshake_failure, illegal_parameter, insufficient_security

# The alerts of RFC 8446 section 6.2 that are about a certificate, and handshake_failure, which older servers send for
# it. A server that says certificate_required (116) had none of ours.
_REFUSALS = frozenset({40, 42, 43, 44, 45, 46, 48, 49})

_LABELS = {"SSLv3": "SSLv3", "TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
_ENDS = {
    End.CLOSED: "the connection was closed in the handshake",
    End.RESET: "the connection was reset in the handshake",
    End.TIMEOUT: "no answer in time in the handshake",
    End.TOO_MUCH: "more bytes than any handshake has",
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a whole handshake showed, and what resumes its session: None where nothing does or it was not looked for."""

    facts: HandshakeFacts
    session: TlsSession | None = None


@dataclass(frozen=True, slots=True)
class _Made:
    """One handshake, whether it came to its end or not; `quiet`: a ticket was waited for in vain."""

    stream: TlsStream
    chain: tuple[bytes, ...]
    failure: TlsFailure | None
    refusal: TlsFailure | None
    quiet: bool
    session: TlsSession | None

    @property
    def trouble(self) -> TlsFailure | None:
        return self.failure or self.refusal

    @property
    def alert(self) -> int | None:
        return self.failure.alert if self.failure is not None else None

    @property
    def turned_away(self) -> bool:
        """Whether the server ended it before it showed a certificate: what was offered may be the reason."""
        left = self.failure is not None and (self.alert is not None or self.failure.end in (End.CLOSED, End.RESET))
        return left and not self.chain


async def whole_handshake(
    talk: Talk,
    server_name: str | None,
    names: tuple[str, ...],
    seen: tuple[bytes, ...],
    now: Callable[[], datetime],
    trust: Callable[[], TrustStore | None],
    *,
    purpose: str = "TLS handshake",
    group: str | None = None,
    alpn: tuple[str, ...] = (),
    thorough: bool = False,
) -> Handshake | None:
    """One handshake to its end; None where no connection came about. `purpose` is for the ledger.

    `seen` are the certificates that a hello showed, for where it fails before any come; for the others see `probe_tls`.

    `group` is the only named group that is offered, one of `checker.net.tls_context.GROUPS`: an OpenSSL server names
    all of its own where it is not the one that it likes best. `alpn` are the protocols that are offered. A server that
    turns the handshake away is asked once more without what it may have refused it for: ALPN after the alert
    no_application_protocol, the group after one of those that mean it, or both. So it takes a connection more for each
    of the two at most, and none for a handshake that offers neither.

    `thorough` waits for the first ticket of TLS 1.3, for 0.3 s at most, and keeps what `resumed_handshake` needs.
    """
    offered, alpn_refused, how = alpn, False, ""
    if group or alpn:
        how = f" over {group} alone" if group else ""
        how += " with ALPN" if alpn else ""
    while True:
        made = await _make(talk, f"{purpose}{how}", server_name, group=group, alpn=offered, thorough=thorough)
        if made is None:
            return None
        if not made.turned_away or not (group or offered):
            break
        if offered and made.alert == _NO_APPLICATION_PROTOCOL:
            offered, alpn_refused, how = (), True, " without ALPN"
        elif group and made.alert in _NO_COMMON_GROUP:
            group, how = None, " over any group"
        else:
            group, offered, how = None, (), " as any client makes it"
    stream, trouble = made.stream, made.trouble
    suite = stream.cipher_suite
    certificate, unreadable = described(made.chain or (seen if trouble is not None else ()), names, now(), trust())
    details = [_describe_failure(trouble) if trouble is not None else None, unreadable]
    facts = HandshakeFacts(
        completed=trouble is None,
        version=_LABELS.get(stream.version or ""),
        cipher_suite_name=(suite_name(suite) if suite is not None else None) or stream.cipher_suite_name,
        certificate=certificate,
        client_certificate=_client_certificate(stream, made.failure, made.refusal),
        detail="; ".join(detail for detail in details if detail is not None) or None,
        alpn=stream.alpn,
        alpn_offered=alpn if alpn_refused or (offered and made.failure is None) else (),
        alpn_refused=alpn_refused,
        groups=stream.supported_groups,
        ticket=_ticket(made),
        early_data=stream.early_data,
    )
    return Handshake(facts, made.session)


async def resumed_handshake(talk: Talk, server_name: str | None, earlier: TlsSession | None) -> bool | None:
    """Whether a server resumes an earlier session (`Handshake.session`) when it is offered: one more connection.

    Nothing is sent inside it. False where it made a new session instead, as one may that keeps its sessions on another
    machine. None where that did not show: there was no session to offer, for which no connection is made; or no
    connection came about, or no session.
    """
    if earlier is None:
        return None
    made = await _make(talk, "TLS handshake that resumes a session", server_name, session=earlier)
    return made.stream.session_reused if made is not None and made.trouble is None else None


async def own_certificate_taken(
    talk: Talk, server_name: str | None, own: OwnCertificate
) -> Literal["accepted", "refused"] | None:
    """What a server that refused us without a certificate makes of ours; None where its answer did not show it.

    It is asked only of such a server, so that this stays a proof. `server_name` is the SNI. Takes one connection.
    ValueError, before it is made, as `usable_certificate` has it.
    """
    usable_certificate(own)  # not only once there is a connection, which would then say nothing
    made = await _make(talk, "TLS handshake with our certificate", server_name, own=own)
    if made is None or not made.stream.client_certificate_requested:
        return None  # it was not shown
    if made.trouble is not None:
        return "refused" if made.trouble.alert in _REFUSALS else None
    # Below TLS 1.3 the server's Finished comes after our certificate (RFC 5246 section 7.3).
    return "accepted" if made.stream.version != "TLSv1.3" or made.stream.went_on else None


async def _make(
    talk: Talk,
    purpose: str,
    server_name: str | None,
    *,
    group: str | None = None,
    alpn: tuple[str, ...] = (),
    session: TlsSession | None = None,
    own: OwnCertificate | None = None,
    thorough: bool = False,
) -> _Made | None:
    """One connection with one handshake; None where no connection came about."""
    connection = await talk.connect(purpose, _HANDSHAKE)
    if isinstance(connection, PortFacts):
        return None
    refusal, quiet, kept = None, False, None
    try:
        stream = TlsStream(
            connection, server_name=server_name, group=group, alpn=alpn, session=session, client_certificate=own
        )
        failure = await stream.handshake()
        if failure is None and _may_still_refuse(stream):
            refusal = await stream.settle(_SETTLE_S)
            quiet = refusal is None
        elif failure is None and thorough and stream.version == "TLSv1.3":
            # A server that asked for nothing has nothing more to refuse: one that leaves now has its own reasons.
            quiet = await stream.settle(_TICKET_S) is None
        chain = stream.chain()
        if thorough and failure is None and refusal is None:
            kept = stream.session
        await stream.close()
    finally:
        connection.abandon()
    if failure is not None and failure.end is End.TIMEOUT:
        talk.fell_silent(in_the_middle=True)
    else:
        talk.answered()
    quiet = quiet and not stream.went_on and not stream.left and connection.rtt_ms <= _NEAR_MS
    return _Made(stream, chain, failure, refusal, quiet, kept)


def _may_still_refuse(stream: TlsStream) -> bool:
    """Whether a handshake that is complete for us may not be for the server, which is waited for only then."""
    return stream.version == "TLSv1.3" and (stream.client_certificate_requested or not stream.can_see_requests)


def _client_certificate(
    stream: TlsStream, failure: TlsFailure | None, refusal: TlsFailure | None
) -> Literal["not-asked", "optional", "required"] | None:
    """What the server did about a certificate of ours; None where nothing shows it.

    A server that asks for one only later, in a renegotiation or for some of its pages, cannot be told from one that
    never asks.
    """
    trouble = failure or refusal
    if trouble is not None and trouble.client_certificate_required:
        return "required"
    if failure is not None or not stream.can_see_requests:
        return None
    if not stream.client_certificate_requested:
        return "not-asked"
    if stream.version != "TLSv1.3":  # the server's Finished came after our empty list: RFC 5246 section 7.4.6
        return "optional"
    return "optional" if refusal is None and stream.went_on else None


def _ticket(made: _Made) -> bool | None:
    """Whether the server gave a ticket of TLS 1.3; None where that does not show."""
    if made.failure is not None or made.stream.version != "TLSv1.3" or not made.stream.can_see_requests:
        return None
    if made.stream.ticket_seen:
        return True
    return False if made.quiet else None


def described(
    chain: tuple[bytes, ...], names: tuple[str, ...], at: datetime, store: TrustStore | None
) -> tuple[CertificateFacts | None, str | None]:
    """The facts of a chain, leaf first, or why its leaf cannot be read; neither of an empty one."""
    try:
        return certificate_facts(chain, names=names, at=at, store=store), None
    except MalformedPeerData as fault:
        return None, str(fault)


def _describe_failure(failure: TlsFailure) -> str:
    if failure.reason is not None:
        return f"OpenSSL ended the handshake: {failure.reason}"
    if failure.alert is not None:
        return f"the handshake was not completed: the server's alert was {alert_name(failure.alert)}"
    return _ENDS[failure.end] if failure.end is not None else "the handshake was not completed"
