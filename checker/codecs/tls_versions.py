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

What does not, though some servers mean it so: a close, a reset, silence (a firewall, a limit on connections or a crash
look alike), internal_error, any other alert, a warning, and close_notify. That an orderly close may well be all that a
server has to say to SSLv3 makes no difference: the next one closes because it is busy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checker.catalog.cipher_suites import suite_name
from checker.codecs.tls import Alert, Flight
from checker.codecs.tls_hello import SUITES, ClientHello, Version
from checker.codecs.tls_messages import ServerHello
from checker.model import Acceptance, End, VersionFacts

_PROTOCOL_VERSION = 70
_REFUSES_IF_ALIVE = frozenset({40, 71})  # handshake_failure, insufficient_security
_ENDS = {
    End.CLOSED: "the connection was closed",
    End.RESET: "the connection was reset",
    End.TIMEOUT: "no answer in time",
    End.TOO_MUCH: "more bytes than any answer has",
}

# RFC 8446 section 6 and the registry "TLS Alerts": those that a hello may meet.
_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    46: "certificate_unknown",
    47: "illegal_parameter",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}


def alert_name(code: int) -> str:
    """The name of an alert with its code, such as `protocol_version (70)`."""
    return f"{_ALERTS.get(code, 'unknown alert')} ({code})"


def read_answer(hello: ClientHello, flight: Flight, end: End | None) -> dict[Version, VersionFacts]:
    """What one answer shows: always of `hello.version`, and of lower versions where the server chose one of them.

    `end` is why the conversation gave no more bytes, None where the flight was complete before.
    """
    version = hello.version
    if flight.server_hello is not None:
        return _read_choice(hello, flight.server_hello)
    if flight.speaks is not None:
        return {version: _inconclusive(version, f"the answer is {flight.speaks.value} and not TLS")}
    if flight.malformed is not None:
        return {version: _inconclusive(version, f"the answer obeys no standard: {flight.malformed}")}
    if flight.alert is not None:
        return {version: _read_alert(version, flight.alert)}
    reason = _ENDS[end] if end is not None else "the answer is not complete"
    if flight.warnings:
        reason += f", after the warning {alert_name(flight.warnings[-1])}"
    return {version: _inconclusive(version, reason)}


def verdicts(known: Mapping[Version, VersionFacts], not_asked: str) -> tuple[VersionFacts, ...]:
    """One `VersionFacts` for each version, lowest first; `not_asked` is why nothing is known of a missing one."""
    accepted = any(facts.acceptance is Acceptance.ACCEPTED for facts in known.values())
    found = []
    for version in Version:
        facts = known.get(version) or _inconclusive(version, not_asked)
        if facts.acceptance is Acceptance.REFUSED and facts.alert in _REFUSES_IF_ALIVE and not accepted:
            reason = f"{facts.reason}, as to every version: not the version may be what it refuses"
            facts = replace(facts, acceptance=Acceptance.INCONCLUSIVE, reason=reason)
        found.append(facts)
    return tuple(found)


def _read_choice(hello: ClientHello, chosen: ServerHello) -> dict[Version, VersionFacts]:
    """A ServerHello is worth what it chose of what was offered."""
    offered = hello.version
    if chosen.version not in hello.versions:
        return {
            offered: _inconclusive(offered, f"the server chose version 0x{chosen.version:04X}, which was not offered")
        }
    version = Version(chosen.version)
    suite = chosen.cipher_suite
    if suite not in hello.suites:
        return {offered: _inconclusive(offered, f"the server chose suite 0x{suite:04X}, which was not offered")}
    if suite not in SUITES[version]:
        reason = f"the server chose suite 0x{suite:04X}, which {version.label} does not have"
        return {offered: _inconclusive(offered, reason)}
    if chosen.compression:
        return {offered: _inconclusive(offered, "the server chose a compression, which was not offered")}
    if version is Version.TLS_1_3 and chosen.session_id != hello.session_id:  # RFC 8446 section 4.1.3
        return {offered: _inconclusive(offered, "the server answered with a session id that is not ours")}
    found = {
        higher: VersionFacts(
            version=higher.label,
            acceptance=Acceptance.REFUSED,
            reason=f"the server chose {version.label} where this was offered",
        )
        for higher in hello.versions
        if higher > version
    }
    found[version] = VersionFacts(
        version=version.label,
        acceptance=Acceptance.ACCEPTED,
        cipher_suite=suite,
        cipher_suite_name=suite_name(suite),
    )
    return found


def _read_alert(version: Version, alert: Alert) -> VersionFacts:
    name = alert_name(alert.code)
    if not alert.fatal:
        return _inconclusive(version, f"the server left with the warning {name}")
    refused = alert.code == _PROTOCOL_VERSION or alert.code in _REFUSES_IF_ALIVE
    return VersionFacts(
        version=version.label,
        acceptance=Acceptance.REFUSED if refused else Acceptance.INCONCLUSIVE,
        alert=alert.code,
        reason=f"fatal alert {name}",
    )


def _inconclusive(version: Version, reason: str) -> VersionFacts:
    return VersionFacts(version=version.label, acceptance=Acceptance.INCONCLUSIVE, reason=reason)
