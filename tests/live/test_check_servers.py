"""One `check` over real servers of every kind: each verdict against what that server is, and no patient in any file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live.certificates import Authority
from tests.live.checking import CALLING, Run, check, inventory
from tests.live.servers import nginx as web
from tests.live.servers import orthanc as archives
from tests.live.servers.dcmtk import Peer, dcmqrscp, storescp, wlmscpfs
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.nginx import nginx
from tests.live.servers.openssl import s_server
from tests.live.servers.orthanc import orthanc
from tests.live.servers.process import Process

pytestmark = pytest.mark.live

Services = list[dict[str, Any]]


@dataclass(frozen=True)
class Subject:
    """A server, what an inventory declares of it, and what every rule that matters must say."""

    start: Callable[[str, Authority], AbstractContextManager[Any]]
    services: Callable[[Any], Services]
    truth: Mapping[str, str]
    role: str = "archive"


def dicom(server: Any) -> Services:
    return [{"kind": "dicom", "port": server.port, "ae_title": server.ae_title}]


def dicom_tls(server: Any) -> Services:
    return [{"kind": "dicom-tls", "port": server.port, "ae_title": "STORESCP"}]


def whole_orthanc(server: Any) -> Services:
    return [
        {"kind": "dicom", "port": server.dicom_port, "ae_title": server.ae_title},
        {"kind": "dicomweb", "url": f"{server.dicomweb}"},
    ]


def dicomweb(server: Any) -> Services:
    return [{"kind": "dicomweb", "url": f"{server.url}/dicom-web"}]


def viewer(server: Any) -> Services:
    return [{"kind": "web", "url": f"{server.url}/"}]


def both(server: Any) -> Services:
    return [*dicomweb(server), *viewer(server)]


def syslog(server: Any) -> Services:
    return [{"kind": "syslog-tls", "port": server.port}]


OPEN_DICOM = {
    "dicom.cleartext": "fail", "dicom.calling-ae-unchecked": "fail", "dicom.anonymous-query": "fail",
    "dicom.unreachable": "pass", "archive.open": "fail",
}  # fmt: skip
NO_TLS_FAULT = {
    "tls.obsolete-protocol": "pass", "tls.modern-protocol-missing": "pass", "tls.certificate-expired": "pass",
    "tls.certificate-untrusted": "fail",
}  # fmt: skip

SUBJECTS: dict[str, Subject] = {
    # ---- Orthanc
    "orthanc-open": Subject(
        lambda host, _: orthanc(archives.OPEN, host=host), whole_orthanc,
        OPEN_DICOM | {"dicom.called-ae-unchecked": "fail", "dicom.retrieve-offered": "fail",
                      "dicom.store-offered": "fail", "dicom.ae-title-mismatch": "pass",
                      "web.archive-open": "fail", "web.cleartext": "fail"},
    ),
    "orthanc-default": Subject(
        # Its contexts are accepted and the query is aborted; DICOMweb is open all the same.
        lambda host, _: orthanc(archives.DEFAULT, host=host), whole_orthanc,
        {"dicom.calling-ae-unchecked": "fail", "dicom.anonymous-query": "pass", "dicom.store-offered": "fail",
         "web.archive-open": "fail", "archive.open": "fail"},
    ),
    "orthanc-authenticated": Subject(
        lambda host, _: orthanc(archives.AUTHENTICATED, host=host), whole_orthanc,
        {"dicom.anonymous-query": "pass", "web.archive-open": "pass", "web.basic-over-cleartext": "fail",
         "archive.open": "pass"},
    ),
    "orthanc-called": Subject(
        lambda host, _: orthanc(archives.CALLED_TITLE_CHECKED, host=host), whole_orthanc,
        OPEN_DICOM | {"dicom.called-ae-unchecked": "pass"},
    ),
    "orthanc-registered": Subject(
        lambda host, _: orthanc(archives.REGISTERED_ONLY, host=host), whole_orthanc,
        {"dicom.cleartext": "fail", "dicom.calling-ae-unchecked": "pass", "dicom.anonymous-query": "pass",
         "dicom.retrieve-offered": "pass", "dicom.store-offered": "pass", "web.archive-open": "pass",
         "archive.open": "pass"},
    ),
    # ---- DCMTK
    "dcmqrscp-open": Subject(
        # It knows no called title but its own.
        lambda host, _: dcmqrscp(host=host), dicom, OPEN_DICOM | {"dicom.called-ae-unchecked": "pass"},
    ),
    "dcmqrscp-peers": Subject(
        # RJ 1/1/7 for callers it does not know: that is also its word for a wrong title, so nothing is proved.
        lambda host, _: dcmqrscp(peers=[Peer("KNOWN")], host=host), dicom,
        {"dicom.cleartext": "fail", "dicom.calling-ae-unchecked": "unknown", "dicom.anonymous-query": "unknown",
         "archive.open": "unknown"},
    ),
    "storescp": Subject(
        lambda host, _: storescp(host=host), dicom,
        {"dicom.cleartext": "fail", "dicom.calling-ae-unchecked": "fail", "dicom.anonymous-query": "pass",
         "dicom.store-offered": "fail", "dicom.retrieve-offered": "pass", "archive.open": "pass"},
        role="workstation",
    ),
    "storescp-tls": Subject(
        lambda host, made: storescp(tls=made.valid(), host=host), dicom_tls,
        NO_TLS_FAULT | {"dicom.cleartext": "pass", "dicom.tls-expected": "pass", "dicom.calling-ae-unchecked": "fail",
                        "dicom.store-offered": "fail"},
        role="workstation",
    ),
    "storescp-not-tls": Subject(
        # Declared as DICOM over TLS, and speaks plain: one association at a time, so it must not be left hanging.
        lambda host, _: storescp(host=host), dicom_tls,
        {"dicom.cleartext": "fail", "dicom.tls-expected": "fail", "dicom.calling-ae-unchecked": "fail"},
        role="workstation",
    ),
    "storescp-client-certificate": Subject(
        lambda host, made: storescp(tls=made.valid(), client_certificate="required", host=host), dicom_tls,
        {"dicom.tls-expected": "pass", "dicom.calling-ae-unchecked": "pass", "dicom.store-offered": "pass",
         "archive.open": "pass"},
    ),
    "storescp-old-tls": Subject(
        lambda host, made: storescp(tls=made.valid(), profile="+px", host=host), dicom_tls,
        {"tls.obsolete-protocol": "fail", "tls.modern-protocol-missing": "pass", "dicom.tls-expected": "pass"},
        role="workstation",
    ),
    "worklist": Subject(
        # A work list has no Study Root query to refuse or to answer.
        lambda host, _: wlmscpfs(host=host), dicom,
        {"dicom.cleartext": "fail", "dicom.calling-ae-unchecked": "fail", "dicom.store-offered": "pass",
         "dicom.anonymous-query": "pass"},
        role="gateway",
    ),
    # ---- web servers
    "nginx-basic": Subject(
        lambda host, _: nginx(web.basic_auth(), host=host), both,
        {"web.archive-open": "pass", "web.viewer-unauthenticated": "pass", "archive.open": "pass"},
    ),
    "nginx-login": Subject(
        lambda host, _: nginx(web.redirect_to_login(), host=host), both,
        {"web.archive-open": "pass", "web.viewer-unauthenticated": "pass", "archive.open": "pass"},
    ),
    "nginx-form-everywhere": Subject(
        lambda host, _: nginx(web.login_form_everywhere(), host=host), viewer,
        {"web.viewer-unauthenticated": "pass", "web.login-over-cleartext": "fail", "archive.open": "pass"},
        role="viewer",
    ),
    "nginx-shell-gated": Subject(
        lambda host, _: nginx(web.viewer_shell(api="bearer"), host=host), both,
        {"web.archive-open": "pass", "web.viewer-unauthenticated": "pass", "archive.open": "pass"},
        role="viewer",
    ),
    "nginx-shell-open": Subject(
        lambda host, _: nginx(web.viewer_shell(api="open"), host=host), both,
        {"web.archive-open": "fail", "web.viewer-unauthenticated": "fail", "archive.open": "fail"},
        role="viewer",
    ),
    "nginx-shell-alone": Subject(
        # Canary and control are the same shell: a catch-all shows neither a door nor a lock.
        lambda host, _: nginx(web.viewer_shell(api="none"), host=host), both,
        {"web.archive-open": "unknown", "web.viewer-unauthenticated": "unknown", "archive.open": "unknown"},
        role="viewer",
    ),
    "nginx-static": Subject(
        lambda host, _: nginx(web.static_dicomweb(), host=host), dicomweb,
        {"web.archive-open": "fail", "archive.open": "fail"},
    ),
    "nginx-filter-ignored": Subject(
        lambda host, _: nginx(web.filter_ignored(), host=host), dicomweb,
        {"web.archive-open": "fail", "archive.open": "fail"},
    ),
    "nginx-json-error": Subject(
        lambda host, _: nginx(web.json_error(), host=host), dicomweb,
        {"web.archive-open": "unknown", "archive.open": "unknown"},
    ),
    "nginx-mutual-tls": Subject(
        lambda host, made: nginx(web.plain_page(), tls=made.valid(), client_certificate=True, host=host), both,
        # It allows TLS 1.0, and its OpenSSL fails over whatever is asked of it under that version.
        NO_TLS_FAULT | {"tls.obsolete-protocol": "pass", "web.archive-open": "pass",
                        "web.viewer-unauthenticated": "pass", "archive.open": "pass"},
    ),
    "nginx-listing": Subject(
        lambda host, _: nginx(web.directory_listing(), host=host), viewer, {"web.directory-listing": "fail"},
        role="other",
    ),
    # ---- TLS alone
    "openssl-all": Subject(
        lambda host, made: s_server(made.valid(), versions=("tls1", "tls1_1", "tls1_2", "tls1_3"), host=host), syslog,
        {"tls.obsolete-protocol": "fail", "tls.modern-protocol-missing": "pass"}, role="other",
    ),
    "openssl-old": Subject(
        lambda host, made: s_server(made.valid(), versions=("tls1",), host=host), syslog,
        {"tls.obsolete-protocol": "fail", "tls.modern-protocol-missing": "fail"}, role="other",
    ),
    "openssl-1.3": Subject(
        lambda host, made: s_server(made.expired(), versions=("tls1_3",), host=host), syslog,
        {"tls.obsolete-protocol": "pass", "tls.modern-protocol-missing": "pass", "tls.certificate-expired": "fail"},
        role="other",
    ),
    "gnutls": Subject(
        lambda host, made: gnutls_serv(made.self_signed(), priority="NORMAL", host=host), syslog,
        # What GnuTLS calls normal includes TLS 1.0.
        {"tls.obsolete-protocol": "fail", "tls.modern-protocol-missing": "pass", "tls.certificate-untrusted": "fail",
         "tls.certificate-expired": "pass"},
        role="other",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """The run, and what each server wrote about it."""

    run: Run
    logs: Mapping[str, str]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    folder = tmp_path_factory.mktemp("servers")
    (folder / "certificates").mkdir()
    authority = Authority.create(folder / "certificates")
    assets: list[dict[str, Any]] = []
    processes: dict[str, Process] = {}
    with ExitStack() as stack:
        for number, (name, subject) in enumerate(SUBJECTS.items(), 1):
            host = f"127.0.2.{number}"
            server = stack.enter_context(subject.start(host, authority))
            processes[name] = server.process
            assets.append({"id": name, "address": host, "role": subject.role, "services": subject.services(server)})
        run = check(inventory(folder, assets))
        yield Checked(run, {name: process.text() for name, process in processes.items()})


@pytest.mark.parametrize("name", SUBJECTS)
def test_each_server_is_judged_as_it_is(checked: Checked, name: str) -> None:
    truth = SUBJECTS[name].truth
    seen = {rule: set(checked.run.statuses(name, rule)) - {"not_applicable"} for rule in truth}
    assert seen == {rule: {status} for rule, status in truth.items()}


def test_no_patient_is_in_any_file_of_the_run_nor_in_what_was_printed(checked: Checked) -> None:
    assert checked.run.markers() == {}


def test_the_run_went_without_an_error_of_ours(checked: Checked) -> None:
    assert checked.run.summary["errors"] == []
    assert checked.run.err == ""
    assert [found for found in checked.run.findings if found["status"] == "error"] == []
    assert checked.run.summary["assets"]["answered"] == len(SUBJECTS)


def test_dcmtk_heard_our_name_and_no_association_was_left_hanging(checked: Checked) -> None:
    log = checked.logs["dcmqrscp-open"]
    assert CALLING in log
    assert log.count("Association Release") == log.count("Association Received") - log.count("Refusing Association")
    assert "Aborted" not in log


def test_what_was_asked_was_only_what_may_be(checked: Checked) -> None:
    everything = "\n".join(checked.logs.values())
    for forbidden in ("C-STORE RQ", "C-MOVE RQ", "C-GET RQ", "Received Store", "Received Move", "Received Get"):
        assert forbidden not in everything
