"""Hostile peers on loopback, in a child process: what a broken, overloaded or malicious device does to its clients.

`python -m tests.faults.servers` is the child. It serves each connection in a thread of its own and writes down, as JSON
lines, what came in, so that a test can say how gently it was asked.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tests.live.servers.process import LOOPBACK, Process, python_child, serving


class Fault(StrEnum):
    """What a peer does with each connection. "After the request" is after the first bytes that it is sent."""

    CLOSES = "closes"  # says at once that nothing will come, and reads on: an orderly end, never a reset
    CLOSES_AFTER_REQUEST = "closes-after-request"
    RESETS = "resets"  # a reset at once
    RESETS_AFTER_REQUEST = "resets-after-request"
    SILENT = "silent"  # reads everything, answers nothing
    GARBAGE = "garbage"  # 4 KiB that are no protocol after the request, then the end
    BANNER = "banner"  # speaks first, in another protocol, and waits
    DRIPS = "drips"  # one zero byte an interval, without end
    DRIPS_PDU = "drips-pdu"  # an A-ASSOCIATE-AC of 4 KiB, one byte an interval
    DRIPS_TLS = "drips-tls"  # a TLS handshake record of 4 KiB, one byte an interval
    DRIPS_HTTP_HEADERS = "drips-http-headers"  # a status line, then headers without end, one byte an interval
    DRIPS_HTTP_BODY = "drips-http-body"  # whole headers, then a body, one byte an interval
    ENDLESS = "endless"  # zero bytes as fast as they are taken
    ENDLESS_HTTP_BODY = "endless-http-body"  # 200 and JSON that never ends
    ENDLESS_HTTP_HEADERS = "endless-http-headers"
    PDU_OF_4_GIB = "pdu-of-4-gib"  # an A-ASSOCIATE-AC header that declares 4 GiB less one, 64 bytes of it, and silence
    TRUNCATED_PDU = "truncated-pdu"  # an A-ASSOCIATE-AC header that declares 256 bytes, ten of them, and the end
    ALERTS = "alerts"  # TLS warning alerts without end
    GZIP_BOMB = "gzip-bomb"  # 200 with a small gzip body that becomes 256 MiB
    BACKLOG_FULL = "backlog-full"  # listens, but its queue is full: no connection is ever made


@dataclass(frozen=True, slots=True)
class Peer:
    """A running hostile peer."""

    host: str
    port: int
    fault: Fault
    process: Process

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port

    @property
    def connections(self) -> int:
        """How many connections it has accepted so far."""
        return len([line for line in self._lines() if "opened" in line])

    @property
    def ended(self) -> int:
        """How many of them have ended so far."""
        return len([line for line in self._lines() if "received" in line])

    @property
    def most_at_once(self) -> int:
        """The most connections that were open at the same time."""
        return max((line["opened"] for line in self._lines() if "opened" in line), default=0)

    @property
    def received(self) -> int:
        """The bytes that it was sent, over all connections that have ended."""
        return sum(line["received"] for line in self._lines() if "received" in line)

    def wait_for_end(self, connections: int = 1, within_s: float = 5.0) -> None:
        """Wait until so many connections have ended, as the peer sees it; raises `TimeoutError`."""
        deadline = time.monotonic() + within_s
        while self.ended < connections:
            if time.monotonic() > deadline:
                message = f"{self.ended} of {connections} connections have ended"
                raise TimeoutError(message)
            time.sleep(0.01)

    def _lines(self) -> list[dict[str, int]]:
        return [json.loads(line) for line in self.process.text().splitlines() if line[:1] == "{" and line[-1:] == "}"]


@contextmanager
def hostile(fault: Fault, *, interval_s: float = 1.0, host: str = LOOPBACK) -> Iterator[Peer]:
    """A hostile peer; `interval_s` is the time between the bytes of those that drip."""

    def command(_folder: object, ports: tuple[int, ...]) -> list[str]:
        return python_child(__name__, host, str(ports[0]), fault.value, str(interval_s))

    with serving(f"hostile-{fault}", command, ready="ready\n", polite=False) as process:
        yield Peer(host, process.ports[0], fault, process)


# ------------------------------------------------------------------------------------------------------ in the child

_CHUNK = 65_536
_AC_HEADER = b"\x02\x00"  # PS3.8 section 9.3.3: PDU type and a reserved byte; a length of four bytes follows
_STATUS = b"HTTP/1.1 200 OK\r\nServer: synthetic\r\n"
_JSON = b"Content-Type: application/dicom+json\r\n"
_WARNING = bytes.fromhex("15030300020170")  # RFC 8446 section 6: an alert record, warning, unrecognized_name
_BOMB_MIB = 256


class _Connection:
    """One accepted connection, read to the side so that what is sent never waits for what comes."""

    def __init__(self, accepted: socket.socket, interval_s: float) -> None:
        self._socket = accepted
        self._interval_s = interval_s
        self._asked = threading.Event()
        self._over = threading.Event()
        self.received = 0

    def read_on(self) -> None:
        """Read until the client ends or resets."""
        try:
            while received := self._socket.recv(_CHUNK):
                self.received += len(received)
                self._asked.set()
        except OSError:
            return  # a reset is an end like others
        finally:
            self._over.set()
            self._asked.set()

    def wait_for_request(self) -> None:
        self._asked.wait()

    def wait_for_end(self) -> None:
        self._over.wait()

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def send_slowly(self, content: bytes) -> None:
        for byte in content:
            if self._over.wait(self._interval_s):
                return
            self.send(bytes([byte]))

    def send_forever(self, content: bytes) -> None:
        while not self._over.is_set():
            self.send(content)

    def drip_forever(self, content: bytes) -> None:
        while not self._over.is_set():
            self.send_slowly(content)

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Shut for reading first, so that the thread that reads lets go of the socket and the close is a real one.
        self._socket.shutdown(socket.SHUT_RD)
        self.wait_for_end()
        self._socket.close()


def _closes(connection: _Connection) -> None:
    connection.end()


def _closes_after_request(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.end()


def _resets(connection: _Connection) -> None:
    connection.reset()


def _resets_after_request(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.reset()


def _silent(_connection: _Connection) -> None:
    return


def _garbage(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(b"\xee" + random.Random(7).randbytes(4095))  # noqa: S311 - the same garbage in every run
    connection.end()


def _banner(connection: _Connection) -> None:
    connection.send(b"220 synthetic.example.org FTP server ready\r\n")


def _drips(connection: _Connection) -> None:
    connection.drip_forever(b"\x00")


def _drips_pdu(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send_slowly(_AC_HEADER + struct.pack(">I", 4096) + bytes(4096))


def _drips_tls(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send_slowly(b"\x16\x03\x03" + struct.pack(">H", 4096) + b"\x02\x00\x0f\xfc" + bytes(4092))


def _drips_http_headers(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(_STATUS)
    connection.drip_forever(b"X-Synthetic: a\r\n")


def _drips_http_body(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(_STATUS + _JSON + b"Content-Length: 100000\r\n\r\n")
    connection.send_slowly(b"[" + b" " * 99_999)


def _endless(connection: _Connection) -> None:
    connection.send_forever(bytes(_CHUNK))


def _endless_http_body(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(_STATUS + _JSON + b"Connection: close\r\n\r\n[")
    connection.send_forever(b" " * _CHUNK)


def _endless_http_headers(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(_STATUS)
    connection.send_forever(b"X-Synthetic: a\r\n" * 1024)


def _pdu_of_4_gib(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(_AC_HEADER + b"\xff\xff\xff\xff" + bytes(64))


def _truncated_pdu(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send(_AC_HEADER + struct.pack(">I", 256) + bytes(10))
    connection.end()


def _alerts(connection: _Connection) -> None:
    connection.wait_for_request()
    connection.send_forever(_WARNING * 1024)


def _gzip_bomb(connection: _Connection) -> None:
    body = _bomb()
    connection.wait_for_request()
    connection.send(_STATUS + _JSON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    mebibyte = b" " * 2**20
    return b"".join([*(packer.compress(mebibyte) for _ in range(_BOMB_MIB)), packer.flush()])


_SCRIPTS: Mapping[Fault, Callable[[_Connection], None]] = MappingProxyType(
    {
        Fault.CLOSES: _closes,
        Fault.CLOSES_AFTER_REQUEST: _closes_after_request,
        Fault.RESETS: _resets,
        Fault.RESETS_AFTER_REQUEST: _resets_after_request,
        Fault.SILENT: _silent,
        Fault.GARBAGE: _garbage,
        Fault.BANNER: _banner,
        Fault.DRIPS: _drips,
        Fault.DRIPS_PDU: _drips_pdu,
        Fault.DRIPS_TLS: _drips_tls,
        Fault.DRIPS_HTTP_HEADERS: _drips_http_headers,
        Fault.DRIPS_HTTP_BODY: _drips_http_body,
        Fault.ENDLESS: _endless,
        Fault.ENDLESS_HTTP_BODY: _endless_http_body,
        Fault.ENDLESS_HTTP_HEADERS: _endless_http_headers,
        Fault.PDU_OF_4_GIB: _pdu_of_4_gib,
        Fault.TRUNCATED_PDU: _truncated_pdu,
        Fault.ALERTS: _alerts,
        Fault.GZIP_BOMB: _gzip_bomb,
    }
)


class _Book:
    """What the child writes down for the test."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0

    def opened(self) -> None:
        with self._lock:
            self._open += 1
            self._write({"opened": self._open})

    def ended(self, received: int) -> None:
        with self._lock:
            self._open -= 1
            self._write({"received": received})

    def _write(self, line: dict[str, int]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _serve(accepted: socket.socket, script: Callable[[_Connection], None], interval_s: float, book: _Book) -> None:
    connection = _Connection(accepted, interval_s)
    reader = threading.Thread(target=connection.read_on)
    reader.start()
    with accepted:
        try:
            script(connection)
        except OSError:
            pass  # the client has had enough: its right
        finally:
            reader.join()
            book.ended(connection.received)


def _fill(listener: socket.socket) -> list[socket.socket]:
    """Connections that nobody accepts, until the kernel takes no more."""
    held = []
    while True:
        filler = socket.socket()
        filler.settimeout(0.2)
        held.append(filler)
        try:
            filler.connect(listener.getsockname())
        except TimeoutError:
            return held


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("fault", type=Fault)
    parser.add_argument("interval_s", type=float)
    asked = parser.parse_args()
    full = asked.fault is Fault.BACKLOG_FULL
    with socket.create_server((asked.host, asked.port), backlog=0 if full else 128) as listener:
        held = _fill(listener) if full else []
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        if held:
            threading.Event().wait()  # until the end of the process
        book = _Book()
        while True:
            accepted, _address = listener.accept()
            book.opened()
            threading.Thread(
                target=_serve, args=(accepted, _SCRIPTS[asked.fault], asked.interval_s, book), daemon=True
            ).start()


if __name__ == "__main__":
    _main()
