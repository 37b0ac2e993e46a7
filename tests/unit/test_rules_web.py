"""The rules about web services: the whole table of decisions, every known trap, and what no mixture may ever do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.catalog.web_products import products
from checker.model import (
    Asset,
    BodyKind,
    CookieFacts,
    HttpEnd,
    HttpFacts,
    HttpPurpose,
    JsonValue,
    Role,
    Service,
    Status,
)
from checker.rules import catalogue
from checker.rules.base import Case, Verdict
from checker.rules.cases import service_cases
from checker.rules.examples import (
    ADDRESS,
    OTHER_ADDRESS,
    archive,
    asset,
    asset_case,
    dicomweb_service,
    seen,
    service_case,
    web_service,
)
from checker.rules.examples_web import (
    DICOMWEB_URL,
    VIEWER_URL,
    answer,
    beside,
    cookie,
    no_answer,
    page,
    refused,
    viewer,
    viewer_case,
    web_canary,
    web_control,
)
from checker.rules.web_access import archive_access, page_state, viewer_access
from checker.rules.web_states import Access, State, status_of, words

CANARY, CONTROL, PAGE = HttpPurpose.CANARY, HttpPurpose.CONTROL, HttpPurpose.PAGE
WEB_RULES = [entry for entry in catalogue() if entry.family == "web"]
DOORS = ("web.archive-open", "web.viewer-unauthenticated")
ARCHIVE = archive(dicomweb_service())
PLAIN_ARCHIVE = archive(dicomweb_service(DICOMWEB_URL))
PLAIN_VIEWER = viewer(tls=False)

HTML, NONE, JSON = BodyKind.HTML, BodyKind.NONE, BodyKind.JSON_OBJECT
EMPTY, FILLED = BodyKind.EMPTY_ARRAY, BodyKind.FILLED_ARRAY


def judge(rule: str, case: Case) -> Verdict:
    return next(entry.rule for entry in WEB_RULES if entry.id == rule).judge(case)


def status(rule: str, of: Asset, *facts: HttpFacts) -> Status:
    return judge(rule, service_case(of, *facts)).status


def whole(case: Case) -> Status:
    everything = replace(case, service=None, address=None, seen=case.asset_seen)
    return next(entry.rule for entry in catalogue() if entry.id == "archive.open").judge(everything).status


def test_the_rules_about_web_services_are_all_there() -> None:
    assert {entry.id for entry in WEB_RULES} >= {
        "web.archive-open",
        "web.basic-over-cleartext",
        "web.cleartext",
        "web.cookie-flags",
        "web.directory-listing",
        "web.hsts-missing",
        "web.login-over-cleartext",
        "web.version-disclosed",
        "web.viewer-unauthenticated",
    }


@pytest.mark.parametrize("state", State)
def test_a_state_passes_only_where_its_name_says_so(state: State) -> None:
    shut = state.value.startswith("gated-") or state.value in ("denied-no-challenge", "shell-public-api-gated")
    opened = state.value.startswith("open-") or state.value == "page-public-api-open"
    assert (status_of(state) is Status.PASS) is shut
    assert (status_of(state) is Status.FAIL) is opened
    assert len(f"Whether a stranger can search this archive was not shown: {words(Access(state, page(418)))}.") <= 200


# ------------------------------------------------------------------------------------------------ archives: the table

TO_LOGIN = web_canary(302, NONE, redirect="same", to_login=True)
LOGIN_ELSEWHERE = web_canary(303, NONE, redirect="https://login.example.net", to_login=True)
SAME_BODY = replace(web_control(200, HTML), body_alike=True)

ARCHIVE_TABLE: list[tuple[str, list[HttpFacts], State]] = [
    # open
    ("an empty list, and 404 for nonsense", [web_canary(), web_control()], State.OPEN_PROVEN),
    ("an empty list, and an error of JSON for nonsense", [web_canary(), web_control(200, JSON)], State.OPEN_PROVEN),
    ("an empty list, and a shell for nonsense", [web_canary(), web_control(200, HTML)], State.OPEN_PROVEN),
    ("an empty list, and a login for nonsense", [web_canary(), web_control(401, HTML)], State.OPEN_PROVEN),
    ("an empty list, and 404 with an empty list", [web_canary(), web_control(404, EMPTY)], State.OPEN_PROVEN),
    ("204, and 404 for nonsense", [web_canary(204, NONE), web_control()], State.OPEN_PROVEN),
    ("204, and an empty 200 for nonsense", [web_canary(204, NONE), web_control(200, NONE)], State.OPEN_PROVEN),
    (
        "204, and an empty 200 whose bodies are alike",
        [web_canary(204, NONE), replace(web_control(200, NONE), body_alike=True)],
        State.OPEN_PROVEN,
    ),
    ("data, and no control", [web_canary(body=FILLED)], State.OPEN_FILTER_IGNORED),
    ("data, and 404 for nonsense", [web_canary(body=FILLED), web_control()], State.OPEN_FILTER_IGNORED),
    (
        "data, cut off by us",
        [replace(web_canary(body=FILLED), end=HttpEnd.TOO_MUCH)],
        State.OPEN_FILTER_IGNORED,
    ),
    # gated
    ("Basic", list(refused(401, "basic")), State.GATED_BASIC),
    ("Digest", list(refused(401, "digest")), State.GATED_DIGEST),
    ("Bearer", list(refused(401, "bearer")), State.GATED_BEARER),
    ("Bearer behind Negotiate", list(refused(401, "negotiate", "bearer")), State.GATED_BEARER),
    ("Negotiate", list(refused(401, "negotiate")), State.GATED_CHALLENGE),
    ("403 with a challenge", list(refused(403, "bearer")), State.GATED_BEARER),
    (
        "a challenge, and 404 for nonsense",
        [web_canary(401, NONE, challenges=["basic"]), web_control()],
        State.GATED_BASIC,
    ),
    ("a challenge, and no control", [web_canary(401, NONE, challenges=["basic"])], State.GATED_BASIC),
    (
        "a challenge with an encoded page",
        [replace(web_canary(401, challenges=["basic"]), end=HttpEnd.ENCODED, body=None)],
        State.GATED_BASIC,
    ),
    ("a redirect to a login here", [TO_LOGIN, web_control(302)], State.GATED_REDIRECT_LOCAL),
    ("a redirect to a login elsewhere", [LOGIN_ELSEWHERE, web_control(302)], State.GATED_REDIRECT_EXTERNAL),
    (
        "a login form with 200 for everything",
        [web_canary(body=HTML, form=True), replace(SAME_BODY, login_form=True)],
        State.GATED_FORM,
    ),
    ("a login form with 401 and no challenge", [web_canary(401, HTML, form=True)], State.GATED_FORM),
    (
        "nginx's 400 for want of a client certificate",
        [replace(web_canary(400, HTML), client_certificate_gate=True)],
        State.GATED_CLIENT_CERT,
    ),
    (
        "a handshake that ended for want of one",
        [no_answer(CANARY, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)],
        State.GATED_CLIENT_CERT,
    ),
    ("401 for everything", list(refused(401)), State.DENIED_NO_CHALLENGE),
    ("401, and 403 for nonsense", [web_canary(401, NONE), web_control(403)], State.DENIED_NO_CHALLENGE),
    (
        "401, and a challenge for nonsense",
        [web_canary(401, NONE), web_control(401, challenges=["basic"])],
        State.DENIED_NO_CHALLENGE,
    ),
    # denials that may mean something else
    ("401 for the canary's path alone", [web_canary(401, NONE), web_control()], State.INCONCLUSIVE_DENIED),
    ("401, and a page for nonsense", [web_canary(401, NONE), web_control(200, HTML)], State.INCONCLUSIVE_DENIED),
    ("401, and no control", [web_canary(401, NONE)], State.INCONCLUSIVE_DENIED),
    ("401, and silence", [web_canary(401, NONE), no_answer(CONTROL)], State.INCONCLUSIVE_DENIED),
    ("401, and 429 for nonsense", [web_canary(401, NONE), web_control(429)], State.INCONCLUSIVE_DENIED),
    ("403 for everything, as stores of files say of what they lack", list(refused(403)), State.INCONCLUSIVE_DENIED),
    (
        "403 for the canary's path alone, as filters do",
        [web_canary(403, HTML), web_control()],
        State.INCONCLUSIVE_DENIED,
    ),
    ("403, and 401 for nonsense", [web_canary(403, HTML), web_control(401)], State.INCONCLUSIVE_DENIED),
    # a gate that a list for nonsense contradicts
    ("Basic, and a list for nonsense", [*refused(401, "basic"), web_control(200, FILLED)], State.INCONCLUSIVE_CONTROL),
    (
        "a login form, and a list for nonsense",
        [web_canary(body=HTML, form=True), web_control(200, EMPTY)],
        State.INCONCLUSIVE_CONTROL,
    ),
    # catch-alls
    ("one page for everything", [web_canary(body=HTML), web_control(200, HTML)], State.CATCH_ALL),
    (
        "one page that repeats the question",
        [web_canary(body=HTML), replace(SAME_BODY, body_alike=False)],
        State.CATCH_ALL,
    ),
    ("an empty list for everything", [web_canary(), web_control(200, EMPTY)], State.CATCH_ALL),
    ("an empty list, and a created one for nonsense", [web_canary(), web_control(201, EMPTY)], State.CATCH_ALL),
    ("data for everything", [web_canary(body=FILLED), web_control(200, FILLED)], State.CATCH_ALL),
    ("204 for everything", [web_canary(204, NONE), web_control(204)], State.CATCH_ALL),
    ("an error with 200 for everything", [web_canary(body=JSON), web_control(200, JSON)], State.CATCH_ALL),
    ("an empty 200 for everything", [web_canary(body=NONE), web_control(200, NONE)], State.CATCH_ALL),
    # other services
    ("404", [web_canary(404, HTML), web_control(404, HTML)], State.NOT_THIS_SERVICE),
    ("404 with a login form in the page", [web_canary(404, HTML, form=True)], State.NOT_THIS_SERVICE),
    ("404 with a challenge", [web_canary(404, HTML, challenges=["basic"])], State.NOT_THIS_SERVICE),
    ("200 with a challenge", [web_canary(body=HTML, challenges=["basic"]), web_control()], State.NOT_THIS_SERVICE),
    ("400", [web_canary(400, JSON), web_control(400, JSON)], State.NOT_THIS_SERVICE),
    ("an error with 200", [web_canary(body=JSON), web_control()], State.NOT_THIS_SERVICE),
    ("an empty 200", [web_canary(body=NONE), web_control()], State.NOT_THIS_SERVICE),
    ("a page, and 404 for nonsense", [web_canary(body=HTML), web_control()], State.NOT_THIS_SERVICE),
    (
        "JSON that is nothing of the kind",
        [replace(web_canary(body=BodyKind.OTHER), media_type="application/json"), web_control()],
        State.NOT_THIS_SERVICE,
    ),
    (
        "an empty list that is no JSON",
        [replace(web_canary(), media_type="text/html"), web_control()],
        State.NOT_THIS_SERVICE,
    ),
    ("an empty list of no type", [replace(web_canary(), media_type=None), web_control()], State.NOT_THIS_SERVICE),
    ("data that is no JSON", [replace(web_canary(body=FILLED), media_type="text/plain")], State.NOT_THIS_SERVICE),
    ("an empty list with 201", [web_canary(201), web_control()], State.NOT_THIS_SERVICE),
    (
        "a page that goes to a login by script",
        [replace(web_canary(body=HTML), script_redirect_to_login=True)],
        State.NOT_THIS_SERVICE,
    ),
    # redirects that are no gate
    ("a slash added", [web_canary(301, NONE, redirect="same"), web_control(301)], State.REDIRECTED),
    ("on to https", [web_canary(301, NONE, redirect="https://archive.example.org")], State.REDIRECTED),
    ("a Location that cannot be read", [web_canary(302, NONE, redirect="malformed", to_login=True)], State.REDIRECTED),
    ("no Location", [web_canary(302, NONE, to_login=True)], State.REDIRECTED),
    # an empty list that nothing tells apart
    ("an empty list, and no control", [web_canary()], State.INCONCLUSIVE_CONTROL),
    ("an empty list, and silence", [web_canary(), no_answer(CONTROL)], State.INCONCLUSIVE_CONTROL),
    (
        "an empty list, and a control not asked",
        [web_canary(), no_answer(CONTROL, HttpEnd.NOT_ASKED)],
        State.INCONCLUSIVE_CONTROL,
    ),
    ("an empty list, and 429", [web_canary(), web_control(429)], State.INCONCLUSIVE_CONTROL),
    ("an empty list, and 503", [web_canary(), web_control(503)], State.INCONCLUSIVE_CONTROL),
    (
        "an empty list, and an encoded 200",
        [web_canary(), replace(web_control(200), end=HttpEnd.ENCODED, body=None)],
        State.INCONCLUSIVE_CONTROL,
    ),
    ("204, and no control", [web_canary(204, NONE)], State.INCONCLUSIVE_CONTROL),
    # nothing that decides
    ("429", [web_canary(429, NONE)], State.INCONCLUSIVE_429),
    ("408", [web_canary(408, NONE)], State.INCONCLUSIVE_TIMEOUT),
    ("500", [web_canary(500, HTML), web_control(500, HTML)], State.INCONCLUSIVE_5XX),
    ("503 with a login form", [web_canary(503, HTML, form=True)], State.INCONCLUSIVE_5XX),
    ("503 with a challenge", [web_canary(503, HTML, challenges=["basic"])], State.INCONCLUSIVE_5XX),
    (
        "an encoded 200",
        [replace(web_canary(), end=HttpEnd.ENCODED, body=None), web_control()],
        State.INCONCLUSIVE_ENCODING,
    ),
    ("silence", [no_answer(CANARY)], State.INCONCLUSIVE_TIMEOUT),
    ("closed", [no_answer(CANARY, HttpEnd.CLOSED)], State.INCONCLUSIVE_CUT_OFF),
    ("reset", [no_answer(CANARY, HttpEnd.RESET)], State.INCONCLUSIVE_CUT_OFF),
    ("headers without end", [no_answer(CANARY, HttpEnd.TOO_MUCH)], State.INCONCLUSIVE_CUT_OFF),
    ("no HTTP", [no_answer(CANARY, HttpEnd.MALFORMED)], State.INCONCLUSIVE_MALFORMED),
    ("an answer without a status", [no_answer(CANARY, HttpEnd.ANSWERED)], State.INCONCLUSIVE_MALFORMED),
    ("no connection", [no_answer(CANARY, HttpEnd.NOT_CONNECTED)], State.INCONCLUSIVE_NO_CONNECTION),
    ("no TLS", [no_answer(CANARY, HttpEnd.TLS_FAILED)], State.INCONCLUSIVE_NO_CONNECTION),
    ("not asked", [no_answer(CANARY, HttpEnd.NOT_ASKED)], State.NOT_ASKED),
    ("a control alone", [web_control()], State.NOT_ASKED),
    ("nothing", [], State.NOT_ASKED),
    # several canaries
    ("a gate behind a busy answer", [web_canary(503, HTML), *refused(401, "basic")], State.GATED_BASIC),
    ("a gate, then silence", [*refused(401, "basic"), no_answer(CANARY)], State.GATED_BASIC),
    ("a gate, then an open door", [*refused(401, "basic"), web_canary()], State.OPEN_PROVEN),
    ("a gate, then a page", [*refused(401, "basic"), web_canary(body=HTML)], State.NOT_THIS_SERVICE),
]


@pytest.mark.parametrize(
    ("facts", "state"), [pytest.param(facts, state, id=name.replace(" ", "-")) for name, facts, state in ARCHIVE_TABLE]
)
def test_what_an_archive_is_by_its_answers(facts: list[HttpFacts], state: State) -> None:
    assert archive_access(facts).state is state
    verdict = judge("web.archive-open", service_case(ARCHIVE, *facts))
    assert verdict.status is status_of(state)
    assert verdict.evidence["state"] == state.value
    assert len(verdict.summary) <= 200
    assert whole(service_case(ARCHIVE, *facts)) is status_of(state)


def test_every_state_that_an_archive_can_be_in_is_in_the_table() -> None:
    of_pages = {
        State.OPEN_PAGE,
        State.PAGE_PUBLIC,
        State.PAGE_PUBLIC_API_OPEN,
        State.SHELL_PUBLIC_API_GATED,
        State.SHELL_PUBLIC_API_UNKNOWN,
        State.INCONCLUSIVE_SCRIPT_LOGIN,
    }
    assert {state for _, _, state in ARCHIVE_TABLE} == set(State) - of_pages


def test_data_on_its_way_is_told_and_was_not_read() -> None:
    verdict = judge("web.archive-open", service_case(ARCHIVE, web_canary(body=FILLED)))
    assert verdict.evidence["data_on_its_way"] is True
    assert verdict.evidence["read"] is False
    assert "ignored" in verdict.summary


def test_an_archive_gated_at_one_address_and_silent_at_the_other_is_not_shut() -> None:
    both = asset(dicomweb_service("https://10.20.1.5/dicom-web"), dicomweb_service("https://10.20.1.6/dicom-web"))
    gated = [seen(facts, 0, ADDRESS, 443) for facts in refused(401, "basic")]
    assert whole(asset_case(both, *gated)) is Status.UNKNOWN
    other = [seen(facts, 1, OTHER_ADDRESS, 443) for facts in refused(401, "basic")]
    assert whole(asset_case(both, *gated, *other)) is Status.PASS


# ------------------------------------------------------------------------------------------------- viewers: the table

SHELL = page(single_page=True)
OHIF = page(single_page=True, product="ohif")
ORTHANC = page(product="orthanc")
OPEN = Access(State.OPEN_PROVEN)
GATED = Access(State.GATED_BEARER)
DOUBTFUL = Access(State.INCONCLUSIVE_TIMEOUT)

VIEWER_TABLE: list[tuple[str, list[HttpFacts], list[Access], State]] = [
    # pages that say it themselves
    ("a protected page", [ORTHANC], [], State.OPEN_PAGE),
    ("a protected page beside a gated archive", [ORTHANC], [GATED], State.OPEN_PAGE),
    ("a protected page one redirect away", [page(301, NONE, redirect="same"), ORTHANC], [], State.OPEN_PAGE),
    ("a protected page that is not found", [page(404, product="orthanc")], [], State.NOT_THIS_SERVICE),
    ("a protected page's realm", [page(401, challenges=["basic"], product="orthanc")], [OPEN], State.GATED_BASIC),
    ("a path that is public by design", [replace(page(product="orthanc"), path="/ui/app/")], [], State.PAGE_PUBLIC),
    ("a path below one that is public", [replace(page(product="horos"), path="/weasis/x")], [], State.PAGE_PUBLIC),
    ("a path that only begins alike", [replace(page(product="horos"), path="/wadox")], [], State.OPEN_PAGE),
    ("a login form", [page(form=True)], [], State.GATED_FORM),
    ("a login form of a protected product", [page(form=True, product="horos")], [], State.GATED_FORM),
    ("a login form with 401 and no challenge", [page(401, form=True, product="horos")], [], State.GATED_FORM),
    ("a login form on a page of errors", [page(404, form=True)], [], State.NOT_THIS_SERVICE),
    ("a redirect to a login", [page(302, NONE, redirect="same", to_login=True)], [], State.GATED_REDIRECT_LOCAL),
    (
        "a redirect to a login elsewhere",
        [page(302, NONE, redirect="https://login.example.net", to_login=True)],
        [],
        State.GATED_REDIRECT_EXTERNAL,
    ),
    ("a challenge", [page(401, challenges=["negotiate"])], [], State.GATED_CHALLENGE),
    ("no client certificate", [no_answer(PAGE, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)], [], State.GATED_CLIENT_CERT),
    ("nginx's 400", [replace(page(400), client_certificate_gate=True)], [], State.GATED_CLIENT_CERT),
    # pages that others decide
    ("a shell beside an open archive", [OHIF], [OPEN], State.PAGE_PUBLIC_API_OPEN),
    ("a page beside an open archive", [page()], [OPEN], State.PAGE_PUBLIC_API_OPEN),
    ("a page beside an open and a gated archive", [page()], [GATED, OPEN], State.PAGE_PUBLIC_API_OPEN),
    ("a shell beside a gated archive", [OHIF], [GATED], State.SHELL_PUBLIC_API_GATED),
    ("a shell of no known product beside one", [SHELL], [GATED], State.SHELL_PUBLIC_API_GATED),
    (
        "a shell of an archive that has DICOMweb",
        [replace(SHELL, product="dcm4chee-arc")],
        [GATED],
        State.SHELL_PUBLIC_API_GATED,
    ),
    ("a shell whose search is not DICOMweb", [replace(SHELL, product="dicoogle")], [GATED], State.PAGE_PUBLIC),
    ("a shell beside a gated and a doubtful archive", [OHIF], [GATED, DOUBTFUL], State.SHELL_PUBLIC_API_UNKNOWN),
    ("a shell beside a doubtful archive", [OHIF], [DOUBTFUL], State.SHELL_PUBLIC_API_UNKNOWN),
    ("a shell without an archive", [OHIF], [], State.SHELL_PUBLIC_API_UNKNOWN),
    ("a page of its server beside a gated archive", [page()], [GATED], State.PAGE_PUBLIC),
    ("a viewer that asks DICOM itself, beside one", [page(product="oviyam2")], [GATED], State.PAGE_PUBLIC),
    ("a page of nobody knows what", [page()], [], State.PAGE_PUBLIC),
    ("a product of a later catalogue", [page(product="not-yet-known")], [], State.PAGE_PUBLIC),
    # logins by script
    ("a login by script", [replace(page(), script_redirect_to_login=True)], [], State.INCONCLUSIVE_SCRIPT_LOGIN),
    (
        "a login by script beside an open archive",
        [replace(OHIF, script_redirect_to_login=True)],
        [OPEN],
        State.INCONCLUSIVE_SCRIPT_LOGIN,
    ),
    (
        "a shell with a login by script beside a gated archive",
        [replace(OHIF, script_redirect_to_login=True)],
        [GATED],
        State.SHELL_PUBLIC_API_GATED,
    ),
    (
        "a protected page with a login by script",
        [replace(ORTHANC, script_redirect_to_login=True)],
        [],
        State.INCONCLUSIVE_SCRIPT_LOGIN,
    ),
    # nothing that decides
    ("403", [page(403)], [GATED], State.INCONCLUSIVE_DENIED),
    ("401 without a challenge", [page(401)], [GATED], State.INCONCLUSIVE_DENIED),
    ("404 beside a gated archive", [page(404)], [GATED], State.NOT_THIS_SERVICE),
    ("404 beside an open archive", [page(404)], [OPEN], State.NOT_THIS_SERVICE),
    ("JSON", [page(body=JSON)], [OPEN], State.NOT_THIS_SERVICE),
    ("an index of files", [replace(page(), directory_listing=True)], [OPEN], State.NOT_THIS_SERVICE),
    ("a redirect elsewhere", [page(302, NONE, redirect="https://portal.example.net")], [OPEN], State.REDIRECTED),
    ("429", [page(429)], [GATED], State.INCONCLUSIVE_429),
    ("408", [page(408)], [], State.INCONCLUSIVE_TIMEOUT),
    ("502", [page(502)], [OPEN], State.INCONCLUSIVE_5XX),
    ("an encoded page", [replace(OHIF, end=HttpEnd.ENCODED, body=None)], [GATED], State.INCONCLUSIVE_ENCODING),
    ("silence", [no_answer(PAGE)], [OPEN], State.INCONCLUSIVE_TIMEOUT),
    ("silence beside a gated archive", [no_answer(PAGE)], [GATED], State.INCONCLUSIVE_TIMEOUT),
    ("no HTTP", [no_answer(PAGE, HttpEnd.MALFORMED)], [GATED], State.INCONCLUSIVE_MALFORMED),
    ("cut off", [no_answer(PAGE, HttpEnd.RESET)], [GATED], State.INCONCLUSIVE_CUT_OFF),
    ("no connection", [no_answer(PAGE, HttpEnd.NOT_CONNECTED)], [GATED], State.INCONCLUSIVE_NO_CONNECTION),
    ("not asked", [no_answer(PAGE, HttpEnd.NOT_ASKED)], [OPEN], State.NOT_ASKED),
    ("nothing", [], [GATED], State.NOT_ASKED),
]


@pytest.mark.parametrize(
    ("facts", "archives", "state"),
    [pytest.param(*row, id=name.replace(" ", "-")) for name, *row in VIEWER_TABLE],
)
def test_what_a_viewer_is_by_its_page_and_its_archives(
    facts: list[HttpFacts], archives: list[Access], state: State
) -> None:
    assert viewer_access(facts, archives).state is state


SHUT_ARCHIVE = refused(401, "bearer")
OPEN_ARCHIVE = (web_canary(), web_control())


@pytest.mark.parametrize(
    ("shown", "archive_facts", "expected"),
    [
        (OHIF, None, Status.UNKNOWN),
        (OHIF, (), Status.UNKNOWN),
        (OHIF, SHUT_ARCHIVE, Status.PASS),
        (OHIF, OPEN_ARCHIVE, Status.FAIL),
        (OHIF, refused(403), Status.UNKNOWN),
        (OHIF, (no_answer(CANARY),), Status.UNKNOWN),
        (page(), SHUT_ARCHIVE, Status.UNKNOWN),
        (page(), OPEN_ARCHIVE, Status.FAIL),
        (ORTHANC, None, Status.FAIL),
        (page(form=True), OPEN_ARCHIVE, Status.PASS),
    ],
)
def test_a_viewer_is_judged_with_the_dicomweb_services_of_its_asset(
    shown: HttpFacts, archive_facts: tuple[HttpFacts, ...] | None, expected: Status
) -> None:
    case = viewer_case(shown, archive=archive_facts)
    verdict = judge("web.viewer-unauthenticated", case)
    assert verdict.status is expected
    archives = verdict.evidence["archives"]
    assert isinstance(archives, list)
    assert len(archives) == (0 if archive_facts is None else 1)
    assert len(verdict.summary) <= 200


def test_a_verdict_that_the_archive_decides_rests_on_its_answers_too() -> None:
    verdict = judge("web.viewer-unauthenticated", viewer_case(OHIF, archive=SHUT_ARCHIVE))
    assert verdict.observations == ("synthetic-1", "synthetic-2", "synthetic-3")
    assert judge("web.viewer-unauthenticated", viewer_case(ORTHANC, archive=SHUT_ARCHIVE)).observations == ()


def test_a_shell_is_not_shut_while_one_address_of_its_archive_is_not_known() -> None:
    services = [web_service("https://10.20.1.5/viewer/"), dicomweb_service("https://archive.example.org/dicom-web")]
    two = asset(*services, role=Role.VIEWER, addresses=[ADDRESS, OTHER_ADDRESS])
    gated = [seen(facts, 1, ADDRESS, 443) for facts in SHUT_ARCHIVE]
    silent = seen(no_answer(CANARY), 1, OTHER_ADDRESS, 443)
    assert judge("web.viewer-unauthenticated", service_case(two, SHELL, also=gated)).status is Status.PASS
    assert judge("web.viewer-unauthenticated", service_case(two, SHELL, also=[*gated, silent])).status is Status.UNKNOWN


def test_that_nothing_is_known_of_images_is_said() -> None:
    summary = judge("web.viewer-unauthenticated", viewer_case(page())).summary
    assert "asks for no login" in summary
    assert "whether images are behind it cannot be told" in summary
    assert (
        "no DICOMweb service of the asset is declared" in judge("web.viewer-unauthenticated", viewer_case(OHIF)).summary
    )


@pytest.mark.parametrize("product", [pytest.param(one.id, id=one.id) for one in products()])
def test_a_page_without_a_login_is_open_only_where_the_catalogue_says_protected(product: str) -> None:
    protected = next(one.page for one in products() if one.id == product) == "protected"
    assert (page_state(page(product=product)) is State.OPEN_PAGE) is protected
    assert page_state(page(product=product, form=True)) is State.GATED_FORM


# ---------------------------------------------------------------------------------------- what no mixture may ever do

HTTP_FACTS = st.builds(
    HttpFacts,
    purpose=st.sampled_from(HttpPurpose),
    path=st.sampled_from(["/", "/viewer/", "/dicom-web/studies/<random>/series?limit=1"]),
    tls=st.booleans(),
    end=st.sampled_from(HttpEnd) | st.just(HttpEnd.ANSWERED),
    status=st.none()
    | st.sampled_from([200, 200, 201, 204, 301, 302, 304, 307, 400, 401, 403, 404, 407, 408, 429, 500, 503]),
    media_type=st.none() | st.sampled_from(["application/dicom+json", "application/json", "text/html", "text/plain"]),
    body=st.none() | st.sampled_from(BodyKind),
    length_class=st.none() | st.sampled_from([0, 2, 1024, 1 << 20]),
    body_alike=st.none() | st.booleans(),
    challenges=st.just(()) | st.sampled_from([("basic",), ("digest",), ("bearer",), ("ntlm", "negotiate")]),
    redirect_origin=st.none()
    | st.sampled_from(
        ["same", "malformed", "https://archive.example.org", "https://login.example.net", "http://x.example.org"]
    ),
    redirect_to_login=st.booleans(),
    login_form=st.booleans(),
    script_redirect_to_login=st.booleans(),
    client_certificate_gate=st.booleans(),
    product=st.none() | st.sampled_from([one.id for one in products()]),
    single_page_shell=st.booleans(),
    directory_listing=st.booleans(),
    server=st.none() | st.sampled_from(["nginx", "nginx/1.22.1"]),
    hsts=st.none() | st.sampled_from(["max-age=31536000", "max-age=0"]),
    cookies=st.lists(
        st.builds(
            CookieFacts,
            st.sampled_from(["JSESSIONID", "lang", "XSRF-TOKEN"]),
            st.booleans(),
            st.booleans(),
            st.none() | st.sampled_from(["lax", "none"]),
        ),
        max_size=2,
    ).map(tuple),
)
ANSWERS = st.lists(HTTP_FACTS, max_size=5)
BOTH = asset(web_service(), dicomweb_service(), role=Role.VIEWER)
PLAIN_BOTH = asset(web_service(VIEWER_URL), dicomweb_service(DICOMWEB_URL), role=Role.VIEWER)


def bears_a_sign(facts: HttpFacts) -> bool:
    """Whether there is anything at all in an answer that a gate could be read from."""
    if facts.end is HttpEnd.CLIENT_CERTIFICATE_REQUIRED:
        return True
    if facts.end not in (HttpEnd.ANSWERED, HttpEnd.ENCODED):
        return False
    challenged = facts.status == 401 or (facts.status == 403 and bool(facts.challenges))
    onward = facts.status in (301, 302, 303, 307, 308) and facts.redirect_to_login
    form = facts.login_form and facts.status in (200, 401, 403)
    return challenged or onward or form or facts.client_certificate_gate


def case_of(of: Asset, page_facts: list[HttpFacts], archive_facts: list[HttpFacts]) -> Case:
    own = [seen(facts, 0, port=of.services[0].port) for facts in page_facts]
    others = [seen(facts, 1, port=of.services[1].port) for facts in archive_facts]
    return asset_case(of, *own, *others)


def verdicts(case: Case) -> dict[tuple[str, Service], Verdict]:
    return {
        (entry.id, one.the_service()): entry.rule.judge(one)
        for entry in WEB_RULES
        for one in service_cases(case)
        if entry.rule.applies(one.the_service())
    }


@settings(max_examples=400, deadline=None)
@given(page_facts=ANSWERS, archive_facts=ANSWERS)
def test_no_door_passes_without_a_sign_of_a_gate(page_facts: list[HttpFacts], archive_facts: list[HttpFacts]) -> None:
    found = verdicts(case_of(BOTH, page_facts, archive_facts))
    canaries = [facts for facts in archive_facts if facts.purpose is CANARY]
    pages = [facts for facts in page_facts if facts.purpose is PAGE]
    page_service, archive_service = BOTH.services
    if found["web.archive-open", archive_service].status is Status.PASS:
        assert any(bears_a_sign(facts) for facts in canaries)
    if found["web.viewer-unauthenticated", page_service].status is Status.PASS:
        shell = any(facts.single_page_shell for facts in pages)
        assert any(map(bears_a_sign, pages)) or (shell and any(map(bears_a_sign, canaries)))


@settings(max_examples=400, deadline=None)
@given(page_facts=ANSWERS, archive_facts=ANSWERS)
def test_answers_without_any_sign_of_a_gate_shut_nothing(
    page_facts: list[HttpFacts], archive_facts: list[HttpFacts]
) -> None:
    case = case_of(
        BOTH,
        [facts for facts in page_facts if not bears_a_sign(facts)],
        [facts for facts in archive_facts if not bears_a_sign(facts)],
    )
    assert not [
        rule for (rule, _), verdict in verdicts(case).items() if rule in DOORS and verdict.status is Status.PASS
    ]
    assert whole(case) is not Status.PASS


@settings(max_examples=200, deadline=None)
@given(
    of=st.sampled_from([BOTH, PLAIN_BOTH]),
    page_facts=ANSWERS,
    archive_facts=ANSWERS,
    ends=st.lists(
        st.sampled_from(
            sorted(set(HttpEnd) - {HttpEnd.ANSWERED, HttpEnd.ENCODED, HttpEnd.CLIENT_CERTIFICATE_REQUIRED})
        ),
        min_size=10,
        max_size=10,
    ),
)
def test_what_was_not_answered_passes_no_rule(
    of: Asset, page_facts: list[HttpFacts], archive_facts: list[HttpFacts], ends: list[HttpEnd]
) -> None:
    silent = [replace(facts, end=end) for facts, end in zip([*page_facts, *archive_facts], ends, strict=False)]
    case = case_of(of, silent[: len(page_facts)], silent[len(page_facts) :])
    assert not [rule for (rule, _), verdict in verdicts(case).items() if verdict.status is Status.PASS]


@settings(max_examples=200, deadline=None)
@given(facts=ANSWERS)
def test_an_archive_is_called_open_only_where_a_list_or_nothing_came_with_success(facts: list[HttpFacts]) -> None:
    if archive_access(facts).status is not Status.FAIL:
        return
    served = [one for one in facts if one.purpose is CANARY and one.status in (200, 204)]
    assert any(one.status == 204 or one.body in (EMPTY, FILLED) for one in served)
    told_apart = any(one.purpose is CONTROL and one.end in (HttpEnd.ANSWERED, HttpEnd.ENCODED) for one in facts)
    assert told_apart or any(one.body is FILLED for one in served)


@settings(max_examples=200, deadline=None)
@given(
    page_facts=ANSWERS, archive_facts=st.lists(HTTP_FACTS.filter(lambda one: one.purpose is not CONTROL), max_size=4)
)
def test_an_archive_that_served_a_stranger_is_open_whatever_else_it_did(
    page_facts: list[HttpFacts], archive_facts: list[HttpFacts]
) -> None:
    case = case_of(BOTH, page_facts, [*archive_facts, web_canary(), web_control()])
    found = verdicts(case)
    assert found["web.archive-open", BOTH.services[1]].status is Status.FAIL
    assert whole(case) is Status.FAIL


# ------------------------------------------------------------------------------------------------ without encryption


def plain(status: int = 200, body: BodyKind = HTML, **signs: object) -> HttpFacts:
    return replace(page(status, body, tls=False), **signs)  # type: ignore[arg-type] # the tests' own shorthand


TO_HTTPS = plain(301, NONE, redirect_origin="https://archive.example.org")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([plain()], Status.FAIL),
        ([plain(401, challenges=("bearer",))], Status.FAIL),
        ([plain(404)], Status.FAIL),
        ([plain(302, NONE, redirect_origin="same")], Status.FAIL),
        ([plain(302, NONE, redirect_origin="same"), no_answer(PAGE, tls=False)], Status.FAIL),
        ([plain(302, NONE, redirect_origin="same", redirect_to_login=True)], Status.FAIL),
        ([plain(302, NONE, redirect_origin="http://archive.example.org:8080")], Status.FAIL),
        ([plain(302, NONE, redirect_origin="same"), TO_HTTPS], Status.PASS),
        ([TO_HTTPS], Status.PASS),
        ([plain(301, NONE, redirect_origin="https://ARCHIVE.example.org.:8443")], Status.PASS),
        ([plain(301, NONE, redirect_origin=f"https://{ADDRESS}")], Status.PASS),
        ([plain(301, NONE, redirect_origin="https://archive.example.org.evil.example.net")], Status.UNKNOWN),
        ([plain(301, NONE, redirect_origin="malformed")], Status.UNKNOWN),
        ([plain(301, NONE)], Status.UNKNOWN),
        ([plain(200, redirect_origin="https://archive.example.org")], Status.FAIL),
        ([TO_HTTPS, plain()], Status.FAIL),
        ([replace(TO_HTTPS, end=HttpEnd.ENCODED)], Status.PASS),
        ([plain(400)], Status.UNKNOWN),
        ([plain(403)], Status.UNKNOWN),
        ([plain(426)], Status.UNKNOWN),
        ([plain(429)], Status.UNKNOWN),
        ([plain(503)], Status.UNKNOWN),
        ([no_answer(PAGE, HttpEnd.MALFORMED, tls=False)], Status.UNKNOWN),
        ([replace(plain(), tls=True)], Status.UNKNOWN),
        ([], Status.UNKNOWN),
    ],
)
def test_http_passes_only_where_it_sends_on_to_https_of_the_asset(facts: list[HttpFacts], expected: Status) -> None:
    assert status("web.cleartext", PLAIN_VIEWER, *facts) is expected


def test_the_nonsense_beside_the_canary_does_not_make_a_service_cleartext() -> None:
    to_https = web_canary(301, NONE, tls=False, redirect="https://archive.example.org")
    assert status("web.cleartext", PLAIN_ARCHIVE, to_https, web_control(tls=False)) is Status.PASS


def test_an_address_of_the_sixth_version_is_known_in_every_spelling() -> None:
    six = asset(web_service("http://[2001:db8:20::5]/viewer/"), role=Role.VIEWER, addresses=["2001:db8:20::5"])
    onward = plain(301, NONE, redirect_origin="https://[2001:0db8:20:0::5]:8443")
    assert status("web.cleartext", six, onward) is Status.PASS


@pytest.mark.parametrize("rule", ["web.cleartext", "web.basic-over-cleartext", "web.login-over-cleartext"])
def test_rules_about_http_leave_https_alone(rule: str) -> None:
    found = next(entry.rule for entry in WEB_RULES if entry.id == rule)
    assert not found.applies(web_service())
    assert not found.applies(dicomweb_service())
    assert found.applies(web_service(VIEWER_URL))
    assert found.applies(dicomweb_service(DICOMWEB_URL))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([plain(401, challenges=("basic",))], Status.FAIL),
        ([TO_HTTPS, plain(401, challenges=("basic",))], Status.FAIL),
        ([plain(301, NONE, redirect_origin="https://archive.example.org", challenges=("basic",))], Status.FAIL),
        ([plain(401, challenges=("digest",))], Status.PASS),
        ([plain(401)], Status.PASS),
        ([TO_HTTPS], Status.PASS),
        ([plain()], Status.PASS),
        ([plain(302, NONE, redirect_origin="same"), plain()], Status.PASS),
        ([plain(302, NONE, redirect_origin="same", redirect_to_login=True)], Status.PASS),
        ([plain(302, NONE, redirect_origin="same")], Status.UNKNOWN),
        ([plain(302, NONE, redirect_origin="http://other.example.org")], Status.UNKNOWN),
        ([plain(403)], Status.UNKNOWN),
        ([plain(404)], Status.UNKNOWN),
        ([plain(500)], Status.UNKNOWN),
        ([no_answer(PAGE, tls=False)], Status.UNKNOWN),
        ([replace(plain(401, challenges=("basic",)), tls=True)], Status.UNKNOWN),
    ],
)
def test_a_basic_challenge_over_http(facts: list[HttpFacts], expected: Status) -> None:
    assert status("web.basic-over-cleartext", PLAIN_VIEWER, *facts) is expected


def test_a_basic_challenge_for_nonsense_is_one_and_none_for_it_says_nothing() -> None:
    canary = web_canary(404, HTML, tls=False)
    challenged = web_control(401, tls=False, challenges=["basic"])
    assert status("web.basic-over-cleartext", PLAIN_ARCHIVE, canary, challenged) is Status.FAIL
    assert status("web.basic-over-cleartext", PLAIN_ARCHIVE, web_control(200, HTML, tls=False)) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([plain(login_form=True)], Status.FAIL),
        ([plain(404, login_form=True)], Status.FAIL),
        ([plain(password_field=True)], Status.FAIL),
        ([plain(302, NONE, redirect_origin="same"), plain(login_form=True)], Status.FAIL),
        ([plain()], Status.PASS),
        ([plain(204, NONE)], Status.PASS),
        ([plain(401, challenges=("basic",))], Status.PASS),
        ([TO_HTTPS], Status.PASS),
        ([plain(302, NONE, redirect_origin="https://login.example.net", redirect_to_login=True)], Status.PASS),
        ([plain(302, NONE, redirect_origin="same", redirect_to_login=True)], Status.UNKNOWN),
        ([plain(302, NONE, redirect_origin="http://login.example.net", redirect_to_login=True)], Status.UNKNOWN),
        ([plain(302, NONE, redirect_origin="same")], Status.UNKNOWN),
        ([plain(401)], Status.UNKNOWN),
        ([plain(body=BodyKind.OTHER)], Status.UNKNOWN),
        ([plain(length_class=None)], Status.UNKNOWN),
        ([plain(length_class=65536)], Status.UNKNOWN),
        ([plain(single_page_shell=True)], Status.UNKNOWN),
        ([plain(script_redirect_to_login=True)], Status.UNKNOWN),
        ([replace(plain(), end=HttpEnd.ENCODED, body=None)], Status.UNKNOWN),
        ([plain(403)], Status.UNKNOWN),
        ([plain(503)], Status.UNKNOWN),
        ([no_answer(PAGE, tls=False)], Status.UNKNOWN),
    ],
)
def test_a_login_form_over_http(facts: list[HttpFacts], expected: Status) -> None:
    assert status("web.login-over-cleartext", PLAIN_VIEWER, *facts) is expected


# ------------------------------------------------------------------------------------------------------ small matters

VIEWER = viewer()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("max-age=31536000", Status.PASS),
        ("includeSubDomains; Max-Age = 300", Status.PASS),
        ('max-age="31536000"; preload', Status.PASS),
        ("max-age=0", Status.FAIL),
        ("max-age=0; includeSubDomains", Status.FAIL),
        ("includeSubDomains", Status.FAIL),
        ("x-max-age=300", Status.FAIL),
        ("", Status.FAIL),
        (None, Status.FAIL),
    ],
)
def test_what_counts_as_strict_transport_security(header: str | None, expected: Status) -> None:
    assert status("web.hsts-missing", VIEWER, replace(page(), hsts=header)) is expected


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500, 503])
def test_errors_without_the_header_do_not_show_that_pages_lack_it(code: int) -> None:
    assert status("web.hsts-missing", VIEWER, page(code)) is Status.UNKNOWN
    assert status("web.hsts-missing", VIEWER, page(), page(code)) is Status.FAIL
    assert status("web.hsts-missing", VIEWER, replace(page(code), hsts="max-age=300")) is Status.PASS


def test_the_header_over_http_is_nothing() -> None:
    assert status("web.hsts-missing", VIEWER, replace(page(tls=False), hsts="max-age=300")) is Status.UNKNOWN


@pytest.mark.parametrize(
    "name",
    [
        "JSESSIONID",
        "PHPSESSID",
        "ASP.NET_SessionId",
        "connect.sid",
        "SID",
        "__Host-session",
        "AUTH_TOKEN",
        "OrthancToken",
    ],
)
def test_the_names_of_sessions(name: str) -> None:
    bare = replace(page(), cookies=(cookie(name, secure=False),))
    verdict = judge("web.cookie-flags", service_case(VIEWER, bare))
    assert verdict.status is Status.FAIL
    assert f"{name} lacks Secure" in verdict.summary


@pytest.mark.parametrize("name", ["XSRF-TOKEN", "csrftoken", "BIGipServerpool", "AWSALB"])
def test_the_names_of_what_is_no_session(name: str) -> None:
    bare = replace(page(), cookies=(cookie(name, secure=False, http_only=False, same_site=None),))
    assert status("web.cookie-flags", VIEWER, bare) is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (cookie(), Status.PASS),
        (cookie(same_site="strict"), Status.PASS),
        (cookie(same_site="none"), Status.FAIL),
        (cookie(same_site=None), Status.FAIL),
        (cookie(http_only=False), Status.FAIL),
        (cookie(secure=False), Status.FAIL),
        (cookie("side", secure=False), Status.UNKNOWN),
        (cookie("side"), Status.NOT_APPLICABLE),
    ],
)
def test_a_session_cookie_has_all_three(one: CookieFacts, expected: Status) -> None:
    assert status("web.cookie-flags", VIEWER, replace(page(), cookies=(one,))) is expected


def test_cookies_are_judged_wherever_they_are_set() -> None:
    bare = (cookie(http_only=False),)
    denied = replace(web_control(401), cookies=bare)
    assert status("web.cookie-flags", ARCHIVE, web_canary(401, NONE), denied) is Status.FAIL
    assert status("web.cookie-flags", VIEWER, page(502)) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([replace(page(), directory_listing=True)], Status.FAIL),
        ([page(302, NONE, redirect="same"), replace(page(), directory_listing=True)], Status.FAIL),
        ([replace(page(403), directory_listing=True)], Status.PASS),
        ([page()], Status.PASS),
        ([page(form=True)], Status.PASS),
        ([page(401)], Status.PASS),
        ([page(403)], Status.PASS),
        ([page(302, NONE, redirect="same", to_login=True)], Status.PASS),
        ([no_answer(PAGE, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)], Status.PASS),
        ([page(302, NONE, redirect="same")], Status.UNKNOWN),
        ([page(302, NONE, redirect="https://portal.example.net")], Status.UNKNOWN),
        ([replace(page(), end=HttpEnd.ENCODED, body=None)], Status.UNKNOWN),
        ([page(404)], Status.UNKNOWN),
        ([page(500)], Status.UNKNOWN),
        ([no_answer(PAGE)], Status.UNKNOWN),
    ],
)
def test_an_index_of_files(facts: list[HttpFacts], expected: Status) -> None:
    assert status("web.directory-listing", VIEWER, *facts) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("nginx/1.22.1", Status.FAIL),
        ("Jetty(9.4.53.v20231009)", Status.FAIL),
        ("Apache-Coyote/1.1", Status.FAIL),
        ("Microsoft-IIS/10.0", Status.FAIL),
        ("Mongoose 6.18", Status.FAIL),
        ("Apache/2", Status.FAIL),
        ("WildFly/v26", Status.FAIL),
        ("nginx", Status.PASS),
        ("Apache (Debian)", Status.PASS),
        ("ASP.NET", Status.PASS),
        ("dcm4chee5", Status.PASS),
        (None, Status.PASS),
    ],
)
@pytest.mark.parametrize("where", ["server", "powered_by"])
def test_what_is_a_version(where: str, header: str | None, expected: Status) -> None:
    told: dict[str, str | None] = {where: header}
    assert status("web.version-disclosed", VIEWER, replace(page(), **told)) is expected  # type: ignore[arg-type] # one of two names of text fields


def test_a_verdict_never_says_more_of_an_answer_than_its_facts_do() -> None:
    facts = replace(
        answer(PAGE, 401, HTML, challenges=["basic"]),
        realm="Orthanc Secure Area",
        redirect_path="/login",
        product="orthanc",
    )
    verdict = judge("web.viewer-unauthenticated", service_case(VIEWER, facts))
    told: JsonValue = verdict.evidence["requests"]
    assert told == [
        {
            "purpose": "page",
            "path": "/viewer/",
            "tls": True,
            "end": "answered",
            "status": 401,
            "media_type": "text/html",
            "body": "html",
            "challenges": ["basic"],
            "realm": "Orthanc Secure Area",
            "redirect_path": "/login",
            "product": "orthanc",
        }
    ]
    assert beside(facts).service == 1
