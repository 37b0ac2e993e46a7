"""There is no way round the gateway: by the source, by a watch on the running product, and by the lint."""

from __future__ import annotations

import ast
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from checker.net.connection import Connection
from checker.net.gateway import Limits
from tests.conftest import LOOPS
from tests.live.doors import Door, asset
from tests.network_watch import NetworkWatch, watching

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "checker"

both_loops = pytest.mark.asyncio(loop_factories=LOOPS)

# ------------------------------------------------------------------------------------------------------- the source

FORBIDDEN_MODULES = frozenset(
    [
        *("socket", "_socket", "select", "selectors", "socketserver", "asyncio.streams", "asyncio.selector_events"),
        *("subprocess", "multiprocessing", "ctypes", "http.client", "http.server", "urllib.request", "ftplib"),
        *("smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc", "requests", "urllib3", "aiohttp", "asyncio_dgram"),
    ]
)
FORBIDDEN_CALLS = frozenset(
    [
        *("create_connection", "create_datagram_endpoint", "create_unix_connection", "create_server"),
        *("open_connection", "open_unix_connection", "start_server", "connect_ex", "sock_connect", "sock_sendto"),
        *("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyaddr", "socketpair", "urlopen", "urlretrieve"),
        *("create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"),
    ]
)
# Of the names that also mean harmless things, only these: `os.system`, not `platform.system`.
FORBIDDEN_OF_MODULES = frozenset({("os", "system"), ("os", "popen"), ("os", "posix_spawn"), ("os", "execv")})


def trespasses(source: str) -> list[str]:
    """What of a module's source could open a connection, look up a name or start a program."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [name.name for name in names if forbidden(name.name)]
            case ast.ImportFrom(module=str(module), names=names):
                whole = [module, *(f"{module}.{name.name}" for name in names)]
                found += [name for name in whole if forbidden(name)]
                found += [name.name for name in names if name.name in FORBIDDEN_CALLS]
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[first, *_]):
                if isinstance(first, ast.Constant) and forbidden(str(first.value)):
                    found.append(str(first.value))
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if (owner, name) in FORBIDDEN_OF_MODULES:
                found.append(f"{owner}.{name}")
            case ast.Attribute(attr=name) if name in FORBIDDEN_CALLS:
                found.append(name)
            case _:
                pass
    return found


def forbidden(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[: length + 1]) in FORBIDDEN_MODULES for length in range(len(parts)))


def modules(*, inside: bool) -> list[Path]:
    """The modules of the house that may (`inside`), or all others. The demo serves, and is served by nobody else."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        if room != "demo" and (room == "net") == inside:
            found.append(path)
    return sorted(found)


@pytest.mark.parametrize("path", modules(inside=False), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_outside_the_house_can_touch_the_network(path: Path) -> None:
    assert trespasses(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", modules(inside=True), ids=lambda path: path.name)
def test_in_the_house_only_the_gateway_opens_anything(path: Path) -> None:
    opening = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    } & (FORBIDDEN_CALLS | {"socket", "connect_ex", "bind", "sendto", "wrap_socket"})

    expected = {
        "gateway.py": {"socket", "connect_ex", "bind", "getaddrinfo"},
        "udp.py": {"sendto"},  # in the gateway's hands, as the next test holds
    }
    assert opening == expected.get(path.name, set())


def test_nobody_but_the_gateway_sends_datagrams() -> None:
    naming = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Name) and node.id == "UdpExchange")
        or (isinstance(node, ast.alias) and node.name in ("UdpExchange", "checker.net.udp"))
    }

    assert naming == {"net/gateway.py"}


