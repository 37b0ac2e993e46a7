"""tls.broken-cipher: the service accepts a cipher suite that protects nothing."""

from __future__ import annotations

from checker.codecs.tls_policy import is_broken
from checker.model import Acceptance, Severity, Status, TlsFacts, TlsOffer
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.default_host import UNNAMED, by_its_name, telling_default_host
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    BROKEN_REFUSED,
    OLD_VERSIONS,
    accepted_version,
    chosen_offer,
    hellos,
    modern,
    newest_only,
    refused_offer,
    tls_archive,
    unclear_offer,
    without_name,
)
from checker.rules.suites import choices, default_choices, few, offers, offers_told, undecided_versions, unrefused
from checker.rules.transport import acceptances, no_tls, speaks_tls

_ASKED = TlsOffer.BROKEN_SUITES


def judge(case: Case) -> Verdict:
    """One broken suite chosen fails; to pass, a hello of such suites must have been refused under each version."""
    return telling_default_host(case, _judge(case))


def _judge(case: Case) -> Verdict:
    answers = acceptances(case)
    broken = [choice for choice in choices(case) if choice.suite is not None and is_broken(choice.suite)]
    unnamed = [choice for choice in default_choices(case) if choice.suite is not None and is_broken(choice.suite)]
    names = list(dict.fromkeys(choice.words() for choice in broken))
    told = offers_told(case, _ASKED)
    if answers.get("SSLv2") is Acceptance.ACCEPTED:
        names.insert(0, "all of SSLv2")
    if not names and any(o.acceptance is Acceptance.ACCEPTED and o.cipher_suite is None for o in offers(case, _ASKED)):
        names = ["one of those offered"]
    # What is taken from a client that names no host is taken from anybody who leaves the name out.
    names += dict.fromkeys(f"{choice.words()} {UNNAMED}" for choice in unnamed)
    if names:
        return failed(
            f"The service accepts broken suites: {few(names)}.",
            accepted=[
                *(choice.told() for choice in broken),
                *({**choice.told(), "without_name": True} for choice in unnamed),
            ],
            offers=told,
        )
    if Acceptance.ACCEPTED not in answers.values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", offers=told)
    undecided, open_versions = undecided_versions(case, ssl2=True), unrefused(case, _ASKED)
    if undecided:
        return unknown(
            f"No broken suite was chosen, but whether {few(undecided, 4)} is accepted was not decided.",
            not_decided=undecided,
            offers=told,
        )
    if open_versions:
        return unknown(
            f"No broken suite was chosen, but a hello of broken suites was not refused under {few(open_versions, 4)}.",
            not_refused=open_versions,
            offers=told,
        )
    return passed(
        f"The service refuses every broken suite that was offered to it{by_its_name(case, _ASKED)}.",
        offers=told,
    )


RULE = Rule(
    title="A broken cipher suite is accepted",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "Suites with NULL encryption send images and names in the clear inside TLS; EXPORT and DES keys are guessed in"
        " hours, RC4 and RC2 are broken (RFC 7465), MD5 can be forged, and with an anonymous suite nobody knows who the"
        " peer is. All of SSLv2 is of this kind. RFC 9325 section 4.1 forbids them, RFC 5246 appendix A.5 the anonymous"
        " ones.\n\n"
        "A suite that the service chose by itself fails, and so does one that it chose of a hello with nothing but such"
        " suites. To pass, that hello must have been refused under each version below TLS 1.3 that is accepted; it is"
        " put under the highest of them only, so that a service with an obsolete version beside is unknown. TLS 1.3"
        " has no such suites in use. A suite that is chosen of a hello without the name of the service fails too; full"
        " depth asks that."
    ),
    remedy=(
        "Allow suites with ECDHE and AES-GCM only. The list of suites is often set by the vendor: ask for the setting,"
        " or for a profile such as DICOM's B.12."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It takes encryption that is none.",
            service_case(tls_archive(), modern(chosen_offer(_ASKED, 0x0002))),
            Status.FAIL,
            Severity.HIGH,
        ),
        Example(
            "It prefers RC4 to all else that was offered.",
            service_case(tls_archive(), modern(chosen=accepted_version("TLS 1.2", 0x0005))),
            Status.FAIL,
        ),
        Example(
            "SSLv2 is accepted.",
            service_case(tls_archive(), hellos(accepted=["SSLv2", "TLS 1.2"])),
            Status.FAIL,
        ),
        Example(
            "It takes one from a client that names no host.",
            service_case(tls_archive(), without_name(chosen_offer(_ASKED, 0x0002))),
            Status.FAIL,
        ),
        Example(
            "TLS 1.2 and 1.3 are accepted, and a hello of broken suites is refused.",
            service_case(tls_archive(), modern(BROKEN_REFUSED)),
            Status.PASS,
        ),
        Example(
            "TLS 1.3 alone is accepted, which has none.",
            service_case(tls_archive(), newest_only()),
            Status.PASS,
        ),
        Example(
            "A hello of broken suites was answered by silence.",
            service_case(tls_archive(), modern(unclear_offer(_ASKED))),
            Status.UNKNOWN,
        ),
        Example(
            "They are refused under TLS 1.2, and TLS 1.0 is accepted as well.",
            service_case(
                tls_archive(),
                hellos(
                    refused=["SSLv3", "TLS 1.1", "TLS 1.3"],
                    more=[accepted_version("TLS 1.0", 0xC014), accepted_version()],
                    offers=[refused_offer(_ASKED)],
                ),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Whether TLS 1.1 is accepted was not decided.",
            service_case(
                tls_archive(),
                hellos(
                    refused=OLD_VERSIONS[:2],
                    inconclusive=["TLS 1.1"],
                    more=[accepted_version()],
                    offers=[BROKEN_REFUSED],
                ),
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
