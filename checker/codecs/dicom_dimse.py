"""A bounded walker of DIMSE command sets (PS3.7 sections 6.3.1 and 9.3, annex E).

It reads group 0000 in Implicit VR Little Endian and nothing else: no data set is ever given to it. The group length and
the order of elements are not tested, because they add nothing to what the lengths already say; an element that comes
twice, runs over the end or lies outside the group is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from checker.codecs.dicom_pdu import MAX_COMMAND, MAX_UID, uid_or_none
from checker.errors import MalformedPeerData

C_ECHO_RSP = 0x8030
C_FIND_RSP = 0x8020
C_GET_RSP = 0x8010
C_STORE_RQ = 0x0001
NO_DATA_SET = 0x0101  # PS3.7 E.1; every other value announces one

PENDING = frozenset({0xFF00, 0xFF01})
"""Statuses of a C-FIND-RSP that brings a match (PS3.4 C.4.1.1.4), and of a C-GET-RSP while images are on their way."""

_AFFECTED_SOP_CLASS, _COMMAND_FIELD, _RESPONDED_TO, _DATA_SET_TYPE, _STATUS = 0x0002, 0x0100, 0x0120, 0x0800, 0x0900
_NUMBERS = (_COMMAND_FIELD, _RESPONDED_TO, _DATA_SET_TYPE, _STATUS)
_HEADER = Struct("<HHI")  # PS3.5 7.1.3: group, element, length
_SUB_OPERATIONS = range(0x1020, 0x1024)  # PS3.7 E.1: remaining, completed, failed, warning


@dataclass(frozen=True, slots=True)
class Command:
    """What is kept of a command set. PS3.7 9.3 requires `responded_to` and `status` of every response; None where the
    peer left them out, for a response may announce data all the same. `sub_operations`: how many instances a C-GET-RSP
    speaks of (PS3.7 9.3.3.2), whatever became of them.
    """

    field: int
    data_set_type: int
    responded_to: int | None
    status: int | None
    affected_sop_class: str | None
    sub_operations: int = 0

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows."""
        return self.data_set_type != NO_DATA_SET


def read_command(data: bytes) -> Command:
    """Read a whole command set. MalformedPeerData where it is none, or does not say what it is and what follows it."""
    if len(data) > MAX_COMMAND:
        raise MalformedPeerData("a command set longer than any")
    numbers: dict[int, int] = {}
    sop_class: str | None = None
    sub_operations = 0
    seen: set[int] = set()
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise MalformedPeerData("bytes behind the last element of a command set")
        group, element, length = _HEADER.unpack_from(data, at)
        if group != 0:
            raise MalformedPeerData("an element in a command set that is not of group 0000")
        at += _HEADER.size
        if length > len(data) - at:
            raise MalformedPeerData("an element longer than its command set")
        if element in seen:
            raise MalformedPeerData("an element of a command set came twice")
        seen.add(element)
        if element in _NUMBERS:
            if length != 2:
                raise MalformedPeerData("an element of a command set that is no 16-bit number")
            numbers[element] = int.from_bytes(data[at : at + 2], "little")
        elif element in _SUB_OPERATIONS:
            # Whatever length a peer gives them: a count is only ever compared with none.
            sub_operations += int.from_bytes(data[at : at + length], "little")
        elif element == _AFFECTED_SOP_CLASS:
            sop_class = uid_or_none(data[at : at + min(length, MAX_UID + 2)])
        at += length
    return _command(numbers, sop_class, sub_operations)


def _command(numbers: dict[int, int], sop_class: str | None, sub_operations: int) -> Command:
    field, data_set_type = numbers.get(_COMMAND_FIELD), numbers.get(_DATA_SET_TYPE)
    if field is None or data_set_type is None:
        raise MalformedPeerData("a command set without a command field or a data set type")
    return Command(field, data_set_type, numbers.get(_RESPONDED_TO), numbers.get(_STATUS), sop_class, sub_operations)
