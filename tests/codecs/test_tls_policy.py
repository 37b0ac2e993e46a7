"""What counts as broken and as weak, what is offered of it, and what an answer to the offer proves."""

from __future__ import annotations

import pytest

from checker.catalog.cipher_suites import cipher_suite, cipher_suites
from checker.catalog.named_groups import named_groups
from checker.codecs.tls import Alert, Flight
from checker.codecs.tls_choice import fits
from checker.codecs.tls_hello import MOST_SUITES, Extras, Version, client_hello
from checker.codecs.tls_key_exchange import KeyExchange
from checker.codecs.tls_policy import (
    broken_suites,
    dhe_aead_suites,
    hybrid_groups,
    is_broken,
    is_weak,
    read_offer,
    weak_suites,
)
from checker.codecs.tls_server_hello import ServerHello
from checker.model import Acceptance, End, OfferFacts, TlsOffer

SESSION_ID = bytes(range(32))
OLD = tuple(version for version in Version if version is not Version.TLS_1_3)


def name(code: int) -> str:
    suite = cipher_suite(code)
    assert suite is not None
    return suite.name


@pytest.mark.parametrize(
    ("code", "broken", "weak"),
    [
        (0x0002, True, False),  # TLS_RSA_WITH_NULL_SHA
        (0x003B, True, False),  # TLS_RSA_WITH_NULL_SHA256
        (0xC010, True, False),  # TLS_ECDHE_RSA_WITH_NULL_SHA
        (0x0003, True, False),  # TLS_RSA_EXPORT_WITH_RC4_40_MD5
        (0x0014, True, False),  # TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA
        (0x00A6, True, False),  # TLS_DH_anon_WITH_AES_128_GCM_SHA256
        (0xC018, True, False),  # TLS_ECDH_anon_WITH_AES_128_CBC_SHA
        (0x0005, True, False),  # TLS_RSA_WITH_RC4_128_SHA
        (0xC011, True, False),  # TLS_ECDHE_RSA_WITH_RC4_128_SHA
        (0x0006, True, False),  # TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5
        (0x0009, True, False),  # TLS_RSA_WITH_DES_CBC_SHA
        (0x0025, True, False),  # TLS_KRB5_WITH_IDEA_CBC_MD5
        (0x000A, False, True),  # TLS_RSA_WITH_3DES_EDE_CBC_SHA
        (0xC012, False, True),  # TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
        (0x009C, False, True),  # TLS_RSA_WITH_AES_128_GCM_SHA256
        (0xC02D, False, True),  # TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256
        (0x00A0, False, True),  # TLS_DH_RSA_WITH_AES_128_GCM_SHA256
        (0xC013, False, True),  # TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
        (0x0067, False, True),  # TLS_DHE_RSA_WITH_AES_128_CBC_SHA256
        (0x00A8, False, True),  # TLS_PSK_WITH_AES_128_GCM_SHA256
        (0xC02F, False, False),  # TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        (0xCCA8, False, False),  # TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        (0xC0AC, False, False),  # TLS_ECDHE_ECDSA_WITH_AES_128_CCM
        (0x009E, False, False),  # TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
        (0x1301, False, False),  # TLS_AES_128_GCM_SHA256
    ],
)
def test_of_which_kind_a_suite_is(code: int, broken: bool, weak: bool) -> None:
    suite = cipher_suite(code)
    assert suite is not None
    assert (is_broken(suite), is_weak(suite)) == (broken, weak)


def test_by_their_names_no_broken_suite_is_missed() -> None:
    words = ("_NULL_", "EXPORT", "_anon_", "_RC4_", "_RC2_", "_DES_", "_DES40_", "_MD5")
    for suite in cipher_suites().values():
        # RFC 9150: of TLS 1.3, with no encryption in name only.
        expected = any(word in suite.name for word in words) or suite.encryption == "NULL"
        assert is_broken(suite) == expected, suite.name


@pytest.mark.parametrize("version", OLD)
def test_every_broken_suite_of_a_version_is_offered(version: Version) -> None:
    offered = broken_suites(version)
    expected = {code for code, suite in cipher_suites().items() if is_broken(suite) and fits(version, code)}
    assert set(offered) == expected
    assert len(set(offered)) == len(offered) < MOST_SUITES
    client_hello(version, random=bytes(32), suites=offered)


def test_the_gravest_of_the_broken_come_first() -> None:
    names = [name(code) for code in broken_suites(Version.TLS_1_2)]
    assert "_NULL_" in names[0]
    assert names.index("TLS_DH_anon_WITH_AES_128_GCM_SHA256") < names.index("TLS_RSA_WITH_RC4_128_SHA")


def test_the_weak_suites_fit_with_those_that_show_a_prime() -> None:
    weak, dhe = weak_suites(), dhe_aead_suites()
    assert len({*weak, *dhe}) == len(weak) + len(dhe) < MOST_SUITES
    client_hello(Version.TLS_1_2, random=bytes(32), suites=(*dhe, *weak))
    for code in weak:
        suite = cipher_suite(code)
        assert suite is not None
        assert is_weak(suite)
        assert fits(Version.TLS_1_2, code)
    for code in dhe:
        assert name(code).startswith("TLS_DHE_")
        assert not any(word in name(code) for word in ("CBC", "PSK", "NULL"))
    assert 0x009F in dhe


