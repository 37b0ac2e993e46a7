"""nginx, and the web servers that stand before archives, as bodies of its `server` block.

`nginx(BODY)` runs one of the builders below, or any body of directives. A `Site` is such a body with the files that it
names: `{folder}` in the body stands for the folder in which they are.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK, Process, require, run, serving
from tests.live.synthetic import COOKIE, Study, studies

BASIC_USER = ("synthetic-user", "synthetic-password")

_CONFIGURATION = """\
{user}
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections {connections}; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; application/javascript js; application/json json; }}
    default_type application/octet-stream;
    absolute_redirect off;
    server {{
        listen {host}:{port}{ssl}{http2};
        server_name localhost;
        root {folder}/site;
{tls}
{body}
    }}
{beside}
}}
"""

_LOGIN_FORM = """\
<!doctype html><html><head><title>Sign in</title></head><body>
<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>
</body></html>
"""
_SHELL = """\
<!doctype html><html><head><title>OHIF Viewer</title><script src="/app-config.js"></script></head>
<body><div id="root"></div></body></html>
"""
_SHELL_CONFIGURATION = """\
window.config = {routerBasename: '/', dataSources: [{sourceName: 'dicomweb', configuration: {
  qidoRoot: '/dicom-web', wadoRoot: '/dicom-web', wadoUriRoot: '/wado'}}]};
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The body of a `server` block, the files under its root, and whether a password file is wanted.

    `beside`: further blocks, in which `{listen}` is the address and the port of the first. In both `{folder}` is
    that of the server.
    """

    body: str
    files: Mapping[str, str] = field(default_factory=dict)
    passwords: bool = False
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx."""

    host: str
    port: int
    scheme: str
    process: Process

    @property
    def url(self) -> str:
        """The root of the server, without a slash at the end."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def requests(self, at_least: int = 0, within_s: float = 5.0) -> Sequence[str]:
        """The request lines that it has answered, in order, once there are so many or the time is over.

        A client has its answer before the server has written that down.
        """
        log = self.process.folder / "access.log"
        deadline = time.monotonic() + within_s
        while True:
            lines = log.read_text().splitlines() if log.exists() else []
            if len(lines) >= at_least or time.monotonic() > deadline:
                return [line.split('"')[1] for line in lines]
            time.sleep(0.01)


@contextmanager
def nginx(
    site: Site | str,
    *,
    tls: TlsFiles | None = None,
    client_certificate: bool = False,
    connections: int = 128,
    host: str = LOOPBACK,
    http2: bool = False,
) -> Iterator[Nginx]:
    """An nginx with one server block; with `tls` by https alone, with `client_certificate` for known clients alone.

    It has `connections` at once, and closes what is more. With `http2` and no TLS it speaks HTTP/2 alone.
    """
    binary = require("nginx", "nginx-light")
    wanted = Site(site) if isinstance(site, str) else site

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        _write(wanted, folder)
        configuration = _CONFIGURATION.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            connections=connections,
            host=host,
            port=ports[0],
            ssl=" ssl" if tls else "",
            http2=" http2" if http2 else "",
            tls=_tls(tls, client_certificate=client_certificate) if tls else "",
            body=wanted.body.replace("{folder}", str(folder)),
            beside=wanted.beside.replace("{folder}", str(folder)).replace("{listen}", f"{host}:{ports[0]}"),
        )
        path = folder / "nginx.conf"
        path.write_text(configuration)
        return [binary, "-p", folder, "-c", path, "-e", "stderr"]

    with serving("nginx", command) as process:
        yield Nginx(host, process.ports[0], "https" if tls else "http", process)


def basic_auth(realm: str = "Synthetic Secure Area") -> Site:
    """Every path asks for a Basic login. (A `return` here would run before the question and gate nothing.)"""
    return Site(
        f'auth_basic "{realm}"; auth_basic_user_file {{folder}}/passwords; location / {{ try_files /nothing =404; }}',
        passwords=True,
    )


def redirect_to_login() -> Site:
    """Every path redirects to a login form on this server; its Location repeats the question, as many do."""
    return Site(
        "location = /login { default_type text/html; try_files /login.html =404; }\n"
        'location / { add_header Set-Cookie "SESSION=' + COOKIE + '; Path=/" always;\n'
        "  return 302 /login?next=$request_uri; }",
        {"login.html": _LOGIN_FORM},
    )


def redirect_elsewhere(location: str = "https://login.example.net/authorize") -> Site:
    """Every path redirects to another origin, with a token in the query."""
    return Site(f"location / {{ return 302 {location}?state={COOKIE}&next=$request_uri; }}")


def redirect_to_https(port: int) -> Site:
    """What an http port before an https one does."""
    return Site(f"location / {{ return 301 https://$host:{port}$request_uri; }}")


def login_form_everywhere() -> Site:
    """The catch-all: every path is the login form, with 200."""
    return Site(
        "location / { default_type text/html; try_files /login.html =404;\n"
        f'  add_header Set-Cookie "JSESSIONID={COOKIE}; Path=/"; }}',
        {"login.html": _LOGIN_FORM},
    )


def viewer_shell(*, api: str = "gated") -> Site:
    """A single-page viewer, every path of which is its shell with 200 and text/html.

    Its DICOMweb API under `/dicom-web/` is `gated` (401 without a challenge), `bearer` (401 with one) or `open` (an
    empty list for the series of any study, 404 elsewhere); with `none` it is the shell, too.
    """
    apis = {
        "gated": "location /dicom-web/ { return 401; }",
        "bearer": (
            "location /dicom-web/ { add_header WWW-Authenticate 'Bearer realm=\"synthetic\"' always; return 401; }"
        ),
        "open": (
            "location ~ ^/dicom-web/studies/[0-9.]+/series$ { default_type application/dicom+json; return 200 '[]'; }\n"
            "location /dicom-web/ { return 404; }"
        ),
        "none": "",
    }
    return Site(
        f"{apis[api]}\nlocation / {{ try_files $uri /index.html; }}",
        {"index.html": _SHELL, "app-config.js": _SHELL_CONFIGURATION},
    )


def json_error() -> Site:
    """Every path is 200 with a JSON body that says no."""
    return Site('location / { default_type application/json; return 200 \'{"error":"unauthorized"}\'; }')


def static_dicomweb(loaded: Sequence[Study] | None = None) -> Site:
    """A static DICOMweb index: `/dicom-web/studies` lists every study whatever is asked, the path canary gets 204."""
    listed = [
        {
            "0020000D": {"vr": "UI", "Value": [study.uid]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": study.patient_name}]},
            "00100020": {"vr": "LO", "Value": [study.patient_id]},
        }
        for study in (studies() if loaded is None else loaded)
    ]
    return Site(
        "location = /dicom-web/studies { default_type application/dicom+json; try_files /studies.json =404; }\n"
        "location ~ ^/dicom-web/studies/[0-9.]+/series$ { return 204; }\n"
        "location / { return 404; }",
        {"studies.json": json.dumps(listed)},
    )


def filter_ignored(loaded: Sequence[Study] | None = None) -> Site:
    """Answers the series of any study at all with all that it has: the key in the path is ignored."""
    site = static_dicomweb(loaded)
    return Site(
        "location ~ ^/dicom-web/studies/[0-9.]+/series$ {\n"
        "  default_type application/dicom+json; try_files /studies.json =404; }\n"
        "location / { return 404; }",
        site.files,
    )


def directory_listing() -> Site:
    """An index page of the files below the root."""
    return Site("autoindex on; location / { try_files $uri $uri/ =404; }", {"exports/study.txt": "synthetic\n"})


def plain_page(*, hsts: bool = False, headers: Mapping[str, str] | None = None) -> Site:
    """One page at `/`, 404 elsewhere; with Strict-Transport-Security, or with other headers."""
    wanted = dict(headers or {})
    if hsts:
        wanted["Strict-Transport-Security"] = "max-age=31536000"
    lines = "".join(f'add_header {name} "{value}" always;\n' for name, value in wanted.items())
    return Site(
        f"{lines}location = / {{ try_files /index.html =404; }}\nlocation / {{ return 404; }}",
        {"index.html": "<!doctype html><title>Synthetic</title>"},
    )


def _write(site: Site, folder: Path) -> None:
    root = folder / "site"
    root.mkdir()
    for name, content in site.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    if site.passwords:
        user, password = BASIC_USER
        hashed = run([require("openssl", "openssl"), "passwd", "-apr1", password]).strip()
        (folder / "passwords").write_text(f"{user}:{hashed}\n")


def _tls(files: TlsFiles, *, client_certificate: bool) -> str:
    lines = [f"ssl_certificate {files.certificate};", f"ssl_certificate_key {files.key};"]
    if client_certificate:
        lines += [f"ssl_client_certificate {files.authority};", "ssl_verify_client on;"]
    return "\n".join(lines)
