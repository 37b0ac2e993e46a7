"""exposure.undeclared-dicom: a DICOM service answers where the inventory has none."""

from __future__ import annotations

from checker.model import AssociationOutcome, ConnectState, RecognisedFacts, Severity, Spoken, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed
from checker.rules.examples import archive, asset_case, port_seen, ports_seen, seen
from checker.rules.sweep import few, resting_on
from checker.rules.undeclared import not_seen, told, undeclared

_DICOM = RecognisedFacts(asked="dicom", protocol=Spoken.DICOM, outcome=AssociationOutcome.REJECTED)


def judge(case: Case) -> Verdict:
    """An answer in DICOM where the inventory declares nothing fails."""
    found = undeclared(case)
    places = found.speaking(lambda facts: facts.protocol is Spoken.DICOM)
    if not places:
        return not_seen(found, case, Spoken.DICOM, "DICOM")
    verdict = failed(
        f"DICOM answers {case.vantage!r} where the inventory declares nothing: {few(port for _, port in places)}.",
        places=told(found, places),
    )
    return resting_on(verdict, case, places)


RULE = Rule(
    title="DICOM is spoken where the inventory has no service",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "An open port that the inventory does not declare for this asset answered a request for an association, or"
        " another question, in DICOM. Nobody asked there who is let in, whether it encrypts, and what it gives away:"
        " it is a second way to the images, left over from an installation or opened without being written down.\n\n"
        "Each open port gets one question at most, in the protocol that the catalogue of ports has for it; an"
        " acceptance is released at once, and a rejection or an abort shows DICOM as well. To pass, a port must have"
        " been asked where nothing is declared, each of them must have given a state that decides, at each address,"
        " and each open one an answer that is no DICOM. What only speaks TLS is not known: DICOM may be inside; nor is"
        " what answered a question in another protocol by something that is none of them."
    ),
    remedy=(
        "Declare the service in the inventory, so that it is checked like the others, or switch it off and close the"
        " port."
    ),
    controls=controls.UNEXPECTED_PORT,
    judge=judge,
    examples=(
        Example(
            "A second DICOM port answers.",
            asset_case(archive(), port_seen(11112), port_seen(104), seen(_DICOM, None, port=104)),
            Status.FAIL,
        ),
        Example(
            "The other ports that were asked are shut.",
            asset_case(archive(), port_seen(11112), *ports_seen([104, 4242, 80])),
            Status.PASS,
        ),
        Example(
            "A web server answers at the only other open port.",
            asset_case(
                archive(), port_seen(80), seen(RecognisedFacts(asked="http", protocol=Spoken.HTTP), None, port=80)
            ),
            Status.PASS,
        ),
        Example(
            "A port is open that nobody asked what it speaks.",
            asset_case(archive(), port_seen(104), *ports_seen([4242])),
            Status.UNKNOWN,
        ),
        Example(
            "TLS answers, and what is inside is not known.",
            asset_case(
                archive(), port_seen(2762), seen(RecognisedFacts(asked="tls", protocol=Spoken.TLS), None, port=2762)
            ),
            Status.UNKNOWN,
        ),
        Example(
            "No port was asked but the declared one.",
            asset_case(archive(), port_seen(11112, ConnectState.OPEN)),
            Status.UNKNOWN,
        ),
    ),
)
