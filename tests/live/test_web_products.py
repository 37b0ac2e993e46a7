"""Each product in its open and its gated form: named, judged as what it is, and asked nothing but what is written here.

The servers reproduce what the products' sources show (`tests.live.servers.products`). They write down every request, so
that a test can say which questions came, in which order, and that nothing else did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from checker.catalog import web_products
from checker.catalog.web_products import products
from checker.model import (
    Asset,
    AssetManners,
    BodyKind,
    HttpFacts,
    HttpPurpose,
    Role,
    Service,
    ServiceKind,
    Status,
)
from checker.net.http import HttpDoor
from checker.probes.web import probe_dicomweb, probe_web
from checker.rules import catalogue
from checker.rules.base import Case
from checker.rules.cases import service_cases
from checker.rules.examples import asset_case, seen
from checker.rules.web_states import State
from tests.live.servers import products_archives as archives
from tests.live.servers.products import RECORDS, Answer, Served, html, in_json, serving_product, shell
from tests.live.synthetic import markers_in
from tests.live.talking import talking
from tests.live.web_fronting import Door, Really
from tests.live.web_product import Product, both
from tests.live.web_products import PRODUCTS
from tests.live.web_products_archives import SEARCH

pytestmark = pytest.mark.live

USER_AGENT = "pacs-checker/0 (synthetic; tests)"
JSON = (("Content-Type", "application/json;charset=UTF-8"),)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit saw, and what the rules say of it."""

    facts: Sequence[HttpFacts]
    case: Case

    def found(self, kind: ServiceKind) -> tuple[State, Status] | None:
        """The state and the verdict of the one service of a kind; None where there is none."""
        rule_id = "web.archive-open" if kind is ServiceKind.DICOMWEB else "web.viewer-unauthenticated"
        rule = next(entry.rule for entry in catalogue() if entry.id == rule_id)
        for case in service_cases(self.case):
            if case.the_service().kind is kind:
                verdict = rule.judge(case)
                return State(str(verdict.evidence["state"])), verdict.status
        return None

    def status(self, named: str) -> Status:
        """What a rule says; `named` is its id and, where it is one about a service, `page` or `archive`."""
        rule_id, _, of = named.partition(" ")
        rule = next(entry.rule for entry in catalogue() if entry.id == rule_id)
        if not of:
            return rule.judge(self.case).status
        kind = ServiceKind.WEB if of == "page" else ServiceKind.DICOMWEB
        (case,) = [one for one in service_cases(self.case) if one.the_service().kind is kind]
        return rule.judge(case).status

    @property
    def products(self) -> set[str]:
        """The products that its pages showed."""
        return {one.product for one in self.facts if one.purpose is HttpPurpose.PAGE and one.product is not None}


async def visited(server: Served, services: Sequence[Service]) -> Visit:
    """Each service asked by its probe, in the order given, as one asset."""
    door = HttpDoor(USER_AGENT)
    observed = []
    for index, service in enumerate(services):
        with talking(server.host, server.port, services) as session:
            probe = probe_dicomweb if service.kind is ServiceKind.DICOMWEB else probe_web
            await probe(session.talk, service, door=door)
        assert markers_in(repr(session.facts).encode() + b"".join(session.written)) == ()
        observed += [(index, facts) for facts in session.facts]
    await door.aclose()
    asset = Asset(
        id="synthetic-asset",
        name="Synthetic product",
        addresses=(server.host,),
        hostname=None,
        role=Role.ARCHIVE,
        site="synthetic-campus",
        zone=None,
        owner=None,
        manners=AssetManners(),
        services=tuple(services),
    )
    case = asset_case(asset, *(seen(facts, index, server.host, server.port) for index, facts in observed))
    return Visit([facts for _, facts in observed if isinstance(facts, HttpFacts)], case)


def assert_asked(server: Served, expected: Sequence[str]) -> None:
    """Nothing but these GETs came, in this order, and none bore a credential or a cookie."""
    lines = "\n".join(server.asked)
    assert len(server.asked) == len(expected), lines
    for line, path in zip(server.asked, expected, strict=True):
        assert re.fullmatch(rf"GET {path} HTTP/1\.1", line), f"{path} was expected of:\n{lines}"
    for headers in server.sent:
        assert {"authorization", "cookie", "proxy-authorization"}.isdisjoint(headers)
        assert headers["accept-encoding"] == "identity"
        assert headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
async def test_a_product_is_named_judged_and_asked_as_it_should_be(product: Product) -> None:
    with serving_product(product.answers) as server:
        visit = await visited(server, product.services(server))
    assert visit.products == (set() if product.named is None else {product.named})
    assert visit.found(ServiceKind.WEB) == _expected(product.viewer)
    assert visit.found(ServiceKind.DICOMWEB) == _expected(product.archive)
    assert {named: visit.status(named) for named in product.more} == product.more
    assert_asked(server, product.asked)


