"""Gates before an archive, on nginx and lighttpd, each with what it truly is. Data; the order is that of the table.

Behind each of them stands an Orthanc that lets everybody in, so that what holds a stranger back is the gate alone, and
the test sees that somebody with a key gets the studies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from checker.rules.web_states import State
from tests.live.servers.lighttpd import DIGEST_USER, digest_before
from tests.live.servers.nginx import Site, nginx
from tests.live.web_fronting import (
    BASIC_KEY,
    KEY,
    Door,
    Front,
    Insider,
    Material,
    Place,
    Start,
    basic,
    before,
    place_of,
    proxied,
    without_session,
)
from tests.live.web_fronts_doors import BY_REFRESH, BY_SCRIPT, FILES, FORM, LOGIN, client_of, doubted, gated

_ELSEWHERE = "https://login.example.net/authorize"


def _both(name: str, front: str, start: Start, door: Door, means: str) -> Front:
    return Front(name, front, start, door, door, means)


@contextmanager
def _digest(material: Material) -> Iterator[Place]:
    with digest_before(material.behind.url) as server:
        known = Insider({"auth": httpx.DigestAuth(*DIGEST_USER)})
        archive = f"{server.url}/dicom-web"
        yield Place(archive, f"{server.url}/", f"{archive}/studies", f"{server.url}/studies?expand", known)


def _with_challenge(challenge: str) -> Start:
    refusal = f"add_header WWW-Authenticate '{challenge}' always; return 401;"
    gate = f'if ($http_authorization != "Bearer {KEY}") {{ {refusal} }}'
    return before(proxied(gate), options={"headers": {"Authorization": f"Bearer {KEY}"}})


def _auth_request(answer: str = "return 401;", gate: str = "", outside: str = "") -> Start:
    asked = f'location = /session {{ internal; if ($cookie_session = "{KEY}") {{ return 204; }} {answer} }}'
    site = proxied(f"auth_request /session; {gate}", outside=f"{asked}\n{outside}", files=FILES)
    return before(site, cookie=True)


def _mutual_tls(*, optional: bool = False) -> Start:
    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        gate = ""
        if optional:
            gate = (
                f"ssl_client_certificate {material.files.authority}; ssl_verify_client optional;\n"
                'if ($ssl_client_verify != "SUCCESS") { return 403; }'
            )
        site = Site(f"{gate}\nlocation / {{ proxy_pass {material.behind.url}; }}")
        with nginx(site, tls=material.files, client_certificate=not optional) as server:
            yield place_of(server, client_of(material.client))

    return start


_CHALLENGES = (
    _both(
        "basic",
        "nginx, Basic login",
        before(basic(), options=BASIC_KEY),
        gated(State.GATED_BASIC),
        "A challenge with 401. Over http the password of whoever logs in can be read on the way.",
    ),
    _both("digest", "lighttpd, Digest login", _digest, gated(State.GATED_DIGEST), "A challenge with 401."),
    _both(
        "bearer",
        "nginx, wants a token",
        _with_challenge('Bearer realm="synthetic"'),
        gated(State.GATED_BEARER),
        "A challenge with 401.",
    ),
    _both(
        "negotiate",
        "nginx, challenges by Negotiate",
        _with_challenge("Negotiate"),
        gated(State.GATED_CHALLENGE),
        "A challenge with 401, of a scheme that we do not speak; we speak none.",
    ),
    Front(
        "auth-request",
        "nginx, auth_request with 401",
        _auth_request(),
        gated(State.DENIED_NO_CHALLENGE),
        doubted(State.INCONCLUSIVE_DENIED),
        "401 without a challenge, for the canary and for nonsense: the caller is meant. Of a page there is no second"
        " request to tell.",
    ),
    _both(
        "auth-request-403",
        "nginx, auth_request with 403",
        _auth_request("return 403;"),
        doubted(State.INCONCLUSIVE_DENIED),
        "403 need not mean strangers: a store of files says it of whatever it does not have.",
    ),
    _both(
        "auth-request-login",
        "nginx, auth_request that sends on to a login",
        _auth_request(gate="error_page 401 = @login;", outside="location @login { return 302 /login; }\n" + LOGIN),
        gated(State.GATED_REDIRECT_LOCAL),
        "A redirect to a login on the same server, which is not asked.",
    ),
    _both(
        "client-required",
        "nginx, requires a client certificate",
        _mutual_tls(),
        gated(State.GATED_CLIENT_CERT),
        "nginx says so by an answer of HTTP with 400, after the handshake.",
    ),
    _both(
        "client-optional",
        "nginx, 403 without a client certificate",
        _mutual_tls(optional=True),
        doubted(State.INCONCLUSIVE_DENIED),
        "403 does not say what is missing.",
    ),
)

_REDIRECTS = tuple(
    _both(
        f"redirect-{status}-{'here' if here else 'elsewhere'}",
        f"nginx, {status} to a login {'here' if here else 'elsewhere'}",
        before(
            without_session(
                f"return {status} {'/login' if here else _ELSEWHERE}?next=$request_uri;", outside=LOGIN, files=FILES
            ),
            cookie=True,
        ),
        gated(State.GATED_REDIRECT_LOCAL if here else State.GATED_REDIRECT_EXTERNAL),
        "Recognised by where it leads. It is not followed, and the Location repeats our question, so that only its"
        " origin is kept.",
    )
    for status in (301, 302, 303, 307, 308)
    for here in (True, False)
)

_PAGES = (
    _both(
        "redirect-portal",
        "nginx, redirect to a portal",
        before(without_session("return 302 https://www.example.net/portal;"), cookie=True),
        doubted(State.REDIRECTED),
        "Nothing in the Location says login, so that it may as well be the new address of the archive.",
    ),
    _both(
        "form-everywhere",
        "nginx, the login form with 200 for every path",
        before(
            without_session(FORM, outside="location = /login.html { }", files=FILES),
            cookie=True,
        ),
        gated(State.GATED_FORM),
        "The form is a sign of its own, whatever the status. That canary and nonsense are alike says nothing more.",
    ),
    _both(
        "form-401",
        "nginx, the login form with 401",
        before(
            without_session(
                "return 401;",
                outside="error_page 401 /login.html; location = /login.html { internal; }",
                files=FILES,
            ),
            cookie=True,
        ),
        gated(State.GATED_FORM),
        "As with 200.",
    ),
    Front(
        "script-login",
        "nginx, a page that goes to a login by script, for every path",
        before(
            without_session(
                "rewrite ^ /go.html last;",
                outside="location = /go.html { }\n" + LOGIN,
                files=FILES | {"go.html": BY_SCRIPT},
            ),
            cookie=True,
        ),
        doubted(State.CATCH_ALL),
        doubted(State.INCONCLUSIVE_SCRIPT_LOGIN),
        "Who runs no script is not held back by one. That it is shown for every path is the only gate here, and does"
        " not show itself as one.",
    ),
    Front(
        "refresh-login",
        "nginx, a page that refreshes to a login, for every path",
        before(
            without_session(
                "rewrite ^ /go.html last;",
                outside="location = /go.html { }\n" + LOGIN,
                files=FILES | {"go.html": BY_REFRESH},
            ),
            cookie=True,
        ),
        doubted(State.CATCH_ALL),
        doubted(State.INCONCLUSIVE_SCRIPT_LOGIN),
        "As with a script.",
    ),
    Front(
        "json-says-no",
        "nginx, 200 with JSON that says no",
        before(
            without_session('return 200 \'{"error":"unauthorized"}\';', outside="default_type application/json;"),
            cookie=True,
        ),
        doubted(State.CATCH_ALL),
        doubted(State.NOT_THIS_SERVICE),
        "A status of success and JSON prove nothing; canary and nonsense are alike.",
    ),
    Front(
        "json-repeats",
        "nginx, 200 with JSON that says no and repeats the path",
        before(
            without_session(
                'return 200 \'{"error":"unauthorized","path":"$request_uri"}\';',
                outside="default_type application/json;",
            ),
            cookie=True,
        ),
        doubted(State.CATCH_ALL),
        doubted(State.NOT_THIS_SERVICE),
        "Alike, once what they repeat of the question is taken out.",
    ),
)

GATES = (*_CHALLENGES, *_REDIRECTS, *_PAGES)
