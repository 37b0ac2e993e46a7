"""Where people read: rich on a terminal, plain text of a fixed width elsewhere.

All text that a device may have chosen is printed as text, never as markup, and without control characters.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from typing import IO

from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 100
# C0 and C1 controls, and what turns the direction of writing (Unicode's bidirectional controls).
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
    "fail": "red",
    "unknown": "yellow",
    "error": "bold magenta",
    "pass": "green",
    "not_applicable": "dim",
}
"""How severities and statuses are coloured; colour is never the only sign."""


class _Console(Console):
    """Leaves it to the caller what a reader that has gone means; rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def give_up_output() -> None:
    """From here on standard output leads nowhere, so that Python does not complain at its end about what it holds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(stream: IO[str] | None = None) -> Console:
    """A console on a stream, standard output where none is given; NO_COLOR is heeded."""
    target = sys.stdout if stream is None else stream
    if target.isatty():
        return _Console(file=target, highlight=False)
    width = os.environ.get("COLUMNS", "")
    return _Console(
        file=target, highlight=False, width=int(width) if width.isdigit() and int(width) >= 40 else PLAIN_WIDTH
    )


def harmless(text: str) -> str:
    """A text of unknown origin, without what a terminal would obey."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(text: str, style: str = "") -> Text:
    """A text of unknown origin, as text and never as markup."""
    return Text(harmless(text), style=style)


def word(text: str) -> Text:
    """A severity or a status in its colour."""
    return Text(text, style=STYLES.get(text, ""))
