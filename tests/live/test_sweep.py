"""Sweeps of many ports against real listeners on loopback, on both event loops: what is asked, how often, and how told.

A silent port is a listener whose queue is full: the kernel drops whatever SYN comes until somebody accepts.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from checker.engine.visit import Visit
from checker.errors import ScopeViolation
from checker.introduction import Introduction
from checker.model import AssetManners, ConnectState, Observation, Permit, PortFacts, VisitFacts
from checker.net.connection import Connection
from checker.net.failure import seen
from checker.net.gateway import Device
from checker.net.http import HttpDoor
from checker.net.manners import Manners
from tests.conftest import LOOPS
from tests.live.doors import LACKING, QUICK, Door, asset, poor_socket
from tests.live.test_gateway import LIMITS, both_families, closed_port, has_seen_nothing, listening, port_of, turns

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_factories=LOOPS)]


class Silent:
    """A port that takes no connection until it is told to."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port = port_of(listener)

    def take(self) -> None:
        """Make room: the next SYN is answered."""
        with suppress(BlockingIOError):
            while True:
                self._listener.accept()[0].close()


@contextmanager
def silent_port() -> Iterator[Silent]:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        listener.setblocking(False)
        stack.enter_context(socket.create_connection(listener.getsockname()))
        yield Silent(listener)


@contextmanager
def silent_ports(count: int) -> Iterator[list[Silent]]:
    with ExitStack() as stack:
        yield [stack.enter_context(silent_port()) for _ in range(count)]


@contextmanager
def closed_ports(count: int) -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closed_port("127.0.0.1")) for _ in range(count)]


async def swept(device: Device, permit: Permit, ports: list[int], **more: int) -> dict[int, PortFacts]:
    """What a sweep records, which is each port once."""
    told: dict[int, PortFacts] = {}

    def record(port: int, facts: PortFacts) -> None:
        assert port not in told
        told[port] = facts

    await device.sweep(permit, ports, record, **more)
    return told


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def most_at_once(door: Door) -> int:
    """The most attempts that were under way at the same time, by the ledger."""
    under_way = most = 0
    for line in door.lines:
        under_way += {"attempt": 1, "outcome": -1}.get(str(line["event"]), 0)
        most = max(most, under_way)
    return most


