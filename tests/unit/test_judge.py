"""Judging: identity, severity seen from the vantage, what is said where nothing applies and where a rule breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn, cast

import pytest

from checker import judge as judging
from checker.errors import UsageError
from checker.judge import Judge, chosen_rules
from checker.model import Defaults, Finding, Inventory, JsonValue, Observation, Service, Severity, Status
from checker.rules import CataloguedRule, catalogue
from checker.rules.base import Case, Rule, Subject, Verdict, failed, passed
from checker.rules.examples import (
    archive,
    asset,
    dicom_service,
    dicom_tls_service,
    dicomweb_service,
    rejected,
    survey,
    web_service,
)
from checker.rules.examples_tls import certificate, handshake
from tests.unit.stored_runs import ENDED, SECOND, STARTED, inventory, named, observed, open_archive, shut_archive

ARCHIVE = archive(dicom_service(), dicomweb_service())


def judge(found: Inventory, *, vantage: str = "clinical", only: tuple[str, ...] = ()) -> Judge:
    return Judge(found, "run-1", vantage, ENDED, only)


def findings(found: Inventory, observations: list[Observation], vantage: str = "clinical") -> list[Finding]:
    return judge(found, vantage=vantage).findings(found.assets[0], observations, {})


def of_rule(found: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in found if finding.rule.id == rule]


# ------------------------------------------------------------------------------------------------------- identity


def test_every_rule_gives_every_asset_at_least_one_finding() -> None:
    found = findings(inventory(ARCHIVE), open_archive(ARCHIVE))
    assert {finding.rule.id for finding in found} == {entry.id for entry in catalogue()}


@pytest.mark.parametrize(("days", "status"), [(7, Status.PASS), (45, Status.FAIL)])
def test_the_days_of_notice_are_those_of_the_inventory(days: int, status: Status) -> None:
    subject = asset(dicom_tls_service())
    found = replace(inventory(subject), defaults=Defaults(certificate_notice_days=days))
    due = certificate(not_after=ENDED + timedelta(days=30))
    (finding,) = of_rule(findings(found, observed(subject, handshake(due), port=2762)), "tls.certificate-expiring")
    assert finding.status is status


def test_an_id_is_the_same_whatever_was_observed_and_whenever() -> None:
    first = findings(inventory(ARCHIVE), open_archive(ARCHIVE))
    later = Judge(inventory(ARCHIVE), "run-2", "clinical", ENDED + timedelta(days=30))
    second = later.findings(ARCHIVE, shut_archive(ARCHIVE), {})
    assert [finding.finding_id for finding in first] == [finding.finding_id for finding in second]
    assert [finding.status for finding in first] != [finding.status for finding in second]


def test_an_id_is_as_it_was_when_the_first_run_was_stored() -> None:
    found = of_rule(findings(inventory(archive()), open_archive(archive())), "dicom.cleartext")
    assert [finding.finding_id for finding in found] == ["7f86ed3626a769466ea315020819aaf4"]


@pytest.mark.parametrize("vantage", ["internet", "guest"])
def test_another_vantage_is_another_finding(vantage: str) -> None:
    here = {finding.finding_id for finding in findings(inventory(ARCHIVE), open_archive(ARCHIVE))}
    there = {finding.finding_id for finding in findings(inventory(ARCHIVE), open_archive(ARCHIVE), vantage=vantage)}
    assert not here & there


def test_no_two_findings_of_a_fleet_share_an_id() -> None:
    two_titles = archive(dicom_service(), dicom_service(ae_title="WORKLIST"), dicom_service(ae_title=None))
    fleet = [
        named(two_titles, "synthetic-01"),
        named(two_titles, "synthetic-02", "10.20.1.6"),
        replace(two_titles, id="synthetic-03", addresses=("10.20.1.7", "2001:db8:20::7")),
        named(archive(web_service(), web_service("https://archive.example.org/other/")), "synthetic-04", "10.20.1.8"),
        asset(id="synthetic-05", addresses=(), hostname="archive.example.org"),
    ]
    by_judge = judge(inventory(*fleet))
    ids = [finding.finding_id for each in fleet for finding in by_judge.findings(each, open_archive(each), {})]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[0-9a-f]{32}", finding_id) for finding_id in ids)


def test_a_corrected_ae_title_keeps_the_finding_and_so_does_the_order_of_services() -> None:
    def ids(*services: Service) -> set[str]:
        declared = archive(*services)
        found = findings(inventory(declared), shut_archive(declared))
        return {finding.finding_id for finding in of_rule(found, "dicom.ae-title-mismatch")}

    assert ids(dicom_service(ae_title="ARCHIVE")) == ids(dicom_service(ae_title="ARCHIV"))
    two = dicom_service(ae_title="ARCHIVE"), dicom_service(ae_title="WORKLIST")
    assert ids(*two) == ids(*reversed(two))


# ----------------------------------------------------------------------------------------------- what a finding says


def test_a_finding_says_what_the_interface_promises() -> None:
    found = of_rule(findings(inventory(ARCHIVE), open_archive(ARCHIVE)), "dicom.anonymous-query")
    assert len(found) == 1
    finding = found[0]
    rule = next(entry.rule for entry in catalogue() if entry.id == "dicom.anonymous-query")
    assert finding.status is Status.FAIL
    assert finding.run_id == "run-1"
    assert (finding.rule.title, finding.rule.version, finding.remedy) == (rule.title, rule.version, rule.remedy)
    assert finding.controls == rule.controls
    assert finding.asset.id == ARCHIVE.id
    assert finding.asset.zone == "clinical"
    assert finding.service is not None
    assert (finding.service.kind, finding.service.address, finding.service.port) == ("dicom", "10.20.1.5", 11112)
    assert (finding.service.transport, finding.service.ae_title, finding.service.url) == ("tcp", "ARCHIVE", None)
    assert set(finding.observations) <= {"synthetic-01/1", "synthetic-01/2"}
    assert finding.waiver is None
    assert finding.drift is None


def test_a_finding_was_observed_when_the_last_of_its_observations_was() -> None:
    found = findings(inventory(ARCHIVE), open_archive(ARCHIVE))
    assert of_rule(found, "dicom.cleartext")[0].observed_at == STARTED + 2 * SECOND
    assert of_rule(found, "asset.name-mismatch")[0].observed_at == STARTED + 10 * SECOND  # the visit's end


def test_a_rule_without_a_service_to_judge_says_so_once() -> None:
    bare = asset()
    found = of_rule(findings(inventory(bare), observed(bare)), "dicom.cleartext")
    assert [(finding.status, finding.service, finding.observations) for finding in found] == [
        (Status.NOT_APPLICABLE, None, ())
    ]
    assert found[0].observed_at == ENDED


def test_an_asset_that_was_never_asked_passes_nothing_that_was_to_be_observed() -> None:
    found = findings(inventory(ARCHIVE), [])
    passing = {finding.rule.id for finding in found if finding.status in (Status.PASS, Status.FAIL)}
    assert passing <= {"asset.duplicate-address"}
    assert of_rule(found, "archive.open")[0].status is Status.UNKNOWN


# ------------------------------------------------------------------------------------------------------- severity


@pytest.mark.parametrize(
    ("vantage", "zone", "zones", "expected"),
    [
        ("clinical", "clinical", ("clinical", "guest"), Severity.MEDIUM),
        ("guest", "clinical", ("clinical", "guest"), Severity.HIGH),
        ("internet", "clinical", (), Severity.HIGH),
        ("internet", None, (), Severity.HIGH),
        ("local", "clinical", ("clinical", "guest"), Severity.MEDIUM),  # no zone: nothing is known of where it stands
        ("guest", None, ("clinical", "guest"), Severity.MEDIUM),  # the asset's own zone is not known
    ],
)
def test_severity_rises_where_the_vantage_is_outside_the_zone(
    vantage: str, zone: str | None, zones: tuple[str, ...], expected: Severity
) -> None:
    placed = replace(archive(), zone=zone)
    for observations in (open_archive(placed), shut_archive(placed), []):
        found = findings(inventory(placed, zones=zones), observations, vantage=vantage)
        assert [finding.severity for finding in of_rule(found, "dicom.cleartext")] == [expected]


def test_critical_stays_the_top_and_a_rule_about_vantages_does_not_rise() -> None:
    found = findings(inventory(archive(), zones=("guest", "clinical")), open_archive(archive()), vantage="guest")
    assert of_rule(found, "archive.open")[0].severity is Severity.CRITICAL
    for entry in catalogue():
        if not entry.rule.rises:
            for finding in of_rule(found, entry.id):
                assert finding.severity in (entry.rule.severity, *_other_severities(entry))


def _other_severities(entry: CataloguedRule) -> set[Severity]:
    return {verdict.severity for example in entry.rule.examples if (verdict := entry.rule.judge(example.case)).severity}


def test_the_severity_of_a_verdict_replaces_that_of_its_rule(planted: Plant) -> None:
    planted(judge=lambda _case: failed("It is worse than usual.", severity=Severity.HIGH), rises=True)
    found = findings(inventory(archive(), zones=("guest", "clinical")), [], vantage="guest")
    assert of_rule(found, "planted.rule")[0].severity is Severity.CRITICAL


# --------------------------------------------------------------------------------------------------- choosing rules


def test_globs_choose_rules() -> None:
    assert {entry.family for entry in chosen_rules(only=["dicom.*", "archive.open"])} == {"dicom", "archive"}
    assert not {entry.family for entry in chosen_rules(skip=["dicom.*"])} & {"dicom"}
    only = Judge(inventory(ARCHIVE), "run-1", "clinical", ENDED, ["archive.*"])
    assert {finding.rule.id for finding in only.findings(ARCHIVE, [], {})} == {"archive.open"}


@pytest.mark.parametrize(
    ("only", "skip", "names"),
    [(["dicom.cleertext"], [], "dicom.cleertext"), ([], ["tls-*"], "tls-*"), (["archive.*"], ["archive.*"], "no rule")],
)
def test_a_glob_that_would_judge_nothing_is_refused(only: list[str], skip: list[str], names: str) -> None:
    with pytest.raises(UsageError, match=re.escape(names)):
        chosen_rules(only, skip)


# --------------------------------------------------------------------------------------------------- rules that break

Plant = Callable[..., None]
SECRET = "SYNTHETIC^PATIENT"  # what an exception might quote


def _raise(_of: object) -> NoReturn:
    raise LookupError(SECRET)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Puts a rule of the test's own into the catalogue."""

    def plant(**parts: object) -> None:
        example = next(entry.rule for entry in catalogue() if entry.id == "asset.unreachable")
        rule: Rule = replace(example, **parts)  # type: ignore[arg-type]
        entries = (*catalogue(), CataloguedRule("planted.rule", rule))
        monkeypatch.setattr(judging, "catalogue", lambda: entries)

    return plant


