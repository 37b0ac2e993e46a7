"""What a rule is: pure judgement over observations, with everything that describes it beside it.

A rule is one file, `checker/rules/<family>/<name>.py`, which binds one `Rule` to the name `RULE`. Its path is its id:
`rules/dicom/tls_expected.py` is `dicom.tls-expected`. Nothing else has to be touched to add one.

A rule must never turn missing knowledge into `pass`: where the fact it needs was not observed it answers `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from checker.model import (
    Asset,
    Control,
    Facts,
    JsonValue,
    Observation,
    Service,
    Severity,
    Status,
)
from checker.policy import Policy

F = TypeVar("F", bound=Facts)


class Subject(StrEnum):
    """What one judgement of a rule is about."""

    ASSET = "asset"
    SERVICE = "service"  # one declared service at one address


@dataclass(frozen=True, slots=True)
class Identity:
    """By which implementation a DICOM service was known (PS3.7 annex D.3.3.2), as the run `run_id` saw it.

    One of both may be None, for a peer need not tell its version, and not all tell a valid UID.
    """

    run_id: str
    implementation_class_uid: str | None
    implementation_version: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule may look at.

    For a rule about services, `service` and `address` say which, and `seen` holds the observations of just that service
    at that address; for a rule about assets both are None and `seen` holds every observation of the asset's visit.
    `asset_seen` always holds the whole visit. `sharers` maps a key of `Rule.shares` to the ids of all assets that have
    it. `certificate_notice_days`: so many days before its end a certificate is due, as the inventory says.
    `earlier_identity` is that of the service at this address in the last run before this one that saw one; None where
    no such run is known.
    """

    asset: Asset
    vantage: str
    now: datetime
    policy: Policy
    service: Service | None = None
    address: str | None = None
    seen: tuple[Observation, ...] = ()
    asset_seen: tuple[Observation, ...] = ()
    sharers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    certificate_notice_days: int = 30
    earlier_identity: Identity | None = None

    def facts(self, kind: type[F]) -> list[F]:
        """The facts of one kind in `seen`, in the order observed."""
        return [observation.facts for observation in self.seen if isinstance(observation.facts, kind)]

    def observations(self, kind: type[Facts]) -> tuple[str, ...]:
        """The ids of the observations of one kind in `seen`."""
        return tuple(observation.id for observation in self.seen if isinstance(observation.facts, kind))

    def the_service(self) -> Service:
        """The service of a rule about services."""
        if self.service is None:
            message = "a rule about services was asked about an asset"
            raise LookupError(message)
        return self.service


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule concludes of one case: `summary` is one plain sentence; `severity` replaces the rule's base.

    `observations` names those that the verdict rests on; where empty, all of the case are meant.
    """

    status: Status
    summary: str
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    severity: Severity | None = None
    observations: tuple[str, ...] = ()


def passed(summary: str, **evidence: JsonValue) -> Verdict:
    """The requirement was seen to hold."""
    return Verdict(Status.PASS, summary, evidence)


def failed(summary: str, *, severity: Severity | None = None, **evidence: JsonValue) -> Verdict:
    """The requirement was seen to be broken."""
    return Verdict(Status.FAIL, summary, evidence, severity)


def unknown(summary: str, **evidence: JsonValue) -> Verdict:
    """What was observed does not decide."""
    return Verdict(Status.UNKNOWN, summary, evidence)


def not_applicable(summary: str, **evidence: JsonValue) -> Verdict:
    """The requirement does not concern this case."""
    return Verdict(Status.NOT_APPLICABLE, summary, evidence)


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: this case, judged by its rule, gives this status (and this severity, where given)."""

    name: str
    case: Case
    expect: Status
    severity: Severity | None = None


def _any_service(_service: Service) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, whole.

    `applies` (rules about services) tells which services it judges; an asset with none of them gets one
    `not_applicable`. `shares` makes a rule look across the fleet: it gives the keys that two assets should not have in
    common, and `judge` finds in `Case.sharers` who has them. `rises` is False where the vantage is already part of the
    severity. `meaning` and `remedy` are plain text, paragraphs parted by empty lines.
    """

    title: str
    severity: Severity
    subject: Subject
    meaning: str
    remedy: str
    judge: Callable[[Case], Verdict]
    examples: Sequence[Example]
    controls: tuple[Control, ...] = ()
    applies: Callable[[Service], bool] = _any_service
    shares: Callable[[Case], Sequence[str]] | None = None
    rises: bool = True
    version: int = 1
