"""Sans-IO: what the first bytes of an HTML page say about logins, products and listings; never the bytes themselves.

A page is taken for a login only on positive evidence in its markup, for such evidence can end as a `pass`: comments,
scripts, styles and templates are set aside first, because a form inside them is not a form of the page. No pattern
goes through a part of the text twice, so that the time is linear in the length of the prefix, whatever a peer sends.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from checker.catalog.web_products import Marker, Product, products
from checker.codecs.login_page import invites_guests, offers_nothing_else

PREFIX_BYTES = 32 * 1024
"""How much of a page is looked at; a caller may read less, and need not read more."""

_IMMEDIATELY_S = 10.0
_LITTLE_TEXT = 200

# A tag ends at the first `>` outside of quotes, which only count behind an equals sign, and where there is none at the
# end of the text (HTML Standard, "Tokenization"). So nothing is gone through twice.
_TAG = re.compile(r"""<(/?)([a-z][a-z0-9-]*)((?:=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))|[^>])*+)(?:>|\Z)""")
_COMMENT_OR_TAG = re.compile(rf"<!--|{_TAG.pattern}")
_SET_ASIDE = frozenset({"script", "style", "template", "noscript"})
_ATTRIBUTE = re.compile(r"""([a-z_:][a-z0-9_:.-]*)(?:\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_TITLE = re.compile(r"<title[^<>]*>([^<]{0,200})</title")
_ANY_TAG = re.compile(r"<[^<>]*>")
_LISTING = re.compile(r"(?:index of /|directory listing for|directory: /)")
_IIS_LISTING = re.compile(r"[a-z0-9.:\[\]-]{1,253} - /")
_REFRESH = re.compile(
    r"\s*([0-9]{1,6}(?:\.[0-9]{0,3})?)\s{0,8}[;,]\s{0,8}(?:url\s{0,8}=\s{0,8})?['\"]?([^'\"\s]{1,500})"
)
_GO = re.compile(
    r"""\blocation(?:\.href|\[["']href["']\])?\s{0,8}(?:=(?!=)|\.(?:replace|assign)\s{0,8}\()\s{0,8}["'`]([^"'`\s]{1,500})["'`]"""
)
# A function that is called where it stands, and one that the browser calls when the page is there.
_AT_ONCE = re.compile(
    r"[;!+(]{0,3}\s{0,9}function\s{0,9}\(\s{0,9}\)\s{0,9}\{(.*)\}\s{0,9}\)?\s{0,9}\(\s{0,9}\)\s{0,9}\)?;?"
    r"|[;!+(]{0,3}\s{0,9}\(\s{0,9}\)\s{0,9}=>\s{0,9}\{(.*)\}\s{0,9}\)\s{0,9}\(\s{0,9}\);?"
    r"|(?:window\.)?onload\s{0,9}=\s{0,9}(?:function\s{0,9}\(\s{0,9}\)|\(\s{0,9}\)\s{0,9}=>)\s{0,9}\{(.*)\};?",
    re.DOTALL,
)
_LONGEST_AT_ONCE = 2048
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
    """What a page is. `product` is an id of the catalogue; `password_field`: a password is asked for, whatever for.

    `login_alone`: all of the page was read, and a login form is all that it offers.
    """

    login_form: bool = False
    login_alone: bool = False
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
    words = " ".join(_ANY_TAG.sub(" ", _TAG.sub(" ", markup)).split())
    login_form, shell = _has_login_form(tags), _is_shell(tags, words)
    whole_read = complete and len(prefix) <= PREFIX_BYTES
    known = _product(title, realm, whole, products() if catalogue is None else catalogue)
    return Page(
        login_form=login_form,
        login_alone=login_form and whole_read and not shell and offers_nothing_else(tags, words),
        password_field=any(name == "input" and _is_password(attributes) for name, attributes in tags),
        script_redirect_to_login=_refreshes_to_login(tags)
        or (whole_read and len(words) <= _LITTLE_TEXT and _goes_to_login(scripts, tags)),
        # A login is called a gate for its product's sake, so that it is nobody's where it has a way in for guests.
        product=None if login_form and invites_guests(tags, words) else known,
        single_page_shell=shell,
        directory_listing=_is_listing(title, markup, tags),
    )


def _text(prefix: bytes) -> str:
    # HTML Standard, "BOM sniff": a byte order mark decides. All else is read byte by byte, for markers are ASCII; where
    # each second byte of the first tag is none, the page is in UTF-16 all the same.
    if prefix.startswith((b"\xff\xfe", b"\xfe\xff")):
        return prefix.decode("utf-16", errors="replace")
    if prefix.startswith((b"<\0", b"\0<")):
        return prefix.decode("utf-16-be" if prefix.startswith(b"\0") else "utf-16-le", errors="replace")
    return prefix.decode("latin-1")


def _set_aside(whole: str) -> tuple[str, list[tuple[str, str]]]:
    """The markup without comments, scripts, styles, templates and noscript; and the scripts as (attributes, code)."""
    kept: list[str] = []
    scripts: list[tuple[str, str]] = []
    at = 0
    while (found := _COMMENT_OR_TAG.search(whole, at)) is not None:
        name = found.group(2)
        if name is None:
            # HTML Standard, "Parsing": `<!-->` and `<!--->` are whole comments. A blank is left in its place.
            end = whole.find("-->", found.start() + 2)
            kept += (whole[at : found.start()], " ")
            at = len(whole) if end < 0 else end + 3
            continue
        if found.group(1) or name not in _SET_ASIDE:
            kept.append(whole[at : found.end()])
            at = found.end()
            continue
        kept.append(whole[at : found.start()])
        end = whole.find(f"</{name}", found.end())
        at = len(whole) if end < 0 else end
        if name == "script":
            scripts.append((found.group(3), whole[found.end() : at]))
            kept.append(f"<script{found.group(3)}>")
    kept.append(whole[at:])
    return "".join(kept), scripts


def _tags(markup: str) -> Iterator[tuple[str, dict[str, str]]]:
    for found in _TAG.finditer(markup):
        if found.group(1) or not found[0].endswith(">"):
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
    return any(
        refresh_names_login(attributes.get("content", ""))
        for name, attributes in tags
        if name == "meta" and attributes.get("http-equiv", "").strip() == "refresh"
    )


def refresh_names_login(content: str) -> bool:
    """Whether a refresh, of a meta element or of the header of that name, goes to a login soon (HTML Standard 4.2.5.3).

    A page may well go to its login after half an hour of rest, and be open until then.
    """
    found = _REFRESH.match(html.unescape(content[:4096]).lower())
    return found is not None and float(found.group(1)) <= _IMMEDIATELY_S and _target_names_login(found.group(2))


def _goes_to_login(scripts: list[tuple[str, str]], tags: list[tuple[str, dict[str, str]]]) -> bool:
    """Whether a script goes to a login at once; inside a function it may be what a button for logging out does."""
    loaded = [html.unescape(attributes.get("onload", "")) for name, attributes in tags if name == "body"]
    return any(
        _target_names_login(target)
        for code in (*(_run_at_once(code.strip()) for _, code in scripts), *loaded)
        if "function" not in code and "=>" not in code
        for target in _GO.findall(code)
    )


def _run_at_once(code: str) -> str:
    """The code inside a function that is run as soon as the page is there; the same code where there is none."""
    found = _AT_ONCE.fullmatch(code) if len(code) <= _LONGEST_AT_ONCE else None
    return code if found is None else next(inside for inside in found.groups() if inside is not None)


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
