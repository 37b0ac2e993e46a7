"""What a sweep of ports behind a firewall takes, beside nmap in the same namespace: thirty ports of many addresses.

One port of each address is open. The firewall drops the other 29, so that what is measured is patience; or nobody
listens on any, so that it is CPU. Ours is measured in a child: whole visits by the engine with default manners, and
sweeps alone. What nmap takes to start is taken off its CPU. `--10000` asks ten thousand assets as well.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tests.bench.exposure_fleet import CLOSED, DROPPED, PORTS, Used, Way, addresses, fleet
from tests.live.checking import environment
from tests.live.namespaces import PATH
from tests.live.servers.process import ROOT, python_child, require

ASSETS = 250
MANY = 2300
MOST = 10_000
RUNS = 3

_NMAP = ("--unprivileged", "-sT", "-Pn", "-n")
_T4 = ("-T4",)
_TUNED = ("-T5", "--min-parallelism", "1000", "--max-retries", "1")
TUNED = "nmap -T5 --min-parallelism 1000 --max-retries 1 -sT"
T4 = "nmap -T4 -sT"
VISITS = "pacs-checker, whole visits"
SWEEPS = "pacs-checker, sweeps alone"
ONCE = "pacs-checker, sweeps alone, no second question"
BARE = "bare loop of non-blocking sockets"
_WAYS: dict[str, Way] = {VISITS: "visits", SWEEPS: "sweeps", ONCE: "sweeps-once", BARE: "bare"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client has cost for 30 ports of so many assets: seconds, CPU a port, and memory, which is None of nmap."""

    name: str
    assets: int
    wall_s: float
    cpu_us: float
    peak_mib: float | None = None


def main() -> None:
    """Print a line for each client, those of the dropped ports first."""
    sys.stdout.write(f"{PORTS} ports each, {PORTS - 1} dropped\n")
    for cost in dropped(ten_thousand="--10000" in sys.argv):
        _print(cost)
    sys.stdout.write(f"{PORTS} ports each, all closed\n")
    for cost in closed():
        _print(cost)


def dropped(*, ten_thousand: bool = False) -> Iterator[Cost]:
    """29 of 30 ports dropped: every client, in one run."""
    with fleet() as asker:
        for name in (VISITS, SWEEPS, ONCE):
            yield _ours(asker, name, ASSETS, "dropped", runs=RUNS if name == VISITS else 1)
        yield _nmap(asker, TUNED, _TUNED, DROPPED, ASSETS)
        yield _nmap(asker, T4, _T4, DROPPED, ASSETS, runs=1)
        for assets in (MANY, MOST) if ten_thousand else (MANY,):
            yield _ours(asker, VISITS, assets, "dropped", runs=1)


def closed() -> Iterator[Cost]:
    """All ports closed: every client, in one run."""
    with fleet() as asker:
        for name in (VISITS, SWEEPS, BARE):
            yield _ours(asker, name, ASSETS, "closed", runs=RUNS)
        for name, options in ((T4, _T4), (TUNED, _TUNED)):
            yield _nmap(asker, name, options, CLOSED, ASSETS)


def _print(cost: Cost) -> None:
    memory = "" if cost.peak_mib is None else f"  {cost.peak_mib:6.0f} MiB"
    sys.stdout.write(
        f"{cost.name:50} {cost.assets:6} assets {cost.wall_s:7.2f} s {cost.cpu_us:7.1f} us of CPU a port{memory}\n"
    )
    sys.stdout.flush()


def _ours(asker: str, name: str, assets: int, what: str, *, runs: int) -> Cost:
    command = _inside(asker, python_child("tests.bench.exposure_fleet", _WAYS[name], str(assets), what))

    def run() -> Used:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(**PATH), cwd=ROOT)
        return Used(**json.loads(done.stdout))

    return _median(name, assets, run, runs)


def _nmap(
    asker: str, name: str, options: Sequence[str], ports: Sequence[int], assets: int, *, runs: int = RUNS
) -> Cost:
    binary = require("nmap", "nmap")

    def command(hosts: Sequence[str], last: int) -> list[str]:
        return _inside(asker, [binary, *_NMAP, *options, "-p", f"{ports[0]}-{last}", *hosts])

    start = _program(command(addresses(1), ports[0]))

    def run() -> Used:
        used = _program(command(addresses(assets), ports[-1]))
        return replace(used, cpu_s=used.cpu_s - start.cpu_s)

    return replace(_median(name, assets, run, runs), peak_mib=None)


def _inside(asker: str, command: Sequence[str]) -> list[str]:
    return ["ip", "netns", "exec", asker, *command]


def _program(command: Sequence[str]) -> Used:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Used(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0, 0)


def _median(name: str, assets: int, run: Callable[[], Used], runs: int) -> Cost:
    used = [run() for _ in range(runs)]
    wall, cpu = (statistics.median(getattr(one, key) for one in used) for key in ("wall_s", "cpu_s"))
    return Cost(name, assets, wall, cpu * 1e6 / (assets * PORTS), max(one.peak_mib for one in used))


if __name__ == "__main__":
    main()
