"""`demo`: the main job on a simulated hospital; needs nothing but the package."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli import options


@click.command("demo")
@options.output
@options.quiet
def COMMAND(output: Path, quiet: bool) -> int:  # noqa: N802 - commands are found by this name
    """Start a simulated hospital on loopback and check it as `check` would."""
    from checker.cli.main import run
    from checker.demo import main

    return main(output, quiet, run)
