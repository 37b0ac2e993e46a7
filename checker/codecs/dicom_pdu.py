"""A bounded, incremental reader of the PDUs that an acceptor sends (PS3.8 section 9.3).

It must never hold, copy or decode a byte of a data set: those are the patients'. P-DATA-TF is therefore read as a
stream of fragments, and the bytes of a data set's fragment are passed over as they come in. What is judged from a
header is judged when the header is there, not when the body is. That a data set comes is told before its header is
judged, and in which presentation context a message belongs is left to whoever asked.

Where the standard leaves room, or peers take it:
- reserved bytes and items that we do not know are passed over unread, as 9.3.1 asks;
- of the protocol version only bit 0 is tested (9.3.3);
- codes of results, sources and reasons are reported as they came, also those that the standard does not list;
- padding behind a UID (NUL or space) is taken off; a UID or version name that is still not valid is reported as None,
  because it is only a hint (implementation) or makes its context unusable (transfer syntax), and no more;
- a missing application context or user information in an A-ASSOCIATE-AC is tolerated, a second one is not.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TypeAlias

from checker.catalog.dicom import IMPLICIT_VR_LITTLE_ENDIAN
from checker.errors import MalformedPeerData

MAX_CONTROL_PDU = 64 * 1024
"""The longest body of an A-ASSOCIATE-AC, in bytes: 128 contexts with the longest UIDs need less than a fifth."""

MAX_DATA_PDU = 1024 * 1024
"""The longest body of a P-DATA-TF, in bytes. Over what we propose, for a peer that ignores it: nothing is buffered."""

MAX_COMMAND = 16 * 1024
"""The longest fragment of a command set, in bytes."""

MAX_UID = 64  # PS3.5 9.1
MAX_VERSION_NAME = 16  # PS3.7 D.3.3.2.4

_ASSOCIATE_AC, _ASSOCIATE_RJ, _P_DATA, _RELEASE_RQ, _RELEASE_RP, _ABORT = 2, 3, 4, 5, 6, 7
_APPLICATION_CONTEXT_ITEM, _CONTEXT_ITEM, _TRANSFER_SYNTAX_ITEM, _USER_ITEM = 0x10, 0x21, 0x40, 0x50
_MAX_LENGTH_ITEM, _IMPLEMENTATION_ITEM, _VERSION_ITEM = 0x51, 0x52, 0x55
_TLS_RECORDS = (0x15, 0x16)  # RFC 8446 5.1: alert, handshake
_FIXED_ACCEPT = 68  # PS3.8 table 9-17, behind the header
_MOST_REMEMBERED = 4096  # more than any product says of thirty contexts, in bytes
_PDU_HEADER = 6  # PS3.8 9.3.1: type, a reserved byte, length
_PDV_HEADER = 6  # PS3.8 9.3.5.1 and annex E.2: length, context id, message control header

_UID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")
_VERSION_NAME = re.compile(rb"[\x20-\x7e]+")

_BEHIND, _TOO_LONG = "bytes behind the last item", "an item longer than what holds it"


@dataclass(frozen=True, slots=True)
class ContextAnswer:
    """The answer to one presentation context: PS3.8 table 9-18 result; the transfer syntax only where it is 0."""

    result: int
    transfer_syntax: str | None


# What a context is accepted with nearly always, for we propose nothing else; some pad it to an even length.
_USUAL_ANSWER = ContextAnswer(0, IMPLICIT_VR_LITTLE_ENDIAN)
_USUAL_SYNTAXES = frozenset(
    bytes((_TRANSFER_SYNTAX_ITEM, 0, 0, len(syntax))) + syntax
    for syntax in (IMPLICIT_VR_LITTLE_ENDIAN.encode("ascii"), IMPLICIT_VR_LITTLE_ENDIAN.encode("ascii") + b"\0")
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A-ASSOCIATE-AC (9.3.3). `contexts` by id. `max_pdu` in bytes, 0 for no limit, None where nothing was said."""

    contexts: Mapping[int, ContextAnswer]
    max_pdu: int | None
    implementation_class_uid: str | None
    implementation_version: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A-ASSOCIATE-RJ (9.3.4)."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Aborted:
    """A-ABORT (9.3.8)."""

    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """A-RELEASE-RQ (9.3.6)."""


@dataclass(frozen=True, slots=True)
class ReleaseReplied:
    """A-RELEASE-RP (9.3.7)."""


