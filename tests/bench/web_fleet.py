"""A fleet of DICOMweb services for the benchmark: asked by our door alone, or visited by the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from checker.codecs.http import PREFIX_BYTES
from checker.codecs.http_questions import read_enough
from checker.engine import EngineOptions, run_visits
from checker.engine.loop import loop_factory
from checker.model import (
    Asset,
    BodyKind,
    HttpFacts,
    HttpPurpose,
    Inventory,
    Observation,
    Role,
    Service,
    ServiceKind,
)
from checker.net.gateway import Clock, Gateway, Limits
from checker.net.http import Failure, HttpDoor, Request
from checker.net.ledger import Ledger
from checker.net.manners import Manners
from tests.bench.fleet import inventory
from tests.bench.web_clients import Unexpected
from tests.bench.web_questions import ACCEPT, AT_ONCE, seldom_collecting, urls

RATE = 1e6
"""Connections a second: more than there can be, for the product's own bound of 5,000 would be all that is measured."""
# Of whole visits the engine's own limits hold; here all wait for the last, which a busy machine may keep for long.
_LIMITS = Limits(connect_s=60.0, conversation_s=120.0, receive_buffer=4096)
_RIGHT = {HttpPurpose.CANARY: (200, BodyKind.EMPTY_ARRAY), HttpPurpose.CONTROL: (404, BodyKind.JSON_OBJECT)}


def ask(addresses: Sequence[str], port: int, *, tls: bool) -> int:
    """One canary of each address through the gateway with its ledger and manners, all in flight together."""
    fleet, asked = _inventory(addresses, port, tls=tls), urls(addresses, port, tls=tls)
    with seldom_collecting(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_all(fleet, asked))


def visit(addresses: Sequence[str], port: int, *, tls: bool) -> int:
    """Visit each DICOMweb service, whole, by the engine; the connections that it took."""
    fleet, counting = _inventory(addresses, port, tls=tls), _Counting()
    end = run_visits(
        fleet, fleet.assets, EngineOptions(rate=RATE), counting, run_id="bench", visited=lambda _asset: None
    )
    if counting.answered != len(_RIGHT) * len(addresses):
        message = f"{counting.answered} right answers of {len(addresses)} services"
        raise Unexpected(message)
    return end.totals.connections


def _inventory(addresses: Sequence[str], port: int, *, tls: bool) -> Inventory:
    """An open DICOMweb service at each address, declared by its address."""
    scheme = "https" if tls else "http"
    fleet = inventory(addresses, Service(ServiceKind.DICOMWEB, port), Role.ARCHIVE)
    assets = (
        replace(asset, services=(replace(service, url=f"{scheme}://{asset.addresses[0]}:{port}{AT_ONCE}"),))
        for asset in fleet.assets
        for service in asset.services
    )
    return replace(fleet, assets=tuple(assets))


async def _all(fleet: Inventory, asked: Sequence[str]) -> int:
    clock = Clock(utc=lambda: datetime.now(UTC), local=lambda: datetime.now().astimezone())
    ledger = Ledger(lambda _line: None, run_id="bench", vantage="local", now=clock.utc)
    gateway = Gateway(fleet, Manners(connections_per_second=RATE), ledger, clock)
    door = HttpDoor("bench")
    await asyncio.gather(*(_get(gateway, door, asset, url) for asset, url in zip(fleet.assets, asked, strict=True)))
    await door.aclose()
    if ledger.totals.connections != len(asked):
        message = f"{ledger.totals.connections} connections for {len(asked)} requests"
        raise Unexpected(message)
    return len(asked)


async def _get(gateway: Gateway, door: HttpDoor, asset: Asset, url: str) -> None:
    device = gateway.device(asset)
    permit = device.permit(asset.addresses[0])
    if permit is None:
        raise Unexpected(asset.addresses[0])
    request = Request(
        url, permit, asset.services[0].port, "dicomweb canary", ACCEPT, PREFIX_BYTES, _LIMITS, read_enough
    )
    answer = await door.get(device, request, server_name=None)
    if isinstance(answer, Failure) or (answer.status, answer.prefix, answer.complete) != (200, b"[]", True):
        message = f"no answer of the server's: {answer}"
        raise Unexpected(message)


class _Counting:
    """What was recorded is counted and dropped."""

    def __init__(self) -> None:
        self.answered = 0

    def observation(self, observation: Observation) -> None:
        """Count an answer that was what the server gives."""
        facts = observation.facts
        if isinstance(facts, HttpFacts):
            self.answered += _RIGHT.get(facts.purpose) == (facts.status, facts.body)

    def ledger(self, line: bytes) -> None:
        """Taken and dropped."""

    def sync(self) -> None:
        """Nothing to bring to disk."""
