"""The table of the firewall in the documentation: about the cells that there are, and as their rules have it."""

from __future__ import annotations

import re

import pytest

from tests.live.firewall_cells import CELLS, Cell
from tests.live.firewall_rules import ruleset
from tests.tables.exposure import HEADER, stated
from tests.tables.page import EXPOSURE, read

_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in read(EXPOSURE.read_text("utf-8"), "exposure").splitlines()
]
_MANY = re.compile(r"^(\d+) of \1 ")


def test_the_table_has_a_row_for_each_cell() -> None:
    assert _ROWS[0] == list(HEADER)
    assert [(row[0], row[-1]) for row in _ROWS[2:]] == [(cell.title, cell.difference) for cell in CELLS]


@pytest.mark.parametrize(("cell", "row"), [*zip(CELLS, _ROWS[2:], strict=False)], ids=[cell.name for cell in CELLS])
def test_our_column_says_what_the_rules_make_of_it(cell: Cell, row: list[str]) -> None:
    assert _MANY.sub("", row[1]) in stated(cell)
    assert bool(_MANY.match(row[1])) == (len(cell.ports) > 1)


def test_each_cell_has_its_own_name_and_words_and_its_rules_are_among_those_of_the_firewall() -> None:
    rules = ruleset()
    for what in ([cell.name for cell in CELLS], [cell.title for cell in CELLS]):
        assert len(set(what)) == len(what)
    assert all(cell.rules in rules for cell in CELLS)
