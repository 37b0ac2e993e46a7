"""tls.certificate-name: the names of the certificate do not cover the name by which the service is reached."""

from __future__ import annotations

from checker.codecs.x509 import MOST_NAMES, counted_names, covers, plain_name
from checker.model import CertificateFacts, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import ADDRESS, OTHER_ADDRESS, archive, service_case, web_service
from checker.rules.examples_tls import HOST, certificate, handshake, tls_archive, without_name
from checker.rules.transport import certificate_told, few_names, judge_certificates, short, speaks_tls


def judge(case: Case) -> Verdict:
    """The name of the inventory must be among the certificate's; to fail, the server must have been asked by it."""
    wanted = expected_name(case)
    if wanted is None:
        return unknown("Neither a host name nor an address of the service is known to compare with.")
    return judge_certificates(case, lambda shown: _one(shown, wanted))


def expected_name(case: Case) -> str | None:
    """By what clients reach the service: the host of its URL, else the asset's host name, else the address."""
    name = case.the_service().host or case.asset.hostname or case.address
    return None if name is None else plain_name(name)


def _one(shown: CertificateFacts, wanted: str) -> Verdict:
    told = certificate_told(
        shown,
        names=[*shown.dns_names, *shown.ip_addresses],
        names_asked=list(shown.names_asked),
    )
    asked = {plain_name(name) for name in shown.names_asked}
    alone = counted_names(shown.names_asked) == [wanted]
    name = short(wanted)
    # More names may have been compared than were kept.
    cut = MOST_NAMES in (len(shown.dns_names), len(shown.ip_addresses))
    covered_by_another = cut and shown.name_matches is True and alone
    if covers(shown.dns_names, shown.ip_addresses, wanted) or covered_by_another:
        return passed(f"The certificate is for {name}.", expected=wanted, certificate=told)
    if wanted not in asked:
        # A server may have another certificate for another name (RFC 6066 section 3).
        why = f"The service was not asked for its certificate by the name {name}."
    elif shown.name_matches is None:
        why = "The names of the certificate could not be read."
    elif cut and not alone:
        why = f"The certificate has more names than are kept, and {name} is not among those kept."
    else:
        return failed(
            f"The certificate is not for {name}: it is for {few_names(shown)}.", expected=wanted, certificate=told
        )
    return unknown(why, expected=wanted, certificate=told)


RULE = Rule(
    title="The certificate is for another name",
    severity=Severity.MEDIUM,
    subject=Subject.SERVICE,
    meaning=(
        "Peers that compare names refuse the service; those that talk to it do not compare, and would take any"
        " certificate of the same authority, also that of a stolen device. A certificate of a vendor's own name shows"
        " that nobody changed it since the factory.\n\n"
        "The host of the URL is looked for, else the host name of the inventory, else its address, among the DNS names"
        " and addresses of the subject alternative name (RFC 9525). A name in the subject alone does not count, nor"
        " does an address where there is a host name, nor an address that is written as a DNS name.\n\n"
        "A server may show another certificate to a client that names no host in its hello, as devices seldom do: a"
        " `dicom-tls` service is judged by that one as well. Browsers always name it, so that of a web service it is"
        " told in the evidence and no fault."
    ),
    remedy=(
        "Have a certificate issued whose subject alternative names hold the host name, or the address where peers are"
        " configured by address. Correct the inventory where it has the wrong name."
    ),
    controls=controls.CERTIFICATE,
    applies=speaks_tls,
    judge=judge,
    examples=(
        Example(
            "The certificate has the host name.",
            service_case(
                tls_archive(hostname=HOST),
                handshake(certificate(ip_addresses=(), names_asked=[HOST])),
            ),
            Status.PASS,
        ),
        Example(
            "The inventory has no host name, and the certificate has the address.",
            service_case(tls_archive(), handshake(certificate(dns_names=()))),
            Status.PASS,
        ),
        Example(
            "The certificate still has the name that the vendor gave it.",
            service_case(
                tls_archive(),
                handshake(certificate(dns_names=["ct.vendor.example.org"], ip_addresses=(), name_matches=False)),
            ),
            Status.FAIL,
        ),
        Example(
            "It has the address, but peers use the host name.",
            service_case(
                tls_archive(hostname=HOST),
                handshake(certificate(dns_names=(), names_asked=[HOST, ADDRESS], name_matches=False)),
            ),
            Status.FAIL,
        ),
        Example(
            "A DICOM peer that names no host in its hello meets a certificate for another one.",
            service_case(
                tls_archive(hostname=HOST),
                without_name(
                    shown=certificate(
                        dns_names=["gateway.example.org"], ip_addresses=(), names_asked=[HOST], name_matches=False
                    )
                ),
                handshake(certificate(names_asked=[HOST])),
            ),
            Status.FAIL,
        ),
        Example(
            "A browser that named no host would meet such a one, and each names it.",
            service_case(
                archive(web_service(), hostname=HOST),
                without_name(
                    shown=certificate(
                        dns_names=["gateway.example.org"], ip_addresses=(), names_asked=[HOST], name_matches=False
                    )
                ),
                handshake(certificate(names_asked=[HOST])),
            ),
            Status.PASS,
        ),
        Example(
            "It was asked for by another name, for which the server may have another certificate.",
            service_case(
                tls_archive(hostname=HOST),
                handshake(certificate(dns_names=(), ip_addresses=[OTHER_ADDRESS], names_asked=[ADDRESS])),
            ),
            Status.UNKNOWN,
        ),
        Example(
            "Its names could not be read.",
            service_case(
                tls_archive(),
                handshake(certificate(dns_names=(), ip_addresses=(), name_matches=None)),
            ),
            Status.UNKNOWN,
        ),
    ),
)
