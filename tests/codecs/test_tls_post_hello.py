"""What a TLS 1.3 server says once it is encrypted: messages of real servers, and those that are wrong."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.tls_post_hello import MOST_BODY, MOST_GROUPS, early_data_size, named_groups
from checker.errors import MalformedPeerData

# Bodies as real servers sent them, decrypted; each shows what that server was told to do.
OPENSSL_NAMES_THREE = bytes.fromhex("000c 000a 0008 0006 0018 0017 001d")  # -groups P-384:P-256:X25519
OPENSSL_NAMES_NONE = bytes.fromhex("0000")
NGINX_NAMES_ALL = bytes.fromhex("001e 0000 0000 000a 0016 0014 001d0017001e0019001801000101010201030104")
NGINX_ACKNOWLEDGES_A_NAME = bytes.fromhex("0004 0000 0000")
OPENSSL_CHOOSES_H2 = bytes.fromhex("0009 0010 0005 0003 02 6832")


def ticket(extensions: str, *, identity: bytes = bytes(32)) -> bytes:
    """A NewSessionTicket as OpenSSL lays it out: two hours, a nonce of eight bytes."""
    head = bytes.fromhex("00001c20 5cb956d7 08 0000000000000001")
    return head + len(identity).to_bytes(2, "big") + identity + bytes.fromhex(extensions)


@pytest.mark.parametrize(
    ("body", "groups"),
    [
        (OPENSSL_NAMES_THREE, (24, 23, 29)),
        (NGINX_NAMES_ALL, (29, 23, 30, 25, 24, 256, 257, 258, 259, 260)),
        (OPENSSL_NAMES_NONE, None),
        (NGINX_ACKNOWLEDGES_A_NAME, None),
        (OPENSSL_CHOOSES_H2, None),
        (bytes.fromhex("000a 000a 0006 0004 001d 001d"), (29,)),
    ],
)
def test_the_groups_that_a_server_names_keep_its_order(body: bytes, groups: tuple[int, ...] | None) -> None:
    assert named_groups(body) == groups


@pytest.mark.parametrize(
    ("extensions", "size"),
    [
        ("0000", 0),
        ("0008 002a 0004 00001000", 4096),
        ("0008 002a 0004 00000000", 0),
        ("0008 002a 0004 ffffffff", 0xFFFFFFFF),
        ("000c 0a0a 0000 002a 0004 00004000", 16384),  # an extension that is not known, RFC 8701
    ],
)
def test_a_ticket_says_how_much_early_data_it_allows(extensions: str, size: int) -> None:
    assert early_data_size(ticket(extensions)) == size


@pytest.mark.parametrize(
    "body",
    [
        "",
        "00",
        "0001",
        "0000 00",  # bytes behind the last field
        "0004 000a 0000",  # an extension without a list
        "0006 000a 0002 0000",  # an empty list
        "0007 000a 0003 0001 00",  # half a group
        "0008 000a 0004 0004 001d",  # a list that is longer than its extension
        "0009 000a 0005 0002 001d 00",  # bytes behind the list
        "0010 000a 0004 0002 001d 000a 0004 0002 0017",  # twice
        "0008 0000 0000 0000 0000",  # another extension twice
        "0005 000a 0002 00",  # an extension that runs over its block
    ],
)
def test_extensions_that_are_not_as_the_standard_writes_them_are_malformed(body: str) -> None:
    with pytest.raises(MalformedPeerData):
        named_groups(bytes.fromhex(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        ticket("0008 002a 0004 00001000")[:-1],
        ticket("0008 002a 0004 00001000") + b"\0",
        ticket("0007 002a 0003 001000"),
        ticket("0009 002a 0005 0000100000"),
        ticket("0010 002a 0004 00001000 002a 0004 00001000"),
        ticket("0000", identity=b""),
        bytes.fromhex("00001c20 0010") + bytes(16),  # that of TLS 1.2
    ],
)
def test_tickets_that_are_not_as_the_standard_writes_them_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPeerData):
        early_data_size(body)


def test_no_more_is_read_than_any_server_needs() -> None:
    def naming(count: int) -> bytes:
        listed = b"".join(number.to_bytes(2, "big") for number in range(count))
        extension = (len(listed)).to_bytes(2, "big") + listed
        block = bytes.fromhex("000a") + len(extension).to_bytes(2, "big") + extension
        return len(block).to_bytes(2, "big") + block

    assert named_groups(naming(MOST_GROUPS)) == tuple(range(MOST_GROUPS))
    with pytest.raises(MalformedPeerData, match="too many groups"):
        named_groups(naming(MOST_GROUPS + 1))
    with pytest.raises(MalformedPeerData, match="too long"):
        named_groups(bytes(MOST_BODY + 1))
    with pytest.raises(MalformedPeerData, match="too long"):
        early_data_size(bytes(MOST_BODY + 1))


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=MOST_GROUPS, unique=True), st.binary(max_size=40))
def test_any_list_of_groups_is_read_as_it_was_written(groups: list[int], other: bytes) -> None:
    listed = b"".join(group.to_bytes(2, "big") for group in groups)
    contents = len(listed).to_bytes(2, "big") + listed
    block = b"".join(
        kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for kind, value in ((16, other), (10, contents))
    )
    assert named_groups(len(block).to_bytes(2, "big") + block) == tuple(groups)


@given(st.binary(max_size=200))
def test_whatever_a_server_sends_is_read_or_malformed(body: bytes) -> None:
    with suppress(MalformedPeerData):
        groups = named_groups(body)
        assert groups is None or 1 <= len(groups) <= MOST_GROUPS
    with suppress(MalformedPeerData):
        assert 0 <= early_data_size(body) < 1 << 32


@given(st.sampled_from([OPENSSL_NAMES_THREE, NGINX_NAMES_ALL]), st.data())
def test_a_message_that_is_cut_short_is_malformed(body: bytes, data: st.DataObject) -> None:
    with pytest.raises(MalformedPeerData):
        named_groups(body[: data.draw(st.integers(0, len(body) - 1))])
