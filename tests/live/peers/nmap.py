"""nmap with its script `ssl-enum-ciphers`, which knows SSLv3 and TLS 1.0 to 1.3, and as a scanner of ports."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Scanned:
    """What nmap says of a port: its state, and by what it says so."""

    state: str
    reason: str

    def __str__(self) -> str:
        """Both in words, such as `filtered (no-response)`."""
        return f"{self.state} ({self.reason})"


def scan(inside: Sequence[str], how: str, host: str, ports: Sequence[int], *options: str) -> dict[int, Scanned]:
    """What nmap makes of some ports of an IP address, `how` being -sT or -sS; run by the command line `inside`.

    With -sT it is kept from what an ordinary user may not do. It looks for no host first, as we do not. Raises
    `PeerError` where it does not end well in a minute.
    """
    binary = require("nmap", "nmap")
    command = [*inside, binary, how, "-Pn", "-n", "-p", ",".join(map(str, ports)), "--reason", "-oX", "-", *options]
    command += ["--unprivileged"] if how == "-sT" else []
    command += ["-6", host] if ":" in host else [host]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN_S, check=True
        )
        # The document comes from the nmap of this machine, which the tests trust.
        found = ET.fromstring(done.stdout).findall(".//port")  # noqa: S314
        states = {int(port.attrib["portid"]): port.find("state") for port in found}
        return {
            port: Scanned("nothing", "the host is not in its answer")
            if (state := states.get(port)) is None
            else Scanned(state.attrib["state"], state.attrib["reason"])
            for port in ports
        }
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
