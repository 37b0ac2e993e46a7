"""A certification authority of the tests and the certificates, good and bad, that it issues, as PEM files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.live.servers.process import require, run

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

HOSTS = ("localhost", "archive.example.org")
ADDRESSES = ("127.0.0.1",)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the private key, the certificate, both in one file, and the authority that a peer has to trust."""

    key: Path
    certificate: Path
    combined: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """A certification authority; its files, and those of what it issues, are in `folder`, named by their purpose."""

    folder: Path
    key: rsa.RSAPrivateKey
    root: x509.Certificate

    @classmethod
    def create(cls, folder: Path, name: str = "Synthetic test authority") -> Authority:
        """A new authority, valid for ten years, which writes into an existing folder."""
        key = rsa_key()
        now = datetime.now(UTC)
        root = (
            _builder(_name(name), _name(name), key, now - _DAY, now + 3650 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        authority = cls(folder, key, root)
        authority.path.write_bytes(_pem(root))
        (folder / "authority.key").write_bytes(_pem(key))
        return authority

    @property
    def path(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "authority.crt"

    def valid(self, *, key: PrivateKey | None = None, days: float = 90) -> TlsFiles:
        """A server certificate with nothing wrong, for this many days from now."""
        return self.issue("valid", key=key, ends_in=days * _DAY)

    def expired(self) -> TlsFiles:
        """A server certificate that ended yesterday."""
        return self.issue("expired", begins_in=-30 * _DAY, ends_in=-_DAY)

    def not_yet(self) -> TlsFiles:
        """A server certificate that begins tomorrow."""
        return self.issue("not-yet", begins_in=_DAY)

    def expiring(self) -> TlsFiles:
        """A server certificate that ends in a week."""
        return self.issue("expiring", ends_in=7 * _DAY)

    def wrong_name(self) -> TlsFiles:
        """A server certificate for another host."""
        return self.issue("wrong-name", hosts=("other.example.net",), addresses=())

    def no_names(self) -> TlsFiles:
        """A server certificate that names its host in the subject alone, with no alternative names."""
        return self.issue("no-names", hosts=(), addresses=())

    def weak_key(self) -> TlsFiles:
        """A server certificate with an RSA key of 1024 bits."""
        return self.issue("weak-key", key=rsa_key(1024))

    def elliptic(self) -> TlsFiles:
        """A server certificate with a P-256 key."""
        return self.issue("elliptic", key=ec.generate_private_key(ec.SECP256R1()))

    def sha1_signed(self) -> TlsFiles:
        """A server certificate signed with SHA-1, which only OpenSSL's command still does."""
        files = self._self_signed("sha1-signed")
        unsigned = files.certificate.rename(self.folder / "sha1-unsigned.crt")
        run(
            [
                *(require("openssl", "openssl"), "x509", "-sha1", "-days", "90"),
                *("-in", unsigned, "-out", files.certificate),
                *("-CA", self.path, "-CAkey", self.folder / "authority.key"),
            ]
        )
        files.combined.write_bytes(files.key.read_bytes() + files.certificate.read_bytes())
        return files

    def self_signed(self) -> TlsFiles:
        """A server certificate that is its own issuer."""
        files = self._self_signed("self-signed")
        return TlsFiles(files.key, files.certificate, files.combined, authority=files.certificate)

    def client(self, name: str = "synthetic-client") -> TlsFiles:
        """A client's certificate."""
        return self.issue(name, hosts=(name,), addresses=(), client=True)

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[str] = HOSTS,
        addresses: Sequence[str] = ADDRESSES,
        key: PrivateKey | None = None,
        begins_in: timedelta = -_DAY,
        ends_in: timedelta = 90 * _DAY,
        client: bool = False,
    ) -> TlsFiles:
        """A certificate of this authority; its times are counted from now."""
        key = key or rsa_key()
        now = datetime.now(UTC)
        subject = _name(hosts[0] if hosts else HOSTS[0])
        builder = _leaf(
            _builder(subject, self.root.subject, key, now + begins_in, now + ends_in), hosts, addresses, client=client
        ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        return self._write(name, key, builder.sign(self.key, hashes.SHA256()))

    def _self_signed(self, file_name: str) -> TlsFiles:
        key = rsa_key()
        name = _name(HOSTS[0])
        now = datetime.now(UTC)
        builder = _leaf(_builder(name, name, key, now - _DAY, now + 90 * _DAY), HOSTS, ADDRESSES, client=False)
        return self._write(file_name, key, builder.sign(key, hashes.SHA256()))

    def _write(self, name: str, key: PrivateKey, certificate: x509.Certificate) -> TlsFiles:
        key_file, certificate_file, combined = (self.folder / f"{name}.{ending}" for ending in ("key", "crt", "pem"))
        files = TlsFiles(key_file, certificate_file, combined, self.path)
        files.key.write_bytes(_pem(key))
        files.certificate.write_bytes(_pem(certificate))
        files.combined.write_bytes(_pem(key) + _pem(certificate))
        return files


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A fresh RSA key."""
    return rsa.generate_private_key(65537, bits)


def copy(files: TlsFiles, folder: Path) -> TlsFiles:
    """The same files in another folder, for a server that reads only its own."""
    return TlsFiles(
        key=Path(shutil.copy(files.key, folder)),
        certificate=Path(shutil.copy(files.certificate, folder)),
        combined=Path(shutil.copy(files.combined, folder)),
        authority=Path(shutil.copy(files.authority, folder)),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _leaf(
    builder: x509.CertificateBuilder, hosts: Sequence[str], addresses: Sequence[str], *, client: bool
) -> x509.CertificateBuilder:
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names += [x509.IPAddress(ip_address(address)) for address in addresses]
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False) if names else builder


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(item: PrivateKey | x509.Certificate) -> bytes:
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM)
    return item.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
