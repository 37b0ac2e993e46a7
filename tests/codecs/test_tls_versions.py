"""What an answer to a hello proves about versions, and above all what it does not."""

from __future__ import annotations

import pytest

from checker.codecs.ssl2 import Ssl2Answer
from checker.codecs.tls import Alert, Flight, Protocol
from checker.codecs.tls_hello import Extras, Version, client_hello
from checker.codecs.tls_key_exchange import KeyExchange
from checker.codecs.tls_messages import ServerHello
from checker.codecs.tls_versions import alert_name, joined, read_answer, read_ssl2, verdicts
from checker.model import Acceptance, End, VersionFacts

SESSION_ID = bytes(range(32))
SUITES = {
    Version.SSL_3: 0x000A,
    Version.TLS_1_0: 0x002F,
    Version.TLS_1_1: 0xC013,
    Version.TLS_1_2: 0xC02F,
    Version.TLS_1_3: 0x1301,
}


def chose(version: int, suite: int, *, compression: int = 0, session_id: bytes = SESSION_ID) -> Flight:
    return Flight(server_hello=ServerHello(version, suite, compression, session_id), tls=True)


def refused(code: int, *, fatal: bool = True) -> Flight:
    return Flight(alert=Alert(fatal, code), tls=True, complete=True)


def answers(offered: Version, flight: Flight, end: End | None = None) -> dict[Version, VersionFacts]:
    return read_answer(client_hello(offered, random=bytes(32), session_id=SESSION_ID), flight, end)


def answer(offered: Version, flight: Flight, end: End | None = None) -> VersionFacts:
    found = answers(offered, flight, end)
    assert found.keys() == {offered}
    return found[offered]


def judged(known: dict[Version, Flight]) -> dict[str, Acceptance]:
    read = {version: answer(version, flight) for version, flight in known.items()}
    return {facts.version: facts.acceptance for facts in verdicts(read, "not asked")}


@pytest.mark.parametrize("version", Version)
def test_a_version_that_was_offered_and_chosen_is_accepted(version: Version) -> None:
    facts = answer(version, chose(version, SUITES[version]))
    assert facts.version == version.label
    assert facts.acceptance is Acceptance.ACCEPTED
    assert facts.cipher_suite == SUITES[version]
    assert facts.cipher_suite_name is not None
    assert facts.reason is None


def test_a_lower_choice_accepts_that_version_and_refuses_all_above() -> None:
    found = answers(Version.TLS_1_2, chose(Version.TLS_1_0, 0x002F))
    assert {version: facts.acceptance for version, facts in found.items()} == {
        Version.TLS_1_0: Acceptance.ACCEPTED,
        Version.TLS_1_1: Acceptance.REFUSED,
        Version.TLS_1_2: Acceptance.REFUSED,
    }
    assert found[Version.TLS_1_0].cipher_suite_name == "TLS_RSA_WITH_AES_128_CBC_SHA"
    assert found[Version.TLS_1_2].cipher_suite is None
    assert found[Version.TLS_1_2].reason == "the server chose TLS 1.0 where this was offered"


@pytest.mark.parametrize(
    ("flight", "word"),
    [
        (chose(Version.TLS_1_3, 0x1301), "version 0x0304"),
        (chose(0x7F1C, 0x1301), "version 0x7F1C"),
        (chose(0x0002, 0x002F), "version 0x0002"),
        (chose(Version.TLS_1_2, 0x1301), "suite 0x1301, which was not offered"),
        (chose(Version.TLS_1_2, 0x00FF), "suite 0x00FF"),
        (chose(Version.TLS_1_2, 0xC030 + 0x1000), "suite 0xD030"),
        (chose(Version.TLS_1_0, 0xC02F), "which TLS 1.0 does not have"),
        (chose(Version.TLS_1_2, 0xC02F, compression=1), "compression"),
    ],
)
def test_a_choice_of_what_nobody_offered_is_inconclusive(flight: Flight, word: str) -> None:
    facts = answer(Version.TLS_1_2, flight)
    assert facts.acceptance is Acceptance.INCONCLUSIVE
    assert facts.cipher_suite is None
    assert word in (facts.reason or "")


@pytest.mark.parametrize(
    "flight",
    [
        chose(Version.TLS_1_3, 0xC02F),
        chose(Version.TLS_1_2, 0x1301),
        chose(Version.TLS_1_3, 0x1301, session_id=b""),
    ],
)
def test_tls_1_3_is_accepted_with_its_own_suites_and_our_session_id_only(flight: Flight) -> None:
    assert answer(Version.TLS_1_3, flight).acceptance is Acceptance.INCONCLUSIVE


@pytest.mark.parametrize("version", Version)
def test_protocol_version_refuses_by_itself(version: Version) -> None:
    facts = answer(version, refused(70))
    assert (facts.acceptance, facts.alert) == (Acceptance.REFUSED, 70)
    assert judged({version: refused(70)})[version.label] is Acceptance.REFUSED


