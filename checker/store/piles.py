"""Findings put in order on disk: those that matter most first, without ever holding all of them.

Assets are judged by id and each asset's findings come by rule, so findings of equal weight already come in order: each
goes to the end of the pile of its weight, and the piles one after the other are the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from checker.model import Finding, Severity, Status
from checker.records import line
from checker.summary import OPEN_ARCHIVE

_AFTER_FAILURES = 2 * len(Severity)


def weight(finding: Finding) -> int:
    """The pile that a finding belongs to, 0 first.

    Failures by severity, critical first, and of one severity `archive.open` before all else; then what is not known,
    then what passes, then what does not apply.
    """
    match finding.status:
        case Status.FAIL:
            below_critical = Severity.CRITICAL.rank - finding.severity.rank
            return 2 * below_critical + (finding.rule.id != OPEN_ARCHIVE)
        case Status.UNKNOWN | Status.ERROR:
            return _AFTER_FAILURES
        case Status.PASS:
            return _AFTER_FAILURES + 1
        case Status.NOT_APPLICABLE:
            return _AFTER_FAILURES + 2


class Piles:
    """The findings of a run, by weight. A context manager; `folder` must be there and empty. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, BinaryIO] = {}

    def __enter__(self) -> Piles:
        """The piles themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files; who owns the folder removes it."""
        for file in self._files.values():
            file.close()

    def add(self, findings: Iterable[Finding]) -> None:
        """Put findings on their piles; to be called by ascending id of the asset."""
        for finding in findings:
            number = weight(finding)
            if number not in self._files:
                self._files[number] = (self._folder / f"pile-{number:02}").open("xb")
            self._files[number].write(line(finding))

    def lines(self) -> Iterator[bytes]:
        """All findings in order, each as one line with its newline. May be asked again."""
        for number in sorted(self._files):
            self._files[number].flush()
            with (self._folder / f"pile-{number:02}").open("rb") as file:
                yield from file
