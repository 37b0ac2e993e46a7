"""JSON to plain values. The lines of its parts are found by walking the text again, once a fault asks for them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TypeAlias

from checker.inventory.documents import (
    DEEPEST,
    DUPLICATE_KEY,
    MOST_DIGITS,
    MOST_KEYS,
    MOST_VALUES,
    TOO_DEEP,
    TOO_MANY_KEYS,
    TOO_MANY_VALUES,
    Document,
    Lines,
)
from checker.inventory.faults import ABSENT, FaultList, Path, field_name
from checker.inventory.sources import Unreadable

# The text has been parsed before it is cut with this, so each piece is what it looks like.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|[^\s,:\[\]{}"]+', re.DOTALL)

Duplicates: TypeAlias = "list[tuple[int, Path]]"


class JsonReader:
    """Reads one text after another. `duplicates` are the keys that stood twice in a mapping of the last one."""

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._mapping, parse_int=_integer, parse_constant=_refuse_constant
        )

    def read(self, text: str) -> object:
        """The value that a text holds. Raises Unreadable, with the line where it is no JSON as we read it."""
        self.duplicates = []
        brackets = text.count("[") + text.count("{")
        # What starts as no container is a single value or an error, which the decoder finds at once.
        if text.count(",") + brackets > MOST_VALUES and text.lstrip()[:1] in ("{", "["):
            raise Unreadable(TOO_MANY_VALUES)
        try:
            value: object = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            raise Unreadable(f"expected JSON: {error.msg.lower()} at column {error.colno}", error.lineno) from None
        except RecursionError:
            raise Unreadable(TOO_DEEP) from None
        if brackets > DEEPEST:
            _refuse_deep(value)
        return value

    def _mapping(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(pairs) > MOST_KEYS:
            raise Unreadable(TOO_MANY_KEYS)
        value = dict(pairs)
        if len(value) != len(pairs):
            self.duplicates += [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        return value


def read_json(file: str, text: str, faults: FaultList) -> Document:
    """The document in a text; duplicate keys become faults. Raises Unreadable where it is no JSON as we read it."""
    reader = JsonReader()
    value = reader.read(text)
    if reader.duplicates:
        for line, path in _walk(text)[1]:
            faults.add_at(file, line, field_name(path), ABSENT, DUPLICATE_KEY)
    return Document(file, value, lambda: _walk(text)[0])


def _integer(text: str) -> int | str:
    # No number of an inventory is that long; as text it is a fault of its field.
    return int(text) if len(text) <= MOST_DIGITS else text


def _refuse_constant(name: str) -> object:
    raise Unreadable(f"expected JSON, which has no {name}")


def _refuse_deep(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            entry
            for container in level
            if isinstance(container, dict | list)
            for entry in (container.values() if isinstance(container, dict) else container)
            if isinstance(entry, dict | list)
        ]
        if not level:
            return
    raise Unreadable(TOO_DEEP)


class _Open:
    """A list or mapping whose end has not come yet."""

    __slots__ = ("entries", "key", "line", "path")

    def __init__(self, entries: dict[str, Lines] | list[Lines], line: int, path: Path) -> None:
        self.entries = entries
        self.line = line
        self.path = path
        self.key: str | None = None

    @property
    def here(self) -> Path:
        """The path of the entry that comes next or is being read."""
        return (*self.path, len(self.entries) if self.key is None else self.key)


def _walk(text: str) -> tuple[Lines, Duplicates]:
    """The lines of every part of a text that is valid JSON, and where a key stands in its mapping again."""
    duplicates: Duplicates = []
    opened: list[_Open] = []
    root: Lines = 1
    line, counted = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", counted, token.start())
        counted = token.start()
        piece = token[0]
        top = opened[-1] if opened else None
        lines: Lines
        if piece in ("{", "["):
            opened.append(_Open({} if piece == "{" else [], line, () if top is None else top.here))
            continue
        if piece in ("}", "]"):
            done = opened.pop()
            lines = (done.line, done.entries)
            top = opened[-1] if opened else None
        elif top is not None and isinstance(top.entries, dict) and top.key is None:
            top.key = str(json.loads(piece))
            if top.key in top.entries:
                duplicates.append((line, top.here))
            continue
        else:
            lines = line
        if top is None:
            root = lines
        elif isinstance(top.entries, list):
            top.entries.append(lines)
        elif top.key is not None:
            top.entries[top.key] = lines
            top.key = None
    return root, duplicates
