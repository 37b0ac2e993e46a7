"""Storing: what is written is read back, survives a kill, and is published whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

import orjson
import pytest

from checker.errors import UsageError
from checker.model import (
    AssetClass,
    AssetManners,
    CertificateFacts,
    Exposure,
    Facts,
    HandshakeFacts,
    NameFacts,
    Observation,
    PortFacts,
    Role,
    Status,
    VisitFacts,
    Waiver,
)
from checker.records import BrokenRecord, StoredInventory, dumps, line, moment, read_inventory, read_observation
from checker.rules import catalogue
from checker.rules.examples import archive, dicom_service, dicom_tls_service, web_service
from checker.store.folder import IDENTITIES, LEDGER, OBSERVATIONS, RunFolder, new_run_id
from checker.store.piles import Piles, weight
from checker.store.runs import find_run, last_run, read_run
from checker.store.scratch import MOST_SHARERS, Scratch
from tests.unit.stored_runs import (
    FINDING,
    STARTED,
    inventory,
    observed,
    open_archive,
    run,
    shut_archive,
    three_archives,
)

ARCHIVE = archive()
RUN = "20261124T042030Z-clinical-3f9a"
CERTIFICATE = CertificateFacts(
    "CN=archive", "CN=ca", "1", STARTED.replace(microsecond=0), datetime(9999, 12, 31, tzinfo=UTC), "EC", 256,
    "secp256r1", "sha256", ("archive.example.org",), ("10.20.1.5",), False, "0" * 64, "1" * 64, None, "no store",
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------- records

EVERY_KIND: list[Facts] = [
    *{type(item.facts): item.facts for entry in catalogue() for example in entry.rule.examples for item in
      example.case.asset_seen}.values(),
    HandshakeFacts(completed=True, version="TLS 1.3", certificate=CERTIFICATE, client_certificate="optional"),
    NameFacts(hostname="archive.example.org", addresses=("10.20.1.5", "2001:db8:20::5"), error=None),
    PortFacts(icmp=(3, 13), offender="10.20.0.1", rtt_ms=1.0, detail="ünïcode \u2028 and \x00"),
    VisitFacts(connections=3, gaps=("the budget was spent",), not_visited=None),
]  # fmt: skip


@pytest.mark.parametrize("facts", EVERY_KIND, ids=lambda facts: type(facts).__name__)
def test_an_observation_is_read_back_as_it_was(facts: Facts) -> None:
    written = Observation("7", "synthetic-01", "clinical", STARTED, "10.20.1.5", 11112, 0, facts)
    text = line(written)
    assert text.count(b"\n") == 1
    assert text.endswith(b"\n")
    assert read_observation(text, "here") == replace(written, observed_at=STARTED.replace(microsecond=123_000))
    assert line(read_observation(text, "here")) == text


def test_every_example_of_every_rule_is_read_back_as_it_was() -> None:
    observations = [
        item for entry in catalogue() for example in entry.rule.examples for item in example.case.asset_seen
    ]
    assert len(observations) > 100
    assert {type(item.facts) for item in observations} >= {PortFacts, NameFacts, VisitFacts}
    for item in observations:
        assert read_observation(line(item), "here") == item


def test_an_inventory_is_read_back_as_it_was() -> None:
    asset = replace(
        archive(dicom_service(), dicom_tls_service(client_certificate="required", profile="B.13"), web_service()),
        manners=AssetManners(gap_s=2.0, quiet_hours=(time(7, 0), time(19, 30)), passive=True),
    )
    written = replace(
        inventory(asset, zones=("clinical",), waivers=[Waiver("*", "r", "o", date(2027, 1, 31), role=Role.ARCHIVE)]),
        exposure=(Exposure("clinical", AssetClass(site="main"), ("tcp/104",), expires=date(2027, 12, 31)),),
        notices=("a notice",),
    )
    stored = StoredInventory(written, ("synthetic-01",), {"synthetic-01": (dicom_service(),)})
    assert read_inventory(dumps(stored), "here") == stored


def test_instants_are_utc_to_the_millisecond() -> None:
    assert moment(STARTED) == "2026-11-24T04:20:30.123Z"
    assert moment(STARTED.replace(microsecond=0)) == "2026-11-24T04:20:30.000Z"
    assert moment(STARTED.astimezone(timezone(timedelta(hours=-5)))) == "2026-11-24T04:20:30.123Z"
    with pytest.raises(ValueError, match="zone"):
        moment(STARTED.replace(tzinfo=None))


def test_text_that_is_no_unicode_is_spelled_out() -> None:
    found = replace(inventory(ARCHIVE), files=("inventor\udce9.yaml",))
    assert orjson.loads(dumps(found))["files"] == ["inventor\\udce9.yaml"]
    assert dumps({"a": ["\udce9", date(2027, 1, 31)]}) == b'{"a":["\\\\udce9","2027-01-31"]}'


def test_what_json_cannot_say_is_not_written_otherwise() -> None:
    with pytest.raises(TypeError):
        dumps({"a": b"bytes"})


GOOD = line(observed(ARCHIVE, PortFacts())[0])
BROKEN = [
    pytest.param(b"", id="empty"),
    pytest.param(GOOD[:40], id="cut off"),
    pytest.param(b"SECRET\n", id="no JSON"),
    pytest.param(b"[]\n", id="no object"),
    pytest.param(b'{"id": "SECRET"}\n', id="lacks keys"),
    pytest.param(GOOD.replace(b'"type":"port"', b'"type":"SECRET"'), id="unknown kind"),
    pytest.param(GOOD.replace(b'"type":"port",', b""), id="no kind"),
    pytest.param(GOOD.replace(b'"port":11112', b'"port":"SECRET"'), id="wrong type"),
    pytest.param(GOOD.replace(b'"not-asked"', b'"SECRET"'), id="unknown word"),
    pytest.param(GOOD.replace(b'"2026-', b'"SECRET-'), id="no time"),
    pytest.param(b"\xff\xfe" + GOOD, id="no Unicode"),
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_line_is_told_with_its_place_and_not_quoted(text: bytes) -> None:
    with pytest.raises(BrokenRecord, match=r"^observations\.jsonl:7: .+") as raised:
        read_observation(text, "observations.jsonl:7")
    assert "SECRET" not in str(raised.value)


# -------------------------------------------------------------------------------------------------------- folders


@pytest.mark.parametrize(
    ("vantage", "part"),
    [("clinical", "clinical"), ("west wing/../x", "west-wing-x"), ("", "vantage"), ("..", "vantage"), ("Ü", "vantage")],
)
def test_a_run_id_tells_time_and_vantage_and_is_a_file_name(vantage: str, part: str) -> None:
    eastern = STARTED.astimezone(timezone(timedelta(hours=-5)))
    assert new_run_id(eastern, vantage, "3f9a") == f"20261124T042030Z-{part}-3f9a"


def test_a_run_is_aside_until_it_is_published(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "reports", RUN)
    folder.observation(open_archive(ARCHIVE)[0])
    folder.ledger(b'{"n": 1}\n')
    folder.sync()
    assert [entry.name for entry in (tmp_path / "reports").iterdir()] == [f".{RUN}.partial"]
    assert folder.publish() == tmp_path / "reports" / RUN
    assert sorted(entry.name for entry in (tmp_path / "reports").iterdir()) == [RUN, "latest"]
    assert (tmp_path / "reports" / RUN / LEDGER).read_bytes() == b'{"n": 1}\n'
    assert (tmp_path / "reports" / RUN / OBSERVATIONS).read_bytes() == line(open_archive(ARCHIVE)[0])


def test_a_run_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        run(tmp_path / "reports", RUN, *three_archives())
    finally:
        os.umask(before)
    published = tmp_path / "reports" / RUN
    assert stat.S_IMODE((tmp_path / "reports").stat().st_mode) == 0o700
    assert stat.S_IMODE(published.stat().st_mode) == 0o700
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in published.iterdir()}
    assert set(modes.values()) == {0o600}
    assert set(modes) == {
        "run.json", "findings.json", "findings.jsonl", "inventory.json", OBSERVATIONS, LEDGER, IDENTITIES
    }  # fmt: skip


def test_latest_is_a_relative_link_to_the_last_run(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, "run-1").publish()
    assert (tmp_path / "latest").readlink() == Path("run-1")
    RunFolder.create(tmp_path, "run-2").publish()
    assert (tmp_path / "latest").readlink() == Path("run-2")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["latest", "run-1", "run-2"]


def test_where_latest_cannot_be_a_link_the_run_is_published_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "latest").mkdir()
    RunFolder.create(tmp_path, "run-1").publish()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["latest", "run-1"]
    assert (tmp_path / "latest").is_dir()
    assert "latest does not point to the run run-1" in caplog.text


def test_where_links_cannot_be_made_nothing_wrong_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_more: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    run(tmp_path, "20261123T000000Z-clinical-0000", *three_archives())
    run(tmp_path, RUN, *three_archives())
    assert [entry.name for entry in tmp_path.iterdir() if "latest" in entry.name] == []
    assert find_run(tmp_path, "latest") == tmp_path / RUN


def test_a_run_id_is_taken_once(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, RUN)
    with pytest.raises(UsageError, match="cannot be written there"):
        RunFolder.create(tmp_path, RUN)
    RunFolder.create(tmp_path, "run-1").publish()
    with pytest.raises(UsageError, match="is there already"):
        RunFolder.create(tmp_path, "run-1")


def test_an_output_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "file"))):
        RunFolder.create(tmp_path / "file", RUN)


def test_nothing_is_recorded_after_the_end(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    folder.publish()
    folder.sync()
    with pytest.raises(KeyError):
        folder.ledger(b"{}\n")


def test_syncing_in_a_thread_does_not_disturb_the_writer(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    done = threading.Event()

    def sync() -> None:
        while not done.is_set():
            folder.sync()

    threads = [threading.Thread(target=sync) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(3000):
            folder.ledger(b'{"n": %d}\n' % number)
        published = folder.publish()  # also closing must wait for a sync under way
    finally:
        done.set()
        for thread in threads:
            thread.join()
    lines = (published / LEDGER).read_bytes().splitlines()
    assert [orjson.loads(text)["n"] for text in lines] == list(range(3000))


def test_withdrawing_leaves_what_was_recorded(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    folder.write("run.json", [b"{}"])
    with pytest.raises(OSError, match="exists"):
        folder.write(OBSERVATIONS, [b"{}"])
    folder.withdraw()
    assert sorted(entry.name for entry in folder.path.iterdir()) == [LEDGER, OBSERVATIONS]
    folder.seal()


# -------------------------------------------------------------------------------------------------- kills, full disks

CHILD = """
import os, sys
from pathlib import Path
from checker.rules.examples import archive
from checker.store.folder import RunFolder
from tests.unit.stored_runs import open_archive

