"""The rules about versions, suites and profiles, on what the TLS probe saw of real servers: each judged as it is."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

import pytest

from checker.model import AssetManners, Depth, Facts, HandshakeFacts, Status, TlsFacts
from checker.plan import TLS_FULL_CONNECTIONS
from checker.probes.tls import probe_tls
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.examples import service_case
from checker.rules.examples_tls import tls_archive
from tests.codecs import tls_flights
from tests.live.certificates import HOSTS, Authority, TlsFiles
from tests.live.servers.dcmtk import TlsProfile, storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx import nginx
from tests.live.servers.openssl import s_server
from tests.live.talking import QUICK, talking
from tests.live.test_tls_probe import Answer, Server, scripted

pytestmark = pytest.mark.live

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
RULES = {entry.id: entry.rule for entry in catalogue()}
AEAD = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("tls-rules"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    return authority.valid()


@pytest.fixture(scope="module")
def elliptic(authority: Authority) -> TlsFiles:
    return authority.elliptic()


def visited(server: AbstractContextManager[Server]) -> tuple[Facts, ...]:
    """All that one visit of a server's TLS brought."""
    with server as running, talking(running.host, running.port, manners=QUICK) as session:
        asyncio.run(probe_tls(session.talk, server_name=HOSTS[1], names=(HOSTS[1],)))
    assert session.of(TlsFacts)
    return tuple(session.facts)


def surveyed(server: AbstractContextManager[Server]) -> tuple[Facts, ...]:
    """All that one visit at full depth brought."""
    manners = AssetManners(gap_s=QUICK.gap_s, max_connections=TLS_FULL_CONNECTIONS)
    with server as running, talking(running.host, running.port, manners=manners) as session:
        asyncio.run(
            probe_tls(
                session.talk,
                server_name=HOSTS[1],
                names=(HOSTS[1],),
                depth=Depth.FULL,
                most=TLS_FULL_CONNECTIONS,
            )
        )
    assert [facts.depth for facts in session.of(TlsFacts)] == [Depth.FULL]
    return tuple(session.facts)


def judged(rule: str, facts: tuple[Facts, ...], profile: str | None = None) -> Verdict:
    return RULES[f"tls.{rule}"].judge(service_case(tls_archive(profile=profile), *facts))


def told(verdict: Verdict, key: str) -> list[str]:
    """A list of the evidence."""
    items = verdict.evidence[key]
    assert isinstance(items, list)
    return [str(item) for item in items]


def statuses(facts: tuple[Facts, ...]) -> dict[str, Status]:
    rules = (
        "obsolete-protocol", "broken-cipher", "weak-cipher", "weak-group", "compression", "insecure-renegotiation",
        "post-quantum-ready", "dicom-profile",
    )  # fmt: skip
    return {rule: judged(rule, facts).status for rule in rules}


# ------------------------------------------------------------------------------------------------------- whole verdicts


def test_what_is_taken_with_encrypt_then_mac_alone_is_found(files: TlsFiles) -> None:
    versions = "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0"
    facts = visited(gnutls_serv(files, priority=f"NORMAL:{versions}:-RSA:%FORCE_ETM"))
    assert judged("obsolete-protocol", facts).evidence["accepted"] == ["TLS 1.0", "TLS 1.1"]
    weak = judged("weak-cipher", facts)
    assert (weak.status, judged("dicom-profile", facts).status) == (FAIL, FAIL)
    assert "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA (CBC)" in weak.summary


@pytest.mark.parametrize("end", [Answer(bytes.fromhex("15 0301 0002 02 28")), Answer(b""), Answer(b"", resets=True)])
@pytest.mark.parametrize("answered", [2, 5])
def test_a_server_that_is_weary_passes_nothing(answered: int, end: Answer) -> None:
    # TLS 1.2 twice; then refusals of whatever comes, and it may be an end that says nothing.
    spoken, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(bytes.fromhex("15 0301 0002 02 28"))
    facts = visited(scripted([spoken, spoken, *[refusal] * answered, end]))
    assert PASS not in statuses(facts).values()


