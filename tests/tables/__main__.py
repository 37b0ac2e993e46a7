"""Writes the tables that are named on the command line, or all, each into its page of the documentation.

Ends with 1 where something was not as it should be: the table is written all the same, and the lines say what is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.tables import (
    benchmark,
    configurations,
    dicom,
    dicom_benchmark,
    exposure,
    exposure_benchmark,
    web,
    web_benchmark,
)
from tests.tables.page import DICOM, EXPOSURE, TLS, WEB, written


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the page that it stands in, and what makes it.

    `make` gives the text, and what is wrong, line by line.
    """

    page: Path
    make: Callable[[], tuple[str, Sequence[str]]]


TABLES: Mapping[str, Table] = {
    "benchmark": Table(TLS, benchmark.table),
    "configurations": Table(TLS, configurations.table),
    "dicom": Table(DICOM, dicom.table),
    "dicom-benchmark": Table(DICOM, dicom_benchmark.table),
    "exposure": Table(EXPOSURE, exposure.table),
    "exposure-benchmark": Table(EXPOSURE, exposure_benchmark.table),
    "web": Table(WEB, web.table),
    "web-benchmark": Table(WEB, web_benchmark.table),
    "web-limits": Table(WEB, web.limits),
    "web-states": Table(WEB, web.states),
}
"""The tables by name, which is also that of their room in the page."""


def main(names: Sequence[str]) -> int:
    """Write these tables, or all; 0 where all is as it should be, 1 where not, 2 for a name that is none."""
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        sys.stderr.write(f"no tables: {' '.join(unknown)}. There are: {' '.join(TABLES)}\n")
        return 2
    wrong: list[str] = []
    for name in names or TABLES:
        table = TABLES[name]
        text, lines = table.make()
        table.page.write_text(written(table.page.read_text("utf-8"), name, text), "utf-8")
        wrong += lines
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
