"""What every client of the benchmark of the web asks: the standard library alone, for some run where nothing else is.

All in flight at once is a matter of the server, which answers a question below `TOGETHER` once enough of them wait.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

TOGETHER = "/together"
AT_ONCE = "/dicom-web"
CANARY_ENDS = "/series?limit=1"
ACCEPT = "application/dicom+json, application/json"
_STUDY = "2.25.211940823917236489190923417230498127340"
_OBJECTS_BETWEEN_COLLECTIONS = 20_000


def urls(addresses: Sequence[str], port: int, *, tls: bool) -> list[str]:
    """A canary for each address, all of them to be in flight together."""
    scheme = "https" if tls else "http"
    root = f"{TOGETHER}/{len(addresses)}"
    return [f"{scheme}://{address}:{port}{root}/studies/{_STUDY}{CANARY_ENDS}" for address in addresses]


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """The engine's own economy with the collector, given to every client, so that it makes no difference."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
