"""DCMTK's servers: the archive `dcmqrscp`, the receiver `storescp`, the work list `wlmscpfs`.

They listen on every address of the machine, for DCMTK has no option to say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.live import synthetic
from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK, Process, require, run, serving
from tests.live.synthetic import Study, studies, write

_PACKAGE = "dcmtk"

TlsProfile = Literal["+py", "+px", "+pz", "+pa", "+pn"]
ClientCertificate = Literal["required", "verified", "ignored"]
_PEER = {"required": "-rc", "verified": "-vc", "ignored": "-ic"}

# OpenSSL's own floor is TLS 1.2; DCMTK's profiles +px and +pa are of a time that had 1.0.
_LEGACY_OPENSSL = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = old
[old]
MinProtocol = None
CipherString = DEFAULT:@SECLEVEL=0
"""


@dataclass(frozen=True, slots=True)
class DicomServer:
    """A running DICOM server; `studies` are those that it answers from."""

    host: str
    port: int
    ae_title: str
    process: Process
    studies: tuple[Study, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """A caller whom dcmqrscp knows; `host` is the address that it calls from."""

    ae_title: str
    host: str = LOOPBACK
    port: int = 11112


@contextmanager
def dcmqrscp(
    *,
    ae_title: str = "DCMTKARC",
    peers: Sequence[Peer] | None = None,
    loaded: Sequence[Study] | None = None,
    options: Sequence[str] = (),
    max_associations: int = 16,
    host: str = LOOPBACK,
) -> Iterator[DicomServer]:
    """An archive with three synthetic studies, or those given, open to anybody, or to these peers alone.

    `options` are dcmqrscp's own, such as `--disable-get`, `-QP`, `--refuse` or `--single-process`.
    """
    binary, index = require("dcmqrscp", _PACKAGE), require("dcmqridx", _PACKAGE)
    held = tuple(studies() if loaded is None else loaded)

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        storage = folder / "storage"
        storage.mkdir()
        files = write(held, storage)
        if files:
            run([index, storage, *files])
        configuration = folder / "dcmqrscp.cfg"
        configuration.write_text(_archive(storage, ae_title, peers, max_associations, ports[0]))
        return [binary, "-v", "-dhl", "-c", configuration, *options, str(ports[0])]

    with serving("dcmqrscp", command) as process:
        yield DicomServer(host, process.ports[0], ae_title, process, held)


def _archive(storage: Path, ae_title: str, peers: Sequence[Peer] | None, max_associations: int, port: int) -> str:
    known = "\n".join(f"peer{n} = ({peer.ae_title}, {peer.host}, {peer.port})" for n, peer in enumerate(peers or ()))
    symbols = ", ".join(f"peer{n}" for n in range(len(peers or ())))
    group = f"known = {symbols}" if symbols else ""
    return f"""\
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = {max_associations}
HostTable BEGIN
{known}
{group}
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{ae_title} {storage} RW (200, 64mb) {"ANY" if peers is None else "known"}
AETable END
"""


@contextmanager
def storescp(
    *,
    ae_title: str = "STORESCP",
    fork: bool = False,
    tls: TlsFiles | None = None,
    profile: TlsProfile = "+py",
    client_certificate: ClientCertificate = "ignored",
    options: Sequence[str] = (),
    host: str = LOOPBACK,
) -> Iterator[DicomServer]:
    """A receiver that drops what it gets; one association at a time, unless it forks.

    With `tls` it speaks DICOM inside TLS alone, with the suites and versions of `profile` (facts of DCMTK 3.6.7: `+py`
    1.2 and 1.3; `+px` from 1.0; `+pz` 1.2; `+pa` up to 1.2, AES128-SHA; `+pn` NULL-SHA).
    """
    binary = require("storescp", _PACKAGE)

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        line: list[str | Path] = [binary, "-v", "-dhl", "--ignore", "-aet", ae_title, *options]
        if fork:
            line.append("--fork")
        if tls is not None:
            (folder / "openssl.cnf").write_text(_LEGACY_OPENSSL)
            line += ["+tls", tls.key, tls.certificate, "+cf", tls.authority, profile, _PEER[client_certificate]]
            line = ["env", f"OPENSSL_CONF={folder / 'openssl.cnf'}", *line]
        return [*line, str(ports[0])]

    with serving("storescp", command) as process:
        yield DicomServer(host, process.ports[0], ae_title, process)


@contextmanager
def wlmscpfs(
    *, ae_title: str = "WORKLIST", items: int = 3, options: Sequence[str] = (), host: str = LOOPBACK
) -> Iterator[DicomServer]:
    """A modality work list with synthetic items; a caller of any title may ask, the called title names the list."""
    binary, compiler = require("wlmscpfs", _PACKAGE), require("dump2dcm", _PACKAGE)

    def command(folder: Path, ports: tuple[int, ...]) -> list[str | Path]:
        worklist = folder / "lists" / ae_title
        worklist.mkdir(parents=True)
        (worklist / "lockfile").touch()
        for number in range(1, items + 1):
            dump = folder / f"item{number}.dump"
            dump.write_text(_worklist_item(number))
            run([compiler, "+te", dump, worklist / f"item{number}.wl"])
        return [binary, "-v", "-dhl", "-dfp", worklist.parent, *options, str(ports[0])]

    with serving("wlmscpfs", command) as process:
        yield DicomServer(host, process.ports[0], ae_title, process)


def _worklist_item(number: int) -> str:
    return f"""\
(0008,0050) SH [{synthetic.ACCESSION}-{number}]
(0008,0090) PN [{synthetic.NAME}]
(0010,0010) PN [{synthetic.NAME}^{number}]
(0010,0020) LO [{synthetic.PATIENT_ID}-{number}]
(0010,0030) DA [19000101]
(0010,0040) CS [O]
(0020,000d) UI [{synthetic.study_uid(number)}]
(0032,1032) PN [{synthetic.NAME}]
(0032,1060) LO [{synthetic.INSTITUTION}]
(0040,0100) SQ
(fffe,e000) na (Item)
(0008,0060) CS [OT]
(0040,0001) AE [SYNTHSTATION]
(0040,0002) DA [20010101]
(0040,0003) TM [120000]
(0040,0006) PN [{synthetic.NAME}]
(0040,0007) LO [{synthetic.INSTITUTION}]
(0040,0009) SH [SPS{number}]
(fffe,e00d) na (ItemDelimitationItem)
(fffe,e0dd) na (SequenceDelimitationItem)
(0040,1001) SH [RP{number}]
"""
