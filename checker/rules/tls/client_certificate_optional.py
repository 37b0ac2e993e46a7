"""tls.client-certificate-optional: a client certificate is declared as required, yet the session works without one."""

from __future__ import annotations

from dataclasses import replace

from checker.model import (
    AssociationOutcome,
    DicomFacts,
    HandshakeFacts,
    HttpEnd,
    HttpFacts,
    Severity,
    Status,
)
from checker.rules import controls
from checker.rules.access import answered, plaintext_answer, words
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
from checker.rules.default_host import asks_no_certificate, telling_default_host
from checker.rules.examples import service_case, survey
from checker.rules.examples_tls import handshake, tls_archive, without_name
from checker.rules.transport import no_tls, speaks_tls

_SUCCESS_OR_REDIRECT = range(200, 400)


def judge(case: Case) -> Verdict:
    """A session that was used without a certificate fails; one refused for want of it passes."""
    return telling_default_host(case, _judge(case))


def _judge(case: Case) -> Verdict:
    service = case.the_service()
    if service.client_certificate != "required":
        return not_applicable("The inventory does not say that this service requires a client certificate.")
    behaviour = [one for one in (facts.client_certificate for facts in case.facts(HandshakeFacts)) if one is not None]
    used, refused = _used(case), _refused(case)
    if used is not None:
        return failed(f"No client certificate is needed: {used}.", shown_by=used, handshakes=behaviour)
    plain = plaintext_answer(case) if service.is_dicom else None
    if refused is not None and plain is not None:
        return unknown(
            f"Inside TLS a client certificate is required, but outside it nobody asks for one: {plain}.",
            shown_by=refused,
            plaintext_shown_by=plain,
        )
    if refused is not None and asks_no_certificate(case):
        return unknown(
            f"Who names the host needs a client certificate ({refused}), but who names none is not asked for one.",
            shown_by=refused,
        )
    if refused is not None:
        return passed(f"Inside TLS nothing is served without a client certificate: {refused}.", shown_by=refused)
    # A web server may take the session and refuse the request, so there the answer to a request has to be seen.
    free = [one for one in behaviour if one != "required"]
    if free and not service.is_web:
        how = "was not asked for one" if free[0] == "not-asked" else "was asked for one and went on without"
        return failed(f"No client certificate is needed: the handshake {how}.", handshakes=behaviour)
    why = "no answer to a request decides" if behaviour or _completed(case) else no_tls(case)
    return unknown(f"What happens without a client certificate was not shown: {why}.", handshakes=behaviour)


def _used(case: Case) -> str | None:
    """What was served inside TLS without a certificate, in words; None where nothing was."""
    for facts in case.facts(DicomFacts):
        if facts.tls and answered(facts) and not facts.client_certificate:
            return f"an association inside TLS was {words(facts)}"
    for page in case.facts(HttpFacts):
        served = page.end is HttpEnd.ANSWERED and page.status in _SUCCESS_OR_REDIRECT
        if page.tls and served and not page.client_certificate_gate:
            return f"a request was answered with {page.status}"
    return None


def _refused(case: Case) -> str | None:
    """What was refused for want of a certificate, in words; None where nothing was."""
    if any(facts.client_certificate == "required" for facts in case.facts(HandshakeFacts)):
        return "the server ended the session"
    if any(facts.outcome is AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED for facts in case.facts(DicomFacts)):
        return "the association was refused"
    for page in case.facts(HttpFacts):
        if page.end is HttpEnd.CLIENT_CERTIFICATE_REQUIRED or (page.tls and page.client_certificate_gate):
            return "the request was refused"
    return None


def _completed(case: Case) -> bool:
    return any(facts.completed for facts in case.facts(HandshakeFacts))


RULE = Rule(
    title="A required client certificate is not required",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The inventory says that only peers with a certificate get in, and people rely on it; a peer without one got"
        " in. Any machine in reach can then talk to the service, and whatever the AE titles allow is allowed to it.\n\n"
        "A DICOM service fails where the session went on without a certificate. A web server often takes the session"
        " and refuses the request, so for a URL an answer with content or a redirect has to be seen. To pass, something"
        " must have been refused for want of a certificate. DICOM in plaintext on the same port makes it unknown:"
        " whoever leaves TLS out is asked for nothing (see dicom.tls-expected). So does a `dicom-tls` service that asks"
        " no certificate of a client that names no host, as devices seldom do: whether that one is served was not seen."
        " Judged only where the inventory says `required`."
    ),
    remedy=(
        "Set the server to require and verify client certificates (not only to ask for them), and give certificates to"
        " all peers first. If they were never meant to be required, correct the inventory."
    ),
    controls=controls.CLIENT_CERTIFICATE,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "An association was accepted inside TLS without a certificate.",
            service_case(tls_archive(client_certificate="required"), survey(tls=True, echo_status=0)),
            Status.FAIL,
        ),
        Example(
            "The server asked for a certificate and went on without.",
            service_case(
                tls_archive(client_certificate="required"),
                handshake(client_certificate="optional"),
            ),
            Status.FAIL,
        ),
        Example(
            "The server ended the session for want of a certificate.",
            service_case(
                tls_archive(client_certificate="required"),
                handshake(client_certificate="required"),
            ),
            Status.PASS,
        ),
        Example(
            "TLS refused the association for want of a certificate, and plaintext on the same port was accepted.",
            service_case(
                tls_archive(client_certificate="required"),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                survey(echo_status=0),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "By its name it requires one, and of a client that names no host it asks none.",
            service_case(
                tls_archive(client_certificate="required"),
                without_name(client_certificate_requested=False),
                handshake(client_certificate="required"),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "It requires one by its name, and asks one of a client that names no host as well.",
            service_case(
                tls_archive(client_certificate="required"),
                without_name(client_certificate_requested=True),
                handshake(client_certificate="required"),
            ),
            Status.PASS,
        ),
        Example(
            "TLS refused the association for want of a certificate, and took it with our own.",
            service_case(
                tls_archive(client_certificate="required"),
                survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True),
                replace(survey(tls=True, echo_status=0), client_certificate=True),
            ),
            Status.PASS,
        ),
        Example(
            "The handshake was completed, but what came after it was not seen.",
            service_case(tls_archive(client_certificate="required"), handshake()),
            Status.UNKNOWN,
        ),
        Example(
            "The inventory does not declare it.",
            service_case(tls_archive(), survey(tls=True, echo_status=0)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
