"""Pure: the questions by which all that a server accepts under one version is listed, in as few hellos as can be.

Each walk here is a generator. It yields a `Question`, wants the `Answer` to it, and keeps what is known in a `Listing`.
One answer shows a suite, the named group and, under TLS 1.2, the signature scheme that go with it, so all three lists
are gone through at once: what was chosen is not offered again. A refusal is taken for one list only where the others
hold what the server is known to accept. Where that was not so, the same is asked once more with all of them.

Whether a refusal is believed at all is for the caller: a server that is weary of us refuses as well.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from checker.catalog.cipher_suites import cipher_suite
from checker.codecs.tls_choice import Choice
from checker.codecs.tls_full import (
    ROOM,
    by_curve,
    every_group,
    every_signature,
    families,
    listed_suites,
    needs_curve,
    order_of,
    over_field,
    suites_for_curves,
    turned_round,
)
from checker.codecs.tls_hello import SUITES, Version
from checker.codecs.tls_offers import CHACHA20, CURVES, FINITE_FIELDS
from checker.model import Acceptance

WEARY = "the port did not accept again what it had accepted before"

# X25519, P-256, X448, P-384, P-521: as long as one of them is left, the next answer may well show another.
_USUAL_GROUPS = frozenset({0x001D, 0x0017, 0x001E, 0x0018, 0x0019})
_USUAL_NEWEST = frozenset({0x1301, 0x1302, 0x1303})
# RSA and RSA-PSS with SHA-2; a key on a curve has fewer ways, and is asked for all of them in one go.
_USUAL_SIGNATURES = frozenset({0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806})
_HELPERS = 2
_MOST_SIGNED = 8
_OF_ONE_CURVE = "the certificate is for one curve, and others were not accepted without it"


@dataclass(frozen=True, slots=True)
class Question:
    """What one hello offers: IANA code points in the order of the offer. None offers the usual ones."""

    purpose: str
    suites: tuple[int, ...]
    groups: tuple[int, ...] | None = None
    signatures: tuple[int, ...] | None = None
    chacha20_last: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a question. `offered` are the suites as they were sent, `signature` is that of the exchange."""

    choice: Choice
    offered: tuple[int, ...]
    signature: int | None = None


Walk: TypeAlias = Generator[Question, Answer, None]


@dataclass(slots=True)
class Part:
    """One list: what was accepted, in the order in which it was chosen, and why there may be more."""

    found: list[int] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    asked: bool = False  # everything else was offered as well

    def add(self, code: int | None) -> bool:
        """Keep what was chosen; whether it was new."""
        if code is None or code in self.found:
            return False
        self.found.append(code)
        return True

    def doubt(self, why: str) -> None:
        """Say once why there may be more."""
        if why not in self.doubts:
            self.doubts.append(why)

    def but(self, codes: Iterable[int]) -> tuple[int, ...]:
        """Those of `codes` that were not chosen yet."""
        found = set(self.found)
        return tuple([code for code in codes if code not in found])


