"""dicom.calling-ae-unchecked: an unregistered caller is served."""

from __future__ import annotations

from dataclasses import replace

from checker.model import AssociationOutcome, DicomFacts, QueryVerdict, Severity, Status
from checker.rules import controls
from checker.rules.access import (
    GET,
    REGISTERED,
    SURVEY,
    WORKLIST,
    accepted,
    all_told,
    associations,
    further,
    passed_at_port,
    refuses_strangers,
    serves,
    told_apart,
    weigh,
    words,
)
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, unknown
from checker.rules.examples import (
    STUDY_ROOT_GET,
    VERIFICATION,
    archive,
    dicom_tls_service,
    opted_in,
    registered,
    rejected,
    service_case,
    survey,
    wrong_called,
)
from checker.rules.strangers import Services, services_for_strangers, toolkit_hint

_SERVED = {WORKLIST: "a query of the worklist", GET: "a retrieve request"}


def _one(facts: DicomFacts, registered: list[DicomFacts]) -> Status | None:
    if serves(facts):
        return Status.FAIL
    if facts.purpose in _SERVED:
        return None
    if facts.purpose is not SURVEY:
        return Status.UNKNOWN if accepted(facts) else None
    return Status.PASS if refuses_strangers(facts, registered) else Status.UNKNOWN


def judge(case: Case) -> Verdict:
    """Served under our unregistered calling AE title fails; refused for it or for want of a certificate passes."""
    services = services_for_strangers(case)
    return services.beside(_judged(case, services))


def _judged(case: Case, services: Services) -> Verdict:
    registered = further(case, REGISTERED)
    asked = [*associations(case), *further(case, WORKLIST), *further(case, GET)]
    weighed = weigh(asked, lambda facts: _one(facts, registered))
    told, hint = all_told([*asked, *registered]), toolkit_hint(asked)
    match weighed.status, weighed.by:
        case (Status.FAIL, DicomFacts() as by):
            what = "C-ECHO" if by.echo_status is not None else _SERVED.get(by.purpose, "a query")
            clause = services.clause()
            may = f" and {clause}" if clause else ""
            return failed(
                f"A stranger, calling as {by.calling_ae_title!r}, was served {what}{may}.",
                offered=services.listed(),
                toolkit_hint=hint,
                associations=told,
            )
        case (Status.PASS, DicomFacts() as by) if told_apart(by, registered):
            return passed_at_port(
                case,
                f"Strangers are refused, and the registered title is accepted: ours was {words(by)}.",
                toolkit_hint=hint,
                associations=told,
            )
        case (Status.PASS, by):
            turned_away = f"A caller that is not registered is turned away: {words(by)}."
            return passed_at_port(case, turned_away, toolkit_hint=hint, associations=told)
        case (_, DicomFacts() as by) if accepted(by):
            return unknown(
                "An unregistered caller was accepted, but no request of it was served.",
                toolkit_hint=hint,
                associations=told,
            )
        case (_, by):
            return unknown(
                f"Whether callers are checked was not shown: the association was {words(by)}{_beside(registered)}.",
                toolkit_hint=hint,
                associations=told,
            )


def _beside(registered: list[DicomFacts]) -> str:
    """What became of the registered title where it told nothing apart, as the end of a sentence; empty if not asked."""
    if not registered:
        return ""
    last = registered[-1]
    answer = " ".join([last.outcome.value, *(["/".join(map(str, last.reject))] if last.reject else [])])
    return f"; the registered title {last.calling_ae_title!r}: {answer}"


RULE = Rule(
    title="Any calling AE title is served",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The service accepted an association from a calling AE title that nobody registered, and answered a request in"
        " it. Anybody who reaches the port is treated as a known device. The evidence says by groups what is offered to"
        " such a caller (search, take, put, worklist, print, storage commitment), and what of it was seen to be served;"
        " its toolkit hint names the library that answered, not the product.\n\n"
        "An AE title is a name and no secret, so checking it is a fence and no lock; without the fence there is"
        " nothing. To pass, the refusal must say that the caller was not recognised (rejection 1/1/3), or TLS must"
        " ask for a client certificate and plaintext be turned away at the port. Rejection 1/1/7 is unknown: products"
        " give it to unknown callers and to wrong called titles alike. Where the inventory names a calling title that"
        " is registered (registered_ae_title of the service), that one is tried as well: accepted under the same called"
        " title, it shows that a stranger's 1/1/7 was for the stranger, which passes."
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
            "The association was accepted, C-ECHO succeeded, and C-GET is offered.",
            service_case(archive(), survey(echo_status=0, accepted=(VERIFICATION, STUDY_ROOT_GET))),
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
            "Strangers are rejected 1/1/7, and the registered calling title is accepted.",
            service_case(archive(), rejected((1, 1, 7)), registered()),
            Status.PASS,
        ),
        Example(
            "Strangers are rejected 1/1/7, and the registered calling title as well.",
            service_case(archive(), rejected((1, 1, 7)), registered(AssociationOutcome.REJECTED, reject=(1, 1, 7))),
            Status.UNKNOWN,
        ),
        Example(
            "The registered calling title is accepted, and the refusal of strangers gives no reason.",
            service_case(archive(), rejected((1, 1, 1)), registered()),
            Status.UNKNOWN,
        ),
        Example(
            "Strangers and the registered calling title are served alike.",
            service_case(archive(), survey(echo_status=0), registered()),
            Status.FAIL,
        ),
        Example(
            "C-ECHO was not answered, and a stranger's retrieve request was served.",
            service_case(
                archive(),
                survey(accepted=(VERIFICATION, STUDY_ROOT_GET)),
                opted_in(GET, QueryVerdict.QUERY_ACCEPTED, 0x0000),
            ),
            Status.FAIL,
        ),
        Example(
            "Refused once by name, and yet accepted under another called title.",
            service_case(archive(), rejected((1, 1, 3)), wrong_called()),
            Status.UNKNOWN,
        ),
    ),
)
