"""Pure: a search of UPnP sent to one device (UPnP Device Architecture 1.1, 1.3.2).

It asks for the root device alone, so that one short answer comes. Of what the answer says, nothing is kept but that it
is the type that was asked for.
"""

from __future__ import annotations

from checker.model import UdpAnswer

_ROOT = "upnp:rootdevice"
_STATUS = (b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")
_MOST_HEADERS = 64


def search(address: str, port: int) -> bytes:
    """The question. A unicast search has no MX, for nobody has to spread the answers."""
    host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    lines = ("M-SEARCH * HTTP/1.1", f"HOST: {host}", 'MAN: "ssdp:discover"', f"ST: {_ROOT}", "", "")
    return "\r\n".join(lines).encode("ascii")


def read(data: bytes) -> UdpAnswer | None:
    """A 200 with a search target (1.3.3); anything else of HTTP is no answer to a search."""
    if not data.startswith(_STATUS):
        return None
    for line in data.split(b"\r\n", _MOST_HEADERS)[1:_MOST_HEADERS]:
        name, colon, value = line.partition(b":")
        if colon and name.strip().upper() == b"ST":
            known = value.strip() == _ROOT.encode("ascii")
            return UdpAnswer(services=(_ROOT,) if known else ())
    return None
