"""What a valid inventory means: each value of the format as the model has it, in every form it can be written in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import pytest

from checker.inventory import InventoryError, load
from checker.model import (
    Asset,
    AssetClass,
    AssetManners,
    AssociationPurpose,
    Authorization,
    Defaults,
    Depth,
    Exposure,
    Inventory,
    Role,
    Service,
    ServiceKind,
    Waiver,
    Zone,
)

VALID = Path(__file__).parent / "inventories" / "valid"
TODAY = date(2026, 11, 24)
HEAD = """\
version: 1
authorization: {owner: Imaging Security, reference: CHG-1, expires: 2027-06-30}
owned_networks: [10.20.0.0/16, "fd00:20::/48"]
"""
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file of the working folder, byte for byte, and gives its name as a user would."""
    monkeypatch.chdir(tmp_path)

    def writing(name: str, text: str) -> Path:
        Path(name).write_text(text, "utf-8", newline="")
        return Path(name)

    return writing


def one_asset(*lines: str) -> str:
    """An inventory of one archive, with further lines of it."""
    asset = "\n".join(f"    {line}" for line in ("role: archive", *lines))
    return f"{HEAD}assets:\n  - id: arc-01\n{asset}\n"


def loaded_asset(write: Write, *lines: str) -> Asset:
    (asset,) = load([write("one.yaml", one_asset(*lines))], today=TODAY).assets
    return asset


def services_of(write: Write, *services: str) -> tuple[Service, ...]:
    lines = [f"  - {{{service}}}" for service in services]
    return loaded_asset(write, "hostname: archive.example.org", "services:", *lines).services


