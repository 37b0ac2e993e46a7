"""What the configurations of `tests.live.dicom_configurations` are made of: how servers start, how they are asked.

What a server really is comes from its configuration and from the documents of its product, never from our own probe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from checker.model import AssociationPurpose, Service, ServiceKind, Status
from checker.probes.dicom import MOST_CONNECTIONS, probe_dicom
from tests.faults.servers import Fault, hostile
from tests.live.certificates import TlsFiles
from tests.live.dicom_peers import Server, associated, taking_both
from tests.live.dicom_telling import every_verdict, told
from tests.live.servers.dcmtk import dcmqrscp
from tests.live.servers.orthanc import OrthancOptions, orthanc
from tests.live.servers.process import LOOPBACK
from tests.live.servers.scp import scp
from tests.live.servers.scp_child import Behaviour
from tests.live.synthetic import markers_in
from tests.live.talking import talking

CALLING = "UNREGISTERED"
"""Our calling AE title, which no server of these tests has registered."""

Start = Callable[[TlsFiles], AbstractContextManager[Server]]
Statuses = Mapping[str, str]

WORDS: Mapping[str, str] = {
    "caller": "dicom.calling-ae-unchecked",
    "title": "dicom.called-ae-unchecked",
    "query": "dicom.anonymous-query",
    "take": "dicom.retrieve-offered",
    "put": "dicom.store-offered",
    "cleartext": "dicom.cleartext",
    "archive": "archive.open",
}
"""The rules whose statuses a configuration states, by a short word for each."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, and the AE title that the inventory is to declare for it."""

    host: str
    port: int
    ae_title: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """A server, and what it is.

    `name` is for the test, `server` for the table. `associations` are all that a visit has to find, in order, as
    `tests.live.dicom_telling.line` spells them. `statuses` are by the id of the rule. `means`: in words, what a
    reader may take from it. `declared`: what the inventory says the port speaks.
    """

    name: str
    server: str
    start: Start
    associations: tuple[str, ...]
    statuses: Statuses
    means: str
    declared: ServiceKind = ServiceKind.DICOM


@dataclass(frozen=True, slots=True)
class Found:
    """What a visit found: as in `Configuration`, and how many connections it took."""

    associations: tuple[str, ...]
    statuses: Statuses
    connections: int

    def of(self, purpose: AssociationPurpose) -> tuple[str, ...]:
        """The associations of one purpose, without its name."""
        name = f"{purpose.value} "
        return tuple(line.removeprefix(name) for line in self.associations if line.startswith(name))


async def ask(declared: ServiceKind, server: Server) -> Found:
    """Visit a running server as the product does, and judge what was seen; asserts the manners of any visit."""
    service = Service(declared, server.port, ae_title=server.ae_title)
    with talking(server.host, service.port, (service,)) as session:
        await probe_dicom(session.talk, service, calling=CALLING, server_name=None)
    assert session.connections <= MOST_CONNECTIONS
    assert markers_in(repr(session.facts).encode() + b"".join(session.written)) == ()
    verdicts = every_verdict(session)
    return Found(tuple(told(session)), {rule: verdicts[rule] for rule in WORDS.values()}, session.connections)


def not_as_it_is(configuration: Configuration, found: Found) -> list[str]:
    """Every line in which what was found is not what the configuration says; empty where none is."""
    wrong = []
    if found.associations != configuration.associations:
        wrong.append(f"found {list(found.associations)}, and not {list(configuration.associations)}")
    return wrong + [
        f"{rule} is {found.statuses[rule]}, and not {status}"
        for rule, status in configuration.statuses.items()
        if found.statuses[rule] != status
    ]


def statuses(*, passes: str = "", fails: str = "", unknown: str = "") -> Statuses:
    """The statuses by rule, from the words of `WORDS` with blanks between; `ValueError` unless each is there once."""
    named = {Status.PASS: passes.split(), Status.FAIL: fails.split(), Status.UNKNOWN: unknown.split()}
    words = [word for said in named.values() for word in said]
    if sorted(words) != sorted(WORDS):
        message = f"each of {' '.join(WORDS)} has one status, not: {' '.join(words)}"
        raise ValueError(message)
    by_word = {word: status.value for status, said in named.items() for word in said}
    return {rule: by_word[word] for word, rule in WORDS.items()}


# ----------------------------------------------------------------------------------------------- how servers start


def orthanc_of(*, tls: bool = False, client_certificate: bool = False, **options: object) -> Start:
    """Orthanc with these of its options, without images."""

    @contextmanager
    def start(files: TlsFiles) -> Iterator[Server]:
        made = OrthancOptions(
            tls=files if tls else None,
            client_certificate=client_certificate,
            **options,  # type: ignore[arg-type]
        )
        with orthanc(made, loaded=()) as server:
            yield Place(server.host, server.dicom_port, server.ae_title)

    return start


def plain(server: Callable[..., AbstractContextManager[Server]], **options: object) -> Start:
    """A server that needs no certificate."""
    return lambda _files: server(**options)


def inside_tls(server: Callable[..., AbstractContextManager[Server]], **options: object) -> Start:
    """A server that speaks inside TLS alone."""
    return lambda files: server(tls=files, **options)


def scp_of(behaviour: Behaviour) -> Start:
    """An SCP of pynetdicom that behaves so, in plaintext."""
    return lambda _files: scp(behaviour)


def peer_of(fault: Fault) -> Start:
    """A peer that is no DICOM server, or a broken one."""

    @contextmanager
    def start(_files: TlsFiles) -> Iterator[Server]:
        with hostile(fault) as peer:
            yield Place(peer.host, peer.port, "HOSTILE")

    return start


def taken(server: Start) -> Start:
    """A server with another client in the middle of an association all the time."""

    @contextmanager
    def start(files: TlsFiles) -> Iterator[Server]:
        with server(files) as running, associated(running):
            yield running

    return start


def of_both(plaintext: Behaviour, tls: Behaviour, *, client_certificate: bool = False) -> Start:
    """A port that takes plaintext and TLS, and behaves in each as told."""

    @contextmanager
    def start(files: TlsFiles) -> Iterator[Server]:
        with ExitStack() as stack:
            outside = stack.enter_context(scp(plaintext))
            inside = stack.enter_context(scp(tls, tls=files, client_certificate=client_certificate))
            port = stack.enter_context(taking_both(outside, inside))
            yield Place(LOOPBACK, port, outside.ae_title)

    return start


def dcmqrscp_of(*options: str, **more: object) -> Start:
    """DCMTK's archive with these of its own options."""
    return lambda _files: dcmqrscp(options=options, **more)  # type: ignore[arg-type]
