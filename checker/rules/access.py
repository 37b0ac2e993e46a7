"""Pure: what the associations of one DICOM service say, in words and in one weighed answer.

The rules of the family `dicom` share three questions that are answered here and nowhere else: which associations count
(a port speaks DICOM in the clear or inside TLS; what came back in the other mode says nothing about access), when
several of them together are a pass, and whether what was seen inside TLS is all that a stranger meets at the port, for
some take plaintext too. Nothing here turns silence into a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from checker.model import (
    Acceptance,
    AssociationOutcome,
    AssociationPurpose,
    DicomFacts,
    HandshakeFacts,
    JsonValue,
    Observation,
    QueryVerdict,
    Status,
    TlsFacts,
)
from checker.rules.base import Case, Verdict, passed, unknown

SURVEY = AssociationPurpose.SURVEY
WRONG_CALLED = AssociationPurpose.WRONG_CALLED
CANARY = AssociationPurpose.CANARY
REGISTERED = AssociationPurpose.REGISTERED
WORKLIST = AssociationPurpose.WORKLIST
GET = AssociationPurpose.GET
# What every service is asked as a stranger. The opt-in canaries are asked as one too, but only where a survey was taken
# in, so that they have rules of their own; who is registered is no stranger.
_OF_STRANGERS = frozenset({SURVEY, WRONG_CALLED, CANARY})

CALLING_NOT_RECOGNISED = (1, 1, 3)  # PS3.8 table 9-21
CALLED_NOT_RECOGNISED = (1, 1, 7)
SUCCESS = 0x0000  # PS3.7 annex C

_DICOM_ANSWERS = frozenset({AssociationOutcome.ACCEPTED, AssociationOutcome.REJECTED, AssociationOutcome.ABORTED})
_NO_DICOM_HERE = frozenset(
    {
        AssociationOutcome.CLOSED,
        AssociationOutcome.RESET,
        AssociationOutcome.TIMEOUT,
        AssociationOutcome.NOT_CONNECTED,
        AssociationOutcome.TLS_FAILED,
        AssociationOutcome.SPEAKS_TLS,
    }
)
# How a port that takes TLS alone turns plaintext away; silence and other protocols leave it open.
_PLAINTEXT_TURNED_AWAY = frozenset({AssociationOutcome.CLOSED, AssociationOutcome.RESET, AssociationOutcome.SPEAKS_TLS})

# PS3.8 table 9-21, by (source, reason)
_REJECT_WORDS = {
    (1, 1): "no reason given",
    (1, 2): "application context not supported",
    (1, 3): "calling AE title not recognised",
    (1, 7): "called AE title not recognised",
    (2, 1): "no reason given by the association layer",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}

_OUTCOME_WORDS = {
    AssociationOutcome.ACCEPTED: "accepted",
    AssociationOutcome.REJECTED: "rejected",
    AssociationOutcome.ABORTED: "aborted",
    AssociationOutcome.CLOSED: "closed without an answer",
    AssociationOutcome.RESET: "reset",
    AssociationOutcome.TIMEOUT: "not answered in time",
    AssociationOutcome.TOO_MUCH: "answered with more than was read",
    AssociationOutcome.MALFORMED: "answered with something that is no valid DICOM",
    AssociationOutcome.NOT_CONNECTED: "not possible, for no connection came about",
    AssociationOutcome.TLS_FAILED: "not possible, for TLS was not agreed",
    AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED: "refused without a client certificate",
    AssociationOutcome.SPEAKS_TLS: "answered with a TLS alert",
    AssociationOutcome.NOT_ASKED: "not asked",
}


# ---------------------------------------------------------------------------------------------------- one association


def answered(facts: DicomFacts) -> bool:
    """Whether a DICOM peer answered the request: it accepted, rejected or aborted the association."""
    return facts.outcome in _DICOM_ANSWERS


def accepted(facts: DicomFacts) -> bool:
    """Whether the association was accepted."""
    return facts.outcome is AssociationOutcome.ACCEPTED


def refuses_strangers(facts: DicomFacts, registered: Iterable[DicomFacts] = ()) -> bool:
    """Whether the answer refuses us for who we are: calling AE title not recognised, or a client certificate missing.

    "Called AE title not recognised" counts only beside one of `registered` that tells callers apart (`told_apart`), for
    products say it to unknown callers and to wrong titles alike.
    """
    return (
        facts.outcome is AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED
        or _reject(facts) == CALLING_NOT_RECOGNISED
        or told_apart(facts, registered)
    )


def told_apart(facts: DicomFacts, registered: Iterable[DicomFacts]) -> bool:
    """Whether a stranger was refused by name where a registered caller was accepted, by the same title in one mode.

    Only rejections 1/1/3 and 1/1/7 are by name: another, or an abort, may have been for what the survey proposes
    beyond Verification.
    """
    by_name = _reject(facts) in (CALLING_NOT_RECOGNISED, CALLED_NOT_RECOGNISED)
    return by_name and any(
        accepted(other)
        and other.tls is facts.tls
        and other.called_ae_title.strip() == facts.called_ae_title.strip()
        and other.calling_ae_title.strip() != facts.calling_ae_title.strip()
        for other in registered
    )


def refuses_title(facts: DicomFacts) -> bool:
    """Whether the answer was "called AE title not recognised"."""
    return _reject(facts) == CALLED_NOT_RECOGNISED


def serves(facts: DicomFacts) -> bool:
    """Whether a DIMSE request of ours was served: the echo with success, or the canary query."""
    return accepted(facts) and (facts.echo_status == SUCCESS or answers_query(facts))


def answers_query(facts: DicomFacts) -> bool:
    """Whether the canary query was served, its key heeded or not."""
    return facts.query in (QueryVerdict.QUERY_ACCEPTED, QueryVerdict.KEY_IGNORED)


def _reject(facts: DicomFacts) -> tuple[int, int, int] | None:
    return facts.reject if facts.outcome is AssociationOutcome.REJECTED else None


def words(facts: DicomFacts | None) -> str:
    """How the association went, as the end of a sentence such as "the association was ..."."""
    if facts is None:
        return _OUTCOME_WORDS[AssociationOutcome.NOT_ASKED]
    reject = _reject(facts)
    if reject is None:
        return _OUTCOME_WORDS[facts.outcome]
    result, source, reason = reject
    meaning = _REJECT_WORDS.get((source, reason), "a reason the standard does not name")
    lasting = ", for now" if result == 2 else ""  # PS3.8 9.3.4: result 2 is rejected-transient
    return f"rejected {result}/{source}/{reason} ({meaning}{lasting})"


def told(facts: DicomFacts) -> Mapping[str, JsonValue]:
    """An association as evidence; what was not observed is left out."""
    evidence: dict[str, JsonValue] = {
        "purpose": facts.purpose.value,
        "tls": facts.tls,
        "outcome": facts.outcome.value,
        "calling_ae_title": facts.calling_ae_title,
        "called_ae_title": facts.called_ae_title,
    }
    if facts.client_certificate:
        evidence["client_certificate"] = True
    if facts.reject is not None:
        evidence["reject"] = list(facts.reject)
        evidence["answer"] = words(facts)
    if facts.abort is not None:
        evidence["abort"] = list(facts.abort)
    if facts.echo_status is not None:
        evidence["echo_status"] = status_text(facts.echo_status)
    if facts.query is not None:
        evidence["query"] = facts.query.value
    if facts.query_status is not None:
        evidence["query_status"] = status_text(facts.query_status)
    return evidence


def status_text(status: int) -> str:
    """A DIMSE status as PS3.7 writes it: four hexadecimal digits."""
    return f"{status:04X}"


def all_told(facts: Iterable[DicomFacts]) -> list[JsonValue]:
    """Several associations as evidence, in the order observed."""
    return [told(one) for one in facts]


# ------------------------------------------------------------------------------------------------ several associations


def associations(case: Case, *, as_known: bool = False) -> list[DicomFacts]:
    """The associations that were asked for, in order, without those of a mode that the port was seen not to speak.

    Those with our own certificate are among them only `as_known`: one who has proved who it is, is no stranger, so that
    neither what is served to it nor what is refused shows what strangers get.

    A port that answered DICOM inside TLS resets or ignores plaintext, and the other way round; such a refusal of the
    mode is no refusal of the caller and no doubt about it either. What the inventory asks for beyond is told by
    `further`, and never among them.
    """
    asked = [
        facts
        for facts in case.facts(DicomFacts)
        if facts.outcome is not AssociationOutcome.NOT_ASKED
        and facts.purpose in _OF_STRANGERS
        and (as_known or not facts.client_certificate)
    ]
    spoken = {facts.tls for facts in asked if _shows_mode(facts)}
    if not spoken:
        return asked
    return [facts for facts in asked if facts.tls in spoken or facts.outcome not in _NO_DICOM_HERE]


def further(case: Case, purpose: AssociationPurpose) -> list[DicomFacts]:
    """The associations that were asked for only because the inventory says so, for one purpose, in order."""
    return [
        facts
        for facts in of_purpose(case.facts(DicomFacts), purpose)
        if facts.outcome is not AssociationOutcome.NOT_ASKED and not facts.client_certificate
    ]


def _shows_mode(facts: DicomFacts) -> bool:
    return answered(facts) or facts.outcome is AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED


def of_purpose(facts: Iterable[DicomFacts], purpose: AssociationPurpose) -> list[DicomFacts]:
    """Those that were asked for one purpose."""
    return [one for one in facts if one.purpose is purpose]


def of_strangers(facts: Iterable[DicomFacts]) -> list[DicomFacts]:
    """Those that every service is asked as a stranger."""
    return [one for one in facts if one.purpose in _OF_STRANGERS]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What several associations say together; `by` is the one that decided, None where there was none.

    Where both modes pass it is an accepted association if there is one, for that tells more than a refusal.
    """

    status: Status
    by: DicomFacts | None = None


