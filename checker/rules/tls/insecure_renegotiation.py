"""tls.insecure-renegotiation: the service does not know the safe way to renegotiate."""

from __future__ import annotations

from checker.model import Acceptance, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import accepted_version, modern, newest_only, tls_archive
from checker.rules.suites import few, undecided_options
from checker.rules.transport import acceptances, asked_versions, named, no_tls, speaks_tls, versions_told


def judge(case: Case) -> Verdict:
    """RFC 5746 left unanswered under any version fails; to pass, each accepted one must have answered it."""
    told = versions_told(case)
    silent = [
        named(one.version)
        for one in asked_versions(case)
        if one.acceptance is Acceptance.ACCEPTED and one.secure_renegotiation is False
    ]
    if silent:
        return failed(
            f"The service does not know secure renegotiation under {few(silent, 4)}.",
            without=silent,
            versions=told,
        )
    if Acceptance.ACCEPTED not in acceptances(case).values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", versions=told)
    undecided = undecided_options(case, lambda one: one.secure_renegotiation)
    if undecided:
        return unknown(
            f"Nothing speaks against it, but secure renegotiation was not decided under {few(undecided, 4)}.",
            not_decided=undecided,
            versions=told,
        )
    return passed("The service knows secure renegotiation where a version has any.", versions=told)


RULE = Rule(
    title="Secure renegotiation is not known",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Without RFC 5746 an attacker in the middle can put text of his own before that of a client, and the server"
        " takes both as one. A client cannot tell a server that never renegotiates from one that can be attacked, so"
        " current ones refuse both. RFC 9325 section 3.5 asks for it.\n\n"
        "It is judged by the answer to the signal of RFC 5746 alone: nothing is renegotiated, so a server that does not"
        " answer it and never renegotiates fails as well. TLS 1.3 has no renegotiation."
    ),
    remedy="Update the TLS library of the device; every one that is newer than 2010 answers RFC 5746.",
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It left the signal unanswered.",
            service_case(tls_archive(), modern(chosen=accepted_version(secure_renegotiation=False))),
            Status.FAIL,
            Severity.MEDIUM,
        ),
        Example(
            "It answered the signal.",
            service_case(tls_archive(), modern()),
            Status.PASS,
        ),
        Example(
            "TLS 1.3 alone is accepted, which has no renegotiation.",
            service_case(tls_archive(), newest_only()),
            Status.PASS,
        ),
        Example(
            "Its answer under TLS 1.2 was not seen.",
            service_case(tls_archive(), modern(chosen=accepted_version(secure_renegotiation=None))),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
