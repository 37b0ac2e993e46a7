"""Pure: NTP as a client asks the time (RFC 5905). Never a control or a private message (modes 6 and 7)."""

from __future__ import annotations

from struct import pack

from checker.model import UdpAnswer

_CLIENT, _SERVER = 3, 4  # RFC 5905 7.3, the modes
_VERSION = 4
_LENGTH = 48  # RFC 5905 7.3: the header, without extensions
_ORIGIN = 24
_TIMESTAMP = 8


def request(token: bytes) -> bytes:
    """The question. Its only timestamp is random, for the server just sends it back (RFC 5905 section 8)."""
    return pack(">B39x8s", _VERSION << 3 | _CLIENT, token[:_TIMESTAMP])


def read(data: bytes, token: bytes) -> UdpAnswer | None:
    """The answer of a server to this very question; it may have extensions, which are not looked at."""
    if len(data) < _LENGTH:
        return None
    if data[0] & 0x07 != _SERVER or data[_ORIGIN : _ORIGIN + _TIMESTAMP] != token[:_TIMESTAMP]:
        return None
    return UdpAnswer(version=data[0] >> 3 & 0x07, stratum=data[1], leap=data[0] >> 6)
