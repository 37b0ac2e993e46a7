"""What the web probe learns from products: Orthanc's REST interface, OHIF's and dcm4chee-arc's public configurations.

Real servers, each with an archive behind it that is truly open or truly gated; where a server keeps a log, it also
shows that nothing else was asked of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checker.codecs.http_questions import MOST_ROOTS_ASKED
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, PortFacts, Service, ServiceKind
from checker.net.http import HttpDoor
from checker.probes.web import Reach, probe_dicomweb, probe_web
from tests.live.certificates import Authority
from tests.live.checking import Run, check, inventory
from tests.live.servers.nginx import Nginx, Site, nginx, plain_page
from tests.live.servers.openssl import s_server
from tests.live.servers.orthanc import AUTHENTICATED, OPEN, Orthanc, orthanc
from tests.live.servers.process import LOOPBACK
from tests.live.synthetic import markers_in, studies
from tests.live.talking import Session, talking
from tests.live.test_web_probe import answering

pytestmark = pytest.mark.live

PAGE, CONFIGURATION, REST = HttpPurpose.PAGE, HttpPurpose.CONFIGURATION, HttpPurpose.REST
CANARY, CONTROL = HttpPurpose.CANARY, HttpPurpose.CONTROL
SIGN = "the archive's clock, a plain time stamp at /tools/now"

SHELL = (
    '<!doctype html><html><head><title>OHIF Viewer</title><script src="app-config.js"></script></head>'
    '<body><div id="root"></div><script src="app.js"></script></body></html>'
)
DCM4CHEE_UI = (
    "<!doctype html><html><head><title>dcm4chee-arc-ui</title></head><body><app-root></app-root></body></html>"
)
# An empty list for the series of any study, as dcm4chee-arc's 204 is; 404 for what is no route.
OPEN_API = """
location ~ ^{root}/studies/[0-9.]+/series$ {{ default_type application/dicom+json; return 200 '[]'; }}
location {root}/ {{ return 404; }}
"""
GATED_API = """
location {root}/ {{ add_header WWW-Authenticate 'Bearer realm="synthetic"' always; return 401; }}
"""


def configuration(root: str, *, login: bool = False) -> str:
    """A synthetic app-config.js with what OHIF's own have: comments, other services, a login where one is wanted."""
    oidc = """
      oidc: [{ authority: 'https://login.intranet/realms/synthetic', client_id: 'synthetic-viewer' }],"""
    return f"""/** @type {{AppTypes.Config}} */
    window.config = {{
      routerBasename: '/',
      extensions: [],
      modes: [],
      // qidoRoot: 'http://comment.intranet/dicom-web', and a quote that never ends: '
      showStudyList: true,{oidc if login else ""}
      /* oidc: [{{ client_id: 'in-a-comment' }}] */
      dataSources: [{{
        namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
        sourceName: 'dicomweb',
        configuration: {{
          name: 'synthetic',
          wadoUriRoot: '/wado',
          qidoRoot: '{root}',
          wadoRoot: '{root}',
          imageRendering: 'wadors',
        }},
      }}],
      defaultDataSourceName: 'dicomweb',
    }};
    """


def viewer(root: str, api: str = "", *, login: bool = False) -> Site:
    """OHIF in a folder of its own: every path below it is the shell, but for its configuration."""
    return Site(
        f"{api}\nlocation /ohif/ {{ try_files $uri /ohif/index.html; }}\nlocation / {{ return 404; }}",
        {"ohif/index.html": SHELL, "ohif/app-config.js": configuration(root, login=login)},
    )


async def ask(
    url: str, kind: ServiceKind = ServiceKind.WEB, *, reach: Reach | None = None, most: int | None = None
) -> Session:
    """Probe one declared URL."""
    port = int(re.sub(r".*:([0-9]+).*", r"\1", url))
    service = Service(kind, port, url=url)
    door = HttpDoor("pacs-checker/0 (synthetic; tests)")
    more = {} if most is None else {"most": most}
    with talking(LOOPBACK, port, [service]) as session:
        if kind is ServiceKind.WEB:
            await probe_web(session.talk, service, door=door, reach=reach, **more)
        else:
            await probe_dicomweb(session.talk, service, door=door, **more)
    await door.aclose()
    assert markers_in(repr(session.facts).encode()) == ()
    return session


