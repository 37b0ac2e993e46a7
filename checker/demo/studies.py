"""The synthetic studies of the simulated archives, and the matching of C-FIND and QIDO-RS over them.

Nobody's data: names, numbers and dates are invented by a counter and marked as synthetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from uuid import NAMESPACE_OID, uuid5

STUDY_LEVEL_KEYS: Mapping[str, tuple[str, str]] = {
    "StudyInstanceUID": ("0020000D", "UI"),
    "StudyDate": ("00080020", "DA"),
    "AccessionNumber": ("00080050", "SH"),
    "ModalitiesInStudy": ("00080061", "CS"),
    "StudyDescription": ("00081030", "LO"),
    "PatientName": ("00100010", "PN"),
    "PatientID": ("00100020", "LO"),
}
"""Keyword, tag and value representation (PS3.6) of what can be matched and is returned."""


@dataclass(frozen=True, slots=True)
class Study:
    """One synthetic study with one series; `values` by keyword."""

    values: Mapping[str, str]
    series_uid: str

    @property
    def uid(self) -> str:
        """The Study Instance UID."""
        return self.values["StudyInstanceUID"]

    def matches(self, keys: Mapping[str, str]) -> bool:
        """Whether every key that this archive supports matches; others are ignored, as PS3.4 C.2.2.1.3 allows."""
        return all(_matches(keyword, wanted, self.values[keyword]) for keyword, wanted in keys.items())


def find(keys: Mapping[str, str]) -> Iterator[Study]:
    """The studies that match; `keys` by keyword, only those of `STUDY_LEVEL_KEYS`, lists parted by a backslash."""
    return (study for study in STUDIES if study.matches(keys))


def _matches(keyword: str, wanted: str, value: str) -> bool:
    if not wanted:
        return True  # universal matching, PS3.4 C.2.2.2.3
    vr = STUDY_LEVEL_KEYS[keyword][1]
    if vr == "UI":
        return value in wanted.split("\\")  # list of UIDs, PS3.4 C.2.2.2.2
    if vr == "DA" and "-" in wanted:
        first, _, last = wanted.partition("-")
        return (not first or first <= value) and (not last or value <= last)  # range, PS3.4 C.2.2.2.5
    if vr == "DA":
        return value == wanted
    # Wild cards are * and ? only (PS3.4 C.2.2.2.4): fnmatch's brackets have to lose their meaning.
    return fnmatchcase(value, wanted.replace("[", "[[]"))


def _uid(name: str) -> str:
    """A UID derived from a UUID, PS3.5 B.2."""
    return f"2.25.{uuid5(NAMESPACE_OID, name).int}"


def _study(number: int) -> Study:
    return Study(
        {
            "StudyInstanceUID": _uid(f"synthetic study {number}"),
            "StudyDate": f"2001{number % 12 + 1:02}{number % 28 + 1:02}",
            "AccessionNumber": f"SYNTHETIC{number:04}",
            "ModalitiesInStudy": ("CT", "MR", "CR", "US")[number % 4],
            "StudyDescription": "SYNTHETIC STUDY FOR DEMONSTRATION",
            "PatientName": f"SYNTHETIC^DEMO^{number:04}",
            "PatientID": f"SYNTHETIC-{number:04}",
        },
        _uid(f"synthetic series {number}"),
    )


STUDIES: tuple[Study, ...] = tuple(_study(number) for number in range(1, 41))
