"""UDP in the plan, in a visit that is broken off, and in what is kept: as what was chosen, and never as a TCP port."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from checker.catalog.ports import Choice
from checker.catalog.udp import udp_question_ports
from checker.model import (
    AssetManners,
    Observation,
    UdpAnswer,
    UdpFacts,
    UdpQuestion,
    UdpState,
)
from checker.net.udp import UdpLimits
from checker.plan import (
    PORT_CONNECTIONS,
    UDP_CONNECTIONS,
    AssetPlan,
    Step,
    StepKind,
    chosen_ports,
    chosen_udp,
    plan_asset,
)
from checker.records import line, read_observation
from tests.live.doors import Door, asset

TODAY = date(2026, 11, 24)
ADDRESSES = ("127.0.0.1", "::1")


def plan(udp: tuple[int, ...], ports: tuple[int, ...] = (), manners: AssetManners | None = None) -> AssetPlan:
    subject = asset(addresses=ADDRESSES, manners=manners or AssetManners())
    return plan_asset(subject, Door(subject).gateway.scope, ports, TODAY, udp=udp)


def udp_steps(made: AssetPlan) -> list[Step]:
    return [step for step in made.steps if step.kind is StepKind.UDP]


@pytest.mark.parametrize(
    ("choice", "tcp", "udp"),
    [
        ((104, "udp/161", "udp/69"), (104,), (161, 69)),
        (("udp/161",), (), (161,)),
        ("none", (), ()),
        (("none", "udp"), (), (161, 623, 69, 123, 137, 1900, 5353, 10161, 6514, 5684)),
    ],
)
def test_what_is_chosen_is_told_apart_by_its_transport(
    choice: Choice, tcp: tuple[int, ...], udp: tuple[int, ...]
) -> None:
    inventory = Door(asset()).inventory

    assert chosen_ports(choice, inventory) == tcp
    assert chosen_udp(choice, inventory) == udp


def test_nothing_is_asked_over_udp_unless_it_is_chosen() -> None:
    assert chosen_udp(None, Door(asset()).inventory) == ()
    assert udp_steps(plan(())) == []


def test_each_address_is_asked_after_all_else_and_both_datagrams_are_counted() -> None:
    made = plan((161, 69), ports=(23,))

    assert [(step.address, step.port, step.purpose) for step in udp_steps(made)] == [
        (address, port, question) for address in ADDRESSES for port, question in ((161, "snmp"), (69, "tftp"))
    ]
    assert made.steps[-4:] == tuple(udp_steps(made))
    assert made.connections == 2 * PORT_CONNECTIONS + 4 * UDP_CONNECTIONS
    assert len(UdpLimits().waits_s) == UDP_CONNECTIONS


def test_a_port_number_of_both_transports_is_two_places() -> None:
    made = plan((623,), ports=(623,))

    assert [step.kind for step in made.steps if step.port == 623] == [StepKind.PORT] * 2 + [StepKind.UDP] * 2


def test_a_port_without_a_question_is_told_of_and_costs_nothing() -> None:
    made = plan((161, 500))

    assert made.refusals == ("no question is known for UDP on 500: not asked",)
    assert [step.connections for step in udp_steps(made)] == [UDP_CONNECTIONS, 0] * 2


def test_udp_counts_in_the_budget() -> None:
    made = plan(udp_question_ports(), manners=AssetManners(max_connections=10))

    assert made.connections == 10
    assert "the budget is 10" in made.refusals[0]


@pytest.mark.parametrize("state", list(UdpState))
def test_what_a_port_showed_comes_back_as_it_was(state: UdpState) -> None:
    facts = UdpFacts(
        question=UdpQuestion.RMCP,
        state=state,
        asked=2,
        answer=UdpAnswer(enterprise=4542, services=("_ssh._tcp",), ipmi=True, gave_data=False),
        strays=3,
        icmp=(3, 13),
        offender="10.231.1.1",
        rtt_ms=0.5,
        detail="EPERM",
    )
    kept = Observation("a:1", "a", "local", datetime(2026, 11, 24, tzinfo=UTC), "127.0.0.1", 623, None, facts)

    assert read_observation(line(kept), "here") == kept


def test_a_port_that_is_not_asked_says_so_by_default() -> None:
    bare = {"id": "a:1", "asset_id": "a", "vantage": "local", "observed_at": "2026-11-24T00:00:00Z", "service": None}
    text = json.dumps({**bare, "address": "127.0.0.1", "port": 161, "facts": {"type": "udp"}}).encode()

    assert read_observation(text, "here").facts == UdpFacts(state=UdpState.NOT_ASKED)
