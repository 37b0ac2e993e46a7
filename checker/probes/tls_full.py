"""TLS at full depth: every suite and group that a server accepts, their order, its certificates and options.

Each hello offers what is left; what was chosen is removed, until a refusal. Everything is asked of a server that has
just shown that it answers, one connection after the other, and a refusal is believed once the server has accepted
again what it accepted before. A server that does not is weary, and nothing further is asked of it. Nor is anything
beyond the connections that the caller allows; a list is then as long as it got, and says why it is not complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from checker.codecs.tls import Flight
from checker.codecs.tls_choice import Choice, read_choice
from checker.codecs.tls_full import (
    every_group,
    families,
    is_cbc,
    order_of,
    portions,
    suites_for_curves,
    turned_round,
)
from checker.codecs.tls_hello import ClientHello, Extras, Version
from checker.codecs.tls_versions import prime_bits
from checker.model import Acceptance, GroupFacts, TlsFeatures, VersionFacts
from checker.probes.tls_hellos import Hellos

PROTOCOLS = ("dicom", "h2", "http/1.1")
"""The protocols that are offered by ALPN."""

_NEWEST = Extras(versions=(Version.TLS_1_3,))
# What ordinary clients ask for in every hello, so that it is seen without a hello of its own.
_OLDER = Extras(encrypt_then_mac=True, status_request=True, session_ticket=True)
_MOST_CERTIFICATES = 8
_INAPPROPRIATE_FALLBACK = 86  # RFC 7507 section 3
_WEARY = "the port did not accept again what it had accepted before"

_Asked = tuple[ClientHello, Choice, Flight]


@dataclass(slots=True)
class _Suites:
    """What is known of the suites of one version; `doubt` is why others may be accepted as well."""

    accepted: list[int]
    doubt: str | None = "not asked"
    server_order: bool | None = None


@dataclass(slots=True)
class FullDepth:
    """What is asked of one port at full depth, and what it has shown so far.

    `until` is the number of connections of the device at which it ends. `primes` are the sizes in bits of the finite
    fields that were seen, by version and suite; `chains` the certificates by their leaf.
    """

    hellos: Hellos
    until: int
    ended: str | None = None
    suites: dict[Version, _Suites] = field(default_factory=dict)
    groups: list[GroupFacts] = field(default_factory=list)
    primes: dict[Version, dict[int, int]] = field(default_factory=dict)
    chains: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    features: TlsFeatures = field(default_factory=TlsFeatures)

    async def ask(self, known: dict[Version, VersionFacts]) -> None:
        """Everything, of a server of which these versions are known; those that it accepts are gone through."""
        accepted = sorted((v for v, facts in known.items() if facts.acceptance is Acceptance.ACCEPTED), reverse=True)
        for version in accepted:
            first = known[version].cipher_suite
            # What SSLv3 chose in answer to a newer hello it may not choose without that one's extensions.
            self.suites[version] = _Suites([] if first is None or version is Version.SSL_3 else [first])
        for version in accepted:
            await self._list_suites(version)
            found, first = self.suites[version].accepted, known[version].cipher_suite
            if first is not None and first not in found:
                found.append(first)
        if Version.TLS_1_3 in accepted:
            await self._list_groups(Version.TLS_1_3, None, alone=True)
        older = [version for version in accepted if version is not Version.TLS_1_3]
        for version in older[:1]:
            suites, alone = suites_for_curves(self.suites[version].accepted)
            if suites and version is not Version.SSL_3:  # which has no extensions to name them in
                await self._list_groups(version, suites, alone=alone)
            await self._ask_alpn(version)
        if len(accepted) > 1:
            await self._ask_fallback(accepted[1])

    def told(self, version: Version, facts: VersionFacts) -> VersionFacts:
        """The facts of a version with what is known of its suites."""
        found = self.suites.get(version)
        if found is None:
            return facts
        return replace(
            facts,
            suites=tuple(found.accepted),
            complete=found.doubt is None,
            incomplete=found.doubt,
            server_order=found.server_order,
        )

    async def _ask(
        self,
        purpose: str,
        version: Version,
        *,
        suites: tuple[int, ...] | None = None,
        groups: tuple[int, ...] | None = None,
        extras: Extras | None = None,
    ) -> _Asked | None:
        """One hello; None where it may not be sent or no connection came about, and `ended` then says why."""
        if self.ended is None:
            self.ended = self.hellos.stopped
        if self.ended is None and self.hellos.talk.device.connections >= self.until:
            self.ended = "the connections that were to be had for it are spent"
        if self.ended is not None:
            return None
        if extras is None:
            extras = _NEWEST if version is Version.TLS_1_3 else _OLDER
        answer = await self.hellos.ask(
            f"{purpose} of {version.label}", version, suites=suites, groups=groups, extras=extras
        )
        if answer is None:
            self.ended = self.hellos.stopped
            return None
        hello, flight, end = answer
        choice = read_choice(hello, flight, end)
        if choice.acceptance is Acceptance.ACCEPTED and choice.version is version:
            self._note(version, choice, flight, extras)
        return hello, choice, flight

    # ---------------------------------------------------------------------------------------------------- suites

    async def _list_suites(self, version: Version) -> None:
        found = self.suites[version]
        doubts: list[str] = []
        for portion in portions(version):
            rest = tuple(code for code in portion if code not in found.accepted)
            await self._exhaust(version, rest, doubts, apart=True)
        if await self._again(version, doubts):
            if not found.accepted:  # it cannot speak the version with none
                doubts.append("the port accepts the version and refused every suite of it")
            found.doubt = "; ".join(dict.fromkeys(doubts)) or None
        else:
            found.doubt = self.ended

    async def _exhaust(self, version: Version, rest: tuple[int, ...], doubts: list[str], *, apart: bool) -> None:
        """Offer what is left, and remove what was chosen, until it is refused.

        What ends in anything else is offered once more, each kind of key exchange by itself, if it is still to be taken
        `apart`: the server may have failed over the one that it likes best, and have more behind it.
        """
        found = self.suites[version].accepted
        while rest:
            asked = await self._ask("suites", version, suites=rest)
            if asked is None:
                return
            _hello, choice, _flight = asked
            if choice.acceptance is Acceptance.REFUSED:
                return
            if choice.version is version and choice.suite is not None:
                found.append(choice.suite)
                rest = tuple(code for code in rest if code != choice.suite)
                continue
            if not await self._again(version, doubts):
                return
            kinds = families(rest)
            if apart and len(kinds) > 1:
                for family in kinds:
                    await self._exhaust(version, family, doubts, apart=False)
            else:
                doubts.append(_why(choice))
            return

    async def _again(self, version: Version, doubts: list[str]) -> bool:
        """Whether the server still accepts what it has accepted; it also shows whose order counts."""
        found = self.suites[version]
        offered, chacha20_last = turned_round(found.accepted)
        extras = replace(_NEWEST if version is Version.TLS_1_3 else _OLDER, chacha20_last=chacha20_last)
        asked = await self._ask("order of suites", version, suites=offered or None, extras=extras)
        if asked is None:
            return False
        hello, choice, _flight = asked
        if choice.acceptance is not Acceptance.ACCEPTED:
            self._weary()
            return False
        if choice.version is not version:
            doubts.append(_why(choice))
            return True
        found.server_order = order_of(tuple(found.accepted), hello.suites, choice.suite)
        return True

    # ---------------------------------------------------------------------------------------------------- groups

    async def _list_groups(self, version: Version, suites: tuple[int, ...] | None, *, alone: bool) -> None:
        """`alone`: nothing but the groups can be what the server refuses."""
        facts = await self._exhaust_groups(version, suites)
        if facts.incomplete is None:
            chosen = tuple(reversed(facts.groups))
            asked = await self._ask("order of groups", version, suites=suites, groups=chosen or None)
            if asked is None:
                facts = replace(facts, incomplete=self.ended)
            elif asked[1].acceptance is not Acceptance.ACCEPTED or asked[1].version is not version:
                self._weary()
                facts = replace(facts, incomplete=_WEARY)
            else:
                order = order_of(facts.groups, chosen, asked[1].group)
                doubt = None if alone else "the certificate is for one curve, and others were not accepted without it"
                facts = replace(facts, server_order=order, incomplete=doubt)
        self.groups.append(replace(facts, complete=facts.incomplete is None))

    async def _exhaust_groups(self, version: Version, suites: tuple[int, ...] | None) -> GroupFacts:
        found: list[int] = []
        rest = every_group(version)
        doubt = None
        while rest:
            asked = await self._ask("groups", version, suites=suites, groups=rest)
            if asked is None:
                doubt = self.ended
                break
            _hello, choice, _flight = asked
            if choice.acceptance is Acceptance.REFUSED and found:
                break
            if choice.version is not version or choice.group is None or choice.stray_group:
                doubt = _why(choice) if not choice.stray_group else "the server chose a group that was not offered"
                await self._again(version, [])
                break
            found.append(choice.group)
            rest = tuple(code for code in rest if code != choice.group)
        return GroupFacts(version.label, tuple(found), incomplete=doubt)

    # ---------------------------------------------------------------------------------------------------- besides

    async def _ask_alpn(self, version: Version) -> None:
        if version is Version.SSL_3:
            return
        asked = await self._ask("protocol", version, extras=replace(_OLDER, alpn=PROTOCOLS))
        if asked is None or asked[1].server_hello is None or asked[1].acceptance is not Acceptance.ACCEPTED:
            return
        answer = asked[1].server_hello
        chosen = answer.alpn
        if chosen is None or chosen in PROTOCOLS:
            self.features = replace(self.features, alpn=chosen, alpn_offered=PROTOCOLS)

    async def _ask_fallback(self, version: Version) -> None:
        """A hello of less than the server speaks, which says that its client knows of more."""
        asked = await self._ask("fallback", version, extras=Extras(fallback=True))
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


def _why(choice: Choice) -> str:
    if choice.reason is not None:
        return choice.reason
    return "the server chose a lower version" if choice.version is not None else "the answer shows no choice"
