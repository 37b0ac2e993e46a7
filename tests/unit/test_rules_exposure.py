"""Exposure against policy: what each state says, what is only open-unproven, and what must never read as a pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from ipaddress import IPv6Address

import pytest

from checker.model import (
    Asset,
    AssetClass,
    AssociationOutcome,
    ConnectState,
    Exposure,
    NameFacts,
    Observation,
    PortFacts,
    RecognisedFacts,
    Severity,
    Spoken,
    Status,
    UdpFacts,
    UdpState,
    Zone,
)
from checker.policy import Policy
from checker.rules import catalogue
from checker.rules.base import Case, Verdict
from checker.rules.examples import (
    ADDRESS,
    OTHER_ADDRESS,
    archive,
    asset,
    asset_case,
    dicom_service,
    policy,
    port_seen,
    ports_seen,
    seen,
    survey,
    web_service,
)
from checker.rules.shut import administration_ports
from checker.rules.sweep import came_from

RULES = {entry.id.removeprefix("exposure."): entry.rule for entry in catalogue() if entry.id.startswith("exposure.")}
V6 = "2001:db8:20::5"
BOTH = asset(dicom_service(), addresses=[ADDRESS, V6])
MUST = policy(must_reach=["dicom/11112"])
FIREWALL = "10.20.0.1"


def judge(rule: str, case: Case) -> Verdict:
    return RULES[rule].judge(case)


def status(rule: str, case: Case) -> Status:
    return judge(rule, case).status


def udp(port: int, state: UdpState, address: str = ADDRESS, offender: str | None = None) -> Observation:
    return seen(UdpFacts(state=state, offender=offender), None, address, port)


def proved(port: int, address: str = ADDRESS) -> Observation:
    return seen(RecognisedFacts(asked="http", protocol=Spoken.HTTP), None, address, port)


def rejected_by(offender: str, port: int = 23) -> Observation:
    return seen(PortFacts(state=ConnectState.REJECTED, icmp=(3, 13), offender=offender), None, port=port)


def recognised(port: int, protocol: Spoken, address: str = ADDRESS, **more: object) -> tuple[Observation, ...]:
    facts = RecognisedFacts(protocol=protocol, **more)  # type: ignore[arg-type]
    return port_seen(port, address=address), seen(facts, None, address, port)


def lines(*those: Exposure) -> Policy:
    return Policy(zones=(Zone("clinical"), Zone("guest")), exposure=those)


# ------------------------------------------------------------------------------------------------------ must_reach


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ConnectState.OPEN, Status.UNKNOWN),  # a SYN proxy opens for a service that is down
        (ConnectState.CLOSED, Status.FAIL),
        (ConnectState.REJECTED, Status.FAIL),
        (ConnectState.FILTERED, Status.FAIL),
        (ConnectState.RESET, Status.FAIL),
        (ConnectState.UNREACHABLE, Status.UNKNOWN),  # our own kernel knew no way, which says nothing of the service
        (ConnectState.LOCAL_ERROR, Status.UNKNOWN),
        (ConnectState.NOT_ASKED, Status.UNKNOWN),
    ],
)
def test_what_each_state_says_of_a_service_that_must_be_reached(state: ConnectState, expected: Status) -> None:
    assert status("must-reach-broken", asset_case(archive(), port_seen(11112, state), policy=MUST)) is expected


def test_a_connection_alone_is_told_as_open_unproven() -> None:
    verdict = judge("must-reach-broken", asset_case(archive(), port_seen(11112), policy=MUST))

    assert "open-unproven" in verdict.summary
    assert "'clinical'" in verdict.summary
    assert verdict.evidence["required"] == {"11112": {ADDRESS: "open-unproven"}}
    assert verdict.evidence["open_unproven"] == [11112]


@pytest.mark.parametrize(
    "proof",
    [proved(11112), seen(survey()), seen(survey(AssociationOutcome.ABORTED)), recognised(11112, Spoken.OTHER)[1]],
)
def test_a_protocol_byte_proves_what_must_be_reached(proof: Observation) -> None:
    assert status("must-reach-broken", asset_case(archive(), port_seen(11112), proof, policy=MUST)) is Status.PASS


def test_a_proof_at_one_address_is_enough_and_both_are_in_the_evidence() -> None:
    case = asset_case(BOTH, proved(11112, V6), port_seen(11112, ConnectState.FILTERED), policy=MUST)
    verdict = judge("must-reach-broken", case)

    assert verdict.status is Status.PASS
    assert verdict.evidence["required"] == {"11112": {ADDRESS: "filtered", V6: "open"}}


def test_one_of_several_that_is_broken_fails_whatever_the_others_are() -> None:
    rule = policy(must_reach=["dicom/11112", "tcp/443", "tcp/80"])
    case = asset_case(archive(), proved(11112), port_seen(443), port_seen(80, ConnectState.CLOSED), policy=rule)

    assert judge("must-reach-broken", case).evidence["broken"] == [80]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (UdpState.OPEN, Status.PASS),
        (UdpState.SILENT, Status.UNKNOWN),
        (UdpState.CLOSED, Status.FAIL),
        (UdpState.REJECTED, Status.FAIL),
        (UdpState.UNREACHABLE, Status.UNKNOWN),
        (UdpState.NOT_ASKED, Status.UNKNOWN),
    ],
)
def test_what_must_be_reached_over_udp(state: UdpState, expected: Status) -> None:
    case = asset_case(archive(), udp(161, state), policy=policy(must_reach=["udp/161"]))
    assert status("must-reach-broken", case) is expected


def test_an_open_tcp_port_is_no_udp_port_of_that_number() -> None:
    case = asset_case(archive(), proved(161), policy=policy(must_reach=["udp/161"]))
    assert status("must-reach-broken", case) is Status.UNKNOWN


def test_a_line_that_has_expired_requires_nothing_and_is_told() -> None:
    over = Exposure("clinical", AssetClass(), must_reach=("dicom/11112",), expires=date(2026, 11, 23))
    verdict = judge("must-reach-broken", asset_case(archive(), port_seen(11112), policy=lines(over)))

    assert verdict.status is Status.NOT_APPLICABLE
    assert "expired" in verdict.summary
    assert verdict.evidence["expired"] == [11112]


# ----------------------------------------------------------------------------------------------- vantage and expiry


@pytest.mark.parametrize(("asked", "expected"), [(1, Status.UNKNOWN), (2, Status.PASS)])
def test_a_port_that_was_silent_once_is_not_known_to_be_shut(asked: int, expected: Status) -> None:
    once = seen(PortFacts(state=ConnectState.FILTERED, asked=asked), None, ADDRESS, 23)
    assert status("unexpected-open", asset_case(archive(), once)) is expected


@pytest.mark.parametrize("rule", ["unexpected-open", "must-reach-broken", "not-filtered"])
def test_a_vantage_that_is_no_zone_of_the_policy_is_unknown(rule: str) -> None:
    everything = [*ports_seen([23, 443], ConnectState.FILTERED), proved(11112)]
    case = asset_case(archive(), *everything, vantage="laboratory", policy=MUST)

    verdict = judge(rule, case)

    assert verdict.status is Status.UNKNOWN
    assert "'laboratory'" in verdict.summary


def test_what_an_expired_line_allowed_is_unexpected_and_the_words_say_why() -> None:
    over = Exposure("clinical", AssetClass(), may_reach=("tcp/23", "dicom/11112"), expires=date(2026, 11, 23))
    verdict = judge("unexpected-open", asset_case(archive(), port_seen(23), policy=lines(over)))

    assert verdict.status is Status.FAIL
    assert "a line of policy that allowed 23 (telnet) has expired" in verdict.summary
    assert verdict.evidence["expired"] == [23]


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        ("unexpected-open", asset_case(archive(), port_seen(23))),
        ("unexpected-open", asset_case(archive(), port_seen(23, ConnectState.CLOSED))),
        ("unexpected-open", asset_case(archive(), port_seen(23, ConnectState.LOCAL_ERROR))),
        ("unexpected-open", asset_case(archive(), port_seen(11112))),
        ("must-reach-broken", asset_case(archive(), proved(11112), policy=MUST)),
        ("must-reach-broken", asset_case(archive(), policy=MUST)),
        ("must-reach-broken", asset_case(archive(), port_seen(11112, ConnectState.CLOSED), policy=MUST)),
        ("address-family-gap", asset_case(BOTH, port_seen(23), port_seen(23, ConnectState.FILTERED, V6))),
        ("address-family-gap", asset_case(BOTH, port_seen(23), port_seen(23, address=V6))),
        ("address-family-gap", asset_case(BOTH, port_seen(23))),
        ("remote-administration", asset_case(archive(), *ports_seen(administration_ports()))),
        ("remote-administration", asset_case(archive(), port_seen(23))),
        ("cleartext-management", asset_case(archive(), port_seen(23, ConnectState.CLOSED))),
        ("undeclared-dicom", asset_case(archive(), *recognised(104, Spoken.DICOM))),
        ("undeclared-dicom", asset_case(archive(), *ports_seen([104]))),
        ("undeclared-web", asset_case(archive(), *recognised(80, Spoken.HTTP))),
        ("undeclared-web", asset_case(archive(), port_seen(80))),
    ],
)
def test_the_words_of_a_verdict_bear_the_vantage(rule: str, case: Case) -> None:
    assert "'clinical'" in judge(rule, case).summary


# ------------------------------------------------------------------------------------------------------- unproven


def test_open_ports_without_a_byte_are_said_to_be_unproven_and_others_are_not() -> None:
    verdict = judge("unexpected-open", asset_case(archive(), port_seen(23), proved(80)))

    assert "open-unproven (23 (telnet))" in verdict.summary
    assert verdict.evidence["open_unproven"] == [{"address": ADDRESS, "port": 23, "name": "telnet"}]
    assert "open-unproven" not in judge("unexpected-open", asset_case(archive(), proved(80))).summary


@pytest.mark.parametrize("rule", ["unexpected-open", "internet-reachable", "remote-administration", "not-filtered"])
def test_every_rule_about_open_ports_tells_what_is_unproven(rule: str) -> None:
    outside = policy(may_reach=["tcp/443"], from_zone="internet")
    case = asset_case(archive(), port_seen(3389), vantage="internet", policy=outside)

    verdict = judge(rule, case)

    assert verdict.status is Status.FAIL
    assert "open-unproven" in verdict.summary


# ------------------------------------------------------------------------------------------- filtered, rejected, closed


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (port_seen(23, ConnectState.FILTERED), Status.PASS),
        (rejected_by(FIREWALL), Status.PASS),
        (rejected_by(ADDRESS), Status.FAIL),  # its own packet filter: the packet had come all the way
        (port_seen(23, ConnectState.CLOSED), Status.FAIL),
        (port_seen(23, ConnectState.OPEN), Status.FAIL),
        (port_seen(23, ConnectState.RESET), Status.UNKNOWN),
        (port_seen(23, ConnectState.UNREACHABLE), Status.UNKNOWN),
        (udp(161, UdpState.CLOSED), Status.FAIL),
        (udp(161, UdpState.REJECTED, offender=ADDRESS), Status.FAIL),
    ],
)
def test_whether_a_packet_came_through(observation: Observation, expected: Status) -> None:
    case = asset_case(archive(), observation, vantage="guest", policy=policy(may_reach=["tcp/443"], from_zone="guest"))
    assert status("not-filtered", case) is expected


def test_a_port_without_a_way_is_not_decided_though_others_are() -> None:
    case = asset_case(archive(), port_seen(21, ConnectState.CLOSED), port_seen(23, ConnectState.UNREACHABLE))

    assert status("unexpected-open", case) is Status.UNKNOWN
    assert status("cleartext-management", case) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (ConnectState.OPEN, ConnectState.FILTERED, Status.FAIL),
        (ConnectState.OPEN, ConnectState.REJECTED, Status.FAIL),
        (ConnectState.OPEN, ConnectState.CLOSED, Status.PASS),
        (ConnectState.OPEN, ConnectState.OPEN, Status.PASS),
        (ConnectState.OPEN, ConnectState.UNREACHABLE, Status.UNKNOWN),
        (ConnectState.OPEN, ConnectState.RESET, Status.UNKNOWN),
        (ConnectState.OPEN, ConnectState.NOT_ASKED, Status.UNKNOWN),
        (ConnectState.FILTERED, ConnectState.FILTERED, Status.PASS),
        (ConnectState.NOT_ASKED, ConnectState.NOT_ASKED, Status.UNKNOWN),
    ],
)
def test_a_gap_between_the_families(there: ConnectState, here: ConnectState, expected: Status) -> None:
    for one, other in ((ADDRESS, V6), (V6, ADDRESS)):
        case = asset_case(BOTH, port_seen(11112, there, one), port_seen(11112, here, other))
        assert status("address-family-gap", case) is expected


# ------------------------------------------------------------------------------------------------------------- UDP


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (UdpState.OPEN, Status.FAIL),
        (UdpState.CLOSED, Status.PASS),
        (UdpState.SILENT, Status.UNKNOWN),
        (UdpState.NOT_ASKED, Status.UNKNOWN),
        (UdpState.UNREACHABLE, Status.UNKNOWN),
    ],
)
def test_what_each_state_of_udp_says(state: UdpState, expected: Status) -> None:
    snmp, tftp = udp(161, state), udp(69, state)
    assert status("unexpected-open", asset_case(archive(), *ports_seen([23]), snmp)) is expected
    shut = ports_seen(administration_ports())
    assert status("remote-administration", asset_case(archive(), *shut, snmp)) is expected
    assert status("cleartext-management", asset_case(archive(), *ports_seen([21, 23]), tftp)) is expected
    everything = asset_case(archive(), *ports_seen([23], ConnectState.FILTERED), snmp, vantage="internet")
    assert status("internet-reachable", everything) is expected


def test_a_pass_tells_each_udp_port_that_was_not_asked() -> None:
    shut = ports_seen(administration_ports())
    neither = judge("remote-administration", asset_case(archive(), *shut))
    one = judge("remote-administration", asset_case(archive(), *shut, udp(161, UdpState.CLOSED)))
    both = judge(
        "remote-administration", asset_case(archive(), *shut, udp(161, UdpState.CLOSED), udp(623, UdpState.CLOSED))
    )
    assert {verdict.status for verdict in (neither, one, both)} == {Status.PASS}
    assert neither.summary.endswith("; not asked: 161/udp (snmp), 623/udp (ipmi).")
    assert one.summary.endswith("; not asked: 623/udp (ipmi).")
    assert "not asked" not in both.summary


def test_what_policy_allows_over_udp_may_be_open_or_silent() -> None:
    allowed = policy(may_reach=["udp/161"])
    for state in (UdpState.OPEN, UdpState.SILENT):
        case = asset_case(archive(), *ports_seen([23]), udp(161, state), policy=allowed)
        assert status("unexpected-open", case) is Status.PASS


def test_an_open_udp_port_is_named_with_its_transport_and_is_what_the_verdict_rests_on() -> None:
    verdict = judge("unexpected-open", asset_case(archive(), *ports_seen([161]), udp(161, UdpState.OPEN)))

    assert "161/udp (snmp)" in verdict.summary
    assert verdict.observations == ("synthetic-2",)
    assert verdict.evidence["unexpected"] == [{"address": ADDRESS, "port": 161, "name": "snmp", "transport": "udp"}]


@pytest.mark.parametrize(
    ("state", "offender", "alive"),
    [
        (UdpState.OPEN, None, True),
        (UdpState.CLOSED, None, True),
        (UdpState.REJECTED, ADDRESS, True),
        (UdpState.REJECTED, FIREWALL, False),
        (UdpState.SILENT, None, False),
    ],
)
def test_what_of_udp_is_a_sign_of_life(state: UdpState, offender: str | None, alive: bool) -> None:
    assert came_from(archive(), udp(161, state, offender=offender)) is alive


# --------------------------------------------------------------------------------------------- consoles in HTTP


@pytest.mark.parametrize(
    ("seen_there", "expected"),
    [
        ((), Status.PASS),
        ((port_seen(9990, ConnectState.CLOSED),), Status.PASS),
        ((port_seen(9990),), Status.UNKNOWN),
        ((port_seen(9990, ConnectState.NOT_ASKED),), Status.UNKNOWN),  # such as for a budget that is spent
        ((port_seen(9990, ConnectState.RESET),), Status.UNKNOWN),
        (recognised(9990, Spoken.OTHER, asked="http"), Status.PASS),
        (recognised(9990, Spoken.OTHER, asked="tls"), Status.UNKNOWN),
        (recognised(9990, Spoken.HTTP, asked="http"), Status.FAIL),
        (recognised(9990, Spoken.HTTP, asked="http", inside_tls=True), Status.PASS),
        (recognised(9990, Spoken.TLS), Status.PASS),
        (recognised(9990, Spoken.NONE), Status.UNKNOWN),
        (recognised(9990, Spoken.HTTP, asked="dicom"), Status.UNKNOWN),  # nginx answers so on its port of TLS as well
        (recognised(8080, Spoken.HTTP, asked="http"), Status.PASS),
    ],
)
def test_a_console_in_http_is_management_in_the_clear(seen_there: tuple[Observation, ...], expected: Status) -> None:
    assert status("cleartext-management", asset_case(archive(), *ports_seen([21, 23]), *seen_there)) is expected


# ------------------------------------------------------------------------------------------------------ undeclared


@pytest.mark.parametrize(
    ("protocol", "dicom", "web"),
    [
        (Spoken.DICOM, Status.FAIL, Status.PASS),
        (Spoken.HTTP, Status.PASS, Status.FAIL),
        (Spoken.OTHER, Status.PASS, Status.UNKNOWN),  # as it was asked in DICOM
        (Spoken.TLS, Status.UNKNOWN, Status.UNKNOWN),
        (Spoken.NONE, Status.UNKNOWN, Status.UNKNOWN),
    ],
)
def test_what_was_recognised_decides(protocol: Spoken, dicom: Status, web: Status) -> None:
    case = asset_case(archive(), port_seen(11112), *recognised(4242, protocol))
    assert (status("undeclared-dicom", case), status("undeclared-web", case)) == (dicom, web)


@pytest.mark.parametrize(
    ("asked", "dicom", "web"),
    [
        ("dicom", Status.PASS, Status.UNKNOWN),
        ("http", Status.UNKNOWN, Status.PASS),
        ("tls", Status.UNKNOWN, Status.UNKNOWN),
    ],
)
def test_an_answer_in_no_known_protocol_is_none_only_of_what_was_asked(asked: str, dicom: Status, web: Status) -> None:
    case = asset_case(archive(), port_seen(11112), *recognised(8443, Spoken.OTHER, asked=asked))
    assert (status("undeclared-dicom", case), status("undeclared-web", case)) == (dicom, web)


@pytest.mark.parametrize("rule", ["undeclared-dicom", "undeclared-web"])
@pytest.mark.parametrize(
    "observations",
    [
        (),
        (port_seen(11112),),
        (port_seen(22), *ports_seen([80, 104])),  # SSH is what usually is there, and nobody asked
        ports_seen([80, 104], ConnectState.NOT_ASKED),
        ports_seen([80, 104], ConnectState.UNREACHABLE),
        (*ports_seen([80]), port_seen(104, ConnectState.RESET)),
    ],
)
def test_what_was_not_asked_is_no_pass(rule: str, observations: Iterable[Observation]) -> None:
    assert status(rule, asset_case(archive(), *observations)) is Status.UNKNOWN


@pytest.mark.parametrize("rule", ["undeclared-dicom", "undeclared-web"])
def test_an_address_that_was_not_asked_is_no_pass(rule: str) -> None:
    assert status(rule, asset_case(BOTH, *ports_seen([80, 104]))) is Status.UNKNOWN
    assert status(rule, asset_case(BOTH, *ports_seen([80, 104]), *ports_seen([80, 104], address=V6))) is Status.PASS


def test_a_service_that_was_declared_since_is_not_undeclared_any_more() -> None:
    found = recognised(104, Spoken.DICOM, outcome=AssociationOutcome.ACCEPTED)
    since = archive(dicom_service(), dicom_service(104))

    assert status("undeclared-dicom", asset_case(archive(), *found)) is Status.FAIL
    assert status("undeclared-dicom", asset_case(since, *found, *ports_seen([80]))) is Status.PASS


def test_a_service_of_another_host_is_not_declared_here() -> None:
    proxied = archive(web_service("http://proxy.example.org:8080/", 8080))
    there = seen(NameFacts(hostname="proxy.example.org", addresses=(OTHER_ADDRESS,)), None, address="", port=0)

    here = asset_case(proxied, there, *recognised(8080, Spoken.HTTP))
    elsewhere = asset_case(proxied, there, *recognised(8080, Spoken.HTTP, OTHER_ADDRESS), *ports_seen([80]))

    assert status("undeclared-web", here) is Status.FAIL
    assert status("undeclared-web", elsewhere) is Status.PASS
    # Without a policy the declared services are allowed, and only where they are.
    assert status("unexpected-open", here) is Status.FAIL
    assert status("unexpected-open", elsewhere) is Status.PASS


def test_a_service_by_a_name_that_did_not_resolve_may_be_here_or_not() -> None:
    named = archive(web_service("http://nowhere.example.org:8080/", 8080))
    lost = seen(NameFacts(hostname="nowhere.example.org"), None, address="", port=0)
    case = asset_case(named, lost, *recognised(8080, Spoken.HTTP), *ports_seen([80]))

    assert status("undeclared-web", case) is Status.UNKNOWN
    assert status("unexpected-open", case) is Status.PASS


def test_a_known_product_is_named() -> None:
    verdict = judge("undeclared-web", asset_case(archive(), *recognised(8042, Spoken.HTTP, product="orthanc")))

    assert "; it is Orthanc (" in verdict.summary
    assert verdict.evidence["products"] == ["Orthanc (with its built-in Orthanc Explorer)"]
    assert verdict.observations == ("synthetic-1", "synthetic-2")


def test_an_address_of_6to4_is_public_whatever_this_version_of_python_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IPv6Address, "is_global", False)
    address = "2002:c0af:3005::1"  # RFC 3056 section 2
    case = asset_case(asset(dicom_service(), addresses=[address]), port_seen(11112, address=address))

    assert status("internet-reachable", case) is Status.FAIL


def test_recognised_dicom_on_any_port_is_imaging_to_the_internet() -> None:
    found = asset_case(archive(), *recognised(10104, Spoken.DICOM), vantage="internet")
    other = asset_case(archive(), *recognised(10104, Spoken.OTHER), vantage="internet")

    assert judge("internet-reachable", found).severity is Severity.CRITICAL
    assert judge("internet-reachable", other).severity is Severity.HIGH


def test_an_asset_without_services_has_all_of_it_undeclared() -> None:
    bare: Asset = replace(archive(), services=())
    assert status("undeclared-dicom", asset_case(bare, *recognised(11112, Spoken.DICOM))) is Status.FAIL
