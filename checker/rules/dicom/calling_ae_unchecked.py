"""dicom.calling-ae-unchecked: an unregistered caller is served."""

from __future__ import annotations

from dataclasses import replace

from checker.model import AssociationOutcome, DicomFacts, Severity, Status
from checker.rules import controls
from checker.rules.access import (
    SURVEY,
    accepted,
    all_told,
    associations,
    passed_at_port,
    refuses_strangers,
    serves,
    weigh,
    words,
)
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, unknown
from checker.rules.examples import archive, dicom_tls_service, rejected, service_case, survey, wrong_called


def _one(facts: DicomFacts) -> Status | None:
    if serves(facts):
        return Status.FAIL
    if facts.purpose is not SURVEY:
        return Status.UNKNOWN if accepted(facts) else None
    return Status.PASS if refuses_strangers(facts) else Status.UNKNOWN


def judge(case: Case) -> Verdict:
    """Served under our unregistered calling AE title fails; refused for it or for want of a certificate passes."""
    asked = associations(case)
    weighed = weigh(asked, _one)
    told = all_told(asked)
    match weighed.status, weighed.by:
        case (Status.FAIL, DicomFacts() as by):
            what = "a query" if by.echo_status is None else "C-ECHO"
            return failed(
                f"The unregistered calling AE title {by.calling_ae_title!r} was accepted, and {what} was served.",
                associations=told,
            )
        case (Status.PASS, by):
            turned_away = f"A caller that is not registered is turned away: {words(by)}."
            return passed_at_port(case, turned_away, associations=told)
        case (_, DicomFacts() as by) if accepted(by):
            return unknown("An unregistered caller was accepted, but no request of it was served.", associations=told)
        case (_, by):
            return unknown(
                f"Whether callers are checked was not shown: the association was {words(by)}.", associations=told
            )


RULE = Rule(
    title="Any calling AE title is served",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The service accepted an association from a calling AE title that nobody registered, and answered a request in"
        " it. Anybody who reaches the port is treated as a known device.\n\n"
        "An AE title is a name and no secret, so checking it is a fence and no lock; without the fence there is"
        " nothing. To pass, the refusal must say that the caller was not recognised (rejection 1/1/3), or TLS must"
        " ask for a client certificate and plaintext be turned away at the port. Rejection 1/1/7 is unknown: products"
        " give it to unknown callers and to wrong called titles alike."
    ),
    remedy=(
        "Register each peer (AE title and address) and refuse all others; in Orthanc DicomCheckModalityHost and"
        " DicomAlwaysAllowEcho false, in DCMTK's dcmqrscp a peer list. Better: require client certificates on DICOM"
        " TLS."
    ),
    controls=controls.UNKNOWN_AE,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "The association was accepted and C-ECHO succeeded.",
            service_case(archive(), survey(echo_status=0)),
            Status.FAIL,
        ),
        Example(
            "Rejected: calling AE title not recognised.",
            service_case(archive(), rejected((1, 1, 3))),
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
            "TLS asks for a client certificate, and with our own C-ECHO succeeded; plaintext is turned away.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(AssociationOutcome.RESET),
                replace(survey(tls=True, echo_status=0), client_certificate=True),
            ),
            Status.PASS,
        ),
        Example(
            "With our own certificate the caller was not recognised, which says nothing of strangers.",
            service_case(archive(dicom_tls_service()), replace(rejected((1, 1, 3)), tls=True, client_certificate=True)),
            Status.UNKNOWN,
        ),
        Example(
            "TLS asks for a client certificate, and in plaintext C-ECHO succeeded.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(echo_status=0),
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
            "Rejected: called AE title not recognised, which some products say to unknown callers.",
            service_case(archive(), rejected((1, 1, 7))),
            Status.UNKNOWN,
        ),
        Example(
            "Rejected for now: local limit exceeded.",
            service_case(archive(), rejected((2, 3, 2))),
            Status.UNKNOWN,
        ),
        Example(
            "Accepted, but the echo was not answered.",
            service_case(archive(), survey()),
            Status.UNKNOWN,
        ),
        Example(
            "Refused once by name, and yet accepted under another called title.",
            service_case(archive(), rejected((1, 1, 3)), wrong_called()),
            Status.UNKNOWN,
        ),
    ),
)
