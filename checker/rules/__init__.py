"""The catalogue: every rule found by walking this folder; there is no list to keep."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

from checker.rules.base import Rule


@dataclass(frozen=True, slots=True)
class CataloguedRule:
    """A rule with the id that its path gives it."""

    id: str
    rule: Rule

    @property
    def family(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]


@cache
def catalogue() -> tuple[CataloguedRule, ...]:
    """All rules, by id."""
    found = []
    for family in pkgutil.iter_modules(__path__):
        if not family.ispkg:
            continue
        package = importlib.import_module(f"{__name__}.{family.name}")
        for module in pkgutil.iter_modules(package.__path__):
            rule = importlib.import_module(f"{package.__name__}.{module.name}").RULE
            found.append(CataloguedRule(f"{family.name}.{module.name}".replace("_", "-"), rule))
    return tuple(sorted(found, key=lambda entry: entry.id))
