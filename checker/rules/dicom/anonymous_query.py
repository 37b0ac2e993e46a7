"""dicom.anonymous-query: a stranger's query is answered."""

from __future__ import annotations

from dataclasses import replace

from checker.model import AssociationOutcome, DicomFacts, QueryVerdict, Severity, Status
from checker.rules import controls
from checker.rules.access import (
    CANARY,
    REGISTERED,
    SURVEY,
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
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
    VERIFICATION,
    archive,
    canary,
    dicom_tls_service,
    registered,
    rejected,
    service_case,
    survey,
    wrong_called,
)
from checker.rules.queries import NOT_AUTHORISED, no_search_offered, query_refused
from checker.rules.strangers import Services, services_for_strangers


def judge(case: Case) -> Verdict:
    """The canary served fails; a refusal of the caller, the context or the request passes; the rest is unknown."""
    services = services_for_strangers(case)
    return services.beside(_judged(case, services))


def _judged(case: Case, services: Services) -> Verdict:
    as_stranger = associations(case)
    asked = [facts for facts in as_stranger if facts.purpose in (SURVEY, CANARY)]
    # Under whatever title: a stranger who gets an association by a wrong one might query in it.
    welcome = {facts.tls for facts in as_stranger if accepted(facts)}
    registered = further(case, REGISTERED)
    told = all_told([*asked, *registered])
    weighed = weigh(asked, lambda facts: _one(facts, asked, welcome, registered))
    by = weighed.by
    if weighed.status is Status.FAIL and by is not None:
        if by.query is QueryVerdict.KEY_IGNORED:
            return failed(
                _opened(services, "had its key ignored; the data was left unread"),
                key_ignored=True,
                data_on_its_way=True,
                read=False,
                associations=told,
            )
        return failed(
            _opened(services, "for a study that cannot exist was answered"),
            key_ignored=False,
            associations=told,
        )
    if weighed.status is Status.PASS and by is not None:
        return passed_at_port(case, f"An unregistered caller cannot query: {_refusal(by)}.", associations=told)
    return unknown(f"Whether a stranger can query was not shown: {_doubt(by, asked)}.", associations=told)


def _opened(services: Services, how: str) -> str:
    """What a stranger may do, with what proved the search in it."""
    offered = services.offer()
    return f"A stranger may search (a query {how}){f', and {offered}' if offered else ''}."


def _one(facts: DicomFacts, asked: list[DicomFacts], welcome: set[bool], registered: list[DicomFacts]) -> Status | None:
    if answers_query(facts):
        return Status.FAIL
    if facts.purpose is not CANARY:
        if accepted(facts) and no_search_offered(facts):
            return Status.PASS
        # A stranger who gets no association cannot query in one.
        return Status.PASS if refuses_strangers(facts, registered) and facts.tls not in welcome else None
    if accepted(facts):
        return Status.PASS if query_refused(facts, asked) else Status.UNKNOWN
    return Status.PASS if refuses_strangers(facts, registered) and facts.tls not in welcome else Status.UNKNOWN


def _refusal(facts: DicomFacts) -> str:
    match facts.query:
        case QueryVerdict.REFUSED_STATUS if facts.query_status is not None:
            return f"the query was refused with status {status_text(facts.query_status)}"
        case QueryVerdict.REFUSED_ABORT:
            return "the query was answered with an abort of the association"
        case _ if accepted(facts):
            return "no presentation context for queries was accepted"
        case _:
            return f"the association was {words(facts)}"


def _doubt(facts: DicomFacts | None, asked: list[DicomFacts]) -> str:
    if facts is None:
        asked_last = of_purpose(asked, CANARY)[-1:] or asked[-1:]
        return f"the association for it was {words(asked_last[0] if asked_last else None)}"
    if facts.query is QueryVerdict.REFUSED_STATUS and facts.query_status is not None:
        return f"the query failed with status {status_text(facts.query_status)}, which need not be a refusal"
    if facts.query is QueryVerdict.REFUSED_ABORT:
        return "the association was aborted, which need not be a refusal of the query"
    if facts.query is QueryVerdict.CONTEXT_REJECTED:
        return "one class of query was refused, and others were accepted or not asked"
    if accepted(facts):
        return "the query got no answer that decides"
    return f"the association for it was {words(facts)}"


