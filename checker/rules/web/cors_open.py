"""web.cors-open: an archive lets the pages of any site read its answers."""

from __future__ import annotations

from dataclasses import replace

from checker.model import BodyKind, HttpFacts, HttpPurpose, JsonValue, ServiceKind, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, not_applicable, passed, unknown
from checker.rules.examples import archive, dicomweb_service, service_case
from checker.rules.examples_web import cors, no_answer, page, refused, viewer_case, web_canary, web_control
from checker.rules.web_access import archive_access
from checker.rules.web_answers import all_told, headers_read, requests, shown
from checker.rules.web_states import words

_ANYBODY = frozenset({"any", "echoed"})


def judge(case: Case) -> Verdict:
    """Leave for any origin fails, low where the archive is gated; to pass, the archive itself must have answered.

    Where the archive is neither known to be open nor to be gated, what gave the leave may be no archive.
    """
    asked = requests(case)
    canaries = [facts for facts in asked if facts.purpose is HttpPurpose.CANARY]
    if not canaries and case.the_service().kind is ServiceKind.WEB and shown(asked):
        return not_applicable("No DICOMweb root was found through this page, so there was none to ask.")
    access = archive_access(asked)
    told = all_told(canaries)
    told_us = [facts for facts in canaries if headers_read(facts) and facts.allow_origin is not None]
    lenient = [facts for facts in told_us if facts.allow_origin in _ANYBODY]
    if lenient:
        return _lenient(lenient[0], access.status, words(access), told=told, state=access.state.value)
    if canaries and access.status is Status.FAIL and all(_decides(facts) for facts in canaries):
        return passed(
            "The pages of other sites may not read the answers of this archive.",
            state=access.state.value,
            canaries=told,
        )
    if canaries and all(facts.allow_origin == "named" and headers_read(facts) for facts in canaries):
        return passed(
            "Its answers name the one site whose pages may read them, and not whoever asks.",
            state=access.state.value,
            canaries=told,
        )
    doubt = unknown(
        f"Whether the pages of any site may read its answers was not shown: {_doubt(told_us, words(access))}.",
        state=access.state.value,
        canaries=told,
    )
    return replace(doubt, severity=Severity.LOW) if access.status is Status.PASS else doubt


def _lenient(by: HttpFacts, status: Status, said: str, *, told: list[JsonValue], state: str) -> Verdict:
    how = "any site" if by.allow_origin == "any" else "whichever site asks"
    # Fetch standard, CORS protocol and credentials: beside `*` browsers give no login along.
    login = ", with the login of whoever visits it" if by.allow_origin == "echoed" and by.allow_credentials else ""
    if status is Status.FAIL:
        return failed(
            f"The archive is open, and lets the pages of {how} read its answers{login}.", state=state, canaries=told
        )
    if status is Status.PASS:
        return failed(
            f"The archive is gated, and lets the pages of {how} read its answers{login}.",
            severity=Severity.LOW,
            state=state,
            canaries=told,
        )
    return unknown(
        f"The pages of {how} may read its answers, but that an archive gave them was not shown: {said}.",
        state=state,
        canaries=told,
    )


def _decides(canary: HttpFacts) -> bool:
    """Whether an answer with success shows, by its headers, whose pages may read it."""
    return headers_read(canary) and canary.allow_origin in ("absent", "named") and 200 <= (canary.status or 0) < 300


def _doubt(told_us: list[HttpFacts], said: str) -> str:
    if not told_us:
        return "no answer of its own was read"
    # nginx adds headers to successes and redirects, Apache to successes, unless told to do so always.
    return f"servers often leave that header out of a refusal ({said})"


_ASSET = archive(dicomweb_service())
_OPEN = (web_canary(), web_control())

RULE = Rule(
    title="The pages of any site may read what the archive answers",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "A browser lets the page of one site read the answers of another only where those allow it, in the header"
        " Access-Control-Allow-Origin. The archive allowed it to everybody (`*`), or to a made-up site that nobody has,"
        " which was told back to it. A page anywhere can then have the browser of somebody inside the hospital fetch"
        " from an open archive what the firewall keeps from the page's owner.\n\n"
        "It is high where the archive is open (web.archive-open), and low where it is gated: then a page needs a login"
        " to go along, which browsers give only where the site was told back with Access-Control-Allow-Credentials.\n\n"
        "It passes where the archive served a stranger without that leave, or names one site whoever asks. A refusal"
        " without the header is unknown, for servers often leave it out of refusals; so is an answer of which it is not"
        " known that an archive gave it."
    ),
    remedy=(
        "Name the origins of your own viewers, and no others, in the archive or in the proxy before it; compare them"
        " whole, and never tell back whatever origin asks. A viewer on the archive's own origin needs no such header."
    ),
    controls=controls.OPEN_DICOMWEB,
    applies=lambda service: service.is_web,
    judge=judge,
    examples=(
        Example(
            "An open archive answers with `*`.",
            service_case(_ASSET, *(cors(facts, "any") for facts in _OPEN)),
            Status.FAIL,
            Severity.HIGH,
        ),
        Example(
            "An open archive tells the origin back.",
            service_case(_ASSET, *(cors(facts, "echoed") for facts in _OPEN)),
            Status.FAIL,
            Severity.HIGH,
        ),
        Example(
            "A gated archive tells the origin back and lets a login go along.",
            service_case(_ASSET, *(cors(facts, "echoed", credentials=True) for facts in refused(401, "bearer"))),
            Status.FAIL,
            Severity.LOW,
        ),
        Example(
            "A gated archive answers with `*`.",
            service_case(_ASSET, *(cors(facts, "any") for facts in refused(401, "basic"))),
            Status.FAIL,
            Severity.LOW,
        ),
        Example(
            "An open archive answers without the header.",
            service_case(_ASSET, *(cors(facts, "absent") for facts in _OPEN)),
            Status.PASS,
        ),
        Example(
            "A gated archive names its own viewer, whoever asks.",
            service_case(_ASSET, *(cors(facts, "named") for facts in refused(401, "bearer"))),
            Status.PASS,
        ),
        Example(
            "A refusal without the header, which may come with the answers to users.",
            service_case(_ASSET, *(cors(facts, "absent") for facts in refused(401, "basic"))),
            Status.UNKNOWN,
            Severity.LOW,
        ),
        Example(
            "`*` with a 404, of which nobody knows whose it is.",
            service_case(_ASSET, cors(web_canary(404, BodyKind.HTML), "any"), web_control()),
            Status.UNKNOWN,
        ),
        Example(
            "An open archive, asked without an origin by an earlier version.",
            service_case(_ASSET, *_OPEN),
            Status.UNKNOWN,
        ),
        Example(
            "The canary was not answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.CANARY)),
            Status.UNKNOWN,
        ),
        Example("A page through which no archive was found.", viewer_case(page()), Status.NOT_APPLICABLE),
    ),
)
