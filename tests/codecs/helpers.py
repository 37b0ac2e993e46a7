"""The ways in which a network hands the same bytes to a codec.

A codec must find the same in a stream however it is cut. `feeds` gives the cuts that every codec's tests share; `JUNK`
is what a peer may send behind a message, and what must neither be taken for part of it nor hide it.
"""

from __future__ import annotations

from collections.abc import Iterator

JUNK = bytes(range(255, 191, -1))
"""64 bytes that begin no TLS record, no DICOM PDU and no HTTP message."""


def feeds(data: bytes, junk: bytes = JUNK) -> Iterator[list[bytes]]:
    """The stream `data` as lists of reads: whole, one byte at a time, in two unequal parts, and with junk behind.

    The last list is the only one that holds more than `data`; an empty `junk` leaves it out.
    """
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    middle = len(data) // 3
    yield [data[:middle], data[middle:]]
    if junk:
        yield [data + junk]
