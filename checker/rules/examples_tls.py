"""Builders for the worked examples of the rules about TLS: hellos, handshakes and certificates, all invented."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from checker.model import (
    Acceptance,
    Asset,
    CertificateFacts,
    DefaultHostFacts,
    Depth,
    GroupFacts,
    HandshakeFacts,
    OfferFacts,
    TlsFacts,
    TlsFeatures,
    TlsOffer,
    VersionFacts,
)
from checker.rules.examples import ADDRESS, NOW, archive, dicom_tls_service

HOST = "archive.example.org"
DAY = timedelta(days=1)
KEY = "5a" * 32
OTHER_KEY = "5b" * 32


def tls_archive(
    *,
    hostname: str | None = None,
    client_certificate: Literal["not-asked", "optional", "required"] | None = None,
    profile: str | None = None,
) -> Asset:
    """A synthetic archive with one service, DICOM inside TLS."""
    return archive(dicom_tls_service(client_certificate=client_certificate, profile=profile), hostname=hostname)


def hellos(
    *,
    accepted: Iterable[str] = (),
    refused: Iterable[str] = (),
    inconclusive: Iterable[str] = (),
    more: Iterable[VersionFacts] = (),
    offers: Iterable[OfferFacts] = (),
    answered: bool = True,
) -> TlsFacts:
    """The answers to one hello for each version, and to offers; `answered` where a TLS record came back at all."""
    return TlsFacts(
        versions=(
            *(VersionFacts(version, Acceptance.REFUSED, alert=70) for version in refused),  # protocol_version
            *(VersionFacts(version, Acceptance.INCONCLUSIVE, reason="no answer in time") for version in inconclusive),
            *(VersionFacts(version, Acceptance.ACCEPTED) for version in accepted),
            *more,
        ),
        offers=tuple(offers),
        answered=answered,
    )


OLD_VERSIONS = ("SSLv3", "TLS 1.0", "TLS 1.1")
BROKEN_OFFERED = (0x0002, 0x0003, 0x0004, 0x0005, 0x0009, 0x0034)
WEAK_OFFERED = (0x000A, 0x002F, 0x0035, 0x009C, 0xC013, 0xC027, 0x009E, 0x009F)
WEAK_WITHOUT_DHE = (0x000A, 0x002F, 0x0035, 0x009C, 0xC013, 0xC027)
ECDHE_GCM = 0xC02F
TLS_1_3_GCM = 0x1302
X25519 = 0x001D
# Those that the examples need, for reading the catalogues takes longer than a start that meets no TLS should.
SUITE_NAMES = {
    0x0002: "TLS_RSA_WITH_NULL_SHA",
    0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
}
GROUP_NAMES = {0x0013: "secp192r1", 0x0017: "secp256r1", 0x001D: "x25519", 0x11EC: "X25519MLKEM768"}


def accepted_version(
    version: str = "TLS 1.2",
    suite: int | None = ECDHE_GCM,
    *,
    group: int | None = None,
    prime_bits: int | None = None,
    compression: bool | None = False,
    secure_renegotiation: bool | None = True,
) -> VersionFacts:
    """A version that was accepted, and what the server chose of a nearly complete offer."""
    return VersionFacts(
        version,
        Acceptance.ACCEPTED,
        cipher_suite=suite,
        cipher_suite_name=None if suite is None else SUITE_NAMES[suite],
        group=group,
        group_name=None if group is None else GROUP_NAMES[group],
        prime_bits=prime_bits,
        compression=compression,
        secure_renegotiation=secure_renegotiation,
    )


def listed_version(
    version: str = "TLS 1.2",
    suites: Iterable[int] = (ECDHE_GCM,),
    *,
    complete: bool = True,
    server_order: bool | None = True,
    group: int | None = None,
    secure_renegotiation: bool | None = True,
) -> VersionFacts:
    """A version that was accepted at full depth, with the suites in the order of the server or its client."""
    listed = tuple(suites)
    newest = version == "TLS 1.3"
    return VersionFacts(
        version,
        Acceptance.ACCEPTED,
        cipher_suite=listed[0],
        group=group,
        group_name=None if group is None else GROUP_NAMES[group],
        compression=None if newest else False,
        secure_renegotiation=None if newest else secure_renegotiation,
        suites=listed,
        complete=complete,
        incomplete=None if complete else "the connections that it may take were used up",
        server_order=server_order,
    )


def full_depth(
    *listed: VersionFacts,
    groups: Iterable[GroupFacts] = (),
    extended_master_secret: bool | None = True,
    ocsp_stapled: bool | None = None,
    certificates: Iterable[CertificateFacts] = (),
) -> TlsFacts:
    """What full depth shows of a service that accepts these versions and refuses all others."""
    accepted = {one.version for one in listed}
    every = ("SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
    facts = hellos(refused=[version for version in every if version not in accepted], more=listed)
    return replace(
        facts,
        depth=Depth.FULL,
        groups=tuple(groups),
        features=TlsFeatures(extended_master_secret=extended_master_secret, ocsp_stapled=ocsp_stapled),
        certificates=tuple(certificates),
    )


def refused_offer(offer: TlsOffer, version: str = "TLS 1.2", suites: Iterable[int] | None = None) -> OfferFacts:
    """An offer that was refused, whole."""
    usual = {TlsOffer.BROKEN_SUITES: BROKEN_OFFERED, TlsOffer.WEAK_SUITES: WEAK_OFFERED}
    groups = (0x11EC, 0x11EB, 0x11ED) if offer is TlsOffer.HYBRID_GROUPS else ()
    offered = usual.get(offer, ()) if suites is None else tuple(suites)
    return OfferFacts(offer, version, Acceptance.REFUSED, suites=offered, groups=groups)


def chosen_offer(
    offer: TlsOffer,
    suite: int | None = None,
    *,
    version: str = "TLS 1.2",
    prime_bits: int | None = None,
    group: int | None = None,
) -> OfferFacts:
    """An offer of which the server chose something."""
    refused = refused_offer(offer, version)
    return OfferFacts(
        offer,
        version,
        Acceptance.ACCEPTED,
        suites=refused.suites,
        groups=refused.groups,
        cipher_suite=suite,
        cipher_suite_name=None if suite is None else SUITE_NAMES[suite],
        group=group,
        group_name=None if group is None else GROUP_NAMES[group],
        prime_bits=prime_bits,
    )


def unclear_offer(offer: TlsOffer, version: str = "TLS 1.2") -> OfferFacts:
    """An offer that was answered by silence."""
    refused = refused_offer(offer, version)
    return OfferFacts(
        offer,
        version,
        Acceptance.INCONCLUSIVE,
        suites=refused.suites,
        groups=refused.groups,
        reason="no answer in time",
    )


BROKEN_REFUSED = refused_offer(TlsOffer.BROKEN_SUITES)
WEAK_REFUSED = refused_offer(TlsOffer.WEAK_SUITES)
DHE_CHOSEN = chosen_offer(TlsOffer.WEAK_SUITES, 0x009E, prime_bits=2048)
REST_REFUSED = refused_offer(TlsOffer.WEAK_SUITES, suites=WEAK_WITHOUT_DHE)


def modern(*offers: OfferFacts, chosen: VersionFacts | None = None) -> TlsFacts:
    """A service that accepts TLS 1.2 and 1.3 and no older version, and its answers to these offers."""
    return hellos(
        refused=OLD_VERSIONS,
        more=[chosen or accepted_version(), accepted_version("TLS 1.3", TLS_1_3_GCM, compression=None)],
        offers=offers,
    )


def newest_only(*offers: OfferFacts) -> TlsFacts:
    """A service that accepts TLS 1.3 and nothing else."""
    newest = accepted_version("TLS 1.3", TLS_1_3_GCM, group=X25519, compression=None, secure_renegotiation=None)
    return hellos(refused=(*OLD_VERSIONS, "TLS 1.2"), more=[newest], offers=offers)


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


def without_name(
    *offers: OfferFacts,
    shown: CertificateFacts | None = None,
    acceptance: Acceptance = Acceptance.ACCEPTED,
    version: str = "TLS 1.2",
    client_certificate_requested: bool | None = None,
    asked: TlsFacts | None = None,
) -> TlsFacts:
    """The same service, which was asked by a name, with what it showed to a client that sent none."""
    accepted = acceptance is Acceptance.ACCEPTED
    default = DefaultHostFacts(
        acceptance,
        version=version if accepted else None,
        client_certificate_requested=client_certificate_requested if accepted else None,
        cipher_suite=ECDHE_GCM if accepted else None,
        cipher_suite_name=SUITE_NAMES[ECDHE_GCM] if accepted else None,
        reason=None if accepted else "no answer in time",
        certificate=shown,
        offers=offers,
    )
    return replace(asked or modern(BROKEN_REFUSED, WEAK_REFUSED), server_name=HOST, default_host=default)


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
    trust_store: str | None = None,
    key: str = KEY,
    must_staple: bool = False,
    digest: str = "c0" * 32,
) -> CertificateFacts:
    """A certificate with nothing wrong unless it is said; `key` is the digest of its public key, `digest` its own."""
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
        sha256=digest,
        public_key_sha256=key,
        trusted=trusted,
        trust_detail=trust_detail,
        trust_store=trust_store,
        names_asked=tuple(names_asked),
        name_matches=name_matches,
        must_staple=must_staple,
    )