@pytest.mark.parametrize(
    "planted",
    [
        "import socket",
        "import socket as s",
        "import os, _socket",
        "from socket import create_connection",
        "import select",
        "from selectors import DefaultSelector",
        "import http.client",
        "from http import client",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import subprocess",
        "def f():\n    from asyncio import open_connection",
        "from asyncio.streams import StreamReader",
        "async def f(loop):\n    await loop.create_connection(None, 'h', 1)",
        "async def f(loop, s):\n    await loop.sock_connect(s, ('h', 1))",
        "async def f(loop):\n    await loop.create_datagram_endpoint(None)",
        "def f(loop):\n    return loop.getaddrinfo('h', 1)",
        "__import__('socket')",
        "import importlib\nimportlib.import_module('_socket')",
        "import os\nos.system('nc h 1')",
    ],
)
def test_what_is_planted_is_found(planted: str) -> None:
    assert trespasses(planted)


@pytest.mark.parametrize(
    "harmless", ["from urllib.parse import urlsplit", "import asyncio", "import platform\nplatform.system()"]
)
def test_what_is_harmless_is_let_be(harmless: str) -> None:
    assert not trespasses(harmless)


# --------------------------------------------------------------------------------------------------- while it runs


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def module_of_the_product(source: str, name: str = "checker.rules.planted") -> types.ModuleType:
    """A module that says it is the product's."""
    module = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - planted by this test
    return module


@both_loops
async def test_the_gateway_passes(only_the_gateway: NetworkWatch, listener: socket.socket) -> None:
    door = Door(asset(hostname="localhost"))
    device, permit = door.permitted()

    facts = await device.resolve("localhost")
    made = await device.connect(permit, listener.getsockname()[1], "test", Limits())

    assert facts.error is None
    assert isinstance(made, Connection)
    made.abandon()
    assert only_the_gateway.passed == ["loop.getaddrinfo", "socket.connect_ex"]


@both_loops
async def test_what_a_test_does_for_itself_passes(only_the_gateway: NetworkWatch, listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()):
        pass
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.close()
    await writer.wait_closed()

    assert only_the_gateway.passed == []


PLANTED_SYNC = {
    "connect": "import socket\ndef go(a):\n    with socket.socket() as s: s.connect(a)",
    "connect_ex": "import socket\ndef go(a):\n    with socket.socket() as s: s.connect_ex(a)",
    "create_connection": "import socket\ndef go(a):\n    socket.create_connection(a)",
    "from import": "from socket import socket\ndef go(a):\n    with socket() as s: s.connect(a)",
    "sendto": "import socket\ndef go(a):\n    with socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b'x', a)",
    "bind": "import socket\ndef go(a):\n    with socket.socket() as s: s.bind(('127.0.0.1', 0))",
    "getaddrinfo": "import socket\ndef go(a):\n    socket.getaddrinfo(*a)",
    "gethostbyname": "import socket\ndef go(a):\n    socket.gethostbyname('localhost')",
    "http.client": "import http.client\ndef go(a):\n    http.client.HTTPConnection(*a).request('GET', '/')",
}


@pytest.mark.parametrize("source", PLANTED_SYNC.values(), ids=PLANTED_SYNC)
def test_a_planted_call_is_caught_and_sends_nothing(source: str, listener: socket.socket) -> None:
    with watching() as watch, pytest.raises(AssertionError, match=r"checker\.rules\.planted calls"):
        module_of_the_product(source).go(listener.getsockname())

    assert [who.split(":")[0] for who in watch.trespasses] == ["checker.rules.planted"]
    with pytest.raises(BlockingIOError):
        listener.accept()


PLANTED_ASYNC = {
    "open_connection": "import asyncio\nasync def go(a):\n    await asyncio.open_connection(*a)",
    "create_connection": "import asyncio\nasync def go(a):\n"
    "    await asyncio.get_running_loop().create_connection(asyncio.Protocol, *a)",
    "create_datagram_endpoint": "import asyncio\nasync def go(a):\n"
    "    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=a)",
    "sock_connect": "import asyncio, socket\nasync def go(a):\n    with socket.socket() as s:\n"
    "        s.setblocking(False)\n        await asyncio.get_running_loop().sock_connect(s, a)",
    "getaddrinfo": "import asyncio\nasync def go(a):\n    await asyncio.get_running_loop().getaddrinfo(*a)",
    "httpx": "import httpx\nasync def go(a):\n"
    "    async with httpx.AsyncClient(trust_env=False) as client: await client.get('http://%s:%d/' % a)",
}


