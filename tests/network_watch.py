"""Who touches the network in this process: every way to it that Python offers is patched, and the caller looked at.

The innermost frame of the product or of the tests decides. The gateway may; a test may, for itself; any other module of
the product may not, and neither may code that nobody of either asked, such as a task or a thread in the background.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest

GATEWAY = "checker.net.gateway"
# What the gateway alone sends datagrams with, as a test of the source holds.
_ITS_HANDS = "checker.net.udp"
_TESTS = ("tests.", "test_")
_SOCKET_METHODS = ("connect", "connect_ex", "bind", "listen", "sendto", "sendmsg")
_SOCKET_FUNCTIONS = ("create_connection", "create_server", "getaddrinfo", "gethostbyname", "gethostbyname_ex")
_LOOP_METHODS = (
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "getaddrinfo",
    "sock_connect",
    "sock_sendto",
)


@dataclass(slots=True)
class NetworkWatch:
    """What the gateway did (`passed`), and what others tried and were kept from (`trespasses`): who, and by what."""

    passed: list[str] = field(default_factory=list)
    trespasses: list[str] = field(default_factory=list)
    _looked_up: set[object] = field(default_factory=set)

    def check(self, what: str, arguments: tuple[object, ...]) -> None:
        """Note who calls. AssertionError for a trespass, so that nothing is sent."""
        owner = _owner()
        if what.endswith("getaddrinfo"):
            subject = next((argument for argument in arguments if isinstance(argument, str)), None)
            if owner == GATEWAY:
                # Stock asyncio asks the resolver in a thread, whose frames know nothing of who asked.
                self._looked_up.add(subject)
            elif owner is None and subject in self._looked_up:
                return
        if owner == GATEWAY:
            self.passed.append(what)
        elif owner is None or not owner.startswith(_TESTS):
            self.trespasses.append(f"{owner or 'nobody'}: {what}")
            message = f"{owner or 'code in the background'} calls {what}"
            raise AssertionError(message)


@contextmanager
def watching() -> Iterator[NetworkWatch]:
    """Watch until the end of the block."""
    watch = NetworkWatch()
    with pytest.MonkeyPatch.context() as patch:
        for name in _SOCKET_METHODS:
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), f"socket.{name}", watch))
        for name in _SOCKET_FUNCTIONS:
            patch.setattr(socket, name, _guarded(getattr(socket, name), f"socket.{name}", watch))
        for loop in _loops():
            for name in _LOOP_METHODS:
                patch.setattr(loop, name, _guarded(getattr(loop, name), f"loop.{name}", watch))
        yield watch


def _loops() -> list[type[asyncio.AbstractEventLoop]]:
    loops: list[type[asyncio.AbstractEventLoop]] = [asyncio.SelectorEventLoop]
    try:
        import uvloop
    except ImportError:
        return loops
    return [*loops, uvloop.Loop]


def _guarded(original: Callable[..., Any], what: str, watch: NetworkWatch) -> Callable[..., Any]:
    def guarded(*arguments: Any, **named: Any) -> Any:
        watch.check(what, arguments)
        return original(*arguments, **named)

    return guarded


def _owner() -> str | None:
    """The module of the innermost frame that is the product's or the tests', this module's own left out.

    What the gateway has done for it counts as its own.
    """
    by_hand = False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module == _ITS_HANDS:
            by_hand = True
        elif module != __name__ and module.startswith(("checker.", *_TESTS)):
            return module if module == GATEWAY or not by_hand else _ITS_HANDS
        frame = frame.f_back
    return _ITS_HANDS if by_hand else None
