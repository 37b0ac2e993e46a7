"""tls.certificate-untrusted: no path leads from the certificate to the trust store."""

from __future__ import annotations

from checker.model import CertificateFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import certificate, handshake, hellos, tls_archive
from checker.rules.transport import certificate_told, judge_certificates, speaks_tls


def judge(case: Case) -> Verdict:
    """No path to the trust store fails; where there is no store, or no telling, it is unknown."""
    return judge_certificates(case, _one)


def _one(shown: CertificateFacts) -> Verdict:
    told = certificate_told(shown)
    why = shown.trust_detail
    if shown.trusted is None:
        return unknown(
            f"Whether the certificate can be trusted is not known: {why or 'it was not asked'}.",
            certificate=told,
            detail=why,
        )
    if shown.trusted:
        return passed("The certificate leads to the trust store.", certificate=told)
    return failed(
        f"The certificate does not lead to the trust store: {why or 'there is no path'}.",
        certificate=told,
        self_signed=shown.self_signed,
        detail=why,
    )


RULE = Rule(
    title="The certificate does not lead to the trust store",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Nobody that the checking machine trusts vouches for the certificate: it is self-signed, comes from an"
        " authority that is not in the trust store, or the server does not send the certificates in between. Peers"
        " that check cannot tell the device from somebody who stands in its place.\n\n"
        "It is judged at the time of the visit, or within the certificate's own validity where it has expired. Missing"
        " certificates are not fetched, and revocation is not asked. Without a trust store, or where the path cannot be"
        " judged, it is unknown."
    ),
    remedy=(
        "Have the certificate issued by the organization's own authority and let the server send the whole chain. Where"
        " that authority is right and only missing here, add it to the trust store of the checking machine."
    ),
    controls=controls.CERTIFICATE,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "It is self-signed.",
            service_case(
                tls_archive(),
                handshake(certificate(trusted=False, trust_detail="it is self-signed and not in the trust store")),
            ),
            Status.FAIL,
        ),
        Example(
            "A path leads to the trust store.",
            service_case(tls_archive(), handshake(certificate())),
            Status.PASS,
        ),
        Example(
            "There is no trust store on this machine.",
            service_case(
                tls_archive(),
                handshake(certificate(trusted=None, trust_detail="there is no trust store to judge by")),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "No certificate was seen.",
            service_case(tls_archive(), hellos(accepted=["TLS 1.2"])),
            Status.UNKNOWN,
        ),
    ),
)
