"""`check` in a process whose every step on the network is written down by Python itself, and whose names are scripted.

`python -m tests.live.watched_check NAMES RESULT COMMAND...` is the child: it runs the product's command. NAMES is a
file with a JSON object of host names: what the resolver answers to the first look-up, the second and so on, and the
last of these to all that follow. There are no other names. RESULT becomes what it did.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.checking import WITHIN_S, Run, environment
from tests.memory import peak_kib

_CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_LOOKING_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.getnameinfo")


@dataclass(frozen=True, slots=True)
class Watched:
    """A run, with the address and port of each connection as Python's audit saw it, in their order.

    `looked_up` are the names that the resolver was asked for; `peak_kib` the most memory that the process held.
    """

    run: Run
    connected: Sequence[tuple[str, int]]
    looked_up: Sequence[str]
    peak_kib: int


def watched_check(
    path: Path, *arguments: str, names: Mapping[str, Sequence[Sequence[str]]], loop: str, within_s: float = WITHIN_S
) -> Watched:
    """Run `check` on an inventory that has a folder of its own, with these names, on this event loop."""
    output, scripted, result = (path.parent / name for name in ("reports", "names.json", "watched.json"))
    scripted.write_text(json.dumps(names))
    program = [sys.executable, "-W", "error", "-m", __name__, str(scripted), str(result)]
    done = subprocess.run(
        [*program, "check", str(path), "--output", str(output), *arguments],
        capture_output=True,
        text=True,
        timeout=within_s,
        env=environment(PACS_CHECKER_LOOP=loop),
        cwd=path.parent,
    )
    assert (output / "latest").exists(), done.stderr
    run = Run((output / "latest").resolve(), done.returncode, done.stdout, done.stderr)
    seen = json.loads(result.read_text())
    connected = [(address, port) for address, port in seen["connected"]]
    return Watched(run, connected, seen["looked_up"], seen["peak_kib"])


# ------------------------------------------------------------------------------------------------------ in the child


class _Watch:
    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._names = names
        self.connected: list[tuple[str, int]] = []
        self.looked_up: list[str] = []

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python calls this before it does what the event names; see its table of audit events."""
        if event in _CONNECTING:
            address = arguments[1]
            self.connected.append((str(address[0]), int(address[1])) if isinstance(address, tuple) else (address, 0))
        elif event in _LOOKING_UP:
            self.looked_up.append(f"past the script: {arguments[0]}")

    def getaddrinfo(self, host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        """In place of the system's resolver."""
        before = self.looked_up.count(host)
        self.looked_up.append(host)
        answers = self._names.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        found = answers[min(before, len(answers) - 1)]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in found
        ]


def _script_the_resolver(watch: _Watch) -> None:
    async def getaddrinfo(_loop: object, host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return watch.getaddrinfo(host)

    # Stock asyncio asks the former in a thread, uvloop libuv's own.
    socket.getaddrinfo = watch.getaddrinfo  # type: ignore[assignment] # the child is for this alone
    with suppress(ImportError):
        import uvloop

        uvloop.Loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign, assignment] # as above


def _main(scripted: str, result: str, *command: str) -> int:
    from checker.cli.main import run

    watch = _Watch(json.loads(Path(scripted).read_text()))
    _script_the_resolver(watch)
    sys.addaudithook(watch.audit)
    code = run(list(command))
    seen = {"connected": watch.connected, "looked_up": watch.looked_up, "peak_kib": peak_kib()}
    Path(result).write_text(json.dumps(seen))
    return code


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
