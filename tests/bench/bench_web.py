"""What a request of the web costs, beside a bare client, plain httpx in two set-ups, and aiohttp; and a whole visit.

One cheap server, in a process of its own, answers on many addresses. Each client is a child whose CPU alone is counted,
and asks every address once; the server answers when all of them ask, so that all are in flight. Ours asks through the
gateway with its ledger and manners; one over https makes its own TLS session, as those of the others do. Visits are the
engine's, as many at once as it makes by default. aiohttp is that of `make peers`.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench import web_clients, web_fleet
from tests.live.certificates import Authority
from tests.live.servers.process import ROOT, python_child, serving, unavailable

ADDRESSES = 2000
VISITED = 500  # whole visits over https make a dozen connections each
RUNS = 3
WARM_UP = 50
BOUND_MS = {"http": 0.9, "https": 1.8}
"""How much CPU a request of ours may cost, in ms."""

REQUEST = "pacs-checker, one request"
VISIT = "pacs-checker, whole visits"
BARE = "bare uvloop client"
HTTPX = "httpx, keep-alive off"
HTTPX_KEEPING = "httpx, unlimited keep-alive"
AIOHTTP = "aiohttp, keep-alive off"

_PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
_OURS: dict[str, Callable[..., int]] = {REQUEST: web_fleet.ask, VISIT: web_fleet.visit}
_OTHERS = {
    BARE: web_clients.BARE,
    HTTPX: web_clients.HTTPX,
    AIOHTTP: web_clients.AIOHTTP,
    HTTPX_KEEPING: web_clients.HTTPX_KEEPING,
}
# Its cost is that of keeping them and grows with their square, whatever is inside of them; it takes minutes.
_PLAIN_ALONE = (HTTPX_KEEPING,)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client has cost by `scheme`: CPU in ms for each of `addresses`, which had so many `connections` each."""

    name: str
    scheme: str
    cpu_ms: float
    connections: float
    addresses: int
    wall_s: float


def main() -> None:
    """Print a line for each client, how our costs stand to theirs, and whether a request keeps within its bound."""
    costs = []
    for cost in measure():
        costs.append(cost)
        sys.stdout.write(
            f"{cost.name:28} {cost.scheme:5} {cost.cpu_ms:7.3f} ms of CPU an address with {cost.connections:4.1f}"
            f" connections  {cost.wall_s:6.2f} s of wall time for {cost.addresses}\n"
        )
        sys.stdout.flush()
    sys.stdout.writelines(f"{line}\n" for line in (*ratios(costs), *bounds(costs)))


def ratios(costs: Sequence[Cost]) -> list[str]:
    """How a request of ours stands to those of the others, a line for each scheme."""
    return [
        f"{ours.name}, {ours.scheme}: "
        + ", ".join(
            f"{ours.cpu_ms / other.cpu_ms:.3g} times {other.name}"
            for other in costs
            if other.name in _OTHERS and other.scheme == ours.scheme
        )
        for ours in costs
        if ours.name == REQUEST
    ]


def bounds(costs: Sequence[Cost]) -> list[str]:
    """Whether a request of ours keeps within its bound, a line for each scheme."""
    return [
        f"{cost.name}, {cost.scheme}: {cost.cpu_ms:.2f} ms"
        f" ({'within' if cost.cpu_ms <= BOUND_MS[cost.scheme] else 'OVER'} {BOUND_MS[cost.scheme]} ms)"
        for cost in costs
        if cost.name == REQUEST
    ]


def measure() -> Iterator[Cost]:
    """Every client against the same server, in one run; medians of `RUNS`, taken in turn."""
    with _server() as ports:
        for scheme, port in ports.items():
            names = [name for name in (*_OURS, *_OTHERS) if scheme == "http" or name not in _PLAIN_ALONE]
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
            for _ in range(RUNS):
                for name in names:
                    runs[name].append(_child(name, scheme, port))
            yield from (_median(name, scheme, found) for name, found in runs.items())


def _median(name: str, scheme: str, runs: Sequence[dict[str, float]]) -> Cost:
    cpu, wall, connections = (statistics.median(one[key] for one in runs) for key in ("cpu", "wall", "connections"))
    addresses = _addresses(name)
    return Cost(name, scheme, cpu * 1000 / addresses, connections / addresses, addresses, wall)


def _addresses(name: str) -> int:
    return VISITED if name == VISIT else ADDRESSES


@contextmanager
def _server() -> Iterator[dict[str, int]]:
    """The server; its ports by scheme."""
    _allow_descriptors()
    with tempfile.TemporaryDirectory() as folder:
        files = Authority.create(Path(folder)).valid()

        def command(_folder: object, ports: tuple[int, ...]) -> list[str]:
            return python_child("tests.bench.web_server", *map(str, ports), str(files.certificate), str(files.key))

        with serving("cheap-web", command, ports=len(BOUND_MS)) as process:
            yield dict(zip(BOUND_MS, process.ports, strict=True))


def _allow_descriptors() -> None:
    """Every client and the server need one for each address, and some."""
    wanted = ADDRESSES + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _child(name: str, scheme: str, port: int) -> dict[str, float]:
    if name in _OURS:
        command = python_child("tests.bench.bench_web", name, scheme, str(port))
    else:
        python = _peers_python() if name == AIOHTTP else sys.executable
        arguments = (_OTHERS[name], scheme, str(port), str(ADDRESSES), str(WARM_UP))
        command = [python, "-m", "tests.bench.web_clients", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _peers_python() -> str:
    """The Python that has aiohttp: that of `make peers`, or what PEERS_PYTHON names."""
    named = os.environ.get("PEERS_PYTHON", "")
    found = next((path for path in (_PEERS, Path(named)) if path.is_file()), None)
    if found is None:
        unavailable("aiohttp is not there: make peers, or name its Python in PEERS_PYTHON")
    return str(found)


if __name__ == "__main__":
    _asked = partial(_OURS[sys.argv[1]], port=int(sys.argv[3]), tls=sys.argv[2] == "https")
    sys.stdout.write(json.dumps(web_clients.measured(_asked, _addresses(sys.argv[1]), WARM_UP)))
