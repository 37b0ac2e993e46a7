"""Pure but for reading the system's own trust store from disk: which certificates are trusted, and what they vouch for.

Never opens a connection: a certificate that a server forgot to send is not fetched, and revocation is not asked.

A path is judged as RFC 5280 section 6 tells, by `cryptography`, without the further demands of the public web: a
private authority need not write all the extensions that a public one has to. `True` is said only where that library
found a path. `False` is said only where the reason is known; where it is not, the answer is None.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from checker.codecs.certificate import (
    UNREADABLE,
    WEAK_HASHES,
    clean,
    hash_of_signature,
    is_self_signed,
    loose_name,
    odd_certificates_allowed,
)
from checker.model import TrustAnchors

MOST_INTERMEDIATES = 16
SYSTEM = "the system's trust store"
"""How the trust store of the checking machine is named, wherever it is there."""

# Where Linux distributions keep one file with all certificates, and the folders where others keep many.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL, CentOS, Fedora
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL, Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/var/lib/ca-certificates/ca-bundle.pem",  # SLES
    "/etc/ssl/cert.pem",  # Alpine, BSD
)
_FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")
_MOST_BYTES = 16 << 20
_MOST_WORDS = 120
_BEGIN = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----")
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_PEM = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----[^-]{1,1000000}-----END (?:X509 )?CERTIFICATE-----")

# What the library says of a path that it refuses, and what that means. Any other words give no answer.
_REFUSALS = {
    "signature does not match": "a signature on the way to the store does not match",
    "not valid at validation time": "a certificate on the way to the store is out of its time",
    "basicConstraints": "a certificate on the way to the store is none of an authority",
    "path length constraint": "the way to the store is longer than an authority on it allows",
    "no permitted name constraint": "an authority on the way to the store may not vouch for such names",
    "excluded name constraint": "an authority on the way to the store may not vouch for such names",
}
_NOT_FOR_SERVERS = "a certificate on the way to the store is not meant for servers"
_MUST_NOT_SIGN = "a certificate on the way to the store must not sign others"


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Certificates that are trusted to vouch for others; `name` is how reports call them. May be empty."""

    name: str
    certificates: tuple[x509.Certificate, ...]
    _anchors: Store | None = field(init=False, repr=False, compare=False)
    _subjects: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare what each judgement needs."""
        known = list(self.certificates)
        object.__setattr__(self, "_anchors", Store(known) if known else None)
        with odd_certificates_allowed():
            subjects = frozenset(loose_name(certificate.subject) for certificate in known)
        object.__setattr__(self, "_subjects", subjects)

    @classmethod
    def from_pem(cls, name: str, data: bytes) -> TrustStore:
        """The store that a PEM file of certificates (RFC 7468) holds; one that cannot be read is passed over."""
        return cls(name, tuple(dict.fromkeys(_certificates(data))))

    def judge(
        self, leaf: x509.Certificate, sent: Sequence[x509.Certificate], at: datetime
    ) -> tuple[bool | None, str | None]:
        """Whether a path leads from the leaf to this store, and why not, or why that cannot be told.

        `sent` are the other certificates that the server sent, in any order. It is judged at the aware time `at`, or
        at the nearest time within the leaf's own validity: whether the leaf has expired is another question.
        """
        if not self.certificates:
            return False, f"the trust store ({self.name}) is empty"
        others = sent[:MOST_INTERMEDIATES]
        with odd_certificates_allowed():
            try:
                refusal = self._refusal(leaf, others, at)
                if refusal is None:
                    return True, None
                reason = self._reason(leaf, others, refusal)
            except UNREADABLE:
                return None, "a part of the certificate that path validation needs cannot be read"
        if reason is None or len(others) < len(sent):
            return None, clean(f"path validation came to no answer ({refusal})", _MOST_WORDS)
        return False, reason

    def _refusal(self, leaf: x509.Certificate, sent: Sequence[x509.Certificate], at: datetime) -> str | None:
        """The library's words where it finds no path, without what they quote; None where it finds one."""
        when = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
        builder = PolicyBuilder().time(when).extension_policies(**_policies())
        if self._anchors is not None:
            builder = builder.store(self._anchors)
        # The verifier of clients, for that of servers wants a name to compare: names are another question.
        try:
            builder.build_client_verifier().verify(leaf, list(sent))
        except VerificationError as refusal:
            return str(refusal).partition(" (encountered processing")[0].removeprefix("validation failed: ")
        return None

    def _reason(self, leaf: x509.Certificate, sent: Sequence[x509.Certificate], words: str) -> str | None:
        """Why there is no path, in words; None where that is not known."""
        if is_self_signed(leaf):
            return "it is self-signed and not in the trust store"
        if not self._subjects & _issuers(leaf, sent):
            return "its issuer is not in the trust store, and no certificate was sent that leads there"
        if hash_of_signature(leaf) in WEAK_HASHES:
            return "it is signed with a hash that no longer proves who signed"
        for phrase, meaning in (*_REFUSALS.items(), *((own, own) for own in (_NOT_FOR_SERVERS, _MUST_NOT_SIGN))):
            if phrase in words:
                return meaning
        return None


