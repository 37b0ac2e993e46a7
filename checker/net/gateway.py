"""The one door to the network: nothing else in the product opens a socket or looks up a name.

A connection is opened against a permit that the scope confirms at that moment, when the manners say so, and after the
ledger has it. Whoever wants to talk to a device gets a `Device` for the length of a visit and asks that.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from time import perf_counter

from checker.codecs.udp import Asking
from checker.errors import ScopeViolation
from checker.model import (
    Asset,
    ConnectState,
    Inventory,
    NameFacts,
    Permit,
    PortFacts,
    Refusal,
    UdpFacts,
    UdpState,
)
from checker.net.connection import Connection
from checker.net.failure import failed, ms, not_tried, seen, silent, syns_repeated
from checker.net.icmp import keep_errors
from checker.net.ledger import Entry, Ledger
from checker.net.manners import Ask, Claim, Denied, Go, Manners, WaitUntil
from checker.net.patience import Answers
from checker.net.poller import Poller
from checker.net.readiness import Readiness
from checker.net.sweep import PURPOSE, Sweep
from checker.net.udp import UdpExchange, UdpLimits
from checker.scope import Listed, Scope, canonical, is_edge

_RESOLVE_S = 5.0
# A look-up holds a thread of the loop's pool for as long as the resolver takes.
_LOOKUPS_AT_ONCE = 4
# uvloop's clock counts milliseconds: a shorter sleep would be none.
_SHORTEST_SLEEP_S = 0.001
_ANY_TIME = time()
_DATAGRAM_BUFFER = 16384


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one conversation: seconds to connect, seconds in all after that, and bytes received."""

    connect_s: float = 4.0
    conversation_s: float = 10.0
    max_bytes: int = 65536
    receive_buffer: int | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock, as arguments: UTC for records, local for quiet hours and days."""

    utc: Callable[[], datetime]
    local: Callable[[], datetime]

    def today(self) -> date:
        """The local day, which authorizations are written in."""
        return self.local().date()

    def wall(self) -> time:
        """The local time of day, which quiet hours are written in."""
        return self.local().time()


class Gateway:
    """The door. One for each run and process."""

    def __init__(self, inventory: Inventory, manners: Manners, ledger: Ledger, clock: Clock) -> None:
        self.scope = Scope(inventory)
        self.listed = Listed(inventory)
        self.manners = manners
        self.ledger = ledger
        self.clock = clock
        self.lookups = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._turns: dict[Claim, asyncio.Future[None]] = {}
        self._answers: defaultdict[str, Answers] = defaultdict(Answers)  # by the places of an `Ask`
        self.poller = Poller()

    def device(self, asset: Asset) -> Device:
        """A way to talk to one asset, for one visit. ScopeViolation where the asset is not the inventory's."""
        if not self.listed.asset(asset):
            message = f"asset {asset.id} is not, or not like this, in the inventory"
            raise ScopeViolation(message)
        return Device(self, asset)

    def ask(self, asset: Asset, address: str, port: int, question: str = "") -> Ask:
        """The wish for a connection, with the manners of every asset that the inventory has at the address."""
        others = tuple(other for other in self.listed.assets_at(address) if other[0] != asset.id)
        return Ask(asset.id, address, port, asset.site, asset.manners, others, question)

    def answers_of(self, ask: Ask) -> tuple[Answers, Answers]:
        """What connections to the address, and to its whole site, have shown of the way there."""
        return self._answers[ask.keys[-1]], self._answers[ask.places[-1]]

    async def admitted(self, ask: Ask, *, sweeps: bool = False) -> Claim | Denied:
        """Wait until the manners let this connection, or a sweep of many, through, or say why they never will.

        `leave` ends the claim.
        """
        loop = asyncio.get_running_loop()
        claim = self.manners.claim(ask, sweeps=sweeps)
        try:
            while True:
                # The time of day costs more to tell than all the rest, and few assets want to know it.
                wall = self.clock.wall() if ask.has_quiet_hours else _ANY_TIME
                decision = self.manners.step(claim, loop.time(), wall)
                if isinstance(decision, Go):
                    return claim
                if isinstance(decision, Denied):
                    self.leave(claim)
                    return decision
                if isinstance(decision, WaitUntil):
                    await asyncio.sleep(max(_SHORTEST_SLEEP_S, decision.at - loop.time()))
                else:
                    await self._turn(claim)
        except BaseException:
            self.leave(claim)
            raise

    def leave(self, claim: Claim) -> None:
        """A connection is over, or will not be: whoever's turn it is now may go on."""
        self.wake(self.manners.leave(claim, asyncio.get_running_loop().time()))

    def wake(self, claims: Iterable[Claim]) -> None:
        """Let those go on whose turn it now is."""
        for next_claim in claims:
            turn = self._turns.get(next_claim)
            # Cancelled: its own `leave` is about to hand the turn on.
            if turn is not None and not turn.done():
                turn.set_result(None)

    async def _turn(self, claim: Claim) -> None:
        self._turns[claim] = asyncio.get_running_loop().create_future()
        try:
            await self._turns[claim]
        finally:
            del self._turns[claim]


