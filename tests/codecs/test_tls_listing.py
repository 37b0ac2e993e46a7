"""What is listed of a server, against servers of every kind that a few lines can be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.cipher_suites import cipher_suite
from checker.catalog.signature_schemes import signature_scheme
from checker.codecs.tls_choice import Choice
from checker.codecs.tls_full import ROOM, every_group, every_signature, listed_suites, needs_curve
from checker.codecs.tls_hello import RANDOM_BYTES, Extras, Version, client_hello
from checker.codecs.tls_listing import Answer, Listing, Question
from checker.codecs.tls_offers import FINITE_FIELDS
from checker.codecs.tls_walks import Walk, newest_groups, newest_suites, older
from checker.model import Acceptance

P_256 = 0x0017
FAILED = Choice(Acceptance.INCONCLUSIVE, alert=80, reason="fatal alert internal_error (80)")
REFUSED = Choice(Acceptance.REFUSED, alert=40, reason="fatal alert handshake_failure (40)")
ECDHE_RSA, ECDHE_ECDSA, DHE_RSA, STATIC = 0xC02F, 0xC02B, 0x009E, 0x002F


@dataclass
class Server:
    """A server by what it accepts, each list in its own order.

    A key on P-256 asks its client to have that curve. Like OpenSSL it refuses a hello of TLS 1.2 that shares no
    signature scheme with it, whatever its suites. Of the `failing` kinds of key exchange it knows no end.
    """

    version: Version
    suites: tuple[int, ...]
    groups: tuple[int, ...] = (0x001D, P_256)
    schemes: tuple[int, ...] = (0x0804, 0x0401, 0x0403)
    own_order: bool = False
    failing: frozenset[str] = frozenset()
    wants_fields: bool = False  # it agrees on DHE with nobody who names no field
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> Answer:
        """What it answers to a hello of exactly this question, which has to be one that can be sent."""
        self.asked.append(question)
        newest = self.version is Version.TLS_1_3
        hello = client_hello(
            self.version,
            random=bytes(RANDOM_BYTES),
            suites=question.suites,
            groups=question.groups,
            signatures=question.signatures,
            extras=Extras(
                versions=(self.version,) if newest else None,
                chacha20_last=question.chacha20_last,
            ),
        )
        signatures = every_signature() if question.signatures is None else question.signatures
        if self.version is Version.TLS_1_2 and not set(signatures) & set(self.schemes):
            return Answer(REFUSED, hello.suites)
        candidates = self._shared(self.suites, hello.suites)
        for code in candidates:
            suite = cipher_suite(code)
            assert suite is not None
            if suite.key_exchange in self.failing:
                return Answer(FAILED, hello.suites)
            if not newest and suite.authentication == "ECDSA" and P_256 not in hello.groups:
                continue
            if self.wants_fields and suite.key_exchange == "DHE" and not set(hello.groups) & set(FINITE_FIELDS):
                continue
            group = None
            if newest or needs_curve(code):
                # OpenSSL has always its own order of groups under TLS 1.3.
                shared = self._shared(self.groups, hello.groups, own=newest or self.own_order)
                if not shared:
                    continue
                group = shared[0]
            signature = None
            signed = suite.key_exchange in ("ECDHE", "DHE") and suite.authentication in ("RSA", "ECDSA", "DSS")
            if self.version is Version.TLS_1_2 and signed:
                usable = [
                    one for one in self._shared(self.schemes, signatures) if self._fits(one, suite.authentication)
                ]
                if not usable:
                    continue
                signature = usable[0]
            choice = Choice(Acceptance.ACCEPTED, self.version, code, group=group)
            return Answer(choice, hello.suites, signature)
        return Answer(REFUSED, hello.suites)

    def _shared(self, mine: tuple[int, ...], theirs: tuple[int, ...], *, own: bool | None = None) -> list[int]:
        first, second = (mine, theirs) if (self.own_order if own is None else own) else (theirs, mine)
        return [code for code in first if code in second]

    @staticmethod
    def _fits(code: int, authentication: str) -> bool:
        scheme = signature_scheme(code)
        assert scheme is not None
        return scheme.algorithm.removesuffix("-PSS") == {"DSS": "DSA"}.get(authentication, authentication)


def walked(server: Server, found: Listing, walk: Walk) -> Listing:
    """Walk to the end."""
    try:
        question = next(walk)
        while True:
            question = walk.send(server.answer(question))
    except StopIteration:
        return found


def listed(server: Server, *, whole: bool = True, ordered: bool | None = None) -> Listing:
    """All of a version below TLS 1.3, after a first hello as it is sent for the version."""
    found = Listing(server.version)
    first = client_hello(server.version, random=bytes(RANDOM_BYTES))
    answer = server.answer(Question("first", first.suites, None, None))
    if answer.choice.acceptance is Acceptance.ACCEPTED:
        found.note(answer, everything=True)
    server.asked.clear()
    known = found.shows_order if ordered is None else ordered
    return walked(server, found, older(found, whole=whole, ordered=known))


def codes(of: Iterable[int], *, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.sampled_from(sorted(of)), min_size=1, max_size=most, unique=True).map(tuple)


def with_usual(of: Iterable[int], *, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Groups in any order, X25519 among them, by which the server was seen to speak the version at all."""
    return codes(of, most=most).flatmap(lambda found: st.permutations(sorted({*found, 0x001D}))).map(tuple)


