"""Pure: what a service shows to a client that names no host, and how far it counts beside what it shows by its name.

A server may keep another certificate and other settings for such clients (RFC 6066 section 3). Why each thing counts,
or does not:

- The certificate of `dicom-tls` counts as much as the one by name, and the worse of both decides: devices that speak
  DICOM seldom send a name, so that it is the one that most peers meet.
- That of every other kind does not. Browsers, and what else speaks HTTP, always send the name, and a default host with
  a certificate of its own (self-signed, for another name, out of date) is how a server behind many names is set up. It
  is told as evidence. One thing is left: a certificate that is for the name of the service too stands for the service
  whoever is shown it, so that whoever works out its key can play the service; it is judged for its strength alone.
- Suites count for every kind: what is taken from a client that names no host is taken from anybody who leaves it out.
- So do obsolete versions. That a `dicom-tls` service asks such a client for no certificate leaves it open whether one
  is required: most of its peers meet that, though it was not seen what is behind it.
- A refusal, silence, or a question that was not put changes no verdict. It proves nothing about the default host, and
  nothing against what was seen by the name: the verdict by name stands, and says that it is by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from checker.model import (
    Acceptance,
    CertificateFacts,
    DefaultHostFacts,
    JsonValue,
    OfferFacts,
    ServiceKind,
    Status,
    TlsFacts,
    TlsOffer,
)
from checker.rules.base import Case, Verdict

UNNAMED = "to a client that names no host"
"""To whom the service shows what is told here, for a sentence."""

# Worst first. Only what is worse replaces a verdict: what a default host does well makes up for nothing.
_WORSE = (Status.FAIL, Status.UNKNOWN)


def default_hosts(case: Case) -> list[DefaultHostFacts]:
    """What was met without a name, each once, in the order observed; by which name the port was asked makes none."""
    found = (facts.default_host for facts in case.facts(TlsFacts))
    return list(dict.fromkeys(host for host in found if host is not None))


def default_acceptances(case: Case) -> list[DefaultHostFacts | OfferFacts]:
    """All that was agreed on without a name: by the first hello or handshake, and of what was offered on purpose."""
    answers = [answer for host in default_hosts(case) for answer in _answers(host)]
    return [answer for answer in answers if answer.acceptance is Acceptance.ACCEPTED]


def _answers(host: DefaultHostFacts) -> tuple[DefaultHostFacts | OfferFacts, ...]:
    return (host, *host.offers)


def default_versions(case: Case) -> list[str]:
    """The versions, as they were named, that were agreed on without a name, each once."""
    return list(dict.fromkeys(answer.version for answer in default_acceptances(case) if answer.version is not None))


def asks_no_certificate(case: Case) -> bool:
    """Whether a service whose peers send no name went on with one that sent none, and asked it for no certificate."""
    return _peers_send_no_name(case) and any(
        host.acceptance is Acceptance.ACCEPTED and host.client_certificate_requested is False
        for host in default_hosts(case)
    )


def default_certificates(case: Case, *, of_the_name: bool = False) -> list[CertificateFacts]:
    """The certificates that are shown without a name and count for this service.

    `of_the_name`: of a service whose clients always send the name, those that are for that name as well; else none.
    """
    shown = [host.certificate for host in default_hosts(case) if host.certificate is not None]
    if _peers_send_no_name(case):
        return shown
    return [certificate for certificate in shown if of_the_name and certificate.name_matches is True]


def with_default_host(
    case: Case,
    named: Verdict,
    judge: Callable[[CertificateFacts], Verdict],
    presented: Collection[CertificateFacts],
    *,
    of_the_name: bool,
) -> Verdict:
    """The verdict on the certificates by name, or the one on a certificate without a name where that is worse.

    `presented` are those by name, which are judged already.
    """
    hosts = default_hosts(case)
    if not hosts:
        return named
    counted = default_certificates(case, of_the_name=of_the_name)
    judged = {shown: judge(shown) for shown in counted if shown not in presented}
    for status in _WORSE:
        if named.status is status:
            break
        for verdict in judged.values():
            if verdict.status is status:
                return telling_default_host(case, _unnamed(verdict, named))
    if named.status is Status.PASS:
        good = {*presented, *(shown for shown, verdict in judged.items() if verdict.status is Status.PASS)}
        if any(host.certificate not in good for host in hosts):
            named = replace(named, summary=f"{named.summary.removesuffix('.')}, for clients that name the host.")
    return telling_default_host(case, named)


def by_its_name(case: Case, kind: TlsOffer) -> str:
    """Words behind "offered to it" where an offer was made by name and not refused without; else nothing.

    A service that takes nothing from a client without a name has refused every offer of it.
    """
    refused = Acceptance.REFUSED

    def refuses(host: DefaultHostFacts) -> bool:
        of_kind = [offer.acceptance for offer in host.offers if offer.offer is kind]
        return host.acceptance is refused or (bool(of_kind) and all(answer is refused for answer in of_kind))

    return "" if all(refuses(host) for host in default_hosts(case)) else " by its name"


def telling_default_host(case: Case, verdict: Verdict) -> Verdict:
    """The same verdict with what was met without a name as `default_host` of its evidence, where a name was sent."""
    hosts: list[JsonValue] = [
        _known(
            {
                "acceptance": host.acceptance.value,
                "version": host.version,
                "cipher_suite": host.cipher_suite_name,
                "prime_bits": host.prime_bits,
                "alert": host.alert,
                "reason": host.reason,
                "same_certificate": host.same_certificate,
                "client_certificate_requested": host.client_certificate_requested,
                "subject": host.certificate.subject if host.certificate is not None else None,
                "sha256": host.certificate.sha256 if host.certificate is not None else None,
                "offers": [
                    _known(
                        {
                            "offer": offer.offer.value,
                            "version": offer.version,
                            "acceptance": offer.acceptance.value,
                            "suites_offered": len(offer.suites) or None,
                            "cipher_suite": offer.cipher_suite_name,
                            "reason": offer.reason,
                        }
                    )
                    for offer in host.offers
                ]
                or None,
            }
        )
        for host in default_hosts(case)
    ]
    return replace(verdict, evidence={**verdict.evidence, "default_host": hosts}) if hosts else verdict


def _peers_send_no_name(case: Case) -> bool:
    return case.service is not None and case.service.kind is ServiceKind.DICOM_TLS


def _unnamed(verdict: Verdict, named: Verdict) -> Verdict:
    sentence = verdict.summary[:1].lower() + verdict.summary[1:]
    evidence = {**verdict.evidence, "by_name": named.summary}
    return replace(verdict, summary=f"{UNNAMED.capitalize()}: {sentence}", evidence=evidence)


def _known(row: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in row.items() if value is not None}
