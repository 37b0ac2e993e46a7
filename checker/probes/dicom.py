"""DICOM: who may associate with one service, under which titles, and whether a stranger's query is answered.

Up to three associations, each on a connection of its own and each a valid question: the survey (the declared called AE
title, our unregistered calling one, many presentation contexts, C-ECHO), the canary (a C-FIND for a study that cannot
exist), and a called AE title that nobody has. They are asked in this order, so that a spent budget loses the least;
where the declared title is not recognised the wrong one comes before the canary, which then depends on it.

One further connection is kept for one of three cases: the port speaks the other mode, plaintext or TLS, than the
inventory declares; the service is busy and is asked once more; or it speaks TLS as declared, and is asked whether it
takes strangers in plaintext as well. Where it does, the canary is asked there too, in place of the wrong title. So
there are never more than four. A caller who was refused by name is asked for nothing more in that mode.

A port that refused us inside TLS for want of a certificate is asked again with our own, where we have one and two of
the four are left: the survey, which then shows that the service is there, and a called AE title that nobody has where
the declared one was not recognised. Never the canary, for what we may query says nothing of strangers.

What the inventory asks for beyond that comes last, each on one connection more: a calling AE title that it says is
registered (Verification and C-ECHO alone), and of the opt-in canaries the worklist's and that of retrieval, where a
survey showed that a stranger's context for it is accepted. They come in the mode, and with the called title, of that
survey, and never with our certificate.

It never sends C-STORE, C-MOVE or any N- request, nor a C-GET but for a study that cannot exist, and never follows
silence by another question, nor an answer with data.
"""

from __future__ import annotations

from collections.abc import Collection

from checker.codecs.dicom_requests import contexts
from checker.model import (
    OPT_IN_CANARIES,
    AssociationOutcome,
    AssociationPurpose,
    DicomFacts,
    QueryVerdict,
    Service,
)
from checker.net.tls import OwnCertificate
from checker.plan import DICOM_CONNECTIONS, DICOM_OTHER_MODE_CONNECTIONS
from checker.probes.association import Association, Question, associate, is_busy
from checker.probes.talk import Talk

DEFAULT_CALLED_AE_TITLE = "ANY-SCP"
"""Called where the inventory names no AE title: the title that DCMTK's clients call by default."""

WRONG_CALLED_AE_TITLES = ("NO_SUCH_AE_TITLE", "NO_SUCH_AE")
"""Called AE titles that nobody has; the second is for whoever declares the first."""

MOST_CONNECTIONS = DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS
"""Without a registered title and without opt-in canaries."""

# What plaintext beside TLS may take: the survey, and the canary where strangers are welcome.
_PLAINTEXT_CONNECTIONS = 2

_SPOKEN = frozenset(
    {
        AssociationOutcome.ACCEPTED,
        AssociationOutcome.REJECTED,
        AssociationOutcome.ABORTED,
        AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED,
    }
)
# How a port that speaks TLS turns plaintext away.
_TURNED_AWAY = frozenset(
    {
        AssociationOutcome.CLOSED,
        AssociationOutcome.RESET,
        AssociationOutcome.SPEAKS_TLS,
        AssociationOutcome.MALFORMED,
    }
)
# The peer itself answered, so that the same can be asked under another title, or more.
_ANSWERED = frozenset({AssociationOutcome.ACCEPTED, AssociationOutcome.REJECTED, AssociationOutcome.ABORTED})
_CALLER_OR_TITLE = ((1, 1, 1), (1, 1, 7))  # PS3.8 table 9-21: no reason; called AE title not recognised


async def probe_dicom(
    talk: Talk,
    service: Service,
    *,
    calling: str,
    server_name: str | None,
    spared: Collection[AssociationPurpose] = (),
    canaries: Collection[AssociationPurpose] = (),
    own: OwnCertificate | None = None,
) -> frozenset[AssociationPurpose]:
    """Ask a declared DICOM service; the questions that were answered with data, and must not be asked again.

    `calling` is our own AE title, which nobody has registered; `server_name` the host name for TLS, if any. Of
    `canaries`, those of `OPT_IN_CANARIES` are asked as well; none of `spared`, for the asset has answered those with
    data before. `own` is our certificate, for a port that was seen to require one. Each association is recorded as it
    ends, and as not asked where it is left out, but for those with that certificate.
    """
    inquiry = _Inquiry(talk, calling, server_name, spared=frozenset(spared))
    surveys = await _ask(inquiry, service)
    survey = surveys[0]
    if own is not None and survey.tls and survey.outcome is AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED:
        await _ask_as_known(inquiry, service, own)
    await _ask_more(inquiry, service, surveys, canaries)
    return inquiry.answered_with_data


