"""Real DICOM servers, and what each of them is. Data; the order is that of the table.

Who refuses what, and how, is what the server's configuration makes of it. Where a server cannot show something to a
stranger, the status is unknown.
"""

from __future__ import annotations

from checker.model import ServiceKind
from tests.live.dicom_configurations_scp import SCPS
from tests.live.dicom_configuring import (
    Configuration,
    dcmqrscp_of,
    inside_tls,
    orthanc_of,
    plain,
    statuses,
    taken,
)
from tests.live.servers.dcmtk import Peer, storescp, wlmscpfs

PLAIN, TLS = ServiceKind.DICOM, ServiceKind.DICOM_TLS

SURVEYED = "survey accepted echo=0000 released"
QUERY_ANSWERED = "canary accepted query-accepted 0000 released"
QUERY_ABORTED = "canary accepted refused-abort abort=0/0"
NOT_OFFERED = "canary accepted context-rejected released"
ANY_TITLE = "wrong-called accepted released"
ITS_TITLE = "wrong-called rejected 1/1/7"
SURVEYED_IN_TLS = "survey in TLS accepted echo=0000 released"
ANY_TITLE_IN_TLS = "wrong-called in TLS accepted released"
NO_PLAINTEXT = "survey reset"

ALL_OPEN = statuses(fails="caller title query take put archive cleartext")
TITLE_CHECKED = statuses(fails="caller query take put archive cleartext", passes="title")
STRANGERS_REFUSED = statuses(passes="caller query take put archive", fails="cleartext", unknown="title")
NOTHING_SHOWN = statuses(unknown="caller title query take put archive", fails="cleartext")
RECEIVER = statuses(passes="query take archive", fails="caller title put cleartext")

ORTHANC = (
    Configuration(
        "orthanc-default",
        "Orthanc, as it is by default",
        orthanc_of(),
        (SURVEYED, QUERY_ABORTED, ANY_TITLE),
        statuses(passes="query archive", fails="caller title take put cleartext"),
        "Anybody is offered to put. Contexts for queries are accepted, and the query itself is refused by an abort.",
    ),
    Configuration(
        "orthanc-open",
        "Orthanc, queries of anybody allowed",
        orthanc_of(queries=True),
        (SURVEYED, QUERY_ANSWERED, ANY_TITLE),
        ALL_OPEN,
        "Anybody may search, and is offered to take and to put.",
    ),
    Configuration(
        "orthanc-called",
        "Orthanc, checks the called title",
        orthanc_of(queries=True, check_called=True),
        (SURVEYED, QUERY_ANSWERED, ITS_TITLE),
        TITLE_CHECKED,
        "Anybody who knows its title may search, and is offered to take and to put.",
    ),
    Configuration(
        "orthanc-registered",
        "Orthanc, for registered callers alone",
        orthanc_of(check_called=True, known_callers_only=True),
        ("survey rejected 1/1/3",),
        STRANGERS_REFUSED,
        "Strangers get no association. Nothing more is asked, so that its check of titles does not show.",
    ),
    Configuration(
        "orthanc-tls",
        "Orthanc in TLS, queries of anybody allowed",
        orthanc_of(tls=True, queries=True),
        (
            SURVEYED_IN_TLS,
            "canary in TLS accepted query-accepted 0000 released",
            NO_PLAINTEXT,
            ANY_TITLE_IN_TLS,
        ),
        statuses(fails="caller title query take put archive", passes="cleartext"),
        "Encrypted, and open to anybody all the same.",
        TLS,
    ),
    Configuration(
        "orthanc-client-required",
        "Orthanc in TLS, requires a client certificate",
        orthanc_of(tls=True, client_certificate=True, queries=True),
        ("survey in TLS client-certificate-required", NO_PLAINTEXT),
        statuses(passes="caller title query take put archive cleartext"),
        "Without a certificate there is nothing, and plaintext is turned away.",
        TLS,
    ),
    Configuration(
        "orthanc-tls-mistaken",
        "Orthanc in TLS, declared as plaintext",
        orthanc_of(tls=True),
        (
            NO_PLAINTEXT,
            SURVEYED_IN_TLS,
            "canary in TLS accepted refused-abort abort=0/0",
            ANY_TITLE_IN_TLS,
        ),
        statuses(fails="caller title take put", passes="query archive cleartext"),
        "It is asked in TLS, and judged as if it had been declared so.",
    ),
)

