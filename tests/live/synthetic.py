"""Synthetic studies for the servers of the live tests. No person stands behind any of it.

Every value that a checker must never keep carries a mark, so that a test can look through all files of a run for
`MARKERS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

NAME = "SYNTHETIC^NOBODY"
PATIENT_ID = "SYNTH-PHI"
ACCESSION = "SYNTH-ACC"
INSTITUTION = "SYNTHETIC NOWHERE-GENERAL"
COOKIE = "SYNTH-COOKIE-VALUE"
"""A value that the tests' web servers hand out as session cookies and as tokens; a checker keeps neither."""
UID_ROOT = "1.2.826.0.1.3680043.8.498.83897884"
"""Under pydicom's root for examples; the last part spells SYNT in decimal."""

# Without carets or blanks, so that they are found whatever escaping an output uses.
_PLAIN = (b"NOBODY", b"SYNTH-PHI", b"SYNTH-ACC", b"NOWHERE-GENERAL", b"SYNTH-COOKIE", UID_ROOT.encode())

MARKERS: tuple[bytes, ...] = (*_PLAIN, *(marker.hex().encode() for marker in _PLAIN))
"""What must never show up in any output of a run, in plain and in hexadecimal."""


def markers_in(content: bytes) -> tuple[bytes, ...]:
    """The markers that occur in some output."""
    return tuple(marker for marker in MARKERS if marker in content)


@dataclass(frozen=True, slots=True)
class Study:
    """A synthetic study: one patient, one series, some instances."""

    number: int
    instances: tuple[Dataset, ...]

    @property
    def uid(self) -> str:
        """The Study Instance UID."""
        return study_uid(self.number)

    @property
    def patient_id(self) -> str:
        """The Patient ID."""
        return f"{PATIENT_ID}-{self.number}"

    @property
    def patient_name(self) -> str:
        """The Patient's Name."""
        return f"{NAME}^{self.number}"


def study_uid(number: int) -> str:
    """The Study Instance UID of the study of this number."""
    return f"{UID_ROOT}.{number}"


def studies(count: int = 3, instances: int = 2) -> tuple[Study, ...]:
    """Some studies, numbered from 1, each with this many instances."""
    return tuple(
        Study(number, tuple(_instance(number, position) for position in range(1, instances + 1)))
        for number in range(1, count + 1)
    )


def encoded(instance: Dataset) -> bytes:
    """An instance as the bytes of a DICOM file (PS3.10)."""
    buffer = BytesIO()
    instance.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def write(loaded: Iterable[Study], folder: Path) -> Sequence[Path]:
    """Write all instances into a folder, one file each, and give the paths."""
    paths = []
    for study in loaded:
        for position, instance in enumerate(study.instances, 1):
            path = folder / f"study{study.number}-{position}.dcm"
            path.write_bytes(encoded(instance))
            paths.append(path)
    return paths


def _instance(number: int, position: int) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{study_uid(number)}.1.{position}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance = Dataset()
    instance.file_meta = meta
    instance.SOPClassUID = SecondaryCaptureImageStorage
    instance.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    instance.StudyInstanceUID = study_uid(number)
    instance.SeriesInstanceUID = f"{study_uid(number)}.1"
    instance.PatientName = f"{NAME}^{number}"
    instance.PatientID = f"{PATIENT_ID}-{number}"
    instance.PatientBirthDate = "19000101"
    instance.PatientSex = "O"
    instance.StudyDate = f"2001010{number % 9 + 1}"
    instance.StudyTime = "120000"
    instance.StudyID = str(number)
    instance.AccessionNumber = f"{ACCESSION}-{number}"
    instance.StudyDescription = INSTITUTION
    instance.InstitutionName = INSTITUTION
    instance.ReferringPhysicianName = NAME
    instance.Modality = "OT"
    instance.ConversionType = "SYN"
    instance.SeriesNumber = 1
    instance.InstanceNumber = position
    instance.PatientOrientation = ""
    instance.SamplesPerPixel = 1
    instance.PhotometricInterpretation = "MONOCHROME2"
    instance.Rows = 8
    instance.Columns = 8
    instance.BitsAllocated = 8
    instance.BitsStored = 8
    instance.HighBit = 7
    instance.PixelRepresentation = 0
    instance.PixelData = bytes(64)
    return instance
