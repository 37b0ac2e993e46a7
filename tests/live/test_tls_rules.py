"""The rules about versions, suites and profiles, on what the TLS probe saw of real servers: each judged as it is."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

import pytest

from checker.model import Facts, Status, TlsFacts
from checker.probes.tls import probe_tls
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.examples import service_case
from checker.rules.examples_tls import tls_archive
from tests.codecs import tls_flights
from tests.live.certificates import HOSTS, Authority, TlsFiles
from tests.live.servers.dcmtk import TlsProfile, storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.openssl import s_server
from tests.live.talking import QUICK, talking
from tests.live.test_tls_probe import Answer, Server, scripted

pytestmark = pytest.mark.live

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
RULES = {entry.id: entry.rule for entry in catalogue()}
AEAD = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return Authority.create(tmp_path_factory.mktemp("tls-rules")).valid()


def visited(server: AbstractContextManager[Server]) -> tuple[Facts, ...]:
    """All that one visit of a server's TLS brought."""
    with server as running, talking(running.host, running.port, manners=QUICK) as session:
        asyncio.run(probe_tls(session.talk, server_name=HOSTS[1], names=(HOSTS[1],)))
    assert session.of(TlsFacts)
    return tuple(session.facts)


def judged(rule: str, facts: tuple[Facts, ...], profile: str | None = None) -> Verdict:
    return RULES[f"tls.{rule}"].judge(service_case(tls_archive(profile=profile), *facts))


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
