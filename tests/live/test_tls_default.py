"""What a port shows to a client that sends no name, asked of real servers, and what is judged of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from checker.codecs.tls_hello import Version, sni
from checker.codecs.x509 import TrustStore
from checker.model import (
    Acceptance,
    Asset,
    DefaultHostFacts,
    Depth,
    Facts,
    HandshakeFacts,
    Status,
    TlsFacts,
    TlsOffer,
)
from checker.net.gateway import Limits
from checker.probes import tls_hellos
from checker.probes.tls import probe_tls
from checker.probes.tls_default import DEFAULT_HOST_CONNECTIONS, DEFAULT_HOST_FULL_CONNECTIONS, ask_without_name
from checker.probes.tls_hellos import Hellos
from checker.rules import catalogue
from checker.rules.base import Verdict
from checker.rules.examples import archive, service_case, web_service
from checker.rules.examples_tls import tls_archive
from tests.codecs import tls_flights, tls_oracle
from tests.live.certificates import HOSTS, Authority, TlsFiles
from tests.live.servers.dcmtk import storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx_hosts import Host, nginx_hosts
from tests.live.servers.openssl import s_server
from tests.live.servers.process import LOOPBACK
from tests.live.talking import Session, talking
from tests.live.test_tls_probe import Answer, Server, scripted

pytestmark = pytest.mark.live

NAME = HOSTS[1]
OTHER = "default.example.net"
BY_NAME = "hello by the name"
GOOD = "ECDHE-RSA-AES128-GCM-SHA256"
WORSE = f"{GOOD}:AES128-SHA:AECDH-AES128-SHA:@SECLEVEL=0"
ANONYMOUS = "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"
STATIC = "TLS_RSA_WITH_AES_128_CBC_SHA"
BROKEN, WEAK = TlsOffer.BROKEN_SUITES, TlsOffer.WEAK_SUITES
PASS, FAIL = Status.PASS, Status.FAIL
ACCEPTED, REFUSED, INCONCLUSIVE = Acceptance.ACCEPTED, Acceptance.REFUSED, Acceptance.INCONCLUSIVE
RULES = {entry.id: entry.rule for entry in catalogue()}


@dataclass(frozen=True, slots=True)
class Chains:
    """Certificates of two authorities, of which one is trusted, and the store of that one."""

    store: TrustStore
    good: TlsFiles
    good_elsewhere: TlsFiles
    bad_elsewhere: TlsFiles
    weak: TlsFiles
    elliptic: TlsFiles


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    trusted = Authority.create(tmp_path_factory.mktemp("tls-default-trusted"))
    stranger = Authority.create(tmp_path_factory.mktemp("tls-default-stranger"), "Synthetic stranger")
    return Chains(
        store=TrustStore.from_pem("trusted", trusted.path.read_bytes()),
        good=trusted.valid(),
        good_elsewhere=trusted.issue("elsewhere", hosts=(OTHER,), addresses=()),
        bad_elsewhere=stranger.issue(
            "elsewhere", hosts=(OTHER,), addresses=(), begins_in=timedelta(days=-30), ends_in=timedelta(days=-1)
        ),
        weak=stranger.weak_key(),
        elliptic=trusted.elliptic(),
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit recorded by the name, what was met without it, and what for the connections of that were."""

    facts: tuple[Facts, ...]
    default: DefaultHostFacts | None
    purposes: tuple[object, ...]

    @property
    def met(self) -> DefaultHostFacts:
        assert self.default is not None
        return self.default

    def judged(self, rule: str, of: Asset) -> Verdict:
        """The verdict on the whole visit, as of a service with this declaration."""
        known = (replace(one, default_host=self.default) if isinstance(one, TlsFacts) else one for one in self.facts)
        return RULES[f"tls.{rule}"].judge(replace(service_case(of, *known), now=datetime.now(UTC)))

    def statuses(self, of: Asset, *rules: str) -> dict[str, Status]:
        """The statuses of these rules."""
        return {rule: self.judged(rule, of).status for rule in rules}


def visited(
    server: AbstractContextManager[Server],
    chains: Chains,
    *,
    name: str | None = NAME,
    accepted: Sequence[Version] = (Version.TLS_1_2, Version.TLS_1_3),
    depth: Depth = Depth.FULL,
) -> Visit:
    """One visit of a server: by the name first, then without, where these versions were accepted."""
    with server as running, talking(running.host, running.port) as session:
        default = asyncio.run(_both_ways(session, chains, name, accepted, depth))
    purposes = session.purposes[session.purposes.index(BY_NAME) + 1 :]
    most = DEFAULT_HOST_FULL_CONNECTIONS if depth is Depth.FULL else DEFAULT_HOST_CONNECTIONS
    assert len(purposes) <= most
    assert session.left_alone is None
    return Visit(tuple(session.facts), default, tuple(purposes))


