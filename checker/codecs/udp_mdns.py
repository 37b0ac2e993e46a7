"""Pure: multicast DNS asked by unicast, which types of services there are (RFC 6762 5.5, RFC 6763 section 9).

Names of services and hosts may be those of people and are never asked for. Of the types in the answer those of a list
are kept, in our own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack, unpack_from

from checker.model import UdpAnswer

_POINTER_RECORD, _INTERNET = 12, 1  # RFC 1035 3.2.2, 3.2.4
_UNICAST_WANTED = 0x8000  # RFC 6762 5.4
_CACHE_FLUSH = 0x8000  # RFC 6762 10.2
_RESPONSE, _OPCODE, _CODE = 0x8000, 0x7800, 0x000F
_HEADER = 12
_RECORD = 10
_POINTER = 0xC0  # RFC 1035 4.1.4
_META = (b"_services", b"_dns-sd", b"_udp", b"local")  # RFC 6763 section 9
_MOST_RECORDS = 64
_MOST_JUMPS = 8
_MOST_LABELS = 16

# IANA Service Name and Transport Protocol Port Number Registry, and what workstations and printers announce.
_KNOWN = frozenset(
    f"_{name}._tcp"
    for name in (
        *("acr-nema", "afpovertcp", "airplay", "device-info", "dicom", "dicom-tls", "ftp", "http", "https", "ipp"),
        *("ipps", "ldap", "nfs", "pdl-datastream", "printer", "rdp", "rfb", "scanner", "sftp-ssh", "smb", "ssh"),
        *("telnet", "uscan", "uscans", "webdav", "workstation", "xserveraid"),
    )
)


def query(token: bytes) -> bytes:
    """The question, with a random id, for it comes from another port than multicast DNS itself (RFC 6762 6.7)."""
    name = b"".join(bytes([len(label)]) + label for label in _META) + b"\0"
    return token[:2] + pack(">5H", 0, 1, 0, 0, 0) + name + pack(">2H", _POINTER_RECORD, _INTERNET | _UNICAST_WANTED)


def read(data: bytes, token: bytes) -> UdpAnswer | None:
    """The answer to this very question, with the known types in it, sorted."""
    if len(data) < _HEADER or data[:2] != token[:2]:
        return None
    flags, questions, answers = unpack_from(">3H", data, 2)
    if not flags & _RESPONSE or flags & _OPCODE or flags & _CODE or questions > 1:
        return None
    try:
        pointers = tuple(_pointers(data, questions, min(answers, _MOST_RECORDS)))
    except _Broken:
        return None
    types = {b".".join(_lower(target[:2])).decode("ascii", "replace") for owner, target in pointers if _is_meta(owner)}
    # Who has none does not answer (RFC 6762 section 6): what tells none is something else, such as a name server.
    return UdpAnswer(services=tuple(sorted(types & _KNOWN))) if types else None


class _Broken(Exception):  # noqa: N818 - what a peer sent, not an error of ours
    """The datagram ends, or leads astray, in the middle."""


def _pointers(data: bytes, questions: int, answers: int) -> Iterator[tuple[tuple[bytes, ...], tuple[bytes, ...]]]:
    """The owner and the target of each PTR record among the answers (RFC 1035 4.1.3)."""
    offset = _HEADER
    for _ in range(questions):
        offset = _name(data, offset)[1] + 4
    for _ in range(answers):
        owner, offset = _name(data, offset)
        if len(data) < offset + _RECORD:
            raise _Broken
        kind, space, _, length = unpack_from(">HHIH", data, offset)
        offset += _RECORD
        if len(data) < offset + length:
            raise _Broken
        if kind == _POINTER_RECORD and space & ~_CACHE_FLUSH == _INTERNET:
            yield owner, _name(data, offset)[0]
        offset += length


def _name(data: bytes, offset: int) -> tuple[tuple[bytes, ...], int]:
    """The labels of a name, and where what follows it stands. Pointers only ever lead back (RFC 1035 4.1.4)."""
    labels: list[bytes] = []
    after: int | None = None
    jumps = 0
    while True:
        if offset >= len(data):
            raise _Broken
        length = data[offset]
        if length == 0:
            return tuple(labels), offset + 1 if after is None else after
        if length & _POINTER == _POINTER:
            if offset + 1 >= len(data) or jumps == _MOST_JUMPS:
                raise _Broken
            to = (length & ~_POINTER) << 8 | data[offset + 1]
            if to >= offset:
                raise _Broken
            after = offset + 2 if after is None else after
            offset, jumps = to, jumps + 1
            continue
        if length & _POINTER or len(labels) == _MOST_LABELS or offset + 1 + length > len(data):
            raise _Broken
        labels.append(data[offset + 1 : offset + 1 + length])
        offset += 1 + length


def _is_meta(owner: tuple[bytes, ...]) -> bool:
    return _lower(owner) == _META


def _lower(labels: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(label.lower() for label in labels)
