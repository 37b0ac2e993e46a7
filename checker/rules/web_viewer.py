"""Pure: whether a stranger can use one viewer, from its page and from the archives that it reads from.

A page that is an empty shell says nothing, so the archives behind it decide. Which those are, its configuration tells
where that was read: the roots that it names, asked with this service or declared by the same asset. Else they are all
DICOMweb services of the asset. A root that is named and was not asked is a doubt, whatever the others do; that a
configuration speaks of a login shuts nothing, for it is the browser that would have to heed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from checker.catalog.web_products import product
from checker.codecs.http import origin_of
from checker.codecs.web_configuration import UNKNOWN_ROOT
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, Service, ServiceKind, Status
from checker.rules.base import Case
from checker.rules.cases import service_cases
from checker.rules.web_access import archive_access, rest_state, root_accesses, together
from checker.rules.web_answers import (
    FORBIDDEN,
    REDIRECTS,
    UNAUTHORIZED,
    busy,
    gate,
    headers_read,
    not_answered,
    requests,
    succeeded,
)
from checker.rules.web_states import Access, State

_NAMES_ROOTS = frozenset({"ohif", "json"})  # the formats of configurations that do; of others none is to be expected


@dataclass(frozen=True, slots=True)
class Behind:
    """The archives that a viewer reads from.

    `declared`: DICOMweb services of the asset, as cases at each of their addresses; `own`: the roots that were asked
    with the viewer; `rest`: what its product's own REST question showed; `not_asked`: the roots that its configuration
    names and that are neither.
    """

    declared: tuple[tuple[Case, Access], ...] = ()
    own: tuple[tuple[str, Access], ...] = ()
    rest: tuple[Access, ...] = ()
    not_asked: tuple[str, ...] = ()

    @property
    def accesses(self) -> tuple[Access, ...]:
        """The state of each archive."""
        return (*(access for _, access in self.declared), *(access for _, access in self.own), *self.rest)


def archives_behind(case: Case) -> Behind:
    """The archives behind the viewer of a case."""
    asked, service = requests(case), case.the_service()
    named = list(dict.fromkeys(root for facts in asked for root in facts.named_roots))
    if _is_unread(asked) and UNKNOWN_ROOT not in named:
        named.append(UNKNOWN_ROOT)
    own = root_accesses(asked)
    beside = [one for one in service_cases(case) if one.the_service().kind is ServiceKind.DICOMWEB]
    places = [(one, _place(one.the_service(), service)) for one in beside]
    if named and UNKNOWN_ROOT not in named:
        places = [(one, place) for one, place in places if any(_is_at(place, name) for name in named)]
    asked_there = [_normal(root) for root, _ in own]
    return Behind(
        declared=tuple((one, archive_access(requests(one))) for one, _ in places),
        own=tuple(own),
        rest=tuple(Access(rest_state(facts), facts) for facts in asked if facts.purpose is HttpPurpose.REST),
        not_asked=tuple(
            name
            for name in named
            if not any(_is_at(place, name) for _, place in places)
            and not any(_is_at(root, name) or root.startswith(f"{name}/") for root in asked_there)
        ),
    )


def _is_unread(asked: Sequence[HttpFacts]) -> bool:
    """Whether a configuration that names the archive was asked for, and none came that was understood."""
    products = [known for facts in asked if (known := product(facts.product)) is not None]
    names_roots = any(ask.format in _NAMES_ROOTS for known in products for ask in known.asks)
    told = [facts for facts in asked if facts.purpose is HttpPurpose.CONFIGURATION]
    return names_roots and bool(told) and not any(facts.named_roots or facts.signs_in is not None for facts in told)


def _place(service: Service, seen_from: Service) -> str:
    """Where a declared DICOMweb service is, as its root would read had it been asked with another service."""
    url, here = urlsplit(service.url or ""), urlsplit(seen_from.url or "")
    path, origin = url.path.rstrip("/"), origin_of(url)
    return path if origin == origin_of(here) else f"{origin}{path}"


def _normal(root: str) -> str:
    """A root as it was asked, with its origin as facts write one."""
    if root.startswith("/") or not root:
        return root
    return f"{origin_of(urlsplit(root))}{urlsplit(root).path}"


def _is_at(place: str, name: str) -> bool:
    """Whether a declared root is the one that a configuration names.

    One elsewhere is named whole where it is declared; where only its origin is known, it may be any other there.
    """
    if name.startswith("/"):
        return place == name.rstrip("/")
    return name == (place if urlsplit(place).path else f"{place}/")


def viewer_access(asked: Sequence[HttpFacts], behind: Behind) -> Access:
    """The state of a declared page, with those of the archives behind it."""
    pages = [facts for facts in asked if facts.purpose is HttpPurpose.PAGE]
    return together([Access(_with_archives(facts, behind), facts) for facts in pages])


def page_state(page: HttpFacts) -> State:
    """The state that a page shows by itself."""
    shut = gate(page)
    # A login at a path that its product shows to anybody says nothing of the other paths.
    if shut is not None and not (shut is State.GATED_FORM and page.status == 200 and _is_shown_to_anybody(page)):
        return shut
    if not headers_read(page):
        return not_answered(page)
    later = busy(page)
    if later is not None:
        return later
    if page.status in (UNAUTHORIZED, FORBIDDEN):
        return State.INCONCLUSIVE_DENIED
    if page.status in REDIRECTS:
        return State.REDIRECTED
    if page.end is HttpEnd.ENCODED and succeeded(page):
        return State.INCONCLUSIVE_ENCODING
    if page.status != 200 or page.body is not BodyKind.HTML or page.directory_listing:
        return State.NOT_THIS_SERVICE
    if page.login_form:
        return State.INCONCLUSIVE_FORM
    if page.script_redirect_to_login:
        return State.INCONCLUSIVE_SCRIPT_LOGIN
    return State.OPEN_PAGE if _is_protected(page) else State.PAGE_PUBLIC


# What is shown to anybody, and says nothing of the images.
_PUBLIC = frozenset({State.PAGE_PUBLIC, State.INCONCLUSIVE_SCRIPT_LOGIN, State.INCONCLUSIVE_FORM})


def _with_archives(page: HttpFacts, behind: Behind) -> State:
    alone = page_state(page)
    if alone is State.OPEN_PAGE and any(_denies(access) for access in behind.rest):
        return State.SHELL_PUBLIC_API_UNKNOWN  # it is made of what the REST interface gives, which refused us
    if alone not in _PUBLIC:
        return alone
    statuses = [access.status for access in behind.accesses]
    # A login by script may hold a user back, and a form is perhaps all there is, so that these two are no proof.
    if alone is State.PAGE_PUBLIC and Status.FAIL in statuses:
        return State.PAGE_PUBLIC_API_OPEN
    if not _fetches(page, behind):
        return alone
    if statuses and set(statuses) == {Status.PASS} and not behind.not_asked:
        return State.SHELL_PUBLIC_API_GATED
    return State.SHELL_PUBLIC_API_UNKNOWN if alone is State.PAGE_PUBLIC else alone


def _denies(rest: Access) -> bool:
    return rest.status is Status.PASS or rest.state in (State.INCONCLUSIVE_DENIED, State.INCONCLUSIVE_FORM)


def _is_protected(page: HttpFacts) -> bool:
    """Whether the page's product shows it only to those whom its archive lets in."""
    known = product(page.product)
    if known is None or known.page != "protected":
        return False
    return not any(
        page.path == path or (path.endswith("/") and page.path.startswith(path)) for path in known.public_by_design
    )


def _is_shown_to_anybody(page: HttpFacts) -> bool:
    """Whether the page's product has this very path for anybody, in every set-up."""
    known = product(page.product)
    return known is not None and page.path in known.public_by_design


def _fetches(page: HttpFacts, behind: Behind) -> bool:
    """Whether the page is an empty shell, whose data the browser fetches from the archives behind it.

    A page made by its server may well show what those refuse; so may the shell of a product that the catalogue knows to
    have no DICOMweb root, unless it is a viewer, which needs one from elsewhere, or its own interface was asked.
    """
    known = product(page.product)
    if not page.single_page_shell:
        return False
    return known is None or known.kind == "viewer" or bool(known.dicomweb_roots or behind.rest)
