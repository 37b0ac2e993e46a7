"""Builders for the worked examples of rules about web services: answers to a page, a canary and its control.

As in `checker.rules.examples` everything is invented and nothing is ever sent. Signs that only a few examples need are
put in with `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from checker.model import Asset, BodyKind, CookieFacts, Facts, HttpEnd, HttpFacts, HttpPurpose, Observation, Role
from checker.rules.base import Case
from checker.rules.examples import asset, dicomweb_service, seen, service_case, web_service

DICOM_JSON = "application/dicom+json"
HTML = "text/html"
VIEWER_URL = "http://archive.example.org/viewer/"
DICOMWEB_URL = "http://archive.example.org/dicom-web"

_MEDIA_TYPES = {BodyKind.HTML: HTML, BodyKind.JSON_OBJECT: "application/json"} | dict.fromkeys(
    (BodyKind.EMPTY_ARRAY, BodyKind.FILLED_ARRAY), DICOM_JSON
)
_PATHS = {
    HttpPurpose.PAGE: "/viewer/",
    HttpPurpose.CANARY: "/dicom-web/studies/<random>/series?limit=1",
    HttpPurpose.CONTROL: "/dicom-web/studies/<random>/<random>?limit=1",
    HttpPurpose.CONFIGURATION: "/viewer/app-config.js",
    HttpPurpose.REST: "/tools/now",
}


# -------------------------------------------------------------------------------------------------------- answers


def answer(
    purpose: HttpPurpose,
    status: int,
    body: BodyKind = BodyKind.NONE,
    *,
    tls: bool = True,
    challenges: Iterable[str] = (),
    redirect: str | None = None,
    to_login: bool = False,
    form: bool = False,
    alone: bool = True,
    single_page: bool = False,
    product: str | None = None,
) -> HttpFacts:
    """An answer that was read, with the media type that goes with its body.

    `redirect` is the origin of a Location, or "same"; `form`, `single_page` and `product` are signs of a page; a form
    is all that the page offers unless it is not `alone`.
    """
    return HttpFacts(
        purpose=purpose,
        path=_PATHS[purpose],
        tls=tls,
        end=HttpEnd.ANSWERED,
        status=status,
        media_type=_MEDIA_TYPES.get(body),
        body=body,
        length_class=0 if body is BodyKind.NONE else 2048,
        challenges=tuple(challenges),
        redirect_origin=redirect,
        redirect_path="/login" if redirect == "same" and to_login else None,
        redirect_to_login=to_login,
        login_form=form,
        login_alone=form and alone,
        single_page_shell=single_page,
        product=product,
    )


def page(
    status: int = 200,
    body: BodyKind = BodyKind.HTML,
    *,
    tls: bool = True,
    challenges: Iterable[str] = (),
    redirect: str | None = None,
    to_login: bool = False,
    form: bool = False,
    alone: bool = True,
    single_page: bool = False,
    product: str | None = None,
) -> HttpFacts:
    """The answer to the declared page."""
    return answer(
        HttpPurpose.PAGE,
        status,
        body,
        tls=tls,
        challenges=challenges,
        redirect=redirect,
        to_login=to_login,
        form=form,
        alone=alone,
        single_page=single_page,
        product=product,
    )


def web_canary(
    status: int = 200,
    body: BodyKind = BodyKind.EMPTY_ARRAY,
    *,
    tls: bool = True,
    challenges: Iterable[str] = (),
    redirect: str | None = None,
    to_login: bool = False,
    form: bool = False,
    alone: bool = True,
) -> HttpFacts:
    """The answer to the question for the series of a study that cannot exist; an empty list unless told."""
    return answer(
        HttpPurpose.CANARY,
        status,
        body,
        tls=tls,
        challenges=challenges,
        redirect=redirect,
        to_login=to_login,
        form=form,
        alone=alone,
    )


def web_control(
    status: int = 404,
    body: BodyKind = BodyKind.NONE,
    *,
    tls: bool = True,
    challenges: Iterable[str] = (),
    form: bool = False,
    alone: bool = True,
) -> HttpFacts:
    """The answer to the nonsense beside the canary; 404 unless told."""
    return answer(HttpPurpose.CONTROL, status, body, tls=tls, challenges=challenges, form=form, alone=alone)


def refused(status: int, *challenges: str, tls: bool = True) -> tuple[HttpFacts, HttpFacts]:
    """A canary and its control, both answered with one status of denial and the same challenges."""
    return (
        web_canary(status, BodyKind.HTML, tls=tls, challenges=challenges),
        web_control(status, BodyKind.HTML, tls=tls, challenges=challenges),
    )


def at_root(root: str, facts: HttpFacts) -> HttpFacts:
    """The same canary or control, asked of another root: a path, or one behind its origin."""
    return replace(facts, path=f"{root}/studies/{facts.path.partition('/studies/')[2]}")


def cors(
    facts: HttpFacts, allowed: Literal["any", "echoed", "named", "absent"], *, credentials: bool = False
) -> HttpFacts:
    """The same answer, with what it says of the pages of other origins."""
    return replace(facts, allow_origin=allowed, allow_credentials=credentials)


def rest(status: int = 200, *, sign: str | None = "the archive's clock", tls: bool = True) -> HttpFacts:
    """The answer to the REST question of a product; the sign of an open one unless told."""
    shown = replace(answer(HttpPurpose.REST, status, BodyKind.OTHER, tls=tls), media_type="text/plain")
    return replace(shown, rest_sign=sign if status == 200 else None)


def configuration(
    *roots: str, signs_in: bool | None = False, internal_hosts: int = 0, clients: int = 0, tls: bool = True
) -> HttpFacts:
    """A configuration that was read and understood, with the DICOMweb roots that it names."""
    shown = replace(answer(HttpPurpose.CONFIGURATION, 200, BodyKind.OTHER, tls=tls), media_type="text/javascript")
    return replace(
        shown, named_roots=roots, signs_in=signs_in, names_internal_hosts=internal_hosts, names_clients=clients
    )


def no_answer(purpose: HttpPurpose, end: HttpEnd = HttpEnd.TIMEOUT, *, tls: bool = True) -> HttpFacts:
    """A request that brought nothing back."""
    return HttpFacts(purpose=purpose, path=_PATHS[purpose], tls=tls, end=end)


def cookie(
    name: str = "JSESSIONID", *, secure: bool = True, http_only: bool = True, same_site: str | None = "lax"
) -> CookieFacts:
    """A cookie that was set, with every protection unless told."""
    return CookieFacts(name, secure, http_only, same_site)


# ---------------------------------------------------------------------------------------------------------- cases


def viewer(*, with_archive: bool = False, tls: bool = True) -> Asset:
    """A synthetic viewer with its page, and with a DICOMweb service as the second one where wanted."""
    web = web_service() if tls else web_service(VIEWER_URL)
    beside = dicomweb_service() if tls else dicomweb_service(DICOMWEB_URL)
    return asset(web, *([beside] if with_archive else []), role=Role.VIEWER)


def viewer_case(*pages: HttpFacts, archive: Iterable[HttpFacts] | None = None) -> Case:
    """A case of a viewer's page; with `archive` its asset has a DICOMweb service too, which answered so."""
    of = viewer(with_archive=archive is not None)
    return service_case(of, *pages, also=[beside(facts) for facts in archive or ()])


def beside(facts: Facts) -> Observation:
    """An observation of the second service of an asset, on the port of https."""
    return seen(facts, 1, port=443)
