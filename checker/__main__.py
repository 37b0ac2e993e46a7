"""The entry of the command `pacs-checker`, and of `python -m checker`."""

from __future__ import annotations

import io
import os
import sys


def main() -> int:
    """Run the command line and return its exit code."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # a name that the locale cannot write must not end a run

    from checker.cli.main import run

    return run(sys.argv[1:])


def _open_what_is_closed() -> None:
    # A standard stream that the caller closed leaves its number to the next file that is opened, such as the ledger.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    sys.exit(main())
