"""Pure: from the observations of one asset to its findings, by every chosen rule.

It decides nothing itself: rules judge, and what is added here is identity, severity seen from the vantage, and what the
inventory says of the asset. A rule that raises gives a finding of status `error`, with the kind of exception and its
place but never its text, which may quote a device; the other rules go on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from math import isfinite
from types import MappingProxyType

from checker.errors import UsageError, place_of
from checker.model import (
    Asset,
    AssetRef,
    Finding,
    Inventory,
    JsonValue,
    Observation,
    RuleRef,
    Service,
    ServiceRef,
    Severity,
    Status,
)
from checker.policy import INTERNET, Policy
from checker.rules import CataloguedRule, catalogue
from checker.rules.base import Case, Identity, Subject, Verdict, not_applicable
from checker.rules.cases import service_cases
from checker.rules.identity import Implementation, Place, implementation, service_place

Sharers = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By the id of a fleet rule and by its key: the ids of the assets that have the key, or the first of very many."""

Earlier = Mapping[Place, Identity]
"""By service and address: the implementation that the last run before this one saw which saw any."""

_NOTHING_EARLIER: Earlier = MappingProxyType({})
_ID_DIGITS = 32
_INTEGERS = range(-(2**63), 2**64)


def chosen_rules(only: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[CataloguedRule, ...]:
    """The rules whose ids fit a glob of `only` (all where there is none) and no glob of `skip`, by id.

    Raises UsageError where a glob fits no rule, for then something would be left out that somebody relies on, and where
    no rule remains.
    """
    for option, globs in (("--only", only), ("--skip", skip)):
        for glob in globs:
            if not any(fnmatchcase(entry.id, glob) for entry in catalogue()):
                raise UsageError(f"{option} {glob}: no rule has such an id; `pacs-checker rules` lists them")
    chosen = tuple(
        entry
        for entry in catalogue()
        if (not only or any(fnmatchcase(entry.id, glob) for glob in only))
        and not any(fnmatchcase(entry.id, glob) for glob in skip)
    )
    if not chosen:
        raise UsageError("--only and --skip together leave no rule to judge by")
    return chosen


@dataclass(frozen=True, slots=True)
class _Broken:
    """What is left of an exception: its kind and its place, never its text."""

    exception: str
    place: str

    @classmethod
    def of(cls, error: BaseException) -> _Broken:
        return cls(type(error).__name__, place_of(error))

    def verdict(self) -> Verdict:
        return Verdict(
            Status.ERROR,
            f"This could not be judged because of a bug in the rule: {self.exception} at {self.place}.",
            {"exception": self.exception, "place": self.place},
        )


class Judge:
    """Judges the assets of one run: an inventory, seen from one vantage, at one moment.

    `now` is what expiry and validity are judged against. Raises UsageError as `chosen_rules` does.
    """

    def __init__(
        self,
        inventory: Inventory,
        run_id: str,
        vantage: str,
        now: datetime,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
    ) -> None:
        self.rules = chosen_rules(only, skip)
        self._run_id = run_id
        self._vantage = vantage
        self._now = now
        self._policy = Policy.of(inventory)
        self._zones = frozenset(zone.name for zone in inventory.zones)
        self._notice_days = inventory.defaults.certificate_notice_days

    @property
    def looks_across_the_fleet(self) -> bool:
        """Whether any of the rules compares assets with each other."""
        return any(entry.rule.shares is not None for entry in self.rules)

    def shares(self, asset: Asset, observations: Sequence[Observation]) -> Iterator[tuple[str, str]]:
        """The keys that fleet rules compare between assets, as (id of the rule, key), each once.

        A rule that raises here gives none; `findings` then has its error.
        """
        whole = self._whole(asset, observations)
        for entry in self.rules:
            if entry.rule.shares is not None:
                keys = _keys(entry, whole)
                if not isinstance(keys, _Broken):
                    yield from ((entry.id, key) for key in keys)

    def implementations(
        self, asset: Asset, observations: Sequence[Observation]
    ) -> Mapping[Place, Implementation | None]:
        """By which implementation each DICOM service of the asset answers at each address; None where that is not one.

        Nothing where the services cannot be told apart, which `findings` says as an error.
        """
        if not any(service.is_dicom for service in asset.services):
            return {}
        services = _split(self._whole(asset, observations), _NOTHING_EARLIER)
        if isinstance(services, _Broken):
            return {}
        return {place: implementation(case) for case in services if (place := service_place(case)) is not None}

    def findings(
        self,
        asset: Asset,
        observations: Sequence[Observation],
        sharers: Sharers,
        earlier: Earlier = _NOTHING_EARLIER,
    ) -> list[Finding]:
        """Every finding of the asset, by rule and then in the inventory's order of services; no two share an id.

        A rule about services gives one for each service and address that it applies to, or a single `not_applicable`
        for the asset where there is none. `sharers` is what all assets of the inventory gave in `shares`.
        """
        whole = self._whole(asset, observations)
        services = _split(whole, earlier)
        identities: Counter[str] = Counter()
        found = []
        for entry in self.rules:
            about = whole if entry.rule.shares is None else replace(whole, sharers=sharers.get(entry.id, {}))
            for case, verdict in _verdicts(entry, about, services):
                found.append(self._finding(entry, case, verdict, identities))
        return found

    def _whole(self, asset: Asset, observations: Sequence[Observation]) -> Case:
        seen = tuple(observations)
        return Case(
            asset,
            self._vantage,
            self._now,
            self._policy,
            seen=seen,
            asset_seen=seen,
            certificate_notice_days=self._notice_days,
        )

    def _finding(self, entry: CataloguedRule, case: Case, verdict: Verdict, identities: Counter[str]) -> Finding:
        asset, rule = case.asset, entry.rule
        resting_on = verdict.observations or tuple(item.id for item in case.seen)
        named = frozenset(resting_on)
        identity = "\0".join((entry.id, asset.id, *_identity(case), self._vantage))
        identities[identity] += 1
        if identities[identity] > 1:
            identity += f"\0{identities[identity]}"
        return Finding(
            finding_id=hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()[:_ID_DIGITS],
            run_id=self._run_id,
            observed_at=max((item.observed_at for item in case.asset_seen if item.id in named), default=self._now),
            rule=RuleRef(entry.id, rule.version, rule.title),
            status=verdict.status,
            severity=self._severity(entry, asset, verdict),
            asset=AssetRef(asset.id, asset.name, asset.role, asset.site, asset.zone, asset.owner),
            service=_service_ref(case),
            vantage=self._vantage,
            summary=verdict.summary,
            evidence=verdict.evidence,
            observations=resting_on,
            remedy=rule.remedy,
            controls=rule.controls,
        )

    def _severity(self, entry: CataloguedRule, asset: Asset, verdict: Verdict) -> Severity:
        """How much a failure matters, which every finding says, whatever its status.

        It is the verdict's, else the rule's, one step higher where the vantage is the internet or a zone of the
        inventory other than the asset's own. Of a vantage that is no zone, and of an asset of which no zone is known,
        nothing can be said, so nothing is raised.
        """
        base = verdict.severity or entry.rule.severity
        other_zone = self._vantage in self._zones and asset.zone is not None and asset.zone != self._vantage
        return base.raised() if entry.rule.rises and (self._vantage == INTERNET or other_zone) else base


def _split(whole: Case, earlier: Earlier) -> tuple[Case, ...] | _Broken:
    try:
        cases = tuple(service_cases(whole))
        return tuple(_as_known(case, earlier) for case in cases) if earlier else cases
    except Exception as error:  # a bug of ours must become findings that say so
        return _Broken.of(error)


def _as_known(case: Case, earlier: Earlier) -> Case:
    place = service_place(case)
    known = None if place is None else earlier.get(place)
    return case if known is None else replace(case, earlier_identity=known)


def _keys(entry: CataloguedRule, whole: Case) -> tuple[str, ...] | _Broken:
    try:
        return tuple(dict.fromkeys(entry.rule.shares(whole))) if entry.rule.shares is not None else ()
    except Exception as error:
        return _Broken.of(error)


def _verdicts(
    entry: CataloguedRule, whole: Case, services: tuple[Case, ...] | _Broken
) -> Iterator[tuple[Case, Verdict]]:
    """The cases that the rule judges, each with what came of it."""
    keys = _keys(entry, whole)
    if isinstance(keys, _Broken):
        yield whole, keys.verdict()
        return
    if entry.rule.subject is Subject.ASSET:
        yield whole, _verdict(entry, whole)
        return
    cases = services if isinstance(services, _Broken) else _applicable(entry, services)
    if isinstance(cases, _Broken):
        yield whole, cases.verdict()
    elif not cases:
        yield replace(whole, seen=()), not_applicable("The asset declares no service that this rule is about.")
    else:
        for case in cases:
            judged = replace(case, sharers=whole.sharers) if whole.sharers else case
            yield judged, _verdict(entry, judged)


def _applicable(entry: CataloguedRule, services: tuple[Case, ...]) -> tuple[Case, ...] | _Broken:
    try:
        return tuple(case for case in services if entry.rule.applies(case.the_service()))
    except Exception as error:
        return _Broken.of(error)


def _verdict(entry: CataloguedRule, case: Case) -> Verdict:
    try:
        verdict = entry.rule.judge(case)
        return replace(verdict, evidence={str(key): _plain(value) for key, value in verdict.evidence.items()})
    except Exception as error:
        return _Broken.of(error).verdict()


def _plain(value: JsonValue) -> JsonValue:
    """The value as JSON can say it. Raises TypeError or ValueError where it cannot, which is a bug of the rule."""
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
        case int() if value in _INTEGERS:
            return value
        case float() if isfinite(value):
            return value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            message = "evidence that has no form in JSON"
            raise TypeError(message)


def _identity(case: Case) -> tuple[str, ...]:
    """What makes the service a finding speaks of this one and no other, stable from run to run.

    The AE title is a part of it only where one port is declared for several: it is what a failing finding may tell the
    reader to correct, and a corrected service must still be the same one for the finding to be seen to be resolved.
    """
    service = case.service
    if service is None:
        return ("asset", "", "", "", "")
    place = _place(service)
    alike = [other for other in case.asset.services if _place(other) == place]
    ae_title = service.ae_title or "" if len(alike) > 1 else ""
    return (*place, case.address or "", ae_title)


def _place(service: Service) -> tuple[str, str, str]:
    return (service.kind.value, str(service.port), service.url or "")


def _service_ref(case: Case) -> ServiceRef | None:
    service = case.service
    if service is None:
        return None
    return ServiceRef(
        kind=service.kind.value,
        address=case.address,
        port=service.port,
        ae_title=service.ae_title,
        url=service.url,
    )
