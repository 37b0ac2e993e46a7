"""Several inventory files as one: lists grow, and two files that contradict each other are a fault that names both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from pydantic import ValidationError

from checker.inventory.documents import Document, Within
from checker.inventory.faults import ABSENT, FaultList, Place, shown
from checker.inventory.schema import (
    ENTRY_MODELS,
    MOST_EXPOSURE_LINES,
    MOST_WAIVERS,
    MOST_ZONES,
    AuthorizationModel,
    DefaultsModel,
    ExposureModel,
    HeadModel,
    OwnCertificateModel,
    Strict,
    WaiverModel,
    ZoneModel,
)
from checker.model import Depth

Model = TypeVar("Model", bound=Strict)
Value = TypeVar("Value")
BOUNDARIES: Final = ("owned_networks", "public_networks", "excluded")


@dataclass(frozen=True, slots=True)
class Placed(Generic[Value]):
    """A value and its place in a file."""

    value: Value
    place: Place


@dataclass(slots=True)
class Merged:
    """What all files say together. `faulty` names the keys of which at least one file says something that is wrong."""

    organization: Placed[str] | None = None
    authorization: Placed[AuthorizationModel] | None = None
    calling_ae_title: Placed[str] | None = None
    user_agent: Placed[str] | None = None
    ports: Placed[str | tuple[int | str, ...]] | None = None
    tls_depth: Placed[Depth] | None = None
    certificate_notice_days: Placed[int] | None = None
    networks: dict[str, list[str]] = field(default_factory=lambda: {key: [] for key in BOUNDARIES})
    zones: list[Placed[ZoneModel]] = field(default_factory=list)
    exposure: list[Placed[ExposureModel]] = field(default_factory=list)
    waivers: list[Placed[WaiverModel]] = field(default_factory=list)
    assets: list[Iterator[tuple[object, Place]]] = field(default_factory=list)  # one for each file, read when asked
    assets_from: list[tuple[str, Place]] = field(default_factory=list)
    trust_stores: list[tuple[str, Place]] = field(default_factory=list)  # read later: two may be one file
    client_certificates: list[tuple[OwnCertificateModel, Place]] = field(default_factory=list)  # so, too
    faulty: set[str] = field(default_factory=set)


class Merger:
    """Takes one document after another."""

    def __init__(self, faults: FaultList) -> None:
        self.merged = Merged()
        self._faults = faults

    def add(self, document: Document) -> None:
        """Merge one document; all that is wrong in it, or against those before, becomes a fault."""
        raw = document.value
        if not isinstance(raw, dict):
            expected = "expected a mapping with version, authorization, owned_networks, assets"
            self._faults.add(document, (), raw, expected)
            self.merged.faulty.update(("authorization", *BOUNDARIES, *ENTRY_MODELS))
            return
        self._head(document, raw)
        self._entries(document, raw, "zones", MOST_ZONES, ZoneModel, self.merged.zones)
        self._entries(document, raw, "exposure", MOST_EXPOSURE_LINES, ExposureModel, self.merged.exposure)
        self._entries(document, raw, "waivers", MOST_WAIVERS, WaiverModel, self.merged.waivers)
        self.merged.assets.append(self._list(document, raw, "assets"))

    def _head(self, document: Document, raw: dict[str, object]) -> None:
        head = {key: value for key, value in raw.items() if key not in ENTRY_MODELS}
        try:
            model = HeadModel.model_validate(head)
        except ValidationError as error:
            wrong = {str(path[0]) for path in self._faults.add_pydantic(document, HeadModel, head, error)}
            self.merged.faulty |= wrong
            rest = {key: value for key, value in head.items() if key not in wrong}
            model = HeadModel.model_validate({"version": 1, **rest})
        merged = self.merged
        merged.organization = self._same(merged.organization, model.organization, document, "organization")
        merged.authorization = self._same(merged.authorization, model.authorization, document, "authorization")
        if model.defaults is not None:
            self._defaults(document, model.defaults)
        merged.networks["owned_networks"] += model.owned_networks
        merged.networks["public_networks"] += model.public_networks
        merged.networks["excluded"] += model.excluded
        merged.assets_from += [
            (name, Within(document, ("assets_from", at))) for at, name in enumerate(model.assets_from)
        ]

    def _defaults(self, document: Document, defaults: DefaultsModel) -> None:
        merged, stated = self.merged, defaults.model_fields_set

        def same(known: Placed[Value] | None, given: Value | None, key: str) -> Placed[Value] | None:
            return self._same(known, given if key in stated else None, document, "defaults", key)

        merged.calling_ae_title = same(merged.calling_ae_title, defaults.calling_ae_title, "calling_ae_title")
        merged.ports = same(merged.ports, defaults.ports, "ports")
        merged.user_agent = same(merged.user_agent, defaults.user_agent, "user_agent")
        merged.tls_depth = same(merged.tls_depth, defaults.tls_depth, "tls_depth")
        merged.certificate_notice_days = same(
            merged.certificate_notice_days, defaults.certificate_notice_days, "certificate_notice_days"
        )
        if defaults.trust_store is not None:
            merged.trust_stores.append((defaults.trust_store, Within(document, ("defaults", "trust_store"))))
        if defaults.client_certificate is not None:
            place = Within(document, ("defaults", "client_certificate"))
            merged.client_certificates.append((defaults.client_certificate, place))

    def _same(
        self, known: Placed[Value] | None, given: Value | None, document: Document, *path: str
    ) -> Placed[Value] | None:
        if given is None:
            return known
        place = Within(document, path)
        if known is None:
            return Placed(given, place)
        if known.value != given:
            line, _ = known.place.locate(())
            where = f"{shown(known.place.file, 200)}:{line}"
            self._faults.add(place, (), given if isinstance(given, str) else ABSENT, f"expected the same as in {where}")
        return known

    def _list(
        self, document: Document, raw: dict[str, object], key: str, most: int | None = None
    ) -> Iterator[tuple[object, Place]]:
        entries = raw.get(key, [])
        if not isinstance(entries, list):
            expected = "expected a list"
        elif most is not None and len(entries) > most:
            expected = f"expected at most {most} entries"
        else:
            return ((value, Within(document, (key, at))) for at, value in enumerate(entries))
        self._faults.add(document, (key,), entries, expected)
        self.merged.faulty.add(key)
        return iter(())

    def _entries(
        self,
        document: Document,
        raw: dict[str, object],
        key: str,
        most: int,
        model: type[Model],
        into: list[Placed[Model]],
    ) -> None:
        for value, place in self._list(document, raw, key, most):
            try:
                into.append(Placed(model.model_validate(value), place))
            except ValidationError as error:
                self._faults.add_pydantic(place, model, value, error)
                self.merged.faulty.add(key)
