"""Pure: the NetBIOS node status (RFC 1002). The names in the answer may be those of people: they are only counted."""

from __future__ import annotations

from struct import pack, unpack_from

from checker.model import UdpAnswer

_NODE_STATUS, _INTERNET = 0x0021, 1  # RFC 1002 4.2.1.2: NBSTAT, IN
_RESPONSE = 0x8000
_OPCODE = 0x7800
_HEADER = 12
# RFC 1002 4.2.17: the name is "*" and fifteen zero bytes. RFC 1001 14.1: each half byte as a letter from A on.
_ANYONE = b"\x20" + b"CK" + b"A" * 30 + b"\0"
_POINTER = 0xC0  # RFC 1002 4.2.1.2 by way of RFC 883: a name that stands elsewhere in the datagram
_RECORD = 10  # type, class, time to live and length
_NAME = 18  # RFC 1002 4.2.18: fifteen characters, a suffix and two bytes of flags


def node_status(token: bytes) -> bytes:
    """The question, with a random transaction id."""
    return token[:2] + pack(">5H", 0, 1, 0, 0, 0) + _ANYONE + pack(">2H", _NODE_STATUS, _INTERNET)


def read(data: bytes, token: bytes) -> UdpAnswer | None:
    """The answer to this very question: how many names the node has."""
    if len(data) < _HEADER or data[:2] != token[:2]:
        return None
    flags, questions, answers = unpack_from(">3H", data, 2)
    if not flags & _RESPONSE or flags & _OPCODE or questions or answers != 1:
        return None
    record = _after_name(data, _HEADER)
    if record is None or len(data) < record + _RECORD + 1:
        return None
    kind, space, _, length = unpack_from(">HHIH", data, record)
    count = data[record + _RECORD]
    if kind != _NODE_STATUS or space != _INTERNET or length < 1 + count * _NAME:
        return None
    return UdpAnswer(names=count)


def _after_name(data: bytes, offset: int) -> int | None:
    """Where the name at `offset` ends: as labels, or as a pointer, which is not followed."""
    while offset < len(data):
        length = data[offset]
        if length == 0:
            return offset + 1
        if length & _POINTER:
            return offset + 2
        offset += 1 + length
    return None