BROKEN = [
    pytest.param({"judge": _raise}, 1, id="judge"),
    pytest.param({"judge": _raise, "subject": Subject.SERVICE}, 2, id="judge of services"),
    pytest.param({"applies": _raise, "subject": Subject.SERVICE}, 1, id="applies"),
    pytest.param({"shares": _raise}, 1, id="shares"),
    pytest.param(
        {"judge": lambda _case: passed("It passes.", evidence=cast("JsonValue", {1, 2}))},
        1,
        id="evidence that is no JSON",
    ),
    pytest.param({"judge": lambda _case: passed("It passes.", number=2**64)}, 1, id="a number that is no JSON"),
    pytest.param({"judge": lambda _case: passed("It passes.", share=float("nan"))}, 1, id="a share that is no number"),
    pytest.param({"judge": lambda _case: None}, 1, id="no verdict"),
]


@pytest.mark.parametrize(("parts", "number"), BROKEN)
def test_a_rule_that_raises_gives_an_error_and_the_others_go_on(
    planted: Plant, parts: dict[str, object], number: int
) -> None:
    planted(**parts)
    found = findings(inventory(ARCHIVE), open_archive(ARCHIVE))
    broken = of_rule(found, "planted.rule")
    assert [finding.status for finding in broken] == [Status.ERROR] * number
    assert len({finding.finding_id for finding in broken}) == number
    for finding in broken:
        assert set(finding.evidence) == {"exception", "place"}
        assert re.fullmatch(r"[a-z_.]+:\d+", str(finding.evidence["place"]))
        assert SECRET not in json.dumps([finding.summary, finding.evidence])
    assert of_rule(found, "archive.open")[0].status is Status.FAIL


