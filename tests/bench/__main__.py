"""Runs every benchmark of this folder, one after the other: each `bench_<name>.py` has a `main`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import tests.bench


def main() -> None:
    """Run those named on the command line, or all."""
    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name.startswith("bench_")]
    wanted = {f"bench_{name}" for name in sys.argv[1:]} or set(names)
    del sys.argv[1:]  # what a benchmark would read as its own
    for name in names:
        if name in wanted:
            sys.stdout.write(f"\n== {name.removeprefix('bench_')}\n")
            sys.stdout.flush()
            importlib.import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main()