folder = RunFolder.create(Path(sys.argv[1]), sys.argv[2])
number = 0
while True:
    number += 1
    folder.ledger(b'{"n": %d, "event": "attempt"}\\n' % number)
    for item in open_archive(archive()):
        folder.observation(item)
    if number == 200:
        print("under way", flush=True)
"""


def test_a_kill_in_the_middle_leaves_whole_lines_and_no_run(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"under way\n"
        child.kill()
    assert child.returncode == -signal.SIGKILL
    assert [entry.name for entry in tmp_path.iterdir()] == [f".{RUN}.partial"]
    partial = tmp_path / f".{RUN}.partial"
    numbers = [orjson.loads(text)["n"] for text in (partial / LEDGER).read_bytes().splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 200
    lines = (partial / OBSERVATIONS).read_bytes().splitlines(keepends=True)
    assert len(lines) >= 3 * 199
    for text in lines[-5:]:
        assert text.endswith(b"\n")
        read_observation(text, "here")
    with pytest.raises(UsageError):
        find_run(tmp_path, "latest")


FULL_DISK = """
import resource, sys
from pathlib import Path
from checker.store.folder import RunFolder
from tests.unit.stored_runs import ENDED, STARTED, three_archives
from checker.model import Totals
from checker.run import Judging, Visits, conclude

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
folder = RunFolder.create(Path(sys.argv[1]), sys.argv[2])
found, observations = three_archives()
try:
    for _ in range(int(sys.argv[4])):
        for item in observations:
            folder.observation(item)
    conclude(folder, found, found.assets, Visits("clinical", STARTED, ENDED, Totals()), Judging())
