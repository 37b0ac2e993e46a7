"""How a live test runs the whole product: synthetic assets on loopback, `check` on them, the run read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.live.servers.process import ROOT
from tests.live.synthetic import markers_in

CALLING = "SECAUDIT"
WITHIN_S = 90.0


@dataclass(frozen=True)
class Run:
    """One published run, and what the command printed."""

    folder: Path
    exit_code: int
    out: str
    err: str

    @cached_property
    def summary(self) -> dict[str, Any]:
        """run.json."""
        return json.loads((self.folder / "run.json").read_bytes())  # type: ignore[no-any-return]

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """The findings, in the order of findings.jsonl."""
        return lines(self.folder / "findings.jsonl")

    @cached_property
    def observations(self) -> list[dict[str, Any]]:
        """The observations, in the order recorded."""
        return lines(self.folder / "observations.jsonl")

    @cached_property
    def ledger(self) -> list[dict[str, Any]]:
        """The lines of the ledger, in order."""
        return lines(self.folder / "ledger.jsonl")

    def statuses(self, asset: str, rule: str) -> list[str]:
        """The statuses of a rule's findings about an asset, one for each service that it judged, in their order."""
        return [
            found["status"] for found in self.findings if (found["asset"]["id"], found["rule"]["id"]) == (asset, rule)
        ]

    def status(self, asset: str, rule: str) -> str:
        """The status of the only finding of a rule about an asset."""
        (status,) = self.statuses(asset, rule)
        return status

    def attempts(self, asset: str | None = None) -> list[dict[str, Any]]:
        """The ledger's lines of connections that were tried."""
        return [
            line
            for line in self.ledger
            if line["event"] == "attempt" and line["transport"] != "dns" and asset in (None, line["asset"])
        ]

    def markers(self) -> dict[str, tuple[bytes, ...]]:
        """The marks of synthetic patients in any file of the run or in what was printed; empty as it must be."""
        contents = {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        contents |= {"standard output": self.out.encode(), "standard error": self.err.encode()}
        return {name: found for name, content in contents.items() if (found := markers_in(content))}


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def inventory(folder: Path, assets: Sequence[Mapping[str, Any]], **more: Any) -> Path:
    """An inventory file for assets on loopback; `more` are further keys of the inventory, or others for its own."""
    document = {
        "version": 1,
        "organization": "Example Health (synthetic)",
        "authorization": {"owner": "Synthetic", "reference": "SYN-1", "expires": "2099-12-31"},
        "owned_networks": ["127.0.0.0/8", "::1/128"],
        "zones": [{"name": "local"}, {"name": "internet"}],
        "defaults": {"calling_ae_title": CALLING, "ports": "none"},
        "assets": [
            {"name": f"Synthetic {asset['id']}", "role": "archive", "site": "campus", **asset} for asset in assets
        ],
        **more,
    }
    path = folder / "inventory.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def command(*arguments: str | Path) -> list[str]:
    """The command line of the product, as a child of the tests."""
    return [sys.executable, "-W", "error", "-m", "checker", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """The environment for a child, without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PACS_CHECKER_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def check(path: Path, *arguments: str, within_s: float = WITHIN_S, **variables: str) -> Run:
    """Run `check` in a child process to its end; reports go beside the inventory, which is in a folder of its own."""
    output = path.parent / "reports"
    done = subprocess.run(
        command("check", path, "--output", output, *arguments),
        capture_output=True,
        text=True,
        timeout=within_s,
        env=environment(**variables),
        cwd=path.parent,
    )
    assert (output / "latest").exists(), done.stderr
    return Run((output / "latest").resolve(), done.returncode, done.stdout, done.stderr)
