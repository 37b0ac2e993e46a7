"""tls.weak-cipher: the service accepts a cipher suite that protects less than it should."""

from __future__ import annotations

from checker.model import Acceptance, Severity, Status, TlsFacts, TlsOffer
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.default_host import UNNAMED, by_its_name, telling_default_host
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    DHE_CHOSEN,
    REST_REFUSED,
    WEAK_REFUSED,
    accepted_version,
    chosen_offer,
    hellos,
    modern,
    newest_only,
    tls_archive,
    unclear_offer,
    without_name,
)
from checker.rules.lists import fields_not_seen
from checker.rules.suites import (
    choices,
    default_choices,
    few,
    offers_told,
    undecided_versions,
    unrefused,
    weakness,
)
from checker.rules.transport import acceptances, no_tls, speaks_tls

_ASKED = TlsOffer.WEAK_SUITES


def judge(case: Case) -> Verdict:
    """One weak suite chosen fails; to pass, a hello of such suites must have been refused under each version."""
    return telling_default_host(case, _judge(case))


def _judge(case: Case) -> Verdict:
    seen = choices(case)
    told = offers_told(case, _ASKED)
    weak = [(choice, why) for choice in seen if (why := weakness(choice)) is not None]
    # What is taken from a client that names no host is taken from anybody who leaves the name out.
    unnamed = [(choice, why) for choice in default_choices(case) if (why := weakness(choice)) is not None]
    if weak or unnamed:
        names = list(dict.fromkeys(f"{choice.words()} ({why})" for choice, why in weak))
        names += dict.fromkeys(f"{choice.words()} ({why}) {UNNAMED}" for choice, why in unnamed)
        return failed(
            f"The service accepts weak suites: {few(names)}.",
            accepted=[
                *({**choice.told(), "weakness": why} for choice, why in weak),
                *({**choice.told(), "weakness": why, "without_name": True} for choice, why in unnamed),
            ],
            offers=told,
        )
    if Acceptance.ACCEPTED not in acceptances(case).values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", offers=told)
    undecided, open_versions = undecided_versions(case), unrefused(case, _ASKED)
    if undecided:
        return unknown(
            f"No weak suite was chosen, but whether {few(undecided, 4)} is accepted was not decided.",
            not_decided=undecided,
            offers=told,
        )
    if open_versions:
        return unknown(
            f"No weak suite was chosen, but a hello of weak suites was not refused under {few(open_versions, 4)}.",
            not_refused=open_versions,
            offers=told,
        )
    unseen = fields_not_seen(case, seen)
    if unseen:
        return unknown(
            f"Weak suites were refused, but the size of the finite field of DHE was not seen under {few(unseen, 4)}.",
            offers=told,
        )
    return passed(
        f"The service refuses every weak suite that was offered to it{by_its_name(case, _ASKED)}.",
        offers=told,
    )


RULE = Rule(
    title="A weak cipher suite is accepted",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Without forward secrecy, whoever records traffic and gets the server's key later reads all of it; 3DES gives"
        " its secrets away after some gigabytes, as one long examination has; CBC is where the padding attacks are; and"
        " a finite field under 2048 bits can be solved once for all who use it. RFC 9325 sections 4.1 and 4.2 advise"
        " against them.\n\n"
        "3DES, keys without forward secrecy and finite fields under 2048 bits count under every version, CBC under TLS"
        " 1.2, for older versions have little else. Finite fields are judged here, curves by tls.weak-group. To pass, a"
        " hello of nothing but such suites must have been refused under each version below TLS 1.3 that is accepted,"
        " and the field of DHE seen or DHE refused. The rarest suites, such as those of Kerberos and GOST, do not fit"
        " into that hello. An obsolete version that is accepted is not asked, and leaves it unknown. A weak suite that"
        " is chosen of a hello without the name of the service fails too; full depth asks that."
    ),
    remedy=(
        "Allow suites with ECDHE and AES-GCM only; where DHE is needed, give it a field of 2048 bits or more. Look at"
        " the peers first: an old device may have nothing but CBC."
    ),
    controls=controls.WEAK_TLS,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It takes a suite without forward secrecy.",
            service_case(tls_archive(), modern(chosen_offer(_ASKED, 0x009C))),
            Status.FAIL,
            Severity.MEDIUM,
        ),
        Example(
            "It takes 3DES under TLS 1.0.",
            service_case(tls_archive(), hellos(more=[accepted_version("TLS 1.0", 0xC012)])),
            Status.FAIL,
        ),
        Example(
            "It takes CBC under TLS 1.2.",
            service_case(tls_archive(), modern(chosen_offer(_ASKED, 0xC027))),
            Status.FAIL,
        ),
        Example(
            "Its finite field has 1024 bits.",
            service_case(tls_archive(), modern(chosen_offer(_ASKED, 0x009E, prime_bits=1024), REST_REFUSED)),
            Status.FAIL,
        ),
        Example(
            "It takes one from a client that names no host.",
            service_case(tls_archive(), without_name(chosen_offer(_ASKED, 0x009C))),
            Status.FAIL,
        ),
        Example(
            "A hello of weak suites is refused.",
            service_case(tls_archive(), modern(WEAK_REFUSED)),
            Status.PASS,
        ),
        Example(
            "Of them it takes DHE alone, with a finite field of 2048 bits.",
            service_case(tls_archive(), modern(DHE_CHOSEN, REST_REFUSED)),
            Status.PASS,
        ),
        Example(
            "TLS 1.3 alone is accepted, which has none.",
            service_case(tls_archive(), newest_only()),
            Status.PASS,
        ),
        Example(
            "It takes DHE, and the others were not asked about.",
            service_case(tls_archive(), modern(DHE_CHOSEN)),
            Status.UNKNOWN,
        ),
        Example(
            "It refuses all others, but DHE was not asked about.",
            service_case(tls_archive(), modern(REST_REFUSED)),
            Status.UNKNOWN,
        ),
        Example(
            "A hello of weak suites was answered by silence.",
            service_case(tls_archive(), modern(unclear_offer(_ASKED))),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
