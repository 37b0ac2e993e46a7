"""The catalogue of TLS cipher suites: what each code point of IANA's registry means. Data, read when first asked.

It judges nothing: which suites are weak is for the rules to say, from the properties that are here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

KeyExchange: TypeAlias = Literal["RSA", "DH", "DHE", "ECDH", "ECDHE", "PSK", "KRB5", "SRP", "ECCPWD", "GOST", "any"]
Authentication: TypeAlias = Literal["RSA", "DSS", "ECDSA", "anon", "PSK", "KRB5", "SRP", "ECCPWD", "GOST", "any"]

Mac: TypeAlias = Literal["MD5", "SHA", "SHA256", "SHA384", "OMAC", "IMIT", "AEAD"]

# Bits of a key that are secret, where the name of the cipher does not say it. 3DES after NIST SP 800-57 part 1 revision
# 3 table 2; GOST 28147-89, Magma and Kuznyechik after RFC 9189 section 4.
_STRENGTHS = {
    "NULL": 0,
    "DES40_CBC": 40,
    "DES_CBC": 56,
    "3DES_EDE_CBC": 112,
    "IDEA_CBC": 128,
    "SEED_CBC": 128,
    "SM4_GCM": 128,
    "SM4_CCM": 128,
    "AEGIS_128L": 128,
    "AEGIS_128X2": 128,
    "CHACHA20_POLY1305": 256,
    "KUZNYECHIK_CTR": 256,
    "MAGMA_CTR": 256,
    "28147_CNT": 256,
    "KUZNYECHIK_MGM_L": 256,
    "MAGMA_MGM_L": 256,
    "KUZNYECHIK_MGM_S": 256,
    "MAGMA_MGM_S": 256,
}
_KEY_SIZE = re.compile(r"_(40|56|128|256)(?:_|$)")

_FORWARD_SECRET = frozenset({"DHE", "ECDHE", "SRP", "ECCPWD", "any"})


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """One suite. `encryption` is cipher and mode such as `AES_128_GCM`, or `NULL`; `mac` a hash, or `AEAD`.

    `any` means that the suite leaves it to other parts of the handshake, as all of TLS 1.3 do (RFC 8446 section 4.1.1).
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    code: int
    name: str
    key_exchange: KeyExchange
    authentication: Authentication
    encryption: str
    mac: str
    export: bool = False

    @property
    def forward_secrecy(self) -> bool:
        """Whether the keys of a full handshake die with it: the exchange is ephemeral, signed or not."""
        return self.key_exchange in _FORWARD_SECRET

    @property
    def anonymous(self) -> bool:
        """Whether nobody proves who they are, so that anyone in the middle can read along."""
        return self.authentication == "anon"

    @property
    def strength(self) -> int:
        """How many bits of the encryption's key are secret: 0 for none, 40 or 56 for what was made for export.

        It says nothing of how well the cipher holds: RC4 has 128 and is broken (RFC 7465).
        """
        return encryption_strength(self.encryption)


@cache
def encryption_strength(encryption: str) -> int:
    """The secret bits of the key of a cipher and mode, 128 of `AES_128_GCM`; `ValueError` for an unknown one."""
    known = _STRENGTHS.get(encryption)
    if known is not None:
        return known
    found = _KEY_SIZE.search(encryption)
    if found is None:
        message = f"the strength of {encryption} is not known"
        raise ValueError(message)
    return int(found[1])


def read_suites(text: str) -> tuple[CipherSuite, ...]:
    """The suites of a catalogue file, in its order; `ValueError` where it is not valid or has a code or name twice."""
    # Here and not at the top, for they cost more than all the rest, and most of a program's starts meet no TLS.
    import yaml
    from pydantic import TypeAdapter

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser in C, where it is there
    suites = TypeAdapter(tuple[CipherSuite, ...]).validate_python(yaml.load(text, loader)["suites"])  # noqa: S506
    for suite in suites:
        if not 0 < suite.code <= 0xFFFF:
            message = f"{suite.name} has the code {suite.code}, which does not fit into two bytes"
            raise ValueError(message)
    if len({suite.code for suite in suites}) < len(suites) or len({suite.name for suite in suites}) < len(suites):
        message = "a code or a name comes twice"
        raise ValueError(message)
    return suites


@cache
def cipher_suites() -> Mapping[int, CipherSuite]:
    """Every suite of the catalogue by its code point."""
    text = (files("checker.catalog") / "cipher_suites.yaml").read_text("utf-8")
    return MappingProxyType({suite.code: suite for suite in read_suites(text)})


def cipher_suite(code: int | None) -> CipherSuite | None:
    """The suite with this code point; None where the catalogue has none."""
    return None if code is None else cipher_suites().get(code)


@cache
def _by_name() -> Mapping[str, CipherSuite]:
    return MappingProxyType({suite.name: suite for suite in cipher_suites().values()})


def suite_named(name: str | None) -> CipherSuite | None:
    """The suite with this name of IANA's; None where the catalogue has none."""
    return None if name is None else _by_name().get(name)


def suite_name(code: int) -> str | None:
    """The name that IANA gives a code point, such as `TLS_AES_128_GCM_SHA256`; None where the catalogue has none."""
    suite = cipher_suites().get(code)
    return None if suite is None else suite.name
