"""The handshake messages of a server's first flight, bounded, put together from the fragments that records carry.

It knows their order (RFC 8446 section 4, RFC 5246 section 7.3, RFC 6101 section 5.6) and has each read by its module.
It verifies nothing and decrypts nothing; what is of no use is passed over by its length. Bytes that obey no standard
raise MalformedPeerData, which the reader of records turns into a value.
"""

from __future__ import annotations

from checker.codecs.tls_certificates import (
    MOST_CERTIFICATES,
    CertificateRequest,
    read_certificate_request,
    read_certificates,
)
from checker.codecs.tls_key_exchange import KeyExchange, read_key_exchange
from checker.codecs.tls_offers import Version
from checker.codecs.tls_server_hello import ServerHello, read_server_hello
from checker.errors import MalformedPeerData

__all__ = [
    "MAX_CERTIFICATES",
    "MAX_KEY_EXCHANGE",
    "MAX_MESSAGE",
    "MAX_SERVER_HELLO",
    "MOST_CERTIFICATES",
    "MessageReader",
    "ServerHello",
    "read_certificates",
    "read_server_hello",
]

MAX_SERVER_HELLO = 16 * 1024
"""The longest ServerHello that is read, in bytes; the usual ones have about a hundred."""

MAX_CERTIFICATES = 64 * 1024
"""The longest list of certificates that is read, and the longest request for one, in bytes; of a longer one nothing is
kept but that it came."""

MAX_KEY_EXCHANGE = 16 * 1024
"""The longest ServerKeyExchange that is read, in bytes; one with a prime of 8192 bits has about 4,000."""

MAX_MESSAGE = 256 * 1024
"""The longest message that is passed over, in bytes, such as a request that names many authorities."""

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
_AFTER = {kind: _BEHIND_SERVER_HELLO[i + 1 :] for i, kind in enumerate(_BEHIND_SERVER_HELLO)}
_LIMITS = {
    _CERTIFICATE: MAX_CERTIFICATES,
    _CERTIFICATE_STATUS: 0,  # nothing of it is kept
    _SERVER_KEY_EXCHANGE: MAX_KEY_EXCHANGE,
    _CERTIFICATE_REQUEST: MAX_CERTIFICATES,
}
_SHORTEST_STATUS = 5  # RFC 6066 section 8: the type of a response, and its length; an empty one staples nothing
_MOST_HELLO_REQUESTS = 4
_UNREAD = "a message that is empty or too long to be read"


class MessageReader:
    """Fragments of handshake records in, messages out, as attributes.

    `certificates` are in DER, leaf first. `certificate_requested` is None as long as the flight does not show it, and
    where the server proves nothing about itself, for then it may not ask (RFC 5246 section 7.4.4); `request` is what it
    asks for. `key_exchange` is what its ServerKeyExchange shows, where the suite has one. `stapled`: whether it sent
    the status of its certificate along, None as long as the flight does not show it. `done`: the server waits for us
    now, or goes on where we cannot read.
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
        "key_exchange",
        "request",
        "server_hello",
        "stapled",
    )

    def __init__(self) -> None:
        self.server_hello: ServerHello | None = None
        self.certificates: tuple[bytes, ...] = ()
        self.certificate_requested: bool | None = None
        self.request: CertificateRequest | None = None
        self.key_exchange: KeyExchange | None = None
        self.stapled: bool | None = None
        self.done = False
        self._held = bytearray()  # of the message that is being read: its header, or its body
        self._type = 0  # of the message whose body is being read
        self._body = 0  # the length of that body; 0: a header is next
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
        if self._held:
            self._held += fragment
            if len(self._held) < self._body:
                return
            fragment = bytes(self._held)
            self._held.clear()
        at, end = 0, len(fragment)
        while at < end and not self.done:
            if self._skip:
                passed = min(self._skip, end - at)
                self._skip -= passed
                at += passed
            elif self._body:
                stop = at + self._body
                if stop > end:
                    break
                self._body = 0
                self._on_body(fragment[at:stop])
                at = stop
            elif end - at < _HEADER:
                break
            else:
                self._on_header(fragment[at], int.from_bytes(fragment[at + 1 : at + _HEADER], "big"))
                at += _HEADER
        if not self.done:
            self._held += fragment[at:]

    def _on_body(self, whole: bytes) -> None:
        kind = self._type
        if self.server_hello is None:
            self.server_hello = read_server_hello(whole)
            self._follows = _BEHIND_SERVER_HELLO
            # What follows under TLS 1.3 is encrypted, and of a version that we do not know, not known to us.
            self.done = not Version.SSL_3 <= self.server_hello.version <= Version.TLS_1_2
        elif kind == _CERTIFICATE:
            self.certificates = read_certificates(whole)
        elif kind == _SERVER_KEY_EXCHANGE:
            chosen = self.server_hello
            self.key_exchange = read_key_exchange(whole, chosen.version, chosen.cipher_suite)
        else:
            self.request = read_certificate_request(whole, self.server_hello.version)

    def _on_header(self, kind: int, length: int) -> None:
        if kind not in self._follows:
            self._on_misplaced(kind, length)
            return
        if length > MAX_MESSAGE:
            raise MalformedPeerData("a handshake message longer than any")
        if kind == _SERVER_HELLO:
            if not 0 < length <= MAX_SERVER_HELLO:
                raise MalformedPeerData("a ServerHello of an impossible length")
            self._type, self._body = kind, length
            return
        self._follows = _AFTER[kind]
        if kind == _SERVER_HELLO_DONE:
            self._on_done(length)
            return
        if kind == _CERTIFICATE:
            self._proves_itself = True
        elif kind == _CERTIFICATE_REQUEST:
            self.certificate_requested = True
        elif kind == _CERTIFICATE_STATUS:
            self.stapled = length >= _SHORTEST_STATUS
        if 0 < length <= _LIMITS[kind]:
            self._type, self._body = kind, length
        else:
            self._skip = length
            self._on_skipped(kind)

    def _on_misplaced(self, kind: int, length: int) -> None:
        if kind != _HELLO_REQUEST or length or self._hello_requests == _MOST_HELLO_REQUESTS:
            raise MalformedPeerData("a handshake message out of its place")
        self._hello_requests += 1  # RFC 5246 section 7.4.1.1: to be passed over while a handshake is going on

    def _on_skipped(self, kind: int) -> None:
        """Of a message that is empty or too long it is known that it came."""
        if kind == _SERVER_KEY_EXCHANGE:
            self.key_exchange = KeyExchange(None, unreadable=_UNREAD)
        elif kind == _CERTIFICATE_REQUEST:
            self.request = CertificateRequest(unreadable=_UNREAD)

    def _on_done(self, length: int) -> None:
        if length:
            raise MalformedPeerData("a ServerHelloDone that is not empty")
        if self._proves_itself:
            self.certificate_requested = bool(self.certificate_requested)
            self.stapled = bool(self.stapled)
        self.done = True
