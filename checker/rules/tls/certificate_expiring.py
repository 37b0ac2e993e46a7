"""tls.certificate-expiring: the certificate of the service ends within the days of notice, 30 unless set."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from checker.model import CertificateFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, not_applicable, passed
from checker.rules.examples import NOW, service_case
from checker.rules.examples_tls import DAY, certificate, handshake, hellos, tls_archive
from checker.rules.transport import certificate_told, judge_certificates, moment, speaks_tls


def judge(case: Case) -> Verdict:
    """Less than the days of notice left fails; one that has expired is the matter of another rule."""
    return judge_certificates(case, lambda shown: _one(shown, case))


def _one(shown: CertificateFacts, case: Case) -> Verdict:
    told = certificate_told(shown)
    notice = case.certificate_notice_days
    left = shown.not_after - case.now
    if left < timedelta(0):
        return not_applicable("The certificate has expired already.", certificate=told)
    until = f"until {moment(shown.not_after)}"
    if left < timedelta(days=notice):
        return failed(
            f"The certificate is valid {until} only: fewer than {left.days + 1} days are left.",
            certificate=told,
            days_left=left.days,
            notice_days=notice,
        )
    return passed(
        f"The certificate is valid {until}, for {left.days} days.",
        certificate=told,
        days_left=left.days,
        notice_days=notice,
    )


RULE = Rule(
    title="The certificate expires soon",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "On the day that it ends, peers that check certificates stop to send and to fetch images. Devices often need a"
        " technician of the vendor for a new one, and a month is what that takes.\n\n"
        "It fails from 30 days before the end, or from as many as `defaults.certificate_notice_days` of the inventory"
        " says. A certificate that has expired already is judged by tls.certificate-expired, and not here."
    ),
    remedy="Order the new certificate now, and agree with the vendor on who installs it and when.",
    controls=controls.CERTIFICATE,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It ends in 10 days.",
            service_case(tls_archive(), handshake(certificate(not_after=NOW + 10 * DAY))),
            Status.FAIL,
        ),
        Example(
            "It ends in 200 days.",
            service_case(tls_archive(), handshake(certificate())),
            Status.PASS,
        ),
        Example(
            "It ends in 30 days to the second, and no sooner.",
            service_case(tls_archive(), handshake(certificate(not_after=NOW + 30 * DAY))),
            Status.PASS,
        ),
        Example(
            "It ends in 50 days, and the inventory asks for a notice of 60.",
            replace(
                service_case(tls_archive(), handshake(certificate(not_after=NOW + 50 * DAY))),
                certificate_notice_days=60,
            ),
            Status.FAIL,
        ),
        Example(
            "It ends in 10 days, and the inventory asks for a notice of 7, as where it is renewed by itself.",
            replace(
                service_case(tls_archive(), handshake(certificate(not_after=NOW + 10 * DAY))),
                certificate_notice_days=7,
            ),
            Status.PASS,
        ),
        Example(
            "No certificate was seen.",
            service_case(tls_archive(), hellos(accepted=["TLS 1.2"])),
            Status.UNKNOWN,
        ),
        Example(
            "It has expired already.",
            service_case(tls_archive(), handshake(certificate(not_after=NOW - DAY))),
            Status.NOT_APPLICABLE,
        ),
    ),
)
