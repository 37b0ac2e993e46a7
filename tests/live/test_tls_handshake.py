"""One whole handshake against real servers: what it tells is what each server was told to do, and what it costs."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from checker.codecs.tls_cursor import Cursor
from checker.model import End, HandshakeFacts
from checker.net.connection import Connection
from checker.net.gateway import Limits
from checker.net.tls import TlsFailure, TlsSession, TlsStream
from checker.net.tls_context import OwnCertificate, usable_certificate
from checker.probes.tls_handshake import Handshake, resumed_handshake, whole_handshake
from tests.faults.servers import Fault, hostile
from tests.live.certificates import HOSTS, Authority, TlsFiles, rsa_key
from tests.live.servers.dcmtk import storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.java import java
from tests.live.servers.nginx import Site, nginx, plain_page
from tests.live.servers.openssl import TlsServer, s_server
from tests.live.servers.process import LOOPBACK, free_ports
from tests.live.servers.pyopenssl import pyopenssl
from tests.live.talking import Session, talking
from tests.live.test_tls_probe import Server

pytestmark = pytest.mark.live

HOST = HOSTS[1]
P256, P384, P521, X25519, X448 = 23, 24, 25, 29, 30
FINITE_FIELDS = (256, 257, 258, 259, 260)
HYBRIDS = (4588, 4587, 4590)  # X25519MLKEM768 before the others
SM2 = 41
TLS12, TLS13 = "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"
LIMITS = Limits(conversation_s=6.0, max_bytes=100_000)
PRE_SHARED_KEY, EARLY_DATA = 41, 42

Running: TypeAlias = Callable[[TlsFiles], AbstractContextManager[Server]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("tls-handshake"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    return authority.valid()


@pytest.fixture(scope="module")
def client(authority: Authority) -> TlsFiles:
    return authority.client()


async def handshake(
    session: Session, *, group: str | None = None, alpn: tuple[str, ...] = (), thorough: bool = False
) -> Handshake:
    made = await whole_handshake(
        session.talk, HOST, (HOST,), (), lambda: datetime.now(UTC), lambda: None,
        group=group, alpn=alpn, thorough=thorough,
    )  # fmt: skip
    assert made is not None
    return made


def meet(
    server: Server,
    *,
    group: str | None = None,
    alpn: tuple[str, ...] = (),
    thorough: bool = False,
    connections: int = 1,
    completed: bool = True,
) -> HandshakeFacts:
    """One handshake as it was asked for; asserts its end and its cost."""
    with talking(server.host, server.port) as session:
        made = asyncio.run(handshake(session, group=group, alpn=alpn, thorough=thorough))
    assert session.connections == connections
    assert made.facts.completed == completed, made.facts
    return made.facts


def openssl(*options: str, version: Literal["tls1_2", "tls1_3"] = "tls1_3") -> Running:
    return lambda files: s_server(files, versions=(version,), options=options)


def gnutls(*options: str, priority: str = TLS13) -> Running:
    return lambda files: gnutls_serv(files, priority=priority, options=options)


def web(directives: str, version: Literal["TLSv1.2", "TLSv1.3"] = "TLSv1.3") -> Running:
    page = plain_page()
    body = f"ssl_protocols {version};\n{directives}\n{page.body}"
    return lambda files: nginx(Site(body, page.files), tls=files)


def dicom() -> Running:
    return lambda files: storescp(tls=files, profile="+py")


# ---------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    ("running", "group", "groups"),
    [
        # An OpenSSL server names its own unless the key that it is offered is of the one that it likes best.
        (openssl("-groups", "P-384:P-256:X25519"), None, (P384, P256, X25519)),
        (openssl("-groups", "P-384:P-256:X25519"), "prime256v1", (P384, P256, X25519)),
        (openssl("-groups", "P-384:P-256:X25519"), "secp384r1", ()),
        (openssl("-groups", "P-521:X448:P-384"), "secp384r1", (P521, X448, P384)),
        (openssl(), None, ()),
        (openssl(), "secp521r1", (X25519, P256, X448, P521, P384, *FINITE_FIELDS)),
        (openssl(version="tls1_2"), "secp521r1", ()),
        (web("ssl_ecdh_curve secp384r1:X25519;"), None, (P384, X25519)),
        (web("ssl_ecdh_curve X25519:secp384r1;"), "secp384r1", (X25519, P384)),
        (web("ssl_ecdh_curve X25519:secp384r1;"), None, ()),
        # DCMTK has the groups of its profile alone; its OpenSSL behaves as any other.
        (dicom(), "secp521r1", (P256, P384, P521)),
        (dicom(), "prime256v1", ()),
        # A newer OpenSSL likes a hybrid best, which ours does not offer.
        (pyopenssl, None, (*HYBRIDS, X25519, P256, X448, P384, P521, SM2, *FINITE_FIELDS[:2])),
        # Java always does.
        (java, None, (X25519, P256, P384, P521, X448, *FINITE_FIELDS)),
        # GnuTLS never does.
        (gnutls(), "secp521r1", ()),
        (gnutls(priority=f"{TLS13}:-GROUP-ALL:+GROUP-SECP384R1:+GROUP-X25519"), None, ()),
    ],
)
def test_the_groups_that_a_server_names_are_those_that_it_was_told(
    files: TlsFiles, running: Running, group: str | None, groups: tuple[int, ...]
) -> None:
    with running(files) as server:
        assert meet(server, group=group).groups == groups


@pytest.mark.parametrize(
    "running",
    [
        openssl("-groups", "X25519"),
        openssl("-groups", "X25519", "-cipher", "ECDHE", version="tls1_2"),
        gnutls(priority=f"{TLS13}:-GROUP-ALL:+GROUP-X25519"),
        gnutls(priority=f"{TLS12}:-KX-ALL:+ECDHE-RSA:-GROUP-ALL:+GROUP-X25519"),
    ],
)
def test_a_server_that_does_not_have_the_group_is_met_without_it(files: TlsFiles, running: Running) -> None:
    with running(files) as server:
        for group in ("prime256v1", "secp384r1", "secp521r1"):
            facts = meet(server, group=group, connections=2)
            assert facts.certificate is not None
            assert facts.detail is None


def test_each_connection_says_in_the_ledger_what_it_was_for(files: TlsFiles) -> None:
    def purposes(running: Running, *, group: str | None = None, alpn: tuple[str, ...] = ()) -> list[object]:
        with running(files) as server, talking(server.host, server.port) as session:
            asyncio.run(handshake(session, group=group, alpn=alpn))
        assert {line["outcome"] for line in session.lines if line["event"] == "outcome"} == {"closed"}
        return session.purposes

    assert purposes(openssl()) == ["TLS handshake"]
    strict = gnutls("--alpn", "dicom", "--alpn-fatal")
    assert purposes(strict, alpn=("h2",)) == ["TLS handshake with ALPN", "TLS handshake without ALPN"]
    narrow = openssl("-groups", "X25519", "-alpn", "dicom")
    alone = "TLS handshake over secp384r1 alone with ALPN"
    both = [alone, "TLS handshake without ALPN", "TLS handshake over any group"]
    assert purposes(narrow, group="secp384r1", alpn=("h2",)) == both


def test_a_handshake_that_fails_for_another_reason_is_not_tried_again(files: TlsFiles) -> None:
    with gnutls_serv(files, priority=TLS12, client_certificate="required") as server:
        facts = meet(server, group="secp384r1", alpn=("h2",), completed=False)
    assert facts.client_certificate == "required"
    assert not facts.alpn_refused
    assert facts.alpn_offered == ()


# ------------------------------------------------------------------------------------------------------------ ALPN


@pytest.mark.parametrize(
    ("running", "alpn"),
    [
        (openssl("-alpn", "h2"), "h2"),
        (openssl("-alpn", "http/1.1,h2"), "http/1.1"),
        (openssl("-alpn", "h2", version="tls1_2"), "h2"),
        (openssl(), None),
        (openssl(version="tls1_2"), None),
        (gnutls("--alpn", "h2"), "h2"),
        (gnutls("--alpn", "dicom"), None),
        (gnutls("--alpn", "http/1.1", priority=TLS12), "http/1.1"),
        (web(""), "http/1.1"),
    ],
)
def test_the_protocol_is_the_one_that_the_server_has(files: TlsFiles, running: Running, alpn: str | None) -> None:
    with running(files) as server:
        facts = meet(server, alpn=("h2", "http/1.1"))
    assert facts.alpn == alpn
    assert facts.alpn_offered == ("h2", "http/1.1")
    assert not facts.alpn_refused


@pytest.mark.parametrize(
    "running",
    [
        openssl("-alpn", "dicom"),
        openssl("-alpn", "dicom", version="tls1_2"),
        gnutls("--alpn", "dicom", "--alpn-fatal"),
        gnutls("--alpn", "dicom", "--alpn-fatal", priority=TLS12),
    ],
)
def test_a_server_that_refuses_a_protocol_is_met_without_one(files: TlsFiles, running: Running) -> None:
    with running(files) as server:
        facts = meet(server, alpn=("h2", "http/1.1"), connections=2)
        assert facts.alpn_refused
        assert facts.alpn is None
        assert facts.alpn_offered == ("h2", "http/1.1")
        assert facts.certificate is not None
        # What is not offered is not refused.
        plain = meet(server)
    assert (plain.alpn, plain.alpn_offered, plain.alpn_refused) == (None, (), False)


# ------------------------------------------------------------------------------------------- tickets and early data


@pytest.mark.parametrize(
    ("running", "ticket", "early_data"),
    [
        (openssl(), True, False),
        (openssl("-max_early_data", "4096"), True, True),
        (openssl("-max_early_data", "0"), True, False),
        (openssl("-no_ticket"), True, False),  # such a ticket holds no more than an id
        (openssl("-num_tickets", "0"), False, None),
        (openssl(version="tls1_2"), None, None),
        (web("ssl_early_data on;"), True, True),
        (web("ssl_early_data off;"), True, False),
        (web("ssl_early_data on;", "TLSv1.2"), None, None),
        (gnutls("--earlydata"), True, True),
        (gnutls("--earlydata", "--maxearlydata", "100"), True, True),
        (gnutls(), True, False),
        (gnutls("--noticket"), False, None),
        (gnutls(priority=TLS12), None, None),
        (dicom(), True, False),
        (java, True, False),
    ],
)
def test_tickets_and_early_data_are_as_the_server_was_told(
    files: TlsFiles, running: Running, ticket: bool | None, early_data: bool | None
) -> None:
    with running(files) as server:
        facts = meet(server, thorough=True)
        assert (facts.ticket, facts.early_data) == (ticket, early_data)
        assert facts.detail is None
        # Nobody waits for them where that is not asked for; GnuTLS has sent some by then, together with its Finished.
        hasty = meet(server)
    assert (hasty.ticket, hasty.early_data) in {(None, None), (ticket, early_data)}
    assert hasty.ticket is not False


def test_a_ticket_that_never_comes_is_waited_for_no_longer_than_it_may(files: TlsFiles) -> None:
    async def timed(session: Session) -> float:
        begun = time.monotonic()
        await handshake(session, thorough=True)
        return time.monotonic() - begun

    with openssl("-num_tickets", "0")(files) as server, talking(server.host, server.port) as session:
        assert 0.3 <= asyncio.run(timed(session)) < 2.0
        assert session.left_alone is None


def test_a_server_that_asks_for_a_certificate_shows_its_tickets_as_well(files: TlsFiles) -> None:
    with s_server(files, versions=("tls1_3",), client_certificate="optional") as server:
        facts = meet(server)
    assert facts.client_certificate == "optional"
    assert (facts.ticket, facts.early_data) == (True, False)
    with s_server(files, versions=("tls1_3",), client_certificate="required") as server:
        facts = meet(server, thorough=True, completed=False)
    assert facts.client_certificate == "required"
    assert (facts.ticket, facts.early_data) == (None, None)


@contextmanager
def leaving(files: TlsFiles, *, politely: bool, hangs_up: bool = False) -> Iterator[Server]:
    """A server of TLS 1.3 without tickets that leaves its one session as soon as it is there.

    Where it `hangs_up` it first closes a connection at its hello.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0

    def serve() -> None:
        if hangs_up:
            accepted, _address = listener.accept()
            with accepted:
                assert accepted.recv(4096)
        accepted, _address = listener.accept()
        with accepted, context.wrap_socket(accepted, server_side=True, suppress_ragged_eofs=True) as inside:
            if politely:
                inside.unwrap().close()

    with socket.create_server((LOOPBACK, 0)) as listener:
        host, port = listener.getsockname()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield TlsServer(host, port, files, None)  # type: ignore[arg-type]  # no process
        finally:
            thread.join()