def weigh(facts: Iterable[DicomFacts], one: Callable[[DicomFacts], Status | None]) -> Weighed:
    """The answer of several associations: one failure fails; to pass, each mode that was asked must pass.

    `one` judges a single association, None where it says nothing about the question. A mode (plaintext or TLS) passes
    where one of its associations does and no accepted one is undecided; a silent or busy one does not undo a pass.
    """
    asked = list(facts)
    judged = [(item, one(item)) for item in asked]
    for item, status in judged:
        if status is Status.FAIL:
            return Weighed(Status.FAIL, item)
    passing: list[DicomFacts] = []
    for mode in sorted({item.tls for item in asked}):
        mine = [(item, status) for item, status in judged if item.tls is mode]
        doubts = [item for item, status in mine if status is Status.UNKNOWN]
        contradicting = next((item for item in doubts if accepted(item)), None)
        deciding = next((item for item, status in mine if status is Status.PASS), None)
        if contradicting is not None or deciding is None:
            return Weighed(Status.UNKNOWN, contradicting or (doubts[0] if doubts else None))
        passing.append(deciding)
    by = next((item for item in passing if accepted(item)), passing[0] if passing else None)
    return Weighed(Status.UNKNOWN if by is None else Status.PASS, by)


# ------------------------------------------------------------------------------------------------------- plain or TLS


