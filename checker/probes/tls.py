"""TLS: which versions a port accepts and what it makes of bad offers, by hellos that are left, and one handshake.

First come the versions and the offers (`checker.probes.tls_survey`), then one whole handshake
(`checker.probes.tls_handshake`), then what is shown to a client that sends no name where one was sent
(`checker.probes.tls_default`), and SSLv2 at the very end: its hello is the only one that no ordinary client sends, so
whatever stands between may drop it, and what silence puts an end to has all been asked then.

At full depth everything that it accepts is asked for after the versions (`checker.probes.tls_full`), with the handshake
in between, for what shows in it saves hellos. Then only those offers are made that do not follow from what it accepts.

Nothing further is asked once the port speaks something else, falls silent, or takes no more connections.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from checker.codecs.tls import Protocol
from checker.codecs.tls_full import concluded_groups, concluded_suites
from checker.codecs.tls_hello import Version, sni
from checker.codecs.tls_versions import verdicts
from checker.codecs.x509 import TrustStore, certificate_facts, system_trust_store
from checker.errors import MalformedPeerData
from checker.model import CertificateFacts, DefaultHostFacts, Depth, HandshakeFacts, TlsFacts
from checker.net.tls import OwnCertificate
from checker.plan import TLS_FULL_CONNECTIONS
from checker.probes.talk import Talk
from checker.probes.tls_default import DEFAULT_HOST_FULL_CONNECTIONS, ask_without_name
from checker.probes.tls_full import PROTOCOLS, FullDepth
from checker.probes.tls_handshake import Handshake, own_certificate_taken, resumed_handshake, whole_handshake
from checker.probes.tls_hellos import Hellos
from checker.probes.tls_survey import Survey

_HANDSHAKES = 3  # at full depth: one that is turned away is made again, twice at the most
# At full depth: SSLv2, what is shown without a name, and the offers where the lists do not answer them.
_KEPT = 1 + DEFAULT_HOST_FULL_CONNECTIONS + 5


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
    own: OwnCertificate | None = None,
) -> None:
    """Record one `TlsFacts` and, where TLS was spoken, one `HandshakeFacts`; neither where no connection came about.

    `server_name` is sent as SNI where it is a host name. `names` are the host names and addresses by which clients
    reach the service: the certificate is compared with them. `now` is the wall clock by which certificates are valid,
    `trust` gives the store that they are to lead to; `own` is our certificate, shown to a server that was seen to
    require one. Takes `checker.plan.TLS_CONNECTIONS` connections at most. At full depth it takes `most`, or as many as
    that where `most` is less.
    """
    hellos = Hellos(talk, sni(server_name))
    probe = _Probe(hellos, Survey(hellos), names, now, trust, own)
    until = talk.device.connections + most - _KEPT
    try:
        await probe.survey.ask_versions()
        if depth is Depth.FULL:
            made = await probe.ask_in_full(until)
        else:
            await probe.survey.ask_offers()
            made = await probe.handshake()
        if made is not None:
            await probe.ask_without_name(made.facts, depth)
            await probe.survey.ask_ssl2()
    finally:
        # What the hellos showed is kept, also where the visit is broken off meanwhile.
        if hellos.connected:
            talk.record(probe.facts())


@dataclass(slots=True)
class _Probe:
    """What is asked of one port, and what it has shown."""

    hellos: Hellos
    survey: Survey
    names: tuple[str, ...]
    now: Callable[[], datetime]
    trust: Callable[[], TrustStore | None]
    own: OwnCertificate | None
    full: FullDepth | None = None
    default: DefaultHostFacts | None = None
    shown: CertificateFacts | None = None  # in the whole handshake

    async def handshake(self, *, full: bool = False) -> Handshake | None:
        """One whole handshake of a port that was understood, and its facts; None where it came to none."""
        hellos = self.hellos
        if not hellos.understood or hellos.lost:
            return None
        made = await whole_handshake(
            hellos.talk,
            hellos.server_name,
            self.names,
            hellos.certificates,
            self.now,
            self.trust,
            group=self.full.group_alone() if self.full is not None else None,
            alpn=PROTOCOLS if full else (),
            thorough=full,
        )
        if made is None:
            hellos.stopped = "the port took no further connection"
            return None
        facts = made.facts
        self.shown = facts.certificate
        try:
            if self.own is not None and facts.client_certificate == "required":
                taken = await own_certificate_taken(hellos.talk, hellos.server_name, self.own)
                facts = replace(facts, own_certificate=taken)
        finally:
            hellos.talk.record(facts)
        return made

    async def ask_without_name(self, named: HandshakeFacts, depth: Depth) -> None:
        """What the port shows to a client that sends no name, where it was asked by one."""
        known = {named.certificate.sha256} if named.certificate is not None else set()
        if self.full is not None:
            known |= {sha256(leaf).hexdigest() for leaf in self.full.chains}
        self.default = await ask_without_name(
            self.hellos,
            self.survey.accepted(),
            depth=depth,
            known=known,
            names=self.names,
            now=self.now,
            trust=self.trust,
        )

    async def ask_in_full(self, until: int) -> Handshake | None:
        """Everything that is accepted, until the device has had so many connections; then what is not known by that.

        The handshake that was made meanwhile; None where it came to none, and nothing more is asked then.
        """
        # Of the connections the handshake may take more than one, and the lists must leave them to it.
        self.full = full = FullDepth(self.hellos, until - _HANDSHAKES - (self.own is not None))
        full.begin(self.survey.known, self.survey.chosen, self.survey.signatures)
        await full.ask_newest()
        made = await self.handshake(full=True)
        if made is None:
            return None
        full.may_take(until)
        if made.facts.completed:
            full.accepted_once_more()
        await full.ask_rest(made.facts.groups)
        if made.session is not None and full.may_ask():
            resumed = await resumed_handshake(self.hellos.talk, self.hellos.server_name, made.session)
            if resumed is not None:
                full.accepted_once_more()
                full.features = replace(full.features, resumption=resumed)
        await full.confirm()
        await self._ask_what_is_open(full)
        return made

    async def _ask_what_is_open(self, full: FullDepth) -> None:
        """The offers of policy depth that the lists do not answer."""
        survey = self.survey
        settled: set[Version] = set()
        for version in survey.accepted():
            facts = full.told(version, survey.known[version])
            if version is not Version.TLS_1_3 and facts.complete:
                survey.offers += concluded_suites(version, facts, full.primes.get(version, {}))
                settled.add(version)
        for groups in full.groups():
            if groups.version == Version.TLS_1_3.label and (offer := concluded_groups(groups)) is not None:
                survey.offers.append(offer)
                settled.add(Version.TLS_1_3)
        older = [version for version in survey.accepted() if version is not Version.TLS_1_3]
        if older and max(older) in settled:
            settled.update(older)  # for the offers are made to the highest alone
        await survey.ask_offers(settled)

    def facts(self) -> TlsFacts:
        """All that the hellos showed."""
        hellos, full, survey = self.hellos, self.full, self.survey
        known = survey.known
        if full is not None:
            known = {version: full.told(version, facts) for version, facts in known.items()}
        return TlsFacts(
            versions=verdicts(known, f"not asked: {hellos.stopped or 'the visit had ended'}", survey.ssl2),
            offers=tuple(survey.offers),
            plaintext_dicom=Protocol.DICOM in hellos.spoken,
            plaintext_http=Protocol.HTTP in hellos.spoken,
            answered=hellos.answered,
            client_certificate_requested=hellos.certificate_requested,
            server_name=hellos.server_name,
            detail=hellos.stopped,
            depth=Depth.POLICY if full is None else Depth.FULL,
            groups=() if full is None else full.groups(),
            signatures=None if full is None else full.signatures(),
            features=None if full is None else full.features,
            certificates=() if full is None else self._certificates(full),
            default_host=self.default,
        )

    def _certificates(self, full: FullDepth) -> tuple[CertificateFacts, ...]:
        found = []
        for leaf, chain in full.chains.items():
            if self.shown is not None and sha256(leaf).hexdigest() == self.shown.sha256:
                found.append(self.shown)
                continue
            # One that cannot be read is told of by the handshake.
            with suppress(MalformedPeerData):
                facts = certificate_facts(chain, names=self.names, at=self.now(), store=self.trust())
                if facts is not None:
                    found.append(facts)
        return tuple(found)
