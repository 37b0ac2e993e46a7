"""What the products of `tests.live.web_products` are made of: a server, what it truly is, and what has to be seen.

The servers reproduce what the products' sources show (`tests.live.servers.products`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checker.model import Service, ServiceKind, Status
from checker.rules.web_states import State
from tests.live.servers.products import Answers, Served
from tests.live.web_fronting import Door, Really

UID = r"2\.25\.[1-9][0-9]{38}"


@dataclass(frozen=True, slots=True)
class Product:
    """A product in one form. `page` and `root` are what the inventory declares of it, None where it does not, and
    `viewer` and `archive` what they truly are and have to be found to be.

    `named` is the id of the catalogue by which it has to be recognised. `asked` are the paths of all requests, in
    order, as patterns. `data` is where the page's studies come from, if not from the root.
    `more` has the statuses of further rules, by the id of the rule and the service, such as `web.cors-open archive`.
    """

    name: str
    answers: Answers
    named: str | None
    asked: tuple[str, ...]
    page: str | None = None
    viewer: Door | None = None
    root: str | None = None
    archive: Door | None = None
    data: str | None = None
    more: Mapping[str, Status] = field(default_factory=dict)

    @property
    def doors(self) -> Sequence[tuple[Door, str | None]]:
        """The doors that are declared, each with the path at which it gives out studies, if it does."""
        listed = None if self.root is None else f"{self.root}/studies"
        both = ((self.viewer, self.data or listed), (self.archive, listed))
        return [(door, place) for door, place in both if door is not None]

    def services(self, server: Served) -> tuple[Service, ...]:
        """Its services as the inventory has them: the page, then the archive."""
        declared = []
        if self.page is not None:
            declared.append(Service(ServiceKind.WEB, server.port, url=server.url + self.page))
        if self.root is not None:
            declared.append(Service(ServiceKind.DICOMWEB, server.port, url=server.url + self.root))
        return tuple(declared)


def canary(root: str) -> str:
    return rf"{root}/studies/{UID}/series\?limit=1"


def both(root: str) -> tuple[str, str]:
    """Canary and control of a root, as patterns."""
    return canary(root), rf"{root}/studies/{UID}/x[0-9a-f]{{5}}\?limit=1"


OPEN = Door(Really.OPEN, State.OPEN_PROVEN, Status.FAIL)
PAGE_OPEN = Door(Really.OPEN, State.OPEN_PAGE, Status.FAIL)
API_OPEN = Door(Really.OPEN, State.PAGE_PUBLIC_API_OPEN, Status.FAIL)
API_GATED = Door(Really.GATED, State.SHELL_PUBLIC_API_GATED, Status.PASS)
BASIC = Door(Really.GATED, State.GATED_BASIC, Status.PASS)
BEARER = Door(Really.GATED, State.GATED_BEARER, Status.PASS)
FORM = Door(Really.GATED, State.GATED_FORM, Status.PASS)
TO_LOGIN = Door(Really.GATED, State.GATED_REDIRECT_LOCAL, Status.PASS)
TO_KEYCLOAK = Door(Really.GATED, State.GATED_REDIRECT_EXTERNAL, Status.PASS)
PUBLIC = Door(Really.PUBLIC, State.PAGE_PUBLIC, Status.UNKNOWN)
SHELL = Door(Really.PUBLIC, State.SHELL_PUBLIC_API_UNKNOWN, Status.UNKNOWN)


def doubt(really: Really, state: State) -> Door:
    """A door of which nothing may be concluded, whatever it truly is."""
    return Door(really, state, Status.UNKNOWN)
