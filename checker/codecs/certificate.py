"""Pure: reading parts of a certificate without stumbling over odd ones. Judges nothing and opens nothing."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for a part of a certificate that it cannot read."""

WEAK_HASHES = frozenset({"md2", "md4", "md5", "sha1"})
"""Hashes whose signatures can be forged: RFC 9155 and RFC 6151; RFC 6149, RFC 6150."""


@contextmanager
def odd_certificates_allowed() -> Iterator[None]:
    """Lets certificates be read that the library warns of: a serial that is not positive, a name that is too long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether a certificate names itself as its issuer, and is signed by its own key as far as that can be checked.

    False where its names cannot be read.
    """
    try:
        names_itself = certificate.subject == certificate.issuer
    except UNREADABLE:
        return False
    if not names_itself:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature:
        return False
    except UNREADABLE:  # a key or a signature that the library does not check
        return True
    return True


def hash_of_signature(certificate: x509.Certificate) -> str | None:
    """The hash that the signature rests on, in lower case without hyphens; None where it is not known.

    Ed25519 and Ed448 bring their own (RFC 8032 sections 5.1 and 5.2).
    """
    own = _HASHES_BY_OID.get(certificate.signature_algorithm_oid.dotted_string)
    if own is not None:
        return own
    try:
        algorithm = certificate.signature_hash_algorithm
    except UNREADABLE:
        return None
    return None if algorithm is None else algorithm.name.replace("-", "").lower()


_HASHES_BY_OID = {
    "1.2.840.113549.1.1.2": "md2",  # RFC 3279 section 2.2.1
    "1.2.840.113549.1.1.3": "md4",
    "1.3.14.3.2.3": "md5",  # OIW's own identifiers, as old toolkits write them
    "1.3.14.3.2.29": "sha1",
    "1.3.101.112": "sha512",  # RFC 8410 section 3
    "1.3.101.113": "shake256",
}


def loose_name(name: x509.Name) -> str:
    """A distinguished name for comparison without regard to case, spaces and string types (RFC 5280 section 7.1)."""
    return "\n".join(
        f"{attribute.oid.dotted_string}={' '.join(str(attribute.value).casefold().split())}"
        for relative in name.rdns
        for attribute in relative
    )


def clean(text: str, most: int) -> str:
    """A text of the peer for people to read: no control, format, bidirectional or unassigned characters; cut short."""
    cut = text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(one if _printable(one) else "\N{REPLACEMENT CHARACTER}" for one in cut)


def _printable(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"
