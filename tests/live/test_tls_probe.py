"""The TLS probe against real servers: every verdict is what the server really is, and no connection is one too many."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Literal, Protocol

import pytest

from checker.model import (
    Acceptance,
    AssetManners,
    ConnectState,
    HandshakeFacts,
    PortFacts,
    TlsFacts,
)
from checker.net.gateway import Limits
from checker.plan import TLS_CONNECTIONS
from checker.probes.tls import probe_tls
from tests.codecs import tls_flights, tls_oracle
from tests.conftest import LOOPS
from tests.faults.servers import Fault, hostile
from tests.live.certificates import HOSTS, Authority, TlsFiles
from tests.live.servers.dcmtk import TlsProfile, storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx import nginx, plain_page
from tests.live.servers.openssl import Version, s_server
from tests.live.servers.process import LOOPBACK, free_ports, require
from tests.live.servers.scp import scp
from tests.live.talking import QUICK, Session, talking
from tests.network_watch import NetworkWatch

pytestmark = pytest.mark.live

HOST = HOSTS[1]
HANDSHAKE_FAILURE = bytes.fromhex("15 0301 0002 02 28")
INTERNAL_ERROR = bytes.fromhex("15 0303 0002 02 50")
LABELS = ("SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
OPENSSL: dict[str, Version] = {"TLS 1.0": "tls1", "TLS 1.1": "tls1_1", "TLS 1.2": "tls1_2", "TLS 1.3": "tls1_3"}
DICOM_ABORTS = "the port answered in DICOM and not in TLS"


class Server(Protocol):
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scripted server does after a hello: send `sent`, then close, reset, or stay until the client leaves."""

    sent: bytes
    resets: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Scripted:
    host: str
    port: int


@contextmanager
def scripted(answers: Sequence[Answer]) -> Iterator[Scripted]:
    """A server whose connections get these answers in turn; every further one gets the last."""

    def serve() -> None:
        for number in count():
            client, _address = listener.accept()
            with client:
                if not client.recv(4096):
                    return
                answer = answers[min(number, len(answers) - 1)]
                client.sendall(answer.sent)
                if answer.resets:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    continue
                if answer.stays:
                    while client.recv(4096):
                        pass
                    continue
                client.shutdown(socket.SHUT_WR)
                with suppress(ConnectionError):
                    while client.recv(4096):
                        pass

    with socket.create_server((LOOPBACK, 0)) as listener:
        host, port = listener.getsockname()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Scripted(host, port)
        finally:
            with socket.create_connection((host, port)):
                pass  # a connection that says nothing is the end of the script
            thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("tls-probe"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    return authority.valid()


@pytest.fixture(scope="module")
def elliptic(authority: Authority) -> TlsFiles:
    return authority.elliptic()


def probe(
    server: Server, *, server_name: str | None = HOST, names: Sequence[str] = (HOST,), manners: AssetManners = QUICK
) -> Session:
    with talking(server.host, server.port, manners=manners) as session:
        asyncio.run(probe_tls(session.talk, server_name=server_name, names=tuple(names)))
    assert session.connections <= TLS_CONNECTIONS
    assert len(session.of(TlsFacts)) <= 1
    assert len(session.of(HandshakeFacts)) <= 1
    return session


def tls(session: Session) -> TlsFacts:
    (facts,) = session.of(TlsFacts)
    assert tuple(version.version for version in facts.versions) == LABELS
    return facts


def handshake(session: Session) -> HandshakeFacts:
    (facts,) = session.of(HandshakeFacts)
    return facts


def accepted(session: Session) -> dict[str, str | None]:
    """The versions that were accepted, with their suites; asserts that all others were refused, none inconclusive."""
    facts = tls(session)
    assert all(version.acceptance is not Acceptance.INCONCLUSIVE for version in facts.versions), facts.versions
    return {
        version.version: version.cipher_suite_name
        for version in facts.versions
        if version.acceptance is Acceptance.ACCEPTED
    }


def nothing_proved(session: Session) -> TlsFacts:
    facts = tls(session)
    assert {version.acceptance for version in facts.versions} == {Acceptance.INCONCLUSIVE}
    assert all(version.reason for version in facts.versions)
    assert not session.of(HandshakeFacts)
    return facts


# ------------------------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("speaks", "connections"),
    [
        (("TLS 1.0",), 7),
        (("TLS 1.1",), 8),
        (("TLS 1.2",), 12),
        (("TLS 1.3",), 8),
        (("TLS 1.0", "TLS 1.3"), 8),
        (("TLS 1.2", "TLS 1.3"), 13),
        (("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"), 13),
    ],
)
def test_openssl_speaks_exactly_the_versions_that_it_was_told(
    files: TlsFiles, speaks: tuple[str, ...], connections: int
) -> None:
    with s_server(files, versions=[OPENSSL[label] for label in speaks]) as server:
        session = probe(server)
    assert tuple(accepted(session)) == speaks
    assert session.connections == connections
    assert handshake(session).completed
    assert handshake(session).version == speaks[-1]
    assert tls(session).answered
    assert tls(session).server_name == HOST
    assert tls(session).detail is None