RSA_KEY = [
    code
    for code in listed_suites(Version.TLS_1_2)
    if (suite := cipher_suite(code)) is not None
    and suite.authentication in ("RSA", "anon")
    and suite.key_exchange in ("RSA", "DHE", "ECDHE")
]
OLD = [code for code in RSA_KEY if code in listed_suites(Version.TLS_1_0)]
BY_RSA = (0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0301, 0x0201, 0x0101)
CURVES = every_group(Version.TLS_1_2)


@given(
    suites=codes(RSA_KEY, most=20),
    groups=with_usual(CURVES, most=7),
    schemes=codes(BY_RSA, most=8).map(lambda found: tuple(dict.fromkeys((*found, 0x0401)))),
    own_order=st.booleans(),
)
def test_all_that_a_server_with_a_key_of_rsa_has_is_found(
    suites: tuple[int, ...], groups: tuple[int, ...], schemes: tuple[int, ...], own_order: bool
) -> None:
    server = Server(Version.TLS_1_2, suites, groups, schemes, own_order=own_order)
    found = listed(server)
    assert set(found.suites.found) == set(suites)
    assert len(found.suites.found) == len(suites)
    assert (found.suites.asked, found.suites.doubts, found.weary) == (True, [], False)
    kinds = [cipher_suite(code) for code in suites]
    with_curve = any(kind is not None and kind.key_exchange == "ECDHE" for kind in kinds)
    signed = any(k is not None and k.key_exchange in ("ECDHE", "DHE") and k.authentication == "RSA" for k in kinds)
    if any(k is not None and k.key_exchange == "ECDHE" and k.authentication == "RSA" for k in kinds):
        assert not found.groups.doubts
    if with_curve and not found.groups.doubts:
        assert set(found.groups.found) == set(groups)
    assert set(found.signatures.found) == (set(schemes) if signed else set())
    assert not found.signatures.doubts
    # One for each suite but the first, three that hold them all, and those of groups and schemes that no suite showed.
    assert len(server.asked) <= len(suites) + len(groups) + len(schemes) + 8
    if len(suites) > 1 and found.server_order is not None:
        assert found.server_order is own_order


@given(suites=codes(OLD, most=12), own_order=st.booleans(), whole=st.booleans())
def test_all_suites_of_an_old_version_take_one_hello_each_and_one_more(
    suites: tuple[int, ...], own_order: bool, whole: bool
) -> None:
    server = Server(Version.TLS_1_0, suites, own_order=own_order)
    found = listed(server, whole=whole)
    assert set(found.suites.found) == set(suites)
    assert found.suites.asked
    assert not found.suites.doubts
    if not whole:
        assert len(server.asked) == len(suites)
        assert not own_order or tuple(found.suites.found) == suites


@given(suites=codes(RSA_KEY, most=15), told=st.booleans())
def test_the_order_of_a_server_that_is_known_to_have_one_shows(suites: tuple[int, ...], told: bool) -> None:
    usual = [code for code in client_hello(Version.TLS_1_2, random=bytes(RANDOM_BYTES)).suites if code in suites]
    suites = tuple(code for code in suites if code in usual)
    if not suites:
        return
    server = Server(Version.TLS_1_2, suites, (0x001D, P_256, 0x0018), BY_RSA, own_order=True)
    found = Listing(Version.TLS_1_2)
    walked(server, found, older(found, whole=True, ordered=True, told=server.groups if told else ()))
    assert tuple(found.suites.found) == suites


