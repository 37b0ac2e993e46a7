"""UDP questions to real servers and to peers of our own on loopback, on both loops: what is sent, and what it shows."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from checker.engine.visit import Visit
from checker.errors import ScopeViolation
from checker.introduction import Introduction
from checker.model import AssetManners, Observation, Permit, UdpAnswer, UdpFacts, UdpQuestion, UdpState
from checker.net.gateway import Device
from checker.net.http import HttpDoor
from checker.net.icmp import IcmpError
from checker.net.udp import UdpLimits
from checker.probes.udp import probe_udp
from tests.conftest import LOOPS
from tests.live import datagram_peers as peers
from tests.live.certificates import Authority
from tests.live.checking import check, inventory
from tests.live.datagram_peers import Peer, peer
from tests.live.doors import QUICK, Door, asset
from tests.live.servers.datagrams import CHRONY_STRATUM, chronyd, dtls_server, ipmi_sim, snmpd, tftpd
from tests.live.servers.process import Process, free_ports
from tests.network_watch import NetworkWatch

pytestmark = pytest.mark.live
both_loops = pytest.mark.asyncio(loop_factories=LOOPS)
both_families = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])

NET_SNMP, ASF = 8072, 4542  # IANA Private Enterprise Numbers
QUICKLY = UdpLimits(waits_s=(0.1, 0.2))


async def ask(
    question: UdpQuestion,
    port: int,
    *,
    host: str = "127.0.0.1",
    limits: UdpLimits | None = None,
    door: Door | None = None,
) -> UdpFacts:
    """One question of a synthetic asset; what was begun was ended."""
    door = door or Door(asset(addresses=[host]))
    device, permit = door.permitted()
    facts = await probe_udp(device, permit, port, question=question, limits=limits)
    assert door.idle
    assert not door.gateway.poller._told
    return facts


# ----------------------------------------------------------------------------------------------------- real servers


@pytest.fixture(scope="module")
def agent() -> Iterator[Process]:
    with snmpd() as process:
        yield process


@pytest.fixture(scope="module")
def clock() -> Iterator[Process]:
    with chronyd() as process:
        yield process


@pytest.fixture(scope="module")
def files() -> Iterator[Process]:
    with tftpd() as process:
        yield process


@pytest.fixture(scope="module")
def controller() -> Iterator[Process]:
    with ipmi_sim() as process:
        yield process


@both_loops
async def test_an_snmp_agent_tells_who_made_it_and_nothing_else(agent: Process) -> None:
    facts = await ask(UdpQuestion.SNMP, agent.ports[0])

    assert facts == UdpFacts(
        question=UdpQuestion.SNMP,
        state=UdpState.OPEN,
        asked=1,
        answer=UdpAnswer(enterprise=NET_SNMP),
        rtt_ms=facts.rtt_ms,
    )


@both_loops
async def test_an_snmp_agent_over_ipv6() -> None:
    with snmpd("::1") as process:
        facts = await ask(UdpQuestion.SNMP, process.ports[0], host="::1")

    assert (facts.state, facts.answer) == (UdpState.OPEN, UdpAnswer(enterprise=NET_SNMP))


@both_loops
async def test_a_time_server(clock: Process) -> None:
    facts = await ask(UdpQuestion.NTP, clock.ports[0])

    assert (facts.state, facts.answer) == (UdpState.OPEN, UdpAnswer(version=4, stratum=CHRONY_STRATUM, leap=0))


@both_loops
async def test_a_tftp_server_has_no_such_file_and_says_so_from_another_port(files: Process) -> None:
    facts = await ask(UdpQuestion.TFTP, files.ports[0])

    assert (facts.state, facts.answer) == (UdpState.OPEN, UdpAnswer(error_code=1))  # RFC 1350: file not found
    assert facts.strays == 0


@both_loops
async def test_a_management_controller_says_that_it_speaks_ipmi(controller: Process) -> None:
    facts = await ask(UdpQuestion.RMCP, controller.ports[0])

    assert (facts.state, facts.answer) == (UdpState.OPEN, UdpAnswer(enterprise=ASF, ipmi=True))


@both_loops
@pytest.mark.parametrize("options", [(), ("-listen",)], ids=["", "listen"])
async def test_a_dtls_server_wants_a_cookie_and_has_its_place_free_again(
    options: Sequence[str], tmp_path: Path
) -> None:
    with dtls_server(Authority.create(tmp_path).valid(), *options) as process:
        facts = [await ask(UdpQuestion.DTLS, process.ports[0]) for _ in range(3)]

        assert [each.state for each in facts] == [UdpState.OPEN] * 3
        assert {each.answer for each in facts} == {UdpAnswer(version=0xFEFF, cookie=True)}


@both_loops
@pytest.mark.parametrize(
    ("question", "answering", "answer"),
    [
        pytest.param(UdpQuestion.NETBIOS, peers.netbios, UdpAnswer(names=2), id="netbios"),
        pytest.param(UdpQuestion.MDNS, peers.mdns, UdpAnswer(services=("_ssh._tcp",)), id="mdns"),
        pytest.param(UdpQuestion.SSDP, peers.ssdp, UdpAnswer(services=("upnp:rootdevice",)), id="ssdp"),
    ],
)
async def test_what_announces_itself_gives_no_name(
    question: UdpQuestion, answering: peers.Answer, answer: UdpAnswer
) -> None:
    with peer(answering) as host:
        facts = await ask(question, host.port)

    assert (facts.state, facts.answer) == (UdpState.OPEN, answer)
    assert "jane" not in repr(facts).lower()


# ------------------------------------------------------------------------------------------ what a port makes of it


@both_loops
@both_families
async def test_a_closed_port_is_closed_at_once_on_either_loop(host: str) -> None:
    (port,) = free_ports(1, udp=True)
    facts = await ask(UdpQuestion.SNMP, port, host=host)

    assert (facts.state, facts.asked, facts.offender) == (UdpState.CLOSED, 1, host)
    assert facts.icmp == ((1, 4) if ":" in host else (3, 3))


@both_loops
async def test_silence_is_open_or_filtered_after_a_second_datagram() -> None:
    with peer(peers.silent) as host:
        facts = await ask(UdpQuestion.SNMP, host.port, limits=QUICKLY)

    assert (facts.state, facts.asked, facts.rtt_ms) == (UdpState.SILENT, 2, None)
    first, second = host.heard
    assert first == second  # the same question, from the same port


@both_loops
async def test_an_answer_to_the_first_datagram_that_comes_after_the_second_counts() -> None:
    questions: list[bytes] = []

    def answer_the_second(data: bytes) -> Sequence[bytes]:
        questions.append(data)
        return peers.ntp(questions[0]) if len(questions) > 1 else ()

    with peer(answer_the_second) as host:
        facts = await ask(UdpQuestion.NTP, host.port, limits=QUICKLY)

    assert (facts.state, facts.asked) == (UdpState.OPEN, 2)


@both_loops
async def test_an_answer_that_comes_while_we_wait_for_our_turn_saves_the_second_datagram() -> None:
    manners = replace(QUICK, gap_s=0.5)
    door = Door(asset(manners=manners))

    def late(data: bytes) -> Sequence[bytes]:
        while not door.events("outcome"):
            time.sleep(0.001)
        return peers.ntp(data)

    with peer(late) as host:
        facts = await ask(UdpQuestion.NTP, host.port, limits=UdpLimits(waits_s=(0.05, 0.5)), door=door)

    assert (facts.state, facts.asked) == (UdpState.OPEN, 1)
    assert len(host.heard) == 1
    outcomes = [(line["outcome"], line["bytes_sent"], line["bytes_received"]) for line in door.events("outcome")]
    assert outcomes == [("open|filtered", 48, 0), ("open", 0, 48)]


@both_loops
async def test_what_is_no_answer_shows_an_open_port_that_speaks_something_else() -> None:
    with peer(peers.saying(b"what do you want")) as host:
        facts = await ask(UdpQuestion.SNMP, host.port, limits=QUICKLY)

    assert (facts.state, facts.answer, facts.asked) == (UdpState.OPEN, None, 1)


@both_loops
async def test_the_valid_answer_behind_what_is_none_is_found() -> None:
    with peer(lambda data: (b"noise", *peers.ntp(data))) as host:
        facts = await ask(UdpQuestion.NTP, host.port)

    assert facts.answer is not None


@both_loops
@pytest.mark.parametrize("elsewhere", [{"from_host": "127.0.0.2"}, {"other_port": True}], ids=["address", "port"])
async def test_an_answer_from_elsewhere_is_counted_and_not_believed(elsewhere: dict[str, object]) -> None:
    with peer(peers.ntp, **elsewhere) as host:  # type: ignore[arg-type]
        facts = await ask(UdpQuestion.NTP, host.port, limits=QUICKLY)

    assert (facts.state, facts.answer, facts.asked, facts.strays) == (UdpState.SILENT, None, 2, 2)


@both_loops
async def test_an_answer_of_tftp_comes_from_another_port_but_of_no_other_address() -> None:
    with peer(peers.saying(b"\0\5\0\1no\0"), other_port=True) as host:
        here = await ask(UdpQuestion.TFTP, host.port)
    with peer(peers.saying(b"\0\5\0\1no\0"), from_host="127.0.0.2") as host:
        elsewhere = await ask(UdpQuestion.TFTP, host.port, limits=QUICKLY)

    assert (here.state, here.answer) == (UdpState.OPEN, UdpAnswer(error_code=1))
    assert (elsewhere.state, elsewhere.answer, elsewhere.strays) == (UdpState.SILENT, None, 2)


@both_loops
async def test_a_file_that_comes_in_spite_of_all_is_stopped_told_of_and_not_asked_for_again() -> None:
    door = Door(asset())
    device, permit = door.permitted()
    with peer(peers.saying(b"\0\3\0\1" + b"PatientName".ljust(512))) as host:
        facts = await probe_udp(device, permit, host.port, question=UdpQuestion.TFTP)
        again = await probe_udp(device, permit, host.port, question=UdpQuestion.TFTP)
        await _until(lambda: len(host.heard) == 2)

    assert facts.answer == UdpAnswer(gave_data=True)
    assert again.state is UdpState.NOT_ASKED
    assert host.payloads()[1] == b"\0\5\0\0\0"  # RFC 1350 section 7: an error ends it
    assert any("with data" in gap for gap in device.gaps)
    assert "PatientName" not in repr((facts, again, door.lines, device.gaps))


# -------------------------------------------------------------------------------------------------------- its bounds


@both_loops
@pytest.mark.parametrize("elsewhere", [{}, {"from_host": "127.0.0.2"}], ids=["itself", "another"])
async def test_a_flood_is_bounded_in_datagrams_bytes_and_time(elsewhere: dict[str, object]) -> None:
    flood = peers.saying(*[b"\xff" * 60_000] * 200)
    door = Door(asset())
    limits = UdpLimits(waits_s=(0.3, 0.3))
    started = time.monotonic()
    with peer(flood, **elsewhere) as host:  # type: ignore[arg-type]
        facts = await ask(UdpQuestion.SNMP, host.port, limits=limits, door=door)

    assert facts.answer is None
    assert facts.state is (UdpState.SILENT if elsewhere else UdpState.OPEN)
    assert facts.strays <= limits.max_datagrams
    received = sum(int(str(line["bytes_received"])) for line in door.events("outcome"))
    assert received <= limits.max_datagrams * limits.max_bytes
    assert time.monotonic() - started < 5


@both_loops
async def test_small_datagrams_without_end_are_left() -> None:
    door = Door(asset())
    with peer(peers.saying(*[b"x"] * 100), from_host="127.0.0.2") as host:
        facts = await ask(UdpQuestion.SNMP, host.port, limits=UdpLimits(waits_s=(1.0, 1.0)), door=door)

    assert (facts.state, facts.strays, facts.asked) == (UdpState.SILENT, 32, 1)
    assert facts.detail == "more than 32 datagrams came"


@both_loops
async def test_a_late_loop_of_our_own_makes_no_answer_silence() -> None:
    with peer(peers.ntp) as host:

        async def hold_up() -> None:
            await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251 - the loop itself is late: the limit has passed when it sees the answer

        task = asyncio.create_task(hold_up())
        facts = await ask(UdpQuestion.NTP, host.port, limits=UdpLimits(waits_s=(0.1,)))
        await task

    assert facts.state is UdpState.OPEN


@both_loops
async def test_nobody_is_asked_by_ourselves() -> None:
    """A question to a port of our own machine that nobody has must not be its own answer."""
    (port,) = free_ports(1, udp=True)
    door = Door(asset())
    bound: list[int] = []
    bind = socket.socket.bind

    def unlucky(self: socket.socket, address: tuple[str, int]) -> None:
        bind(self, (address[0], port) if not bound else address)
        bound.append(self.getsockname()[1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "bind", unlucky)
        facts = await ask(UdpQuestion.SNMP, port, door=door)

    assert bound[0] == port
    assert facts.state is UdpState.CLOSED


@both_loops
@pytest.mark.parametrize(
    ("code", "state"),
    [
        (errno.ENETUNREACH, UdpState.UNREACHABLE),
        (errno.EHOSTUNREACH, UdpState.UNREACHABLE),
        (errno.EPERM, UdpState.LOCAL_ERROR),
        (errno.EADDRNOTAVAIL, UdpState.LOCAL_ERROR),
    ],
)
@pytest.mark.parametrize("call", ["connect_ex", "bind", "sendto"])
async def test_what_our_own_machine_refuses_is_told_of_as_that(call: str, code: int, state: UdpState) -> None:
    def refuse(*_arguments: object) -> int:
        if call == "connect_ex":
            return code
        raise OSError(code, "refused")

    door = Door(asset())
    with peer(peers.silent) as host, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, call, refuse)
        facts = await ask(UdpQuestion.SNMP, host.port, door=door)

    assert (facts.state, facts.detail, facts.asked) == (state, errno.errorcode[code], 0)
    assert [line["outcome"] for line in door.events("outcome")] == [state.value]
    assert host.heard == []


@pytest.mark.parametrize(
    ("icmp", "state"),
    [
        ((3, 13), UdpState.REJECTED),
        ((3, 4), UdpState.SILENT),  # too big for the way (RFC 1191): the next goes in fragments
        ((11, 0), UdpState.SILENT),  # a loop on the way, which is nobody's refusal
    ],
)
async def test_only_a_refusal_ends_a_question(icmp: tuple[int, int], state: UdpState) -> None:
    heard = [IcmpError(*icmp, "127.0.0.9")]

    with peer(peers.silent) as host, pytest.MonkeyPatch.context() as patch:
        patch.setattr("checker.net.udp.read_error", lambda _sock: heard.pop() if heard else None)
        facts = await ask(UdpQuestion.SNMP, host.port, limits=QUICKLY)

    assert not heard
    assert facts.state is state
    assert facts.icmp == (icmp if state is UdpState.REJECTED else None)


@both_loops
async def test_a_question_that_cannot_be_repeated_keeps_what_is_known() -> None:
    sendto = socket.socket.sendto
    sent: list[bytes] = []

    def once(self: socket.socket, data: bytes, address: tuple[str, int]) -> int:
        if sent:
            raise OSError(errno.ENETUNREACH, "the way is gone")
        sent.append(data)
        return sendto(self, data, address)

    with peer(peers.silent) as host, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "sendto", once)
        facts = await ask(UdpQuestion.SNMP, host.port, limits=QUICKLY)

    assert (facts.state, facts.asked, facts.detail) == (UdpState.SILENT, 1, "it could not be asked again: ENETUNREACH")


@both_loops
async def test_an_answer_that_comes_after_the_budget_was_spent_counts() -> None:
    door = Door(asset(manners=AssetManners(max_connections=1, gap_s=0.0)))

    def late(data: bytes) -> Sequence[bytes]:
        while not door.events("outcome"):
            time.sleep(0.001)
        return peers.ntp(data)

    with peer(late) as host:

        def hold_up(line: dict[str, object]) -> None:
            if line["event"] == "refused":
                raise AssertionError("the answer had come")

        device, permit = door.permitted()
        turn = type(device)._turn

        async def slow(self: Device, *arguments: object) -> object:
            claim = await turn(self, *arguments)  # type: ignore[arg-type]
            if isinstance(claim, str):
                await asyncio.to_thread(time.sleep, 0.1)  # so that the answer is there
            return claim

        door.before_line = hold_up
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Device, "_turn", slow)
            facts = await probe_udp(device, permit, host.port, question=UdpQuestion.NTP, limits=QUICKLY)

    assert (facts.state, facts.asked) == (UdpState.OPEN, 1)


# ------------------------------------------------------------------------------------------------------- its manners


@both_loops
async def test_each_datagram_is_written_down_before_it_leaves() -> None:
    door = Door(asset())
    heard_before: list[int] = []
    with peer(peers.silent) as host:
        door.before_line = lambda line: heard_before.append(len(host.heard)) if line["event"] == "attempt" else None
        await ask(UdpQuestion.SNMP, host.port, limits=QUICKLY, door=door)

    assert heard_before == [0, 1]
    assert [line["event"] for line in door.lines] == ["attempt", "outcome", "attempt", "outcome"]
    assert {(line["transport"], line["purpose"], line["port"]) for line in door.events("attempt")} == {
        ("udp", "udp snmp", host.port)
    }
    assert [line["outcome"] for line in door.events("outcome")] == ["open|filtered", "open|filtered"]


@both_loops
async def test_each_datagram_counts_in_the_budget() -> None:
    door = Door(asset(manners=AssetManners(max_connections=1, gap_s=0.0)))
    device, permit = door.permitted()
    with peer(peers.silent) as host:
        facts = await probe_udp(device, permit, host.port, question=UdpQuestion.SNMP, limits=QUICKLY)
        more = await probe_udp(device, permit, host.port, question=UdpQuestion.NTP, limits=QUICKLY)

    assert (facts.state, facts.asked) == (UdpState.SILENT, 1)
    assert (more.state, more.asked) == (UdpState.NOT_ASKED, 0)
    assert more.detail == "the budget of 1 connections is spent"
    assert (len(host.heard), device.connections) == (1, 1)
    assert device.gaps == ["the budget of 1 connections is spent"]
    assert len(door.events("refused")) == 2


@both_loops
async def test_the_gap_of_the_device_lies_between_datagrams() -> None:
    door = Door(asset(manners=AssetManners(gap_s=0.3)))
    at: list[float] = []

    def note(_data: bytes) -> Sequence[bytes]:
        at.append(time.monotonic())
        return ()

    with peer(note) as host:
        await ask(UdpQuestion.SNMP, host.port, limits=UdpLimits(waits_s=(0.05, 0.05)), door=door)

    assert at[1] - at[0] >= 0.34


@both_loops
async def test_questions_to_one_device_wait_for_one_another() -> None:
    door = Door(asset())
    with peer(peers.silent) as one, peer(peers.silent) as other:
        seen = await asyncio.gather(*(_one(door, each) for each in (one, other)))

    assert [facts.state for facts in seen] == [UdpState.SILENT] * 2
    # Written down in turn: never is one asked while an answer of another is waited for.
    open_now: set[object] = set()
    for line in door.lines:
        assert not (line["event"] == "attempt" and any(port != line["port"] for port in open_now))
        open_now = {line["port"]} if line["event"] == "attempt" else set()


async def _one(door: Door, host: Peer) -> UdpFacts:
    device, permit = door.permitted()
    return await probe_udp(device, permit, host.port, question=UdpQuestion.SNMP, limits=QUICKLY)


@both_loops
async def test_an_authorization_that_ends_while_we_wait_stops_the_second_datagram() -> None:
    door = Door(asset(), expires=date(2026, 11, 24))

    def tomorrow(_data: bytes) -> Sequence[bytes]:
        door.today += timedelta(days=1)
        return ()

    with peer(tomorrow) as host:
        facts = await ask(UdpQuestion.SNMP, host.port, limits=QUICKLY, door=door)

    assert (facts.state, facts.asked, len(host.heard)) == (UdpState.SILENT, 1, 1)


@both_loops
async def test_a_permit_that_the_scope_did_not_give_sends_nothing() -> None:
    door = Door(asset(addresses=["127.0.0.1", "127.0.0.2"]))
    forged = Permit("a", "127.0.0.3", "127.0.0.0/8", date(2027, 6, 30))
    with peer(peers.silent, host="127.0.0.3") as host, pytest.raises(ScopeViolation):
        await probe_udp(door.device(), forged, host.port, question=UdpQuestion.SNMP)

    assert host.heard == []
    assert door.events("attempt") == []


@both_loops
async def test_who_is_broken_off_leaves_nothing_behind() -> None:
    door = Door(asset())
    with peer(peers.silent) as host:
        task = asyncio.create_task(_one(door, host))
        await _until(lambda: len(host.heard) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert door.idle
    assert not door.gateway.poller._told
    assert [line["outcome"] for line in door.events("outcome")] == ["interrupted"]


async def test_a_port_without_a_question_is_not_asked() -> None:
    door = Door(asset())
    device, permit = door.permitted()
    facts = await probe_udp(device, permit, 500)

    assert (facts.state, facts.question) == (UdpState.NOT_ASKED, None)
    assert door.lines == []
    assert device.gaps == ["no question is known for this UDP port: 500"]


@both_loops
async def test_all_of_it_goes_through_the_gateway(only_the_gateway: NetworkWatch) -> None:
    with peer(peers.ntp) as host:
        await ask(UdpQuestion.NTP, host.port)

    assert "socket.sendto" in only_the_gateway.passed


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.to_thread(time.sleep, 0.005)  # a peer's thread has to come to it


# ------------------------------------------------------------------------------------------------- the whole product


def test_open_services_over_udp_are_found_and_judged(tmp_path: Path) -> None:
    host = "127.61.4.7"
    path = inventory(
        tmp_path,
        [{"id": "console", "address": host, "services": []}],
        defaults={"ports": ["administration", "databases", "udp/123"]},
    )
    with tftpd(host, 69), snmpd(host, 161):
        run = check(path)
    seen = {item["port"]: item["facts"] for item in run.observations if item["facts"]["type"] == "udp"}

    assert {port: facts["state"] for port, facts in seen.items()} == {
        161: "open",
        69: "open",
        623: "closed",
        123: "closed",
    }
    assert seen[161]["answer"]["enterprise"] == NET_SNMP
    assert run.status("console", "exposure.remote-administration") == "fail"
    assert run.status("console", "exposure.cleartext-management") == "fail"
    assert run.status("console", "exposure.unexpected-open") == "fail"
    assert {(line["port"], line["purpose"]) for line in run.attempts() if line["transport"] == "udp"} == {
        (161, "udp snmp"), (69, "udp tftp"), (623, "udp rmcp"), (123, "udp ntp"),
    }  # fmt: skip
    # The text of the error is nobody's business.
    assert not any(b"File not found" in path.read_bytes() for path in run.folder.rglob("*") if path.is_file())


def test_what_a_broken_off_visit_did_not_come_to_is_recorded_as_not_asked() -> None:
    door = Door(asset())
    seen: list[Observation] = []
    web = HttpDoor("synthetic")
    visit = Visit(
        door.device(),
        scope=door.gateway.scope,
        door=web,
        introduction=Introduction.of(door.inventory),
        vantage="local",
        ports=(),
        udp=(161,),
        clock=door.gateway.clock,
        record=seen.append,
    )

    async def break_off() -> None:
        task = asyncio.create_task(visit.run())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        visit.end("it was interrupted")
        await web.aclose()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Device, "datagram", _never)
        asyncio.run(break_off())

    assert [item.facts for item in seen if item.port] == [
        UdpFacts(question=UdpQuestion.SNMP, state=UdpState.NOT_ASKED, detail="it was interrupted")
    ]


async def _never(*_arguments: object) -> UdpFacts:
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
