"""What flights of real servers show besides version and suite: extensions, keys, requests, stapled responses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.tls import MAX_RECORD, Alert, Flight, FlightReader
from checker.codecs.tls_certificates import MOST_SCHEMES, CertificateRequest, read_certificate_request
from checker.codecs.tls_key_exchange import KeyExchange
from checker.codecs.tls_messages import MAX_CERTIFICATES, MAX_KEY_EXCHANGE
from checker.codecs.tls_server_hello import ServerHello, read_server_hello
from checker.errors import MalformedPeerData
from tests.codecs import tls_asked_flights as asked
from tests.codecs import tls_oracle
from tests.codecs.helpers import feeds
from tests.codecs.test_tls import HELLO, LEAF, chain, hello_body, message, record, vector

SIGNATURES_OF_OPENSSL = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601),
    *(0x0303, 0x0203, 0x0301, 0x0201, 0x0302, 0x0202, 0x0402, 0x0502, 0x0602),
)
X25519, FFDHE_2048, FFDHE_3072 = 0x001D, 0x0100, 0x0101
# extensions, ALPN, key exchange, request, stapled
SHOWN: dict[str, tuple[tuple[int, ...], str | None, KeyExchange | None, CertificateRequest | None, bool | None]] = {
    "OPENSSL_STAPLED": (
        (0xFF01, 11, 35, 5, 16, 23),
        "h2",
        KeyExchange("ECDHE", X25519, signature=0x0403),
        None,
        True,
    ),
    "OPENSSL_DHE": (
        (0xFF01, 22, 23),
        None,
        KeyExchange("DHE", bits=1024, prime="RFC 2409 group 2", signature=0x0804),
        CertificateRequest((1, 2, 64), SIGNATURES_OF_OPENSSL, 1),
        False,
    ),
    "OPENSSL_ANON": ((0xFF01, 23), None, KeyExchange("DHE", bits=1024, prime="RFC 2409 group 2"), None, None),
    "OPENSSL_BARE": ((), None, None, CertificateRequest((1, 2, 64), (), 1), False),
    "OPENSSL_P521": ((43, 51), None, None, None, None),
    "GNUTLS_DHE": (
        (22, 23, 35, 0xFF01),
        None,
        KeyExchange("DHE", FFDHE_3072, bits=3072, prime="ffdhe3072", signature=0x0804),
        None,
        False,
    ),
    "GNUTLS_ANON": ((11, 23, 0xFF01), None, KeyExchange("ECDHE", X25519), None, None),
    "GNUTLS_DHE_PSK": ((23, 0xFF01), None, KeyExchange("DHE", FFDHE_2048, bits=2048, prime="ffdhe2048"), None, None),
    "GNUTLS_PSK": ((23, 0xFF01), None, KeyExchange("PSK"), None, None),
    "NGINX_1_2": (
        (0xFF01, 0, 11, 35, 16, 23),
        "h2",
        KeyExchange("ECDHE", X25519, signature=0x0403),
        CertificateRequest((1, 2, 64), SIGNATURES_OF_OPENSSL, 1),
        False,
    ),
    "JAVA_SSL_3_EXPORT": ((0xFF01,), None, KeyExchange("RSA", bits=512), None, False),
    "JAVA_DHE_EXPORT": ((23, 0xFF01), None, KeyExchange("DHE", bits=512), None, False),
    "JAVA_ECDH_ANON": ((23, 0xFF01), None, KeyExchange("ECDHE", X25519), None, None),
}
ALERTS = {"OPENSSL_FALLBACK": 86, "OPENSSL_NO_ALPN": 120}


def read(*pieces: bytes) -> Flight:
    reader = FlightReader()
    for piece in pieces:
        reader.feed(piece)
    return reader.flight


def golden(name: str) -> bytes:
    found = getattr(asked, name)
    assert isinstance(found, bytes)
    return found


def test_every_flight_is_expected() -> None:
    flights = {name for name, value in vars(asked).items() if isinstance(value, bytes)}
    assert {*SHOWN, *ALERTS, "JAVA_SSL_2", "OPENSSL_SSL_2"} == flights


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_real_flight_shows_is_read_however_it_is_cut(name: str) -> None:
    for pieces in feeds(golden(name)):
        flight = read(*pieces)
        hello = flight.server_hello
        assert hello is not None
        shown = (hello.extensions, hello.alpn, flight.key_exchange, flight.request, flight.stapled)
        assert shown == SHOWN[name]
        assert (hello.ill_formed, hello.compression, flight.malformed, flight.complete) == ((), 0, None, True)
        assert (flight.request is not None) == bool(flight.certificate_requested)


@pytest.mark.parametrize("name", ALERTS)
def test_a_real_refusal_of_what_was_asked_is_read_however_it_is_cut(name: str) -> None:
    for pieces in feeds(golden(name)):
        assert read(*pieces) == Flight(alert=Alert(fatal=True, code=ALERTS[name]), tls=True, complete=True)


@pytest.mark.parametrize("name", SHOWN)
@given(at=st.integers(0, 4000), value=st.integers(0, 255))
def test_a_real_flight_with_a_wrong_byte_reads_the_same_in_any_cut(name: str, at: int, value: int) -> None:
    damaged = bytearray(golden(name))
    damaged[at % len(damaged)] = value
    assert read(*(bytes([byte]) for byte in damaged)) == read(bytes(damaged))


def test_the_answers_to_extensions_have_names() -> None:
    hello = read(golden("GNUTLS_DHE")).server_hello
    assert hello is not None
    assert (hello.secure_renegotiation, hello.extended_master_secret, hello.encrypt_then_mac) == (True, True, True)
    assert (hello.session_ticket, hello.status_request) == (True, False)
    bare = read(golden("OPENSSL_BARE")).server_hello
    assert bare is not None
    assert (bare.secure_renegotiation, bare.extended_master_secret, bare.encrypt_then_mac) == (False, False, False)
    stapled = read(golden("OPENSSL_STAPLED")).server_hello
    assert stapled is not None
    assert stapled.status_request is True


# ----------------------------------------------------------------------------------------- extensions of a ServerHello


def with_extension(kind: int, content: bytes) -> ServerHello:
    behind = vector(kind.to_bytes(2, "big") + vector(content))
    return read_server_hello(hello_body(behind=behind))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (0xFF01, b""),
        (0xFF01, b"\x01\x00"),  # of an earlier handshake, which never was
        (23, b"\0"),
        (22, b"\0"),
        (35, b"ticket"),
        (5, b"\1\0\0\0\0"),
        (1, b""),
        (1, b"\0"),
        (1, b"\5"),
        (16, b""),
        (16, b"\0\0"),
        (16, b"\0\1\0"),
        (16, b"\0\3\2h2\2"),
        (16, b"\0\6\2h2\2h3"),  # an answer chooses one
    ],
)
def test_an_answer_that_is_ill_formed_proves_neither_that_nor_the_contrary(kind: int, content: bytes) -> None:
    hello = with_extension(kind, content)
    assert hello.ill_formed == (kind,)
    assert hello.answered(kind) is None
    assert (hello.alpn, hello.max_fragment) == (None, None)
    assert hello.version == 0x0303


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_the_length_of_fragments_that_was_agreed_on(code: int) -> None:
    assert with_extension(1, bytes([code])).max_fragment == code


def test_a_protocol_that_is_not_ascii_is_escaped() -> None:
    assert with_extension(16, b"\0\3\2h\xff").alpn == "h\\xff"


def test_the_chosen_compression_is_told() -> None:
    body = bytearray(hello_body())
    body[-1] = 1
    assert read_server_hello(bytes(body)).compression == 1


@pytest.mark.parametrize("length", [3, 5, 8])
def test_a_block_of_extensions_of_another_length_than_its_own_is_malformed(length: int) -> None:
    with pytest.raises(MalformedPeerData):
        read_server_hello(hello_body(behind=length.to_bytes(2, "big") + bytes.fromhex("00170000")))
    with pytest.raises(MalformedPeerData):
        read_server_hello(hello_body(behind=vector(bytes.fromhex("00170000")) + bytes.fromhex("00160000")))


def test_extensions_without_end_are_malformed() -> None:
    most = b"".join((1000 + i).to_bytes(2, "big") + b"\0\0" for i in range(64))
    assert len(read_server_hello(hello_body(behind=vector(most))).extensions) == 64
    with pytest.raises(MalformedPeerData):
        read_server_hello(hello_body(behind=vector(most + b"\0\1\0\0")))


# ----------------------------------------------------------------------------------------------- requests and responses


@given(
    version=st.sampled_from([0x0301, 0x0302, 0x0303]),
    types=st.lists(st.integers(1, 255), min_size=1, max_size=9),
    schemes=st.lists(st.integers(0x0101, 0xFFFF), min_size=1, max_size=MOST_SCHEMES),
    authorities=st.lists(st.binary(min_size=1, max_size=60), max_size=9),
)
def test_the_request_of_an_independent_implementation_is_read(
    version: int, types: list[int], schemes: list[int], authorities: list[bytes]
) -> None:
    body = tls_oracle.certificate_request(version, types, schemes, authorities)
    expected = tuple(schemes) if version == 0x0303 else ()
    assert read_certificate_request(body, version) == CertificateRequest(tuple(types), expected, len(authorities))


@pytest.mark.parametrize(
    "body", ["", "00 0002 0403 0000", "01 01 0000 0000", "01 01 0003 040301 0000", "01 01 0002 0403"]
)
def test_a_request_that_obeys_no_standard_is_a_request(body: str) -> None:
    content = bytes.fromhex(body)
    flight = read(record(HELLO + message(11, chain(LEAF)) + message(13, content) + message(14)))
    assert flight.certificate_requested is True
    assert flight.request is not None
    assert flight.request.unreadable
    assert flight.request.authorities is None
    assert flight.malformed is None


@pytest.mark.parametrize("names", ["0003 0002 41", "0002 0000", "0001 00"])
def test_names_of_authorities_that_do_not_fit_are_not_counted(names: str) -> None:
    assert read_certificate_request(bytes.fromhex("01 01 0002 0403" + names), 0x0303).unreadable


def test_only_the_first_signature_schemes_of_a_request_are_kept() -> None:
    body = tls_oracle.certificate_request(0x0303, [1], [0x0401] * (MOST_SCHEMES + 9), [])
    assert len(read_certificate_request(body, 0x0303).signatures) == MOST_SCHEMES


def in_records(content: bytes) -> list[bytes]:
    return [record(content[i : i + MAX_RECORD]) for i in range(0, len(content), MAX_RECORD)]


def test_a_request_or_a_key_exchange_that_is_too_long_is_passed_over_and_known_to_have_come() -> None:
    content = HELLO + message(11, chain(LEAF)) + message(12, bytes(MAX_KEY_EXCHANGE + 1))
    content += message(13, bytes(MAX_CERTIFICATES + 1)) + message(14)
    reader = FlightReader()
    for piece in in_records(content):
        reader.feed(piece)
        assert reader.buffered < 100
    flight = reader.flight
    assert flight.complete
    assert flight.certificate_requested is True
    assert flight.request == CertificateRequest(unreadable="a message that is empty or too long to be read")
    assert flight.key_exchange == KeyExchange(None, unreadable="a message that is empty or too long to be read")


@pytest.mark.parametrize(
    ("status", "stapled"),
    [(message(22, b"\1\0\0\1\0"), True), (message(22, b"\1\0\0\0"), False), (message(22), False), (b"", False)],
)
def test_whether_a_response_is_stapled(status: bytes, *, stapled: bool) -> None:
    flight = HELLO + message(11, chain(LEAF)) + status
    for pieces in feeds(record(flight + message(14)), junk=b""):
        assert read(*pieces).stapled is stapled
    if not status:
        assert read(record(flight)).stapled is None


def test_a_server_that_proves_nothing_about_itself_staples_nothing() -> None:
    assert read(record(HELLO + message(14))).stapled is None


# ----------------------------------------------------------------------------------------------------------- traps


def test_trap_records_and_messages_in_fragments_are_reassembled() -> None:
    content, at, flight = b"", 0, golden("OPENSSL_DHE")
    while at < len(flight):
        length = int.from_bytes(flight[at + 3 : at + 5], "big")
        content += flight[at + 5 : at + 5 + length]
        at += 5 + length
    assert read(record(content)) == read(flight)
    for size in (1, 2, 3, 5, 7, 100, 1000):
        assert read(*(record(content[i : i + size]) for i in range(0, len(content), size))) == read(flight)


def test_trap_a_warning_before_the_server_hello_does_not_hide_what_it_shows() -> None:
    flight = read(bytes.fromhex("15 0303 0002 01 70") + golden("NGINX_1_2"))
    assert flight.warnings == (112,)
    assert flight.key_exchange == SHOWN["NGINX_1_2"][2]
    assert flight.complete


def test_trap_an_alert_before_a_reset_counts_with_all_that_came_before_it() -> None:
    flight = golden("OPENSSL_DHE")
    cut = flight[: flight.rindex(b"\x16\x03\x03")]  # without the last message
    shown = read(cut + bytes.fromhex("15 0303 0002 02 28"))
    assert shown.alert == Alert(fatal=True, code=40)
    assert shown.key_exchange == SHOWN["OPENSSL_DHE"][2]
    assert shown.certificate_requested is True


def test_trap_a_client_certificate_that_is_required_has_proved_the_version_already() -> None:
    flight = read(golden("OPENSSL_BARE") + bytes.fromhex("15 0301 0002 02 28"))
    assert flight.server_hello is not None
    assert flight.server_hello.version == 0x0301
    assert flight.certificate_requested is True
