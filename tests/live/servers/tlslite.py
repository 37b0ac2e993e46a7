"""A TLS server by tlslite-ng in a child process: the one that still speaks SSL 3.0, which Debian's OpenSSL does not.

`python -m tests.live.servers.tlslite` is the child; it serves one connection at a time and echoes.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.errors import BaseTLSException

from tests.live.certificates import TlsFiles
from tests.live.servers.openssl import TlsServer
from tests.live.servers.process import LOOPBACK, python_child, serving

SSL3 = (3, 0)
TLS13 = (3, 4)
_SILENCE_S = 10.0
# Without any, it breaks down over the extension under TLS 1.3.
_PROTOCOLS = [bytearray(b"http/1.1")]


@contextmanager
def tlslite(
    files: TlsFiles,
    *,
    lowest: tuple[int, int] = SSL3,
    highest: tuple[int, int] = SSL3,
    ciphers: Sequence[str] = (),
    anonymous: bool = False,
    host: str = LOOPBACK,
) -> Iterator[TlsServer]:
    """A tlslite-ng server of these versions on the wire: (3, 0) is SSL 3.0, (3, 4) is TLS 1.3.

    `ciphers` are its own names, such as `rc4` and `3des`; without any it has those that it has by itself. One that is
    `anonymous` has no certificate.
    """

    def command(_folder: Path, ports: tuple[int, ...]) -> list[str]:
        versions = [str(number) for version in (lowest, highest) for number in version]
        asked = [host, str(ports[0]), str(files.key), str(files.certificate), *versions, *ciphers]
        return python_child(__name__, *(["--anonymous"] if anonymous else []), *asked)

    with serving("tlslite", command) as process:
        yield TlsServer(host, process.ports[0], files, process)


def _serve(asked: argparse.Namespace) -> None:
    private = parsePEMKey(asked.key.read_text(), private=True)
    chain = X509CertChain()
    chain.parsePemList(asked.certificate.read_text())
    settings = HandshakeSettings()
    settings.minVersion, settings.maxVersion = tuple(asked.versions[:2]), tuple(asked.versions[2:])
    settings.cipherNames = asked.ciphers or settings.cipherNames
    identity = {"anon": True} if asked.anonymous else {"certChain": chain, "privateKey": private}
    with socket.create_server((asked.host, asked.port)) as listener:
        while True:
            accepted, _address = listener.accept()
            accepted.settimeout(_SILENCE_S)
            # What a client breaks off is its own affair; the next one is served all the same.
            with accepted, suppress(BaseTLSException, OSError):
                session = TLSConnection(accepted)
                session.handshakeServer(**identity, settings=settings, alpn=_PROTOCOLS)
                while received := session.read(max=4096, min=1):
                    session.write(received)
                session.close()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--anonymous", action="store_true")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("key", type=Path)
    parser.add_argument("certificate", type=Path)
    parser.add_argument("versions", type=int, nargs=4)
    parser.add_argument("ciphers", nargs="*")
    _serve(parser.parse_args())


if __name__ == "__main__":
    _main()
