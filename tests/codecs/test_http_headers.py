"""What single headers say of whose pages may read an answer, and of servers that want another protocol."""

from __future__ import annotations

import time

import pytest

from checker.codecs.http_headers import (
    Headers,
    allowed_origin,
    allows_credentials,
    challenges,
    wants_other_protocol,
)
from checker.codecs.http_questions import SENT_ORIGIN
from checker.model import HttpEnd

ALLOW_ORIGIN, ALLOW_CREDENTIALS = b"Access-Control-Allow-Origin", b"access-control-allow-credentials"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), "absent"),
        ((b"*",), "any"),
        ((b" * ",), "any"),
        ((SENT_ORIGIN.encode(),), "echoed"),
        ((b"https://viewer.example.org",), "named"),
        ((b"null",), "any"),  # of whatever is shown in a sandbox
        ((b"",), "named"),
        # Browsers take neither of these for leave.
        ((b"*", b"*"), "named"),
        ((b"*, " + SENT_ORIGIN.encode(),), "named"),
        ((SENT_ORIGIN.encode() + b".example.org",), "named"),
    ],
)
def test_whose_pages_may_read_an_answer(values: tuple[bytes, ...], expected: str) -> None:
    headers = [(ALLOW_ORIGIN, value) for value in values]
    assert allowed_origin(headers, SENT_ORIGIN) == expected
    assert allowed_origin(headers, None) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), False), ((b"true",), True), ((b"True",), False), ((b"false",), False), ((b"true", b"true"), False)],
)
def test_only_the_very_word_allows_credentials(values: tuple[bytes, ...], expected: bool) -> None:
    assert allows_credentials([(ALLOW_CREDENTIALS, value) for value in values]) is expected


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (426, [], HttpEnd.WEBSOCKET_ONLY),
        (426, [(b"Upgrade", b"websocket")], HttpEnd.WEBSOCKET_ONLY),
        (426, [(b"upgrade", b"h2c, WebSocket")], HttpEnd.WEBSOCKET_ONLY),
        (426, [(b"Upgrade", b"h2c")], HttpEnd.HTTP2_ONLY),
        (426, [(b"Upgrade", b"TLS/1.2, HTTP/1.1")], None),
        (400, [(b"Sec-WebSocket-Version", b"13")], HttpEnd.WEBSOCKET_ONLY),
        (400, [(b"Upgrade", b"websocket")], HttpEnd.WEBSOCKET_ONLY),
        (400, [(b"Upgrade", b"h2c")], None),
        (400, [], None),
        # A server that names what else it speaks has answered all the same (RFC 9110 7.8).
        (200, [(b"Upgrade", b"h2c")], None),
        (401, [(b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13")], None),
    ],
)
def test_a_server_that_wants_another_protocol_says_so(status: int, headers: Headers, expected: HttpEnd | None) -> None:
    assert wants_other_protocol(status, headers) is expected


def test_a_challenge_of_blanks_costs_no_time() -> None:
    headers = [(b"WWW-Authenticate", b"Basic" + b" " * 4000 + b"=")] * 15
    started = time.process_time()
    assert challenges(headers) == ()
    assert time.process_time() - started < 0.1
