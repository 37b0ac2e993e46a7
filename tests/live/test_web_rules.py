"""The rules about web services, on what the web probe saw of real servers: each is judged as what it really is."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from checker.demo import Hospital, hospital
from checker.model import Asset, AssetManners, Facts, Role, Service, ServiceKind, Severity, Status
from checker.net.http import HttpDoor
from checker.probes.web import probe_dicomweb, probe_web
from checker.rules import catalogue
from checker.rules.base import Case, Verdict
from checker.rules.cases import service_cases
from checker.rules.examples import asset_case, seen
from tests.live.certificates import Authority
from tests.live.servers.nginx import (
    Site,
    directory_listing,
    filter_ignored,
    json_error,
    login_form_everywhere,
    nginx,
    plain_page,
    redirect_elsewhere,
    redirect_to_https,
    redirect_to_login,
    static_dicomweb,
    viewer_shell,
)
from tests.live.servers.orthanc import AUTHENTICATED, OPEN, USER, Orthanc, OrthancOptions, orthanc
from tests.live.talking import talking

pytestmark = pytest.mark.live

PASS, FAIL, UNKNOWN, NONE = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE


async def visited(host: str, *services: Service) -> Case:
    """The case of an asset with these web services, each asked by its probe."""
    door = HttpDoor("pacs-checker/0 (synthetic; tests)")
    found: list[tuple[int, int, Facts]] = []
    for index, service in enumerate(services):
        with talking(host, service.port, services) as session:
            if service.kind is ServiceKind.DICOMWEB:
                await probe_dicomweb(session.talk, service, door=door)
            else:
                await probe_web(session.talk, service, door=door)
        found += [(index, service.port, facts) for facts in session.facts]
    await door.aclose()
    of = Asset(
        id="synthetic-asset",
        name="Synthetic viewer with its archive",
        addresses=(host,),
        hostname=None,
        role=Role.VIEWER,
        site="synthetic-campus",
        zone=None,
        owner=None,
        manners=AssetManners(),
        services=services,
    )
    return asset_case(of, *(seen(facts, index, host, port) for index, port, facts in found))


def services(url: str, page: str = "/", root: str = "/dicom-web") -> tuple[Service, Service]:
    """A page and a DICOMweb service of one server."""
    port = int(url.rsplit(":", 1)[1])
    return (
        Service(ServiceKind.WEB, port, url=url + page),
        Service(ServiceKind.DICOMWEB, port, url=url + root),
    )


def verdicts(case: Case) -> dict[str, Verdict]:
    """What each web rule says, by its name; of a rule for both services what it says of the archive after a slash.

    Of `archive-open` it is the archive that is meant, and what it says of the page that stands after a slash.
    """
    said: dict[str, Verdict] = {}
    for entry in catalogue():
        if entry.family != "web":
            continue
        for one in service_cases(case):
            if entry.rule.applies(one.the_service()):
                of_archive = one.the_service().kind is ServiceKind.DICOMWEB
                if entry.id == "web.archive-open":
                    further = "" if of_archive else "/page"
                else:
                    further = "/archive" if of_archive else ""
                said[entry.id.removeprefix("web.") + further] = entry.rule.judge(one)
    return said


def judged(case: Case) -> dict[str, Status]:
    """The same, as statuses."""
    return {name: verdict.status for name, verdict in verdicts(case).items()}


def opened(case: Case) -> Status:
    return next(entry.rule for entry in catalogue() if entry.id == "archive.open").judge(case).status


# ------------------------------------------------------------------------------------------------------------ nginx

BASIC = Site(
    'auth_basic "Synthetic Secure Area"; auth_basic_user_file {folder}/passwords;\n'
    "location / { try_files /none =404; }",
    passwords=True,
)
FORBIDDEN = Site("location / { deny all; }")
# What a store of files does that lets nobody list it: it denies whatever it does not have, and its studies are public.
STORE = Site(
    "location = /dicom-web/studies { default_type application/dicom+json; try_files /studies.json =403; }\n"
    "location / { return 403; }",
    static_dicomweb().files,
)


# Anybody may browse the cases of this page, and whoever has a password may log in to see more.
OPEN_PAGE_WITH_A_LOGIN = Site(
    "location / { default_type text/html; try_files /index.html =404; }",
    {
        "index.html": '<!doctype html><title>Teaching cases</title><a href="/case/1">Case 1</a><img src="/case/1.png">'
        '<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>'
    },
)
# Another host's default page answers for whatever is asked.
WRONG_HOST = Site(
    "location / { default_type text/html; try_files /index.html =404; }",
    {"index.html": "<!doctype html><title>Welcome</title><h1>It works</h1>"},
)
MISDIRECTED = Site("location / { return 421; }")
WEBSOCKET = Site(
    "location / { add_header Upgrade websocket always; add_header Connection Upgrade always; return 426; }"
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a site, as each rule is to say it; `whole` is `archive.open`."""

    archive: Status
    viewer: Status
    whole: Status
    cleartext: Status
    basic: Status
    login: Status
    listing: Status

    def told(self) -> Mapping[str, Status]:
        return {
            "archive-open": self.archive,
            "viewer-unauthenticated": self.viewer,
            "cleartext": self.cleartext,
            "basic-over-cleartext": self.basic,
            "login-over-cleartext": self.login,
            "directory-listing": self.listing,
        }


