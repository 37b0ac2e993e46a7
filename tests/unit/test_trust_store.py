"""The certificates that an inventory or `--trust-store` names: read as they are, refused where anything is wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from checker.cli.main import run
from checker.cli.options import with_trust_store
from checker.codecs.trust import SYSTEM, TrustStore, chosen_trust_store, read_anchors, system_trust_store
from checker.errors import UsageError
from checker.inventory import InventoryError, load
from checker.inventory.sources import LARGEST_STORE
from checker.model import Inventory
from checker.records import StoredInventory, dumps, read_inventory

CORPUS = Path(__file__).parent / "inventories"
STORE = CORPUS / "stores" / "hospital-ca.pem"
DEMO = Path(__file__).parents[2] / "inventories" / "demo.yaml"
TODAY = date(2026, 11, 24)
HEAD = """version: 1
authorization: {owner: a, reference: b, expires: 2099-12-31}
owned_networks: [10.20.0.0/16]
assets: [{id: a0, address: 10.20.1.5, role: archive}]
"""
# Put together here, so that no file of the repository looks as if it held a key.
KEY_BEGINS, KEY_ENDS = ("-----{} {}PRIVATE KEY-----\n".format(word, "{}") for word in ("BEGIN", "END"))


def private_key(kind: str) -> str:
    return f"{KEY_BEGINS.format(kind)}AAAA\n{KEY_ENDS.format(kind)}"


def subjects(pem: str) -> list[str]:
    return [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(pem.encode())]


def of_inventory(folder: Path, trust_store: str) -> Inventory:
    path = folder / "inventory.yaml"
    path.write_text(f"{HEAD}defaults: {{trust_store: {trust_store}}}\n")
    return load([path], today=TODAY)


def fault_of(folder: Path, trust_store: str) -> tuple[int, str, str, str]:
    with pytest.raises(InventoryError) as caught:
        of_inventory(folder, trust_store)
    (fault,) = caught.value.faults
    assert fault.file == str(folder / "inventory.yaml")
    return fault.line, fault.field, fault.value, fault.expected


# --------------------------------------------------------------------------------------------------- in the inventory


def test_an_inventory_brings_the_certificates_of_its_store_and_nothing_else_of_the_file() -> None:
    every_key = CORPUS / "valid" / "every-key.yaml"
    inventory = load([every_key], today=TODAY)
    anchors = inventory.defaults.trust_store
    assert anchors is not None
    assert anchors.name == "hospital-ca.pem"
    assert subjects(anchors.pem) == ["CN=Synthetic authority A", "CN=Synthetic authority B"]  # each once
    assert anchors.pem.startswith("-----BEGIN CERTIFICATE-----\n")
    assert anchors.pem.count("BEGIN") == 2
    assert inventory.files == (str(every_key), str(every_key.parent / "../stores/hospital-ca.pem"))
    assert inventory.sha256 == hashlib.sha256(every_key.read_bytes() + STORE.read_bytes()).hexdigest()


def test_the_store_stays_with_the_run() -> None:
    inventory = load([CORPUS / "valid" / "every-key.yaml"], today=TODAY)
    stored = StoredInventory(inventory)
    assert read_inventory(dumps(stored), "inventory.json") == stored


def test_two_inventories_may_name_one_store(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(STORE.read_bytes())
    (tmp_path / "site").mkdir()
    (tmp_path / "one.yaml").write_text(f"{HEAD}defaults: {{trust_store: ca.pem}}\n")
    (tmp_path / "site" / "two.yaml").write_text("version: 1\ndefaults: {trust_store: ../ca.pem}\n")
    inventory = load([tmp_path / "one.yaml", tmp_path / "site" / "two.yaml"], today=TODAY)
    assert inventory.defaults.trust_store == read_anchors("ca.pem", STORE.read_bytes())


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "])
@pytest.mark.parametrize("before", [True, False])
def test_a_private_key_is_refused_and_never_quoted(kind: str, before: bool, tmp_path: Path) -> None:
    certificate = STORE.read_text()
    text = private_key(kind) + certificate if before else certificate + private_key(kind)
    (tmp_path / "ca.pem").write_text(text)
    line = 1 if before else certificate.count("\n") + 1
    assert fault_of(tmp_path, "ca.pem") == (
        5, "defaults.trust_store", "ca.pem",
        f"expected certificates alone; on line {line} of the file there is a private key",
    )  # fmt: skip


def test_der_is_no_pem(tmp_path: Path) -> None:
    first = x509.load_pem_x509_certificates(STORE.read_bytes())[0]
    (tmp_path / "ca.der").write_bytes(first.public_bytes(Encoding.DER))
    line, field, value, expected = fault_of(tmp_path, "ca.der")
    assert (line, field, value) == (5, "defaults.trust_store", "ca.der")
    assert expected.startswith("expected a PEM file")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "ca.pem").open("wb") as file:
        file.truncate(LARGEST_STORE + 1)
    assert fault_of(tmp_path, "ca.pem")[3].startswith("expected a file of at most 4 MiB")


def test_a_file_that_may_not_be_read_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_bytes(STORE.read_bytes())
    really_open = os.open

    def refuse(path: Path, flags: int) -> int:  # what the system tells everyone but root
        if Path(path).name == "ca.pem":
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, flags)

    monkeypatch.setattr("checker.inventory.sources.os.open", refuse)
    assert fault_of(tmp_path, "ca.pem") == (5, "defaults.trust_store", "ca.pem", "expected a file that may be read")


def test_faults_of_the_store_come_with_all_others(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(f"{HEAD.replace('archive', 'scanner')}defaults: {{trust_store: gone.pem}}\n")
    with pytest.raises(InventoryError) as caught:
        load([path], today=TODAY)
    assert [fault.field for fault in caught.value.faults] == ["assets[0].role", "defaults.trust_store"]


# ----------------------------------------------------------------------------------------------------- by the option


def test_the_option_is_stronger_than_the_inventory(tmp_path: Path) -> None:
    only_first = tmp_path / "first.pem"
    only_first.write_text(STORE.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    (tmp_path / "ca.pem").write_bytes(STORE.read_bytes())
    inventory = of_inventory(tmp_path, "ca.pem")
    assert with_trust_store(inventory, None) is inventory
    anchors = with_trust_store(inventory, only_first).defaults.trust_store
    assert anchors is not None
    assert (anchors.name, subjects(anchors.pem)) == ("first.pem", ["CN=Synthetic authority A"])
    assert replace(with_trust_store(inventory, only_first), defaults=inventory.defaults) == inventory


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no-such-file.pem", "expected a file; there is none of this name"),
        ("broken.pem", "expected certificates that can be read; the one on line 12 of the file cannot"),
        ("empty.pem", "expected certificates; the file is empty"),
    ],
)
@pytest.mark.parametrize("way", ["flag", "environment", "settings"])
def test_a_faulty_file_ends_the_command_before_anything_is_sent(
    name: str,
    says: str,
    way: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(CORPUS / "stores" / name)
    if way == "environment":
        monkeypatch.setenv("PACS_CHECKER_TRUST_STORE", path)
    if way == "settings":
        Path("pacs-checker.toml").write_text(f"trust-store = {json.dumps(path)}\n")
    assert run(["check", str(DEMO), *(["--trust-store", path] if way == "flag" else [])]) == 2
    assert f"--trust-store {path}: {says}" in capsys.readouterr().err
    assert not Path("reports").exists()


def test_a_private_key_is_refused_here_too(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text(STORE.read_text() + private_key(""))
    inventory = load([DEMO], today=datetime.now(UTC).date())
    with pytest.raises(UsageError, match="private key"):
        with_trust_store(inventory, tmp_path / "server.pem")


# ------------------------------------------------------------------------------------------------------- as the store


def test_a_named_store_takes_the_place_of_the_systems() -> None:
    anchors = read_anchors("hospital-ca.pem", STORE.read_bytes())
    store = chosen_trust_store(anchors)
    assert store is not None
    assert store == TrustStore(
        "hospital-ca.pem", tuple(dict.fromkeys(x509.load_pem_x509_certificates(STORE.read_bytes())))
    )
    assert chosen_trust_store(replace(anchors)) is store  # made once


def test_without_a_named_store_it_is_the_systems() -> None:
    store = chosen_trust_store(None)
    assert store is system_trust_store()
    assert store is None or store.name == SYSTEM


def test_a_certificate_that_is_its_own_store_is_trusted() -> None:
    (one, *_) = x509.load_pem_x509_certificates(STORE.read_bytes())
    store = chosen_trust_store(read_anchors("device.pem", STORE.read_bytes()))
    assert store is not None
    assert store.judge(one, (), datetime(2026, 11, 24, tzinfo=UTC)) == (True, None)
