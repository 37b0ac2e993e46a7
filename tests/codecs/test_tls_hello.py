"""ClientHellos: byte-exact, tolerable to every server, and what an independent implementation reads them as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.cipher_suites import cipher_suites
from checker.codecs.tls_hello import MOST_SUITES, SUITES, ClientHello, Version, client_hello, sni, tolerable
from tests.codecs.tls_oracle import read_client_hello

RANDOM = bytes(range(32))
SESSION_ID = bytes(range(32, 64))
SIGNALLING = 0x00FF
CHACHA20 = {code for code, suite in cipher_suites().items() if suite.encryption == "CHACHA20_POLY1305"}
VERSIONS = list(Version)
HOST = "archive.example.org"

host_names = st.from_regex(
    r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,20}[a-z0-9])?){0,7}", fullmatch=True
)


def hello(version: Version, server_name: str | None = None) -> ClientHello:
    return client_hello(version, random=RANDOM, session_id=SESSION_ID, server_name=server_name)


def extensions(version: Version, server_name: str | None = None) -> list[tuple[int, bytes]]:
    parsed = read_client_hello(hello(version, server_name).data)
    return [(extension.extType, bytes(extension.extData)) for extension in parsed.extensions or ()]


def test_the_ssl_3_hello_is_exactly_this() -> None:
    suites = b"".join(code.to_bytes(2, "big") for code in SUITES[Version.SSL_3])
    body = b"\x03\x00" + RANDOM + b"\x00" + b"\x00\xb6" + suites + b"\x00\xff" + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    assert hello(Version.SSL_3, HOST).data == b"\x16\x03\x00" + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize("version", VERSIONS)
def test_an_independent_implementation_reads_what_was_meant(version: Version) -> None:
    sent = hello(version, HOST)
    parsed = read_client_hello(sent.data)
    assert parsed.client_version == divmod(min(version, Version.TLS_1_2), 256)
    assert bytes(parsed.random) == RANDOM
    assert bytes(parsed.session_id) == sent.session_id == (SESSION_ID if version is Version.TLS_1_3 else b"")
    assert tuple(parsed.cipher_suites) == (*sent.suites, SIGNALLING)
    assert list(parsed.compression_methods) == [0]
    assert bytes(parsed.write()) == sent.data[5:]
    if version is not Version.SSL_3:
        assert bytes(parsed.server_name) == HOST.encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_record_names_its_length_and_a_low_version(version: Version) -> None:
    data = hello(version).data
    assert data[0] == 22
    assert int.from_bytes(data[1:3], "big") == min(version, Version.TLS_1_0)
    assert int.from_bytes(data[3:5], "big") == len(data) - 5
    assert int.from_bytes(data[6:9], "big") == len(data) - 9


@pytest.mark.parametrize("version", VERSIONS)
def test_suites_are_few_enough_known_and_offered_once(version: Version) -> None:
    suites = hello(version).suites
    assert len(suites) + 1 <= MOST_SUITES
    assert len(set(suites)) == len(suites)
    assert set(suites) <= set(cipher_suites())


@pytest.mark.parametrize("version", [Version.TLS_1_2, Version.TLS_1_3])
def test_chacha20_is_offered_last(version: Version) -> None:
    offered = [suite in CHACHA20 for suite in hello(version).suites]
    assert any(offered)
    if version is Version.TLS_1_2:
        assert offered == sorted(offered)
    assert offered[-1]
    assert not offered[0]


def test_every_suite_that_an_old_version_may_have_is_among_those_of_the_old_versions() -> None:
    for suite in SUITES[Version.TLS_1_2]:
        known = cipher_suites()[suite]
        assert (suite in SUITES[Version.TLS_1_0]) == (known.mac in ("MD5", "SHA")), known.name


def test_the_weak_suites_that_matter_are_offered_to_the_old_versions() -> None:
    for code, suite in cipher_suites().items():
        usual = suite.key_exchange in ("RSA", "DHE", "ECDHE") and suite.authentication in ("RSA", "ECDSA", "anon")
        weak = suite.export or suite.encryption in ("NULL", "RC4_128", "DES_CBC", "3DES_EDE_CBC")
        if usual and weak and suite.mac in ("MD5", "SHA"):
            assert code in SUITES[Version.TLS_1_0], suite.name


def test_tls_1_3_has_its_own_suites_only() -> None:
    assert [cipher_suites()[suite].key_exchange for suite in SUITES[Version.TLS_1_3]] == ["any"] * 5
    assert set(hello(Version.TLS_1_3).suites) - set(SUITES[Version.TLS_1_3]) <= set(SUITES[Version.TLS_1_2])


@pytest.mark.parametrize("version", VERSIONS)
@given(name=st.none() | host_names)
def test_no_hello_has_a_length_on_which_servers_choke(version: Version, name: str | None) -> None:
    data = hello(version, name).data
    message = len(data) - 5
    assert not 256 <= message <= 511
    assert message % 256 not in (10, 14)
    assert (message - 4) % 256 not in (10, 14)
    assert tolerable(message)


@pytest.mark.parametrize("length", [255, 516, 1023])
def test_lengths_that_are_tolerable(length: int) -> None:
    assert tolerable(length)


@pytest.mark.parametrize("length", [10, 14, 18, 256, 400, 511, 515, 522, 526, 778])
def test_lengths_that_are_not(length: int) -> None:
    assert not tolerable(length)


@pytest.mark.parametrize("version", VERSIONS[1:])
@given(name=st.none() | host_names)
def test_the_last_extension_is_not_empty_and_none_comes_twice(version: Version, name: str | None) -> None:
    found = extensions(version, name)
    assert found[-1][1]
    assert len({kind for kind, _ in found}) == len(found)


def test_tls_1_3_is_offered_with_all_versions_that_its_suites_are_for_and_no_key_share() -> None:
    found = dict(extensions(Version.TLS_1_3))
    assert found[43] == bytes.fromhex("08 0304 0303 0302 0301")
    assert found[51] == b"\x00\x00"


@pytest.mark.parametrize("version", [Version.TLS_1_0, Version.TLS_1_1, Version.TLS_1_2])
def test_older_versions_do_not_speak_of_tls_1_3(version: Version) -> None:
    assert {43, 51} & dict(extensions(version)).keys() == set()


@pytest.mark.parametrize(("version", "has"), [(Version.TLS_1_1, False), (Version.TLS_1_2, True)])
def test_signature_algorithms_come_with_tls_1_2(version: Version, *, has: bool) -> None:
    assert (13 in dict(extensions(version))) == has


def test_a_hello_offers_its_version_and_all_below() -> None:
    assert hello(Version.TLS_1_1).versions == (Version.SSL_3, Version.TLS_1_0, Version.TLS_1_1)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_template_is_filled_anew_each_time(version: Version) -> None:
    first, second = hello(version), client_hello(version, random=bytes(32), session_id=bytes(32))
    assert first.data != second.data
    assert hello(version).data == first.data


@pytest.mark.parametrize("name", ["10.20.1.5", "::1", "[::1]", "2001:db8::5", "127.1", "10.20.1.5.", "archive.0"])
@pytest.mark.parametrize("version", VERSIONS[1:])
def test_an_address_is_never_sent_as_a_name(version: Version, name: str) -> None:
    assert 0 not in dict(extensions(version, name))
    assert hello(version, name).data == hello(version).data


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("archive.example.org", "archive.example.org"),
        ("Archive.Example.ORG.", "archive.example.org"),
        ("pacs_1", "pacs_1"),
        ("", None),
        (".", None),
        ("a..b", None),
        ("-a.example.org", None),
        ("a b", None),
        ("arch\u00edv.example.org", None),
        ("a" * 64, None),
        (".".join(["a" * 60] * 5), None),
        (None, None),
    ],
)
def test_what_may_be_sent_as_a_name(host: str | None, name: str | None) -> None:
    assert sni(host) == name


@given(st.text(max_size=300))
def test_no_text_is_too_odd_to_be_asked_about(text: str) -> None:
    name = sni(text)
    assert name is None or name.isascii()
    assert tolerable(len(hello(Version.TLS_1_2, text).data) - 5)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_random_of_another_length_is_a_bug(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        client_hello(Version.TLS_1_2, random=bytes(length))


def test_labels() -> None:
    assert [version.label for version in Version] == ["SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
