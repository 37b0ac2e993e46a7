"""What TLS costs, beside nmap, sslyze and a client that only connects: one nginx of 24 suites, many addresses.

Our side is the whole engine, visits and ledger included, in a child whose CPU alone is counted. The bare client makes
the same connections, hellos and whole handshakes, and says goodbye as we do; it reads nothing of what comes. The peers
are asked for suites and certificate: nmap is Debian's, sslyze that of `make peers`.
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench import tls_fleet
from tests.live.certificates import Authority
from tests.live.peers import sslyze
from tests.live.peers.counting import counting
from tests.live.servers.nginx import Nginx, nginx
from tests.live.servers.process import require

ADDRESSES = 200
PEER_ADDRESSES = 10  # the peers take minutes for more; their cost is by address
RUNS = 3
# Accepted: five suites under TLS 1.0 and 1.1 each, eleven under TLS 1.2, three under TLS 1.3.
_CIPHERS = (
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA256"
    ":AES128-GCM-SHA256:AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-SHA:AES256-SHA:CAMELLIA128-SHA"
)
_SETTINGS = (
    f"ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers {_CIPHERS}:@SECLEVEL=0; location / {{ return 204; }}"
)
_HANDSHAKES = {"policy": 1, "full": 2}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client has cost for each server: CPU in ms, connections, wall time in ms with all servers at once."""

    name: str
    cpu_ms: float
    connections: float
    wall_ms: float


def main() -> None:
    """Print a line for each client, and our ratios."""
    costs: list[Cost] = []
    for cost in measure():
        costs.append(cost)
        sys.stdout.write(
            f"{cost.name:34} {cost.cpu_ms:8.2f} ms of CPU a server {cost.connections:6.1f} connections"
            f"  {cost.wall_ms:8.1f} ms of wall time\n"
        )
        sys.stdout.flush()
    sys.stdout.writelines(f"{line}\n" for line in ratios(costs))


def ratios(costs: Sequence[Cost]) -> list[str]:
    """How our cost stands to that of the others, a line for each pair."""
    ours = [cost for cost in costs if cost.name.startswith("pacs-checker")]
    found = []
    for cost in ours:
        for other in costs:
            bare = other.name.startswith("bare") and other.connections == cost.connections
            if bare or not other.name.startswith(("pacs-checker", "bare")):
                found.append(
                    f"{cost.name} to {other.name}: {cost.cpu_ms / other.cpu_ms:.3g} times the CPU,"
                    f" {cost.connections / other.connections:.2g} times the connections"
                )
    return found


def measure() -> list[Cost]:
    """Every client against the same server, in one run; medians of `RUNS`."""
    with tempfile.TemporaryDirectory() as folder:
        files = Authority.create(Path(folder)).valid()
        with nginx(_SETTINGS, tls=files, host="0.0.0.0", connections=4096) as server:
            found = []
            for depth, handshakes in _HANDSHAKES.items():
                port = str(server.port)
                ours = _median(f"pacs-checker, {depth} depth", partial(_child, "--ours", port, depth))
                hellos = round(ours.connections) - handshakes
                bare = partial(_child, "--bare", port, str(hellos), str(handshakes))
                found += [ours, _median(f"bare uvloop client, as {depth} depth", bare)]
            return found + [_peer(name, command, server) for name, command in _peers()]


def _median(name: str, run: Callable[[], dict[str, float]]) -> Cost:
    runs = [run() for _ in range(RUNS)]
    cpu, connections, wall = (statistics.median(one[key] for one in runs) for key in ("cpu", "connections", "wall"))
    return Cost(name, cpu, connections, wall)


_Command = Callable[[Sequence[str], int], list[str]]


def _peers() -> list[tuple[str, _Command]]:
    nmap, scripts = require("nmap", "nmap"), "ssl-enum-ciphers,ssl-cert"
    program = sslyze.binary()
    versions = ("--mozilla_config", "disable", "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3")

    def by_nmap(hosts: Sequence[str], port: int) -> list[str]:
        return [nmap, "-Pn", "-n", "-p", str(port), "--script", scripts, *hosts]

    def by_sslyze(hosts: Sequence[str], port: int) -> list[str]:
        return [program, "--certinfo", *versions, *(f"{host}:{port}" for host in hosts)]

    return [(f"nmap {scripts}", by_nmap), ("sslyze, suites and certificate", by_sslyze)]


def _peer(name: str, command: _Command, server: Nginx) -> Cost:
    hosts = [_address(number) for number in range(PEER_ADDRESSES)]
    with counting("127.0.0.1", server.port) as door:
        _run(command([door.host], door.port))

    def run() -> dict[str, float]:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        _run(command(hosts, server.port))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        wall = time.perf_counter() - start
        return {
            "cpu": used * 1000 / PEER_ADDRESSES,
            "connections": door.connections,
            "wall": wall * 1000 / PEER_ADDRESSES,
        }

    return _median(name, run)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _address(number: int) -> str:
    return f"127.9.{100 + number // 250}.{number % 250 + 1}"


def _child(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_tls", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _ours(port: int, depth: str) -> None:
    """In the child: visit every address, and say what it took."""
    tls_fleet.visit([_address(0)], port, depth)  # what is imported and read once is not counted
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    connections = tls_fleet.visit([_address(number) for number in range(ADDRESSES)], port, depth)
    _say(before, start, connections)


def _bare(port: int, hellos: int, handshakes: int) -> None:
    """In the child: as many connections by uvloop's Protocol, each with a hello, the first answer and a farewell."""
    import uvloop

    from checker.codecs.tls import farewell
    from checker.codecs.tls_hello import Version, client_hello

    hello = client_hello(Version.TLS_1_2, random=bytes(32)).data
    goodbye = farewell(Version.TLS_1_2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    class Client(asyncio.Protocol):
        def __init__(self, done: asyncio.Future[None], *, whole: bool) -> None:
            self._done = done
            self._whole = whole

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = transport
            if self._whole:
                transport.close()
            else:
                transport.write(hello)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            self._transport.write(goodbye)  # type: ignore[attr-defined]
            self._transport.close()

        def connection_lost(self, error: Exception | None) -> None:
            if not self._done.done():
                self._done.set_result(None)

    async def ask(address: str) -> None:
        loop = asyncio.get_running_loop()
        for number in range(hellos + handshakes):
            done, whole = loop.create_future(), number >= hellos
            wanted = context if whole else None
            await loop.create_connection(partial(Client, done, whole=whole), address, port, ssl=wanted)
            await done

    async def everything(addresses: Sequence[str]) -> None:
        await asyncio.gather(*map(ask, addresses))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(everything([_address(0)]))
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        runner.run(everything([_address(number) for number in range(ADDRESSES)]))
    _say(before, start, ADDRESSES * (hellos + handshakes))


def _say(before: resource.struct_rusage, start: float, connections: int) -> None:
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.perf_counter() - start
    said = {
        "cpu": used * 1000 / ADDRESSES,
        "connections": connections / ADDRESSES,
        "wall": wall * 1000 / ADDRESSES,
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    if sys.argv[1] == "--ours":
        _ours(int(sys.argv[2]), sys.argv[3])
    else:
        _bare(*map(int, sys.argv[2:]))
