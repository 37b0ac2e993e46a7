"""Generated text inside the pages of the documentation, between two markers that do not show.

A page has `<!-- table: NAME -->` and, after it, `<!-- end -->`, each on a line of its own; what is between them belongs
to the table of that name and is written anew as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tests.live.servers.process import ROOT

TLS = ROOT / "docs" / "tls.md"
DICOM = ROOT / "docs" / "dicom.md"
EXPOSURE = ROOT / "docs" / "exposure.md"
WEB = ROOT / "docs" / "web.md"

_NAME = re.compile(r"^<!-- table: ([a-z0-9-]+) -->$", re.MULTILINE)
_END = "<!-- end -->\n"


def names(page: str) -> tuple[str, ...]:
    """The names of the tables for which a page has room, in its order."""
    return tuple(_NAME.findall(page))


def read(page: str, name: str) -> str:
    """What stands in the page for a table; `ValueError` where it has no such markers, or has them twice."""
    begin, end = _between(page, name)
    return page[begin:end]


def written(page: str, name: str, table: str) -> str:
    """The page with another text for a table; `ValueError` as for `read`."""
    begin, end = _between(page, name)
    return f"{page[:begin]}{table.strip()}\n{page[end:]}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; `ValueError` for a row of another length, or with a cell that would break it."""
    lines = [tuple(header), tuple("---" for _ in header), *map(tuple, rows)]
    for cells in lines:
        if len(cells) != len(header) or any("|" in cell or "\n" in cell for cell in cells):
            message = f"no row of this table: {cells}"
            raise ValueError(message)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _between(page: str, name: str) -> tuple[int, int]:
    marker = f"<!-- table: {name} -->\n"
    begin = page.find(marker)
    end = page.find(_END, begin)
    if begin < 0 or end < 0 or page.count(marker) > 1 or "<!-- table:" in page[begin + len(marker) : end]:
        message = f"the page has no room for the table {name}"
        raise ValueError(message)
    return begin + len(marker), end
