"""Which of the roots that a configuration names may be asked: none that the inventory does not declare there."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.engine.roots import port_to_ask
from checker.model import Asset, AssetManners, Authorization, Defaults, Inventory, Role, Service, ServiceKind
from checker.scope import Listed

ADDRESS, ELSEWHERE, SIXTH = "10.20.1.5", "10.20.1.6", "fd00:20::5"
VIEWER = Service(ServiceKind.WEB, 3000, url="http://viewer.example.org:3000/ohif/")
RESOLVED: dict[str, tuple[str, ...]] = {
    "viewer.example.org": (ADDRESS,),
    "proxy.example.org": (ADDRESS,),
    "far.example.org": (ELSEWHERE,),
}


def asset(
    *services: Service, name: str = "viewer", addresses: tuple[str, ...] = (ADDRESS,), hostname: str | None = None
) -> Asset:
    return Asset(name, name, addresses, hostname, Role.VIEWER, "site", None, None, AssetManners(), services)


def listed(*assets: Asset) -> Listed:
    return Listed(
        Inventory(
            organization="Example Health",
            authorization=Authorization("Imaging Security", "CHG-1", date(2027, 6, 30)),
            owned_networks=("10.20.0.0/16",),
            public_networks=(),
            excluded=(),
            zones=(),
            defaults=Defaults(),
            exposure=(),
            assets=assets,
            waivers=(),
        )
    )


def port(root: str, *more: Service, others: tuple[Asset, ...] = (), hostname: str | None = None) -> int | None:
    own = asset(VIEWER, *more, hostname=hostname)
    return port_to_ask(root, own, VIEWER, ADDRESS, RESOLVED, listed(own, *others).serves)


def web(url: str, number: int) -> Service:
    return Service(ServiceKind.WEB, number, url=url)


@pytest.mark.parametrize(
    "root",
    [
        "http://viewer.example.org:3000/dicom-web",
        "http://VIEWER.example.org:3000",
        "http://viewer.example.org:3000/a/b",
    ],
)
def test_a_root_on_the_viewers_own_origin_is_asked(root: str) -> None:
    assert port(root) == 3000


@pytest.mark.parametrize(
    "root",
    [
        "https://viewer.example.org:3000/dicom-web",
        "http://viewer.example.org/dicom-web",
        "http://viewer.example.org:8042/dicom-web",
        "http://far.example.org:3000/dicom-web",
        f"http://{ELSEWHERE}:3000/dicom-web",
        "http://localhost:3000/dicom-web",
        "http://[::1]:3000/dicom-web",
    ],
)
def test_a_root_on_any_other_is_not_where_nobody_declares_it(root: str) -> None:
    assert port(root) is None


def test_the_viewers_own_port_may_be_named_by_its_address() -> None:
    assert port(f"http://{ADDRESS}:3000/dicom-web") == 3000


def test_a_root_beside_is_asked_where_the_asset_declares_a_web_service_at_this_address() -> None:
    beside = web("http://viewer.example.org:8042/", 8042)
    assert port("http://viewer.example.org:8042/dicom-web", beside) == 8042
    assert port(f"http://{ADDRESS}:8042/dicom-web", beside) == 8042
    assert port("https://viewer.example.org:8042/dicom-web", beside) is None
    assert port("http://proxy.example.org:8042/dicom-web", beside) is None
    assert port("http://far.example.org:8042/a", web("http://far.example.org:8042/", 8042)) is None
    assert port("http://viewer.example.org:8042/a", Service(ServiceKind.DICOM, 8042, "SYNTH")) is None


def test_a_root_beside_is_asked_where_another_asset_declares_it_at_this_address() -> None:
    url = f"http://{ADDRESS}:8042/"
    other = asset(web(url, 8042), name="archive", hostname="pacs.example.org")
    assert port(f"http://{ADDRESS}:8042/dicom-web", others=(other,)) == 8042
    assert port("http://pacs.example.org:8042/dicom-web", others=(other,)) == 8042
    assert port("http://other.example.org:8042/dicom-web", others=(other,)) is None
    named = asset(web("http://pacs.example.org:8042/", 8042), name="archive", hostname="PACS.example.org")
    assert port("http://pacs.example.org:8042/dicom-web", others=(named,)) == 8042
    assert port(f"http://{ADDRESS}:8042/dicom-web", others=(named,)) == 8042
    elsewhere = asset(web(url.replace(ADDRESS, ELSEWHERE), 8042), name="archive", addresses=(ELSEWHERE,))
    assert port(f"http://{ELSEWHERE}:8042/dicom-web", others=(elsewhere,)) is None
    # A name that would have to be looked up leads nowhere.
    looked_up = asset(web("http://proxy.example.org:8042/", 8042), name="archive", addresses=(ELSEWHERE,))
    assert port("http://proxy.example.org:8042/dicom-web", others=(looked_up,)) is None


@pytest.mark.parametrize(
    "declared", ["http://viewer.example.org:3000/dicom-web", "http://viewer.example.org:3000/dicom-web/"]
)
def test_a_root_that_the_asset_declares_is_not_asked_twice(declared: str) -> None:
    service = Service(ServiceKind.DICOMWEB, 3000, url=declared)
    assert port("http://viewer.example.org:3000/dicom-web", service) is None
    assert port("http://viewer.example.org:3000/other", service) == 3000
    plain = Service(ServiceKind.DICOMWEB, 80, url="http://viewer.example.org/dicom-web")
    assert port("http://viewer.example.org:80/dicom-web", plain) is None


def test_an_ipv6_host_is_compared_as_an_address() -> None:
    service = web(f"http://[{SIXTH}]:8042/", 8042)
    assert listed(asset(service, addresses=(SIXTH,))).serves(SIXTH, 8042, False, SIXTH)


@given(st.from_regex(r"https?://[a-z0-9.\[\]:]{1,20}(:[0-9]{1,5})?/[a-z]{0,5}", fullmatch=True))
def test_whatever_is_named_no_port_is_asked_but_the_declared(root: str) -> None:
    try:
        found = port(root)
    except ValueError:  # no URL: the codec gives none of these
        return
    assert found in (None, 3000)
