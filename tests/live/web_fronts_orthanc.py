"""Orthanc as Debian ships it, by itself and behind nginx, with what each of these truly is. Data."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from checker.rules.web_states import State
from tests.live.servers.nginx import BASIC_USER, Site, nginx
from tests.live.servers.orthanc import USER, Orthanc, OrthancOptions, orthanc
from tests.live.web_fronting import BASIC_KEY, Door, Front, Insider, Material, Place, Really, Start, before, place_of
from tests.live.web_fronts_doors import BASIC, FAIL, NO_SERVICE, OPEN_ARCHIVE, OPEN_PAGE, PASS, UNKNOWN

_DEFAULT_USER = ("orthanc", "orthanc")  # what Orthanc adds by itself where a login is wanted and nobody is registered
_NOT_LOCAL = "proxy_bind 127.0.0.9;"  # so that Orthanc sees another caller than the machine itself


def _itself(options: OrthancOptions) -> Start:
    @contextmanager
    def start(_material: Material) -> Iterator[Place]:
        with orthanc(options) as server:
            known = None if options.credentials is None else Insider({"auth": options.credentials})
            yield _place(server, known)

    return start


def _behind(options: OrthancOptions, site: Callable[[str], Site], *, local_only: bool = False) -> Start:
    """An Orthanc of its own behind an nginx; where it is `local_only`, who belongs there asks it without the nginx."""

    @contextmanager
    def start(_material: Material) -> Iterator[Place]:
        with orthanc(options) as server, nginx(site(server.url)) as front:
            yield place_of(front, Insider({}, f"{server.dicomweb}/studies") if local_only else None)

    return start


def _place(server: Orthanc, insider: Insider | None) -> Place:
    images = f"{server.dicomweb}/studies"
    return Place(server.dicomweb, f"{server.url}/", images, f"{server.url}/studies?expand", insider)


def _only(*forwarded: str) -> Callable[[str], Site]:
    """These locations go to the archive, and all others are not found."""
    return lambda url: Site(
        "\n".join(f"location {path} {{ proxy_pass {url}; }}" for path in forwarded) + "\nlocation / { return 404; }"
    )


def _asks_at(gated: str, free: str, realm: str = "Synthetic") -> Callable[[str], Site]:
    login = f'auth_basic "{realm}"; auth_basic_user_file {{folder}}/passwords;'
    return lambda url: Site(
        f"location {gated} {{ {login} proxy_pass {url}; }}\nlocation {free} {{ proxy_pass {url}; }}", passwords=True
    )


def _by_its_rest(site: Callable[[str], Site]) -> Start:
    """The open archive behind an nginx, from which a stranger takes the studies by Orthanc's own interface."""

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        with before(site)(material) as place:
            yield replace(place, images=place.page_images)

    return start


def _logs_in(url: str) -> Site:
    # RFC 7617: user and password of the tests' own Orthanc, so that whoever comes is that user.
    header = f"Basic {_base64(':'.join(USER))}"
    return Site(f'location / {{ proxy_set_header Authorization "{header}"; proxy_pass {url}; }}')


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_LOCAL = OrthancOptions(settings={"RemoteAccessAllowed": False})

