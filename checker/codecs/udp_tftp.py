"""Pure: TFTP asked for a file that nobody has (RFC 1350). It never asks for a name that could exist, and never writes.

Of the error that comes back only its number is kept; of a file that comes in spite of all, nothing.
"""

from __future__ import annotations

from struct import pack, unpack_from

from checker.model import UdpAnswer

_READ, _DATA, _ERROR = 1, 3, 5  # RFC 1350 section 5, the opcodes
_HEADER = 4
_LARGEST_BLOCK = 512
_LARGEST_ERROR_CODE = 8  # 0 to 7 of RFC 1350, 8 of RFC 2347


def read_request(token: bytes) -> bytes:
    """A request to read a file of a random name of 24 letters and digits, without options (RFC 1350 section 5)."""
    return pack(">H", _READ) + token[:12].hex().encode("ascii") + b"\0octet\0"


def read(data: bytes) -> UdpAnswer | None:
    """An error, or the first block of a file. It answers our socket, which nobody else has been told of."""
    if len(data) < _HEADER:
        return None
    opcode, number = unpack_from(">HH", data)
    if opcode == _ERROR and number <= _LARGEST_ERROR_CODE:
        return UdpAnswer(error_code=number)
    if opcode == _DATA and number == 1 and len(data) <= _HEADER + _LARGEST_BLOCK:
        return UdpAnswer(gave_data=True)
    return None


def parting(answer: UdpAnswer) -> bytes | None:
    """The error that ends the transfer of who began one (RFC 1350 section 7), with an empty text. It has no answer."""
    return pack(">HH", _ERROR, 0) + b"\0" if answer.gave_data else None
