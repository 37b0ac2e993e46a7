"""`openssl s_server` with the versions, suites and groups that a test asks for.

It serves one connection at a time: a second client waits until the first has left. In its page mode (`-www`) it answers
one HTTP request of each session, in its echo mode (`-rev`) it sends back each line reversed; both leave
standard input alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK, Process, require, serving

Version = Literal["tls1", "tls1_1", "tls1_2", "tls1_3"]
_VERSIONS: tuple[Version, ...] = ("tls1", "tls1_1", "tls1_2", "tls1_3")
_CLIENT = {"not-asked": (), "optional": ("-verify", "2"), "required": ("-Verify", "2", "-verify_return_error")}


@dataclass(frozen=True, slots=True)
class TlsServer:
    """A running TLS server with the files of its certificate."""

    host: str
    port: int
    files: TlsFiles
    process: Process


@contextmanager
def s_server(
    files: TlsFiles,
    *,
    versions: Sequence[Version] = ("tls1_2", "tls1_3"),
    ciphers: str | None = None,
    client_certificate: Literal["not-asked", "optional", "required"] = "not-asked",
    mode: Literal["page", "echo"] = "page",
    connections: int | None = None,
    options: Sequence[str | Path] = (),
    host: str = LOOPBACK,
) -> Iterator[TlsServer]:
    """An OpenSSL server of exactly these versions.

    `ciphers` is OpenSSL's list for TLS 1.2 and earlier; where an obsolete version is wanted and none is given, it is
    all ciphers at security level 0, without which OpenSSL 3 refuses TLS 1.0 and 1.1. After `connections` it ends by
    itself (`-naccept`). `options` are s_server's own, such as `-groups`, `-serverpref`, `-comp`, `-dhparam`, `-no_dhe`.
    """
    binary = require("openssl", "openssl")
    if ciphers is None and {"tls1", "tls1_1"} & set(versions):
        ciphers = "ALL:@SECLEVEL=0"

    def command(_folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        line: list[str | Path] = [binary, "s_server", "-accept", f"{host}:{ports[0]}", "-key", files.key]
        line += ["-cert", files.certificate, "-CAfile", files.authority, "-www" if mode == "page" else "-rev"]
        line += [f"-no_{version}" for version in _VERSIONS if version not in versions]
        line += ["-cipher", ciphers] if ciphers is not None else []
        line += ["-naccept", str(connections)] if connections is not None else []
        return [*line, *_CLIENT[client_certificate], *options]

    with serving("openssl", command) as process:
        yield TlsServer(host, process.ports[0], files, process)
