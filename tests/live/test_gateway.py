"""The gateway against real listeners on loopback, on both event loops: what it opens, when, and what it never does."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from checker.errors import ScopeViolation
from checker.model import AssetManners, ConnectState, End, NameFacts, Permit, PortFacts, Service, ServiceKind
from checker.net.connection import Connection
from checker.net.gateway import Device, Limits
from checker.net.manners import Manners
from tests.conftest import LOOPS
from tests.faults.servers import Fault, hostile
from tests.live.doors import LACKING, QUICK, Door, asset, poor_socket

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_factories=LOOPS)]

LIMITS = Limits(connect_s=2.0, conversation_s=5.0)
both_families = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])


@contextmanager
def listening(host: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    """A listener whose `accept` never waits."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        listener.setblocking(False)
        yield listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def has_seen_nothing(listener: socket.socket) -> bool:
    try:
        accepted, _ = listener.accept()
    except BlockingIOError:
        return True
    accepted.close()
    return False


@contextmanager
def closed_port(host: str) -> Iterator[int]:
    """A port of which we are sure that nobody listens on it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as held:
        held.bind((host, 0))
        yield port_of(held)


async def opened(device: Device, permit: Permit, port: int, limits: Limits = LIMITS) -> Connection:
    made = await device.connect(permit, port, "test", limits)
    assert isinstance(made, Connection), made
    return made


@asynccontextmanager
async def conversation(
    limits: Limits = LIMITS, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Connection, socket.socket, Door]]:
    """Both ends of one connection: ours, and the device's, a blocking socket. What is left open is left in the end."""
    door = Door(asset(addresses=[host]))
    device, permit = door.permitted()
    with listening(host) as listener:
        ours = await opened(device, permit, port_of(listener), limits)
        theirs, _ = listener.accept()
        with theirs:
            theirs.settimeout(5)
            yield ours, theirs, door
            ours.abandon()
    assert door.idle


async def drained(connection: Connection) -> tuple[int, End]:
    """Read to the end: how many bytes came, and how it ended."""
    count = 0
    while isinstance(got := await connection.receive(), bytes):
        count += len(got)
    return count, got


