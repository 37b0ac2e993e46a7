"""Builders for the worked examples of rules: small synthetic cases at a fixed time.

Everything here is invented: assets are named `synthetic-...`, addresses are private or reserved, host names end in
`example.org`. Nothing here is ever sent anywhere; a rule's examples are judged by the tests
 and listed in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from checker.model import (
    Asset,
    AssetClass,
    AssetManners,
    AssociationOutcome,
    AssociationPurpose,
    ConnectState,
    ContextResult,
    DicomFacts,
    Exposure,
    Facts,
    Observation,
    PortFacts,
    QueryVerdict,
    Role,
    Service,
    ServiceKind,
    Zone,
)
from checker.policy import Policy
from checker.rules.base import Case, Identity

NOW = datetime(2026, 11, 24, 4, 20, 30, tzinfo=UTC)
ADDRESS = "10.20.1.5"
OTHER_ADDRESS = "10.20.1.6"
VANTAGE = "clinical"
AE_TITLE = "ARCHIVE"
CALLING_AE_TITLE = "PACSCHECKER"
REGISTERED_AE_TITLE = "CT01"
WRONG_AE_TITLE = "NOBODYHASTHIS"

VERIFICATION = "1.2.840.10008.1.1"
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"

# ------------------------------------------------------------------------------------------------------ services


def dicom_service(port: int = 11112, ae_title: str | None = AE_TITLE) -> Service:
    """A service that is declared to speak DICOM in the clear."""
    return Service(ServiceKind.DICOM, port, ae_title=ae_title)


def dicom_tls_service(
    port: int = 2762,
    ae_title: str | None = AE_TITLE,
    profile: str | None = None,
    client_certificate: Literal["not-asked", "optional", "required"] | None = None,
) -> Service:
    """A service that is declared to speak DICOM inside TLS."""
    return Service(
        ServiceKind.DICOM_TLS, port, ae_title=ae_title, profile=profile, client_certificate=client_certificate
    )


def web_service(url: str = "https://archive.example.org/viewer/", port: int | None = None) -> Service:
    """A declared web page; the port follows from the scheme unless it is given."""
    return Service(ServiceKind.WEB, _port(url, port), url=url)


def dicomweb_service(url: str = "https://archive.example.org/dicom-web", port: int | None = None) -> Service:
    """A declared DICOMweb root; the port follows from the scheme unless it is given."""
    return Service(ServiceKind.DICOMWEB, _port(url, port), url=url)


def _port(url: str, port: int | None) -> int:
    if port is not None:
        return port
    return 443 if url.startswith("https://") else 80


# -------------------------------------------------------------------------------------------------------- assets


def asset(
    *services: Service,
    role: Role = Role.ARCHIVE,
    id: str = "synthetic-01",  # noqa: A002 - the field's own name
    addresses: Iterable[str] = (ADDRESS,),
    hostname: str | None = None,
    zone: str | None = "clinical",
) -> Asset:
    """A synthetic asset with the services given, in their order."""
    return Asset(
        id=id,
        name=f"Synthetic {role.value}",
        addresses=tuple(addresses),
        hostname=hostname,
        role=role,
        site="synthetic-campus",
        zone=zone,
        owner="imaging-it",
        manners=AssetManners(),
        services=services,
    )


def archive(*services: Service, hostname: str | None = None) -> Asset:
    """A synthetic archive; with one plain DICOM service where none is given."""
    return asset(*(services or (dicom_service(),)), hostname=hostname)


def policy(
    *,
    must_reach: Iterable[str] = (),
    may_reach: Iterable[str] = (),
    from_zone: str = VANTAGE,
    zones: Iterable[str] = ("internet", "clinical", "guest", "admin"),
) -> Policy:
    """A policy with one line, for every asset, and zones without networks."""
    line = Exposure(from_zone, AssetClass(), tuple(must_reach), tuple(may_reach))
    return Policy(zones=tuple(Zone(name) for name in zones), exposure=(line,))


# --------------------------------------------------------------------------------------------------------- facts


def survey(
    outcome: AssociationOutcome = AssociationOutcome.ACCEPTED,
    *,
    tls: bool = False,
    reject: tuple[int, int, int] | None = None,
    abort: tuple[int, int] | None = None,
    accepted: Iterable[str] = (VERIFICATION,),
    refused: Iterable[str] = (),
    echo_status: int | None = None,
    called: str = AE_TITLE,
    purpose: AssociationPurpose = AssociationPurpose.SURVEY,
) -> DicomFacts:
    """A survey association; `accepted` and `refused` are abstract syntaxes, used only where the outcome is ACCEPTED."""
    if outcome is not AssociationOutcome.ACCEPTED:
        contexts: tuple[ContextResult, ...] = ()
    else:
        contexts = tuple(
            [ContextResult(uid, 0) for uid in accepted]
            + [ContextResult(uid, 3) for uid in refused]  # PS3.8 table 9-18: abstract syntax not supported
        )
    return DicomFacts(
        purpose=purpose,
        tls=tls,
        outcome=outcome,
        calling_ae_title=CALLING_AE_TITLE,
        called_ae_title=called,
        reject=reject,
        abort=abort,
        contexts=contexts,
        echo_status=echo_status,
        released=outcome is AssociationOutcome.ACCEPTED,
    )


def rejected(
    reason: tuple[int, int, int],
    *,
    purpose: AssociationPurpose = AssociationPurpose.SURVEY,
    tls: bool = False,
) -> DicomFacts:
    """An association that was rejected with (result, source, reason) of PS3.8 9.3.4."""
    called = WRONG_AE_TITLE if purpose is AssociationPurpose.WRONG_CALLED else AE_TITLE
    return survey(AssociationOutcome.REJECTED, reject=reason, purpose=purpose, tls=tls, called=called)


def wrong_called(
    outcome: AssociationOutcome = AssociationOutcome.ACCEPTED,
    *,
    tls: bool = False,
) -> DicomFacts:
    """An association to a called AE title that nobody has; for a rejected one see `rejected`."""
    return survey(outcome, tls=tls, called=WRONG_AE_TITLE, purpose=AssociationPurpose.WRONG_CALLED)


def canary(
    query: QueryVerdict | None,
    status: int | None = None,
    *,
    outcome: AssociationOutcome = AssociationOutcome.ACCEPTED,
    tls: bool = False,
    abort: tuple[int, int] | None = None,
) -> DicomFacts:
    """The canary's association; the query context is accepted unless the verdict is CONTEXT_REJECTED."""
    refused = query is QueryVerdict.CONTEXT_REJECTED
    facts = survey(
        outcome,
        tls=tls,
        abort=abort,
        accepted=() if refused else (STUDY_ROOT_FIND,),
        refused=(STUDY_ROOT_FIND,) if refused else (),
        purpose=AssociationPurpose.CANARY,
    )
    return replace(facts, query=query, query_status=status)


