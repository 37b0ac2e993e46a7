"""`gnutls-serv` with a priority string: a second TLS implementation, which listens on every address of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.live.certificates import TlsFiles
from tests.live.servers.openssl import TlsServer
from tests.live.servers.process import LOOPBACK, require, serving

_CLIENT = {"not-asked": ("--disable-client-cert",), "optional": (), "required": ("--require-client-cert",)}


@contextmanager
def gnutls_serv(
    files: TlsFiles,
    *,
    priority: str = "NORMAL",
    client_certificate: Literal["not-asked", "optional", "required"] = "not-asked",
    options: Sequence[str | Path] = (),
    host: str = LOOPBACK,
) -> Iterator[TlsServer]:
    """A GnuTLS server that echoes; `priority` such as `NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT`."""
    binary = require("gnutls-serv", "gnutls-bin")

    def command(_folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        return [
            *(binary, "--echo", "--port", str(ports[0]), "--priority", priority),
            *("--x509keyfile", files.key, "--x509certfile", files.certificate, "--x509cafile", files.authority),
            *(*_CLIENT[client_certificate], *options),
        ]

    with serving("gnutls", command) as process:
        yield TlsServer(host, process.ports[0], files, process)
