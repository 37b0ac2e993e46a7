"""Pure: the questions that are asked over UDP, one datagram each, and what their answers tell.

Every question is valid, needs no credential and asks for nothing that a device keeps; none is answered with much more
than it takes. What comes back is bounded, and only numbers and words of our own are made of it. Bytes that are no
answer to the question give None; no bytes raise. It has no socket and no clock, and what is random is handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from checker.codecs import udp_dtls, udp_mdns, udp_netbios, udp_ntp, udp_rmcp, udp_snmp, udp_ssdp, udp_tftp
from checker.model import UdpAnswer, UdpQuestion

TOKEN_BYTES = 32
"""How many random bytes a question is made with: what answers must repeat is drawn from them."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One question: the datagram, and how an answer is known.

    `any_port`: the answer may come from another port of the address that was asked. `parting` gives what is said, once,
    to who gave an answer, so that it does not wait for more or send more; None where it is done anyway.
    """

    kind: UdpQuestion
    payload: bytes
    read: Callable[[bytes], UdpAnswer | None]
    any_port: bool = False
    parting: Callable[[UdpAnswer], bytes | None] = field(default=lambda _: None)

    @property
    def purpose(self) -> str:
        """What it is for, in the ledger and to the manners."""
        return f"udp {self.kind}"


def asking(kind: UdpQuestion, token: bytes, *, address: str, port: int) -> Asking:
    """A question of its kind for one port. ValueError for a token that is not `TOKEN_BYTES` long."""
    if len(token) != TOKEN_BYTES:
        message = f"a question is made with {TOKEN_BYTES} random bytes"
        raise ValueError(message)
    match kind:
        case UdpQuestion.SNMP:
            return Asking(kind, udp_snmp.discovery(token), lambda data: udp_snmp.read(data, token))
        case UdpQuestion.NTP:
            return Asking(kind, udp_ntp.request(token), lambda data: udp_ntp.read(data, token))
        case UdpQuestion.TFTP:
            request = udp_tftp.read_request(token)
            return Asking(kind, request, udp_tftp.read, any_port=True, parting=udp_tftp.parting)
        case UdpQuestion.NETBIOS:
            return Asking(kind, udp_netbios.node_status(token), lambda data: udp_netbios.read(data, token))
        case UdpQuestion.DTLS:
            return Asking(kind, udp_dtls.client_hello(token), udp_dtls.read, parting=udp_dtls.parting)
        case UdpQuestion.MDNS:
            return Asking(kind, udp_mdns.query(token), lambda data: udp_mdns.read(data, token))
        case UdpQuestion.SSDP:
            return Asking(kind, udp_ssdp.search(address, port), udp_ssdp.read)
        case UdpQuestion.RMCP:
            return Asking(kind, udp_rmcp.ping(token), lambda data: udp_rmcp.read(data, token))
