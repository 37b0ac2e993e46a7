"""The peak memory of this process alone: `getrusage` would tell that of its parent, where that is larger."""

from __future__ import annotations

import re
from pathlib import Path


def peak_kib() -> int:
    """The most memory that this process has held, in KiB (proc(5), VmHWM)."""
    found = re.search(r"VmHWM:\s*([0-9]+) kB", Path("/proc/self/status").read_text())
    if found is None:
        message = "this kernel does not tell the peak memory of a process"
        raise LookupError(message)
    return int(found.group(1))
