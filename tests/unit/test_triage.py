"""Waivers and drift: annotations that never change a status, and never call resolved what merely gave no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from checker.model import Drift, Finding, Role, Status, Waiver
from checker.triage import Triage, drift, left_failing, was_failing
from tests.unit.stored_runs import FINDING, WAIVER

TODAY = date(2026, 11, 24)


def triaged(
    finding: Finding, *waivers: Waiver, failing: frozenset[str] = frozenset(), compared: bool = True
) -> Finding:
    return Triage(waivers, TODAY, compared=compared).annotate([finding], failing)[0]


# -------------------------------------------------------------------------------------------------------- waivers


@pytest.mark.parametrize(
    "waiver",
    [
        WAIVER,
        replace(WAIVER, rule="dicom.*"),
        replace(WAIVER, rule="*"),
        replace(WAIVER, asset="us-*"),
        replace(WAIVER, site="main-*"),
        replace(WAIVER, role=Role.MODALITY),
        replace(WAIVER, asset="us-07", site="main-campus", role=Role.MODALITY),
        replace(WAIVER, expires=TODAY),
    ],
)
def test_a_waiver_that_matches_is_noted_and_changes_nothing_else(waiver: Waiver) -> None:
    assert triaged(FINDING, waiver) == replace(FINDING, waiver=waiver, drift=Drift.NEW)


@pytest.mark.parametrize(
    "waiver",
    [
        replace(WAIVER, rule="dicom.tls-expected"),
        replace(WAIVER, rule="DICOM.cleartext"),
        replace(WAIVER, asset="us-08"),
        replace(WAIVER, site="west"),
        replace(WAIVER, role=Role.ARCHIVE),
        replace(WAIVER, asset="us-07", role=Role.ARCHIVE),
        replace(WAIVER, expires=date(2026, 11, 23)),
    ],
)
def test_a_waiver_of_something_else_or_of_yesterday_is_not(waiver: Waiver) -> None:
    assert triaged(FINDING, waiver).waiver is None


def test_the_first_waiver_in_force_is_the_one() -> None:
    expired = replace(WAIVER, reason="expired", expires=date(2026, 1, 1))
    first, second = replace(WAIVER, reason="first"), replace(WAIVER, reason="second")
    assert triaged(FINDING, expired, first, second).waiver == first


@pytest.mark.parametrize(
    ("status", "waived"),
    [
        (Status.FAIL, True),
        (Status.UNKNOWN, True),
        (Status.ERROR, True),
        (Status.PASS, False),
        (Status.NOT_APPLICABLE, False),
    ],
)
def test_there_is_nothing_to_accept_in_what_passes(status: Status, waived: bool) -> None:
    found = triaged(replace(FINDING, status=status), WAIVER)
    assert (found.waiver is not None) is waived
    assert found.status is status


# ---------------------------------------------------------------------------------------------------------- drift


@pytest.mark.parametrize(
    ("status", "failed_before", "expected"),
    [
        (Status.FAIL, False, Drift.NEW),
        (Status.FAIL, True, Drift.PERSISTING),
        (Status.PASS, True, Drift.RESOLVED),
        (Status.NOT_APPLICABLE, True, Drift.RESOLVED),
        (Status.UNKNOWN, True, Drift.PERSISTING),
        (Status.ERROR, True, Drift.PERSISTING),
        (Status.PASS, False, None),
        (Status.NOT_APPLICABLE, False, None),
        (Status.UNKNOWN, False, None),
        (Status.ERROR, False, None),
    ],
)
def test_drift(status: Status, failed_before: bool, expected: Drift | None) -> None:
    assert drift(status, failed_before=failed_before) is expected
    failing = frozenset({FINDING.finding_id}) if failed_before else frozenset[str]()
    assert triaged(replace(FINDING, status=status), failing=failing).drift is expected


def test_without_an_earlier_run_every_failure_is_new() -> None:
    assert triaged(FINDING, failing=frozenset({FINDING.finding_id}), compared=False).drift is Drift.NEW


def test_a_finding_of_another_identity_says_nothing() -> None:
    assert triaged(FINDING, failing=frozenset({"1" * 32})).drift is Drift.NEW


def history(*statuses: Status) -> list[Drift | None]:
    """The drift of one finding in run after run."""
    found, failing = [], False
    for status in statuses:
        now = drift(status, failed_before=failing)
        assert was_failing(now) is failing
        failing = left_failing(status, now)
        found.append(now)
    return found


def test_an_asset_that_cannot_be_reached_has_not_been_repaired() -> None:
    assert history(Status.FAIL, Status.UNKNOWN, Status.ERROR, Status.FAIL) == [
        Drift.NEW,
        Drift.PERSISTING,
        Drift.PERSISTING,
        Drift.PERSISTING,
    ]
    assert history(Status.FAIL, Status.UNKNOWN, Status.PASS, Status.UNKNOWN, Status.FAIL) == [
        Drift.NEW,
        Drift.PERSISTING,
        Drift.RESOLVED,
        None,
        Drift.NEW,
    ]
