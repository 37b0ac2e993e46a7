"""Pure: what hellos on purpose show of a TLS service's suites, groups and options, shared by the rules of `tls`.

Nothing is taken as refused that was not refused in so many words: under each version below TLS 1.3 that is not refused
itself, the offer in question must have been. One doubt outweighs a refusal, and what was not asked is in doubt. TLS 1.3
has no suite with which any of these rules finds fault, no compression and no renegotiation (RFC 8446 section 1.2), so
it needs no offer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from checker.catalog.cipher_suites import CipherSuite, cipher_suite, suite_named
from checker.catalog.tls_profiles import SuiteClass
from checker.codecs.tls_policy import is_broken
from checker.model import (
    Acceptance,
    GroupFacts,
    HandshakeFacts,
    JsonValue,
    OfferFacts,
    TlsFacts,
    TlsOffer,
    VersionFacts,
)
from checker.rules.base import Case
from checker.rules.default_host import default_acceptances
from checker.rules.transport import acceptances, asked_versions, hellos_asked, is_weary, named, ssl2_is_open

OLDER = ("SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2")
"""The versions that have suites to find fault with; all of SSLv2 is at fault."""

LEAST_FIELD = 2048
"""The smallest finite field that is not weak, in bits (RFC 9325 section 4.2, NIST SP 800-56A revision 3)."""

CLASSES: Mapping[SuiteClass, Callable[[CipherSuite], bool]] = MappingProxyType(
    {
        "broken": is_broken,
        "3des": lambda suite: suite.encryption.startswith("3DES"),
        "no-forward-secrecy": lambda suite: not suite.forward_secrecy,
        "cbc": lambda suite: "CBC" in suite.encryption,
        "sha1": lambda suite: suite.mac == "SHA",
        "dhe": lambda suite: suite.key_exchange == "DHE",
    }
)
"""What makes a suite belong to a class."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a server chose under `version`. `prime_bits` is the size of a finite field, None where it was not seen."""

    version: str
    suite: CipherSuite | None = None
    prime_bits: int | None = None
    group: int | None = None

    def told(self) -> dict[str, JsonValue]:
        """The choice as evidence."""
        row: dict[str, JsonValue] = {"version": self.version}
        if self.suite is not None:
            row["cipher_suite"] = self.suite.name
        if self.prime_bits is not None:
            row["prime_bits"] = self.prime_bits
        return row

    def words(self) -> str:
        """The choice in a sentence."""
        return self.version if self.suite is None else self.suite.name


def choices(case: Case) -> list[Choice]:
    """Every choice that was seen, each once: of nearly complete offers, of those on purpose, and of handshakes."""
    seen: list[Choice] = []
    for version in asked_versions(case):
        if version.acceptance is Acceptance.ACCEPTED:
            suite = cipher_suite(version.cipher_suite)
            seen.append(Choice(named(version.version), suite, version.prime_bits, version.group))
            further = (code for code in version.suites if code != version.cipher_suite)
            seen += [Choice(named(version.version), cipher_suite(code)) for code in further]
    for offer in offers(case):
        if offer.acceptance is Acceptance.ACCEPTED:
            suite = cipher_suite(offer.cipher_suite)
            seen.append(Choice(named(offer.version), suite, offer.prime_bits, offer.group))
    completed = [one for one in case.facts(HandshakeFacts) if one.completed and one.version is not None]
    if acceptances(case):  # else the port was asked by the name of another service
        seen += [Choice(named(one.version or ""), suite_named(one.cipher_suite_name)) for one in completed]
    return list(dict.fromkeys(seen))


def default_choices(case: Case) -> list[Choice]:
    """Every choice that was seen without a name, each once, and none that was seen by the name as well.

    They find fault and prove nothing else: what a default host takes is not taken by the name (see
    `checker.rules.default_host`).
    """
    seen = [
        Choice(named(answer.version or ""), cipher_suite(answer.cipher_suite), answer.prime_bits)
        for answer in default_acceptances(case)
    ]
    by_name = {replace(choice, group=None) for choice in choices(case)}
    return [choice for choice in dict.fromkeys(seen) if choice not in by_name]


def offers(case: Case, kind: TlsOffer | None = None) -> list[OfferFacts]:
    """The offers that were made on purpose, of one kind or of all, in the order observed.

    What a weary server refused is in doubt (`checker.rules.transport.is_weary`).
    """
    return [offer for facts in hellos_asked(case) for offer in _offers_in(case, facts, kind)]


def _offers_in(case: Case, facts: TlsFacts, kind: TlsOffer | None = None) -> list[OfferFacts]:
    found = [offer for offer in facts.offers if kind is None or offer.offer is kind]
    if not is_weary(case):
        return found
    return [
        replace(offer, acceptance=Acceptance.INCONCLUSIVE, reason=f"{offer.reason}, as to an ordinary handshake")
        if offer.acceptance is Acceptance.REFUSED
        else offer
        for offer in found
    ]