async def turns() -> None:
    """Let everything happen that can happen now."""
    for _ in range(20):
        await asyncio.sleep(0)


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestStates:
    @both_families
    async def test_open(self, host: str) -> None:
        door = Door(asset(addresses=[host]))
        device, permit = door.permitted()
        with listening(host) as listener:
            made = await opened(device, permit, port_of(listener))
            assert made.rtt_ms > 0
            made.abandon()

            assert not has_seen_nothing(listener)
        assert [line["outcome"] for line in door.events("outcome")] == ["opened"]
        assert door.idle
        assert device.connections == 1

    @both_families
    async def test_closed(self, host: str) -> None:
        door = Door(asset(addresses=[host]))
        device, permit = door.permitted()
        with closed_port(host) as port:
            made = await device.connect(permit, port, "test", LIMITS)

        assert isinstance(made, PortFacts)
        assert (made.state, made.icmp, made.offender) == (ConnectState.CLOSED, None, None)
        assert [line["outcome"] for line in door.events("outcome")] == ["closed"]
        assert door.idle

    async def test_filtered(self) -> None:
        with hostile(Fault.BACKLOG_FULL) as peer:
            door = Door(asset(addresses=[peer.host]))
            device, permit = door.permitted()
            made = await device.connect(permit, peer.port, "test", Limits(connect_s=0.2))

        assert made == PortFacts(state=ConnectState.FILTERED)
        assert door.idle

    @pytest.mark.parametrize("what", LACKING)
    async def test_an_error_of_our_own_machine_says_nothing_of_the_device(
        self, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        door = Door(asset())
        device, permit = door.permitted()

        with listening() as listener, monkeypatch.context() as patch:
            patch.setattr(socket, "socket", poor_socket(what))
            made = await device.connect(permit, port_of(listener), "test", LIMITS)

        expected = LACKING[what]
        assert made == PortFacts(state=ConnectState.LOCAL_ERROR, detail=expected)
        assert device.gaps == [f"this machine could not connect: {expected}"]
        assert door.idle


class TestOneAtATime:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            pytest.param(("a", "127.0.0.2"), ("b", "127.0.0.2"), id="two assets at one address"),
            pytest.param(("b", "127.0.0.3"), ("b", "127.0.0.2"), id="two addresses of one asset"),
            pytest.param(("a", "127.0.0.2"), ("b", "127.0.0.3"), id="an asset at its own address and as another"),
        ],
    )
    async def test_the_second_one_waits(self, first: tuple[str, str], second: tuple[str, str]) -> None:
        door = Door(asset("a", ["127.0.0.2"]), asset("b", ["127.0.0.2", "127.0.0.3"], site="elsewhere"))
        with listening("0.0.0.0") as listener:
            device, permit = door.permitted(*first)
            held = await opened(device, permit, port_of(listener))
            device, permit = door.permitted(*second)
            waiting = asyncio.create_task(opened(device, permit, port_of(listener)))
            await turns()

            assert len(door.events("attempt")) == 1
            await held.close()
            (await waiting).abandon()
        assert door.idle

    async def test_other_devices_go_on(self) -> None:
        door = Door(asset("a", ["127.0.0.2"]), asset("b", ["127.0.0.3"]))
        with listening("127.0.0.2") as one, listening("127.0.0.3") as other:
            first = await opened(*door.permitted("a"), port_of(one))
            second = await opened(*door.permitted("b"), port_of(other))
            first.abandon()
            second.abandon()
        assert door.idle

    async def test_a_denied_one_does_not_keep_the_next_from_its_turn(self) -> None:
        door = Door(*(asset(name) for name in "abc"))
        with listening() as listener:
            device, permit = door.permitted("a")
            held = await opened(device, permit, port_of(listener))
            others = [
                asyncio.create_task(device.connect(permit, port_of(listener), "test", LIMITS))
                for device, permit in (door.permitted("b"), door.permitted("c"))
            ]
            await turns()
            device.fell_silent(permit.address, port_of(listener), in_the_middle=True)
            held.abandon()
            async with asyncio.timeout(5):
                seen = await asyncio.gather(*others)

        assert [made.state for made in seen if isinstance(made, PortFacts)] == [ConnectState.NOT_ASKED] * 2
        assert len(door.events("attempt")) == 1
        assert door.idle