def http(session: Session) -> list[HttpFacts]:
    return session.of(HttpFacts)


def purposes(session: Session) -> list[HttpPurpose]:
    return [facts.purpose for facts in http(session)]


# ---------------------------------------------------------------------------------------------------------- Orthanc


@pytest.fixture(scope="module")
def open_orthanc() -> Iterator[Orthanc]:
    with orthanc(OPEN) as server:
        yield server


@pytest.fixture(scope="module")
def gated_orthanc() -> Iterator[Orthanc]:
    with orthanc(AUTHENTICATED) as server:
        yield server


async def test_the_clock_of_an_open_orthanc_is_a_sign_of_its_open_interface(open_orthanc: Orthanc) -> None:
    session = await ask(f"{open_orthanc.url}/app/explorer.html")
    page, clock = http(session)
    assert (page.product, page.status) == ("orthanc", 200)
    assert clock == HttpFacts(
        purpose=REST,
        path="/tools/now",
        end=HttpEnd.ANSWERED,
        status=200,
        media_type="text/plain",
        body=BodyKind.OTHER,
        length_class=16,
        rest_sign=SIGN,
    )
    assert session.purposes == ["web page", "web rest"]


async def test_an_open_orthanc_is_not_recognised_by_its_dicomweb_and_is_asked_no_more(open_orthanc: Orthanc) -> None:
    session = await ask(open_orthanc.dicomweb, ServiceKind.DICOMWEB)
    assert purposes(session) == [CANARY, CONTROL]
    # Orthanc knows nothing of CORS.
    assert [(facts.allow_origin, facts.allow_credentials) for facts in http(session)] == [("absent", False)] * 2


@pytest.mark.parametrize("kind", [ServiceKind.WEB, ServiceKind.DICOMWEB])
async def test_the_clock_of_a_gated_orthanc_is_gated_as_well(gated_orthanc: Orthanc, kind: ServiceKind) -> None:
    url = f"{gated_orthanc.url}/" if kind is ServiceKind.WEB else gated_orthanc.dicomweb
    clock = http(await ask(url, kind))[-1]
    assert (clock.purpose, clock.path, clock.status, clock.challenges) == (REST, "/tools/now", 401, ("basic",))
    assert clock.rest_sign is None


async def test_a_clock_that_others_show_is_no_sign() -> None:
    """The page of Orthanc before a server that answers everything with it."""
    with nginx(Site("location / { try_files /x.html =404; }", {"x.html": "<title>Orthanc Explorer</title>"})) as server:
        page, clock = http(await ask(f"{server.url}/"))
    assert (page.product, clock.purpose, clock.status, clock.rest_sign) == ("orthanc", REST, 200, None)


# ------------------------------------------------------------------------------------------------------------- OHIF


@pytest.mark.parametrize("login", [False, True], ids=["no login", "login"])
@pytest.mark.parametrize("root", ["/dicom-web", "../dicom-web/"], ids=["absolute", "relative"])
async def test_ohif_names_its_archive_on_the_same_origin_which_is_asked(root: str, login: bool) -> None:
    with nginx(viewer(root, OPEN_API.format(root="/dicom-web"), login=login)) as server:
        session = await ask(f"{server.url}/ohif/viewer")
        asked = server.requests(4)
    page, told, canary, control = http(session)
    assert (page.product, page.single_page_shell) == ("ohif", True)
    assert (told.purpose, told.path, told.status) == (CONFIGURATION, "/ohif/app-config.js", 200)
    assert (told.named_roots, told.signs_in) == (("/dicom-web",), login)
    # A comment is read by whoever reads the file; of what it says, no more than the hosts is taken for true.
    assert (told.names_internal_hosts, told.names_clients) == ((2, 1) if login else (1, 0))
    assert (canary.purpose, canary.status, canary.body) == (CANARY, 200, BodyKind.EMPTY_ARRAY)
    assert (control.purpose, control.status, control.body_alike) == (CONTROL, 404, False)
    assert canary.path == "/dicom-web/studies/<random>/series?limit=1"
    assert asked[1] == "GET /ohif/app-config.js HTTP/1.1"
    assert re.fullmatch(r"GET /dicom-web/studies/2\.25\.[0-9]+/series\?limit=1 HTTP/1\.1", asked[2])
    assert session.purposes == ["web page", "web configuration", "dicomweb canary", "dicomweb control"]