@pytest.mark.parametrize("code", [40, 71])
def test_a_failure_refuses_a_version_where_another_is_accepted(code: int) -> None:
    known = {Version.TLS_1_2: chose(Version.TLS_1_2, 0xC02F), Version.TLS_1_0: refused(code)}
    assert judged(known)["TLS 1.0"] is Acceptance.REFUSED


@pytest.mark.parametrize("code", [40, 71])
def test_a_failure_of_every_version_proves_nothing(code: int) -> None:
    assert set(judged(dict.fromkeys(Version, refused(code))).values()) == {Acceptance.INCONCLUSIVE}


@pytest.mark.parametrize("code", [0, 10, 47, 49, 50, 80, 86, 90, 109, 110, 112, 116, 120, 255])
def test_other_alerts_refuse_nothing(code: int) -> None:
    facts = answer(Version.TLS_1_0, refused(code))
    assert facts.acceptance is Acceptance.INCONCLUSIVE
    assert facts.alert == code
    known = {Version.TLS_1_2: chose(Version.TLS_1_2, 0xC02F), Version.TLS_1_0: refused(code)}
    assert judged(known)["TLS 1.0"] is Acceptance.INCONCLUSIVE


def test_close_notify_as_a_warning_refuses_nothing_and_is_no_fatal_alert() -> None:
    facts = answer(Version.SSL_3, refused(0, fatal=False))
    assert (facts.acceptance, facts.alert) == (Acceptance.INCONCLUSIVE, None)
    assert "close_notify (0)" in (facts.reason or "")


@pytest.mark.parametrize("end", End)
@pytest.mark.parametrize("version", Version)
def test_the_end_of_a_conversation_refuses_nothing(version: Version, end: End) -> None:
    facts = answer(version, Flight(), end)
    assert facts.acceptance is Acceptance.INCONCLUSIVE
    assert facts.reason


def test_a_warning_before_the_end_is_told_and_refuses_nothing() -> None:
    facts = answer(Version.SSL_3, Flight(warnings=(112, 70), tls=True), End.CLOSED)
    assert facts.acceptance is Acceptance.INCONCLUSIVE
    assert facts.reason == "the connection was closed, after the warning protocol_version (70)"


@pytest.mark.parametrize("end", [None, *End])
def test_what_was_received_before_the_end_counts(end: End | None) -> None:
    assert answer(Version.TLS_1_2, chose(Version.TLS_1_2, 0xC02F), end).acceptance is Acceptance.ACCEPTED
    assert answer(Version.TLS_1_2, refused(70), end).acceptance is Acceptance.REFUSED


@pytest.mark.parametrize(
    "flight", [Flight(malformed="odd", tls=True), Flight(speaks=Protocol.DICOM), Flight(), Flight(tls=True)]
)
def test_what_is_no_answer_is_inconclusive(flight: Flight) -> None:
    assert answer(Version.TLS_1_2, flight).acceptance is Acceptance.INCONCLUSIVE


def test_a_server_hello_counts_whatever_follows_it() -> None:
    hello = ServerHello(Version.TLS_1_2, 0xC02F, 0, b"")
    for flight in (
        Flight(server_hello=hello, malformed="odd", tls=True),
        Flight(server_hello=hello, alert=Alert(fatal=True, code=40), tls=True),
    ):
        assert answer(Version.TLS_1_2, flight).acceptance is Acceptance.ACCEPTED


