"""SCPs of pynetdicom written to behave in one way each, and peers that are broken, with what each of them is. Data."""

from __future__ import annotations

from checker.model import ServiceKind
from tests.faults.servers import Fault
from tests.live.dicom_configuring import (
    Configuration,
    inside_tls,
    of_both,
    peer_of,
    plain,
    scp_of,
    statuses,
    taken,
)
from tests.live.servers.scp import (
    ABORTS_AFTER_ECHO,
    ABORTS_AFTER_FIND,
    ACCEPTS_ANYBODY,
    ALWAYS_BUSY,
    BUSY_FOR_A_MOMENT,
    CALLED_TITLE_REQUIRED,
    CALLERS_REGISTERED,
    DROPS_AFTER_ACCEPT,
    IDENTITY_WANTED,
    IN_PIECES,
    ONE_AT_A_TIME,
    PDU_OF_4_GIB,
    STREAMS,
    scp,
)
from tests.live.servers.scp_child import Behaviour

PLAIN, TLS = ServiceKind.DICOM, ServiceKind.DICOM_TLS

_SURVEYED = "survey accepted echo=0000 released"
_QUERY_ANSWERED = "canary accepted query-accepted 0000 released"
_ANY_TITLE = "wrong-called accepted released"
_SERVED = (_SURVEYED, _QUERY_ANSWERED, _ANY_TITLE)

# These SCPs have no Storage contexts, unless they are told to.
_OPEN = statuses(fails="caller title query take archive cleartext", passes="put")
_QUERY_OPEN = statuses(fails="caller title take cleartext", passes="put", unknown="query archive")
_QUERY_SHUT = statuses(fails="caller title take cleartext", passes="put query archive")
_NOTHING_SHOWN = statuses(unknown="caller title query take put archive", fails="cleartext")
_NOTHING_AT_ALL = statuses(unknown="caller title query take put archive cleartext")

_WELL_BEHAVED = (
    Configuration(
        "scp-anybody",
        "pynetdicom, accepts anybody",
        scp_of(ACCEPTS_ANYBODY),
        _SERVED,
        _OPEN,
        "Anybody may search, and is offered to take.",
    ),
    Configuration(
        "scp-storage",
        "pynetdicom, accepts anybody and all Storage classes",
        scp_of(Behaviour(storage=True)),
        _SERVED,
        statuses(fails="caller title query take put archive cleartext"),
        "Anybody may search, and is offered to take and to put.",
    ),
    Configuration(
        "scp-called",
        "pynetdicom, checks the called title",
        scp_of(CALLED_TITLE_REQUIRED),
        (_SURVEYED, _QUERY_ANSWERED, "wrong-called rejected 1/1/7"),
        statuses(fails="caller query take archive cleartext", passes="put title"),
        "Anybody who knows its title may search, and is offered to take.",
    ),
    Configuration(
        "scp-registered",
        "pynetdicom, for registered callers alone",
        scp_of(CALLERS_REGISTERED),
        ("survey rejected 1/1/3",),
        statuses(passes="caller query take put archive", fails="cleartext", unknown="title"),
        "Strangers get no association.",
    ),
    Configuration(
        "scp-verification",
        "pynetdicom, offers Verification alone",
        scp_of(Behaviour(offered=False)),
        (_SURVEYED, "canary accepted context-rejected released", _ANY_TITLE),
        statuses(fails="caller title cleartext", passes="query take put archive"),
        "Anybody may ask whether it is there, and nothing else.",
    ),
    Configuration(
        "scp-identity",
        "pynetdicom, wants a user identity",
        scp_of(IDENTITY_WANTED),
        ("survey rejected 1/1/1", "wrong-called rejected 1/1/1"),
        _NOTHING_SHOWN,
        "Without one it refuses and gives no reason, so that it does not show whom it would serve.",
    ),
    Configuration(
        "scp-identity-transient",
        "pynetdicom, wants a user identity and says so for now",
        scp_of(Behaviour(without_identity=(2, 2, 1))),
        ("survey rejected 2/2/1", "survey rejected 2/2/1"),
        _NOTHING_SHOWN,
        "This refusal reads as being busy, for the standard has no reason for a missing identity.",
    ),
    Configuration(
        "scp-one",
        "pynetdicom, one association at a time",
        scp_of(ONE_AT_A_TIME),
        _SERVED,
        _OPEN,
        "Each of our associations ends before the next, so that one is enough.",
    ),
    Configuration(
        "scp-one-taken",
        "pynetdicom, its one association taken",
        taken(scp_of(ONE_AT_A_TIME)),
        ("survey rejected 2/3/2", "survey rejected 2/3/2"),
        _NOTHING_SHOWN,
        "Busy. It is asked once more after a rest, and then left.",
    ),
    Configuration(
        "scp-busy",
        "pynetdicom, always rejects for now",
        scp_of(ALWAYS_BUSY),
        ("survey rejected 2/3/2", "survey rejected 2/3/2"),
        _NOTHING_SHOWN,
        "Busy all the time, which proves nothing.",
    ),
    Configuration(
        "scp-busy-once",
        "pynetdicom, rejects once for now",
        scp_of(BUSY_FOR_A_MOMENT),
        ("survey rejected 2/3/1", *_SERVED),
        _OPEN,
        "Once the rest is over it is asked everything.",
    ),
    Configuration(
        "scp-slow",
        "pynetdicom, answers each question after a second",
        scp_of(Behaviour(delay_s=1.0)),
        _SERVED,
        _OPEN,
        "Slow is no answer of its own: it is waited for.",
    ),
    Configuration(
        "scp-pieces",
        "pynetdicom, sends everything one byte at a time",
        scp_of(IN_PIECES),
        _SERVED,
        _OPEN,
        "The same as in one piece.",
    ),
)