ORTHANC = (
    Front(
        "orthanc-off",
        "Orthanc, no login",
        _itself(OrthancOptions()),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "Anybody gets all. Its Explorer is made only for those whom it lets in.",
        {"archive.open": FAIL, "web.cleartext archive": FAIL},
    ),
    Front(
        "orthanc-on",
        "Orthanc, with a login",
        _itself(OrthancOptions(authentication=True)),
        BASIC,
        BASIC,
        "A challenge on every path.",
        {"archive.open": PASS, "web.basic-over-cleartext archive": FAIL},
    ),
    Front(
        "orthanc-default-user",
        "Orthanc, with a login and its default user",
        _itself(OrthancOptions(login=_DEFAULT_USER, settings={"AuthenticationEnabled": True, "RegisteredUsers": {}})),
        BASIC,
        BASIC,
        "A challenge like any other. That its password is in the manual does not show, for no password is ever tried.",
    ),
    Front(
        "orthanc-local",
        "Orthanc, for its own machine alone, asked from there",
        _itself(_LOCAL),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "Open to whoever is on that machine. A run that is made there says nothing of any other place.",
    ),
    Front(
        "orthanc-local-remote",
        "Orthanc, for its own machine alone, asked from elsewhere",
        _behind(_LOCAL, lambda url: Site(f"location / {{ {_NOT_LOCAL} proxy_pass {url}; }}"), local_only=True),
        BASIC,
        BASIC,
        "It challenges, though no login would let anybody in.",
    ),
    Front(
        "orthanc-local-proxy",
        "Orthanc, for its own machine alone, with nginx on it",
        _behind(_LOCAL, lambda url: Site(f"location / {{ proxy_pass {url}; }}")),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "For Orthanc everybody comes from its own machine now.",
    ),
    Front(
        "orthanc-proxy",
        "Orthanc behind nginx, no login",
        before(lambda url: Site(f"location / {{ proxy_pass {url}; }}")),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "As without nginx.",
    ),
    Front(
        "orthanc-proxy-prefix",
        "Orthanc behind nginx, below a path",
        before(lambda url: Site(f"location /pacs/ {{ proxy_pass {url}/; }}"), root="/pacs/dicom-web", page="/pacs/"),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "As at the root, with the path declared.",
    ),
    Front(
        "orthanc-proxy-logs-in",
        "Orthanc with a login, nginx logs everybody in",
        _behind(OrthancOptions(authentication=True), _logs_in),
        OPEN_ARCHIVE,
        OPEN_PAGE,
        "The archive has a lock, and the proxy hands its key to anybody.",
    ),
    Front(
        "orthanc-proxy-gzip",
        "Orthanc behind nginx, compressed for everybody",
        before(lambda url: Site(f"location / {{ proxy_set_header Accept-Encoding gzip; proxy_pass {url}; }}")),
        Door(Really.OPEN, State.INCONCLUSIVE_ENCODING, UNKNOWN),
        Door(Really.OPEN, State.INCONCLUSIVE_ENCODING, UNKNOWN),
        "We ask for no compression and unpack none, for a few bytes may become a gigabyte.",
    ),
    Front(
        "orthanc-proxy-dicomweb",
        "Orthanc behind nginx, DICOMweb alone",
        before(_only("/dicom-web/")),
        OPEN_ARCHIVE,
        NO_SERVICE,
        "There is no page, and anybody may take the images all the same.",
    ),
    Front(
        "orthanc-proxy-explorer",
        "Orthanc behind nginx, all but DICOMweb",
        before(lambda url: Site(f"location /dicom-web/ {{ return 404; }}\nlocation / {{ proxy_pass {url}; }}")),
        NO_SERVICE,
        OPEN_PAGE,
        "Its Explorer has an interface of its own, which gives everything.",
        {"archive.open": FAIL},
    ),
    Front(
        "orthanc-proxy-list",
        "Orthanc behind nginx, the list of studies alone",
        before(_only("= /dicom-web/studies")),
        Door(Really.OPEN, State.NOT_THIS_SERVICE, UNKNOWN),
        None,
        "It gives the names of all patients to one question, and that question we never ask: it would be answered.",
    ),
    Front(
        "orthanc-proxy-page-gated",
        "Orthanc behind nginx, the login left out for DICOMweb",
        before(_asks_at("/", "/dicom-web/"), options=BASIC_KEY),
        OPEN_ARCHIVE,
        BASIC,
        "The page asks for a login, and the data does not.",
        {"archive.open": FAIL},
    ),
    Front(
        "orthanc-proxy-dicomweb-gated",
        "Orthanc behind nginx, the login for DICOMweb alone",
        before(_asks_at("/dicom-web/", "/"), options={"auth": BASIC_USER}),
        BASIC,
        OPEN_PAGE,
        "DICOMweb asks for a login, and the page and its own interface do not.",
        {"archive.open": FAIL},
    ),
    Front(
        "orthanc-proxy-realm",
        "Orthanc behind nginx, the login for DICOMweb alone, with Orthanc's realm",
        _by_its_rest(_asks_at("/dicom-web/", "/", "Orthanc Secure Area")),
        Door(Really.OPEN, State.OPEN_REST, FAIL),
        OPEN_PAGE,
        "DICOMweb is gated, and the archive is not: its own interface tells a stranger the time, and all else.",
    ),
    Front(
        "orthanc-proxy-page-alone",
        "Orthanc behind nginx, the login left out for the Explorer's page",
        before(_asks_at("/", "/app/"), options=BASIC_KEY, page="/app/explorer.html"),
        BASIC,
        Door(Really.GATED, State.SHELL_PUBLIC_API_UNKNOWN, UNKNOWN),
        "The page is shown and stays empty. Its own interface asks for a login, in words that are not Orthanc's.",
    ),
)