except OSError as error:
    print(type(error).__name__, error, flush=True)
    sys.exit(7)
"""


@pytest.mark.parametrize(
    ("limit", "times", "left"),
    [
        pytest.param(1000, 10, {OBSERVATIONS, LEDGER}, id="while recording"),
        pytest.param(20_000, 1, {OBSERVATIONS, LEDGER}, id="while sorting findings"),
        pytest.param(100_000, 1, {OBSERVATIONS, LEDGER}, id="while writing findings"),
    ],
)
def test_a_full_disk_is_an_error_and_nothing_is_published(
    tmp_path: Path, limit: int, times: int, left: set[str]
) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), RUN, str(limit), str(times)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert child.returncode == 7, child.stderr
    assert child.stdout.startswith("OSError")
    assert [entry.name for entry in tmp_path.iterdir()] == [f".{RUN}.partial"]
    assert {entry.name for entry in (tmp_path / f".{RUN}.partial").iterdir()} == left


FULL_SCRATCH = """
import resource, sys
from pathlib import Path
from checker.store.scratch import Scratch

resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with Scratch(Path(sys.argv[1]) / "scratch", Path(sys.argv[1]) / "empty") as scratch:
        for number in range(60_000):
            scratch.share(number, [("rule", str(number) * 200)])
