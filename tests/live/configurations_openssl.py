"""The part of `tests.live.configurations` that is about servers of OpenSSL itself. Data."""

from __future__ import annotations

from tests.live.comparing import Configuration, Difference, Peer
from tests.live.configuring import (
    NEW,
    OF_1_3,
    OLD,
    TLS_1_0,
    TLS_1_2,
    TLS_1_3,
    named,
    openssl,
    openssl_lists,
    openssl_of_two,
    wheel_lists,
    with_rsa,
)
from tests.live.servers.pyopenssl import pyopenssl

DEFAULT = "DEFAULT"
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
ONE = "ECDHE-RSA-AES128-GCM-SHA256"
MODERN = f"{ONE}:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
TWO_KEYS = f"{ONE}:ECDHE-ECDSA-AES128-GCM-SHA256"
CCM = "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-CCM8"
CBC = "AES128-SHA:AES256-SHA:ECDHE-RSA-AES128-SHA:CAMELLIA128-SHA:@SECLEVEL=0"
DHE = "kDHE+aRSA:@SECLEVEL=0"
STATIC = "kRSA:!eNULL"
ANONYMOUS = "aNULL:@SECLEVEL=0"
UNENCRYPTED = "eNULL:@SECLEVEL=0"
PRE_SHARED = f"{ONE}:PSK:@SECLEVEL=0"
ALL_1_3 = (*OF_1_3, "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256")

_CAMELLIA_ANONYMOUS = Difference(
    Peer.SSLYZE,
    "sslyze does not have the anonymous suites with Camellia and SHA-256",
    unseen=r"TLS 1\.2 TLS_DH_anon_WITH_CAMELLIA_\d+_CBC_SHA256$",
)


def _gives_up(why: str) -> Difference:
    return Difference(
        Peer.SSLYZE, f"sslyze begins with a handshake that fails here, and lists nothing: {why}", unseen=""
    )


