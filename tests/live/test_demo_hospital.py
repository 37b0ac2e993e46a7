"""The simulated hospital is what it claims to be, seen by clients that are none of ours: pynetdicom, httpx and ssl."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from errno import EACCES, EADDRNOTAVAIL
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import pytest
import yaml
from cryptography import x509
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from checker.demo import DEFAULT_NETWORK, Hospital, hospital, main
from checker.demo.assets import DicomServer, SimulatedAsset
from checker.demo.hospital import _refusal
from checker.errors import UsageError

pytestmark = pytest.mark.live

FIND = StudyRootQueryRetrieveInformationModelFind
GET = StudyRootQueryRetrieveInformationModelGet
NOBODYS_STUDY = "2.25.224466880012345678901234567890"
STRANGER = "STRANGER"
LIMIT_S = 10.0


def own_network(purpose: int = 0) -> str:
    """A loopback network of this process and purpose (0 to 3) alone, so that test processes do not meet."""
    block, number = divmod(os.getpid() % 7500, 250)
    return f"127.{100 + 30 * purpose + block}.{number}.0/24"


def listening_in(network: str) -> set[tuple[str, int]]:
    """The IPv4 addresses and TCP ports of a network that listen on this machine, from the kernel's table."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        address = socket.inet_ntoa(int(local[:8], 16).to_bytes(4, sys.byteorder))
        if state == "0A" and ip_address(address) in ip_network(network):
            found.add((address, int(local[9:], 16)))
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[Hospital]:
    with hospital(own_network()) as started:
        yield started
        complaints = "".join(file.read_text() for file in sorted(started.certificates.glob("*.stderr")))
    assert complaints == ""


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


# ------------------------------------------------------------------------------------------------------------ DICOM


def client_context(running: Hospital, *, client_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=running.certificates / "authority.pem")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if client_certificate:
        context.load_cert_chain(running.certificates / "client.pem")
    return context


def dicom_server(asset: SimulatedAsset) -> DicomServer:
    return next(server for server in asset.servers if isinstance(server, DicomServer))


@contextmanager
def associated(
    running: Hospital,
    asset_id: str,
    *,
    calling: str = STRANGER,
    called: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Association]:
    """An association, or what became of the request for it; released at the end where it is established."""
    asset = running.asset(asset_id)
    server = dicom_server(asset)
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = LIMIT_S
    for sop_class in (Verification, FIND, GET, CTImageStorage):
        entity.add_requested_context(sop_class)
    if server.tls is not None and tls is None:
        tls = client_context(running)
    association = entity.associate(
        asset.address, server.port, ae_title=called or server.ae_title, tls_args=(tls, asset.address) if tls else None
    )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def rejection(association: Association) -> tuple[int, int, int] | None:
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    if not association.is_rejected:
        return None
    answer = association.acceptor.primitive
    return answer.result, answer.result_source, answer.diagnostic


def accepted(association: Association) -> set[str]:
    return {context.abstract_syntax for context in association.accepted_contexts}


def study_keys(**values: str) -> Dataset:
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY"
    keys.StudyInstanceUID = ""
    for keyword, value in values.items():
        setattr(keys, keyword, value)
    return keys


def queried(association: Association, keys: Dataset) -> tuple[list[int | None], list[Dataset]]:
    """The statuses that came, None for none, and the identifiers."""
    answers = list(association.send_c_find(keys, FIND))
    return [status.get("Status") for status, _ in answers], [found for _, found in answers if found is not None]


@pytest.mark.parametrize(
    ("asset_id", "wrong_called", "calling", "expected"),
    [
        ("arc-open", False, STRANGER, None),
        ("arc-open", True, STRANGER, None),
        ("arc-checked", False, STRANGER, (1, 1, 3)),
        ("arc-checked", False, "CT_ROOM_1", None),
        ("arc-checked", True, "CT_ROOM_1", (1, 1, 7)),
        ("arc-tls-expired", True, STRANGER, None),
        ("arc-called", False, STRANGER, None),
        ("arc-called", True, STRANGER, (1, 1, 7)),
        ("arc-norights", True, STRANGER, None),
        ("arc-ignores-keys", True, STRANGER, None),
        ("ws-1", True, STRANGER, None),
    ],
)
def test_association_requests_are_judged_as_claimed(
    running: Hospital, asset_id: str, wrong_called: bool, calling: str, expected: tuple[int, int, int] | None
) -> None:
    called = "NOBODY" if wrong_called else None
    with associated(running, asset_id, calling=calling, called=called) as association:
        assert rejection(association) == expected
        assert association.is_established == (expected is None)


