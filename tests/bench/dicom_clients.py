"""The clients beside us, for the benchmark: a bare one of uvloop with our own bytes, and pynetdicom with threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from checker.codecs import dicom_requests
from checker.model import AssociationPurpose
from tests.bench.dicom_fleet import AT_ONCE

THREADS = 32
_CALLED, _CALLING = "ANY-SCP", "BENCH"
_PDU_HEADER = 6


class _Bare(asyncio.Protocol):
    """Says each message when the one before was answered by a whole PDU, and then closes. It reads no answer."""

    def __init__(self, messages: tuple[bytes, ...], done: asyncio.Future[None]) -> None:
        self._messages = iter(messages)
        self._done = done
        self._left = 0  # of the PDU that is coming in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(next(self._messages))

    def data_received(self, data: bytes) -> None:
        self._left = (self._left or _PDU_HEADER + int.from_bytes(data[2:_PDU_HEADER], "big")) - len(data)
        if self._left:
            return
        message = next(self._messages, None)
        if message is None:
            self._transport.close()
        else:
            self._transport.write(message)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def bare(addresses: Sequence[str], port: int, *, echo: bool) -> int:
    """An association of each address with the survey's bytes, at most 500 at once; how many there were."""
    import uvloop

    survey = dicom_requests.associate_rq(AssociationPurpose.SURVEY, called=_CALLED, calling=_CALLING)
    echoed = (dicom_requests.echo_rq(1, 1),) if echo else ()
    messages = (survey, *echoed, dicom_requests.release_rq())

    async def work(queue: Sequence[str]) -> None:
        loop = asyncio.get_running_loop()
        for address in queue:
            done = loop.create_future()
            await loop.create_connection(partial(_Bare, messages, done), address, port)
            await done

    async def everything() -> None:
        await asyncio.gather(*(work(addresses[first::AT_ONCE]) for first in range(min(AT_ONCE, len(addresses)))))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(everything())
    return len(addresses)


def pynetdicom(addresses: Sequence[str], port: int) -> int:
    """An association with one context, C-ECHO and release, of each address, in 32 threads; how many there were."""
    from pynetdicom import AE
    from pynetdicom.sop_class import Verification

    def ask(address: str) -> bool:
        entity = AE(_CALLING)
        entity.add_requested_context(Verification, "1.2.840.10008.1.2")
        association = entity.associate(address, port, ae_title=_CALLED)
        answered = association.is_established and association.send_c_echo().Status == 0
        association.release()
        return bool(answered)

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(ask, addresses))