def test_a_server_that_follows_its_client_is_seen_to() -> None:
    server = Server(Version.TLS_1_2, (ECDHE_RSA, 0xC030, 0xCCA8, STATIC, 0x009D))
    assert listed(server).server_order is False
    ordered = Server(Version.TLS_1_2, (0xC030, ECDHE_RSA, 0xCCA8, STATIC, 0x009D), own_order=True)
    found = listed(ordered)
    assert (found.server_order, found.shows_order) == (True, True)
    # It has shown it by itself, so that nothing is asked for the order alone.
    assert not any(question.purpose == "order of suites" for question in ordered.asked)


def test_a_key_on_a_curve_leaves_the_groups_in_doubt_and_hides_no_suite() -> None:
    schemes = (0x0403, 0x0503, 0x0603)
    server = Server(Version.TLS_1_2, (ECDHE_ECDSA, 0xC02C), (0x001D, P_256, 0x0018), schemes)
    found = listed(server)
    assert set(found.suites.found) == {ECDHE_ECDSA, 0xC02C}
    assert not found.suites.doubts
    assert found.groups.doubts == ["the certificate is for one curve, and others were not accepted without it"]
    assert set(found.signatures.found) == set(schemes)


def test_two_keys_are_both_seen() -> None:
    for own_order in (False, True):
        suites = (ECDHE_RSA, ECDHE_ECDSA, 0xC030, 0xC02C, STATIC)
        server = Server(Version.TLS_1_2, suites, (0x001D, P_256), (*BY_RSA, 0x0403), own_order=own_order)
        found = listed(server)
        assert set(found.suites.found) == set(suites)
        assert not found.suites.doubts
        assert set(found.signatures.found) == {*BY_RSA, 0x0403}


def test_a_kind_of_key_exchange_that_fails_hides_no_other() -> None:
    server = Server(Version.TLS_1_2, (DHE_RSA, STATIC, ECDHE_RSA), own_order=True, failing=frozenset({"DHE"}))
    found = Listing(Version.TLS_1_2)
    found.note(Answer(Choice(Acceptance.ACCEPTED, Version.TLS_1_2, ECDHE_RSA, group=0x001D), ()), everything=False)
    walked(server, found, older(found, whole=True, ordered=False))
    assert set(found.suites.found) == {STATIC, ECDHE_RSA}
    assert found.suites.doubts == ["fatal alert internal_error (80)"]


def test_suites_that_only_who_names_finite_fields_gets_are_found() -> None:
    server = Server(Version.TLS_1_2, (ECDHE_RSA, DHE_RSA, 0x0033, STATIC), wants_fields=True)
    found = listed(server)
    assert set(found.suites.found) == set(server.suites)
    assert (found.suites.doubts, found.wants_fields) == ([], True)
    # An old version is asked in this way only where the new one has shown that it matters.
    old = Server(Version.TLS_1_0, (0x0033, STATIC), wants_fields=True)
    for fields, expected in ((True, {0x0033, STATIC}), (False, {STATIC})):
        found = Listing(Version.TLS_1_0)
        walked(old, found, older(found, whole=False, ordered=False, fields=fields))
        assert set(found.suites.found) == expected


def test_what_was_passed_over_for_want_of_a_field_shows_no_order() -> None:
    # TLS 1.2 as its usual hello is answered: DHE comes first in it, and is passed over by who wants a named field.
    server = Server(Version.TLS_1_2, (DHE_RSA, 0x009F, STATIC, 0x009C), wants_fields=True)
    found = listed(server)
    assert set(found.suites.found) == set(server.suites)
    assert (found.shows_order, found.server_order, found.weary) == (False, False, False)


def test_signatures_of_suites_over_named_fields_alone_are_found() -> None:
    server = Server(Version.TLS_1_2, (DHE_RSA, 0x009F), schemes=(*BY_RSA, 0x0403), wants_fields=True)
    found = Listing(Version.TLS_1_2)
    walked(server, found, older(found, whole=True, ordered=False))
    assert set(found.suites.found) == {DHE_RSA, 0x009F}
    assert (set(found.signatures.found), found.weary) == (set(BY_RSA), False)
    # Nor is it weary, asked again as it was answered.
    assert server.answer(found.known()).choice.acceptance is Acceptance.ACCEPTED


def test_schemes_of_a_key_whose_suites_are_chosen_last_are_found() -> None:
    by_rsa = tuple(code for code in RSA_KEY if needs_curve(code))[:10]
    assert len(by_rsa) == 10
    server = Server(Version.TLS_1_2, (*by_rsa, ECDHE_ECDSA), schemes=(*BY_RSA, 0x0403, 0x0503, 0x0603), own_order=True)
    found = listed(server)
    assert set(found.signatures.found) == set(server.schemes)
    assert not found.signatures.doubts


