"""`validate`: every fault of an inventory, with file, line and field. It sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli import options


@click.command("validate")
@options.inventories
@options.quiet
def COMMAND(inventory: tuple[Path, ...], quiet: bool) -> int:  # noqa: N802 - commands are found by this name
    """Tell every fault of an inventory, all at once. Sends nothing."""
    found = options.load_inventory(inventory)
    if not quiet:
        options.tell_notices(found)
        services = sum(len(asset.services) for asset in found.assets)
        click.echo(
            f"The inventory is valid: {_counted(len(found.assets), 'asset')}, {_counted(services, 'declared service')},"
            f" {_counted(len(found.exposure), 'line')} of exposure policy, {_counted(len(found.waivers), 'waiver')}."
        )
        authorization = found.authorization
        click.echo(
            f"Authorized by {authorization.owner} under {authorization.reference}, until {authorization.expires}."
        )
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