@pytest.mark.parametrize(
    ("asset_id", "contexts"),
    [
        ("arc-open", {Verification, FIND, GET, CTImageStorage}),
        ("arc-tls-expired", {Verification, FIND, GET}),
        ("arc-called", {Verification, FIND, GET}),
        ("arc-norights", {Verification, FIND, GET}),
        ("arc-ignores-keys", {Verification, FIND}),
        ("ws-1", {Verification, CTImageStorage}),
    ],
)
def test_contexts_offered_to_a_stranger_and_echo(running: Hospital, asset_id: str, contexts: set[str]) -> None:
    with associated(running, asset_id) as association:
        assert accepted(association) == contexts
        assert association.send_c_echo().Status == 0x0000


@pytest.mark.parametrize("asset_id", ["arc-open", "arc-tls-expired", "arc-called"])
def test_query_for_nobodys_study_succeeds_with_nothing(running: Hospital, asset_id: str) -> None:
    with associated(running, asset_id) as association:
        assert queried(association, study_keys(StudyInstanceUID=NOBODYS_STUDY)) == ([0x0000], [])


def test_query_without_rights_is_aborted(running: Hospital) -> None:
    with associated(running, "arc-norights") as association:
        assert queried(association, study_keys(StudyInstanceUID=NOBODYS_STUDY)) == ([None], [])
        until(lambda: association.is_aborted)


def test_ignored_keys_return_every_study_and_an_abort_harms_nobody(running: Hospital) -> None:
    with associated(running, "arc-ignores-keys") as association:
        statuses, found = queried(association, study_keys(StudyInstanceUID=NOBODYS_STUDY))
    assert statuses == [0xFF00] * 40 + [0x0000]
    assert {str(study.PatientName)[:15] for study in found} == {"SYNTHETIC^DEMO^"}

    with associated(running, "arc-ignores-keys") as association:
        status, _ = next(association.send_c_find(study_keys(StudyInstanceUID=NOBODYS_STUDY), FIND))
        assert status.Status == 0xFF00
        association.abort()
    with associated(running, "arc-ignores-keys") as association:
        assert association.send_c_echo().Status == 0x0000


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, 40),
        ({"PatientName": "SYNTHETIC^DEMO^000?"}, 9),
        ({"PatientName": "SYNTHETIC^DEMO^[0]*"}, 0),
        ({"PatientID": "SYNTHETIC-0007"}, 1),
        ({"StudyDate": "20010101-20010131", "PatientName": ""}, 3),
        ({"StudyDate": "-20011231"}, 40),
        ({"StudyDate": "18000101"}, 0),
        ({"ModalitiesInStudy": "CT"}, 10),
    ],
)
def test_query_of_the_open_archive_matches_its_keys(running: Hospital, keys: dict[str, str], expected: int) -> None:
    with associated(running, "arc-open") as association:
        statuses, found = queried(association, study_keys(**keys))
    assert len(found) == expected
    assert statuses[-1] == 0x0000
    assert all(set(keys) <= {element.keyword for element in study} for study in found)


def test_query_by_a_list_of_uids(running: Hospital) -> None:
    with associated(running, "arc-open") as association:
        _, everything = queried(association, study_keys())
        uids = {str(study.StudyInstanceUID) for study in everything[:3]}
        _, found = queried(association, study_keys(StudyInstanceUID="\\".join(uids)))
    assert {str(study.StudyInstanceUID) for study in found} == uids


def test_query_at_another_level_is_refused(running: Hospital) -> None:
    with associated(running, "arc-open") as association:
        keys = study_keys()
        keys.QueryRetrieveLevel = "SERIES"
        assert queried(association, keys) == ([0xA900], [])


def test_modality_takes_one_association_at_a_time(running: Hospital) -> None:
    with when_free(running, "mod-ct-single") as first:
        assert accepted(first) == {Verification}
        with associated(running, "mod-ct-single") as second:
            assert rejection(second) == (2, 3, 2)
        assert first.send_c_echo().Status == 0x0000
    with when_free(running, "mod-ct-single") as third:
        assert third.send_c_echo().Status == 0x0000


@contextmanager
def when_free(running: Hospital, asset_id: str) -> Iterator[Association]:
    """An association with a device that may still be busy letting go of the one before."""
    with ExitStack() as stack:
        tried: list[Association] = []

        def is_established() -> bool:
            tried.append(stack.enter_context(associated(running, asset_id)))
            return bool(tried[-1].is_established)

        until(is_established)
        yield tried[-1]


