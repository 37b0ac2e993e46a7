"""The requestor's side of an association, by the rows of PS3.8 table 9-10, with pynetdicom as the acceptor's pen."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from checker.catalog.dicom import IMPLICIT_VR_LITTLE_ENDIAN, STUDY_ROOT_FIND, VERIFICATION
from checker.codecs import dicom_requests
from checker.codecs.dicom import (
    EchoResponded,
    Event,
    IllegalUse,
    Malformed,
    PeerReleased,
    QueryResponded,
    Released,
    Requestor,
    SpeaksTls,
    State,
)
from checker.codecs.dicom_pdu import Aborted, Accepted, ContextAnswer, Rejected
from checker.codecs.dicom_requests import fresh_patient, fresh_station, fresh_study_uid
from checker.model import AssociationPurpose, ContextResult
from tests.codecs import dicom_oracle as oracle
from tests.codecs.helpers import JUNK, feeds
from tests.live.synthetic import NAME, PATIENT_ID, markers_in

SURVEY, WRONG_CALLED, CANARY, REGISTERED, WORKLIST, GET, RECOGNISE = AssociationPurpose
STUDY = fresh_study_uid(UUID(int=1))
EXPLICIT = "1.2.840.10008.1.2.1"


def requested(purpose: AssociationPurpose = SURVEY) -> Requestor:
    requestor = Requestor(purpose, called="CALLED", calling="CALLING")
    requestor.start()
    return requestor


def established(purpose: AssociationPurpose = SURVEY, *context_ids: int) -> Requestor:
    requestor = requested(purpose)
    requestor.receive(oracle.accepted(*(context_ids or (1,))))
    assert requestor.state is State.STA6
    return requestor


def echoing() -> Requestor:
    requestor = established()
    requestor.echo()
    return requestor


def asking() -> Requestor:
    requestor = established(CANARY)
    requestor.find(STUDY)
    return requestor


def releasing() -> Requestor:
    requestor = established()
    requestor.release()
    return requestor


def events(requestor: Requestor, parts: Iterable[bytes]) -> list[Event]:
    return [event for part in parts for event in requestor.receive(part)]


def held(requestor: Requestor) -> bytes:
    """All bytes that a requestor holds, of whatever it received."""
    reader = requestor._reader
    return bytes(requestor._command) + bytes(reader._buffer) + repr(list(reader._found)).encode()


def match() -> Dataset:
    found = Dataset()
    found.PatientName, found.PatientID = NAME, PATIENT_ID
    return found


# -------------------------------------------------------------------------------------------------- the good way


def test_an_association_from_its_request_to_its_release() -> None:
    requestor = Requestor(SURVEY, called="CALLED", calling="CALLING")
    assert (requestor.state, requestor.waiting, requestor.finished) == (State.STA1, False, False)

    assert requestor.start() == dicom_requests.associate_rq(SURVEY, called="CALLED", calling="CALLING")
    assert (requestor.state, requestor.waiting) == (State.STA5, True)

    (accepted,) = requestor.receive(oracle.accepted(1, 3))
    assert isinstance(accepted, Accepted)
    assert (requestor.state, requestor.waiting) == (State.STA6, False)

    assert requestor.echo() == dicom_requests.echo_rq(1, 1)
    assert requestor.waiting
    assert requestor.receive(oracle.echo_rsp(message_id=1)) == (EchoResponded(0),)

    assert requestor.find(STUDY) == dicom_requests.canary_rq(3, 2, STUDY)
    assert requestor.receive(oracle.find_rsp(context_id=3, message_id=2)) == (QueryResponded(0, pending=False),)

    assert requestor.release() == dicom_requests.release_rq()
    assert (requestor.state, requestor.waiting) == (State.STA7, True)
    assert requestor.receive(oracle.release_rp()) == (Released(),)
    assert (requestor.state, requestor.released, requestor.finished) == (State.STA1, True, True)


@pytest.mark.parametrize(
    ("begin", "answer", "expected"),
    [
        (requested, oracle.associate_rj(1, 1, 3), [Rejected(1, 1, 3)]),
        (requested, oracle.abort(2, 0), [Aborted(2, 0)]),
        (requested, bytes.fromhex("15030100020246"), [SpeaksTls()]),
        (echoing, oracle.echo_rsp(status=0x0122), [EchoResponded(0x0122)]),
        (echoing, oracle.echo_rsp(max_pdu=20), [EchoResponded(0)]),
        (echoing, oracle.abort(0, 0), [Aborted(0, 0)]),
        (asking, oracle.find_rsp(status=0xA900), [QueryResponded(0xA900, pending=False)]),
        (asking, oracle.find_rsp(status=0xFF00, match=match()), [QueryResponded(0xFF00, pending=True)]),
        (asking, oracle.find_rsp(status=0xFF01, match=match(), max_pdu=20), [QueryResponded(0xFF01, pending=True)]),
        (releasing, oracle.release_rp(), [Released()]),
        (releasing, oracle.abort(0, 0), [Aborted(0, 0)]),
    ],
)
def test_an_answer_is_understood_however_it_is_cut(
    begin: Callable[[], Requestor], answer: bytes, expected: list[Event]
) -> None:
    *whole, with_junk = feeds(answer)
    for parts in whole:
        assert events(begin(), parts) == expected
    assert events(begin(), with_junk)[: len(expected)] == expected


def test_an_accept_is_understood_however_it_is_cut() -> None:
    for parts in feeds(oracle.accepted(1, 3), junk=b""):
        (accepted,) = events(requested(), parts)
        assert isinstance(accepted, Accepted)
        assert accepted.contexts[1] == ContextAnswer(0, IMPLICIT_VR_LITTLE_ENDIAN)


# ------------------------------------------------------------------------------------------------------ contexts


def test_contexts_are_told_by_abstract_syntax_and_one_passed_over_is_left_out() -> None:
    requestor = requested()
    requestor.receive(oracle.associate_ac({3: (3, IMPLICIT_VR_LITTLE_ENDIAN), 1: (0, IMPLICIT_VR_LITTLE_ENDIAN)}))
    assert requestor.contexts == (ContextResult(VERIFICATION, 0), ContextResult(STUDY_ROOT_FIND, 3))


@pytest.mark.parametrize("answer", [(1, IMPLICIT_VR_LITTLE_ENDIAN), (4, IMPLICIT_VR_LITTLE_ENDIAN), (0, EXPLICIT)])
def test_a_context_that_is_refused_or_in_another_syntax_is_not_usable(answer: tuple[int, str]) -> None:
    requestor = requested()
    requestor.receive(oracle.associate_ac({1: answer}))
    assert requestor.usable(VERIFICATION) is None
    with pytest.raises(IllegalUse, match="no usable presentation context"):
        requestor.echo()


def test_a_peer_that_no_request_fits_into_is_malformed() -> None:
    requestor = requested()
    (event,) = requestor.receive(oracle.associate_ac({1: (0, IMPLICIT_VR_LITTLE_ENDIAN)}, max_pdu=127))
    assert event == Malformed("an association accepted that no request fits into")


def test_a_peer_without_a_limit_is_asked() -> None:
    requestor = requested()
    requestor.receive(oracle.associate_ac({1: (0, IMPLICIT_VR_LITTLE_ENDIAN)}, max_pdu=0))
    assert requestor.usable(VERIFICATION) == 1


# --------------------------------------------------------------------------------------------------- a match comes


def test_a_match_leaves_nothing_but_the_abort() -> None:
    requestor = asking()
    requestor.receive(oracle.find_rsp(status=0xFF00, match=match()))

    assert requestor.must_abort
    for say in (requestor.release, requestor.echo, lambda: requestor.find(STUDY)):
        with pytest.raises(IllegalUse, match="can only be aborted"):
            say()
    assert requestor.receive(oracle.find_rsp(status=0xFF00, match=match()) * 100) == ()
    assert requestor.abort() == dicom_requests.abort()
    assert (requestor.finished, requestor.released, requestor.must_abort) == (True, False, False)


def test_a_match_is_told_before_its_identifier_is_there_and_no_byte_of_it_is_kept() -> None:
    response = oracle.find_rsp(status=0xFF00, match=match())
    command, identifier = oracle.pdus(response)
    requestor = asking()

    assert requestor.receive(command) == (QueryResponded(0xFF00, pending=True),)
    assert requestor.receive(identifier) == ()
    assert markers_in(held(requestor)) == ()


# C-FIND-RSP command sets (PS3.7 table 9.1-4), byte by byte: command field 8020, message id being responded to 0001, the
# data set type, the status.
_FIELD_AND_ID = "00000001 02000000 2080 00002001 02000000 0100"
_ANNOUNCED, _NONE = "00000008 02000000 0000", "00000008 02000000 0101"
_SUCCESS, _NOT_AUTHORISED, _PENDING = (f"00000009 02000000 {status}" for status in ("0000", "2401", "00ff"))
# (0010,0010) PatientName and (0010,0020) PatientID, as long as the markers of the tests.
HIDDEN = struct.pack("<HHI", 0x10, 0x10, len(NAME)) + NAME.encode()
HIDDEN += struct.pack("<HHI", 0x10, 0x20, len(PATIENT_ID)) + PATIENT_ID.encode()
DATA_CONTROL, COMMAND_CONTROL = 2, 3  # PS3.8 annex E.2: the last fragment of a data set, of a command set


def pdv(control: int, content: bytes, context_id: int = 1) -> bytes:
    return struct.pack(">IBB", len(content) + 2, context_id, control) + content


def p_data(*values: bytes) -> bytes:
    body = b"".join(values)
    return struct.pack(">BBI", 4, 0, len(body)) + body


def command(*elements: str, context_id: int = 1) -> bytes:
    return pdv(COMMAND_CONTROL, bytes.fromhex(" ".join(elements)), context_id)


ANSWER = pdv(DATA_CONTROL, HIDDEN)
STORE_RQ = command("00000001 02000000 0100 00001001 02000000 0700", _ANNOUNCED)
REFUSED = QueryResponded(0x0124, pending=False)


def data(status: int | None = None) -> QueryResponded:
    return QueryResponded(status, pending=True)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (p_data(command(_FIELD_AND_ID, _ANNOUNCED, _SUCCESS)) + p_data(ANSWER), [data(0)]),
        (p_data(command(_FIELD_AND_ID, _ANNOUNCED, _SUCCESS), ANSWER), [data(0)]),
        (p_data(command(_FIELD_AND_ID, _ANNOUNCED, _NOT_AUTHORISED)) + p_data(ANSWER), [data(0x0124)]),
        (p_data(command(_FIELD_AND_ID, _NONE, _PENDING)) + p_data(ANSWER), [data(0xFF00)]),
        (p_data(command(_FIELD_AND_ID, _ANNOUNCED)) + p_data(ANSWER), [data()]),
        (p_data(command(_FIELD_AND_ID, _ANNOUNCED, _SUCCESS, context_id=7), ANSWER), [data(0)]),
        (p_data(command(_FIELD_AND_ID.replace("0100", "0900"), _ANNOUNCED, _SUCCESS), ANSWER), [data(0)]),
        (p_data(STORE_RQ) + p_data(ANSWER), [data()]),
        (p_data(ANSWER), [data()]),
        (p_data(pdv(DATA_CONTROL, HIDDEN, context_id=7)), [data()]),
        (p_data(pdv(0, HIDDEN[:9])) + p_data(pdv(2, HIDDEN[9:])), [data()]),
        (p_data(ANSWER) + p_data(command(_FIELD_AND_ID, _NONE, _SUCCESS)), [data()]),
        (p_data(pdv(1, bytes.fromhex(_FIELD_AND_ID))) + p_data(ANSWER), [data()]),
        (p_data(command(_FIELD_AND_ID, _NONE, _NOT_AUTHORISED), ANSWER), [REFUSED, data()]),
        (p_data(command(_FIELD_AND_ID, _NONE, _NOT_AUTHORISED)) + p_data(STORE_RQ, ANSWER), [REFUSED, data()]),
    ],
    ids=[
        "success",
        "success in one P-DATA-TF",
        "a refusal",
        "pending without a data set",
        "no status",
        "another context",
        "another message",
        "a C-STORE-RQ",
        "a data set alone",
        "a data set in another context",
        "fragments",
        "the data set first",
        "half a command",
        "behind a refusal",
        "a C-STORE-RQ behind a refusal",
    ],
)
def test_data_in_whatever_wrapping_leaves_nothing_but_the_abort(sent: bytes, expected: list[Event]) -> None:
    for parts in feeds(sent, junk=b""):
        requestor = asking()
        told: list[Event] = []
        for part in parts:
            told += requestor.receive(part)
            assert markers_in(held(requestor)) == ()
            assert HIDDEN[:8] not in held(requestor)
        assert told == expected
        assert (requestor.must_abort, requestor.waiting) == (True, False)
        with pytest.raises(IllegalUse, match="can only be aborted"):
            requestor.release()
        assert requestor.receive(sent) == ()
        assert requestor.abort() == dicom_requests.abort()


def test_data_in_place_of_the_reply_to_our_release_is_data_as_well() -> None:
    requestor = asking()
    assert requestor.receive(p_data(command(_FIELD_AND_ID, _NONE, _NOT_AUTHORISED))) == (REFUSED,)
    requestor.release()
    assert requestor.receive(p_data(ANSWER) + oracle.release_rp()) == (data(),)
    assert (requestor.must_abort, requestor.released) == (True, False)
    assert requestor.abort() == dicom_requests.abort()


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (p_data(ANSWER), "a data set that no command announced"),
        (p_data(STORE_RQ, ANSWER), "a message that does not answer the question"),
    ],
)
def test_data_where_no_query_was_asked_is_malformed_and_not_kept(sent: bytes, reason: str) -> None:
    requestor = echoing()
    assert requestor.receive(sent) == (Malformed(reason),)
    assert markers_in(held(requestor)) == ()


def test_a_response_that_lacks_its_status_and_announces_nothing_is_malformed() -> None:
    requestor = asking()
    assert requestor.receive(p_data(command(_FIELD_AND_ID, _NONE))) == (
        Malformed("a message that does not answer the question"),
    )


def test_a_second_answer_without_data_is_malformed() -> None:
    requestor = asking()
    refused = p_data(command(_FIELD_AND_ID, _NONE, _NOT_AUTHORISED))
    assert requestor.receive(refused * 2) == (REFUSED, Malformed("a message that nobody asked for"))


# ---------------------------------------------------------------------------------------------------- the ends


def test_the_peer_releases_and_gets_its_reply() -> None:
    requestor = established()
    assert requestor.receive(oracle.release_rq()) == (PeerReleased(dicom_requests.release_rp()),)
    assert (requestor.state, requestor.released, requestor.finished) == (State.STA13, True, True)


def test_both_release_at_once() -> None:
    requestor = releasing()
    assert requestor.receive(oracle.release_rq()) == (PeerReleased(dicom_requests.release_rp()),)
    assert (requestor.state, requestor.waiting) == (State.STA11, True)
    assert requestor.receive(oracle.release_rp()) == (Released(),)
    assert requestor.finished


def test_the_peer_releases_in_place_of_an_answer() -> None:
    requestor = echoing()
    assert requestor.receive(oracle.release_rq()) == (PeerReleased(dicom_requests.release_rp()),)
    assert not requestor.waiting


def test_several_pdus_in_one_read_are_several_events() -> None:
    requestor = requested()
    told = requestor.receive(oracle.accepted(1) + oracle.abort(2, 0))
    assert [type(event) for event in told] == [Accepted, Aborted]
    assert (requestor.state, requestor.finished) == (State.STA1, True)


@pytest.mark.parametrize("end", [oracle.abort(0, 0), oracle.associate_rj(1, 1, 1), bytes.fromhex("15030100020246")])
def test_nothing_is_understood_behind_the_end(end: bytes) -> None:
    requestor = requested()
    requestor.receive(end)
    assert requestor.finished
    assert requestor.receive(oracle.accepted(1)) == ()
    with pytest.raises(IllegalUse, match="no association to abort"):
        requestor.abort()


@pytest.mark.parametrize("begin", [requested, established, echoing, releasing])
def test_an_abort_is_possible_from_the_request_on(begin: Callable[[], Requestor]) -> None:
    requestor = begin()
    assert requestor.abort() == dicom_requests.abort()
    assert (requestor.state, requestor.finished, requestor.released) == (State.STA13, True, False)
    assert requestor.receive(oracle.release_rp()) == ()


# ----------------------------------------------------------------------------------- what nobody asked for (AA-8)


@pytest.mark.parametrize(
    ("begin", "sent", "reason"),
    [
        (requested, oracle.release_rp(), "an A-RELEASE-RP that nobody asked for"),
        (requested, oracle.release_rq(), "an A-RELEASE-RQ that nobody asked for"),
        (requested, oracle.echo_rsp(), "a message that nobody asked for"),
        (established, oracle.accepted(1), "an A-ASSOCIATE-AC that nobody asked for"),
        (established, oracle.associate_rj(1, 1, 1), "an A-ASSOCIATE-RJ that nobody asked for"),
        (established, oracle.echo_rsp(), "a message that nobody asked for"),
        (established, oracle.release_rp(), "an A-RELEASE-RP that nobody asked for"),
        (echoing, oracle.echo_rsp(message_id=2), "a message that does not answer the question"),
        (echoing, oracle.find_rsp(), "a message that does not answer the question"),
        (asking, oracle.echo_rsp(), "a message that does not answer the question"),
        (echoing, oracle.echo_rsp() * 2, "a message that nobody asked for"),
        (releasing, oracle.echo_rsp(), "a message that nobody asked for"),
        (requested, b"HTTP/1.1 400 Bad Request\r\n", "speaks HTTP"),
        (requested, JUNK, "unknown PDU type"),
    ],
)
def test_what_nobody_asked_for_leaves_only_the_abort(begin: Callable[[], Requestor], sent: bytes, reason: str) -> None:
    requestor = begin()
    *_before, last = requestor.receive(sent)
    assert last == Malformed(reason)
    assert requestor.must_abort
    assert requestor.abort() == dicom_requests.abort()


def test_an_answer_in_another_context_is_malformed() -> None:
    requestor = established(SURVEY, 1, 3)
    requestor.echo()
    assert requestor.receive(oracle.echo_rsp(context_id=3)) == (
        Malformed("an answer in another presentation context than the question"),
    )


def test_a_command_that_never_ends_is_malformed() -> None:
    fragment = oracle.pdus(oracle.echo_rsp(max_pdu=60))[0]
    requestor = echoing()
    told = events(requestor, [fragment] * 1000)
    assert told == [Malformed("a command set longer than any")]


# ------------------------------------------------------------------------------------------------- our own bugs


def test_what_the_state_does_not_allow_is_our_own_bug() -> None:
    fresh = Requestor(SURVEY, called="CALLED", calling="CALLING")
    for say in (fresh.echo, fresh.release, fresh.abort, lambda: fresh.receive(b"")):
        with pytest.raises(IllegalUse):
            say()
    waiting = echoing()
    for say in (waiting.start, waiting.echo, waiting.release):
        with pytest.raises(IllegalUse):
            say()


def test_only_a_fresh_study_can_be_asked_for() -> None:
    requestor = established(CANARY)
    with pytest.raises(ValueError, match="fresh_study_uid"):
        requestor.find("*")
    assert not requestor.waiting


# -------------------------------------------------------------------------------------------------------- fuzz

answers = st.sampled_from(
    [
        oracle.accepted(1, 3),
        oracle.associate_rj(1, 1, 1),
        oracle.abort(0, 0),
        oracle.release_rq(),
        oracle.release_rp(),
        oracle.echo_rsp(),
        oracle.find_rsp(status=0xFF00, match=match()),
    ]
)


@given(
    st.sampled_from([requested, established, echoing, asking, releasing]),
    st.lists(st.one_of(answers, st.binary(max_size=80)), max_size=6),
)
def test_no_bytes_escape_as_an_exception_and_every_cut_tells_the_same(
    begin: Callable[[], Requestor], parts: list[bytes]
) -> None:
    requestor, whole, bytewise = begin(), begin(), begin()
    told = events(requestor, parts)
    sent = b"".join(parts)
    assert events(whole, [sent]) == told
    assert events(bytewise, [sent[i : i + 1] for i in range(len(sent))]) == told
    assert markers_in(repr(told).encode()) == ()
    if requestor.must_abort:
        requestor.abort()
    assert requestor.state in State


# ------------------------------------------------------------------------------------------------- opt-in canaries


def asking_worklist() -> Requestor:
    requestor = established(WORKLIST)
    requestor.worklist(fresh_station(UUID(int=1)), fresh_patient(UUID(int=1)))
    return requestor


def getting() -> Requestor:
    requestor = established(GET)
    requestor.get(STUDY)
    return requestor


@pytest.mark.parametrize(
    ("begin", "answer", "expected"),
    [
        (asking_worklist, oracle.find_rsp(), QueryResponded(0, pending=False)),
        (asking_worklist, oracle.find_rsp(status=0xFF00, match=match()), QueryResponded(0xFF00, pending=True)),
        (getting, oracle.get_rsp(), QueryResponded(0, pending=False)),
        (getting, oracle.get_rsp(status=0xA701), QueryResponded(0xA701, pending=False)),
        (getting, oracle.get_rsp(status=0xFF00, remaining=1), QueryResponded(0xFF00, pending=True)),
        (getting, oracle.get_rsp(completed=1), QueryResponded(0, pending=True)),
        (getting, oracle.store_rq(match()), QueryResponded(None, pending=True)),
    ],
)
def test_a_further_canary_is_answered(begin: Callable[[], Requestor], answer: bytes, expected: Event) -> None:
    *whole, _junk = feeds(answer)
    for parts in whole:
        requestor = begin()
        assert events(requestor, parts) == [expected]
        assert requestor.must_abort is (isinstance(expected, QueryResponded) and expected.pending)
        assert markers_in(held(requestor)) == ()


def test_a_find_does_not_answer_a_get_nor_the_other_way_round() -> None:
    (event,) = getting().receive(oracle.find_rsp())
    assert isinstance(event, Malformed)
    (event,) = asking_worklist().receive(oracle.get_rsp())
    assert isinstance(event, Malformed)


def test_nothing_is_retrieved_in_an_association_in_which_an_image_could_be_sent() -> None:
    requestor = established(SURVEY, *dicom_requests.contexts(SURVEY))
    with pytest.raises(IllegalUse, match="an image could be sent"):
        requestor.get(STUDY)
