"""A run from its observations to its files, and judged again from them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from checker.errors import UsageError
from checker.model import (
    Asset,
    ConnectState,
    Inventory,
    JsonValue,
    Observation,
    PortFacts,
    Severity,
    Totals,
    VisitFacts,
    Waiver,
)
from checker.records import line
from checker.rules.examples import archive, asset, dicom_service, dicomweb_service
from checker.run import Judging, Visits, check_judging, conclude, judge_again
from checker.store.folder import LEDGER, OBSERVATIONS, RunFolder
from checker.store.runs import INVENTORY, find_run, read_run
from checker.summary import AssetCounts, DriftCounts, RunSummary
from tests.unit.stored_runs import (
    ENDED,
    STARTED,
    findings,
    inventory,
    named,
    observed,
    open_archive,
    port,
    run,
    shut_archive,
    silent,
    three_archives,
)

RUN = "20261124T042030Z-clinical-3f9a"
LATER = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def again(
    output: Path, name: str = RUN, *, found: Inventory | None = None, now: datetime | None = None, **judging: object
) -> RunSummary:
    return judge_again(
        find_run(output, name),
        output,
        made_at=LATER,
        judging=Judging(**judging),  # type: ignore[arg-type]
        inventory=found,
        now=now,
    )


def of_rule(output: Path, run_id: str, rule: str) -> dict[str, JsonValue]:
    """The findings of one rule: asset's id to status, of the first service."""
    return {
        str(_part(item, "asset", "id")): item["status"]
        for item in reversed(findings(output, run_id))
        if _part(item, "rule", "id") == rule
    }


def _part(item: dict[str, JsonValue], *keys: str) -> JsonValue:
    found: JsonValue = item
    for key in keys:
        assert isinstance(found, dict)
        found = found[key]
    return found


# ----------------------------------------------------------------------------------------------------- the first time


def test_a_run_counts_what_it_found(tmp_path: Path) -> None:
    summary = run(tmp_path, RUN, *three_archives())
    assert summary.run_id == RUN
    assert summary.assets == AssetCounts(listed=4, visited=3, answered=2, unreachable=1, not_visited=1)
    assert summary.open_archives == ("synthetic-open",)
    assert (summary.services.declared, summary.services.answered) == (6, 2)
    assert summary.coverage == round(2 / 7, 4)  # the asset without a service counts as one
    assert summary.duration_s == 12.5
    assert (summary.connections, summary.bytes_sent, summary.bytes_received) == (3, 512, 1024)
    stored = findings(tmp_path, RUN)
    assert sum(summary.findings.by_status.values()) == len(stored)
    for status, count in summary.findings.by_status.items():
        assert count == sum(item["status"] == status for item in stored)
    for severity, count in summary.findings.by_severity.items():
        assert count == sum(item["status"] == "fail" and item["severity"] == severity for item in stored)
    assert summary.exit_code == 3
    assert summary.reasons[1:] == (
        "1 asset was not visited.",
        "1 asset gave no answer.",
        "2 services of assets that answered gave no answer.",
    )


def test_findings_come_with_what_matters_most_first(tmp_path: Path) -> None:
    run(tmp_path, RUN, *three_archives())
    stored = findings(tmp_path, RUN)
    assert _part(stored[0], "rule", "id") == "archive.open"
    assert _part(stored[0], "asset", "id") == "synthetic-open"
    order = {"fail": 0, "unknown": 1, "error": 1, "pass": 2, "not_applicable": 3}
    keys = [
        (
            order[str(item["status"])],
            -Severity(str(item["severity"])).rank if item["status"] == "fail" else 0,
            _part(item, "rule", "id") != "archive.open" if item["status"] == "fail" else False,
            _part(item, "asset", "id"),
            _part(item, "rule", "id"),
        )
        for item in stored
    ]
    assert keys == sorted(keys)


def test_every_listed_asset_has_findings_and_no_other(tmp_path: Path) -> None:
    found, observations = three_archives()
    summary = run(tmp_path, RUN, found, observations, assets=found.assets[:2])
    assert summary.assets.listed == 2
    assert {_part(item, "asset", "id") for item in findings(tmp_path, RUN)} == {"synthetic-open", "synthetic-shut"}


