"""The requestor's side of an association (PS3.8 section 9.2), without a socket or a clock.

`Requestor` gives the bytes to send and turns the bytes received into events. What a peer does is never an exception
here: bytes that obey no standard become `Malformed`. A call that the association's state does not allow is our own bug
and raises `IllegalUse`.

It must never ask again, and never read on, once a query is answered with data: after a pending C-FIND-RSP or C-GET-RSP,
a C-STORE-RQ, or whatever else announces or begins a data set once the query was asked, everything received is dropped
and `abort` is all that may be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypeAlias

from checker.catalog.dicom import IMPLICIT_VR_LITTLE_ENDIAN, STUDY_ROOT_FIND, VERIFICATION
from checker.codecs import dicom_requests
from checker.codecs.dicom_dimse import (
    C_ECHO_RSP,
    C_FIND_RSP,
    C_GET_RSP,
    C_STORE_RQ,
    PENDING,
    Command,
    read_command,
)
from checker.codecs.dicom_pdu import (
    MAX_COMMAND,
    Aborted,
    Accepted,
    CommandFragment,
    DataSetFragment,
    NotDicom,
    Pdu,
    PduReader,
    Protocol,
    Rejected,
    ReleaseReplied,
    ReleaseRequested,
)
from checker.errors import MalformedPeerData
from checker.model import AssociationPurpose, ContextResult


class State(StrEnum):
    """The states of PS3.8 table 9-10 that a requestor passes through once its connection is open."""

    STA1 = "Sta1"  # no association: not asked for yet, or over
    STA5 = "Sta5"  # awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ
    STA6 = "Sta6"  # established
    STA7 = "Sta7"  # awaiting A-RELEASE-RP
    STA11 = "Sta11"  # both sides asked for release; awaiting A-RELEASE-RP
    STA13 = "Sta13"  # our last word is said; the connection is to be closed


@dataclass(frozen=True, slots=True)
class EchoResponded:
    """C-ECHO-RSP with its status (PS3.7 9.1.5.1.4)."""

    status: int


@dataclass(frozen=True, slots=True)
class QueryResponded:
    """C-FIND-RSP or C-GET-RSP with its status (PS3.4 C.4.1.1.4, C.4.3.1.4).

    `pending`: the peer found something and is sending data, or would, and must be stopped. Data counts in whatever
    wrapping it comes; `status` is None where no such response with one announced it.
    """

    status: int | None
    pending: bool


@dataclass(frozen=True, slots=True)
class Released:
    """The peer confirmed our release."""


@dataclass(frozen=True, slots=True)
class PeerReleased:
    """The peer asked for release; `reply` is to be sent, and there is nothing more to ask."""

    reply: bytes


@dataclass(frozen=True, slots=True)
class SpeaksTls:
    """The peer's first bytes are a TLS record; there is nothing more to say."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The peer broke the protocol; `reason` holds nothing that it sent. `abort` is the only thing left to say."""

    reason: str


Event: TypeAlias = (
    Accepted | Rejected | Aborted | EchoResponded | QueryResponded | Released | PeerReleased | SpeaksTls | Malformed
)


class IllegalUse(RuntimeError):  # noqa: N818 - named for what it is
    """The association is not in a state in which this may be said: a bug of the caller."""


@dataclass(frozen=True, slots=True)
class _Asked:
    context_id: int
    message_id: int
    answer: int  # the command field that answers it