def test_there_is_a_verdict_on_each_version_lowest_first() -> None:
    found = verdicts({Version.TLS_1_2: answer(Version.TLS_1_2, chose(Version.TLS_1_2, 0xC02F))}, "not asked: busy")
    assert [facts.version for facts in found] == ["SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
    missing = [facts for facts in found if facts.version != "TLS 1.2"]
    assert {(facts.acceptance, facts.reason) for facts in missing} == {(Acceptance.INCONCLUSIVE, "not asked: busy")}


def test_alerts_have_names_and_unknown_ones_numbers() -> None:
    assert alert_name(70) == "protocol_version (70)"
    assert alert_name(200) == "unknown alert (200)"


# ---------------------------------------------------------------------------------------- what else a choice shows


def test_a_prime_and_a_group_of_its_own_are_told() -> None:
    hello = ServerHello(Version.TLS_1_2, 0x009E, 0, b"", extensions=(0xFF01,))
    for exchange, expected in (
        (KeyExchange("DHE", bits=1024), (None, None, 1024)),
        (KeyExchange("DHE", group=0x0100, bits=2048), (0x0100, "ffdhe2048", 2048)),
        (KeyExchange("ECDHE", group=0x001D), (0x001D, "x25519", None)),
        (KeyExchange("ECDHE", explicit=True, bits=192), (None, None, None)),
        (KeyExchange("DHE", unreadable="odd"), (None, None, None)),
    ):
        facts = answer(Version.TLS_1_2, Flight(server_hello=hello, key_exchange=exchange, tls=True))
        assert (facts.group, facts.group_name, facts.prime_bits) == expected
        assert facts.secure_renegotiation is True


def test_a_finite_field_of_tls_1_3_has_the_size_in_its_name() -> None:
    hello = ServerHello(Version.TLS_1_3, 0x1301, 0, SESSION_ID, retry=True, group=0x0101)
    facts = answer(Version.TLS_1_3, Flight(server_hello=hello, tls=True))
    assert (facts.group_name, facts.prime_bits) == ("ffdhe3072", 3072)
    assert facts.compression is facts.secure_renegotiation is None


def test_compression_is_known_only_where_it_was_offered() -> None:
    offer = client_hello(Version.TLS_1_2, random=bytes(32), extras=Extras(deflate=True))
    for method, expected in ((0, False), (1, True)):
        found = read_answer(offer, chose(Version.TLS_1_2, 0xC02F, compression=method, session_id=b""), None)
        assert found[Version.TLS_1_2].compression is expected
        assert found[Version.TLS_1_2].acceptance is Acceptance.ACCEPTED
    assert answer(Version.TLS_1_2, chose(Version.TLS_1_2, 0xC02F)).compression is None


def test_renegotiation_is_not_known_from_an_ill_formed_answer() -> None:
    hello = ServerHello(Version.TLS_1_2, 0xC02F, 0, b"", extensions=(0xFF01,), ill_formed=(0xFF01,))
    assert answer(Version.TLS_1_2, Flight(server_hello=hello, tls=True)).secure_renegotiation is None
    assert answer(Version.TLS_1_2, chose(Version.TLS_1_2, 0xC02F)).secure_renegotiation is False


def test_what_was_shown_first_stays_unless_compression_is_shown_later() -> None:
    version = Version.TLS_1_2
    first = VersionFacts(version.label, Acceptance.ACCEPTED, cipher_suite=1)
    asked = VersionFacts(version.label, Acceptance.ACCEPTED, cipher_suite=2, compression=False)
    closed = VersionFacts(version.label, Acceptance.INCONCLUSIVE)
    refusal = VersionFacts(version.label, Acceptance.REFUSED, alert=70)
    assert joined({}, {version: first}) == {version: first}
    assert joined({version: first}, {version: asked}) == {version: asked}
    assert joined({version: asked}, {version: first}) == {version: asked}
    for later in (closed, refusal):
        assert joined({version: first}, {version: later}) == {version: first}


# ------------------------------------------------------------------------------------------------------------ SSLv2


@pytest.mark.parametrize(
    ("given", "end", "expected", "alert"),
    [
        (Ssl2Answer(server_hello=True, ciphers=(0x010080,)), None, Acceptance.ACCEPTED, None),
        (Ssl2Answer(server_hello=True), None, Acceptance.ACCEPTED, None),
        (Ssl2Answer(error=1), None, Acceptance.REFUSED, None),
        (Ssl2Answer(error=2), None, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(malformed="odd"), None, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(), End.CLOSED, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(), End.RESET, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(), End.TIMEOUT, Acceptance.INCONCLUSIVE, None),
        *((Ssl2Answer(flight=refused(code)), None, Acceptance.REFUSED, code) for code in (10, 40, 47, 50, 70, 71)),
        *((Ssl2Answer(flight=refused(code)), None, Acceptance.INCONCLUSIVE, code) for code in (0, 80, 112)),
        (Ssl2Answer(flight=refused(0, fatal=False)), None, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(flight=Flight(speaks=Protocol.HTTP)), None, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(flight=chose(Version.TLS_1_0, 0x002F)), None, Acceptance.INCONCLUSIVE, None),
        (Ssl2Answer(flight=chose(Version.SSL_3, 0x000A)), None, Acceptance.INCONCLUSIVE, None),
    ],
)
def test_what_an_answer_to_a_hello_of_sslv2_proves(
    given: Ssl2Answer, end: End | None, expected: Acceptance, alert: int | None
) -> None:
    facts = read_ssl2(given, end)
    assert (facts.version, facts.acceptance, facts.alert, facts.cipher_suite) == ("SSLv2", expected, alert, None)
    if given.ciphers:
        assert facts.cipher_suite_name == "SSL_CK_RC4_128_WITH_MD5"
    else:
        assert facts.reason


@pytest.mark.parametrize(("code", "without_another"), [(70, Acceptance.REFUSED), (10, Acceptance.INCONCLUSIVE)])
def test_sslv2_is_refused_by_what_may_mean_something_else_only_where_another_is_accepted(
    code: int, without_another: Acceptance
) -> None:
    ssl2 = read_ssl2(Ssl2Answer(flight=refused(code)), None)
    known = answers(Version.TLS_1_2, chose(Version.TLS_1_2, 0xC02F))
    assert verdicts(known, "not asked", ssl2)[0].acceptance is Acceptance.REFUSED
    assert verdicts({}, "not asked", ssl2)[0].acceptance is without_another


def test_an_unanswered_rfc_5746_outlives_a_better_answer() -> None:
    version = Version.TLS_1_2
    first = VersionFacts("TLS 1.2", Acceptance.ACCEPTED, secure_renegotiation=False)
    later = VersionFacts("TLS 1.2", Acceptance.ACCEPTED, compression=False, secure_renegotiation=True)
    (kept,) = joined({version: first}, {version: later}).values()
    assert (kept.compression, kept.secure_renegotiation) == (False, False)
