"""The command line where nothing is sent: exit codes, error texts, settings, help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checker import __version__
from checker.codecs.dicom_requests import IMPLEMENTATION_CLASS_UID
from checker.cli.main import NAMES, cli, run
from checker.cli.settings import Settings
from checker.errors import UsageError
from checker.rules import catalogue

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "inventories" / "demo.yaml"
BROKEN = Path(__file__).parent / "inventories" / "broken"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and none of our own variables in the environment."""
    for name in list(os.environ):
        if name.startswith("PACS_CHECKER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_installed_module_runs_and_says_its_version() -> None:
    done = subprocess.run([sys.executable, "-m", "checker", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pacs-checker {__version__}\n"


def test_version_loads_neither_pydantic_nor_the_network() -> None:
    program = (
        "import sys; from checker.cli.main import run; run(['--version']);"
        "print([name for name in ('pydantic', 'httpx', 'ssl', 'uvloop', 'pynetdicom', 'cryptography', 'rich')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Usage: pacs-checker {name}")
    assert len(printed.splitlines()) > 4


def test_no_command_is_a_usage_error_that_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command"),
        (["validate"], "Missing argument"),
        (["check", str(DEMO), "--rate", "fast"], "expected connections a second"),
        (["check", str(DEMO), "--rate", "0/s"], "expected connections a second"),
        (["check", str(DEMO), "--vantage", "a/b"], "a vantage is named by"),
        (["check", str(DEMO), "--fail-on", "awful"], "is not one of"),
        (["check", str(DEMO), "--concurrency", "0"], "is not in the range"),
        (["check", str(DEMO), "--only", "tsl.*"], "no rule has such an id"),
        (["check", str(DEMO), "--only", "tls.*", "--skip", "tls.*"], "leave no rule"),
        (["check", str(DEMO), "--assets", "nobody"], "no asset of the inventory"),
        (["check", str(DEMO), "--ports", "everything"], "known are administration"),
        (["plan", str(DEMO), "--ports", "80,70000"], "from 1 to 65535"),
        (["rules", "dicom.clear-text"], "did you mean dicom.cleartext?"),
        (["--config", "absent.toml", "rules"], "there is no such settings file"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_to_do(
    arguments: list[str], says: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("command", ["validate", "plan", "check"])
def test_every_fault_is_told_and_nothing_is_made(
    command: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = BROKEN / "many-kinds-at-once.yaml"
    assert run([command, str(case)]) == 2
    told = capsys.readouterr().err.splitlines()
    expected = case.with_name(f"{case.name}.expected").read_text("utf-8").splitlines()
    assert len(told) == len(expected) + 1
    assert all(line.startswith(f"{case}:") for line in told[:-1])
    assert told[-1] == f"{len(expected)} faults in the inventory; nothing was sent."
    assert list(elsewhere.iterdir()) == []


def test_a_valid_inventory_is_said_to_be_so(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(DEMO)]) == 0
    printed = capsys.readouterr()
    assert "14 assets, 18 declared services" in printed.out
    assert printed.err == ""


def test_plan_prints_each_asset_and_the_cost(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(DEMO), "--assets", "arc-*"]) == 0
    printed = capsys.readouterr().out
    assert "arc-ignores-keys" in printed
    assert "viewer-open" not in printed
    assert "Nothing was sent." in printed
    assert "Expect the calling AE title SECAUDIT" in printed
    assert IMPLEMENTATION_CLASS_UID in printed
    assert max(len(line) for line in printed.splitlines()) <= 100


def test_plan_as_json_adds_up(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(DEMO), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert len(made["assets"]) == 14
    for asset in made["assets"]:
        assert asset["connections"] == sum(step["connections"] for step in asset["steps"])
    assert made["connections"] == sum(asset["connections"] for asset in made["assets"])
    assert made["calling_ae_title"] == "SECAUDIT"
    assert made["implementation_class_uid"] == IMPLEMENTATION_CLASS_UID


def test_rules_lists_the_whole_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == 0
    printed = capsys.readouterr().out
    for entry in catalogue():
        assert f"{entry.id} " in printed


def test_one_rule_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "archive.open"]) == 0
    assert capsys.readouterr().out.startswith("# archive.open\n")


# ------------------------------------------------------------------------------------------------------- settings


def planned_ports(capsys: pytest.CaptureFixture[str], *arguments: str) -> set[int]:
    assert run(["plan", str(DEMO), "--assets", "gw-off", "--json", *arguments]) == 0
    (asset,) = json.loads(capsys.readouterr().out)["assets"]
    return {step["port"] for step in asset["steps"] if step["kind"] == "port"}


def test_flag_is_stronger_than_environment_and_that_than_the_file(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned_ports(capsys) == {23, 104, 1521, 3389, 5900}
    (elsewhere / "pacs-checker.toml").write_text('ports = "81"\n')
    assert planned_ports(capsys) == {81}
    monkeypatch.setenv("PACS_CHECKER_PORTS", "82")
    assert planned_ports(capsys) == {82}
    assert planned_ports(capsys, "--ports", "83") == {83}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fail-onn = 'high'\n", "fail-onn: no option is called so"),
        ("ports = \n", "not valid TOML"),
        ("[check]\nports = '80'\n", "check: no option is called so"),
        ("only = [1]\n", "only: expected a text"),
        ("ports = 1979-05-27\n", "ports: expected a text"),
    ],
)
def test_a_wrong_settings_file_is_a_usage_error(
    text: str, says: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "pacs-checker.toml").write_text(text)
    assert run(["rules"]) == 2
    assert f"pacs-checker.toml: {says}" in capsys.readouterr().err


def test_every_setting_is_an_option_of_some_command() -> None:
    import click

    from checker.cli.settings import NAMES as SETTINGS

    context = click.Context(cli)
    parameters = set()
    for name in NAMES:
        command = cli.get_command(context, name)
        assert command is not None
        parameters |= {parameter.name for parameter in command.params if isinstance(parameter, click.Option)}
    assert parameters >= SETTINGS
    assert parameters - SETTINGS <= {"help", "date", "inventory"}


def test_a_settings_file_that_is_no_text_is_told(elsewhere: Path) -> None:
    (elsewhere / "pacs-checker.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        Settings.read(None)


def test_every_option_names_its_environment_variable() -> None:
    import click

    context = click.Context(cli)
    for name in NAMES:
        command = cli.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                flag = max(parameter.opts, key=len)
                assert parameter.envvar == "PACS_CHECKER_" + flag.strip("-").replace("-", "_").upper(), (name, flag)
