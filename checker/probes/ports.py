"""Ports: what connect() shows of one, and nothing more. A connection that opens is closed at once."""

from __future__ import annotations

from checker.model import ConnectState, PortFacts
from checker.net.connection import Connection
from checker.net.gateway import Limits
from checker.probes.talk import Talk

# Past the kernel's third SYN retransmission, so that a lost SYN or two do not make a port look filtered.
_LIMITS = Limits(connect_s=4.0, conversation_s=1.0, max_bytes=1)


async def probe_port(talk: Talk) -> PortFacts:
    """Ask whether a port takes connections."""
    made = await talk.device.connect(talk.permit, talk.port, "reachability", _LIMITS)
    if not isinstance(made, Connection):
        return made
    made.abandon()
    return PortFacts(state=ConnectState.OPEN, rtt_ms=made.rtt_ms)
