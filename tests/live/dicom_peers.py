"""What stands beside a DICOM server in a test: another client of it, and a port that takes plaintext and TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Protocol

from pynetdicom import AE
from pynetdicom.sop_class import Verification

from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK

TLS_HANDSHAKE = b"\x16"  # RFC 8446 section 5.1: the type of the first record


class Server(Protocol):
    """What every DICOM server of the tests tells of itself."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def ae_title(self) -> str: ...


@contextmanager
def associated(server: Server, tls: TlsFiles | None = None) -> Iterator[Callable[[], None]]:
    """Another client in the middle of an association, until the block ends or what is given is called."""
    context = None
    if tls is not None:
        context = ssl.create_default_context(cafile=tls.authority)
        context.check_hostname = False
    entity = AE("OTHERCLIENT")
    entity.add_requested_context(Verification)
    association = entity.associate(
        server.host, server.port, ae_title=server.ae_title, tls_args=(context, None) if context else None
    )
    assert association.is_established

    def leave() -> None:
        if association.is_established:
            association.release()

    try:
        yield leave
    finally:
        leave()
        entity.shutdown()


@contextmanager
def taking_both(plain: Server, inside: Server) -> Iterator[int]:
    """A port that takes plaintext and TLS: the first byte says which of the two servers gets the connection."""
    with ThreadPoolExecutor() as pool, socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return  # the listener was shut
                first = client.recv(1, socket.MSG_PEEK)
                server = inside if first == TLS_HANDSHAKE else plain
                upstream = socket.create_connection((server.host, server.port))
                pool.submit(relay, client, upstream)

        def relay(client: socket.socket, upstream: socket.socket) -> None:
            with client, upstream:
                back = pool.submit(_pour, upstream, client)
                _pour(client, upstream)
                back.result()

        pool.submit(serve)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _pour(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes from one side, to the other, until it ends or is reset."""
    with suppress(ConnectionError):
        while received := source.recv(4096):
            target.sendall(received)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
