"""tls.server-order: the service accepts weak suites beside better ones, and its client's order decides between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checker.catalog.cipher_suites import cipher_suite, suite_name
from checker.codecs.tls_policy import is_broken
from checker.model import Acceptance, JsonValue, Severity, Status, TlsFacts, TlsOffer, VersionFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    chosen_offer,
    full_depth,
    hellos,
    listed_version,
    modern,
    newest_only,
    tls_archive,
)
from checker.rules.lists import NEWEST, is_dhe, not_listed
from checker.rules.suites import LEAST_FIELD, OLDER, Choice, choices, few, weakness
from checker.rules.transport import acceptances, asked_versions, named, no_tls, speaks_tls


def judge(case: Case) -> Verdict:
    """Weak beside better, in the order of the client, fails; to pass, that must be ruled out of each older version."""
    answers = acceptances(case)
    small = _small_fields(case)
    told = _told(case, small)
    mixed = [one for one in asked_versions(case) if _accepted(one) and all(_parted(one, small))]
    bad = list(dict.fromkeys(named(one.version) for one in mixed if one.server_order is False))
    if bad:
        weak = list(
            dict.fromkeys(name for one in mixed if one.server_order is False for name in _parted(one, small)[0])
        )
        return failed(
            f"Under {few(bad, 4)} the order is the client's: who names {few(weak, 1)} first gets it,"
            " though better ones are accepted.",
            versions=told,
        )
    if Acceptance.ACCEPTED not in answers.values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", versions=told)
    open_versions = not_listed(case, OLDER)
    if answers.get("SSLv2") is Acceptance.ACCEPTED:
        open_versions.insert(0, "SSLv2")
    if open_versions:
        return unknown(
            f"Not every suite that it accepts under {few(open_versions, 4)} is known, nor in whose order.",
            versions=told,
        )
    unseen = list(dict.fromkeys(named(one.version) for one in mixed if one.server_order is None))
    if unseen:
        return unknown(
            f"Weak suites are accepted beside better ones under {few(unseen, 4)}, and in whose order was not seen.",
            versions=told,
        )
    if mixed:
        weak_first = any(_weakness(one, one.suites[0], small) is not None for one in mixed)
        rest = ", but a weak suite is the first in it" if weak_first else ""
        return passed(f"The service chooses in its own order{rest}.", weak_first=weak_first, versions=told)
    if not any(answers.get(version) is Acceptance.ACCEPTED for version in OLDER):
        return passed(f"The service accepts {NEWEST} only, whose suites are all strong.", versions=told)
    return passed("The service accepts no weak suite beside better ones, so that no order matters.", versions=told)


def _small_fields(case: Case) -> dict[str, int]:
    """The versions under which a finite field was seen that is too small, and its size: all DHE of them is weak."""
    seen = [(one.version, one.prime_bits) for one in choices(case) if one.prime_bits is not None]
    return {version: bits for version, bits in seen if bits < LEAST_FIELD}


def _weakness(version: VersionFacts, code: int, small: Mapping[str, int]) -> str | None:
    """Why a suite of a version is broken or weak, in few words; None where it is neither, or not known."""
    suite, label = cipher_suite(code), named(version.version)
    if suite is not None and is_broken(suite):
        return "broken"
    bits = small.get(label) if suite is not None and is_dhe(suite) else None
    return weakness(Choice(label, suite, bits))


def _accepted(one: VersionFacts) -> bool:
    return one.acceptance is Acceptance.ACCEPTED and named(one.version) in OLDER


def _parted(one: VersionFacts, small: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """The weak suites of a version, and the better ones; of one that is not in the catalogue nothing is known."""
    rated = [(cipher_suite(code), _weakness(one, code, small)) for code in one.suites]
    known = [(suite.name, why) for suite, why in rated if suite is not None]
    return [name for name, why in known if why is not None], [name for name, why in known if why is None]


def _told(case: Case, small: Mapping[str, int]) -> list[JsonValue]:
    return [
        {
            "version": one.version,
            "suites": [suite_name(code) for code in one.suites],
            "weak": list(_parted(one, small)[0]),
            "complete": one.complete,
            "server_order": one.server_order,
        }
        for one in asked_versions(case)
        if _accepted(one)
    ]


_GCM, _CBC, _RC4 = 0xC02F, 0xC027, 0x0005

RULE = Rule(
    title="The client's order lets weak suites be used",
    severity=Severity.INFO,
    subject=Subject.SERVICE,
    meaning=(
        "A server that has no order of its own uses what its client names first. Where it accepts weak suites beside"
        " better ones, old or badly set clients get the weak ones though both ends know better; so RFC 9325 section"
        " 4.2.1 has the server choose.\n\n"
        "Only full depth shows the suites and the order. It fails where a version below TLS 1.3 has weak or broken"
        " suites, DHE over a small field among them, beside better ones, and the order is the client's. It passes where"
        " the order is the server's, even if that puts a weak one first, which is then told; and where nothing weak"
        " stands beside anything better, for then no order matters. All suites of TLS 1.3 are strong. What is weak is"
        " judged by tls.weak-cipher and tls.broken-cipher."
    ),
    remedy=(
        "Take the weak suites out; where old peers need them, let the server choose (`ssl_prefer_server_ciphers on` in"
        " nginx) and put ECDHE with AES-GCM first."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "CBC beside GCM, in the order of the client.",
            service_case(tls_archive(), full_depth(listed_version(suites=(_GCM, _CBC), server_order=False))),
            Status.FAIL,
            Severity.INFO,
        ),
        Example(
            "RC4 beside GCM, in the order of the client, and more is not known.",
            service_case(
                tls_archive(),
                full_depth(listed_version(suites=(_GCM, _RC4), server_order=False, complete=False)),
            ),
            Status.FAIL,
        ),
        Example(
            "CBC beside GCM, in the order of the server.",
            service_case(tls_archive(), full_depth(listed_version(suites=(_GCM, _CBC)))),
            Status.PASS,
        ),
        Example(
            "DHE over a field of 1024 bits beside ECDHE, in the order of the client.",
            service_case(
                tls_archive(),
                replace(
                    full_depth(listed_version(suites=(_GCM, 0x009E), server_order=False)),
                    offers=(chosen_offer(TlsOffer.WEAK_SUITES, 0x009E, prime_bits=1024),),
                ),
            ),
            Status.FAIL,
        ),
        Example(
            "One suite, so that there is no order to have.",
            service_case(tls_archive(), full_depth(listed_version(server_order=None))),
            Status.PASS,
        ),
        Example(
            "GCM alone, in the order of the client.",
            service_case(tls_archive(), full_depth(listed_version(suites=(_GCM, 0xC030), server_order=False))),
            Status.PASS,
        ),
        Example(
            "TLS 1.3 alone, at policy depth.",
            service_case(tls_archive(), newest_only()),
            Status.PASS,
        ),
        Example(
            "CBC beside GCM, and in whose order was not seen.",
            service_case(tls_archive(), full_depth(listed_version(suites=(_GCM, _CBC), server_order=None))),
            Status.UNKNOWN,
        ),
        Example(
            "The list of suites is not complete.",
            service_case(tls_archive(), full_depth(listed_version(suites=(_GCM, 0xC030), complete=False))),
            Status.UNKNOWN,
        ),
        Example(
            "Policy depth, which asks for no order.",
            service_case(tls_archive(), modern()),
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
