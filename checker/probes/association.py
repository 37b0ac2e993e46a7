"""One association, from the connection to its end: what was said, what came back, as `DicomFacts`.

The connection carries the request at once and is never idle. It ends by a release that the peer confirmed, wherever the
peer lets it; A-ABORT is for a peer that breaks the protocol, leaves a request unanswered or starts to send data, and
for a visit that is broken off in the middle. Once data comes in answer to a canary not a byte more is read. Nothing
that a peer sends is kept but what `DicomFacts` has a field for; what a peer does is a value, never an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import uuid4

from checker.catalog.dicom import STUDY_ROOT_FIND, VERIFICATION
from checker.codecs.dicom import (
    EchoResponded,
    Event,
    Malformed,
    PeerReleased,
    QueryResponded,
    Released,
    Requestor,
    SpeaksTls,
    State,
)
from checker.codecs.dicom_pdu import Aborted, Accepted, Rejected
from checker.codecs.dicom_requests import (
    MODALITY_WORKLIST_FIND,
    STUDY_ROOT_GET,
    fresh_patient,
    fresh_station,
    fresh_study_uid,
)
from checker.model import (
    AssociationOutcome,
    AssociationPurpose,
    ConnectState,
    ContextResult,
    DicomFacts,
    End,
    PortFacts,
    QueryVerdict,
)
from checker.net.connection import ByteStream, Connection
from checker.net.gateway import Limits
from checker.net.tls import OwnCertificate, TlsFailure, TlsStream
from checker.net.tls_context import usable_certificate
from checker.probes.talk import Talk

_SURVEY = Limits(connect_s=4.0, conversation_s=10.0, max_bytes=16384)
# The kernel keeps little of what a peer pours out before the A-ABORT reaches it.
_QUESTION = Limits(connect_s=4.0, conversation_s=10.0, max_bytes=8192, receive_buffer=4096)
_TLS_BYTES = 65536  # on top: chains, and lists of authorities
_PIECE = 4096
_SMALL_PIECE = 512  # for a canary: hardly more than the command of the first answer is ever taken from the kernel
# A plaintext service may take a TLS hello for a long PDU and wait for the rest, with its only slot.
_HANDSHAKE_S = 5.0

_PDU_TYPES = range(1, 8)  # PS3.8 9.3.1
_TRANSIENT = 2  # PS3.8 9.3.4: the result rejected-transient
_PRESENTATION_PROVIDER = 3  # the source whose reasons are temporary congestion and a local limit exceeded
# OpenSSL's words, over its versions, for a first record that is none of TLS.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})

_SUCCESS = 0x0000
# "Refused: SOP class not supported" and "not authorised" (PS3.7 annexes C.5.6, C.5.11): the peer decided. All others
# are warnings and failures of processing (such as C000, A700, A900), which decide nothing.
_REFUSED = frozenset({0x0122, 0x0124})

_OUTCOMES = {
    End.CLOSED: AssociationOutcome.CLOSED,
    End.RESET: AssociationOutcome.RESET,
    End.TIMEOUT: AssociationOutcome.TIMEOUT,
    End.TOO_MUCH: AssociationOutcome.TOO_MUCH,
}


_Request = Callable[[Requestor], bytes]
# The canaries: the SOP class in whose context each is asked, and the question.
_CANARIES: Mapping[AssociationPurpose, tuple[str, _Request]] = MappingProxyType(
    {
        AssociationPurpose.CANARY: (STUDY_ROOT_FIND, lambda asker: asker.find(fresh_study_uid(uuid4()))),
        AssociationPurpose.WORKLIST: (
            MODALITY_WORKLIST_FIND,
            lambda asker: asker.worklist(fresh_station(uuid4()), fresh_patient(uuid4())),
        ),
        AssociationPurpose.GET: (STUDY_ROOT_GET, lambda asker: asker.get(fresh_study_uid(uuid4()))),
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """What one association is to find out. `echo`: a C-ECHO is sent where Verification was accepted.

    `own` is shown to a server that asks for a certificate; without one it gets an empty list.
    """

    purpose: AssociationPurpose
    called: str
    calling: str
    tls: bool
    server_name: str | None
    echo: bool = False
    own: OwnCertificate | None = None


@dataclass(frozen=True, slots=True)
class Association:
    """One association as it went.

    `wrong_mode`: the port does not speak the mode, plaintext or TLS, in which it was asked. `silent`: it left something
    unanswered until the deadline.
    """

    facts: DicomFacts
    wrong_mode: bool = False
    silent: bool = False


async def associate(talk: Talk, question: Question) -> Association:
    """Ask for one association, on one connection, and end it; tell the manners whether the port answered, and was busy.

    ValueError, before anything is sent, where an AE title is not valid (PS3.5 6.2), and as `usable_certificate` has it.
    """
    requestor = Requestor(question.purpose, called=question.called, calling=question.calling)
    if question.own is not None:
        usable_certificate(question.own)
    made = await talk.connect(_in_the_ledger(question), _limits(question))
    if isinstance(made, PortFacts):
        asked = made.state is not ConnectState.NOT_ASKED
        outcome = AssociationOutcome.NOT_CONNECTED if asked else AssociationOutcome.NOT_ASKED
        return Association(_Seen(outcome, detail=made.detail or made.state.value).facts(question))
    try:
        association = await _on(made, question, requestor)
    finally:
        made.abandon()  # over by now, unless the visit is being broken off
    if association.silent:
        talk.fell_silent(in_the_middle=made.bytes_received > 0)
    elif made.bytes_received:
        talk.answered()
    if is_busy(association.facts):
        talk.busy()
    return association


def is_busy(facts: DicomFacts) -> bool:
    """Whether the service said that it is busy, and is to be asked later (PS3.8 9.3.4)."""
    return facts.reject is not None and (facts.reject[0] == _TRANSIENT or facts.reject[1] == _PRESENTATION_PROVIDER)


def _in_the_ledger(question: Question) -> str:
    shown = " with our certificate" if question.own is not None else ""
    return f"{'dicom-tls' if question.tls else 'dicom'} {question.purpose}{shown}"


def _limits(question: Question) -> Limits:
    limits = _QUESTION if question.purpose in _CANARIES else _SURVEY
    return replace(limits, max_bytes=limits.max_bytes + _TLS_BYTES) if question.tls else limits


async def _on(connection: Connection, question: Question, requestor: Requestor) -> Association:
    if not question.tls:
        return await _Dialogue(connection, requestor).hold(question)
    stream = TlsStream(connection, server_name=question.server_name, client_certificate=question.own)
    before = connection.narrow_deadline(_HANDSHAKE_S)
    failure = await stream.handshake()
    connection.put_back_deadline(before)
    if failure is not None:
        # The handshake has said its last word, an alert; what else the peer sends is not taken.
        connection.abandon()
        return _without_tls(failure, connection.bytes_received, question)
    association = await _Dialogue(stream, requestor).hold(question)
    # TLS 1.3: a server that wants a client certificate says so only now (RFC 8446 section 4.4.2.4).
    if stream.refusal is not None and association.facts.outcome is AssociationOutcome.RESET:
        return replace(_without_tls(stream.refusal, connection.bytes_received, question), wrong_mode=False)
    return replace(association, wrong_mode=False)


def _without_tls(failure: TlsFailure, received: int, question: Question) -> Association:
    """An association that TLS did not let come about."""
    # Where ours was shown, the same alert means that it was not taken, and not that one is wanted.
    if failure.client_certificate_required and question.own is None:
        outcome = AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED
    elif failure.end in (End.TIMEOUT, End.TOO_MUCH) or (failure.end is not None and not received):
        outcome = _OUTCOMES[failure.end]
    else:
        outcome = AssociationOutcome.TLS_FAILED
    detail = failure.reason or (failure.end.value if failure.end else None)
    return Association(
        _Seen(outcome, detail=detail).facts(question),
        wrong_mode=failure.reason in _NOT_TLS or (failure.end in (End.CLOSED, End.RESET) and not received),
        silent=failure.end is End.TIMEOUT,
    )


@dataclass(slots=True)
class _Seen:
    """What is known so far, in the words of `DicomFacts`, which is made of it once."""

    outcome: AssociationOutcome = AssociationOutcome.NOT_ASKED
    reject: tuple[int, int, int] | None = None
    abort: tuple[int, int] | None = None
    contexts: tuple[ContextResult, ...] = ()
    accepted: Accepted | None = None
    echo_status: int | None = None
    query: QueryVerdict | None = None
    query_status: int | None = None
    detail: str | None = None

    def facts(self, question: Question, *, released: bool = False) -> DicomFacts:
        accepted = self.accepted
        return DicomFacts(
            purpose=question.purpose,
            tls=question.tls,
            outcome=self.outcome,
            calling_ae_title=question.calling,
            called_ae_title=question.called,
            reject=self.reject,
            abort=self.abort,
            contexts=self.contexts,
            max_pdu=None if accepted is None else accepted.max_pdu,
            implementation_class_uid=None if accepted is None else accepted.implementation_class_uid,
            implementation_version=None if accepted is None else accepted.implementation_version,
            echo_status=self.echo_status,
            query=self.query,
            query_status=self.query_status,
            released=released,
            detail=self.detail,
            client_certificate=question.own is not None,
        )

    def ended_by(self, outcome: AssociationOutcome) -> None:
        """The association has this outcome, unless it had been accepted before."""
        if self.outcome is not AssociationOutcome.ACCEPTED:
            self.outcome = outcome


class _Dialogue:
    """What is said on one stream; `hold` holds it, once."""

    def __init__(self, stream: ByteStream, requestor: Requestor) -> None:
        self._stream = stream
        self._requestor = requestor
        self._seen = _Seen()
        self._piece = _PIECE
        self._end: End | None = None
        self._first: int | None = None  # the type of the first PDU, or what stands in its place

    async def hold(self, question: Question) -> Association:
        """Ask for the association, ask in it what the question is about, and leave; also where it is broken off."""
        try:
            return await self._talk(question)
        except asyncio.CancelledError:
            await self._break_off()
            raise

    async def _talk(self, question: Question) -> Association:
        canary = _CANARIES.get(question.purpose)
        self._piece = _SMALL_PIECE if canary is not None else _PIECE
        await self._say(self._requestor.start())
        if self._seen.outcome is AssociationOutcome.NOT_ASKED and self._end is not None:
            # An end in the middle of an answer is no refusal of the mode: what began may have been DICOM.
            cut_off = self._first is not None and self._end in (End.CLOSED, End.RESET)
            self._seen.outcome = AssociationOutcome.MALFORMED if cut_off else _OUTCOMES[self._end]
        if question.echo and self._open and self._requestor.usable(VERIFICATION) is not None:
            await self._ask(Requestor.echo)
        if canary is not None and self._seen.outcome is AssociationOutcome.ACCEPTED:
            await self._ask_canary(*canary)
        if self._open:
            await self._say(self._requestor.release())
        await self._leave()
        if self._end is not None and self._seen.detail is None:
            self._seen.detail = self._end.value
        facts = self._seen.facts(question, released=self._requestor.released)
        return Association(facts, wrong_mode=self._wrong_mode, silent=self._end is End.TIMEOUT)

    @property
    def _open(self) -> bool:
        """Whether something can be asked."""
        return self._end is None and self._requestor.state is State.STA6 and not self._requestor.must_abort

    @property
    def _wrong_mode(self) -> bool:
        match self._seen.outcome:
            case AssociationOutcome.SPEAKS_TLS:
                return True
            case AssociationOutcome.CLOSED | AssociationOutcome.RESET:
                return self._first is None
            case AssociationOutcome.MALFORMED:
                return self._first not in _PDU_TYPES
            case _:
                return False

    async def _ask_canary(self, sop_class: str, request: _Request) -> None:
        if not self._open:
            self._seen.query = QueryVerdict.INDETERMINATE
        elif self._requestor.usable(sop_class) is not None:
            await self._ask(request)
        else:
            refused = any(context.result for context in self._seen.contexts)
            self._seen.query = QueryVerdict.CONTEXT_REJECTED if refused else QueryVerdict.INDETERMINATE

    async def _ask(self, request: _Request) -> None:
        """A DIMSE request; without an answer the verdict says how it went."""
        await self._say(request(self._requestor))
        if self._seen.echo_status is None and self._seen.query is None:
            aborted = self._seen.abort is not None
            self._seen.query = QueryVerdict.REFUSED_ABORT if aborted else QueryVerdict.INDETERMINATE

    async def _say(self, message: bytes) -> None:
        """Send, and take in what comes until the peer owes nothing, or nothing more is to come from it."""
        self._end = await self._stream.send(message)
        while self._end is None and self._requestor.waiting and not self._requestor.must_abort:
            got = await self._stream.receive(self._piece)
            if isinstance(got, End):
                self._end = got
                return
            if self._first is None:
                self._first = got[0]
            for event in self._requestor.receive(got):
                await self._note(event)

    async def _note(self, event: Event) -> None:
        seen = self._seen
        match event:
            case Accepted():
                seen.outcome = AssociationOutcome.ACCEPTED
                seen.accepted = event
                seen.contexts = self._requestor.contexts
            case Rejected():
                seen.outcome = AssociationOutcome.REJECTED
                seen.reject = (event.result, event.source, event.reason)
            case Aborted():
                seen.ended_by(AssociationOutcome.ABORTED)
                seen.abort = (event.source, event.reason)
            case SpeaksTls():
                seen.ended_by(AssociationOutcome.SPEAKS_TLS)
            case Malformed():
                seen.ended_by(AssociationOutcome.MALFORMED)
                seen.detail = event.reason
            case EchoResponded():
                seen.echo_status = event.status
            case QueryResponded():
                seen.query = _verdict(event)
                # Data may come without a status, also behind an answer that had one.
                seen.query_status = seen.query_status if event.status is None else event.status
            case PeerReleased():
                self._end = await self._stream.send(event.reply)
            case Released():
                pass  # the requestor knows

    async def _break_off(self) -> None:
        """A-ABORT, where there is something to abort: as much of it as leaves without waiting."""
        if self._requestor.state not in (State.STA1, State.STA13):
            with suppress(TimeoutError):
                async with asyncio.timeout(0):
                    await self._stream.send(self._requestor.abort())
        self._stream.abandon()

    async def _leave(self) -> None:
        begun = self._first is not None and self._requestor.state not in (State.STA1, State.STA13)
        unwanted = self._requestor.must_abort or (begun and self._end is End.TOO_MUCH)
        if unwanted or (begun and self._end is End.TIMEOUT):
            await self._stream.send(self._requestor.abort())
        if unwanted or self._seen.outcome is AssociationOutcome.SPEAKS_TLS:
            self._stream.abandon()
        else:
            await self._stream.close()


def _verdict(answer: QueryResponded) -> QueryVerdict:
    if answer.pending:
        return QueryVerdict.KEY_IGNORED
    if answer.status == _SUCCESS:
        return QueryVerdict.QUERY_ACCEPTED
    return QueryVerdict.REFUSED_STATUS if answer.status in _REFUSED else QueryVerdict.INDETERMINATE
