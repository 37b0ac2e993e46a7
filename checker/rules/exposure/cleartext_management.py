"""exposure.cleartext-management: telnet or FTP is open."""

from __future__ import annotations

from checker.model import ConnectState, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict
from checker.rules.examples import archive, asset_case, port_seen, ports_seen
from checker.rules.sweep import CLEARTEXT_MANAGEMENT_PORTS, judge_shut


def judge(case: Case) -> Verdict:
    """Telnet or FTP open fails, whatever policy says of reachability."""
    return judge_shut(case, CLEARTEXT_MANAGEMENT_PORTS, "management without encryption")


RULE = Rule(
    title="The asset is managed without encryption",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "Telnet (23) or FTP (21) takes connections. Both send names and passwords in the clear, so that anybody on the"
        " way can read them and come back with them. It matters from the administration zone as well, and a line of"
        " policy that lets somebody reach the port does not encrypt it.\n\n"
        "To pass, both ports must have been asked at each address and neither be open. TFTP and SNMP are UDP and are"
        " not asked here."
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
