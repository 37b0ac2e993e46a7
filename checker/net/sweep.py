"""Many ports of one device, over plain sockets that are only ever asked whether they connect.

It opens nothing by itself: the gateway hands it sockets whose connect() is under way, and every one of them is admitted
by the manners and written to the ledger before its first packet. What became of each port is handed on at once. No
byte is sent on a connection, and one that is made is closed as soon as the kernel tells of it.

First every port is asked once, then each silent one again, by fresh connections, as `checker.net.patience` has it.
No port is called filtered because of our own lateness: the socket is looked at before its silence counts, a wait is
counted from when its first packet left, by a clock that does not stand still, and it goes on where the kernel has not
repeated the SYN yet as often as was expected.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import time
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from checker.model import ConnectState, Permit, PortFacts
from checker.net.failure import failed, ms, not_tried, seen, silent, syns_repeated
from checker.net.manners import Claim, Denied, Go, WaitUntil
from checker.net.patience import Ladder, ladder, may_be_filtered, wait_s

if TYPE_CHECKING:
    from checker.net.gateway import Device, Gateway
    from checker.net.ledger import Entry

Knock: TypeAlias = Callable[[str, int], tuple[socket.socket, int]]
"""Begins a connect() to an address and port: the socket, and the code of connect_ex. OSError where it cannot."""

PURPOSE = "reachability"
"""What a sweep is for, in the ledger's word."""
_ANSWERS = (ConnectState.OPEN, ConnectState.CLOSED, ConnectState.REJECTED, ConnectState.RESET)
# Host and address unreachable (RFC 792, RFC 4443 3.1): a router says so once it has looked for the device in vain.
_LOOKED_FOR = ((3, 1), (1, 3))
_CONFIRM_EVERY_S = 1.0
_ANY_TIME = time()
# The kernel never repeats a SYN before this (RFC 6298 section 2), so whatever came sooner need not be looked at.
_SOONEST_REPETITION_S = 0.5
# A kernel that repeats its SYN later than expected is waited for, in such steps and so long at most.
_STEP_S, _OVERTIME_S = 0.25, 2.5


class _Port:
    """One port of a sweep, and the connection to it that is under way, if one is."""

    __slots__ = ("asked", "deadline", "entry", "number", "repetitions", "seen_at", "sock", "started", "sweep", "syns")

    def __init__(self, sweep: Sweep, number: int) -> None:
        self.sweep = sweep
        self.number = number
        self.asked = 0
        self.syns = 0  # that were sent in vain, as far as that is known
        self.repetitions = 1  # of the SYN, that this connection waits for
        self.sock: socket.socket | None = None
        self.entry: Entry | None = None
        self.started = 0.0
        self.deadline = 0.0
        self.seen_at = 0.0

    def on_news(self, _bits: int) -> None:
        """The kernel has news of the connection. It is looked at later, as the poller wants it."""
        self.seen_at = monotonic()
        self.sweep.wake(self)