@both_loops
@pytest.mark.parametrize("source", PLANTED_ASYNC.values(), ids=PLANTED_ASYNC)
@pytest.mark.parametrize("name", ["checker.probes.planted", "checker.net.http", "checker.net.gateway_too"])
async def test_a_planted_coroutine_is_caught_and_sends_nothing(source: str, name: str, listener: socket.socket) -> None:
    go: Callable[[object], Awaitable[None]] = module_of_the_product(source, name).go
    # A library may connect in a task of its own, for which nobody answers, and raise what it caught there in a group.
    with watching() as watch, pytest.raises((AssertionError, ExceptionGroup)):
        await go(listener.getsockname())

    assert {who.split(":")[0] for who in watch.trespasses} <= {name, "nobody"}
    assert watch.trespasses
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_thread_that_nobody_answers_for_is_caught(listener: socket.socket) -> None:
    def connect() -> None:
        with socket.socket() as sock:
            sock.connect(listener.getsockname())

    # A function whose module is neither the product's nor a test's, as a library's own thread would run.
    foreign = types.FunctionType(connect.__code__, {**globals(), "__name__": "library"}, closure=connect.__closure__)
    caught: list[BaseException] = []

    def guarded(run: Callable[[], None]) -> None:
        try:
            run()
        except AssertionError as error:
            caught.append(error)

    library = {"__name__": "library", "caught": caught, "AssertionError": AssertionError}
    runner = types.FunctionType(guarded.__code__, library, closure=guarded.__closure__)
    with watching() as watch:
        thread = threading.Thread(target=runner, args=(foreign,))
        thread.start()
        thread.join()

    assert watch.trespasses == ["nobody: socket.connect"]
    assert len(caught) == 1


def test_all_is_as_before_after_the_watch() -> None:
    before = socket.socket.connect, socket.create_connection, asyncio.SelectorEventLoop.getaddrinfo
    with watching():
        assert socket.create_connection is not before[1]

    assert (socket.socket.connect, socket.create_connection, asyncio.SelectorEventLoop.getaddrinfo) == before


# ------------------------------------------------------------------------------------------------------- the lint

PURE = "Judgement and codecs are pure"
HOUSE = "Only the gateway's house opens sockets"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product's source and its configuration."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copytree(PACKAGE, copy / "checker", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(tree: Path) -> str:
    """What `make lint` says about the imports of a tree."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", "pyproject.toml", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=100)
    assert "KEPT" in done.stdout or "BROKEN" in done.stdout, done.stdout + done.stderr
    return done.stdout


def test_the_lint_keeps_what_is_clean(tree: Path) -> None:
    said = lint(tree)

    assert f"{PURE} KEPT" in said
    assert f"{HOUSE} KEPT" in said


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("rules/dicom/cleartext.py", "import socket", PURE),
        ("codecs/dicom.py", "import asyncio", PURE),
        ("scope.py", "import ssl", PURE),
        ("probes/ports.py", "import socket", HOUSE),
        ("engine/loop.py", "import select", HOUSE),
    ],
)
def test_the_lint_breaks_on_a_planted_import(
    tree: Path, tmp_path: Path, module: str, planted: str, contract: str
) -> None:
    copy = shutil.copytree(tree, tmp_path / "tree")
    with (copy / "checker" / module).open("a") as source:
        source.write(f"\n{planted}  # planted\n")

    said = lint(copy)

    assert f"{contract} BROKEN" in said
    dotted = "checker." + module.removesuffix(".py").replace("/", ".")
    assert f"{dotted} -> {planted.removeprefix('import ')} (l." in said
