"""What holds for any bytes that a peer may send to the TLS codec: it reads them to values, in bounds, in any cut.

The first byte of an input says how the others are meant, so that a mutation of a message's body is not lost to a length
in front of it. Nothing here needs the fuzzer: the corpus is replayed by the ordinary tests.
"""

from __future__ import annotations

from collections.abc import Callable

from checker.codecs.ssl2 import MAX_RECORD as MAX_SSL2_RECORD
from checker.codecs.ssl2 import Ssl2Answer, Ssl2Reader
from checker.codecs.tls import MAX_RECORD, Flight, FlightReader
from checker.codecs.tls_certificates import (
    MOST_CERTIFICATES,
    MOST_SCHEMES,
    read_certificate_request,
    read_certificates,
)
from checker.codecs.tls_choice import fits, read_choice
from checker.codecs.tls_hello import Extras, Version, client_hello
from checker.codecs.tls_key_exchange import KeyExchange, read_key_exchange
from checker.codecs.tls_messages import MAX_CERTIFICATES
from checker.codecs.tls_server_hello import ServerHello, read_server_hello
from checker.codecs.tls_versions import read_answer, verdicts
from checker.errors import MalformedPeerData
from checker.model import Acceptance, End

MODES = 6
LONGEST = 8192
"""How much of an input is looked at, in bytes."""

_HELLOS = tuple(
    client_hello(version, random=bytes(32), session_id=bytes(range(32, 64)), extras=Extras(deflate=deflate))
    for version in Version
    for deflate in (False, True)
    if not (deflate and version is Version.TLS_1_3)
)


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever the codec raises, where it is at fault."""
    if not data:
        return
    _MODES[data[0] % MODES](data[1:LONGEST])


def _stream(data: bytes) -> None:
    flight = _flight([data])
    assert _flight([data[i : i + 1] for i in range(len(data))]) == flight
    cut = data[0] % (len(data) + 1) if data else 0
    assert _flight([data[:cut], data[cut:]]) == flight
    _hold(flight)


def _messages(data: bytes) -> None:
    """Handshake messages, in records of as many bytes as the first byte says."""
    size = data[0] * 16 + 1 if data else 1
    pieces = [data[i : i + size] for i in range(1, len(data), size)]
    flight = _flight([b"\x16\x03\x03" + len(piece).to_bytes(2, "big") + piece for piece in pieces])
    whole = _flight([b"\x16\x03\x03" + (len(data) - 1).to_bytes(2, "big") + data[1:]]) if len(data) > 1 else Flight()
    assert whole == flight
    _hold(flight)


def _flight(pieces: list[bytes]) -> Flight:
    reader = FlightReader()
    for piece in pieces:
        reader.feed(piece)
        assert reader.buffered <= MAX_RECORD + MAX_CERTIFICATES
    flight = reader.flight
    assert reader.complete == flight.complete
    return flight


def _hold(flight: Flight) -> None:
    assert flight.complete or flight.malformed is None
    assert flight.complete or flight.speaks is None
    assert flight.complete or flight.alert is None
    assert len(flight.certificates) <= MOST_CERTIFICATES
    assert flight.certificates == () or flight.server_hello is not None
    if flight.server_hello is not None:
        _hold_hello(flight.server_hello)
    if flight.key_exchange is not None:
        _hold_key_exchange(flight.key_exchange)
    if flight.request is not None:
        assert flight.certificate_requested
    for hello in _HELLOS:
        for end in (None, End.CLOSED):
            choice = read_choice(hello, flight, end)
            if choice.acceptance is Acceptance.ACCEPTED:
                assert choice.version in hello.versions
                assert choice.suite in hello.suites
                assert choice.version is not None
                assert choice.suite is not None
                assert fits(choice.version, choice.suite)
            else:
                assert choice.reason
            assert choice.acceptance is not Acceptance.REFUSED or choice.alert is not None
            judged = verdicts(read_answer(hello, flight, end), "not asked")
            assert {version.label for version in Version} <= {facts.version for facts in judged}


def _server_hello(body: bytes) -> None:
    try:
        _hold_hello(read_server_hello(body))
    except MalformedPeerData:
        return


def _hold_hello(hello: ServerHello) -> None:
    assert set(hello.ill_formed) <= set(hello.extensions)
    assert len(hello.session_id) <= 32
    assert hello.alpn is None or hello.alpn.isascii()
    assert hello.max_fragment in (None, 1, 2, 3, 4)
    assert (hello.secure_renegotiation is None) == (0xFF01 in hello.ill_formed)


def _key_exchange(data: bytes) -> None:
    if len(data) < 3:
        return
    version = 0x0300 + data[0] % 5
    _hold_key_exchange(read_key_exchange(data[3:], version, int.from_bytes(data[1:3], "big")))


def _hold_key_exchange(found: KeyExchange) -> None:
    shown = (found.group, found.bits, found.prime, found.signature)
    assert found.unreadable is None or shown == (None, None, None, None)
    assert found.bits is None or 0 < found.bits <= 8 * 0xFFFF
    assert found.group is None or 0 <= found.group <= 0xFFFF


def _certificates(data: bytes) -> None:
    request = read_certificate_request(data[1:], 0x0300 + data[0] % 5 if data else 0x0303)
    assert len(request.signatures) <= MOST_SCHEMES
    assert (request.unreadable is None) == (request.authorities is not None)
    try:
        found = read_certificates(data[1:])
    except MalformedPeerData:
        return
    assert all(found)
    assert len(found) <= MOST_CERTIFICATES


def _ssl2(data: bytes) -> None:
    answer = _ssl2_answer([data])
    assert _ssl2_answer([data[i : i + 1] for i in range(len(data))]) == answer
    assert answer.complete or answer.malformed is None
    assert not (answer.server_hello and (answer.error is not None or answer.flight is not None))
    if answer.flight is not None:
        _hold(answer.flight)


def _ssl2_answer(pieces: list[bytes]) -> Ssl2Answer:
    reader = Ssl2Reader()
    for piece in pieces:
        reader.feed(piece)
        assert reader.buffered <= MAX_SSL2_RECORD + 2 or reader.answer.flight is not None
    assert reader.complete == reader.answer.complete
    return reader.answer


_MODES: tuple[Callable[[bytes], None], ...] = (_stream, _messages, _server_hello, _key_exchange, _certificates, _ssl2)
assert len(_MODES) == MODES
