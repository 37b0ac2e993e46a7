"""Synthetic inventories, observations and runs for the tests of judging and storing. Nothing here touches a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson

from checker.model import (
    Asset,
    AssetRef,
    AssociationOutcome,
    Authorization,
    Defaults,
    Facts,
    Finding,
    Inventory,
    JsonValue,
    Observation,
    PortFacts,
    QueryVerdict,
    Role,
    RuleRef,
    Severity,
    Status,
    Totals,
    VisitFacts,
    Waiver,
    Zone,
)
from checker.rules.examples import ADDRESS, archive, asset, canary, dicom_service, rejected, survey
from checker.run import Judging, Visits, conclude
from checker.store.folder import RunFolder
from checker.summary import RunSummary

STARTED = datetime(2026, 11, 24, 4, 20, 30, 123456, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=12.5)
SECOND = timedelta(seconds=1)
EVERYTHING = Judging()

WAIVER = Waiver("dicom.cleartext", "a vendor's device", "imaging-it", date(2027, 1, 31))
FINDING = Finding(
    finding_id="0" * 32,
    run_id="run-1",
    observed_at=datetime(2026, 11, 24, tzinfo=UTC),
    rule=RuleRef("dicom.cleartext", 1, "It speaks DICOM without TLS"),
    status=Status.FAIL,
    severity=Severity.MEDIUM,
    asset=AssetRef("us-07", "Ultrasound", Role.MODALITY, "main-campus", "clinical", "imaging-it"),
    service=None,
    vantage="clinical",
    summary="It speaks DICOM without TLS.",
    evidence={},
    observations=(),
    remedy="Switch it on.",
    controls=(),
)


def inventory(*assets: Asset, zones: Sequence[str] = (), waivers: Iterable[Waiver] = ()) -> Inventory:
    """A valid inventory of synthetic assets."""
    return Inventory(
        organization="Example Health",
        authorization=Authorization("Imaging Security", "CHG-1042", date(2027, 6, 30)),
        owned_networks=("10.20.0.0/16",),
        public_networks=(),
        excluded=(),
        zones=tuple(Zone(name) for name in zones),
        defaults=Defaults(),
        exposure=(),
        assets=assets,
        waivers=tuple(waivers),
        files=("synthetic.yaml",),
        sha256="0" * 64,
    )


def named(of: Asset, asset_id: str, address: str = ADDRESS) -> Asset:
    """The same asset under another id and address."""
    return replace(of, id=asset_id, addresses=(address,))


def observed(
    of: Asset,
    *facts: Facts,
    service: int | None = 0,
    port: int = 11112,
    vantage: str = "clinical",
    connections: int = 3,
) -> list[Observation]:
    """A visit that brought these facts home, each a second after the one before, and its end."""
    address = of.addresses[0] if of.addresses else ""
    found = [
        Observation(f"{of.id}/{number}", of.id, vantage, STARTED + number * SECOND, address, port, service, item)
        for number, item in enumerate(facts, 1)
    ]
    last = Observation(
        f"{of.id}/end", of.id, vantage, STARTED + 10 * SECOND, "", 0, None, VisitFacts(connections=connections)
    )
    return [*found, last]


def open_archive(of: Asset) -> list[Observation]:
    """The visit of an archive that serves a stranger's query."""
    return observed(of, survey(echo_status=0), canary(QueryVerdict.QUERY_ACCEPTED, 0x0000))


def shut_archive(of: Asset) -> list[Observation]:
    """The visit of an archive that refuses strangers."""
    return observed(of, rejected((1, 1, 3)))


def silent(of: Asset) -> list[Observation]:
    """The visit of an asset that never answered."""
    return observed(of, survey(AssociationOutcome.TIMEOUT))


def not_visited(of: Asset, reason: str = "quiet hours", *, refused: bool = False) -> list[Observation]:
    """The end of a visit that asked nothing."""
    facts = VisitFacts(not_visited=reason, refused_by_scope=refused)
    return [Observation(f"{of.id}/end", of.id, "clinical", STARTED + SECOND, "", 0, None, facts)]


def port(number: int, facts: PortFacts, of: Asset) -> Observation:
    """One port of an asset's sweep."""
    return Observation(
        f"{of.id}/port-{number}", of.id, "clinical", STARTED + 5 * SECOND, of.addresses[0], number, None, facts
    )


def run(
    output: Path,
    run_id: str,
    found: Inventory,
    observations: Iterable[Observation],
    *,
    assets: Sequence[Asset] | None = None,
    later: timedelta = timedelta(0),
    judging: Judging = EVERYTHING,
    vantage: str = "clinical",
) -> RunSummary:
    """A whole published run of these observations."""
    folder = RunFolder.create(output, run_id)
    for item in observations:
        folder.observation(item)
    folder.ledger(b'{"n": 1, "event": "attempt"}\n')
    visits = Visits(vantage, STARTED + later, ENDED + later, Totals(3, 512, 1024))
    return conclude(folder, found, found.assets if assets is None else assets, visits, judging)


def findings(output: Path, run_id: str) -> list[dict[str, JsonValue]]:
    """The findings of a published run, as its file has them."""
    return [orjson.loads(line) for line in (output / run_id / "findings.jsonl").read_bytes().splitlines()]


def three_archives() -> tuple[Inventory, list[Observation]]:
    """An open archive, a shut one and a silent one, of two services each."""
    assets = [
        named(archive(dicom_service(), dicom_service(104, "WORKLIST")), f"synthetic-{name}", f"10.20.1.{number}")
        for number, name in enumerate(("open", "shut", "silent"), 5)
    ]
    observations = [*open_archive(assets[0]), *shut_archive(assets[1]), *silent(assets[2])]
    return inventory(*assets, asset(id="synthetic-bare", addresses=("10.20.1.9",))), observations
