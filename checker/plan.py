"""Pure: what a visit will ask of an asset, in which order, and what it will cost.

The visit carries out exactly these steps, so what `plan` prints is what happens; the connections of a step are the most
that it may take. Steps that say most about who can reach the images come first, so that a spent budget loses the least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import ceil
from types import MappingProxyType

from checker.catalog.ports import Choice, Speaks, spoken_ports, tcp_ports, udp_ports
from checker.catalog.udp import udp_question
from checker.catalog.web_products import MOST_ASKS
from checker.codecs.http_questions import MOST_ROOTS_ASKED
from checker.model import (
    OPT_IN_CANARIES,
    Asset,
    AssociationPurpose,
    Depth,
    Inventory,
    Refusal,
    Service,
    ServiceKind,
)
from checker.scope import Scope, declared_at, server_name

# The most connections that each step can take; the probes' tests hold them to it.
DICOM_CONNECTIONS = 3  # survey, canary, wrong called AE title
DICOM_MORE_CONNECTIONS = 1  # for the registered calling AE title where there is one, and for each opt-in canary
DICOM_OTHER_MODE_CONNECTIONS = 1  # the other mode, plaintext beside TLS, or coming back once to a busy service
# SSLv2 to TLS 1.3 (6), TLS 1.1 and 1.0 again by kinds of suites (6), broken (2), weak (2), hybrid groups, one whole
# handshake, and one hello without a name.
TLS_CONNECTIONS = 19
# What full depth takes beyond that before any list: the handshake without ALPN and without its group (2), and without a
# name broken and weak suites (2).
TLS_FULL_MORE_CONNECTIONS = 4
OWN_CERTIFICATE_CONNECTIONS = 1  # the whole handshake once more, with our own certificate, where there is one
# At full depth it is one for each suite and group that is accepted, so that no number fits all: the probe stops at this
# one, which does for four versions with thirty suites each. The budget may end it earlier.
TLS_FULL_CONNECTIONS = 200
DICOMWEB_CONNECTIONS = 2  # canary and control
WEB_CONNECTIONS = 2  # the page, and one hop on the same origin
# What follows where a product is recognised: its own questions, and canary and control of the roots that its
# configuration names. The budget may end it earlier.
DICOMWEB_MORE_CONNECTIONS = MOST_ASKS
WEB_MORE_CONNECTIONS = MOST_ASKS + DICOMWEB_CONNECTIONS * MOST_ROOTS_ASKED
RECOGNISE_CONNECTIONS = 1  # only where the port is open, and out of what the budget leaves
# A silent port is asked again. It may be asked more often where others answered at once, but a sweep takes no more than
# this for each of its ports.
PORT_CONNECTIONS = 2
UDP_CONNECTIONS = 2  # datagrams: the question, and once more after silence
_SECONDS_A_CONNECTION = 0.02
_SECONDS_OF_SILENCE = 3.4  # of a question, and of the same once more
_SPEAKS_NOTHING: Mapping[int, Speaks] = MappingProxyType({})
_CANARY_WORDS = {AssociationPurpose.WORKLIST: "worklist canary", AssociationPurpose.GET: "GET canary"}


class StepKind(StrEnum):
    """What a step asks."""

    RESOLVE = "resolve"
    DICOM = "dicom"
    TLS = "tls"
    DICOMWEB = "dicomweb"
    WEB = "web"
    PORT = "port"
    UDP = "udp"
    RECOGNISE = "recognise"


_WEB_STEPS = (StepKind.DICOMWEB, StepKind.WEB)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a visit. `services` are indexes.

    `host` is the name by which it is asked, as a URL or the asset has it; `address` is None where that has first to be
    resolved. `spare` of its connections are for the lists of full depth, for what a recognised web product is asked
    beyond its page, and for recognition; they have only what the budget leaves. `speaks` is the protocol in which a
    port is asked what it is.
    """

    kind: StepKind
    address: str | None
    port: int
    services: tuple[int, ...]
    connections: int
    purpose: str
    host: str | None = None
    spare: int = 0
    speaks: Speaks | None = None

    @property
    def place(self) -> tuple[str | None, int]:
        """Where it is asked, as far as that is known: two names that are not resolved yet are two places."""
        return self.address or self.host, self.port

    @property
    def least(self) -> int:
        """The connections that it may take before what is spare, which no other step's spare ones take from it."""
        return self.connections - self.spare

    @property
    def server_name(self) -> str | None:
        """The name to ask for in TLS (RFC 6066 section 3): never an address."""
        return server_name(self.host)


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """A whole visit: its steps in order, why parts of it will not happen, and the most connections that it may take.

    Of a name that is not resolved it is not known at how many addresses it will be asked, so only the budget bounds it.
    """

    asset_id: str
    steps: tuple[Step, ...]
    refusals: tuple[str, ...]
    connections: int

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that will be contacted, in order."""
        return tuple(dict.fromkeys(step.address for step in self.steps if step.address is not None))


@dataclass(frozen=True, slots=True)
class Plan:
    """The visits of a run, and an estimate of its time in seconds, where ports are silent."""

    assets: tuple[AssetPlan, ...]
    connections: int
    seconds: float


def chosen_ports(choice: Choice | None, inventory: Inventory) -> tuple[int, ...]:
    """The TCP ports to sweep: those of the option, else of the inventory. Raises KeyError for an unknown set."""
    return tcp_ports(inventory.defaults.ports if choice is None else choice)


def chosen_depth(choice: Depth | None, asset: Asset, inventory: Inventory) -> Depth:
    """How much is asked of an asset's TLS: what the option says for the whole run, else what the inventory says."""
    return choice or asset.tls_depth or inventory.defaults.tls_depth


