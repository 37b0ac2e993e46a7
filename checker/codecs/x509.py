"""Pure: from the certificates that a server sent to `CertificateFacts`. Never opens anything.

A certificate may be odd in any way: what of it can be read is told, what cannot is left open. Only a leaf that is no
certificate at all raises. Texts of the peer are cut short and rid of control characters before they leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from checker.codecs.certificate import (
    UNREADABLE,
    clean,
    hash_of_signature,
    is_self_signed,
    odd_certificates_allowed,
)
from checker.codecs.der import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Element, elements
from checker.codecs.trust import TrustStore, system_trust_store
from checker.errors import MalformedPeerData
from checker.model import CertificateFacts

__all__ = [
    "MOST_NAMES",
    "TrustStore",
    "certificate_facts",
    "counted_names",
    "covers",
    "plain_name",
    "system_trust_store",
]

MOST_NAMES = 50
"""So many names of each kind are kept as facts; all of them are compared."""

_MOST_NAME = 253  # RFC 1035 section 2.3.4, as text
_MOST_TEXT = 256
_MOST_SERIAL = 64
_VERSION, _EXTENSIONS = 0xA0, 0xA3  # RFC 5280 section 4.1
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("551d11")  # 2.5.29.17
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87  # RFC 5280 section 4.2.1.6
_TLS_FEATURE = bytes.fromhex("2b06010505070118")  # 1.3.6.1.5.5.7.1.24, RFC 7633 section 6
_INTEGER, _STATUS_REQUEST = 0x02, b"\x05"  # the number of that TLS extension, RFC 6066 section 8
_ADDRESS_LENGTHS = (4, 16)
_LEAST_LABELS = 3  # of a name with a wildcard: *.example.org, and not *.org

_Names = tuple[list[str], list[str]]
_Extensions = dict[bytes, list[bytes]]


def certificate_facts(
    chain: Sequence[bytes], *, names: Sequence[str], at: datetime, store: TrustStore | None
) -> CertificateFacts | None:
    """The leaf of a chain (DER, leaf first, the rest in any order) and how it stands; None for an empty chain.

    `names` are the host names and addresses by which clients reach the service. Where there are host names, each of
    them must be covered and addresses do not count; where there are none, one address must be. `name_matches` is None
    where no name was given or the certificate's own names cannot be read.

    `trusted` says whether a path leads to the store at the aware time `at`, or at the nearest time within the leaf's
    own validity: an expired certificate may still be vouched for. None where there is no store, or no telling.

    `key_bits` is 0 for a key that cannot be read; `key_type` is then "other". `signature_hash` is that of
    `hash_of_signature`. The digests are SHA-256 over the certificate and over its SubjectPublicKeyInfo as sent.
    Raises MalformedPeerData where the leaf cannot be read; the message never holds a byte of it.
    """
    if not chain:
        return None
    with odd_certificates_allowed():
        try:
            leaf = x509.load_der_x509_certificate(chain[0])
            fields = list(elements(_only(leaf.tbs_certificate_bytes, SEQUENCE)))
            begins, ends, serial = leaf.not_valid_before_utc, leaf.not_valid_after_utc, leaf.serial_number
        except UNREADABLE as error:
            message = "the certificate cannot be read"
            raise MalformedPeerData(message) from error
        extensions = _extensions(fields)
        found = _names(extensions)
        dns_names, addresses = found or ([], [])
        trusted, trust_detail = _trust(leaf, chain[1:], at, store)
        key_type, key_bits, curve = _key(leaf)
        return CertificateFacts(
            subject=_text(leaf, "subject"),
            issuer=_text(leaf, "issuer"),
            serial=f"{serial:x}"[:_MOST_SERIAL],
            not_before=begins,
            not_after=ends,
            key_type=key_type,
            key_bits=key_bits,
            curve=curve,
            signature_hash=hash_of_signature(leaf),
            dns_names=tuple(dns_names[:MOST_NAMES]),
            ip_addresses=tuple(addresses[:MOST_NAMES]),
            self_signed=is_self_signed(leaf),
            sha256=sha256(chain[0]).hexdigest(),
            public_key_sha256=sha256(_public_key(fields)).hexdigest(),
            trusted=trusted,
            trust_detail=trust_detail,
            trust_store=None if store is None else store.name,
            names_asked=tuple(names),
            name_matches=None if found is None else _matches(dns_names, addresses, names),
            must_staple=_must_staple(extensions),
        )


def _trust(
    leaf: x509.Certificate, rest: Sequence[bytes], at: datetime, store: TrustStore | None
) -> tuple[bool | None, str | None]:
    if store is None:
        return None, "there is no trust store to judge by"
    sent = []
    for encoded in rest:
        try:
            certificate = x509.load_der_x509_certificate(encoded)
        except UNREADABLE:  # nothing can be built on it; without it the path is there or not
            continue
        sent.append(certificate)
    return store.judge(leaf, sent, at)


# ------------------------------------------------------------------------------------------------------------- names


def plain_name(name: str) -> str:
    """A host name or an address for comparison: lower case without a dot at the end, or the canonical address."""
    return _address(name) or name.rstrip(".").lower()


def counted_names(names: Sequence[str]) -> list[str]:
    """Those of the names that a certificate must cover, in plain form: host names where there are any, else all."""
    return [plain_name(name) for name in names if _address(name) is None] or [plain_name(name) for name in names]


def covers(dns_names: Sequence[str], ip_addresses: Sequence[str], name: str) -> bool:
    """Whether the names of a certificate cover a host name (RFC 9525 section 6.3) or an address (section 6.4).

    Names are compared as ASCII (A-labels). A wildcard is a whole label, the first one, before two others or more. A
    name in the subject alone covers nothing, nor does an address that is written as a DNS name.
    """
    address = _address(name)
    if address is not None:
        return address in ip_addresses
    asked = plain_name(name)
    first, dot, parent = asked.partition(".")
    wildcard = f"*.{parent}" if first and dot and asked.count(".") >= _LEAST_LABELS - 1 else None
    presented = {one.lower() for one in dns_names}
    return "*" not in asked and bool(asked) and (asked in presented or wildcard in presented)


def _matches(dns_names: Sequence[str], ip_addresses: Sequence[str], names: Sequence[str]) -> bool | None:
    if not names:
        return None
    counted = counted_names(names)
    covered = [covers(dns_names, ip_addresses, name) for name in counted]
    return any(covered) if _address(counted[0]) is not None else all(covered)


def _address(name: str) -> str | None:
    """The canonical text of an address, without the zone of a link-local one; None for any other name."""
    written = name.partition("%")[0]
    if ":" not in written and not written[-1:].isdigit():  # most are host names, which `ip_address` is slow to refuse
        return None
    try:
        return str(ip_address(written))
    except ValueError:
        return None


def _names(extensions: _Extensions | None) -> _Names | None:
    """All DNS names and addresses of a certificate's subjectAltName, cleaned; None where they cannot be read.

    They are read here and not by the library, which gives none where any other extension is broken.
    """
    if extensions is None:
        return None
    dns_names: list[str] = []
    addresses: list[str] = []
    try:
        for value in extensions.get(_SUBJECT_ALTERNATIVE_NAME, ()):
            for name in elements(_only(_only(value, OCTET_STRING), SEQUENCE)):
                if name.tag == _DNS_NAME:
                    dns_names.append(clean(name.contents.decode("ascii", "replace"), _MOST_NAME))
                elif name.tag == _IP_ADDRESS and len(name.contents) in _ADDRESS_LENGTHS:
                    addresses.append(str(ip_address(name.contents)))
    except (MalformedPeerData, ValueError):
        return None
    return dns_names, addresses


def _must_staple(extensions: _Extensions | None) -> bool:
    """Whether the certificate's TLS Feature names status_request; False where it has none that can be read."""
    try:
        return any(
            feature.tag == _INTEGER and feature.contents == _STATUS_REQUEST
            for value in (extensions or {}).get(_TLS_FEATURE, ())
            for feature in list(elements(_only(_only(value, OCTET_STRING), SEQUENCE)))
        )
    except MalformedPeerData:
        return False


