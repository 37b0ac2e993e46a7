"""Archives with a DICOMweb or a search service of their own, and Orthanc with more plugins, in all their forms."""

from __future__ import annotations

from checker.model import Status
from checker.rules.web_states import State
from tests.live.servers import products_archives as archives
from tests.live.servers.products import Answers, behind_basic
from tests.live.web_fronting import Door, Really
from tests.live.web_product import (
    API_GATED,
    API_OPEN,
    BASIC,
    BEARER,
    FORM,
    OPEN,
    TO_KEYCLOAK,
    UID,
    Product,
    both,
    canary,
    doubt,
)

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN

KEYCLOAK_JSON = "/dcm4chee-arc/ui2/rs/keycloak.json"
SEARCH = rf"/search\?query=StudyInstanceUID:{UID}"
SEARCH_ALL = "/search?query=synthetic"
OHIF_CONFIGURATION = "/ohif/app-config.js"
NOW = "/tools/now"

WRONG_AET = archives.DCM4CHEE_RS.replace(archives.AET, "SYNTHETIC")

ARCHIVES = (
    Product(
        "dcm4chee-arc without Keycloak",
        archives.dcm4chee_open,
        "dcm4chee-arc",
        (archives.DCM4CHEE_UI, KEYCLOAK_JSON, *both(archives.DCM4CHEE_RS)),
        archives.DCM4CHEE_UI,
        API_OPEN,
        archives.DCM4CHEE_RS,
        OPEN,
        # CorsFilter.java: `*` for whatever the services answer. Without Keycloak the configuration is empty.
        more={"web.cors-open archive": FAIL, "web.configuration-exposed page": PASS, "archive.open": FAIL},
    ),
    Product(
        "dcm4chee-arc, services for bearers of a token",
        archives.dcm4chee_services_gated,
        "dcm4chee-arc",
        (archives.DCM4CHEE_UI, KEYCLOAK_JSON, *both(archives.DCM4CHEE_RS)),
        archives.DCM4CHEE_UI,
        API_GATED,
        archives.DCM4CHEE_RS,
        BEARER,
        # The configuration names the client of the login. What the container refuses never comes to CorsFilter.
        more={"web.cors-open archive": UNKNOWN, "web.configuration-exposed page": FAIL, "archive.open": PASS},
    ),
    Product(
        "dcm4chee-arc, all sent to Keycloak",
        archives.dcm4chee_all_gated,
        None,
        (archives.DCM4CHEE_UI, *both(archives.DCM4CHEE_RS)),
        archives.DCM4CHEE_UI,
        TO_KEYCLOAK,
        archives.DCM4CHEE_RS,
        TO_KEYCLOAK,
    ),
    Product(
        "dcm4chee-arc, open, an AE title that it does not have",
        archives.dcm4chee_open,
        "dcm4chee-arc",
        (archives.DCM4CHEE_UI, KEYCLOAK_JSON, *both(WRONG_AET)),
        archives.DCM4CHEE_UI,
        doubt(Really.OPEN, State.SHELL_PUBLIC_API_UNKNOWN),
        WRONG_AET,
        doubt(Really.NEITHER, State.NOT_THIS_SERVICE),
        f"{archives.DCM4CHEE_RS}/studies",
    ),
    Product(
        "Conquest as it comes",
        archives.conquest_open,
        "conquest",
        (archives.CONQUEST_PAGE, *both(archives.CONQUEST_ROOT)),
        archives.CONQUEST_PAGE,
        API_OPEN,
        archives.CONQUEST_ROOT,
        OPEN,
        more={"web.cors-open archive": FAIL, "archive.open": FAIL},
    ),
    Product(
        "Conquest with its form",
        archives.conquest_form,
        None,
        (archives.CONQUEST_PAGE, *both(archives.CONQUEST_ROOT)),
        archives.CONQUEST_PAGE,
        FORM,
        archives.CONQUEST_ROOT,
        FORM,
    ),
    Product(
        "Conquest with the login of WordPress",
        archives.conquest_of_wordpress,
        None,
        (archives.CONQUEST_PAGE, *both(archives.CONQUEST_ROOT)),
        archives.CONQUEST_PAGE,
        doubt(Really.GATED, State.NOT_THIS_SERVICE),
        archives.CONQUEST_ROOT,
        doubt(Really.GATED, State.CATCH_ALL),
    ),
    Product(
        "Kheops",
        archives.kheops,
        "kheops",
        ("/", *both(archives.KHEOPS_ROOT)),
        "/",
        doubt(Really.GATED, State.SHELL_PUBLIC_API_UNKNOWN),
        archives.KHEOPS_ROOT,
        doubt(Really.GATED, State.INCONCLUSIVE_CONTROL),
    ),
    Product(
        "Dicoogle as it comes",
        archives.dicoogle_open,
        "dicoogle",
        ("/", SEARCH),
        "/",
        API_OPEN,
        data=SEARCH_ALL,
        more={"archive.open": FAIL},
    ),
    Product(
        "Dicoogle, services behind a Basic login",
        archives.dicoogle_behind_a_proxy,
        "dicoogle",
        ("/", SEARCH),
        "/",
        doubt(Really.GATED, State.SHELL_PUBLIC_API_UNKNOWN),
        data=SEARCH_ALL,
        more={"archive.open": UNKNOWN},
    ),
    Product(
        "Dicoogle behind a Basic login", behind_basic(archives.dicoogle_open), None, ("/",), "/", BASIC, data=SEARCH_ALL
    ),
    Product(
        "static DICOMweb",
        archives.static_open,
        None,
        both(archives.STATIC_ROOT),
        root=archives.STATIC_ROOT,
        archive=OPEN,
        more={"web.cors-open archive": PASS, "archive.open": FAIL},
    ),
    Product(
        "static DICOMweb as plain files",
        archives.static_of_plain_files,
        None,
        both(archives.STATIC_ROOT),
        root=archives.STATIC_ROOT,
        archive=doubt(Really.OPEN, State.NOT_THIS_SERVICE),
    ),
    Product(
        "static DICOMweb with its index everywhere",
        archives.static_index_everywhere,
        None,
        (canary(archives.STATIC_ROOT),),
        root=archives.STATIC_ROOT,
        archive=Door(Really.OPEN, State.OPEN_FILTER_IGNORED, FAIL),
    ),
    Product(
        "static DICOMweb behind a Basic login",
        behind_basic(archives.static_open),
        None,
        both(archives.STATIC_ROOT),
        root=archives.STATIC_ROOT,
        archive=BASIC,
    ),
)


