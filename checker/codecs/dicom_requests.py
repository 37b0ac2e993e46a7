"""Everything that this product ever says to a DICOM peer, as bytes.

Each kind of message is encoded once, at first use, and then patched: AE titles, context id, message id and what the
canaries ask for are all that differs. There is no way here to say C-STORE, C-MOVE or any N- service, no C-GET but for a
study that cannot exist (and no association for it proposes a class that could be sent to us), and no context of
`_NEVER_PROPOSED` can be proposed. Time and randomness are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from uuid import UUID

from checker.catalog.dicom import SOP_CLASSES, STUDY_ROOT_FIND, VERIFICATION
from checker.codecs import dicom_encoder
from checker.model import AssociationPurpose

IMPLEMENTATION_CLASS_UID = "2.25.250698625222198862969252505924563953725"
"""Ours, made from a UUID as PS3.5 annex B.2 describes; it never changes."""

IMPLEMENTATION_VERSION = "PACSCHECKER_01"

STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"  # PS3.4 annex C.6.2
MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"  # PS3.4 annex K.6.1

SURVEY_MAX_PDU = 16384
QUESTION_MAX_PDU = 4096
"""Small, so that a peer that answers the canary with data has sent little when the abort reaches it."""

LARGEST_DATA_PDU = 128
"""No P-DATA-TF of ours has a longer body, in bytes; a peer that takes less cannot be asked anything."""

# Negotiating DCMTK's private shutdown SOP class is enough to stop a dcmqrscp that allows it.
_NEVER_PROPOSED = frozenset({"1.2.276.0.7230010.3.4.1915765545.18030.917282194.0"})

_PROPOSED: Mapping[AssociationPurpose, tuple[str, ...]] = {
    AssociationPurpose.SURVEY: tuple(sop_class.uid for sop_class in SOP_CLASSES),
    AssociationPurpose.WRONG_CALLED: (VERIFICATION,),
    AssociationPurpose.CANARY: (STUDY_ROOT_FIND,),
    AssociationPurpose.REGISTERED: (VERIFICATION,),
    AssociationPurpose.WORKLIST: (MODALITY_WORKLIST_FIND,),
    AssociationPurpose.GET: (STUDY_ROOT_GET,),
    AssociationPurpose.RECOGNISE: (VERIFICATION,),
}

_CALLED = slice(10, 26)  # PS3.8 table 9-11
_CALLING = slice(26, 42)
_AE_TITLE = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}")  # PS3.5 6.2: the default repertoire without the backslash

_LONG_AGO = "18000101"
_PLACEHOLDER_STUDY = f"2.25.{1 << 127}"
_STUDY_UID = re.compile(r"2\.25\.[1-9][0-9]{38}")
_PLACEHOLDER_STATION = "NOSUCH0000000000"
_STATION = re.compile(r"NOSUCH[0-9A-F]{10}")
_PLACEHOLDER_PATIENT = f"NOSUCH{'F' * 32}"
_PATIENT = re.compile(r"NOSUCH[0-9A-F]{32}")
_CONTEXT_ID_AT = 10  # PS3.8 tables 9-22, 9-23: PDU header of 6, item length of 4
_MESSAGE_ID = bytes.fromhex("0000 1001 02000000")  # (0000,0110), 2 bytes long, in Implicit VR Little Endian


def contexts(purpose: AssociationPurpose) -> Mapping[int, str]:
    """The presentation contexts that an association for this purpose proposes: odd id to abstract syntax."""
    return _contexts(purpose)


@cache
def context_ids(purpose: AssociationPurpose) -> frozenset[int]:
    """The ids of those contexts."""
    return frozenset(_contexts(purpose))


def associate_rq(purpose: AssociationPurpose, *, called: str, calling: str) -> bytes:
    """The A-ASSOCIATE-RQ for this purpose (PS3.8 9.3.2). ValueError for an AE title that PS3.5 6.2 does not allow."""
    titles = _ae_title(called), _ae_title(calling)
    request = bytearray(_associate_template(purpose))
    request[_CALLED], request[_CALLING] = titles
    return bytes(request)


def echo_rq(context_id: int, message_id: int) -> bytes:
    """A C-ECHO-RQ as a P-DATA-TF. ValueError for a context id that is even or a number out of range."""
    request = bytearray(_echo_template())
    _patch_ids(request, (_CONTEXT_ID_AT,), context_id, message_id)
    return bytes(request)


def canary_rq(context_id: int, message_id: int, study_uid: str) -> bytes:
    """The canary: a C-FIND-RQ for one study that cannot exist, of the year 1800, with no other key.

    `study_uid` comes from `fresh_study_uid`. The command and its identifier are a P-DATA-TF each. ValueError for a
    study that was not made that way, a context id that is even, or a number out of range.
    """
    check_study_uid(study_uid)
    return _patched(_canary_template(), context_id, message_id, {_PLACEHOLDER_STUDY: study_uid})


def worklist_rq(context_id: int, message_id: int, station: str, patient: str) -> bytes:
    """The worklist's canary: a C-FIND-RQ for a step of the year 1800, at a station and of a patient that nobody has.

    It has none but keys that every worklist must heed (PS3.4 table K.6-1): some ignore all others. `station` comes from
    `fresh_station`, `patient` from `fresh_patient`; ValueError where they do not, and as `canary_rq` has it.
    """
    check_station_and_patient(station, patient)
    fresh = {_PLACEHOLDER_STATION: station, _PLACEHOLDER_PATIENT: patient}
    return _patched(_worklist_template(), context_id, message_id, fresh)


def get_rq(context_id: int, message_id: int, study_uid: str) -> bytes:
    """The canary of retrieval: a C-GET-RQ for one study that cannot exist.

    `study_uid` comes from `fresh_study_uid`; ValueError as `canary_rq` has it.
    """
    check_study_uid(study_uid)
    return _patched(_get_template(), context_id, message_id, {_PLACEHOLDER_STUDY: study_uid})


def fresh_study_uid(random: UUID) -> str:
    """A study that nobody has: 2.25 and the UUID as a decimal (PS3.5 annex B.2), always 44 characters long.

    The topmost bit is set, so that the decimal has 39 digits whatever the UUID; a random UUID (version 4) stays one.
    """
    return f"2.25.{random.int | 1 << 127}"


def fresh_station(random: UUID) -> str:
    """An AE title of a station that nobody has (PS3.5 6.2, VR AE), always 16 characters long."""
    return f"NOSUCH{random.int & (1 << 40) - 1:010X}"


def fresh_patient(random: UUID) -> str:
    """A patient's id that nobody has (PS3.5 6.2, VR LO), always 38 characters long."""
    return f"NOSUCH{random.int:032X}"


