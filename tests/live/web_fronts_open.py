"""Open fronts on nginx, most of which do not look so. Data; the order is that of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from checker.rules.web_states import State
from tests.live.servers.nginx import Site, filter_ignored, nginx, redirect_to_https, static_dicomweb
from tests.live.servers.process import require, run
from tests.live.synthetic import markers_in, studies
from tests.live.web_fronting import (
    BASIC_KEY,
    Door,
    Front,
    Insider,
    Material,
    Place,
    Really,
    Start,
    alone,
    before,
    place_of,
    proxied,
    without_session,
)
from tests.live.web_fronts_doors import (
    BASIC,
    BY_REFRESH,
    BY_SCRIPT,
    FAIL,
    FILES,
    FORM,
    LOGIN,
    LOGIN_FORM,
    NO_SERVICE,
    OPEN_ARCHIVE,
    OPEN_PAGE,
    PASS,
    UNKNOWN,
    gated,
    named,
    static_files,
    unproven,
)

_INDEX = static_dicomweb().files
_GUESTS = (
    "<!doctype html><title>Portal</title>"
    '<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>'
    '<a href="/app/explorer.html">Continue as a guest</a>'
)
_HIDDEN = f"<!doctype html><title>Portal</title><!-- {LOGIN_FORM} --><p>Synthetic</p>"


def _page_before(page: str) -> Start:
    """Its page is this, and all else goes to the open archive."""
    return before(
        proxied(outside=f"location = / {{ try_files /go.html =404; }}\n{LOGIN}", files=FILES | {"go.html": page})
    )


@contextmanager
def _made_by_its_server(material: Material) -> Iterator[Place]:
    rows = "".join(f"<tr><td>{one.patient_name}</td><td>{one.patient_id}</td></tr>" for one in studies())
    site = Site(
        "location = / { try_files /list.html =404; }\n"
        'location /dicom-web/ { auth_basic "Synthetic"; auth_basic_user_file {folder}/passwords;\n'
        f"  proxy_pass {material.behind.url}; }}",
        {"list.html": f"<!doctype html><title>Work list</title><table>{rows}</table>"},
        passwords=True,
    )
    with nginx(site) as server:
        yield replace(place_of(server, Insider(BASIC_KEY)), page_images=f"{server.url}/")


@contextmanager
def _to_https(material: Material) -> Iterator[Place]:
    with (
        nginx(proxied()(material.behind.url), tls=material.files) as there,
        nginx(redirect_to_https(there.port)) as here,
    ):
        yield place_of(here, None)


def _limited(url: str) -> Site:
    """One request a minute below a study; the list of studies is not limited."""
    return Site(
        f"location ~ ^/dicom-web/studies/. {{ limit_req zone=one; limit_req_status 429; proxy_pass {url}; }}\n"
        f"location / {{ proxy_pass {url}; }}",
        beside="limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;",
    )


@contextmanager
def _http2_only(material: Material) -> Iterator[Place]:
    with nginx(proxied()(material.behind.url), http2=True) as server:
        yield replace(place_of(server, None), asks=_by_http2)


def _by_http2(url: str, _options: Mapping[str, Any]) -> bool:
    answer = run([require("curl", "curl"), "--silent", "--http2-prior-knowledge", url])
    return bool(markers_in(answer.encode()))


def _form_but_for_dicomweb(url: str) -> Site:
    others = without_session(FORM, outside="location = /login.html { }", files=FILES)(url)
    return Site(f"location /dicom-web/ {{ proxy_pass {url}; }}\n{others.body}", FILES)


_LOGIN_FOR_SERIES = before(
    lambda url: Site(
        f"location / {{ proxy_pass {url}; }}\nlocation ~ /series {{\n"
        f'auth_basic "Synthetic"; auth_basic_user_file {{folder}}/passwords; proxy_pass {url}; }}',
        passwords=True,
    ),
    options=BASIC_KEY,
)

OPEN = (
    Front(
        "series-gated",
        "Orthanc behind nginx, a login for the series of a study alone",
        _LOGIN_FOR_SERIES,
        unproven(State.INCONCLUSIVE_CONTROL),
        None,
        "A challenge for the canary, 404 for nonsense. Servers that look for a route before a login say just that.",
    ),
    Front(
        "static",
        "nginx, a static index of DICOMweb",
        alone(static_dicomweb, studies="/studies"),
        OPEN_ARCHIVE,
        NO_SERVICE,
        "204 for the series of a study that it does not have. To a question about all studies it gives all of them.",
    ),
    Front(
        "static-files",
        "nginx, a static index of DICOMweb, 404 for what it lacks",
        alone(lambda: static_files("return 404;", _INDEX), studies="/studies"),
        unproven(State.NOT_THIS_SERVICE),
        NO_SERVICE,
        "404 to the canary and to nonsense, as from what is no archive. Only a study that exists would show it.",
    ),
    Front(
        "store",
        "nginx, a store of files, 403 for what it lacks",
        alone(lambda: static_files("return 403;", _INDEX), studies="/studies"),
        unproven(State.INCONCLUSIVE_DENIED),
        Door(Really.NEITHER, State.INCONCLUSIVE_DENIED, UNKNOWN),
        "403 to whatever it does not have, and its studies are public: the reason why 403 is no gate.",
    ),
    Front(
        "filter-ignored",
        "nginx, the study of the path ignored",
        alone(filter_ignored, studies="/studies/1.2/series"),
        Door(Really.OPEN, State.OPEN_FILTER_IGNORED, FAIL),
        NO_SERVICE,
        "It begins to send what it has. That is dropped unread, and nothing more is asked.",
    ),
    Front(
        "script-page",
        "nginx, a page that goes to a login by script, DICOMweb open",
        _page_before(BY_SCRIPT),
        OPEN_ARCHIVE,
        unproven(State.INCONCLUSIVE_SCRIPT_LOGIN),
        "The script is all of the lock.",
        {"archive.open": FAIL},
    ),
    Front(
        "refresh-page",
        "nginx, a page that refreshes to a login, DICOMweb open",
        _page_before(BY_REFRESH),
        OPEN_ARCHIVE,
        unproven(State.INCONCLUSIVE_SCRIPT_LOGIN),
        "As with a script.",
        {"archive.open": FAIL},
    ),
    Front(
        "form-page",
        "nginx, the login form for all but DICOMweb",
        before(_form_but_for_dicomweb, cookie=True),
        OPEN_ARCHIVE,
        gated(State.GATED_FORM),
        "The page asks for a login, and the data does not.",
        {"archive.open": FAIL},
    ),
    Front(
        "form-and-more",
        "nginx, a page with a login form and a way in beside it",
        _page_before(_GUESTS),
        OPEN_ARCHIVE,
        unproven(State.INCONCLUSIVE_FORM),
        "A form beside other things is no gate.",
        {"archive.open": FAIL},
    ),
    Front(
        "form-hidden",
        "nginx, a page with a login form in a comment",
        _page_before(_HIDDEN),
        OPEN_ARCHIVE,
        Door(Really.OPEN, State.PAGE_PUBLIC_API_OPEN, FAIL),
        "What a browser does not show is no form.",
    ),
    Front(
        "challenge-200",
        "nginx, a challenge beside 200",
        before(proxied("add_header WWW-Authenticate 'Basic realm=\"synthetic\"' always;")),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "A challenge holds nobody back unless the status does.",
    ),
    Front(
        "by-user-agent",
        "nginx, 403 for what calls itself pacs-checker",
        before(proxied('if ($http_user_agent ~ "pacs-checker") { return 403; }')),
        unproven(State.INCONCLUSIVE_DENIED),
        unproven(State.INCONCLUSIVE_DENIED),
        "A filter against robots lets every browser in. We introduce ourselves all the same.",
    ),
    Front(
        "rate-limit",
        "nginx, one question in a minute",
        before(_limited),
        unproven(State.INCONCLUSIVE_CONTROL),
        OPEN_PAGE,
        "The control was put off, so that an empty list proves nothing.",
        {"archive.open": FAIL},
    ),
    Front(
        "list-in-page",
        "nginx, a page with the list of patients, DICOMweb gated",
        _made_by_its_server,
        BASIC,
        unproven(State.PAGE_PUBLIC),
        "A page of no known product. What it shows is not kept, so that a list of patients is a page like any other.",
        {"archive.open": UNKNOWN},
    ),
    Front(
        "to-https",
        "nginx, all of http redirected to https, open there",
        _to_https,
        unproven(State.REDIRECTED),
        unproven(State.REDIRECTED),
        "The https port decides, and has to be declared for itself.",
        {"web.cleartext archive": PASS},
    ),
    Front(
        "by-name",
        "nginx, a virtual host, declared by its name",
        named("location / { return 404; }", {}, declared=True),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "The name of the URL is sent, the address is the one of the inventory.",
    ),
    Front(
        "http2",
        "nginx, HTTP/2 alone",
        _http2_only,
        unproven(State.INCONCLUSIVE_HTTP2),
        unproven(State.INCONCLUSIVE_HTTP2),
        "It answers HTTP/1.1 with frames of HTTP/2, which we do not speak.",
    ),
)
