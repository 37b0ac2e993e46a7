"""The event loop of a run: uvloop where it is there, stock asyncio where it is not."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from checker.codecs.trust import chosen_trust_store
from checker.engine.contract import EngineEnd, EngineOptions, Recorder
from checker.engine.visit import Visit
from checker.errors import UsageError, place_of
from checker.introduction import Introduction
from checker.model import Asset, Inventory
from checker.net.gateway import Clock, Gateway
from checker.net.http import HttpDoor
from checker.net.ledger import Ledger
from checker.net.manners import MAX_PENDING, RUN_CONNECTIONS_PER_SECOND, Manners
from checker.net.tls import OwnCertificate
from checker.net.tls_context import usable_certificate
from checker.plan import chosen_depth, chosen_ports, chosen_speaks, chosen_udp

_log = logging.getLogger(__name__)

# Descriptors that are not connections: the journal, the epoll set, the standard streams, a resolver's sockets.
_DESCRIPTORS_KEPT = 64
_SYNC_EVERY_S = 0.5
_OBJECTS_BETWEEN_COLLECTIONS = 20_000

Visited = Callable[[Asset], None]


def run_visits(
    inventory: Inventory,
    assets: Sequence[Asset],
    options: EngineOptions,
    recorder: Recorder,
    *,
    run_id: str,
    visited: Visited,
) -> EngineEnd:
    """Visit every asset once and call `visited` after each visit, also after one that was interrupted in the middle.

    SIGINT and SIGTERM stop new visits and end those under way; an asset that was never reached gets no call.
    """
    with seldom_collecting(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_Run(inventory, options, recorder, run_id, visited).all(assets))


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """What is there already is left out of every search for cycles, and there are fewer of them.

    A run makes few cycles and very many short-lived objects, so that the searches find nothing and cost a tenth of it.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def check_own_certificate(inventory: Inventory) -> None:
    """Raises UsageError where OpenSSL cannot use our own certificate; to be called before a run is begun."""
    own = _own_certificate(inventory)
    if own is None:
        return
    try:
        usable_certificate(own)
    except ValueError as problem:
        raise UsageError(str(problem)) from None


def _own_certificate(inventory: Inventory) -> OwnCertificate | None:
    own = inventory.defaults.client_certificate
    return OwnCertificate(*own.paths) if own is not None and own.paths is not None else None


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's loop, or stock asyncio's where uvloop is missing or PACS_CHECKER_LOOP=asyncio asks for it."""
    if os.environ.get("PACS_CHECKER_LOOP") == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


class _Run:
    def __init__(
        self, inventory: Inventory, options: EngineOptions, recorder: Recorder, run_id: str, visited: Visited
    ) -> None:
        self._inventory = inventory
        self._options = options
        self._recorder = recorder
        self._visited = visited
        self._clock = Clock(utc=lambda: datetime.now(UTC), local=lambda: datetime.now().astimezone())
        self._ledger = Ledger(recorder.ledger, run_id=run_id, vantage=options.vantage, now=self._clock.utc)
        manners = Manners(
            connections_per_second=options.rate or RUN_CONNECTIONS_PER_SECOND,
            further_connections=_further_connections(_concurrency(options.concurrency)),
        )
        self._gateway = Gateway(inventory, manners, self._ledger, self._clock)
        self._introduction = Introduction.of(inventory)
        self._ports = chosen_ports(options.ports, inventory)
        self._udp = chosen_udp(options.ports, inventory)
        self._speaks = chosen_speaks(options.ports, inventory)
        self._trust = partial(chosen_trust_store, inventory.defaults.trust_store)
        self._own = _own_certificate(inventory)
        self._interrupted: str | None = None
        self._errors: list[str] = []

    async def all(self, assets: Sequence[Asset]) -> EngineEnd:
        loop = asyncio.get_running_loop()
        door = HttpDoor(self._introduction.user_agent)
        queue = iter(assets)
        workers = [
            asyncio.create_task(self._worker(queue, door))
            for _ in range(min(len(assets), _concurrency(self._options.concurrency)))
        ]

        def interrupt(name: str) -> None:
            self._interrupted = self._interrupted or name
            for worker in workers:
                worker.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt, number.name)
        syncing = asyncio.create_task(self._sync())
        try:
            results = await _all_or_none(workers)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            syncing.cancel()
            await asyncio.wait([syncing])
            await door.aclose()
            await asyncio.to_thread(self._recorder.sync)
        for result in results:
            # What a worker lets through is no visit's failure but the run's: a full disk, a bug in the journal.
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result
        if syncing.done() and not syncing.cancelled() and (failure := syncing.exception()) is not None:
            raise failure
        return EngineEnd(self._interrupted, self._ledger.totals, tuple(self._errors))

    async def _worker(self, queue: Iterator[Asset], door: HttpDoor) -> None:
        for asset in queue:
            visit = Visit(
                self._gateway.device(asset),
                scope=self._gateway.scope,
                door=door,
                introduction=self._introduction,
                vantage=self._options.vantage,
                ports=self._ports,
                udp=self._udp,
                speaks=self._speaks,
                clock=self._clock,
                record=self._recorder.observation,
                trust=self._trust,
                depth=chosen_depth(self._options.depth, asset, self._inventory),
                own=self._own,
            )
            try:
                await visit.run()
            except asyncio.CancelledError:
                visit.end("the run was interrupted")
                raise
            except OSError:
                # Not the network's (its outcomes are values): the journal could not be written, and nothing may go on.
                visit.end("the run was broken off")
                raise
            except Exception as error:  # one asset's bug must not end the visits of all others
                where = place_of(error)
                # Without a traceback, which may quote a peer.
                _log.error("visit of asset %s broke off: %s in %s", asset.id, type(error).__name__, where)
                self._errors.append(f"{asset.id}: {type(error).__name__} in {where}")
                visit.end(f"internal error: {type(error).__name__} in {where}")
            finally:
                self._visited(asset)

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY_S)
            await asyncio.to_thread(self._recorder.sync)


async def _all_or_none(workers: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    """How each worker ended; the first that fails ends the others, for no visit may go on unrecorded."""
    if workers:
        ended, others = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        if any(not worker.cancelled() and worker.exception() is not None for worker in ended):
            for worker in others:
                worker.cancel()
    return await asyncio.gather(*workers, return_exceptions=True)


def _concurrency(wanted: int) -> int:
    """As many visits at once as there are descriptors for: one connection each."""
    connections = _connections(wanted)
    return wanted if connections is None else max(1, min(wanted, connections))


def _further_connections(visits: int) -> int | None:
    """How many connections there are descriptors for beyond one for each visit, for sweeps; None for any number."""
    connections = _connections(visits * MAX_PENDING)
    return None if connections is None else max(0, connections - visits)


def _connections(wanted: int) -> int | None:
    """How many connections there are descriptors for, with the limit raised for so many; None for any number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if soft < wanted + _DESCRIPTORS_KEPT:
        soft = wanted + _DESCRIPTORS_KEPT if hard == resource.RLIM_INFINITY else min(hard, wanted + _DESCRIPTORS_KEPT)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft - _DESCRIPTORS_KEPT
