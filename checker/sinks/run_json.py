"""`run.json`: the summary of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checker.records import pretty
from checker.sinks.base import Sink
from checker.summary import RunSummary


def write(run: RunSummary, findings: Iterable[bytes]) -> Iterator[bytes]:
    """The summary, key for key."""
    yield pretty(run)


SINK = Sink(title="The summary of the run", file="run.json", write=write, usual=True)
