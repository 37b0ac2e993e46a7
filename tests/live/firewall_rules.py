"""The addresses of the firewall's bed, and its rules as nftables wants them, from the cells."""

from __future__ import annotations

from tests.live.firewall_cells import DEVICE_DROPS, FAMILIES, PROXIED, SYN, VANTAGES, Cell, Place, everything


def subnet(vantage: str) -> int:
    """The number of a vantage's network; that of the device is 2."""
    return {"clinical": 1, "admin": 3, "guest": 4}[vantage]


def address(cell: Cell, family: int, vantage: str = VANTAGES[0]) -> str:
    """The address of a cell; only of one on the asker's own network does it depend on the vantage."""
    number, own = 10 + everything().index(cell), subnet(vantage)
    by_place = {
        Place.DEVICE: {4: f"10.231.2.{number}", 6: f"fd00:231:2::{number:x}"},
        Place.NOBODY_THERE: {4: f"10.231.2.{number}", 6: f"fd00:231:2::{number:x}"},
        Place.NOBODY_HERE: {4: f"10.231.{own}.{number}", 6: f"fd00:231:{own}::{number:x}"},
        Place.NO_WAY_ON: {4: "10.232.0.1", 6: "fd00:232::1"},
        Place.NO_WAY: {4: "10.233.0.1", 6: "fd00:233::1"},
    }
    return by_place[cell.place][family]


def ruleset() -> str:
    """The firewall of the bed, for `nft -f`. Every SYN that comes, and every one that is let through, is counted."""
    on_device = [cell for cell in everything() if cell.place is Place.DEVICE]
    jumps = {
        family: ", ".join(
            f"{address(cell, family)} : jump {_chain(cell)}" for cell in on_device if family in cell.families
        )
        for family in FAMILIES
    }
    proxied = {
        family: ", ".join(address(cell, family) for cell in on_device if cell.name in PROXIED) for family in FAMILIES
    }
    chains = "\n".join(f"chain {_chain(cell)} {{\n{cell.rules}\n{_COUNT_PASSED}\n}}" for cell in on_device)
    return f"""
table inet filter {{
    {_set("asked", _PLACE, "tcp sport", more="counter")}
    {_set("passed", _PLACE, more="counter")}
    {_set("limited", "{ip} saddr")}
    chain before {{
        type filter hook prerouting priority raw; policy accept;
        ip daddr {{ {proxied[4]} }} tcp flags syn notrack
        ip6 daddr {{ {proxied[6]} }} tcp flags syn notrack
    }}
    {chains}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        {SYN} update @asked4 {{ ip saddr . ip daddr . tcp dport . tcp sport }}
        {SYN} update @asked6 {{ ip6 saddr . ip6 daddr . tcp dport . tcp sport }}
        ip daddr vmap {{ {jumps[4]} }}
        ip6 daddr vmap {{ {jumps[6]} }}
    }}
}}
"""


def device_ruleset() -> str:
    """What the device itself drops."""
    silent = next(cell for cell in everything() if cell.name == DEVICE_DROPS)
    return f"""
table inet filter {{
    chain input {{
        type filter hook input priority filter; policy accept;
        ip daddr {address(silent, 4)} drop
        ip6 daddr {address(silent, 6)} drop
    }}
}}
"""


_PLACE = "{ip} saddr . {ip} daddr . tcp dport"
_COUNT_PASSED = "\n".join(
    f"{SYN} update @passed{family} {{ {_PLACE.format(ip=ip)} }}" for family, ip in ((4, "ip"), (6, "ip6"))
)


def _set(name: str, *keys: str, more: str = "") -> str:
    """A set of each family that the rules fill themselves."""
    key = " . ".join(keys)
    return "\n".join(
        f"set {name}{family} {{\ntypeof {key.format(ip=ip)}\nsize 65535\nflags dynamic\n{more}\n}}"
        for family, ip in ((4, "ip"), (6, "ip6"))
    )


def _chain(cell: Cell) -> str:
    return f"cell-{cell.name}"
