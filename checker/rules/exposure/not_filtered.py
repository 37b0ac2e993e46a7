"""exposure.not-filtered: packets reach the device where policy says that a firewall stands between."""

from __future__ import annotations

from checker.model import ConnectState, PortFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import (
    Case,
    Example,
    Rule,
    Subject,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from checker.rules.examples import ADDRESS, archive, asset_case, policy, port_seen, ports_seen, seen
from checker.rules.sweep import (
    Place,
    Sweep,
    both_few,
    counted,
    doubt,
    listed,
    resting_on,
    silence_of,
    sweep,
    udp_sweep,
    unproven_words,
)

_ALLOWED = ("tcp/443",)


def judge(case: Case) -> Verdict:
    """A port that is not allowed and from which the device itself answered fails: open, with a reset, or by ICMP."""
    if not case.policy.stated:
        return not_applicable("The inventory states no exposure policy.")
    if not case.policy.speaks_of(case.vantage):
        return unknown(f"The exposure policy names no zone {case.vantage!r}, so it claims no firewall before it.")
    if case.vantage == case.asset.zone:
        return not_applicable(f"The vantage {case.vantage!r} is the asset's own zone, where no firewall is claimed.")
    if case.asset.zone is None:
        return unknown("The inventory does not say in which zone the asset is.")
    today = case.now.date()
    allowed = case.policy.may_reach(case.asset, case.vantage, today)
    swept = sweep(case).without(allowed)
    udp = udp_sweep(case).without(case.policy.may_reach(case.asset, case.vantage, today, "udp"))
    came_through, came_through_udp = _came_through(swept), _came_through(udp)
    if came_through or came_through_udp:
        verdict = failed(
            f"Not filtered on the way from {case.vantage!r}: {both_few(came_through, came_through_udp)}"
            f" answered{unproven_words(swept, swept.open)}.",
            closed=[*listed(swept.where(ConnectState.CLOSED)), *listed(udp.where(ConnectState.CLOSED), "udp")],
            refused_by_the_asset=[*listed(_refused(swept)), *listed(_refused(udp), "udp")],
            open=[*listed(swept.open), *listed(udp.open, "udp")],
            open_unproven=listed(swept.unproven(swept.open)),
            allowed=sorted(allowed),
        )
        return resting_on(verdict, case, came_through, came_through_udp)
    if not swept.complete:
        return unknown(
            f"Nothing that is not allowed from {case.vantage!r} was seen to answer, but {doubt(swept)}.",
            not_decided=listed(swept.undecided),
            addresses_not_asked=list(swept.unasked),
        )
    if udp.undecided:
        return unknown(
            f"Nothing that is not allowed from {case.vantage!r} was seen to answer, but {silence_of(udp)}.",
            not_decided=listed(udp.undecided, "udp"),
        )
    return passed(
        f"Of {counted(len(swept.asked) + len(udp.asked))} not allowed from {case.vantage!r}, none let a packet"
        " through.",
        asked=len(swept.asked),
        asked_udp=len(udp.asked),
        allowed=sorted(allowed),
    )


def _came_through(swept: Sweep) -> tuple[Place, ...]:
    return tuple(sorted({*swept.where(ConnectState.CLOSED, ConnectState.OPEN), *_refused(swept)}))


def _refused(swept: Sweep) -> tuple[Place, ...]:
    """Where the asset's own ICMP message came back: a packet reached it, which no firewall between had stopped."""
    return tuple(place for place in swept.where(ConnectState.REJECTED) if place in swept.refused_by_itself)


RULE = Rule(
    title="The firewall between the zones lets packets through",
    severity=Severity.LOW,
    subject=Subject.ASSET,
    meaning=(
        "The exposure policy does not let this zone reach the port, and yet a reset came back, or an ICMP message of"
        " the device itself: the packet reached the device, which only happens to have nothing behind the port today."
        " The day it starts something there, it is exposed. An open port shows the same and counts here too. Some"
        " firewalls forge a reset in the device's name, which cannot be told apart; let them drop or answer by"
        " ICMP.\n\n"
        "It is judged where policy names both sides: the vantage is one of its zones, and not the asset's own. Where"
        " the vantage is none of its zones, the answer is unknown. Silence over UDP is no pass."
    ),
    remedy="Make the rule of the firewall between the two zones deny by default, and admit only what policy lists.",
    controls=controls.FROM_OUTSIDE,
    judge=judge,
    examples=(
        Example(
            "A reset came back for a port that is not allowed from the guest network.",
            asset_case(
                archive(),
                port_seen(11112, ConnectState.CLOSED),
                vantage="guest",
                policy=policy(may_reach=_ALLOWED, from_zone="guest"),
            ),
            Status.FAIL,
        ),
        Example(
            "All that is not allowed is dropped or refused by the firewall.",
            asset_case(
                archive(),
                port_seen(443),
                port_seen(11112, ConnectState.FILTERED),
                port_seen(23, ConnectState.REJECTED),
                vantage="guest",
                policy=policy(may_reach=_ALLOWED, from_zone="guest"),
            ),
            Status.PASS,
        ),
        Example(
            "The device's own packet filter refused, so the packet came as far as the device.",
            asset_case(
                archive(),
                seen(PortFacts(state=ConnectState.REJECTED, icmp=(3, 13), offender=ADDRESS), None, port=23),
                vantage="guest",
                policy=policy(may_reach=_ALLOWED, from_zone="guest"),
            ),
            Status.FAIL,
        ),
        Example(
            "The vantage is no zone of the policy.",
            asset_case(archive(), *ports_seen([23]), vantage="laboratory", policy=policy(may_reach=_ALLOWED)),
            Status.UNKNOWN,
        ),
        Example(
            "Only an allowed port was asked.",
            asset_case(
                archive(), port_seen(443), vantage="guest", policy=policy(may_reach=_ALLOWED, from_zone="guest")
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The asset's own zone.",
            asset_case(archive(), *ports_seen([23]), policy=policy(may_reach=_ALLOWED)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
