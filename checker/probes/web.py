"""Web: the canary of a DICOMweb service with its control, the page of a viewer, and what a known product adds to them.

GET only, one connection for each, no credential, and never an answer's body kept: of it goes into the facts what kind
it is. Where a peer answers the canary with data, the connection is dropped unread and nothing more is asked.

The canary is the series of a study that cannot exist, `{root}/studies/<random>/series`. An empty list alone does not
show an archive open, for a server may answer everything alike, so a control follows. Not any random segment makes one:
another study, or a word in place of the study, is a query as good as the canary, and Orthanc 1.10 answers both with an
empty list. A segment before `studies` is the name of an archive for those that serve several, and is outside of what a
catch-all below `studies` covers. So the control replaces the last segment, `{root}/studies/<random>/<word>`: Orthanc
answers it 404, as do dcm4chee-arc and static servers, whose routes below a study all have names, while whoever answers
the canary and the control alike has understood neither.

Where a product of the catalogue was recognised, its own few questions follow: for the file that tells a browser where
its archive is, and for a sign that its own interface is open. A root that such a file names is asked canary and
control as well, but only where the visit gives a way to it; whoever wrote the file has no say in that.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from uuid import uuid4

from checker.catalog.web_products import MOST_ASKS, Ask, product
from checker.codecs.dicom_requests import fresh_study_uid
from checker.codecs.http import PREFIX_BYTES, http_facts, origin_of
from checker.codecs.http_questions import (
    MOST_ROOTS_ASKED,
    SENT_ORIGIN,
    WORD_LENGTH,
    Body,
    Question,
    alike,
    canary,
    control,
    next_page,
    of_product,
    page,
    read_enough,
    read_whole,
    without_random,
)
from checker.codecs.web_configuration import read_configuration
from checker.codecs.web_rest import LONGEST_SIGN, rest_enough, rest_gives_data, rest_sign
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, Service, ServiceKind
from checker.net.gateway import Limits
from checker.net.http import Failure, HttpDoor, Request, Response
from checker.probes.talk import Talk
from checker.probes.web_ends import BUSY, ended, tell
from checker.scope import server_name

Reach = Callable[[str], Talk | None]
"""From the URL of a root that a configuration names: the way to it, None where it is not to be asked."""

_PAGE_LIMITS = Limits(connect_s=4.0, conversation_s=10.0, max_bytes=65536)
# A small window: what a peer sends although it should not stays with the peer.
_CANARY_LIMITS = Limits(connect_s=4.0, conversation_s=10.0, max_bytes=65536, receive_buffer=4096)
_ACCEPT_PAGE = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
_ACCEPT_JSON = "application/dicom+json, application/json"
_ACCEPT_ANY = "*/*"
_QUERIES = frozenset({HttpPurpose.CANARY, HttpPurpose.CONTROL})
_PAIR = 2  # canary and control
_MOST = 2 + MOST_ASKS + _PAIR * MOST_ROOTS_ASKED
LEDGER_WORDS = {
    HttpPurpose.PAGE: "web page",
    HttpPurpose.CANARY: "dicomweb canary",
    HttpPurpose.CONTROL: "dicomweb control",
    HttpPurpose.CONFIGURATION: "web configuration",
    HttpPurpose.REST: "web rest",
}
"""How the ledger, and with it the manners, words each purpose."""

SEARCHES = _QUERIES | {HttpPurpose.REST}
"""The purposes that search an archive, so that data may come for an answer."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, what it showed, and the answer it had, if any."""

    question: Question
    facts: HttpFacts
    response: Response | None
    roots: tuple[str, ...] = ()  # whole URLs that a configuration names

    @property
    def body(self) -> Body | None:
        """What there is to compare; None where nothing was read, or it is encoded."""
        if self.response is None or self.facts.end is not HttpEnd.ANSWERED:
            return None
        return Body(self.facts.body, self.response.prefix, self.response.complete)


async def probe_dicomweb(talk: Talk, service: Service, *, door: HttpDoor, most: int = _MOST) -> bool:
    """Ask the canary, and its control where that can say more; True where the peer answered with data.

    The control is not asked of a peer that gave data, that gave no answer, or that is busy. The questions of a product
    that was recognised by its realm follow, as long as there are no more than `most` in all.
    """
    inquiry = _Inquiry(service, door, most)
    asked = await inquiry.archive(talk, _url(service))
    if inquiry.goes_on(asked):
        await inquiry.of_product(talk, asked, is_page=False)
    return inquiry.gave_data


