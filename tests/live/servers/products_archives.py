"""Archives with a DICOMweb or a search service of their own, as their sources show them: open, and gated.

Read for this: dcm4che/dcm4chee-arc-light, marcelvanherk/Conquest-DICOM-Server, OsiriX-Foundation/kheops,
bioinformatics-ua/dicoogle, RadicalImaging/Static-DICOMWeb and the Orthanc Book. The file that shows an answer stands
beside it.
"""

from __future__ import annotations

import re

from tests.live.servers.products import (
    Answer,
    Answers,
    Headers,
    challenge,
    form,
    html,
    in_json,
    missing,
    page,
    parts,
    records,
    redirected,
    shell,
)
from tests.live.synthetic import UID_ROOT

AET = "DCM4CHEE"
_SERIES = re.compile(r"/studies/([0-9.]+)/series")
_DICOM_JSON = "application/dicom+json"


def _series_of_a_study(below_root: str) -> str | None:
    """The study whose series are asked for; None where something else is."""
    found = _SERIES.fullmatch(below_root)
    return None if found is None else found.group(1)


def _is_held(study_uid: str) -> bool:
    return study_uid.startswith(UID_ROOT)


# ---------------------------------------------------------------------------------------------------- dcm4chee-arc 5

DCM4CHEE_UI = "/dcm4chee-arc/ui2/"
DCM4CHEE_RS = f"/dcm4chee-arc/aets/{AET}/rs"
_KEYCLOAK = "https://keycloak.example.net"

# dcm4chee-arc-cors/src/main/java/org/dcm4chee/arc/cors/CorsFilter.java: added to whatever the services answer
_CORS: Headers = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true"))


def dcm4chee_open(path: str) -> Answer:
    """dcm4chee-arc without Keycloak; web.xml of dcm4chee-arc-ui2 and dcm4chee-arc-war, which constrain nothing."""
    if path == "/dcm4chee-arc/ui2/rs/keycloak.json":
        return in_json({})  # dcm4chee-arc-ui2/src/main/java/org/dcm4chee/arc/ui2/Resource.java, without a server for it
    return _dcm4chee_page(path) or _dcm4chee_services(path)


def dcm4chee_services_gated(path: str) -> Answer:
    """Its user interface for anybody, its services for bearers of a token: web-secure.xml of dcm4chee-arc-war alone."""
    if path == "/dcm4chee-arc/ui2/rs/keycloak.json":
        return in_json(
            {
                "realm": "synthetic",
                "resource": "synthetic-ui",
                "auth-server-url": _KEYCLOAK,
                "ssl-required": "external",
                "public-client": True,
            }
        )
    # dcm4chee-arc-war/src/main/webxml/web-secure.xml, auth-method OIDC, as a client that only takes tokens
    return _dcm4chee_page(path) or challenge('Bearer realm="synthetic"')


def dcm4chee_all_gated(path: str) -> Answer:
    """Everything sends a stranger to Keycloak: web-secure.xml of dcm4chee-arc-ui2 and of dcm4chee-arc-war, for all."""
    back = f"https%3A%2F%2Farchive.example.net{path.replace('/', '%2F').partition('?')[0]}"
    question = f"response_type=code&client_id=synthetic-ui&redirect_uri={back}&state=synthetic&scope=openid"
    return redirected(f"{_KEYCLOAK}/realms/synthetic/protocol/openid-connect/auth?{question}")


def _dcm4chee_page(path: str) -> Answer | None:
    if path != DCM4CHEE_UI:
        return None
    # dcm4chee-arc-ui2/src/index.html: the title, the element of Angular with a ring that turns in it, and its scripts
    ring = "<app-root><div><style>@keyframes ring { 0% { opacity: 1 } }</style></div></app-root>"
    return html(shell("dcm4chee-arc-ui", ring, f'<base id="dynamic-base" href="{DCM4CHEE_UI}">'))


def _dcm4chee_services(path: str) -> Answer:
    # dcm4chee-arc-qido/src/main/java/org/dcm4chee/arc/qido/QidoRS.java, search()
    where, _ = parts(path)
    found = re.fullmatch(r"/dcm4chee-arc/aets/([^/]+)/rs(/.*)", where)
    if found is None:
        return missing()
    if found.group(1) != AET:
        refused = {"errorMessage": f"No such Application Entity: {found.group(1)}"}
        return in_json(refused, 404).also(*_CORS)
    study_uid = _series_of_a_study(found.group(2))
    if study_uid is not None and not _is_held(study_uid):
        return Answer(204, b"", _CORS)
    if study_uid is not None or found.group(2) in ("/studies", "/series", "/instances", "/patients"):
        return records().also(*_CORS)
    return Answer(404, b"", _CORS)