async def _ask(inquiry: _Inquiry, service: Service) -> list[DicomFacts]:
    """What every service is asked; its surveys, the declared mode first."""
    called = service.ae_title or DEFAULT_CALLED_AE_TITLE
    survey = await inquiry.survey(called, tls=service.speaks_tls)
    beside = service.speaks_tls and survey.tls and survey.outcome in _SPOKEN and not inquiry.busy
    title = called if _worth_a_query(survey) else None
    wrong: DicomFacts | None = None
    if title is None and _leaves_title_open(survey, service):
        keep = _PLAINTEXT_CONNECTIONS if beside else 0
        wrong = await inquiry.wrong_called(_wrong_title(service), tls=survey.tls, echo=True, keep=keep)
        title = wrong.called_ae_title if wrong.outcome is AssociationOutcome.ACCEPTED else None
    if title is not None and (not beside or inquiry.left > _PLAINTEXT_CONNECTIONS):
        await inquiry.canary(title, tls=survey.tls)
        title = None
    plain: DicomFacts | None = None
    if beside:
        plain = await inquiry.plaintext_beside(called)
        if _worth_a_query(plain):
            await inquiry.canary(called, tls=False)
    if title is not None:
        await inquiry.canary(title, tls=survey.tls)
    welcome = [facts for facts in (survey, plain) if facts and facts.outcome is AssociationOutcome.ACCEPTED]
    if wrong is None and welcome:
        await inquiry.wrong_called(_wrong_title(service), tls=welcome[0].tls, echo=False)
    return [survey] if plain is None else [survey, plain]


async def _ask_more(
    inquiry: _Inquiry, service: Service, surveys: list[DicomFacts], canaries: Collection[AssociationPurpose]
) -> None:
    """What the inventory asks for beyond that, each on one connection more."""
    answering = [survey for survey in surveys if survey.outcome in _ANSWERED]
    if service.registered_ae_title is not None and answering:
        await inquiry.registered(service.registered_ae_title, like=answering[0])
    for purpose in OPT_IN_CANARIES:
        like = next((survey for survey in answering if _takes(survey, purpose)), None)
        if purpose in canaries and like is not None:
            await inquiry.opted_in(purpose, like=like)


async def _ask_as_known(inquiry: _Inquiry, service: Service, own: OwnCertificate) -> None:
    """As one who has a certificate: whether the service is there, and whether its title is the declared one."""
    called = service.ae_title or DEFAULT_CALLED_AE_TITLE
    survey = await inquiry.as_known(AssociationPurpose.SURVEY, called, own)
    if survey is not None and _leaves_title_open(survey, service):
        await inquiry.as_known(AssociationPurpose.WRONG_CALLED, _wrong_title(service), own)


