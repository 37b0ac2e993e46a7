"""What a port that was asked by a name shows to a client that sends none: its default host.

A server may keep another certificate and other settings for clients that name no host (RFC 6066 section 3). Devices
that speak DICOM seldom send a name, so that what it shows without one is what most of its peers meet.

It asks through the talk of the hellos that it is given, once they have shown which versions are accepted, and never
where they sent no name: then they have shown it all. Nothing that is met here is told as if it were met by the name.
Only where the port falls silent, takes no more connections or speaks something else do the hellos by name learn of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from checker.catalog.cipher_suites import suite_name, suite_named
from checker.codecs.tls import Flight
from checker.codecs.tls_choice import Choice, read_choice
from checker.codecs.tls_hello import Version
from checker.codecs.tls_policy import broken_suites, weak_suites
from checker.codecs.tls_versions import prime_bits
from checker.codecs.x509 import TrustStore
from checker.model import Acceptance, DefaultHostFacts, Depth, HandshakeFacts, TlsOffer
from checker.probes.tls_handshake import described, whole_handshake
from checker.probes.tls_hellos import Hellos
from checker.probes.tls_offers import ask_offer

DEFAULT_HOST_CONNECTIONS = 1
"""So many connections it takes at the most at policy depth."""

DEFAULT_HOST_FULL_CONNECTIONS = 3
"""So many it takes at the most at full depth: the hello, broken suites, weak suites."""

# RFC 8446 section 9.2: missing_extension; RFC 6066 section 3: unrecognized_name. To a hello without a name they say in
# so many words that one is wanted.
_WANTS_A_NAME = frozenset({109, 112})
# The same, and what else refuses (`checker.codecs.tls_choice`), as OpenSSL names them in the detail of a handshake.
_REFUSED = (
    "MISSING_EXTENSION",
    "UNRECOGNIZED_NAME",
    "HANDSHAKE_FAILURE",
    "PROTOCOL_VERSION",
    "INSUFFICIENT_SECURITY",
)


async def ask_without_name(
    hellos: Hellos,
    accepted: Collection[Version],
    *,
    depth: Depth,
    known: Collection[str],
    names: tuple[str, ...],
    now: Callable[[], datetime],
    trust: Callable[[], TrustStore | None],
) -> DefaultHostFacts | None:
    """What the port shows without a name; None where none was sent to it, or none of its versions was accepted.

    `hellos` are those by name and `accepted` the versions that they found. `known` are the SHA-256, in lower-case hex,
    of the leaves that were shown by the name besides the one in clear that `hellos` has. For `names`, `now` and `trust`
    see `probe_tls`.

    One hello at the highest version up to TLS 1.2, which shows the certificate in clear. At full depth the same version
    is then offered broken suites and weak ones, and TLS 1.3, where nothing else is accepted, gets a whole handshake;
    at policy depth it is not asked. Takes `DEFAULT_HOST_CONNECTIONS`, at full depth `DEFAULT_HOST_FULL_CONNECTIONS` at
    the most.
    """
    # The hellos of SSLv3 have no place for a name, so that what speaks nothing newer has shown it all as well.
    if hellos.server_name is None or max(accepted, default=Version.SSL_3) is Version.SSL_3:
        return None
    if hellos.stopped is not None:
        return _not_asked(hellos.stopped)
    leaves = {*known, *(_digest(leaf) for leaf in hellos.certificates[:1])}
    older = [version for version in accepted if version is not Version.TLS_1_3]
    if older:
        facts = await _by_hellos(hellos, max(older), names, now, trust, full=depth is Depth.FULL)
    elif depth is Depth.FULL:
        facts = await _by_handshake(hellos, names, now, trust)
    else:
        facts = _not_asked("under TLS 1.3 alone, the certificate shows in a whole handshake only")
    if facts.certificate is None or not leaves:
        return facts
    return replace(facts, same_certificate=facts.certificate.sha256 in leaves)


async def _by_hellos(
    hellos: Hellos,
    version: Version,
    names: tuple[str, ...],
    now: Callable[[], datetime],
    trust: Callable[[], TrustStore | None],
    *,
    full: bool,
) -> DefaultHostFacts:
    # Hellos of their own, for nothing that is met without a name belongs to the facts about the name.
    nameless = Hellos(hellos.talk, None)
    try:
        answer = await nameless.ask(f"{version.label} hello without a name", version)
        if answer is None:
            return _not_asked(nameless.stopped)
        hello, flight, end = answer
        choice = read_choice(hello, flight, end)
        facts = _told(choice, flight, names, now, trust)
        chosen = choice.version
        # What the broken and the weak suites mean has its reasons in `checker.probes.tls_offers`. Of SSLv3 they were
        # asked before: its hellos have no place for a name.
        if not full or chosen is None or chosen is Version.SSL_3:
            return facts
        wanted = [(TlsOffer.BROKEN_SUITES, broken_suites(chosen))]
        if chosen is Version.TLS_1_2:
            wanted.append((TlsOffer.WEAK_SUITES, weak_suites()))
        offers = [
            await ask_offer(nameless, offer, chosen, suites=suites, how=" without a name") for offer, suites in wanted
        ]
        return replace(facts, offers=tuple(offers))
    finally:
        _pass_on(nameless, hellos)


async def _by_handshake(
    hellos: Hellos,
    names: tuple[str, ...],
    now: Callable[[], datetime],
    trust: Callable[[], TrustStore | None],
) -> DefaultHostFacts:
    made = await whole_handshake(hellos.talk, None, names, (), now, trust, purpose="TLS handshake without a name")
    if made is None:
        hellos.lost = True
        hellos.stopped = "the port took no further connection, when it was asked without a name"
        return _not_asked(hellos.stopped)
    found = made.facts
    # A server that goes as far as its certificate has accepted us; what it then makes of one of ours is another matter.
    accepted = found.completed or found.certificate is not None
    suite = suite_named(found.cipher_suite_name)
    asked_for_ours = None if found.client_certificate is None else found.client_certificate != "not-asked"
    return DefaultHostFacts(
        acceptance=Acceptance.ACCEPTED if accepted else _refusal(found),
        version=found.version if accepted else None,
        cipher_suite=suite.code if accepted and suite is not None else None,
        cipher_suite_name=found.cipher_suite_name if accepted else None,
        reason=found.detail,
        certificate=found.certificate,
        client_certificate_requested=asked_for_ours,
    )


def _told(
    choice: Choice,
    flight: Flight,
    names: tuple[str, ...],
    now: Callable[[], datetime],
    trust: Callable[[], TrustStore | None],
) -> DefaultHostFacts:
    if choice.version is None or choice.suite is None:
        wanted = choice.alert in _WANTS_A_NAME
        return DefaultHostFacts(
            Acceptance.REFUSED if wanted else choice.acceptance, alert=choice.alert, reason=choice.reason
        )
    certificate, unreadable = described(flight.certificates, names, now(), trust())
    return DefaultHostFacts(
        Acceptance.ACCEPTED,
        version=choice.version.label,
        cipher_suite=choice.suite,
        cipher_suite_name=suite_name(choice.suite),
        prime_bits=prime_bits(flight, choice.group),
        reason=unreadable,
        certificate=certificate,
        client_certificate_requested=flight.certificate_requested,
    )


def _refusal(found: HandshakeFacts) -> Acceptance:
    refused = found.detail is not None and any(word in found.detail.upper() for word in _REFUSED)
    return Acceptance.REFUSED if refused else Acceptance.INCONCLUSIVE


def _pass_on(nameless: Hellos, hellos: Hellos) -> None:
    """Whatever forbids a further question without a name forbids one by the name as well: it is the same port."""
    if nameless.stopped is not None:
        hellos.lost = hellos.lost or nameless.lost
        hellos.stopped = f"{nameless.stopped}, when it was asked without a name"


def _not_asked(why: str | None) -> DefaultHostFacts:
    return DefaultHostFacts(Acceptance.INCONCLUSIVE, reason=f"not asked: {why}")


def _digest(leaf: bytes) -> str:
    return sha256(leaf).hexdigest()
