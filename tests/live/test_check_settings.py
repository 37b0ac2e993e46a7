"""`check` with what the inventory and the options say: the depth of TLS of each asset, and a certificate of our own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.certificates import Authority, TlsFiles
from tests.live.checking import CALLING, Run, check, inventory
from tests.live.servers.dcmtk import DicomServer, storescp
from tests.live.servers.nginx import Nginx, nginx, plain_page

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    return authority.valid()


# --------------------------------------------------------------------------------------------------------- the depth


@pytest.fixture(scope="module")
def servers(files: TlsFiles) -> Iterator[tuple[Nginx, Nginx]]:
    with (
        nginx(plain_page(), tls=files, host="127.0.1.41") as one,
        nginx(plain_page(), tls=files, host="127.0.1.42") as two,
    ):
        yield one, two


def of_two_depths(folder: Path, servers: tuple[Nginx, Nginx], **defaults: Any) -> Path:
    """Two assets alike, of which the second is to be asked at full depth."""
    assets = [
        {
            "id": name,
            "address": server.host,
            "manners": {"max_connections": 300, "gap": "1ms"},
            "services": [{"kind": "web", "url": f"{server.url}/"}],
            **more,
        }
        for name, server, more in zip(("usual", "deep"), servers, ({}, {"tls_depth": "full"}), strict=True)
    ]
    return inventory(folder, assets, defaults={"calling_ae_title": CALLING, "ports": "none", **defaults})


def depths(run: Run) -> dict[str, str]:
    return {line["asset_id"]: line["facts"]["depth"] for line in run.observations if line["facts"]["type"] == "tls"}


def test_each_asset_is_asked_at_its_own_depth(tmp_path: Path, servers: tuple[Nginx, Nginx]) -> None:
    run = check(of_two_depths(tmp_path, servers), "--quiet")

    assert depths(run) == {"usual": "policy", "deep": "full"}
    connections = {name: len(run.attempts(name)) for name in ("usual", "deep")}
    assert connections["deep"] > connections["usual"], connections
    kept = json.loads((run.folder / "inventory.json").read_bytes())["inventory"]
    assert [asset["tls_depth"] for asset in kept["assets"]] == [None, "full"]
    assert kept["defaults"]["tls_depth"] == "policy"


def test_the_option_is_for_the_whole_run(tmp_path: Path, servers: tuple[Nginx, Nginx]) -> None:
    run = check(of_two_depths(tmp_path, servers, tls_depth="full"), "--quiet", "--depth", "policy")

    assert depths(run) == {"usual": "policy", "deep": "policy"}
    assert len(run.attempts("deep")) == len(run.attempts("usual"))


def test_what_the_defaults_say_holds_where_an_asset_says_nothing(tmp_path: Path, servers: tuple[Nginx, Nginx]) -> None:
    run = check(of_two_depths(tmp_path, servers, tls_depth="full"), "--quiet", "--assets", "usual")

    assert depths(run) == {"usual": "full"}


# ----------------------------------------------------------------------------------------------- our own certificate


@pytest.fixture(scope="module")
def known(authority: Authority) -> TlsFiles:
    issued = authority.client("synthetic-checker")
    issued.key.chmod(0o600)
    return issued


@pytest.fixture(scope="module")
def server(files: TlsFiles) -> Iterator[DicomServer]:
    with storescp(tls=files, client_certificate="required", fork=True) as running:
        yield running


def of_one(folder: Path, server: DicomServer, **defaults: Any) -> Path:
    service = {
        "kind": "dicom-tls",
        "port": server.port,
        "ae_title": server.ae_title,
        "client_certificate": "required",
    }
    return inventory(
        folder,
        [{"id": "receiver", "address": server.host, "manners": {"gap": "1ms"}, "services": [service]}],
        defaults={"calling_ae_title": CALLING, "ports": "none", **defaults},
    )


def associations(run: Run) -> list[tuple[bool, bool, str]]:
    """Each association: whether inside TLS, whether with our certificate, and how it ended."""
    facts = (line["facts"] for line in run.observations if line["facts"]["type"] == "dicom")
    return [(one["tls"], one["client_certificate"], one["outcome"]) for one in facts]


AS_STRANGER = [(True, False, "client-certificate-required"), (False, False, "reset")]
AS_KNOWN = [*AS_STRANGER, (True, True, "accepted")]
# What strangers get is judged by what strangers got, whoever else was let in.
OF_STRANGERS = {
    "dicom.anonymous-query": "pass",
    "dicom.calling-ae-unchecked": "pass",
    "dicom.called-ae-unchecked": "pass",
    "dicom.store-offered": "pass",
    "dicom.retrieve-offered": "pass",
    "dicom.cleartext": "pass",
    "dicom.tls-expected": "pass",
    "dicom.unreachable": "pass",
    "tls.client-certificate-optional": "pass",
}


def judged(run: Run) -> dict[str, str]:
    return {rule: run.status("receiver", rule) for rule in OF_STRANGERS}


def test_the_inventory_names_our_certificate_and_the_run_keeps_nothing_of_its_key(
    tmp_path: Path, server: DicomServer, known: TlsFiles
) -> None:
    (tmp_path / "secret").mkdir()
    for path in (known.certificate, known.key):
        shutil.copy(path, tmp_path / "secret")
    names = {"certificate": f"secret/{known.certificate.name}", "key": f"secret/{known.key.name}"}
    run = check(of_one(tmp_path, server, client_certificate=names))

    assert associations(run) == AS_KNOWN
    assert judged(run) == OF_STRANGERS
    assert run.status("receiver", "dicom.ae-title-mismatch") == "pass"
    assert run.summary["open_archives"] == []
    introduction = run.summary["introduction"]
    assert introduction["client_certificate_subject"] == "CN=synthetic-checker"
    assert len(introduction["client_certificate_sha256"]) == 64
    contents = [path.read_text() for path in run.folder.rglob("*") if path.is_file()] + [run.out, run.err]
    secrets = ["PRIVATE KEY", known.key.name, *known.key.read_text().splitlines()[1:-1]]
    assert not [secret for secret in secrets for content in contents if secret in content]


@pytest.mark.parametrize("way", ["flags", "environment"])
def test_the_options_name_it(way: str, tmp_path: Path, server: DicomServer, known: TlsFiles) -> None:
    path = of_one(tmp_path, server)
    if way == "flags":
        run = check(
            path, "--quiet", "--client-certificate", str(known.certificate), "--client-key", str(known.key),
        )  # fmt: skip
    else:
        run = check(
            path, "--quiet",
            PACS_CHECKER_CLIENT_CERTIFICATE=str(known.certificate), PACS_CHECKER_CLIENT_KEY=str(known.key),
        )  # fmt: skip

    assert associations(run) == AS_KNOWN


def test_without_one_nothing_else_is_judged_of_strangers(tmp_path: Path, server: DicomServer) -> None:
    run = check(of_one(tmp_path, server), "--quiet")

    assert associations(run) == AS_STRANGER
    assert judged(run) == OF_STRANGERS
    assert run.status("receiver", "dicom.ae-title-mismatch") == "unknown"
    assert run.summary["introduction"]["client_certificate_sha256"] is None
