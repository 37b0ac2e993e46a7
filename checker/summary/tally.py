"""Pure: counting a run, one asset at a time.

It keeps counts and the ids of open archives, never findings or observations, so its memory does not grow with what was
observed.
"""

from __future__ import annotations

from collections.abc import Sequence

from checker.model import (
    Asset,
    AssociationOutcome,
    AssociationPurpose,
    ConnectState,
    DicomFacts,
    Drift,
    Facts,
    Finding,
    HttpEnd,
    HttpFacts,
    NameFacts,
    Observation,
    PortFacts,
    Service,
    Severity,
    Status,
    VisitFacts,
)
from checker.rules.sweep import answers, came_from
from checker.summary.exit_code import Outcome
from checker.summary.shape import AssetCounts, DriftCounts, FindingCounts, ServiceCounts

OPEN_ARCHIVE = "archive.open"

_TRANSIENT = 2  # PS3.8 9.3.4: the result rejected-transient
_TOO_MANY_REQUESTS, _SERVER_ERRORS = 429, 500  # RFC 6585 section 4, RFC 9110 section 15.6


class Tally:
    """Counts a run, one asset at a time, in memory that does not grow but by the ids of open archives."""

    def __init__(self) -> None:
        self._assets = dict.fromkeys(("visited", "answered", "unreachable", "refused_by_scope", "not_visited"), 0)
        self._services = self._services_answered = self._silent = self._unasked = self._partly_refused = 0
        self._units = self._units_answered = 0
        self.passive = 0
        """How many assets were not visited because the inventory declares them passive."""
        self._status = dict.fromkeys(Status, 0)
        self._severity = dict.fromkeys(Severity, 0)
        self._standing = dict.fromkeys(Severity, 0)
        self._standing_new = dict.fromkeys(Severity, 0)
        self._drift = dict.fromkeys(Drift, 0)
        self._waived = 0
        self._listed = 0
        self._with_gaps = 0
        self._open_archives: list[str] = []

    def add(self, asset: Asset, observations: Sequence[Observation], findings: Sequence[Finding]) -> None:
        """Count one listed asset with all that was observed and found of it; each asset once."""
        self._listed += 1
        self._add_visit(asset, observations)
        for finding in findings:
            self._add_finding(finding)

    def _add_visit(self, asset: Asset, observations: Sequence[Observation]) -> None:
        answered = any(came_from(asset, item) for item in observations)
        visits = [item.facts for item in observations if isinstance(item.facts, VisitFacts)]
        if answered:
            state = "answered"
        elif any(visit.refused_by_scope and visit.not_visited is not None for visit in visits):
            state = "refused_by_scope"
        elif any(visit.not_visited is not None for visit in visits) or not _was_asked(observations):
            state = "not_visited"
        else:
            state = "unreachable"
        self._assets[state] += 1
        self.passive += state == "not_visited" and asset.manners.passive
        if state in ("answered", "unreachable"):
            self._assets["visited"] += 1
            self._with_gaps += any(visit.gaps for visit in visits)
            self._partly_refused += any(visit.refused_by_scope for visit in visits)
        declared = dict(enumerate(asset.services))
        its_own = [(declared[item.service], item) for item in observations if item.service in declared]
        answering = {item.service for service, item in its_own if _answered_as(service, item.facts)}
        services = len(answering)
        self._services += len(asset.services)
        self._services_answered += services
        if answered:
            self._silent += len(asset.services) - services
            self._unasked += len({item.service for _, item in its_own if _was_left_out(item.facts)} & answering)
        self._units += len(asset.services) or 1
        self._units_answered += services if asset.services else answered

    def _add_finding(self, finding: Finding) -> None:
        self._status[finding.status] += 1
        if finding.drift is not None:
            self._drift[finding.drift] += 1
        if finding.status is not Status.FAIL:
            return
        self._severity[finding.severity] += 1
        if finding.rule.id == OPEN_ARCHIVE:
            self._open_archives.append(finding.asset.id)
        if finding.waiver is not None:
            self._waived += 1
            return
        self._standing[finding.severity] += 1
        if finding.drift in (Drift.NEW, Drift.REOPENED):
            self._standing_new[finding.severity] += 1

    @property
    def assets(self) -> AssetCounts:
        """The assets, by what became of their visit."""
        return AssetCounts(listed=self._listed, **self._assets)

    @property
    def services(self) -> ServiceCounts:
        """The declared services of all listed assets, and how many of them answered."""
        return ServiceCounts(self._services, self._services_answered)

    @property
    def findings(self) -> FindingCounts:
        """The findings, by status and, where they fail, by severity."""
        return FindingCounts(
            {status.value: count for status, count in self._status.items()},
            {severity.value: count for severity, count in self._severity.items()},
            self._waived,
        )

    @property
    def drift(self) -> DriftCounts:
        """The findings that changed, or did not, since the baseline."""
        return DriftCounts(**{drift.value: count for drift, count in self._drift.items()})

    @property
    def open_archives(self) -> tuple[str, ...]:
        """The ids of the assets whose images anybody could search or take, sorted; a waiver does not shut them."""
        return tuple(sorted(self._open_archives))

    @property
    def with_gaps(self) -> int:
        """How many visited assets were not asked all that was planned."""
        return self._with_gaps

    @property
    def coverage(self) -> float:
        """The share, 0 to 1 in four decimals, of declared services that gave an answer at one address at least.

        It must be one of the protocol that they are declared to speak: TLS before a dead archive is no archive.
        An asset without services counts as one, which answered where anything came from the asset. What was not
        visited, by refusal, interruption or the inventory's own wish, did not answer. It is 1 only where everything
        answered, and 0 where nothing was listed.
        """
        if not self._units:
            return 0.0
        if self._units_answered == self._units:
            return 1.0
        return min(round(self._units_answered / self._units, 4), 0.9999)

    def outcome(self, *, visit_errors: int, interrupted: str | None, undelivered: tuple[str, ...] = ()) -> Outcome:
        """What the exit code follows from; the arguments are what no finding tells."""
        return Outcome(
            assets=self.assets,
            services=self.services,
            silent=self._silent,
            unasked=self._unasked,
            partly_refused=self._partly_refused,
            passive=self.passive,
            failing=dict(self._standing),
            failing_new=dict(self._standing_new),
            judgement_errors=self._status[Status.ERROR],
            visit_errors=visit_errors,
            interrupted=interrupted,
            undelivered=undelivered,
        )


