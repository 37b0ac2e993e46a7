"""The engine where it goes wrong by our own doing: loops, descriptors, a bug in a visit, a journal that fails."""

from __future__ import annotations

import asyncio
import resource
import sys
from datetime import date

import pytest

from checker.engine import EngineEnd, EngineOptions, run_visits
from checker.engine.loop import _concurrency, loop_factory
from checker.model import (
    Asset,
    AssetManners,
    Authorization,
    Defaults,
    Inventory,
    Observation,
    Role,
    Service,
    ServiceKind,
    VisitFacts,
)

CLOSED = 9  # nobody serves the discard protocol on loopback


def fleet(count: int) -> Inventory:
    assets = tuple(
        Asset(
            id=f"synthetic-{number}",
            name="Synthetic",
            addresses=(f"127.9.200.{number + 1}",),
            hostname=None,
            role=Role.ARCHIVE,
            site="campus",
            zone=None,
            owner=None,
            manners=AssetManners(gap_s=0.0),
            services=(Service(ServiceKind.DICOM, CLOSED, "ANY"),),
        )
        for number in range(count)
    )
    return Inventory(
        organization="Synthetic",
        authorization=Authorization("Synthetic", "SYN-1", date.max),
        owned_networks=("127.0.0.0/8",),
        public_networks=(),
        excluded=(),
        zones=(),
        defaults=Defaults(ports=()),
        exposure=(),
        assets=assets,
        waivers=(),
    )


class Journal:
    """A recorder in memory, which fails to take one line of the ledger where it is told to."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.observations: list[Observation] = []
        self.lines: list[bytes] = []
        self.visited: list[str] = []
        self._fail_after = fail_after

    def observation(self, observation: Observation) -> None:
        self.observations.append(observation)

    def ledger(self, line: bytes) -> None:
        if len(self.lines) == self._fail_after:
            self._fail_after = None
            raise OSError(28, "No space left on device")
        self.lines.append(line)

    def sync(self) -> None:
        return

    def run(self, inventory: Inventory) -> EngineEnd:
        return run_visits(
            inventory,
            inventory.assets,
            EngineOptions(),
            self,
            run_id="run",
            visited=lambda asset: self.visited.append(asset.id),
        )

    def ends(self) -> dict[str, VisitFacts]:
        return {item.asset_id: item.facts for item in self.observations if isinstance(item.facts, VisitFacts)}


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PACS_CHECKER_LOOP", request.param)
    return str(request.param)


def test_uvloop_is_taken_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACS_CHECKER_LOOP", raising=False)
    made = loop_factory()()
    assert type(made).__module__.startswith("uvloop")
    made.close()


@pytest.mark.parametrize("why", ["missing", "told"])
def test_stock_asyncio_is_taken_where_uvloop_is_missing_or_not_wanted(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PACS_CHECKER_LOOP", raising=False)
    if why == "missing":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    else:
        monkeypatch.setenv("PACS_CHECKER_LOOP", "asyncio")
    assert loop_factory() is asyncio.new_event_loop


def test_no_more_visits_at_once_than_there_are_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (256, 1024))
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limits: asked.append(limits))
    assert _concurrency(100) == 100
    assert asked == []
    assert _concurrency(500) == 500
    assert asked == [(564, 1024)]
    assert _concurrency(5000) == 960
    assert asked[-1] == (1024, 1024)


def test_every_asset_is_visited_once(loop: str) -> None:
    journal = Journal()
    end = journal.run(fleet(20))
    assert sorted(journal.visited) == sorted(asset.id for asset in fleet(20).assets)
    assert set(journal.ends()) == set(journal.visited)
    assert (end.interrupted, end.errors, end.totals.connections) == (None, (), 20)


def test_a_bug_in_one_visit_ends_that_visit_alone(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from checker.model import AssociationPurpose
    from checker.probes.dicom import probe_dicom

    async def broken(talk: object, *arguments: object, **named: object) -> frozenset[AssociationPurpose]:
        if getattr(talk, "device").asset.id == "synthetic-3":  # noqa: B009 - the type is not the point
            message = "a bug, with the peer's bytes in its text: SECRET"
            raise KeyError(message)
        return await probe_dicom(talk, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("checker.engine.visit.probe_dicom", broken)
    journal = Journal()
    end = journal.run(fleet(6))
    (error,) = end.errors
    assert error.startswith("synthetic-3: KeyError in ")
    assert "SECRET" not in error
    assert journal.ends()["synthetic-3"].gaps[0].startswith("internal error: KeyError")
    assert all(not facts.gaps for asset, facts in journal.ends().items() if asset != "synthetic-3")
    assert len(journal.visited) == 6


def test_a_journal_that_cannot_be_written_ends_the_run_and_nothing_more_is_sent(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(fail_after=4)
    monkeypatch.setattr("checker.engine.loop._concurrency", lambda _wanted: 4)
    with pytest.raises(OSError, match="No space left"):
        journal.run(fleet(50))
    # At most what was under way is closed; of fifty assets most were never asked.
    assert len(journal.visited) < 50
    assert sum(b'"attempt"' in line for line in journal.lines) < 50