class Device:
    """One asset, seen through the gateway. Counts what its visit has cost."""

    def __init__(self, gateway: Gateway, asset: Asset) -> None:
        self._gateway = gateway
        self.asset = asset
        self.connections = 0
        self.bytes_sent = 0
        self.bytes_received = 0
        self.gaps: list[str] = []
        self._resolved: set[str] = set()
        self._confirmed: tuple[Permit, date] | None = None  # the last permit that the scope has confirmed, and when
        self._asks: dict[tuple[str, int, str], Ask] = {}

    def permit(self, address: str) -> Permit | None:
        """Leave to contact an address as part of this asset; a refusal goes to the ledger and is noted as a gap."""
        today = self._gateway.clock.today()
        answer = self._permit(address, today)
        if isinstance(answer, Refusal):
            self._gateway.ledger.refused(self.asset.id, answer.address, 0, "permit", answer.reason)
            self.note_gap(answer.reason)
            return None
        self._confirmed = answer, today
        return answer

    def declared(self, address: str, port: int) -> bool:
        """Whether the inventory has a service there, of this asset or of another."""
        return self._gateway.listed.service(address, port)

    def serves(self, address: str, port: int, tls: bool, host: str) -> bool:
        """Whether the inventory declares a web service there, of this asset or of another: see `Listed.serves`."""
        return self._gateway.listed.serves(address, port, tls, host)

    def denied(self, address: str) -> str | None:
        """Why no question may be asked of this address at all, or None."""
        denied = self._gateway.manners.denied(self._ask(address, 0), self._gateway.clock.wall())
        return denied.reason if denied else None

    def refuse_visit(self, reason: str) -> None:
        """Write to the ledger that the asset as a whole is not contacted, and why."""
        for address in self.asset.addresses or (self.asset.hostname or "",):
            self._gateway.ledger.refused(self.asset.id, address, 0, "visit", reason)

    def note_gap(self, reason: str) -> None:
        """Keep, once, what could not be asked."""
        if reason not in self.gaps:
            self.gaps.append(reason)

    async def resolve(self, hostname: str) -> NameFacts:
        """The addresses of a host name of the inventory, canonical and sorted. Asks the resolver, never the device."""
        ledger = self._gateway.ledger
        if not self._gateway.listed.name(hostname):
            # The name is a peer's word, which has no place in the ledger and none in somebody's name server.
            ledger.refused(self.asset.id, "", 0, "resolve", "the name is not in the inventory")
            return NameFacts(hostname=hostname, error="the name is not in the inventory")
        async with self._gateway.lookups:
            entry = ledger.lookup(self.asset.id, hostname)
            word = "interrupted"
            try:
                facts, word = await _look_up(hostname)
            finally:
                ledger.outcome(entry, word)
        self._resolved.update(facts.addresses)
        return facts

    async def connect(self, permit: Permit, port: int, purpose: str, limits: Limits) -> Connection | PortFacts:
        """One connection, when the manners allow it; `PortFacts` says why there is none.

        Raises ScopeViolation for a permit that the scope does not confirm: that is a bug, and nothing is sent. One that
        was good until the authorization expired is a refusal like others.
        """
        claim = await self._turn(permit, port, purpose)
        if isinstance(claim, str):
            return self._not_asked(permit, port, purpose, claim)
        connection: Connection | None = None
        try:
            made = await self._open(claim, permit, purpose, limits)
            connection = made if isinstance(made, Connection) else None
            return made
        finally:
            if connection is None:
                self._gateway.leave(claim)

    async def sweep(
        self,
        permit: Permit,
        ports: Iterable[int],
        record: Callable[[int, PortFacts], None],
        *,
        pending: int | None = None,
    ) -> None:
        """Ask each of many ports whether it takes connections, with several under way at once, and tell `record`.

        Each port is recorded once, when its state is known: with OPEN its connection is closed again by then. The
        device is nobody else's meanwhile. At most `pending` are half-open, and never more than the manners of everybody
        at the address allow. What is not asked is recorded as such. Raises ScopeViolation as `connect` does, and what
        `record` raises.
        """
        gateway, ask = self._gateway, self._ask(permit.address, 0, PURPOSE)
        wanted = tuple(dict.fromkeys(ports))
        if not wanted:
            return
        reason = self._confirm(permit, 0, PURPOSE)
        claim = await gateway.admitted(ask, sweeps=True) if reason is None else Denied(reason)
        if isinstance(claim, Denied):
            for port in wanted:
                record(port, self._not_asked(permit, port, PURPOSE, claim.reason))
            return
        try:
            most = min(pending or ask.max_pending, ask.max_pending)
            await Sweep(
                self,
                gateway,
                claim,
                permit,
                wanted,
                record,
                pending=most,
                knock=_begin,
                confirm=self._confirm,
                not_asked=self._not_asked,
            ).run()
        finally:
            gateway.leave(claim)

    async def datagram(self, permit: Permit, port: int, asking: Asking, limits: UdpLimits) -> UdpFacts:
        """One question over UDP, and once more after silence; each datagram counts, and waits, as a connection does.

        What takes leave of who answered belongs to the datagram that was answered, as a FIN to its connection. Raises
        ScopeViolation as `connect` does.
        """
        gateway, purpose = self._gateway, asking.purpose
        exchange = UdpExchange(permit.address, port, asking, limits, poller=gateway.poller, opening=_datagram_socket)
        entry: Entry | None = None
        try:
            for wait_s in limits.waits_s:
                claim = await self._turn(permit, port, purpose)
                try:
                    # The answer to the datagram before may have come while we waited for our turn.
                    if entry is not None and exchange.look():
                        self._told(exchange, entry)
                    elif isinstance(claim, str):
                        self._not_asked(permit, port, purpose, claim)
                        exchange.refuse(claim)
                    else:
                        entry = gateway.ledger.attempt(permit, port, purpose, transport="udp")
                        self.connections += 1
                        try:
                            await exchange.ask(wait_s)
                        finally:
                            self._told(exchange, entry)
                finally:
                    if isinstance(claim, Claim):
                        gateway.leave(claim)
                if exchange.settled:
                    break
        finally:
            exchange.close()
        facts = exchange.facts
        if facts.state is UdpState.LOCAL_ERROR:
            self.note_gap(f"this machine could not send: {facts.detail}")
        return facts

    def answered(self, address: str, port: int) -> None:
        """Tell the manners that a question to the port was answered."""
        self._gateway.manners.answered(address, port)

    def busy(self, address: str, port: int) -> None:
        """Tell the manners that the port answered that it is busy."""
        self._gateway.manners.busy(self._ask(address, port), asyncio.get_running_loop().time())

    def gave_data(self, address: str, port: int, purpose: str) -> None:
        """Tell the manners that a question, by its purpose in `connect`, was answered with data."""
        self._gateway.manners.gave_data(self._ask(address, port, purpose))

    def fell_silent(self, address: str, port: int, *, in_the_middle: bool) -> None:
        """Tell the manners that a question was not answered in time."""
        ask = self._ask(address, port)
        self._gateway.manners.fell_silent(ask, in_the_middle=in_the_middle)
        self._note_left_alone(ask)

    def knocked_in_vain(self, address: str, port: int) -> None:
        """Tell the manners that nothing came back to a connection attempt."""
        # Of the many ports of a sweep most are silent, and an `Ask` for each would be the most of what a visit holds.
        ask = self._ask(address, 0)
        self._gateway.manners.knocked_in_vain(ask, port)
        self._note_left_alone(ask)

    def _note_left_alone(self, ask: Ask) -> None:
        # At once, for there may be no further question that would be denied and tell it.
        reason = self._gateway.manners.left_alone(ask)
        if reason is not None:
            self.note_gap(reason)

    def _permit(self, address: str, today: date) -> Permit | Refusal:
        answer = self._gateway.scope.permit(self.asset, address, today)
        if isinstance(answer, Refusal):
            return answer
        if self._gateway.listed.address(answer.address):
            return answer
        if answer.address in self._resolved:
            if is_edge(answer.address, answer.network):
                return Refusal(self.asset.id, answer.address, f"{answer.address} is an end of {answer.network}")
            return answer
        # An owned network is a boundary and never a target.
        return Refusal(self.asset.id, answer.address, f"{answer.address} is no address of the inventory")

    def _confirm(self, permit: Permit, port: int, purpose: str) -> str | None:
        """None for a permit that is good, why it is not any more for one that was. ScopeViolation for any other."""
        scope, today = self._gateway.scope, self._gateway.clock.today()
        # Neither the boundary nor what is listed moves while a run goes on: the same permit is as good on the same day.
        if self._confirmed is not None and self._confirmed[0] is permit and self._confirmed[1] == today:
            return None
        answer = self._permit(permit.address, today)
        if answer == permit:
            self._confirmed = permit, today
            return None
        if (
            isinstance(answer, Refusal)
            and permit.expires < today
            and scope.confirms(permit, self.asset, permit.expires)
        ):
            return answer.reason
        self._gateway.ledger.refused(self.asset.id, permit.address, port, purpose, "no valid permit")
        message = f"no valid permit for {permit.address} as a part of asset {self.asset.id}"
        raise ScopeViolation(message)

    def _not_asked(self, permit: Permit, port: int, purpose: str, reason: str) -> PortFacts:
        self._gateway.ledger.refused(self.asset.id, permit.address, port, purpose, reason)
        self.note_gap(reason)
        return PortFacts(state=ConnectState.NOT_ASKED, detail=reason)

    async def _open(self, claim: Claim, permit: Permit, purpose: str, limits: Limits) -> Connection | PortFacts:
        ledger, loop = self._gateway.ledger, asyncio.get_running_loop()
        entry = ledger.attempt(permit, claim.ask.port, purpose)
        self.connections += 1
        started = perf_counter()
        word = "interrupted"
        try:
            outcome = await _connect(permit.address, claim.ask.port, limits, self._gateway.poller)
            if not isinstance(outcome, PortFacts):
                lost = syns_repeated(outcome[0])
                for answers in self._gateway.answers_of(claim.ask):
                    answers.add(perf_counter() - started, lost=lost)
            word = outcome.state.value if isinstance(outcome, PortFacts) else ""
        finally:
            if word:
                ledger.outcome(entry, word)
        if isinstance(outcome, PortFacts):
            if outcome.state is ConnectState.LOCAL_ERROR:
                self.note_gap(f"this machine could not connect: {outcome.detail}")
            return outcome
        return Connection(
            *outcome,
            rtt_ms=ms(perf_counter() - started),
            deadline=loop.time() + limits.conversation_s,
            max_bytes=limits.max_bytes,
            on_end=lambda connection, word: self._over(claim, entry, connection, word),
        )

    async def _turn(self, permit: Permit, port: int, purpose: str) -> Claim | str:
        """The claim of what is to be asked, whose turn it is, to be ended by `leave`; or why it is not asked."""
        expired = self._confirm(permit, port, purpose)
        if expired is not None:
            return expired
        claim = await self._gateway.admitted(self._ask(permit.address, port, purpose))
        if isinstance(claim, Denied):
            return claim.reason
        try:
            # Waiting for a turn may have taken long.
            expired = self._confirm(permit, port, purpose)
        except BaseException:
            self._gateway.leave(claim)
            raise
        if expired is not None:
            self._gateway.leave(claim)
        return claim if expired is None else expired

    def _told(self, exchange: UdpExchange, entry: Entry) -> None:
        """Write what became of a datagram; once more, where its answer came after it had been called silent."""
        sent, received = exchange.counted()
        self.bytes_sent += sent
        self.bytes_received += received
        self._gateway.ledger.outcome(entry, exchange.word, sent=sent, received=received)

    def _over(self, claim: Claim, entry: Entry, connection: Connection, word: str) -> None:
        self.bytes_sent += connection.bytes_sent
        self.bytes_received += connection.bytes_received
        try:
            self._gateway.ledger.outcome(entry, word, sent=connection.bytes_sent, received=connection.bytes_received)
        finally:
            self._gateway.leave(claim)

    def _ask(self, address: str, port: int, purpose: str = "") -> Ask:
        # Whether in plaintext or inside TLS, it is the same question.
        question = purpose.replace("-tls ", " ")
        ask = self._asks.get((address, port, question))
        if ask is None:
            ask = self._asks[address, port, question] = self._gateway.ask(self.asset, address, port, question)
        return ask


