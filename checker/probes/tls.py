"""TLS: which versions a port accepts and what it makes of bad offers, asked by hellos that are left at once.

The newest version is asked first: its answer costs a server least and names what the server likes best, and an old
server shows with the same answer how far it goes, which saves it the hellos in between. The version that it stops at is
asked once more, for no hello of TLS 1.3 may offer a compression. Then come the offers (`checker.probes.tls_offers`),
TLS 1.2 with its rarer suites where it may have been refused for want of them, one whole handshake
(`checker.probes.tls_handshake`), and SSLv2 at the very end: its hello is the only one that no ordinary client sends, so
whatever stands between may drop it, and what silence puts an end to has all been asked then.

Nothing further is asked once the port speaks something else, falls silent, or takes no more connections. What the
answers prove is for `checker.codecs.tls_versions` and `checker.codecs.tls_policy` to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checker.codecs.tls import Protocol
from checker.codecs.tls_hello import PLAIN, Extras, Version, sni
from checker.codecs.tls_policy import unusual_suites
from checker.codecs.tls_versions import SSL_2, joined, read_answer, read_ssl2, refuses_offer, verdicts
from checker.codecs.x509 import TrustStore, system_trust_store
from checker.model import Acceptance, OfferFacts, TlsFacts, VersionFacts
from checker.probes.talk import Talk
from checker.probes.tls_handshake import whole_handshake
from checker.probes.tls_hellos import Hellos
from checker.probes.tls_offers import ask_offers

# Clients of TLS 1.0 to 1.2 used to offer DEFLATE, so that no server is known to choke on it; SSLv3 never knew it.
_WITH_DEFLATE = (Version.TLS_1_0, Version.TLS_1_1, Version.TLS_1_2)


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def probe_tls(
    talk: Talk,
    *,
    server_name: str | None,
    names: tuple[str, ...],
    now: Callable[[], datetime] = _utc_now,
    trust: Callable[[], TrustStore | None] = system_trust_store,
) -> None:
    """Record one `TlsFacts` and, where TLS was spoken, one `HandshakeFacts`; neither where no connection came about.

    `server_name` is sent as SNI where it is a host name. `names` are the host names and addresses by which clients
    reach the service: the certificate is compared with them. `now` is the wall clock by which certificates are valid,
    `trust` gives the store that they are to lead to. Takes `checker.plan.TLS_CONNECTIONS` connections at most.
    """
    hellos = Hellos(talk, sni(server_name))
    survey = _Survey(hellos)
    await survey.ask()
    if not hellos.connected:
        return
    try:
        if hellos.understood and not hellos.lost:
            facts = await whole_handshake(talk, hellos.server_name, names, hellos.certificates, now, trust)
            if facts is not None:
                talk.record(facts)
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
    known: dict[Version, VersionFacts] = field(default_factory=dict)
    ssl2: VersionFacts | None = None
    offers: list[OfferFacts] = field(default_factory=list)

    async def ask(self) -> None:
        """One hello for each version that no earlier answer has settled, the newest first; then the offers."""
        for version in sorted(Version, reverse=True):
            if self._settled(version):
                continue
            extras = Extras(deflate=True) if version in _WITH_DEFLATE else PLAIN
            answer = await self.hellos.ask(f"{version.label} hello", version, extras=extras)
            if answer is not None:
                self.known = joined(self.known, read_answer(*answer))
            if self.hellos.stopped is not None:
                break
        accepted = [version for version, facts in self.known.items() if facts.acceptance is Acceptance.ACCEPTED]
        newest = self.known.get(Version.TLS_1_2)
        prime_known = newest is not None and newest.prime_bits is not None
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

    async def ask_ssl2(self) -> None:
        """One hello of SSLv2, of a port that has spoken TLS."""
        if self.hellos.stopped is None:
            answer = await self.hellos.ask_ssl2(f"{SSL_2} hello")
            if answer is not None:
                self.ssl2 = read_ssl2(*answer)

    def facts(self) -> TlsFacts:
        """All that the hellos showed."""
        hellos = self.hellos
        return TlsFacts(
            versions=verdicts(self.known, f"not asked: {hellos.stopped or 'the visit had ended'}", self.ssl2),
            offers=tuple(self.offers),
            plaintext_dicom=Protocol.DICOM in hellos.spoken,
            plaintext_http=Protocol.HTTP in hellos.spoken,
            answered=hellos.answered,
            client_certificate_requested=hellos.certificate_requested,
            server_name=hellos.server_name,
            detail=hellos.stopped,
        )

    def _settled(self, version: Version) -> bool:
        facts = self.known.get(version)
        if facts is None:
            return False
        open_question = version in _WITH_DEFLATE and facts.compression is None
        return facts.acceptance is not Acceptance.ACCEPTED or not open_question
