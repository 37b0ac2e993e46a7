"""`check` among hostile web fronts: bombs, floods, drips, endless heads, and Locations that lead out of the scope.

Every front is declared as a DICOMweb service and as a page, some also inside TLS. What the run says is held against
what the fronts saw, against the ledger, and against Python's own audit of every connection of the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from checker.codecs.http import PREFIX_BYTES
from tests.faults.web_answers import FRONTS, LOCATIONS, TRAP, TRAP_NAME
from tests.faults.web_fronts import Fronts, address_of, web_fronts
from tests.live.certificates import Authority
from tests.live.checking import inventory
from tests.live.watched_check import Watched, watched_check

pytestmark = pytest.mark.live

LOOPS = ("uvloop", "asyncio")
OWNED = "127.1.0.0/16"
MOST_BYTES = 65_536
DEADLINE_S = 10.0
MOST_MIB = 150
# A page is read to this bound, with its head and one piece more than is wanted.
PAGE = range(PREFIX_BYTES, PREFIX_BYTES + 2048)
LITTLE = range(2049)
ALL = range(MOST_BYTES, MOST_BYTES + 1)
DRIPPED = range(10, 8192)
# Inside TLS no byte is seen before its record is here as a whole, and by then the next may have come along.
RECORD = 16_384 + 256  # RFC 8446 section 5.2
HANDSHAKE = 4096


@dataclass(frozen=True, slots=True)
class Expected:
    """How the canary and a page end, and the bytes taken of each connection.

    `control` says that the canary's end lets the control be asked, `verdict` what the rules conclude in the end, and
    `asked` the paths, with their random parts replaced, that are asked for because of what was on the page.
    """

    canary: str
    page: str
    taken: range
    control: bool = True
    verdict: str = "unknown"
    asked: tuple[str, ...] = ()


CONFIGURATION = "/app-config.js"
CANARY = "/dicom-web/studies/<random>/series?limit=1"
CONTROL = "/dicom-web/studies/<random>/<random>?limit=1"

ANSWERED = Expected("answered", "answered", LITTLE)
ENCODED = Expected("encoded", "encoded", LITTLE)
FLOOD = Expected("too-much", "too-much", ALL, control=False)
DRIP = Expected("timeout", "timeout", DRIPPED, control=False)
LONG = Expected("answered", "answered", range(40_000, MOST_BYTES))
TO_THE_BOUND = Expected("answered", "answered", PAGE)

EXPECTED: Mapping[str, Expected] = {
    "gzip bomb": ENCODED,
    "bomb in many codings": ENCODED,
    "bomb as a page": ENCODED,
    "bomb that is not declared": ANSWERED,
    "bomb in a transfer coding": Expected("malformed", "malformed", LITTLE, control=False),
    "endless body": ANSWERED,
    "endless page": TO_THE_BOUND,
    "endless blanks as a page": TO_THE_BOUND,
    "endless chunks": FLOOD,
    "endless chunk extension": FLOOD,
    "endless trailers": FLOOD,
    "endless bytes behind an answer": ANSWERED,
    "header drip": DRIP,
    "body drip": DRIP,
    "endless 100s": FLOOD,
    "endless 103s": FLOOD,
    "drip of 102s": DRIP,
    "some 102s, then an answer": ANSWERED,
    "header of 100 KB": FLOOD,
    "header of 50 KB": LONG,
    "status line of 100 KB": FLOOD,
    "thousands of headers": LONG,
    "thousands of cookies": LONG,
    "tens of thousands of headers": FLOOD,
    "redirect to itself": ANSWERED,
    "redirects in a ring": Expected("answered", "answered", LITTLE, asked=("/app",)),
    "redirects ever deeper": Expected("answered", "answered", LITTLE, asked=("/app/",)),
    "redirect to the same by its name": Expected("answered", "answered", LITTLE, asked=("/app/",)),
    "two Locations": Expected("answered", "answered", LITTLE, asked=("/app/",)),
    "two Locations, the first elsewhere": ANSWERED,
    "use a proxy": ANSWERED,
    "choices": ANSWERED,
    "created": ANSWERED,
    "refresh elsewhere": ANSWERED,
    "alternative service": ANSWERED,
    "page that leads elsewhere": ANSWERED,
    "viewer of archives elsewhere": Expected("answered", "answered", LITTLE, asked=(CONFIGURATION,)),
    # The one that lets anybody in.
    "viewer of an archive by its name": Expected(
        "answered", "answered", LITTLE, verdict="fail", asked=(CONFIGURATION, CANARY, CONTROL)
    ),
    "empty list": ANSWERED,
    **{f"location {number}": Expected("answered", "answered", range(9100)) for number in range(len(LOCATIONS))},
}
IN_TLS = ("gzip bomb", "endless body", "header drip", "endless 100s", "header of 100 KB", "two Locations", "location 5")
# By name. The first of them leads elsewhere once it has been looked up, the second does at once, the third does both.
TURNS, TURNED, BOTH, VIEWED = (f"{word}.example.org" for word in ("turns", "turned", "both", "viewed"))
NAMED = {TURNS: "redirect to the same by its name", BOTH: "redirect to the same by its name"}
NAMED |= {VIEWED: "viewer of an archive by its name"}
NAMED_AT = {name: address_of(front, 3 + place) for place, (name, front) in enumerate(NAMED.items())}
NAMES = {
    TURNS: [[NAMED_AT[TURNS]], [TRAP], ["::1"]],
    VIEWED: [[NAMED_AT[VIEWED]], ["::1"], [TRAP]],
    TURNED: [[TRAP, "::1"]],
    BOTH: [[NAMED_AT[BOTH], TRAP, "::1"]],
    TRAP_NAME: [[TRAP]],
}
ARCHIVE, VIEWER, INSIDE_TLS = range(3)
"""The places of a front's addresses: one for each of the ways in which it is declared."""


