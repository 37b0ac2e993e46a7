"""Everything that is said to a DICOM peer, read by pynetdicom, and byte by byte where it never changes."""

from __future__ import annotations

import string
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pynetdicom import pdu_primitives

from checker.catalog.dicom import IMPLICIT_VR_LITTLE_ENDIAN, SOP_CLASSES, STUDY_ROOT_FIND, VERIFICATION
from checker.codecs import dicom_requests
from checker.codecs.dicom_requests import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION,
    LARGEST_DATA_PDU,
    MODALITY_WORKLIST_FIND,
    QUESTION_MAX_PDU,
    STUDY_ROOT_GET,
    SURVEY_MAX_PDU,
    associate_rq,
    canary_rq,
    check_study_uid,
    contexts,
    echo_rq,
    fresh_patient,
    fresh_station,
    fresh_study_uid,
    get_rq,
    worklist_rq,
)
from checker.model import AssociationPurpose
from tests.codecs import dicom_oracle as oracle

SURVEY, WRONG_CALLED, CANARY, REGISTERED, WORKLIST, GET, RECOGNISE = AssociationPurpose
SHUTDOWN = "1.2.276.0.7230010.3.4.1915765545.18030.917282194.0"
STUDY = fresh_study_uid(UUID(int=1))
STATION, PATIENT = fresh_station(UUID(int=1)), fresh_patient(UUID(int=1))

ae_titles = st.text(
    st.sampled_from([character for character in string.printable[:95] if character != "\\"]), min_size=1, max_size=16
).filter(str.strip)
context_ids = st.integers(0, 127).map(lambda number: 2 * number + 1)
message_ids = st.integers(1, 0xFFFF)


@pytest.mark.parametrize("purpose", AssociationPurpose)
@given(called=ae_titles, calling=ae_titles)
def test_the_titles_are_read_as_given(purpose: AssociationPurpose, called: str, calling: str) -> None:
    request = associate_rq(purpose, called=called, calling=calling)

    assert request[10:42] == called.ljust(16).encode() + calling.ljust(16).encode()
    read = oracle.read_associate_rq(request)
    assert (read.called_ae_title.strip(), read.calling_ae_title.strip()) == (called.strip(), calling.strip())


@pytest.mark.parametrize("purpose", AssociationPurpose)
def test_a_request_proposes_its_contexts_in_implicit_little_endian_only(purpose: AssociationPurpose) -> None:
    read = oracle.read_associate_rq(associate_rq(purpose, called="A", calling="B"))

    proposed = read.presentation_context_definition_list
    assert {context.context_id: context.abstract_syntax for context in proposed} == contexts(purpose)
    assert all(context.transfer_syntax == [IMPLICIT_VR_LITTLE_ENDIAN] for context in proposed)
    assert read.application_context_name == oracle.APPLICATION_CONTEXT


@pytest.mark.parametrize(
    ("purpose", "max_pdu"),
    [
        (SURVEY, SURVEY_MAX_PDU),
        *((purpose, QUESTION_MAX_PDU) for purpose in AssociationPurpose if purpose is not SURVEY),
    ],
)
def test_a_request_introduces_us_and_bounds_what_is_sent(purpose: AssociationPurpose, max_pdu: int) -> None:
    items = oracle.read_associate_rq(associate_rq(purpose, called="A", calling="B")).user_information

    by_kind = {type(item): item for item in items}
    assert set(by_kind) == {
        pdu_primitives.MaximumLengthNotification,
        pdu_primitives.ImplementationClassUIDNotification,
        pdu_primitives.ImplementationVersionNameNotification,
    }, "no role selection, no user identity, no extended negotiation"
    assert by_kind[pdu_primitives.MaximumLengthNotification].maximum_length_received == max_pdu
    uid = by_kind[pdu_primitives.ImplementationClassUIDNotification].implementation_class_uid
    name = by_kind[pdu_primitives.ImplementationVersionNameNotification].implementation_version_name
    assert (uid, name) == (IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION)


