"""dicom.store-offered: C-STORE is offered to an unregistered caller."""

from __future__ import annotations

from checker.catalog.dicom import Meaning
from checker.model import AssociationOutcome, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict
from checker.rules.examples import (
    CT_IMAGE_STORAGE,
    VERIFICATION,
    archive,
    dicom_tls_service,
    rejected,
    service_case,
    survey,
)
from checker.rules.offers import judge_offer


def judge(case: Case) -> Verdict:
    """Any Storage context accepted in an association of ours fails."""
    return judge_offer(case, Meaning.PUT, "storage")


RULE = Rule(
    title="Storage is offered to anybody",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The service accepted presentation contexts for storing objects in an association with a caller that nobody"
        " registered. Foreign or altered images could be slipped into a patient's record, and disks be filled. It is an"
        " offer and no proof: nothing is ever stored to find out.\n\n"
        "A context refused only for its transfer syntax is unknown, for another syntax might have been accepted."
        " What is seen inside TLS alone is unknown too, until plaintext was turned away at the port or offers nothing"
        " either."
    ),
    remedy=(
        "Accept objects only from registered devices, by AE title and address; in Orthanc set DicomAlwaysAllowStore to"
        " false. Require client certificates on DICOM TLS where the devices can."
    ),
    controls=controls.UNKNOWN_AE,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "CT Image Storage was accepted.",
            service_case(archive(), survey(accepted=(VERIFICATION, CT_IMAGE_STORAGE))),
            Status.FAIL,
        ),
        Example(
            "No Storage class was accepted.",
            service_case(archive(), survey(accepted=(VERIFICATION,), refused=(CT_IMAGE_STORAGE,))),
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
            "TLS asks for a client certificate, and in plaintext CT Image Storage was accepted.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(accepted=(VERIFICATION, CT_IMAGE_STORAGE)),
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
            "Rejected for now: temporary congestion.",
            service_case(archive(), rejected((2, 3, 1))),
            Status.UNKNOWN,
        ),
        Example(
            "Storage was not among what was asked.",
            service_case(archive(), survey(accepted=(VERIFICATION,))),
            Status.UNKNOWN,
        ),
    ),
)
