"""Whatever a file is or holds, an unusable inventory ends in faults: soon, in bounded memory, with no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.inventory import InventoryError, load
from checker.inventory.faults import MOST_FAULTS

TODAY = date(2026, 11, 24)
FORMS = ("yaml", "yml", "json", "csv", "jsonl", "ndjson")
HEAD = """\
version: 1
authorization: {owner: Imaging Security, reference: CHG-1, expires: 2027-06-30}
owned_networks: [10.20.0.0/16]
"""
COLUMNS = "asset_id,address,role,service\n"
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a `base.yaml` that lacks nothing but assets."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(HEAD, "utf-8")
    return tmp_path


def faults_of(*names: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        load([Path(name) for name in names], today=TODAY)
    return [str(fault) for fault in caught.value.faults]


def faults_about(name: str) -> list[str]:
    """The faults of a file that is loaded with `base.yaml`, so that nothing else is missing."""
    return faults_of("base.yaml", name)


# ------------------------------------------------------------------------------------- no file, or no such one


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_file(folder: Path, form: str) -> None:
    assert faults_about(f"a.{form}") == [f"a.{form}: expected a file; there is none of this name"]


@pytest.mark.parametrize("name", ["folder", "folder.yaml", "folder.csv"])
def test_a_directory(folder: Path, name: str) -> None:
    Path(name).mkdir()

    assert faults_about(name) == [f"{name}: expected a file, not a directory"]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.yaml.bak", ".yaml", "a.xlsx"])
def test_a_name_that_tells_no_form(folder: Path, name: str) -> None:
    Path(name).write_text(HEAD, "utf-8")

    assert faults_about(name) == [
        f"{name}: expected a file whose name ends in .yaml, .yml, .json, .csv, .jsonl, .ndjson"
    ]


@contextmanager
def another_user() -> Iterator[None]:
    """The rights of nobody, where the tests run as root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_may_not_be_read(folder: Path, form: str) -> None:
    path = Path(f"a.{form}")
    path.write_text("x", "utf-8")
    path.chmod(0)

    with another_user(), pytest.raises(InventoryError, match=rf"a\.{form}: expected a file that may be read"):
        load([path], today=TODAY)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("form", FORMS)
def test_a_pipe_is_refused_and_never_waited_for(folder: Path, form: str) -> None:
    os.mkfifo(f"a.{form}")

    assert faults_about(f"a.{form}") == [f"a.{form}: expected an ordinary file, not a device or a pipe"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_a_device_is_refused_and_never_read(folder: Path, form: str, device: str) -> None:
    Path(f"a.{form}").symlink_to(device)

    assert faults_about(f"a.{form}") == [f"a.{form}: expected an ordinary file, not a device or a pipe"]


def test_paths_that_no_system_call_takes(folder: Path) -> None:
    long, loop = f"{'a' * 300}.yaml", "loop.yaml"
    Path(loop).symlink_to(loop)

    assert faults_about(long) == [f"{long}: expected a file that can be opened (file name too long)"]
    assert faults_about(loop) == [f"{loop}: expected a file that can be opened (too many levels of symbolic links)"]
    assert faults_about("nul\0.yaml") == ["nul\0.yaml: expected a file name without a NUL character"]


def test_a_file_of_assets_from_that_is_missing_is_a_fault_of_the_line_that_names_it(folder: Path) -> None:
    Path("a.yaml").write_text(HEAD + "assets_from:\n  - gone.csv\n  - base.yaml\n", "utf-8")

    assert faults_of("a.yaml") == [
        "a.yaml:5: assets_from[0]: gone.csv: expected a file; there is none of this name",
        "a.yaml:6: assets_from[1]: base.yaml: expected a file whose name ends in .csv, .jsonl, .ndjson",
    ]


def test_no_file_at_all() -> None:
    assert faults_of() == [": expected at least one inventory file"]


# ------------------------------------------------------------------------------------ bytes that are no inventory


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_file(folder: Path, form: str) -> None:
    Path(f"a.{form}").touch()

    assert faults_about(f"a.{form}") == [f"a.{form}: expected an inventory; the file is empty"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(64), ":1: expected UTF-8; byte 0 (0x89) is none"),
        (b"\x7fELF" + bytes(60), ":1: expected"),
        (b"PK\x03\x04" + bytes(64), ": expected a text file, not a spreadsheet or an archive; export it as CSV"),
        (bytes(64), ":1: expected a text file; a NUL byte says that this is a binary one"),
        ("\ufeffversion: 1\n".encode("utf-16-le"), ":1: expected UTF-8; this file looks like UTF-16"),
        ("\ufeffversion: 1\n".encode("utf-16-be"), ":1: expected UTF-8; this file looks like UTF-16"),
        ("version: 1\n".encode("utf-16-le"), ":1: expected a text file; a NUL byte says that this is a binary one"),
        ("name: Zürich\n".encode("latin-1"), ":1: expected UTF-8; byte 7 (0xfc) is none"),
    ],
    ids=["png", "elf", "zip", "nul", "utf-16-le", "utf-16-be", "utf-16 unmarked", "latin-1"],
)
def test_a_binary_file(folder: Path, form: str, content: bytes, fault: str) -> None:
    Path(f"a.{form}").write_bytes(content)

    assert [line[: len(fault) + len(f"a.{form}")] for line in faults_about(f"a.{form}")] == [f"a.{form}{fault}"]


