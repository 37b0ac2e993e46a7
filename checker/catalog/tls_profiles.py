"""The catalogue of TLS profiles: what a standard asks of versions, suites and key sizes. Data, one YAML file each.

It judges nothing: what a server was seen to do is compared with a profile by a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

from checker.catalog.cipher_suites import cipher_suites

VersionName: TypeAlias = Literal["SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
SuiteClass: TypeAlias = Literal["broken", "3des", "no-forward-secrecy", "cbc", "sha1", "dhe"]
"""Classes of suites. broken: NULL, EXPORT, anonymous, RC4, RC2, DES, MD5; sha1: as the MAC of the record."""


@dataclass(frozen=True, slots=True)
class ProfileVersions:
    """Versions that shall be spoken, shall be preferred where both peers can, shall not and should not be spoken."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    required: tuple[VersionName, ...] = ()
    preferred: tuple[VersionName, ...] = ()
    forbidden: tuple[VersionName, ...] = ()
    discouraged: tuple[VersionName, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileSuites:
    """Suites that shall all be accepted, by name, and classes of suites that shall not or should not be.

    Where `also_permitted` is given, below TLS 1.3 nothing but those and the required ones is permitted.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    required: tuple[str, ...] = ()
    also_permitted: tuple[str, ...] = ()
    forbidden: tuple[SuiteClass, ...] = ()
    discouraged: tuple[SuiteClass, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsProfile:
    """One profile. `source` names standard and section; `retired` ones may still be what a device was made for.

    `dhe_bits` is the least size of a finite field in bits, `ecdhe_strength` the least strength of a curve in bits.
    `not_shown` is what it asks that hellos of policy depth leave open: such a profile cannot be seen to be kept.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    id: str
    title: str
    source: str
    retired: bool = False
    versions: ProfileVersions = ProfileVersions()
    suites: ProfileSuites = ProfileSuites()
    dhe_bits: int | None = None
    ecdhe_strength: int | None = None
    not_shown: str | None = None


def read_profile(text: str) -> TlsProfile:
    """One profile from the YAML text of its file; `ValueError` where it is not valid or contradicts itself."""
    # Here and not at the top, for they cost more than all the rest, and most of a program's starts meet no TLS.
    import yaml
    from pydantic import TypeAdapter

    profile = TypeAdapter(TlsProfile).validate_python(yaml.safe_load(text))
    names = {suite.name for suite in cipher_suites().values()}
    unheard_of = [name for name in (*profile.suites.required, *profile.suites.also_permitted) if name not in names]
    if unheard_of:
        message = f"profile {profile.id} names {unheard_of[0]}, which is no suite of the catalogue"
        raise ValueError(message)
    versions = profile.versions
    named = (*versions.required, *versions.preferred, *versions.forbidden, *versions.discouraged)
    if len(set(named)) < len(named):
        message = f"profile {profile.id} names a version twice"
        raise ValueError(message)
    lists = profile.suites.also_permitted or profile.ecdhe_strength is not None
    if lists and profile.not_shown is None:
        message = (
            f"profile {profile.id} asks what is not shown, a whole list of suites or of curves, and does not say so"
        )
        raise ValueError(message)
    return profile


@cache
def tls_profiles() -> Mapping[str, TlsProfile]:
    """Every profile of the catalogue by its id, such as `B.12`; `ValueError` where an id comes twice."""
    folder = files("checker.catalog") / "tls_profiles"
    texts = sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml"))
    profiles = [read_profile(text) for _name, text in texts]
    if len({profile.id for profile in profiles}) < len(profiles):
        message = "a profile comes twice"
        raise ValueError(message)
    return MappingProxyType({profile.id: profile for profile in profiles})
