"""ClientHellos, byte by byte (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2, RFC 6101 section 5.6.1.2 for SSLv3).

One hello asks one thing, such as whether a server speaks a version, or which of some suites it likes best. It is of
the kind that every server sees from ordinary clients, and is made to be answered cheaply and to be left: it is never
followed by the rest of a handshake.

What has broken servers in the field is kept out of every hello, whatever is asked for: more than 100 suites, a
message of 256 to 511 bytes or of a length that is 10 or 14 modulo 256, an empty last extension, TLS 1.3 without a
session id, an address as a name. Nothing here chooses anything at random: what has to be random is an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from checker.codecs import tls_client_extensions as wire
from checker.codecs.tls_offers import (
    CHACHA20,
    CURVES,
    GROUPS_1_3,
    GROUPS_1_3_ALONE,
    OFFERS,
    SIGNATURES,
    SUITES,
    Version,
)

__all__ = [
    "MOST_SUITES",
    "PLAIN",
    "RANDOM_BYTES",
    "SUITES",
    "ClientHello",
    "Extras",
    "Version",
    "client_hello",
    "sni",
    "tolerable",
]

RANDOM_BYTES = 32
"""How many random bytes a hello takes, and how many its session id has where it has one."""

MOST_SUITES = 100
"""The most suites in a hello, the signalling values included: some servers refuse more than 128."""

_HANDSHAKE_HEADER = 4  # RFC 8446 section 4: type and length
_DEFLATE = 1  # RFC 3749 section 2
# Lengths on which servers choke: 256 to 511, and those that leave one of two remainders.
_SHORT, _LONG = 255, 511
_CHOKING = (10, 14)
# By whether it renegotiates securely (RFC 5746 section 3.3) and whether it is a fallback (RFC 7507 section 4).
_SIGNALLING: dict[tuple[bool, bool], tuple[int, ...]] = {
    (False, False): (),
    (True, False): (0x00FF,),
    (False, True): (0x5600,),
    (True, True): (0x00FF, 0x5600),
}

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Extras:
    """What a hello asks for besides versions, suites, groups and signatures. The defaults are those of a plain hello.

    `versions`: exactly what supported_versions names, for a hello of TLS 1.3 only, so that it alone can be asked for.
    None: all but SSLv3. `session_id`: one with TLS 1.2 and older too, for servers that drop a hello that has none;
    SSLv3's may be a short one. `deflate`: DEFLATE is offered as compression (RFC 3749), not with TLS 1.3. `fallback`:
    the signalling value of RFC 7507. `renegotiation`: that of RFC 5746. `status_request`: a stapled OCSP response is
    asked for (RFC 6066 section 8). `encrypt_then_mac`: RFC 7366, without which some servers refuse all of CBC, and with
    it every version below TLS 1.2. `session_ticket`: an empty ticket (RFC 5077). `alpn`: the protocols of RFC 7301, in
    ASCII, such as `("h2", "http/1.1")`. `chacha20_last`: suites with ChaCha20 are moved behind all others, for some
    servers turn their own order round for a client that names one first.
    """

    versions: tuple[Version, ...] | None = None
    session_id: bool = False
    deflate: bool = False
    fallback: bool = False
    renegotiation: bool = True
    extended_master_secret: bool = True
    encrypt_then_mac: bool = True
    status_request: bool = False
    session_ticket: bool = False
    alpn: tuple[str, ...] = ()
    chacha20_last: bool = True


PLAIN = Extras()
"""A hello that asks for nothing besides."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """A hello as it is sent, record header included, and what it offers.

    `version` is the highest version offered; `versions` are all that an answer may name, lowest first; `suites` are all
    suites in the order in which they are sent, without the signalling values; `compressions` all methods; `groups` all
    named groups, none where the hello names none.
    """

    data: bytes
    version: Version
    versions: tuple[Version, ...]
    suites: tuple[int, ...]
    session_id: bytes
    compressions: tuple[int, ...] = (0,)
    groups: tuple[int, ...] = ()


def client_hello(
    version: Version,
    *,
    random: bytes,
    session_id: bytes = bytes(RANDOM_BYTES),
    server_name: str | None = None,
    suites: tuple[int, ...] | None = None,
    groups: tuple[int, ...] | None = None,
    signatures: tuple[int, ...] | None = None,
    extras: Extras = PLAIN,
) -> ClientHello:
    """A hello that offers at most `version`, and for lack of it any lower one.

    `random` and `session_id` are 32 bytes each; the session id is sent with TLS 1.3 (RFC 8446 appendix D.4) and where
    `extras` ask for it. `server_name` becomes the SNI where it is a host name (`sni`) and the version has extensions.
    `suites`, `groups` and `signatures` are IANA code points, most liked first; None offers the usual ones. No groups at
    all, `()`, leaves supported_groups out, for servers that choke on it; likewise no signatures.

    Raises ValueError for what cannot be asked: a random of another length, no suite or more than fit with the
    signalling values into `MOST_SUITES`, one twice, TLS 1.3 without groups or signatures or with DEFLATE, versions that
    do not go up to `version` or for a hello below TLS 1.3.
    """
    if len(random) != RANDOM_BYTES or len(session_id) != RANDOM_BYTES:
        message = f"the random and the session id of a hello have {RANDOM_BYTES} bytes each"
        raise ValueError(message)
    template = _template(version, server_name, suites, groups, signatures, extras)
    identifier = session_id[: template.session_id_bytes]
    return ClientHello(
        data=b"".join((template.before, random, template.session_id_length, identifier, template.behind)),
        version=version,
        versions=template.versions,
        suites=template.suites,
        session_id=identifier,
        compressions=template.compressions,
        groups=template.groups,
    )


def sni(host: str | None) -> str | None:
    """The name to send as SNI (RFC 6066 section 3): in lower case, without a dot at its end.

    None for no name, an address, in whatever notation, and what cannot be a host name in ASCII.
    """
    if host is None:
        return None
    name = host.lower().removesuffix(".")
    if len(name) > 253 or not _HOST_NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
        return None
    return name


def tolerable(length: int) -> bool:
    """Whether no server is known to choke on a hello of this length, in bytes without the record header.

    The limits are known from servers in the field, partly of the message and partly of its body; both are kept.
    """
    body = length - _HANDSHAKE_HEADER
    return not ((length > _SHORT and body <= _LONG) or length % 256 in _CHOKING or body % 256 in _CHOKING)


@dataclass(frozen=True, slots=True)
class _Template:
    """A hello without its random and session id: what comes before, and what comes behind them, and what it offers."""

    before: bytes
    behind: bytes
    session_id_bytes: int
    session_id_length: bytes  # as on the wire
    versions: tuple[Version, ...]
    suites: tuple[int, ...]
    compressions: tuple[int, ...]
    groups: tuple[int, ...]


@lru_cache(maxsize=1024)
def _template(
    version: Version,
    server_name: str | None,
    suites: tuple[int, ...] | None,
    groups: tuple[int, ...] | None,
    signatures: tuple[int, ...] | None,
    extras: Extras,
) -> _Template:
    offered = _offer(version, suites, extras)
    compressions = _compressions(version, extras)
    sent = offered + _SIGNALLING[extras.renegotiation, extras.fallback]
    behind = wire.codes(sent, 2) + wire.vector(bytes(compressions), 1)
    before = _HANDSHAKE_HEADER + 2 + RANDOM_BYTES + 1
    identifier = RANDOM_BYTES if extras.session_id or version is Version.TLS_1_3 else 0
    named: tuple[int, ...] = ()
    empty = filled = b""
    name = None
    if version is not Version.SSL_3:  # RFC 6101 has no extensions
        name = sni(server_name)
        named = _groups(version, groups, extras)
        empty, filled = _extensions(version, named, signatures, extras)
    if name is not None:
        empty = wire.server_name(name) + empty
    if empty or filled:
        length = before + identifier + len(behind) + 2 + len(empty) + len(filled)
        behind += wire.vector(empty + filled + _padding(length, needed=not filled), 2)
    else:
        identifier = min(identifier, _SHORT - before - len(behind))  # for nothing can be padded
    length = before + identifier + len(behind)
    # RFC 8446 section 5.1: the version of the record is a low one, whatever is offered inside.
    record = b"\x16" + min(version, Version.TLS_1_0).to_bytes(2, "big") + length.to_bytes(2, "big")
    message = b"\x01" + (length - _HANDSHAKE_HEADER).to_bytes(3, "big")
    return _Template(
        before=record + message + min(version, Version.TLS_1_2).to_bytes(2, "big"),
        behind=behind,
        session_id_bytes=identifier,
        session_id_length=bytes((identifier,)),
        versions=_versions(version, extras),
        suites=offered,
        compressions=compressions,
        groups=named,
    )


def _versions(version: Version, extras: Extras) -> tuple[Version, ...]:
    """All that an answer may name, lowest first."""
    if extras.versions is None:
        return tuple(lower for lower in Version if lower <= version)
    if version is not Version.TLS_1_3 or max(extras.versions, default=None) is not version:
        message = "supported_versions is for TLS 1.3 and names it"
        raise ValueError(message)
    return tuple(sorted(set(extras.versions)))


def _offer(version: Version, suites: tuple[int, ...] | None, extras: Extras) -> tuple[int, ...]:
    if suites is None:
        suites = OFFERS[version] if extras.versions != (Version.TLS_1_3,) else SUITES[version]
    room = MOST_SUITES - extras.renegotiation - extras.fallback
    if not 0 < len(suites) <= room or len(set(suites)) < len(suites):
        message = f"a hello has 1 to {room} different suites besides its signalling values, and not {len(suites)}"
        raise ValueError(message)
    if extras.chacha20_last:
        return tuple(sorted(suites, key=CHACHA20.__contains__))
    return suites


def _compressions(version: Version, extras: Extras) -> tuple[int, ...]:
    if not extras.deflate:
        return (0,)
    if version is Version.TLS_1_3:  # RFC 8446 section 4.1.2: a server must refuse
        message = "TLS 1.3 has no compression"
        raise ValueError(message)
    return (_DEFLATE, 0)


def _groups(version: Version, groups: tuple[int, ...] | None, extras: Extras) -> tuple[int, ...]:
    if groups is not None:
        return groups
    if version is not Version.TLS_1_3:
        return CURVES
    return GROUPS_1_3_ALONE if extras.versions == (Version.TLS_1_3,) else GROUPS_1_3


@lru_cache(maxsize=256)
def _extensions(
    version: Version, groups: tuple[int, ...], signatures: tuple[int, ...] | None, extras: Extras
) -> tuple[bytes, bytes]:
    """The extensions but for the name: first the empty ones, then the others."""
    empty = wire.empty_ones(
        extended_master_secret=extras.extended_master_secret,
        encrypt_then_mac=extras.encrypt_then_mac,
        session_ticket=extras.session_ticket,
    )
    newest = version is Version.TLS_1_3
    if signatures is None:
        signatures = SIGNATURES if version >= Version.TLS_1_2 else ()
    if newest and not (groups and signatures):  # RFC 8446 section 9.2: a server must refuse
        message = "a hello of TLS 1.3 names groups and signatures"
        raise ValueError(message)
    found = []
    if extras.status_request:
        found.append(wire.status_request())
    if extras.alpn:
        found.append(wire.alpn(extras.alpn))
    if groups:
        found.append(wire.point_formats())
    if signatures:
        found.append(wire.signature_algorithms(signatures))
    if newest:
        # RFC 8446 section 4.2.1: all that the suites are for; a server of TLS 1.2 that knows of 1.3 would refuse.
        named = extras.versions or tuple(lower for lower in Version if lower is not Version.SSL_3)
        found.append(wire.supported_versions(sorted(named, reverse=True)))
        found.append(wire.no_key_share())
    if groups:
        found.append(wire.supported_groups(groups))
    return empty, b"".join(found)


def _padding(length: int, *, needed: bool) -> bytes:
    """The padding that brings a hello of this length, which has extensions, to a tolerable one; never an empty one."""
    if not needed and tolerable(length):
        return b""
    added = 5  # the extension's own header, and a byte so that it is not empty
    if length + added > _SHORT:
        added = max(added, _LONG + 1 + _HANDSHAKE_HEADER - length)
    while not tolerable(length + added):
        added += 1
    return wire.padding(added)
