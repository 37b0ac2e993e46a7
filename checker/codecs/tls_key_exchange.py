"""ServerKeyExchange of SSLv3 to TLS 1.2: with what keys a server would agree on a secret. Never the keys themselves.

What the message holds depends on the suite (RFC 5246 section 7.4.3, RFC 8422 section 5.4, RFC 4279 section 2, RFC 5489
section 2, RFC 5054 section 2.5.3, and RFC 2246 section 7.4.3 for the keys of export suites). No signature is verified.
Bytes that obey no standard make a value that says so: what the ServerHello showed stays true.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.catalog.cipher_suites import CipherSuite, cipher_suite
from checker.catalog.primes import known_prime
from checker.codecs.tls_cursor import Cursor
from checker.codecs.tls_offers import Version
from checker.errors import MalformedPeerData

_EXPLICIT_PRIME, _EXPLICIT_CHAR2, _NAMED_CURVE = 1, 2, 3  # RFC 8422 section 5.4, RFC 4492 section 5.4
_BASES = {1: 1, 2: 3}  # RFC 4492 section 5.4: a trinomial has one exponent, a pentanomial three
_UNSIGNED = frozenset({"anon", "PSK", "SRP"})


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """What a ServerKeyExchange shows.

    `kind` is the suite's: ECDHE, DHE, RSA (a temporary key, of export suites alone), PSK, SRP. `group`: the IANA code
    point of the named curve, or of the finite field of RFC 7919 that the prime is of. `explicit`: the curve is spelled
    out and not named. `bits`: the size of the prime (DHE, SRP), of the temporary modulus (RSA) or of the field of an
    explicit curve; None for a named one. `prime`: the name of a well-known prime, such as `ffdhe2048` or
    `RFC 2409 group 2`; None for any other. `signature`: the signature scheme of a signed exchange under TLS 1.2.
    `unreadable`: why nothing but the kind is known.
    """

    kind: str | None
    group: int | None = None
    explicit: bool = False
    bits: int | None = None
    prime: str | None = None
    signature: int | None = None
    unreadable: str | None = None


def read_key_exchange(body: bytes, version: int, code: int) -> KeyExchange:
    """The body of a ServerKeyExchange under `version` and the suite `code`. Raises nothing."""
    suite = cipher_suite(code)
    if suite is None:
        return KeyExchange(None, unreadable="the suite is not known")
    try:
        return _read(Cursor(body), version, suite)
    except MalformedPeerData as fault:
        return KeyExchange(suite.key_exchange, unreadable=str(fault))


def _read(cursor: Cursor, version: int, suite: CipherSuite) -> KeyExchange:
    kind = suite.key_exchange
    if suite.authentication == "PSK":
        cursor.vector(2)  # the hint of an identity, which is nobody's business
    group: int | None = None
    bits: int | None = None
    prime: str | None = None
    explicit = False
    if kind == "ECDHE":
        group, bits = _curve(cursor)
        explicit = group is None
        cursor.filled(1)
    elif kind == "DHE":
        field = cursor.filled(2)
        bits = _size(field)
        known = known_prime(field)
        if known is not None:
            prime, group = known.name, known.group
        cursor.filled(2)
        cursor.filled(2)
    elif kind == "SRP":
        bits = _size(cursor.filled(2))
        cursor.filled(2)
        cursor.filled(1)
        cursor.filled(2)
    elif kind == "RSA" and suite.export:
        bits = _size(cursor.filled(2))
        cursor.filled(2)
    elif suite.authentication != "PSK":
        raise MalformedPeerData("a message that the suite does not have")
    signature: int | None = None
    if suite.authentication not in _UNSIGNED:
        if version >= Version.TLS_1_2:
            signature = cursor.number(2)
        cursor.filled(2)
    cursor.end()
    return KeyExchange(kind, group, explicit, bits, prime, signature)


def _curve(cursor: Cursor) -> tuple[int | None, int | None]:
    """The code point of a named curve, or None and the size of an explicit one's field, in bits."""
    kind = cursor.number(1)
    if kind == _NAMED_CURVE:
        return cursor.number(2), None
    if kind == _EXPLICIT_PRIME:
        bits = _size(cursor.filled(1))
    elif kind == _EXPLICIT_CHAR2:
        bits = cursor.number(2)
        basis = cursor.number(1)
        if not bits or basis not in _BASES:
            raise MalformedPeerData("a field of no kind")
        for _ in range(_BASES[basis]):
            cursor.filled(1)
    else:
        raise MalformedPeerData("a curve of no kind")
    for _ in range(5):  # the coefficients, the base, its order, and the cofactor
        cursor.filled(1)
    return None, bits


def _size(number: bytes) -> int:
    bits = int.from_bytes(number, "big").bit_length()
    if not bits:
        raise MalformedPeerData("a number that may not be zero")
    return bits