@dataclass(frozen=True, slots=True)
class CommandFragment:
    """A whole fragment of a command set out of a P-DATA-TF, which itself may not be there as a whole yet."""

    context_id: int
    last: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class DataSetFragment:
    """A fragment of a data set is beginning: `length` bytes by its header, which nobody will see."""

    context_id: int
    last: bool
    length: int


class Protocol(StrEnum):
    """What a peer speaks in DICOM's stead."""

    TLS = "TLS"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class NotDicom:
    """The very first bytes of the peer are those of another protocol; nothing is read behind them."""

    speaks: Protocol


Pdu: TypeAlias = (
    Accepted | Rejected | Aborted | ReleaseRequested | ReleaseReplied | CommandFragment | DataSetFragment | NotDicom
)


class PduReader:
    """Bytes of a peer in, PDUs out.

    `proposed` holds the ids of the presentation contexts that the request proposed: only those can be accepted.
    `max_pdu` bounds the body of an A-ASSOCIATE-AC and `max_data_pdu` that of a P-DATA-TF, in bytes. No more than
    `max_pdu` bytes are ever buffered.
    """

    __slots__ = (
        "_buffer",
        "_ended",
        "_failure",
        "_first",
        "_found",
        "_limits",
        "_pdv",
        "_proposed",
        "_remaining",
        "_skip",
        "_step",
        "_type",
        "_want",
    )

    def __init__(
        self, proposed: Collection[int], *, max_pdu: int = MAX_CONTROL_PDU, max_data_pdu: int = MAX_DATA_PDU
    ) -> None:
        self._proposed = frozenset(proposed)
        # PS3.8 tables 9-17, 9-21 to 9-26: the shortest and the longest body of each PDU that an acceptor may send
        self._limits = {
            _ASSOCIATE_AC: (_FIXED_ACCEPT, max_pdu),
            _ASSOCIATE_RJ: (4, 4),
            _P_DATA: (_PDV_HEADER, max_data_pdu),
            _RELEASE_RQ: (4, 4),
            _RELEASE_RP: (4, 4),
            _ABORT: (4, 4),
        }
        self._buffer = bytearray()
        self._found: deque[Pdu] = deque()
        self._failure: MalformedPeerData | None = None
        self._ended = False
        self._first = True
        self._type = 0
        self._remaining = 0  # of the P-DATA-TF that is being read
        self._pdv = (0, False)  # context id and last, of the command fragment that is being read
        self._skip = 0
        self._want = 1
        # A function and no bound method: the reader would hold itself, and only a search for cycles would free it.
        self._step: Callable[[PduReader, bytes], None] = PduReader._on_type

    @property
    def buffered(self) -> int:
        """How many bytes are held for a PDU or an item that is not whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take what a peer sent; `next` then tells what it was. What follows the end of an association is dropped."""
        view = memoryview(data)[self._feed_whole(data) :]
        while view and not self._ended:
            if self._skip:
                skipped = min(self._skip, len(view))
                self._skip -= skipped
                view = view[skipped:]
                continue
            missing = self._want - len(self._buffer)
            self._buffer += view[:missing]
            view = view[missing:]
            if len(self._buffer) == self._want:
                whole = bytes(self._buffer)
                self._buffer.clear()
                self._take(whole)

    def _feed_whole(self, data: bytes) -> int:
        """How much of `data` was whole PDUs from its beginning on, of the usual kinds, and is read.

        All that it leaves is read step by step, to the same end: this only spares most PDUs those steps.
        """
        if self._step is not PduReader._on_type or self._buffer or self._skip:
            return 0
        at = 0
        while not self._ended and len(data) - at >= _PDU_HEADER:
            kind, body = data[at], at + _PDU_HEADER
            length = int.from_bytes(data[at + 2 : body], "big")
            shortest, longest = self._limits.get(kind, (1, 0))
            if not shortest <= length <= longest or len(data) - body < length:
                break
            if kind != _P_DATA:
                self._type = kind
                self._step = PduReader._on_body
                self._take(data[body : body + length])
            elif _is_one_command(data, body, length):
                last = bool(data[body + 5] & 2)
                self._found.append(CommandFragment(data[body + 4], last, data[body + _PDV_HEADER : body + length]))
            else:
                break
            self._first = False
            at = body + length
        return at

    def next(self) -> Pdu | None:
        """The next PDU or fragment, None where more bytes are needed first or nothing more can come.

        MalformedPeerData where the bytes obey no standard: once everything before them was given, at every call.
        """
        if self._found:
            return self._found.popleft()
        if self._failure is not None:
            raise self._failure
        return None

    def _take(self, whole: bytes) -> None:
        try:
            self._step(self, whole)
        except MalformedPeerData as failure:
            self._failure = failure
            self._ended = True

    def _expect(self, length: int, step: Callable[[PduReader, bytes], None]) -> None:
        self._want = length
        self._step = step

    def _end(self, pdu: Pdu) -> None:
        self._found.append(pdu)
        self._ended = True

    def _on_type(self, data: bytes) -> None:
        self._type = data[0]
        if self._type in self._limits:
            self._expect(5, PduReader._on_length)
        elif self._first and self._type in _TLS_RECORDS:
            self._expect(2, PduReader._on_tls_version)
        elif self._first and data == b"H":
            self._expect(4, PduReader._on_http)
        else:
            raise MalformedPeerData("unknown PDU type")
        self._first = False

    def _on_tls_version(self, data: bytes) -> None:
        major, minor = data
        if major != 3 or minor > 4:
            raise MalformedPeerData("unknown PDU type")
        self._end(NotDicom(Protocol.TLS))

    def _on_http(self, data: bytes) -> None:
        if data != b"TTP/":
            raise MalformedPeerData("unknown PDU type")
        self._end(NotDicom(Protocol.HTTP))

    def _on_length(self, data: bytes) -> None:
        length = int.from_bytes(data[1:], "big")
        shortest, longest = self._limits[self._type]
        if length < shortest:
            raise MalformedPeerData("a PDU shorter than its kind can be")
        if length > longest:
            raise MalformedPeerData("a PDU longer than its kind may be")
        if self._type == _P_DATA:
            self._remaining = length
            self._expect(_PDV_HEADER, PduReader._on_pdv_header)
        else:
            self._expect(length, PduReader._on_body)

    def _on_body(self, body: bytes) -> None:
        self._expect(1, PduReader._on_type)
        if self._type == _ASSOCIATE_AC:
            self._found.append(read_accept(body, self._proposed))
        elif self._type == _ASSOCIATE_RJ:
            self._end(Rejected(body[1], body[2], body[3]))
        elif self._type == _RELEASE_RQ:
            self._found.append(ReleaseRequested())
        elif self._type == _RELEASE_RP:
            self._end(ReleaseReplied())
        else:
            self._end(Aborted(body[2], body[3]))

    def _on_pdv_header(self, header: bytes) -> None:
        length = int.from_bytes(header[:4], "big") - 2
        self._remaining -= _PDV_HEADER
        if length < 0:
            raise MalformedPeerData("a presentation data value too short for its header")
        # PS3.8 annex E.2: only the two lowest bits of the message control header mean something
        context_id, command, last = header[4], bool(header[5] & 1), bool(header[5] & 2)
        if not command:
            self._found.append(DataSetFragment(context_id, last, length))
        if length > self._remaining:
            raise MalformedPeerData("a presentation data value longer than its P-DATA-TF")
        self._remaining -= length
        if 0 < self._remaining < _PDV_HEADER:
            raise MalformedPeerData("bytes behind the last presentation data value of a P-DATA-TF")
        if command:
            if length > MAX_COMMAND:
                raise MalformedPeerData("a command set longer than any")
            self._pdv = context_id, last
            self._expect(length, PduReader._on_command)
            if length == 0:
                self._on_command(b"")
        else:
            self._skip = length
            self._next_pdv()

    def _on_command(self, data: bytes) -> None:
        context_id, last = self._pdv
        self._found.append(CommandFragment(context_id, last, data))
        self._next_pdv()

    def _next_pdv(self) -> None:
        if self._remaining:
            self._expect(_PDV_HEADER, PduReader._on_pdv_header)
        else:
            self._expect(1, PduReader._on_type)


