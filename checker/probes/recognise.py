"""Recognition: what an open port speaks where the inventory declares nothing, by one question on one connection.

The question is a valid one of the protocol that the port's line in the catalogue names: an association for Verification
alone, under a called AE title that nobody has to have, which is released as soon as it is accepted; a GET of `/`; or a
ClientHello that is left once it is answered. Whatever answers in another protocol is recognised by how it begins.

It must never ask a second time, nor anything of what it recognised: no C-ECHO, no query, no other path, no handshake.
"""

from __future__ import annotations

from checker.catalog.ports import Speaks
from checker.codecs.dicom_pdu import Protocol as NotDicom
from checker.codecs.first_bytes import spoken, wants_tls
from checker.codecs.http import PREFIX_BYTES, http_facts
from checker.codecs.http_questions import page, read_enough
from checker.codecs.tls import Flight, Protocol
from checker.codecs.tls_hello import Extras, Version
from checker.model import (
    AssociationOutcome,
    AssociationPurpose,
    DicomFacts,
    End,
    HttpPurpose,
    RecognisedFacts,
    Spoken,
)
from checker.net.gateway import Limits
from checker.net.http import Failure, HttpDoor, Request, Response
from checker.probes.association import Association, Question, associate
from checker.probes.talk import Talk
from checker.probes.tls_hellos import Hellos
from checker.probes.web_ends import tell
from checker.scope import server_name

CALLED_AE_TITLE = "ANY-SCP"
"""Of a service that nobody declared no title is known; this is the one that test tools use where none is."""

_LIMITS = Limits(connect_s=4.0, conversation_s=5.0, max_bytes=65536)
_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
# Of what a server chooses under TLS 1.2 it tells the protocol inside in clear (RFC 7301 section 3.1).
_WEB_INSIDE = ("h2", "http/1.1")
_SPOKEN = {Protocol.DICOM: Spoken.DICOM, Protocol.HTTP: Spoken.HTTP}
_DICOM_ANSWERS = (AssociationOutcome.ACCEPTED, AssociationOutcome.REJECTED, AssociationOutcome.ABORTED)


async def recognise(talk: Talk, speaks: Speaks, *, host: str | None, calling: str, door: HttpDoor) -> None:
    """Ask once, in the protocol that the port is thought to speak, and record what answered.

    Where there was no connection nothing is recorded but what that showed of the port. `host` is the asset's name, None
    where it has none; `calling` our calling AE title.
    """
    if speaks == "dicom":
        facts = await _by_association(talk, calling)
    elif speaks == "http":
        facts = await _by_request(talk, host, door)
    else:
        facts = await _by_hello(talk, host)
    if facts is not None:
        talk.record(facts)


# ---------------------------------------------------------------------------------------------------- in DICOM


async def _by_association(talk: Talk, calling: str) -> RecognisedFacts | None:
    question = Question(
        AssociationPurpose.RECOGNISE, called=CALLED_AE_TITLE, calling=calling, tls=False, server_name=None
    )
    association = await associate(talk, question)
    facts = association.facts
    if facts.outcome in (AssociationOutcome.NOT_ASKED, AssociationOutcome.NOT_CONNECTED):
        return None
    found = _of_association(association)
    return RecognisedFacts(
        asked="dicom",
        protocol=found,
        outcome=facts.outcome if found is Spoken.DICOM else None,
        implementation_class_uid=facts.implementation_class_uid,
        implementation_version=facts.implementation_version,
        detail=facts.detail or (facts.outcome.value if found is Spoken.NONE else None),
    )


def _of_association(association: Association) -> Spoken:
    facts: DicomFacts = association.facts
    if facts.outcome in _DICOM_ANSWERS:
        return Spoken.DICOM
    if facts.outcome is AssociationOutcome.SPEAKS_TLS:
        return Spoken.TLS
    if facts.outcome is not AssociationOutcome.MALFORMED:
        return Spoken.NONE
    if facts.detail == f"speaks {NotDicom.HTTP}":
        return Spoken.HTTP
    # What begins as a PDU and is none, or is cut off, may still be a DICOM service in trouble.
    return Spoken.OTHER if association.wrong_mode else Spoken.NONE


# ----------------------------------------------------------------------------------------------------- in HTTP


async def _by_request(talk: Talk, host: str | None, door: HttpDoor) -> RecognisedFacts | None:
    question = page(f"http://{_authority(host or talk.permit.address, talk.port)}/")
    request = Request(
        url=question.url,
        permit=talk.permit,
        port=talk.port,
        purpose="http recognise",
        accept=_ACCEPT,
        prefix_bytes=PREFIX_BYTES,
        limits=_LIMITS,
        enough=read_enough,
    )
    answer = await door.get(talk.device, request, server_name=None)
    tell(talk, answer)
    if isinstance(answer, Failure):
        return None if answer.connect is not None else _of_failure(answer)
    return _of_response(answer, question.origin)


def _of_response(answer: Response, origin: str) -> RecognisedFacts:
    facts = http_facts(
        purpose=HttpPurpose.PAGE,
        path="/",
        tls=False,
        status=answer.status,
        headers=answer.headers,
        prefix=answer.prefix,
        complete=answer.complete,
        origin=origin,
    )
    return RecognisedFacts(
        asked="http",
        protocol=Spoken.HTTP,
        inside_tls=wants_tls(answer.status, answer.prefix),
        status=facts.status,
        product=facts.product,
        server=facts.server,
    )


def _of_failure(failure: Failure) -> RecognisedFacts:
    found = spoken(failure.first) if failure.malformed else Spoken.NONE
    if found is not Spoken.NONE:
        return RecognisedFacts(asked="http", protocol=found)
    return RecognisedFacts(
        asked="http", detail=failure.end.value if failure.end is not None else "what came does not tell what it is"
    )


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"  # RFC 3986 section 3.2.2


# ------------------------------------------------------------------------------------------------------ in TLS


async def _by_hello(talk: Talk, host: str | None) -> RecognisedFacts | None:
    asked = await Hellos(talk, server_name(host)).ask("tls recognise", Version.TLS_1_2, extras=Extras(alpn=_WEB_INSIDE))
    if asked is None:
        return None
    _, flight, end = asked
    return _of_flight(flight, end)


def _of_flight(flight: Flight, end: End | None) -> RecognisedFacts:
    if flight.speaks is not None:
        return RecognisedFacts(asked="tls", protocol=_SPOKEN[flight.speaks])
    if flight.tls:
        hello = flight.server_hello
        web = hello is not None and hello.alpn in _WEB_INSIDE
        return RecognisedFacts(asked="tls", protocol=Spoken.HTTP if web else Spoken.TLS, inside_tls=web)
    if flight.malformed is not None:
        return RecognisedFacts(asked="tls", protocol=Spoken.OTHER)
    return RecognisedFacts(asked="tls", detail=None if end is None else end.value)
