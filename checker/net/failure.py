"""What has become of a connect(), and what that says about device and firewall. It asks nobody, it only looks."""

from __future__ import annotations

import errno
import socket
import struct

from checker.model import ConnectState, PortFacts
from checker.net.icmp import IcmpError, read_error

_SILENT = {errno.ETIMEDOUT}
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
# linux/tcp.h, struct tcp_info: tcpi_total_retrans, whose offset has been the same since Linux 2.6.
_REPEATED = struct.Struct("=100xI")
_RESET = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}


def seen(sock: socket.socket, address: str, port: int, rtt_ms: float) -> PortFacts | None:
    """What has become of a connect() to this place; None while it is under way."""
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code != 0:
        return failed(sock, code, rtt_ms)
    try:
        sock.getpeername()
    except OSError:
        return None
    # Nobody listens on a port of this machine, and the kernel gave that very port to our end (RFC 9293 3.5,
    # simultaneous open): we talk to ourselves.
    state = ConnectState.CLOSED if sock.getsockname()[:2] == (address, port) else ConnectState.OPEN
    return PortFacts(state=state, rtt_ms=rtt_ms)


def failed(sock: socket.socket, code: int, rtt_ms: float) -> PortFacts:
    """How an attempt failed that ended with the error `code`: each of its ends is kept apart."""
    icmp = read_error(sock)
    if icmp is not None:
        return _by_icmp(sock, icmp, rtt_ms)
    if code == errno.ECONNREFUSED:
        return PortFacts(state=ConnectState.CLOSED, rtt_ms=rtt_ms)
    if code in _RESET:
        return PortFacts(state=ConnectState.RESET, rtt_ms=rtt_ms)
    if code in _UNREACHABLE:
        return PortFacts(state=ConnectState.UNREACHABLE, detail=errno.errorcode[code])
    if code in _SILENT:
        return PortFacts(state=ConnectState.FILTERED)
    return not_tried(code)


def silent(sock: socket.socket, rtt_ms: float) -> PortFacts:
    """What an attempt says that had no answer in time: nothing, unless an ICMP error lies in the queue unread."""
    icmp = read_error(sock)
    return PortFacts(state=ConnectState.FILTERED) if icmp is None else _by_icmp(sock, icmp, rtt_ms)


def not_tried(code: int | None) -> PortFacts:
    """Our own machine refused, by its error code."""
    return PortFacts(state=ConnectState.LOCAL_ERROR, detail=errno.errorcode.get(code or 0, "unknown"))


def syns_repeated(sock: socket.socket) -> int:
    """How often the kernel has repeated the SYN of a connect(), also of one that has ended since."""
    (repeated,) = _REPEATED.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _REPEATED.size))
    return int(repeated)


def ms(seconds: float) -> float:
    """Seconds as milliseconds, to the microsecond, as facts have them."""
    return round(seconds * 1000, 3)


def _by_icmp(sock: socket.socket, icmp: IcmpError, rtt_ms: float) -> PortFacts:
    # An error that our own machine made in the name of the way (no answer to ARP) is no firewall's word.
    own = icmp.offender is None or icmp.offender == sock.getsockname()[0]
    state = ConnectState.UNREACHABLE if own else ConnectState.REJECTED
    return PortFacts(state=state, icmp=(icmp.type, icmp.code), offender=icmp.offender, rtt_ms=rtt_ms)