@pytest.mark.parametrize("politely", [True, False])
def test_a_server_that_leaves_after_the_handshake_has_completed_it(files: TlsFiles, politely: bool) -> None:
    with leaving(files, politely=politely) as server:
        facts = meet(server, thorough=True)
    assert facts.client_certificate == "not-asked"
    assert facts.certificate is not None
    assert facts.ticket is None  # whether one would have come did not show
    assert facts.detail is None


@pytest.mark.parametrize(("group", "alpn"), [("secp384r1", ()), (None, ("h2",)), ("secp384r1", ("h2",))])
def test_a_server_that_hangs_up_on_what_is_unusual_is_met_as_any_client_meets_it(
    files: TlsFiles, group: str | None, alpn: tuple[str, ...]
) -> None:
    with leaving(files, politely=True, hangs_up=True) as server:
        facts = meet(server, group=group, alpn=alpn, connections=2)
    # Whether it was ALPN that it did not like did not show.
    assert (facts.alpn, facts.alpn_offered, facts.alpn_refused) == (None, (), False)
    with hostile(Fault.CLOSES_AFTER_REQUEST) as peer:
        facts = meet(peer, group=group, alpn=alpn, connections=2, completed=False)
        assert not facts.alpn_refused
        assert meet(peer, completed=False).detail == "the connection was closed in the handshake"


