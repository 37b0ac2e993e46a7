"""The command line where nothing is sent: exit codes, error texts, settings, help."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from checker import __version__
from checker.cli.main import NAMES, cli, run
from checker.cli.settings import Settings
from checker.codecs.dicom_requests import IMPLEMENTATION_CLASS_UID
from checker.errors import UsageError
from checker.plan import TLS_CONNECTIONS, TLS_FULL_CONNECTIONS
from checker.rules import catalogue
from checker.store.folder import RunFolder

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
        (["check", str(DEMO), "--depth", "deep"], "is not one of 'policy', 'full'"),
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


def test_the_depth_of_tls_is_an_option_like_all_others(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def planned(*arguments: str) -> set[int]:
        assert run(["plan", str(DEMO), "--json", *arguments]) == 0
        made = json.loads(capsys.readouterr().out)
        assert made["connections"] == sum(asset["connections"] for asset in made["assets"])
        steps = [step for asset in made["assets"] for step in asset["steps"]]
        return {step["connections"] for step in steps if step["kind"] == "tls"}

    policy, full = {TLS_CONNECTIONS}, {TLS_FULL_CONNECTIONS}
    assert planned() == policy
    (elsewhere / "pacs-checker.toml").write_text('depth = "full"\n')
    assert planned() == full
    monkeypatch.setenv("PACS_CHECKER_DEPTH", "policy")
    assert planned() == policy
    assert planned("--depth", "full") == full
    monkeypatch.delenv("PACS_CHECKER_DEPTH")
    (elsewhere / "pacs-checker.toml").unlink()
    deep = elsewhere / "deep.yaml"
    deep.write_text("version: 1\ndefaults: {tls_depth: full}\n")
    assert planned(str(deep)) == full
    assert planned(str(deep), "--depth", "policy") == policy


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


def test_a_single_text_stands_for_a_list_of_one(elsewhere: Path) -> None:
    (elsewhere / "pacs-checker.toml").write_text("only = 'dicom.*'\nassets = ['a', 'b']\nports = 'none'\n")
    assert Settings.read(None).values == {"only": ["dicom.*"], "assets": ["a", "b"], "ports": "none"}


def test_the_demo_heeds_no_settings_that_are_for_real_devices(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "pacs-checker.toml").write_text("vantage = 'internet'\n")
    monkeypatch.setenv("PACS_CHECKER_ASSETS", "nobody")

    def plan_it(_output: Path, _quiet: bool, command: Callable[[Sequence[str]], int]) -> int:
        return command(["plan", str(DEMO), "--json"])

    monkeypatch.setattr("checker.demo.main", plan_it)
    assert run(["demo"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["vantage"], len(made["assets"])) == ("local", 14)
    assert os.environ["PACS_CHECKER_ASSETS"] == "nobody"


# -------------------------------------------------------------------------------------------------------- notices


@pytest.fixture
def passive(elsewhere: Path) -> Path:
    """An inventory of one device that is never contacted, with something to notice in it and letters of the world."""
    (elsewhere / "assets.csv").write_text(
        "asset_id,role,address,service,color\n" + "x-1,printer,127.0.0.1,,red\n", encoding="utf-8"
    )
    text = {
        "version": 1,
        "authorization": {"owner": "Bildgebung Müller ☢", "reference": "SYN-1", "expires": "2099-12-31"},
        "owned_networks": ["127.0.0.0/8"],
        "zones": [{"name": "clinical"}],
        "exposure": [{"from": "clinical", "to": {"role": "archive"}, "may_reach": ["tcp/443"], "reason": "synthetic",
                      "owner": "nobody", "expires": "2099-12-31"}],
        "assets_from": ["assets.csv"],
        "assets": [{"id": "p-1", "role": "modality", "address": "127.0.0.2", "manners": {"passive": True}}],
    }  # fmt: skip
    path = elsewhere / "inventory.json"
    path.write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")
    return path


def test_notices_come_before_anything_is_asked_and_not_where_quiet_is_wanted(
    passive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ignored = f"Notice: {passive.parent / 'assets.csv'}: the column 'color' is ignored"
    assert run(["validate", str(passive)]) == 0
    assert capsys.readouterr().err.splitlines() == [ignored]
    assert run(["plan", str(passive)]) == 0
    of_columns, of_vantage = capsys.readouterr().err.splitlines()
    assert of_columns == ignored
    assert of_vantage.startswith("Notice: The vantage 'local' is no zone of the inventory (clinical)")
    check = ["check", str(passive), "--assets", "p-1"]
    assert run(check) == 4
    assert capsys.readouterr().err.splitlines() == [of_columns, of_vantage]
    assert run([*check, "--quiet"]) == 4
    assert run(["validate", str(passive), "--quiet"]) == 0
    assert run(["judge", "latest", "--inventory", str(passive), "--quiet"]) == 4
    assert capsys.readouterr() == ("", "")


# --------------------------------------------------------------------------------------- where the output cannot go


def shell(script: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command of the product as a shell starts it, with `"$@"` in the script for it and its arguments."""
    command = [sys.executable, "-W", "error", "-m", "checker", *map(str, arguments)]
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script, "bash", *command],
        capture_output=True, text=True, encoding="utf-8", errors="surrogateescape", check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
    )  # fmt: skip


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("script", ['"$@" | true', '"$@" >&-', '"$@" <&- >&-'])
def test_a_reader_that_has_gone_does_not_change_the_exit_code_of_a_run(
    script: str, more: list[str], passive: Path
) -> None:
    done = shell(script, "check", passive, "--assets", "p-1", "--vantage", "clinical", *more)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1, done.stderr  # the notice
    ledger = (passive.parent / "reports" / "latest" / "ledger.jsonl").read_text("utf-8")
    assert [json.loads(line)["event"] for line in ledger.splitlines()] == ["refused"]


