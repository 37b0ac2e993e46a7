"""The catalogue of SOP classes and toolkits, against the registry of PS3.6 as pydicom has it and the rules of PS3.5."""

from __future__ import annotations

import re

import pytest
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID
from pynetdicom.sop_class import uid_to_service_class

from checker.catalog.dicom import (
    GROUPS,
    IMPLICIT_VR_LITTLE_ENDIAN,
    SOP_CLASSES,
    STUDY_ROOT_FIND,
    TOOLKIT_ROOTS,
    VERIFICATION,
    Meaning,
    SopClass,
    group,
    meaning,
    name,
    toolkit,
)

# Negotiating it is enough to stop a dcmqrscp that allows it.
SHUTDOWN = "1.2.276.0.7230010.3.4.1915765545.18030.917282194.0"
# PS3.5 9.1: at most 64 characters, components without leading zeros
UID_FORM = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
each_class = pytest.mark.parametrize("sop_class", SOP_CLASSES, ids=lambda sop_class: sop_class.uid)


@each_class
def test_a_uid_is_a_registered_sop_class(sop_class: SopClass) -> None:
    registered = UID_dictionary[sop_class.uid]

    assert UID_FORM.fullmatch(sop_class.uid)
    assert UID(sop_class.uid).is_valid
    assert registered[1] in ("SOP Class", "Meta SOP Class")
    assert registered[3] == "", "retired"


@each_class
def test_a_name_is_that_of_the_registry_in_short(sop_class: SopClass) -> None:
    registered = UID_dictionary[sop_class.uid][0]

    short = registered.replace(" Information Model", "").removesuffix(" SOP Class")
    assert sop_class.name == short


@each_class
def test_a_meaning_is_what_the_service_of_the_class_does(sop_class: SopClass) -> None:
    service = uid_to_service_class(sop_class.uid).__name__
    verb = sop_class.name.rsplit(" - ", 1)[-1]

    expected = {
        "VerificationServiceClass": Meaning.VERIFICATION,
        "StorageServiceClass": Meaning.PUT,
        "StorageCommitmentServiceClass": Meaning.STORAGE_COMMITMENT,
        "BasicWorklistManagementServiceClass": Meaning.WORKLIST,
        "PrintManagementServiceClass": Meaning.PRINT,
        "QueryRetrieveServiceClass": Meaning.SEARCH if verb == "FIND" else Meaning.TAKE,
    }
    assert sop_class.meaning is expected[service]


def test_the_survey_fits_one_association() -> None:
    uids = [sop_class.uid for sop_class in SOP_CLASSES]

    assert len(set(uids)) == len(uids)
    assert 25 <= len(uids) <= 40
    assert uids[0] == VERIFICATION
    assert STUDY_ROOT_FIND in uids


def test_every_meaning_but_the_unknown_one_is_proposed() -> None:
    assert {sop_class.meaning for sop_class in SOP_CLASSES} == set(Meaning) - {Meaning.OTHER}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Meaning.VERIFICATION, {"Verification"}),
        (Meaning.SEARCH, {"Study Root Query/Retrieve - FIND", "Patient Root Query/Retrieve - FIND"}),
        (
            Meaning.TAKE,
            {f"{root} Root Query/Retrieve - {verb}" for root in ("Study", "Patient") for verb in ("MOVE", "GET")},
        ),
        (Meaning.WORKLIST, {"Modality Worklist - FIND"}),
        (Meaning.STORAGE_COMMITMENT, {"Storage Commitment Push Model"}),
        (Meaning.PRINT, {"Basic Grayscale Print Management Meta"}),
    ],
)
def test_the_survey_asks_for_every_service_that_matters(kind: Meaning, names: set[str]) -> None:
    assert {sop_class.name for sop_class in SOP_CLASSES if sop_class.meaning is kind} == names


@each_class
def test_every_class_but_verification_is_in_a_group(sop_class: SopClass) -> None:
    expected = None if sop_class.uid == VERIFICATION else sop_class.meaning
    assert group(sop_class.uid) is expected


def test_every_meaning_but_verification_is_a_group_and_what_is_not_known_is_in_the_last() -> None:
    assert set(GROUPS) == set(Meaning) - {Meaning.VERIFICATION}
    assert len(set(GROUPS)) == len(GROUPS)
    assert group("1.2.3") is GROUPS[-1] is Meaning.OTHER


def test_the_class_that_stops_a_server_is_not_there() -> None:
    assert SHUTDOWN not in {sop_class.uid for sop_class in SOP_CLASSES}
    assert all(sop_class.uid.startswith("1.2.840.10008.") for sop_class in SOP_CLASSES)


def test_the_transfer_syntax_is_the_one_that_every_peer_must_know() -> None:
    # PS3.5 10.1: Implicit VR Little Endian is the default transfer syntax
    assert UID(IMPLICIT_VR_LITTLE_ENDIAN).name == "Implicit VR Little Endian"
    assert UID(IMPLICIT_VR_LITTLE_ENDIAN).is_transfer_syntax


@each_class
def test_look_ups_find_each_class(sop_class: SopClass) -> None:
    assert meaning(sop_class.uid) is sop_class.meaning
    assert name(sop_class.uid) == sop_class.name


@pytest.mark.parametrize("uid", ["", "1.2.3", SHUTDOWN, f"{VERIFICATION}.1", f" {VERIFICATION}"])
def test_a_class_that_is_not_there_has_no_meaning_and_its_uid_as_a_name(uid: str) -> None:
    assert meaning(uid) is Meaning.OTHER
    assert name(uid) == uid


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        ("1.2.276.0.7230010.3.0.3.6.7", "DCMTK"),
        ("1.2.276.0.7230010.3", "DCMTK"),
        ("1.2.826.0.1.3680043.9.3811.3.0.4", "pynetdicom"),
        ("1.3.6.1.4.1.30071.8", "fo-dicom"),
        ("1.2.40.0.13.1.3", "dcm4che"),
        ("1.2.40.0.13.1.1", "dcm4che"),
        ("1.2.40.0.13.1.1.1", "dcm4che"),
        ("1.2.40.0.13.1.15.110.3.165.1", None),
        ("1.3.6.1.4.1.25403.1.1.1", "ClearCanvas"),
        ("1.2.826.0.1.3680043.2.135.1066.101", "Conquest"),
        ("1.2.826.0.1.3680043.2.1545.1.2.1.7", "DVTk"),
        ("2.16.840.1.113669.2.1.1", "MergeCOM"),
        ("1.3.6.1.4.1.5962.99.2", "PixelMed"),
        ("1.2.826.0.1.3680043.10.854", "dcmjs-dimse"),
        ("2.25.262086406829110419931297894772577063974", "DICOM-rs"),
        ("1.2.276.0.7230010.30", None),
        ("1.2.276.0.7230010", None),
        ("1.2.826.0.1.3680043.9.38110.1", None),
        ("", None),
    ],
)
def test_a_toolkit_is_known_by_a_whole_root(uid: str, expected: str | None) -> None:
    assert toolkit(uid) == expected


def test_roots_are_uids_and_none_lies_under_another() -> None:
    roots = [root for root, _ in TOOLKIT_ROOTS]

    assert all(UID_FORM.fullmatch(root) and len(root) <= 64 for root in roots)
    assert not any(one != other and one.startswith(f"{other}.") for one in roots for other in roots)
    assert len(set(roots)) == len(roots)
