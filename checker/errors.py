"""The exceptions of the product.

What a network or a device does is never an exception: outcomes are values (`checker.model.End`, `ConnectState`).
Exceptions are for broken inventories, for attempts to leave the scope, and for bytes from a peer that obey no standard,
which a codec raises and its probe turns into an observation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXIT_INTERNAL, EXIT_USAGE = 1, 2
"""The exit codes of what went wrong before a run had any: `checker.summary.exit_code` gives those of runs."""


class PacsCheckerError(Exception):
    """Anything that this product raises on purpose."""


class UsageError(PacsCheckerError):
    """An option or a path that cannot be used; the message says what, where and what to do. Exit code 2."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an inventory.

    `file` as the user named it; `line` counts from 1, or is 0 where the file as a whole is meant; `field` is a path
    such as `assets[3].services[0].port`; `value` is shortened for printing.
    """

    file: str
    line: int
    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        """One line: where, what, and what is expected."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.field}: " if self.field else ""
        value = f"{self.value}: " if self.value else ""
        return f"{where}: {subject}{value}{self.expected}"


class InventoryError(PacsCheckerError):
    """An inventory with one or more faults, all of them, in the order of file and line. Exit code 2."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line, fault.field)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ScopeViolation(PacsCheckerError):  # noqa: N818 - a violation is what it is; callers read it as such
    """Something tried to reach an address without a permit: a bug, never a network outcome."""


class MalformedPeerData(PacsCheckerError):  # noqa: N818 - see above
    """Bytes from a peer that obey no standard. The message never holds a byte of what was received."""


def place_of(error: BaseException) -> str:
    """Module and line in which an exception arose, such as `checker.plan:41`; never its text: it may quote a peer."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "an unknown place" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