def test_a_terminal_sequence_in_a_value_is_not_played_to_the_terminal(folder: Path) -> None:
    Path("a.json").write_text('{"version": 1, "organi\\u001b[2Jzation": "\\u202e\\ud800\\n"}', "utf-8")

    faults = faults_about("a.json")

    assert faults[0] == (
        "a.json:1: organi\\x1b[2Jzation: \\u202e\\ud800\\n: expected no such key; did you mean organization?"
    )
    assert all(line.isprintable() for line in faults)


# ------------------------------------------------------------------------------------------------ bombs in YAML


def test_aliases_that_multiply_are_stopped(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 30)]
    Path("a.yaml").write_text("\n".join(lines), "utf-8")

    (fault,) = faults_about("a.yaml")
    assert "expected at most 1000000 values" in fault


def test_a_long_text_cannot_be_multiplied_by_aliases(folder: Path) -> None:
    text = f"organization: &long {'x.' * 50_000}\nwaivers:\n" + "  - {rule: *long}\n" * 10
    Path("a.yaml").write_text(text, "utf-8")

    assert faults_about("a.yaml") == ["a.yaml:1: expected values of at most 65536 characters"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "- - a: "])
def test_deep_nesting_in_yaml(folder: Path, opening: str) -> None:
    Path("a.yaml").write_text(opening * 100_000, "utf-8")

    (fault,) = faults_about("a.yaml")
    assert fault.startswith("a.yaml:1: expected")


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("depth", [40, 400, 4_000, 90_000])
def test_deep_nesting_in_json(folder: Path, opening: str, depth: int) -> None:
    closing = "".join({"[": "]", "{": "}"}.get(sign, "") for sign in reversed(opening))
    text = opening * depth + "1" + closing * depth
    Path("a.json").write_text(text, "utf-8")
    Path("a.jsonl").write_text(text, "utf-8")

    assert [fault.split(": ", 1)[1] for fault in faults_of("base.yaml", "a.json", "a.jsonl")] == [
        "expected at most 32 levels of nesting"
    ] * 2


def test_aliases_that_nest_deeply_are_read_without_recursion(folder: Path) -> None:
    lines = ["a0: &a0 [x]", *(f"a{at}: &a{at} [*a{at - 1}]" for at in range(1, 900))]
    Path("a.yaml").write_text("\n".join(lines), "utf-8")

    assert "a.yaml:900: a899: a list of 1: expected no such key" in faults_about("a.yaml")


# ----------------------------------------------------------------------------------------- huge and repeated


