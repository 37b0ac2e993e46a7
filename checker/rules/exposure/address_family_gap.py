"""exposure.address-family-gap: a port is open at one address of the asset and filtered at another."""

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
from checker.rules.examples import ADDRESS, archive, asset, asset_case, dicom_service, port_seen
from checker.rules.sweep import counted, doubt, few, listed, resting_on, sweep, unproven_words

_FIREWALLED = (ConnectState.FILTERED, ConnectState.REJECTED)
_V6_EXAMPLE = "2001:db8:20::5"
_TWO_FAMILIES = asset(dicom_service(), addresses=[ADDRESS, _V6_EXAMPLE])


def judge(case: Case) -> Verdict:
    """Open at one address and filtered or refused by ICMP at another fails."""
    everything = sweep(case)
    swept = everything.only(everything.addresses)
    if len(swept.addresses) < 2:  # a gap needs two sides
        return not_applicable("The asset has only one address.")
    firewalled = swept.where(*_FIREWALLED)
    gaps = {port for _, port in swept.open} & {port for _, port in firewalled}
    if gaps:
        there = tuple(place for place in swept.open if place[1] in gaps)
        shut = tuple(place for place in firewalled if place[1] in gaps)
        verdict = failed(
            f"From {case.vantage!r}, open at one address of the asset and filtered at another: {few(gaps)}"
            f"{unproven_words(swept, there)}.",
            open=listed(there),
            filtered=listed(shut),
            open_unproven=listed(swept.unproven(there)),
        )
        return resting_on(verdict, case, {*there, *shut})
    ports = {port for _, port in swept.states}
    everywhere = all((address, port) in swept.states for address in swept.addresses for port in ports)
    if not swept.complete or not everywhere:
        why = doubt(swept) if not swept.complete else "not every port was asked at every address"
        return unknown(
            f"No difference between the addresses was seen from {case.vantage!r}, but {why}.",
            not_decided=listed(swept.undecided),
            addresses_not_asked=list(swept.unasked),
        )
    return passed(
        f"Of {counted(len(ports))} asked from {case.vantage!r}, none is open at one address and filtered at another.",
        ports=sorted(ports),
        addresses=list(swept.addresses),
    )


RULE = Rule(
    title="A firewall guards one address of the asset and not another",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "The asset has several addresses, often one of IPv4 and one of IPv6, and the same port is open at one and"
        " filtered at another. Somebody meant the port to be shut; the rule was written for one address or family and"
        " forgotten for the other. A reset is no filter: the service may listen at one address only."
    ),
    remedy="Give the firewall the same rules for all addresses and both families, or take the unused address away.",
    controls=controls.FROM_OUTSIDE,
    judge=judge,
    examples=(
        Example(
            "Open over IPv6 and filtered over IPv4.",
            asset_case(_TWO_FAMILIES, port_seen(11112, ConnectState.FILTERED), port_seen(11112, address=_V6_EXAMPLE)),
            Status.FAIL,
        ),
        Example(
            "The same over both.",
            asset_case(
                _TWO_FAMILIES,
                port_seen(11112),
                port_seen(11112, address=_V6_EXAMPLE),
                port_seen(23, ConnectState.FILTERED),
                port_seen(23, ConnectState.FILTERED, address=_V6_EXAMPLE),
            ),
            Status.PASS,
        ),
        Example(
            "IPv6 was not asked.",
            asset_case(_TWO_FAMILIES, port_seen(11112)),
            Status.UNKNOWN,
        ),
        Example(
            "One address.",
            asset_case(archive(), port_seen(11112)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
