"""The tables of the web: what each state means, in which of them each front of the tests was found, and the limits."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from checker.model import Status
from checker.rules.web_states import Access, State, status_of, words
from tests.live.certificates import Authority
from tests.live.servers.orthanc import OPEN, orthanc
from tests.live.web_asking import Found, Judged, ask, not_as_it_is
from tests.live.web_fronting import Door, Front, Material, Really, not_really
from tests.live.web_fronts import FRONTS
from tests.live.web_fronts_limits import LIMITS
from tests.tables.page import markdown

STATES = ("State", "Verdict", "What was seen")
MATRIX = ("State", "Verdict", *(f"Truly {really}" for really in Really))
HEADER = ("Front", "DICOMweb service", "Page", "What it means")

_NOT_DECLARED = "not declared"

Doors = Sequence[tuple[Really, Judged]]
All = Sequence[tuple[Front, Found]]


# ------------------------------------------------------------------------------------------------ what asks nobody


def states() -> tuple[str, Sequence[str]]:
    """Every state, with the verdict that comes of it, as Markdown. Nothing in it can be wrong."""
    rows = [(f"`{state}`", _said(status_of(state)), words(Access(state))) for state in State]
    return markdown(STATES, rows), ()


def stated() -> str:
    """The text of `table` where every front is as its data says."""
    return _text([(front, _as_stated(front)) for front in FRONTS])


def stated_limits() -> str:
    """The text of `limits` where every front is as its data says."""
    return markdown(HEADER, [_row(front, _as_stated(front)) for front in LIMITS])


# -------------------------------------------------------------------------------------------------- what is measured


def table() -> tuple[str, Sequence[str]]:
    """Visit every front; the matrix and the fronts as Markdown, and what is not as the data says, line by line."""
    found, wrong = _visited(FRONTS)
    return _text(found), wrong


def limits() -> tuple[str, Sequence[str]]:
    """The same for the open fronts that pass."""
    found, wrong = _visited(LIMITS)
    return markdown(HEADER, [_row(front, seen) for front, seen in found]), wrong


def _visited(fronts: Sequence[Front]) -> tuple[All, Sequence[str]]:
    found: list[tuple[Front, Found]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="pacs-checker-tables-") as folder, orthanc(OPEN) as behind:
        material = Material.create(Authority.create(Path(folder)), behind)
        for front in fronts:
            sys.stderr.write(f"{front.name}\n")
            with front.start(material) as place:
                lines = not_really(front, place)
                seen = asyncio.run(ask(front, place))
            found.append((front, seen))
            wrong += [f"{front.name}: {line}" for line in (*lines, *not_as_it_is(front, seen))]
    return found, wrong


# ------------------------------------------------------------------------------------------------------- how it reads


def _text(found: All) -> str:
    doors = [door for front, seen in found for door in _doors(front, seen)]
    rows = [_row(front, seen) for front, seen in found]
    return f"{markdown(MATRIX, _matrix(doors))}\n{_sums(len(found), doors)}\n\n{markdown(HEADER, rows)}"


def _matrix(doors: Doors) -> Iterable[Sequence[str]]:
    """How many services of each truth were found in each state; states in which none was are left out."""
    counted = Counter((judged.state, judged.verdict, really) for really, judged in doors)
    for state in State:
        for verdict in Status:
            numbers = [counted[state, verdict, really] for really in Really]
            if any(numbers):
                yield (f"`{state}`", _said(verdict), *(str(number) if number else "" for number in numbers))


def _sums(fronts: int, doors: Doors) -> str:
    """What the matrix comes to, in words."""
    counted = Counter((really, judged.verdict) for really, judged in doors)

    def of(really: Really) -> str:
        count = {verdict: counted[really, verdict] for verdict in Status}
        name = {Really.NEITHER: "neither", Really.PUBLIC: "public pages"}.get(really, f"truly {really}")
        return (
            f"{sum(count.values())} are {name}: {count[Status.FAIL]} fail, {count[Status.UNKNOWN]} are unknown,"
            f" {count[Status.PASS]} pass."
        )

    return f"{fronts} fronts with {len(doors)} services. {' '.join(of(really) for really in Really)}"


def _row(front: Front, seen: Found) -> tuple[str, ...]:
    return (front.front, _cell(front.archive, seen.archive), _cell(front.page, seen.page), front.means)


def _cell(door: Door | None, judged: Judged | None) -> str:
    if door is None or judged is None:
        return _NOT_DECLARED
    return f"{door.really}: `{judged.state}`, {_said(judged.verdict)}"


def _said(verdict: Status) -> str:
    return f"**{verdict}**" if verdict is Status.FAIL else str(verdict)


def _doors(front: Front, seen: Found) -> Doors:
    pairs = ((front.archive, seen.archive), (front.page, seen.page))
    return [(door.really, judged) for door, judged in pairs if door is not None and judged is not None]


def _as_stated(front: Front) -> Found:
    judged = [None if door is None else Judged(door.state, door.verdict) for door in (front.archive, front.page)]
    return Found(judged[0], judged[1], {})
