"""Recognition in the plan: which ports may be asked what they are, in what, and that it takes only what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from checker.catalog.ports import Choice, Speaks, spoken_ports, tcp_ports
from checker.cli import options
from checker.errors import UsageError
from checker.model import Asset, Service, ServiceKind
from checker.plan import AssetPlan, Step, StepKind, chosen_ports, chosen_speaks, plan_asset
from checker.scope import Scope
from tests.unit.test_plan import ADDRESS, DICOM, OTHER, asset, inventory

TODAY = date(2026, 11, 24)


def plan(subject: Asset, ports: tuple[int, ...], speaks: Mapping[int, Speaks], udp: tuple[int, ...] = ()) -> AssetPlan:
    return plan_asset(subject, Scope(inventory(subject)), ports, TODAY, udp=udp, speaks=speaks)


def recognitions(found: AssetPlan) -> list[Step]:
    return [step for step in found.steps if step.kind is StepKind.RECOGNISE]


def test_only_ports_of_which_it_is_said_what_they_speak_are_asked_what_they_are() -> None:
    found = recognitions(plan(asset(), (22, 104, 443, 4711), spoken_ports((22, 104, 443, 4711))))

    assert [(step.address, step.port, step.speaks, step.connections) for step in found] == [
        (ADDRESS, 104, "dicom", 1),
        (ADDRESS, 443, "tls", 1),
    ]


def test_what_is_declared_is_not_asked_what_it_is() -> None:
    elsewhere = Service(ServiceKind.WEB, 8080, url=f"http://{OTHER}:8080/")
    found = recognitions(plan(asset(DICOM, elsewhere), (11112, 8080), spoken_ports((11112, 8080))))

    # The port is declared at another address than the asset's own, where somebody else may have it.
    assert [(step.address, step.port) for step in found] == [(ADDRESS, 8080)]


def test_every_address_is_asked_for_itself() -> None:
    found = recognitions(plan(asset(addresses=(ADDRESS, OTHER, "fd00:20::5")), (104,), {104: "dicom"}))

    assert [step.address for step in found] == [ADDRESS, OTHER, "fd00:20::5"]


def test_it_comes_last_and_takes_only_what_the_budget_leaves() -> None:
    found = plan(asset(DICOM), (23, 104, 443), spoken_ports((104, 443)), udp=(161,))

    kinds = [step.kind for step in found.steps]
    assert kinds[-2:] == [StepKind.RECOGNISE] * 2
    assert all(step.least == 0 for step in recognitions(found))


def test_that_few_may_be_asked_is_no_refusal() -> None:
    everything = sum(step.connections for step in plan(asset(DICOM), (23, 104, 443), {}).steps)
    tight = replace(asset(DICOM).manners, max_connections=everything)

    found = plan(replace(asset(DICOM), manners=tight), (23, 104, 443), spoken_ports((104, 443)))

    assert found.refusals == ()
    assert found.connections == everything
    assert len(recognitions(found)) == 2


@pytest.mark.parametrize("choice", ["imaging", ("orthanc", "http/8888"), (104, 443)])
def test_the_choice_says_which_ports_and_in_what(choice: str | tuple[int | str, ...]) -> None:
    owned = replace(inventory(), defaults=replace(inventory().defaults, ports=choice))

    assert chosen_ports(None, owned) == tcp_ports(choice) == chosen_ports(choice, inventory())
    assert chosen_speaks(None, owned) == spoken_ports(choice) == chosen_speaks(choice, inventory())


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (None, None),
        ("imaging", "imaging"),
        ("imaging, orthanc,5678", ("imaging", "orthanc", 5678)),
        ("104,104,443", (104, 443)),
        ("udp/161", ("udp/161",)),
        ("dicom/10104,none", ("dicom/10104", "none")),
    ],
)
def test_the_option_joins_sets_and_ports(text: str | None, chosen: Choice | None) -> None:
    assert options.chosen_ports(text) == chosen


@pytest.mark.parametrize("text", ["", "imaging,", "104,imagine", "tcp/80", "udp/x", "-1", "70000", "dicom/0", "1.5"])
def test_the_option_takes_nothing_else(text: str) -> None:
    with pytest.raises(UsageError, match="is no port from 1 to 65535"):
        options.chosen_ports(text)
