"""Published runs, read back: finding one by its name, its summary, its inventory, and what it left failing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from checker.errors import UsageError
from checker.model import Drift, Status
from checker.records import BrokenRecord, StoredInventory, read, read_inventory
from checker.store.folder import LATEST
from checker.summary import RunSummary
from checker.triage import left_failing, was_failing

SUMMARY = "run.json"
INVENTORY = "inventory.json"
FINDINGS = "findings.jsonl"

_SHOWN = 3


def find_run(output: Path, name: str) -> Path:
    """The folder of a published run, by its path, its id, the beginning of its id, or `latest`.

    Ids are looked up in `output`. Raises UsageError that says what was looked for and where.
    """
    if name == LATEST:
        return _latest(output)
    path = Path(name)
    if path.name != name or (not _is_run(output / name) and _is_run(path)):
        if _is_run(path):
            return path
        raise UsageError(f"{name}: no run is there; a run is a folder with {SUMMARY}, such as {output / LATEST}")
    if _is_run(output / name):
        return output / name
    ids = _ids(output)
    fitting = [run_id for run_id in ids if run_id.startswith(name)] if name else []
    if len(fitting) == 1:
        return output / fitting[0]
    if fitting:
        shown = ", ".join(fitting[:_SHOWN]) + (", ..." if len(fitting) > _SHOWN else "")
        raise UsageError(f"{name}: {len(fitting)} runs in {output} begin so: {shown}")
    last = f"; the last one is {ids[-1]}" if ids else ""
    raise UsageError(f"{name}: none of {len(ids)} runs in {output} has that id or begins so{last}")


def _latest(output: Path) -> Path:
    link = output / LATEST
    if _is_run(link):
        target = output / link.resolve().name  # by its own name, for the link may point elsewhere a moment later
        return target if _is_run(target) else link.resolve()
    ids = _ids(output)
    if not ids:
        raise UsageError(f"{LATEST}: there is no run in {output}")
    return output / ids[-1]  # where links cannot be made, the ids tell, for they begin with the time


def _ids(output: Path) -> list[str]:
    if not output.is_dir():
        return []
    return sorted(
        entry.name
        for entry in output.iterdir()
        if not entry.name.startswith(".") and not entry.is_symlink() and _is_run(entry)
    )


def _is_run(path: Path) -> bool:
    try:
        return (path / SUMMARY).is_file()
    except OSError:  # a name that no file can have, or a folder that is closed to us: no run for this user
        return False


def read_run(run: Path) -> RunSummary:
    """The summary of a run. Raises UsageError where it cannot be read."""
    return read(TypeAdapter(RunSummary), _bytes(run / SUMMARY), str(run / SUMMARY))


def read_run_inventory(run: Path) -> StoredInventory:
    """The inventory that a run was judged by. Raises UsageError where it cannot be read."""
    return read_inventory(_bytes(run / INVENTORY), str(run / INVENTORY))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


# ------------------------------------------------------------------------------------------------- as a baseline


@dataclass(frozen=True, slots=True)
class _Beginning:
    vantage: str
    started_at: datetime


def last_run(output: Path, vantage: str, *, before: datetime) -> tuple[Path | None, tuple[str, ...]]:
    """The run in `output` whose visits from this vantage began last before a moment, and a notice of each broken run.

    Of several judgements of the same visits, the one made last.
    """
    adapter = TypeAdapter(_Beginning)
    found: list[tuple[datetime, str]] = []
    notices = []
    for run_id in _ids(output):
        where = output / run_id / SUMMARY
        try:
            beginning = read(adapter, _bytes(where), str(where))
        except UsageError as error:
            notices.append(f"A run was left out when looking for the baseline: {error}.")
            continue
        if beginning.vantage == vantage and beginning.started_at < before:
            found.append((beginning.started_at, run_id))
    return (output / max(found)[1] if found else None), tuple(notices)


@dataclass(frozen=True, slots=True)
class _Stand:
    finding_id: str
    status: Status
    drift: Drift | None


def failing_after(run: Path) -> Iterator[str]:
    """The ids of the findings that a run left failing. Raises UsageError, also in the middle."""
    return (stand.finding_id for stand in _stands(run) if left_failing(stand.status, stand.drift))


def failing_before(run: Path) -> Iterator[str]:
    """The ids of those findings of a run that its own baseline had left failing. Raises UsageError, as above."""
    return (stand.finding_id for stand in _stands(run) if was_failing(stand.drift))


def _stands(run: Path) -> Iterator[_Stand]:
    adapter = TypeAdapter(_Stand)
    path = run / FINDINGS
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                yield read(adapter, text, f"{path}:{number}")
    except OSError as error:
        raise BrokenRecord(f"{path}: cannot be read: {error.strerror}") from error
