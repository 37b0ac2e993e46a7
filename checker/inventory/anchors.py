"""The certificates that an inventory or an option names to be trusted, from their PEM file. Judges no server."""

from __future__ import annotations

from pathlib import Path

from checker.errors import UsageError
from checker.inventory.faults import shown
from checker.inventory.sources import Sources, Unreadable
from checker.model import TrustAnchors


def read_trust_store(path: Path) -> TrustAnchors:
    """The certificates of a file that an option names. Raises UsageError, which says what is expected."""
    try:
        return trust_anchors(path, Sources())
    except Unreadable as problem:
        message = f"--trust-store {shown(str(path), 200)}: {problem.expected}"
        raise UsageError(message) from None


def trust_anchors(path: Path, sources: Sources) -> TrustAnchors:
    """The certificates of a file, as one of the sources of an inventory. Raises Unreadable."""
    # Whoever names no store need not wait for the library to be loaded.
    from checker.codecs.trust import read_anchors

    try:
        return read_anchors(shown(path.name, 200), sources.certificates(path))
    except ValueError as problem:
        raise Unreadable(str(problem)) from None
