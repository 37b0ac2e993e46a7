"""ServerKeyExchange: groups, sizes and signatures, of what independent implementations write, and of what is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.cipher_suites import cipher_suites
from checker.catalog.primes import PRIMES, known_prime
from checker.codecs.tls_key_exchange import KeyExchange, read_key_exchange
from tests.codecs import tls_oracle

ECDHE_RSA, ECDHE_ANON, DHE_RSA, DHE_DSS, DHE_ANON = 0xC02F, 0xC018, 0x0033, 0x0032, 0x0034
RSA, RSA_EXPORT, RSA_EXPORT_1024, SRP, SRP_RSA = 0x002F, 0x0003, 0x0062, 0xC01D, 0xC01E
PSK, RSA_PSK, DHE_PSK, ECDHE_PSK = 0x008C, 0x0094, 0x0090, 0xC035
VERSIONS = [0x0300, 0x0301, 0x0302, 0x0303]
SIGNATURE = bytes.fromhex("0804 0002 aaaa")
POINT = "01 04"

versions = st.sampled_from(VERSIONS)


def vector(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def dhe(prime: bytes) -> bytes:
    return vector(prime) + vector(b"\2") + vector(b"\3")


# ------------------------------------------------------------------------------------------------------ two opinions


@given(
    version=versions, curve=st.integers(1, 0xFFFF), scheme=st.integers(0x0101, 0xFEFE).filter(lambda code: code & 0xFF)
)
def test_a_named_curve_of_an_independent_implementation_is_read(version: int, curve: int, scheme: int) -> None:
    body = tls_oracle.key_exchange(ECDHE_RSA, version, curve=curve, scheme=scheme)
    signature = scheme if version == 0x0303 else None
    assert read_key_exchange(body, version, ECDHE_RSA) == KeyExchange("ECDHE", curve, signature=signature)


@given(version=versions, prime=st.integers(1 << 255, 1 << 1100), suite=st.sampled_from([DHE_RSA, DHE_DSS, DHE_ANON]))
def test_the_size_of_a_prime_of_an_independent_implementation_is_read(version: int, prime: int, suite: int) -> None:
    body = tls_oracle.key_exchange(suite, version, prime=prime, scheme=0x0401)
    signature = 0x0401 if version == 0x0303 and suite != DHE_ANON else None
    found = read_key_exchange(body, version, suite)
    assert found == KeyExchange("DHE", bits=prime.bit_length(), signature=signature)


@pytest.mark.parametrize("suite", [SRP, SRP_RSA])
def test_the_size_of_the_prime_of_srp_is_read(suite: int) -> None:
    prime = tls_oracle.PRIMES["RFC3526_GROUP14"]
    body = tls_oracle.key_exchange(suite, 0x0302, prime=prime)
    assert read_key_exchange(body, 0x0302, suite) == KeyExchange("SRP", bits=2048)


@pytest.mark.parametrize("name", tls_oracle.PRIMES)
def test_well_known_primes_are_known(name: str) -> None:
    prime = tls_oracle.PRIMES[name]
    known = known_prime(prime.to_bytes(1100, "big"))
    assert known is not None
    assert known.name.upper().replace(" GROUP ", "_GROUP").replace("RFC ", "RFC") == name
    assert known.bits == prime.bit_length()
    if known.group is not None:
        assert known.group == tls_oracle.GROUP_NAMES[known.name]
    body = tls_oracle.key_exchange(DHE_RSA, 0x0301, prime=prime)
    found = read_key_exchange(body, 0x0301, DHE_RSA)
    assert found == KeyExchange("DHE", known.group, bits=known.bits, prime=known.name)


def test_every_known_prime_was_compared_and_no_other_number_is_known() -> None:
    assert len(PRIMES) == len(tls_oracle.PRIMES)
    assert known_prime(b"\1") is None
    assert known_prime((tls_oracle.PRIMES["FFDHE2048"] + 2).to_bytes(256, "big")) is None


# -------------------------------------------------------------------------------------------------- by the standards


@pytest.mark.parametrize("suite", [RSA_EXPORT, RSA_EXPORT_1024])
@pytest.mark.parametrize("bits", [512, 1024])
def test_the_temporary_key_of_an_export_suite_is_measured(suite: int, bits: int) -> None:
    body = vector(b"\x80" + bytes(bits // 8 - 1)) + vector(b"\1\0\1") + vector(b"signature")
    assert read_key_exchange(body, 0x0300, suite) == KeyExchange("RSA", bits=bits)


@pytest.mark.parametrize(
    ("suite", "body", "expected"),
    [
        (PSK, "0004 68696e74", KeyExchange("PSK")),
        (PSK, "0000", KeyExchange("PSK")),
        (RSA_PSK, "0000", KeyExchange("RSA")),
        (DHE_PSK, "0000 0002 ffff 0001 02 0001 03", KeyExchange("DHE", bits=16)),
        (ECDHE_PSK, "0001 41 03 001d 01 04", KeyExchange("ECDHE", 0x001D)),
        (ECDHE_ANON, "03 0017 01 04", KeyExchange("ECDHE", 0x0017)),
    ],
)
def test_exchanges_that_nobody_signs_are_read(suite: int, body: str, expected: KeyExchange) -> None:
    assert read_key_exchange(bytes.fromhex(body), 0x0303, suite) == expected
    assert "68696e74" not in repr(expected)


EXPLICIT_PRIME = "01 03 01ffff" + "0101" * 5 + POINT
EXPLICIT_TRINOMIAL = "02 00a3 01 0107" + "0101" * 5 + POINT
EXPLICIT_PENTANOMIAL = "02 011b 02 0105 0107 010c" + "0101" * 5 + POINT


@pytest.mark.parametrize(
    ("body", "bits"), [(EXPLICIT_PRIME, 17), (EXPLICIT_TRINOMIAL, 163), (EXPLICIT_PENTANOMIAL, 283)]
)
def test_a_curve_that_is_spelled_out_is_explicit(body: str, bits: int) -> None:
    expected = KeyExchange("ECDHE", explicit=True, bits=bits, signature=0x0804)
    assert read_key_exchange(bytes.fromhex(body) + SIGNATURE, 0x0303, ECDHE_RSA) == expected


def test_a_prime_with_zeros_in_front_is_no_longer_for_them() -> None:
    assert read_key_exchange(dhe(bytes(100) + b"\1" + bytes(95)) + vector(b"s"), 0x0301, DHE_RSA).bits == 761


# -------------------------------------------------------------------------------------------------------- what is not

UNREADABLE = {
    "nothing": (ECDHE_RSA, ""),
    "a curve of no kind": (ECDHE_RSA, "00 0017 01 04 0804 0001 aa"),
    "a curve cut short": (ECDHE_RSA, "03 00"),
    "no point": (ECDHE_RSA, "03 0017 00 0804 0001 aa"),
    "no signature": (ECDHE_RSA, "03 0017 01 04"),
    "an empty signature": (ECDHE_RSA, "03 0017 01 04 0804 0000"),
    "bytes behind": (ECDHE_RSA, "03 0017 01 04 0804 0001 aa 00"),
    "a signature that nobody makes": (ECDHE_ANON, "03 0017 01 04 0804 0001 aa"),
    "a field of no kind": (ECDHE_RSA, "02 00a3 03 0107" + "0101" * 5 + POINT + "0804 0001 aa"),
    "a field of no size": (ECDHE_RSA, "02 0000 01 0107" + "0101" * 5 + POINT + "0804 0001 aa"),
    "an empty prime": (DHE_RSA, "0000 0001 02 0001 03 0804 0001 aa"),
    "a prime of zero": (DHE_RSA, "0002 0000 0001 02 0001 03 0804 0001 aa"),
    "a prime cut short": (DHE_RSA, "0100 ff"),
    "a suite that has no such message": (RSA, "03 0017 01 04 0804 0001 aa"),
    "a fixed key": (0xC031, "03 0017 01 04 0804 0001 aa"),
    "TLS 1.3": (0x1301, "03 0017 01 04 0804 0001 aa"),
    "a suite that is not known": (0xEEEE, "03 0017 01 04 0804 0001 aa"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_obeys_no_standard_is_unreadable_and_shows_nothing(name: str) -> None:
    suite, body = UNREADABLE[name]
    found = read_key_exchange(bytes.fromhex(body), 0x0303, suite)
    assert found.unreadable
    assert found == KeyExchange(found.kind, unreadable=found.unreadable)
    known = cipher_suites().get(suite)
    assert found.kind == (known.key_exchange if known is not None else None)


@given(
    version=versions,
    suite=st.sampled_from(sorted(cipher_suites())) | st.integers(0, 0xFFFF),
    body=st.binary(max_size=90),
)
def test_no_bytes_raise(version: int, suite: int, body: bytes) -> None:
    found = read_key_exchange(body, version, suite)
    assert found.bits is None or found.bits > 0
    assert found.unreadable is None or (found.group, found.bits, found.signature) == (None, None, None)
