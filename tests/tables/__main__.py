"""Writes the tables that are named on the command line, or all, into docs/tls.md.

Ends with 1 where something was not as it should be: the table is written all the same, and the lines say what is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from tests.tables import configurations
from tests.tables.page import PAGE, written

TABLES: Mapping[str, Callable[[], tuple[str, Sequence[str]]]] = {"configurations": configurations.table}
"""By name, what makes a table: it gives the text, and what is wrong, line by line."""


def main(names: Sequence[str]) -> int:
    """Write these tables, or all; 0 where all is as it should be, 1 where not, 2 for a name that is none."""
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        sys.stderr.write(f"no tables: {' '.join(unknown)}. There are: {' '.join(TABLES)}\n")
        return 2
    wrong: list[str] = []
    for name in names or TABLES:
        table, lines = TABLES[name]()
        PAGE.write_text(written(PAGE.read_text("utf-8"), name, table), "utf-8")
        wrong += lines
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
