"""TLS: which versions a port accepts, asked by hellos that are left at once, then one whole handshake.

The newest version is asked first: its answer costs a server least and names what the server likes best, and an old
server shows with the same answer how far it goes, which saves it the hellos in between. Nothing is asked again, and
nothing further once the port speaks something else, falls silent, or takes no more connections. What the answers prove
is for `checker.codecs.tls_versions` to say; a certificate is described, never trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_bytes
from typing import Literal

from checker.catalog.cipher_suites import suite_name
from checker.codecs.tls import Flight, FlightReader, Protocol, farewell
from checker.codecs.tls_hello import RANDOM_BYTES, ClientHello, Version, client_hello, sni
from checker.codecs.tls_versions import read_answer, verdicts
from checker.codecs.x509 import certificate_facts, system_trust_store
from checker.errors import MalformedPeerData
from checker.model import (
    CertificateFacts,
    ConnectState,
    End,
    HandshakeFacts,
    PortFacts,
    TlsFacts,
    VersionFacts,
)
from checker.net.connection import Connection
from checker.net.gateway import Limits
from checker.net.tls import TlsFailure, TlsStream
from checker.probes.talk import Talk

# The longest flight in clear: a list of certificates at the codec's limit, and one of authorities at the standard's.
_FLIGHT_BYTES = 160 * 1024
_HELLO = Limits(connect_s=4.0, conversation_s=5.0, max_bytes=_FLIGHT_BYTES)
_HANDSHAKE = Limits(connect_s=4.0, conversation_s=6.0, max_bytes=_FLIGHT_BYTES)
# TLS 1.3: how long a server that asked for a certificate has to refuse us, or to show by a ticket that it does not.
_SETTLE_S = 1.0

_LABELS = {"SSLv3": "SSLv3", "TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
_ENDS = {
    End.CLOSED: "the connection was closed in the handshake",
    End.RESET: "the connection was reset in the handshake",
    End.TIMEOUT: "no answer in time in the handshake",
    End.TOO_MUCH: "more bytes than any handshake has",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def probe_tls(
    talk: Talk, *, server_name: str | None, names: tuple[str, ...], now: Callable[[], datetime] = _utc_now
) -> None:
    """Record one `TlsFacts` and, where TLS was spoken, one `HandshakeFacts`; neither where no connection came about.

    `server_name` is sent as SNI where it is a host name. `names` are the host names and addresses by which clients
    reach the service: the certificate is compared with them. `now` is the wall clock by which certificates are valid.
    Takes `checker.plan.TLS_CONNECTIONS` connections at most.
    """
    name = sni(server_name)
    survey = _Survey(talk, name)
    await survey.ask()
    if not survey.connected:
        return
    talk.record(survey.facts())
    if survey.understood and not survey.lost:
        facts = await _whole_handshake(talk, name, names, survey.certificates, now)
        if facts is not None:
            talk.record(facts)


@dataclass(slots=True)
class _Survey:
    """The hellos to one port and what they showed.

    `answered`: a TLS record came back; `understood`: and in it a ServerHello or an alert. `lost`: the port fell silent
    or takes no more connections. `stopped` is why nothing further was asked.
    """

    talk: Talk
    server_name: str | None
    known: dict[Version, VersionFacts] = field(default_factory=dict)
    spoken: set[Protocol] = field(default_factory=set)
    certificates: tuple[bytes, ...] = ()
    certificate_requested: bool | None = None
    connected: bool = False
    answered: bool = False
    understood: bool = False
    lost: bool = False
    stopped: str | None = None

    async def ask(self) -> None:
        """One hello for each version that no earlier answer has settled, the newest first."""
        for version in sorted(Version, reverse=True):
            if version in self.known:
                continue
            made = await self.talk.connect(f"{version.label} hello", _HELLO)
            if isinstance(made, PortFacts):
                self.lost = True
                self.stopped = _no_connection(made)
            else:
                self.connected = True
                hello = client_hello(
                    version,
                    random=token_bytes(RANDOM_BYTES),
                    session_id=token_bytes(RANDOM_BYTES),
                    server_name=self.server_name,
                )
                flight, end = await _exchange(made, hello)
                self._note(hello, flight, end, began=made.bytes_received > 0)
            if self.stopped is not None:
                return

    def _note(self, hello: ClientHello, flight: Flight, end: End | None, *, began: bool) -> None:
        for version, facts in read_answer(hello, flight, end).items():
            self.known.setdefault(version, facts)
        self.answered = self.answered or flight.tls
        self.understood = self.understood or flight.server_hello is not None or flight.alert is not None
        self.certificates = self.certificates or flight.certificates
        if flight.certificate_requested is not None:
            self.certificate_requested = flight.certificate_requested or bool(self.certificate_requested)
        if end is End.TIMEOUT:
            self.talk.fell_silent(in_the_middle=began)
            self.lost = True
            self.stopped = "the port gave no answer in time"
            return
        if flight.tls or flight.speaks is not None:
            self.talk.answered()
        if flight.speaks is not None:
            self.spoken.add(flight.speaks)
            self.stopped = f"the port answered in {flight.speaks.value} and not in TLS"
        elif flight.malformed is not None and not flight.tls:
            self.stopped = "the port answered in no protocol that is known here"

    def facts(self) -> TlsFacts:
        """All that the hellos showed."""
        return TlsFacts(
            versions=verdicts(self.known, f"not asked: {self.stopped}"),
            plaintext_dicom=Protocol.DICOM in self.spoken,
            plaintext_http=Protocol.HTTP in self.spoken,
            answered=self.answered,
            client_certificate_requested=self.certificate_requested,
            server_name=self.server_name,
            detail=self.stopped,
        )


async def _exchange(connection: Connection, hello: ClientHello) -> tuple[Flight, End | None]:
    """Send a hello, read the flight that answers it, and leave."""
    reader = FlightReader()
    try:
        end = await connection.send(hello.data)
        while end is None and not reader.complete:
            got = await connection.receive()
            if isinstance(got, End):
                end = got
            else:
                reader.feed(got)
        flight = reader.flight
        if flight.malformed is None and flight.speaks is None and end is not End.TOO_MUCH:
            if flight.server_hello is not None and end is None:
                # The server waits for us now, so it is told that nobody will come. Whether it hears that is its affair.
                await connection.send(farewell(flight.server_hello.version))
            await connection.close()
        return flight, end
    finally:
        connection.abandon()


async def _whole_handshake(
    talk: Talk,
    server_name: str | None,
    names: tuple[str, ...],
    seen: tuple[bytes, ...],
    now: Callable[[], datetime],
) -> HandshakeFacts | None:
    """One handshake to its end, left cleanly. `seen` are those of a hello, for where it fails before any come."""
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
    certificate, unreadable = _describe(chain or (seen if trouble is not None else ()), names, now())
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
    chain: tuple[bytes, ...], names: tuple[str, ...], at: datetime
) -> tuple[CertificateFacts | None, str | None]:
    try:
        return certificate_facts(chain, names=names, at=at, store=system_trust_store()), None
    except MalformedPeerData as fault:
        return None, str(fault)


def _describe_failure(failure: TlsFailure) -> str:
    if failure.reason is not None:
        return f"OpenSSL ended the handshake: {failure.reason}"
    return _ENDS[failure.end] if failure.end is not None else "the handshake was not completed"


def _no_connection(facts: PortFacts) -> str:
    if facts.state is ConnectState.NOT_ASKED:
        return facts.detail or "the manners forbade it"
    return f"the port took no further connection ({facts.state.value})"