def test_observations_of_strangers_are_told_and_not_judged(tmp_path: Path) -> None:
    found, observations = three_archives()
    stray = replace(observations[0], asset_id="synthetic-stray")
    summary = run(tmp_path, RUN, found, [*observations, stray])
    assert summary.notices == ("Observations of assets that the inventory does not list were not judged: 1.",)
    assert summary.open_archives == ("synthetic-open",)


def test_an_asset_may_share_a_place_with_one_that_was_not_listed(tmp_path: Path) -> None:
    twins = named(archive(), "synthetic-01"), named(archive(), "synthetic-02")
    run(tmp_path, RUN, inventory(*twins), shut_archive(twins[0]), assets=twins[:1])
    assert of_rule(tmp_path, RUN, "asset.duplicate-address") == {"synthetic-01": "fail"}


def test_notices_of_the_inventory_and_gaps_are_in_the_summary(tmp_path: Path) -> None:
    found = replace(inventory(archive()), notices=("a column was ignored",))
    visit = shut_archive(archive())
    end = replace(visit[-1], facts=VisitFacts(connections=80, gaps=("the budget was spent",)))
    summary = run(tmp_path, RUN, found, [*visit[:-1], end])
    assert summary.notices[0] == "a column was ignored"
    assert "not asked all" in summary.notices[1]


def test_an_interrupted_run_is_written_with_what_was_learnt(tmp_path: Path) -> None:
    found, observations = three_archives()
    folder = RunFolder.create(tmp_path, RUN)
    folder.observation(observations[0])
    visits = Visits("clinical", STARTED, ENDED, Totals(), "SIGTERM", ("synthetic-shut: KeyError in checker.x:1",))
    summary = conclude(folder, found, found.assets, visits, Judging(fail_on=Severity.CRITICAL))
    assert summary.exit_code == 4
    assert summary.reasons[0] == "The run was interrupted by SIGTERM."
    assert "1 visit broke off by an internal error." in summary.reasons
    assert summary.errors == ("synthetic-shut: KeyError in checker.x:1",)
    assert summary.assets.not_visited == 3


@pytest.mark.parametrize("judging", [Judging(only=("x.y",)), Judging(skip=("x.*",)), Judging(formats=("docx",))])
def test_globs_and_formats_that_fit_nothing_are_refused_before_anything_is_asked(judging: Judging) -> None:
    with pytest.raises(UsageError):
        check_judging(judging)


def test_a_broken_journal_is_told_and_nothing_is_published(tmp_path: Path) -> None:
    found, _ = three_archives()
    folder = RunFolder.create(tmp_path, RUN)
    (folder.path / OBSERVATIONS).write_bytes(b"nonsense\n")
    with pytest.raises(UsageError, match=rf"{OBSERVATIONS}:1: "):
        conclude(folder, found, found.assets, Visits("clinical", STARTED, ENDED, Totals()), Judging())
    assert sorted(entry.name for entry in folder.path.iterdir()) == [LEDGER, OBSERVATIONS]
    assert not folder.published.exists()


# ---------------------------------------------------------------------------------------------------- waivers, drift


def test_a_waived_failure_stays_a_failure_and_does_not_count(tmp_path: Path) -> None:
    own = archive()
    waivers = [Waiver("*", "accepted", "imaging-it", date(2026, 11, 24))]
    summary = run(tmp_path, RUN, inventory(own, waivers=waivers), open_archive(own))
    assert summary.findings.by_status["fail"] == summary.findings.waived > 0
    assert summary.open_archives == (own.id,)
    assert summary.exit_code == 0
    first = findings(tmp_path, RUN)[0]
    assert first["status"] == "fail"
    assert _part(first, "waiver", "expires") == "2026-11-24"


