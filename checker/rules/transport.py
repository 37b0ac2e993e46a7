"""Pure: what the hellos and handshakes of one TLS service show, shared by the rules of the family `tls`.

A version counts as refused only where it was refused and never undecided or accepted; a service that took no version
at all, or that answered in plaintext, has shown nothing about its TLS, good or bad. The whole handshake comes after the
hellos and offers all: a server that gives it no answer either may be weary of us, and what it refused says little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from checker.codecs.x509 import covers, plain_name
from checker.model import (
    Acceptance,
    CertificateFacts,
    ConnectState,
    HandshakeFacts,
    JsonValue,
    PortFacts,
    Service,
    Status,
    TlsFacts,
    VersionFacts,
)
from checker.rules.base import Case, Verdict, unknown
from checker.rules.default_host import with_default_host
from checker.scope import canonical

OBSOLETE = ("SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1")  # RFC 6176, RFC 7568, RFC 8996
MODERN = ("TLS 1.2", "TLS 1.3")
BROKEN = frozenset({"SSLv2", "SSLv3"})
"""Versions that protect nothing, whatever the suite."""

# As OpenSSL names them.
_OTHER_NAMES = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
# As `checker.probes.tls_handshake` says that a server did not go along: an alert by its name, or the connection's end.
_TURNED_AWAY = ("ALERT", "the connection was", "no answer in time", "not completed", "UNEXPECTED_EOF", "WRONG_VERSION")
# As `checker.codecs.tls_choice` says that a peer ended the connection; a test holds the two together.
_HUNG_UP = ("the connection was closed", "the connection was reset", "the server left with the warning")
# handshake_failure and insufficient_security: what a server says as well that has had enough of a client.
_SAID_TO_ANYBODY = frozenset({40, 71})
# Worst first: what one certificate shows outweighs what another does.
_WEIGHT = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def speaks_tls(service: Service) -> bool:
    """Whether the inventory declares TLS for the service: only then its TLS is asked."""
    return service.speaks_tls


# ---------------------------------------------------------------------------------------------------------- versions


def acceptances(case: Case) -> Mapping[str, Acceptance]:
    """Each version that was asked and what is known of it; one acceptance outweighs, then one doubt.

    Nothing is known where the port was asked by the name of another service: servers may have settings for each name.
    """
    seen: dict[str, set[Acceptance]] = {}
    if _asked_as_another(case) is not None:
        return {}
    weary = is_weary(case)
    for one in asked_versions(case):
        doubtful = weary and one.acceptance is Acceptance.REFUSED and one.alert in _SAID_TO_ANYBODY
        seen.setdefault(named(one.version), set()).add(Acceptance.INCONCLUSIVE if doubtful else one.acceptance)
    for handshake in case.facts(HandshakeFacts):
        if handshake.completed and handshake.version is not None:
            seen.setdefault(named(handshake.version), set()).add(Acceptance.ACCEPTED)
    weight = (Acceptance.ACCEPTED, Acceptance.INCONCLUSIVE, Acceptance.REFUSED)
    return {version: min(answers, key=weight.index) for version, answers in seen.items()}


def hellos_asked(case: Case) -> list[TlsFacts]:
    """What the hellos showed; nothing where the port was asked by the name of another service."""
    return [] if _asked_as_another(case) is not None else case.facts(TlsFacts)


def asked_versions(case: Case) -> list[VersionFacts]:
    """The answers about each version, in the order observed."""
    return [one for hellos in hellos_asked(case) for one in hellos.versions]


def is_weary(case: Case) -> bool:
    """Whether a whole handshake was turned away before a version was agreed on: refusals may not mean the offer then.

    A client that is asked for a certificate has been answered; so has one that ends it itself, as with a prime that is
    too small for it.
    """
    return any(
        not one.completed
        and one.version is None
        and one.client_certificate is None
        and (one.detail is None or any(word in one.detail for word in _TURNED_AWAY))
        for one in case.facts(HandshakeFacts)
    )


def ssl2_is_open(case: Case) -> bool:
    """Whether SSLv2 was asked and its answer leaves it possible that it is spoken.

    A server that does not speak SSLv2 cannot say so in SSLv2, which has no word for it: it takes the hello for a broken
    record of TLS, and answers with an alert or hangs up (as all that OpenSSL 1.1 and GnuTLS drive do). One that speaks
    it answers in SSLv2, be it with an error. So of this version alone, a connection that came about and was answered
    by an alert, closed or reset is no doubt, as long as a version of TLS was accepted; silence still is one, and so is
    a question that could not be put, or one that was put to a server that turned an ordinary handshake away as well.
    """
    answers = [one for one in asked_versions(case) if one.version == "SSLv2"]
    if any(one.acceptance is Acceptance.ACCEPTED for one in answers):
        return True
    if is_weary(case) and any(
        one.acceptance is not Acceptance.REFUSED or one.alert in _SAID_TO_ANYBODY for one in answers
    ):
        return True
    return any(one.acceptance is Acceptance.INCONCLUSIVE and not _turned_away(one) for one in answers)


def _turned_away(one: VersionFacts) -> bool:
    return one.alert is not None or (one.reason or "").startswith(_HUNG_UP)


def among(answers: Mapping[str, Acceptance], versions: tuple[str, ...], wanted: Acceptance) -> list[str]:
    """Those of the versions of which this is known, in the order given."""
    return [version for version in versions if answers.get(version) is wanted]


def versions_told(case: Case) -> list[JsonValue]:
    """The versions as evidence, in the order observed; what was not observed is left out."""
    return [
        {key: value for key, value in row.items() if value is not None}
        for hellos in case.facts(TlsFacts)
        for one in hellos.versions
        for row in (
            {
                "version": one.version,
                "acceptance": one.acceptance.value,
                "cipher_suite": one.cipher_suite_name,
                "group": one.group_name,
                "prime_bits": one.prime_bits,
                "compression": one.compression,
                "secure_renegotiation": one.secure_renegotiation,
                "alert": one.alert,
                "reason": one.reason,
            },
        )
    ]


def no_tls(case: Case) -> str:
    """Why nothing is known of the TLS of this service, as the end of a sentence."""
    hellos, handshakes, ports = case.facts(TlsFacts), case.facts(HandshakeFacts), case.facts(PortFacts)
    another = _asked_as_another(case)
    if another is not None:
        return f"it was asked by another name only, {short(another)}"
    if any(facts.plaintext_dicom for facts in hellos):
        return "it answered with DICOM in plaintext"
    if any(facts.plaintext_http for facts in hellos):
        return "it answered with HTTP in plaintext"
    if any(facts.answered for facts in hellos):
        return "it answered, but no version of TLS was agreed on"
    if ports and all(facts.state is not ConnectState.OPEN for facts in ports):
        return f"no connection came about, the port is {ports[-1].state.value}"
    if hellos or handshakes:
        return "it gave no answer in TLS"
    return "it was not asked"


def named(version: str) -> str:
    """The label of a version, also of one that is named as OpenSSL does."""
    return _OTHER_NAMES.get(version, version)


def _own_name(case: Case) -> str | None:
    """The host name in the URL of the service; None where it has no URL, or one with an address."""
    host = None if case.service is None else case.service.host
    return None if host is None or canonical(host) is not None else plain_name(host)


def _asked_as_another(case: Case) -> str | None:
    """The name by which the port was asked, where that is another than the service's and the only one."""
    own = _own_name(case)
    names = [facts.server_name for facts in case.facts(TlsFacts)]
    if own is None or any(name is None or plain_name(name) == own for name in names):
        return None
    return next((name for name in names if name is not None), None)


