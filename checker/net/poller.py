"""Which sockets the kernel has news of: one epoll of ours, which the event loop watches as if it were one socket.

A loop makes a watcher anew for every socket and every kind of wait, at many times the cost of the wait. Here a socket
is made known once, for all that may come, and the kernel tells of each change once (edge triggered, epoll(7)). It opens
nothing and reads nothing.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import TypeAlias

News: TypeAlias = Callable[[int], None]
"""Told of a socket's news, as epoll's bits."""

URGENT = select.EPOLLPRI
"""An urgent byte (RFC 9293 section 3.8.5), at whose mark a read stops short of what is behind it."""
READ = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
"""Something is to be read, or to be learned by reading."""
WRITE = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR
"""There is room to write, or a connect() has ended."""
LAST = select.EPOLLRDHUP | select.EPOLLHUP
"""There will be no further news of the reading side, though there may still be bytes to take."""

_WANTED = select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET


class Poller:
    """The news of all sockets of one loop. It holds a descriptor, and is watched itself, only while there are any.

    Between `hold` and `release` it keeps what it has, for sockets that come and go.
    """

    __slots__ = ("_epoll", "_holders", "_loop", "_told")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # of those that are watched now
        self._epoll: select.epoll | None = None
        self._told: dict[int, News] = {}
        self._holders = 0

    def watch(self, descriptor: int, news: News) -> None:
        """Tell `news` of each change of a socket, and of what is so now, until `forget`. OSError where it cannot."""
        if self._epoll is None or self._loop is None:
            self._loop, self._epoll = asyncio.get_running_loop(), select.epoll()
        try:
            if not self._told:
                self._loop.add_reader(self._epoll.fileno(), self._tell, self._epoll)
            self._epoll.register(descriptor, _WANTED)
            self._told[descriptor] = news
        finally:
            self._rest()

    def forget(self, descriptor: int) -> None:
        """Tell no more of a socket, which must still be open."""
        # Closing it would be enough, were it not for children of this process that still hold it (epoll(7)).
        if self._epoll is not None:
            self._epoll.unregister(descriptor)
        del self._told[descriptor]
        self._rest()

    def look(self) -> None:
        """Tell at once what there is, for whoever cannot wait until the loop comes to it."""
        if self._epoll is not None:
            self._tell(self._epoll)

    def hold(self) -> None:
        """Many sockets will come and go until `release`."""
        self._holders += 1

    def release(self) -> None:
        """End one `hold`."""
        self._holders -= 1
        self._rest()

    def _rest(self) -> None:
        if self._epoll is not None and self._loop is not None and not self._told and not self._holders:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = self._loop = None

    def _tell(self, epoll: select.epoll) -> None:
        # What a socket's owner does with its news is done later, so no socket can change hands in between.
        for descriptor, bits in epoll.poll(0):
            news = self._told.get(descriptor)
            if news is not None:
                news(bits)