def visits(of: Asset, output: Path, *runs: Sequence[Observation]) -> list[RunSummary]:
    """Runs of one asset, one a day."""
    return [
        run(output, f"run-{number}", inventory(of), seen, later=number * DAY, judging=Judging(fail_on_new=True))
        for number, seen in enumerate(runs, 1)
    ]


def test_drift_over_several_runs(tmp_path: Path) -> None:
    own = archive()
    first, second, gone, shut = visits(
        own, tmp_path, open_archive(own), open_archive(own), silent(own), shut_archive(own)
    )
    failing = first.findings.by_status["fail"]
    assert first.drift == DriftCounts(new=failing)
    assert (first.baseline, second.baseline) == (None, "run-1")
    assert second.drift == DriftCounts(persisting=failing)
    assert (first.exit_code, second.exit_code) == (3, 0)
    assert gone.drift.resolved <= 1  # asset.unreachable decides; what was not answered is not resolved
    assert of_rule(tmp_path, "run-3", "archive.open") == {own.id: "unknown"}
    assert gone.drift.persisting > 0
    assert shut.drift.resolved > 0
    drifts = {_part(item, "rule", "id"): item["drift"] for item in findings(tmp_path, "run-4")}
    assert drifts["archive.open"] == "resolved"


def test_another_vantage_and_a_later_run_are_no_baseline(tmp_path: Path) -> None:
    own = archive()
    run(tmp_path, "run-guest", inventory(own), open_archive(own), vantage="guest")
    run(tmp_path, "run-later", inventory(own), open_archive(own), later=DAY)
    summary = run(tmp_path, "run-now", inventory(own), open_archive(own))
    assert summary.baseline is None
    assert summary.drift.persisting == 0


def test_a_baseline_that_cannot_be_read_is_told_and_all_failures_are_new(tmp_path: Path) -> None:
    own = archive()
    visits(own, tmp_path, open_archive(own))
    (tmp_path / "run-1" / "findings.jsonl").write_bytes(b"{}\n")
    summary = run(tmp_path, "run-2", inventory(own), open_archive(own), later=9 * DAY)
    assert summary.baseline is None
    assert summary.drift == DriftCounts(new=summary.findings.by_status["fail"])
    assert "findings.jsonl:1" in summary.notices[0]


# -------------------------------------------------------------------------------------------------------- judged again


def without_run(output: Path, run_id: str) -> list[dict[str, JsonValue]]:
    return [{**item, "run_id": None} for item in findings(output, run_id)]


@pytest.mark.parametrize("baseline", ["none", "there", "gone"])
def test_judging_again_gives_the_same(tmp_path: Path, baseline: str) -> None:
    found, observations = three_archives()
    if baseline != "none":
        run(tmp_path, "before", found, [*open_archive(found.assets[1]), *silent(found.assets[0])], later=-DAY)
    first = run(tmp_path, RUN, found, observations)
    if baseline == "gone":
        (tmp_path / "before").rename(tmp_path.parent / f"{tmp_path.name}-before")
    second = again(tmp_path)
    assert second.run_id != first.run_id
    assert without_run(tmp_path, second.run_id) == without_run(tmp_path, RUN)
    stored = read_run(tmp_path / RUN)
    assert replace(read_run(tmp_path / second.run_id), run_id=RUN, judged_from=None) == stored
    assert second.judged_from == RUN
    assert (second.drift.resolved > 0) is (baseline != "none")


def test_judging_again_and_again_gives_the_same(tmp_path: Path) -> None:
    run(tmp_path, RUN, *three_archives())
    second = again(tmp_path)
    third = again(tmp_path, second.run_id)
    assert third.judged_from == second.run_id
    assert without_run(tmp_path, third.run_id) == without_run(tmp_path, RUN)


def test_judging_again_leaves_the_first_run_as_it_was_and_shares_its_observations(tmp_path: Path) -> None:
    run(tmp_path, RUN, *three_archives())
    before = {entry.name: entry.read_bytes() for entry in (tmp_path / RUN).iterdir()}
    second = again(tmp_path)
    assert {entry.name: entry.read_bytes() for entry in (tmp_path / RUN).iterdir()} == before
    for name in (OBSERVATIONS, LEDGER):
        assert (tmp_path / second.run_id / name).samefile(tmp_path / RUN / name)
    assert find_run(tmp_path, "latest").name == second.run_id


