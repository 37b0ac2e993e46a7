"""The handshake messages of a server's first flight, bounded, put together from the fragments that records carry.

It knows ServerHello and HelloRetryRequest, the list of certificates and the request for one of ours (RFC 8446 section
4, RFC 5246 section 7.4, RFC 6101 section 5.6). It verifies nothing and decrypts nothing; what is of no use is passed
over by its length. Bytes that obey no standard raise MalformedPeerData, which the reader of records turns into a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checker.codecs.tls_hello import RANDOM_BYTES, Version
from checker.errors import MalformedPeerData

MAX_SERVER_HELLO = 16 * 1024
"""The longest ServerHello that is read, in bytes; the usual ones have about a hundred."""

MAX_CERTIFICATES = 64 * 1024
"""The longest list of certificates that is read, in bytes; of a longer one nothing is kept."""

MAX_MESSAGE = 256 * 1024
"""The longest message that is passed over, in bytes, such as a request that names many authorities."""

MOST_CERTIFICATES = 16
"""How many certificates of a list are kept."""

_HEADER = 4  # RFC 8446 section 4: type and length
_HELLO_REQUEST, _SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE = 0, 2, 11, 12
_CERTIFICATE_REQUEST, _SERVER_HELLO_DONE, _CERTIFICATE_STATUS = 13, 14, 22
# RFC 5246 section 7.3 and RFC 6066 section 8: what follows a ServerHello, each at most once and in this order.
_BEHIND_SERVER_HELLO = (
    _CERTIFICATE,
    _CERTIFICATE_STATUS,
    _SERVER_KEY_EXCHANGE,
    _CERTIFICATE_REQUEST,
    _SERVER_HELLO_DONE,
)
_MOST_HELLO_REQUESTS = 4
_SUPPORTED_VERSIONS, _KEY_SHARE = 43, 51
# RFC 8446 section 4.1.3: the random that makes a ServerHello a HelloRetryRequest.
_RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What a server chose. `version` is the one that counts, as on the wire, whether we know it or not.

    `retry`: it is a HelloRetryRequest. `group` is the one that its key share names (RFC 8446 section 4.2.8).
    """

    version: int
    cipher_suite: int
    compression: int
    session_id: bytes
    retry: bool = False
    group: int | None = None


class MessageReader:
    """Fragments of handshake records in, messages out, as attributes.

    `certificates` are in DER, leaf first. `certificate_requested` is None as long as the flight does not show it, and
    where the server proves nothing about itself, for then it may not ask (RFC 5246 section 7.4.4). `done`: the server
    waits for us now, or goes on where we cannot read.
    """

    __slots__ = (
        "_body",
        "_follows",
        "_held",
        "_hello_requests",
        "_proves_itself",
        "_skip",
        "_type",
        "certificate_requested",
        "certificates",
        "done",
        "server_hello",
    )

    def __init__(self) -> None:
        self.server_hello: ServerHello | None = None
        self.certificates: tuple[bytes, ...] = ()
        self.certificate_requested: bool | None = None
        self.done = False
        self._held = bytearray()  # of the message that is being read: its header, then its body
        self._type: int | None = None  # of the message whose body is being read
        self._body = 0  # the length of that body
        self._skip = 0  # how much of a message is still to be passed over
        self._follows: tuple[int, ...] = (_SERVER_HELLO,)
        self._hello_requests = 0
        self._proves_itself = False

    @property
    def buffered(self) -> int:
        """How many bytes are held for a message that is not whole yet."""
        return len(self._held)

    def feed(self, fragment: bytes) -> None:
        """Take a fragment; what follows the end of the flight is dropped. Raises MalformedPeerData."""
        view = memoryview(fragment)
        while view and not self.done:
            if self._skip:
                passed = min(self._skip, len(view))
                self._skip -= passed
                view = view[passed:]
                continue
            want = _HEADER if self._type is None else self._body
            missing = want - len(self._held)
            self._held += view[:missing]
            view = view[missing:]
            if len(self._held) == want:
                whole = bytes(self._held)
                self._held.clear()
                self._take(whole)

    def _take(self, whole: bytes) -> None:
        if self._type is None:
            self._on_header(whole[0], int.from_bytes(whole[1:], "big"))
            return
        kind, self._type = self._type, None
        if kind == _SERVER_HELLO:
            self.server_hello = read_server_hello(whole)
            self._follows = _BEHIND_SERVER_HELLO
            # What follows under TLS 1.3 is encrypted, and of a version that we do not know, not known to us.
            self.done = not Version.SSL_3 <= self.server_hello.version <= Version.TLS_1_2
        else:
            self.certificates = read_certificates(whole)

    def _on_header(self, kind: int, length: int) -> None:
        if kind == _HELLO_REQUEST and self._hello_requests < _MOST_HELLO_REQUESTS and not length:
            self._hello_requests += 1  # RFC 5246 section 7.4.1.1: to be passed over while a handshake is going on
            return
        if kind not in self._follows:
            raise MalformedPeerData("a handshake message out of its place")
        if length > MAX_MESSAGE:
            raise MalformedPeerData("a handshake message longer than any")
        if kind == _SERVER_HELLO:
            if not 0 < length <= MAX_SERVER_HELLO:
                raise MalformedPeerData("a ServerHello of an impossible length")
            self._type, self._body = kind, length
            return
        self._follows = _BEHIND_SERVER_HELLO[_BEHIND_SERVER_HELLO.index(kind) + 1 :]
        if kind == _CERTIFICATE:
            self._proves_itself = True
            if 0 < length <= MAX_CERTIFICATES:
                self._type, self._body = kind, length
                return
        self._skip = length
        if kind == _CERTIFICATE_REQUEST:
            self.certificate_requested = True
        elif kind == _SERVER_HELLO_DONE:
            if length:
                raise MalformedPeerData("a ServerHelloDone that is not empty")
            if self._proves_itself and self.certificate_requested is None:
                self.certificate_requested = False
            self.done = True