def test_a_server_as_b12_wants_it_passes_all_but_what_nobody_asked(files: TlsFiles) -> None:
    found = statuses(visited(s_server(files, ciphers=AEAD)))
    del found["post-quantum-ready"]  # OpenSSL has had ML-KEM since 3.5
    assert found == {
        "obsolete-protocol": PASS,
        "broken-cipher": PASS,
        "weak-cipher": PASS,
        "weak-group": UNKNOWN,
        "compression": PASS,
        "insecure-renegotiation": PASS,
        "dicom-profile": PASS,
    }


def test_tls_1_3_alone_has_no_weak_suite_and_no_peer_of_b12(files: TlsFiles) -> None:
    found = statuses(visited(s_server(files, versions=("tls1_3",))))
    assert found.pop("dicom-profile") is FAIL
    assert found.pop("post-quantum-ready") is not UNKNOWN
    assert set(found.values()) == {PASS}


def test_a_suite_without_forward_secrecy_behind_better_ones(files: TlsFiles) -> None:
    facts = visited(s_server(files, ciphers=f"{AEAD}:AES128-GCM-SHA256"))
    assert statuses(facts)["broken-cipher"] is PASS
    for rule in ("weak-cipher", "dicom-profile"):
        verdict = judged(rule, facts)
        assert verdict.status is FAIL
        assert "TLS_RSA_WITH_AES_128_GCM_SHA256" in verdict.summary


def test_obsolete_versions_of_which_broken_suites_were_not_asked(files: TlsFiles) -> None:
    found = statuses(visited(gnutls_serv(files, priority="NORMAL:+VERS-TLS1.0:%COMPAT")))
    assert found["obsolete-protocol"] is FAIL
    assert found["broken-cipher"] is UNKNOWN


# ------------------------------------------------------------------------------------------------- profiles of storescp


@pytest.mark.parametrize(
    ("option", "declared", "expected"),
    [
        ("+py", "B.12", PASS),
        ("+py", "B.9", PASS),
        ("+py", "B.10", UNKNOWN),
        ("+py", "B.13", UNKNOWN),
        ("+pz", "B.11", UNKNOWN),
        ("+pz", "B.13", FAIL),
        ("+px", "B.9", UNKNOWN),
        ("+px", "B.12", FAIL),
        ("+pa", "B.3", UNKNOWN),
        ("+pa", "B.12", FAIL),
        ("+pn", "B.9", FAIL),
        ("+pn", "B.12", FAIL),
    ],
)
def test_what_storescp_is_consistent_with(files: TlsFiles, option: TlsProfile, declared: str, expected: Status) -> None:
    facts = visited(storescp(tls=files, profile=option))
    assert judged("dicom-profile", facts, declared).status is expected


def test_what_is_missing_and_what_is_too_much_is_told(files: TlsFiles) -> None:
    verdict = judged("dicom-profile", visited(storescp(tls=files, profile="+pn")), "B.13")
    assert verdict.evidence["missing"] == ["TLS 1.3"]
    assert verdict.evidence["too_much"] == ["TLS 1.0", "TLS 1.1", "TLS_RSA_WITH_NULL_SHA"]


# ----------------------------------------------------------------------------------------------------------- full depth

MODERN = "ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; ssl_ecdh_curve prime256v1:secp384r1;"
OLD_CBC = "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
AES_1_3 = "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256;"


def https(settings: str, tls: TlsFiles) -> AbstractContextManager[Server]:
    return nginx(settings, tls=tls)


def dual(elliptic: TlsFiles) -> str:
    """The settings of nginx for a second certificate beside that of its files."""
    return f"ssl_certificate {elliptic.certificate}; ssl_certificate_key {elliptic.key};"