def registered(
    outcome: AssociationOutcome = AssociationOutcome.ACCEPTED,
    *,
    reject: tuple[int, int, int] | None = None,
    tls: bool = False,
    called: str = AE_TITLE,
) -> DicomFacts:
    """The association under the calling title that the inventory says is registered."""
    facts = survey(
        outcome,
        tls=tls,
        reject=reject,
        echo_status=0 if outcome is AssociationOutcome.ACCEPTED else None,
        called=called,
        purpose=AssociationPurpose.REGISTERED,
    )
    return replace(facts, calling_ae_title=REGISTERED_AE_TITLE)


def opted_in(
    purpose: AssociationPurpose,
    query: QueryVerdict | None,
    status: int | None = None,
    *,
    outcome: AssociationOutcome = AssociationOutcome.ACCEPTED,
    tls: bool = False,
    abort: tuple[int, int] | None = None,
) -> DicomFacts:
    """The association of an opt-in canary; its context is accepted unless the verdict is CONTEXT_REJECTED."""
    sop_class = MODALITY_WORKLIST_FIND if purpose is AssociationPurpose.WORKLIST else STUDY_ROOT_GET
    refused = query is QueryVerdict.CONTEXT_REJECTED
    facts = survey(
        outcome,
        tls=tls,
        abort=abort,
        accepted=() if refused else (sop_class,),
        refused=(sop_class,) if refused else (),
        purpose=purpose,
    )
    return replace(facts, query=query, query_status=status)


