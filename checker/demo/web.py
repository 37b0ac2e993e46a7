"""The web side of the simulated hospital: HTTP servers of the standard library, in threads of the process that calls.

Only GET is known; a handshake or a request that does not come is given up after a while, in its own thread, so that no
client can hold a server from the others.
"""

from __future__ import annotations

import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer
from threading import Thread
from typing import cast

from checker.demo.assets import DatabaseListener, WebServer
from checker.demo.sites import BEHAVIOURS, Behaviour

_TIMEOUT_S = 10.0
_CLOSE_NOTIFY_S = 1.0


def start_web(server: WebServer, address: str, tls: ssl.SSLContext | None) -> None:
    """Bind and serve until the process ends; OSError where the address and port cannot be had."""
    _serve(_HttpServer((address, server.port), BEHAVIOURS[server.site], tls))


def start_database(server: DatabaseListener, address: str) -> None:
    """Bind and listen until the process ends; OSError where the address and port cannot be had."""
    _serve(_DatabaseServer((address, server.port), _Wait))


def _serve(server: TCPServer) -> None:
    Thread(target=server.serve_forever, name=f"demo-{server.server_address!r}", daemon=True).start()


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
        self.behaviour = behaviour
        self.tls = tls
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The parent class would ask a resolver for the name of the address.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def finish_request(self, request: object, client_address: object) -> None:
        plain = cast("socket.socket", request)
        plain.settimeout(_TIMEOUT_S)
        if self.tls is None:
            super().finish_request(plain, client_address)
            return
        with self.tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as secured:
            secured.do_handshake()
            super().finish_request(secured, client_address)
            secured.settimeout(_CLOSE_NOTIFY_S)
            secured.unwrap().close()

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that leaves, or a handshake that fails, is no fault of the hospital's.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(cast("socket.socket", request), client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S
    wbufsize = -1  # headers and body leave together

    def do_GET(self) -> None:
        behaviour = cast("_HttpServer", self.server).behaviour
        path, _, query = self.path.partition("?")
        answer = behaviour.respond(path, query)
        self.send_response(answer.status)
        for name, value in (*behaviour.headers, *answer.headers):
            self.send_header(name, value)
        if answer.media_type is not None:
            self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        return cast("_HttpServer", self.server).behaviour.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Nothing: the hospital keeps no log."""


class _DatabaseServer(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(cast("socket.socket", request), client_address)


class _Wait(BaseRequestHandler):
    def handle(self) -> None:
        """Wait for a stranger's first bytes, and hang up."""
        connection = cast("socket.socket", self.request)
        connection.settimeout(_TIMEOUT_S)
        connection.recv(1024)
