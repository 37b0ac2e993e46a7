"""What is overheard in a session: no message that a server could send ends a handshake or stays in memory."""

from __future__ import annotations

import gc
import ssl
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.tls_post_hello import ENCRYPTED_EXTENSIONS, MOST_BODY, NEW_SESSION_TICKET
from checker.net.tls import TlsStream
from checker.net.tls_context import (
    GROUPS,
    OwnCertificate,
    _note_message,
    can_overhear,
    code_points,
    overheard,
    permissive_context,
    usable_certificate,
)

HANDSHAKE, ALERT = 22, 21
HEADER = bytes(4)
TWO_GROUPS = bytes.fromhex("000a 000a 0006 0004 0018 001d")


def stream(**options: object) -> TlsStream:
    """A session that has sent and heard nothing yet; nothing is asked of its connection."""
    return TlsStream(None, server_name="archive.example.org", **options)  # type: ignore[arg-type]


def hear(session: TlsStream, kind: int, body: bytes, *, direction: str = "read", content: int = HANDSHAKE) -> None:
    _note_message(session._tls, direction, ssl.TLSVersion.TLSv1_3, content, kind, HEADER + body)


def test_the_groups_that_were_overheard_are_told() -> None:
    session = stream()
    hear(session, ENCRYPTED_EXTENSIONS, TWO_GROUPS)
    assert session.supported_groups == (24, 29)
    assert stream().supported_groups == ()


@given(st.binary(max_size=60))
def test_whatever_was_overheard_is_told_or_unknown(body: bytes) -> None:
    session = stream()
    hear(session, ENCRYPTED_EXTENSIONS, body)
    hear(session, NEW_SESSION_TICKET, body)
    assert isinstance(session.supported_groups, tuple)
    assert session.early_data is None  # the handshake is not complete, so this is no ticket of TLS 1.3
    assert session.ticket_seen


def test_the_first_message_of_a_kind_counts_and_what_we_said_does_not() -> None:
    session = stream()
    hear(session, ENCRYPTED_EXTENSIONS, bytes.fromhex("0008 000a 0004 0002 0019"), direction="write")
    hear(session, ENCRYPTED_EXTENSIONS, TWO_GROUPS)
    hear(session, ENCRYPTED_EXTENSIONS, bytes.fromhex("0008 000a 0004 0002 0019"))
    assert session.supported_groups == (24, 29)
    assert overheard(stream()._tls).kinds == set()


def test_no_message_is_kept_that_is_too_long_or_of_no_use() -> None:
    session = stream()
    hear(session, ENCRYPTED_EXTENSIONS, bytes(MOST_BODY + 1))
    hear(session, 11, b"a certificate")
    heard = overheard(session._tls)
    assert heard.kinds == {ENCRYPTED_EXTENSIONS, 11}
    assert heard.bodies == {}
    assert session.supported_groups == ()


def test_only_a_fatal_alert_is_one() -> None:
    session = stream()
    for data in (b"\1\x70", b"\2", b"", b"\2\x78\0"):
        _note_message(session._tls, "read", None, ALERT, 0, data)
        assert overheard(session._tls).alert is None
    _note_message(session._tls, "read", None, ALERT, 120, b"\2\x78")
    assert overheard(session._tls).alert == 120


@pytest.mark.parametrize("owner", [None, "nobody", ssl.MemoryBIO()])
def test_what_is_not_understood_is_passed_over(owner: object) -> None:
    _note_message(owner, "read", None, HANDSHAKE, 8, HEADER)
    session = stream()
    for kind, data in (("a name", HEADER), (8, None), (8, "text"), (None, b"")):
        _note_message(session._tls, "read", None, HANDSHAKE, kind, data)
    assert overheard(session._tls).bodies == {}


def test_nothing_is_kept_of_a_session_that_is_over() -> None:
    session = stream()
    hear(session, NEW_SESSION_TICKET, bytes(100))
    key, value = ref(session._tls), ref(overheard(session._tls))
    del session
    gc.collect()
    assert key() is None
    assert value() is None


def test_there_is_one_context_for_each_choice() -> None:
    plain = permissive_context(None, (), None)
    assert stream()._context is plain
    assert stream(group="secp384r1")._context is stream(group="secp384r1")._context is not plain
    assert stream(alpn=("h2",))._context is not stream(alpn=("http/1.1",))._context
    assert can_overhear()
    for context in (stream(group=group)._context for group in GROUPS):
        assert context.verify_mode is ssl.CERT_NONE
        assert context._msg_callback is not None  # type: ignore[attr-defined]  # a private hook


def test_suites_have_their_code_points() -> None:
    assert code_points()["TLS_AES_128_GCM_SHA256"] == 0x1301
    assert code_points()["ECDHE-RSA-AES256-GCM-SHA384"] == 0xC030


def test_there_is_no_session_and_nothing_resumed_before_a_handshake() -> None:
    session = stream()
    assert session.session is None
    assert not session.session_reused
    assert session.alpn is None


def test_a_certificate_of_ours_that_is_not_there_names_no_place() -> None:
    with pytest.raises(ValueError, match="our certificate and its key cannot be used: No such file") as caught:
        usable_certificate(OwnCertificate("/nowhere/synthetic.crt", "/nowhere/synthetic.key"))
    assert "nowhere" not in str(caught.value)
