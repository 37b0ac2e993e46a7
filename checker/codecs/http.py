"""Sans-IO: from a status, raw headers and the first bytes of a body to `HttpFacts`. Never opens anything, never raises.

No byte of a body leaves this module: only what kind of body it is, and which signs it bears. Of headers only bounded,
printable parts are kept; a cookie's value, a Location's query and another origin's path are dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urljoin, urlsplit

from checker.codecs.html_page import PREFIX_BYTES, Page, names_login, read_page, refresh_names_login
from checker.codecs.http_headers import (
    LONG,
    SHORT,
    Headers,
    allowed_origin,
    allows_credentials,
    challenges,
    content_length,
    cookies,
    header,
    is_encoded,
    is_json,
    media_type,
    realm,
    values,
    wants_other_protocol,
)
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose

__all__ = [
    "MALFORMED",
    "PREFIX_BYTES",
    "SAME",
    "Headers",
    "Page",
    "Redirect",
    "body_kind",
    "challenges",
    "cookies",
    "http_facts",
    "is_encoded",
    "is_json",
    "length_class",
    "media_type",
    "origin_of",
    "read_page",
    "realm",
    "redirect",
]

SAME = "same"
MALFORMED = "malformed"

_MOST_SEGMENTS = 8
# What the pages of web servers, viewers and logins are called.
_PATH_WORDS = frozenset(
    {
        *("login", "login.html", "login.jsp", "login.php", "login.aspx", "login.vm", "logon", "signin", "sign-in"),
        *("auth", "authorize", "authenticate", "oauth", "oauth2", "openid", "openid-connect", "connect", "sso", "saml"),
        *("saml2", "cas", "adfs", "realms", "protocol", "account", "accounts", "identity", "session", "user", "users"),
        *("index.html", "index.htm", "index.jsp", "index.php", "default.aspx", "home", "main", "app", "apps", "ui"),
        *("ui2", "viewer", "viewers", "web", "portal", "explorer", "explorer.html", "admin", "static", "public", "en"),
        *("dicom-web", "dicomweb", "wado", "pacs", "ohif", "stone-webviewer", "osimis-viewer", "weasis", "oviyam"),
        *("studies", "series", "oviyam2", "orthanc", "dcm4chee-arc", "dcm4chee-web3", "xnat", "template", "kheops"),
        *("zfp", "worklist"),
    }
)
_MOST_LENGTH = 1 << 40

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# An authority that is empty: browsers skip the slashes and take what follows for the host (URL Standard 4.4).
_NO_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[/?#]|$)", re.IGNORECASE)
# RFC 3986 3.3; the best known is `;jsessionid=`.
_PARAMETERS = re.compile(r";[^/]*")
_JSON_VALUE = re.compile(rb'[{\["0-9-]|true|false|null')
_JSON_SPACE = b" \t\r\n"  # RFC 8259 section 2
_HTML_START = re.compile(
    rb"(?:<!--[^>]{0,2000}-->\s*)?<(?:!doctype\s+html|html|head|body|title|meta|script|form)\b", re.IGNORECASE
)
_CERTIFICATE_GATE = (b"no required ssl certificate was sent", b"the ssl certificate error")


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a Location leads: `SAME`, an origin, or `MALFORMED`; a bounded path without query, only for `SAME`."""

    origin: str
    path: str | None
    to_login: bool


def body_kind(media_type: str | None, prefix: bytes, complete: bool) -> BodyKind:
    """What a body is by its first bytes; `complete` says that the prefix is all of it.

    An empty array counts only when the body ended behind it; a filled one only when a JSON value has begun in it.
    """
    body = prefix.removeprefix(b"\xef\xbb\xbf").lstrip(_JSON_SPACE)
    if not body:
        return BodyKind.NONE if complete else BodyKind.OTHER
    if body.startswith(b"["):
        inside = body[1:].lstrip(_JSON_SPACE)
        if inside.startswith(b"]"):
            ended = complete and not inside[1:].strip(_JSON_SPACE)
            return BodyKind.EMPTY_ARRAY if ended else BodyKind.OTHER
        return BodyKind.FILLED_ARRAY if _JSON_VALUE.match(inside) else BodyKind.OTHER
    if body.startswith(b"{"):
        return BodyKind.JSON_OBJECT
    if media_type in ("text/html", "application/xhtml+xml") or _HTML_START.match(body):
        return BodyKind.HTML
    return BodyKind.OTHER


def redirect(location: str, origin: str, asked: str = "/") -> Redirect:
    """Where a Location leads, seen from `origin` (such as `https://host:8443`) and the path that was asked.

    Anything that browsers might read in two ways (control characters, backslashes, slashes without a host, other
    schemes, ports that are none) is MALFORMED. Of the path its parameters are dropped, for they may be a session's key.
    """
    text = location.strip(" \t")
    if not text or len(text) > 8192 or _CONTROL.search(text) or "\\" in text or _NO_HOST.match(text):
        return Redirect(MALFORMED, None, to_login=False)
    try:
        # The scheme's case is no matter, and a reference without one is taken from where we asked (RFC 3986 section 5).
        target = urlsplit(urljoin(origin + (asked if asked.startswith("/") else "/"), text))
        source = urlsplit(origin)
        there, here = origin_of(target), origin_of(source)
    except ValueError:
        return Redirect(MALFORMED, None, to_login=False)
    if there is None or here is None:
        return Redirect(MALFORMED, None, to_login=False)
    to_login = names_login(target.path, asked=asked, query=target.query)
    if there == here:
        return Redirect(SAME, _known_path(_PARAMETERS.sub("", target.path) or "/"), to_login)
    # A host that is called so itself, and sends on to its own https, names no login by that; nor does one to which the
    # very same question is to be put, for it may well be the archive's other name.
    path, _, query = asked.partition("?")
    same_question = path.strip("/") != "" and (target.path.rstrip("/"), target.query) == (path.rstrip("/"), query)
    moved = target.hostname == source.hostname or same_question
    elsewhere = not moved and names_login("", host=target.hostname or "")
    return Redirect(there, None, to_login or elsewhere)


