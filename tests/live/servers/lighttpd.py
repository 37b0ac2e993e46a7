"""lighttpd, for what Debian's nginx has no module for: a Digest login, and a listing of another make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.live.servers.process import LOOPBACK, Process, require, serving

DIGEST_USER = ("synthetic-user", "synthetic-password")
_REALM = "Synthetic Secure Area"

_CONFIGURATION = """\
server.modules = ( {modules} )
server.document-root = "{folder}/site"
server.bind = "{host}"
server.port = {port}
server.upload-dirs = ( "{folder}" )
mimetype.assign = ( ".html" => "text/html" )
{body}
"""


@dataclass(frozen=True, slots=True)
class Lighttpd:
    """A running lighttpd."""

    host: str
    port: int
    process: Process

    @property
    def url(self) -> str:
        """The root of the server, without a slash at the end."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def digest_before(upstream: str) -> Iterator[Lighttpd]:
    """Every path asks for a Digest login (RFC 7616), behind which `upstream`, an http URL without a path, answers."""
    parts = urlsplit(upstream)
    body = (
        'auth.backend = "htdigest"\n'
        'auth.backend.htdigest.userfile = "{folder}/passwords"\n'
        f'auth.require = ( "" => ( "method" => "digest", "realm" => "{_REALM}", "require" => "valid-user" ) )\n'
        f'proxy.server = ( "" => ( ( "host" => "{parts.hostname}", "port" => {parts.port} ) ) )\n'
    )
    with _lighttpd(body, "mod_auth", "mod_authn_file", "mod_proxy") as server:
        yield server


@contextmanager
def listing() -> Iterator[Lighttpd]:
    """An index page of the files below the root."""
    with _lighttpd('server.dir-listing = "enable"\n', "mod_dirlisting") as server:
        yield server


@contextmanager
def _lighttpd(body: str, *modules: str) -> Iterator[Lighttpd]:
    binary = require("lighttpd", "lighttpd")

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        exported = folder / "site" / "exports"
        exported.mkdir(parents=True)
        (exported / "study.txt").write_text("synthetic\n")
        user, password = DIGEST_USER
        # RFC 7616 section 3.4.2: what stands for the password is a hash of user, realm and password.
        hashed = hashlib.md5(f"{user}:{_REALM}:{password}".encode(), usedforsecurity=False).hexdigest()
        (folder / "passwords").write_text(f"{user}:{_REALM}:{hashed}\n")
        path = folder / "lighttpd.conf"
        path.write_text(
            _CONFIGURATION.format(
                modules=", ".join(f'"{module}"' for module in modules),
                folder=folder,
                host=LOOPBACK,
                port=ports[0],
                body=body.replace("{folder}", str(folder)),
            )
        )
        return [binary, "-D", "-f", path]

    with serving("lighttpd", command) as process:
        yield Lighttpd(LOOPBACK, process.ports[0], process)
