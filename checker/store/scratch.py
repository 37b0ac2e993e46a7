"""What judging a run needs to look up, kept on disk: whose an observation is, who shares a key, what was before.

An SQLite database for the time of one judgement. It is worth nothing after it, so nothing of it is synced; it is
removed before a run is published. Assets are named by their number in the inventory.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from checker.model import Observation
from checker.records import BrokenRecord, read_observation, read_text_of
from checker.rules.base import Identity
from checker.rules.identity import Place
from checker.store.identities import Known

MOST_SHARERS = 50
"""Of the assets that share a key, this many are told to each of them: the first by number."""

_PRAGMAS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32000")
_TABLES = {
    "seen": "asset INTEGER, line INTEGER, at INTEGER, length INTEGER, PRIMARY KEY (asset, line)",
    "shared": "rule TEXT, key TEXT, asset INTEGER, PRIMARY KEY (rule, key, asset)",
    "failing": "id TEXT PRIMARY KEY",
    "known": (
        "asset INTEGER, kind TEXT, port INTEGER, address TEXT, ae_title TEXT, run TEXT, uid TEXT, version TEXT,"
        " PRIMARY KEY (asset, kind, port, address, ae_title)"
    ),
}
_IDS_A_QUERY = 500


class Scratch:
    """The lookups of one judgement of the observations in a file; a context manager.

    `path` must not exist yet. Where the disk does not take it, entering or leaving the context raises OSError.
    """

    def __init__(self, path: Path, observations: Path) -> None:
        self._shown = observations
        self._observations: BinaryIO = observations.open("rb")
        self._database = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> Scratch:
        """Make the tables, inside one transaction that is never ended: pages go to disk when the cache is full."""
        tables = (f"CREATE TABLE {name} ({columns}) WITHOUT ROWID" for name, columns in _TABLES.items())
        try:
            for statement in (*(f"PRAGMA {pragma}" for pragma in _PRAGMAS), "BEGIN", *tables):
                self._database.execute(statement)
        except sqlite3.OperationalError as error:
            self._close()
            raise _not_taken(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files; who owns the folder removes them."""
        self._close()
        if isinstance(error, sqlite3.OperationalError):
            raise _not_taken(error) from error

    def _close(self) -> None:
        self._observations.close()
        self._database.close()

    def index(self, numbers: Mapping[str, int]) -> int:
        """Note whose each observation is, by the number of its asset's id; how many are of no such asset.

        Raises BrokenRecord for a line that is none, with the line's number.
        """
        strays = at = 0

        def rows() -> Iterator[tuple[int, int, int, int]]:
            nonlocal strays, at
            for line, text in enumerate(self._observations, 1):
                if not text.endswith(b"\n"):
                    raise BrokenRecord(f"{self._where(line)}: the last line is not whole")
                number = numbers.get(read_text_of(text, "asset_id", self._where(line)))
                if number is None:
                    strays += 1
                else:
                    yield number, line, at, len(text)
                at += len(text)

        self._database.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", rows())
        return strays

    def observations(self, number: int) -> list[Observation]:
        """The observations of one asset, in the order observed. Raises BrokenRecord."""
        found = []
        rows = self._database.execute("SELECT line, at, length FROM seen WHERE asset = ? ORDER BY line", (number,))
        for line, at, length in rows:
            self._observations.seek(at)
            found.append(read_observation(self._observations.read(length), self._where(line)))
        return found

    def share(self, number: int, keys: Iterable[tuple[str, str]]) -> None:
        """Note the keys of an asset, as (id of the rule, key)."""
        self._database.executemany(
            "INSERT OR IGNORE INTO shared VALUES (?, ?, ?)", ((rule, key, number) for rule, key in keys)
        )

    def sharers(self, rule: str, key: str) -> tuple[int, ...]:
        """The first `MOST_SHARERS` assets that have the key."""
        rows = self._database.execute(
            "SELECT asset FROM shared WHERE rule = ? AND key = ? ORDER BY asset LIMIT ?", (rule, key, MOST_SHARERS)
        )
        return tuple(number for (number,) in rows)

    def remember_failing(self, ids: Iterable[str]) -> None:
        """Replace what is known of an earlier run by these ids of findings. Forgets all where reading them raises."""
        self._database.execute("DELETE FROM failing")
        try:
            self._database.executemany("INSERT OR IGNORE INTO failing VALUES (?)", ((id_,) for id_ in ids))
        except Exception:
            self._database.execute("DELETE FROM failing")
            raise

    def failing(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids that were failing in the earlier run."""
        found: set[str] = set()
        for start in range(0, len(ids), _IDS_A_QUERY):
            part = ids[start : start + _IDS_A_QUERY]
            marks = ", ".join("?" * len(part))
            rows = self._database.execute(f"SELECT id FROM failing WHERE id IN ({marks})", part)  # noqa: S608 - only marks
            found.update(id_ for (id_,) in rows)
        return frozenset(found)

    def remember_known(self, numbers: Mapping[str, int], known: Iterable[Known]) -> None:
        """Replace what is known of earlier implementations by these; those of other assets than `numbers` are left out.

        Forgets all where reading them raises.
        """
        self._database.execute("DELETE FROM known")
        rows = (
            (numbers[one.asset_id], *astuple(one.place), *astuple(one.identity))
            for one in known
            if one.asset_id in numbers
        )
        try:
            self._database.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        except Exception:
            self._database.execute("DELETE FROM known")
            raise

    def known(self, number: int) -> dict[Place, Identity]:
        """By which implementations the services of an asset were known."""
        rows = self._database.execute(
            "SELECT kind, port, address, ae_title, run, uid, version FROM known WHERE asset = ?", (number,)
        )
        return {Place(*row[:4]): Identity(*row[4:]) for row in rows}

    def _where(self, line: int) -> str:
        return f"{self._shown}:{line}"


def _not_taken(error: sqlite3.OperationalError) -> OSError:
    return OSError(errno.EIO, f"the scratch database could not be used: {error}")
