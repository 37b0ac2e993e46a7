"""The child process of `tests.live.servers.scp`: one pynetdicom SCP, told by a JSON object in its only argument."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_AC
from pynetdicom.sop_class import (
    ModalityWorklistInformationFind,
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)
from pynetdicom.transport import AssociationSocket

from tests.live.synthetic import INSTITUTION, NAME, Study, studies

_OFFERED = (
    Verification,
    ModalityWorklistInformationFind,
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
_PENDING = 0xFF00
_SUCCESS = 0x0000
_STREAMED_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an SCP does; the defaults accept anybody and answer C-ECHO and C-FIND as they should.

    `require_called`: another called AE title than its own is rejected with 1/1/7. `require_calling`: where not empty,
    other callers are rejected with 1/1/3. `reject`: everybody is rejected with this result, source and reason, or only
    the first `reject_first` where that is not 0. `without_identity`: who sends no user identity is rejected with this.
    `max_associations`: at once; more are rejected with 2/3/2. `drop_after_accept`: the connection is closed after the
    A-ASSOCIATE-AC. `abort_on_echo`, `abort_on_find`: A-ABORT in place of an answer. `echo_status`, `find_status`: the
    final status. `stream_bytes`: a C-FIND ignores its keys and is answered with so much synthetic patient data.
    `find_sends`: what a C-FIND is answered with before the final status, in hexadecimal, whole PDUs.
    `delay_s`: seconds before the answer to C-ECHO or C-FIND. `storage`: the Storage contexts are accepted.
    `studies`: how many synthetic studies it has. `offered`: where False, Verification is the only SOP class.
    `worklist`: False for one that ignores the keys of a worklist query and sends what it has. `get_sends`: what a C-GET
    is answered with before the final status, in hexadecimal, whole PDUs. `delay_s` holds for C-GET and not the echo
    where `delay_echo` is False.
    `patient`: the name of each patient whom it streams. `piecewise`: whatever it sends goes out one byte at a time.
    """

    ae_title: str = "SYNTHSCP"
    require_called: bool = False
    require_calling: tuple[str, ...] = ()
    reject: tuple[int, int, int] | None = None
    reject_first: int = 0
    without_identity: tuple[int, int, int] | None = None
    max_associations: int = 10
    drop_after_accept: bool = False
    abort_on_echo: bool = False
    abort_on_find: bool = False
    echo_status: int = _SUCCESS
    find_status: int = _SUCCESS
    stream_bytes: int = 0
    find_sends: str = ""
    delay_s: float = 0.0
    storage: bool = False
    offered: bool = True
    studies: int = 3
    worklist: bool = True
    get_sends: str = ""
    delay_echo: bool = True
    patient: str = NAME
    piecewise: bool = False


class _Sending:
    """In place of pynetdicom's way to send: counts what the kernel took, and may give it one byte at a time."""

    def __init__(self, transport: AssociationSocket, *, piecewise: bool) -> None:
        self._transport = transport
        self._piecewise = piecewise
        self.sent = self.writes = 0
        if piecewise and transport.socket is not None:
            transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, left: bytes) -> None:
        try:
            while left and self._transport.socket is not None:
                taken = self._transport.socket.send(left[:1] if self._piecewise else left)
                self.sent += taken
                self.writes += 1
                left = left[taken:]
        except OSError:
            self._transport.event_queue.put("Evt17")  # PS3.8 table 9-10: the transport connection is closed


