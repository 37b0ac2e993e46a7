"""A gateway for a test, over an inventory of synthetic assets, with its ledger in memory and a clock to be set."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from checker.model import (
    Asset,
    AssetManners,
    Authorization,
    Defaults,
    Inventory,
    Permit,
    Role,
    Service,
)
from checker.net.gateway import Clock, Device, Gateway
from checker.net.ledger import Ledger
from checker.net.manners import Manners

LOOPBACK = ("127.0.0.0/8", "::1/128")
QUICK = AssetManners(gap_s=0.0)


def asset(
    name: str = "a",
    addresses: Sequence[str] = ("127.0.0.1",),
    *,
    hostname: str | None = None,
    site: str = "campus",
    manners: AssetManners = QUICK,
    services: Sequence[Service] = (),
) -> Asset:
    """A synthetic asset."""
    return Asset(name, name, tuple(addresses), hostname, Role.ARCHIVE, site, None, None, manners, tuple(services))


LACKING = {"socket": "EMFILE", "setsockopt": "ENOBUFS", "connect_ex": "EADDRNOTAVAIL"}
"""What a socket of a machine that is short of something may fail at, and the error it then gives."""


def poor_socket(what: str) -> type[socket.socket]:
    """A class of sockets of which `what`, a key of `LACKING`, fails: the class itself or one of its methods."""
    code = getattr(errno, LACKING[what])

    class Poor(socket.socket):
        def __init__(self, *arguments: Any) -> None:
            if what == "socket":
                raise OSError(code, os.strerror(code))
            super().__init__(*arguments)

        def setsockopt(self, *arguments: Any) -> None:
            if what == "setsockopt":
                raise OSError(code, os.strerror(code))
            super().setsockopt(*arguments)

        def connect_ex(self, address: Any) -> int:
            return code if what == "connect_ex" else super().connect_ex(address)

    return Poor


class Door:
    """A gateway over some assets. `today` may be set; `before_line` is called with each line before it is kept."""

    def __init__(
        self,
        *assets: Asset,
        owned: Sequence[str] = LOOPBACK,
        public: Sequence[str] = (),
        excluded: Sequence[str] = (),
        manners: Manners | None = None,
        expires: date = date(2027, 6, 30),
    ) -> None:
        self.assets = {each.id: each for each in assets}
        self.lines: list[dict[str, object]] = []
        self.before_line: Callable[[dict[str, object]], None] = lambda _line: None
        self.today = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
        clock = Clock(utc=lambda: self.today, local=lambda: self.today)
        ledger = Ledger(self._keep, run_id="synthetic-run", vantage="local", now=clock.utc)
        self.inventory = Inventory(
            organization="Synthetic",
            authorization=Authorization("Synthetic", "SYN-1", expires),
            owned_networks=tuple(owned),
            public_networks=tuple(public),
            excluded=tuple(excluded),
            zones=(),
            defaults=Defaults(),
            exposure=(),
            assets=assets,
            waivers=(),
        )
        self.gateway = Gateway(self.inventory, manners or Manners(), ledger, clock)

    def device(self, name: str = "a") -> Device:
        """One visit of an asset."""
        return self.gateway.device(self.assets[name])

    def permitted(self, name: str = "a", address: str | None = None) -> tuple[Device, Permit]:
        """One visit of an asset, and its permit for an address: its first, where none is given."""
        device = self.device(name)
        permit = device.permit(address or self.assets[name].addresses[0])
        assert permit is not None
        return device, permit

    def events(self, event: str) -> list[dict[str, object]]:
        """The lines of one kind, in order."""
        return [line for line in self.lines if line["event"] == event]

    @property
    def idle(self) -> bool:
        """Whether nothing is held or waited for any more, and every attempt has its outcome."""
        manners = self.gateway.manners
        attempts, outcomes = ({line["n"] for line in self.events(event)} for event in ("attempt", "outcome"))
        return not manners._places and not self.gateway._turns and attempts == outcomes

    def _keep(self, line: bytes) -> None:
        read = json.loads(line)
        self.before_line(read)
        self.lines.append(read)
