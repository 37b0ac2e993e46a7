"""The table of the configurations: what each server accepts, and what we, nmap and sslyze find of it at what cost."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.comparing import PEERS, Comparison, Configuration, Listening, Material, Peer, compare
from tests.live.configurations import CONFIGURATIONS
from tests.live.peers.accepted import Accepted
from tests.live.peers.counting import counting
from tests.tables.page import markdown

HEADER = ("Server", "Accepts: suites by version", "Ours", *(str(peer) for peer in PEERS), "Difference")


def table() -> tuple[str, Sequence[str]]:
    """Start every server and ask it; the table as Markdown, and what is not as the configurations say, line by line."""
    rows: list[tuple[str, ...]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="pacs-checker-tables-") as folder:
        material = Material.create(Path(folder))
        for configuration in CONFIGURATIONS:
            sys.stderr.write(f"{configuration.name}\n")
            row, compared = _measure(configuration, material)
            rows.append(row)
            wrong += [f"{configuration.name}: {line}" for line in compared.wrong]
    return markdown(HEADER, rows), wrong


def _measure(configuration: Configuration, material: Material) -> tuple[tuple[str, ...], Comparison]:
    cost: dict[Peer, int] = {}

    @contextmanager
    def through(peer: Peer, server: Listening) -> Iterator[Listening]:
        with counting(server.host, server.port) as door:
            yield door
        cost[peer] = door.connections

    with configuration.start(material) as server:
        compared = compare(configuration, server, through)
    ours = compared.ours
    row = (
        configuration.server,
        ", ".join(f"{label}: {len(suites)}" for label, suites in ours.accepted.items()),
        _found(ours.accepted, ours.connections),
        *(_found(compared.theirs[peer], cost[peer]) for peer in PEERS),
        differences(configuration),
    )
    return row, compared


def differences(configuration: Configuration) -> str:
    """The reasons of the named differences, as they stand in the table."""
    return "; ".join(difference.reason for difference in configuration.differences) or "none"


def _found(accepted: Accepted, connections: int) -> str:
    return f"{sum(map(len, accepted.values()))} in {connections}"
