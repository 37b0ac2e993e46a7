"""dicom.tls-expected: a service that is declared as DICOM over TLS answers in plaintext."""

from __future__ import annotations

from checker.model import AssociationOutcome, HandshakeFacts, ServiceKind, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.access import associations, plaintext_answer, plaintext_doubt, tls_proof, words
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, dicom_tls_service, service_case, survey


def judge(case: Case) -> Verdict:
    """Plaintext DICOM on a port declared to be TLS fails; TLS proved there and plaintext turned away passes."""
    plain, tls = plaintext_answer(case), tls_proof(case)
    if plain is not None:
        return failed(f"Declared as DICOM over TLS, yet {plain}.", shown_by=plain, tls_shown_by=tls)
    doubt = plaintext_doubt(case)
    if tls is not None and doubt is not None:
        return unknown(f"TLS is spoken as declared, but {doubt}.", tls_shown_by=tls)
    if tls is not None:
        return passed(f"Declared as DICOM over TLS, and so it is, for plaintext is turned away: {tls}.", shown_by=tls)
    last = associations(case)[-1:]
    return unknown(
        "Declared as DICOM over TLS, but neither TLS nor plaintext DICOM was seen.",
        last_association=words(last[0] if last else None),
    )


RULE = Rule(
    title="A service declared as DICOM over TLS answers in plaintext",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The inventory says that this port is protected, and people rely on it; the port says otherwise. Either TLS was"
        " switched off (an update, a restored configuration, a fallback), or the inventory is wrong. Both are worse"
        " than a port known to be in the clear.\n\n"
        "Some ports take both, and whoever leaves TLS out gets in without it. So to pass, TLS must have been seen and a"
        " request in plaintext must have been turned away: closed, reset or answered with a TLS alert."
    ),
    remedy=(
        "Turn TLS on again on this port and forbid the fallback to plaintext. If the port was never meant to be TLS,"
        " correct the inventory, and its exposure policy with it."
    ),
    controls=controls.CLEARTEXT_DICOM,
    applies=lambda service: service.kind is ServiceKind.DICOM_TLS,
    judge=judge,
    examples=(
        Example(
            "The TLS port took an association in plaintext.",
            service_case(archive(dicom_tls_service()), survey(echo_status=0)),
            Status.FAIL,
        ),
        Example(
            "The TLS hello was answered with a DICOM message.",
            service_case(archive(dicom_tls_service()), TlsFacts(plaintext_dicom=True)),
            Status.FAIL,
        ),
        Example(
            "Both are taken: TLS asks for a client certificate, and in plaintext anybody gets in.",
            service_case(
                archive(dicom_tls_service(client_certificate="required")),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(echo_status=0),
            ),
            Status.FAIL,
        ),
        Example(
            "A TLS handshake was completed, and plaintext was reset.",
            service_case(
                archive(dicom_tls_service()),
                HandshakeFacts(completed=True, version="TLS 1.2"),
                survey(AssociationOutcome.RESET),
            ),
            Status.PASS,
        ),
        Example(
            "TLS stopped at the missing client certificate, which only TLS can ask for, and plaintext was closed.",
            service_case(
                archive(dicom_tls_service(client_certificate="required")),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(AssociationOutcome.CLOSED),
            ),
            Status.PASS,
        ),
        Example(
            "A TLS handshake was completed, and plaintext was not asked.",
            service_case(archive(dicom_tls_service()), HandshakeFacts(completed=True, version="TLS 1.2")),
            Status.UNKNOWN,
        ),
        Example(
            "An association inside TLS was accepted, and one in plaintext was not answered in time.",
            service_case(
                archive(dicom_tls_service()),
                survey(tls=True, echo_status=0),
                survey(AssociationOutcome.TIMEOUT),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "No connection came about.",
            service_case(archive(dicom_tls_service()), survey(AssociationOutcome.NOT_CONNECTED, tls=True)),
            Status.UNKNOWN,
        ),
    ),
)