def read_server_hello(body: bytes) -> ServerHello:
    """The body of a ServerHello or HelloRetryRequest (RFC 8446 section 4.1.3). Raises MalformedPeerData."""
    cursor = _Cursor(body)
    legacy_version = cursor.number(2)
    retry = cursor.take(RANDOM_BYTES) == _RETRY
    session_id = cursor.vector(1)
    if len(session_id) > RANDOM_BYTES:
        raise MalformedPeerData("a session id that is too long")
    cipher_suite = cursor.number(2)
    compression = cursor.number(1)
    extensions = dict(_extensions(cursor.vector(2))) if cursor.left else {}
    cursor.end()
    version, group = legacy_version, None
    if _SUPPORTED_VERSIONS in extensions:
        chosen = _Cursor(extensions[_SUPPORTED_VERSIONS])
        version = chosen.number(2)
        chosen.end()
        # RFC 8446 section 4.2.1: older versions are agreed on without it, and it is agreed on in the guise of TLS 1.2.
        if version < Version.TLS_1_3 or legacy_version != Version.TLS_1_2:
            raise MalformedPeerData("an old version that is chosen as a new one")
    elif retry or legacy_version >= Version.TLS_1_3:
        raise MalformedPeerData("a new version that is chosen as an old one")
    if _KEY_SHARE in extensions:
        group = _Cursor(extensions[_KEY_SHARE]).number(2)
    return ServerHello(version, cipher_suite, compression, session_id, retry, group)


def read_certificates(body: bytes) -> tuple[bytes, ...]:
    """The first certificates, in DER, of a Certificate message of TLS 1.2 or older (RFC 5246 section 7.4.2).

    Raises MalformedPeerData where the lengths do not fit; what is inside the certificates is not looked at.
    """
    cursor = _Cursor(body)
    entries = _Cursor(cursor.vector(3))
    cursor.end()
    found: list[bytes] = []
    while entries.left:
        certificate = entries.vector(3)
        if not certificate:
            raise MalformedPeerData("an empty certificate")
        if len(found) < MOST_CERTIFICATES:
            found.append(certificate)
    return tuple(found)


def _extensions(block: bytes) -> Iterator[tuple[int, bytes]]:
    cursor = _Cursor(block)
    seen: set[int] = set()
    while cursor.left:
        kind = cursor.number(2)
        if kind in seen:  # RFC 8446 section 4.2
            raise MalformedPeerData("an extension that comes twice")
        seen.add(kind)
        yield kind, cursor.vector(2)


class _Cursor:
    """Reads numbers and vectors of RFC 8446 section 3 out of bytes that are there as a whole."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise MalformedPeerData("a field that runs over its end")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def vector(self, prefix: int) -> bytes:
        return self.take(self.number(prefix))

    def end(self) -> None:
        if self.left:
            raise MalformedPeerData("bytes behind the last field")
