"""asset.unreachable: nothing of the asset answered."""

from __future__ import annotations

from checker.model import (
    AssociationOutcome,
    ConnectState,
    DicomFacts,
    Facts,
    HttpEnd,
    HttpFacts,
    PortFacts,
    Severity,
    Status,
    TlsFacts,
    VisitFacts,
)
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, asset_case, port_seen, ports_seen, rejected, seen
from checker.rules.sweep import came_from

_NOT_TRIED = (ConnectState.LOCAL_ERROR, ConnectState.NOT_ASKED)


def judge(case: Case) -> Verdict:
    """Anything that came from the asset passes; asked and nothing came fails; not visited decides nothing."""
    answering = tuple(item.id for item in case.asset_seen if came_from(case.asset, item))
    if answering:
        verdict = passed("The asset answered.", answers=len(answering))
        return Verdict(verdict.status, verdict.summary, verdict.evidence, observations=answering)
    visits = [item.facts for item in case.asset_seen if isinstance(item.facts, VisitFacts)]
    reasons = [visit.not_visited for visit in visits if visit.not_visited is not None]
    if reasons:
        return unknown("The asset was not visited.", why=reasons)
    asked = [item for item in case.asset_seen if _was_asked(item.facts)]
    gaps = [gap for visit in visits for gap in visit.gaps]
    if not asked:
        return unknown("Nothing was asked of the asset.", gaps=gaps)
    return failed(
        f"Nothing of the asset answered {case.vantage!r}.",
        asked=len(asked),
        addresses=sorted({item.address for item in asked if item.address}),
        gaps=gaps,
    )


def _was_asked(facts: Facts) -> bool:
    match facts:
        case PortFacts():
            return facts.state not in _NOT_TRIED
        case DicomFacts():
            return facts.outcome is not AssociationOutcome.NOT_ASKED
        case HttpFacts():
            return facts.end is not HttpEnd.NOT_ASKED
        case TlsFacts():
            return bool(facts.versions)
        case _:
            return False


RULE = Rule(
    title="Nothing of the asset answered",
    severity=Severity.INFO,
    subject=Subject.ASSET,
    meaning=(
        "The asset was visited, and nothing came from it: no port was open or closed by a reset, no service answered."
        " It may be switched off, gone, or behind a firewall that drops everything from this vantage, which can be just"
        " what is wanted. An ICMP message counts only where the asset itself sent it.\n\n"
        "While nothing answers, nothing else is known about it from here."
    ),
    remedy="Find out whether the asset still exists at this address; if not, take it out of the inventory.",
    controls=controls.INVENTORY,
    rises=False,
    judge=judge,
    examples=(
        Example(
            "Silence on every port.",
            asset_case(archive(), *ports_seen([104, 443, 11112], ConnectState.FILTERED)),
            Status.FAIL,
        ),
        Example(
            "A reset is an answer.",
            asset_case(archive(), port_seen(104, ConnectState.CLOSED)),
            Status.PASS,
        ),
        Example(
            "An association was rejected.",
            asset_case(archive(), seen(rejected((1, 1, 7)))),
            Status.PASS,
        ),
        Example(
            "It was not visited.",
            asset_case(archive(), seen(VisitFacts(not_visited="It is within its quiet hours."), None, "", 0)),
            Status.UNKNOWN,
        ),
    ),
)