OPENSSL: tuple[Configuration, ...] = (
    Configuration("openssl-default", "OpenSSL, its defaults", openssl(NEW, None), openssl_lists(DEFAULT, NEW)),
    Configuration(
        "openssl-1.3",
        "OpenSSL, TLS 1.3 alone",
        openssl((TLS_1_3,), None),
        named({TLS_1_3: OF_1_3}),
    ),
    Configuration(
        "openssl-1.3-all",
        "OpenSSL, the five suites of TLS 1.3",
        openssl((TLS_1_3,), None, "-ciphersuites", ":".join(ALL_1_3)),
        named({TLS_1_3: ALL_1_3}),
    ),
    Configuration(
        "openssl-1.3-chacha20",
        "OpenSSL, ChaCha20 alone under TLS 1.3",
        openssl((TLS_1_3,), None, "-ciphersuites", OF_1_3[2]),
        named({TLS_1_3: OF_1_3[2:]}),
    ),
    Configuration(
        "openssl-1.3-ffdhe",
        "OpenSSL, TLS 1.3 with the group ffdhe2048 alone",
        openssl((TLS_1_3,), None, "-groups", "ffdhe2048"),
        named({TLS_1_3: OF_1_3}),
        (_gives_up("it names no group of a finite field"),),
    ),
    Configuration(
        "openssl-1.2-one", "OpenSSL, one suite of TLS 1.2", openssl((TLS_1_2,), ONE), openssl_lists(ONE, (TLS_1_2,))
    ),
    Configuration(
        "openssl-1.2-all",
        "OpenSSL, all that it has under TLS 1.2",
        openssl((TLS_1_2,), EVERYTHING),
        openssl_lists(EVERYTHING, (TLS_1_2,)),
        (_CAMELLIA_ANONYMOUS,),
    ),
    Configuration(
        "openssl-1.0-all",
        "OpenSSL, all that it has under TLS 1.0",
        openssl((TLS_1_0,), EVERYTHING),
        openssl_lists(EVERYTHING, (TLS_1_0,)),
    ),
    Configuration("openssl-cbc", "OpenSSL, TLS 1.0 to 1.2 with CBC", openssl(OLD, CBC), openssl_lists(CBC, OLD)),
    Configuration(
        "openssl-hole",
        "OpenSSL, TLS 1.0 and 1.3, nothing between",
        openssl((TLS_1_0, TLS_1_3), "AES128-SHA:@SECLEVEL=0"),
        named({TLS_1_0: ("TLS_RSA_WITH_AES_128_CBC_SHA",), TLS_1_3: OF_1_3}),
    ),
    Configuration(
        "openssl-p384",
        "OpenSSL, the group P-384 alone",
        openssl(NEW, MODERN, "-groups", "P-384"),
        openssl_lists(MODERN, NEW),
    ),
    Configuration("openssl-dhe", "OpenSSL, DHE alone", openssl((TLS_1_2,), DHE), openssl_lists(DHE, (TLS_1_2,))),
    Configuration(
        "openssl-static",
        "OpenSSL, no forward secrecy",
        openssl((TLS_1_2,), STATIC),
        openssl_lists(STATIC, (TLS_1_2,)),
    ),
    Configuration(
        "openssl-anonymous",
        "OpenSSL, anonymous suites alone",
        openssl(OLD, ANONYMOUS),
        openssl_lists(ANONYMOUS, OLD),
        (_CAMELLIA_ANONYMOUS,),
    ),
    Configuration(
        "openssl-unencrypted",
        "OpenSSL, suites without encryption alone",
        openssl((TLS_1_2,), UNENCRYPTED),
        openssl_lists(UNENCRYPTED, (TLS_1_2,)),
        (_gives_up("under TLS 1.2 its library leaves these suites out"),),
    ),
    Configuration(
        "openssl-pre-shared",
        "OpenSSL, suites with pre-shared keys beside one other",
        openssl((TLS_1_2,), PRE_SHARED, "-psk", "00112233445566778899aabbccddeeff"),
        openssl_lists(PRE_SHARED, (TLS_1_2,), "-psk", proven_by=("RSA", "PSK")),
        (Difference(Peer.SSLYZE, "sslyze offers no suites with pre-shared keys", unseen="TLS 1.2 TLS_.*PSK_"),),
    ),
    Configuration(
        "openssl-ecdsa",
        "OpenSSL, its defaults with a certificate of ECDSA",
        openssl(NEW, None, elliptic=True),
        openssl_lists(DEFAULT, NEW, proven_by=("ECDSA",)),
    ),
    Configuration(
        "openssl-ecdsa-ccm",
        "OpenSSL, the suites with AES-CCM of profile B.13",
        openssl((TLS_1_2,), CCM, elliptic=True),
        openssl_lists(CCM, (TLS_1_2,), proven_by=("ECDSA",)),
    ),
    Configuration(
        "openssl-two-certificates",
        "OpenSSL, certificates of RSA and of ECDSA",
        openssl_of_two(NEW, TWO_KEYS),
        openssl_lists(TWO_KEYS, NEW, proven_by=("RSA", "ECDSA")),
    ),
    Configuration(
        "openssl-client-optional",
        "OpenSSL, asks for a client certificate",
        openssl(NEW, MODERN, client_certificate="optional"),
        openssl_lists(MODERN, NEW),
    ),
    Configuration(
        "openssl-client-required",
        "OpenSSL, requires a client certificate",
        openssl(NEW, MODERN, client_certificate="required"),
        openssl_lists(MODERN, NEW),
    ),
    Configuration(
        "openssl-hybrid",
        "OpenSSL of a Python wheel, with X25519MLKEM768",
        with_rsa(pyopenssl),
        wheel_lists,
        (
            Difference(
                Peer.SSLYZE,
                "this server takes DHE only from who names its group (RFC 7919), and sslyze names none",
                unseen="TLS 1.2 TLS_DHE_",
            ),
        ),
    ),
)
