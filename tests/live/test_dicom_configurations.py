"""Each real DICOM server is found and judged as exactly what its configuration makes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import Verification

from checker.model import ServiceKind
from tests.live.certificates import Authority, TlsFiles
from tests.live.dicom_configurations import CONFIGURATIONS
from tests.live.dicom_configuring import Configuration, ask, not_as_it_is
from tests.live.servers.scp import IDENTITY_WANTED, IN_PIECES, Event, scp

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def files() -> Iterator[TlsFiles]:
    """The key and certificate of a server."""
    with tempfile.TemporaryDirectory(prefix="pacs-checker-tls-") as folder:
        yield Authority.create(Path(folder)).valid()


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda found: found.name)
async def test_a_server_is_found_and_judged_as_what_it_is(configuration: Configuration, files: TlsFiles) -> None:
    with configuration.start(files) as server:
        found = await ask(configuration.declared, server)
    wrong = not_as_it_is(configuration, found)
    assert not wrong, "\n".join(wrong)


def test_the_server_that_wants_a_user_identity_serves_who_has_one() -> None:
    """So that its refusal of a stranger is about the identity, and of nothing else."""
    someone = UserIdentityNegotiation()
    someone.user_identity_type = 1  # PS3.7 annex D.3.3.7: a username
    someone.primary_field = b"synthetic-user"
    with scp(IDENTITY_WANTED) as server:
        entity = AE("UNREGISTERED")
        entity.add_requested_context(Verification)
        association = entity.associate(server.host, server.port, ae_title=server.ae_title, ext_neg=[someone])
        assert association.is_established
        association.release()
        refused = entity.associate(server.host, server.port, ae_title=server.ae_title)
        assert refused.is_rejected
        entity.shutdown()


async def test_the_server_that_sends_in_pieces_does_so() -> None:
    with scp(IN_PIECES) as server:
        found = await ask(ServiceKind.DICOM, server)
        server.wait_for(Event.DISCONNECTED, times=found.connections)
        sent = server.sent()
        assert server.writes() == sent
    assert min(sent) > 100