def test_the_last_suite_of_an_old_version_is_not_asked_for_without_curves() -> None:
    last = listed_suites(Version.TLS_1_0)[-1]
    assert needs_curve(last)
    server = Server(Version.TLS_1_0, (STATIC, last), (0x001D, P_256))
    found = listed(server)
    assert set(found.suites.found) == {STATIC, last}
    assert (set(found.groups.found), found.groups.asked, found.groups.doubts) == ({0x001D, P_256}, True, [])


def test_a_server_with_a_rare_curve_alone_hides_nothing_behind_it() -> None:
    for version in (Version.TLS_1_2, Version.TLS_1_0):
        server = Server(version, (0xC010, STATIC), (0x0001,))
        found = listed(server)
        assert (set(found.suites.found), found.suites.doubts, found.groups.found) == ({0xC010, STATIC}, [], [0x0001])
        assert not found.shows_order
        assert set(listed(Server(version, (0xC010, STATIC), (0x0001,)), whole=False).suites.found) == {0xC010, STATIC}


def test_what_is_known_fits_into_one_hello() -> None:
    found = Listing(Version.TLS_1_2)
    found.suites.found[:] = listed_suites(Version.TLS_1_2)
    assert len(found.suites.found) > ROOM == len(found.known().suites)


def test_a_choice_of_what_that_hello_did_not_offer_shows_no_order() -> None:
    found = Listing(Version.TLS_1_2)
    found.note(Answer(Choice(Acceptance.ACCEPTED, Version.TLS_1_2, 0xC08B), (ECDHE_RSA,)), everything=True)
    assert found.suites.found == [0xC08B]
    assert found.chosen_over() is None


NEWEST = listed_suites(Version.TLS_1_3)


@given(
    suites=codes(NEWEST, most=5),
    groups=with_usual(every_group(Version.TLS_1_3), most=12),
    named=st.booleans(),
    own_order=st.booleans(),
)
def test_the_suites_and_groups_of_the_newest_version(
    suites: tuple[int, ...], groups: tuple[int, ...], named: bool, own_order: bool
) -> None:
    server = Server(Version.TLS_1_3, suites, groups, own_order=own_order)
    found = Listing(Version.TLS_1_3)
    walked(server, found, newest_suites(found))
    assert set(found.suites.found) == set(suites)
    assert (found.suites.asked, found.suites.doubts) == (True, [])
    before = len(server.asked)
    walked(server, found, newest_groups(found, groups if named else ()))
    assert set(found.groups.found) == set(groups)
    assert (found.groups.asked, found.groups.doubts) == (True, [])
    if named:
        # It has said itself which ones it has: that there are no more is seen with one hello, if any are left at all.
        assert tuple(found.groups.found) == groups
        assert len(server.asked) - before == 1


def test_groups_that_a_server_names_against_what_it_did_are_not_believed() -> None:
    server = Server(Version.TLS_1_3, (0x1301, 0x1302), (0x001D, P_256))
    found = Listing(Version.TLS_1_3)
    walked(server, found, newest_suites(found))
    assert found.groups.found
    walked(server, found, newest_groups(found, (0x0018, 0x0019)))
    assert set(found.groups.found) == {0x001D, P_256}


def answered(found: Listing, otherwise: Choice, known: Choice) -> int:
    """Walk through a version with one answer to what is known and another to all else; how many questions it took."""
    walk = older(found, whole=True, ordered=False)
    asked = 0
    try:
        question = next(walk)
        while True:
            asked += 1
            question = walk.send(Answer(known if question.purpose == "known suites" else otherwise, question.suites))
    except StopIteration:
        return asked


def test_a_server_that_chooses_what_was_not_offered_ends_its_lists_in_doubt() -> None:
    stray = Choice(Acceptance.INCONCLUSIVE, reason="the server chose suite 0xC02B, which was not offered")
    known = Choice(Acceptance.ACCEPTED, Version.TLS_1_2, ECDHE_RSA, group=0x001D)
    found = Listing(Version.TLS_1_2)
    found.note(Answer(known, ()), everything=False)
    assert answered(found, stray, known) < 50
    assert found.suites.doubts == found.groups.doubts == found.signatures.doubts == [stray.reason]


def test_a_server_that_does_not_accept_again_is_weary_at_once() -> None:
    found = Listing(Version.TLS_1_2)
    found.note(Answer(Choice(Acceptance.ACCEPTED, Version.TLS_1_2, ECDHE_RSA, group=0x001D), ()), everything=False)
    assert answered(found, FAILED, FAILED) == 2
    assert found.weary
    assert not found.suites.asked
