"""From stored observations to the files of a run: judge, annotate, count, write, publish. It sends nothing.

Memory does not grow with the fleet but by the inventory itself: observations are read one asset at a time, and findings
go to disk as they are made.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from checker import __version__
from checker.errors import UsageError
from checker.introduction import Introduction
from checker.judge import Judge, Sharers, chosen_rules
from checker.model import Asset, Finding, Inventory, Observation, Severity, Totals
from checker.policy import Policy, expired, silence
from checker.records import StoredInventory, dumps
from checker.rules.base import Case
from checker.sinks import chosen_sinks
from checker.store.folder import IDENTITIES, OBSERVATIONS, RunFolder, new_run_id
from checker.store.identities import IdentityPile, Known, known_after, known_before
from checker.store.piles import Piles
from checker.store.runs import INVENTORY, failing_after, failing_before, last_run, read_run, read_run_inventory
from checker.store.scratch import Scratch
from checker.store.visited import placed, with_inventory
from checker.summary import SCHEMA_VERSION, InventoryRef, ReachTally, RuleChoice, RunSummary, Tally, exit_code
from checker.triage import Triage

_SCRATCH = ".scratch"


@dataclass(frozen=True, slots=True)
class Visits:
    """How the visits of a run went: from where, when, at what cost, and what went wrong with them as a whole."""

    vantage: str
    started_at: datetime
    ended_at: datetime
    totals: Totals
    interrupted: str | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judging:
    """How a run is judged and written.

    `only` and `skip` are globs over the ids of rules; `formats` names further sinks beside the usual ones.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fail_on: Severity = Severity.HIGH
    fail_on_new: bool = False
    formats: tuple[str, ...] = ()


def check_judging(judging: Judging) -> None:
    """Raises UsageError where a glob fits no rule, no rule remains, or a format is not known."""
    chosen_rules(judging.only, judging.skip)
    chosen_sinks(judging.formats)


def conclude(
    folder: RunFolder,
    inventory: Inventory,
    assets: Sequence[Asset],
    visits: Visits,
    judging: Judging,
) -> RunSummary:
    """Judge every listed asset from what the folder holds, write all files of the run and publish it.

    The run is then at `folder.published`. Drift is against the last earlier run of the same vantage beside it, which
    also tells by which implementations DICOM services were known; the run keeps that. Raises UsageError for globs and
    formats that fit nothing (to be checked before the visits with `check_judging`) and OSError where the disk does not
    take it. Then nothing is published, and the folder is left with its observations and its ledger.
    """
    run, notices = last_run(folder.output, visits.vantage, before=_to_the_millisecond(visits.started_at))
    baseline = None if run is None else _Baseline(run.name, failing_after(run))
    return _Conclusion(
        folder,
        StoredInventory(inventory, None if len(assets) == len(inventory.assets) else tuple(a.id for a in assets)),
        visits,
        judging,
        judged_at=_to_the_millisecond(visits.ended_at),
        baseline=baseline,
        known=None if run is None else known_after(run),
        notices=notices,
    ).publish()


def judge_again(
    run: Path,
    output: Path,
    *,
    made_at: datetime,
    judging: Judging,
    inventory: Inventory | None = None,
    now: datetime | None = None,
) -> RunSummary:
    """Judge the observations of a published run again, into a new run under `output`.

    `made_at` is the present, which names the new run; `now` is the moment that expiry and validity are judged against,
    where it is not to be that of the first judgement; `inventory` replaces the run's own. Without them the findings are
    those of the first time, and drift is against the same baseline. An observation counts for a service only where the
    inventory still declares it as it was when it was asked. Raises UsageError for a run that cannot be read, else as
    `conclude`; then no trace is left.
    """
    check_judging(judging)
    first, stored = read_run(run), read_run_inventory(run)
    token = secrets.token_hex(2)
    folder = RunFolder.copy(output, new_run_id(made_at, first.vantage, token), run)
    try:
        return _Conclusion(
            folder,
            stored if inventory is None else with_inventory(stored, inventory),
            Visits(
                first.vantage,
                first.started_at,
                first.ended_at,
                Totals(first.connections, first.bytes_sent, first.bytes_received),
                first.interrupted,
                first.errors,
            ),
            judging,
            judged_at=_to_the_millisecond(now or first.judged_at),
            judged_from=first.run_id,
            baseline=_same_baseline(run, first),
            known=known_before(run),
            introduction=first.introduction,
        ).publish()
    except BaseException:
        folder.discard()
        raise


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The earlier run that drift is against, and the ids of what it left failing, to be read once."""

    run_id: str
    failing: Iterator[str]


def _same_baseline(run: Path, first: RunSummary) -> _Baseline | None:
    """What a run was compared with: that run itself, or, where it is gone, what the run's own findings say of it."""
    if first.baseline is None:
        return None
    earlier = run.resolve().parent / first.baseline
    return _Baseline(first.baseline, failing_after(earlier) if earlier.is_dir() else failing_before(run))


