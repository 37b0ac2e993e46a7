"""How long a CSV of 100,000 rows takes to validate, and how much memory: `python -m tests.bench inventory`.

The inventory is synthetic. Reading happens in a child process, so that the peak is that of the reading alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from tests.memory import peak_kib

HEAD = """\
version: 1
organization: Example Health (synthetic)
authorization: {owner: Imaging Security, reference: BENCH, expires: 2099-12-31}
owned_networks: [10.0.0.0/8]
zones: [{name: clinical}]
assets_from: [assets.csv]
"""
COLUMNS = "asset_id,name,address,hostname,role,site,zone,owner,service,port,ae_title,url\n"


def write(folder: Path, rows: int) -> Path:
    """An inventory with an asset and a service on every row; returns the path of its YAML file."""
    inventory = folder / "inventory.yaml"
    inventory.write_text(HEAD, "utf-8")
    with (folder / "assets.csv").open("w", encoding="utf-8") as table:
        table.write(COLUMNS)
        for number in range(rows):
            address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            name = f"Device {number},{address},dev{number}.example.org"
            site = f"site-{number % 60}"
            table.write(f"dev-{number:06},{name},modality,{site},clinical,radiology,dicom,104,AE{number},\n")
    return inventory


def measure(inventory: Path) -> None:
    """Load the inventory in this process and print what it took."""
    from checker.inventory import load

    start = time.perf_counter()
    loaded = load([inventory], today=date(2026, 1, 1))
    seconds = time.perf_counter() - start
    peak_mib = peak_kib() / 1024
    sys.stdout.write(f"{len(loaded.assets)} assets from CSV: {seconds:.2f} s, peak RSS {peak_mib:.0f} MiB\n")


def main() -> None:
    """Write the inventory, and measure in a child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        inventory = write(Path(folder), options.rows)
        subprocess.run([sys.executable, "-m", "tests.bench.bench_inventory", "--measure", str(inventory)], check=True)


if __name__ == "__main__":
    main()