def plaintext_answer(case: Case) -> str | None:
    """What showed that the port speaks DICOM without TLS, in words; None where nothing did.

    What another service that is declared on the same port was asked counts as well: the port is the same.
    """
    at_port = _at_port(case)
    for item in at_port:
        if isinstance(item.facts, DicomFacts) and not item.facts.tls and answered(item.facts):
            return f"an association in plaintext was {words(item.facts)}"
    if any(isinstance(item.facts, TlsFacts) and item.facts.plaintext_dicom for item in at_port):
        return "a TLS hello was answered with a DICOM message in plaintext"
    return None


def plaintext_doubt(case: Case) -> str | None:
    """Why TLS alone does not tell what a stranger meets at this port, as the end of a sentence; None where it does.

    It does where plaintext was turned away there, whichever service it was asked for. Where this service itself was
    answered in plaintext, that answer counts with all others, so there is no doubt either.
    """
    if any(not facts.tls and answered(facts) for facts in of_strangers(case.facts(DicomFacts))):
        return None
    plain = plaintext_answer(case)
    if plain is not None:
        return f"on the same port {plain}"
    asked = [
        item.facts
        for item in _at_port(case)
        if isinstance(item.facts, DicomFacts)
        and not item.facts.tls
        and item.facts.outcome is not AssociationOutcome.NOT_ASKED
    ]
    if any(facts.outcome in _PLAINTEXT_TURNED_AWAY for facts in asked):
        return None
    if not asked:
        return "whether plaintext is taken too was not asked"
    return f"an association in plaintext was {words(asked[-1])}"


def passed_at_port(case: Case, summary: str, **evidence: JsonValue) -> Verdict:
    """A pass, where what was seen is all that a stranger meets at this port; else unknown.

    For rules about what strangers get: a pass that rests on TLS says nothing about plaintext on the same port.
    """
    doubt = plaintext_doubt(case)
    if doubt is None:
        return passed(summary, **evidence)
    return unknown(f"Inside TLS nothing was found wrong, but {doubt}.", **evidence)


def _at_port(case: Case) -> list[Observation]:
    """What was seen of this service, and of any other at its address and port."""
    place = (case.address, case.the_service().port)
    return [*case.seen, *(item for item in case.asset_seen if item.address and (item.address, item.port) == place)]


def tls_proof(case: Case) -> str | None:
    """What proved that the port speaks TLS, in words; None where nothing did."""
    for handshake in case.facts(HandshakeFacts):
        if handshake.completed:
            return f"a {handshake.version or 'TLS'} handshake was completed"
    for facts in case.facts(DicomFacts):
        if facts.tls and _shows_mode(facts):
            return f"an association inside TLS was {words(facts)}"
    for hellos in case.facts(TlsFacts):
        for version in hellos.versions:
            if version.acceptance is Acceptance.ACCEPTED:
                return f"{version.version} was accepted"
    return None
