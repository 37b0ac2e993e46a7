"""The form in which all results are compared: which suites of which versions a server accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from checker.catalog.cipher_suites import cipher_suites, suite_name

Accepted = Mapping[str, frozenset[int]]
"""IANA code points of suites by the label of the version, such as "SSLv3" or "TLS 1.3"; accepted versions only.

A version without suites is one over which a peer failed.
"""


class PeerError(Exception):
    """A peer did not run to its end, or wrote what its module does not understand; the message has its output."""


@cache
def _codes() -> Mapping[str, int]:
    return {suite.name: code for code, suite in cipher_suites().items()}


def codes(names: Iterable[str]) -> frozenset[int]:
    """The code points of names of IANA's registry; `PeerError` for a name that it does not have."""
    known = _codes()
    listed = tuple(names)
    unknown = [name for name in listed if name not in known]
    if unknown:
        message = f"no suites of IANA's registry: {unknown}"
        raise PeerError(message)
    return frozenset(known[name] for name in listed)


def lines(accepted: Accepted) -> frozenset[str]:
    """One line for each suite of each version, such as `TLS 1.3 TLS_AES_128_GCM_SHA256`; the version alone where none.

    A code point without a name stands there in hexadecimal.
    """
    return frozenset(
        line
        for label, suites in accepted.items()
        for line in ([f"{label} {suite_name(code) or hex(code)}" for code in suites] or [label])
    )
