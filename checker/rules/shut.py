"""Pure: ports that must be shut whatever a declared service is, shared by the rules about administration."""

from __future__ import annotations

from collections.abc import Collection

from checker.catalog.ports import port_set
from checker.rules.base import Case, Verdict, failed, passed, unknown
from checker.rules.sweep import (
    both_few,
    few,
    listed,
    resting_on,
    silence_of,
    sweep,
    udp_sweep,
    unproven_words,
)

CLEARTEXT_MANAGEMENT_PORTS = frozenset({21, 23})
CLEARTEXT_MANAGEMENT_UDP = frozenset({69})
HTTP_ADMINISTRATION = frozenset({9990})


def administration_ports() -> frozenset[int]:
    """The ports of remote administration and of databases, as the catalogue of ports names them.

    SSH is left out, for it is the encrypted way to administer and policy alone can say where it belongs; so are the
    ports that `CLEARTEXT_MANAGEMENT_PORTS` names and telnet does not share.
    """
    ssh, ftp = 22, 21
    return frozenset(port_set("administration").numbers + port_set("databases").numbers) - {ssh, ftp}


def administration_udp() -> frozenset[int]:
    """The same over UDP, without what `CLEARTEXT_MANAGEMENT_UDP` names."""
    return frozenset(port_set("administration").udp) - CLEARTEXT_MANAGEMENT_UDP


def judge_shut(case: Case, watched: Collection[int], what: str, watched_udp: Collection[int] = ()) -> Verdict:
    """Fails where one of the ports is open; passes where all were asked at each address and none is; else unknown.

    UDP ports are judged where they were asked: an answer fails, and silence is no pass.
    """
    swept, udp = sweep(case).ports(watched), udp_sweep(case).ports(watched_udp)
    if swept.open or udp.open:
        doubtful = unproven_words(swept, swept.open)
        verdict = failed(
            f"Open to {case.vantage!r} for {what}: {both_few(swept.open, udp.open)}{doubtful}.",
            open=[*listed(swept.open), *listed(udp.open, "udp")],
            open_unproven=listed(swept.unproven(swept.open)),
        )
        return resting_on(verdict, case, swept.open, udp.open)
    missing = sorted(
        {(address, port) for address in swept.addresses for port in watched if not swept.decided((address, port))}
    )
    if missing or not swept.asked:
        ports = few((port for _, port in missing), most=3)
        return unknown(
            f"None was seen open to {case.vantage!r} for {what}, but not all ports were asked or decided:"
            f" {ports or 'none was'}.",
            not_decided=listed(missing),
        )
    if udp.undecided:
        return unknown(
            f"None was seen open to {case.vantage!r} for {what}, but {silence_of(udp)}.",
            not_decided=listed(udp.undecided, "udp"),
        )
    not_asked = sorted(
        port for port in watched_udp if any((address, port) not in udp.states for address in swept.addresses)
    )
    beside = f"; not asked: {few(not_asked, transport='udp')}" if not_asked else ""
    return passed(
        f"None of {len(set(watched))} TCP ports for {what} is open to {case.vantage!r}{beside}.",
        ports=sorted(watched),
        udp_ports=sorted({port for _, port in udp.states}),
        addresses=list(swept.addresses),
    )
