"""Certificates for the tests of `checker.codecs.x509`, made by `cryptography` and, where that refuses, by `openssl`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from checker.codecs.trust import TrustStore

Key = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | dsa.DSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)

NOW = datetime(2026, 11, 24, 4, 20, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOST = "archive.example.org"


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """An EC key, the same one for the same name throughout the tests."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key, the same one for the same size throughout the tests."""
    return rsa.generate_private_key(65537, bits)


def named(common_name: str) -> x509.Name:
    """A name with just a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Issued:
    """A certificate and the key that it is for."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def san(*names: str) -> x509.SubjectAlternativeName:
    """A subject alternative name of host names and addresses."""
    return x509.SubjectAlternativeName([_general(name) for name in names])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """The key usage of an authority, or of a server."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def issue(
    subject: str | x509.Name,
    by: Issued | None = None,
    *,
    names: Iterable[str] = (),
    ca: bool | None = None,
    path_length: int | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    begins: datetime = NOW - 100 * DAY,
    ends: datetime = NOW + 100 * DAY,
    own: Key | None = None,
    digest: SHA384 | None = None,
    issuer: str | None = None,
) -> Issued:
    """A certificate; self-signed where nobody issues it. `ca` None leaves basicConstraints out."""
    name = subject if isinstance(subject, x509.Name) else named(subject)
    mine = own if own is not None else key(str(subject))
    signer = mine if by is None else by.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(named(issuer) if issuer is not None else name if by is None else by.certificate.subject)
        .public_key(mine.public_key())
        .serial_number(0x2A)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    listed = list(names)
    if listed:
        builder = builder.add_extension(san(*listed), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    brings_its_own = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return Issued(builder.sign(signer, None if brings_its_own else digest or SHA256()), mine)


@cache
def root() -> Issued:
    """The authority that the tests trust."""
    return issue("Root", ca=True, extensions=[(usage(signs_certificates=True), True)], ends=NOW + 3000 * DAY)


@cache
def intermediate() -> Issued:
    """An authority between the root and the leaves."""
    return issue("Intermediate", root(), ca=True, extensions=[(usage(signs_certificates=True), True)])


def store(*trusted: Issued) -> TrustStore:
    """A trust store of these certificates."""
    return TrustStore("the test's own", tuple(one.certificate for one in trusted))


def for_purpose(*purposes: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    """An extended key usage, not critical."""
    return x509.ExtendedKeyUsage(purposes), False


SERVER = for_purpose(ExtendedKeyUsageOID.SERVER_AUTH)
CLIENT = for_purpose(ExtendedKeyUsageOID.CLIENT_AUTH)
ANY = for_purpose(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the `openssl` command in a folder."""
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, timeout=30, check=False)


def from_openssl(folder: Path, *arguments: str) -> bytes:
    """The DER of the self-signed certificate that `openssl req -x509 <arguments>` makes."""
    done = openssl(
        folder, "req", "-x509", "-nodes", "-keyout", "key.pem", "-outform", "DER", "-out", "leaf.der", "-days", "30",
        "-subj", "/CN=device", *arguments,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return (folder / "leaf.der").read_bytes()
