"""archive.open: anyone at this vantage could search or take the images of this asset.

The answer is put together from the rules about the single doors, by the very functions that judge them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from checker.catalog.ports import port_set
from checker.model import (
    Asset,
    AssociationOutcome,
    JsonValue,
    QueryVerdict,
    Role,
    ServiceKind,
    Severity,
    Status,
)
from checker.rules import catalogue, controls
from checker.rules.access import GET, answers_query, further
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
from checker.rules.cases import service_cases
from checker.rules.examples import (
    archive,
    asset,
    asset_case,
    canary,
    dicom_service,
    dicomweb_service,
    opted_in,
    port_seen,
    rejected,
    seen,
    survey,
    web_service,
)
from checker.rules.examples_web import page
from checker.rules.sweep import Place, few, listed, sweep

DOOR_RULES = ("dicom.anonymous-query", "web.archive-open", "web.viewer-unauthenticated")
RETRIEVAL_RULE = "dicom.retrieve-offered"
_OTHER_PURPOSE = frozenset({2575, 9990, 9993})  # HL7 and WildFly's console: no images come from there


@dataclass(frozen=True, slots=True)
class _Door:
    """One way to the images, as the rule about such doors judges it."""

    case: Case
    rule: str
    verdict: Verdict

    @property
    def place(self) -> str:
        service = self.case.the_service()
        return service.url or f"{service.kind.value} on port {service.port}"

    def told(self) -> JsonValue:
        service = self.case.the_service()
        return {
            "rule": self.rule,
            "kind": service.kind.value,
            "address": self.case.address,
            "port": service.port,
            "url": service.url,
            "status": self.verdict.status.value,
            "summary": self.verdict.summary,
        }


def judge(case: Case) -> Verdict:
    """One open door fails; to pass, each door that could give images must be shut, and no unknown one stand open."""
    doors = list(_doors(case))
    told = [door.told() for door in doors]
    unlocked = [door for door in doors if door.verdict.status is Status.FAIL]
    if unlocked:
        verdict = failed(
            f"Anyone at {case.vantage!r} could search or take images: {_places(unlocked)}.",
            doors=told,
        )
        ids = dict.fromkeys(observation.id for door in unlocked for observation in door.case.seen)
        return replace(verdict, observations=tuple(ids))
    if not _keeps_images(case.asset):
        return not_applicable("The asset is no archive or viewer, and declares no DICOM or DICOMweb service.")
    undeclared = _undeclared(case)
    doubtful = [door for door in doors if door.verdict.status is not Status.PASS]
    if doubtful:
        return unknown(
            f"No door is known to be open, but of {_counted(len(doors))}, {len(doubtful)} did not show it:"
            f" {_places(doubtful)}.",
            doors=told,
            undeclared=listed(undeclared),
        )
    if undeclared:
        ports = few((port for _, port in undeclared), most=3)
        return unknown(
            f"The declared doors are shut, but ports that the inventory does not know are open: {ports}.",
            doors=told,
            undeclared=listed(undeclared),
        )
    if not doors:
        return unknown("The inventory declares no service of this asset that could be asked for images.")
    return passed(
        f"Every door to the images that was declared is shut to strangers: {_counted(len(doors))}.", doors=told
    )


def _keeps_images(asset: Asset) -> bool:
    return asset.role in (Role.ARCHIVE, Role.VIEWER) or any(
        service.is_dicom or service.kind is ServiceKind.DICOMWEB for service in asset.services
    )


def _doors(case: Case) -> Iterator[_Door]:
    for of_service in service_cases(case):
        service = of_service.the_service()
        judges = [(name, rule) for name, rule in _door_rules() if rule.applies(service)]
        if not judges and (service.is_dicom or service.is_web):
            yield _Door(of_service, "", unknown("No rule judges this kind of door."))
        for name, rule in judges:
            verdict = rule.judge(of_service)
            if verdict.status is not Status.NOT_APPLICABLE:
                yield _Door(of_service, name, verdict)
        retrieved = _retrieved(of_service)
        if retrieved is not None:
            yield retrieved


def _retrieved(of_service: Case) -> _Door | None:
    """Retrieval, where it was proved: an offer is no open door, and that nothing is offered is no shut one."""
    if not any(answers_query(facts) for facts in further(of_service, GET)):
        return None
    rule = next(entry.rule for entry in catalogue() if entry.id == RETRIEVAL_RULE)
    return _Door(of_service, RETRIEVAL_RULE, rule.judge(of_service))


@cache
def _door_rules() -> tuple[tuple[str, Rule], ...]:
    # Looked up when judging: while this module is imported, the catalogue that it is part of is still being made.
    return tuple((entry.id, entry.rule) for entry in catalogue() if entry.id in DOOR_RULES)


def _undeclared(case: Case) -> tuple[Place, ...]:
    """The open places that no declared service explains and that could give images, for all that is known."""
    declared = {service.port for service in case.asset.services}
    others = {*port_set("administration").numbers, *port_set("databases").numbers, *_OTHER_PURPOSE}
    return tuple(place for place in sweep(case).open if place[1] not in declared | others)


def _places(doors: list[_Door]) -> str:
    distinct = list(dict.fromkeys(door.place for door in doors))
    shown = ", ".join(place if len(place) <= 60 else f"{place[:57]}..." for place in distinct[:1])
    return shown + (f" and {len(distinct) - 1} more" if len(distinct) > 1 else "")


def _counted(number: int) -> str:
    return "1 door" if number == 1 else f"{number} doors"


_TWO_DOORS = archive(dicom_service(), dicom_service(104))

RULE = Rule(
    title="Anyone could search or take images",
    severity=Severity.CRITICAL,
    subject=Subject.ASSET,
    meaning=(
        "This is the question that the whole check is for: could anyone who reaches this asset from this vantage"
        " search its images or take them? It fails where one door is open: a DICOM service that answers a query of an"
        " unregistered caller (dicom.anonymous-query), a DICOMweb or REST interface that answers without a login"
        " (web.archive-open), or a viewer that anybody can use (web.viewer-unauthenticated). The evidence lists every"
        " door with what its rule says of it.\n\n"
        "It passes only where every declared door, at every address, was seen to be shut. One that did not answer, was"
        " not asked, or answered so that nothing follows gives unknown, and so does an open port that the inventory"
        " does not know and that might serve images.\n\n"
        "It concerns archives, viewers, and every asset with a DICOM or DICOMweb service; any other asset only where"
        " one of its doors was seen to be open."
    ),
    remedy=(
        "Shut the doors that the evidence names, each as its own rule tells: registered peers or client certificates"
        " for DICOM, a login for DICOMweb and viewers. Until then, let the firewall admit only those who need it."
    ),
    controls=controls.ANONYMOUS_QUERY,
    judge=judge,
    examples=(
        Example(
            "One of two DICOM services answers a stranger's query.",
            asset_case(
                _TWO_DOORS,
                seen(rejected((1, 1, 3)), 0),
                seen(survey(echo_status=0), 1, port=104),
                seen(canary(QueryVerdict.QUERY_ACCEPTED, 0x0000), 1, port=104),
            ),
            Status.FAIL,
        ),
        Example(
            "Queries are refused, and a stranger's retrieve request was served.",
            asset_case(
                archive(),
                seen(survey(echo_status=0)),
                seen(canary(QueryVerdict.REFUSED_STATUS, 0x0124)),
                seen(opted_in(GET, QueryVerdict.QUERY_ACCEPTED, 0x0000)),
            ),
            Status.FAIL,
        ),
        Example(
            "Its only door is shut to strangers.",
            asset_case(archive(), seen(rejected((1, 1, 3)))),
            Status.PASS,
        ),
        Example(
            "One door is shut and the other did not answer.",
            asset_case(
                _TWO_DOORS,
                seen(rejected((1, 1, 3)), 0),
                seen(survey(AssociationOutcome.TIMEOUT), 1, port=104),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "The DICOM door is shut and nobody asked at the DICOMweb one.",
            asset_case(archive(dicom_service(), dicomweb_service()), seen(rejected((1, 1, 3)))),
            Status.UNKNOWN,
        ),
        Example(
            "The declared door is shut, and beside it stands one that the inventory does not know.",
            asset_case(archive(), seen(rejected((1, 1, 3))), port_seen(8042)),
            Status.UNKNOWN,
        ),
        Example(
            "A workstation shows the pages of an archive to anybody.",
            asset_case(asset(web_service(), role=Role.WORKSTATION), seen(page(product="orthanc"), port=443)),
            Status.FAIL,
        ),
        Example(
            "A workstation with a web page of its own keeps no archive.",
            asset_case(asset(web_service(), role=Role.WORKSTATION)),
            Status.NOT_APPLICABLE,
        ),
    ),
)
