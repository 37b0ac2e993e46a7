"""The one door to the network: nothing else in the product opens a socket or looks up a name.

A connection is opened against a permit that the scope confirms at that moment, when the manners say so, and after the
ledger has it. Whoever wants to talk to a device gets a `Device` for the length of a visit and asks that.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from checker.errors import ScopeViolation
from checker.model import Asset, AssetManners, ConnectState, Inventory, NameFacts, Permit, PortFacts, Refusal
from checker.net.connection import Connection
from checker.net.icmp import ask_for_errors, read_error
from checker.net.ledger import Entry, Ledger
from checker.net.manners import Ask, Denied, Go, Manners, WaitUntil
from checker.net.readiness import writable
from checker.scope import Scope, canonical

_RESOLVE_S = 5.0
_SILENT = {errno.ETIMEDOUT}
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_RESET = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}


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
        self.manners = manners
        self.ledger = ledger
        self.clock = clock
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._manners_at: dict[str, tuple[AssetManners, ...]] = {}
        for asset in inventory.assets:
            for address in asset.addresses:
                others = self._manners_at.get(address, ())
                if asset.manners not in others:
                    self._manners_at[address] = (*others, asset.manners)

    def device(self, asset: Asset) -> Device:
        """A way to talk to one asset, for one visit."""
        return Device(self, asset)

    def ask(self, asset: Asset, address: str, port: int) -> Ask:
        """The wish for a connection, with the manners of every asset that the inventory has at the address."""
        others = tuple(manners for manners in self._manners_at.get(address, ()) if manners != asset.manners)
        return Ask(asset.id, address, port, asset.site, (asset.manners, *others))

    async def admitted(self, ask: Ask) -> Denied | None:
        """Wait until the manners let this connection through, or say why they never will."""
        loop = asyncio.get_running_loop()
        while True:
            decision = self.manners.ask(ask, loop.time(), self.clock.wall())
            if isinstance(decision, Go):
                return None
            if isinstance(decision, Denied):
                return decision
            if isinstance(decision, WaitUntil):
                await asyncio.sleep(max(0.0, decision.at - loop.time()))
            else:
                turn = loop.create_future()
                self._waiting.setdefault(decision.key, deque()).append(turn)
                try:
                    await turn
                except asyncio.CancelledError:
                    # A turn that came together with the cancellation goes to the next one in the queue.
                    if turn.done() and not turn.cancelled():
                        self._wake(decision.key)
                    raise

    def ended(self, ask: Ask) -> None:
        """A connection is over: the next in each queue gets its turn."""
        for key in self.manners.ended(ask, asyncio.get_running_loop().time()):
            self._wake(key)

    def _wake(self, key: str) -> None:
        queue = self._waiting.get(key)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        if queue is not None and not queue:
            del self._waiting[key]


class Device:
    """One asset, seen through the gateway. Counts what its visit has cost."""

    def __init__(self, gateway: Gateway, asset: Asset) -> None:
        self._gateway = gateway
        self.asset = asset
        self.connections = 0
        self.bytes_sent = 0
        self.bytes_received = 0
        self.gaps: list[str] = []

    def permit(self, address: str) -> Permit | None:
        """Leave to contact an address as part of this asset; a refusal goes to the ledger and is noted as a gap."""
        answer = self._gateway.scope.permit(self.asset, address, self._gateway.clock.today())
        if isinstance(answer, Refusal):
            self._gateway.ledger.refused(self.asset.id, answer.address, 0, "permit", answer.reason)
            self.note_gap(answer.reason)
            return None
        return answer

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
        """The addresses of a host name, canonical and sorted. Asks the system's resolver, never the device."""
        loop = asyncio.get_running_loop()
        entry = self._gateway.ledger.lookup(self.asset.id, hostname)
        try:
            rows = await asyncio.wait_for(loop.getaddrinfo(hostname, None, type=socket.SOCK_STREAM), _RESOLVE_S)
        except TimeoutError:
            self._gateway.ledger.outcome(entry, "timeout")
            return NameFacts(hostname=hostname, error="the resolver did not answer in time")
        except (socket.gaierror, UnicodeError) as error:
            self._gateway.ledger.outcome(entry, "failed")
            return NameFacts(hostname=hostname, error=_resolver_word(error))
        found = {str(address) for row in rows if (address := canonical(str(row[4][0]))) is not None}
        self._gateway.ledger.outcome(entry, "resolved")
        return NameFacts(hostname=hostname, addresses=tuple(sorted(found)))

    async def connect(self, permit: Permit, port: int, purpose: str, limits: Limits) -> Connection | PortFacts:
        """One connection, when the manners allow it; `PortFacts` says why there is none.

        Raises ScopeViolation for a permit that the scope does not confirm: that is a bug, and nothing is sent.
        """
        gateway = self._gateway
        if not gateway.scope.confirms(permit, self.asset, gateway.clock.today()):
            gateway.ledger.refused(self.asset.id, permit.address, port, purpose, "no valid permit")
            message = f"no valid permit for {permit.address} as a part of asset {self.asset.id}"
            raise ScopeViolation(message)
        ask = self._ask(permit.address, port)
        denied = await gateway.admitted(ask)
        if denied is not None:
            gateway.ledger.refused(self.asset.id, permit.address, port, purpose, denied.reason)
            self.note_gap(denied.reason)
            return PortFacts(state=ConnectState.NOT_ASKED, detail=denied.reason)
        return await self._open(ask, permit, purpose, limits)

    async def _open(self, ask: Ask, permit: Permit, purpose: str, limits: Limits) -> Connection | PortFacts:
        gateway = self._gateway
        loop = asyncio.get_running_loop()
        self.connections += 1
        entry = gateway.ledger.attempt(permit, ask.port, purpose)
        started = loop.time()
        try:
            outcome = await _connect(permit.address, ask.port, limits)
        except BaseException:
            gateway.ledger.outcome(entry, "interrupted")
            gateway.ended(ask)
            raise
        if isinstance(outcome, PortFacts):
            gateway.ledger.outcome(entry, outcome.state.value)
            if outcome.state is ConnectState.LOCAL_ERROR:
                self.note_gap(f"this machine could not connect: {outcome.detail}")
            gateway.ended(ask)
            return outcome
        now = loop.time()
        return Connection(
            outcome,
            rtt_ms=round((now - started) * 1000, 3),
            deadline=now + limits.conversation_s,
            max_bytes=limits.max_bytes,
            on_end=lambda connection, word: self._over(ask, entry, connection, word),
        )

    def answered(self, address: str, port: int) -> None:
        """Tell the manners that a question to the port was answered."""
        self._gateway.manners.answered(self._ask(address, port))

    def fell_silent(self, address: str, port: int, *, in_the_middle: bool) -> None:
        """Tell the manners that a question was not answered in time."""
        self._gateway.manners.fell_silent(self._ask(address, port), in_the_middle=in_the_middle)

    def _over(self, ask: Ask, entry: Entry, connection: Connection, word: str) -> None:
        self.bytes_sent += connection.bytes_sent
        self.bytes_received += connection.bytes_received
        self._gateway.ledger.outcome(entry, word, sent=connection.bytes_sent, received=connection.bytes_received)
        self._gateway.ended(ask)

    def _ask(self, address: str, port: int) -> Ask:
        return self._gateway.ask(self.asset, address, port)


