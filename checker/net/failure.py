"""What a connect() that came to nothing says about device and firewall. It asks nobody; it only looks at the socket."""

from __future__ import annotations

import errno
import socket

from checker.model import ConnectState, PortFacts
from checker.net.icmp import IcmpError, read_error

_SILENT = {errno.ETIMEDOUT}
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_RESET = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}


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


def _by_icmp(sock: socket.socket, icmp: IcmpError, rtt_ms: float) -> PortFacts:
    # An error that our own machine made in the name of the way (no answer to ARP) is no firewall's word.
    own = icmp.offender is None or icmp.offender == sock.getsockname()[0]
    state = ConnectState.UNREACHABLE if own else ConnectState.REJECTED
    return PortFacts(state=state, icmp=(icmp.type, icmp.code), offender=icmp.offender, rtt_ms=rtt_ms)
