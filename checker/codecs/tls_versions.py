"""Pure: what an answer to a ClientHello proves about protocol versions, and what it does not.

Three states are kept apart. `accepted`: a ServerHello chose the version, with a suite that was offered for it.
`refused`: the server said so. All else is `inconclusive`, with the reason: a refusal that nobody uttered would be read
as "this obsolete version is off".

What says that a version is refused:
- a fatal protocol_version (RFC 8446 section 6.2), which means nothing else;
- a ServerHello of a lower version, for a server chooses the highest that it speaks (RFC 5246 appendix E.1); versions in
  between, which were offered as well, are refused with it;
- a fatal handshake_failure or insufficient_security where some other version was accepted. A hello offers all but the
  rarest suites of its version, so nothing else that we know of is left to fail. Where no version is accepted, though,
  such a server may want something else of us (a host name, a key that was agreed on before), and nothing is proved.
  TLS 1.2 has more suites than a hello holds (all with a pre-shared key are left out), so it takes a second hello.

What does not, though some servers mean it so: a close, a reset, silence (a firewall, a limit on connections or a crash
look alike), internal_error (but see `refused_in_all_kinds`), any other alert, a warning, and close_notify. That an
orderly close may well be all that a server has to say to SSLv3 makes no difference: the next one closes because it is
busy.

SSLv2 has a hello of its own. A server that speaks it answers in SSLv2, with whatever ciphers; so a fatal alert of TLS
that says "I cannot read this" refuses it as well, though not internal_error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from checker.catalog.cipher_suites import cipher_suite, suite_name
from checker.catalog.named_groups import named_group
from checker.catalog.ssl2_ciphers import ssl2_cipher_name
from checker.codecs.ssl2 import Ssl2Answer
from checker.codecs.tls import Flight
from checker.codecs.tls_alerts import alert_name
from checker.codecs.tls_choice import Choice, read_choice
from checker.codecs.tls_hello import RANDOM_BYTES, ClientHello, client_hello
from checker.codecs.tls_offers import SUITES, Version
from checker.model import Acceptance, End, VersionFacts

__all__ = [
    "OLD_KINDS",
    "SSL_2",
    "alert_name",
    "failed_inside",
    "group_name",
    "joined",
    "old_suites",
    "prime_bits",
    "read_answer",
    "read_ssl2",
    "refused_in_all_kinds",
    "refuses_offer",
    "verdicts",
]

SSL_2 = "SSLv2"
"""The name by which people know the version that is older than those of `Version`."""

_PROTOCOL_VERSION = 70
_REFUSES_IF_ALIVE = frozenset({40, 71})  # handshake_failure, insufficient_security
# unexpected_message, illegal_parameter, decode_error: what a server that speaks TLS alone makes of a hello of SSLv2.
_CANNOT_READ = frozenset({10, 47, 50})
_INTERNAL_ERROR = 80
_NO_CIPHER = 1  # draft-hickman-netscape-ssl-00 section 2.9: NO-CIPHER-ERROR
_DEFLATE = 1  # RFC 3749 section 2
# How an answer without a choice is read does not depend on what was offered.
_SOME_HELLO = client_hello(Version.SSL_3, random=bytes(RANDOM_BYTES))
_FINITE_FIELD = re.compile(r"ffdhe(\d+)")


def read_answer(hello: ClientHello, flight: Flight, end: End | None) -> dict[Version, VersionFacts]:
    """What one answer shows: always of `hello.version`, and of lower versions where the server chose one of them.

    `end` is why the conversation gave no more bytes, None where the flight was complete before.
    """
    version = hello.version
    choice = read_choice(hello, flight, end)
    if choice.version is not None:
        return _read_choice(hello, choice, flight)
    refused = choice.alert == _PROTOCOL_VERSION or choice.alert in _REFUSES_IF_ALIVE
    return {
        version: VersionFacts(
            version=version.label,
            acceptance=Acceptance.REFUSED if refused else Acceptance.INCONCLUSIVE,
            alert=choice.alert,
            reason=choice.reason,
        )
    }


def refuses_offer(facts: VersionFacts) -> bool:
    """Whether a version was refused by an alert that may mean the suites and not the version."""
    return facts.acceptance is Acceptance.REFUSED and facts.alert in _REFUSES_IF_ALIVE


OLD_KINDS = ("suites without signature", "ECDHE suites", "DHE suites")
"""The usual suites of TLS 1.0 and 1.1 by what a server has to do for them, in the order in which they are asked for."""


@cache
def old_suites(version: Version, kind: str) -> tuple[int, ...]:
    """The usual suites of TLS 1.0 or 1.1 that are of one of `OLD_KINDS`."""
    kinds: dict[str, list[int]] = {name: [] for name in OLD_KINDS}
    for code in SUITES[version]:
        suite = cipher_suite(code)
        signed = suite is not None and suite.authentication in ("RSA", "ECDSA", "DSS")
        exchange = suite.key_exchange if suite is not None and signed else None
        kinds[f"{exchange} suites" if exchange in ("ECDHE", "DHE") else OLD_KINDS[0]].append(code)
    return tuple(kinds[kind])


def failed_inside(facts: VersionFacts) -> bool:
    """Whether the server said that something went wrong inside it (RFC 8446 section 6.2), which refuses nothing."""
    return facts.acceptance is Acceptance.INCONCLUSIVE and facts.alert == _INTERNAL_ERROR


def refused_in_all_kinds(
    facts: VersionFacts, answers: Sequence[VersionFacts], *, alike: bool = False
) -> VersionFacts | None:
    """A version that failed inside the server, after kinds of suites were asked for by themselves; None if undecided.

    `answers` are what `OLD_KINDS` showed, as far as they were asked. The first kind has nothing to be signed, no curve
    and no prime: a server that fails over that as well fails over the version. Where the first kind is refused in so
    many words, the others have to fail or to be refused, unless that is known of a version that is `alike`. Then there
    is nothing left by which the version could be spoken: the server has it in its settings, and cannot do it.
    """
    decided = failed_inside(answers[0]) or (
        answers[0].acceptance is Acceptance.REFUSED
        and (alike or len(answers) == len(OLD_KINDS))
        and all(one.acceptance is Acceptance.REFUSED or failed_inside(one) for one in answers)
    )
    if not decided:
        return None
    reason = f"{facts.reason}, and {answers[0].reason} where nothing has to be signed"
    return replace(facts, acceptance=Acceptance.REFUSED, reason=reason)


def read_ssl2(answer: Ssl2Answer, end: End | None) -> VersionFacts:
    """What one answer to a hello of SSLv2 shows of SSLv2; its ciphers have no code points of IANA, but names."""
    if answer.server_hello:
        named = ssl2_cipher_name(answer.ciphers[0]) if answer.ciphers else None
        reason = None if answer.ciphers else "the server answered in SSLv2, though it lists no cipher"
        return VersionFacts(version=SSL_2, acceptance=Acceptance.ACCEPTED, cipher_suite_name=named, reason=reason)
    if answer.error is not None:
        refused = answer.error == _NO_CIPHER
        return VersionFacts(
            version=SSL_2,
            acceptance=Acceptance.REFUSED if refused else Acceptance.INCONCLUSIVE,
            reason=f"error {answer.error} of SSLv2",
        )
    if answer.begun:
        return VersionFacts(
            version=SSL_2, acceptance=Acceptance.INCONCLUSIVE, reason="the answer began in SSLv2 and was not complete"
        )
    flight = answer.flight or Flight(malformed=answer.malformed)
    if flight.server_hello is not None:
        return VersionFacts(
            version=SSL_2,
            acceptance=Acceptance.INCONCLUSIVE,
            reason="the server chose a later version, which was not offered",
        )
    choice = read_choice(_SOME_HELLO, flight, end)
    refused = choice.alert == _PROTOCOL_VERSION or choice.alert in _REFUSES_IF_ALIVE | _CANNOT_READ
    return VersionFacts(
        version=SSL_2,
        acceptance=Acceptance.REFUSED if refused else Acceptance.INCONCLUSIVE,
        alert=choice.alert,
        reason=choice.reason,
    )


def joined(known: Mapping[Version, VersionFacts], found: Mapping[Version, VersionFacts]) -> dict[Version, VersionFacts]:
    """What is known of each version with another answer read: what was shown first stays.

    But for an acceptance that shows what became of DEFLATE, which is worth more than one that does not; that one of the
    two left RFC 5746 unanswered is kept, for behind one address there may be several servers.
    """
    together = dict(found) | dict(known)
    for version, facts in found.items():
        before = known.get(version)
        if before is not None and before.compression is None and facts.compression is not None:
            lacking = before.secure_renegotiation is False
            together[version] = replace(facts, secure_renegotiation=False) if lacking else facts
    return together


def verdicts(
    known: Mapping[Version, VersionFacts], not_asked: str, ssl2: VersionFacts | None = None
) -> tuple[VersionFacts, ...]:
    """One `VersionFacts` for each version, SSLv2 first; `not_asked` is why nothing is known of a missing one."""
    accepted = any(facts.acceptance is Acceptance.ACCEPTED for facts in known.values())
    found = [ssl2 or VersionFacts(version=SSL_2, acceptance=Acceptance.INCONCLUSIVE, reason=not_asked)]
    found += (known.get(version) or _inconclusive(version, not_asked) for version in Version)
    return tuple(_believed(facts, accepted=accepted) for facts in found)


def group_name(code: int | None) -> str | None:
    """The name of a named group, such as `x25519`; None where the catalogue has none."""
    group = named_group(code)
    return None if group is None else group.name


def prime_bits(flight: Flight, group: int | None) -> int | None:
    """The size in bits of the prime of the finite field that a server chose; None where it chose none or a curve.

    Up to TLS 1.2 the prime itself is sent; under TLS 1.3 only `group` says it (RFC 7919).
    """
    exchange = flight.key_exchange
    if exchange is not None:
        return exchange.bits if exchange.kind == "DHE" else None
    named = _FINITE_FIELD.fullmatch(group_name(group) or "")
    return None if named is None else int(named[1])


def _believed(facts: VersionFacts, *, accepted: bool) -> VersionFacts:
    """The same, but undecided where all that refuses it may mean something else than the version."""
    doubtful = facts.alert in _REFUSES_IF_ALIVE or facts.alert in _CANNOT_READ
    if facts.acceptance is not Acceptance.REFUSED or accepted or not doubtful:
        return facts
    reason = f"{facts.reason}, as to every version: not the version may be what it refuses"
    return replace(facts, acceptance=Acceptance.INCONCLUSIVE, reason=reason)


def _read_choice(hello: ClientHello, choice: Choice, flight: Flight) -> dict[Version, VersionFacts]:
    """A ServerHello is worth what it chose of what was offered."""
    version, suite, chosen = choice.version, choice.suite, choice.server_hello
    if version is None or suite is None or chosen is None:
        return {}
    found = {
        higher: VersionFacts(
            version=higher.label,
            acceptance=Acceptance.REFUSED,
            reason=f"the server chose {version.label} where this was offered",
        )
        for higher in hello.versions
        if higher > version
    }
    older = version is not Version.TLS_1_3
    found[version] = VersionFacts(
        version=version.label,
        acceptance=Acceptance.ACCEPTED,
        cipher_suite=suite,
        cipher_suite_name=suite_name(suite),
        group=choice.group,
        group_name=group_name(choice.group),
        prime_bits=prime_bits(flight, choice.group),
        compression=chosen.compression == _DEFLATE if _DEFLATE in hello.compressions else None,
        secure_renegotiation=chosen.secure_renegotiation if older else None,
    )
    return found


def _inconclusive(version: Version, reason: str) -> VersionFacts:
    return VersionFacts(version=version.label, acceptance=Acceptance.INCONCLUSIVE, reason=reason)
