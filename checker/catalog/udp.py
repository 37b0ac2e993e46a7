"""Pure: which question a UDP port is asked. One that is not listed has none, for no question fits all."""

from __future__ import annotations

from types import MappingProxyType

from checker.model import UdpQuestion

# IANA Service Name and Transport Protocol Port Number Registry. 5684 is CoAP (RFC 7252 section 6.2), 6514 syslog (RFC
# 6012 section 3) and 10161 SNMP (RFC 6353 section 10), each inside DTLS.
_QUESTIONS = MappingProxyType(
    {
        69: UdpQuestion.TFTP,
        123: UdpQuestion.NTP,
        137: UdpQuestion.NETBIOS,
        161: UdpQuestion.SNMP,
        623: UdpQuestion.RMCP,
        1900: UdpQuestion.SSDP,
        5353: UdpQuestion.MDNS,
        5684: UdpQuestion.DTLS,
        6514: UdpQuestion.DTLS,
        10161: UdpQuestion.DTLS,
    }
)


def udp_question(port: int) -> UdpQuestion | None:
    """The question for a port; None where none is known."""
    return _QUESTIONS.get(port)


def udp_question_ports() -> tuple[int, ...]:
    """The ports that have a question, sorted."""
    return tuple(sorted(_QUESTIONS))
