"""What the firewall of the bed does to a connection, cell by cell, and what an asker has to make of it: data alone.

Each cell has an address of its own on the device, of each family, so that all can be asked at once. `rules` are nft
statements for what goes to that address. The state, the ICMP code and its sender follow from the rules, not from what
was once measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checker.model import ConnectState, UdpState

FAMILIES = (4, 6)
VANTAGES = ("clinical", "admin", "guest")
"""The zones that an asker can stand in, each a namespace on an interface of its own of the firewall."""

# Below the range from which the kernel takes the ports of outgoing connections. What listens where, on every address of
# the device: nothing on CLOSED; something that never speaks on SERVED; something that speaks first on TALKS.
QUEUE, TALKS, CLOSED = 30_090, 30_100, 30_200
SERVED = tuple(range(30_101, 30_121))


class Place(StrEnum):
    """Where the address of a cell is."""

    DEVICE = "device"
    NOBODY_HERE = "nobody-here"  # on the asker's own network, and nobody has it
    NOBODY_THERE = "nobody-there"  # on the device's network, and nobody has it
    NO_WAY_ON = "no-way-on"  # the firewall has no route there
    NO_WAY = "no-way"  # the asker has none


class Offender(StrEnum):
    """Whose address is in the ICMP error."""

    FIREWALL = "firewall"
    OURSELVES = "ourselves"  # our own kernel, in the name of the way


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing that a firewall, a device or the way between can do, and what is to be said of it.

    `icmp` is (type, code) by family; `states` are those that are right: more than one only where it depends on which of
    two packets is first. `lossy`: only what the firewall counted tells whether a SYN came through. `dead`: something
    answers in the name of a service that is not there. `difference`: how nmap differs, and why, in words.
    """

    name: str
    title: str
    states: tuple[ConnectState, ...]
    rules: str = ""
    icmp: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    offender: Offender | None = None
    place: Place = Place.DEVICE
    families: tuple[int, ...] = FAMILIES
    ports: tuple[int, ...] = SERVED[:1]
    lossy: bool = False
    dead: bool = False
    difference: str = "none"

    @property
    def served(self) -> bool:
        """Whether whoever connects is served, so that nothing but `open` is true."""
        return self.states == (ConnectState.OPEN,) and not self.dead


def _reject(family: int, word: str, icmp_type: int, code: int, difference: str) -> Cell:
    protocol = {4: "icmp", 6: "icmpv6"}[family]
    return Cell(
        f"{protocol}-{word}",
        f"REJECT with {protocol} {word}",
        (ConnectState.REJECTED,),
        f"reject with {protocol} type {word}",
        {family: (icmp_type, code)},
        Offender.FIREWALL,
        families=(family,),
        difference=difference,
    )


_NO_SENDER = "-sT has the errno alone, and no sender"
_LIKE_A_RESET = "-sT says closed: the errno is that of a reset"
_SHARED_ERRNO = "-sT names another code, for the errno is the same; no sender"
_V6_SILENCE = "-sT hears of it a second late and has mostly given up"
_NO_ANSWER_V6 = "-sS gets no answer from the proxy in IPv6"


SYN = "tcp flags & (fin | syn | rst | ack) == syn"
_PROXIED = "ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm\nct state invalid drop"
_ADMIN_PROHIBITED = {4: (3, 13), 6: (1, 1)}
_EACH = "limit rate 10/second burst 5 packets"
_RATE = (
    f"update @limited4 {{ ip saddr {_EACH} }} reject with icmpx admin-prohibited\n"
    f"update @limited6 {{ ip6 saddr {_EACH} }} reject with icmpx admin-prohibited\n"
    "drop"
)
_OPEN, _REJECTED, _FILTERED = (ConnectState.OPEN,), (ConnectState.REJECTED,), (ConnectState.FILTERED,)

