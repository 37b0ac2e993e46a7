"""The catalogue: every rule's worked examples, what each must say of itself, and what no rule may ever do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.model import (
    AssociationOutcome,
    AssociationPurpose,
    ConnectState,
    ContextResult,
    DicomFacts,
    NameFacts,
    Observation,
    PortFacts,
    QueryVerdict,
    Role,
    Severity,
    Status,
)
from checker.rules import CataloguedRule, catalogue
from checker.rules.archive.open import DOOR_RULES
from checker.rules.base import Case, Example, Subject, Verdict
from checker.rules.cases import service_cases
from checker.rules.document import catalogue_text, rule_text
from checker.rules.examples import (
    ADDRESS,
    CT_IMAGE_STORAGE,
    OTHER_ADDRESS,
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
    VERIFICATION,
    archive,
    asset,
    asset_case,
    canary,
    dicom_service,
    dicom_tls_service,
    dicomweb_service,
    policy,
    port_seen,
    ports_seen,
    rejected,
    seen,
    service_case,
    survey,
    wrong_called,
)
from checker.rules.examples_web import refused

# Base severities as the catalogue of rules was agreed; the rules themselves must say the same.
SEVERITIES = {
    "archive.open": "critical",
    "asset.duplicate-address": "low",
    "asset.name-mismatch": "medium",
    "asset.unreachable": "info",
    "dicom.ae-title-mismatch": "low",
    "dicom.anonymous-query": "critical",
    "dicom.called-ae-unchecked": "low",
    "dicom.calling-ae-unchecked": "high",
    "dicom.cleartext": "medium",
    "dicom.identity-drift": "info",
    "dicom.retrieve-offered": "medium",
    "dicom.store-offered": "high",
    "dicom.tls-expected": "high",
    "dicom.unreachable": "info",
    "dicom.worklist-query": "high",
    "exposure.address-family-gap": "high",
    "exposure.cleartext-management": "high",
    "exposure.internet-reachable": "high",
    "exposure.must-reach-broken": "medium",
    "exposure.not-filtered": "low",
    "exposure.remote-administration": "high",
    "exposure.undeclared-dicom": "high",
    "exposure.undeclared-web": "high",
    "exposure.unexpected-open": "high",
    "tls.broken-cipher": "high",
    "tls.certificate-expired": "high",
    "tls.certificate-expiring": "medium",
    "tls.certificate-name": "medium",
    "tls.certificate-shared-key": "high",
    "tls.certificate-untrusted": "medium",
    "tls.certificate-weak": "high",
    "tls.client-certificate-optional": "high",
    "tls.compression": "medium",
    "tls.dicom-profile": "medium",
    "tls.insecure-renegotiation": "medium",
    "tls.modern-protocol-missing": "high",
    "tls.obsolete-protocol": "high",
    "tls.post-quantum-ready": "info",
    "tls.server-order": "info",
    "tls.sp800-52r2": "low",
    "tls.weak-cipher": "medium",
    "tls.weak-group": "medium",
    "web.archive-open": "critical",
    "web.basic-over-cleartext": "high",
    "web.cleartext": "high",
    "web.configuration-exposed": "low",
    "web.cookie-flags": "low",
    "web.cors-open": "high",
    "web.directory-listing": "medium",
    "web.hsts-missing": "low",
    "web.login-over-cleartext": "high",
    "web.version-disclosed": "info",
    "web.viewer-unauthenticated": "critical",
}
# Rules that judge the inventory and nothing observed, and so can decide with nothing seen.
INVENTORY_ALONE = {"asset.duplicate-address"}

ALL = catalogue()
RULES = [pytest.param(entry, id=entry.id) for entry in ALL]
EXAMPLES = [
    pytest.param(entry, example, id=f"{entry.id}-{number}")
    for entry in ALL
    for number, example in enumerate(entry.rule.examples, 1)
]
DOCUMENT = Path(__file__).parents[2] / "docs" / "rules.md"


def judge(rule: str, case: Case) -> Verdict:
    return next(entry.rule for entry in ALL if entry.id == rule).judge(case)


def status(rule: str, case: Case) -> Status:
    return judge(rule, case).status


# ------------------------------------------------------------------------------------------------- what rules say


def test_the_catalogue_holds_the_agreed_rules_and_is_sorted() -> None:
    ids = [entry.id for entry in ALL]
    assert ids == sorted(set(ids))
    assert len(ids) >= 20
    assert set(ids) <= set(SEVERITIES)
    assert "archive.open" in ids


@pytest.mark.parametrize("entry", RULES)
def test_a_rule_describes_itself(entry: CataloguedRule) -> None:
    rule = entry.rule
    assert rule.severity is Severity(SEVERITIES[entry.id])
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.meaning.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.controls
    assert len(set(rule.controls)) == len(rule.controls)
    assert rule.version >= 1


@pytest.mark.parametrize("entry", RULES)
def test_a_rule_shows_a_pass_a_fail_and_an_unknown(entry: CataloguedRule) -> None:
    shown = {example.expect for example in entry.rule.examples}
    assert {Status.PASS, Status.FAIL, Status.UNKNOWN} <= shown
    names = [example.name for example in entry.rule.examples]
    assert len(set(names)) == len(names)
    assert all(names)


@pytest.mark.parametrize(("entry", "example"), EXAMPLES)
def test_a_worked_example_is_judged_as_it_says(entry: CataloguedRule, example: Example) -> None:
    verdict = entry.rule.judge(example.case)
    assert verdict.status is example.expect
    if example.severity is not None:
        assert (verdict.severity or entry.rule.severity) is example.severity
    assert_presentable(verdict, example.case)


@pytest.mark.parametrize(("entry", "example"), EXAMPLES)
def test_a_worked_example_fits_its_rule_and_is_synthetic(entry: CataloguedRule, example: Example) -> None:
    case = example.case
    assert case.asset.id.startswith("synthetic-")
    assert (case.service is not None) is (entry.rule.subject is Subject.SERVICE)
    if case.service is not None:
        assert entry.rule.applies(case.service)
        assert case.service in case.asset.services
    assert set(case.seen) <= set(case.asset_seen)


def assert_presentable(verdict: Verdict, case: Case) -> None:
    assert 0 < len(verdict.summary) <= 200
    assert verdict.summary.endswith(".")
    assert "\n" not in verdict.summary
    assert json.loads(json.dumps(verdict.evidence)) is not None
    assert set(verdict.observations) <= {observation.id for observation in case.asset_seen}


# --------------------------------------------------------------------------------------------- what no rule may do


@pytest.mark.parametrize("entry", [rule for rule in RULES if rule.id not in INVENTORY_ALONE])
def test_nothing_observed_is_never_a_pass_nor_a_fail(entry: CataloguedRule) -> None:
    for example in entry.rule.examples:
        blind = replace(example.case, seen=(), asset_seen=())
        assert entry.rule.judge(blind).status in (Status.UNKNOWN, Status.NOT_APPLICABLE), example.name


@pytest.mark.parametrize("entry", RULES)
def test_judging_is_repeatable(entry: CataloguedRule) -> None:
    for example in entry.rule.examples:
        assert entry.rule.judge(example.case) == entry.rule.judge(example.case)


DICOM_FACTS = st.builds(
    DicomFacts,
    purpose=st.sampled_from(AssociationPurpose),
    tls=st.booleans(),
    outcome=st.sampled_from(AssociationOutcome),
    calling_ae_title=st.just("PACSCHECKER"),
    called_ae_title=st.sampled_from(["ARCHIVE", "NOBODYHASTHIS"]),
    reject=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 8)),
    abort=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 7)),
    contexts=st.lists(
        st.builds(
            ContextResult,
            st.sampled_from([VERIFICATION, STUDY_ROOT_FIND, PATIENT_ROOT_FIND, CT_IMAGE_STORAGE, "1.2.3"]),
            st.integers(0, 5),
        ),
        max_size=4,
    ).map(tuple),
    echo_status=st.none() | st.sampled_from([0x0000, 0x0122, 0xC000]),
    query=st.none() | st.sampled_from(QueryVerdict),
    query_status=st.none() | st.sampled_from([0x0000, 0x0122, 0x0124, 0xA700, 0xA900, 0xC000, 0xFF00]),
)
PORT_FACTS = st.builds(
    PortFacts,
    state=st.sampled_from(ConnectState),
    icmp=st.none() | st.tuples(st.integers(0, 255), st.integers(0, 255)),
    offender=st.none() | st.sampled_from([ADDRESS, "10.20.0.1"]),
)
POOL = [
    observation.facts for entry in ALL for example in entry.rule.examples for observation in example.case.asset_seen
]
PORTS = st.sampled_from([0, 21, 22, 23, 80, 104, 443, 2762, 3389, 8042, 11112])


def observations(services: int) -> st.SearchStrategy[list[Observation]]:
    """Anything that a visit might have brought home, in any order and any mixture."""
    one = st.builds(
        seen,
        st.sampled_from(POOL) | DICOM_FACTS | PORT_FACTS,
        st.none() | st.integers(0, services - 1),
        st.sampled_from([ADDRESS, OTHER_ADDRESS, "2001:db8:20::5", ""]),
        PORTS,
    )
    return st.lists(one, max_size=12)


CONTEXTS = [example.case for entry in ALL for example in entry.rule.examples if example.case.asset.services]


@pytest.mark.parametrize("entry", RULES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_mixture_of_observations_makes_a_rule_stumble(entry: CataloguedRule, data: st.DataObject) -> None:
    context = data.draw(st.sampled_from(CONTEXTS))
    found = data.draw(observations(len(context.asset.services)))
    everything = tuple(replace(item, id=str(number), asset_id=context.asset.id) for number, item in enumerate(found))
    whole = replace(context, service=None, address=None, seen=everything, asset_seen=everything)
    for case in cases_for(entry, whole):
        verdict = entry.rule.judge(case)
        assert isinstance(verdict.status, Status)
        assert verdict.summary
        json.dumps(verdict.evidence)


def cases_for(entry: CataloguedRule, whole: Case) -> Iterator[Case]:
    if entry.rule.subject is Subject.ASSET:
        yield whole
        return
    for case in service_cases(whole):
        if entry.rule.applies(case.the_service()):
            yield case


SILENT = [
    AssociationOutcome.CLOSED,
    AssociationOutcome.RESET,
    AssociationOutcome.TIMEOUT,
    AssociationOutcome.TOO_MUCH,
    AssociationOutcome.MALFORMED,
    AssociationOutcome.NOT_CONNECTED,
    AssociationOutcome.TLS_FAILED,
    AssociationOutcome.SPEAKS_TLS,
    AssociationOutcome.NOT_ASKED,
]
DICOM_RULES = [entry for entry in ALL if entry.family == "dicom"]


@settings(max_examples=60, deadline=None)
@given(facts=st.lists(DICOM_FACTS, max_size=6), outcomes=st.lists(st.sampled_from(SILENT), min_size=6, max_size=6))
def test_a_dicom_service_that_gave_no_answer_passes_no_rule(
    facts: list[DicomFacts], outcomes: list[AssociationOutcome]
) -> None:
    silent = [
        replace(item, outcome=outcome, query=None, echo_status=None)
        for item, outcome in zip(facts, outcomes, strict=False)
    ]
    case = service_case(archive(), *silent)
    assert not [entry.id for entry in DICOM_RULES if entry.rule.judge(case).status is Status.PASS]


@settings(max_examples=100, deadline=None)
@given(facts=st.lists(DICOM_FACTS, max_size=6))
def test_a_query_that_was_served_fails_whatever_else_was_seen(facts: list[DicomFacts]) -> None:
    served = canary(QueryVerdict.QUERY_ACCEPTED, 0x0000)
    case = service_case(archive(), *facts, served)
    assert status("dicom.anonymous-query", case) is Status.FAIL
    assert status("dicom.calling-ae-unchecked", case) is Status.FAIL
    assert status("dicom.cleartext", case) is Status.FAIL
    assert status("archive.open", replace(case, service=None, address=None)) is Status.FAIL


def test_every_door_of_the_open_archive_has_its_rule() -> None:
    assert set(DOOR_RULES) <= {entry.id for entry in ALL}


DOORS = [
    pytest.param(entry, example, id=f"{entry.id}-{number}")
    for entry in ALL
    if entry.id in DOOR_RULES
    for number, example in enumerate(entry.rule.examples, 1)
]


@pytest.mark.parametrize(("entry", "example"), DOORS)
def test_an_open_door_opens_the_archive_and_a_doubtful_one_never_shuts_it(
    entry: CataloguedRule, example: Example
) -> None:
    keeper = replace(example.case.asset, role=Role.ARCHIVE)
    whole = replace(example.case, asset=keeper, service=None, address=None, seen=example.case.asset_seen)
    verdict = judge("archive.open", whole)
    if example.expect is Status.FAIL:
        assert verdict.status is Status.FAIL
        assert entry.id in json.dumps(verdict.evidence)
    elif example.expect is Status.UNKNOWN:
        assert verdict.status is not Status.PASS


# ------------------------------------------------------------------------------------------------------- DICOM


def test_plaintext_that_a_tls_port_resets_says_nothing_about_access() -> None:
    case = service_case(
        archive(dicom_tls_service()),
        survey(AssociationOutcome.RESET),
        survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
    )
    for rule in ("dicom.cleartext", "dicom.tls-expected", "dicom.calling-ae-unchecked", "dicom.anonymous-query"):
        assert status(rule, case) is Status.PASS, rule


def test_a_refusal_inside_tls_does_not_excuse_an_undecided_plaintext() -> None:
    case = service_case(
        archive(),
        rejected((1, 1, 7)),
        survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
    )
    assert status("dicom.calling-ae-unchecked", case) is Status.UNKNOWN
    assert status("dicom.anonymous-query", case) is Status.UNKNOWN
    assert status("dicom.cleartext", case) is Status.FAIL


def test_a_stranger_served_inside_tls_is_served() -> None:
    case = service_case(archive(dicom_tls_service()), survey(tls=True, echo_status=0), survey(AssociationOutcome.RESET))
    assert status("dicom.calling-ae-unchecked", case) is Status.FAIL
    assert status("dicom.cleartext", case) is Status.PASS


MUTUAL = archive(dicom_tls_service(client_certificate="required"))
SHUT_INSIDE = survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True)
ACCESS_RULES = (
    "dicom.anonymous-query",
    "dicom.called-ae-unchecked",
    "dicom.calling-ae-unchecked",
    "dicom.retrieve-offered",
    "dicom.store-offered",
)
PORT_RULES = ("dicom.cleartext", "dicom.tls-expected")


@pytest.mark.parametrize("rule", [*ACCESS_RULES, *PORT_RULES])
@pytest.mark.parametrize(
    ("plaintext", "expected"),
    [
        (None, Status.UNKNOWN),
        (AssociationOutcome.NOT_ASKED, Status.UNKNOWN),
        (AssociationOutcome.NOT_CONNECTED, Status.UNKNOWN),
        (AssociationOutcome.TIMEOUT, Status.UNKNOWN),
        (AssociationOutcome.TOO_MUCH, Status.UNKNOWN),
        (AssociationOutcome.MALFORMED, Status.UNKNOWN),
        (AssociationOutcome.CLOSED, Status.PASS),
        (AssociationOutcome.RESET, Status.PASS),
        (AssociationOutcome.SPEAKS_TLS, Status.PASS),
    ],
)
def test_a_tls_port_is_shut_where_plaintext_was_turned_away(
    rule: str, plaintext: AssociationOutcome | None, expected: Status
) -> None:
    outside = [] if plaintext is None else [survey(plaintext)]
    verdict = judge(rule, service_case(MUTUAL, SHUT_INSIDE, *outside))
    assert verdict.status is expected
    assert_presentable(verdict, service_case(MUTUAL, SHUT_INSIDE, *outside))


def test_silence_does_not_undo_that_plaintext_was_turned_away() -> None:
    case = service_case(MUTUAL, survey(AssociationOutcome.RESET), SHUT_INSIDE, survey(AssociationOutcome.TIMEOUT))
    assert {status(rule, case) for rule in (*ACCESS_RULES, *PORT_RULES)} == {Status.PASS}


def test_plaintext_beside_tls_undoes_every_pass_about_access() -> None:
    offered = survey(accepted=(VERIFICATION, STUDY_ROOT_FIND, CT_IMAGE_STORAGE), echo_status=0)
    served = service_case(MUTUAL, SHUT_INSIDE, offered, canary(QueryVerdict.QUERY_ACCEPTED, 0x0000))
    for rule in ("dicom.anonymous-query", "dicom.calling-ae-unchecked", "dicom.store-offered", *PORT_RULES):
        assert status(rule, served) is Status.FAIL, rule
    # The wrong title was not asked, and no context for retrieval was among those of this survey.
    for rule in ("dicom.called-ae-unchecked", "dicom.retrieve-offered", "tls.client-certificate-optional"):
        assert status(rule, served) is Status.UNKNOWN, rule
    unasked = service_case(MUTUAL, SHUT_INSIDE, offered, canary(None, outcome=AssociationOutcome.NOT_ASKED))
    assert status("dicom.anonymous-query", unasked) is Status.UNKNOWN
    turned_away = service_case(MUTUAL, SHUT_INSIDE, rejected((1, 1, 3)))
    assert status("dicom.anonymous-query", turned_away) is Status.PASS
    assert status("dicom.tls-expected", turned_away) is Status.FAIL
    assert status("tls.client-certificate-optional", turned_away) is Status.UNKNOWN


def test_where_both_modes_pass_it_is_told_what_the_accepted_association_showed() -> None:
    unoffered = survey(accepted=(VERIFICATION,), refused=(CT_IMAGE_STORAGE,), echo_status=0)
    verdict = judge("dicom.store-offered", service_case(MUTUAL, SHUT_INSIDE, unoffered))
    assert verdict.status is Status.PASS
    assert verdict.summary == "An unregistered caller is offered no storage."


def test_a_port_that_another_service_has_open_in_plaintext_is_not_shut_by_tls() -> None:
    both = archive(dicom_service(104), dicom_tls_service(104, client_certificate="required"))
    open_twin = seen(survey(echo_status=0), 0, port=104)
    reset = seen(survey(AssociationOutcome.RESET), 1, port=104)
    whole = asset_case(both, open_twin, seen(SHUT_INSIDE, 1, port=104), reset)
    expected = dict.fromkeys((*ACCESS_RULES, "tls.client-certificate-optional"), Status.UNKNOWN)
    expected |= dict.fromkeys(PORT_RULES, Status.FAIL)
    assert {rule: _verdicts_at(rule, whole, 1)[0].status for rule in expected} == expected


def test_plaintext_turned_away_under_one_title_is_turned_away_at_the_port() -> None:
    both = archive(dicom_service(104), dicom_tls_service(104))
    whole = asset_case(both, seen(survey(AssociationOutcome.RESET), 0, port=104), seen(SHUT_INSIDE, 1, port=104))
    assert {_verdicts_at(rule, whole, 1)[0].status for rule in (*ACCESS_RULES, *PORT_RULES)} == {Status.PASS}


def test_a_plain_service_needs_no_question_in_tls() -> None:
    case = service_case(archive(), rejected((1, 1, 3)))
    for rule in ("dicom.anonymous-query", "dicom.calling-ae-unchecked", "dicom.store-offered"):
        assert status(rule, case) is Status.PASS, rule


@pytest.mark.parametrize("reason", [(1, 1, 1), (1, 1, 2), (1, 1, 7), (1, 2, 1), (2, 1, 3), (2, 3, 1), (2, 3, 2)])
def test_only_the_caller_not_recognised_is_a_refusal_of_the_caller(reason: tuple[int, int, int]) -> None:
    case = service_case(archive(), rejected(reason), rejected(reason, purpose=AssociationPurpose.CANARY))
    for rule in (
        "dicom.calling-ae-unchecked",
        "dicom.anonymous-query",
        "dicom.retrieve-offered",
        "dicom.store-offered",
    ):
        assert status(rule, case) is Status.UNKNOWN, rule


def test_a_busy_retry_does_not_undo_a_refusal() -> None:
    case = service_case(archive(), rejected((2, 3, 2)), rejected((1, 1, 3)))
    assert status("dicom.calling-ae-unchecked", case) is Status.PASS


def test_a_caller_refused_once_and_accepted_later_was_not_refused() -> None:
    case = service_case(archive(), survey(echo_status=0), rejected((1, 1, 3), purpose=AssociationPurpose.CANARY))
    assert status("dicom.anonymous-query", case) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x0124, Status.PASS),
        (0x0122, Status.UNKNOWN),
        (0x0110, Status.UNKNOWN),
        (0xA700, Status.UNKNOWN),
        (0xA900, Status.UNKNOWN),
        (0xC000, Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
)
def test_a_status_counts_as_refusal_only_where_it_is_one(code: int | None, expected: Status) -> None:
    case = service_case(archive(), survey(echo_status=0), canary(QueryVerdict.REFUSED_STATUS, code))
    assert status("dicom.anonymous-query", case) is expected


def test_not_supported_is_a_refusal_where_no_other_query_is_offered() -> None:
    case = service_case(
        archive(),
        survey(accepted=(VERIFICATION, STUDY_ROOT_FIND), refused=(PATIENT_ROOT_FIND,), echo_status=0),
        canary(QueryVerdict.REFUSED_STATUS, 0x0122),
    )
    assert status("dicom.anonymous-query", case) is Status.PASS


def test_a_context_refused_for_its_transfer_syntax_refuses_nothing() -> None:
    facts = replace(canary(QueryVerdict.CONTEXT_REJECTED), contexts=(ContextResult(STUDY_ROOT_FIND, 4),))
    surveyed = survey(refused=(STUDY_ROOT_FIND, PATIENT_ROOT_FIND), echo_status=0)
    assert status("dicom.anonymous-query", service_case(archive(), surveyed, facts)) is Status.UNKNOWN
    storage = replace(survey(echo_status=0), contexts=(ContextResult(CT_IMAGE_STORAGE, 4),))
    assert status("dicom.store-offered", service_case(archive(), storage)) is Status.UNKNOWN


def test_an_abort_without_an_accepted_query_context_refuses_nothing() -> None:
    facts = replace(canary(QueryVerdict.REFUSED_ABORT, abort=(0, 0)), contexts=())
    case = service_case(archive(), survey(echo_status=0), facts)
    assert status("dicom.anonymous-query", case) is Status.UNKNOWN


def test_data_on_its_way_is_told_and_nothing_of_it_kept() -> None:
    verdict = judge("dicom.anonymous-query", service_case(archive(), canary(QueryVerdict.KEY_IGNORED, 0xFF00)))
    assert verdict.status is Status.FAIL
    assert verdict.evidence["key_ignored"] is True
    assert verdict.evidence["read"] is False
    assert "ignored" in verdict.summary


def test_a_title_declared_since_the_visit_was_not_asked() -> None:
    renamed = archive(dicom_service(ae_title="NEWTITLE"))
    assert status("dicom.ae-title-mismatch", service_case(renamed, survey(echo_status=0))) is Status.UNKNOWN


def test_another_rejection_of_the_wrong_title_shows_that_the_title_matters() -> None:
    case = service_case(archive(), rejected((1, 1, 7)), rejected((1, 1, 3), purpose=AssociationPurpose.WRONG_CALLED))
    assert status("dicom.ae-title-mismatch", case) is Status.FAIL


def test_offers_under_a_wrong_title_are_offers() -> None:
    offered = replace(wrong_called(), contexts=(ContextResult(CT_IMAGE_STORAGE, 0),))
    assert status("dicom.store-offered", service_case(archive(), rejected((1, 1, 3)), offered)) is Status.FAIL


def test_our_own_machine_failing_is_not_an_unreachable_service() -> None:
    case = service_case(archive(), PortFacts(state=ConnectState.LOCAL_ERROR), survey(AssociationOutcome.NOT_CONNECTED))
    assert status("dicom.unreachable", case) is Status.UNKNOWN


# ---------------------------------------------------------------------------------------------------- exposure


def test_an_answer_shows_that_a_port_is_open_without_a_sweep() -> None:
    case = asset_case(archive(), seen(survey(echo_status=0)), policy=policy(may_reach=["tcp/443"]))
    verdict = judge("exposure.unexpected-open", case)
    assert verdict.status is Status.FAIL
    assert verdict.observations == ("synthetic-1",)


@pytest.mark.parametrize("later", [ConnectState.FILTERED, ConnectState.CLOSED, ConnectState.NOT_ASKED])
def test_a_port_once_seen_open_stays_open(later: ConnectState) -> None:
    case = asset_case(archive(), port_seen(23), port_seen(23, later))
    assert status("exposure.unexpected-open", case) is Status.FAIL


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ConnectState.CLOSED, Status.PASS),
        (ConnectState.FILTERED, Status.PASS),
        (ConnectState.REJECTED, Status.PASS),
        (ConnectState.RESET, Status.UNKNOWN),
        (ConnectState.UNREACHABLE, Status.UNKNOWN),
        (ConnectState.LOCAL_ERROR, Status.UNKNOWN),
        (ConnectState.NOT_ASKED, Status.UNKNOWN),
        (ConnectState.OPEN, Status.FAIL),
    ],
)
def test_what_each_state_says_of_an_unexpected_port(state: ConnectState, expected: Status) -> None:
    assert status("exposure.unexpected-open", asset_case(archive(), port_seen(23, state))) is expected


def test_one_address_asked_does_not_speak_for_the_other() -> None:
    both = asset(dicom_service(), addresses=[ADDRESS, OTHER_ADDRESS])
    assert status("exposure.unexpected-open", asset_case(both, port_seen(11112))) is Status.UNKNOWN
    shut = ports_seen([21, 23])
    assert status("exposure.cleartext-management", asset_case(both, *shut)) is Status.UNKNOWN


def test_ssh_is_not_remote_administration_here() -> None:
    case = asset_case(archive(), port_seen(22))
    assert status("exposure.remote-administration", case) is Status.UNKNOWN
    assert status("exposure.unexpected-open", case) is Status.FAIL


def test_policy_does_not_encrypt_telnet() -> None:
    shut = port_seen(21, ConnectState.FILTERED)
    case = asset_case(archive(), port_seen(23), shut, policy=policy(may_reach=["tcp/23"]))
    assert status("exposure.cleartext-management", case) is Status.FAIL
    assert status("exposure.unexpected-open", case) is Status.PASS


def test_one_open_address_is_enough_for_what_must_be_reached() -> None:
    both = asset(dicom_service(), addresses=[ADDRESS, OTHER_ADDRESS])
    rule = policy(must_reach=["dicom/11112"])
    answered = (port_seen(11112), seen(survey()))
    half = asset_case(both, *answered, port_seen(11112, ConnectState.CLOSED, OTHER_ADDRESS), policy=rule)
    none = asset_case(both, port_seen(11112, ConnectState.CLOSED), policy=rule)
    assert status("exposure.must-reach-broken", half) is Status.PASS
    assert status("exposure.must-reach-broken", none) is Status.UNKNOWN


def test_a_declared_service_on_a_port_of_its_own_is_imaging_to_the_internet() -> None:
    odd = archive(dicom_service(port=5104))
    verdict = judge("exposure.internet-reachable", asset_case(odd, port_seen(5104), vantage="internet"))
    assert verdict.severity is Severity.CRITICAL


def test_a_firewall_answering_is_no_life_of_the_asset() -> None:
    refused = PortFacts(state=ConnectState.REJECTED, icmp=(3, 13), offender="10.20.0.1")
    own = replace(refused, offender=ADDRESS)
    assert status("asset.unreachable", asset_case(archive(), seen(refused, None))) is Status.FAIL
    assert status("asset.unreachable", asset_case(archive(), seen(own, None))) is Status.PASS


def test_the_places_of_an_asset_are_its_services_at_its_addresses() -> None:
    one = asset(
        dicom_service(),
        dicomweb_service("http://[2001:db8:20::5]:8042/dicom-web", 8042),
        addresses=[ADDRESS, "2001:db8:20::5"],
    )
    rule = next(entry.rule for entry in ALL if entry.id == "asset.duplicate-address")
    assert rule.shares is not None
    assert list(rule.shares(asset_case(one))) == [
        "10.20.1.5:11112",
        "[2001:db8:20::5]:11112",
        "[2001:db8:20::5]:8042",
    ]


# ------------------------------------------------------------------------------------------------- cases of services


def places(case: Case) -> list[tuple[int, str | None, int]]:
    return [(one.the_service().port, one.address, len(one.seen)) for one in service_cases(case)]


def test_a_service_is_judged_at_each_declared_address_asked_or_not() -> None:
    both = asset(dicom_service(), addresses=[ADDRESS, OTHER_ADDRESS])
    case = asset_case(both, seen(survey()), seen(canary(None)))
    assert places(case) == [(11112, ADDRESS, 2), (11112, OTHER_ADDRESS, 0)]


def test_a_sweep_belongs_to_the_service_on_its_port() -> None:
    case = asset_case(archive(), port_seen(11112), port_seen(23))
    assert places(case) == [(11112, ADDRESS, 1)]


def test_a_url_is_judged_where_its_name_led() -> None:
    web = archive(dicomweb_service())
    elsewhere = seen(PortFacts(state=ConnectState.OPEN), 0, OTHER_ADDRESS, 443)
    assert places(asset_case(web, elsewhere)) == [(443, OTHER_ADDRESS, 1)]
    assert places(asset_case(web)) == [(443, ADDRESS, 0)]


def test_a_service_without_any_address_is_one_case() -> None:
    named = asset(dicom_service(), addresses=[], hostname="archive.example.org")
    assert places(asset_case(named)) == [(11112, None, 0)]
    assert places(asset_case(named, seen(survey(), address=OTHER_ADDRESS))) == [(11112, OTHER_ADDRESS, 1)]


# ------------------------------------------------------------------------------------------------------- documents


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == catalogue_text(ALL), "run: python -m checker.rules.document > docs/rules.md"


@pytest.mark.parametrize("entry", RULES)
def test_a_rule_is_printed_whole(entry: CataloguedRule) -> None:
    text = rule_text(entry)
    assert text.startswith(f"# {entry.id}\n")
    for control in entry.rule.controls:
        assert control.id in text
    assert text.count("\n| ") == len(entry.rule.examples) + 1
    assert f"](#{entry.id.replace('.', '')})" in catalogue_text(ALL)


# ------------------------------------------------------------------------------------- what nobody asked is not shut

_NAME = "archive.example.org"
_REFUSED = "203.0.113.5"


def _resolved(name: str, *addresses: str) -> Observation:
    return seen(NameFacts(hostname=name, addresses=addresses), None, "", 0)


def test_an_address_of_a_name_that_nobody_asked_is_no_shut_door() -> None:
    by_name = asset(dicom_service(), addresses=(), hostname=_NAME)
    shut = seen(rejected((1, 1, 3)))
    assert status("archive.open", asset_case(by_name, _resolved(_NAME, ADDRESS), shut)) is Status.PASS
    half = asset_case(by_name, _resolved(_NAME, ADDRESS, _REFUSED), shut)
    assert [case.address for case in service_cases(half)] == [ADDRESS, _REFUSED]
    assert status("archive.open", half) is Status.UNKNOWN


def test_nor_is_one_of_a_url_on_another_name() -> None:
    elsewhere = archive(dicomweb_service("https://pacs.example.org/dicom-web"))
    shut = [seen(facts, 0, OTHER_ADDRESS, 443) for facts in refused(401, "basic")]
    assert status("archive.open", asset_case(elsewhere, _resolved("pacs.example.org", OTHER_ADDRESS), *shut)) is (
        Status.PASS
    )
    both = _resolved("pacs.example.org", OTHER_ADDRESS, _REFUSED)
    assert status("archive.open", asset_case(elsewhere, both, *shut)) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (ConnectState.CLOSED, Status.PASS),
        (ConnectState.FILTERED, Status.PASS),
        (ConnectState.OPEN, Status.UNKNOWN),
    ],
)
def test_a_url_on_one_address_is_no_door_at_another_unless_the_port_is_open_there(
    beside: ConnectState, expected: Status
) -> None:
    one = asset(dicomweb_service(f"http://{ADDRESS}:8042/dicom-web", 8042), addresses=(ADDRESS, OTHER_ADDRESS))
    shut = [seen(facts, 0, ADDRESS, 8042) for facts in refused(401, "basic", tls=False)]
    assert status("archive.open", asset_case(one, *shut, port_seen(8042, beside, OTHER_ADDRESS))) is expected


def test_a_url_on_the_asset_s_own_name_is_judged_at_each_address_of_the_asset() -> None:
    own = asset(dicomweb_service(f"https://{_NAME}/dicom-web"), addresses=(ADDRESS, OTHER_ADDRESS), hostname=_NAME)
    first, second = ([seen(facts, 0, at, 443) for facts in refused(401, "basic")] for at in own.addresses)
    assert status("archive.open", asset_case(own, *first, *second)) is Status.PASS
    assert status("archive.open", asset_case(own, *first)) is Status.UNKNOWN


def test_ports_of_an_address_that_a_name_has_and_nobody_asked_are_not_shut() -> None:
    by_name = asset(dicom_service(), addresses=(), hostname=_NAME)
    swept = [port_seen(11112), *ports_seen([21, 23], ConnectState.FILTERED)]
    assert status("exposure.unexpected-open", asset_case(by_name, _resolved(_NAME, ADDRESS), *swept)) is Status.PASS
    half = asset_case(by_name, _resolved(_NAME, ADDRESS, _REFUSED), *swept)
    assert status("exposure.unexpected-open", half) is Status.UNKNOWN


def test_plaintext_on_a_port_is_plaintext_for_every_service_declared_on_it() -> None:
    both = archive(dicom_service(104), dicom_tls_service(104))
    inside = seen(survey(echo_status=0, tls=True), 1, port=104)
    outside = seen(survey(echo_status=0), 0, port=104)
    for rule in ("dicom.tls-expected", "dicom.cleartext"):
        tls_only, mixed = (asset_case(both, *shown) for shown in ((inside,), (inside, outside)))
        assert [verdict.status for verdict in _verdicts_at(rule, tls_only, 1)] == [Status.UNKNOWN]
        assert [verdict.status for verdict in _verdicts_at(rule, mixed, 1)] == [Status.FAIL]


def _verdicts_at(rule: str, whole: Case, service: int) -> list[Verdict]:
    wanted = whole.asset.services[service]
    return [judge(rule, case) for case in service_cases(whole) if case.service is wanted]
