"""How a front of `tests.live.web_fronts` is visited: by the web probe, judged by the rules about the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from checker import plan
from checker.model import Asset, AssetManners, Facts, HttpFacts, Role, Service, ServiceKind, Status
from checker.net.http import HttpDoor
from checker.probes.talk import Talk
from checker.probes.web import probe_dicomweb, probe_web
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.cases import service_cases
from checker.rules.examples import asset_case, seen
from checker.rules.web_states import State
from tests.live.synthetic import markers_in
from tests.live.talking import Session, talking
from tests.live.web_fronting import Door, Front, Place, port_of, services

MOST_REQUESTS = max(
    plan.DICOMWEB_CONNECTIONS + plan.DICOMWEB_MORE_CONNECTIONS, plan.WEB_CONNECTIONS + plan.WEB_MORE_CONNECTIONS
)
"""How many requests one service has at most, with what a product that was recognised adds to them."""

_USER_AGENT = "pacs-checker/0 (synthetic; tests)"
_DECIDES = {ServiceKind.DICOMWEB: "web.archive-open", ServiceKind.WEB: "web.viewer-unauthenticated"}
_NAMES = {ServiceKind.DICOMWEB: "archive", ServiceKind.WEB: "page"}


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of one service: the state in the evidence of the rule that decides on access, and its status."""

    state: State
    verdict: Status


@dataclass(frozen=True, slots=True)
class Found:
    """What a visit found of a front; `statuses` of all rules about the web, spelled as in `Front.more`."""

    archive: Judged | None
    page: Judged | None
    statuses: Mapping[str, Status]


def _way(session: Session, front: Front, place: Place, root: str) -> Talk | None:
    """As the engine has it: to roots of the declared page's origin, and to what an asset declares at this address."""
    parts = urlsplit(root)
    declared = place.archive if front.archive is not None else place.beside
    if parts.netloc == urlsplit(place.page).netloc:
        return None if root == declared else session.talk
    if declared is None or front.archive is not None or parts.netloc != urlsplit(declared).netloc:
        return None
    return session.on(port_of(root))


async def ask(front: Front, place: Place) -> Found:
    """Visit a front as the product does, and judge what was seen; asserts the manners of any visit."""
    declared = services(front, place)
    door = HttpDoor(_USER_AGENT)
    found: list[tuple[int, Facts]] = []
    for index, service in enumerate(declared):
        with talking(place.host, service.port, declared) as session:
            if service.kind is ServiceKind.DICOMWEB:
                await probe_dicomweb(session.talk, service, door=door)
            else:
                await probe_web(session.talk, service, door=door, reach=partial(_way, session, front, place))
        assert len(session.of(HttpFacts)) <= MOST_REQUESTS
        assert markers_in(repr(session.facts).encode() + b"".join(session.written)) == ()
        found += [(index, facts) for facts in session.facts]
    await door.aclose()
    return _judged(place, declared, found)


def _judged(place: Place, declared: tuple[Service, ...], found: list[tuple[int, Facts]]) -> Found:
    of = Asset(
        id="synthetic-asset",
        name="Synthetic front",
        addresses=(place.host,),
        hostname=None,
        role=Role.VIEWER,
        site="synthetic-campus",
        zone=None,
        owner=None,
        manners=AssetManners(),
        services=declared,
    )
    whole = asset_case(of, *(seen(facts, index, place.host, declared[index].port) for index, facts in found))
    said: dict[str, Verdict] = {}
    for case in service_cases(whole):
        service = case.the_service()
        for entry in catalogue():
            if entry.family == "web" and entry.rule.applies(service):
                said[f"{entry.id} {_NAMES[service.kind]}"] = entry.rule.judge(case)
    statuses = {name: verdict.status for name, verdict in said.items()}
    statuses["archive.open"] = next(e.rule for e in catalogue() if e.id == "archive.open").judge(whole).status
    return Found(_decided(said, ServiceKind.DICOMWEB), _decided(said, ServiceKind.WEB), statuses)


def _decided(said: Mapping[str, Verdict], kind: ServiceKind) -> Judged | None:
    verdict = said.get(f"{_DECIDES[kind]} {_NAMES[kind]}")
    return None if verdict is None else Judged(State(str(verdict.evidence["state"])), verdict.status)


def not_as_it_is(front: Front, found: Found) -> list[str]:
    """Every line in which what was found is not what the data says; empty where none is."""
    wrong = []
    for named, door, judged in (("archive", front.archive, found.archive), ("page", front.page, found.page)):
        if (None if door is None else (door.state, door.verdict)) != (judged and (judged.state, judged.verdict)):
            wrong.append(f"the {named} is found {_words(judged)}, and not {_words(door)}")
    return wrong + [
        f"{name} is {found.statuses.get(name)}, and not {status}"
        for name, status in front.more.items()
        if found.statuses.get(name) is not status
    ]


def _words(judged: Judged | Door | None) -> str:
    return "not asked" if judged is None else f"{judged.state}, {judged.verdict}"


def found_in(findings: Sequence[Mapping[str, Any]], asset: str) -> Found:
    """The same of the findings of a run, for one asset with at most one service of each kind."""
    judged: dict[ServiceKind, Judged] = {}
    statuses: dict[str, Status] = {}
    for finding in findings:
        if finding["asset"]["id"] != asset:
            continue
        rule, status, service = finding["rule"]["id"], Status(finding["status"]), finding.get("service")
        kind = None if service is None else ServiceKind(service["kind"])
        statuses[rule if kind is None else f"{rule} {_NAMES[kind]}"] = status
        if kind is not None and rule == _DECIDES[kind]:
            judged[kind] = Judged(State(finding["evidence"]["state"]), status)
    return Found(judged.get(ServiceKind.DICOMWEB), judged.get(ServiceKind.WEB), statuses)
