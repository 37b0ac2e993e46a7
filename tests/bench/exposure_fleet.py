"""A fleet behind a firewall for the benchmark: namespaces with many addresses, and our side of it in a child.

The device's namespace has a whole network, so each address of it answers; one port of thirty is open, the others are
dropped, or nobody listens there. No packet leaves these namespaces.
"""

from __future__ import annotations

import asyncio
import errno
import json
import resource
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args
from unittest.mock import patch

from checker.engine import EngineOptions, run_visits
from checker.engine.loop import loop_factory, seldom_collecting
from checker.model import (
    AssetManners,
    Authorization,
    ConnectState,
    Defaults,
    Inventory,
    Observation,
    PortFacts,
    Role,
)
from checker.net.gateway import Clock, Gateway
from checker.net.ledger import Ledger
from checker.net.manners import Manners
from checker.net.sweep import Sweep
from tests.live.doors import asset
from tests.live.namespaces import PATH, inside, link, namespace, require_namespaces, run, wait_until_settled
from tests.live.servers.process import python_child, serving
from tests.memory import peak_kib

PORTS = 30
OPEN = 30_101
DROPPED = tuple(range(30_101, 30_101 + PORTS))
"""The first is open, and a firewall drops the others."""
CLOSED = tuple(range(30_201, 30_201 + PORTS))
"""Nobody listens on any, and nothing is dropped."""
AT_A_SITE = 8
"""Assets of one site, and of some one more: with eight half-open connections each, its cap of 64 is just reached."""
WARM_UP = 10
Way = Literal["visits", "sweeps", "sweeps-once", "bare"]
"""Whole visits by the engine, with the manners that an inventory has by default; sweeps alone, without gaps; the same
without a second question, which is no way to call a port filtered; a loop that does nothing but connect."""


class Unexpected(Exception):  # noqa: N818 - named for what it is
    """A port was not what it is: what it has cost would mean nothing."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a run has cost: seconds of wall time and of CPU, and the most memory that it has held, in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    connections: int


@contextmanager
def fleet() -> Iterator[str]:
    """The namespaces until the end of the block; gives the one to ask from."""
    require_namespaces()
    with namespace("asker") as asker, namespace("fleet") as behind:
        link((asker, "10.239.0.1", "fd00:239::1"), (behind, "10.239.0.2", "fd00:239::2"))
        run("ip", "-n", asker, "route", "add", "10.240.0.0/14", "via", "10.239.0.2")
        run("ip", "-n", behind, "route", "add", "local", "10.240.0.0/14", "dev", "lo")
        wait_until_settled((asker, behind))
        inside(behind, "nft", "-f", "-", given=_RULES)
        command = ["ip", "netns", "exec", behind, *python_child("tests.live.firewall_device", "serve", "1", str(OPEN))]
        with serving("fleet", lambda _, __: command, ports=0, ready="ready\n", environment=PATH):
            yield asker


_RULES = f"""
table inet filter {{
    chain input {{
        type filter hook prerouting priority raw; policy accept;
        tcp dport {DROPPED[1]}-{DROPPED[-1]} drop
    }}
}}
"""


def addresses(count: int, first: int = 0) -> list[str]:
    """So many addresses of the fleet."""
    return [
        f"10.{240 + number // 65_000}.{number % 65_000 // 250}.{number % 250 + 1}"
        for number in range(first, first + count)
    ]


def inventory(hosts: Sequence[str], ports: Sequence[int], manners: AssetManners) -> Inventory:
    """An asset at each address, a few of them to a site."""
    sites = max(1, len(hosts) // AT_A_SITE)
    return Inventory(
        organization="Synthetic",
        authorization=Authorization("Synthetic", "BENCH", date.max),
        owned_networks=("10.240.0.0/14",),
        public_networks=(),
        excluded=(),
        zones=(),
        defaults=Defaults(ports=tuple(ports)),
        exposure=(),
        assets=tuple(
            replace(asset(host, [host], site=f"site-{number % sites}", manners=manners), role=Role.ARCHIVE)
            for number, host in enumerate(hosts)
        ),
        waivers=(),
    )


class _Counting:
    """What was recorded is counted and dropped."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()

    def observation(self, observation: Observation) -> None:
        """Count a port by its state."""
        if isinstance(observation.facts, PortFacts):
            self.states[observation.facts.state] += 1

    def ledger(self, line: bytes) -> None:
        """Taken and dropped."""

    def sync(self) -> None:
        """Nothing to bring to disk."""


