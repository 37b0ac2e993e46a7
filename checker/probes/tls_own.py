"""What a server that requires a certificate of its clients makes of ours: one more whole handshake, and left at once.

It is made only where a server was seen to refuse us without one, so that this stays a proof. Nothing is sent inside the
session. What is not clear is None, never a refusal.
"""

from __future__ import annotations

from typing import Literal

from checker.model import End, PortFacts
from checker.net.gateway import Limits
from checker.net.tls import OwnCertificate, TlsFailure, TlsStream
from checker.probes.talk import Talk
from checker.probes.tls_hellos import FLIGHT_BYTES

_HANDSHAKE = Limits(connect_s=4.0, conversation_s=6.0, max_bytes=FLIGHT_BYTES)
_SETTLE_S = 1.0  # TLS 1.3: how long the server has to refuse it, or to show by a ticket that it does not
# The alerts of RFC 8446 section 6.2 that are about a certificate, and handshake_failure, which older servers send for
# it. A server that says certificate_required (116) had none of ours.
_REFUSALS = frozenset({40, 42, 43, 44, 45, 46, 48, 49})


async def own_certificate_taken(
    talk: Talk, server_name: str | None, own: OwnCertificate
) -> Literal["accepted", "refused"] | None:
    """One handshake with our certificate, to a server that refused one without; None where its answer did not show.

    `server_name` is the SNI. Takes one connection. ValueError, before it is made, as `usable_certificate` has it.
    """
    connection = await talk.connect("TLS handshake with our certificate", _HANDSHAKE)
    if isinstance(connection, PortFacts):
        return None
    try:
        stream = TlsStream(connection, server_name=server_name, client_certificate=own)
        failure = await stream.handshake()
        refusal = await stream.settle(_SETTLE_S) if failure is None and stream.version == "TLSv1.3" else None
        await stream.close()
    finally:
        connection.abandon()
    if failure is not None and failure.end is End.TIMEOUT:
        talk.fell_silent(in_the_middle=True)
    else:
        talk.answered()
    return _verdict(stream, failure or refusal)


def _verdict(stream: TlsStream, trouble: TlsFailure | None) -> Literal["accepted", "refused"] | None:
    if not stream.client_certificate_requested:
        return None  # it was not shown
    if trouble is not None:
        return "refused" if trouble.alert in _REFUSALS else None
    # Below TLS 1.3 the server's Finished comes after our certificate (RFC 5246 section 7.3).
    return "accepted" if stream.version != "TLSv1.3" or stream.went_on else None
