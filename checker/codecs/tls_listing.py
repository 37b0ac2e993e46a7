"""Pure: what is known of one version while all that a server accepts under it is listed (`checker.codecs.tls_walks`).

One answer shows a suite, the named group and, under TLS 1.2, the signature scheme that go with it. From all answers it
follows whose order counts, and what to offer so that the next one shows something new.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from checker.catalog.cipher_suites import cipher_suite
from checker.codecs.tls_choice import Choice
from checker.codecs.tls_full import ROOM, every_group, every_signature, is_signed, needs_curve, over_field
from checker.codecs.tls_hello import Version
from checker.codecs.tls_offers import CHACHA20, CURVES, FINITE_FIELDS

USUAL_GROUPS = frozenset({0x001D, 0x0017, 0x001E, 0x0018, 0x0019})
"""X25519, P-256, X448, P-384, P-521: as long as one of them is left, the next answer may well show another."""

# RSA and RSA-PSS with SHA-2; a key on a curve has fewer ways, and is asked for all of them in one go.
_USUAL_SIGNATURES = frozenset({0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806})
_PICKS = 4  # the choices that are kept to tell the order by


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


@dataclass(slots=True)
class Part:
    """One list: what was accepted, in the order in which it was chosen, and why there may be more."""

    found: list[int] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    asked: bool = False  # everything else was offered as well
    closed: int | None = None  # the number of hellos after which that was so, as the caller counts them

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
    apart: set[int] = field(default_factory=set)  # suites that the usual groups may not do for: `common_groups`
    server_order: bool | None = None
    # Of each choice that shows an order: what was chosen, all that was offered, and what of it came before.
    _picks: list[tuple[int, frozenset[int], frozenset[int]]] = field(default_factory=list)
    _stray: bool = False  # it chooses groups that nobody offered
    _with_ecdsa: bool = False

    @property
    def wants_fields(self) -> bool:
        """Whether it has accepted more of who names finite fields."""
        return any(map(over_field, self.apart))

    @property
    def common_groups(self) -> tuple[int, ...] | None:
        """The groups with which all suites that were found can be agreed on again; None for the usual ones."""
        if not self.apart:
            return None
        return (*every_group(self.version), *(FINITE_FIELDS if self.wants_fields else ()))

    def known(self) -> Question:
        """What the server has accepted, to be asked once more."""
        return Question("known suites", tuple(self.suites.found[:ROOM]), self.common_groups)

    def note(self, answer: Answer, *, everything: bool, fields: bool = False) -> bool:
        """Keep what an acceptance of this version shows; whether any of it was new.

        `everything`: nothing but the suites were chosen for the hello, so that the choice shows an order. `fields`:
        finite fields were named in it.
        """
        choice = answer.choice
        new = self.suites.add(choice.suite)
        if new and choice.suite is not None and self._is_apart(choice.suite, choice.group, fields=fields):
            self.apart.add(choice.suite)
        suite = cipher_suite(choice.suite) if choice.suite is not None else None
        self._with_ecdsa = self._with_ecdsa or (suite is not None and suite.authentication == "ECDSA")
        if everything and choice.suite in answer.offered and len(self._picks) < _PICKS:
            before = answer.offered[: answer.offered.index(choice.suite)]
            self._picks.append((choice.suite, frozenset(answer.offered), frozenset(before)))
        if choice.stray_group:
            self._stray = True
            self.groups.doubt("the server chose a group that was not offered")
        else:
            new = self.groups.add(choice.group if choice.group in every_group(self.version) else None) or new
        return self.signatures.add(answer.signature) or new

    def _is_apart(self, suite: int, group: int | None, *, fields: bool) -> bool:
        return (needs_curve(suite) and group not in CURVES) or (fields and over_field(suite))

    @property
    def shows_order(self) -> bool:
        """Whether it has passed over a suite that it accepts and that was offered before the one that it chose.

        Not one that it may have passed over for want of a rare curve, or of a finite field with a name.
        """
        free = set(self.suites.found) - self.apart
        return any(not before.isdisjoint(free) for _chosen, _offered, before in self._picks)

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
            if other != chosen and other in offered and self.apart.isdisjoint((chosen, other))
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


def _rank(code: int) -> int:
    """How little the choice of a suite shows. Some servers like ChaCha20 best where their client does."""
    return 4 * (code in CHACHA20) + (not is_signed(code)) + (not needs_curve(code))