# ----------------------------------------------------------------------------------------------------------- Conquest

CONQUEST_PAGE = "/cgi-bin/dgate"
CONQUEST_ROOT = "/api/dicom/rs"


def conquest_open(path: str) -> Answer:
    """Conquest as it comes: webserver/htdocs/api/dicom/config.php, with neither of its logins."""
    where, query = parts(path)
    if where == CONQUEST_PAGE:
        return _conquest_page(query)
    # webserver/htdocs/api/dicom/index.php: routes by whole patterns, and its own words for any other path
    if not where.startswith(CONQUEST_ROOT):
        return missing()
    below = where.removeprefix(CONQUEST_ROOT)
    study_uid = _series_of_a_study(below)
    if study_uid is not None and not _is_held(study_uid):
        # qido.php: always 200 and this type; an empty table becomes an empty list
        return in_json([]).also(("Access-Control-Allow-Origin", "*"))
    if study_uid is not None or below in ("/studies", "/series", "/instances"):
        return records("application/json").also(("Access-Control-Allow-Origin", "*"))
    return missing("Item not found!")


def conquest_form(path: str) -> Answer:
    """With `$userlogin`: singlefilelogin.php writes its form and ends, whatever was asked, with status 200."""
    where, _ = parts(path)
    script = "/api/dicom/index.php" if where.startswith(CONQUEST_ROOT) else CONQUEST_PAGE
    return html("<h2>Login</h2>" + form(script, user="user_name", other="user_password"))


def conquest_of_wordpress(path: str) -> Answer:
    """With `$wplogin`: index.php and dgate.php return without a word where WordPress knows nobody."""
    return Answer(200, b"", (("Content-Type", "text/html; charset=UTF-8"),))


def _conquest_page(query: str) -> Answer:
    if query not in ("", "mode=top"):
        return records()
    # src/dgate/src/dgate.cpp: the head of all pages of its CGI
    return html(
        page("Conquest DICOM server - version 1.5.0", '<h1>Synthetic</h1><a href="?mode=querypatients">List</a>')
    )


# ------------------------------------------------------------------------------------------------------------- Kheops

KHEOPS_ROOT = "/api"