async def _both_ways(
    session: Session, chains: Chains, name: str | None, accepted: Sequence[Version], depth: Depth
) -> DefaultHostFacts | None:
    names = (*((name,) if name is not None else ()), LOOPBACK)
    await probe_tls(session.talk, server_name=name, names=names, trust=lambda: chains.store)
    shown = [facts.certificate.sha256 for facts in session.of(HandshakeFacts) if facts.certificate is not None]
    hellos = Hellos(session.talk, name)
    assert await hellos.ask(BY_NAME, max(accepted)) is not None
    before = replace(hellos)
    default = await ask_without_name(
        hellos,
        accepted,
        depth=depth,
        known=shown,
        names=names,
        now=lambda: datetime.now(UTC),
        trust=lambda: chains.store,
    )
    assert hellos == before, "what is met without the name is no fact about the name"
    return default


DICOM = tls_archive(hostname=NAME)
WEB = archive(web_service(f"https://{NAME}/"))
CERTIFICATE_RULES = ("certificate-expired", "certificate-name", "certificate-untrusted", "certificate-weak")
SUITE_RULES = ("broken-cipher", "weak-cipher")


# -------------------------------------------------------------------------------------------- a worse default host


def test_a_bad_certificate_without_a_name_is_what_dicom_peers_meet(chains: Chains) -> None:
    hosts = [Host(OTHER, chains.bad_elsewhere, GOOD), Host(NAME, chains.good, GOOD)]
    visit = visited(nginx_hosts(hosts), chains)
    met = visit.met
    assert (met.acceptance, met.version, met.cipher_suite) == (ACCEPTED, "TLS 1.2", 0xC02F)
    assert met.certificate is not None
    assert (met.certificate.dns_names, met.same_certificate) == ((OTHER,), False)
    assert visit.statuses(DICOM, *CERTIFICATE_RULES) == {
        "certificate-expired": FAIL,
        "certificate-name": FAIL,
        "certificate-untrusted": FAIL,
        "certificate-weak": PASS,
    }
    name = visit.judged("certificate-name", DICOM)
    assert name.summary == (f"To a client that names no host: the certificate is not for {NAME}: it is for {OTHER}.")
    assert name.evidence["by_name"] == f"The certificate is for {NAME}."


def test_it_is_no_fault_of_a_web_service_and_is_told(chains: Chains) -> None:
    hosts = [Host(OTHER, chains.bad_elsewhere, GOOD), Host(NAME, chains.good, GOOD)]
    visit = visited(nginx_hosts(hosts), chains)
    assert set(visit.statuses(WEB, *CERTIFICATE_RULES, *SUITE_RULES).values()) == {PASS}
    name = visit.judged("certificate-name", WEB)
    assert name.summary == f"The certificate is for {NAME}, for clients that name the host."
    assert visit.met.certificate is not None
    assert name.evidence["default_host"] == [
        {
            "acceptance": "accepted",
            "version": "TLS 1.2",
            "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "same_certificate": False,
            "client_certificate_requested": False,
            "subject": f"CN={OTHER}",
            "sha256": visit.met.certificate.sha256,
            "offers": [
                {
                    "offer": offer.offer.value,
                    "version": "TLS 1.2",
                    "acceptance": "refused",
                    "suites_offered": len(offer.suites),
                    "reason": offer.reason,
                }
                for offer in visit.met.offers
            ],
        }
    ]


