"""What a real firewall makes of a connection: nftables between two network namespaces that the test makes itself.

    vantage (10.231.1.2, fd00:231:1::2) --- firewall --- device (10.231.2.2, fd00:231:2::2)

The product's gateway runs inside the first of them. No packet leaves these namespaces.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import LOOPS
from tests.live.checking import Run, command, environment, inventory
from tests.live.namespaces import (
    PATH,
    inside,
    link,
    namespace,
    require_namespaces,
    route,
    run,
    settle,
    wait_until_settled,
)
from tests.live.servers.process import ROOT, python_child, serving

pytestmark = pytest.mark.live

_DRIVER = "tests.live.namespace_driver"
FIREWALL = {4: "10.231.1.1", 6: "fd00:231:1::1"}
DEVICE = {4: "10.231.2.2", 6: "fd00:231:2::2"}
ABSENT = {4: "10.231.1.77", 6: "fd00:231:1::77"}  # on our own network, and nobody is there
NOWHERE = {4: "10.232.0.1", 6: "fd00:232::1"}  # the firewall has no route there
NO_ROUTE = {4: "10.233.0.1", 6: "fd00:233::1"}  # nor have we

DROP, PORT, ADMIN, HOST, RESET, CLOSED, LATE_CLOSED, LATE_REJECT = range(40_001, 40_009)
_RULES = f"""
table inet filter {{
    chain forward {{
        type filter hook forward priority filter; policy accept;
        tcp dport {DROP} drop
        tcp dport {PORT} reject
        tcp dport {ADMIN} reject with icmpx admin-prohibited
        tcp dport {HOST} reject with icmpx host-unreachable
        tcp dport {RESET} reject with tcp reset
        tcp dport {LATE_CLOSED} tcp flags syn numgen inc mod 2 == 0 drop
        tcp dport {LATE_REJECT} tcp flags syn numgen inc mod 2 == 0 drop
        tcp dport {LATE_REJECT} reject with icmpx admin-prohibited
        tcp dport $LATE_OPEN tcp flags syn numgen inc mod 2 == 0 drop
    }}
    chain cut {{
        type filter hook forward priority filter + 1; policy accept;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Network:
    """The namespaces, by what is in them, and the device's open ports: of the second, the first SYN is always lost."""

    vantage: str
    firewall: str
    device: str
    open_port: int
    late_port: int


class Vantage:
    """The gateway inside the first namespace, on one event loop."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def ask(self, address: str, port: int, **more: object) -> dict[str, object]:
        """What one connection showed."""
        self.say(json.dumps({"address": address, "port": port, **more}))
        return self.hear()

    def say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def hear(self) -> dict[str, object]:
        assert self._child.stdout is not None
        answer: dict[str, object] = json.loads(self._child.stdout.readline())
        return answer


def wait_until_counted(where: str, chain: str, packets: int) -> None:
    """Wait until the counter of a chain's rule has seen so many packets."""
    deadline = time.monotonic() + 5
    while True:
        listed = run("ip", "netns", "exec", where, "nft", "list", "chain", "inet", "filter", chain)
        counted = re.search(r"counter packets (\d+) ", listed)
        if counted is not None and int(counted[1]) >= packets:
            return
        assert time.monotonic() < deadline, "no packet came through the firewall"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    require_namespaces()
    with ExitStack() as stack:
        vantage, firewall, device = (stack.enter_context(namespace(role)) for role in ("vantage", "fw", "device"))
        link((vantage, "10.231.1.2", "fd00:231:1::2"), (firewall, FIREWALL[4], FIREWALL[6]))
        link((firewall, "10.231.2.1", "fd00:231:2::1"), (device, DEVICE[4], DEVICE[6]))
        route(vantage, ["10.231.2.0/24", "fd00:231:2::/64", "10.232.0.0/16", "fd00:232::/32"], FIREWALL)
        route(device, ["10.231.1.0/24", "fd00:231:1::/64"], {4: "10.231.2.1", 6: "fd00:231:2::1"})
        settle(firewall, {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"})
        # Neither the kernel's thrift with ICMP nor its patience with neighbours is what is tested.
        settle(firewall, {"ipv4/icmp_ratelimit": "0", "ipv6/icmp/ratelimit": "0"})
        settle(vantage, {"ipv4/neigh/to-right/retrans_time_ms": "99", "ipv6/neigh/to-right/retrans_time_ms": "99"})
        wait_until_settled([vantage, firewall, device])
        with serving(
            "device", lambda _, ports: device_command(device, ports), ports=2, ready="ready\n", environment=PATH
        ) as process:
            open_port, late_port = process.ports
            inside(firewall, "nft", "--define", f"LATE_OPEN={late_port}", "-f", "-", given=_RULES)
            yield Network(vantage, firewall, device, open_port, late_port)


def device_command(device: str, ports: Sequence[int]) -> list[str]:
    return ["ip", "netns", "exec", device, *python_child(_DRIVER, "serve", *map(str, ports))]


@pytest.fixture(scope="module", params=LOOPS)
def vantage(network: Network, request: pytest.FixtureRequest) -> Iterator[Vantage]:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    command = ["ip", "netns", "exec", network.vantage, sys.executable, "-W", "error", "-m", _DRIVER, "ask"]
    with subprocess.Popen(
        [*command, request.param],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **PATH},
    ) as child:
        yield Vantage(child)
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0


both_families = pytest.mark.parametrize("family", [4, 6])


@both_families
def test_open(network: Network, vantage: Vantage, family: int) -> None:
    assert vantage.ask(DEVICE[family], network.open_port)["state"] == "open"


@both_families
def test_the_device_has_no_such_port(vantage: Vantage, family: int) -> None:
    seen = vantage.ask(DEVICE[family], CLOSED)

    assert (seen["state"], seen["icmp"], seen["offender"]) == ("closed", None, None)


@both_families
def test_drop_is_filtered(vantage: Vantage, family: int) -> None:
    seen = vantage.ask(DEVICE[family], DROP, connect_s=0.5)

    assert (seen["state"], seen["icmp"], seen["offender"]) == ("filtered", None, None)


@both_families
@pytest.mark.parametrize(
    ("port", "icmp"),
    [
        # RFC 792 and RFC 1812 5.2.7.1; RFC 4443 3.1
        pytest.param(PORT, {4: [3, 3], 6: [1, 4]}, id="port-unreachable"),
        pytest.param(ADMIN, {4: [3, 13], 6: [1, 1]}, id="admin-prohibited"),
        pytest.param(HOST, {4: [3, 1], 6: [1, 3]}, id="host-unreachable"),
    ],
)
def test_reject_is_rejected_by_the_firewall(
    vantage: Vantage, family: int, port: int, icmp: dict[int, list[int]]
) -> None:
    seen = vantage.ask(DEVICE[family], port)

    assert (seen["state"], seen["icmp"], seen["offender"]) == ("rejected", icmp[family], FIREWALL[family])


@both_families
def test_reject_with_tcp_reset_is_closed(vantage: Vantage, family: int) -> None:
    seen = vantage.ask(DEVICE[family], RESET)

    assert (seen["state"], seen["icmp"], seen["offender"]) == ("closed", None, None)


@both_families
def test_a_router_that_knows_no_way_says_so(vantage: Vantage, family: int) -> None:
    seen = vantage.ask(NOWHERE[family], 104)

    expected = {4: [3, 0], 6: [1, 0]}[family]
    assert (seen["state"], seen["icmp"], seen["offender"]) == ("rejected", expected, FIREWALL[family])


@both_families
def test_no_route_is_unreachable(vantage: Vantage, family: int) -> None:
    seen = vantage.ask(NO_ROUTE[family], 104)

    assert (seen["state"], seen["detail"]) == ("unreachable", "ENETUNREACH")


@both_families
def test_nobody_at_the_address_is_unreachable_and_no_firewalls_word(vantage: Vantage, family: int) -> None:
    seen = vantage.ask(ABSENT[family], 104)

    assert seen["state"] == "unreachable"


class TestAfterALostSyn:
    """The answer comes a second later, when the kernel has asked again: also then it is told apart."""

    @both_families
    def test_closed(self, vantage: Vantage, family: int) -> None:
        seen = vantage.ask(DEVICE[family], LATE_CLOSED)

        assert (seen["state"], seen["icmp"]) == ("closed", None)
        assert float(str(seen["rtt_ms"])) > 900

    @both_families
    def test_rejected(self, vantage: Vantage, family: int) -> None:
        seen = vantage.ask(DEVICE[family], LATE_REJECT)

        assert (seen["state"], seen["offender"]) == ("rejected", FIREWALL[family])
        assert seen["icmp"] == {4: [3, 13], 6: [1, 1]}[family]

    @both_families
    def test_open_is_not_called_filtered_where_our_own_loop_was_late(
        self, network: Network, vantage: Vantage, family: int
    ) -> None:
        # The device answers after a second; our loop, late, lets us know of the time limit alone.
        assert vantage.ask(DEVICE[family], network.late_port, late=1.3)["state"] == "open"


@both_families
def test_a_passing_icmp_error_does_not_end_a_conversation(network: Network, vantage: Vantage, family: int) -> None:
    reject = "reject with icmpx host-unreachable"
    assert vantage.ask(DEVICE[family], network.open_port, converse=True)["state"] == "open"
    inside(network.firewall, "nft", f"add rule inet filter cut tcp dport {network.open_port} counter {reject}")
    vantage.say("")
    # The kernel keeps the error of the first one for itself; that of a retransmission would reach the socket.
    wait_until_counted(network.firewall, "cut", packets=3)
    inside(network.firewall, "nft", "flush chain inet filter cut")

    assert vantage.hear() == {"got": "ping"}


def test_a_connection_to_ourselves_is_not_an_open_port(network: Network, vantage: Vantage) -> None:
    settle(network.vantage, {"ipv4/ip_local_port_range": "33001 33001"})
    try:
        seen = vantage.ask("127.0.0.1", 33_001)
    finally:
        settle(network.vantage, {"ipv4/ip_local_port_range": "33000 60999"})

    assert seen["state"] == "closed"


# ------------------------------------------------------------------------------------------- the whole product


def checked(
    network: Network, folder: Path, ports: Sequence[int], *, services: Sequence[object] = (), may_reach: bool = True
) -> Run:
    """`check` from the vantage on the device, with a policy under which nothing but the open port may be reached."""
    ipv4_only = [{"id": "device", "address": DEVICE[4], "zone": "inside", "services": list(services)}]
    allowed = [f"tcp/{network.open_port}"] if may_reach else [f"tcp/{CLOSED}"]
    path = inventory(
        folder,
        ipv4_only,
        owned_networks=["10.231.2.0/24"],
        zones=[{"name": "inside"}, {"name": "internet"}],
        defaults={"calling_ae_title": "SECAUDIT", "ports": list(ports)},
        exposure=[{"from": "internet", "to": {"role": "archive"}, "may_reach": allowed}],
    )
    done = subprocess.run(
        ["ip", "netns", "exec", network.vantage, *command("check", path, "--output", folder, "--vantage", "internet")],
        capture_output=True, text=True, timeout=60, env=environment(**PATH), cwd=folder,
    )  # fmt: skip
    return Run((folder / "latest").resolve(), done.returncode, done.stdout, done.stderr)


def test_a_firewall_that_drops_everything_passes_where_nothing_may_be_reached(network: Network, tmp_path: Path) -> None:
    # More ports than unanswered questions would be allowed to a device.
    with_rule = "\n".join(f"add rule inet filter cut tcp dport {port} drop" for port in range(40_101, 40_105))
    inside(network.firewall, "nft", "-f", "-", given=with_rule)
    try:
        seen = checked(network, tmp_path, range(40_101, 40_105))
    finally:
        inside(network.firewall, "nft", "flush", "chain", "inet", "filter", "cut")
    assert {item["facts"]["state"] for item in seen.observations if item["facts"]["type"] == "port"} == {"filtered"}
    assert seen.status("device", "exposure.unexpected-open") == "pass"
    assert seen.status("device", "asset.unreachable") == "fail"
    assert seen.exit_code == 4  # nothing answered: nothing else is known of it


def test_a_declared_port_whose_first_connection_was_lost_is_not_taken_for_shut(
    network: Network, tmp_path: Path
) -> None:
    # As many bytes of SYNs as the kernel sends within the time limit of one connection, and hardly more.
    lost = f"tcp dport {network.open_port} tcp flags & (syn | ack) == syn quota until 320 bytes drop"
    inside(network.firewall, "nft", f"add rule inet filter cut {lost}")
    try:
        service = {"kind": "dicom", "port": network.open_port, "ae_title": "ANY-SCP"}
        seen = checked(network, tmp_path, [CLOSED], services=[service], may_reach=False)
    finally:
        inside(network.firewall, "nft", "flush", "chain", "inet", "filter", "cut")
    ports = [item for item in seen.observations if item["facts"]["type"] == "port"]
    assert [item["facts"]["state"] for item in ports if item["port"] == network.open_port] == ["filtered", "open"]
    assert seen.status("device", "exposure.unexpected-open") == "fail"


def test_each_answer_of_a_firewall_is_judged_for_what_it_is(network: Network, tmp_path: Path) -> None:
    seen = checked(network, tmp_path, [DROP, ADMIN, RESET, CLOSED, network.open_port])
    states = {item["port"]: item["facts"] for item in seen.observations if item["facts"]["type"] == "port"}
    assert {port: facts["state"] for port, facts in states.items()} == {
        DROP: "filtered", ADMIN: "rejected", RESET: "closed", CLOSED: "closed", network.open_port: "open",
    }  # fmt: skip
    assert (states[ADMIN]["icmp"], states[ADMIN]["offender"]) == ([3, 13], FIREWALL[4])
    assert seen.status("device", "exposure.unexpected-open") == "pass"
    # Resets came back in the device's name, where policy has a firewall stand between.
    assert seen.status("device", "exposure.not-filtered") == "fail"
    assert seen.status("device", "exposure.internet-reachable") == "fail"
    assert seen.status("device", "asset.unreachable") == "pass"
    assert seen.exit_code == 3