# -------------------------------------------------------------------------------------------------------------- TLS


def handshake(address: str, port: int, context: ssl.SSLContext) -> tuple[str | None, x509.Certificate]:
    with (
        socket.create_connection((address, port), LIMIT_S) as plain,
        context.wrap_socket(plain, server_hostname=address) as secured,
    ):
        presented = secured.getpeercert(binary_form=True)
        assert presented is not None
        return secured.version(), x509.load_der_x509_certificate(presented)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_expired_certificate_on_current_tls(running: Hospital, version: ssl.TLSVersion) -> None:
    asset = running.asset("arc-tls-expired")
    context = client_context(running)
    context.minimum_version = context.maximum_version = version
    with associated(running, asset.id, tls=context) as association:
        assert association.send_c_echo().Status == 0x0000

    context.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(asset.address, asset.ports[0], context)
    assert caught.value.verify_code == 10  # X509_V_ERR_CERT_HAS_EXPIRED


@pytest.mark.parametrize("asset_id", ["arc-checked", "viewer-login", "viewer-spa"])
def test_https_certificates_are_good_for_who_trusts_the_authority(running: Hospital, asset_id: str) -> None:
    context = ssl.create_default_context(cafile=running.certificates / "authority.pem")
    version, _ = handshake(running.asset(asset_id).address, 8443, context)
    assert version == "TLSv1.3"


def test_obsolete_tls_is_refused_where_it_is_not_claimed(running: Hospital) -> None:
    with pytest.raises(ssl.SSLError):
        handshake(running.asset("arc-mtls").address, 2762, obsolete_context(running))


def obsolete_context(running: Hospital) -> ssl.SSLContext:
    context = client_context(running)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


@pytest.mark.skipif(not ssl.HAS_TLSv1, reason="this OpenSSL cannot speak TLS 1.0, so neither can the hospital")
def test_old_modality_speaks_tls_1_0_under_a_wrong_name(running: Hospital) -> None:
    version, certificate = handshake(running.asset("mod-old-tls").address, 2762, obsolete_context(running))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert version == "TLSv1"
    assert names.get_values_for_type(x509.DNSName) == ["ct.vendor-factory.example"]
    assert names.get_values_for_type(x509.IPAddress) == []
    assert certificate.issuer == certificate.subject


def test_old_modality_echoes_over_tls_1_2(running: Hospital) -> None:
    with associated(running, "mod-old-tls") as association:
        assert accepted(association) == {Verification}
        assert association.send_c_echo().Status == 0x0000


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_is_demanded(running: Hospital, version: ssl.TLSVersion) -> None:
    asset = running.asset("arc-mtls")
    without = client_context(running)
    without.minimum_version = without.maximum_version = version
    # Under TLS 1.3 the alert comes only after the handshake, with the first read (RFC 8446 4.4.2.4).
    with (
        socket.create_connection((asset.address, 2762), LIMIT_S) as plain,
        pytest.raises(ssl.SSLError, match="alert"),
        without.wrap_socket(plain, server_hostname=asset.address) as secured,
    ):
        secured.recv(1)

    having = client_context(running, client_certificate=True)
    having.minimum_version = having.maximum_version = version
    with associated(running, asset.id, tls=having) as association:
        assert association.send_c_echo().Status == 0x0000


def test_the_two_vendor_viewers_share_one_key(running: Hospital) -> None:
    keys = {
        asset_id: handshake(running.asset(asset_id).address, 8443, client_context(running))[1].public_key()
        for asset_id in ("viewer-login", "viewer-spa", "arc-checked")
    }
    assert keys["viewer-login"] == keys["viewer-spa"]
    assert keys["viewer-login"] != keys["arc-checked"]


# -------------------------------------------------------------------------------------------------------------- web


def get(running: Hospital, asset_id: str, path: str) -> httpx.Response:
    """One GET as it is answered: certificate verified, no redirect followed, no proxy of the environment."""
    asset = running.asset(asset_id)
    context = ssl.create_default_context(cafile=running.certificates / "authority.pem")
    origin = f"https://{asset.address}:8443" if 8443 in asset.ports else f"http://{asset.address}:8088"
    with httpx.Client(verify=context, trust_env=False, timeout=LIMIT_S) as client:
        return client.get(origin + path)


