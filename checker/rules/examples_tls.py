"""Builders for the worked examples of the rules about TLS: hellos, handshakes and certificates, all invented."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from checker.model import Acceptance, Asset, CertificateFacts, HandshakeFacts, TlsFacts, VersionFacts
from checker.rules.examples import ADDRESS, NOW, archive, dicom_tls_service

HOST = "archive.example.org"
DAY = timedelta(days=1)
KEY = "5a" * 32
OTHER_KEY = "5b" * 32


def tls_archive(
    *,
    hostname: str | None = None,
    client_certificate: Literal["not-asked", "optional", "required"] | None = None,
) -> Asset:
    """A synthetic archive with one service, DICOM inside TLS."""
    return archive(dicom_tls_service(client_certificate=client_certificate), hostname=hostname)


def hellos(
    *,
    accepted: Iterable[str] = (),
    refused: Iterable[str] = (),
    inconclusive: Iterable[str] = (),
    answered: bool = True,
) -> TlsFacts:
    """The answers to one hello for each version; `answered` where a TLS record came back at all."""
    return TlsFacts(
        versions=(
            *(VersionFacts(version, Acceptance.REFUSED, alert=70) for version in refused),  # protocol_version
            *(VersionFacts(version, Acceptance.INCONCLUSIVE, reason="no answer in time") for version in inconclusive),
            *(VersionFacts(version, Acceptance.ACCEPTED) for version in accepted),
        ),
        answered=answered,
    )


def handshake(
    shown: CertificateFacts | None = None,
    *,
    version: str = "TLS 1.3",
    client_certificate: Literal["not-asked", "optional", "required"] | None = None,
) -> HandshakeFacts:
    """A completed handshake, with the certificate that was shown."""
    return HandshakeFacts(
        completed=True,
        version=version,
        cipher_suite_name="TLS_AES_256_GCM_SHA384",
        certificate=shown,
        client_certificate=client_certificate,
    )


def certificate(
    *,
    not_before: datetime = NOW - 100 * DAY,
    not_after: datetime = NOW + 200 * DAY,
    key_type: str = "EC",
    key_bits: int = 256,
    signature_hash: str | None = "sha256",
    dns_names: Iterable[str] = (HOST,),
    ip_addresses: Iterable[str] = (ADDRESS,),
    names_asked: Iterable[str] = (ADDRESS,),
    name_matches: bool | None = True,
    trusted: bool | None = True,
    trust_detail: str | None = None,
    key: str = KEY,
) -> CertificateFacts:
    """A certificate with nothing wrong unless it is said; `key` is the digest of its public key."""
    return CertificateFacts(
        subject=f"CN={HOST}",
        issuer="CN=Synthetic Authority",
        serial="2a",
        not_before=not_before,
        not_after=not_after,
        key_type=key_type,
        key_bits=key_bits,
        curve="secp256r1" if key_type == "EC" else None,
        signature_hash=signature_hash,
        dns_names=tuple(dns_names),
        ip_addresses=tuple(ip_addresses),
        self_signed=False,
        sha256="c0" * 32,
        public_key_sha256=key,
        trusted=trusted,
        trust_detail=trust_detail,
        names_asked=tuple(names_asked),
        name_matches=name_matches,
    )
