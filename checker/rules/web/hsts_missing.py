"""web.hsts-missing: https without Strict-Transport-Security."""

from __future__ import annotations

import re
from dataclasses import replace

from checker.codecs.http_headers import LONG
from checker.model import BodyKind, HttpFacts, HttpPurpose, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_web import no_answer, page, viewer
from checker.rules.web_answers import headers_read, here, weigh

# RFC 6797 6.1: directives parted by semicolons, a token each, perhaps with a value that is a token or in quotes.
_DIRECTIVE = re.compile(r"""\s*([^\s=;",]+)\s*(?:=\s*("[^"]*"|[^\s=;",]*)\s*)?(?:;|$)|\s*;""")
_SECONDS = re.compile(r"[0-9]{1,20}")


def judge(case: Case) -> Verdict:
    """A served page or a redirect over https without the header, or with an age of zero, fails; one with it passes."""
    asked = [facts for facts in here(case) if facts.tls]
    told = [{"path": facts.path, "status": facts.status, "hsts": facts.hsts} for facts in asked]
    status, by = weigh((facts, _one(facts)) for facts in asked)
    if by is None:
        return unknown("Whether it asks browsers to stay with https was not shown: no page was served.", answers=told)
    if status is Status.FAIL:
        said = "no Strict-Transport-Security" if by.hsts is None else "a Strict-Transport-Security without effect"
        return failed(f"Its answer over https has {said} (status {by.status}).", answers=told)
    return passed(f"It asks browsers to stay with https, for {_age(by.hsts)} seconds.", answers=told)


def _one(facts: HttpFacts) -> Status | None:
    if not headers_read(facts):
        return None
    if facts.hsts is not None:
        return Status.PASS if _age(facts.hsts) else Status.FAIL
    # Servers may leave it out of errors and denials (nginx does unless told otherwise), which browsers can do with.
    return Status.FAIL if 200 <= (facts.status or 0) < 400 else None


def _age(header: str | None) -> int:
    """For how long browsers are asked to remember, in seconds; 0 where they are not, or the header is not valid."""
    directives: dict[str, str] = {}
    text = (header or "").rstrip()
    if len(text) >= LONG:
        text = text.rpartition(";")[0]  # it was cut off there
    at = 0
    while at < len(text):
        found = _DIRECTIVE.match(text, at)
        name = "" if found is None else (found.group(1) or "").lower()
        if found is None or name in directives:
            return 0  # browsers ignore one that is not written as it must be, or that names a directive twice
        if name:
            directives[name] = (found.group(2) or "").strip('"')
        at = found.end()
    age = directives.get("max-age", "")
    return int(age) if _SECONDS.fullmatch(age) else 0


_ASSET = viewer()
_A_YEAR = "max-age=31536000; includeSubDomains"

RULE = Rule(
    title="Browsers are not asked to stay with https",
    severity=Severity.LOW,
    subject=Subject.SERVICE,
    meaning=(
        "An answer over https came without the header Strict-Transport-Security (RFC 6797), or with one that browsers"
        " ignore. Somebody on the way can then lead a user who types the name to http, and read along.\n\n"
        "It is judged by what was served and by redirects. Denials and errors without the header are unknown, for"
        " servers often leave it out of those. Browsers heed it only where the certificate is one they trust, and only"
        " for names, not for addresses."
    ),
    remedy=(
        "Send Strict-Transport-Security with a max-age of a year on every answer over https; in nginx add_header with"
        " always. Begin with a short one where parts of the site still need http."
    ),
    controls=controls.CLEARTEXT_WEB,
    applies=lambda service: service.is_web and service.speaks_tls,
    judge=judge,
    examples=(
        Example("A page without the header.", service_case(_ASSET, page()), Status.FAIL),
        Example(
            "A redirect to a login without the header.",
            service_case(_ASSET, page(302, BodyKind.NONE, redirect="same", to_login=True)),
            Status.FAIL,
        ),
        Example(
            "A header whose age is zero.",
            service_case(_ASSET, replace(page(), hsts="max-age=0")),
            Status.FAIL,
        ),
        Example(
            "A header that names its age twice, which browsers ignore.",
            service_case(_ASSET, replace(page(), hsts="max-age=31536000; max-age=0")),
            Status.FAIL,
        ),
        Example("A header for a year.", service_case(_ASSET, replace(page(), hsts=_A_YEAR)), Status.PASS),
        Example(
            "A denial without the header.",
            service_case(_ASSET, page(401, challenges=["basic"])),
            Status.UNKNOWN,
        ),
        Example(
            "The page was not answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.PAGE)),
            Status.UNKNOWN,
        ),
    ),
)