def accepting(case: Case, version: str) -> list[TlsFacts]:
    """The places where hellos showed that a version is accepted: what one of them refused says nothing of another."""
    return [
        facts
        for facts in hellos_asked(case)
        if any(named(one.version) == version and one.acceptance is Acceptance.ACCEPTED for one in facts.versions)
    ]


def groups_listed(case: Case) -> list[GroupFacts]:
    """The lists of groups that full depth made, in the order observed."""
    return [groups for facts in hellos_asked(case) for groups in facts.groups]


def offers_told(case: Case, *kinds: TlsOffer) -> list[JsonValue]:
    """The offers as evidence; the suites themselves are many, so that their number is told."""
    return [
        {key: value for key, value in row.items() if value is not None}
        for offer in offers(case)
        if offer.offer in kinds
        for row in (
            {
                "offer": offer.offer.value,
                "version": offer.version,
                "acceptance": offer.acceptance.value,
                "suites_offered": len(offer.suites) or None,
                "groups_offered": len(offer.groups) or None,
                "cipher_suite": offer.cipher_suite_name,
                "group": offer.group_name,
                "prime_bits": offer.prime_bits,
                "reason": offer.reason,
            },
        )
    ]


def weakness(choice: Choice) -> str | None:
    """Why a choice is weak, in few words; None where it is not."""
    if choice.prime_bits is not None and choice.prime_bits < LEAST_FIELD:
        return f"finite field of {choice.prime_bits} bits"
    if choice.suite is None:
        return None
    if CLASSES["3des"](choice.suite):
        return "3DES"
    if CLASSES["no-forward-secrecy"](choice.suite):
        return "no forward secrecy"
    # Older versions have nothing but CBC and RC4, and are found fault with by themselves.
    return "CBC" if choice.version == "TLS 1.2" and CLASSES["cbc"](choice.suite) else None


def undecided_versions(case: Case, *, ssl2: bool = False) -> list[str]:
    """The older versions of which it is not known whether they are accepted; SSLv2 among them only where it counts."""
    answers = acceptances(case)
    known = (Acceptance.ACCEPTED, Acceptance.REFUSED)
    first = ["SSLv2"] if ssl2 and ssl2_is_open(case) else []
    return first + [version for version in OLDER if answers.get(version) not in known]


def unrefused(case: Case, kind: TlsOffer) -> list[str]:
    """The accepted versions below TLS 1.3 under which this offer was not refused, or not beyond doubt."""
    answers = acceptances(case)
    accepted = [version for version in ("SSLv2", *OLDER) if answers.get(version) is Acceptance.ACCEPTED]
    return [version for version in accepted if not _refused(case, kind, version)]


def _refused(case: Case, kind: TlsOffer, version: str) -> bool:
    # An acceptance is judged by what was chosen; it takes a refusal of the rest as well, wherever it is accepted.
    def refused(answers: list[OfferFacts]) -> bool:
        those = [offer for offer in answers if named(offer.version) == version]
        doubted = any(offer.acceptance is Acceptance.INCONCLUSIVE for offer in those)
        return not doubted and any(offer.acceptance is Acceptance.REFUSED and offer.suites for offer in those)

    return refused(offers(case, kind)) and all(
        refused(_offers_in(case, facts, kind)) for facts in accepting(case, version)
    )


def refused_everywhere(case: Case, suite: CipherSuite | None) -> bool:
    """Whether a suite was offered and refused under every version below TLS 1.3 that is not refused itself."""
    answers = acceptances(case)
    if suite is None or undecided_versions(case):
        return False
    accepted = [version for version in OLDER if answers.get(version) is Acceptance.ACCEPTED]
    with_it = [offer for offer in offers(case) if suite.code in offer.suites]
    refused = {named(offer.version) for offer in with_it if offer.acceptance is Acceptance.REFUSED}
    doubted = {named(offer.version) for offer in with_it if offer.acceptance is Acceptance.INCONCLUSIVE}
    return all(version in refused and version not in doubted for version in accepted)


def undecided_options(case: Case, option: Callable[[VersionFacts], bool | None]) -> list[str]:
    """The versions below TLS 1.3 that are not refused and under which an answer to this option was not seen.

    SSLv2 has no options; where it is accepted it is told, so that nothing is said to be well.
    """
    answers = acceptances(case)
    taken = [facts for facts in asked_versions(case) if facts.acceptance is Acceptance.ACCEPTED]
    hidden = {named(facts.version) for facts in taken if option(facts) is None}
    shown = {named(facts.version) for facts in taken} - hidden  # at every address where it is accepted
    first = ["SSLv2"] if answers.get("SSLv2") is Acceptance.ACCEPTED else []
    return first + [
        version
        for version in OLDER
        if answers.get(version) is not Acceptance.REFUSED
        and not (answers.get(version) is Acceptance.ACCEPTED and version in shown)
    ]


def few(names: list[str], most: int = 2) -> str:
    """The first names and how many more, for a sentence."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
