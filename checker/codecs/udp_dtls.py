"""Pure: the first hello of DTLS 1.2 (RFC 6347 4.2.1), and how a server's answer to it begins.

The hello has no cookie, so that a server says little to it. After an answer we leave, and never go on. Of the answer
only the first handshake message, or an alert, is looked at.
"""

from __future__ import annotations

from struct import pack, unpack_from

from checker.codecs.tls_client_extensions import (
    GROUPS,
    codes,
    empty_ones,
    extension,
    point_formats,
    signature_algorithms,
    vector,
)
from checker.model import UdpAnswer

_DTLS_1_0, _DTLS_1_2 = 0xFEFF, 0xFEFD
_VERSIONS = (_DTLS_1_0, _DTLS_1_2)
_ALERT, _HANDSHAKE = 21, 22  # RFC 6347 4.1 by way of RFC 5246 6.2.1
_CLIENT_HELLO, _SERVER_HELLO, _HELLO_VERIFY_REQUEST = 1, 2, 3
_RECORD_HEADER = 13  # RFC 6347 4.1: type, version, epoch, sequence number, length
_MESSAGE_HEADER = 12  # RFC 6347 4.2.2: type, length, sequence, offset and length of the fragment
_ALERT_LENGTH = 2

# What servers of DTLS 1.2 take, best first, with two of 1.0's, so that hardly one has to refuse us: AES with GCM and
# with CBC, with certificates of either kind, and ephemeral keys or not.
_SUITES = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009E, 0x009C, 0xC009, 0xC013, 0xC014, 0x002F, 0x0035)
_SIGNALS = (0x00FF,)  # RFC 5746 3.3
_GROUPS = (29, 23, 24)
_SCHEMES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0203, 0x0201)


def client_hello(token: bytes) -> bytes:
    """The question: a ClientHello in one record, without a session and without a cookie, that offers DTLS 1.2."""
    extensions = (
        extension(GROUPS, codes(_GROUPS, 2))
        + point_formats()
        + signature_algorithms(_SCHEMES)
        + empty_ones(extended_master_secret=True, encrypt_then_mac=True, session_ticket=False)
    )
    body = (
        pack(">H", _DTLS_1_2)
        + token[:32]
        + vector(b"", 1)  # session
        + vector(b"", 1)  # cookie
        + codes((*_SUITES, *_SIGNALS), 2)
        + vector(b"\0", 1)  # no compression
        + vector(extensions, 2)
    )
    size = len(body).to_bytes(3, "big")
    message = bytes([_CLIENT_HELLO]) + size + bytes(2) + bytes(3) + size + body
    # RFC 6347 4.2.1 leaves the record's version open; the oldest is what every server takes.
    return pack(">BHHHIH", _HANDSHAKE, _DTLS_1_0, 0, 0, 0, len(message)) + message


def read(data: bytes) -> UdpAnswer | None:
    """What the first record of an answer is: a request for a cookie, a ServerHello, or an alert.

    The answer to a first hello repeats nothing of it, so any datagram of this form is taken for one.
    """
    if len(data) < _RECORD_HEADER:
        return None
    kind, version, epoch, length = unpack_from(">BHH6xH", data)
    record = data[_RECORD_HEADER : _RECORD_HEADER + length]
    if version not in _VERSIONS or epoch != 0:
        return None
    if kind == _ALERT and length == _ALERT_LENGTH and len(record) == _ALERT_LENGTH:
        return UdpAnswer(version=version) if record[0] in (1, 2) else None
    if kind != _HANDSHAKE or len(record) < _MESSAGE_HEADER + 2:
        return None
    message, offset = record[0], int.from_bytes(record[6:9], "big")
    (chosen,) = unpack_from(">H", record, _MESSAGE_HEADER)
    if message not in (_HELLO_VERIFY_REQUEST, _SERVER_HELLO) or offset != 0 or chosen not in _VERSIONS:
        return None
    return UdpAnswer(version=chosen, cookie=message == _HELLO_VERIFY_REQUEST)


def parting(answer: UdpAnswer) -> bytes | None:
    """A close_notify (RFC 5246 7.2.1), for a server that keeps a place for us or would send its hello again."""
    if answer.cookie is None:
        return None  # an alert: it has left
    close_notify = bytes([1, 0])
    return pack(">BHHHIH", _ALERT, answer.version or _DTLS_1_0, 0, 0, 1, len(close_notify)) + close_notify
