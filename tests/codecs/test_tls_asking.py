"""Hellos of chosen content: each asks for what it was told to, and none is one on which servers choke."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.tls_choice import every_suite
from checker.codecs.tls_hello import MOST_SUITES, PLAIN, ClientHello, Extras, Version, client_hello, tolerable
from checker.codecs.tls_offers import CHACHA20, CURVES, GROUPS_1_3, OFFERS, SIGNATURES, SUITES
from tests.codecs.tls_oracle import read_client_hello

RANDOM = bytes(range(32))
SESSION_ID = bytes(range(32, 64))
HOST = "archive.example.org"
VERSIONS = list(Version)
OLD = VERSIONS[:-1]
ALL_EXTRAS = Extras(
    session_id=True,
    fallback=True,
    encrypt_then_mac=True,
    status_request=True,
    session_ticket=True,
    alpn=("h2", "http/1.1"),
)

codes = st.integers(1, 0xFFFF)
extras = st.builds(
    Extras,
    session_id=st.booleans(),
    fallback=st.booleans(),
    renegotiation=st.booleans(),
    extended_master_secret=st.booleans(),
    encrypt_then_mac=st.booleans(),
    status_request=st.booleans(),
    session_ticket=st.booleans(),
    alpn=st.lists(st.text("abcxyz/.0123", min_size=1, max_size=9), max_size=3).map(tuple),
    chacha20_last=st.booleans(),
)
lists = st.lists(codes, min_size=1, max_size=MOST_SUITES - 2, unique=True).map(tuple)
names = st.none() | st.from_regex(r"[a-z]{1,30}(\.[a-z]{1,30}){0,6}", fullmatch=True)


def ask(
    version: Version,
    extras: Extras = PLAIN,
    *,
    suites: tuple[int, ...] | None = None,
    groups: tuple[int, ...] | None = None,
    signatures: tuple[int, ...] | None = None,
    server_name: str | None = None,
) -> ClientHello:
    return client_hello(
        version,
        random=RANDOM,
        session_id=SESSION_ID,
        server_name=server_name,
        suites=suites,
        groups=groups,
        signatures=signatures,
        extras=extras,
    )


def extensions(hello: ClientHello) -> dict[int, bytes]:
    found = [
        (extension.extType, bytes(extension.extData)) for extension in read_client_hello(hello.data).extensions or ()
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def signalling(hello: ClientHello) -> set[int]:
    return {0x00FF, 0x5600} & set(read_client_hello(hello.data).cipher_suites)


# ------------------------------------------------------------------------------------------------------------ content


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_chosen_is_what_is_sent(version: Version) -> None:
    suites, groups, signatures = (0x002F, 0xC013, 0x1301), (0x0018, 0x11EC), (0x0401, 0x0905)
    hello = ask(version, suites=suites, groups=groups, signatures=signatures)
    parsed = read_client_hello(hello.data)
    assert hello.suites == suites
    assert tuple(parsed.cipher_suites) == (*suites, 0x00FF)
    if version is Version.SSL_3:
        assert (parsed.extensions, hello.groups) == (None, ())
    else:
        assert hello.groups == groups
        assert extensions(hello)[10] == bytes.fromhex("0004 0018 11ec")
        assert extensions(hello)[13] == bytes.fromhex("0004 0401 0905")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_chosen_is_the_usual_offer(version: Version) -> None:
    chosen = ask(version, suites=OFFERS[version], groups=GROUPS_1_3 if version is Version.TLS_1_3 else CURVES)
    assert chosen.data == ask(version).data
    if version >= Version.TLS_1_2:
        assert ask(version, signatures=SIGNATURES).data == ask(version).data


def test_deflate_is_offered_before_no_compression() -> None:
    hello = ask(Version.TLS_1_2, Extras(deflate=True))
    assert list(read_client_hello(hello.data).compression_methods) == [1, 0]
    assert hello.compressions == (1, 0)
    assert ask(Version.TLS_1_2).compressions == (0,)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("renegotiation", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_signalling_values_are_sent_where_asked_for(version: Version, *, renegotiation: bool, fallback: bool) -> None:
    hello = ask(version, Extras(renegotiation=renegotiation, fallback=fallback), suites=(0x002F, 0x1301))
    assert signalling(hello) == ({0x00FF} if renegotiation else set()) | ({0x5600} if fallback else set())
    assert hello.suites == (0x002F, 0x1301)


@pytest.mark.parametrize(
    ("asked", "kind", "content"),
    [
        (Extras(status_request=True), 5, "01 0000 0000"),
        (Extras(alpn=("h2", "http/1.1")), 16, "000c 02 6832 08 687474702f312e31"),
        (Extras(encrypt_then_mac=True), 22, ""),
        (Extras(extended_master_secret=True), 23, ""),
        (Extras(session_ticket=True), 35, ""),
    ],
)
@pytest.mark.parametrize("version", VERSIONS[1:])
def test_extensions_are_sent_where_asked_for(version: Version, asked: Extras, kind: int, content: str) -> None:
    assert extensions(ask(version, asked))[kind] == bytes.fromhex(content)
    without = Extras(extended_master_secret=False, encrypt_then_mac=False)
    assert kind not in extensions(ask(version, without))


def test_tls_1_3_can_be_asked_for_alone() -> None:
    hello = ask(Version.TLS_1_3, Extras(versions=(Version.TLS_1_3,)))
    assert extensions(hello)[43] == bytes.fromhex("02 0304")
    assert hello.versions == (Version.TLS_1_3,)
    assert hello.suites == SUITES[Version.TLS_1_3]


def test_versions_are_named_highest_first() -> None:
    hello = ask(Version.TLS_1_3, Extras(versions=(Version.TLS_1_1, Version.TLS_1_3)))
    assert extensions(hello)[43] == bytes.fromhex("04 0304 0302")
    assert hello.versions == (Version.TLS_1_1, Version.TLS_1_3)


def test_ssl_3_has_no_extensions_whatever_is_asked_for() -> None:
    hello = ask(Version.SSL_3, replace(ALL_EXTRAS, session_id=False), server_name=HOST)
    assert read_client_hello(hello.data).extensions is None


@given(version=st.sampled_from(VERSIONS), extras=extras, suites=lists, groups=lists, signatures=lists)
def test_an_independent_implementation_reads_what_was_asked(
    version: Version, extras: Extras, suites: tuple[int, ...], groups: tuple[int, ...], signatures: tuple[int, ...]
) -> None:
    suites = tuple(code for code in suites if code not in (0x00FF, 0x5600)) or (0x002F,)
    hello = ask(version, extras, suites=suites, groups=groups, signatures=signatures, server_name=HOST)
    parsed = read_client_hello(hello.data)
    assert tuple(code for code in parsed.cipher_suites if code not in (0x00FF, 0x5600)) == hello.suites
    assert sorted(hello.suites) == sorted(suites)
    assert bytes(parsed.random) == RANDOM
    assert bytes(parsed.session_id) == hello.session_id
    assert bytes(parsed.write()) == hello.data[5:]
    if version is not Version.SSL_3:
        found = extensions(hello)
        assert tuple(int.from_bytes(found[10][i : i + 2], "big") for i in range(2, len(found[10]), 2)) == groups
        assert (35 in found, 22 in found) == (extras.session_ticket, extras.encrypt_then_mac)
        assert (23 in found, 5 in found) == (extras.extended_master_secret, extras.status_request)
        assert (16 in found) == bool(extras.alpn)


# -------------------------------------------------------------------------------------- traps, for every kind of hello


@given(
    version=st.sampled_from(VERSIONS),
    extras=extras,
    suites=st.none() | lists,
    groups=st.none() | st.lists(codes, max_size=40).map(tuple),
    signatures=st.none() | st.lists(codes, max_size=40).map(tuple),
    name=names,
)
def test_trap_no_hello_has_a_length_on_which_servers_choke_or_an_empty_last_extension(
    version: Version,
    extras: Extras,
    suites: tuple[int, ...] | None,
    groups: tuple[int, ...] | None,
    signatures: tuple[int, ...] | None,
    name: str | None,
) -> None:
    if version is Version.TLS_1_3:
        groups, signatures = groups or None, signatures or None
    hello = ask(version, extras, suites=suites, groups=groups, signatures=signatures, server_name=name)
    length = len(hello.data) - 5
    assert not 256 <= length <= 511
    assert not 256 <= length - 4 <= 511
    assert length % 256 not in (10, 14)
    assert tolerable(length)
    found = list(extensions(hello).values())
    assert not found or found[-1]
    assert len(read_client_hello(hello.data).cipher_suites) <= MOST_SUITES


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_trap_an_extension_that_would_be_empty_and_last_is_followed_by_padding(version: Version) -> None:
    if version is Version.TLS_1_3:
        return  # its groups and signatures are never left out
    found = list(extensions(ask(version, suites=(0x002F,), groups=(), signatures=())).items())
    assert [kind for kind, _ in found] == [23, 22, 21]
    assert found[-1][1]


def test_trap_more_than_100_suites_are_never_sent() -> None:
    many = every_suite(Version.TLS_1_2)
    assert len(many) > MOST_SUITES
    assert len(ask(Version.TLS_1_2, suites=many[:99]).suites) == 99
    assert len(ask(Version.TLS_1_2, Extras(renegotiation=False), suites=many[:100]).suites) == 100
    for extra, count in ((Extras(), 100), (Extras(fallback=True), 99), (Extras(renegotiation=False), 101)):
        with pytest.raises(ValueError, match="different suites"):
            ask(Version.TLS_1_2, extra, suites=many[:count])


@pytest.mark.parametrize("suites", [(), (0x002F, 0x002F)])
def test_no_suite_or_one_twice_cannot_be_asked_for(suites: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="different suites"):
        ask(Version.TLS_1_2, suites=suites)


@pytest.mark.parametrize("version", OLD)
def test_trap_servers_that_drop_a_hello_without_session_id_get_one_when_asked(version: Version) -> None:
    assert ask(version).session_id == b""
    hello = ask(version, Extras(session_id=True), suites=(0x002F,))
    assert hello.session_id == bytes(read_client_hello(hello.data).session_id) == SESSION_ID


def test_trap_tls_1_3_always_has_a_session_id() -> None:
    assert ask(Version.TLS_1_3, Extras(session_id=False)).session_id == SESSION_ID


def test_a_hello_that_cannot_be_padded_has_as_much_of_a_session_id_as_is_tolerable() -> None:
    hello = ask(Version.SSL_3, Extras(session_id=True))
    assert SESSION_ID.startswith(hello.session_id)
    assert len(hello.session_id) >= 11
    assert len(hello.data) - 5 == 255


def test_trap_supported_groups_can_be_left_out_for_servers_that_choke_on_them() -> None:
    found = extensions(ask(Version.TLS_1_2, groups=()))
    assert {10, 11} & found.keys() == set()
    assert 13 in found


@pytest.mark.parametrize("version", [Version.TLS_1_2, Version.TLS_1_3])
def test_trap_chacha20_is_offered_last_in_whatever_order_it_is_asked_for(version: Version) -> None:
    asked = (0x1303, 0xCCA8, 0xC02F, 0xCC13, 0x1301, 0xCCA9, 0x002F)
    assert ask(version, suites=asked).suites == (0xC02F, 0x1301, 0x002F, 0x1303, 0xCCA8, 0xCC13, 0xCCA9)
    assert ask(version, Extras(chacha20_last=False), suites=asked).suites == asked
    usual = [suite in CHACHA20 for suite in ask(version).suites]
    assert usual == sorted(usual)


@pytest.mark.parametrize("version", VERSIONS[1:])
@pytest.mark.parametrize("name", ["10.20.1.5", "::1", "archive.0"])
def test_trap_an_address_is_never_sent_as_a_name(version: Version, name: str) -> None:
    assert 0 not in extensions(ask(version, replace(ALL_EXTRAS), suites=(0x002F, 0x1301), server_name=name))


# ------------------------------------------------------------------------------------------------- what cannot be asked


def test_tls_1_3_with_deflate_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="no compression"):
        ask(Version.TLS_1_3, Extras(deflate=True))


def test_tls_1_3_without_groups_or_signatures_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="groups and signatures"):
        ask(Version.TLS_1_3, groups=())
    with pytest.raises(ValueError, match="groups and signatures"):
        ask(Version.TLS_1_3, signatures=())


@pytest.mark.parametrize(
    ("version", "versions"),
    [
        (Version.TLS_1_2, (Version.TLS_1_2,)),
        (Version.TLS_1_3, (Version.TLS_1_2,)),
        (Version.TLS_1_3, ()),
    ],
)
def test_versions_that_a_hello_cannot_name_cannot_be_asked_for(version: Version, versions: tuple[Version, ...]) -> None:
    with pytest.raises(ValueError, match="supported_versions"):
        ask(version, Extras(versions=versions))


@pytest.mark.parametrize("name", ["", "x" * 256, "h\u00b2"])
def test_a_protocol_that_alpn_cannot_name_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match=r"protocol|ascii"):
        ask(Version.TLS_1_2, Extras(alpn=(name,)))


def test_a_template_is_filled_anew_each_time() -> None:
    first = ask(Version.TLS_1_2, ALL_EXTRAS, suites=(0xC02F,))
    other = client_hello(
        Version.TLS_1_2, random=bytes(32), session_id=bytes(32), suites=(0xC02F,), extras=replace(ALL_EXTRAS)
    )
    assert first.data.replace(RANDOM, bytes(32)).replace(SESSION_ID, bytes(32)) == other.data
