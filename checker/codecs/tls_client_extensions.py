"""The extensions of a ClientHello, byte by byte. Which of them a hello has, and in what order, is not decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import pack

from checker.codecs.tls_offers import Version

NAME, MAX_FRAGMENT_LENGTH, STATUS_REQUEST, GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS = 0, 1, 5, 10, 11, 13
ALPN, PADDING, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, SESSION_TICKET = 16, 21, 22, 23, 35
SUPPORTED_VERSIONS, KEY_SHARE, RENEGOTIATION_INFO = 43, 51, 0xFF01

_LONGEST_PROTOCOL = 255


def server_name(name: str) -> bytes:
    """RFC 6066 section 3: one name of type host_name."""
    return extension(NAME, vector(b"\0" + vector(name.encode("ascii"), 2), 2))


def empty_ones(*, extended_master_secret: bool, encrypt_then_mac: bool, session_ticket: bool) -> bytes:
    """Those that only say that a client knows them: RFC 7627 and 7366, on which some servers insist, RFC 5077."""
    wanted = (
        (EXTENDED_MASTER_SECRET, extended_master_secret),
        (ENCRYPT_THEN_MAC, encrypt_then_mac),
        (SESSION_TICKET, session_ticket),
    )
    return b"".join(extension(kind, b"") for kind, asked in wanted if asked)


def status_request() -> bytes:
    """RFC 6066 section 8: an OCSP response of any responder, with no extensions."""
    return extension(STATUS_REQUEST, b"\1\0\0\0\0")


def alpn(protocols: Sequence[str]) -> bytes:
    """RFC 7301 section 3.1: names of 1 to 255 bytes in ASCII; ValueError for others."""
    if not all(0 < len(name) <= _LONGEST_PROTOCOL for name in protocols):
        message = f"the name of a protocol has 1 to {_LONGEST_PROTOCOL} bytes"
        raise ValueError(message)
    return extension(ALPN, vector(b"".join(vector(name.encode("ascii"), 1) for name in protocols), 2))


def point_formats() -> bytes:
    """RFC 8422 section 5.1.2: uncompressed ones."""
    return extension(POINT_FORMATS, vector(b"\0", 1))


def signature_algorithms(schemes: Iterable[int]) -> bytes:
    """RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3."""
    return extension(SIGNATURE_ALGORITHMS, codes(schemes, 2))


def supported_versions(versions: Iterable[Version]) -> bytes:
    """RFC 8446 section 4.2.1."""
    return extension(SUPPORTED_VERSIONS, codes(versions, 1))


def no_key_share() -> bytes:
    """RFC 8446 section 4.2.8: no share at all asks for a HelloRetryRequest, which costs nobody a key."""
    return extension(KEY_SHARE, vector(b"", 2))


def supported_groups(groups: Iterable[int]) -> bytes:
    """RFC 8446 section 4.2.7, RFC 8422 section 5.1.1."""
    return extension(GROUPS, codes(groups, 2))


def padding(length: int) -> bytes:
    """RFC 7685: `length` bytes in all, of which the header takes four."""
    return extension(PADDING, bytes(length - 4))


def extension(kind: int, body: bytes) -> bytes:
    """An extension of RFC 8446 section 4.2."""
    return kind.to_bytes(2, "big") + vector(body, 2)


def codes(values: Iterable[int], prefix: int) -> bytes:
    """A vector of code points of two bytes each."""
    listed = tuple(values)
    return vector(pack(f">{len(listed)}H", *listed), prefix)


def vector(content: bytes, prefix: int) -> bytes:
    """A vector of RFC 8446 section 3.4: its length in `prefix` bytes, then its content."""
    return len(content).to_bytes(prefix, "big") + content