@pytest.mark.parametrize("number", ["9" * 16, "-" + "9" * 5_000, "9" * 60_000, "1e400", "-1e-400", "9" * 5_000 + ".5"])
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_numbers_that_no_field_takes(folder: Path, form: str, number: str) -> None:
    Path(f"a.{form}").write_text(f'{{"version": {number}, "assets": []}}', "utf-8")

    (fault,) = [fault for fault in faults_about(f"a.{form}") if "version" in fault]
    assert fault.startswith(f"a.{form}:1: version: ")
    assert fault.endswith(": expected 1, the version of the format")
    assert len(fault) < 200


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_each_key_that_stands_twice_is_a_fault(folder: Path, form: str) -> None:
    text = (
        '{"version": 1,\n"assets": [{"id": "a",\n"address": "10.20.1.5",\n"id": "a", "role": "viewer"}],\n"version": 1}'
    )
    Path(f"a.{form}").write_text(text, "utf-8")

    faults = faults_about(f"a.{form}")

    assert [fault.split(": ")[0:2] for fault in faults] == [[f"a.{form}:4", "assets[0].id"], [f"a.{form}:5", "version"]]
    assert all(fault.endswith("expected each key once") for fault in faults)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "version: 1\nassets:\n" + "  - {id: 1}\n" * 5_000),
        ("a.json", json.dumps({"version": 1, "assets": [{"id": 1}] * 5_000})),
        ("a.jsonl", '{"id": 1}\n' * 5_000),
        ("a.csv", COLUMNS + "".join(f"a{at},10.20.1.5,reader,dicom\n" for at in range(5_000))),
        ("b.csv", COLUMNS + "a,b\n" * 5_000),
    ],
)
def test_the_list_of_faults_ends_with_a_word_about_the_rest(folder: Path, name: str, content: str) -> None:
    Path(name).write_text(content, "utf-8")

    faults = faults_about(name)

    assert len(faults) == MOST_FAULTS + 1
    assert faults[-1].endswith(f"the first {MOST_FAULTS} faults are listed, and more were left out")
    assert not any("left out" in fault for fault in faults[:-1])


def test_exactly_as_many_faults_as_are_listed_leave_no_rest(folder: Path) -> None:
    Path("a.jsonl").write_text('{"id": "a", "role": "viewer", "hostname": 1}\n' * MOST_FAULTS, "utf-8")

    faults = faults_about("a.jsonl")

    # One fault a line, and an id that stands twice a line but the first: more than are listed.
    assert len(faults) == MOST_FAULTS + 1
    Path("a.jsonl").write_text('{"role": "viewer", "hostname": "a"}\n' * MOST_FAULTS, "utf-8")
    assert len(faults_about("a.jsonl")) == MOST_FAULTS


def test_too_many_services_of_one_asset_are_one_fault_on_the_row_where_they_are_too_many(folder: Path) -> None:
    rows = "".join(f"a,10.20.1.5,viewer,dicom,{port}\n" for port in range(1, 3_001))
    Path("a.csv").write_text("asset_id,address,role,service,port\n" + rows, "utf-8")

    assert faults_about("a.csv") == ["a.csv:1002: service: dicom: expected at most 1000 services of an asset"]


def test_too_many_columns_are_one_fault(folder: Path) -> None:
    Path("a.csv").write_text("asset_id,address,role,service," + ",".join(map(str, range(50_000))) + "\n", "utf-8")

    assert faults_about("a.csv") == ["a.csv:1: 50004 columns: expected at most 1000 columns"]


@pytest.mark.parametrize(("key", "most"), [("zones", 2_000), ("exposure", 10_000)])
def test_lists_that_are_checked_against_each_other_are_bounded(folder: Path, key: str, most: int) -> None:
    Path("a.yaml").write_text(f"version: 1\n{key}:\n" + "  - {}\n" * (most + 1), "utf-8")

    assert f"a.yaml:2: {key}: a list of {most + 1}: expected at most {most} entries" in faults_about("a.yaml")


# --------------------------------------------------------------------------------------- 50 MB of nonsense

_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from datetime import date
from pathlib import Path
from checker.inventory import InventoryError, load
try:
    load([Path(name) for name in sys.argv[1:]], today=date(2026, 11, 24))
except InventoryError as error:
    sys.stdout.write("\\n".join(str(fault) for fault in error.faults))