@pytest.mark.parametrize("asset_id", ["arc-open", "viewer-open"])
def test_open_archives_answer_the_canary_with_nothing_and_unknown_paths_with_404(
    running: Hospital, asset_id: str
) -> None:
    canary = get(running, asset_id, f"/dicom-web/studies/{NOBODYS_STUDY}/series?limit=1")
    assert (canary.status_code, canary.headers["content-type"], canary.content) == (
        200,
        "application/dicom+json",
        b"[]",
    )
    for path in (
        "/dicom-web/nothing",
        f"/dicom-web/nothing/{NOBODYS_STUDY}/series?limit=1",
        "/dicom-web/studies//series",
    ):
        assert get(running, asset_id, f"/dicom-web/{path}").status_code == 404


def test_open_archive_finds_its_studies(running: Hospital) -> None:
    assert len(get(running, "arc-open", "/dicom-web/studies").json()) == 40
    (study,) = get(running, "arc-open", "/dicom-web/studies?PatientID=SYNTHETIC-0007&limit=5").json()
    uid = study["0020000D"]["Value"][0]
    (series,) = get(running, "arc-open", f"/dicom-web/studies/{uid}/series?limit=1").json()
    assert series["0020000D"]["Value"] == [uid]
    assert study["00100010"]["Value"] == [{"Alphabetic": "SYNTHETIC^DEMO^0007"}]


def test_open_archive_answers_any_origin(running: Hospital) -> None:
    assert get(running, "arc-open", "/dicom-web/studies?limit=1").headers["access-control-allow-origin"] == "*"


