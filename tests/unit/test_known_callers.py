"""Associations with our own certificate: they are no stranger's, so that no rule about strangers may look at them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checker.catalog.dicom import STUDY_ROOT_FIND
from checker.model import AssociationOutcome, DicomFacts, Observation, QueryVerdict, Status
from checker.rules import catalogue
from checker.rules.access import associations, told
from checker.rules.base import Case, Example
from checker.rules.examples import (
    CT_IMAGE_STORAGE,
    archive,
    canary,
    dicom_tls_service,
    rejected,
    service_case,
    survey,
    wrong_called,
)

ABOUT_STRANGERS = (
    "archive.open",
    "dicom.anonymous-query",
    "dicom.called-ae-unchecked",
    "dicom.calling-ae-unchecked",
    "dicom.retrieve-offered",
    "dicom.store-offered",
    "tls.client-certificate-optional",
)
JUDGES = {entry.id: entry.rule for entry in catalogue()}
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule}-{number}")
    for rule in ABOUT_STRANGERS
    for number, example in enumerate(JUDGES[rule].examples, 1)
]
# Served with everything, refused by name, by title, at TLS, not at all.
AS_KNOWN = (
    survey(tls=True, echo_status=0, accepted=(CT_IMAGE_STORAGE, STUDY_ROOT_FIND)),
    canary(QueryVerdict.QUERY_ACCEPTED, 0, tls=True),
    canary(QueryVerdict.KEY_IGNORED, 0xFF00, tls=True),
    wrong_called(tls=True),
    rejected((1, 1, 3), tls=True),
    rejected((1, 1, 7), tls=True),
    survey(AssociationOutcome.TLS_FAILED, tls=True),
    survey(AssociationOutcome.TIMEOUT, tls=True),
)


def known(facts: DicomFacts) -> DicomFacts:
    return replace(facts, client_certificate=True)


def with_known(case: Case, facts: DicomFacts) -> Case:
    """The case after one more association, with our certificate, at the place of its first observation."""
    if not case.asset_seen:
        return case
    like = case.asset_seen[0]
    more = Observation(
        "with-our-certificate", like.asset_id, like.vantage, like.observed_at, like.address, like.port, 0, known(facts)
    )
    return replace(case, seen=(*case.seen, more), asset_seen=(*case.asset_seen, more))


@pytest.mark.parametrize("facts", AS_KNOWN, ids=lambda facts: f"{facts.purpose}-{facts.outcome}-{facts.query}")
@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_what_a_known_caller_gets_changes_no_verdict_about_strangers(
    rule: str, example: Example, facts: DicomFacts
) -> None:
    verdict = JUDGES[rule].judge(with_known(example.case, facts))

    assert (verdict.status, verdict.summary) == (example.expect, JUDGES[rule].judge(example.case).summary)


@pytest.mark.parametrize("facts", AS_KNOWN, ids=lambda facts: f"{facts.purpose}-{facts.outcome}-{facts.query}")
@pytest.mark.parametrize("rule", [rule for rule in ABOUT_STRANGERS if rule.startswith("dicom.")])
def test_a_known_caller_alone_decides_nothing_about_strangers(rule: str, facts: DicomFacts) -> None:
    case = service_case(archive(dicom_tls_service()), known(facts), survey(AssociationOutcome.RESET), known(facts))

    assert JUDGES[rule].judge(case).status is Status.UNKNOWN


def test_the_evidence_says_which_association_was_ours() -> None:
    facts = survey(tls=True, echo_status=0)
    case = service_case(archive(dicom_tls_service()), facts, known(facts))

    assert associations(case) == [facts]
    assert associations(case, as_known=True) == [facts, known(facts)]
    assert told(known(facts)) == {**told(facts), "client_certificate": True}


def test_the_declared_title_is_not_compared_with_what_a_stranger_was_told() -> None:
    case = service_case(archive(dicom_tls_service()), rejected((1, 1, 7), tls=True), known(wrong_called(tls=True)))

    assert JUDGES["dicom.ae-title-mismatch"].judge(case).status is Status.UNKNOWN


def test_a_title_that_a_known_caller_is_not_recognised_by_is_not_the_services() -> None:
    case = service_case(
        archive(dicom_tls_service()),
        survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
        known(rejected((1, 1, 7), tls=True)),
        known(wrong_called(tls=True)),
    )

    assert JUDGES["dicom.ae-title-mismatch"].judge(case).status is Status.FAIL


def test_a_service_that_answers_a_known_caller_is_there() -> None:
    case = service_case(archive(dicom_tls_service()), known(survey(tls=True, echo_status=0)))

    assert JUDGES["dicom.unreachable"].judge(case).status is Status.PASS
