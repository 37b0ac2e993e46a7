"""What a sink is: one output format of a run, whole in one file of this folder.

A sink is pure: it turns a summary and the findings' lines into chunks of bytes and opens nothing itself; who calls it
writes them. A format is one module, `checker/sinks/<name>.py`, which binds one `Sink` to the name `SINK`; with hyphens
for underscores its name is what `--format` takes. Nothing else has to be touched to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from checker.summary import RunSummary


@dataclass(frozen=True, slots=True)
class Sink:
    """An output format. `file` is its file's name in the folder of a run; a `usual` one is written for every run.

    `write` gets the summary and the findings, each as one line of `findings.jsonl` with its newline, failures first.
    It yields the file's bytes in order and never holds all findings at once.
    """

    title: str
    file: str
    write: Callable[[RunSummary, Iterable[bytes]], Iterator[bytes]]
    usual: bool = False