# ------------------------------------------------------------------------------------------------------- resumption

OFF, SHARED = "ssl_session_tickets off;", "ssl_session_cache shared:synthetic:1m;"


def resumes(server: Server, *, at: Server | None = None) -> tuple[bool | None, int]:
    """Whether a session with this server is resumed (at another one), and how many connections that took."""

    async def ask() -> bool | None:
        made = await handshake(session, thorough=True)
        assert made.facts.completed
        talk = session.talk if at is None else session.on(at.port)
        return await resumed_handshake(talk, HOST, made.session)

    with talking(server.host, server.port) as session:
        found = asyncio.run(ask())
    return found, session.connections


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        (openssl(), True),
        (openssl("-no_ticket"), True),  # by id, out of its cache
        (openssl("-no_ticket", "-no_cache"), False),  # its tickets name what it has not kept
        (openssl("-num_tickets", "0"), None),
        (openssl(version="tls1_2"), True),
        (openssl("-no_ticket", version="tls1_2"), True),
        (openssl("-no_ticket", "-no_cache", version="tls1_2"), None),  # no id either
        (openssl("-max_early_data", "4096"), True),
        (web(""), True),
        (web(OFF), False),
        (web(OFF + SHARED), True),
        (web("", "TLSv1.2"), True),
        (web(OFF, "TLSv1.2"), False),
        (web(OFF + SHARED, "TLSv1.2"), True),
        (web("ssl_early_data on;"), True),
        (gnutls(), True),
        (gnutls("--noticket"), None),
        (gnutls(priority=TLS12), True),
        (gnutls("--noticket", priority=TLS12), True),
        (gnutls("--noticket", "--nodb", priority=TLS12), False),
        (dicom(), True),
        (java, True),
    ],
)
def test_sessions_are_resumed_as_the_server_was_told(files: TlsFiles, running: Running, expected: bool | None) -> None:
    with running(files) as server:
        assert resumes(server) == (expected, 1 if expected is None else 2)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_another_server_does_not_resume_what_it_does_not_know(
    files: TlsFiles, version: Literal["tls1_2", "tls1_3"]
) -> None:
    with openssl(version=version)(files) as server, openssl(version=version)(files) as other:
        assert resumes(server, at=other) == (False, 2)


