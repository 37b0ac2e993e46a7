"""TLS: which versions a port accepts and what it makes of bad offers, asked by hellos that are left at once.

The newest version is asked first: its answer costs a server least and names what the server likes best, and an old
server shows with the same answer how far it goes, which saves it the hellos in between. The version that it stops at is
asked once more, for no hello of TLS 1.3 may offer a compression. Then come the offers (`checker.probes.tls_offers`),
TLS 1.2 with its rarer suites where it may have been refused for want of them, one whole handshake
(`checker.probes.tls_handshake`), and SSLv2 at the very end: its hello is the only one that no ordinary client sends, so
whatever stands between may drop it, and what silence puts an end to has all been asked then.

At full depth everything that it accepts is asked for after the handshake (`checker.probes.tls_full`). Then only those
offers are made that do not follow from what it accepts.

Nothing further is asked once the port speaks something else, falls silent, or takes no more connections. What the
answers prove is for `checker.codecs.tls_versions` and `checker.codecs.tls_policy` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checker.codecs.tls import Protocol
from checker.codecs.tls_full import concluded_groups, concluded_suites
from checker.codecs.tls_hello import PLAIN, Extras, Version, sni
from checker.codecs.tls_policy import unusual_suites
from checker.codecs.tls_versions import SSL_2, joined, read_answer, read_ssl2, refuses_offer, verdicts
from checker.codecs.x509 import TrustStore, certificate_facts, system_trust_store
from checker.errors import MalformedPeerData
from checker.model import Acceptance, CertificateFacts, Depth, OfferFacts, TlsFacts, VersionFacts
from checker.plan import TLS_FULL_CONNECTIONS
from checker.probes.talk import Talk
from checker.probes.tls_full import FullDepth
from checker.probes.tls_handshake import whole_handshake
from checker.probes.tls_hellos import Hellos
from checker.probes.tls_offers import ask_offers

# Clients of TLS 1.0 to 1.2 used to offer DEFLATE, so that no server is known to choke on it; SSLv3 never knew it.
_WITH_DEFLATE = (Version.TLS_1_0, Version.TLS_1_1, Version.TLS_1_2)

_KEPT = 5  # at full depth: SSLv2, and the offers where the lists do not answer them


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def probe_tls(
    talk: Talk,
    *,
    server_name: str | None,
    names: tuple[str, ...],
    now: Callable[[], datetime] = _utc_now,
    trust: Callable[[], TrustStore | None] = system_trust_store,
    depth: Depth = Depth.POLICY,
    most: int = TLS_FULL_CONNECTIONS,
) -> None:
    """Record one `TlsFacts` and, where TLS was spoken, one `HandshakeFacts`; neither where no connection came about.

    `server_name` is sent as SNI where it is a host name. `names` are the host names and addresses by which clients
    reach the service: the certificate is compared with them. `now` is the wall clock by which certificates are valid,
    `trust` gives the store that they are to lead to. Takes `checker.plan.TLS_CONNECTIONS` connections at most. At full
    depth it takes `most`, or as many as that where `most` is less.
    """
    until = talk.device.connections + most - _KEPT
    hellos = Hellos(talk, sni(server_name))
    survey = _Survey(hellos, names, now, trust)
    await survey.ask()
    if depth is Depth.POLICY:
        await survey.ask_offers()
    if not hellos.connected:
        return
    try:
        if hellos.understood and not hellos.lost:
            facts = await whole_handshake(talk, hellos.server_name, names, hellos.certificates, now, trust)
            if facts is not None:
                talk.record(facts)
                if depth is Depth.FULL:
                    await survey.ask_in_full(until)
                await survey.ask_ssl2()
            else:
                hellos.stopped = "the port took no further connection"
    finally:
        # What the hellos showed is kept, also where the visit is broken off meanwhile.
        talk.record(survey.facts())


@dataclass(slots=True)
class _Survey:
    """What the hellos to one port showed of its versions, and of what was offered to it."""

    hellos: Hellos
    names: tuple[str, ...]
    now: Callable[[], datetime]
    trust: Callable[[], TrustStore | None]
    full: FullDepth | None = None
    known: dict[Version, VersionFacts] = field(default_factory=dict)
    ssl2: VersionFacts | None = None
    offers: list[OfferFacts] = field(default_factory=list)

    async def ask(self) -> None:
        """One hello for each version that no earlier answer has settled, the newest first."""
        for version in sorted(Version, reverse=True):
            if self._settled(version):
                continue
            extras = Extras(deflate=True) if version in _WITH_DEFLATE else PLAIN
            answer = await self.hellos.ask(f"{version.label} hello", version, extras=extras)
            if answer is not None:
                self.known = joined(self.known, read_answer(*answer))
            if self.hellos.stopped is not None:
                break

    async def ask_offers(self, settled: Collection[Version] = ()) -> None:
        """The offers to the versions that are accepted, but for those of which they are settled."""
        newest = self.known.get(Version.TLS_1_2)
        prime_known = newest is not None and newest.prime_bits is not None
        accepted = [version for version in self._accepted() if version not in settled]
        await ask_offers(self.hellos, accepted, prime_known=prime_known, found=self.offers)
        if accepted and newest is not None and refuses_offer(newest):
            await self._ask_unusual()

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

    async def ask_in_full(self, until: int) -> None:
        """Everything that is accepted, until the device has had so many connections; then what is not known by that."""
        self.full = full = FullDepth(self.hellos, until)
        await full.ask(self.known)
        settled: set[Version] = set()
        for version in self._accepted():
            facts = full.told(version, self.known[version])
            if version is not Version.TLS_1_3 and facts.complete:
                self.offers += concluded_suites(version, facts, full.primes.get(version, {}))
                settled.add(version)
        for groups in full.groups:
            if groups.version == Version.TLS_1_3.label and (offer := concluded_groups(groups)) is not None:
                self.offers.append(offer)
                settled.add(Version.TLS_1_3)
        older = [version for version in self._accepted() if version is not Version.TLS_1_3]
        if older and max(older) in settled:
            settled.update(older)  # for the offers are made to the highest alone
        await self.ask_offers(settled)

    async def ask_ssl2(self) -> None:
        """One hello of SSLv2, of a port that has spoken TLS."""
        if self.hellos.stopped is None:
            answer = await self.hellos.ask_ssl2(f"{SSL_2} hello")
            if answer is not None:
                self.ssl2 = read_ssl2(*answer)

    def facts(self) -> TlsFacts:
        """All that the hellos showed."""
        hellos, full = self.hellos, self.full
        known = self.known
        if full is not None:
            known = {version: full.told(version, facts) for version, facts in known.items()}
        return TlsFacts(
            versions=verdicts(known, f"not asked: {hellos.stopped or 'the visit had ended'}", self.ssl2),
            offers=tuple(self.offers),
            plaintext_dicom=Protocol.DICOM in hellos.spoken,
            plaintext_http=Protocol.HTTP in hellos.spoken,
            answered=hellos.answered,
            client_certificate_requested=hellos.certificate_requested,
            server_name=hellos.server_name,
            detail=hellos.stopped,
            depth=Depth.POLICY if full is None else Depth.FULL,
            groups=() if full is None else tuple(full.groups),
            features=None if full is None else full.features,
            certificates=() if full is None else self._certificates(full),
        )

    def _accepted(self) -> list[Version]:
        return [version for version, facts in self.known.items() if facts.acceptance is Acceptance.ACCEPTED]

    def _certificates(self, full: FullDepth) -> tuple[CertificateFacts, ...]:
        found = []
        for chain in full.chains.values():
            # One that cannot be read is told of by the handshake.
            with suppress(MalformedPeerData):
                found.append(certificate_facts(chain, names=self.names, at=self.now(), store=self.trust()))
        return tuple(facts for facts in found if facts is not None)

    def _settled(self, version: Version) -> bool:
        facts = self.known.get(version)
        if facts is None:
            return False
        open_question = version in _WITH_DEFLATE and facts.compression is None
        return facts.acceptance is not Acceptance.ACCEPTED or not open_question