SITES: list[tuple[str, Callable[[], Site], Truth]] = [
    ("basic", lambda: BASIC, Truth(PASS, PASS, PASS, FAIL, FAIL, PASS, PASS)),
    ("redirect to a login", redirect_to_login, Truth(PASS, PASS, PASS, FAIL, PASS, UNKNOWN, PASS)),
    ("redirect elsewhere", redirect_elsewhere, Truth(PASS, PASS, PASS, FAIL, PASS, PASS, PASS)),
    ("login form everywhere", login_form_everywhere, Truth(PASS, PASS, PASS, FAIL, PASS, FAIL, PASS)),
    ("shell, gated", viewer_shell, Truth(PASS, PASS, PASS, FAIL, PASS, UNKNOWN, PASS)),
    ("shell, bearer", partial(viewer_shell, api="bearer"), Truth(PASS, PASS, PASS, FAIL, PASS, UNKNOWN, PASS)),
    ("shell, open", partial(viewer_shell, api="open"), Truth(FAIL, FAIL, FAIL, FAIL, PASS, UNKNOWN, PASS)),
    (
        "shell everywhere",
        partial(viewer_shell, api="none"),
        Truth(UNKNOWN, UNKNOWN, UNKNOWN, FAIL, PASS, UNKNOWN, PASS),
    ),
    ("json that says no", json_error, Truth(UNKNOWN, UNKNOWN, UNKNOWN, FAIL, PASS, PASS, PASS)),
    ("static DICOMweb", static_dicomweb, Truth(FAIL, UNKNOWN, FAIL, FAIL, UNKNOWN, UNKNOWN, UNKNOWN)),
    ("filter ignored", filter_ignored, Truth(FAIL, UNKNOWN, FAIL, FAIL, UNKNOWN, UNKNOWN, UNKNOWN)),
    ("directory listing", directory_listing, Truth(UNKNOWN, UNKNOWN, UNKNOWN, FAIL, PASS, PASS, FAIL)),
    ("plain page", plain_page, Truth(UNKNOWN, UNKNOWN, UNKNOWN, FAIL, PASS, PASS, PASS)),
    (
        "redirect to https",
        partial(redirect_to_https, 8443),
        Truth(UNKNOWN, UNKNOWN, UNKNOWN, PASS, PASS, PASS, UNKNOWN),
    ),
    (
        "open page with a login form",
        lambda: OPEN_PAGE_WITH_A_LOGIN,
        Truth(UNKNOWN, UNKNOWN, UNKNOWN, FAIL, PASS, FAIL, PASS),
    ),
    ("default page of another host", lambda: WRONG_HOST, Truth(UNKNOWN, UNKNOWN, UNKNOWN, FAIL, PASS, PASS, PASS)),
    ("misdirected", lambda: MISDIRECTED, Truth(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)),
    (
        "redirect to https of another host",
        lambda: Site("location / { return 308 https://portal.example.net$request_uri; }"),
        Truth(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, PASS, PASS, UNKNOWN),
    ),
    ("forbidden", lambda: FORBIDDEN, Truth(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, PASS)),
    ("open store of files", lambda: STORE, Truth(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, PASS)),
]


@pytest.mark.parametrize(("site", "truth"), [pytest.param(site, truth, id=name) for name, site, truth in SITES])
async def test_an_nginx_is_judged_as_what_it_is(site: Callable[[], Site], truth: Truth) -> None:
    with nginx(site()) as server:
        case = await visited(server.host, *services(server.url))
    said = judged(case)
    assert {name: said[name] for name in truth.told()} == truth.told()
    assert opened(case) is truth.whole
    assert said["version-disclosed"] is said["version-disclosed/archive"] is FAIL
    assert "hsts-missing" not in said


