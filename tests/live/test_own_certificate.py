"""Our own certificate at real servers that require one: shown only where a stranger was refused.

The key that is shown is fresh for each run of the tests and known to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import pytest

from checker.model import (
    AssociationOutcome,
    AssociationPurpose,
    DicomFacts,
    HandshakeFacts,
    Service,
    ServiceKind,
)
from checker.net.tls import OwnCertificate
from checker.plan import DICOM_CONNECTIONS, DICOM_OTHER_MODE_CONNECTIONS
from checker.probes.association import Question, associate
from checker.probes.dicom import probe_dicom
from checker.probes.tls import probe_tls
from checker.probes.tls_handshake import own_certificate_taken
from tests.live.certificates import Authority, TlsFiles
from tests.live.checking import check, inventory
from tests.live.servers.dcmtk import storescp
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx import nginx, plain_page
from tests.live.servers.openssl import TlsServer, s_server
from tests.live.servers.orthanc import OrthancOptions, orthanc
from tests.live.servers.scp import CALLED_TITLE_REQUIRED, scp
from tests.live.talking import Session, talking

pytestmark = pytest.mark.live

CALLING = "UNREGISTERED"
SURVEY, WRONG_CALLED = AssociationPurpose.SURVEY, AssociationPurpose.WRONG_CALLED
REQUIRED, ACCEPTED = AssociationOutcome.CLIENT_CERTIFICATE_REQUIRED, AssociationOutcome.ACCEPTED


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    return authority.valid()


@pytest.fixture(scope="module")
def known(authority: Authority) -> TlsFiles:
    """A certificate of the authority that the servers trust; the key for its owner alone."""
    return owned(authority.client())


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A certificate of another authority."""
    return owned(Authority.create(tmp_path_factory.mktemp("stranger"), "Synthetic stranger").client())


def owned(files: TlsFiles) -> TlsFiles:
    files.key.chmod(0o600)
    return files


def own(files: TlsFiles) -> OwnCertificate:
    return OwnCertificate(files.certificate, files.key)


async def asked(port: int, title: str, certificate: OwnCertificate | None) -> Session:
    service = Service(ServiceKind.DICOM_TLS, port, title, client_certificate="required")
    with talking("127.0.0.1", port, [service]) as session:
        await probe_dicom(session.talk, service, calling=CALLING, server_name=None, own=certificate)
    assert session.connections <= DICOM_CONNECTIONS + DICOM_OTHER_MODE_CONNECTIONS
    return session


def told(session: Session) -> list[tuple[AssociationPurpose, bool, bool, AssociationOutcome]]:
    """Each association: its purpose, whether inside TLS, whether with our certificate, and how it ended."""
    return [(facts.purpose, facts.tls, facts.client_certificate, facts.outcome) for facts in session.of(DicomFacts)]


# ------------------------------------------------------------------------------------------------ DICOM inside TLS

AS_STRANGER = [(SURVEY, True, False, REQUIRED), (SURVEY, False, False, AssociationOutcome.RESET)]


@pytest.mark.parametrize("profile", ["+py", "+pz"])  # TLS 1.3, and TLS 1.2
async def test_storescp_refuses_a_stranger_and_answers_the_echo_of_a_known_caller(
    files: TlsFiles, known: TlsFiles, profile: Literal["+py", "+pz"]
) -> None:
    with storescp(tls=files, profile=profile, client_certificate="required") as server:
        session = await asked(server.port, server.ae_title, own(known))
    assert told(session) == [*AS_STRANGER, (SURVEY, True, True, ACCEPTED)]
    facts = session.of(DicomFacts)[-1]
    assert (facts.echo_status, facts.released, facts.query) == (0, True, None)
    assert session.purposes == ["dicom-tls survey", "dicom survey", "dicom-tls survey with our certificate"]


@pytest.mark.parametrize("profile", ["+py", "+pz"])
async def test_storescp_does_not_take_the_certificate_of_another_authority(
    files: TlsFiles, foreign: TlsFiles, profile: Literal["+py", "+pz"]
) -> None:
    with storescp(tls=files, profile=profile, client_certificate="required") as server:
        session = await asked(server.port, server.ae_title, own(foreign))
    # Not "required": one was shown.
    assert told(session) == [*AS_STRANGER, (SURVEY, True, True, AssociationOutcome.TLS_FAILED)]
    assert "ALERT" in (session.of(DicomFacts)[-1].detail or "")


async def test_orthanc_takes_it_too(files: TlsFiles, known: TlsFiles) -> None:
    options = OrthancOptions(queries=True, tls=files, client_certificate=True)
    with orthanc(options, loaded=()) as server:
        session = await asked(server.dicom_port, server.ae_title, own(known))
    assert told(session) == [*AS_STRANGER, (SURVEY, True, True, ACCEPTED)]
    assert session.of(DicomFacts)[-1].echo_status == 0


async def test_without_a_certificate_of_ours_the_same_is_asked_as_ever(files: TlsFiles) -> None:
    with storescp(tls=files, client_certificate="required") as server:
        session = await asked(server.port, server.ae_title, None)
    assert told(session) == AS_STRANGER


