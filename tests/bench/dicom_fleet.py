"""A fleet of DICOM services for the benchmark: visited by the engine itself, recorded into nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from checker.engine import EngineOptions, run_visits
from checker.engine.loop import loop_factory, seldom_collecting
from checker.model import (
    Asset,
    AssociationOutcome,
    AssociationPurpose,
    DicomFacts,
    Facts,
    Inventory,
    Observation,
    Role,
    Service,
    ServiceKind,
)
from checker.net.gateway import Clock, Gateway
from checker.net.ledger import Ledger
from checker.net.manners import Manners
from checker.probes.association import Question, associate
from checker.probes.talk import Talk
from tests.bench.fleet import inventory as same_service

RATE = 1e9
"""Connections a second: more than there can be, for the product's own bound of 5,000 would be all that is measured. At
less, many visits that want to start at the same tick of the clock would wait for the next, which costs more than it."""
AT_ONCE = 500
"""As many visits at once as the engine makes by default."""
_CALLED, _CALLING = "ANY-SCP", "BENCH"


class Unexpected(Exception):  # noqa: N818 - named for what it is
    """A visit did not find what the server is: what it has cost would mean nothing."""


class _Counting:
    """What was recorded is counted and dropped."""

    def __init__(self) -> None:
        self.accepted = 0

    def observation(self, observation: Observation) -> None:
        """Count an association that was accepted and released."""
        facts = observation.facts
        if isinstance(facts, DicomFacts) and facts.outcome is AssociationOutcome.ACCEPTED and facts.released:
            self.accepted += 1

    def ledger(self, line: bytes) -> None:
        """Taken and dropped."""

    def sync(self) -> None:
        """Nothing to bring to disk."""


def inventory(addresses: Sequence[str], port: int) -> Inventory:
    """A DICOM service at each address."""
    return same_service(addresses, Service(ServiceKind.DICOM, port, ae_title=_CALLED), Role.ARCHIVE)


def visit(fleet: Inventory) -> int:
    """Visit each asset, whole, by the engine; the associations that it took."""
    counting = _Counting()
    end = run_visits(
        fleet, fleet.assets, EngineOptions(rate=RATE), counting, run_id="bench", visited=lambda _asset: None
    )
    _expect(counting.accepted, end.totals.connections)
    return counting.accepted


def survey(fleet: Inventory, *, echo: bool) -> int:
    """The survey alone of each asset, through the gateway with its ledger and manners; how many there were."""
    with seldom_collecting(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_surveys(fleet, echo=echo))


async def _surveys(fleet: Inventory, *, echo: bool) -> int:
    accepted = 0
    clock = Clock(utc=lambda: datetime.now(UTC), local=lambda: datetime.now().astimezone())
    ledger = Ledger(lambda _line: None, run_id="bench", vantage="local", now=clock.utc)
    gateway = Gateway(fleet, Manners(connections_per_second=RATE), ledger, clock)
    queue = iter(fleet.assets)

    async def work() -> None:
        nonlocal accepted
        for asset in queue:
            facts = await _associate(gateway, asset, echo=echo)
            accepted += facts.outcome is AssociationOutcome.ACCEPTED and facts.released

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    _expect(accepted, len(fleet.assets))
    return accepted


async def _associate(gateway: Gateway, asset: Asset, *, echo: bool) -> DicomFacts:
    device = gateway.device(asset)
    permit = device.permit(asset.addresses[0])
    if permit is None:
        raise Unexpected(asset.addresses[0])
    question = Question(AssociationPurpose.SURVEY, _CALLED, _CALLING, tls=False, server_name=None, echo=echo)
    return (await associate(Talk(device, permit, asset.services[0].port, _drop), question)).facts


def _drop(_facts: Facts) -> None:
    """Taken and dropped."""


def _expect(accepted: int, wanted: int) -> None:
    if accepted != wanted:
        message = f"{accepted} associations of {wanted} were accepted and released"
        raise Unexpected(message)