def chosen_speaks(choice: Choice | None, inventory: Inventory) -> Mapping[int, Speaks]:
    """In what the open ones of the TCP ports are asked what they are. Raises KeyError for an unknown set."""
    return spoken_ports(inventory.defaults.ports if choice is None else choice)


def chosen_udp(choice: Choice | None, inventory: Inventory) -> tuple[int, ...]:
    """The UDP ports to ask: those of the option, else of the inventory. Raises KeyError for an unknown set."""
    return udp_ports(inventory.defaults.ports if choice is None else choice)


def plan_run(
    inventory: Inventory,
    assets: Sequence[Asset],
    *,
    ports: tuple[int, ...],
    today: date,
    concurrency: int,
    depth: Depth | None = None,
    udp: tuple[int, ...] = (),
    speaks: Mapping[int, Speaks] = _SPEAKS_NOTHING,
) -> Plan:
    """What a run over these assets would do; `depth` as `chosen_depth` takes it. `ports` are TCP's."""
    scope = Scope(inventory)
    own_certificate = inventory.defaults.client_certificate is not None
    plans = tuple(
        plan_asset(
            asset,
            scope,
            ports,
            today,
            depth=chosen_depth(depth, asset, inventory),
            own_certificate=own_certificate,
            udp=udp,
            speaks=speaks,
        )
        for asset in assets
    )
    seconds = [_seconds(plan, asset) for plan, asset in zip(plans, assets, strict=True)]
    longest = max(seconds, default=0.0)
    return Plan(plans, sum(plan.connections for plan in plans), max(longest, sum(seconds) / concurrency))


def _seconds(plan: AssetPlan, asset: Asset) -> float:
    """How long a visit takes where no port that is only looked at answers, as behind a firewall that drops."""
    kinds = Counter(step.kind for step in plan.steps if step.connections)
    turns = ceil(kinds[StepKind.PORT] / asset.manners.max_pending) + kinds[StepKind.UDP]
    connections = min(plan.connections, sum(step.connections for step in plan.steps))
    return connections * (asset.manners.gap_s + _SECONDS_A_CONNECTION) + turns * _SECONDS_OF_SILENCE


