"""YAML to plain values, from the events of the parser: no objects, no recursion, no guesses.

Plain scalars mean what the core schema of YAML 1.2 (10.3) says, in decimal notation only. So `NO`, `22:30`, `1_000`,
`0104` and dates stay text. Merge keys and tags are not part of the format.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

import yaml

from checker.inventory.documents import (
    DEEPEST,
    DUPLICATE_KEY,
    LONGEST_TEXT,
    MOST_DIGITS,
    MOST_KEYS,
    MOST_VALUES,
    TOO_DEEP,
    TOO_LONG,
    TOO_MANY_KEYS,
    TOO_MANY_VALUES,
    Document,
    Lines,
)
from checker.inventory.faults import FaultList, Path, field_name
from checker.inventory.sources import Unreadable

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_STARTS_NUMBER = frozenset("+-.0123456789")
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_LIST_TAGS = (None, "!", "tag:yaml.org,2002:seq")
_MAPPING_TAGS = (None, "!", "tag:yaml.org,2002:map")

Scalar: TypeAlias = "bool | int | float | str | None"


class _Container:
    """A list or mapping that is being read. `start` counts the values read before it; `value` is what it becomes."""

    __slots__ = ("anchor", "key", "key_line", "line", "lines", "marks", "start", "value")

    def __init__(self, value: dict[str, object] | list[object], line: int, anchor: str | None, start: int) -> None:
        self.value = value
        self.lines: dict[str, Lines] | list[Lines] = {} if isinstance(value, dict) else []
        self.marks: tuple[int, dict[str, Lines] | list[Lines]] = (line, self.lines)
        self.line = line
        self.anchor = anchor
        self.start = start
        self.key: str | None = None
        self.key_line = line


class _Builder:
    """Plain values from events, with the line of each, within the limits of a document."""

    def __init__(self, file: str, faults: FaultList) -> None:
        self._file = file
        self._faults = faults
        self._open: list[_Container] = []
        # Per anchor: its value, its lines, how many values it stands for; None while it is being read.
        self._anchors: dict[str, tuple[object, Lines, int] | None] = {}
        self._keys: dict[str, str] = {}
        self._values = 0
        self._documents = 0
        self.root: object = None
        self.lines: Lines = 1

    def feed(self, event: yaml.Event) -> None:
        """Take the next event. Raises Unreadable at what no inventory holds."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._start({}, event, _MAPPING_TAGS)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._start([], event, _LIST_TAGS)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Unreadable("expected one YAML document in a file", _line(event))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = _line(event)
        if event.tag not in _TEXT_TAGS:
            raise Unreadable("expected values without YAML tags", line)
        text: str = event.value
        # An alias is as quick to write as it is slow to check, were the text that it stands for very long.
        if len(text) > LONGEST_TEXT:
            raise Unreadable(TOO_LONG, line)
        top = self._open[-1] if self._open else None
        if top is not None and top.key is None and isinstance(top.value, dict):
            if event.anchor:
                raise Unreadable("expected keys without YAML anchors", line)
            top.key, top.key_line = self._keys.setdefault(text, text), line
            return
        value = resolve(text) if event.implicit[0] and event.tag is None else text
        self._put(value, line, 1)
        if event.anchor:
            self._anchors[event.anchor] = (value, line, 1)

    def _start(
        self,
        value: dict[str, object] | list[object],
        event: yaml.MappingStartEvent | yaml.SequenceStartEvent,
        tags: tuple[str | None, ...],
    ) -> None:
        line = _line(event)
        if event.tag not in tags:
            raise Unreadable("expected values without YAML tags", line)
        if len(self._open) >= DEEPEST:
            raise Unreadable(TOO_DEEP, line)
        self._refuse_as_key(line)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Container(value, line, event.anchor, self._values))

    def _end(self) -> None:
        done = self._open.pop()
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.marks, self._values - done.start + 1)
        self._put(done.value, done.marks, 1)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line = _line(event)
        self._refuse_as_key(line)
        if event.anchor not in self._anchors:
            raise Unreadable("expected an alias of an anchor that stands before it", line)
        known = self._anchors[event.anchor]
        if known is None:
            raise Unreadable("expected an alias of something other than what holds it", line)
        self._put(known[0], known[1], known[2])

    def _put(self, value: object, lines: Lines, size: int) -> None:
        self._values += size
        line = lines if isinstance(lines, int) else lines[0]
        if self._values > MOST_VALUES:
            raise Unreadable(TOO_MANY_VALUES, line)
        if not self._open:
            self.root, self.lines = value, lines
            return
        top = self._open[-1]
        if isinstance(top.value, list) and isinstance(top.lines, list):
            top.value.append(value)
            top.lines.append(lines)
        elif isinstance(top.value, dict) and isinstance(top.lines, dict) and top.key is not None:
            key, top.key = top.key, None
            if key in top.value:
                self._faults.add_at(self._file, top.key_line, field_name((*self._path(), key)), value, DUPLICATE_KEY)
                return
            if len(top.value) >= MOST_KEYS:
                raise Unreadable(TOO_MANY_KEYS, top.key_line)
            top.value[key] = value
            top.lines[key] = top.key_line if isinstance(lines, int) else (top.key_line, lines[1])

    def _refuse_as_key(self, line: int) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and top.key is None and isinstance(top.value, dict):
            raise Unreadable("expected plain text as a key", line)

    def _path(self) -> Path:
        return tuple(
            len(container.value) if isinstance(container.value, list) else str(container.key)
            for container in self._open[:-1]
        )


def read_yaml(file: str, text: str, faults: FaultList) -> Document:
    """The document in a text; duplicate keys become faults. Raises Unreadable where it is not YAML as we read it."""
    builder = _Builder(file, faults)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(f"expected YAML: {error.problem or error.context}", mark.line + 1 if mark else 0) from None
    except yaml.YAMLError:
        raise Unreadable("expected YAML") from None
    lines = builder.lines
    return Document(file, builder.root, lambda: lines)


def resolve(text: str) -> Scalar:
    """What a plain scalar means."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _STARTS_NUMBER:
        return text
    if len(text) <= MOST_DIGITS and _INTEGER.fullmatch(text):
        return int(text)
    if text[-1:].isdigit() and len(text) <= 40 and ("." in text or "e" in text.lower()) and _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 0
