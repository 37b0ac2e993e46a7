"""Values of `checker.model` to JSON bytes and back; every file of a run is written and read by what is here.

Pure: it opens no file. Times are RFC 3339 in UTC with milliseconds and `Z`; finer parts of a second are cut off, so
what is read back equals what was written to the millisecond. An error never quotes the text that could not be read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Annotated, TypeVar

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from checker.errors import UsageError
from checker.model import Facts, Inventory, Observation, Service

T = TypeVar("T")

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME
_PLACES_SHOWN = 3
# What Pydantic says of these quotes what it was given.
_WITHOUT_INPUT = {
    "json_invalid": "expected one whole JSON object",
    "union_tag_invalid": "expected a kind of facts that is known",
}


class BrokenRecord(UsageError):  # noqa: N818 - a record that is broken is what it is
    """A stored record that cannot be read; the message has file and line, and what is wrong there. Exit code 2."""


@dataclass(frozen=True, slots=True)
class StoredInventory:
    """What `inventory.json` holds: the normalised inventory that a run was judged by, whole.

    `listed` are the ids of the assets that the run was about, None for all. `visited_services` are the services of
    those assets that were declared otherwise when they were visited: their observations count by these.
    """

    inventory: Inventory
    listed: tuple[str, ...] | None = None
    visited_services: Mapping[str, tuple[Service, ...]] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------------------- writing


def moment(instant: datetime) -> str:
    """An instant as RFC 3339 in UTC, such as `2026-11-24T04:20:30.123Z`. Raises ValueError for one without a zone."""
    if instant.tzinfo is None:
        message = "a time without a zone means no instant"
        raise ValueError(message)
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(value: object) -> bytes:
    """Compact JSON. Raises TypeError for what JSON cannot say; a lone surrogate is written as `\\udcXX` in letters."""
    return _dumps(value, _OPTIONS)


def line(value: object) -> bytes:
    """Compact JSON with a newline behind it."""
    return _dumps(value, _OPTIONS | orjson.OPT_APPEND_NEWLINE)


def pretty(value: object) -> bytes:
    """JSON for people, indented by two, with a newline behind it."""
    return _dumps(value, _OPTIONS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _dumps(value: object, options: int) -> bytes:
    try:
        return orjson.dumps(value, default=_default, option=options)
    except orjson.JSONEncodeError:
        # Only text that is no Unicode, such as the bytes of a file's name, can be helped; all else is raised again.
        return orjson.dumps(_spelled(value), default=_default, option=options)


def _default(value: object) -> object:
    match value:
        case datetime():
            return moment(value)
        case date() | time():
            return value.isoformat()
        case Mapping():
            return dict(value)
        case _:
            message = f"{type(value).__name__} has no form in JSON"
            raise TypeError(message)


def _spelled(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_spelled(key): _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: _spelled(getattr(value, part.name)) for part in dataclasses.fields(value)}
    return value


# ------------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class _ObservationLine:
    """An `Observation` whose kind of facts is told by their `type` and by nothing else."""

    id: str
    asset_id: str
    vantage: str
    observed_at: datetime
    address: str
    port: int
    service: int | None
    facts: Annotated[Facts, Field(discriminator="type")]


def read(adapter: TypeAdapter[T], text: bytes, where: str) -> T:
    """A value of the adapter's shape, read strictly; keys that it does not know are left out. Raises BrokenRecord.

    `where` is the file, with its line where it has lines, as the user would look it up.
    """
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise BrokenRecord(f"{where}: {_told(error)}") from None


def read_inventory(text: bytes, where: str) -> StoredInventory:
    """What `inventory.json` of a run holds. Raises BrokenRecord."""
    return read(TypeAdapter(StoredInventory), text, where)


@cache
def _observation_lines() -> TypeAdapter[_ObservationLine]:
    return TypeAdapter(_ObservationLine)


def read_observation(text: bytes, where: str) -> Observation:
    """An observation from one line of `observations.jsonl`. Raises BrokenRecord."""
    found = read(_observation_lines(), text, where)
    return Observation(
        found.id,
        found.asset_id,
        found.vantage,
        found.observed_at,
        found.address,
        found.port,
        found.service,
        found.facts,
    )


def read_text_of(text: bytes, key: str, where: str) -> str:
    """The text under one key of a line, without reading the rest into values. Raises BrokenRecord."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BrokenRecord(f"{where}: expected one whole JSON object") from None
    if not isinstance(found, dict) or not isinstance(found.get(key), str):
        raise BrokenRecord(f"{where}: expected a JSON object with a text under {key!r}")
    text_found: str = found[key]
    return text_found


def _told(error: ValidationError) -> str:
    # Neither the input nor Pydantic's context: a stored line may quote a device.
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    shown = []
    for fault in faults[:_PLACES_SHOWN]:
        told = _WITHOUT_INPUT.get(fault["type"], fault["msg"])
        shown.append(f"{'.'.join(str(part) for part in fault['loc'])}: {told}" if fault["loc"] else told)
    more = len(faults) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