def read_accept(body: bytes, proposed: frozenset[int]) -> Accepted:
    """The body of an A-ASSOCIATE-AC (PS3.8 9.3.3), header left off, answering contexts of the ids `proposed`.

    MalformedPeerData where an item runs over its end, comes twice, or answers what was not asked.
    """
    if len(body) < _FIXED_ACCEPT:
        raise MalformedPeerData("an A-ASSOCIATE-AC shorter than its fixed part")
    if not body[1] & 1:
        raise MalformedPeerData("an association accepted in an unknown protocol version")
    items = body[_FIXED_ACCEPT:]
    return _remembered(items, proposed) if len(items) <= _MOST_REMEMBERED else _read_accept(items, proposed)


def _read_accept(body: bytes, proposed: frozenset[int]) -> Accepted:
    contexts: dict[int, ContextAnswer] = {}
    seen: set[int] = set()
    max_pdu = implementation = version = None
    at, end = 0, len(body)
    while at < end:  # as `_items` does it; most of what an archive says is here
        begin = at + 4
        if begin > end:
            raise MalformedPeerData(_BEHIND)
        kind, at = body[at], begin + (body[at + 2] << 8 | body[at + 3])
        if at > end:
            raise MalformedPeerData(_TOO_LONG)
        if kind == _CONTEXT_ITEM:
            if at - begin < 4:
                raise MalformedPeerData("a presentation context shorter than its fixed part")
            context_id = body[begin]
            if not context_id & 1:
                raise MalformedPeerData("a presentation context with an even id")
            if context_id not in proposed:
                raise MalformedPeerData("a presentation context that was not proposed")
            result = body[begin + 2]
            if result:
                answer = _refused(result)
            elif body[begin + 4 : at] in _USUAL_SYNTAXES:
                answer = _USUAL_ANSWER
            else:
                answer = ContextAnswer(0, _transfer_syntax(body[begin + 4 : at]))
            if context_id in contexts:
                raise MalformedPeerData("a presentation context answered twice")
            contexts[context_id] = answer
        elif kind in (_APPLICATION_CONTEXT_ITEM, _USER_ITEM):
            _once(kind, seen)
            if kind == _USER_ITEM:
                max_pdu, implementation, version = _user_information(body[begin:at])
    return Accepted(MappingProxyType(contexts), max_pdu, implementation, version)


