"""SSLv2 (draft-hickman-netscape-ssl-00): a CLIENT-HELLO, and a bounded, incremental reader of what answers it.

One exchange shows all that there is to know, for a SERVER-HELLO lists every cipher that client and server share. It is
left there: no key is ever sent. Whatever a peer sends ends in a value, never in an exception.

Servers that do not speak SSLv2 answer with an alert of TLS, with another protocol, or not at all. A record of SSLv2
has the highest bit of its first byte set, which no record of TLS, no DICOM PDU and no HTTP response has; so an answer
of any other kind is read by `checker.codecs.tls.FlightReader`. (SSLv2 has records without that bit, for padding; but
a message in clear has none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.catalog.ssl2_ciphers import SSL2_CIPHERS
from checker.codecs.tls import Flight, FlightReader
from checker.codecs.tls_cursor import Cursor
from checker.errors import MalformedPeerData

CHALLENGE_BYTES = 16
"""How many random bytes a CLIENT-HELLO takes (section 2.5: 16 to 32)."""

MAX_RECORD = (1 << 15) - 1
"""The longest record, in bytes (section 1.2)."""

_VERSION = 0x0002
_ERROR, _CLIENT_HELLO, _SERVER_HELLO = 0, 1, 4
_HEADER_BIT = 0x80
_HEADER = 2
_X509 = 1
_CIPHER_BYTES = 3
_CONNECTION_ID_BYTES = range(16, 33)


@dataclass(frozen=True, slots=True)
class Ssl2Answer:
    """What came back. `complete`: nothing more can be learnt from what follows.

    `server_hello`: a SERVER-HELLO of SSLv2 came. `ciphers` are the code points that it lists, which may be none, for
    there are servers with SSLv2 on and all its ciphers off; `checker.catalog.ssl2_ciphers` names them. `certificate` is
    in DER. `error` is the code of an ERROR of SSLv2: 1 no cipher in common, 2 no certificate, 4 bad certificate,
    6 unsupported certificate type. `flight` is what an answer of another kind is read as. `begun`: a record of SSLv2 is
    not whole yet, and if nothing more comes it stays unknown what it was.
    """

    server_hello: bool = False
    ciphers: tuple[int, ...] = ()
    certificate: bytes | None = None
    error: int | None = None
    flight: Flight | None = None
    malformed: str | None = None
    begun: bool = False
    complete: bool = False


def ssl2_hello(challenge: bytes) -> bytes:
    """A CLIENT-HELLO that offers every cipher of SSLv2 (section 2.5). Raises ValueError for another length."""
    if len(challenge) != CHALLENGE_BYTES:
        message = f"the challenge of a hello has {CHALLENGE_BYTES} bytes"
        raise ValueError(message)
    ciphers = b"".join(code.to_bytes(_CIPHER_BYTES, "big") for code in SSL2_CIPHERS)
    lengths = (len(ciphers), 0, len(challenge))  # in the middle: no session to resume
    body = b"".join(
        (
            bytes((_CLIENT_HELLO,)),
            _VERSION.to_bytes(2, "big"),
            *(length.to_bytes(2, "big") for length in lengths),
            ciphers,
            challenge,
        )
    )
    return (len(body) | _HEADER_BIT << 8).to_bytes(2, "big") + body


class Ssl2Reader:
    """Bytes of a server in, its answer out, the same however the bytes are cut. At most one record is held."""

    __slots__ = ("_answer", "_held", "_other")

    def __init__(self) -> None:
        self._held = bytearray()
        self._answer = Ssl2Answer()
        self._other: FlightReader | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing more can be learnt from what follows."""
        return self._other.complete if self._other is not None else self._answer.complete

    @property
    def buffered(self) -> int:
        """How many bytes are held for a record that is not whole yet."""
        return self._other.buffered if self._other is not None else len(self._held)

    @property
    def answer(self) -> Ssl2Answer:
        """All that is known by now."""
        if self._other is None:
            return Ssl2Answer(begun=True) if self._held else self._answer
        flight = self._other.flight
        return Ssl2Answer(flight=flight, malformed=flight.malformed, complete=flight.complete)

    def feed(self, data: bytes) -> None:
        """Take what a peer sent; what follows the end of the answer is dropped."""
        if not data or self.complete:
            return
        if self._other is None and not self._held and not data[0] & _HEADER_BIT:
            self._other = FlightReader()
        if self._other is not None:
            self._other.feed(data)
            return
        self._held += data[: _HEADER + MAX_RECORD - len(self._held)]
        try:
            found = self._read()
        except MalformedPeerData as fault:
            found = Ssl2Answer(malformed=str(fault), complete=True)
        if found is not None:
            self._answer = found
            self._held.clear()

    def _read(self) -> Ssl2Answer | None:
        """The first message, which is the last that is read; None while it is not whole."""
        if len(self._held) < _HEADER:
            return None
        end = _HEADER + (int.from_bytes(self._held[:_HEADER], "big") & MAX_RECORD)
        if end == _HEADER:
            raise MalformedPeerData("an empty record")
        if len(self._held) > _HEADER and self._held[_HEADER] not in (_ERROR, _SERVER_HELLO):
            raise MalformedPeerData("a message that is no answer to a hello of SSLv2")
        if len(self._held) < end:
            return None
        return _read(Cursor(bytes(self._held[_HEADER:end])))


def _read(cursor: Cursor) -> Ssl2Answer:
    kind = cursor.number(1)
    if kind == _ERROR:  # section 2.3
        error = cursor.number(2)
        cursor.end()
        return Ssl2Answer(error=error, complete=True)
    resumed, certificate_type = cursor.number(1), cursor.number(1)  # section 2.6
    version = cursor.number(2)
    certificate_bytes, cipher_bytes, connection_id_bytes = cursor.number(2), cursor.number(2), cursor.number(2)
    certificate = cursor.take(certificate_bytes)
    ciphers = cursor.take(cipher_bytes)
    cursor.take(connection_id_bytes)
    cursor.end()
    if resumed or version != _VERSION:
        raise MalformedPeerData("a SERVER-HELLO of another session or version")
    if cipher_bytes % _CIPHER_BYTES or connection_id_bytes not in _CONNECTION_ID_BYTES:
        raise MalformedPeerData("a SERVER-HELLO of impossible lengths")
    return Ssl2Answer(
        server_hello=True,
        ciphers=tuple(int.from_bytes(ciphers[i : i + 3], "big") for i in range(0, cipher_bytes, _CIPHER_BYTES)),
        certificate=certificate if certificate and certificate_type == _X509 else None,
        complete=True,
    )
