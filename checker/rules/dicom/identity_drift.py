"""dicom.identity-drift: another implementation answers than in the last run."""

from __future__ import annotations

from checker.model import AssociationOutcome, JsonValue, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, identified, known_before, rejected, service_case, survey, wrong_called
from checker.rules.identity import Implementation, earlier, implementations


def judge(case: Case) -> Verdict:
    """The same class UID and version as before pass; another of either fails; a run that saw none decides nothing."""
    now, before = implementations(case), earlier(case)
    told: list[JsonValue] = [one.told() for one in now]
    told_before = _told(case, before)
    if not now:
        return unknown("No accepted association told which implementation answers.", now=told, earlier=told_before)
    if before is None:
        return unknown(
            f"No earlier run is known that saw which implementation answers; now it is {now[0].named}.",
            now=told,
            earlier=None,
        )
    if before not in now:
        return failed(_changed(before, now[0]), now=told, earlier=told_before)
    if len(now) > 1:
        return unknown(
            "Several implementations answer at this address, so a change would not show.", now=told, earlier=told_before
        )
    return passed(f"The same implementation answers as before: {before.named}.", now=told, earlier=told_before)


def _told(case: Case, before: Implementation | None) -> JsonValue:
    if before is None or case.earlier_identity is None:
        return None
    return {**before.told(), "run_id": case.earlier_identity.run_id}


def _changed(before: Implementation, now: Implementation) -> str:
    if before.class_uid == now.class_uid or (before.version and now.version and before.version != now.version):
        was, became = before.version or "without a version", now.version or "without a version"
    else:
        was, became = before.class_uid or "without a UID", now.class_uid or "without a UID"
    return f"Another implementation answers than before: it was {was}, and is {became}."


RULE = Rule(
    title="Another DICOM implementation answers than before",
    severity=Severity.INFO,
    subject=Subject.SERVICE,
    meaning=(
        "Who accepts an association says by which implementation: a class UID and, mostly, a version name. They are not"
        " what they were in the last run from this vantage that saw them. Mostly that is an update, and then what was"
        " configured before should be checked again, for updates restore defaults. It may be another device or program"
        " at the same address.\n\n"
        "The class UID hints at the toolkit that a product was built with, not at the product: many share one, so that"
        " another product may name the same. Where several implementations answer in one run, as behind a load"
        " balancer, they fail only where that of before is none of them. The first run of a service is unknown."
    ),
    remedy=(
        "Find out whether the change was planned. If it was, look at the other findings of this service with it; if"
        " not, find out what answers there."
    ),
    controls=controls.INVENTORY,
    rises=False,
    applies=lambda service: service.is_dicom,
    judge=judge,
    examples=(
        Example(
            "The same class UID and version as before.",
            known_before(service_case(archive(), identified(survey(echo_status=0)), identified(wrong_called()))),
            Status.PASS,
        ),
        Example(
            "A newer version of the same toolkit.",
            known_before(
                service_case(
                    archive(), identified(survey(echo_status=0), "1.2.276.0.7230010.3.0.3.6.8", "OFFIS_DCMTK_368")
                )
            ),
            Status.FAIL,
            Severity.INFO,
        ),
        Example(
            "Another class UID under the same version name.",
            known_before(service_case(archive(), identified(survey(echo_status=0), "1.2.40.0.13.1.3"))),
            Status.FAIL,
        ),
        Example(
            "The version is no longer told.",
            known_before(service_case(archive(), identified(survey(echo_status=0), version=None))),
            Status.FAIL,
        ),
        Example(
            "There is no earlier run.",
            service_case(archive(), identified(survey(echo_status=0))),
            Status.UNKNOWN,
        ),
        Example(
            "No association was accepted this time.",
            known_before(service_case(archive(), rejected((1, 1, 3)), survey(AssociationOutcome.TIMEOUT))),
            Status.UNKNOWN,
        ),
        Example(
            "An association was accepted that names no implementation.",
            known_before(service_case(archive(), survey(echo_status=0))),
            Status.UNKNOWN,
        ),
        Example(
            "Two implementations answer, and one of them is that of before.",
            known_before(
                service_case(
                    archive(), identified(survey(echo_status=0)), identified(wrong_called(), "1.2.40.0.13.1.3", None)
                )
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Two implementations answer, and neither is that of before.",
            known_before(
                service_case(
                    archive(),
                    identified(survey(echo_status=0), "1.3.6.1.4.1.30071.8", "fo-dicom 5.1.2"),
                    identified(wrong_called(), "1.2.40.0.13.1.3", None),
                )
            ),
            Status.FAIL,
        ),
    ),
)