async def test_a_gated_archive_behind_a_public_ohif_shows_its_gate() -> None:
    with nginx(viewer("/dicom-web", GATED_API.format(root="/dicom-web"), login=True)) as server:
        _, told, canary, control = http(await ask(f"{server.url}/ohif/"))
    assert told.signs_in is True
    assert [(one.status, one.challenges) for one in (canary, control)] == [(401, ("bearer",))] * 2


async def test_a_real_orthanc_behind_the_viewers_proxy_is_found_open(open_orthanc: Orthanc) -> None:
    api = f"location /pacs/ {{ proxy_pass {open_orthanc.url}/dicom-web/; }}"
    with nginx(viewer("/pacs", api)) as server:
        _, told, canary, control = http(await ask(f"{server.url}/ohif/"))
    assert told.named_roots == ("/pacs",)
    assert [(one.status, one.body) for one in (canary, control)] == [
        (200, BodyKind.EMPTY_ARRAY),
        (404, BodyKind.JSON_OBJECT),
    ]


async def test_an_archive_elsewhere_is_named_by_its_origin_and_not_asked() -> None:
    with nginx(plain_page()) as other, nginx(viewer(f"{other.url}/dicom-web?x=1")) as bad:
        session = await ask(f"{bad.url}/ohif/")
        assert http(session)[1].named_roots == ("unknown",)  # one with a query is no root that could be asked
        with nginx(viewer(f"{other.url}/secret-name/dicom-web")) as server:
            session = await ask(f"{server.url}/ohif/")
        assert other.requests() == []
    assert purposes(session) == [PAGE, CONFIGURATION]
    assert http(session)[1].named_roots == (other.url,)
    assert "secret-name" not in repr(session.facts)


async def test_a_shell_in_place_of_a_configuration_says_nothing() -> None:
    site = Site("location / { try_files /index.html =404; }", {"index.html": SHELL})
    with nginx(site) as server:
        session = await ask(f"{server.url}/")
    assert purposes(session) == [PAGE, CONFIGURATION]
    told = http(session)[1]
    assert (told.status, told.body, told.named_roots, told.signs_in) == (200, BodyKind.HTML, (), None)


async def test_a_page_of_no_known_product_is_asked_for_no_configuration() -> None:
    site = Site("", {"index.html": "<title>Synthetic</title>", "app-config.js": configuration("/dicom-web")})
    with nginx(site) as server:
        session = await ask(f"{server.url}/")
        assert server.requests(1) == ["GET / HTTP/1.1"]
    assert purposes(session) == [PAGE]


async def test_an_archive_that_gives_data_is_dropped_unread_and_ends_the_questions() -> None:
    listed = Site(
        "location /dicom-web/ { default_type application/dicom+json; try_files /all.json =404; }\n"
        "location / { try_files $uri /index.html; }",
        {
            "index.html": SHELL,
            "all.json": json.dumps([{"00100010": {"vr": "PN", "Value": [{"Alphabetic": studies()[0].patient_name}]}}]),
            "app-config.js": configuration("/dicom-web"),
        },
    )
    with nginx(listed) as server:
        session = await ask(f"{server.url}/")
    assert purposes(session) == [PAGE, CONFIGURATION, CANARY]
    assert http(session)[2].body is BodyKind.FILLED_ARRAY


async def test_no_more_roots_are_asked_than_there_may_be() -> None:
    roots = [f"/archive-{letter}" for letter in "abcd"]
    text = configuration(roots[0]) + "".join(f"window.config.x = {{ qidoRoot: '{root}' }};\n" for root in roots)
    site = Site(
        "location /archive- { return 401; }\nlocation / { try_files $uri /index.html; }",
        {"index.html": SHELL, "app-config.js": text},
    )
    with nginx(site) as server:
        session = await ask(f"{server.url}/")
        fewer = await ask(f"{server.url}/", most=3)
    assert http(session)[1].named_roots == tuple(roots)
    assert purposes(session) == [PAGE, CONFIGURATION] + [CANARY, CONTROL] * MOST_ROOTS_ASKED
    assert session.device.gaps == ["a configuration names more DICOMweb roots here than are asked"]
    assert purposes(fewer) == [PAGE, CONFIGURATION]
    assert "the budget left no connection for what a web product is asked beyond its page" in fewer.device.gaps


