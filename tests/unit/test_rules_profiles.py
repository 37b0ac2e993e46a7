"""Profiles and the whole lists of full depth: what is decided by them, and what no list decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.catalog.cipher_suites import CipherSuite, cipher_suites, suite_name
from checker.catalog.tls_profiles import tls_profiles
from checker.model import (
    Acceptance,
    CertificateFacts,
    Facts,
    GroupFacts,
    HandshakeFacts,
    Status,
    TlsFacts,
    TlsFeatures,
    VersionFacts,
)
from checker.rules import catalogue
from checker.rules.base import Case, Verdict
from checker.rules.examples import NOW, service_case
from checker.rules.examples_tls import (
    DAY,
    REST_REFUSED,
    WEAK_REFUSED,
    accepted_version,
    certificate,
    full_depth,
    handshake,
    hellos,
    listed_version,
    modern,
    newest_only,
    tls_archive,
)
from checker.rules.lists import not_listed, whole_lists

RULES = {entry.id: entry.rule for entry in catalogue()}
PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
NIST = "NIST SP 800-52r2"
P256, X25519 = 0x0017, 0x001D
GCM, GCM_256, CBC, CHACHA20, STATIC_RSA, DHE = 0xC02F, 0xC030, 0xC027, 0xCCA8, 0x009C, 0x009E
TLS_1_2 = listed_version("TLS 1.2", (GCM_256, GCM), group=P256)
TLS_1_3 = listed_version("TLS 1.3", (0x1302, 0x1301))
CURVES = (GroupFacts("TLS 1.3", (P256,), complete=True), GroupFacts("TLS 1.2", (P256,), complete=True))
SHOWN = handshake(certificate())
GOOD = full_depth(TLS_1_2, TLS_1_3, groups=CURVES)


def nist(*facts: Facts) -> Verdict:
    return RULES["tls.sp800-52r2"].judge(service_case(tls_archive(), *facts))


def dicom(profile: str, *facts: Facts) -> Verdict:
    return RULES["tls.dicom-profile"].judge(service_case(tls_archive(profile=profile), *facts))


def order(*facts: Facts) -> Verdict:
    return RULES["tls.server-order"].judge(service_case(tls_archive(), *facts))


def with_version(facts: TlsFacts, **changes: object) -> TlsFacts:
    """The same with TLS 1.2 changed."""
    versions = [replace(one, **changes) if one.version == "TLS 1.2" else one for one in facts.versions]  # type: ignore[arg-type]
    return replace(facts, versions=tuple(versions))


# ---------------------------------------------------------------------------------------------------------- whole lists


def lists(*facts: Facts) -> frozenset[str]:
    return whole_lists(service_case(tls_archive(), *facts))


def test_a_complete_list_is_whole_and_an_empty_or_a_partial_one_is_not() -> None:
    assert lists(GOOD) == {"TLS 1.2", "TLS 1.3"}
    assert lists(with_version(GOOD, complete=False)) == {"TLS 1.3"}
    assert lists(with_version(GOOD, suites=())) == {"TLS 1.3"}
    assert lists(modern()) == frozenset()


def test_a_list_of_one_place_says_nothing_of_another() -> None:
    assert lists(GOOD, GOOD) == {"TLS 1.2", "TLS 1.3"}
    assert lists(GOOD, modern()) == frozenset()
    assert lists(GOOD, hellos(inconclusive=["TLS 1.2"])) == {"TLS 1.3"}
    assert lists(GOOD, hellos(refused=["TLS 1.2"])) == {"TLS 1.2", "TLS 1.3"}


def test_a_weary_server_has_no_whole_list() -> None:
    assert lists(GOOD, HandshakeFacts(detail="no answer in time in the handshake")) == frozenset()


def test_a_version_that_only_the_handshake_showed_has_no_list() -> None:
    older = full_depth(TLS_1_2)
    case = service_case(tls_archive(), older, handshake(certificate()))
    assert not_listed(case, ("TLS 1.2", "TLS 1.3")) == ["TLS 1.3"]


# ----------------------------------------------------------------------------------------------------- NIST SP 800-52r2


def test_the_lists_of_the_publication_are_aes_alone_without_rsa_key_transport() -> None:
    suites = {suite.name: suite for suite in cipher_suites().values()}
    listed = [suites[name] for name in tls_profiles()[NIST].suites.also_permitted]
    assert len(listed) == 60
    assert {suite.encryption.split("_")[0] for suite in listed} == {"AES"}
    assert {suite.key_exchange for suite in listed} == {"ECDHE", "DHE", "DH", "ECDH", "any"}
    assert {suite.authentication for suite in listed} == {"RSA", "DSS", "ECDSA", "any"}
    assert {suite.mac for suite in listed} == {"AEAD", "SHA", "SHA256", "SHA384"}


def test_all_good_and_all_shown_passes() -> None:
    verdict = nist(GOOD, SHOWN)
    assert (verdict.status, verdict.evidence["not_shown"], verdict.evidence["discouraged"]) == (PASS, [], [])


@pytest.mark.parametrize(
    ("facts", "too_much"),
    [
        (with_version(GOOD, suites=(GCM, CHACHA20)), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        (with_version(GOOD, suites=(GCM, STATIC_RSA)), "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        (with_version(GOOD, suites=(GCM, 0xC060)), "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"),
        (with_version(GOOD, suites=(GCM, 0xC08A)), "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256"),
        (with_version(GOOD, suites=(GCM, 0xC012)), "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
        (with_version(GOOD, suites=(GCM, DHE), prime_bits=1024), "a finite field of 1024 bits"),
        (with_version(GOOD, compression=True), "compression"),
        (full_depth(TLS_1_2, TLS_1_3, listed_version("TLS 1.0", (0xC014,)), groups=CURVES), "TLS 1.0"),
        (replace(GOOD, groups=(*CURVES, GroupFacts("TLS 1.2", (0x0013,)))), "secp192r1"),
    ],
)
def test_what_is_too_much(facts: TlsFacts, too_much: str) -> None:
    verdict = nist(facts, SHOWN)
    assert (verdict.status, verdict.evidence["too_much"]) == (FAIL, [too_much])
    # It is so as well where nothing else is known.
    assert nist(facts).status is FAIL


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (full_depth(TLS_1_2, groups=CURVES[1:]), "TLS 1.3"),
        (with_version(GOOD, secure_renegotiation=False), "secure renegotiation"),
        (replace(GOOD, features=TlsFeatures(extended_master_secret=False)), "the extended master secret"),
        (
            replace(
                with_version(GOOD, group=X25519),
                groups=(
                    GroupFacts("TLS 1.3", (X25519,), complete=True),
                    GroupFacts("TLS 1.2", (X25519,), complete=True),
                ),
            ),
            "secp256r1 or secp384r1",
        ),
    ],
)
def test_what_is_missing(facts: TlsFacts, missing: str) -> None:
    verdict = nist(facts, handshake(certificate(), version="TLS 1.2"))
    assert (verdict.status, verdict.evidence["missing"]) == (FAIL, [missing])


@pytest.mark.parametrize(
    "facts",
    [
        with_version(GOOD, complete=False),
        with_version(GOOD, compression=None),
        with_version(GOOD, secure_renegotiation=None),
        with_version(GOOD, acceptance=Acceptance.INCONCLUSIVE),
        with_version(GOOD, suites=(GCM, DHE)),
        replace(GOOD, features=None),
        replace(GOOD, features=TlsFeatures()),
        replace(GOOD, groups=CURVES[:1]),
        replace(GOOD, groups=(CURVES[0], replace(CURVES[1], complete=False))),
        replace(GOOD, versions=tuple(one for one in GOOD.versions if one.version != "SSLv3")),
        replace(GOOD, versions=tuple(one for one in GOOD.versions if one.version != "TLS 1.1")),
    ],
)
def test_what_was_not_shown_is_unknown(facts: TlsFacts) -> None:
    verdict = nist(facts, SHOWN)
    assert verdict.status is UNKNOWN
    assert verdict.evidence["not_shown"]
    # One place that was asked in full does not speak for one that was not.
    assert nist(GOOD, facts, SHOWN).status is UNKNOWN


def test_a_group_must_have_been_seen_at_each_place() -> None:
    other = replace(
        with_version(GOOD, group=X25519),
        groups=(GroupFacts("TLS 1.3", (X25519,)), GroupFacts("TLS 1.2", (X25519,), complete=True)),
    )
    verdict = nist(GOOD, other, SHOWN)
    assert (verdict.status, verdict.evidence["not_shown"]) == (UNKNOWN, ["whether secp256r1 or secp384r1 is accepted"])


def test_who_has_no_curves_needs_none_of_them() -> None:
    older = listed_version("TLS 1.2", (DHE,))
    facts = with_version(full_depth(older, TLS_1_3, groups=CURVES[:1]), prime_bits=2048)
    assert nist(facts, SHOWN).status is PASS


def test_tls_1_1_is_advised_against() -> None:
    old = listed_version("TLS 1.1", (0xC014,))
    groups = (*CURVES, GroupFacts("TLS 1.1", (P256,), complete=True))
    features = TlsFeatures(extended_master_secret=True, encrypt_then_mac=True)
    verdict = nist(replace(full_depth(TLS_1_2, TLS_1_3, old, groups=groups), features=features), SHOWN)
    assert (verdict.status, verdict.evidence["discouraged"]) == (PASS, ["TLS 1.1"])


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (certificate(key_type="RSA", key_bits=2048), PASS),
        (certificate(key_type="RSA", key_bits=2047), FAIL),
        (certificate(key_type="DSA", key_bits=1024), FAIL),
        (certificate(key_bits=192), FAIL),
        (certificate(key_type="Ed25519"), FAIL),
        (certificate(key_type="other", key_bits=0), UNKNOWN),
        (certificate(signature_hash="sha1"), FAIL),
        (certificate(signature_hash="sha224"), PASS),
        (certificate(signature_hash="sha384"), PASS),
        (certificate(signature_hash="sha3-256"), UNKNOWN),
        (certificate(signature_hash=None), UNKNOWN),
        (certificate(dns_names=(), ip_addresses=(), name_matches=False), FAIL),
        (certificate(dns_names=(), ip_addresses=(), name_matches=None), UNKNOWN),
        (replace(certificate(key_bits=521), curve="secp521r1"), PASS),
        (None, UNKNOWN),
    ],
)
def test_what_the_certificate_must_be(shown: CertificateFacts | None, expected: Status) -> None:
    assert nist(GOOD, handshake(shown)).status is expected


def test_a_certificate_for_the_other_kind_of_key_counts() -> None:
    weak = certificate(key_type="RSA", key_bits=1024, digest="c1" * 32)
    assert nist(replace(GOOD, certificates=(weak,)), SHOWN).status is FAIL


def test_what_a_certificate_should_not_be_is_told() -> None:
    three_years = certificate(not_before=NOW, not_after=NOW + 1096 * DAY)
    longer = certificate(not_before=NOW, not_after=NOW + 1096 * DAY + timedelta(seconds=1), key_bits=521)
    assert nist(GOOD, handshake(three_years)).evidence["discouraged"] == []
    verdict = nist(GOOD, handshake(replace(longer, curve="secp521r1")))
    assert verdict.status is PASS
    assert verdict.evidence["discouraged"] == [
        "a certificate on the curve secp521r1",
        "a certificate valid for 1096 days",
    ]


@pytest.mark.parametrize(("answer", "expected"), [(True, PASS), (False, FAIL), (None, UNKNOWN)])
def test_cbc_needs_encrypt_then_mac(answer: bool | None, expected: Status) -> None:
    features = TlsFeatures(extended_master_secret=True, encrypt_then_mac=answer)
    assert nist(replace(with_version(GOOD, suites=(GCM, CBC)), features=features), SHOWN).status is expected
    assert nist(replace(GOOD, features=features), SHOWN).status is PASS  # without CBC nothing is asked


def test_early_data_is_advised_against() -> None:
    for allowed in (False, None):
        assert nist(GOOD, replace(SHOWN, early_data=allowed)).evidence["discouraged"] == []
    verdict = nist(GOOD, replace(SHOWN, early_data=True))
    assert (verdict.status, verdict.evidence["discouraged"]) == (PASS, ["early data"])


@pytest.mark.parametrize("digest", ["sha1", "sha224"])
def test_b13_wants_sha256_and_permits_no_other_kind_of_key(digest: str) -> None:
    signed = replace(WHOLE_B13, certificates=(RSA, replace(EC, signature_hash=digest)))
    assert dicom("B.13", signed).evidence["too_much"] == [f"a certificate signed with {digest}"]
    ed25519 = replace(WHOLE_B13, certificates=(RSA, EC, certificate(key_type="Ed25519", digest="c3" * 32)))
    assert dicom("B.13", ed25519).evidence["too_much"] == ["a certificate with a key of Ed25519"]


# ------------------------------------------------------------------------------------------------------------- of DICOM


B13 = (0xC02C, 0xC030, 0xC0AD, 0xC0AF, 0xCCA9, 0xCCA8, 0xC02F, 0xC02B, 0xC0AC, 0xC0AE)
NEWEST = listed_version("TLS 1.3", (0x1302, 0x1303, 0x1301, 0x1304, 0x1305))
RSA = certificate(key_type="RSA", key_bits=2048, digest="c1" * 32)
EC = certificate(digest="c2" * 32)
CURVES_1_2 = (GroupFacts("TLS 1.2", (X25519, P256), complete=True),)
WHOLE_B13 = full_depth(listed_version("TLS 1.2", B13), NEWEST, groups=CURVES_1_2, certificates=(RSA, EC))


def test_b13_is_kept_at_full_depth_by_all_that_it_requires() -> None:
    verdict = dicom("B.13", WHOLE_B13)
    assert (verdict.status, verdict.evidence["not_shown"]) == (PASS, [])


@pytest.mark.parametrize("left_out", [*B13, 0x1302, 0x1303, 0x1301, 0x1304, 0x1305])
def test_each_suite_that_b13_requires_is_missed(left_out: int) -> None:
    def without(one: VersionFacts) -> VersionFacts:
        kept = tuple(code for code in one.suites if code != left_out)
        return replace(one, suites=kept, cipher_suite=kept[0] if kept else None)

    verdict = dicom("B.13", replace(WHOLE_B13, versions=tuple(without(one) for one in WHOLE_B13.versions)))
    assert (verdict.status, verdict.evidence["missing"]) == (FAIL, [suite_name(left_out)])


@pytest.mark.parametrize("beside", [0x009F, 0xC07D, 0xC09F, 0xC0A3, 0xCCAA, 0x009E, 0xC07C, 0xC09E, 0xC0A2])
def test_b13_permits_dhe_beside(beside: int) -> None:
    assert dicom("B.13", with_version(WHOLE_B13, suites=(*B13, beside), prime_bits=2048)).status is PASS
    assert dicom("B.13", with_version(WHOLE_B13, suites=(*B13, beside), prime_bits=1024)).status is FAIL
    assert dicom("B.13", with_version(WHOLE_B13, suites=(*B13, beside))).status is UNKNOWN


@pytest.mark.parametrize("code", [0xC087, 0xC08B, 0xC086, 0xC08A])
def test_b13_permits_camellia_that_an_older_edition_requires(code: int) -> None:
    assert dicom("B.13", with_version(WHOLE_B13, suites=(*B13, code))).status is PASS


@pytest.mark.parametrize("code", [CBC, STATIC_RSA, 0xC060, 0xC014])
def test_b13_permits_nothing_else(code: int) -> None:
    verdict = dicom("B.13", with_version(WHOLE_B13, suites=(*B13, code)))
    assert (verdict.status, verdict.evidence["too_much"]) == (FAIL, [suite_name(code)])


def test_suites_for_a_key_that_was_not_seen_are_open_and_one_of_them_shows_the_key() -> None:
    rsa_only = full_depth(
        listed_version("TLS 1.2", (0xC030, 0xCCA8, 0xC02F)), NEWEST, groups=CURVES_1_2, certificates=(RSA,)
    )
    verdict = dicom("B.13", rsa_only)
    assert verdict.status is UNKNOWN
    assert len(verdict.evidence["not_shown"]) == 7  # type: ignore[arg-type]
    assert dicom("B.13", replace(rsa_only, certificates=(RSA, EC))).status is FAIL
    assert dicom("B.13", with_version(rsa_only, suites=(0xC030, 0xCCA8, 0xC02F, 0xC02B))).status is FAIL


def test_an_ec_key_alone_leaves_the_suites_of_rsa_open() -> None:
    ec_only = replace(
        with_version(WHOLE_B13, suites=tuple(code for code in B13 if code not in (0xC030, 0xCCA8, 0xC02F))),
        certificates=(EC,),
    )
    verdict = dicom("B.13", ec_only)
    assert verdict.status is UNKNOWN
    assert all("no RSA key was seen" in str(item) for item in verdict.evidence["not_shown"])  # type: ignore[union-attr]


def test_a_suite_accepted_at_one_place_is_not_accepted_at_another() -> None:
    fewer = with_version(WHOLE_B13, suites=B13[:-1])
    assert dicom("B.13", WHOLE_B13, WHOLE_B13).status is PASS
    assert dicom("B.13", WHOLE_B13, fewer).status is FAIL
    assert dicom("B.13", WHOLE_B13, with_version(fewer, complete=False)).status is UNKNOWN


@pytest.mark.parametrize(
    "groups",
    [
        (),
        (GroupFacts("TLS 1.3", (P256,), complete=True),),
        (GroupFacts("TLS 1.2", (P256,)),),
    ],
)
def test_curves_must_have_been_listed(groups: tuple[GroupFacts, ...]) -> None:
    assert dicom("B.13", replace(WHOLE_B13, groups=groups)).status is UNKNOWN


def test_a_weak_curve_behind_stronger_ones_is_too_much() -> None:
    weak = (GroupFacts("TLS 1.2", (P256, 0x0015), complete=True),)
    assert dicom("B.13", replace(WHOLE_B13, groups=weak)).evidence["too_much"] == ["secp224r1"]


def test_b12_at_full_depth_needs_no_refused_offer() -> None:
    facts = full_depth(listed_version("TLS 1.2", (GCM, CBC)), TLS_1_3)
    weak = replace(WEAK_REFUSED, acceptance=Acceptance.ACCEPTED, cipher_suite=CBC)
    verdict = dicom("B.12", replace(facts, offers=(weak,)))
    assert (verdict.status, verdict.evidence["discouraged"]) == (PASS, ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"])
    assert dicom("B.12", replace(with_version(facts, complete=False), offers=(weak,))).status is UNKNOWN


def test_a_whole_list_without_dhe_needs_no_size_of_its_field() -> None:
    weak = RULES["tls.weak-cipher"]
    case = service_case(tls_archive(), replace(GOOD, offers=(REST_REFUSED,)))
    assert weak.judge(case).status is PASS
    assert weak.judge(service_case(tls_archive(), modern(REST_REFUSED))).status is UNKNOWN


@pytest.mark.parametrize("profile", ["B.1", "B.3"])
def test_tls_1_3_alone_has_no_suite_of_old_profiles_whatever_its_key(profile: str) -> None:
    verdict = dicom(profile, newest_only())
    assert verdict.status is FAIL
    assert verdict.evidence["missing"] == list(tls_profiles()[profile].suites.required)


def test_the_profile_of_another_standard_is_none_of_dicom() -> None:
    assert dicom(NIST, GOOD, SHOWN).status is UNKNOWN


# --------------------------------------------------------------------------------------------------------------- orders


def test_none_of_two_orders_is_no_pass() -> None:
    mixed = listed_version(suites=(GCM, CBC), server_order=None)
    assert order(full_depth(mixed)).status is UNKNOWN
    assert order(full_depth(replace(mixed, server_order=False))).status is FAIL
    assert order(full_depth(replace(mixed, server_order=True))).status is PASS


def test_one_version_in_the_order_of_the_client_fails_beside_any_other() -> None:
    own = listed_version("TLS 1.2", (GCM, CBC))
    client = listed_version("TLS 1.1", (0xC014, 0x000A), server_order=False)
    verdict = order(full_depth(own, client))
    assert verdict.status is FAIL
    assert "TLS 1.1" in verdict.summary
    assert "TLS_RSA_WITH_3DES_EDE_CBC_SHA" in verdict.summary


def test_weak_ones_alone_have_no_better_beside_them() -> None:
    assert order(full_depth(listed_version(suites=(CBC, STATIC_RSA), server_order=False))).status is PASS


def test_an_order_of_one_place_says_nothing_of_another() -> None:
    own = full_depth(listed_version(suites=(GCM, CBC)))
    assert order(own, modern()).status is UNKNOWN
    assert order(own, full_depth(listed_version(suites=(GCM, CBC), server_order=False))).status is FAIL


def test_sslv2_leaves_the_order_open() -> None:
    facts = full_depth(listed_version(suites=(GCM,)))
    old = VersionFacts("SSLv2", Acceptance.ACCEPTED)
    assert order(replace(facts, versions=(old, *facts.versions))).status is UNKNOWN


# ----------------------------------------------------------------------------------------------------------- properties


VERSIONS = ("SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
OLD_CODES = [GCM, GCM_256, CBC, CHACHA20, STATIC_RSA, DHE, 0x0005, 0xC012, 0xC014, *B13]


@st.composite
def one_version(draw: st.DrawFn) -> VersionFacts:
    version = draw(st.sampled_from(VERSIONS))
    codes = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305] if version == "TLS 1.3" else OLD_CODES
    return VersionFacts(
        version,
        draw(st.sampled_from(Acceptance)),
        suites=tuple(draw(st.lists(st.sampled_from(codes), max_size=4, unique=True))),
        complete=draw(st.booleans()),
        server_order=draw(st.none() | st.booleans()),
        group=draw(st.none() | st.sampled_from([0x0013, P256, X25519])),
        prime_bits=draw(st.none() | st.sampled_from([1024, 2048])),
        compression=draw(st.none() | st.booleans()),
        secure_renegotiation=draw(st.none() | st.booleans()),
    )


PLACES = st.builds(
    TlsFacts,
    versions=st.lists(one_version(), max_size=6).map(tuple),
    groups=st.lists(
        st.builds(
            GroupFacts,
            version=st.sampled_from(VERSIONS),
            groups=st.lists(st.sampled_from([0x0013, P256, X25519]), max_size=3).map(tuple),
            complete=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    features=st.none() | st.builds(TlsFeatures, extended_master_secret=st.none() | st.booleans()),
)


def suites_of(case: Case) -> list[tuple[str, CipherSuite]]:
    every = cipher_suites()
    return [
        (one.version, every[code])
        for facts in case.facts(TlsFacts)
        for one in facts.versions
        if one.acceptance is Acceptance.ACCEPTED
        for code in one.suites
    ]


@settings(max_examples=400, deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=2), st.sampled_from(["B.11", "B.12", "B.13"]))
def test_nothing_passes_that_is_not_known_whole(found: list[TlsFacts], profile: str) -> None:
    case = service_case(tls_archive(profile=profile), *found, SHOWN)
    verdicts = {name: RULES[f"tls.{name}"].judge(case) for name in ("sp800-52r2", "dicom-profile", "server-order")}
    assert all(0 < len(verdict.summary) <= 200 for verdict in verdicts.values())
    every = [one for facts in found for one in facts.versions if one.acceptance is not Acceptance.REFUSED]
    # The handshake of these cases shows TLS 1.3, so that its hello must have as well.
    whole = {one.version for one in every if one.acceptance is Acceptance.ACCEPTED and one.complete and one.suites}
    whole -= {one.version for one in every if not (one.acceptance is Acceptance.ACCEPTED and one.complete)}
    told = {one.version for facts in found for one in facts.versions}
    if verdicts["sp800-52r2"].status is PASS:
        assert {one.version for one in every} <= whole
        assert told == set(VERSIONS)
        assert {suite.name for _version, suite in suites_of(case)} <= set(tls_profiles()[NIST].suites.also_permitted)
        assert not any(one.compression for one in every)
    if verdicts["dicom-profile"].status is PASS and profile != "B.12":
        assert {one.version for one in every} - {"TLS 1.3"} <= whole
        listed = tls_profiles()[profile].suites
        used = {suite.name for version, suite in suites_of(case) if version != "TLS 1.3"}
        assert used <= {*listed.required, *listed.also_permitted}
        assert {name for name in listed.required if not name.startswith("TLS_AES") and "_WITH_" in name} <= used
    if verdicts["server-order"].status is PASS:
        older = [one for one in every if one.version != "TLS 1.3"]
        assert {one.version for one in older} <= whole


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_thing_less_than_all_is_no_pass(data: st.DataObject) -> None:
    spoilt: dict[str, object] = data.draw(
        st.sampled_from(
            [
                {"complete": False},
                {"suites": ()},
                {"acceptance": Acceptance.INCONCLUSIVE},
                {"compression": None},
                {"secure_renegotiation": None},
            ]
        )
    )
    at_first = data.draw(st.booleans())
    bad = with_version(GOOD, **spoilt)
    assert nist(*((bad, GOOD) if at_first else (GOOD, bad)), SHOWN).status is UNKNOWN


def test_policy_depth_is_unknown_or_fails() -> None:
    chosen = accepted_version(group=P256)
    assert nist(modern(WEAK_REFUSED, chosen=chosen), SHOWN).status is UNKNOWN
    refused = hellos(refused=["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.3"], more=[chosen])
    assert nist(refused, handshake(certificate(), version="TLS 1.2")).status is FAIL
