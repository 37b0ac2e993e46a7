"""Starting and stopping the simulated hospital."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EADDRINUSE, EADDRNOTAVAIL
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from checker.demo.assets import DEFAULT_NETWORK, SimulatedAsset, Ward, simulated_assets
from checker.errors import UsageError

INVENTORY = Path(__file__).with_name("demo.yaml")
_START_S = 30.0
_STOP_S = 3.0


@dataclass(frozen=True, slots=True)
class Hospital:
    """A running hospital: its inventory, what its assets really are, and the folder of its certificates."""

    inventory: Path
    assets: tuple[SimulatedAsset, ...]
    certificates: Path

    def asset(self, asset_id: str) -> SimulatedAsset:
        """The asset with this id; LookupError where there is none."""
        for asset in self.assets:
            if asset.id == asset_id:
                return asset
        message = f"the simulated hospital has no asset {asset_id!r}"
        raise LookupError(message)


@contextmanager
def hospital(network: str = DEFAULT_NETWORK) -> Iterator[Hospital]:
    """Run the simulated hospital on loopback for as long as the context lasts.

    `network` is an IPv4 loopback network of 256 addresses; for another than the default a copy of the inventory with
    its addresses is made. Raises UsageError where an address or a port cannot be had, RuntimeError where a server
    fails.
    """
    hosts = IPv4Network(network)
    if not hosts.is_loopback or hosts.prefixlen != 24:
        message = (
            f"the simulated hospital needs a loopback network of 256 addresses such as {DEFAULT_NETWORK}, not {network}"
        )
        raise UsageError(message)
    assets = simulated_assets(network)
    with TemporaryDirectory(prefix="pacs-checker-demo-") as made, ExitStack() as stack:
        folder = Path(made)
        from checker.demo.certificates import write_certificates

        write_certificates(folder, {asset.id: asset.address for asset in assets}, datetime.now(UTC))
        wards = [stack.enter_context(_ward(ward, network, folder)) for ward in Ward]
        _await_ready(wards, time.monotonic() + _START_S)
        yield Hospital(_inventory(hosts, folder), assets, folder)


def _inventory(hosts: IPv4Network, folder: Path) -> Path:
    if hosts == IPv4Network(DEFAULT_NETWORK):
        return INVENTORY
    copy = folder / "demo.yaml"
    prefix, default = (str(place.network_address).removesuffix("0") for place in (hosts, IPv4Network(DEFAULT_NETWORK)))
    copy.write_text(INVENTORY.read_text(encoding="utf-8").replace(default, prefix), encoding="utf-8")
    return copy


@dataclass(frozen=True, slots=True)
class _Child:
    ward: Ward
    process: subprocess.Popen[bytes]
    says: IO[bytes]
    complaints: Path


@contextmanager
def _ward(ward: Ward, network: str, folder: Path) -> Iterator[_Child]:
    """One child process, ended and reaped at the end of the context."""
    package_parent = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    complaints = folder / f"{ward}.stderr"
    with complaints.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "checker.demo.serve", ward, network, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for the checker; it ends the hospital when it has ended itself
        )
    with process:
        try:
            if process.stdout is None:
                message = "a child process without the pipe that was asked for"
                raise RuntimeError(message)
            yield _Child(ward, process, process.stdout, complaints)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(b"stop\n", timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_ready(wards: Sequence[_Child], deadline: float) -> None:
    """Return once every ward listens; `deadline` is of the monotonic clock."""
    with selectors.DefaultSelector() as selector:
        for child in wards:
            selector.register(child.says, selectors.EVENT_READ, child)
        while selector.get_map():
            events = selector.select(max(0.0, deadline - time.monotonic()))
            if not events:
                message = f"the simulated hospital was not ready within {_START_S:g} s"
                raise RuntimeError(message)
            for key, _ in events:
                ready: _Child = key.data
                _judge(ready, ready.says.readline())
                selector.unregister(ready.says)


def _judge(child: _Child, line: bytes) -> None:
    """Raise what a ward's first line says, unless it says that all is well."""
    said = json.loads(line) if line else {}
    if said.get("ready"):
        return
    if "port" in said:
        raise UsageError(_refusal(said["address"], said["port"], said["errno"], said["reason"]))
    complaint = child.complaints.read_text(encoding="utf-8", errors="replace").strip()
    message = f"the {child.ward} servers of the simulated hospital did not start: {complaint or 'no reason was given'}"
    raise RuntimeError(message)


def _refusal(address: str, port: int, errno: int | None, reason: str | None) -> str:
    if errno == EADDRINUSE:
        return (
            f"the simulated hospital needs {address} port {port}, which is in use: "
            "stop the program that listens there, or another demo that is still running"
        )
    if errno == EADDRNOTAVAIL:
        return (
            f"the simulated hospital needs the loopback address {address}, which this machine does not have: "
            f"on macOS add each of its addresses first, such as `sudo ifconfig lo0 alias {address} up`"
        )
    return f"the simulated hospital cannot listen on {address} port {port}: {reason or 'no reason was given'}"
