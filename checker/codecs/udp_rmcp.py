"""Pure: the presence ping of RMCP (DMTF DSP0136, Alert Standard Format 2.0), which management controllers answer.

It opens no session and asks for no authentication: nothing of IPMI itself is ever sent.
"""

from __future__ import annotations

from struct import pack, unpack_from

from checker.model import UdpAnswer

# DSP0136 3.2.2.2: version 1.0, reserved, the sequence number that wants no acknowledgement, class ASF.
_RMCP = bytes([0x06, 0x00, 0xFF, 0x06])
_VERSION, _CLASS = 0x06, 0x06
_ASF = 4542  # DSP0136 3.2.2.3: the enterprise number of ASF messages
_PING, _PONG = 0x80, 0x40
_PONG_DATA = 16  # DSP0136 3.2.4.3
_IPMI = 0x80  # the same, supported entities
_PONG_LENGTH = 12 + _PONG_DATA
# 0xFF would ask for no answer (DSP0136 3.2.2.3).
_LARGEST_TAG = 0xFE


def ping(token: bytes) -> bytes:
    """The question, with a random message tag."""
    return _RMCP + pack(">IBBBB", _ASF, _PING, _tag(token), 0, 0)


def read(data: bytes, token: bytes) -> UdpAnswer | None:
    """The presence pong to this very ping."""
    if len(data) < _PONG_LENGTH or data[0] != _VERSION or data[3] != _CLASS:
        return None
    asf, kind, tag, _, length = unpack_from(">IBBBB", data, 4)
    if asf != _ASF or kind != _PONG or tag != _tag(token) or length < _PONG_DATA:
        return None
    (enterprise,) = unpack_from(">I", data, 12)
    return UdpAnswer(enterprise=enterprise, ipmi=bool(data[20] & _IPMI))


def _tag(token: bytes) -> int:
    return min(token[0], _LARGEST_TAG)
