"""web.archive-open: a DICOMweb or REST interface of an archive answers a stranger."""

from __future__ import annotations

from dataclasses import replace

from checker.model import BodyKind, HttpEnd, HttpPurpose, ServiceKind, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, not_applicable, passed, unknown
from checker.rules.examples import archive, dicomweb_service, service_case
from checker.rules.examples_web import at_root, no_answer, page, refused, rest, viewer_case, web_canary, web_control
from checker.rules.web_access import archive_access
from checker.rules.web_answers import all_told, requests, shown
from checker.rules.web_states import State, words

_OF_ARCHIVES = frozenset({HttpPurpose.CANARY, HttpPurpose.CONTROL, HttpPurpose.REST})


def judge(case: Case) -> Verdict:
    """The canary served fails, a gate that showed a sign of itself passes, and the rest is unknown.

    A declared page has an archive only where its product or its configuration gave reason to ask for one.
    """
    asked, of_page = requests(case), case.the_service().kind is ServiceKind.WEB
    if of_page:
        page, asked = asked, [facts for facts in asked if facts.purpose in _OF_ARCHIVES]
        if not asked and not shown(page):
            return unknown("Whether an archive is behind this page was not shown: no answer of its own was read.")
        if not asked:
            return not_applicable("No archive was found through this page, so there was none to ask.")
    access = archive_access(asked, rest_alone=of_page)
    if access.state is State.NOT_THIS_SERVICE and all(facts.purpose is HttpPurpose.REST for facts in asked):
        return not_applicable(
            "The REST interface of the product is not where it would be asked, so there was no archive to ask.",
            state=access.state.value,
            requests=all_told(asked),
        )
    told = all_told(asked)
    match access.status:
        case Status.FAIL if access.state is State.OPEN_FILTER_IGNORED:
            return failed(
                "The archive answered a stranger with data: the question for a study that cannot exist was ignored,"
                " and the answer was aborted unread.",
                state=access.state.value,
                data_on_its_way=True,
                read=False,
                requests=told,
            )
        case Status.FAIL if access.state is State.OPEN_REST:
            return failed(
                "Anybody is let into the REST interface of this archive without a login: a question that holds no data"
                " was answered as its product does.",
                state=access.state.value,
                requests=told,
            )
        case Status.FAIL:
            return failed(
                f"Anybody can search this archive without a login: {words(access)}.",
                state=access.state.value,
                requests=told,
            )
        case Status.PASS:
            return passed(
                f"A stranger gets no answer from this archive: {words(access)}.",
                state=access.state.value,
                requests=told,
            )
        case _:
            return unknown(
                f"Whether a stranger can search this archive was not shown: {words(access)}.",
                state=access.state.value,
                requests=told,
            )


_ASSET = archive(dicomweb_service())
_SENT_ON = web_canary(302, BodyKind.NONE, redirect="https://login.example.net", to_login=True)

