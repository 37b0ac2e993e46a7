"""One whole TLS handshake with a port, left cleanly: the certificate, and what is done about one of ours.

A certificate is described, never trusted. Nothing is sent inside the session.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from checker.catalog.cipher_suites import suite_name
from checker.codecs.x509 import TrustStore, certificate_facts
from checker.errors import MalformedPeerData
from checker.model import CertificateFacts, End, HandshakeFacts, PortFacts
from checker.net.gateway import Limits
from checker.net.tls import TlsFailure, TlsStream
from checker.probes.talk import Talk
from checker.probes.tls_hellos import FLIGHT_BYTES

_HANDSHAKE = Limits(connect_s=4.0, conversation_s=6.0, max_bytes=FLIGHT_BYTES)
# TLS 1.3: how long a server that asked for a certificate has to refuse us, or to show by a ticket that it does not.
_SETTLE_S = 1.0

_LABELS = {"SSLv3": "SSLv3", "TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
_ENDS = {
    End.CLOSED: "the connection was closed in the handshake",
    End.RESET: "the connection was reset in the handshake",
    End.TIMEOUT: "no answer in time in the handshake",
    End.TOO_MUCH: "more bytes than any handshake has",
}


async def whole_handshake(
    talk: Talk,
    server_name: str | None,
    names: tuple[str, ...],
    seen: tuple[bytes, ...],
    now: Callable[[], datetime],
    trust: Callable[[], TrustStore | None],
) -> HandshakeFacts | None:
    """One handshake to its end; None where no connection came about.

    `seen` are the certificates that a hello showed, for where it fails before any come; for the others see `probe_tls`.
    """
    made = await talk.connect("TLS handshake", _HANDSHAKE)
    if isinstance(made, PortFacts):
        return None
    stream = TlsStream(made, server_name=server_name)
    try:
        failure = await stream.handshake()
        refusal = await stream.settle(_SETTLE_S) if failure is None and _may_still_refuse(stream) else None
        chain = stream.chain()
        suite = stream.cipher_suite
        version = _LABELS.get(stream.version or "")
        await stream.close()
    finally:
        stream.abandon()
    if failure is not None and failure.end is End.TIMEOUT:
        talk.fell_silent(in_the_middle=True)
    else:
        talk.answered()
    trouble = failure or refusal
    certificate, unreadable = _describe(chain or (seen if trouble is not None else ()), names, now(), trust())
    details = [_describe_failure(trouble) if trouble is not None else None, unreadable]
    return HandshakeFacts(
        completed=trouble is None,
        version=version,
        cipher_suite_name=(suite_name(suite) if suite is not None else None) or stream.cipher_suite_name,
        certificate=certificate,
        client_certificate=_client_certificate(stream, failure, refusal),
        detail="; ".join(detail for detail in details if detail is not None) or None,
    )


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


def _describe(
    chain: tuple[bytes, ...], names: tuple[str, ...], at: datetime, store: TrustStore | None
) -> tuple[CertificateFacts | None, str | None]:
    try:
        return certificate_facts(chain, names=names, at=at, store=store), None
    except MalformedPeerData as fault:
        return None, str(fault)


def _describe_failure(failure: TlsFailure) -> str:
    if failure.reason is not None:
        return f"OpenSSL ended the handshake: {failure.reason}"
    return _ENDS[failure.end] if failure.end is not None else "the handshake was not completed"
