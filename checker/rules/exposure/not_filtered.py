"""exposure.not-filtered: packets reach the device where policy says that a firewall stands between."""

from __future__ import annotations

from checker.model import ConnectState, Severity, Status
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
from checker.rules.examples import archive, asset_case, policy, port_seen, ports_seen
from checker.rules.sweep import Sweep, counted, doubt, few, listed, resting_on, sweep

_ALLOWED = ("tcp/443",)


def judge(case: Case) -> Verdict:
    """A port that is not allowed and that answered, open or with a reset, fails."""
    if not case.policy.stated:
        return not_applicable("The inventory states no exposure policy.")
    if not case.policy.speaks_of(case.vantage):
        return not_applicable(f"The exposure policy names no zone {case.vantage!r}.")
    if case.vantage == case.asset.zone:
        return not_applicable("The vantage is the asset's own zone, where no firewall is claimed.")
    if case.asset.zone is None:
        return unknown("The inventory does not say in which zone the asset is.")
    allowed = case.policy.may_reach(case.asset, case.vantage, case.now.date())
    everything = sweep(case)
    swept = Sweep(
        {place: state for place, state in everything.states.items() if place[1] not in allowed}, everything.addresses
    )
    came_through = swept.where(ConnectState.CLOSED, ConnectState.OPEN)
    if came_through:
        verdict = failed(
            f"Not filtered on the way from {case.vantage!r}: {few(port for _, port in came_through)} answered.",
            closed=listed(swept.where(ConnectState.CLOSED)),
            open=listed(swept.open),
            allowed=sorted(allowed),
        )
        return resting_on(verdict, case, came_through)
    if not swept.complete:
        return unknown(
            f"Nothing that is not allowed was seen to answer, but {doubt(swept)}.",
            not_decided=listed(swept.undecided),
            addresses_not_asked=list(swept.unasked),
        )
    return passed(
        f"Of {counted(len(swept.asked))} not allowed from {case.vantage!r}, none let a packet through.",
        asked=len(swept.asked),
        allowed=sorted(allowed),
    )


RULE = Rule(
    title="The firewall between the zones lets packets through",
    severity=Severity.LOW,
    subject=Subject.ASSET,
    meaning=(
        "The exposure policy does not let this zone reach the port, and yet a reset came back: the packet reached the"
        " device, which only happens to have nothing behind the port today. The day it starts something there, it is"
        " exposed. An open port shows the same and counts here too. Some firewalls forge a reset in the device's name,"
        " which cannot be told apart; let them drop or answer by ICMP.\n\n"
        "It is judged where policy names both sides: the vantage is one of its zones, and not the asset's own."
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
