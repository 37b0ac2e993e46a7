"""What tlslite-ng makes of TLS messages: a second opinion for the tests of the codec.

Whoever imports tlslite-ng under Python 3.11 meets the deprecation of a module that it takes along and that nobody uses
here; importing this module first keeps that out of a test run in which warnings are errors.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from tlslite.constants import CipherSuite
    from tlslite.extensions import HRRKeyShareExtension, SrvSupportedVersionsExtension
    from tlslite.messages import Certificate, ClientHello, ServerHello
    from tlslite.utils.codec import Parser
    from tlslite.x509 import X509
    from tlslite.x509certchain import X509CertChain

SUITE_NAMES: dict[int, str] = dict(CipherSuite.ietfNames)


def read_client_hello(data: bytes) -> ClientHello:
    """A ClientHello from its record on; an exception where it is not whole or has bytes behind it."""
    parser = Parser(bytearray(data[5:]))
    parser.get(1)
    parsed = ClientHello().parse(parser)
    if parser.getRemainingLength():
        message = "bytes behind the hello"
        raise ValueError(message)
    return parsed


def server_hello(
    version: int, suite: int, *, random: bytes, session_id: bytes, new: int | None = None, group: int | None = None
) -> bytes:
    """A ServerHello as a message; `new` is the version of its supported_versions, `group` that of its key share."""
    extensions = []
    if new is not None:
        extensions.append(SrvSupportedVersionsExtension().create(divmod(new, 256)))
    if group is not None:
        extensions.append(HRRKeyShareExtension().create(group))
    made = ServerHello().create(
        divmod(version, 256), bytearray(random), bytearray(session_id), suite, extensions=extensions or None
    )
    return bytes(made.write())


def certificates(chain: list[bytes], version: int) -> bytes:
    """A Certificate message of TLS 1.2 or older."""
    parsed = []
    for certificate in chain:
        parsed.append(X509())
        parsed[-1].parseBinary(bytearray(certificate))
    return bytes(Certificate(0, divmod(version, 256)).create(X509CertChain(parsed)).write())
