"""web.viewer-unauthenticated: a viewer can be used without a login."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, JsonValue, ServiceKind, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.cases import service_cases
from checker.rules.examples_web import no_answer, page, refused, viewer_case, web_canary, web_control
from checker.rules.web_access import all_told, archive_access, requests, viewer_access
from checker.rules.web_states import Access, State, words

_BY_ARCHIVES = (State.PAGE_PUBLIC_API_OPEN, State.SHELL_PUBLIC_API_GATED)


def judge(case: Case) -> Verdict:
    """A page shown without a login fails where the archive behind it is open, and passes where it or that is gated."""
    asked = requests(case)
    beside = [(one, archive_access(requests(one))) for one in _archives(case)]
    access = viewer_access(asked, [archive for _, archive in beside])
    if access.status is Status.FAIL:
        conclude, said = failed, f"Anybody can use this viewer: {words(access)}."
    elif access.status is Status.PASS:
        conclude, said = passed, f"A stranger sees no images here: {words(access)}."
    else:
        said = f"Whether a stranger can use this viewer was not shown: {_doubt(access, beside)}."
        conclude = unknown
    verdict = conclude(
        said,
        state=access.state.value,
        requests=all_told(asked),
        archives=[_told(one, archive) for one, archive in beside],
    )
    if access.state not in _BY_ARCHIVES:
        return verdict
    of_archives = (observation for one, _ in beside for observation in one.seen)
    ids = dict.fromkeys(observation.id for observation in (*case.seen, *of_archives))
    return replace(verdict, observations=tuple(ids))


def _archives(case: Case) -> list[Case]:
    """The cases of the DICOMweb services that the asset declares, at each of their addresses."""
    return [one for one in service_cases(case) if one.the_service().kind is ServiceKind.DICOMWEB]


def _told(case: Case, access: Access) -> JsonValue:
    service = case.the_service()
    return {"url": service.url, "address": case.address, "port": service.port, "state": access.state.value}


def _doubt(access: Access, beside: Sequence[tuple[Case, Access]]) -> str:
    if access.state is not State.SHELL_PUBLIC_API_UNKNOWN or beside:
        return words(access)
    return "its page is a public shell, and no DICOMweb service of the asset is declared that could decide"


def _with_archive(shown: HttpFacts, *archive: HttpFacts) -> Case:
    return viewer_case(shown, archive=archive)


_SHELL = page(single_page=True, product="ohif")

RULE = Rule(
    title="The viewer can be used without a login",
    severity=Severity.CRITICAL,
    subject=Subject.SERVICE,
    meaning=(
        "A page was shown to a stranger without any login, and it leads to images: either the product is known to show"
        " this page only to those whom its archive lets in, or a DICOMweb service of the same asset answers anybody"
        " (web.archive-open).\n\n"
        "Many viewers are an empty page that anybody may load; it fetches the images with the user's login, so the page"
        " says nothing and the archive decides. For those it passes where every DICOMweb service that the asset"
        " declares is gated, at each of its addresses.\n\n"
        "It passes as well where the page itself is gated: a challenge, a redirect to a login, a login form, a client"
        " certificate. It is unknown where a page of a product that is not known is shown, for it cannot be told"
        " whether images are behind it; look at it in a browser. A login that only a script of the page asks for holds"
        " nobody back and is no gate, nor is 403, 404, an error, or silence."
    ),
    remedy=(
        "Put a login before the viewer and before the archive that it reads from; the second matters more. In Orthanc"
        " set AuthenticationEnabled, in OHIF configure OpenID Connect and let the archive check the token. Until then,"
        " let the firewall admit only those who need it."
    ),
    controls=controls.OPEN_VIEWER,
    applies=lambda service: service.kind is ServiceKind.WEB,
    judge=judge,
    examples=(
        Example(
            "The page of a product that shows it only where all are let in.",
            viewer_case(page(product="orthanc")),
            Status.FAIL,
        ),
        Example(
            "The page that the declared one led to is such a page.",
            viewer_case(page(302, BodyKind.NONE, redirect="same"), page(product="orthanc")),
            Status.FAIL,
        ),
        Example(
            "A page without a login, and the DICOMweb service beside it is open.",
            _with_archive(page(), web_canary(), web_control()),
            Status.FAIL,
        ),
        Example(
            "A public shell, and the DICOMweb service beside it is open.",
            _with_archive(_SHELL, web_canary(), web_control()),
            Status.FAIL,
        ),
        Example(
            "A public shell, and the DICOMweb service beside it asks for a token.",
            _with_archive(_SHELL, *refused(401, "bearer")),
            Status.PASS,
        ),
        Example("The page is a login form.", viewer_case(page(form=True)), Status.PASS),
        Example(
            "The page is redirected to a login.",
            viewer_case(page(302, BodyKind.NONE, redirect="same", to_login=True)),
            Status.PASS,
        ),
        Example("The page asks for a Basic login.", viewer_case(page(401, challenges=["basic"])), Status.PASS),
        Example(
            "The handshake ended for want of a client certificate.",
            viewer_case(no_answer(HttpPurpose.PAGE, HttpEnd.CLIENT_CERTIFICATE_REQUIRED)),
            Status.PASS,
        ),
        Example(
            "A page of a product that is not known, and no archive beside it.", viewer_case(page()), Status.UNKNOWN
        ),
        Example(
            "A page made by its server may show what the gated DICOMweb service beside it refuses.",
            _with_archive(page(), *refused(401, "bearer")),
            Status.UNKNOWN,
        ),
        Example("A public shell, and no archive beside it.", viewer_case(_SHELL), Status.UNKNOWN),
        Example(
            "A public shell, and the DICOMweb service beside it was not asked.",
            _with_archive(_SHELL),
            Status.UNKNOWN,
        ),
        Example(
            "The shell of a product whose search is not DICOMweb.",
            _with_archive(page(single_page=True, product="dicoogle"), *refused(401, "basic")),
            Status.UNKNOWN,
        ),
        Example(
            "A page that goes to a login by script.",
            viewer_case(replace(page(), script_redirect_to_login=True)),
            Status.UNKNOWN,
        ),
        Example("403 without a challenge.", viewer_case(page(403)), Status.UNKNOWN),
        Example("The page was not answered in time.", viewer_case(no_answer(HttpPurpose.PAGE)), Status.UNKNOWN),
    ),
)
