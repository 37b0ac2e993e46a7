"""What all tests share: both event loops, what the servers said when a test failed, and the watch on the network.

An async test runs on stock asyncio; `pytest.mark.asyncio(loop_factories=LOOPS)` runs it once on each loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator

import pytest

from tests.live.servers.process import RUNNING
from tests.network_watch import NetworkWatch, watching

LOOPS = ("asyncio", "uvloop")


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loops that a test may name. uvloop is an option of the product, so its tests are skipped where it is not."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    marker = item.get_closest_marker("asyncio")
    if marker is not None and "loop_factories" in marker.kwargs:
        try:
            import uvloop
        except ImportError:
            return factories
        factories["uvloop"] = uvloop.new_event_loop
    return factories


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what the servers that still run have written last."""
    report = yield
    if report.failed:
        report.sections.extend((f"Output of {server.name}", server.tail()) for server in RUNNING)
    return report


@pytest.fixture
def only_the_gateway() -> Iterator[NetworkWatch]:
    """Fail the test if anything of the product but the gateway has opened a connection or looked up a name."""
    with watching() as watch:
        yield watch
    assert not watch.trespasses, f"the network was touched past the gateway: {watch.trespasses}"