class Requestor:
    """One association, asked for by us. One object serves one connection, once.

    ValueError where an AE title is not valid (see `dicom_requests.associate_rq`).
    """

    __slots__ = (
        "_accepted",
        "_asked",
        "_command",
        "_message_id",
        "_must_abort",
        "_proposed",
        "_queried",
        "_reader",
        "_released",
        "_request",
        "_state",
    )

    def __init__(self, purpose: AssociationPurpose, *, called: str, calling: str) -> None:
        self._request: bytes | None = dicom_requests.associate_rq(purpose, called=called, calling=calling)
        self._proposed = dicom_requests.contexts(purpose)
        self._reader = PduReader(dicom_requests.context_ids(purpose))
        self._state = State.STA1
        self._accepted: Accepted | None = None
        self._asked: _Asked | None = None
        self._command = bytearray()
        self._message_id = 0
        self._must_abort = False
        self._queried = False
        self._released = False

    @property
    def state(self) -> State:
        """Where the association stands."""
        return self._state

    @property
    def finished(self) -> bool:
        """Whether the association was begun and is over: the connection is to be closed."""
        return self._request is None and self._state in (State.STA1, State.STA13)

    @property
    def must_abort(self) -> bool:
        """Whether the peer broke the protocol or sends data, so that `abort` is all that may be said."""
        return self._must_abort

    @property
    def released(self) -> bool:
        """Whether the association ended by release, ours or the peer's."""
        return self._released

    @property
    def waiting(self) -> bool:
        """Whether the peer owes us an answer."""
        return self._asked is not None or self._state in (State.STA5, State.STA7, State.STA11)

    @property
    def contexts(self) -> tuple[ContextResult, ...]:
        """The answers to what was proposed, in that order; a context that the peer passed over is left out."""
        if self._accepted is None:
            return ()
        answers = self._accepted.contexts
        return tuple(
            [
                _context_result(abstract_syntax, answers[context_id].result)
                for context_id, abstract_syntax in self._proposed.items()
                if context_id in answers
            ]
        )

    def usable(self, abstract_syntax: str) -> int | None:
        """The id of a context in which this can be asked: accepted, in the transfer syntax that we proposed."""
        if self._accepted is None:
            return None
        for context_id, proposed in self._proposed.items():
            answer = self._accepted.contexts.get(context_id)
            if (
                proposed == abstract_syntax
                and answer is not None
                and answer.result == 0
                and answer.transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
            ):
                return context_id
        return None

    def start(self) -> bytes:
        """The A-ASSOCIATE-RQ; to be sent as soon as the connection is open (AE-2)."""
        if self._request is None:
            raise IllegalUse("the association was already asked for")
        request, self._request = self._request, None
        self._state = State.STA5
        return request

    def echo(self) -> bytes:
        """A C-ECHO-RQ. IllegalUse where `usable(VERIFICATION)` is None, or an answer is still owed."""
        context_id, message_id = self._ask(VERIFICATION, C_ECHO_RSP)
        return dicom_requests.echo_rq(context_id, message_id)

    def find(self, study_uid: str) -> bytes:
        """The canary C-FIND-RQ. IllegalUse where `usable(STUDY_ROOT_FIND)` is None, or an answer is still owed.

        ValueError where `study_uid` does not come from `dicom_requests.fresh_study_uid`.
        """
        dicom_requests.check_study_uid(study_uid)
        context_id, message_id = self._ask(STUDY_ROOT_FIND, C_FIND_RSP)
        self._queried = True
        return dicom_requests.canary_rq(context_id, message_id, study_uid)

    def worklist(self, station: str, patient: str) -> bytes:
        """The worklist's canary C-FIND-RQ. IllegalUse where no context for it is usable, or an answer is still owed.

        ValueError where the two do not come from `dicom_requests.fresh_station` and `fresh_patient`.
        """
        dicom_requests.check_station_and_patient(station, patient)
        context_id, message_id = self._ask(dicom_requests.MODALITY_WORKLIST_FIND, C_FIND_RSP)
        self._queried = True
        return dicom_requests.worklist_rq(context_id, message_id, station, patient)

    def get(self, study_uid: str) -> bytes:
        """The canary C-GET-RQ. IllegalUse where no context for it is usable, an answer is still owed, or the
        association proposed more, for an image could be sent to us in any other context.

        ValueError as `find` has it.
        """
        dicom_requests.check_study_uid(study_uid)
        if set(self._proposed.values()) != {dicom_requests.STUDY_ROOT_GET}:
            raise IllegalUse("an image could be sent in this association")
        context_id, message_id = self._ask(dicom_requests.STUDY_ROOT_GET, C_GET_RSP)
        self._queried = True
        return dicom_requests.get_rq(context_id, message_id, study_uid)

    def release(self) -> bytes:
        """An A-RELEASE-RQ (AR-1). IllegalUse while an answer is owed: then only `abort` leaves."""
        self._idle()
        self._state = State.STA7
        return dicom_requests.release_rq()

    def abort(self) -> bytes:
        """An A-ABORT (AA-1). Allowed from the request for the association to its end."""
        if self._state in (State.STA1, State.STA13):
            raise IllegalUse("there is no association to abort")
        self._state = State.STA13
        self._must_abort = False
        return dicom_requests.abort()

    def receive(self, data: bytes) -> tuple[Event, ...]:
        """What the bytes received mean; empty where more are needed, or where they come after the end."""
        if self._request is not None:
            raise IllegalUse("nothing can be received before the association is asked for")
        events: list[Event] = []
        if self._deaf():
            return ()
        self._reader.feed(data)
        try:
            while not self._deaf() and (pdu := self._reader.next()) is not None:
                event = self._heard(pdu)
                if event is not None:
                    events.append(event)
        except MalformedPeerData as malformed:
            self._must_abort = True
            self._asked = None
            events.append(Malformed(str(malformed)))
        return tuple(events)

    def _deaf(self) -> bool:
        return self._must_abort or self.finished

    def _idle(self) -> None:
        if self._must_abort:
            raise IllegalUse("the association can only be aborted")
        if self._state is not State.STA6:
            raise IllegalUse("there is no association")
        if self._asked is not None:
            raise IllegalUse("the peer still owes an answer")

    def _ask(self, abstract_syntax: str, answer: int) -> tuple[int, int]:
        self._idle()
        context_id = self.usable(abstract_syntax)
        if context_id is None:
            raise IllegalUse("no usable presentation context was accepted")
        self._message_id += 1
        self._asked = _Asked(context_id, self._message_id, answer)
        return context_id, self._message_id

    def _heard(self, pdu: Pdu) -> Event | None:
        """One PDU, by the rows of PS3.8 table 9-10 for this state; what the table answers by AA-8 is malformed."""
        match pdu:
            case Aborted():
                self._over(State.STA1)  # AA-3
                return pdu
            case NotDicom(speaks=Protocol.TLS):
                self._over(State.STA1)
                return SpeaksTls()
            case NotDicom():
                raise MalformedPeerData(f"speaks {pdu.speaks}")
            case Accepted() if self._state is State.STA5:
                return self._established(pdu)
            case Rejected() if self._state is State.STA5:
                self._over(State.STA1)  # AE-4
                return pdu
            case CommandFragment() if self._asked is not None or self._queried:
                return self._fragment(pdu)
            case DataSetFragment() if self._queried:
                return self._data(None)
            case DataSetFragment() if self._asked is not None:
                raise MalformedPeerData("a data set that no command announced")
            case ReleaseRequested() if self._state in (State.STA6, State.STA7):
                # Sta6: AR-2, AR-4. Sta7, a collision: AR-8, AR-9; the peer's own reply is still to come.
                self._over(State.STA13 if self._state is State.STA6 else State.STA11)
                self._released = True
                return PeerReleased(dicom_requests.release_rp())
            case ReleaseReplied() if self._state in (State.STA7, State.STA11):
                self._over(State.STA1)  # AR-3
                self._released = True
                return Released()
            case _:
                raise MalformedPeerData(f"{_NAMES[type(pdu)]} that nobody asked for")

    def _over(self, state: State) -> None:
        self._state = state
        self._asked = None
        self._command.clear()

    def _established(self, accepted: Accepted) -> Event:
        if accepted.max_pdu and accepted.max_pdu < dicom_requests.LARGEST_DATA_PDU:
            raise MalformedPeerData("an association accepted that no request fits into")
        self._accepted = accepted
        self._state = State.STA6  # AE-3
        return accepted

    def _fragment(self, fragment: CommandFragment) -> Event | None:
        if len(self._command) + len(fragment.data) > MAX_COMMAND:
            raise MalformedPeerData("a command set longer than any")
        self._command += fragment.data
        if not fragment.last:
            return None
        command = read_command(bytes(self._command))
        self._command.clear()
        if self._queried and (command.has_data_set or command.field == C_STORE_RQ):
            # Whatever it says it is, also behind the last answer: what follows are the patients'.
            return self._data(command.status if command.field in (C_FIND_RSP, C_GET_RSP) else None)
        if self._asked is None:
            raise MalformedPeerData(f"{_NAMES[CommandFragment]} that nobody asked for")
        if fragment.context_id != self._asked.context_id:
            raise MalformedPeerData("an answer in another presentation context than the question")
        return self._answered(command, self._asked)

    def _data(self, status: int | None) -> Event:
        """The query is being answered with data."""
        self._must_abort = True
        self._asked = None
        self._command.clear()
        return QueryResponded(status, pending=True)

    def _answered(self, command: Command, asked: _Asked) -> Event:
        if command.field != asked.answer or command.responded_to != asked.message_id or command.status is None:
            raise MalformedPeerData("a message that does not answer the question")
        self._asked = None
        if asked.answer != C_ECHO_RSP and (command.status in PENDING or command.sub_operations):
            return self._data(command.status)
        if command.has_data_set:
            raise MalformedPeerData("a last answer that announces a data set")
        if asked.answer != C_ECHO_RSP:
            return QueryResponded(command.status, pending=False)
        return EchoResponded(command.status)


@cache
def _context_result(abstract_syntax: str, result: int) -> ContextResult:
    # There are few, one byte for each of what we propose, and an archive's answer would be thirty of them anew.
    return ContextResult(abstract_syntax, result)


_NAMES = {
    Accepted: "an A-ASSOCIATE-AC",
    Rejected: "an A-ASSOCIATE-RJ",
    ReleaseRequested: "an A-RELEASE-RQ",
    ReleaseReplied: "an A-RELEASE-RP",
    CommandFragment: "a message",
    DataSetFragment: "a data set",
}
