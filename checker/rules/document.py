"""Renders the catalogue as Markdown: pure text from the rules themselves, so that it cannot say anything else.

`python -m checker.rules.document > docs/rules.md` writes the catalogue; a test compares the file with `catalogue_text`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby

from checker.model import Control
from checker.rules import CataloguedRule, catalogue
from checker.rules.base import Subject

_FAMILIES = {
    "archive": "Archives",
    "asset": "Assets",
    "dicom": "DICOM",
    "exposure": "Exposure",
    "tls": "TLS",
    "web": "Web",
}
_SUBJECTS = {
    Subject.ASSET: "each asset",
    Subject.SERVICE: "each declared service at each of its addresses",
}

_OPENING = """\
# The catalogue of rules

Generated from the rules in `checker/rules/` by `python -m checker.rules.document`; do not edit it by hand.

A rule judges what was observed and asks nothing itself. It answers `pass`, `fail`, `unknown` or `not_applicable`; where
the fact that it needs was not observed the answer is `unknown`, never `pass`. The severity is that of a failure. It
rises one step where the vantage is the internet or the zone is outside the asset's own, unless the rule says otherwise,
and critical stays the top. The controls are those that the finding is evidence relevant to; that is no claim of
compliance.
"""


def catalogue_text(rules: Iterable[CataloguedRule]) -> str:
    """The whole catalogue: a table of all rules, then each of them, by family and id. Ends with a newline."""
    ordered = sorted(rules, key=lambda entry: entry.id)
    parts = [_OPENING, _table(ordered)]
    for family, entries in groupby(ordered, key=lambda entry: entry.family):
        parts.append(f"## {_FAMILIES.get(family, family)}\n")
        parts.extend(rule_text(entry, level=3) for entry in entries)
    return "\n".join(parts)


def rule_text(entry: CataloguedRule, level: int = 1) -> str:
    """One rule, whole; `level` is the depth of its heading. Ends with a newline."""
    rule = entry.rule
    rises = "rises with the vantage" if rule.rises else "does not rise with the vantage"
    lines = [
        f"{'#' * level} {entry.id}",
        "",
        f"**{_escaped(rule.title)}**",
        "",
        f"Severity {rule.severity.value}, {rises}. Judged for {_SUBJECTS[rule.subject]}. Version {rule.version}.",
        "",
        _escaped(rule.meaning),
        "",
        f"*Remedy.* {_escaped(rule.remedy)}",
        "",
    ]
    if rule.controls:
        lines += [f"*Controls.* {_controls(rule.controls)}.", ""]
    lines += ["| Worked example | Answer |", "|---|---|"]
    lines += [f"| {_cell(example.name)} | {example.expect.value} |" for example in rule.examples]
    return "\n".join(lines) + "\n"


def _table(entries: Iterable[CataloguedRule]) -> str:
    rows = [
        f"| [{entry.id}](#{entry.id.replace('.', '')}) | {_cell(entry.rule.title)} | {entry.rule.severity.value} |"
        for entry in entries
    ]
    return "\n".join(["| Rule | Fails when | Severity |", "|---|---|---|", *rows]) + "\n"


def _controls(controls: Iterable[Control]) -> str:
    """The controls, those of one framework together, frameworks in the order in which they first appear."""
    by_framework: dict[str, list[str]] = {}
    for control in controls:
        by_framework.setdefault(control.framework, []).append(control.id)
    return "; ".join(f"{framework}: {', '.join(ids)}" for framework, ids in by_framework.items())


def _escaped(text: str) -> str:
    """Plain text for Markdown: what would be markup stays what it is."""
    for character in ("\\", "*", "_", "<", "`"):
        text = text.replace(character, f"\\{character}")
    return text


def _cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(catalogue_text(catalogue()))