class TestGapBudgetSiteRate:
    async def test_the_gap_lies_between_the_end_and_the_next_attempt(self) -> None:
        door = Door(asset(manners=AssetManners(gap_s=0.15)))
        device, permit = door.permitted()
        loop = asyncio.get_running_loop()
        times: list[float] = []
        door.before_line = lambda _line: times.append(loop.time())
        with listening() as listener:
            for _ in range(3):
                await (await opened(device, permit, port_of(listener))).close()

        ends, starts = times[1::2], times[2::2]
        assert len(starts) == 2
        assert all(start - end >= 0.149 for end, start in zip(ends, starts, strict=False))

    async def test_the_budget_is_never_exceeded(self) -> None:
        door = Door(asset(manners=AssetManners(max_connections=2, gap_s=0.0)))
        with listening() as listener:
            for _ in range(2):
                device, permit = door.permitted()
                (await opened(device, permit, port_of(listener))).abandon()
                assert not has_seen_nothing(listener)
            device, permit = door.permitted()
            port = port_of(listener)
            made = await device.connect(permit, port, "survey", LIMITS)

            assert has_seen_nothing(listener)
        reason = "the budget of 2 connections is spent"
        assert made == PortFacts(state=ConnectState.NOT_ASKED, detail=reason)
        assert device.gaps == [reason]
        (refused,) = door.events("refused")
        assert (refused["purpose"], refused["port"], refused["reason"]) == ("survey", port, reason)
        assert door.idle

    async def test_the_site_cap_is_never_exceeded_and_everybody_has_a_turn(self) -> None:
        fleet = [asset(f"a{number}", [f"127.0.1.{number}"]) for number in range(1, 8)]
        door = Door(*fleet, manners=Manners(site_connections=2))
        most = 0

        def count(_line: dict[str, object]) -> None:
            nonlocal most
            most = max(most, len(door.events("attempt")) - len(door.events("outcome")))

        door.before_line = count

        async def visit(name: str, listener: socket.socket) -> None:
            made = await opened(*door.permitted(name), port_of(listener))
            await turns()
            await made.close()

        with listening("0.0.0.0") as listener:
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                for each in fleet:
                    group.create_task(visit(each.id, listener))

        assert len(door.events("outcome")) == len(fleet)
        assert most == 2
        assert door.idle

    async def test_the_rate_is_kept_without_spinning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fleet = [asset(f"a{number}", [f"127.0.1.{number}"]) for number in range(1, 9)]
        manners = Manners(connections_per_second=50)
        door = Door(*fleet, manners=manners)
        loop = asyncio.get_running_loop()
        starts: list[float] = []
        door.before_line = lambda line: starts.append(loop.time()) if line["event"] == "attempt" else None
        steps = 0
        step = manners.step

        def counted(*arguments: Any) -> Any:
            nonlocal steps
            steps += 1
            return step(*arguments)

        monkeypatch.setattr(manners, "step", counted)
        began = loop.time()
        with closed_port("127.0.0.1") as port:
            visits = (
                device.connect(permit, port, "test", LIMITS) for device, permit in map(door.permitted, door.assets)
            )
            await asyncio.gather(*visits)

        # uvloop's clock counts milliseconds.
        assert all(start >= began + number / 50 - 0.002 for number, start in enumerate(starts))
        assert steps <= 4 * len(fleet)

    async def test_a_thousand_visits_at_once(self) -> None:
        fleet = [asset(f"a{n}", [f"127.2.{n // 250}.{n % 250 + 1}"], site=f"s{n % 3}") for n in range(1000)]
        door = Door(*fleet)
        with closed_port("127.0.0.1") as port:
            visits = (
                device.connect(permit, port, "test", LIMITS) for device, permit in map(door.permitted, door.assets)
            )
            made = await asyncio.gather(*visits)

        assert {facts.state for facts in made if isinstance(facts, PortFacts)} == {ConnectState.CLOSED}
        assert len(door.events("attempt")) == len(fleet)
        assert door.idle


class TestCancellation:
    """Whatever a visit is doing when it is broken off: nothing stays held, and who waits gets the turn."""

    @pytest.mark.parametrize(
        ("rate", "gap_s", "moment"),
        [
            pytest.param(5000, 0.0, "woken", id="as it gets its turn"),
            pytest.param(5000, 0.3, "woken", id="as it gets its turn, before the gap"),
            pytest.param(5000, 0.3, "later", id="waiting for the gap"),
            pytest.param(3, 0.0, "later", id="waiting for the rate"),
        ],
    )
    async def test_before_it_went(self, rate: float, gap_s: float, moment: str) -> None:
        quick = replace(QUICK, gap_s=gap_s)
        door = Door(asset("a", manners=quick), asset("b"), manners=Manners(connections_per_second=rate))
        with listening() as listener:
            held = await opened(*door.permitted("a"), port_of(listener))
            given_up, next_one = (
                asyncio.create_task(opened(*door.permitted("b"), port_of(listener))) for _ in range(2)
            )
            await turns()
            held.abandon()
            if moment == "later":
                await turns()
            await cancelled(given_up)

            async with asyncio.timeout(5):
                (await next_one).abandon()
        assert len(door.events("attempt")) == 2
        assert door.idle

    async def test_in_the_queue(self) -> None:
        door = Door(asset("a"), asset("b"))
        with listening() as listener:
            held = await opened(*door.permitted("a"), port_of(listener))
            given_up, next_one = (
                asyncio.create_task(opened(*door.permitted("b"), port_of(listener))) for _ in range(2)
            )
            await turns()
            await cancelled(given_up)
            held.abandon()

            async with asyncio.timeout(5):
                (await next_one).abandon()
        assert door.idle

    async def test_while_connecting(self) -> None:
        with hostile(Fault.BACKLOG_FULL) as peer, listening() as listener:
            door = Door(asset())
            device, permit = door.permitted()
            before = descriptors()
            connecting = asyncio.create_task(device.connect(permit, peer.port, "test", LIMITS))
            await turns()
            assert [line["port"] for line in door.events("attempt")] == [peer.port]
            await cancelled(connecting)

            assert [line["outcome"] for line in door.events("outcome")] == ["interrupted"]
            assert descriptors() == before
            (await opened(device, permit, port_of(listener))).abandon()
        assert door.idle

    async def test_while_receiving(self) -> None:
        async with conversation() as (ours, theirs, door):
            receiving = asyncio.create_task(ours.receive())
            await turns()
            await cancelled(receiving)

            theirs.sendall(b"late")
            assert await ours.receive() == b"late"
            ours.abandon()
            assert door.idle

    async def test_while_sending(self) -> None:
        async with conversation() as (ours, _theirs, door):
            sending = asyncio.create_task(ours.send(bytes(50_000_000)))
            await turns()
            await cancelled(sending)

            assert 0 < ours.bytes_sent < 50_000_000
            ours.abandon()
            assert door.idle


