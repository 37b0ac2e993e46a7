"""What is shown without a name, beside what is shown by it: which of both decides, and what is said of the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from checker.model import (
    Acceptance,
    Asset,
    CertificateFacts,
    DefaultHostFacts,
    HandshakeFacts,
    Observation,
    OfferFacts,
    Service,
    ServiceKind,
    Status,
    TlsFacts,
    TlsOffer,
)
from checker.records import line, read_observation
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.default_host import default_certificates, default_hosts
from checker.rules.examples import NOW, archive, asset_case, dicomweb_service, seen, service_case, web_service
from checker.rules.examples_tls import (
    BROKEN_REFUSED,
    DAY,
    HOST,
    KEY,
    OTHER_KEY,
    WEAK_REFUSED,
    certificate,
    chosen_offer,
    handshake,
    hellos,
    modern,
    tls_archive,
    unclear_offer,
    without_name,
)

RULES = {entry.id: entry.rule for entry in catalogue() if entry.family == "tls"}
CERTIFICATE_RULES = ("certificate-expired", "certificate-expiring", "certificate-name", "certificate-untrusted")
PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
BROKEN, WEAK = TlsOffer.BROKEN_SUITES, TlsOffer.WEAK_SUITES

DICOM = tls_archive(hostname=HOST)
WEB = archive(web_service(f"https://{HOST}/"), hostname=HOST)
OTHERS = [
    WEB,
    archive(dicomweb_service(f"https://{HOST}/dicom-web"), hostname=HOST),
    archive(Service(ServiceKind.SYSLOG_TLS, 6514), hostname=HOST),
    archive(Service(ServiceKind.LDAPS, 636), hostname=HOST),
]
GOOD = certificate(names_asked=[HOST])
EXPIRED = replace(GOOD, not_after=NOW - DAY, sha256="c1" * 32)
EXPIRING = replace(GOOD, not_after=NOW + DAY, sha256="c1" * 32)
FOREIGN = replace(GOOD, dns_names=("gateway.example.org",), ip_addresses=(), name_matches=False, sha256="c1" * 32)
UNTRUSTED = replace(GOOD, trusted=False, trust_detail="it is self-signed", self_signed=True, sha256="c1" * 32)
WEAK_KEY = replace(GOOD, key_type="RSA", key_bits=1024, sha256="c1" * 32)
BAD = {
    "certificate-expired": EXPIRED,
    "certificate-expiring": EXPIRING,
    "certificate-name": FOREIGN,
    "certificate-untrusted": UNTRUSTED,
    "certificate-weak": WEAK_KEY,
}


def judged(
    rule: str, of: Asset, shown: CertificateFacts | None, *named: HandshakeFacts, offers: Sequence[OfferFacts] = ()
) -> Verdict:
    facts = without_name(*offers, shown=shown)
    return RULES[f"tls.{rule}"].judge(service_case(of, facts, *(named or (handshake(GOOD),))))


# ----------------------------------------------------------------------------------------------------- certificates


@pytest.mark.parametrize("rule", BAD)
def test_of_dicom_the_worse_certificate_decides(rule: str) -> None:
    worse = judged(rule, DICOM, BAD[rule])
    assert worse.status is FAIL
    assert worse.summary.startswith("To a client that names no host: the certificate ")
    assert worse.evidence["certificate"]["sha256"] == BAD[rule].sha256  # type: ignore[index, call-overload]
    assert judged(rule, DICOM, GOOD, handshake(BAD[rule])).status is FAIL
    assert "names no host" not in judged(rule, DICOM, GOOD, handshake(BAD[rule])).summary


@pytest.mark.parametrize("of", OTHERS, ids=[asset.services[0].kind.value for asset in OTHERS])
@pytest.mark.parametrize("rule", CERTIFICATE_RULES)
def test_of_the_others_the_one_by_name_does_and_says_so(rule: str, of: Asset) -> None:
    verdict = judged(rule, of, BAD[rule])
    assert verdict.status is PASS
    assert verdict.summary.endswith(", for clients that name the host.")
    assert verdict.evidence["default_host"][0]["sha256"] == BAD[rule].sha256  # type: ignore[index, call-overload]


@pytest.mark.parametrize("of", OTHERS)
def test_a_weak_key_is_a_fault_of_theirs_only_in_a_certificate_for_the_name(of: Asset) -> None:
    assert judged("certificate-weak", of, WEAK_KEY).status is FAIL
    foreign = replace(FOREIGN, key_type="RSA", key_bits=1024)
    assert judged("certificate-weak", of, foreign).status is PASS
    assert judged("certificate-weak", DICOM, foreign).status is FAIL
    # A default certificate with no name of a host is ordinary, and no fault of the web service.
    nameless = replace(FOREIGN, dns_names=())
    assert judged("certificate-weak", of, nameless).status is PASS
    unread = replace(WEAK_KEY, dns_names=(), ip_addresses=(), name_matches=None)
    assert judged("certificate-weak", of, unread).status is PASS


@pytest.mark.parametrize("rule", [*CERTIFICATE_RULES, "certificate-weak"])
def test_a_good_certificate_without_a_name_makes_up_for_nothing(rule: str) -> None:
    assert judged(rule, DICOM, GOOD, handshake(None)).status is UNKNOWN
    failed = HandshakeFacts(completed=False, version="TLS 1.2", detail="the connection was closed in the handshake")
    assert judged(rule, DICOM, GOOD, failed).status is UNKNOWN
    assert judged(rule, DICOM, BAD[rule], failed).status is FAIL


@pytest.mark.parametrize("rule", [*CERTIFICATE_RULES, "certificate-weak"])
@pytest.mark.parametrize("of", [DICOM, WEB])
def test_the_same_certificate_changes_no_word(rule: str, of: Asset) -> None:
    named_only = RULES[f"tls.{rule}"].judge(service_case(of, modern(), handshake(GOOD)))
    both = judged(rule, of, GOOD)
    assert (both.status, both.summary) == (PASS, named_only.summary)


@pytest.mark.parametrize("rule", [*CERTIFICATE_RULES, "certificate-weak"])
@pytest.mark.parametrize("acceptance", [Acceptance.REFUSED, Acceptance.INCONCLUSIVE])
@pytest.mark.parametrize("of", [DICOM, WEB])
def test_no_answer_without_a_name_leaves_the_verdict_by_name(rule: str, acceptance: Acceptance, of: Asset) -> None:
    facts = without_name(acceptance=acceptance)
    for shown, expected in ((GOOD, PASS), (BAD[rule], FAIL)):
        verdict = RULES[f"tls.{rule}"].judge(service_case(of, facts, handshake(shown)))
        assert verdict.status is expected
        assert verdict.evidence["default_host"] == [{"acceptance": acceptance.value, "reason": "no answer in time"}]
        assert verdict.summary.endswith(", for clients that name the host.") is (expected is PASS)


def test_where_no_name_was_sent_nothing_is_added() -> None:
    verdict = RULES["tls.certificate-name"].judge(service_case(DICOM, modern(), handshake(GOOD)))
    assert (verdict.status, verdict.summary) == (PASS, f"The certificate is for {HOST}.")
    assert "default_host" not in verdict.evidence


def test_an_expired_certificate_by_name_stays_the_matter_of_its_own_rule() -> None:
    assert judged("certificate-expiring", DICOM, GOOD, handshake(EXPIRED)).status is NOT_APPLICABLE
    assert judged("certificate-expiring", DICOM, EXPIRING, handshake(EXPIRED)).status is FAIL
    verdict = judged("certificate-expiring", DICOM, EXPIRED)
    assert verdict.status is PASS
    assert verdict.summary.endswith(", for clients that name the host.")


def test_what_cannot_be_judged_of_the_one_that_dicom_peers_meet_is_unknown() -> None:
    unclear = replace(UNTRUSTED, trusted=None, trust_detail="path validation came to no answer")
    assert judged("certificate-untrusted", DICOM, unclear).status is UNKNOWN
    assert judged("certificate-untrusted", WEB, unclear).status is PASS
    assert judged("certificate-untrusted", DICOM, unclear, handshake(UNTRUSTED)).status is FAIL


def test_the_same_leaf_without_the_certificates_above_it_is_another_answer() -> None:
    cut = replace(GOOD, trusted=False, trust_detail="its issuer is not in the trust store")
    assert judged("certificate-untrusted", DICOM, cut).status is FAIL
    assert judged("certificate-untrusted", WEB, cut).summary.endswith(", for clients that name the host.")


@pytest.mark.parametrize(
    ("fault", "expected"), [(timedelta(seconds=-1), FAIL), (timedelta(0), PASS), (timedelta(seconds=1), PASS)]
)
def test_the_other_certificate_expires_when_it_is_judged_later(fault: timedelta, expected: Status) -> None:
    assert judged("certificate-expired", DICOM, replace(GOOD, not_after=NOW + fault)).status is expected


# ------------------------------------------------------------------------------------------------------- shared keys


def shared(of: Asset, facts: TlsFacts, **sharers: tuple[str, ...]) -> Verdict:
    port = of.services[0].port
    case = asset_case(of, seen(handshake(GOOD), 0, port=port), seen(facts, 0, port=port), sharers=sharers)
    return RULES["tls.certificate-shared-key"].judge(case)


def test_the_key_that_dicom_peers_meet_is_a_key_of_the_asset() -> None:
    facts = without_name(shown=certificate(key=OTHER_KEY))
    keys = RULES["tls.certificate-shared-key"].shares
    assert keys is not None
    of_dicom, of_web = (
        keys(asset_case(of, seen(handshake(GOOD), 0, port=port), seen(facts, 0, port=port)))
        for of, port in ((DICOM, 2762), (WEB, 443))
    )
    assert (of_dicom, of_web) == ((KEY, OTHER_KEY), (KEY,))
    verdict = shared(DICOM, facts, **{KEY: ("synthetic-01",), OTHER_KEY: ("synthetic-01", "synthetic-02")})
    assert verdict.status is FAIL
    assert len(verdict.observations) == 1
    assert shared(WEB, facts, **{KEY: ("synthetic-01",), OTHER_KEY: ("synthetic-01", "synthetic-02")}).status is PASS


def test_a_certificate_without_a_name_is_not_the_one_that_the_service_has_to_show() -> None:
    facts = without_name(shown=certificate(key=OTHER_KEY))
    case = asset_case(DICOM, seen(facts, 0, port=2762), sharers={OTHER_KEY: ("synthetic-01",)})
    assert RULES["tls.certificate-shared-key"].judge(case).status is UNKNOWN


# ------------------------------------------------------------------------------------------------------------- suites


@pytest.mark.parametrize("of", [DICOM, *OTHERS])
def test_suites_without_a_name_count_for_every_kind(of: Asset) -> None:
    null, static = chosen_offer(BROKEN, 0x0002), chosen_offer(WEAK, 0x009C)
    broken = judged("broken-cipher", of, GOOD, offers=[null])
    assert broken.status is FAIL
    assert broken.evidence["accepted"] == [
        {"version": "TLS 1.2", "cipher_suite": "TLS_RSA_WITH_NULL_SHA", "without_name": True}
    ]
    assert judged("weak-cipher", of, GOOD, offers=[static]).status is FAIL
    small = chosen_offer(WEAK, 0x009E, prime_bits=1024)
    assert "finite field of 1024 bits" in judged("weak-cipher", of, GOOD, offers=[small]).summary


def test_a_suite_that_is_taken_by_name_as_well_is_told_once() -> None:
    static = chosen_offer(WEAK, 0x009C)
    facts = without_name(static, asked=modern(BROKEN_REFUSED, static))
    verdict = RULES["tls.weak-cipher"].judge(service_case(DICOM, facts))
    assert verdict.summary == ("The service accepts weak suites: TLS_RSA_WITH_AES_128_GCM_SHA256 (no forward secrecy).")


@pytest.mark.parametrize(
    ("rule", "kind", "refused"), [("broken", BROKEN, BROKEN_REFUSED), ("weak", WEAK, WEAK_REFUSED)]
)
def test_a_pass_says_whether_it_is_by_the_name_alone(rule: str, kind: TlsOffer, refused: OfferFacts) -> None:
    sentence = f"The service refuses every {rule} suite that was offered to it"
    for offers, behind in (((refused,), ""), ((), " by its name"), ((unclear_offer(kind),), " by its name")):
        verdict = judged(f"{rule}-cipher", DICOM, GOOD, offers=offers)
        assert (verdict.status, verdict.summary) == (PASS, f"{sentence}{behind}.")
    turned_away = without_name(acceptance=Acceptance.REFUSED)
    assert RULES[f"tls.{rule}-cipher"].judge(service_case(DICOM, turned_away)).summary == f"{sentence}."


@pytest.mark.parametrize("rule", ["broken-cipher", "weak-cipher", "dicom-profile"])
def test_refusals_without_a_name_prove_nothing_of_the_name(rule: str) -> None:
    facts = without_name(BROKEN_REFUSED, WEAK_REFUSED, shown=GOOD, asked=modern())
    assert RULES[f"tls.{rule}"].judge(service_case(DICOM, facts)).status is UNKNOWN


def test_what_a_profile_requires_is_not_there_for_being_taken_without_a_name() -> None:
    owner = tls_archive(hostname=HOST, profile="B.1")
    by_name = modern(BROKEN_REFUSED, chosen_offer(WEAK, 0x000A))
    case = service_case(owner, by_name)
    assert RULES["tls.dicom-profile"].judge(case).status is not FAIL
    unnamed = without_name(chosen_offer(WEAK, 0x000A), asked=modern(BROKEN_REFUSED, WEAK_REFUSED))
    assert RULES["tls.dicom-profile"].judge(service_case(owner, unnamed)).status is not PASS


def test_an_obsolete_version_without_a_name_is_too_much_for_a_profile() -> None:
    facts = without_name(shown=GOOD)
    assert facts.default_host is not None
    old = replace(facts.default_host, version="TLS 1.0", cipher_suite=0xC014)
    verdict = RULES["tls.dicom-profile"].judge(service_case(DICOM, replace(facts, default_host=old)))
    assert verdict.status is FAIL


# --------------------------------------------------------------------------------------------------------------- facts


def test_one_port_of_two_names_has_one_default_host() -> None:
    facts = without_name(shown=GOOD)
    case = service_case(DICOM, facts, replace(facts, server_name="viewer.example.org"), hellos(accepted=["TLS 1.2"]))
    assert default_hosts(case) == [facts.default_host]
    assert default_certificates(case) == [GOOD]


def test_it_is_stored_and_runs_from_before_can_still_be_read() -> None:
    facts = without_name(BROKEN_REFUSED, chosen_offer(WEAK, 0x009C), shown=GOOD)
    kept = Observation("arc-01:1", "arc-01", "local", NOW, "10.20.1.5", 2762, 0, facts)
    assert isinstance(facts.default_host, DefaultHostFacts)
    assert read_observation(line(kept), "here") == kept
    written = json.loads(line(kept))
    del written["facts"]["default_host"]
    read = read_observation(json.dumps(written).encode(), "here")
    assert read.facts == replace(facts, default_host=None)
