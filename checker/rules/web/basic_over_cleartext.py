"""web.basic-over-cleartext: a password is asked for over http by a Basic challenge."""

from __future__ import annotations

from checker.codecs.http import SAME
from checker.model import BodyKind, HttpFacts, HttpPurpose, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, dicomweb_service, service_case
from checker.rules.examples_web import (
    DICOMWEB_URL,
    no_answer,
    page,
    refused,
    viewer,
    web_canary,
    web_control,
)
from checker.rules.web_answers import UNAUTHORIZED, all_told, headers_read, here, of_url, redirects, succeeded, weigh


def judge(case: Case) -> Verdict:
    """A Basic challenge over http fails; to pass, an answer must show that there is none where one could be."""
    asked, declared = [facts for facts in here(case) if not facts.tls], of_url(case)
    told = all_told(asked)
    status, by = weigh((facts, _one(facts, declared=facts in declared)) for facts in asked)
    if status is Status.FAIL:
        return failed("It asks for a Basic login over http, which sends the password in the clear.", requests=told)
    if status is Status.PASS and by is not None:
        return passed(f"Asked over http, it asks for no Basic login (status {by.status}).", requests=told)
    if by is not None:
        return unknown(
            f"Whether it asks for a Basic login over http was not shown (status {by.status}).", requests=told
        )
    return unknown("Whether it asks for a Basic login over http was not shown: nothing decisive came.", requests=told)


def _one(facts: HttpFacts, *, declared: bool) -> Status | None:
    if not headers_read(facts):
        return None
    if "basic" in facts.challenges:
        return Status.FAIL
    if not declared or facts.purpose is HttpPurpose.CONTROL:
        return None  # what nobody logs in to, and nonsense that may be answered before any login is asked for
    if redirects(facts):
        onward = facts.redirect_origin or ""
        if onward.startswith("https://") or facts.redirect_to_login:
            return Status.PASS
        # The answer behind a redirect on the same origin decides, where there is any.
        return None if onward == SAME else Status.UNKNOWN
    return Status.PASS if succeeded(facts) or facts.status == UNAUTHORIZED else Status.UNKNOWN


_ASSET = viewer(tls=False)
_ARCHIVE = archive(dicomweb_service(DICOMWEB_URL))

RULE = Rule(
    title="A Basic login is asked for over http",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The service challenges the caller with the scheme Basic on a connection without TLS. The browser answers with"
        " the name and the password, encoded and not encrypted, in each of its requests; whoever sees one of them on"
        " the network can log in as that user.\n\n"
        "To pass, the declared URL must have been answered in a way that shows no such challenge: served, denied with"
        " another scheme, or sent on to https or to a login of another kind. Refusals, errors and silence are unknown."
    ),
    remedy=(
        "Serve it over https alone and let the http port only redirect there, without a challenge of its own. Have the"
        " passwords changed that were used over http."
    ),
    controls=controls.CLEARTEXT_LOGIN,
    applies=lambda service: service.is_web and not service.speaks_tls,
    judge=judge,
    examples=(
        Example(
            "The archive asks for a Basic login over http.",
            service_case(_ARCHIVE, *refused(401, "basic", tls=False)),
            Status.FAIL,
        ),
        Example(
            "Basic is one of several schemes offered.",
            service_case(_ASSET, page(401, tls=False, challenges=["negotiate", "basic"])),
            Status.FAIL,
        ),
        Example(
            "It redirects to https and asks for nothing before.",
            service_case(_ASSET, page(301, BodyKind.NONE, tls=False, redirect="https://archive.example.org")),
            Status.PASS,
        ),
        Example(
            "It asks for a token.",
            service_case(_ARCHIVE, *refused(401, "bearer", tls=False)),
            Status.PASS,
        ),
        Example(
            "It serves anybody without asking.",
            service_case(_ARCHIVE, web_canary(tls=False), web_control(tls=False)),
            Status.PASS,
        ),
        Example(
            "It redirects to another page of its own, which was not answered.",
            service_case(
                _ASSET,
                page(302, BodyKind.NONE, tls=False, redirect="same"),
                no_answer(HttpPurpose.PAGE, tls=False),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The URL is not found.",
            service_case(_ASSET, page(404, tls=False)),
            Status.UNKNOWN,
        ),
        Example(
            "Nothing was answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.PAGE, tls=False)),
            Status.UNKNOWN,
        ),
    ),
)
