"""Pure: what a TLS service was seen to do, beside what a profile asks.

"Consistent" is the most that can be said: everything that the profile asks and hellos can show was seen to be so. It is
never said of a service of which something is open. Policy depth leaves open what a profile asks of whole lists; full
depth decides it where its lists are complete (`checker.rules.lists`).
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.catalog.cipher_suites import CipherSuite, suite_named
from checker.catalog.named_groups import named_group
from checker.catalog.tls_profiles import SuiteClass, TlsProfile
from checker.model import Acceptance, JsonValue, Status, TlsOffer
from checker.rules.base import Case, Verdict, passed, unknown
from checker.rules.default_host import UNNAMED, telling_default_host
from checker.rules.demands import Comparison, key_type_seen, merged, options_and_certificates
from checker.rules.lists import (
    NEWEST,
    curves_not_listed,
    fields_not_seen,
    groups_seen,
    is_newest,
    lacks,
    may_use_curves,
    not_listed,
    not_told,
    places,
    suites_at,
    versions_of,
    whole_lists,
)
from checker.rules.suites import (
    CLASSES,
    OLDER,
    Choice,
    choices,
    default_choices,
    few,
    offers_told,
    refused_everywhere,
    undecided_versions,
    unrefused,
)
from checker.rules.transport import acceptances, hellos_asked, named, ssl2_is_open, versions_told

_OFFERS: dict[SuiteClass, TlsOffer] = {"broken": TlsOffer.BROKEN_SUITES}  # all other classes are among the weak suites
_LONGEST = 110  # characters of a list within the one sentence


def verdict_on(case: Case, profile: TlsProfile) -> Verdict:
    """What was refused and is required, or accepted and forbidden, fails; to pass, nothing may be left open."""
    return telling_default_host(case, _verdict_on(case, profile))


def _verdict_on(case: Case, profile: TlsProfile) -> Verdict:
    found = compare(case, profile)
    evidence: dict[str, JsonValue] = {
        "profile": profile.id,
        "source": profile.source,
        "retired": profile.retired,
        "missing": list(found.missing),
        "too_much": list(found.too_much),
        "discouraged": list(found.discouraged),
        "not_shown": list(found.open),
        "whole_lists": sorted(whole_lists(case)),
        "versions": versions_told(case),
        "offers": offers_told(case, TlsOffer.BROKEN_SUITES, TlsOffer.WEAK_SUITES),
    }
    if found.missing or found.too_much:
        parts = [("too much", found.too_much), ("missing", found.missing)]
        said = "; ".join(f"{word}: {_some(items)}" for word, items in parts if items)
        return Verdict(Status.FAIL, f"Not consistent with {profile.id}; {said}.", evidence)
    if found.open:
        return unknown(f"Nothing speaks against {profile.id}, but it was not shown {_some(found.open)}.", **evidence)
    advice = f" It accepts what is advised against: {_some(found.discouraged)}." if found.discouraged else ""
    return passed(f"Consistent with {profile.id} in all that was asked.{advice}", **evidence)


def _some(items: tuple[str, ...]) -> str:
    """Two of the items where they fit into the sentence, else one, and how many more."""
    two = few(list(items), 2)
    return two if len(two) <= _LONGEST // 2 else few(list(items), 1)


def compare(case: Case, profile: TlsProfile) -> Comparison:
    """Everything in which the service is seen to differ from a profile, and everything that is not known."""
    seen, permitted = choices(case), _Permitted.by(profile)
    return merged(
        _versions(case, profile),
        _required(case, profile, seen),
        _permitted(case, permitted, seen),
        _classes(case, profile, seen),
        _sizes(case, profile, seen),
        _one_group(case, profile),
        options_and_certificates(case, profile),
        _without_name(profile, permitted, default_choices(case)),
    )


def _versions(case: Case, profile: TlsProfile) -> Comparison:
    answers = acceptances(case)
    missing: list[str] = []
    too_much: list[str] = []
    unclear: list[str] = []
    for version in profile.versions.required:
        if answers.get(version) is Acceptance.REFUSED:
            missing.append(version)
        elif answers.get(version) is not Acceptance.ACCEPTED or not_told(case, version):
            unclear.append(f"whether {version} is accepted")
    decided = (Acceptance.ACCEPTED, Acceptance.REFUSED)  # a server that chose an older one has refused the newer
    preferred = profile.versions.preferred
    unclear += [f"whether {version} is accepted" for version in preferred if answers.get(version) not in decided]
    for version in profile.versions.forbidden:
        if answers.get(version) is Acceptance.ACCEPTED:
            too_much.append(version)
        elif ssl2_is_open(case) if version == "SSLv2" else _may_be_accepted(case, version):
            unclear.append(f"whether {version} is accepted")
    discouraged = [v for v in profile.versions.discouraged if answers.get(v) is Acceptance.ACCEPTED]
    return Comparison(tuple(missing), tuple(too_much), tuple(discouraged), tuple(unclear))


def _may_be_accepted(case: Case, version: str) -> bool:
    return acceptances(case).get(version) is not Acceptance.REFUSED or not_told(case, version)


def _required(case: Case, profile: TlsProfile, seen: list[Choice]) -> Comparison:
    missing: list[str] = []
    unclear: list[str] = []
    chosen = {choice.suite.name for choice in seen if choice.suite is not None}
    for name in profile.suites.required:
        suite = suite_named(name)
        if suite is None or (is_newest(suite) and acceptances(case).get(NEWEST) is not Acceptance.ACCEPTED):
            continue  # that TLS 1.3 is not accepted says it already
        if lacks(case, suite) or (name not in chosen and not is_newest(suite) and refused_everywhere(case, suite)):
            # A suite of another kind of key than the server has is refused whatever the product supports.
            kind = _key_wanted(case, suite)
            if kind is None:
                missing.append(name)
            else:
                unclear.append(f"whether {name} is supported, for no {kind} key was seen")
        elif name not in chosen or not _at_every_place(case, suite):
            unclear.append(f"whether {name} is accepted")
    return Comparison(missing=tuple(missing), open=tuple(unclear))


def _at_every_place(case: Case, suite: CipherSuite) -> bool:
    where = places(case, versions_of(suite))
    return len(where) < 2 or all(suite.code in suites_at(facts) for facts in where)


def _key_wanted(case: Case, suite: CipherSuite) -> str | None:
    """The kind of key that a suite needs and the server was not seen to have; None where it is no question of keys."""
    answers = acceptances(case)
    if is_newest(suite) or not any(answers.get(version) is Acceptance.ACCEPTED for version in OLDER):
        return None
    return None if key_type_seen(case, suite.authentication) else suite.authentication


def _permitted(case: Case, permitted: _Permitted | None, seen: list[Choice]) -> Comparison:
    if permitted is None:
        return Comparison()
    beyond = [choice.words() for choice in seen if permitted.leaves_out(choice)]
    unlisted = not_listed(case, permitted.versions)
    unclear = f"whether suites outside its list are refused under {few(unlisted, 4)}"
    return Comparison(too_much=tuple(beyond), open=(unclear,) if unlisted else ())


@dataclass(frozen=True, slots=True)
class _Permitted:
    """The names of all suites that a profile permits, and the versions of which it says so."""

    names: frozenset[str]
    versions: tuple[str, ...]

    @classmethod
    def by(cls, profile: TlsProfile) -> _Permitted | None:
        """None where the profile has no list of all that is permitted."""
        if not profile.suites.also_permitted:
            return None
        names = frozenset((*profile.suites.required, *profile.suites.also_permitted))
        newest = any(suite is not None and is_newest(suite) for suite in map(suite_named, names))
        return cls(names, (*OLDER, NEWEST) if newest else OLDER)

    def leaves_out(self, choice: Choice) -> bool:
        """Whether a suite was chosen that is not on the list."""
        return choice.suite is not None and choice.version in self.versions and choice.suite.name not in self.names


def _without_name(profile: TlsProfile, permitted: _Permitted | None, seen: list[Choice]) -> Comparison:
    """What is taken from a client that names no host is taken from anybody who leaves the name out."""
    found = [
        f"{choice.words()} {UNNAMED}"
        for choice in seen
        if choice.version in profile.versions.forbidden
        or (permitted is not None and permitted.leaves_out(choice))
        or _within(choice, profile.suites.forbidden)
        or (profile.dhe_bits is not None and choice.prime_bits is not None and choice.prime_bits < profile.dhe_bits)
    ]
    return Comparison(too_much=tuple(found))


def _classes(case: Case, profile: TlsProfile, seen: list[Choice]) -> Comparison:
    forbidden, discouraged = profile.suites.forbidden, profile.suites.discouraged
    too_much = tuple(choice.words() for choice in seen if _within(choice, forbidden))
    advised_against = tuple(choice.words() for choice in seen if _within(choice, discouraged))
    if not forbidden:
        return Comparison(discouraged=advised_against)
    unclear = [f"whether {version} is accepted" for version in undecided_versions(case)]
    whole = whole_lists(case)
    for offer in dict.fromkeys(_OFFERS.get(name, TlsOffer.WEAK_SUITES) for name in forbidden):
        versions = [version for version in unrefused(case, offer) if version not in whole]
        if versions:
            words = offer.value.replace("-", " ")
            unclear.append(f"whether {words} are all refused under {few(versions, 4)}")
    return Comparison(too_much=too_much, discouraged=advised_against, open=tuple(unclear))


def _within(choice: Choice, classes: tuple[SuiteClass, ...]) -> bool:
    suite = choice.suite
    return suite is not None and any(CLASSES[name](suite) for name in classes)


def _sizes(case: Case, profile: TlsProfile, seen: list[Choice]) -> Comparison:
    too_much: list[str] = []
    unclear: list[str] = []
    if profile.dhe_bits is not None:
        sizes = [choice.prime_bits for choice in seen if choice.prime_bits is not None]
        too_much += [f"a finite field of {bits} bits" for bits in sizes if bits < profile.dhe_bits]
        unclear += [f"what size the finite field has under {version}" for version in fields_not_seen(case, seen)]
    if profile.ecdhe_strength is not None:
        groups = [group for choice in seen if (group := named_group(choice.group)) is not None]
        groups += [group for facts in hellos_asked(case) for group in groups_seen(facts)]
        curves = [group for group in groups if group.kind == "curve"]
        too_much += [group.name for group in curves if group.strength < profile.ecdhe_strength]
        # TLS 1.3 has no weak ones (RFC 8446 section 4.2.7).
        unlisted = curves_not_listed(case, OLDER)
        unclear += [f"whether weaker curves are refused under {few(unlisted, 4)}"] if unlisted else []
    return Comparison(too_much=tuple(too_much), open=tuple(unclear))


def _one_group(case: Case, profile: TlsProfile) -> Comparison:
    """At each place one of the groups must have been seen; to be missing, no list may be open at any."""
    wanted = profile.one_of_groups
    if not wanted:
        return Comparison()
    versions = (*OLDER, NEWEST)
    where = places(case, versions)
    lacking = [facts for facts in where if not any(group.name in wanted for group in groups_seen(facts))]
    if where and not lacking:
        return Comparison()
    if not where or curves_not_listed(case, versions):
        return Comparison(open=(f"whether {' or '.join(wanted)} is accepted",))
    # Who agrees on no keys over curves needs none.
    with_curves = any(
        may_use_curves(facts, named(one.version))
        for facts in lacking
        for one in facts.versions
        if one.acceptance is Acceptance.ACCEPTED
    )
    return Comparison(missing=(" or ".join(wanted),) if with_curves else ())
