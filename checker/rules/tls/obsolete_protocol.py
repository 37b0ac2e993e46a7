"""tls.obsolete-protocol: the service accepts a version of SSL or TLS that is no longer to be used."""

from __future__ import annotations

from checker.model import Acceptance, Severity, Status, TlsFacts, VersionFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import handshake, hellos, tls_archive
from checker.rules.transport import (
    BROKEN,
    OBSOLETE,
    acceptances,
    among,
    no_tls,
    speaks_tls,
    ssl2_is_open,
    versions_told,
)

_ASKED = tuple(version for version in OBSOLETE if version != "SSLv2")


def judge(case: Case) -> Verdict:
    """An old version accepted fails; to pass each must have been refused by a service that took another."""
    answers = acceptances(case)
    told = versions_told(case)
    accepted = among(answers, OBSOLETE, Acceptance.ACCEPTED)
    if accepted:
        return failed(
            f"The service accepts {' and '.join(accepted)}.",
            severity=None if BROKEN.isdisjoint(accepted) else Severity.CRITICAL,
            accepted=accepted,
            versions=told,
        )
    refused = among(answers, OBSOLETE, Acceptance.REFUSED)
    open_questions = [version for version in _ASKED if version not in refused]
    if ssl2_is_open(case):
        open_questions.insert(0, "SSLv2")
    if Acceptance.ACCEPTED not in answers.values():
        # A service that takes nothing may have refused our hello and not the version.
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", versions=told)
    if open_questions:
        return unknown(
            f"No old version was accepted, but {', '.join(open_questions)} gave no answer that decides.",
            not_decided=open_questions,
            versions=told,
        )
    return passed(f"The service refuses {', '.join(refused)}.", refused=refused, versions=told)


RULE = Rule(
    title="An obsolete version of SSL or TLS is accepted",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "Whoever sits between two peers can bring them down to the oldest version that both accept, and the old ones"
        " can be broken: SSLv3 (RFC 7568) protects nothing any more, TLS 1.0 and 1.1 (RFC 8996) rest on MD5 and SHA-1."
        " DICOM PS3.15 B.12 forbids them. SSLv3 or SSLv2 accepted is critical.\n\n"
        "To pass, SSLv3, TLS 1.0 and TLS 1.1 must each have been refused by a service that accepted a newer one; a"
        " version that got no clear answer leaves it unknown. SSLv2 counts where it was asked: it has no words to be"
        " refused with, so an alert, a close or a reset in answer to its hello is no doubt where a newer version is"
        " accepted, while silence is."
    ),
    remedy=(
        "Allow TLS 1.2 and 1.3 only, on the device and on its peers. Where a device knows nothing newer, put a TLS"
        " gateway in front of it or keep it in a network segment of its own."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "TLS 1.0 is accepted beside TLS 1.2.",
            service_case(
                tls_archive(),
                hellos(accepted=["TLS 1.0", "TLS 1.2"], refused=["SSLv3", "TLS 1.1", "TLS 1.3"]),
            ),
            Status.FAIL,
            Severity.HIGH,
        ),
        Example(
            "SSLv3 is accepted.",
            service_case(
                tls_archive(),
                hellos(accepted=["SSLv3", "TLS 1.0"], refused=["TLS 1.1", "TLS 1.2", "TLS 1.3"]),
            ),
            Status.FAIL,
            Severity.CRITICAL,
        ),
        Example(
            "The handshake ended at TLS 1.1, whatever became of the hellos.",
            service_case(tls_archive(), handshake(version="TLS 1.1")),
            Status.FAIL,
        ),
        Example(
            "All old versions are refused and TLS 1.3 is accepted.",
            service_case(
                tls_archive(),
                hellos(accepted=["TLS 1.3"], refused=["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ),
            Status.PASS,
        ),
        Example(
            "So are they, and the connection was closed on a hello of SSLv2.",
            service_case(
                tls_archive(),
                hellos(
                    accepted=["TLS 1.3"],
                    refused=["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2"],
                    more=[VersionFacts("SSLv2", Acceptance.INCONCLUSIVE, reason="the connection was closed")],
                ),
            ),
            Status.PASS,
        ),
        Example(
            "SSLv2 was answered by silence.",
            service_case(
                tls_archive(),
                hellos(accepted=["TLS 1.2"], refused=["SSLv3", "TLS 1.0", "TLS 1.1"], inconclusive=["SSLv2"]),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "TLS 1.0 was answered by silence.",
            service_case(
                tls_archive(),
                hellos(accepted=["TLS 1.2"], refused=["SSLv3", "TLS 1.1"], inconclusive=["TLS 1.0"]),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Every version was refused, which says more of our hellos than of the service.",
            service_case(
                tls_archive(),
                hellos(refused=["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
