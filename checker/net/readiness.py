"""Waiting for a socket, with a time limit, on uvloop and on stock asyncio alike."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable


async def readable(sock: socket.socket, deadline: float) -> bool:
    """Whether there was something to read before `deadline`, a time of the event loop's clock."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[bool] = loop.create_future()
    descriptor = sock.fileno()
    loop.add_reader(descriptor, _settle, ready, True)
    return await _wait(ready, deadline, lambda: loop.remove_reader(descriptor))


async def writable(sock: socket.socket, deadline: float) -> bool:
    """Whether there was room to write, or a connect() had ended, before `deadline`."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[bool] = loop.create_future()
    descriptor = sock.fileno()
    loop.add_writer(descriptor, _settle, ready, True)
    return await _wait(ready, deadline, lambda: loop.remove_writer(descriptor))


async def _wait(ready: asyncio.Future[bool], deadline: float, stop: Callable[[], object]) -> bool:
    timer = asyncio.get_running_loop().call_at(deadline, _settle, ready, False)
    try:
        return await ready
    finally:
        timer.cancel()
        stop()


def _settle(ready: asyncio.Future[bool], value: bool) -> None:
    if not ready.done():
        ready.set_result(value)
