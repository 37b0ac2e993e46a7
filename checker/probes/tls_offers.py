"""What is offered on purpose to a server that should want none of it: broken suites, weak suites; and hybrid groups.

It is asked only of a server that has accepted something in this visit, for a refusal says little of one that refuses
everybody; and each offer once, whatever the answer: that a server wants one broken suite is enough.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from checker.codecs.tls_hello import PLAIN, Extras, Version
from checker.codecs.tls_offers import CURVES, FINITE_FIELDS
from checker.codecs.tls_policy import (
    broken_dhe_suites,
    broken_suites,
    dhe_aead_suites,
    dhe_cbc_suites,
    hybrid_groups,
    read_offer,
    weak_suites,
)
from checker.model import Acceptance, OfferFacts, TlsOffer
from checker.probes.tls_hellos import Hellos

_TLS_1_3_ALONE = Extras(versions=(Version.TLS_1_3,))
_PURPOSES = {
    TlsOffer.BROKEN_SUITES: "broken suites",
    TlsOffer.WEAK_SUITES: "weak suites",
    TlsOffer.HYBRID_GROUPS: "hybrid groups",
}


async def ask_offers(
    hellos: Hellos, accepted: Collection[Version], *, prime_known: bool, found: list[OfferFacts]
) -> None:
    """Ask what makes sense of a server that accepts these versions, and add each answer to `found` when it is there.

    Broken suites at the highest version up to TLS 1.2, weak ones at TLS 1.2, hybrid groups at TLS 1.3; where that could
    not be asked, it is said to be inconclusive. `prime_known`: the size of the prime of DHE at TLS 1.2 needs no asking.
    Takes four connections at most, and one more of a server that wants what is broken or DHE with CBC.
    """
    old = [version for version in accepted if version is not Version.TLS_1_3]
    over_fields = await _ask_broken(hellos, max(old), found) if old else None
    if Version.TLS_1_2 in accepted:
        # Who has refused both may have a field of its own, and agree on it with who names none (RFC 7919 section 4).
        refused = over_fields is not None and {found[-1].acceptance, over_fields.acceptance} == {Acceptance.REFUSED}
        await _ask_weak(hellos, prime_known=prime_known, beside=broken_dhe_suites() if refused else (), found=found)
    if over_fields is not None:
        # Last, so that it does not stand for all weak suites where the visit is broken off meanwhile.
        found.append(over_fields)
    if Version.TLS_1_3 in accepted:
        offer, version = TlsOffer.HYBRID_GROUPS, Version.TLS_1_3
        found.append(await ask_offer(hellos, offer, version, groups=hybrid_groups(), extras=_TLS_1_3_ALONE))


async def _ask_broken(hellos: Hellos, version: Version, found: list[OfferFacts]) -> OfferFacts | None:
    """Broken suites, with named fields for those of DHE.

    Under TLS 1.2 the same hello offers DHE with CBC, which some servers agree on only where fields are named. Where
    one of both is chosen, the other is offered by itself. What became of DHE is returned.
    """
    broken = broken_suites(version)
    fields = (*CURVES, *FINITE_FIELDS) if version is not Version.SSL_3 else None
    if version is not Version.TLS_1_2:
        found.append(await ask_offer(hellos, TlsOffer.BROKEN_SUITES, version, suites=broken, groups=fields))
        return None
    weak = dhe_cbc_suites()
    both = await ask_offer(hellos, TlsOffer.BROKEN_SUITES, version, suites=(*broken, *weak), groups=fields)
    if both.cipher_suite in weak:
        found.append(await ask_offer(hellos, TlsOffer.BROKEN_SUITES, version, suites=broken, groups=fields))
        return replace(both, offer=TlsOffer.WEAK_SUITES, suites=weak)
    found.append(replace(both, suites=broken))
    if both.acceptance is Acceptance.ACCEPTED:
        both = await ask_offer(hellos, TlsOffer.WEAK_SUITES, version, suites=weak, groups=fields)
    return replace(both, offer=TlsOffer.WEAK_SUITES, suites=weak)


async def _ask_weak(hellos: Hellos, *, prime_known: bool, beside: tuple[int, ...], found: list[OfferFacts]) -> None:
    """Weak suites, and before them those that show a prime of DHE; without these once more where they hid the rest.

    `beside` are broken suites that are offered beside the latter, without named fields.
    """
    offer, version = TlsOffer.WEAK_SUITES, Version.TLS_1_2
    if not prime_known:
        first = await ask_offer(hellos, offer, version, suites=(*dhe_aead_suites(), *weak_suites()))
        if first.acceptance is not Acceptance.INCONCLUSIVE or hellos.stopped is not None:
            found.append(first)
            if first.cipher_suite not in dhe_aead_suites():
                return
        else:
            # DHE that is set up wrongly may have ended it, which takes nothing from the answer about the others.
            beside = ()
    if beside:
        both = await ask_offer(hellos, offer, version, suites=(*beside, *weak_suites()))
        if both.cipher_suite in beside:
            found.append(replace(both, offer=TlsOffer.BROKEN_SUITES, suites=beside))
        elif both.acceptance is not Acceptance.INCONCLUSIVE or hellos.stopped is not None:
            found.append(replace(both, suites=weak_suites()))
            return
    found.append(await ask_offer(hellos, offer, version, suites=weak_suites()))


async def ask_offer(
    hellos: Hellos,
    offer: TlsOffer,
    version: Version,
    *,
    suites: tuple[int, ...] | None = None,
    groups: tuple[int, ...] | None = None,
    extras: Extras = PLAIN,
    how: str = "",
) -> OfferFacts:
    """One offer and what became of it; INCONCLUSIVE where it could not be made. `how` is added to its purpose."""
    if hellos.stopped is None:
        purpose = f"{_PURPOSES[offer]} at {version.label}{how}"
        answer = await hellos.ask(purpose, version, suites=suites, groups=groups, extras=extras)
        if answer is not None:
            return read_offer(offer, *answer)
    return OfferFacts(offer, version.label, Acceptance.INCONCLUSIVE, reason=f"not asked: {hellos.stopped}")