def test_aes_gcm_on_nist_curves_is_consistent_with_sp800_52r2(files: TlsFiles) -> None:
    facts = surveyed(https(f"{MODERN} {AES_1_3} ssl_ciphers {AEAD};", files))
    verdict = judged("sp800-52r2", facts)
    assert (verdict.status, verdict.evidence["not_shown"]) == (PASS, [])
    assert verdict.evidence["whole_lists"] == ["TLS 1.2", "TLS 1.3"]
    without = tuple(one for one in facts if not isinstance(one, HandshakeFacts))
    assert judged("sp800-52r2", without).status is PASS  # full depth saw the certificate as well


def test_cbc_with_encrypt_then_mac_is_consistent_with_sp800_52r2(files: TlsFiles) -> None:
    settings = f"{MODERN} {AES_1_3} ssl_ciphers {AEAD}:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA;"
    verdict = judged("sp800-52r2", surveyed(https(settings, files)))
    assert (verdict.status, told(verdict, "not_shown")) == (PASS, [])


def test_what_openssl_takes_unasked_is_not_all_on_the_lists_of_sp800_52r2(files: TlsFiles) -> None:
    verdict = judged("sp800-52r2", surveyed(s_server(files, ciphers=AEAD)))
    assert (verdict.status, verdict.evidence["too_much"]) == (FAIL, ["TLS_CHACHA20_POLY1305_SHA256"])


def test_cbc_beside_is_advised_against_by_b12_and_full_depth_decides_it(files: TlsFiles) -> None:
    settings = f"{MODERN} ssl_ciphers {AEAD}:ECDHE-RSA-AES128-SHA256;"
    assert judged("dicom-profile", visited(https(settings, files)), "B.12").status is UNKNOWN
    verdict = judged("dicom-profile", surveyed(https(settings, files)), "B.12")
    assert (verdict.status, verdict.evidence["discouraged"]) == (PASS, ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"])


def test_tls_1_3_alone_is_consistent_with_sp800_52r2(files: TlsFiles) -> None:
    settings = f"ssl_protocols TLSv1.3; ssl_ecdh_curve X25519:prime256v1; {AES_1_3}"
    assert judged("sp800-52r2", surveyed(https(settings, files))).status is PASS


@pytest.mark.parametrize(
    ("settings", "missing", "too_much"),
    [
        (f"{MODERN} ssl_ciphers {AEAD};", [], ["TLS_CHACHA20_POLY1305_SHA256"]),
        (
            f"{MODERN} {AES_1_3} ssl_ciphers {AEAD}:ECDHE-RSA-CAMELLIA128-SHA256:AES128-GCM-SHA256;",
            [],
            ["TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"],
        ),
        (
            f"ssl_protocols TLSv1.2 TLSv1.3; {AES_1_3} ssl_ciphers {AEAD}; ssl_ecdh_curve X25519;",
            ["secp256r1 or secp384r1"],
            [],
        ),
        (f"ssl_protocols TLSv1.2; ssl_ciphers {AEAD}; ssl_ecdh_curve prime256v1;", ["TLS 1.3"], []),
        (
            f"ssl_protocols TLSv1 TLSv1.3; {AES_1_3} ssl_ecdh_curve prime256v1; ssl_ciphers {OLD_CBC};",
            [],
            ["TLS 1.0"],
        ),
    ],
)
def test_what_sp800_52r2_misses_and_has_too_much(
    files: TlsFiles, settings: str, missing: list[str], too_much: list[str]
) -> None:
    verdict = judged("sp800-52r2", surveyed(https(settings, files)))
    assert verdict.status is FAIL
    assert verdict.evidence["missing"] == missing
    assert set(told(verdict, "too_much")) == set(too_much)


def test_policy_depth_does_not_decide_sp800_52r2(files: TlsFiles) -> None:
    assert judged("sp800-52r2", visited(https(f"{MODERN} {AES_1_3} ssl_ciphers {AEAD};", files))).status is UNKNOWN


def test_a_key_of_1024_bits_is_not_consistent_with_sp800_52r2(authority: Authority) -> None:
    facts = surveyed(https(f"{MODERN} {AES_1_3} ssl_ciphers {AEAD}:@SECLEVEL=0;", authority.weak_key()))
    assert judged("sp800-52r2", facts).evidence["too_much"] == ["a certificate with an RSA key of 1024 bits"]


@pytest.mark.parametrize(
    ("prefer", "ciphers", "expected"),
    [
        ("on", f"{AEAD}:ECDHE-RSA-AES128-SHA256:AES128-SHA", PASS),
        ("off", f"{AEAD}:ECDHE-RSA-AES128-SHA256:AES128-SHA", FAIL),
        ("off", AEAD, PASS),
        ("off", "ECDHE-RSA-AES128-SHA256", PASS),
    ],
)
def test_whose_order_nginx_goes_by(files: TlsFiles, prefer: str, ciphers: str, expected: Status) -> None:
    settings = f"ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers {prefer}; ssl_ciphers {ciphers};"
    verdict = judged("server-order", surveyed(https(settings, files)))
    assert verdict.status is expected, verdict


def test_a_weak_suite_that_the_server_puts_first_is_told(files: TlsFiles) -> None:
    settings = f"ssl_protocols TLSv1.2; ssl_prefer_server_ciphers on; ssl_ciphers AES128-SHA:{AEAD};"
    verdict = judged("server-order", surveyed(https(settings, files)))
    assert (verdict.status, verdict.evidence["weak_first"]) == (PASS, True)


B13_NAMES = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES256-CCM8"
    ":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES128-CCM8"
)
B13_NEWEST = (
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256"
    ":TLS_AES_128_CCM_8_SHA256"
)
B13 = f"{MODERN} ssl_conf_command Ciphersuites {B13_NEWEST}; ssl_ciphers {B13_NAMES}:@SECLEVEL=0;"


