"""Named sets of TCP ports, one data file each; `--ports` and the inventory choose among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field


class _Port(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    port: int = Field(ge=1, le=65535)
    name: str


class _PortFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    title: str
    source: str
    ports: list[_Port]


@dataclass(frozen=True, slots=True)
class PortSet:
    """A named set: its ports in the order in which they are asked, each with its service name."""

    name: str
    title: str
    source: str
    ports: tuple[tuple[int, str], ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The port numbers alone."""
        return tuple(number for number, _ in self.ports)


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
    return PortSet(data.name, data.title, data.source, tuple((row.port, row.name) for row in data.ports))


@cache
def service_name(port: int) -> str | None:
    """The name of a port in any of the sets."""
    for name in port_set_names():
        for number, service in port_set(name).ports:
            if number == port:
                return service
    return None
