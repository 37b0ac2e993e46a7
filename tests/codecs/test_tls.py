"""The reader of a server's flight: real flights however they are cut, what follows them, and what obeys no standard."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.tls import MAX_RECORD, MOST_WARNINGS, Alert, Flight, FlightReader, Protocol, farewell
from checker.codecs.tls_messages import (
    MAX_CERTIFICATES,
    MAX_MESSAGE,
    MAX_SERVER_HELLO,
    MOST_CERTIFICATES,
    ServerHello,
    read_certificates,
    read_server_hello,
)
from checker.errors import MalformedPeerData
from tests.codecs import tls_flights, tls_oracle
from tests.codecs.helpers import JUNK, feeds

SESSION_ID = bytes(range(32, 64))
RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
FLIGHTS = {name: value for name, value in vars(tls_flights).items() if isinstance(value, bytes)}
UNRECOGNIZED_NAME = bytes.fromhex("15 0303 0002 01 70")
REFUSED = bytes.fromhex("15 0303 0002 02 28")


def record(content: bytes, kind: int = 22, version: int = 0x0303) -> bytes:
    return bytes([kind]) + version.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def message(kind: int, body: bytes = b"") -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def vector(content: bytes, prefix: int = 2) -> bytes:
    return len(content).to_bytes(prefix, "big") + content


def hello_body(
    version: int = 0x0303, suite: int = 0xC02F, random: bytes = bytes(32), session_id: bytes = b"", behind: bytes = b""
) -> bytes:
    return version.to_bytes(2, "big") + random + vector(session_id, 1) + suite.to_bytes(2, "big") + b"\0" + behind


def chain(*certificates: bytes) -> bytes:
    return vector(b"".join(vector(certificate, 3) for certificate in certificates), 3)


HELLO = message(2, hello_body())
LEAF = b"synthetic leaf"
WHOLE = HELLO + message(11, chain(LEAF, b"authority")) + message(12, bytes(99)) + message(14)


def read(*pieces: bytes) -> Flight:
    reader = FlightReader()
    for piece in pieces:
        reader.feed(piece)
    return reader.flight


# ------------------------------------------------------------------------------------------------- flights of servers

RETRIES = {
    "OPENSSL_RETRY": ServerHello(0x0304, 0x1301, 0, SESSION_ID, retry=True, group=29, extensions=(43, 51)),
    "GNUTLS_RETRY": ServerHello(0x0304, 0x1302, 0, SESSION_ID, retry=True, group=23, extensions=(51, 43)),
}
CLEAR = {  # version, suite, whether a certificate of ours is asked for, how many certificates came
    "OPENSSL_TLS_1_2": (0x0303, 0xC02B, True, 2),
    "GNUTLS_TLS_1_2": (0x0303, 0xC02C, False, 1),
    "OPENSSL_TLS_1_0": (0x0301, 0xC009, False, 2),
    "TLSLITE_SSL_3": (0x0300, 0xC014, False, 1),
}
REFUSAL = "OPENSSL_REFUSES_TLS_1_0"
CHANGE_CIPHER_SPEC = bytes.fromhex("14 0303 0001 01")  # RFC 8446 appendix D.4: behind a HelloRetryRequest


def test_every_flight_is_expected() -> None:
    assert {*RETRIES, *CLEAR, REFUSAL} == set(FLIGHTS)


@pytest.mark.parametrize("name", RETRIES)
def test_a_real_retry_request_is_read_however_it_is_cut(name: str) -> None:
    for pieces in feeds(FLIGHTS[name]):
        assert read(*pieces) == Flight(server_hello=RETRIES[name], tls=True, complete=True)


@pytest.mark.parametrize("name", CLEAR)
def test_a_real_flight_in_clear_is_read_however_it_is_cut(name: str) -> None:
    version, suite, requested, certificates = CLEAR[name]
    for pieces in feeds(FLIGHTS[name]):
        flight = read(*pieces)
        assert flight.server_hello is not None
        assert (flight.server_hello.version, flight.server_hello.cipher_suite) == (version, suite)
        assert not flight.server_hello.retry
        assert flight.certificate_requested is requested
        assert len(flight.certificates) == certificates
        assert flight.complete
        assert flight.tls
        assert (flight.malformed, flight.speaks, flight.alert) == (None, None, None)


def test_a_real_refusal_is_read_however_it_is_cut() -> None:
    for pieces in feeds(FLIGHTS[REFUSAL]):
        assert read(*pieces) == Flight(alert=Alert(fatal=True, code=70), tls=True, complete=True)


@pytest.mark.parametrize("name", CLEAR)
def test_the_certificates_of_a_real_flight_are_certificates(name: str) -> None:
    leaf = x509.load_der_x509_certificate(read(FLIGHTS[name]).certificates[0])
    assert leaf.subject.rfc4514_string() == "CN=localhost"


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_real_flight_that_ends_early_is_never_complete_and_never_malformed(name: str) -> None:
    reader = FlightReader()
    for byte in FLIGHTS[name].removesuffix(CHANGE_CIPHER_SPEC)[:-1]:
        reader.feed(bytes([byte]))
        assert not reader.complete
        assert reader.flight.malformed is None


@pytest.mark.parametrize("name", FLIGHTS)
@given(data=st.data())
def test_a_real_flight_is_the_same_in_any_cut(name: str, data: st.DataObject) -> None:
    flight = FLIGHTS[name]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(flight)), max_size=12)))
    pieces = [flight[a:b] for a, b in zip([0, *cuts], [*cuts, len(flight)], strict=True)]
    assert read(*pieces) == read(flight)


@pytest.mark.parametrize("name", ["OPENSSL_TLS_1_2", "GNUTLS_TLS_1_2"])
def test_records_may_be_cut_anew_and_messages_may_share_them(name: str) -> None:
    flight = FLIGHTS[name]
    content, at = b"", 0
    while at < len(flight):
        length = int.from_bytes(flight[at + 3 : at + 5], "big")
        content += flight[at + 5 : at + 5 + length]
        at += 5 + length
    assert read(record(content)) == read(flight)
    assert read(*(record(content[i : i + 1]) for i in range(len(content)))) == read(flight)


# ------------------------------------------------------------------------------------------------ a second opinion


@given(
    version=st.sampled_from([0x0300, 0x0301, 0x0302, 0x0303]),
    suite=st.integers(0, 0xFFFF),
    random=st.binary(min_size=32, max_size=32),
    session_id=st.binary(max_size=32),
)
def test_what_an_independent_implementation_writes_is_read(
    version: int, suite: int, random: bytes, session_id: bytes
) -> None:
    written = tls_oracle.server_hello(version, suite, random=random, session_id=session_id)
    flight = read(record(written))
    assert flight.server_hello == ServerHello(version, suite, 0, session_id)
    assert not flight.complete


@pytest.mark.parametrize(("random", "retry"), [(bytes(32), False), (RETRY, True)])
def test_what_an_independent_implementation_writes_of_tls_1_3_is_read(random: bytes, *, retry: bool) -> None:
    group = 29 if retry else None
    written = tls_oracle.server_hello(0x0303, 0x1301, random=random, session_id=SESSION_ID, new=0x0304, group=group)
    flight = read(record(written), record(b"\1", kind=20), record(b"encrypted", kind=23))
    extensions = (43, 51) if retry else (43,)
    expected = ServerHello(0x0304, 0x1301, 0, SESSION_ID, retry=retry, group=group, extensions=extensions)
    assert flight.server_hello == expected
    assert flight.complete
    assert flight.malformed is None


def test_the_certificates_of_an_independent_implementation_are_read() -> None:
    found = read(FLIGHTS["OPENSSL_TLS_1_2"]).certificates
    written = tls_oracle.certificates(list(found), 0x0303)
    assert read_certificates(written[4:]) == found


# --------------------------------------------------------------------------------------------------------- alerts


def test_a_fatal_alert_ends_the_flight() -> None:
    for pieces in feeds(REFUSED):
        assert read(*pieces) == Flight(alert=Alert(fatal=True, code=40), tls=True, complete=True)


def test_a_warning_before_the_server_hello_is_passed_over() -> None:
    for pieces in feeds(UNRECOGNIZED_NAME + record(WHOLE)):
        flight = read(*pieces)
        assert flight.warnings == (112,)
        assert flight.server_hello is not None
        assert flight.alert is None
        assert flight.complete


def test_a_warning_ends_nothing_by_itself() -> None:
    assert read(UNRECOGNIZED_NAME) == Flight(warnings=(112,), tls=True)


@pytest.mark.parametrize(("level", "fatal"), [(1, False), (2, True)])
def test_close_notify_ends_a_flight_whatever_its_level(level: int, *, fatal: bool) -> None:
    assert read(record(bytes([level, 0]), kind=21)).alert == Alert(fatal, 0)


def test_alerts_may_share_a_record_and_be_cut_by_records() -> None:
    alerts = bytes([1, 112, 1, 90, 2, 70])
    expected = Flight(alert=Alert(fatal=True, code=70), warnings=(112, 90), tls=True, complete=True)
    assert read(record(alerts, kind=21)) == expected
    assert read(*(record(bytes([byte]), kind=21) for byte in alerts)) == expected


def test_warnings_without_end_are_no_conversation() -> None:
    assert read(UNRECOGNIZED_NAME * MOST_WARNINGS).malformed is None
    assert read(UNRECOGNIZED_NAME * (MOST_WARNINGS + 1)).malformed is not None


def test_an_alert_after_the_server_hello_does_not_take_it_back() -> None:
    flight = read(record(HELLO) + REFUSED)
    assert flight.server_hello is not None
    assert flight.alert == Alert(fatal=True, code=40)


# ------------------------------------------------------------------------------------------------- other protocols


@pytest.mark.parametrize(
    "answer",
    [
        bytes.fromhex("07 00 00000004 00 00 02 01"),  # A-ABORT
        bytes.fromhex("03 00 00000004 00 01 01 01"),  # A-ASSOCIATE-RJ
        bytes.fromhex("02 00 00000100") + bytes(256),
        bytes.fromhex("04 00 0000000c") + bytes(12),
        bytes.fromhex("05 00 00000004") + bytes(4),
        bytes.fromhex("06 00 00000004") + bytes(4),
    ],
)
def test_a_pdu_in_answer_is_dicom(answer: bytes) -> None:
    for pieces in feeds(answer):
        assert read(*pieces) == Flight(speaks=Protocol.DICOM, complete=True)


@pytest.mark.parametrize(
    "answer",
    [
        "07 00 00000005",  # an A-ABORT has four bytes
        "07 01 00000004",
        "02 00 00000043",
        "02 00 ffffffff",
        "03 00 00000000",
        "04 00 00200000",
        "01 00 00000044",  # an acceptor does not request
        "08 00 00000004",
    ],
)
def test_what_only_looks_like_a_pdu_is_not(answer: str) -> None:
    for pieces in feeds(bytes.fromhex(answer)):
        flight = read(*pieces)
        assert flight.speaks is None
        assert flight.malformed == "bytes that begin no TLS record"


def test_a_response_of_http_is_http() -> None:
    for pieces in feeds(b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        assert read(*pieces) == Flight(speaks=Protocol.HTTP, complete=True)


def test_a_pdu_or_a_response_that_is_not_there_as_far_as_to_be_known_is_nothing_yet() -> None:
    for start in (b"\7", b"\7\0\0\0\0", b"HTTP"):
        assert read(start) == Flight()


@pytest.mark.parametrize(
    "answer",
    [b"HELLO, world", b"220 synthetic FTP\r\n", b"SSH-2.0-synthetic\r\n", b"<html>", JUNK, b"\x80\x2e\x04", b"\0"],
)
def test_other_protocols_are_no_tls(answer: bytes) -> None:
    for pieces in feeds(answer):
        flight = read(*pieces)
        assert flight.malformed == "bytes that begin no TLS record"
        assert flight.complete
        assert not flight.tls


def test_a_pdu_behind_a_record_is_not_dicom() -> None:
    flight = read(UNRECOGNIZED_NAME + bytes.fromhex("07 00 00000004 00 00 02 01"))
    assert flight.speaks is None
    assert flight.malformed is not None


# ------------------------------------------------------------------------------------------------- what is malformed

MALFORMED = {
    "a record of no version": b"\x16\x02\x00\x00\x04" + bytes(4),
    "a record of a version to come": b"\x16\x03\x05\x00\x04" + bytes(4),
    "an empty record": b"\x16\x03\x03\x00\x00",
    "an empty alert": b"\x15\x03\x03\x00\x00",
    "a record too long": b"\x16\x03\x03" + (MAX_RECORD + 1).to_bytes(2, "big"),
    "data before a handshake": record(b"data", kind=23),
    "change_cipher_spec first": record(b"\1", kind=20),
    "data in the flight": record(HELLO) + record(b"data", kind=23),
    "an alert of no level": record(b"\3\x28", kind=21),
    "no ServerHello first": record(message(11, chain(LEAF))),
    "a ClientHello": record(message(1, bytes(40))),
    "an empty ServerHello": record(message(2)),
    "a ServerHello too long": record(b"\2" + (MAX_SERVER_HELLO + 1).to_bytes(3, "big")),
    "a second ServerHello": record(HELLO + HELLO),
    "a second Certificate": record(HELLO + message(11, chain(LEAF)) * 2),
    "messages out of order": record(HELLO + message(12, bytes(9)) + message(11, chain(LEAF))),
    "Finished": record(HELLO + message(20, bytes(12))),
    "a message too long": record(HELLO + b"\x0c" + (MAX_MESSAGE + 1).to_bytes(3, "big")),
    "a ServerHelloDone with a body": record(HELLO + message(14, b"\0")),
    "HelloRequests without end": record(message(0) * 5 + WHOLE),
    "a HelloRequest with a body": record(message(0, b"\0") + WHOLE),
    "a ServerHello cut short": record(message(2, hello_body()[:-1])),
    "a session id too long": record(message(2, hello_body(session_id=bytes(33)))),
    "a session id over the end": record(message(2, bytes(34) + b"\x20" + bytes(3))),
    "bytes behind a ServerHello": record(message(2, hello_body(behind=b"\0\0\0"))),
    "extensions over the end": record(message(2, hello_body(behind=b"\0\4\0\x17"))),
    "an extension over the end": record(message(2, hello_body(behind=vector(b"\0\x17\0\1")))),
    "an extension twice": record(message(2, hello_body(behind=vector(bytes.fromhex("00170000 00170000"))))),
    "an old version as a new one": record(message(2, hello_body(behind=vector(bytes.fromhex("002b 0002 0303"))))),
    "a new version in no disguise": record(
        message(2, hello_body(version=0x0304, behind=vector(bytes.fromhex("002b 0002 0304"))))
    ),
    "a new version as an old one": record(message(2, hello_body(version=0x0304))),
    "a retry of no version": record(message(2, hello_body(random=RETRY))),
    "a version cut short": record(message(2, hello_body(behind=vector(bytes.fromhex("002b 0001 03"))))),
    "a key share cut short": record(message(2, hello_body(behind=vector(bytes.fromhex("0033 0001 00"))))),
    "certificates over the end": record(HELLO + message(11, b"\0\0\x09\0\0\x09abc")),
    "a list of certificates cut short": record(HELLO + message(11, b"\0\0\x02\0\0")),
    "an empty certificate": record(HELLO + message(11, chain(LEAF, b""))),
    "bytes behind the certificates": record(HELLO + message(11, chain(LEAF) + b"\0")),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_obeys_no_standard_is_a_value_and_ends_the_flight(name: str) -> None:
    for pieces in feeds(MALFORMED[name]):
        flight = read(*pieces)
        assert flight.malformed is not None, name
        assert flight.complete
        assert flight.alert is None


def test_a_server_hello_counts_though_what_follows_is_malformed() -> None:
    flight = read(record(HELLO) + record(message(20, bytes(12))))
    assert flight.server_hello == ServerHello(0x0303, 0xC02F, 0, b"")
    assert flight.malformed is not None


# ---------------------------------------------------------------------------------------------------- what is not


def test_unknown_versions_and_suites_are_told_as_they_came() -> None:
    flight = read(record(message(2, hello_body(version=0x0002, suite=0xFFFF))))
    assert flight.server_hello == ServerHello(0x0002, 0xFFFF, 0, b"")
    assert flight.complete


def test_a_version_of_the_future_ends_what_can_be_read() -> None:
    flight = read(record(message(2, hello_body(behind=vector(bytes.fromhex("002b 0002 7f1c"))))))
    assert flight.server_hello is not None
    assert flight.server_hello.version == 0x7F1C
    assert flight.complete


def test_hello_requests_and_unknown_extensions_are_passed_over() -> None:
    body = hello_body(behind=vector(bytes.fromhex("ff01 0001 00 fafa 0003 010203")))
    expected = ServerHello(0x0303, 0xC02F, 0, b"", extensions=(0xFF01, 0xFAFA))
    assert read(record(message(0) + message(2, body))).server_hello == expected


@pytest.mark.parametrize(
    ("flight", "requested"),
    [
        (HELLO + message(11, chain(LEAF)) + message(14), False),
        (HELLO + message(11, chain(LEAF)) + message(13, bytes(9)) + message(14), True),
        (HELLO + message(11, chain(LEAF)) + message(22, bytes(9)) + message(12, bytes(9)) + message(14), False),
        (HELLO + message(11, chain(LEAF)) + message(13, bytes(9)), True),
        (HELLO + message(11, chain(LEAF)), None),
        (HELLO + message(12, bytes(9)) + message(14), None),  # it proves nothing about itself, and so may not ask
    ],
)
def test_whether_a_certificate_of_ours_is_asked_for(flight: bytes, requested: bool | None) -> None:
    for pieces in feeds(record(flight), junk=b""):
        assert read(*pieces).certificate_requested is requested


def test_only_the_first_certificates_are_kept() -> None:
    found = read_certificates(chain(*(bytes([n]) for n in range(MOST_CERTIFICATES + 5))))
    assert found == tuple(bytes([n]) for n in range(MOST_CERTIFICATES))


def test_a_longer_list_of_certificates_is_passed_over() -> None:
    long = message(11, chain(bytes(MAX_CERTIFICATES)))
    reader = FlightReader()
    content = HELLO + long + message(14)
    for start in range(0, len(content), MAX_RECORD):
        reader.feed(record(content[start : start + MAX_RECORD]))
        assert reader.buffered < 100
    assert reader.flight.certificates == ()
    assert reader.flight.certificate_requested is False
    assert reader.complete


def test_no_more_is_held_than_a_record_and_a_message() -> None:
    reader = FlightReader()
    content = HELLO + b"\x0b" + MAX_CERTIFICATES.to_bytes(3, "big") + bytes(MAX_CERTIFICATES - 1)
    for start in range(0, len(content), MAX_RECORD):
        reader.feed(record(content[start : start + MAX_RECORD]))
    reader.feed(b"\x16\x03\x03" + MAX_RECORD.to_bytes(2, "big") + bytes(MAX_RECORD - 1))
    assert reader.buffered == MAX_CERTIFICATES - 1 + MAX_RECORD - 1
    assert not reader.complete


def test_what_is_fed_behind_the_end_changes_nothing() -> None:
    reader = FlightReader()
    reader.feed(REFUSED)
    before = reader.flight
    reader.feed(record(WHOLE))
    assert reader.flight == before
    assert reader.buffered == 0


# ---------------------------------------------------------------------------------------------------- anything at all


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_raise_or_are_held_without_bound(pieces: list[bytes]) -> None:
    whole = read(b"".join(pieces))
    assert read(*pieces) == whole
    assert whole.malformed is None or whole.complete


@given(name=st.sampled_from(sorted(FLIGHTS)), at=st.integers(0, 2000), value=st.integers(0, 255))
def test_a_flight_with_a_wrong_byte_never_raises_and_reads_the_same_in_any_cut(name: str, at: int, value: int) -> None:
    damaged = bytearray(FLIGHTS[name])
    damaged[at % len(damaged)] = value
    whole = read(bytes(damaged))
    assert read(*(bytes([byte]) for byte in damaged)) == whole


@given(st.binary(max_size=300))
def test_the_body_of_a_server_hello_is_read_or_malformed(body: bytes) -> None:
    try:
        found = read_server_hello(body)
    except MalformedPeerData:
        return
    assert 0 <= found.version <= 0xFFFF
    assert len(found.session_id) <= 32


@given(st.lists(st.tuples(st.integers(0, 23), st.binary(max_size=60)), max_size=8))
def test_any_messages_in_any_order_are_read_or_malformed(messages: list[tuple[int, bytes]]) -> None:
    flight = read(record(HELLO + b"".join(message(kind, body) for kind, body in messages)))
    assert flight.server_hello is not None
    assert flight.complete or flight.malformed is None


# --------------------------------------------------------------------------------------------------------- leaving


@pytest.mark.parametrize(
    ("version", "sent"),
    [
        (0x0300, "15 0300 0002 0100"),
        (0x0301, "15 0301 0002 015a 15 0301 0002 0100"),
        (0x0303, "15 0303 0002 015a 15 0303 0002 0100"),
        (0x0304, "15 0303 0002 015a 15 0303 0002 0100"),
    ],
)
def test_what_a_client_says_that_leaves(version: int, sent: str) -> None:
    assert farewell(version) == bytes.fromhex(sent)