"""
_MB = 1_000_000


def _filled(piece: str, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size].encode("ascii")


def _numbered(piece: str, rows: int) -> bytes:
    return b"".join(piece.format(at).encode("ascii") for at in range(rows))


NONSENSE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "yaml too large": ("a.yaml", lambda: _filled("- x\n", 50 * _MB), "a.yaml: expected a file of at most 32 MiB"),
    "json too large": ("a.json", lambda: _filled("[1,", 50 * _MB), "a.json: expected a file of at most 32 MiB"),
    "yaml of list entries": ("a.yaml", lambda: _filled("- x\n", 33 * _MB), "a.yaml:1000001: expected at most 1000000"),
    "yaml of assets": (
        "a.yaml",
        lambda: b"version: 1\nassets:\n" + _filled("- {a: 1, b: 2}\n", 33 * _MB),
        "a.yaml:333336: expected at most 1000000 values",
    ),
    "yaml of zones": (
        "a.yaml",
        lambda: b"version: 1\nzones:\n" + _numbered("- {{name: z{}}}\n", 300_000),
        "expected at most 2000 entries",
    ),
    "yaml of one text": ("a.yaml", lambda: b"version: " + _filled("x", 33 * _MB), "expected values of at most 65536"),
    "yaml of open brackets": ("a.yaml", lambda: _filled("[", 33 * _MB), "a.yaml:1: expected"),
    "yaml of lines": ("a.yaml", lambda: _filled("\n", 33 * _MB), "a.yaml:1: null: expected a mapping"),
    "json of brackets": ("a.json", lambda: _filled("[", 33 * _MB), "a.json: expected at most 1000000 values"),
    "json of digits": ("a.json", lambda: b'{"version": ' + _filled("7", 33 * _MB) + b"}", "a.json:1: version: 7777"),
    "json of letters": ("a.json", lambda: _filled("lorem, ipsum ", 33 * _MB), "a.json:1: expected JSON"),
    "csv of one line": ("a.csv", lambda: _filled("x,", 50 * _MB), "a.csv:1: expected lines of at most 1 MiB"),
    "csv of letters": (
        "a.csv",
        lambda: _filled("lorem,ipsum\n", 50 * _MB),
        "a.csv:1: lorem,ipsum: expected the columns",
    ),
    "csv of lines": ("a.csv", lambda: COLUMNS.encode() + _filled("\n", 50 * _MB), "expected at most 2000000 rows"),
    "csv of rows": (
        "a.csv",
        lambda: COLUMNS.encode() + _numbered("a{},x,y,z\n", 4_000_000),
        "the first 1000 faults are listed",
    ),
    "csv in quotes": ("a.csv", lambda: COLUMNS.encode() + _filled('"x\n', 50 * _MB), "a.csv:2: expected CSV"),
    "jsonl of letters": ("a.jsonl", lambda: _filled("lorem\n", 50 * _MB), "the first 1000 faults are listed"),
    "jsonl of lines": ("a.jsonl", lambda: _filled("\n", 50 * _MB), "a.jsonl:2000001: expected at most 2000000 lines"),
    "jsonl of objects": ("a.jsonl", lambda: _filled("{}\n", 50 * _MB), "a.jsonl:1: id: expected this key"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_in_bulk_ends_soon_and_within_a_gibibyte(folder: Path, kind: str) -> None:
    name, content, fault = NONSENSE[kind]
    Path(name).write_bytes(content())

    try:
        ended = subprocess.run(
            [sys.executable, "-c", _CHILD, "base.yaml", name], capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        Path(name).unlink()

    assert (ended.returncode, ended.stderr) == (0, "")
    assert fault in ended.stdout
    assert len(ended.stdout) < 500_000


# --------------------------------------------------------------------------------------------- anything else

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["10.20.1.5", "10.20.0.0/16", "::/0", "dicom", "web", "https://a.b/", "tcp/443", "2027-01-01", "2s"]
    ),
)
_KEYS = st.one_of(
    st.sampled_from(["id", "address", "hostname", "role", "manners", "services", "kind", "port", "url", "from", "to"]),
    st.sampled_from(
        ["version", "authorization", "owned_networks", "zones", "exposure", "assets", "waivers", "defaults"]
    ),
    st.text(max_size=4),
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)
_FIXTURE = [HealthCheck.function_scoped_fixture]


@settings(max_examples=150, deadline=None, suppress_health_check=_FIXTURE)
@given(st.dictionaries(_KEYS, _VALUES, max_size=8))
def test_any_document_gives_faults_and_nothing_else(folder: Path, document: dict[str, object]) -> None:
    Path("a.json").write_text(json.dumps(document), "utf-8")
    Path("a.yaml").write_text(yaml.safe_dump(document), "utf-8")
    Path("a.jsonl").write_text("\n".join(json.dumps(value) for value in document.values()), "utf-8")

    for name in ("a.json", "a.yaml", "a.jsonl"):
        faults = faults_of(name)
        assert faults
        assert all(fault.isprintable() and "expected" in fault for fault in faults)


@settings(max_examples=150, deadline=None, suppress_health_check=_FIXTURE)
@given(st.binary(min_size=1, max_size=200) | st.text("ab,;\"'\n\r\t:-&*[]{}#|>?!%1. é", min_size=1).map(str.encode))
def test_any_bytes_give_faults_and_nothing_else(folder: Path, content: bytes) -> None:
    for form in FORMS:
        Path(f"a.{form}").write_bytes(content)
        faults = faults_about(f"a.{form}")
        assert faults
        assert all(fault.isprintable() and "expected" in fault for fault in faults)