def _to_the_millisecond(instant: datetime) -> datetime:
    # As it is written, so that judging again by what was written is judging by the same moment.
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)


# -------------------------------------------------------------------------------------------------------------- one run


@dataclass(slots=True)
class _Conclusion:
    """One judgement of one folder, from its observations to its publication."""

    folder: RunFolder
    stored: StoredInventory
    visits: Visits
    judging: Judging
    judged_at: datetime
    judged_from: str | None = None
    baseline: _Baseline | None = None
    known: Iterator[Known] | None = None
    introduction: Introduction | None = None  # by which devices knew the run, where it is judged again
    notices: tuple[str, ...] = ()
    tally: Tally = field(default_factory=Tally)
    reach: ReachTally = field(default_factory=ReachTally)

    def publish(self) -> RunSummary:
        """Do all of it; see `conclude`."""
        sinks = chosen_sinks(self.judging.formats)
        judge = Judge(
            self.stored.inventory,
            self.folder.run_id,
            self.visits.vantage,
            self.judged_at,
            self.judging.only,
            self.judging.skip,
        )
        self.folder.seal()
        aside = self.folder.path / _SCRATCH
        aside.mkdir(0o700)
        try:
            with (
                Scratch(aside / "scratch.sqlite", self.folder.path / OBSERVATIONS) as scratch,
                Piles(aside) as piles,
                IdentityPile(aside / IDENTITIES, self.folder.run_id) as identities,
            ):
                for findings in self._judged(judge, scratch, identities):
                    piles.add(findings)
                summary = self._summary()
                if self.judged_from is None:  # else the run has that of the first judgement
                    self.folder.write(IDENTITIES, identities.lines())
                self.folder.write(INVENTORY, [dumps(_without_paths(self.stored)), b"\n"])
                for sink in sinks.values():
                    self.folder.write(sink.file, sink.write(summary, piles.lines()))
        except BaseException:
            self.folder.withdraw()
            raise
        finally:
            shutil.rmtree(aside)
        self.folder.publish()
        return summary

    def _judged(self, judge: Judge, scratch: Scratch, identities: IdentityPile) -> Iterator[list[Finding]]:
        """The findings of every listed asset, by its id; each is counted on the way, and its identities are kept."""
        everything = self.stored.inventory.assets
        numbers = {asset.id: number for number, asset in enumerate(everything)}
        strays = scratch.index(numbers)
        if strays:
            self._note(f"Observations of assets that the inventory does not list were not judged: {strays}.")
        compared = self._remember_baseline(scratch)
        self._remember_known(scratch, numbers)
        triage = Triage(self.stored.inventory.waivers, self.judged_at.date(), compared=compared)
        if judge.looks_across_the_fleet:
            for number, asset in enumerate(everything):  # also those not listed, with which a listed one may share
                scratch.share(number, judge.shares(asset, self._observations(scratch, number, asset)))
        policy = Policy.of(self.stored.inventory)
        listed = numbers.keys() if self.stored.listed is None else self.stored.listed
        for asset_id in sorted(asset_id for asset_id in listed if asset_id in numbers):
            asset = everything[numbers[asset_id]]
            observations = self._observations(scratch, numbers[asset_id], asset)
            sharers = self._sharers(scratch, judge.shares(asset, observations))
            known = scratch.known(numbers[asset_id])
            identities.add(asset_id, judge.implementations(asset, observations), known)
            findings = judge.findings(asset, observations, sharers, known)
            failing = scratch.failing([finding.finding_id for finding in findings])
            findings = triage.annotate(findings, failing)
            self.tally.add(asset, observations, findings)
            seen = tuple(observations)
            self.reach.add(Case(asset, self.visits.vantage, self.judged_at, policy, seen=seen, asset_seen=seen))
            yield findings
        for asset_id in sorted(numbers.keys() - set(listed)):
            known = scratch.known(numbers[asset_id])
            identities.add(asset_id, dict.fromkeys(known), known)

    def _observations(self, scratch: Scratch, number: int, asset: Asset) -> list[Observation]:
        observations = scratch.observations(number)
        visited = self.stored.visited_services.get(asset.id)
        return observations if visited is None else list(placed(observations, visited, asset.services))

    def _sharers(self, scratch: Scratch, keys: Iterable[tuple[str, str]]) -> Sharers:
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for rule, key in keys:
            assets = self.stored.inventory.assets
            found.setdefault(rule, {})[key] = tuple(assets[number].id for number in scratch.sharers(rule, key))
        return found

    def _remember_baseline(self, scratch: Scratch) -> bool:
        """Whether there is an earlier run to compare with; where it cannot be read, all failures are new."""
        if self.baseline is None:
            return False
        try:
            scratch.remember_failing(self.baseline.failing)
        except UsageError as error:
            self._note(f"The baseline {self.baseline.run_id} cannot be read, so all failures count as new: {error}.")
            self.baseline = None
            return False
        return True

    def _remember_known(self, scratch: Scratch, numbers: Mapping[str, int]) -> None:
        """What is known of earlier implementations; where it cannot be read, nothing is, and it is not judged again."""
        if self.known is None:
            return
        try:
            scratch.remember_known(numbers, self.known)
        except UsageError as error:
            if self.judged_from is not None:
                raise
            self._note(f"What the last run knew of DICOM implementations cannot be read, so no change shows: {error}.")

    def _note(self, sentence: str) -> None:
        self.notices = (*self.notices, sentence)

    def _summary(self) -> RunSummary:
        tally, visits, judging, inventory = self.tally, self.visits, self.judging, self.stored.inventory
        if tally.with_gaps:
            self._note(
                f"Visited assets that were not asked all that was planned, as their findings say: {tally.with_gaps}."
            )
        if tally.passive:
            self._note(f"Assets that the inventory declares passive, of which nothing was asked: {tally.passive}.")
        unspoken = silence(inventory, visits.vantage)
        if unspoken is not None:
            self._note(unspoken)
        for sentence in expired(inventory, self.judged_at.date()):
            self._note(sentence)
        outcome = tally.outcome(visit_errors=len(visits.errors), interrupted=visits.interrupted)
        code, reasons = exit_code(outcome, judging.fail_on, judging.fail_on_new)
        return RunSummary(
            run_id=self.folder.run_id,
            schema_version=SCHEMA_VERSION,
            tool_version=__version__,
            inventory=InventoryRef(inventory.files, inventory.sha256),
            vantage=visits.vantage,
            started_at=visits.started_at,
            ended_at=visits.ended_at,
            duration_s=round((visits.ended_at - visits.started_at).total_seconds(), 3),
            assets=tally.assets,
            connections=visits.totals.connections,
            bytes_sent=visits.totals.bytes_sent,
            bytes_received=visits.totals.bytes_received,
            findings=tally.findings,
            open_archives=tally.open_archives,
            coverage=tally.coverage,
            drift=tally.drift,
            exit_code=code,
            reasons=reasons,
            services=tally.services,
            fail_on=judging.fail_on,
            fail_on_new=judging.fail_on_new,
            rules=RuleChoice(judging.only, judging.skip),
            introduction=self.introduction or Introduction.of(inventory),
            judged_at=self.judged_at,
            judged_from=self.judged_from,
            baseline=None if self.baseline is None else self.baseline.run_id,
            interrupted=visits.interrupted,
            errors=visits.errors,
            notices=(*inventory.notices, *self.notices),
            exposure=self.reach.summary,
        )


def _without_paths(stored: StoredInventory) -> StoredInventory:
    """As a run keeps it: of our own certificate what it is, and not where its key lies on this machine."""
    inventory = stored.inventory
    own = inventory.defaults.client_certificate
    if own is None or own.paths is None:
        return stored
    defaults = replace(inventory.defaults, client_certificate=replace(own, paths=None))
    return replace(stored, inventory=replace(inventory, defaults=defaults))
