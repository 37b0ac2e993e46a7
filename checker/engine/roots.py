"""Pure: which of the DICOMweb roots that a configuration names may be asked in a visit, and on which port.

The configuration is a peer's word. It may choose among the places that the inventory declares for the address that is
being visited anyway, and name no other: no name is looked up for it, and no address follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from checker.model import Asset, Service, ServiceKind
from checker.plan import service_addresses
from checker.scope import canonical

Serves = Callable[[str, int, bool, str], bool]
"""Whether any asset declares a web service at (address, port, with TLS, under this host); `Device.serves`."""


def port_to_ask(
    root: str, asset: Asset, service: Service, address: str, resolved: dict[str, tuple[str, ...]], serves: Serves
) -> int | None:
    """The port at which a root, named by what `service` serves at `address`, may be asked there; None where it may not.

    It may on the origin of the service itself, and where a web service is declared at the same address, for the same
    host, port and scheme. A root that the asset declares as a DICOMweb service is asked as that, and not once more.
    """
    parts = urlsplit(root)
    tls, host = parts.scheme == "https", (parts.hostname or "").lower()
    port = parts.port or (443 if tls else 80)
    declared = [one for one in asset.services if one.is_web and address in service_addresses(asset, one, resolved)]
    if any(one.kind is ServiceKind.DICOMWEB and _same_root(one, root) for one in declared):
        return None
    if (tls, host, port) == (service.speaks_tls, service.host, service.port):
        return port
    names = {str(canonical(host) or host)} & {address, (asset.hostname or "").lower()}
    beside = any((one.port, one.speaks_tls) == (port, tls) and (names or one.host == host) for one in declared)
    return port if beside or serves(address, port, tls, host) else None


def _same_root(service: Service, root: str) -> bool:
    return service.url is not None and _place(service.url) == _place(root)


def _place(url: str) -> tuple[str, str, int, str]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
    return parts.scheme.lower(), (parts.hostname or "").lower(), port, parts.path.rstrip("/")
