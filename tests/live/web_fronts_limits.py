"""Open fronts that pass: where a gate stands before all that is asked, and none before something that is not. Data.

What is not asked would bring data, or is nowhere declared, so that no question of ours can tell. These are the limits
of the method: they stand apart from the other fronts, in the documentation as well, and a test sees that they are so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from checker.rules.web_states import State
from tests.live.servers.nginx import Site, nginx, static_dicomweb
from tests.live.web_fronting import BASIC_KEY, Door, Front, Material, Place, Really, before
from tests.live.web_fronts_doors import FILES, FORM, LOGIN, PASS, gives_studies_by_name, named, static_files

_LOGIN = 'auth_basic "Synthetic"; auth_basic_user_file {folder}/passwords;'


def _passes(state: State) -> Door:
    return Door(Really.OPEN, state, PASS)


_BUT_FOR_THE_LIST = before(
    lambda url: Site(
        f"location = /dicom-web/studies {{ proxy_pass {url}; }}\nlocation / {{ {_LOGIN} proxy_pass {url}; }}",
        passwords=True,
    ),
    options=BASIC_KEY,
)


@contextmanager
def _missing_is_a_login(_material: Material) -> Iterator[Place]:
    site = static_files("return 302 /login;", static_dicomweb().files)
    with nginx(Site(f"{site.body}\n{LOGIN}", {**site.files, **FILES})) as server:
        root = f"{server.url}/dicom-web"
        yield Place(root, f"{server.url}/", f"{root}/studies")


@contextmanager
def _another_name(material: Material) -> Iterator[Place]:
    default = f"location = /login.html {{ }}\nlocation / {{ {FORM} }}"
    with named(default, FILES, declared=False)(material) as place:
        yield replace(place, asks=gives_studies_by_name)


LIMITS = (
    Front(
        "list-free",
        "Orthanc behind nginx, the login left out for the list of studies",
        _BUT_FOR_THE_LIST,
        _passes(State.GATED_BASIC),
        None,
        "The list would answer with patients, so that it is never asked for.",
    ),
    Front(
        "missing-is-a-login",
        "nginx, a static index, a redirect to a login for what it lacks",
        _missing_is_a_login,
        _passes(State.GATED_REDIRECT_LOCAL),
        None,
        "Whatever is asked that it does not have leads to the login, and what it has is for anybody.",
    ),
    Front(
        "another-name",
        "nginx, a login form by the address, an open archive by a name",
        _another_name,
        _passes(State.GATED_FORM),
        _passes(State.GATED_FORM),
        "What is declared is asked. Declare the URL with the name that users have.",
    ),
)
