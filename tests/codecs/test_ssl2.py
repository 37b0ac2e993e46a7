"""SSLv2: one exchange, byte-exact one way, and read from real and independent implementations the other way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.ssl2_ciphers import SSL2_CIPHERS, ssl2_cipher_name
from checker.codecs.ssl2 import MAX_RECORD, Ssl2Answer, Ssl2Reader, ssl2_hello
from checker.codecs.tls import Alert, Flight, Protocol
from tests.codecs import tls_oracle
from tests.codecs.helpers import JUNK, feeds
from tests.codecs.tls_asked_flights import JAVA_SSL_2, OPENSSL_SSL_2

CHALLENGE = bytes(range(16))
CONNECTION_ID = bytes(range(16, 32))
CERTIFICATE = b"a synthetic certificate"
CIPHERS = [0x0700C0, 0x010080, 0x020080]


def record(message: bytes) -> bytes:
    return (0x8000 | len(message)).to_bytes(2, "big") + message


def server_hello(
    *,
    certificate: bytes = CERTIFICATE,
    ciphers: bytes = bytes.fromhex("0700c0 010080 020080"),
    connection_id: bytes = CONNECTION_ID,
    head: str = "04 00 01 0002",
) -> bytes:
    lengths = b"".join(len(part).to_bytes(2, "big") for part in (certificate, ciphers, connection_id))
    return bytes.fromhex(head) + lengths + certificate + ciphers + connection_id


def read(*pieces: bytes) -> Ssl2Answer:
    reader = Ssl2Reader()
    for piece in pieces:
        reader.feed(piece)
    assert reader.complete == reader.answer.complete
    return reader.answer


# ------------------------------------------------------------------------------------------------------------- sending


def test_the_hello_is_exactly_this() -> None:
    ciphers = "010080 020080 030080 040080 050080 060040 060140 0700c0 0701c0 080080 ff0800 ff0810"
    assert ssl2_hello(CHALLENGE) == bytes.fromhex("803d 01 0002 0024 0000 0010" + ciphers) + CHALLENGE


def test_an_independent_implementation_reads_what_was_meant() -> None:
    parsed = tls_oracle.read_ssl2_client_hello(ssl2_hello(CHALLENGE))
    assert parsed.client_version == (0, 2)
    assert list(parsed.cipher_suites) == list(SSL2_CIPHERS)
    assert bytes(parsed.session_id) == b""
    assert bytes(parsed.random)[-16:] == CHALLENGE


def test_the_hello_is_shorter_than_any_on_which_servers_choke() -> None:
    assert len(ssl2_hello(CHALLENGE)) < 128


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_challenge_of_another_length_is_a_bug(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        ssl2_hello(bytes(length))


# ------------------------------------------------------------------------------------------------------------- reading


def test_a_server_hello_lists_every_cipher() -> None:
    expected = Ssl2Answer(server_hello=True, ciphers=tuple(CIPHERS), certificate=CERTIFICATE, complete=True)
    for pieces in feeds(record(server_hello())):
        assert read(*pieces) == expected


@given(
    certificate=st.binary(min_size=1, max_size=2000),
    ciphers=st.lists(st.integers(0, 0xFFFFFF), max_size=20),
    connection_id=st.binary(min_size=16, max_size=32),
)
def test_what_an_independent_implementation_writes_is_read(
    certificate: bytes, ciphers: list[int], connection_id: bytes
) -> None:
    message = tls_oracle.ssl2_server_hello(certificate, ciphers, connection_id)
    assert read(record(message)) == Ssl2Answer(
        server_hello=True, ciphers=tuple(ciphers), certificate=certificate, complete=True
    )


def test_a_server_hello_without_ciphers_is_one() -> None:
    assert read(record(server_hello(ciphers=b""))) == Ssl2Answer(
        server_hello=True, certificate=CERTIFICATE, complete=True
    )


@pytest.mark.parametrize(("head", "certificate"), [("04 00 02 0002", CERTIFICATE), ("04 00 01 0002", b"")])
def test_a_certificate_of_no_known_type_is_none(head: str, certificate: bytes) -> None:
    assert read(record(server_hello(head=head, certificate=certificate))).certificate is None


@pytest.mark.parametrize("code", [1, 2, 4, 6])
def test_an_error_is_no_server_hello(code: int) -> None:
    for pieces in feeds(record(bytes([0, 0, code]))):
        assert read(*pieces) == Ssl2Answer(error=code, complete=True)


def test_a_real_error_is_read_however_it_is_cut() -> None:
    for pieces in feeds(JAVA_SSL_2):
        assert read(*pieces) == Ssl2Answer(error=1, complete=True)


def test_a_real_alert_of_tls_is_no_answer_of_ssl_2() -> None:
    flight = Flight(alert=Alert(fatal=True, code=70), tls=True, complete=True)
    for pieces in feeds(OPENSSL_SSL_2):
        assert read(*pieces) == Ssl2Answer(flight=flight, complete=True)


@pytest.mark.parametrize(
    ("answer", "speaks"),
    [(bytes.fromhex("07 00 00000004 00 00 02 01"), Protocol.DICOM), (b"HTTP/1.1 400 Bad Request\r\n", Protocol.HTTP)],
)
def test_other_protocols_are_told_apart(answer: bytes, speaks: Protocol) -> None:
    for pieces in feeds(answer):
        assert read(*pieces) == Ssl2Answer(flight=Flight(speaks=speaks, complete=True), complete=True)


def test_an_answer_that_is_not_whole_is_none_yet() -> None:
    whole = record(server_hello())
    reader = Ssl2Reader()
    for byte in whole[:-1]:
        reader.feed(bytes([byte]))
        assert reader.answer == Ssl2Answer(begun=True)
    assert reader.buffered == len(whole) - 1
    reader.feed(b"")
    assert not reader.complete


MALFORMED = {
    "an empty record": record(b""),
    "a CLIENT-HELLO": record(b"\1" + bytes(40)),
    "junk": JUNK,
    "telnet": bytes.fromhex("fffd25 fffb01"),
    "another version": record(server_hello(head="04 00 01 0301")),
    "a session that never was": record(server_hello(head="04 01 01 0002")),
    "half a cipher": record(server_hello(ciphers=b"\1\0\x80\2")),
    "a connection id too short": record(server_hello(connection_id=bytes(15))),
    "a connection id too long": record(server_hello(connection_id=bytes(33))),
    "bytes behind": record(server_hello() + b"\0"),
    "a certificate over the end": record(bytes.fromhex("04 00 01 0002 ffff 0003 0010") + bytes(30)),
    "an error too long": record(b"\0\0\1\0"),
    "an error too short": record(b"\0\0"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_obeys_no_standard_is_a_value(name: str) -> None:
    reason = read(MALFORMED[name]).malformed
    assert reason
    for pieces in feeds(MALFORMED[name]):
        assert read(*pieces) == Ssl2Answer(malformed=reason, complete=True)


def test_what_is_fed_behind_the_end_changes_nothing_and_no_more_than_a_record_is_held() -> None:
    reader = Ssl2Reader()
    reader.feed(b"\xff\xff\x04" + bytes(MAX_RECORD - 2))
    assert reader.buffered == MAX_RECORD + 1
    reader.feed(bytes(9))
    assert (reader.complete, reader.buffered) == (True, 0)
    before = reader.answer
    reader.feed(record(server_hello()))
    assert reader.answer == before


@given(st.lists(st.binary(max_size=100), max_size=9))
def test_no_bytes_raise_and_all_cuts_are_alike(pieces: list[bytes]) -> None:
    assert read(*pieces) == read(b"".join(pieces))


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_no_record_raises_and_all_cuts_are_alike(pieces: list[bytes]) -> None:
    stream = record(b"\4" + b"".join(pieces))
    assert read(*(bytes([byte]) for byte in stream)) == read(stream)


# --------------------------------------------------------------------------------------------------------------- names


def test_ciphers_have_names_and_unknown_ones_numbers() -> None:
    assert ssl2_cipher_name(0x0700C0) == "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"
    assert ssl2_cipher_name(0x010203) == "0x010203"
    assert list(SSL2_CIPHERS) == sorted(SSL2_CIPHERS)
    assert {cipher.code for cipher in SSL2_CIPHERS.values() if cipher.export} == {0x020080, 0x040080}
    assert all(cipher.strength == 40 for cipher in SSL2_CIPHERS.values() if cipher.export)