# ------------------------------------------------------------------------------------------------------ certificates


def certificates(case: Case) -> list[CertificateFacts]:
    """The certificates that the service presented, each once as it was judged, in the order observed.

    A server may have another certificate for another name (RFC 6066 section 3). So where two services share a port,
    one that was asked for by the name of the other counts only if it is for both.
    """
    own = _own_name(case)
    return [certificate for certificate in _presented(case) if own is None or _is_of(certificate, own)]


def _presented(case: Case) -> list[CertificateFacts]:
    """Those of whole handshakes, and of the others that full depth met: a server may have one for each kind of key."""
    shown = [one.certificate for one in case.facts(HandshakeFacts) if one.certificate is not None]
    known = {(one.sha256, one.names_asked) for one in shown}
    listed = [one for facts in case.facts(TlsFacts) for one in facts.certificates]
    shown += [one for one in listed if (one.sha256, one.names_asked) not in known]
    return list(dict.fromkeys(shown))


def _is_of(certificate: CertificateFacts, name: str) -> bool:
    asked = {plain_name(asked) for asked in certificate.names_asked}
    return name in asked or covers(certificate.dns_names, certificate.ip_addresses, name)


def judge_certificates(
    case: Case, judge: Callable[[CertificateFacts], Verdict], *, of_the_name: bool = False
) -> Verdict:
    """The gravest verdict on a certificate of the service; unknown where none was seen, or one could not be read.

    Which of those count that are shown to a client that names no host, also with `of_the_name`, is told in
    `checker.rules.default_host`; without any of them nothing changes.
    """
    named = _judge_presented(case, judge)
    return with_default_host(case, named, judge, certificates(case), of_the_name=of_the_name)


