"""A small simulated hospital on loopback: real DICOM, TLS and HTTP servers in child processes, checked by `demo`.

It needs nothing but the package, holds no patient data (all studies are marked as synthetic), and listens on addresses
of 127.0.0.0/8 only, so that nothing of it can be reached from outside this machine.
"""

from __future__ import annotations

from checker.demo.assets import DEFAULT_NETWORK, SimulatedAsset
from checker.demo.hospital import Hospital, hospital
from checker.demo.run import main

__all__ = ["DEFAULT_NETWORK", "Hospital", "SimulatedAsset", "hospital", "main"]