def test_of_the_weak_suites_all_likely_ones_are_offered() -> None:
    for suite in cipher_suites().values():
        likely = suite.authentication in ("RSA", "ECDSA") and suite.key_exchange in ("RSA", "DHE", "ECDHE")
        if is_weak(suite) and likely and not suite.name.startswith(("TLS_RSA_PSK", "TLS_SRP")):
            assert suite.code in weak_suites(), suite.name


def test_the_hybrid_groups_are_those_with_ml_kem() -> None:
    names = [named_groups()[code].name for code in hybrid_groups()]
    assert names[0] == "X25519MLKEM768"
    assert {"SecP256r1MLKEM768", "SecP384r1MLKEM1024"} < set(names)
    assert not any("Kyber" in name or name.startswith("MLKEM") for name in names)


# ---------------------------------------------------------------------------------------------------------- answers


def broken(flight: Flight, end: End | None = None) -> OfferFacts:
    hello = client_hello(Version.TLS_1_2, random=bytes(32), suites=broken_suites(Version.TLS_1_2))
    facts = read_offer(TlsOffer.BROKEN_SUITES, hello, flight, end)
    assert set(facts.suites) == set(broken_suites(Version.TLS_1_2))
    assert facts.groups == ()
    return facts


def hybrid(flight: Flight, end: End | None = None) -> OfferFacts:
    hello = client_hello(
        Version.TLS_1_3,
        random=bytes(32),
        session_id=SESSION_ID,
        groups=hybrid_groups(),
        extras=Extras(versions=(Version.TLS_1_3,)),
    )
    facts = read_offer(TlsOffer.HYBRID_GROUPS, hello, flight, end)
    assert (facts.suites, facts.groups) == ((), hybrid_groups())
    return facts


def fatal(code: int) -> Flight:
    return Flight(alert=Alert(fatal=True, code=code), tls=True, complete=True)


def retry(group: int | None) -> Flight:
    return Flight(server_hello=ServerHello(Version.TLS_1_3, 0x1301, 0, SESSION_ID, retry=True, group=group), tls=True)


def test_an_acceptance_names_what_was_chosen_and_under_which_version() -> None:
    chosen = ServerHello(Version.TLS_1_2, 0x006C, 0, b"")
    facts = broken(Flight(server_hello=chosen, key_exchange=KeyExchange("DHE", bits=1024), tls=True))
    assert (facts.acceptance, facts.version) == (Acceptance.ACCEPTED, "TLS 1.2")
    assert (facts.cipher_suite, facts.prime_bits) == (0x006C, 1024)
    assert facts.cipher_suite_name == "TLS_DH_anon_WITH_AES_128_CBC_SHA256"
    lower = broken(Flight(server_hello=ServerHello(Version.TLS_1_0, 0x0005, 0, b""), tls=True))
    assert (lower.acceptance, lower.version) == (Acceptance.ACCEPTED, "TLS 1.0")


@pytest.mark.parametrize("code", [40, 70, 71])
def test_a_fatal_refusal_refuses_all_of_the_offer(code: int) -> None:
    for facts in (broken(fatal(code)), hybrid(fatal(code))):
        assert facts.acceptance is Acceptance.REFUSED
        assert facts.cipher_suite is facts.group is None


@pytest.mark.parametrize("code", [10, 47, 50, 80, 112])
def test_other_alerts_prove_nothing_of_an_offer(code: int) -> None:
    for facts in (broken(fatal(code)), hybrid(fatal(code))):
        assert facts.acceptance is Acceptance.INCONCLUSIVE
        assert facts.reason


@pytest.mark.parametrize("end", End)
def test_the_end_of_a_conversation_proves_nothing_of_an_offer(end: End) -> None:
    assert broken(Flight(), end).acceptance is Acceptance.INCONCLUSIVE
    assert hybrid(Flight(), end).acceptance is Acceptance.INCONCLUSIVE


def test_a_suite_that_nobody_offered_is_no_acceptance() -> None:
    facts = broken(Flight(server_hello=ServerHello(Version.TLS_1_2, 0xC02F, 0, b""), tls=True))
    assert (facts.acceptance, facts.cipher_suite) == (Acceptance.INCONCLUSIVE, None)


def test_a_hybrid_group_is_accepted_only_by_name() -> None:
    facts = hybrid(retry(0x11EC))
    assert (facts.acceptance, facts.group, facts.group_name) == (Acceptance.ACCEPTED, 0x11EC, "X25519MLKEM768")
    for group in (None, 0x001D):
        facts = hybrid(retry(group))
        assert (facts.acceptance, facts.group) == (Acceptance.INCONCLUSIVE, None)
        assert facts.reason
