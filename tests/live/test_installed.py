"""The product as users get it: a wheel, installed where no source is, run from an empty folder as cron runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.live.servers.process import ROOT

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed to."""
    folder = tmp_path_factory.mktemp("installed")
    python = [sys.executable, "-m"]
    build = [*python, "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True, timeout=60)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    install = [*python, "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(install, capture_output=True, check=True, timeout=60)
    return target


def pacs_checker(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The console script, with nothing in its environment but where the package is."""
    return subprocess.run(
        [installed / "bin" / "pacs-checker", *arguments],
        cwd=cwd, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_every_file_of_the_package_is_in_the_wheel(installed: Path) -> None:
    def files(package: Path) -> set[Path]:
        found = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
        return {path for path in found if "__pycache__" not in path.parts}

    assert files(installed / "checker") == files(ROOT / "checker")
    assert Path("catalog/schemas/finding.schema.json") in files(installed / "checker")


def test_the_demo_runs_from_an_empty_folder_and_its_files_are_as_the_installed_schemas_say(
    installed: Path, tmp_path: Path
) -> None:
    done = pacs_checker(installed, "demo", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    run = tmp_path / "reports" / "latest"
    summary = json.loads((run / "run.json").read_bytes())
    assert summary["inventory"]["files"] == [str(installed / "checker" / "demo" / "demo.yaml")]
    schemas = installed / "checker" / "catalog" / "schemas"
    jsonschema.validate(summary, json.loads((schemas / "run.schema.json").read_bytes()))
    finding = jsonschema.Draft202012Validator(json.loads((schemas / "finding.schema.json").read_bytes()))
    findings = [json.loads(line) for line in (run / "findings.jsonl").read_bytes().splitlines()]
    assert len(findings) == sum(summary["findings"]["by_status"].values()) > 300
    for found in findings:
        finding.validate(found)


def test_an_installed_run_can_be_judged_again(installed: Path, tmp_path: Path) -> None:
    assert pacs_checker(installed, "demo", "--quiet", cwd=tmp_path).returncode == 3
    done = pacs_checker(installed, "judge", "latest", "--json", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    again = json.loads(done.stdout)
    first = json.loads((tmp_path / "reports" / again["judged_from"] / "run.json").read_bytes())
    assert (again["findings"], again["coverage"]) == (first["findings"], first["coverage"])
