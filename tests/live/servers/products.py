"""Web products that cannot be run here, each as a small server on loopback that gives the documented answers.

A product is a pure function from a path with its query to an answer: status, headers and the signs that its source
shows, in pages of our own making. Beside each stands the file of the product that shows the answer. Every path at which
the product would give out data gives out synthetic records here, so that a test sees where that was asked for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.live.servers.process import LOOPBACK
from tests.live.synthetic import COOKIE, NAME, PATIENT_ID, study_uid

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the length is added when it is sent."""

    status: int
    body: bytes = b""
    headers: Headers = ()

    def also(self, *headers: tuple[str, str]) -> Answer:
        """The same with further headers."""
        return Answer(self.status, self.body, (*self.headers, *headers))


Answers = Callable[[str], Answer]
"""What a product answers to a GET of this path with its query."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running product. `asked` are the lines of all requests, `sent` their headers with names in lower case."""

    port: int
    asked: list[str] = field(default_factory=list)
    sent: list[Mapping[str, str]] = field(default_factory=list)
    host: str = LOOPBACK

    @property
    def url(self) -> str:
        """The origin, without a slash at the end."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def serving_product(answers: Answers, *, host: str = LOOPBACK) -> Iterator[Served]:
    """The product on a port of its own; what is no GET gets 405. It asserts that no answer broke while it was made."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            line = self.rfile.readline(65537)
            self.raw_requestline, self.close_connection = line, True
            if not line or not self.parse_request():
                return
            served.asked.append(self.requestline)
            served.sent.append({name.lower(): value for name, value in self.headers.items()})
            self._send(answers(self.path) if self.command == "GET" else Answer(405))

        def _send(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if answer.status != 204:  # RFC 9110 8.6
                self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)

    broken: list[BaseException] = []

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            error = sys.exception()
            if error is not None and not isinstance(error, ConnectionError):  # a client may leave when it likes
                broken.append(error)

    with Server((host, 0), Handler) as server:
        served = Served(server.server_address[1], host=host)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
    assert broken == [], "an answer of the test's own is broken"


# -------------------------------------------------------------------------------------------- what all products have

RECORDS = json.dumps(
    [
        {
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": NAME}]},
            "00100020": {"vr": "LO", "Value": [PATIENT_ID]},
            "0020000D": {"vr": "UI", "Value": [study_uid(1)]},
        }
    ]
).encode()
"""What is given out where data is asked for, or where a question is not understood."""

_LOGIN = (
    '<form method="post" action="{action}">User: <input type="text" name="{user}">'
    ' Password: <input type="password" name="{other}"> <input type="submit" value="Login"></form>'
)


def html(text: str, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """A page."""
    return Answer(
        status, f"<!DOCTYPE html>\n{text}\n".encode(), (("Content-Type", "text/html;charset=UTF-8"), *headers)
    )


def page(title: str, body: str, head: str = "") -> str:
    """The text of a page."""
    return f"<html><head><meta charset='utf-8'>{head}<title>{title}</title></head><body>{body}</body></html>"


def form(action: str = "login", *, user: str = "user", other: str = "other") -> str:
    """A login form; `user` and `other` are the names of its two fields."""
    return _LOGIN.format(action=action, user=user, other=other)


def shell(title: str, mount: str = '<div id="app"></div>', head: str = "") -> str:
    """The text of a single-page application."""
    return page(title, f'{mount}<script src="/assets/main.synthetic.js"></script>', head)


def in_json(value: object, status: int = 200, media: str = "application/json") -> Answer:
    """A document in JSON."""
    return Answer(status, json.dumps(value, separators=(",", ":")).encode(), (("Content-Type", media),))


def records(media: str = "application/dicom+json") -> Answer:
    """Synthetic data: what must never be asked for."""
    return Answer(200, RECORDS, (("Content-Type", media),))


def missing(text: str = "Not Found") -> Answer:
    """404 in plain words."""
    return Answer(404, text.encode(), (("Content-Type", "text/html;charset=UTF-8"),))


def challenge(*schemes: str, cookie: bool = False) -> Answer:
    """401 with these challenges, one header for each."""
    more: Headers = (("Set-Cookie", f"JSESSIONID={COOKIE}; path=/"),) if cookie else ()
    return Answer(401, b"", (*(("WWW-Authenticate", scheme) for scheme in schemes), *more))


def redirected(location: str) -> Answer:
    """302 with the session's cookie that mostly comes with it."""
    return Answer(302, b"", (("Location", location), ("Set-Cookie", f"JSESSIONID={COOKIE}; path=/; HttpOnly")))


def behind_basic(answers: Answers, realm: str = "Synthetic") -> Answers:
    """Nothing but a Basic challenge: what a web server before a product does that has no login of its own."""
    return lambda _: challenge(f'Basic realm="{realm}"')


def parts(path: str) -> tuple[str, str]:
    """A path and its query."""
    split = urlsplit(path)
    return split.path, split.query