def test_services_that_cannot_be_told_apart_break_the_rules_about_services_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judging, "service_cases", _raise)
    found = findings(inventory(ARCHIVE), open_archive(ARCHIVE))
    for entry in catalogue():
        broken = [finding.status for finding in of_rule(found, entry.id)] == [Status.ERROR]
        assert broken is (entry.rule.subject is Subject.SERVICE), entry.id


# ------------------------------------------------------------------------------------------------------ fleet rules


def test_fleet_rules_see_who_shares_a_key() -> None:
    twins = named(archive(), "synthetic-01"), named(archive(), "synthetic-02")
    by_judge = judge(inventory(*twins), only=("asset.duplicate-address",))
    assert by_judge.looks_across_the_fleet
    keys = list(by_judge.shares(twins[0], []))
    assert keys == [("asset.duplicate-address", "10.20.1.5:11112")]
    shared = {"asset.duplicate-address": {"10.20.1.5:11112": ("synthetic-01", "synthetic-02")}}
    assert [finding.status for finding in by_judge.findings(twins[0], [], shared)] == [Status.FAIL]
    alone = {"asset.duplicate-address": {"10.20.1.5:11112": ("synthetic-01",)}}
    assert [finding.status for finding in by_judge.findings(twins[0], [], alone)] == [Status.PASS]


def test_a_fleet_rule_about_services_sees_the_sharers_in_each_case(planted: Plant) -> None:
    def by_sharers(case: Case) -> Verdict:
        return passed(f"It has {len(case.sharers['key'])} sharers.")

    planted(judge=by_sharers, subject=Subject.SERVICE, shares=lambda _case: ["key", "key"])
    by_judge = judge(inventory(ARCHIVE), only=("planted.*",))
    assert list(by_judge.shares(ARCHIVE, [])) == [("planted.rule", "key")]
    found = by_judge.findings(ARCHIVE, [], {"planted.rule": {"key": ("synthetic-01", "synthetic-02")}})
    assert {finding.summary for finding in found} == {"It has 2 sharers."}


def test_a_key_that_raises_is_no_key(planted: Plant) -> None:
    planted(shares=_raise)
    assert "planted.rule" not in {rule for rule, _ in judge(inventory(ARCHIVE)).shares(ARCHIVE, [])}


def test_judging_does_not_depend_on_who_was_judged_before() -> None:
    by_judge = judge(inventory(ARCHIVE))
    first = by_judge.findings(ARCHIVE, open_archive(ARCHIVE), {})
    by_judge.findings(ARCHIVE, observed(ARCHIVE, rejected((1, 1, 3)), survey()), {})
    assert by_judge.findings(ARCHIVE, open_archive(ARCHIVE), {}) == first