# ----------------------------------------------------------------------------------------------------- dcm4chee-arc


@pytest.mark.parametrize("login", [False, True], ids=["plain", "keycloak"])
async def test_dcm4chee_says_whether_it_has_a_login(login: bool) -> None:
    keycloak = (
        '{"realm": "synthetic", "auth-server-url": "https://keycloak:8843", "ssl-required": "external",'
        ' "resource": "synthetic-ui", "public-client": true}'
    )
    api = (GATED_API if login else OPEN_API).format(root="/dcm4chee-arc/aets/SYNTH/rs")
    site = Site(
        api + "location = /dcm4chee-arc/ui2/rs/keycloak.json { default_type application/json; try_files /k.json =404; }"
        "\nlocation /dcm4chee-arc/ui2/ { try_files /ui.html =404; }",
        {"ui.html": DCM4CHEE_UI, "k.json": keycloak if login else "{}"},
    )
    with nginx(site) as server:
        session = await ask(f"{server.url}/dcm4chee-arc/ui2/en/")
        archive = await ask(f"{server.url}/dcm4chee-arc/aets/SYNTH/rs", ServiceKind.DICOMWEB)
    page, told = http(session)
    assert page.product == "dcm4chee-arc"
    assert (told.purpose, told.path) == (CONFIGURATION, "/dcm4chee-arc/ui2/rs/keycloak.json")
    assert (told.signs_in, told.names_internal_hosts, told.names_clients) == ((True, 1, 1) if login else (False, 0, 0))
    assert [facts.status for facts in http(archive)] == ([401, 401] if login else [200, 404])
    assert "synthetic-ui" not in repr(session.facts)


# ------------------------------------------------------------------------------------------------- the whole product


def viewer_asset(server: Nginx, **more: Any) -> dict[str, Any]:
    return {"id": "viewer", "address": LOOPBACK, "role": "viewer", "services": [_web(server)], **more}


def _web(server: Nginx) -> dict[str, Any]:
    return {"kind": "web", "url": f"{server.url}/ohif/"}


def requests(run: Run, asset: str = "viewer") -> list[tuple[str, str, int]]:
    """Each request of an asset as (purpose, path, port)."""
    return [
        (one["facts"]["purpose"], one["facts"]["path"], one["port"])
        for one in run.observations
        if one["asset_id"] == asset and one["facts"]["type"] == "http"
    ]


def checked(folder: Path, assets: Sequence[Mapping[str, Any]]) -> Run:
    run = check(inventory(folder, assets))
    assert run.markers() == {}
    return run


def test_an_archive_on_another_port_is_asked_where_the_inventory_declares_it(
    tmp_path: Path, open_orthanc: Orthanc
) -> None:
    with nginx(viewer(open_orthanc.dicomweb)) as server:
        declared = {"id": "archive", "address": LOOPBACK, "services": [{"kind": "web", "url": f"{open_orthanc.url}/"}]}
        run = checked(tmp_path, [viewer_asset(server), declared])
    there = f"{open_orthanc.dicomweb}/studies/<random>"
    assert requests(run)[1:] == [
        ("configuration", "/ohif/app-config.js", server.port),
        ("canary", f"{there}/series?limit=1", open_orthanc.http_port),
        ("control", f"{there}/<random>?limit=1", open_orthanc.http_port),
    ]
    told = [one for one in run.observations if one["asset_id"] == "viewer" and one["facts"]["type"] == "port"]
    # Of the archive's port it was learnt that it is open, and not that the viewer's service is there.
    assert {(one["port"], one["service"]) for one in told} == {(server.port, 0), (open_orthanc.http_port, None)}


