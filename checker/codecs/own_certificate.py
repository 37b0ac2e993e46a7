"""Pure: whether the PEM texts of our own certificate and of its private key are sound and belong together.

Nothing of the key is ever returned, kept, or quoted in an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from checker.codecs.certificate import UNREADABLE, clean, odd_certificates_allowed

_MOST_SUBJECT = 256
# The kinds that OpenSSL reads from a file: PKCS #8, encrypted or not, and the older ones of its own.
_KEY = re.compile(
    rb"-----BEGIN (ENCRYPTED |RSA |EC |DSA |)PRIVATE KEY-----[^-]{1,100000}"
    rb"(?:-[^-]{1,100000}){0,100}?-----END \1PRIVATE KEY-----"
)


@dataclass(frozen=True, slots=True)
class OwnLeaf:
    """Our own certificate: its subject (RFC 4514, bounded), digests in lower-case hex, its validity, its public key."""

    subject: str
    sha256: str
    not_before: datetime
    not_after: datetime
    public_key: bytes


def read_own_leaf(data: bytes) -> OwnLeaf:
    """The first certificate of a PEM file (RFC 7468), which is the one that we present.

    ValueError where there is none or where one cannot be read; its message says what is expected, and quotes nothing.
    """
    if b"-----BEGIN CERTIFICATE-----" not in data:
        message = "expected a PEM file, which is text that has -----BEGIN CERTIFICATE----- in it"
        raise ValueError(message)
    with odd_certificates_allowed():
        try:
            leaf, *_ = x509.load_pem_x509_certificates(data)
            return OwnLeaf(
                subject=clean(leaf.subject.rfc4514_string(), _MOST_SUBJECT),
                sha256=leaf.fingerprint(SHA256()).hex(),
                not_before=leaf.not_valid_before_utc,
                not_after=leaf.not_valid_after_utc,
                public_key=leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            )
        except UNREADABLE:
            message = "expected certificates that can be read; one of this file cannot"
            raise ValueError(message) from None


def check_own_key(data: bytes, leaf: OwnLeaf | None) -> None:
    """ValueError where the first private key of a PEM file is not that of the certificate, or cannot be used as it is.

    Without a certificate only the latter.

    Its message says what is expected, and quotes nothing.
    """
    found = _KEY.search(data)
    if found is None:
        message = "expected a PEM file, which is text that has -----BEGIN PRIVATE KEY----- in it"
        raise ValueError(message)
    try:
        key = load_pem_private_key(found[0], password=None)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except TypeError:  # so the library tells that it wants a password
        message = "expected a key without a password; this one is encrypted"
        raise ValueError(message) from None
    except (ValueError, UnsupportedAlgorithm):
        message = "expected a private key that can be read"
        raise ValueError(message) from None
    if leaf is not None and public != leaf.public_key:
        message = "expected the key of the certificate; this one belongs to another"
        raise ValueError(message)
