"""dicom.ae-title-mismatch: the AE title that the inventory declares is not the service's."""

from __future__ import annotations

from dataclasses import replace

from checker.model import AssociationOutcome, AssociationPurpose, DicomFacts, Severity, Status
from checker.rules import controls
from checker.rules.access import (
    CALLED_NOT_RECOGNISED,
    SURVEY,
    WRONG_CALLED,
    accepted,
    all_told,
    associations,
    further,
    of_purpose,
    refuses_title,
    words,
)
from checker.rules.base import (
    Case,
    Example,
    Rule,
    Subject,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from checker.rules.examples import (
    archive,
    dicom_service,
    dicom_tls_service,
    registered,
    rejected,
    service_case,
    survey,
    wrong_called,
)


def judge(case: Case) -> Verdict:
    """The declared title accepted passes; it fails only where the title made the difference."""
    declared = case.the_service().ae_title
    if declared is None:
        return not_applicable("The inventory declares no AE title for this service.")
    asked = associations(case, as_known=True)
    # Whoever calls: who was let in under the registered title has called the service by its own.
    called = [*of_purpose(asked, SURVEY), *further(case, AssociationPurpose.REGISTERED)]
    mine = [facts for facts in called if facts.called_ae_title.strip() == declared]
    wrong = of_purpose(asked, WRONG_CALLED)
    told = all_told([*mine, *wrong])
    if any(accepted(facts) for facts in mine):
        return passed(f"The declared AE title {declared!r} was accepted.", associations=told)
    refused = [facts for facts in mine if refuses_title(facts)]
    other = next((facts for facts in wrong if any(_title_decided(facts, one) for one in refused)), None)
    if other is not None:
        return failed(
            f"The declared AE title {declared!r} was not recognised, while another one was {words(other)}.",
            associations=told,
        )
    return unknown(
        f"Whether {declared!r} is the service's AE title was not shown:"
        f" the association was {words(mine[-1] if mine else None)}.",
        associations=told,
    )


def _title_decided(wrong: DicomFacts, declared: DicomFacts) -> bool:
    """Whether a title that nobody has got further than the declared one did, for the same caller in the same mode."""
    if (wrong.tls, wrong.client_certificate) != (declared.tls, declared.client_certificate):
        return False
    if wrong.calling_ae_title != declared.calling_ae_title:
        return False
    if accepted(wrong):
        return True
    return (
        wrong.outcome is AssociationOutcome.REJECTED
        and wrong.reject is not None
        # Permanent and by the service user (PS3.8 9.3.4); being busy says nothing about titles, nor does "no reason".
        and wrong.reject[:2] == CALLED_NOT_RECOGNISED[:2]
        and wrong.reject not in (CALLED_NOT_RECOGNISED, (1, 1, 1))
    )


RULE = Rule(
    title="The declared AE title is not recognised",
    severity=Severity.LOW,
    subject=Subject.SERVICE,
    meaning=(
        "The inventory names an AE title that the service does not answer to. Peers that were configured from the"
        " inventory cannot reach it, and checks that use the title see less than a stranger who knows the right"
        " one.\n\n"
        "Rejection 1/1/7 alone is unknown, for products say it to unknown callers too; it counts where another called"
        " title got a different answer."
    ),
    remedy="Correct the AE title in the inventory or on the device, and look for peers that use the old one.",
    controls=controls.INVENTORY,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "The declared title was accepted.",
            service_case(archive(), survey(echo_status=0)),
            Status.PASS,
        ),
        Example(
            "We were refused, and the registered calling title was let in under the declared title.",
            service_case(archive(), rejected((1, 1, 7)), registered()),
            Status.PASS,
        ),
        Example(
            "The registered calling title was refused with 1/1/7, and another title was accepted for ours.",
            service_case(
                archive(),
                rejected((1, 1, 1)),
                wrong_called(),
                registered(AssociationOutcome.REJECTED, reject=(1, 1, 7)),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The declared title was not recognised, and another was accepted.",
            service_case(archive(), rejected((1, 1, 7)), wrong_called()),
            Status.FAIL,
        ),
        Example(
            "Both titles were refused as not recognised.",
            service_case(archive(), rejected((1, 1, 7)), rejected((1, 1, 7), purpose=WRONG_CALLED)),
            Status.UNKNOWN,
        ),
        Example(
            "The declared title was not recognised, and for the other the service was busy.",
            service_case(archive(), rejected((1, 1, 7)), rejected((2, 3, 2), purpose=WRONG_CALLED)),
            Status.UNKNOWN,
        ),
        Example(
            "TLS asks for a client certificate, and with our own the declared title was accepted.",
            service_case(
                archive(dicom_tls_service()),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                replace(survey(tls=True, echo_status=0), client_certificate=True),
            ),
            Status.PASS,
        ),
        Example(
            "The inventory declares no title.",
            service_case(archive(dicom_service(ae_title=None)), survey(echo_status=0)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