DCMQRSCP = (
    Configuration(
        "dcmqrscp",
        "dcmqrscp, open to any peer",
        dcmqrscp_of(),
        (SURVEYED, QUERY_ANSWERED, ITS_TITLE),
        TITLE_CHECKED,
        "Anybody who knows its title may search, and is offered to take and to put.",
    ),
    Configuration(
        "dcmqrscp-peers",
        "dcmqrscp, with a list of peers",
        dcmqrscp_of(peers=[Peer("KNOWN")]),
        ("survey rejected 1/1/7", ITS_TITLE),
        NOTHING_SHOWN,
        "It says 1/1/7 to unknown callers and to wrong titles, so that neither is proved.",
    ),
    Configuration(
        "dcmqrscp-no-get",
        "dcmqrscp --disable-get",
        dcmqrscp_of("--disable-get"),
        (SURVEYED, QUERY_ANSWERED, ITS_TITLE),
        TITLE_CHECKED,
        "The contexts for GET have result 3, and those for MOVE are accepted.",
    ),
    Configuration(
        "dcmqrscp-no-study-root",
        "dcmqrscp --no-study-root",
        dcmqrscp_of("--no-study-root"),
        (SURVEYED, NOT_OFFERED, ITS_TITLE),
        statuses(fails="caller take put cleartext", passes="title", unknown="query archive"),
        "Study Root, in which the canary asks, is refused; Patient Root is offered and was not asked.",
    ),
    Configuration(
        "dcmqrscp-no-patient-root",
        "dcmqrscp --no-patient-root",
        dcmqrscp_of("--no-patient-root"),
        (SURVEYED, QUERY_ANSWERED, ITS_TITLE),
        TITLE_CHECKED,
        "Patient Root has result 3, which helps nobody while Study Root is answered.",
    ),
    Configuration(
        "dcmqrscp-refuses",
        "dcmqrscp --refuse",
        dcmqrscp_of("--refuse"),
        ("survey rejected 1/1/1", "wrong-called rejected 1/1/1"),
        NOTHING_SHOWN,
        "Refused without a reason: whether a peer would be served does not show.",
    ),
    Configuration(
        "dcmqrscp-full",
        "dcmqrscp, all its associations taken",
        taken(dcmqrscp_of(max_associations=1)),
        ("survey rejected 2/3/2", "survey rejected 2/3/2"),
        NOTHING_SHOWN,
        "Busy. It is asked once more after a rest, and then left.",
    ),
)

RECEIVERS = (
    Configuration(
        "storescp",
        "storescp, single process",
        plain(storescp),
        (SURVEYED, NOT_OFFERED, ANY_TITLE),
        RECEIVER,
        "Anybody is offered to put. It offers no queries.",
    ),
    Configuration(
        "storescp-fork",
        "storescp --fork",
        plain(storescp, fork=True),
        (SURVEYED, NOT_OFFERED, ANY_TITLE),
        RECEIVER,
        "As with a single process.",
    ),
    Configuration(
        "storescp-tls",
        "storescp in TLS",
        inside_tls(storescp),
        (
            SURVEYED_IN_TLS,
            "canary in TLS accepted context-rejected released",
            NO_PLAINTEXT,
            ANY_TITLE_IN_TLS,
        ),
        statuses(passes="query take archive cleartext", fails="caller title put"),
        "Encrypted, and anybody is offered to put.",
        TLS,
    ),
    Configuration(
        "storescp-client-required",
        "storescp in TLS, requires a client certificate",
        inside_tls(storescp, client_certificate="required"),
        ("survey in TLS client-certificate-required", NO_PLAINTEXT),
        statuses(passes="caller title query take put archive cleartext"),
        "Without a certificate there is nothing, and plaintext is turned away.",
        TLS,
    ),
    Configuration(
        "storescp-mistaken",
        "storescp in plaintext, declared as TLS",
        plain(storescp),
        ("survey in TLS reset", SURVEYED, NOT_OFFERED, ANY_TITLE),
        RECEIVER,
        "It is asked in plaintext, and judged as if it had been declared so.",
        TLS,
    ),
    Configuration(
        "wlmscpfs",
        "wlmscpfs, a work list",
        plain(wlmscpfs),
        (SURVEYED, "canary rejected 1/1/1", ITS_TITLE),
        statuses(passes="title query take put archive", fails="caller cleartext"),
        "Its list of patients is offered to anybody. It has no Study Root, so that the canary is no query to it.",
    ),
)

CONFIGURATIONS = (*ORTHANC, *DCMQRSCP, *RECEIVERS, *SCPS)
