"""web.login-over-cleartext: a login form is shown over http."""

from __future__ import annotations

from dataclasses import replace

from checker.codecs.http import PREFIX_BYTES, SAME
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_web import no_answer, page, viewer
from checker.rules.web_answers import UNAUTHORIZED, all_told, headers_read, here, of_url, redirects, succeeded, weigh


def judge(case: Case) -> Verdict:
    """A login form over http fails; to pass, what came must have been read and leave no room for one."""
    asked, declared = [facts for facts in here(case) if not facts.tls], of_url(case)
    told = all_told(asked)
    status, by = weigh((facts, _one(facts, declared=facts in declared)) for facts in asked)
    if status is Status.FAIL:
        return failed("It shows a login form over http, which sends the password in the clear.", requests=told)
    if status is Status.PASS and by is not None:
        return passed(f"Asked over http, it shows no login form (status {by.status}).", requests=told)
    return unknown(f"Whether it shows a login form over http was not shown: {_doubt(by)}.", requests=told)


def _one(facts: HttpFacts, *, declared: bool) -> Status | None:
    if not headers_read(facts):
        return None
    if facts.login_form or facts.password_field:
        return Status.FAIL
    if not declared or facts.purpose is HttpPurpose.CONTROL:
        return None  # what nobody logs in to, and nonsense that may be answered before any login is asked for
    if redirects(facts):
        onward = facts.redirect_origin or ""
        if onward.startswith("https://"):
            return Status.PASS
        # The answer behind a redirect on the same origin decides, where there is any; a login is never followed.
        return None if onward == SAME and not facts.redirect_to_login else Status.UNKNOWN
    if facts.end is not HttpEnd.ANSWERED:
        return Status.UNKNOWN
    if facts.status == UNAUTHORIZED and facts.challenges:
        return Status.PASS
    return Status.PASS if succeeded(facts) and not _has_room(facts) else Status.UNKNOWN


def _has_room(facts: HttpFacts) -> bool:
    """Whether a login form may be where we do not look: behind what was read of a page, or made by its script."""
    if facts.body is not BodyKind.HTML:
        return facts.body is BodyKind.OTHER
    cut = facts.length_class is None or facts.length_class > PREFIX_BYTES
    return cut or facts.single_page_shell or facts.script_redirect_to_login


def _doubt(by: HttpFacts | None) -> str:
    if by is None:
        return "nothing decisive came"
    if redirects(by):
        return "it sends on to a login, which was not asked" if by.redirect_to_login else "it sends on over http"
    if by.single_page_shell or by.script_redirect_to_login:
        return "the page makes what it shows by script"
    return f"the answer (status {by.status}) leaves room for one"


_ASSET = viewer(tls=False)

RULE = Rule(
    title="A login form is shown over http",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "A page with a form for a password came on a connection without TLS. Whoever is on the way can read what is"
        " sent with it, or change the page so that the form sends it to somebody else; that holds even where the form"
        " itself sends to https.\n\n"
        "To pass, the answer must have been read and leave no room for a form: a short page without one, an answer that"
        " is no page, a challenge, or a redirect to https. A page that a script makes, and a redirect to a login that"
        " stays on http and was not asked, are unknown."
    ),
    remedy=(
        "Serve the whole site over https, its login page first, and let the http port only redirect there. Have the"
        " passwords changed that were used over http."
    ),
    controls=controls.CLEARTEXT_LOGIN,
    applies=lambda service: service.is_web and not service.speaks_tls,
    judge=judge,
    examples=(
        Example(
            "The page has a form for a password.",
            service_case(_ASSET, page(tls=False, form=True)),
            Status.FAIL,
        ),
        Example(
            "The form comes with status 401.",
            service_case(_ASSET, page(401, tls=False, form=True)),
            Status.FAIL,
        ),
        Example(
            "It redirects to https.",
            service_case(_ASSET, page(301, BodyKind.NONE, tls=False, redirect="https://archive.example.org")),
            Status.PASS,
        ),
        Example(
            "A short page without a form.",
            service_case(_ASSET, page(tls=False)),
            Status.PASS,
        ),
        Example(
            "A page that a script makes.",
            service_case(_ASSET, page(tls=False, single_page=True)),
            Status.UNKNOWN,
        ),
        Example(
            "A page longer than what was read of it.",
            service_case(_ASSET, replace(page(tls=False), length_class=65536)),
            Status.UNKNOWN,
        ),
        Example(
            "It redirects to a login on http, which was not asked.",
            service_case(_ASSET, page(302, BodyKind.NONE, tls=False, redirect="same", to_login=True)),
            Status.UNKNOWN,
        ),
        Example(
            "The page came in a content coding and was not read.",
            service_case(_ASSET, replace(page(tls=False), end=HttpEnd.ENCODED, body=None)),
            Status.UNKNOWN,
        ),
        Example(
            "Nothing was answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.PAGE, tls=False)),
            Status.UNKNOWN,
        ),
    ),
)
