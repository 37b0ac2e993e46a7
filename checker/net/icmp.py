"""ICMP evidence for an ordinary user: the error queue of a socket (ip(7), `IP_RECVERR`; ipv6(7), `IPV6_RECVERR`)."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass

# linux/in.h and linux/in6.h; Python's socket module names only some of them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err of linux/errqueue.h


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP or ICMPv6 error: its type and code, and the address of the machine that sent it."""

    type: int
    code: int
    offender: str | None


def keep_errors(sock: socket.socket, *, keep: bool) -> None:
    """Let the kernel keep the ICMP errors of this socket, or no longer, which empties the queue. Linux only.

    While it keeps them every one is fatal to the socket, so it is for connecting alone: a host that cannot be reached
    for a second must not end a conversation (RFC 1122 4.2.3.9), and an error in the queue would wake every wait.
    """
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, int(keep))
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, int(keep))


def read_error(sock: socket.socket) -> IcmpError | None:
    """The first ICMP error in the queue, if there is one. The queued packet itself is not looked at."""
    try:
        _, ancillary, _, _ = sock.recvmsg(0, 512, _MSG_ERRQUEUE)
    except OSError:
        return None  # the queue is empty
    for level, kind, data in ancillary:
        if (level, kind) not in ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)):
            continue
        if len(data) < _EXTENDED_ERROR.size:
            continue
        _, origin, icmp_type, code, _, _, _ = _EXTENDED_ERROR.unpack_from(data)
        if origin in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
            return IcmpError(icmp_type, code, _offender(data[_EXTENDED_ERROR.size :]))
    return None


def _offender(sockaddr: bytes) -> str | None:
    """The address in a struct sockaddr_in or sockaddr_in6."""
    if len(sockaddr) < 8:
        return None
    (family,) = struct.unpack_from("=H", sockaddr)
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(sockaddr[4:8]))
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return str(ipaddress.IPv6Address(sockaddr[8:24]))
    return None
