"""Ports: what connect() shows of many of one device, and nothing more. A connection that opens is closed at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checker.model import Permit, PortFacts
from checker.net.gateway import Device
from checker.probes.talk import Talk


async def probe_ports(device: Device, permit: Permit, talks: Mapping[int, Sequence[Talk]]) -> None:
    """Ask each port whether it takes connections; each is noted at its own talks as soon as its state is known."""

    def note(port: int, facts: PortFacts) -> None:
        for talk in talks[port]:
            talk.note(facts)

    await device.sweep(permit, tuple(talks), note)
