"""How a live test drives a probe: one synthetic asset on loopback, a gateway of its own, a ledger in memory.

    with talking(server.host, server.port) as session:
        await probe_dicom(session.talk, service, calling="UNREGISTERED", server_name=None)
    assert session.of(DicomFacts)[0].outcome is AssociationOutcome.ACCEPTED
    assert session.connections == 3

At the end of the block every connection must be over: one that a probe left open fails the test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from checker.model import (
    Asset,
    AssetManners,
    Authorization,
    Defaults,
    Facts,
    Inventory,
    Permit,
    Role,
    Service,
)
from checker.net.gateway import Clock, Device, Gateway
from checker.net.ledger import Ledger
from checker.net.manners import Manners
from checker.probes.talk import Talk

OWNED = ("127.0.0.0/8", "::1/128")
QUICK = AssetManners(gap_s=0.01)
"""The manners of the tests' asset: a gap that a test does not notice."""

FactsKind = TypeVar("FactsKind", bound=Facts)


@dataclass(slots=True)
class Session:
    """One visit of the synthetic asset. `talk` is for the port it was made for, `on` gives one for another port.

    `facts` are all that any of them recorded, in order.
    """

    gateway: Gateway
    device: Device
    permit: Permit
    talk: Talk
    facts: list[Facts]
    written: list[bytes]

    def on(self, port: int) -> Talk:
        """A way to talk to another port of the same asset, in the same visit."""
        return Talk(self.device, self.permit, port, self.facts.append)

    def of(self, kind: type[FactsKind]) -> list[FactsKind]:
        """The facts of one kind, in order."""
        return [facts for facts in self.facts if isinstance(facts, kind)]

    @property
    def connections(self) -> int:
        """The connections that the device has had, also those that did not come about."""
        return self.device.connections

    @property
    def lines(self) -> list[dict[str, object]]:
        """The lines of the ledger, in order."""
        return [json.loads(line) for line in self.written]

    @property
    def purposes(self) -> list[object]:
        """What each connection was for, as the ledger has it, in order."""
        return [line["purpose"] for line in self.lines if line["event"] == "attempt"]

    @property
    def left_alone(self) -> str | None:
        """Why the manners would let no further question through, or None where they would."""
        return self.device.denied(self.permit.address)


@contextmanager
def talking(
    host: str,
    port: int,
    services: Sequence[Service] = (),
    *,
    manners: AssetManners = QUICK,
    hostname: str | None = None,
) -> Iterator[Session]:
    """A visit of one asset at `host`, a loopback address, which declares `services`; asserts that nothing is left open.

    To be entered inside the event loop or outside of it; the probes run inside.
    """
    asset = Asset(
        id="synthetic-asset",
        name="Synthetic asset",
        addresses=(host,),
        hostname=hostname,
        role=Role.ARCHIVE,
        site="synthetic-campus",
        zone=None,
        owner=None,
        manners=manners,
        services=tuple(services),
    )
    written: list[bytes] = []
    clock = Clock(utc=lambda: datetime.now(UTC), local=lambda: datetime.now().astimezone())
    ledger = Ledger(written.append, run_id="synthetic-run", vantage="local", now=clock.utc)
    gateway = Gateway(_inventory(asset), Manners(), ledger, clock)
    device = gateway.device(asset)
    permit = device.permit(host)
    assert permit is not None, f"{host} is no loopback address"
    facts: list[Facts] = []
    session = Session(gateway, device, permit, Talk(device, permit, port, facts.append), facts, written)
    yield session
    attempted = {line["n"] for line in session.lines if line["event"] == "attempt"}
    ended = {line["n"] for line in session.lines if line["event"] == "outcome"}
    assert attempted == ended, f"connections were left open: {session.lines}"


def _inventory(asset: Asset) -> Inventory:
    return Inventory(
        organization="Synthetic",
        authorization=Authorization("Synthetic", "SYN-1", date.max),
        owned_networks=OWNED,
        public_networks=(),
        excluded=(),
        zones=(),
        defaults=Defaults(),
        exposure=(),
        assets=(asset,),
        waivers=(),
    )