class TestScope:
    @pytest.mark.parametrize(
        "forged",
        [
            Permit("a", "127.0.0.2", "127.0.0.0/8", date(2027, 6, 30)),  # owned, but no asset's address
            Permit("a", "127.0.0.9", "127.0.0.0/8", date(2027, 6, 30)),  # excluded
            Permit("a", "10.0.0.1", "127.0.0.0/8", date(2027, 6, 30)),
            Permit("b", "127.0.0.1", "127.0.0.0/8", date(2027, 6, 30)),
            Permit("a", "127.0.0.1", "127.0.0.0/8", date.max),
        ],
        ids=lambda permit: f"{permit.asset_id}, {permit.address}, {permit.expires}",
    )
    async def test_a_forged_permit_is_a_violation_and_nothing_is_sent(self, forged: Permit) -> None:
        door = Door(asset(addresses=["127.0.0.1", "127.0.0.9"]), excluded=["127.0.0.9/32"])
        with listening(forged.address if forged.address.startswith("127.") else "127.0.0.1") as listener:
            port = port_of(listener)
            with pytest.raises(ScopeViolation, match="no valid permit"):
                await door.device().connect(forged, port, "survey", LIMITS)

            assert has_seen_nothing(listener)
        (line,) = door.lines
        assert (line["event"], line["address"], line["port"], line["purpose"], line["reason"]) == (
            "refused",
            forged.address,
            port,
            "survey",
            "no valid permit",
        )
        assert door.idle

    async def test_an_authorization_that_expires_while_waiting(self) -> None:
        door = Door(asset("a"), asset("b"), expires=date(2026, 11, 24))
        with listening() as listener:
            held = await opened(*door.permitted("a"), port_of(listener))
            device, permit = door.permitted("b")
            waiting = asyncio.create_task(device.connect(permit, port_of(listener), "test", LIMITS))
            await turns()
            door.today = datetime(2026, 11, 25, tzinfo=door.today.tzinfo)
            held.abandon()

            made = await waiting
            later = await device.connect(permit, port_of(listener), "test", LIMITS)

        reason = "the authorization expired on 2026-11-24"
        assert made == later == PortFacts(state=ConnectState.NOT_ASKED, detail=reason)
        assert device.gaps == [reason]
        assert [line["reason"] for line in door.events("refused")] == [reason] * 2
        assert len(door.events("attempt")) == 1
        assert door.idle

    @pytest.mark.parametrize(
        ("address", "reason"),
        [
            ("127.0.0.9", "127.0.0.9 is excluded by the inventory"),
            ("127.0.0.2", "127.0.0.2 is no address of the inventory"),
            ("10.0.0.1", "10.0.0.1 is in no network of owned_networks"),
            ("8.8.8.8", "8.8.8.8 is a public address and in no network of public_networks"),
            ("nonsense\udcff", "'nonsense\\udcff' is not an address"),
        ],
    )
    async def test_no_permit_is_a_gap_and_a_refusal_in_the_ledger(self, address: str, reason: str) -> None:
        door = Door(asset(addresses=["127.0.0.1", "127.0.0.9"]), excluded=["127.0.0.9/32"])
        device = door.device()

        assert device.permit(address) is None
        assert device.gaps == [reason]
        assert [(line["event"], line["reason"]) for line in door.lines] == [("refused", reason)]

    async def test_an_address_in_a_url_is_listed(self) -> None:
        service = Service(ServiceKind.WEB, 443, url="https://127.0.0.7/")
        door = Door(asset(addresses=[], hostname="archive.example.org", services=[service]))

        assert door.device().permit("127.0.0.7") is not None
        assert door.device().permit("127.0.0.8") is None

    async def test_an_asset_that_is_not_the_inventorys(self) -> None:
        door = Door(asset())

        for stranger in (asset("b"), asset(manners=AssetManners(max_connections=9999))):
            with pytest.raises(ScopeViolation, match="inventory"):
                door.gateway.device(stranger)

    async def test_passive_and_quiet_assets_are_not_contacted(self) -> None:
        passive = asset(manners=AssetManners(passive=True))
        door = Door(passive, asset("b"))
        with listening() as listener:
            # Also not as somebody else at the same address.
            for name in ("a", "b"):
                device, permit = door.permitted(name)
                made = await device.connect(permit, port_of(listener), "test", LIMITS)
                assert isinstance(made, PortFacts)
                assert made.state is ConnectState.NOT_ASKED

            assert has_seen_nothing(listener)
        assert not door.events("attempt")


