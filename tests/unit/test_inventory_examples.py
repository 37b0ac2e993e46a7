"""The inventories that ship run as they are, and their description says what they and the loader know."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checker.catalog.ports import port_set_names
from checker.inventory import InventoryError, load
from checker.inventory.schema import (
    SERVICE_MODELS,
    AssetModel,
    ExposureModel,
    InventoryModel,
    MannersModel,
    WaiverModel,
    keys_of,
)
from checker.inventory.tables import COLUMNS
from checker.model import Role, ServiceKind

FOLDER = Path(__file__).parents[2] / "inventories"
# The examples must pass for whoever tries them, whenever that is.
TODAY = datetime.now(UTC).date()
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_loads_today_without_a_notice(path: Path) -> None:
    inventory = load([path], today=TODAY)

    assert inventory.assets
    assert inventory.notices == ()
    assert inventory.authorization.expires.year == 2099


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_names_private_addresses_only(path: Path) -> None:
    inventory = load([path], today=TODAY)

    addresses = [ipaddress.ip_address(text) for asset in inventory.assets for text in asset.addresses]
    assert addresses
    assert all(address.is_private for address in addresses)
    assert inventory.public_networks == ()


def test_the_examples_are_the_ones_that_the_description_lists() -> None:
    listed = set(re.findall(r"`([a-z-]+\.(?:yaml|csv|schema\.json|json))`", (FOLDER / "README.md").read_text("utf-8")))

    assert {path.name for path in FOLDER.iterdir() if path.name != "README.md"} <= listed | {"inventory.schema.json"}
    assert {path.name for path in EXAMPLES} >= {"minimal.yaml", "example.yaml"}


def test_the_example_shows_every_key_of_the_format() -> None:
    text = (FOLDER / "example.yaml").read_text("utf-8")
    keys = {
        key
        for model in (InventoryModel, AssetModel, ExposureModel, WaiverModel, MannersModel)
        for key in keys_of(model)
    }
    keys |= {key for model in SERVICE_MODELS.values() for key in keys_of(model)}

    missing = {key for key in keys if not re.search(rf"(?<![a-z_]){key}: ?", text)}

    assert missing == set()


def test_the_example_shows_every_kind_of_service_and_each_column() -> None:
    inventory = load([FOLDER / "example.yaml"], today=TODAY)

    assert {service.kind for asset in inventory.assets for service in asset.services} == set(ServiceKind)
    assert (FOLDER / "example-assets.csv").read_text("utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_the_minimal_example_is_minimal(tmp_path: Path) -> None:
    lines = (FOLDER / "minimal.yaml").read_text("utf-8").splitlines()[1:]
    assert load([FOLDER / "minimal.yaml"], today=TODAY).assets

    for left_out in range(len(lines)):
        shorter = tmp_path / "shorter.yaml"
        shorter.write_text("\n".join(lines[:left_out] + lines[left_out + 1 :]), "utf-8")
        with pytest.raises(InventoryError):
            load([shorter], today=TODAY)


def test_the_description_knows_every_key_role_service_and_column() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    words = {*keys_of(InventoryModel), *keys_of(AssetModel), *keys_of(ExposureModel), *keys_of(WaiverModel)}
    words |= {*keys_of(MannersModel), *Role, *ServiceKind, *port_set_names()}

    assert {word for word in words if f"`{word}`" not in text} == set()
    assert f"`{','.join(COLUMNS)}`" in text


def test_the_faults_that_the_description_shows_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"^(?:hospital\.yaml|ct\.csv):\d+: .*$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    lines = [
        "version: 1",
        "authorization: {owner: a, reference: b, expires: 2099-12-31}",
        "owned_networks: [10.20.0.0/16]",
        "assets_from: [ct.csv]",
        "assets:",
        "  - {id: a0, hostname: a0, role: viewer}",
        "  - {id: a1, hostname: a1, role: viewer}",
        "  - {id: a2, hostname: a2, role: viewer}",
        "  - id: a3",
        "    hostname: a3",
        "    role: viewer",
        "    services:",
        "      - kind: dicom",
        "        port: 70000",
        "  - id: a4",
        "    hostname: a4",
        "    role: viewer",
        "  - id: a5",
        "    hostname: a5",
        "    name: CT",
        "    role: scanner",
    ]
    Path("hospital.yaml").write_text("\n".join(lines), "utf-8")
    rows = [f"ct-{row},10.20.1.{row},modality," for row in range(2, 7)]
    Path("ct.csv").write_text("\n".join(["asset_id,address,role,service", *rows, "ct-7,10.99.0.1,modality,"]), "utf-8")

    with pytest.raises(InventoryError) as caught:
        load([Path("hospital.yaml")], today=TODAY)

    assert len(shown) == 3
    assert sorted(shown) == sorted(str(fault) for fault in caught.value.faults)
