"""The walker of command sets against what pynetdicom writes, and against whatever else a peer may send."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom import dimse_messages, dimse_primitives

from checker.catalog.dicom import STUDY_ROOT_FIND, VERIFICATION
from checker.codecs.dicom_dimse import C_ECHO_RSP, C_FIND_RSP, NO_DATA_SET, PENDING, Command, read_command
from checker.codecs.dicom_pdu import MAX_COMMAND
from checker.errors import MalformedPeerData
from tests.codecs import dicom_oracle as oracle


def element(number: int, value: bytes, group: int = 0) -> bytes:
    return struct.pack("<HHI", group, number, len(value)) + value


def us(number: int, value: int) -> bytes:
    return element(number, struct.pack("<H", value))


ECHO_RSP = us(0x0100, C_ECHO_RSP) + us(0x0120, 1) + us(0x0800, NO_DATA_SET) + us(0x0900, 0)


@given(st.integers(1, 0xFFFF), st.sampled_from([0x0000, 0x0122, 0x0124, 0x0211]))
def test_an_echo_response_of_pynetdicom_is_read(message_id: int, status: int) -> None:
    primitive = dimse_primitives.C_ECHO()
    primitive.MessageIDBeingRespondedTo = message_id
    primitive.AffectedSOPClassUID = VERIFICATION
    primitive.Status = status

    command = read_command(oracle.command_set(dimse_messages.C_ECHO_RSP(), primitive))

    assert command == Command(C_ECHO_RSP, NO_DATA_SET, message_id, status, VERIFICATION)
    assert not command.has_data_set


@given(st.integers(1, 0xFFFF), st.sampled_from([0xFF00, 0xFF01, 0x0000, 0xA700, 0xA900, 0xC000, 0xFE00]))
def test_a_find_response_of_pynetdicom_is_read(message_id: int, status: int) -> None:
    primitive = dimse_primitives.C_FIND()
    primitive.MessageIDBeingRespondedTo = message_id
    primitive.AffectedSOPClassUID = STUDY_ROOT_FIND
    primitive.Status = status

    command = read_command(oracle.command_set(dimse_messages.C_FIND_RSP(), primitive))

    assert command == Command(C_FIND_RSP, NO_DATA_SET, message_id, status, STUDY_ROOT_FIND)
    assert (command.status in PENDING) == (status in (0xFF00, 0xFF01))


def test_a_request_of_pynetdicom_answers_nothing() -> None:
    primitive = dimse_primitives.C_ECHO()
    primitive.MessageID = 9
    primitive.AffectedSOPClassUID = VERIFICATION

    command = read_command(oracle.command_set(dimse_messages.C_ECHO_RQ(), primitive))

    assert command == Command(0x0030, NO_DATA_SET, None, None, VERIFICATION)


@given(st.integers(0, 0xFFFF))
def test_every_data_set_type_but_one_announces_a_data_set(data_set_type: int) -> None:
    command = read_command(us(0x0100, 0x8020) + us(0x0120, 1) + us(0x0800, data_set_type) + us(0x0900, 0xFF00))
    assert command.has_data_set == (data_set_type != 0x0101)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "a command set without a command field or a data set type"),
        (us(0x0100, C_ECHO_RSP), "a command set without a command field or a data set type"),
        (us(0x0800, NO_DATA_SET), "a command set without a command field or a data set type"),
        (ECHO_RSP + us(0x0900, 0), "an element of a command set came twice"),
        (ECHO_RSP + element(0x0010, b"ab", group=8), "an element in a command set that is not of group 0000"),
        (ECHO_RSP + b"\0\0\x02", "bytes behind the last element of a command set"),
        (ECHO_RSP + struct.pack("<HHI", 0, 2, 0xFFFFFFFF), "an element longer than its command set"),
        (ECHO_RSP + struct.pack("<HHI", 0, 2, 1), "an element longer than its command set"),
        (element(0x0100, b"\x30\x80\0\0"), "an element of a command set that is no 16-bit number"),
        (element(0x0100, b""), "an element of a command set that is no 16-bit number"),
        (bytes(MAX_COMMAND + 1), "a command set longer than any"),
    ],
)
def test_malformed_command_sets_are_told_apart(sent: bytes, reason: str) -> None:
    with pytest.raises(MalformedPeerData) as caught:
        read_command(sent)
    assert str(caught.value) == reason


@pytest.mark.parametrize("uid", [b"not a uid", b"1." * 40 + b"1", b"\xff", b""])
def test_a_sop_class_that_is_no_uid_is_none(uid: bytes) -> None:
    assert read_command(element(0x0002, uid) + ECHO_RSP).affected_sop_class is None


def test_a_truncated_command_set_is_malformed_or_lacks_its_status() -> None:
    without_status = len(ECHO_RSP) - len(us(0x0900, 0))
    for length in range(len(ECHO_RSP)):
        if length == without_status:
            continue
        with pytest.raises(MalformedPeerData):
            read_command(ECHO_RSP[:length])
    assert read_command(ECHO_RSP[:without_status]) == Command(C_ECHO_RSP, NO_DATA_SET, 1, None, None)


def test_a_response_announces_data_also_where_it_lacks_what_it_must_have() -> None:
    command = read_command(us(0x0100, C_FIND_RSP) + us(0x0800, 0))
    assert command == Command(C_FIND_RSP, 0, None, None, None)
    assert command.has_data_set


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda tail: ECHO_RSP + tail)))
def test_no_bytes_escape_as_another_exception(sent: bytes) -> None:
    with suppress(MalformedPeerData):
        assert isinstance(read_command(sent), Command)
