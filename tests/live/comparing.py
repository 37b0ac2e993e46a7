"""How what we find of a server is compared with what others find of it, and with what its configuration says.

A peer's result equals ours, or differs in exactly what a `Difference` names, with its reason. Neither is mended.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from checker.model import Acceptance, AssetManners, Depth, TlsFacts
from checker.probes.tls import probe_tls
from tests.live.certificates import HOSTS, Authority, TlsFiles
from tests.live.peers.accepted import Accepted, lines
from tests.live.peers.nmap import nmap
from tests.live.peers.sslyze import sslyze
from tests.live.talking import QUICK, talking

NAME = HOSTS[1]
"""What everybody sends as SNI."""

_BUDGET = 400  # connections: no list of these tests is to end for want of them


class Peer(StrEnum):
    """Who is asked beside us."""

    NMAP = "nmap"
    SSLYZE = "sslyze"


Known = Mapping[str, frozenset[int] | None]
"""The code points of suites by version; None where a configuration leaves them to the server's library."""

PEERS: Mapping[Peer, Callable[[str, int, str], Accepted]] = {Peer.NMAP: nmap, Peer.SSLYZE: sslyze}


@dataclass(frozen=True, slots=True)
class Material:
    """The keys and certificates that servers are started with, all of one authority."""

    rsa: TlsFiles
    elliptic: TlsFiles

    @classmethod
    def create(cls, folder: Path) -> Material:
        """New ones, written into an existing folder."""
        authority = Authority.create(folder)
        return cls(authority.valid(), authority.elliptic())


class Listening(Protocol):
    """What is needed of a running server."""

    @property
    def host(self) -> str:
        """The IP address on which it listens."""

    @property
    def port(self) -> int:
        """Its port."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a peer reports otherwise than we do, and why that is so.

    Both are about lines of `tests.live.peers.accepted.lines`. `unseen` is a pattern: every line of ours that it matches
    from its beginning, and no other, is missing from the peer's. `claimed` are the lines that the peer has and we not.
    """

    peer: Peer
    reason: str
    unseen: str | None = None
    claimed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Configuration:
    """A real server in one configuration. `name` is short and used once; `server` describes it in one line.

    `really` gives what the configuration says that it accepts.
    """

    name: str
    server: str
    start: Callable[[Material], AbstractContextManager[Listening]]
    really: Callable[[], Known]
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Ours:
    """What our probe found at full depth: the suites of the accepted versions, what its lists doubt, and its cost."""

    accepted: Accepted
    in_doubt: Mapping[str, str | None]
    connections: int


def ask(server: Listening) -> Ours:
    """Our probe at full depth."""
    manners = AssetManners(gap_s=QUICK.gap_s, max_connections=_BUDGET)
    with talking(server.host, server.port, manners=manners) as session:
        asyncio.run(probe_tls(session.talk, server_name=NAME, names=(NAME,), depth=Depth.FULL, most=_BUDGET))
    (facts,) = session.of(TlsFacts)
    accepted = [found for found in facts.versions if found.acceptance is Acceptance.ACCEPTED]
    return Ours(
        {found.version: frozenset(found.suites) for found in accepted},
        {found.version: found.incomplete for found in accepted if not found.complete},
        session.connections,
    )


def not_really(really: Known, ours: Ours) -> list[str]:
    """Every line in which our result is not what the configuration says, or doubts itself; empty where none is."""
    wrong = [f"we are not sure of {label}: {reason}" for label, reason in ours.in_doubt.items()]
    wrong += [f"we do not have {label}" for label in sorted(really.keys() - ours.accepted.keys())]
    wrong += [f"the server does not accept {label}" for label in sorted(ours.accepted.keys() - really.keys())]
    for label in sorted(really.keys() & ours.accepted.keys()):
        said, found = really[label], ours.accepted[label]
        if said is not None:
            wrong += [f"we do not have {line}" for line in sorted(lines({label: said}) - lines({label: found}))]
            wrong += [
                f"the server does not accept {line}" for line in sorted(lines({label: found}) - lines({label: said}))
            ]
    return wrong


def unlike(named: Sequence[Difference], ours: Accepted, peer: Peer, theirs: Accepted) -> list[str]:
    """Every line in which a peer's result is not what ours and the differences named let expect; or none.

    A difference that is no longer there is one of them.
    """
    mine, others = lines(ours), lines(theirs)
    about = [difference for difference in named if difference.peer is peer]
    matched = {
        found: {line for line in mine if re.match(found.unseen, line)} for found in about if found.unseen is not None
    }
    unseen = {line for matches in matched.values() for line in matches}
    claimed = {line for found in about for line in found.claimed}
    wrong = [f"{peer} does not have {line}" for line in sorted(mine - others - unseen)]
    wrong += [f"{peer} alone has {line}" for line in sorted(others - mine - claimed)]
    wrong += [f"{peer} has {line} after all" for line in sorted(unseen & others)]
    wrong += [f"{peer} does not claim {line} any more" for line in sorted(claimed - (others - mine))]
    # A pattern that matches nothing names no difference.
    wrong += [f"nothing is unseen by {peer} for: {found.reason}" for found, matches in matched.items() if not matches]
    return wrong


@dataclass(frozen=True, slots=True)
class Comparison:
    """What everybody found of one server. `wrong` has every line that is not as it is to be; empty where none is."""

    ours: Ours
    theirs: Mapping[Peer, Accepted]
    wrong: tuple[str, ...]


def compare(
    configuration: Configuration,
    server: Listening,
    through: Callable[[Peer, Listening], AbstractContextManager[Listening]] = lambda _peer, server: nullcontext(server),
) -> Comparison:
    """Ask a running server, one after the other. `through` may give a peer another port that leads to it."""
    ours = ask(server)
    wrong = not_really(configuration.really(), ours)
    theirs: dict[Peer, Accepted] = {}
    for peer, asked in PEERS.items():
        with through(peer, server) as door:
            theirs[peer] = asked(door.host, door.port, NAME)
        wrong += unlike(configuration.differences, ours.accepted, peer, theirs[peer])
    return Comparison(ours, theirs, tuple(wrong))


def assert_alike(configuration: Configuration, material: Material) -> None:
    """Assert that a server accepts what we find, and that the peers find the same but for the named differences."""
    with configuration.start(material) as server:
        compared = compare(configuration, server)
    assert not compared.wrong, "\n".join(compared.wrong)
