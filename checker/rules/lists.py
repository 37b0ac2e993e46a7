"""Pure: the whole lists of full depth, and when they decide.

A list decides nothing unless it is complete at every place where its version is accepted, and the server was never seen
to be weary: then what is not on it was refused. Policy depth has no lists, and nothing is decided by what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.catalog.cipher_suites import CipherSuite, cipher_suite
from checker.catalog.named_groups import NamedGroup, named_group
from checker.model import Acceptance, TlsFacts, TlsOffer, VersionFacts
from checker.rules.base import Case
from checker.rules.suites import OLDER, Choice, accepting, offers
from checker.rules.transport import acceptances, asked_versions, hellos_asked, is_weary, named

NEWEST = "TLS 1.3"


def is_newest(suite: CipherSuite) -> bool:
    """Whether a suite is of TLS 1.3, which has no others, and no other version those (RFC 8446 appendix B.4)."""
    return suite.key_exchange == "any"


def versions_of(suite: CipherSuite) -> tuple[str, ...]:
    """The versions that can use a suite: AEAD and MACs of SHA-2 are of TLS 1.2 alone (RFC 5246, RFC 5288)."""
    if is_newest(suite):
        return (NEWEST,)
    return ("TLS 1.2",) if suite.mac in ("AEAD", "SHA256", "SHA384") else OLDER


def whole_lists(case: Case) -> frozenset[str]:
    """The accepted versions of which every accepted suite is known, at each place that was asked about them."""
    if is_weary(case):
        return frozenset()
    answers = acceptances(case)
    asked = [(named(one.version), one) for one in asked_versions(case) if one.acceptance is not Acceptance.REFUSED]
    partial = {version for version, one in asked if not _is_whole(one)}
    known = {version for version, _one in asked} - partial
    return frozenset(version for version in known if answers.get(version) is Acceptance.ACCEPTED)


def _is_whole(one: VersionFacts) -> bool:
    return one.acceptance is Acceptance.ACCEPTED and one.complete and bool(one.suites)


def not_told(case: Case, version: str) -> bool:
    """Whether some place that was asked about versions was not about this one: no answer elsewhere speaks for it."""
    asked = [{named(one.version) for one in facts.versions} for facts in hellos_asked(case) if facts.versions]
    return any(version not in told for told in asked)


def not_listed(case: Case, versions: Iterable[str]) -> list[str]:
    """Those of the versions that may be accepted and of which not every accepted suite is known."""
    answers, whole = acceptances(case), whole_lists(case)
    return [
        version
        for version in versions
        if not_told(case, version) or (answers.get(version) is not Acceptance.REFUSED and version not in whole)
    ]


def suites_at(facts: TlsFacts) -> frozenset[int]:
    """The code points of all suites that a server was seen to accept at one place."""
    taken = [one for one in facts.versions if one.acceptance is Acceptance.ACCEPTED]
    found = {code for one in taken for code in (one.cipher_suite, *one.suites)}
    found |= {one.cipher_suite for one in facts.offers if one.acceptance is Acceptance.ACCEPTED}
    return frozenset(code for code in found if code is not None)


def places(case: Case, versions: Iterable[str]) -> list[TlsFacts]:
    """The places at which one of the versions is accepted."""
    wanted = set(versions)
    return [
        facts
        for facts in hellos_asked(case)
        if any(named(one.version) in wanted and one.acceptance is Acceptance.ACCEPTED for one in facts.versions)
    ]


def lacks(case: Case, suite: CipherSuite) -> bool:
    """Whether at some place every version that can use the suite has its whole list, and the suite is on none."""
    usable = versions_of(suite)
    if is_weary(case):
        return False
    return any(_lacks(facts, suite.code, usable) for facts in places(case, usable))


def _lacks(facts: TlsFacts, code: int, usable: tuple[str, ...]) -> bool:
    told = {named(one.version) for one in facts.versions}
    open_ones = [
        one for one in facts.versions if named(one.version) in usable and one.acceptance is not Acceptance.REFUSED
    ]
    return told.issuperset(usable) and all(_is_whole(one) for one in open_ones) and code not in suites_at(facts)


def groups_seen(facts: TlsFacts) -> list[NamedGroup]:
    """The groups that a server was seen to agree on keys over at one place."""
    codes = [one.group for one in facts.versions if one.acceptance is Acceptance.ACCEPTED]
    codes += [one.group for one in facts.offers if one.acceptance is Acceptance.ACCEPTED]
    codes += [code for listed in facts.groups for code in listed.groups]
    return [group for code in dict.fromkeys(codes) if (group := named_group(code)) is not None]


def curves_not_listed(case: Case, versions: Iterable[str]) -> list[str]:
    """Those of the versions that may agree on keys over curves, and of which not every accepted curve is known."""
    answers, whole = acceptances(case), whole_lists(case)
    weary = is_weary(case)
    found = []
    for version in versions:
        if answers.get(version) is Acceptance.REFUSED:
            continue
        known = version in whole and not weary
        if not (known and all(_curves_known(facts, version) for facts in accepting(case, version))):
            found.append(version)
    return found


def _curves_known(facts: TlsFacts, version: str) -> bool:
    lists = [listed for listed in facts.groups if named(listed.version) == version]
    return (bool(lists) and all(listed.complete for listed in lists)) or not may_use_curves(facts, version)


def may_use_curves(facts: TlsFacts, version: str) -> bool:
    """Whether a version with its whole list can agree on keys over curves: TLS 1.3 always, others with ECDHE."""
    found = [code for one in facts.versions if named(one.version) == version for code in one.suites]
    suites = [suite for code in found if (suite := cipher_suite(code)) is not None]
    return version == NEWEST or any(suite.key_exchange == "ECDHE" for suite in suites)


def fields_not_seen(case: Case, seen: list[Choice]) -> list[str]:
    """The versions of which the size of the finite field is open: DHE was chosen, or may be, and no size was seen.

    A server has one field for all its suites with DHE, so that one size speaks for those under the same version. Under
    TLS 1.2, where no size was seen, all of DHE must have been refused, or be on no whole list.
    """
    sized = {choice.version for choice in seen if choice.prime_bits is not None}
    chosen = {choice.version for choice in seen if choice.suite is not None and is_dhe(choice.suite)}
    found = chosen - sized
    shown = sized | _dhe_refused(case) | whole_lists(case)
    if acceptances(case).get("TLS 1.2") is Acceptance.ACCEPTED and "TLS 1.2" not in shown:
        found.add("TLS 1.2")
    return sorted(found)


def is_dhe(suite: CipherSuite) -> bool:
    """Whether the keys are agreed on over a finite field, anew each time."""
    return suite.key_exchange == "DHE"


def _dhe_refused(case: Case) -> set[str]:
    return {
        named(offer.version)
        for offer in offers(case, TlsOffer.WEAK_SUITES)
        if offer.acceptance is Acceptance.REFUSED and any(_is_dhe_aead(code) for code in offer.suites)
    }


def _is_dhe_aead(code: int) -> bool:
    suite = cipher_suite(code)
    return suite is not None and is_dhe(suite) and suite.mac == "AEAD"
