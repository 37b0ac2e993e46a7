"""What a ClientHello offers where nobody says otherwise: versions, suites, groups and signatures, as data.

The lists are wide, so that what a server answers is about what is asked and not about what it misses, and each is in
the order of the offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


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
"""The suites that may be agreed on under each version, of those that are usually offered, in the order of the offer."""

_BESIDE_1_3 = tuple(suite for suite in SUITES[Version.TLS_1_2] if suite not in _LEFT_OUT_BESIDE_1_3)

OFFERS: Mapping[Version, tuple[int, ...]] = MappingProxyType(
    {**SUITES, Version.TLS_1_3: (*_TLS_1_3[:-1], *_BESIDE_1_3, _TLS_1_3[-1])}
)
"""The suites in a hello that offers at most this version and any lower one, in the order of the offer."""

CHACHA20 = frozenset(_codes("1303 CC13 CC14 CC15 CCA8 CCA9 CCAA CCAB CCAC CCAD CCAE"))
"""All suites with ChaCha20, those of the drafts included (RFC 7905, RFC 8446 appendix B.4)."""

# RFC 8422 section 5.1.1 and RFC 8446 section 4.2.7: X25519, P-256, X448, P-384, P-521; then Brainpool (RFC 7027) and
# the older curves that servers have had.
_CURVES_OF_ALL = _codes("001D 0017 001E 0018 0019")
CURVES = (*_CURVES_OF_ALL, *_codes("001A 001B 001C 0016 0015 0013 000E 000D 000C 000B 000A 0009"))
"""The named groups in a hello of TLS 1.0 to 1.2: curves only."""

FINITE_FIELDS = _codes("0100 0101 0102 0103 0104")
"""The named fields of RFC 7919.

Beside older versions they are named where it is asked just for them: some servers agree on DHE with nobody who names
none, and others would refuse a field of their own to somebody who does.
"""

# Brainpool as TLS 1.3 has it (RFC 8734), and the hybrids with ML-KEM, which come last and cost nothing.
_OF_1_3 = (*_codes("001F 0020 0021"), *FINITE_FIELDS, *_codes("11EC 11EB 11ED"))

GROUPS_1_3 = (*CURVES, *_OF_1_3)
"""The named groups in a hello that offers TLS 1.3 and older versions."""

GROUPS_1_3_ALONE = (*_CURVES_OF_ALL, *_OF_1_3)
"""The same in one that offers TLS 1.3 alone: the older curves must not be named then (RFC 8446 section 4.2.7)."""

# EdDSA, ECDSA, RSA-PSS, RSA, DSA; SHA-2 before SHA-1.
SIGNATURES = _codes(
    "0807 0808 0403 0503 0603 081A 081B 081C 0804 0805 0806 0809 080A 080B 0401 0501 0601",
    "0402 0502 0602 0303 0301 0302 0203 0201 0202",
)
"""The signature schemes in a hello of TLS 1.2 or 1.3 (RFC 8446 section 4.2.3, RFC 5246 section 7.4.1.4.1)."""
