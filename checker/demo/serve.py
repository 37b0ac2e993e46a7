"""A ward of the simulated hospital: a child process that serves some of the assets until its parent is gone.

`python -m checker.demo.serve WARD NETWORK FOLDER`. It writes one line of JSON when all its servers listen, or when one
of them cannot: `{"ready": true}` or `{"address": ..., "port": ..., "errno": ..., "reason": ...}`. It then ends when its
standard input does: after the line `stop`, or without it, where the parent was killed; then it also removes the folder.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import ssl
import sys
import warnings
from pathlib import Path

from checker.demo.assets import (
    DatabaseListener,
    DicomServer,
    Server,
    SimulatedAsset,
    Tls,
    Ward,
    WebServer,
    simulated_assets,
)

_HANDSHAKE_S = 3.0
_PARENT_LOOK_S = 1.0


def serve(ward: Ward, network: str, folder: Path) -> int:
    """Start the ward's servers, say so, and stay until the parent lets go. Returns the exit code."""
    parent = os.getppid()
    for asset in simulated_assets(network):
        for server in asset.servers:
            if not ward.has(server):
                continue
            try:
                _start(server, asset, folder)
            except OSError as error:
                _tell({"address": asset.address, "port": server.port, "errno": error.errno, "reason": error.strerror})
                return 1
    _tell({"ready": True})
    if not _told_to_stop(parent):
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _start(server: Server, asset: SimulatedAsset, folder: Path) -> None:
    match server:
        case DicomServer():
            from checker.demo.dicom import start_dicom

            # pynetdicom shakes hands in the thread that accepts: a silent client must not hold it for ever.
            socket.setdefaulttimeout(_HANDSHAKE_S)
            start_dicom(server, asset.address, _tls_context(server.tls, folder))
        case WebServer():
            from checker.demo.web import start_web

            start_web(server, asset.address, _tls_context(server.tls, folder))
        case DatabaseListener():
            from checker.demo.web import start_database

            start_database(server, asset.address)


def _tls_context(tls: Tls | None, folder: Path) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{tls.certificate}.pem")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.obsolete:
        context.set_ciphers("ALL:!aNULL:!eNULL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if ssl.HAS_TLSv1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # to be obsolete is the purpose
                context.minimum_version = ssl.TLSVersion.TLSv1
    if tls.client_certificate:
        from checker.demo.certificates import AUTHORITY

        context.load_verify_locations(folder / f"{AUTHORITY}.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _tell(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _told_to_stop(parent: int) -> bool:
    """Wait for the parent: True once it says stop, False once it is gone.

    A killed parent closes the pipe. A child that it forked may still hold the pipe's other end, so the parent's process
    id is looked at too.
    """
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], _PARENT_LOOK_S)
        if readable:
            return sys.stdin.readline().strip() == "stop"
    return False


if __name__ == "__main__":
    status = serve(Ward(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    sys.stderr.flush()
    os._exit(status)  # at once: associations may be open, and their threads are not waited for
