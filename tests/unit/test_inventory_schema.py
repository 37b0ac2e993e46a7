"""The JSON Schema that ships says what the loader does, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from checker.inventory import schema
from checker.inventory.export_schema import SCHEMA_FILE, exported
from checker.inventory.faults import FaultList
from checker.inventory.json_reader import read_json
from checker.inventory.schema import InventoryModel, keys_of
from checker.inventory.sources import Unreadable
from checker.inventory.yaml_reader import read_yaml

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "inventories"
VALIDATOR = Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)

# What needs more than one part of a document to be judged, or the day, or more than one file, or a parser of URLs.
BEYOND_A_SCHEMA = {
    "assets-none.yaml",
    "client-certificate-broken.yaml",
    "client-certificate-key-missing.yaml",
    "client-certificate-missing.yaml",
    "client-certificate-no-pem.yaml",
    "duplicate-ids.yaml",
    "duplicate-keys.json",
    "duplicate-keys.yaml",
    "excluded-address.yaml",
    "expired-authorization.yaml",
    "outside-owned.yaml",
    "owned-networks-empty.yaml",
    "owned-networks-missing.yaml",
    "public-address.yaml",
    "registered-ae-title-ours.yaml",
    "services-twice.yaml",
    "trust-store-broken.yaml",
    "trust-store-cut-short.yaml",
    "trust-store-empty.yaml",
    "trust-store-folder.yaml",
    "trust-store-missing.yaml",
    "trust-store-no-pem.yaml",
    "trust-store-without-certificates.yaml",
    "unknown-zones.yaml",
    "url-brackets.yaml",
}


def value_of(path: Path) -> object:
    """What a document holds, by the loader's own readers. Raises Unreadable where it is none."""
    read = read_json if path.suffix == ".json" else read_yaml
    return read(path.name, path.read_text("utf-8"), FaultList()).value


def documents(*folders: Path) -> list[Path]:
    found = (path for folder in folders for path in folder.rglob("*") if path.suffix in (".yaml", ".yml", ".json"))
    return sorted(path for path in found if not path.name.endswith(".schema.json"))


def is_readable(path: Path) -> bool:
    try:
        value_of(path)
    except Unreadable:
        return False
    return True


VALID = documents(CORPUS / "valid", ROOT / "inventories")
BROKEN = [path for path in documents(CORPUS / "broken") if path.parent.name == "broken" and is_readable(path)]


def test_the_committed_schema_is_the_one_of_the_models() -> None:
    assert SCHEMA_FILE.read_bytes() == exported(), "run: python -m checker.inventory.export_schema"


def test_the_schema_beside_the_examples_is_the_one_that_ships() -> None:
    assert (ROOT / "inventories" / "inventory.schema.json").resolve() == SCHEMA_FILE.resolve()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(exported()))


def test_the_schema_knows_every_key_and_no_other() -> None:
    assert set(json.loads(exported())["properties"]) == set(keys_of(InventoryModel))


@pytest.mark.parametrize("path", VALID, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_schema_takes_every_valid_inventory(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(value_of(path))] == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_the_schema_refuses_what_a_schema_can_refuse(path: Path) -> None:
    refused = not VALIDATOR.is_valid(value_of(path))

    assert refused is (path.name not in BEYOND_A_SCHEMA)


def test_both_corpora_are_there() -> None:
    assert len(VALID) >= 10
    assert len(BROKEN) >= 40
    assert {path.name for path in BROKEN} > BEYOND_A_SCHEMA


def test_defaults_in_the_schema_are_valid_themselves() -> None:
    definitions = json.loads(exported())["$defs"]
    for name in ("MannersModel", "DefaultsModel", "DicomTlsModel", "SyslogTlsModel", "LdapsModel", "ZoneModel"):
        for key, part in definitions[name]["properties"].items():
            if "default" in part:
                assert Draft202012Validator({**part, "$defs": definitions}).is_valid(part["default"]), (name, key)
