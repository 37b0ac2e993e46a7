"""ClientHellos, byte by byte (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2, RFC 6101 section 5.6.1.2 for SSLv3).

One hello asks one thing: whether a server speaks this version. It is of the kind that every server sees from ordinary
clients, but with nearly all suites that there are, so that what a server answers is about the version and not about the
suites. A hello is made to be answered cheaply and to be left: it is never followed by the rest of a handshake.

What has broken servers in the field is kept out of every hello: more than 100 suites, a message of 256 to 511 bytes or
of a length that is 10 or 14 modulo 256, an empty last extension, TLS 1.3 without a session id, an address as a name.
Nothing here chooses anything at random: what has to be random is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

RANDOM_BYTES = 32
"""How many random bytes a hello takes, and how many its session id has where it has one."""

MOST_SUITES = 100
"""The most suites in a hello, the signalling value included: some servers refuse more than 128."""


class Version(IntEnum):
    """A protocol version as it is on the wire, lowest first."""

    SSL_3 = 0x0300
    TLS_1_0 = 0x0301
    TLS_1_1 = 0x0302
    TLS_1_2 = 0x0303
    TLS_1_3 = 0x0304

    @property
    def label(self) -> str:
        """The name by which people know it: `SSLv3`, `TLS 1.0` to `TLS 1.3`."""
        return "SSLv3" if self is Version.SSL_3 else f"TLS 1.{self - Version.TLS_1_0}"


_HANDSHAKE_HEADER = 4  # RFC 8446 section 4: type and length
_SIGNALLING = 0x00FF  # RFC 5746 section 3.3: every version may say so that it renegotiates securely


def _codes(*rows: str) -> tuple[int, ...]:
    return tuple(int(code, 16) for row in rows for code in row.split())


# Strongest first, so that a server which leaves the choice to its client shows the best that it has. ChaCha20 is the
# last of each list, for some servers turn their own order round for a client that likes it best.
_TLS_1_3 = _codes("1301 1302 1304 1305 1303")

# All that is not bound to TLS 1.2 by its hash or its mode, but for Kerberos, SRP, and static DSS; thus a server that
# speaks one of the old versions has nothing left to refuse the version for.
_OLD = _codes(
    "C009 C00A C013 C014 0033 0039 0032 0038 002F 0035",  # AES with ECDHE, DHE, RSA
    "0045 0088 0044 0087 0041 0084 009A 0099 0096",  # Camellia, SEED
    "C004 C005 C00E C00F 0031 0037 0043 0086 0098",  # keys fixed in the certificate
    "008C 008D 0090 0091 0094 0095 C035 C036",  # pre-shared keys
    "C008 C012 0016 0013 000A C003 C00D 0010 008B",  # 3DES
    "0007 C007 C011 0005 0004 0066 C002 C00C 008A",  # IDEA, RC4
    "0015 0012 0009 000F",  # DES
    "0014 0011 0008 0006 0003 000E 0062 0064 0063 0065",  # for export
    "C006 C010 C001 C00B 0002 0001 002C",  # no encryption
    "C018 C019 0034 003A 0046 0089 009B C017 001B C016 0018 001A 0019 0017 C015",  # nobody proves who they are
)

# TLS 1.2 has more than fit: of the rare ones (ARIA, keys fixed in the certificate, Camellia) the likelier are here.
_NEW = _codes(
    "C02B C02C C02F C030 009E 009F 00A2 00A3 009C 009D",  # AES-GCM
    "C0AC C0AD C0AE C0AF C09E C09F C0A2 C0A3 C09C C09D C0A0 C0A1",  # AES-CCM
    "C023 C024 C027 C028 0067 006B 0040 006A 003C 003D",  # AES-CBC with SHA-2
    "C086 C087 C08A C08B",  # Camellia-GCM
)
_CHACHA20 = _codes("CCA9 CCA8 CCAA")
_OLD_IN_1_2 = _codes(
    "C009 C00A C013 C014 0033 0039 0032 0038 002F 0035 0045 0088 0041 0084 0096",
    "C02D C02E C031 C032 C004 C005 C00E C00F",
    "C008 C012 0016 000A C007 C011 0005 0004 0015 0009 0014 0008 0006 0003 0062 0064",
    "C006 C010 003B 0002 0001",
    "00A6 00A7 006C 006D C018 C019 0034 003A 001B 0018 C015 0019 0017",
)
_LEFT_OUT_BESIDE_1_3 = _codes("C086 C087 C08A C08B")  # to make room for the suites of TLS 1.3

SUITES: Mapping[Version, tuple[int, ...]] = MappingProxyType(
    {
        Version.SSL_3: _OLD,
        Version.TLS_1_0: _OLD,
        Version.TLS_1_1: _OLD,
        Version.TLS_1_2: (*_NEW, *_OLD_IN_1_2, *_CHACHA20),
        Version.TLS_1_3: _TLS_1_3,
    }
)
"""The suites that may be agreed on under each version, of those that are ever offered, in the order of the offer."""

_BESIDE_1_3 = tuple(suite for suite in SUITES[Version.TLS_1_2] if suite not in _LEFT_OUT_BESIDE_1_3)

# RFC 8422 section 5.1.1 and RFC 8446 section 4.2.7: X25519, P-256, X448, P-384, P-521; then Brainpool (RFC 7027) and
# the older curves that servers have had. Only TLS 1.3 is told about finite fields (RFC 7919), for some servers of older
# versions would else refuse fields of their own, and about the hybrids with ML-KEM, which come last and cost nothing.
_CURVES = _codes("001D 0017 001E 0018 0019 001A 001B 001C 0016 0015 0013 000E 000D 000C 000B 000A 0009")
_FIELDS_AND_HYBRIDS = _codes("001F 0020 0021 0100 0101 0102 0103 0104 11EC 11EB 11ED")

# RFC 8446 section 4.2.3 and RFC 5246 section 7.4.1.4.1: EdDSA, ECDSA, RSA-PSS, RSA, DSA; SHA-2 before SHA-1.
_SIGNATURES = _codes(
    "0807 0808 0403 0503 0603 081A 081B 081C 0804 0805 0806 0809 080A 080B 0401 0501 0601",
    "0402 0502 0602 0303 0301 0302 0203 0201 0202",
)

_NAME, _GROUPS, _POINT_FORMATS, _SIGNATURE_ALGORITHMS, _PADDING = 0, 10, 11, 13, 21
_EXTENDED_MASTER_SECRET, _SUPPORTED_VERSIONS, _KEY_SHARE = 23, 43, 51

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class ClientHello:
    """A hello as it is sent, record header included, and what it offers.

    `version` is the highest version offered; `versions` are all that an answer may name, lowest first; `suites` are all
    suites, without the signalling value.
    """

    data: bytes
    version: Version
    versions: tuple[Version, ...]
    suites: tuple[int, ...]
    session_id: bytes


def client_hello(
    version: Version, *, random: bytes, session_id: bytes = bytes(RANDOM_BYTES), server_name: str | None = None
) -> ClientHello:
    """A hello that offers at most `version`, and for lack of it any lower one.

    `random` and `session_id` are 32 bytes each; the session id is sent with TLS 1.3 only (RFC 8446 appendix D.4).
    `server_name` becomes the SNI where it is a host name (`sni`) and the version has extensions.
    """
    if len(random) != RANDOM_BYTES or len(session_id) != RANDOM_BYTES:
        message = f"the random and the session id of a hello have {RANDOM_BYTES} bytes each"
        raise ValueError(message)
    identifier = session_id if version is Version.TLS_1_3 else b""
    name = None if version is Version.SSL_3 else sni(server_name)
    before, behind = _template(version, name)
    return ClientHello(
        data=b"".join((before, random, bytes((len(identifier),)), identifier, behind)),
        version=version,
        versions=tuple(sorted(lower for lower in Version if lower <= version)),
        suites=_offer(version),
        session_id=identifier,
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
    return all(
        not 256 <= counted <= 511 and counted % 256 not in (10, 14) for counted in (length, length - _HANDSHAKE_HEADER)
    )


@lru_cache(maxsize=256)
def _template(version: Version, name: str | None) -> tuple[bytes, bytes]:
    """A hello without its random and session id: what comes before, and what comes behind them."""
    identifier = RANDOM_BYTES if version is Version.TLS_1_3 else 0
    suites = b"".join(suite.to_bytes(2, "big") for suite in (*_offer(version), _SIGNALLING))
    behind = _vector(suites, 2) + _vector(b"\0", 1)  # no compression (RFC 3749 is never offered)
    fixed = _HANDSHAKE_HEADER + 2 + RANDOM_BYTES + 1 + identifier + len(behind)
    if version is not Version.SSL_3:
        extensions = _extensions(version, name)
        behind += _vector(extensions + _padding(fixed + 2 + len(extensions)), 2)
    length = _HANDSHAKE_HEADER + 2 + RANDOM_BYTES + 1 + identifier + len(behind)
    # RFC 8446 section 5.1: the version of the record is a low one, whatever is offered inside.
    record = b"\x16" + min(version, Version.TLS_1_0).to_bytes(2, "big") + length.to_bytes(2, "big")
    message = b"\x01" + (length - _HANDSHAKE_HEADER).to_bytes(3, "big")
    return record + message + min(version, Version.TLS_1_2).to_bytes(2, "big"), behind


def _offer(version: Version) -> tuple[int, ...]:
    if version is Version.TLS_1_3:
        return (*_TLS_1_3[:-1], *_BESIDE_1_3, _TLS_1_3[-1])
    return SUITES[version]


def _extensions(version: Version, name: str | None) -> bytes:
    """All extensions; the last of them is never an empty one."""
    found = []
    if name is not None:  # RFC 6066 section 3: one name of type host_name
        found.append(_extension(_NAME, _vector(b"\0" + _vector(name.encode("ascii"), 2), 2)))
    # RFC 7627: some servers insist on it.
    found.append(_extension(_EXTENDED_MASTER_SECRET, b""))
    found.append(_extension(_POINT_FORMATS, _vector(b"\0", 1)))  # RFC 8422 section 5.1.2: uncompressed
    groups = (*_CURVES, *_FIELDS_AND_HYBRIDS) if version is Version.TLS_1_3 else _CURVES
    if version >= Version.TLS_1_2:
        found.append(_extension(_SIGNATURE_ALGORITHMS, _list(_SIGNATURES, 2)))
    if version is Version.TLS_1_3:
        # RFC 8446 section 4.2.1: all that the suites are for; a server of TLS 1.2 that knows of 1.3 would refuse.
        offered = sorted((lower for lower in Version if lower is not Version.SSL_3), reverse=True)
        found.append(_extension(_SUPPORTED_VERSIONS, _list(offered, 1)))
        # RFC 8446 section 4.2.8: no share at all asks for a HelloRetryRequest, which costs nobody a key.
        found.append(_extension(_KEY_SHARE, _vector(b"", 2)))
    found.append(_extension(_GROUPS, _list(groups, 2)))
    return b"".join(found)


def _padding(length: int) -> bytes:
    """The padding (RFC 7685) that brings a hello of this length, which has extensions, to a tolerable one."""
    if tolerable(length):
        return b""
    added = 5  # the extension's own header, and a byte so that it is not empty
    while not tolerable(length + added):
        added += 1
    return _extension(_PADDING, bytes(added - 4))


def _extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _vector(body, 2)


def _list(codes: Iterable[int], prefix: int) -> bytes:
    return _vector(b"".join(code.to_bytes(2, "big") for code in codes), prefix)


def _vector(content: bytes, prefix: int) -> bytes:
    """A vector of RFC 8446 section 3.4: its length in `prefix` bytes, then its content."""
    return len(content).to_bytes(prefix, "big") + content