def test_where_links_cannot_be_made_the_observations_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    run(tmp_path, RUN, *three_archives())
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    second = again(tmp_path)
    copied = tmp_path / second.run_id / OBSERVATIONS
    assert not copied.samefile(tmp_path / RUN / OBSERVATIONS)
    assert copied.read_bytes() == (tmp_path / RUN / OBSERVATIONS).read_bytes()
    assert copied.stat().st_mode & 0o777 == 0o600


def test_other_rules_another_date_and_new_waivers(tmp_path: Path) -> None:
    found, observations = three_archives()
    first = run(tmp_path, RUN, found, observations)
    assert {_part(item, "rule", "id") for item in findings(tmp_path, again(tmp_path, only=("archive.*",)).run_id)} == {
        "archive.open"
    }
    waivers = (Waiver("*", "accepted", "imaging-it", date(2027, 1, 31)),)
    waived = again(tmp_path, found=replace(found, waivers=waivers, sha256="1" * 64))
    assert (waived.findings.waived, waived.inventory.sha256) == (first.findings.by_status["fail"], "1" * 64)
    assert waived.exit_code == 4
    expired = again(tmp_path, waived.run_id, now=datetime(2027, 2, 1, tzinfo=UTC))
    assert expired.findings.waived == 0
    assert expired.judged_at == datetime(2027, 2, 1, tzinfo=UTC)


def test_the_same_assets_are_listed_again(tmp_path: Path) -> None:
    found, observations = three_archives()
    run(tmp_path, RUN, found, observations, assets=found.assets[1:2])
    assert again(tmp_path).assets.listed == 1
    other = again(tmp_path, found=replace(found, assets=found.assets[::-1]))
    assert (other.assets.listed, other.assets.answered) == (1, 1)


def statuses(output: Path, run_id: str) -> dict[JsonValue, JsonValue]:
    return {item["finding_id"]: item["status"] for item in findings(output, run_id)}


def test_services_may_change_their_places_in_the_inventory(tmp_path: Path) -> None:
    own = archive(dicom_service(), dicomweb_service())
    turned = archive(dicomweb_service(), dicom_service())
    run(tmp_path, RUN, inventory(own), open_archive(own))
    second = again(tmp_path, found=inventory(turned))
    assert statuses(tmp_path, second.run_id) == statuses(tmp_path, RUN)
    third = again(tmp_path, second.run_id)  # whose inventory is not the one that was visited by
    assert without_run(tmp_path, third.run_id) == without_run(tmp_path, second.run_id)
    back = again(tmp_path, third.run_id, found=inventory(own))
    assert without_run(tmp_path, back.run_id) == without_run(tmp_path, RUN)


def test_what_was_asked_of_another_service_says_nothing_of_this_one(tmp_path: Path) -> None:
    own = archive()
    visit = shut_archive(own)
    run(tmp_path, RUN, inventory(own), [*visit, port(23, PortFacts(state=ConnectState.OPEN), own)])
    corrected = archive(dicom_service(ae_title="NEWTITLE"))
    second = again(tmp_path, found=inventory(corrected))
    assert of_rule(tmp_path, RUN, "dicom.calling-ae-unchecked") == {own.id: "pass"}
    assert of_rule(tmp_path, second.run_id, "dicom.calling-ae-unchecked") == {own.id: "unknown"}
    # The ports that were open are open all the same.
    moved = archive(dicom_service(104))
    third = again(tmp_path, found=inventory(moved))
    unexpected = [
        item for item in findings(tmp_path, third.run_id) if _part(item, "rule", "id") == "exposure.unexpected-open"
    ]
    assert [item["status"] for item in unexpected] == ["fail"]
    assert {place["port"] for place in _part(unexpected[0], "evidence", "unexpected")} == {23, 11112}  # type: ignore[union-attr, index, call-overload]


