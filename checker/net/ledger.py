"""The ledger: every attempt and every refusal, written before it happens.

A line is handed to the operating system, whole, before the first packet leaves, so it survives a kill of the process;
whoever owns the file syncs it to disk in groups at least once a second. The ledger holds no byte that was sent or
received, only how many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from checker.model import Permit, Totals


@dataclass(frozen=True, slots=True)
class Entry:
    """An open attempt, to be closed by `Ledger.outcome`."""

    number: int
    asset_id: str
    address: str
    port: int
    purpose: str


class Ledger:
    """Formats ledger lines and adds up what a run has cost. `write` takes one whole line with its newline."""

    def __init__(
        self, write: Callable[[bytes], None], *, run_id: str, vantage: str, now: Callable[[], datetime]
    ) -> None:
        self._write = write
        self._run_id = run_id
        self._vantage = vantage
        self._now = now
        self._count = 0
        self._connections = 0
        self._sent = 0
        self._received = 0

    @property
    def totals(self) -> Totals:
        """Connections opened or tried, and bytes each way, so far."""
        return Totals(self._connections, self._sent, self._received)

    def attempt(self, permit: Permit, port: int, purpose: str, *, transport: str = "tcp") -> Entry:
        """Record that a packet is about to leave."""
        self._connections += 1
        entry = Entry(self._number(), permit.asset_id, permit.address, port, purpose)
        self._line("attempt", entry, transport=transport, permit=permit.network)
        return entry

    def outcome(self, entry: Entry, outcome: str, *, sent: int = 0, received: int = 0) -> None:
        """Record how an attempt ended: its outcome in one word, and the bytes each way."""
        self._sent += sent
        self._received += received
        self._line("outcome", entry, outcome=outcome, bytes_sent=sent, bytes_received=received)

    def refused(self, asset_id: str, address: str, port: int, purpose: str, reason: str) -> None:
        """Record that something was not contacted, and why."""
        self._line("refused", Entry(self._number(), asset_id, address, port, purpose), reason=reason)

    def lookup(self, asset_id: str, name: str) -> Entry:
        """Record that a host name is about to be looked up; this asks the resolver, not the device."""
        entry = Entry(self._number(), asset_id, name, 0, "resolve")
        self._line("attempt", entry, transport="dns", permit=None)
        return entry

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _line(self, event: str, entry: Entry, **more: str | int | None) -> None:
        at = self._now()
        if at.tzinfo is not UTC:
            at = at.astimezone(UTC)
        line = {
            "n": entry.number,
            "event": event,
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "run_id": self._run_id,
            "vantage": self._vantage,
            "asset": entry.asset_id,
            "address": entry.address,
            "port": entry.port,
            "purpose": entry.purpose,
            **more,
        }
        try:
            written = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:
            plain = {key: _text(value) if isinstance(value, str) else value for key, value in line.items()}
            written = orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)
        self._write(written)


def _text(text: str) -> str:
    """The text as UTF-8 can hold it: what is no address must not keep its refusal out of the ledger."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
