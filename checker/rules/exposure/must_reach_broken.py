"""exposure.must-reach-broken: a service that policy says must be reachable is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from checker.catalog.ports import Transport
from checker.model import AssociationOutcome, ConnectState, JsonValue, Severity, Status
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
from checker.rules.examples import archive, asset_case, policy, port_seen, seen, survey
from checker.rules.sweep import Sweep, both_few, few, sweep, udp_sweep

_NOT_OPEN = frozenset({ConnectState.CLOSED, ConnectState.REJECTED, ConnectState.FILTERED, ConnectState.RESET})
_Port: TypeAlias = tuple[Transport, int]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of one required port, by address. `proved`: a protocol byte came from one of them."""

    states: Mapping[str, str]
    open: bool
    proved: bool
    broken: bool


def judge(case: Case) -> Verdict:
    """Each required port must be open at one address at least, and proved; not open at any of them fails."""
    today = case.now.date()
    required: list[_Port] = [
        *(("tcp", port) for port in sorted(case.policy.must_reach(case.asset, case.vantage, today))),
        *(("udp", port) for port in sorted(case.policy.must_reach(case.asset, case.vantage, today, "udp"))),
    ]
    if not required:
        return _nothing_required(case)
    by_transport = {"tcp": sweep(case), "udp": udp_sweep(case)}
    seen = {port: _look(by_transport[port[0]], port[1]) for port in required}
    evidence: dict[str, JsonValue] = {_key(port): dict(found.states) for port, found in seen.items()}
    broken = [port for port, found in seen.items() if found.broken]
    if broken:
        return failed(
            f"Must be reachable from {case.vantage!r} and is not open: {_words(broken)}.",
            required=evidence,
            broken=[number for _, number in broken],
        )
    missing = [port for port, found in seen.items() if not found.open]
    if missing:
        return unknown(
            f"Whether all that must be reachable from {case.vantage!r} is open was not shown: {_words(missing)}.",
            required=evidence,
            not_known=[number for _, number in missing],
        )
    unproven = [port for port, found in seen.items() if not found.proved]
    if unproven:
        return unknown(
            f"From {case.vantage!r} {_words(unproven)} took a connection and gave no protocol byte (open-unproven), as"
            " a firewall does that answers for a service that is down.",
            required=evidence,
            open_unproven=[number for _, number in unproven],
        )
    return passed(
        f"All that must be reachable from {case.vantage!r} is open and answered: {_words(required)}.", required=evidence
    )


def _nothing_required(case: Case) -> Verdict:
    policy = case.policy
    if policy.stated and not policy.speaks_of(case.vantage):
        return unknown(
            f"The exposure policy names no zone {case.vantage!r}, so it does not say what must be reachable from it."
        )
    today = case.now.date()
    once = policy.lapsed(case.asset, case.vantage, today)
    ended = f"; a line about {few(once)} has expired" if once else ""
    return not_applicable(
        f"Policy requires nothing of this asset to be reachable from {case.vantage!r}{ended}.", expired=sorted(once)
    )


def _look(swept: Sweep, port: int) -> _Seen:
    """The port at each address; where no address is known, it was not asked at the one there must be."""
    addresses = sorted({*swept.addresses, *(address for address, number in swept.states if number == port)} or {""})
    states = {address: swept.states.get((address, port), ConnectState.NOT_ASKED) for address in addresses}
    at = [(address, port) for address, state in states.items() if state is ConnectState.OPEN]
    shut = all(state in _NOT_OPEN for state in states.values())
    if swept.transport == "udp":
        shut = shut and all(swept.decided((address, port)) for address in addresses)
    words = {
        address: "open-unproven" if (address, port) in at and (address, port) not in swept.proved else state.value
        for address, state in states.items()
    }
    return _Seen(words, bool(at), any(place in swept.proved for place in at), shut)


def _key(port: _Port) -> str:
    return str(port[1]) if port[0] == "tcp" else f"{port[1]}/{port[0]}"


def _words(ports: list[_Port]) -> str:
    return both_few(
        [("", number) for kind, number in ports if kind == "tcp"],
        [("", number) for kind, number in ports if kind == "udp"],
    )


RULE = Rule(
    title="A service that must be reachable is not",
    severity=Severity.MEDIUM,
    subject=Subject.ASSET,
    meaning=(
        "The exposure policy says that this zone must reach the port, and no address of the asset took a connection"
        " there: closed, filtered, refused by ICMP or reset. Images may be waiting on a modality, or the policy is"
        " out of date. One open address is enough; that another one is filtered is reported by"
        " exposure.address-family-gap.\n\n"
        "A connection alone does not show the service: firewalls take connections in its name (SYN proxy) while it is"
        " down. To pass, the port must have given a byte of its protocol; else it is open-unproven and the answer is"
        " unknown, as it is where our machine knew no way, and where the vantage is no zone of the policy."
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
            "The required port is open, and the service answered.",
            asset_case(
                archive(),
                port_seen(11112),
                seen(survey(AssociationOutcome.REJECTED, reject=(1, 1, 3))),
                policy=policy(must_reach=["dicom/11112"]),
            ),
            Status.PASS,
        ),
        Example(
            "The required port took a connection and said nothing.",
            asset_case(archive(), port_seen(11112), policy=policy(must_reach=["dicom/11112"])),
            Status.UNKNOWN,
        ),
        Example(
            "The vantage is no zone of the policy.",
            asset_case(archive(), port_seen(11112), vantage="laboratory", policy=policy(must_reach=["dicom/11112"])),
            Status.UNKNOWN,
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