def _orthanc(form: str, services: Answers, page: str, named: str, viewer: Door, archive: Door) -> Product:
    asked: tuple[str, ...] = (page,)
    if named == "ohif":  # its configuration names the root, which the asset declares as well
        asked += (OHIF_CONFIGURATION, *both(archives.ORTHANC_ROOT))
    asked += both(archives.ORTHANC_ROOT)
    if archive is BASIC:
        asked += (NOW,)  # the realm of the archive's own challenge is Orthanc's
    answers = archives.orthanc_plugins(services)
    return Product(f"{named}, {form}", answers, named, asked, page, viewer, archives.ORTHANC_ROOT, archive)


STONE = "/stone-webviewer/index.html"
ORTHANC = tuple(
    _orthanc(form, services, page, named, viewer, archive)
    for form, services, archive, shell in (
        ("open", archives.orthanc_services_open, OPEN, API_OPEN),
        ("with passwords", archives.orthanc_services_basic, BASIC, API_GATED),
        (
            "with the authorization plugin",
            archives.orthanc_services_authorized,
            doubt(Really.GATED, State.INCONCLUSIVE_DENIED),
            doubt(Really.GATED, State.SHELL_PUBLIC_API_UNKNOWN),
        ),
    )
    for page, named, viewer in (
        ("/ui/app/", "orthanc-explorer-2", shell),
        ("/ohif/", "ohif", shell),
        # Its page has text of its own for a script to work on, so that it is not known for an empty one.
        (STONE, "orthanc-stone", shell if shell is API_OPEN else doubt(Really.GATED, State.PAGE_PUBLIC)),
    )
)
