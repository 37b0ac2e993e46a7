"""The DICOM side of the simulated hospital: real SCPs by pynetdicom, in threads of the process that calls.

They hold no images: C-GET and C-MOVE find nothing to send, and what is stored is acknowledged and dropped unread.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    UltrasoundImageStorage,
    Verification,
)

from checker.demo.assets import KNOWN_CALLING_AE_TITLE, DicomServer, Query
from checker.demo.studies import STUDIES, STUDY_LEVEL_KEYS, Study, find

_STORAGE = (
    CTImageStorage,
    MRImageStorage,
    ComputedRadiographyImageStorage,
    UltrasoundImageStorage,
    SecondaryCaptureImageStorage,
)
_RETRIEVE = (StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove)

# DIMSE statuses, PS3.7 annex C and PS3.4 C.4
_SUCCESS = 0x0000
_PENDING = 0xFF00
_CANCELLED = 0xFE00
_IDENTIFIER_DOES_NOT_MATCH = 0xA900

_TIMEOUT_S = 10.0


def start_dicom(server: DicomServer, address: str, tls: ssl.SSLContext | None) -> None:
    """Bind and serve until the process ends; OSError where the address and port cannot be had."""
    entity = AE(ae_title=server.ae_title)
    entity.implementation_version_name = "SIMULATED_DEMO"
    entity.maximum_associations = server.max_associations
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _TIMEOUT_S
    entity.require_called_aet = server.checks_called
    if server.checks_calling:
        entity.require_calling_aet = [KNOWN_CALLING_AE_TITLE]

    entity.add_supported_context(Verification)
    handlers: list[evt.EventHandlerType] = [(evt.EVT_C_ECHO, _succeed)]
    if server.query is not Query.NOT_OFFERED:
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        handlers.append((evt.EVT_C_FIND, _FINDERS[server.query]))
    if server.retrieve:
        for model in _RETRIEVE:
            entity.add_supported_context(model)
        handlers += [(evt.EVT_C_GET, _get_nothing), (evt.EVT_C_MOVE, _move_nowhere)]
    if server.store:
        for sop_class in _STORAGE:
            entity.add_supported_context(sop_class)
        handlers.append((evt.EVT_C_STORE, _succeed))

    entity.start_server((address, server.port), block=False, evt_handlers=handlers, ssl_context=tls)


def _succeed(_event: Event) -> int:
    return _SUCCESS


def _find_matching(event: Event) -> Iterator[tuple[int, Dataset | None]]:
    identifier = event.identifier
    if identifier.get("QueryRetrieveLevel") != "STUDY":
        yield _IDENTIFIER_DOES_NOT_MATCH, None
        return
    keys = {keyword: _text(identifier[keyword].value) for keyword in STUDY_LEVEL_KEYS if keyword in identifier}
    for study in find(keys):
        if event.is_cancelled:
            yield _CANCELLED, None
            return
        yield _PENDING, _reply(study, event, list(keys))


def _find_all(event: Event) -> Iterator[tuple[int, Dataset | None]]:
    for study in STUDIES:
        yield _PENDING, _reply(study, event, list(STUDY_LEVEL_KEYS))


def _find_abort(event: Event) -> Iterator[tuple[int, Dataset | None]]:
    event.assoc.abort()
    yield from ()


_FINDERS = {Query.MATCHED: _find_matching, Query.KEYS_IGNORED: _find_all, Query.ABORTED: _find_abort}


def _get_nothing(_event: Event) -> Iterator[int]:
    yield 0  # the number of sub-operations that follow


def _move_nowhere(_event: Event) -> Iterator[tuple[None, None]]:
    yield None, None  # pynetdicom turns an unknown destination into status A801


def _reply(study: Study, event: Event, keywords: list[str]) -> Dataset:
    reply = Dataset()
    reply.QueryRetrieveLevel = "STUDY"
    reply.RetrieveAETitle = event.assoc.ae.ae_title
    for keyword in {*keywords, "StudyInstanceUID"}:
        setattr(reply, keyword, study.values[keyword])
    return reply


def _text(value: object) -> str:
    if isinstance(value, MultiValue):
        return "\\".join(str(part) for part in value)
    return "" if value is None else str(value)
