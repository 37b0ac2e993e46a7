"""exposure.undeclared-web: a web service answers where the inventory has none."""

from __future__ import annotations

from checker.catalog.web_products import product
from checker.model import ConnectState, RecognisedFacts, Severity, Spoken, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed
from checker.rules.examples import archive, asset_case, port_seen, ports_seen, seen
from checker.rules.sweep import few, resting_on
from checker.rules.undeclared import not_seen, told, undeclared

_ORTHANC = RecognisedFacts(asked="http", protocol=Spoken.HTTP, status=200, product="orthanc")


def judge(case: Case) -> Verdict:
    """An answer in HTTP where the inventory declares nothing fails, whatever its status is."""
    found = undeclared(case)
    places = found.speaking(lambda facts: facts.protocol is Spoken.HTTP)
    if not places:
        return not_seen(found, case, Spoken.HTTP, "web service")
    known = sorted({named.name for place in places if (named := product(found.spoken[place].product)) is not None})
    verdict = failed(
        f"A web service answers {case.vantage!r} where the inventory declares nothing:"
        f" {few(port for _, port in places)}{f'; it is {known[0]}' if len(known) == 1 else ''}.",
        places=told(found, places),
        products=known,
    )
    return resting_on(verdict, case, places)


RULE = Rule(
    title="A web service answers where the inventory has none",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "An open port that the inventory does not declare for this asset answered in HTTP, in clear or inside TLS. It"
        " may be an archive with DICOMweb, a viewer, or the administration of the device; a known product is named in"
        " the evidence. Nobody asked there whether it wants a login, and what it gives away.\n\n"
        "Each open port gets one question at most, in the protocol that the catalogue of ports has for it; of a web"
        " server that is one GET of its first page. Any status counts, also one that asks for a login. To pass, a"
        " port must have been asked where nothing is declared, each of them must have given a state that decides, at"
        " each address, and each open one an answer that is no HTTP. What speaks TLS and does not tell what is inside"
        " is not known, nor is what answered a question in another protocol by something that is none of them."
    ),
    remedy=(
        "Declare the service in the inventory, so that it is checked like the others, or switch it off and close the"
        " port."
    ),
    controls=controls.UNEXPECTED_PORT,
    judge=judge,
    examples=(
        Example(
            "Orthanc's web interface answers, of which the inventory knows nothing.",
            asset_case(archive(), port_seen(11112), port_seen(8042), seen(_ORTHANC, None, port=8042)),
            Status.FAIL,
        ),
        Example(
            "A web server asks for a login.",
            asset_case(
                archive(),
                port_seen(8080),
                seen(RecognisedFacts(asked="http", protocol=Spoken.HTTP, status=401), None, port=8080),
            ),
            Status.FAIL,
        ),
        Example(
            "The other ports that were asked are shut.",
            asset_case(archive(), port_seen(11112), *ports_seen([80, 443, 8042], ConnectState.FILTERED)),
            Status.PASS,
        ),
        Example(
            "The port closed the connection without a word.",
            asset_case(archive(), port_seen(80), seen(RecognisedFacts(asked="http", detail="closed"), None, port=80)),
            Status.UNKNOWN,
        ),
        Example(
            "No port was asked but the declared one.",
            asset_case(archive(), port_seen(11112)),
            Status.UNKNOWN,
        ),
    ),
)
