"""web.cookie-flags: a session cookie that is not protected."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from checker.model import BodyKind, CookieFacts, HttpFacts, HttpPurpose, JsonValue, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, not_applicable, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_web import cookie, no_answer, page, viewer
from checker.rules.web_answers import busy, headers_read, here

_SESSION = re.compile(
    r"sess|(?:^|[._-])sid(?:$|[._-])|token|auth|jwt|login|remember|identity|ticket|saml|oidc|sso", re.IGNORECASE
)
# A token against forged requests is read by scripts on purpose; what steers a load balancer is nobody's session.
_OTHER = re.compile(r"csrf|xsrf|^AWSALB|^BIGipServer|^ARRAffinity|^NSC_|^ROUTEID|^__cf|^incap_ses", re.IGNORECASE)


def judge(case: Case) -> Verdict:
    """A cookie named as sessions are, without all protections, fails; all of them with every protection pass."""
    answered = [facts for facts in here(case) if headers_read(facts)]
    if not answered:
        return unknown("Whether it sets cookies was not shown: no answer was read.")
    cookies = list(dict.fromkeys(one for facts in answered for one in facts.cookies))
    told = [_told(one) for one in cookies]
    bare = [one for one in cookies if _lacks(one)]
    sessions = [one for one in bare if _is_session(one)]
    if sessions:
        return failed(f"A session cookie is set without protection: {_named(sessions)}.", cookies=told)
    unclear = [one for one in bare if not _OTHER.search(one.name)]
    if unclear:
        return unknown(
            f"A cookie without protection may be a session's or not: {_named(unclear)}.",
            cookies=told,
        )
    if any(_is_session(one) for one in cookies):
        return passed("Every session cookie that was set has Secure, HttpOnly and SameSite.", cookies=told)
    if all(busy(facts) is not None for facts in answered):
        return unknown("Whether it sets cookies was not shown: it answered with errors.", cookies=told)
    return not_applicable("It set no session cookie for a stranger, so there is none to judge.", cookies=told)


def _is_session(one: CookieFacts) -> bool:
    return _SESSION.search(one.name) is not None and _OTHER.search(one.name) is None


def _lacks(one: CookieFacts) -> list[str]:
    """The protections that a cookie lacks; SameSite=None is none, for the cookie then goes with anybody's requests."""
    protections = {
        "Secure": one.secure,
        "HttpOnly": one.http_only,
        "SameSite": one.same_site in ("lax", "strict"),
    }
    return [name for name, there in protections.items() if not there]


def _named(cookies: Iterable[CookieFacts]) -> str:
    first, *rest = cookies
    more = f", and {len(rest)} more" if rest else ""
    return f"{first.name} lacks {', '.join(_lacks(first))}{more}"


def _told(one: CookieFacts) -> JsonValue:
    return {
        "name": one.name,
        "secure": one.secure,
        "http_only": one.http_only,
        "same_site": one.same_site,
        "session": _is_session(one),
    }


_ASSET = viewer()


def _setting(*cookies: CookieFacts) -> Case:
    shown: HttpFacts = replace(page(form=True), cookies=cookies)
    return service_case(_ASSET, shown)


RULE = Rule(
    title="A session cookie is not protected",
    severity=Severity.LOW,
    subject=Subject.SERVICE,
    meaning=(
        "Who has the cookie of a session is that user. Without Secure it may travel over http, without HttpOnly a"
        " script that was slipped into a page can read it, and without SameSite (or with None) other sites' pages can"
        " have the browser send it. Which cookie is a session's is told by its name; its value is never kept.\n\n"
        "To pass, a session cookie must have been set, with all three. One whose name tells nothing is unknown. Where"
        " none is set for a stranger there is none to judge; after a login there may be one, which this check never"
        " sees."
    ),
    remedy=(
        "Set Secure, HttpOnly and SameSite=Lax (or Strict) on session cookies, in the application's or the servlet"
        " container's configuration, or in the reverse proxy (proxy_cookie_flags in nginx)."
    ),
    controls=controls.SESSION,
    applies=lambda service: service.is_web,
    judge=judge,
    examples=(
        Example(
            "A session cookie with nothing at all.",
            _setting(cookie(secure=False, http_only=False, same_site=None)),
            Status.FAIL,
        ),
        Example(
            "A session cookie that scripts can read.", _setting(cookie("connect.sid", http_only=False)), Status.FAIL
        ),
        Example(
            "A session cookie that goes with everybody's requests.", _setting(cookie(same_site="none")), Status.FAIL
        ),
        Example("A session cookie with all three.", _setting(cookie()), Status.PASS),
        Example(
            "A token against forged requests, which scripts have to read, beside a protected session.",
            _setting(cookie(), cookie("XSRF-TOKEN", http_only=False)),
            Status.PASS,
        ),
        Example("A cookie whose name tells nothing.", _setting(cookie("lang", http_only=False)), Status.UNKNOWN),
        Example(
            "The page was not answered in time.", service_case(_ASSET, no_answer(HttpPurpose.PAGE)), Status.UNKNOWN
        ),
        Example(
            "No cookie was set.", service_case(_ASSET, page(302, BodyKind.NONE, redirect="same")), Status.NOT_APPLICABLE
        ),
    ),
)
