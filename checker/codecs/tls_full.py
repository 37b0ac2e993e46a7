"""Pure: what full depth offers so that every suite and group of a server shows, and what follows from the lists.

A list is complete when a server has refused all that is left of what the catalogue has, hello by hello, and has then
accepted once more what it had accepted before: a server that is weary of us refuses as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache

from checker.catalog.cipher_suites import CipherSuite, cipher_suite, suite_name
from checker.catalog.named_groups import named_groups
from checker.codecs.tls_choice import every_suite
from checker.codecs.tls_hello import MOST_SUITES
from checker.codecs.tls_offers import CHACHA20, CURVES, GROUPS_1_3_ALONE, SIGNATURES, Version
from checker.codecs.tls_policy import dhe_aead_suites, hybrid_groups, is_broken, is_weak
from checker.codecs.tls_versions import group_name
from checker.model import Acceptance, GroupFacts, OfferFacts, TlsOffer, VersionFacts

ROOM = MOST_SUITES - 1
"""The suites in a hello, for there is the signalling value of RFC 5746 as well."""

_NOT_LISTED = frozenset({"DH", "KRB5"})
_WITH_MD5 = (0x0101, 0x0103, 0x0102)  # RSA, ECDSA, DSA
_LAST_OLD_CURVE = 0x001C  # behind it are those that belong to TLS 1.3, to GOST and to SM2


@cache
def listed_suites(version: Version) -> tuple[int, ...]:
    """All suites that a version is asked about, the usual ones first.

    Not those with keys of Diffie-Hellman fixed in the certificate, for which nobody issues certificates, nor those of
    Kerberos: implementations have given up both long ago, and they would cost a hello more for each version.
    """
    return tuple(code for code in every_suite(version) if _key_exchange(code) not in _NOT_LISTED)


@cache
def by_curve(version: Version) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The listed suites of a version that need a curve, and those that do not."""
    suites = listed_suites(version)
    return tuple(filter(needs_curve, suites)), tuple(code for code in suites if not needs_curve(code))


@cache
def every_signature() -> tuple[int, ...]:
    """The signature schemes by which a server may sign under TLS 1.2, the usual ones first (RFC 5246 section 7.4.3)."""
    return (*SIGNATURES, *_WITH_MD5)


def over_field(code: int) -> bool:
    """Whether keys are agreed on over a finite field, which RFC 7919 gives names to."""
    return _key_exchange(code) == "DHE"


def is_signed(code: int) -> bool:
    """Whether the server signs the exchange of keys, anew each time."""
    suite = cipher_suite(code)
    signed = suite is not None and suite.authentication in ("RSA", "ECDSA", "DSS")
    return signed and _key_exchange(code) in ("ECDHE", "DHE")


def needs_curve(code: int) -> bool:
    """Whether a suite can be agreed on only with a curve that both ends have (RFC 8422 section 5.1)."""
    return _key_exchange(code) in ("ECDHE", "ECDH")


def families(suites: Collection[int]) -> list[tuple[int, ...]]:
    """The suites by key exchange, each family in their order."""
    found: dict[str, list[int]] = {}
    for code in suites:
        found.setdefault(_key_exchange(code), []).append(code)
    return [tuple(family) for family in found.values()]


@cache
def every_group(version: Version) -> tuple[int, ...]:
    """All named groups that a version may agree on: the usual ones first; below TLS 1.3 curves only."""
    if version is Version.TLS_1_3:
        others = [group.code for group in named_groups().values() if group.kind in ("hybrid", "pq")]
        return tuple(dict.fromkeys((*GROUPS_1_3_ALONE, *others)))
    others = [
        group.code for group in named_groups().values() if group.kind == "curve" and group.code <= _LAST_OLD_CURVE
    ]
    return tuple(dict.fromkeys((*CURVES, *others)))


def suites_for_curves(accepted: Collection[int]) -> tuple[tuple[int, ...], bool]:
    """Of accepted suites those with ECDHE that show curves, and whether a refusal of curves is about them alone.

    It is not with ECDSA, whose certificate has a curve of its own that has to be offered (RFC 8422 section 5.1).
    """
    found = [code for code in accepted if (suite := cipher_suite(code)) is not None and suite.key_exchange == "ECDHE"]
    free = [code for code in found if (suite := cipher_suite(code)) is not None and suite.authentication != "ECDSA"]
    return (tuple(free[:ROOM]), True) if free else (tuple(found[:ROOM]), False)


