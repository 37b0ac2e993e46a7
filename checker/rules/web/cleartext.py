"""web.cleartext: a web service is used over http, and does not send on to https."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from checker.codecs.http import SAME
from checker.model import BodyKind, HttpFacts, HttpPurpose, Severity, Status
from checker.rules import controls
from checker.rules.base import Case, Example, Rule, Subject, Verdict, failed, passed, unknown
from checker.rules.examples import asset, service_case
from checker.rules.examples_web import no_answer, page, viewer
from checker.rules.web_answers import UNAUTHORIZED, all_told, headers_read, of_url, redirects, succeeded, weigh

_NOT_FOUND, _GONE = 404, 410


def judge(case: Case) -> Verdict:
    """Served over http fails; a redirect to https on the same asset passes; refusals and silence decide nothing."""
    asked = [facts for facts in of_url(case) if not facts.tls and facts.purpose is not HttpPurpose.CONTROL]
    hosts = _hosts(case)
    status, by = weigh((facts, _one(facts, hosts)) for facts in asked)
    if by is None and any(_stays(facts) for facts in asked):
        return failed("Asked over http, it sends on within http and not to https.", requests=all_told(asked))
    told = all_told(asked)
    if status is Status.FAIL and by is not None:
        if redirects(by):
            return failed("Asked over http, it does not send on to https of its own.", requests=told)
        return failed(f"It answers over http, with no TLS and no redirect to it (status {by.status}).", requests=told)
    if status is Status.PASS:
        return passed("Asked over http, it does nothing but send on to https on the same asset.", requests=told)
    if by is None:
        return unknown("Nothing was answered over http, so what it does there was not shown.", requests=told)
    if redirects(by):
        return unknown(
            "Asked over http, it sends on to https on a host that the inventory does not know as this asset's.",
            requests=told,
        )
    return unknown(
        f"Its answer over http (status {by.status}) does not show whether it serves anything there.", requests=told
    )


def _one(facts: HttpFacts, hosts: frozenset[str]) -> Status | None:
    if not headers_read(facts) or _stays(facts):
        return None
    if redirects(facts):
        target = urlsplit(facts.redirect_origin or "")
        if target.scheme != "https":
            return Status.FAIL
        if _canonical(target.hostname or "") in hosts:
            return Status.PASS
        # From a login elsewhere the browser comes back to where it was sent away: to http.
        return Status.FAIL if facts.redirect_to_login else Status.UNKNOWN
    served = succeeded(facts) or facts.status in (UNAUTHORIZED, _NOT_FOUND, _GONE)
    # 400 is what a TLS port says to plain HTTP, 403 what servers say that insist on TLS, 426 is RFC 9110 15.5.22.
    return Status.FAIL if served else Status.UNKNOWN


def _stays(facts: HttpFacts) -> bool:
    """Whether it is a redirect on the same origin; the answer behind that one decides, where there is any."""
    return redirects(facts) and facts.redirect_origin == SAME


def _hosts(case: Case) -> frozenset[str]:
    """The names and addresses that the inventory has for the asset, and the address that was asked."""
    declared = [case.asset.hostname, case.address, *case.asset.addresses]
    named = [service.host for service in case.asset.services]
    return frozenset(_canonical(host) for host in (*declared, *named) if host)


def _canonical(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")


_ASSET = viewer(tls=False)
_ELSEWHERE = "https://portal.example.net"

RULE = Rule(
    title="The web service is used without TLS",
    severity=Severity.HIGH,
    subject=Subject.SERVICE,
    meaning=(
        "The service is declared with an http URL and answers there, without sending on to https. Names, images, and"
        " the passwords or tokens with which users log in cross the network so that anybody on the way can read and"
        " change them. A demand for a password, or a page that is not found, is an answer in the clear as well.\n\n"
        "To pass, it must send on to https on a host that the inventory knows as this asset's. It is unknown where it"
        " sends on to https of another host, where it refuses (403, 400, 426), and where nothing was answered."
    ),
    remedy=(
        "Serve it over https, redirect http there (status 301) and send Strict-Transport-Security, or close the http"
        " port. Then declare the https URL in the inventory."
    ),
    controls=controls.CLEARTEXT_WEB,
    applies=lambda service: service.is_web and not service.speaks_tls,
    judge=judge,
    examples=(
        Example("A page is shown over http.", service_case(_ASSET, page(tls=False)), Status.FAIL),
        Example(
            "A password is asked for over http.",
            service_case(_ASSET, page(401, tls=False, challenges=["basic"])),
            Status.FAIL,
        ),
        Example(
            "The redirect stays on http.",
            service_case(_ASSET, page(302, BodyKind.NONE, tls=False, redirect="same")),
            Status.FAIL,
        ),
        Example(
            "The redirect leads to a login elsewhere, from which the browser comes back to http.",
            service_case(
                _ASSET, page(302, BodyKind.NONE, tls=False, redirect="https://login.example.net", to_login=True)
            ),
            Status.FAIL,
        ),
        Example(
            "It redirects to https on the same host.",
            service_case(_ASSET, page(301, BodyKind.NONE, tls=False, redirect="https://archive.example.org")),
            Status.PASS,
        ),
        Example(
            "It redirects to https on the asset's own host name.",
            service_case(
                asset(*_ASSET.services, hostname="viewer.example.org"),
                page(308, BodyKind.NONE, tls=False, redirect="https://viewer.example.org:8443"),
            ),
            Status.PASS,
        ),
        Example(
            "It redirects to https on a host that the inventory does not know.",
            service_case(_ASSET, page(301, BodyKind.NONE, tls=False, redirect=_ELSEWHERE)),
            Status.UNKNOWN,
        ),
        Example(
            "It refuses over http, as servers do that insist on TLS.",
            service_case(_ASSET, page(403, tls=False)),
            Status.UNKNOWN,
        ),
        Example(
            "The page was not answered in time.",
            service_case(_ASSET, no_answer(HttpPurpose.PAGE, tls=False)),
            Status.UNKNOWN,
        ),
    ),
)
