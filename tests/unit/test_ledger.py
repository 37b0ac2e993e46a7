"""The ledger's lines: whole, in order, before the deed, and nothing in them that a device said."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.model import Permit, Totals
from checker.net.ledger import Ledger

PERMIT = Permit("arc-01", "10.20.1.5", "10.20.0.0/16", date(2027, 6, 30))
NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)


class Book:
    """A ledger in memory."""

    def __init__(self, now: datetime = NOON) -> None:
        self.written: list[bytes] = []
        self.ledger = Ledger(self.written.append, run_id="run-1", vantage="clinical", now=lambda: now)

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.written]


def test_an_attempt_is_one_line_with_all_that_is_to_be_known_before_it() -> None:
    book = Book()
    book.ledger.attempt(PERMIT, 11112, "dicom survey")

    assert book.written[0].endswith(b"}\n")
    assert book.written[0].count(b"\n") == 1
    assert book.lines == [
        {
            "n": 1,
            "event": "attempt",
            "time": "2026-11-24T12:00:00.123Z",
            "run_id": "run-1",
            "vantage": "clinical",
            "asset": "arc-01",
            "address": "10.20.1.5",
            "port": 11112,
            "purpose": "dicom survey",
            "transport": "tcp",
            "permit": "10.20.0.0/16",
        }
    ]


def test_what_utf8_cannot_hold_is_written_as_what_it_is() -> None:
    book = Book()
    book.ledger.refused("arc-\udce9", "10.20.1.\udce9", 104, "permit", "\udce9 is not an address")

    assert [book.lines[0][key] for key in ("asset", "address", "reason")] == [
        "arc-\\udce9",
        "10.20.1.\\udce9",
        "\\udce9 is not an address",
    ]


def test_an_outcome_has_the_number_of_its_attempt() -> None:
    book = Book()
    first = book.ledger.attempt(PERMIT, 104, "one")
    second = book.ledger.attempt(PERMIT, 105, "two")
    book.ledger.outcome(second, "closed")
    book.ledger.outcome(first, "timeout", sent=7, received=9)

    told = [(line["n"], line["outcome"], line["bytes_sent"], line["bytes_received"]) for line in book.lines[2:]]
    assert told == [(2, "closed", 0, 0), (1, "timeout", 7, 9)]


def test_a_refusal_says_why_and_costs_nothing() -> None:
    book = Book()
    book.ledger.refused("arc-01", "8.8.8.8", 104, "permit", "it is not ours")

    (line,) = book.lines
    assert (line["event"], line["address"], line["reason"]) == ("refused", "8.8.8.8", "it is not ours")
    assert book.ledger.totals == Totals()


def test_a_lookup_is_no_connection() -> None:
    book = Book()
    entry = book.ledger.lookup("arc-01", "archive.example.org")
    book.ledger.outcome(entry, "resolved")

    assert [(line["event"], line["address"]) for line in book.lines] == [
        ("attempt", "archive.example.org"),
        ("outcome", "archive.example.org"),
    ]
    assert book.lines[0]["transport"] == "dns"
    assert book.ledger.totals == Totals()


def test_totals_add_up() -> None:
    book = Book()
    for sent, received in ((1, 10), (2, 20)):
        book.ledger.outcome(book.ledger.attempt(PERMIT, 104, "p"), "closed", sent=sent, received=received)
    book.ledger.attempt(PERMIT, 104, "still open")

    assert book.ledger.totals == Totals(3, 3, 30)


def test_times_are_utc_whatever_the_clock_is() -> None:
    book = Book(NOON.astimezone(timezone(timedelta(hours=2))))
    book.ledger.refused("a", "10.0.0.1", 0, "visit", "passive")

    assert book.lines[0]["time"] == "2026-11-24T12:00:00.123Z"


def test_a_line_that_cannot_be_written_stops_the_attempt() -> None:
    def full(_line: bytes) -> None:
        raise OSError(28, "No space left on device")

    ledger = Ledger(full, run_id="r", vantage="v", now=lambda: NOON)

    with pytest.raises(OSError, match="No space"):
        ledger.attempt(PERMIT, 104, "p")


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_any_text_makes_one_line(text: str) -> None:
    # Also one that UTF-8 does not know: what is no address must not keep its refusal out of the ledger.
    book = Book()
    book.ledger.refused("arc-01", text, 0, "permit", f"{text!r} is not an address {text}")

    assert book.written[0].count(b"\n") == 1
    assert [line["event"] for line in book.lines] == ["refused"]