RULE = Rule(
    title="The archive's web interface is open to anybody",
    severity=Severity.CRITICAL,
    subject=Subject.SERVICE,
    meaning=(
        "A request of a stranger, without a login, was served. It asked for the series of a study that cannot exist, so"
        " it could match nothing; a real one would list patients and their studies, and the next one would take the"
        " images. Some servers ignore the question and send what they have; that answer is aborted unread.\n\n"
        "An empty list counts only where a second request, the same with nonsense in its path, was answered otherwise."
        " A server that answers everything alike has understood neither, and a media type or a status of 200 alone"
        " proves nothing: errors come with both.\n\n"
        "Where a known product was recognised, its own REST interface is asked a question that holds no data (Orthanc's"
        " clock, say); the very answer that the product gives shows that interface open, and nothing else does. The"
        " DICOMweb roots that the configuration of a viewer names, and that may be asked, are judged with its page.\n\n"
        "To pass, a gate must have shown a sign of itself: a challenge with 401 or 403, a redirect to a login, a login"
        " form with nothing beside it, a demand for a client certificate (which nginx answers with 400), or 401 for the"
        " nonsense as well, which then is about the caller and not about the path. A 403 without a challenge is"
        " unknown, for servers say it of files that they do not have and filters say it to clients that are no browser;"
        " so is 401 for the one path alone, a page that has a login form among other things, 404, a redirect to"
        " anywhere else, an error, and silence."
    ),
    remedy=(
        "Put a login before the whole of the interface and deny what carries none: in Orthanc AuthenticationEnabled"
        " with registered users or the authorization plugin, in dcm4chee-arc its secured variant with Keycloak,"
        " elsewhere a reverse proxy that asks for a token or a client certificate. Until then, let the firewall admit"
        " only those servers and viewers that need it."
    ),
    controls=controls.OPEN_DICOMWEB,
    applies=lambda service: service.is_web,
    judge=judge,
    examples=(
        Example(
            "The canary was answered with an empty list, and nonsense with 404.",
            service_case(_ASSET, web_canary(), web_control()),
            Status.FAIL,
        ),
        Example(
            "The canary was answered with 204, and nonsense with 404.",
            service_case(_ASSET, web_canary(204, BodyKind.NONE), web_control()),
            Status.FAIL,
        ),
        Example(
            "The question was ignored and data was on its way.",
            service_case(_ASSET, web_canary(body=BodyKind.FILLED_ARRAY)),
            Status.FAIL,
        ),
        Example(
            "A Basic login is asked for, while the product's REST interface answers strangers.",
            service_case(_ASSET, *refused(401, "basic"), rest()),
            Status.FAIL,
        ),
        Example(
            "A page's configuration names a root, which serves strangers.",
            viewer_case(page(single_page=True), at_root("/rs", web_canary()), at_root("/rs", web_control())),
            Status.FAIL,
        ),
        Example(
            "A Basic login is asked for.",
            service_case(_ASSET, *refused(401, "basic")),
            Status.PASS,
        ),
        Example(
            "A token is asked for, and nonsense is not found: the gate may be before the one path alone.",
            service_case(_ASSET, web_canary(401, BodyKind.JSON_OBJECT, challenges=["bearer"]), web_control()),
            Status.UNKNOWN,
        ),
        Example(
            "Everything is redirected to a login elsewhere.",
            service_case(
                _ASSET,
                _SENT_ON,
                replace(_SENT_ON, purpose=HttpPurpose.CONTROL),
            ),
            Status.PASS,
        ),
        Example(
            "A redirect to a login, and a list in its body all the same.",
            service_case(
                _ASSET,
                web_canary(302, BodyKind.FILLED_ARRAY, redirect="same", to_login=True),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Everything is a login form with status 200.",
            service_case(_ASSET, web_canary(body=BodyKind.HTML, form=True), web_control(200, BodyKind.HTML, form=True)),
            Status.PASS,
        ),
        Example(
            "nginx answers 400, for no client certificate was sent.",
            service_case(_ASSET, replace(web_canary(400, BodyKind.HTML), client_certificate_gate=True)),
            Status.PASS,
        ),
        Example(
            "The handshake ended for want of a client certificate.",
            service_case(_ASSET, no_answer(HttpPurpose.CANARY, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)),
            Status.PASS,
        ),
        Example(
            "Both requests were answered with 401 and no challenge.",
            service_case(_ASSET, *refused(401)),
            Status.PASS,
        ),
        Example(
            "401 without a challenge for the canary's path alone, which may be about the path.",
            service_case(_ASSET, web_canary(401, BodyKind.NONE), web_control()),
            Status.UNKNOWN,
        ),
        Example(
            "403 without a challenge, which an open store of files says of what it does not have.",
            service_case(_ASSET, *refused(403)),
            Status.UNKNOWN,
        ),
        Example(
            "Everything is a page with a login form and links to other places.",
            service_case(
                _ASSET,
                web_canary(body=BodyKind.HTML, form=True, alone=False),
                web_control(200, BodyKind.HTML, form=True, alone=False),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Everything is the same page with status 200.",
            service_case(_ASSET, web_canary(body=BodyKind.HTML), web_control(200, BodyKind.HTML)),
            Status.UNKNOWN,
        ),
        Example(
            "An empty list for the canary and for nonsense alike.",
            service_case(_ASSET, web_canary(), replace(web_control(200, BodyKind.EMPTY_ARRAY), body_alike=True)),
            Status.UNKNOWN,
        ),
        Example(
            "An empty list, and the request for nonsense was not answered.",
            service_case(_ASSET, web_canary(), no_answer(HttpPurpose.CONTROL)),
            Status.UNKNOWN,
        ),
        Example(
            "A JSON object with status 200, which may be an error.",
            service_case(_ASSET, web_canary(body=BodyKind.JSON_OBJECT), web_control()),
            Status.UNKNOWN,
        ),
        Example(
            "Not found: the interface is not at this URL.",
            service_case(_ASSET, web_canary(404, BodyKind.HTML), web_control(404, BodyKind.HTML)),
            Status.UNKNOWN,
        ),
        Example(
            "Too many requests.",
            service_case(_ASSET, web_canary(429, BodyKind.NONE)),
            Status.UNKNOWN,
        ),
        Example(
            "The server speaks HTTP/2 alone.",
            service_case(_ASSET, no_answer(HttpPurpose.CANARY, HttpEnd.HTTP2_ONLY)),
            Status.UNKNOWN,
        ),
        Example(
            "The canary was not answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.CANARY)),
            Status.UNKNOWN,
        ),
        Example("A page that was not answered in time.", viewer_case(no_answer(HttpPurpose.PAGE)), Status.UNKNOWN),
        Example(
            "A page through which no archive was found.",
            viewer_case(page()),
            Status.NOT_APPLICABLE,
        ),
    ),
)