@pytest.mark.parametrize("of", [DICOM, WEB], ids=["dicom-tls", "https"])
def test_worse_suites_without_a_name_count_for_every_kind(chains: Chains, of: Asset) -> None:
    hosts = [Host(OTHER, chains.good_elsewhere, WORSE), Host(NAME, chains.good, GOOD)]
    visit = visited(nginx_hosts(hosts), chains)
    broken, weak = visit.met.offers
    assert (broken.offer, broken.acceptance, broken.cipher_suite_name) == (BROKEN, ACCEPTED, ANONYMOUS)
    assert (weak.offer, weak.acceptance, weak.cipher_suite_name) == (WEAK, ACCEPTED, STATIC)
    assert visit.purposes == (
        "TLS 1.2 hello without a name",
        "broken suites at TLS 1.2 without a name",
        "weak suites at TLS 1.2 without a name",
    )
    broken_cipher, weak_cipher = (visit.judged(rule, of) for rule in SUITE_RULES)
    assert (broken_cipher.status, weak_cipher.status) == (FAIL, FAIL)
    assert broken_cipher.summary == f"The service accepts broken suites: {ANONYMOUS} to a client that names no host."
    assert weak_cipher.summary == (
        f"The service accepts weak suites: {ANONYMOUS} (CBC) to a client that names no host,"
        f" {STATIC} (no forward secrecy) to a client that names no host."
    )
    if of is DICOM:
        profile = visit.judged("dicom-profile", of)
        assert profile.status is FAIL
        assert profile.evidence["too_much"] == [
            f"{ANONYMOUS} to a client that names no host", f"{STATIC} to a client that names no host",
        ]  # fmt: skip


def test_at_policy_depth_one_hello_says_nothing_of_worse_suites(chains: Chains) -> None:
    hosts = [Host(OTHER, chains.good_elsewhere, WORSE), Host(NAME, chains.good, GOOD)]
    visit = visited(nginx_hosts(hosts), chains, depth=Depth.POLICY)
    assert visit.purposes == ("TLS 1.2 hello without a name",)
    assert (visit.met.acceptance, visit.met.offers) == (ACCEPTED, ())
    for rule in SUITE_RULES:
        verdict = visit.judged(rule, WEB)
        assert verdict.status is PASS
        assert verdict.summary.endswith("suite that was offered to it by its name.")
    assert visit.judged("certificate-name", DICOM).status is FAIL


def test_a_weak_key_without_a_name_is_one_for_the_web_only_where_it_is_for_the_name(chains: Chains) -> None:
    # Both certificates of this server are for the name; who sends it is shown the second.
    options = ("-servername", NAME, "-cert2", chains.good.certificate, "-key2", chains.good.key)
    server = s_server(chains.weak, ciphers=f"{GOOD}:@SECLEVEL=0", options=options)
    visit = visited(server, chains)
    assert visit.met.certificate is not None
    assert (visit.met.certificate.key_bits, visit.met.same_certificate) == (1024, False)
    for of in (DICOM, WEB):
        verdict = visit.judged("certificate-weak", of)
        assert verdict.summary == (
            "To a client that names no host: the certificate is weak: the RSA key has 1024 bits."
        )
    assert visit.judged("certificate-untrusted", WEB).status is PASS
    assert visit.judged("certificate-untrusted", DICOM).status is FAIL


# ------------------------------------------------------------------------------------- a better one, the same, none


def test_a_good_default_host_makes_up_for_nothing(chains: Chains) -> None:
    hosts = [Host(OTHER, chains.good_elsewhere, GOOD), Host(NAME, chains.bad_elsewhere, WORSE)]
    visit = visited(nginx_hosts(hosts), chains)
    assert visit.met.same_certificate is False
    assert [offer.acceptance for offer in visit.met.offers] == [REFUSED, REFUSED]
    for of in (DICOM, WEB):
        found = visit.statuses(of, "certificate-expired", "certificate-name", "certificate-untrusted", *SUITE_RULES)
        assert set(found.values()) == {FAIL}
        assert "names no host" not in visit.judged("broken-cipher", of).summary


@pytest.mark.parametrize("asks", ["not-asked", "optional"])
def test_a_server_that_is_the_same_to_all(chains: Chains, asks: Literal["not-asked", "optional"]) -> None:
    visit = visited(s_server(chains.good, ciphers=GOOD, client_certificate=asks), chains)
    met = visit.met
    assert (met.acceptance, met.same_certificate, met.client_certificate_requested) == (
        ACCEPTED, True, asks == "optional",
    )  # fmt: skip
    assert [offer.acceptance for offer in met.offers] == [REFUSED, REFUSED]
    for of in (DICOM, WEB):
        for rule in (*CERTIFICATE_RULES, *SUITE_RULES):
            verdict = visit.judged(rule, of)
            assert verdict.status is PASS
            assert "name the host" not in verdict.summary
            assert "by its name" not in verdict.summary


def test_a_server_of_dicom_that_knows_no_names(chains: Chains) -> None:
    visit = visited(storescp(tls=chains.good, profile="+py"), chains)
    assert (visit.met.acceptance, visit.met.same_certificate) == (ACCEPTED, True)
    assert visit.met.client_certificate_requested is not None
    assert set(visit.statuses(DICOM, *CERTIFICATE_RULES, *SUITE_RULES, "dicom-profile").values()) == {PASS}


