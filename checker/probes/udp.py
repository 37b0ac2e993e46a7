"""UDP: one question to one port, asked at most twice, and what came of it. It asks nothing after an answer."""

from __future__ import annotations

import secrets

from checker.catalog.udp import udp_question
from checker.codecs.udp import TOKEN_BYTES, asking
from checker.model import Permit, UdpFacts, UdpQuestion
from checker.net.gateway import Device
from checker.net.udp import UdpLimits

_NO_QUESTION = "no question is known for this UDP port"


async def probe_udp(
    device: Device,
    permit: Permit,
    port: int,
    *,
    question: UdpQuestion | None = None,
    limits: UdpLimits | None = None,
) -> UdpFacts:
    """Ask a UDP port what its number says that it speaks, or `question` where one is given.

    Silence is no sign of the device, so the manners are not told of it. Data in place of an error is: the question is
    asked of nobody there again.
    """
    question = question or udp_question(port)
    if question is None:
        device.note_gap(f"{_NO_QUESTION}: {port}")
        return UdpFacts(question=None, detail=_NO_QUESTION)
    wanted = asking(question, secrets.token_bytes(TOKEN_BYTES), address=permit.address, port=port)
    facts = await device.datagram(permit, port, wanted, limits or UdpLimits())
    if facts.answer is not None and facts.answer.gave_data:
        device.gave_data(permit.address, port, wanted.purpose)
        device.note_gap(f"UDP port {port} answered a question that nothing can match with data")
    return facts
