"""By which implementation a service answers, from run to run: what a run keeps, and what judging makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from checker.errors import UsageError
from checker.judge import Judge
from checker.model import Asset, AssociationOutcome, DicomFacts, Inventory, NameFacts, Status
from checker.records import BrokenRecord
from checker.rules import catalogue
from checker.rules.base import Case, Identity
from checker.rules.dicom import identity_drift
from checker.rules.examples import (
    ADDRESS,
    OTHER_ADDRESS,
    archive,
    asset,
    asset_case,
    dicom_service,
    dicom_tls_service,
    identified,
    known_before,
    rejected,
    seen,
    service_case,
    survey,
    web_service,
    wrong_called,
)
from checker.rules.identity import Implementation, Place, implementation, implementations, service_place
from checker.run import Judging, judge_again
from checker.store.folder import IDENTITIES, OBSERVATIONS
from checker.store.identities import IdentityPile, Known, known_after
from checker.store.identities import known_before as known_before_run
from checker.store.runs import find_run, read_run
from checker.store.scratch import Scratch
from tests.unit.stored_runs import ENDED, findings, inventory, named, observed, run, silent

RULE = "dicom.identity-drift"
DAY = timedelta(days=1)
LATER = datetime(2026, 12, 1, tzinfo=UTC)
DCMTK_367 = Implementation("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367")
DCMTK_368 = Implementation("1.2.276.0.7230010.3.0.3.6.8", "OFFIS_DCMTK_368")
FO_DICOM = Implementation("1.3.6.1.4.1.30071.8", "fo-dicom 5.1.2")
PLACE = Place("dicom", 11112, ADDRESS)


def named_as(what: Implementation) -> DicomFacts:
    return identified(survey(echo_status=0), what.class_uid, what.version)


# ------------------------------------------------------------------------------------------------------------ one case


def test_an_identity_is_what_an_accepted_association_names() -> None:
    torn = identified(survey(AssociationOutcome.ABORTED))
    case = service_case(archive(), torn, identified(rejected((1, 1, 3))), survey(echo_status=0), named_as(FO_DICOM))
    assert implementations(case) == (FO_DICOM,)
    assert implementation(case) == FO_DICOM


def test_the_same_named_twice_is_one_and_two_are_none_to_compare() -> None:
    twice = service_case(archive(), named_as(FO_DICOM), replace(named_as(FO_DICOM), client_certificate=True))
    assert implementation(twice) == FO_DICOM
    both = service_case(archive(), named_as(FO_DICOM), identified(wrong_called()))
    assert implementations(both) == (FO_DICOM, DCMTK_367)
    assert implementation(both) is None


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (DCMTK_367, DCMTK_368, "it was OFFIS_DCMTK_367, and is OFFIS_DCMTK_368"),
        (DCMTK_367, replace(DCMTK_367, version=None), "it was OFFIS_DCMTK_367, and is without a version"),
        (replace(DCMTK_367, version=None), DCMTK_367, "it was without a version, and is OFFIS_DCMTK_367"),
        (replace(DCMTK_367, version=None), FO_DICOM, "it was 1.2.276.0.7230010.3.0.3.6.7, and is 1.3.6.1.4.1.30071.8"),
        (replace(DCMTK_367, class_uid=None), DCMTK_367, "it was without a UID, and is 1.2.276.0.7230010.3.0.3.6.7"),
    ],
)
def test_what_changed_is_told(before: Implementation, now: Implementation, told: str) -> None:
    case = known_before(service_case(archive(), named_as(now)), before.class_uid, before.version)
    verdict = identity_drift.judge(case)
    assert verdict.status is Status.FAIL
    assert verdict.summary == f"Another implementation answers than before: {told}."


def test_the_longest_names_fit() -> None:
    # PS3.5 9.1, PS3.7 annex D.3.3.2: 64 and 16 characters
    case = known_before(service_case(archive(), identified(survey(), "1." + "2" * 62, None)), "1." + "3" * 62, "N" * 16)
    assert len(identity_drift.judge(case).summary) <= 200


def test_the_toolkit_is_a_hint_in_the_evidence_and_the_earlier_run_is_named() -> None:
    evidence = identity_drift.judge(known_before(service_case(archive(), named_as(FO_DICOM)))).evidence
    assert evidence["now"] == [
        {
            "implementation_class_uid": "1.3.6.1.4.1.30071.8",
            "implementation_version": "fo-dicom 5.1.2",
            "toolkit_hint": "fo-dicom",
        }
    ]
    assert evidence["earlier"] == {
        "implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.7",
        "implementation_version": "OFFIS_DCMTK_367",
        "toolkit_hint": "DCMTK",
        "run_id": "20261123T042030Z-clinical-0a1b",
    }


def test_another_product_of_the_same_toolkit_does_not_show() -> None:
    assert identity_drift.judge(known_before(service_case(archive(), named_as(DCMTK_367)))).status is Status.PASS


def case_of(of: Asset, index: int = 0, address: str | None = ADDRESS) -> Case:
    return service_case(of, index=index, address=address)


def test_a_place_is_the_service_at_its_address() -> None:
    assert service_place(case_of(archive())) == PLACE
    assert service_place(case_of(archive(dicom_tls_service()))) == Place("dicom-tls", 2762, ADDRESS)
    assert service_place(case_of(archive(), address=None)) == Place("dicom", 11112)
    assert service_place(case_of(archive(web_service()))) is None
    assert service_place(asset_case(archive())) is None


def test_the_title_is_a_part_of_the_place_only_where_one_port_has_several() -> None:
    assert service_place(case_of(archive(dicom_service(ae_title="CORRECTED")))) == PLACE
    both = archive(dicom_service(), dicom_service(ae_title="WORKLIST"))
    assert service_place(case_of(both, 1)) == replace(PLACE, ae_title="WORKLIST")


# ------------------------------------------------------------------------------------------------------------- judging


def status_of(judge: Judge, of: Asset, facts: DicomFacts, earlier: dict[Place, Identity]) -> list[Status]:
    judged = judge.findings(of, observed(of, facts), {}, earlier)
    return [finding.status for finding in judged if finding.rule.id == RULE]


def test_each_service_is_judged_by_what_was_known_of_it() -> None:
    own = archive(dicom_service(), dicom_service(104))
    judge = Judge(inventory(own), "run-1", "clinical", ENDED)
    visit = [
        *observed(own, named_as(DCMTK_367)),
        *(replace(item, id=f"{item.id}-b") for item in observed(own, named_as(DCMTK_367), service=1, port=104)),
    ]
    known = {PLACE: DCMTK_367.seen_in("run-0"), replace(PLACE, port=104): FO_DICOM.seen_in("run-0")}
    found = {f.service.port: f.status for f in judge.findings(own, visit, {}, known) if f.rule.id == RULE and f.service}
    assert found == {11112: Status.PASS, 104: Status.FAIL}
    assert judge.implementations(own, visit) == dict.fromkeys(known, DCMTK_367)


def test_what_was_known_of_another_place_says_nothing() -> None:
    own = archive()
    judge = Judge(inventory(own), "run-1", "clinical", ENDED)
    elsewhere = {replace(PLACE, address=OTHER_ADDRESS): FO_DICOM.seen_in("run-0")}
    assert status_of(judge, own, named_as(DCMTK_367), elsewhere) == [Status.UNKNOWN]
    assert status_of(judge, own, named_as(DCMTK_367), {PLACE: DCMTK_367.seen_in("run-0")}) == [Status.PASS]


def test_an_asset_without_dicom_has_no_implementations() -> None:
    own = asset(web_service())
    assert Judge(inventory(own), "run-1", "clinical", ENDED).implementations(own, observed(own)) == {}


def test_an_example_of_every_rule_is_judged_the_same_whatever_was_known() -> None:
    """Only the rule about drift looks at what was known."""
    for entry in catalogue():
        if entry.id != RULE:
            for example in entry.rule.examples:
                assert entry.rule.judge(known_before(example.case)) == entry.rule.judge(example.case)


# ---------------------------------------------------------------------------------------------------------------- runs


def visit(of: Asset, what: Implementation) -> list[Any]:
    return observed(of, named_as(what))


def drift(output: Path, run_id: str) -> dict[str, tuple[str, str | None]]:
    """By asset: the status, and the run that an earlier implementation is from."""
    mine: list[dict[str, Any]] = [dict(item) for item in findings(output, run_id)]
    return {
        item["asset"]["id"]: (item["status"], (item["evidence"].get("earlier") or {}).get("run_id"))
        for item in mine
        if item["rule"]["id"] == RULE
    }


def drifts(of: Asset, output: Path, *runs: Implementation | None) -> list[tuple[str, str | None]]:
    """A run a day, each of which met this implementation, or nobody."""
    for number, what in enumerate(runs, 1):
        seen_now = silent(of) if what is None else visit(of, what)
        run(output, f"run-{number}", inventory(of), seen_now, later=number * DAY)
    return [drift(output, f"run-{number}")[of.id] for number in range(1, len(runs) + 1)]


def test_the_first_run_is_unknown_the_same_passes_and_another_fails(tmp_path: Path) -> None:
    assert drifts(archive(), tmp_path, DCMTK_367, DCMTK_367, DCMTK_368, DCMTK_368) == [
        ("unknown", None), ("pass", "run-1"), ("fail", "run-2"), ("pass", "run-3"),
    ]  # fmt: skip


def test_a_run_that_met_nobody_hands_on_what_it_knew(tmp_path: Path) -> None:
    assert drifts(archive(), tmp_path, DCMTK_367, None, None, DCMTK_368) == [
        ("unknown", None), ("unknown", "run-1"), ("unknown", "run-1"), ("fail", "run-1"),
    ]  # fmt: skip


def test_a_run_that_did_not_resolve_the_name_hands_on_what_it_knew(tmp_path: Path) -> None:
    own = replace(archive(), addresses=(), hostname="pacs.example.org")
    name = NameFacts(hostname="pacs.example.org", addresses=(ADDRESS,))
    resolved = seen(name, service=None, address="", port=0)
    failed = observed(own, replace(name, addresses=(), error="no such name"), service=None, port=0)
    met = [resolved, seen(named_as(DCMTK_367))]
    run(tmp_path, "run-1", inventory(own), met)
    run(tmp_path, "run-2", inventory(own), failed, later=DAY)
    assert list(known_after(tmp_path / "run-2")) == [Known(own.id, PLACE, DCMTK_367.seen_in("run-1"))]
    run(tmp_path, "run-3", inventory(own), [resolved, seen(named_as(DCMTK_368))], later=2 * DAY)
    assert drift(tmp_path, "run-3")[own.id] == ("fail", "run-1")


def test_several_implementations_are_nothing_to_compare_with(tmp_path: Path) -> None:
    own = archive()
    both = observed(own, named_as(DCMTK_367), identified(wrong_called(), FO_DICOM.class_uid, FO_DICOM.version))
    run(tmp_path, "run-1", inventory(own), both)
    run(tmp_path, "run-2", inventory(own), visit(own, FO_DICOM), later=DAY)
    assert drift(tmp_path, "run-2")[own.id] == ("unknown", None)
    assert list(known_after(tmp_path / "run-1")) == []


def test_another_vantage_is_not_compared(tmp_path: Path) -> None:
    own = archive()
    run(tmp_path, "run-guest", inventory(own), visit(own, FO_DICOM), vantage="guest")
    run(tmp_path, "run-here", inventory(own), visit(own, DCMTK_367), later=DAY)
    assert drift(tmp_path, "run-here")[own.id] == ("unknown", None)


def two(tmp_path: Path) -> tuple[Inventory, Asset, Asset]:
    """Two archives, of which a second run visited the first alone."""
    one, other = named(archive(), "synthetic-a"), named(archive(), "synthetic-b", OTHER_ADDRESS)
    both = inventory(one, other)
    run(tmp_path, "run-1", both, [*visit(one, DCMTK_367), *visit(other, DCMTK_367)])
    run(tmp_path, "run-2", both, visit(one, DCMTK_368), assets=[one], later=DAY)
    return both, one, other


def test_a_run_about_some_assets_hands_on_what_is_known_of_the_others(tmp_path: Path) -> None:
    both, one, other = two(tmp_path)
    run(tmp_path, "run-3", both, [*visit(one, DCMTK_368), *visit(other, DCMTK_368)], later=2 * DAY)
    assert drift(tmp_path, "run-2") == {one.id: ("fail", "run-1")}
    assert drift(tmp_path, "run-3") == {one.id: ("pass", "run-2"), other.id: ("fail", "run-1")}


def test_what_is_no_longer_in_the_inventory_is_forgotten(tmp_path: Path) -> None:
    _, one, other = two(tmp_path)
    run(tmp_path, "run-3", inventory(one), visit(one, DCMTK_368), later=2 * DAY)
    assert {known.asset_id for known in known_after(tmp_path / "run-2")} == {one.id, other.id}
    assert {known.asset_id for known in known_after(tmp_path / "run-3")} == {one.id}


def test_a_service_that_is_no_longer_declared_is_forgotten(tmp_path: Path) -> None:
    own = archive()
    run(tmp_path, "run-1", inventory(own), visit(own, DCMTK_367))
    moved = archive(dicom_service(104))
    run(tmp_path, "run-2", inventory(moved), observed(moved, named_as(DCMTK_367), port=104), later=DAY)
    assert [known.place.port for known in known_after(tmp_path / "run-2")] == [104]
    assert drift(tmp_path, "run-2")[own.id] == ("unknown", None)


# ------------------------------------------------------------------------------------------------------- judged again


def again(output: Path, name: str, found: Inventory | None = None) -> str:
    return judge_again(find_run(output, name), output, made_at=LATER, judging=Judging(), inventory=found).run_id


@pytest.mark.parametrize("before", ["there", "gone", "judged again"])
def test_judging_again_finds_the_same_whatever_became_of_the_earlier_run(tmp_path: Path, before: str) -> None:
    own = archive()
    drifts(own, tmp_path, DCMTK_367, DCMTK_368)
    if before == "gone":
        (tmp_path / "run-1").rename(tmp_path.parent / f"{tmp_path.name}-run-1")
    elif before == "judged again":
        run(tmp_path, "run-3", inventory(own), visit(own, FO_DICOM), later=3 * DAY)
        again(tmp_path, "run-1")
    second = again(tmp_path, "run-2")
    third = again(tmp_path, second)
    expected = [{**item, "run_id": None} for item in findings(tmp_path, "run-2")]
    for run_id in (second, third):
        assert drift(tmp_path, run_id)[own.id] == ("fail", "run-1")
        assert [{**item, "run_id": None} for item in findings(tmp_path, run_id)] == expected
        assert (tmp_path / run_id / IDENTITIES).read_bytes() == (tmp_path / "run-2" / IDENTITIES).read_bytes()


def test_a_run_that_was_judged_again_is_as_good_to_compare_with(tmp_path: Path) -> None:
    own = archive()
    drifts(own, tmp_path, DCMTK_367)
    second = again(tmp_path, "run-1")
    (tmp_path / "run-1").rename(tmp_path.parent / f"{tmp_path.name}-run-1")
    last = run(tmp_path, "run-2", inventory(own), visit(own, DCMTK_368), later=2 * DAY)
    assert last.baseline == second
    assert drift(tmp_path, "run-2")[own.id] == ("fail", "run-1")


def test_an_asset_that_left_and_came_back_is_judged_as_at_first(tmp_path: Path) -> None:
    both, one, other = two(tmp_path)
    run(tmp_path, "run-3", both, [*visit(one, DCMTK_367), *visit(other, DCMTK_368)], later=2 * DAY)
    without = again(tmp_path, "run-3", inventory(one))
    back = again(tmp_path, without, both)
    assert drift(tmp_path, without) == {one.id: ("fail", "run-2")}
    assert drift(tmp_path, back) == drift(tmp_path, "run-3")


# ------------------------------------------------------------------------------------------------------------ on disk


def test_the_file_says_what_was_seen_and_what_was_known(tmp_path: Path) -> None:
    drifts(archive(), tmp_path, DCMTK_367, DCMTK_368)
    (line,) = (tmp_path / "run-2" / IDENTITIES).read_bytes().splitlines()
    assert orjson.loads(line) == {
        "asset_id": "synthetic-01",
        "service": {"kind": "dicom", "port": 11112, "address": ADDRESS, "ae_title": ""},
        "seen": {
            "run_id": "run-2",
            "implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.8",
            "implementation_version": "OFFIS_DCMTK_368",
        },
        "earlier": {
            "run_id": "run-1",
            "implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.7",
            "implementation_version": "OFFIS_DCMTK_367",
        },
    }
    known = Known("synthetic-01", PLACE, DCMTK_367.seen_in("run-1"))
    assert list(known_before_run(tmp_path / "run-2")) == [known]
    assert list(known_after(tmp_path / "run-2")) == [replace(known, identity=DCMTK_368.seen_in("run-2"))]


def test_a_run_older_than_the_file_knows_nothing_and_can_be_judged(tmp_path: Path) -> None:
    own = archive()
    drifts(own, tmp_path, DCMTK_367)
    (tmp_path / "run-1" / IDENTITIES).unlink()
    second = again(tmp_path, "run-1")
    assert not (tmp_path / second / IDENTITIES).exists()
    run(tmp_path, "run-2", inventory(own), visit(own, DCMTK_368), later=2 * DAY)
    assert drift(tmp_path, "run-2")[own.id] == ("unknown", None)
    assert (tmp_path / "run-2" / IDENTITIES).exists()


def test_a_file_that_is_broken_is_told_and_nothing_of_it_is_believed(tmp_path: Path) -> None:
    own = archive()
    drifts(own, tmp_path, DCMTK_367)
    with (tmp_path / "run-1" / IDENTITIES).open("ab") as file:
        file.write(b'{"asset_id": "SECRET"}\n')
    summary = run(tmp_path, "run-2", inventory(own), visit(own, DCMTK_368), later=2 * DAY)
    assert drift(tmp_path, "run-2")[own.id] == ("unknown", None)
    (notice,) = [notice for notice in summary.notices if IDENTITIES in notice]
    assert f"{IDENTITIES}:2: service: Field required" in notice
    assert "SECRET" not in notice
    assert summary.baseline == "run-1"


def test_a_number_that_is_no_port_is_broken(tmp_path: Path) -> None:
    own = archive()
    drifts(own, tmp_path, DCMTK_367)
    path = tmp_path / "run-1" / IDENTITIES
    path.write_bytes(path.read_bytes().replace(b":11112", b":" + b"1" * 30))
    summary = run(tmp_path, "run-2", inventory(own), visit(own, DCMTK_368), later=2 * DAY)
    assert drift(tmp_path, "run-2")[own.id] == ("unknown", None)
    assert any(f"{IDENTITIES}:1: service.port" in notice for notice in summary.notices)


def test_a_run_of_which_the_file_is_broken_is_not_judged_again(tmp_path: Path) -> None:
    drifts(archive(), tmp_path, DCMTK_367)
    (tmp_path / "run-1" / IDENTITIES).write_bytes(b"nonsense\n")
    with pytest.raises(UsageError, match=f"{IDENTITIES}:1"):
        again(tmp_path, "run-1")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["latest", "run-1"]


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / IDENTITIES).mkdir()
    with pytest.raises(BrokenRecord, match=f"{IDENTITIES}: cannot be read: Is a directory"):
        list(known_after(tmp_path))


def test_a_run_without_dicom_has_an_empty_file(tmp_path: Path) -> None:
    own = asset(web_service())
    run(tmp_path, "run-1", inventory(own), observed(own))
    assert (tmp_path / "run-1" / IDENTITIES).read_bytes() == b""
    assert read_run(tmp_path / "run-1").run_id == "run-1"


def test_nothing_is_kept_of_a_service_of_which_nothing_is_known(tmp_path: Path) -> None:
    with IdentityPile(tmp_path / "pile", "run-1") as pile:
        pile.add("synthetic-01", {PLACE: None}, {})
        pile.add("synthetic-02", {PLACE: None}, {PLACE: FO_DICOM.seen_in("run-0")})
        assert [orjson.loads(line)["asset_id"] for line in pile.lines()] == ["synthetic-02"]


def test_what_cannot_be_read_to_the_end_is_forgotten_whole(tmp_path: Path) -> None:
    (tmp_path / OBSERVATIONS).touch()
    known = Known("synthetic-01", PLACE, replace(DCMTK_367, version=None).seen_in("run-0"))

    def broken() -> Any:
        yield known
        raise BrokenRecord("here: it ends")

    with Scratch(tmp_path / "scratch", tmp_path / OBSERVATIONS) as scratch:
        scratch.remember_known({"synthetic-01": 7}, [known, replace(known, asset_id="synthetic-gone")])
        assert scratch.known(7) == {PLACE: known.identity}
        assert scratch.known(0) == {}
        with pytest.raises(BrokenRecord):
            scratch.remember_known({"synthetic-01": 7}, broken())
        assert scratch.known(7) == {}


def test_seen_in_the_sweep_of_a_port_is_nothing_of_a_service() -> None:
    own = archive()
    stray = seen(named_as(FO_DICOM), service=None, port=104)
    assert Judge(inventory(own), "run-1", "clinical", ENDED).implementations(own, [stray]) == {PLACE: None}
