"""`findings.jsonl`: one finding a line, failures first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checker.sinks.base import Sink
from checker.summary import RunSummary


def write(run: RunSummary, findings: Iterable[bytes]) -> Iterator[bytes]:
    """The findings' own lines."""
    yield from findings


SINK = Sink(title="The findings, one a line", file="findings.jsonl", write=write, usual=True)