class _Server:
    """The handlers of one SCP."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._studies = studies(behaviour.studies, instances=1)
        self._writing = threading.Lock()
        self._requests = 0

    def handlers(self) -> list[tuple[object, Callable[[evt.Event], object]]]:
        """pynetdicom's list of events and what to do on them."""
        return [
            (evt.EVT_CONN_OPEN, self._connected),
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_ACCEPTED, lambda _event: self._tell("accepted")),
            (evt.EVT_REJECTED, lambda _event: self._tell("rejected")),
            (evt.EVT_RELEASED, lambda _event: self._tell("released")),
            (evt.EVT_CONN_CLOSE, self._disconnected),
            (evt.EVT_PDU_RECV, self._received),
            (evt.EVT_PDU_SENT, self._sent),
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_GET, self._get),
        ]

    def _tell(self, event: str, **more: int) -> None:
        with self._writing:
            sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
            sys.stdout.flush()

    def _connected(self, event: evt.Event) -> None:
        transport = event.assoc.dul.socket
        transport.send = _Sending(transport, piecewise=self._behaviour.piecewise)
        self._tell("connected")

    def _disconnected(self, event: evt.Event) -> None:
        sending = event.assoc.dul.socket.send
        self._tell("disconnected", sent=sending.sent, writes=sending.writes)

    def _requested(self, event: evt.Event) -> None:
        self._tell("requested")
        self._requests += 1
        behaviour, answer = self._behaviour, None
        if behaviour.reject is not None and (not behaviour.reject_first or self._requests <= behaviour.reject_first):
            answer = behaviour.reject
        elif behaviour.without_identity is not None and event.assoc.requestor.user_identity is None:
            answer = behaviour.without_identity
        if answer is not None:
            event.assoc.acse.send_reject(*answer)
            evt.trigger(event.assoc, evt.EVT_REJECTED, {})
            event.assoc.kill()

    def _received(self, event: evt.Event) -> None:
        # EVT_ABORTED comes for a connection that was merely dropped as well.
        if isinstance(event.pdu, A_ABORT_RQ):
            self._tell("aborted")

    def _sent(self, event: evt.Event) -> None:
        if self._behaviour.drop_after_accept and isinstance(event.pdu, A_ASSOCIATE_AC):
            event.assoc.dul.socket.socket.shutdown(socket.SHUT_RDWR)

    def _echo(self, event: evt.Event) -> int:
        self._tell("echo")
        if self._behaviour.delay_echo:
            time.sleep(self._behaviour.delay_s)
        if self._behaviour.abort_on_echo:
            event.assoc.abort()
        return self._behaviour.echo_status

    def _get(self, event: evt.Event) -> Iterator[int]:
        self._tell("get")
        time.sleep(self._behaviour.delay_s)
        if self._behaviour.get_sends:
            event.assoc.dul.socket.send(bytes.fromhex(self._behaviour.get_sends))
        yield 0  # sub-operations: nobody has the study

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        self._tell("find")
        time.sleep(self._behaviour.delay_s)
        if self._behaviour.abort_on_find:
            event.assoc.abort()
            return
        if self._behaviour.find_sends:
            event.assoc.dul.socket.send(bytes.fromhex(self._behaviour.find_sends))
        elif self._behaviour.stream_bytes:
            for number in range(max(1, self._behaviour.stream_bytes // _STREAMED_BYTES)):
                if not event.assoc.is_established:
                    return
                yield _PENDING, _large(self._studies[number % len(self._studies)], self._behaviour.patient)
        elif self._behaviour.worklist and event.request.AffectedSOPClassUID == ModalityWorklistInformationFind:
            pass  # it has no step of that station
        else:
            wanted = str(event.identifier.get("StudyInstanceUID", ""))
            for study in self._studies:
                if wanted in ("", "*", study.uid):
                    yield _PENDING, _answer(study)
        yield self._behaviour.find_status, None


def _answer(study: Study) -> Dataset:
    answer = Dataset()
    answer.QueryRetrieveLevel = "STUDY"
    answer.StudyInstanceUID = study.uid
    answer.PatientName = study.patient_name
    answer.PatientID = study.patient_id
    return answer


def _large(study: Study, patient: str) -> Dataset:
    answer = _answer(study)
    answer.PatientName = f"{patient}^{study.number}"
    answer.PatientComments = (INSTITUTION + " ") * (_STREAMED_BYTES // (len(INSTITUTION) + 1))
    return answer


def _context(key: str | None, certificate: str | None, authority: str | None) -> ssl.SSLContext | None:
    if key is None or certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if authority is not None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _main() -> None:
    told = json.loads(sys.argv[1])
    asked = told["behaviour"]
    for name in ("require_calling", "reject", "without_identity"):
        asked[name] = tuple(asked[name]) if asked[name] is not None else None
    behaviour = Behaviour(**asked)
    entity = AE(behaviour.ae_title)
    entity.require_called_aet = behaviour.require_called
    entity.require_calling_aet = list(behaviour.require_calling)
    entity.maximum_associations = behaviour.max_associations
    for sop_class in _OFFERED if behaviour.offered else _OFFERED[:1]:
        entity.add_supported_context(sop_class)
    if behaviour.storage:
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax)
    entity.start_server(
        (told["host"], told["port"]),
        block=True,
        ssl_context=_context(told["key"], told["certificate"], told["authority"]),
        evt_handlers=_Server(behaviour).handlers(),
    )


if __name__ == "__main__":
    _main()
