"""The catalogue of TLS named groups: what each code point of IANA's registry means. Data, read when first asked.

It judges nothing: which groups are weak is for the rules to say, from the properties that are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

GroupKind: TypeAlias = Literal["curve", "finite-field", "hybrid", "pq"]


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """One group. `strength` is in bits, against an attacker without a quantum computer; `pq` is ML-KEM alone."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    code: int
    name: str
    kind: GroupKind
    strength: int
    post_quantum: bool = False


def read_groups(text: str) -> tuple[NamedGroup, ...]:
    """The groups of a catalogue file, in its order; `ValueError` where it is not valid or has a code or name twice."""
    # Here and not at the top, for they cost more than all the rest, and most of a program's starts meet no TLS.
    import yaml
    from pydantic import TypeAdapter

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser in C, where it is there
    groups = TypeAdapter(tuple[NamedGroup, ...]).validate_python(yaml.load(text, loader)["groups"])  # noqa: S506
    for group in groups:
        if not 0 < group.code <= 0xFFFF:
            message = f"{group.name} has the code {group.code}, which does not fit into two bytes"
            raise ValueError(message)
    if len({group.code for group in groups}) < len(groups) or len({group.name for group in groups}) < len(groups):
        message = "a code or a name comes twice"
        raise ValueError(message)
    return groups


@cache
def named_groups() -> Mapping[int, NamedGroup]:
    """Every group of the catalogue by its code point."""
    text = (files("checker.catalog") / "named_groups.yaml").read_text("utf-8")
    return MappingProxyType({group.code: group for group in read_groups(text)})


def named_group(code: int | None) -> NamedGroup | None:
    """The group with this code point; None where the catalogue has none."""
    return None if code is None else named_groups().get(code)


def group_name(code: int) -> str:
    """The name of a code point, such as `x25519`; its number where the catalogue has none, such as `0x1234`."""
    group = named_groups().get(code)
    return group.name if group is not None else f"0x{code:04X}"