@pytest.mark.parametrize(
    ("site", "state"),
    [
        (OPEN_PAGE_WITH_A_LOGIN, "inconclusive-form"),
        (login_form_everywhere(), "gated-form"),
        (WEBSOCKET, "inconclusive-websocket"),
        (MISDIRECTED, "not-this-service"),
        (WRONG_HOST, "page-public"),
    ],
)
async def test_a_page_is_in_the_state_that_it_is_in(site: Site, state: str) -> None:
    with nginx(site) as server:
        said = verdicts(await visited(server.host, *services(server.url)))
    assert said["viewer-unauthenticated"].evidence["state"] == state


async def test_a_server_that_speaks_http2_alone_is_not_judged() -> None:
    with nginx(plain_page(), http2=True) as server:
        said = verdicts(await visited(server.host, *services(server.url)))
    assert said["viewer-unauthenticated"].evidence["state"] == "inconclusive-http2"
    assert said["archive-open"].evidence["state"] == "inconclusive-http2"
    assert {verdict.status for verdict in said.values()} == {UNKNOWN}


@pytest.mark.parametrize(
    ("hsts", "expected"),
    [("max-age=31536000; max-age=0", FAIL), ("includeSubDomains", FAIL), ("max-age=60; includeSubDomains", PASS)],
)
async def test_a_header_that_browsers_ignore_is_none(authority: Authority, hsts: str, expected: Status) -> None:
    site = plain_page(headers={"Strict-Transport-Security": hsts})
    with nginx(site, tls=authority.valid()) as server:
        assert judged(await visited(server.host, *services(server.url)))["hsts-missing"] is expected


async def test_a_session_cookie_that_is_only_removed_is_none() -> None:
    removed = "remember=deleted; Path=/; Max-Age=0; Expires=Mon, 23-Nov-2026 02:00:00 GMT"
    with nginx(plain_page(headers={"Set-Cookie": removed})) as server:
        assert judged(await visited(server.host, *services(server.url)))["cookie-flags"] is NONE


async def test_an_nginx_over_tls_is_judged_for_its_header(authority: Authority) -> None:
    for hsts, expected in ((True, PASS), (False, FAIL)):
        with nginx(plain_page(hsts=hsts), tls=authority.valid()) as server:
            said = judged(await visited(server.host, *services(server.url)))
        assert said["hsts-missing"] is expected
        # Its DICOMweb root is not found, and a header missing there would show nothing.
        assert said["hsts-missing/archive"] is (PASS if hsts else UNKNOWN)
        assert "cleartext" not in said


async def test_an_nginx_that_asks_for_a_client_certificate_is_shut(authority: Authority) -> None:
    with nginx(viewer_shell(api="open"), tls=authority.valid(), client_certificate=True) as server:
        case = await visited(server.host, *services(server.url))
    said = judged(case)
    assert (said["archive-open"], said["viewer-unauthenticated"], opened(case)) == (PASS, PASS, PASS)


async def test_a_session_cookie_of_a_login_is_judged() -> None:
    with nginx(login_form_everywhere()) as server:
        said = judged(await visited(server.host, *services(server.url)))
    assert said["cookie-flags"] is said["cookie-flags/archive"] is FAIL


async def test_nobody_at_home_is_unknown_to_every_rule() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens on it
        said = judged(await visited("127.0.0.1", *services(f"http://127.0.0.1:{held.getsockname()[1]}")))
    assert set(said.values()) == {UNKNOWN}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


# ---------------------------------------------------------------------------------------------------------- Orthanc


async def test_an_orthanc_as_it_comes_is_open() -> None:
    with orthanc(OPEN) as server:
        case = await visited(server.host, *services(server.url))
    said = judged(case)
    assert (said["archive-open"], said["viewer-unauthenticated"], opened(case)) == (FAIL, FAIL, FAIL)
    assert (said["cleartext"], said["cleartext/archive"]) == (FAIL, FAIL)
    assert (said["basic-over-cleartext"], said["basic-over-cleartext/archive"]) == (PASS, PASS)


async def test_an_orthanc_with_passwords_is_shut_and_asks_for_them_in_the_clear() -> None:
    with orthanc(AUTHENTICATED) as server:
        case = await visited(server.host, *services(server.url))
    said = judged(case)
    assert (said["archive-open"], said["viewer-unauthenticated"], opened(case)) == (PASS, PASS, PASS)
    assert (said["basic-over-cleartext"], said["basic-over-cleartext/archive"]) == (FAIL, FAIL)


@pytest.fixture(scope="module")
def open_orthanc() -> Iterator[Orthanc]:
    with orthanc(OPEN) as server:
        yield server


@pytest.fixture(scope="module")
def gated_orthanc() -> Iterator[Orthanc]:
    with orthanc(AUTHENTICATED) as server:
        yield server


