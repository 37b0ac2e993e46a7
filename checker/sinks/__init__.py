"""Output formats, found by walking this folder; there is no list to keep. They know findings and nothing of probes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from checker.errors import UsageError
from checker.sinks.base import Sink

_NO_SINKS = frozenset({"base"})


@cache
def sinks() -> dict[str, Sink]:
    """All sinks by name, sorted."""
    return {
        module.name.replace("_", "-"): importlib.import_module(f"{__name__}.{module.name}").SINK
        for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
        if module.name not in _NO_SINKS
    }


def chosen_sinks(names: Iterable[str] = ()) -> dict[str, Sink]:
    """The usual sinks and those named, by name. Raises UsageError for a name that no sink has."""
    wanted = frozenset(names)
    unknown = sorted(wanted - sinks().keys())
    if unknown:
        raise UsageError(f"--format {unknown[0]}: no format has that name; known are {', '.join(sinks())}")
    return {name: sink for name, sink in sinks().items() if sink.usual or name in wanted}
