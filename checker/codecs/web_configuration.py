"""Sans-IO: what a product's public configuration says. Never raises.

What comes of it are the DICOMweb roots that it names, whether it tells a browser to log in, and how many hosts and
clients it names; none of those names, and no other byte. A script is not run: it is cut into strings, words and signs,
comments are left out, and of a value that is put together only when it runs nothing is known.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from checker.catalog.web_products import Ask
from checker.codecs.http import PREFIX_BYTES, origin_of
from checker.codecs.http_headers import Headers, media_type
from checker.codecs.web_rest import json_value

MOST_ROOTS = 8
"""So many roots of a configuration are kept, at most."""

UNKNOWN_ROOT = "unknown"
"""Stands among the named roots for more that there may be: so nobody takes those that were read for all there are."""

_OK = 200

_LONGEST_VALUE = 512
# A root is asked by putting segments behind it, so it has to be plain itself: no query, nothing that climbs or escapes.
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){0,8}/?")
_LONGEST_ROOT = 128

# ECMAScript, lexical grammar, as far as a configuration needs it. Whatever begins a string ends one, at the latest
# where the line or the text does, so that no text is gone through twice.
_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)"""
    r"""|(?P<string>"(?:[^"\\\n]|\\.?)*+"?|'(?:[^'\\\n]|\\.?)*+'?|`(?:[^`\\]|\\.?)*+`?)"""
    r"""|(?P<word>[A-Za-z_$][\w$]*)|(?P<sign>[^\s\w])""",
    re.DOTALL,
)
_ENDS_A_VALUE = frozenset({",", "}", "]", ")", ";"})
_OHIF_KEYS = frozenset({"dataSources", "defaultDataSourceName", "servers", "routerBasename", "extensions", "modes"})
# Names without signs and in lower case. OHIF's own; its wadoUriRoot is another service, which lists nothing.
_ROOT_KEYS = frozenset({"qidoroot", "wadoroot", "qidorsroot", "wadorsroot", "dicomwebroot", "dicomweburl"})
_NOTHING = frozenset({"null", "undefined", "false"})
_CLIENT_KEYS = frozenset({"clientid"})
_AE_TITLE_KEYS = frozenset({"aet", "aetitle", "calledaet", "calledaetitle", "callingaet", "callingaetitle"})
_AE_TITLE_IN_PATH = re.compile(r"/aets/([A-Za-z0-9 ._%-]{1,48})(?:/|$)")  # dcm4chee-arc's paths
_URL = re.compile(r"(?:https?|wss?)://[^\s\"'<>]{1,400}", re.IGNORECASE)
_PLAIN_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,252})|[0-9a-f:.]{2,45}")  # and nothing to be filled in by a script
# RFC 6762, RFC 8375, the name that ICANN keeps for private use, and what is commonly taken for such names.
_INSIDE = (".local", ".home.arpa", ".internal", ".intranet", ".lan", ".corp", ".localdomain", ".private")
_CARRIER = ipaddress.ip_network("100.64.0.0/10")  # RFC 6598


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration says. `roots` are whole URLs, to be asked if they may be; facts have only `named_roots`.

    Those are as `HttpFacts` has them, with `UNKNOWN_ROOT` where a root was not read, or not to its end, where there
    are too many, and where several are at one other origin, which then cannot be told apart.
    """

    roots: tuple[str, ...] = ()
    named_roots: tuple[str, ...] = ()
    signs_in: bool | None = None
    internal_hosts: int = 0
    clients: int = 0


@dataclass(slots=True)
class _Values:
    """Texts by the names of their members, in the order found; `signs_in` as for `Configuration`.

    `unread`: there may be a root that is not among the members.
    """

    members: list[tuple[str, str]]
    signs_in: bool | None = None
    unread: bool = False


def read_configuration(
    ask: Ask,
    *,
    status: int,
    headers: Headers,
    prefix: bytes,
    complete: bool,
    page_url: str,
    declared: Iterable[str] = (),
) -> Configuration | None:
    """What an answer to a question for a configuration says; None where it is none in the format that was expected.

    `page_url` is that of the page which loads it, for that is what a browser resolves its roots against. Of one that
    was not read to its end (`complete`), what is missing shows nothing. `declared` are the URLs of the roots that the
    inventory knows, which may be named whole.
    """
    if status != _OK or media_type(headers) in ("text/html", "application/xhtml+xml"):
        return None
    text = prefix[:PREFIX_BYTES].decode("utf-8", errors="replace").removeprefix("\ufeff")
    found = _FORMATS[ask.format](text, complete and len(prefix) <= PREFIX_BYTES)
    known = frozenset(root for url in declared if (root := _root(url, page_url)) is not None)
    return None if found is None else _told(found, page_url, known)


# ------------------------------------------------------------------------------------------------------ the formats


def _ohif(text: str, complete: bool) -> _Values | None:
    """OHIF's app-config.js: members of `window.config`, in one literal or assigned one by one."""
    tokens = list(_tokens(text))
    if not _assigns_config(tokens):
        return None
    whole = complete and all(kind != "rest" for kind, _ in tokens)
    found = _Values([], unread=not whole)
    names: set[str] = set()
    for at, name, value in _members(tokens):
        names.add(name)
        if name == "oidc" and value == ("sign", "[") and tokens[at + 1 : at + 2] == [("sign", "{")]:
            found.signs_in = True
        if value[0] == "string" and _ends(tokens, at):
            found.members.append((name, value[1]))
        elif _plain(name) in _ROOT_KEYS and not (value[1] in _NOTHING and _ends(tokens, at)):
            found.unread = True
    if names.isdisjoint(_OHIF_KEYS):
        return None
    # A viewer has an archive, so that one is named in a way that was not understood.
    found.unread = found.unread or not any(_plain(name) in _ROOT_KEYS for name, _ in found.members)
    # Whoever reads the file reads its comments as well, and what stands in lists.
    found.members += (("", url) for url in _URL.findall(text))
    if whole and "oidc" not in names:
        found.signs_in = False
    return found