@pytest.fixture(scope="module")
def orthanc_without_dicomweb() -> Iterator[Orthanc]:
    with orthanc(OrthancOptions(settings={"Plugins": [], "DicomWeb": {"Enable": False}})) as server:
        yield server


async def test_the_rest_interface_of_an_orthanc_is_a_door_of_its_own(
    orthanc_without_dicomweb: Orthanc, gated_orthanc: Orthanc
) -> None:
    (page, _) = services(orthanc_without_dicomweb.url, "/app/explorer.html")
    case = await visited(orthanc_without_dicomweb.host, page)
    said = verdicts(case)
    assert said["archive-open/page"].evidence["state"] == "open-rest"
    assert (said["archive-open/page"].status, said["viewer-unauthenticated"].status, opened(case)) == (FAIL, FAIL, FAIL)

    (page, _) = services(gated_orthanc.url, "/app/explorer.html")
    case = await visited(gated_orthanc.host, page)
    said = verdicts(case)
    assert said["archive-open/page"].evidence["state"] == "gated-basic"
    assert (said["archive-open/page"].status, said["viewer-unauthenticated"].status, opened(case)) == (PASS, PASS, PASS)


async def test_a_proxy_that_guards_dicomweb_alone_leaves_the_rest_interface_open(open_orthanc: Orthanc) -> None:
    guarded = Site(
        'location /dicom-web/ { auth_basic "Orthanc Secure Area"; auth_basic_user_file {folder}/passwords;'
        f" proxy_pass {open_orthanc.url}; }}\nlocation / {{ proxy_pass {open_orthanc.url}; }}",
        passwords=True,
    )
    with nginx(guarded) as server:
        (_, archive) = services(server.url)
        said = verdicts(await visited(server.host, archive))
    assert (said["archive-open"].status, said["archive-open"].evidence["state"]) == (FAIL, "open-rest")


# ------------------------------------------------------------------------------------------- the pages of other sites

ORIGINS = {
    "any": "add_header Access-Control-Allow-Origin * always;",
    "any, to successes alone": "add_header Access-Control-Allow-Origin *;",
    "echoed": "add_header Access-Control-Allow-Origin $http_origin always;"
    " add_header Access-Control-Allow-Credentials true always;",
    "named": "add_header Access-Control-Allow-Origin https://viewer.example.org always;",
    "nobody": "",
}


def before(server: Orthanc, header: str) -> Site:
    """A proxy before an Orthanc, which adds this header."""
    return Site(f"location / {{ {header} proxy_pass {server.url}; }}")


@pytest.mark.parametrize(
    ("allowed", "of_open", "of_gated"),
    [
        ("any", (FAIL, Severity.HIGH), (FAIL, Severity.LOW)),
        ("echoed", (FAIL, Severity.HIGH), (FAIL, Severity.LOW)),
        ("named", (PASS, None), (PASS, None)),
        ("any, to successes alone", (FAIL, Severity.HIGH), (UNKNOWN, Severity.LOW)),
        ("nobody", (PASS, None), (UNKNOWN, Severity.LOW)),
    ],
)
async def test_whose_pages_may_read_an_orthanc(
    open_orthanc: Orthanc,
    gated_orthanc: Orthanc,
    allowed: str,
    of_open: tuple[Status, Severity | None],
    of_gated: tuple[Status, Severity | None],
) -> None:
    for behind, (status, severity) in ((open_orthanc, of_open), (gated_orthanc, of_gated)):
        with nginx(before(behind, ORIGINS[allowed])) as server:
            (_, archive) = services(server.url)
            verdict = verdicts(await visited(server.host, archive))["cors-open/archive"]
        assert verdict.status is status
        if severity is not None:
            # What a rule does not say otherwise is its base, which is high.
            assert (verdict.severity or Severity.HIGH) is severity


async def test_a_refusal_without_the_header_hides_what_users_get(gated_orthanc: Orthanc) -> None:
    """Why a gated archive does not pass for want of the header: nginx adds it to what users get, and to no refusal."""
    import httpx

    with nginx(before(gated_orthanc, ORIGINS["any, to successes alone"])) as server:
        async with httpx.AsyncClient(trust_env=False) as client:
            refused = await client.get(f"{server.url}/dicom-web/studies")
            served = await client.get(f"{server.url}/dicom-web/studies", auth=USER)
    assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (401, None)
    assert (served.status_code, served.headers.get("access-control-allow-origin")) == (200, "*")


# ------------------------------------------------------------------------------------- what a configuration leads to