def turned_round(accepted: Collection[int]) -> tuple[tuple[int, ...], bool]:
    """Accepted suites, last first, for a hello that asks for the server's order; and whether ChaCha20 is kept last.

    It is where two others are left to tell by, for some servers turn their order round for a client that likes it best.
    """
    offered = tuple(reversed(tuple(accepted)))[:ROOM]
    return offered, len(set(offered) - CHACHA20) > 1


def order_of(accepted: tuple[int, ...], offered: tuple[int, ...], chosen: int | None) -> bool | None:
    """Whether a server goes by its own order: what it chose of `offered`, which is of `accepted` turned round.

    None where that does not show: with fewer than two, or where both orders have the same first.
    """
    first = next((code for code in accepted if code in offered), None)
    if len(offered) < 2 or chosen is None or offered[0] == first:
        return None
    # Who likes ChaCha20 best may have been led to it, and follows nobody else.
    if chosen == offered[0]:
        return None if chosen in CHACHA20 else False
    return True if chosen == first else None


def concluded_suites(version: Version, facts: VersionFacts, primes: Mapping[int, int]) -> list[OfferFacts]:
    """What offers of broken and, under TLS 1.2, weak suites would have shown of a version with a complete list.

    `primes` are the sizes, in bits, of the finite fields that were seen by suite.
    """
    found = [_offer(TlsOffer.BROKEN_SUITES, version, facts.suites, _all(version, is_broken), primes)]
    if version is Version.TLS_1_2:
        weak, dhe = _all(version, is_weak), dhe_aead_suites()
        with_dhe = [code for code in facts.suites if code in dhe]
        if with_dhe:
            found.append(_offer(TlsOffer.WEAK_SUITES, version, with_dhe, dhe, primes))
        found.append(_offer(TlsOffer.WEAK_SUITES, version, facts.suites, weak if with_dhe else (*dhe, *weak), primes))
    return found


def concluded_groups(facts: GroupFacts) -> OfferFacts | None:
    """What an offer of hybrid groups would have shown of TLS 1.3; None where the list does not decide it."""
    hybrids = hybrid_groups()
    chosen = next((code for code in facts.groups if code in hybrids), None)
    if chosen is None and not facts.complete:
        return None
    return OfferFacts(
        offer=TlsOffer.HYBRID_GROUPS,
        version=facts.version,
        acceptance=Acceptance.REFUSED if chosen is None else Acceptance.ACCEPTED,
        groups=hybrids,
        group=chosen,
        group_name=group_name(chosen),
    )


def is_cbc(code: int) -> bool:
    """Whether a suite is of CBC, with which alone a server may answer encrypt-then-MAC (RFC 7366 section 3)."""
    suite = cipher_suite(code)
    return suite is not None and "CBC" in suite.encryption


def _key_exchange(code: int) -> str:
    suite = cipher_suite(code)
    return "" if suite is None else suite.key_exchange


@cache
def _all(version: Version, kind: Callable[[CipherSuite], bool]) -> tuple[int, ...]:
    return tuple(code for code in listed_suites(version) if (suite := cipher_suite(code)) is not None and kind(suite))


def _offer(
    offer: TlsOffer,
    version: Version,
    accepted: Collection[int],
    offered: tuple[int, ...],
    primes: Mapping[int, int],
) -> OfferFacts:
    chosen = [code for code in accepted if code in offered]
    # A small field is worse than what comes before it in the server's order.
    first = min(chosen, key=lambda code: primes.get(code, 1 << 16)) if chosen else None
    return OfferFacts(
        offer=offer,
        version=version.label,
        acceptance=Acceptance.REFUSED if first is None else Acceptance.ACCEPTED,
        suites=offered,
        cipher_suite=first,
        cipher_suite_name=None if first is None else suite_name(first),
        prime_bits=None if first is None else primes.get(first),
    )
