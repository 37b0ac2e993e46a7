"""What a run keeps of the implementations of DICOM services: which it saw, and which it knew of from before.

`identities.jsonl` is written once, when a run is concluded, and goes along as it is when the run is judged again: so
the second judgement knows the earlier implementations of the first, whatever runs have come and gone since. A run that
saw none of a service hands on what it knew. A history that remembers longer can take the place of `known_after`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from pydantic import TypeAdapter

from checker.records import BrokenRecord, line, read
from checker.rules.base import Identity
from checker.rules.identity import Implementation, Place
from checker.store.folder import IDENTITIES

_PORTS = 1 << 16


@dataclass(frozen=True, slots=True)
class Known:
    """An implementation by which a service of an asset was known."""

    asset_id: str
    place: Place
    identity: Identity


@dataclass(frozen=True, slots=True)
class _Line:
    """`seen` in the run itself, `earlier` in the last one before it; one of both is there."""

    asset_id: str
    service: Place
    seen: Identity | None
    earlier: Identity | None


def known_after(run: Path) -> Iterator[Known]:
    """What a run leaves known to the next: what it saw, and where it saw nothing, what it knew.

    Nothing, where the run is older than its file. Raises BrokenRecord, also in the middle.
    """
    for entry in _lines(run):
        identity = entry.seen or entry.earlier
        if identity is not None:
            yield Known(entry.asset_id, entry.service, identity)


def known_before(run: Path) -> Iterator[Known]:
    """What a run knew from before it, by which it is judged. Else as `known_after`."""
    for entry in _lines(run):
        if entry.earlier is not None:
            yield Known(entry.asset_id, entry.service, entry.earlier)


def _lines(run: Path) -> Iterator[_Line]:
    adapter = TypeAdapter(_Line)
    path = run / IDENTITIES
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                entry = read(adapter, text, f"{path}:{number}")
                if not 0 < entry.service.port < _PORTS:  # a database takes no number that is too long
                    raise BrokenRecord(f"{path}:{number}: service.port: is none")
                yield entry
    except FileNotFoundError:
        return
    except OSError as error:
        raise BrokenRecord(f"{path}: cannot be read: {error.strerror}") from error


class IdentityPile:
    """The lines of the file of a run that is being judged, gathered on disk. A context manager; raises OSError.

    `path` must not exist yet.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        self._path = path
        self._run_id = run_id
        self._file = path.open("xb")

    def __enter__(self) -> IdentityPile:
        """The pile itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; who owns the folder removes it."""
        self._file.close()

    def add(
        self, asset_id: str, seen: Mapping[Place, Implementation | None], earlier: Mapping[Place, Identity]
    ) -> None:
        """Add the services of one asset: what each was seen to be now, and what was known of it before.

        Where the address of a service is not known now, as its name was not resolved, it is known at those of before.
        """
        unmet = {place: None for place in earlier if place not in seen and replace(place, address="") in seen}
        for place, now in (*seen.items(), *unmet.items()):
            identity = None if now is None else now.seen_in(self._run_id)
            before = earlier.get(place)
            if identity is not None or before is not None:
                self._file.write(line(_Line(asset_id, place, identity, before)))

    def lines(self) -> Iterator[bytes]:
        """All lines so far, each with its newline."""
        self._file.flush()
        with self._path.open("rb") as file:
            yield from file
