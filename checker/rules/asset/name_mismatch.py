"""asset.name-mismatch: the host name resolves elsewhere than the inventory's address."""

from __future__ import annotations

from ipaddress import ip_address

from checker.model import NameFacts, Severity, Status
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
from checker.rules.examples import ADDRESS, OTHER_ADDRESS, archive, asset_case, seen

_NAME = "archive.example.org"
_ARCHIVE = archive(hostname=_NAME)


def judge(case: Case) -> Verdict:
    """An address that the name has and the inventory has not fails; a name that was not resolved decides nothing."""
    asset = case.asset
    if asset.hostname is None or not asset.addresses:
        return not_applicable("The inventory does not give both a host name and an address.")
    asked = [facts for facts in case.facts(NameFacts) if _plain(facts.hostname) == _plain(asset.hostname)]
    errors: list[str] = [facts.error for facts in asked if facts.error is not None]
    resolved = {_canonical(address) for facts in asked if facts.error is None for address in facts.addresses}
    declared = {_canonical(address) for address in asset.addresses}
    if not resolved:
        why = "the resolver gave no address" if asked else "it was not asked"
        return unknown(f"Where the host name resolves to is not known: {why}.", errors=errors)
    foreign = sorted(resolved - declared)
    if not foreign:
        return passed(
            "The host name resolves to the inventory's address.", declared=sorted(declared), resolved=sorted(resolved)
        )
    beside = (
        "also resolves to {}, which the inventory does not have for this asset"
        if resolved & declared
        else "resolves to {} and to no address of the inventory's"
    )
    return failed(f"The host name {beside.format(foreign[0])}.", declared=sorted(declared), resolved=sorted(resolved))


def _plain(name: str) -> str:
    return name.rstrip(".").lower()  # RFC 4343: names are compared without regard to case


def _canonical(address: str) -> str:
    return str(ip_address(address))


RULE = Rule(
    title="The host name resolves elsewhere",
    severity=Severity.MEDIUM,
    subject=Subject.ASSET,
    meaning=(
        "Peers that use the name reach another machine than the one that the inventory describes: an old record, a"
        " device that moved, or somebody's interception. Images may go astray, and what was checked is not what is"
        " used.\n\n"
        "It fails where the name resolves to any address that the inventory does not have for the asset, even beside"
        " the right one, for some peers will use that one; so does an IPv6 address that nobody listed. An inventory"
        " with more addresses than the name has passes. A resolver that fails gives unknown."
    ),
    remedy="Correct the record in the DNS, or add the address to the asset in the inventory if it is the asset's own.",
    controls=controls.INVENTORY,
    judge=judge,
    examples=(
        Example(
            "The name leads to another address.",
            asset_case(_ARCHIVE, seen(NameFacts(hostname=_NAME, addresses=(OTHER_ADDRESS,)), None, "", 0)),
            Status.FAIL,
        ),
        Example(
            "The name leads to the declared address and to one more.",
            asset_case(_ARCHIVE, seen(NameFacts(hostname=_NAME, addresses=(ADDRESS, OTHER_ADDRESS)), None, "", 0)),
            Status.FAIL,
        ),
        Example(
            "The name leads to the declared address.",
            asset_case(_ARCHIVE, seen(NameFacts(hostname=_NAME, addresses=(ADDRESS,)), None, "", 0)),
            Status.PASS,
        ),
        Example(
            "The resolver failed.",
            asset_case(_ARCHIVE, seen(NameFacts(hostname=_NAME, error="no answer in time"), None, "", 0)),
            Status.UNKNOWN,
        ),
        Example(
            "The inventory has no host name.",
            asset_case(archive()),
            Status.NOT_APPLICABLE,
        ),
    ),
)
