"""Data, not code: which assets the simulated hospital has, and what each of them really is.

The servers are started from this table, and tests compare what the checker says against it. `demo.yaml` beside this
file is what the hospital's owner *believes*: it declares the services, not their weaknesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from typing import TypeAlias

from checker.model import Role

DEFAULT_NETWORK = "127.77.0.0/24"

DICOM_PORT = 11112
DICOM_TLS_PORT = 2762
HTTP_PORT = 8088  # not 8042 or 8080: a developer's machine often has a server there on every address
HTTPS_PORT = 8443
DATABASE_PORT = 1521

KNOWN_CALLING_AE_TITLE = "CT_ROOM_1"
"""The one calling AE title that archives with a list of callers know."""


class Query(StrEnum):
    """What an SCP does with a Study Root C-FIND."""

    NOT_OFFERED = "not-offered"  # the presentation context is refused
    MATCHED = "matched"  # the keys are matched against the synthetic studies
    ABORTED = "aborted"  # the context is accepted, the request answered by A-ABORT
    KEYS_IGNORED = "keys-ignored"  # every study is returned, whatever was asked


class Site(StrEnum):
    """What a web server serves."""

    OPEN_ARCHIVE = "open-archive"  # DICOMweb for anybody
    BASIC_ARCHIVE = "basic-archive"  # DICOMweb behind a Basic challenge
    LOGIN_VIEWER = "login-viewer"  # everything leads to a login form
    OPEN_VIEWER = "open-viewer"  # a viewer and its DICOMweb for anybody
    SHELL_VIEWER = "shell-viewer"  # a public single-page shell, its DICOMweb behind a Bearer challenge


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of a server. `certificate` names one of `checker.demo.certificates`; `obsolete` allows TLS 1.0 and 1.1."""

    certificate: str
    client_certificate: bool = False
    obsolete: bool = False


@dataclass(frozen=True, slots=True)
class DicomServer:
    """A DICOM SCP and what it lets an unregistered caller do."""

    port: int
    ae_title: str
    tls: Tls | None = None
    checks_calling: bool = False  # A-ASSOCIATE-RJ 1/1/3 for all but `KNOWN_CALLING_AE_TITLE`
    checks_called: bool = False  # A-ASSOCIATE-RJ 1/1/7 for all but `ae_title`
    query: Query = Query.NOT_OFFERED
    retrieve: bool = False
    store: bool = False
    max_associations: int = 10  # A-ASSOCIATE-RJ 2/3/2 beyond it


@dataclass(frozen=True, slots=True)
class WebServer:
    """An HTTP server; over TLS where `tls` is given."""

    port: int
    site: Site
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class DatabaseListener:
    """A listener that waits for its own protocol and says nothing to strangers, as databases do."""

    port: int


Server: TypeAlias = DicomServer | WebServer | DatabaseListener


class Ward(StrEnum):
    """The processes that the servers are spread over: few, so that the hospital starts quickly and stays small."""

    DICOM = "dicom"
    WEB = "web"

    def has(self, server: Server) -> bool:
        """Whether this ward serves it."""
        return isinstance(server, DicomServer) == (self is Ward.DICOM)


@dataclass(frozen=True, slots=True)
class SimulatedAsset:
    """One asset: where it is, which servers really run there, and in one sentence what is right or wrong with it."""

    id: str
    address: str
    role: Role
    truth: str
    servers: tuple[Server, ...] = ()

    @property
    def ports(self) -> tuple[int, ...]:
        """The TCP ports that really listen, in ascending order."""
        return tuple(sorted(server.port for server in self.servers))


def simulated_assets(network: str = DEFAULT_NETWORK) -> tuple[SimulatedAsset, ...]:
    """All assets, in the order of their addresses, in an IPv4 loopback network of 256 addresses."""
    hosts = IPv4Network(network)
    return tuple(
        SimulatedAsset(asset_id, str(hosts[number]), role, truth, tuple(servers))
        for number, (asset_id, role, truth, servers) in enumerate(_ASSETS, start=11)
    )


