"""What the TLS probe offers on purpose, against real servers: each answer is what the server really is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checker.codecs.tls_policy import dhe_cbc_suites
from checker.model import Acceptance, OfferFacts, TlsOffer, VersionFacts
from tests.codecs import tls_flights, tls_oracle
from tests.live.certificates import Authority, TlsFiles
from tests.live.servers.dcmtk import TlsProfile, storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx import nginx
from tests.live.servers.openssl import Version, s_server
from tests.live.servers.process import require
from tests.live.servers.pyopenssl import pyopenssl
from tests.live.talking import Session
from tests.live.test_tls_probe import Answer, Server, handshake, probe, scripted, tls

pytestmark = pytest.mark.live

BROKEN, WEAK, HYBRID = TlsOffer.BROKEN_SUITES, TlsOffer.WEAK_SUITES, TlsOffer.HYBRID_GROUPS
ACCEPTED, REFUSED, INCONCLUSIVE = Acceptance.ACCEPTED, Acceptance.REFUSED, Acceptance.INCONCLUSIVE
HANDSHAKE_FAILURE = bytes.fromhex("15 0301 0002 02 28")
INTERNAL_ERROR = bytes.fromhex("15 0303 0002 02 50")
# draft-hickman-netscape-ssl-00 section 2.6: no certificate, RC4 and an export cipher, a connection id of 16 bytes.
SSL2_SERVER_HELLO = bytes.fromhex("8021 04 00 01 0002 0000 0006 0010 010080 020080") + bytes(16)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return Authority.create(tmp_path_factory.mktemp("tls-offers")).valid()


@pytest.fixture(scope="module")
def primes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Files of parameters for DHE by the size of their prime in bits."""
    folder = tmp_path_factory.mktemp("primes")
    found = {bits: folder / f"{bits}.pem" for bits in (1024, 2048)}
    for bits, path in found.items():
        subprocess.run(
            [require("openssl", "openssl"), "dhparam", "-dsaparam", "-out", path, str(bits)],
            check=True,
            capture_output=True,
        )
    return found


def offers(session: Session, offer: TlsOffer) -> list[OfferFacts]:
    """The offers of a kind, but for DHE with CBC over named fields: see `over_named_fields`."""
    return [facts for facts in tls(session).offers if facts.offer is offer and facts not in over_named_fields(session)]


def over_named_fields(session: Session) -> list[OfferFacts]:
    """The offers of DHE with CBC over named fields."""
    return [facts for facts in tls(session).offers if facts.suites == dhe_cbc_suites()]


def told(server: Server) -> dict[tuple[TlsOffer, str], str | None]:
    """Each offer that was decided and what was chosen, None where it was refused; asserts that each came once."""
    session = probe(server)
    named = over_named_fields(session)
    assert all(facts.acceptance is not INCONCLUSIVE for facts in named)
    found = [facts for facts in tls(session).offers if facts not in named]
    assert all(facts.acceptance is not INCONCLUSIVE for facts in found), found
    assert len({(facts.offer, facts.version) for facts in found}) == len(found), found
    return {(facts.offer, facts.version): facts.cipher_suite_name for facts in found}


def version(session: Session, label: str) -> VersionFacts:
    (facts,) = (facts for facts in tls(session).versions if facts.version == label)
    return facts


# --------------------------------------------------------------------------------------------------- broken suites