def _answered_as(service: Service, facts: Facts) -> bool:
    """Whether an answer came from what the service is declared to be."""
    if _puts_off(facts):
        return False
    if service.is_dicom:
        return isinstance(facts, DicomFacts) and facts.outcome is not AssociationOutcome.SPEAKS_TLS and answers(facts)
    if service.is_web:
        return isinstance(facts, HttpFacts) and answers(facts)
    return answers(facts)


def _puts_off(facts: Facts) -> bool:
    """Whether the answer is that there is none for now: busy, too many requests, a server in trouble."""
    match facts:
        case DicomFacts():
            return facts.reject is not None and facts.reject[0] == _TRANSIENT
        case HttpFacts():
            return facts.status is not None and (facts.status == _TOO_MANY_REQUESTS or facts.status >= _SERVER_ERRORS)
        case _:
            return False


def _was_left_out(facts: Facts) -> bool:
    """Whether a question that tells who is let in was not asked; a wrong called AE title tells something else."""
    match facts:
        case DicomFacts():
            of_access = facts.purpose is not AssociationPurpose.WRONG_CALLED
            return facts.outcome is AssociationOutcome.NOT_ASKED and of_access
        case HttpFacts():
            return facts.end is HttpEnd.NOT_ASKED
        case PortFacts():
            return facts.state is ConnectState.NOT_ASKED
        case _:
            return False


def _was_asked(observations: Sequence[Observation]) -> bool:
    """Whether anything was sent to the asset itself, as far as its observations tell."""
    visits = [item.facts for item in observations if isinstance(item.facts, VisitFacts)]
    if visits:
        return any(visit.connections for visit in visits)
    # The visit has no end: the process was killed in the middle of it. A look-up of a name asks the resolver alone.
    return any(not isinstance(item.facts, NameFacts) for item in observations)
