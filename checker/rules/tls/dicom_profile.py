"""tls.dicom-profile: the TLS of a DICOM service is not what its declared profile of DICOM PS3.15 asks."""

from __future__ import annotations

from checker.catalog.tls_profiles import tls_profiles
from checker.model import Acceptance, GroupFacts, Service, ServiceKind, Severity, Status, TlsFacts, TlsOffer
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    BROKEN_REFUSED,
    DHE_CHOSEN,
    OLD_VERSIONS,
    REST_REFUSED,
    WEAK_REFUSED,
    accepted_version,
    certificate,
    chosen_offer,
    full_depth,
    hellos,
    listed_version,
    modern,
    newest_only,
    tls_archive,
)
from checker.rules.profiles import verdict_on
from checker.rules.transport import acceptances, no_tls, short, versions_told

DEFAULT = "B.12"


def is_dicom_tls(service: Service) -> bool:
    """Whether the profiles of DICOM are about this service."""
    return service.kind is ServiceKind.DICOM_TLS


def judge(case: Case) -> Verdict:
    """What was refused and is required, or accepted and forbidden, fails; to pass, nothing may be left open."""
    name = case.the_service().profile or DEFAULT
    profile = tls_profiles().get(name)
    told = versions_told(case)
    if Acceptance.ACCEPTED not in acceptances(case).values():
        return unknown(f"No version of TLS was seen to be accepted: {no_tls(case)}.", profile=name, versions=told)
    if profile is None or not profile.of_dicom:
        return unknown(f"What the declared profile {short(name)} asks is not known here.", profile=name)
    return verdict_on(case, profile)


_B13 = (0xC02C, 0xC030, 0xC0AD, 0xC0AF, 0xCCA9, 0xCCA8, 0xC02F, 0xC02B, 0xC0AC, 0xC0AE)
_FOR_RSA = (0xC030, 0xCCA8, 0xC02F)
_NEWEST = listed_version("TLS 1.3", (0x1302, 0x1303, 0x1301, 0x1304, 0x1305))
_CURVES = (GroupFacts("TLS 1.2", (0x001D, 0x0017), complete=True),)
_BOTH_KEYS = (certificate(key_type="RSA", key_bits=2048, digest="c1" * 32), certificate(digest="c2" * 32))

