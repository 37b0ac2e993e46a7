"""Every broken inventory of the corpus gives exactly the faults that its `.expected` companion lists.

A file is loaded by itself (a table together with `base.yaml`), a folder as one inventory of several files. To accept
new texts after reading them: `python tests/unit/test_inventory_corpus.py`.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from checker.inventory import InventoryError, load

CORPUS = Path(__file__).parent / "inventories"
TODAY = date(2026, 11, 24)
CASES = sorted(path for path in (CORPUS / "broken").iterdir() if path.suffix != ".expected")


def arguments(case: Path) -> list[Path]:
    """The paths that a user in the folder of the corpus would name."""
    if case.is_dir():
        return sorted(Path("broken", case.name, part.name) for part in case.iterdir() if part.name != "b.csv")
    here = Path("broken", case.name)
    return [Path("base.yaml"), here] if case.suffix in (".csv", ".jsonl") else [here]


def faults_of(case: Path) -> str:
    with pytest.raises(InventoryError) as caught:
        load(arguments(case), today=TODAY)
    return "".join(f"{fault}\n" for fault in caught.value.faults)


def companion(case: Path) -> Path:
    return case.with_name(f"{case.name}.expected")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_broken_inventory_gives_its_expected_faults(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)

    assert faults_of(case) == companion(case).read_text("utf-8")


def test_the_corpus_is_whole() -> None:
    companions = {path.name for path in (CORPUS / "broken").glob("*.expected")}

    assert companions == {companion(case).name for case in CASES}
    assert len(CASES) >= 40


if __name__ == "__main__":
    os.chdir(CORPUS)
    for each in CASES:
        companion(each).write_text(faults_of(each), "utf-8")