class Sweep:
    """One sweep over one device that the manners have given leave to; `run` carries it out once."""

    def __init__(
        self,
        device: Device,
        gateway: Gateway,
        claim: Claim,
        permit: Permit,
        ports: Iterable[int],
        record: Callable[[int, PortFacts], None],
        *,
        pending: int,
        knock: Knock,
        confirm: Callable[[Permit, int, str], str | None],
        not_asked: Callable[[Permit, int, str, str], PortFacts],
    ) -> None:
        self._device = device
        self._gateway = gateway
        self._claim = claim
        self._permit = permit
        self._record = record
        self._knock = knock
        self._confirm_permit = confirm
        self._not_asked = not_asked
        self._of_device, self._of_site = gateway.answers_of(claim.ask)
        self._most = pending
        self._loop = asyncio.get_running_loop()
        self._queue = deque(_Port(self, number) for number in dict.fromkeys(ports))
        self._pending: set[_Port] = set()
        self._news: list[_Port] = []
        self._silent = len(self._queue)  # ports from which nothing has come yet
        # Two connections for each port are promised. What an answer leaves of them is for those that stay silent.
        self._left = 2 * len(self._queue)
        self._due = self._left  # so many of them are still kept for first and second questions
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._confirmed_at = float("-inf")
        self._expired: str | None = None
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Ask until the state of each port is recorded. What ends it early leaves no socket and no attempt open."""
        poller = self._gateway.poller
        poller.hold()
        try:
            self._advance()
            await self._done
        finally:
            try:
                self._stop()
            finally:
                poller.release()

    def wake(self, port: _Port) -> None:
        """There is news of a port's connection."""
        self._news.append(port)
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._advance)

    def _stop(self) -> None:
        """Close whatever is still under way, and write that it was."""
        if self._timer is not None:
            self._timer.cancel()
        open_still, self._pending = self._pending, set()
        for port in open_still:
            self._close(port)
        for port in open_still:
            if port.entry is not None:
                self._gateway.ledger.outcome(port.entry, "interrupted")

    def _close(self, port: _Port) -> None:
        if port.sock is not None:
            self._gateway.poller.forget(port.sock.fileno())
            port.sock.close()
            port.sock = None

    # ------------------------------------------------------------------------------------------------------ the turns

    def _advance(self) -> None:
        """Do all that can be done now. Nothing may escape into the loop, where nobody would learn of it."""
        self._woken = False
        if self._done.done():  # or given up, which `run` has yet to hear of
            return
        try:
            self._hear()
            at = self._start_some()
            if self._pending or self._queue:
                times = [port.deadline for port in self._pending]
                self._set_timer(min(times if at is None else [*times, at]))
            else:
                self._done.set_result(None)
        except BaseException as error:  # whoever waits for the sweep gets it
            if not self._done.done():
                self._done.set_exception(error)

    def _set_timer(self, at: float) -> None:
        """Come back at a time of `monotonic`, or before. A timer that is earlier is let be: most waits end early."""
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        # uvloop's clock counts milliseconds: a shorter wait would be none.
        self._timer = self._loop.call_later(max(0.001, at - monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._advance()

    # -------------------------------------------------------------------------------------------------- what came back

    def _hear(self) -> None:
        """Look at what the kernel told of, and at whatever has had its time."""
        news, self._news = self._news, []
        for port in news:
            if port.sock is not None:
                facts = seen(port.sock, self._permit.address, port.number, ms(port.seen_at - port.started))
                if facts is not None:
                    self._settle(port, facts)
        now = monotonic()
        for port in [port for port in self._pending if port.deadline <= now]:
            self._time_is_up(port, now)

    def _time_is_up(self, port: _Port, now: float) -> None:
        sock, rtt_ms = port.sock, ms(now - port.started)
        if sock is None:
            return
        # A loop that is late itself sees the time limit first: the socket knows better.
        facts = seen(sock, self._permit.address, port.number, rtt_ms) or silent(sock, rtt_ms)
        if facts.state is ConnectState.FILTERED:
            repeated = syns_repeated(sock)
            waits_until = port.started + wait_s(port.repetitions, self._of_device, self._of_site) + _OVERTIME_S
            if repeated < port.repetitions and now < waits_until:
                port.deadline = now + _STEP_S
                return
            port.syns += 1 + repeated
        self._settle(port, facts)

    def _settle(self, port: _Port, facts: PortFacts) -> None:
        """One connection is over: close it, write its outcome, give its place back, and see what follows."""
        gateway, opened = self._gateway, facts.state is ConnectState.OPEN
        if port.sock is not None and facts.rtt_ms is not None and facts.rtt_ms > _SOONEST_REPETITION_S * 1000:
            port.syns += syns_repeated(port.sock)
        self._close(port)
        self._pending.discard(port)
        try:
            if port.entry is not None:
                gateway.ledger.outcome(port.entry, "opened" if opened else facts.state.value)
        finally:
            gateway.wake(gateway.manners.ended(self._claim, monotonic(), opened=opened))
        if facts.state is ConnectState.FILTERED:
            self._ask_again_or_conclude(port)
            return
        self._silent -= 1
        if _tells_of_the_way(facts) and facts.rtt_ms is not None:
            self._of_device.add(facts.rtt_ms / 1000, lost=port.syns)
            self._of_site.add(facts.rtt_ms / 1000, lost=port.syns)
        if facts.state is ConnectState.LOCAL_ERROR:
            self._device.note_gap(f"this machine could not connect: {facts.detail}")
        self._conclude(port, facts)

    def _ask_again_or_conclude(self, port: _Port) -> None:
        # Beyond the second question there are only the connections that others did not need.
        if port.asked < 2 or (port.asked < len(self._ladder()) and self._left > self._due):
            self._queue.append(port)
        elif may_be_filtered(port.asked, self._of_device, self._of_site) or port.asked >= len(self._ladder()):
            self._conclude(port, PortFacts(state=ConnectState.FILTERED))
        else:
            self._conclude(port, self._not_asked(self._permit, port.number, PURPOSE, _LOSSY))

    def _conclude(self, port: _Port, facts: PortFacts) -> None:
        """The state of a port is known, or never will be."""
        self._due -= max(0, 2 - port.asked)
        self._record(port.number, facts if port.asked < 2 else replace(facts, asked=port.asked))

    # ---------------------------------------------------------------------------------------------------------- asking

    def _start_some(self) -> float | None:
        """Start what may be started now; gives when the next may be, None where something has to end first."""
        gateway, claim = self._gateway, self._claim
        if not self._queue or len(self._pending) >= self._most:
            return None
        now = monotonic()
        wall = gateway.clock.wall() if claim.ask.has_quiet_hours else _ANY_TIME
        self._confirm()
        while self._queue and len(self._pending) < self._most:
            if self._pending:
                gateway.poller.look()
                if self._news:  # a connection that is made already is not held while another begins
                    self._hear()
                    now = monotonic()
            port = self._queue[0]
            if self._expired is None:
                decision = gateway.manners.further(claim, port.number, now, wall)
            else:
                decision = Denied(self._expired)
            if isinstance(decision, WaitUntil):
                return decision.at
            if isinstance(decision, Go):
                self._ask(self._queue.popleft())
            elif isinstance(decision, Denied):
                self._refuse(self._queue.popleft(), decision.reason)
            else:
                return None
        return None

    def _confirm(self) -> None:
        """A sweep may outlast the day on which the authorization ends."""
        now = monotonic()
        if now - self._confirmed_at >= _CONFIRM_EVERY_S:
            self._expired = self._confirm_permit(self._permit, 0, PURPOSE)
            self._confirmed_at = now

    def _ask(self, port: _Port) -> None:
        """Knock at a port, once the ledger has it."""
        self._pending.add(port)
        port.entry = self._gateway.ledger.attempt(self._permit, port.number, PURPOSE)
        self._device.connections += 1
        self._left -= 1
        self._due -= port.asked < 2
        rungs = self._ladder()
        port.repetitions = rungs[min(port.asked, len(rungs) - 1)]
        if port.asked == 1 and self._left <= self._due:
            port.repetitions = rungs[-1]  # there will hardly be another question
        port.asked += 1
        port.started = monotonic()
        facts = self._knock_at(port)
        if facts is not None:
            self._settle(port, facts)
            return
        port.deadline = monotonic() + wait_s(port.repetitions, self._of_device, self._of_site)

    def _knock_at(self, port: _Port) -> PortFacts | None:
        """Begin a connect(); None where it is under way."""
        try:
            sock, code = self._knock(self._permit.address, port.number)
        except OSError as error:
            return not_tried(error.errno)
        watched = False
        try:
            if code == errno.EINPROGRESS:
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # what is near has answered already
            if code != 0:
                return failed(sock, code, ms(monotonic() - port.started))
            self._gateway.poller.watch(sock.fileno(), port.on_news)
            port.sock, watched = sock, True
        except OSError as error:
            return not_tried(error.errno)
        finally:
            if not watched:
                sock.close()
        return None

    def _refuse(self, port: _Port, reason: str) -> None:
        if port.asked and may_be_filtered(port.asked, self._of_device, self._of_site):
            self._conclude(port, PortFacts(state=ConnectState.FILTERED))
            return
        facts = self._not_asked(self._permit, port.number, PURPOSE, reason)
        self._conclude(port, replace(facts, detail=f"silent, and not asked again: {reason}") if port.asked else facts)

    def _ladder(self) -> Ladder:
        return ladder(self._of_device, self._of_site, few=self._silent <= self._most)


_LOSSY = "packets are lost on the way, and too few connections were left to ask silent ports often enough"


def _tells_of_the_way(facts: PortFacts) -> bool:
    """Whether it is an answer, whose time and whose coming at all say how good the way is."""
    return facts.state in _ANSWERS and facts.icmp not in _LOOKED_FOR
