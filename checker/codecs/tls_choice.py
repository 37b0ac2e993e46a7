"""Pure: what one answer to a hello of chosen content proves about what it offers.

It is for hellos that offer some suites, groups or extensions on purpose; `checker.codecs.tls_versions` is for those
that offer all and ask about versions. Three states are kept apart, and only words of the server choose between them.
`accepted`: a ServerHello chose of what was offered, and what goes together. `refused`: a fatal alert said that
nothing on offer suits. All else is `inconclusive`, with the reason: a close, a reset, silence, any other alert, and a
choice of what nobody offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from checker.catalog.cipher_suites import CipherSuite, cipher_suite, cipher_suites
from checker.codecs.tls import Alert, Flight
from checker.codecs.tls_alerts import alert_name
from checker.codecs.tls_hello import ClientHello
from checker.codecs.tls_offers import SUITES, Version
from checker.codecs.tls_server_hello import ServerHello
from checker.model import Acceptance, End

# RFC 8446 section 6.2: handshake_failure, protocol_version, insufficient_security; inappropriate_fallback (RFC 7507),
# no_application_protocol (RFC 7301), which nobody is told who did not ask for it.
_REFUSALS = frozenset({40, 70, 71, 86, 120})
_ENDS = {
    End.CLOSED: "the connection was closed",
    End.RESET: "the connection was reset",
    End.TIMEOUT: "no answer in time",
    End.TOO_MUCH: "more bytes than any answer has",
}
_OLD_MACS = frozenset({"MD5", "SHA"})


@dataclass(frozen=True, slots=True)
class Choice:
    """What a server made of an offer.

    ACCEPTED: `server_hello` chose `version` and `suite`. REFUSED: with the fatal `alert`. INCONCLUSIVE: with `reason`,
    and with `stray_suite` where the server chose a suite that nobody offered. `group` is the named group that it chose:
    by its key share under TLS 1.3, else by its ServerKeyExchange; `stray_group` says that nobody offered it, which some
    old servers do with curves. `server_hello` and `alert` are there whenever they came.
    """

    acceptance: Acceptance
    version: Version | None = None
    suite: int | None = None
    server_hello: ServerHello | None = None
    alert: int | None = None
    reason: str | None = None
    stray_suite: int | None = None
    group: int | None = None
    stray_group: bool = False


def read_choice(hello: ClientHello, flight: Flight, end: End | None) -> Choice:
    """What one answer shows of an offer.

    `end` is why the conversation gave no more bytes, None where the flight was complete before. Whatever ended it, what
    came before it counts.
    """
    chosen = flight.server_hello
    if chosen is None:
        return _without_choice(flight, end)
    reason = breach(hello, chosen)
    if reason is not None:
        stray = None if chosen.cipher_suite in hello.suites else chosen.cipher_suite
        return Choice(Acceptance.INCONCLUSIVE, server_hello=chosen, reason=reason, stray_suite=stray)
    group, curve = chosen.group, True
    if flight.key_exchange is not None:
        # A finite field of DHE is the server's own affair, whatever groups are named (RFC 7919 section 4).
        group, curve = flight.key_exchange.group, flight.key_exchange.kind == "ECDHE"
    return Choice(
        Acceptance.ACCEPTED,
        Version(chosen.version),
        chosen.cipher_suite,
        chosen,
        group=group,
        stray_group=group is not None and curve and bool(hello.groups) and group not in hello.groups,
    )


def breach(hello: ClientHello, chosen: ServerHello) -> str | None:
    """Why a ServerHello is no answer to this hello; None where it chose of what was offered, and what goes together."""
    suite = chosen.cipher_suite
    if chosen.version not in hello.versions:
        return f"the server chose version 0x{chosen.version:04X}, which was not offered"
    version = Version(chosen.version)
    if suite not in hello.suites:
        return f"the server chose suite 0x{suite:04X}, which was not offered"
    if not fits(version, suite):
        return f"the server chose suite 0x{suite:04X}, which {version.label} does not have"
    if chosen.compression not in hello.compressions:
        return "the server chose a compression, which was not offered"
    if version is Version.TLS_1_3 and chosen.session_id != hello.session_id:  # RFC 8446 section 4.1.3
        return "the server answered with a session id that is not ours"
    return None


def fits(version: Version, code: int) -> bool:
    """Whether a suite may be agreed on under a version.

    TLS 1.3 has its own suites (RFC 8446 appendix B.4), which are no other version's; AEAD and hashes of SHA-2 came with
    TLS 1.2 (RFC 5246 section 1.2). What older versions forbade later is not looked at, for servers agree on it. A suite
    that the catalogue does not have fits all versions below TLS 1.3.
    """
    suite = cipher_suite(code)
    if suite is None:
        return version is not Version.TLS_1_3
    return _fits(version, suite)


@cache
def every_suite(version: Version) -> tuple[int, ...]:
    """All suites of the catalogue that fit a version: those of `SUITES` first, in its order, then the others.

    They may be more than one hello holds; each hello takes `MOST_SUITES` less its signalling values.
    """
    usual = SUITES[version]
    others = (code for code, suite in cipher_suites().items() if code not in usual and _fits(version, suite))
    return (*usual, *others)


def _fits(version: Version, suite: CipherSuite) -> bool:
    if suite.key_exchange == "any":
        return version is Version.TLS_1_3
    if version >= Version.TLS_1_2:
        return version is Version.TLS_1_2
    return suite.mac in _OLD_MACS


def _without_choice(flight: Flight, end: End | None) -> Choice:
    if flight.speaks is not None:
        return Choice(Acceptance.INCONCLUSIVE, reason=f"the answer is {flight.speaks.value} and not TLS")
    if flight.malformed is not None:
        return Choice(Acceptance.INCONCLUSIVE, reason=f"the answer obeys no standard: {flight.malformed}")
    if flight.alert is not None:
        return _of_alert(flight.alert)
    reason = _ENDS[end] if end is not None else "the answer is not complete"
    if flight.warnings:
        reason += f", after the warning {alert_name(flight.warnings[-1])}"
    return Choice(Acceptance.INCONCLUSIVE, reason=reason)


def _of_alert(alert: Alert) -> Choice:
    name = alert_name(alert.code)
    if not alert.fatal:
        return Choice(Acceptance.INCONCLUSIVE, reason=f"the server left with the warning {name}")
    acceptance = Acceptance.REFUSED if alert.code in _REFUSALS else Acceptance.INCONCLUSIVE
    return Choice(acceptance, alert=alert.code, reason=f"fatal alert {name}")
