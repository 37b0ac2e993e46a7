"""Pure: how a device is treated. Decides at once, never waits, takes `now`.

Each wish for a connection is a `Claim`. The gateway takes it step by step and does what it is told: go, come back at a
time, wait for its turn, or leave it; `leave` ends every claim, whatever became of it, and names those whose turn it now
is. A claim takes hold of its device first, then of a place in its site, then of a start in the rate of the run, always
in this order, and what it gives back is handed to the next in the queue, so nobody waits for ever and nobody is woken
for nothing.

A sweep takes hold of its device once, for many connections: each of them is another `further` step of the same claim,
counts by itself, and is given back by `ended`. Up to the device's `max_pending` of them may be under way at once, each
with a place in its site; the first place is the claim's own, and further ones are taken only where nobody waits.

A device is known as the asset of the inventory and as the address that is contacted. A connection to an address counts
for every asset that the inventory has there, so assets that share an address see one connection at a time between them.

Times are seconds of a monotonic clock; only quiet hours look at the wall clock, which is an argument as well.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import time
from typing import TypeAlias

from checker.model import AssetManners

SITE_CONNECTIONS = 64
# More half-open connections to one device are nobody's to wish for.
MAX_PENDING = 8
RUN_CONNECTIONS_PER_SECOND = 5000.0
# A device that let this many questions in a row pass unanswered, on connections that it took, is asked no further one.
SILENT_QUESTIONS = 3
# A port that said so often that it is busy is not asked any further.
BUSY_ANSWERS = 2
# A device that said so is left in peace for this many of its own gaps, within these bounds in seconds.
_BUSY_GAPS = 20
_BUSY_S = (0.5, 10.0)
# Loops wake whoever waits up to so late. Of a sweep that was, the next start is counted from when it was due.
_LATE_S = 0.002


@dataclass(frozen=True, slots=True)
class Ask:
    """A wish for one connection, by an asset of `site` with these `manners`.

    `others` are all other assets that the inventory has at the address, with their manners: all of them hold.
    `question` is what it is for, in the same words for the same question.
    """

    asset_id: str
    address: str
    port: int
    site: str
    manners: AssetManners
    others: tuple[tuple[str, AssetManners], ...] = ()
    question: str = ""
    keys: tuple[str, ...] = field(init=False, repr=False)
    places: tuple[str, ...] = field(init=False, repr=False)
    gap_s: float = field(init=False)
    max_pending: int = field(init=False)
    has_quiet_hours: bool = field(init=False)

    def __post_init__(self) -> None:
        """What follows from the rest, once, for every connection wants to know it.

        `keys`: what the device is known as. `places`: what a claim takes, in the order in which everybody does, the
        site last. `gap_s`: the longest gap that somebody at the address wants; `max_pending`: the fewest half-open
        connections. `has_quiet_hours`: somebody has them.
        """
        manners = (self.manners, *(other for _, other in self.others))
        keys = tuple(f"asset:{asset_id}" for asset_id in (self.asset_id, *(other for other, _ in self.others)))
        object.__setattr__(self, "keys", (*keys, f"address:{self.address}"))
        object.__setattr__(self, "places", (*sorted(self.keys), f"site:{self.site}"))
        object.__setattr__(self, "gap_s", max(one.gap_s for one in manners))
        object.__setattr__(self, "max_pending", min(MAX_PENDING, *(one.max_pending for one in manners)))
        object.__setattr__(self, "has_quiet_hours", any(one.quiet_hours is not None for one in manners))


@dataclass(frozen=True, slots=True)
class Go:
    """Leave to connect now; it is already counted."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Take the next step at this time."""

    at: float


@dataclass(frozen=True, slots=True)
class WaitTurn:
    """Take the next step when `leave` has named this claim."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Not in this run; the reason is one plain sentence."""

    reason: str


Decision: TypeAlias = Go | WaitUntil | WaitTurn | Denied

_GO = Go()
_WAIT_TURN = WaitTurn()
_NEVER = float("-inf")


