"""`check` judges certificates by the store that it is told: the system's, the inventory's, or that of an option."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.certificates import Authority
from tests.live.checking import CALLING, WITHIN_S, Run, check, inventory
from tests.live.servers.openssl import TlsServer, s_server

pytestmark = pytest.mark.live

RULE = "tls.certificate-untrusted"
ASSET = "device"
NO_ISSUER = "its issuer is not in the trust store, and no certificate was sent that leads there"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[TlsServer]:
    with s_server(authority.valid(), host="127.0.1.31") as running:
        yield running


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("stranger"), "Synthetic stranger")


def checked(folder: Path, server: TlsServer, *arguments: str | Path, store: str | None = None, **variables: str) -> Run:
    services = [{"kind": "syslog-tls", "port": server.port}]
    defaults = {"calling_ae_title": CALLING, "ports": "none"} | ({} if store is None else {"trust_store": store})
    path = inventory(folder, [{"id": ASSET, "address": server.host, "services": services}], defaults=defaults)
    return check(path, "--quiet", *map(str, arguments), within_s=WITHIN_S, **variables)


def verdict(run: Run) -> tuple[str, Any, Any]:
    """Status, the store and the reason as the finding's evidence has them; the observation says the same."""
    (found,) = (one for one in run.findings if (one["asset"]["id"], one["rule"]["id"]) == (ASSET, RULE))
    (shown,) = (line["facts"]["certificate"] for line in run.observations if line["facts"]["type"] == "handshake")
    evidence = found["evidence"]
    assert (shown["trust_store"], shown["trust_detail"]) == (evidence["trust_store"], evidence.get("detail"))
    assert shown["trusted"] is (found["status"] == "pass")
    return found["status"], evidence["trust_store"], evidence.get("detail")


def test_the_systems_store_does_not_know_the_hospitals_authority(
    tmp_path: Path, server: TlsServer, stranger: Authority
) -> None:
    # As the system's store of a machine that trusts somebody, and not this authority.
    run = checked(tmp_path, server, SSL_CERT_FILE=str(stranger.path))
    assert verdict(run) == ("fail", "the system's trust store", NO_ISSUER)


def test_the_inventory_names_the_store(tmp_path: Path, server: TlsServer, authority: Authority) -> None:
    (tmp_path / "hospital-ca.pem").write_bytes(authority.path.read_bytes())
    run = checked(tmp_path, server, store="hospital-ca.pem")
    assert verdict(run) == ("pass", "hospital-ca.pem", None)
    assert run.summary["inventory"]["files"][-1].endswith("hospital-ca.pem")


def test_the_option_names_the_store_and_no_folder_of_this_machine_is_told(
    tmp_path: Path, server: TlsServer, authority: Authority
) -> None:
    run = checked(tmp_path, server, "--trust-store", authority.path)
    assert verdict(run) == ("pass", "authority.crt", None)
    for file in ("findings.json", "observations.jsonl", "inventory.json"):
        assert str(authority.folder) not in (run.folder / file).read_text()


def test_the_option_is_stronger_than_the_inventory_and_takes_the_place_of_the_systems(
    tmp_path: Path, server: TlsServer, authority: Authority, stranger: Authority
) -> None:
    (tmp_path / "hospital-ca.pem").write_bytes(authority.path.read_bytes())
    (tmp_path / "stranger.pem").write_bytes(stranger.path.read_bytes())
    run = checked(
        tmp_path, server, "--trust-store", tmp_path / "stranger.pem", store="hospital-ca.pem",
        SSL_CERT_FILE=str(authority.path),
    )  # fmt: skip
    assert verdict(run) == ("fail", "stranger.pem", NO_ISSUER)


def test_the_environment_names_the_store(tmp_path: Path, server: TlsServer, authority: Authority) -> None:
    run = checked(tmp_path, server, PACS_CHECKER_TRUST_STORE=str(authority.path))
    assert verdict(run) == ("pass", "authority.crt", None)
