"""The measured tables of the documentation: written between their markers, and not older than what they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live import dicom_configurations
from tests.live.comparing import Difference, Peer, unlike
from tests.live.configurations import CONFIGURATIONS
from tests.live.dicom_configuring import statuses
from tests.tables import dicom
from tests.tables.__main__ import TABLES, main
from tests.tables.configurations import HEADER, differences
from tests.tables.page import DICOM, TLS, markdown, names, read, written

PAGE_OF_TWO = "# Title\n\n<!-- table: one -->\nold\n<!-- end -->\n\ntext\n\n<!-- table: two -->\n<!-- end -->\n\nlast\n"


def test_a_table_is_written_between_its_markers_and_nothing_else_changes() -> None:
    page = written(PAGE_OF_TWO, "one", "new\nlines\n")
    assert page == PAGE_OF_TWO.replace("old\n", "new\nlines\n")
    assert read(page, "one") == "new\nlines\n"
    assert written(written(page, "two", "x"), "two", "y") == page.replace("two -->\n", "two -->\ny\n")
    assert names(page) == ("one", "two")


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<!-- table: one -->\nno end\n",
        "<!-- table: one -->\n<!-- table: two -->\n<!-- end -->\n",
        "<!-- table: one -->\n<!-- end -->\n" * 2,
    ],
)
def test_a_page_without_room_for_a_table_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="no room for the table one"):
        written(page, "one", "text")


def test_a_table_of_markdown() -> None:
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    for row in (("1",), ("1", "2|3"), ("1", "2\n")):
        with pytest.raises(ValueError, match="no row of this table"):
            markdown(("a", "b"), [row])


def test_an_unknown_table_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["none"]) == 2
    assert "no tables: none" in capsys.readouterr().err


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_room_for_every_table(name: str) -> None:
    assert name in names(TABLES[name].page.read_text("utf-8"))


def rows_of(page: Path, name: str) -> list[list[str]]:
    """The cells of a table as the page has it, its header and the line below first."""
    lines = read(page.read_text("utf-8"), name).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_the_page_is_about_the_configurations_that_there_are() -> None:
    rows = rows_of(TLS, "configurations")
    assert rows[0] == list(HEADER)
    assert [(row[0], row[-1]) for row in rows[2:]] == [(found.server, differences(found)) for found in CONFIGURATIONS]


def test_the_table_of_dicom_servers_says_what_their_configurations_say() -> None:
    rows = rows_of(DICOM, "dicom")
    assert rows[0] == list(dicom.HEADER)
    assert rows[2:] == [list(dicom.stated(found)) for found in dicom_configurations.CONFIGURATIONS]


def test_there_are_enough_dicom_servers_and_each_has_its_own_name() -> None:
    servers = dicom_configurations.CONFIGURATIONS
    assert len(servers) >= 25
    assert len({found.name for found in servers}) == len({found.server for found in servers}) == len(servers)
    assert len([found for found in servers if found.name.startswith("orthanc")]) >= 6
    assert len([found for found in servers if found.name.startswith("dcmqrscp")]) >= 6


@pytest.mark.parametrize("left", ["caller title query take put archive", "caller caller title query take put archive"])
def test_a_configuration_states_each_status_once(left: str) -> None:
    with pytest.raises(ValueError, match="each of caller title query take put cleartext archive has one status"):
        statuses(passes=left)


def test_there_are_enough_configurations_and_each_has_its_own_name() -> None:
    assert len(CONFIGURATIONS) >= 25
    assert len({configuration.name for configuration in CONFIGURATIONS}) == len(CONFIGURATIONS)
    assert len({configuration.server for configuration in CONFIGURATIONS}) == len(CONFIGURATIONS)


# ------------------------------------------------------------------------- what a named difference covers, and what not

_OURS = {"TLS 1.2": frozenset({0xC02F, 0x009E}), "TLS 1.3": frozenset({0x1301})}
_NO_DHE = Difference(Peer.NMAP, "no DHE", unseen="TLS 1.2 TLS_DHE_")


def test_what_is_the_same_is_not_unlike() -> None:
    assert unlike((), _OURS, Peer.NMAP, _OURS) == []


def test_a_difference_covers_what_it_names_and_of_its_peer_alone() -> None:
    theirs = _OURS | {"TLS 1.2": frozenset({0xC02F})}
    assert unlike((_NO_DHE,), _OURS, Peer.NMAP, theirs) == []
    missing = ["sslyze does not have TLS 1.2 TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"]
    assert unlike((_NO_DHE,), _OURS, Peer.SSLYZE, theirs) == missing


def test_more_than_the_difference_is_unlike() -> None:
    theirs = {"TLS 1.2": frozenset({0xC02F}), "SSLv3": frozenset({0x0005})}
    assert unlike((_NO_DHE,), _OURS, Peer.NMAP, theirs) == [
        "nmap does not have TLS 1.3 TLS_AES_128_GCM_SHA256",
        "nmap alone has SSLv3 TLS_RSA_WITH_RC4_128_SHA",
    ]


def test_a_difference_that_is_gone_is_unlike() -> None:
    assert unlike((_NO_DHE,), _OURS, Peer.NMAP, _OURS) == [
        "nmap has TLS 1.2 TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 after all"
    ]
    only_new = {"TLS 1.3": frozenset({0x1301})}
    assert unlike((_NO_DHE,), only_new, Peer.NMAP, only_new) == ["nothing is unseen by nmap for: no DHE"]
    claimed = Difference(Peer.NMAP, "fails", claimed=frozenset({"SSLv3"}))
    assert unlike((claimed,), _OURS, Peer.NMAP, _OURS) == ["nmap does not claim SSLv3 any more"]
    assert unlike((claimed,), _OURS, Peer.NMAP, _OURS | {"SSLv3": frozenset()}) == []