def established(ports: list[int]) -> int:
    """How many connections of ours to these ports of this machine are established, by the kernel (proc(5))."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
    return sum(row[3] == "01" and int(row[2].partition(":")[2], 16) in ports for row in rows)


def quickly(monkeypatch: pytest.MonkeyPatch, *rungs: int) -> None:
    """Fewer and shorter waits for silent ports."""
    monkeypatch.setattr("checker.net.sweep.ladder", lambda _device, _site, *, few: rungs)


class TestStates:
    @both_families
    async def test_open_and_closed(self, host: str) -> None:
        door = Door(asset(addresses=[host]))
        device, permit = door.permitted()
        with listening(host) as listener, closed_port(host) as closed:
            told = await swept(device, permit, [port_of(listener), closed])
            accepted, _ = listener.accept()
            with accepted:
                accepted.settimeout(5)
                assert accepted.recv(1) == b"", "it was not closed, or was sent something"
            assert has_seen_nothing(listener)

        assert {port: facts.state for port, facts in told.items()} == {
            port_of_first(told): ConnectState.OPEN,
            closed: ConnectState.CLOSED,
        }
        assert all(facts.asked == 1 and facts.rtt_ms is not None for facts in told.values())
        assert {(line["port"], line["outcome"]) for line in door.events("outcome")} == {
            (port_of_first(told), "opened"),
            (closed, "closed"),
        }
        assert (device.connections, door.idle) == (2, True)

    async def test_a_silent_port_is_asked_again_before_it_is_called_filtered(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quickly(monkeypatch, 1, 1)
        door = Door(asset())
        device, permit = door.permitted()
        with silent_port() as silent, closed_ports(3) as closed:
            began = time.monotonic()
            told = await swept(device, permit, [silent.port, *closed])
            took = time.monotonic() - began

        assert told[silent.port] == PortFacts(state=ConnectState.FILTERED, asked=2)
        assert list(told)[-1] == silent.port, "the others had to wait for it"
        assert [line["port"] for line in door.events("attempt")] == [silent.port, *closed, silent.port]
        # Twice past the moment at which the kernel repeats its SYN.
        assert 2.0 < took < 4.0
        assert door.idle

    async def test_no_wait_ends_before_the_kernel_has_repeated_the_syn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quickly(monkeypatch, 1, 1)
        monkeypatch.setattr("checker.net.sweep.wait_s", lambda _repetitions, _device, _site: 0.05)
        door = Door(asset())
        device, permit = door.permitted()
        with silent_port() as silent:
            began = time.monotonic()
            told = await swept(device, permit, [silent.port])

        assert told[silent.port].state is ConnectState.FILTERED
        assert time.monotonic() - began > 2.0

    async def test_a_port_that_answers_only_the_second_question_is_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quickly(monkeypatch, 1, 1)
        door = Door(asset())
        device, permit = door.permitted()
        with silent_port() as silent:

            def take(line: dict[str, object]) -> None:
                if line.get("outcome") == "filtered":
                    silent.take()

            door.before_line = take
            told = await swept(device, permit, [silent.port])

        assert (told[silent.port].state, told[silent.port].asked) == (ConnectState.OPEN, 2)
        assert [line["outcome"] for line in door.events("outcome")] == ["filtered", "opened"]

    async def test_a_loop_that_is_late_itself_makes_nothing_filtered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quickly(monkeypatch, 1, 1)
        door = Door(asset())
        device, permit = door.permitted()
        with silent_port() as silent:
            sweep = asyncio.create_task(swept(device, permit, [silent.port]))
            await turns()
            assert len(door.events("attempt")) == 1
            # The first SYN is lost, the repeated one is answered, and we are told of that together with the time limit.
            silent.take()
            time.sleep(2.0)  # noqa: ASYNC251 - the loop itself is to be late
            told = await sweep

        assert (told[silent.port].state, told[silent.port].asked) == (ConnectState.OPEN, 1)

    async def test_talking_to_ourselves_is_no_open_port(self) -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = port_of(sock)
            sock.connect(("127.0.0.1", port))

            facts = seen(sock, "127.0.0.1", port, 1.0)

        assert facts == PortFacts(state=ConnectState.CLOSED, rtt_ms=1.0)

    @pytest.mark.parametrize("what", LACKING)
    async def test_an_error_of_our_own_machine_says_nothing_of_the_device(
        self, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        door = Door(asset())
        device, permit = door.permitted()

        with listening() as listener, monkeypatch.context() as patch:
            patch.setattr(socket, "socket", poor_socket(what))
            told = await swept(device, permit, [port_of(listener)])

        expected = LACKING[what]
        assert list(told.values()) == [PortFacts(state=ConnectState.LOCAL_ERROR, detail=expected)]
        assert device.gaps == [f"this machine could not connect: {expected}"]
        assert door.idle


def port_of_first(told: dict[int, PortFacts]) -> int:
    return next(port for port, facts in told.items() if facts.state is ConnectState.OPEN)


class TestManners:
    @pytest.mark.parametrize(("of_asset", "wanted", "most"), [(8, None, 8), (2, None, 2), (1, None, 1), (8, 3, 3)])
    async def test_so_many_are_under_way_at_once(
        self, of_asset: int, wanted: int | None, most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quickly(monkeypatch, 1)
        monkeypatch.setattr("checker.net.sweep.wait_s", lambda _repetitions, _device, _site: 0.05)
        monkeypatch.setattr("checker.net.sweep._OVERTIME_S", 0.0)
        monkeypatch.setattr("checker.net.sweep.may_be_filtered", lambda _asked, _device, _site: True)
        door = Door(asset(manners=AssetManners(gap_s=0.0, max_pending=of_asset)))
        device, permit = door.permitted()
        with silent_ports(10) as silent:
            ports = [each.port for each in silent]
            told = await swept(device, permit, ports, **({} if wanted is None else {"pending": wanted}))

        assert Counter(facts.state for facts in told.values()) == {ConnectState.FILTERED: 10}
        assert most_at_once(door) == most
        assert device.connections == 20
        assert door.idle

    async def test_each_packet_has_its_line_before_it_leaves(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        with listening() as listener:
            seen: list[bool] = []

            def look(line: dict[str, object]) -> None:
                if line["event"] == "attempt":
                    seen.append(has_seen_nothing(listener))

            door.before_line = look
            await swept(device, permit, [port_of(listener)])
            assert not has_seen_nothing(listener)

        assert seen == [True]
        (attempt,) = door.events("attempt")
        assert (attempt["purpose"], attempt["transport"], attempt["permit"]) == ("reachability", "tcp", "127.0.0.0/8")

    async def test_starts_lie_a_gap_apart(self) -> None:
        door = Door(asset(manners=AssetManners(gap_s=0.05)))
        times: list[float] = []
        door.before_line = lambda line: times.append(time.monotonic()) if line["event"] == "attempt" else None
        device, permit = door.permitted()
        with closed_ports(5) as ports:
            await swept(device, permit, ports)

        assert len(times) == 5
        assert all(later - earlier > 0.045 for earlier, later in pairwise(times))

    async def test_no_connection_is_held_while_another_begins(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        with ExitStack() as stack:
            ports = [port_of(stack.enter_context(listening())) for _ in range(10)]
            held: list[int] = []
            door.before_line = lambda line: held.append(established(ports)) if line["event"] == "attempt" else None
            told = await swept(device, permit, ports)

        assert Counter(facts.state for facts in told.values()) == {ConnectState.OPEN: 10}
        assert held == [0] * 10

    async def test_a_budget_that_ends_in_the_middle_leaves_the_rest_unasked(self) -> None:
        door = Door(asset(manners=AssetManners(max_connections=3, gap_s=0.0)))
        device, permit = door.permitted()
        with closed_ports(5) as ports:
            told = await swept(device, permit, ports)

        reason = "the budget of 3 connections is spent"
        assert [told[port].state for port in ports] == [ConnectState.CLOSED] * 3 + [ConnectState.NOT_ASKED] * 2
        assert {told[port].detail for port in ports[3:]} == {reason}
        assert [(line["port"], line["reason"]) for line in door.events("refused")] == [(p, reason) for p in ports[3:]]
        assert device.gaps == [reason]
        assert door.idle

    async def test_a_silent_port_that_may_not_be_asked_again_is_not_called_filtered(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quickly(monkeypatch, 1, 1)
        door = Door(asset(manners=AssetManners(max_connections=2, gap_s=0.0)))
        device, permit = door.permitted()
        with silent_port() as silent, closed_port("127.0.0.1") as closed:
            told = await swept(device, permit, [silent.port, closed])

        assert told[closed].state is ConnectState.CLOSED
        assert told[silent.port] == PortFacts(
            state=ConnectState.NOT_ASKED,
            detail="silent, and not asked again: the budget of 2 connections is spent",
        )

    async def test_no_more_than_two_connections_for_each_port_however_patient(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        with silent_port() as silent:
            told = await swept(device, permit, [silent.port])

        assert (told[silent.port].state, told[silent.port].asked) == (ConnectState.FILTERED, 2)
        assert device.connections == 2

    async def test_nobody_else_talks_to_the_device_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quickly(monkeypatch, 1, 1)
        door = Door(asset("a", ["127.0.0.1"]), asset("b", ["127.0.0.1"], site="elsewhere"))
        device, permit = door.permitted("a")
        with silent_port() as silent, listening() as listener:
            sweep = asyncio.create_task(swept(device, permit, [silent.port]))
            await turns()
            other, of_other = door.permitted("b")
            waiting = asyncio.create_task(other.connect(of_other, port_of(listener), "test", LIMITS))
            await turns()
            assert has_seen_nothing(listener)
            await sweep
            made = await waiting

        assert isinstance(made, Connection)
        made.abandon()
        assert door.idle

    async def test_the_sites_cap_holds_and_who_waits_comes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quickly(monkeypatch, 1)
        monkeypatch.setattr("checker.net.sweep.wait_s", lambda _repetitions, _device, _site: 0.05)
        monkeypatch.setattr("checker.net.sweep._OVERTIME_S", 0.0)
        monkeypatch.setattr("checker.net.sweep.may_be_filtered", lambda _asked, _device, _site: True)
        door = Door(asset("a", ["127.0.0.1"]), asset("b", ["127.0.0.2"]), manners=Manners(site_connections=3))
        with silent_ports(6) as silent, listening("127.0.0.2") as listener:
            sweep = asyncio.create_task(swept(*door.permitted("a"), [each.port for each in silent]))
            await turns()
            made = await door.device("b").connect(door.permitted("b")[1], port_of(listener), "test", LIMITS)
            assert not sweep.done(), "it waited for the whole sweep"
            assert isinstance(made, Connection)
            made.abandon()
            await sweep

        assert most_at_once(door) == 3
        assert door.idle

    async def test_what_a_port_shows_may_end_the_sweep(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quickly(monkeypatch, 1, 1)
        door = Door(asset(manners=AssetManners(gap_s=0.0, max_pending=1)))
        device, permit = door.permitted()
        told: dict[int, PortFacts] = {}

        def record(port: int, facts: PortFacts) -> None:
            told[port] = facts
            device.fell_silent(permit.address, port, in_the_middle=True)

        with closed_ports(2) as ports:
            await device.sweep(permit, ports, record)

        assert [told[port].state for port in ports] == [ConnectState.CLOSED, ConnectState.NOT_ASKED]
        assert "stopped answering in the middle" in str(told[ports[1]].detail)

    async def test_ports_are_asked_once_and_no_port_is_no_line(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        with closed_port("127.0.0.1") as port:
            assert list(await swept(device, permit, [port, port])) == [port]
        assert len(door.events("attempt")) == 1
        assert await swept(device, permit, []) == {}
        assert len(door.events("attempt")) == 1

    async def test_only_with_a_permit_that_is_good(self) -> None:
        door = Door(asset("a"), asset("b", ["127.0.0.2"]), expires=date(2026, 11, 24))
        device, permit = door.permitted("a")
        with pytest.raises(ScopeViolation):
            await swept(device, door.permitted("b")[1], [9])
        assert door.events("attempt") == []

        door.today = datetime(2026, 11, 25, tzinfo=UTC)
        told = await swept(device, permit, [9])
        assert told[9].state is ConnectState.NOT_ASKED
        assert door.events("attempt") == []


class TestBrokenOff:
    async def test_cancelled_in_the_middle_it_leaves_nothing_open(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        before = descriptors()
        told: dict[int, PortFacts] = {}
        with closed_port("127.0.0.1") as closed, silent_ports(3) as silent:
            own = descriptors()
            ports = [closed, *(each.port for each in silent)]
            all_asked = asyncio.Event()
            door.before_line = lambda line: all_asked.set() if line.get("port") == ports[-1] else None
            task = asyncio.create_task(device.sweep(permit, ports, told.__setitem__))
            await asyncio.wait_for(all_asked.wait(), 10)
            await turns()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert descriptors() == own

        assert descriptors() == before
        assert {port: facts.state for port, facts in told.items()} == {closed: ConnectState.CLOSED}
        assert Counter(line["outcome"] for line in door.events("outcome")) == {"closed": 1, "interrupted": 3}
        assert door.idle

    async def test_once_it_is_given_up_no_packet_leaves(self) -> None:
        door = Door(asset(manners=AssetManners(gap_s=0.0, max_pending=1)))
        device, permit = door.permitted()
        with silent_port() as silent, listening() as listener:
            task = asyncio.create_task(
                device.sweep(permit, [silent.port, port_of(listener)], lambda _port, _facts: None)
            )
            await turns()
            (news,) = door.gateway.poller._told.values()
            silent.take()
            time.sleep(1.5)  # noqa: ASYNC251 - the repeated SYN is answered, and nobody has looked yet
            news(0)  # it will be looked at before the sweep hears that it is given up
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert has_seen_nothing(listener)

        assert [line["outcome"] for line in door.events("outcome")] == ["interrupted"]
        assert door.idle

    async def test_what_whoever_records_raises_ends_it(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()

        def full(_port: int, _facts: PortFacts) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        with closed_ports(3) as ports, silent_port() as silent, pytest.raises(OSError, match="no space"):
            await device.sweep(permit, [silent.port, *ports], full)

        assert door.idle

    async def test_without_its_line_no_packet_leaves(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        with listening() as listener:

            def fail(_line: dict[str, object]) -> None:
                raise OSError(errno.ENOSPC, "no space left on device")

            door.before_line = fail
            with pytest.raises(OSError, match="no space"):
                await swept(device, permit, [port_of(listener)])
            assert has_seen_nothing(listener)

        assert door.idle

    async def test_a_visit_that_is_broken_off_keeps_what_it_knows(self) -> None:
        subject = asset(manners=QUICK)
        door = Door(subject)
        seen: list[Observation] = []
        two_known = asyncio.Event()

        def record(observation: Observation) -> None:
            seen.append(observation)
            if len(seen) == 2:
                two_known.set()

        web = HttpDoor("synthetic")
        with closed_ports(2) as closed, silent_port() as silent:
            visit = Visit(
                door.device(), scope=door.gateway.scope, door=web, introduction=Introduction("SECAUDIT", "synthetic"),
                vantage="local", ports=(silent.port, *closed), clock=door.gateway.clock, record=record,
            )  # fmt: skip
            task = asyncio.create_task(visit.run())
            await asyncio.wait_for(two_known.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            visit.end("the run was interrupted")
        await web.aclose()

        states = [(item.port, item.facts.state) for item in seen if isinstance(item.facts, PortFacts)]
        assert sorted(states) == sorted(
            [*((port, ConnectState.CLOSED) for port in closed), (silent.port, ConnectState.NOT_ASKED)]
        )
        assert isinstance(seen[-1].facts, VisitFacts)
        assert door.idle