def test_an_archive_that_no_asset_declares_is_not_asked(tmp_path: Path, open_orthanc: Orthanc) -> None:
    with nginx(viewer(open_orthanc.dicomweb)) as server:
        # Declared for another scheme, and at another address: neither is the place that the configuration names.
        port = open_orthanc.http_port
        others = [
            {"id": "a", "address": LOOPBACK, "services": [{"kind": "web", "url": f"https://{LOOPBACK}:{port}/"}]},
            {"id": "b", "address": "127.0.0.3", "services": [{"kind": "web", "url": f"http://127.0.0.3:{port}/"}]},
        ]
        run = checked(tmp_path, [viewer_asset(server), *others])
    assert [purpose for purpose, _, _ in requests(run)] == ["page", "configuration"]
    assert {line["port"] for line in run.attempts("viewer")} == {server.port}


def test_a_root_that_the_asset_declares_is_asked_once(tmp_path: Path) -> None:
    with nginx(viewer("/dicom-web/", OPEN_API.format(root="/dicom-web"))) as server:
        asset = viewer_asset(server, services=[_web(server), {"kind": "dicomweb", "url": f"{server.url}/dicom-web"}])
        run = checked(tmp_path, [asset])
        asked = server.requests(4)
    assert len(asked) == 4
    assert [purpose for purpose, _, _ in requests(run)] == ["canary", "control", "page", "configuration"]


@pytest.mark.parametrize(
    ("root", "api", "status"),
    [
        ("/dicom-web", GATED_API, "pass"),
        ("/dicom-web', qidoRoot: location.origin + '/x", GATED_API, "unknown"),
        ("/dicom-web', qidoRoot: location.origin + '/x", OPEN_API, "fail"),
    ],
    ids=["gated", "gated, and another that is not known", "open, and another that is not known"],
)
def test_a_root_that_is_known_only_when_the_script_runs_is_a_doubt(
    tmp_path: Path, root: str, api: str, status: str
) -> None:
    with nginx(viewer(root, api.format(root="/dicom-web"))) as server:
        asset = viewer_asset(server, services=[_web(server), {"kind": "dicomweb", "url": f"{server.url}/dicom-web"}])
        run = checked(tmp_path, [asset])
    assert run.status("viewer", "web.viewer-unauthenticated") == status


def test_data_given_before_is_not_asked_for_again(tmp_path: Path) -> None:
    api = "location /dicom-web/ { default_type application/json; return 200 '[{\"a\":1}]'; }"
    with nginx(viewer("/other", api + "\nlocation /other/ { return 404; }")) as server:
        asset = viewer_asset(server, services=[_web(server), {"kind": "dicomweb", "url": f"{server.url}/dicom-web"}])
        run = checked(tmp_path, [asset])
        asked = server.requests(3)
    assert len(asked) == 3
    assert [purpose for purpose, _, _ in requests(run)] == ["canary", "page", "configuration"]


def dicoogle(results: Sequence[str]) -> Site:
    """Dicoogle, whose search gives these results whatever it is asked for."""
    found = {"elapsedTime": 3, "numResults": len(results), "results": [{"fields": {"x": name}} for name in results]}
    return Site(
        "location = /search { default_type application/json; try_files /found.json =404; }\n"
        "location / { try_files /index.html =404; }",
        {"index.html": "<!doctype html><title>Dicoogle</title><body>x</body>", "found.json": json.dumps(found)},
    )


async def test_a_search_of_its_own_that_finds_nothing_is_a_sign() -> None:
    with nginx(dicoogle([])) as server:
        session = await ask(f"{server.url}/")
        asked = server.requests(2)
    search = http(session)[1]
    assert (search.purpose, search.path) == (REST, "/search?query=StudyInstanceUID:<random>")
    assert search.rest_sign is not None
    assert re.fullmatch(r"GET /search\?query=StudyInstanceUID:2\.25\.[0-9]+ HTTP/1\.1", asked[1])


def test_a_search_of_its_own_that_gives_data_is_dropped_and_not_asked_again(tmp_path: Path) -> None:
    with nginx(dicoogle([study.patient_name for study in studies(40, 1)])) as server:
        pages = [{"kind": "web", "url": f"{server.url}/{path}"} for path in ("", "other")]
        run = checked(tmp_path, [viewer_asset(server, services=pages)])
        asked = server.requests(3)
    assert [line.split("?")[0] for line in asked] == ["GET / HTTP/1.1", "GET /search", "GET /other HTTP/1.1"]
    (search,) = [
        one["facts"] for one in run.observations if one["facts"].get("status") and one["facts"]["purpose"] == "rest"
    ]
    assert (search["body"], search["rest_sign"]) == ("filled-array", None)


