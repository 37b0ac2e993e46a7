"""Products that cannot be run here, reproduced from their sources (`tests.live.servers.products`), and what they are.

A reproduction knows no login, so that nobody is let in where a stranger is not. Data; the order is that of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from checker.model import Status
from checker.rules.web_states import State
from tests.live.servers import products_archives as archives
from tests.live.servers import products_pages as pages
from tests.live.servers.products import Answers, serving_product
from tests.live.web_fronting import Door, Front, Material, Place, Really, Start
from tests.live.web_fronts_doors import (
    BASIC,
    FAIL,
    NO_SERVICE,
    OPEN_ARCHIVE,
    OPEN_PAGE,
    SHELL_GATED,
    SHELL_OPEN,
    doubted,
    gated,
    unproven,
)

_SHELL = State.SHELL_PUBLIC_API_UNKNOWN


def _product(answers: Answers, *, page: str = "/", root: str = "/dicom-web", images: str | None = None) -> Start:
    """`images` is where its studies are, under the origin; the list of its root's where it is not given."""

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        with serving_product(answers, host=material.host) as server:
            studies = server.url + (images or f"{root}/studies")
            yield Place(server.url + root, server.url + page, studies, studies, reproduced=True, host=server.host)

    return start


def _dcm4chee(answers: Answers, root: str = archives.DCM4CHEE_RS) -> Start:
    return _product(answers, page=archives.DCM4CHEE_UI, root=root)


def _conquest(answers: Answers) -> Start:
    return _product(answers, page=archives.CONQUEST_PAGE, root=archives.CONQUEST_ROOT)


def _orthanc(services: Answers, page: str) -> Start:
    return _product(archives.orthanc_plugins(services), page=page)


_CORS: Mapping[str, Status] = {"web.cors-open archive": FAIL}

_ARCHIVES = (
    Front(
        "dcm4chee-open",
        "dcm4chee-arc without Keycloak",
        _dcm4chee(archives.dcm4chee_open),
        OPEN_ARCHIVE,
        SHELL_OPEN,
        "204 for a study that nobody has, to anybody.",
        _CORS,
    ),
    Front(
        "dcm4chee-services",
        "dcm4chee-arc, its services gated by Keycloak",
        _dcm4chee(archives.dcm4chee_services_gated),
        gated(State.GATED_BEARER),
        SHELL_GATED,
        "Anybody may load the page, and its services want a token.",
        {"web.configuration-exposed page": FAIL},
    ),
    Front(
        "dcm4chee-all",
        "dcm4chee-arc, all gated by Keycloak",
        _dcm4chee(archives.dcm4chee_all_gated),
        gated(State.GATED_REDIRECT_EXTERNAL),
        gated(State.GATED_REDIRECT_EXTERNAL),
        "A redirect to a login elsewhere, which repeats the question.",
    ),
    Front(
        "dcm4chee-title",
        "dcm4chee-arc without Keycloak, declared by another AE title",
        _dcm4chee(archives.dcm4chee_open, root="/dcm4chee-arc/aets/OTHER/rs"),
        NO_SERVICE,
        None,
        "404: an AE title that it does not know says nothing of access.",
    ),
    Front(
        "conquest-open",
        "Conquest, no login",
        _conquest(archives.conquest_open),
        OPEN_ARCHIVE,
        SHELL_OPEN,
        "An empty list, to anybody.",
        _CORS,
    ),
    Front(
        "conquest-form",
        "Conquest with its own login",
        _conquest(archives.conquest_form),
        gated(State.GATED_FORM),
        gated(State.GATED_FORM),
        "Its form with 200, whatever is asked.",
    ),
    Front(
        "conquest-wordpress",
        "Conquest with the login of WordPress",
        _conquest(archives.conquest_of_wordpress),
        doubted(State.CATCH_ALL),
        doubted(State.NOT_THIS_SERVICE),
        "200 and not a word, whatever is asked.",
    ),
    Front(
        "kheops",
        "Kheops",
        _product(archives.kheops, root=archives.KHEOPS_ROOT),
        doubted(State.INCONCLUSIVE_CONTROL),
        doubted(_SHELL),
        "Two challenges, and 404 for nonsense: it looks for a route before it asks for a login.",
    ),
    Front(
        "dicoogle-open",
        "Dicoogle, as it comes",
        _product(archives.dicoogle_open, images="/search?query=Modality:CT"),
        None,
        SHELL_OPEN,
        "It shows a login, and its search asks nobody for one. That is asked for a study that cannot exist.",
    ),
    Front(
        "dicoogle-proxy",
        "Dicoogle, its services behind a Basic login",
        _product(archives.dicoogle_behind_a_proxy, images="/search?query=Modality:CT"),
        None,
        doubted(_SHELL),
        "Its search is gated, and other services of it were not asked.",
    ),
    Front(
        "static-everywhere",
        "static DICOMweb, its index for every path",
        _product(archives.static_index_everywhere, root=archives.STATIC_ROOT),
        Door(Really.OPEN, State.OPEN_FILTER_IGNORED, FAIL),
        None,
        "It begins to send what it has. That is dropped unread, and nothing more is asked.",
    ),
)

