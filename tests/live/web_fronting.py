"""What the fronts of `tests.live.web_fronts` are made of: how they start, what they truly are, how they are asked.

What a front truly is stands in its data, and is proved without the product: a plain client asks for the list of all
studies, once as a stranger and once as somebody who belongs there, and looks for the marks of the synthetic patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from checker.model import Service, ServiceKind, Status
from checker.rules.web_states import State
from tests.live.certificates import Authority, TlsFiles
from tests.live.servers.nginx import BASIC_USER, Nginx, Site, nginx
from tests.live.servers.orthanc import Orthanc
from tests.live.servers.process import LOOPBACK
from tests.live.synthetic import markers_in

KEY = "synthetic-key"
"""What a session's cookie, or a token, has to be for the fronts of these tests to let somebody in."""

_MOST_REDIRECTS = 3


class Really(StrEnum):
    """What a service truly is to a stranger.

    `OPEN`: the stranger gets the studies, `GATED`: somebody with a key does, and the stranger does not. `PUBLIC`: it is
    a page for everybody, with no studies behind it. `NEITHER`: nobody gets studies, and it is no such page.
    """

    OPEN = "open"
    GATED = "gated"
    PUBLIC = "public page"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Door:
    """A declared service: what it truly is, the state that we have to see, and the verdict that has to come of it."""

    really: Really
    state: State
    verdict: Status


@dataclass(frozen=True, slots=True)
class Front:
    """A front with a DICOMweb service, a page, or both; None is for one that is not declared.

    `name` is for the test, `front` for the table, `means` says in words what a reader may take from it. `more` has the
    statuses of further rules, by the id of the rule and the service, such as `web.cors-open archive`.
    """

    name: str
    front: str
    start: Start
    archive: Door | None
    page: Door | None
    means: str
    more: Mapping[str, Status] = field(default_factory=dict)

    @property
    def doors(self) -> Sequence[Door]:
        """Those that are declared."""
        return [door for door in (self.archive, self.page) if door is not None]


@dataclass(frozen=True, slots=True)
class Material:
    """What fronts are made with: a certificate of the authority's, and an open archive to stand before.

    `host` is the loopback address for those that may have one of their own.
    """

    authority: Authority
    files: TlsFiles
    client: TlsFiles
    behind: Orthanc
    host: str = LOOPBACK

    @classmethod
    def create(cls, authority: Authority, behind: Orthanc) -> Material:
        """Material with a certificate for a server, and one for a client."""
        return cls(authority, authority.valid(), authority.client(), behind)


