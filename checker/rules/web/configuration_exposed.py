"""web.configuration-exposed: a public configuration names hosts of the internal network, or clients of a login."""

from __future__ import annotations

from dataclasses import replace

from checker.catalog.web_products import product
from checker.codecs.http import PREFIX_BYTES
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, not_applicable, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_web import answer, configuration, no_answer, page, viewer
from checker.rules.web_answers import UNAUTHORIZED, all_told, gate, headers_read, requests, shown, succeeded, weigh


def judge(case: Case) -> Verdict:
    """A configuration that names some fails; one that was understood and names none passes, as does a refused one."""
    everything = requests(case)
    asked = [facts for facts in everything if facts.purpose is HttpPurpose.CONFIGURATION]
    if not asked and not shown(everything):
        return unknown("Whether there is a public configuration was not shown: no answer of its own was read.")
    if not asked and any(_has_one(facts) for facts in everything):
        return unknown("Whether a public configuration names internal hosts or clients was not asked.")
    if not asked:
        return not_applicable("No product was recognised here whose configuration could be asked for.")
    told = all_told(asked)
    status, by = weigh((facts, _one(facts)) for facts in asked)
    if status is Status.FAIL and by is not None:
        return failed(f"Its configuration, which anybody may read, names {_named(by)}.", requests=told)
    if status is Status.PASS and by is not None:
        if succeeded(by):
            return passed("Its public configuration names no internal hosts and no clients.", requests=told)
        return passed(f"Its configuration is not given to strangers (status {by.status}).", requests=told)
    if by is not None and by.status is not None:
        said = f"no configuration that is understood came (status {by.status})"
    else:
        said = "nothing decisive came"
    return unknown(
        f"Whether a public configuration names internal hosts or clients was not shown: {said}.", requests=told
    )


def _has_one(facts: HttpFacts) -> bool:
    """Whether a product was recognised that keeps a configuration where it would be asked for."""
    known, of_page = product(facts.product), facts.purpose is HttpPurpose.PAGE
    asks = known.asks if known is not None else ()
    return any(ask.shows == "configuration" and (of_page or ask.path.startswith("/")) for ask in asks)


def _one(facts: HttpFacts) -> Status | None:
    if not headers_read(facts):
        return Status.UNKNOWN
    if facts.names_internal_hosts or facts.names_clients:
        return Status.FAIL
    if gate(facts) is not None or facts.status == UNAUTHORIZED:
        return Status.PASS
    # Whether there is a login is told only of one that was understood; what comes behind its first part is not known.
    whole = facts.length_class is not None and facts.length_class <= PREFIX_BYTES
    understood = succeeded(facts) and facts.end is HttpEnd.ANSWERED and facts.signs_in is not None
    return Status.PASS if understood and whole else Status.UNKNOWN


def _named(by: HttpFacts) -> str:
    hosts, clients = by.names_internal_hosts, by.names_clients
    parts = [
        f"{hosts} internal host{'' if hosts == 1 else 's'}" if hosts else "",
        f"{clients} client{'' if clients == 1 else 's'} (of a login, or AE titles)" if clients else "",
    ]
    return " and ".join(part for part in parts if part)


_ASSET = viewer()
_PAGE = page(single_page=True, product="ohif")

RULE = Rule(
    title="A public configuration names internal hosts or clients",
    severity=Severity.LOW,
    subject=Subject.SERVICE,
    meaning=(
        "Viewers that run in the browser read from a file where their archive is and how users log in. Anybody may"
        " fetch that file, and here it names hosts that only the internal network knows (private addresses, names"
        " without a domain), clients of a login, or AE titles. They tell whoever plans an attack where to go next and"
        " by what name to call.\n\n"
        "How many there are is kept; their names are not, unless they are part of a DICOMweb root. Only"
        " products that the catalogue knows are asked, at the one"
        " place where they keep it. It passes where that file was understood and names none, or was refused to"
        " strangers; anything else there (404, a page, a script of another kind) is unknown."
    ),
    remedy=(
        "Let the browser reach the archive by a path of the viewer's own origin, through its proxy, so that the file"
        " needs no internal host; leave what the browser does not need out of it. A client of a login that has to be"
        " named must be a public one, without a secret and with its redirect addresses listed in full."
    ),
    controls=controls.DISCLOSURE,
    applies=lambda service: service.is_web,
    judge=judge,
    examples=(
        Example(
            "It names an internal host.",
            service_case(_ASSET, _PAGE, configuration("http://10.20.1.5:8042", internal_hosts=1)),
            Status.FAIL,
        ),
        Example(
            "It names the client of a login.",
            service_case(_ASSET, _PAGE, configuration("/dicom-web", signs_in=True, clients=1)),
            Status.FAIL,
        ),
        Example(
            "It names a root of its own origin, and nothing else.",
            service_case(_ASSET, _PAGE, configuration("/dicom-web")),
            Status.PASS,
        ),
        Example(
            "It is refused to strangers.",
            service_case(_ASSET, _PAGE, answer(HttpPurpose.CONFIGURATION, 401, BodyKind.HTML, challenges=["basic"])),
            Status.PASS,
        ),
        Example(
            "It is longer than what was read of it.",
            service_case(_ASSET, _PAGE, replace(configuration("/dicom-web", signs_in=True), length_class=None)),
            Status.UNKNOWN,
        ),
        Example(
            "The viewer's page came in its place.",
            service_case(_ASSET, _PAGE, answer(HttpPurpose.CONFIGURATION, 200, BodyKind.HTML)),
            Status.UNKNOWN,
        ),
        Example(
            "It is not where its product keeps it.",
            service_case(_ASSET, _PAGE, answer(HttpPurpose.CONFIGURATION, 404, BodyKind.HTML)),
            Status.UNKNOWN,
        ),
        Example(
            "It was not answered in time.",
            service_case(_ASSET, _PAGE, no_answer(HttpPurpose.CONFIGURATION)),
            Status.UNKNOWN,
        ),
        Example("It was not asked for, as by an earlier version.", service_case(_ASSET, _PAGE), Status.UNKNOWN),
        Example("No product was recognised.", service_case(_ASSET, page()), Status.NOT_APPLICABLE),
    ),
)
