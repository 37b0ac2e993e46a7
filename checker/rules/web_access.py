"""Pure: whether a stranger is let in by one web service, from what its requests brought back, as one state with words.

Every rule of the family `web` that speaks of access, and `archive.open` through them, decides here and nowhere else. A
gate counts only where a sign of it was read: a challenge, a redirect to a login, a login form, a demand for a client
certificate, or 401 for whatever is asked. Nothing here turns silence, an error, 403 or a 404 into a gate; nothing calls
an archive open whose empty answer a second request for nonsense did not tell apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from checker.catalog.web_products import product
from checker.codecs.http import MALFORMED, SAME, is_json
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, JsonValue, Status
from checker.rules.base import Case
from checker.rules.web_states import SILENT, Access, State

UNAUTHORIZED, FORBIDDEN = 401, 403  # RFC 9110 15.5.2 and 15.5.4
_NO_CONTENT = 204
_TIMED_OUT, _TOO_MANY = 408, 429
_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110 15.4, those that name another place to ask
_LISTS = frozenset({BodyKind.EMPTY_ARRAY, BodyKind.FILLED_ARRAY})
_HEADERS_READ = frozenset({HttpEnd.ANSWERED, HttpEnd.ENCODED})
_SCHEMES = {"basic": State.GATED_BASIC, "digest": State.GATED_DIGEST, "bearer": State.GATED_BEARER}
_ENDS = {
    HttpEnd.TIMEOUT: State.INCONCLUSIVE_TIMEOUT,
    HttpEnd.CLOSED: State.INCONCLUSIVE_CUT_OFF,
    HttpEnd.RESET: State.INCONCLUSIVE_CUT_OFF,
    HttpEnd.TOO_MUCH: State.INCONCLUSIVE_CUT_OFF,
    HttpEnd.ENCODED: State.INCONCLUSIVE_ENCODING,
    HttpEnd.NOT_CONNECTED: State.INCONCLUSIVE_NO_CONNECTION,
    HttpEnd.TLS_FAILED: State.INCONCLUSIVE_NO_CONNECTION,
    HttpEnd.NOT_ASKED: State.NOT_ASKED,
}


# ------------------------------------------------------------------------------------------------------ one answer


def headers_read(facts: HttpFacts) -> bool:
    """Whether a status and all headers came; enough to see what they hold, not to see what a page lacks."""
    return facts.status is not None and facts.end in _HEADERS_READ


def succeeded(facts: HttpFacts) -> bool:
    """Whether headers came with a status of success, 200 to 299."""
    return headers_read(facts) and 200 <= (facts.status or 0) < 300


def redirects(facts: HttpFacts) -> bool:
    """Whether the answer names another place to ask, in a way that can be read."""
    return headers_read(facts) and facts.status in _REDIRECTS and facts.redirect_origin not in (None, MALFORMED)


def busy(facts: HttpFacts) -> State | None:
    """The state of an answer that only says that now is not the time; None for any other."""
    status = facts.status or 0
    if status == _TOO_MANY:
        return State.INCONCLUSIVE_429
    if status == _TIMED_OUT:
        return State.INCONCLUSIVE_TIMEOUT
    return State.INCONCLUSIVE_5XX if status >= 500 else None


def gate(facts: HttpFacts) -> State | None:
    """The gate that an answer shows by a sign of its own; None where it shows none.

    A challenge beside any status but 401 and 403 holds nobody back, and a form on a page of errors belongs to the page.
    """
    if facts.end is HttpEnd.CLIENT_CERTIFICATE_REQUIRED:
        return State.GATED_CLIENT_CERT
    if not headers_read(facts):
        return None
    if facts.client_certificate_gate:
        return State.GATED_CLIENT_CERT
    if facts.status in (UNAUTHORIZED, FORBIDDEN) and facts.challenges:
        known = [_SCHEMES[scheme] for scheme in facts.challenges if scheme in _SCHEMES]
        return known[0] if known else State.GATED_CHALLENGE
    if facts.redirect_to_login and redirects(facts):
        return State.GATED_REDIRECT_LOCAL if facts.redirect_origin == SAME else State.GATED_REDIRECT_EXTERNAL
    if facts.login_form and facts.end is HttpEnd.ANSWERED and facts.status in (200, UNAUTHORIZED, FORBIDDEN):
        return State.GATED_FORM
    return None


def told(facts: HttpFacts) -> Mapping[str, JsonValue]:
    """An answer as evidence; what was not observed is left out."""
    evidence: dict[str, JsonValue] = {
        "purpose": facts.purpose.value,
        "path": facts.path,
        "tls": facts.tls,
        "end": facts.end.value,
    }
    optional: dict[str, JsonValue] = {
        "status": facts.status,
        "media_type": facts.media_type,
        "body": None if facts.body is None else facts.body.value,
        "body_alike": facts.body_alike,
        "challenges": list(facts.challenges) or None,
        "realm": facts.realm,
        "redirect_origin": facts.redirect_origin,
        "redirect_path": facts.redirect_path,
        "product": facts.product,
    }
    signs = ("redirect_to_login", "login_form", "script_redirect_to_login", "client_certificate_gate")
    evidence |= {name: value for name, value in optional.items() if value is not None}
    return evidence | {name: True for name in (*signs, "single_page_shell") if getattr(facts, name) is True}


def all_told(facts: Iterable[HttpFacts]) -> list[JsonValue]:
    """Several answers as evidence, in the order observed."""
    return [told(one) for one in facts]


def requests(case: Case) -> list[HttpFacts]:
    """The requests that were sent, in the order observed."""
    return [facts for facts in case.facts(HttpFacts) if facts.end is not HttpEnd.NOT_ASKED]


def weigh(judged: Iterable[tuple[HttpFacts, Status | None]]) -> tuple[Status, HttpFacts | None]:
    """Of answers judged one by one: a failure first, then a doubt, then a pass; None says nothing about the question.

    Gives the answer that decided with the status; unknown and None where none says anything.
    """
    found = list(judged)
    for wanted in (Status.FAIL, Status.UNKNOWN, Status.PASS):
        for facts, status in found:
            if status is wanted:
                return status, facts
    return Status.UNKNOWN, None


# ------------------------------------------------------------------------------------------------------- an archive


def archive_access(asked: Sequence[HttpFacts]) -> Access:
    """The state of a DICOMweb service, by its canaries and the controls beside them."""
    controls = [facts for facts in asked if facts.purpose is HttpPurpose.CONTROL]
    canaries = [facts for facts in asked if facts.purpose is HttpPurpose.CANARY]
    return _together([Access(archive_state(facts, controls), facts) for facts in canaries])


def archive_state(canary: HttpFacts, controls: Sequence[HttpFacts]) -> State:
    """The state that one canary shows, weighed against its controls."""
    shut = gate(canary)
    if shut is not None:
        # A list for nonsense shows that others than the canary's path are served.
        return State.INCONCLUSIVE_CONTROL if any(_serves_list(control) for control in controls) else shut
    alike = any(_alike(canary, control) for control in controls)
    if _is_list(canary, BodyKind.FILLED_ARRAY):
        return State.CATCH_ALL if alike else State.OPEN_FILTER_IGNORED
    if not headers_read(canary):
        return _ENDS.get(canary.end, State.INCONCLUSIVE_MALFORMED)
    later = busy(canary)
    if later is not None:
        return later
    if canary.status in (UNAUTHORIZED, FORBIDDEN):
        return _denied(canary, controls)
    if canary.status in _REDIRECTS:
        return State.REDIRECTED
    if canary.end is HttpEnd.ENCODED and succeeded(canary):
        return State.INCONCLUSIVE_ENCODING
    if alike:
        return State.CATCH_ALL
    if canary.status == _NO_CONTENT or _is_list(canary, BodyKind.EMPTY_ARRAY):
        return State.OPEN_PROVEN if _told_apart(canary, controls) else State.INCONCLUSIVE_CONTROL
    return State.NOT_THIS_SERVICE


def _denied(canary: HttpFacts, controls: Sequence[HttpFacts]) -> State:
    # 401 says that a login is missing (RFC 9110 15.5.2), and for nonsense as well it means the caller, not the path.
    # 403 may have nothing to do with a login (15.5.4): object stores say it of whatever they do not have, filters of a
    # client that they take for a robot, and both let a browser in.
    decisive = _decisive(controls)
    everywhere = bool(decisive) and all(one.status in (UNAUTHORIZED, FORBIDDEN) or gate(one) for one in decisive)
    return State.DENIED_NO_CHALLENGE if canary.status == UNAUTHORIZED and everywhere else State.INCONCLUSIVE_DENIED


def _told_apart(canary: HttpFacts, controls: Sequence[HttpFacts]) -> bool:
    decisive = _decisive(controls)
    return bool(decisive) and all(_differs(canary, control) for control in decisive)


def _decisive(controls: Sequence[HttpFacts]) -> list[HttpFacts]:
    return [control for control in controls if headers_read(control) and busy(control) is None]


def _differs(canary: HttpFacts, control: HttpFacts) -> bool:
    if canary.status != control.status:
        return not (succeeded(control) and canary.body is control.body is BodyKind.EMPTY_ARRAY)
    read = control.end is HttpEnd.ANSWERED and control.body is not None
    return read and control.body is not canary.body and control.body_alike is not True


def _alike(canary: HttpFacts, control: HttpFacts) -> bool:
    if not (succeeded(canary) and succeeded(control)):
        return False
    if canary.body is control.body is BodyKind.EMPTY_ARRAY:
        return True
    return canary.status == control.status and (control.body_alike is True or canary.body is control.body)


def _is_list(facts: HttpFacts, kind: BodyKind) -> bool:
    return facts.status == 200 and facts.body is kind and is_json(facts.media_type)


def _serves_list(facts: HttpFacts) -> bool:
    return succeeded(facts) and facts.body in _LISTS


# --------------------------------------------------------------------------------------------------------- a viewer


def viewer_access(asked: Sequence[HttpFacts], archives: Sequence[Access]) -> Access:
    """The state of a declared page, with those of the DICOMweb services that its asset declares, at every address."""
    pages = [facts for facts in asked if facts.purpose is HttpPurpose.PAGE]
    return _together([Access(_with_archives(facts, archives), facts) for facts in pages])


def page_state(page: HttpFacts) -> State:
    """The state that a page shows by itself."""
    shut = gate(page)
    if shut is not None:
        return shut
    if not headers_read(page):
        return _ENDS.get(page.end, State.INCONCLUSIVE_MALFORMED)
    later = busy(page)
    if later is not None:
        return later
    if page.status in (UNAUTHORIZED, FORBIDDEN):
        return State.INCONCLUSIVE_DENIED
    if page.status in _REDIRECTS:
        return State.REDIRECTED
    if page.end is HttpEnd.ENCODED and succeeded(page):
        return State.INCONCLUSIVE_ENCODING
    if page.status != 200 or page.body is not BodyKind.HTML or page.directory_listing:
        return State.NOT_THIS_SERVICE
    if page.script_redirect_to_login:
        return State.INCONCLUSIVE_SCRIPT_LOGIN
    return State.OPEN_PAGE if _is_protected(page) else State.PAGE_PUBLIC


def _with_archives(page: HttpFacts, archives: Sequence[Access]) -> State:
    alone = page_state(page)
    if alone not in (State.PAGE_PUBLIC, State.INCONCLUSIVE_SCRIPT_LOGIN):
        return alone
    statuses = {archive.status for archive in archives}
    if alone is State.PAGE_PUBLIC and Status.FAIL in statuses:
        return State.PAGE_PUBLIC_API_OPEN
    if not _fetches(page):
        return alone
    if statuses == {Status.PASS}:
        return State.SHELL_PUBLIC_API_GATED
    return State.SHELL_PUBLIC_API_UNKNOWN if alone is State.PAGE_PUBLIC else alone


def _is_protected(page: HttpFacts) -> bool:
    """Whether the page's product shows it only to those whom its archive lets in."""
    known = product(page.product)
    if known is None or known.page != "protected":
        return False
    return not any(
        page.path == path or (path.endswith("/") and page.path.startswith(path)) for path in known.public_by_design
    )


def _fetches(page: HttpFacts) -> bool:
    """Whether the page is an empty shell, whose data the browser fetches from a DICOMweb service.

    A page made by its server may well show what that service refuses; so may the shell of a product that the catalogue
    knows to have no DICOMweb root, unless it is a viewer, which needs one from elsewhere.
    """
    known = product(page.product)
    return page.single_page_shell and (known is None or known.kind == "viewer" or bool(known.dicomweb_roots))


def _together(found: Sequence[Access]) -> Access:
    """One failure fails; a doubt that was answered outweighs a pass, silence does not."""

    def rank(access: Access) -> int:
        if access.status is Status.FAIL:
            return 0
        if access.status is Status.PASS:
            return 2
        return 3 if access.state in SILENT else 1

    return min(found, key=rank, default=Access(State.NOT_ASKED))
