"""`rules`: the catalogue, or one rule whole."""

from __future__ import annotations

import difflib

import click

from checker.errors import UsageError


@click.command("rules")
@click.argument("rule", required=False, metavar="[ID]")
def COMMAND(rule: str | None) -> int:  # noqa: N802 - commands are found by this name
    """The catalogue of rules; with an ID one rule whole: meaning, remedy, controls, worked examples."""
    from checker.cli.console import console
    from checker.rules import catalogue

    entries = catalogue()
    output = console()
    if rule is None:
        from rich.table import Table

        from checker.cli.console import word

        table = Table("Rule", "Severity", "Fails when", box=None, pad_edge=False, header_style="bold")
        for entry in entries:
            table.add_row(entry.id, word(entry.rule.severity.value), entry.rule.title)
        output.print(table)
        return 0
    found = next((entry for entry in entries if entry.id == rule), None)
    if found is None:
        close = difflib.get_close_matches(rule, [entry.id for entry in entries], n=1)
        message = f"there is no rule {rule!r}" + (f"; did you mean {close[0]}?" if close else "")
        raise UsageError(message)
    from rich.markdown import Markdown

    from checker.rules.document import rule_text

    text = rule_text(found)
    if output.is_terminal:
        output.print(Markdown(text))
    else:
        click.echo(text, nl=False)
    return 0
