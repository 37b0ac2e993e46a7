"""The options that commands share: their names, their environment variables and what they take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

import click

from checker.catalog.ports import Choice, is_choice, port_set_names
from checker.errors import UsageError
from checker.model import Asset, Depth, Inventory, Severity

VARIABLES = "PACS_CHECKER_"
"""How the names of the environment variables that set options begin."""

F = TypeVar("F", bound=Callable[..., object])


class Decorator(Protocol):
    """Gives a command an option, and the command back."""

    def __call__(self, command: F, /) -> F:
        """The command, with the option."""


inventories = click.argument(
    "inventory", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="INVENTORY..."
)


def option(name: str, **more: object) -> Decorator:
    """A click option that the environment can set as well: `--fail-on` is PACS_CHECKER_FAIL_ON."""
    variable = VARIABLES + name.strip("-").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_default=True, **more)  # type: ignore[arg-type]


vantage: Decorator = option(
    "--vantage", default="local", metavar="NAME", callback=lambda _c, _p, value: _vantage(value),
    help="The zone in which this machine stands; exposure policy is judged from there.",
)  # fmt: skip
output: Decorator = option(
    "--output", default="reports", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where the run's folder is made.",
)  # fmt: skip
only: Decorator = option("--only", multiple=True, metavar="GLOB", help="Judge these rules alone, such as 'tls.*'.")
skip: Decorator = option("--skip", multiple=True, metavar="GLOB", help="Do not judge these rules.")
asset_globs: Decorator = option("--assets", multiple=True, metavar="GLOB", help="Only assets with such an id.")
ports: Decorator = option(
    "--ports", metavar="SET", default=None,
    help="Ports to look at, parted by commas: named sets, TCP ports, dicom/, http/ and tls/<port> for TCP ports that"
    " are then asked what they are, and udp/<port>, such as imaging,dicom/10104,udp/161; the inventory's choice where"
    " not given.",
)  # fmt: skip
trust_store: Decorator = option(
    "--trust-store", type=click.Path(path_type=Path), metavar="FILE", default=None,
    help="PEM file of the authorities to trust; the inventory's, else the system's, where not given.",
)  # fmt: skip
client_certificate: Decorator = option(
    "--client-certificate", type=click.Path(path_type=Path), metavar="FILE", default=None,
    help="PEM file of our own certificate, for servers that require one; the inventory's where not given.",
)  # fmt: skip
client_key: Decorator = option(
    "--client-key", type=click.Path(path_type=Path), metavar="FILE", default=None,
    help="PEM file of the private key to --client-certificate, which its owner alone may read.",
)  # fmt: skip
fail_on: Decorator = option(
    "--fail-on", default=Severity.HIGH.value, type=click.Choice([severity.value for severity in Severity]),
    help="Exit with 3 for failures of this severity and over.",
)  # fmt: skip
fail_on_new: Decorator = option(
    "--fail-on-new", is_flag=True, help="Exit with 3 only for failures that the last run did not have."
)
rate: Decorator = option(
    "--rate", default=None, metavar="N/s", callback=lambda _c, _p, value: _rate(value),
    help="Connections a second, over the whole run.",
)  # fmt: skip
concurrency: Decorator = option(
    "--concurrency", default=500, type=click.IntRange(1, 100_000), metavar="N",
    help="Assets visited at once; each device has one connection at most, whatever this says.",
)  # fmt: skip
depth: Decorator = option(
    "--depth", default=None, type=click.Choice([depth.value for depth in Depth]),
    help="What to ask of TLS in the whole run: what should be refused (policy), or everything that is accepted, one"
    " connection each (full); for each asset what the inventory says, else policy, where not given.",
)  # fmt: skip
matrix: Decorator = option(
    "--matrix", is_flag=True, help="Print instead which zone may reach what, by exposure policy; with --json, beside."
)
quiet: Decorator = option("--quiet", is_flag=True, help="Print nothing but errors.")
as_json: Decorator = option("--json", is_flag=True, help="Print the summary as JSON on standard output.")


def load_inventory(paths: tuple[Path, ...], *, own_certificate: bool = True) -> Inventory:
    """The inventory in these files, as of today. Raises InventoryError with every fault.

    `own_certificate` as `checker.inventory.load` takes it.
    """
    from checker.inventory import load

    today = date.today()  # noqa: DTZ011 - authorizations are written in local days
    return load(paths, today=today, own_certificate=own_certificate)


def with_trust_store(inventory: Inventory, path: Path | None) -> Inventory:
    """The inventory with the certificates of this file to be trusted, if one is given; UsageError for a faulty one."""
    if path is None:
        return inventory
    from dataclasses import replace

    from checker.inventory.anchors import read_trust_store

    return replace(inventory, defaults=replace(inventory.defaults, trust_store=read_trust_store(path)))


def with_client_certificate(inventory: Inventory, certificate: Path | None, key: Path | None) -> Inventory:
    """The inventory with this certificate of ours, if one is given; UsageError where the two files do not do."""
    if certificate is None and key is None:
        return inventory
    from dataclasses import replace

    from checker.inventory.own_certificate import own_certificate_of_options

    today = date.today()  # noqa: DTZ011 - told in local days, as all else is
    own = own_certificate_of_options(certificate, key, today)
    defaults = replace(inventory.defaults, client_certificate=own.certificate)
    return replace(inventory, defaults=defaults, notices=(*inventory.notices, *own.notices))


def tell_notices(inventory: Inventory) -> None:
    """What the inventory's reader passed over, on standard error."""
    for notice in inventory.notices:
        click.echo(f"Notice: {notice}", err=True)


