"""Pure: how long a silent port is waited for, and how often it is asked again before it is called filtered.

What decides is how many SYNs were sent in vain, for a port is wrongly called filtered where the network lost all of
them: with a loss of p, in p^n of the cases. The kernel sends the SYN of a connection again about 1, 2, 3, 4, 5 and 7 s
after the first (Linux 6.5 and later, `tcp_syn_linear_timeouts`; earlier kernels 1, 3 and 7 s). Its timers are up to a
sixteenth late at each turn. So a wait is never shorter than what the next of these moments, late as it may be, and a
round trip need:

    again once     1 * 1.07 + margin    2 SYNs    1.17 s where the site's answers are quick
    again twice    2 * 1.07 + margin    3 SYNs    2.24 s
    three times    3 * 1.07 + margin    4 SYNs    3.31 s
    six times      7 * 1.07 + margin    7 SYNs    7.59 s

The margin is four times the slowest answer of the device, or where it gave none of its site, and at least 0.1 s; it is
0.43 s where nothing has answered yet.

A port is asked with a fresh connection for each wait. With 8 pending, a device with 29 silent ports has 29/8 turns of:

    clear     once, once                  2+2 SYNs   29/8 *  2.34 s =  9 s   a loss of 10% hides 1 open port in 10,000
    usual     once, twice                 2+3 SYNs   29/8 *  3.41 s = 13 s
    unheard   once, three times           2+4 SYNs   30/8 *  4.48 s = 17 s
    patient   once, three times, six...   2+4+7+7    as many of these as the loss asks for

Clear is a device that answered somewhere and lost nothing, at a site where at least `_ENOUGH` answers came and next to
none needed a second SYN. Unheard is one that has answered nothing at all: where nobody is at its address the kernel
needs 3 s to find that out (three questions of ARP or of neighbour discovery, RFC 4861 section 10), which is no
firewall's silence. Patient is one where an answer came only after a SYN was lost (the kernel counts how often it
repeated it, or the port had been silent once): n is then chosen so that p^n is at most a millionth, with p as the
device, or else its site, showed it. A loss of 10% takes 6 SYNs, one of 50% takes 20: 2+4+7+7, which in practice are
never all lost.

So few silent ports that all of them are pending at once are asked once, three times and six times whatever is known of
the way (13 SYNs: 1 in 8,000 even at an unseen loss of 50%), for a listener whose queue is full loses the SYNs of its
own port alone; that costs 12 s. Where no connection is left for a third question the second waits as long (9 SYNs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import TypeAlias

Ladder: TypeAlias = tuple[int, ...]
"""For each connection to a silent port: after how many repetitions of its SYN it is given up."""

CLEAR: Ladder = (1, 1)
USUAL: Ladder = (1, 2)
UNHEARD: Ladder = (1, 3)
FEW: Ladder = (1, 3, 6)
PATIENT: Ladder = (1, 3, 6, 6)

# Seconds from the first SYN to each repetition; the kernel's timers run up to a sixteenth late (timer wheel).
_REPEATED_AT = (1.0, 2.0, 3.0, 4.0, 5.0, 7.0)
_LATE = 1.07
_ROUND_TRIPS = 4
_MARGIN_S = (0.1, 2.0)
_MARGIN_UNKNOWN_S = 0.43
_ENOUGH = 8
_NEXT_TO_NONE = 0.01
_HIDDEN = 1e-6


@dataclass(slots=True)
class Answers:
    """What the answers of a device, or of a whole site, showed: how many came, and how many SYNs were lost before."""

    came: int = 0
    lost: int = 0
    slowest_s: float = 0.0  # of those that came to the first SYN

    def add(self, rtt_s: float, *, lost: int = 0) -> None:
        """An answer to a connection that was begun `rtt_s` ago, before which so many SYNs to the port were in vain."""
        self.came += 1
        self.lost += lost
        if not lost and rtt_s > self.slowest_s:
            self.slowest_s = rtt_s

    @property
    def loss(self) -> float:
        """How many of the SYNs that could have been answered were lost, from above (the rule of succession)."""
        return (self.lost + 1) / (self.came + self.lost + 2)


def wait_s(repetitions: int, device: Answers, site: Answers) -> float:
    """How long to wait, in seconds, to see also the answer to so many repetitions of the SYN, 1 to 6."""
    least, most = _MARGIN_S
    known = device if device.came else site
    margin = min(most, max(least, _ROUND_TRIPS * known.slowest_s)) if known.came else _MARGIN_UNKNOWN_S
    return _REPEATED_AT[repetitions - 1] * _LATE + margin


def syns(ladder: Sequence[int]) -> int:
    """How many SYNs a silent port is sent in all."""
    return sum(1 + repetitions for repetitions in ladder)


def ladder(device: Answers, site: Answers, *, few: bool) -> Ladder:
    """How often a silent port is asked, by what is known now; `few`: all silent ports of the device fit in one turn."""
    seen = _lossy(device, site)
    if seen is not None:
        wanted = ceil(log(_HIDDEN) / log(seen.loss))
        steps = next((count for count in range(2, len(PATIENT)) if syns(PATIENT[:count]) >= wanted), len(PATIENT))
        return PATIENT[: max(steps, len(FEW))] if few else PATIENT[:steps]
    if few:
        return FEW
    if not device.came:
        return UNHEARD
    return CLEAR if site.came >= _ENOUGH else USUAL


def may_be_filtered(asked: int, device: Answers, site: Answers) -> bool:
    """Whether a port that was silent so often may be called filtered, where it cannot be asked as often as wished.

    It was asked again, and nothing else was lost.
    """
    return asked >= len(USUAL) and _lossy(device, site) is None


def _lossy(device: Answers, site: Answers) -> Answers | None:
    """What shows that SYNs are lost on the way, None where nothing does."""
    if device.lost:
        return device
    return site if site.came >= _ENOUGH and site.lost > _NEXT_TO_NONE * site.came else None
