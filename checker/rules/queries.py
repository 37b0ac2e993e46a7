"""Pure: when the answers of one service are a refusal of queries, shared by what judges and what tells of them.

A failure of processing, an abort that calls a message wrong, or one class of query that is not supported beside others
that may be, is no refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from checker.catalog.dicom import Meaning, meaning
from checker.model import DicomFacts, QueryVerdict
from checker.rules.access import SURVEY, accepted, of_purpose

NOT_SUPPORTED = 0x0122  # Refused: SOP Class Not Supported (PS3.7 annex C.5.6)
NOT_AUTHORISED = 0x0124  # Refused: Not Authorized (PS3.7 annex C.5.11)
_BY_USER = 0  # PS3.8 table 9-26: the peer's application chose to abort
_NO_REASON = (2, 0)
_SYNTAX_NOT_SUPPORTED = 4  # PS3.8 table 9-18: about the transfer syntax, not about the query


def query_refused(facts: DicomFacts, asked: Iterable[DicomFacts]) -> bool:
    """Whether an accepted association shows that the query in it was refused for what it is.

    `asked` are all associations of the service, for a query class that is not supported says nothing of the others.
    """
    match facts.query:
        case QueryVerdict.REFUSED_STATUS:
            return facts.query_status == NOT_AUTHORISED or (
                facts.query_status == NOT_SUPPORTED and _no_other_search(facts, asked)
            )
        case QueryVerdict.REFUSED_ABORT:
            offered = any(is_search(context.abstract_syntax) and context.result == 0 for context in facts.contexts)
            return offered and is_meant(facts.abort)
        case QueryVerdict.CONTEXT_REJECTED:
            results = [context.result for context in facts.contexts if is_search(context.abstract_syntax)]
            return all_refused(results) and _no_other_search(facts, asked)
        case _:
            return False


def no_search_offered(survey: DicomFacts) -> bool:
    """Whether the survey proposed both information models of PS3.4 C.6 and had each refused for what it is."""
    results = [context.result for context in survey.contexts if is_search(context.abstract_syntax)]
    return len(results) > 1 and all_refused(results)


def all_refused(results: Collection[int]) -> bool:
    """Whether contexts were proposed and each was refused for what it is (PS3.8 table 9-18)."""
    return bool(results) and 0 not in results and _SYNTAX_NOT_SUPPORTED not in results


def is_meant(abort: tuple[int, int] | None) -> bool:
    """Whether an abort (source, reason) in place of an answer refuses the request.

    One of the provider for a given reason calls our message wrong, which is no refusal.
    """
    return abort is not None and (abort[0] == _BY_USER or abort == _NO_REASON)


def is_search(uid: str) -> bool:
    """Whether a SOP class is one for queries of studies."""
    return meaning(uid) is Meaning.SEARCH


def _no_other_search(canary_facts: DicomFacts, asked: Iterable[DicomFacts]) -> bool:
    """Whether the survey showed that no other SOP class for queries is accepted than the one the canary asked.

    "This one is not supported" says nothing about the others, so a survey that asked for them is needed.
    """
    mine = {context.abstract_syntax for context in canary_facts.contexts}
    surveyed = [facts for facts in of_purpose(asked, SURVEY) if accepted(facts) and facts.tls is canary_facts.tls]
    others = [
        context.result
        for facts in surveyed
        for context in facts.contexts
        if is_search(context.abstract_syntax) and context.abstract_syntax not in mine
    ]
    return all_refused(others)
