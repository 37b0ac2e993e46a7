"""tls.certificate-shared-key: several assets present certificates with the same public key."""

from __future__ import annotations

from dataclasses import replace

from checker.model import CertificateFacts, Facts, HandshakeFacts, JsonValue, Severity, Status, TlsFacts
from checker.rules import controls
from checker.rules.base import (
    Case,
    Example,
    Rule,
    Subject,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from checker.rules.cases import service_cases
from checker.rules.default_host import default_certificates
from checker.rules.examples import archive, asset_case, seen
from checker.rules.examples_tls import (
    KEY,
    OTHER_KEY,
    certificate,
    full_depth,
    handshake,
    listed_version,
    tls_archive,
    without_name,
)
from checker.rules.transport import certificates

_MOST_NAMED = 20
_SEEN = seen(handshake(certificate()), 0, port=2762)


def keys(case: Case) -> tuple[str, ...]:
    """The public keys that the asset presented, as SHA-256 of SubjectPublicKeyInfo. Each once, in order observed."""
    shown = certificates(case)
    if any(facts.default_host is not None for facts in case.facts(TlsFacts)):
        # Without a name, a service whose peers send one shows what belongs to the server and not to it.
        shown += [certificate for one in service_cases(case) for certificate in default_certificates(one)]
    return tuple(dict.fromkeys(certificate.public_key_sha256 for certificate in shown))


def judge(case: Case) -> Verdict:
    """A key that another asset has too fails; to pass, each TLS service must have shown its certificate."""
    mine = keys(case)
    unseen = _unseen(case)
    if not mine and not unseen:
        return not_applicable("The asset has no TLS service.")
    others = {key: [other for other in case.sharers.get(key, ()) if other != case.asset.id] for key in mine}
    shared = {key: found for key, found in others.items() if found}
    if shared:
        first, *more = next(iter(shared.values()))
        verdict = failed(
            f"Its TLS key is also the key of another asset: {first}{f' and {len(more)} more' if more else ''}.",
            shared=[_told(key, found) for key, found in shared.items()],
        )
        return replace(verdict, observations=_presenting(case, shared))
    if unseen:
        return unknown("Not every TLS service of the asset showed its certificate.", not_seen=unseen, keys=list(mine))
    if any(key not in case.sharers for key in mine):
        return unknown("The asset's keys were not compared with those of other assets.", keys=list(mine))
    return passed("No other asset that was seen has the same TLS key.", keys=list(mine))


def _told(key: str, others: list[str]) -> JsonValue:
    return {"public_key_sha256": key, "assets": others[:_MOST_NAMED], "count": len(others)}


def _presenting(case: Case, shared: dict[str, list[str]]) -> tuple[str, ...]:
    return tuple(
        observation.id
        for observation in case.asset_seen
        if any(shown.public_key_sha256 in shared for shown in _shown(observation.facts))
    )


def _shown(facts: Facts) -> list[CertificateFacts]:
    found: list[CertificateFacts | None] = []
    if isinstance(facts, TlsFacts):
        found += [*facts.certificates, None if facts.default_host is None else facts.default_host.certificate]
    elif isinstance(facts, HandshakeFacts):
        found.append(facts.certificate)
    return [shown for shown in found if shown is not None]


def _unseen(case: Case) -> list[JsonValue]:
    """The declared TLS services, at each of their addresses, of which no certificate was seen."""
    return [
        {"address": one.address, "port": one.the_service().port}
        for one in service_cases(case)
        if one.the_service().speaks_tls and not certificates(one)
    ]


RULE = Rule(
    title="Several assets have the same TLS key",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "Whoever takes the private key out of one of these devices, or out of the firmware that the vendor hands to"
        " everybody, can read and play the part of all the others. Most often it is a default key that was never"
        " replaced.\n\n"
        "The public keys of all assets of the run are compared, whatever the certificates around them say. Nodes of one"
        " cluster that share a certificate on purpose fail too: waive them, with the reason. To pass, every declared"
        " TLS service of the asset must have shown its certificate. Each key that full depth met"
        " counts, and so does the one that a `dicom-tls` service shows to clients that name no host."
    ),
    remedy=(
        "Give each asset a key of its own, made on the device, and a certificate for it. Where a vendor's default key"
        " is in use, replace it on all devices of that kind."
    ),
    controls=controls.CERTIFICATE,
    shares=keys,
    judge=judge,
    examples=(
        Example(
            "Another asset presents the same key.",
            asset_case(tls_archive(), _SEEN, sharers={KEY: ("synthetic-01", "synthetic-02")}),
            Status.FAIL,
        ),
        Example(
            "Another asset has the key that is shown to DICOM peers that name no host.",
            asset_case(
                tls_archive(),
                _SEEN,
                seen(without_name(shown=certificate(key=OTHER_KEY)), 0, port=2762),
                sharers={KEY: ("synthetic-01",), OTHER_KEY: ("synthetic-01", "synthetic-02")},
            ),
            Status.FAIL,
        ),
        Example(
            "Another asset has the key of a second certificate that full depth met.",
            asset_case(
                tls_archive(),
                _SEEN,
                seen(
                    full_depth(listed_version(), certificates=(certificate(key=OTHER_KEY, digest="c1" * 32),)),
                    0,
                    port=2762,
                ),
                sharers={KEY: ("synthetic-01",), OTHER_KEY: ("synthetic-01", "synthetic-02")},
            ),
            Status.FAIL,
        ),
        Example(
            "Nobody else has its key.",
            asset_case(tls_archive(), _SEEN, sharers={KEY: ("synthetic-01",), OTHER_KEY: ("synthetic-02",)}),
            Status.PASS,
        ),
        Example(
            "Its keys were not compared with others.",
            asset_case(tls_archive(), _SEEN),
            Status.UNKNOWN,
        ),
        Example(
            "No certificate was seen.",
            asset_case(tls_archive(), sharers={KEY: ("synthetic-02",)}),
            Status.UNKNOWN,
        ),
        Example(
            "No TLS service.",
            asset_case(archive()),
            Status.NOT_APPLICABLE,
        ),
    ),
)
