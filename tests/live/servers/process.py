"""A server as a child process on loopback: started, seen to listen, stopped and reaped, with nothing left behind.

Readiness is read from the kernel's table of listening sockets, never tried with a connection: a DICOM server that takes
one association at a time would spend half a minute on a connection that says nothing.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[3]
LOOPBACK = "127.0.0.1"

# Below the range from which the kernel takes the ports of outgoing connections, so that none of them gets in the way.
_PORTS = range(20_000, 32_000)
_ATTEMPTS = 8
_START_S = 20.0
_STOP_S = 3.0
_POLL_S = 0.01
_TAIL_BYTES = 8_000
# Where the kernel tells of sockets, and the state of those that wait: /proc/net/tcp, /proc/net/udp.
_LISTENING = {False: (("tcp", "tcp6"), "0A"), True: (("udp", "udp6"), "07")}
_TAKEN = re.compile(r"in use|EADDRINUSE|Errno 98|already used", re.IGNORECASE)

# The order in which pytest seeds `random` must not make two workers choose alike.
_choice = random.SystemRandom()


class ServerError(Exception):
    """A server did not start; the message has its last output."""


class _AddressTaken(Exception):  # noqa: N818 - a reason to try again, not an error
    """Somebody else got the port between our choice and the server's bind."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running server. `output` is the file that holds all that it wrote; `folder` is removed when it ends.

    `udp`: its ports are those of UDP.
    """

    name: str
    child: subprocess.Popen[bytes]
    output: Path
    folder: Path
    ports: tuple[int, ...]
    polite: bool = True
    udp: bool = False

    def text(self) -> str:
        """All that the server has written so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def tail(self) -> str:
        """The end of what the server wrote, for the report of a failed test."""
        return self.text()[-_TAIL_BYTES:]

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.child.poll() is None


RUNNING: list[Process] = []
"""The servers of this test process that run now, for the report of a failed test."""


