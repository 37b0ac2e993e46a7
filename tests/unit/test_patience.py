"""How long a silent port is waited for and how often it is asked, as arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.net.patience import (
    CLEAR,
    FEW,
    PATIENT,
    UNHEARD,
    USUAL,
    Answers,
    Ladder,
    ladder,
    may_be_filtered,
    syns,
    wait_s,
)

# When this kernel repeats a SYN (measured), in seconds after the first.
REPEATED_AT = (1.0, 2.0, 3.0, 4.0, 5.0, 7.0)
NOTHING = Answers()
PENDING, SILENT = 8, 29


def answers(*rtts: float, lost: int = 0) -> Answers:
    made = Answers()
    for rtt_s in rtts:
        made.add(rtt_s, lost=lost)
    return made


def site(came: int, lost: int = 0) -> Answers:
    return Answers(came=came, lost=lost, slowest_s=0.001)


def seconds(rungs: Ladder, device: Answers) -> float:
    """How long the silent ports of a device take."""
    return sum(wait_s(rung, device, NOTHING) for rung in rungs) * SILENT / PENDING


class TestWaits:
    @given(st.integers(1, 6), st.floats(0, 0.89), st.booleans())
    def test_each_is_past_the_repetition_with_time_for_its_answer(
        self, repetitions: int, rtt_s: float, known: bool
    ) -> None:
        device = answers(rtt_s) if known else NOTHING
        wait = wait_s(repetitions, device, NOTHING)
        assert wait >= REPEATED_AT[repetitions - 1] * 1.0625 + 0.1
        if known:
            assert wait >= REPEATED_AT[repetitions - 1] + min(2.0, 2 * rtt_s)

    def test_they_are_shorter_where_the_site_is_known_to_answer_fast(self) -> None:
        assert wait_s(1, answers(0.001), NOTHING) == wait_s(1, NOTHING, site(3)) == pytest.approx(1.17)
        assert wait_s(1, NOTHING, NOTHING) == pytest.approx(1.5)

    def test_a_device_that_answers_slowly_is_waited_for_though_its_site_is_fast(self) -> None:
        assert wait_s(1, answers(0.4), site(100)) == pytest.approx(1.07 + 1.6)

    @pytest.mark.parametrize(("rungs", "most"), [(CLEAR, 9), (USUAL, 14)])
    def test_a_firewalled_device_is_done_in_time(self, rungs: Ladder, most: float) -> None:
        assert seconds(rungs, answers(0.001)) < most


class TestLadder:
    def test_every_one_asks_again(self) -> None:
        assert all(len(rungs) >= 2 for rungs in (CLEAR, USUAL, UNHEARD, FEW, PATIENT))
        assert [syns(rungs) for rungs in (CLEAR, USUAL, UNHEARD, FEW, PATIENT)] == [4, 5, 6, 13, 20]

    def test_without_any_answer_there_is_time_for_a_neighbour_that_is_not_there(self) -> None:
        assert ladder(NOTHING, site(1000), few=False) == UNHEARD
        # Three questions, a second after each (RFC 4861 section 10), and the kernel's timers late.
        assert wait_s(UNHEARD[1], NOTHING, site(1000)) > 3 * 1.0625

    def test_where_answers_came_and_none_was_lost(self) -> None:
        assert ladder(answers(0.001), site(7), few=False) == USUAL
        assert ladder(answers(0.001), site(8), few=False) == CLEAR
        assert ladder(answers(0.001), site(8), few=True) == FEW

    @pytest.mark.parametrize(
        ("seen", "rungs"),
        [
            pytest.param(site(30, 1), (1, 3), id="2 in 33: 5 SYNs"),
            pytest.param(site(30, 2), (1, 3), id="3 in 34: 6 SYNs"),
            pytest.param(site(30, 10), (1, 3, 6), id="11 in 42: 11 SYNs"),
            pytest.param(site(30, 30), PATIENT, id="half: 20 SYNs"),
            pytest.param(site(1, 6), PATIENT, id="worse"),
        ],
    )
    def test_where_syns_were_lost_the_loss_says_how_often(self, seen: Answers, rungs: Ladder) -> None:
        assert ladder(seen, site(1000), few=False) == rungs
        assert len(rungs) == len(PATIENT) or seen.loss ** syns(rungs) <= 1e-6

    def test_a_lossy_site_makes_patient_with_a_device_that_lost_nothing(self) -> None:
        assert ladder(answers(0.001), site(100, 100), few=False) == PATIENT
        assert ladder(NOTHING, site(100, 100), few=False) == PATIENT
        assert ladder(answers(0.001), site(1000, 5), few=False) == CLEAR

    @given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
    def test_few_silent_ports_are_never_asked_less(self, came: int, lost: int, of_site: int, late: int) -> None:
        device, around = Answers(came, lost if came else 0), Answers(of_site, late if of_site else 0)
        assert syns(ladder(device, around, few=True)) >= syns(FEW)
        assert syns(ladder(device, around, few=True)) >= syns(ladder(device, around, few=False))


class TestAnswers:
    def test_what_was_lost_before_them_adds_up(self) -> None:
        assert answers(0.001, 0.002, lost=3) == Answers(came=2, lost=6)

    def test_one_to_a_repeated_syn_says_nothing_of_how_fast_the_device_is(self) -> None:
        made = answers(0.25)
        made.add(1.01, lost=1)
        assert made.slowest_s == 0.25

    def test_loss_is_a_share_from_above(self) -> None:
        assert NOTHING.loss == 0.5
        assert site(98).loss == 0.01
        assert site(50, 50).loss == 0.5


@pytest.mark.parametrize(("asked", "lost", "may"), [(1, 0, False), (2, 0, True), (2, 1, False), (3, 1, False)])
def test_what_was_not_asked_again_or_on_a_lossy_way_not_often_enough_is_not_called_filtered(
    asked: int, lost: int, may: bool
) -> None:
    assert may_be_filtered(asked, Answers(came=5, lost=lost), NOTHING) is may
    assert may_be_filtered(asked, NOTHING, site(100, 10 * lost)) is may
