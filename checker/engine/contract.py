"""What the engine takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from checker.model import Depth, Observation, Totals


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a run is to be made.

    `ports` is a named set, a list (see `checker.catalog.ports.Choice`), or None for what the inventory says; `rate` in
    connections a second for the whole run, None for the product's own bound; `concurrency` is the number of assets
    visited at once; `depth` that of TLS for all of them, None for what the inventory says of each.
    """

    vantage: str = "local"
    ports: str | tuple[int | str, ...] | None = None
    rate: float | None = None
    concurrency: int = 500
    depth: Depth | None = None


@dataclass(frozen=True, slots=True)
class EngineEnd:
    """How a run ended: the signal that interrupted it, what it has cost, and visits that a bug of ours broke off."""

    interrupted: str | None
    totals: Totals
    errors: tuple[str, ...] = ()


class Recorder(Protocol):
    """Where observations and ledger lines go. Called from the event loop, except `sync`, which runs in a thread."""

    def observation(self, observation: Observation) -> None:
        """Append an observation at once."""

    def ledger(self, line: bytes) -> None:
        """Append one ledger line, whole, so that it survives a kill of the process."""

    def sync(self) -> None:
        """Bring everything appended so far to disk."""
