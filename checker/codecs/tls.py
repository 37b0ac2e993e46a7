"""A bounded, incremental reader of what a server sends in answer to a ClientHello, up to where it is a client's turn.

It reads records in clear (RFC 8446 section 5.1, RFC 5246 section 6.2) and the alerts in them, and hands the handshake
messages on. It decides nothing about what was offered: `checker.codecs.tls_versions` does. Whatever a peer sends ends
in a value: bytes that obey no standard are `Flight.malformed`, never an exception, and no byte of them is in it.

Where the standards leave room, or peers take it:
- warning alerts are passed over, though not without end; close_notify, which is one, ends a flight;
- of the version in a record's header only its being one is tested;
- extensions of a ServerHello that mean nothing here are passed over;
- a first byte that begins no TLS record may begin a DICOM PDU or an HTTP response; no more than its start is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checker.codecs.tls_certificates import CertificateRequest
from checker.codecs.tls_key_exchange import KeyExchange
from checker.codecs.tls_messages import MessageReader
from checker.codecs.tls_offers import Version
from checker.codecs.tls_server_hello import ServerHello
from checker.errors import MalformedPeerData

MAX_RECORD = 1 << 14
"""The longest fragment of a record in clear, in bytes (RFC 8446 section 5.1)."""

MOST_WARNINGS = 8
"""How many warning alerts are passed over."""

CLOSE_NOTIFY, USER_CANCELED = 0, 90
_WARNING, _FATAL = 1, 2
_ALERT, _HANDSHAKE = 21, 22  # RFC 8446 section 5.1; nothing else is sent in clear before it is a client's turn
_KINDS = frozenset({_ALERT, _HANDSHAKE})
_HEADER = 5  # RFC 8446 section 5.1: type, version, length
_HIGHEST_MINOR = 4

# PS3.8 section 9.3.1: type, reserved, length; the shortest and the longest body of each PDU that may answer a stranger.
_PDU_HEADER = 6
_PDU_BODIES = {2: (68, 1 << 16), 3: (4, 4), 4: (6, 1 << 20), 5: (4, 4), 6: (4, 4), 7: (4, 4)}
_HTTP = b"HTTP/"
_NO_TLS = "bytes that begin no TLS record"


class Protocol(StrEnum):
    """What a peer speaks in TLS's stead."""

    DICOM = "DICOM"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that ends a conversation (RFC 8446 section 6): a fatal one, or close_notify of whatever level."""

    fatal: bool
    code: int


@dataclass(frozen=True, slots=True)
class Flight:
    """What a server has sent so far. `complete`: nothing more can be learnt from what follows.

    `warnings` are the codes of the alerts that were passed over; `tls`: at least one whole TLS record came. For
    `certificates`, `certificate_requested`, `request`, `key_exchange` and `stapled` see `MessageReader`.
    """

    server_hello: ServerHello | None = None
    alert: Alert | None = None
    warnings: tuple[int, ...] = ()
    certificates: tuple[bytes, ...] = ()
    certificate_requested: bool | None = None
    request: CertificateRequest | None = None
    key_exchange: KeyExchange | None = None
    stapled: bool | None = None
    speaks: Protocol | None = None
    malformed: str | None = None
    tls: bool = False
    complete: bool = False


class FlightReader:
    """Bytes of a server in, its flight out, the same however the bytes are cut.

    At most one record and one message are held: `MAX_RECORD` and `MAX_CERTIFICATES` bytes.
    """

    __slots__ = (
        "_alert",
        "_complete",
        "_cut_alert",
        "_first",
        "_fragment",
        "_held",
        "_malformed",
        "_messages",
        "_speaks",
        "_tls",
        "_type",
        "_warnings",
    )

    def __init__(self) -> None:
        self._held = bytearray()  # of what is being read: a record's header, its fragment, or a stranger's start
        self._fragment = 0  # the length of the fragment that is being read; 0: a header is next
        self._type = 0  # of the record that is being read
        self._first = True
        self._cut_alert = b""
        self._messages = MessageReader()
        self._alert: Alert | None = None
        self._warnings: list[int] = []
        self._speaks: Protocol | None = None
        self._malformed: str | None = None
        self._tls = False
        self._complete = False

    @property
    def complete(self) -> bool:
        """Whether nothing more can be learnt from what follows."""
        return self._complete

    @property
    def buffered(self) -> int:
        """How many bytes are held for a record or a message that is not whole yet."""
        return len(self._held) + len(self._cut_alert) + self._messages.buffered

    @property
    def flight(self) -> Flight:
        """All that is known by now."""
        return Flight(
            server_hello=self._messages.server_hello,
            alert=self._alert,
            warnings=tuple(self._warnings),
            certificates=self._messages.certificates,
            certificate_requested=self._messages.certificate_requested,
            request=self._messages.request,
            key_exchange=self._messages.key_exchange,
            stapled=self._messages.stapled,
            speaks=self._speaks,
            malformed=self._malformed,
            tls=self._tls,
            complete=self._complete,
        )

    def feed(self, data: bytes) -> None:
        """Take what a peer sent; what follows the end of the flight is dropped."""
        if self._complete:
            return
        if self._held:
            self._held += data
            if len(self._held) < self._fragment:
                return
            data = bytes(self._held)
            self._held.clear()
        try:
            rest = self._read(data)
        except MalformedPeerData as fault:
            self._malformed = str(fault)
            self._complete = True
        else:
            if not self._complete:
                self._held += data[rest:]

    def _read(self, data: bytes) -> int:
        """Read what is there as a whole; where the rest begins."""
        at, end = 0, len(data)
        while at < end and not self._complete:
            if self._fragment:
                stop = at + self._fragment
                if stop > end:
                    break
                self._fragment = 0
                self._on_fragment(data[at:stop])
                at = stop
            elif data[at] in _KINDS:
                if end - at < _HEADER:
                    break
                self._on_header(data, at)
                at += _HEADER
            elif not self._on_stranger(data[at : at + _PDU_HEADER]):
                break
        return at

    def _on_stranger(self, start: bytes) -> bool:
        """What begins no record, of which no more than the start is read; whether that is there."""
        if self._first and start[0] in _PDU_BODIES:
            if len(start) < _PDU_HEADER:
                return False
            shortest, longest = _PDU_BODIES[start[0]]
            if start[1] or not shortest <= int.from_bytes(start[2:], "big") <= longest:
                raise MalformedPeerData(_NO_TLS)
            self._speaks = Protocol.DICOM
        elif self._first and start[:1] == _HTTP[:1]:
            if len(start) < len(_HTTP):
                return False
            if start[: len(_HTTP)] != _HTTP:
                raise MalformedPeerData(_NO_TLS)
            self._speaks = Protocol.HTTP
        else:
            raise MalformedPeerData(_NO_TLS if self._first else "a record that has no place in a first flight")
        self._complete = True
        return True

    def _on_header(self, data: bytes, at: int) -> None:
        if data[at + 1] != 3 or data[at + 2] > _HIGHEST_MINOR:
            raise MalformedPeerData("a record of no version of TLS" if self._tls else _NO_TLS)
        length = int.from_bytes(data[at + 3 : at + _HEADER], "big")
        # RFC 8446 section 5.1: neither kind may be empty.
        if not 0 < length <= MAX_RECORD:
            raise MalformedPeerData("a record of an impossible length")
        self._first = False
        self._type = data[at]
        self._fragment = length

    def _on_fragment(self, fragment: bytes) -> None:
        self._tls = True
        if self._type == _ALERT:
            self._on_alerts(fragment)
        else:
            self._messages.feed(fragment)
            self._complete = self._messages.done

    def _on_alerts(self, fragment: bytes) -> None:
        # RFC 5246 section 6.2.1: one may be cut in two, and several may share a record.
        pending = self._cut_alert + fragment
        for level, code in zip(pending[::2], pending[1::2], strict=False):
            if level not in (_WARNING, _FATAL):
                raise MalformedPeerData("an alert of no level")
            if level == _FATAL or code == CLOSE_NOTIFY:
                self._alert = Alert(level == _FATAL, code)
                self._complete = True
                return
            if len(self._warnings) == MOST_WARNINGS:
                raise MalformedPeerData("warnings without end")
            self._warnings.append(code)
        self._cut_alert = pending[len(pending) // 2 * 2 :]


def farewell(version: int) -> bytes:
    """What a client says that leaves a handshake in the middle: user_canceled, close_notify (RFC 8446 section 6.1).

    `version` is the one that the server chose; SSLv3 has no user_canceled (RFC 6101 section 5.4.2).
    """
    header = b"\x15" + max(Version.SSL_3, min(version, Version.TLS_1_2)).to_bytes(2, "big") + b"\0\2"
    codes = (CLOSE_NOTIFY,) if version <= Version.SSL_3 else (USER_CANCELED, CLOSE_NOTIFY)
    return b"".join(header + bytes((_WARNING, code)) for code in codes)
