"""TLS at full depth beside nmap and sslyze, on OpenSSL's own server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.comparing import Configuration, Material, assert_alike
from tests.live.configurations_openssl import OPENSSL

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return Material.create(Path(tmp_path_factory.mktemp("peers")))


@pytest.mark.parametrize("configuration", OPENSSL, ids=lambda configuration: configuration.name)
def test_we_find_what_it_accepts_and_so_do_the_others(configuration: Configuration, material: Material) -> None:
    assert_alike(configuration, material)