def _judge_presented(case: Case, judge: Callable[[CertificateFacts], Verdict]) -> Verdict:
    verdicts = [judge(certificate) for certificate in certificates(case)]
    if not verdicts:
        return _no_certificate(case)
    gravest = min(verdicts, key=lambda verdict: _WEIGHT.index(verdict.status))
    unread = [facts for facts in case.facts(HandshakeFacts) if facts.completed and facts.certificate is None]
    if unread and gravest.status is not Status.FAIL:
        return unknown("Of one handshake the certificate was not seen, or it could not be read.", **gravest.evidence)
    return gravest


def _no_certificate(case: Case) -> Verdict:
    own, presented = _own_name(case), _presented(case)
    if own is not None and presented:
        return unknown(
            f"The service was not asked for its certificate by the name {short(own)}.",
            expected=own,
            certificate=certificate_told(presented[0], names_asked=list(presented[0].names_asked)),
        )
    handshakes = case.facts(HandshakeFacts)
    if any(facts.completed for facts in handshakes):
        return unknown("The handshake was completed, but its certificate was not seen or could not be read.")
    # A completed hello that names a version is no handshake: the certificate comes with the whole one.
    if Acceptance.ACCEPTED in acceptances(case).values():
        return unknown("The service speaks TLS, but its certificate was not seen.")
    return unknown(f"The certificate of the service was not seen: {no_tls(case)}.")


def certificate_told(certificate: CertificateFacts, **more: JsonValue) -> Mapping[str, JsonValue]:
    """A certificate as evidence: who it is and until when, what it is known by, and what a rule adds."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "not_before": moment(certificate.not_before),
        "not_after": moment(certificate.not_after),
        "sha256": certificate.sha256,
        **more,
    }


def moment(time: datetime) -> str:
    """A time of a certificate as RFC 3339 writes it, in UTC, to the second."""
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def few_names(certificate: CertificateFacts) -> str:
    """The first two names that a certificate is for, and how many more; for a sentence."""
    names = [*certificate.dns_names, *certificate.ip_addresses]
    if not names:
        return "no host at all"
    rest = len(names) - 2
    return ", ".join(short(name) for name in names[:2]) + (f" and {rest} more" if rest > 0 else "")


def short(name: str) -> str:
    """A name that fits into a sentence."""
    return name if len(name) <= 48 else f"{name[:47]}\N{HORIZONTAL ELLIPSIS}"
