"""Fronts whose headers matter: CORS, session cookies, Strict-Transport-Security; and listings of files. Data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from checker.rules.web_states import State
from tests.live.servers import lighttpd
from tests.live.servers.nginx import directory_listing
from tests.live.synthetic import COOKIE
from tests.live.web_fronting import (
    BASIC_KEY,
    Door,
    Front,
    Material,
    Place,
    Really,
    alone,
    basic,
    before,
    proxied,
    without_session,
)
from tests.live.web_fronts_doors import BASIC, FAIL, FILES, NO_SERVICE, OPEN_ARCHIVE, OPEN_PAGE, PASS, UNKNOWN, gated

# Access-Control-Allow-Origin in nginx's words, and whether a foreign page may read the answers.
_ORIGINS = {
    "any origin": ("any", "*", False, FAIL),
    "any origin, and credentials": ("any-credentials", "*", True, FAIL),
    "the origin echoed": ("echoed", "$http_origin", False, FAIL),
    "the origin echoed, and credentials": ("echoed-credentials", "$http_origin", True, FAIL),
    "one named origin": ("named", "https://viewer.example.net", False, PASS),
    "one named origin, and credentials": ("named-credentials", "https://viewer.example.net", True, PASS),
    "no origin": ("none", None, False, PASS),
}


def _allows(origin: str | None, credentials: bool) -> str:
    lines = [] if origin is None else [f'add_header Access-Control-Allow-Origin "{origin}" always;']
    return " ".join([*lines, *(['add_header Access-Control-Allow-Credentials "true" always;'] if credentials else [])])


_CORS = tuple(
    Front(
        f"cors-{name}-{'open' if is_open else 'gated'}",
        f"nginx, CORS for {said}, {'no' if is_open else 'Basic'} login",
        before(proxied(_allows(origin, credentials)))
        if is_open
        else before(basic(_allows(origin, credentials)), options=BASIC_KEY),
        OPEN_ARCHIVE if is_open else BASIC,
        None,
        "Pages of other sites may read its answers in the browser of whoever visits them."
        if status is FAIL
        else "Pages of other sites may not read its answers.",
        # What a gate says without a leave need not be what the archive behind it says.
        {"web.cors-open archive": status if is_open or origin is not None else UNKNOWN},
    )
    for said, (name, origin, credentials, status) in _ORIGINS.items()
    for is_open in (True, False)
)


def _with_cookie(attributes: str) -> str:
    return f'add_header Set-Cookie "SESSION={COOKIE}{attributes}" always;'


@contextmanager
def _lighttpd_listing(_material: Material) -> Iterator[Place]:
    with lighttpd.listing() as server:
        yield Place(f"{server.url}/dicom-web", f"{server.url}/")


_COOKIES_AND_HSTS = (
    Front(
        "cookie-bare",
        "nginx, the login form everywhere, its cookie without flags",
        before(
            without_session(
                "rewrite ^ /login.html last;",
                outside=f"location = /login.html {{ {_with_cookie('; Path=/')} }}",
                files=FILES,
            ),
            cookie=True,
        ),
        gated(State.GATED_FORM),
        gated(State.GATED_FORM),
        "The session of whoever logs in goes over http, and to scripts.",
        {"web.cookie-flags page": FAIL, "web.login-over-cleartext page": FAIL},
    ),
    Front(
        "cookie-flags",
        "nginx in TLS, the login form everywhere, its cookie with all flags",
        before(
            without_session(
                "rewrite ^ /login.html last;",
                outside=f"location = /login.html {{ {_with_cookie('; Path=/; Secure; HttpOnly; SameSite=Strict')} }}",
                files=FILES,
            ),
            cookie=True,
            tls=True,
        ),
        gated(State.GATED_FORM),
        gated(State.GATED_FORM),
        "The cookie stays in TLS, and away from scripts and other sites.",
        {"web.cookie-flags page": PASS, "web.hsts-missing page": FAIL},
    ),
    Front(
        "hsts",
        "nginx in TLS, with Strict-Transport-Security",
        before(proxied("add_header Strict-Transport-Security max-age=31536000 always;"), tls=True),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "Encrypted, and open to anybody all the same.",
        {"web.hsts-missing page": PASS, "web.hsts-missing archive": PASS},
    ),
    Front(
        "no-hsts",
        "nginx in TLS, without Strict-Transport-Security",
        before(proxied(), tls=True),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "As before.",
        {"web.hsts-missing page": FAIL},
    ),
)

_LISTINGS = (
    Front(
        "listing-nginx",
        "nginx, a listing of files",
        alone(directory_listing),
        NO_SERVICE,
        Door(Really.PUBLIC, State.NOT_THIS_SERVICE, UNKNOWN),
        "No viewer. What lies there has a rule of its own.",
        {"web.directory-listing page": FAIL},
    ),
    Front(
        "listing-lighttpd",
        "lighttpd, a listing of files",
        _lighttpd_listing,
        NO_SERVICE,
        Door(Really.PUBLIC, State.NOT_THIS_SERVICE, UNKNOWN),
        "As with nginx.",
        {"web.directory-listing page": FAIL},
    ),
)

HEADERS = (*_CORS, *_COOKIES_AND_HSTS, *_LISTINGS)
