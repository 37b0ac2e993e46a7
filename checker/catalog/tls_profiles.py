"""The catalogue of TLS profiles: what a standard asks of versions, suites, groups and certificates. Data, a file each.

It judges nothing: what a server was seen to do is compared with a profile by a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

from checker.catalog.cipher_suites import cipher_suites
from checker.catalog.named_groups import named_groups

VersionName: TypeAlias = Literal["SSLv2", "SSLv3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
SuiteClass: TypeAlias = Literal["broken", "3des", "no-forward-secrecy", "cbc", "sha1", "dhe"]
"""Classes of suites. broken: NULL, EXPORT, anonymous, RC4, RC2, DES, MD5; sha1: as the MAC of the record."""
KeyType: TypeAlias = Literal["RSA", "EC", "DSA"]
ExtensionName: TypeAlias = Literal["secure-renegotiation", "extended-master-secret", "encrypt-then-mac"]
"""Extensions of the versions below TLS 1.3 (RFC 5746, RFC 7627, RFC 7366)."""


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

    Where `also_permitted` is given, nothing but those and the required ones is permitted: below TLS 1.3, and under TLS
    1.3 as well where one of all these is a suite of TLS 1.3.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    required: tuple[str, ...] = ()
    also_permitted: tuple[str, ...] = ()
    forbidden: tuple[SuiteClass, ...] = ()
    discouraged: tuple[SuiteClass, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileCertificates:
    """What the certificate of the server shall be.

    `keys` has the kinds of keys that are permitted, with their least size in bits; `hashes` those of the signature.
    `curves` are those that a key of EC should be on, `advised_days` how long it should be valid at most. `host_names`:
    whether it shall have a subject alternative name of a host.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    keys: Mapping[KeyType, int]
    hashes: tuple[str, ...]
    curves: tuple[str, ...] = ()
    advised_days: int | None = None
    host_names: bool = False


@dataclass(frozen=True, slots=True)
class TlsProfile:
    """One profile. `source` names standard and section; `retired` ones may still be what a device was made for.

    `dhe_bits` is the least size of a finite field in bits, `ecdhe_strength` the least strength of a curve in bits.
    `one_of_groups`: at least one of these shall be accepted by who agrees on keys over curves. `extensions` shall be
    answered below TLS 1.3, encrypt-then-MAC by who accepts CBC; `compression` is False where it shall not be chosen,
    `early_data` where it should not be allowed under TLS 1.3.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    id: str
    title: str
    source: str
    retired: bool = False
    versions: ProfileVersions = field(default_factory=ProfileVersions)
    suites: ProfileSuites = field(default_factory=ProfileSuites)
    dhe_bits: int | None = None
    ecdhe_strength: int | None = None
    one_of_groups: tuple[str, ...] = ()
    extensions: tuple[ExtensionName, ...] = ()
    compression: Literal[False] | None = None
    early_data: Literal[False] | None = None
    certificates: ProfileCertificates | None = None

    @property
    def of_dicom(self) -> bool:
        """Whether it is of DICOM PS3.15, and so what an inventory may declare for a service."""
        return self.source.startswith("DICOM PS3.15")


def read_profile(text: str) -> TlsProfile:
    """One profile from the YAML text of its file; `ValueError` where it is not valid or contradicts itself."""
    # Here and not at the top, for they cost more than all the rest, and most of a program's starts meet no TLS.
    import yaml
    from pydantic import TypeAdapter

    profile = TypeAdapter(TlsProfile).validate_python(yaml.safe_load(text))
    listed = (*profile.suites.required, *profile.suites.also_permitted)
    _known(profile, listed, {suite.name for suite in cipher_suites().values()}, "suite")
    _known(profile, profile.one_of_groups, {group.name for group in named_groups().values()}, "group")
    versions = profile.versions
    named = (*versions.required, *versions.preferred, *versions.forbidden, *versions.discouraged)
    for what, names in (("version", named), ("suite", listed)):
        if len(set(names)) < len(names):
            message = f"profile {profile.id} names a {what} twice"
            raise ValueError(message)
    return profile


def _known(profile: TlsProfile, names: tuple[str, ...], known: set[str], what: str) -> None:
    unheard_of = [name for name in names if name not in known]
    if unheard_of:
        message = f"profile {profile.id} names {unheard_of[0]}, which is no {what} of the catalogue"
        raise ValueError(message)


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
