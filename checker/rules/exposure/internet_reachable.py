"""exposure.internet-reachable: something is open to the internet."""

from __future__ import annotations

from checker.model import ConnectState, RecognisedFacts, Severity, Spoken, Status
from checker.policy import INTERNET
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
from checker.rules.examples import archive, asset, asset_case, dicom_service, port_seen, ports_seen
from checker.rules.sweep import (
    Place,
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
from checker.scope import canonical, is_public

# What archives and viewers commonly listen on: IANA's DICOM ports, and those of Orthanc and Horos.
_IMAGING_PORTS = frozenset({104, 2761, 2762, 11112, 4242, 8042, 3333})
# An address that is public by its number and yet nobody's: RFC 7535 keeps its block for dropping traffic.
_PUBLIC_EXAMPLE = "192.175.48.5"


def judge(case: Case) -> Verdict:
    """From the vantage `internet` every open port fails; from elsewhere those at public addresses do."""
    everything = sweep(case)
    outside = case.vantage == INTERNET
    public = {*filter(_is_public, {*everything.addresses, *(address for address, _ in everything.states)})}
    if not public and not outside:
        return not_applicable("The vantage is not the internet, and no address of the asset is public.")
    everything_udp = udp_sweep(case)
    swept, udp = (everything, everything_udp) if outside else (everything.only(public), everything_udp.only(public))
    where = "to the internet" if outside else f"at a public address, seen from {case.vantage!r}"
    if swept.open or udp.open:
        imaging = tuple(place for place in swept.open if _holds_images(case, place))
        allowed = case.policy.may_reach(case.asset, case.vantage, case.now.date())
        verdict = failed(
            f"Open {where}: {both_few(swept.open, udp.open)}{unproven_words(swept, swept.open)}.",
            severity=Severity.CRITICAL if imaging else Severity.HIGH,
            open=[*listed(swept.open), *listed(udp.open, "udp")],
            open_unproven=listed(swept.unproven(swept.open)),
            imaging=listed(imaging),
            allowed_by_policy=sorted({port for _, port in swept.open} & allowed),
        )
        return resting_on(verdict, case, swept.open, udp.open)
    if not swept.complete:
        return unknown(
            f"Nothing was seen open {where}, but {doubt(swept)}.",
            not_decided=listed(swept.undecided),
            addresses_not_asked=list(swept.unasked),
        )
    if udp.undecided:
        return unknown(
            f"Nothing was seen open {where}, but {silence_of(udp)}.", not_decided=listed(udp.undecided, "udp")
        )
    return passed(
        f"Of {counted(len(swept.asked) + len(udp.asked))} asked, none is open {where}.",
        asked=len(swept.asked),
        asked_udp=len(udp.asked),
        addresses=list(swept.addresses),
    )


def _is_public(address: str) -> bool:
    parsed = canonical(address)
    return parsed is not None and is_public(parsed)


def _holds_images(case: Case, place: Place) -> bool:
    port = place[1]
    if port in _IMAGING_PORTS or any(
        service.port == port and (service.is_dicom or service.is_web) for service in case.asset.services
    ):
        return True
    recognised = (
        seen.facts
        for seen in case.asset_seen
        if (seen.address, seen.port) == place and isinstance(seen.facts, RecognisedFacts)
    )
    return any(facts.protocol is Spoken.DICOM or facts.product is not None for facts in recognised)


RULE = Rule(
    title="The asset can be reached from the internet",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "A port of the asset, of TCP or UDP, is open to a vantage on the internet, or at an address that is public,"
        " where anybody may try it. For DICOM, DICOMweb and viewers this is critical: search engines for devices list"
        " such ports within hours, and studies found hundreds of archives open to everybody in this way.\n\n"
        "That policy allows it is in the evidence and does not turn it into a pass; an accepted risk belongs in a"
        " waiver with an owner and an expiry. Whether a public address really is reachable from outside only a check"
        " from the vantage internet can show; a pass from elsewhere speaks of what is open there."
    ),
    remedy=(
        "Take the asset off the public address and close the port in the firewall. Who needs it from outside should"
        " come by VPN, or through a gateway with a login and TLS."
    ),
    controls=controls.FROM_OUTSIDE,
    rises=False,
    judge=judge,
    examples=(
        Example(
            "The archive's DICOM port is open to the internet.",
            asset_case(archive(), port_seen(11112), vantage=INTERNET),
            Status.FAIL,
            Severity.CRITICAL,
        ),
        Example(
            "SSH is open to the internet.",
            asset_case(archive(), port_seen(22), port_seen(11112, ConnectState.FILTERED), vantage=INTERNET),
            Status.FAIL,
            Severity.HIGH,
        ),
        Example(
            "An undeclared Orthanc is open at a public address.",
            asset_case(
                asset(dicom_service(), addresses=[_PUBLIC_EXAMPLE]),
                port_seen(8042, address=_PUBLIC_EXAMPLE),
            ),
            Status.FAIL,
            Severity.CRITICAL,
        ),
        Example(
            "The firewall drops everything from the internet.",
            asset_case(archive(), *ports_seen([22, 443, 11112], ConnectState.FILTERED), vantage=INTERNET),
            Status.PASS,
        ),
        Example(
            "Nothing was asked.",
            asset_case(archive(), vantage=INTERNET),
            Status.UNKNOWN,
        ),
        Example(
            "A private address, seen from inside.",
            asset_case(archive(), port_seen(11112)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
