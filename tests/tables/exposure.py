"""The table of the firewall: what it does to a connection, and what we, nmap -sT and nmap -sS say of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from checker.model import ConnectState
from tests.live.firewall_bed import Bed, Swept, bed, not_as_it_is, targets
from tests.live.firewall_cells import CELLS, VANTAGES, Cell, Offender
from tests.live.firewall_rules import address
from tests.live.peers.nmap import scan
from tests.tables.page import markdown

HEADER = ("What happens", "Ours", "nmap -sT", "nmap -sS", "Where nmap differs")
_FROM = VANTAGES[0]
_SCANS = ("-sT", "-sS")
_AT_ONCE = 8
_WHO = {Offender.FIREWALL: "by the firewall", Offender.OURSELVES: "by our own kernel"}


def table() -> tuple[str, Sequence[str]]:
    """Make the bed and ask it; the table as Markdown, and what of ours is not as the cells say, line by line."""
    with bed() as made:
        sys.stderr.write("the firewall, asked by us\n")
        with made.full_queues():
            seen = made.sweep(_FROM, targets(CELLS, _FROM))
        swept = Swept(seen, made.syns(_FROM))
        theirs = {how: _scanned(made, how) for how in _SCANS}
        rows = [
            (cell.title, _ours(made, cell, swept), *(theirs[how][cell.name] for how in _SCANS), cell.difference)
            for cell in CELLS
        ]
        return markdown(HEADER, rows), [line for cell in CELLS for line in not_as_it_is(made, _FROM, cell, swept)]


def stated(cell: Cell) -> frozenset[str]:
    """What may stand in the column of ours: the states of the cell, in words; its numbers of ports aside."""
    return frozenset(_in_words(cell, state) for state in cell.states)


def _ours(made: Bed, cell: Cell, swept: Swept) -> str:
    said: dict[int, list[str]] = {}
    for family in cell.families:
        host = address(cell, family, _FROM)
        for port in cell.ports:
            seen = swept.seen[host, port]
            right = (seen.icmp, seen.offender) == (cell.icmp.get(family), made.offender(_FROM, cell, family))
            words = _in_words(cell, ConnectState(seen.state)) if right else f"{seen.state} {seen.icmp} {seen.offender}"
            said.setdefault(family, []).append(words)
    return _by_family(said)


def _in_words(cell: Cell, state: ConnectState) -> str:
    """A state with the ICMP codes of the cell, those of IPv4 first, and who sent them."""
    if state is ConnectState.OPEN:
        return "open-unproven"
    if cell.offender is None:
        return state.value
    codes = " and ".join(f"{icmp_type}/{code}" for icmp_type, code in dict(sorted(cell.icmp.items())).values())
    return f"{state.value} {codes} {_WHO[cell.offender]}"


def _scanned(made: Bed, how: str) -> Mapping[str, str]:
    """What nmap says of each cell."""
    sys.stderr.write(f"the firewall, asked by nmap {how}\n")
    asked = [(cell, family) for cell in CELLS for family in cell.families]

    def ask(pair: tuple[Cell, int]) -> list[str]:
        cell, family = pair
        found = scan(made.command(_FROM), how, address(cell, family, _FROM), cell.ports)
        return [str(found[port]) for port in cell.ports]

    said: dict[str, dict[int, list[str]]] = {}
    with made.full_queues(), ThreadPoolExecutor(_AT_ONCE) as pool:
        for (cell, family), words in zip(asked, pool.map(ask, asked), strict=True):
            said.setdefault(cell.name, {})[family] = words
    return {name: _by_family(words) for name, words in said.items()}


def _by_family(said: Mapping[int, Sequence[str]]) -> str:
    """What was said of the ports of each family, once where it is the same."""
    counted = {family: Counter(words) for family, words in said.items()}
    words = {family: _counted(counts) for family, counts in counted.items()}
    if len({frozenset(counts) for counts in counted.values()}) == 1:
        return _counted(sum(counted.values(), Counter())) if _many(counted.values()) else next(iter(words.values()))
    return "; ".join(f"IPv{family}: {each}" for family, each in words.items())


def _many(counted: Iterable[Counter[str]]) -> bool:
    return any(counts.total() > 1 for counts in counted)


def _counted(counts: Counter[str]) -> str:
    """Each thing that was said, with how often where there are many."""
    if counts.total() == 1:
        return next(iter(counts))
    return ", ".join(f"{count} of {counts.total()} {words}" for words, count in counts.most_common())
