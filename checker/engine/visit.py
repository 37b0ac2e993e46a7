"""One visit: the steps of one asset's plan, one after the other, each answer recorded the moment it is there.

It judges nothing and opens nothing: it hands a permit and a port to a probe and gives every fact that comes back an
envelope. Whatever happens, a visit ends with one `VisitFacts` that says what of it could not be done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice, takewhile

from checker.catalog.ports import Speaks
from checker.catalog.udp import udp_question
from checker.codecs.x509 import TrustStore, system_trust_store
from checker.engine.heeding import heed
from checker.engine.roots import port_to_ask
from checker.introduction import Introduction
from checker.model import (
    AssociationOutcome,
    AssociationPurpose,
    ConnectState,
    Depth,
    DicomFacts,
    Facts,
    Observation,
    Permit,
    PortFacts,
    UdpFacts,
    VisitFacts,
)
from checker.net.gateway import Clock, Device
from checker.net.http import HttpDoor
from checker.net.tls import OwnCertificate
from checker.plan import (
    Step,
    StepKind,
    names_to_resolve,
    own_addresses,
    plan_asset,
    service_addresses,
)
from checker.probes.dicom import probe_dicom
from checker.probes.ports import probe_ports
from checker.probes.recognise import recognise
from checker.probes.talk import Talk
from checker.probes.tls import probe_tls
from checker.probes.udp import probe_udp
from checker.probes.web import probe_dicomweb, probe_web
from checker.scope import Scope

_MODE_SHOWN = (
    AssociationOutcome.ACCEPTED,
    AssociationOutcome.REJECTED,
    AssociationOutcome.ABORTED,
    AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED,
)
_SHUT = (
    ConnectState.CLOSED,
    ConnectState.REJECTED,
    ConnectState.UNREACHABLE,
    ConnectState.FILTERED,
    ConnectState.RESET,
)
_NOT_AGAIN = "the DICOMweb question was answered with data before and is not asked again"


class Visit:
    """A visit of one asset from one vantage. `record` takes each observation at once.

    `own` is our certificate, for services that were seen to require one.
    """

    def __init__(
        self,
        device: Device,
        *,
        scope: Scope,
        door: HttpDoor,
        introduction: Introduction,
        vantage: str,
        ports: tuple[int, ...],
        clock: Clock,
        record: Callable[[Observation], None],
        trust: Callable[[], TrustStore | None] = system_trust_store,
        depth: Depth = Depth.POLICY,
        own: OwnCertificate | None = None,
        udp: tuple[int, ...] = (),
        speaks: Mapping[int, Speaks] | None = None,
    ) -> None:
        self._device = device
        self._asset = device.asset
        self._scope = scope
        self._door = door
        self._introduction = introduction
        self._vantage = vantage
        self._ports = ports
        self._clock = clock
        self._record = record
        self._trust = trust
        self._depth = depth
        self._own = own
        self._udp = udp
        self._speaks = speaks or {}
        self._count = 0
        self._talks: dict[tuple[str, int, tuple[int, ...]], Talk] = {}
        # A peer that answered a question with data is not asked that question again, wherever else it is declared.
        self._may_query_web = True
        self._gave_data: frozenset[AssociationPurpose] = frozenset()  # the DICOM questions
        # A hello is no valid question to a port that speaks DICOM in plaintext; some lose their only slot to it.
        self._dicom_modes: dict[tuple[str, int], set[bool]] = {}  # False for plaintext, True for TLS
        # Places that took no connection: another question would be the same knock on the same door.
        self._shut: dict[tuple[str, int], PortFacts] = {}
        self._open: set[tuple[str, int]] = set()  # places that took a connection
        self._asked_again: set[str] = set()  # addresses whose silent declared places were asked once more
        self._waiting: deque[tuple[Step, Permit]] = deque()  # the step that is being taken is still the first
        self._resolved: dict[str, tuple[str, ...]] = {}
        self._refused = False  # an address, by the scope
        self._ended = False

    async def run(self) -> None:
        """Carry out the whole visit."""
        not_asked = self._forbidden()
        if not_asked is not None:
            self._device.refuse_visit(not_asked)
            self._close(not_visited=not_asked)
            return
        resolved = {name: await self._resolve(name) for name in names_to_resolve(self._asset)}
        self._resolved = resolved
        wanted = self._wanted(resolved)
        permits = self._permits(wanted)
        if not permits:
            reason = "; ".join(self._device.gaps) or "no address of the asset is known"
            # A name that was not resolved gives nothing that the scope could have refused.
            self._close(not_visited=reason, refused_by_scope=bool(wanted))
            return
        self._refused = len(permits) < len(wanted)
        plan = plan_asset(
            self._asset,
            self._scope,
            self._ports,
            self._clock.today(),
            resolved,
            depth=self._depth,
            own_certificate=self._own is not None,
            udp=self._udp,
            speaks=self._speaks,
        )
        steps = ((step, permits.get(step.address or "")) for step in plan.steps)
        self._waiting = deque((step, permit) for step, permit in steps if permit is not None)
        while self._waiting:
            step, permit = self._waiting[0]
            if step.kind is StepKind.RECOGNISE and not self._may_recognise(permit.address, step.port):
                self._waiting.popleft()
                continue
            if step.kind is StepKind.UDP:
                # What a TCP port of the same number shows says nothing of it.
                facts = await probe_udp(self._device, permit, step.port)
                self._observe(facts, permit.address, step.port, None)
                self._waiting.popleft()
                continue
            if step.kind is StepKind.PORT:
                await self._sweep(permit)
                continue
            shut = self._shut.get((permit.address, step.port))
            if shut is None:
                await self._take(step, permit, self._talk(step, permit))
            else:
                self._talk(step, permit).note(shut)
            self._waiting.popleft()
        for permit in permits.values():
            await self._sweep(permit)  # declared places alone, where nothing else was to be looked at
        self._close()

    def end(self, reason: str) -> None:
        """End a visit that was broken off; what was learnt stays, and of the rest it is recorded that it was not asked.

        Else a port that nobody came to would be missing among those that were to be asked, and none of them open.
        """
        self._device.note_gap(reason)
        for step, permit in self._waiting:
            if step.kind is StepKind.UDP:
                not_asked = UdpFacts(question=udp_question(step.port), detail=reason)
                self._observe(not_asked, permit.address, step.port, None)
            elif step.kind is not StepKind.RECOGNISE:  # what is left unrecognised shows by itself
                self._talk(step, permit).note(PortFacts(state=ConnectState.NOT_ASKED, detail=reason))
        self._waiting.clear()
        self._close()

    def _forbidden(self) -> str | None:
        """Why the asset must not be contacted at all now, or None."""
        # An asset known by name only is asked after by its id: passive and quiet hours hold before its name is known.
        for address in self._asset.addresses or ("",):
            reason = self._device.denied(address)
            if reason is not None:
                return reason
        return None

    async def _resolve(self, name: str) -> tuple[str, ...]:
        facts = await self._device.resolve(name)
        services = tuple(index for index, service in enumerate(self._asset.services) if service.host == name.lower())
        self._observe(facts, "", 0, None)
        if not facts.addresses:
            self._device.note_gap(f"{name} was not resolved: {facts.error or 'it has no address'}")
            for index in services:
                self._observe(facts, "", 0, index)
        return facts.addresses

    def _wanted(self, resolved: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Each address that the visit would ask."""
        wanted = list(own_addresses(self._asset, resolved))
        for service in self._asset.services:
            wanted += service_addresses(self._asset, service, resolved)
        return tuple(dict.fromkeys(address for address in wanted if address))

    def _permits(self, wanted: Iterable[str]) -> dict[str, Permit]:
        """Leave to contact each of the addresses; a refusal goes to the ledger and into the gaps."""
        permits = ((address, self._device.permit(address)) for address in wanted)
        return {address: permit for address, permit in permits if permit is not None}

    def _talk(self, step: Step, permit: Permit, beside: int | None = None) -> Talk:
        """The way to talk of a step: to its port, or to the one `beside` it that its service's configuration names."""
        port = step.port if beside is None else beside
        key = (permit.address, port, step.services)
        if key not in self._talks:

            def record(facts: Facts) -> None:
                # How another port is reached is nothing about the service.
                only_port = port != step.port and isinstance(facts, PortFacts)
                for service in (None,) if only_port else step.services or (None,):
                    self._observe(facts, permit.address, port, service)
                heed(facts, self._device, permit.address, port)

            self._talks[key] = Talk(self._device, permit, port, record)
        return self._talks[key]

    def _reach(self, step: Step, permit: Permit) -> Callable[[str], Talk | None]:
        """From a root that a configuration of a step's service names: the way to it, None where it is not asked."""

        def reach(root: str) -> Talk | None:
            service = self._asset.services[step.services[0]]
            port = port_to_ask(root, self._asset, service, permit.address, self._resolved, self._device.serves)
            if port is None or (permit.address, port) in self._shut:
                return None
            if not self._may_query_web:
                self._device.note_gap(_NOT_AGAIN)
                return None
            return self._talk(step, permit, port)

        return reach

    async def _take(self, step: Step, permit: Permit, talk: Talk) -> None:
        asset = self._asset
        match step.kind:
            case StepKind.DICOM:
                self._gave_data |= await probe_dicom(
                    talk,
                    asset.services[step.services[0]],
                    calling=self._introduction.calling_ae_title,
                    server_name=step.server_name,
                    spared=self._gave_data,
                    canaries=asset.canaries,
                    own=self._own,
                )
            case StepKind.DICOMWEB if self._may_query_web:
                answered_with_data = await probe_dicomweb(
                    talk, asset.services[step.services[0]], door=self._door, most=self._most(step)
                )
                self._may_query_web = not answered_with_data
            case StepKind.DICOMWEB:
                self._device.note_gap(_NOT_AGAIN)
            case StepKind.WEB:
                answered_with_data = await probe_web(
                    talk,
                    asset.services[step.services[0]],
                    door=self._door,
                    most=self._most(step),
                    reach=self._reach(step, permit),
                )
                self._may_query_web = self._may_query_web and not answered_with_data
            case StepKind.TLS if self._dicom_modes.get((permit.address, step.port)) == {False}:
                self._device.note_gap(f"no TLS hello was sent to port {step.port}: it speaks DICOM in plaintext")
            case StepKind.TLS:
                names = (step.server_name,) if step.server_name is not None else ()
                await probe_tls(
                    talk,
                    server_name=step.server_name,
                    names=(*names, permit.address),
                    trust=self._trust,
                    depth=self._depth,
                    most=self._most(step),
                    own=self._own,
                )
            case StepKind.RECOGNISE:
                if step.speaks is not None:
                    await recognise(
                        talk,
                        step.speaks,
                        host=asset.hostname,
                        calling=self._introduction.calling_ae_title,
                        door=self._door,
                    )
            case StepKind.RESOLVE | StepKind.UDP | StepKind.PORT:
                pass  # before there was an address to ask; without a connection; many at once

    def _may_recognise(self, address: str, port: int) -> bool:
        """Whether a port may be asked what it is: what is not open speaks nothing, and is not knocked at again; what
        another asset declares there is known, and is that one's to be asked."""
        return (address, port) in self._open and not self._device.declared(address, port)

    async def _sweep(self, permit: Permit) -> None:
        """Take the steps of one address that look at its ports, which are the next, all at once.

        Declared places there whose one connection had no answer are asked again with them: packets are lost, and what
        is open behind that must not be taken for shut.
        """
        steps = [*takewhile(lambda waiting: waiting[0].kind is StepKind.PORT and waiting[1] is permit, self._waiting)]
        talks = {step.port: [self._talk(step, permit)] for step, _permit in steps}
        if permit.address not in self._asked_again:
            self._asked_again.add(permit.address)
            for (address, port, services), talk in self._talks.items():
                if address == permit.address and services and talk.state is ConnectState.FILTERED:
                    talks.setdefault(port, []).append(talk)
        if not talks:
            return
        # They stay among those that wait until all are known: what is known of one by then is not overwritten.
        await probe_ports(self._device, permit, talks)
        for _step in steps:
            self._waiting.popleft()

    def _most(self, step: Step) -> int:
        """With how many connections what is spare of a step has to end, so that all behind it gets its least.

        It may be less than the step's own least, where the budget is too tight for all: then nothing is spare.
        """
        left = self._asset.manners.max_connections - self._device.connections
        later = sum(waiting.least for waiting, _permit in islice(self._waiting, 1, None))
        return min(step.connections, left - later)

    def _observe(self, facts: Facts, address: str, port: int, service: int | None) -> None:
        self._count += 1
        if isinstance(facts, PortFacts) and facts.state in _SHUT:
            self._shut[address, port] = facts
        if isinstance(facts, PortFacts) and facts.state is ConnectState.OPEN:
            self._open.add((address, port))
        if isinstance(facts, DicomFacts) and facts.outcome in _MODE_SHOWN:
            self._dicom_modes.setdefault((address, port), set()).add(facts.tls)
        self._record(
            Observation(
                id=f"{self._asset.id}:{self._count}",
                asset_id=self._asset.id,
                vantage=self._vantage,
                observed_at=self._clock.utc(),
                address=address,
                port=port,
                service=service,
                facts=facts,
            )
        )

    def _close(self, *, not_visited: str | None = None, refused_by_scope: bool = False) -> None:
        if self._ended:
            return
        self._ended = True
        device = self._device
        facts = VisitFacts(
            connections=device.connections,
            bytes_sent=device.bytes_sent,
            bytes_received=device.bytes_received,
            gaps=tuple(device.gaps),
            not_visited=not_visited,
            refused_by_scope=refused_by_scope or self._refused,
        )
        self._observe(facts, "", 0, None)