CELLS: tuple[Cell, ...] = (
    Cell("open", "open, and the service waits to be asked", _OPEN),
    Cell("open-talks", "open, and the service speaks first", _OPEN, ports=(TALKS,)),
    Cell("closed", "nobody listens: the device sends a reset", (ConnectState.CLOSED,), ports=(CLOSED,)),
    Cell("drop", "DROP", _FILTERED, "drop"),
    # RFC 792, RFC 1812 5.2.7.1
    _reject(4, "net-unreachable", 3, 0, _NO_SENDER),
    _reject(4, "host-unreachable", 3, 1, _NO_SENDER),
    _reject(4, "prot-unreachable", 3, 2, _NO_SENDER),
    _reject(4, "port-unreachable", 3, 3, _LIKE_A_RESET),
    _reject(4, "net-prohibited", 3, 9, _SHARED_ERRNO),
    _reject(4, "host-prohibited", 3, 10, _SHARED_ERRNO),
    _reject(4, "admin-prohibited", 3, 13, _SHARED_ERRNO),
    # RFC 4443 3.1
    _reject(6, "no-route", 1, 0, _V6_SILENCE),
    _reject(6, "admin-prohibited", 1, 1, _V6_SILENCE),
    _reject(6, "addr-unreachable", 1, 3, _V6_SILENCE),
    _reject(6, "port-unreachable", 1, 4, _V6_SILENCE),
    _reject(6, "policy-fail", 1, 5, _V6_SILENCE),
    _reject(6, "reject-route", 1, 6, _V6_SILENCE),
    Cell("tcp-reset", "REJECT with tcp reset", (ConnectState.CLOSED,), "reject with tcp reset"),
    Cell(
        "rate-limited",
        "REJECT, to each asker five at once and ten a second, DROP beyond",
        _REJECTED,
        _RATE,
        _ADMIN_PROHIBITED,
        Offender.FIREWALL,
        ports=SERVED[:8],
        difference=f"{_SHARED_ERRNO}; in IPv6 it hears of it a second late",
    ),
    Cell(
        "synproxy",
        "a SYN proxy, and a service behind it",
        _OPEN,
        _PROXIED,
        ports=(TALKS,),
        difference=_NO_ANSWER_V6,
    ),
    Cell(
        "synproxy-dead",
        "a SYN proxy, and nobody listens behind it",
        (ConnectState.OPEN, ConnectState.RESET),
        _PROXIED,
        ports=(CLOSED,),
        dead=True,
        difference=f"open without a word that nothing proves it; {_NO_ANSWER_V6}",
    ),
    Cell(
        "synproxy-dead-silent",
        "a SYN proxy, and silence behind it",
        _OPEN,
        _PROXIED,
        dead=True,
        difference=f"open without a word that nothing proves it; {_NO_ANSWER_V6}",
    ),
    Cell(
        "no-way-on",
        "the firewall has no route to the address",
        _REJECTED,
        icmp={4: (3, 0), 6: (1, 0)},
        offender=Offender.FIREWALL,
        place=Place.NO_WAY_ON,
        difference=f"{_NO_SENDER}; in IPv6 it hears of it a second late",
    ),
    Cell(
        "nobody-there",
        "no ARP or ND answer behind the firewall",
        _REJECTED,
        icmp={4: (3, 1), 6: (1, 3)},
        offender=Offender.FIREWALL,
        place=Place.NOBODY_THERE,
        difference="both give up before the firewall does, which says so after 3 s",
    ),
    Cell(
        "nobody-here",
        "no ARP or ND answer on our own network",
        (ConnectState.UNREACHABLE,),
        icmp={4: (3, 1), 6: (1, 3)},
        offender=Offender.OURSELVES,
        place=Place.NOBODY_HERE,
        difference="-sT gives up before our kernel does; -sS asks by ARP or ND first and leaves the address out",
    ),
    Cell(
        "no-way",
        "we have no route to the address",
        (ConnectState.UNREACHABLE,),
        place=Place.NO_WAY,
        difference="-sT calls it filtered, though nothing was sent; -sS does not start",
    ),
    Cell(
        "loss-10",
        "open, one SYN of ten lost",
        _OPEN,
        f"{SYN} numgen random mod 100 < 10 drop",
        ports=SERVED,
        lossy=True,
    ),
    Cell(
        "loss-50",
        "open, one SYN of two lost",
        _OPEN,
        f"{SYN} numgen random mod 100 < 50 drop",
        ports=SERVED,
        lossy=True,
        difference="-sS now and then calls one filtered",
    ),
    Cell("queue-late", "open, its accept queue full until the first SYN was lost", _OPEN, ports=(QUEUE,)),
    Cell("queue-full", "its accept queue full for ever: nobody is served", _FILTERED, ports=(QUEUE,)),
)
"""What is the same from every zone."""

UDP = 161
"""A UDP port on which nobody listens."""


def udp_state(cell: Cell) -> UdpState | None:
    """What is to be said of `UDP` where a cell's rules are about all that goes there; None where they are about TCP."""
    if cell.name in ("open", "closed"):
        return UdpState.CLOSED
    if cell.name == "drop":
        return UdpState.SILENT
    if cell.icmp and cell.name != "rate-limited":
        return UdpState(cell.states[0].value)
    return UdpState.UNREACHABLE if cell.place is Place.NO_WAY else None


TWO_FAMILIES = Cell("v6-hole", "DROP in IPv4, forgotten in IPv6", _OPEN, "meta nfproto ipv4 drop")
"""For the whole product: what is filtered in one family and open in the other."""

ZONES = Cell(
    "zones",
    "stateful rules by zone",
    _OPEN,
    "ct state established,related accept\n"
    f'iifname {{ "from-clinical", "from-admin" }} tcp dport {SERVED[0]} accept\n'
    f'iifname "from-admin" tcp dport {SERVED[1]} accept\n'
    'iifname "from-guest" drop\n'
    "reject with icmpx admin-prohibited",
    ports=SERVED[:3],
)
"""What depends on who asks."""
BY_ZONE: Mapping[str, tuple[ConnectState, ...]] = {
    "clinical": (ConnectState.OPEN, ConnectState.REJECTED, ConnectState.REJECTED),
    "admin": (ConnectState.OPEN, ConnectState.OPEN, ConnectState.REJECTED),
    "guest": (ConnectState.FILTERED, ConnectState.FILTERED, ConnectState.FILTERED),
}
"""By vantage: the state of each port of `ZONES`, in order."""

PROXIED = ("synproxy", "synproxy-dead", "synproxy-dead-silent")
"""The cells whose SYNs conntrack must not see."""
DEVICE_DROPS = "synproxy-dead-silent"
"""The cell of which the device itself takes nothing."""


def everything() -> tuple[Cell, ...]:
    """All cells, those that are not asked with the rest last."""
    return (*CELLS, ZONES, TWO_FAMILIES)
