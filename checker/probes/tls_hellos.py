"""Hellos to one port, each on a connection of its own, and what they show of the port as a whole.

A hello is left as soon as it is answered. Nothing further is asked once the port speaks something else, falls silent,
or takes no more connections; what an answer proves is for the codecs to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Protocol as Shape

from checker.codecs.ssl2 import CHALLENGE_BYTES, Ssl2Answer, Ssl2Reader, ssl2_hello
from checker.codecs.tls import Flight, FlightReader, Protocol, farewell
from checker.codecs.tls_hello import PLAIN, RANDOM_BYTES, ClientHello, Extras, Version, client_hello
from checker.model import ConnectState, End, PortFacts
from checker.net.connection import Connection
from checker.net.gateway import Limits
from checker.probes.talk import Talk

FLIGHT_BYTES = 160 * 1024
"""The longest flight in clear: a list of certificates at the codec's limit, one of authorities at the standard's."""

_HELLO = Limits(connect_s=4.0, conversation_s=5.0, max_bytes=FLIGHT_BYTES)


class _Reader(Shape):
    """Bytes of a server in, until nothing more can be learnt."""

    @property
    def complete(self) -> bool: ...

    def feed(self, data: bytes) -> None: ...


@dataclass(slots=True)
class Hellos:
    """The hellos to one port and what they showed of it.

    `connected`: the port took a connection; `answered`: a TLS record came back; `understood`: and in it a ServerHello
    or an alert. `stopped` is why nothing further is asked, None where nothing forbids it.
    """

    talk: Talk
    server_name: str | None
    spoken: set[Protocol] = field(default_factory=set)
    certificates: tuple[bytes, ...] = ()
    certificate_requested: bool | None = None
    connected: bool = False
    answered: bool = False
    understood: bool = False
    lost: bool = False
    stopped: str | None = None

    async def ask(
        self,
        purpose: str,
        version: Version,
        *,
        suites: tuple[int, ...] | None = None,
        groups: tuple[int, ...] | None = None,
        signatures: tuple[int, ...] | None = None,
        extras: Extras = PLAIN,
    ) -> tuple[ClientHello, Flight, End | None] | None:
        """One hello and what answers it; None where no connection came about, and `stopped` then says why.

        `purpose` is for the ledger, the others are those of `client_hello`. Not to be called once `stopped` is set.
        """
        made = await self._connect(purpose)
        if made is None:
            return None
        hello = client_hello(
            version,
            random=token_bytes(RANDOM_BYTES),
            session_id=token_bytes(RANDOM_BYTES),
            server_name=self.server_name,
            suites=suites,
            groups=groups,
            signatures=signatures,
            extras=extras,
        )
        reader = FlightReader()
        try:
            end = await _exchange(made, hello.data, reader)
            flight = reader.flight
            await _leave(made, flight, end)
        finally:
            made.abandon()
        self._note(flight, end, began=made.bytes_received > 0)
        return hello, flight, end

    async def ask_ssl2(self, purpose: str) -> tuple[Ssl2Answer, End | None] | None:
        """One hello of SSLv2 and what answers it; None where no connection came about."""
        made = await self._connect(purpose)
        if made is None:
            return None
        reader = Ssl2Reader()
        try:
            end = await _exchange(made, ssl2_hello(token_bytes(CHALLENGE_BYTES)), reader)
            answer = reader.answer
            if answer.flight is not None:
                await _leave(made, answer.flight, end)
            elif answer.malformed is None and end is not End.TOO_MUCH:
                await made.close()
        finally:
            made.abandon()
        began = made.bytes_received > 0
        if answer.flight is not None:
            self._note(answer.flight, end, began=began)
        elif end is End.TIMEOUT:
            self._note(Flight(), end, began=began)
        elif answer.server_hello or answer.error is not None:
            self.talk.answered()
        return answer, end

    async def _connect(self, purpose: str) -> Connection | None:
        made = await self.talk.connect(purpose, _HELLO)
        if isinstance(made, PortFacts):
            self.lost = True
            self.stopped = _no_connection(made)
            return None
        self.connected = True
        return made

    def _note(self, flight: Flight, end: End | None, *, began: bool) -> None:
        self.answered = self.answered or flight.tls
        self.understood = self.understood or flight.server_hello is not None or flight.alert is not None
        self.certificates = self.certificates or flight.certificates
        if flight.certificate_requested is not None:
            self.certificate_requested = flight.certificate_requested or bool(self.certificate_requested)
        if end is End.TIMEOUT:
            self.talk.fell_silent(in_the_middle=began)
            self.lost = True
            self.stopped = "the port gave no answer in time"
            return
        if flight.tls or flight.speaks is not None:
            self.talk.answered()
        if flight.speaks is not None:
            self.spoken.add(flight.speaks)
            self.stopped = f"the port answered in {flight.speaks.value} and not in TLS"
        elif flight.malformed is not None and not flight.tls:
            self.stopped = "the port answered in no protocol that is known here"


async def _exchange(connection: Connection, hello: bytes, reader: _Reader) -> End | None:
    """Send a hello and read what answers it; why no more bytes came, None where the answer was complete before."""
    end = await connection.send(hello)
    while end is None and not reader.complete:
        got = await connection.receive()
        if isinstance(got, End):
            end = got
        else:
            reader.feed(got)
    return end


async def _leave(connection: Connection, flight: Flight, end: End | None) -> None:
    """Part as one should from a peer that speaks TLS; from any other not a word more is sent or taken."""
    if flight.malformed is None and flight.speaks is None and end is not End.TOO_MUCH:
        if flight.server_hello is not None and end is None:
            # The server waits for us now, so it is told that nobody will come. Whether it hears that is its affair.
            await connection.send(farewell(flight.server_hello.version), last=True)
        await connection.close()


def _no_connection(facts: PortFacts) -> str:
    if facts.state is ConnectState.NOT_ASKED:
        return facts.detail or "the manners forbade it"
    return f"the port took no further connection ({facts.state.value})"
