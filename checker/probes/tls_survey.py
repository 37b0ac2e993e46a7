"""What the hellos to one port show of its versions and of what is offered to it on purpose: policy depth.

The newest version is asked first: its answer costs a server least and names what the server likes best, and an old
server shows with the same answer how far it goes, which saves it the hellos in between. The version that it stops at is
asked once more, for no hello of TLS 1.3 may offer a compression. An old version that fails inside the server is asked
once more by kinds of key exchange, for the server may fail over one kind alone. Then come the offers
(`checker.probes.tls_offers`), TLS 1.2 with its rarer suites where it may have been refused for want of them.

What the answers prove is for `checker.codecs.tls_versions` and `checker.codecs.tls_policy` to say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from checker.codecs.tls_hello import PLAIN, ClientHello, Extras, Version
from checker.codecs.tls_policy import unusual_suites
from checker.codecs.tls_versions import (
    OLD_KINDS,
    SSL_2,
    failed_inside,
    joined,
    old_suites,
    read_answer,
    read_ssl2,
    refused_in_all_kinds,
    refuses_offer,
)
from checker.model import Acceptance, OfferFacts, VersionFacts
from checker.probes.tls_hellos import Hellos
from checker.probes.tls_offers import ask_offers

# Clients of TLS 1.0 to 1.2 used to offer DEFLATE, so that no server is known to choke on it; SSLv3 never knew it.
_WITH_DEFLATE = (Version.TLS_1_0, Version.TLS_1_1, Version.TLS_1_2)


@dataclass(slots=True)
class Survey:
    """The hellos to one port and what they have shown so far.

    `chosen` are the hellos that versions were chosen for, `signatures` the schemes by which those were signed.
    """

    hellos: Hellos
    known: dict[Version, VersionFacts] = field(default_factory=dict)
    chosen: dict[Version, ClientHello] = field(default_factory=dict)
    signatures: dict[Version, int] = field(default_factory=dict)
    ssl2: VersionFacts | None = None
    offers: list[OfferFacts] = field(default_factory=list)

    def accepted(self) -> list[Version]:
        """The versions that were accepted."""
        return [version for version, facts in self.known.items() if facts.acceptance is Acceptance.ACCEPTED]

    async def ask_versions(self) -> None:
        """One hello for each version that no earlier answer has settled, the newest first."""
        for version in sorted(Version, reverse=True):
            if not self._settled(version) and self.hellos.stopped is None:
                await self._ask_version(version)
        await self._ask_failed()

    async def ask_offers(self, settled: Collection[Version] = ()) -> None:
        """The offers to the versions that are accepted, but for those of which they are settled."""
        newest = self.known.get(Version.TLS_1_2)
        prime_known = newest is not None and newest.prime_bits is not None
        accepted = [version for version in self.accepted() if version not in settled]
        await ask_offers(self.hellos, accepted, prime_known=prime_known, found=self.offers)
        if self.accepted() and newest is not None and refuses_offer(newest):
            await self._ask_unusual()

    async def ask_ssl2(self) -> None:
        """One hello of SSLv2, of a port that has spoken TLS."""
        if self.hellos.stopped is None:
            answer = await self.hellos.ask_ssl2(f"{SSL_2} hello")
            if answer is not None:
                self.ssl2 = read_ssl2(*answer)

    async def _ask_version(self, version: Version) -> None:
        answer = await self._send(version, f"{version.label} hello")
        if answer is not None:
            self.known = joined(self.known, answer)

    async def _send(
        self, version: Version, purpose: str, suites: tuple[int, ...] | None = None
    ) -> dict[Version, VersionFacts] | None:
        """One hello of at most this version, and what it shows."""
        extras = Extras(deflate=True) if version in _WITH_DEFLATE else PLAIN
        answer = await self.hellos.ask(purpose, version, suites=suites, extras=extras)
        if answer is None:
            return None
        hello, flight, _end = answer
        found = read_answer(*answer)
        for one, facts in found.items():
            if facts.acceptance is Acceptance.ACCEPTED:
                self.chosen[one] = hello  # as in `known`: a later acceptance is taken where it shows more
                if flight.key_exchange is not None and flight.key_exchange.signature is not None:
                    self.signatures.setdefault(one, flight.key_exchange.signature)
        return found

    async def _ask_failed(self) -> None:
        """The old versions that failed inside a server which speaks a newer one, by kinds of suites.

        TLS 1.0 and 1.1 sign in the same way (RFC 4346 section 7.4.3), so that of TLS 1.0 the first kind is enough where
        TLS 1.1 is decided. SSLv3 is left as it is.
        """
        newest = max(self.accepted(), default=Version.SSL_3)
        alike = False
        for version in (Version.TLS_1_1, Version.TLS_1_0):
            facts = self.known.get(version)
            if facts is None or not failed_inside(facts) or newest < version:
                continue
            answers = await self._ask_kinds(version, OLD_KINDS[:1] if alike else OLD_KINDS)
            refused = refused_in_all_kinds(facts, answers, alike=alike) if answers else None
            if refused is not None and self.known[version] is facts:
                self.known[version] = refused
                alike = True

    async def _ask_kinds(self, version: Version, kinds: tuple[str, ...]) -> list[VersionFacts]:
        """What kinds of suites by themselves show of a version, as many as it takes; none once one was accepted."""
        answers: list[VersionFacts] = []
        for kind in kinds:
            if self.hellos.stopped is not None:
                return []
            found = await self._send(version, f"{kind} of {version.label}", old_suites(version, kind))
            if found is None:
                return []
            accepted = {one: facts for one, facts in found.items() if facts.acceptance is Acceptance.ACCEPTED}
            if accepted:
                self.known.update(accepted)
                return []
            answers.append(found[version])
            if answers[0].acceptance is not Acceptance.REFUSED:
                break
        return answers

    async def _ask_unusual(self) -> None:
        """TLS 1.2 once more where a refusal may mean the suites, for one hello does not hold them all."""
        version = Version.TLS_1_2
        facts = VersionFacts(version.label, Acceptance.INCONCLUSIVE, reason="its rarer suites were not asked for")
        if self.hellos.stopped is None:
            answer = await self.hellos.ask(
                f"rarer suites at {version.label}", version, suites=unusual_suites(), extras=Extras(deflate=True)
            )
            if answer is not None:
                found = read_answer(*answer)
                facts = found.pop(version, facts)
                self.known.update(
                    (lower, one)
                    for lower, one in found.items()
                    if one.acceptance is Acceptance.ACCEPTED and self.known[lower].acceptance is not one.acceptance
                )
        self.known[version] = facts

    def _settled(self, version: Version) -> bool:
        facts = self.known.get(version)
        if facts is None:
            return False
        open_question = version in _WITH_DEFLATE and facts.compression is None
        return facts.acceptance is not Acceptance.ACCEPTED or not open_question
