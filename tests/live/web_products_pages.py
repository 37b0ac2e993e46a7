"""Portals, viewers and platforms that are known by their pages, in all their forms."""

from __future__ import annotations

import re

from checker.rules.web_states import State
from tests.live.servers import products_pages as pages
from tests.live.web_fronting import Really
from tests.live.web_product import BEARER, FORM, PAGE_OPEN, PUBLIC, SHELL, TO_LOGIN, Product, doubt

STUDY_LIST = "/studyList"
SERIES = f"{pages.OVIYAM_PAGE}Series.do"

# A login that is shown whether or not anything else asks for one.
LOGIN_FOR_ANYBODY = doubt(Really.PUBLIC, State.INCONCLUSIVE_FORM)

PAGES = (
    Product("Horos, open, first page", pages.horos(passwords=False), "horos", ("/",), "/", PAGE_OPEN, data=STUDY_LIST),
    Product(
        "Horos, open, main page", pages.horos(passwords=False), "horos", ("/main",), "/main", PAGE_OPEN, data=STUDY_LIST
    ),
    Product(
        "Horos with passwords, first page", pages.horos(passwords=True), "horos", ("/",), "/", FORM, data=STUDY_LIST
    ),
    Product(
        "Horos with passwords, main page",
        pages.horos(passwords=True),
        "horos",
        ("/main",),
        "/main",
        FORM,
        data=STUDY_LIST,
    ),
    Product(
        "Horos with passwords, the page for those who forgot theirs",
        pages.horos(passwords=True),
        "horos",
        ("/password_forgotten",),
        "/password_forgotten",
        PUBLIC,
    ),
    Product("Oviyam 2", pages.oviyam_gated, "oviyam2", (pages.OVIYAM_PAGE,), pages.OVIYAM_PAGE, FORM, data=SERIES),
    Product(
        "Oviyam 2 without its constraint",
        pages.oviyam_open,
        "oviyam2",
        (pages.OVIYAM_PAGE,),
        pages.OVIYAM_PAGE,
        PAGE_OPEN,
        data=SERIES,
    ),
    Product("XNAT", pages.xnat_gated, None, ("/",), "/", TO_LOGIN),
    Product("XNAT, its login", pages.xnat_gated, "xnat", (pages.XNAT_LOGIN,), pages.XNAT_LOGIN, LOGIN_FOR_ANYBODY),
    Product("XNAT with guests", pages.xnat_with_guests, None, ("/",), "/", PUBLIC),
    Product(
        "XNAT with guests, its login",
        pages.xnat_with_guests,
        "xnat",
        (pages.XNAT_LOGIN,),
        pages.XNAT_LOGIN,
        LOGIN_FOR_ANYBODY,
    ),
    Product("ClearCanvas", pages.clearcanvas, None, (pages.CLEARCANVAS_PAGE,), pages.CLEARCANVAS_PAGE, TO_LOGIN),
    Product(
        "ClearCanvas, its login",
        pages.clearcanvas,
        "clearcanvas",
        (pages.CLEARCANVAS_LOGIN,),
        pages.CLEARCANVAS_LOGIN,
        PUBLIC,
    ),
    *(
        Product(name, answers, named, (pages.FHIR_METADATA,), pages.FHIR_METADATA, viewer, data="/fhir/ImagingStudy")
        for name, answers, named, viewer in (
            (
                "FHIR, open",
                pages.fhir(open_searches=True),
                "fhir",
                doubt(Really.OPEN, State.NOT_THIS_SERVICE),
            ),
            (
                "FHIR, searches for bearers of a token",
                pages.fhir(open_searches=False),
                "fhir",
                doubt(Really.GATED, State.NOT_THIS_SERVICE),
            ),
            ("FHIR, all for bearers of a token", pages.fhir_all_gated, None, BEARER),
        )
    ),
)

LOGINS = tuple(
    Product(f"{named}, its login", pages.login_called(title, at), named, (re.escape(at),), at, FORM)
    for named, title, at in (
        ("vue-pacs", "Vue PACS", "/portal/WebLogin.aspx"),
        ("synapse-mobility", "Synapse Mobility Login", "/pureweb/server/login.jsp"),
        ("aperio-eslide-manager", "eSlideManager - Login", "/login.php"),
    )
)

TITLES = tuple(
    Product(f"{named}, a page with its title", pages.shell_called(title), named, ("/",), "/", viewer)
    for named, title, viewer in (
        ("visage-7", "Visage 7", SHELL),
        ("uniweb-server", "UniWeb Server", SHELL),
        ("solipacs-web-server", "SoliPACS Web Server", SHELL),
        ("dicomcloud", "DICOMcloud", PUBLIC),
    )
)
