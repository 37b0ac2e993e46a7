"""No answer takes long to understand: what is read of it is bounded, and nothing is read in it again and again.

A front that is slow to read would hold up the visits of all other devices, for they share one thread.
"""

from __future__ import annotations

import itertools
import time

import pytest

from checker.codecs.http import PREFIX_BYTES, http_facts
from checker.codecs.http_headers import Headers
from checker.model import HttpEnd, HttpPurpose

LONGEST_S = 0.15  # of CPU; the slowest of them takes a tenth of it on an idle machine
TRIES = 8
MOST_HEAD = 60_000  # as much as fits into the cap of a connection

TAGS = (
    b"<",
    b"</",
    b"<!--",
    b"<meta ",
    b"<meta http-equiv='refresh' content='",
    b"<script>",
    b"<script",
    b"<form action=",
)
TEXTS = (
    b"<input type='",
    b"<title>",
    b"<h1>",
    b"<pre>",
    b"&#x",
    b"location.href=",
    b'"',
    b"'",
    b"=",
    b" ",
    b"\n",
    b"a=",
)
VALUES = (
    b'"',
    b"\\",
    b'\\"',
    b",",
    b" ",
    b"a=",
    b"realm=",
    b'realm="',
    b"Basic ",
    b"Basic realm=",
    b";",
    b"=",
    b"/",
    b"%2f",
)
HEADERS = (
    *(b"WWW-Authenticate", b"Set-Cookie", b"Location", b"Content-Type", b"Content-Encoding", b"Content-Length"),
    *(b"Server", b"Strict-Transport-Security", b"Upgrade", b"Access-Control-Allow-Origin"),
)


def understand(headers: Headers, prefix: bytes) -> HttpEnd:
    """Understand an answer in time: the best of several tries, where it took long, for others use the CPU too."""
    for _ in range(TRIES):
        started = time.process_time()
        facts = http_facts(
            purpose=HttpPurpose.PAGE,
            path="/",
            tls=False,
            status=302,
            headers=headers,
            prefix=prefix[:PREFIX_BYTES],
            complete=False,
            origin="http://127.0.0.1:80",
            sent_origin="https://pacs-checker.invalid",
        )
        if time.process_time() - started < LONGEST_S:
            return facts.end
    pytest.fail(f"{headers[0][0]!r} {headers[0][1][:40]!r} {prefix[:40]!r}")


@pytest.mark.parametrize("part", [first + second for first, second in itertools.product(TAGS, (b"", *TEXTS))])
def test_a_page_is_read_quickly(part: bytes) -> None:
    page = b"<html>" + part * (PREFIX_BYTES // len(part) + 1)
    assert understand([(b"Content-Type", b"text/html")], page) is HttpEnd.ANSWERED


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("of", [MOST_HEAD, 4096, 16], ids=["one", "some", "many"])
def test_a_head_is_read_quickly(name: bytes, of: int) -> None:
    """One long header, or many of the same name, filled with the same again and again, with an odd end or without."""
    for first, second, end in itertools.product(VALUES, (b"", *VALUES), (b"", b"\\")):
        part = first + second
        value = (part * (of // len(part) + 1))[: of - len(end)] + end
        end_of_question = understand([(name, value)] * (MOST_HEAD // of), b"")
        assert end_of_question in (HttpEnd.ANSWERED, HttpEnd.ENCODED)
