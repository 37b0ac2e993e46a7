"""TLS at full depth against real servers: what they are configured to accept is what is found, and what it costs."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from checker.codecs.tls_full import ROOM, families, listed_suites, needs_curve
from checker.codecs.tls_hello import Version as Code
from checker.codecs.tls_listing import Listing
from checker.model import (
    Acceptance,
    AssetManners,
    Depth,
    GroupFacts,
    HandshakeFacts,
    OfferFacts,
    TlsFacts,
    TlsOffer,
    VersionFacts,
)
from checker.plan import TLS_CONNECTIONS, TLS_FULL_CONNECTIONS
from checker.probes.tls import probe_tls
from checker.probes.tls_full import FullDepth
from checker.probes.tls_hellos import Hellos
from tests.codecs import tls_flights, tls_oracle
from tests.live.certificates import HOSTS, Authority, TlsFiles
from tests.live.checking import check, command, environment, inventory
from tests.live.servers.dcmtk import storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx import nginx
from tests.live.servers.openssl import s_server
from tests.live.servers.process import require
from tests.live.servers.pyopenssl import pyopenssl
from tests.live.talking import QUICK, Session, talking
from tests.live.test_tls_probe import Answer, Server, scripted

pytestmark = pytest.mark.live

HOST = HOSTS[1]
OLD = ("TLS 1.0", "TLS 1.1", "TLS 1.2")
FLAGS = {"TLS 1.0": "-tls1", "TLS 1.1": "-tls1_1", "TLS 1.2": "-tls1_2"}
TLS_1_3 = (0x1301, 0x1302, 0x1303)
# What a whole survey takes besides two for each version and one for each suite: SSLv2 and refused versions, two
# handshakes, fallback; suites of TLS 1.2 that one hello does not hold, twice; last refusals of groups and signatures.
CONSTANT = 5 + 2 + 1 + 2 + 3
HANDSHAKES = 2  # one that is refused is made once more, as any client makes it
HANDSHAKE_FAILURE = bytes.fromhex("15 0301 0002 02 28")
INTERNAL_ERROR = bytes.fromhex("15 0303 0002 02 50")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("tls-full"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    return authority.valid()


@pytest.fixture(scope="module")
def elliptic(authority: Authority) -> TlsFiles:
    return authority.elliptic()


def probe(server: Server, *, most: int = TLS_FULL_CONNECTIONS, budget: int = 400) -> Session:
    manners = AssetManners(gap_s=QUICK.gap_s, max_connections=budget)
    with talking(server.host, server.port, manners=manners) as session:
        asyncio.run(probe_tls(session.talk, server_name=HOST, names=(HOST,), depth=Depth.FULL, most=most))
    assert session.connections <= max(most, TLS_CONNECTIONS)
    return session


def tls(session: Session) -> TlsFacts:
    (facts,) = session.of(TlsFacts)
    assert facts.depth is Depth.FULL
    return facts


def accepted(session: Session) -> dict[str, VersionFacts]:
    return {facts.version: facts for facts in tls(session).versions if facts.acceptance is Acceptance.ACCEPTED}


def whole(session: Session) -> dict[str, set[int]]:
    """The suites by version; asserts that each list is complete and that it cost no more than it may."""
    found = accepted(session)
    assert all(facts.complete and facts.incomplete is None for facts in found.values()), found
    assert all(len(set(facts.suites)) == len(facts.suites) for facts in found.values())
    suites = sum(len(facts.suites) for facts in found.values())
    # Groups and signatures cost something only where there are more of them than suites to show them with.
    besides = sum(len(facts.groups) for facts in tls(session).groups)
    signatures = tls(session).signatures
    besides += 0 if signatures is None else len(signatures.schemes)
    assert session.connections <= suites + 2 * len(found) + besides + CONSTANT
    return {label: set(facts.suites) for label, facts in found.items()}


def groups(session: Session, label: str) -> GroupFacts:
    (facts,) = (facts for facts in tls(session).groups if facts.version == label)
    return facts


def openssl_ciphers(ciphers: str, label: str, *, without: Sequence[str]) -> tuple[int, ...]:
    """The code points that OpenSSL itself lists, but for those with such words in their names."""
    command = [require("openssl", "openssl"), "ciphers", "-V", "-s", FLAGS[label], ciphers]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split() for line in listed]
    return tuple(
        int(row[0].replace("0x", "").replace(",", ""), 16)
        for row in rows
        if not any(word in row[2] or word in " ".join(row[4:]) for word in without)
    )


# ---------------------------------------------------------------------------------------------------------- suites


@pytest.mark.parametrize("label", OLD)
def test_all_that_openssl_has_for_its_key_is_found(files: TlsFiles, label: str) -> None:
    ciphers = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
    version = {"TLS 1.0": "tls1", "TLS 1.1": "tls1_1", "TLS 1.2": "tls1_2"}[label]
    with s_server(files, versions=(version,), ciphers=ciphers) as server:  # type: ignore[arg-type]
        session = probe(server)
    expected = set(openssl_ciphers(ciphers, label, without=("ECDSA", "PSK", "SRP", "DSS")))
    assert whole(session) == {label: expected}
    assert accepted(session)[label].server_order is False
    assert {facts.offer for facts in tls(session).offers} >= {TlsOffer.BROKEN_SUITES}


def test_24_suites_of_nginx_in_its_order(files: TlsFiles) -> None:
    ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256"
    ciphers += ":ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:AES128-SHA:AES256-SHA"
    settings = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;"
    settings += f" ssl_ciphers {ciphers}:ECDHE-RSA-CHACHA20-POLY1305:@SECLEVEL=0; ssl_ecdh_curve X25519:prime256v1;"
    with nginx(settings, tls=files) as server:
        session = probe(server)
    found = whole(session)
    known = accepted(session)
    listed = openssl_ciphers(f"{ciphers}:ECDHE-RSA-CHACHA20-POLY1305:@SECLEVEL=0", "TLS 1.2", without=())
    assert known["TLS 1.2"].suites == listed
    old = openssl_ciphers(f"{ciphers}:@SECLEVEL=0", "TLS 1.0", without=())
    assert known["TLS 1.0"].suites == known["TLS 1.1"].suites == old
    assert found["TLS 1.3"] == set(TLS_1_3)
    assert [facts.server_order for facts in known.values()] == [True] * 4
    assert sum(map(len, found.values())) == 22
    assert groups(session, "TLS 1.3").groups == groups(session, "TLS 1.2").groups == (0x1D, 0x17)
    assert groups(session, "TLS 1.3").complete
    assert groups(session, "TLS 1.2").complete
    features = tls(session).features
    assert features is not None
    assert (features.extended_master_secret, features.session_ticket, features.encrypt_then_mac) == (True, True, True)
    assert (features.fallback_scsv, features.ocsp_stapled) == (True, False)
    assert features.resumption is True
    handshake = session.of(HandshakeFacts)[0]
    assert (handshake.alpn, handshake.alpn_offered[0]) == ("http/1.1", "dicom")
    # OpenSSL 3.0 at its level 0 signs by RSA with each of its hashes, and so does nginx with it.
    signatures = tls(session).signatures
    assert signatures is not None
    assert (signatures.complete, signatures.version) == (True, "TLS 1.2")
    assert set(signatures.schemes) == {0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0301, 0x0201}
    assert session.connections <= 48
    offers = {facts.offer: facts for facts in tls(session).offers if facts.version in ("TLS 1.2", "TLS 1.3")}
    assert offers[TlsOffer.BROKEN_SUITES].acceptance is Acceptance.REFUSED
    assert offers[TlsOffer.WEAK_SUITES].acceptance is Acceptance.ACCEPTED
    assert offers[TlsOffer.HYBRID_GROUPS].acceptance is Acceptance.REFUSED
    assert session.of(HandshakeFacts)[0].completed


def test_a_modern_server_costs_less_than_thirty(files: TlsFiles) -> None:
    ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
    with nginx(f"ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {ciphers};", tls=files) as server:
        session = probe(server)
    assert whole(session) == {"TLS 1.2": {0xC02F, 0xC030, 0xCCA8}, "TLS 1.3": set(TLS_1_3)}
    assert session.connections < 30
    refused = {(facts.offer, facts.acceptance) for facts in tls(session).offers}
    assert refused == {(offer, Acceptance.REFUSED) for offer in TlsOffer}
    assert groups(session, "TLS 1.2").groups == (0x1D, 0x17, 0x1E, 0x18, 0x19)[: len(groups(session, "TLS 1.2").groups)]


@pytest.mark.parametrize("profile", ["+px", "+pn"])
def test_the_profiles_of_dcmtk(files: TlsFiles, profile: str) -> None:
    with storescp(tls=files, profile=profile) as server:  # type: ignore[arg-type]
        session = probe(server)
    found = whole(session)
    if profile == "+pn":
        assert set(found) == set(OLD)
        assert all(suites == {0x0002} for suites in found.values())
        broken = [facts for facts in tls(session).offers if facts.offer is TlsOffer.BROKEN_SUITES]
        assert {(facts.version, facts.cipher_suite) for facts in broken} == {(label, 0x0002) for label in OLD}
    else:
        assert 0x002F in found["TLS 1.2"]
        assert found["TLS 1.3"] == set(TLS_1_3)
        assert 0x002F in accepted(session)["TLS 1.2"].suites


def test_all_of_gnutls(files: TlsFiles) -> None:
    # GnuTLS's own list of what the priority stands for.
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+3DES-CBC:+ARCFOUR-128"
    command = [require("gnutls-cli", "gnutls-bin"), "--list", "--priority", priority]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split("\t") for line in listed if line.startswith("TLS_")]
    codes = {int("".join(part.strip()[2:] for part in row[1].split(",")), 16) for row in rows if "ECDSA" not in row[0]}
    with gnutls_serv(files, priority=priority) as server:
        session = probe(server)
    assert whole(session) == {"TLS 1.2": codes}


def test_ssl_3_with_rc4_and_3des(files: TlsFiles) -> None:
    # Its module needs a library that warns when it is imported; the oracle has seen to that.
    assert tls_oracle.SUITE_NAMES
    from tests.live.servers.tlslite import tlslite

    with tlslite(files, ciphers=("rc4", "3des")) as server:
        session = probe(server)
    found = accepted(session)
    assert found["SSLv3"].complete
    # Asked for versions by name, this server says TLS 1.2 as well, and asked for TLS 1.2 it does not.
    assert not found["TLS 1.2"].complete
    assert found["TLS 1.2"].incomplete == "the server chose a lower version"
    names = {tls_oracle.SUITE_NAMES[code] for code in found["SSLv3"].suites}
    assert {"TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA"} <= names
    assert all("RC4_128" in name or "3DES_EDE" in name for name in names), names


# ---------------------------------------------------------------------------------------- order, groups, certificates


def test_two_certificates_and_the_order_of_the_client(files: TlsFiles, elliptic: TlsFiles) -> None:
    options = ("-dcert", elliptic.certificate, "-dkey", elliptic.key)
    ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
    with s_server(files, versions=("tls1_2",), ciphers=ciphers, options=options) as server:
        session = probe(server)
    assert whole(session) == {"TLS 1.2": {0xC02F, 0xC02B}}
    assert accepted(session)["TLS 1.2"].server_order is False
    assert {facts.key_type for facts in tls(session).certificates} == {"RSA", "EC"}
    assert {facts.name_matches for facts in tls(session).certificates} == {True}
    assert groups(session, "TLS 1.2").complete


def test_curves_of_a_certificate_with_a_curve_are_never_said_to_be_all(elliptic: TlsFiles) -> None:
    with s_server(elliptic, versions=("tls1_2",), ciphers="ECDHE-ECDSA-AES128-GCM-SHA256") as server:
        session = probe(server)
    assert whole(session) == {"TLS 1.2": {0xC02B}}
    found = groups(session, "TLS 1.2")
    assert {0x1D, 0x17} <= set(found.groups)
    assert not found.complete
    assert found.incomplete


def test_a_suite_that_only_the_hello_of_its_version_offers_is_listed(files: TlsFiles) -> None:
    ciphers = "-CIPHER-ALL:+CAMELLIA-256-GCM:+AES-256-GCM:%SERVER_PRECEDENCE"
    with gnutls_serv(files, priority=f"NORMAL:-VERS-ALL:+VERS-TLS1.2:{ciphers}") as server:
        session = probe(server)
    (found,) = accepted(session).values()
    assert (found.version, found.suites[0], found.complete, found.server_order) == ("TLS 1.2", 0xC08B, True, True)


def test_tls_1_2_with_shared_keys_alone_is_found_beside_tls_1_3(files: TlsFiles) -> None:
    ciphers = "PSK-AES128-CBC-SHA:PSK-NULL-SHA:@SECLEVEL=0"
    with s_server(files, ciphers=ciphers, options=("-psk", "00112233445566778899aabbccddeeff")) as server:
        session = probe(server)
    found = accepted(session)
    assert found["TLS 1.2"].cipher_suite_name == "TLS_PSK_WITH_NULL_SHA"
    assert (found["TLS 1.2"].complete, found["TLS 1.3"].complete) == (False, True)


def test_a_broken_suite_over_a_rare_curve_is_found(files: TlsFiles) -> None:
    ciphers = "ECDHE-RSA-NULL-SHA:AES128-SHA:@SECLEVEL=0"
    with s_server(files, versions=("tls1_2",), ciphers=ciphers, options=("-groups", "sect163k1")) as server:
        session = probe(server)
    assert whole(session) == {"TLS 1.2": {0xC010, 0x002F}}
    assert groups(session, "TLS 1.2").groups == (0x0001,)


def test_more_suites_than_one_hello_holds_are_confirmed(files: TlsFiles, elliptic: TlsFiles) -> None:
    # Nothing comes after the last refusal that would show that it was meant: no session is resumed.
    options = ("-dcert", elliptic.certificate, "-dkey", elliptic.key, "-psk", "00112233", "-no_ticket", "-no_cache")
    ciphers = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
    with s_server(files, versions=("tls1_2",), ciphers=ciphers, options=options) as server:
        session = probe(server)
    assert len(whole(session)["TLS 1.2"]) > ROOM


def test_hybrid_groups_are_listed(files: TlsFiles) -> None:
    with pyopenssl(files) as server:
        session = probe(server)
    found = groups(session, "TLS 1.3")
    assert found.complete
    assert {0x11EC, 0x1D, 0x17} <= set(found.groups)
    (hybrid,) = (facts for facts in tls(session).offers if facts.offer is TlsOffer.HYBRID_GROUPS)
    assert (hybrid.acceptance, hybrid.group_name) == (Acceptance.ACCEPTED, "X25519MLKEM768")


def test_one_group_and_chacha20_beside_one_other(files: TlsFiles) -> None:
    options = ("-groups", "P-384", "-serverpref")
    ciphers = "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256"
    with s_server(files, versions=("tls1_2",), ciphers=ciphers, options=options) as server:
        session = probe(server)
    assert whole(session) == {"TLS 1.2": {0xCCA8, 0xC02F}}
    assert accepted(session)["TLS 1.2"].suites == (0xCCA8, 0xC02F)
    assert accepted(session)["TLS 1.2"].server_order is True
    assert groups(session, "TLS 1.2").groups == (0x18,)
    assert groups(session, "TLS 1.2").server_order is None


# -------------------------------------------------------------------------------------------------- what ends it early


def test_a_budget_ends_the_lists_and_not_the_policy(files: TlsFiles) -> None:
    with s_server(files, versions=("tls1_2", "tls1_3"), ciphers="ALL:@SECLEVEL=0") as server:
        session = probe(server, most=20)
    assert session.connections <= 20
    known = accepted(session)
    assert not known["TLS 1.2"].complete
    assert known["TLS 1.2"].incomplete == "the connections that were to be had for it are spent"
    assert {facts.offer for facts in tls(session).offers} == set(TlsOffer)
    assert all(facts.acceptance is not Acceptance.INCONCLUSIVE for facts in tls(session).offers)
    assert all(facts.acceptance is not Acceptance.INCONCLUSIVE for facts in tls(session).versions)


@pytest.mark.parametrize("wall", [HANDSHAKE_FAILURE, INTERNAL_ERROR, b""], ids=["refuses", "fails", "closes"])
def test_a_weary_server_is_never_said_to_refuse(wall: bytes) -> None:
    spoken, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(HANDSHAKE_FAILURE)
    # Five hellos show that TLS 1.2 is spoken, then come the handshakes; from then on nobody gets anything.
    with scripted([spoken, spoken, *[refusal] * (3 + HANDSHAKES), Answer(wall)]) as server:
        session = probe(server)
    known = accepted(session)["TLS 1.2"]
    assert (known.complete, len(known.suites)) == (False, 1)
    assert known.incomplete == "the port did not accept again what it had accepted before"
    offers: tuple[OfferFacts, ...] = tls(session).offers
    assert {facts.acceptance for facts in offers} == {Acceptance.INCONCLUSIVE}
    assert not any(facts.complete for facts in tls(session).groups)
    # Three hellos hold the suites, one more the groups and one the signatures; the last is the one that was to confirm.
    assert session.connections <= 5 + HANDSHAKES + 3 + 2 + 1


def test_a_version_of_which_every_suite_was_refused_has_no_complete_list() -> None:
    # The same suite of SSLv3 is chosen in the first hello and in the last; in between all are refused for a while.
    spoken, refusal = Answer(tls_flights.TLSLITE_SSL_3), Answer(HANDSHAKE_FAILURE)
    hellos = -(-len(listed_suites(Code.SSL_3)) // ROOM)
    with scripted([spoken, *[refusal] * (HANDSHAKES + hellos), spoken]) as server:
        session = probe(server)
    known = accepted(session)["SSLv3"]
    assert (known.suites, known.complete) == ((0xC014,), False)
    assert known.incomplete == "the port accepts the version and refused every suite of it"
    assert Acceptance.REFUSED not in {facts.acceptance for facts in tls(session).offers}


def test_a_kind_of_key_exchange_that_fails_hides_no_other() -> None:
    spoken, refusal, failure = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(HANDSHAKE_FAILURE), Answer(INTERNAL_ERROR)
    chosen = 0xC02B
    kinds = families([code for code in listed_suites(Code.TLS_1_2) if needs_curve(code) and code != chosen])
    versions_and_handshake = [spoken, spoken, *[refusal] * (3 + HANDSHAKES)]
    # All that want a curve fail, and so does the first kind by itself; others are refused, and each time it is alive.
    first_hello = [failure, spoken, failure, spoken, *[refusal] * (len(kinds) - 1)]
    others = [refusal] * 3  # what wants no curve; DHE over named fields; groups with the rare ones
    with scripted([*versions_and_handshake, *first_hello, *others, spoken, refusal]) as server:
        session = probe(server)
    known = accepted(session)["TLS 1.2"]
    assert known.suites == (chosen,)
    assert (known.complete, known.incomplete) == (False, "fatal alert internal_error (80)")


def test_a_suite_that_nobody_offered_ends_no_list_as_complete() -> None:
    # Every hello is answered by the same suite, offered or not.
    spoken, refusal = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(HANDSHAKE_FAILURE)
    with scripted([spoken, spoken, refusal, refusal, refusal, refusal, spoken]) as server:
        session = probe(server)
    known = accepted(session)["TLS 1.2"]
    assert (known.suites, known.complete) == ((0xC02B,), False)
    assert known.incomplete == "the server chose suite 0xC02B, which was not offered"
    assert not any(facts.complete for facts in tls(session).groups)


def test_what_was_found_before_a_visit_is_broken_off_is_kept(files: TlsFiles) -> None:
    async def broken_off(session: Session) -> None:
        task = asyncio.create_task(
            probe_tls(session.talk, server_name=HOST, names=(HOST,), depth=Depth.FULL, most=TLS_FULL_CONNECTIONS)
        )
        while session.connections < 20:
            assert not task.done()
            await asyncio.sleep(0.001)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()

    manners = AssetManners(gap_s=QUICK.gap_s, max_connections=400)
    with (
        s_server(files, versions=("tls1_2",), ciphers="ALL:@SECLEVEL=0") as server,
        talking(server.host, server.port, manners=manners) as session,
    ):
        asyncio.run(broken_off(session))
    known = accepted(session)["TLS 1.2"]
    assert (known.complete, known.incomplete) == (False, "not asked")
    assert len(known.suites) > 5
    assert tls(session).offers == ()


# ------------------------------------------------------------------------------------------------------ a whole visit


def test_at_full_depth_an_old_version_beside_leaves_no_doubt_about_broken_suites(
    files: TlsFiles, tmp_path: Path
) -> None:
    ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
    with nginx(f"ssl_protocols TLSv1 TLSv1.2; ssl_ciphers {ciphers};", tls=files) as server:
        asset = {"id": "asset", "address": server.host, "services": [{"kind": "ldaps", "port": server.port}]}
        path = inventory(tmp_path, [asset])
        assert check(path).status("asset", "tls.broken-cipher") == "unknown"
        run = check(path, "--depth", "full")
    assert run.status("asset", "tls.broken-cipher") == "pass"
    assert run.status("asset", "tls.weak-cipher") == "fail"
    assert run.status("asset", "tls.obsolete-protocol") == "fail"


def test_groups_that_are_all_known_are_judged(files: TlsFiles, tmp_path: Path) -> None:
    with nginx("ssl_protocols TLSv1.2 TLSv1.3;", tls=files) as server:
        asset = {"id": "asset", "address": server.host, "services": [{"kind": "ldaps", "port": server.port}]}
        path = inventory(tmp_path, [asset])
        assert check(path).status("asset", "tls.weak-group") == "unknown"
        assert check(path, "--depth", "full").status("asset", "tls.weak-group") == "pass"


@pytest.mark.parametrize("budget", [80, 33])
def test_a_visit_takes_no_more_than_planned_and_keeps_for_its_other_steps_what_they_need(
    files: TlsFiles, tmp_path: Path, budget: int
) -> None:
    with s_server(files, ciphers="ALL:@SECLEVEL=0") as one, nginx("ssl_protocols TLSv1.2 TLSv1.3;", tls=files) as other:
        services = [{"kind": "syslog-tls", "port": one.port}, {"kind": "ldaps", "port": other.port}]
        asset = {"id": "asset", "address": one.host, "services": services}
        path = inventory(tmp_path, [{**asset, "manners": {"max_connections": budget, "gap": "10ms"}}])
        planned = subprocess.run(
            command("plan", path, "--depth", "full", "--json"), check=True, capture_output=True, env=environment()
        )
        run = check(path, PACS_CHECKER_DEPTH="full")
    assert len(run.attempts()) <= json.loads(planned.stdout)["connections"] == budget
    seen = {item["port"]: item["facts"] for item in run.observations if item["facts"]["type"] == "tls"}
    assert {facts["depth"] for facts in seen.values()} == {"full"}
    for facts in seen.values():
        newest = facts["versions"][-1]
        assert newest["acceptance"] == "accepted"
        assert newest["suites"]
    # The second is asked in policy depth at the least, whatever the first one could take.
    assert all(offer["acceptance"] != "inconclusive" for offer in seen[other.port]["offers"])
    assert len(seen[other.port]["offers"]) >= 3
    assert "fail" in run.statuses("asset", "tls.weak-cipher")


def test_a_refusal_that_nothing_followed_is_not_believed_where_the_visit_is_broken_off() -> None:
    listing = Listing(Code.TLS_1_2)
    listing.suites.found.append(0xC02F)
    listing.suites.asked = True  # the walk went on, to what the visit was broken off in
    full = FullDepth(cast("Hellos", None), 0, listings={Code.TLS_1_2: listing}, _asked=3, _believed=2)
    facts = VersionFacts("TLS 1.2", Acceptance.ACCEPTED, cipher_suite=0xC02F)
    assert not full.told(Code.TLS_1_2, facts).complete
    full.accepted_once_more()
    assert full.told(Code.TLS_1_2, facts).complete
