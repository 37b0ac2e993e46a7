"""Pure: what an unregistered caller may do with one DICOM service, in words and as evidence.

An accepted presentation context is an offer and no permission: some products accept it and refuse the request. So a
stranger "may ask to" do what is offered, and "may" do only what a request of ours was seen to be served. Nothing here
judges; the rules do, and use these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from checker.catalog.dicom import GROUPS, Meaning, group, name, toolkit
from checker.model import DicomFacts, JsonValue
from checker.rules.access import CANARY, SURVEY, accepted, answers_query, associations
from checker.rules.base import Case, Verdict
from checker.rules.queries import is_search, query_refused

MOST_TOLD = 40
"""So many SOP classes are told one by one in evidence; the counts are of all."""

_VERBS = {
    Meaning.SEARCH: "search",
    Meaning.TAKE: "take images",
    Meaning.PUT: "store",
    Meaning.WORKLIST: "read the worklist",
    Meaning.PRINT: "print",
    Meaning.STORAGE_COMMITMENT: "commit storage",
    Meaning.OTHER: "use others",
}


@dataclass(frozen=True, slots=True)
class Services:
    """What a service offers to strangers.

    `offered` and `asked` are SOP classes by group, in the order of `GROUPS` and without groups of which none was asked.
    `served` and `refused` are the groups of which a request itself was answered so; of all others nothing was
    requested, or the answer did not decide.
    """

    offered: Mapping[Meaning, tuple[str, ...]]
    asked: Mapping[Meaning, int]
    served: frozenset[Meaning] = frozenset()
    refused: frozenset[Meaning] = frozenset()

    @property
    def groups(self) -> tuple[Meaning, ...]:
        """The groups of which something is offered or was served."""
        return tuple(kind for kind in GROUPS if self.offered.get(kind) or kind in self.served)

    def clause(self, first: Meaning | None = None) -> str:
        """What a stranger may do, as the end of a sentence about one; empty where that is nothing.

        What was served comes before what may be asked for, or, where there is a `first`, behind it.
        """
        parts = (self.proof(), self.offer(first))
        return ", and ".join(part for part in (parts if first is None else parts[::-1]) if part)

    def proof(self) -> str:
        """What a stranger may do because a request for it was served. Empty where none was."""
        verbs = [_VERBS[kind] for kind in GROUPS if kind in self.served]
        return f"may {_and(verbs)}" if verbs else ""

    def offer(self, first: Meaning | None = None) -> str:
        """What a stranger may ask for, with the number of SOP classes; `first` is told before the others.

        What was seen to be served or refused is no mere offer, and not among them. Empty where nothing is.
        """
        kinds = [kind for kind in self.groups if kind not in self.served | self.refused]
        if not kinds:
            return ""
        kinds.sort(key=lambda kind: kind is not first)  # the others keep their order
        counts = [str(len(self.offered[kind])) for kind in kinds]
        counts[0] += " SOP class" if counts[0] == "1" else " SOP classes"
        asks = [f"{_VERBS[kind]} ({count})" for kind, count in zip(kinds, counts, strict=True)]
        return f"may ask to {_and(asks)}"

    def evidence(self) -> dict[str, JsonValue]:
        """`services` has the groups that are offered, `served` those of which a request was seen to be served.

        `refused`: those of which a request was refused although its context is accepted; `counts` are of SOP classes.
        """
        told: dict[str, JsonValue] = {
            "services": [kind.value for kind in self.groups],
            "served": [kind.value for kind in GROUPS if kind in self.served],
            "counts": {
                kind.value: {"offered": len(self.offered.get(kind, ())), "asked": asked}
                for kind, asked in self.asked.items()
            },
        }
        if self.refused:
            told["refused"] = [kind.value for kind in GROUPS if kind in self.refused]
        return told

    def beside(self, verdict: Verdict) -> Verdict:
        """The verdict with this beside its own evidence."""
        return replace(verdict, evidence={**self.evidence(), **verdict.evidence})

    def listed(self) -> list[JsonValue]:
        """Every SOP class that is offered, by group, as evidence: the first `MOST_TOLD`."""
        return [_told(uid, kind) for kind in self.groups for uid in self.offered.get(kind, ())][:MOST_TOLD]


def services_for_strangers(case: Case) -> Services:
    """What the associations that were asked for as a stranger show, all together."""
    asked = associations(case)
    contexts = [context for facts in asked if accepted(facts) for context in facts.contexts]
    proposed = dict.fromkeys(context.abstract_syntax for context in contexts)
    accepted_uids = dict.fromkeys(context.abstract_syntax for context in contexts if context.result == 0)
    by_group = {kind: tuple(uid for uid in proposed if group(uid) is kind) for kind in GROUPS}
    search = frozenset({Meaning.SEARCH})
    served = any(answers_query(facts) for facts in asked if facts.purpose in (SURVEY, CANARY))
    refused = not served and _search_refused([facts for facts in asked if facts.purpose in (SURVEY, CANARY)])
    return Services(
        offered={kind: tuple(uid for uid in uids if uid in accepted_uids) for kind, uids in by_group.items() if uids},
        asked={kind: len(uids) for kind, uids in by_group.items() if uids},
        served=search if served else frozenset(),
        refused=search if refused else frozenset(),
    )


def _search_refused(asked: list[DicomFacts]) -> bool:
    """Whether in each mode, plaintext or TLS, that accepts a context for queries, the query itself was refused."""
    offering = {
        facts.tls
        for facts in asked
        if accepted(facts)
        and any(is_search(context.abstract_syntax) and context.result == 0 for context in facts.contexts)
    }
    refusing = {
        facts.tls for facts in asked if facts.purpose is CANARY and accepted(facts) and query_refused(facts, asked)
    }
    return bool(offering) and offering <= refusing


def _told(uid: str, kind: Meaning) -> JsonValue:
    return {"uid": uid, "name": name(uid), "service": kind.value}


def toolkit_hint(facts: Iterable[DicomFacts]) -> str | None:
    """The toolkit that the first accepted association names which names one; it is not the product. None where unknown.

    It follows from the root of the Implementation Class UID (PS3.7 annex D.3.3.2), which a peer may choose as it likes.
    """
    uids = (facts.implementation_class_uid for facts in facts if accepted(facts))
    return next((hint for uid in uids if uid is not None and (hint := toolkit(uid)) is not None), None)


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
