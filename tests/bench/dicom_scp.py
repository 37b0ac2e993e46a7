"""The cheapest SCP that the benchmark can have, so that what is measured is the client: canned answers, on uvloop.

`python -m tests.bench.dicom_scp PORT` listens on every loopback address. It accepts every presentation context with the
transfer syntax proposed first, answers C-ECHO with success and C-FIND with success and no match, and confirms releases.
"""

from __future__ import annotations

import asyncio
import sys
from functools import cache
from typing import cast

# PS3.8 9.3: types of PDUs and items
_ASSOCIATE_RQ, _P_DATA, _RELEASE_RQ = 1, 4, 5
_PROPOSED, _ANSWERED, _TRANSFER_SYNTAX = 0x20, 0x21, 0x40
_ITEMS_AT = 74  # of an A-ASSOCIATE-RQ, its header included
_TITLES = slice(10, 42)
_RELEASE_RP = bytes.fromhex("0600 00000004 00000000")
_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
_USER_INFORMATION = bytes.fromhex("51000004 00004000") + b"\x52\x00\x00\x08" + b"2.25.111"
_C_FIND_RQ = 0x0020
_HEADER = 6


class Scp(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""
        self._query: bytes | None = None  # the answer to a C-FIND whose identifier is still to come

    def data_received(self, data: bytes) -> None:
        """Answer every PDU that is there as a whole."""
        data = self._buffer + data
        while len(data) >= _HEADER and len(data) >= (end := _HEADER + int.from_bytes(data[2:_HEADER], "big")):
            self._answer(data[:end])
            data = data[end:]
        self._buffer = data

    def _answer(self, pdu: bytes) -> None:
        if pdu[0] == _ASSOCIATE_RQ:
            before, behind = _accept(pdu[_ITEMS_AT:])
            self._transport.write(before + pdu[_TITLES] + behind)
        elif pdu[0] == _P_DATA:
            self._message(pdu)
        elif pdu[0] == _RELEASE_RQ:
            self._transport.write(_RELEASE_RP)
        else:
            self._transport.close()

    def _message(self, pdu: bytes) -> None:
        at = _HEADER
        while at < len(pdu):
            length = int.from_bytes(pdu[at : at + 4], "big")
            context_id, control = pdu[at + 4], pdu[at + 5]
            if control & 1:
                query, answer = _response(context_id, pdu[at + 6 : at + 4 + length])
                if query:
                    self._query = answer
                else:
                    self._transport.write(answer)
            elif control & 2 and self._query is not None:
                self._transport.write(self._query)
                self._query = None
            at += 4 + length


@cache
def _accept(items: bytes) -> tuple[bytes, bytes]:
    """The A-ASSOCIATE-AC to these items of a request: what stands before the AE titles, and what behind them."""
    answers = b"".join(_answered(item) for kind, item in _walk(items) if kind == _PROPOSED)
    body = _item(0x10, _APPLICATION_CONTEXT) + answers + _item(0x50, _USER_INFORMATION)
    length = 68 + len(body)
    return b"\x02\x00" + length.to_bytes(4, "big") + b"\x00\x01\x00\x00", bytes(32) + body


def _answered(proposed: bytes) -> bytes:
    syntax = next(value for kind, value in _walk(proposed[4:]) if kind == _TRANSFER_SYNTAX)
    return _item(_ANSWERED, bytes((proposed[0], 0, 0, 0)) + _item(_TRANSFER_SYNTAX, syntax))


@cache
def _response(context_id: int, command: bytes) -> tuple[bool, bytes]:
    """Whether the command is a C-FIND, and the P-DATA-TF that answers it (PS3.7 9.3.2, 9.3.5)."""
    elements = {}
    at = 0
    while at < len(command):
        length = int.from_bytes(command[at + 4 : at + 8], "little")
        elements[command[at + 2 : at + 4]] = command[at + 8 : at + 8 + length]
        at += 8 + length
    field = int.from_bytes(elements[b"\x00\x01"], "little")
    answer = b"".join(
        b"\0\0" + element + len(value).to_bytes(4, "little") + value
        for element, value in (
            (b"\x02\x00", elements[b"\x02\x00"]),
            (b"\x00\x01", (field | 0x8000).to_bytes(2, "little")),
            (b"\x20\x01", elements[b"\x10\x01"]),
            (b"\x00\x08", b"\x01\x01"),
            (b"\x00\x09", b"\x00\x00"),
        )
    )
    answer = b"\0\0\0\0\x04\0\0\0" + len(answer).to_bytes(4, "little") + answer
    value = (len(answer) + 2).to_bytes(4, "big") + bytes((context_id, 3)) + answer
    return field == _C_FIND_RQ, b"\x04\x00" + len(value).to_bytes(4, "big") + value


def _walk(items: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(items):
        length = int.from_bytes(items[at + 2 : at + 4], "big")
        found.append((items[at], items[at + 4 : at + 4 + length]))
        at += 4 + length
    return found


def _item(kind: int, value: bytes) -> bytes:
    return bytes((kind, 0)) + len(value).to_bytes(2, "big") + value


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Scp, "0.0.0.0", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[1])))