_ANSWERS = (
    Configuration(
        "scp-find-not-authorised",
        "pynetdicom, answers queries with 0124",
        scp_of(Behaviour(find_status=0x0124)),
        (_SURVEYED, "canary accepted refused-status 0124 released", _ANY_TITLE),
        _QUERY_SHUT,
        "Not authorised: the query is refused.",
    ),
    Configuration(
        "scp-find-not-supported",
        "pynetdicom, answers queries with 0122",
        scp_of(Behaviour(find_status=0x0122)),
        (_SURVEYED, "canary accepted refused-status 0122 released", _ANY_TITLE),
        _QUERY_OPEN,
        "This class is not supported, but the other one for queries was accepted.",
    ),
    Configuration(
        "scp-find-failed",
        "pynetdicom, answers queries with C000",
        scp_of(Behaviour(find_status=0xC000)),
        (_SURVEYED, "canary accepted indeterminate C000 released", _ANY_TITLE),
        _QUERY_OPEN,
        "Unable to process: that may have been our key, and need not be a refusal.",
    ),
    Configuration(
        "scp-find-mismatch",
        "pynetdicom, answers queries with A900",
        scp_of(Behaviour(find_status=0xA900)),
        (_SURVEYED, "canary accepted indeterminate A900 released", _ANY_TITLE),
        _QUERY_OPEN,
        "The identifier does not fit the class: no refusal either.",
    ),
    Configuration(
        "scp-aborts-find",
        "pynetdicom, aborts after the query",
        scp_of(ABORTS_AFTER_FIND),
        (_SURVEYED, "canary accepted refused-abort abort=0/0", _ANY_TITLE),
        _QUERY_SHUT,
        "The query is refused, though its context was accepted.",
    ),
    Configuration(
        "scp-aborts-echo",
        "pynetdicom, aborts after C-ECHO",
        scp_of(ABORTS_AFTER_ECHO),
        ("survey accepted refused-abort abort=0/0", _QUERY_ANSWERED, _ANY_TITLE),
        _OPEN,
        "No echo for strangers, but queries.",
    ),
    Configuration(
        "scp-streams",
        "pynetdicom, ignores keys and streams 5 MB",
        scp_of(STREAMS),
        (_SURVEYED, "canary accepted key-ignored FF00", "wrong-called not-asked"),
        statuses(fails="caller query take archive cleartext", passes="put", unknown="title"),
        "It begins to send data to anybody. That is aborted unread, and nothing more is asked.",
    ),
    Configuration(
        "scp-drops",
        "pynetdicom, drops the connection after it accepted",
        scp_of(DROPS_AFTER_ACCEPT),
        ("survey accepted indeterminate", "canary accepted indeterminate", "wrong-called not-asked"),
        statuses(fails="take cleartext", passes="put", unknown="caller title query archive"),
        "An association, and no answer in it: an offer is all that shows.",
    ),
    Configuration(
        "scp-4-gib",
        "pynetdicom, answers the query with a PDU of 4 GiB",
        scp_of(PDU_OF_4_GIB),
        (_SURVEYED, "canary accepted indeterminate", "wrong-called not-asked"),
        statuses(fails="caller take cleartext", passes="put", unknown="title query archive"),
        "Not believed and not read: aborted.",
    ),
    Configuration(
        "scp-silent",
        "pynetdicom, leaves C-ECHO without an answer for 11 s",
        scp_of(Behaviour(delay_s=11.0)),
        ("survey accepted indeterminate", "canary not-asked", "wrong-called not-asked"),
        statuses(fails="take cleartext", passes="put", unknown="caller title query archive"),
        "Aborted at the deadline, and nothing more is asked.",
    ),
)

