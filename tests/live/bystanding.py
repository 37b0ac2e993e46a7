"""A bystander of our visits: another client, `echoscu`, which keeps asking the same server, and how long it takes.

    standing = beside(server, visits=10)
    assert standing.delay_s < 1.0

First it asks alone, then while the engine visits the server again and again with the manners that are the default.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from checker.engine import EngineOptions, run_visits
from checker.model import (
    Asset,
    AssetManners,
    Authorization,
    Defaults,
    DicomFacts,
    Inventory,
    Observation,
    Role,
    Service,
    ServiceKind,
)
from tests.live.servers.dcmtk import dcmqrscp, storescp
from tests.live.servers.orthanc import OPEN, orthanc
from tests.live.servers.process import require
from tests.live.servers.scp import STREAMS, scp

_WITHIN_S = 60.0  # a server that an idle client holds answers in half a minute


class Server(Protocol):
    """What every DICOM server of the tests tells of itself."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def ae_title(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Archive:
    """An Orthanc by its DICOM side."""

    host: str
    port: int
    ae_title: str


@contextmanager
def _orthanc() -> Iterator[Server]:
    with orthanc(OPEN) as running:
        yield _Archive(running.host, running.dicom_port, running.ae_title)


STREAMER = "an SCP that answers the canary with data"
SERVERS: Mapping[str, Callable[[], AbstractContextManager[Server]]] = {
    "Orthanc": _orthanc,
    "dcmqrscp": dcmqrscp,
    "storescp, one association at a time": storescp,
    STREAMER: lambda: scp(STREAMS),
}
"""By name, the servers that a bystander shares with us."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How long the bystander's echoes took, in seconds: `alone`, and `beside` our visits, in their order.

    `held_s` is how long each connection of ours was open, by the ledger; `facts` are what the visits recorded.
    """

    alone: tuple[float, ...]
    beside: tuple[float, ...]
    held_s: tuple[float, ...]
    facts: tuple[DicomFacts, ...]

    @property
    def median_s(self) -> float:
        """The median without us."""
        return statistics.median(self.alone)

    @property
    def delay_s(self) -> float:
        """The longest echo beside us, less the median without us."""
        return max(self.beside) - self.median_s


def beside(server: Server, *, visits: int, alone: int = 15) -> Standing:
    """Ask `alone` times, then during so many whole visits; TimeoutError, CalledProcessError for an echo that failed."""
    echo = _echo(server)
    without = tuple(echo() for _ in range(alone))
    during: list[float] = []
    begun, over = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def stand_by() -> None:
        try:
            while not over.is_set():
                begun.set()
                during.append(echo())
        except subprocess.SubprocessError as failure:
            failures.append(failure)
        finally:
            begun.set()

    bystander = threading.Thread(target=stand_by)
    bystander.start()
    try:
        begun.wait()
        records = [_visit(server) for _ in range(visits)]
    finally:
        over.set()
        bystander.join()
    for failure in failures:
        raise failure
    held = tuple(seconds for record in records for seconds in record.held_s())
    return Standing(without, tuple(during), held, tuple(facts for record in records for facts in record.facts))


def _echo(server: Server) -> Callable[[], float]:
    command = [require("echoscu", "dcmtk"), "-aec", server.ae_title, server.host, str(server.port)]

    def echo() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=_WITHIN_S)
        return time.perf_counter() - started

    return echo


class _Record:
    """What one run recorded."""

    def __init__(self) -> None:
        self.facts: list[DicomFacts] = []
        self._lines: list[dict[str, str]] = []

    def observation(self, observation: Observation) -> None:
        """Keep the associations."""
        if isinstance(observation.facts, DicomFacts):
            self.facts.append(observation.facts)

    def ledger(self, line: bytes) -> None:
        """Keep the line."""
        self._lines.append(json.loads(line))

    def sync(self) -> None:
        """Nothing to bring to disk."""

    def held_s(self) -> list[float]:
        """From each attempt to its outcome."""
        begun = {line["n"]: _at(line) for line in self._lines if line["event"] == "attempt"}
        return [_at(line) - begun[line["n"]] for line in self._lines if line["event"] == "outcome"]


def _at(line: dict[str, str]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


def _visit(server: Server) -> _Record:
    """One whole visit, as the product makes it by default."""
    record, assets = _Record(), _assets(server)
    run_visits(_inventory(assets), assets, EngineOptions(), record, run_id="bystander", visited=lambda _asset: None)
    return record


def _assets(server: Server) -> tuple[Asset, ...]:
    asset = Asset(
        id="synthetic-archive",
        name="Synthetic archive",
        addresses=(server.host,),
        hostname=None,
        role=Role.ARCHIVE,
        site="synthetic-campus",
        zone=None,
        owner=None,
        manners=AssetManners(),
        services=(Service(ServiceKind.DICOM, server.port, ae_title=server.ae_title),),
    )
    return (asset,)


def _inventory(assets: Sequence[Asset]) -> Inventory:
    return Inventory(
        organization="Synthetic",
        authorization=Authorization("Synthetic", "SYN-1", date.max),
        owned_networks=("127.0.0.0/8",),
        public_networks=(),
        excluded=(),
        zones=(),
        defaults=Defaults(ports=()),
        exposure=(),
        assets=tuple(assets),
        waivers=(),
    )
