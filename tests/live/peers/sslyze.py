"""sslyze, from its own environment `.venv/peers`, for it pins another `cryptography` than this project."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.live.peers.accepted import Accepted, PeerError, codes
from tests.live.servers.process import ROOT, unavailable

LABELS = {
    "ssl_2_0": "SSLv2",
    "ssl_3_0": "SSLv3",
    "tls_1_0": "TLS 1.0",
    "tls_1_1": "TLS 1.1",
    "tls_1_2": "TLS 1.2",
    "tls_1_3": "TLS 1.3",
}
_SCANS = ("--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3")
_WITHIN_S = 60.0
_INSTALLED = ROOT / ".venv" / "peers" / "bin" / "sslyze"


def sslyze(host: str, port: int, server_name: str) -> Accepted:
    """What sslyze lists for an IP address and a port; nothing where it says that it cannot talk TLS with the server.

    `server_name` is sent as SNI: without one it would send the address, which is none (RFC 6066 section 3).

    A version has no suites where sslyze failed over it. Raises `PeerError` where it does not end well in a minute, and
    for a cipher of SSLv2, none of which is a suite.
    """
    command = [binary(), "--mozilla_config", "disable", "--sni", server_name, *_SCANS, "--json_out", "-"]
    try:
        done = subprocess.run(
            [*command, f"{host}:{port}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=True,
        )
        return _read(json.loads(done.stdout))
    except (subprocess.SubprocessError, ValueError, KeyError, TypeError) as failure:
        message = f"sslyze: {failure!r}"
        raise PeerError(message) from failure


def binary() -> str:
    """The path of sslyze: that of `make peers`, or what SSLYZE names. Else a skip, or a failure with CI=true."""
    named = os.environ.get("SSLYZE", "")
    found = next((path for path in (_INSTALLED, Path(named)) if path.is_file()), None)
    if found is None:
        unavailable("sslyze is not there: make peers, or name it in SSLYZE")
    return str(found)


def _read(document: Mapping[str, Any]) -> Accepted:
    (server,) = document["server_scan_results"]
    accepted: dict[str, frozenset[int]] = {}
    if server["connectivity_status"] != "COMPLETED":
        return accepted
    for key, label in LABELS.items():
        scan = server["scan_result"][f"{key}_cipher_suites"]
        if scan["status"] != "COMPLETED":
            accepted[label] = frozenset()  # it broke down, and says so: that is no refusal
        elif scan["result"]["is_tls_version_supported"]:
            names = [found["cipher_suite"]["name"] for found in scan["result"]["accepted_cipher_suites"]]
            accepted[label] = codes(names)
    return accepted
