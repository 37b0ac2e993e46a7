"""Sans-IO: whether a page that has a login form offers anything else, for a form alone may be called a gate.

Many a page that anybody may read has a box for logging in on it. So whatever a page has that a login does not need
counts against it: links to anywhere but help and the like, pictures but a logo, further forms, a search, a frame, a
button that does something of its own, a way in for guests, a heading of a list of studies, more than a notice of text.
So does whatever may keep the form out of sight until somebody asks for it. What is in doubt is not alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

__all__ = ["invites_guests", "offers_nothing_else"]

Tag = tuple[str, Mapping[str, str]]

_MOST_TEXT = 1500  # a notice of who may log in is this long, a list of studies soon is longer
_MOST_ROWS = 16  # tables lay out the forms of older pages
# What may show something of its own, and what holds text that looks like tags and is none.
_FRAMES = frozenset(
    {
        *("iframe", "frame", "frameset", "object", "embed", "canvas", "video", "applet"),
        *("textarea", "xmp", "plaintext", "noembed", "noframes"),
    }
)
# In what a form may wait out of sight while the page shows other things.
_AROUND = frozenset({"div", "section", "main", "aside", "article", "span", "fieldset", "table", "form", "center"})
_HIDDEN_CLASS = re.compile(r"(?<![a-z])(?:modal|dialog|popup|pop-up|overlay|offcanvas|dropdown-menu|collapse)(?![a-z])")
_HIDDEN_STYLE = re.compile(r"display\s{0,8}:\s{0,8}none|visibility\s{0,8}:\s{0,8}hidden")
_PICTURES = frozenset({"img", "image", "picture", "source"})
_TEXT_FIELDS = frozenset({"", "text", "search", "email", "tel", "number", "url", "date"})
_MOST_TEXT_FIELDS = 2  # a user, and a domain or a second factor
_BESIDE = re.compile(
    r"log[-_]?[io]n|sign[-_]?(?:in|up)|sso|password|passwort|forgot|reset|recover|regist|help|hilfe|support|contact"
    r"|kontakt|about|privacy|datenschutz|imprint|impressum|terms|legal|licen[cs]e|disclaimer|cookie|lang|locale|manual"
    r"|accessibility"
)
_DECORATION = re.compile(r"logo|icon|brand|banner|header|footer|background|flag|log[-_]?[io]n|spinner|loading|splash")
_GUESTS = re.compile(
    r"(?<![a-z])(?:guests?|gast|anonym[a-z]*|invit(?:e|ado)|demo|(?:without|ohne) (?:an? )?"
    r"(?:log|sign|account|password|passwort|anmeld)[a-z]*)(?![a-z])"
)
_IMAGES = re.compile(
    r"(?<![a-z])(?:studies|series|accession|modality|modalities|patient(?:'s)? (?:id|name)|stud(?:y|ies) list"
    r"|(?:study|birth) ?date|worklist)(?![a-z])"
)
_SEARCH = re.compile(r"search|query|suche|patient|study|accession")
_GOES = re.compile(r"location|window\.open|href")
# What a button of a login does when it is pressed.
_LOGS_IN = re.compile(
    r"log[-_]?[io]n|sign[-_]?in|submit|auth|valid|check|passw|toggle|show|hide|lang|help|reset|clear|focus|forgot|false"
)


def offers_nothing_else(tags: Sequence[Tag], words: str) -> bool:
    """Whether a page with a login form has nothing beside it; of the whole page, in lower case.

    `tags` are its start tags without scripts, styles and comments, `words` the text between them.
    """
    if len(words) > _MOST_TEXT or _GUESTS.search(words) or _IMAGES.search(words):
        return False
    names = [name for name, _ in tags]
    if names.count("form") > 1 or names.count("tr") + names.count("li") > _MOST_ROWS or not _FRAMES.isdisjoint(names):
        return False
    fields = [attributes for name, attributes in tags if name == "input"]
    texts = [field for field in fields if field.get("type", "").strip() in _TEXT_FIELDS]
    if len(texts) > _MOST_TEXT_FIELDS or _may_be_hidden(tags):
        return False
    return all(_is_needed(name, attributes) for name, attributes in tags)


def invites_guests(tags: Sequence[Tag], words: str) -> bool:
    """Whether a page has a way in for whoever has no login, beside its form; arguments as above."""
    links = (attributes.get("href", "") for name, attributes in tags if name == "a")
    return _GUESTS.search(words) is not None or any(_GUESTS.search(href) for href in links)


def _may_be_hidden(tags: Sequence[Tag]) -> bool:
    """Whether what stands around the password, as far as that can be told, is shown only when somebody asks for it."""
    for name, attributes in tags:
        if name == "dialog":
            return True
        if name == "input" and attributes.get("type", "").strip() == "password":
            return False
        hidden = "hidden" in attributes or attributes.get("aria-hidden", "").strip() == "true"
        role = attributes.get("role", "").strip() in ("dialog", "alertdialog")
        classes, style = attributes.get("class", ""), attributes.get("style", "")
        if name in _AROUND and (hidden or role or _HIDDEN_CLASS.search(classes) or _HIDDEN_STYLE.search(style)):
            return True
    return False


def _does_more(attributes: Mapping[str, str]) -> bool:
    """Whether an element goes somewhere, or does at a press what no login needs."""
    handlers = [(name, code) for name, code in attributes.items() if name.startswith("on")]
    return any(
        _GOES.search(code) or ("click" in name and code.strip() and not _LOGS_IN.search(code))
        for name, code in handlers
    )


def _is_needed(name: str, attributes: Mapping[str, str]) -> bool:
    if _does_more(attributes) or "formaction" in attributes or "url(" in attributes.get("style", ""):
        return False
    match name:
        case "a" | "area":
            linked = (value for key, value in attributes.items() if key == "href" or key.endswith(":href"))
            return all(_leads_beside(href) for href in linked)
        case "input" if attributes.get("type", "").strip() == "image":
            return _decorates(attributes.get("src", ""))
        case "input" | "button":
            said = " ".join(attributes.get(key, "") for key in ("name", "id", "value", "placeholder"))
            kind = attributes.get("type", "").strip()
            return kind == "hidden" or not (kind == "search" or _SEARCH.search(said) or _GUESTS.search(said))
        case _ if name in _PICTURES:
            return _decorates(attributes.get("src", "") or attributes.get("srcset", ""))
        case _:
            return True


def _leads_beside(href: str) -> bool:
    """Whether a link stays on the page, goes to a site's front page elsewhere, or to what a login has beside it."""
    href = href.strip()
    if _GUESTS.search(href):
        return False
    if not href or href.startswith(("#", "mailto:", "tel:")) or href in ("javascript:;", "javascript:void(0)"):
        return True
    try:
        target = urlsplit(href)
    except ValueError:
        return False
    if target.scheme not in ("", "http", "https"):
        return False
    if target.netloc and target.path in ("", "/") and not target.query:
        return True
    place = target.path.rstrip("/").rsplit("/", 1)[-1] or target.query
    return _BESIDE.search(place) is not None


def _decorates(source: str) -> bool:
    source = source.strip()
    return source.startswith("data:") or _DECORATION.search(source.partition("?")[0].rsplit("/", 1)[-1]) is not None
