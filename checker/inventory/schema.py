"""The format of inventories as Pydantic models: what keys there are, which must be given, what each may hold.

What needs more than one entry to be judged (ownership, zones, ids that must differ) is `checker.inventory.checks`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator

from checker.inventory import fields as f
from checker.model import Depth, JsonValue


class Strict(BaseModel):
    """A mapping without unknown keys and without guesses at types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AuthorizationModel(Strict):
    """Who allowed this check, under which reference, through which day."""

    owner: f.Name
    reference: f.Name
    expires: f.Day


class ZoneModel(Strict):
    """A named part of the network."""

    name: f.Id
    networks: list[f.Network] = Field(default=[], max_length=10_000)


class OwnCertificateModel(Strict):
    """Our own certificate, and its key, for servers that require one of their clients."""

    certificate: f.FileName
    key: f.FileName


class DefaultsModel(Strict):
    """What holds where an asset or an option says nothing."""

    calling_ae_title: f.AeTitle = "PACSCHECKER"
    ports: f.PortChoice = "imaging"
    user_agent: f.UserAgent | None = None
    trust_store: f.FileName | None = None
    tls_depth: f.TlsDepth = Depth.POLICY
    certificate_notice_days: f.NoticeDays = 30
    client_certificate: OwnCertificateModel | None = None


class AssetClassModel(Strict):
    """Which assets a line of policy means; sites, zones and assets may be globs."""

    role: f.RoleName | None = None
    site: f.Glob | None = None
    zone: f.Glob | None = None
    asset: f.Glob | None = None


class ExposureModel(Strict):
    """A line of exposure policy; what no line says must not be reachable."""

    from_zone: f.Id = Field(alias="from")
    to: AssetClassModel
    must_reach: list[f.Exposed] = Field(default=[], max_length=1000)
    may_reach: list[f.Exposed] = Field(default=[], max_length=1000)
    reason: f.Prose | None = None
    owner: f.Name | None = None
    expires: f.Day | None = None


class WaiverModel(Strict):
    """An accepted risk, with who accepted it, why, and until when."""

    rule: f.Glob
    reason: f.Prose
    owner: f.Name
    expires: f.Day
    asset: f.Glob | None = None
    site: f.Glob | None = None
    role: f.RoleName | None = None


class MannersModel(Strict):
    """How a device wants to be treated."""

    max_connections: f.Connections = 120
    gap: f.Duration = Field(default=0.05, json_schema_extra={"default": "50ms"})
    quiet_hours: f.QuietHours | None = None
    passive: f.Flag = False
    max_pending: f.Pending = 8


class DicomModel(Strict):
    """DICOM without TLS."""

    kind: Literal["dicom"]
    port: f.Port
    ae_title: f.AeTitle | None = None
    registered_ae_title: f.AeTitle | None = None


class DicomTlsModel(Strict):
    """DICOM inside TLS; IANA registered port 2762 for it."""

    kind: Literal["dicom-tls"]
    port: f.Port = 2762
    ae_title: f.AeTitle | None = None
    registered_ae_title: f.AeTitle | None = None
    profile: f.TlsProfile | None = None
    client_certificate: f.ClientCertificate | None = None


class WebModel(Strict):
    """A web page or a DICOMweb root; its port follows from the URL."""

    kind: Literal["web", "dicomweb"]
    url: f.Url
    port: f.Port | None = None
    client_certificate: f.ClientCertificate | None = None

    @field_validator("port")
    @classmethod
    def _port_of_the_url(cls, port: int | None, info: ValidationInfo) -> int | None:
        url = info.data.get("url")
        if isinstance(url, f.WebUrl) and port is not None and port != url.port:
            raise f.wrong(f"expected {url.port}, the port of the URL")
        return port


class SyslogTlsModel(Strict):
    """Syslog inside TLS (RFC 5425)."""

    kind: Literal["syslog-tls"]
    port: f.Port = 6514
    client_certificate: f.ClientCertificate | None = None


class LdapsModel(Strict):
    """LDAP inside TLS."""

    kind: Literal["ldaps"]
    port: f.Port = 636
    client_certificate: f.ClientCertificate | None = None


ServiceModel: TypeAlias = DicomModel | DicomTlsModel | WebModel | SyslogTlsModel | LdapsModel
SERVICE_MODELS: dict[str, type[Strict]] = {
    "dicom": DicomModel,
    "dicom-tls": DicomTlsModel,
    "web": WebModel,
    "dicomweb": WebModel,
    "syslog-tls": SyslogTlsModel,
    "ldaps": LdapsModel,
}
AddressList = Annotated[
    list[f.OneAddress],
    Field(max_length=64),
    BeforeValidator(f.as_list),
    WithJsonSchema(f.ADDRESS_SCHEMA),
]


MOST_SERVICES = 1000


class AssetModel(Strict):
    """A device or server that we own; it has an address, a host name, or both."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["address"]}, {"required": ["hostname"]}]})

    id: f.Id
    name: f.Name | None = None
    address: AddressList = []
    hostname: f.HostName | None = None
    role: f.RoleName
    site: f.Site = ""
    zone: f.Id | None = None
    owner: f.Name | None = None
    manners: MannersModel | None = None
    tls_depth: f.TlsDepth | None = None
    canaries: f.Canaries = ()
    services: list[Annotated[ServiceModel, Field(discriminator="kind")]] = Field(default=[], max_length=MOST_SERVICES)


class HeadModel(Strict):
    """What an inventory file says beside its lists of entries."""

    version: f.Version
    organization: f.Name | None = None
    authorization: AuthorizationModel | None = None
    owned_networks: list[f.OwnedNetwork] = Field(default=[], max_length=10_000)
    public_networks: list[f.OwnedNetwork] = Field(default=[], max_length=10_000)
    excluded: list[f.Network] = Field(default=[], max_length=100_000)
    defaults: DefaultsModel | None = None
    assets_from: list[f.FileName] = Field(default=[], max_length=1000)


MOST_ZONES = 2_000
MOST_EXPOSURE_LINES = 10_000
MOST_WAIVERS = 100_000


class InventoryModel(HeadModel):
    """A whole inventory file. The files of one inventory must together give authorization and owned_networks."""

    zones: list[ZoneModel] = Field(default=[], max_length=MOST_ZONES)
    exposure: list[ExposureModel] = Field(default=[], max_length=MOST_EXPOSURE_LINES)
    assets: list[AssetModel] = []
    waivers: list[WaiverModel] = Field(default=[], max_length=MOST_WAIVERS)


ENTRY_MODELS: dict[str, type[Strict]] = {
    "zones": ZoneModel,
    "exposure": ExposureModel,
    "assets": AssetModel,
    "waivers": WaiverModel,
}
_NESTED: dict[str, type[Strict]] = {
    "authorization": AuthorizationModel,
    "defaults": DefaultsModel,
    "client_certificate": OwnCertificateModel,
    "to": AssetClassModel,
    "manners": MannersModel,
}


def keys_of(model: type[Strict]) -> tuple[str, ...]:
    """The keys of a mapping as users write them."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def keys_at(model: type[Strict], loc: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that are known in the mapping at a Pydantic location inside a model."""
    if not loc:
        return keys_of(InventoryModel if model is HeadModel else model)
    if loc[0] == "services" and len(loc) > 2:
        return keys_of(SERVICE_MODELS[str(loc[2])])
    return keys_of(_NESTED[str(loc[-1])])


def schema() -> dict[str, JsonValue]:
    """The JSON Schema (draft 2020-12) of an inventory file in YAML or JSON."""
    generated = InventoryModel.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **generated,
        "title": "Inventory of pacs-checker",
    }
