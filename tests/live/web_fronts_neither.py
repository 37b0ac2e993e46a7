"""Fronts on nginx that are no archive and no viewer, though some look so. Data; the order is that of the table."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from checker.rules.web_states import State
from tests.live.servers.dcmtk import storescp
from tests.live.servers.nginx import Site, nginx, plain_page, viewer_shell
from tests.live.servers.process import LOOPBACK
from tests.live.web_fronting import Door, Front, Material, Place, Really, alone, place_of, proxied
from tests.live.web_fronts_doors import NO_SERVICE, PUBLIC_PAGE, UNKNOWN, client_of, named, nothing

_WELCOME = {"index.html": "<!doctype html><title>Welcome</title>"}


@contextmanager
def _http_to_an_https_port(material: Material) -> Iterator[Place]:
    with nginx(proxied()(material.behind.url), tls=material.files, client_certificate=True) as server:
        there = place_of(server, client_of(material.client))
        here = {name: getattr(there, name).replace("https://", "http://") for name in ("archive", "page")}
        yield replace(there, images=None, page_images=None, **here)


def _empty_lists(location: str, more: str = "") -> Site:
    return Site(f"default_type application/json; location {location} {{ return 200 '[]'; }}\n{more}")


def _answers(what: str) -> Site:
    return Site(f"location / {{ {what} }}")


@contextmanager
def _dicom_port(_material: Material) -> Iterator[Place]:
    with storescp() as server:
        url = f"http://{server.host}:{server.port}"
        yield Place(f"{url}/dicom-web", f"{url}/")


@contextmanager
def _nobody(_material: Material) -> Iterator[Place]:
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))  # nobody else gets the port, and nobody listens on it
        url = f"http://{LOOPBACK}:{held.getsockname()[1]}"
        yield Place(f"{url}/dicom-web", f"{url}/")


NEITHER = (
    Front(
        "wrong-name",
        "nginx, another virtual host, 404",
        named("location / { return 404; }", _WELCOME, declared=False),
        NO_SERVICE,
        NO_SERVICE,
        "The archive answers by its name alone, and was declared by its address.",
    ),
    Front(
        "wrong-name-page",
        "nginx, another virtual host, a page of welcome",
        named("location = / { try_files /index.html =404; } location / { return 404; }", _WELCOME, declared=False),
        NO_SERVICE,
        PUBLIC_PAGE,
        "As before, with a page of somebody else.",
    ),
    Front(
        "wrong-name-421",
        "nginx, another virtual host, 421",
        named("location / { return 421; }", _WELCOME, declared=False),
        NO_SERVICE,
        NO_SERVICE,
        "The server says that it is the wrong one (RFC 9110 15.5.20).",
    ),
    Front(
        "wrong-name-444",
        "nginx, another virtual host, hangs up",
        named("location / { return 444; }", _WELCOME, declared=False),
        nothing(State.INCONCLUSIVE_CUT_OFF),
        nothing(State.INCONCLUSIVE_CUT_OFF),
        "Silence is no gate.",
    ),
    Front(
        "http-to-https",
        "nginx, its https port declared as http",
        _http_to_an_https_port,
        NO_SERVICE,
        NO_SERVICE,
        "400, as without a client certificate, and for another reason.",
    ),
    Front(
        "empty-everywhere",
        "nginx, an empty list for every path",
        alone(lambda: _empty_lists("/")),
        nothing(State.CATCH_ALL),
        nothing(State.NOT_THIS_SERVICE),
        "What would prove an archive open, said to nonsense as well.",
    ),
    Front(
        "empty-below-studies",
        "nginx, an empty list for every path below studies",
        alone(lambda: _empty_lists("/dicom-web/studies/", "location / { return 404; }")),
        nothing(State.CATCH_ALL),
        NO_SERVICE,
        "The control stays below the study, so that it is seen here as well.",
    ),
    Front(
        "nothing-everywhere",
        "nginx, 204 for every path",
        alone(lambda: _answers("return 204;")),
        nothing(State.CATCH_ALL),
        nothing(State.NOT_THIS_SERVICE),
        "As with empty lists.",
    ),
    Front(
        "shell-everywhere",
        "nginx, the shell of a viewer for every path",
        alone(lambda: viewer_shell(api="none")),
        nothing(State.CATCH_ALL),
        Door(Really.PUBLIC, State.SHELL_PUBLIC_API_UNKNOWN, UNKNOWN),
        "A shell is shown to anybody, and says nothing of an archive.",
    ),
    Front(
        "plain-page",
        "nginx, a page and nothing else",
        alone(plain_page),
        NO_SERVICE,
        PUBLIC_PAGE,
        "A page of no known product: look at it in a browser.",
    ),
    Front(
        "forbidden",
        "nginx, 403 for every path",
        alone(lambda: _answers("deny all;")),
        nothing(State.INCONCLUSIVE_DENIED),
        nothing(State.INCONCLUSIVE_DENIED),
        "It may be a filter that lets browsers in.",
    ),
    Front(
        "busy",
        "nginx, 429 for every path",
        alone(lambda: _answers("return 429;")),
        nothing(State.INCONCLUSIVE_429),
        nothing(State.INCONCLUSIVE_429),
        "It is left alone for a while.",
    ),
    Front(
        "broken",
        "nginx, 500 for every path",
        alone(lambda: _answers("return 500;")),
        nothing(State.INCONCLUSIVE_5XX),
        nothing(State.INCONCLUSIVE_5XX),
        "An error is no gate.",
    ),
    Front(
        "nothing-behind",
        "nginx, with nothing behind it",
        alone(lambda: _answers("proxy_pass http://127.0.0.1:9;")),
        nothing(State.INCONCLUSIVE_5XX),
        nothing(State.INCONCLUSIVE_5XX),
        "502 comes from the proxy, and says nothing of what it stands before.",
    ),
    Front(
        "websocket",
        "nginx, WebSocket alone",
        alone(lambda: _answers("add_header Upgrade websocket always; return 426;")),
        nothing(State.INCONCLUSIVE_WEBSOCKET),
        nothing(State.INCONCLUSIVE_WEBSOCKET),
        "426: it wants an upgrade to another protocol, which we do not speak.",
    ),
    Front(
        "dicom",
        "storescp, its DICOM port declared as a web service",
        _dicom_port,
        nothing(State.INCONCLUSIVE_CUT_OFF),
        nothing(State.INCONCLUSIVE_CUT_OFF),
        "It hangs up.",
    ),
    Front(
        "nobody",
        "nobody",
        _nobody,
        nothing(State.INCONCLUSIVE_NO_CONNECTION),
        nothing(State.INCONCLUSIVE_NO_CONNECTION),
        "Silence is no gate.",
    ),
)
