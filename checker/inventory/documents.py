"""What a YAML or JSON file holds, and on which line each part of it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from checker.inventory.faults import Path, field_name

# A scalar has its line; a container has its line and the lines of its entries (for a mapping: the lines of its keys).
Lines: TypeAlias = "int | tuple[int, dict[str, Lines] | list[Lines]]"

# Far over what an inventory needs, and far under what harms the machine that reads it.
DEEPEST: Final = 32
MOST_VALUES: Final = 1_000_000
MOST_KEYS: Final = 1000
LONGEST_TEXT: Final = 65_536
MOST_DIGITS: Final = 15

TOO_DEEP: Final = f"expected at most {DEEPEST} levels of nesting"
TOO_MANY_VALUES: Final = (
    f"expected at most {MOST_VALUES} values; use assets_from with CSV or JSON Lines for large inventories"
)
TOO_LONG: Final = f"expected values of at most {LONGEST_TEXT} characters"
TOO_MANY_KEYS: Final = f"expected at most {MOST_KEYS} keys in a mapping"
DUPLICATE_KEY: Final = "expected each key once"


class Document:
    """A parsed file. `value` is what it holds; `lines` are found when the first fault asks for them."""

    def __init__(self, file: str, value: object, lines: Callable[[], Lines]) -> None:
        self.file = file
        self.value = value
        self._find = lines
        self._lines: Lines | None = None

    def locate(self, path: Path) -> tuple[int, str]:
        """See `checker.inventory.faults.Place`."""
        if self._lines is None:
            self._lines = self._find()
        return line_of(self._lines, path), field_name(path)


def line_of(lines: Lines, path: Path) -> int:
    """The line of the part at a path, or of the nearest part around it that exists."""
    here = lines
    for part in path:
        if isinstance(here, int):
            break
        entries = here[1]
        if isinstance(entries, dict) and part in entries:
            here = entries[str(part)]
        elif isinstance(entries, list) and isinstance(part, int) and part < len(entries):
            here = entries[part]
        else:
            break
    return here if isinstance(here, int) else here[0]


@dataclass(frozen=True, slots=True)
class Within:
    """A part of a document as a place of its own: paths count from there."""

    document: Document
    prefix: Path

    @property
    def file(self) -> str:
        """The file as the user named it."""
        return self.document.file

    def locate(self, path: Path) -> tuple[int, str]:
        """See `checker.inventory.faults.Place`."""
        return self.document.locate((*self.prefix, *path))


@dataclass(frozen=True, slots=True)
class OnLine:
    """A line of a JSON Lines file: it is the place of everything in it."""

    file: str
    line: int

    def locate(self, path: Path) -> tuple[int, str]:
        """See `checker.inventory.faults.Place`."""
        return self.line, field_name(path)