except OSError as error:
    print(error, flush=True)
    sys.exit(7)
"""


def test_a_scratch_database_that_the_disk_does_not_take_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    command = [sys.executable, "-c", FULL_SCRATCH, str(tmp_path)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert child.returncode == 7, child.stderr
    assert "the scratch database could not be used" in child.stdout


def test_a_line_that_was_written_in_part_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:-1]))
    with pytest.raises(OSError, match="only a part of a line"):
        folder.ledger(b'{"n": 1}\n')
    monkeypatch.undo()
    folder.seal()


def test_publishing_is_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of publishing the run is either wholly there, or there is none."""
    folder = RunFolder.create(tmp_path, RUN)
    folder.write("run.json", [b"{}"])
    states: list[bool] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        states.append((tmp_path / RUN).exists())
        if states[-1]:
            assert {entry.name for entry in (tmp_path / RUN).iterdir()} == {"run.json", LEDGER, OBSERVATIONS}
            assert not folder.path.exists()

    monkeypatch.setattr(os, "fsync", watched)
    folder.publish()
    assert states == sorted(states)
    assert states[-1] is True
    assert states.count(False) >= 4  # each of three files, and their folder, before the run has its name


# ----------------------------------------------------------------------------------------------------- scratch, piles


@pytest.fixture
def observations(tmp_path: Path) -> Path:
    path = tmp_path / OBSERVATIONS
    fleet = [replace(ARCHIVE, id=f"synthetic-{number}") for number in range(3)]
    visits = [shut_archive(asset) for asset in fleet]
    # As thousands of visits at once would write them: one line of each after the other.
    path.write_bytes(b"".join(line(item) for items in zip(*visits, strict=True) for item in items))
    return path


def test_observations_are_found_by_their_asset_in_the_order_observed(tmp_path: Path, observations: Path) -> None:
    with Scratch(tmp_path / "scratch", observations) as scratch:
        assert scratch.index({"synthetic-0": 0, "synthetic-2": 1}) == 2
        found = scratch.observations(1)
        assert [item.id for item in found] == ["synthetic-2/1", "synthetic-2/end"]
        assert scratch.observations(2) == []


@pytest.mark.parametrize(
    ("damage", "place"),
    [(b"nonsense\n", 7), (b'{"asset_id": 7}\n', 7), (b'{"asset_id": "synthetic-0"', 7)],
)
def test_a_broken_line_stops_the_judging_with_its_place(
    tmp_path: Path, observations: Path, damage: bytes, place: int
) -> None:
    observations.write_bytes(observations.read_bytes() + damage)
    with (
        pytest.raises(BrokenRecord, match=rf"{OBSERVATIONS}:{place}: "),
        Scratch(tmp_path / "scratch", observations) as scratch,
    ):
        scratch.index({"synthetic-0": 0})


def test_a_line_that_is_no_observation_is_told_when_it_is_read(tmp_path: Path, observations: Path) -> None:
    observations.write_bytes(observations.read_bytes() + b'{"asset_id": "synthetic-0"}\n')
    with Scratch(tmp_path / "scratch", observations) as scratch:
        scratch.index({"synthetic-0": 0})
        with pytest.raises(BrokenRecord, match=rf"{OBSERVATIONS}:7: "):
            scratch.observations(0)


def test_of_very_many_sharers_the_first_are_told(tmp_path: Path, observations: Path) -> None:
    with Scratch(tmp_path / "scratch", observations) as scratch:
        for number in reversed(range(MOST_SHARERS + 10)):
            scratch.share(number, [("rule", "key"), ("rule", "key"), ("other", "key")])
        assert scratch.sharers("rule", "key") == tuple(range(MOST_SHARERS))
        assert scratch.sharers("rule", "another key") == ()


def test_a_baseline_that_cannot_be_read_is_forgotten_whole(tmp_path: Path, observations: Path) -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise BrokenRecord("here: it ends")

    with Scratch(tmp_path / "scratch", observations) as scratch:
        scratch.remember_failing(iter(["a", "b", "a"]))
        assert scratch.failing(["a", "c"] * 400) == {"a"}
        with pytest.raises(BrokenRecord):
            scratch.remember_failing(broken())
        assert scratch.failing(["a", "b"]) == frozenset()


