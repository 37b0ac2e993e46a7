"""The catalogue of TLS signature schemes: what each code point of IANA's registry means. Data, read when first asked.

It judges nothing: which schemes are weak is for the rules to say, from the properties that are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

Algorithm: TypeAlias = Literal[
    "RSA", "DSA", "ECDSA", "RSA-PSS", "EdDSA", "ECCSI", "IBS", "SM2", "GOST", "ML-DSA", "SLH-DSA"
]
Hash: TypeAlias = Literal["MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SM3", "intrinsic"]


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """One scheme. `algorithm` `RSA` is PKCS #1 v1.5; `hash` is `intrinsic` where the algorithm has its own."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    code: int
    name: str
    algorithm: Algorithm
    hash: Hash
    post_quantum: bool = False


def read_schemes(text: str) -> tuple[SignatureScheme, ...]:
    """The schemes of a catalogue file, in its order; `ValueError` where it is not valid or has a code or name twice."""
    # Here and not at the top, for they cost more than all the rest, and most of a program's starts meet no TLS.
    import yaml
    from pydantic import TypeAdapter

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser in C, where it is there
    schemes = TypeAdapter(tuple[SignatureScheme, ...]).validate_python(yaml.load(text, loader)["schemes"])  # noqa: S506
    for scheme in schemes:
        if not 0 < scheme.code <= 0xFFFF:
            message = f"{scheme.name} has the code {scheme.code}, which does not fit into two bytes"
            raise ValueError(message)
    if len({scheme.code for scheme in schemes}) < len(schemes) or len({scheme.name for scheme in schemes}) < len(
        schemes
    ):
        message = "a code or a name comes twice"
        raise ValueError(message)
    return schemes


@cache
def signature_schemes() -> Mapping[int, SignatureScheme]:
    """Every scheme of the catalogue by its code point."""
    text = (files("checker.catalog") / "signature_schemes.yaml").read_text("utf-8")
    return MappingProxyType({scheme.code: scheme for scheme in read_schemes(text)})


def signature_scheme(code: int | None) -> SignatureScheme | None:
    """The scheme with this code point; None where the catalogue has none."""
    return None if code is None else signature_schemes().get(code)


def signature_name(code: int) -> str:
    """The name of a code point, such as `rsa_pss_rsae_sha256`; its number, such as `0x1234`, where it has none."""
    scheme = signature_schemes().get(code)
    return scheme.name if scheme is not None else f"0x{code:04X}"
