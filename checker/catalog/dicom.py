"""What DICOM's unique identifiers mean to a judge of access: data, and four look-ups.

SOP classes are those of PS3.6 annex A that the survey may propose. Their meaning is what an accepted context would let
a stranger do. Toolkits are known by the root of an Implementation Class UID (PS3.7 annex D.3.3.2); such a root names
the library that a product was built with, not the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What a SOP class lets its user do."""

    VERIFICATION = "verification"
    SEARCH = "search"
    TAKE = "take"
    PUT = "put"
    WORKLIST = "worklist"
    STORAGE_COMMITMENT = "storage-commitment"
    PRINT = "print"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SopClass:
    """A SOP class: its UID, its name in PS3.6 without "Information Model" and "SOP Class", and what it lets one do."""

    uid: str
    name: str
    meaning: Meaning


VERIFICATION = "1.2.840.10008.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_STORAGE = "1.2.840.10008.5.1.4.1.1"

SOP_CLASSES = (
    SopClass(VERIFICATION, "Verification", Meaning.VERIFICATION),
    SopClass(STUDY_ROOT_FIND, "Study Root Query/Retrieve - FIND", Meaning.SEARCH),
    SopClass("1.2.840.10008.5.1.4.1.2.2.2", "Study Root Query/Retrieve - MOVE", Meaning.TAKE),
    SopClass("1.2.840.10008.5.1.4.1.2.2.3", "Study Root Query/Retrieve - GET", Meaning.TAKE),
    SopClass("1.2.840.10008.5.1.4.1.2.1.1", "Patient Root Query/Retrieve - FIND", Meaning.SEARCH),
    SopClass("1.2.840.10008.5.1.4.1.2.1.2", "Patient Root Query/Retrieve - MOVE", Meaning.TAKE),
    SopClass("1.2.840.10008.5.1.4.1.2.1.3", "Patient Root Query/Retrieve - GET", Meaning.TAKE),
    SopClass("1.2.840.10008.5.1.4.31", "Modality Worklist - FIND", Meaning.WORKLIST),
    SopClass("1.2.840.10008.1.20.1", "Storage Commitment Push Model", Meaning.STORAGE_COMMITMENT),
    SopClass("1.2.840.10008.5.1.1.9", "Basic Grayscale Print Management Meta", Meaning.PRINT),
    SopClass(f"{_STORAGE}.1", "Computed Radiography Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.1.1", "Digital X-Ray Image Storage - For Presentation", Meaning.PUT),
    SopClass(f"{_STORAGE}.1.2", "Digital Mammography X-Ray Image Storage - For Presentation", Meaning.PUT),
    SopClass(f"{_STORAGE}.2", "CT Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.2.1", "Enhanced CT Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.3.1", "Ultrasound Multi-frame Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.4", "MR Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.4.1", "Enhanced MR Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.6.1", "Ultrasound Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.7", "Secondary Capture Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.11.1", "Grayscale Softcopy Presentation State Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.12.1", "X-Ray Angiographic Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.12.2", "X-Ray Radiofluoroscopic Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.20", "Nuclear Medicine Image Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.88.11", "Basic Text SR Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.88.22", "Enhanced SR Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.88.33", "Comprehensive SR Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.88.59", "Key Object Selection Document Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.104.1", "Encapsulated PDF Storage", Meaning.PUT),
    SopClass(f"{_STORAGE}.128", "Positron Emission Tomography Image Storage", Meaning.PUT),
)
"""In the order in which the survey proposes them; the first is Verification."""

TOOLKIT_ROOTS = (
    ("1.2.276.0.7230010.3", "DCMTK"),
    ("1.2.826.0.1.3680043.9.3811", "pynetdicom"),
    ("1.3.6.1.4.1.30071.8", "fo-dicom"),
    ("1.2.40.0.13.1.1", "dcm4che"),  # releases 1 and 2
    ("1.2.40.0.13.1.3", "dcm4che"),
    ("1.3.6.1.4.1.25403.1.1.1", "ClearCanvas"),
    ("1.2.826.0.1.3680043.2.135.1066.101", "Conquest"),
    ("1.2.826.0.1.3680043.2.1545.1.2.1", "DVTk"),
    ("2.16.840.1.113669.2.1", "MergeCOM"),
    ("1.3.6.1.4.1.5962.99.2", "PixelMed"),
    ("1.2.826.0.1.3680043.10.854", "dcmjs-dimse"),
    ("2.25.262086406829110419931297894772577063974", "DICOM-rs"),
)
"""Roots of Implementation Class UIDs and the toolkit that each names, as its makers or its own answers tell.

Products are built with them: Orthanc, dcmqrscp and storescp all say DCMTK.
"""

GROUPS = (
    Meaning.SEARCH,
    Meaning.TAKE,
    Meaning.PUT,
    Meaning.WORKLIST,
    Meaning.PRINT,
    Meaning.STORAGE_COMMITMENT,
    Meaning.OTHER,
)
"""The groups of services that matter to access, in the order in which they are told; verification gives nothing."""

_BY_UID = {sop_class.uid: sop_class for sop_class in SOP_CLASSES}


def meaning(uid: str) -> Meaning:
    """What the SOP class lets its user do; `Meaning.OTHER` for one that the catalogue does not have."""
    sop_class = _BY_UID.get(uid)
    return Meaning.OTHER if sop_class is None else sop_class.meaning


def group(uid: str) -> Meaning | None:
    """The group of services that the SOP class belongs to; None for Verification, which lets nobody do anything."""
    found = meaning(uid)
    return None if found is Meaning.VERIFICATION else found


def name(uid: str) -> str:
    """The name of the SOP class for people to read; the UID itself where the catalogue has none."""
    sop_class = _BY_UID.get(uid)
    return uid if sop_class is None else sop_class.name


def toolkit(uid: str) -> str | None:
    """The toolkit whose root the Implementation Class UID is or lies under; None where none is known."""
    for root, toolkit_name in TOOLKIT_ROOTS:
        if uid == root or uid.startswith(f"{root}."):
            return toolkit_name
    return None
