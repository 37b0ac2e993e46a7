"""How one request of the web probe ended: what to note, what to tell the manners, and words of ours for the facts."""

from __future__ import annotations

from checker.model import ConnectState, End, HttpEnd, PortFacts
from checker.net.http import Failure, Response
from checker.net.tls import TlsFailure
from checker.probes.talk import Talk

BUSY = frozenset({429, 503})  # RFC 6585 section 4, RFC 9110 15.6.4
_NO_APPLICATION_PROTOCOL = 120  # RFC 7301 3.2

_ENDS = {
    End.CLOSED: HttpEnd.CLOSED,
    End.RESET: HttpEnd.RESET,
    End.TIMEOUT: HttpEnd.TIMEOUT,
    End.TOO_MUCH: HttpEnd.TOO_MUCH,
}


def tell(talk: Talk, answer: Response | Failure) -> None:
    """Note what the attempt showed of the port; tell the manners whether the device answered, and was busy."""
    if isinstance(answer, Failure) and answer.connect is not None:
        talk.note(answer.connect)
        return
    talk.note(PortFacts(state=ConnectState.OPEN, rtt_ms=answer.rtt_ms))
    if isinstance(answer, Response):
        talk.answered()
        if answer.status in BUSY:
            talk.busy()
        return
    end = answer.end if answer.tls is None else answer.tls.end
    if end is End.TIMEOUT:
        talk.fell_silent(in_the_middle=answer.heard)
    elif answer.heard:
        talk.answered()


def ended(failure: Failure) -> tuple[HttpEnd, str | None]:
    """How a question without an answer ended, and words of ours about it."""
    if failure.connect is not None:
        if failure.connect.state is ConnectState.NOT_ASKED:
            return HttpEnd.NOT_ASKED, failure.connect.detail
        return HttpEnd.NOT_CONNECTED, failure.connect.state.value
    if failure.tls is not None:
        return _tls_ended(failure.tls)
    if failure.http2:
        return HttpEnd.HTTP2_ONLY, "the server speaks HTTP/2 to whoever asks in HTTP/1.1"
    if failure.malformed or failure.end is None:
        return HttpEnd.MALFORMED, "the answer is no HTTP/1.1"
    return _ENDS[failure.end], None


def _tls_ended(failure: TlsFailure) -> tuple[HttpEnd, str]:
    # OpenSSL's names of reasons are words of ours; a peer chooses among them and writes none.
    words = f"TLS: {failure.reason or (failure.end.value if failure.end is not None else 'failed')}"
    if failure.client_certificate_required:
        return HttpEnd.CLIENT_CERTIFICATE_REQUIRED, words
    if failure.alert == _NO_APPLICATION_PROTOCOL:
        return HttpEnd.HTTP2_ONLY, f"{words}: it wants a protocol other than HTTP/1.1"
    if failure.end in (End.TIMEOUT, End.TOO_MUCH):
        return _ENDS[failure.end], words
    return HttpEnd.TLS_FAILED, words
