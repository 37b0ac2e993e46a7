"""What a visit will ask, in which order and at what cost, and that a plan says neither more nor less than its steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.ports import port_set
from checker.model import (
    OPT_IN_CANARIES,
    Asset,
    AssetManners,
    Authorization,
    ClientCertificate,
    Defaults,
    Depth,
    Inventory,
    Role,
    Service,
    ServiceKind,
)
from checker.plan import (
    DICOM_CONNECTIONS,
    DICOM_OTHER_MODE_CONNECTIONS,
    DICOMWEB_CONNECTIONS,
    DICOMWEB_MORE_CONNECTIONS,
    OWN_CERTIFICATE_CONNECTIONS,
    PORT_CONNECTIONS,
    TLS_CONNECTIONS,
    TLS_FULL_CONNECTIONS,
    TLS_FULL_MORE_CONNECTIONS,
    WEB_CONNECTIONS,
    WEB_MORE_CONNECTIONS,
    AssetPlan,
    Step,
    StepKind,
    chosen_depth,
    chosen_ports,
    names_to_resolve,
    plan_asset,
    plan_run,
)
from checker.scope import Scope

TODAY = date(2026, 11, 24)
ADDRESS = "10.20.1.5"
OTHER = "10.20.1.6"
DICOM = Service(ServiceKind.DICOM, 11112, "ARCHIVE")
DICOM_TLS = Service(ServiceKind.DICOM_TLS, 2762, "ARCHIVE")
WEB = Service(ServiceKind.WEB, 443, url="https://archive.example.org/viewer/")
PLAIN_WEB = Service(ServiceKind.WEB, 80, url="http://archive.example.org/")
DICOMWEB = Service(ServiceKind.DICOMWEB, 443, url="https://archive.example.org/dicom-web")
SYSLOG = Service(ServiceKind.SYSLOG_TLS, 6514)
LDAPS = Service(ServiceKind.LDAPS, 636)
DICOMWEB_MOST = DICOMWEB_CONNECTIONS + DICOMWEB_MORE_CONNECTIONS
WEB_MOST = WEB_CONNECTIONS + WEB_MORE_CONNECTIONS


def inventory(*assets: Asset, ports: str | tuple[int, ...] = ()) -> Inventory:
    return Inventory(
        organization="Example Health",
        authorization=Authorization("Imaging Security", "CHG-1", date(2027, 6, 30)),
        owned_networks=("10.20.0.0/16", "fd00:20::/48"),
        public_networks=(),
        excluded=("10.20.9.9/32",),
        zones=(),
        defaults=Defaults(ports=ports),
        exposure=(),
        assets=assets,
        waivers=(),
    )


def asset(
    *services: Service,
    addresses: tuple[str, ...] = (ADDRESS,),
    hostname: str | None = "archive.example.org",
    manners: AssetManners | None = None,
) -> Asset:
    return Asset(
        "arc-01",
        "Main archive",
        addresses,
        hostname,
        Role.ARCHIVE,
        "main-campus",
        "clinical",
        None,
        manners or AssetManners(),
        services,
    )


def plan(
    subject: Asset,
    ports: tuple[int, ...] = (),
    resolved: dict[str, tuple[str, ...]] | None = None,
    today: date = TODAY,
) -> AssetPlan:
    return plan_asset(subject, Scope(inventory(subject)), ports, today, resolved)


def told(steps: tuple[Step, ...]) -> list[tuple[StepKind, str | None, int]]:
    return [(step.kind, step.address, step.port) for step in steps]


# -------------------------------------------------------------------------------------------- steps and order


def test_what_says_most_about_the_images_is_asked_first() -> None:
    steps = plan(asset(LDAPS, WEB, SYSLOG, DICOM_TLS, PLAIN_WEB, DICOMWEB, DICOM), ports=(23, 443, 11112)).steps

    assert told(steps) == [
        (StepKind.RESOLVE, None, 0),
        (StepKind.DICOM, ADDRESS, 2762),
        (StepKind.DICOM, ADDRESS, 11112),
        (StepKind.DICOMWEB, ADDRESS, 443),
        (StepKind.WEB, ADDRESS, 443),
        (StepKind.WEB, ADDRESS, 80),
        (StepKind.TLS, ADDRESS, 636),
        (StepKind.TLS, ADDRESS, 443),
        (StepKind.TLS, ADDRESS, 6514),
        (StepKind.TLS, ADDRESS, 2762),
        (StepKind.PORT, ADDRESS, 23),
    ]


@pytest.mark.parametrize(
    ("service", "costs"),
    [
        (DICOM, {StepKind.DICOM: DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS}),
        (DICOM_TLS, {StepKind.DICOM: DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS, StepKind.TLS: TLS_CONNECTIONS}),
        (DICOMWEB, {StepKind.DICOMWEB: DICOMWEB_MOST, StepKind.TLS: TLS_CONNECTIONS}),
        (WEB, {StepKind.WEB: WEB_MOST, StepKind.TLS: TLS_CONNECTIONS}),
        (PLAIN_WEB, {StepKind.WEB: WEB_MOST}),
        (SYSLOG, {StepKind.TLS: TLS_CONNECTIONS}),
        (LDAPS, {StepKind.TLS: TLS_CONNECTIONS}),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Service) else "",
)
def test_each_kind_of_service_has_its_questions(service: Service, costs: dict[StepKind, int]) -> None:
    found = plan(asset(service))

    assert {step.kind: step.connections for step in found.steps if step.services == (0,)} == costs
    assert found.connections == sum(costs.values())


def test_a_declared_service_is_not_asked_again_by_the_sweep() -> None:
    swept = [step.port for step in plan(asset(DICOM), ports=(104, 11112)).steps if step.kind is StepKind.PORT]

    assert swept == [104]


def test_services_that_share_a_port_share_one_tls_step() -> None:
    (step,) = [step for step in plan(asset(WEB, DICOM, DICOMWEB)).steps if step.kind is StepKind.TLS]

    assert (step.port, step.services, step.connections) == (443, (0, 2), TLS_CONNECTIONS)


def test_two_titles_on_one_port_are_two_questions() -> None:
    steps = plan(asset(DICOM, replace(DICOM, ae_title="OTHER"))).steps

    assert [step.services for step in steps if step.kind is StepKind.DICOM] == [(0,), (1,)]


def test_an_asset_without_services_is_swept_all_the_same() -> None:
    found = plan(asset(), ports=(104, 443))

    assert told(found.steps)[1:] == [(StepKind.PORT, ADDRESS, 104), (StepKind.PORT, ADDRESS, 443)]
    assert found.connections == 2 * PORT_CONNECTIONS


# --------------------------------------------------------------------------------------------------- addresses


def test_every_address_is_asked_everything() -> None:
    found = plan(asset(DICOM, addresses=(ADDRESS, "fd00:20::5")), ports=(23,))

    assert told(found.steps)[1:] == [
        (StepKind.DICOM, ADDRESS, 11112),
        (StepKind.DICOM, "fd00:20::5", 11112),
        (StepKind.PORT, ADDRESS, 23),
        (StepKind.PORT, "fd00:20::5", 23),
    ]
    assert found.addresses == (ADDRESS, "fd00:20::5")


def test_names_to_resolve_are_the_own_one_and_those_of_urls_elsewhere() -> None:
    proxy = replace(WEB, url="https://proxy.example.org/")
    literal = replace(WEB, url=f"https://{ADDRESS}/")
    own = replace(WEB, url="https://archive.example.org/other")

    assert names_to_resolve(asset(WEB, proxy, literal, own, proxy)) == ("archive.example.org", "proxy.example.org")
    assert names_to_resolve(asset(literal, hostname=None)) == ()


def test_a_name_that_is_not_resolved_yet_gives_steps_without_an_address() -> None:
    found = plan(asset(DICOM, addresses=()), ports=(23,))

    assert told(found.steps) == [
        (StepKind.RESOLVE, None, 0),
        (StepKind.DICOM, None, 11112),
        (StepKind.PORT, None, 23),
    ]
    # To how many addresses it leads, nobody knows yet.
    assert found.connections == AssetManners().max_connections
    assert found.steps[0].purpose == "resolve archive.example.org"
    assert found.addresses == ()
    assert found.refusals == ()


def test_a_resolved_name_is_asked_at_each_of_its_addresses_that_is_ours() -> None:
    found = plan(asset(DICOM, addresses=()), resolved={"archive.example.org": (ADDRESS, "192.0.2.1", OTHER)})

    assert found.addresses == (ADDRESS, OTHER)
    assert found.refusals == ("192.0.2.1 is in no network of owned_networks",)
    assert not any(step.kind is StepKind.RESOLVE for step in found.steps)


def test_a_declared_address_counts_and_not_what_the_name_resolves_to() -> None:
    found = plan(asset(DICOM, WEB), resolved={"archive.example.org": (OTHER,)})

    assert found.addresses == (ADDRESS,)


def test_a_url_on_another_name_is_asked_where_that_name_is() -> None:
    proxy = replace(WEB, url="https://proxy.example.org/")

    found = plan(asset(DICOM, proxy), resolved={"archive.example.org": (ADDRESS,), "proxy.example.org": (OTHER,)})

    assert told(found.steps) == [
        (StepKind.DICOM, ADDRESS, 11112),
        (StepKind.WEB, OTHER, 443),
        (StepKind.TLS, OTHER, 443),
    ]


def test_a_name_that_did_not_resolve_gives_no_step_at_all() -> None:
    assert plan(asset(DICOM, addresses=()), ports=(23,), resolved={}).steps == ()


# ---------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("10.20.9.9", "10.20.9.9 is excluded by the inventory"),
        ("10.99.0.1", "10.99.0.1 is in no network of owned_networks"),
        ("8.8.8.8", "8.8.8.8 is a public address and in no network of public_networks"),
        ("224.0.0.1", "224.0.0.1 is not the address of one device"),
    ],
)
def test_an_address_outside_the_boundary_is_refused_once_and_never_asked(address: str, reason: str) -> None:
    found = plan(asset(DICOM, WEB, DICOMWEB, addresses=(address, ADDRESS)), ports=(23, 104))

    assert found.refusals == (reason,)
    assert found.addresses == (ADDRESS,)


def test_an_expired_authorization_refuses_everything() -> None:
    found = plan(asset(DICOM, WEB), ports=(23,), today=date(2027, 7, 1))

    assert found.refusals == ("the authorization expired on 2027-06-30",)
    assert (found.addresses, found.connections) == ((), 0)


def test_a_passive_asset_is_not_even_looked_up() -> None:
    found = plan(asset(DICOM, manners=AssetManners(passive=True)), ports=(23,))

    assert found == AssetPlan("arc-01", (), ("the inventory declares the asset passive: it is never contacted",), 0)


# -------------------------------------------------------------------------------------------- budget and time


def test_a_budget_that_is_too_small_is_said_and_kept() -> None:
    found = plan(asset(DICOM, manners=AssetManners(max_connections=7)), ports=(23, 104))

    assert sum(step.connections for step in found.steps if step.kind is not StepKind.RECOGNISE) == 8
    assert found.connections == 7
    assert found.refusals == ("up to 8 connections are wanted and the budget is 7: the last may not be asked",)


def test_a_budget_that_is_just_enough_is_not_spoken_of() -> None:
    found = plan(asset(DICOM, manners=AssetManners(max_connections=8)), ports=(23, 104))

    assert (found.connections, found.refusals) == (8, ())


def test_a_run_is_the_sum_of_its_visits() -> None:
    first = asset(DICOM)
    second = replace(first, id="arc-02", addresses=(OTHER,))

    run = plan_run(inventory(first, second), [first, second], ports=(23,), today=TODAY, concurrency=500)

    assert [each.asset_id for each in run.assets] == ["arc-01", "arc-02"]
    assert run.connections == sum(each.connections for each in run.assets) == 12


def test_a_run_takes_at_least_as_long_as_its_slowest_visit() -> None:
    quick, slow = asset(DICOM), asset(DICOM, manners=AssetManners(gap_s=10.0))

    run = plan_run(inventory(quick, slow), [quick, slow], ports=(), today=TODAY, concurrency=500)

    assert run.seconds >= run.assets[1].connections * 10.0


def test_visits_that_cannot_go_on_at_once_take_longer() -> None:
    subject = asset(DICOM)

    def seconds(concurrency: int) -> float:
        return plan_run(inventory(subject), [subject] * 100, ports=(), today=TODAY, concurrency=concurrency).seconds

    assert seconds(1) == pytest.approx(100 * seconds(100))


def test_no_assets_take_no_time() -> None:
    run = plan_run(inventory(), [], ports=(23,), today=TODAY, concurrency=500)

    assert (run.assets, run.connections, run.seconds) == ((), 0, 0.0)


def test_ports_are_those_of_the_option_or_else_of_the_inventory() -> None:
    assert chosen_ports(None, inventory(ports=(104, 443))) == (104, 443)
    assert chosen_ports(None, inventory(ports="databases")) == port_set("databases").numbers
    assert chosen_ports((1, 2), inventory(ports="imaging")) == (1, 2)
    assert chosen_ports("none", inventory(ports="imaging")) == ()
    with pytest.raises(KeyError):
        chosen_ports("imagine", inventory())


# -------------------------------------------------------------------------------------------------- properties

_HOSTS = ("archive.example.org", "proxy.example.org", "10.20.1.5", "10.20.9.9", "8.8.8.8")
_ADDRESSES = ("10.20.1.5", "10.20.1.6", "fd00:20::5", "10.20.9.9", "10.99.0.1", "8.8.8.8")
_SERVICES = st.one_of(
    st.builds(Service, st.sampled_from([ServiceKind.DICOM, ServiceKind.DICOM_TLS]), st.sampled_from([104, 2762, 443])),
    st.builds(Service, st.sampled_from([ServiceKind.SYSLOG_TLS, ServiceKind.LDAPS]), st.sampled_from([443, 636])),
    st.builds(
        lambda kind, scheme, host, port: Service(kind, port, url=f"{scheme}://{host}:{port}/"),
        st.sampled_from([ServiceKind.WEB, ServiceKind.DICOMWEB]),
        st.sampled_from(["http", "https"]),
        st.sampled_from(_HOSTS),
        st.sampled_from([80, 443]),
    ),
)
_MANNERS = st.builds(
    AssetManners,
    max_connections=st.integers(1, 60),
    gap_s=st.sampled_from([0.001, 0.05, 3.0]),
    passive=st.sampled_from([False, False, False, True]),
)
_ASSETS = st.builds(
    lambda services, addresses, hostname, manners: asset(
        *services, addresses=tuple(addresses), hostname=hostname, manners=manners
    ),
    st.lists(_SERVICES, max_size=6),
    st.lists(st.sampled_from(_ADDRESSES), unique=True, max_size=4),
    st.sampled_from([None, "archive.example.org", "Archive.Example.ORG"]),
    _MANNERS,
)
_PORTS = st.lists(st.sampled_from([23, 80, 104, 443, 2762]), unique=True, max_size=5).map(tuple)
_RESOLVED = st.none() | st.dictionaries(
    st.sampled_from(_HOSTS[:2]), st.lists(st.sampled_from(_ADDRESSES), max_size=3).map(tuple)
)


@given(_ASSETS, _PORTS, _RESOLVED)
def test_any_plan_keeps_the_budget_and_the_boundary(
    subject: Asset, ports: tuple[int, ...], resolved: dict[str, tuple[str, ...]] | None
) -> None:
    found = plan(subject, ports, resolved)

    wanted = sum(step.connections for step in found.steps)
    budget = subject.manners.max_connections
    unknown = any(step.address is None and step.kind is not StepKind.RESOLVE for step in found.steps)
    assert found.connections == (budget if unknown else min(wanted, budget))
    assert any("the budget is" in reason for reason in found.refusals) is (wanted > budget)
    assert set(found.addresses) <= {"10.20.1.5", "10.20.1.6", "fd00:20::5"}
    assert len(set(found.refusals)) == len(found.refusals)
    if subject.manners.passive:
        assert found.steps == ()


@given(_ASSETS, _PORTS, _RESOLVED)
def test_any_plan_asks_nothing_twice_and_every_service_something(
    subject: Asset, ports: tuple[int, ...], resolved: dict[str, tuple[str, ...]] | None
) -> None:
    steps = plan(subject, ports, resolved).steps

    for step in steps:
        assert all(subject.services[index].port == step.port for index in step.services)
        assert step.connections > 0 or step.kind is StepKind.RESOLVE
        if step.kind is StepKind.PORT:
            assert step.port in ports
    sweeps = [step.place for step in steps if step.kind is StepKind.PORT]
    asked = {step.place for step in steps if step.kind is not StepKind.PORT}
    assert len(set(sweeps)) == len(sweeps)
    assert asked.isdisjoint(sweeps)
    if resolved is None and not subject.manners.passive and ADDRESS in subject.addresses:
        reached = {index for step in steps for index in step.services}
        refused = {index for index, service in enumerate(subject.services) if service.host in ("10.20.9.9", "8.8.8.8")}
        assert reached == set(range(len(subject.services))) - refused


@given(st.lists(_ASSETS, max_size=4), _PORTS, st.integers(1, 50))
def test_any_run_says_what_its_visits_say(subjects: list[Asset], ports: tuple[int, ...], concurrency: int) -> None:
    assets = [replace(subject, id=f"a{index}") for index, subject in enumerate(subjects)]
    owned = inventory(*assets)

    run = plan_run(owned, assets, ports=ports, today=TODAY, concurrency=concurrency)

    scope = Scope(owned)
    assert run.assets == tuple(plan_asset(each, scope, ports, TODAY) for each in assets)
    assert run.connections == sum(each.connections for each in run.assets)
    assert run.connections <= sum(each.manners.max_connections for each in assets)
    assert run.seconds >= 0


@given(_ASSETS, _PORTS, st.dictionaries(st.sampled_from(_HOSTS[:2]), st.lists(st.sampled_from(_ADDRESSES)).map(tuple)))
def test_no_visit_takes_more_than_was_planned_before_its_names_were_resolved(
    subject: Asset, ports: tuple[int, ...], resolved: dict[str, tuple[str, ...]]
) -> None:
    assert plan(subject, ports, resolved).connections <= plan(subject, ports).connections


def test_names_that_are_not_resolved_yet_are_places_of_their_own() -> None:
    one = Service(ServiceKind.WEB, 443, url="https://one.example.org/")
    other = Service(ServiceKind.WEB, 443, url="https://other.example.org/")
    named = asset(one, other)

    before = plan(named, ports=(443,))
    after = plan(named, ports=(443,), resolved={"one.example.org": (ADDRESS,), "other.example.org": (OTHER,)})

    wanted = [sum(step.connections for step in found.steps) for found in (before, after)]
    assert wanted[0] == wanted[1] + PORT_CONNECTIONS == 2 * (WEB_MOST + TLS_CONNECTIONS) + 2


# ------------------------------------------------------------------------------------ what a known product leads to


def test_what_a_page_leads_to_is_planned_at_its_most_and_is_spare() -> None:
    found = plan(asset(DICOMWEB, PLAIN_WEB))
    web = [step for step in found.steps if step.kind in (StepKind.DICOMWEB, StepKind.WEB)]
    assert [(step.connections, step.least) for step in web] == [
        (DICOMWEB_MOST, DICOMWEB_CONNECTIONS),
        (WEB_MOST, WEB_CONNECTIONS),
    ]
    assert [step.purpose for step in web] == [
        "canary and control, then what a known product leads to",
        "page and one hop, then what a known product leads to",
    ]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (WEB_MOST, None),
        (WEB_MOST - 1, "the questions of web products may end early"),
        (WEB_CONNECTIONS, "the questions of web products may end early"),
        (WEB_CONNECTIONS - 1, "the last may not be asked"),
    ],
)
def test_a_budget_that_ends_what_a_page_leads_to_is_told(budget: int, words: str | None) -> None:
    found = plan(asset(PLAIN_WEB, manners=AssetManners(max_connections=budget)))
    assert found.connections == min(budget, WEB_MOST)
    assert [refusal.rpartition(": ")[2] for refusal in found.refusals] == ([] if words is None else [words])


def test_both_kinds_of_what_may_end_early_are_told() -> None:
    subject = asset(WEB)
    (refusal,) = plan_asset(subject, Scope(inventory(subject)), (), TODAY, depth=Depth.FULL).refusals
    assert refusal.endswith("the lists of full depth and the questions of web products may end early")


# ----------------------------------------------------------------------------------------------------------- depth


def test_full_depth_is_planned_at_its_bound_and_the_budget_caps_it() -> None:
    subject = asset(SYSLOG, manners=AssetManners(max_connections=1000))
    full = plan_asset(subject, Scope(inventory(subject)), (), TODAY, depth=Depth.FULL)
    assert [(step.connections, step.least) for step in full.steps if step.kind is StepKind.TLS] == [
        (TLS_FULL_CONNECTIONS, TLS_CONNECTIONS + TLS_FULL_MORE_CONNECTIONS)
    ]
    assert (full.connections, full.refusals) == (TLS_FULL_CONNECTIONS, ())

    capped = asset(SYSLOG, manners=AssetManners(max_connections=40))
    found = plan_asset(capped, Scope(inventory(capped)), (), TODAY, depth=Depth.FULL)
    assert found.connections == 40
    (refusal,) = found.refusals
    assert refusal.startswith(f"up to {TLS_FULL_CONNECTIONS} connections are wanted and the budget is 40: ")
    assert refusal.endswith("the lists of full depth may end early")
    tight = asset(SYSLOG, manners=AssetManners(max_connections=4))
    (refusal,) = plan_asset(tight, Scope(inventory(tight)), (), TODAY, depth=Depth.FULL).refusals
    assert refusal.endswith("the last may not be asked")


def test_full_depth_changes_nothing_but_tls() -> None:
    subject = asset(DICOM, DICOMWEB, WEB, SYSLOG)
    policy, full = (
        plan_asset(subject, Scope(inventory(subject)), (104,), TODAY, depth=depth)
        for depth in (Depth.POLICY, Depth.FULL)
    )
    assert told(policy.steps) == told(full.steps)
    assert [step.least for step in full.steps] == [
        step.least + TLS_FULL_MORE_CONNECTIONS * (step.kind is StepKind.TLS) for step in policy.steps
    ]


@pytest.mark.parametrize(
    ("option", "of_asset", "of_defaults", "depth"),
    [
        (None, None, Depth.POLICY, Depth.POLICY),
        (None, None, Depth.FULL, Depth.FULL),
        (None, Depth.FULL, Depth.POLICY, Depth.FULL),
        (None, Depth.POLICY, Depth.FULL, Depth.POLICY),
        (Depth.POLICY, Depth.FULL, Depth.FULL, Depth.POLICY),
        (Depth.FULL, Depth.POLICY, Depth.POLICY, Depth.FULL),
    ],
)
def test_the_option_is_stronger_than_the_asset_and_that_than_the_defaults(
    option: Depth | None, of_asset: Depth | None, of_defaults: Depth, depth: Depth
) -> None:
    subject = replace(asset(SYSLOG), tls_depth=of_asset)
    owned = replace(inventory(subject), defaults=Defaults(tls_depth=of_defaults))
    assert chosen_depth(option, subject, owned) is depth


def test_each_asset_is_planned_at_its_own_depth() -> None:
    manners = AssetManners(max_connections=1000)
    usual = asset(SYSLOG, manners=manners)
    deep = replace(usual, id="arc-02", tls_depth=Depth.FULL)
    owned = inventory(usual, deep)

    def connections(depth: Depth | None) -> list[int]:
        made = plan_run(owned, (usual, deep), ports=(), today=TODAY, concurrency=1, depth=depth)
        return [found.connections for found in made.assets]

    assert connections(None) == [TLS_CONNECTIONS, TLS_FULL_CONNECTIONS]
    assert connections(Depth.POLICY) == [TLS_CONNECTIONS] * 2
    assert connections(Depth.FULL) == [TLS_FULL_CONNECTIONS] * 2


# ----------------------------------------------------------------------------------------- a certificate of our own


@pytest.mark.parametrize("depth", Depth)
def test_a_certificate_of_ours_costs_one_more_handshake_of_each_tls_step_and_nothing_else(depth: Depth) -> None:
    subject = asset(DICOM_TLS, WEB, DICOM, manners=AssetManners(max_connections=1000))
    without = inventory(subject)
    having = replace(without, defaults=Defaults(client_certificate=ClientCertificate("CN=x", "0" * 64)))

    def least(owned: Inventory) -> list[tuple[StepKind, int]]:
        made = plan_run(owned, (subject,), ports=(), today=TODAY, concurrency=1, depth=depth)
        return [(step.kind, step.least) for step in made.assets[0].steps]

    more = {StepKind.TLS: OWN_CERTIFICATE_CONNECTIONS}
    assert least(having) == [(kind, count + more.get(kind, 0)) for kind, count in least(without)]


def test_what_the_inventory_asks_for_beyond_is_told_and_costs_a_connection_each() -> None:
    def dicom_steps(of: Asset) -> list[Step]:
        return [step for step in plan(of).steps if step.kind is StepKind.DICOM]

    known = replace(DICOM, registered_ae_title="CT01")
    (step,) = dicom_steps(replace(asset(known), canaries=OPT_IN_CANARIES))
    (less,) = dicom_steps(replace(asset(DICOM), canaries=OPT_IN_CANARIES[:1]))

    least = DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS
    assert (step.connections, less.connections) == (least + 3, least + 1)
    every = "survey, canary, wrong called AE title"
    assert step.purpose == f"{every}, registered calling AE title, worklist canary, GET canary"
    assert less.purpose == f"{every}, worklist canary"