def test_assets_that_came_and_went(tmp_path: Path) -> None:
    found, observations = three_archives()
    run(tmp_path, RUN, found, observations)
    newcomer = asset(id="synthetic-new", addresses=("10.20.1.20",))
    second = again(tmp_path, found=inventory(*found.assets[1:], newcomer))
    assert second.assets.listed == 4
    assert second.assets.not_visited == 2
    assert second.notices[0].endswith("not judged: 3.")
    assert of_rule(tmp_path, second.run_id, "asset.unreachable")["synthetic-new"] == "unknown"
    third = again(tmp_path, second.run_id, found=found)
    assert without_run(tmp_path, third.run_id) == without_run(tmp_path, RUN)


@pytest.mark.parametrize("name", ["run.json", INVENTORY, OBSERVATIONS, LEDGER])
def test_a_run_that_lacks_a_file_is_told_and_no_trace_is_left(tmp_path: Path, name: str) -> None:
    run(tmp_path, RUN, *three_archives())
    (tmp_path / RUN / name).unlink()
    with pytest.raises(UsageError):
        judge_again(tmp_path / RUN, tmp_path, made_at=LATER, judging=Judging())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [RUN, "latest"]


def test_a_run_that_is_damaged_is_told_with_its_place(tmp_path: Path) -> None:
    run(tmp_path, RUN, *three_archives())
    with (tmp_path / RUN / OBSERVATIONS).open("ab") as file:
        file.write(b'{"asset_id": "synthetic-open", "detail": "SECRET"}\n')
    with pytest.raises(UsageError, match=rf"{OBSERVATIONS}:\d+: id: Field required") as raised:
        again(tmp_path)
    assert "SECRET" not in str(raised.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [RUN, "latest"]


# -------------------------------------------------------------------------------------------------------- large runs

LARGE = """
import sys
from dataclasses import replace
from pathlib import Path
from checker.rules.examples import archive, port_seen
from tests.memory import peak_kib
from tests.unit.stored_runs import RunFolder, inventory, named, open_archive, run, silent

def visit(number, own):
    ports = [replace(port_seen(port), id=f"{own.id}/{port}", asset_id=own.id) for port in range(1000, 1020)]
    return [*ports, *(silent(own) if number % 3 else open_archive(own))]

fleet = [
    named(archive(), f"synthetic-{number:05}", f"10.20.{number // 250}.{number % 250}")
    for number in range(int(sys.argv[2]))
]
found = inventory(*fleet)
run(Path(sys.argv[1]), "warm", inventory(archive()), open_archive(archive()))
observations = (item for number, own in enumerate(fleet) for item in visit(number, own))
summary = run(Path(sys.argv[1]), "large", found, observations)
print(summary.assets.listed, peak_kib())
"""


def peak(output: Path, assets: int) -> int:
    """The most memory in KiB that a process took which made a run of so many assets, and judged it."""
    command = [sys.executable, "-c", LARGE, str(output), str(assets)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert child.returncode == 0, child.stderr
    listed, most = map(int, child.stdout.split())
    assert listed == assets
    return most


def test_memory_does_not_grow_with_what_was_observed(tmp_path: Path) -> None:
    small, large = peak(tmp_path / "small", 100), peak(tmp_path / "large", 2000)
    written = (tmp_path / "large" / "large" / "findings.jsonl").stat().st_size
    assert written > 50_000_000
    # What grows is the inventory itself, and a number and a name for each asset.
    assert large - small < 20_000


def test_findings_are_lines_that_can_be_read_one_by_one(tmp_path: Path) -> None:
    run(tmp_path, RUN, *three_archives())
    text = (tmp_path / RUN / "findings.jsonl").read_bytes()
    assert text.endswith(b"}\n")
    assert [orjson.loads(part) for part in text.splitlines()] == findings(tmp_path, RUN)
    assert (tmp_path / RUN / OBSERVATIONS).read_bytes() == b"".join(map(line, three_archives()[1]))
    assert observed(archive())[-1].facts.type == "visit"
