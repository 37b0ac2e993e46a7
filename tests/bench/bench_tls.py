"""What TLS at policy depth costs, beside nmap, sslyze and a client that only connects: one nginx, many addresses.

Our side is the whole engine, visits and ledger included, in a child whose CPU alone is counted. The peers are asked for
suites and certificate. nmap is Debian's; sslyze is looked for in the environment variable SSLYZE. What is not there is
said and left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

ADDRESSES = 200
PEER_ADDRESSES = 10  # the peers take minutes for more; their cost is by address
_RUNS = 3
# Accepted: four suites under TLS 1.0 and 1.1 each, seven under TLS 1.2, three under TLS 1.3.
_SETTINGS = (
    "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;"
    " ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
    ":AES128-SHA:AES256-SHA:AES128-GCM-SHA256:@SECLEVEL=0;"
    " location / { return 204; }"
)


def main() -> None:
    """Print a row for each client."""
    from tests.live.certificates import Authority
    from tests.live.servers.nginx import nginx

    with tempfile.TemporaryDirectory() as folder:
        files = Authority.create(Path(folder)).valid()
        with nginx(_SETTINGS, tls=files, host="0.0.0.0") as server:
            ours = [_child("--ours", str(server.port)) for _ in range(_RUNS)]
            cpu = statistics.median(run["cpu_ms"] for run in ours)
            connections = ours[0]["connections"]
            bare = statistics.median(
                _child("--bare", str(server.port), str(round(connections)))["cpu_ms"] for _ in range(_RUNS)
            )
            _row("pacs-checker, policy depth", cpu, connections, statistics.median(run["wall_s"] for run in ours))
            _row("uvloop.Protocol, connect only", bare, connections, None)
            sys.stdout.write(f"{'ratio to the bare client':30} {cpu / bare:.2f}\n")
            for name, command in _peers(server.port):
                before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 / PEER_ADDRESSES
                _row(name, used, None, (time.perf_counter() - start) / PEER_ADDRESSES)


def _row(name: str, cpu_ms: float, connections: float | None, wall_s: float | None) -> None:
    made = "" if connections is None else f"{connections:6.1f} connections"
    wall = "" if wall_s is None else f"  {wall_s * 1000:8.1f} ms of wall time"
    sys.stdout.write(f"{name:30} {cpu_ms:8.2f} ms of CPU a server {made}{wall}\n")
    sys.stdout.flush()


def _peers(port: int) -> Sequence[tuple[str, list[str]]]:
    hosts = [_address(number) for number in range(PEER_ADDRESSES)]
    found: list[tuple[str, list[str]]] = []
    if nmap := shutil.which("nmap"):
        scripts = "ssl-enum-ciphers,ssl-cert"
        found.append(("nmap " + scripts, [nmap, "-Pn", "-n", "-p", str(port), "--script", scripts, *hosts]))
    else:
        sys.stdout.write("nmap is not there: install the Debian package nmap\n")
    if sslyze := os.environ.get("SSLYZE") or shutil.which("sslyze"):
        found.append(("sslyze", [sslyze, "--certinfo", "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2",
                                 "--tlsv1_3", *(f"{host}:{port}" for host in hosts)]))  # fmt: skip
    else:
        sys.stdout.write("sslyze is not there: name its program in SSLYZE\n")
    return found


def _address(number: int) -> str:
    return f"127.9.{100 + number // 250}.{number % 250 + 1}"


def _child(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_tls", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _ours(port: int) -> None:
    """In the child: visit every address, and say what it took."""
    from tests.bench.tls_fleet import visit

    visit([_address(0)], port)  # what is imported and read once is not counted
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    connections = visit([_address(number) for number in range(ADDRESSES)], port)
    _say(before, start, connections)


def _bare(port: int, each: int) -> None:
    """In the child: as many connections by uvloop's Protocol, each with a hello and its first answer."""
    import uvloop

    from checker.codecs.tls_hello import Version, client_hello

    hello = client_hello(Version.TLS_1_2, random=bytes(32)).data

    class Client(asyncio.Protocol):
        def __init__(self, done: asyncio.Future[None]) -> None:
            self._done = done

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = transport
            transport.write(hello)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            self._transport.close()

        def connection_lost(self, error: Exception | None) -> None:
            self._done.set_result(None)

    async def ask(address: str) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(each):
            done = loop.create_future()
            await loop.create_connection(partial(Client, done), address, port)
            await done

    async def everything() -> None:
        await asyncio.gather(*(ask(_address(number)) for number in range(ADDRESSES)))

    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(everything())
    _say(before, start, ADDRESSES * each)


def _say(before: resource.struct_rusage, start: float, connections: int) -> None:
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = {
        "cpu_ms": cpu * 1000 / ADDRESSES,
        "connections": connections / ADDRESSES,
        "wall_s": (time.perf_counter() - start) / ADDRESSES,
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    if sys.argv[1] == "--ours":
        _ours(int(sys.argv[2]))
    else:
        _bare(int(sys.argv[2]), int(sys.argv[3]))