def test_checked_archive_asks_for_a_password_on_every_path(running: Hospital) -> None:
    for path in ("/", "/dicom-web", f"/dicom-web/studies/{NOBODYS_STUDY}/series?limit=1", "/nothing"):
        answer = get(running, "arc-checked", path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic realm=")


def test_viewer_with_a_login_leads_everything_to_its_form(running: Hospital) -> None:
    for path in ("/", "/viewer/", "/dicom-web/studies?limit=1"):
        answer = get(running, "viewer-login", path)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("/login?next=")
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    form = get(running, "viewer-login", "/login")
    assert form.status_code == 200
    assert 'type="password"' in form.text
    assert form.headers["set-cookie"].endswith("Secure; HttpOnly; SameSite=Lax")


def test_viewer_without_a_login_shows_its_list(running: Hospital) -> None:
    page = get(running, "viewer-open", "/viewer/")
    assert page.status_code == 200
    assert page.text.count("SYNTHETIC^DEMO^") == 40
    assert page.headers["set-cookie"] == "JSESSIONID=simulated; Path=/viewer"


def test_single_page_viewer_has_a_public_shell_and_a_gated_archive(running: Hospital) -> None:
    shells = {get(running, "viewer-spa", path).content for path in ("/", "/viewer", "/any/thing")}
    assert len(shells) == 1
    assert b'<div id="root"></div>' in shells.pop()
    gated = get(running, "viewer-spa", f"/dicom-web/studies/{NOBODYS_STUDY}/series?limit=1")
    assert gated.status_code == 401
    assert gated.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("asset_id", ["viewer-login", "arc-tls-expired", "viewer-open"])
def test_a_silent_client_holds_nobody_for_long(running: Hospital, asset_id: str) -> None:
    asset = running.asset(asset_id)
    with socket.create_connection((asset.address, asset.ports[0]), LIMIT_S):
        if asset_id == "arc-tls-expired":
            with associated(running, asset_id) as association:
                assert association.send_c_echo().Status == 0x0000
        else:
            assert get(running, asset_id, "/").status_code == 302


# ------------------------------------------------------------------------------------------------------ the network


def test_exactly_the_claimed_ports_listen_on_loopback(running: Hospital) -> None:
    claimed = {(asset.address, port) for asset in running.assets for port in asset.ports}
    assert len(claimed) == 16
    assert listening_in(own_network()) == claimed


def test_switched_off_gateway_refuses(running: Hospital) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((running.asset("gw-off").address, 11112), LIMIT_S)


def test_database_says_nothing_and_hangs_up_on_strangers(running: Hospital) -> None:
    with socket.create_connection((running.asset("ws-1").address, 1521), LIMIT_S) as connection:
        connection.sendall(b"not its protocol")
        assert connection.recv(64) == b""


def test_another_protocol_at_any_port_harms_nobody(running: Hospital) -> None:
    for asset in running.assets:
        for port in asset.ports:
            with socket.create_connection((asset.address, port), LIMIT_S) as connection:
                connection.sendall(b"\x16\x03\x01\x00\x05hello")
                connection.shutdown(socket.SHUT_WR)
                until(lambda connection=connection: hung_up(connection))  # type: ignore[misc]
    for asset_id in ("arc-open", "arc-tls-expired"):
        with associated(running, asset_id) as association:
            assert association.send_c_echo().Status == 0x0000
    assert get(running, "viewer-login", "/login").status_code == 200


def hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(4096) == b""
    except ConnectionResetError:
        return True


# ---------------------------------------------------------------------------------------------- inventory and house


def test_inventory_declares_each_asset_where_it_is(running: Hospital) -> None:
    inventory = yaml.safe_load(running.inventory.read_text(encoding="utf-8"))
    declared = {asset["id"]: asset for asset in inventory["assets"]}
    assert list(declared) == [asset.id for asset in running.assets]
    for asset in running.assets:
        entry = declared[asset.id]
        assert (entry["address"], entry["role"]) == (asset.address, asset.role.value)
        titles = {service["ae_title"] for service in entry["services"] if "ae_title" in service}
        real = {server.ae_title for server in asset.servers if isinstance(server, DicomServer)}
        assert titles == (real or titles)
        for service in entry["services"]:
            if "url" in service:
                url = httpx.URL(service["url"])
                assert (url.host, url.port in asset.ports) == (asset.address, True)
                assert (url.scheme == "https") == (url.port == 8443)
            elif asset.servers:
                assert service["port"] in asset.ports


def test_default_inventory_is_the_packaged_one() -> None:
    packaged = Path(__file__).parents[2] / "checker" / "demo" / "demo.yaml"
    inventory = yaml.safe_load(packaged.read_text(encoding="utf-8"))
    assert inventory["owned_networks"] == [DEFAULT_NETWORK]
    assert (Path(__file__).parents[2] / "inventories" / "demo.yaml").resolve() == packaged.resolve()


def test_port_in_use_is_named_and_nothing_is_left_running() -> None:
    network = own_network(1)
    address = str(ip_network(network)[13])
    with socket.create_server((address, 2762)):
        with pytest.raises(UsageError, match=rf"{address} port 2762, which is in use"), hospital(network):
            pytest.fail("the hospital started all the same")
        assert listening_in(network) == {(address, 2762)}


@pytest.mark.parametrize("network", ["10.77.0.0/24", "127.0.0.0/16"])
def test_only_small_loopback_networks_will_do(network: str) -> None:
    with pytest.raises(UsageError, match="loopback network of 256 addresses"), hospital(network):
        pytest.fail("the hospital started all the same")


def test_missing_loopback_address_tells_what_to_do() -> None:
    assert "sudo ifconfig lo0 alias 127.77.0.11 up" in _refusal("127.77.0.11", 11112, EADDRNOTAVAIL, "x")
    assert _refusal("127.77.0.11", 11112, EACCES, "Permission denied").endswith("port 11112: Permission denied")


def test_end_of_the_context_leaves_nothing() -> None:
    network = own_network(2)
    with hospital(network) as started:
        folder = started.certificates
        assert listening_in(network)
    assert not folder.exists()
    assert listening_in(network) == set()


@pytest.mark.parametrize("quiet", [False, True])
def test_demo_runs_the_ordinary_check_while_the_hospital_is_open(
    quiet: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = own_network(2)
    seen: list[str] = []

    def command(arguments: Sequence[str]) -> int:
        seen.extend(arguments)
        assert listening_in(network)
        assert own_inventory_networks(Path(arguments[1])) == [network]
        return 3

    assert main(tmp_path, quiet, command, network=network) == 3

    assert seen[:1] + seen[2:] == ["check", "--output", str(tmp_path), "--vantage", "local", *["--quiet"] * quiet]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("simulated hospital of 14 assets" in printed.err) != quiet
    assert listening_in(network) == set()


def own_inventory_networks(inventory: Path) -> list[str]:
    networks = yaml.safe_load(inventory.read_text(encoding="utf-8"))["owned_networks"]
    return [str(network) for network in networks]


def test_killed_parent_leaves_nothing() -> None:
    network = own_network(3)
    program = (
        "import sys\nfrom checker.demo import hospital\n"
        f"with hospital({network!r}) as started:\n"
        "    print(started.certificates, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().strip())
        assert folder.is_dir()
        assert listening_in(network)
        parent.send_signal(signal.SIGKILL)
    until(lambda: listening_in(network) == set())
    until(lambda: not folder.exists())
