"""Pure: what a TLS 1.3 server says once it is encrypted, out of messages that somebody else decrypted.

Takes the bodies of handshake messages, without their headers (RFC 8446 section 4). Judges nothing and opens nothing.
Everything that is not as the standard writes it is MalformedPeerData, whose message never holds a byte of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from checker.codecs.tls_cursor import Cursor
from checker.errors import MalformedPeerData

ENCRYPTED_EXTENSIONS, NEW_SESSION_TICKET = 8, 4
"""The types of the messages that are read here, RFC 8446 section 4."""

MOST_BODY = 1 << 14
"""No body longer than this is read: neither message is anywhere near it."""

MOST_GROUPS = 128
"""No list of groups is longer than this: the registry has fewer."""

_SUPPORTED_GROUPS, _EARLY_DATA = 10, 42  # RFC 8446 section 4.2
_GROUP = 2  # bytes


def named_groups(encrypted_extensions: bytes) -> tuple[int, ...] | None:
    """The code points of the groups that a server names in EncryptedExtensions, in its order; None where it names none.

    RFC 8446 section 4.2.7: it may name all that it has, so that its client can choose better the next time. OpenSSL
    does so where the key that it was offered is of another group than the one that it likes best; others never do.
    """
    cursor = Cursor(_bounded(encrypted_extensions))
    found = _extension(cursor, _SUPPORTED_GROUPS)
    if found is None:
        return None
    inner = Cursor(found)
    groups = inner.filled(2)
    inner.end()
    if len(groups) % _GROUP:
        raise MalformedPeerData("a list of groups of an odd length")
    if len(groups) > MOST_GROUPS * _GROUP:
        raise MalformedPeerData("a list of too many groups")
    points = (int.from_bytes(groups[at : at + _GROUP], "big") for at in range(0, len(groups), _GROUP))
    return tuple(dict.fromkeys(points))


def early_data_size(new_session_ticket: bytes) -> int:
    """How many bytes of early data (0-RTT) a ticket of TLS 1.3 lets its client send; 0 for none.

    RFC 8446 sections 4.6.1 and 4.2.10. A NewSessionTicket of TLS 1.2 is another message and must not be given.
    """
    cursor = Cursor(_bounded(new_session_ticket))
    cursor.take(8)  # ticket_lifetime, ticket_age_add
    cursor.vector(1)  # ticket_nonce
    cursor.filled(2)  # ticket
    found = _extension(cursor, _EARLY_DATA)
    if found is None:
        return 0
    inner = Cursor(found)
    size = inner.number(4)
    inner.end()
    return size


def _bounded(body: bytes) -> bytes:
    if len(body) > MOST_BODY:
        raise MalformedPeerData("a handshake message that is too long")
    return body


def _extension(cursor: Cursor, wanted: int) -> bytes | None:
    """The contents of one extension of the list that ends the message; None where it is not in it."""
    found = dict[int, bytes]()
    for kind, contents in _extensions(cursor.vector(2)):
        if kind in found:  # RFC 8446 section 4.2: not more than one of a type
            raise MalformedPeerData("an extension that comes twice")
        found[kind] = contents
    cursor.end()
    return found.get(wanted)


def _extensions(block: bytes) -> Iterator[tuple[int, bytes]]:
    cursor = Cursor(block)
    while cursor.left:
        yield cursor.number(2), cursor.vector(2)
