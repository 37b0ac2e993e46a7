"""Pure: whether an unregistered caller is offered SOP classes of one kind, shared by the rules about offers.

A presentation context that was accepted is an offer, not yet permission: nothing was taken and nothing stored to see.
"""

from __future__ import annotations

from checker.catalog.dicom import Meaning, meaning, name
from checker.model import DicomFacts, Status
from checker.rules.access import (
    CANARY,
    SURVEY,
    accepted,
    all_told,
    associations,
    of_purpose,
    passed_at_port,
    refuses_strangers,
    weigh,
    words,
)
from checker.rules.base import Case, Verdict, failed, unknown

_SYNTAX_NOT_SUPPORTED = 4  # PS3.8 table 9-18: another transfer syntax might have been accepted


def judge_offer(case: Case, kind: Meaning, called: str) -> Verdict:
    """Fails where any context of the kind was accepted; `called` names the kind in a sentence."""
    asked = associations(case)
    told = all_told(facts for facts in asked if facts.purpose is not CANARY)
    weighed = weigh(asked, lambda facts: _one(facts, asked, kind))
    by = weighed.by
    if weighed.status is Status.FAIL and by is not None:
        offered = [
            context.abstract_syntax for context in by.contexts if _is(context.abstract_syntax, kind, context.result)
        ]
        return failed(
            f"An unregistered caller is offered {called}: {_few([name(uid) for uid in offered])}.",
            offered=[{"uid": uid, "name": name(uid)} for uid in offered],
            associations=told,
        )
    if weighed.status is Status.PASS and by is not None:
        if accepted(by):
            return passed_at_port(case, f"An unregistered caller is offered no {called}.", associations=told)
        return passed_at_port(
            case, f"An unregistered caller gets no association: it was {words(by)}.", associations=told
        )
    surveyed = of_purpose(asked, SURVEY)
    if any(accepted(facts) for facts in surveyed):
        return unknown(f"The answers about {called} do not decide.", associations=told)
    last = surveyed[-1] if surveyed else None
    return unknown(f"What is offered to strangers was not shown: the association was {words(last)}.", associations=told)


def _one(facts: DicomFacts, asked: list[DicomFacts], kind: Meaning) -> Status | None:
    results = [context.result for context in facts.contexts if meaning(context.abstract_syntax) is kind]
    if accepted(facts) and 0 in results:
        return Status.FAIL
    if facts.purpose is not SURVEY:
        # The other associations ask for less, so only the survey can show that nothing is offered.
        return None
    if accepted(facts):
        return Status.PASS if results and _SYNTAX_NOT_SUPPORTED not in results else Status.UNKNOWN
    welcome = any(accepted(other) for other in asked if other.tls is facts.tls)
    return Status.PASS if refuses_strangers(facts) and not welcome else Status.UNKNOWN


def _is(uid: str, kind: Meaning, result: int) -> bool:
    return result == 0 and meaning(uid) is kind


def _few(names: list[str]) -> str:
    shown, rest = names[:2], len(names) - 2
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
