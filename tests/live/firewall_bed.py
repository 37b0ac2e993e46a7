"""A real firewall between three zones and a device: nftables in a namespace that the test makes, and gone after it.

    clinical (10.231.1.2, fd00:231:1::2) ---+
    admin    (10.231.3.2, fd00:231:3::2) ---+--- firewall --- device (10.231.2.0/24, fd00:231:2::/64)
    guest    (10.231.4.2, fd00:231:4::2) ---+

`firewall_cells` says what the firewall does to each address of the device. No packet leaves these namespaces.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from checker.model import ConnectState
from tests.live.checking import environment
from tests.live.firewall_cells import (
    CELLS,
    FAMILIES,
    QUEUE,
    SERVED,
    TALKS,
    VANTAGES,
    Cell,
    Place,
    everything,
)
from tests.live.firewall_rules import address, device_ruleset, ruleset, subnet
from tests.live.namespaces import (
    PATH,
    inside,
    link,
    namespace,
    require_namespaces,
    route,
    run,
    settle,
    wait_until_settled,
)
from tests.live.servers.process import ROOT, python_child, require, serving

_DRIVER, _DEVICE = "tests.live.firewall_driver", "tests.live.firewall_device"
_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one port of an address turned out to be, in the words of `PortFacts`."""

    state: str
    icmp: tuple[int, int] | None
    offender: str | None
    asked: int
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Syns:
    """What the firewall counted of an address and a port: SYNs of each of our sockets, and how many it let through."""

    came: tuple[int, ...]
    passed: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What one zone saw of every port, by address, and what the firewall counted of it."""

    seen: Mapping[tuple[str, int], Seen]
    syns: Mapping[tuple[str, int], Syns]


@dataclass(frozen=True, slots=True)
class Bed:
    """The namespaces, by what is in them."""

    vantages: Mapping[str, str]
    firewall: str
    device: str
    dicom_port: int
    """Where storescp takes associations, on each IPv4 address of the device."""

    def command(self, vantage: str, *command: str) -> list[str]:
        """A command line, inside a vantage."""
        return ["ip", "netns", "exec", self.vantages[vantage], *command]

    def sweep(
        self,
        vantage: str,
        targets: Mapping[str, Sequence[int]],
        *,
        pending: int = 8,
        udp: int | None = None,
        late: bool = False,
    ) -> dict[tuple[str, int], Seen]:
        """What the product sees from a vantage of these ports, by address, and of the UDP port `udp` of each of them.

        Every address is asked at once. No number may be of both. `late`: by an event loop that mostly stands still.
        """
        done = subprocess.run(
            self.command(vantage, *python_child(_DRIVER)),
            input=json.dumps({"targets": targets, "pending": pending, "udp": udp, "late": late}) + "\n",
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            env=environment(**PATH),
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        found = {}
        for each in json.loads(done.stdout):
            icmp = tuple(each["icmp"]) if each["icmp"] else None
            seen = Seen(each["state"], icmp, each["offender"], each["asked"], each.get("proved", False))
            found[each["address"], each["port"]] = seen
        return found

    def offender(self, vantage: str, cell: Cell, family: int) -> str | None:
        """Who sends the ICMP error of a cell."""
        if cell.offender is None:
            return None
        return _end(vantage, family, 1 if cell.offender == "firewall" else 2)

    def syns(self, vantage: str) -> dict[tuple[str, int], Syns]:
        """What the firewall has counted of what came from a vantage."""
        came: dict[tuple[str, int], list[int]] = {}
        passed: dict[tuple[str, int], int] = {}
        for family in FAMILIES:
            own = _end(vantage, family, 2)
            for (asker, host, port, _), packets in self._counted(f"asked{family}"):
                if asker == own:
                    came.setdefault((host, port), []).append(packets)
            for (asker, host, port), packets in self._counted(f"passed{family}"):
                if asker == own:
                    passed[host, port] = packets
        return {place: Syns(tuple(each), passed.get(place, 0)) for place, each in came.items()}

    def _counted(self, name: str) -> Iterator[tuple[tuple[Any, ...], int]]:
        listed = json.loads(inside(self.firewall, "nft", "--json", "list", "set", "inet", "filter", name))
        elements = next(item["set"] for item in listed["nftables"] if "set" in item).get("elem", ())
        for element in elements:
            yield tuple(element["elem"]["val"]["concat"]), int(element["elem"]["counter"]["packets"])

    @contextmanager
    def full_queues(self) -> Iterator[None]:
        """The listeners whose accept queue is full, anew for each asker."""
        with ExitStack() as stack:
            for cell in CELLS:
                if cell.name.startswith("queue-"):
                    how = cell.name.removeprefix("queue-")
                    hosts = [address(cell, family) for family in FAMILIES]
                    stack.enter_context(_child(self.device, "queue", how, str(QUEUE), *hosts))
            yield


def not_as_it_is(bed: Bed, vantage: str, cell: Cell, swept: Swept) -> list[str]:
    """What of a cell was not seen as its rules make it, a line for each port."""
    wrong = []
    for family in cell.families:
        host = address(cell, family, vantage)
        for port in cell.ports:
            seen, states = swept.seen[host, port], cell.states
            if cell.lossy:
                # Chance may lose all SYNs of a port, which then is as silent as any; the firewall knows.
                states = (ConnectState.OPEN if swept.syns[host, port].passed else ConnectState.FILTERED,)
            expected = (cell.icmp.get(family), bed.offender(vantage, cell, family))
            # A sweep says nothing to a port and waits for nothing, so that it proves none.
            if seen.state not in states or (seen.icmp, seen.offender) != expected or seen.proved:
                wrong.append(f"{cell.name} from {vantage} at {host}, port {port}: {seen}")
    return wrong


def targets(cells: Sequence[Cell], vantage: str) -> dict[str, list[int]]:
    """What to ask of cells, by address."""
    return {address(cell, family, vantage): list(cell.ports) for cell in cells for family in cell.families}


@contextmanager
def bed() -> Iterator[Bed]:
    """The whole bed until the end of the block; ends the test where this machine cannot have one."""
    require_namespaces()
    with ExitStack() as stack:
        names = {role: stack.enter_context(namespace(role)) for role in (*VANTAGES, "firewall", "device")}
        firewall, device = names["firewall"], names["device"]
        for vantage in VANTAGES:
            ends = [(names[vantage], *_ends(vantage, 2)), (firewall, *_ends(vantage, 1))]
            link(ends[0], ends[1], ("to-firewall", f"from-{vantage}"))
            networks = ["10.231.2.0/24", "fd00:231:2::/64", "10.232.0.0/16", "fd00:232::/32"]
            route(names[vantage], networks, {family: _end(vantage, family, 1) for family in FAMILIES})
        link(
            (firewall, "10.231.2.1", "fd00:231:2::1"), (device, "10.231.2.2", "fd00:231:2::2"), ("to-device", "outside")
        )
        run("ip", "-n", device, "route", "add", "default", "via", "10.231.2.1")
        run("ip", "-n", device, "route", "add", "default", "via", "fd00:231:2::1")
        _add_addresses(device)
        settle(firewall, _ROUTER)
        wait_until_settled(tuple(names.values()))
        inside(firewall, "nft", "-f", "-", given=ruleset())
        settle(
            firewall, {"netfilter/nf_conntrack_tcp_loose": "0"}
        )  # what a SYN proxy wants; it is there with its rules
        inside(device, "nft", "-f", "-", given=device_ruleset())
        stack.enter_context(_child(device, "serve", str(TALKS), *map(str, SERVED)))
        archive = stack.enter_context(
            serving("storescp", lambda _, ports: _storescp(device, ports[0]), environment=PATH)
        )
        yield Bed({vantage: names[vantage] for vantage in VANTAGES}, firewall, device, archive.ports[0])


# The kernel's own thrift with ICMP is not what is tested: a cell of its own has a rate limit.
_ROUTER = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv4/icmp_ratemask": "0",
    "ipv6/icmp/ratelimit": "0",
}


def _add_addresses(device: str) -> None:
    own = [cell for cell in everything() if cell.place is Place.DEVICE]
    lines = [
        f"address add {address(cell, family)}/{ {4: 24, 6: 64}[family] } dev outside"
        for cell in own
        for family in FAMILIES
    ]
    run("ip", "-n", device, "-batch", "-", given="\n".join(lines) + "\n")


@contextmanager
def _child(device: str, role: str, *arguments: str) -> Iterator[None]:
    """A process of the device, ready."""
    command = ["ip", "netns", "exec", device, *python_child(_DEVICE, role, *arguments)]
    with serving(f"{role}-{arguments[0]}", lambda _, __: command, ports=0, ready="ready\n", environment=_environment()):
        yield


def _storescp(device: str, port: int) -> list[str]:
    return ["ip", "netns", "exec", device, require("storescp", "dcmtk"), "--ignore", "-dhl", str(port)]


def _environment() -> dict[str, str]:
    return {**PATH, "PYTHONPATH": os.fspath(ROOT)}


def _end(vantage: str, family: int, number: int) -> str:
    number_of = subnet(vantage)
    return {4: f"10.231.{number_of}.{number}", 6: f"fd00:231:{number_of}::{number}"}[family]


def _ends(vantage: str, number: int) -> tuple[str, str]:
    return _end(vantage, 4, number), _end(vantage, 6, number)
