"""Real servers in the configurations in which we, nmap and sslyze are compared. Data; the order is that of the table.

A difference stands beside the configuration that shows it, with its reason; nothing of ours is adapted to a peer.
"""

from __future__ import annotations

from tests.live.comparing import Configuration, Difference, Peer
from tests.live.configurations_openssl import MODERN, OPENSSL
from tests.live.configuring import (
    ALL,
    NEW,
    OF_1_3,
    OLD,
    SSL_3,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    gnutls_lists,
    matching,
    named,
    nginx_of,
    openssl_lists,
    orthanc_of,
    pynetdicom,
    python_lists,
    storescp_of,
    tlslite_of,
    together,
    with_rsa,
)
from tests.live.servers.gnutls import gnutls_serv
from tests.live.servers.java import java

OLD_NGINX = (
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:AES128-SHA:AES256-SHA:@SECLEVEL=0"
)
LIBRARIES: tuple[Configuration, ...] = (
    Configuration(
        "gnutls-normal",
        "GnuTLS, NORMAL",
        with_rsa(gnutls_serv, priority="NORMAL"),
        gnutls_lists("NORMAL", ALL),
    ),
    Configuration(
        "gnutls-rc4",
        "GnuTLS, TLS 1.2 with 3DES and RC4",
        with_rsa(gnutls_serv, priority="NORMAL:-VERS-ALL:+VERS-TLS1.2:+3DES-CBC:+ARCFOUR-128"),
        gnutls_lists("NORMAL:-VERS-ALL:+VERS-TLS1.2:+3DES-CBC:+ARCFOUR-128", (TLS_1_2,)),
    ),
    Configuration(
        "gnutls-secure256",
        "GnuTLS, SECURE256",
        with_rsa(gnutls_serv, priority="SECURE256"),
        gnutls_lists("SECURE256", NEW),
        (
            Difference(
                Peer.NMAP,
                "nmap names ffdhe2048, this server wants a larger field, and then there is no DHE at all (RFC 7919)",
                unseen="TLS 1.2 TLS_DHE_",
            ),
        ),
    ),
    Configuration(
        "gnutls-legacy",
        "GnuTLS, LEGACY, TLS 1.0 and 1.1 alone",
        with_rsa(gnutls_serv, priority="LEGACY:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1"),
        gnutls_lists("LEGACY:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1", OLD[:2]),
    ),
    Configuration(
        "gnutls-anonymous",
        "GnuTLS, anonymous suites beside others",
        with_rsa(gnutls_serv, priority="NORMAL:-VERS-ALL:+VERS-TLS1.2:+ANON-ECDH:+ANON-DH"),
        gnutls_lists("NORMAL:-VERS-ALL:+VERS-TLS1.2:+ANON-ECDH:+ANON-DH", (TLS_1_2,)),
    ),
    Configuration(
        "tlslite-default",
        "tlslite-ng, SSLv3 to TLS 1.3",
        tlslite_of((3, 0), (3, 4)),
        together(
            matching(
                (SSL_3, *OLD),
                key_exchanges="RSA-RSA DHE-RSA ECDHE-RSA",
                encryptions="AES_128_CBC AES_256_CBC 3DES_EDE_CBC",
            ),
            matching(
                (TLS_1_2,),
                key_exchanges="RSA-RSA DHE-RSA ECDHE-RSA",
                encryptions="AES_128_CBC AES_256_CBC",
                macs="SHA256 SHA384",
            ),
            matching(
                (TLS_1_2,),
                key_exchanges="RSA-RSA DHE-RSA ECDHE-RSA",
                encryptions="AES_128_GCM AES_256_GCM AES_128_CCM AES_256_CCM CHACHA20_POLY1305",
                macs="AEAD SHA256 SHA384",
            ),
            named({TLS_1_3: (*OF_1_3, "TLS_AES_128_CCM_SHA256")}),
        ),
    ),
    Configuration(
        "tlslite-broken",
        "tlslite-ng, SSLv3 to TLS 1.2 with RC4, 3DES and no encryption",
        tlslite_of((3, 0), (3, 3), "rc4", "3des", "null"),
        together(
            matching((SSL_3, *OLD), key_exchanges="RSA-RSA ECDHE-RSA", encryptions="RC4_128 3DES_EDE_CBC NULL"),
            matching((SSL_3, *OLD), key_exchanges="DHE-RSA", encryptions="3DES_EDE_CBC"),
            named({TLS_1_2: ("TLS_RSA_WITH_NULL_SHA256",)}),
        ),
    ),
    Configuration(
        "tlslite-anonymous",
        "tlslite-ng, anonymous suites alone",
        tlslite_of((3, 1), (3, 3), anonymous=True),
        together(
            matching(OLD, key_exchanges="DHE-anon ECDHE-anon", encryptions="AES_128_CBC AES_256_CBC 3DES_EDE_CBC"),
            matching(
                (TLS_1_2,),
                key_exchanges="DHE-anon",
                encryptions="AES_128_CBC AES_256_CBC AES_128_GCM AES_256_GCM",
                macs="SHA256 AEAD SHA384",
            ),
        ),
    ),
    Configuration(
        "java-everything",
        "Java, all that it has, from SSLv3 to TLS 1.3",
        with_rsa(java),
        named({SSL_3: None, TLS_1_0: None, TLS_1_1: None, TLS_1_2: None, TLS_1_3: OF_1_3}),
        (
            Difference(
                Peer.SSLYZE,
                "SSLv3 has no way to name curves, the server chooses one, and the library of sslyze stops at it",
                unseen="SSLv3 ",
                claimed=frozenset({"SSLv3"}),
            ),
        ),
    ),
    Configuration(
        "java-export",
        "Java, SSLv3 and TLS 1.0 with suites for export",
        with_rsa(
            java,
            protocols=("SSLv3", "TLSv1"),
            suites=(
                "SSL_RSA_EXPORT_WITH_RC4_40_MD5",
                "SSL_RSA_EXPORT_WITH_DES40_CBC_SHA",
                "SSL_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
                "SSL_RSA_WITH_RC4_128_MD5",
            ),
        ),
        named(
            dict.fromkeys(
                (SSL_3, TLS_1_0),
                (
                    "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
                    "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
                    "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
                    "TLS_RSA_WITH_RC4_128_MD5",
                ),
            )
        ),
    ),
)

