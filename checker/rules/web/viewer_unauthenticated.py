"""web.viewer-unauthenticated: a viewer can be used without a login."""

from __future__ import annotations

from dataclasses import replace

from checker.codecs.web_configuration import UNKNOWN_ROOT
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, JsonValue, ServiceKind, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples_web import (
    at_root,
    configuration,
    no_answer,
    page,
    refused,
    rest,
    viewer_case,
    web_canary,
    web_control,
)
from checker.rules.web_answers import all_told, requests
from checker.rules.web_states import Access, State, words
from checker.rules.web_viewer import Behind, archives_behind, viewer_access

_BY_ARCHIVES = (State.PAGE_PUBLIC_API_OPEN, State.SHELL_PUBLIC_API_GATED)


def judge(case: Case) -> Verdict:
    """A page shown without a login fails where the archive behind it is open, and passes where it or that is gated."""
    asked = requests(case)
    behind = archives_behind(case)
    access = viewer_access(asked, behind)
    if access.status is Status.FAIL:
        conclude, said = failed, f"Anybody can use this viewer: {words(access)}."
    elif access.status is Status.PASS:
        conclude, said = passed, f"A stranger sees no images here: {words(access)}."
    else:
        said = f"Whether a stranger can use this viewer was not shown: {_doubt(access, behind)}."
        conclude = unknown
    verdict = conclude(
        said,
        state=access.state.value,
        requests=all_told(asked),
        archives=_archives(case, behind),
        not_asked=list(behind.not_asked),
    )
    if access.state not in _BY_ARCHIVES:
        return verdict
    of_archives = (observation for one, _ in behind.declared for observation in one.seen)
    ids = dict.fromkeys(observation.id for observation in (*case.seen, *of_archives))
    return replace(verdict, observations=tuple(ids))


def _archives(case: Case, behind: Behind) -> list[JsonValue]:
    """The archives that were judged with the page; those that were asked with it under the root that was named."""
    found: list[JsonValue] = []
    for one, access in behind.declared:
        service = one.the_service()
        place = {"url": service.url, "address": one.address, "port": service.port}
        found.append({**place, "state": access.state.value})
    found += [{"root": root, "address": case.address, "state": access.state.value} for root, access in behind.own]
    found += [{"rest": True, "address": case.address, "state": access.state.value} for access in behind.rest]
    return found


def _doubt(access: Access, behind: Behind) -> str:
    if access.state is not State.SHELL_PUBLIC_API_UNKNOWN:
        return words(access)
    if UNKNOWN_ROOT in behind.not_asked:
        return "its page is a public shell, and which archives its configuration names was not read in full"
    if behind.not_asked:
        return "its page is a public shell, and an archive that its configuration names was not asked"
    if behind.accesses:
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
        " this page only to those whom its archive lets in, or the archive behind it answers anybody"
        " (web.archive-open).\n\n"
        "Many viewers are an empty page that anybody may load; it fetches the images with the user's login, so the page"
        " says nothing and the archive decides. Where the configuration of a known product names its archives, it"
        " passes where each of them was asked and is gated; one that may not be asked leaves it unknown. Else every"
        " DICOMweb service that the asset declares must be gated, at each of its addresses. That a configuration asks"
        " the browser to log in is no gate, for nobody has to heed it.\n\n"
        "It passes as well where the page itself is gated: a challenge, a redirect to a login, a login form with"
        " nothing beside it, a client certificate. A page that has a login form among other things may show those to"
        " anybody and is unknown. It is unknown where a page of a product that is not known is shown, for it cannot be"
        " told whether images are behind it; look at it in a browser. A login that only a script of the page asks for"
        " holds nobody back and is no gate, nor is 403, 404, an error, or silence."
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
        Example(
            "The archive that the shell's configuration names is open.",
            viewer_case(_SHELL, configuration("/rs"), at_root("/rs", web_canary()), at_root("/rs", web_control())),
            Status.FAIL,
        ),
        Example(
            "The archive that the shell's configuration names is gated.",
            viewer_case(_SHELL, configuration("/rs"), *(at_root("/rs", one) for one in refused(401, "bearer"))),
            Status.PASS,
        ),
        Example(
            "The shell's configuration names an archive elsewhere, and the one beside it is gated.",
            viewer_case(_SHELL, configuration("https://pacs.example.net"), archive=refused(401, "bearer")),
            Status.UNKNOWN,
        ),
        Example(
            "The shell's configuration speaks of a login, and no archive was asked.",
            viewer_case(_SHELL, configuration(signs_in=True)),
            Status.UNKNOWN,
        ),
        Example(
            "The shell's product has a REST interface, which answers strangers.",
            viewer_case(page(single_page=True, product="dicoogle"), rest()),
            Status.FAIL,
        ),
        Example("The page is a login form.", viewer_case(page(form=True)), Status.PASS),
        Example(
            "The page has a login form, and links to other places.",
            viewer_case(page(form=True, alone=False)),
            Status.UNKNOWN,
        ),
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
