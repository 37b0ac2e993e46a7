"""Web: the canary of a DICOMweb service with its control, and the page of a viewer.

GET only, one connection for each, no credential, and never an answer's body kept: of it goes into the facts what kind
it is. Where a peer answers the canary with data, the connection is dropped unread and nothing more is asked.

The canary is the series of a study that cannot exist, `{root}/studies/<random>/series`. An empty list alone does not
show an archive open, for a server may answer everything alike, so a control follows. Not any random segment makes one:
another study, or a word in place of the study, is a query as good as the canary, and Orthanc 1.10 answers both with an
empty list. A segment before `studies` is the name of an archive for those that serve several, and is outside of what a
catch-all below `studies` covers. So the control replaces the last segment, `{root}/studies/<random>/<word>`: Orthanc
answers it 404, as do dcm4chee-arc and static servers, whose routes below a study all have names, while whoever answers
the canary and the control alike has understood neither.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import uuid4

from checker.codecs.dicom_requests import fresh_study_uid
from checker.codecs.http import PREFIX_BYTES, http_facts
from checker.codecs.http_questions import (
    WORD_LENGTH,
    Body,
    Question,
    alike,
    canary,
    control,
    next_page,
    page,
    read_enough,
    without_random,
)
from checker.model import BodyKind, ConnectState, End, HttpEnd, HttpFacts, HttpPurpose, PortFacts, Service
from checker.net.gateway import Limits
from checker.net.http import Failure, HttpDoor, Request, Response
from checker.net.tls import TlsFailure
from checker.probes.talk import Talk
from checker.scope import canonical

_PAGE_LIMITS = Limits(connect_s=4.0, conversation_s=10.0, max_bytes=65536)
# A small window: what a peer sends although it should not stays with the peer.
_CANARY_LIMITS = Limits(connect_s=4.0, conversation_s=10.0, max_bytes=65536, receive_buffer=4096)
_ACCEPT_PAGE = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
_ACCEPT_JSON = "application/dicom+json, application/json"
_BUSY = frozenset({429, 503})  # RFC 6585 section 4, RFC 9110 15.6.4

_ENDS = {
    End.CLOSED: HttpEnd.CLOSED,
    End.RESET: HttpEnd.RESET,
    End.TIMEOUT: HttpEnd.TIMEOUT,
    End.TOO_MUCH: HttpEnd.TOO_MUCH,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, what it showed, and the answer it had, if any."""

    question: Question
    facts: HttpFacts
    response: Response | None

    @property
    def body(self) -> Body | None:
        """What there is to compare; None where nothing was read, or it is encoded."""
        if self.response is None or self.facts.end is not HttpEnd.ANSWERED:
            return None
        return Body(self.facts.body, self.response.prefix, self.response.complete)


async def probe_dicomweb(talk: Talk, service: Service, *, door: HttpDoor) -> bool:
    """Ask the canary, and its control where that can say more; True where the peer answered with data.

    The control is not asked of a peer that gave data, that gave no answer, or that is busy.
    """
    root, study_uid = _url(service), fresh_study_uid(uuid4())
    asked = await _ask(talk, service, canary(root, study_uid), HttpPurpose.CANARY, door)
    talk.record(asked.facts)
    if asked.facts.body is BodyKind.FILLED_ARRAY:
        return True
    if asked.response is None or asked.response.status in _BUSY:
        return False
    word = f"x{secrets.token_hex(WORD_LENGTH)[: WORD_LENGTH - 1]}"
    against = await _ask(talk, service, control(root, study_uid, word), HttpPurpose.CONTROL, door, compared_with=asked)
    talk.record(against.facts)
    return against.facts.body is BodyKind.FILLED_ARRAY


async def probe_web(talk: Talk, service: Service, *, door: HttpDoor) -> None:
    """Ask for the declared page, and for the one on the same origin to which it sends us on, once."""
    asked = await _ask(talk, service, page(_url(service)), HttpPurpose.PAGE, door)
    talk.record(asked.facts)
    if asked.response is None:
        return
    further = next_page(asked.question, asked.response.status, asked.response.headers)
    if further is not None:
        talk.record((await _ask(talk, service, further, HttpPurpose.PAGE, door)).facts)