@dataclass(frozen=True, slots=True)
class Insider:
    """Somebody who belongs there: where they ask, None for where a stranger asks, and httpx's options for it."""

    options: Mapping[str, Any]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The URLs that the inventory declares of a front, and where a stranger would find the studies.

    `images` lists all studies to whom the DICOMweb service lets in, `page_images` to whom the page lets in; None where
    there are none for anybody. `insider` is somebody who belongs there, None where that is nobody or everybody. `asks`
    is the plain client, where it has to speak something of its own. `beside`: the URL of a DICOMweb service that is
    another asset's in the inventory, at this address. `reproduced`: a reproduction, which lets nobody in by a key.
    """

    archive: str
    page: str
    images: str | None = None
    page_images: str | None = None
    insider: Insider | None = None
    asks: Asks | None = None
    beside: str | None = None
    reproduced: bool = False
    host: str = LOOPBACK


Start = Callable[[Material], AbstractContextManager[Place]]
Asks = Callable[[str, Mapping[str, Any]], bool]
"""Whether somebody who asks a URL with these options gets the studies."""


# --------------------------------------------------------------------------------------------- what it truly is


def not_really(front: Front, place: Place) -> list[str]:
    """Every line in which a plain client gets what the data says that it does not, or the other way round."""
    wrong = []
    for door, images, named in ((front.archive, place.images, "archive"), (front.page, place.page_images, "page")):
        if door is None:
            continue
        asks = place.asks or gives_studies
        stranger = images is not None and asks(images, {})
        insider = place.insider
        if stranger is not (door.really is Really.OPEN):
            wrong.append(f"the {named} gives a stranger {'the' if stranger else 'no'} studies, and is {door.really}")
        if door.really is Really.GATED and not place.reproduced:
            at = None if insider is None else insider.url or images
            if insider is None or at is None or not asks(at, insider.options):
                wrong.append(f"the {named} is gated, and gives nobody the studies")
    return wrong


def gives_studies(url: str, options: Mapping[str, Any]) -> bool:
    """Whether a plain client gets the marks of synthetic patients there; it follows redirects on the same host."""
    with httpx.Client(**{"verify": False, "trust_env": False, "timeout": 20, **options}) as client:
        for _ in range(_MOST_REDIRECTS):
            try:
                answer = client.get(url)
            except httpx.TransportError:
                return False
            if markers_in(answer.content):
                return True
            here, url = url, urljoin(url, answer.headers.get("Location", ""))
            if not answer.has_redirect_location or urlsplit(url).hostname != urlsplit(here).hostname:
                return False
    return False


def inconsistent(front: Front) -> list[str]:
    """Every line in which the data of a front contradicts itself: an open door that passes, a gated one that fails."""
    may = {
        Really.OPEN: (Status.FAIL, Status.UNKNOWN),
        Really.GATED: (Status.PASS, Status.UNKNOWN),
        Really.PUBLIC: (Status.UNKNOWN,),
        Really.NEITHER: (Status.UNKNOWN,),
    }
    return [
        f"{door.really} must not be called {door.verdict}"
        for door in front.doors
        if door.verdict not in may[door.really]
    ]


# ------------------------------------------------------------------------------------------------- how fronts start


def before(
    site: Callable[[str], Site],
    *,
    cookie: bool = False,
    options: Mapping[str, Any] | None = None,
    root: str = "/dicom-web",
    page: str = "/",
    tls: bool = False,
    client_certificate: bool = False,
    http2: bool = False,
) -> Start:
    """An nginx before the open archive; `site` makes its configuration of the archive's URL.

    Somebody who belongs there has the session's `cookie`, or asks with these `options` of httpx.
    """
    known = {"cookies": {"session": KEY}} if cookie else options

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        with nginx(
            site(material.behind.url),
            tls=material.files if tls else None,
            client_certificate=client_certificate,
            http2=http2,
            host=material.host,
        ) as server:
            yield place_of(server, Insider(known) if known is not None else None, root=root, page=page)

    return start


def alone(site: Callable[[], Site], *, studies: str | None = None, tls: bool = False) -> Start:
    """An nginx with nothing behind it; `studies` is where, under its root, it lists what it has itself."""

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        with nginx(site(), tls=material.files if tls else None, host=material.host) as server:
            root = f"{server.url}/dicom-web"
            images = None if studies is None else root + studies
            yield Place(root, f"{server.url}/", images, host=server.host)

    return start


def place_of(server: Nginx, insider: Insider | None, *, root: str = "/dicom-web", page: str = "/") -> Place:
    """The place of an nginx before the open archive: it lists studies where the archive does."""
    archive = server.url + root
    below = root.removesuffix("/dicom-web")
    page_images = f"{server.url}{below}/studies?expand"
    return Place(archive, server.url + page, f"{archive}/studies", page_images, insider, host=server.host)


def proxied(gate: str = "", *, outside: str = "", files: Mapping[str, str] | None = None) -> Callable[[str], Site]:
    """All goes to the archive; `gate` stands before that in the location, `outside` beside the location."""
    return lambda url: Site(f"{outside}\nlocation / {{ {gate} proxy_pass {url}; }}", files or {})


def without_session(
    refusal: str, *, outside: str = "", files: Mapping[str, str] | None = None
) -> Callable[[str], Site]:
    """All goes to the archive of whoever has the session's cookie; of others it is refused so."""
    return proxied(f'if ($cookie_session != "{KEY}") {{ {refusal} }}', outside=outside, files=files)


def basic(outside: str = "") -> Callable[[str], Site]:
    """All goes to the archive of whoever has logged in by Basic."""
    gate = 'auth_basic "Synthetic Secure Area"; auth_basic_user_file {folder}/passwords;'
    return lambda url: Site(f"{gate}\n{outside}\nlocation / {{ proxy_pass {url}; }}", passwords=True)


BASIC_KEY: Mapping[str, Any] = {"auth": BASIC_USER}


# ------------------------------------------------------------------------------------------------ what is declared


def services(front: Front, place: Place) -> tuple[Service, ...]:
    """The services of a front as the inventory has them: its page, then its archive."""
    declared = []
    if front.page is not None:
        declared.append(Service(ServiceKind.WEB, port_of(place.page), url=place.page))
    if front.archive is not None:
        declared.append(Service(ServiceKind.DICOMWEB, port_of(place.archive), url=place.archive))
    return tuple(declared)


def port_of(url: str) -> int:
    """The port of a URL that names one."""
    port = urlsplit(url).port
    assert port is not None, f"{url} names no port"
    return port