def test_each_purpose_proposes_what_it_needs_and_no_more() -> None:
    assert list(contexts(SURVEY).values()) == [sop_class.uid for sop_class in SOP_CLASSES]
    assert list(contexts(WRONG_CALLED).values()) == [VERIFICATION]
    assert list(contexts(CANARY).values()) == [STUDY_ROOT_FIND]
    assert list(contexts(REGISTERED).values()) == [VERIFICATION]
    assert list(contexts(WORKLIST).values()) == [MODALITY_WORKLIST_FIND]
    assert list(contexts(GET).values()) == [STUDY_ROOT_GET], "no class in which an image could be sent to us"


@pytest.mark.parametrize("purpose", AssociationPurpose)
def test_context_ids_are_odd_and_the_shutdown_class_is_never_proposed(purpose: AssociationPurpose) -> None:
    assert all(context_id % 2 == 1 and 1 <= context_id <= 255 for context_id in contexts(purpose))
    assert SHUTDOWN not in contexts(purpose).values()
    assert SHUTDOWN.encode() not in associate_rq(purpose, called="A", calling="B")


def test_the_shutdown_class_cannot_be_proposed_even_if_the_catalogue_had_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_requests, "_PROPOSED", {SURVEY: (VERIFICATION, SHUTDOWN)})
    with pytest.raises(RuntimeError, match="must not be proposed"):
        dicom_requests._contexts.__wrapped__(SURVEY)


@pytest.mark.parametrize("title", ["", " ", " " * 16, "A" * 17, "A\\B", "TAB\t", "N\n", "Ä", "\x7f"])
def test_a_title_that_is_none_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="AE title"):
        associate_rq(SURVEY, called=title, calling="A")
    with pytest.raises(ValueError, match="AE title"):
        associate_rq(SURVEY, called="A", calling=title)


@given(context_ids, message_ids)
def test_an_echo_is_read_as_c_echo(context_id: int, message_id: int) -> None:
    read = oracle.read_request(echo_rq(context_id, message_id))

    assert type(read.primitive).__name__ == "C_ECHO"
    assert read.primitive.MessageID == message_id
    assert read.primitive.AffectedSOPClassUID == VERIFICATION
    assert (read.context_id, read.identifier) == (context_id, None)


@given(context_ids, message_ids, st.uuids())
def test_a_canary_is_read_as_a_find_for_one_study_and_no_other_key(
    context_id: int, message_id: int, random: UUID
) -> None:
    study = fresh_study_uid(random)
    read = oracle.read_request(canary_rq(context_id, message_id, study))

    assert type(read.primitive).__name__ == "C_FIND"
    assert read.primitive.MessageID == message_id
    assert read.primitive.AffectedSOPClassUID == STUDY_ROOT_FIND
    assert read.context_id == context_id
    assert read.identifier is not None
    asked = {element.keyword: str(element.value) for element in read.identifier}
    assert asked == {"StudyDate": "18000101", "QueryRetrieveLevel": "STUDY", "StudyInstanceUID": study}


@given(context_ids, message_ids, st.uuids(), st.uuids())
def test_the_worklists_canary_is_read_as_a_find_with_none_but_required_keys(
    context_id: int, message_id: int, one: UUID, other: UUID
) -> None:
    station, patient = fresh_station(one), fresh_patient(other)
    read = oracle.read_request(worklist_rq(context_id, message_id, station, patient))

    assert type(read.primitive).__name__ == "C_FIND"
    assert (read.primitive.MessageID, read.context_id) == (message_id, context_id)
    assert read.primitive.AffectedSOPClassUID == MODALITY_WORKLIST_FIND
    assert read.identifier is not None
    assert {element.keyword for element in read.identifier} == {"PatientID", "ScheduledProcedureStepSequence"}
    assert read.identifier.PatientID == patient
    (step,) = read.identifier.ScheduledProcedureStepSequence
    assert {element.keyword: str(element.value) for element in step} == {
        "ScheduledStationAETitle": station,
        "ScheduledProcedureStepStartDate": "18000101",
    }


