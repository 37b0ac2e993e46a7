"""The reader of PDUs against what pynetdicom writes, golden bytes, every cut, and whatever else a peer may send."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from checker.codecs.dicom_pdu import (
    MAX_COMMAND,
    MAX_CONTROL_PDU,
    MAX_DATA_PDU,
    Aborted,
    Accepted,
    CommandFragment,
    ContextAnswer,
    DataSetFragment,
    NotDicom,
    Pdu,
    PduReader,
    Protocol,
    Rejected,
    ReleaseReplied,
    ReleaseRequested,
    uid_or_none,
)
from checker.errors import MalformedPeerData
from tests.codecs import dicom_oracle as oracle
from tests.codecs.helpers import JUNK, feeds
from tests.live.synthetic import NAME, PATIENT_ID

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
PROPOSED = (1, 3, 5)


def read(*parts: bytes) -> tuple[list[Pdu], str | None]:
    """The PDUs in what is fed, and the reason where it is malformed."""
    reader = PduReader(PROPOSED)
    found: list[Pdu] = []
    for part in parts:
        reader.feed(part)
    try:
        while (pdu := reader.next()) is not None:
            found.append(pdu)
    except MalformedPeerData as malformed:
        return found, str(malformed)
    return found, None


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body


def accept(*items: bytes, version: int = 1) -> bytes:
    """An A-ASSOCIATE-AC of these items, made by hand."""
    body = struct.pack(">HH", version, 0) + b"CALLED".ljust(16) + b"CALLING".ljust(16) + bytes(32) + b"".join(items)
    return struct.pack(">BBI", 2, 0, len(body)) + body


def context(context_id: int, result: int = 0, syntax: bytes = IMPLICIT.encode()) -> bytes:
    return item(0x21, bytes([context_id, 0, result, 0]) + item(0x40, syntax))


def p_data(*values: tuple[int, int, bytes]) -> bytes:
    """A P-DATA-TF of values given as context id, control header and bytes."""
    body = b"".join(
        struct.pack(">IBB", len(data) + 2, context_id, control) + data for context_id, control, data in values
    )
    return struct.pack(">BBI", 4, 0, len(body)) + body


# ------------------------------------------------------------------------------------------------ pynetdicom's bytes

ACCEPTED = Accepted(
    {1: ContextAnswer(0, IMPLICIT), 3: ContextAnswer(3, None), 5: ContextAnswer(0, EXPLICIT)},
    16382,
    oracle.IMPLEMENTATION,
    oracle.VERSION,
)


def test_an_accept_is_read_however_it_is_cut() -> None:
    written = oracle.associate_ac({1: (0, IMPLICIT), 3: (3, IMPLICIT), 5: (0, EXPLICIT)})
    *whole, with_junk = feeds(written)

    for parts in whole:
        assert read(*parts) == ([ACCEPTED], None)
    assert read(*with_junk) == ([ACCEPTED], "unknown PDU type")


@given(st.dictionaries(st.sampled_from(PROPOSED), st.tuples(st.integers(0, 4), st.sampled_from([IMPLICIT, EXPLICIT]))))
def test_every_accept_of_pynetdicom_is_read_as_it_was_meant(results: dict[int, tuple[int, str]]) -> None:
    found, malformed = read(oracle.associate_ac(results, version=None))

    assert malformed is None
    answers = {
        context_id: ContextAnswer(result, None if result else syntax)
        for context_id, (result, syntax) in results.items()
    }
    assert found == [Accepted(answers, 16382, oracle.IMPLEMENTATION, None)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (oracle.associate_rj(1, 1, 7), Rejected(1, 1, 7)),
        (oracle.associate_rj(2, 3, 2), Rejected(2, 3, 2)),
        (oracle.abort(0, 0), Aborted(0, 0)),
        (oracle.abort(2, 6), Aborted(2, 6)),
        (oracle.release_rp(), ReleaseReplied()),
    ],
)
def test_what_ends_an_association_is_read_and_nothing_behind_it(written: bytes, expected: Pdu) -> None:
    for parts in feeds(written):
        assert read(*parts) == ([expected], None)


def test_a_release_of_the_peer_is_read() -> None:
    assert read(oracle.release_rq()) == ([ReleaseRequested()], None)


@given(st.binary(min_size=3, max_size=3))
def test_codes_that_the_standard_does_not_list_are_reported_as_they_came(codes: bytes) -> None:
    assert read(bytes.fromhex("03000000000400") + codes) == ([Rejected(*codes)], None)
    assert read(bytes.fromhex("0700000000040000") + codes[:2]) == ([Aborted(*codes[:2])], None)


@pytest.mark.parametrize("max_pdu", [0, 32, 128])
def test_a_response_is_read_as_fragments_however_it_is_cut(max_pdu: int) -> None:
    match = Dataset()
    match.PatientName, match.PatientID = NAME, PATIENT_ID
    written = oracle.find_rsp(context_id=3, status=0xFF00, match=match, max_pdu=max_pdu)

    for parts in feeds(written, junk=b""):
        found, malformed = read(*parts)
        assert malformed is None
        commands = [pdu for pdu in found if isinstance(pdu, CommandFragment)]
        hidden = [pdu for pdu in found if isinstance(pdu, DataSetFragment)]
        assert found == [*commands, *hidden]
        assert [pdu.last for pdu in commands] == [False] * (len(commands) - 1) + [True]
        assert [pdu.last for pdu in hidden] == [False] * (len(hidden) - 1) + [True]
        assert {pdu.context_id for pdu in commands} == {pdu.context_id for pdu in hidden} == {3}
        assert PATIENT_ID.encode() not in b"".join(pdu.data for pdu in commands)


# ------------------------------------------------------------------------------------------- what is never held


@given(st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=6))
def test_no_byte_of_a_data_set_is_ever_held(chunks: list[bytes]) -> None:
    data = b"".join(chunks)
    header = p_data((1, 2, data))[: -len(data)]
    reader = PduReader(PROPOSED)
    reader.feed(header)
    for chunk in chunks:
        reader.feed(chunk)
        assert reader.buffered == 0
    assert reader.next() == DataSetFragment(1, True, len(data))
    assert reader.next() is None


def test_a_data_set_is_told_when_its_header_is_there() -> None:
    reader = PduReader(PROPOSED)
    reader.feed(p_data((1, 2, bytes(1000)))[:12])
    assert reader.next() == DataSetFragment(1, True, 1000)


def test_a_length_of_4_gib_is_refused_at_the_header() -> None:
    for kind in (2, 4):
        found, malformed = read(struct.pack(">BBI", kind, 0, 0xFFFFFFFF))
        assert (found, malformed) == ([], "a PDU longer than its kind may be")


@pytest.mark.parametrize(("kind", "most"), [(2, MAX_CONTROL_PDU), (4, MAX_DATA_PDU)])
def test_the_bounds_of_a_length(kind: int, most: int) -> None:
    assert read(struct.pack(">BBI", kind, 0, most)) == ([], None)
    assert read(struct.pack(">BBI", kind, 0, most + 1))[1] == "a PDU longer than its kind may be"


def test_nothing_is_buffered_beyond_the_longest_control_pdu() -> None:
    reader = PduReader(PROPOSED)
    reader.feed(struct.pack(">BBI", 2, 0, MAX_CONTROL_PDU) + bytes(MAX_CONTROL_PDU - 1))
    assert reader.buffered == MAX_CONTROL_PDU - 1
    reader.feed(bytes(10 * MAX_CONTROL_PDU))
    assert reader.buffered == 0


# ----------------------------------------------------------------------------------------------- other protocols


@pytest.mark.parametrize(
    ("sent", "speaks"),
    [
        (bytes.fromhex("15030300020228"), Protocol.TLS),
        (bytes.fromhex("16030100ff"), Protocol.TLS),
        (b"HTTP/1.1 400 Bad Request\r\n", Protocol.HTTP),
    ],
)
def test_another_protocol_is_named(sent: bytes, speaks: Protocol) -> None:
    for parts in feeds(sent):
        assert read(*parts) == ([NotDicom(speaks)], None)


@pytest.mark.parametrize("sent", [b"\x15\x02\x03", b"\x16\x03\x05", b"HTTX/", b"SSH-2.0-", b"\x00", b"\x01", b"\x08"])
def test_what_only_begins_like_another_protocol_is_malformed(sent: bytes) -> None:
    assert read(sent) == ([], "unknown PDU type")


def test_a_tls_record_behind_a_pdu_is_malformed() -> None:
    assert read(oracle.release_rq() + bytes.fromhex("15030300020228")) == ([ReleaseRequested()], "unknown PDU type")


# --------------------------------------------------------------------------------------------------- malformed


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (JUNK, "unknown PDU type"),
        (struct.pack(">BBI", 3, 0, 3), "a PDU shorter than its kind can be"),
        (struct.pack(">BBI", 3, 0, 5), "a PDU longer than its kind may be"),
        (struct.pack(">BBI", 2, 0, 67), "a PDU shorter than its kind can be"),
        (struct.pack(">BBI", 4, 0, 5), "a PDU shorter than its kind can be"),
        (accept(version=2), "an association accepted in an unknown protocol version"),
        (accept(context(1), context(1)), "a presentation context answered twice"),
        (accept(context(2)), "a presentation context with an even id"),
        (accept(context(7)), "a presentation context that was not proposed"),
        (accept(item(0x21, b"\x01\x00\x00")), "a presentation context shorter than its fixed part"),
        (accept(item(0x50, b""), item(0x50, b"")), "an item that may come only once came twice"),
        (accept(item(0x50, item(0x51, b"\0\0\0"))), "a maximum length that is no 32-bit number"),
        (accept(b"\x10\x00\x00\x09short"), "an item longer than what holds it"),
        (accept(b"\x10\x00\x00"), "bytes behind the last item"),
        (struct.pack(">BBIIBB", 4, 0, 6, 1, 1, 3), "a presentation data value too short for its header"),
        (struct.pack(">BBIIBB", 4, 0, 6, 3, 1, 3), "a presentation data value longer than its P-DATA-TF"),
        (
            struct.pack(">BBIIBBB", 4, 0, 7, 2, 1, 3, 0),
            "bytes behind the last presentation data value of a P-DATA-TF",
        ),
        (p_data((1, 3, bytes(MAX_COMMAND + 1))), "a command set longer than any"),
    ],
)
def test_malformed_bytes_are_told_apart_however_they_are_cut(sent: bytes, reason: str) -> None:
    for parts in feeds(sent):
        found, malformed = read(*parts)
        assert malformed == reason
        assert not [pdu for pdu in found if not isinstance(pdu, CommandFragment)]


@pytest.mark.parametrize(
    ("sent", "malformed"),
    [
        (p_data((2, 2, b"hidden")), None),
        (p_data((7, 0, b"hidden")), None),
        (struct.pack(">BBIIBB", 4, 0, 6, 8, 1, 2), "a presentation data value longer than its P-DATA-TF"),
        (
            struct.pack(">BBIIBB", 4, 0, 15, 8, 1, 2) + b"hidden" + b"end",
            "bytes behind the last presentation data value of a P-DATA-TF",
        ),
    ],
)
def test_a_data_set_is_told_in_whatever_wrapping_before_that_is_judged(sent: bytes, malformed: str | None) -> None:
    for parts in feeds(sent, junk=b""):
        (found,), why = read(*parts)
        assert isinstance(found, DataSetFragment)
        assert (found.length, why) == (6, malformed)


def test_a_failure_stays_and_nothing_behind_it_is_read() -> None:
    reader = PduReader(PROPOSED)
    reader.feed(JUNK)
    for _ in range(2):
        with pytest.raises(MalformedPeerData):
            reader.next()
        reader.feed(oracle.accepted(1))
        assert reader.buffered == 0


def test_what_came_before_the_failure_is_told_first() -> None:
    assert read(oracle.accepted(1) + oracle.release_rq() + JUNK)[0] == [
        Accepted({1: ContextAnswer(0, IMPLICIT)}, 16382, oracle.IMPLEMENTATION, oracle.VERSION),
        ReleaseRequested(),
    ]


@pytest.mark.parametrize("written", [oracle.accepted(1, 3), oracle.associate_rj(1, 1, 1), oracle.abort(0, 0)])
def test_a_truncated_pdu_is_neither_read_nor_wrong(written: bytes) -> None:
    for length in range(len(written)):
        assert read(written[:length]) == ([], None)


# ------------------------------------------------------------------------------------------ what is let pass


def test_unknown_items_and_a_missing_user_information_are_tolerated() -> None:
    assert read(accept(item(0x99, b"unknown"), context(1))) == (
        [Accepted({1: ContextAnswer(0, IMPLICIT)}, None, None, None)],
        None,
    )


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [
        (IMPLICIT.encode() + b"\0", IMPLICIT),
        (IMPLICIT.encode() + b" ", IMPLICIT),
        (b"not a uid", None),
        (b"1.02", None),
        (b"1." * 40 + b"1", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_a_transfer_syntax_that_is_no_uid_makes_its_context_unusable_and_no_more(
    syntax: bytes, expected: str | None
) -> None:
    assert read(accept(context(1, syntax=syntax))) == (
        [Accepted({1: ContextAnswer(0, expected)}, None, None, None)],
        None,
    )


def test_a_hint_that_is_not_valid_is_none() -> None:
    user = item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52, b"x.y") + item(0x55, b"\x1b[31m"))
    assert read(accept(user)) == ([Accepted({}, 16384, None, None)], None)


@given(st.integers(1, 255), st.binary(max_size=40))
def test_the_transfer_syntax_of_a_refused_context_is_not_looked_at(result: int, syntax: bytes) -> None:
    assert read(accept(context(1, result, syntax))) == (
        [Accepted({1: ContextAnswer(result, None)}, None, None, None)],
        None,
    )


@given(st.binary(max_size=70))
def test_a_uid_is_valid_or_none(value: bytes) -> None:
    uid = uid_or_none(value)
    assert uid is None or (len(uid) <= 64 and value.startswith(uid.encode()))


# ---------------------------------------------------------------------------------------------------- fuzz

starts = st.sampled_from(
    [b"", oracle.accepted(1, 3), accept(context(1)), p_data((1, 3, b"abc")), struct.pack(">BBI", 2, 0, 80)]
)


@given(starts, st.lists(st.binary(max_size=200), max_size=5))
def test_no_bytes_escape_as_another_exception_and_every_cut_reads_the_same(start: bytes, parts: list[bytes]) -> None:
    whole = start + b"".join(parts)
    assert read(start, *parts) == read(whole) == read(*(whole[i : i + 1] for i in range(len(whole))))


@given(st.data())
def test_no_flipped_byte_escapes_as_another_exception(data: st.DataObject) -> None:
    written = bytearray(oracle.associate_ac({1: (0, IMPLICIT), 3: (3, IMPLICIT)}) + oracle.echo_rsp())
    for _ in range(data.draw(st.integers(1, 4))):
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    found, _malformed = read(bytes(written))
    assert all(isinstance(pdu, Pdu) for pdu in found)