RULE = Rule(
    title="Anybody may query",
    severity=Severity.CRITICAL,
    subject=Subject.SERVICE,
    meaning=(
        "A query (C-FIND) from a calling AE title that nobody registered was answered with success. The query was for a"
        " study that cannot exist, so it could match nothing; a real one would list patients and their studies. From"
        " there to the images it is one request.\n\n"
        "A service that ignores the search key starts to send whatever it has. The answer is then aborted unread, and"
        " the question is not asked of that asset again.\n\n"
        "An accepted presentation context is not yet permission: some products accept it and abort at the request. To"
        " pass, the refusal must be of the caller (rejection 1/1/3, or 1/1/7 where the registered calling title is"
        " accepted, a client certificate), of every query context, or"
        " of the request (status 0124, status 0122 with no other query class accepted, an abort by the application)."
        " A refusal inside TLS counts where plaintext was turned away at the port, or refused the query as well."
        " Failures of processing, such as C000 and A900, are unknown."
    ),
    remedy=(
        "Allow queries only to registered peers, by AE title and address, and require client certificates on DICOM TLS."
        " In Orthanc set DicomAlwaysAllowFind to false and DicomCheckModalityHost to true; in dcmqrscp restrict the"
        " peer list of each storage area. Until then, let the firewall admit only the known peers."
    ),
    controls=controls.ANONYMOUS_QUERY,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "No query context was accepted in the survey, and the canary alone got no association.",
            service_case(
                archive(),
                survey(refused=(STUDY_ROOT_FIND, PATIENT_ROOT_FIND), echo_status=0),
                replace(rejected((1, 1, 1)), purpose=CANARY),
            ),
            Status.PASS,
        ),
        Example(
            "The canary was answered with success.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.QUERY_ACCEPTED, 0x0000)),
            Status.FAIL,
        ),
        Example(
            "The key was ignored and data was on its way.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.KEY_IGNORED, 0xFF00)),
            Status.FAIL,
        ),
        Example(
            "Not authorised.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.REFUSED_STATUS, NOT_AUTHORISED)),
            Status.PASS,
        ),
        Example(
            "The context was accepted and the request answered with an abort.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.REFUSED_ABORT, abort=(0, 0))),
            Status.PASS,
        ),
        Example(
            "No context for queries is accepted.",
            service_case(
                archive(),
                survey(
                    accepted=(VERIFICATION,),
                    refused=(STUDY_ROOT_FIND, PATIENT_ROOT_FIND),
                    echo_status=0,
                ),
                canary(QueryVerdict.CONTEXT_REJECTED),
            ),
            Status.PASS,
        ),
        Example(
            "The unregistered caller gets no association.",
            service_case(archive(), rejected((1, 1, 3)), rejected((1, 1, 3), purpose=CANARY)),
            Status.PASS,
        ),
        Example(
            "TLS asks for a client certificate, and plaintext is turned away.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(AssociationOutcome.RESET),
            ),
            Status.PASS,
        ),
        Example(
            "TLS asks for a client certificate, which counts also where ours was taken; plaintext is turned away.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(AssociationOutcome.RESET),
                replace(survey(tls=True, echo_status=0), client_certificate=True),
            ),
            Status.PASS,
        ),
        Example(
            "TLS asks for a client certificate, and in plaintext the canary was answered with success.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(echo_status=0),
                canary(QueryVerdict.QUERY_ACCEPTED, 0x0000),
            ),
            Status.FAIL,
        ),
        Example(
            "TLS asks for a client certificate, and plaintext was not asked.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "One class of query is refused, and another is accepted.",
            service_case(
                archive(),
                survey(
                    accepted=(VERIFICATION, PATIENT_ROOT_FIND),
                    refused=(STUDY_ROOT_FIND,),
                    echo_status=0,
                ),
                canary(QueryVerdict.CONTEXT_REJECTED),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Rejected 1/1/7: a caller who knows the right title might get in.",
            service_case(archive(), rejected((1, 1, 7)), rejected((1, 1, 7), purpose=CANARY)),
            Status.UNKNOWN,
        ),
        Example(
            "Rejected 1/1/7, but the registered calling title is accepted under the same called one.",
            service_case(archive(), rejected((1, 1, 7)), registered()),
            Status.PASS,
        ),
        Example(
            "As before, but a stranger is accepted by a wrong called title, where the query was not asked.",
            service_case(archive(), rejected((1, 1, 7)), wrong_called(), registered()),
            Status.UNKNOWN,
        ),
        Example(
            "The query failed while it was processed.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.REFUSED_STATUS, 0xC000)),
            Status.UNKNOWN,
        ),
        Example(
            "The association was aborted for an unexpected message, which may be a fault and no refusal.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.REFUSED_ABORT, abort=(2, 2))),
            Status.UNKNOWN,
        ),
        Example(
            "The query was not answered.",
            service_case(archive(), survey(echo_status=0), canary(QueryVerdict.INDETERMINATE)),
            Status.UNKNOWN,
        ),
    ),
)
