"""Pure: what a profile asks beside versions and suites: certificates, compression, early data, and extensions.

What was not seen is open, and never taken to be as the profile asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from checker.catalog.tls_profiles import ProfileCertificates, TlsProfile
from checker.codecs.certificate import WEAK_HASHES
from checker.model import Acceptance, CertificateFacts, HandshakeFacts
from checker.rules.base import Case
from checker.rules.default_host import default_certificates
from checker.rules.suites import CLASSES, OLDER, choices, few, undecided_options
from checker.rules.transport import acceptances, asked_versions, certificates, hellos_asked, named

_AUTHENTICATION: Mapping[str, str] = MappingProxyType({"RSA": "RSA", "EC": "ECDSA", "DSA": "DSS"})
"""By the type of a certificate's key, what suites with it are authenticated by."""
_BELOW_SHA256 = WEAK_HASHES | {"sha224"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing`: asked for and refused; `too_much`: forbidden and accepted; `discouraged`: accepted, against advice.

    `open`: what was not shown, each as a clause that begins with "whether" or "what".
    """

    missing: tuple[str, ...] = ()
    too_much: tuple[str, ...] = ()
    discouraged: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


def merged(*parts: Comparison) -> Comparison:
    """All parts as one, each item once; what is too much is not told as discouraged as well."""
    too_much = tuple(dict.fromkeys(item for part in parts for item in part.too_much))
    return Comparison(
        missing=tuple(dict.fromkeys(item for part in parts for item in part.missing)),
        too_much=too_much,
        discouraged=tuple(
            dict.fromkeys(item for part in parts for item in part.discouraged if item not in too_much),
        ),
        open=tuple(dict.fromkeys(item for part in parts for item in part.open)),
    )


def options_and_certificates(case: Case, profile: TlsProfile) -> Comparison:
    """In what the certificates and the options of the service differ from a profile."""
    found = [_compression(case)] if profile.compression is False else []
    if profile.early_data is False and any(one.early_data for one in case.facts(HandshakeFacts)):
        found.append(Comparison(discouraged=("early data",)))
    if "secure-renegotiation" in profile.extensions:
        found.append(_secure_renegotiation(case))
    if "extended-master-secret" in profile.extensions:
        found.append(_extended_master_secret(case))
    if "encrypt-then-mac" in profile.extensions:
        found.append(_encrypt_then_mac(case))
    if profile.certificates is not None:
        found.append(_certificates(case, profile.certificates))
    return merged(*found)


def presented(case: Case) -> list[CertificateFacts]:
    """Each certificate that the service presented by its name and, as far as they count, without a name.

    Which of the last count is told in `checker.rules.default_host`.
    """
    shown = [*certificates(case), *default_certificates(case, of_the_name=True)]
    return list({one.sha256: one for one in shown}.values())


def key_type_seen(case: Case, authentication: str) -> bool:
    """Whether the service was seen to have a key for suites with this authentication; also where it needs none."""
    if authentication not in _AUTHENTICATION.values():
        return True
    accepted = {choice.suite.authentication for choice in choices(case) if choice.suite is not None}
    return authentication in accepted | {_AUTHENTICATION.get(one.key_type) for one in presented(case)}


def _compression(case: Case) -> Comparison:
    if any(one.compression for one in asked_versions(case)):
        return Comparison(too_much=("compression",))
    unclear = undecided_options(case, lambda one: one.compression)
    return Comparison(open=(f"whether compression is refused under {few(unclear, 4)}",) if unclear else ())


def _secure_renegotiation(case: Case) -> Comparison:
    taken = [one for one in asked_versions(case) if one.acceptance is Acceptance.ACCEPTED]
    if any(one.secure_renegotiation is False and named(one.version) in OLDER for one in taken):
        return Comparison(missing=("secure renegotiation",))
    unclear = undecided_options(case, lambda one: one.secure_renegotiation)
    return Comparison(open=(f"whether renegotiation is secured under {few(unclear, 4)}",) if unclear else ())


def _extended_master_secret(case: Case) -> Comparison:
    """It is seen once at a place, under a version below TLS 1.3; TLS 1.3 has no need of it (RFC 8446 appendix D)."""
    shown = [None if facts.features is None else facts.features.extended_master_secret for facts in hellos_asked(case)]
    if False in shown:
        return Comparison(missing=("the extended master secret",))
    answers = acceptances(case)
    needed = any(answers.get(version) is not Acceptance.REFUSED for version in OLDER)
    unclear = needed and (not shown or None in shown)
    return Comparison(open=("whether the extended master secret is supported",) if unclear else ())


def _encrypt_then_mac(case: Case) -> Comparison:
    """It is of CBC alone, and seen where a suite of CBC was chosen (RFC 7366 section 3)."""
    if not any(choice.suite is not None and CLASSES["cbc"](choice.suite) for choice in choices(case)):
        return Comparison()  # whether CBC is accepted is a question of the suites
    shown = [None if facts.features is None else facts.features.encrypt_then_mac for facts in hellos_asked(case)]
    if False in shown:
        return Comparison(missing=("encrypt-then-MAC",))
    return Comparison(open=("whether encrypt-then-MAC is supported",) if None in shown or not shown else ())


def _certificates(case: Case, asked: ProfileCertificates) -> Comparison:
    shown = presented(case)
    unread = any(facts.completed and facts.certificate is None for facts in case.facts(HandshakeFacts))
    unclear = ("what its certificate is",) if unread or not shown else ()
    return merged(*(_one(certificate, asked) for certificate in shown), Comparison(open=unclear))


def _one(shown: CertificateFacts, asked: ProfileCertificates) -> Comparison:
    kind, bits = shown.key_type, shown.key_bits
    least = {str(key): size for key, size in asked.keys.items()}.get(kind)
    too_much: list[str] = []
    unclear: list[str] = []
    if kind == "other" or bits == 0:
        unclear.append("what key its certificate has")
    elif least is None:
        too_much.append(f"a certificate with a key of {kind}")
    elif bits < least:
        too_much.append(f"a certificate with an {kind} key of {bits} bits")
    if shown.signature_hash in _BELOW_SHA256 - {*asked.hashes}:
        too_much.append(f"a certificate signed with {shown.signature_hash}")
    elif shown.signature_hash not in asked.hashes:
        unclear.append("whether the hash in its certificate's signature is permitted")
    missing: tuple[str, ...] = ()
    if asked.host_names and not shown.dns_names and not shown.ip_addresses:
        if shown.name_matches is None:
            unclear.append("what names its certificate has")
        else:
            missing = ("a subject alternative name in its certificate",)
    return Comparison(missing, tuple(too_much), tuple(_advised_against(shown, asked)), tuple(unclear))


def _advised_against(shown: CertificateFacts, asked: ProfileCertificates) -> list[str]:
    found = []
    if shown.key_type == "EC" and asked.curves and shown.curve not in asked.curves:
        found.append(f"a certificate on the curve {shown.curve}")
    valid = shown.not_after - shown.not_before
    if asked.advised_days is not None and valid > timedelta(days=asked.advised_days):
        found.append(f"a certificate valid for {valid.days} days")
    return found
