"""The table of the DICOM servers: what each answers a stranger, and what we conclude of it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from checker.model import AssociationPurpose, Status
from tests.live.certificates import Authority, TlsFiles
from tests.live.dicom_configurations import CONFIGURATIONS
from tests.live.dicom_configuring import WORDS, Configuration, Found, Statuses, ask, not_as_it_is
from tests.tables.page import markdown

HEADER = ("Server", "Survey", "Wrong called title", "Canary", "What it means", "Fails", "Unknown")


def table() -> tuple[str, Sequence[str]]:
    """Start every server and visit it; the table as Markdown, and what is not as the configurations say, by line."""
    rows: list[tuple[str, ...]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="pacs-checker-tables-") as folder:
        files = Authority.create(Path(folder)).valid()
        for configuration in CONFIGURATIONS:
            sys.stderr.write(f"{configuration.name}\n")
            found = _visit(configuration, files)
            rows.append(row(configuration, found))
            wrong += [f"{configuration.name}: {line}" for line in not_as_it_is(configuration, found)]
    return markdown(HEADER, rows), wrong


def row(configuration: Configuration, found: Found) -> tuple[str, ...]:
    """The line of a server, of what was found."""
    return (
        configuration.server,
        _answers(found, AssociationPurpose.SURVEY),
        _answers(found, AssociationPurpose.WRONG_CALLED),
        _answers(found, AssociationPurpose.CANARY),
        configuration.means,
        _of_status(found.statuses, Status.FAIL),
        _of_status(found.statuses, Status.UNKNOWN),
    )


def stated(configuration: Configuration) -> tuple[str, ...]:
    """The line of a server that is as its configuration says."""
    return row(configuration, Found(configuration.associations, configuration.statuses, 0))


def _visit(configuration: Configuration, files: TlsFiles) -> Found:
    with configuration.start(files) as server:
        return asyncio.run(ask(configuration.declared, server))


def _answers(found: Found, purpose: AssociationPurpose) -> str:
    return "; ".join(map(_words, found.of(purpose))) or "not asked"


def _words(answer: str) -> str:
    # That an association was released is the rule, and said so beside the table.
    words = answer.removesuffix(" released").replace("echo=", "echo ").replace("abort=", "abort ")
    return words.replace("accepted ", "accepted, ", 1).replace("not-asked", "not asked")


def _of_status(statuses: Statuses, status: Status) -> str:
    return ", ".join(word for word, rule in WORDS.items() if statuses[rule] == status.value) or "none"
