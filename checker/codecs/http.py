"""Sans-IO: from a status, raw headers and the first bytes of a body to `HttpFacts`. Never opens anything, never raises.

No byte of a body leaves this module: only what kind of body it is, and which signs it bears. Of headers only bounded,
printable parts are kept; a cookie's value, a Location's query and another origin's path are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urljoin, urlsplit

from checker.codecs.html_page import PREFIX_BYTES, Page, names_login, read_page
from checker.model import BodyKind, CookieFacts, HttpEnd, HttpFacts, HttpPurpose

__all__ = [
    "MALFORMED",
    "PREFIX_BYTES",
    "SAME",
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
    "read_page",
    "realm",
    "redirect",
]

Headers = Sequence[tuple[bytes, bytes]]

SAME = "same"
MALFORMED = "malformed"

_MOST_CHALLENGES = 8
_MOST_SEGMENTS = 8
# What the pages of web servers, viewers and logins are called.
_PATH_WORDS = frozenset(
    {
        *("login", "login.html", "login.jsp", "login.php", "login.aspx", "login.vm", "logon", "signin", "sign-in"),
        *("auth", "authorize", "authenticate", "oauth", "oauth2", "openid", "openid-connect", "connect", "sso", "saml"),
        *("saml2", "cas", "adfs", "realms", "protocol", "account", "accounts", "identity", "session", "user", "users"),
        *(
            "index.html",
            "index.htm",
            "index.jsp",
            "index.php",
            "default.aspx",
            "home",
            "main",
            "app",
            "apps",
            "ui",
            "ui2",
        ),
        *("viewer", "viewers", "web", "portal", "explorer", "explorer.html", "admin", "static", "public", "en"),
        *("dicom-web", "dicomweb", "wado", "pacs", "ohif", "stone-webviewer", "osimis-viewer", "weasis", "oviyam"),
        *(
            "studies",
            "series",
            "oviyam2",
            "orthanc",
            "dcm4chee-arc",
            "dcm4chee-web3",
            "xnat",
            "template",
            "kheops",
            "zfp",
            "worklist",
        ),
    }
)
_MOST_COOKIES = 16
_MOST_LENGTH = 1 << 40
_SHORT = 64
_LONG = 128

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110 5.6.2
_MEDIA_TYPE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,63}/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,63})\s*(?:;|$)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_SCHEME = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32})(?:\s+(?!\s*=)|\s*$)")
_REALM = re.compile(r'(?:^|[\s,])realm\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.){0,512})|([^\s",;]{1,512}))', re.IGNORECASE)
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


def media_type(headers: Headers) -> str | None:
    """The media type of a body, in lower case and without parameters; None where none, or no such thing, was named."""
    value = next(iter(_values(headers, b"content-type")), None)
    found = None if value is None else _MEDIA_TYPE.match(value)
    return None if found is None else found.group(1).lower()


def is_encoded(headers: Headers) -> bool:
    """Whether the body comes in a content coding (RFC 9110 8.4), which we never ask for."""
    return any(
        coding.strip().lower() not in ("", "identity")
        for value in _values(headers, b"content-encoding")
        for coding in value.split(",")
    )


def is_json(media_type: str | None) -> bool:
    """Whether a media type says JSON: `application/json`, or a suffix such as DICOM's (RFC 6839, PS3.18 8.7)."""
    return media_type is not None and (media_type in ("application/json", "text/json") or media_type.endswith("+json"))


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


def challenges(headers: Headers) -> tuple[str, ...]:
    """The scheme names of all WWW-Authenticate headers, in lower case, each once (RFC 9110 11.6.1)."""
    found: dict[str, None] = {}
    for value in _values(headers, b"www-authenticate"):
        # Parameters are parted by commas as challenges are, and quoted strings may hold commas of their own.
        for part in _QUOTED.sub('""', value[:4096]).split(","):
            scheme = _SCHEME.match(part)
            if scheme is not None and len(found) < _MOST_CHALLENGES:
                found.setdefault(scheme.group(1).lower())
    return tuple(found)


def realm(headers: Headers) -> str | None:
    """The realm of the first challenge that has one; printable ASCII, at most 64 characters."""
    for value in _values(headers, b"www-authenticate"):
        found = _REALM.search(value[:4096])
        if found is not None:
            return _printable(re.sub(r"\\(.)", r"\1", found.group(1) or found.group(2) or ""), _SHORT)
    return None


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
        there, here = _origin(target), _origin(source)
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


