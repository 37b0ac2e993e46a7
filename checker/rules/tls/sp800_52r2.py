"""tls.sp800-52r2: the TLS of a service is not what NIST SP 800-52 revision 2 asks of a server."""

from __future__ import annotations

from checker.catalog.tls_profiles import tls_profiles
from checker.model import Acceptance, GroupFacts, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    BROKEN_REFUSED,
    WEAK_REFUSED,
    accepted_version,
    certificate,
    full_depth,
    handshake,
    hellos,
    listed_version,
    modern,
    tls_archive,
)
from checker.rules.profiles import verdict_on
from checker.rules.transport import acceptances, no_tls, speaks_tls, versions_told

_ID = "NIST SP 800-52r2"


def judge(case: Case) -> Verdict:
    """What was refused and is required, or accepted and not permitted, fails; to pass, nothing may be left open."""
    if Acceptance.ACCEPTED not in acceptances(case).values():
        told = versions_told(case)
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", profile=_ID, versions=told)
    return verdict_on(case, tls_profiles()[_ID])


_P256 = 0x0017
_OLDER = listed_version("TLS 1.2", (0xC030, 0xC02F), group=_P256)
_NEWEST = listed_version("TLS 1.3", (0x1302, 0x1301))
_CURVES = (GroupFacts("TLS 1.3", (_P256,), complete=True), GroupFacts("TLS 1.2", (_P256,), complete=True))
_SHOWN = handshake(certificate())

RULE = Rule(
    title="Not consistent with NIST SP 800-52 revision 2",
    severity=Severity.LOW,
    subject=Subject.SERVICE,
    meaning=(
        "The publication says what servers of United States federal agencies have to speak, and many contracts ask the"
        " same of others. Where a service differs, it cannot be counted as evidence for such a contract; that need not"
        " mean that it is weak: ChaCha20, which the publication does not list, is strong.\n\n"
        "It asks for TLS 1.3; TLS 1.2 may be spoken beside it, TLS 1.0 and older must not be, TLS 1.1 is advised"
        " against. Suites are those on its lists, all with AES: none with ChaCha20, Camellia, ARIA, 3DES or RC4, and"
        " none in which RSA transports the key, which an appendix lets be for a time of transition; CBC is on the"
        " lists, and other rules find fault with it. Finite fields need 2048 bits, P-256 or P-384 must be supported"
        " where there are curves, compression must be off, renegotiation secured, and the extended master secret"
        " supported, as must encrypt-then-MAC beside CBC. The certificate needs an RSA or DSA key of 2048 bits or an"
        " EC key of 224, a signature with SHA-224 or better, and a host name or address. Other curves than those two"
        " for its key, more than 3 years of validity, and early data are advised against, which is told and does not"
        " fail.\n\n"
        "The evidence lists what is missing and what is too much. Policy depth does not offer all suites outside the"
        " lists, so that a service with nothing wrong is unknown there; full depth decides it. What is not seen from"
        " outside (the module that is used, the authority, revocation, what the server does with the extensions of"
        " others) is not judged. That a service is consistent is no proof of conformance."
    ),
    remedy=(
        "Turn on TLS 1.3, turn off TLS 1.1 and older, and allow AES-GCM with ECDHE alone. Take ChaCha20 out only where"
        " somebody asks for this publication by name."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "TLS 1.2 and 1.3 with AES-GCM alone, on P-256, and all lists are complete.",
            service_case(tls_archive(), full_depth(_OLDER, _NEWEST, groups=_CURVES), _SHOWN),
            Status.PASS,
        ),
        Example(
            "TLS 1.3 alone: TLS 1.2 may be off.",
            service_case(tls_archive(), full_depth(_NEWEST, groups=_CURVES[:1]), _SHOWN),
            Status.PASS,
        ),
        Example(
            "ChaCha20 beside AES-GCM.",
            service_case(
                tls_archive(),
                full_depth(_OLDER, listed_version("TLS 1.3", (0x1302, 0x1303, 0x1301)), groups=_CURVES),
                _SHOWN,
            ),
            Status.FAIL,
            Severity.LOW,
        ),
        Example(
            "Policy depth: TLS 1.3 is refused.",
            service_case(tls_archive(), hellos(refused=["SSLv3", "TLS 1.3"], more=[accepted_version()])),
            Status.FAIL,
        ),
        Example(
            "An RSA key of 1024 bits.",
            service_case(
                tls_archive(),
                full_depth(_OLDER, _NEWEST, groups=_CURVES),
                handshake(certificate(key_type="RSA", key_bits=1024)),
            ),
            Status.FAIL,
        ),
        Example(
            "Without the extended master secret.",
            service_case(
                tls_archive(), full_depth(_OLDER, _NEWEST, groups=_CURVES, extended_master_secret=False), _SHOWN
            ),
            Status.FAIL,
        ),
        Example(
            "Policy depth: nothing speaks against it, but not every suite was asked about.",
            service_case(tls_archive(), modern(BROKEN_REFUSED, WEAK_REFUSED), _SHOWN),
            Status.UNKNOWN,
        ),
        Example(
            "The list of TLS 1.2 is not complete.",
            service_case(
                tls_archive(),
                full_depth(listed_version("TLS 1.2", (0xC030,), complete=False), _NEWEST, groups=_CURVES),
                _SHOWN,
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The certificate was not seen.",
            service_case(tls_archive(), full_depth(_OLDER, _NEWEST, groups=_CURVES)),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
