"""Pure: SNMPv3 engine discovery (RFC 3414 section 4). No user name, no community, no object is ever asked for.

It is the first message of every SNMPv3 manager. An agent that speaks only SNMPv1 or v2c has to drop it in silence (RFC
3412 section 7.2, RFC 1157 4.1), so silence says nothing of those.
"""

from __future__ import annotations

from checker.codecs.der import OCTET_STRING, SEQUENCE, Element, elements
from checker.errors import MalformedPeerData
from checker.model import UdpAnswer

_INTEGER, _GET_REQUEST, _REPORT = 0x02, 0xA0, 0xA8  # RFC 3416 section 3: [0] and [8]
_V3 = 3
_USM = 3  # RFC 3411 section 5, the user-based security model
_MOST = 65507  # RFC 3412 section 6: the largest message that we take
_REPORTABLE = b"\x04"  # RFC 3412 6.4: no authentication, no privacy, a report is wanted
_ENTERPRISE = 4  # RFC 3411 section 5: an engine id starts with an enterprise number
_BY_THE_STANDARD = 0x80000000  # the same: its first bit, which is no part of the number
_ENGINE_ID = range(5, 33)
_LONGEST_INTEGER = 5


def discovery(token: bytes) -> bytes:
    """The question: a Get of nothing, to an engine whose id is not known, by nobody."""
    number = _number(token)
    header = _sequence(_integer(number), _integer(_MOST), _octets(_REPORTABLE), _integer(_USM))
    nobody = _sequence(_octets(b""), _integer(0), _integer(0), _octets(b""), _octets(b""), _octets(b""))
    pdu = _element(_GET_REQUEST, _integer(number) + _integer(0) + _integer(0) + _sequence())
    scoped = _sequence(_octets(b""), _octets(b""), pdu)
    return _sequence(_integer(_V3), header, _octets(nobody), scoped)


def read(data: bytes, token: bytes) -> UdpAnswer | None:
    """The report to this very question, with the enterprise number of the engine id."""
    try:
        engine_id = _engine_id(data, _number(token))
    except MalformedPeerData:
        return None
    if engine_id is None or len(engine_id) not in _ENGINE_ID:
        return None
    first = int.from_bytes(engine_id[:_ENTERPRISE], "big")
    return UdpAnswer(enterprise=first & ~_BY_THE_STANDARD)


def _engine_id(data: bytes, number: int) -> bytes | None:
    """RFC 3412 section 6 and RFC 3414 2.4, as far as the engine id; None where it is another message."""
    # What comes behind the message is no part of it.
    message = next(elements(data), None) if data[:1] == bytes([SEQUENCE]) else None
    if message is None:
        return None
    version, header, security, scoped = _exactly(message, 4)
    if not _is_integer(version, _V3) or header.tag != SEQUENCE or scoped.tag != SEQUENCE:
        return None
    identifier, _, _, model = _exactly(header, 4)
    if not _is_integer(identifier, number) or not _is_integer(model, _USM) or security.tag != OCTET_STRING:
        return None
    (parameters,) = _exactly(security, 1)
    if parameters.tag != SEQUENCE or _exactly(scoped, 3)[2].tag != _REPORT:
        return None
    engine_id = _exactly(parameters, 6)[0]
    return engine_id.contents if engine_id.tag == OCTET_STRING else None


def _exactly(element: Element, count: int) -> list[Element]:
    found = list(elements(element.contents))
    if len(found) != count:
        message = f"{len(found)} elements in place of {count}"
        raise MalformedPeerData(message)
    return found


def _is_integer(element: Element, value: int) -> bool:
    contents = element.contents
    if element.tag != _INTEGER or not 0 < len(contents) <= _LONGEST_INTEGER:
        return False
    return int.from_bytes(contents, "big", signed=True) == value


def _number(token: bytes) -> int:
    """A message id of 31 bits (RFC 3412 6.2), also of the request."""
    return int.from_bytes(token[:4], "big") & 0x7FFFFFFF


def _element(tag: int, contents: bytes) -> bytes:
    """All that we send is shorter than 128 bytes, so that every length is one byte (X.690 8.1.3.4)."""
    return bytes([tag, len(contents)]) + contents


def _sequence(*parts: bytes) -> bytes:
    return _element(SEQUENCE, b"".join(parts))


def _octets(contents: bytes) -> bytes:
    return _element(OCTET_STRING, contents)


def _integer(value: int) -> bytes:
    return _element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