def test_two_kinds_of_keys_are_no_two_hosts(chains: Chains) -> None:
    # TLS 1.3 shows the one, TLS 1.2 the other, whatever name is sent.
    options = ("-dcert", chains.elliptic.certificate, "-dkey", chains.elliptic.key)
    visit = visited(s_server(chains.good, ciphers=f"{GOOD}:ECDHE-ECDSA-AES128-GCM-SHA256", options=options), chains)
    assert visit.met.same_certificate is True
    assert visit.judged("certificate-name", DICOM).status is PASS


@pytest.mark.parametrize("protocols", ["TLSv1.2 TLSv1.3", "TLSv1.3"])
def test_a_server_that_wants_a_name(chains: Chains, protocols: str) -> None:
    hosts = [Host(OTHER, None), Host(NAME, chains.good, GOOD)]
    versions = (Version.TLS_1_3,) if protocols == "TLSv1.3" else (Version.TLS_1_2, Version.TLS_1_3)
    visit = visited(nginx_hosts(hosts, protocols=protocols), chains, accepted=versions)
    met = visit.met
    assert (met.acceptance, met.certificate, met.same_certificate, met.offers) == (REFUSED, None, None, ())
    assert "unrecognized_name" in (met.reason or "").lower()
    assert len(visit.purposes) == 1
    for of in (DICOM, WEB):
        assert set(visit.statuses(of, *CERTIFICATE_RULES, *SUITE_RULES).values()) == {PASS}
        assert visit.judged("certificate-expired", of).summary.endswith(", for clients that name the host.")


# ----------------------------------------------------------------------------------------------------- single versions


def test_of_an_old_version_weak_suites_are_not_offered(chains: Chains) -> None:
    server = gnutls_serv(chains.good, priority="NORMAL:-VERS-ALL:+VERS-TLS1.0:+ARCFOUR-128:%COMPAT")
    visit = visited(server, chains, accepted=(Version.TLS_1_0,))
    (offer,) = visit.met.offers
    assert (visit.met.version, visit.met.same_certificate) == ("TLS 1.0", True)
    assert (offer.offer, offer.version, offer.acceptance) == (BROKEN, "TLS 1.0", ACCEPTED)
    assert visit.purposes == ("TLS 1.0 hello without a name", "broken suites at TLS 1.0 without a name")


def test_ssl_3_has_no_names_so_that_it_is_not_asked_again(chains: Chains) -> None:
    # Its module needs a library that warns when it is imported; the oracle has seen to that.
    assert tls_oracle.SUITE_NAMES
    from tests.live.servers.tlslite import tlslite

    with tlslite(chains.good) as server, talking(server.host, server.port) as session:
        default = _ask(session, Hellos(session.talk, NAME), chains, (Version.SSL_3,))
    assert default is None
    assert session.connections == 0


def test_of_tls_1_3_alone_the_certificate_is_seen_at_full_depth(chains: Chains) -> None:
    hosts = [Host(OTHER, chains.bad_elsewhere), Host(NAME, chains.good)]
    visit = visited(nginx_hosts(hosts, protocols="TLSv1.3"), chains, accepted=(Version.TLS_1_3,))
    met = visit.met
    assert (met.acceptance, met.version, met.cipher_suite) == (ACCEPTED, "TLS 1.3", 0x1302)
    assert met.certificate is not None
    assert (met.certificate.dns_names, met.same_certificate) == ((OTHER,), False)
    assert len(visit.purposes) == 1
    assert visit.judged("certificate-name", DICOM).status is FAIL
    assert visit.judged("certificate-name", WEB).status is PASS


def test_of_tls_1_3_alone_nothing_is_asked_at_policy_depth(chains: Chains) -> None:
    hosts = [Host(OTHER, chains.bad_elsewhere), Host(NAME, chains.good)]
    server = nginx_hosts(hosts, protocols="TLSv1.3")
    visit = visited(server, chains, accepted=(Version.TLS_1_3,), depth=Depth.POLICY)
    assert visit.purposes == ()
    assert visit.met == DefaultHostFacts(
        INCONCLUSIVE,
        reason="not asked: under TLS 1.3 alone, the certificate shows in a whole handshake only",
    )
    verdict = visit.judged("certificate-name", DICOM)
    assert (verdict.status, verdict.summary) == (
        PASS,
        f"The certificate is for {NAME}, for clients that name the host.",
    )


# -------------------------------------------------------------------------------------------- what is not asked of whom


