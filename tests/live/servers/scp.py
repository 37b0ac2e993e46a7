"""DICOM servers by pynetdicom in child processes, whose manners, good or bad, a test chooses.

`python -m tests.live.servers.scp_child` is the child. It writes what it sees as JSON lines, which `Scp.events` reads,
so that a test can say what a client did: whether it released, what it asked, how many associations it had at once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK, Process, python_child, serving
from tests.live.servers.scp_child import Behaviour
from tests.live.synthetic import Study, studies


class Event(StrEnum):
    """What a child reports."""

    CONNECTED = "connected"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ECHO = "echo"
    FIND = "find"
    GET = "get"
    RELEASED = "released"
    ABORTED = "aborted"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Scp:
    """A running SCP; `studies` are those that it answers from."""

    host: str
    port: int
    ae_title: str
    studies: tuple[Study, ...]
    process: Process

    def events(self) -> tuple[Event, ...]:
        """What happened so far, in order."""
        return tuple(Event(line["event"]) for line in self._lines())

    def sent(self) -> tuple[int, ...]:
        """The bytes that the kernel took of it, for each connection that has ended, in the order of their ends."""
        return tuple(line["sent"] for line in self._lines() if "sent" in line)

    def writes(self) -> tuple[int, ...]:
        """In how many pieces it gave them to the kernel, likewise."""
        return tuple(line["writes"] for line in self._lines() if "writes" in line)

    def _lines(self) -> list[dict[str, Any]]:
        # A line that is only half written ends without its brace.
        lines = (line for line in self.process.text().splitlines() if line.startswith('{"event"') and line[-1] == "}")
        return [json.loads(line) for line in lines]

    def wait_for(self, event: Event, *, times: int = 1, within_s: float = 5.0) -> tuple[Event, ...]:
        """The events, once this one has happened so often; raises `TimeoutError` where it has not in time.

        A client knows of its own release before the server has written it down.
        """
        deadline = time.monotonic() + within_s
        while (events := self.events()).count(event) < times:
            if time.monotonic() > deadline:
                message = f"{event} did not happen {times} times: {events}"
                raise TimeoutError(message)
            time.sleep(0.01)
        return events


@contextmanager
def scp(
    behaviour: Behaviour | None = None,
    *,
    tls: TlsFiles | None = None,
    client_certificate: bool = False,
    host: str = LOOPBACK,
) -> Iterator[Scp]:
    """An SCP that accepts anybody and answers C-ECHO and C-FIND, or behaves as told; with `tls` inside TLS alone."""
    wanted = behaviour or Behaviour()

    def command(_folder: object, ports: tuple[int, ...]) -> list[str]:
        arguments = {
            "host": host,
            "port": ports[0],
            "behaviour": asdict(wanted),
            "key": os.fspath(tls.key) if tls else None,
            "certificate": os.fspath(tls.certificate) if tls else None,
            "authority": os.fspath(tls.authority) if tls and client_certificate else None,
        }
        return python_child("tests.live.servers.scp_child", json.dumps(arguments))

    with serving("scp", command) as process:
        yield Scp(host, process.ports[0], wanted.ae_title, studies(wanted.studies), process)


ACCEPTS_ANYBODY = Behaviour()
CALLED_TITLE_REQUIRED = Behaviour(require_called=True)
CALLERS_REGISTERED = Behaviour(require_calling=("KNOWN",))
ABORTS_AFTER_ECHO = Behaviour(abort_on_echo=True)
ABORTS_AFTER_FIND = Behaviour(abort_on_find=True)
STREAMS = Behaviour(stream_bytes=5_000_000)
SLOW = Behaviour(delay_s=2.0)
ONE_AT_A_TIME = Behaviour(max_associations=1)
ALWAYS_BUSY = Behaviour(reject=(2, 3, 2))
DROPS_AFTER_ACCEPT = Behaviour(drop_after_accept=True)
BUSY_FOR_A_MOMENT = Behaviour(reject=(2, 3, 1), reject_first=1)
IN_PIECES = Behaviour(piecewise=True)
PDU_OF_4_GIB = Behaviour(find_sends="0400ffffffff0000")
"""A P-DATA-TF (PS3.8 9.3.5) that declares 4 GiB less one, with nothing behind its first bytes."""
IDENTITY_WANTED = Behaviour(without_identity=(1, 1, 1))
"""Permanently, no reason given: PS3.7 annex D.3.3.7 has no reason for a missing user identity."""
