"""tls.certificate-expired: the certificate of the service has expired, or is not valid yet."""

from __future__ import annotations

from checker.model import CertificateFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed
from checker.rules.examples import NOW, service_case
from checker.rules.examples_tls import DAY, HOST, certificate, handshake, hellos, tls_archive, without_name
from checker.rules.transport import certificate_told, judge_certificates, moment, speaks_tls


def judge(case: Case) -> Verdict:
    """The time of judging must lie within the validity of each certificate, both ends included."""
    return judge_certificates(case, lambda shown: _one(shown, case))


def _one(shown: CertificateFacts, case: Case) -> Verdict:
    told = certificate_told(shown)
    # RFC 5280 section 4.1.2.5: both ends belong to the period.
    if case.now > shown.not_after:
        days = (case.now - shown.not_after).days
        return failed(
            f"The certificate expired on {moment(shown.not_after)}, {_days(days)} ago.", certificate=told, days=days
        )
    if case.now < shown.not_before:
        return failed(f"The certificate is not valid before {moment(shown.not_before)}.", certificate=told)
    return passed(f"The certificate is valid until {moment(shown.not_after)}.", certificate=told)


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


RULE = Rule(
    title="The certificate has expired or is not valid yet",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "Peers that check certificates refuse the service from now on; those that go on talking to it do not check, and"
        " would talk to anybody. People who are used to clicking the warning away will do so for an attacker too.\n\n"
        "It is judged by the clock of the judging machine, against the certificate that was seen. A `dicom-tls` service"
        " is judged by the one that it shows to a client that names no host as well, for devices seldom name one."
    ),
    remedy=(
        "Have a new certificate issued and install it, with its chain, then find out why nobody was told: put its end"
        " into the calendar or let it be renewed by itself."
    ),
    controls=controls.CERTIFICATE,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It expired 90 days ago.",
            service_case(tls_archive(), handshake(certificate(not_after=NOW - 90 * DAY))),
            Status.FAIL,
        ),
        Example(
            "It begins tomorrow.",
            service_case(tls_archive(), handshake(certificate(not_before=NOW + DAY))),
            Status.FAIL,
        ),
        Example(
            "It is valid, but not the one that a DICOM peer meets that names no host.",
            service_case(
                tls_archive(hostname=HOST),
                without_name(shown=certificate(not_after=NOW - 90 * DAY)),
                handshake(certificate()),
            ),
            Status.FAIL,
        ),
        Example(
            "It is valid now.",
            service_case(tls_archive(), handshake(certificate())),
            Status.PASS,
        ),
        Example(
            "TLS was spoken, but no handshake was completed.",
            service_case(tls_archive(), hellos(accepted=["TLS 1.3"])),
            Status.UNKNOWN,
        ),
        Example(
            "The certificate could not be read.",
            service_case(tls_archive(), handshake(None)),
            Status.UNKNOWN,
        ),
    ),
)
