"""What a visit costs us: CPU of our own process for each asset of the simulated hospital, servers not counted.

The whole `check` is measured, in a child: visits, judging, storing. Start-up is measured by a run that visits one
asset and is taken off.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

_RUNS = 5


def main() -> None:
    """Print CPU ms, connections and bytes for each asset."""
    from checker.demo import hospital

    with hospital() as running:
        whole = [_check(running.inventory) for _ in range(_RUNS)]
        one = [_check(running.inventory, "--assets", "gw-off") for _ in range(_RUNS)]
    assets = whole[0][1]["assets"]["listed"]
    each = (statistics.median(cpu for cpu, _ in whole) - statistics.median(cpu for cpu, _ in one)) / (assets - 1)
    run = whole[-1][1]
    sys.stdout.write(
        f"{assets} assets: {each * 1000:.1f} ms of CPU an asset (median of {_RUNS} runs, start-up taken off),"
        f" {run['connections'] / assets:.1f} connections, {run['bytes_sent'] / assets:.0f} bytes sent and"
        f" {run['bytes_received'] / assets:.0f} received an asset; wall time {run['duration_s']:.2f} s\n"
        f"start-up, one asset and its run: {statistics.median(cpu for cpu, _ in one) * 1000:.0f} ms of CPU\n"
    )


def _check(inventory: Path, *more: str) -> tuple[float, dict]:  # type: ignore[type-arg]
    """CPU seconds of one check, and its run.json."""
    with tempfile.TemporaryDirectory() as output:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "checker", "check", str(inventory), "--output", output, "--quiet", *more],
            stdout=subprocess.DEVNULL,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = json.loads(Path(output, "latest", "run.json").read_text())
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run


if __name__ == "__main__":
    main()
