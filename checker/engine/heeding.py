"""What of an answer concerns whoever asks the device next, also as another asset there: it is told to the manners."""

from __future__ import annotations

from checker.model import BodyKind, DicomFacts, Facts, HandshakeFacts, HttpFacts, QueryVerdict
from checker.net.gateway import Device
from checker.probes.web import LEDGER_WORDS, SEARCHES


def heed(facts: Facts, device: Device, address: str, port: int) -> None:
    """Tell the manners of data that was given, and whoever reads the report of a certificate that is of no use."""
    if isinstance(facts, DicomFacts) and facts.query is QueryVerdict.KEY_IGNORED:
        device.gave_data(address, port, f"dicom {facts.purpose}")
    if isinstance(facts, HttpFacts) and facts.body is BodyKind.FILLED_ARRAY and facts.purpose in SEARCHES:
        for purpose in SEARCHES:
            device.gave_data(address, port, LEDGER_WORDS[purpose])
    if isinstance(facts, HandshakeFacts) and facts.own_certificate == "refused":
        # Else whoever gave us one would not learn that it is of no use here.
        device.note_gap(f"port {port} refused our own certificate as well")