def slug(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


@dataclass(frozen=True)
class Siege:
    """The one run against all fronts."""

    watched: Watched
    fronts: Fronts

    def http(self, asset: str) -> list[dict[str, Any]]:
        """The facts of the questions to an asset, in their order."""
        found = [line for line in self.watched.run.observations if line["asset_id"] == asset]
        return [line["facts"] for line in found if line["facts"]["type"] == "http"]

    def taken(self, asset: str, purpose: str) -> list[int]:
        """The bytes received in each connection of an asset for this purpose."""
        outcomes = [line for line in self.watched.run.ledger if line["event"] == "outcome" and line["asset"] == asset]
        return [line["bytes_received"] for line in outcomes if line["purpose"] == purpose]

    def purposes(self, asset: str) -> list[str]:
        """What the connections of an asset were for, in their order."""
        return [line["purpose"] for line in self.watched.run.attempts(asset)]


@pytest.fixture(scope="module", params=LOOPS)
def siege(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    tls = Authority.create(tmp_path_factory.mktemp("authority")).valid()
    with web_fronts(tls) as fronts:
        assets: list[Mapping[str, Any]] = []
        for name in FRONTS:
            assets.append(declared(f"{slug(name)}-archive", address_of(name, ARCHIVE), "dicomweb", fronts.port))
            assets.append(declared(f"{slug(name)}-page", address_of(name, VIEWER), "web", fronts.port))
        assets += [
            declared(f"{slug(name)}-tls", address_of(name, INSIDE_TLS), "web", fronts.tls_port, scheme="https")
            for name in IN_TLS
        ]
        assets += [
            {
                "id": name.partition(".")[0],
                "hostname": name,
                "services": [service("web", f"http://{name}:{fronts.port}/")],
            }
            for name in (*NAMED, TURNED)
        ]
        path = inventory(tmp_path_factory.mktemp("siege"), assets, owned_networks=[OWNED])
        watched = watched_check(path, names=NAMES, loop=str(request.param))
        fronts.wait_until_left()
        yield Siege(watched, fronts)


def declared(asset: str, address: str, kind: str, port: int, *, scheme: str = "http") -> Mapping[str, Any]:
    path = "dicom-web" if kind == "dicomweb" else ""
    return {"id": asset, "address": address, "services": [service(kind, f"{scheme}://{address}:{port}/{path}")]}


def service(kind: str, url: str) -> Mapping[str, str]:
    return {"kind": kind, "url": url}


def test_every_front_is_expected() -> None:
    assert set(EXPECTED) == set(FRONTS)
    assert len(FRONTS) < 255  # each has an address of its own in every place


@pytest.mark.parametrize("name", EXPECTED)
def test_a_front_as_an_archive(siege: Siege, name: str) -> None:
    expected, asset, address = EXPECTED[name], f"{slug(name)}-archive", address_of(name, ARCHIVE)
    asked = ["canary", "control"] if expected.control else ["canary"]
    assert [(facts["purpose"], facts["end"]) for facts in siege.http(asset)] == [
        (purpose, expected.canary) for purpose in asked
    ]
    assert siege.purposes(asset) == [f"dicomweb {purpose}" for purpose in asked]
    taken = siege.taken(asset, "dicomweb canary") + siege.taken(asset, "dicomweb control")
    assert all(count in expected.taken for count in taken), taken
    assert siege.fronts.connections(address) == len(asked)
    assert siege.fronts.most_at_once(address) == 1
    # But for one none of them is an archive, nor is there a login before one.
    assert siege.watched.run.status(asset, "web.archive-open") == expected.verdict


@pytest.mark.parametrize("name", EXPECTED)
def test_a_front_as_a_page(siege: Siege, name: str) -> None:
    expected, asset, address = EXPECTED[name], f"{slug(name)}-page", address_of(name, VIEWER)
    asked = ["/", *expected.asked]
    assert [facts["end"] for facts in siege.http(asset)] == [expected.page] * len(asked)
    assert [replaced(path) for path in siege.fronts.requests(address)] == asked
    assert siege.fronts.connections(address) == len(asked) == len(siege.purposes(asset))
    assert siege.fronts.most_at_once(address) == 1
    taken = siege.taken(asset, "web page")
    assert all(count in expected.taken for count in taken), taken
    assert siege.watched.run.status(asset, "web.viewer-unauthenticated") == expected.verdict


def replaced(path: str) -> str:
    """A path as it was asked, without what is random in it."""
    return re.sub(r"/(?:2\.25\.[0-9]{39}|x[0-9a-f]{5})(?=[/?])", "/<random>", path)


@pytest.mark.parametrize("name", IN_TLS)
def test_a_front_inside_tls(siege: Siege, name: str) -> None:
    expected, asset, address = EXPECTED[name], f"{slug(name)}-tls", address_of(name, INSIDE_TLS)
    pages = ["/", *expected.asked]
    assert [facts["end"] for facts in siege.http(asset)] == [expected.page] * len(pages)
    assert siege.fronts.requests(address) == pages
    taken = siege.taken(asset, "web page")
    assert all(count <= min(MOST_BYTES, expected.taken.stop + HANDSHAKE + 2 * RECORD) for count in taken), taken
    assert siege.fronts.most_at_once(address) == 1


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("location")])
def test_a_location_is_never_taken_for_a_place_of_ours(siege: Siege, name: str) -> None:
    """Where one leads to the same origin, as it does for browsers, it is by a path that is not asked for."""
    location = LOCATIONS[int(name.split()[1])]
    for asset in (f"{slug(name)}-archive", f"{slug(name)}-page"):
        origins = {facts["redirect_origin"] for facts in siege.http(asset)}
        assert len(origins) == 1
        assert (origins == {"same"}) == (location in SAME_FOR_BROWSERS)


