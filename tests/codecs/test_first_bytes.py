"""What the first bytes of a stranger's answer say: golden starts, whole and cut, and that anything ends in a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.first_bytes import ENOUGH, spoken, wants_tls
from checker.model import Spoken

ABORT = bytes.fromhex("07 00 00000004 00000200")  # PS3.8 9.3.8
REJECT = bytes.fromhex("03 00 00000004 00010103")  # PS3.8 9.3.4
ACCEPT = bytes.fromhex("02 00 000000b8 00010000")  # PS3.8 9.3.3
RELEASE_REPLY = bytes.fromhex("06 00 00000004 00000000")  # PS3.8 9.3.7
ALERT = bytes.fromhex("15 0303 0002 0246")  # RFC 8446 section 6
OLD_ALERT = bytes.fromhex("15 0300 0002 0228")
SERVER_HELLO = bytes.fromhex("16 0303 007a 0200")


@pytest.mark.parametrize(
    ("start", "protocol"),
    [
        (ABORT, Spoken.DICOM),
        (REJECT, Spoken.DICOM),
        (ACCEPT, Spoken.DICOM),
        (RELEASE_REPLY, Spoken.DICOM),
        (ALERT, Spoken.TLS),
        (OLD_ALERT, Spoken.TLS),
        (SERVER_HELLO, Spoken.TLS),
        (b"HTTP/1.1 400 Bad Request", Spoken.HTTP),
        (b"SSH-2.0-OpenSSH_9.2", Spoken.OTHER),
        (b"220 ftp.example.org", Spoken.OTHER),
        (b"<html>", Spoken.NONE),  # a page without a status line: HTTP/0.9, and some servers' word to what they misread
        (b"\r\nHTTP/1.1 200 OK", Spoken.NONE),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", Spoken.NONE),  # SETTINGS of HTTP/2
        (b"HTTPS", Spoken.OTHER),
        (b"\x15\x03\x05\x00\x02", Spoken.OTHER),  # no version of TLS
        (b"\x15\x02\x00\x00\x02", Spoken.OTHER),
        (b"\x16\x03\x03\x00\x00", Spoken.OTHER),  # RFC 8446 section 5.1: never empty
        (b"\x16\x03\x03\xff\xff", Spoken.OTHER),
        (b"\x07\x01\x00\x00\x00", Spoken.OTHER),  # the second byte of a PDU is reserved
        (b"\x07\x00\x00\x00\x01", Spoken.OTHER),  # no A-ABORT is that long
        (b"\x02\x00\xff\x00\x00", Spoken.OTHER),
        (b"\x04\x00\x00\x00\x00", Spoken.OTHER),  # nobody who was asked nothing sends data
        (b"\x00\x00\x00\x00\x00", Spoken.OTHER),
    ],
)
def test_a_start_tells_the_protocol(start: bytes, protocol: Spoken) -> None:
    assert spoken(start) is protocol
    assert spoken(start[:ENOUGH]) is protocol
    assert spoken(start + b"\xff" * 100) is protocol


SETTINGS = bytes.fromhex("000012 04 00 00000000")  # RFC 9113 section 6.5


@pytest.mark.parametrize("start", [ABORT, REJECT, ACCEPT, ALERT, SERVER_HELLO, b"HTTP/1.0 200", SETTINGS])
def test_less_than_enough_never_tells_another_protocol(start: bytes) -> None:
    for length in range(ENOUGH):
        assert spoken(start[:length]) is Spoken.NONE


@given(st.binary(max_size=12))
def test_any_bytes_end_in_a_value(data: bytes) -> None:
    found = spoken(data)
    assert (found is Spoken.NONE) <= (len(data) < ENOUGH or data[:1] in (b"<", b"\r", b"\n", b"\t", b" ", b"\0"))
    if found is Spoken.HTTP:
        assert data.startswith(b"HTTP/")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><center>The plain HTTP request was sent to HTTPS port</center>",  # nginx
        b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",  # Apache
        b"Bad Request\r\nThis combination of host and port requires TLS.\r\n",  # Tomcat
        b"Client sent an HTTP request to an HTTPS server.\n",  # Go
    ],
)
def test_a_server_says_that_it_wants_tls(body: bytes) -> None:
    assert wants_tls(400, body)
    assert not wants_tls(200, body)
    assert not wants_tls(400, b"x" * 4096 + body)


def test_any_other_error_does_not() -> None:
    assert not wants_tls(400, b"<html>Bad Request</html>")
    assert not wants_tls(404, b"")