@pytest.mark.parametrize("name", [None, LOOPBACK])
def test_a_server_that_is_reached_by_its_address_has_shown_it_all(chains: Chains, name: str | None) -> None:
    with s_server(chains.good, ciphers=GOOD) as server, talking(server.host, server.port) as session:
        default = asyncio.run(_both_ways(session, chains, sni(name), (Version.TLS_1_2,), Depth.FULL))
    assert default is None
    assert session.purposes[-1] == BY_NAME


def _ask(session: Session, hellos: Hellos, chains: Chains, accepted: Sequence[Version]) -> DefaultHostFacts | None:
    return asyncio.run(
        ask_without_name(
            hellos,
            accepted,
            depth=Depth.FULL,
            known=(),
            names=(NAME,),
            now=lambda: datetime.now(UTC),
            trust=lambda: chains.store,
        )
    )


def test_a_port_that_has_accepted_nothing_by_name_is_not_asked_without(chains: Chains) -> None:
    with s_server(chains.good) as server, talking(server.host, server.port) as session:
        assert _ask(session, Hellos(session.talk, NAME), chains, ()) is None
    assert session.connections == 0


def test_a_port_that_was_lost_before_is_not_asked(chains: Chains) -> None:
    with s_server(chains.good) as server, talking(server.host, server.port) as session:
        hellos = Hellos(session.talk, NAME, stopped="the port gave no answer in time")
        default = _ask(session, hellos, chains, (Version.TLS_1_2,))
    assert default == DefaultHostFacts(INCONCLUSIVE, reason="not asked: the port gave no answer in time")
    assert session.connections == 0


@pytest.mark.parametrize("version", [Version.TLS_1_2, Version.TLS_1_3])
def test_a_port_that_dies_before_it_is_asked(chains: Chains, version: Version) -> None:
    with s_server(chains.good, ciphers=GOOD, connections=1) as server, talking(server.host, server.port) as session:
        hellos = Hellos(session.talk, NAME)
        asyncio.run(hellos.ask(BY_NAME, version))
        server.process.child.wait(5)
        default = _ask(session, hellos, chains, (version,))
    assert default is not None
    assert (default.acceptance, default.certificate) == (INCONCLUSIVE, None)
    assert (default.reason or "").startswith("not asked: the port took no further connection")
    assert hellos.lost
    assert (hellos.stopped or "").endswith(", when it was asked without a name")
    assert session.connections == 2


def test_a_port_that_dies_between_the_hello_and_the_offers(chains: Chains) -> None:
    with s_server(chains.good, ciphers=GOOD, connections=1) as server, talking(server.host, server.port) as session:
        hellos = Hellos(session.talk, NAME)
        default = _ask(session, hellos, chains, (Version.TLS_1_2,))
    assert default is not None
    assert (default.acceptance, default.same_certificate) == (ACCEPTED, None)
    assert [offer.acceptance for offer in default.offers] == [INCONCLUSIVE, INCONCLUSIVE]
    assert hellos.lost
    assert session.connections == 2


def test_silence_without_a_name_ends_the_hellos_by_name_too(chains: Chains, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_hellos, "_HELLO", Limits(connect_s=1.0, conversation_s=0.2, max_bytes=4096))
    spoken, silence = Answer(tls_flights.OPENSSL_TLS_1_2), Answer(b"", stays=True)
    with scripted([spoken, silence]) as server, talking(server.host, server.port) as session:
        hellos = Hellos(session.talk, NAME)
        asyncio.run(hellos.ask(BY_NAME, Version.TLS_1_2))
        default = _ask(session, hellos, chains, (Version.TLS_1_2,))
    assert default == DefaultHostFacts(INCONCLUSIVE, reason="no answer in time")
    assert (hellos.lost, hellos.stopped) == (True, "the port gave no answer in time, when it was asked without a name")


def test_a_close_is_no_refusal_and_ends_nothing(chains: Chains) -> None:
    spoken = Answer(tls_flights.OPENSSL_TLS_1_2)
    with scripted([spoken, Answer(b""), spoken]) as server, talking(server.host, server.port) as session:
        hellos = Hellos(session.talk, NAME)
        asyncio.run(hellos.ask(BY_NAME, Version.TLS_1_2))
        default = _ask(session, hellos, chains, (Version.TLS_1_2,))
    assert default == DefaultHostFacts(INCONCLUSIVE, reason="the connection was closed")
    assert (hellos.lost, hellos.stopped) == (False, None)
    assert session.connections == 2
