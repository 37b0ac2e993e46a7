"""What full depth offers, and what follows from the lists that it gets."""

from __future__ import annotations

import pytest

from checker.catalog.cipher_suites import cipher_suite
from checker.catalog.named_groups import named_group
from checker.catalog.signature_schemes import signature_scheme
from checker.codecs.tls_choice import every_suite
from checker.codecs.tls_full import (
    ROOM,
    by_curve,
    concluded_groups,
    concluded_suites,
    every_group,
    every_signature,
    families,
    listed_suites,
    needs_curve,
    order_of,
    suites_for_curves,
    turned_round,
)
from checker.codecs.tls_hello import RANDOM_BYTES, Version, client_hello
from checker.model import Acceptance, GroupFacts, TlsOffer, VersionFacts

ACCEPTED, REFUSED = Acceptance.ACCEPTED, Acceptance.REFUSED
ECDHE_GCM, DHE_GCM, RSA_CBC, RSA_NULL, DHE_CBC = 0xC02F, 0x009E, 0x002F, 0x0002, 0x0033
A, B, CHACHA20 = 0xC02F, 0xC030, 0xCCA8


@pytest.mark.parametrize("version", Version)
def test_what_is_listed_is_all_but_what_nobody_has_any_more(version: Version) -> None:
    listed = listed_suites(version)
    assert len(set(listed)) == len(listed)
    left = [cipher_suite(code) for code in every_suite(version) if code not in listed]
    assert {suite.key_exchange for suite in left if suite is not None} <= {"DH", "KRB5"}
    with_curve, without = by_curve(version)
    assert sorted(with_curve + without) == sorted(listed)
    assert all(map(needs_curve, with_curve))
    # One hello holds all that want a curve; of an old version but one of all, which a first answer has shown.
    assert len(with_curve) <= ROOM
    assert version is Version.TLS_1_2 or len(listed) <= ROOM + 1


def test_every_signature_scheme_can_be_offered() -> None:
    schemes = every_signature()
    assert len(set(schemes)) == len(schemes)
    assert None not in map(signature_scheme, schemes)
    assert client_hello(Version.TLS_1_2, random=bytes(RANDOM_BYTES), signatures=schemes).data


def test_families_are_parted_by_key_exchange() -> None:
    suites = listed_suites(Version.TLS_1_2)
    found = families(suites)
    assert sorted(code for family in found for code in family) == sorted(suites)
    kinds = [{suite.key_exchange for code in family if (suite := cipher_suite(code)) is not None} for family in found]
    assert all(len(kind) == 1 for kind in kinds)
    assert len(set(map(frozenset, kinds))) == len(kinds)
    assert families([0xFFFE]) == [(0xFFFE,)]


def test_groups_are_those_of_the_version() -> None:
    for code in every_group(Version.TLS_1_2):
        group = named_group(code)
        assert group is not None
        assert group.kind == "curve"
    newest = every_group(Version.TLS_1_3)
    assert {0x11EC, 0x0200, 0x0100, 0x001D} <= set(newest)
    assert len(set(newest)) == len(newest)
    for version in (Version.TLS_1_2, Version.TLS_1_3):
        assert client_hello(version, random=bytes(RANDOM_BYTES), groups=every_group(version)).groups


def test_curves_are_asked_with_suites_that_are_bound_to_none() -> None:
    assert suites_for_curves((RSA_CBC, 0xC02B, ECDHE_GCM)) == ((ECDHE_GCM,), True)
    assert suites_for_curves((RSA_CBC, 0xC02B)) == ((0xC02B,), False)
    assert suites_for_curves((RSA_CBC, DHE_GCM))[0] == ()


@pytest.mark.parametrize(
    ("accepted", "chosen", "expected"),
    [
        ((A,), A, None),
        ((A, B), A, True),
        ((A, B), B, False),
        ((A, B, RSA_CBC), B, None),
        ((A, B), None, None),
        ((A, CHACHA20), A, True),
        ((A, CHACHA20), CHACHA20, None),
        ((CHACHA20, A), CHACHA20, True),
        ((CHACHA20, A, B), CHACHA20, True),
        ((A, B, CHACHA20), A, True),
        ((A, B, CHACHA20), B, False),
    ],
)
def test_whose_order_it_is(accepted: tuple[int, ...], chosen: int | None, expected: bool | None) -> None:
    offered, last = turned_round(accepted)
    if last:
        offered = (*(code for code in offered if code != CHACHA20), *(code for code in offered if code == CHACHA20))
    assert order_of(accepted, offered, chosen) is expected


def version(*suites: int) -> VersionFacts:
    return VersionFacts("TLS 1.2", ACCEPTED, cipher_suite=suites[0], suites=suites, complete=True)


def test_a_list_answers_the_offers_of_policy_depth() -> None:
    broken, weak = concluded_suites(Version.TLS_1_2, version(ECDHE_GCM), {})
    assert (broken.offer, broken.acceptance) == (TlsOffer.BROKEN_SUITES, REFUSED)
    assert (weak.offer, weak.acceptance) == (TlsOffer.WEAK_SUITES, REFUSED)
    assert RSA_NULL in broken.suites
    assert {RSA_CBC, DHE_GCM} <= set(weak.suites)
    assert ECDHE_GCM not in {*broken.suites, *weak.suites}


def test_dhe_is_told_with_its_prime_and_apart_from_the_rest() -> None:
    _broken, dhe, weak = concluded_suites(Version.TLS_1_2, version(ECDHE_GCM, DHE_GCM), {DHE_GCM: 1024})
    assert (dhe.acceptance, dhe.cipher_suite, dhe.prime_bits) == (ACCEPTED, DHE_GCM, 1024)
    assert weak.acceptance is REFUSED
    assert DHE_GCM not in weak.suites


def test_what_is_accepted_is_named_a_small_field_before_all() -> None:
    broken, weak = concluded_suites(Version.TLS_1_2, version(ECDHE_GCM, RSA_CBC, DHE_CBC, RSA_NULL), {DHE_CBC: 1024})
    assert (broken.acceptance, broken.cipher_suite_name) == (ACCEPTED, "TLS_RSA_WITH_NULL_SHA")
    assert (weak.acceptance, weak.cipher_suite, weak.prime_bits) == (ACCEPTED, DHE_CBC, 1024)


def test_old_versions_are_asked_for_broken_suites_alone() -> None:
    (broken,) = concluded_suites(Version.TLS_1_0, VersionFacts("TLS 1.0", ACCEPTED, suites=(RSA_CBC,)), {})
    assert (broken.offer, broken.version, broken.acceptance) == (TlsOffer.BROKEN_SUITES, "TLS 1.0", REFUSED)


def test_groups_answer_the_offer_of_hybrids_only_where_the_list_decides_it() -> None:
    some = concluded_groups(GroupFacts("TLS 1.3", (0x1D, 0x11EC)))
    assert some is not None
    assert (some.acceptance, some.group_name) == (ACCEPTED, "X25519MLKEM768")
    none = concluded_groups(GroupFacts("TLS 1.3", (0x1D,), complete=True))
    assert none is not None
    assert (none.acceptance, none.group) == (REFUSED, None)
    assert concluded_groups(GroupFacts("TLS 1.3", (0x1D,))) is None
