"""tls.compression: the service compresses inside TLS."""

from __future__ import annotations

from checker.model import Acceptance, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import accepted_version, modern, newest_only, tls_archive
from checker.rules.suites import few, undecided_options
from checker.rules.transport import acceptances, asked_versions, named, no_tls, speaks_tls, versions_told


def judge(case: Case) -> Verdict:
    """DEFLATE chosen under any version fails; to pass, each accepted one must have been offered it and chosen none."""
    told = versions_told(case)
    taken = [one for one in asked_versions(case) if one.acceptance is Acceptance.ACCEPTED]
    compressed = [named(one.version) for one in taken if one.compression is True]
    if compressed:
        return failed(f"The service compresses under {few(compressed, 4)}.", compressed=compressed, versions=told)
    if Acceptance.ACCEPTED not in acceptances(case).values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", versions=told)
    undecided = undecided_options(case, lambda one: one.compression)
    if undecided:
        return unknown(
            f"No compression was seen, but it was not decided under {few(undecided, 4)}.",
            not_decided=undecided,
            versions=told,
        )
    return passed(
        "The service does not compress, though compression was offered where a version has it.", versions=told
    )


RULE = Rule(
    title="Compression inside TLS is on",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "The length of compressed traffic tells what is in it: someone who can make a client send chosen text beside a"
        " secret, such as the cookie of a session, learns the secret letter by letter (the attack called CRIME; RFC"
        " 9325 section 3.3). Images are compressed in DICOM where they need to be.\n\n"
        "DEFLATE is offered with the hellos of TLS 1.0 to 1.2. TLS 1.3 has no compression. An accepted SSLv3 is not"
        " asked, and a version of which it is not known whether it is accepted leaves this unknown."
    ),
    remedy="Switch TLS compression off on the server; libraries of the last ten years have it off or have none.",
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It chose DEFLATE.",
            service_case(tls_archive(), modern(chosen=accepted_version(compression=True))),
            Status.FAIL,
            Severity.MEDIUM,
        ),
        Example(
            "It was offered DEFLATE and chose none.",
            service_case(tls_archive(), modern()),
            Status.PASS,
        ),
        Example(
            "TLS 1.3 alone is accepted, which has no compression.",
            service_case(tls_archive(), newest_only()),
            Status.PASS,
        ),
        Example(
            "It was not offered any.",
            service_case(tls_archive(), modern(chosen=accepted_version(compression=None))),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
