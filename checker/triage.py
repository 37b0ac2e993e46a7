"""Pure: what is known about a finding beside what was observed: accepted risks, and what failed in an earlier run.

Both are annotations. Neither ever changes a status, and nothing that merely gave no answer is ever called resolved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from checker.model import Drift, Finding, Status, Waiver

_NOTHING_TO_ACCEPT = frozenset({Status.PASS, Status.NOT_APPLICABLE})
_UNDECIDED = frozenset({Status.UNKNOWN, Status.ERROR})


class Triage:
    """Annotates the findings of one run.

    `waivers` in the inventory's order; one holds through its day of expiry, compared with `today`. `compared` says
    whether there is an earlier run of this vantage to compare with.
    """

    def __init__(self, waivers: Iterable[Waiver], today: date, *, compared: bool) -> None:
        self._waivers = tuple(waiver for waiver in waivers if waiver.expires >= today)
        self._compared = compared

    def annotate(self, findings: Iterable[Finding], failing_before: Collection[str]) -> list[Finding]:
        """The findings with waiver and drift; `failing_before` has the ids that the earlier run left failing."""
        return [
            replace(
                finding,
                waiver=self.waiver(finding),
                drift=drift(finding.status, failed_before=self._compared and finding.finding_id in failing_before),
            )
            for finding in findings
        ]

    def waiver(self, finding: Finding) -> Waiver | None:
        """The first waiver in force for the finding; None where it passes or does not apply: there is no risk then."""
        if finding.status in _NOTHING_TO_ACCEPT:
            return None
        return next((waiver for waiver in self._waivers if covers(waiver, finding)), None)


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether the waiver speaks of the finding's rule and asset: all that it gives must match; its expiry aside."""
    asset = finding.asset
    return (
        fnmatchcase(finding.rule.id, waiver.rule)
        and (waiver.asset is None or fnmatchcase(asset.id, waiver.asset))
        and (waiver.site is None or fnmatchcase(asset.site, waiver.site))
        and (waiver.role is None or waiver.role is asset.role)
    )


def drift(status: Status, *, failed_before: bool) -> Drift | None:
    """A finding against an earlier run of the same vantage.

    Failing now and not before is `new`, also where there is no earlier run; failing then and passing or not applicable
    now is `resolved`; failing then and failing, unknown or broken off now is `persisting`, for an asset that cannot be
    reached has not been repaired. `reopened` needs a longer history than one run and is never given here.
    """
    if status is Status.FAIL:
        return Drift.PERSISTING if failed_before else Drift.NEW
    if not failed_before:
        return None
    return Drift.PERSISTING if status in _UNDECIDED else Drift.RESOLVED


def left_failing(status: Status, drift: Drift | None) -> bool:
    """Whether a run left a finding failing: it fails, or it failed before and this run could not tell."""
    return status is Status.FAIL or (status in _UNDECIDED and drift is Drift.PERSISTING)


def was_failing(drift: Drift | None) -> bool:
    """Whether a finding, as its drift tells, was failing before the run that it belongs to."""
    return drift in (Drift.PERSISTING, Drift.RESOLVED)