# RFC 7525 section 4.2, which DCMTK's profiles are made from, for a certificate of RSA; and profile B.3.
_RECOMMENDED = (
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
)
_AES = ("TLS_RSA_WITH_AES_128_CBC_SHA",)
_DOWNGRADING = named({TLS_1_0: _AES, TLS_1_1: _AES, TLS_1_2: (*_RECOMMENDED, *_AES), TLS_1_3: OF_1_3})

SERVERS: tuple[Configuration, ...] = (
    Configuration(
        "nginx-modern",
        "nginx, TLS 1.2 and 1.3",
        nginx_of(f"ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {MODERN};"),
        openssl_lists(MODERN, NEW),
    ),
    Configuration(
        "nginx-old",
        "nginx, TLS 1.0 to 1.3 in its own order",
        nginx_of(
            "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;" + f" ssl_ciphers {OLD_NGINX};"
        ),
        openssl_lists(OLD_NGINX, ALL),
    ),
    Configuration(
        "nginx-default",
        "nginx, its default suites of TLS 1.2",
        nginx_of("ssl_protocols TLSv1.2;"),
        openssl_lists("HIGH:!aNULL:!MD5", (TLS_1_2,), without=("DH",)),
    ),
    Configuration(
        "nginx-client-required",
        "nginx, requires a client certificate",
        nginx_of(f"ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {MODERN};", client_certificate=True),
        openssl_lists(MODERN, NEW),
    ),
    Configuration(
        "storescp-py",
        "DCMTK storescp +py",
        storescp_of("+py"),
        named({TLS_1_2: _RECOMMENDED, TLS_1_3: OF_1_3}),
    ),
    Configuration("storescp-px", "DCMTK storescp +px", storescp_of("+px"), _DOWNGRADING),
    Configuration("storescp-pz", "DCMTK storescp +pz", storescp_of("+pz"), named({TLS_1_2: _RECOMMENDED})),
    Configuration("storescp-pa", "DCMTK storescp +pa", storescp_of("+pa"), named(dict.fromkeys(OLD, _AES))),
    Configuration(
        "storescp-pn",
        "DCMTK storescp +pn",
        storescp_of("+pn"),
        named(dict.fromkeys(OLD, ("TLS_RSA_WITH_NULL_SHA",))),
    ),
    Configuration(
        "storescp-client-required",
        "DCMTK storescp +py, requires a client certificate",
        storescp_of("+py", "required"),
        named({TLS_1_2: _RECOMMENDED, TLS_1_3: OF_1_3}),
    ),
    Configuration("orthanc", "Orthanc", orthanc_of(client_certificate=False), _DOWNGRADING),
    Configuration(
        "orthanc-client-required",
        "Orthanc, requires a client certificate",
        orthanc_of(client_certificate=True),
        _DOWNGRADING,
    ),
    Configuration("pynetdicom", "pynetdicom, the defaults of Python", pynetdicom, python_lists),
)

CONFIGURATIONS = (*OPENSSL, *LIBRARIES, *SERVERS)