def check_station_and_patient(station: str, patient: str) -> None:
    """ValueError where the worklist must not be asked for these, because they cannot have been made here."""
    if not _STATION.fullmatch(station) or not _PATIENT.fullmatch(patient):
        message = "a worklist is asked only for what fresh_station and fresh_patient made"
        raise ValueError(message)


def check_study_uid(study_uid: str) -> None:
    """ValueError where the canary must not ask for this study, because `fresh_study_uid` cannot have made it."""
    if not _STUDY_UID.fullmatch(study_uid):
        message = "the canary asks only for a study that fresh_study_uid made"
        raise ValueError(message)


@cache
def release_rq() -> bytes:
    """An A-RELEASE-RQ (PS3.8 9.3.6)."""
    return dicom_encoder.release_rq()


@cache
def release_rp() -> bytes:
    """An A-RELEASE-RP (PS3.8 9.3.7)."""
    return dicom_encoder.release_rp()


@cache
def abort() -> bytes:
    """An A-ABORT by the service user (PS3.8 9.3.8)."""
    return dicom_encoder.abort()


@cache
def _contexts(purpose: AssociationPurpose) -> Mapping[int, str]:
    proposed = _PROPOSED[purpose]
    if not _NEVER_PROPOSED.isdisjoint(proposed):
        message = "a SOP class whose mere negotiation can stop a server must not be proposed"
        raise RuntimeError(message)
    # PS3.8 9.3.2.2: ids are odd, 1 to 255
    return MappingProxyType({2 * index + 1: uid for index, uid in enumerate(proposed)})


@cache
def _associate_template(purpose: AssociationPurpose) -> bytes:
    max_pdu = SURVEY_MAX_PDU if purpose is AssociationPurpose.SURVEY else QUESTION_MAX_PDU
    return dicom_encoder.associate_rq(_contexts(purpose), max_pdu, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION)


@cache
def _echo_template() -> bytes:
    return dicom_encoder.echo_rq()


@cache
def _canary_template() -> bytes:
    return dicom_encoder.find_rq(
        STUDY_ROOT_FIND,
        {"StudyDate": _LONG_AGO, "QueryRetrieveLevel": "STUDY", "StudyInstanceUID": _PLACEHOLDER_STUDY},
    )


@cache
def _worklist_template() -> bytes:
    step = {"ScheduledStationAETitle": _PLACEHOLDER_STATION, "ScheduledProcedureStepStartDate": _LONG_AGO}
    return dicom_encoder.find_rq(
        MODALITY_WORKLIST_FIND, {"PatientID": _PLACEHOLDER_PATIENT, "ScheduledProcedureStepSequence": step}
    )


@cache
def _get_template() -> bytes:
    return dicom_encoder.get_rq(STUDY_ROOT_GET, {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": _PLACEHOLDER_STUDY})


def _patched(template: bytes, context_id: int, message_id: int, fresh: Mapping[str, str]) -> bytes:
    """The template, which is a command and its identifier, with its ids and what is fresh in place of placeholders."""
    identifier = int.from_bytes(template[2:6], "big") + 6
    request = bytearray(template)
    _patch_ids(request, (_CONTEXT_ID_AT, identifier + _CONTEXT_ID_AT), context_id, message_id)
    for placeholder, value in fresh.items():
        at = _only(template, placeholder.encode("ascii"))
        request[at : at + len(placeholder)] = value.encode("ascii")
    return bytes(request)


def _ae_title(title: str) -> bytes:
    # PS3.5 6.2: spaces at either end do not count, and a title of nothing else is none
    if not _AE_TITLE.fullmatch(title) or not title.strip():
        message = "an AE title has 1 to 16 printable ASCII characters, no backslash, not all of them spaces"
        raise ValueError(message)
    return title.ljust(16).encode("ascii")


def _patch_ids(request: bytearray, context_id_at: tuple[int, ...], context_id: int, message_id: int) -> None:
    if context_id % 2 == 0 or not 1 <= context_id <= 255:
        message = "a presentation context id is odd, 1 to 255"
        raise ValueError(message)
    if not 1 <= message_id <= 0xFFFF:
        message = "a message id is 1 to 65535"
        raise ValueError(message)
    at = _only(bytes(request), _MESSAGE_ID) + len(_MESSAGE_ID)
    request[at : at + 2] = message_id.to_bytes(2, "little")
    for position in context_id_at:
        request[position] = context_id


def _only(template: bytes, pattern: bytes) -> int:
    if template.count(pattern) != 1:
        message = "the encoded request does not hold what is to be patched exactly once"
        raise RuntimeError(message)
    return template.index(pattern)
