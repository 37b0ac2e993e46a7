"""`demo`: the main job on a simulated hospital; needs nothing but the package."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from checker.cli import options
from checker.cli.settings import NAMES


@click.command("demo")
@options.output
@options.quiet
def COMMAND(output: Path, quiet: bool) -> int:  # noqa: N802 - commands are found by this name
    """Start a simulated hospital on loopback and check it as `check` would."""
    from checker.demo import main

    return main(output, quiet, _without_settings)


def _without_settings(arguments: Sequence[str]) -> int:
    """One command line, without the settings of file and environment: the user's are for real devices."""
    from checker.cli.main import run

    variables = {options.VARIABLES + name.upper() for name in NAMES}
    settings = {name: value for name, value in os.environ.items() if name in variables}
    for name in settings:
        del os.environ[name]
    try:
        return run(["--config", os.devnull, *arguments])
    finally:
        os.environ.update(settings)
