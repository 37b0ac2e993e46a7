"""What an answer to a chosen offer proves: accepted, refused, or nothing; and what nobody offered is told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checker.catalog.cipher_suites import cipher_suites
from checker.codecs.tls import Alert, Flight, FlightReader, Protocol
from checker.codecs.tls_choice import Choice, every_suite, fits, read_choice
from checker.codecs.tls_hello import MOST_SUITES, PLAIN, ClientHello, Extras, Version, client_hello
from checker.codecs.tls_key_exchange import KeyExchange
from checker.codecs.tls_offers import OFFERS, SUITES
from checker.codecs.tls_server_hello import ServerHello
from checker.model import Acceptance, End
from tests.codecs import tls_asked_flights

SESSION_ID = bytes(range(32, 64))


def offer(
    version: Version = Version.TLS_1_2,
    suites: tuple[int, ...] = (0xC02F, 0x0033),
    groups: tuple[int, ...] | None = None,
    extras: Extras = PLAIN,
) -> ClientHello:
    return client_hello(version, random=bytes(32), session_id=SESSION_ID, suites=suites, groups=groups, extras=extras)


def chose(
    version: int = 0x0303,
    suite: int = 0xC02F,
    *,
    compression: int = 0,
    session_id: bytes = b"",
    group: int | None = None,
) -> Flight:
    return Flight(server_hello=ServerHello(version, suite, compression, session_id, group=group), tls=True)


def refused(code: int, *, fatal: bool = True) -> Flight:
    return Flight(alert=Alert(fatal, code), tls=True, complete=True)


@pytest.mark.parametrize("end", [None, *End])
def test_a_choice_of_what_was_offered_is_accepted_however_it_ended(end: End | None) -> None:
    flight = chose(0x0302, 0x0033)
    expected = Choice(Acceptance.ACCEPTED, Version.TLS_1_1, 0x0033, flight.server_hello)
    assert read_choice(offer(), flight, end) == expected
    later = replace(flight, malformed="odd", alert=Alert(fatal=True, code=40))
    assert read_choice(offer(), later, end) == expected


@pytest.mark.parametrize("code", [40, 70, 71, 86, 120])
def test_what_refuses_an_offer(code: int) -> None:
    found = read_choice(offer(), refused(code), None)
    assert (found.acceptance, found.alert) == (Acceptance.REFUSED, code)
    assert f"({code})" in (found.reason or "")


@pytest.mark.parametrize("code", [0, 10, 47, 49, 50, 80, 90, 109, 110, 112, 116, 255])
def test_other_alerts_refuse_nothing(code: int) -> None:
    found = read_choice(offer(), refused(code), None)
    assert (found.acceptance, found.alert) == (Acceptance.INCONCLUSIVE, code)


@pytest.mark.parametrize("code", [0, 40, 112])
def test_trap_only_a_fatal_alert_refuses(code: int) -> None:
    found = read_choice(offer(), refused(code, fatal=False), None)
    assert (found.acceptance, found.alert) == (Acceptance.INCONCLUSIVE, None)


@pytest.mark.parametrize("end", End)
def test_trap_a_drop_or_a_timeout_is_never_a_refusal(end: End) -> None:
    for flight in (Flight(), Flight(warnings=(112, 40), tls=True)):
        found = read_choice(offer(), flight, end)
        assert found.acceptance is Acceptance.INCONCLUSIVE
        assert found.reason


def test_a_real_alert_counts_before_a_reset() -> None:
    reader = FlightReader()
    reader.feed(tls_asked_flights.OPENSSL_FALLBACK)
    found = read_choice(offer(extras=Extras(fallback=True)), reader.flight, End.RESET)
    assert (found.acceptance, found.alert) == (Acceptance.REFUSED, 86)


@pytest.mark.parametrize(
    "flight",
    [Flight(malformed="odd", tls=True, complete=True), Flight(speaks=Protocol.DICOM, complete=True), Flight(tls=True)],
)
def test_what_is_no_answer_is_inconclusive(flight: Flight) -> None:
    found = read_choice(offer(), flight, None)
    assert found.acceptance is Acceptance.INCONCLUSIVE
    assert found.reason


def test_trap_a_suite_that_nobody_offered_is_recorded_and_accepts_nothing() -> None:
    found = read_choice(offer(), chose(suite=0x0005), None)
    assert (found.acceptance, found.suite, found.stray_suite) == (Acceptance.INCONCLUSIVE, None, 0x0005)
    assert found.reason == "the server chose suite 0x0005, which was not offered"
    assert found.server_hello is not None


@pytest.mark.parametrize(
    ("hello", "flight", "word"),
    [
        (offer(), chose(0x0304), "version 0x0304"),
        (offer(), chose(0x7F1C), "version 0x7F1C"),
        (offer(), chose(0x0301, 0xC02F), "which TLS 1.0 does not have"),
        (offer(suites=(0x1301,)), chose(0x0303, 0x1301), "which TLS 1.2 does not have"),
        (offer(), chose(compression=1), "compression"),
        (offer(extras=Extras(deflate=True)), chose(compression=2), "compression"),
        (offer(Version.TLS_1_3, (0x1301,)), chose(0x0304, 0x1301), "session id"),
        (
            offer(Version.TLS_1_3, (0x1301, 0xC02F), extras=Extras(versions=(Version.TLS_1_3,))),
            chose(0x0303, 0xC02F),
            "version 0x0303",
        ),
    ],
)
def test_a_choice_of_what_nobody_offered_is_inconclusive(hello: ClientHello, flight: Flight, word: str) -> None:
    found = read_choice(hello, flight, None)
    assert found.acceptance is Acceptance.INCONCLUSIVE
    assert word in (found.reason or "")
    assert found.stray_suite is None


def test_a_compression_that_was_offered_may_be_chosen() -> None:
    found = read_choice(offer(extras=Extras(deflate=True)), chose(compression=1), None)
    assert found.acceptance is Acceptance.ACCEPTED
    assert found.server_hello is not None
    assert found.server_hello.compression == 1


@pytest.mark.parametrize(
    ("shown", "groups", "group", "stray"),
    [
        (KeyExchange("ECDHE", 29), (29, 23), 29, False),
        (KeyExchange("ECDHE", 23), (29,), 23, True),
        (KeyExchange("ECDHE", 23), (), 23, False),
        (KeyExchange("DHE", 256, bits=2048), (29,), 256, False),
        (KeyExchange("DHE", bits=1024), (29,), None, False),
        (None, (29,), None, False),
    ],
)
def test_the_group_is_that_of_the_key_exchange_and_a_curve_that_nobody_offered_is_told(
    shown: KeyExchange | None, groups: tuple[int, ...], group: int | None, *, stray: bool
) -> None:
    found = read_choice(offer(groups=groups), replace(chose(), key_exchange=shown), None)
    assert (found.acceptance, found.group, found.stray_group) == (Acceptance.ACCEPTED, group, stray)


@pytest.mark.parametrize(("group", "stray"), [(0x11EC, False), (23, True)])
def test_the_group_of_tls_1_3_is_that_of_its_key_share(group: int, *, stray: bool) -> None:
    hello = offer(Version.TLS_1_3, (0x1301,), groups=(0x11EC,))
    found = read_choice(hello, chose(0x0304, 0x1301, session_id=SESSION_ID, group=group), None)
    assert (found.acceptance, found.group, found.stray_group) == (Acceptance.ACCEPTED, group, stray)


# ----------------------------------------------------------------------------------------------------------- suites


@pytest.mark.parametrize("version", Version)
def test_every_suite_fits_its_version_once_and_those_of_the_usual_offer_come_first(version: Version) -> None:
    found = every_suite(version)
    assert found[: len(SUITES[version])] == SUITES[version]
    assert len(set(found)) == len(found)
    assert set(found) == {code for code in cipher_suites() if fits(version, code)}


@pytest.mark.parametrize("version", Version)
def test_every_suite_of_the_usual_offer_fits_it_or_a_lower_version(version: Version) -> None:
    for suite in OFFERS[version]:
        assert any(fits(lower, suite) for lower in Version if lower <= version)
    assert all(fits(version, suite) for suite in SUITES[version])


def test_the_suites_of_the_old_versions_are_the_same() -> None:
    assert every_suite(Version.SSL_3) == every_suite(Version.TLS_1_0) == every_suite(Version.TLS_1_1)
    assert set(every_suite(Version.TLS_1_0)) < set(every_suite(Version.TLS_1_2))
    assert set(every_suite(Version.TLS_1_3)).isdisjoint(every_suite(Version.TLS_1_2))
    assert len(every_suite(Version.TLS_1_3)) < MOST_SUITES


def test_a_suite_that_is_not_known_fits_what_is_not_tls_1_3() -> None:
    assert [fits(version, 0xCC13) for version in Version] == [True, True, True, True, False]
