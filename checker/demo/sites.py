"""What the web servers of the simulated hospital answer: pure functions from a request to an answer.

The gated sites have no accounts, so nobody gets in: no credential exists that could leak or be tried.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qs, quote

from checker.demo.assets import Site
from checker.demo.studies import STUDY_LEVEL_KEYS, Study, find

_HTML = "text/html; charset=utf-8"
_DICOM_JSON = "application/dicom+json"
_SERIES_UID_TAG = "0020000E"
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP response, but for the headers that the server adds itself."""

    status: int
    media_type: str | None = None
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)


Respond: TypeAlias = Callable[[str, str], Answer]
"""From a path and a query string, both as sent, to the answer."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A site whole: the Server header it names itself by, headers on every answer, and how it answers."""

    server: str
    respond: Respond
    headers: Sequence[tuple[str, str]] = ()


def _open_archive(path: str, query: str) -> Answer:
    if path == "/":
        return Answer(302, headers=[("Location", "/dicom-web/studies?limit=10")])
    return _dicomweb(path, query) or _not_found()


def _basic_archive(_path: str, _query: str) -> Answer:
    challenge = ("WWW-Authenticate", 'Basic realm="Simulated archive", charset="UTF-8"')
    return Answer(401, _HTML, _page("Unauthorized", "<p>This archive asks for a password.</p>"), [challenge])


def _login_viewer(path: str, _query: str) -> Answer:
    if path == "/login":
        form = (
            '<form method="post" action="/login">'
            '<label>User <input name="username" autocomplete="username"></label> '
            '<label>Password <input name="password" type="password" autocomplete="current-password"></label> '
            '<button type="submit">Sign in</button></form>'
        )
        cookie = ("Set-Cookie", "VIEWERSESSION=simulated; Path=/; Secure; HttpOnly; SameSite=Lax")
        return Answer(200, _HTML, _page("Sign in", form), [cookie, ("Cache-Control", "no-store")])
    return Answer(302, headers=[("Location", f"/login?next={quote(path, safe='')}")])


def _open_viewer(path: str, query: str) -> Answer:
    if path in ("/", "/viewer"):
        return Answer(302, headers=[("Location", "/viewer/")])
    if path == "/viewer/":
        table = "".join(f"<tr><td>{study.values['PatientName']}</td><td>{study.uid}</td></tr>" for study in find({}))
        cookie = ("Set-Cookie", "JSESSIONID=simulated; Path=/viewer")
        return Answer(200, _HTML, _page("Studies", f"<h1>Studies</h1><table>{table}</table>"), [cookie])
    return _dicomweb(path, query) or _not_found()


def _shell_viewer(path: str, _query: str) -> Answer:
    if path == "/dicom-web" or path.startswith("/dicom-web/"):
        challenge = ("WWW-Authenticate", 'Bearer realm="simulated-hospital"')
        return Answer(401, "application/json", b'{"error":"unauthorized"}', [challenge])
    if path == "/app-config.js":
        script = (
            "window.config = {routerBasename: '/', dataSources: [{configuration: "
            "{qidoRoot: '/dicom-web', wadoRoot: '/dicom-web'}}], oidc: [{client_id: 'simulated-viewer'}]};\n"
        )
        return Answer(200, "application/javascript", script.encode())
    shell = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>OHIF Viewer (simulated)</title>'
        '<script src="/app-config.js"></script></head>'
        '<body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body></html>'
    )
    return Answer(200, _HTML, shell.encode())


_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")

BEHAVIOURS: Mapping[Site, Behaviour] = {
    Site.OPEN_ARCHIVE: Behaviour("Jetty(9.4.53.v20231009)", _open_archive, [("Access-Control-Allow-Origin", "*")]),
    Site.BASIC_ARCHIVE: Behaviour("nginx/1.22.1", _basic_archive),
    Site.LOGIN_VIEWER: Behaviour("nginx", _login_viewer, [_HSTS, ("X-Content-Type-Options", "nosniff")]),
    Site.OPEN_VIEWER: Behaviour("Apache-Coyote/1.1", _open_viewer),
    Site.SHELL_VIEWER: Behaviour("nginx/1.24.0", _shell_viewer),
}


def _dicomweb(path: str, query: str) -> Answer | None:
    """QIDO-RS of PS3.18 section 10.6 for studies and for the series of one study; None for any other path."""
    parameters = {name: values[-1] for name, values in parse_qs(query).items()}
    limit = int(parameters["limit"]) if _NUMBER.fullmatch(parameters.get("limit", "")) else None
    match path.removeprefix("/dicom-web/").split("/") if path.startswith("/dicom-web/") else []:
        case ["studies"]:
            keys = {keyword: parameters[keyword] for keyword in STUDY_LEVEL_KEYS if keyword in parameters}
            return _json([_study_object(study) for study in find(keys)][:limit])
        case ["studies", uid, "series"] if uid:
            found = [
                _study_object(study) | _element(_SERIES_UID_TAG, "UI", study.series_uid)
                for study in find({"StudyInstanceUID": uid})
            ]
            return _json(found[:limit])
        case _:
            return None


def _study_object(study: Study) -> dict[str, object]:
    """The DICOM JSON model, PS3.18 annex F."""
    found: dict[str, object] = {}
    for keyword, (tag, vr) in STUDY_LEVEL_KEYS.items():
        found |= _element(tag, vr, study.values[keyword])
    return found


def _element(tag: str, vr: str, value: str) -> dict[str, object]:
    return {tag: {"vr": vr, "Value": [{"Alphabetic": value} if vr == "PN" else value]}}


def _json(objects: Sequence[Mapping[str, object]]) -> Answer:
    return Answer(200, _DICOM_JSON, json.dumps(objects, separators=(",", ":")).encode())


def _not_found() -> Answer:
    return Answer(404, _HTML, _page("Not found", "<p>There is nothing here.</p>"))


def _page(title: str, content: str) -> bytes:
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} (simulated)</title></head>'
    return f"{head}<body>{content}</body></html>".encode()