@pytest.mark.parametrize(
    ("versions", "cipher", "label", "suite"),
    [
        (("tls1_2",), "NULL-SHA256", "TLS 1.2", "TLS_RSA_WITH_NULL_SHA256"),
        (("tls1_2", "tls1_3"), "ECDHE-RSA-NULL-SHA", "TLS 1.2", "TLS_ECDHE_RSA_WITH_NULL_SHA"),
        (("tls1_2",), "ADH-AES128-GCM-SHA256", "TLS 1.2", "TLS_DH_anon_WITH_AES_128_GCM_SHA256"),
        (("tls1", "tls1_1"), "AECDH-AES128-SHA", "TLS 1.1", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"),
    ],
)
def test_a_broken_suite_behind_better_ones_is_found(
    files: TlsFiles, versions: tuple[Version, ...], cipher: str, label: str, suite: str
) -> None:
    ciphers = f"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:{cipher}:@SECLEVEL=0"
    with s_server(files, versions=versions, ciphers=ciphers, options=("-serverpref",)) as server:
        found = told(server)
    assert found[BROKEN, label] == suite


@pytest.mark.parametrize(
    ("versions", "cipher", "label", "suite"),
    [
        ("+VERS-TLS1.2", "+ARCFOUR-128", "TLS 1.2", "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
        ("+VERS-TLS1.0", "+ARCFOUR-128", "TLS 1.0", "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
    ],
)
def test_rc4_of_gnutls_is_found(files: TlsFiles, versions: str, cipher: str, label: str, suite: str) -> None:
    with gnutls_serv(files, priority=f"NORMAL:-VERS-ALL:{versions}:{cipher}:%COMPAT") as server:
        session = probe(server)
    (facts,) = offers(session, BROKEN)
    assert (facts.acceptance, facts.version, facts.cipher_suite_name) == (ACCEPTED, label, suite)


def test_rc4_under_ssl_3_is_found(files: TlsFiles) -> None:
    # Its module needs a library that warns when it is imported; the oracle has seen to that.
    assert tls_oracle.SUITE_NAMES
    from tests.live.servers.tlslite import tlslite

    with tlslite(files, ciphers=("aes128", "rc4")) as server:
        session = probe(server)
    (facts,) = offers(session, BROKEN)
    assert (facts.acceptance, facts.version) == (ACCEPTED, "SSLv3")
    assert "RC4_128" in (facts.cipher_suite_name or "")
    # It was chosen in answer to a hello of TLS 1.2, which offers DEFLATE.
    assert version(session, "SSLv3").compression is False


# ----------------------------------------------------------------------------------------------------- weak suites


@pytest.mark.parametrize(
    ("ciphers", "suite"),
    [
        ("ECDHE-RSA-AES128-GCM-SHA256", None),
        ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384", None),
        ("ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA256:AES256-CCM8", "TLS_RSA_WITH_AES_256_CCM_8"),
        ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("ECDHE-RSA-AES128-GCM-SHA256:CAMELLIA256-SHA256", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA256:ARIA128-GCM-SHA256", "TLS_RSA_WITH_ARIA_128_GCM_SHA256"),
    ],
)
def test_weak_suites_of_openssl(files: TlsFiles, ciphers: str, suite: str | None) -> None:
    options = ("-serverpref", "-no_dhe")
    with s_server(files, versions=("tls1_2",), ciphers=f"{ciphers}:@SECLEVEL=0", options=options) as server:
        assert told(server) == {(BROKEN, "TLS 1.2"): None, (WEAK, "TLS 1.2"): suite}


def test_3des_of_gnutls_is_found(files: TlsFiles) -> None:
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:+3DES-CBC:-DHE-RSA:-RSA"
    with gnutls_serv(files, priority=priority) as server:
        assert told(server) == {
            (BROKEN, "TLS 1.2"): None,
            (WEAK, "TLS 1.2"): "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
        }


def test_3des_of_tlslite_is_found(files: TlsFiles) -> None:
    assert tls_oracle.SUITE_NAMES
    from tests.live.servers.tlslite import tlslite

    with tlslite(files, lowest=(3, 1), highest=(3, 3), ciphers=("aes128gcm", "3des")) as server:
        session = probe(server)
    assert "3DES_EDE_CBC" in (offers(session, WEAK)[-1].cipher_suite_name or "")
    assert offers(session, WEAK)[-1].acceptance is ACCEPTED


@pytest.mark.parametrize("bits", [1024, 2048])
@pytest.mark.parametrize("worse", [None, "AES128-SHA"])
def test_dhe_behind_ecdhe_shows_its_prime_and_hides_no_weak_suite(
    files: TlsFiles, primes: dict[int, Path], bits: int, worse: str | None
) -> None:
    ciphers = ":".join(filter(None, ("ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", worse)))
    settings = f"ssl_protocols TLSv1.2; ssl_ciphers {ciphers}:@SECLEVEL=0; ssl_dhparam {primes[bits]};"
    with nginx(settings, tls=files) as server:
        session = probe(server)
    first, second = offers(session, WEAK)
    assert first.acceptance is ACCEPTED
    assert first.cipher_suite_name == "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
    assert first.prime_bits == bits
    assert set(first.suites) - set(second.suites) >= {0x009E, 0x009F, 0xCCAA}
    assert second.acceptance is (ACCEPTED if worse else REFUSED)
    assert second.cipher_suite_name == ("TLS_RSA_WITH_AES_128_CBC_SHA" if worse else None)
    assert version(session, "TLS 1.2").prime_bits is None


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_prime_that_the_version_has_shown_is_not_asked_for_again(
    files: TlsFiles, primes: dict[int, Path], bits: int
) -> None:
    settings = f"ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0; ssl_dhparam {primes[bits]};"
    with nginx(settings, tls=files) as server:
        session = probe(server)
    assert version(session, "TLS 1.2").prime_bits == bits
    (weak,) = offers(session, WEAK)
    assert weak.acceptance is REFUSED
    assert 0x009F not in weak.suites
    assert session.connections == 10


def test_dhe_with_cbc_shows_its_prime_at_once(files: TlsFiles, primes: dict[int, Path]) -> None:
    ciphers = "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA:@SECLEVEL=0"
    with nginx(f"ssl_protocols TLSv1.2; ssl_ciphers {ciphers}; ssl_dhparam {primes[1024]};", tls=files) as server:
        (weak,) = offers(probe(server), WEAK)
    assert (weak.acceptance, weak.prime_bits) == (ACCEPTED, 1024)
    assert weak.cipher_suite_name == "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"


def test_dhe_that_only_who_names_a_field_gets_is_found(files: TlsFiles) -> None:
    # OpenSSL 4 agrees on DHE under TLS 1.2 over the fields of RFC 7919 alone, and only with who names one.
    with pyopenssl(files, ciphers="ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA256") as server:
        session = probe(server)
    (facts,) = over_named_fields(session)
    assert (facts.offer, facts.acceptance) == (WEAK, ACCEPTED)
    assert facts.cipher_suite_name == "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"
    assert [offer.acceptance for offer in offers(session, BROKEN)] == [REFUSED]


@pytest.mark.parametrize("ciphers", ["AES128-SHA256", "DHE-RSA-AES128-SHA", "DHE-RSA-AES128-SHA:ADH-AES128-SHA"])
def test_dhe_with_cbc_is_offered_beside_what_is_broken_and_hides_nothing(files: TlsFiles, ciphers: str) -> None:
    ciphers = f"ECDHE-RSA-AES128-GCM-SHA256:{ciphers}:@SECLEVEL=0"
    with s_server(files, versions=("tls1_2",), ciphers=ciphers, options=("-serverpref",)) as server:
        session = probe(server)
    (facts,) = over_named_fields(session)
    assert facts.acceptance is (ACCEPTED if "DHE-RSA-AES128-SHA" in ciphers else REFUSED)
    (broken,) = offers(session, BROKEN)
    assert broken.cipher_suite_name == ("TLS_DH_anon_WITH_AES_128_CBC_SHA" if "ADH" in ciphers else None)


# ----------------------------------------------------------------------------------------------------- whole servers


MODERN = "ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305;"
REFUSED_ALL = {(BROKEN, "TLS 1.2"): None, (WEAK, "TLS 1.2"): None, (HYBRID, "TLS 1.3"): None}


def test_broken_dhe_over_a_field_of_its_own_that_who_names_fields_does_not_get_is_found(
    files: TlsFiles, tmp_path: Path
) -> None:
    parameters = tmp_path / "dh.pem"
    certtool = [
        require("certtool", "gnutls-bin"),
        "--generate-dh-params",
        "--sec-param=low",
        "--outfile",
        str(parameters),
    ]
    subprocess.run(certtool, check=True, capture_output=True)
    fields = "".join(f":-GROUP-FFDHE{bits}" for bits in (2048, 3072, 4096, 6144, 8192))
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.2:+ANON-DH{fields}"
    with gnutls_serv(files, priority=priority, options=("--dhparams", parameters)) as server:
        session = probe(server)
    refused, taken = offers(session, BROKEN)
    assert (refused.acceptance, taken.acceptance) == (REFUSED, ACCEPTED)
    assert taken.cipher_suite_name == "TLS_DH_anon_WITH_AES_128_GCM_SHA256"
    # The weak ones were asked for by themselves once more.
    assert [facts.acceptance for facts in offers(session, WEAK)] == [ACCEPTED, ACCEPTED]


def test_a_modern_server_costs_eleven_connections_by_name_and_refuses_everything(files: TlsFiles) -> None:
    with nginx(f"ssl_protocols TLSv1.2 TLSv1.3; {MODERN}", tls=files) as server:
        session = probe(server)
        assert told(server) == REFUSED_ALL
    assert session.connections == 11
    newest = version(session, "TLS 1.2")
    assert (newest.group_name, newest.prime_bits) == ("x25519", None)
    assert (newest.compression, newest.secure_renegotiation) == (False, True)
    assert version(session, "SSLv2").acceptance is REFUSED
    assert version(session, "TLS 1.3").group_name == "x25519"


def test_a_server_of_tls_1_3_alone_is_asked_for_groups_alone(files: TlsFiles) -> None:
    with nginx("ssl_protocols TLSv1.3;", tls=files) as server:
        assert told(server) == {(HYBRID, "TLS 1.3"): None}


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("+py", REFUSED_ALL),
        ("+px", {**REFUSED_ALL, (WEAK, "TLS 1.2"): "TLS_RSA_WITH_AES_128_CBC_SHA"}),
        ("+pa", {(BROKEN, "TLS 1.2"): None, (WEAK, "TLS 1.2"): "TLS_RSA_WITH_AES_128_CBC_SHA"}),
        ("+pn", {(BROKEN, "TLS 1.2"): "TLS_RSA_WITH_NULL_SHA", (WEAK, "TLS 1.2"): None}),
    ],
)
def test_the_profiles_of_dcmtk(
    files: TlsFiles, profile: TlsProfile, expected: dict[tuple[TlsOffer, str], str | None]
) -> None:
    with storescp(tls=files, profile=profile) as server:
        assert told(server) == expected


def test_a_hybrid_group_is_seen(files: TlsFiles) -> None:
    with pyopenssl(files) as server:
        session = probe(server)
    (facts,) = offers(session, HYBRID)
    assert (facts.acceptance, facts.group, facts.group_name) == (ACCEPTED, 0x11EC, "X25519MLKEM768")
    assert (facts.version, facts.suites) == ("TLS 1.3", ())
    assert 0x11EC in facts.groups
    # It knows nothing of SSLv2 any more, and says nothing about it either.
    assert version(session, "SSLv2").acceptance is INCONCLUSIVE
    assert handshake(session).completed


def test_a_server_that_takes_no_version_is_offered_nothing(files: TlsFiles) -> None:
    options = ("-nocert", "-psk", "00ff", "-psk_hint", "synthetic")
    with s_server(files, versions=("tls1_2",), ciphers="ECDHE-PSK-CHACHA20-POLY1305", options=options) as server:
        assert tls(probe(server)).offers == ()


# -------------------------------------------------------------------------------------------------- scripted servers


def test_sslv2_is_seen_with_what_it_lists() -> None:
    ssl3 = Answer(tls_flights.TLSLITE_SSL_3)
    refusal = Answer(HANDSHAKE_FAILURE)
    # The hello of TLS 1.3, which shows SSLv3; broken suites; the handshake; SSLv2.
    with scripted([ssl3, refusal, refusal, Answer(SSL2_SERVER_HELLO, stays=True)]) as server:
        session = probe(server)
    facts = version(session, "SSLv2")
    assert (facts.acceptance, facts.cipher_suite_name) == (ACCEPTED, "SSL_CK_RC4_128_WITH_MD5")
    (broken,) = tls(session).offers
    assert (broken.offer, broken.version, broken.acceptance) == (BROKEN, "SSLv3", REFUSED)
    assert session.connections == 4


def test_an_answer_that_breaks_off_in_sslv2_refuses_nothing() -> None:
    spoken, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(HANDSHAKE_FAILURE)
    ladder = [spoken, spoken, refusal, refusal, refusal]
    with scripted([*ladder, refusal, refusal, refusal, refusal, Answer(SSL2_SERVER_HELLO[:-1])]) as server:
        session = probe(server)
    facts = version(session, "SSLv2")
    assert (facts.acceptance, facts.reason) == (INCONCLUSIVE, "the answer began in SSLv2 and was not complete")


def test_a_version_with_nothing_but_shared_keys_is_not_taken_for_refused(files: TlsFiles) -> None:
    # Beside TLS 1.3, and with suites that no hello of all usual ones has room for.
    options = ("-psk", "00ff")
    ciphers = "PSK-AES128-CBC-SHA:PSK-NULL-SHA:@SECLEVEL=0"
    with s_server(files, versions=("tls1_2", "tls1_3"), ciphers=ciphers, options=options) as server:
        session = probe(server)
    facts = version(session, "TLS 1.2")
    assert (facts.acceptance, facts.cipher_suite_name) == (ACCEPTED, "TLS_PSK_WITH_NULL_SHA")
    assert offers(session, BROKEN) == []


def test_dhe_that_fails_inside_takes_nothing_from_the_answer_about_other_suites() -> None:
    spoken, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(HANDSHAKE_FAILURE)
    ladder = [spoken, spoken, refusal, refusal, refusal]
    with scripted([*ladder, refusal, Answer(INTERNAL_ERROR), refusal]) as server:
        session = probe(server)
    (broken,), (weak,) = offers(session, BROKEN), offers(session, WEAK)
    assert broken.acceptance is weak.acceptance is REFUSED
    assert 0x009F not in weak.suites
    with scripted([*ladder, refusal, Answer(INTERNAL_ERROR), Answer(INTERNAL_ERROR), refusal]) as server:
        session = probe(server)
    (weak,) = offers(session, WEAK)
    assert (weak.acceptance, weak.reason) == (INCONCLUSIVE, "fatal alert internal_error (80)")


def test_an_offer_that_ends_in_a_close_is_not_refused() -> None:
    spoken, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(HANDSHAKE_FAILURE)
    with scripted([spoken, spoken, refusal, refusal, refusal, Answer(b"")]) as server:
        session = probe(server)
    assert {facts.acceptance for facts in tls(session).offers} == {INCONCLUSIVE}
    assert {facts.reason for facts in tls(session).offers} == {"the connection was closed"}
