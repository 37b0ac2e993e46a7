"""The OHIF viewer, as its project publishes it, served by nginx before archives of several kinds. Data.

Nothing of the package is changed but the root in its configuration, and a login beside it, as whoever installs it does.
The configuration that it comes with names an archive in public, which is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from checker.model import Status
from checker.rules.web_states import State
from tests.live.servers.nginx import Nginx, Site, nginx
from tests.live.servers.process import ROOT, unavailable
from tests.live.web_fronting import BASIC_KEY, Door, Front, Insider, Material, Place, Really, Start
from tests.live.web_fronts_doors import BASIC, FAIL, OPEN_ARCHIVE, PASS, SHELL_GATED, SHELL_OPEN, UNKNOWN

_OHIF = ROOT / ".venv" / "ohif"
_PUBLISHED_ROOT = "https://d14fa38qiwhyfd.cloudfront.net/dicomweb"
_LOGIN = """\
  oidc: [{ authority: 'https://login.example.net/realms/synthetic', client_id: 'synthetic-viewer',
    redirect_uri: '/callback', response_type: 'code', scope: 'openid' }],
  dataSources: ["""
_GATE = 'auth_basic "Synthetic"; auth_basic_user_file {folder}/passwords;'


Gate = Literal["open", "gated", "absent"]


def _published() -> Path:
    if not (_OHIF / "version").exists():
        unavailable("the OHIF viewer is not there: .ci/install-ohif fetches it")
    return _OHIF


def _configuration(root: str | None, *, login: bool) -> str:
    """The published configuration, with another root where one is given."""
    text = (_published() / "app-config.js").read_text("utf-8")
    for old, new, wanted in ((_PUBLISHED_ROOT, root, root is not None), ("  dataSources: [", _LOGIN, login)):
        if wanted and new is not None:
            assert old in text, f"the configuration of this version has no {old}"
            text = text.replace(old, new)
    return text


def _viewer(gate: Gate, url: str, configuration: str | None) -> Site:
    """The viewer with the archive under its own origin; without a configuration its shell is what is shown for it."""
    archives = {
        "open": f"location /dicom-web/ {{ proxy_pass {url}; }}",
        "gated": f"location /dicom-web/ {{ {_GATE} proxy_pass {url}; }}",
        "absent": "",
    }
    served = "" if configuration is not None else f"root {_published()}; try_files /index.html =404;"
    return Site(
        f"{archives[gate]}\n"
        f"location = /app-config.js {{ {served} }}\n"
        f"location / {{ root {_published()}; try_files $uri /index.html; }}",
        {} if configuration is None else {"app-config.js": configuration},
        passwords=True,
    )


def _ohif(gate: Gate, *, root: str | None = "/dicom-web", login: bool = False, configured: bool = True) -> Start:
    """The viewer, with its archive on the same origin."""

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        configuration = _configuration(root, login=login) if configured else None
        with nginx(_viewer(gate, material.behind.url, configuration), host=material.host) as server:
            yield _place(server, f"{server.url}/dicom-web", has_images=gate != "absent")

    return start


def _ohif_elsewhere(*, gated: bool, declared_by_another: bool = False) -> Start:
    """The viewer, with its archive on another port."""

    @contextmanager
    def start(material: Material) -> Iterator[Place]:
        gate = _GATE if gated else ""
        with ExitStack() as stack:
            site = Site(f"location / {{ {gate} proxy_pass {material.behind.url}; }}", passwords=True)
            there = stack.enter_context(nginx(site, host=material.host))
            root = f"{there.url}/dicom-web"
            viewer = _viewer("absent", "", _configuration(root, login=False))
            here = stack.enter_context(nginx(viewer, host=material.host))
            yield _place(here, root, beside=root if declared_by_another else None)

    return start


def _place(server: Nginx, archive: str, *, has_images: bool = True, beside: str | None = None) -> Place:
    images = f"{archive}/studies" if has_images else None
    return Place(archive, f"{server.url}/", images, images, Insider(BASIC_KEY), beside=beside, host=server.host)


@contextmanager
def _behind_basic(material: Material) -> Iterator[Place]:
    site = _viewer("open", material.behind.url, _configuration("/dicom-web", login=False))
    with nginx(Site(f"{_GATE}\n{site.body}", site.files, passwords=True), host=material.host) as server:
        yield _place(server, f"{server.url}/dicom-web")


def _front(
    name: str,
    front: str,
    start: Start,
    archive: Door | None,
    page: Door,
    means: str,
    names: Status = PASS,
) -> Front:
    """`names`: what comes of the internal hosts and the clients in its configuration."""
    more = {"archive.open": page.verdict, "web.configuration-exposed page": names}
    return Front(name, front, start, archive, page, means, more)


def _not_shown(really: Really) -> Door:
    """A shell with which it does not show what it reads from."""
    return Door(really, State.SHELL_PUBLIC_API_UNKNOWN, UNKNOWN)


VIEWERS = (
    _front(
        "ohif-open",
        "OHIF, its archive open and declared",
        _ohif("open"),
        OPEN_ARCHIVE,
        SHELL_OPEN,
        "The archive decides, never the shell.",
    ),
    _front(
        "ohif-gated",
        "OHIF, its archive gated and declared",
        _ohif("gated"),
        BASIC,
        SHELL_GATED,
        "Anybody may load the empty page, and nobody gets images into it without a login.",
    ),
    _front(
        "ohif-open-found",
        "OHIF, its archive open and not declared",
        _ohif("open"),
        None,
        SHELL_OPEN,
        "Its configuration names the root, which is on its own origin and is asked.",
    ),
    _front(
        "ohif-gated-found",
        "OHIF, its archive gated and not declared",
        _ohif("gated"),
        None,
        SHELL_GATED,
        "As before.",
    ),
    _front(
        "ohif-login-open",
        "OHIF with a login in its configuration, its archive open",
        _ohif("open", login=True),
        None,
        SHELL_OPEN,
        "The browser is told to log in, and the archive does not ask for it: who leaves the browser out gets all.",
        FAIL,
    ),
    _front(
        "ohif-login-gated",
        "OHIF with a login in its configuration, its archive gated",
        _ohif("gated", login=True),
        None,
        SHELL_GATED,
        "Both want the login.",
        FAIL,
    ),
    _front(
        "ohif-basic",
        "OHIF and its archive behind a Basic login",
        _behind_basic,
        BASIC,
        BASIC,
        "A challenge on every path.",
        Status.NOT_APPLICABLE,
    ),
    _front(
        "ohif-other-open",
        "OHIF, its archive open on another port and declared",
        _ohif_elsewhere(gated=False),
        OPEN_ARCHIVE,
        SHELL_OPEN,
        "Asked as what it is declared to be, and once.",
    ),
    _front(
        "ohif-other-gated",
        "OHIF, its archive gated on another port and declared",
        _ohif_elsewhere(gated=True),
        BASIC,
        SHELL_GATED,
        "As before.",
    ),
    _front(
        "ohif-other-asset",
        "OHIF, its archive open on another port, declared by another asset",
        _ohif_elsewhere(gated=False, declared_by_another=True),
        None,
        SHELL_OPEN,
        "The inventory knows that place and permits this address, so that it is asked.",
    ),
    _front(
        "ohif-other-unknown",
        "OHIF, its archive open on another port, declared nowhere",
        _ohif_elsewhere(gated=False),
        None,
        _not_shown(Really.OPEN),
        "Where the inventory knows nothing, nothing is asked. The finding names the origin.",
    ),
    _front(
        "ohif-published",
        "OHIF as it is published, its archive somebody else's",
        _ohif("absent", root=None),
        None,
        _not_shown(Really.PUBLIC),
        "It names a public archive of its project, which is not ours to ask.",
    ),
    _front(
        "ohif-internal",
        "OHIF, its archive on a host of the internal network",
        _ohif("absent", root="http://archive.internal:8042/dicom-web"),
        None,
        _not_shown(Really.PUBLIC),
        "Anybody may read the name of that host. It is not looked up.",
        FAIL,
    ),
    _front(
        "ohif-no-configuration",
        "OHIF, the shell in place of its configuration, an archive open beside it",
        _ohif("open", configured=False),
        None,
        _not_shown(Really.OPEN),
        "Nothing names the archive. Declared, it would be asked.",
        UNKNOWN,
    ),
    _front(
        "ohif-no-archive",
        "OHIF, its shell in place of the archive",
        _ohif("absent"),
        None,
        _not_shown(Really.PUBLIC),
        "The root that it names answers like any other path.",
    ),
)