def _keycloak(text: str, complete: bool) -> _Values | None:
    """The adapter's settings of Keycloak's JavaScript library, as dcm4chee-arc serves them: `{}` without a login."""
    found = json_value(text) if complete else None
    if not isinstance(found, dict):
        return None
    if not found:
        return _Values([], signs_in=False)
    texts = {key: value for key, value in found.items() if isinstance(value, str) and len(value) <= _LONGEST_VALUE}
    server = texts.get("auth-server-url") or texts.get("url")
    client = texts.get("resource") or texts.get("clientId")
    if not (texts.get("realm") and server and client):
        return None
    return _Values([("url", server), ("clientId", client)], signs_in=True)


def _any_json(text: str, complete: bool) -> _Values | None:
    found = json_value(text) if complete else None
    if not isinstance(found, dict) or not found:
        return None
    return _Values(list(_leaves(found)))


_FORMATS: dict[str, Callable[[str, bool], _Values | None]] = {
    "ohif": _ohif,
    "keycloak": _keycloak,
    "json": _any_json,
}


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The texts of a JSON value, with the names of their members. What was read is short, and so not deep."""
    waiting: list[tuple[str, object]] = [(name, value)]
    while waiting:
        key, one = waiting.pop()
        if isinstance(one, dict):
            waiting += ((str(inner), held) for inner, held in one.items())
        elif isinstance(one, list):
            waiting += ((key, held) for held in one)
        elif isinstance(one, str) and len(one) <= _LONGEST_VALUE:
            yield key, one


# -------------------------------------------------------------------------------------------------------- a script


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each string, word and sign: a `string` without its quotes, where it is known before it runs.

    One, or a comment, that does not end is a `rest`: what is in it may be anything.
    """
    for found in _TOKEN.finditer(text):
        string = found["string"]
        if string is not None and (len(string) == 1 or string[-1] != string[0]):
            yield "rest", ""
        elif string is not None:
            known = string[0] != "`" or "${" not in string
            yield "string" if known else "sign", re.sub(r"\\(.)", r"\1", string[1:-1], flags=re.DOTALL)
        elif found[0].startswith("/*") and (len(found[0]) < 4 or not found[0].endswith("*/")):
            yield "rest", ""
        elif found["word"] is not None:
            yield "word", found["word"]
        elif found["sign"] is not None:
            yield "sign", found["sign"]