_ASSETS: Sequence[tuple[str, Role, str, Sequence[Server]]] = (
    (
        "arc-open",
        Role.ARCHIVE,
        "An archive open to anybody: it answers queries over DICOM and over DICOMweb, in cleartext.",
        [
            DicomServer(DICOM_PORT, "ARC_OPEN", query=Query.MATCHED, retrieve=True, store=True),
            WebServer(HTTP_PORT, Site.OPEN_ARCHIVE),
        ],
    ),
    (
        "arc-checked",
        Role.ARCHIVE,
        "An archive that knows its callers and asks for a password over https; its DICOM is in cleartext.",
        [
            DicomServer(
                DICOM_PORT,
                "ARC_CHECKED",
                checks_calling=True,
                checks_called=True,
                query=Query.MATCHED,
                retrieve=True,
                store=True,
            ),
            WebServer(HTTPS_PORT, Site.BASIC_ARCHIVE, Tls("arc-checked")),
        ],
    ),
    (
        "arc-tls-expired",
        Role.ARCHIVE,
        "An archive on TLS 1.2 and 1.3 whose certificate has expired and whose queries are open to anybody.",
        [DicomServer(DICOM_TLS_PORT, "ARC_TLS", Tls("arc-tls-expired"), query=Query.MATCHED, retrieve=True)],
    ),
    (
        "arc-mtls",
        Role.ARCHIVE,
        "An archive on TLS that demands a client certificate before it says a word of DICOM.",
        [DicomServer(DICOM_TLS_PORT, "ARC_MTLS", Tls("arc-mtls", client_certificate=True), query=Query.MATCHED)],
    ),
    (
        "arc-called",
        Role.ARCHIVE,
        "An archive that checks the called AE title only: who knows its name may query it.",
        [DicomServer(DICOM_PORT, "ARC_CALLED", checks_called=True, query=Query.MATCHED, retrieve=True)],
    ),
    (
        "arc-norights",
        Role.ARCHIVE,
        "An archive that accepts any association and then aborts the query of a caller without rights.",
        [DicomServer(DICOM_PORT, "ARC_NORIGHTS", query=Query.ABORTED, retrieve=True)],
    ),
    (
        "arc-ignores-keys",
        Role.ARCHIVE,
        "An archive that answers any query with every study that it has.",
        [DicomServer(DICOM_PORT, "ARC_IGNORES", query=Query.KEYS_IGNORED)],
    ),
    (
        "viewer-login",
        Role.VIEWER,
        "A viewer over https with HSTS, all of it behind a login form.",
        [WebServer(HTTPS_PORT, Site.LOGIN_VIEWER, Tls("viewer-login"))],
    ),
    (
        "viewer-open",
        Role.VIEWER,
        "A viewer without a login, over http, with the archive behind it open to anybody.",
        [WebServer(HTTP_PORT, Site.OPEN_VIEWER)],
    ),
    (
        "viewer-spa",
        Role.VIEWER,
        "A viewer whose page is public and whose archive is gated; it shares its private key with viewer-login.",
        [WebServer(HTTPS_PORT, Site.SHELL_VIEWER, Tls("viewer-spa"))],
    ),
    (
        "mod-ct-single",
        Role.MODALITY,
        "A scanner that takes one association at a time, from anybody, for C-ECHO only.",
        [DicomServer(DICOM_PORT, "CT_SINGLE", max_associations=1)],
    ),
    (
        "mod-old-tls",
        Role.MODALITY,
        "An old scanner that still speaks TLS 1.0, with a certificate made for another name by nobody known.",
        [DicomServer(DICOM_TLS_PORT, "CT_OLD", Tls("mod-old-tls", obsolete=True))],
    ),
    (
        "ws-1",
        Role.WORKSTATION,
        "A workstation that stores images from anybody, with its database reachable.",
        [DicomServer(DICOM_PORT, "WS1", store=True), DatabaseListener(DATABASE_PORT)],
    ),
    (
        "gw-off",
        Role.GATEWAY,
        "A gateway that is listed and switched off: nothing listens.",
        [],
    ),
)
