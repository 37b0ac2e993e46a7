"""The only module that touches pynetdicom: it encodes each kind of message once, for `dicom_requests` to patch.

pynetdicom and pydicom are imported at the first call, not with the module, because they take a tenth of a second.
Nothing of them that opens a socket or starts a thread is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from checker.catalog.dicom import IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION

if TYPE_CHECKING:
    from pydicom import Dataset

_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 annex A.2.1
_PRIORITY_LOW = 2  # PS3.7 9.3.2.1: our question may wait
_SOURCE_SERVICE_USER = 0  # PS3.8 9.3.8


def associate_rq(contexts: Mapping[int, str], max_pdu: int, implementation_uid: str, version: str) -> bytes:
    """An A-ASSOCIATE-RQ (PS3.8 9.3.2) with placeholders as AE titles, one transfer syntax for each context."""
    from pynetdicom.pdu import A_ASSOCIATE_RQ
    from pynetdicom.pdu_primitives import (
        A_ASSOCIATE,
        ImplementationClassUIDNotification,
        ImplementationVersionNameNotification,
        MaximumLengthNotification,
    )
    from pynetdicom.presentation import build_context

    proposed = []
    for context_id, abstract_syntax in contexts.items():
        context = build_context(abstract_syntax, IMPLICIT_VR_LITTLE_ENDIAN)
        context.context_id = context_id
        proposed.append(context)
    maximum = MaximumLengthNotification()
    maximum.maximum_length_received = max_pdu
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = implementation_uid
    version_name = ImplementationVersionNameNotification()
    version_name.implementation_version_name = version
    primitive = A_ASSOCIATE()
    primitive.application_context_name = _APPLICATION_CONTEXT
    primitive.called_ae_title = "CALLED"
    primitive.calling_ae_title = "CALLING"
    primitive.presentation_context_definition_list = proposed
    primitive.user_information = [maximum, implementation, version_name]
    return bytes(A_ASSOCIATE_RQ(primitive).encode())


def echo_rq() -> bytes:
    """A C-ECHO-RQ (PS3.7 9.3.5.1) in one P-DATA-TF, context 1, message 1."""
    from pynetdicom.dimse_messages import C_ECHO_RQ
    from pynetdicom.dimse_primitives import C_ECHO

    primitive = C_ECHO()
    primitive.MessageID = 1
    primitive.AffectedSOPClassUID = VERIFICATION
    message = C_ECHO_RQ()
    message.primitive_to_message(primitive)
    return _p_data(message)


def find_rq(sop_class: str, identifier: Mapping[str, str | Mapping[str, str]]) -> bytes:
    """A C-FIND-RQ (PS3.7 9.3.2.1): command and identifier, a P-DATA-TF each, context 1, message 1.

    `identifier` maps keywords of PS3.6 to values; a mapping is the only item of a sequence.
    """
    from pynetdicom.dimse_messages import C_FIND_RQ
    from pynetdicom.dimse_primitives import C_FIND

    primitive = C_FIND()
    primitive.MessageID = 1
    primitive.AffectedSOPClassUID = sop_class
    primitive.Priority = _PRIORITY_LOW
    primitive.Identifier = _encoded(identifier)
    message = C_FIND_RQ()
    message.primitive_to_message(primitive)
    return _p_data(message)


def get_rq(sop_class: str, identifier: Mapping[str, str | Mapping[str, str]]) -> bytes:
    """A C-GET-RQ (PS3.7 9.3.3.1), like `find_rq`."""
    from pynetdicom.dimse_messages import C_GET_RQ
    from pynetdicom.dimse_primitives import C_GET

    primitive = C_GET()
    primitive.MessageID = 1
    primitive.AffectedSOPClassUID = sop_class
    primitive.Priority = _PRIORITY_LOW
    primitive.Identifier = _encoded(identifier)
    message = C_GET_RQ()
    message.primitive_to_message(primitive)
    return _p_data(message)


def release_rq() -> bytes:
    """An A-RELEASE-RQ (PS3.8 9.3.6)."""
    from pynetdicom.pdu import A_RELEASE_RQ
    from pynetdicom.pdu_primitives import A_RELEASE

    return bytes(A_RELEASE_RQ(A_RELEASE()).encode())


def release_rp() -> bytes:
    """An A-RELEASE-RP (PS3.8 9.3.7)."""
    from pynetdicom.pdu import A_RELEASE_RP
    from pynetdicom.pdu_primitives import A_RELEASE

    return bytes(A_RELEASE_RP(A_RELEASE()).encode())


def abort() -> bytes:
    """An A-ABORT by the service user (PS3.8 9.3.8)."""
    from pynetdicom.pdu import A_ABORT_RQ
    from pynetdicom.pdu_primitives import A_ABORT

    primitive = A_ABORT()
    primitive.abort_source = _SOURCE_SERVICE_USER
    return bytes(A_ABORT_RQ(primitive).encode())


def _encoded(identifier: Mapping[str, str | Mapping[str, str]]) -> BytesIO:
    from pynetdicom.dsutils import encode

    return BytesIO(encode(_data_set(identifier), is_implicit_vr=True, is_little_endian=True) or b"")


def _data_set(keys: Mapping[str, str | Mapping[str, str]]) -> Dataset:
    from pydicom import Dataset

    data_set = Dataset()
    for keyword, value in keys.items():
        setattr(data_set, keyword, value if isinstance(value, str) else [_data_set(dict(value))])
    return data_set


def _p_data(message: object) -> bytes:
    from pynetdicom.dimse_messages import DIMSEMessage
    from pynetdicom.pdu import P_DATA_TF

    if not isinstance(message, DIMSEMessage):
        description = "only DIMSE messages travel in P-DATA"
        raise TypeError(description)
    return b"".join(bytes(P_DATA_TF(primitive).encode()) for primitive in message.encode_msg(1, 0))
