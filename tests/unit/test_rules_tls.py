"""The rules about TLS beyond their worked examples: doubt is no pass, and one bad answer outweighs the good ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.catalog.cipher_suites import cipher_suite, cipher_suites, suite_name
from checker.catalog.named_groups import named_groups
from checker.catalog.tls_profiles import read_profile, tls_profiles
from checker.codecs.ssl2 import Ssl2Answer
from checker.codecs.tls import Alert, Flight
from checker.codecs.tls_hello import Version
from checker.codecs.tls_policy import broken_suites, dhe_aead_suites, weak_suites
from checker.codecs.tls_versions import read_ssl2
from checker.inventory.fields import TlsProfile
from checker.model import (
    Acceptance,
    AssociationOutcome,
    CertificateFacts,
    ConnectState,
    End,
    GroupFacts,
    HandshakeFacts,
    HttpEnd,
    HttpFacts,
    OfferFacts,
    PortFacts,
    ServiceKind,
    Severity,
    Status,
    TlsFacts,
    TlsOffer,
    VersionFacts,
)
from checker.rules import CataloguedRule, catalogue
from checker.rules.base import Case, Verdict
from checker.rules.cases import service_cases
from checker.rules.examples import (
    ADDRESS,
    NOW,
    OTHER_ADDRESS,
    archive,
    asset,
    asset_case,
    dicom_service,
    dicom_tls_service,
    dicomweb_service,
    seen,
    service_case,
    survey,
    web_service,
)
from checker.rules.examples_tls import (
    BROKEN_REFUSED,
    DAY,
    DHE_CHOSEN,
    GROUP_NAMES,
    HOST,
    KEY,
    OLD_VERSIONS,
    OTHER_KEY,
    REST_REFUSED,
    SUITE_NAMES,
    WEAK_REFUSED,
    accepted_version,
    certificate,
    chosen_offer,
    handshake,
    hellos,
    modern,
    newest_only,
    refused_offer,
    tls_archive,
    unclear_offer,
)
from checker.rules.suites import CLASSES, Choice, undecided_options, weakness
from checker.rules.transport import is_weary

RULES = {entry.id: entry for entry in catalogue() if entry.family == "tls"}
SERVICE_RULES = [entry for entry in RULES.values() if entry.id != "tls.certificate-shared-key"]
CERTIFICATE_RULES = [rule for rule in RULES if rule.startswith("tls.certificate-") and "shared" not in rule]
VERSIONS = ("SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")


def judge(rule: str, case: Case) -> Verdict:
    return RULES[f"tls.{rule}"].rule.judge(case)


def status(rule: str, case: Case) -> Status:
    return judge(rule, case).status


def shown(*certificates: CertificateFacts | None, hostname: str | None = None) -> Case:
    """A case of a service that presented these certificates, one in each handshake."""
    return service_case(tls_archive(hostname=hostname), *(handshake(one) for one in certificates))


# --------------------------------------------------------------------------------------------------- which services


def test_only_services_that_are_declared_as_tls_are_judged() -> None:
    plain = [dicom_service(), web_service("http://archive.example.org/")]
    tls = [dicom_tls_service(), dicomweb_service(), web_service()]
    tls += [replace(dicom_tls_service(), kind=kind) for kind in (ServiceKind.SYSLOG_TLS, ServiceKind.LDAPS)]
    for entry in SERVICE_RULES:
        assert [entry.rule.applies(service) for service in plain] == [False, False], entry.id
        judged = [service for service in tls if entry.rule.applies(service)]
        # The profiles of DICOM are about DICOM.
        assert judged == (tls[:1] if entry.id == "tls.dicom-profile" else tls), entry.id


@pytest.mark.parametrize("entry", SERVICE_RULES, ids=lambda entry: str(entry.id))
def test_a_plaintext_answer_is_neither_good_nor_bad_tls(entry: CataloguedRule) -> None:
    owner = tls_archive(client_certificate="required")
    for answer in (TlsFacts(plaintext_dicom=True, answered=False), TlsFacts(plaintext_http=True)):
        verdict = entry.rule.judge(service_case(owner, answer))
        assert verdict.status is Status.UNKNOWN
        assert "plaintext" in verdict.summary


@pytest.mark.parametrize("entry", SERVICE_RULES, ids=lambda entry: str(entry.id))
def test_no_connection_is_unknown_and_says_so(entry: CataloguedRule) -> None:
    case = service_case(tls_archive(client_certificate="required"), PortFacts(state=ConnectState.CLOSED))
    verdict = entry.rule.judge(case)
    assert verdict.status is Status.UNKNOWN
    assert "closed" in verdict.summary


# --------------------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize("doubtful", ["SSLv3", "TLS 1.0", "TLS 1.1"])
def test_one_undecided_old_version_is_no_pass(doubtful: str) -> None:
    refused = [version for version in ("SSLv3", "TLS 1.0", "TLS 1.1") if version != doubtful]
    case = service_case(tls_archive(), hellos(accepted=["TLS 1.2"], refused=refused, inconclusive=[doubtful]))
    verdict = judge("obsolete-protocol", case)
    assert verdict.status is Status.UNKNOWN
    assert verdict.evidence["not_decided"] == [doubtful]


def test_an_old_version_that_was_not_asked_is_no_pass() -> None:
    case = service_case(tls_archive(), hellos(accepted=["TLS 1.2"], refused=["TLS 1.0", "TLS 1.1"]))
    assert status("obsolete-protocol", case) is Status.UNKNOWN


def test_sslv2_counts_where_it_was_asked() -> None:
    refused = ["SSLv3", "TLS 1.0", "TLS 1.1"]
    accepted = service_case(tls_archive(), hellos(accepted=["SSLv2", "TLS 1.2"], refused=refused))
    undecided = service_case(tls_archive(), hellos(accepted=["TLS 1.2"], refused=refused, inconclusive=["SSLv2"]))
    assert judge("obsolete-protocol", accepted).severity is Severity.CRITICAL
    assert status("obsolete-protocol", undecided) is Status.UNKNOWN


@pytest.mark.parametrize("end", [End.CLOSED, End.RESET])
def test_hanging_up_on_sslv2_is_no_doubt_where_tls_is_spoken(end: End) -> None:
    hung_up = read_ssl2(Ssl2Answer(), end)
    assert hung_up.acceptance is Acceptance.INCONCLUSIVE
    refused = ["SSLv3", "TLS 1.0", "TLS 1.1"]
    spoken = service_case(tls_archive(), hellos(accepted=["TLS 1.2"], refused=refused, more=[hung_up]))
    mute = service_case(tls_archive(), hellos(refused=[*refused, "TLS 1.2", "TLS 1.3"], more=[hung_up]))
    assert status("obsolete-protocol", spoken) is Status.PASS
    assert status("obsolete-protocol", mute) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Ssl2Answer(flight=Flight(tls=True, alert=Alert(True, 70))), Status.PASS),  # protocol_version
        (Ssl2Answer(flight=Flight(tls=True, alert=Alert(True, 80))), Status.PASS),  # internal_error: TLS all the same
        (Ssl2Answer(error=1), Status.PASS),  # SSLv2's own words for "no cipher"
        (Ssl2Answer(error=2), Status.UNKNOWN),  # so it speaks SSLv2, and has no certificate
        (Ssl2Answer(malformed="a message that is no answer to a hello of SSLv2"), Status.UNKNOWN),
        (Ssl2Answer(server_hello=True), Status.FAIL),
    ],
)
def test_what_an_answer_to_sslv2_says(answer: Ssl2Answer, expected: Status) -> None:
    facts = hellos(accepted=["TLS 1.2"], refused=["SSLv3", "TLS 1.0", "TLS 1.1"], more=[read_ssl2(answer, None)])
    assert status("obsolete-protocol", service_case(tls_archive(), facts)) is expected


def test_silence_to_sslv2_and_a_question_that_was_not_put_are_doubts() -> None:
    for doubt in (
        read_ssl2(Ssl2Answer(), End.TIMEOUT),
        VersionFacts("SSLv2", Acceptance.INCONCLUSIVE, reason="not asked"),
    ):
        facts = hellos(
            accepted=["TLS 1.2"],
            refused=["SSLv3", "TLS 1.0", "TLS 1.1"],
            more=[doubt],
            offers=[BROKEN_REFUSED, WEAK_REFUSED],
        )
        for rule in ("obsolete-protocol", "broken-cipher", "dicom-profile"):
            assert status(rule, service_case(tls_archive(), facts)) is Status.UNKNOWN, rule


def test_one_acceptance_outweighs_later_refusals_and_one_doubt_a_refusal() -> None:
    good = hellos(accepted=["TLS 1.3"], refused=["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2"])
    accepted = service_case(tls_archive(), hellos(accepted=["TLS 1.1"]), good)
    doubted = service_case(tls_archive(), good, hellos(inconclusive=["TLS 1.1"]))
    assert status("obsolete-protocol", accepted) is Status.FAIL
    assert status("obsolete-protocol", doubted) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("name", "obsolete", "modern"),
    [
        ("TLSv1", Status.FAIL, Status.UNKNOWN),
        ("TLSv1.1", Status.FAIL, Status.UNKNOWN),
        ("TLSv1.2", Status.UNKNOWN, Status.PASS),
        ("TLSv1.3", Status.UNKNOWN, Status.PASS),
    ],
)
def test_a_handshake_proves_its_version_under_either_name(name: str, obsolete: Status, modern: Status) -> None:
    case = service_case(tls_archive(), handshake(version=name))
    assert status("obsolete-protocol", case) is obsolete
    assert status("modern-protocol-missing", case) is modern


def test_a_handshake_that_was_not_completed_proves_no_version() -> None:
    case = service_case(tls_archive(), replace(handshake(version="TLS 1.3"), completed=False))
    assert status("modern-protocol-missing", case) is Status.UNKNOWN


def test_a_service_that_refused_everything_does_not_lack_modern_tls() -> None:
    case = service_case(tls_archive(), hellos(refused=VERSIONS))
    assert status("modern-protocol-missing", case) is Status.UNKNOWN
    assert status("obsolete-protocol", case) is Status.UNKNOWN


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(VERSIONS), st.sampled_from(Acceptance)))
def test_what_any_ladder_of_versions_says(ladder: dict[str, Acceptance]) -> None:
    facts = TlsFacts(versions=tuple(VersionFacts(*step) for step in ladder.items()), answered=True)
    case = service_case(tls_archive(), facts)
    accepted = {version for version, answer in ladder.items() if answer is Acceptance.ACCEPTED}
    old_refused = {"SSLv3", "TLS 1.0", "TLS 1.1"} <= {
        version for version, answer in ladder.items() if answer is Acceptance.REFUSED
    }
    obsolete = status("obsolete-protocol", case)
    modern = status("modern-protocol-missing", case)
    assert (obsolete is Status.FAIL) is bool(accepted & set(VERSIONS[:4]))
    assert (modern is Status.PASS) is bool(accepted & {"TLS 1.2", "TLS 1.3"})
    if obsolete is Status.PASS:
        assert old_refused
        assert accepted
    if modern is Status.FAIL:
        assert ladder["TLS 1.2"] is ladder["TLS 1.3"] is Acceptance.REFUSED
        assert accepted


# ----------------------------------------------------------------------------------------------------- certificates


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        ("certificate-expired", certificate(not_after=NOW - DAY)),
        ("certificate-expiring", certificate(not_after=NOW + DAY)),
        ("certificate-name", certificate(dns_names=(), ip_addresses=[OTHER_ADDRESS], name_matches=False)),
        ("certificate-untrusted", certificate(trusted=False)),
        ("certificate-weak", certificate(key_type="RSA", key_bits=1024)),
    ],
)
def test_one_bad_certificate_of_several_fails(rule: str, bad: CertificateFacts) -> None:
    assert status(rule, shown(certificate(), bad)) is Status.FAIL
    assert status(rule, shown(bad, certificate())) is Status.FAIL
    assert status(rule, shown(None, bad)) is Status.FAIL
    assert status(rule, shown(certificate())) is Status.PASS


@pytest.mark.parametrize("rule", CERTIFICATE_RULES)
def test_a_good_certificate_does_not_speak_for_one_that_was_not_read(rule: str) -> None:
    verdict = RULES[rule].rule.judge(shown(certificate(), None))
    assert verdict.status is Status.UNKNOWN


@pytest.mark.parametrize("rule", CERTIFICATE_RULES)
def test_a_failed_handshake_beside_a_good_one_is_no_doubt(rule: str) -> None:
    failed = HandshakeFacts(completed=False, detail="reset")
    assert RULES[rule].rule.judge(service_case(tls_archive(), failed, handshake(certificate()))).status is Status.PASS


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (timedelta(0), Status.PASS),  # both ends belong to the period
        (timedelta(microseconds=-1), Status.FAIL),
        (timedelta(seconds=1), Status.PASS),
    ],
)
def test_the_last_moment_of_a_certificate_is_still_its_own(offset: timedelta, expected: Status) -> None:
    assert status("certificate-expired", shown(certificate(not_after=NOW + offset))) is expected
    begins = certificate(not_before=NOW - offset, not_after=NOW + 40 * DAY)
    assert status("certificate-expired", shown(begins)) is expected


def test_a_stored_certificate_expires_when_it_is_judged_later() -> None:
    case = shown(certificate())
    assert status("certificate-expired", replace(case, now=NOW + 150 * DAY)) is Status.PASS
    assert status("certificate-expiring", replace(case, now=NOW + 171 * DAY)) is Status.FAIL
    assert status("certificate-expired", replace(case, now=NOW + 201 * DAY)) is Status.FAIL
    assert status("certificate-expiring", replace(case, now=NOW + 201 * DAY)) is Status.NOT_APPLICABLE


def test_times_beyond_every_calendar_do_not_trip_the_rules() -> None:
    endless = certificate(not_before=datetime(1, 1, 1, tzinfo=UTC), not_after=datetime(9999, 12, 31, tzinfo=UTC))
    assert status("certificate-expired", shown(endless)) is Status.PASS
    assert status("certificate-expiring", shown(endless)) is Status.PASS


def test_the_host_of_the_url_is_what_its_certificate_must_have() -> None:
    web = archive(dicomweb_service(f"https://{HOST}/dicom-web"), hostname="other.example.org")
    right = handshake(certificate(ip_addresses=(), names_asked=[HOST]))
    wrong = handshake(certificate(dns_names=["other.example.org"], ip_addresses=(), names_asked=[HOST]))
    assert status("certificate-name", service_case(web, right)) is Status.PASS
    assert status("certificate-name", service_case(web, wrong)) is Status.FAIL


def test_an_address_in_a_url_is_compared_as_an_address() -> None:
    web = archive(dicomweb_service("https://[2001:DB8:20:0::5]/dicom-web"), hostname=HOST)
    address = "2001:db8:20::5"
    right = handshake(certificate(dns_names=(), ip_addresses=[address], names_asked=[address]))
    case = service_case(web, right, address=address)
    assert status("certificate-name", case) is Status.PASS


def test_a_name_that_the_server_was_not_asked_by_does_not_fail() -> None:
    foreign = certificate(dns_names=["default.example.org"], ip_addresses=(), name_matches=False)
    assert status("certificate-name", shown(foreign, hostname=HOST)) is Status.UNKNOWN


def test_a_certificate_with_more_names_than_are_kept_is_believed_only_for_the_name_asked() -> None:
    many = [f"host{number}.example.org" for number in range(50)]
    asked = certificate(dns_names=many, names_asked=[HOST, ADDRESS], name_matches=True)
    both = certificate(dns_names=many, names_asked=[HOST, "viewer.example.org"], name_matches=False)
    refused = certificate(dns_names=many, names_asked=[HOST], name_matches=False)
    assert status("certificate-name", shown(asked, hostname=HOST)) is Status.PASS
    assert status("certificate-name", shown(both, hostname=HOST)) is Status.UNKNOWN
    assert status("certificate-name", shown(refused, hostname=HOST)) is Status.FAIL


def test_a_name_of_the_peer_fits_into_a_sentence() -> None:
    long_name = ".".join(["a" * 60] * 4)
    foreign = certificate(dns_names=[long_name, long_name + "b"], ip_addresses=(), names_asked=[long_name[:-1]])
    foreign = replace(foreign, name_matches=False)
    verdict = judge("certificate-name", shown(foreign, hostname=long_name[:-1]))
    assert verdict.status is Status.FAIL
    assert len(verdict.summary) <= 200


def test_neither_host_name_nor_address_gives_nothing_to_compare() -> None:
    nameless = asset(dicom_tls_service(), addresses=[])
    case = service_case(nameless, handshake(certificate()), address=None)
    assert status("certificate-name", replace(case, address=None)) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "bits", "hash_name", "expected"),
    [
        ("RSA", 2048, "sha256", Status.PASS),
        ("RSA", 2047, "sha256", Status.FAIL),
        ("RSA", 0, "sha256", Status.UNKNOWN),
        ("EC", 256, "sha384", Status.PASS),
        ("EC", 224, "sha256", Status.FAIL),
        ("DSA", 1024, "sha256", Status.FAIL),
        ("Ed448", 456, "shake256", Status.PASS),
        ("other", 0, "sha256", Status.UNKNOWN),
        ("other", 0, "md5", Status.FAIL),
        ("RSA", 4096, "md5", Status.FAIL),
        ("RSA", 4096, "md2", Status.FAIL),
        ("RSA", 4096, None, Status.UNKNOWN),
    ],
)
def test_what_is_weak(kind: str, bits: int, hash_name: str | None, expected: Status) -> None:
    one = certificate(key_type=kind, key_bits=bits, signature_hash=hash_name)
    assert status("certificate-weak", shown(one)) is expected


def test_names_that_could_not_be_read_are_not_missing() -> None:
    unread = certificate(dns_names=(), ip_addresses=(), name_matches=None)
    assert status("certificate-weak", shown(unread)) is Status.UNKNOWN
    weak = replace(unread, key_bits=192)
    assert status("certificate-weak", shown(weak)) is Status.FAIL


# ------------------------------------------------------------------------------------------------------- shared keys


def shared(case: Case, **sharers: tuple[str, ...]) -> Status:
    return judge("certificate-shared-key", replace(case, sharers={KEY: ("synthetic-01",), **sharers})).status


def test_a_key_of_ones_own_on_two_services_is_not_shared() -> None:
    two = archive(dicom_tls_service(), dicomweb_service())
    both = [seen(handshake(certificate()), index, port=port) for index, port in ((0, 2762), (1, 443))]
    assert shared(asset_case(two, *both)) is Status.PASS


def test_a_service_whose_certificate_was_not_seen_leaves_the_asset_unknown() -> None:
    two = archive(dicom_tls_service(), dicomweb_service())
    one = seen(handshake(certificate()), 0, port=2762)
    assert shared(asset_case(two, one)) is Status.UNKNOWN
    assert judge("certificate-shared-key", asset_case(two, one, sharers={KEY: ("b", "c")})).status is Status.FAIL


def test_an_address_that_was_not_asked_leaves_the_asset_unknown() -> None:
    both = asset(dicom_tls_service(), addresses=[ADDRESS, OTHER_ADDRESS])
    assert shared(asset_case(both, seen(handshake(certificate()), 0, port=2762))) is Status.UNKNOWN


def test_thousands_with_one_key_are_counted_and_few_are_named() -> None:
    fleet = tuple(f"synthetic-{number:05}" for number in range(5000))
    case = asset_case(tls_archive(), seen(handshake(certificate()), 0, port=2762), sharers={KEY: fleet})
    verdict = judge("certificate-shared-key", case)
    assert verdict.status is Status.FAIL
    assert "4999 more" in verdict.summary
    assert len(str(verdict.evidence)) < 2000
    assert verdict.observations == ("synthetic-1",)


def test_the_keys_of_an_asset_are_those_it_presented() -> None:
    rule = RULES["tls.certificate-shared-key"].rule
    assert rule.shares is not None
    case = asset_case(
        tls_archive(),
        seen(handshake(certificate()), 0, port=2762),
        seen(handshake(certificate(key=OTHER_KEY)), 0, port=2762),
        seen(handshake(certificate()), 0, port=2762),
        seen(handshake(None), 0, port=2762),
    )
    assert list(rule.shares(case)) == [KEY, OTHER_KEY]


# ---------------------------------------------------------------------------------------------- client certificates

MUTUAL = tls_archive(client_certificate="required")
MUTUAL_WEB = archive(replace(dicomweb_service(), client_certificate="required"))


def page(status_code: int | None = None, **more: object) -> HttpFacts:
    return replace(HttpFacts(tls=True, end=HttpEnd.ANSWERED, status=status_code), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "outcome", [AssociationOutcome.ACCEPTED, AssociationOutcome.REJECTED, AssociationOutcome.ABORTED]
)
def test_a_dicom_answer_inside_tls_is_use_whatever_the_handshake_said(outcome: AssociationOutcome) -> None:
    case = service_case(MUTUAL, handshake(client_certificate="required"), survey(outcome, tls=True))
    assert status("client-certificate-optional", case) is Status.FAIL


def test_a_dicom_answer_in_plaintext_says_nothing_about_client_certificates() -> None:
    case = service_case(MUTUAL, survey(echo_status=0))
    assert status("client-certificate-optional", case) is Status.UNKNOWN


def test_an_association_refused_for_want_of_a_certificate_passes() -> None:
    case = service_case(MUTUAL, handshake(), survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True))
    assert status("client-certificate-optional", case) is Status.PASS


@pytest.mark.parametrize("outcome", [AssociationOutcome.TIMEOUT, AssociationOutcome.RESET, AssociationOutcome.CLOSED])
def test_silence_inside_tls_is_neither_use_nor_refusal(outcome: AssociationOutcome) -> None:
    case = service_case(MUTUAL, handshake(), survey(outcome, tls=True))
    assert status("client-certificate-optional", case) is Status.UNKNOWN


def test_a_handshake_that_nobody_asked_a_certificate_in_fails_for_dicom() -> None:
    case = service_case(MUTUAL, handshake(client_certificate="not-asked"))
    assert status("client-certificate-optional", case) is Status.FAIL


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (page(400, client_certificate_gate=True), Status.PASS),
        (page(None, end=HttpEnd.CLIENT_CERTIFICATE_REQUIRED), Status.PASS),
        (page(200), Status.FAIL),
        (page(302), Status.FAIL),
        (page(401), Status.UNKNOWN),
        (page(403), Status.UNKNOWN),
        (page(200, tls=False), Status.UNKNOWN),
        (page(None, end=HttpEnd.TIMEOUT), Status.UNKNOWN),
    ],
)
def test_a_web_server_is_judged_by_its_answers(answer: HttpFacts, expected: Status) -> None:
    case = service_case(MUTUAL_WEB, handshake(client_certificate="optional"), answer)
    assert status("client-certificate-optional", case) is expected


def test_one_page_served_outweighs_one_refused() -> None:
    case = service_case(MUTUAL_WEB, page(400, client_certificate_gate=True), page(200))
    assert status("client-certificate-optional", case) is Status.FAIL


@pytest.mark.parametrize("declared", [None, "not-asked", "optional"])
def test_only_a_declared_requirement_is_judged(declared: str | None) -> None:
    owner = tls_archive(client_certificate=declared)  # type: ignore[arg-type]
    case = service_case(owner, handshake(client_certificate="optional"))
    assert status("client-certificate-optional", case) is Status.NOT_APPLICABLE


# ------------------------------------------------------------------------------------- two names on one port


_A, _B = "a.example.org", "b.example.org"
_TWO_NAMES = archive(dicomweb_service(f"https://{_A}/dicom-web"), dicomweb_service(f"https://{_B}/dicom-web"))


def _asked_as_a(rule: str, *names: str) -> list[Status]:
    of_a = handshake(certificate(dns_names=names, names_asked=[_A, ADDRESS]))
    versions = replace(hellos(accepted=["TLS 1.3"], refused=["SSLv3", "TLS 1.0", "TLS 1.1"]), server_name=_A)
    whole = asset_case(
        _TWO_NAMES, *(seen(facts, service, port=443) for facts in (versions, of_a) for service in (0, 1))
    )
    return [judge(rule, case).status for case in service_cases(whole)]


@pytest.mark.parametrize(
    "rule",
    ["certificate-expired", "certificate-expiring", "certificate-untrusted", "certificate-weak",
     "certificate-name"],
)  # fmt: skip
def test_a_certificate_that_was_asked_for_by_another_name_says_nothing(rule: str) -> None:
    assert _asked_as_a(rule, _A) == [Status.PASS, Status.UNKNOWN]
    assert _asked_as_a(rule, _A, _B) == [Status.PASS, Status.PASS]


@pytest.mark.parametrize("rule", ["obsolete-protocol", "modern-protocol-missing"])
def test_versions_that_were_asked_by_another_name_say_nothing(rule: str) -> None:
    assert _asked_as_a(rule, _A) == [Status.PASS, Status.UNKNOWN]


# ------------------------------------------------------------------------------------------------- suites and options

BROKEN, WEAK, HYBRID = TlsOffer.BROKEN_SUITES, TlsOffer.WEAK_SUITES, TlsOffer.HYBRID_GROUPS
OFFER_RULES = ["broken-cipher", "weak-cipher", "weak-group", "compression", "insecure-renegotiation", "dicom-profile"]


def asked(*facts: TlsFacts | HandshakeFacts, profile: str | None = None) -> Case:
    return service_case(tls_archive(profile=profile), *facts)


def test_the_names_in_the_examples_are_those_of_the_catalogues() -> None:
    assert {code: suite_name(code) for code in SUITE_NAMES} == SUITE_NAMES
    assert {code: named_groups()[code].name for code in GROUP_NAMES} == GROUP_NAMES


def test_what_is_offered_as_weak_is_judged_as_weak_and_nothing_else_is() -> None:
    for code in weak_suites():
        assert weakness(Choice("TLS 1.2", cipher_suite(code))) is not None, suite_name(code)
    for code in dhe_aead_suites():
        assert weakness(Choice("TLS 1.2", cipher_suite(code), prime_bits=2048)) is None, suite_name(code)
        assert weakness(Choice("TLS 1.2", cipher_suite(code), prime_bits=2047)) is not None, suite_name(code)
    for version in (Version.SSL_3, Version.TLS_1_0, Version.TLS_1_1, Version.TLS_1_2):
        for code in broken_suites(version):
            facts = hellos(more=[accepted_version(version.label, None)])
            named = replace(facts.versions[-1], cipher_suite=code, cipher_suite_name=suite_name(code))
            assert status("broken-cipher", asked(replace(facts, versions=(named,)))) is Status.FAIL, suite_name(code)


@pytest.mark.parametrize("suite", [0xC02B, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0xC0AC])
def test_what_is_recommended_is_neither_broken_nor_weak(suite: int) -> None:
    chosen = replace(accepted_version(), cipher_suite=suite, cipher_suite_name=suite_name(suite))
    case = asked(modern(BROKEN_REFUSED, WEAK_REFUSED, chosen=chosen))
    for rule in ("broken-cipher", "weak-cipher", "dicom-profile"):
        assert status(rule, case) is Status.PASS, rule


def test_cbc_counts_under_tls_1_2_only() -> None:
    suite = cipher_suite(0xC014)
    assert weakness(Choice("TLS 1.2", suite)) == "CBC"
    assert weakness(Choice("TLS 1.0", suite)) is None


@pytest.mark.parametrize("rule", OFFER_RULES)
@pytest.mark.parametrize("version", [*OLD_VERSIONS, "TLS 1.2"])
def test_an_undecided_version_is_no_pass(rule: str, version: str) -> None:
    refused = [one for one in (*OLD_VERSIONS, "TLS 1.2") if one != version]
    newest = accepted_version("TLS 1.3", 0x1302, compression=None, secure_renegotiation=None)
    for doubtful in ([version], []):
        facts = hellos(refused=refused, inconclusive=doubtful, more=[newest], offers=[BROKEN_REFUSED, WEAK_REFUSED])
        assert status(rule, asked(facts)) is not Status.PASS


@pytest.mark.parametrize("rule", OFFER_RULES)
def test_sslv2_alone_is_no_pass(rule: str) -> None:
    facts = hellos(accepted=["SSLv2"], refused=[*OLD_VERSIONS, "TLS 1.2", "TLS 1.3"])
    assert status(rule, asked(facts)) is not Status.PASS
    assert status(rule, asked(replace(newest_only(), versions=(*newest_only().versions, *facts.versions)))) is not (
        Status.PASS
    )


@pytest.mark.parametrize(
    "rule", ["broken-cipher", "weak-cipher", "weak-group", "compression", "insecure-renegotiation"]
)
def test_tls_1_3_alone_has_nothing_to_refuse(rule: str) -> None:
    assert status(rule, asked(newest_only())) is Status.PASS


@pytest.mark.parametrize("rule", ["broken-cipher", "weak-cipher", "dicom-profile"])
def test_a_doubt_outweighs_a_refusal_and_an_empty_offer_refuses_nothing(rule: str) -> None:
    for kind, other in ((BROKEN, WEAK_REFUSED), (WEAK, BROKEN_REFUSED)):
        if (rule, kind) in (("broken-cipher", WEAK), ("weak-cipher", BROKEN)):
            continue
        doubted = modern(refused_offer(kind), unclear_offer(kind), other)
        empty = modern(refused_offer(kind, suites=[]), other)
        elsewhere = modern(refused_offer(kind, "TLS 1.1"), other)
        for facts in (doubted, empty, elsewhere):
            assert status(rule, asked(facts)) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("offer", "rule"),
    [
        (chosen_offer(BROKEN, 0x0005), "broken-cipher"),
        (chosen_offer(WEAK, 0x002F), "weak-cipher"),
        (chosen_offer(BROKEN), "broken-cipher"),
    ],
)
def test_one_bad_choice_outweighs_every_refusal(offer: OfferFacts, rule: str) -> None:
    for offers in ((BROKEN_REFUSED, WEAK_REFUSED, offer), (offer, BROKEN_REFUSED, WEAK_REFUSED)):
        verdict = judge(rule, asked(modern(*offers)))
        assert verdict.status is Status.FAIL
    assert status(rule, asked(modern(BROKEN_REFUSED, WEAK_REFUSED), modern(offer))) is Status.FAIL


def test_a_suite_of_a_whole_handshake_counts() -> None:
    weak = replace(handshake(version="TLSv1.2"), cipher_suite_name="TLS_RSA_WITH_AES_128_GCM_SHA256")
    assert status("weak-cipher", asked(weak)) is Status.FAIL
    assert status("weak-cipher", asked(modern(WEAK_REFUSED), weak)) is Status.FAIL


def test_a_finite_field_must_have_been_seen_or_refused() -> None:
    unseen = chosen_offer(WEAK, 0x009E)
    preferred = accepted_version("TLS 1.2", 0x009E, prime_bits=3072)
    assert status("weak-cipher", asked(modern(unseen, REST_REFUSED))) is Status.UNKNOWN
    assert status("weak-cipher", asked(modern(REST_REFUSED, chosen=preferred))) is Status.PASS
    small = replace(preferred, prime_bits=1024)
    assert status("weak-cipher", asked(modern(REST_REFUSED, chosen=small))) is Status.FAIL


def test_groups_are_judged_wherever_they_were_chosen() -> None:
    for facts in (modern(chosen_offer(WEAK, 0xC027, group=0x0013)), modern(chosen=accepted_version(group=0x0013))):
        verdict = judge("weak-group", asked(facts))
        assert verdict.status is Status.FAIL
        assert "secp192r1" in verdict.summary
    enough = replace(accepted_version(), group=0x0015, group_name="secp224r1")
    assert status("weak-group", asked(modern(chosen=enough))) is Status.UNKNOWN


def test_an_option_must_have_been_answered_under_each_version() -> None:
    old = accepted_version("TLS 1.1", 0xC014, compression=None, secure_renegotiation=None)
    facts = hellos(refused=["SSLv3", "TLS 1.0", "TLS 1.3"], more=[old, accepted_version()])
    for rule in ("compression", "insecure-renegotiation"):
        verdict = judge(rule, asked(facts))
        assert verdict.status is Status.UNKNOWN
        assert verdict.evidence["not_decided"] == ["TLS 1.1"]
    bad = replace(old, compression=True, secure_renegotiation=False)
    worse = replace(facts, versions=(*facts.versions, bad))
    for rule in ("compression", "insecure-renegotiation"):
        assert status(rule, asked(worse)) is Status.FAIL


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (modern(replace(refused_offer(HYBRID, "TLS 1.3"), groups=())), Status.UNKNOWN),
        (modern(replace(refused_offer(HYBRID, "TLS 1.3"), groups=(0x001D, 0x6399))), Status.UNKNOWN),
        (modern(refused_offer(HYBRID, "TLS 1.3"), unclear_offer(HYBRID, "TLS 1.3")), Status.UNKNOWN),
        (modern(chosen_offer(HYBRID, 0x1302, version="TLS 1.3", group=0x001D)), Status.UNKNOWN),
        (hellos(accepted=["TLS 1.2"], inconclusive=["TLS 1.3"]), Status.UNKNOWN),
        (hellos(refused=["TLS 1.2", "TLS 1.3"]), Status.UNKNOWN),
        (hellos(more=[accepted_version("TLS 1.3", 0x1302, group=0x11EC)]), Status.PASS),
    ],
)
def test_what_shows_post_quantum_groups(facts: TlsFacts, expected: Status) -> None:
    assert status("post-quantum-ready", asked(facts)) is expected


# ----------------------------------------------------------------------------------------------------------- profiles


def test_the_profiles_are_those_that_an_inventory_may_declare() -> None:
    of_dicom = {name: profile for name, profile in tls_profiles().items() if profile.of_dicom}
    assert set(of_dicom) == set(get_args(TlsProfile))
    assert {name for name, profile in of_dicom.items() if not profile.retired} == {"B.12", "B.13"}
    assert set(tls_profiles()) - set(of_dicom) == {"NIST SP 800-52r2"}


@pytest.mark.parametrize(
    "text",
    [
        "{id: X, title: X, source: X, suites: {required: [TLS_NO_SUCH_SUITE]}}",
        "{id: X, title: X, source: X, suites: {forbidden: [ugly]}}",
        "{id: X, title: X, source: X, versions: {required: [TLS 1.4]}}",
        "{id: X, title: X, source: X, versions: {required: [TLS 1.2], forbidden: [TLS 1.2]}}",
        "{id: X, title: X, source: X, one_of_groups: [secp999r1]}",
        "{id: X, title: X, source: X, compression: true}",
        "{id: X, title: X, source: X, certificates: {keys: {RSA: 2048}}}",
        "{id: X, title: X, source: X, suites: {required: [TLS_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]}}",
        "{id: X, title: X, source: X, note: X}",
        "{id: X}",
    ],
)
def test_a_profile_that_makes_no_sense_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"profile|validation error"):
        read_profile(text)


def test_every_class_of_suites_has_members_and_b12_says_something_of_all_that_is_weak() -> None:
    for name, within in CLASSES.items():
        assert any(within(suite) for suite in cipher_suites().values()), name
    suites = tls_profiles()["B.12"].suites
    for code in (*weak_suites(), *dhe_aead_suites(), *broken_suites(Version.TLS_1_2)):
        suite = cipher_suites()[code]
        assert any(CLASSES[name](suite) for name in (*suites.forbidden, *suites.discouraged)), suite.name


def test_a_profile_tells_what_is_missing_and_what_is_too_much() -> None:
    facts = hellos(
        refused=["SSLv3", "TLS 1.1", "TLS 1.2", "TLS 1.3"],
        more=[accepted_version("TLS 1.0", 0x002F)],
        offers=[chosen_offer(BROKEN, 0x0005, version="TLS 1.0")],
    )
    verdict = judge("dicom-profile", asked(facts))
    assert verdict.status is Status.FAIL
    assert verdict.evidence["missing"] == ["TLS 1.2"]
    assert verdict.evidence["too_much"] == ["TLS 1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA"]


def test_what_is_advised_against_is_told_and_does_not_fail() -> None:
    verdict = judge("dicom-profile", asked(modern(BROKEN_REFUSED, DHE_CHOSEN, REST_REFUSED)))
    assert verdict.status is Status.PASS
    assert verdict.evidence["discouraged"] == ["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"]
    assert verdict.summary.startswith("Consistent with B.12")


@pytest.mark.parametrize("profile", ["B.12", "B.13", "B.10", "B.11"])
@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_no_current_profile_allows_an_old_version(profile: str, version: str) -> None:
    refused = [one for one in OLD_VERSIONS if one != version]
    facts = hellos(
        refused=refused,
        more=[accepted_version(version, 0xC014), accepted_version(), accepted_version("TLS 1.3", 0x1302)],
        offers=[BROKEN_REFUSED, WEAK_REFUSED],
    )
    assert status("dicom-profile", asked(facts, profile=profile)) is Status.FAIL


@pytest.mark.parametrize("profile", ["B.11", "B.13"])
def test_policy_depth_never_shows_that_nothing_but_a_list_is_accepted(profile: str) -> None:
    required = tls_profiles()[profile].suites.required
    each = [
        replace(accepted_version(), cipher_suite=suite.code, cipher_suite_name=suite.name, prime_bits=2048)
        for suite in cipher_suites().values()
        if suite.name in required
    ]
    facts = modern(BROKEN_REFUSED, DHE_CHOSEN, REST_REFUSED)
    case = asked(replace(facts, versions=(*facts.versions, *each)), profile=profile)
    verdict = judge("dicom-profile", case)
    assert verdict.status is Status.UNKNOWN
    listed = "TLS 1.2, TLS 1.3" if profile == "B.13" else "TLS 1.2"
    assert {
        f"whether suites outside its list are refused under {listed}",
        "whether weaker curves are refused under TLS 1.2",
    } <= set(verdict.evidence["not_shown"])  # type: ignore[arg-type]


def test_b11_permits_no_suite_outside_its_list() -> None:
    chacha = replace(accepted_version(), cipher_suite=0xCCA8, cipher_suite_name=suite_name(0xCCA8))
    listed = modern(BROKEN_REFUSED, DHE_CHOSEN, REST_REFUSED)
    outside = modern(BROKEN_REFUSED, DHE_CHOSEN, REST_REFUSED, chosen=chacha)
    assert status("dicom-profile", asked(listed, profile="B.11")) is Status.UNKNOWN
    assert status("dicom-profile", asked(outside, profile="B.11")) is Status.FAIL


def test_a_required_suite_is_missing_only_where_it_was_refused() -> None:
    assert status("dicom-profile", asked(modern(BROKEN_REFUSED), profile="B.1")) is Status.UNKNOWN
    assert status("dicom-profile", asked(modern(WEAK_REFUSED), profile="B.1")) is Status.FAIL
    also_old = hellos(
        refused=["SSLv3", "TLS 1.1", "TLS 1.3"],
        more=[accepted_version("TLS 1.0", 0xC014), accepted_version()],
        offers=[WEAK_REFUSED],
    )
    assert status("dicom-profile", asked(also_old, profile="B.1")) is Status.UNKNOWN


def test_a_profile_that_nobody_knows_is_not_judged() -> None:
    assert status("dicom-profile", asked(modern(BROKEN_REFUSED, WEAK_REFUSED), profile="B.99")) is Status.UNKNOWN


ACCEPTANCES = st.sampled_from(Acceptance)
SUITES_SEEN = st.none() | st.sampled_from(
    [0x0002, 0x0005, 0x000A, 0x002F, 0x009C, 0x009E, 0xC014, 0xC02F, 0xCCA8, 0x1302]
)
OFFERS_SEEN = st.builds(
    OfferFacts,
    offer=st.sampled_from(TlsOffer),
    version=st.sampled_from(VERSIONS),
    acceptance=ACCEPTANCES,
    suites=st.just(()) | st.just(WEAK_REFUSED.suites) | st.just(BROKEN_REFUSED.suites),
    groups=st.just(()) | st.just((0x11EC,)),
    cipher_suite=SUITES_SEEN,
    group=st.none() | st.sampled_from([0x0013, 0x001D, 0x11EC, 0xFF01]),
    prime_bits=st.none() | st.sampled_from([1024, 2048]),
)
VERSIONS_SEEN = st.builds(
    VersionFacts,
    version=st.sampled_from(VERSIONS),
    acceptance=ACCEPTANCES,
    cipher_suite=SUITES_SEEN,
    group=st.none() | st.sampled_from([0x0013, 0x001D]),
    prime_bits=st.none() | st.sampled_from([1024, 2048]),
    compression=st.none() | st.booleans(),
    secure_renegotiation=st.none() | st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(VERSIONS_SEEN, max_size=8),
    st.lists(OFFERS_SEEN, max_size=6),
    st.sampled_from([None, *get_args(TlsProfile)]),
)
def test_what_any_answers_to_offers_say(
    versions: list[VersionFacts], made: list[OfferFacts], profile: str | None
) -> None:
    case = asked(TlsFacts(versions=tuple(versions), offers=tuple(made), answered=True), profile=profile)
    verdicts = {rule: judge(rule, case) for rule in [*OFFER_RULES, "post-quantum-ready"]}
    assert all(0 < len(verdict.summary) <= 200 for verdict in verdicts.values())
    answers: dict[str, set[Acceptance]] = {}
    for one in versions:
        answers.setdefault(one.version, set()).add(one.acceptance)
    old = VERSIONS[1:5]
    for rule, kind in (("broken-cipher", BROKEN), ("weak-cipher", WEAK)):
        if verdicts[rule].status is Status.PASS:
            for version in old:
                refused = answers.get(version) == {Acceptance.REFUSED}
                said = {one.acceptance for one in made if one.version == version and one.offer is kind}
                assert refused or (Acceptance.REFUSED in said and Acceptance.INCONCLUSIVE not in said)
    took = [one for one in versions if one.acceptance is Acceptance.ACCEPTED]
    if not took and not any(one.acceptance is Acceptance.ACCEPTED for one in made):
        assert all(verdict.status is Status.UNKNOWN for verdict in verdicts.values())
    if any(one.cipher_suite in (0x0002, 0x0005) for one in took):
        assert verdicts["broken-cipher"].status is Status.FAIL
        assert verdicts["dicom-profile"].status is not Status.PASS or profile in ("B.1", "B.3")


# ---------------------------------------------------------------------------------------- servers that have had enough


@pytest.mark.parametrize(
    ("facts", "weary"),
    [
        (HandshakeFacts(detail="OpenSSL ended the handshake: SSLV3_ALERT_HANDSHAKE_FAILURE"), True),
        (HandshakeFacts(detail="OpenSSL ended the handshake: TLSV1_ALERT_INTERNAL_ERROR"), True),
        (HandshakeFacts(detail="OpenSSL ended the handshake: WRONG_VERSION_NUMBER"), True),
        (HandshakeFacts(detail="the connection was closed in the handshake"), True),
        (HandshakeFacts(detail="no answer in time in the handshake"), True),
        (HandshakeFacts(), True),
        (HandshakeFacts(detail="OpenSSL ended the handshake: DH_KEY_TOO_SMALL"), False),
        (HandshakeFacts(detail="the connection was closed in the handshake", client_certificate="required"), False),
        (HandshakeFacts(detail="the connection was closed in the handshake", version="TLS 1.3"), False),
        (HandshakeFacts(completed=True), False),
    ],
)
def test_a_handshake_that_is_turned_away_takes_back_what_was_refused(facts: HandshakeFacts, weary: bool) -> None:
    case = service_case(tls_archive(), modern(BROKEN_REFUSED, WEAK_REFUSED), facts)
    assert is_weary(case) is weary
    for rule in ("tls.broken-cipher", "tls.weak-cipher", "tls.dicom-profile"):
        (entry,) = (entry for entry in catalogue() if entry.id == rule)
        assert entry.rule.judge(case).status is (Status.UNKNOWN if weary else Status.PASS)


def test_an_option_that_one_of_two_addresses_did_not_show_is_undecided() -> None:
    case = service_case(tls_archive(), modern(), modern(chosen=accepted_version(compression=None)))
    assert undecided_options(case, lambda one: one.compression) == ["TLS 1.2"]
    assert undecided_options(service_case(tls_archive(), modern(), modern()), lambda one: one.compression) == []


# ------------------------------------------------------------------------------------------------- several addresses


@pytest.mark.parametrize("rule", ["broken-cipher", "weak-cipher", "weak-group"])
def test_what_one_address_refused_says_nothing_of_another_that_was_not_asked(rule: str) -> None:
    asked = replace(modern(BROKEN_REFUSED, WEAK_REFUSED), groups=(GroupFacts("TLS 1.2", (0x001D,), complete=True),))
    # Full depth offers after the handshake: a visit that ends before it leaves an acceptance without any offer.
    cut_short = replace(asked, offers=(), groups=())
    assert status(rule, service_case(tls_archive(), asked, asked)) is Status.PASS
    assert status(rule, service_case(tls_archive(), asked, cut_short)) is Status.UNKNOWN
    assert status(rule, service_case(tls_archive(), cut_short, asked)) is Status.UNKNOWN
