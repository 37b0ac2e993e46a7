"""exposure.cleartext-management: telnet, FTP, TFTP or a console in HTTP is open."""

from __future__ import annotations

from checker.model import ConnectState, HttpEnd, HttpFacts, RecognisedFacts, Severity, Spoken, Status, TlsFacts
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, unknown
from checker.rules.examples import archive, asset_case, port_seen, ports_seen, seen
from checker.rules.shut import (
    CLEARTEXT_MANAGEMENT_PORTS,
    CLEARTEXT_MANAGEMENT_UDP,
    HTTP_ADMINISTRATION,
    judge_shut,
)
from checker.rules.sweep import Place, few, listed, resting_on, sweep


def judge(case: Case) -> Verdict:
    """Telnet, FTP, TFTP or administration by HTTP open fails, whatever policy says of reachability."""
    verdict = judge_shut(
        case, CLEARTEXT_MANAGEMENT_PORTS, "management without encryption", watched_udp=CLEARTEXT_MANAGEMENT_UDP
    )
    if verdict.status is Status.FAIL:
        return verdict
    console = sweep(case).ports(HTTP_ADMINISTRATION)
    in_clear = tuple(place for place in console.open if _is_http_in_clear(case, place))
    if in_clear:
        failure = failed(
            f"Administration by HTTP without TLS is open to {case.vantage!r}: {few(port for _, port in in_clear)}.",
            open=listed(in_clear),
        )
        return resting_on(failure, case, in_clear)
    not_known = tuple(place for place in console.open if _is_http_in_clear(case, place) is None)
    not_known = (*not_known, *console.undecided)
    if verdict.status is Status.PASS and not_known:
        return unknown(
            f"Whether administration by HTTP without TLS is open to {case.vantage!r} is not known:"
            f" {few(port for _, port in not_known)}.",
            not_known=listed(not_known),
        )
    return verdict


def _is_http_in_clear(case: Case, place: Place) -> bool | None:
    """Whether HTTP answers there without TLS; None where what answers is not known."""
    found: bool | None = None
    for facts in (item.facts for item in case.asset_seen if (item.address, item.port) == place):
        match facts:
            case RecognisedFacts(protocol=Spoken.HTTP, asked="http", inside_tls=False):
                return True
            case HttpFacts(end=HttpEnd.ANSWERED, tls=False):
                return True
            case RecognisedFacts(protocol=Spoken.TLS | Spoken.DICOM) | RecognisedFacts(inside_tls=True):
                found = False
            case RecognisedFacts(protocol=Spoken.OTHER, asked="http"):
                found = False
            case TlsFacts(answered=True):
                found = False
            case _:
                pass
    return found


RULE = Rule(
    title="The asset is managed without encryption",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "Telnet (23) or FTP (21) takes connections, or TFTP (69 of UDP) answers. The first two send names and"
        " passwords in the clear and the third asks for none, so that anybody on the way can read them and come back"
        " with them. It matters from the administration zone as well, and a line of policy that lets somebody reach"
        " the port does not encrypt it.\n\n"
        "The management console of an application server (9990, as WildFly has it) in HTTP without TLS is no better,"
        " and counts where it was seen to answer so.\n\n"
        "To pass, both ports must have been asked at each address and neither be open. TFTP is judged where it was"
        " asked: silence is then no pass, and a pass says where it was not. SNMP is exposure.remote-administration's."
    ),
    remedy="Switch telnet and FTP off, and use SSH and SFTP or the vendor's encrypted way instead.",
    controls=controls.CLEARTEXT_MANAGEMENT,
    judge=judge,
    examples=(
        Example(
            "Telnet is open.",
            asset_case(archive(), port_seen(23), port_seen(21, ConnectState.CLOSED)),
            Status.FAIL,
        ),
        Example(
            "The console of an application server answers in HTTP.",
            asset_case(
                archive(),
                *ports_seen([21, 23]),
                port_seen(9990),
                seen(RecognisedFacts(asked="http", protocol=Spoken.HTTP, status=302), None, port=9990),
            ),
            Status.FAIL,
        ),
        Example(
            "Neither is open.",
            asset_case(archive(), *ports_seen([21, 23])),
            Status.PASS,
        ),
        Example(
            "FTP was not asked.",
            asset_case(archive(), port_seen(23, ConnectState.CLOSED)),
            Status.UNKNOWN,
        ),
    ),
)