async def _connect(address: str, port: int, limits: Limits) -> socket.socket | PortFacts:
    """A plain non-blocking connect(), each of its ends kept apart."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError as error:
        return PortFacts(state=ConnectState.LOCAL_ERROR, detail=errno.errorcode.get(error.errno or 0, "unknown"))
    kept = False
    try:
        ask_for_errors(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if limits.receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, limits.receive_buffer)
        started = loop.time()
        code = sock.connect_ex((address, port))
        if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            if not await writable(sock, started + limits.connect_s):
                return PortFacts(state=ConnectState.FILTERED)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            kept = True
            return sock
        return _failure(sock, code, round((loop.time() - started) * 1000, 3))
    finally:
        if not kept:
            sock.close()


def _failure(sock: socket.socket, code: int, rtt_ms: float) -> PortFacts:
    icmp = read_error(sock)
    if icmp is not None:
        # An error that our own machine made in the name of the way (no answer to ARP) is no firewall's word.
        own = icmp.offender is None or icmp.offender == sock.getsockname()[0]
        state = ConnectState.UNREACHABLE if own else ConnectState.REJECTED
        return PortFacts(state=state, icmp=(icmp.type, icmp.code), offender=icmp.offender, rtt_ms=rtt_ms)
    if code == errno.ECONNREFUSED:
        return PortFacts(state=ConnectState.CLOSED, rtt_ms=rtt_ms)
    if code in _RESET:
        return PortFacts(state=ConnectState.RESET, rtt_ms=rtt_ms)
    if code in _UNREACHABLE:
        return PortFacts(state=ConnectState.UNREACHABLE, detail=errno.errorcode[code])
    if code in _SILENT:
        return PortFacts(state=ConnectState.FILTERED)
    return PortFacts(state=ConnectState.LOCAL_ERROR, detail=errno.errorcode.get(code, str(code)))


def _resolver_word(error: socket.gaierror | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "not a host name"
    names = {socket.EAI_NONAME: "no such name", socket.EAI_AGAIN: "the resolver failed for now"}
    return names.get(error.errno or 0, "the resolver failed")
