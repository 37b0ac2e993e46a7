"""tls.obsolete-protocol: the service accepts a version of SSL or TLS that is no longer to be used."""

from __future__ import annotations

from checker.model import Acceptance, Severity, Status, TlsFacts, VersionFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.default_host import UNNAMED, default_hosts, default_versions, telling_default_host
from checker.rules.examples import service_case
from checker.rules.examples_tls import handshake, hellos, tls_archive, without_name
from checker.rules.transport import (
    BROKEN,
    OBSOLETE,
    acceptances,
    among,
    named,
    no_tls,
    speaks_tls,
    ssl2_is_open,
    versions_told,
)

_ASKED = tuple(version for version in OBSOLETE if version != "SSLv2")


def judge(case: Case) -> Verdict:
    """An old version accepted fails; to pass each must have been refused by a service that took another."""
    return telling_default_host(case, _judge(case))


def _judge(case: Case) -> Verdict:
    answers = acceptances(case)
    told = versions_told(case)
    accepted = among(answers, OBSOLETE, Acceptance.ACCEPTED)
    # What is taken from a client that names no host is taken from anybody who leaves the name out.
    unnamed = [version for version in map(named, default_versions(case)) if version in OBSOLETE]
    unnamed = [version for version in unnamed if version not in accepted]
    if accepted or unnamed:
        words = [" and ".join(versions) for versions in (accepted, unnamed) if versions]
        return failed(
            f"The service accepts {', and '.join(words)}{f' {UNNAMED}' if unnamed else ''}.",
            severity=None if BROKEN.isdisjoint((*accepted, *unnamed)) else Severity.CRITICAL,
            accepted=accepted,
            accepted_without_name=unnamed,
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
    # Without the name it was asked about one version only.
    by_name = any(host.acceptance is not Acceptance.REFUSED for host in default_hosts(case))
    sentence = f"The service refuses {', '.join(refused)}{' by its name' if by_name else ''}."
    return passed(sentence, refused=refused, versions=told)


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
        " accepted, while silence is. An obsolete version that is agreed on in a hello without the name of the service"
        " fails too; older versions than the one that such a hello offers are not asked about."
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
            "All old versions are refused by its name, and TLS 1.0 is agreed on with a client that names no host.",
            service_case(tls_archive(), without_name(version="TLS 1.0")),
            Status.FAIL,
            Severity.HIGH,
        ),
        Example(
            "All old versions are refused by its name, and a client that names no host gets TLS 1.2.",
            service_case(tls_archive(), without_name()),
            Status.PASS,
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
