"""What a DICOM acceptor says, as bytes by pynetdicom, and pynetdicom's own reading of what we say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import dimse_messages, dimse_primitives, pdu, pdu_primitives
from pynetdicom.dsutils import decode, encode
from pynetdicom.presentation import PresentationContext

from checker.catalog.dicom import IMPLICIT_VR_LITTLE_ENDIAN, STUDY_ROOT_FIND, VERIFICATION

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
IMPLEMENTATION = "1.2.826.0.1.3680043.9.3811.3.0.4"
VERSION = "ORACLE_1"


def associate_ac(
    results: Mapping[int, tuple[int, str]],
    *,
    max_pdu: int = 16382,
    implementation: str = IMPLEMENTATION,
    version: str | None = VERSION,
) -> bytes:
    """An A-ASSOCIATE-AC; `results` gives for each context id its result and transfer syntax."""
    primitive = pdu_primitives.A_ASSOCIATE()
    primitive.application_context_name = APPLICATION_CONTEXT
    primitive.called_ae_title = "CALLED"
    primitive.calling_ae_title = "CALLING"
    primitive.result = 0
    primitive.result_source = 1
    answered = []
    for context_id, (result, transfer_syntax) in results.items():
        context = PresentationContext()
        context.context_id = context_id
        context.transfer_syntax = [transfer_syntax]
        context.result = result
        answered.append(context)
    primitive.presentation_context_definition_results_list = answered
    maximum = pdu_primitives.MaximumLengthNotification()
    maximum.maximum_length_received = max_pdu
    uid = pdu_primitives.ImplementationClassUIDNotification()
    uid.implementation_class_uid = implementation
    primitive.user_information = [maximum, uid]
    if version is not None:
        name = pdu_primitives.ImplementationVersionNameNotification()
        name.implementation_version_name = version
        primitive.user_information.append(name)
    return bytes(pdu.A_ASSOCIATE_AC(primitive).encode())


def accepted(*context_ids: int) -> bytes:
    """An A-ASSOCIATE-AC that accepts these contexts in Implicit VR Little Endian."""
    return associate_ac(dict.fromkeys(context_ids, (0, IMPLICIT_VR_LITTLE_ENDIAN)))


def associate_rj(result: int, source: int, reason: int) -> bytes:
    """An A-ASSOCIATE-RJ."""
    primitive = pdu_primitives.A_ASSOCIATE()
    primitive.result, primitive.result_source, primitive.diagnostic = result, source, reason
    return bytes(pdu.A_ASSOCIATE_RJ(primitive).encode())


def abort(source: int, reason: int) -> bytes:
    """An A-ABORT."""
    message = pdu.A_ABORT_RQ()
    message.source, message.reason_diagnostic = source, reason
    return bytes(message.encode())


def release_rq() -> bytes:
    """An A-RELEASE-RQ."""
    return bytes(pdu.A_RELEASE_RQ(pdu_primitives.A_RELEASE()).encode())


def release_rp() -> bytes:
    """An A-RELEASE-RP."""
    return bytes(pdu.A_RELEASE_RP(pdu_primitives.A_RELEASE()).encode())


def echo_rsp(*, context_id: int = 1, message_id: int = 1, status: int = 0, max_pdu: int = 0) -> bytes:
    """A C-ECHO-RSP in P-DATA-TF; `max_pdu` cuts it into fragments, 0 does not."""
    primitive = dimse_primitives.C_ECHO()
    primitive.MessageIDBeingRespondedTo = message_id
    primitive.AffectedSOPClassUID = VERIFICATION
    primitive.Status = status
    return _p_data(dimse_messages.C_ECHO_RSP(), primitive, context_id, max_pdu)


def find_rsp(
    *, context_id: int = 1, message_id: int = 1, status: int = 0, match: Dataset | None = None, max_pdu: int = 0
) -> bytes:
    """A C-FIND-RSP in P-DATA-TF, with a match behind it where one is given."""
    primitive = dimse_primitives.C_FIND()
    primitive.MessageIDBeingRespondedTo = message_id
    primitive.AffectedSOPClassUID = STUDY_ROOT_FIND
    primitive.Status = status
    if match is not None:
        primitive.Identifier = BytesIO(encode(match, is_implicit_vr=True, is_little_endian=True))
    return _p_data(dimse_messages.C_FIND_RSP(), primitive, context_id, max_pdu)


def command_set(message: Any, primitive: Any) -> bytes:
    """The command set of a DIMSE message alone, as pynetdicom encodes it."""
    message.primitive_to_message(primitive)
    return bytes(encode(message.command_set, is_implicit_vr=True, is_little_endian=True))


def _p_data(message: Any, primitive: Any, context_id: int, max_pdu: int) -> bytes:
    message.primitive_to_message(primitive)
    return b"".join(bytes(pdu.P_DATA_TF(part).encode()) for part in message.encode_msg(context_id, max_pdu))


@dataclass(frozen=True, slots=True)
class Read:
    """A DIMSE request of ours, as pynetdicom reads it: the primitive, its context and its identifier."""

    primitive: Any
    context_id: int
    identifier: Dataset | None


def pdus(data: bytes) -> list[bytes]:
    """The PDUs that `data` is made of."""
    found = []
    while data:
        length = 6 + int.from_bytes(data[2:6], "big")
        assert len(data) >= length
        found.append(data[:length])
        data = data[length:]
    return found


def read_request(data: bytes) -> Read:
    """A DIMSE request out of its P-DATA-TF."""
    message = dimse_messages.DIMSEMessage()
    parts = pdus(data)
    for number, part in enumerate(parts, 1):
        received = pdu.P_DATA_TF()
        received.decode(part)
        whole = message.decode_msg(received.to_primitive())
        assert whole == (number == len(parts))
    primitive = message.message_to_primitive()
    stored = getattr(primitive, "Identifier", None)
    identifier = decode(stored, True, True) if stored is not None else None
    return Read(primitive, message.context_id, identifier)


def read_associate_rq(data: bytes) -> Any:
    """The A-ASSOCIATE primitive of our request."""
    received = pdu.A_ASSOCIATE_RQ()
    received.decode(data)
    return received.to_primitive()


def get_rsp(
    *, context_id: int = 1, message_id: int = 1, status: int = 0, remaining: int | None = None, completed: int = 0
) -> bytes:
    """A C-GET-RSP in P-DATA-TF with its counts of sub-operations; `remaining` is left out of a last one."""
    primitive = dimse_primitives.C_GET()
    primitive.MessageIDBeingRespondedTo = message_id
    primitive.AffectedSOPClassUID = "1.2.840.10008.5.1.4.1.2.2.3"
    primitive.Status = status
    primitive.NumberOfRemainingSuboperations = remaining
    primitive.NumberOfCompletedSuboperations = completed
    primitive.NumberOfFailedSuboperations = 0
    primitive.NumberOfWarningSuboperations = 0
    return _p_data(dimse_messages.C_GET_RSP(), primitive, context_id, 0)


def store_rq(data: Dataset, *, context_id: int = 1, message_id: int = 1) -> bytes:
    """A C-STORE-RQ in P-DATA-TF, as an acceptor sends it for a C-GET (PS3.4 C.4.3.1)."""
    primitive = dimse_primitives.C_STORE()
    primitive.MessageID = message_id
    primitive.AffectedSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    primitive.AffectedSOPInstanceUID = "1.2.3"
    primitive.Priority = 2
    primitive.DataSet = BytesIO(encode(data, is_implicit_vr=True, is_little_endian=True))
    return _p_data(dimse_messages.C_STORE_RQ(), primitive, context_id, 0)
