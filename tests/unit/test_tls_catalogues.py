"""The catalogues of named groups and signature schemes, and the strength of suites, compared with independent lists."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from checker.catalog.cipher_suites import cipher_suite, cipher_suites, encryption_strength
from checker.catalog.named_groups import NamedGroup, group_name, named_group, named_groups, read_groups
from checker.catalog.signature_schemes import (
    SignatureScheme,
    read_schemes,
    signature_name,
    signature_scheme,
    signature_schemes,
)
from checker.codecs.tls_offers import CURVES, GROUPS_1_3, SIGNATURES
from tests.codecs.tls_oracle import GROUP_NAMES, SIGNATURE_NAMES
from tests.live.servers.process import require

# ------------------------------------------------------------------------------------------------------------- groups


def test_groups_are_those_of_tlslite() -> None:
    for name, code in GROUP_NAMES.items():
        assert group_name(code).lower() == name.lower()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x0001, NamedGroup(0x0001, "sect163k1", "curve", 80)),
        (0x0017, NamedGroup(0x0017, "secp256r1", "curve", 128)),
        (0x0018, NamedGroup(0x0018, "secp384r1", "curve", 192)),
        (0x001D, NamedGroup(0x001D, "x25519", "curve", 128)),
        (0x001E, NamedGroup(0x001E, "x448", "curve", 224)),
        (0x0100, NamedGroup(0x0100, "ffdhe2048", "finite-field", 112)),
        (0x0202, NamedGroup(0x0202, "MLKEM1024", "pq", 256, post_quantum=True)),
        (0x11EB, NamedGroup(0x11EB, "SecP256r1MLKEM768", "hybrid", 192, post_quantum=True)),
        (0x11EC, NamedGroup(0x11EC, "X25519MLKEM768", "hybrid", 192, post_quantum=True)),
        (0x11ED, NamedGroup(0x11ED, "SecP384r1MLKEM1024", "hybrid", 256, post_quantum=True)),
    ],
)
def test_what_a_group_is(code: int, expected: NamedGroup) -> None:
    assert named_group(code) == expected


def test_groups_agree_with_their_kind_and_their_size() -> None:
    for group in named_groups().values():
        assert group.post_quantum == (group.kind in ("hybrid", "pq")), group.name
        assert ("MLKEM" in group.name or "Kyber" in group.name) == group.post_quantum, group.name
        assert group.name.startswith("ffdhe") == (group.kind == "finite-field"), group.name
        size = re.search(r"(?:sect|secp|brainpoolP|GC)(\d+)", group.name)
        if group.kind == "curve" and size is not None:
            half = int(size[1]) // 2
            assert group.strength == max(step for step in (80, 112, 128, 192, 256) if step <= max(half, 80)), group.name


def test_every_group_and_scheme_that_is_offered_has_a_name() -> None:
    assert {*CURVES, *GROUPS_1_3} <= set(named_groups())
    assert set(SIGNATURES) <= set(signature_schemes())


# ---------------------------------------------------------------------------------------------------- signature schemes


def test_schemes_are_those_of_tlslite() -> None:
    for name, code in SIGNATURE_NAMES.items():
        if not re.fullmatch(r"rsa_pss_sha\d+", name):  # its own short names
            assert signature_name(code) == name


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x0101, SignatureScheme(0x0101, "rsa_pkcs1_md5", "RSA", "MD5")),
        (0x0203, SignatureScheme(0x0203, "ecdsa_sha1", "ECDSA", "SHA-1")),
        (0x0402, SignatureScheme(0x0402, "dsa_sha256", "DSA", "SHA-256")),
        (0x0804, SignatureScheme(0x0804, "rsa_pss_rsae_sha256", "RSA-PSS", "SHA-256")),
        (0x0807, SignatureScheme(0x0807, "ed25519", "EdDSA", "intrinsic")),
        (0x0905, SignatureScheme(0x0905, "mldsa65", "ML-DSA", "intrinsic", post_quantum=True)),
    ],
)
def test_what_a_scheme_is(code: int, expected: SignatureScheme) -> None:
    assert signature_scheme(code) == expected


def test_schemes_agree_with_their_names() -> None:
    for scheme in signature_schemes().values():
        assert scheme.post_quantum == (scheme.algorithm in ("ML-DSA", "SLH-DSA")), scheme.name
        if scheme.hash not in ("intrinsic", "SM3"):
            assert scheme.hash.replace("-", "").lower() in scheme.name
        first = scheme.name.split("_")[0]
        if first in ("rsa", "dsa", "ecdsa"):
            assert scheme.algorithm.split("-")[0].lower() == first


# ----------------------------------------------------------------------------------------------------- catalogues


def test_what_is_not_registered_has_a_number() -> None:
    assert (group_name(0xFAFA), signature_name(0xFAFA)) == ("0xFAFA", "0xFAFA")
    assert (named_group(0xFAFA), signature_scheme(0xFAFA)) == (None, None)
    assert (named_group(None), signature_scheme(None)) == (None, None)


def test_codes_are_in_order() -> None:
    assert list(named_groups()) == sorted(named_groups())
    assert list(signature_schemes()) == sorted(signature_schemes())


GROUP = "  - {code: 23, name: secp256r1, kind: curve, strength: 128}\n"
SCHEME = "  - {code: 2055, name: ed25519, algorithm: EdDSA, hash: intrinsic}\n"


def test_a_whole_catalogue_is_read() -> None:
    assert read_groups("groups:\n" + GROUP) == (NamedGroup(23, "secp256r1", "curve", 128),)
    assert read_schemes("schemes:\n" + SCHEME) == (SignatureScheme(2055, "ed25519", "EdDSA", "intrinsic"),)


@pytest.mark.parametrize(
    ("old", "new"),
    [("code: ", "code: 1"), ("code: ", "code: -"), ("name: ", "nam: "), ("}", ", more: true}"), ("curve", "line")],
)
def test_a_broken_catalogue_of_groups_is_an_error(old: str, new: str) -> None:
    text = GROUP.replace("code: 23", "code: 65530").replace(old, new)
    with pytest.raises(ValueError, match=r"."):
        read_groups("groups:\n" + text)


@pytest.mark.parametrize("again", [GROUP, GROUP.replace("23", "24"), GROUP.replace("secp256r1", "other")])
def test_a_group_twice_is_an_error(again: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        read_groups("groups:\n" + GROUP + again)


@pytest.mark.parametrize("again", [SCHEME, SCHEME.replace("2055", "2056"), SCHEME.replace("ed25519", "other")])
def test_a_scheme_twice_is_an_error(again: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        read_schemes("schemes:\n" + SCHEME + again)


@pytest.mark.parametrize(("old", "new"), [("2055", "65536"), ("EdDSA", "Ed"), ("intrinsic", "MD4"), ("hash", "digest")])
def test_a_broken_catalogue_of_schemes_is_an_error(old: str, new: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_schemes("schemes:\n" + SCHEME.replace(old, new))


def test_importing_reads_nothing() -> None:
    code = (
        "import sys, checker.catalog.named_groups, checker.catalog.signature_schemes;"
        " print('yaml' in sys.modules, 'pydantic' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "False"]


# -------------------------------------------------------------------------------------------------- strength of suites


def test_strengths_are_those_of_openssl_but_for_3des() -> None:
    listed = subprocess.run(
        [require("openssl", "openssl"), "ciphers", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(r"0x(..),0x(..) - .* Enc=(\S+)", listed)
    assert len(found) > 100
    for high, low, encryption in found:
        suite = cipher_suite(int(high + low, 16))
        assert suite is not None
        size = re.search(r"\((\d+)\)", encryption)
        bits = {"3DES(168)": 112, "None": 0, "CHACHA20/POLY1305(256)": 256}.get(encryption)
        assert suite.strength == (bits if bits is not None else int(size[1] if size else -1)), suite.name


@pytest.mark.parametrize(
    ("code", "bits"),
    [
        (0x0001, 0),
        (0xC0B4, 0),
        (0x0003, 40),
        (0x0006, 40),
        (0x0008, 40),
        (0x0062, 56),
        (0x0064, 56),
        (0x0009, 56),
        (0x000A, 112),
        (0x0005, 128),
        (0x0007, 128),
        (0xC02F, 128),
        (0xC0AF, 256),
        (0x1303, 256),
    ],
)
def test_the_strength_of_a_suite(code: int, bits: int) -> None:
    suite = cipher_suite(code)
    assert suite is not None
    assert suite.strength == bits


def test_every_suite_has_a_strength_and_what_is_made_for_export_a_small_one() -> None:
    assert {suite.strength for suite in cipher_suites().values()} == {0, 40, 56, 112, 128, 256}
    assert {suite.strength for suite in cipher_suites().values() if suite.export} == {40, 56}


def test_an_encryption_that_is_not_known_has_no_strength() -> None:
    with pytest.raises(ValueError, match="not known"):
        encryption_strength("ROT_13")
