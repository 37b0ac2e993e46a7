"""What hostile web fronts say: bombs, floods, drips, endless heads, and Locations that lead out of the scope.

Each is what a single server has been seen to do, or could do to a client that reads, unpacks, follows or waits too
much. Nothing here opens anything: `tests.faults.web_fronts` does.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType

from tests.live.synthetic import NAME

TRAP = "127.66.0.1"
"""Outside of what the fronts' inventory owns."""

TRAP_NAME = "outside.example.org"
"""A name that leads there."""


@dataclass(slots=True)
class Asked:
    """A request of which the head has come, and the way to answer it."""

    path: str
    host: str
    port: int
    authority: str  # as the client named us, in its header Host
    writer: asyncio.StreamWriter

    async def say(self, content: bytes) -> None:
        """Send, and wait until it is on its way."""
        self.writer.write(content)
        await self.writer.drain()


Front = Callable[[Asked], Awaitable[None]]

_OK = b"HTTP/1.1 200 OK\r\n"
_JSON = b"Content-Type: application/dicom+json\r\n"
_HTML = b"Content-Type: text/html\r\n"
_EMPTY = _JSON + b"Content-Length: 2\r\n\r\n[]"
_ROOTS = (
    "http://{trap}:{port}/dicom-web",
    "http://{name}:{port}/dicom-web",
    "http://[::1]:{port}/dicom-web",
    "//{trap}:{port}/dicom-web",
    "http://{host}:{port}@{trap}:{port}/dicom-web",
)
_DATA = b'[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"' + NAME.encode() + b'"}]}},' * 1000
"""Data of a synthetic patient, which is to be found nowhere."""

_DRIP_S = 0.05
_BOMB_MIB = 256


async def _whole(asked: Asked, *, answer: bytes) -> None:
    await asked.say(answer)


async def _forever(asked: Asked, *, begin: bytes, part: bytes, drip_s: float = 0.0) -> None:
    """Ends when the client has had enough, which is an error of the writer's."""
    await asked.say(begin)
    while True:
        await asked.say(part)
        await asyncio.sleep(drip_s)


async def _bomb(asked: Asked, *, headers: bytes) -> None:
    body = _packed()
    await asked.say(_OK + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)


@cache
def _packed() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    mebibyte = b" " * 2**20
    return b"".join([*(packer.compress(mebibyte) for _ in range(_BOMB_MIB)), packer.flush()])


async def _ring(asked: Asked, *, to: Mapping[str, str]) -> None:
    await _redirect(asked, location=to.get(asked.path, "/"))


async def _deeper(asked: Asked) -> None:
    await _redirect(asked, location="app/")  # relative to where we are, hence without end


async def _redirect(asked: Asked, *, location: str, status: int = 302, more: str = "") -> None:
    filled = _filled(asked, f"Location: {location}\r\n{more}")
    await asked.say(f"HTTP/1.1 {status} Elsewhere\r\n".encode() + filled + b"Content-Length: 0\r\n\r\n")


async def _beckoning(asked: Asked, *, headers: str = "", body: str = "") -> None:
    content = _filled(asked, body)
    await asked.say(_OK + _filled(asked, headers) + _HTML + b"Content-Length: %d\r\n\r\n" % len(content) + content)


def _filled(asked: Asked, text: str) -> bytes:
    """The text with the places in it that lead here and elsewhere."""
    return text.format(port=asked.port, host=asked.host, authority=asked.authority, trap=TRAP, name=TRAP_NAME).encode()