def test_what_does_not_come_about_is_no_refusal_to_resume(files: TlsFiles) -> None:
    (closed,) = free_ports(1)
    nobody = TlsServer(LOOPBACK, closed, files, None)  # type: ignore[arg-type]  # no process
    with openssl()(files) as server:
        assert resumes(server, at=nobody) == (None, 2)
        with gnutls_serv(files, client_certificate="required", priority=TLS12) as strict:
            assert resumes(server, at=strict) == (None, 2)


def test_no_session_is_kept_where_none_was_looked_for(files: TlsFiles) -> None:
    async def ask() -> tuple[Handshake, bool | None]:
        made = await handshake(session)
        return made, await resumed_handshake(session.talk, HOST, made.session)

    with openssl(version="tls1_2")(files) as server, talking(server.host, server.port) as session:
        made, resumed = asyncio.run(ask())
    assert made.session is None
    assert resumed is None
    assert session.connections == 1


class Recorded(Connection):
    """A connection whose bytes the test keeps."""

    sent = b""

    async def send(self, data: bytes, *, last: bool = False) -> End | None:
        self.sent += data
        return await super().send(data)


def extensions_of_hello(sent: bytes) -> list[int]:
    """The types of the extensions of the ClientHello that the bytes begin with (RFC 8446 section 4.1.2)."""
    cursor = Cursor(sent, 5 + 4 + 2 + 32)  # record, message, version, random
    for prefix in (1, 2, 1):  # session id, suites, compressions
        cursor.vector(prefix)
    extensions = Cursor(cursor.vector(2))
    found = []
    while extensions.left:
        found.append(extensions.number(2))
        extensions.vector(2)
    return found


