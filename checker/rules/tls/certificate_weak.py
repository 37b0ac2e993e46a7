"""tls.certificate-weak: the key or the signature of the certificate is weak, or it names no host."""

from __future__ import annotations

from checker.codecs.certificate import WEAK_HASHES
from checker.model import CertificateFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import archive, service_case, web_service
from checker.rules.examples_tls import (
    HOST,
    certificate,
    full_depth,
    handshake,
    listed_version,
    tls_archive,
    without_name,
)
from checker.rules.transport import certificate_told, judge_certificates, speaks_tls

# NIST SP 800-57 part 1 revision 5, table 2: 112 bits of security or more; for EC what DICOM PS3.15 B.13 asks for.
_LEAST_BITS = {"RSA": 2048, "DSA": 2048, "EC": 256}
_STRONG_KEYS = frozenset({"Ed25519", "Ed448"})


def judge(case: Case) -> Verdict:
    """Any weakness fails; to pass, key, signature and names must all be known and good."""
    # A certificate for the same name has a key of the service, whoever is shown it.
    return judge_certificates(case, _one, of_the_name=True)


def _one(shown: CertificateFacts) -> Verdict:
    faults, doubts = _weigh(shown)
    told = certificate_told(
        shown,
        key_type=shown.key_type,
        key_bits=shown.key_bits,
        curve=shown.curve,
        signature_hash=shown.signature_hash,
    )
    if faults:
        return failed(f"The certificate is weak: {', '.join(faults)}.", faults=faults, certificate=told)
    if doubts:
        return unknown(f"No weakness was seen, but not all could be judged: {', '.join(doubts)}.", certificate=told)
    return passed(
        f"Key ({shown.key_type}, {shown.key_bits} bits) and signature ({shown.signature_hash}) are strong enough.",
        certificate=told,
    )


def _weigh(shown: CertificateFacts) -> tuple[list[str], list[str]]:
    """What is weak, and what could not be judged, in words."""
    faults: list[str] = []
    doubts: list[str] = []
    least = _LEAST_BITS.get(shown.key_type)
    if least is not None and 0 < shown.key_bits < least:
        faults.append(f"the {shown.key_type} key has {shown.key_bits} bits")
    elif shown.key_type not in _STRONG_KEYS and (least is None or shown.key_bits == 0):
        doubts.append("a key of a kind that is not known")
    if shown.signature_hash in WEAK_HASHES:
        faults.append(f"it is signed with {shown.signature_hash.upper()}")
    elif shown.signature_hash is None:
        doubts.append("a signature of a kind that is not known")
    if not shown.dns_names and not shown.ip_addresses:
        if shown.name_matches is None:
            doubts.append("names that could not be read")
        else:
            faults.append("it has no subject alternative name of a host")
    return faults, doubts


RULE = Rule(
    title="The certificate is weak",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "An RSA key under 2048 bits or an elliptic curve under 256 can be worked out by those who have the means, and a"
        " signature over MD5 or SHA-1 can be forged. A certificate that names no host in its subject alternative name"
        " is refused by today's libraries, or taken without any comparison of names.\n\n"
        "To pass, key, signature and names must all have been understood; a kind of key that is not known is unknown."
        " Full depth meets each certificate of a server that has one for each kind of key, and each counts."
        " What is shown to a client that names no host counts as well: of a `dicom-tls` service in any case, of others"
        " where the certificate is for the name of the service."
    ),
    remedy=(
        "Have a certificate issued with a new key (RSA of 2048 bits or more, or EC P-256 or P-384), signed with SHA-256"
        " or better, with the host names or addresses as subject alternative names."
    ),
    controls=controls.CERTIFICATE,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "An RSA key of 1024 bits.",
            service_case(tls_archive(), handshake(certificate(key_type="RSA", key_bits=1024))),
            Status.FAIL,
        ),
        Example(
            "An elliptic curve of 192 bits.",
            service_case(tls_archive(), handshake(certificate(key_bits=192))),
            Status.FAIL,
        ),
        Example(
            "Signed with SHA-1.",
            service_case(tls_archive(), handshake(certificate(signature_hash="sha1"))),
            Status.FAIL,
        ),
        Example(
            "Without any name of a host.",
            service_case(
                tls_archive(),
                handshake(certificate(dns_names=(), ip_addresses=(), name_matches=False)),
            ),
            Status.FAIL,
        ),
        Example(
            "Whoever names no host is shown a weak certificate, and it is for the name of the service.",
            service_case(
                archive(web_service(), hostname=HOST),
                without_name(shown=certificate(key_type="RSA", key_bits=1024, names_asked=[HOST])),
                handshake(certificate(names_asked=[HOST])),
            ),
            Status.FAIL,
        ),
        Example(
            "An RSA key of 1024 bits that full depth met beside a good one on a curve.",
            service_case(
                tls_archive(),
                full_depth(
                    listed_version(),
                    certificates=(certificate(), certificate(key_type="RSA", key_bits=1024, digest="c1" * 32)),
                ),
                handshake(certificate()),
            ),
            Status.FAIL,
        ),
        Example(
            "EC P-256, SHA-256, and a name.",
            service_case(tls_archive(), handshake(certificate())),
            Status.PASS,
        ),
        Example(
            "Ed25519, which brings its own hash.",
            service_case(
                tls_archive(),
                handshake(certificate(key_type="Ed25519", signature_hash="sha512")),
            ),
            Status.PASS,
        ),
        Example(
            "A key of a kind that is not known.",
            service_case(tls_archive(), handshake(certificate(key_type="other", key_bits=0))),
            Status.UNKNOWN,
        ),
    ),
)
