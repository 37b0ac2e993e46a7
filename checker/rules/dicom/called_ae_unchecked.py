"""dicom.called-ae-unchecked: an association to an AE title that nobody has is accepted."""

from __future__ import annotations

from checker.model import AssociationOutcome, DicomFacts, Severity, Status
from checker.rules import controls
from checker.rules.access import (
    SURVEY,
    WRONG_CALLED,
    accepted,
    all_told,
    associations,
    of_purpose,
    passed_at_port,
    refuses_title,
    weigh,
    words,
)
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, unknown
from checker.rules.examples import archive, dicom_tls_service, rejected, service_case, survey, wrong_called
from checker.rules.strangers import Services, services_for_strangers

_NO_CERTIFICATE = AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED


def judge(case: Case) -> Verdict:
    """The wrong title accepted fails; to pass, the right one must be accepted and the wrong one refused by name."""
    services = services_for_strangers(case)
    return services.beside(_judged(case, services))


def _judged(case: Case, services: Services) -> Verdict:
    asked = associations(case)
    right_title_accepted = {facts.tls for facts in of_purpose(asked, SURVEY) if accepted(facts)}

    def one(facts: DicomFacts) -> Status | None:
        if facts.outcome is _NO_CERTIFICATE:
            return Status.PASS
        if facts.purpose is not WRONG_CALLED:
            return None
        if accepted(facts):
            return Status.FAIL
        checked = refuses_title(facts) and facts.tls in right_title_accepted
        return Status.PASS if checked else Status.UNKNOWN

    relevant = [facts for facts in asked if facts.purpose in (SURVEY, WRONG_CALLED)]
    told = all_told(relevant)
    weighed = weigh(relevant, one)
    if weighed.status is Status.FAIL and weighed.by is not None:
        title, clause = weighed.by.called_ae_title, services.clause()
        may = f", and a stranger {clause}" if clause else ""
        return failed(f"The wrong AE title {title!r} was accepted{may}.", associations=told)
    if weighed.status is Status.PASS:
        return passed_at_port(case, f"A wrong called AE title is turned away: {words(weighed.by)}.", associations=told)
    wrong = of_purpose(relevant, WRONG_CALLED)
    return unknown(
        "Whether the called AE title is checked was not shown:"
        f" with a wrong one the association was {words(wrong[-1] if wrong else None)}.",
        associations=told,
    )


RULE = Rule(
    title="A wrong called AE title is accepted",
    severity=Severity.LOW,
    subject=Subject.SERVICE,
    meaning=(
        "The service accepts associations that were meant for another AE title. By itself that gives nobody anything,"
        " but it spares a stranger the first guess, and it hides peers that are configured wrongly.\n\n"
        "To pass, the declared title must be accepted and the wrong one refused as not recognised (rejection 1/1/7):"
        " a refusal alone may have been about the caller. A port that takes TLS must have turned plaintext away too, or"
        " pass there as well."
    ),
    remedy="Turn on the check of the called AE title; in Orthanc DicomCheckCalledAet.",
    controls=controls.UNKNOWN_AE,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "The wrong title was accepted.",
            service_case(archive(), survey(echo_status=0), wrong_called()),
            Status.FAIL,
        ),
        Example(
            "The declared title was accepted and the wrong one was not recognised.",
            service_case(archive(), survey(echo_status=0), rejected((1, 1, 7), purpose=WRONG_CALLED)),
            Status.PASS,
        ),
        Example(
            "Without a client certificate no title is looked at, and plaintext is turned away.",
            service_case(
                archive(dicom_tls_service()), survey(_NO_CERTIFICATE, tls=True), survey(AssociationOutcome.RESET)
            ),
            Status.PASS,
        ),
        Example(
            "Inside TLS no title is looked at without a certificate, and in plaintext only the right one was asked.",
            service_case(archive(dicom_tls_service()), survey(_NO_CERTIFICATE, tls=True), survey(echo_status=0)),
            Status.UNKNOWN,
        ),
        Example(
            "Both titles were refused as not recognised: it may have been the caller.",
            service_case(archive(), rejected((1, 1, 7)), rejected((1, 1, 7), purpose=WRONG_CALLED)),
            Status.UNKNOWN,
        ),
        Example(
            "The wrong title was refused for now: local limit exceeded.",
            service_case(archive(), survey(echo_status=0), rejected((2, 3, 2), purpose=WRONG_CALLED)),
            Status.UNKNOWN,
        ),
        Example(
            "The wrong title was not asked.",
            service_case(archive(), survey(echo_status=0)),
            Status.UNKNOWN,
        ),
    ),
)
