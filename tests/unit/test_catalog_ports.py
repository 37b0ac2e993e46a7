"""The named sets of ports: data that says what it is, and that `--ports` and inventories can rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from checker.catalog import ports as catalog
from checker.catalog.ports import (
    Choice,
    is_choice,
    port_set,
    port_set_names,
    service_name,
    speaks,
    spoken_ports,
    tcp_ports,
    udp_ports,
)

FOLDER = Path(catalog.__file__).parent


def test_the_sets_are_the_files() -> None:
    assert {"administration", "databases", "imaging", "none", "orthanc", "dcm4chee", "horos", "conquest"} <= {
        *port_set_names()
    }
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
    assert all(line.name and line.name == line.name.strip().lower() for line in found.lines)


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


# ---------------------------------------------------------------------------------------------------- what is chosen


def test_the_ports_of_a_product_are_its_manuals() -> None:
    assert port_set("orthanc").numbers == (4242, 8042)
    assert port_set("conquest").numbers == (5678, 8086)
    assert port_set("horos").numbers == (11112, 3333, 8080)
    assert set(port_set("dcm4chee").numbers) == {11112, 2762, 2575, 12575, 8080, 8443, 9990, 9993}


def test_a_line_says_in_what_an_open_port_is_asked() -> None:
    assert [speaks(port) for port in (104, 11112, 4242, 5678)] == ["dicom"] * 4
    assert [speaks(port) for port in (80, 8042, 3333)] == ["http"] * 3
    assert [speaks(port) for port in (443, 2762, 8443)] == ["tls"] * 3
    # What administers, stores or speaks HL7 is asked nothing; nor is a port that no set has.
    assert [speaks(port) for port in (22, 23, 445, 2575, 5432, 3389, 4711)] == [None] * 7


def test_a_port_is_asked_in_the_same_protocol_whatever_set_names_it() -> None:
    said: dict[int, set[str | None]] = {}
    for name in port_set_names():
        for line in port_set(name).lines:
            if line.transport == "tcp":
                said.setdefault(line.number, set()).add(line.speaks)

    assert {port: words for port, words in said.items() if len(words) > 1} == {}


@pytest.mark.parametrize(
    ("choice", "tcp", "udp"),
    [
        ("orthanc", (4242, 8042), ()),
        (("orthanc", "conquest"), (4242, 8042, 5678, 8086), ()),
        (("orthanc", 4242, 23, "none"), (4242, 8042, 23), ()),
        (("udp/161", 161, "dicom/10104", "http/88", "tls/89"), (161, 10104, 88, 89), (161,)),
        ((), (), ()),
    ],
)
def test_sets_and_ports_are_joined_each_port_once(choice: Choice, tcp: tuple[int, ...], udp: tuple[int, ...]) -> None:
    assert tcp_ports(choice) == tcp
    assert udp_ports(choice) == udp


def test_what_is_chosen_is_stronger_than_what_a_set_says() -> None:
    chosen = spoken_ports(("tls/8042", "imaging", "dicom/10104", 22, "udp/161"))

    assert (chosen[8042], chosen[10104], chosen[104], chosen[443]) == ("tls", "dicom", "dicom", "tls")
    assert not {22, 161, 2575} & chosen.keys()


@pytest.mark.parametrize(
    "part",
    [
        "imagine",
        "",
        "udp/",
        "udp/0",
        "udp/070",
        "udp/65536",
        "udp/1611111",
        "tcp/80",
        "udp/+1",
        "udp/1/2",
        0,
        65536,
        True,
        None,
        1.5,
    ],
)
def test_anything_else_is_no_choice(part: object) -> None:
    assert not is_choice(part)


@pytest.mark.parametrize("part", ["imaging", 1, 65535, "udp/161", "dicom/65535", "http/1", "tls/443"])
def test_a_choice_is_one(part: object) -> None:
    assert is_choice(part)
