"""asset.duplicate-address: two assets declare the same address and port."""

from __future__ import annotations

from ipaddress import ip_address

from checker.model import Asset, Severity, Status
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
from checker.rules.examples import archive, asset, asset_case


def keys(asset: Asset) -> tuple[str, ...]:
    """The places of all declared services as `address:port`; an IPv6 address is in brackets. Each once, in order.

    A URL that names an address means that one, and no other of the asset.
    """
    found: dict[str, None] = {}
    for service in asset.services:
        literal = _literal(service.host)
        for address in (literal,) if literal is not None else asset.addresses:
            host = f"[{address}]" if ":" in address else address
            found[f"{host}:{service.port}"] = None
    return tuple(found)


def _literal(host: str | None) -> str | None:
    if host is None:
        return None
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def judge(case: Case) -> Verdict:
    """Another asset with one of our places fails. Needs the inventory alone."""
    mine = keys(case.asset)
    if not mine:
        return not_applicable("The inventory declares no service with an address for this asset.")
    shared = {
        key: [other for other in case.sharers.get(key, ()) if other != case.asset.id]
        for key in mine
        if any(other != case.asset.id for other in case.sharers.get(key, ()))
    }
    if shared:
        key, others = next(iter(shared.items()))
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return failed(f"Another asset is declared at {key} too: {others[0]}{more}.", shared=shared)
    if any(key not in case.sharers for key in mine):
        return unknown("The asset was not compared with the rest of the inventory.", places=list(mine))
    return passed("No other asset is declared at the same address and port.", places=list(mine))


RULE = Rule(
    title="Two assets share an address and port",
    severity=Severity.LOW,
    subject=Subject.ASSET,
    meaning=(
        "The inventory gives one address and port to two assets. One of the entries is stale or mistyped, or they are"
        " two names for one device. What is found there is then said of both, and its budget of connections is spent"
        " twice.\n\nIt is judged from the inventory alone; nothing has to be asked."
    ),
    remedy="Correct the address of the one that moved, or make one asset with two services of the two entries.",
    controls=controls.INVENTORY,
    rises=False,
    shares=lambda case: keys(case.asset),
    judge=judge,
    examples=(
        Example(
            "Two assets at one place.",
            asset_case(archive(), sharers={"10.20.1.5:11112": ("synthetic-01", "synthetic-02")}),
            Status.FAIL,
        ),
        Example(
            "The only one at its place.",
            asset_case(archive(), sharers={"10.20.1.5:11112": ("synthetic-01",)}),
            Status.PASS,
        ),
        Example(
            "Judged alone, without the rest of the inventory.",
            asset_case(archive()),
            Status.UNKNOWN,
        ),
        Example(
            "No declared service.",
            asset_case(asset()),
            Status.NOT_APPLICABLE,
        ),
    ),
)
