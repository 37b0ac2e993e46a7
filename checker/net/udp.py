"""One question over UDP, as the gateway has it sent: a datagram, its answer, and what ICMP says in place of one.

It sends to the one port that it was made for, and a parting word to where an answer came from; nothing else. It is told
when to send, and decides nothing about manners. A network outcome is a value.

A plain socket, watched by our own epoll, and not asyncio-dgram, for three reasons. That package's queue of what was
received has no bound, and its transport cannot be told to pause, so a flood would fill our memory; here nothing is
taken from the kernel that is not asked for, and the kernel drops what its own small buffer does not hold. Who sent an
ICMP error is told by the error queue alone (ip(7), `IP_RECVERR`), and a loop that watches such a socket by level spins
until the queue is read. And a closed port looks silent there on one event loop and raises at once on another, while
here both loops see the same.

The socket is not connected, so that an answer may come from another port of the device (RFC 1350 section 4), and so
that one from elsewhere is seen, counted, and left alone.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

from checker.codecs.udp import Asking
from checker.model import UdpAnswer, UdpFacts, UdpState
from checker.net.failure import ms
from checker.net.icmp import IcmpError, read_error
from checker.net.poller import Poller
from checker.net.readiness import Readiness

Opening: TypeAlias = Callable[[str, int], socket.socket]
"""Gives a socket for asking a port of an address: bound, non-blocking, keeping its errors. OSError where it cannot."""

# RFC 792 and RFC 1812 5.2.7.1; RFC 4443 3.1. Others do not end an exchange: a datagram too big (RFC 1191), and a loop
# on the way (RFC 792, type 11), which passes and is nobody's refusal.
_FINAL = {socket.AF_INET: 3, socket.AF_INET6: 1}
_TOO_BIG = (3, 4)
_NO_SUCH_PORT = {socket.AF_INET: (3, 3), socket.AF_INET6: (1, 4)}
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)


@dataclass(frozen=True, slots=True)
class UdpLimits:
    """The bounds of one exchange.

    `waits_s`: how long in seconds an answer is waited for after each sending, so that there are as many sendings as
    waits. Both together are longer than the kernel tries to reach a neighbour (arp(7): three times a second), for what
    comes of that is no silence. `max_datagrams` are taken from the kernel in all, whoever sent them, and `max_bytes` of
    each; what is longer is cut off.
    """

    waits_s: tuple[float, ...] = (1.0, 2.4)
    max_datagrams: int = 32
    max_bytes: int = 2048


class UdpExchange:
    """One question to one port. Made by the gateway only; whoever made it must `close` it.

    `opening` gives the socket when it is time to send. `settled`: nothing more is to be sent or waited for.
    """

    def __init__(
        self,
        address: str,
        port: int,
        asking: Asking,
        limits: UdpLimits,
        *,
        poller: Poller,
        opening: Opening,
    ) -> None:
        self._address = address
        self._port = port
        self._asking = asking
        self._limits = limits
        self._poller = poller
        self._opening = opening
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._packed = ipaddress.ip_address(address).packed
        self._sock: socket.socket | None = None
        self._readiness: Readiness | None = None
        self._own: str | None = None
        self._sent_at = 0.0
        self._left = limits.max_datagrams
        self._state = UdpState.NOT_ASKED
        self._asked = 0
        self._answer: UdpAnswer | None = None
        self._strays = 0
        self._icmp: IcmpError | None = None
        self._rtt_ms: float | None = None
        self._detail: str | None = None
        self._sent = 0
        self._received = 0
        self._waiting = False
        self.settled = False

    @property
    def facts(self) -> UdpFacts:
        """What the exchange has shown so far."""
        icmp = self._icmp
        return UdpFacts(
            question=self._asking.kind,
            state=self._state,
            asked=self._asked,
            answer=self._answer,
            strays=self._strays,
            icmp=None if icmp is None else (icmp.type, icmp.code),
            offender=None if icmp is None else icmp.offender,
            rtt_ms=self._rtt_ms,
            detail=self._detail,
        )

    @property
    def word(self) -> str:
        """How the last datagram ended, for the ledger."""
        return "interrupted" if self._waiting else self._state.value

    def counted(self) -> tuple[int, int]:
        """The bytes sent and received since the last call."""
        counted = self._sent, self._received
        self._sent = self._received = 0
        return counted

    def refuse(self, reason: str) -> None:
        """Manners or scope forbid to send (again): a port that was not asked at all stays so, and why."""
        self.settled = True
        if self._asked == 0:
            self._detail = reason

    async def ask(self, wait_s: float) -> None:
        """Send the question and wait for what comes of it, at most so many seconds."""
        loop = asyncio.get_running_loop()
        readiness = self._send()
        if readiness is None:
            return
        self._waiting = True
        deadline = loop.time() + wait_s
        while not self.look():
            in_time = loop.time() < deadline and await readiness.readable(deadline)
            if not in_time:
                # A loop that is late itself sees the time limit first: the socket knows better.
                self.look()
                break
        self._waiting = False
        if self._state is UdpState.OPEN:
            self.settled = True

    def look(self) -> bool:
        """Take what has come, without waiting, and say whether the exchange is settled."""
        while not self.settled and self._sock is not None:
            if self._left <= 0:
                self.settled = True
                self._detail = f"more than {self._limits.max_datagrams} datagrams came"
                break
            try:
                data, sender = self._sock.recvfrom(self._limits.max_bytes)
            except BlockingIOError:
                self._heed_icmp(self._sock)
                break
            except OSError as error:
                # The kernel tells of an ICMP error once, here, and keeps it in the queue (ip(7)).
                self._left -= 1
                if not self._heed_icmp(self._sock) and self._state is UdpState.SILENT and error.errno in _NO_WAY:
                    self._settle(UdpState.UNREACHABLE, errno.errorcode[error.errno])
                continue
            self._left -= 1
            self._received += len(data)
            self._take(data, str(sender[0]), int(sender[1]))
        return self.settled

    def close(self) -> None:
        """End the exchange: what still comes is answered by our kernel, that nobody is there."""
        if self._readiness is not None:
            self._readiness.close()
        if self._sock is not None:
            self._sock.close()
        self._sock = self._readiness = None
        self.settled = True

    def _send(self) -> Readiness | None:
        """Send the question once; None where it could not be sent."""
        try:
            sock, readiness = self._open()
            self._sent_at = perf_counter()
            self._sent += sock.sendto(self._asking.payload, (self._address, self._port))
        except OSError as error:
            # An ICMP error that came just now is told of by the next call of any kind.
            if self._asked == 0 or self._sock is None or not self._heed_icmp(self._sock):
                self._not_sent(error.errno)
            return None
        self._asked += 1
        self._state = UdpState.SILENT
        return readiness

    def _open(self) -> tuple[socket.socket, Readiness]:
        if self._sock is not None and self._readiness is not None:
            return self._sock, self._readiness
        sock = self._opening(self._address, self._port)
        readiness = Readiness(sock, self._poller)
        try:
            self._own = str(sock.getsockname()[0])
            readiness.watch()
        except BaseException:
            readiness.close()
            sock.close()
            raise
        self._sock, self._readiness = sock, readiness
        return sock, readiness

    def _take(self, data: bytes, sender: str, port: int) -> None:
        """One datagram. Of one that is not from who was asked nothing is looked at but where it came from."""
        theirs = ipaddress.ip_address(sender.partition("%")[0]).packed == self._packed
        if not theirs or (port != self._port and not self._asking.any_port):
            self._strays += 1
            return
        answer = self._asking.read(data)
        if answer is None and port != self._port:
            self._strays += 1
            return
        if self._state is not UdpState.OPEN:
            self._rtt_ms = ms(perf_counter() - self._sent_at)
        self._state = UdpState.OPEN
        if answer is not None:
            self._answer = answer
            self.settled = True
            self._part(answer, port)

    def _part(self, answer: UdpAnswer, port: int) -> None:
        """Leave cleanly, where there is something to leave. What becomes of it is not waited for."""
        parting = self._asking.parting(answer)
        if self._sock is None or parting is None:
            return
        try:
            self._sent += self._sock.sendto(parting, (self._address, port))
        except OSError as error:
            self._detail = f"leaving failed: {errno.errorcode.get(error.errno or 0, 'unknown')}"

    def _heed_icmp(self, sock: socket.socket) -> bool:
        """Read the error queue to its end; whether an error in it settled the exchange."""
        while (icmp := read_error(sock)) is not None:
            # A port that has answered is open, whatever is said about it afterwards.
            if self.settled or self._state is not UdpState.SILENT or icmp.type != _FINAL[self._family]:
                continue
            if self._family == socket.AF_INET and (icmp.type, icmp.code) == _TOO_BIG:
                continue
            self._icmp = icmp
            self._rtt_ms = ms(perf_counter() - self._sent_at)
            self._settle(self._meaning(icmp), None)
        return self._icmp is not None

    def _meaning(self, icmp: IcmpError) -> UdpState:
        if icmp.offender == self._address and (icmp.type, icmp.code) == _NO_SUCH_PORT[self._family]:
            return UdpState.CLOSED
        # An error that our own machine made in the name of the way (no answer to ARP) is no firewall's word.
        own = icmp.offender is None or icmp.offender == self._own
        return UdpState.UNREACHABLE if own else UdpState.REJECTED

    def _not_sent(self, code: int | None) -> None:
        word = errno.errorcode.get(code or 0, "unknown")
        if self._asked:
            # The question is out; that it could not be repeated takes nothing from what is known.
            self._settle(self._state, f"it could not be asked again: {word}")
        else:
            self._settle(UdpState.UNREACHABLE if code in _NO_WAY else UdpState.LOCAL_ERROR, word)

    def _settle(self, state: UdpState, detail: str | None) -> None:
        self.settled = True
        self._state = state
        self._detail = detail
