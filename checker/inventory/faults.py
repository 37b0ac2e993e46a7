"""Collecting faults: where each is, what was found there, and what is expected, in plain words.

A value is shown shortened, escaped, and without the user name and password of a URL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, Protocol, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from checker.errors import Fault
from checker.inventory.schema import SERVICE_MODELS, Strict, keys_at

Path: TypeAlias = tuple[str | int, ...]
MOST_FAULTS: Final = 1000
LONGEST_VALUE: Final = 60
AND_SO_ON: Final = "…"

# Comparing takes some microseconds a word, which adds up where every fault has thousands to be compared with.
_MOST_COMPARED = 500
_URL_CREDENTIALS = re.compile(r"(?<=//)[^/?#\s]*@")


class Absent:
    """Stands for a value that is not there."""


ABSENT: Final = Absent()


class TooManyFaults(Exception):  # noqa: N818 - it ends the reading, and is no error of its own
    """The list is full; there is no point in reading on."""


class Place(Protocol):
    """Something in a file that can tell where its parts are."""

    @property
    def file(self) -> str:
        """The file as the user named it."""

    def locate(self, path: Path) -> tuple[int, str]:
        """The line (from 1) and the name of the field at a path, or of the nearest part around it that exists."""


class FaultList:
    """All faults of one load, at most `MOST_FAULTS` of them and then a last one that says so."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, place: Place, path: Path, value: object, expected: str) -> None:
        """A fault of the part at `path`. Raises TooManyFaults where the list is full."""
        line, field = place.locate(path)
        self.add_at(place.file, line, field, value, expected)

    def add_at(self, file: str, line: int, field: str, value: object, expected: str) -> None:
        """A fault at a known place; line 0 means the whole file. Raises TooManyFaults where the list is full."""
        if len(self.faults) >= MOST_FAULTS:
            # Sorted by file, line and field this one comes last, as far as reading came.
            last = max(self.faults, key=lambda fault: (fault.file, fault.line))
            text = f"the first {MOST_FAULTS} faults are listed, and more were left out"
            self.faults.append(Fault(last.file, last.line, AND_SO_ON, "", text))
            raise TooManyFaults
        self.faults.append(Fault(file, line, shown(field, 200), shown(value), expected))

    def add_pydantic(self, place: Place, model: type[Strict], raw: object, error: ValidationError) -> list[Path]:
        """All faults that a model found in `raw`; returns their paths."""
        paths = []
        for details in error.errors(include_url=False, include_input=False):
            path, value = _walk(raw, details)
            if details["type"] in _KIND_ERRORS:
                path, value = _kind(path, value)
            self.add(place, path, value, _expected(details, model, value))
            paths.append(path)
        return paths


def field_name(path: Path) -> str:
    """`assets[3].services[0].port` for its path."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def shown(value: object, longest: int = LONGEST_VALUE) -> str:
    """A value for printing: one line of at most `longest` printable characters."""
    if isinstance(value, Absent):
        return ""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"a mapping of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = _URL_CREDENTIALS.sub("***@", value) if isinstance(value, str) else str(value)
    if not text and isinstance(value, str) and longest == LONGEST_VALUE:
        return '""'
    # Cut before escaping, so that megabytes are not escaped for sixty characters, and after, to keep the promise.
    escaped = "".join(_visible(character) for character in text[: longest + 1])
    return escaped if len(escaped) <= longest else escaped[: longest - 1] + "…"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?` where a known word is close, else nothing."""
    if len(known) > _MOST_COMPARED:
        return ""
    close = get_close_matches(word[:LONGEST_VALUE].lower(), known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _walk(raw: object, details: ErrorDetails) -> tuple[Path, object]:
    path: list[str | int] = []
    here: object = raw
    loc = details["loc"]
    for at, part in enumerate(loc):
        if at == 2 and loc[0] == "services":
            continue  # the tag of the union of services, which is no key
        if isinstance(here, dict):
            path.append(part)
            here = here.get(part, ABSENT)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
        else:
            break
    return tuple(path), here


def _kind(path: Path, value: object) -> tuple[Path, object]:
    return (*path, "kind"), value.get("kind", ABSENT) if isinstance(value, dict) else ABSENT


_KIND_ERRORS = {"union_tag_invalid", "union_tag_not_found"}
_PHRASES = {
    "missing": "expected this key, which is missing",
    "union_tag_not_found": "expected this key, which is missing",
    "list_type": "expected a list",
    "model_type": "expected a mapping",
    "dict_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "string_type": "expected text",
    "recursion_loop": "expected a value that does not hold itself",
}


def _expected(details: ErrorDetails, model: type[Strict], value: object) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "expected":
            return str(context["expected"])
        case "extra_forbidden":
            return "expected no such key" + did_you_mean(str(details["loc"][-1]), keys_at(model, details["loc"][:-1]))
        case "enum" | "literal_error":
            choices = re.findall(r"'([^']*)'", str(context["expected"]))
            return _one_of(choices, value)
        case "union_tag_invalid":
            return _one_of(list(SERVICE_MODELS), value)
        case "too_long":
            return f"expected at most {context['max_length']} entries"
        case other:
            return _PHRASES.get(other, "expected another value")


def _one_of(choices: Sequence[str], value: object) -> str:
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    return f"expected one of {', '.join(choices)}{hint}"
