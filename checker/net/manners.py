"""Pure: how a device is treated. Decides at once, never waits, takes `now`.

The gateway asks before each connection and does what it is told: go, come back at a time, come back when something has
ended, or leave it. A device is known both as the asset of the inventory and as the address that is contacted, so two
assets on one address still see one connection at a time between them.

Times are seconds of a monotonic clock; only quiet hours look at the wall clock, which is an argument as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TypeAlias

from checker.model import AssetManners

SITE_CONNECTIONS = 64
RUN_CONNECTIONS_PER_SECOND = 5000.0
# A device that said nothing at all to this many questions is not asked a further one.
SILENT_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """A wish for one connection.

    `manners` are those of the asset and of every other asset that the inventory has at this address: all of them hold.
    """

    asset_id: str
    address: str
    port: int
    site: str
    manners: tuple[AssetManners, ...]


@dataclass(frozen=True, slots=True)
class Go:
    """Leave to connect now; it is already counted."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Ask again at this time."""

    at: float


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Ask again when a connection on this key (a device's address, or a site) has ended."""

    key: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Not in this run; the reason is one plain sentence."""

    reason: str


Decision: TypeAlias = Go | WaitUntil | WaitFor | Denied


class Manners:
    """The state of a run's courtesy: who is being talked to, when, and how often."""

    def __init__(
        self, *, site_connections: int = SITE_CONNECTIONS, connections_per_second: float = RUN_CONNECTIONS_PER_SECOND
    ) -> None:
        if site_connections < 1 or connections_per_second <= 0:
            message = "a cap under one connection, or a rate of zero, would never let anything through"
            raise ValueError(message)
        self._site_cap = site_connections
        self._interval = 1.0 / connections_per_second
        self._next_start = 0.0
        self._busy: set[str] = set()
        self._rested_at: dict[str, float] = {}
        self._spent: dict[str, int] = {}
        self._site_open: dict[str, int] = {}
        self._left_alone: dict[str, str] = {}
        self._answered: set[tuple[str, int]] = set()
        self._silent: dict[str, int] = {}

    def ask(self, ask: Ask, now: float, wall: time) -> Decision:
        """Whether a connection may be opened now. `Go` counts it at once, so it must be followed by `ended`."""
        denied = self.denied(ask, wall)
        if denied is not None:
            return denied
        asset, address = _keys(ask)
        for key in (asset, address):
            if key in self._busy:
                return WaitFor(key)
        site = _site_key(ask)
        if self._site_open.get(site, 0) >= self._site_cap:
            return WaitFor(site)
        ready = max(self._rested_at.get(asset, 0.0), self._rested_at.get(address, 0.0), self._next_start)
        if ready > now:
            return WaitUntil(ready)
        self._busy.update((asset, address))
        self._site_open[site] = self._site_open.get(site, 0) + 1
        for key in (asset, address):
            self._spent[key] = self._spent.get(key, 0) + 1
        # A rate, not a bucket: what was not used is not saved up for a burst.
        self._next_start = max(now, self._next_start) + self._interval
        return Go()

    def denied(self, ask: Ask, wall: time) -> Denied | None:
        """Why this device must not be asked (any more), or None."""
        keys = _keys(ask)
        for manners in ask.manners:
            if manners.passive:
                return Denied("the inventory declares the asset passive: it is never contacted")
            if manners.quiet_hours is not None and within_quiet_hours(manners.quiet_hours, wall):
                start, end = manners.quiet_hours
                return Denied(f"quiet hours of the asset ({start:%H:%M}-{end:%H:%M})")
            if any(self._spent.get(key, 0) >= manners.max_connections for key in keys):
                return Denied(f"the budget of {manners.max_connections} connections is spent")
        for key in keys:
            if key in self._left_alone:
                return Denied(self._left_alone[key])
        return None

    def ended(self, ask: Ask, now: float) -> tuple[str, ...]:
        """A connection is over; gives the keys on which others may wait."""
        asset, address = _keys(ask)
        site = _site_key(ask)
        self._busy.difference_update((asset, address))
        self._rested_at[asset] = self._rested_at[address] = now + max(manners.gap_s for manners in ask.manners)
        self._site_open[site] -= 1
        return asset, address, site

    def answered(self, ask: Ask) -> None:
        """The port gave an answer to a question."""
        self._answered.add((ask.address, ask.port))
        self._silent.pop(ask.address, None)

    def fell_silent(self, ask: Ask, *, in_the_middle: bool) -> None:
        """A question was not answered in time.

        A device that stops in the middle is left alone for the rest of the run; so is one whose port had answered
        before, and one that has said nothing to `SILENT_QUESTIONS` questions in a row.
        """
        silent = self._silent[ask.address] = self._silent.get(ask.address, 0) + 1
        if in_the_middle or (ask.address, ask.port) in self._answered:
            self._leave_alone(ask, f"left alone: port {ask.port} stopped answering in the middle")
        elif silent >= SILENT_QUESTIONS:
            self._leave_alone(ask, f"left alone: {silent} questions in a row had no answer")

    def spent(self, asset_id: str) -> int:
        """The connections that an asset has had in this run."""
        return self._spent.get(f"asset:{asset_id}", 0)

    def _leave_alone(self, ask: Ask, reason: str) -> None:
        for key in _keys(ask):
            self._left_alone.setdefault(key, reason)


def within_quiet_hours(window: tuple[time, time], wall: time) -> bool:
    """Whether a local time of day lies in a window, its start included; a window may pass midnight."""
    start, end = window
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def _keys(ask: Ask) -> tuple[str, str]:
    return f"asset:{ask.asset_id}", f"address:{ask.address}"


def _site_key(ask: Ask) -> str:
    return f"site:{ask.site}"
