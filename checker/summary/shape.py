"""The shape of `run.json`, key for key. Keys are only added within a `SCHEMA_VERSION`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from checker.introduction import Introduction
from checker.model import Severity
from checker.summary.reach import ReachSummary

SCHEMA_VERSION = 1
"""Of `run.json` and of findings."""


@dataclass(frozen=True, slots=True)
class InventoryRef:
    """Which inventory was checked: its files as the user named them, and the SHA-256 over all their bytes."""

    files: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class AssetCounts:
    """How many assets; listed = visited + refused_by_scope + not_visited, and visited = answered + unreachable."""

    listed: int = 0
    visited: int = 0
    answered: int = 0
    unreachable: int = 0
    refused_by_scope: int = 0
    not_visited: int = 0


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """How many findings by status; of the failing ones by severity, and how many of those a waiver covers.

    Every status and every severity is a key, also where it counts none.
    """

    by_status: Mapping[str, int]
    by_severity: Mapping[str, int]
    waived: int = 0


@dataclass(frozen=True, slots=True)
class DriftCounts:
    """How many findings changed, or did not, since the baseline."""

    new: int = 0
    resolved: int = 0
    reopened: int = 0
    persisting: int = 0


@dataclass(frozen=True, slots=True)
class ServiceCounts:
    """How many declared services of the listed assets, and how many of them answered as what they are."""

    declared: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """Which rules were judged, as globs over their ids; both empty where all were."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as `run.json` holds it, key for key.

    `duration_s` is of the visits, in seconds; `coverage` is 0 to 1, see `Tally.coverage`. `judged_at` is the moment
    that expiry and validity were judged against. `judged_from` names the run whose observations these are, where this
    run made none of its own; `baseline` the run that `drift` is against. `interrupted` is the signal that ended the
    visits early; `errors` are visits that a bug of this product broke off; `notices` what a reader should know beside;
    `exposure` who could reach what, against policy.
    """

    run_id: str
    schema_version: int
    tool_version: str
    inventory: InventoryRef
    vantage: str
    started_at: datetime
    ended_at: datetime
    duration_s: float
    assets: AssetCounts
    connections: int
    bytes_sent: int
    bytes_received: int
    findings: FindingCounts
    open_archives: tuple[str, ...]
    coverage: float
    drift: DriftCounts
    exit_code: int
    reasons: tuple[str, ...]
    services: ServiceCounts
    fail_on: Severity
    fail_on_new: bool
    rules: RuleChoice
    introduction: Introduction
    judged_at: datetime
    judged_from: str | None = None
    baseline: str | None = None
    interrupted: str | None = None
    errors: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    exposure: ReachSummary = field(default_factory=ReachSummary)
