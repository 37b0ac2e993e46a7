"""Sans-IO: from the first few bytes of a peer to the protocol that begins so. Never opens anything, never raises.

It is for answers to a question that was asked in another protocol, of which no more than the start is ever looked at.
No byte of it is kept.
"""

from __future__ import annotations

from checker.model import Spoken

ENOUGH = 5
"""So many bytes tell all that is known here apart: a TLS record's header has just as many (RFC 8446 section 5.1)."""

_HTTP = b"HTTP/"  # RFC 9112 section 4
# May be a web server's all the same: a page without a status line (HTTP/0.9), and a blank line before one.
_MAYBE_HTTP = b"<\r\n\t "
_SETTINGS = 4  # RFC 9113 section 6.5, with which a server of HTTP/2 begins whatever it is asked
_TLS_KINDS = frozenset({20, 21, 22, 23})  # RFC 8446 section 5.1
_MOST_TLS = 0x4800  # RFC 5246 section 6.2.3, in bytes
# PS3.8 section 9.3: what answers a stranger, by its type, and how long its body may be, in bytes.
_PDU_BODIES = {2: (68, 1 << 16), 3: (4, 4), 5: (4, 4), 6: (4, 4), 7: (4, 4)}
# What servers say to a request in plain on a port of theirs that speaks TLS, in lower case: nginx, Apache, Tomcat, Go.
_WANTS_TLS = (
    b"plain http request was sent to https port",
    b"speaking plain http to an ssl-enabled server port",
    b"combination of host and port requires tls",
    b"client sent an http request to an https server",
)
_MOST_PAGE = 4096


def spoken(first: bytes) -> Spoken:
    """The protocol that begins with these bytes; NONE where they do not tell."""
    if not first:
        return Spoken.NONE
    start = first[:ENOUGH]
    if _HTTP.startswith(start):
        return Spoken.HTTP if start == _HTTP else Spoken.NONE
    if start[0] in _MAYBE_HTTP or (start[0] == 0 and start[3:4] in (b"", bytes([_SETTINGS]))):
        return Spoken.NONE
    if start[0] in _TLS_KINDS:
        return _tls(start)
    return _dicom(start) if start[0] in _PDU_BODIES else Spoken.OTHER


def wants_tls(status: int, prefix: bytes) -> bool:
    """Whether this answer to a request in plain says that the port speaks HTTP inside TLS, by the start of its body."""
    start = prefix[:_MOST_PAGE].lower()
    return 400 <= status < 500 and any(sign in start for sign in _WANTS_TLS)


def _tls(start: bytes) -> Spoken:
    if any(seen not in allowed for seen, allowed in zip(start[1:3], ((3,), range(5)), strict=False)):
        return Spoken.OTHER
    if len(start) < ENOUGH:
        return Spoken.NONE
    return Spoken.TLS if 0 < int.from_bytes(start[3:], "big") <= _MOST_TLS else Spoken.OTHER


def _dicom(start: bytes) -> Spoken:
    # PS3.8 tables 9-17 to 9-26: a reserved byte, sent as zero, and a length of four bytes, of which three are here.
    if start[1:2] not in (b"", b"\0"):
        return Spoken.OTHER
    if len(start) < ENOUGH:
        return Spoken.NONE
    shortest, longest = _PDU_BODIES[start[0]]
    length = int.from_bytes(start[2:], "big") << 8
    return Spoken.DICOM if shortest >> 8 << 8 <= length <= longest else Spoken.OTHER
