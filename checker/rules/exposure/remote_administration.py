"""exposure.remote-administration: an administration or database port is open outside the administration zone."""

from __future__ import annotations

from checker.model import ConnectState, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, not_applicable
from checker.rules.examples import archive, asset_case, policy, port_seen, ports_seen
from checker.rules.shut import administration_ports, administration_udp, judge_shut

_ADMINISTRATION_ZONES = frozenset({"admin", "administration", "management", "mgmt"})


def judge(case: Case) -> Verdict:
    """Any of the ports open fails, but for those that a line of policy lets this vantage reach."""
    if case.vantage.lower() in _ADMINISTRATION_ZONES:
        return not_applicable(f"The vantage {case.vantage!r} is a zone for administration.")
    allowed = case.policy.may_reach(case.asset, case.vantage, case.now.date())
    watched = administration_ports() - allowed
    if not watched:
        return not_applicable("Policy lets this vantage reach all ports of administration.")
    watched_udp = administration_udp() - case.policy.may_reach(case.asset, case.vantage, case.now.date(), "udp")
    return judge_shut(case, watched, "remote administration", watched_udp=watched_udp)


RULE = Rule(
    title="Remote administration is open outside the administration zone",
    severity=Severity.HIGH,
    subject=Subject.ASSET,
    meaning=(
        "Telnet, RPC, SMB, RDP, VNC, WinRM, IPMI or a database takes connections, or SNMP or IPMI answers over UDP,"
        " from a zone that is not for administration. These are the ways by which intruders move on from the first"
        " machine; on imaging devices they often have a vendor's known password and old software behind them.\n\n"
        "A vantage named admin, administration, management or mgmt is a zone for administration. A port that a line"
        " of exposure policy lets the vantage reach is left out, for somebody took it on with a reason. SSH is left"
        " out as well: it is encrypted and the ordinary way to administer, so only policy can say where it belongs,"
        " and exposure.unexpected-open reports it where policy does not list it.\n\n"
        "To pass, all of the TCP ports must have been asked at each address and none be open. SNMP (161) and IPMI"
        " (623) over UDP are judged where they were asked: silence is then no pass, and a pass says where they were"
        " not."
    ),
    remedy=(
        "Admit these ports only from the administration zone or a jump host, and switch off what nobody uses. Where"
        " the vendor needs one, add a line to the exposure policy with a reason, an owner and an expiry."
    ),
    controls=controls.UNEXPECTED_PORT,
    judge=judge,
    examples=(
        Example(
            "RDP is open to the clinical zone.",
            asset_case(archive(), port_seen(3389)),
            Status.FAIL,
        ),
        Example(
            "All of the ports were asked and none is open.",
            asset_case(archive(), *ports_seen(administration_ports())),
            Status.PASS,
        ),
        Example(
            "A database that policy lets this zone reach.",
            asset_case(
                archive(),
                *ports_seen(administration_ports() - {5432}, ConnectState.FILTERED),
                port_seen(5432),
                policy=policy(may_reach=["tcp/5432"]),
            ),
            Status.PASS,
        ),
        Example(
            "Only some of the ports were asked.",
            asset_case(archive(), *ports_seen([23, 3389])),
            Status.UNKNOWN,
        ),
        Example(
            "Seen from the administration zone.",
            asset_case(archive(), port_seen(3389), vantage="admin"),
            Status.NOT_APPLICABLE,
        ),
    ),
)
