"""Pure: the questions by which all that a server accepts under one version is listed, in as few hellos as can be.

Each walk here is a generator. It yields a `Question`, wants the `Answer` to it, and keeps what is known in a `Listing`.
All lists are gone through at once: what was chosen is not offered again. A refusal is taken for one list only where the
others hold what the server is known to accept. Where that was not so, the same is asked once more with all of them.

Whether a refusal is believed at all is for the caller: a server that is weary of us refuses as well.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from typing import TypeAlias

from checker.catalog.cipher_suites import cipher_suite
from checker.codecs.tls_choice import Choice
from checker.codecs.tls_full import (
    ROOM,
    by_curve,
    every_group,
    every_signature,
    families,
    is_signed,
    listed_suites,
    order_of,
    over_field,
    suites_for_curves,
    turned_round,
)
from checker.codecs.tls_hello import SUITES, Version
from checker.codecs.tls_listing import USUAL_GROUPS, Answer, Listing, Part, Question
from checker.codecs.tls_offers import CURVES, FINITE_FIELDS
from checker.model import Acceptance

Walk: TypeAlias = Generator[Question, Answer, None]

_USUAL_NEWEST = frozenset({0x1301, 0x1302, 0x1303})
_HELPERS = 2
_MOST_SIGNED = 4  # by one kind of key
_WITH_FIELDS = (*CURVES, *FINITE_FIELDS)
_OF_ONE_CURVE = "the certificate is for one curve, and others were not accepted without it"


def older(found: Listing, *, whole: bool, ordered: bool, fields: bool = False, told: Collection[int] = ()) -> Walk:
    """All suites of a version below TLS 1.3; of the `whole` also curves, signature schemes and whose order it is.

    `ordered`: the server is known to have an order of its own, so that the usual suites are offered together, for that
    to show. `fields`: another version has shown suites to who names finite fields, so that this one is asked with them,
    too. `told` are groups that it has under another version. What was found before in `found` is not asked again.
    """
    promising: Collection[int] = set(told) or USUAL_GROUPS
    pool = listed_suites(found.version)
    # A server that has shown no curve may have rare ones alone.
    curves = None if found.groups.found else every_group(found.version)
    if not whole:
        yield from _exhaust(found, pool, groups=curves)
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
        yield from _exhaust(found, with_curve, groups=curves, promising=promising)
        if found.shows_order:
            promising = ()  # it would be asked in vain for what shows neither curves nor, mostly, signatures
        curves = None
    else:
        pool = found.suites.but(pool)
    yield from _exhaust(found, pool[:ROOM], groups=curves, promising=promising)
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
    yield from _exhaust(found, listed_suites(found.version), promising=USUAL_GROUPS, while_left=_USUAL_NEWEST)
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
            if not found.note(answer, everything=everything, fields=groups is _WITH_FIELDS):
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
    yield from _exhaust(found, filter(over_field, listed_suites(found.version)), groups=_WITH_FIELDS)


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
    answer = yield found.known()
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
    signed = _signed_by_each(found.suites.found)
    while signed and not found.weary and (rest := found.signatures.but(every_signature())):
        answer = yield Question("signatures", tuple(signed), found.common_groups, rest)
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


def _signed_by_each(accepted: Iterable[int]) -> list[int]:
    """Some suites of each kind of key that signs: a scheme is for one kind alone."""
    kinds: dict[str, list[int]] = {}
    for code in accepted:
        if is_signed(code) and (suite := cipher_suite(code)) is not None:
            kinds.setdefault(suite.authentication, []).append(code)
    return [code for kind in kinds.values() for code in kind[:_MOST_SIGNED]]


def why(choice: Choice) -> str:
    """Why an answer ends no list."""
    if choice.reason is not None:
        return choice.reason
    return "the server chose a lower version" if choice.version is not None else "the answer shows no choice"


def _accepted(found: Listing, choice: Choice) -> bool:
    return choice.acceptance is Acceptance.ACCEPTED and choice.version is found.version