@pytest.mark.parametrize(
    "running", [web("ssl_early_data on;"), openssl("-max_early_data", "4096"), gnutls("--earlydata")]
)
def test_no_early_data_is_sent_where_it_is_offered(
    files: TlsFiles, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.net.gateway.Connection", Recorded)

    async def ask() -> tuple[bytes, bool]:
        made = await handshake(session, thorough=True)
        connection = await session.talk.connect("a test", LIMITS)
        assert isinstance(connection, Recorded)
        stream = TlsStream(connection, server_name=HOST, session=made.session)
        assert await stream.handshake() is None
        await stream.close()
        return connection.sent, stream.session_reused

    with running(files) as server, talking(server.host, server.port) as session:
        sent, reused = asyncio.run(ask())
    assert reused
    assert PRE_SHARED_KEY in extensions_of_hello(sent)
    assert EARLY_DATA not in extensions_of_hello(sent)


# ---------------------------------------------------------------------------------------- a certificate of our own


def presented(server: Server, own: OwnCertificate | None) -> tuple[TlsFailure | None, bool]:
    """What became of a session in which this certificate was ours, and whether the server went on."""

    async def ask() -> tuple[TlsFailure | None, bool]:
        connection = await session.talk.connect("a test", LIMITS)
        assert isinstance(connection, Connection)
        stream = TlsStream(connection, server_name=HOST, client_certificate=own)
        failure = await stream.handshake()
        if failure is None and stream.version == "TLSv1.3":
            failure = await stream.settle(1.0)
        await stream.close()
        return failure, failure is None and (stream.version != "TLSv1.3" or stream.went_on)

    with talking(server.host, server.port) as session:
        return asyncio.run(ask())


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_server_that_requires_a_certificate_takes_ours(
    files: TlsFiles, client: TlsFiles, tmp_path: Path, version: Literal["tls1_2", "tls1_3"]
) -> None:
    own = OwnCertificate(client.certificate, client.key)
    strange = Authority.create(tmp_path, "Another synthetic authority").client()
    with s_server(files, versions=(version,), client_certificate="required") as server:
        assert presented(server, own) == (None, True)
        without, went_on = presented(server, None)
        assert without is not None
        assert without.client_certificate_required
        assert not went_on
        refused, went_on = presented(server, OwnCertificate(strange.certificate, strange.key))
        assert refused is not None
        assert refused.alert is not None
        assert not went_on


def test_a_server_that_asks_for_nothing_is_shown_nothing(files: TlsFiles, client: TlsFiles) -> None:
    with s_server(files) as server:
        assert presented(server, OwnCertificate(client.certificate, client.key)) == (None, True)


def test_a_certificate_of_ours_that_cannot_be_used_is_told_without_its_key(
    authority: Authority, client: TlsFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other, broken, locked = tmp_path / "other.key", tmp_path / "broken.key", tmp_path / "locked.key"
    key = rsa_key()
    other.write_bytes(authority.issue("another", client=True).key.read_bytes())
    broken.write_text(client.key.read_text()[:200])
    secret = BestAvailableEncryption(b"synthetic-password")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    for path in (tmp_path / "missing.key", tmp_path, other, broken, locked, Path("\0")):
        with pytest.raises(ValueError, match="our certificate and its key cannot be used") as caught:
            usable_certificate(OwnCertificate(client.certificate, path))
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        assert str(tmp_path) not in str(caught.value)
        assert "PRIVATE" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # nor is anybody asked for a password
    usable_certificate(OwnCertificate(client.certificate, client.key))


def test_the_chain_is_what_the_server_sent(files: TlsFiles) -> None:
    async def ask() -> tuple[bytes, ...]:
        connection = await session.talk.connect("a test", LIMITS)
        assert isinstance(connection, Connection)
        stream = TlsStream(connection, server_name=HOST)
        failure = await stream.handshake()
        await stream.close()
        assert failure is None
        return stream.chain()

    with s_server(files) as server, talking(server.host, server.port) as session:
        chain = asyncio.run(ask())
    # It completes the chain with what it was given to know its clients by.
    assert chain == tuple(ssl.PEM_cert_to_DER_cert(path.read_text()) for path in (files.certificate, files.authority))


def test_a_group_that_no_session_is_made_over_alone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'X25519'"):
        TlsStream(None, server_name=None, group="X25519")  # type: ignore[arg-type]  # it is not come to


def test_a_session_shows_nothing_of_what_it_holds(files: TlsFiles) -> None:
    with openssl(version="tls1_2")(files) as server, talking(server.host, server.port) as session:
        made = asyncio.run(handshake(session, thorough=True))
    assert made.session is not None
    assert repr(made.session) == f"{TlsSession.__qualname__}()"