# A fleet has many devices of few products, which say the same but for the titles.
_remembered = lru_cache(maxsize=256)(_read_accept)


def uid_or_none(value: bytes) -> str | None:
    """A UID (PS3.5 9.1: digits and dots, no leading zeros, at most 64) without its padding; None where it is none."""
    text = value.rstrip(b"\0 ")
    return text.decode("ascii") if len(text) <= MAX_UID and _UID.fullmatch(text) else None


def _is_one_command(data: bytes, at: int, length: int) -> bool:
    """Whether the P-DATA-TF whose body begins there is one fragment of a command set, of a length that is allowed."""
    fragment = int.from_bytes(data[at : at + 4], "big")
    return fragment == length - 4 and bool(data[at + 5] & 1) and length - _PDV_HEADER <= MAX_COMMAND


def _items(items: bytes) -> Iterator[tuple[int, bytes]]:
    at, end = 0, len(items)
    while at < end:
        begin = at + 4
        if begin > end:
            raise MalformedPeerData(_BEHIND)
        kind, at = items[at], begin + (items[at + 2] << 8 | items[at + 3])
        if at > end:
            raise MalformedPeerData(_TOO_LONG)
        yield kind, items[begin:at]


@cache
def _refused(result: int) -> ContextAnswer:
    return ContextAnswer(result, None)  # 9.3.3.2: the transfer syntax then means nothing


def _transfer_syntax(items: bytes) -> str | None:
    syntax: str | None = None
    seen: set[int] = set()
    for kind, value in _items(items):
        if kind == _TRANSFER_SYNTAX_ITEM:
            _once(kind, seen)
            syntax = uid_or_none(value[: MAX_UID + 2])
    return syntax


def _user_information(item: bytes) -> tuple[int | None, str | None, str | None]:
    max_pdu = implementation = version = None
    seen: set[int] = set()
    for kind, value in _items(item):
        if kind not in (_MAX_LENGTH_ITEM, _IMPLEMENTATION_ITEM, _VERSION_ITEM):
            continue
        _once(kind, seen)
        if kind == _MAX_LENGTH_ITEM:
            if len(value) != 4:  # PS3.8 annex D.1.1
                raise MalformedPeerData("a maximum length that is no 32-bit number")
            max_pdu = int.from_bytes(value, "big")
        elif kind == _IMPLEMENTATION_ITEM:
            implementation = uid_or_none(value[: MAX_UID + 2])
        else:
            version = _version_or_none(value[: MAX_VERSION_NAME + 2])
    return max_pdu, implementation, version


def _version_or_none(value: bytes) -> str | None:
    text = value.rstrip(b"\0 ")
    return text.decode("ascii") if len(text) <= MAX_VERSION_NAME and _VERSION_NAME.fullmatch(text) else None


def _once(kind: int, seen: set[int]) -> None:
    if kind in seen:
        raise MalformedPeerData("an item that may come only once came twice")
    seen.add(kind)