SAME_FOR_BROWSERS = {"http:{trap}:{port}/", "http:/{trap}:{port}/", "/%", "/app/\u00ff"}
"""A scheme without two slashes is that of where we are, and what follows a path (URL standard, section 4.4)."""


def test_nobody_is_contacted_but_the_declared_fronts(siege: Siege) -> None:
    watched, fronts = siege.watched, siege.fronts
    declared = {address_of(name, place) for name in FRONTS for place in (ARCHIVE, VIEWER)}
    inside_tls = {address_of(name, INSIDE_TLS) for name in IN_TLS}
    named = set(NAMED_AT.values())
    allowed = {(address, fronts.port) for address in declared | named}
    allowed |= {(address, fronts.tls_port) for address in inside_tls}
    assert set(watched.connected) == allowed
    assert fronts.strayed() == []
    assert [(line["address"], line["port"]) for line in watched.run.attempts()] == list(watched.connected)
    assert {line["permit"] for line in watched.run.attempts()} == {OWNED}


def test_a_name_of_a_location_is_not_looked_up(siege: Siege) -> None:
    assert sorted(siege.watched.looked_up) == sorted([*NAMED, TURNED])


@pytest.mark.parametrize("name", NAMED)
def test_a_name_that_turns_is_asked_where_it_led_at_first(siege: Siege, name: str) -> None:
    """What follows on its own origin goes to the permitted address, wherever the name would lead by then."""
    asset, asked = name.partition(".")[0], ["/", *EXPECTED[NAMED[name]].asked]
    assert [replaced(path) for path in siege.fronts.requests(NAMED_AT[name])] == asked
    assert {line["address"] for line in siege.watched.run.attempts(asset)} == {NAMED_AT[name]}
    assert [facts["end"] for facts in siege.http(asset)] == ["answered"] * len(asked)


