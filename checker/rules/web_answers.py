"""Pure: what one answer of a web service shows by itself, which answers of a case there are, and their evidence.

Nothing here turns silence, an error, 403 or a 404 into a gate: a gate is what shows a sign of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checker.catalog.web_products import product
from checker.codecs.http import MALFORMED, SAME
from checker.model import HttpEnd, HttpFacts, HttpPurpose, JsonValue, ServiceKind, Status
from checker.rules.base import Case
from checker.rules.web_states import State

UNAUTHORIZED, FORBIDDEN = 401, 403  # RFC 9110 15.5.2 and 15.5.4
REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110 15.4, those that name another place to ask
_TIMED_OUT, _TOO_MANY = 408, 429
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
    HttpEnd.WEBSOCKET_ONLY: State.INCONCLUSIVE_WEBSOCKET,
    HttpEnd.HTTP2_ONLY: State.INCONCLUSIVE_HTTP2,
}
_OF_URL = {
    ServiceKind.WEB: frozenset({HttpPurpose.PAGE}),
    ServiceKind.DICOMWEB: frozenset({HttpPurpose.CANARY, HttpPurpose.CONTROL}),
}


def headers_read(facts: HttpFacts) -> bool:
    """Whether a status and all headers came; enough to see what they hold, not to see what a page lacks."""
    return facts.status is not None and facts.end in _HEADERS_READ


def shown(asked: Iterable[HttpFacts]) -> bool:
    """Whether any of the answers shows what there is: its headers came, or a gate before it did."""
    return any(headers_read(facts) or gate(facts) is not None for facts in asked)


def succeeded(facts: HttpFacts) -> bool:
    """Whether headers came with a status of success, 200 to 299."""
    return headers_read(facts) and 200 <= (facts.status or 0) < 300


def redirects(facts: HttpFacts) -> bool:
    """Whether the answer names another place to ask, in a way that can be read."""
    return headers_read(facts) and facts.status in REDIRECTS and facts.redirect_origin not in (None, MALFORMED)


def busy(facts: HttpFacts) -> State | None:
    """The state of an answer that only says that now is not the time; None for any other."""
    status = facts.status or 0
    if status == _TOO_MANY:
        return State.INCONCLUSIVE_429
    if status == _TIMED_OUT:
        return State.INCONCLUSIVE_TIMEOUT
    return State.INCONCLUSIVE_5XX if status >= 500 else None


def not_answered(facts: HttpFacts) -> State:
    """The state of a request whose answer was not read to the end of its headers."""
    return _ENDS.get(facts.end, State.INCONCLUSIVE_MALFORMED)


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
    return State.GATED_FORM if _is_gate(facts) else None


def _is_gate(facts: HttpFacts) -> bool:
    """Whether a login form stands in the place of what was asked for, and not on a page that anybody may read.

    With 401 it does, for that says that a login is missing; else where the page offers nothing else, or where it is
    known as that of a product, which shows its login and nothing with it. A shell is neither.
    """
    if not facts.login_form or facts.end is not HttpEnd.ANSWERED:
        return False
    if facts.status == UNAUTHORIZED:
        return True
    known = product(facts.product) is not None and not facts.single_page_shell
    return facts.status in (200, FORBIDDEN) and (facts.login_alone or (known and facts.status == 200))


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
        "allow_origin": facts.allow_origin,
        "named_roots": list(facts.named_roots) or None,
        "signs_in": facts.signs_in,
        "names_internal_hosts": facts.names_internal_hosts or None,
        "names_clients": facts.names_clients or None,
        "rest_sign": facts.rest_sign,
        "detail": facts.detail if facts.end in (HttpEnd.WEBSOCKET_ONLY, HttpEnd.HTTP2_ONLY) else None,
    }
    signs = (
        *("redirect_to_login", "login_form", "login_alone", "script_redirect_to_login", "client_certificate_gate"),
        *("single_page_shell", "allow_credentials"),
    )
    evidence |= {name: value for name, value in optional.items() if value is not None}
    return evidence | {name: True for name in signs if getattr(facts, name) is True}


def all_told(facts: Iterable[HttpFacts]) -> list[JsonValue]:
    """Several answers as evidence, in the order observed."""
    return [told(one) for one in facts]


def requests(case: Case) -> list[HttpFacts]:
    """The requests that were sent, in the order observed."""
    return [facts for facts in case.facts(HttpFacts) if facts.end is not HttpEnd.NOT_ASKED]


def here(case: Case) -> list[HttpFacts]:
    """Those requests that went to the origin of the declared URL, whatever for."""
    return [facts for facts in requests(case) if facts.path.startswith("/")]


def of_url(case: Case) -> list[HttpFacts]:
    """Those requests that the declared URL was asked: not what its product or its configuration gave reason to ask."""
    wanted = _OF_URL.get(case.the_service().kind, frozenset())
    return [facts for facts in here(case) if facts.purpose in wanted]


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