_BROKEN = (
    Configuration(
        "peer-4-gib",
        "a peer that accepts in a PDU of 4 GiB",
        peer_of(Fault.PDU_OF_4_GIB),
        ("survey malformed",),
        _NOTHING_AT_ALL,
        "Not believed and not read: aborted.",
    ),
    Configuration(
        "peer-closes",
        "a peer that drops every connection at once",
        peer_of(Fault.CLOSES),
        ("survey closed", "survey in TLS closed"),
        _NOTHING_AT_ALL,
        "Neither mode is spoken.",
    ),
)

_MODES = (
    Configuration(
        "scp-tls-mistaken",
        "pynetdicom in TLS, declared as plaintext",
        inside_tls(scp),
        (
            "survey reset",
            "survey in TLS accepted echo=0000 released",
            "canary in TLS accepted query-accepted 0000 released",
            "wrong-called in TLS accepted released",
        ),
        statuses(fails="caller title query take archive", passes="put cleartext"),
        "It is asked in TLS, and judged as if it had been declared so.",
    ),
    Configuration(
        "scp-mistaken",
        "pynetdicom in plaintext, declared as TLS",
        plain(scp),
        ("survey in TLS tls-failed", *_SERVED),
        _OPEN,
        "It answers a TLS hello with A-ABORT, and is asked in plaintext.",
        TLS,
    ),
    Configuration(
        "both-client-required",
        "pynetdicom on a port of both modes, requires a client certificate in TLS",
        of_both(Behaviour(storage=True), ACCEPTS_ANYBODY, client_certificate=True),
        ("survey in TLS client-certificate-required", *_SERVED),
        statuses(fails="caller title query take put archive cleartext"),
        "Who leaves TLS out needs no certificate.",
        TLS,
    ),
    Configuration(
        "both-query-refused",
        "pynetdicom on a port of both modes, aborts queries in TLS",
        of_both(ACCEPTS_ANYBODY, ABORTS_AFTER_FIND),
        (
            "survey in TLS accepted echo=0000 released",
            "canary in TLS accepted refused-abort abort=0/0",
            *_SERVED[:2],
            "wrong-called in TLS not-asked",
        ),
        statuses(fails="caller query take archive cleartext", passes="put", unknown="title"),
        "What TLS refuses is answered in plaintext.",
        TLS,
    ),
    Configuration(
        "scp-streams-tls",
        "pynetdicom in TLS, ignores keys and streams 5 MB",
        inside_tls(scp, behaviour=STREAMS),
        (
            "survey in TLS accepted echo=0000 released",
            "canary in TLS accepted key-ignored FF00",
            "survey not-asked",
            "wrong-called in TLS not-asked",
        ),
        statuses(fails="caller query take archive", unknown="title put cleartext"),
        "Aborted unread in TLS as well; plaintext is no longer asked.",
        TLS,
    ),
)

SCPS = (*_WELL_BEHAVED, *_ANSWERS, *_BROKEN, *_MODES)