def tell_vantage(inventory: Inventory, vantage: str) -> None:
    """Notices on standard error where the exposure policy says nothing about this vantage, and where a line expired."""
    from checker.policy import expired, silence

    today = date.today()  # noqa: DTZ011 - the ends of lines are written in local days
    sentence = silence(inventory, vantage)
    for told in (*(() if sentence is None else (sentence,)), *expired(inventory, today)):
        click.echo(f"Notice: {told}", err=True)


def chosen_assets(inventory: Inventory, globs: tuple[str, ...]) -> tuple[Asset, ...]:
    """The assets whose id matches one of the globs, all where there is none; UsageError where none matches."""
    from fnmatch import fnmatchcase

    if not globs:
        return inventory.assets
    found = tuple(asset for asset in inventory.assets if any(fnmatchcase(asset.id, glob) for glob in globs))
    if not found:
        message = f"--assets {' '.join(globs)}: no asset of the inventory has such an id"
        raise UsageError(message)
    return found


def chosen_ports(text: str | None) -> Choice | None:
    """What `--ports` chooses: see `checker.catalog.ports.Choice`; UsageError where a part of it is none of them."""
    if text is None:
        return None
    parts = tuple(dict.fromkeys(int(part) if _is_number(part) else part for part in map(str.strip, text.split(","))))
    for part in parts:
        if not is_choice(part):
            known = ", ".join(port_set_names())
            message = (
                f"--ports {text}: {str(part)!r} is no port from 1 to 65535, such as 104 or udp/161, and no set of"
                " ports;"
                f" known are {known}"
            )
            raise UsageError(message)
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) and "/" not in parts[0] else parts


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= 9


def _vantage(value: str) -> str:
    import re

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", value):
        message = f"{value!r}: a vantage is named by letters, digits, dots, dashes and underscores, at most 63"
        raise click.BadParameter(message)
    return value


def _rate(value: str | float | None) -> float | None:
    if value is None:
        return None
    text = str(value).removesuffix("/s").strip()
    try:
        rate_found = float(text)
    except ValueError:
        rate_found = 0.0
    if not 0 < rate_found <= 100_000:
        message = f"{value!r}: expected connections a second such as 200/s, over 0 and at most 100000"
        raise click.BadParameter(message)
    return rate_found
