"""The matrix of a run: for each zone and port how many assets are as policy wants them, and which are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from checker.model import (
    ConnectState,
    NameFacts,
    Observation,
    RecognisedFacts,
    Spoken,
    Status,
    UdpFacts,
    UdpState,
)
from checker.policy import Policy
from checker.rules import catalogue
from checker.rules.base import Case
from checker.rules.examples import (
    ADDRESS,
    OTHER_ADDRESS,
    archive,
    asset,
    asset_case,
    dicom_service,
    policy,
    port_seen,
    seen,
    web_service,
)
from checker.run import Judging, judge_again
from checker.store.runs import read_run
from checker.summary.reach import MOST_ASSETS, Judged, PortReach, ReachSummary, ReachTally
from tests.unit.stored_runs import run, three_archives

RUN = "20261124T042030Z-clinical-3f9a"
STATED = policy(must_reach=["dicom/11112"], may_reach=["tcp/443"])


def tallied(*cases: Case) -> ReachSummary:
    tally = ReachTally()
    for case in cases:
        tally.add(case)
    return tally.summary


def port(found: ReachSummary, number: int, transport: str = "tcp") -> PortReach:
    (one,) = (one for one in found.ports if (one.port, one.transport) == (number, transport))
    return one


def judged(case: Case, number: int, transport: str = "tcp") -> Judged:
    (word,) = (word for word, count in port(tallied(case), number, transport).counts.items() if count)
    return Judged(word)


def proved(number: int, address: str = ADDRESS) -> Observation:
    return seen(RecognisedFacts(asked="http", protocol=Spoken.HTTP), None, address, number)


@pytest.mark.parametrize(
    ("number", "observations", "expected"),
    [
        (11112, [proved(11112)], Judged.ALLOWED_OPEN),
        (11112, [port_seen(11112)], Judged.UNKNOWN),  # a firewall may have answered for it
        (11112, [port_seen(11112, ConnectState.CLOSED)], Judged.MUST_REACH_BROKEN),
        (11112, [port_seen(11112, ConnectState.FILTERED)], Judged.MUST_REACH_BROKEN),
        (11112, [port_seen(11112, ConnectState.RESET)], Judged.MUST_REACH_BROKEN),
        (11112, [port_seen(11112, ConnectState.UNREACHABLE)], Judged.UNKNOWN),
        (11112, [], Judged.UNKNOWN),
        (443, [port_seen(443)], Judged.ALLOWED_OPEN),
        (443, [port_seen(443, ConnectState.FILTERED)], Judged.SHUT),
        (443, [port_seen(443, ConnectState.NOT_ASKED)], Judged.UNKNOWN),
        (23, [port_seen(23)], Judged.UNEXPECTED_OPEN),
        (23, [port_seen(23, ConnectState.CLOSED)], Judged.SHUT),
        (23, [port_seen(23, ConnectState.RESET)], Judged.UNKNOWN),
        (23, [port_seen(23, ConnectState.UNREACHABLE)], Judged.UNKNOWN),
    ],
)
def test_a_port_against_policy(number: int, observations: list[Observation], expected: Judged) -> None:
    assert judged(asset_case(archive(), *observations, policy=STATED), number) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (UdpState.OPEN, Judged.UNEXPECTED_OPEN),
        (UdpState.CLOSED, Judged.SHUT),
        (UdpState.SILENT, Judged.UNKNOWN),
    ],
)
def test_a_udp_port_against_policy(state: UdpState, expected: Judged) -> None:
    case = asset_case(archive(), seen(UdpFacts(state=state), None, port=161), policy=STATED)
    assert judged(case, 161, "udp") is expected


def test_an_asset_counts_once_and_at_all_of_its_addresses() -> None:
    both = asset(dicom_service(), addresses=[ADDRESS, OTHER_ADDRESS])
    shut = port_seen(23, ConnectState.CLOSED)

    assert judged(asset_case(both, shut, policy=STATED), 23) is Judged.UNKNOWN
    assert judged(asset_case(both, shut, port_seen(23, address=OTHER_ADDRESS), policy=STATED), 23) is (
        Judged.UNEXPECTED_OPEN
    )
    half = asset_case(both, proved(11112), port_seen(11112, ConnectState.FILTERED, OTHER_ADDRESS), policy=STATED)
    assert judged(half, 11112) is Judged.ALLOWED_OPEN


def test_where_the_policy_does_not_speak_of_the_vantage_an_open_port_is_unknown() -> None:
    case = asset_case(archive(), proved(443), port_seen(23, ConnectState.CLOSED), vantage="laboratory", policy=STATED)

    found = tallied(case)

    assert found.policy == "vantage-unknown"
    assert (judged(case, 443), judged(case, 23)) == (Judged.UNKNOWN, Judged.SHUT)


def test_without_a_policy_the_declared_services_are_allowed() -> None:
    case = asset_case(archive(), port_seen(11112), port_seen(23), policy=Policy())

    assert tallied(case).policy == "declared-services"
    assert (judged(case, 11112), judged(case, 23)) == (Judged.ALLOWED_OPEN, Judged.UNEXPECTED_OPEN)


def test_without_a_policy_a_service_is_allowed_where_it_is_declared_alone() -> None:
    proxied = archive(web_service("http://proxy.example.org:8080/", 8080))
    there = seen(NameFacts(hostname="proxy.example.org", addresses=(OTHER_ADDRESS,)), None, address="", port=0)
    open_there = proved(8080, OTHER_ADDRESS)

    assert judged(asset_case(proxied, there, open_there), 8080) is Judged.ALLOWED_OPEN
    assert judged(asset_case(proxied, there, open_there, proved(8080)), 8080) is Judged.UNEXPECTED_OPEN


def test_zones_and_transports_are_apart_and_totals_are_their_sums() -> None:
    guest = replace(archive(), id="synthetic-02", zone=None)

    found = tallied(
        asset_case(archive(), port_seen(161), seen(UdpFacts(state=UdpState.OPEN), None, port=161)),
        asset_case(guest, port_seen(161, ConnectState.CLOSED)),
    )

    assert [(one.to_zone, one.transport, one.port, one.name) for one in found.ports] == [
        (None, "tcp", 161, None),
        ("clinical", "tcp", 161, None),
        ("clinical", "udp", 161, "snmp"),
    ]
    assert found.totals == {
        "allowed_open": 0,
        "must_reach_broken": 0,
        "unexpected_open": 2,
        "shut": 1,
        "unknown": 0,
    }
    assert set(found.ports[0].counts) == set(Judged)


def test_the_ids_of_what_is_amiss_are_kept_up_to_a_bound_and_all_are_counted() -> None:
    many = [asset_case(replace(archive(), id=f"a-{index:03}"), port_seen(23)) for index in range(MOST_ASSETS + 7)]

    found = port(tallied(*many), 23)

    assert found.counts["unexpected_open"] == MOST_ASSETS + 7
    assert found.assets == {"unexpected_open": tuple(f"a-{index:03}" for index in range(MOST_ASSETS))}


def test_what_is_as_wanted_keeps_no_id() -> None:
    assert port(tallied(asset_case(archive(), port_seen(23, ConnectState.CLOSED))), 23).assets == {}


@pytest.mark.parametrize("state", list(ConnectState))
@pytest.mark.parametrize("number", [11112, 443, 23])
def test_the_matrix_and_the_rules_agree(number: int, state: ConnectState) -> None:
    rules = {entry.id: entry.rule for entry in catalogue()}
    case = asset_case(archive(), port_seen(number, state), policy=STATED)

    found = tallied(case)

    unexpected = rules["exposure.unexpected-open"].judge(case).status is Status.FAIL
    broken = rules["exposure.must-reach-broken"].judge(case).status is Status.FAIL
    assert (found.totals["unexpected_open"] > 0) is unexpected
    assert (found.totals["must_reach_broken"] > 0) is broken


# -------------------------------------------------------------------------------------------------- in a stored run


def test_a_run_keeps_it_and_judging_again_makes_it_again(tmp_path: Path) -> None:
    found, observations = three_archives()
    first = run(tmp_path, RUN, found, observations)

    again = judge_again(tmp_path / RUN, tmp_path, made_at=datetime(2026, 11, 25, tzinfo=UTC), judging=Judging())

    assert first.exposure.ports
    assert read_run(tmp_path / RUN).exposure == first.exposure == again.exposure


def test_a_run_of_before_is_still_read(tmp_path: Path) -> None:
    found, observations = three_archives()
    run(tmp_path, RUN, found, observations)
    path = tmp_path / RUN / "run.json"
    written = orjson.loads(path.read_bytes())
    del written["exposure"]
    path.write_bytes(orjson.dumps(written))

    assert read_run(tmp_path / RUN).exposure == ReachSummary()