class _Inquiry:
    """The associations of one service: how many connections are left, and why nothing more is asked, if so."""

    def __init__(
        self, talk: Talk, calling: str, server_name: str | None, *, spared: frozenset[AssociationPurpose]
    ) -> None:
        self._talk = talk
        self._calling = calling
        self._server_name = server_name
        self._spared_for_good = spared
        self._over: str | None = None
        self._came_back = False
        self._left_open = False
        self.busy = False
        self.answered_with_data: frozenset[AssociationPurpose] = frozenset()
        self.left = MOST_CONNECTIONS

    async def survey(self, called: str, *, tls: bool) -> DicomFacts:
        """The survey, in the declared mode; in the other one where the port was seen not to speak that."""
        first = await self._associate(AssociationPurpose.SURVEY, called, tls=tls, echo=True)
        if first.wrong_mode:
            first = await self._associate(AssociationPurpose.SURVEY, called, tls=not tls, echo=True)
        return await self._again_if_busy(first.facts, echo=True)

    async def canary(self, called: str, *, tls: bool) -> DicomFacts:
        """The query for a study that cannot exist."""
        why = self._answered_before(AssociationPurpose.CANARY)
        facts = await self._unless(why, AssociationPurpose.CANARY, called, tls=tls, echo=False)
        return self._heed(await self._again_if_busy(facts, echo=False))

    async def wrong_called(self, called: str, *, tls: bool, echo: bool, keep: int = 0) -> DicomFacts:
        """The called AE title that nobody has, where it leaves `keep` connections for what matters more."""
        why = "no connection was left for this question" if self.left <= keep else None
        why = self._unwilling or why
        return await self._unless(why, AssociationPurpose.WRONG_CALLED, called, tls=tls, echo=echo)

    async def registered(self, calling: str, *, like: DicomFacts) -> DicomFacts:
        """The service by its declared title, as one whom it is said to know; in the mode of the survey `like`."""
        why = self._unwilling
        if calling == self._calling:
            why = "the title that is said to be registered is our own"
        self.left += 1
        facts = await self._unless(
            why, AssociationPurpose.REGISTERED, like.called_ae_title, tls=like.tls, echo=True, calling=calling
        )
        # Who breaks off instead of an echo is left as one who breaks off instead of an answer to a query.
        return self._heed(facts)

    async def opted_in(self, purpose: AssociationPurpose, *, like: DicomFacts) -> DicomFacts:
        """A canary that the inventory opts in to; in the mode of the survey `like`, and with its titles."""
        why = self._answered_before(purpose) or self._unwilling
        self.left += 1
        return self._heed(await self._unless(why, purpose, like.called_ae_title, tls=like.tls, echo=False))

    async def plaintext_beside(self, called: str) -> DicomFacts:
        """The survey in plaintext, of a port that spoke DICOM inside TLS: it may take both."""
        facts = await self._unless(self._spared, AssociationPurpose.SURVEY, called, tls=False, echo=True)
        if facts.outcome in _TURNED_AWAY:
            self._over = None
        return facts

    async def as_known(self, purpose: AssociationPurpose, called: str, own: OwnCertificate) -> DicomFacts | None:
        """An association inside TLS with our own certificate; None where it is not asked."""
        if self._over or self._spared or not self.left:
            return None
        return (await self._associate(purpose, called, tls=True, echo=True, own=own)).facts

    def _answered_before(self, purpose: AssociationPurpose) -> str | None:
        return "the asset has answered a query with data before" if purpose in self._spared_for_good else None

    def _heed(self, canary: DicomFacts) -> DicomFacts:
        """What became of a canary, and what follows from it for all other questions."""
        if canary.query is QueryVerdict.KEY_IGNORED:
            self.answered_with_data |= {canary.purpose}
            self._over = "a query was answered with data, so nothing more is asked of the service"
        if canary.outcome is not AssociationOutcome.NOT_ASKED:
            self._left_open = _is_left_open(canary)
        return canary

    @property
    def _unwilling(self) -> str | None:
        """Why a question that matters less than the canary is not put to the service now, whatever it is."""
        return "the service left the query without an answer" if self._left_open else self._spared

    @property
    def _spared(self) -> str | None:
        return "the service is busy" if self.busy else None

    async def _unless(
        self,
        why: str | None,
        purpose: AssociationPurpose,
        called: str,
        *,
        tls: bool,
        echo: bool,
        calling: str | None = None,
    ) -> DicomFacts:
        """The association, unless something forbids it: then it is recorded as not asked, and why."""
        why = self._over or why or (None if self.left else "no connection was left for it")
        if why is None:
            return (await self._associate(purpose, called, tls=tls, echo=echo, calling=calling)).facts
        facts = DicomFacts(
            purpose=purpose,
            tls=tls,
            calling_ae_title=calling or self._calling,
            called_ae_title=called,
            detail=why,
        )
        self._talk.record(facts)
        return facts

    async def _again_if_busy(self, facts: DicomFacts, *, echo: bool) -> DicomFacts:
        if not is_busy(facts) or self._came_back or not self.left:
            return facts
        self._came_back = True
        return (await self._associate(facts.purpose, facts.called_ae_title, tls=facts.tls, echo=echo)).facts

    async def _associate(
        self,
        purpose: AssociationPurpose,
        called: str,
        *,
        tls: bool,
        echo: bool,
        own: OwnCertificate | None = None,
        calling: str | None = None,
    ) -> Association:
        self.left -= 1
        question = Question(purpose, called, calling or self._calling, tls, self._server_name, echo, own)
        association = await associate(self._talk, question)
        facts = association.facts
        self._talk.record(facts)
        self.busy = is_busy(facts)
        if facts.outcome is AssociationOutcome.NOT_ASKED:
            self._over = facts.detail
        elif facts.outcome not in _SPOKEN:
            self._over = "the question before it had no answer in DICOM"
        else:
            self._over = None
        return association


def _is_left_open(canary: DicomFacts) -> bool:
    """Whether the peer broke off in the middle of the query. An abort is how some refuse it, and a whole answer."""
    return canary.query is QueryVerdict.INDETERMINATE and canary.query_status is None and not canary.released


def _takes(survey: DicomFacts, purpose: AssociationPurpose) -> bool:
    """Whether the survey showed that the context in which this canary is asked is accepted."""
    needed = contexts(purpose).values()
    return any(context.abstract_syntax in needed and context.result == 0 for context in survey.contexts)


def _worth_a_query(survey: DicomFacts) -> bool:
    """Whether the canary can tell more than the survey has.

    A caller who was refused by name gets nothing else by asking again. An abort is no such word: it may have been for
    the many contexts of the survey, and the canary proposes one.
    """
    return survey.outcome in (AssociationOutcome.ACCEPTED, AssociationOutcome.ABORTED)


def _leaves_title_open(survey: DicomFacts, service: Service) -> bool:
    """Whether a called AE title that nobody has might be accepted where the declared one was not."""
    return survey.reject in _CALLER_OR_TITLE and service.ae_title is not None


def _wrong_title(service: Service) -> str:
    return next(title for title in WRONG_CALLED_AE_TITLES if title != (service.ae_title or "").strip())
