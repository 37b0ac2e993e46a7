"""The certificates of the simulated hospital, made anew at each start and gone with it.

Each file `<name>.pem` holds a private key and its certificate. The authority's own certificate is `authority.pem`; its
key is never written. Validity runs from before the start, so that the hospital's clock and the reader's may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY = "authority"
CLIENT = "client"
"""A certificate that `arc-mtls` accepts. The checker never gets it."""

_Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_YEAR = timedelta(days=365)


def write_certificates(folder: Path, addresses: Mapping[str, str], now: datetime) -> None:
    """Write all certificates into `folder`; `addresses` gives the address of each asset; `now` is aware."""
    authority = _Authority(now)
    (folder / f"{AUTHORITY}.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))

    vendor_default_key = _ec_key()
    keys = {"viewer-login": vendor_default_key, "viewer-spa": vendor_default_key}
    for name in ("arc-checked", "arc-tls-expired", "arc-mtls", "viewer-login", "viewer-spa"):
        key = keys.get(name) or _ec_key()
        ends = now - timedelta(days=90) if name == "arc-tls-expired" else now + _YEAR
        names = [x509.IPAddress(IPv4Address(addresses[name]))]
        _write(folder / f"{name}.pem", key, authority.issue(name, key, names, ends - _YEAR, ends))

    client_key = _ec_key()
    _write(folder / f"{CLIENT}.pem", client_key, authority.issue(CLIENT, client_key, [], now - _YEAR, now + _YEAR))

    old_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    old_name = "ct.vendor-factory.example"
    builder = _builder(old_name, old_name, old_key, now - _YEAR, now + 20 * _YEAR)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(old_name)]), critical=False)
    _write(folder / "mod-old-tls.pem", old_key, builder.sign(old_key, SHA256()))


class _Authority:
    """A certificate authority that lives as long as the call that made it."""

    def __init__(self, now: datetime) -> None:
        self._key = _ec_key()
        self._name = "Simulated Hospital Demo CA"
        self.certificate = (
            _builder(self._name, self._name, self._key, now - 2 * _YEAR, now + 2 * _YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(self._key, SHA256())
        )

    def issue(
        self, name: str, key: _Key, names: list[x509.IPAddress], not_before: datetime, not_after: datetime
    ) -> x509.Certificate:
        """A leaf (RFC 5280 section 4.2) for these names; one without names is for a client."""
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(name, self._name, key, not_before, not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, SHA256())


def _ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
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


def _builder(
    subject: str, issuer: str, key: _Key, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Health (simulated)"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _write(path: Path, key: _Key, certificate: x509.Certificate) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
