"""Pure: who may reach what, as the exposure policy says it, for reading before anything is sent.

It says nothing of what is open; it is the policy as the rules read it, put together for people: for each zone and each
class of assets what must, what may and what must not be reachable, with the reason of the line that says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from checker.model import Asset, Exposure
from checker.policy import Access, Policy, has_expired, matches

ANY_ZONE = "any zone"
"""In place of a zone where the inventory states no policy."""

ANYTHING = "anything"
"""In place of services, of assets that declare none and that no line allows anything of."""

MOST_SINGLE = 20
"""So many assets are told one by one; of more their classes are told."""

MOST_SITES = 3
"""So many sites of a class are named; of more their number is told."""

_NO_POLICY = "No policy is stated: the declared services are allowed."
_NOT_SAID = "No line allows it."
_ORDER = tuple(Access)


@dataclass(frozen=True, slots=True)
class Reach:
    """One row: from a zone to some assets of a class, services that it must, may or must not reach, and why.

    `to` names the class (`archive at main-campus`) or the asset, `assets` the ids that the row is about, `of` how many
    the class has. `services` are in the words of the inventory; those that must not be reached are the declared ones,
    and everything else besides. `line` is None where no line of policy says it.
    """

    zone: str
    to: str
    assets: tuple[str, ...]
    of: int
    access: Access
    services: tuple[str, ...]
    why: str
    line: Exposure | None = None


def who_may_reach(policy: Policy, assets: Sequence[Asset], today: date) -> tuple[Reach, ...]:
    """The rows, by zone in the inventory's order, then by asset or role, then must before may before must not.

    Of many assets, sites at which the same is said of a role share a row.
    """
    zones = policy.names if policy.stated else (ANY_ZONE,)
    return tuple(row for zone in zones for row in _of_zone(policy, zone, assets, today))


def _of_zone(policy: Policy, zone: str, assets: Sequence[Asset], today: date) -> Iterator[Reach]:
    if len(assets) <= MOST_SINGLE:
        for asset in assets:
            yield from _rows(policy, zone, asset.id, [asset], today)
        return
    roles: dict[str, dict[str, list[Asset]]] = defaultdict(lambda: defaultdict(list))
    for asset in assets:
        roles[asset.role.value][asset.site].append(asset)
    for role in sorted(roles):
        alike: dict[tuple[Access, tuple[str, ...], str], dict[str, Reach]] = defaultdict(dict)
        for site in sorted(roles[role]):
            for row in _rows(policy, zone, role, roles[role][site], today):
                before = alike[row.access, row.services, row.why].get(site)
                alike[row.access, row.services, row.why][site] = row if before is None else _joined(before, row)
        for key in sorted(alike, key=lambda key: _ORDER.index(key[0])):
            yield _of_sites(role, alike[key])


def _joined(one: Reach, other: Reach) -> Reach:
    return replace(one, assets=tuple(dict.fromkeys((*one.assets, *other.assets))))


def _of_sites(role: str, by_site: dict[str, Reach]) -> Reach:
    named = [site or "no site" for site in by_site]
    where = ", ".join(named) if len(named) <= MOST_SITES else f"{len(named)} sites"
    rows = list(by_site.values())
    return replace(
        rows[0],
        to=f"{role} at {where}",
        assets=tuple(one for row in rows for one in row.assets),
        of=sum(row.of for row in rows),
    )


def _rows(policy: Policy, zone: str, name: str, group: list[Asset], today: date) -> Iterator[Reach]:
    """Services with the same line, access and assets share a row."""
    about: dict[tuple[Access, Exposure | None, str, str], list[str]] = defaultdict(list)
    for asset in group:
        for access, line, why, spec in _of_asset(policy, zone, asset, today):
            about[access, line, why, spec].append(asset.id)
    merged: dict[tuple[Access, Exposure | None, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (access, line, why, spec), ids in about.items():
        merged[access, line, why, tuple(ids)].append(spec)
    for (access, line, why, those), specs in sorted(merged.items(), key=lambda item: _ORDER.index(item[0][0])):
        yield Reach(zone, name, those, len(group), access, tuple(specs), why, line)


def _of_asset(
    policy: Policy, zone: str, asset: Asset, today: date
) -> Iterator[tuple[Access, Exposure | None, str, str]]:
    if not policy.stated:
        declared = tuple(dict.fromkeys(f"{service.kind.value}/{service.port}" for service in asset.services))
        for spec in declared or (ANYTHING,):
            yield Access.MAY if declared else Access.MUST_NOT, None, _NO_POLICY, spec
        return
    allowances = policy.allowances(asset, zone, today)
    for one in dict.fromkeys((found.access, found.line, found.spec) for found in allowances):
        access, line, spec = one
        yield access, line, _why(line), spec
    allowed = {one.port for one in allowances if one.transport == "tcp"}
    for spec in dict.fromkeys(
        f"{service.kind.value}/{service.port}" for service in asset.services if service.port not in allowed
    ):
        ended = _expired(policy, zone, asset, spec, today)
        why = _NOT_SAID if ended is None else f"The line that allowed it expired on {ended.expires}."
        yield Access.MUST_NOT, None, why, spec
    if not allowances and not asset.services:
        yield Access.MUST_NOT, None, _NOT_SAID, ANYTHING


def _expired(policy: Policy, zone: str, asset: Asset, spec: str, today: date) -> Exposure | None:
    tcp = f"tcp/{spec.partition('/')[2]}"
    for line in policy.exposure:
        said = (*line.must_reach, *line.may_reach)
        if line.from_zone == zone and has_expired(line, today) and matches(line.to, asset) and {spec, tcp} & {*said}:
            return line
    return None


def _why(line: Exposure) -> str:
    owner = f"Owner: {line.owner}." if line.owner else ""
    until = f"Until {line.expires}." if line.expires is not None else ""
    reason = line.reason or "No reason is given"
    ended = reason if reason.endswith((".", "!", "?")) else f"{reason}."
    return " ".join(words for words in (ended, owner, until) if words)
