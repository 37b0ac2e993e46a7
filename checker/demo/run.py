"""The `demo` command: the ordinary check, on the simulated hospital."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import click

from checker.demo.assets import DEFAULT_NETWORK
from checker.demo.hospital import Hospital, hospital

Command: TypeAlias = Callable[[Sequence[str]], int]
"""The command line of the product: from its arguments to its exit code."""


def main(output: Path, quiet: bool, command: Command, *, network: str = DEFAULT_NETWORK) -> int:
    """Start the hospital, run `check` on it with reports under `output`, and return the exit code of that.

    The check goes through `command` as if a user had typed it; it is handed in, for the command line imports this
    package. Raises what `hospital` raises.
    """
    with hospital(network) as running:
        if not quiet:
            click.echo(_introduction(running), err=True)
        # The vantage is said, because a setting of the user's for real zones must not apply here.
        arguments = ["check", str(running.inventory), "--output", str(output), "--vantage", "local"]
        return command([*arguments, "--quiet"] if quiet else arguments)


def _introduction(running: Hospital) -> str:
    first, last = running.assets[0].address, running.assets[-1].address
    return (
        f"A simulated hospital of {len(running.assets)} assets runs on this machine's loopback, at {first} to {last}.\n"
        "Its servers are real, its devices and studies invented. It has no patient data; nothing leaves the machine."
    )
