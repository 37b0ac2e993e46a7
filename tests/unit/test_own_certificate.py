"""A certificate of our own, by the inventory or by options: refused where anything is wrong, its key kept nowhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from checker.cli.main import run
from checker.cli.options import with_client_certificate
from checker.engine import check_own_certificate
from checker.errors import UsageError
from checker.introduction import Introduction
from checker.inventory import InventoryError, load
from checker.model import ClientCertificate, Defaults, Inventory
from checker.net.tls_context import OwnCertificate
from checker.plan import OWN_CERTIFICATE_CONNECTIONS, TLS_CONNECTIONS
from checker.records import StoredInventory, dumps, read_inventory
from checker.rules.examples import archive
from checker.run import judge_again
from checker.store.runs import read_run_inventory
from tests.unit.stored_runs import EVERYTHING, inventory, open_archive
from tests.unit.stored_runs import run as conclude_run

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
DEMO = Path(__file__).parents[2] / "inventories" / "demo.yaml"
HEAD = """version: 1
authorization: {owner: a, reference: b, expires: 2099-12-31}
owned_networks: [10.20.0.0/16]
assets: [{id: a0, address: 10.20.1.5, role: archive}]
"""
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Own:
    """A certificate, its key and where they are."""

    certificate: Path
    key: Path
    leaf: x509.Certificate
    secret: Key


def own(
    folder: Path,
    name: str = "checker",
    *,
    key: Key | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
    password: bytes | None = None,
    ends: datetime = NOW + timedelta(days=90),
) -> Own:
    """A fresh certificate and its key, as files that are as they should be."""
    secret = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Synthetic {name}")])
    leaf = (x509.CertificateBuilder(subject, subject, secret.public_key(), 1, NOW - timedelta(days=300), ends)).sign(
        secret, None if isinstance(secret, ed25519.Ed25519PrivateKey) else SHA256()
    )
    made = Own(folder / f"{name}.crt", folder / f"{name}.key", leaf, secret)
    made.certificate.write_bytes(leaf.public_bytes(Encoding.PEM))
    made.key.write_bytes(
        secret.private_bytes(Encoding.PEM, form, BestAvailableEncryption(password) if password else NoEncryption())
    )
    made.key.chmod(0o600)
    return made


def written(folder: Path, certificate: str, key: str) -> Path:
    path = folder / "inventory.yaml"
    path.write_text(f"{HEAD}defaults:\n  client_certificate:\n    certificate: {certificate}\n    key: {key}\n")
    return path


def of_inventory(folder: Path, certificate: str = "checker.crt", key: str = "checker.key") -> Inventory:
    return load([written(folder, certificate, key)], today=TODAY)


def faults(folder: Path, certificate: str = "checker.crt", key: str = "checker.key") -> list[tuple[int, str, str]]:
    with pytest.raises(InventoryError) as caught:
        of_inventory(folder, certificate, key)
    return [(fault.line, fault.field.rpartition(".")[2], fault.expected) for fault in caught.value.faults]


# --------------------------------------------------------------------------------------------------- in the inventory


def test_an_inventory_names_its_files_beside_itself(tmp_path: Path) -> None:
    made = own(tmp_path)
    named = of_inventory(tmp_path)
    assert named.defaults.client_certificate == ClientCertificate(
        "CN=Synthetic checker", made.leaf.fingerprint(SHA256()).hex(), (str(made.certificate), str(made.key))
    )
    assert named.notices == ()
    # Neither is a source of the named.
    assert named.files == (str(tmp_path / "inventory.yaml"),)


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), PrivateFormat.PKCS8),
        (lambda: rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL),
        (lambda: ec.generate_private_key(ec.SECP384R1()), PrivateFormat.TraditionalOpenSSL),
        (ed25519.Ed25519PrivateKey.generate, PrivateFormat.PKCS8),
    ],
    ids=["RSA", "RSA in the older form", "EC in the older form", "Ed25519"],
)
def test_every_usual_kind_of_key_is_taken_and_openssl_takes_it_too(
    make: Callable[[], Key], form: PrivateFormat, tmp_path: Path
) -> None:
    own(tmp_path, key=make(), form=form)
    check_own_certificate(of_inventory(tmp_path))


def test_both_may_be_one_file_with_those_above_and_words_between(tmp_path: Path) -> None:
    made, above = own(tmp_path), own(tmp_path, "above")
    both = tmp_path / "both.pem"
    both.write_bytes(
        b"Bag Attributes\n" + made.certificate.read_bytes() + above.certificate.read_bytes() + made.key.read_bytes()
    )
    both.chmod(0o400)
    named = of_inventory(tmp_path, "both.pem", "both.pem")
    assert named.defaults.client_certificate is not None
    assert named.defaults.client_certificate.subject == "CN=Synthetic checker"
    check_own_certificate(named)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_key_that_others_may_touch_is_refused(mode: int, tmp_path: Path) -> None:
    own(tmp_path).key.chmod(mode)
    expected = f"expected a key that its owner alone may read, not one of mode {mode:04o}; chmod 0600 it"
    assert faults(tmp_path) == [(8, "key", expected)]


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    own(tmp_path)
    own(tmp_path, "other")
    assert faults(tmp_path, key="other.key") == [
        (8, "key", "expected the key of the certificate; this one belongs to another")
    ]


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_refused(form: PrivateFormat, tmp_path: Path) -> None:
    own(tmp_path, form=form, password=b"synthetic")
    assert faults(tmp_path) == [(8, "key", "expected a key without a password; this one is encrypted")]


def test_a_key_cut_short_is_refused_and_never_quoted(tmp_path: Path) -> None:
    made = own(tmp_path)
    first, *body, last = made.key.read_text().splitlines()
    made.key.write_text("\n".join([first, *body[:1], last]))
    (fault,) = faults(tmp_path)
    assert fault == (8, "key", "expected a private key that can be read")


@pytest.mark.parametrize("data", [b"synthetic", b"\x30\x82\x01\x00", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_pem_is_refused(data: bytes, tmp_path: Path) -> None:
    made = own(tmp_path)
    made.key.write_bytes(data)
    made.certificate.write_bytes(data)
    assert faults(tmp_path) == [
        (7, "certificate", "expected a PEM file, which is text that has -----BEGIN CERTIFICATE----- in it"),
        (8, "key", "expected a PEM file, which is text that has -----BEGIN PRIVATE KEY----- in it"),
    ]


def test_both_files_that_are_missing_are_told_at_once(tmp_path: Path) -> None:
    none = "expected a file; there is none of this name"
    assert faults(tmp_path) == [(7, "certificate", none), (8, "key", none)]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    own(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    assert faults(tmp_path, "folder", "pipe") == [
        (7, "certificate", "expected a file, not a directory"),
        (8, "key", "expected an ordinary file, not a device or a pipe"),
    ]


def test_two_inventories_may_name_the_same_files(tmp_path: Path) -> None:
    own(tmp_path)
    (tmp_path / "site").mkdir()
    one, two = written(tmp_path, "checker.crt", "checker.key"), tmp_path / "site" / "two.yaml"
    two.write_text("version: 1\ndefaults: {client_certificate: {certificate: ../checker.crt, key: ../checker.key}}\n")
    assert load([one, two], today=TODAY).defaults == load([one], today=TODAY).defaults


def test_one_that_has_expired_is_a_notice(tmp_path: Path) -> None:
    own(tmp_path, ends=NOW - timedelta(days=1))
    (notice,) = of_inventory(tmp_path).notices
    assert notice.endswith("our own certificate has expired on 2026-11-23, so servers may refuse it")


# ----------------------------------------------------------------------------------------------------- by the options


def test_the_options_are_stronger_than_the_inventory(tmp_path: Path) -> None:
    own(tmp_path)
    other = own(tmp_path, "other")
    named = of_inventory(tmp_path)
    assert with_client_certificate(named, None, None) is named
    chosen = with_client_certificate(named, other.certificate, other.key)
    assert chosen.defaults.client_certificate is not None
    assert chosen.defaults.client_certificate.subject == "CN=Synthetic other"
    assert replace(chosen, defaults=named.defaults) == named


@pytest.mark.parametrize("given", ["certificate", "key"])
@pytest.mark.parametrize("way", ["flag", "environment", "settings"])
def test_one_without_the_other_ends_the_command(
    given: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = own(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = str({"certificate": made.certificate, "key": made.key}[given])
    missing = {"certificate": "key", "key": "certificate"}[given]
    if way == "environment":
        monkeypatch.setenv(f"PACS_CHECKER_CLIENT_{given.upper()}", path)
    if way == "settings":
        Path("pacs-checker.toml").write_text(f"client-{given} = {json.dumps(path)}\n")
    assert run(["check", str(DEMO), *([f"--client-{given}", path] if way == "flag" else [])]) == 2
    assert f"--client-{missing}: expected this option as well, as there is --client-{given}" in capsys.readouterr().err
    assert not Path("reports").exists()


@pytest.mark.parametrize("command", ["check", "plan"])
def test_faulty_files_end_the_command_and_both_are_told(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    own(tmp_path).key.chmod(0o644)
    arguments = ["--client-certificate", "gone.crt", "--client-key", "checker.key"]
    assert run([command, str(DEMO), *arguments]) == 2
    told = capsys.readouterr().err
    assert "--client-certificate gone.crt: expected a file; there is none of this name" in told
    assert "--client-key checker.key: expected a key that its owner alone may read, not one of mode 0644" in told
    assert not Path("reports").exists()


def test_files_that_went_since_they_were_read_are_told_before_a_run_is_begun(tmp_path: Path) -> None:
    made = own(tmp_path)
    named = of_inventory(tmp_path)
    made.key.unlink()
    with pytest.raises(UsageError, match="our certificate and its key cannot be used") as caught:
        check_own_certificate(named)
    assert str(tmp_path) not in str(caught.value)
    check_own_certificate(replace(named, defaults=Defaults()))


def test_the_plan_tells_it_and_what_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = own(tmp_path)
    arguments = ["--client-certificate", str(made.certificate), "--client-key", str(made.key)]
    assert run(["plan", str(DEMO), "--json", *arguments]) == 0
    plan = json.loads(capsys.readouterr().out)
    steps = [step for asset in plan["assets"] for step in asset["steps"] if step["kind"] == "tls"]
    assert {step["connections"] for step in steps} == {TLS_CONNECTIONS + OWN_CERTIFICATE_CONNECTIONS}
    assert plan["client_certificate_sha256"] == made.leaf.fingerprint(SHA256()).hex()
    assert run(["plan", str(DEMO), *arguments]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Where a server requires one, expect the certificate of CN=Synthetic checker, with the SHA-256" in told


# ---------------------------------------------------------------------------------------------------------- in a run


def test_a_run_keeps_what_it_is_and_not_where(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    made = own(tmp_path / "home")
    asset = archive()
    certificate = ClientCertificate("CN=x", "0" * 64, (str(made.certificate), str(made.key)))
    found = replace(inventory(asset), defaults=Defaults(client_certificate=certificate))
    output = tmp_path / "reports"
    summary = conclude_run(output, "20261124T042030Z-clinical-3f9a", found, open_archive(asset))
    again = judge_again(output / summary.run_id, output, made_at=NOW, judging=EVERYTHING)
    for one in (summary, again):
        folder = output / one.run_id
        assert read_run_inventory(folder).inventory.defaults.client_certificate == ClientCertificate("CN=x", "0" * 64)
        assert one.introduction.client_certificate_subject == "CN=x"
        assert not [path for path in folder.iterdir() if path.is_file() and str(tmp_path / "home") in path.read_text()]


def test_whoever_judges_again_by_an_inventory_need_not_have_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, "gone.crt", "gone.key")
    conclude_run(tmp_path / "reports", "20261124T042030Z-clinical-3f9a", inventory(archive()), open_archive(archive()))
    assert run(["judge", "latest", "--inventory", str(path), "--quiet"]) == 4  # its asset was not visited
    assert "expected a file" not in capsys.readouterr().err
    assert run(["validate", str(path)]) == 2


def test_neither_path_is_in_what_python_says_of_it(tmp_path: Path) -> None:
    assert repr(OwnCertificate(tmp_path / "checker.crt", tmp_path / "checker.key")) == "OwnCertificate()"


def test_an_inventory_that_was_stored_before_there_were_such_keys_is_read(tmp_path: Path) -> None:
    own(tmp_path)
    stored_now = json.loads(dumps(StoredInventory(of_inventory(tmp_path))))
    for key in ("client_certificate", "tls_depth", "certificate_notice_days"):
        del stored_now["inventory"]["defaults"][key]
    del stored_now["inventory"]["assets"][0]["tls_depth"]
    named = read_inventory(json.dumps(stored_now).encode(), "inventory.json").inventory
    assert named.defaults == Defaults()
    assert Introduction.of(named).client_certificate_sha256 is None