@given(context_ids, message_ids, st.uuids())
def test_the_canary_of_retrieval_is_read_as_a_get_for_one_study(context_id: int, message_id: int, random: UUID) -> None:
    study = fresh_study_uid(random)
    read = oracle.read_request(get_rq(context_id, message_id, study))

    assert type(read.primitive).__name__ == "C_GET"
    assert (read.primitive.MessageID, read.context_id) == (message_id, context_id)
    assert read.primitive.AffectedSOPClassUID == STUDY_ROOT_GET
    assert read.identifier is not None
    asked = {element.keyword: str(element.value) for element in read.identifier}
    assert asked == {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": study}


@pytest.mark.parametrize(
    ("station", "patient"),
    [("*", PATIENT), ("", PATIENT), ("CT01", PATIENT), (STATION, ""), (STATION, "*"), (STATION, PATIENT[:-1] + "*")],
)
def test_a_worklist_is_asked_for_nothing_that_somebody_may_have(station: str, patient: str) -> None:
    with pytest.raises(ValueError, match="fresh_station"):
        worklist_rq(1, 1, station, patient)


@pytest.mark.parametrize("study", ["", "*", "1.2.3", "2.25.1"])
def test_nothing_but_a_fresh_study_can_be_retrieved(study: str) -> None:
    with pytest.raises(ValueError, match="fresh_study_uid"):
        get_rq(1, 1, study)


def test_every_p_data_fits_into_the_smallest_peer_that_is_asked() -> None:
    for message in (echo_rq(1, 1), canary_rq(1, 1, STUDY), worklist_rq(1, 1, STATION, PATIENT), get_rq(1, 1, STUDY)):
        assert all(len(pdu) - 6 <= LARGEST_DATA_PDU for pdu in oracle.pdus(message))


@pytest.mark.parametrize("context_id", [0, 2, 256, 257, -1])
def test_an_impossible_context_id_is_refused(context_id: int) -> None:
    with pytest.raises(ValueError, match="context id"):
        echo_rq(context_id, 1)
    with pytest.raises(ValueError, match="context id"):
        canary_rq(context_id, 1, STUDY)


@pytest.mark.parametrize("message_id", [0, 0x10000, -1])
def test_an_impossible_message_id_is_refused(message_id: int) -> None:
    with pytest.raises(ValueError, match="message id"):
        echo_rq(1, message_id)


@given(st.uuids())
def test_a_fresh_study_is_valid_and_always_as_long(random: UUID) -> None:
    study = fresh_study_uid(random)
    assert len(study) == 44
    check_study_uid(study)


@given(st.uuids(), st.uuids())
def test_two_uuids_give_two_studies(one: UUID, other: UUID) -> None:
    assume(one.int | 1 << 127 != other.int | 1 << 127)
    assert fresh_study_uid(one) != fresh_study_uid(other)


def test_a_random_uuid_gives_a_study_that_differs_every_time() -> None:
    assert len({fresh_study_uid(uuid4()) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "study", ["", "*", "2.25.1", "1.2.3", "2.25." + "0" * 39, "2.25." + "1" * 38 + "*", STUDY + " "]
)
def test_nothing_but_a_fresh_study_can_be_asked_for(study: str) -> None:
    with pytest.raises(ValueError, match="fresh_study_uid"):
        canary_rq(1, 1, study)


def test_the_golden_bytes() -> None:
    assert dicom_requests.release_rq().hex() == "05000000000400000000"
    assert dicom_requests.release_rp().hex() == "06000000000400000000"
    assert dicom_requests.abort().hex() == "07000000000400000000"
    assert echo_rq(1, 7).hex(" ", 2) == (
        "0400 0000 004a 0000 0046 0103"  # P-DATA-TF, one value of 70 bytes, context 1, last fragment of a command
        " 0000 0000 0400 0000 3800 0000"  # group length
        " 0000 0200 1200 0000 312e 322e 3834 302e 3130 3030 382e 312e 3100"  # Verification
        " 0000 0001 0200 0000 3000"  # C-ECHO-RQ
        " 0000 1001 0200 0000 0700"  # message 7
        " 0000 0008 0200 0000 0101"  # no data set
    )


def test_the_golden_identifier_of_the_canary() -> None:
    _command, identifier = oracle.pdus(canary_rq(3, 1, STUDY))
    assert STUDY == "2.25.170141183460469231731687303715884105729"
    assert (
        identifier
        == bytes.fromhex(
            "0400 00000058 00000054 03 02"  # P-DATA-TF, one value of 84 bytes, context 3, last fragment of a data set
            "0800 2000 08000000"
        )
        + b"18000101"
        + bytes.fromhex("0800 5200 06000000")
        + b"STUDY "
        + bytes.fromhex("2000 0d00 2c000000")
        + STUDY.encode()
    )
