"""dicom.retrieve-offered: C-GET or C-MOVE is offered to an unregistered caller."""

from __future__ import annotations

from dataclasses import replace

from checker.catalog.dicom import Meaning
from checker.model import AssociationOutcome, QueryVerdict, Severity, Status
from checker.rules import controls
from checker.rules.access import GET, all_told, answers_query, further
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed
from checker.rules.examples import (
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    VERIFICATION,
    archive,
    dicom_tls_service,
    opted_in,
    rejected,
    service_case,
    survey,
)
from checker.rules.offers import judge_offer


def judge(case: Case) -> Verdict:
    """Any GET or MOVE context accepted in an association of ours fails; the canary tells an offer from what is served.

    `proved` is True where it was served; where it was not, an offer stays one.
    """
    verdict = judge_offer(case, Meaning.TAKE, "retrieval")
    asked = further(case, GET)
    if not asked:
        return verdict
    offered = verdict.evidence if verdict.status is Status.FAIL else {}
    served = next((facts for facts in asked if answers_query(facts)), None)
    if served is None:
        return replace(verdict, evidence={**verdict.evidence, "proved": False, "asked": all_told(asked)})
    ignored = served.query is QueryVerdict.KEY_IGNORED
    how = "found what it should not, and was aborted" if ignored else "for a study that cannot exist was answered"
    evidence = {**offered, "proved": True, "key_ignored": ignored, "asked": all_told(asked)}
    return replace(failed(f"A stranger may take images (a retrieve request {how})."), evidence=evidence)


RULE = Rule(
    title="Retrieval is offered to anybody",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "The service accepted presentation contexts for C-GET or C-MOVE, the requests that fetch images, in an"
        " association with a caller that nobody registered. It is an offer and no proof: some products accept the"
        " context and refuse the request. Where the inventory opts in (canaries: [get] of the asset), a C-GET for"
        " a study that cannot exist tells whether the request is served, in an association in which no image could be"
        " sent. No image is ever asked for.\n\n"
        "A context refused only for its transfer syntax is unknown, for another syntax might have been accepted."
        " What is seen inside TLS alone is unknown too, until plaintext was turned away at the port or offers nothing"
        " either."
    ),
    remedy=(
        "Refuse associations from callers that are not registered, and where the product can, switch C-GET off and"
        " allow C-MOVE only to known destinations (in dcmqrscp --disable-get and a host table)."
    ),
    controls=controls.UNKNOWN_AE,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "MOVE and GET were accepted.",
            service_case(archive(), survey(accepted=(VERIFICATION, STUDY_ROOT_MOVE, STUDY_ROOT_GET))),
            Status.FAIL,
        ),
        Example(
            "GET was accepted, and the request for a study that cannot exist was answered with success.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, STUDY_ROOT_GET)),
                opted_in(GET, QueryVerdict.QUERY_ACCEPTED, 0x0000),
            ),
            Status.FAIL,
        ),
        Example(
            "GET was accepted, and the request was refused with an abort, so that an offer is all there is.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, STUDY_ROOT_GET)),
                opted_in(GET, QueryVerdict.REFUSED_ABORT, abort=(0, 0)),
            ),
            Status.FAIL,
        ),
        Example(
            "Neither was accepted.",
            service_case(archive(), survey(accepted=(VERIFICATION,), refused=(STUDY_ROOT_MOVE, STUDY_ROOT_GET))),
            Status.PASS,
        ),
        Example(
            "The unregistered caller gets no association.",
            service_case(archive(), rejected((1, 1, 3))),
            Status.PASS,
        ),
        Example(
            "Neither was accepted inside TLS, and both in plaintext on the same port.",
            service_case(
                archive(dicom_tls_service()),
                survey(refused=(STUDY_ROOT_MOVE, STUDY_ROOT_GET), tls=True),
                survey(accepted=(VERIFICATION, STUDY_ROOT_MOVE, STUDY_ROOT_GET)),
            ),
            Status.FAIL,
        ),
        Example(
            "Neither was accepted inside TLS, and plaintext was not asked.",
            service_case(archive(dicom_tls_service()), survey(refused=(STUDY_ROOT_MOVE, STUDY_ROOT_GET), tls=True)),
            Status.UNKNOWN,
        ),
        Example(
            "Rejected 1/1/7: a caller who knows the right title might get in.",
            service_case(archive(), rejected((1, 1, 7))),
            Status.UNKNOWN,
        ),
        Example(
            "The association was aborted.",
            service_case(archive(), survey(AssociationOutcome.ABORTED, abort=(0, 0))),
            Status.UNKNOWN,
        ),
        Example(
            "Retrieval was not among what was asked.",
            service_case(archive(), survey(accepted=(VERIFICATION,))),
            Status.UNKNOWN,
        ),
    ),
)
