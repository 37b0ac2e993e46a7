"""From paths to an inventory: read all files, merge them, check the whole, and raise every fault together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path as FilePath

from checker.errors import InventoryError
from checker.inventory.anchors import trust_anchors
from checker.inventory.checks import check, notices
from checker.inventory.documents import Document
from checker.inventory.entries import Entry, read_entry
from checker.inventory.faults import ABSENT, FaultList, Path, Place, TooManyFaults, field_name, shown
from checker.inventory.json_reader import read_json
from checker.inventory.merging import BOUNDARIES, Merged, Merger, Placed, Value
from checker.inventory.own_certificate import Unfit, read_own_certificate
from checker.inventory.schema import ENTRY_MODELS, ExposureModel, OwnCertificateModel, WaiverModel
from checker.inventory.sources import NOT_A_DIRECTORY, Sources, Unreadable, is_directory
from checker.inventory.tables import MOST_ASSETS, RawAsset, read_csv, read_json_lines
from checker.inventory.yaml_reader import read_yaml
from checker.model import (
    AssetClass,
    Authorization,
    ClientCertificate,
    Defaults,
    Exposure,
    Inventory,
    TrustAnchors,
    Waiver,
    Zone,
)

DOCUMENTS = (".yaml", ".yml", ".json")
TABLES = (".csv", ".jsonl", ".ndjson")


def load(paths: Sequence[FilePath], *, today: date, own_certificate: bool = True) -> Inventory:
    """Read, merge and validate the files of an inventory.

    YAML and JSON files hold inventories, CSV and JSON Lines files hold assets; at least one file must give the
    authorization and the owned networks. `today` decides whether the authorization is still in force. Without
    `own_certificate` the files of our own certificate and its key are left alone, as is right where nothing is asked of
    a device, and the inventory has none. Raises InventoryError with every fault that was found.
    """
    loading = _Loading(own_certificate=own_certificate)
    try:
        inventory = loading.run(paths, today)
    except TooManyFaults:
        inventory = None
    if inventory is None or loading.faults.faults:
        raise InventoryError(loading.faults.faults)
    return inventory


@dataclass(frozen=True, slots=True)
class _Whole:
    """The place of what is said nowhere: the first file."""

    file: str

    def locate(self, path: Path) -> tuple[int, str]:
        """See `checker.inventory.faults.Place`."""
        return 0, field_name(path)


class _Loading:
    def __init__(self, *, own_certificate: bool) -> None:
        self.faults = FaultList()
        self._own_wanted = own_certificate
        self._sources = Sources()
        self._merger = Merger(self.faults)
        self._entries: list[Entry] = []
        self._notices: list[str] = []
        self._asked = 0
        self._unreadable = False
        self._anchors: TrustAnchors | None = None
        self._own: ClientCertificate | None = None

    def run(self, paths: Sequence[FilePath], today: date) -> Inventory | None:
        """The inventory; where there are faults, it is None or must not be used. Raises TooManyFaults."""
        if not paths:
            self.faults.add_at("", 0, "", ABSENT, "expected at least one inventory file")
            return None
        merged = self._merger.merged
        for path in paths:
            self._argument(path)
        self._add_assets(chain.from_iterable(merged.assets))
        for name, place in merged.assets_from:
            self._assets_from(name, place)
        self._trust_store(merged.trust_stores)
        if self._own_wanted:
            self._client_certificate(merged.client_certificates, today)
        whole = _Whole(str(paths[0]))
        check(merged, self._entries, today, whole, self.faults)
        if not self._asked and not self._unreadable and "assets" not in merged.faulty:
            self.faults.add(whole, ("assets",), ABSENT, "expected at least one asset")
        return None if self.faults.faults else self._inventory(merged)

    def _argument(self, path: FilePath) -> None:
        file, kind = str(path), path.suffix.lower()
        try:
            _refuse_other_names(path, (*DOCUMENTS, *TABLES))
            if kind in TABLES:
                self._add_table(path)
            else:
                self._merger.add(self._document(path))
        except Unreadable as problem:
            self._unreadable = True
            self.faults.add_at(file, problem.line, "", ABSENT, problem.expected)
            if kind not in TABLES:
                # What this file would have said is not known, so nothing is called missing.
                self._merger.merged.faulty.update(("authorization", *BOUNDARIES, *ENTRY_MODELS))

    def _assets_from(self, name: str, place: Place) -> None:
        path = FilePath(place.file).parent / name
        try:
            _refuse_other_names(path, TABLES)
            self._add_table(path)
        except Unreadable as problem:
            self._unreadable = True
            if problem.line:
                self.faults.add_at(str(path), problem.line, "", ABSENT, problem.expected)
            else:
                self.faults.add(place, (), name, problem.expected)

    def _trust_store(self, named: Sequence[tuple[str, Place]]) -> None:
        first: tuple[str, Place] | None = None
        for name, place in named:
            path = FilePath(place.file).parent / name
            file = os.path.realpath(path)
            if first is None:
                first = file, place
                try:
                    self._anchors = trust_anchors(path, self._sources)
                except Unreadable as problem:
                    self.faults.add(place, (), name, problem.expected)
            elif file != first[0]:
                where = f"{shown(first[1].file, 200)}:{first[1].locate(())[0]}"
                self.faults.add(place, (), name, f"expected the same file as in {where}")

    def _client_certificate(self, named: Sequence[tuple[OwnCertificateModel, Place]], today: date) -> None:
        first: tuple[tuple[str, str], Place] | None = None
        for model, place in named:
            folder = FilePath(place.file).parent
            certificate, key = folder / model.certificate, folder / model.key
            files = os.path.realpath(certificate), os.path.realpath(key)
            if first is None:
                first = files, place
                try:
                    own = read_own_certificate(certificate, key, today)
                except Unfit as problem:
                    names = {"certificate": model.certificate, "key": model.key}
                    for part, expected in problem.faults:
                        self.faults.add(place, (part,), names[part], expected)
                else:
                    self._own = own.certificate
                    self._notices += own.notices
            elif files != first[0]:
                where = f"{shown(first[1].file, 200)}:{first[1].locate(())[0]}"
                self.faults.add(place, (), ABSENT, f"expected the same files as in {where}")

    def _document(self, path: FilePath) -> Document:
        file, text = str(path), self._sources.document(path)
        if path.suffix.lower() == ".json":
            return read_json(file, text, self.faults)
        return read_yaml(file, text, self.faults)

    def _add_table(self, path: FilePath) -> None:
        asked, known = self._asked, len(self.faults.faults)
        if path.suffix.lower() == ".csv":
            self._add_assets(read_csv(path, self._sources, self.faults, self._notices))
        else:
            self._add_assets(read_json_lines(path, self._sources, self.faults))
        # What a table would hold that was faulty from its first row on is not known, so no asset is called missing.
        self._unreadable |= self._asked == asked and len(self.faults.faults) > known

    def _add_assets(self, raw_assets: Iterator[RawAsset]) -> None:
        for raw, place in raw_assets:
            self._asked += 1
            if self._asked > MOST_ASSETS:
                self.faults.add(place, (), ABSENT, f"expected at most {MOST_ASSETS} assets")
                raise TooManyFaults
            entry = read_entry(raw, place, self.faults)
            if entry is not None:
                self._entries.append(entry)

    def _inventory(self, merged: Merged) -> Inventory | None:
        if merged.authorization is None:
            return None
        authorization = merged.authorization.value
        assets = tuple([entry.asset for entry in self._entries])
        return Inventory(
            organization=merged.organization.value if merged.organization is not None else "",
            authorization=Authorization(authorization.owner, authorization.reference, authorization.expires),
            owned_networks=tuple(dict.fromkeys(merged.networks["owned_networks"])),
            public_networks=tuple(dict.fromkeys(merged.networks["public_networks"])),
            excluded=tuple(dict.fromkeys(merged.networks["excluded"])),
            zones=tuple(Zone(zone.value.name, tuple(zone.value.networks)) for zone in merged.zones),
            defaults=_defaults(merged, self._anchors, self._own),
            exposure=tuple(_exposure(line.value) for line in merged.exposure),
            assets=assets,
            waivers=tuple(_waiver(waiver.value) for waiver in merged.waivers),
            files=tuple(self._sources.files),
            sha256=self._sources.sha256,
            notices=(*self._notices, *notices(merged, assets)),
        )


def _refuse_other_names(path: FilePath, endings: Sequence[str]) -> None:
    if path.suffix.lower() not in endings:
        if is_directory(path):
            raise Unreadable(NOT_A_DIRECTORY)
        raise Unreadable(f"expected a file whose name ends in {', '.join(endings)}")


def _defaults(merged: Merged, anchors: TrustAnchors | None, own: ClientCertificate | None) -> Defaults:
    usual = Defaults()

    def of(placed: Placed[Value] | None, otherwise: Value) -> Value:
        return otherwise if placed is None else placed.value

    return Defaults(
        calling_ae_title=of(merged.calling_ae_title, usual.calling_ae_title),
        ports=of(merged.ports, usual.ports),
        user_agent=None if merged.user_agent is None else merged.user_agent.value,
        trust_store=anchors,
        tls_depth=of(merged.tls_depth, usual.tls_depth),
        certificate_notice_days=of(merged.certificate_notice_days, usual.certificate_notice_days),
        client_certificate=own,
    )


def _exposure(model: ExposureModel) -> Exposure:
    to = model.to
    return Exposure(
        from_zone=model.from_zone,
        to=AssetClass(to.role, to.site, to.zone, to.asset),
        must_reach=tuple(model.must_reach),
        may_reach=tuple(model.may_reach),
        reason=model.reason,
        owner=model.owner,
        expires=model.expires,
    )


def _waiver(model: WaiverModel) -> Waiver:
    return Waiver(
        rule=model.rule,
        reason=model.reason,
        owner=model.owner,
        expires=model.expires,
        asset=model.asset,
        site=model.site,
        role=model.role,
    )
