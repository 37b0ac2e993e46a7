"""A TLS server by Java's own library: it still has the suites for export, anonymous ones, RC4, single DES and SSL 3.0.

Its source, `TlsServer.java`, is beside this module; `java` compiles it when it starts it, for which it needs a JDK.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from tests.live.certificates import TlsFiles
from tests.live.servers.openssl import TlsServer
from tests.live.servers.process import LOOPBACK, require, serving

_SOURCE = Path(__file__).with_name("TlsServer.java")
_PASSWORD = "synthetic-password"


@contextmanager
def java(
    files: TlsFiles, *, protocols: Sequence[str] = (), suites: Sequence[str] = (), host: str = LOOPBACK
) -> Iterator[TlsServer]:
    """A server of these protocols and suites, in Java's names (`SSLv3`, `TLSv1`); without any, of all that Java has."""
    require("javac", "default-jdk-headless")  # it is in no package that has only what runs programs
    binary = require("java", "default-jdk-headless")

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        store = folder / "server.p12"
        store.write_bytes(_pkcs12(files))
        lists = [",".join(protocols) or "-", ",".join(suites) or "-"]
        return [
            binary,
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            _SOURCE,
            host,
            str(ports[0]),
            store,
            _PASSWORD,
            *lists,
        ]

    with serving("java", command) as process:
        yield TlsServer(host, process.ports[0], files, process)


def _pkcs12(files: TlsFiles) -> bytes:
    key = load_pem_private_key(files.key.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return pkcs12.serialize_key_and_certificates(
        b"server", key, certificate, None, BestAvailableEncryption(_PASSWORD.encode())
    )
