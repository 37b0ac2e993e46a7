"""Assets from CSV and JSON Lines, read line by line. Each comes as a plain mapping, as in YAML, with its place."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, TypeAlias

from checker.inventory.documents import OnLine
from checker.inventory.faults import ABSENT, MOST_FAULTS, FaultList, Path, Place, did_you_mean, shown
from checker.inventory.json_reader import JsonReader
from checker.inventory.schema import MOST_SERVICES
from checker.inventory.sources import Sources, Unreadable
from checker.model import Role, ServiceKind

RawAsset: TypeAlias = "tuple[object, Place]"

# Per column its key in an asset; `address` is apart because a cell may hold several.
_ASSET_COLUMNS: Final = {
    "asset_id": "id",
    "name": "name",
    "address": "address",
    "hostname": "hostname",
    "role": "role",
    "site": "site",
    "zone": "zone",
    "owner": "owner",
    "tls_depth": "tls_depth",
}
_SERVICE_COLUMNS: Final = {"service": "kind", "port": "port", "ae_title": "ae_title", "url": "url"}
_COLUMN_OF: Final = {key: column for column, key in (*_ASSET_COLUMNS.items(), *_SERVICE_COLUMNS.items())}
COLUMNS: Final = (*_ASSET_COLUMNS, *_SERVICE_COLUMNS)
# Whole families of devices have the same words here; one object for each saves most of the memory.
_SHARED: Final = frozenset({"role", "site", "zone", "owner", "tls_depth", "service", "port"})
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_BETWEEN_ADDRESSES = re.compile(r"[\s;]+")
MOST_ROWS: Final = 2_000_000
MOST_COLUMNS: Final = 1000
# A fleet larger than this is several inventories.
MOST_ASSETS: Final = 1_000_000
_ROLES: Final = frozenset({*Role, None})
_KINDS: Final = frozenset(ServiceKind)


def read_json_lines(path: FilePath, sources: Sources, faults: FaultList) -> Iterator[RawAsset]:
    """The assets of a JSON Lines file, one a line; a line that holds none becomes a fault. Raises Unreadable."""
    file = str(path)
    reader = JsonReader()
    rows = 0
    for number, line in enumerate(sources.lines(path), 1):
        if number > MOST_ROWS:
            raise Unreadable(f"expected at most {MOST_ROWS} lines", number)
        if not line.strip():
            continue
        rows += 1
        place = OnLine(file, number)
        try:
            value = reader.read(line)
        except Unreadable as problem:
            faults.add(place, (), ABSENT, problem.expected)
            continue
        for key in reader.duplicates:
            faults.add(place, (key,), ABSENT, "expected each key once")
        yield value, place
    if not rows:
        raise Unreadable("expected at least one asset, one a line")


@dataclass(slots=True)
class _Rows:
    """The rows of one asset: a place for its faults. `lines` has the first line, then that of each service."""

    file: str
    asset: dict[str, object]
    lines: list[int]
    given: dict[str, int] = field(default_factory=dict)  # lines of asset cells that a later row filled in
    full: bool = False

    def locate(self, path: Path) -> tuple[int, str]:
        """See `checker.inventory.faults.Place`; fields are named by their columns."""
        if not path:
            return self.lines[0], ""
        if path[0] == "services" and len(path) > 1 and isinstance(path[1], int):
            column = str(path[2]) if len(path) > 2 else "kind"
            return self.lines[path[1] + 1], _COLUMN_OF.get(column, column)
        key = str(path[0])
        return self.given.get(key, self.lines[0]), _COLUMN_OF.get(key, key)


def read_csv(path: FilePath, sources: Sources, faults: FaultList, notices: list[str]) -> Iterator[RawAsset]:
    """The assets of a CSV file (RFC 4180), in the order of their first rows. Raises Unreadable."""
    table = _Table(str(path), faults)
    rows = csv.reader(sources.lines(path), strict=True)
    end = 0
    try:
        for cells in rows:
            start, end = end + 1, rows.line_num
            if end > MOST_ROWS:
                raise Unreadable(f"expected at most {MOST_ROWS} rows", start)
            if not any(cells):
                continue
            if not table.columns:
                if not table.read_header(cells, start, notices):
                    return
            else:
                table.read_row(cells, start)
                if table.doubtful > MOST_FAULTS or len(table.assets) > MOST_ASSETS:
                    break  # what has been read has more faults than are listed
    except csv.Error as problem:
        text = str(problem)
        # The module's own words for a lone CR are advice to programmers.
        reason = "lines that end in LF or CRLF" if "new-line" in text else f"CSV: {text}"
        raise Unreadable(f"expected {reason}", end + 1) from None
    if not table.columns:
        raise Unreadable("expected a first row that names the columns")
    if not table.rows:
        raise Unreadable("expected at least one asset below the names of the columns")
    for asset in table.assets.values():
        yield asset.asset, asset


class _Table:
    """Rows that become assets: those with the same id make one."""

    def __init__(self, file: str, faults: FaultList) -> None:
        self.file = file
        self.faults = faults
        self.columns = 0
        self.rows = 0
        self.doubtful = 0  # faults that the assets are sure to have, as far as a glance tells
        self.assets: dict[str, _Rows] = {}
        self._asset_cells: list[tuple[int, str]] = []
        self._service_cells: list[tuple[int, str]] = []
        self._shared_cells: list[int] = []
        self._id = 0
        self._words: dict[str, str] = {}

    def read_header(self, cells: list[str], line: int, notices: list[str]) -> bool:
        """Learn which column is where; False where the rows cannot be read with it."""
        if len(cells) > MOST_COLUMNS:
            self.faults.add_at(self.file, line, "", f"{len(cells)} columns", f"expected at most {MOST_COLUMNS} columns")
            return False
        names = [cell.strip().lower() for cell in cells]
        sound = True
        for column in COLUMNS:
            if names.count(column) > 1:
                self.faults.add_at(self.file, line, column, ABSENT, "expected each column once")
                sound = False
        missing = [name for name in ("asset_id", "role", "service") if name not in names]
        if "address" not in names and "hostname" not in names:
            missing.append("address or hostname")
        if missing:
            near = did_you_mean(missing[0], [name for name in names if name])
            self.faults.add_at(
                self.file, line, "", ",".join(cells), f"expected the columns {', '.join(missing)} as well{near}"
            )
            sound = False
        for name, cell in zip(names, cells, strict=True):
            if sound and name not in COLUMNS:
                hint = did_you_mean(name, [column for column in COLUMNS if column not in names])
                notices.append(f"{self.file}: the column {shown(cell)!r} is ignored{hint}")
        self.columns = len(names)
        for at, name in enumerate(names):
            if name in _ASSET_COLUMNS and name != "asset_id":
                self._asset_cells.append((at, _ASSET_COLUMNS[name]))
            elif name in _SERVICE_COLUMNS:
                self._service_cells.append((at, _SERVICE_COLUMNS[name]))
            if name in _SHARED:
                self._shared_cells.append(at)
        self._id = names.index("asset_id") if "asset_id" in names else 0
        return sound

    def read_row(self, cells: list[str], line: int) -> None:
        """Add one row to its asset."""
        self.rows += 1
        if len(cells) != self.columns:
            expected = f"expected {self.columns} cells, as in the first row"
            self.faults.add_at(self.file, line, "", f"{len(cells)} cells", expected)
            return
        for at in self._shared_cells:
            cells[at] = self._words.setdefault(cells[at], cells[at])
        name = cells[self._id].strip()
        if not name:
            self.faults.add_at(self.file, line, "asset_id", name, "expected text that is not empty")
            return
        asset: dict[str, object] = {"id": name}
        for at, key in self._asset_cells:
            cell = cells[at].strip()
            if cell:
                asset[key] = cell if key != "address" else _addresses(cell)
        rows = self.assets.get(name)
        if rows is None:
            rows = self.assets[name] = _Rows(self.file, asset, [line])
            rows.asset["services"] = []
            self.doubtful += asset.get("role") not in _ROLES
        else:
            self._merge(rows, asset, line)
        self._add_service(rows, cells, line)

    def _merge(self, rows: _Rows, asset: dict[str, object], line: int) -> None:
        known = rows.asset
        for key, value in asset.items():
            if key not in known:
                known[key] = value
                rows.given[key] = line
            elif known[key] != value:
                first, _ = rows.locate((key,))
                cell = "; ".join(value) if isinstance(value, list) else value
                self.faults.add_at(
                    self.file,
                    line,
                    _COLUMN_OF[key],
                    cell,
                    f"expected the same as on line {first}, for the same asset_id",
                )

    def _add_service(self, rows: _Rows, cells: list[str], line: int) -> None:
        service: dict[str, object] = {}
        for at, key in self._service_cells:
            # An AE title keeps its spaces for its own check; only spaces is as good as nothing.
            cell = cells[at].strip(" ")
            if cell:
                service[key] = int(cell) if key == "port" and _PORT.fullmatch(cell) else cell
        if not service:
            return
        if "kind" not in service:
            self.faults.add_at(
                self.file, line, "service", ABSENT, "expected a service, as the row has a port, an AE title or a URL"
            )
            return
        services = rows.asset["services"]
        if not isinstance(services, list):
            return
        if len(services) < MOST_SERVICES:
            self.doubtful += not services and service["kind"] not in _KINDS
            services.append(service)
            rows.lines.append(line)
        elif not rows.full:
            rows.full = True
            expected = f"expected at most {MOST_SERVICES} services of an asset"
            self.faults.add_at(self.file, line, "service", service["kind"], expected)


def _addresses(cell: str) -> list[str]:
    return [part for part in _BETWEEN_ADDRESSES.split(cell) if part]
