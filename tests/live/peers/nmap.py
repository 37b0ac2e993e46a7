"""nmap with its script `ssl-enum-ciphers`, which knows SSLv3 and TLS 1.0 to 1.3."""

from __future__ import annotations

import subprocess
from xml.etree import ElementTree as ET

from tests.live.peers.accepted import Accepted, PeerError, codes
from tests.live.servers.process import require

LABELS = {"SSLv3": "SSLv3", "TLSv1.0": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
_WITHIN_S = 60.0
_SCRIPT = "ssl-enum-ciphers"


def nmap(host: str, port: int, server_name: str) -> Accepted:
    """What nmap lists for an IP address and a port. Raises `PeerError` where it does not end well in a minute.

    `server_name` is sent as SNI. Nothing is looked up by name. The port is tried by an ordinary connection, also where
    root runs the tests. The plus sign makes the script run on a port whose number says nothing of TLS.
    """
    binary = require("nmap", "nmap")
    command = [binary, "--unprivileged", "-sT", "-Pn", "-n", "-p", str(port), "-oX", "-", host]
    command += ["--script", f"+{_SCRIPT}", "--script-args", f"tls.servername={server_name}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN_S, check=True
        )
        return _read(done.stdout)
    except (subprocess.SubprocessError, ET.ParseError, KeyError) as failure:
        message = f"nmap: {failure!r}"
        raise PeerError(message) from failure


def _read(text: str) -> Accepted:
    # The document comes from the nmap of this machine, which the tests trust.
    document = ET.fromstring(text)  # noqa: S314
    if (
        document.find("runstats/finished[@exit='success']") is None
        or document.find(".//port/state[@state='open']") is None
    ):
        message = f"nmap found no open port: {text}"
        raise PeerError(message)
    accepted: dict[str, frozenset[int]] = {}
    # Without the script's element, nothing was accepted.
    for version in document.findall(f".//script[@id='{_SCRIPT}']/table"):
        names = [str(found.text) for found in version.findall("table[@key='ciphers']/table/elem[@key='name']")]
        # Its own name for what TLS 1.3 has in place of a key exchange and an authentication.
        accepted[LABELS[version.attrib["key"]]] = codes(name.replace("TLS_AKE_WITH_", "TLS_") for name in names)
    return accepted
