"""The folder of a run: made aside, filled, and published whole or not at all.

While a run is under way it is `<output>/.<run id>.partial`, of which no reader takes notice; `publish` gives it its
name in one step. Nothing here truncates or overwrites: every file is made new, a line goes out by one write, and a
write that the disk does not take raises OSError. What was appended survives a kill of the process; `sync` makes it
survive a crash of the machine. Folders are for their owner alone, for they say where images can be taken.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from checker.errors import UsageError
from checker.model import Observation
from checker.records import line

OBSERVATIONS = "observations.jsonl"
LEDGER = "ledger.jsonl"
IDENTITIES = "identities.jsonl"
LATEST = "latest"

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_LONGEST_VANTAGE = 40
_log = logging.getLogger(__name__)


def new_run_id(now: datetime, vantage: str, token: str) -> str:
    """`<UTC time>-<vantage>-<token>`, such as `20261124T042030Z-clinical-3f9a`; `token` is four hex digits.

    What a file's name should not hold is replaced in the vantage by `-`.
    """
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", vantage).strip("-")[:_LONGEST_VANTAGE] or "vantage"
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{safe}-{token}"


class _Journal:
    """A file that lines are appended to, each by one write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closing = threading.Lock()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)

    def append(self, whole_line: bytes) -> None:
        """Hand one whole line to the operating system. Raises OSError where it did not take all of it."""
        written = os.write(self._descriptor, whole_line)
        if written != len(whole_line):
            raise OSError(errno.ENOSPC, "only a part of a line was written", str(self._path))

    def sync(self) -> None:
        """Bring all lines so far to disk; may run in a thread beside `append`."""
        with self._closing:
            if self._descriptor >= 0:
                os.fsync(self._descriptor)

    def close(self) -> None:
        """Sync and close; closing twice is no fault."""
        with self._closing:
            if self._descriptor < 0:
                return
            try:
                os.fsync(self._descriptor)
            finally:
                descriptor, self._descriptor = self._descriptor, -1
                os.close(descriptor)


class RunFolder:
    """One run on its way to disk; it is the engine's `Recorder`. Made by `create` or `copy`."""

    def __init__(self, output: Path, run_id: str) -> None:
        self.output = output
        self.run_id = run_id
        self.path = output / f".{run_id}.partial"
        self._journals: dict[str, _Journal] = {}
        self._written: list[Path] = []
        try:
            output.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
            if self.published.exists():
                raise FileExistsError(errno.EEXIST, "a run of this id is there already", str(self.published))
            self.path.mkdir(_FOLDER_MODE)
        except OSError as error:
            raise UsageError(f"{output}: a run cannot be written there: {error.strerror}") from error

    @classmethod
    def create(cls, output: Path, run_id: str) -> RunFolder:
        """The folder of a new run under `output`, ready to record. Raises UsageError where it cannot be made."""
        folder = cls(output, run_id)
        folder._journals = {name: _Journal(folder.path / name) for name in (OBSERVATIONS, LEDGER)}
        return folder

    @classmethod
    def copy(cls, output: Path, run_id: str, run: Path) -> RunFolder:
        """The folder of a run with what another one observed: hard links where that is possible.

        That is its observations, its ledger, and the implementations that it saw and knew, which older runs have no
        file of. It records nothing. Raises UsageError where it cannot be made or the other run lacks a file.
        """
        folder = cls(output, run_id)
        try:
            for name in (OBSERVATIONS, LEDGER):
                _link_or_copy(run / name, folder.path / name)
            if (run / IDENTITIES).exists():
                _link_or_copy(run / IDENTITIES, folder.path / IDENTITIES)
        except OSError as error:
            folder.discard()
            raise UsageError(f"{run}: its observations and ledger cannot be copied: {error.strerror}") from error
        return folder

    @property
    def published(self) -> Path:
        """Where the run is once it is published."""
        return self.output / self.run_id

    def observation(self, observation: Observation) -> None:
        """Append an observation at once. Raises OSError where the disk does not take it."""
        self._journals[OBSERVATIONS].append(line(observation))

    def ledger(self, line: bytes) -> None:
        """Append one ledger line, whole, so that it survives a kill of the process. Raises OSError."""
        self._journals[LEDGER].append(line)

    def sync(self) -> None:
        """Bring everything appended so far to disk. Raises OSError."""
        for journal in tuple(self._journals.values()):
            journal.sync()

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """A new file of the run from chunks of bytes. Raises OSError, also where the file is there already."""
        path = self.path / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        self._written.append(path)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)

    def withdraw(self) -> None:
        """Remove what `write` made, whole or not; the observations and the ledger stay."""
        while self._written:
            self._written.pop().unlink(missing_ok=True)

    def seal(self) -> None:
        """No more observations or ledger lines; what there is goes to disk. Raises OSError."""
        for journal in self._journals.values():
            journal.close()
        self._journals = {}

    def publish(self) -> Path:
        """Give the run its name, whole, with everything on disk, point `latest` at it, and return where it is.

        Raises OSError where the disk does not take it; a run is published whole or not at all.
        """
        self.seal()
        for entry in sorted(self.path.iterdir()):
            _sync_path(entry)
        _sync_path(self.path)
        self.path.rename(self.published)
        _sync_path(self.output)
        self._point_latest()
        return self.published

    def discard(self) -> None:
        """Remove a folder whose contents are elsewhere too; where it was published, there is nothing to remove."""
        self.seal()
        if self.path.exists():
            shutil.rmtree(self.path)

    def _point_latest(self) -> None:
        aside = self.output / f".{self.run_id}.{LATEST}"
        try:
            aside.symlink_to(self.run_id, target_is_directory=True)
            aside.replace(self.output / LATEST)
        except OSError as error:
            # The run itself is published; a file system without links, or a folder of that name, only costs the alias.
            _log.warning("%s does not point to the run %s: %s", self.output / LATEST, self.run_id, error.strerror)
            aside.unlink(missing_ok=True)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, one without links, or a file of another owner
        shutil.copyfile(source, target)
        target.chmod(_FILE_MODE)


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
