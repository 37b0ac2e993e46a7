"""Network namespaces for a test: made, joined by cables, and gone again whatever became of the test.

No packet leaves them. Only root can make them: elsewhere the test is skipped, or fails with CI=true.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.servers.process import missing, require, unavailable

PATH = {"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"}
"""The environment's part that finds `ip` and `nft` also where the caller's does not."""

_PREFIX = "pacs-checker-"
_CABLE = ("to-right", "to-left")


def require_namespaces() -> None:
    """End the test where namespaces or their tools are not to be had, saying why; remove what dead tests left."""
    if os.geteuid() != 0:
        unavailable("network namespaces need root")
    require("ip", "iproute2")
    require("nft", "nftables")
    clear_away_the_dead()


def run(*command: str, given: str | None = None) -> str:
    """Run a tool to its end and give what it printed; AssertionError with what it complained of."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=20, env={**os.environ, **PATH})
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def inside(namespace: str, *command: str, given: str | None = None) -> str:
    """The same, inside a namespace."""
    return run("ip", "netns", "exec", namespace, *command, given=given)


def settle(namespace: str, values: dict[str, str]) -> None:
    """Set the kernel's parameters of a namespace."""
    inside(namespace, "sh", "-c", "\n".join(f"echo {value!r} > /proc/sys/net/{name}" for name, value in values.items()))


@contextmanager
def namespace(role: str) -> Iterator[str]:
    """A namespace until the end of the block. No two of this process may have the same role at once."""
    name = f"{_PREFIX}{os.getpid()}-{role}"
    try:
        run("ip", "netns", "add", name)
    except AssertionError as error:
        missing(f"a kernel that lets us make network namespaces ({error})", "iproute2, on such a kernel")
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        # Addresses are there at once: nobody else can have them.
        settle(name, {"ipv6/conf/default/accept_dad": "0", "ipv6/conf/default/dad_transmits": "0"})
        yield name
    finally:
        run("ip", "netns", "delete", name)


def clear_away_the_dead() -> None:
    """Remove namespaces of test processes that were killed before they could."""
    for path in Path("/run/netns").glob(f"{_PREFIX}*"):
        pid = path.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            run("ip", "netns", "delete", path.name)


def link(one: tuple[str, str, str], other: tuple[str, str, str], names: tuple[str, str] = _CABLE) -> None:
    """A cable between two namespaces; each end is (namespace, IPv4 address, IPv6 address), `names` their names."""
    run("ip", "-n", one[0], "link", "add", names[0], "type", "veth", "peer", "name", names[1], "netns", other[0])
    for (where, ipv4, ipv6), name in zip((one, other), names, strict=True):
        run("ip", "-n", where, "address", "add", f"{ipv4}/24", "dev", name)
        run("ip", "-n", where, "address", "add", f"{ipv6}/64", "dev", name)
        run("ip", "-n", where, "link", "set", name, "up")


def wait_until_settled(namespaces: Sequence[str]) -> None:
    """Wait until every cable is up and every IPv6 address is taken into use, which the kernel does in its own time."""
    deadline = time.monotonic() + 10
    for name in namespaces:
        while (
            run("ip", "-n", name, "-6", "address", "show", "tentative")
            or "state DOWN" in (links := run("ip", "-n", name, "link", "show", "type", "veth"))
            or "LOWERLAYERDOWN" in links
        ):
            assert time.monotonic() < deadline, f"{name} does not come up"
            time.sleep(0.01)


def route(where: str, to: Sequence[str], via: dict[int, str]) -> None:
    """Routes from a namespace to networks, by the address of a family."""
    for network in to:
        run("ip", "-n", where, "route", "add", network, "via", via[6 if ":" in network else 4])
