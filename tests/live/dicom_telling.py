"""How the tests tell of a visit to a DICOM service: each association in one line, and what the rules make of them."""

from __future__ import annotations

from checker.model import DicomFacts
from checker.rules import catalogue
from checker.rules.examples import archive, asset_case, seen, service_case
from tests.live.talking import Session


def told(session: Session) -> list[str]:
    """The associations of a visit in order, each in one line."""
    return [line(facts) for facts in session.of(DicomFacts)]


def line(facts: DicomFacts) -> str:
    """Everything of an association that judges access, such as `canary in TLS accepted query-accepted 0000 released`.

    Purpose and mode, outcome, reject triple, `echo=` and its status, the query's verdict and status, `abort=` and its
    source and reason, and whether the peer confirmed the release; what was not seen is left out.
    """
    words = [f"{facts.purpose}{' in TLS' if facts.tls else ''}", facts.outcome.value]
    if facts.reject is not None:
        words.append("/".join(map(str, facts.reject)))
    if facts.echo_status is not None:
        words.append(f"echo={facts.echo_status:04X}")
    if facts.query is not None:
        words.append(facts.query.value)
    if facts.query_status is not None:
        words.append(f"{facts.query_status:04X}")
    if facts.abort is not None:
        words.append("abort={}/{}".format(*facts.abort))
    return " ".join([*words, *(["released"] if facts.released else [])])


def every_verdict(session: Session) -> dict[str, str]:
    """The statuses by the rules about DICOM, about client certificates, and about open archives, for the one service.

    The cases are made as the engine makes them, of nothing but the facts of the visit.
    """
    (service,) = session.device.asset.services
    case = service_case(archive(service), *session.facts)
    whole = asset_case(archive(service), *(seen(facts, port=service.port) for facts in session.facts))
    judged_by = {
        entry.id: entry.rule.judge(whole if entry.id == "archive.open" else case)
        for entry in catalogue()
        if entry.family == "dicom" or entry.id in ("archive.open", "tls.client-certificate-optional")
    }
    return {rule_id: verdict.status.value for rule_id, verdict in judged_by.items()}