def identified(
    facts: DicomFacts, uid: str | None = "1.2.276.0.7230010.3.0.3.6.7", version: str | None = "OFFIS_DCMTK_367"
) -> DicomFacts:
    """The same association with the implementation that its acceptance names."""
    return replace(facts, implementation_class_uid=uid, implementation_version=version)


# ------------------------------------------------------------------------------------------------- observations


def seen(
    facts: Facts,
    service: int | None = 0,
    address: str = ADDRESS,
    port: int = 11112,
    asset_id: str = "synthetic-01",
    vantage: str = VANTAGE,
) -> Observation:
    """One observation; the case that it is put into gives it its id and the asset's and the vantage's names."""
    return Observation("synthetic-observation", asset_id, vantage, NOW, address, port, service, facts)


def port_seen(port: int, state: ConnectState = ConnectState.OPEN, address: str = ADDRESS) -> Observation:
    """One TCP port as seen by connect(); a silent one was asked again."""
    asked = 2 if state is ConnectState.FILTERED else 1
    return seen(PortFacts(state=state, asked=asked), service=None, address=address, port=port)


def ports_seen(
    ports: Iterable[int], state: ConnectState = ConnectState.CLOSED, address: str = ADDRESS
) -> tuple[Observation, ...]:
    """Several TCP ports in one state."""
    return tuple(port_seen(port, state, address) for port in ports)


# --------------------------------------------------------------------------------------------------------- cases


def service_case(
    of: Asset,
    *what: Facts | Observation,
    index: int = 0,
    address: str | None = ADDRESS,
    vantage: str = VANTAGE,
    policy: Policy | None = None,
    also: Iterable[Observation] = (),
) -> Case:
    """A case of the service `of.services[index]` at one address; `also` is seen of the asset, not of the service.

    Bare facts become observations of that service at that address and port.
    """
    service = of.services[index]
    port, where = service.port, address or ADDRESS
    own = [item if isinstance(item, Observation) else seen(item, index, where, port) for item in what]
    everything = _numbered([*own, *also], of, vantage)
    return Case(
        asset=of,
        vantage=vantage,
        now=NOW,
        policy=policy or Policy(),
        service=service,
        address=address,
        seen=everything[: len(own)],
        asset_seen=everything,
    )


def known_before(
    case: Case, uid: str | None = "1.2.276.0.7230010.3.0.3.6.7", version: str | None = "OFFIS_DCMTK_367"
) -> Case:
    """The same case with the implementation that an earlier run saw."""
    return replace(case, earlier_identity=Identity("20261123T042030Z-clinical-0a1b", uid, version))


def asset_case(
    of: Asset,
    *observations: Observation,
    vantage: str = VANTAGE,
    policy: Policy | None = None,
    sharers: Mapping[str, tuple[str, ...]] | None = None,
) -> Case:
    """A case of a whole asset with the observations given."""
    everything = _numbered(observations, of, vantage)
    return Case(
        asset=of,
        vantage=vantage,
        now=NOW,
        policy=policy or Policy(),
        seen=everything,
        asset_seen=everything,
        sharers=sharers or {},
    )


def _numbered(observations: Iterable[Observation], of: Asset, vantage: str) -> tuple[Observation, ...]:
    return tuple(
        replace(observation, id=f"synthetic-{number}", asset_id=of.id, vantage=vantage)
        for number, observation in enumerate(observations, 1)
    )