def shell_reading(root: str, further: str = "") -> Site:
    """OHIF's shell, whose configuration names one root, and what else the server has."""
    site = viewer_shell(api="none")
    files = dict(site.files)
    files["app-config.js"] = (
        "window.config = {routerBasename: '/', dataSources: [{sourceName: 'dicomweb', configuration: {"
        f"qidoRoot: '{root}', wadoRoot: '{root}'}}}}]}};\n"
    )
    return Site(f"{further}\n{site.body}", files)


GATED_ROOT = "location /rs/ { add_header WWW-Authenticate 'Bearer realm=\"synthetic\"' always; return 401; }"
OPEN_ROOT = (
    "location ~ ^/rs/studies/[0-9.]+/series$ { default_type application/dicom+json; return 200 '[]'; }\n"
    "location /rs/ { return 404; }"
)


@pytest.mark.parametrize(
    ("site", "state", "archive", "whole"),
    [
        (shell_reading("/rs", GATED_ROOT), "shell-public-api-gated", PASS, PASS),
        (shell_reading("/rs", OPEN_ROOT), "page-public-api-open", FAIL, FAIL),
        (shell_reading("/rs"), "shell-public-api-unknown", UNKNOWN, UNKNOWN),
        (shell_reading("https://pacs.example.net/rs", GATED_ROOT), "shell-public-api-unknown", NONE, UNKNOWN),
    ],
    ids=["gated", "open", "everything is the shell", "elsewhere"],
)
async def test_a_shell_is_judged_by_the_archive_that_its_configuration_names(
    site: Site, state: str, archive: Status, whole: Status
) -> None:
    with nginx(site) as server:
        (page, _) = services(server.url)
        case = await visited(server.host, page)
    said = verdicts(case)
    assert said["viewer-unauthenticated"].evidence["state"] == state
    assert (said["archive-open/page"].status, opened(case)) == (archive, whole)
    assert said["configuration-exposed"].status is PASS


async def test_a_shell_whose_archive_is_declared_is_not_judged_by_another() -> None:
    """The archive that the configuration names is elsewhere; that the declared one is gated says nothing of it."""
    with nginx(shell_reading("https://pacs.example.net/rs", GATED_ROOT)) as server:
        said = verdicts(await visited(server.host, *services(server.url, root="/rs")))
    assert said["archive-open"].status is PASS
    assert said["viewer-unauthenticated"].status is UNKNOWN


@pytest.mark.parametrize("root", ["http://10.20.1.5:8042/dicom-web", "http://orthanc:8042/dicom-web"])
async def test_a_configuration_that_names_an_internal_host_is_told(root: str) -> None:
    with nginx(shell_reading(root)) as server:
        (page, _) = services(server.url)
        verdict = verdicts(await visited(server.host, page))["configuration-exposed"]
    assert verdict.status is FAIL
    assert "orthanc" not in repr(verdict.summary)


# ------------------------------------------------------------------------------------------------------------- demo


@pytest.fixture(scope="module")
def running() -> Iterator[Hospital]:
    block, number = divmod(os.getpid() % 7500, 250)
    # A network of this process alone, apart from those of the other tests that start the hospital.
    with hospital(f"127.{220 + block}.{number}.0/24") as started:
        yield started


@pytest.mark.parametrize(
    ("asset_id", "page", "expected"),
    [
        ("arc-open", None, {"archive-open": FAIL, "cleartext/archive": FAIL}),
        (
            "arc-checked",
            None,
            {"archive-open": PASS, "hsts-missing/archive": UNKNOWN, "version-disclosed/archive": FAIL},
        ),
        ("viewer-login", "/viewer/", {"viewer-unauthenticated": PASS, "hsts-missing": PASS, "version-disclosed": PASS}),
        ("viewer-open", "/viewer/", {"viewer-unauthenticated": FAIL, "archive-open": FAIL, "cookie-flags": FAIL}),
        ("viewer-spa", "/", {"viewer-unauthenticated": PASS, "archive-open": PASS, "hsts-missing": FAIL}),
    ],
)
async def test_the_simulated_hospital_is_judged_as_it_was_built(
    running: Hospital, asset_id: str, page: str | None, expected: Mapping[str, Status]
) -> None:
    simulated = running.asset(asset_id)
    port = next(port for port in simulated.ports if port in (8088, 8443))
    url = f"{'https' if port == 8443 else 'http'}://{simulated.address}:{port}"
    web, dicomweb = services(url, page or "/")
    wanted = (dicomweb,) if page is None else (web,) if asset_id == "viewer-login" else (web, dicomweb)
    said = judged(await visited(simulated.address, *wanted))
    assert {name: said[name] for name in expected} == expected
