"""dicom.worklist-query: a stranger's query of the modality worklist is answered."""

from __future__ import annotations

from dataclasses import replace

from checker.catalog.dicom import Meaning, meaning
from checker.model import AssociationOutcome, DicomFacts, QueryVerdict, Severity, Status
from checker.rules import controls
from checker.rules.access import (
    REGISTERED,
    SURVEY,
    WORKLIST,
    accepted,
    all_told,
    answers_query,
    associations,
    further,
    of_purpose,
    passed_at_port,
    refuses_strangers,
    status_text,
    weigh,
    words,
)
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, unknown
from checker.rules.examples import (
    MODALITY_WORKLIST_FIND,
    VERIFICATION,
    archive,
    dicom_tls_service,
    opted_in,
    registered,
    rejected,
    service_case,
    survey,
)
from checker.rules.queries import all_refused, is_meant


def judge(case: Case) -> Verdict:
    """The worklist's canary served fails; a refusal of the caller, the context or the query passes."""
    as_stranger, known = associations(case), further(case, REGISTERED)
    asked = [*of_purpose(as_stranger, SURVEY), *further(case, WORKLIST)]
    welcome = {facts.tls for facts in as_stranger if accepted(facts)}
    told = all_told([*asked, *known])
    weighed = weigh(asked, lambda facts: _one(facts, welcome, known))
    by = weighed.by
    if weighed.status is Status.FAIL and by is not None:
        if by.query is QueryVerdict.KEY_IGNORED:
            return failed(
                "A stranger may read the worklist (a query had its keys ignored; the data was left unread).",
                key_ignored=True,
                data_on_its_way=True,
                read=False,
                associations=told,
            )
        return failed(
            "A stranger may read the worklist (a query for a station and a patient that nobody has was answered).",
            key_ignored=False,
            associations=told,
        )
    if weighed.status is Status.PASS and by is not None:
        return passed_at_port(
            case, f"An unregistered caller cannot query the worklist: {_refusal(by)}.", associations=told
        )
    return unknown(
        f"Whether a stranger can query the worklist was not shown: {_doubt(case, asked)}.", associations=told
    )


def _one(facts: DicomFacts, welcome: set[bool], known: list[DicomFacts]) -> Status | None:
    if facts.purpose is WORKLIST:
        if answers_query(facts):
            return Status.FAIL
        return Status.PASS if accepted(facts) and _refused(facts) else Status.UNKNOWN
    if accepted(facts):
        # An offer is neither permission nor refusal: only a query tells.
        return Status.PASS if all_refused(_results(facts)) else None
    return Status.PASS if refuses_strangers(facts, known) and facts.tls not in welcome else None


def _results(facts: DicomFacts) -> list[int]:
    return [context.result for context in facts.contexts if meaning(context.abstract_syntax) is Meaning.WORKLIST]


def _refused(facts: DicomFacts) -> bool:
    match facts.query:
        case QueryVerdict.REFUSED_STATUS:
            return True  # of the only SOP class for it: not authorised, or not supported
        case QueryVerdict.REFUSED_ABORT:
            return is_meant(facts.abort) and 0 in _results(facts)
        case QueryVerdict.CONTEXT_REJECTED:
            return all_refused(_results(facts))
        case _:
            return False


def _refusal(facts: DicomFacts) -> str:
    match facts.query:
        case QueryVerdict.REFUSED_STATUS if facts.query_status is not None:
            return f"the query was refused with status {status_text(facts.query_status)}"
        case QueryVerdict.REFUSED_ABORT:
            return "the query was answered with an abort of the association"
        case _ if accepted(facts):
            return "no presentation context for it was accepted"
        case _:
            return f"the association was {words(facts)}"


