"""The rules about web services, on what the web probe saw of real servers: each is judged as what it really is."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from checker.demo import Hospital, hospital
from checker.model import Asset, AssetManners, Facts, Role, Service, ServiceKind, Status
from checker.net.http import HttpDoor
from checker.probes.web import probe_dicomweb, probe_web
from checker.rules import catalogue
from checker.rules.base import Case
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
from tests.live.servers.orthanc import AUTHENTICATED, OPEN, orthanc
from tests.live.talking import talking

pytestmark = pytest.mark.live

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN


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


def judged(case: Case) -> dict[str, Status]:
    """What each web rule says; of a rule for both services that of the page, that of the archive after a slash."""
    said: dict[str, Status] = {}
    for entry in catalogue():
        if entry.family != "web":
            continue
        for one in service_cases(case):
            if entry.rule.applies(one.the_service()):
                of_archive = one.the_service().kind is ServiceKind.DICOMWEB and entry.id != "web.archive-open"
                name = entry.id.removeprefix("web.") + ("/archive" if of_archive else "")
                said[name] = entry.rule.judge(one).status
    return said


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