@dataclass(slots=True)
class Listing:
    """What is known of one version. `weary` ends every walk: the server has refused what it had accepted."""

    version: Version
    suites: Part = field(default_factory=Part)
    groups: Part = field(default_factory=Part)
    signatures: Part = field(default_factory=Part)
    weary: bool = False
    wants_fields: bool = False  # it has accepted more of who names finite fields
    server_order: bool | None = None
    # Of each choice that shows an order: what was chosen, all that was offered, and what of it came before.
    _picks: list[tuple[int, frozenset[int], frozenset[int]]] = field(default_factory=list)
    _stray: bool = False  # it chooses groups that nobody offered
    _with_ecdsa: bool = False

    def note(self, answer: Answer, *, everything: bool) -> bool:
        """Keep what an acceptance of this version shows; whether any of it was new.

        `everything`: nothing but the suites were chosen for the hello, so that the choice shows an order.
        """
        choice = answer.choice
        new = self.suites.add(choice.suite)
        suite = cipher_suite(choice.suite) if choice.suite is not None else None
        self._with_ecdsa = self._with_ecdsa or (suite is not None and suite.authentication == "ECDSA")
        if everything and choice.suite is not None:
            before = answer.offered[: answer.offered.index(choice.suite)]
            self._picks.append((choice.suite, frozenset(answer.offered), frozenset(before)))
        if choice.stray_group:
            self._stray = True
            self.groups.doubt("the server chose a group that was not offered")
        else:
            new = self.groups.add(choice.group if choice.group in every_group(self.version) else None) or new
        return self.signatures.add(answer.signature) or new

    @property
    def shows_order(self) -> bool:
        """Whether it has passed over a suite that it accepts and that was offered before the one that it chose."""
        return any(not before.isdisjoint(self.suites.found) for _chosen, _offered, before in self._picks)

    @property
    def follows(self) -> bool:
        """Whether it has more than once, in hellos of either order, chosen what came first of all that it accepts."""
        told = [offered for _chosen, offered, _before in self._picks if len(offered & set(self.suites.found)) > 1]
        return len(told) > 1 and not self.shows_order

    def chosen_over(self) -> tuple[int, int] | None:
        """A suite and one that it was chosen over, though that is accepted as well; None where there are none.

        The best are two that are signed and show a group, for their choice shows more than the order.
        """
        pairs = [
            (chosen, other)
            for chosen, offered, _before in self._picks
            for other in self.suites.found
            if other != chosen and other in offered
        ]
        return min(pairs, key=lambda pair: sum(map(_rank, pair)), default=None)

    def other_groups(self, promising: Collection[int]) -> tuple[int, ...] | None:
        """Groups for a hello that is to show another of them; None where no likely one is left to be shown.

        For a server that goes by its client's order those that it has shown come last, so that all are offered. One
        with an order of its own would choose them again: they are left out, unless a certificate may be bound to one.
        """
        return self._other(self.groups, every_group(self.version), promising, droppable=not self._with_ecdsa)

    def other_signatures(self) -> tuple[int, ...] | None:
        """Likewise signature schemes, of a server that has signed by RSA under TLS 1.2."""
        if self.version is not Version.TLS_1_2:
            return None
        by_rsa = any(code in _USUAL_SIGNATURES for code in self.signatures.found)
        return self._other(self.signatures, every_signature(), _USUAL_SIGNATURES, droppable=by_rsa)

    def _other(
        self, part: Part, every: tuple[int, ...], promising: Collection[int], *, droppable: bool
    ) -> tuple[int, ...] | None:
        rest = part.but(every)
        if self._stray or not part.found or not any(code in promising for code in rest):
            return None
        # Under TLS 1.3 the servers that we know choose groups by their own order, whatever they do with suites.
        if self.shows_order or self.version is Version.TLS_1_3:
            return rest if droppable else None
        return (*rest, *part.found)


def older(found: Listing, *, whole: bool, ordered: bool, fields: bool = False, told: Collection[int] = ()) -> Walk:
    """All suites of a version below TLS 1.3; of the `whole` also curves, signature schemes and whose order it is.

    `ordered`: the server is known to have an order of its own, so that the usual suites are offered together, for that
    to show. `fields`: another version has shown suites to who names finite fields, so that this one is asked with them,
    too. `told` are groups that it has under another version. What was found before in `found` is not asked again.
    """
    promising: Collection[int] = set(told) or _USUAL_GROUPS
    pool = listed_suites(found.version)
    if not whole:
        yield from _exhaust(found, pool)
        if fields:
            yield from _over_named_fields(found)
        found.suites.asked = not found.weary
        return
    if len(found.suites.but(pool)) > ROOM:
        if ordered:
            # Nothing may be missing that a suite needs, else the server would pass over it.
            yield from _exhaust(found, SUITES[found.version], promising=told, signed_too=False)
            promising = ()
        with_curve, pool = by_curve(found.version)
        yield from _exhaust(found, with_curve, promising=promising)
        if found.shows_order:
            promising = ()  # it would be asked in vain for what shows neither curves nor, mostly, signatures
    yield from _exhaust(found, pool[:ROOM], promising=promising)
    yield from _over_named_fields(found)
    # Only rare ones are asked for beside groups that the server may not have, lest one refuses all for want of those.
    yield from _close_groups(found, pool[ROOM:])
    found.suites.asked = found.groups.asked = not found.weary
    yield from _order(found)
    if found.version is Version.TLS_1_2:
        yield from _close_signatures(found)
        found.signatures.asked = not found.weary


