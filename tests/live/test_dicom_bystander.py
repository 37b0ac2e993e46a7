"""Our visits beside another client of the same server: nobody waits for us."""

from __future__ import annotations

import pytest

from checker.model import AssociationOutcome, DicomFacts, QueryVerdict
from tests.live.bystanding import SERVERS, STREAMER, Standing, beside

pytestmark = pytest.mark.live

VISITS = 8
BOUND_S = 1.0  # the benchmark tells the exact figure; a machine that is busy with other tests is late itself
# A server that takes one at a time serves us behind the bystander: the wait for our turn is in what the ledger tells.
HELD_S = 1.0


def assert_nobody_waited(standing: Standing) -> None:
    assert len(standing.beside) >= VISITS // 2, "hardly an echo fell into the visits"
    assert standing.delay_s < BOUND_S, standing
    assert max(standing.held_s) < HELD_S, standing


def asked(facts: tuple[DicomFacts, ...]) -> list[DicomFacts]:
    return [one for one in facts if one.outcome is not AssociationOutcome.NOT_ASKED]


@pytest.mark.parametrize("name", sorted(SERVERS.keys() - {STREAMER}))
def test_another_client_is_not_delayed_by_a_visit(name: str) -> None:
    with SERVERS[name]() as server:
        standing = beside(server, visits=VISITS)
    assert_nobody_waited(standing)
    associations = asked(standing.facts)
    assert len(associations) == len(standing.held_s) == 3 * VISITS
    # An association that the server would have to wait for the end of is one that was accepted and not released.
    accepted = [facts for facts in associations if facts.outcome is AssociationOutcome.ACCEPTED]
    assert len(accepted) >= 2 * VISITS
    assert all(facts.released for facts in accepted)
    assert {facts.outcome for facts in associations} <= {AssociationOutcome.ACCEPTED, AssociationOutcome.REJECTED}


def test_another_client_is_not_delayed_where_the_canary_is_answered_with_data() -> None:
    with SERVERS[STREAMER]() as server:
        standing = beside(server, visits=VISITS)
    assert_nobody_waited(standing)
    verdicts = [facts.query for facts in asked(standing.facts) if facts.query is not None]
    assert verdicts == [QueryVerdict.KEY_IGNORED] * VISITS
