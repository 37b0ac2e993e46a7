"""How a device is treated, as a pure state machine: no clock, no socket, no loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from heapq import heappop, heappush
from itertools import count, pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from checker.model import AssetManners
from checker.net.manners import (
    BUSY_ANSWERS,
    SILENT_QUESTIONS,
    Ask,
    Claim,
    Decision,
    Denied,
    Go,
    Manners,
    WaitTurn,
    WaitUntil,
    within_quiet_hours,
)

NOON = time(12)


def wish(
    asset: str = "a",
    address: str = "10.0.0.1",
    *,
    port: int = 104,
    site: str = "campus",
    others: tuple[tuple[str, AssetManners], ...] = (),
    gap_s: float = 0.0,
    max_connections: int = 80,
    quiet_hours: tuple[time, time] | None = None,
    passive: bool = False,
    max_pending: int = 8,
    question: str = "",
) -> Ask:
    manners = AssetManners(max_connections, gap_s, quiet_hours, passive, max_pending)
    return Ask(asset, address, port, site, manners, others, question)


def admitted(manners: Manners, ask: Ask, now: float = 0.0) -> Claim:
    claim = manners.claim(ask)
    assert manners.step(claim, now, NOON) == Go()
    return claim


def sweeping(manners: Manners, ask: Ask, now: float = 0.0) -> Claim:
    claim = manners.claim(ask, sweeps=True)
    assert manners.step(claim, now, NOON) == Go()
    return claim


def begun(manners: Manners, claim: Claim, times: int, now: float = 0.0) -> list[Decision]:
    """What the manners say to so many connections of a sweep, all wished for at once."""
    return [manners.further(claim, port, now, NOON) for port in range(1, times + 1)]


class TestOneConnection:
    @pytest.mark.parametrize(
        "second",
        [wish("a", "10.0.0.1"), wish("a", "10.0.0.2"), wish("b", "10.0.0.1")],
        ids=["the same again", "another address of the asset", "another asset at the address"],
    )
    def test_a_second_one_waits_for_its_turn(self, second: Ask) -> None:
        manners = Manners()
        first = admitted(manners, wish("a", "10.0.0.1"))
        later = manners.claim(second)

        assert manners.step(later, 1.0, NOON) == WaitTurn()
        assert manners.leave(first, 2.0) == (later,)
        assert manners.step(later, 2.0, NOON) == Go()

    def test_an_address_counts_for_every_asset_that_is_there(self) -> None:
        # a and b share 10.0.0.1; b is also 10.0.0.9: a at the shared address and b at its own are one device at once.
        manners = Manners()
        first = admitted(manners, wish("a", "10.0.0.1", others=(("b", AssetManners()),)))
        later = manners.claim(wish("b", "10.0.0.9"))

        assert manners.step(later, 1.0, NOON) == WaitTurn()
        assert manners.leave(first, 2.0) == (later,)

    def test_other_devices_do_not_wait(self) -> None:
        manners = Manners()
        admitted(manners, wish("a", "10.0.0.1"))

        admitted(manners, wish("b", "10.0.0.2"), now=1.0)

    def test_the_queue_is_kept_in_order(self) -> None:
        manners = Manners()
        first = admitted(manners, wish())
        second, third = manners.claim(wish()), manners.claim(wish())
        assert manners.step(second, 0.0, NOON) == manners.step(third, 0.0, NOON) == WaitTurn()

        assert manners.leave(first, 1.0) == (second,)
        newcomer = manners.claim(wish())

        assert manners.step(newcomer, 1.0, NOON) == WaitTurn()
        assert manners.step(second, 1.0, NOON) == Go()
        assert manners.leave(second, 2.0) == (third,)


class TestNobodyIsForgotten:
    def test_a_denied_claim_hands_its_turn_on(self) -> None:
        manners = Manners()
        ask = wish()
        first = admitted(manners, ask)
        second, third = manners.claim(ask), manners.claim(ask)
        manners.step(second, 0.0, NOON)
        manners.step(third, 0.0, NOON)
        manners.fell_silent(ask, in_the_middle=True)

        assert manners.leave(first, 1.0) == (second,)
        assert isinstance(manners.step(second, 1.0, NOON), Denied)
        assert manners.leave(second, 1.0) == (third,)
        assert isinstance(manners.step(third, 1.0, NOON), Denied)

    def test_a_claim_that_was_given_up_in_its_turn_hands_it_on(self) -> None:
        manners = Manners()
        first = admitted(manners, wish(gap_s=5.0))
        second, third = manners.claim(wish()), manners.claim(wish())
        manners.step(second, 0.0, NOON)
        manners.step(third, 0.0, NOON)
        assert manners.leave(first, 1.0) == (second,)
        assert manners.step(second, 1.0, NOON) == WaitUntil(6.0)

        assert manners.leave(second, 2.0) == (third,)

    def test_a_claim_that_was_given_up_in_the_queue_is_passed_over(self) -> None:
        manners = Manners()
        first = admitted(manners, wish())
        second, third = manners.claim(wish()), manners.claim(wish())
        manners.step(second, 0.0, NOON)
        manners.step(third, 0.0, NOON)

        assert manners.leave(second, 0.5) == ()
        assert manners.leave(first, 1.0) == (third,)

    def test_who_waits_for_the_site_keeps_nobody_from_another_site(self) -> None:
        manners = Manners(site_connections=1)
        first = admitted(manners, wish("a", "10.0.0.1"))
        second = manners.claim(wish("b", "10.0.0.2"))
        assert manners.step(second, 0.0, NOON) == WaitTurn()

        admitted(manners, wish("c", "10.0.0.3", site="elsewhere"), now=0.5)
        assert manners.leave(first, 1.0) == (second,)

    def test_leaving_twice_frees_once(self) -> None:
        manners = Manners(site_connections=1)
        first = admitted(manners, wish("a", "10.0.0.1"))
        manners.leave(first, 1.0)
        second = admitted(manners, wish("b", "10.0.0.2"), now=1.0)

        assert manners.leave(first, 2.0) == ()
        third = manners.claim(wish("c", "10.0.0.3"))
        assert manners.step(third, 2.0, NOON) == WaitTurn()
        assert manners.leave(second, 3.0) == (third,)


class TestGap:
    def test_it_begins_when_the_connection_ends(self) -> None:
        manners = Manners()
        first = admitted(manners, wish(gap_s=2.0))
        manners.leave(first, 10.0)
        second = manners.claim(wish(gap_s=2.0))

        assert manners.step(second, 11.9, NOON) == WaitUntil(12.0)
        assert manners.step(second, 12.0, NOON) == Go()

    def test_the_longest_at_an_address_holds(self) -> None:
        manners = Manners()
        patient = AssetManners(gap_s=9.0)
        manners.leave(admitted(manners, wish("a", gap_s=1.0, others=(("b", patient),))), 10.0)

        again = manners.claim(wish("a", gap_s=1.0, others=(("b", patient),)))
        elsewhere = manners.claim(wish("a", "10.0.0.7", gap_s=1.0))

        assert manners.step(again, 10.0, NOON) == WaitUntil(19.0)
        manners.leave(again, 10.0)
        assert manners.step(elsewhere, 10.0, NOON) == WaitUntil(11.0)

    def test_each_keeps_its_own_where_only_names_lead_to_the_address(self) -> None:
        manners = Manners()
        manners.leave(admitted(manners, wish("a", gap_s=0.1)), 10.0)

        assert manners.step(manners.claim(wish("b", gap_s=5.0)), 10.2, NOON) == WaitUntil(15.0)

    def test_a_claim_that_sent_nothing_needs_no_rest(self) -> None:
        manners = Manners(site_connections=1)
        first = admitted(manners, wish("a", "10.0.0.1"))
        second = manners.claim(wish("b", "10.0.0.2", gap_s=9.0))
        manners.step(second, 0.0, NOON)
        manners.leave(second, 1.0)
        manners.leave(first, 1.0)

        admitted(manners, wish("b", "10.0.0.2", gap_s=9.0), now=1.0)


class TestBudget:
    def test_it_counts_by_asset_over_its_addresses(self) -> None:
        manners = Manners()
        for second, address in enumerate(("10.0.0.1", "10.0.0.2")):
            manners.leave(admitted(manners, wish("a", address, max_connections=2), float(second)), float(second))

        denied = manners.denied(wish("a", "10.0.0.3", max_connections=2), NOON)

        assert denied == Denied("the budget of 2 connections is spent")
        assert manners.spent("a") == 2

    def test_it_counts_at_an_address_for_every_asset_there(self) -> None:
        manners = Manners()
        shy = AssetManners(max_connections=1)
        manners.leave(admitted(manners, wish("a", others=(("shy", shy),))), 0.0)

        assert manners.denied(wish("a", others=(("shy", shy),)), NOON) is not None
        assert manners.denied(wish("shy", "10.0.0.9", max_connections=1), NOON) is not None
        assert manners.denied(wish("a", "10.0.0.8"), NOON) is None

    def test_it_counts_by_address_where_names_lead_there(self) -> None:
        manners = Manners()
        manners.leave(admitted(manners, wish("a", max_connections=1)), 0.0)

        assert manners.denied(wish("b", max_connections=1), NOON) is not None

    def test_one_that_is_spent_while_others_wait_denies_them(self) -> None:
        manners = Manners()
        first = admitted(manners, wish(max_connections=1))
        second = manners.claim(wish("b", max_connections=1))
        manners.step(second, 0.0, NOON)
        manners.leave(first, 1.0)

        assert isinstance(manners.step(second, 1.0, NOON), Denied)

    def test_a_wish_that_never_came_to_pass_costs_nothing(self) -> None:
        manners = Manners()
        first = admitted(manners, wish(gap_s=1.0))
        second = manners.claim(wish(gap_s=1.0))
        manners.step(second, 0.0, NOON)
        manners.leave(first, 1.0)
        manners.leave(second, 1.0)

        assert manners.spent("a") == 1


class TestSiteAndRate:
    def test_the_site_cap_holds_and_its_place_is_handed_on(self) -> None:
        manners = Manners(site_connections=2)
        claims = [manners.claim(wish(f"a{i}", f"10.0.0.{i}")) for i in range(4)]

        decisions = [manners.step(claim, 0.0, NOON) for claim in claims[:2]]
        assert decisions[0] == Go()
        assert manners.step(claims[1], 1.0, NOON) == Go()
        assert manners.step(claims[2], 1.0, NOON) == manners.step(claims[3], 1.0, NOON) == WaitTurn()
        assert manners.leave(claims[1], 2.0) == (claims[2],)

    def test_the_rate_spaces_starts_and_saves_nothing_up(self) -> None:
        manners = Manners(connections_per_second=2)
        admitted(manners, wish("a", "10.0.0.1"), now=100.0)

        claims = [manners.claim(wish(f"b{i}", f"10.0.1.{i}")) for i in range(3)]

        assert [manners.step(claim, 100.0, NOON) for claim in claims] == [WaitUntil(100.5 + i / 2) for i in range(3)]
        assert manners.step(claims[0], 100.5, NOON) == Go()

    @pytest.mark.parametrize(("site_connections", "rate"), [(0, 1.0), (1, 0.0), (1, -1.0)])
    def test_limits_that_let_nothing_through_are_refused(self, site_connections: int, rate: float) -> None:
        with pytest.raises(ValueError, match="never"):
            Manners(site_connections=site_connections, connections_per_second=rate)


class TestDenied:
    def test_passive(self) -> None:
        assert Manners().denied(wish(passive=True), NOON) is not None
        assert Manners().denied(wish(others=(("b", AssetManners(passive=True)),)), NOON) is not None

    def test_quiet_hours(self) -> None:
        ask = wish(quiet_hours=(time(7), time(19)))

        assert Manners().denied(ask, NOON) == Denied("quiet hours of the asset (07:00-19:00)")
        assert Manners().denied(ask, time(19)) is None

    def test_quiet_hours_that_begin_while_it_waits(self) -> None:
        manners = Manners()
        ask = wish(quiet_hours=(time(13), time(14)))
        first = admitted(manners, ask)
        second = manners.claim(ask)
        manners.step(second, 0.0, NOON)
        manners.leave(first, 1.0)

        assert isinstance(manners.step(second, 1.0, time(13)), Denied)

    @given(st.times(), st.times(), st.times())
    def test_within_quiet_hours_is_the_way_round_the_clock(self, start: time, end: time, wall: time) -> None:
        # Walking on from the start, the wall time is inside if it comes before the end.
        def after_start(moment: time) -> tuple[bool, time]:
            return (moment < start, moment)

        inside = start == end or after_start(wall) < after_start(end)

        assert within_quiet_hours((start, end), wall) is inside

    def test_silence_in_the_middle_leaves_the_asset_and_the_address_alone(self) -> None:
        manners = Manners()
        manners.fell_silent(wish("a", "10.0.0.1", port=11112), in_the_middle=True)

        reason = Denied("left alone: port 11112 stopped answering in the middle")
        assert manners.denied(wish("a", "10.0.0.2"), NOON) == reason
        assert manners.denied(wish("b", "10.0.0.1"), NOON) == reason
        assert manners.denied(wish("b", "10.0.0.2"), NOON) is None

    def test_silence_of_a_port_that_had_answered(self) -> None:
        manners = Manners()
        manners.answered(wish().address, 104)
        manners.fell_silent(wish(port=443), in_the_middle=False)
        assert manners.denied(wish(), NOON) is None

        manners.fell_silent(wish(port=104), in_the_middle=False)
        assert manners.denied(wish(), NOON) is not None

    def test_questions_that_pass_unanswered_in_a_row(self) -> None:
        manners = Manners()
        for port in range(SILENT_QUESTIONS):
            assert manners.denied(wish(), NOON) is None
            manners.fell_silent(wish(port=port), in_the_middle=False)

        reason = f"left alone: {SILENT_QUESTIONS} questions in a row had no answer"
        assert manners.denied(wish(), NOON) == Denied(reason)
        assert manners.left_alone(wish()) == reason

    def test_an_answer_ends_the_row(self) -> None:
        manners = Manners()
        for port in range(1, 20, 2):
            manners.fell_silent(wish(port=port), in_the_middle=False)
            manners.answered(wish().address, port + 1)

        assert manners.denied(wish(), NOON) is None

    def test_silent_ports_are_a_firewall(self) -> None:
        manners = Manners()
        for port in range(3, 60):
            manners.knocked_in_vain(wish(), port)

        assert manners.denied(wish(), NOON) is None

    def test_a_port_that_had_answered_and_takes_no_connection_any_more(self) -> None:
        manners = Manners()
        manners.answered(wish().address, 104)
        manners.knocked_in_vain(wish(), 443)
        assert manners.denied(wish(), NOON) is None

        manners.knocked_in_vain(wish(), 104)
        assert manners.left_alone(wish()) == "left alone: port 104 stopped answering in the middle"


class TestBusy:
    @pytest.mark.parametrize(("gap_s", "peace_s"), [(0.0, 0.5), (0.1, 2.0), (9.0, 10.0)])
    def test_a_busy_device_is_left_in_peace_by_everybody(self, gap_s: float, peace_s: float) -> None:
        manners = Manners()
        shared = wish("a", gap_s=gap_s, others=(("b", AssetManners(gap_s=0.0)),))
        manners.leave(admitted(manners, shared, 1.0), 1.0)
        manners.busy(shared, 1.0)

        for ask in (shared, wish("b", "10.0.0.9"), wish("c", "10.0.0.1", port=443)):
            claim = manners.claim(ask)
            assert manners.step(claim, 1.25, NOON) == WaitUntil(1.0 + peace_s)
            manners.leave(claim, 1.25)

    def test_a_shorter_rest_does_not_end_the_peace(self) -> None:
        manners = Manners()
        open_still = admitted(manners, wish(gap_s=0.01))
        manners.busy(wish(gap_s=0.01), 1.0)
        manners.leave(open_still, 1.0)

        assert manners.step(manners.claim(wish(gap_s=0.01)), 1.2, NOON) == WaitUntil(1.5)

    def test_a_port_that_says_so_again_is_not_asked_any_further(self) -> None:
        manners = Manners()
        for number in range(BUSY_ANSWERS):
            assert manners.denied(wish(), NOON) is None
            manners.busy(wish(), float(number))
            manners.answered(wish().address, wish().port)

        assert manners.denied(wish("b"), NOON) == Denied("port 104 said 2 times that it is busy")
        assert manners.denied(wish(port=443), NOON) is None


class TestSweep:
    def test_the_device_is_its_own_until_it_leaves(self) -> None:
        manners = Manners()
        claim = sweeping(manners, wish())
        begun(manners, claim, 1)
        later = manners.claim(wish(port=443))

        assert manners.step(later, 1.0, NOON) == WaitTurn()
        assert manners.ended(claim, 1.0, opened=False) == ()
        assert manners.step(later, 1.0, NOON) == WaitTurn()
        assert manners.leave(claim, 2.0) == (later,)

    @pytest.mark.parametrize(("mine", "of_another", "most"), [(8, 8, 8), (3, 8, 3), (8, 1, 1), (50, 50, 8)])
    def test_so_many_are_pending_as_everybody_at_the_address_allows(
        self, mine: int, of_another: int, most: int
    ) -> None:
        manners = Manners(connections_per_second=inf)
        ask = wish(max_pending=mine, others=(("b", AssetManners(gap_s=0.0, max_pending=of_another)),))
        claim = sweeping(manners, ask)

        assert begun(manners, claim, 10) == [Go()] * most + [WaitTurn()] * (10 - most)
        manners.ended(claim, 1.0, opened=False)
        assert begun(manners, claim, 2, 1.0) == [Go(), WaitTurn()]

    def test_each_connection_counts_and_the_last_ones_are_denied(self) -> None:
        manners = Manners(connections_per_second=inf)
        claim = sweeping(manners, wish(max_connections=3))
        assert manners.spent("a") == 0

        said = begun(manners, claim, 4)

        assert said[:3] == [Go()] * 3
        assert said[3] == Denied("the budget of 3 connections is spent")
        assert manners.spent("a") == 3

    def test_starts_lie_a_gap_apart_and_an_open_port_gives_the_device_a_rest(self) -> None:
        manners = Manners()
        claim = sweeping(manners, wish(gap_s=0.5), now=10.0)

        assert begun(manners, claim, 2, 10.0) == [Go(), WaitUntil(10.5)]
        manners.ended(claim, 10.25, opened=False)
        assert begun(manners, claim, 1, 10.5) == [Go()]
        manners.ended(claim, 10.75, opened=True)
        assert begun(manners, claim, 1, 11.0) == [WaitUntil(11.25)]

    def test_the_gap_before_it_and_after_it_is_kept(self) -> None:
        manners = Manners()
        ask = wish(gap_s=2.0)
        manners.leave(admitted(manners, ask), 1.0)
        claim = manners.claim(ask, sweeps=True)
        assert manners.step(claim, 1.0, NOON) == WaitUntil(3.0)
        assert manners.step(claim, 3.0, NOON) == Go()
        begun(manners, claim, 1, 3.0)
        manners.leave(claim, 5.0)

        assert manners.step(manners.claim(ask), 5.0, NOON) == WaitUntil(7.0)

    def test_its_starts_are_in_the_rate_of_the_run(self) -> None:
        manners = Manners(connections_per_second=2)
        admitted(manners, wish("b", "10.0.0.2"), now=100.0)
        claim = sweeping(manners, wish(), now=100.0)

        assert begun(manners, claim, 1, 100.0) == [WaitUntil(100.5)]
        assert begun(manners, claim, 2, 100.5) == [Go(), WaitUntil(101.0)]

    def test_no_start_of_it_comes_before_its_time_in_the_rate(self) -> None:
        manners = Manners(connections_per_second=5000)
        claim = sweeping(manners, wish(), now=100.0)

        first, second = begun(manners, claim, 2, 100.0)
        assert first == Go()
        assert isinstance(second, WaitUntil)
        assert second.at == pytest.approx(100.0002, abs=1e-9)

    def test_a_loop_that_wakes_it_late_costs_none_of_the_rate_and_saves_nothing_up(self) -> None:
        manners = Manners(connections_per_second=5000)
        claim = sweeping(manners, wish(), now=100.0)
        begun(manners, claim, 2, 100.0)

        # Due at 100.0002, woken at 100.0007: those of 100.0004 and 100.0006 had been wished for as well.
        *said, last = begun(manners, claim, 4, 100.0007)
        assert said == [Go()] * 3
        assert isinstance(last, WaitUntil)
        manners.ended(claim, 101.0, opened=False)
        assert begun(manners, claim, 1, 101.0) == [Go()]
        manners.ended(claim, 102.0, opened=False)
        # Of the seconds in which it wanted nothing nothing is left.
        assert [type(each) for each in begun(manners, claim, 2, 102.0)] == [Go, WaitUntil]

    def test_however_late_it_is_woken_there_is_no_burst(self) -> None:
        manners = Manners(connections_per_second=1000)
        claim = sweeping(manners, wish(), now=100.0)
        begun(manners, claim, 2, 100.0)

        assert begun(manners, claim, 8, 101.0).count(Go()) <= 4

    def test_it_goes_on_with_fewer_where_the_site_is_full(self) -> None:
        manners = Manners(site_connections=4, connections_per_second=inf)
        admitted(manners, wish("b", "10.0.0.2"))
        claim = sweeping(manners, wish())

        assert begun(manners, claim, 5) == [Go(), Go(), Go(), WaitTurn(), WaitTurn()]
        waiting = manners.claim(wish("c", "10.0.0.3"))
        assert manners.step(waiting, 1.0, NOON) == WaitTurn()
        # Whoever waits comes first.
        assert manners.ended(claim, 1.0, opened=False) == (waiting,)
        assert begun(manners, claim, 1, 1.0) == [WaitTurn()]
        manners.ended(claim, 2.0, opened=False)
        manners.ended(claim, 2.0, opened=False)
        assert begun(manners, claim, 3, 2.0) == [Go(), Go(), WaitTurn()]

    def test_leaving_in_the_middle_gives_every_place_back(self) -> None:
        manners = Manners(site_connections=3, connections_per_second=inf)
        claim = sweeping(manners, wish())
        begun(manners, claim, 3)
        waiting = [manners.claim(wish(f"b{number}", f"10.0.1.{number}")) for number in range(3)]
        assert [manners.step(each, 0.0, NOON) for each in waiting] == [WaitTurn()] * 3

        assert manners.leave(claim, 1.0) == tuple(waiting)

    def test_the_whole_run_has_no_more_than_it_has_descriptors_for(self) -> None:
        manners = Manners(further_connections=3, connections_per_second=inf)
        one, other = sweeping(manners, wish("a", "10.0.0.1")), sweeping(manners, wish("b", "10.0.0.2", site="x"))

        assert begun(manners, one, 4) == [Go()] * 4
        assert begun(manners, other, 2) == [Go(), WaitTurn()]
        manners.leave(one, 1.0)
        assert begun(manners, other, 2, 1.0) == [Go(), Go()]

    def test_a_port_that_is_busy_is_left_out_and_the_others_are_not(self) -> None:
        manners = Manners(connections_per_second=inf)
        for _ in range(BUSY_ANSWERS):
            manners.busy(wish(port=2), -100.0)
        claim = sweeping(manners, wish(port=0))

        assert begun(manners, claim, 3) == [Go(), Denied("port 2 said 2 times that it is busy"), Go()]

    def test_quiet_hours_begin_in_the_middle(self) -> None:
        manners = Manners()
        claim = sweeping(manners, wish(quiet_hours=(time(13), time(14))))
        begun(manners, claim, 1)

        assert isinstance(manners.further(claim, 2, 1.0, time(13)), Denied)


class TestData:
    def test_a_question_that_was_answered_with_data_is_put_to_nobody_there_again(self) -> None:
        manners = Manners()
        manners.gave_data(wish("a", question="canary", others=(("b", AssetManners()),)))

        for ask in (
            wish("a", "10.0.0.7", question="canary"),
            wish("b", "10.0.0.8", question="canary"),
            wish("c", port=4242, question="canary"),
        ):
            assert manners.denied(ask, NOON) == Denied("the device has answered this question with data before")
        assert manners.denied(wish("a", question="survey"), NOON) is None
        assert manners.denied(wish("d", "10.0.0.9", question="canary"), NOON) is None


# ------------------------------------------------------------------------------------------------ everything at once


@dataclass(slots=True)
class Simulation:
    """A gateway without a network: does what the manners say, at the earliest moment, and holds them to all of it."""

    manners: Manners
    site_cap: int
    now: float = 0.0
    steps: int = 0
    open: list[Claim] = field(default_factory=list)
    waiting: set[Claim] = field(default_factory=set)
    sleeping: list[tuple[float, int, Claim]] = field(default_factory=list)
    denied: list[Ask] = field(default_factory=list)
    went: list[Claim] = field(default_factory=list)
    sweeps: list[Claim] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    ended_at: dict[tuple[str, str], float] = field(default_factory=dict)
    number: count[int] = field(default_factory=count)

    def want(self, ask: Ask, *, sweeps: bool = False) -> None:
        self.step(self.manners.claim(ask, sweeps=sweeps))

    def go_on(self, claim: Claim, port: int) -> None:
        """One more connection of a sweep, where that may be."""
        pending, last = claim.pending, claim.ready
        match self.manners.further(claim, port, self.now, NOON):
            case Go():
                assert self.now >= last, "before the gap was over"
                went, due = claim.went
                assert went == self.now
                assert due <= self.now, "before its time in the rate"
                self.starts.append(due)
                self.went.append(claim)
            case WaitUntil(at):
                assert at > self.now, "a wait for a moment that has come spins"
            case WaitTurn():
                assert pending, "it waits for itself, and has nothing that could end"
            case Denied():
                pass

    def end_of(self, claim: Claim, *, opened: bool) -> None:
        self.wake(self.manners.ended(claim, self.now, opened=opened))
        if opened:
            assert claim.ready >= self.now + claim.ask.gap_s

    def step(self, claim: Claim) -> None:
        self.steps += 1
        decision = self.manners.step(claim, self.now, NOON)
        match decision:
            case Go() if claim.sweeps:
                self.check_gap(claim.ask)
                self.open.append(claim)
                self.sweeps.append(claim)
            case Go():
                self.check_gap(claim.ask)
                assert claim.start is not None
                assert claim.start <= self.now
                self.starts.append(claim.start)
                self.open.append(claim)
                self.went.append(claim)
            case WaitUntil(at):
                assert at > self.now, "a wait for a moment that has come spins"
                heappush(self.sleeping, (at, next(self.number), claim))
            case WaitTurn():
                self.waiting.add(claim)
            case Denied():
                self.denied.append(claim.ask)
                self.leave(claim)

    def leave(self, claim: Claim) -> None:
        if claim in self.open:
            self.open.remove(claim)
            if claim.sweeps:
                self.sweeps.remove(claim)
            for name in names(claim.ask):
                self.ended_at[name] = self.now
        self.waiting.discard(claim)
        self.sleeping = [entry for entry in self.sleeping if entry[2] is not claim]
        self.wake(self.manners.leave(claim, self.now))

    def wake(self, claims: Iterable[Claim]) -> None:
        for woken in claims:
            assert woken in self.waiting, "woken, and not waiting"
            self.waiting.remove(woken)
            self.step(woken)

    def until(self, moment: float) -> None:
        while self.sleeping and self.sleeping[0][0] <= moment:
            self.now, _, claim = heappop(self.sleeping)
            self.step(claim)
        self.now = max(self.now, moment)

    def finish(self) -> None:
        """Let all that are open end, and all that wait have their turn."""
        while self.open or self.sleeping:
            for claim in list(self.open):
                self.leave(claim)
            if self.sleeping:
                self.until(self.sleeping[0][0])

    def check_gap(self, ask: Ask) -> None:
        for name in names(ask):
            owner = dict([(ask.asset_id, ask.manners), *ask.others]).get(name[1]) if name[0] == "asset" else None
            gap = owner.gap_s if owner is not None else ask.manners.gap_s
            assert self.now >= self.ended_at.get(name, float("-inf")) + gap - 1e-9

    def check_counts(self) -> None:
        busy = [name for claim in self.open for name in names(claim.ask)]
        assert len(busy) == len(set(busy)), "two connections at once"
        for site in {claim.ask.site for claim in self.open}:
            there = [claim for claim in self.open if claim.ask.site == site]
            assert sum(max(1, claim.pending) for claim in there) <= self.site_cap
        assert all(claim.pending <= claim.ask.max_pending for claim in self.sweeps)


def names(ask: Ask) -> Iterable[tuple[str, str]]:
    return [
        ("address", ask.address),
        *(("asset", asset_id) for asset_id in (ask.asset_id, *(other for other, _ in ask.others))),
    ]


FLEET = {
    "a": (("x", "y"), "s1", AssetManners(max_connections=3, gap_s=1.0, max_pending=2)),
    "b": (("x",), "s1", AssetManners(max_connections=2, gap_s=0.0)),
    "c": (("x", "z"), "s2", AssetManners(max_connections=80, gap_s=0.25)),
    "d": (("w",), "s1", AssetManners(max_connections=80, gap_s=0.0)),
    "e": (("v",), "s1", AssetManners(max_connections=80, gap_s=3.0)),
}


def fleet_wish(asset: str, at: int, port: int) -> Ask:
    addresses, site, manners = FLEET[asset]
    address = addresses[at % len(addresses)]
    others = tuple((name, held[2]) for name, held in FLEET.items() if name != asset and address in held[0])
    return Ask(asset, address, port, site, manners, others)


WISHES = st.builds(fleet_wish, st.sampled_from(sorted(FLEET)), st.integers(0, 1), st.integers(1, 3))


class MannersMachine(RuleBasedStateMachine):
    simulation: Simulation

    @initialize(site_cap=st.integers(1, 3), rate=st.sampled_from([0.5, 10.0, 5000.0]))
    def begin(self, site_cap: int, rate: float) -> None:
        self.interval = 1.0 / rate
        self.simulation = Simulation(Manners(site_connections=site_cap, connections_per_second=rate), site_cap)

    @rule(ask=WISHES)
    def want(self, ask: Ask) -> None:
        self.simulation.want(ask)

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.simulation.until(self.simulation.now + seconds)

    @precondition(lambda self: self.simulation.open)
    @rule(data=st.data())
    def end_one(self, data: st.DataObject) -> None:
        self.simulation.leave(data.draw(st.sampled_from(self.simulation.open)))

    @rule(ask=WISHES)
    def want_a_sweep(self, ask: Ask) -> None:
        self.simulation.want(ask, sweeps=True)

    @precondition(lambda self: self.simulation.sweeps)
    @rule(data=st.data(), port=st.integers(1, 3), times=st.integers(1, 4))
    def go_on(self, data: st.DataObject, port: int, times: int) -> None:
        claim = data.draw(st.sampled_from(self.simulation.sweeps))
        for _ in range(times):
            self.simulation.go_on(claim, port)

    @precondition(lambda self: any(claim.pending for claim in self.simulation.sweeps))
    @rule(data=st.data(), opened=st.booleans())
    def end_one_of_a_sweep(self, data: st.DataObject, opened: bool) -> None:
        pending = [claim for claim in self.simulation.sweeps if claim.pending]
        self.simulation.end_of(data.draw(st.sampled_from(pending)), opened=opened)

    @precondition(lambda self: self.simulation.waiting or self.simulation.sleeping)
    @rule(data=st.data())
    def give_one_up(self, data: st.DataObject) -> None:
        claims = [*sorted(self.simulation.waiting, key=id), *(entry[2] for entry in self.simulation.sleeping)]
        self.simulation.leave(claims[data.draw(st.integers(0, len(claims) - 1))])

    @rule(ask=WISHES, in_the_middle=st.booleans())
    def silence(self, ask: Ask, in_the_middle: bool) -> None:
        self.simulation.manners.fell_silent(ask, in_the_middle=in_the_middle)

    @rule(ask=WISHES)
    def knock_in_vain(self, ask: Ask) -> None:
        self.simulation.manners.knocked_in_vain(ask, ask.port)

    @rule(ask=WISHES)
    def answer(self, ask: Ask) -> None:
        self.simulation.manners.answered(ask.address, ask.port)

    @rule(ask=WISHES)
    def say_busy(self, ask: Ask) -> None:
        self.simulation.manners.busy(ask, self.simulation.now)

    @rule(ask=WISHES)
    def give_data(self, ask: Ask) -> None:
        self.simulation.manners.gave_data(ask)

    @invariant()
    def one_at_a_time_and_a_cap_for_each_site(self) -> None:
        self.simulation.check_counts()

    @invariant()
    def budgets_are_kept(self) -> None:
        for asset, (_, _, manners) in FLEET.items():
            spent = sum(("asset", asset) in names(claim.ask) for claim in self.simulation.went)
            assert spent == self.simulation.manners.spent(asset)
            assert spent <= manners.max_connections

    @invariant()
    def starts_are_spaced_by_the_rate(self) -> None:
        starts = sorted(self.simulation.starts)
        assert all(later - earlier >= self.interval - 1e-9 for earlier, later in pairwise(starts))

    @invariant()
    def denied_stays_denied(self) -> None:
        assert all(self.simulation.manners.denied(ask, NOON) is not None for ask in self.simulation.denied)

    def teardown(self) -> None:
        if not hasattr(self, "simulation"):
            return
        self.simulation.finish()
        assert not self.simulation.waiting, "somebody waits for a turn that never comes"
        assert not self.simulation.manners._places, "something is held by nobody"


TestEverythingAtOnce = MannersMachine.TestCase
TestEverythingAtOnce.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("rate", [100.0, 5000.0])
def test_thousands_of_wishes_take_a_few_steps_each(rate: float) -> None:
    simulation = Simulation(Manners(connections_per_second=rate), site_cap=64)
    wishes = 2000

    for number in range(wishes):
        simulation.want(wish(f"a{number}", f"10.1.{number // 250}.{number % 250}", site=f"s{number % 4}"))
    simulation.finish()

    assert len(simulation.went) == wishes
    assert simulation.steps <= 4 * wishes