def test_without_standard_error_a_run_goes_on(passive: Path) -> None:
    done = shell('"$@" 2>&-', "check", passive, "--assets", "p-1")
    assert done.returncode == 4
    assert "Stored in reports/" in done.stdout
    assert shell('"$@" 2>&-', "validate", "nothing.yaml").returncode == 2


def test_a_summary_that_was_not_taken_is_told_and_the_run_is_stored(passive: Path) -> None:
    done = shell('"$@" >/dev/full', "check", passive, "--json")
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told.startswith("Error: standard output: No space left on device; the run is stored in reports/")
    assert (passive.parent / told.rsplit(" ", 1)[-1] / "run.json").is_file()


def test_a_run_that_the_disk_did_not_take_says_where_the_rest_is(
    passive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_folder: RunFolder, _name: str, _chunks: Iterable[bytes]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RunFolder, "write", full)
    assert run(["check", str(passive), "--assets", "p-1", "--quiet"]) == 1
    (partial,) = (passive.parent / "reports").iterdir()
    told = capsys.readouterr().err
    assert told == (
        f"Error: the run was broken off: No space left on device; what it recorded is in reports/{partial.name}\n"
    )
    assert {path.name for path in partial.iterdir()} == {"observations.jsonl", "ledger.jsonl"}


def test_letters_that_the_locale_cannot_write_are_spelled(passive: Path) -> None:
    done = shell('"$@"', "validate", passive, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert "\\u2622" in done.stdout


def test_the_plan_of_a_large_fleet_is_lines(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"dev-{n},Device {n},10.20.{n >> 8}.{n & 255},modality,dicom,104,AE{n}" for n in range(700)]
    (elsewhere / "a.csv").write_text("asset_id,name,address,role,service,port,ae_title\n" + "\n".join(rows) + "\n")
    (elsewhere / "i.yaml").write_text(
        "version: 1\norganization: X\nauthorization: {owner: X, reference: X, expires: 2099-12-31}\n"
        "owned_networks: [10.20.0.0/16]\nassets_from: [a.csv]\ndefaults: {ports: none}\n"
    )
    assert run(["plan", "i.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "\ndev-699  10.20.2.187  dicom on 104: survey, canary, wrong called AE title  at most 4\n" in printed
    assert all(f"dev-{n} " in printed for n in range(700))
    assert "700 of 700 assets, at most 2800 connections" in printed