def test_a_root_elsewhere_is_told_and_not_asked(siege: Siege) -> None:
    (found,) = (
        facts for facts in siege.http("viewer-of-archives-elsewhere-page") if facts["purpose"] == "configuration"
    )
    port = siege.fronts.port
    assert {f"http://{TRAP}:{port}", f"http://{TRAP_NAME}:{port}", f"http://[::1]:{port}"} <= set(found["named_roots"])


def test_where_a_name_leads_out_of_the_scope_it_is_refused_and_written_down(siege: Siege) -> None:
    refused = [line for line in siege.watched.run.ledger if (line["event"], line["purpose"]) == ("refused", "permit")]
    assert sorted({(line["asset"], line["address"]) for line in refused}) == [
        ("both", TRAP),
        ("both", "::1"),
        ("turned", TRAP),
        ("turned", "::1"),
    ]
    assert siege.watched.run.attempts("turned") == []
    assert set(siege.watched.run.statuses("turned", "web.viewer-unauthenticated")) == {"unknown"}


def test_every_connection_ends_in_time_and_within_its_cap(siege: Siege) -> None:
    began = {line["n"]: line for line in siege.watched.run.attempts()}
    ended = {line["n"]: line for line in siege.watched.run.ledger if line["event"] == "outcome"}
    assert set(began) <= set(ended)
    for number, line in began.items():
        assert seconds(line, ended[number]) < DEADLINE_S + 2.0, line
        assert ended[number]["bytes_received"] <= MOST_BYTES, line


def seconds(first: Mapping[str, Any], last: Mapping[str, Any]) -> float:
    begin, end = (datetime.fromisoformat(line["time"]) for line in (first, last))
    return (end - begin).total_seconds()


def test_what_is_kept_of_an_answer_is_short(siege: Siege) -> None:
    for line in siege.watched.run.observations:
        if line["facts"]["type"] == "http":
            assert longest(line["facts"]) <= 512, line["asset_id"]
            assert len(str(line["facts"])) < 4096, line["asset_id"]


def longest(value: object) -> int:
    """The length of the longest text in a value of JSON."""
    match value:
        case str():
            return len(value)
        case dict():
            return max((longest(one) for one in value.values()), default=0)
        case list():
            return max(map(longest, value), default=0)
        case _:
            return 0


def test_the_whole_run_stays_small_and_unharmed(siege: Siege) -> None:
    assert siege.watched.peak_kib < MOST_MIB * 1024
    assert siege.watched.run.summary["errors"] == []
    assert siege.watched.run.summary["assets"]["not_visited"] == 0
    assert "Traceback" not in siege.watched.run.err
    assert siege.watched.run.markers() == {}