def newest_suites(found: Listing) -> Walk:
    """All suites of TLS 1.3, and the groups that show with them."""
    yield from _exhaust(found, listed_suites(found.version), promising=_USUAL_GROUPS, while_left=_USUAL_NEWEST)
    found.suites.asked = not found.weary


def newest_groups(found: Listing, told: tuple[int, ...]) -> Walk:
    """The groups of TLS 1.3 that are left. `told` are those that the server itself has named, in its order.

    A server's own words are believed where they do not contradict what it has done.
    """
    if not found.weary and set(found.groups.found) <= set(told) <= set(every_group(found.version)):
        found.groups.found[:] = told
    yield from _close_groups(found, ())
    found.groups.asked = not found.weary


def _exhaust(
    found: Listing,
    pool: Iterable[int],
    *,
    groups: tuple[int, ...] | None = None,
    promising: Collection[int] = (),
    while_left: Collection[int] | None = None,
    signed_too: bool = True,
    apart: bool = True,
) -> Walk:
    """Offer what is left of suites, and remove what was chosen, until it is refused.

    What ends in anything else is offered once more, each kind of key exchange by itself if it is still to be taken
    `apart`: the server may have failed over the one that it likes best, and have more behind it. `groups` are offered,
    None for the usual ones; with `promising` ones their offer is varied, and that of signatures where `signed_too`, as
    long as suites of `while_left` are there, too.
    """
    rest = list(found.suites.but(pool))
    vary = bool(promising)
    while rest and not found.weary:
        portion = rest[:ROOM]
        others = signatures = None
        if vary and (while_left is None or any(code in while_left for code in portion)):
            others = found.other_groups(promising)
            signatures = found.other_signatures() if signed_too else None
        everything = _is_whole(others, found.groups) and _is_whole(signatures, found.signatures)
        # Weakest first: a server that has no order of its own then shows that it has none.
        answer = yield Question("suites", tuple(reversed(portion)), others or groups, signatures)
        if _accepted(found, answer.choice):
            if not found.note(answer, everything=everything):
                found.suites.doubt("the server chose again what it had chosen")
                return
            rest = list(found.suites.but(rest))
        elif not everything:
            vary = False
        elif answer.choice.acceptance is Acceptance.REFUSED:
            rest = rest[ROOM:]
        else:
            yield from _failed(found, portion, answer.choice, apart=apart)
            rest = rest[ROOM:]


def _over_named_fields(found: Listing) -> Walk:
    """What is left of DHE, with fields that have names: some servers agree on no other, nor with who names none."""
    before = len(found.suites.found)
    yield from _exhaust(found, filter(over_field, listed_suites(found.version)), groups=(*CURVES, *FINITE_FIELDS))
    found.wants_fields = len(found.suites.found) > before


def _is_whole(offered: tuple[int, ...] | None, part: Part) -> bool:
    """Whether nothing that the server is known to accept was left out of an offer."""
    return offered is None or set(part.found) <= set(offered)


def _failed(found: Listing, portion: list[int], choice: Choice, *, apart: bool) -> Walk:
    yield from _alive(found)
    kinds = families(portion)
    if found.weary:
        return
    if apart and len(kinds) > 1:
        for family in kinds:
            yield from _exhaust(found, family, apart=False)
    else:
        found.suites.doubt(why(choice))


