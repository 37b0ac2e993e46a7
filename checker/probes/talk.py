"""What every probe gets: a device, a permit, one port, and a place for its observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from checker.model import ConnectState, Facts, Permit, PortFacts
from checker.net.connection import Connection
from checker.net.gateway import Device, Limits


@dataclass(slots=True)
class Talk:
    """A way to talk to one port of one device. `record` takes facts about it, at once.

    `state` is the last that a connection attempt showed of the port, None before the first, and `asked` how often it
    had been asked for that.
    """

    device: Device
    permit: Permit
    port: int
    record: Callable[[Facts], None]
    state: ConnectState | None = field(default=None)
    asked: int = field(default=0)

    async def connect(self, purpose: str, limits: Limits) -> Connection | PortFacts:
        """One connection; what it showed of the port is recorded where it differs from what was known."""
        made = await self.device.connect(self.permit, self.port, purpose, limits)
        if isinstance(made, Connection):
            self.note(PortFacts(state=ConnectState.OPEN, rtt_ms=made.rtt_ms))
        else:
            self.note(made)
        return made

    def note(self, facts: PortFacts) -> None:
        """Record what an attempt showed of the port."""
        if facts.state is ConnectState.NOT_ASKED and self.state is not None:
            return
        if facts.state is ConnectState.FILTERED:
            self.device.knocked_in_vain(self.permit.address, self.port)
        again = facts.state is ConnectState.FILTERED and facts.asked > self.asked
        if facts.state is not self.state or again:
            self.state, self.asked = facts.state, facts.asked
            self.record(facts)

    def answered(self) -> None:
        """The port answered a question."""
        self.device.answered(self.permit.address, self.port)

    def busy(self) -> None:
        """The port answered that it is busy."""
        self.device.busy(self.permit.address, self.port)

    def fell_silent(self, *, in_the_middle: bool) -> None:
        """A question was not answered in time."""
        self.device.fell_silent(self.permit.address, self.port, in_the_middle=in_the_middle)