def plan_asset(
    asset: Asset,
    scope: Scope,
    ports: tuple[int, ...],
    today: date,
    resolved: dict[str, tuple[str, ...]] | None = None,
    *,
    depth: Depth = Depth.POLICY,
    own_certificate: bool = False,
    udp: tuple[int, ...] = (),
    speaks: Mapping[int, Speaks] = _SPEAKS_NOTHING,
) -> AssetPlan:
    """The visit of one asset. `resolved` maps host names to the addresses that they turned out to have.

    Without it a name that has to be resolved gives steps with the address None. `depth` is that of TLS; whatever it is,
    the lists of full depth, as the questions of web products, are made only of what the other steps leave of the
    budget.
    `own_certificate`: we have one for servers that require one. `ports` are those of TCP to look at, `udp` those of
    UDP.
    """
    if asset.manners.passive:
        return AssetPlan(asset.id, (), ("the inventory declares the asset passive: it is never contacted",), 0)
    refusals: list[str] = []
    steps: list[Step] = []
    if resolved is None:
        steps.extend(
            Step(StepKind.RESOLVE, None, 0, (), 0, f"resolve {name}", name) for name in names_to_resolve(asset)
        )

    def permitted(addresses: Sequence[str | None]) -> list[str | None]:
        kept: list[str | None] = []
        for address in addresses:
            answer = scope.permit(asset, address, today) if address is not None else None
            if isinstance(answer, Refusal):
                if answer.reason not in refusals:
                    refusals.append(answer.reason)
            elif address not in kept:
                kept.append(address)
        return kept

    own = permitted(own_addresses(asset, resolved))
    for kind in (StepKind.DICOM, StepKind.DICOMWEB, StepKind.WEB, StepKind.TLS):
        seen: set[object] = set()
        for index, service in enumerate(asset.services):
            for address in permitted(service_addresses(asset, service, resolved)):
                if kind is not StepKind.TLS:
                    steps.extend(_questions(kind, asset, index, address))
                elif service.speaks_tls:
                    step = _tls_step(asset, service, address, resolved, depth, own_certificate=own_certificate)
                    if (step.place, step.server_name) not in seen:
                        seen.add((step.place, step.server_name))
                        steps.append(step)
    asked = {step.place for step in steps}
    for address in own:
        sweep = [
            Step(StepKind.PORT, address, port, (), PORT_CONNECTIONS, "reachability", asset.hostname) for port in ports
        ]
        steps.extend(step for step in sweep if step.place not in asked)
    for address in own:
        steps.extend(_udp_step(asset, address, port) for port in udp)
    for address in own:
        steps.extend(step for step in _recognitions(asset, address, ports, speaks) if step.place not in asked)
    unanswerable = [port for port in udp if udp_question(port) is None] if own else []
    if unanswerable:
        refusals.append(f"no question is known for UDP on {', '.join(map(str, unanswerable))}: not asked")
    total = sum(step.connections for step in steps)
    # Few of the ports that could be recognised are open, and no budget need be made for all of them.
    wanted = total - sum(step.connections for step in steps if step.kind is StepKind.RECOGNISE)
    budget = asset.manners.max_connections
    if wanted > budget >= sum(step.least for step in steps):
        refusals.append(
            f"up to {wanted} connections are wanted and the budget is {budget}: {_spared(steps)} may end early"
        )
    elif wanted > budget:
        refusals.append(f"up to {wanted} connections are wanted and the budget is {budget}: the last may not be asked")
    unknown = any(step.address is None and step.connections for step in steps)
    return AssetPlan(asset.id, tuple(steps), tuple(refusals), budget if unknown else min(total, budget))


def _recognitions(
    asset: Asset, address: str | None, ports: tuple[int, ...], speaks: Mapping[int, Speaks]
) -> list[Step]:
    """What those ports are asked that turn out to be open: once, where it is said what they speak."""
    return [
        Step(
            StepKind.RECOGNISE,
            address,
            port,
            (),
            RECOGNISE_CONNECTIONS,
            f"what it is, in {language}, where it is open",
            asset.hostname,
            spare=RECOGNISE_CONNECTIONS,
            speaks=language,
        )
        for port in ports
        if (language := speaks.get(port)) is not None
    ]


def _udp_step(asset: Asset, address: str | None, port: int) -> Step:
    question = udp_question(port)
    if question is None:
        return Step(StepKind.UDP, address, port, (), 0, "no question is known", asset.hostname)
    return Step(StepKind.UDP, address, port, (), UDP_CONNECTIONS, question.value, asset.hostname)


