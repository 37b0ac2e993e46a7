"""web.directory-listing: the declared URL is an index of files."""

from __future__ import annotations

from dataclasses import replace

from checker.codecs.http import SAME
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, ServiceKind, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_web import no_answer, page, viewer
from checker.rules.web_answers import (
    FORBIDDEN,
    UNAUTHORIZED,
    all_told,
    gate,
    headers_read,
    of_url,
    redirects,
    succeeded,
    weigh,
)


def judge(case: Case) -> Verdict:
    """An index page fails; a page that is none, or a refusal, passes."""
    asked = of_url(case)
    told = all_told(asked)
    status, by = weigh((facts, _one(facts)) for facts in asked)
    if status is Status.FAIL:
        return failed("Anybody is shown an index of the files on the server.", requests=told)
    if status is Status.PASS:
        return passed("The declared URL is no index of files.", requests=told)
    if by is not None:
        return unknown(f"Whether the URL is an index of files was not shown (status {by.status}).", requests=told)
    return unknown("Whether the URL is an index of files was not shown: nothing decisive came.", requests=told)


def _one(facts: HttpFacts) -> Status | None:
    if not headers_read(facts) and gate(facts) is None:
        return None
    if facts.directory_listing and succeeded(facts):
        return Status.FAIL
    if gate(facts) is not None or facts.status in (UNAUTHORIZED, FORBIDDEN):
        return Status.PASS
    if redirects(facts) and facts.redirect_origin == SAME:
        return None  # the answer behind it decides, where there is any
    return Status.PASS if succeeded(facts) and facts.end is HttpEnd.ANSWERED else Status.UNKNOWN


_ASSET = viewer()

RULE = Rule(
    title="The server shows an index of its files",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "At the declared URL the server lists the files of a folder to anybody. Exports, backups and configurations"
        " that nobody meant to publish are then found by whoever looks, and by search engines.\n\n"
        "Only the declared URL is judged, and the page of the same server that it may lead to; no other folder is"
        " looked for. To pass, that page must have been read, or have been refused to strangers."
    ),
    remedy=(
        "Switch indexes off (autoindex in nginx, Indexes in Apache, directory browsing in IIS), move what is not meant"
        " to be published out of the web root, and see in the server's log who has fetched what."
    ),
    controls=controls.DISCLOSURE,
    applies=lambda service: service.kind is ServiceKind.WEB,
    judge=judge,
    examples=(
        Example(
            "The page is an index of files.",
            service_case(_ASSET, replace(page(), directory_listing=True)),
            Status.FAIL,
        ),
        Example("A page that is no index.", service_case(_ASSET, page()), Status.PASS),
        Example("A login is asked for.", service_case(_ASSET, page(401, challenges=["basic"])), Status.PASS),
        Example("The folder may not be listed.", service_case(_ASSET, page(403)), Status.PASS),
        Example("The URL is not found.", service_case(_ASSET, page(404)), Status.UNKNOWN),
        Example(
            "It redirects to another server.",
            service_case(_ASSET, page(302, BodyKind.NONE, redirect="https://portal.example.net")),
            Status.UNKNOWN,
        ),
        Example(
            "The page was not answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.PAGE)),
            Status.UNKNOWN,
        ),
    ),
)