async def probe_web(
    talk: Talk, service: Service, *, door: HttpDoor, most: int = _MOST, reach: Reach | None = None
) -> bool:
    """Ask for the declared page, and for the one on the same origin to which it sends us on, once.

    What the page's product has to ask follows, and canary and control of the roots that its configuration names and
    that `reach` gives a way to; without it those of the same origin. They are left out where there would be more than
    `most` questions in all.
    True where the peer answered with data.
    """
    inquiry = _Inquiry(service, door, most)
    asked = [await inquiry.ask(talk, page(_url(service)), HttpPurpose.PAGE)]
    first = asked[0].response
    further = None if first is None else next_page(asked[0].question, first.status, first.headers)
    if further is not None:
        asked.append(await inquiry.ask(talk, further, HttpPurpose.PAGE))
    if inquiry.goes_on(asked):
        roots = await inquiry.of_product(talk, asked, is_page=True)
        await inquiry.archives(roots, reach or (lambda root: talk if inquiry.is_here(root) else None))
    return inquiry.gave_data


class _Inquiry:
    """All questions of one declared service. What `most` bounds is what follows its page, or its canary and control."""

    def __init__(self, service: Service, door: HttpDoor, most: int) -> None:
        self._door = door
        self._here = origin_of(urlsplit(_url(service)))
        self._left = most
        self.gave_data = False

    def is_here(self, url: str) -> bool:
        """Whether a URL is on the declared origin."""
        return origin_of(urlsplit(url)) == self._here

    def goes_on(self, asked: Sequence[_Asked]) -> bool:
        """Whether more is to be asked of a peer after what it answered last."""
        last = asked[-1].response
        return last is not None and last.status not in BUSY and not self.gave_data

    async def archive(self, talk: Talk, root: str) -> list[_Asked]:
        """Canary and control of one root."""
        study_uid = fresh_study_uid(uuid4())
        asked = [await self.ask(talk, canary(root, study_uid), HttpPurpose.CANARY)]
        if self.goes_on(asked):
            word = f"x{secrets.token_hex(WORD_LENGTH)[: WORD_LENGTH - 1]}"
            question = control(root, study_uid, word)
            asked.append(await self.ask(talk, question, HttpPurpose.CONTROL, compared_with=asked[0]))
        return asked

    async def archives(self, roots: Sequence[str], reach: Reach) -> None:
        """Canary and control of the roots that a configuration names, as far as there is a way to them."""
        ways = [(root, way) for root in roots if (way := reach(root)) is not None]
        if len(ways) > MOST_ROOTS_ASKED:
            ways[0][1].device.note_gap("a configuration names more DICOMweb roots here than are asked")
        silent: list[Talk] = []  # where it is busy or gives no answer, another root is no other question
        for root, way in ways[:MOST_ROOTS_ASKED]:
            if way in silent:
                continue
            if self.gave_data or not self._may(_PAIR, way):
                return
            if not self.goes_on(await self.archive(way, root)):
                silent.append(way)

    async def of_product(self, talk: Talk, asked: Sequence[_Asked], *, is_page: bool) -> tuple[str, ...]:
        """The questions of the product that was recognised; gives the roots that its configuration names."""
        recognised = [one for one in asked if one.facts.product is not None]
        known = product(recognised[-1].facts.product) if recognised else None
        roots: list[str] = []
        for ask in known.asks if known is not None else ():
            question = of_product(recognised[-1].question, ask.path, fresh_study_uid(uuid4()), page=is_page)
            if question is None:
                continue
            if not self._may(1, talk):
                break
            purpose = HttpPurpose.CONFIGURATION if ask.shows == "configuration" else HttpPurpose.REST
            answered = await self.ask(talk, question, purpose, ask=ask, page_url=recognised[-1].question.url)
            roots += answered.roots
            if not self.goes_on([answered]):
                break
        return tuple(dict.fromkeys(roots))

    def _may(self, questions: int, talk: Talk) -> bool:
        if self._left < questions:
            talk.device.note_gap("the budget left no connection for what a web product is asked beyond its page")
            return False
        return True

    async def ask(
        self,
        talk: Talk,
        question: Question,
        purpose: HttpPurpose,
        *,
        compared_with: _Asked | None = None,
        ask: Ask | None = None,
        page_url: str = "",
    ) -> _Asked:
        """Ask once, and record what came of it."""
        self._left -= 1
        answer = await self._door.get(
            talk.device,
            _request(talk, question, purpose, ask),
            server_name=server_name(urlsplit(question.url).hostname),
        )
        tell(talk, answer)
        if isinstance(answer, Failure):
            end, detail = ended(answer)
            facts = HttpFacts(purpose=purpose, path=question.shown, tls=_by_tls(question), end=end, detail=detail)
            asked = _Asked(question, facts, None)
        else:
            asked = _answered(question, purpose, answer)
            if compared_with is not None and compared_with.body is not None and asked.body is not None:
                same = alike((compared_with.question, compared_with.body), (question, asked.body))
                asked = replace(asked, facts=replace(asked.facts, body_alike=same))
            if ask is not None:
                declared = [one.url or "" for one in talk.device.asset.services if one.kind is ServiceKind.DICOMWEB]
                asked = _understood(asked, answer, ask, page_url, declared)
        if not self.is_here(question.url):
            asked = replace(asked, facts=replace(asked.facts, path=f"{question.origin}{question.shown}"))
        talk.record(asked.facts)
        self.gave_data |= asked.facts.body is BodyKind.FILLED_ARRAY and purpose in SEARCHES
        return asked


