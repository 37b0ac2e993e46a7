"""The product's gateway in a zone of the firewall bed, as a child process inside its namespace.

A JSON object on standard input says what to ask, one on standard output what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict

from checker.engine.loop import loop_factory
from checker.model import AssetManners, PortFacts, UdpFacts
from checker.probes.udp import probe_udp
from tests.live.doors import Door, asset

# Longer than the kernel's first repetition of a SYN, and than a sweep's shortest wait.
_STANDS_S, _GOES_S = 1.3, 0.4


async def _sweep(targets: dict[str, list[int]], pending: int, udp: int | None, late: bool) -> list[dict[str, object]]:
    """Ask ports of addresses, each address an asset of its own, all assets at once; `udp` is a port of each as well.

    `late`: the loop stands still for most of the time, as that of an overloaded machine does.
    """
    manners = AssetManners(gap_s=0.0, max_connections=10_000)
    assets = [asset(address, [address], site=address, manners=manners) for address in targets]
    door = Door(*assets, owned=("10.0.0.0/8", "fd00::/8"))
    found: list[dict[str, object]] = []

    async def ask(address: str) -> None:
        device, permit = door.permitted(address)

        def record(port: int, facts: PortFacts | UdpFacts) -> None:
            found.append({"address": address, "port": port, **asdict(facts)})

        await device.sweep(permit, targets[address], record, pending=pending)
        if udp is not None:
            record(udp, await probe_udp(device, permit, udp))

    standing = asyncio.create_task(_stand_still()) if late else None
    await asyncio.gather(*map(ask, targets))
    if standing is not None:
        standing.cancel()
    assert door.idle
    return found


async def _stand_still() -> None:
    while True:
        await asyncio.sleep(_GOES_S)
        time.sleep(_STANDS_S)  # noqa: ASYNC251 - a loop that is late is what is wanted


if __name__ == "__main__":
    wish = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sys.stdout.write(json.dumps(runner.run(_sweep(wish["targets"], wish["pending"], wish["udp"], wish["late"]))))
