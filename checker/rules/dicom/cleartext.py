"""dicom.cleartext: the service speaks DICOM without TLS."""

from __future__ import annotations

from checker.model import AssociationOutcome, HandshakeFacts, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.access import associations, plaintext_answer, plaintext_doubt, tls_proof, words
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, dicom_tls_service, rejected, service_case, survey


def judge(case: Case) -> Verdict:
    """Plaintext DICOM seen fails; TLS proved and plaintext turned away passes; silence decides nothing."""
    plain, tls = plaintext_answer(case), tls_proof(case)
    if plain is not None:
        return failed(f"The service speaks DICOM without TLS: {plain}.", shown_by=plain, tls_shown_by=tls)
    doubt = plaintext_doubt(case)
    if tls is not None and doubt is not None:
        return unknown(f"TLS is spoken, but {doubt}.", tls_shown_by=tls)
    if tls is not None:
        return passed(f"The service speaks TLS, and plaintext was turned away: {tls}.", shown_by=tls)
    last = associations(case)[-1:]
    return unknown(
        "Neither DICOM in plaintext nor TLS was seen on this port.",
        last_association=words(last[0] if last else None),
    )


RULE = Rule(
    title="DICOM is spoken without TLS",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Images, names and worklists cross the network so that anybody on the way can read and change them. An answer"
        " in plaintext is enough to show it: an association that was accepted, rejected or aborted outside TLS, or a"
        " TLS hello that was answered with a DICOM message.\n\n"
        "To pass, TLS must have been seen on the port, and a request in plaintext must have been turned away there:"
        " closed, reset or answered with a TLS alert. Some ports take both, so TLS alone is unknown, and so is a port"
        " that said nothing."
    ),
    remedy=(
        "Turn on DICOM TLS with the BCP 195 profile (DICOM PS3.15 B.12) on the device and its peers, then close the"
        " plaintext port. Where a device cannot, keep it and its archive in a network segment of their own or put a"
        " TLS gateway in front of it."
    ),
    controls=controls.CLEARTEXT_DICOM,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "An association in plaintext was accepted.",
            service_case(archive(), survey(echo_status=0)),
            Status.FAIL,
        ),
        Example(
            "A refusal in plaintext is still DICOM in plaintext.",
            service_case(archive(), rejected((1, 1, 3))),
            Status.FAIL,
        ),
        Example(
            "A TLS hello was answered with a DICOM message.",
            service_case(archive(dicom_tls_service()), TlsFacts(plaintext_dicom=True)),
            Status.FAIL,
        ),
        Example(
            "A TLS handshake was completed and plaintext was reset.",
            service_case(
                archive(dicom_tls_service()),
                HandshakeFacts(completed=True, version="TLS 1.3"),
                survey(AssociationOutcome.RESET),
            ),
            Status.PASS,
        ),
        Example(
            "An association inside TLS was accepted, and one in plaintext as well.",
            service_case(archive(dicom_tls_service()), survey(tls=True, echo_status=0), survey(echo_status=0)),
            Status.FAIL,
        ),
        Example(
            "A TLS handshake was completed, and plaintext was not asked.",
            service_case(
                archive(dicom_tls_service()),
                HandshakeFacts(completed=True, version="TLS 1.3"),
                survey(AssociationOutcome.NOT_ASKED),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The association was not answered in time.",
            service_case(archive(), survey(AssociationOutcome.TIMEOUT)),
            Status.UNKNOWN,
        ),
    ),
)
