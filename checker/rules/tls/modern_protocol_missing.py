"""tls.modern-protocol-missing: the service speaks neither TLS 1.2 nor TLS 1.3."""

from __future__ import annotations

from checker.model import Acceptance, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import handshake, hellos, tls_archive
from checker.rules.transport import (
    MODERN,
    OBSOLETE,
    acceptances,
    among,
    no_tls,
    speaks_tls,
    versions_told,
)


def judge(case: Case) -> Verdict:
    """TLS 1.2 or 1.3 seen passes; both refused by a service that took an older one fails."""
    answers = acceptances(case)
    told = versions_told(case)
    modern = among(answers, MODERN, Acceptance.ACCEPTED)
    if modern:
        return passed(f"The service accepts {' and '.join(modern)}.", accepted=modern, versions=told)
    older = among(answers, OBSOLETE, Acceptance.ACCEPTED)
    if not older:
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", versions=told)
    if among(answers, MODERN, Acceptance.REFUSED) == list(MODERN):
        return failed(
            f"The service accepts {older[-1]} at best: TLS 1.2 and TLS 1.3 were refused.", accepted=older, versions=told
        )
    return unknown(
        f"The service accepts {older[-1]}; whether it accepts TLS 1.2 or TLS 1.3 was not shown.",
        accepted=older,
        versions=told,
    )


RULE = Rule(
    title="Neither TLS 1.2 nor TLS 1.3 is accepted",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "Peers that follow the current rules (BCP 195, DICOM PS3.15 B.12, NIST SP 800-52r2) cannot talk to this service"
        " at all, and all that do talk to it use a version that can be broken. Old versions cannot be switched off"
        " anywhere in the network while it needs them.\n\n"
        "It fails only where both were refused by a service that took an older version; silence is unknown, and so is a"
        " service that took nothing."
    ),
    remedy=(
        "Update the software or the TLS library of the device so that TLS 1.2 is accepted, and TLS 1.3 where it can be."
        " Where that is not possible, put a TLS gateway in front of it."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "TLS 1.0 is the best that is accepted.",
            service_case(
                tls_archive(),
                hellos(accepted=["TLS 1.0"], refused=["SSLv3", "TLS 1.1", "TLS 1.2", "TLS 1.3"]),
            ),
            Status.FAIL,
        ),
        Example(
            "TLS 1.2 is accepted.",
            service_case(tls_archive(), hellos(accepted=["TLS 1.2"], refused=["TLS 1.3"])),
            Status.PASS,
        ),
        Example(
            "The hellos were lost, yet a handshake by TLS 1.3 was completed.",
            service_case(tls_archive(), hellos(inconclusive=["TLS 1.2", "TLS 1.3"]), handshake()),
            Status.PASS,
        ),
        Example(
            "TLS 1.0 is accepted, and TLS 1.2 was answered by silence.",
            service_case(
                tls_archive(),
                hellos(accepted=["TLS 1.0"], refused=["TLS 1.3"], inconclusive=["TLS 1.2"]),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Nothing came back.",
            service_case(tls_archive(), hellos(inconclusive=["TLS 1.2", "TLS 1.3"], answered=False)),
            Status.UNKNOWN,
        ),
    ),
)