def _expected(door: Door | None) -> tuple[State, Status] | None:
    return None if door is None else (door.state, door.verdict)


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
def test_a_product_is_what_it_is_said_to_be(product: Product) -> None:
    """Its server gives out studies where it is open, and nowhere else; so not having seen any means something."""
    for door, place in product.doors:
        gives = place is not None and markers_in(product.answers(place).body) != ()
        assert gives is (door.really is Really.OPEN), f"{place} of a door that is {door.really}"
        assert door.verdict is not (Status.PASS if gives else Status.FAIL)
        assert door.verdict is Status.UNKNOWN or door.really in (Really.OPEN, Really.GATED)


def test_every_product_of_the_catalogue_has_a_server_here() -> None:
    """But for Orthanc, whose real one the tests of the probe ask, and for what is known by its answers alone."""
    named = {product.named for product in PRODUCTS if product.named is not None}
    assert named | {"orthanc"} == {entry.id for entry in products() if entry.markers}


async def test_a_search_that_brings_something_is_dropped_and_nothing_more_is_asked() -> None:
    """A Dicoogle whose index does not heed the question: what it answers is data, and stays with it."""
    found = Answer(200, b'{"results":[{"uri":"file:/' + RECORDS + b'"}],"elapsedTime":1,"numResults":1}', JSON)

    with serving_product(lambda path: found if "?" in path else archives.dicoogle_open(path)) as server:
        visit = await visited(server, (Service(ServiceKind.WEB, server.port, url=f"{server.url}/"),))
    assert [one.purpose for one in visit.facts] == [HttpPurpose.PAGE, HttpPurpose.REST]
    assert visit.facts[-1].body is BodyKind.FILLED_ARRAY
    assert visit.facts[-1].rest_sign is None
    assert_asked(server, ("/", SEARCH))


async def test_what_says_no_in_json_is_not_taken_for_a_search_that_found_nothing() -> None:
    refused = Answer(200, b'{"results":[],"error":"synthetic"}', JSON)
    with serving_product(lambda path: refused if "?" in path else archives.dicoogle_open(path)) as server:
        visit = await visited(server, (Service(ServiceKind.WEB, server.port, url=f"{server.url}/"),))
    assert visit.facts[-1].rest_sign is None
    assert visit.found(ServiceKind.WEB) == (State.SHELL_PUBLIC_API_UNKNOWN, Status.UNKNOWN)


async def test_the_configuration_of_a_secured_dcm4chee_tells_that_it_is_one() -> None:
    for answers, signs_in in ((archives.dcm4chee_open, False), (archives.dcm4chee_services_gated, True)):
        with serving_product(answers) as server:
            service = Service(ServiceKind.WEB, server.port, url=server.url + archives.DCM4CHEE_UI)
            visit = await visited(server, (service,))
        (told,) = [one for one in visit.facts if one.purpose is HttpPurpose.CONFIGURATION]
        assert told.signs_in is signs_in
        # Nothing but how many: neither the realm nor the client nor where Keycloak is.
        assert (told.names_clients, told.named_roots) == (int(signs_in), ())


# -------------------------------------------------------------------------------------- a product by one file alone

NEW = """
id: synthetic-viewer
name: Synthetic Viewer
kind: viewer
page: public
markers: [{where: title, text: Synthetic Radiology}]
asks:
  - {path: settings.json, shows: configuration, format: json}
source: the tests
"""


@pytest.fixture
def one_file_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The shipped catalogue, but for one file that lies beside the others."""
    folder = tmp_path / "web"
    folder.mkdir()
    for file in web_products.catalogue_files():
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "synthetic-viewer.yaml").write_text(NEW, encoding="utf-8")
    monkeypatch.setattr(web_products, "files", lambda _: tmp_path)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cached in (web_products.products, web_products._by_id):
        cached.cache_clear()


def synthetic_viewer(path: str) -> Answer:
    """A viewer that nobody knows yet, before an open archive."""
    if path == "/viewer/":
        return html(shell("Synthetic Radiology"))
    if path == "/viewer/settings.json":
        return in_json({"archive": {"dicomWebRoot": archives.STATIC_ROOT}})
    return archives.static_open(path)


async def ask_the_synthetic_viewer() -> tuple[Visit, Served]:
    with serving_product(synthetic_viewer) as server:
        return await visited(server, (Service(ServiceKind.WEB, server.port, url=f"{server.url}/viewer/"),)), server


async def test_a_product_is_added_by_one_file(one_file_more: None) -> None:
    visit, server = await ask_the_synthetic_viewer()
    assert visit.products == {"synthetic-viewer"}
    assert visit.found(ServiceKind.WEB) == (State.PAGE_PUBLIC_API_OPEN, Status.FAIL)
    assert_asked(server, ("/viewer/", "/viewer/settings.json", *both(archives.STATIC_ROOT)))


async def test_without_that_file_it_is_a_page_like_any_other() -> None:
    visit, server = await ask_the_synthetic_viewer()
    assert visit.products == set()
    assert visit.found(ServiceKind.WEB) == (State.SHELL_PUBLIC_API_UNKNOWN, Status.UNKNOWN)
    assert_asked(server, ("/viewer/",))
