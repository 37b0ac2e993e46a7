"""Orthanc with its DICOMweb plugin, in the configurations that an archive is found in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK, Process, missing, require, serving
from tests.live.synthetic import Study, encoded, studies

USER = ("synthetic-user", "synthetic-password")
"""The one registered user where authentication is enabled; only the tests' set-up ever uses it."""

_PLUGINS = (
    Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    Path("/usr/lib/orthanc/libOrthancDicomWeb.so"),
    Path("/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so"),
)


@dataclass(frozen=True, slots=True)
class OrthancOptions:
    """What one Orthanc is like; the defaults are Orthanc's own, but for remote access.

    `queries`: anybody may C-FIND, C-GET and C-MOVE. `check_called`: only its own AE title may be called.
    `known_callers_only`: nobody who is not a registered modality may do anything. `authentication`: HTTP asks for
    `USER`. `tls`: DICOM inside TLS alone, where `client_certificate` tells whether a client has to show one of the
    authority.
    `settings`: further or other keys of Orthanc's configuration. `login`: who is let in by HTTP, where those keys say.
    """

    ae_title: str = "ORTHANC"
    queries: bool = False
    check_called: bool = False
    known_callers_only: bool = False
    authentication: bool = False
    tls: TlsFiles | None = None
    client_certificate: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    login: tuple[str, str] | None = None

    @property
    def credentials(self) -> tuple[str, str] | None:
        """Whoever is let in by HTTP, with the password; None where anybody is."""
        return USER if self.authentication else self.login

    def configuration(self, folder: Path, dicom_port: int, http_port: int, plugin: Path) -> dict[str, object]:
        """Orthanc's configuration file."""
        written: dict[str, object] = {
            "Name": "synthetic",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "Plugins": [str(plugin)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "HttpPort": http_port,
            "HttpThreadsCount": 4,
            "RemoteAccessAllowed": True,
            "AuthenticationEnabled": self.authentication,
            "RegisteredUsers": dict([USER]) if self.authentication else {},
            "DicomPort": dicom_port,
            "DicomAet": self.ae_title,
            "DicomCheckCalledAet": self.check_called,
            "DicomAlwaysAllowEcho": not self.known_callers_only,
            "DicomAlwaysAllowStore": not self.known_callers_only,
            "DicomAlwaysAllowFind": self.queries,
            "DicomAlwaysAllowGet": self.queries,
            "DicomAlwaysAllowMove": self.queries,
        }
        if self.tls is not None:
            written |= {
                "DicomTlsEnabled": True,
                "DicomTlsCertificate": str(self.tls.certificate),
                "DicomTlsPrivateKey": str(self.tls.key),
                "DicomTlsTrustedCertificates": str(self.tls.authority),
                "DicomTlsRemoteCertificateRequired": self.client_certificate,
            }
        return written | dict(self.settings)


DEFAULT = OrthancOptions()
OPEN = OrthancOptions(queries=True)
AUTHENTICATED = OrthancOptions(authentication=True)
CALLED_TITLE_CHECKED = OrthancOptions(check_called=True, queries=True)
REGISTERED_ONLY = OrthancOptions(check_called=True, known_callers_only=True, authentication=True)


@dataclass(frozen=True, slots=True)
class Orthanc:
    """A running Orthanc, with the studies that it holds."""

    host: str
    dicom_port: int
    http_port: int
    ae_title: str
    options: OrthancOptions
    studies: tuple[Study, ...]
    process: Process

    @property
    def url(self) -> str:
        """The root of its HTTP server, without a slash at the end."""
        return f"http://{self.host}:{self.http_port}"

    @property
    def dicomweb(self) -> str:
        """The root of DICOMweb, without a slash at the end."""
        return f"{self.url}/dicom-web"


@contextmanager
def orthanc(
    options: OrthancOptions = OPEN, loaded: Sequence[Study] | None = None, host: str = LOOPBACK
) -> Iterator[Orthanc]:
    """An Orthanc with three synthetic studies, or those given. It listens on every address of the machine."""
    binary = require("Orthanc", "orthanc")
    plugin = next((path for path in _PLUGINS if path.exists()), None)
    if plugin is None:
        missing("libOrthancDicomWeb.so", "orthanc-dicomweb")

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        configuration = folder / "orthanc.json"
        configuration.write_text(json.dumps(options.configuration(folder, ports[0], ports[1], plugin)))
        return [binary, configuration]

    held = tuple(studies() if loaded is None else loaded)
    with serving("orthanc", command, ports=2, polite=False) as process:
        dicom_port, http_port = process.ports
        server = Orthanc(host, dicom_port, http_port, options.ae_title, options, held, process)
        _load(server)
        yield server


def _load(server: Orthanc) -> None:
    with httpx.Client(base_url=server.url, auth=server.options.credentials, trust_env=False, timeout=20) as client:
        for study in server.studies:
            for instance in study.instances:
                client.post("/instances", content=encoded(instance)).raise_for_status()
