"""What the rules say that a stranger may do: in words, by groups, and no more than was shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checker.catalog.dicom import SOP_CLASSES, VERIFICATION, Meaning
from checker.model import (
    AssociationOutcome,
    ContextResult,
    DicomFacts,
    JsonValue,
    QueryVerdict,
    Status,
)
from checker.rules import catalogue
from checker.rules.base import Case, Verdict
from checker.rules.examples import (
    CT_IMAGE_STORAGE,
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    archive,
    canary,
    dicom_tls_service,
    identified,
    rejected,
    service_case,
    survey,
    wrong_called,
)
from checker.rules.strangers import MOST_TOLD, services_for_strangers, toolkit_hint

RULES = {entry.id: entry.rule for entry in catalogue()}
OF_STRANGERS = (
    "dicom.anonymous-query",
    "dicom.called-ae-unchecked",
    "dicom.calling-ae-unchecked",
    "dicom.retrieve-offered",
    "dicom.store-offered",
)
EVERYTHING = tuple(sop_class.uid for sop_class in SOP_CLASSES)
OFFERED = "take images (4 SOP classes), store (20), read the worklist (1), print (1) and commit storage (1)"


def uids(*kinds: Meaning) -> list[str]:
    return [sop_class.uid for sop_class in SOP_CLASSES if sop_class.meaning in kinds]


def open_to_all(*more: DicomFacts) -> Case:
    """All that the survey proposes was accepted, and the echo answered."""
    return service_case(archive(), survey(echo_status=0, accepted=EVERYTHING), *more)


def judged(rule: str, case: Case) -> Verdict:
    return RULES[f"dicom.{rule}"].judge(case)


def words(rule: str, case: Case) -> str:
    verdict = judged(rule, case)
    assert verdict.status is Status.FAIL
    return verdict.summary


def test_an_open_archive_is_told_in_words() -> None:
    case = open_to_all(canary(QueryVerdict.QUERY_ACCEPTED, 0), wrong_called())
    assert services_for_strangers(case).clause() == f"may search, and may ask to {OFFERED}"
    assert words("calling-ae-unchecked", case) == (
        f"A stranger, calling as 'PACSCHECKER', was served C-ECHO and may search, and may ask to {OFFERED}."
    )
    assert words("called-ae-unchecked", case) == (
        f"The wrong AE title 'NOBODYHASTHIS' was accepted, and a stranger may search, and may ask to {OFFERED}."
    )
    assert words("anonymous-query", case) == (
        f"A stranger may search (a query for a study that cannot exist was answered), and may ask to {OFFERED}."
    )
    assert words("retrieve-offered", case) == f"A stranger may ask to {OFFERED}, and may search."
    assert words("store-offered", case) == (
        "A stranger may ask to store (20 SOP classes), take images (4), read the worklist (1), print (1)"
        " and commit storage (1), and may search."
    )


@pytest.mark.parametrize("answer", [canary(QueryVerdict.KEY_IGNORED, 0xFF00), canary(QueryVerdict.QUERY_ACCEPTED, 0)])
def test_the_longest_words_fit(answer: DicomFacts) -> None:
    longest = "N" * 16  # PS3.5 6.2
    everything = replace(survey(echo_status=0, accepted=EVERYTHING), calling_ae_title=longest)
    wrong = replace(wrong_called(), called_ae_title=longest)
    case = service_case(archive(), everything, answer, wrong)
    told = [words(rule.removeprefix("dicom."), case) for rule in OF_STRANGERS]
    assert max(map(len, told)) <= 200, told


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [canary(None, outcome=AssociationOutcome.NOT_ASKED)],
        [canary(QueryVerdict.INDETERMINATE)],
        [canary(QueryVerdict.REFUSED_STATUS, 0xC000)],
        [canary(QueryVerdict.REFUSED_ABORT, abort=(2, 2))],
    ],
)
def test_a_search_that_was_not_shown_is_no_more_than_an_offer(asked: list[DicomFacts]) -> None:
    services = services_for_strangers(open_to_all(*asked))
    assert services.clause().startswith("may ask to search (2 SOP classes), take images (4)")
    assert services.evidence()["served"] == []
    assert "refused" not in services.evidence()


@pytest.mark.parametrize(
    "refusal",
    [canary(QueryVerdict.REFUSED_ABORT, abort=(0, 0)), canary(QueryVerdict.REFUSED_STATUS, 0x0124)],
)
def test_a_search_that_was_refused_is_not_in_the_words_though_its_context_is_accepted(refusal: DicomFacts) -> None:
    services = services_for_strangers(open_to_all(refusal))
    assert services.clause() == f"may ask to {OFFERED}"
    evidence = services.evidence()
    assert evidence["services"] == ["search", "take", "put", "worklist", "print", "storage-commitment"]
    assert (evidence["served"], evidence["refused"]) == ([], ["search"])


def test_a_search_that_one_mode_refuses_and_the_other_was_not_asked_for_stays_an_offer() -> None:
    case = service_case(
        archive(dicom_tls_service()),
        survey(echo_status=0, accepted=[STUDY_ROOT_FIND], tls=True),
        canary(QueryVerdict.REFUSED_ABORT, abort=(0, 0), tls=True),
        survey(echo_status=0, accepted=[STUDY_ROOT_FIND]),
    )
    assert services_for_strangers(case).clause() == "may ask to search (1 SOP class)"


def test_nothing_but_verification_gives_a_stranger_nothing() -> None:
    refused = [uid for uid in EVERYTHING if uid != VERIFICATION]
    case = service_case(archive(), survey(echo_status=0, accepted=[VERIFICATION], refused=refused), wrong_called())
    assert services_for_strangers(case).clause() == ""
    assert words("calling-ae-unchecked", case) == "A stranger, calling as 'PACSCHECKER', was served C-ECHO."
    assert words("called-ae-unchecked", case) == "The wrong AE title 'NOBODYHASTHIS' was accepted."
    evidence = judged("calling-ae-unchecked", case).evidence
    assert evidence["services"] == []
    counts = evidence["counts"]
    assert isinstance(counts, dict)
    assert counts["put"] == {"offered": 0, "asked": 20}
    assert "verification" not in counts


@pytest.mark.parametrize("rule", OF_STRANGERS)
@pytest.mark.parametrize(
    ("facts", "services"),
    [
        ([survey(echo_status=0, accepted=[STUDY_ROOT_GET, CT_IMAGE_STORAGE])], ["take", "put"]),
        ([survey(echo_status=0, accepted=[VERIFICATION], refused=[CT_IMAGE_STORAGE])], []),
        ([rejected((1, 1, 3))], []),
        ([rejected((1, 1, 7))], []),
        ([survey(AssociationOutcome.TIMEOUT)], []),
        # An answer to the canary shows that a stranger may search, whatever became of the survey.
        ([survey(AssociationOutcome.ABORTED), canary(QueryVerdict.QUERY_ACCEPTED, 0)], ["search"]),
    ],
)
def test_every_verdict_about_strangers_lists_the_groups(
    rule: str, facts: list[DicomFacts], services: list[JsonValue]
) -> None:
    evidence = RULES[rule].judge(service_case(archive(), *facts)).evidence
    assert evidence["services"] == services
    assert "associations" in evidence
    assert evidence["served"] == (["search"] if services == ["search"] else [])


def test_an_answer_to_another_question_is_no_answer_to_a_search() -> None:
    other = replace(wrong_called(), query=QueryVerdict.QUERY_ACCEPTED, query_status=0)
    services = services_for_strangers(open_to_all(other))
    assert (services.served, services.refused) == (frozenset(), frozenset())


def test_whatever_is_proved_is_told_first_and_not_offered_again() -> None:
    services = replace(services_for_strangers(open_to_all()), served=frozenset({Meaning.WORKLIST, Meaning.SEARCH}))
    assert services.clause() == (
        "may search and read the worklist, and may ask to take images (4 SOP classes), store (20), print (1)"
        " and commit storage (1)"
    )
    assert services.evidence()["served"] == ["search", "worklist"]


def test_what_a_known_caller_is_offered_is_no_strangers() -> None:
    known = replace(survey(echo_status=0, accepted=EVERYTHING, tls=True), client_certificate=True)
    shut = survey(AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, tls=True)
    services = services_for_strangers(service_case(archive(dicom_tls_service()), shut, known))
    assert (services.groups, services.clause()) == ((), "")


def test_a_class_that_is_offered_once_and_refused_once_is_offered_and_counts_once() -> None:
    twice = [survey(accepted=[STUDY_ROOT_GET]), survey(refused=[STUDY_ROOT_GET, PATIENT_ROOT_FIND])]
    services = services_for_strangers(service_case(archive(), *twice))
    assert services.offered == {Meaning.SEARCH: (), Meaning.TAKE: (STUDY_ROOT_GET,)}
    assert services.asked == {Meaning.SEARCH: 1, Meaning.TAKE: 1}


def test_contexts_of_an_association_that_was_not_accepted_are_no_offer() -> None:
    torn = replace(survey(AssociationOutcome.ABORTED), contexts=(ContextResult(CT_IMAGE_STORAGE, 0),))
    assert services_for_strangers(service_case(archive(), torn)).groups == ()


def test_whole_lists_are_in_the_evidence_and_bounded() -> None:
    case = open_to_all()
    offered = judged("calling-ae-unchecked", case).evidence["offered"]
    assert isinstance(offered, list)
    assert len(offered) == len(EVERYTHING) - 1
    assert offered[0] == {"uid": STUDY_ROOT_FIND, "name": "Study Root Query/Retrieve - FIND", "service": "search"}
    stored = judged("store-offered", case).evidence["offered"]
    assert stored == [
        {"uid": sop_class.uid, "name": sop_class.name} for sop_class in SOP_CLASSES if sop_class.meaning is Meaning.PUT
    ]
    many = service_case(archive(), survey(echo_status=0, accepted=[f"1.2.3.{number}" for number in range(128)]))
    services = services_for_strangers(many)
    assert len(services.listed()) == MOST_TOLD
    assert services.clause() == "may ask to use others (128 SOP classes)"


def test_the_toolkit_is_a_hint_of_the_first_that_names_one() -> None:
    unknown, dcmtk = identified(survey(echo_status=0), "1.2.3.4"), identified(wrong_called())
    assert toolkit_hint([survey(echo_status=0), unknown, dcmtk]) == "DCMTK"
    assert toolkit_hint([unknown]) is None
    assert toolkit_hint([identified(rejected((1, 1, 3)))]) is None
    assert judged("calling-ae-unchecked", service_case(archive(), dcmtk)).evidence["toolkit_hint"] == "DCMTK"
    assert judged("calling-ae-unchecked", service_case(archive(), unknown)).evidence["toolkit_hint"] is None


def test_groups_hold_every_class_that_the_survey_proposes() -> None:
    services = services_for_strangers(open_to_all())
    told = sum(len(offered) for offered in services.offered.values())
    assert told == len(uids(*Meaning)) - 1 == len(EVERYTHING) - 1
