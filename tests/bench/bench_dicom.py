"""What DICOM costs, beside a client that does only that, pynetdicom, echoscu and nmap; and what others notice of us.

One cheap SCP, in a process of its own, answers on many addresses. Our side is in a child whose CPU alone is counted:
the survey alone, through the gateway with its ledger and manners, and whole visits by the engine. The bare client says
the same bytes. pynetdicom and echoscu propose one context, echo and release; nmap's dicom-ping associates, no more.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.bench import dicom_clients, dicom_fleet
from tests.bench.dicom_bystander import report as bystanders
from tests.live.servers.process import python_child, require, serving

ARCHIVES = 2300
PEER_ADDRESSES = 100  # the peers take long for more
RUNS = 5
WARM_UP = 50  # what is imported, read and encoded once is not counted

_Count = Callable[[Sequence[str], int], Callable[[], int]]

SURVEY = "pacs-checker, survey and release"
SURVEY_ECHO = "pacs-checker, survey, C-ECHO and release"
VISIT = "pacs-checker, whole visits"
BARE = "bare uvloop client, survey and release"
BARE_ECHO = "bare uvloop client, survey, C-ECHO and release"
PYNETDICOM = f"pynetdicom, {dicom_clients.THREADS} threads, C-ECHO and release"
ECHOSCU = "echoscu"
NMAP = "nmap dicom-ping"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client has cost: CPU in us for each association, associations a second, and how many they were."""

    name: str
    cpu_us: float
    per_second: float
    associations: int

    @property
    def cpu_s(self) -> float:
        """The CPU of all of them, in seconds."""
        return self.cpu_us * self.associations / 1e6


def main() -> None:
    """Print a line for each client, how our costs stand to theirs and to the bounds, and what a bystander noticed."""
    costs = []
    for cost in measure():
        costs.append(cost)
        sys.stdout.write(
            f"{cost.name:48} {cost.cpu_us:9.1f} us of CPU an association {cost.per_second:8.0f} a second"
            f"  {cost.associations:5} associations in {cost.cpu_s:6.2f} s of CPU\n"
        )
        sys.stdout.flush()
    sys.stdout.writelines(f"{line}\n" for line in (*ratios(costs), *bystanders()))


def ratios(costs: Sequence[Cost]) -> list[str]:
    """How our costs stand to those of the others, a line for each of ours."""
    others = [cost for cost in costs if not cost.name.startswith("pacs-checker")]
    return [
        f"{cost.name}: " + ", ".join(f"{cost.cpu_us / other.cpu_us:.3g} times {other.name}" for other in others)
        for cost in costs
        if cost not in others
    ]


def measure() -> Iterator[Cost]:
    """Every client against the same SCP, in one run; medians of `RUNS`."""
    with _scp() as port:
        for name in _CHILDREN:
            yield _median(name, partial(_child, name, port))
        yield _median(ECHOSCU, partial(_programs, _by_echoscu(port)))
        yield _median(NMAP, partial(_programs, _by_nmap(port)))


@contextmanager
def _scp() -> Iterator[int]:
    def command(_folder: object, ports: tuple[int, ...]) -> list[str]:
        return python_child("tests.bench.dicom_scp", str(ports[0]))

    with serving("cheap-scp", command) as process:
        yield process.ports[0]


def _median(name: str, run: Callable[[], dict[str, float]]) -> Cost:
    runs = [run() for _ in range(RUNS)]
    cpu, wall = (statistics.median(one[key] for one in runs) for key in ("cpu", "wall"))
    associations = round(runs[0]["associations"])
    return Cost(name, cpu * 1e6 / associations, associations / wall, associations)


def _child(name: str, port: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_dicom", name, str(port)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _programs(commands: Sequence[Sequence[str]]) -> dict[str, float]:
    """Run other programs, one after the other, each to its end; what they have cost for an association of each host."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return _used(resource.RUSAGE_CHILDREN, before, start, PEER_ADDRESSES)


def _by_echoscu(port: int) -> list[list[str]]:
    return [[require("echoscu", "dcmtk"), host, str(port)] for host in _addresses(PEER_ADDRESSES)]


def _by_nmap(port: int) -> list[list[str]]:
    # The plus sign: dicom-ping asks few ports by itself.
    options = ["-Pn", "-n", "-p", str(port), "--script", "+dicom-ping"]
    return [[require("nmap", "nmap"), *options, *_addresses(PEER_ADDRESSES)]]


def _addresses(count: int) -> list[str]:
    return [f"127.9.{100 + number // 250}.{number % 250 + 1}" for number in range(count)]


def _surveyed(addresses: Sequence[str], port: int, *, echo: bool) -> Callable[[], int]:
    fleet = dicom_fleet.inventory(addresses, port)
    return lambda: dicom_fleet.survey(fleet, echo=echo)


def _visited(addresses: Sequence[str], port: int) -> Callable[[], int]:
    fleet = dicom_fleet.inventory(addresses, port)
    return lambda: dicom_fleet.visit(fleet)


def _bare(addresses: Sequence[str], port: int, *, echo: bool) -> Callable[[], int]:
    return lambda: dicom_clients.bare(addresses, port, echo=echo)


def _threads(addresses: Sequence[str], port: int) -> Callable[[], int]:
    return lambda: dicom_clients.pynetdicom(addresses[:PEER_ADDRESSES], port)


_CHILDREN: dict[str, _Count] = {
    SURVEY: partial(_surveyed, echo=False),
    SURVEY_ECHO: partial(_surveyed, echo=True),
    VISIT: _visited,
    BARE: partial(_bare, echo=False),
    BARE_ECHO: partial(_bare, echo=True),
    PYNETDICOM: _threads,
}
"""By name: what gets ready to ask so many addresses, and gives what asks them and counts the associations."""


def _measured(name: str, port: int) -> dict[str, float]:
    """In the child: ask every address, and say what it took."""
    _CHILDREN[name](_addresses(WARM_UP), port)()
    ask = _CHILDREN[name](_addresses(ARCHIVES), port)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    associations = ask()
    return _used(resource.RUSAGE_SELF, before, start, associations)


def _used(who: int, before: resource.struct_rusage, start: float, associations: int) -> dict[str, float]:
    after, wall = resource.getrusage(who), time.perf_counter() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "wall": wall, "associations": associations}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(sys.argv[1], int(sys.argv[2]))))
