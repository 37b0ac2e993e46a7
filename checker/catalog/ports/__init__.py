"""Named sets of ports, one data file each; `--ports` and the inventory choose among them, and may join several.

A set is data: ports in the order in which they are asked, what each is called, where that is written, and, where it is
known, what a port speaks. Only a port whose line says so is asked what it is, once it is open and nobody declared it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

Transport: TypeAlias = Literal["tcp", "udp"]
Speaks: TypeAlias = Literal["dicom", "http", "tls"]
"""In which protocol an open port is asked what it is."""

Choice: TypeAlias = str | tuple[int | str, ...]
"""Which ports: the name of a set, or several of: names of sets, TCP ports as numbers, `dicom/<port>`, `http/<port>` and
`tls/<port>` for TCP ports of which it is known what they speak, and `udp/<port>`."""

_TOP_PORT = 65535


class _Port(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    port: int | str
    name: str
    speaks: Speaks | None = None

    @field_validator("port")
    @classmethod
    def _a_port(cls, value: int | str) -> int | str:
        if isinstance(value, str) and not value.startswith("udp/"):
            message = "a port of a set is a number or udp/<port>"
            raise ValueError(message)
        _line(value)
        return value


class _PortFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    title: str
    source: str = Field(min_length=1)
    ports: list[_Port]


@dataclass(frozen=True, slots=True)
class PortLine:
    """One port of a set: its number, its transport, its service name (None where none is known), what it speaks."""

    number: int
    name: str | None = None
    transport: Transport = "tcp"
    speaks: Speaks | None = None


@dataclass(frozen=True, slots=True)
class PortSet:
    """A named set: its lines in the order in which they are asked. `source` says where the ports are written down."""

    name: str
    title: str
    source: str
    lines: tuple[PortLine, ...]

    @property
    def ports(self) -> tuple[tuple[int, str], ...]:
        """The TCP ports, each with its service name."""
        return tuple((line.number, line.name or "") for line in self.lines if line.transport == "tcp")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the TCP ports."""
        return tuple(line.number for line in self.lines if line.transport == "tcp")

    @property
    def udp(self) -> tuple[int, ...]:
        """The numbers of the UDP ports."""
        return tuple(line.number for line in self.lines if line.transport == "udp")


@cache
def port_set_names() -> tuple[str, ...]:
    """The names of all sets, sorted."""
    return tuple(sorted(entry.name[:-5] for entry in files(__name__).iterdir() if entry.name.endswith(".yaml")))


@cache
def port_set(name: str) -> PortSet:
    """A set by its name. Raises KeyError where there is none."""
    import yaml

    if name not in port_set_names():
        raise KeyError(name)
    data = _PortFile.model_validate(yaml.safe_load((files(__name__) / f"{name}.yaml").read_text("utf-8")))
    lines = (_line(row.port, row.name, row.speaks) for row in data.ports)
    return PortSet(data.name, data.title, data.source, tuple(lines))


def tcp_ports(choice: Choice) -> tuple[int, ...]:
    """The TCP ports of a choice, each once, in the order of asking. Raises KeyError for an unknown set."""
    return tuple(dict.fromkeys(line.number for line in _lines(choice) if line.transport == "tcp"))


def udp_ports(choice: Choice) -> tuple[int, ...]:
    """The UDP ports of a choice, each once, in the order of asking. Raises KeyError for an unknown set."""
    return tuple(dict.fromkeys(line.number for line in _lines(choice) if line.transport == "udp"))


def spoken_ports(choice: Choice) -> Mapping[int, Speaks]:
    """In which protocol TCP ports of a choice are asked what they are, as the choice says or else any of the sets.

    Raises KeyError for an unknown set.
    """
    found: dict[int, Speaks] = {}
    for line in _lines(choice):
        language = line.speaks or speaks(line.number)
        if line.transport == "tcp" and language is not None:
            found.setdefault(line.number, language)
    return found


def is_choice(part: object) -> bool:
    """Whether this is a part of a choice: the name of a set, the number of a TCP port, or one as `Choice` has them."""
    if isinstance(part, str) and part in port_set_names():
        return True
    if isinstance(part, bool) or not isinstance(part, int | str):
        return False
    try:
        _line(part)
    except ValueError:
        return False
    return True


@cache
def service_name(port: int, transport: Transport = "tcp") -> str | None:
    """The name of a port in any of the sets."""
    return next((line.name for line in _known() if (line.number, line.transport) == (port, transport)), None)


@cache
def speaks(port: int) -> Speaks | None:
    """In which protocol a TCP port is to be asked what it is, as any of the sets says; None where it is not asked."""
    return next((line.speaks for line in _known() if line.number == port and line.speaks is not None), None)


def _known() -> Iterator[PortLine]:
    for name in port_set_names():
        yield from port_set(name).lines


def _lines(choice: Choice) -> Iterator[PortLine]:
    for part in (choice,) if isinstance(choice, str) else choice:
        if isinstance(part, str) and "/" not in part:
            yield from port_set(part).lines
        else:
            yield _line(part)


def _line(written: int | str, name: str | None = None, speaking: Speaks | None = None) -> PortLine:
    """A port as it is written: a number, or a word and a number as `Choice` has them. ValueError for anything else."""
    transport: Transport = "tcp"
    if isinstance(written, str):
        kind, _, digits = written.partition("/")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 5 or digits.startswith("0"):
            message = f"{written!r} names no port"
            raise ValueError(message)
        written = int(digits)
        match kind:
            case "udp":
                transport = "udp"
            case "dicom" | "http" | "tls":
                speaking = kind
            case _:
                message = f"{kind!r} is no way to say what a port is"
                raise ValueError(message)
    if not 1 <= written <= _TOP_PORT:
        message = f"a port is 1 to {_TOP_PORT}"
        raise ValueError(message)
    if transport == "udp" and speaking is not None:
        message = "what a UDP port is asked is not said by speaks"
        raise ValueError(message)
    return PortLine(written, name, transport, speaking)
