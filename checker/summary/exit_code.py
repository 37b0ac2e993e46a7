"""Pure: what the exit code of a run follows from, and every reason that holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checker.model import Severity
from checker.summary.shape import AssetCounts, ServiceCounts

CLEAN, FAILING, INCOMPLETE, UNDELIVERED = 0, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the exit code follows from.

    `silent` counts services that gave no answer, of assets that did; `unasked` those that answered, and were not asked
    all that tells who is let in; `partly_refused` visited assets of which the scope refused an address. `failing`
    counts failing findings that no waiver covers, `failing_new` those of them that are new or reopened; `undelivered`
    names the sinks that did not take the run.
    """

    assets: AssetCounts = field(default_factory=AssetCounts)
    services: ServiceCounts = field(default_factory=ServiceCounts)
    silent: int = 0
    unasked: int = 0
    partly_refused: int = 0
    passive: int = 0
    failing: Mapping[Severity, int] = field(default_factory=dict)
    failing_new: Mapping[Severity, int] = field(default_factory=dict)
    judgement_errors: int = 0
    visit_errors: int = 0
    interrupted: str | None = None
    undelivered: tuple[str, ...] = ()


def exit_code(outcome: Outcome, fail_on: Severity, fail_on_new: bool) -> tuple[int, tuple[str, ...]]:
    """The exit code of a run that was concluded, and each reason that holds, the one that gave the code first.

    3 where findings fail at or over `fail_on` (with `fail_on_new`, only new and reopened ones count); a finding that a
    waiver covers stays `fail` but does not count, and no status but `fail` does. Else 4 where something gave no answer,
    was not asked or not visited, was interrupted, or could not be judged; a visit or a judgement that a bug of ours
    broke off is such a gap and not exit code 1, which is for runs that could not be concluded at all. Else 5 where a
    sink was not delivered. Else 0.
    """
    found = [
        (FAILING, _failing(outcome, fail_on, fail_on_new)),
        (INCOMPLETE, _incomplete(outcome)),
        (UNDELIVERED, [f"Not delivered: {name}." for name in outcome.undelivered]),
    ]
    code = next((code for code, reasons in found if reasons), CLEAN)
    return code, tuple(reason for _, reasons in found for reason in reasons)


def _failing(outcome: Outcome, fail_on: Severity, fail_on_new: bool) -> list[str]:
    counted = outcome.failing_new if fail_on_new else outcome.failing
    at_or_over = {
        severity: counted.get(severity, 0) for severity in reversed(Severity) if severity.rank >= fail_on.rank
    }
    number = sum(at_or_over.values())
    if not number:
        return []
    kind = "new failing" if fail_on_new else "failing"
    by_severity = ", ".join(f"{count} {severity.value}" for severity, count in at_or_over.items() if count)
    verb = "is" if number == 1 else "are"
    return [f"{_number(number, f'{kind} finding')} {verb} {fail_on.value} or worse: {by_severity}."]


def _incomplete(outcome: Outcome) -> list[str]:
    reasons = []
    assets = outcome.assets
    if not assets.listed:
        reasons.append("No asset was listed.")
    if outcome.interrupted is not None:
        reasons.append(f"The run was interrupted by {outcome.interrupted}.")
    # That a passive asset is left out is what its owner wants, and no news for cron; a run of such alone saw nothing.
    missed = assets.not_visited - (outcome.passive if assets.visited else 0)
    if missed:
        reasons.append(f"{_number(missed, 'asset')} {_was(missed)} not visited.")
    if assets.refused_by_scope:
        reasons.append(
            f"{_number(assets.refused_by_scope, 'asset')} {_was(assets.refused_by_scope)} refused by the scope."
        )
    if assets.unreachable:
        reasons.append(f"{_number(assets.unreachable, 'asset')} gave no answer.")
    if outcome.silent:
        reasons.append(f"{_number(outcome.silent, 'service')} of assets that answered gave no answer.")
    if outcome.unasked:
        reasons.append(
            f"{_number(outcome.unasked, 'service')} {_was(outcome.unasked)} not asked all that tells who is let in."
        )
    if outcome.partly_refused:
        reasons.append(f"Of {_number(outcome.partly_refused, 'visited asset')} the scope refused an address.")
    if outcome.visit_errors:
        reasons.append(f"{_number(outcome.visit_errors, 'visit')} broke off by an internal error.")
    if outcome.judgement_errors:
        reasons.append(f"{_number(outcome.judgement_errors, 'judgement')} ended in an internal error.")
    return reasons


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
