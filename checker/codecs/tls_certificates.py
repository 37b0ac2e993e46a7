"""Certificate and CertificateRequest of TLS 1.2 and older (RFC 5246 sections 7.4.2 and 7.4.4), bounded.

What is inside a certificate is not looked at, and of the authorities that a server names nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from

from checker.codecs.tls_cursor import Cursor
from checker.codecs.tls_offers import Version
from checker.errors import MalformedPeerData

MOST_CERTIFICATES = 16
"""How many certificates of a list are kept."""

MOST_SCHEMES = 64
"""How many signature schemes of a request are kept."""


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What kind of certificate a server asks for.

    `types` are ClientCertificateTypes; `signatures` signature schemes, the first `MOST_SCHEMES` of them, and none below
    TLS 1.2; `authorities` how many names of authorities came. `unreadable`: why no more is known than that it asks.
    """

    types: tuple[int, ...] = ()
    signatures: tuple[int, ...] = ()
    authorities: int | None = None
    unreadable: str | None = None


def read_certificates(body: bytes) -> tuple[bytes, ...]:
    """The first certificates, in DER, of a Certificate message; MalformedPeerData where the lengths do not fit."""
    cursor = Cursor(body)
    entries = Cursor(cursor.vector(3))
    cursor.end()
    found: list[bytes] = []
    while entries.left:
        certificate = entries.vector(3)
        if not certificate:
            raise MalformedPeerData("an empty certificate")
        if len(found) < MOST_CERTIFICATES:
            found.append(certificate)
    return tuple(found)


def read_certificate_request(body: bytes, version: int) -> CertificateRequest:
    """The body of a CertificateRequest under `version`. What obeys no standard is `unreadable`, but it asks."""
    try:
        return _request(Cursor(body), version)
    except MalformedPeerData as fault:
        return CertificateRequest(unreadable=str(fault))


def _request(cursor: Cursor, version: int) -> CertificateRequest:
    types = tuple(cursor.filled(1))
    signatures: tuple[int, ...] = ()
    if version >= Version.TLS_1_2:
        listed = cursor.filled(2)
        if len(listed) % 2:
            raise MalformedPeerData("a list of signature schemes of an odd length")
        signatures = unpack_from(f">{min(len(listed) // 2, MOST_SCHEMES)}H", listed)
    names = Cursor(cursor.vector(2))
    cursor.end()
    authorities = 0
    while names.left:
        names.filled(2)
        authorities += 1
    return CertificateRequest(types, signatures, authorities)