def system_trust_store() -> TrustStore | None:
    """The trust store of this system; None where it has none. Read once, when first asked for.

    The settings SSL_CERT_FILE and SSL_CERT_DIR take the place of the usual files and folders, as they do for OpenSSL.
    """
    return _system_trust_store(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _system_trust_store(file: str | None, folders: str | None) -> TrustStore | None:
    if file is not None or folders is not None:
        paths = [*([file] if file else []), *(folders or "").split(os.pathsep)]
        places = [Path(path) for path in paths if path]
    else:
        places = [path for path in map(Path, (*_BUNDLES, *_FOLDERS)) if path.exists()][:1]
    contents = (data for place in places for data in _files(place))
    found = dict.fromkeys(certificate for data in contents for certificate in _certificates(data))
    return TrustStore(SYSTEM, tuple(found)) if found else None


def chosen_trust_store(anchors: TrustAnchors | None) -> TrustStore | None:
    """The store of these certificates, read once; that of this system where none are named."""
    return system_trust_store() if anchors is None else _own_trust_store(anchors)


@cache
def _own_trust_store(anchors: TrustAnchors) -> TrustStore:
    return TrustStore.from_pem(anchors.name, anchors.pem.encode())


def read_anchors(name: str, data: bytes) -> TrustAnchors:
    """The certificates of a PEM file that somebody wants to be trusted; text around them is left out.

    ValueError where one of them cannot be read, where there is none, or where a private key is among them; its message
    says what is expected, and never quotes the file.
    """
    key = _PRIVATE_KEY.search(data)
    if key is not None:
        message = f"expected certificates alone; on line {_line(data, key)} of the file there is a private key"
        raise ValueError(message)
    if b"-----BEGIN " not in data:
        message = "expected a PEM file, which is text that has -----BEGIN CERTIFICATE----- in it"
        raise ValueError(message)
    found: dict[x509.Certificate, None] = {}
    for begin in _BEGIN.finditer(data):
        block = _PEM.match(data, begin.start())
        certificate = None if block is None else next(_certificates(block[0]), None)
        if certificate is None:
            message = f"expected certificates that can be read; the one on line {_line(data, begin)} of the file cannot"
            raise ValueError(message)
        found[certificate] = None
    if not found:
        message = "expected at least one certificate; there is none in this PEM file"
        raise ValueError(message)
    return TrustAnchors(name, "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in found))


def _line(data: bytes, match: re.Match[bytes]) -> int:
    return data.count(b"\n", 0, match.start()) + 1


def _files(place: Path) -> Iterator[bytes]:
    """The bytes of a file, or of the files right inside a folder; unreadable and too large ones are left out."""
    try:
        paths = sorted(place.iterdir()) if place.is_dir() else [place]
    except OSError:
        return
    for path in paths:
        try:
            if path.is_file() and path.stat().st_size <= _MOST_BYTES:
                yield path.read_bytes()
        except OSError:
            continue


def _certificates(data: bytes) -> Iterator[x509.Certificate]:
    for block in _PEM.findall(data):
        with odd_certificates_allowed():
            try:
                certificate = x509.load_pem_x509_certificate(block)
                loose_name(certificate.subject)
            except UNREADABLE:
                continue
        yield certificate


def _issuers(leaf: x509.Certificate, sent: Sequence[x509.Certificate]) -> set[str]:
    """The names of all issuers above the leaf that the certificates sent lead to."""
    above: dict[str, set[str]] = {}
    for certificate in sent:
        above.setdefault(loose_name(certificate.subject), set()).add(loose_name(certificate.issuer))
    found: set[str] = set()
    waiting = {loose_name(leaf.issuer)}
    while waiting:
        found |= waiting
        waiting = {issuer for name in waiting for issuer in above.get(name, ())} - found
    return found


# -------------------------------------------------------------------------------------------------- path validation


@cache
def _policies() -> dict[str, ExtensionPolicy]:
    """RFC 5280 section 6.1.4 (k) and (n) for authorities, and section 4.2.1.12 for all."""
    authority = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _nothing)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_servers)
    )
    leaf = ExtensionPolicy.permit_all().may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_servers)
    return {"ca_policy": authority, "ee_policy": leaf}


def _nothing(_policy: Policy, _certificate: x509.Certificate, _extension: x509.BasicConstraints) -> None:
    """The library itself looks at cA and at the length of the path."""


def _signs_certificates(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError(_MUST_NOT_SIGN)


def _for_servers(_policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usage is not None and allowed.isdisjoint(usage):
        raise ValueError(_NOT_FOR_SERVERS)