async def _ask(
    talk: Talk,
    service: Service,
    question: Question,
    purpose: HttpPurpose,
    door: HttpDoor,
    *,
    compared_with: _Asked | None = None,
) -> _Asked:
    is_page = purpose is HttpPurpose.PAGE
    request = Request(
        url=question.url,
        permit=talk.permit,
        port=talk.port,
        purpose="web page" if is_page else f"dicomweb {purpose.value}",
        accept=_ACCEPT_PAGE if is_page else _ACCEPT_JSON,
        prefix_bytes=PREFIX_BYTES,
        limits=_PAGE_LIMITS if is_page else _CANARY_LIMITS,
        enough=read_enough,
    )
    host = service.host
    server_name = host if host is not None and canonical(host) is None else None
    answer = await door.get(talk.device, request, server_name=server_name)
    tell(talk, answer)
    if isinstance(answer, Failure):
        end, detail = _ended(answer)
        return _Asked(question, _failed(service, question, purpose, end, detail), None)
    facts = _answered(service, question, purpose, answer, None)
    asked = _Asked(question, facts, answer)
    if compared_with is None or compared_with.body is None or asked.body is None:
        return asked
    same = alike((compared_with.question, compared_with.body), (question, asked.body))
    return _Asked(question, _answered(service, question, purpose, answer, same), answer)


def _answered(
    service: Service, question: Question, purpose: HttpPurpose, answer: Response, body_alike: bool | None
) -> HttpFacts:
    return http_facts(
        purpose=purpose,
        path=question.shown,
        tls=service.speaks_tls,
        status=answer.status,
        headers=without_random(question, answer.headers),
        prefix=answer.prefix,
        complete=answer.complete,
        origin=question.origin,
        body_alike=body_alike,
    )


def _failed(service: Service, question: Question, purpose: HttpPurpose, end: HttpEnd, detail: str | None) -> HttpFacts:
    return HttpFacts(purpose=purpose, path=question.shown, tls=service.speaks_tls, end=end, detail=detail)


def tell(talk: Talk, answer: Response | Failure) -> None:
    """Note what the attempt showed of the port; tell the manners whether the device answered, and was busy."""
    if isinstance(answer, Failure) and answer.connect is not None:
        talk.note(answer.connect)
        return
    talk.note(PortFacts(state=ConnectState.OPEN, rtt_ms=answer.rtt_ms))
    if isinstance(answer, Response):
        talk.answered()
        if answer.status in _BUSY:
            talk.busy()
        return
    end = answer.end if answer.tls is None else answer.tls.end
    if end is End.TIMEOUT:
        talk.fell_silent(in_the_middle=answer.heard)
    elif answer.heard:
        talk.answered()


def _ended(failure: Failure) -> tuple[HttpEnd, str | None]:
    """How a question without an answer ended, and words of ours about it."""
    if failure.connect is not None:
        if failure.connect.state is ConnectState.NOT_ASKED:
            return HttpEnd.NOT_ASKED, failure.connect.detail
        return HttpEnd.NOT_CONNECTED, failure.connect.state.value
    if failure.tls is not None:
        return _tls_ended(failure.tls)
    if failure.malformed or failure.end is None:
        return HttpEnd.MALFORMED, "the answer is no HTTP/1.1"
    return _ENDS[failure.end], None


def _tls_ended(failure: TlsFailure) -> tuple[HttpEnd, str]:
    # OpenSSL's names of reasons are words of ours; a peer chooses among them and writes none.
    words = f"TLS: {failure.reason or (failure.end.value if failure.end is not None else 'failed')}"
    if failure.client_certificate_required:
        return HttpEnd.CLIENT_CERTIFICATE_REQUIRED, words
    if failure.end in (End.TIMEOUT, End.TOO_MUCH):
        return _ENDS[failure.end], words
    return HttpEnd.TLS_FAILED, words


def _url(service: Service) -> str:
    """The URL that a web service is declared with. Raises ValueError for a service of another kind."""
    if service.url is None:
        message = f"a service of kind {service.kind.value} has no URL to ask"
        raise ValueError(message)
    return service.url
