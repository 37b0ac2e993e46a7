"""Pure: what is offered on purpose to a server that should want none of it, and what its answer proves.

One refusal of an offer proves all of it, whatever else a server accepts; so a handful of connections show what would
else take one for each suite. Which suites are of which kind follows from the catalogue:

- broken: no encryption, made for export, nobody proves who they are, RC4, RC2, single DES, MD5;
- weak, of those that are not broken: keys without forward secrecy, and CBC, which 3DES is as well.

An answer is believed for what it says (`checker.codecs.tls_choice`). That a refusal means the offer, and not a server
that is weary of us, is for the caller to see to: no offer is made before something was accepted in the same visit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from checker.catalog.cipher_suites import CipherSuite, cipher_suite, suite_name
from checker.catalog.named_groups import named_groups
from checker.codecs.tls import Flight
from checker.codecs.tls_choice import Choice, every_suite, read_choice
from checker.codecs.tls_hello import MOST_SUITES, ClientHello
from checker.codecs.tls_offers import SUITES, Version
from checker.codecs.tls_versions import group_name, prime_bits
from checker.model import Acceptance, End, OfferFacts, TlsOffer

_ROOM = MOST_SUITES - 1  # for the signalling value of RFC 5746
_BROKEN_CIPHERS = ("NULL", "RC4_", "RC2_", "DES_", "DES40_")
_CERTIFIED = frozenset({"RSA", "ECDSA"})
_SIGNED = frozenset({"RSA", "DHE", "ECDHE"})
_USUAL_CIPHERS = ("AES", "3DES", "NULL", "RC4")
_NOT_BROKEN = 9
_RARER = {"PSK": 1, "RSA": 2, "ECDSA": 3}


def is_broken(suite: CipherSuite) -> bool:
    """Whether a suite protects nothing: RFC 9325 section 4.1 forbids them, RFC 5246 appendix A.5 the anonymous ones."""
    return suite.export or suite.anonymous or suite.mac == "MD5" or (suite.encryption + "_").startswith(_BROKEN_CIPHERS)


def is_weak(suite: CipherSuite) -> bool:
    """Whether a suite that is not broken lacks forward secrecy or is of CBC (RFC 9325 section 4.1 and 4.2)."""
    return not is_broken(suite) and (not suite.forward_secrecy or "CBC" in suite.encryption)


@cache
def broken_suites(version: Version) -> tuple[int, ...]:
    """All broken suites of a version, SSLv3 to TLS 1.2, that one hello holds.

    The likeliest are kept; the gravest come first, so that a server which leaves the choice to its client names those.
    """
    kept = _of(version, is_broken, _ROOM)
    return tuple(sorted(kept, key=lambda code: _gravity(_suite(code))))


@cache
def weak_suites() -> tuple[int, ...]:
    """The weak suites of TLS 1.2 that fit into one hello beside `DHE_AEAD`, the likeliest ones.

    Left out are those of Kerberos, SRP and GOST, and the rarest of pre-shared keys and of keys in a certificate.
    """
    return _of(Version.TLS_1_2, is_weak, _ROOM - len(dhe_aead_suites()))


@cache
def unusual_suites() -> tuple[int, ...]:
    """Suites of TLS 1.2 that its usual hello leaves out: the likeliest, those with pre-shared keys among them.

    The gravest come first, as in `broken_suites`. Left out are those of Kerberos, SRP and GOST, and the rarest of keys
    in a certificate.
    """
    usual = SUITES[Version.TLS_1_2]
    left = [code for code in every_suite(Version.TLS_1_2) if code not in usual]
    kept = sorted(left, key=lambda code: _rarity(_suite(code)))[:_ROOM]
    return tuple(sorted(kept, key=lambda code: _gravity(_suite(code)) if is_broken(_suite(code)) else _NOT_BROKEN))


@cache
def dhe_aead_suites() -> tuple[int, ...]:
    """The suites of TLS 1.2 in which nothing is weak but, it may be, the prime of their finite field."""
    return tuple(
        code
        for code in SUITES[Version.TLS_1_2]
        if (suite := _suite(code)).key_exchange == "DHE" and suite.mac == "AEAD" and not is_broken(suite)
    )


@cache
def dhe_cbc_suites() -> tuple[int, ...]:
    """The weak suites of TLS 1.2 with DHE that fit into one hello beside the broken ones."""
    found = [
        code
        for code in SUITES[Version.TLS_1_2]
        if (suite := _suite(code)).key_exchange == "DHE" and suite.authentication in ("RSA", "DSS") and is_weak(suite)
    ]
    return tuple(found[: _ROOM - len(broken_suites(Version.TLS_1_2))])


@cache
def broken_dhe_suites() -> tuple[int, ...]:
    """The broken suites of TLS 1.2 with DHE that fit into one hello beside the weak ones, the gravest first."""
    found = [
        code
        for code in broken_suites(Version.TLS_1_2)
        if (suite := _suite(code)).key_exchange == "DHE" and suite.authentication in ("anon", "RSA", "DSS")
    ]
    return tuple(found[: _ROOM - len(weak_suites())])


@cache
def hybrid_groups() -> tuple[int, ...]:
    """The named groups of TLS 1.3 that join ML-KEM to a curve, X25519MLKEM768 first; not the Kyber of drafts."""
    found = [group for group in named_groups().values() if group.kind == "hybrid" and "MLKEM" in group.name]
    return tuple(group.code for group in sorted(found, key=lambda group: not group.name.startswith("X25519")))


def read_offer(offer: TlsOffer, hello: ClientHello, flight: Flight, end: End | None) -> OfferFacts:
    """What one answer shows of an offer; `end` is why no more bytes came, None where the flight was complete."""
    choice = read_choice(hello, flight, end)
    groups = offer is TlsOffer.HYBRID_GROUPS
    acceptance, reason = choice.acceptance, choice.reason
    if groups and acceptance is Acceptance.ACCEPTED and choice.group not in hello.groups:
        acceptance, reason = Acceptance.INCONCLUSIVE, _other_group(choice)
    accepted = acceptance is Acceptance.ACCEPTED
    version = choice.version if accepted and choice.version is not None else hello.version
    suite = choice.suite if accepted else None
    group = choice.group if accepted else None
    return OfferFacts(
        offer=offer,
        version=version.label,
        acceptance=acceptance,
        suites=() if groups else hello.suites,
        groups=hello.groups if groups else (),
        cipher_suite=suite,
        cipher_suite_name=suite_name(suite) if suite is not None else None,
        group=group,
        group_name=group_name(group),
        prime_bits=prime_bits(flight, group) if accepted else None,
        reason=reason,
    )


def _other_group(choice: Choice) -> str:
    if choice.group is None:
        return "the server chose the version and named no group"
    return f"the server chose group 0x{choice.group:04X}, which was not offered"


def _of(version: Version, kind: Callable[[CipherSuite], bool], room: int) -> tuple[int, ...]:
    usual = SUITES[version]
    found = [code for code in every_suite(version) if kind(_suite(code))]
    found.sort(key=lambda code: -1 if code in usual else _rarity(_suite(code)))
    return tuple(found[:room])


def _rarity(suite: CipherSuite) -> int:
    """How far a suite that is not among the usual ones is from what servers have, nearest first."""
    if suite.anonymous or (suite.authentication in _CERTIFIED and suite.key_exchange in _SIGNED):
        return 0
    if suite.encryption.startswith(_USUAL_CIPHERS):
        return _RARER.get(suite.authentication, 4)
    return 5


def _gravity(suite: CipherSuite) -> int:
    if suite.encryption == "NULL":
        return 0
    if suite.anonymous:
        return 1
    return 2 if suite.export else 3


def _suite(code: int) -> CipherSuite:
    suite = cipher_suite(code)
    if suite is None:
        message = f"the catalogue has no suite 0x{code:04X}"
        raise ValueError(message)
    return suite