def _spared(steps: Sequence[Step]) -> str:
    """What the budget may end, in words."""
    lists = ["the lists of full depth"] if any(step.spare and step.kind is StepKind.TLS for step in steps) else []
    web = ["the questions of web products"] if any(step.spare and step.kind in _WEB_STEPS for step in steps) else []
    return " and ".join(lists + web)


def _questions(kind: StepKind, asset: Asset, index: int, address: str | None) -> list[Step]:
    service = asset.services[index]
    spare = 0
    if kind is StepKind.DICOM and service.is_dicom:
        more = _more_dicom(asset, service)
        connections = DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS + DICOM_MORE_CONNECTIONS * len(more)
        purpose = ", ".join(("survey, canary, wrong called AE title", *more))
    elif kind is StepKind.DICOMWEB and service.kind is ServiceKind.DICOMWEB:
        spare = DICOMWEB_MORE_CONNECTIONS
        connections, purpose = DICOMWEB_CONNECTIONS + spare, "canary and control, then what a known product leads to"
    elif kind is StepKind.WEB and service.kind is ServiceKind.WEB:
        spare = WEB_MORE_CONNECTIONS
        connections, purpose = WEB_CONNECTIONS + spare, "page and one hop, then what a known product leads to"
    else:
        return []
    return [Step(kind, address, service.port, (index,), connections, purpose, _host(asset, service), spare)]


def _more_dicom(asset: Asset, service: Service) -> list[str]:
    """What the inventory asks of a DICOM service beyond what every one is asked, one connection each."""
    registered = ["registered calling AE title"] if service.registered_ae_title is not None else []
    return registered + [_CANARY_WORDS[purpose] for purpose in OPT_IN_CANARIES if purpose in asset.canaries]


def _tls_step(
    asset: Asset,
    service: Service,
    address: str | None,
    resolved: dict[str, tuple[str, ...]] | None,
    depth: Depth,
    *,
    own_certificate: bool,
) -> Step:
    """One TLS step serves every declared service that is asked by the same name on the same address and port.

    A server may have settings and a certificate for each name, so another name is another question.
    """

    host = _host(asset, service)
    sharing = tuple(
        index
        for index, other in enumerate(asset.services)
        if other.speaks_tls
        and other.port == service.port
        and address in service_addresses(asset, other, resolved)
        and server_name(_host(asset, other)) == server_name(host)
    )
    least = TLS_CONNECTIONS + (OWN_CERTIFICATE_CONNECTIONS if own_certificate else 0)
    connections, purpose = least, "versions and certificate"
    if depth is Depth.FULL:
        least += TLS_FULL_MORE_CONNECTIONS
        connections, purpose = TLS_FULL_CONNECTIONS, "versions, suites, groups and certificates"
    return Step(StepKind.TLS, address, service.port, sharing, connections, purpose, host, connections - least)


def names_to_resolve(asset: Asset) -> tuple[str, ...]:
    """The host names that a visit has to look up: the asset's own, and those of URLs on other names."""
    names = [asset.hostname] if asset.hostname else []
    for service in asset.services:
        host = server_name(service.host)
        if host is not None and host not in names:
            names.append(host)
    return tuple(names)


def own_addresses(asset: Asset, resolved: dict[str, tuple[str, ...]] | None) -> Sequence[str | None]:
    """The declared addresses; where there are none, those of the host name (None while it is not resolved)."""
    if asset.addresses:
        return asset.addresses
    return (None,) if resolved is None else resolved.get(asset.hostname or "", ())


def _host(asset: Asset, service: Service) -> str | None:
    """The name that a service is asked by: its URL's, else the asset's own."""
    return service.host or asset.hostname


def service_addresses(
    asset: Asset, service: Service, resolved: dict[str, tuple[str, ...]] | None
) -> Sequence[str | None]:
    """Where a service is asked. A URL that names the asset's own host is asked at the asset's own addresses."""
    declared = declared_at(asset, service, own_addresses(asset, resolved))
    if declared is not None:
        return declared
    return (None,) if resolved is None else resolved.get(service.host or "", ())