def _extensions(fields: Sequence[Element]) -> _Extensions | None:
    """By identifier, the values of a certificate's extensions (RFC 5280 section 4.1); None where they cannot be read.

    A value is still in the OCTET STRING that it comes in.
    """
    found: _Extensions = {}
    try:
        for field in fields:
            if field.tag == _EXTENSIONS:
                for extension in elements(_only(field.contents, SEQUENCE)):
                    identifier, *_, value = elements(extension.contents)
                    if identifier.tag == OBJECT_IDENTIFIER:
                        found.setdefault(identifier.contents, []).append(value.whole)
    except (MalformedPeerData, ValueError):
        return None
    return found


def _only(data: bytes, tag: int) -> bytes:
    """The contents of the one element that the data is."""
    found = list(elements(data))
    if len(found) != 1 or found[0].tag != tag:
        message = "DER with another element than expected"
        raise MalformedPeerData(message)
    return found[0].contents


# ---------------------------------------------------------------------------------------------------- other contents


def _public_key(fields: Sequence[Element]) -> bytes:
    """SubjectPublicKeyInfo as sent: after serial, signature, issuer, validity and subject (RFC 5280 section 4.1)."""
    after_version = fields[1:] if fields[0].tag == _VERSION else fields
    return after_version[5].whole


def _key(certificate: x509.Certificate) -> tuple[str, int, str | None]:
    """Type, bits and curve of the public key."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return "other", 0, None
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size, None
        case ec.EllipticCurvePublicKey():
            return "EC", key.curve.key_size, key.curve.name
        case dsa.DSAPublicKey():
            return "DSA", key.key_size, None
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256, None  # RFC 8032 sections 5.1 and 5.2: 32 and 57 octets
        case ed448.Ed448PublicKey():
            return "Ed448", 456, None
        case _:
            return "other", 0, None


def _text(certificate: x509.Certificate, which: str) -> str:
    """Subject or issuer as RFC 4514 writes it, cleaned."""
    try:
        name = certificate.subject if which == "subject" else certificate.issuer
        return clean(name.rfc4514_string(), _MOST_TEXT)
    except UNREADABLE:
        return "(cannot be read)"