@dataclass(slots=True, eq=False)
class Claim:
    """One wish on its way. Made by `Manners.claim`; its fields are the business of `Manners` alone."""

    ask: Ask
    keys: tuple[str, ...]  # what it needs, in the order in which everybody takes it; the site comes last
    held: int = 0  # how many of them it has
    queued: bool = False
    start: float | None = None  # its start in the rate of the run
    gone: bool = False
    over: bool = False
    sweeps: bool = False
    pending: int = 0  # the connections of a sweep that are under way
    further: int = 0  # the places that it has at the site beyond its own
    ready: float = _NEVER  # when the next connection of a sweep may start
    went: tuple[float, float] = (_NEVER, _NEVER)  # when the last one of a sweep did, and when it had been due


@dataclass(slots=True)
class _Place:
    """Who is in, and who waits, at a device or a site."""

    taken: int = 0
    queue: deque[Claim] | None = None


class Manners:
    """The state of a run's courtesy: who is being talked to, when, and how often."""

    def __init__(
        self,
        *,
        site_connections: int = SITE_CONNECTIONS,
        connections_per_second: float = RUN_CONNECTIONS_PER_SECOND,
        further_connections: int | None = None,
    ) -> None:
        """`further_connections`: how many more than one for each claim a run may have under way, None for any."""
        if site_connections < 1 or connections_per_second <= 0:
            message = "a cap under one connection, or a rate of zero, would never let anything through"
            raise ValueError(message)
        self._site_cap = site_connections
        self._interval = 1.0 / connections_per_second
        self._further_left = further_connections
        self._next_start = 0.0
        self._places: dict[str, _Place] = {}
        self._rested_at: dict[str, float] = {}
        self._ended_at: dict[str, float] = {}  # by address
        self._spent: dict[str, int] = {}
        self._left_alone: dict[str, str] = {}
        self._answered: set[tuple[str, int]] = set()
        self._silent: dict[str, int] = {}
        self._busy: dict[tuple[str, int], int] = {}
        self._gave_data: set[tuple[str, str]] = set()

    def claim(self, ask: Ask, *, sweeps: bool = False) -> Claim:
        """Begin to wish for a connection, or for a sweep of many. Every claim must be ended by `leave`."""
        return Claim(ask, ask.places, sweeps=sweeps)

    def step(self, claim: Claim, now: float, wall: time) -> Decision:
        """What to do next. `Go` comes once and counts at once; after `Denied` there is only `leave`.

        The `Go` of a sweep is leave to take `further` steps, and counts nothing.
        """
        if claim.queued:
            return _WAIT_TURN
        denied = self.denied(claim.ask, wall)
        if denied is not None:
            return denied
        devices = claim.keys[:-1]
        while claim.held < len(devices):
            if not self._take(claim):
                return _WAIT_TURN
        # Who was at the address before may have had a shorter gap, where only names lead there.
        ready = self._ended_at.get(claim.ask.address, _NEVER) + claim.ask.gap_s
        for key in devices:
            ready = max(ready, self._rested_at.get(key, _NEVER))
        if ready > now:
            return WaitUntil(ready)
        if claim.held < len(claim.keys) and not self._take(claim):
            return _WAIT_TURN
        if claim.sweeps:
            claim.gone = True
            return _GO
        start = self._start(claim, now)
        if start > now:
            return WaitUntil(start)
        self._count(claim)
        claim.gone = True
        return _GO

    def further(self, claim: Claim, port: int, now: float, wall: time) -> Decision:
        """Whether a sweep may connect to a port now: `Go` comes for each of its connections, and counts at once.

        `WaitTurn` is until one of its own has ended; `Denied` is about this port alone, though it may hold for all.
        """
        ask = claim.ask
        if claim.pending >= ask.max_pending:
            return _WAIT_TURN
        if claim.ready > now:
            return WaitUntil(claim.ready)
        denied = self.denied(ask, wall, port)
        if denied is not None:
            return denied
        if claim.pending > claim.further and not self._take_further(claim):
            return _WAIT_TURN
        went, due = claim.went
        start = self._start(claim, max(due, now - _LATE_S) if went == now else now)
        if start > now:
            return WaitUntil(start)
        self._count(claim)
        claim.start, claim.went = None, (now, start)
        claim.pending += 1
        claim.ready = now + ask.gap_s
        return _GO

    def ended(self, claim: Claim, now: float, *, opened: bool) -> tuple[Claim, ...]:
        """One of the connections of a sweep is over; `opened`: the device had taken it, and rests.

        Names the claims whose turn it now is.
        """
        claim.pending -= 1
        if opened:
            claim.ready = max(claim.ready, now + claim.ask.gap_s)
        return self._give_back(claim) if claim.further >= max(1, claim.pending) else ()

    def leave(self, claim: Claim, now: float) -> tuple[Claim, ...]:
        """End a claim: its connection is over, or it was denied or given up. Names the claims whose turn it now is.

        A second call does nothing.
        """
        if claim.over:
            return ()
        claim.over = True
        if claim.gone:
            self._rest(claim.ask, now)
        turns = [turn for _ in range(claim.further) for turn in self._give_back(claim)]
        turns += (turn for key in claim.keys[: claim.held] if (turn := self._hand_on(key)) is not None)
        return tuple(turns)

    def denied(self, ask: Ask, wall: time, port: int | None = None) -> Denied | None:
        """Why this device must not be asked (any more), or None; `port` instead of that of the ask."""
        everybody = ((ask.asset_id, ask.manners), *ask.others)
        for asset_id, manners in everybody:
            if manners.passive:
                return Denied("the inventory declares the asset passive: it is never contacted")
            if manners.quiet_hours is not None and within_quiet_hours(manners.quiet_hours, wall):
                start, end = manners.quiet_hours
                return Denied(f"quiet hours of the asset ({start:%H:%M}-{end:%H:%M})")
            # The address counts by itself as well, for names of several assets may lead to one that no asset lists.
            spent = max(self._spent.get(f"asset:{asset_id}", 0), self._spent.get(f"address:{ask.address}", 0))
            if spent >= manners.max_connections:
                return Denied(f"the budget of {manners.max_connections} connections is spent")
        port = ask.port if port is None else port
        if self._busy and self._busy.get((ask.address, port), 0) >= BUSY_ANSWERS:
            return Denied(f"port {port} said {BUSY_ANSWERS} times that it is busy")
        if self._gave_data and any((key, ask.question) in self._gave_data for key in ask.keys):
            return Denied("the device has answered this question with data before")
        reason = self.left_alone(ask)
        return None if reason is None else Denied(reason)

    def left_alone(self, ask: Ask) -> str | None:
        """Why the device is not asked any more in this run, because of what it did; None where it may be."""
        if not self._left_alone:
            return None
        return next((self._left_alone[key] for key in ask.keys if key in self._left_alone), None)

    def answered(self, address: str, port: int) -> None:
        """The port gave an answer to a question."""
        self._answered.add((address, port))
        self._silent.pop(address, None)

    def busy(self, ask: Ask, now: float) -> None:
        """The port answered that it is busy: nobody asks the device anything for a while."""
        place = (ask.address, ask.port)
        self._busy[place] = self._busy.get(place, 0) + 1
        least, most = _BUSY_S
        peace = min(most, max(least, _BUSY_GAPS * ask.gap_s))
        for key in ask.keys:
            self._rested_at[key] = max(self._rested_at.get(key, 0.0), now + peace)

    def gave_data(self, ask: Ask) -> None:
        """The question was answered with data: it is not asked of the device again, nor of any asset there."""
        self._gave_data.update((key, ask.question) for key in ask.keys)

    def fell_silent(self, ask: Ask, *, in_the_middle: bool) -> None:
        """A question on a connection that the device took was not answered in time.

        A device that stops in the middle is left alone for the rest of the run; so is one whose port had answered
        before, and one that has let `SILENT_QUESTIONS` questions in a row pass.
        """
        silent = self._silent[ask.address] = self._silent.get(ask.address, 0) + 1
        if in_the_middle or (ask.address, ask.port) in self._answered:
            self._leave_alone(ask, f"left alone: port {ask.port} stopped answering in the middle")
        elif silent >= SILENT_QUESTIONS:
            self._leave_alone(ask, f"left alone: {silent} questions in a row had no answer")

    def knocked_in_vain(self, ask: Ask, port: int) -> None:
        """A connection to this port of the address that is asked was asked for, and nothing came back.

        That is what a firewall makes of a port, and no burden to the device; of a port that had answered before it
        means that the device has stopped.
        """
        if (ask.address, port) in self._answered:
            self._leave_alone(ask, f"left alone: port {port} stopped answering in the middle")

    def spent(self, asset_id: str) -> int:
        """The connections that an asset has had in this run, also as another asset at one of its addresses."""
        return self._spent.get(f"asset:{asset_id}", 0)

    def _start(self, claim: Claim, wanted: float) -> float:
        """The start of a connection in the rate of the run. A rate, not a bucket: what was not used is not saved up."""
        if claim.start is None:
            claim.start = max(wanted, self._next_start)
            self._next_start = claim.start + self._interval
        return claim.start

    def _count(self, claim: Claim) -> None:
        for key in claim.ask.keys:
            self._spent[key] = self._spent.get(key, 0) + 1

    def _take_further(self, claim: Claim) -> bool:
        """Take one more place at the site, where one is free and nobody waits for it."""
        place = self._places[claim.keys[-1]]
        if place.queue or place.taken >= self._site_cap or self._further_left == 0:
            return False
        if self._further_left is not None:
            self._further_left -= 1
        place.taken += 1
        claim.further += 1
        return True

    def _give_back(self, claim: Claim) -> tuple[Claim, ...]:
        """Give one place at the site back that a sweep had beyond its own."""
        claim.further -= 1
        if self._further_left is not None:
            self._further_left += 1
        turn = self._hand_on(claim.keys[-1])
        return () if turn is None else (turn,)

    def _take(self, claim: Claim) -> bool:
        """Take hold of the next thing that a claim needs, or stand in its queue."""
        key = claim.keys[claim.held]
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        if place.taken < self._room(key):
            place.taken += 1
            claim.held += 1
            return True
        if place.queue is None:
            place.queue = deque()
        place.queue.append(claim)
        claim.queued = True
        return False

    def _hand_on(self, key: str) -> Claim | None:
        """Give what somebody gave back to the first in its queue who still wants it."""
        place = self._places[key]
        while place.queue:
            claim = place.queue.popleft()
            if not claim.over:
                claim.held += 1
                claim.queued = False
                return claim
        place.taken -= 1
        if not place.taken:
            del self._places[key]
        return None

    def _room(self, key: str) -> int:
        return self._site_cap if key.startswith("site:") else 1

    def _rest(self, ask: Ask, now: float) -> None:
        """From now on each asset at the address rests for its own gap, and the address for the longest of them."""
        self._ended_at[ask.address] = now
        everybody = (ask.manners, *(manners for _, manners in ask.others))
        gaps = (*(manners.gap_s for manners in everybody), ask.gap_s)
        for key, gap_s in zip(ask.keys, gaps, strict=True):
            self._rested_at[key] = max(self._rested_at.get(key, 0.0), now + gap_s)

    def _leave_alone(self, ask: Ask, reason: str) -> None:
        for key in ask.keys:
            self._left_alone.setdefault(key, reason)


def within_quiet_hours(window: tuple[time, time], wall: time) -> bool:
    """Whether a local time of day lies in a window, its start included; a window may pass midnight.

    A window that ends when it starts is the whole day: of two readings the gentler one.
    """
    start, end = window
    if start < end:
        return start <= wall < end
    return wall >= start or wall < end
