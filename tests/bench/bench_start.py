"""How long `pacs-checker --version` takes, beside a bare interpreter: wall time, medians."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

_RUNS = 21


def main() -> None:
    """Print both medians and their ratio."""
    commands = {
        "python -c pass": ["-c", "pass"],
        "pacs-checker --version": ["-m", "checker", "--version"],
        "pacs-checker --help": ["-m", "checker", "--help"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_RUNS):
        for name, arguments in commands.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) * 1000 for name, times in taken.items()}
    bare = medians["python -c pass"]
    for name, median in medians.items():
        sys.stdout.write(f"{name:24} {median:6.1f} ms  ({median / bare:.1f} x a bare interpreter)\n")


if __name__ == "__main__":
    main()