class TestLedgerFirst:
    async def test_the_attempt_is_written_before_the_device_sees_anything(self) -> None:
        door = Door(asset())
        device, permit = door.permitted()
        seen_before: list[bool] = []
        with listening() as listener:
            door.before_line = lambda line: (
                seen_before.append(not has_seen_nothing(listener)) if line["event"] == "attempt" else None
            )
            made = await opened(device, permit, port_of(listener))

            assert seen_before == [False]
            assert not has_seen_nothing(listener)
            made.abandon()

    async def test_what_cannot_be_written_is_not_done_and_holds_nobody_up(self) -> None:
        def full(_line: dict[str, object]) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        door = Door(asset("a"), asset("b"))
        with listening() as listener:
            door.before_line = full
            device, permit = door.permitted("a")
            with pytest.raises(OSError, match="no space"):
                await device.connect(permit, port_of(listener), "test", LIMITS)
            assert has_seen_nothing(listener)

            door.before_line = lambda _line: None
            made = await opened(*door.permitted("b"), port_of(listener))
            door.before_line = full
            with pytest.raises(OSError, match="no space"):
                await made.close()
            door.before_line = lambda _line: None
            (await opened(*door.permitted("a"), port_of(listener))).abandon()
        assert not door.gateway.manners._places

    async def test_bytes_are_counted_each_way(self) -> None:
        async with conversation() as (ours, theirs, door):
            theirs.sendall(b"x" * 100)
            assert await ours.send(b"y" * 70) is None
            assert await ours.receive(30) == b"x" * 30
            await ours.close()

            (line,) = door.events("outcome")
            assert (line["outcome"], line["bytes_sent"], line["bytes_received"]) == ("closed", 70, 100)
            totals = door.gateway.ledger.totals
            assert (totals.connections, totals.bytes_sent, totals.bytes_received) == (1, 70, 100)


