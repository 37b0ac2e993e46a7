"""What the configurations of `tests.live.configurations` are made of: how servers start, and what they then accept.

What a server really accepts comes from its configuration, never from a probe: it is named there, or its own library
lists what a setting stands for.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from OpenSSL import SSL

from checker.catalog.cipher_suites import cipher_suites
from tests.codecs import tls_oracle
from tests.live.comparing import Known, Listening, Material
from tests.live.peers.accepted import codes
from tests.live.servers.dcmtk import ClientCertificate, TlsProfile, storescp
from tests.live.servers.nginx import nginx
from tests.live.servers.openssl import s_server
from tests.live.servers.orthanc import OrthancOptions, orthanc
from tests.live.servers.process import require
from tests.live.servers.scp import scp

# The module of its server imports tlslite as it is: the oracle has seen to the warnings of that.
assert tls_oracle.SUITE_NAMES
from tests.live.servers.tlslite import tlslite  # noqa: E402

Really = Callable[[], Known]
Start = Callable[[Material], AbstractContextManager[Listening]]

SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = "SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"
OLD = (TLS_1_0, TLS_1_1, TLS_1_2)
NEW = (TLS_1_2, TLS_1_3)
ALL = (*OLD, TLS_1_3)

OF_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""What OpenSSL and what is built on it have of TLS 1.3 unless they are told otherwise."""

_FLAGS = {TLS_1_0: "tls1", TLS_1_1: "tls1_1", TLS_1_2: "tls1_2", TLS_1_3: "tls1_3"}


# ------------------------------------------------------------------------------------- what a configuration says


def named(suites: Mapping[str, Sequence[str] | None]) -> Really:
    """These versions with the names of their suites; None where the server's library chooses them."""
    return lambda: {label: None if names is None else codes(names) for label, names in suites.items()}


def matching(labels: Sequence[str], *, key_exchanges: str, encryptions: str, macs: str = "SHA") -> Really:
    """In each of these versions, the suites of these properties, as the catalogue spells them, with spaces between.

    Of key exchanges an anonymous one is `DHE-anon`, one with a key of RSA `DHE-RSA`.
    """

    def known() -> Known:
        found = frozenset(
            code
            for code, suite in cipher_suites().items()
            if f"{suite.key_exchange}-{suite.authentication}" in key_exchanges.split()
            and suite.encryption in encryptions.split()
            and suite.mac in macs.split()
        )
        return dict.fromkeys(labels, found)

    return known


def together(*parts: Really) -> Really:
    """What all of them say: where several name a version, its suites are those of all."""

    def known() -> Known:
        found: dict[str, frozenset[int]] = {}
        for part in parts:
            for label, suites in part().items():
                found[label] = found.get(label, frozenset()) | (suites or frozenset())
        return found

    return known


def openssl_lists(
    ciphers: str,
    labels: Sequence[str],
    *options: str,
    proven_by: Sequence[str] = ("RSA", "None"),
    without: Sequence[str] = (),
) -> Really:
    """What OpenSSL's command makes of a list of ciphers, where the server proves who it is in one of these ways.

    `without` are key exchanges for which the server has no parameters. Both are in the words of `openssl ciphers`.
    """

    def listed(label: str) -> frozenset[int]:
        if label == TLS_1_3:
            return codes(OF_1_3)
        return frozenset(
            int(row[0].replace("0x", "").replace(",", ""), 16)
            for row in _openssl_rows(f"-{_FLAGS[label]}", *options, ciphers)
            if row[5].removeprefix("Au=") in proven_by and row[4].removeprefix("Kx=") not in without
        )

    return lambda: {label: listed(label) for label in labels}


def wheel_lists() -> Known:
    """What the OpenSSL of the wheel has by itself, for a server with a certificate of RSA."""
    all_codes = {row[2]: row[0] for row in _openssl_rows("ALL:COMPLEMENTOFALL:@SECLEVEL=0", only_supported=False)}
    names = SSL.Connection(SSL.Context(SSL.TLS_SERVER_METHOD)).get_cipher_list()
    old = [
        name for name in names if not name.startswith("TLS_") and not any(w in name for w in ("ECDSA", "PSK", "SRP"))
    ]
    return {
        TLS_1_2: frozenset(int(all_codes[name].replace("0x", "").replace(",", ""), 16) for name in old),
        TLS_1_3: codes(name for name in names if name.startswith("TLS_")),
    }