_ORTHANC = tuple(
    Front(
        f"{name}-{how}",
        f"Orthanc with {words}, {said}",
        _orthanc(services, page),
        archive,
        door,
        means,
    )
    for name, words, page in (
        ("explorer-2", "Explorer 2", "/ui/app/"),
        ("ohif-plugin", "the OHIF plugin", "/ohif/"),
    )
    for how, said, services, archive, door, means in (
        ("open", "no login", archives.orthanc_services_open, OPEN_ARCHIVE, SHELL_OPEN, "The archive decides."),
        ("basic", "with a login", archives.orthanc_services_basic, BASIC, SHELL_GATED, "The archive decides."),
        (
            "authorized",
            "the authorization plugin",
            archives.orthanc_services_authorized,
            doubted(State.INCONCLUSIVE_DENIED),
            doubted(_SHELL),
            "Its pages stay public by design, and 403 without a challenge is no proof of a gate.",
        ),
    )
)

_PAGES = (
    Front(
        "horos-open",
        "Horos web portal, no login",
        _product(pages.horos(passwords=False), images="/studyList"),
        None,
        OPEN_PAGE,
        "Its first page asks for a password only where the portal does.",
    ),
    Front(
        "horos-gated",
        "Horos web portal, with a login",
        _product(pages.horos(passwords=True), images="/studyList"),
        None,
        gated(State.GATED_FORM),
        "Its form. That WADO is exempt of it is not asked: it would give an image.",
    ),
    Front(
        "oviyam-gated",
        "Oviyam 2, as it comes",
        _product(pages.oviyam_gated, page=pages.OVIYAM_PAGE, images="/oviyam2/studies.do"),
        None,
        gated(State.GATED_FORM),
        "The form of its container with 200.",
    ),
    Front(
        "oviyam-open",
        "Oviyam 2, its login taken out",
        _product(pages.oviyam_open, page=pages.OVIYAM_PAGE, images="/oviyam2/studies.do"),
        None,
        OPEN_PAGE,
        "As it comes, only those who have logged in see its search.",
    ),
    Front(
        "xnat-gated",
        "XNAT, with a login",
        _product(pages.xnat_gated, images="/data/projects"),
        None,
        gated(State.GATED_REDIRECT_LOCAL),
        "A redirect to its login.",
    ),
    Front(
        "xnat-guests",
        "XNAT, with guests",
        _product(pages.xnat_with_guests, images="/data/projects"),
        None,
        unproven(State.PAGE_PUBLIC),
        "A site may mean its projects to be public.",
    ),
    Front(
        "clearcanvas",
        "ClearCanvas ImageServer",
        _product(pages.clearcanvas, page=pages.CLEARCANVAS_PAGE, images="/ImageServer/Pages/Studies/Default.aspx"),
        None,
        gated(State.GATED_REDIRECT_LOCAL),
        "A redirect to its login.",
    ),
    Front(
        "fhir-open",
        "FHIR, its searches open",
        _product(pages.fhir(open_searches=True), page=pages.FHIR_METADATA, images="/fhir/ImagingStudy"),
        None,
        unproven(State.NOT_THIS_SERVICE),
        "Its metadata is public by the standard. No search is asked, for it may ignore what it is asked for.",
    ),
    Front(
        "fhir-gated",
        "FHIR, its searches gated",
        _product(pages.fhir(open_searches=False), page=pages.FHIR_METADATA, images="/fhir/ImagingStudy"),
        None,
        doubted(State.NOT_THIS_SERVICE),
        "As before.",
    ),
    Front(
        "fhir-all-gated",
        "FHIR, all of it gated",
        _product(pages.fhir_all_gated, page=pages.FHIR_METADATA, images="/fhir/ImagingStudy"),
        None,
        gated(State.GATED_BEARER),
        "A challenge with 401.",
    ),
)

PRODUCTS = (*_ARCHIVES, *_ORTHANC, *_PAGES)
