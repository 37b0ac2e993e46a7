"""Each real front is found and judged as exactly what it is: no open one is called gated, no gated one open."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.live.certificates import Authority
from tests.live.checking import check, inventory
from tests.live.servers.orthanc import OPEN, orthanc
from tests.live.web_asking import ask, found_in, not_as_it_is
from tests.live.web_fronting import Front, Material, Place, not_really, services
from tests.live.web_fronts import FRONTS
from tests.live.web_fronts_limits import LIMITS
from tests.live.web_fronts_products import PRODUCTS
from tests.live.web_fronts_viewers import VIEWERS

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def material() -> Iterator[Material]:
    """An open archive for the fronts to stand before, and certificates."""
    with tempfile.TemporaryDirectory(prefix="pacs-checker-fronts-") as folder, orthanc(OPEN) as behind:
        yield Material.create(Authority.create(Path(folder)), behind)


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.name)
async def test_a_front_is_found_and_judged_as_what_it_is(front: Front, material: Material) -> None:
    with front.start(material) as place:
        wrong = not_really(front, place)
        found = await ask(front, place)
    wrong += not_as_it_is(front, found)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("front", LIMITS, ids=lambda front: front.name)
async def test_the_limits_are_as_told(front: Front, material: Material) -> None:
    with front.start(material) as place:
        wrong = not_really(front, place)
        found = await ask(front, place)
    wrong += not_as_it_is(front, found)
    assert not wrong, "\n".join(wrong)


def test_the_whole_product_finds_them_so(material: Material, tmp_path: Path) -> None:
    """One run, with the engine between the probe and the rules: those fronts for which it has to find a way onward."""
    fronts = (*VIEWERS, *PRODUCTS)
    with ExitStack() as stack:
        # An address is one device, which is asked one thing at a time and has one budget; so each has its own.
        hosts = {front.name: replace(material, host=f"127.4.0.{number}") for number, front in enumerate(fronts, 1)}
        places = [(front, stack.enter_context(front.start(hosts[front.name]))) for front in fronts]
        run = check(inventory(tmp_path, _assets(places)))
    wrong = [f"{one.name}: {line}" for one in fronts for line in not_as_it_is(one, found_in(run.findings, one.name))]
    assert not wrong, "\n".join(wrong)
    assert run.markers() == {}


def _assets(places: Sequence[tuple[Front, Place]]) -> list[dict[str, Any]]:
    assets = [
        {
            "id": front.name,
            "address": place.host,
            "services": [{"kind": one.kind.value, "url": one.url} for one in services(front, place)],
        }
        for front, place in places
    ]
    beside = [
        {"id": f"beside-{front.name}", "address": place.host, "services": [{"kind": "dicomweb", "url": place.beside}]}
        for front, place in places
        if place.beside is not None
    ]
    return [*assets, *beside]