@pytest.mark.parametrize(
    ("version", "cipher", "suite"),
    [
        ("tls1_2", "ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("tls1_2", "ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("tls1_2", "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("tls1_2", "NULL-SHA256:@SECLEVEL=0", "TLS_RSA_WITH_NULL_SHA256"),
        ("tls1_2", "AES256-CCM8", "TLS_RSA_WITH_AES_256_CCM_8"),
        ("tls1_2", "ADH-AES256-SHA:@SECLEVEL=0", "TLS_DH_anon_WITH_AES_256_CBC_SHA"),
        ("tls1", "AECDH-AES128-SHA:@SECLEVEL=0", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"),
        ("tls1_1", "CAMELLIA128-SHA:@SECLEVEL=0", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    ],
)
def test_the_suite_is_the_one_that_the_server_has(files: TlsFiles, version: Version, cipher: str, suite: str) -> None:
    with s_server(files, versions=(version,), ciphers=cipher) as server:
        session = probe(server)
    assert list(accepted(session).values()) == [suite]
    assert handshake(session).completed
    assert handshake(session).cipher_suite_name == suite
    assert (handshake(session).certificate is None) == ("anon" in suite)


def test_the_order_of_the_server_counts(files: TlsFiles) -> None:
    with s_server(
        files, versions=("tls1_2",), ciphers="AES128-SHA:AES256-GCM-SHA384", options=("-serverpref",)
    ) as server:
        assert accepted(probe(server)) == {"TLS 1.2": "TLS_RSA_WITH_AES_128_CBC_SHA"}
    with s_server(files, versions=("tls1_2",), ciphers="AES128-SHA:AES256-GCM-SHA384") as server:
        assert accepted(probe(server)) == {"TLS 1.2": "TLS_RSA_WITH_AES_256_GCM_SHA384"}


def test_a_server_that_prefers_chacha20_for_those_who_do_is_not_led_to_it(files: TlsFiles) -> None:
    ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
    options = (
        "-serverpref",
        "-prioritize_chacha",
        "-ciphersuites",
        "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
    )
    with s_server(files, ciphers=ciphers, options=options) as server:
        assert accepted(probe(server)) == {
            "TLS 1.2": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS 1.3": "TLS_AES_256_GCM_SHA384",
        }


def test_a_server_of_one_group_is_seen_under_tls_1_3(files: TlsFiles) -> None:
    with s_server(files, versions=("tls1_3",), options=("-groups", "ffdhe3072")) as server:
        assert tuple(accepted(probe(server))) == ("TLS 1.3",)


@pytest.mark.parametrize(
    ("priority", "speaks"),
    [
        ("NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT", ("TLS 1.0",)),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:%COMPAT", ("TLS 1.0", "TLS 1.1")),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3", ("TLS 1.2", "TLS 1.3")),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.3", ("TLS 1.3",)),
    ],
)
def test_gnutls_with_an_elliptic_certificate(elliptic: TlsFiles, priority: str, speaks: tuple[str, ...]) -> None:
    with gnutls_serv(elliptic, priority=priority) as server:
        session = probe(server)
    assert tuple(accepted(session)) == speaks
    assert handshake(session).completed
    assert handshake(session).client_certificate == "not-asked"
    certificate = handshake(session).certificate
    assert certificate is not None
    assert (certificate.key_type, certificate.key_bits) == ("EC", 256)


def test_ssl_3_is_seen_and_its_certificate_too(files: TlsFiles) -> None:
    # Its module needs a library that warns when it is imported; the oracle has seen to that.
    assert tls_oracle.SUITE_NAMES
    from tests.live.servers.tlslite import SSL3, TLS13, tlslite

    with tlslite(files, lowest=SSL3, highest=TLS13) as server:
        session = probe(server)
    assert tuple(accepted(session)) == LABELS[1:]
    assert accepted(session)["SSLv3"] == "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    assert handshake(session).version == "TLS 1.3"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("+py", {"TLS 1.2": "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "TLS 1.3": "TLS_AES_256_GCM_SHA384"}),
        ("+pz", {"TLS 1.2": "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"}),
        ("+pa", dict.fromkeys(("TLS 1.0", "TLS 1.1", "TLS 1.2"), "TLS_RSA_WITH_AES_128_CBC_SHA")),
        ("+pn", dict.fromkeys(("TLS 1.0", "TLS 1.1", "TLS 1.2"), "TLS_RSA_WITH_NULL_SHA")),
    ],
)
def test_dicom_inside_tls_by_the_profiles_of_dcmtk(
    files: TlsFiles, profile: TlsProfile, expected: dict[str, str]
) -> None:
    with storescp(tls=files, profile=profile) as server:
        session = probe(server)
    assert accepted(session) == expected
    assert handshake(session).completed