def _request(talk: Talk, question: Question, purpose: HttpPurpose, ask: Ask | None) -> Request:
    is_page, is_query = purpose is HttpPurpose.PAGE, purpose in _QUERIES
    enough = read_enough if ask is None else read_whole if purpose is HttpPurpose.CONFIGURATION else rest_enough(ask)
    return Request(
        url=question.url,
        permit=talk.permit,
        port=talk.port,
        purpose=LEDGER_WORDS[purpose],
        accept=_ACCEPT_PAGE if is_page else _ACCEPT_JSON if is_query else _ACCEPT_ANY,
        prefix_bytes=LONGEST_SIGN if purpose is HttpPurpose.REST else PREFIX_BYTES,
        limits=_CANARY_LIMITS if purpose in SEARCHES else _PAGE_LIMITS,
        enough=enough,
        origin=SENT_ORIGIN if is_query else None,
    )


def _answered(question: Question, purpose: HttpPurpose, answer: Response) -> _Asked:
    facts = http_facts(
        purpose=purpose,
        path=question.shown,
        tls=_by_tls(question),
        status=answer.status,
        headers=without_random(question, answer.headers),
        prefix=answer.prefix,
        complete=answer.complete,
        origin=question.origin,
        sent_origin=SENT_ORIGIN if purpose in _QUERIES else None,
    )
    return _Asked(question, facts, answer)


def _understood(asked: _Asked, answer: Response, ask: Ask, page_url: str, declared: Sequence[str]) -> _Asked:
    """What an answer shows as that to a product's own question."""
    if asked.facts.end is not HttpEnd.ANSWERED:
        return asked
    if ask.shows == "rest":
        open_here = rest_sign(
            ask, status=answer.status, headers=answer.headers, prefix=answer.prefix, complete=answer.complete
        )
        data = rest_gives_data(ask, answer.prefix) and 200 <= answer.status < 300
        body = BodyKind.FILLED_ARRAY if data else asked.facts.body
        return replace(asked, facts=replace(asked.facts, rest_sign=ask.sign if open_here else None, body=body))
    said = read_configuration(
        ask,
        status=answer.status,
        headers=answer.headers,
        prefix=answer.prefix,
        complete=answer.complete,
        page_url=page_url,
        declared=declared,
    )
    if said is None:
        return asked
    facts = replace(
        asked.facts,
        named_roots=said.named_roots,
        signs_in=said.signs_in,
        names_internal_hosts=said.internal_hosts,
        names_clients=said.clients,
    )
    return replace(asked, facts=facts, roots=said.roots)


def _by_tls(question: Question) -> bool:
    return urlsplit(question.url).scheme == "https"


def _url(service: Service) -> str:
    """The URL that a web service is declared with. Raises ValueError for a service of another kind."""
    if service.url is None:
        message = f"a service of kind {service.kind.value} has no URL to ask"
        raise ValueError(message)
    return service.url
