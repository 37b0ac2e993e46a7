"""tls.certificate-untrusted: no path leads from the certificate to the trust store."""

from __future__ import annotations

from checker.model import CertificateFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import service_case
from checker.rules.examples_tls import (
    HOST,
    certificate,
    full_depth,
    handshake,
    hellos,
    listed_version,
    tls_archive,
    without_name,
)
from checker.rules.transport import certificate_told, hellos_asked, judge_certificates, short, speaks_tls


def judge(case: Case) -> Verdict:
    """No path to the trust store fails; where there is no store, or no telling, it is unknown."""
    return judge_certificates(case, lambda shown: _one(shown, _stapled(case)))


def _stapled(case: Case) -> bool | None:
    """Whether a response of OCSP was stapled where one was asked for (RFC 6066 section 8); None where it was not."""
    answers = {facts.features.ocsp_stapled for facts in hellos_asked(case) if facts.features is not None} - {None}
    return answers.pop() if len(answers) == 1 else None


def _one(shown: CertificateFacts, stapled: bool | None) -> Verdict:
    told = certificate_told(shown, **({"must_staple": True, "ocsp_stapled": stapled} if shown.must_staple else {}))
    why, store = shown.trust_detail, shown.trust_store
    leads = "the trust store" if store is None else short(store)
    if shown.trusted is None:
        return unknown(
            f"Whether the certificate can be trusted is not known: {why or 'it was not asked'}.",
            certificate=told,
            trust_store=store,
            detail=why,
        )
    if shown.trusted:
        # RFC 7633 section 4.3: who obeys refuses such a certificate without a response, whoever vouches for it.
        but = ", but requires a stapled response, and none is" if shown.must_staple and stapled is False else ""
        return passed(f"The certificate leads to {leads}{but}.", certificate=told, trust_store=store)
    return failed(
        f"The certificate does not lead to {leads}: {why or 'there is no path'}.",
        certificate=told,
        self_signed=shown.self_signed,
        trust_store=store,
        detail=why,
    )


RULE = Rule(
    title="The certificate does not lead to the trust store",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Nobody in the trust store vouches for the certificate: it is self-signed, comes from an authority that is not"
        " in the trust store, or the server does not send the certificates in between. Peers that check cannot tell"
        " the device from somebody who stands in its place.\n\n"
        "The trust store is that of the checking machine, unless `--trust-store` or `defaults.trust_store` of the"
        " inventory names another. It is judged at the time of the visit, or within the certificate's own validity"
        " where it has expired. Missing certificates are not fetched, and revocation is not asked. A `dicom-tls`"
        " service is judged by the certificate that it shows to a client that names no host as well. Without a trust"
        " store, or where the path cannot be judged, it is unknown. A run that is judged again keeps the answer of the"
        " visit, whatever store is named by then.\n\n"
        "A certificate can ask that a response of OCSP be stapled to it (RFC 7633). Where full depth saw that none is,"
        " that is told and not judged: clients that obey refuse the certificate, and most do not look."
    ),
    remedy=(
        "Have the certificate issued by the organization's own authority and let the server send the whole chain. Where"
        " that authority is right and only missing here, name it in `defaults.trust_store` of the inventory."
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
            "A path leads to the trust store, but not from what a DICOM peer meets that names no host.",
            service_case(
                tls_archive(hostname=HOST),
                without_name(shown=certificate(trusted=False, trust_detail="it is self-signed")),
                handshake(certificate()),
            ),
            Status.FAIL,
        ),
        Example(
            "A path leads to the trust store.",
            service_case(tls_archive(), handshake(certificate())),
            Status.PASS,
        ),
        Example(
            "A path leads to the trust store; it asks for a stapled response and there is none, which is told.",
            service_case(
                tls_archive(),
                full_depth(listed_version(), ocsp_stapled=False),
                handshake(certificate(must_staple=True)),
            ),
            Status.PASS,
        ),
        Example(
            "It does not lead to the store that the inventory names.",
            service_case(
                tls_archive(),
                handshake(
                    certificate(
                        trusted=False,
                        trust_detail="it is self-signed and not in the trust store",
                        trust_store="hospital-ca.pem",
                    )
                ),
            ),
            Status.FAIL,
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
