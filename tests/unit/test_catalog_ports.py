"""The named sets of ports: data that says what it is, and that `--ports` and inventories can rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from checker.catalog import ports as catalog
from checker.catalog.ports import port_set, port_set_names, service_name

FOLDER = Path(catalog.__file__).parent


def test_the_sets_are_the_files() -> None:
    assert port_set_names() == ("administration", "databases", "imaging", "none")
    assert port_set_names() == tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@pytest.mark.parametrize("name", port_set_names())
def test_a_set_says_what_it_is_and_where_it_is_from(name: str) -> None:
    found = port_set(name)

    assert found.name == name
    assert found.title
    assert found.source


@pytest.mark.parametrize("name", port_set_names())
def test_a_set_has_each_port_once_and_only_ports(name: str) -> None:
    found = port_set(name)

    assert len(set(found.numbers)) == len(found.numbers)
    assert all(1 <= number <= 65535 for number in found.numbers)
    assert all(service and service == service.strip().lower() for _, service in found.ports)


def test_the_order_of_a_file_is_the_order_of_asking() -> None:
    rows = yaml.safe_load((FOLDER / "imaging.yaml").read_text("utf-8"))["ports"]

    assert port_set("imaging").ports == tuple((row["port"], row["name"]) for row in rows)
    assert port_set("imaging").numbers[0] == 104


def test_a_port_has_one_name_in_all_sets() -> None:
    named = {(number, service) for name in port_set_names() for number, service in port_set(name).ports}

    assert len({number for number, _ in named}) == len(named)
    assert all(service_name(number) == service for number, service in named)


def test_a_port_that_no_set_has_is_nameless() -> None:
    assert service_name(4711) is None
    assert service_name(0) is None


def test_the_set_that_asks_nothing_more_is_empty() -> None:
    assert port_set("none").numbers == ()


def test_what_an_archive_is_reached_by_is_in_the_set_that_is_asked_by_default() -> None:
    # 104, 2762 and 11112 are IANA's for DICOM; 2761 its ISCL form. The others are where web archives listen.
    assert {104, 2761, 2762, 11112, 80, 443, 8080, 8443, 8042, 4242} <= set(port_set("imaging").numbers)


def test_the_default_set_has_every_port_that_a_rule_watches() -> None:
    watched = set(port_set("administration").numbers) | set(port_set("databases").numbers)

    assert watched <= set(port_set("imaging").numbers)


@pytest.mark.parametrize("name", ["imagine", "", "Imaging", "imaging.yaml", "../imaging", "__init__"])
def test_an_unknown_set_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        port_set(name)
