"""Our own certificate and its key, as an inventory or the options name them, from their PEM files.

The key is looked at to tell early that it does not fit, and then forgotten: it is no source of the inventory, and none
of its bytes is kept, hashed or quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from checker.errors import UsageError
from checker.inventory.faults import shown
from checker.inventory.sources import Unreadable, read_key, read_plainly
from checker.model import ClientCertificate

Part: TypeAlias = Literal["certificate", "key"]


class Unfit(Exception):  # noqa: N818 - the reader turns it into faults
    """Files of the two that cannot be used: which, and what is expected instead of each."""

    def __init__(self, faults: Sequence[tuple[Part, str]]) -> None:
        super().__init__("; ".join(expected for _part, expected in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Own:
    """Our certificate, and what is no fault of it yet hardly meant."""

    certificate: ClientCertificate
    notices: tuple[str, ...] = ()


def read_own_certificate(certificate: Path, key: Path, today: date) -> Own:
    """The two files as one; both may be the same. Raises Unfit with all that is wrong."""
    # Whoever names none need not wait for the library to be loaded.
    from checker.codecs.own_certificate import check_own_key, read_own_leaf

    faults: list[tuple[Part, str]] = []
    leaf = None
    try:
        leaf = read_own_leaf(read_plainly(certificate))
    except (Unreadable, ValueError) as problem:
        faults.append(("certificate", str(problem)))
    try:
        check_own_key(read_key(key), leaf)
    except (Unreadable, ValueError) as problem:
        faults.append(("key", str(problem)))
    if leaf is None or faults:
        raise Unfit(faults)
    paths = str(certificate.absolute()), str(key.absolute())
    where = f"{shown(str(certificate), 200)}: our own certificate"
    notices = []
    if leaf.not_after.date() < today:
        notices.append(f"{where} has expired on {leaf.not_after.date()}, so servers may refuse it")
    if leaf.not_before.date() > today:
        notices.append(f"{where} is not valid before {leaf.not_before.date()}, so servers may refuse it")
    return Own(ClientCertificate(leaf.subject, leaf.sha256, paths), tuple(notices))


def own_certificate_of_options(certificate: Path | None, key: Path | None, today: date) -> Own:
    """That of `--client-certificate` and `--client-key`, both of which must be given. Raises UsageError."""
    if certificate is None or key is None:
        given, missing = ("key", "certificate") if certificate is None else ("certificate", "key")
        message = f"--client-{missing}: expected this option as well, as there is --client-{given}"
        raise UsageError(message)
    try:
        return read_own_certificate(certificate, key, today)
    except Unfit as problem:
        paths: dict[Part, Path] = {"certificate": certificate, "key": key}
        told = [f"--client-{part} {shown(str(paths[part]), 200)}: {expected}" for part, expected in problem.faults]
        raise UsageError("; ".join(told)) from None
