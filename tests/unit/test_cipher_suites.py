"""The catalogue of cipher suites, compared with what independent implementations call the same code points."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from checker.catalog.cipher_suites import CipherSuite, cipher_suite, cipher_suites, read_suites, suite_name
from tests.codecs.tls_oracle import SUITE_NAMES
from tests.live.servers.process import require

ROW = "{{code: {code}, name: {name}, key_exchange: RSA, authentication: RSA, encryption: AES_128_CBC, mac: SHA{more}}}"


def row(code: object = 47, name: str = "TLS_RSA_WITH_AES_128_CBC_SHA", more: str = "") -> str:
    return "  - " + ROW.format(code=code, name=name, more=more) + "\n"


def test_names_are_those_of_openssl() -> None:
    listed = subprocess.run(
        [require("openssl", "openssl"), "ciphers", "-stdname", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(r"0x(..),0x(..) - (TLS_\S+)", listed)
    assert len(found) > 100
    for high, low, name in found:
        assert suite_name(int(high + low, 16)) == name


def test_names_are_those_of_tlslite() -> None:
    for code, name in SUITE_NAMES.items():
        if code < 0x10000 and not name.endswith("_SCSV") and "draft" not in name:
            assert (suite_name(code) or "").upper() == name.upper()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x1301, ("any", "any", "AES_128_GCM", "AEAD", False, True, False)),
        (0xC02F, ("ECDHE", "RSA", "AES_128_GCM", "AEAD", False, True, False)),
        (0xC0AF, ("ECDHE", "ECDSA", "AES_256_CCM_8", "AEAD", False, True, False)),
        (0x002F, ("RSA", "RSA", "AES_128_CBC", "SHA", False, False, False)),
        (0x0002, ("RSA", "RSA", "NULL", "SHA", False, False, False)),
        (0x0003, ("RSA", "RSA", "RC4_40", "MD5", True, False, False)),
        (0x0062, ("RSA", "RSA", "DES_CBC", "SHA", True, False, False)),
        (0x000A, ("RSA", "RSA", "3DES_EDE_CBC", "SHA", False, False, False)),
        (0x0018, ("DHE", "anon", "RC4_128", "MD5", False, True, True)),
        (0xC019, ("ECDHE", "anon", "AES_256_CBC", "SHA", False, True, True)),
        (0xC004, ("ECDH", "ECDSA", "AES_128_CBC", "SHA", False, False, False)),
        (0x0030, ("DH", "DSS", "AES_128_CBC", "SHA", False, False, False)),
        (0xCCAE, ("RSA", "PSK", "CHACHA20_POLY1305", "AEAD", False, False, False)),
        (0xC0B4, ("any", "any", "NULL", "SHA256", False, True, False)),
    ],
)
def test_what_a_suite_is_made_of(code: int, expected: tuple[object, ...]) -> None:
    suite = cipher_suite(code)
    assert suite is not None
    shown = (suite.key_exchange, suite.authentication, suite.encryption, suite.mac, suite.export)
    assert (*shown, suite.forward_secrecy, suite.anonymous) == expected


def test_every_name_agrees_with_its_parts() -> None:
    for suite in cipher_suites().values():
        assert ("EXPORT" in suite.name) == suite.export, suite.name
        assert ("anon" in suite.name) == suite.anonymous, suite.name
        assert ("NULL" in suite.name or "TLS_SHA" in suite.name) == (suite.encryption == "NULL"), suite.name
        if suite.key_exchange in ("DHE", "ECDHE", "ECDH") and not suite.anonymous:
            assert f"{suite.key_exchange}_" in suite.name, suite.name
        if suite.encryption not in ("NULL", "DES40_CBC"):
            assert suite.encryption in suite.name, suite.name


def test_signalling_values_are_no_suites() -> None:
    assert suite_name(0x00FF) is None
    assert suite_name(0x5600) is None
    assert suite_name(0x0000) is None
    assert cipher_suite(None) is None


def test_codes_are_in_order() -> None:
    assert list(cipher_suites()) == sorted(cipher_suites())


@pytest.mark.parametrize(
    "rows",
    [
        row(more=", strong: true"),
        row(code="many"),
        row(code=0x10000),
        row(code=0),
        row() + row(name="TLS_RSA_WITH_AES_256_CBC_SHA"),
        row() + row(code=48),
        row().replace("key_exchange: RSA", "key_exchange: XYZ"),
        "  - {code: 47}\n",
    ],
)
def test_a_broken_catalogue_is_an_error(rows: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_suites("suites:\n" + rows)


def test_a_whole_catalogue_is_read_in_its_order() -> None:
    assert read_suites("suites:\n" + row()) == (
        CipherSuite(47, "TLS_RSA_WITH_AES_128_CBC_SHA", "RSA", "RSA", "AES_128_CBC", "SHA"),
    )


def test_importing_reads_nothing() -> None:
    code = "import sys, checker.catalog.cipher_suites; print('yaml' in sys.modules, 'pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "False"]
