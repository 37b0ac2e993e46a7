"""Sans-IO: what the first bytes of an HTML page say about logins, products and listings; never the bytes themselves.

A page is taken for a login only on positive evidence in its markup, for such evidence can end as a `pass`: comments,
scripts, styles and templates are set aside first, because a form inside them is not a form of the page. All patterns
stop at the next `<`, so that the time is linear in the length of the prefix, whatever a peer sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from checker.catalog.web_products import Marker, Product, products

PREFIX_BYTES = 32 * 1024
"""How much of a page is looked at; a caller may read less, and need not read more."""

_IMMEDIATELY_S = 10.0
_LITTLE_TEXT = 200

_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"""([a-z_:][a-z0-9_:.-]*)(?:\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_TITLE = re.compile(r"<title[^<>]*>([^<]{0,200})</title")
_ANY_TAG = re.compile(r"<[^<>]*>")
_LISTING = re.compile(r"(?:index of /|directory listing for|directory: /)")
_IIS_LISTING = re.compile(r"[a-z0-9.:\[\]-]{1,253} - /")
_REFRESH = re.compile(
    r"\s*([0-9]{1,6}(?:\.[0-9]{0,3})?)\s{0,8}[;,]\s{0,8}(?:url\s{0,8}=\s{0,8})?['\"]?([^'\"\s]{1,500})"
)
_GO = re.compile(
    r"""\blocation(?:\.href)?\s{0,8}(?:=(?!=)|\.(?:replace|assign)\s{0,8}\()\s{0,8}["'`]([^"'`\s]{1,500})["'`]"""
)
_LOGIN_WORD = re.compile(
    r"(?<![a-z])(?:(?:user|web|client|app)?(?:log[-_]?in|log[-_]?on|sign[-_]?in)(?:page|form|view|screen|action)?"
    r"|j_security_check|sso|saml2?|adfs|oauth2?|oidc|openid(?:-connect)?|authenticate|authorize|keycloak|shibboleth)(?![a-z])"
)
_LOGIN_HOST = re.compile(
    r"(?:^|[.-])(?:login|logon|signin|sso|idp|auth|adfs|sts|keycloak|okta|accounts|identity|microsoftonline)(?=[.-]|$)"
)
_LOGIN_QUERY = re.compile(r"(?:^|[?&])(?:response_type|samlrequest|wa=wsignin1\.0)")

_MOUNT_IDS = frozenset({"root", "app", "app-root", "react-container", "__next", "__nuxt", "react-root"})
_FORM_IDS = frozenset({"kc-form-login"})
_FORM_FIELDS = frozenset({"j_username", "j_password", "samlrequest"})


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is. `product` is an id of the catalogue; `password_field`: a password is asked for, whatever for."""

    login_form: bool = False
    password_field: bool = False
    script_redirect_to_login: bool = False
    product: str | None = None
    single_page_shell: bool = False
    directory_listing: bool = False


def names_login(path: str, *, asked: str = "", host: str = "", query: str = "") -> bool:
    """Whether a place to go to is a login or a single sign-on.

    Words that the `asked` path has too are no evidence: a redirect that only adds a slash echoes them. Of a query only
    the parameters that OpenID Connect, SAML and WS-Federation require in their requests count, for the rest may echo.
    """
    words = set(_LOGIN_WORD.findall(path.lower())) - set(_LOGIN_WORD.findall(asked.lower()))
    return bool(words) or bool(_LOGIN_HOST.search(host.lower())) or bool(_LOGIN_QUERY.search(query.lower()))


def read_page(
    prefix: bytes, complete: bool = False, *, realm: str | None = None, catalogue: Iterable[Product] | None = None
) -> Page:
    """What the first bytes of a page say; `complete` says that they are all of it. Never raises.

    `catalogue` is for tests; it is the shipped one where it is None.
    """
    whole = _text(prefix[:PREFIX_BYTES]).lower()
    markup, scripts = _set_aside(whole)
    tags = list(_tags(markup))
    title = _title(markup)
    words = " ".join(_ANY_TAG.sub(" ", markup).split())
    return Page(
        login_form=_has_login_form(tags),
        password_field=any(name == "input" and _is_password(attributes) for name, attributes in tags),
        script_redirect_to_login=_refreshes_to_login(tags)
        or (complete and len(prefix) <= PREFIX_BYTES and len(words) <= _LITTLE_TEXT and _goes_to_login(scripts)),
        product=_product(title, realm, whole, products() if catalogue is None else catalogue),
        single_page_shell=_is_shell(tags, words),
        directory_listing=_is_listing(title, markup, tags),
    )


def _text(prefix: bytes) -> str:
    # HTML Standard, "BOM sniff": a byte order mark decides. All else is read byte by byte, for markers are ASCII.
    if prefix.startswith((b"\xff\xfe", b"\xfe\xff")):
        return prefix.decode("utf-16", errors="replace")
    return prefix.decode("latin-1")


def _set_aside(whole: str) -> tuple[str, list[tuple[str, str]]]:
    """The markup without comments, scripts, styles, templates and noscript; and the scripts as (attributes, code)."""
    kept: list[str] = []
    scripts: list[tuple[str, str]] = []
    opener = re.compile(r"<!--|<(script|style|template|noscript)\b([^<>]*)>")
    at = 0
    while (found := opener.search(whole, at)) is not None:
        kept.append(whole[at : found.start()])
        if found.group(1) is None:
            # HTML Standard, "Parsing": `<!-->` and `<!--->` are whole comments.
            end = whole.find("-->", found.start() + 2)
            at = len(whole) if end < 0 else end + 3
            continue
        end = whole.find(f"</{found.group(1)}", found.end())
        inside = whole[found.end() : len(whole) if end < 0 else end]
        if found.group(1) == "script":
            scripts.append((found.group(2), inside))
            kept.append(f"<script{found.group(2)}>")
        at = len(whole) if end < 0 else end
    kept.append(whole[at:])
    return "".join(kept), scripts


def _tags(markup: str) -> Iterator[tuple[str, dict[str, str]]]:
    for found in _TAG.finditer(markup):
        if found.group(1):
            continue
        attributes: dict[str, str] = {}
        for name, double, single, bare in _ATTRIBUTE.findall(found.group(3)[:4096]):
            attributes.setdefault(name, double or single or bare)
        yield found.group(2), attributes


def _title(markup: str) -> str | None:
    found = _TITLE.search(markup)
    return None if found is None else " ".join(found.group(1).split())


def _has_login_form(tags: list[tuple[str, dict[str, str]]]) -> bool:
    """Whether one form asks for one password; who is let in already may change it, which takes two or three fields."""
    passwords = [0]  # in each form, the first number for what stands before all of them
    for name, attributes in tags:
        if name == "form":
            if "j_security_check" in attributes.get("action", "") or attributes.get("id", "") in _FORM_IDS:
                return True
            passwords.append(0)
        elif name == "input":
            if attributes.get("name", "") in _FORM_FIELDS:
                return True
            if _is_password(attributes):
                # HTML Standard, "Autofill": a password to be set, of the user or of somebody else.
                new = "new-password" in attributes.get("autocomplete", "").split() or "disabled" in attributes
                passwords[-1] += 2 if new else 1
    return 1 in passwords


def _is_password(attributes: dict[str, str]) -> bool:
    return attributes.get("type", "").strip() == "password"


def _refreshes_to_login(tags: list[tuple[str, dict[str, str]]]) -> bool:
    for name, attributes in tags:
        if name == "meta" and attributes.get("http-equiv", "").strip() == "refresh":
            found = _REFRESH.match(attributes.get("content", ""))
            # A page may well go to its login after half an hour of rest, and be open until then.
            if found is not None and float(found.group(1)) <= _IMMEDIATELY_S and _target_names_login(found.group(2)):
                return True
    return False


def _goes_to_login(scripts: list[tuple[str, str]]) -> bool:
    """Whether a script goes to a login at once; inside a function it may be what a button for logging out does."""
    return any(
        _target_names_login(target)
        for _, code in scripts
        if "function" not in code and "=>" not in code
        for target in _GO.findall(code)
    )


def _target_names_login(target: str) -> bool:
    place, _, query = target.partition("?")
    _, scheme, rest = place.partition("//")
    host, _, path = rest.partition("/") if scheme else ("", "", place)
    return names_login(path, host=host.rsplit("@", 1)[-1].split(":", 1)[0], query=query)


def _is_shell(tags: list[tuple[str, dict[str, str]]], words: str) -> bool:
    mounted = any(name == "app-root" or attributes.get("id", "") in _MOUNT_IDS for name, attributes in tags)
    bundled = any(name == "script" and attributes.get("src") for name, attributes in tags)
    return mounted and bundled and len(words) <= _LITTLE_TEXT


def _is_listing(title: str | None, markup: str, tags: list[tuple[str, dict[str, str]]]) -> bool:
    if not any(name == "a" and attributes.get("href") for name, attributes in tags):
        return False
    if "[to parent directory]" in markup:  # IIS, below its root
        return True
    if title is None:
        return False
    return _LISTING.match(title) is not None or (
        _IIS_LISTING.match(title) is not None
        and f"<h1>{title}</h1>" in markup
        and any(name == "pre" for name, _ in tags)
    )


def _product(title: str | None, realm: str | None, whole: str, catalogue: Iterable[Product]) -> str | None:
    """The product whose marker is seen, title before realm before body; None where two are seen alike."""
    seen: dict[str, set[str]] = {"title": set(), "realm": set(), "body": set()}
    texts = {"title": title, "realm": None if realm is None else realm.lower(), "body": whole}
    for product in catalogue:
        for marker in product.markers:
            if _shows(marker, texts[marker.where]):
                seen[marker.where].add(product.id)
    for where in ("title", "realm", "body"):
        if seen[where]:
            return seen[where].pop() if len(seen[where]) == 1 else None
    return None


def _shows(marker: Marker, text: str | None) -> bool:
    if text is None:
        return False
    if marker.where == "body":
        return marker.text in text
    return text.startswith(marker.text) if marker.starts else text == marker.text
