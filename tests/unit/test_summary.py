"""What a run amounts to: counts that add up, coverage that silence lowers, and an exit code with all of its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from checker.judge import Judge
from checker.model import (
    Acceptance,
    Asset,
    AssociationOutcome,
    ConnectState,
    DicomFacts,
    Drift,
    Facts,
    Finding,
    HttpPurpose,
    NameFacts,
    Observation,
    PortFacts,
    QueryVerdict,
    Service,
    Severity,
    Status,
    TlsFacts,
    VersionFacts,
    VisitFacts,
    Waiver,
)
from checker.rules import catalogue
from checker.rules.examples import (
    archive,
    asset,
    canary,
    dicom_service,
    dicom_tls_service,
    dicomweb_service,
    rejected,
    survey,
    wrong_called,
)
from checker.rules.examples_web import no_answer, web_canary
from checker.rules.sweep import came_from
from checker.summary import AssetCounts, DriftCounts, Outcome, ServiceCounts, Tally, exit_code
from tests.unit.stored_runs import (
    ENDED,
    FINDING,
    WAIVER,
    inventory,
    not_visited,
    observed,
    open_archive,
    port,
    shut_archive,
    silent,
)

ARCHIVE = archive()
TWO = archive(dicom_service(), dicom_service(104))
BARE = asset()


def tally(asset: Asset, observations: Sequence[Observation], findings: Sequence[Finding] = ()) -> Tally:
    counted = Tally()
    counted.add(asset, observations, findings)
    return counted


# --------------------------------------------------------------------------------------------------------- assets


def swept(*states: ConnectState, **more: str) -> list[Observation]:
    ports = [port(100 + at, PortFacts(state=state, **more), BARE) for at, state in enumerate(states)]  # type: ignore[arg-type]
    return [*ports, *observed(BARE)]


@pytest.mark.parametrize(
    ("asset", "observations", "state"),
    [
        pytest.param(ARCHIVE, open_archive(ARCHIVE), "answered", id="it answered"),
        pytest.param(ARCHIVE, silent(ARCHIVE), "unreachable", id="it was silent"),
        pytest.param(ARCHIVE, not_visited(ARCHIVE), "not_visited", id="manners forbade it"),
        pytest.param(ARCHIVE, not_visited(ARCHIVE, refused=True), "refused_by_scope", id="the scope refused it"),
        pytest.param(ARCHIVE, [], "not_visited", id="nothing at all"),
        pytest.param(ARCHIVE, observed(ARCHIVE, connections=0), "not_visited", id="interrupted before it began"),
        pytest.param(ARCHIVE, [observed(ARCHIVE, NameFacts())[0]], "not_visited", id="only its name was looked up"),
        pytest.param(BARE, swept(ConnectState.FILTERED, ConnectState.OPEN), "answered", id="a port is open"),
        pytest.param(BARE, swept(ConnectState.CLOSED), "answered", id="a reset came back"),
        pytest.param(BARE, swept(ConnectState.FILTERED, ConnectState.UNREACHABLE), "unreachable", id="only silence"),
        pytest.param(BARE, swept(ConnectState.REJECTED, offender="10.20.0.1"), "unreachable", id="a firewall spoke"),
        pytest.param(BARE, swept(ConnectState.REJECTED, offender="10.20.1.5"), "answered", id="it refused itself"),
    ],
)
def test_what_became_of_a_visit(asset: Asset, observations: list[Observation], state: str) -> None:
    assets = tally(asset, observations).assets
    assert getattr(assets, state) == 1
    assert assets.listed == assets.visited + assets.refused_by_scope + assets.not_visited == 1
    assert assets.visited == assets.answered + assets.unreachable


def test_a_visit_without_an_end_counts_as_one() -> None:
    assert tally(ARCHIVE, silent(ARCHIVE)[:-1]).assets.unreachable == 1


def test_a_sign_of_life_is_what_the_rule_about_it_takes_for_one() -> None:
    rule = next(entry.rule for entry in catalogue() if entry.id == "asset.unreachable")
    seen = 0
    for entry in catalogue():
        for example in entry.rule.examples:
            case = example.case
            whole = replace(case, service=None, address=None, seen=case.asset_seen)
            alive = any(came_from(case.asset, item) for item in case.asset_seen)
            assert alive is (rule.judge(whole).status is Status.PASS), (entry.id, example.name)
            seen += alive
    assert seen > 50


def test_a_visit_that_left_something_out_is_counted() -> None:
    gaps = [replace(silent(ARCHIVE)[-1], facts=VisitFacts(connections=80, gaps=("the budget was spent",)))]
    assert tally(ARCHIVE, gaps).with_gaps == 1
    assert tally(ARCHIVE, silent(ARCHIVE)).with_gaps == 0


# ------------------------------------------------------------------------------------------------------- coverage


@pytest.mark.parametrize(
    ("asset", "observations", "coverage"),
    [
        pytest.param(ARCHIVE, shut_archive(ARCHIVE), 1.0, id="a refusal is an answer"),
        pytest.param(ARCHIVE, silent(ARCHIVE), 0.0, id="silence is none"),
        pytest.param(TWO, open_archive(TWO), 0.5, id="one of two"),
        pytest.param(BARE, swept(ConnectState.CLOSED), 1.0, id="no services, and it answered"),
        pytest.param(BARE, swept(ConnectState.FILTERED), 0.0, id="no services, and it did not"),
        pytest.param(ARCHIVE, not_visited(ARCHIVE), 0.0, id="not visited"),
        pytest.param(ARCHIVE, [], 0.0, id="never reached"),
        pytest.param(ARCHIVE, observed(ARCHIVE, PortFacts(state=ConnectState.OPEN)), 0.0, id="open is no answer"),
    ],
)
def test_coverage_is_the_share_of_services_that_answered(
    asset: Asset, observations: list[Observation], coverage: float
) -> None:
    assert tally(asset, observations).coverage == coverage


@pytest.mark.parametrize("outcome", [AssociationOutcome.TIMEOUT, AssociationOutcome.CLOSED, AssociationOutcome.RESET])
def test_an_answer_at_one_address_is_enough(outcome: AssociationOutcome) -> None:
    answered = observed(ARCHIVE, survey(outcome), rejected((1, 1, 3)))
    elsewhere = [replace(answered[0], address="2001:db8:20::5"), *answered[1:]]
    assert tally(ARCHIVE, elsewhere).coverage == 1.0


def test_tls_before_a_dead_archive_is_no_answer_of_the_archive() -> None:
    behind = archive(dicom_tls_service(), dicomweb_service())
    hello = TlsFacts(versions=(VersionFacts("TLS 1.3", Acceptance.ACCEPTED),), answered=True)
    dead = survey(AssociationOutcome.CLOSED, tls=True)
    counted = tally(
        behind,
        [*observed(behind, dead, hello)[:-1], *observed(behind, no_answer(HttpPurpose.CANARY), hello, service=1)],
    )
    assert (counted.coverage, counted.services.answered) == (0.0, 0)
    assert counted.outcome(visit_errors=0, interrupted=None).silent == 2


@pytest.mark.parametrize(
    ("service", "facts", "coverage"),
    [
        (dicom_service(), rejected((2, 3, 2)), 0.0),
        (dicom_service(), rejected((1, 1, 7)), 1.0),
        (dicomweb_service(), web_canary(503), 0.0),
        (dicomweb_service(), web_canary(429), 0.0),
        (dicomweb_service(), web_canary(404), 1.0),
    ],
)
def test_a_service_that_puts_everybody_off_has_not_answered(service: Service, facts: Facts, coverage: float) -> None:
    put_off = archive(service)
    assert tally(put_off, observed(put_off, facts)).coverage == coverage


@pytest.mark.parametrize(
    ("facts", "unasked"),
    [
        pytest.param(canary(None, outcome=AssociationOutcome.NOT_ASKED), 1, id="the canary"),
        pytest.param(wrong_called(AssociationOutcome.NOT_ASKED), 0, id="the wrong called title"),
        pytest.param(canary(QueryVerdict.QUERY_ACCEPTED, 0x0000), 0, id="nothing"),
    ],
)
def test_a_service_that_was_not_asked_all_of_access_is_counted(facts: DicomFacts, unasked: int) -> None:
    counted = tally(ARCHIVE, observed(ARCHIVE, survey(echo_status=0), facts))
    outcome = counted.outcome(visit_errors=0, interrupted=None)
    assert (outcome.unasked, exit_code(outcome, Severity.HIGH, False)[0]) == (unasked, 4 if unasked else 0)


def test_an_address_that_the_scope_refused_is_told_beside_one_that_answered() -> None:
    visit = shut_archive(ARCHIVE)
    visit[-1] = replace(visit[-1], facts=VisitFacts(connections=3, refused_by_scope=True))
    counted = tally(ARCHIVE, visit)
    assert (counted.assets.answered, counted.assets.refused_by_scope) == (1, 0)
    assert counted.outcome(visit_errors=0, interrupted=None).partly_refused == 1


def test_coverage_is_whole_only_where_everything_answered() -> None:
    counted = Tally()
    for number in range(30_000):
        counted.add(ARCHIVE, shut_archive(ARCHIVE) if number else [], ())
    assert counted.coverage == 0.9999


def test_the_coverage_of_nothing_is_none() -> None:
    assert Tally().coverage == 0.0
    assert exit_code(Tally().outcome(visit_errors=0, interrupted=None), Severity.HIGH, False)[0] == 4


# ------------------------------------------------------------------------------------------------------- findings


def test_findings_are_counted_by_status_and_failures_by_severity() -> None:
    counted = tally(
        ARCHIVE,
        [],
        [
            replace(FINDING, severity=Severity.CRITICAL, drift=Drift.NEW),
            replace(FINDING, waiver=WAIVER, drift=Drift.PERSISTING),
            replace(FINDING, status=Status.UNKNOWN, severity=Severity.CRITICAL, drift=Drift.PERSISTING),
            replace(FINDING, status=Status.PASS, drift=Drift.RESOLVED),
        ],
    )
    found = counted.findings
    assert found.by_status == {"pass": 1, "fail": 2, "unknown": 1, "not_applicable": 0, "error": 0}
    assert found.by_severity == {"info": 0, "low": 0, "medium": 1, "high": 0, "critical": 1}
    assert found.waived == 1
    assert counted.drift == DriftCounts(new=1, resolved=1, reopened=0, persisting=2)


def test_open_archives_are_named_even_where_a_waiver_covers_them() -> None:
    judge = Judge(inventory(ARCHIVE), "run-1", "clinical", ENDED)
    counted = Tally()
    for asset_id in ("synthetic-b", "synthetic-a", "synthetic-c"):
        owned = replace(ARCHIVE, id=asset_id)
        visit = shut_archive(owned) if asset_id == "synthetic-c" else open_archive(owned)
        waiver = Waiver("*", "accepted", "imaging-it", ENDED.date()) if asset_id == "synthetic-a" else None
        counted.add(owned, visit, [replace(item, waiver=waiver) for item in judge.findings(owned, visit, {})])
    assert counted.open_archives == ("synthetic-a", "synthetic-b")


# ------------------------------------------------------------------------------------------------------ exit code

ANSWERED = AssetCounts(listed=3, visited=3, answered=3)
CLEAN = Outcome(assets=ANSWERED, services=ServiceCounts(4, 4))


def test_clean() -> None:
    assert exit_code(CLEAN, Severity.INFO, False) == (0, ())


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [(Severity.CRITICAL, 0), (Severity.HIGH, 3), (Severity.MEDIUM, 3), (Severity.INFO, 3)],
)
def test_failures_at_or_over_the_threshold(fail_on: Severity, code: int) -> None:
    failing = replace(CLEAN, failing={Severity.HIGH: 1, Severity.INFO: 0})
    assert exit_code(failing, fail_on, False)[0] == code


def test_with_fail_on_new_only_what_is_new_or_reopened_counts() -> None:
    old = replace(CLEAN, failing={Severity.CRITICAL: 2})
    assert exit_code(old, Severity.HIGH, True) == (0, ())
    new = replace(old, failing_new={Severity.CRITICAL: 1})
    assert exit_code(new, Severity.HIGH, True) == (3, ("1 new failing finding is high or worse: 1 critical.",))


INCOMPLETE = [
    pytest.param({"assets": AssetCounts(3, 2, 2, 0, 0, 1)}, "1 asset was not visited.", id="not visited"),
    pytest.param({"assets": AssetCounts(3, 2, 2, 0, 1, 0)}, "1 asset was refused by the scope.", id="refused"),
    pytest.param({"assets": AssetCounts(3, 3, 1, 2, 0, 0)}, "2 assets gave no answer.", id="unreachable"),
    pytest.param({"silent": 2}, "2 services of assets that answered gave no answer.", id="services"),
    pytest.param({"unasked": 1}, "1 service was not asked all that tells who is let in.", id="a question"),
    pytest.param({"partly_refused": 2}, "Of 2 visited assets the scope refused an address.", id="an address"),
    pytest.param({"interrupted": "SIGINT"}, "The run was interrupted by SIGINT.", id="interrupted"),
    pytest.param({"visit_errors": 1}, "1 visit broke off by an internal error.", id="a visit broke off"),
    pytest.param({"judgement_errors": 2}, "2 judgements ended in an internal error.", id="a rule broke"),
    pytest.param({"assets": AssetCounts()}, "No asset was listed.", id="nothing"),
]


@pytest.mark.parametrize(("parts", "reason"), INCOMPLETE)
def test_incomplete_coverage(parts: dict[str, object], reason: str) -> None:
    assert exit_code(replace(CLEAN, **parts), Severity.HIGH, False) == (4, (reason,))  # type: ignore[arg-type]


def test_a_sink_that_was_not_delivered() -> None:
    assert exit_code(replace(CLEAN, undelivered=("syslog",)), Severity.HIGH, False) == (5, ("Not delivered: syslog.",))


def test_failures_outweigh_gaps_and_gaps_outweigh_sinks_and_all_reasons_are_told() -> None:
    everything = replace(
        CLEAN,
        failing={Severity.CRITICAL: 1, Severity.HIGH: 2, Severity.LOW: 9},
        assets=AssetCounts(4, 3, 2, 1, 0, 1),
        undelivered=("syslog",),
    )
    code, reasons = exit_code(everything, Severity.HIGH, False)
    assert code == 3
    assert reasons == (
        "3 failing findings are high or worse: 1 critical, 2 high.",
        "1 asset was not visited.",
        "1 asset gave no answer.",
        "Not delivered: syslog.",
    )
    assert exit_code(replace(everything, failing={}), Severity.HIGH, False)[0] == 4


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (FINDING, 3),
        (replace(FINDING, waiver=WAIVER), 0),
        (replace(FINDING, status=Status.UNKNOWN), 0),
        (replace(FINDING, status=Status.PASS), 0),
        (replace(FINDING, status=Status.NOT_APPLICABLE), 0),
        (replace(FINDING, status=Status.ERROR), 4),
    ],
)
def test_only_a_failure_that_nobody_accepted_counts(finding: Finding, code: int) -> None:
    outcome = tally(ARCHIVE, shut_archive(ARCHIVE), [finding]).outcome(visit_errors=0, interrupted=None)
    assert exit_code(outcome, Severity.INFO, False)[0] == code


@pytest.mark.parametrize(("drift", "code"), [(Drift.NEW, 3), (Drift.REOPENED, 3), (Drift.PERSISTING, 0), (None, 0)])
def test_which_drift_is_new(drift: Drift | None, code: int) -> None:
    outcome = tally(ARCHIVE, shut_archive(ARCHIVE), [replace(FINDING, drift=drift)])
    assert exit_code(outcome.outcome(visit_errors=0, interrupted=None), Severity.INFO, True)[0] == code
