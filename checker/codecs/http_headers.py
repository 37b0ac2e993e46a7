"""Sans-IO: what single headers of an answer say. Never opens anything, never raises, and keeps bounded parts alone.

A header is read byte by byte as Latin-1 (RFC 9110 5.5), and whatever is kept of it is printable ASCII. A cookie's value
never is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from checker.model import CookieFacts, HttpEnd

Headers = Sequence[tuple[bytes, bytes]]

SHORT, LONG = 64, 128
"""So many characters are kept of a header, at most."""

_MOST_CHALLENGES = 8
# What is to be removed is dated to the beginning of time, whose year is written in one of these ways.
_LONG_AGO = re.compile(r"[ -](?:1[0-9]{3}|2000|70) ")
_MOST_COOKIES = 16

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110 5.6.2
_MEDIA_TYPE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,63}/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,63})\s*(?:;|$)")
# One that has no end goes on to the end of the header: else each quote in it would be tried as a beginning of its own.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)')
_SCHEME = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32})(?:\s++(?!=)|\s*$)")
_REALM = re.compile(r'(?:^|[\s,])realm\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.){0,512})|([^\s",;]{1,512}))', re.IGNORECASE)


def media_type(headers: Headers) -> str | None:
    """The media type of a body, in lower case and without parameters; None where none, or no such thing, was named."""
    value = next(iter(values(headers, b"content-type")), None)
    found = None if value is None else _MEDIA_TYPE.match(value)
    return None if found is None else found.group(1).lower()


def is_encoded(headers: Headers) -> bool:
    """Whether the body comes in a content coding (RFC 9110 8.4), which we never ask for."""
    return any(
        coding.strip().lower() not in ("", "identity")
        for value in values(headers, b"content-encoding")
        for coding in value.split(",")
    )


def is_json(media_type: str | None) -> bool:
    """Whether a media type says JSON: `application/json`, or a suffix such as DICOM's (RFC 6839, PS3.18 8.7)."""
    return media_type is not None and (media_type in ("application/json", "text/json") or media_type.endswith("+json"))


def challenges(headers: Headers) -> tuple[str, ...]:
    """The scheme names of all WWW-Authenticate headers, in lower case, each once (RFC 9110 11.6.1)."""
    found: dict[str, None] = {}
    for value in values(headers, b"www-authenticate"):
        # Parameters are parted by commas as challenges are, and quoted strings may hold commas of their own.
        for part in _QUOTED.sub('""', value[:4096]).split(","):
            scheme = _SCHEME.match(part)
            if scheme is not None and len(found) < _MOST_CHALLENGES:
                found.setdefault(scheme.group(1).lower())
    return tuple(found)


def realm(headers: Headers) -> str | None:
    """The realm of the first challenge that has one; printable ASCII, at most 64 characters."""
    for value in values(headers, b"www-authenticate"):
        found = _REALM.search(value[:4096])
        if found is not None:
            return printable(re.sub(r"\\(.)", r"\1", found.group(1) or found.group(2) or ""), SHORT)
    return None


def cookies(set_cookie: Iterable[str]) -> tuple[CookieFacts, ...]:
    """The cookies that were set, without their values; a name that is no token (RFC 6265 4.1.1) becomes `?`.

    One that is set only to be removed is none: its age is not above zero, or its end was long ago (RFC 6265 5.2.1,
    5.2.2, 5.3).
    """
    found: list[CookieFacts] = []
    for line in set_cookie:
        pair, *attributes = line[:8192].split(";")
        name = pair.partition("=")[0].strip()
        if "=" not in pair or not name:
            continue
        named = {key.strip().lower(): value.strip() for key, _, value in (item.partition("=") for item in attributes)}
        if _is_removed(named):
            continue
        same_site = named.get("samesite", "").lower()
        found.append(
            CookieFacts(
                name=name if _TOKEN.fullmatch(name) is not None else "?",
                secure="secure" in named,
                http_only="httponly" in named,
                same_site=same_site if same_site in ("strict", "lax", "none") else None,
            )
        )
    # Where there are too many, those that lack something are kept: of these a verdict is made.
    found.sort(key=lambda one: one.secure and one.http_only and one.same_site in ("strict", "lax"))
    return tuple(found[:_MOST_COOKIES])


def _is_removed(attributes: Mapping[str, str]) -> bool:
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]{1,20}", age):
        return int(age) <= 0
    return _LONG_AGO.search(attributes.get("expires", "")) is not None


def content_length(headers: Headers) -> int | None:
    """The length that Content-Length names, in bytes; None where none, or two different ones, are named."""
    lengths = {value.strip() for value in values(headers, b"content-length")}
    if len(lengths) != 1:
        return None
    (value,) = lengths
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 16 else None


def values(headers: Headers, name: bytes) -> list[str]:
    """All values of a header, in the order received."""
    return [value.decode("latin-1") for key, value in headers if key.strip().lower() == name]


def header(headers: Headers, name: bytes, most: int) -> str | None:
    """The first value of a header, printable, at most so many characters; None where it is not there."""
    value = next(iter(values(headers, name)), None)
    return None if value is None else printable(value.strip(), most)


def printable(text: str, most: int) -> str:
    """At most so many characters; what is not printable ASCII becomes `?`."""
    return "".join(character if " " <= character <= "~" else "?" for character in text[:most])


def allowed_origin(headers: Headers, sent: str | None) -> Literal["any", "echoed", "named", "absent"] | None:
    """Whose pages may read the answer (Fetch standard, CORS protocol); None where no origin was `sent` to be answered.

    Anybody's, those of the origin that was sent, others, or nobody else's, where the header is absent. `null` is the
    origin of any page that is shown in a sandbox, so that it is anybody's too. Two headers, or two values in one, are
    no leave to a browser, and no name that we could have sent: so they are `named`.
    """
    if sent is None:
        return None
    match [value.strip() for value in values(headers, b"access-control-allow-origin")]:
        case []:
            return "absent"
        case ["*"] | ["null"]:
            return "any"
        case [value] if value == sent:
            return "echoed"
        case _:
            return "named"


def allows_credentials(headers: Headers) -> bool:
    """Whether a page may use the visitor's login: only by the very word `true` (Fetch standard, CORS protocol)."""
    found = values(headers, b"access-control-allow-credentials")
    return [value.strip() for value in found] == ["true"]


def wants_other_protocol(status: int, headers: Headers) -> HttpEnd | None:
    """The end of a question to a server that would only speak after an upgrade; None where the answer is one.

    426 names what it wants in Upgrade (RFC 9110 15.5.22), though some WebSocket servers leave it out. Others say 400
    and name WebSocket in Upgrade or in headers of its handshake (RFC 6455 4.4). Of a proposal to use TLS (RFC 2817)
    nothing is concluded.
    """
    wanted = {
        word.strip().lower().partition("/")[0] for value in values(headers, b"upgrade") for word in value.split(",")
    }
    handshake = any(key.strip().lower().startswith(b"sec-websocket-") for key, _ in headers)
    if status not in (400, 426):
        return None
    if "websocket" in wanted or handshake or (status == 426 and wanted <= {""}):
        return HttpEnd.WEBSOCKET_ONLY
    return HttpEnd.HTTP2_ONLY if status == 426 and wanted & {"h2c", "h2"} else None
