"""The rules about TLS beyond their worked examples: doubt is no pass, and one bad answer outweighs the good ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.model import (
    Acceptance,
    AssociationOutcome,
    CertificateFacts,
    ConnectState,
    HandshakeFacts,
    HttpEnd,
    HttpFacts,
    PortFacts,
    ServiceKind,
    Severity,
    Status,
    TlsFacts,
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
from checker.rules.examples_tls import DAY, HOST, KEY, OTHER_KEY, certificate, handshake, hellos, tls_archive

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
        assert all(entry.rule.applies(service) for service in tls), entry.id


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
