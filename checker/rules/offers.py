"""Pure: whether an unregistered caller is offered SOP classes of one kind, shared by the rules about offers.

A presentation context that was accepted is an offer, not yet permission: nothing was taken and nothing stored to see.
"""

from __future__ import annotations

from checker.catalog.dicom import Meaning, meaning, name
from checker.model import DicomFacts, Status
from checker.rules.access import (
    CANARY,
    REGISTERED,
    SURVEY,
    accepted,
    all_told,
    associations,
    further,
    of_purpose,
    passed_at_port,
    refuses_strangers,
    weigh,
    words,
)
from checker.rules.base import Case, Verdict, failed, unknown
from checker.rules.strangers import MOST_TOLD, Services, services_for_strangers

_SYNTAX_NOT_SUPPORTED = 4  # PS3.8 table 9-18: another transfer syntax might have been accepted


def judge_offer(case: Case, kind: Meaning, called: str) -> Verdict:
    """Fails where any context of the kind was accepted; `called` names the kind in a sentence."""
    services = services_for_strangers(case)
    return services.beside(_judged(case, kind, called, services))


def _judged(case: Case, kind: Meaning, called: str, services: Services) -> Verdict:
    asked, registered = associations(case), further(case, REGISTERED)
    told = all_told(facts for facts in (*asked, *registered) if facts.purpose is not CANARY)
    weighed = weigh(asked, lambda facts: _one(facts, asked, kind, registered))
    by = weighed.by
    if weighed.status is Status.FAIL and by is not None:
        return failed(
            f"A stranger {services.clause(first=kind)}.",
            offered=[{"uid": uid, "name": name(uid)} for uid in services.offered[kind][:MOST_TOLD]],
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


def _one(facts: DicomFacts, asked: list[DicomFacts], kind: Meaning, registered: list[DicomFacts]) -> Status | None:
    results = [context.result for context in facts.contexts if meaning(context.abstract_syntax) is kind]
    if accepted(facts) and 0 in results:
        return Status.FAIL
    if facts.purpose is not SURVEY:
        # The other associations ask for less, so only the survey can show that nothing is offered.
        return None
    if accepted(facts):
        return Status.PASS if results and _SYNTAX_NOT_SUPPORTED not in results else Status.UNKNOWN
    welcome = any(accepted(other) for other in asked if other.tls is facts.tls)
    return Status.PASS if refuses_strangers(facts, registered) and not welcome else Status.UNKNOWN