def faults_of(*paths: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        load(paths, today=TODAY)
    return [str(fault) for fault in caught.value.faults]


# --------------------------------------------------------------------------- the example of the documentation


def test_the_documented_example_loads_whole() -> None:
    folder = VALID / "interface"

    inventory = load([folder / "inventory.yaml"], today=TODAY)

    assert inventory == Inventory(
        organization="Example Health",
        authorization=Authorization("Imaging Security", "CHG-1042", date(2027, 6, 30)),
        owned_networks=("10.20.0.0/16", "2001:db8:20::/48"),
        public_networks=(),
        excluded=("10.20.9.9/32",),
        zones=(Zone("internet"), Zone("clinical", ("10.20.0.0/16",))),
        defaults=Defaults("SECAUDIT", "imaging"),
        exposure=(
            Exposure(
                "clinical",
                AssetClass(Role.ARCHIVE),
                must_reach=("dicom-tls/2762",),
                may_reach=("tcp/443",),
                reason="...",
                owner="...",
                expires=date(2027, 12, 31),
            ),
        ),
        assets=(
            Asset(
                id="arc-01",
                name="Main archive",
                addresses=("10.20.1.5",),
                hostname="archive.example.org",
                role=Role.ARCHIVE,
                site="main-campus",
                zone="clinical",
                owner="imaging-it",
                manners=AssetManners(40, 0.05, (time(7), time(19)), passive=False),
                services=(
                    Service(ServiceKind.DICOM, 11112, "ARCHIVE"),
                    Service(ServiceKind.DICOM_TLS, 2762, "ARCHIVE", profile="B.12", client_certificate="required"),
                    Service(ServiceKind.WEB, 443, url="https://archive.example.org/viewer/"),
                    Service(ServiceKind.DICOMWEB, 443, url="https://archive.example.org/dicom-web"),
                ),
            ),
            Asset(
                id="us-07",
                name="Ultrasound 7",
                addresses=("10.20.2.7",),
                hostname=None,
                role=Role.MODALITY,
                site="main-campus",
                zone="clinical",
                owner="radiology",
                manners=AssetManners(),
                services=(Service(ServiceKind.DICOM, 104, "US07"),),
            ),
        ),
        waivers=(Waiver("dicom.cleartext", "...", "...", date(2027, 1, 31), asset="us-07"),),
        files=(str(folder / "inventory.yaml"), str(folder / "assets.csv")),
        sha256=hashlib.sha256(
            (folder / "inventory.yaml").read_bytes() + (folder / "assets.csv").read_bytes()
        ).hexdigest(),
        notices=(),
    )


def test_every_key_has_its_meaning() -> None:
    inventory = load([VALID / "every-key.yaml"], today=TODAY)

    assert inventory.organization == "Example Health (synthetic): Zürich"
    assert inventory.authorization.expires == TODAY
    assert inventory.owned_networks == ("fd00:20::/48", "10.20.0.0/16", "192.0.2.0/24", "10.21.0.0/16")
    assert inventory.public_networks == ("8.8.8.0/29",)
    assert inventory.excluded == ("10.20.9.9/32", "10.20.10.0/24")
    anchors = inventory.defaults.trust_store
    assert anchors is not None
    assert inventory.defaults == Defaults(
        "SEC AUDIT", (104, 443, 11112), "audit/1.0 (Example)", anchors, Depth.FULL, certificate_notice_days=45
    )
    assert [line.to for line in inventory.exposure] == [
        AssetClass(site="main-*", asset="arc-*"),
        AssetClass(zone="clin*"),
    ]
    gateway, pump = inventory.assets
    assert gateway.addresses == ("fd00:20::5", "10.21.0.7", "8.8.8.1")
    assert gateway.hostname == "all.example.org"
    assert gateway.manners == AssetManners(120, 2.0, (time(22), time(6)), passive=False)
    assert (gateway.tls_depth, pump.tls_depth) == (Depth.POLICY, None)
    assert (gateway.canaries, pump.canaries) == ((AssociationPurpose.WORKLIST, AssociationPurpose.GET), ())
    assert gateway.services == (
        Service(ServiceKind.DICOM, 104, registered_ae_title="CT 01"),
        Service(
            ServiceKind.DICOM_TLS, 2762, profile="B.10", client_certificate="not-asked", registered_ae_title="CT02"
        ),
        Service(ServiceKind.SYSLOG_TLS, 6514, client_certificate="optional"),
        Service(ServiceKind.LDAPS, 636),
        Service(ServiceKind.LDAPS, 3269),
        Service(ServiceKind.WEB, 443, url="https://all.example.org/Path?x=1", client_certificate="required"),
        Service(ServiceKind.DICOMWEB, 8080, url="http://[fd00:20::5]:8080/dicom-web"),
    )
    assert (pump.addresses, pump.hostname) == ((), "pump")
    assert pump.manners == AssetManners(1, 0.0015, None, passive=True, max_pending=2)
    assert inventory.waivers == (Waiver("tls.*", "old", "x", date(2020, 1, 31), site="main-*", role=Role.GATEWAY),)


# ----------------------------------------------------------------------------------------- forms and files


@pytest.mark.parametrize("form", ["same.json", "same.csv", "same.jsonl"])
def test_each_form_gives_the_assets_that_yaml_gives(form: str) -> None:
    base = VALID / "forms" / "base.yaml"

    from_yaml = load([base, VALID / "forms" / "same.yaml"], today=TODAY)
    from_form = load([base, VALID / "forms" / form], today=TODAY)

    assert len(from_yaml.assets) == 3
    assert from_form.assets == from_yaml.assets


def test_several_files_are_one_inventory() -> None:
    names = ("boundary.yaml", "policy.json", "assets.yml", "more.jsonl")

    inventory = load([VALID / "merged" / name for name in names], today=TODAY)

    assert inventory.owned_networks == ("10.20.0.0/16", "10.30.0.0/16")
    assert inventory.defaults == Defaults("SECAUDIT", (104, 443))
    assert {asset.id for asset in inventory.assets} == {"arc-01", "us-07", "vw-01"}
    assert inventory.waivers[0].reason == "Replaced in spring."
    # A table of `assets_from` is looked for beside the file that names it.
    assert inventory.files == tuple(str(VALID / "merged" / name) for name in (*names, "site/modalities.csv"))


def test_the_order_of_files_does_not_change_what_they_say() -> None:
    paths = [VALID / "merged" / name for name in ("boundary.yaml", "policy.json", "assets.yml", "more.jsonl")]

    there, back = (load(order, today=TODAY) for order in (paths, paths[::-1]))

    assert set(there.assets) == set(back.assets)
    assert set(there.owned_networks) == set(back.owned_networks)
    assert (there.defaults, there.exposure, there.waivers) == (back.defaults, back.exposure, back.waivers)
    assert there.sha256 != back.sha256


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("form", ["same.yaml", "same.json", "same.csv", "same.jsonl"])
def test_byte_order_marks_and_windows_line_ends_change_nothing(write: Write, form: str, mark: str, ends: str) -> None:
    base, plain = (VALID / "forms" / name for name in ("base.yaml", form))
    copy = write(form, mark + plain.read_text("utf-8").replace("\n", ends))

    assert load([base, copy], today=TODAY).assets == load([base, plain], today=TODAY).assets


def test_the_rows_of_an_asset_need_not_stand_together(write: Write) -> None:
    table = write(
        "a.csv",
        "service,asset_id,role,address,port\n"
        "dicom,arc-01,archive,10.20.1.5,104\n"
        "dicom,us-07,modality,10.20.1.7,104\n"
        "ldaps,arc-01,,,\n",
    )

    archive, ultrasound = load([write("base.yaml", HEAD), table], today=TODAY).assets

    assert archive.services == (Service(ServiceKind.DICOM, 104), Service(ServiceKind.LDAPS, 636))
    assert ultrasound.services == (Service(ServiceKind.DICOM, 104),)


def test_unknown_columns_give_notices_and_no_fault(write: Write) -> None:
    table = write("a.csv", "asset_id,adress,address,role,service,Serial Number\nprn-01,x,10.20.1.6,printer,,SN-1\n")

    inventory = load([write("base.yaml", HEAD), table], today=TODAY)

    assert inventory.assets[0].addresses == ("10.20.1.6",)
    assert inventory.notices == (
        "a.csv: the column 'adress' is ignored",
        "a.csv: the column 'Serial Number' is ignored",
    )


def test_an_unknown_column_that_looks_like_a_known_one_is_said_to(write: Write) -> None:
    table = write("a.csv", "asset_id,address,role,service,zon\nprn-01,10.20.1.6,printer,,x\n")

    inventory = load([write("base.yaml", HEAD), table], today=TODAY)

    assert inventory.notices == ("a.csv: the column 'zon' is ignored; did you mean zone?",)


def test_policy_about_an_asset_that_is_not_listed_gives_a_notice(write: Write) -> None:
    text = one_asset("address: 10.20.1.5") + (
        "waivers:\n"
        "  - {rule: dicom.cleartext, asset: arc-1, reason: r, owner: o, expires: 2027-01-31}\n"
        "  - {rule: dicom.cleartext, asset: arc-01, reason: r, owner: o, expires: 2027-01-31}\n"
        '  - {rule: dicom.cleartext, asset: "us-*", reason: r, owner: o, expires: 2027-01-31}\n'
    )

    inventory = load([write("one.yaml", text)], today=TODAY)

    assert inventory.notices == ("one.yaml:9: this waiver is about arc-1, which is no asset of the inventory",)


# ---------------------------------------------------------------------------------------------- single values


@pytest.mark.parametrize(
    ("written", "port", "text"),
    [
        ("https://archive.example.org", 443, "https://archive.example.org/"),
        ("http://archive.example.org/viewer", 80, "http://archive.example.org/viewer"),
        ("https://archive.example.org:8443/", 8443, "https://archive.example.org:8443/"),
        ("HTTPS://Archive.Example.ORG./A/b?C=d#e", 443, "https://archive.example.org/A/b?C=d"),
        ("https://proxy.example.org/", 443, "https://proxy.example.org/"),
    ],
)
def test_the_port_of_a_web_service_follows_from_its_url(write: Write, written: str, port: int, text: str) -> None:
    assert services_of(write, f'kind: web, url: "{written}"') == (Service(ServiceKind.WEB, port, url=text),)


def test_a_url_may_name_an_address_of_its_asset(write: Write) -> None:
    asset = loaded_asset(
        write,
        'address: [10.20.1.5, "fd00:20::5"]',
        "services:",
        '  - {kind: web, url: "https://10.20.1.5:8443"}',
        '  - {kind: dicomweb, url: "https://[FD00:20:0:0::5]:8443/dicom-web"}',
    )

    assert [(service.host, service.url) for service in asset.services] == [
        ("10.20.1.5", "https://10.20.1.5:8443/"),
        ("fd00:20::5", "https://[fd00:20::5]:8443/dicom-web"),
    ]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1ms", 0.001), ("50ms", 0.05), ("1500ms", 1.5), ("2s", 2.0), ("0.5s", 0.5), ("3600s", 3600)],
)
def test_durations_are_read_as_seconds(write: Write, written: str, seconds: float) -> None:
    assert loaded_asset(write, "hostname: a", f"manners: {{gap: {written}}}").manners.gap_s == seconds