def _known_path(path: str) -> str:
    """A path with every segment that is no usual word replaced: it is the peer's text, and may hold somebody's name."""
    segments = path.split("/")[:_MOST_SEGMENTS]
    return "/".join(word if not word or word.lower() in _PATH_WORDS else "<other>" for word in segments)


def length_class(length: int) -> int:
    """The smallest power of two that is not below a length in bytes; 0 for 0. So a length says little of a body."""
    return 0 if length <= 0 else 1 << (min(length, _MOST_LENGTH) - 1).bit_length()


def http_facts(
    *,
    purpose: HttpPurpose,
    path: str,
    tls: bool,
    status: int,
    headers: Headers,
    prefix: bytes,
    complete: bool,
    origin: str,
    end: HttpEnd = HttpEnd.ANSWERED,
    body_alike: bool | None = None,
    sent_origin: str | None = None,
) -> HttpFacts:
    """The facts of one response.

    `path` is the asked one with random parts already replaced; `origin` the scheme, host and port that were asked;
    `prefix` the first bytes of the body as they came, `complete` whether they are all of it. A content coding gives
    `HttpEnd.ENCODED` and the body is not looked at; a coding was not asked for, and may be a bomb. `sent_origin` is the
    header Origin that was sent. An answer that only asks to speak another protocol has that for its end.
    """
    facts = replace(
        _header_facts(headers, purpose=purpose, path=path, tls=tls, status=status, origin=origin),
        allow_origin=allowed_origin(headers, sent_origin),
        allow_credentials=allows_credentials(headers),
    )
    end = wants_other_protocol(status, headers) or end
    encoded = is_encoded(headers)
    declared = content_length(headers)
    if declared is None and complete and not encoded:
        declared = len(prefix)
    size = None if declared is None else length_class(declared)
    if encoded:
        return _with(facts, end=HttpEnd.ENCODED, length_class=size)
    kind = body_kind(facts.media_type, prefix, complete)
    if kind is BodyKind.HTML:
        page = read_page(prefix, complete, realm=facts.realm)
    else:
        # A document in JSON has no markup; where it is the declared page itself, it may yet be a known product's.
        document = prefix if kind is BodyKind.JSON_OBJECT and purpose is HttpPurpose.PAGE else b""
        page = Page(product=read_page(document, realm=facts.realm).product)
    return _with(
        facts, end=end, length_class=size, body=kind, body_alike=body_alike, page=page, gate=_gate(status, prefix)
    )


def _header_facts(
    headers: Headers, *, purpose: HttpPurpose, path: str, tls: bool, status: int, origin: str
) -> HttpFacts:
    location = next(iter(values(headers, b"location")), None)
    leads = redirect(location, origin, path) if location is not None and 300 <= status < 400 else None
    return HttpFacts(
        purpose=purpose,
        path=path,
        tls=tls,
        status=status,
        media_type=media_type(headers),
        challenges=challenges(headers),
        realm=realm(headers),
        redirect_origin=None if leads is None else leads.origin,
        redirect_path=None if leads is None else leads.path,
        redirect_to_login=leads is not None and leads.to_login,
        # Of no standard for HTTP, and obeyed by every browser (HTML Standard, "shared declarative refresh steps").
        script_redirect_to_login=status == 200 and refresh_names_login(header(headers, b"refresh", 512) or ""),
        server=header(headers, b"server", SHORT),
        powered_by=header(headers, b"x-powered-by", SHORT),
        hsts=header(headers, b"strict-transport-security", LONG),
        cookies=cookies(values(headers, b"set-cookie")),
    )


def _with(
    facts: HttpFacts,
    *,
    end: HttpEnd,
    length_class: int | None,
    body: BodyKind | None = None,
    body_alike: bool | None = None,
    page: Page | None = None,
    gate: bool = False,
) -> HttpFacts:
    page = page or Page()
    return replace(
        facts,
        end=end,
        length_class=length_class,
        body=body,
        body_alike=body_alike,
        login_form=page.login_form,
        login_alone=page.login_alone,
        password_field=page.password_field,
        script_redirect_to_login=facts.script_redirect_to_login or page.script_redirect_to_login,
        client_certificate_gate=gate,
        product=page.product,
        single_page_shell=page.single_page_shell,
        directory_listing=page.directory_listing,
    )


def _gate(status: int, prefix: bytes) -> bool:
    # nginx answers a handshake without a certificate, or with a bad one, by its own statuses 496 and 495, sent as 400.
    start = prefix[:4096].lower()
    return status == 400 and any(sign in start for sign in _CERTIFICATE_GATE)


def origin_of(target: SplitResult) -> str | None:
    """Scheme, host and, where it is not the scheme's own, port of an http or https URL; None for any other.

    Raises ValueError for a port that is none.
    """
    scheme, host = target.scheme.lower(), (target.hostname or "").lower()
    if scheme not in ("http", "https") or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    if _HOST.fullmatch(host) is None:
        return None
    port = target.port  # ValueError where it is none
    return f"{scheme}://{host}" if port in (None, 443 if scheme == "https" else 80) else f"{scheme}://{host}:{port}"
