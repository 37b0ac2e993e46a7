"""DICOM: who may associate with one service, under which titles, and whether a stranger's query is answered.

Up to three associations, each on a connection of its own and each a valid question: the survey (the declared called AE
title, our unregistered calling one, many presentation contexts, C-ECHO), a called AE title that nobody has, and the
canary (a C-FIND for a study that cannot exist). One further connection is kept for one of three cases: the port speaks
the other mode, plaintext or TLS, than the inventory declares; the service is busy and is asked once more; or it speaks
TLS as declared, and is asked whether it takes strangers in plaintext as well. So there are never more than four. A
caller who was refused by name is asked for nothing more in that mode.

It never sends C-STORE, C-GET, C-MOVE or any N- request, and never follows silence by another question.
"""

from __future__ import annotations

import asyncio

from checker.model import AssociationOutcome, AssociationPurpose, DicomFacts, QueryVerdict, Service
from checker.plan import DICOM_CONNECTIONS, DICOM_OTHER_MODE_CONNECTIONS
from checker.probes.association import Association, Question, associate
from checker.probes.talk import Talk

DEFAULT_CALLED_AE_TITLE = "ANY-SCP"
"""Called where the inventory names no AE title: the title that DCMTK's clients call by default."""

WRONG_CALLED_AE_TITLES = ("NO_SUCH_AE_TITLE", "NO_SUCH_AE")
"""Called AE titles that nobody has; the second is for whoever declares the first."""

MOST_CONNECTIONS = DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS

# A busy service is left in peace for this many of the device's own gaps, within these bounds in seconds.
_BACK_OFF_GAPS = 20
_BACK_OFF_S = (0.5, 10.0)

_SPOKEN = (
    AssociationOutcome.ACCEPTED,
    AssociationOutcome.REJECTED,
    AssociationOutcome.ABORTED,
    AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED,
)
_CALLER_OR_TITLE = ((1, 1, 1), (1, 1, 7))  # PS3.8 table 9-21: no reason; called AE title not recognised
_ANSWERED_BEFORE = "the asset has answered a query with data before"
_TRANSIENT = 2  # PS3.8 9.3.4: the result rejected-transient
_PRESENTATION_PROVIDER = 3  # its reasons are temporary congestion and a local limit exceeded


async def probe_dicom(
    talk: Talk, service: Service, *, calling: str, server_name: str | None, ask_query: bool = True
) -> bool:
    """Ask a declared DICOM service; True where the canary was answered with data, and must not be asked again.

    `calling` is our own AE title, which nobody has registered; `server_name` the host name for TLS, if any. Without
    `ask_query` the canary is not asked. Each association is recorded as it ends.
    """
    inquiry = _Inquiry(talk, calling, server_name, tls=service.speaks_tls)
    if await _ask(inquiry, service, ask_query=ask_query):
        return True
    called = service.ae_title or DEFAULT_CALLED_AE_TITLE
    if not service.speaks_tls or not await inquiry.takes_plaintext_too(called):
        return False
    if not ask_query or not inquiry.left:
        why = "no connection was left for it" if ask_query else _ANSWERED_BEFORE
        inquiry.leave_out(AssociationPurpose.CANARY, called, why)
        return False
    return (await inquiry.canary(called)).query is QueryVerdict.KEY_IGNORED


async def _ask(inquiry: _Inquiry, service: Service, *, ask_query: bool) -> bool:
    survey = await inquiry.survey(service.ae_title or DEFAULT_CALLED_AE_TITLE)
    called = survey.called_ae_title if _worth_a_query(survey) else None
    if _leaves_title_open(survey, service):
        wrong = await inquiry.wrong_called(_wrong_title(service), echo=called is None, keep=1 if ask_query else 0)
        if wrong.outcome is AssociationOutcome.NOT_CONNECTED:
            return False
        if called is None and wrong.outcome is AssociationOutcome.ACCEPTED:
            called = wrong.called_ae_title
    if called is None:
        return False
    if not ask_query:
        inquiry.leave_out(AssociationPurpose.CANARY, called, _ANSWERED_BEFORE)
        return False
    canary = await inquiry.canary(called)
    return canary.query is QueryVerdict.KEY_IGNORED


