"""Observations of TLS as they are kept: full depth comes back as it was, and those of before it can still be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from checker.model import (
    Acceptance,
    CertificateFacts,
    DefaultHostFacts,
    Depth,
    GroupFacts,
    Observation,
    SignatureFacts,
    TlsFacts,
    TlsFeatures,
    VersionFacts,
)
from checker.records import line, read_observation

AT = datetime(2026, 11, 24, 4, 20, 30, 123000, tzinfo=UTC)
SUITES = (0xC02F, 0x009E)
CERTIFICATE = CertificateFacts(
    subject="CN=archive.example.org",
    issuer="CN=Synthetic",
    serial="01",
    not_before=AT,
    not_after=AT,
    key_type="EC",
    key_bits=256,
    curve="secp256r1",
    signature_hash="sha256",
    dns_names=("archive.example.org",),
    ip_addresses=(),
    self_signed=False,
    sha256="ab" * 32,
    public_key_sha256="cd" * 32,
)


def observation(facts: TlsFacts) -> Observation:
    return Observation("arc-01:1", "arc-01", "local", AT, "10.20.1.5", 2762, 0, facts)


def test_full_depth_comes_back_as_it_was() -> None:
    facts = TlsFacts(
        versions=(VersionFacts("TLS 1.2", Acceptance.ACCEPTED, suites=SUITES, complete=True, server_order=True),),
        depth=Depth.FULL,
        groups=(GroupFacts("TLS 1.2", (0x1D,), incomplete="spent"),),
        signatures=SignatureFacts("TLS 1.2", (0x0804,), complete=True),
        features=TlsFeatures(session_ticket=True, resumption=False),
        default_host=DefaultHostFacts(Acceptance.ACCEPTED, "TLS 1.2", certificate=CERTIFICATE, same_certificate=True),
        certificates=(CERTIFICATE,),
    )
    kept = observation(facts)
    assert read_observation(line(kept), "here") == kept


def test_what_was_observed_before_there_was_a_depth_is_of_policy_depth() -> None:
    kept = observation(TlsFacts(versions=(VersionFacts("TLS 1.2", Acceptance.ACCEPTED, cipher_suite=0xC02F),)))
    written = json.loads(line(kept))
    for name in ("depth", "groups", "signatures", "features", "certificates", "default_host"):
        del written["facts"][name]
    for name in ("suites", "complete", "incomplete", "server_order"):
        del written["facts"]["versions"][0][name]
    assert read_observation(json.dumps(written).encode(), "here") == kept
