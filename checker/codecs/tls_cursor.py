"""Reads numbers and vectors (RFC 8446 section 3) out of bytes that are there as a whole. Never beyond their end."""

from __future__ import annotations

from checker.errors import MalformedPeerData

RUNS_OVER = "a field that runs over its end"


class Cursor:
    """A place in `data`, which goes on with each read. Raises MalformedPeerData where a field runs over the end."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at
        self._end = len(data)

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return self._end - self._at

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        start = self._at
        self._at = start + length
        if self._at > self._end:
            raise MalformedPeerData(RUNS_OVER)
        return self._data[start : self._at]

    def number(self, length: int) -> int:
        """An unsigned number of `length` bytes."""
        return int.from_bytes(self.take(length), "big")

    def vector(self, prefix: int) -> bytes:
        """What follows a length of `prefix` bytes."""
        data = self._data
        start = self._at + prefix
        self._at = stop = start + int.from_bytes(data[start - prefix : start], "big")
        if stop > self._end:
            raise MalformedPeerData(RUNS_OVER)
        return data[start:stop]

    def filled(self, prefix: int) -> bytes:
        """A vector that may not be empty."""
        content = self.vector(prefix)
        if not content:
            raise MalformedPeerData("an empty field that may not be empty")
        return content

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != self._end:
            raise MalformedPeerData("bytes behind the last field")
