"""tls.post-quantum-ready: the service knows no way to agree on keys that a quantum computer would not undo."""

from __future__ import annotations

from checker.catalog.named_groups import NamedGroup, named_group
from checker.model import Acceptance, Severity, Status, TlsFacts, TlsOffer
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    OLD_VERSIONS,
    TLS_1_3_GCM,
    accepted_version,
    chosen_offer,
    hellos,
    modern,
    refused_offer,
    tls_archive,
    unclear_offer,
)
from checker.rules.suites import choices, few, offers, offers_told
from checker.rules.transport import acceptances, no_tls, speaks_tls, versions_told

_ASKED = TlsOffer.HYBRID_GROUPS


def judge(case: Case) -> Verdict:
    """A group with ML-KEM chosen passes; it fails where all of them, or TLS 1.3 itself, were refused."""
    answers = acceptances(case)
    told = offers_told(case, _ASKED)
    chosen = [group.name for choice in choices(case) if is_ready(group := named_group(choice.group)) and group]
    if chosen:
        return passed(f"The service accepts {few(list(dict.fromkeys(chosen)))}.", offers=told)
    if Acceptance.ACCEPTED not in answers.values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", offers=told)
    newest = answers.get("TLS 1.3")
    if newest is Acceptance.REFUSED:
        return failed(
            "The service refuses TLS 1.3, and older versions have no post-quantum groups.", versions=versions_told(case)
        )
    if newest is not Acceptance.ACCEPTED:
        return unknown("Whether the service accepts TLS 1.3 was not decided.", versions=versions_told(case))
    asked = offers(case, _ASKED)
    refused = [
        o for o in asked if o.acceptance is Acceptance.REFUSED and any(map(is_ready, map(named_group, o.groups)))
    ]
    if refused and all(offer.acceptance is Acceptance.REFUSED for offer in asked):
        return failed("The service refuses every post-quantum group that was offered to it.", offers=told)
    return unknown("The service accepts TLS 1.3; whether with post-quantum groups was not decided.", offers=told)


def is_ready(group: NamedGroup | None) -> bool:
    """Whether keys are agreed on with ML-KEM (FIPS 203), alone or with a curve; the Kyber of drafts is not counted."""
    return group is not None and group.post_quantum and "MLKEM" in group.name


RULE = Rule(
    title="No post-quantum key agreement",
    severity=Severity.INFO,
    subject=Subject.SERVICE,
    meaning=(
        "Traffic that is recorded today can be read once there are quantum computers that solve curves and finite"
        " fields; images and reports stay private for longer than that may take. Groups that join ML-KEM to a curve,"
        " such as X25519MLKEM768, prevent it, and exist under TLS 1.3 only.\n\n"
        "It is no fault yet, but good to know when devices are bought or renewed."
    ),
    remedy=(
        "Nothing needs to be done at once. Prefer TLS libraries that have X25519MLKEM768 (OpenSSL from 3.5 on, for one)"
        " when servers and gateways are renewed, and ask vendors for their plans."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It chose X25519MLKEM768.",
            service_case(tls_archive(), modern(chosen_offer(_ASKED, TLS_1_3_GCM, version="TLS 1.3", group=0x11EC))),
            Status.PASS,
        ),
        Example(
            "It refuses all groups with ML-KEM.",
            service_case(tls_archive(), modern(refused_offer(_ASKED, "TLS 1.3"))),
            Status.FAIL,
            Severity.INFO,
        ),
        Example(
            "It refuses TLS 1.3.",
            service_case(tls_archive(), hellos(refused=[*OLD_VERSIONS, "TLS 1.3"], more=[accepted_version()])),
            Status.FAIL,
        ),
        Example(
            "The offer was answered by silence.",
            service_case(tls_archive(), modern(unclear_offer(_ASKED, "TLS 1.3"))),
            Status.UNKNOWN,
        ),
        Example(
            "TLS 1.3 is accepted, and nobody asked for such groups.",
            service_case(tls_archive(), modern()),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
