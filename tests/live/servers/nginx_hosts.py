"""nginx with several TLS hosts on one port, told apart by the name that a client sends; the first is the default host.

nginx takes the versions from the default host whatever name is sent, and certificate and suites from the host named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.certificates import TlsFiles
from tests.live.servers.nginx import Nginx
from tests.live.servers.process import LOOPBACK, require, serving

_CONFIGURATION = """\
{user}
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


@dataclass(frozen=True, slots=True)
class Host:
    """One host: its name, its certificate, and OpenSSL's list of its suites; without files it rejects handshakes."""

    name: str
    files: TlsFiles | None
    ciphers: str = "HIGH"


@contextmanager
def nginx_hosts(hosts: Sequence[Host], *, protocols: str = "TLSv1.2 TLSv1.3", host: str = LOOPBACK) -> Iterator[Nginx]:
    """An nginx with these hosts, which speak these protocols as nginx names them."""
    binary = require("nginx", "nginx-light")

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        blocks = [_server(one, f"{host}:{ports[0]}", protocols) for one in hosts]
        configuration = _CONFIGURATION.format(
            user="user root;" if os.geteuid() == 0 else "", folder=folder, servers="\n".join(blocks)
        )
        path = folder / "nginx.conf"
        path.write_text(configuration)
        return [binary, "-p", folder, "-c", path, "-e", "stderr"]

    with serving("nginx", command) as process:
        yield Nginx(host, process.ports[0], "https", process)


def _server(one: Host, listen: str, protocols: str) -> str:
    lines = [f"listen {listen} ssl;", f"server_name {one.name};", f"ssl_protocols {protocols};"]
    if one.files is None:
        lines.append("ssl_reject_handshake on;")
    else:
        lines += [f"ssl_certificate {one.files.certificate};", f"ssl_certificate_key {one.files.key};"]
        lines.append(f"ssl_ciphers {one.ciphers};")
    return f"server {{ {' '.join(lines)} return 204; }}"