@pytest.mark.parametrize("written", ["07:00-19:00", '"07:00-19:00"'])
def test_quiet_hours_need_no_quotes(write: Write, written: str) -> None:
    manners = loaded_asset(write, "hostname: a", f"manners: {{quiet_hours: {written}}}").manners

    assert manners.quiet_hours == (time(7), time(19))


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10.20.1.5", ("10.20.1.5",)),
        ('" 10.20.1.5 "', ("10.20.1.5",)),
        ('"fd00:0020:0:0::0005"', ("fd00:20::5",)),
        ('"::ffff:10.20.1.5"', ("10.20.1.5",)),
        ("[10.20.1.6, 10.20.1.5]", ("10.20.1.6", "10.20.1.5")),
    ],
)
def test_addresses_are_kept_in_canonical_form(write: Write, written: str, canonical: tuple[str, ...]) -> None:
    assert loaded_asset(write, f"address: {written}").addresses == canonical


def test_an_asset_with_a_host_name_needs_no_address(write: Write) -> None:
    asset = loaded_asset(write, "hostname: Archive.Example.org")

    assert (asset.addresses, asset.hostname) == ((), "archive.example.org")


def test_an_authorization_holds_through_its_last_day(write: Write) -> None:
    path = write("one.yaml", one_asset("address: 10.20.1.5"))

    assert load([path], today=date(2027, 6, 30)).assets
    with pytest.raises(InventoryError, match="2027-07-01 this one has expired"):
        load([path], today=date(2027, 7, 1))


