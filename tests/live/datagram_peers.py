"""Peers over UDP for tests: each answers every datagram as it is told to, on loopback, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[bytes], Sequence[bytes]]
_TICK_S = 0.02


@dataclass(slots=True)
class Peer:
    """A socket that answers. `heard` is every datagram that came, in order, with the address and port of its sender."""

    host: str
    port: int
    heard: list[tuple[bytes, tuple[str, int]]] = field(default_factory=list)

    def payloads(self) -> list[bytes]:
        return [data for data, _ in self.heard]


@contextmanager
def peer(
    answer: Answer, *, host: str = "127.0.0.1", from_host: str | None = None, other_port: bool = False
) -> Iterator[Peer]:
    """A peer that answers each datagram by those that `answer` gives for it, until the end of the block.

    They come from where it was asked, or `from_host`, or with `other_port` from a port of their own.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as listener, socket.socket(family, socket.SOCK_DGRAM) as other:
        listener.bind((host, 0))
        other.bind((from_host or host, 0))
        listener.settimeout(_TICK_S)
        made = Peer(host, listener.getsockname()[1])
        over = threading.Event()

        def serve() -> None:
            answering = other if from_host is not None or other_port else listener
            while not over.is_set():
                try:
                    data, sender = listener.recvfrom(65536)
                except TimeoutError:
                    continue
                made.heard.append((data, sender[:2]))
                for reply in answer(data):
                    answering.sendto(reply, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield made
        finally:
            over.set()
            thread.join()


def silent(_question: bytes) -> Sequence[bytes]:
    """Nothing."""
    return ()


def saying(*answers: bytes) -> Answer:
    """The same, whatever the question."""
    return lambda _question: answers


def ntp(question: bytes) -> Sequence[bytes]:
    """A time server of stratum 2, as RFC 5905 7.3 has it."""
    return (bytes([0b00_100_100, 2]) + bytes(22) + question[40:48] + bytes(16),)


def netbios(question: bytes) -> Sequence[bytes]:
    """A node with two names, of a department and of a person, as RFC 1002 4.2.18 has it."""
    names = b"".join(name.ljust(15) + b"\0\4\0" for name in (b"RADIOLOGY", b"JANE SYNTHETIC"))
    record = question[12:46] + b"\0\x21\0\1\0\0\0\0" + (1 + len(names) + 46).to_bytes(2, "big")
    return (question[:2] + b"\x84\0\0\0\0\1\0\0\0\0" + record + b"\2" + names + bytes(46),)


def mdns(question: bytes) -> Sequence[bytes]:
    """A host that offers SSH, as RFC 6762 6.7 has it for who asks from another port."""
    target = b"\x04_ssh\x04_tcp\xc0\x23"
    record = b"\xc0\x0c\0\x0c\0\1\0\0\0\x0a" + len(target).to_bytes(2, "big") + target
    return (question[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + question[12:] + record,)


def ssdp(question: bytes) -> Sequence[bytes]:
    """A root device, as the UPnP Device Architecture 1.1, 1.3.3, has it."""
    if not question.startswith(b"M-SEARCH * HTTP/1.1\r\n"):
        return ()
    lines = ("HTTP/1.1 200 OK", "EXT:", "ST: upnp:rootdevice", "USN: uuid:jane-synthetic::upnp:rootdevice", "", "")
    return ("\r\n".join(lines).encode(),)