def test_b13_with_keys_of_both_kinds_is_decided(files: TlsFiles, elliptic: TlsFiles) -> None:
    verdict = judged("dicom-profile", surveyed(https(B13 + dual(elliptic), files)), "B.13")
    assert (verdict.status, verdict.evidence["not_shown"]) == (PASS, []), verdict


def test_b13_with_an_rsa_key_alone_leaves_the_suites_of_ecdsa_open(files: TlsFiles) -> None:
    verdict = judged("dicom-profile", surveyed(https(B13, files)), "B.13")
    assert verdict.status is UNKNOWN
    assert len(told(verdict, "not_shown")) == 7
    assert all("no ECDSA key was seen" in item for item in told(verdict, "not_shown"))


def test_what_b13_misses_and_has_too_much(files: TlsFiles, elliptic: TlsFiles) -> None:
    settings = f"{MODERN} ssl_ciphers {AEAD}:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ARIA128-GCM-SHA256;"
    verdict = judged("dicom-profile", surveyed(https(settings + dual(elliptic), files)), "B.13")
    assert verdict.status is FAIL
    assert verdict.evidence["too_much"] == ["TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"]
    assert set(told(verdict, "missing")) == {
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    }


@pytest.mark.parametrize(
    ("option", "declared", "expected"),
    [
        ("+py", "B.12", PASS),
        ("+py", "B.10", PASS),
        ("+py", "B.13", FAIL),
        ("+pz", "B.11", PASS),
        ("+pz", "B.12", PASS),
        ("+px", "B.9", PASS),
        ("+px", "B.11", FAIL),
        ("+pa", "B.3", FAIL),  # an OpenSSL without 3DES, as Debian's
    ],
)
def test_what_storescp_is_consistent_with_at_full_depth(
    files: TlsFiles, option: TlsProfile, declared: str, expected: Status
) -> None:
    verdict = judged("dicom-profile", surveyed(storescp(tls=files, profile=option)), declared)
    assert verdict.status is expected, verdict
