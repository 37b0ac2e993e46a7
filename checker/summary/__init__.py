"""Pure: what a run amounts to: its counts, its coverage, its exit code with every reason."""

from __future__ import annotations

from checker.summary.exit_code import CLEAN, FAILING, INCOMPLETE, UNDELIVERED, Outcome, exit_code
from checker.summary.reach import Judged, PortReach, ReachSummary, ReachTally
from checker.summary.shape import (
    SCHEMA_VERSION,
    AssetCounts,
    DriftCounts,
    FindingCounts,
    InventoryRef,
    RuleChoice,
    RunSummary,
    ServiceCounts,
)
from checker.summary.tally import OPEN_ARCHIVE, Tally

__all__ = [
    "RunSummary",
    "InventoryRef",
    "AssetCounts",
    "ServiceCounts",
    "FindingCounts",
    "DriftCounts",
    "RuleChoice",
    "SCHEMA_VERSION",
    "Tally",
    "OPEN_ARCHIVE",
    "Judged",
    "PortReach",
    "ReachSummary",
    "ReachTally",
    "Outcome",
    "exit_code",
    "CLEAN",
    "FAILING",
    "INCOMPLETE",
    "UNDELIVERED",
]
