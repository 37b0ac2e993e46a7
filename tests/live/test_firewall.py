"""A sweep of ports through a real firewall: each cell of the bed is what its rules make of it, from three zones.

Every cell is asked from all three zones at the same time, so it is asked three times, and the ports whose SYNs are
lost sixty times. Of the latter the firewall's own counters say which could be reached at all.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checker.model import ConnectState, UdpState
from tests.live.checking import Run, command, environment, inventory
from tests.live.firewall_bed import Bed, Seen, Swept, bed, not_as_it_is, targets
from tests.live.firewall_cells import (
    BY_ZONE,
    CELLS,
    FAMILIES,
    SERVED,
    TWO_FAMILIES,
    UDP,
    VANTAGES,
    ZONES,
    Cell,
    udp_state,
)
from tests.live.firewall_rules import address
from tests.live.namespaces import PATH
from tests.live.peers.nmap import scan

pytestmark = pytest.mark.live

_ASKED = (*CELLS, ZONES)
_LATE = VANTAGES[-1]
"""Where the event loop stands still for most of the time, which must make no port filtered."""
_PROXIED = {"proxied": "synproxy", "proxied-dead": "synproxy-dead-silent"}
"""Assets with an archive, by the cell that it stands in."""


@pytest.fixture(scope="module")
def firewall() -> Iterator[Bed]:
    with bed() as made:
        yield made


@pytest.fixture(scope="module")
def swept(firewall: Bed) -> dict[str, Swept]:
    def sweep(vantage: str) -> dict[tuple[str, int], Seen]:
        return firewall.sweep(vantage, targets(_ASKED, vantage), udp=UDP, late=vantage == _LATE)

    with firewall.full_queues(), ThreadPoolExecutor(len(VANTAGES)) as pool:
        seen = list(pool.map(sweep, VANTAGES))
        return {vantage: Swept(each, firewall.syns(vantage)) for vantage, each in zip(VANTAGES, seen, strict=True)}


def seen_of(swept: dict[str, Swept], cell: Cell) -> Iterator[tuple[str, int, int, Seen]]:
    """What was seen of a cell: vantage, family, port and what the port was."""
    for vantage, each in swept.items():
        for family in cell.families:
            for port in cell.ports:
                yield vantage, family, port, each.seen[address(cell, family, vantage), port]


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name) for cell in CELLS])
def test_each_cell_is_what_its_rules_make_of_it(firewall: Bed, swept: dict[str, Swept], cell: Cell) -> None:
    assert not [line for vantage, each in swept.items() for line in not_as_it_is(firewall, vantage, cell, each)]


def test_next_to_no_lost_syn_hides_a_port(swept: dict[str, Swept]) -> None:
    seen = [(cell.name, seen.state) for cell in CELLS if cell.lossy for _, _, _, seen in seen_of(swept, cell)]
    assert len(seen) == 2 * 3 * 2 * 20
    # The firewall drops by chance: of a million ports that lose every other SYN, one loses all twenty.
    assert [each for each in seen if each[1] != "open"][1:] == []


def test_no_port_that_serves_is_called_filtered_or_closed(swept: dict[str, Swept]) -> None:
    wrong = [
        (cell.name, vantage, family, port, seen)
        for cell in CELLS
        if cell.served and not cell.lossy
        for vantage, family, port, seen in seen_of(swept, cell)
        if seen.state != ConnectState.OPEN
    ]
    assert not wrong


def test_a_port_is_asked_again_before_it_is_called_filtered(swept: dict[str, Swept]) -> None:
    filtered = 0
    for cell in CELLS:
        for vantage, family, port, seen in seen_of(swept, cell):
            counted = swept[vantage].syns.get((address(cell, family, vantage), port))
            if seen.state == "filtered" and counted is not None:
                filtered += 1
                assert seen.asked == len(counted.came) >= 2, (cell.name, seen, counted)
                # The kernel of each asked again by itself as well.
                assert all(each >= 2 for each in counted.came), (cell.name, seen, counted)
    assert filtered >= 3 * 2 * 2


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name) for cell in CELLS if udp_state(cell)])
def test_udp_through_the_same_rules(firewall: Bed, swept: dict[str, Swept], cell: Cell) -> None:
    state = udp_state(cell)
    for vantage, each in swept.items():
        for family in cell.families:
            seen = each.seen[address(cell, family, vantage), UDP]
            assert seen.state == state, (vantage, family, seen)
            icmp, offender = cell.icmp.get(family), firewall.offender(vantage, cell, family)
            if state == UdpState.CLOSED:
                # The device itself said so (RFC 1122 4.1.3.1, RFC 4443 3.1).
                icmp, offender = {4: (3, 3), 6: (1, 4)}[family], address(cell, family)
            assert (seen.icmp, seen.offender) == (icmp, offender), (vantage, family, seen)


@pytest.mark.parametrize("vantage", VANTAGES)
def test_what_is_open_depends_on_the_zone(swept: dict[str, Swept], vantage: str) -> None:
    for family in FAMILIES:
        states = tuple(swept[vantage].seen[address(ZONES, family), port].state for port in ZONES.ports)
        assert states == BY_ZONE[vantage]


def _named(name: str) -> Cell:
    return next(cell for cell in CELLS if cell.name == name)


def checked(firewall: Bed, folder: Path, vantage: str) -> Run:
    """`check` from a vantage, under a policy by zone."""
    dicom = {"kind": "dicom", "port": firewall.dicom_port, "ae_title": "ANY-SCP"}
    assets = [
        {"id": asset, "address": address(_named(cell), 4), "zone": "imaging", "services": [dicom]}
        for asset, cell in _PROXIED.items()
    ]
    assets += [
        {
            "id": "by-zone",
            "address": [address(ZONES, family) for family in FAMILIES],
            "zone": "imaging",
            "services": [],
        },
        {
            "id": "hole",
            "address": [address(TWO_FAMILIES, family) for family in FAMILIES],
            "zone": "imaging",
            "services": [],
        },
    ]
    one, two = (f"tcp/{port}" for port in SERVED[:2])
    folder.mkdir()
    path = inventory(
        folder,
        assets,
        owned_networks=["10.231.2.0/24", "fd00:231:2::/64"],
        zones=[{"name": name} for name in ("imaging", *VANTAGES)],
        defaults={"calling_ae_title": "SECAUDIT", "ports": list(ZONES.ports)},
        exposure=[
            {"from": "clinical", "to": {"asset": "by-zone"}, "must_reach": [one]},
            {"from": "clinical", "to": {"asset": "proxied*"}, "must_reach": [f"dicom/{firewall.dicom_port}"]},
            {"from": "admin", "to": {"asset": "by-zone"}, "may_reach": [one], "must_reach": [f"tcp/{SERVED[2]}"]},
            {"from": "guest", "to": {"asset": "by-zone"}, "may_reach": [two]},
        ],
    )
    done = subprocess.run(
        firewall.command(vantage, *command("check", path, "--output", folder, "--vantage", vantage)),
        capture_output=True, text=True, timeout=100, env=environment(**PATH), cwd=folder,
    )  # fmt: skip
    assert (folder / "latest").exists(), done.stderr
    return Run((folder / "latest").resolve(), done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def runs(firewall: Bed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("firewall")
    with ThreadPoolExecutor(len(VANTAGES)) as pool:
        found = pool.map(lambda vantage: checked(firewall, folder / vantage, vantage), VANTAGES)
        return dict(zip(VANTAGES, found, strict=True))


def states(run: Run, asset: str) -> dict[tuple[str, int], str]:
    """The states of the ports of an asset, as a run has stored them."""
    return {
        (item["address"], item["port"]): item["facts"]["state"]
        for item in run.observations
        if item["facts"]["type"] == "port" and item["asset_id"] == asset
    }


@pytest.mark.parametrize("vantage", VANTAGES)
def test_check_stores_what_its_zone_sees(runs: dict[str, Run], vantage: str) -> None:
    expected = {
        (address(ZONES, family), port): state
        for family in FAMILIES
        for port, state in zip(ZONES.ports, BY_ZONE[vantage], strict=True)
    }
    assert states(runs[vantage], "by-zone") == expected
    assert {run_vantage["vantage"] for run_vantage in runs[vantage].observations} == {vantage}


@pytest.mark.parametrize(
    ("vantage", "rule", "status"),
    [
        ("clinical", "exposure.unexpected-open", "pass"),  # its must_reach alone is open
        ("clinical", "exposure.must-reach-broken", "unknown"),  # and says nothing, as a firewall in its name would
        ("admin", "exposure.unexpected-open", "fail"),  # the second port is open and no line has it
        ("admin", "exposure.must-reach-broken", "fail"),  # and the third, which must be, is rejected
        ("guest", "exposure.unexpected-open", "pass"),  # everything is dropped, though one might be reached
        ("guest", "exposure.must-reach-broken", "not_applicable"),
    ],
)
def test_each_zone_is_judged_by_its_own_lines(runs: dict[str, Run], vantage: str, rule: str, status: str) -> None:
    assert set(runs[vantage].statuses("by-zone", rule)) == {status}


@pytest.mark.parametrize("vantage", VANTAGES)
def test_a_rule_that_was_forgotten_in_one_family_shows(runs: dict[str, Run], vantage: str) -> None:
    seen = states(runs[vantage], "hole")
    assert {seen[address(TWO_FAMILIES, 4), port] for port in ZONES.ports} == {"filtered"}
    assert {seen[address(TWO_FAMILIES, 6), port] for port in ZONES.ports} == {"open"}
    assert set(runs[vantage].statuses("hole", "exposure.address-family-gap")) == {"fail"}
    assert set(runs[vantage].statuses("hole", "exposure.unexpected-open")) == {"fail"}


def test_only_a_byte_of_the_service_proves_what_a_proxy_takes_in_its_name(firewall: Bed, runs: dict[str, Run]) -> None:
    run = runs["clinical"]
    for asset, cell in _PROXIED.items():
        assert states(run, asset)[address(_named(cell), 4), firewall.dicom_port] == "open"
    assert run.status("proxied", "exposure.must-reach-broken") == "pass"
    assert run.status("proxied-dead", "exposure.must-reach-broken") == "unknown"


@pytest.mark.parametrize(
    ("how", "says"), [("-sT", "closed (conn-refused)"), ("-sS", "filtered (port-unreach)")], ids=["-sT", "-sS"]
)
def test_what_nmap_says_of_a_reject_that_has_the_errno_of_a_reset(firewall: Bed, how: str, says: str) -> None:
    cell = _named("icmp-port-unreachable")
    (port,) = cell.ports
    assert str(scan(firewall.command("clinical"), how, address(cell, 4), [port])[port]) == says
