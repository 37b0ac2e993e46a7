"""ServerHello and HelloRetryRequest (RFC 8446 sections 4.1.3 and 4.1.4, RFC 5246 section 7.4.1.3): what a server chose.

An extension on which the choice of a version rests has to be right. Any other whose content is not what its standard
says takes nothing back: it is told apart, so that nobody takes it for an answer or for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from checker.codecs import tls_client_extensions as kinds
from checker.codecs.tls_cursor import RUNS_OVER, Cursor
from checker.codecs.tls_offers import Version
from checker.errors import MalformedPeerData

_HEAD = Struct(">H32sB")  # version, random, and the length of the session id
_CHOICE = Struct(">HB")  # suite and compression
_EXTENSION = Struct(">HH")  # type and length
_SESSION_ID_BYTES = 32
# RFC 8446 section 4.1.3: the random that makes a ServerHello a HelloRetryRequest.
_RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")

_MOST_EXTENSIONS = 64  # for each is kept by its number

# What an answer holds where it is always the same: RFC 7627, 7366, 5077 and 6066 section 8, and RFC 5746 section 3.4 of
# a first handshake.
_CONTENTS = {
    kinds.EXTENDED_MASTER_SECRET: b"",
    kinds.ENCRYPT_THEN_MAC: b"",
    kinds.SESSION_TICKET: b"",
    kinds.STATUS_REQUEST: b"",
    kinds.RENEGOTIATION_INFO: b"\0",
}
_FRAGMENTS = (b"\1", b"\2", b"\3", b"\4")  # RFC 6066 section 4


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What a server chose. `version` is the one that counts, as on the wire, whether we know it or not.

    `retry`: it is a HelloRetryRequest. `group` is the one that its key share names (RFC 8446 section 4.2.8).
    `extensions` are the code points of all extensions that it has, in its order; `ill_formed` those among them whose
    content is not what their standard says. `alpn` is the protocol that it chose (RFC 7301), with escapes for what is
    not ASCII; `max_fragment` the code of RFC 6066 section 4. Under TLS 1.3 most answers are encrypted, and not here.
    """

    version: int
    cipher_suite: int
    compression: int
    session_id: bytes
    retry: bool = False
    group: int | None = None
    extensions: tuple[int, ...] = ()
    ill_formed: tuple[int, ...] = ()
    alpn: str | None = None
    max_fragment: int | None = None

    def answered(self, kind: int) -> bool | None:
        """Whether it has this extension; None where it has one that is ill-formed, which proves neither."""
        return None if kind in self.ill_formed else kind in self.extensions

    @property
    def secure_renegotiation(self) -> bool | None:
        """RFC 5746, by `answered`."""
        return self.answered(kinds.RENEGOTIATION_INFO)

    @property
    def extended_master_secret(self) -> bool | None:
        """RFC 7627, by `answered`."""
        return self.answered(kinds.EXTENDED_MASTER_SECRET)

    @property
    def encrypt_then_mac(self) -> bool | None:
        """RFC 7366, by `answered`."""
        return self.answered(kinds.ENCRYPT_THEN_MAC)

    @property
    def session_ticket(self) -> bool | None:
        """RFC 5077: it will give a ticket, by `answered`."""
        return self.answered(kinds.SESSION_TICKET)

    @property
    def status_request(self) -> bool | None:
        """RFC 6066 section 8: it may staple an OCSP response, by `answered`; a flight says whether it did."""
        return self.answered(kinds.STATUS_REQUEST)


def read_server_hello(body: bytes) -> ServerHello:
    """The body of a ServerHello or HelloRetryRequest. Raises MalformedPeerData."""
    if len(body) < _HEAD.size:
        raise MalformedPeerData(RUNS_OVER)
    legacy_version, random, session_id_bytes = _HEAD.unpack_from(body)
    retry = random == _RETRY
    if session_id_bytes > _SESSION_ID_BYTES:
        raise MalformedPeerData("a session id that is too long")
    choice = _HEAD.size + session_id_bytes
    behind = choice + _CHOICE.size
    if len(body) < behind:
        raise MalformedPeerData(RUNS_OVER)
    session_id = body[_HEAD.size : choice]
    cipher_suite, compression = _CHOICE.unpack_from(body, choice)
    extensions = _extensions(body[behind:]) if len(body) > behind else {}
    version, group = legacy_version, None
    if kinds.SUPPORTED_VERSIONS in extensions:
        chosen = Cursor(extensions[kinds.SUPPORTED_VERSIONS])
        version = chosen.number(2)
        chosen.end()
        # RFC 8446 section 4.2.1: older versions are agreed on without it, and it is agreed on in the guise of TLS 1.2.
        if version < Version.TLS_1_3 or legacy_version != Version.TLS_1_2:
            raise MalformedPeerData("an old version that is chosen as a new one")
    elif retry or legacy_version >= Version.TLS_1_3:
        raise MalformedPeerData("a new version that is chosen as an old one")
    if kinds.KEY_SHARE in extensions:
        group = Cursor(extensions[kinds.KEY_SHARE]).number(2)
    ill_formed = [kind for kind, content in extensions.items() if content != _CONTENTS.get(kind, content)]
    alpn, fragment = None, None
    if kinds.ALPN in extensions:
        alpn = _protocol(extensions[kinds.ALPN])
        if alpn is None:
            ill_formed.append(kinds.ALPN)
    if kinds.MAX_FRAGMENT_LENGTH in extensions:
        content = extensions[kinds.MAX_FRAGMENT_LENGTH]
        if content in _FRAGMENTS:
            fragment = content[0]
        else:
            ill_formed.append(kinds.MAX_FRAGMENT_LENGTH)
    return ServerHello(
        version,
        cipher_suite,
        compression,
        session_id,
        retry,
        group,
        extensions=tuple(extensions),
        ill_formed=tuple(ill_formed),
        alpn=alpn,
        max_fragment=fragment,
    )


def _extensions(block: bytes) -> dict[int, bytes]:
    """The contents by type of a block that is all that is left of a message, its length included."""
    found: dict[int, bytes] = {}
    at, end = 2, len(block)
    if end - at != int.from_bytes(block[:at], "big"):
        raise MalformedPeerData("extensions of another length than theirs")
    while at < end:
        start = at + _EXTENSION.size
        if start > end:
            raise MalformedPeerData(RUNS_OVER)
        kind, length = _EXTENSION.unpack_from(block, at)
        at = start + length
        if at > end:
            raise MalformedPeerData(RUNS_OVER)
        if kind in found:  # RFC 8446 section 4.2
            raise MalformedPeerData("an extension that comes twice")
        if len(found) == _MOST_EXTENSIONS:
            raise MalformedPeerData("extensions without end")
        found[kind] = block[start:at]
    return found


def _protocol(content: bytes) -> str | None:
    """The one protocol of an answer (RFC 7301 section 3.1); None where it is not just one."""
    if len(content) < 4 or int.from_bytes(content[:2], "big") != len(content) - 2 or content[2] != len(content) - 3:
        return None
    return content[3:].decode("ascii", "backslashreplace")
