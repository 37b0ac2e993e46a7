"""What runs inside the network namespaces of `test_namespace.py`, as child processes.

`serve PORT...` is a device that sends back what it is sent. `ask LOOP` is the product's gateway on one of the event
loops: a JSON object a line asks, a JSON object a line answers.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from unittest.mock import patch

from checker.model import ConnectState, End, PortFacts
from checker.net.gateway import Limits
from checker.net.readiness import Readiness
from tests.live.doors import Door, asset


def _serve(ports: Sequence[int]) -> None:
    listeners = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) for port in ports]
    for listener in listeners:
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    _say_text("ready")
    threading.Event().wait()  # until the end of the process


def _accept(listener: socket.socket) -> None:
    while True:
        accepted, _ = listener.accept()
        threading.Thread(target=_send_back, args=(accepted,), daemon=True).start()


def _send_back(accepted: socket.socket) -> None:
    with accepted:
        while received := accepted.recv(4096):
            accepted.sendall(received)


async def _ask(wish: dict[str, object]) -> None:
    """One connection.

    `late`: the wait for it ends after so many seconds, and as if nothing had come. `converse`: when it is open, say so,
    wait for a line, send four bytes and say what came back.
    """
    with ExitStack() as stack:
        if late := float(str(wish.get("late", 0))):

            async def writable(_self: Readiness, _deadline: float) -> bool:
                await asyncio.sleep(late)
                return False

            stack.enter_context(patch.object(Readiness, "writable", writable))
        await _connect(wish)


async def _connect(wish: dict[str, object]) -> None:
    address, port = str(wish["address"]), int(str(wish["port"]))
    device, permit = Door(asset("a", [address]), owned=("0.0.0.0/0", "::/0")).permitted()
    limits = Limits(connect_s=float(str(wish.get("connect_s", 3.0))), conversation_s=6.0)
    made = await device.connect(permit, port, "test", limits)
    if isinstance(made, PortFacts):
        _say(asdict(made))
        return
    _say({"state": ConnectState.OPEN})
    if wish.get("converse"):
        await asyncio.to_thread(sys.stdin.readline)
        end = await made.send(b"ping")
        got = end or await made.receive()
        _say({"got": got.value if isinstance(got, End) else got.decode()})
    await made.close()


def _say(answer: dict[str, object]) -> None:
    _say_text(json.dumps(answer))


def _say_text(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _main() -> None:
    if sys.argv[1] == "serve":
        _serve([int(port) for port in sys.argv[2:]])
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if sys.argv[2] == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        for line in iter(sys.stdin.readline, ""):
            runner.run(_ask(json.loads(line)))


if __name__ == "__main__":
    _main()
