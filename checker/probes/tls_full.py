"""TLS at full depth: every suite, group and signature scheme that a server accepts, its certificates and options.

What to ask next is for `checker.codecs.tls_walks` to say; here it is asked, one connection after the other, of a
server that has just shown that it answers. A refusal is believed once the server has accepted something after it. A
server that does not is weary, and nothing further is asked of it. Nor is anything beyond the connections that the
caller allows; a list is then as long as it got, and says why it is not complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import monotonic

from checker.codecs.tls import Flight
from checker.codecs.tls_choice import Choice, read_choice
from checker.codecs.tls_full import is_cbc
from checker.codecs.tls_hello import ClientHello, Extras, Version
from checker.codecs.tls_listing import Answer, Listing, Part, Question
from checker.codecs.tls_offers import FINITE_FIELDS
from checker.codecs.tls_versions import prime_bits
from checker.codecs.tls_walks import Walk, newest_groups, newest_suites, older
from checker.model import Acceptance, GroupFacts, SignatureFacts, TlsFeatures, VersionFacts
from checker.probes.tls_hellos import Hellos

PROTOCOLS = ("dicom", "h2", "http/1.1")
"""The protocols that are offered by ALPN."""

_NEWEST = Extras(versions=(Version.TLS_1_3,))
# What ordinary clients ask for in every hello, so that it is seen without a hello of its own.
_OLDER = Extras(encrypt_then_mac=True, status_request=True, session_ticket=True)
_MOST_CERTIFICATES = 8
LISTS_S = 120.0
"""How long the lists of one port may take, in seconds: a server that is slow with every hello is held no longer."""

_WEARY = "the port did not accept again what it had accepted before"
_SPENT = "the connections that were to be had for it are spent"
_INAPPROPRIATE_FALLBACK = 86  # RFC 7507 section 3
_NO_SUITE = "the port accepts the version and refused every suite of it"
# The groups that `ssl` can offer alone: P-256, P-384, P-521.
_ALONE = {0x0017: "prime256v1", 0x0018: "secp384r1", 0x0019: "secp521r1"}


@dataclass(slots=True)
class FullDepth:
    """What is asked of one port at full depth, and what it has shown so far.

    `until` is the number of connections of the device at which it ends. `primes` are the sizes in bits of the finite
    fields that were seen, by version and suite; `chains` the certificates by their leaf.
    """

    hellos: Hellos
    until: int
    ended: str | None = None
    listings: dict[Version, Listing] = field(default_factory=dict)
    primes: dict[Version, dict[int, int]] = field(default_factory=dict)
    chains: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    features: TlsFeatures = field(default_factory=TlsFeatures)
    _begun: float = field(default_factory=monotonic)
    _asked: int = 0  # hellos so far
    _believed: int = 0  # the last of them that was accepted: refusals before it are believed

    def begin(
        self, known: dict[Version, VersionFacts], hellos: dict[Version, ClientHello], signatures: dict[Version, int]
    ) -> None:
        """Start from the versions that are known, the hellos to which they were chosen, and how that was signed."""
        for version in sorted(known, reverse=True):
            facts = known[version]
            if facts.acceptance is not Acceptance.ACCEPTED:
                continue
            listing = self.listings[version] = Listing(version)
            hello = hellos.get(version)
            # What SSLv3 chose in answer to a newer hello it may not choose without that one's extensions.
            if facts.cipher_suite is None or (version is Version.SSL_3 and hello is not None and hello.groups):
                continue
            choice = Choice(Acceptance.ACCEPTED, version, facts.cipher_suite, group=facts.group)
            answer = Answer(choice, () if hello is None else hello.suites, signatures.get(version))
            named = hello is not None and not set(FINITE_FIELDS).isdisjoint(hello.groups)
            listing.note(answer, everything=hello is not None, fields=named)

    async def ask_newest(self) -> None:
        """The suites of TLS 1.3, and some of its groups."""
        listing = self.listings.get(Version.TLS_1_3)
        if listing is not None:
            await self._walk(listing, newest_suites(listing))
            self._close(listing.suites)

    def group_alone(self) -> str | None:
        """A group to be offered alone in a whole handshake of TLS 1.3, so that a server may name the others there.

        Servers do where they would rather have had another group (RFC 8446 section 4.2.7). None where none is known
        that serves.
        """
        listing = self.listings.get(Version.TLS_1_3)
        if listing is None or listing.weary:
            return None
        return next((_ALONE[code] for code in listing.groups.found[1:] if code in _ALONE), None)

    async def ask_rest(self, named: tuple[int, ...]) -> None:
        """All else. `named` are the groups of TLS 1.3 that the server itself has named."""
        newest = self.listings.get(Version.TLS_1_3)
        if newest is not None:
            await self._walk(newest, newest_groups(newest, named))
            self._close(newest.groups)
        versions = [version for version in self.listings if version is not Version.TLS_1_3]
        for version in versions:
            listing = self.listings[version]
            whole = version is versions[0]
            ordered = any(other.shows_order for other in self.listings.values())
            fields = self.listings[versions[0]].wants_fields
            walk = older(listing, whole=whole, ordered=ordered, fields=fields, told=named)
            await self._walk(listing, walk)
            self._close(listing.suites, listing.groups, listing.signatures)
        if len(self.listings) > 1:
            await self._ask_fallback(tuple(self.listings)[1])

    def may_ask(self) -> bool:
        """Whether one more connection may be had; `ended` says why not."""
        if self.ended is None:
            self.ended = self.hellos.stopped
        if self.ended is None and self.hellos.talk.device.connections >= self.until:
            self.ended = _SPENT
        if self.ended is None and monotonic() - self._begun > LISTS_S:
            self.ended = f"it took longer than {LISTS_S:.0f} s"
        return self.ended is None

    def may_take(self, until: int) -> None:
        """Allow connections up to this number, after some were kept for what has been asked meanwhile."""
        self.until = until
        if self.ended == _SPENT:
            self.ended = None

    def accepted_once_more(self) -> None:
        """The server has completed a handshake: what it refused before that is believed."""
        self._believed = self._asked

    async def confirm(self) -> None:
        """See that the server accepts what it has accepted, where it has accepted nothing since it last refused."""
        listing = next((listing for listing in self.listings.values() if listing.suites.found), None)
        parts = [part for one in self.listings.values() for part in (one.suites, one.groups, one.signatures)]
        if listing is None or all(part.closed is None or part.closed <= self._believed for part in parts):
            return
        answer = await self._ask(listing.version, listing.known())
        if answer is not None and answer.choice.acceptance is not Acceptance.ACCEPTED:
            self._weary()

    def told(self, version: Version, facts: VersionFacts) -> VersionFacts:
        """The facts of a version with what is known of its suites."""
        listing = self.listings.get(version)
        if listing is None:
            return facts
        doubt = self._doubt(listing.suites)
        if not listing.suites.found and listing.suites.asked:  # it cannot speak the version with none
            doubt = _NO_SUITE
        suites = listing.suites.found or ([] if facts.cipher_suite is None else [facts.cipher_suite])
        return replace(
            facts, suites=tuple(suites), complete=doubt is None, incomplete=doubt, server_order=self._order(listing)
        )

    def groups(self) -> tuple[GroupFacts, ...]:
        """The lists of groups, the newest version first."""
        return tuple(
            GroupFacts(listing.version.label, tuple(part.found), (doubt := self._doubt(part)) is None, doubt)
            for listing in self._whole()
            if (part := listing.groups).found
        )

    def signatures(self) -> SignatureFacts | None:
        """The signature schemes of TLS 1.2; None where none was seen."""
        listing = self.listings.get(Version.TLS_1_2)
        if listing is None or not listing.signatures.found:
            return None
        doubt = self._doubt(listing.signatures)
        return SignatureFacts(listing.version.label, tuple(listing.signatures.found), doubt is None, doubt)

    def _order(self, listing: Listing) -> bool | None:
        """Whether a version goes by the server's order, as far as that shows.

        The whole order is asked of one version; of another that has only ever chosen what came first in our own, it is
        taken to be the same.
        """
        if listing.server_order is None and listing.shows_order:
            return True
        asked = any(other.server_order is False for other in self.listings.values())
        return False if listing.server_order is None and asked and listing.follows else listing.server_order

    def _whole(self) -> list[Listing]:
        """The versions that are asked for more than suites: TLS 1.3, and the newest of the others."""
        older = [listing for version, listing in self.listings.items() if version is not Version.TLS_1_3]
        return [listing for listing in self.listings.values() if listing not in older[1:]]

    def _doubt(self, part: Part) -> str | None:
        """Why a list may lack something; None where it is complete."""
        doubts = list(part.doubts)
        if not part.asked:
            doubts.append(self.ended or "not asked")
        elif (self._asked if part.closed is None else part.closed) > self._believed:
            # Where it is not closed, the visit was broken off before that.
            doubts.append(self.ended or _WEARY)
        return "; ".join(dict.fromkeys(doubts)) or None

    def _close(self, *parts: Part) -> None:
        for part in parts:
            if part.asked:
                part.closed = self._asked

    async def _walk(self, listing: Listing, walk: Walk) -> None:
        """Ask what a walk wants to know, as long as there is leave to."""
        try:
            question = next(walk)
            while (answer := await self._ask(listing.version, question)) is not None:
                question = walk.send(answer)
        except StopIteration:
            if listing.weary:
                self._weary()
        else:
            walk.close()

    async def _ask(self, version: Version, question: Question) -> Answer | None:
        """One hello; None where it may not be sent or no connection came about, and `ended` then says why."""
        base = _NEWEST if version is Version.TLS_1_3 else _OLDER
        extras = base if question.chacha20_last else replace(base, chacha20_last=False)
        asked = await self._send(version, question, extras)
        if asked is None:
            return None
        hello, choice, flight = asked
        exchange = flight.key_exchange
        return Answer(choice, hello.suites, None if exchange is None else exchange.signature)

    async def _send(
        self, version: Version, question: Question, extras: Extras
    ) -> tuple[ClientHello, Choice, Flight] | None:
        if not self.may_ask():
            return None
        answer = await self.hellos.ask(
            f"{question.purpose} of {version.label}",
            version,
            suites=question.suites or None,
            groups=question.groups,
            signatures=question.signatures,
            extras=extras,
        )
        if answer is None:
            self.ended = self.hellos.stopped
            return None
        hello, flight, end = answer
        choice = read_choice(hello, flight, end)
        self._asked += 1
        if choice.acceptance is Acceptance.ACCEPTED:
            self._believed = self._asked
            if choice.version is version:
                self._note(version, choice, flight, extras)
        return hello, choice, flight

    async def _ask_fallback(self, version: Version) -> None:
        """A hello of less than the server speaks, which says that its client knows of more."""
        asked = await self._send(version, Question("fallback", ()), Extras(fallback=True))
        if asked is None:
            return
        choice = asked[1]
        honoured = choice.alert == _INAPPROPRIATE_FALLBACK
        if honoured or choice.acceptance is Acceptance.ACCEPTED:
            self.features = replace(self.features, fallback_scsv=honoured)

    def _note(self, version: Version, choice: Choice, flight: Flight, extras: Extras) -> None:
        """What an acceptance shows besides."""
        if flight.certificates and len(self.chains) < _MOST_CERTIFICATES:
            self.chains.setdefault(flight.certificates[0], flight.certificates)
        bits = prime_bits(flight, choice.group)
        if bits is not None and choice.suite is not None:
            self.primes.setdefault(version, {})[choice.suite] = bits
        answer = choice.server_hello
        if answer is None or version in (Version.SSL_3, Version.TLS_1_3) or not extras.status_request:
            return
        before = self.features
        mac_counts = choice.suite is not None and is_cbc(choice.suite)
        self.features = replace(
            before,
            extended_master_secret=_once(before.extended_master_secret, answer.extended_master_secret),
            encrypt_then_mac=_once(before.encrypt_then_mac, answer.encrypt_then_mac if mac_counts else None),
            session_ticket=_once(before.session_ticket, answer.session_ticket),
            ocsp_stapled=_once(before.ocsp_stapled, flight.stapled if flight.certificates else None),
        )

    def _weary(self) -> None:
        # Whoever refuses what it accepted says nothing by its refusals, so that no offer on purpose may follow either.
        self.ended = self.hellos.stopped = self.hellos.stopped or _WEARY


def _once(before: bool | None, seen: bool | None) -> bool | None:
    """What was done once is done."""
    return seen if before is None else before or bool(seen)
