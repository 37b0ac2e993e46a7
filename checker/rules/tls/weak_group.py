"""tls.weak-group: the service agrees on keys over a curve of less than 224 bits."""

from __future__ import annotations

from dataclasses import replace

from checker.catalog.named_groups import named_group
from checker.model import Acceptance, GroupFacts, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import X25519, accepted_version, hellos, modern, newest_only, tls_archive
from checker.rules.suites import OLDER, accepting, choices, few, groups_listed, undecided_versions
from checker.rules.transport import acceptances, among, is_weary, named, no_tls, speaks_tls, versions_told

_LEAST_STRENGTH = 112  # what a curve of 224 bits has (NIST SP 800-57 part 1 revision 5 table 2)


def judge(case: Case) -> Verdict:
    """A weak curve chosen fails; to pass, full depth must have listed all groups under the only version that has any.

    TLS 1.3 has no weak ones, so that a service which accepts nothing else passes at any depth.
    """
    answers = acceptances(case)
    told = versions_told(case)
    chosen = [(choice.version, choice.group) for choice in choices(case)]
    chosen += [(named(listed.version), code) for listed in groups_listed(case) for code in listed.groups]
    found = [(version, group) for version, code in chosen if (group := named_group(code)) is not None]
    found = list(dict.fromkeys(found))
    weak = [(version, group) for version, group in found if group.strength < _LEAST_STRENGTH]
    if weak:
        names = list(dict.fromkeys(group.name for _version, group in weak))
        return failed(
            f"The service agrees on keys over a weak group: {few(names)}.",
            accepted=[{"version": version, "group": group.name} for version, group in weak],
            versions=told,
        )
    if Acceptance.ACCEPTED not in answers.values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", versions=told)
    groups = list(dict.fromkeys(group.name for _version, group in found))
    chose = f"It chose {few(groups)}" if groups else "No weak group was chosen"
    undecided = undecided_versions(case)
    older = among(answers, ("SSLv2", *OLDER), Acceptance.ACCEPTED)
    whole = {named(listed.version) for listed in groups_listed(case) if listed.complete}
    partial = {named(listed.version) for listed in groups_listed(case) if not listed.complete}
    everywhere = all(
        any(named(listed.version) == version for listed in facts.groups)
        for version in older
        for facts in accepting(case, version)
    )
    if older and not undecided and everywhere and not is_weary(case) and whole - partial >= set(older):
        return passed("The service refuses every weak group that was offered to it.", groups=groups, versions=told)
    if undecided or older:
        return unknown(
            f"{chose}; whether it accepts weak groups from others under {few(older + undecided, 4)} was not asked.",
            groups=groups,
            versions=told,
        )
    return passed("The service accepts TLS 1.3 only, which has no weak groups.", groups=groups, versions=told)


RULE = Rule(
    title="A weak group is used to agree on keys",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Keys that are agreed on over a curve of less than 224 bits, such as secp192r1, are within reach of those who"
        " have much to spend (NIST SP 800-57), and traffic that is recorded now can be read later.\n\n"
        "It fails where the service chose such a curve of many that were offered, or, at full depth, of those that were"
        " left when it had chosen the stronger ones. At policy depth it is not asked which others it would accept, so"
        " that a service which chose a strong group is unknown, unless it accepts TLS 1.3 only: that has no weak groups"
        " (RFC 8446 section 4.2.7). Full depth lists the groups of TLS 1.3 and of the highest version below it; where"
        " that list is complete and no other version below is accepted, it passes. Finite fields are judged by"
        " tls.weak-cipher."
    ),
    remedy="Set the groups of the TLS library to X25519 and secp256r1, with secp384r1 where a policy asks for it.",
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It chose a curve of 192 bits.",
            service_case(tls_archive(), modern(chosen=accepted_version(group=0x0013))),
            Status.FAIL,
            Severity.MEDIUM,
        ),
        Example(
            "TLS 1.3 alone is accepted.",
            service_case(tls_archive(), newest_only()),
            Status.PASS,
        ),
        Example(
            "Full depth found a curve of 163 bits behind stronger ones.",
            service_case(tls_archive(), replace(modern(), groups=(GroupFacts("TLS 1.2", (X25519, 0x0001)),))),
            Status.FAIL,
        ),
        Example(
            "Full depth found strong curves, and all others were refused.",
            service_case(
                tls_archive(), replace(modern(), groups=(GroupFacts("TLS 1.2", (X25519, 0x0017), complete=True),))
            ),
            Status.PASS,
        ),
        Example(
            "Full depth found strong curves, and its list is not complete.",
            service_case(tls_archive(), replace(modern(), groups=(GroupFacts("TLS 1.2", (X25519, 0x0017)),))),
            Status.UNKNOWN,
        ),
        Example(
            "It chose X25519 under TLS 1.2, and nobody asked for less.",
            service_case(tls_archive(), modern(chosen=accepted_version(group=X25519))),
            Status.UNKNOWN,
        ),
        Example(
            "Every version was refused.",
            service_case(tls_archive(), hellos(refused=["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
