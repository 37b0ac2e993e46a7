"""The fronts of the tests about the web are consistent, and the documentation says of them what their data says."""

from __future__ import annotations

import pytest

from checker.model import Status
from checker.rules.web_states import State, status_of
from tests.live.web_fronting import Front, Really, inconsistent
from tests.live.web_fronts import FRONTS
from tests.live.web_fronts_limits import LIMITS
from tests.tables import web
from tests.tables.page import WEB, read

PAGE = WEB.read_text("utf-8")

# Silence and nonsense are not served here: `tests/live/test_web_hostile.py` has them. Of what was never asked there is
# no front.
ELSEWHERE = {State.INCONCLUSIVE_TIMEOUT, State.INCONCLUSIVE_MALFORMED, State.NOT_ASKED}


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.name)
def test_no_open_front_is_called_gated_and_no_gated_one_open(front: Front) -> None:
    assert inconsistent(front) == []


def test_every_verdict_is_that_of_its_state() -> None:
    doors = [door for front in (*FRONTS, *LIMITS) for door in front.doors]
    assert [door for door in doors if status_of(door.state) is not door.verdict] == []


def test_every_state_has_a_front() -> None:
    found = {door.state for front in FRONTS for door in front.doors}
    assert set(State) - found == ELSEWHERE


def test_each_front_has_its_own_name() -> None:
    fronts = (*FRONTS, *LIMITS)
    assert len({front.name for front in fronts}) == len({front.front for front in fronts}) == len(fronts)


def test_the_limits_are_open_fronts_that_pass() -> None:
    doors = [door for front in LIMITS for door in front.doors]
    assert {(door.really, door.verdict) for door in doors} == {(Really.OPEN, Status.PASS)}


def test_the_page_has_the_states_that_there_are() -> None:
    assert read(PAGE, "web-states") == web.states()[0]


def test_the_page_has_the_fronts_that_there_are() -> None:
    assert read(PAGE, "web") == web.stated()


def test_the_page_has_the_limits_that_there_are() -> None:
    assert read(PAGE, "web-limits") == web.stated_limits()