# ------------------------------------------------------------------------------------------------ YAML's traps


@pytest.mark.parametrize(
    "word", ["no", "NO", "off", "yes", "y", "on", "0x10", "1_000", "22:30", "2027-01-31", "=", "<<"]
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(write: Write, word: str) -> None:
    assert loaded_asset(write, "hostname: a", f"name: {word}").name == word


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("name: 12", "assets[0].name: 12: expected text, in quotes"),
        ("name: true", "assets[0].name: true: expected text, in quotes"),
        ("manners: {passive: yes}", "assets[0].manners.passive: yes: expected true or false"),
        (
            "services: [{kind: dicom, port: 0104}]",
            "assets[0].services[0].port: 0104: expected an integer from 1 to 65535",
        ),
        (
            "services: [{kind: dicom, port: 0x68}]",
            "assets[0].services[0].port: 0x68: expected an integer from 1 to 65535",
        ),
        (
            "services: [{kind: dicom, port: 1:44}]",
            "assets[0].services[0].port: 1:44: expected an integer from 1 to 65535",
        ),
        (
            "services: [{kind: dicom, port: 104.0}]",
            "assets[0].services[0].port: 104.0: expected an integer from 1 to 65535",
        ),
        ("<<: {name: x}", "assets[0].<<: a mapping of 1: expected no such key"),
    ],
)
def test_a_value_that_could_mean_two_things_is_refused(write: Write, line: str, fault: str) -> None:
    path = write("one.yaml", one_asset("hostname: a", line))

    assert faults_of(path) == [f"one.yaml:8: {fault}"]


def test_anchors_and_aliases_are_read(write: Write) -> None:
    text = HEAD + (
        "assets:\n"
        "  - {id: a, address: 10.20.1.5, role: modality, manners: &gently {gap: 2s}, services: &usual\n"
        "      [{kind: dicom, port: 104}]}\n"
        "  - {id: b, address: 10.20.1.6, role: modality, manners: *gently, services: *usual}\n"
    )

    first, second = load([write("one.yaml", text)], today=TODAY).assets

    assert first.manners == second.manners == AssetManners(gap_s=2.0)
    assert first.services == second.services == (Service(ServiceKind.DICOM, 104),)


# ------------------------------------------------------------------------------------------------------ faults


def test_a_fault_tells_file_line_field_value_and_what_is_expected(write: Write) -> None:
    path = write("one.yaml", one_asset("address: 10.20.1.5", "services:", "  - kind: dicom", "    port: 70000"))

    with pytest.raises(InventoryError) as caught:
        load([path], today=TODAY)

    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.field) == ("one.yaml", 10, "assets[0].services[0].port")
    assert (fault.value, fault.expected) == ("70000", "expected an integer from 1 to 65535")
    assert str(caught.value) == "one.yaml:10: assets[0].services[0].port: 70000: expected an integer from 1 to 65535"


def test_faults_of_all_files_come_together(write: Write) -> None:
    write("a.csv", "asset_id,address,role,service,port\nus-07,10.99.0.1,modality,dicom,0\n")
    write("b.jsonl", '{"id": "vw-01", "address": "10.20.1.9", "role": "looker"}\n')
    yaml = write("one.yaml", HEAD + "zone: []\nassets_from: [a.csv, b.jsonl]\n")
    json = write("two.json", '{"version": 2}')

    assert faults_of(yaml, json) == [
        "a.csv:2: address: 10.99.0.1: expected an address in owned_networks",
        "a.csv:2: port: 0: expected an integer from 1 to 65535",
        "b.jsonl:1: role: looker: expected one of archive, modality, viewer, workstation, gateway, printer, other",
        "one.yaml:4: zone: a list of 0: expected no such key; did you mean zones?",
        "two.json:1: version: 2: expected 1, the version of the format",
    ]


def test_a_table_that_cannot_be_read_is_the_only_thing_said_of_its_assets(write: Write) -> None:
    base = write("base.yaml", HEAD)
    table = write("a.csv", "id;address\n")

    assert [fault.split(":")[0] for fault in faults_of(base, table)] == ["a.csv"]


def test_a_password_in_a_url_is_not_shown(write: Write) -> None:
    path = write(
        "one.yaml",
        one_asset("hostname: a", 'services: [{kind: web, url: "https://admin:secret@archive.example.org/"}]'),
    )

    (fault,) = faults_of(path)
    assert "secret" not in fault
    assert fault.endswith("https://***@archive.example.org/: expected a URL without user name and password")