RULE = Rule(
    title="Not consistent with the declared TLS profile of DICOM",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "The profiles of DICOM PS3.15 annex B say which versions, suites and key sizes both ends of an association"
        " expect. Where a device differs, either peers that keep to the profile cannot talk to it, or it talks in ways"
        " that the profile keeps out. The profile is the one that the inventory declares, B.12 where it declares none;"
        " retired profiles are compared with too, and other rules still find fault with what they allow.\n\n"
        "It fails where something that the profile requires was refused or something that it forbids was accepted; the"
        " evidence lists what is missing and what is too much. What RFC 9325 only advises against (DHE, and CBC with"
        " forward secrecy) is listed as discouraged; suites without forward secrecy, and 3DES, count as forbidden by"
        " B.12. It passes only where nothing is open. With B.11 and B.13 something always is at policy depth, which"
        " does not ask whether each suite on their lists is accepted and all others are refused; full depth decides it."
        " Suites for another kind of key than the service was seen to have stay open: B.13 requires them of a product,"
        " and with one certificate it cannot show them. Of certificates, what B.13 says of key and hash is compared;"
        " otherwise they, compression and renegotiation have rules of their own. That a service is consistent with a"
        " profile is no proof that the product conforms to it.\n\n"
        "The suites of B.13 are those of the edition 2026a. That of 2024b required four with Camellia as well, which"
        " are permitted here and not required."
    ),
    remedy=(
        "Choose the profile in the configuration of the device, or allow the versions and suites that it names and no"
        " others. Correct the inventory where it declares another profile than the device was bought with."
    ),
    controls=controls.WEAK_TLS,
    applies=is_dicom_tls,
    judge=judge,
    examples=(
        Example(
            "B.12: TLS 1.2 and 1.3 alone, and both broken and weak suites are refused.",
            service_case(tls_archive(), modern(BROKEN_REFUSED, WEAK_REFUSED)),
            Status.PASS,
        ),
        Example(
            "B.12: the same with DHE beside, which is discouraged and not forbidden.",
            service_case(tls_archive(profile="B.12"), modern(BROKEN_REFUSED, DHE_CHOSEN, REST_REFUSED)),
            Status.PASS,
        ),
        Example(
            "B.1, retired: it chose the suite with 3DES that this profile requires.",
            service_case(
                tls_archive(profile="B.1"), modern(BROKEN_REFUSED, chosen_offer(TlsOffer.WEAK_SUITES, 0x000A))
            ),
            Status.PASS,
        ),
        Example(
            "B.9, retired: a suite without forward secrecy is advised against and not forbidden.",
            service_case(
                tls_archive(profile="B.9"), modern(BROKEN_REFUSED, chosen_offer(TlsOffer.WEAK_SUITES, 0x009C))
            ),
            Status.PASS,
        ),
        Example(
            "B.12: TLS 1.0 is accepted.",
            service_case(
                tls_archive(),
                hellos(
                    refused=["SSLv3", "TLS 1.1"],
                    more=[
                        accepted_version("TLS 1.0", 0xC014),
                        accepted_version(),
                        accepted_version("TLS 1.3", 0x1302),
                    ],
                    offers=[BROKEN_REFUSED, WEAK_REFUSED],
                ),
            ),
            Status.FAIL,
            Severity.MEDIUM,
        ),
        Example(
            "B.12: TLS 1.3 alone, so that a peer with TLS 1.2 cannot talk to it.",
            service_case(tls_archive(), newest_only()),
            Status.FAIL,
        ),
        Example(
            "B.12: a suite without forward secrecy is accepted.",
            service_case(tls_archive(), modern(BROKEN_REFUSED, chosen_offer(TlsOffer.WEAK_SUITES, 0x009C))),
            Status.FAIL,
        ),
        Example(
            "B.10, retired: DHE, which it requires, is refused.",
            service_case(tls_archive(profile="B.10"), modern(BROKEN_REFUSED, WEAK_REFUSED)),
            Status.FAIL,
        ),
        Example(
            "B.13: TLS 1.3, which it requires, is refused.",
            service_case(
                tls_archive(profile="B.13"),
                hellos(
                    refused=[*OLD_VERSIONS, "TLS 1.3"],
                    more=[accepted_version()],
                    offers=[BROKEN_REFUSED, WEAK_REFUSED],
                ),
            ),
            Status.FAIL,
        ),
        Example(
            "B.13: nothing speaks against it, but each of its suites was not asked about.",
            service_case(tls_archive(profile="B.13"), modern(BROKEN_REFUSED, WEAK_REFUSED)),
            Status.UNKNOWN,
        ),
        Example(
            "B.13 at full depth: all that it requires, with keys of both kinds, and nothing else.",
            service_case(
                tls_archive(profile="B.13"),
                full_depth(listed_version("TLS 1.2", _B13), _NEWEST, groups=_CURVES, certificates=_BOTH_KEYS),
            ),
            Status.PASS,
        ),
        Example(
            "B.13 at full depth: a suite that it requires is refused.",
            service_case(
                tls_archive(profile="B.13"),
                full_depth(listed_version("TLS 1.2", _B13[1:]), _NEWEST, groups=_CURVES, certificates=_BOTH_KEYS),
            ),
            Status.FAIL,
        ),
        Example(
            "B.13 at full depth: with an RSA key alone, the suites for ECDSA cannot be shown.",
            service_case(
                tls_archive(profile="B.13"),
                full_depth(
                    listed_version("TLS 1.2", [code for code in _B13 if code in _FOR_RSA]),
                    _NEWEST,
                    groups=_CURVES,
                    certificates=_BOTH_KEYS[:1],
                ),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "B.11, retired, at full depth: ChaCha20, which is not on its list.",
            service_case(
                tls_archive(profile="B.11"),
                full_depth(listed_version("TLS 1.2", (0x009F, 0x009E, 0xC030, 0xC02F, 0xCCA8)), groups=_CURVES),
            ),
            Status.FAIL,
        ),
        Example(
            "B.12: weak suites were not asked about.",
            service_case(tls_archive(), modern(BROKEN_REFUSED)),
            Status.UNKNOWN,
        ),
        Example(
            "B.12: it chose CBC of the weak suites, which hides whether it takes worse.",
            service_case(tls_archive(), modern(BROKEN_REFUSED, chosen_offer(TlsOffer.WEAK_SUITES, 0xC027))),
            Status.UNKNOWN,
        ),
        Example(
            "It answered in plaintext; there is no TLS to judge.",
            service_case(tls_archive(), TlsFacts(plaintext_dicom=True)),
            Status.UNKNOWN,
        ),
    ),
)
