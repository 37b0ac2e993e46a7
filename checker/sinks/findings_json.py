"""`findings.json`: the summary and all findings in one JSON document, a finding on each line of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checker.records import dumps
from checker.sinks.base import Sink
from checker.summary import RunSummary


def write(run: RunSummary, findings: Iterable[bytes]) -> Iterator[bytes]:
    """`{"run": ..., "findings": [...]}`, finding after finding."""
    yield b'{"run": ' + dumps(run) + b',\n"findings": ['
    separator = b"\n"
    for finding in findings:
        yield separator + finding.rstrip(b"\n")
        separator = b",\n"
    yield b"\n]}\n"


SINK = Sink(title="The summary and the findings in one document", file="findings.json", write=write, usual=True)
