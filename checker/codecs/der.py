"""Pure: the little of DER (ITU-T X.690) that is needed to find a field inside a certificate. Reads, and never writes.

Only what certificates use is understood: tags of one octet and definite lengths. All else is MalformedPeerData.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checker.errors import MalformedPeerData

OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE = 0x04, 0x06, 0x30

_HIGH_TAG = 0x1F  # X.690 8.1.2.4: the tag goes on in further octets
_LONG_FORM = 0x80  # X.690 8.1.3.5
_MOST_LENGTH_OCTETS = 4


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its contents, and the whole of it as encoded."""

    tag: int
    contents: bytes
    whole: bytes


def elements(data: bytes) -> Iterator[Element]:
    """The elements that follow one another in `data`. Raises MalformedPeerData where it does not end with one."""
    offset = 0
    while offset < len(data):
        tag = data[offset]
        if tag & _HIGH_TAG == _HIGH_TAG:
            raise _malformed("a tag of several octets")
        start, length = _length(data, offset + 1)
        end = start + length
        if end > len(data):
            raise _malformed("an element longer than what holds it")
        yield Element(tag, data[start:end], data[offset:end])
        offset = end


def _length(data: bytes, offset: int) -> tuple[int, int]:
    """Where the contents start, and their length in octets (X.690 8.1.3)."""
    if offset >= len(data):
        raise _malformed("an element without a length")
    first, offset = data[offset], offset + 1
    if first < _LONG_FORM:
        return offset, first
    octets = first - _LONG_FORM
    if not 0 < octets <= _MOST_LENGTH_OCTETS or offset + octets > len(data):
        raise _malformed("a length that cannot be read")
    return offset + octets, int.from_bytes(data[offset : offset + octets], "big")


def _malformed(what: str) -> MalformedPeerData:
    return MalformedPeerData(f"DER with {what}")
