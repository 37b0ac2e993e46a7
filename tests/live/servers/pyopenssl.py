"""A TLS server by pyOpenSSL in a child process, on the OpenSSL that the library `cryptography` brings along.

It is newer than Debian's and has the hybrid groups with ML-KEM. `python -m tests.live.servers.pyopenssl` is the child;
it serves one connection at a time and says nothing inside.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from OpenSSL import SSL

from tests.live.certificates import TlsFiles
from tests.live.servers.openssl import TlsServer
from tests.live.servers.process import LOOPBACK, python_child, serving

_SILENCE_S = 10


@contextmanager
def pyopenssl(files: TlsFiles, *, ciphers: str | None = None, host: str = LOOPBACK) -> Iterator[TlsServer]:
    """A server with that library's own choice of versions, suites and groups: TLS 1.2 and 1.3, X25519MLKEM768 first.

    `ciphers` is OpenSSL's list for TLS 1.2 and earlier.
    """

    def command(_folder: Path, ports: tuple[int, ...]) -> list[str]:
        chosen = () if ciphers is None else ("--ciphers", ciphers)
        return python_child(__name__, host, str(ports[0]), str(files.key), str(files.certificate), *chosen)

    with serving("pyopenssl", command) as process:
        yield TlsServer(host, process.ports[0], files, process)


def _serve(host: str, port: int, key: Path, certificate: Path, ciphers: str | None) -> None:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(key))
    context.set_timeout(_SILENCE_S)
    if ciphers is not None:
        context.set_cipher_list(ciphers.encode())
    with socket.create_server((host, port)) as listener:
        while True:
            accepted, _address = listener.accept()
            # What a client breaks off is its own affair; the next one is served all the same.
            with accepted, suppress(SSL.Error, OSError):
                session = SSL.Connection(context, accepted)
                session.set_accept_state()
                session.do_handshake()
                while session.recv(4096):
                    pass


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("key", type=Path)
    parser.add_argument("certificate", type=Path)
    parser.add_argument("--ciphers")
    asked = parser.parse_args()
    _serve(asked.host, asked.port, asked.key, asked.certificate, asked.ciphers)


if __name__ == "__main__":
    _main()