def _doubt(case: Case, asked: list[DicomFacts]) -> str:
    """What is missing, or what the query's own association came to."""
    queried = of_purpose(asked, WORKLIST)
    if queried and accepted(queried[-1]):
        return "the query got no answer that decides"
    if queried:
        return f"the association for it was {words(queried[-1])}"
    surveys = of_purpose(asked, SURVEY)
    if not any(accepted(facts) and 0 in _results(facts) for facts in surveys):
        return f"no survey showed whether it is offered; the last one was {words(surveys[-1] if surveys else None)}"
    if WORKLIST in case.asset.canaries:
        return "it is offered, and the query was not asked"
    return "it is offered, and a query is asked only where the inventory opts in, by canaries: [worklist] of the asset"


RULE = Rule(
    title="Anybody may query the worklist",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "A modality worklist lists the patients who are expected, with what is to be done to them and when. A query of"
        " it from a calling AE title that nobody registered was answered with success. The query was for a station and"
        " a patient that nobody has, on a day of the year 1800, so it could match nothing; a real one would list the"
        " patients.\n\n"
        "The query is asked only where the inventory opts in (canaries: [worklist] of the asset) and the survey showed"
        " that the context for it is accepted. Without it an offered worklist is unknown, for an accepted context is no"
        " permission. A service that ignores the keys starts to send what it has; the answer is then aborted unread,"
        " and the question is not asked of that asset again.\n\n"
        "To pass, the refusal must be of the caller, of the context, or of the query. What is seen inside TLS alone is"
        " unknown until plaintext was turned away at the port or refused it as well."
    ),
    remedy=(
        "Answer worklist queries only to registered modalities, by AE title and address, and require client"
        " certificates on DICOM TLS. Until then, let the firewall admit only the known modalities."
    ),
    controls=controls.ANONYMOUS_QUERY,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "The worklist's canary was answered with success.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, QueryVerdict.QUERY_ACCEPTED, 0x0000),
            ),
            Status.FAIL,
        ),
        Example(
            "The keys were ignored and data was on its way.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, QueryVerdict.KEY_IGNORED, 0xFF00),
            ),
            Status.FAIL,
        ),
        Example(
            "Not authorised.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, QueryVerdict.REFUSED_STATUS, 0x0124),
            ),
            Status.PASS,
        ),
        Example(
            "The context was accepted and the query answered with an abort.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, QueryVerdict.REFUSED_ABORT, abort=(0, 0)),
            ),
            Status.PASS,
        ),
        Example(
            "No worklist is offered.",
            service_case(archive(), survey(refused=(MODALITY_WORKLIST_FIND,), echo_status=0)),
            Status.PASS,
        ),
        Example(
            "The unregistered caller gets no association.",
            service_case(archive(), rejected((1, 1, 3))),
            Status.PASS,
        ),
        Example(
            "Rejected 1/1/7, but the registered calling title is accepted under the same called one.",
            service_case(archive(), rejected((1, 1, 7)), registered()),
            Status.PASS,
        ),
        Example(
            "It is offered, and the inventory does not opt in to the query.",
            service_case(archive(), survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0)),
            Status.UNKNOWN,
        ),
        Example(
            "The inventory opts in, and the query was not asked.",
            service_case(
                replace(archive(), canaries=(WORKLIST,)),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, None, outcome=AssociationOutcome.NOT_ASKED),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The query failed while it was processed.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, QueryVerdict.INDETERMINATE, 0xC000),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Refused inside TLS, and offered in plaintext on the same port, where it was not asked.",
            service_case(
                archive(dicom_tls_service()),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), tls=True, echo_status=0),
                survey(accepted=(VERIFICATION, MODALITY_WORKLIST_FIND), echo_status=0),
                opted_in(WORKLIST, QueryVerdict.REFUSED_STATUS, 0x0124, tls=True),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Rejected 1/1/7: a caller who knows the right title might get in.",
            service_case(archive(), rejected((1, 1, 7))),
            Status.UNKNOWN,
        ),
        Example(
            "The registered calling title is refused with 1/1/7 as well.",
            service_case(archive(), rejected((1, 1, 7)), registered(AssociationOutcome.REJECTED, reject=(1, 1, 7))),
            Status.UNKNOWN,
        ),
    ),
)