def _assigns_config(tokens: Sequence[tuple[str, str]]) -> bool:
    words = [text for _, text in tokens]
    return any(
        words[at : at + 3] == ["window", ".", "config"] and words[at + 3 : at + 4] in (["="], ["."])
        for at in range(len(words))
    )


def _members(tokens: Sequence[tuple[str, str]]) -> Iterator[tuple[int, str, tuple[str, str]]]:
    """Each member as (where its value stands, its name, the first token of its value): `name: v`, `x.name = v`."""
    for at in range(1, len(tokens) - 1):
        (kind, name), sign, value = tokens[at - 1], tokens[at], tokens[at + 1]
        if kind in ("sign", "rest"):
            continue
        # A conditional expression has a colon as well, behind a value: what it would name is not a name of ours.
        if sign == ("sign", ":") or (sign == ("sign", "=") and kind == "word" and value != ("sign", "=")):
            yield at + 1, name, value


def _ends(tokens: Sequence[tuple[str, str]], at: int) -> bool:
    """Whether a value ends with the token at this place: a further sign would make it a part of something longer."""
    kind, text = tokens[at + 1] if at + 1 < len(tokens) else ("sign", ";")
    return kind != "sign" or text in _ENDS_A_VALUE


# --------------------------------------------------------------------------------------------------- what they say


def _told(found: _Values, page_url: str, declared: frozenset[str]) -> Configuration:
    here = origin_of(urlsplit(page_url))
    roots: dict[str, str] = {}
    unread = found.unread
    hosts: set[str] = set()
    clients: set[tuple[str, str]] = set()
    for key, value in found.members:
        name = _plain(key)
        if name in _ROOT_KEYS:
            root = _root(value, page_url)
            if root is None or (root not in roots and len(roots) == MOST_ROOTS):
                unread = True
            else:
                roots.setdefault(root, _shown(root, here, declared))
        if value and name in _CLIENT_KEYS:
            clients.add(("client", value))
        if value and name in _AE_TITLE_KEYS:
            clients.add(("AE title", value))
        clients.update(("AE title", title) for title in _AE_TITLE_IN_PATH.findall(value))
        hosts.update(_hosts(value))
    named = dict.fromkeys(roots.values())
    unread = unread or len(named) < len(roots)
    own = urlsplit(page_url).hostname
    return Configuration(
        roots=tuple(roots),
        named_roots=(*named, UNKNOWN_ROOT) if unread else tuple(named),
        signs_in=found.signs_in,
        internal_hosts=sum(1 for host in hosts if host != own and is_internal(host)),
        clients=len(clients),
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _root(value: str, page_url: str) -> str | None:
    """The whole URL of a root, without a slash at its end; None for what is none, or is not plain enough to ask."""
    text = value.strip()
    if not text or len(text) > _LONGEST_VALUE or "\\" in text or not text.isascii() or not text.isprintable():
        return None
    try:
        target = urlsplit(urljoin(page_url, text))
        origin = origin_of(target)
    except ValueError:
        return None
    path = target.path
    if origin is None or target.query or target.fragment or target.username is not None:
        return None
    if len(path) > _LONGEST_ROOT or _PLAIN_PATH.fullmatch(path) is None:
        return None
    return origin + path.rstrip("/")


def _shown(root: str, here: str | None, declared: frozenset[str]) -> str:
    target = urlsplit(root)
    origin = f"{target.scheme}://{target.netloc}"
    path = target.path or "/"
    if origin == here:
        return path
    return origin + path if root in declared else origin


def _hosts(value: str) -> Iterable[str]:
    for url in _URL.findall(value):
        try:
            host = urlsplit(url).hostname
        except ValueError:
            continue
        if host and _PLAIN_HOST.fullmatch(host):
            yield host


def is_internal(host: str) -> bool:
    """Whether a host has no name or address that the public could know: private (RFC 1918, RFC 4193), or a bare name.

    A loopback address and `localhost` are whoever reads them, and tell nothing.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return name != "localhost" and ("." not in name or name.endswith(_INSIDE))
    if address.is_loopback or address.is_unspecified:
        return False
    return address.is_private or (address.version == 4 and address in _CARRIER)