def kheops(path: str) -> Answer:
    """Kheops, which has no open form: its services ask for a token, and all other paths are its shell."""
    where, _ = parts(path)
    if not where.startswith("/api/"):
        # UI/public/index.html; UI/script/ui.conf serves it for every path that is no file
        return html(shell("KHEOPS"), 200, ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    # ReverseProxy/locations.conf hands these to the authorization server; SecuredFilter.java there adds two challenges
    if _series_of_a_study(where.removeprefix(KHEOPS_ROOT)) is not None or where == "/api/studies":
        return challenge("Basic", "Bearer")
    return missing()


# ----------------------------------------------------------------------------------------------------------- Dicoogle


def dicoogle_open(path: str) -> Answer:
    """Dicoogle as it comes: its page for anybody, a login for its page alone, a search that checks nobody."""
    return _dicoogle_page(path) or _dicoogle_services(path)


def dicoogle_behind_a_proxy(path: str) -> Answer:
    """The same behind a web server that lets anybody have the page and asks for a login at all services."""
    return _dicoogle_page(path) or challenge('Basic realm="Synthetic"')


def _dicoogle_page(path: str) -> Answer | None:
    if path not in ("/", "/index.html"):
        return None
    # dicoogle/src/main/resources/webapp/index-template.html
    head = '<meta name="description" content="Dicoogle Web Application">'
    return html(shell("Dicoogle", '<div id="react-container"></div>', head))


def _dicoogle_services(path: str) -> Answer:
    # dicoogle/src/main/java/pt/ua/dicoogle/server/web/servlets
    where, query = parts(path)
    if where == "/login":
        return Answer(401)  # accounts/LoginServlet.java: a GET without a session, though nothing else is gated
    if where == "/export/cvs":
        return Answer(401)  # search/ExportServlet.java, for a missing parameter
    if where == "/search":
        # search/SearchServlet.java, writeResponse(): the list first, its length last
        if re.fullmatch(r"query=StudyInstanceUID:2\.25\.[0-9]+", query):
            return in_json({"results": [], "elapsedTime": 3, "numResults": 0})
        if not query:
            return in_json({"results": [], "error": "No query supplied!"}, 400)
    return records("application/json") if where in ("/search", "/searchDIM", "/dump") else missing()


# ---------------------------------------------------------------------------------------------------- static DICOMweb

STATIC_ROOT = "/dicomweb"


def static_open(path: str) -> Answer:
    """An index of all studies whatever the query, and nothing, told as 204, for a study that is not there.

    Static-DICOMWeb, packages/static-wado-webserver and file-structure.md.
    """
    where, _ = parts(path)
    below = where.removeprefix(STATIC_ROOT)
    if where == below:
        return missing()
    study_uid = _series_of_a_study(below)
    if study_uid is not None and not _is_held(study_uid):
        return Answer(204)
    return records() if study_uid is not None or below == "/studies" else missing()


def static_of_plain_files(path: str) -> Answer:
    """The same files behind a web server that knows nothing of DICOMweb: what is not there is 404, whatever it is."""
    where, _ = parts(path)
    return records() if where == f"{STATIC_ROOT}/studies" else missing()


def static_index_everywhere(path: str) -> Answer:
    """A rule for shells misplaced: the index of all studies for every path under the root."""
    return records() if path.startswith(STATIC_ROOT) else missing()


# ---------------------------------------------------------------------------------------- Orthanc with more plugins

ORTHANC_ROOT = "/dicom-web"


def orthanc_plugins(services: Answers) -> Answers:
    """Orthanc with Explorer 2, OHIF and Stone: their pages for anybody, the rest as `services` has it.

    Orthanc Book, chapter on the authorization plugin: the pages stay public where that guards the data.
    """

    def answers(path: str) -> Answer:
        where, _ = parts(path)
        if where == "/ui/app/":
            # orthanc-explorer-2, WebApplication/index.html: a title for a script to fill in, and a remark on the theme
            remark = "<!-- data-bs-theme is changed dynamically in the C++ code when the file is loaded -->"
            return html(shell("...", '<div id="app"></div>', remark))
        if where == "/ohif/":
            return html(shell("OHIF Viewer", '<div id="root"></div>', '<script src="./app-config.js"></script>'))
        if where == "/ohif/app-config.js":
            # OHIF/Viewers, platform/app/public/config/default.js; Orthanc Book, chapter on the OHIF plugin
            source = (
                "window.config = { routerBasename: '/ohif', extensions: [], modes: [], dataSources: [{ sourceName: 'a',"
                " configuration: { qidoRoot: '/dicom-web', wadoRoot: '/dicom-web' } }], defaultDataSourceName: 'a' };"
            )
            return Answer(200, source.encode(), (("Content-Type", "application/javascript"),))
        if where == "/stone-webviewer/index.html":
            # orthanc-stone, Applications/StoneWebViewer/WebApplication/index.html: its page is written by Vue
            return html(page("Stone Web Viewer", '<div id="wv" class="wv-body">{{ synthetic }}</div>'))
        return services(path)

    return answers


def orthanc_services_open(path: str) -> Answer:
    """Its DICOMweb as Orthanc 1.10 was measured to answer, with the clock of its REST interface."""
    where, _ = parts(path)
    if where == "/tools/now":
        return Answer(200, b"20260101T120000", (("Content-Type", "text/plain"),))
    study_uid = _series_of_a_study(where.removeprefix(ORTHANC_ROOT))
    if study_uid is not None and not _is_held(study_uid):
        return in_json([], media=_DICOM_JSON)
    if study_uid is not None or where in (f"{ORTHANC_ROOT}/studies", "/studies", "/patients"):
        return records()
    return in_json({"HttpStatus": 404, "Message": "Unknown resource"}, 404)


def orthanc_services_basic(path: str) -> Answer:
    """All of its services with `AuthenticationEnabled`."""
    return challenge('Basic realm="Orthanc Secure Area"')


def orthanc_services_authorized(path: str) -> Answer:
    """All of its services with the authorization plugin: 403 without a challenge, for what is there and what is not."""
    return Answer(403)
