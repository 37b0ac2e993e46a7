"""Certificates as devices have them: sound, odd, expired, forged and broken; `openssl` is the second opinion."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.codecs.der import elements
from checker.codecs.trust import MOST_INTERMEDIATES
from checker.codecs.x509 import (
    MOST_NAMES,
    TrustStore,
    certificate_facts,
    counted_names,
    covers,
    plain_name,
    system_trust_store,
)
from checker.errors import MalformedPeerData
from checker.model import CertificateFacts
from tests.codecs.authority import (
    ANY,
    CLIENT,
    DAY,
    HOST,
    NOW,
    SERVER,
    Issued,
    from_openssl,
    intermediate,
    issue,
    key,
    named,
    openssl,
    root,
    rsa_key,
    san,
    store,
    usage,
)

SIGNS = (usage(signs_certificates=True), True)
SIGNS_NOT = (usage(signs_certificates=False), True)


def facts(
    *chain: bytes,
    names: Sequence[str] = (HOST,),
    at: datetime = NOW,
    trusting: TrustStore | None = None,
) -> CertificateFacts:
    found = certificate_facts(chain, names=names, at=at, store=trusting)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------------------ facts


def test_no_certificate_gives_no_facts() -> None:
    assert certificate_facts([], names=[HOST], at=NOW, store=None) is None


def test_a_sound_certificate_is_told_as_it_is() -> None:
    leaf = issue(HOST, root(), names=[HOST, "10.20.1.5", "2001:db8:20::5"], extensions=[SERVER])
    found = facts(leaf.der, trusting=store(root()))
    spki = leaf.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert found == CertificateFacts(
        subject=f"CN={HOST}",
        issuer="CN=Root",
        serial="2a",
        not_before=NOW - 100 * DAY,
        not_after=NOW + 100 * DAY,
        key_type="EC",
        key_bits=256,
        curve="secp256r1",
        signature_hash="sha256",
        dns_names=(HOST,),
        ip_addresses=("10.20.1.5", "2001:db8:20::5"),
        self_signed=False,
        sha256=sha256(leaf.der).hexdigest(),
        public_key_sha256=sha256(spki).hexdigest(),
        trusted=True,
        trust_detail=None,
        trust_store="the test's own",
        names_asked=(HOST,),
        name_matches=True,
    )
    assert found.not_before.tzinfo is UTC


KEYS: list[tuple[str, Callable[[], object], tuple[str, int, str | None]]] = [
    ("RSA 1024", lambda: rsa_key(1024), ("RSA", 1024, None)),
    ("RSA 2048", lambda: rsa_key(2048), ("RSA", 2048, None)),
    ("P-384", lambda: ec.generate_private_key(ec.SECP384R1()), ("EC", 384, "secp384r1")),
    ("P-192", lambda: ec.generate_private_key(ec.SECP192R1()), ("EC", 192, "secp192r1")),
    ("Ed25519", ed25519.Ed25519PrivateKey.generate, ("Ed25519", 256, None)),
    ("Ed448", ed448.Ed448PrivateKey.generate, ("Ed448", 456, None)),
    ("DSA", lambda: dsa.generate_private_key(1024), ("DSA", 1024, None)),  # noqa: S505 - what is to be found
]


@pytest.mark.parametrize(("make", "expected"), [pytest.param(*row[1:], id=row[0]) for row in KEYS])
def test_each_kind_of_key_is_told(make: Callable[[], object], expected: tuple[str, int, str | None]) -> None:
    own = make()
    assert isinstance(
        own,
        rsa.RSAPrivateKey
        | ec.EllipticCurvePrivateKey
        | ed25519.Ed25519PrivateKey
        | ed448.Ed448PrivateKey
        | dsa.DSAPrivateKey,
    )
    found = facts(issue("device", root(), names=[HOST], own=own).der, trusting=store(root()))
    assert (found.key_type, found.key_bits, found.curve) == expected
    assert found.trusted is True


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (ed25519.Ed25519PrivateKey.generate, "sha512"),
        (ed448.Ed448PrivateKey.generate, "shake256"),
    ],
)
def test_an_edwards_curve_brings_its_own_hash(
    own: Callable[[], ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey], expected: str
) -> None:
    found = facts(issue("device", own=own(), names=[HOST]).der)
    assert found.signature_hash == expected
    assert found.self_signed is True


def test_another_hash_is_told() -> None:
    assert facts(issue("device", names=[HOST], digest=SHA384()).der).signature_hash == "sha384"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-newkey", "rsa:1024", "-sha1"], ("RSA", 1024, "sha1")),
        (["-newkey", "rsa:2048", "-md5"], ("RSA", 2048, "md5")),
        (["-newkey", "rsa:512", "-sha256"], ("RSA", 512, "sha256")),
        (["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], ("RSA", 2048, "sha256")),
        (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime192v1", "-sha1"], ("EC", 192, "sha1")),
        (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"], None),
    ],
)
def test_what_only_openssl_still_makes(
    tmp_path: Path, arguments: list[str], expected: tuple[str, int, str] | None
) -> None:
    found = facts(from_openssl(tmp_path, *arguments), trusting=store(root()))
    if expected is None:  # explicit parameters: some versions of the library read them
        assert (found.key_type, found.key_bits) in (("EC", 256), ("other", 0))
    else:
        assert (found.key_type, found.key_bits, found.signature_hash) == expected
    assert found.self_signed is True
    assert found.trusted is False
    assert found.trust_detail == "it is self-signed and not in the trust store"


@pytest.mark.parametrize(("serial", "expected"), [("-7", "-7"), ("0", "0")])
def test_a_serial_that_is_not_positive_is_read_without_a_warning(tmp_path: Path, serial: str, expected: str) -> None:
    assert facts(from_openssl(tmp_path, "-newkey", "rsa:1024", "-set_serial", serial)).serial == expected


def test_a_name_that_breaks_the_rules_for_names_is_read_without_a_warning() -> None:
    common_name, country = bytes.fromhex("0603550403"), bytes.fromhex("0603550406")  # a country has two letters
    odd = issue("device", names=[HOST]).der.replace(common_name, country)
    found = facts(odd, odd, trusting=store(root()))
    assert found.subject == found.issuer == "C=device"


def test_a_key_of_an_unknown_kind_is_other_and_still_has_its_digest() -> None:
    leaf = issue("device", root(), names=[HOST])
    unknown_kind = leaf.der.replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f"))
    assert unknown_kind != leaf.der
    found = facts(unknown_kind)
    assert (found.key_type, found.key_bits, found.curve) == ("other", 0, None)
    assert len(found.public_key_sha256) == 64
    assert found.public_key_sha256 != facts(leaf.der).public_key_sha256


def test_two_certificates_of_one_key_have_one_digest_of_it() -> None:
    one = facts(issue("one", root(), own=key("vendor default")).der)
    other = facts(issue("other", own=key("vendor default"), names=[HOST]).der)
    assert one.public_key_sha256 == other.public_key_sha256
    assert one.sha256 != other.sha256


def test_a_name_that_says_it_issued_itself_is_not_self_signed_by_that_alone() -> None:
    forged = issue("device", issue("somebody", ca=True), issuer="device")
    assert facts(forged.der).self_signed is False


def test_texts_of_the_peer_are_bounded_and_harmless() -> None:
    nasty = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "a\x1b[2J\u202egnp.exe\x00\n" + "é" * 20),
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, "O" * 64) for _ in range(40)),
        ]
    )
    found = facts(issue(nasty).der)
    assert len(found.subject) == 256
    assert found.subject.endswith("…")
    assert "é" in facts(issue(x509.Name(list(nasty)[:1])).der).subject
    assert not any(character in found.subject + found.issuer for character in "\x1b\u202e\x00\n")


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x00", b"hello", b"\x30\x80\x00\x00", bytes(1000)])
def test_what_is_no_certificate_raises_and_quotes_nothing(der: bytes) -> None:
    with pytest.raises(MalformedPeerData) as caught:
        certificate_facts([der], names=[HOST], at=NOW, store=store(root()))
    assert str(caught.value) == "the certificate cannot be read"


# ------------------------------------------------------------------------------------------------------------ trust


@dataclass(frozen=True)
class Chain:
    """A chain, the stores it is judged by, and what is to be said of it. `by_openssl` where it says otherwise."""

    leaf: Issued
    sent: tuple[Issued, ...] = ()
    trusted: tuple[Issued, ...] = ()
    expect: bool | None = True
    words: str = ""
    by_openssl: bool | None = None


def authority(
    name: str, by: Issued | None = None, *, extensions: Sequence[tuple[x509.ExtensionType, bool]] = (SIGNS,)
) -> Issued:
    return issue(name, by, ca=True, extensions=extensions, ends=NOW + 1000 * DAY)


@cache
def chains() -> dict[str, Chain]:
    base = (root(),)
    leaf = issue(HOST, root(), names=[HOST])
    below = issue(HOST, intermediate(), names=[HOST])
    self_signed = issue("device", names=[HOST])
    namesake = authority("Root again")
    lookalike = issue("x", authority("y"), names=[HOST], issuer="Root")
    no_ca = issue("No authority", root(), ca=False)
    silent = issue("Silent", root())
    signs_not = authority("Signs not", root(), extensions=[SIGNS_NOT])
    short = issue("Short", ca=True, path_length=0, extensions=[SIGNS])
    under_short = authority("Under short", short)
    only_org = authority(
        "Only org", extensions=[SIGNS, (x509.NameConstraints([x509.DNSName("example.org")], None), True)]
    )
    not_org = authority(
        "Not org", extensions=[SIGNS, (x509.NameConstraints(None, [x509.DNSName("example.org")]), True)]
    )
    directory = authority(
        "Directory", extensions=[SIGNS, (x509.NameConstraints([x509.DirectoryName(named("x"))], None), True)]
    )
    ended = issue("Ended", root(), ca=True, ends=NOW - DAY, extensions=[SIGNS])
    ended_root = issue("Ended root", ca=True, ends=NOW - DAY, extensions=[SIGNS])
    clients_only = authority("Clients", root(), extensions=[SIGNS, CLIENT])
    plain = issue("Plain", ca=True)
    critical = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    many = [authority(f"Level {number}") for number in range(MOST_INTERMEDIATES + 4)]
    return {
        "issued by the root": Chain(leaf, (), base),
        "the root is sent too": Chain(leaf, (root(),), base),
        "through an intermediate": Chain(below, (intermediate(),), base),
        "the chain in disorder, with strangers": Chain(below, (root(), namesake, intermediate(), leaf), base),
        "the intermediate is not sent": Chain(below, (), base, False, "no certificate was sent that leads there"),
        "another root": Chain(leaf, (), (namesake,), False, "issuer is not in the trust store"),
        "an unknown root that is sent": Chain(
            issue("z", namesake, names=[HOST]), (namesake,), base, False, "issuer is not in"
        ),
        "self-signed": Chain(self_signed, (), base, False, "self-signed"),
        "self-signed and in the store": Chain(self_signed, (), (root(), self_signed)),
        "somebody else under the root's name": Chain(lookalike, (), base, False, "signature"),
        "an end entity as issuer": Chain(
            issue("a", no_ca, names=[HOST]), (no_ca,), base, False, "none of an authority"
        ),
        "an issuer without basicConstraints": Chain(
            issue("b", silent, names=[HOST]), (silent,), base, False, "none of an authority"
        ),
        "an issuer that must not sign": Chain(
            issue("c", signs_not, names=[HOST]), (signs_not,), base, False, "must not sign"
        ),
        "too long a path": Chain(
            issue("d", under_short, names=[HOST]), (under_short,), (short,), False, "longer than an authority"
        ),
        "within the names of the authority": Chain(issue("e", only_org, names=[HOST]), (), (only_org,)),
        "outside the names of the authority": Chain(
            issue("f", only_org, names=["a.example.com"]), (), (only_org,), False, "such names"
        ),
        "excluded by the authority": Chain(issue("g", not_org, names=[HOST]), (), (not_org,), False, "such names"),
        "constraints that the library cannot judge": Chain(
            issue("h", directory, names=[HOST]), (), (directory,), None, "no answer", by_openssl=False
        ),
        "expired leaf": Chain(issue("i", root(), names=[HOST], ends=NOW - DAY), (), base, by_openssl=False),
        "leaf of tomorrow": Chain(issue("j", root(), names=[HOST], begins=NOW + DAY), (), base, by_openssl=False),
        "expired intermediate": Chain(issue("k", ended, names=[HOST]), (ended,), base, False, "out of its time"),
        "expired root": Chain(issue("l", ended_root, names=[HOST]), (), (ended_root,), False, "out of its time"),
        "for servers": Chain(issue("m", root(), names=[HOST], extensions=[SERVER]), (), base),
        "for clients only": Chain(
            issue("n", root(), names=[HOST], extensions=[CLIENT]), (), base, False, "not meant for servers"
        ),
        "an authority for clients only": Chain(
            issue("o", clients_only, names=[HOST]), (clients_only,), base, False, "not meant for servers"
        ),
        "a private authority with few extensions": Chain(issue("p", plain, names=[HOST]), (), (plain,)),
        "without any name": Chain(issue("q", root()), (), base),
        "with an unknown critical extension": Chain(
            issue("r", root(), names=[HOST], extensions=[critical]), (), base, None, "no answer", by_openssl=False
        ),
        "a short key": Chain(issue("s", root(), own=rsa_key(1024), names=[HOST]), (), base),
        "more certificates than are looked at": Chain(
            below, (*many, intermediate()), base, None, "no answer", by_openssl=True
        ),
        "for any purpose": Chain(issue("t", root(), names=[HOST], extensions=[ANY]), (), base, by_openssl=False),
    }


CHAINS = [pytest.param(name, id=name) for name in chains()]


@pytest.mark.parametrize("name", CHAINS)
def test_what_a_store_says_of_a_chain(name: str) -> None:
    chain = chains()[name]
    found = facts(chain.leaf.der, *(one.der for one in chain.sent), trusting=store(*chain.trusted))
    assert found.trusted is chain.expect
    if chain.expect is True:
        assert found.trust_detail is None
    else:
        assert found.trust_detail is not None
        assert chain.words in found.trust_detail
        assert len(found.trust_detail) <= 120


@pytest.mark.parametrize("name", CHAINS)
def test_openssl_says_the_same_of_a_chain(name: str, tmp_path: Path) -> None:
    chain = chains()[name]
    (tmp_path / "leaf.pem").write_bytes(chain.leaf.pem)
    (tmp_path / "sent.pem").write_bytes(b"".join(one.pem for one in chain.sent) or chain.leaf.pem)
    (tmp_path / "trusted.pem").write_bytes(b"".join(one.pem for one in chain.trusted))
    verified = openssl(
        tmp_path, "verify", "-no-CApath", "-no-CAstore", "-CAfile", "trusted.pem", "-untrusted", "sent.pem",
        "-purpose", "sslserver", "-auth_level", "1", "-attime", str(int(NOW.timestamp())), "leaf.pem",
    )  # fmt: skip
    expected = chain.expect if chain.by_openssl is None else chain.by_openssl
    assert (verified.returncode == 0) is expected, (verified.stdout + verified.stderr).decode()


def test_without_a_store_nothing_is_said_of_trust() -> None:
    found = facts(issue("device", names=[HOST]).der)
    assert found.trusted is None
    assert found.trust_detail == "there is no trust store to judge by"


def test_an_empty_store_trusts_nobody() -> None:
    found = facts(issue(HOST, root(), names=[HOST]).der, trusting=TrustStore("nothing", ()))
    assert found.trusted is False
    assert found.trust_detail is not None
    assert "empty" in found.trust_detail


def test_a_signature_over_sha1_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(root().pem)
    (tmp_path / "ca.key").write_bytes(root().key_pem)
    for command in (
        "req -new -nodes -newkey rsa:2048 -keyout key -subj /CN=device -out request",
        "x509 -req -in request -CA ca.pem -CAkey ca.key -set_serial 5 -sha1 -outform DER -out leaf",
    ):
        assert openssl(tmp_path, *command.split()).returncode == 0
    found = facts((tmp_path / "leaf").read_bytes(), trusting=store(root()))
    assert found.signature_hash == "sha1"
    assert found.trusted is False
    assert found.trust_detail == "it is signed with a hash that no longer proves who signed"


def test_the_words_of_a_peer_cannot_turn_doubt_into_a_reason() -> None:
    critical = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    leaf = issue("signature does not match", root(), names=[HOST], extensions=[critical])
    found = facts(leaf.der, trusting=store(root()))
    assert found.trusted is None
    assert found.trust_detail is not None
    assert "signature" not in found.trust_detail


def test_broken_certificates_beside_the_leaf_are_passed_over() -> None:
    below = issue(HOST, intermediate(), names=[HOST])
    found = facts(
        below.der, b"", b"\x30\x03\x02\x01", intermediate().der[:-1], intermediate().der, trusting=store(root())
    )
    assert found.trusted is True


def test_an_issuer_whose_name_is_written_otherwise_is_not_called_missing() -> None:
    # Some libraries compare names by their text (RFC 5280 section 7.1), others by their bytes.
    leaf = issue(HOST, root(), names=[HOST], issuer="ROOT")
    found = facts(leaf.der, trusting=store(root()))
    assert found.trusted is None


# ------------------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("presented", "asked", "expected"),
    [
        ("archive.example.org", "archive.example.org", True),
        ("archive.example.org", "ARCHIVE.Example.Org", True),
        ("ARCHIVE.EXAMPLE.ORG", "archive.example.org.", True),
        ("archive.example.org", "example.org", False),
        ("archive.example.org", "x.archive.example.org", False),
        ("*.example.org", "archive.example.org", True),
        ("*.EXAMPLE.org", "archive.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", ".example.org", False),
        ("*.example.org", "a.b.example.org", False),
        ("*.example.org", "*.example.org", False),
        ("a*.example.org", "archive.example.org", False),
        ("*archive.example.org", "archive.example.org", False),
        ("archive.*.org", "archive.example.org", False),
        ("*.*.org", "archive.example.org", False),
        ("*.org", "example.org", False),
        ("*", "archive", False),
        ("*", "archive.example.org", False),
        ("archive", "archive", True),
        ("xn--bcher-kva.example.org", "xn--bcher-kva.example.org", True),
        ("*.example.org", "xn--bcher-kva.example.org", True),
        ("10.20.1.5", "10.20.1.5", False),
        ("*.20.1.5", "10.20.1.5", False),
        ("", "", False),
    ],
)
def test_which_host_names_a_name_covers(presented: str, asked: str, expected: bool) -> None:
    assert covers([presented], [], asked) is expected


@pytest.mark.parametrize(
    ("presented", "asked", "expected"),
    [
        ("10.20.1.5", "10.20.1.5", True),
        ("10.20.1.5", "10.20.1.50", False),
        ("2001:db8:20::5", "2001:DB8:20:0:0::5", True),
        ("2001:db8:20::5", "2001:db8:20::6", False),
        ("fe80::1", "fe80::1%eth0", True),
        ("::ffff:a14:105", "10.20.1.5", False),
    ],
)
def test_which_addresses_an_address_covers(presented: str, asked: str, expected: bool) -> None:
    assert covers([], [presented], asked) is expected


def test_addresses_count_only_where_there_is_no_host_name() -> None:
    assert counted_names(["10.20.1.5", "Archive.Example.org."]) == ["archive.example.org"]
    assert counted_names(["10.20.1.5", "FE80::1%eth0"]) == ["10.20.1.5", "fe80::1"]


def test_names_are_compared_in_their_plain_form() -> None:
    assert plain_name("Archive.Example.ORG.") == "archive.example.org"
    assert plain_name("2001:DB8::0005") == "2001:db8::5"


@pytest.mark.parametrize(
    ("in_certificate", "asked", "expected"),
    [
        ([HOST], [HOST], True),
        ([HOST], [HOST, "10.20.1.5"], True),
        (["10.20.1.5"], [HOST, "10.20.1.5"], False),
        (["10.20.1.5"], ["10.20.1.5"], True),
        (["10.20.1.5"], ["10.20.1.5", "10.20.1.6"], True),
        (["10.20.1.7"], ["10.20.1.5", "10.20.1.6"], False),
        ([HOST], [HOST, "viewer.example.org"], False),
        ([HOST, "viewer.example.org"], [HOST, "viewer.example.org"], True),
        ([HOST], [], None),
        (["*.example.org"], [HOST, "viewer.example.org"], True),
    ],
)
def test_each_host_name_asked_must_be_covered_and_addresses_count_alone(
    in_certificate: list[str], asked: list[str], expected: bool | None
) -> None:
    found = facts(issue("device", root(), names=in_certificate).der, names=asked)
    assert found.name_matches is expected
    assert found.names_asked == tuple(asked)


def test_a_name_in_the_subject_alone_covers_nothing() -> None:
    found = facts(issue(HOST, root()).der)
    assert found.name_matches is False
    assert found.dns_names == found.ip_addresses == ()


def test_ten_thousand_names_are_all_compared_and_few_are_kept() -> None:
    names = [f"host{number}.example.com" for number in range(9999)]
    found = facts(issue("device", root(), names=[*names, HOST]).der)
    assert found.name_matches is True
    assert found.dns_names == tuple(names[:MOST_NAMES])
    assert facts(issue("device", root(), names=names).der).name_matches is False


def rewritten(leaf: Issued, old: bytes, new: bytes) -> bytes:
    """The certificate with some of its bytes changed; the signature is then wrong."""
    assert len(old) == len(new)
    assert leaf.der.count(old) >= 1
    return leaf.der.replace(old, new)


def test_a_nul_inside_a_name_ends_nothing() -> None:
    leaf = issue("device", root(), names=["archive.example.org-evil.example.com"])
    found = facts(rewritten(leaf, b"example.org-evil", b"example.org\x00evil"))
    assert found.name_matches is False
    assert found.dns_names == ("archive.example.org\N{REPLACEMENT CHARACTER}evil.example.com",)


def test_a_name_that_is_longer_than_names_can_be_covers_nothing() -> None:
    asked = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert len(asked) == 253
    found = facts(issue("device", root(), names=[asked + "c"]).der, names=[asked])
    assert found.name_matches is False
    assert [len(name) for name in found.dns_names] == [253]
    assert facts(issue("device", root(), names=[asked]).der, names=[asked]).name_matches is True


def test_names_are_read_although_another_extension_is_broken() -> None:
    usage_of_keys = (usage(signs_certificates=False), True)
    leaf = issue(HOST, root(), names=[HOST, "10.20.1.5"], extensions=[usage_of_keys])
    bits, octets = bytes.fromhex("0603551d0f0101ff040403"), bytes.fromhex("0603551d0f0101ff040404")
    broken = rewritten(leaf, bits, octets)
    with pytest.raises(ValueError, match=r".+"):
        _ = x509.load_der_x509_certificate(broken).extensions
    found = facts(broken, trusting=store(root()))
    assert found.dns_names == (HOST,)
    assert found.ip_addresses == ("10.20.1.5",)
    assert found.name_matches is True
    assert found.trusted is not True


def test_names_that_cannot_be_read_are_not_said_to_be_missing() -> None:
    leaf = issue("device", root(), names=[HOST])
    length = len(HOST)
    broken = rewritten(leaf, bytes([0x82, length]) + HOST.encode(), bytes([0x82, length + 1]) + HOST.encode())
    found = facts(broken)
    assert found.name_matches is None
    assert found.dns_names == ()


def test_names_of_other_kinds_are_passed_over() -> None:
    others = x509.SubjectAlternativeName(
        [
            x509.RFC822Name("pacs@example.org"),
            x509.UniformResourceIdentifier("https://archive.example.org/"),
            x509.DirectoryName(named(HOST)),
            x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
            x509.DNSName("last.example.org"),
        ]
    )
    found = facts(issue("device", root(), extensions=[(others, False)]).der)
    assert found.dns_names == ("last.example.org",)
    assert found.name_matches is False


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_*", min_size=1, max_size=12)
HOST_NAMES = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
ADDRESSES = st.ip_addresses().map(str)


@settings(max_examples=60, deadline=None)
@given(st.lists(HOST_NAMES | ADDRESSES, min_size=1, max_size=8))
def test_names_are_read_as_the_library_reads_them(names: list[str]) -> None:
    leaf = issue("device", root(), extensions=[(san(*names), False)])
    extension = leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = facts(leaf.der)
    assert list(found.dns_names) == extension.get_values_for_type(x509.DNSName)
    assert list(found.ip_addresses) == [str(one) for one in extension.get_values_for_type(x509.IPAddress)]


# ---------------------------------------------------------------------------------------------------- must-staple

STAPLE, STAPLE_ALL = x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2
TLS_FEATURE = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([STAPLE], True),
        ([STAPLE_ALL, STAPLE], True),
        ([STAPLE_ALL], False),  # another extension of TLS, RFC 6961
    ],
)
@pytest.mark.parametrize("critical", [True, False])
def test_a_certificate_that_demands_a_stapled_response_says_so(
    features: list[x509.TLSFeatureType], expected: bool, critical: bool
) -> None:
    leaf = issue(HOST, root(), names=[HOST], extensions=[(x509.TLSFeature(features), critical)])
    assert facts(leaf.der).must_staple is expected


def test_a_certificate_of_openssl_that_demands_it_says_so(tmp_path: Path) -> None:
    arguments = ("-newkey", "rsa:2048", "-addext")
    assert facts(from_openssl(tmp_path, *arguments, "tlsfeature=status_request")).must_staple
    assert not facts(from_openssl(tmp_path, *arguments, "subjectAltName=DNS:device")).must_staple


@pytest.mark.parametrize("value", ["", "00", "3003020100", "30030401 05", "3004020105", "30030201050000", "020105"])
def test_a_demand_that_cannot_be_read_is_none_and_hides_nothing(value: str) -> None:
    broken = x509.UnrecognizedExtension(TLS_FEATURE, bytes.fromhex(value))
    found = facts(issue(HOST, root(), names=[HOST], extensions=[(broken, False)]).der)
    assert not found.must_staple
    assert found.name_matches


# ------------------------------------------------------------------------------------------------- anything at all


@cache
def samples() -> list[bytes]:
    return [
        issue(
            HOST, root(), names=[HOST, "10.20.1.5"], extensions=[SERVER, (usage(signs_certificates=False), True)]
        ).der,
        issue("device", own=rsa_key(1024), names=[HOST]).der,
        issue("device", own=ed25519.Ed25519PrivateKey.generate(), names=["2001:db8::5"]).der,
        root().der,
    ]


MUTATIONS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


@settings(max_examples=400, deadline=None)
@given(
    sample=st.integers(0, 3),
    mutations=MUTATIONS,
    cut=st.floats(0, 1) | st.none(),
    junk=st.binary(max_size=8),
)
def test_a_damaged_certificate_is_read_or_malformed_and_nothing_else(
    sample: int, mutations: list[tuple[float, int]], cut: float | None, junk: bytes
) -> None:
    data = bytearray(samples()[sample])
    for place, value in mutations:
        data[int(place * len(data))] = value
    damaged = bytes(data[: int(cut * len(data))] if cut is not None else data) + junk
    try:
        found = certificate_facts([damaged, root().der, damaged], names=[HOST], at=NOW, store=store(root()))
    except MalformedPeerData:
        return
    assert found is not None
    assert found.sha256 == sha256(damaged).hexdigest()
    assert max(len(found.subject), len(found.issuer)) <= 256
    assert len(found.serial) <= 64
    if found.trusted:
        assert damaged in samples()


@given(st.binary(max_size=64))
def test_der_is_walked_whole_or_not_at_all(data: bytes) -> None:
    try:
        found = list(elements(data))
    except MalformedPeerData:
        return
    assert b"".join(one.whole for one in found) == data


# ------------------------------------------------------------------------------------------------------ the system's


@pytest.fixture
def settings_of_openssl(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | Path], None]:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return lambda name, value: monkeypatch.setenv(name, str(value))


Setting = Callable[[str, str | Path], None]


def test_the_file_that_is_set_is_the_store_and_broken_parts_are_passed_over(
    tmp_path: Path, settings_of_openssl: Setting
) -> None:
    bundle = tmp_path / "bundle.pem"
    broken = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    bundle.write_bytes(b"# Root\n" + root().pem + broken + b"junk \xff\x00\n" + intermediate().pem + root().pem)
    settings_of_openssl("SSL_CERT_FILE", bundle)
    found = system_trust_store()
    assert found is not None
    assert found.name == "the system's trust store"
    assert found.certificates == (root().certificate, intermediate().certificate)
    assert system_trust_store() is found


def test_the_folders_that_are_set_are_the_store(tmp_path: Path, settings_of_openssl: Setting) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, one in ((first, root()), (second, intermediate())):
        folder.mkdir()
        (folder / "a.pem").write_bytes(one.pem)
        (folder / "a.0").symlink_to("a.pem")
        (folder / "gone.0").symlink_to("gone.pem")
        (folder / "deeper").mkdir()
    settings_of_openssl("SSL_CERT_DIR", os.pathsep.join([str(first), str(second), str(tmp_path / "missing")]))
    found = system_trust_store()
    assert found is not None
    assert found.certificates == (root().certificate, intermediate().certificate)


def test_a_setting_that_leads_nowhere_is_no_store(tmp_path: Path, settings_of_openssl: Setting) -> None:
    settings_of_openssl("SSL_CERT_FILE", tmp_path / "missing.pem")
    assert system_trust_store() is None


def test_a_file_without_certificates_is_no_store(tmp_path: Path, settings_of_openssl: Setting) -> None:
    (tmp_path / "empty.pem").write_bytes(b"nothing here")
    settings_of_openssl("SSL_CERT_FILE", tmp_path / "empty.pem")
    assert system_trust_store() is None


@pytest.mark.usefixtures("settings_of_openssl")
def test_the_usual_store_of_this_system_does_not_trust_a_stranger() -> None:
    found = system_trust_store()
    below = issue(HOST, root(), names=[HOST])
    if found is None:  # a machine without ca-certificates
        assert facts(below.der, trusting=found).trusted is None
    else:
        assert len(found.certificates) > 50
        assert facts(below.der, trusting=found).trusted is False


def test_a_pem_file_is_a_store() -> None:
    found = TrustStore.from_pem("a file", root().pem + b"\n" + root().pem)
    assert found.certificates == (root().certificate,)
    assert facts(issue(HOST, root(), names=[HOST]).der, trusting=found).trusted is True


def test_trust_is_judged_at_the_time_given() -> None:
    leaf = issue(HOST, intermediate(), names=[HOST], ends=NOW + 900 * DAY)
    chain = (leaf.der, intermediate().der)
    assert facts(*chain, trusting=store(root())).trusted is True
    later = facts(*chain, trusting=store(root()), at=NOW + timedelta(days=101))
    assert later.trusted is False
    assert later.trust_detail == "a certificate on the way to the store is out of its time"