class TestNames:
    """`localhost` is in every hosts file, so the real resolver can be asked without a packet."""

    async def test_a_name_of_the_inventory_is_resolved_permitted_and_contacted(self) -> None:
        door = Door(asset(addresses=[], hostname="localhost"))
        device = door.device()
        assert device.permit("127.0.0.1") is None

        facts = await device.resolve("localhost")

        assert "127.0.0.1" in facts.addresses
        permit = device.permit("127.0.0.1")
        assert permit is not None
        with listening() as listener:
            (await opened(device, permit, port_of(listener))).abandon()
        lookup = next(line for line in door.lines if line.get("transport") == "dns")
        assert (lookup["event"], lookup["address"], lookup["purpose"]) == ("attempt", "localhost", "resolve")
        assert door.idle

    async def test_what_one_device_resolved_is_no_leave_for_another(self) -> None:
        door = Door(asset(addresses=[], hostname="localhost"), asset("b", ["127.0.0.5"]))
        await door.device("a").resolve("localhost")

        assert door.device("b").permit("127.0.0.1") is None

    async def test_a_name_that_leads_out_of_the_scope(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers(monkeypatch, ["10.1.1.1", "8.8.8.8", "::ffff:127.0.0.1", "fe80::1%lo", "127.0.0.1"])
        door = Door(asset(addresses=[], hostname="archive.example.org"))
        device = door.device()

        facts = await device.resolve("archive.example.org")

        assert facts.addresses == ("10.1.1.1", "127.0.0.1", "8.8.8.8")
        assert [address for address in facts.addresses if device.permit(address)] == ["127.0.0.1"]
        assert len(device.gaps) == 2

    async def test_a_name_that_leads_to_an_end_of_a_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ends = ["127.0.0.0", "127.255.255.255"]
        answers(monkeypatch, ends)
        door = Door(asset(addresses=[], hostname="archive.example.org"), asset("b", ends[:1]))
        device = door.device()
        await device.resolve("archive.example.org")

        # What the inventory lists is a device, whatever it looks like.
        assert device.permit(ends[0]) is not None
        assert device.permit(ends[1]) is None
        assert device.gaps == ["127.255.255.255 is an end of 127.0.0.0/8"]

    async def test_names_that_lead_to_one_address_keep_the_gap_of_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers(monkeypatch, ["127.0.0.6"])
        patient = AssetManners(gap_s=0.2)
        door = Door(asset("a", [], hostname="one"), asset("b", [], hostname="two", manners=patient))
        devices = door.device("a"), door.device("b")
        for device in devices:
            await device.resolve(str(device.asset.hostname))
        times: list[float] = []
        door.before_line = lambda _line: times.append(asyncio.get_running_loop().time())
        with listening("127.0.0.6") as listener:
            for device in devices:
                permit = device.permit("127.0.0.6")
                assert permit is not None
                (await opened(device, permit, port_of(listener))).abandon()

        assert times[2] - times[1] >= 0.199

    async def test_a_name_that_leads_to_a_passive_asset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers(monkeypatch, ["127.0.0.5"])
        passive = asset("b", ["127.0.0.5"], manners=AssetManners(passive=True))
        door = Door(asset(addresses=[], hostname="archive.example.org"), passive)
        device = door.device()
        await device.resolve("archive.example.org")

        assert device.denied("127.0.0.5") is not None

    async def test_a_name_that_the_inventory_does_not_have_is_not_looked_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = answers(monkeypatch, ["127.0.0.1"])
        door = Door(asset(hostname="archive.example.org"))

        facts = await door.device().resolve("patient-name.attacker.example")

        assert facts.addresses == ()
        assert facts.error == "the name is not in the inventory"
        assert not asked
        assert [line["event"] for line in door.lines] == ["refused"]
        assert "attacker" not in str(door.lines)

    @pytest.mark.parametrize(
        ("error", "word"),
        [
            (socket.gaierror(socket.EAI_NONAME, "x"), "no such name"),
            (socket.gaierror(socket.EAI_AGAIN, "x"), "the resolver failed for now"),
            (socket.gaierror(socket.EAI_FAIL, "x"), "the resolver failed"),
            (UnicodeError("label too long"), "not a host name"),
            (TimeoutError(), "the resolver did not answer in time"),
        ],
    )
    async def test_a_name_that_is_not_resolved(
        self, error: Exception, word: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers(monkeypatch, error)
        door = Door(asset(addresses=[], hostname="archive.example.org"))

        facts = await door.device().resolve("archive.example.org")

        assert facts == NameFacts(hostname="archive.example.org", error=word)
        assert door.idle

    async def test_a_few_at_a_time_and_none_left_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gate = asyncio.Event()
        asked = answers(monkeypatch, ["127.0.0.1"], until=gate.wait)
        fleet = [asset(f"a{n}", [], hostname=f"h{n}.example.org") for n in range(12)]
        door = Door(*fleet)
        lookups = [asyncio.create_task(door.device(each.id).resolve(str(each.hostname))) for each in fleet]
        await turns()

        assert len(asked) == len(door.events("attempt")) == 4
        await cancelled(lookups[0])
        await cancelled(lookups[-1])
        gate.set()
        found = await asyncio.gather(*lookups[1:-1])

        assert all(facts.addresses == ("127.0.0.1",) for facts in found)
        assert len(door.events("attempt")) == 11
        assert door.idle


def answers(
    monkeypatch: pytest.MonkeyPatch,
    result: list[str] | Exception,
    until: Callable[[], Awaitable[object]] | None = None,
) -> list[str]:
    """Put the resolver's answer in its place. Gives the names that it was asked."""
    asked: list[str] = []

    async def getaddrinfo(_loop: object, host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if until is not None:
            await until()
        if isinstance(result, Exception):
            raise result
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in result]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", getaddrinfo)
    return asked


class TestCaps:
    @pytest.mark.parametrize("cap", [1, 2, 4096])
    async def test_exactly_the_cap_is_no_excess(self, cap: int) -> None:
        async with conversation(replace(LIMITS, max_bytes=cap)) as (ours, theirs, _door):
            theirs.sendall(b"x" * cap)
            theirs.shutdown(socket.SHUT_WR)

            assert await drained(ours) == (cap, End.CLOSED)

    @pytest.mark.parametrize("cap", [1, 2, 4096])
    async def test_one_byte_more_is_too_much_and_stays_unread(self, cap: int) -> None:
        async with conversation(replace(LIMITS, max_bytes=cap)) as (ours, theirs, _door):
            theirs.sendall(b"x" * (cap + 1))

            assert await drained(ours) == (cap, End.TOO_MUCH)
            assert await ours.receive() is End.TOO_MUCH
            await ours.close()
            assert ours.bytes_received == cap

    async def test_at_the_cap_the_deadline_still_holds(self) -> None:
        async with conversation(Limits(conversation_s=0.2, max_bytes=3)) as (ours, theirs, _door):
            theirs.sendall(b"xyz")

            assert await drained(ours) == (3, End.TIMEOUT)

    async def test_closing_reads_no_more_than_the_cap(self) -> None:
        async with conversation(replace(LIMITS, max_bytes=1000)) as (ours, theirs, _door):
            theirs.sendall(b"x" * 60_000)
            await ours.close()

            assert ours.bytes_received == 1000

    async def test_a_peer_that_is_always_ready_lets_others_have_the_loop(self) -> None:
        async with conversation() as (ours, theirs, _door):
            theirs.sendall(b"x" * 50_000)
            seen: list[int] = []
            other = asyncio.create_task(turns())
            other.add_done_callback(lambda _: seen.append(ours.bytes_received))
            while ours.bytes_received < 50_000:
                assert isinstance(await ours.receive(1000), bytes)

            assert seen
            assert seen[0] < 50_000

    @pytest.mark.parametrize("limit", [0, -1])
    async def test_a_limit_that_would_read_as_the_end(self, limit: int) -> None:
        async with conversation() as (ours, _theirs, _door):
            with pytest.raises(ValueError, match="limit"):
                await ours.receive(limit)

    async def test_the_receive_buffer_is_ours_to_choose(self) -> None:
        async with conversation(replace(LIMITS, receive_buffer=4096)) as (ours, theirs, _door):
            theirs.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    theirs.send(bytes(65536))

            assert ours._sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 * 4096


class TestDeadlines:
    async def test_silence(self) -> None:
        async with conversation(Limits(conversation_s=0.2)) as (ours, _theirs, _door):
            began = asyncio.get_running_loop().time()

            assert await ours.receive() is End.TIMEOUT
            assert 0.19 <= asyncio.get_running_loop().time() - began < 1.0

    async def test_bytes_that_are_ready_do_not_outlive_it(self) -> None:
        async with conversation(Limits(conversation_s=0.05)) as (ours, theirs, _door):
            await asyncio.sleep(0.06)
            theirs.sendall(b"late")

            assert await ours.receive() is End.TIMEOUT

    async def test_a_peer_that_takes_nothing(self) -> None:
        async with conversation(Limits(conversation_s=0.2)) as (ours, _theirs, _door):
            assert await ours.send(bytes(50_000_000)) is End.TIMEOUT

    async def test_a_narrow_one_is_put_back(self) -> None:
        async with conversation() as (ours, theirs, _door):
            before = ours.narrow_deadline(0.05)
            assert await ours.receive() is End.TIMEOUT
            ours.put_back_deadline(before)
            theirs.sendall(b"on it goes")

            assert await ours.receive() == b"on it goes"

    async def test_a_last_word_goes_out_after_it(self) -> None:
        async with conversation(Limits(conversation_s=0.05)) as (ours, theirs, _door):
            assert await ours.receive() is End.TIMEOUT

            assert await ours.send(b"abort") is None
            assert theirs.recv(10) == b"abort"


class TestLeaving:
    @both_families
    async def test_closing_is_a_fin_also_with_unread_bytes(self, host: str) -> None:
        async with conversation(host=host) as (ours, theirs, _door):
            theirs.sendall(b"unread")
            await ours.close()

            assert theirs.recv(1) == b""

    @both_families
    async def test_abandoning_unread_bytes_is_a_reset(self, host: str) -> None:
        async with conversation(host=host) as (ours, theirs, _door):
            theirs.sendall(b"unread")
            ours.abandon()

            with pytest.raises(ConnectionResetError):
                theirs.recv(1)
            assert ours.bytes_received == 0

    async def test_what_comes_after_leaving_is_answered_by_a_reset(self) -> None:
        async with conversation() as (ours, theirs, _door):
            ours.abandon()
            theirs.sendall(b"after")

            assert theirs.recv(1) == b""
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                theirs.sendall(b"again")

    async def test_leaving_twice_is_leaving_once(self) -> None:
        async with conversation() as (ours, _theirs, door):
            await ours.close()
            ours.abandon()
            await ours.close()

            assert len(door.events("outcome")) == 1
            assert await ours.receive() is End.CLOSED
            assert await ours.send(b"x") is End.CLOSED

    async def test_a_peers_end_and_reset_are_told_apart(self) -> None:
        async with conversation() as (ours, theirs, _door):
            theirs.shutdown(socket.SHUT_WR)
            assert await ours.receive() is End.CLOSED
        async with conversation() as (ours, theirs, _door):
            assert await ours.send(b"unread by them") is None
            theirs.close()
            assert await ours.receive() is End.RESET
            assert await ours.send(b"x") is End.RESET

    @pytest.mark.parametrize("what", ["receive", "send"])
    async def test_leaving_in_the_middle_of_a_wait_ends_the_wait(self, what: str) -> None:
        async with conversation() as (ours, theirs, door):
            waiting = asyncio.create_task(ours.receive() if what == "receive" else ours.send(bytes(50_000_000)))
            await turns()
            ours.abandon()
            # The number of the descriptor is taken at once: nobody may still watch it for the old one.
            left, right = socket.socketpair()
            with left, right:
                right.sendall(b"x")
                async with asyncio.timeout(1):
                    assert await waiting is End.CLOSED
                await turns()
            assert theirs.fileno() >= 0
            assert door.idle

    async def test_two_tasks_on_one_side_are_a_bug_that_shows(self) -> None:
        async with conversation() as (ours, _theirs, _door):
            first = asyncio.create_task(ours.receive())
            await turns()
            with pytest.raises(RuntimeError, match="two tasks"):
                await ours.receive()
            await cancelled(first)

    async def test_no_descriptor_is_left(self) -> None:
        door = Door(asset(manners=AssetManners(max_connections=1000, gap_s=0.0)))
        device, permit = door.permitted()
        with listening() as listener, closed_port("127.0.0.1") as nobody:
            before = descriptors()
            for _ in range(50):
                (await opened(device, permit, port_of(listener))).abandon()
                has_seen_nothing(listener)
                await device.connect(permit, nobody, "test", LIMITS)

            assert descriptors() == before


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
