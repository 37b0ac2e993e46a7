"""Raw assets to assets, one at a time; what is sound in a faulty one is kept, so that it is checked with the others."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from checker.inventory.faults import FaultList, Path, Place
from checker.inventory.fields import WebUrl
from checker.inventory.schema import AssetModel, DicomModel, DicomTlsModel, MannersModel, ServiceModel, WebModel
from checker.model import Asset, AssetManners, Service, ServiceKind

_USUAL_MANNERS = AssetManners()
_KINDS = {kind.value: kind for kind in ServiceKind}
_validate = AssetModel.__pydantic_validator__.validate_python


@dataclass(frozen=True, slots=True)
class Saved:
    """What is left of a faulty asset: the keys that lost something, and which addresses and services were kept."""

    gone: frozenset[str]
    address: tuple[int, ...]
    services: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An asset and its place in a file; `saved` says what is missing of it where it is faulty."""

    asset: Asset
    place: Place
    saved: Saved | None = None

    def has(self, key: str) -> bool:
        """Whether the asset says all about the key that the file does."""
        return self.saved is None or key not in self.saved.gone

    def address_path(self, at: int) -> Path:
        """The path in the file of an address of the asset."""
        return ("address", at if self.saved is None else self.saved.address[at])

    def service_path(self, at: int) -> Path:
        """The path in the file of a service of the asset."""
        return ("services", at if self.saved is None else self.saved.services[at])


def read_entry(raw: object, place: Place, faults: FaultList) -> Entry | None:
    """The asset that a raw value describes. Faults go to the list; None where nothing of it can be used."""
    try:
        model: AssetModel = _validate(raw)
    except ValidationError as error:
        paths = faults.add_pydantic(place, AssetModel, raw, error)
        return _save(raw, place, paths)
    return Entry(_asset(model), place)


def _save(raw: object, place: Place, paths: list[Path]) -> Entry | None:
    if not isinstance(raw, dict):
        return None
    gone: set[str] = set()
    lost: dict[str, set[int]] = {"address": set(), "services": set()}
    for path in paths:
        key = str(path[0])
        if len(path) > 1 and isinstance(path[1], int) and key in lost:
            lost[key].add(path[1])
        else:
            gone.add(key)
    rest = {key: value for key, value in raw.items() if key not in gone}
    kept: dict[str, tuple[int, ...]] = {"address": (0,), "services": ()}
    for key, indexes in lost.items():
        entries = rest.get(key)
        if isinstance(entries, list):
            kept[key] = tuple(at for at in range(len(entries)) if at not in indexes)
            rest[key] = [entries[at] for at in kept[key]]
        if indexes:
            gone.add(key)
    try:
        model: AssetModel = _validate({"id": "?", "role": "other", **rest})
    except ValidationError:
        return None
    return Entry(_asset(model), place, Saved(frozenset(gone), kept["address"], kept["services"]))


def _asset(model: AssetModel) -> Asset:
    return Asset(
        id=model.id,
        name=model.name or model.id,
        addresses=tuple(model.address),
        hostname=model.hostname,
        role=model.role,
        site=model.site,
        zone=model.zone,
        owner=model.owner,
        manners=_manners(model.manners) if model.manners is not None else _USUAL_MANNERS,
        services=tuple([_service(service) for service in model.services]),
        tls_depth=model.tls_depth,
        canaries=model.canaries,
    )


def _manners(model: MannersModel) -> AssetManners:
    return AssetManners(
        max_connections=model.max_connections,
        gap_s=model.gap,
        quiet_hours=model.quiet_hours,
        passive=model.passive,
        max_pending=model.max_pending,
    )


def _service(model: ServiceModel) -> Service:
    kind = _KINDS[model.kind]
    if isinstance(model, DicomModel):
        return Service(kind, model.port, model.ae_title, registered_ae_title=model.registered_ae_title)
    if isinstance(model, WebModel):
        url: WebUrl = model.url
        return Service(kind, url.port, url=url.text, client_certificate=model.client_certificate)
    if isinstance(model, DicomTlsModel):
        return Service(
            kind,
            model.port,
            model.ae_title,
            profile=model.profile,
            client_certificate=model.client_certificate,
            registered_ae_title=model.registered_ae_title,
        )
    return Service(kind, model.port, client_certificate=model.client_certificate)
