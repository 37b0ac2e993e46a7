"""The catalogue of TLS cipher suites: what each code point of IANA's registry means. Data, read when first asked.

It judges nothing: which suites are weak is for the rules to say, from the properties that are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

KeyExchange: TypeAlias = Literal["RSA", "DH", "DHE", "ECDH", "ECDHE", "PSK", "KRB5", "SRP", "ECCPWD", "GOST", "any"]
Authentication: TypeAlias = Literal["RSA", "DSS", "ECDSA", "anon", "PSK", "KRB5", "SRP", "ECCPWD", "GOST", "any"]

Mac: TypeAlias = Literal["MD5", "SHA", "SHA256", "SHA384", "OMAC", "IMIT", "AEAD"]

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


def suite_name(code: int) -> str | None:
    """The name that IANA gives a code point, such as `TLS_AES_128_GCM_SHA256`; None where the catalogue has none."""
    suite = cipher_suites().get(code)
    return None if suite is None else suite.name
