"""What one port can cost at the most, by a server that lets every further question make sense; and tight budgets."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from checker.codecs.tls_hello import Version
from checker.model import Acceptance, Depth, TlsFacts, TlsOffer
from checker.plan import TLS_CONNECTIONS, TLS_FULL_MORE_CONNECTIONS
from checker.probes.tls import probe_tls
from tests.codecs import tls_oracle
from tests.live.certificates import HOSTS, Authority
from tests.live.checking import check, inventory
from tests.live.servers.openssl import s_server
from tests.live.servers.process import LOOPBACK
from tests.live.talking import talking
from tests.live.test_tls_probe import short_flight

pytestmark = pytest.mark.live

_RETRY = hashlib.sha256(b"HelloRetryRequest").digest()  # RFC 8446 section 4.1.3
_SUPPORTED_VERSIONS = 43
_PROTOCOL_VERSION, _HANDSHAKE_FAILURE, _INTERNAL_ERROR = 70, 40, 80
_DHE_CBC, _DHE_GCM, _ECDHE_GCM = 0x0033, 0x009E, 0xC02F


class Costly:
    """The answers: old versions fail inside and come to nothing by kinds; each offer has the worse one before it."""

    def __init__(self) -> None:
        self._hellos = Counter[int]()

    def answer(self, data: bytes) -> bytes:
        """What becomes of one hello."""
        if data[0] != 22:  # SSLv2
            return _alert(_PROTOCOL_VERSION)
        hello = tls_oracle.read_client_hello(data)
        version = _newest(hello)
        self._hellos[version] += 1
        if version in (Version.TLS_1_0, Version.TLS_1_1):
            kinds = (_alert(_INTERNAL_ERROR), _alert(_HANDSHAKE_FAILURE), b"", _alert(_HANDSHAKE_FAILURE))
            return kinds[self._hellos[version] - 1]
        if version == Version.TLS_1_3 and self._hellos[version] == 1:
            chosen = tls_oracle.server_hello(
                0x0303, 0x1301, random=_RETRY, session_id=bytes(hello.session_id), new=0x0304, group=0x0017
            )
            return b"\x16\x03\x03" + len(chosen).to_bytes(2, "big") + chosen
        if version == Version.TLS_1_2 and self._hellos[version] <= 4:
            suites = (_ECDHE_GCM, _DHE_CBC, None, _DHE_GCM)
            suite = suites[self._hellos[version] - 1]
            return _alert(_HANDSHAKE_FAILURE) if suite is None else short_flight(0x0303, suite)
        return _alert(_HANDSHAKE_FAILURE)


def test_no_server_costs_more_at_policy_depth_than_the_plan_says() -> None:
    with costly() as (host, port), talking(host, port) as session:
        asyncio.run(probe_tls(session.talk, server_name=HOSTS[0], names=()))
    assert session.connections == TLS_CONNECTIONS, session.purposes
    (facts,) = session.of(TlsFacts)
    found = {version.version: version.acceptance for version in facts.versions}
    assert found["TLS 1.0"] is found["TLS 1.1"] is Acceptance.INCONCLUSIVE
    assert found["TLS 1.2"] is found["TLS 1.3"] is Acceptance.ACCEPTED


@pytest.mark.parametrize("most", [TLS_CONNECTIONS + TLS_FULL_MORE_CONNECTIONS, 30, 60])
def test_full_depth_takes_no_more_than_it_may(most: int) -> None:
    with costly() as (host, port), talking(host, port) as session:
        asyncio.run(probe_tls(session.talk, server_name=HOSTS[0], names=(), depth=Depth.FULL, most=most))
    assert session.connections <= most, session.purposes


def test_lists_that_take_too_long_end_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.probes.tls_full.LISTS_S", 0.0)
    files = Authority.create(tmp_path).valid()
    with s_server(files, versions=("tls1_2",)) as server, talking(server.host, server.port) as session:
        asyncio.run(probe_tls(session.talk, server_name=None, names=(), depth=Depth.FULL))
    (facts,) = session.of(TlsFacts)
    (newest,) = (version for version in facts.versions if version.version == "TLS 1.2")
    assert (newest.acceptance, newest.complete) == (Acceptance.ACCEPTED, False)
    assert newest.incomplete == "it took longer than 0 s"
    # What policy depth asks is asked all the same.
    assert {offer.offer for offer in facts.offers} >= {TlsOffer.BROKEN_SUITES, TlsOffer.WEAK_SUITES}


def test_a_tight_budget_is_not_spent_on_lists_before_what_should_be_refused(tmp_path: Path) -> None:
    files = Authority.create(tmp_path).valid()
    with s_server(files, versions=("tls1_2", "tls1_3"), ciphers="ALL:@SECLEVEL=0") as server:
        asset = {
            "id": "asset",
            "address": server.host,
            "manners": {"max_connections": 16, "gap": "1ms"},
            "services": [{"kind": "ldaps", "port": server.port}],
        }
        run = check(inventory(tmp_path, [asset]), "--depth", "full")
    assert len(run.attempts()) <= 16
    (facts,) = [item["facts"] for item in run.observations if item["facts"]["type"] == "tls"]
    assert facts["offers"]
    assert all(offer["acceptance"] != "inconclusive" for offer in facts["offers"])
    assert facts["versions"][0]["acceptance"] == "refused"  # SSLv2, which is asked last


@contextmanager
def costly() -> Iterator[tuple[str, int]]:
    """A `Costly` server, by its address and port."""
    answers = Costly()

    def serve() -> None:
        while True:
            client, _address = listener.accept()
            with client, suppress(ConnectionError):
                data = client.recv(4096)
                if not data:
                    return
                client.sendall(answers.answer(data))
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass

    with socket.create_server((LOOPBACK, 0)) as listener:
        host, port = listener.getsockname()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield host, port
        finally:
            with socket.create_connection((host, port)):
                pass  # a connection that says nothing ends the server
            thread.join()


def _newest(hello: Any) -> int:
    named = [one for one in hello.extensions or () if one.extType == _SUPPORTED_VERSIONS]
    versions: list[tuple[int, int]] = named[0].versions if named else [hello.client_version]
    return max(major * 256 + minor for major, minor in versions)


def _alert(description: int) -> bytes:
    return bytes((21, 3, 3, 0, 2, 2, description))
