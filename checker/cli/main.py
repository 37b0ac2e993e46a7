"""The command `pacs-checker`: finds the command that was named and turns what went wrong into an exit code.

A command is one file, `checker/cli/commands/<name>.py`, which binds a click command to the name `COMMAND`. It is
imported only when it is named, so that `--version` and `--help` are quick.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Sequence

import click

from checker import __version__
from checker.cli import commands
from checker.cli.settings import Settings
from checker.errors import EXIT_INTERNAL, EXIT_USAGE, InventoryError, UsageError, place_of

NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules(commands.__path__)))
"""The commands, by name."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NAMES:
            return None
        command = importlib.import_module(f"{commands.__name__}.{cmd_name}").COMMAND
        if not isinstance(command, click.Command):
            message = f"the file of the command {cmd_name} binds no command to COMMAND"
            raise TypeError(message)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="pacs-checker", message="%(prog)s %(version)s")
@click.option(
    "--config",
    type=click.Path(),
    envvar="PACS_CHECKER_CONFIG",
    help="Settings to read instead of pacs-checker.toml in the current folder.",
)
@click.pass_context
def cli(context: click.Context, config: str | None) -> None:
    """Check the imaging devices that you own, gently: DICOM, TLS, web viewers, firewalls.

    An inventory goes in, every asset is visited once, findings come out. Every option can also be set by the
    environment variable PACS_CHECKER_<NAME> and in pacs-checker.toml; flag over environment over file.

    Exit codes: 0 clean, 1 internal error, 2 usage or inventory, 3 findings at or over --fail-on, 4 coverage incomplete,
    5 a sink was not delivered, 75 another run holds the lock.
    """
    if not context.resilient_parsing:
        context.default_map = dict.fromkeys(NAMES, Settings.read(config).values)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code; what went wrong is told on standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # Their words may hold what a peer sent.
    for noisy in ("pynetdicom", "pydicom", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    try:
        result = cli.main(args=list(arguments), prog_name="pacs-checker", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message(), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except InventoryError as error:
        _tell_faults(error)
        return EXIT_USAGE
    except UsageError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return 130
    except SystemExit:  # click's way out where whoever reads our output has had enough
        return EXIT_INTERNAL
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {where}{error.strerror or type(error).__name__}", err=True)
        return EXIT_INTERNAL
    except Exception as error:  # the last resort: one line, and no text that may quote a peer
        click.echo(f"Internal error: {type(error).__name__} in {place_of(error)}. Please report it.", err=True)
        return EXIT_INTERNAL
    return result if isinstance(result, int) else 0


def _tell_faults(error: InventoryError) -> None:
    for fault in error.faults:
        click.echo(str(fault), err=True)
    count = len(error.faults)
    click.echo(f"{count} fault{'' if count == 1 else 's'} in the inventory; nothing was sent.", err=True)