def _alive(found: Listing) -> Walk:
    """Whether the server still accepts what it has accepted."""
    if not found.suites.found:
        return
    answer = yield Question("known suites", tuple(found.suites.found[:ROOM]))
    if answer.choice.acceptance is not Acceptance.ACCEPTED:
        found.weary = True
    elif answer.choice.version is not found.version:
        found.suites.doubt(why(answer.choice))


def _close_groups(found: Listing, pool: tuple[int, ...]) -> Walk:
    """What is left of groups, offered with suites that want one; and in the same hellos the suites that want none."""
    newest = found.version is Version.TLS_1_3
    helpers, alone = (tuple(found.suites.found), True) if newest else suites_for_curves(found.suites.found)
    helpers = helpers[:_HELPERS]
    every = every_group(found.version)
    while helpers and not found.weary and (groups := found.groups.but(every)):
        rest = found.suites.but(pool)[: ROOM - len(helpers)]
        answer = yield Question("groups", (*reversed(rest), *helpers), groups)
        if _accepted(found, answer.choice):
            if not found.note(answer, everything=False):
                found.groups.doubt("the server chose again what it had chosen")
                break
            if found.groups.doubts:
                break
        elif answer.choice.acceptance is Acceptance.REFUSED:
            if not alone:
                found.groups.doubt(_OF_ONE_CURVE)
            pool = tuple(code for code in pool if code not in rest)
            break
        else:
            found.groups.doubt(why(answer.choice))
            yield from _alive(found)
            break
    yield from _exhaust(found, pool)


def _close_signatures(found: Listing) -> Walk:
    """What is left of signature schemes, offered with suites of which the server signs the exchange."""
    signed = [code for code in found.suites.found if _is_signed(code)][:_MOST_SIGNED]
    while signed and not found.weary and (rest := found.signatures.but(every_signature())):
        answer = yield Question("signatures", tuple(signed), signatures=rest)
        if _accepted(found, answer.choice):
            if answer.signature not in rest or not found.note(answer, everything=False):
                found.signatures.doubt("the server signed by a scheme that was not offered")
                return
        elif answer.choice.acceptance is Acceptance.REFUSED and found.signatures.found:
            return
        else:
            found.signatures.doubt(why(answer.choice))
            yield from _alive(found)
            return


def _order(found: Listing) -> Walk:
    """Whose order counts, where that did not show by itself: two are offered again, the other way round."""
    if found.shows_order:
        found.server_order = True
    pair = found.chosen_over()
    if found.weary or pair is None or found.server_order is not None:
        return
    offered, chacha20_last = turned_round(pair)
    answer = yield Question("order of suites", offered, None, found.other_signatures(), chacha20_last)
    if answer.choice.acceptance is not Acceptance.ACCEPTED:
        found.weary = True
    elif answer.choice.version is not found.version:
        found.suites.doubt(why(answer.choice))
    else:
        found.note(answer, everything=False)
        found.server_order = order_of(pair, answer.offered, answer.choice.suite)


def why(choice: Choice) -> str:
    """Why an answer ends no list."""
    if choice.reason is not None:
        return choice.reason
    return "the server chose a lower version" if choice.version is not None else "the answer shows no choice"


def _accepted(found: Listing, choice: Choice) -> bool:
    return choice.acceptance is Acceptance.ACCEPTED and choice.version is found.version


def _rank(code: int) -> int:
    """How little the choice of a suite shows. Some servers like ChaCha20 best where their client does."""
    return 4 * (code in CHACHA20) + (not _is_signed(code)) + (not needs_curve(code))


def _is_signed(code: int) -> bool:
    suite = cipher_suite(code)
    return (
        suite is not None and suite.key_exchange in ("ECDHE", "DHE") and suite.authentication in ("RSA", "ECDSA", "DSS")
    )
