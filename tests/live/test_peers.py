"""The other tools themselves: what is read from what they write, and the door that counts their connections."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.peers import sslyze as sslyze_module
from tests.live.peers.accepted import PeerError, codes, lines
from tests.live.peers.counting import counting
from tests.live.peers.nmap import nmap
from tests.live.peers.sslyze import LABELS, sslyze
from tests.live.servers.nginx import nginx
from tests.live.servers.process import LOOPBACK, free_ports

pytestmark = pytest.mark.live

NAME = "archive.example.org"
Writer = Callable[[object], None]


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writer:
    """Put a program in sslyze's place that writes this document, whatever it is asked."""

    def write(document: object) -> None:
        program = tmp_path / "sslyze"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(document)}\nEND\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sslyze_module, "_INSTALLED", program)

    return write


def scan(**results: object) -> object:
    refused = {"status": "COMPLETED", "result": {"is_tls_version_supported": False, "accepted_cipher_suites": []}}
    scans = {f"{key}_cipher_suites": results.get(key, refused) for key in LABELS}
    return {"server_scan_results": [{"connectivity_status": "COMPLETED", "scan_result": scans}]}


def accepting(*names: str) -> object:
    suites = [{"cipher_suite": {"name": name}} for name in names]
    return {"status": "COMPLETED", "result": {"is_tls_version_supported": True, "accepted_cipher_suites": suites}}


def test_what_sslyze_accepts_is_read(says: Writer) -> None:
    says(scan(tls_1_2=accepting("TLS_RSA_WITH_AES_128_CBC_SHA"), tls_1_3=accepting("TLS_AES_128_GCM_SHA256")))
    assert sslyze(LOOPBACK, 1, NAME) == {"TLS 1.2": {0x002F}, "TLS 1.3": {0x1301}}


def test_a_version_over_which_sslyze_failed_is_no_refusal(says: Writer) -> None:
    says(scan(ssl_3_0={"status": "ERROR", "result": None}))
    found = sslyze(LOOPBACK, 1, NAME)
    assert found == {"SSLv3": frozenset()}
    assert lines(found) == {"SSLv3"}


def test_nothing_is_listed_where_sslyze_does_not_connect(says: Writer) -> None:
    says({"server_scan_results": [{"connectivity_status": "ERROR", "scan_result": None}]})
    assert sslyze(LOOPBACK, 1, NAME) == {}


@pytest.mark.parametrize("document", [{}, [], scan(tls_1_2=accepting("TLS_NO_SUCH_SUITE"))])
def test_what_is_not_understood_is_an_error(says: Writer, document: object) -> None:
    says(document)
    with pytest.raises(PeerError):
        sslyze(LOOPBACK, 1, NAME)


def test_a_port_that_is_closed_is_an_error() -> None:
    with pytest.raises(PeerError, match="no open port"):
        nmap(LOOPBACK, free_ports(1)[0], NAME)


def test_an_open_port_without_tls_accepts_nothing() -> None:
    with nginx("") as server:
        assert nmap(server.host, server.port, NAME) == {}
        assert sslyze(server.host, server.port, NAME) == {}


def test_a_name_that_is_not_registered_is_an_error() -> None:
    with pytest.raises(PeerError, match="TLS_NO_SUCH_SUITE"):
        codes(["TLS_AES_128_GCM_SHA256", "TLS_NO_SUCH_SUITE"])


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_sslyze_a_test_fails_in_ci_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(sslyze_module, "_INSTALLED", tmp_path / "nowhere")
    monkeypatch.delenv("SSLYZE", raising=False)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="make peers"):
        sslyze(LOOPBACK, 1, NAME)


def test_sslyze_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sslyze_module, "_INSTALLED", tmp_path / "nowhere")
    monkeypatch.setenv("SSLYZE", os.fspath(Path(__file__)))
    assert sslyze_module.binary() == __file__


# ------------------------------------------------------------------------------------------------------------- the door


def test_the_door_counts_and_hands_on_to_the_end() -> None:
    with nginx("location / { return 200 'synthetic'; }") as server, counting(server.host, server.port) as door:
        for _ in range(3):
            with socket.create_connection((door.host, door.port), timeout=5) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
            assert answer.endswith(b"synthetic")
        assert door.connections == 3


def test_the_door_ends_what_goes_through_it() -> None:
    with nginx("") as server:
        with counting(server.host, server.port) as door:
            client = socket.create_connection((door.host, door.port), timeout=5)
        # A reset where the door closed before it had seen the client; whoever is not ended waits here for too long.
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_a_door_that_leads_nowhere_resets() -> None:
    # The reset may come before the client has looked at its own connection.
    with (
        counting(LOOPBACK, free_ports(1)[0]) as door,
        pytest.raises(ConnectionResetError),
        socket.create_connection((door.host, door.port), timeout=5) as client,
    ):
        client.recv(1)
