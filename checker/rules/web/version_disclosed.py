"""web.version-disclosed: the server tells anybody which version it is."""

from __future__ import annotations

import re
from dataclasses import replace

from checker.model import BodyKind, HttpFacts, HttpPurpose, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_web import no_answer, page, viewer
from checker.rules.web_answers import busy, headers_read, here, weigh

# `nginx/1.22.1`, `Jetty(9.4.53)`, `Mongoose 6.18`
_VERSION = re.compile(r"[a-z][/(]v?[0-9]|[0-9]\.[0-9]", re.IGNORECASE)


def judge(case: Case) -> Verdict:
    """A header that names a version fails; answers whose headers name none pass."""
    asked = here(case)
    told = [
        {"path": one.path, "status": one.status, "server": one.server, "x_powered_by": one.powered_by} for one in asked
    ]
    status, by = weigh((facts, _one(facts)) for facts in asked)
    if status is Status.FAIL and by is not None:
        return failed(f"It tells its version to anybody: {', '.join(_versions(by))}.", answers=told)
    if status is Status.PASS:
        return passed("The headers of its answers name no version.", answers=told)
    return unknown("Whether it tells its version was not shown: no answer of its own was read.", answers=told)


def _one(facts: HttpFacts) -> Status | None:
    if not headers_read(facts):
        return None
    if _versions(facts):
        return Status.FAIL
    # An error may come from what stands before the service, and say nothing of it.
    return None if busy(facts) is not None else Status.PASS


def _versions(facts: HttpFacts) -> list[str]:
    return [header for header in (facts.server, facts.powered_by) if header is not None and _VERSION.search(header)]


_ASSET = viewer()

RULE = Rule(
    title="The server tells its version to anybody",
    severity=Severity.INFO,
    subject=Subject.SERVICE,
    meaning=(
        "A header of its answers (Server or X-Powered-By) names a product with its version. That is no fault by itself,"
        " and tells whoever looks for a known weakness where to try it.\n\n"
        "Only the headers are judged; a page may name a version elsewhere."
    ),
    remedy=(
        "Leave the version out of the headers (server_tokens off in nginx, ServerTokens Prod in Apache), and keep the"
        " software up to date, which matters more."
    ),
    controls=controls.DISCLOSURE,
    rises=False,
    applies=lambda service: service.is_web,
    judge=judge,
    examples=(
        Example(
            "The header Server names a version.",
            service_case(_ASSET, replace(page(), server="nginx/1.22.1")),
            Status.FAIL,
        ),
        Example(
            "The header X-Powered-By names a version, with a denial.",
            service_case(_ASSET, replace(page(403, BodyKind.NONE), server="Apache", powered_by="PHP/8.2.7")),
            Status.FAIL,
        ),
        Example(
            "A product without a version.",
            service_case(_ASSET, replace(page(), server="nginx", powered_by="ASP.NET")),
            Status.PASS,
        ),
        Example(
            "An error, which may come from what stands before the service.",
            service_case(_ASSET, page(502)),
            Status.UNKNOWN,
        ),
        Example(
            "The page was not answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.PAGE)),
            Status.UNKNOWN,
        ),
    ),
)