def python_lists() -> Known:
    """What Python has by itself, for a server with a certificate of RSA and without parameters of Diffie-Hellman."""
    ciphers = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).get_ciphers()
    return {
        label: frozenset(
            int(cipher["id"]) & 0xFFFF
            for cipher in ciphers
            if cipher["protocol"] == spelled
            and cipher["auth"] in ("auth-any", "auth-rsa")
            and cipher["kea"] != "kx-dhe"
        )
        for label, spelled in ((TLS_1_2, "TLSv1.2"), (TLS_1_3, "TLSv1.3"))
    }


def gnutls_lists(priority: str, labels: Sequence[str]) -> Really:
    """What GnuTLS's command makes of a priority, for a server with a certificate of RSA."""

    def known() -> Known:
        command = [require("gnutls-cli", "gnutls-bin"), "--list", "--priority", priority]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        found: dict[str, set[int]] = {label: set() for label in labels}
        for line in listed:
            if not line.startswith("TLS_") or "ECDSA" in line:
                continue
            _name, code, since = (field.strip() for field in line.split("\t"))
            first = since.replace("TLS", "TLS ")
            for label in labels:
                if first == label or (first < label and label != TLS_1_3):
                    found[label].add(int(code.replace("0x", "").replace(", ", ""), 16))
        return {label: frozenset(suites) for label, suites in found.items()}

    return known


@cache
def _openssl_rows(*told: str, only_supported: bool = True) -> tuple[tuple[str, ...], ...]:
    """The rows of `openssl ciphers -V`: code, dash, name, version, Kx=, Au=, Enc=, Mac=."""
    command = [require("openssl", "openssl"), "ciphers", "-V", *(["-s"] if only_supported else []), *told]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return tuple(tuple(line.split()) for line in listed)


# ------------------------------------------------------------------------------------------------ how they start


def openssl(labels: Sequence[str], ciphers: str | None, *options: str, elliptic: bool = False, **more: Any) -> Start:
    """`s_server` of these versions and ciphers; `options` are its own, `more` those of `s_server` here."""

    def start(material: Material) -> AbstractContextManager[Listening]:
        files = material.elliptic if elliptic else material.rsa
        versions: list[Any] = [_FLAGS[label] for label in labels]
        return s_server(files, versions=versions, ciphers=ciphers, options=options, **more)

    return start


def openssl_of_two(labels: Sequence[str], ciphers: str) -> Start:
    """`s_server` with a certificate of RSA and one of ECDSA."""

    def start(material: Material) -> AbstractContextManager[Listening]:
        options = ("-dcert", material.elliptic.certificate, "-dkey", material.elliptic.key)
        versions: list[Any] = [_FLAGS[label] for label in labels]
        return s_server(material.rsa, versions=versions, ciphers=ciphers, options=options)

    return start


def with_rsa(server: Callable[..., AbstractContextManager[Listening]], **options: Any) -> Start:
    """A server that takes the files of its certificate first, with a certificate of RSA."""
    return lambda material: server(material.rsa, **options)


def tlslite_of(lowest: tuple[int, int], highest: tuple[int, int], *ciphers: str, anonymous: bool = False) -> Start:
    """A server of tlslite-ng."""
    return with_rsa(tlslite, lowest=lowest, highest=highest, ciphers=ciphers, anonymous=anonymous)


def nginx_of(settings: str, *, client_certificate: bool = False) -> Start:
    """nginx with a certificate of RSA and these directives."""
    return lambda material: nginx(settings, tls=material.rsa, client_certificate=client_certificate)


def storescp_of(profile: TlsProfile, client_certificate: ClientCertificate = "ignored") -> Start:
    """DCMTK's receiver with a certificate of RSA."""
    return lambda material: storescp(tls=material.rsa, profile=profile, client_certificate=client_certificate)


@contextmanager
def pynetdicom(material: Material) -> Iterator[Listening]:
    """An SCP of pynetdicom on the TLS of Python."""
    with scp(tls=material.rsa) as server:
        yield server


@dataclass(frozen=True, slots=True)
class _DicomPort:
    host: str
    port: int


def orthanc_of(*, client_certificate: bool) -> Start:
    """Orthanc's DICOM port, without images."""

    @contextmanager
    def start(material: Material) -> Iterator[Listening]:
        options = OrthancOptions(tls=material.rsa, client_certificate=client_certificate)
        with orthanc(options, loaded=()) as server:
            yield _DicomPort(server.host, server.dicom_port)

    return start