@pytest.mark.parametrize("behaviour", ["verified", "ignored"])
async def test_it_is_not_shown_to_a_server_that_does_not_require_one(
    files: TlsFiles, known: TlsFiles, behaviour: Literal["verified", "ignored"]
) -> None:
    with storescp(tls=files, client_certificate=behaviour) as server:
        session = await asked(server.port, server.ae_title, own(known))
    assert not any(facts.client_certificate for facts in session.of(DicomFacts))
    assert session.of(DicomFacts)[0].outcome is ACCEPTED


async def test_a_known_caller_learns_whether_the_declared_title_is_the_services(
    files: TlsFiles, known: TlsFiles
) -> None:
    with scp(CALLED_TITLE_REQUIRED, tls=files, client_certificate=True) as server:
        session = await asked(server.port, "NOT_ITS_TITLE", own(known))
    assert told(session)[2:] == [
        (SURVEY, True, True, AssociationOutcome.REJECTED),
        (WRONG_CALLED, True, True, AssociationOutcome.REJECTED),
    ]


# ------------------------------------------------------------------------------------------------- a whole handshake

Serving = Callable[[TlsFiles], AbstractContextManager[TlsServer]]


def openssl_1_2(files: TlsFiles) -> AbstractContextManager[TlsServer]:
    return s_server(files, versions=("tls1_2",), client_certificate="required")


def openssl_1_3(files: TlsFiles) -> AbstractContextManager[TlsServer]:
    return s_server(files, versions=("tls1_3",), client_certificate="required")


def gnutls_1_2(files: TlsFiles) -> AbstractContextManager[TlsServer]:
    return gnutls_serv(
        files, priority="NORMAL:-VERS-ALL:+VERS-TLS1.2", client_certificate="required",
        options=("--verify-client-cert",),
    )  # fmt: skip


def gnutls_1_3(files: TlsFiles) -> AbstractContextManager[TlsServer]:
    return gnutls_serv(
        files, priority="NORMAL:-VERS-ALL:+VERS-TLS1.3", client_certificate="required",
        options=("--verify-client-cert",),
    )  # fmt: skip


async def taken(server: TlsServer, files: TlsFiles) -> str | None:
    with talking(server.host, server.port) as session:
        found = await own_certificate_taken(session.talk, None, own(files))
    assert session.purposes == ["TLS handshake with our certificate"]
    return found


@pytest.mark.parametrize("serving", [openssl_1_2, openssl_1_3, gnutls_1_2, gnutls_1_3])
async def test_a_server_takes_a_certificate_of_its_own_authority_and_no_other(
    serving: Serving, files: TlsFiles, known: TlsFiles, foreign: TlsFiles
) -> None:
    with serving(files) as server:
        assert await taken(server, known) == "accepted"
        assert await taken(server, foreign) == "refused"


async def test_a_server_that_asks_for_none_shows_nothing_of_ours(files: TlsFiles, known: TlsFiles) -> None:
    with s_server(files) as server:
        assert await taken(server, known) is None


async def test_a_port_that_is_shut_shows_nothing(files: TlsFiles, known: TlsFiles) -> None:
    with s_server(files) as server:
        pass
    with talking(server.host, server.port) as session:
        assert await own_certificate_taken(session.talk, None, own(known)) is None


async def test_one_that_cannot_be_used_costs_no_connection(files: TlsFiles, known: TlsFiles) -> None:
    gone = OwnCertificate(known.certificate, known.key.with_name("gone.key"))
    question = Question(SURVEY, "CALLED", CALLING, tls=True, server_name=None, own=gone)
    with s_server(files) as server, talking(server.host, server.port) as session:
        for asking in (own_certificate_taken(session.talk, None, gone), associate(session.talk, question)):
            with pytest.raises(ValueError, match="our certificate and its key cannot be used"):
                await asking
    assert session.connections == 0


@pytest.mark.parametrize("which", ["known", "foreign"])
def test_a_run_tells_where_it_was_of_no_use(
    which: Literal["known", "foreign"], files: TlsFiles, known: TlsFiles, foreign: TlsFiles, tmp_path: Path
) -> None:
    ours = {"known": known, "foreign": foreign}[which]
    with openssl_1_3(files) as server:
        asset = {"id": "asset", "address": server.host, "services": [{"kind": "ldaps", "port": server.port}]}
        options = ("--client-certificate", ours.certificate, "--client-key", ours.key)
        run = check(inventory(tmp_path, [asset]), *map(str, options))
    (visit,) = [item["facts"] for item in run.observations if item["facts"]["type"] == "visit"]
    refused = [f"port {server.port} refused our own certificate as well"]
    assert visit["gaps"] == (refused if which == "foreign" else [])
    assert not [path.name for path in run.folder.iterdir() if str(ours.key) in path.read_text()]


async def test_nginx_takes_every_certificate_and_none_and_refuses_requests_alone(
    files: TlsFiles, known: TlsFiles, foreign: TlsFiles
) -> None:
    # Why only a server that refused the handshake without one is shown ours: of others the handshake tells nothing.
    with nginx(plain_page(), tls=files, client_certificate=True) as server:
        with talking(server.host, server.port) as session:
            await probe_tls(session.talk, server_name=None, names=(server.host,))
        (facts,) = session.of(HandshakeFacts)
        assert (facts.completed, facts.client_certificate, facts.own_certificate) == (True, "optional", None)
        for certificate in (known, foreign):
            with talking(server.host, server.port) as session:
                assert await own_certificate_taken(session.talk, None, own(certificate)) == "accepted"