async def _viewer(asked: Asked, *, roots: Sequence[str], archive: bool = False) -> None:
    """The OHIF viewer's page on every path but that of its configuration, which names these archives (`app-config.js`).

    With an `archive` also an open one.
    """
    if asked.path == "/app-config.js":
        sources = ",".join(
            f"{{{{sourceName:'a',configuration:{{{{qidoRoot:'{root}',wadoRoot:'{root}'}}}}}}}}" for root in roots
        )
        media, body = (
            b"application/javascript",
            f"window.config = {{{{routerBasename: '/', dataSources: [{sources}]}}}};",
        )
    elif archive and asked.path.endswith("/series?limit=1"):
        media, body = b"application/dicom+json", "[]"
    elif archive and "/studies/" in asked.path:
        await asked.say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    else:
        media, body = b"text/html", "<!doctype html><title>OHIF Viewer</title><script src='/app-config.js'></script>"
    content = _filled(asked, body)
    await asked.say(_OK + b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n" % (media, len(content)) + content)


def _headers(count: int, line: bytes) -> bytes:
    return b"".join(line.replace(b"#", b"%d" % number) for number in range(count))


LOCATIONS: Sequence[str] = (
    # Elsewhere in so many words: an address, a name that leads there, IPv6 literals.
    "http://{trap}:{port}/",
    "https://{trap}:{port}/",
    "//{trap}:{port}/",
    "http://{name}:{port}/",
    "http://{host}:1/",
    "http://[::1]:{port}/",
    "//[::1]:{port}/",
    "http://[::ffff:{trap}]:{port}/",
    "http://[::ffff:7f42:1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    # Elsewhere as some read it: other ways to write an address, a host behind somebody's name, a host of a host.
    "http://2135031809:{port}/",
    "http://0x7f420001:{port}/",
    "http://0177.0102.0.1:{port}/",
    "http://127.66.1:{port}/",
    "http://{trap}.:{port}/",
    "http://{host}@{trap}:{port}/",
    "http://{host}:{port}@{trap}:{port}/",
    "http://{trap}:{port}#@{host}:{port}/",
    "http://{trap}:{port}\\@{host}:{port}/",
    "http:\\\\{trap}:{port}\\",
    "/\\{trap}:{port}/",
    "\\/{trap}:{port}/",
    "///{trap}:{port}/",
    "////{trap}:{port}/",
    "http:///{trap}:{port}/",
    "http:{trap}:{port}/",
    "http:/{trap}:{port}/",
    "h\tttp://{trap}:{port}/",
    "http://{trap}%00.{host}:{port}/",
    "http://%31%32%37.66.0.1:{port}/",
    "http://\uff11\uff12\uff17.66.0.1:{port}/",
    "http://{trap}\u3002:{port}/",
    "http://{host}:{port}\u2044@{trap}:{port}/",
    # No place at all.
    "",
    " ",
    "http://",
    "http://:{port}/",
    "http://[",
    "http://[::1",
    "http://]::1[:{port}/",
    "http://[v1.x]:{port}/",
    "http://{host}:99999/",
    "http://{host}:-1/",
    "http://{host}:port/",
    "http://{host}:{port}:{port}/",
    "http://{host} :{port}/",
    "file:///etc/passwd",
    "gopher://{trap}:{port}/_x",
    "javascript:location='//{trap}:{port}'",
    "data:text/html,<a>",
    "unix:/run/x",
    "?" * 9000,
    "/%",
    "/\x7f",
    "/app/\u00ff",
)
"""What the fronts `location <number>` send as their Location."""

FRONTS: Mapping[str, Front] = MappingProxyType(
    {
        "gzip bomb": partial(_bomb, headers=_JSON + b"Content-Encoding: gzip\r\n"),
        "bomb in many codings": partial(
            _bomb, headers=_JSON + b"Content-Encoding: br, gzip\r\nContent-Encoding: gzip\r\n"
        ),
        "bomb as a page": partial(_bomb, headers=_HTML + b"Content-Encoding: gzip\r\n"),
        "bomb that is not declared": partial(_bomb, headers=_JSON),
        "bomb in a transfer coding": partial(_bomb, headers=_JSON + b"Transfer-Encoding: gzip, chunked\r\n"),
        "endless body": partial(_forever, begin=_OK + _JSON + b"\r\n[", part=b" " * 65_536),
        "endless page": partial(_forever, begin=_OK + _HTML + b"\r\n<html>", part=b"<p>" * 21_845),
        "endless blanks as a page": partial(_forever, begin=_OK + _HTML + b"\r\n", part=b"\n" * 65_536),
        "endless chunks": partial(
            _forever, begin=_OK + _HTML + b"Transfer-Encoding: chunked\r\n\r\n", part=b"1\r\n \r\n" * 8192
        ),
        "endless chunk extension": partial(
            _forever, begin=_OK + _HTML + b"Transfer-Encoding: chunked\r\n\r\n1;", part=b"a" * 65_536
        ),
        "endless trailers": partial(
            _forever, begin=_OK + _HTML + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", part=b"X: a\r\n" * 8192
        ),
        "endless bytes behind an answer": partial(_forever, begin=_OK + _EMPTY, part=_DATA),
        "header drip": partial(_forever, begin=_OK, part=b"X", drip_s=_DRIP_S),
        "body drip": partial(
            _forever, begin=_OK + _HTML + b"Content-Length: 90000\r\n\r\n<html>", part=b" ", drip_s=_DRIP_S
        ),
        "endless 100s": partial(_forever, begin=b"", part=b"HTTP/1.1 100 Continue\r\n\r\n" * 1024),
        "endless 103s": partial(
            _forever, begin=b"", part=b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 512
        ),
        "drip of 102s": partial(_forever, begin=b"", part=b"HTTP/1.1 102 Processing\r\n\r\n", drip_s=_DRIP_S),
        "some 102s, then an answer": partial(_whole, answer=b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + _OK + _EMPTY),
        "header of 100 KB": partial(_whole, answer=_OK + b"X-Long: " + b"a" * 102_400 + b"\r\n" + _EMPTY),
        "header of 50 KB": partial(
            _whole,
            answer=_OK + b"Server: " + b"a" * 10_000 + b"\r\nSet-Cookie: " + b"b" * 20_000 + b"=c\r\n"
            b'WWW-Authenticate: Basic realm="' + b"d" * 20_000 + b'"\r\n' + _EMPTY,
        ),
        "status line of 100 KB": partial(_whole, answer=b"HTTP/1.1 200 " + b"a" * 102_400 + b"\r\n" + _EMPTY),
        "thousands of headers": partial(_whole, answer=_OK + _headers(5000, b"X-#: a\r\n") + _EMPTY),
        "thousands of cookies": partial(_whole, answer=_OK + _headers(2500, b"Set-Cookie: c#=a\r\n") + _EMPTY),
        "tens of thousands of headers": partial(_whole, answer=_OK + _headers(40_000, b"X-#: a\r\n") + _EMPTY),
        "redirect to itself": partial(_ring, to={}),
        "redirects in a ring": partial(_ring, to={"/": "/app", "/app": "/web", "/web": "/"}),
        "redirects ever deeper": _deeper,
        "redirect to the same by its name": partial(_redirect, location="http://{authority}/app/"),
        "two Locations": partial(_redirect, location="/app/", more="Location: http://{trap}:{port}/\r\n"),
        "two Locations, the first elsewhere": partial(
            _redirect, location="http://{trap}:{port}/", more="Location: /app/\r\n"
        ),
        "use a proxy": partial(_redirect, location="http://{trap}:{port}/", status=305),
        "choices": partial(_redirect, location="http://{trap}:{port}/", status=300),
        "created": partial(_redirect, location="http://{trap}:{port}/", status=201),
        "refresh elsewhere": partial(_beckoning, headers="Refresh: 0; url=http://{trap}:{port}/\r\n", body="<html>"),
        "alternative service": partial(
            _beckoning,
            headers='Alt-Svc: h2="{trap}:{port}"; ma=9\r\nLink: <http://{trap}:{port}/>; rel=preload\r\n'
            "Content-Location: http://{trap}:{port}/\r\n",
            body="<html>",
        ),
        "page that leads elsewhere": partial(
            _beckoning,
            body='<meta http-equiv="refresh" content="0;url=http://{trap}:{port}/">'
            "<script>location.href='http://{name}:{port}/'</script><img src='http://{trap}:{port}/a.png'>",
        ),
        "viewer of archives elsewhere": partial(_viewer, roots=_ROOTS),
        "viewer of an archive by its name": partial(_viewer, roots=("http://{authority}/dicom-web",), archive=True),
        "empty list": partial(_whole, answer=_OK + _EMPTY),
        **{f"location {number}": partial(_redirect, location=text) for number, text in enumerate(LOCATIONS)},
    }
)
"""Every front by its name: what it says to each request. It closes the connection behind that."""
