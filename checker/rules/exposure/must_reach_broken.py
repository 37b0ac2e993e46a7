"""exposure.must-reach-broken: a service that policy says must be reachable is not."""

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
from checker.rules.examples import archive, asset_case, policy, port_seen
from checker.rules.sweep import Sweep, few, sweep

_NOT_OPEN = frozenset(
    {
        ConnectState.CLOSED,
        ConnectState.REJECTED,
        ConnectState.UNREACHABLE,
        ConnectState.FILTERED,
        ConnectState.RESET,
    }
)


def judge(case: Case) -> Verdict:
    """Each required port must be open at one address at least; not open at any of them fails."""
    required = case.policy.must_reach(case.asset, case.vantage, case.now.date())
    if not required:
        return not_applicable(f"Policy requires nothing of this asset to be reachable from {case.vantage!r}.")
    swept = sweep(case)
    states = {port: _states(swept, port) for port in sorted(required)}
    broken = [port for port, seen in states.items() if all(state in _NOT_OPEN for state in seen.values())]
    reached = [port for port, seen in states.items() if ConnectState.OPEN in seen.values()]
    evidence = {str(port): {address: state.value for address, state in seen.items()} for port, seen in states.items()}
    if broken:
        return failed(
            f"Must be reachable from {case.vantage!r} and is not open: {few(broken)}.", required=evidence, broken=broken
        )
    missing = sorted(required.difference(reached))
    if missing:
        return unknown(
            f"Whether all that must be reachable is open was not shown: {few(missing)}.",
            required=evidence,
            not_known=missing,
        )
    return passed(f"All that must be reachable from {case.vantage!r} is open: {few(reached)}.", required=evidence)


def _states(swept: Sweep, port: int) -> dict[str, ConnectState]:
    """The state of the port at each address; where no address is known, it was not asked at the one there must be."""
    places = {*swept.addresses, *(address for address, number in swept.states if number == port)} or {""}
    return {address: swept.states.get((address, port), ConnectState.NOT_ASKED) for address in sorted(places)}


RULE = Rule(
    title="A service that must be reachable is not",
    severity=Severity.MEDIUM,
    subject=Subject.ASSET,
    meaning=(
        "The exposure policy says that this zone must reach the port, and no address of the asset took a connection"
        " there: closed, filtered, refused by ICMP, reset or without a way. Images may be waiting on a modality, or the"
        " policy is out of date. One open address is enough; that another one is filtered is reported by"
        " exposure.address-family-gap."
    ),
    remedy="Check that the service runs, then the firewall between the zones; or correct the exposure policy.",
    controls=controls.UNEXPECTED_PORT,
    judge=judge,
    examples=(
        Example(
            "A required port is filtered.",
            asset_case(archive(), port_seen(11112, ConnectState.FILTERED), policy=policy(must_reach=["dicom/11112"])),
            Status.FAIL,
        ),
        Example(
            "The required port is open.",
            asset_case(archive(), port_seen(11112), policy=policy(must_reach=["dicom/11112"])),
            Status.PASS,
        ),
        Example(
            "The required port was not asked.",
            asset_case(
                archive(), port_seen(11112, ConnectState.LOCAL_ERROR), policy=policy(must_reach=["dicom/11112"])
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Policy requires nothing.",
            asset_case(archive(), port_seen(11112)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
