"""exposure.unexpected-open: a port is open that policy does not allow."""

from __future__ import annotations

from checker.model import ConnectState, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, asset_case, policy, port_seen, ports_seen
from checker.rules.sweep import (
    Place,
    Sweep,
    both_few,
    counted,
    doubt,
    few,
    listed,
    resting_on,
    silence_of,
    sweep,
    udp_sweep,
    unproven_words,
)
from checker.rules.undeclared import declared_places


def judge(case: Case) -> Verdict:
    """An open port outside may_reach and must_reach fails; without any policy, the declared services are allowed."""
    swept, udp = sweep(case), udp_sweep(case)
    stated = case.policy.stated
    if stated and not case.policy.speaks_of(case.vantage):
        return unknown(
            f"The exposure policy names no zone {case.vantage!r}, so it does not say what may be open to it.",
            open=[*listed(swept.open), *listed(udp.open, "udp")],
        )
    allowed, allowed_udp = _allowed(case, stated=stated)
    by = "what the exposure policy allows" if stated else "the declared services"
    unexpected = swept.without(allowed).open
    if not stated:  # a service that is declared at another host allows nothing here
        declared = declared_places(case)
        unexpected = tuple(place for place in swept.open if place not in declared)
    unexpected_udp = udp.without(allowed_udp).open
    if unexpected or unexpected_udp:
        return _failed(case, swept, unexpected, unexpected_udp, allowed, by)
    if not swept.complete:
        return unknown(
            f"No unexpected port was seen open to {case.vantage!r}, but {doubt(swept)}.",
            not_decided=listed(swept.undecided),
            addresses_not_asked=list(swept.unasked),
        )
    silent = udp.without(allowed_udp)
    if silent.undecided:
        return unknown(
            f"No unexpected port was seen open to {case.vantage!r}, but {silence_of(silent)}.",
            not_decided=listed(silent.undecided, "udp"),
        )
    if all(place[1] in allowed for place in swept.asked):
        return unknown(
            f"No port was asked from {case.vantage!r} but those among {by}.",
            asked=len(swept.asked),
            allowed=sorted(allowed),
            allowed_by=by,
        )
    return passed(
        f"Of {counted(len(swept.asked) + len(udp.asked))} asked from {case.vantage!r}, none is open but those among"
        f" {by}.",
        open=listed(swept.open),
        asked=len(swept.asked),
        asked_udp=len(udp.asked),
        allowed=sorted(allowed),
        allowed_by=by,
    )


def _allowed(case: Case, *, stated: bool) -> tuple[frozenset[int], frozenset[int]]:
    """The TCP and the UDP ports that may be open."""
    if not stated:
        return frozenset(service.port for service in case.asset.services), frozenset()
    today = case.now.date()
    return (
        case.policy.may_reach(case.asset, case.vantage, today),
        case.policy.may_reach(case.asset, case.vantage, today, "udp"),
    )


def _failed(
    case: Case,
    swept: Sweep,
    unexpected: tuple[Place, ...],
    unexpected_udp: tuple[Place, ...],
    allowed: frozenset[int],
    by: str,
) -> Verdict:
    today = case.now.date()
    lapsed = case.policy.lapsed(case.asset, case.vantage, today) & {port for _, port in unexpected}
    lapsed_udp = case.policy.lapsed(case.asset, case.vantage, today, "udp") & {port for _, port in unexpected_udp}
    once = ", ".join(words for words in (few(lapsed), few(lapsed_udp, transport="udp")) if words)
    ended = f"; a line of policy that allowed {once} has expired" if once else ""
    verdict = failed(
        f"Open to {case.vantage!r}, though not among {by}: {both_few(unexpected, unexpected_udp)}"
        f"{unproven_words(swept, unexpected)}{ended}.",
        unexpected=[*listed(unexpected), *listed(unexpected_udp, "udp")],
        open_unproven=listed(swept.unproven(unexpected)),
        allowed=sorted(allowed),
        allowed_by=by,
        expired=sorted(lapsed | lapsed_udp),
    )
    return resting_on(verdict, case, unexpected, unexpected_udp)


RULE = Rule(
    title="A port is open that is not expected to be",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "From this vantage a TCP port takes connections, or a UDP port answers, that the inventory's exposure policy"
        " does not list for this asset and zone: what is not said must not be reachable. An inventory with no policy"
        " at all allows its declared services and nothing else. Where there is a policy, and the vantage is none of"
        " its zones, the answer is unknown.\n\n"
        "Only a connection that was made, or an answer, counts as open. Where no protocol byte came, the port is"
        " called open-unproven: a firewall that takes connections in the device's name shows the same, and is to be"
        " told apart where the port is. What only a line of policy allowed that has expired is forbidden again, and"
        " the evidence says so. To pass, a port must have been asked that is not allowed, and each that was asked"
        " must have given a state that decides, at each address; a pass speaks of the ports that were asked, which"
        " the evidence counts. Silence over UDP is no pass."
    ),
    remedy=(
        "Close the port on the device or in the firewall between the zones. If it is needed, add a line to the"
        " exposure policy with a reason, an owner and an expiry."
    ),
    controls=controls.UNEXPECTED_PORT,
    judge=judge,
    examples=(
        Example(
            "Telnet is open beside the declared service, and there is no policy.",
            asset_case(archive(), port_seen(11112), port_seen(23)),
            Status.FAIL,
        ),
        Example(
            "The declared service is open to a zone that policy does not let reach it.",
            asset_case(archive(), port_seen(11112), policy=policy(may_reach=["tcp/443"])),
            Status.FAIL,
        ),
        Example(
            "Only what policy allows is open.",
            asset_case(
                archive(),
                port_seen(11112),
                *ports_seen([21, 23, 445], ConnectState.FILTERED),
                policy=policy(may_reach=["dicom/11112"]),
            ),
            Status.PASS,
        ),
        Example(
            "The vantage is no zone of the policy.",
            asset_case(archive(), port_seen(11112), vantage="laboratory", policy=policy(may_reach=["dicom/11112"])),
            Status.UNKNOWN,
        ),
        Example(
            "One port could not be asked.",
            asset_case(archive(), port_seen(11112), port_seen(23, ConnectState.LOCAL_ERROR)),
            Status.UNKNOWN,
        ),
        Example(
            "Only the declared service was asked.",
            asset_case(archive(), port_seen(11112)),
            Status.UNKNOWN,
        ),
        Example(
            "There was no way to the asset.",
            asset_case(archive(), *ports_seen([23, 11112], ConnectState.UNREACHABLE)),
            Status.UNKNOWN,
        ),
    ),
)
