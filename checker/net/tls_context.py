"""The contexts in which our sessions of TLS are made, and what is overheard in them. Sends nothing and opens nothing.

A context takes whatever a server offers: this product looks at how a server is configured and never trusts it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

from checker.codecs.tls_post_hello import ENCRYPTED_EXTENSIONS, MOST_BODY, NEW_SESSION_TICKET

GROUPS = ("prime256v1", "secp384r1", "secp521r1")
"""The groups that a session can be made over alone, by OpenSSL's names."""

_KEPT = (ENCRYPTED_EXTENSIONS, NEW_SESSION_TICKET)
_MESSAGE_HEADER = 4  # RFC 8446 section 4
# The record types by which OpenSSL's callback marks alerts and handshake messages; the level of a fatal alert.
_ALERT, _HANDSHAKE, _FATAL = 21, 22, 2
_MOST_CONTEXTS = 32


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate of ours, for servers that ask for one: PEM files of its chain, leaf first, and of its key.

    Paths only: the key itself becomes a part of no value, text or log of ours, nor do the paths of any text or log.
    """

    chain: Path | str = field(repr=False)
    key: Path | str = field(repr=False)


def usable_certificate(own: OwnCertificate) -> None:
    """Read a certificate of ours and its key, once for the whole run.

    ValueError where that cannot be done: a file that cannot be read, a key that is not the certificate's, or one that
    is locked by a password. Its message quotes neither file, nor where they are.
    """
    permissive_context(None, (), own)


@lru_cache(maxsize=_MOST_CONTEXTS)
def permissive_context(group: str | None, alpn: tuple[str, ...], own: OwnCertificate | None) -> ssl.SSLContext:
    """One context for the whole run: any version, any suite, any certificate.

    `group` is the only named group that it offers, one of `GROUPS`; `alpn` the protocols (RFC 7301), `own` what it
    shows to a server that asks for a certificate. ValueError for another group, and as `usable_certificate` has it.
    """
    if group is not None and group not in GROUPS:
        message = f"no session is made over {group!r} alone, only over one of {', '.join(GROUPS)}"
        raise ValueError(message)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    # SSL_OP_LEGACY_SERVER_CONNECT (Python 3.12 names it): servers without RFC 5746 are to be seen as well.
    context.options |= 0x4
    # A private hook of the standard library; without it a CertificateRequest of TLS 1.3 stays unseen, hence unknown.
    if hasattr(context, "_msg_callback"):
        context._msg_callback = _note_message  # noqa: SLF001
    if group is not None:
        context.set_ecdh_curve(group)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if own is not None:
        _load(context, own)
    return context


def _load(context: ssl.SSLContext, own: OwnCertificate) -> None:
    try:
        # Without any password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(own.chain, own.key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        if isinstance(error, ssl.SSLError):
            why = error.reason or "OpenSSL cannot read them"
        else:
            why = getattr(error, "strerror", None) or "their paths are no paths"
        message = f"our certificate and its key cannot be used: {why}"
        raise ValueError(message) from None


@cache
def code_points() -> dict[str, int]:
    """The IANA code points of the suites that OpenSSL knows, by its own names."""
    # OpenSSL keeps the two bytes of the protocol in the low half of its own number.
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in permissive_context(None, (), None).get_ciphers()}


@cache
def can_overhear() -> bool:
    """Whether this Python shows the messages of a handshake."""
    return hasattr(permissive_context(None, (), None), "_msg_callback")


# ------------------------------------------------------------------------------------------------- what is overheard


@dataclass(slots=True, weakref_slot=True)
class Overheard:
    """What the server said in one session: the types of its handshake messages and its last fatal alert.

    `bodies` has the first EncryptedExtensions and the first NewSessionTicket (which TLS 1.2 has too, in another form),
    without their headers; one that is too long to be read is left out.
    """

    kinds: set[int] = field(default_factory=set)
    bodies: dict[int, bytes] = field(default_factory=dict)
    alert: int | None = None


_overheard: WeakKeyDictionary[ssl.SSLObject, Overheard] = WeakKeyDictionary()


def overheard(session: ssl.SSLObject) -> Overheard:
    """What was overheard in this session so far."""
    found = _overheard.get(session)
    if found is None:
        found = _overheard[session] = Overheard()
    return found


def _note_message(owner: object, direction: str, _version: object, content: object, kind: object, data: object) -> None:
    """Keep what is needed of a message that came. It reads nothing in it: what it raised would end the handshake."""
    if direction != "read" or not isinstance(owner, ssl.SSLObject) or not isinstance(data, bytes):
        return
    if content == _HANDSHAKE and isinstance(kind, int):
        heard = overheard(owner)
        heard.kinds.add(int(kind))
        if kind in _KEPT and kind not in heard.bodies and len(data) <= MOST_BODY + _MESSAGE_HEADER:
            heard.bodies[int(kind)] = data[_MESSAGE_HEADER:]
    elif content == _ALERT and len(data) == 2 and data[0] == _FATAL:  # RFC 8446 section 6
        overheard(owner).alert = data[1]