def test_findings_are_piled_by_what_matters_most(tmp_path: Path) -> None:
    words = ["critical", "high", "medium", "low", "info"]
    expected = [
        *((Status.FAIL, severity, rule) for severity in words for rule in ("archive.open", "a.b")),
        (Status.UNKNOWN, "info", "archive.open"), (Status.ERROR, "critical", "a.b"),
        (Status.PASS, "critical", "archive.open"), (Status.PASS, "info", "a.b"),
        (Status.NOT_APPLICABLE, "critical", "a.b"),
    ]  # fmt: skip
    found = [
        replace(FINDING, status=status, severity=type(FINDING.severity)(severity), rule=replace(FINDING.rule, id=rule))
        for status, severity, rule in expected
    ]
    assert sorted(map(weight, found)) == list(map(weight, found))
    with Piles(tmp_path) as piles:
        piles.add(reversed(found[:10]))
        piles.add(found[10:])
        lines = list(piles.lines())
        assert lines == [line(finding) for finding in found]
        assert list(piles.lines()) == lines


# --------------------------------------------------------------------------------------------------- finding runs


@pytest.fixture
def output(tmp_path: Path) -> Path:
    for run_id in ("20261124T042030Z-clinical-3f9a", "20261124T042030Z-guest-3f9a", "20261125T042030Z-clinical-0000"):
        RunFolder.create(tmp_path, run_id).publish()
        (tmp_path / run_id / "run.json").write_bytes(b"{}")
    RunFolder.create(tmp_path, "20261126T000000Z-clinical-dead").seal()
    return tmp_path


def test_a_run_is_found_by_id_prefix_path_and_latest(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_run(output, "20261124T042030Z-guest-3f9a") == output / "20261124T042030Z-guest-3f9a"
    assert find_run(output, "20261125") == output / "20261125T042030Z-clinical-0000"
    assert find_run(output, "latest") == output / "20261125T042030Z-clinical-0000"
    path = output / "20261124T042030Z-guest-3f9a"
    assert find_run(Path("elsewhere"), str(path)) == path
    assert find_run(Path("elsewhere"), f"{output}/latest") == output / "latest"
    monkeypatch.chdir(output)
    assert find_run(Path("elsewhere"), path.name) == Path(path.name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("20261124", "20261124: 2 runs in .+ begin so: 20261124T042030Z-clinical-3f9a, 20261124T042030Z-guest-3f9a"),
        ("2027", "2027: none of 3 runs in .+; the last one is 20261125T042030Z-clinical-0000"),
        ("", "none of 3 runs"),
        ("20261126", "none of 3 runs"),  # never published
        ("no/such/run", "no/such/run: no run is there"),
        ("x" * 300, "none of 3 runs"),
        ("a\0b", "none of 3 runs"),
    ],
)
def test_a_name_that_is_no_run_is_told_with_where_it_was_looked_for(output: Path, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        find_run(output, name)


def test_where_nothing_ran_there_is_no_latest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no run in"):
        find_run(tmp_path / "reports", "latest")


def test_a_summary_that_cannot_be_read_is_told(output: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.json: .+Field required"):
        read_run(output / "latest")
    with pytest.raises(UsageError, match=r"run\.json: cannot be read"):
        read_run(output)


def test_the_last_run_of_a_vantage_is_the_last_that_began_before(tmp_path: Path) -> None:
    found, seen = three_archives()
    began = STARTED.replace(microsecond=123_000)  # as it is written
    run(tmp_path, "b", found, seen, later=timedelta(days=1))
    run(tmp_path, "a", found, seen, later=timedelta(days=2))
    run(tmp_path, "c", found, seen, later=timedelta(days=3), vantage="guest")
    assert last_run(tmp_path, "clinical", before=STARTED + timedelta(days=9)) == (tmp_path / "a", ())
    assert last_run(tmp_path, "clinical", before=STARTED + timedelta(days=1, hours=1)) == (tmp_path / "b", ())
    assert last_run(tmp_path, "clinical", before=began + timedelta(days=1)) == (None, ())
    assert last_run(tmp_path / "none", "clinical", before=STARTED) == (None, ())
    (tmp_path / "a" / "run.json").write_bytes(b"{")
    earlier, notices = last_run(tmp_path, "clinical", before=STARTED + timedelta(days=9))
    assert earlier == tmp_path / "b"
    assert len(notices) == 1
    assert "a/run.json" in notices[0]


def test_reading_back_a_published_summary(tmp_path: Path) -> None:
    summary = run(tmp_path, RUN, *three_archives())
    again = read_run(tmp_path / RUN)
    assert again == replace(
        summary,
        started_at=summary.started_at.replace(microsecond=123_000),
        ended_at=summary.ended_at.replace(microsecond=623_000),
    )
