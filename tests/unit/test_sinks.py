"""Output files: each a format of its own, streamed, and each as its JSON Schema says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker

import checker.sinks
from checker.errors import UsageError
from checker.model import JsonValue, Waiver
from checker.run import Judging
from checker.sinks import chosen_sinks, findings_json, findings_jsonl, run_json, sinks
from checker.store.export_schemas import FOLDER, exported, schemas
from checker.store.runs import read_run
from tests.unit.stored_runs import findings, run, three_archives

RUN = "20261124T042030Z-clinical-3f9a"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published run with waivers and a baseline, so that nothing of a finding is null everywhere."""
    output = tmp_path_factory.mktemp("reports")
    found, observations = three_archives()
    waivers = (Waiver("dicom.*", "accepted", "imaging-it", date(2027, 1, 31), role=found.assets[0].role),)
    found = replace(found, waivers=waivers)
    run(output, "before", found, observations[:2], later=timedelta(days=-1))
    run(output, RUN, found, observations)
    return output / RUN


def faults(schema: str, document: JsonValue) -> list[str]:
    validator = Draft202012Validator(schemas()[schema], format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


# ------------------------------------------------------------------------------------------------------- the folder


def test_sinks_are_found_by_their_files() -> None:
    assert set(sinks()) == {"run-json", "findings-json", "findings-jsonl"}
    files = {path.stem for path in Path(checker.sinks.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert {name.replace("-", "_") for name in sinks()} == files
    assert len({sink.file for sink in sinks().values()}) == len(sinks())
    assert all(sink.title and not sink.title.endswith(".") for sink in sinks().values())


def test_a_new_format_is_one_new_file(tmp_path: Path) -> None:
    """In a copy of the package, for the folder is walked when the product starts."""
    shutil.copytree(Path(checker.sinks.__file__).parents[1], tmp_path / "checker")
    (tmp_path / "checker" / "sinks" / "only_ids.py").write_text(
        "from checker.sinks.base import Sink\n"
        "import orjson\n"
        "def write(run, findings):\n"
        "    yield from (orjson.loads(line)['finding_id'].encode() + b'\\n' for line in findings)\n"
        "SINK = Sink(title='Only ids', file='ids.txt', write=write)\n"
    )
    shutil.copytree(Path(__file__).parent, tmp_path / "tests" / "unit", ignore=shutil.ignore_patterns("test_*", "inv*"))
    code = (
        "from pathlib import Path\n"
        "from checker.run import Judging\n"
        "from tests.unit.stored_runs import run, three_archives\n"
        "run(Path('out'), 'plain', *three_archives())\n"
        "run(Path('out'), 'with-ids', *three_archives(), judging=Judging(formats=('only-ids',)))\n"
    )
    child = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert child.returncode == 0, child.stderr
    assert not (tmp_path / "out" / "plain" / "ids.txt").exists()
    ids = (tmp_path / "out" / "with-ids" / "ids.txt").read_text().split()
    assert ids == [item["finding_id"] for item in findings(tmp_path / "out", "with-ids")]


def test_the_usual_formats_are_chosen_and_those_named() -> None:
    usual = {name for name, sink in sinks().items() if sink.usual}
    assert usual == {"run-json", "findings-json", "findings-jsonl"}
    assert set(chosen_sinks()) == usual
    assert set(chosen_sinks(["run-json"])) == usual
    with pytest.raises(UsageError, match=r"--format docx: .+ known are findings-json, findings-jsonl, run-json"):
        chosen_sinks(["docx"])


# -------------------------------------------------------------------------------------------------------- the files


def test_the_document_holds_the_summary_and_the_lines(published: Path) -> None:
    document = orjson.loads((published / "findings.json").read_bytes())
    assert set(document) == {"run", "findings"}
    assert document["run"] == orjson.loads((published / "run.json").read_bytes())
    assert document["findings"] == findings(published.parent, RUN)


def test_the_summary_has_the_keys_of_the_interface_in_their_order(published: Path) -> None:
    summary = orjson.loads((published / "run.json").read_bytes())
    promised = [
        "run_id", "schema_version", "tool_version", "inventory", "vantage", "started_at", "ended_at", "duration_s",
        "assets", "connections", "bytes_sent", "bytes_received", "findings", "open_archives", "coverage", "drift",
        "exit_code", "reasons",
    ]  # fmt: skip
    assert list(summary)[: len(promised)] == promised
    assert set(summary["inventory"]) == {"files", "sha256"}
    assert list(summary["assets"]) == [
        "listed",
        "visited",
        "answered",
        "unreachable",
        "refused_by_scope",
        "not_visited",
    ]
    assert set(summary["findings"]) >= {"by_status", "by_severity"}
    assert set(summary["findings"]["by_status"]) == {"pass", "fail", "unknown", "not_applicable", "error"}
    assert set(summary["findings"]["by_severity"]) == {"info", "low", "medium", "high", "critical"}
    assert list(summary["drift"]) == ["new", "resolved", "reopened", "persisting"]
    assert summary["started_at"] == "2026-11-24T04:20:30.123Z"
    assert summary["ended_at"] == "2026-11-24T04:20:42.623Z"


def test_a_finding_has_the_keys_of_the_interface_in_their_order(published: Path) -> None:
    promised = [
        "finding_id", "run_id", "observed_at", "rule", "status", "severity", "asset", "service", "vantage", "summary",
        "evidence", "observations", "remedy", "controls", "waiver", "drift",
    ]  # fmt: skip
    stored = findings(published.parent, RUN)
    assert {tuple(item) for item in stored} == {tuple(promised)}
    failing = next(item for item in stored if item["waiver"] is not None and item["service"] is not None)
    assert _keys(failing, "rule") == ["id", "version", "title"]
    assert _keys(failing, "asset") == ["id", "name", "role", "site", "zone", "owner"]
    assert _keys(failing, "service") == ["kind", "address", "port", "transport", "ae_title", "url"]
    assert _keys(failing, "waiver") == ["rule", "reason", "owner", "expires", "asset", "site", "role"]
    controls = failing["controls"]
    assert isinstance(controls, list)
    assert {tuple(control) for control in controls if isinstance(control, dict)} == {("framework", "id")}


def _keys(item: dict[str, JsonValue], key: str) -> list[str]:
    found = item[key]
    assert isinstance(found, dict)
    return list(found)


def test_writers_stream(published: Path) -> None:
    """A chunk comes out for each finding that goes in, before the next one is asked for."""
    summary = read_run(published)
    given = 0

    def lines() -> Iterator[bytes]:
        nonlocal given
        for number in range(3):
            given += 1
            yield b'{"n": %d}\n' % number

    for sink in (findings_json.SINK, findings_jsonl.SINK):
        given = 0
        chunks = sink.write(summary, lines())
        before = [next(chunks), next(chunks)] if sink is findings_json.SINK else [next(chunks)]
        assert given == 1
        assert len([*before, *chunks]) == 3 + 2 * (sink is findings_json.SINK)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_document_is_json_with_any_number_of_findings(published: Path, count: int) -> None:
    lines = [b'{"n":%d}\n' % number for number in range(count)]
    text = b"".join(findings_json.SINK.write(read_run(published), lines))
    assert orjson.loads(text)["findings"] == [{"n": number} for number in range(count)]
    assert b"".join(findings_jsonl.SINK.write(read_run(published), lines)) == b"".join(lines)
    assert orjson.loads(b"".join(run_json.SINK.write(read_run(published), lines)))["run_id"] == RUN


# -------------------------------------------------------------------------------------------------------- the schemas


def test_the_schemas_that_ship_are_those_of_the_code() -> None:
    for path, text in exported().items():
        assert path.read_bytes() == text, f"run `python -m checker.store.export_schemas`: {path.name} is out of date"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.schema.json")), ids=lambda path: path.name)
def test_a_schema_is_one(path: Path) -> None:
    schema = orjson.loads(path.read_bytes())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_written_file_is_as_its_schema_says(published: Path) -> None:
    stored = findings(published.parent, RUN)
    assert len(stored) > 100
    assert {str(item["status"]) for item in stored} >= {"pass", "fail", "unknown", "not_applicable"}
    for item in stored:
        assert faults("finding.schema.json", item) == []
    document = orjson.loads((published / "findings.json").read_bytes())
    assert faults("run.schema.json", document["run"]) == []
    assert faults("run.schema.json", orjson.loads((published / "run.json").read_bytes())) == []


DAMAGE = [
    pytest.param("finding.schema.json", {"status": "passed"}, id="status"),
    pytest.param("finding.schema.json", {"observed_at": "2026-11-24T04:20:30Z"}, id="no milliseconds"),
    pytest.param("finding.schema.json", {"observed_at": "2026-11-24T04:20:30.123+00:00"}, id="no Z"),
    pytest.param("finding.schema.json", {"finding_id": "F"}, id="id"),
    pytest.param("finding.schema.json", {"drift": "gone"}, id="drift"),
    pytest.param("run.schema.json", {"coverage": 1.5}, id="coverage"),
    pytest.param("run.schema.json", {"exit_code": 2}, id="exit code"),
    pytest.param("run.schema.json", {"assets": {}}, id="counts"),
]


@pytest.mark.parametrize(("schema", "damage"), DAMAGE)
def test_a_schema_refuses_what_is_never_written(published: Path, schema: str, damage: dict[str, JsonValue]) -> None:
    whole = (
        findings(published.parent, RUN)[0]
        if "finding" in schema
        else orjson.loads((published / "run.json").read_bytes())
    )
    assert faults(schema, whole) == []
    assert len(faults(schema, {**whole, **damage})) >= 1
    for key in whole:
        lacking = {name: value for name, value in whole.items() if name != key}
        assert len(faults(schema, lacking)) == 1, key


def test_formats_can_be_asked_for_that_are_usual_anyway(tmp_path: Path) -> None:
    summary = run(tmp_path, RUN, *three_archives(), judging=Judging(formats=("findings-json",)))
    assert summary.run_id == RUN
    assert (tmp_path / RUN / "findings.json").is_file()