def test_what_follows_a_page_leaves_the_rest_of_the_budget_alone(tmp_path: Path) -> None:
    with nginx(viewer("/dicom-web", OPEN_API.format(root="/dicom-web"))) as server:
        pages = [_web(server), {"kind": "web", "url": f"{server.url}/ohif/viewer"}]
        run = checked(tmp_path, [viewer_asset(server, services=pages, manners={"max_connections": 5})])
    # Two are kept for the second page and its hop; the first page's pair of questions would have needed one of them.
    assert [(purpose, path) for purpose, path, _ in requests(run)] == [
        ("page", "/ohif/"),
        ("configuration", "/ohif/app-config.js"),
        ("page", "/ohif/viewer"),
        ("configuration", "/ohif/app-config.js"),
    ]


# ------------------------------------------------------------------------------------------------- other protocols


async def test_an_nginx_that_speaks_http2_alone_is_told_as_that() -> None:
    with nginx(plain_page(), http2=True) as server:
        sessions = [await ask(f"{server.url}/"), await ask(f"{server.url}/dicom-web", ServiceKind.DICOMWEB)]
    for session in sessions:
        (facts,) = http(session)
        assert (facts.end, facts.status) == (HttpEnd.HTTP2_ONLY, None)
        assert facts.detail == "the server speaks HTTP/2 to whoever asks in HTTP/1.1"
        assert session.of(PortFacts)


async def test_a_tls_server_that_has_nothing_but_http2_is_told_as_that(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    files = Authority.create(tmp_path_factory.mktemp("authority")).valid()
    with s_server(files, options=("-alpn", "h2")) as server:
        (facts,) = http(await ask(f"https://{LOOPBACK}:{server.port}/"))
    assert facts.end is HttpEnd.HTTP2_ONLY
    with s_server(files, options=("-alpn", "h2,http/1.1")) as server:
        (facts,) = http(await ask(f"https://{LOOPBACK}:{server.port}/"))
    assert (facts.end, facts.status) == (HttpEnd.ANSWERED, 200)


WEBSOCKETS = {
    # python-websockets/websockets, src/websockets/server.py; websockets/ws, lib/websocket-server.js; the third is what
    # RFC 6455 4.4 has a server say of a version that it does not know.
    "426 with the protocol": b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 6\r\n\r\nFailed",
    "426 alone": b"HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nsays",
    "400 of the handshake": b"HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", WEBSOCKETS.values(), ids=WEBSOCKETS)
async def test_a_websocket_server_is_told_as_that(answer: bytes) -> None:
    async with answering(answer) as server:
        page = http(await ask(server.url))
        archive = http(await ask(f"{server.url}dicom-web", ServiceKind.DICOMWEB))
    assert {facts.end for facts in (*page, *archive)} == {HttpEnd.WEBSOCKET_ONLY}
    assert {facts.status for facts in (*page, *archive)} <= {400, 426}


# -------------------------------------------------------------------------------------------------------------- CORS


CREDENTIALS = """
add_header Access-Control-Allow-Origin $http_origin always;
add_header Access-Control-Allow-Credentials true always;
"""


@pytest.mark.parametrize(
    ("headers", "origin", "credentials"),
    [
        ("add_header Access-Control-Allow-Origin * always;", "any", False),
        ("add_header Access-Control-Allow-Origin $http_origin always;", "echoed", False),
        (
            CREDENTIALS,
            "echoed",
            True,
        ),
        ("add_header Access-Control-Allow-Origin https://viewer.example.org always;", "named", False),
        ("", "absent", False),
    ],
    ids=["any", "echoed", "echoed with credentials", "named", "absent"],
)
async def test_whose_pages_may_read_the_archive_is_seen(headers: str, origin: str, credentials: bool) -> None:
    with nginx(f"{headers}\nlocation / {{ return 401; }}") as server:
        session = await ask(f"{server.url}/dicom-web", ServiceKind.DICOMWEB)
        page = await ask(f"{server.url}/")
    assert [(facts.allow_origin, facts.allow_credentials) for facts in http(session)] == [(origin, credentials)] * 2
    # A page is asked for without an Origin, and says nothing about it.
    assert replace(http(page)[0], allow_credentials=False).allow_origin is None