def openssl_client_agrees(server: Server, option: str, ciphers: str = "ALL") -> bool:
    """Whether OpenSSL's own client comes to a session of this version, at its most tolerant."""
    command = [require("openssl", "openssl"), "s_client", "-connect", f"{server.host}:{server.port}", option]
    command += ["-cipher", f"{ciphers}:@SECLEVEL=0"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=30, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("ciphers", ["ECDHE+AES", "ECDHE+AES:AES128-SHA", "HIGH:!aNULL:!MD5"])
def test_old_versions_that_fail_inside_are_refused_where_every_kind_does(files: TlsFiles, ciphers: str) -> None:
    # OpenSSL 3 above security level 0, the default of Debian's nginx, cannot do TLS 1.0 and 1.1 that are switched on.
    settings = f"ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers {ciphers};"
    with nginx(settings, tls=files) as server:
        session = probe(server)
        agreed = [openssl_client_agrees(server, option) for option in ("-tls1", "-tls1_1", "-tls1_2")]
    assert agreed == [False, False, True]
    found = {version.version: version for version in tls(session).versions}
    for label in ("TLS 1.0", "TLS 1.1"):
        assert (found[label].acceptance, found[label].alert) == (Acceptance.REFUSED, 80)
        assert "where nothing has to be signed" in str(found[label].reason)
    assert found["TLS 1.2"].acceptance is Acceptance.ACCEPTED
    assert found["SSLv3"].acceptance is Acceptance.REFUSED


def short_flight(version: int, suite: int) -> bytes:
    """A ServerHello (RFC 5246 section 7.4.1.3) of no extensions and a ServerHelloDone, in one record."""
    hello = version.to_bytes(2, "big") + bytes(32) + b"\0" + suite.to_bytes(2, "big") + b"\0"
    messages = b"\x02" + len(hello).to_bytes(3, "big") + hello + b"\x0e\0\0\0"
    return b"\x16" + version.to_bytes(2, "big") + len(messages).to_bytes(2, "big") + messages


def test_an_old_version_that_fails_for_one_kind_is_accepted_for_another(files: TlsFiles) -> None:
    spoken, failure, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(INTERNAL_ERROR), Answer(HANDSHAKE_FAILURE)
    old = Answer(short_flight(0x0302, 0x002F))
    with scripted([spoken, spoken, failure, failure, refusal, old, failure, refusal]) as server:
        session = probe(server)
    found = {version.version: version for version in tls(session).versions}
    assert (found["TLS 1.1"].acceptance, found["TLS 1.1"].cipher_suite) == (Acceptance.ACCEPTED, 0x002F)
    # The other one has failed over what needs no signature either.
    assert found["TLS 1.0"].acceptance is Acceptance.REFUSED


def test_an_old_version_of_which_a_kind_ends_otherwise_is_undecided(files: TlsFiles) -> None:
    spoken, failure, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(INTERNAL_ERROR), Answer(HANDSHAKE_FAILURE)
    # Without a signature it is refused, with ECDHE it fails, and with DHE the connection is closed.
    with scripted([spoken, spoken, failure, failure, refusal, refusal, failure, Answer(b""), refusal]) as server:
        session = probe(server)
    found = {version.version: version for version in tls(session).versions}
    assert found["TLS 1.1"].acceptance is Acceptance.INCONCLUSIVE


def test_a_server_that_fails_for_everyone_refuses_no_version(files: TlsFiles) -> None:
    # A pre-shared key that nobody has told us; TLS 1.2 may well be spoken, and is.
    options = ("-nocert", "-psk", "00ff", "-psk_hint", "synthetic")
    with s_server(files, versions=("tls1_2",), ciphers="ECDHE-PSK-CHACHA20-POLY1305", options=options) as server:
        session = probe(server)
    found = {version.version: version for version in tls(session).versions}
    assert (found["TLS 1.2"].acceptance, found["TLS 1.2"].alert) == (Acceptance.INCONCLUSIVE, 40)
    assert not handshake(session).completed


def test_a_server_that_knows_the_name_of_nobody_refuses_no_version(files: TlsFiles) -> None:
    with nginx("ssl_reject_handshake on;", tls=files) as server:
        session = probe(server)
    facts = tls(session)
    # SSLv2 alone is refused, by protocol_version, which means nothing else.
    assert [version.acceptance for version in facts.versions] == [Acceptance.REFUSED, *[Acceptance.INCONCLUSIVE] * 5]
    assert [version.alert for version in facts.versions] == [70, 40, 112, 112, 112, 112]
    assert facts.offers == ()
    assert facts.answered
    assert not handshake(session).completed
    assert handshake(session).certificate is None


# ------------------------------------------------------------------------------------------- client certificates


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize("asks", ["not-asked", "optional", "required"])
def test_what_openssl_does_about_client_certificates(
    files: TlsFiles, version: Version, asks: Literal["not-asked", "optional", "required"]
) -> None:
    with s_server(files, versions=(version,), client_certificate=asks) as server:
        session = probe(server)
    facts = handshake(session)
    assert facts.client_certificate == asks
    assert facts.completed == (asks != "required")
    assert (facts.detail is None) == facts.completed
    assert facts.certificate is not None
    assert tls(session).client_certificate_requested == (asks != "not-asked" if version == "tls1_2" else None)
    assert tuple(accepted(session)) == ("TLS 1.2" if version == "tls1_2" else "TLS 1.3",)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("asks", ["optional", "required"])
def test_what_gnutls_does_about_client_certificates(
    files: TlsFiles, version: str, asks: Literal["optional", "required"]
) -> None:
    with gnutls_serv(files, priority=f"NORMAL:-VERS-ALL:+VERS-TLS{version}", client_certificate=asks) as server:
        facts = handshake(probe(server))
    assert facts.client_certificate == asks
    assert facts.completed == (asks == "optional")
    assert facts.certificate is not None


@pytest.mark.parametrize(
    ("asks", "expected"), [("required", "required"), ("verified", "optional"), ("ignored", "not-asked")]
)
def test_what_dcmtk_does_about_client_certificates(
    files: TlsFiles, asks: Literal["required", "verified", "ignored"], expected: str
) -> None:
    with storescp(tls=files, client_certificate=asks) as server:
        assert handshake(probe(server)).client_certificate == expected


def test_nginx_with_mutual_tls_takes_the_session_and_refuses_inside(files: TlsFiles) -> None:
    with nginx(plain_page(), tls=files, client_certificate=True) as server:
        session = probe(server)
    assert tls(session).client_certificate_requested is True
    assert handshake(session).client_certificate == "optional"
    assert handshake(session).completed


# ---------------------------------------------------------------------------------------------------- certificate


@pytest.mark.parametrize("kind", ["expired", "self_signed", "wrong_name", "weak_key", "no_names"])
def test_a_bad_certificate_is_described_and_never_in_the_way(authority: Authority, kind: str) -> None:
    ciphers = "ALL:@SECLEVEL=0" if kind == "weak_key" else None
    with s_server(getattr(authority, kind)(), ciphers=ciphers) as server:
        facts = handshake(probe(server))
    assert facts.completed
    certificate = facts.certificate
    assert certificate is not None
    assert certificate.names_asked == (HOST,)
    assert certificate.trusted is not True
    assert certificate.self_signed == (kind == "self_signed")
    assert certificate.name_matches == (kind not in ("wrong_name", "no_names"))
    assert (certificate.key_bits == 1024) == (kind == "weak_key")


def test_an_address_is_no_server_name(files: TlsFiles) -> None:
    with s_server(files) as server:
        session = probe(server, server_name=LOOPBACK, names=(LOOPBACK,))
    assert tls(session).server_name is None
    certificate = handshake(session).certificate
    assert certificate is not None
    assert certificate.name_matches


# ------------------------------------------------------------------------------------------------- other protocols


def test_plaintext_dicom_is_seen_at_the_first_hello_and_asked_nothing_more() -> None:
    with scp() as server:
        session = probe(server)
    facts = nothing_proved(session)
    assert session.connections == 1
    assert facts.plaintext_dicom
    assert not facts.plaintext_http
    assert not facts.answered
    assert facts.detail == DICOM_ABORTS


def test_plaintext_http_is_seen_at_the_first_hello_and_asked_nothing_more() -> None:
    with nginx(plain_page()) as server:
        session = probe(server)
    facts = nothing_proved(session)
    assert session.connections == 1
    assert facts.plaintext_http
    assert not facts.plaintext_dicom


def test_a_plaintext_scp_that_resets_has_said_nothing() -> None:
    with storescp() as server:
        facts = nothing_proved(probe(server))
    assert not facts.plaintext_dicom
    assert not facts.answered


# -------------------------------------------------------------------------------------------------- hostile peers


@pytest.mark.parametrize(
    ("fault", "connections"),
    [
        (Fault.CLOSES, 5),
        (Fault.CLOSES_AFTER_REQUEST, 5),
        (Fault.RESETS_AFTER_REQUEST, 5),
        (Fault.GARBAGE, 1),
        (Fault.BANNER, 1),
        (Fault.ENDLESS, 1),
        (Fault.PDU_OF_4_GIB, 1),
        (Fault.ALERTS, 5),
    ],
)
def test_a_peer_that_speaks_no_tls_proves_nothing(fault: Fault, connections: int) -> None:
    with hostile(fault) as peer:
        session = probe(peer)
        peer.wait_for_end(connections)
        assert peer.connections == connections
        assert peer.most_at_once == 1
    facts = nothing_proved(session)
    assert not facts.plaintext_dicom
    assert not facts.plaintext_http
    assert session.device.bytes_received < 1_000_000
    assert session.left_alone is None


def test_a_peer_that_resets_at_once_proves_nothing() -> None:
    with hostile(Fault.RESETS) as peer:
        session = probe(peer)
        assert 1 <= peer.connections <= 5
        assert peer.most_at_once == 1
    # On a busy machine a reset is there before its connection is, which is then none, and the last.
    found = session.of(TlsFacts)
    assert found or session.talk.state is ConnectState.RESET
    assert {version.acceptance for facts in found for version in facts.versions} <= {Acceptance.INCONCLUSIVE}
    assert session.of(HandshakeFacts) == []
    assert session.left_alone is None


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.DRIPS_TLS])
def test_a_peer_that_gives_no_answer_in_time_is_asked_nothing_more(
    monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("checker.probes.tls_hellos._HELLO", Limits(conversation_s=0.4, max_bytes=1000))
    with hostile(fault, interval_s=0.02) as peer:
        session = probe(peer)
        assert peer.connections == session.connections == 1
    facts = nothing_proved(session)
    assert facts.versions[-1].reason == "no answer in time"
    # A peer that began to answer is left alone from now on; one that said nothing may yet be asked something else.
    assert (session.left_alone is not None) == (fault is Fault.DRIPS_TLS)


def test_a_server_that_falls_silent_later_keeps_what_it_showed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.probes.tls_hellos._HELLO", Limits(conversation_s=0.4, max_bytes=100_000))
    spoken = Answer(tls_flights.OPENSSL_TLS_1_2)
    with scripted([spoken, spoken, Answer(b"", stays=True)]) as server:
        session = probe(server)
    found = {version.version: version for version in tls(session).versions}
    assert found["TLS 1.3"].acceptance is Acceptance.REFUSED
    assert found["TLS 1.2"].acceptance is Acceptance.ACCEPTED
    assert found["TLS 1.1"].reason == "no answer in time"
    assert found["TLS 1.0"].reason == "not asked: the port gave no answer in time"
    assert found["SSLv3"].acceptance is Acceptance.INCONCLUSIVE
    assert {(offer.acceptance, offer.reason) for offer in tls(session).offers} == {
        (Acceptance.INCONCLUSIVE, "not asked: the port gave no answer in time")
    }
    assert session.connections == 3
    assert session.left_alone is not None
    assert not session.of(HandshakeFacts)


def test_an_alert_with_a_reset_behind_it_is_an_alert_and_a_reset_alone_is_none() -> None:
    refusal = tls_flights.OPENSSL_REFUSES_TLS_1_0
    answers = [
        Answer(tls_flights.OPENSSL_TLS_1_2),
        Answer(tls_flights.OPENSSL_TLS_1_2),
        Answer(refusal, resets=True),
        Answer(b"", resets=True),
        Answer(refusal),
    ]
    with scripted(answers) as server:
        session = probe(server)
    found = {version.version: version for version in tls(session).versions}
    assert (found["TLS 1.1"].acceptance, found["TLS 1.1"].alert) == (Acceptance.REFUSED, 70)
    assert (found["TLS 1.0"].acceptance, found["TLS 1.0"].reason) == (
        Acceptance.INCONCLUSIVE,
        "the connection was reset",
    )
    assert found["SSLv3"].acceptance is Acceptance.REFUSED


def test_a_warning_before_the_server_hello_is_no_refusal() -> None:
    warning = bytes.fromhex("15 0301 0002 01 70")
    spoken = Answer(warning + tls_flights.OPENSSL_TLS_1_0)
    with scripted([spoken, spoken, Answer(warning), Answer(b"")]) as server:
        session = probe(server)
    found = {version.version: version for version in tls(session).versions}
    assert found["TLS 1.0"].acceptance is Acceptance.ACCEPTED
    assert found["SSLv3"].acceptance is Acceptance.INCONCLUSIVE
    assert found["SSLv3"].reason == "the connection was closed, after the warning unrecognized_name (112)"


def test_a_handshake_that_fails_has_the_certificate_that_a_hello_showed() -> None:
    with scripted([Answer(tls_flights.TLSLITE_SSL_3), Answer(tls_flights.OPENSSL_REFUSES_TLS_1_0)]) as server:
        session = probe(server)
    assert accepted(session) == {"SSLv3": "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"}
    facts = handshake(session)
    assert not facts.completed
    assert facts.client_certificate is None
    assert facts.certificate is not None
    assert facts.certificate.subject == "CN=localhost"
    assert session.connections == 4


def test_a_leaf_that_cannot_be_read_is_told_in_words() -> None:
    damaged = bytearray(tls_flights.TLSLITE_SSL_3)
    start = damaged.index(bytes.fromhex("3082"))  # where the leaf begins
    damaged[start] = 0
    with scripted([Answer(bytes(damaged)), Answer(tls_flights.OPENSSL_REFUSES_TLS_1_0)]) as server:
        facts = handshake(probe(server))
    assert facts.certificate is None
    assert "certificate" in (facts.detail or "")


def test_a_closed_port_has_nothing_recorded_but_its_state() -> None:
    (port,) = free_ports(1)
    with talking(LOOPBACK, port) as session:
        asyncio.run(probe_tls(session.talk, server_name=None, names=()))
    (facts,) = session.facts
    assert isinstance(facts, PortFacts)
    assert facts.state is ConnectState.CLOSED
    assert session.connections == 1


def test_a_spent_budget_leaves_the_rest_unasked(files: TlsFiles) -> None:
    with s_server(files) as server:
        session = probe(server, manners=AssetManners(gap_s=0.0, max_connections=2))
    found = {version.version: version for version in tls(session).versions}
    assert session.connections == 2
    assert found["TLS 1.3"].acceptance is found["TLS 1.2"].acceptance is Acceptance.ACCEPTED
    for label in LABELS[:4]:
        assert found[label].acceptance is Acceptance.INCONCLUSIVE
        assert "budget of 2" in (found[label].reason or "")
    assert not session.of(HandshakeFacts)
    assert [facts.state for facts in session.of(PortFacts)] == [ConnectState.OPEN]


@pytest.mark.asyncio(loop_factories=LOOPS)
async def test_it_asks_through_the_gateway_alone_on_either_loop(
    files: TlsFiles, only_the_gateway: NetworkWatch
) -> None:
    with s_server(files) as server, talking(server.host, server.port) as session:
        await probe_tls(session.talk, server_name=HOST, names=(HOST,))
    assert tuple(accepted(session)) == ("TLS 1.2", "TLS 1.3")
    assert handshake(session).completed
    assert not only_the_gateway.trespasses


def test_every_connection_says_in_the_ledger_what_it_was_for(files: TlsFiles) -> None:
    with s_server(files) as server:
        session = probe(server)
    hellos = [f"{label} hello" for label in reversed(LABELS)]
    # It takes DHE with CBC, so that what is broken is offered once more by itself.
    broken, weak = "broken suites at TLS 1.2", "weak suites at TLS 1.2"
    offers = [broken, broken, weak, weak, "hybrid groups at TLS 1.3"]
    assert session.purposes == [*hellos[:-1], *offers, "TLS handshake", "TLS 1.2 hello without a name", hellos[-1]]
    # A server that was left in the middle of a handshake is told so, and is left by a FIN.
    outcomes = [line["outcome"] for line in session.lines if line["event"] == "outcome"]
    assert "reset" not in outcomes


def test_a_port_that_takes_no_more_is_not_knocked_at_again(files: TlsFiles) -> None:
    # Five versions, broken and weak suites, hybrid groups; then the port is closed, and the handshake finds it so.
    ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
    with s_server(files, ciphers=ciphers, options=("-no_dhe",), connections=8) as server:
        session = probe(server)
    assert session.purposes[-1] == "TLS handshake"
    assert session.connections == 9
    (first, *_others) = tls(session).versions
    assert first.reason == "not asked: the port took no further connection"
