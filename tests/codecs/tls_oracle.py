"""What tlslite-ng makes of TLS messages: a second opinion for the tests of the codec.

Whoever imports tlslite-ng under Python 3.11 meets the deprecation of a module that it takes along and that nobody uses
here; importing this module first keeps that out of a test run in which warnings are errors.
"""

from __future__ import annotations

import re
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from tlslite import mathtls
    from tlslite.constants import CipherSuite, GroupName, SignatureScheme
    from tlslite.extensions import HRRKeyShareExtension, SrvSupportedVersionsExtension
    from tlslite.messages import (
        Certificate,
        CertificateRequest,
        ClientHello,
        ServerHello,
        ServerHello2,
        ServerKeyExchange,
    )
    from tlslite.utils.codec import Parser
    from tlslite.x509 import X509
    from tlslite.x509certchain import X509CertChain

SUITE_NAMES: dict[int, str] = dict(CipherSuite.ietfNames)
GROUP_NAMES: dict[str, int] = {
    name: value for name, value in vars(GroupName).items() if isinstance(value, int) and not name.startswith("_")
}
SIGNATURE_NAMES: dict[str, int] = {
    name: value[0] << 8 | value[1]
    for name, value in vars(SignatureScheme).items()
    if isinstance(value, tuple) and len(value) == 2 and not name.startswith("_")
}
PRIMES: dict[str, int] = {
    name: max(getattr(mathtls, name)) for name in vars(mathtls) if re.fullmatch(r"RFC\d+_GROUP\d+|FFDHE\d+", name)
}
"""Those of the Diffie-Hellman groups, by names such as `RFC2409_GROUP2` and `FFDHE2048`."""


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


def key_exchange(suite: int, version: int, *, prime: int = 0, curve: int = 0, scheme: int = 0) -> bytes:
    """The body of a ServerKeyExchange of (EC)DHE or SRP: of this prime, or of this named curve."""
    made = ServerKeyExchange(suite, divmod(version, 256))
    if suite in CipherSuite.srpAllSuites:
        made.createSRP(prime, 2, bytearray(8), prime - 2)
    elif prime:
        made.createDH(prime, 2, prime - 2)
    else:
        made.createECDH(3, curve, bytearray(65))
    made.hashAlg, made.signAlg = divmod(scheme, 256)
    made.signature = bytearray(64)
    return bytes(made.write())[4:]


def certificate_request(version: int, types: list[int], schemes: list[int], authorities: list[bytes]) -> bytes:
    """The body of a CertificateRequest of TLS 1.2 or older."""
    made = CertificateRequest(divmod(version, 256)).create(
        types, [bytearray(name) for name in authorities], [divmod(scheme, 256) for scheme in schemes]
    )
    return bytes(made.write())[4:]


def ssl2_server_hello(certificate: bytes, ciphers: list[int], connection_id: bytes) -> bytes:
    """A SERVER-HELLO of SSLv2, without the header of its record."""
    made = ServerHello2().create(0, 1, (0, 2), bytearray(certificate), ciphers, bytearray(connection_id))
    return bytes(made.write())


def read_ssl2_client_hello(data: bytes) -> ClientHello:
    """A CLIENT-HELLO of SSLv2 from its record on; an exception where it is not whole or has bytes behind it."""
    parser = Parser(bytearray(data[2:]))
    parser.get(1)
    parsed = ClientHello(ssl2=True).parse(parser)
    if parser.getRemainingLength():
        message = "bytes behind the hello"
        raise ValueError(message)
    return parsed
