"""dicom.unreachable: a declared DICOM service gives no association."""

from __future__ import annotations

from checker.model import AssociationOutcome, ConnectState, DicomFacts, PortFacts, Severity, Status
from checker.rules import controls
from checker.rules.access import all_told, answered, words
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, policy, rejected, service_case, survey

_TLS_IN_THE_WAY = (AssociationOutcome.TLS_FAILED, AssociationOutcome.SPEAKS_TLS)
_OUR_OWN_DOING = (ConnectState.LOCAL_ERROR, ConnectState.NOT_ASKED)


def judge(case: Case) -> Verdict:
    """Any answer to a request for an association passes; asked and none given fails; not asked decides nothing."""
    asked = [facts for facts in case.facts(DicomFacts) if facts.outcome is not AssociationOutcome.NOT_ASKED]
    told = all_told(asked)
    for facts in asked:
        if answered(facts) or facts.outcome is AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED:
            return passed(f"The service answered: an association was {words(facts)}.", associations=told)
    if not asked:
        return unknown("No association was asked of this service.")
    if any(facts.outcome in _TLS_IN_THE_WAY for facts in asked):
        return unknown("Something answered, but TLS was not agreed, so no association was asked.", associations=told)
    ports = [facts.state for facts in case.facts(PortFacts)]
    if ports and all(state in _OUR_OWN_DOING for state in ports):
        return unknown("No connection was tried, for a reason on our own side.", associations=told)
    must = case.the_service().port in case.policy.must_reach(case.asset, case.vantage, case.now.date())
    return failed(
        f"The declared service gave no association: the last one was {words(asked[-1])}.",
        severity=Severity.MEDIUM if must else None,
        associations=told,
        port_states=[state.value for state in ports],
        must_reach=must,
    )


RULE = Rule(
    title="A declared DICOM service gives no association",
    severity=Severity.INFO,
    subject=Subject.SERVICE,
    meaning=(
        "The inventory declares a DICOM service here, and no request for an association was answered. It may be"
        " switched off, moved, or behind a firewall, which can be just what is wanted; that is why it is only a note."
        " Where the exposure policy says that this vantage must reach the port, it matters more.\n\n"
        "While a service does not answer, nothing else is known about it."
    ),
    remedy=(
        "Find out whether the service still exists. If it does, check that it runs and what stands between; if not,"
        " take it out of the inventory."
    ),
    controls=controls.INVENTORY,
    rises=False,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "The association was not answered in time.",
            service_case(archive(), survey(AssociationOutcome.TIMEOUT)),
            Status.FAIL,
            Severity.INFO,
        ),
        Example(
            "No connection came about, where policy says that one must.",
            service_case(
                archive(), survey(AssociationOutcome.NOT_CONNECTED), policy=policy(must_reach=["dicom/11112"])
            ),
            Status.FAIL,
            Severity.MEDIUM,
        ),
        Example(
            "A refusal is an answer.",
            service_case(archive(), rejected((1, 1, 3))),
            Status.PASS,
        ),
        Example(
            "The association was not asked.",
            service_case(archive(), survey(AssociationOutcome.NOT_ASKED)),
            Status.UNKNOWN,
        ),
        Example(
            "TLS was not agreed.",
            service_case(archive(), survey(AssociationOutcome.TLS_FAILED, tls=True)),
            Status.UNKNOWN,
        ),
    ),
)