def ask(way: Way, hosts: Sequence[str], ports: Sequence[int]) -> int:
    """Ask all ports of all hosts; the connections that it took. Unexpected where a port was not what it is."""
    states, connections = _WAYS[way](hosts, ports)
    opened = OPEN in ports
    silent = ConnectState.FILTERED if opened else ConnectState.CLOSED
    expected = {ConnectState.OPEN: opened * len(hosts), silent: (len(ports) - opened) * len(hosts)}
    if states != Counter(expected):
        raise Unexpected(dict(states))
    return connections


def _visits(hosts: Sequence[str], ports: Sequence[int]) -> tuple[Counter[str], int]:
    counting = _Counting()
    listed = inventory(hosts, ports, AssetManners())
    options = EngineOptions(concurrency=len(hosts))
    end = run_visits(listed, listed.assets, options, counting, run_id="bench", visited=lambda _asset: None)
    return counting.states, end.totals.connections


def _sweeps(hosts: Sequence[str], ports: Sequence[int]) -> tuple[Counter[str], int]:
    with seldom_collecting(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_all_sweeps(hosts, ports))


async def _all_sweeps(hosts: Sequence[str], ports: Sequence[int]) -> tuple[Counter[str], int]:
    states: Counter[str] = Counter()
    listed = inventory(hosts, ports, AssetManners(gap_s=0.0))
    clock = Clock(utc=lambda: datetime.now(UTC), local=lambda: datetime.now().astimezone())
    ledger = Ledger(lambda _line: None, run_id="bench", vantage="local", now=clock.utc)
    gateway = Gateway(listed, Manners(connections_per_second=1e9), ledger, clock)

    def record(_port: int, facts: PortFacts) -> None:
        states[facts.state] += 1

    async def one(host: str) -> int:
        device = gateway.device(by_host[host])
        permit = device.permit(host)
        if permit is None:
            raise Unexpected(host)
        await device.sweep(permit, ports, record)
        return device.connections

    by_host = {each.addresses[0]: each for each in listed.assets}
    return states, sum(await asyncio.gather(*map(one, hosts)))


def _sweeps_once(hosts: Sequence[str], ports: Sequence[int]) -> tuple[Counter[str], int]:
    def conclude(sweep: Sweep, port: Any) -> None:
        sweep._conclude(port, PortFacts(state=ConnectState.FILTERED))

    with patch.object(Sweep, "_ask_again_or_conclude", conclude):
        return _sweeps(hosts, ports)


def _bare(hosts: Sequence[str], ports: Sequence[int]) -> tuple[Counter[str], int]:
    """The least that Python can do: plain sockets in an epoll, for ports that answer at once."""
    states: Counter[str] = Counter()
    waiting = deque((host, port) for host in hosts for port in ports)
    connections = len(waiting)
    pending: dict[int, socket.socket] = {}
    with select.epoll() as epoll:
        while waiting or pending:
            while waiting and len(pending) < _BARE_PENDING:
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                sock.connect_ex(waiting.popleft())
                pending[sock.fileno()] = sock
                epoll.register(sock, select.EPOLLOUT)
            for descriptor, _ in epoll.poll():
                sock = pending.pop(descriptor)
                refused = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
                states[ConnectState.CLOSED if refused else ConnectState.OPEN] += 1
                sock.close()
    return states, connections


_BARE_PENDING = 64
_WAYS: dict[str, Callable[[Sequence[str], Sequence[int]], tuple[Counter[str], int]]] = {
    "visits": _visits,
    "sweeps": _sweeps,
    "sweeps-once": _sweeps_once,
    "bare": _bare,
}


def measured(use: Callable[[], int]) -> Used:
    """What something costs this process; it gives the connections that it took."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    connections = use()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(wall, cpu, peak_kib() / 1024, connections)


def _main(way: Way, count: int, what: str) -> None:
    ports = DROPPED if what == "dropped" else CLOSED
    # What is imported and made once is not counted. The open port alone, for what is dropped takes its time.
    ask(way, addresses(WARM_UP, first=count), ports[:1])
    used = measured(lambda: ask(way, addresses(count), ports))
    sys.stdout.write(json.dumps(asdict(used)))


if __name__ == "__main__":
    _main(next(way for way in get_args(Way) if way == sys.argv[1]), int(sys.argv[2]), sys.argv[3])