class _Inquiry:
    """The associations of one service: how many connections are left, and in which mode they are asked."""

    def __init__(self, talk: Talk, calling: str, server_name: str | None, *, tls: bool) -> None:
        self._talk = talk
        self._calling = calling
        self._server_name = server_name
        self._tls = tls
        self._busy = False
        self._spoke = False  # DICOM, or the demand for a certificate in its place
        self._came_back = False
        self.left = MOST_CONNECTIONS

    async def survey(self, called: str) -> DicomFacts:
        """The survey, in the declared mode; in the other one where the port was seen not to speak that."""
        first = await self._associate(AssociationPurpose.SURVEY, called, echo=True)
        if first.wrong_mode:
            self._tls = not self._tls
            first = await self._associate(AssociationPurpose.SURVEY, called, echo=True)
        return await self._again_if_busy(first.facts, echo=True)

    async def wrong_called(self, called: str, *, echo: bool, keep: int) -> DicomFacts:
        """The called AE title that nobody has, where it leaves `keep` connections for what matters more."""
        if self.left > keep:
            return (await self._associate(AssociationPurpose.WRONG_CALLED, called, echo=echo)).facts
        return self.leave_out(AssociationPurpose.WRONG_CALLED, called, "no connection was left for this question")

    async def canary(self, called: str) -> DicomFacts:
        """The query for a study that cannot exist."""
        association = await self._associate(AssociationPurpose.CANARY, called, echo=False)
        return await self._again_if_busy(association.facts, echo=False)

    async def takes_plaintext_too(self, called: str) -> bool:
        """Whether a port that spoke DICOM inside TLS takes an association in plaintext; False where it is not asked.

        A device that is busy, or has no connection left for it, is spared the question.
        """
        if not self._tls or not self._spoke or self._busy or not self.left:
            return False
        self._tls = False
        survey = (await self._associate(AssociationPurpose.SURVEY, called, echo=True)).facts
        return _worth_a_query(survey)

    def leave_out(self, purpose: AssociationPurpose, called: str, why: str) -> DicomFacts:
        """Record that an association is not asked for, and why."""
        facts = DicomFacts(
            purpose=purpose, tls=self._tls, calling_ae_title=self._calling, called_ae_title=called, detail=why
        )
        self._talk.record(facts)
        return facts

    async def _again_if_busy(self, facts: DicomFacts, *, echo: bool) -> DicomFacts:
        if not self._busy or self._came_back or not self.left:
            return facts
        self._came_back = True
        return (await self._associate(facts.purpose, facts.called_ae_title, echo=echo)).facts

    async def _associate(self, purpose: AssociationPurpose, called: str, *, echo: bool) -> Association:
        if self._busy:
            await asyncio.sleep(_back_off(self._talk))
        self.left -= 1
        question = Question(purpose, called, self._calling, self._tls, self._server_name, echo)
        association = await associate(self._talk, question)
        self._talk.record(association.facts)
        self._busy = _is_busy(association.facts)
        self._spoke = association.facts.outcome in _SPOKEN
        return association


def _back_off(talk: Talk) -> float:
    least, most = _BACK_OFF_S
    return min(most, max(least, _BACK_OFF_GAPS * talk.device.asset.manners.gap_s))


def _is_busy(facts: DicomFacts) -> bool:
    return facts.reject is not None and (facts.reject[0] == _TRANSIENT or facts.reject[1] == _PRESENTATION_PROVIDER)


def _worth_a_query(survey: DicomFacts) -> bool:
    """Whether the canary can tell more than the survey has.

    A caller who was refused by name gets nothing else by asking again. An abort is no such word: it may have been for
    the many contexts of the survey, and the canary proposes one.
    """
    return survey.outcome in (AssociationOutcome.ACCEPTED, AssociationOutcome.ABORTED)


def _leaves_title_open(survey: DicomFacts, service: Service) -> bool:
    """Whether a wrong called AE title can tell something: it is to be compared with the declared one."""
    if survey.outcome is AssociationOutcome.ACCEPTED:
        return True
    return survey.reject in _CALLER_OR_TITLE and service.ae_title is not None


def _wrong_title(service: Service) -> str:
    return next(title for title in WRONG_CALLED_AE_TITLES if title != (service.ae_title or "").strip())
