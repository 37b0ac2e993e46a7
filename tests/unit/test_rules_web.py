"""The rules about web services: the whole table of decisions, every known trap, and what no mixture may ever do."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

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
    Severity,
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
    at_root,
    beside,
    configuration,
    cookie,
    cors,
    no_answer,
    page,
    refused,
    rest,
    viewer,
    viewer_case,
    web_canary,
    web_control,
)
from checker.rules.web_access import archive_access
from checker.rules.web_states import Access, State, status_of, words
from checker.rules.web_viewer import Behind, page_state, viewer_access

CANARY, CONTROL, PAGE, REST = HttpPurpose.CANARY, HttpPurpose.CONTROL, HttpPurpose.PAGE, HttpPurpose.REST
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
        "web.configuration-exposed",
        "web.cookie-flags",
        "web.cors-open",
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
LOGIN_AND_MORE = web_canary(body=HTML, form=True, alone=False)
DENIED, GATE = State.INCONCLUSIVE_DENIED, HttpEnd.CLIENT_CERTIFICATE_REQUIRED

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
    ("REST alone, with its sign", [rest()], State.OPEN_REST),
    ("REST with its sign, beside a gated root", [*refused(401, "basic"), rest()], State.OPEN_REST),
    ("an open root, and REST", [web_canary(), web_control(), rest()], State.OPEN_PROVEN),
    (
        "a search of REST that brings something",
        [replace(rest(sign=None), path="/search?query=<random>", body=FILLED, media_type="application/json")],
        State.OPEN_FILTER_IGNORED,
    ),
    (
        "a gated root, and an open one",
        [*refused(401, "basic"), at_root("/rs", web_canary()), at_root("/rs", web_control())],
        State.OPEN_PROVEN,
    ),
    # gated
    ("Basic, and no REST there", [*refused(401, "basic"), rest(404)], State.GATED_BASIC),
    ("Basic, and REST without its sign", [*refused(401, "basic"), rest(sign=None)], State.GATED_BASIC),
    (
        "two gated roots",
        [*refused(401, "basic"), *(at_root("/rs", one) for one in refused(401, "bearer"))],
        State.GATED_BASIC,
    ),
    (
        "a login form of a known product",
        [replace(LOGIN_AND_MORE, product="oviyam2", purpose=purpose) for purpose in (CANARY, CONTROL)],
        State.GATED_FORM,
    ),
    ("a login form with 403, and nothing beside it", [web_canary(403, HTML, form=True)], State.GATED_FORM),
    ("Basic", list(refused(401, "basic")), State.GATED_BASIC),
    ("Digest", list(refused(401, "digest")), State.GATED_DIGEST),
    ("Bearer", list(refused(401, "bearer")), State.GATED_BEARER),
    ("Bearer behind Negotiate", list(refused(401, "negotiate", "bearer")), State.GATED_BEARER),
    ("Negotiate", list(refused(401, "negotiate")), State.GATED_CHALLENGE),
    ("403 with a challenge", list(refused(403, "bearer")), State.GATED_BEARER),
    (
        "a challenge, and 404 for nonsense",
        [web_canary(401, NONE, challenges=["basic"]), web_control()],
        State.INCONCLUSIVE_CONTROL,
    ),
    ("a challenge, and no control", [web_canary(401, NONE, challenges=["basic"])], State.GATED_BASIC),
    (
        "a challenge with an encoded page",
        [replace(web_canary(401, challenges=["basic"]), end=HttpEnd.ENCODED, body=None)],
        State.GATED_BASIC,
    ),
    ("a redirect to a login here", [TO_LOGIN, replace(TO_LOGIN, purpose=CONTROL)], State.GATED_REDIRECT_LOCAL),
    (
        "a redirect to a login elsewhere",
        [LOGIN_ELSEWHERE, replace(LOGIN_ELSEWHERE, purpose=CONTROL)],
        State.GATED_REDIRECT_EXTERNAL,
    ),
    (
        "a login form with 200 for everything",
        [web_canary(body=HTML, form=True), replace(web_canary(body=HTML, form=True), purpose=CONTROL)],
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
    ("a page of denial with a login form on it", [web_canary(403, HTML, form=True, alone=False)], DENIED),
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
    # a form that is not all there is
    ("a login form and more, with 200 for everything", [LOGIN_AND_MORE, SAME_BODY], State.CATCH_ALL),
    ("a login form and more, and 404 for nonsense", [LOGIN_AND_MORE, web_control()], State.INCONCLUSIVE_FORM),
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
    ("421, for another host is asked", [web_canary(421, HTML), web_control(421, HTML)], State.NOT_THIS_SERVICE),
    ("400, for a certificate is wanted in words of its own", [web_canary(400, HTML)], State.NOT_THIS_SERVICE),
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
    (
        "a redirect to a login with data in it",
        [web_canary(302, FILLED, redirect="same", to_login=True), web_control(302)],
        State.INCONCLUSIVE_CONTROL,
    ),
    (
        "a redirect to a login with an empty list in it",
        [web_canary(302, redirect="same", to_login=True)],
        State.INCONCLUSIVE_CONTROL,
    ),
    (
        "a challenge with a list of DICOM beside it",
        [replace(web_canary(401, FILLED, challenges=["basic"]), media_type="application/dicom+json")],
        State.INCONCLUSIVE_CONTROL,
    ),
    (
        "a challenge with a list of errors beside it",
        [replace(web_canary(401, FILLED, challenges=["basic"]), media_type="application/json")],
        State.GATED_BASIC,
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
    (
        "a gated root, and one that is silent",
        [*refused(401, "basic"), at_root("/rs", no_answer(CANARY))],
        State.INCONCLUSIVE_TIMEOUT,
    ),
    (
        "an empty list of one root, and 404 for nonsense of the other",
        [web_canary(), at_root("/rs", web_control())],
        State.INCONCLUSIVE_CONTROL,
    ),
    ("WebSocket alone", [replace(web_canary(426, NONE), end=HttpEnd.WEBSOCKET_ONLY)], State.INCONCLUSIVE_WEBSOCKET),
    ("HTTP/2 alone", [no_answer(CANARY, HttpEnd.HTTP2_ONLY)], State.INCONCLUSIVE_HTTP2),
    ("closed", [no_answer(CANARY, HttpEnd.CLOSED)], State.INCONCLUSIVE_CUT_OFF),
    ("reset", [no_answer(CANARY, HttpEnd.RESET)], State.INCONCLUSIVE_CUT_OFF),
    ("headers without end", [no_answer(CANARY, HttpEnd.TOO_MUCH)], State.INCONCLUSIVE_CUT_OFF),
    ("no HTTP", [no_answer(CANARY, HttpEnd.MALFORMED)], State.INCONCLUSIVE_MALFORMED),
    ("an answer without a status", [no_answer(CANARY, HttpEnd.ANSWERED)], State.INCONCLUSIVE_MALFORMED),
    ("no connection", [no_answer(CANARY, HttpEnd.NOT_CONNECTED)], State.INCONCLUSIVE_NO_CONNECTION),
    ("no TLS", [no_answer(CANARY, HttpEnd.TLS_FAILED)], State.INCONCLUSIVE_NO_CONNECTION),
    ("not asked", [no_answer(CANARY, HttpEnd.NOT_ASKED)], State.NOT_ASKED),
    ("a control alone", [web_control()], State.NOT_ASKED),
    ("a gate of REST alone", [replace(rest(401), challenges=("basic",), product="orthanc")], State.NOT_ASKED),
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
    ("a login form, and more beside it", [page(form=True, alone=False)], [], State.INCONCLUSIVE_FORM),
    (
        "a login form, and more, beside a gated archive",
        [page(form=True, alone=False)],
        [GATED],
        State.INCONCLUSIVE_FORM,
    ),
    ("a login form, and more, beside an open archive", [page(form=True, alone=False)], [OPEN], State.INCONCLUSIVE_FORM),
    ("a login form, and more, with 401", [page(401, form=True, alone=False)], [], State.GATED_FORM),
    ("a login form, and more, with 403", [page(403, form=True, alone=False)], [], State.INCONCLUSIVE_DENIED),
    (
        "a login form where its product has one for anybody",
        [replace(page(form=True, product="xnat"), path="/app/template/Login.vm")],
        [],
        State.INCONCLUSIVE_FORM,
    ),
    ("a login form in a shell", [replace(OHIF, login_form=True)], [], State.INCONCLUSIVE_FORM),
    (
        "a login form in a shell beside a gated archive",
        [replace(OHIF, login_form=True)],
        [GATED],
        State.SHELL_PUBLIC_API_GATED,
    ),
    ("a login form of a product that is known", [page(form=True, alone=False, product="xnat")], [], State.GATED_FORM),
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
    ("a page of a product that is known, beside one", [page(product="xnat")], [GATED], State.PAGE_PUBLIC),
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
    ("421, for another host is asked", [page(421)], [GATED], State.NOT_THIS_SERVICE),
    (
        "WebSocket alone",
        [replace(page(426), end=HttpEnd.WEBSOCKET_ONLY)],
        [GATED],
        State.INCONCLUSIVE_WEBSOCKET,
    ),
    ("HTTP/2 alone", [no_answer(PAGE, HttpEnd.HTTP2_ONLY)], [OPEN], State.INCONCLUSIVE_HTTP2),
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
    behind = Behind(own=tuple((f"/root-{number}", access) for number, access in enumerate(archives)))
    assert viewer_access(facts, behind).state is state


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


ELSEWHERE = "https://pacs.example.net"
SHUT_AT_RS = tuple(at_root("/rs", one) for one in SHUT_ARCHIVE)
OPEN_AT_RS = tuple(at_root("/rs", one) for one in OPEN_ARCHIVE)


@pytest.mark.parametrize(
    ("found", "archive_facts", "expected"),
    [
        ((configuration("/rs"), *SHUT_AT_RS), None, State.SHELL_PUBLIC_API_GATED),
        ((configuration("/rs/"), *SHUT_AT_RS), None, State.SHELL_PUBLIC_API_GATED),
        ((configuration("/rs"), *OPEN_AT_RS), None, State.PAGE_PUBLIC_API_OPEN),
        ((configuration("/rs"), *OPEN_AT_RS), SHUT_ARCHIVE, State.PAGE_PUBLIC_API_OPEN),
        ((configuration("/rs"), at_root("/rs", no_answer(CANARY))), None, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("/rs"),), None, State.SHELL_PUBLIC_API_UNKNOWN),
        # the archive that is declared is the one that is named, and was not asked twice
        ((configuration("/dicom-web"),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_GATED),
        ((configuration("/dicom-web"),), OPEN_ARCHIVE, State.PAGE_PUBLIC_API_OPEN),
        ((configuration("/dicom-web"),), (no_answer(CANARY),), State.SHELL_PUBLIC_API_UNKNOWN),
        # the archive that is declared is another
        ((configuration("/rs"),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("/rs"), *SHUT_AT_RS), OPEN_ARCHIVE, State.SHELL_PUBLIC_API_GATED),
        ((configuration(ELSEWHERE),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("/dicom-web", ELSEWHERE),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("/dicom-web", ELSEWHERE),), OPEN_ARCHIVE, State.PAGE_PUBLIC_API_OPEN),
        # a root on another port, which was asked with the viewer
        (
            (
                configuration(f"{ELSEWHERE}:8443"),
                *(at_root(f"{ELSEWHERE}:8443/rs", one) for one in SHUT_ARCHIVE),
            ),
            None,
            State.SHELL_PUBLIC_API_GATED,
        ),
        (
            (configuration(f"{ELSEWHERE}:8443"), *(at_root(f"{ELSEWHERE}:84/rs", one) for one in SHUT_ARCHIVE)),
            None,
            State.SHELL_PUBLIC_API_UNKNOWN,
        ),
        (
            (configuration(ELSEWHERE), *(at_root(f"{ELSEWHERE}:443/rs", one) for one in SHUT_ARCHIVE)),
            None,
            State.SHELL_PUBLIC_API_GATED,
        ),
        # what a configuration says of a login shuts nothing and opens nothing
        ((configuration("/rs", signs_in=True),), None, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("/rs", signs_in=False),), None, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("/rs", signs_in=False), *SHUT_AT_RS), None, State.SHELL_PUBLIC_API_GATED),
        ((configuration("/rs", signs_in=True), *OPEN_AT_RS), None, State.PAGE_PUBLIC_API_OPEN),
        # a configuration that names no root leaves it to what is declared
        ((configuration(),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_GATED),
        # of one that was not read nothing is known
        ((no_answer(HttpPurpose.CONFIGURATION),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration(signs_in=None),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_UNKNOWN),
        ((configuration("unknown"),), SHUT_ARCHIVE, State.SHELL_PUBLIC_API_UNKNOWN),
    ],
)
def test_a_shell_is_judged_by_the_archives_that_its_configuration_names(
    found: tuple[HttpFacts, ...], archive_facts: tuple[HttpFacts, ...] | None, expected: State
) -> None:
    verdict = judge("web.viewer-unauthenticated", viewer_case(OHIF, *found, archive=archive_facts))
    assert verdict.evidence["state"] == expected.value
    assert verdict.status is status_of(expected)
    assert len(verdict.summary) <= 200


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        # what is declared there may be another root than the one that is named, unless that is named whole
        ("https://archive.example.org", State.SHELL_PUBLIC_API_UNKNOWN),
        ("https://archive.example.org/", State.SHELL_PUBLIC_API_UNKNOWN),
        ("https://archive.example.org/rs", State.SHELL_PUBLIC_API_UNKNOWN),
        ("https://archive.example.org/dicom-web", State.SHELL_PUBLIC_API_GATED),
    ],
)
def test_an_archive_on_another_origin_is_the_one_that_is_declared_where_it_is_named_whole(
    named: str, expected: State
) -> None:
    services = (web_service("https://archive.example.org:8443/viewer/"), dicomweb_service())
    of = replace(viewer(with_archive=True), services=services)
    case = service_case(of, OHIF, configuration(named), also=[beside(facts) for facts in SHUT_ARCHIVE])
    assert judge("web.viewer-unauthenticated", case).evidence["state"] == expected.value


@pytest.mark.parametrize(
    ("shown", "asked", "expected"),
    [
        (replace(SHELL, product="dicoogle"), rest(), State.PAGE_PUBLIC_API_OPEN),
        (replace(SHELL, product="dicoogle"), rest(sign=None), State.SHELL_PUBLIC_API_UNKNOWN),
        (replace(SHELL, product="dicoogle"), replace(rest(401), challenges=("basic",)), State.SHELL_PUBLIC_API_UNKNOWN),
        (ORTHANC, rest(), State.OPEN_PAGE),
        (ORTHANC, rest(404), State.OPEN_PAGE),
        (ORTHANC, no_answer(REST), State.OPEN_PAGE),
        (ORTHANC, rest(403), State.SHELL_PUBLIC_API_UNKNOWN),
        (ORTHANC, replace(rest(sign=None), login_form=True), State.SHELL_PUBLIC_API_UNKNOWN),
        (
            ORTHANC,
            replace(rest(401), challenges=("basic",), product="orthanc"),
            State.SHELL_PUBLIC_API_UNKNOWN,
        ),
    ],
)
def test_a_page_is_judged_with_the_rest_interface_of_its_product(
    shown: HttpFacts, asked: HttpFacts, expected: State
) -> None:
    assert judge("web.viewer-unauthenticated", viewer_case(shown, asked)).evidence["state"] == expected.value


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (rest(), State.OPEN_REST),
        (replace(rest(401), challenges=("basic",), product="orthanc"), State.GATED_BASIC),
        (no_answer(REST, GATE), State.GATED_CLIENT_CERT),
        # whose login it is, is not known
        (replace(rest(401), challenges=("basic",)), State.INCONCLUSIVE_DENIED),
        (replace(rest(302), redirect_origin="same", redirect_to_login=True), State.INCONCLUSIVE_DENIED),
        (rest(401), State.INCONCLUSIVE_DENIED),
        (rest(403), State.INCONCLUSIVE_DENIED),
        (rest(503), State.INCONCLUSIVE_5XX),
        (replace(rest(sign=None), login_form=True), State.INCONCLUSIVE_FORM),
        # a search that brought something, though not as JSON
        (replace(rest(sign=None), path="/search?query=<random>", body=FILLED), State.INCONCLUSIVE_CONTROL),
        (replace(rest(), end=HttpEnd.RESET), State.INCONCLUSIVE_CUT_OFF),
        (no_answer(REST), State.INCONCLUSIVE_TIMEOUT),
    ],
)
def test_a_page_with_no_root_is_judged_by_its_rest_interface(asked: HttpFacts, expected: State) -> None:
    verdict = judge("web.archive-open", viewer_case(page(product="orthanc-explorer-2"), asked))
    assert verdict.evidence["state"] == expected.value
    assert verdict.status is status_of(expected)


@pytest.mark.parametrize("asked", [rest(404), rest(sign=None), replace(rest(), status=203), rest(302)])
def test_a_rest_interface_that_is_elsewhere_is_no_door_of_the_page(asked: HttpFacts) -> None:
    case = viewer_case(page(401, challenges=["basic"], product="orthanc"), asked)
    assert judge("web.archive-open", case).status is Status.NOT_APPLICABLE
    assert whole(case) is Status.PASS


def test_an_archive_that_was_found_through_a_page_is_judged_as_one() -> None:
    assert judge("web.archive-open", viewer_case(OHIF)).status is Status.NOT_APPLICABLE
    assert judge("web.archive-open", viewer_case(page(502))).status is Status.NOT_APPLICABLE
    assert judge("web.archive-open", viewer_case(no_answer(PAGE, GATE))).status is Status.NOT_APPLICABLE
    assert judge("web.archive-open", viewer_case(no_answer(PAGE))).status is Status.UNKNOWN
    assert judge("web.cors-open", viewer_case(OHIF)).status is Status.NOT_APPLICABLE
    assert judge("web.cors-open", viewer_case(no_answer(PAGE))).status is Status.UNKNOWN
    assert judge("web.archive-open", viewer_case(OHIF, configuration("/rs"))).status is Status.NOT_APPLICABLE
    assert judge("web.archive-open", viewer_case(OHIF, *OPEN_AT_RS)).status is Status.FAIL
    assert judge("web.archive-open", viewer_case(OHIF, *SHUT_AT_RS)).status is Status.PASS
    # A login before the page does not shut what is open behind it.
    behind_a_form = viewer_case(page(form=True, product="oviyam2"), *OPEN_AT_RS)
    assert judge("web.archive-open", behind_a_form).status is Status.FAIL
    assert whole(behind_a_form) is Status.FAIL


def test_what_a_page_gave_reason_to_ask_is_told_as_evidence() -> None:
    verdict = judge("web.viewer-unauthenticated", viewer_case(OHIF, configuration(ELSEWHERE), *SHUT_AT_RS, rest(403)))
    assert verdict.evidence["archives"] == [
        {"root": "/rs", "address": ADDRESS, "state": "gated-bearer"},
        {"rest": True, "address": ADDRESS, "state": "inconclusive-denied"},
    ]
    assert verdict.evidence["not_asked"] == [ELSEWHERE]
    assert "an archive that its configuration names was not asked" in verdict.summary


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
    login_alone=st.booleans(),
    script_redirect_to_login=st.booleans(),
    client_certificate_gate=st.booleans(),
    product=st.none() | st.sampled_from([one.id for one in products()]),
    single_page_shell=st.booleans(),
    directory_listing=st.booleans(),
    server=st.none() | st.sampled_from(["nginx", "nginx/1.22.1"]),
    allow_origin=st.none() | st.sampled_from(["any", "echoed", "named", "absent"]),
    allow_credentials=st.booleans(),
    named_roots=st.lists(
        st.sampled_from(["/dicom-web", "/rs", "https://archive.example.org:8443", "https://pacs.example.net"]),
        max_size=2,
    ).map(tuple),
    signs_in=st.none() | st.booleans(),
    names_internal_hosts=st.integers(0, 1),
    rest_sign=st.none() | st.just("the archive's clock"),
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
    known = facts.product is not None and not facts.single_page_shell
    alone = facts.login_alone or (known and facts.status == 200)
    form = facts.login_form and (facts.status == 401 or (facts.status in (200, 403) and alone))
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
    if found["web.archive-open", page_service].status is Status.PASS:
        assert any(bears_a_sign(facts) for facts in page_facts if facts.purpose in (CANARY, REST))
    if found["web.viewer-unauthenticated", page_service].status is Status.PASS:
        shell = any(facts.single_page_shell for facts in pages)
        behind = [*canaries, *(facts for facts in page_facts if facts.purpose in (CANARY, REST))]
        assert any(map(bears_a_sign, pages)) or (shell and any(map(bears_a_sign, behind)))


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
@given(page_facts=ANSWERS, archive_facts=ANSWERS)
def test_no_leave_and_no_name_passes_unseen(page_facts: list[HttpFacts], archive_facts: list[HttpFacts]) -> None:
    for (rule, service), verdict in verdicts(case_of(BOTH, page_facts, archive_facts)).items():
        facts = page_facts if service is BOTH.services[0] else archive_facts
        if rule == "web.cors-open" and verdict.status is Status.PASS:
            canaries = [one for one in facts if one.purpose is CANARY and one.end is not HttpEnd.NOT_ASKED]
            assert canaries
            assert all(one.allow_origin in ("absent", "named") for one in canaries)
        if rule == "web.configuration-exposed" and verdict.status is Status.PASS:
            read = [one for one in facts if one.purpose is HttpPurpose.CONFIGURATION]
            assert any(one.signs_in is not None or bears_a_sign(one) for one in read)
            assert not any(
                one.names_internal_hosts
                for one in read
                if one.end in (HttpEnd.ANSWERED, HttpEnd.ENCODED) and one.status is not None
            )


@settings(max_examples=200, deadline=None)
@given(facts=ANSWERS)
def test_an_archive_is_called_open_only_where_a_list_or_nothing_came_with_success(facts: list[HttpFacts]) -> None:
    if archive_access(facts).status is not Status.FAIL:
        return
    if any(one.purpose is REST and one.status == 200 and one.rest_sign for one in facts):
        return
    served = [one for one in facts if one.purpose in (CANARY, REST) and one.status in (200, 204)]
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
        # RFC 6797 6.1: what browsers ignore as a whole, and what they pass over
        ("max-age=300; max-age=0", Status.FAIL),
        ("max-age=300; includeSubDomains; INCLUDESUBDOMAINS", Status.FAIL),
        ('max-age=300; report="' + "x" * 107, Status.PASS),  # no more than its first 128 characters are kept
        ("max-age=300, max-age=300", Status.FAIL),
        ("max-age=-1", Status.FAIL),
        ("max-age=1.5", Status.FAIL),
        ("max-age=", Status.FAIL),
        ("max-age", Status.FAIL),
        ("max-age 300", Status.FAIL),
        (";; max-age=300 ;", Status.PASS),
        ('max-age=300; something="else; max-age=0"', Status.PASS),
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


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_who_is_busy_did_not_show_whether_there_are_cookies(code: int) -> None:
    assert status("web.cookie-flags", VIEWER, page(code)) is Status.UNKNOWN


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


# ------------------------------------------------------------------------------- what was asked beyond the declared URL

OWN_QUESTIONS = [
    configuration("/rs", tls=False),
    rest(tls=False),
    *(at_root("/rs", replace(one, tls=False)) for one in (web_canary(), web_control())),
    *(at_root("/rs", replace(one, tls=False)) for one in refused(401, "bearer")),
]


@pytest.mark.parametrize(
    "rule", ["web.cleartext", "web.basic-over-cleartext", "web.login-over-cleartext", "web.directory-listing"]
)
@pytest.mark.parametrize("facts", OWN_QUESTIONS)
def test_what_the_product_gave_reason_to_ask_says_nothing_of_the_declared_page(rule: str, facts: HttpFacts) -> None:
    assert status(rule, PLAIN_VIEWER, facts) is Status.UNKNOWN
    assert status(rule, PLAIN_VIEWER, no_answer(PAGE, tls=False), facts) is Status.UNKNOWN


def test_a_basic_challenge_is_one_wherever_on_the_origin_it_comes() -> None:
    challenged = replace(rest(401, tls=False), challenges=("basic",))
    assert status("web.basic-over-cleartext", PLAIN_VIEWER, plain(), challenged) is Status.FAIL


@pytest.mark.parametrize(
    "rule", ["web.basic-over-cleartext", "web.hsts-missing", "web.cookie-flags", "web.version-disclosed"]
)
def test_what_another_origin_answered_is_not_laid_to_this_one(rule: str) -> None:
    signs = {"challenges": ("basic",), "cookies": (cookie(secure=False),), "server": "nginx/1.22.1", "hsts": None}
    plain_elsewhere, elsewhere = (
        replace(at_root(f"{scheme}://archive.example.org:8042/rs", web_canary()), **signs)  # type: ignore[arg-type]
        for scheme in ("http", "https")
    )
    quiet = replace(page(), hsts="max-age=300")
    assert status(rule, VIEWER, quiet, elsewhere) in (Status.PASS, Status.NOT_APPLICABLE, Status.UNKNOWN)
    assert status(rule, PLAIN_VIEWER, plain(), replace(plain_elsewhere, tls=False)) is not Status.FAIL


# ------------------------------------------------------------------------------------------- the pages of other sites


@pytest.mark.parametrize(
    ("facts", "expected", "severity"),
    [
        ([cors(web_canary(), "any"), web_control()], Status.FAIL, Severity.HIGH),
        ([cors(web_canary(), "echoed", credentials=True), web_control()], Status.FAIL, Severity.HIGH),
        ([cors(web_canary(body=FILLED), "any")], Status.FAIL, Severity.HIGH),
        ([cors(one, "any") for one in refused(401, "basic")], Status.FAIL, Severity.LOW),
        ([cors(one, "echoed") for one in refused(401)], Status.FAIL, Severity.LOW),
        ([*(cors(one, "any") for one in refused(401, "basic")), rest()], Status.FAIL, Severity.HIGH),
        # an archive that served a stranger shows its headers
        ([cors(web_canary(), "absent"), web_control()], Status.PASS, None),
        ([cors(web_canary(), "named"), web_control()], Status.PASS, None),
        ([cors(web_canary(204, NONE), "absent"), web_control()], Status.PASS, None),
        ([cors(one, "named") for one in refused(401, "basic")], Status.PASS, None),
        # a refusal does not
        ([cors(one, "absent") for one in refused(401, "basic")], Status.UNKNOWN, Severity.LOW),
        ([cors(web_canary(body=HTML, form=True), "absent")], Status.UNKNOWN, Severity.LOW),
        ([*(cors(one, "absent") for one in refused(401, "basic")), rest()], Status.UNKNOWN, None),
        ([no_answer(CANARY, GATE)], Status.UNKNOWN, Severity.LOW),
        # whose answer it was is not known
        ([cors(web_canary(404, HTML), "any"), web_control(404, HTML)], Status.UNKNOWN, None),
        ([cors(one, "any") for one in refused(403)], Status.UNKNOWN, None),
        ([cors(web_canary(body=HTML), "any"), SAME_BODY], Status.UNKNOWN, None),
        ([cors(web_canary(), "any")], Status.UNKNOWN, None),
        ([cors(web_canary(503, HTML), "any")], Status.UNKNOWN, None),
        ([cors(web_canary(404, HTML), "absent"), web_control(404, HTML)], Status.UNKNOWN, None),
        # nothing was asked, or nothing was read
        ([web_canary(), web_control()], Status.UNKNOWN, None),
        ([cors(web_canary(), "absent"), web_control(), no_answer(CANARY)], Status.UNKNOWN, None),
        ([no_answer(CANARY)], Status.UNKNOWN, None),
        ([], Status.UNKNOWN, None),
    ],
)
def test_whose_pages_may_read_an_archive(facts: list[HttpFacts], expected: Status, severity: Severity | None) -> None:
    entry = next(entry for entry in WEB_RULES if entry.id == "web.cors-open")
    verdict = entry.rule.judge(service_case(ARCHIVE, *facts))
    assert verdict.status is expected
    if severity is not None:
        assert (verdict.severity or entry.rule.severity) is severity
    assert len(verdict.summary) <= 200


def test_that_a_login_goes_along_is_said_only_where_browsers_let_it() -> None:
    def said(allowed: Literal["any", "echoed"]) -> str:
        facts = (cors(one, allowed, credentials=True) for one in refused(401, "basic"))
        return judge("web.cors-open", service_case(ARCHIVE, *facts)).summary

    assert "with the login of whoever visits it" in said("echoed")
    assert "with the login" not in said("any")


# ------------------------------------------------------------------------------------------ what a configuration names


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([configuration(internal_hosts=2)], Status.FAIL),
        ([configuration(clients=1, signs_in=True)], Status.FAIL),
        ([replace(configuration(internal_hosts=1), length_class=None)], Status.FAIL),
        ([configuration("/rs")], Status.PASS),
        ([configuration("/rs", signs_in=True)], Status.PASS),
        ([configuration("/rs"), configuration(clients=1)], Status.FAIL),
        ([configuration("/rs"), no_answer(HttpPurpose.CONFIGURATION)], Status.UNKNOWN),
        ([answer(HttpPurpose.CONFIGURATION, 401)], Status.PASS),
        ([answer(HttpPurpose.CONFIGURATION, 302, redirect="same", to_login=True)], Status.PASS),
        ([configuration("/rs", signs_in=None)], Status.UNKNOWN),
        ([replace(configuration("/rs"), length_class=None)], Status.UNKNOWN),
        ([replace(configuration("/rs"), length_class=65536)], Status.UNKNOWN),
        ([replace(configuration("/rs"), end=HttpEnd.ENCODED)], Status.UNKNOWN),
        ([answer(HttpPurpose.CONFIGURATION, 200, HTML)], Status.UNKNOWN),
        ([answer(HttpPurpose.CONFIGURATION, 403)], Status.UNKNOWN),
        ([answer(HttpPurpose.CONFIGURATION, 404)], Status.UNKNOWN),
        ([answer(HttpPurpose.CONFIGURATION, 503)], Status.UNKNOWN),
        ([no_answer(HttpPurpose.CONFIGURATION)], Status.UNKNOWN),
        ([page()], Status.NOT_APPLICABLE),
        ([page(product="xnat")], Status.NOT_APPLICABLE),
        ([page(product="ohif")], Status.UNKNOWN),
        ([no_answer(PAGE)], Status.UNKNOWN),
        ([], Status.UNKNOWN),
    ],
)
def test_what_a_public_configuration_names(facts: list[HttpFacts], expected: Status) -> None:
    verdict = judge("web.configuration-exposed", service_case(VIEWER, *facts))
    assert verdict.status is expected
    assert len(verdict.summary) <= 200


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