def require(binary: str, package: str) -> str:
    """The path of a program; where it is missing the test is skipped, naming its package, or fails with CI=true."""
    found = shutil.which(binary, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if found is None:
        missing(binary, package)
    return found


def missing(what: str, package: str) -> NoReturn:
    """End the test, for something of a Debian package is not there: a skip, or a failure with CI=true."""
    unavailable(f"{what} is not there: install the Debian package {package}")


def unavailable(message: str) -> NoReturn:
    """End the test, for something that it needs is not there: a skip, or a failure with CI=true."""
    import pytest  # not at the top: servers that are modules of these tests start without it

    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def serving(
    name: str,
    command: Callable[[Path, tuple[int, ...]], Sequence[str | Path]],
    *,
    ports: int = 1,
    environment: Mapping[str, str] | None = None,
    polite: bool = True,
    ready: str = "",
    within_s: float = _START_S,
    udp: bool = False,
    fixed: tuple[int, ...] = (),
) -> Iterator[Process]:
    """Run a server until the end of the block.

    `command` gets an empty folder and as many free ports as asked for, writes what the server needs and gives its
    command line; it is asked again, with other ports, where somebody else took one in between. The server is ready when
    it listens on all of them and has written `ready`. Raises `ServerError` with its output where that is not so in
    `within_s` seconds. The server ends with the thread that started it, so fixtures and tests call this from their main
    thread. A server that is not `polite` takes seconds to end when asked and has nothing worth keeping: it is killed at
    once. Its ports are TCP's, or with `udp` UDP's; one with an address of its own may have `fixed` ones for free ones.
    """
    for _ in range(_ATTEMPTS):
        chosen = fixed or (free_ports(ports, udp=True) if udp else free_ports(ports))
        with tempfile.TemporaryDirectory(prefix=f"pacs-checker-{name}-") as folder_name:
            folder = Path(folder_name)
            folder.chmod(0o755)
            process = _start(name, command(folder, chosen), folder, chosen, environment, polite=polite, udp=udp)
            try:
                _wait_until_listening(process, ready, time.monotonic() + within_s, alone=not fixed)
            except _AddressTaken:
                stop(process)
                continue
            except BaseException:
                stop(process)
                raise
            RUNNING.append(process)
            try:
                yield process
            finally:
                RUNNING.remove(process)
                stop(process)
            return
    message = f"{name}: no free port in {_ATTEMPTS} attempts"
    raise ServerError(message)


def python_child(module: str, *arguments: str) -> list[str]:
    """The command line of a server that is a module of these tests."""
    return [sys.executable, "-m", module, *arguments]


def free_ports(count: int, *, udp: bool = False) -> tuple[int, ...]:
    """Ports that nobody listens on at this moment, on any address: TCP's, or UDP's."""
    found: list[int] = []
    while len(found) < count:
        port = _choice.choice(_PORTS)
        if port in found:
            continue
        with socket.socket(type=socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as trial:
            if not udp:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                trial.bind(("0.0.0.0", port))
                found.append(port)
    return tuple(found)


def run(command: Sequence[str | Path], *, within_s: float = 20.0) -> str:
    """Run a tool of the test's set-up to its end and give its output; raises `ServerError` where it fails."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=within_s, text=True
    )
    if done.returncode:
        message = f"{command[0]} ended with {done.returncode}:\n{done.stdout[-_TAIL_BYTES:]}"
        raise ServerError(message)
    return done.stdout


def stop(process: Process) -> None:
    """End a server and all of its process group, politely first, and reap it."""
    child = process.child
    if child.stdin is not None:
        child.stdin.close()
    if process.polite and child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_S)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _start(
    name: str,
    command: Sequence[str | Path],
    folder: Path,
    ports: tuple[int, ...],
    environment: Mapping[str, str] | None,
    *,
    polite: bool,
    udp: bool,
) -> Process:
    # setpriv rather than a preexec_fn: nothing of ours runs between fork and exec, and the server dies with us even
    # where we are killed.
    guarded = [require("setpriv", "util-linux"), "--pdeathsig", "KILL", "--", *map(str, command)]
    output = folder / "output.log"
    with output.open("wb") as sink:
        child = subprocess.Popen(
            guarded,
            stdin=subprocess.PIPE,  # kept open: openssl s_server ends its sessions at the end of its input
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "PYTHONPATH": str(ROOT), **(environment or {})},
            start_new_session=True,
        )
    return Process(name, child, output, folder, ports, polite, udp)


def _wait_until_listening(process: Process, ready: str, deadline: float, *, alone: bool) -> None:
    while True:
        ended = process.child.poll()
        owned, foreign = _listening(process.child.pid, frozenset(process.ports), udp=process.udp)
        if ended is not None:
            if foreign or _TAKEN.search(process.text()):
                raise _AddressTaken
            message = f"{process.name} ended with {ended} before it listened:\n{process.tail()}"
            raise ServerError(message)
        if owned == frozenset(process.ports) and ready in process.text():
            return
        if foreign and alone:
            raise _AddressTaken
        if time.monotonic() > deadline:
            message = f"{process.name} is not ready on {process.ports}:\n{process.tail()}"
            raise ServerError(message)
        time.sleep(_POLL_S)


def _listening(pid: int, ports: frozenset[int], *, udp: bool) -> tuple[frozenset[int], frozenset[int]]:
    """Of these ports, those on which the process listens, and those on which anybody does, in its network namespace."""
    by_inode: dict[str, int] = {}
    tables, waiting = _LISTENING[udp]
    for table in tables:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                port = int(fields[1].rpartition(":")[2], 16)
                if fields[3] == waiting and port in ports:
                    by_inode[fields[9]] = port
    owned: set[int] = set()
    if by_inode:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    inode = str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")
                    if inode in by_inode:
                        owned.add(by_inode[inode])
    return frozenset(owned), frozenset(by_inode.values()) - owned
