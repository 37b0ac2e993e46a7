"""What several files of fronts share: truths by short names, and the pages of logins."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from checker.model import Status
from checker.rules.web_states import State
from tests.live.certificates import TlsFiles
from tests.live.servers.nginx import Site, nginx
from tests.live.web_fronting import Door, Insider, Material, Place, Really, Start, gives_studies, place_of

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN

OPEN_ARCHIVE = Door(Really.OPEN, State.OPEN_PROVEN, FAIL)
OPEN_PAGE = Door(Really.OPEN, State.OPEN_PAGE, FAIL)
SHELL_OPEN = Door(Really.OPEN, State.PAGE_PUBLIC_API_OPEN, FAIL)
SHELL_GATED = Door(Really.GATED, State.SHELL_PUBLIC_API_GATED, PASS)
BASIC = Door(Really.GATED, State.GATED_BASIC, PASS)
PUBLIC_PAGE = Door(Really.PUBLIC, State.PAGE_PUBLIC, UNKNOWN)
NO_SERVICE = Door(Really.NEITHER, State.NOT_THIS_SERVICE, UNKNOWN)

LOGIN = "location = /login { default_type text/html; try_files /login.html =404; }"
LOGIN_FORM = (
    "<!doctype html><html><head><title>Sign in</title></head><body>\n"
    '<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>\n'
    "</body></html>\n"
)
BY_SCRIPT = '<!doctype html><title>One moment</title><script>location.href = "/login";</script>'
BY_REFRESH = (
    '<!doctype html><html><head><meta http-equiv="refresh" content="0; url=/login">'
    "<title>One moment</title></head><body></body></html>"
)
FILES = {"login.html": LOGIN_FORM}
FORM = "rewrite ^ /login.html last;"
"""In nginx's words: whatever was asked, the login form is shown."""

NAME = "archive.example.org"


def gated(state: State) -> Door:
    """A gate that is recognised."""
    return Door(Really.GATED, state, PASS)


def doubted(state: State) -> Door:
    """A gate that does not show itself as one."""
    return Door(Really.GATED, state, UNKNOWN)


def unproven(state: State) -> Door:
    """Open, and it does not show itself so."""
    return Door(Really.OPEN, state, UNKNOWN)


def nothing(state: State) -> Door:
    """No archive and no viewer, for anybody."""
    return Door(Really.NEITHER, state, UNKNOWN)


def client_of(files: TlsFiles) -> Insider:
    """Somebody with a client certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(files.certificate, files.key)
    return Insider({"verify": context})


def static_files(otherwise: str, files: Mapping[str, str]) -> Site:
    """A list of all studies where DICOMweb has it, and nothing else; `otherwise` is what other paths get."""
    studies = "location = /dicom-web/studies { default_type application/dicom+json; try_files /studies.json =404; }"
    return Site(f"{studies}\nlocation / {{ {otherwise} }}", files)


def named(default: str, files: Mapping[str, str], *, declared: bool) -> Start:
    """The archive answers by its name alone; `default` is what other names get. `declared`: the URL has the name."""

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        host = f"listen {{listen}}; server_name {NAME}; location / {{ proxy_pass {material.behind.url}; }}"
        with nginx(Site(default, files, beside=f"server {{ {host} }}")) as server:
            there = place_of(server, None)
            if not declared:
                yield there
                return
            by_name = {name: getattr(there, name).replace(server.host, NAME) for name in ("archive", "page")}
            yield replace(there, asks=gives_studies_by_name, **by_name)

    return start


def gives_studies_by_name(url: str, options: Mapping[str, Any]) -> bool:
    """Whether somebody who knows the name of the virtual host gets the studies."""
    return gives_studies(url, {"headers": {"Host": NAME}, **options})