def _begin(address: str, port: int, receive_buffer: int | None = None) -> tuple[socket.socket, int]:
    """A plain non-blocking connect(), and its code; the socket tells of ICMP errors. OSError where there is none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        keep_errors(sock, keep=True)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        return sock, sock.connect_ex((address, port))
    except BaseException:
        sock.close()
        raise


async def _connect(
    address: str, port: int, limits: Limits, poller: Poller
) -> tuple[socket.socket, Readiness] | PortFacts:
    """A connect() until it ends, each of its ends kept apart; the waits of the socket that came of it."""
    started, deadline = perf_counter(), asyncio.get_running_loop().time() + limits.connect_s
    try:
        sock, code = _begin(address, port, limits.receive_buffer)
    except OSError as error:
        return not_tried(error.errno)
    readiness = Readiness(sock, poller)
    kept = False
    try:
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            return failed(sock, code, ms(perf_counter() - started))
        readiness.watch()
        facts = None
        while facts is None:
            in_time = await readiness.writable(deadline)
            # A loop that is late itself sees the time limit first: the socket knows better.
            facts = seen(sock, address, port, ms(perf_counter() - started))
            if facts is None and not in_time:
                facts = silent(sock, ms(perf_counter() - started))
        if facts.state is not ConnectState.OPEN:
            return facts
        keep_errors(sock, keep=False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        return not_tried(error.errno)
    else:
        kept = True
        return sock, readiness
    finally:
        if not kept:
            readiness.close()
            sock.close()


def _datagram_socket(address: str, port: int) -> socket.socket:
    """A socket to ask a UDP port from, bound to the address of ours that leads there. OSError where there is none.

    It is not connected. A small buffer is all that a flood can fill.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    with socket.socket(family, kind) as scout:
        code = scout.connect_ex((address, port))  # of UDP it sends nothing, and settles which way it would go (udp(7))
        if code != 0:
            raise OSError(code, "there is no way")
        own = scout.getsockname()[0]
    sock = socket.socket(family, kind)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _DATAGRAM_BUFFER)
        keep_errors(sock, keep=True)
        sock.bind((own, 0))
        # From that very port a question to our own machine would be its own answer. While it is held we get another.
        other = _datagram_socket(address, port) if sock.getsockname()[1] == port else None
    except BaseException:
        sock.close()
        raise
    if other is None:
        return sock
    sock.close()
    return other


async def _look_up(hostname: str) -> tuple[NameFacts, str]:
    """What the system's resolver says, and how it went in one word."""
    loop = asyncio.get_running_loop()
    try:
        rows = await asyncio.wait_for(loop.getaddrinfo(hostname, None, type=socket.SOCK_STREAM), _RESOLVE_S)
    except TimeoutError:
        return NameFacts(hostname=hostname, error="the resolver did not answer in time"), "timeout"
    except (socket.gaierror, UnicodeError) as error:
        return NameFacts(hostname=hostname, error=_resolver_word(error)), "failed"
    found = {str(address) for row in rows if (address := canonical(str(row[4][0]))) is not None}
    return NameFacts(hostname=hostname, addresses=tuple(sorted(found))), "resolved"


def _resolver_word(error: socket.gaierror | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "not a host name"
    names = {socket.EAI_NONAME: "no such name", socket.EAI_AGAIN: "the resolver failed for now"}
    return names.get(error.errno or 0, "the resolver failed")
