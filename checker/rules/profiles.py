"""Pure: what a TLS service was seen to do, beside what a profile asks.

"Consistent" is the most that can be said: everything that the profile asks and hellos can show was seen to be so. It is
never said of a service of which something is open.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.catalog.named_groups import named_group
from checker.catalog.tls_profiles import SuiteClass, TlsProfile
from checker.model import Acceptance, TlsOffer
from checker.rules.base import Case
from checker.rules.suites import (
    CLASSES,
    OLDER,
    Choice,
    choices,
    few,
    fields_not_seen,
    refused_everywhere,
    suite_named,
    undecided_versions,
    unrefused,
)
from checker.rules.transport import acceptances, ssl2_is_open

_OFFERS: dict[SuiteClass, TlsOffer] = {"broken": TlsOffer.BROKEN_SUITES}  # all other classes are among the weak suites


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing`: asked for and refused; `too_much`: forbidden and accepted; `discouraged`: accepted, against advice.

    `open`: what was not shown, each as a clause that begins with "whether" or "what".
    """

    missing: tuple[str, ...] = ()
    too_much: tuple[str, ...] = ()
    discouraged: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


def compare(case: Case, profile: TlsProfile) -> Comparison:
    """Everything in which the service is seen to differ from a profile, and everything that is not known."""
    seen = choices(case)
    missing, too_much, unclear = _versions(case, profile)
    chosen = {choice.suite.name for choice in seen if choice.suite is not None}
    for name in profile.suites.required:
        if name in chosen:
            continue
        if refused_everywhere(case, suite_named(name)):
            missing.append(name)
        else:
            unclear.append(f"whether {name} is accepted")
    too_much += _suites(seen, profile) + _sizes(seen, profile)
    unclear += _unrefused(case, profile)
    if profile.dhe_bits is not None:
        unclear += [f"what size the finite field has under {version}" for version in fields_not_seen(case, seen)]
    if profile.not_shown is not None:
        unclear.append(profile.not_shown)
    discouraged = [
        *(v for v in profile.versions.discouraged if acceptances(case).get(v) is Acceptance.ACCEPTED),
        *(choice.words() for choice in seen if _within(choice, profile.suites.discouraged)),
    ]
    found = (missing, too_much, [item for item in discouraged if item not in too_much], unclear)
    return Comparison(*(tuple(dict.fromkeys(items)) for items in found))


def _versions(case: Case, profile: TlsProfile) -> tuple[list[str], list[str], list[str]]:
    answers = acceptances(case)
    missing: list[str] = []
    too_much: list[str] = []
    unclear: list[str] = []
    for version in profile.versions.required:
        if answers.get(version) is Acceptance.REFUSED:
            missing.append(version)
        elif answers.get(version) is not Acceptance.ACCEPTED:
            unclear.append(f"whether {version} is accepted")
    decided = (Acceptance.ACCEPTED, Acceptance.REFUSED)  # a server that chose an older one has refused the newer
    preferred = profile.versions.preferred
    unclear += [f"whether {version} is accepted" for version in preferred if answers.get(version) not in decided]
    for version in profile.versions.forbidden:
        if answers.get(version) is Acceptance.ACCEPTED:
            too_much.append(version)
        elif ssl2_is_open(case) if version == "SSLv2" else answers.get(version) is not Acceptance.REFUSED:
            unclear.append(f"whether {version} is accepted")
    return missing, too_much, unclear


def _suites(seen: list[Choice], profile: TlsProfile) -> list[str]:
    permitted = {*profile.suites.required, *profile.suites.also_permitted} if profile.suites.also_permitted else None
    return [
        choice.suite.name
        for choice in seen
        if choice.suite is not None
        and (
            _within(choice, profile.suites.forbidden)
            or (permitted is not None and choice.version in OLDER and choice.suite.name not in permitted)
        )
    ]


def _within(choice: Choice, classes: tuple[SuiteClass, ...]) -> bool:
    suite = choice.suite
    return suite is not None and any(CLASSES[name](suite) for name in classes)


def _sizes(seen: list[Choice], profile: TlsProfile) -> list[str]:
    found = []
    for choice in seen:
        bits, group = choice.prime_bits, named_group(choice.group)
        if profile.dhe_bits is not None and bits is not None and bits < profile.dhe_bits:
            found.append(f"a finite field of {bits} bits")
        if profile.ecdhe_strength is not None and group is not None and group.kind == "curve":
            found += [group.name] if group.strength < profile.ecdhe_strength else []
    return found


def _unrefused(case: Case, profile: TlsProfile) -> list[str]:
    if not profile.suites.forbidden:
        return []
    asked = dict.fromkeys(_OFFERS.get(name, TlsOffer.WEAK_SUITES) for name in profile.suites.forbidden)
    found = [f"whether {version} is accepted" for version in undecided_versions(case)]
    for offer in asked:
        versions = unrefused(case, offer)
        if versions:
            words = offer.value.replace("-", " ")
            found.append(f"whether {words} are all refused under {few(versions, 4)}")
    return found