def cookies(set_cookie: Iterable[str]) -> tuple[CookieFacts, ...]:
    """The cookies that were set, without their values; a name that is no token is dropped (RFC 6265 4.1.1)."""
    found: list[CookieFacts] = []
    for line in set_cookie:
        pair, *attributes = line[:8192].split(";")
        name = pair.partition("=")[0].strip()
        if "=" not in pair or _TOKEN.fullmatch(name) is None or len(found) == _MOST_COOKIES:
            continue
        named = {key.strip().lower(): value.strip() for key, _, value in (item.partition("=") for item in attributes)}
        same_site = named.get("samesite", "").lower()
        found.append(
            CookieFacts(
                name=name,
                secure="secure" in named,
                http_only="httponly" in named,
                same_site=same_site if same_site in ("strict", "lax", "none") else None,
            )
        )
    return tuple(found)


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
) -> HttpFacts:
    """The facts of one response.

    `path` is the asked one with random parts already replaced; `origin` the scheme, host and port that were asked;
    `prefix` the first bytes of the body as they came, `complete` whether they are all of it. A content coding gives
    `HttpEnd.ENCODED` and the body is not looked at; a coding was not asked for, and may be a bomb.
    """
    facts = _header_facts(headers, purpose=purpose, path=path, tls=tls, status=status, origin=origin)
    encoded = is_encoded(headers)
    declared = _content_length(headers)
    if declared is None and complete and not encoded:
        declared = len(prefix)
    size = None if declared is None else length_class(declared)
    if encoded:
        return _with(facts, end=HttpEnd.ENCODED, length_class=size)
    kind = body_kind(facts.media_type, prefix, complete)
    page = (
        read_page(prefix, complete, realm=facts.realm) if kind is BodyKind.HTML else read_page(b"", realm=facts.realm)
    )
    return _with(
        facts, end=end, length_class=size, body=kind, body_alike=body_alike, page=page, gate=_gate(status, prefix)
    )


def _header_facts(
    headers: Headers, *, purpose: HttpPurpose, path: str, tls: bool, status: int, origin: str
) -> HttpFacts:
    location = next(iter(_values(headers, b"location")), None)
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
        server=_header(headers, b"server", _SHORT),
        powered_by=_header(headers, b"x-powered-by", _SHORT),
        hsts=_header(headers, b"strict-transport-security", _LONG),
        cookies=cookies(_values(headers, b"set-cookie")),
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
        password_field=page.password_field,
        script_redirect_to_login=page.script_redirect_to_login,
        client_certificate_gate=gate,
        product=page.product,
        single_page_shell=page.single_page_shell,
        directory_listing=page.directory_listing,
    )


def _gate(status: int, prefix: bytes) -> bool:
    # nginx answers a handshake without a certificate, or with a bad one, by its own statuses 496 and 495, sent as 400.
    start = prefix[:4096].lower()
    return status == 400 and any(sign in start for sign in _CERTIFICATE_GATE)


def _origin(target: SplitResult) -> str | None:
    scheme, host = target.scheme.lower(), (target.hostname or "").lower()
    if scheme not in ("http", "https") or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    if _HOST.fullmatch(host) is None:
        return None
    port = target.port  # ValueError where it is none
    return f"{scheme}://{host}" if port in (None, 443 if scheme == "https" else 80) else f"{scheme}://{host}:{port}"


def _content_length(headers: Headers) -> int | None:
    values = {value.strip() for value in _values(headers, b"content-length")}
    if len(values) != 1:
        return None
    (value,) = values
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 16 else None


def _values(headers: Headers, name: bytes) -> list[str]:
    """The values of a header, byte by byte as Latin-1 (RFC 9110 5.5), in the order received."""
    return [value.decode("latin-1") for key, value in headers if key.strip().lower() == name]


def _header(headers: Headers, name: bytes, most: int) -> str | None:
    value = next(iter(_values(headers, name)), None)
    return None if value is None else _printable(value.strip(), most)


def _printable(text: str, most: int) -> str:
    """At most so many characters; what is not printable ASCII becomes `?`."""
    return "".join(character if " " <= character <= "~" else "?" for character in text[:most])
