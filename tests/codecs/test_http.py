"""From a status, headers and the first bytes of a body to facts: golden answers, odd ones, and what is never kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.http import (
    MALFORMED,
    PREFIX_BYTES,
    SAME,
    Headers,
    body_kind,
    challenges,
    cookies,
    http_facts,
    is_encoded,
    is_json,
    length_class,
    media_type,
    realm,
    redirect,
)
from checker.model import BodyKind, CookieFacts, HttpEnd, HttpFacts, HttpPurpose

ORIGIN = "https://archive.example.org:8443"
SECRET = "SYNTH-SECRET"
"""Stands in every place whose content must not get into facts."""


def facts(
    status: int = 200,
    headers: Headers = (),
    body: bytes = b"",
    *,
    complete: bool = True,
    path: str = "/viewer/",
    body_alike: bool | None = None,
) -> HttpFacts:
    return http_facts(
        purpose=HttpPurpose.PAGE,
        path=path,
        tls=True,
        status=status,
        headers=headers,
        prefix=body,
        complete=complete,
        origin=ORIGIN,
        body_alike=body_alike,
    )


def known(**more: object) -> HttpFacts:
    common: dict[str, object] = {
        "purpose": HttpPurpose.PAGE,
        "path": "/viewer/",
        "tls": True,
        "end": HttpEnd.ANSWERED,
    }
    return HttpFacts(**(common | more))  # type: ignore[arg-type] # the tests' own shorthand


# --------------------------------------------------------------------------------------------------- golden answers


@dataclass(frozen=True, slots=True)
class Golden:
    """An answer of a product as it was seen, shortened, and its facts."""

    name: str
    status: int
    headers: Headers
    body: bytes
    expected: HttpFacts
    complete: bool = field(default=True)


GOLDEN = [
    Golden(
        "Orthanc, open",
        200,
        ((b"content-type", b"application/dicom+json"), (b"content-length", b"2")),
        b"[]",
        known(status=200, media_type="application/dicom+json", body=BodyKind.EMPTY_ARRAY, length_class=2),
    ),
    Golden(
        "Orthanc, gated",
        401,
        ((b"WWW-Authenticate", b'Basic realm="Orthanc Secure Area"'), (b"Content-Length", b"0")),
        b"",
        known(
            status=401,
            body=BodyKind.NONE,
            length_class=0,
            challenges=("basic",),
            realm="Orthanc Secure Area",
            product="orthanc",
        ),
    ),
    Golden(
        "no content",
        204,
        ((b"Server", b"WildFly/26"), (b"X-Powered-By", b"Undertow/1")),
        b"",
        known(status=204, body=BodyKind.NONE, length_class=0, server="WildFly/26", powered_by="Undertow/1"),
    ),
    Golden(
        "an object that says no",
        200,
        ((b"Content-Type", b"application/json; charset=utf-8"),),
        b'{"error":"unauthorized"}',
        known(status=200, media_type="application/json", body=BodyKind.JSON_OBJECT, length_class=32),
    ),
    Golden(
        "a filled list, cut off",
        200,
        ((b"Content-Type", b"application/dicom+json"), (b"Content-Length", b"1048577")),
        b'[{"00100010":',
        known(status=200, media_type="application/dicom+json", body=BodyKind.FILLED_ARRAY, length_class=1 << 21),
        complete=False,
    ),
    Golden(
        "nginx without the certificate it wants",
        400,
        ((b"Server", b"nginx/1.22.1"), (b"Content-Type", b"text/html")),
        b"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n",
        known(
            status=400,
            media_type="text/html",
            body=BodyKind.HTML,
            client_certificate_gate=True,
            server="nginx/1.22.1",
        ),
        complete=False,
    ),
    Golden(
        "a gateway to single sign-on",
        302,
        (
            (b"Location", b"https://idp.example.net/authorize?client_id=x&state=SYNTH-SECRET"),
            (b"Set-Cookie", b"state=SYNTH-SECRET; Secure; HttpOnly; SameSite=None"),
            (b"Strict-Transport-Security", b"max-age=31536000"),
        ),
        b"",
        known(
            status=302,
            body=BodyKind.NONE,
            length_class=0,
            redirect_origin="https://idp.example.net",
            redirect_to_login=True,
            hsts="max-age=31536000",
            cookies=(CookieFacts("state", secure=True, http_only=True, same_site="none"),),
        ),
    ),
    Golden(
        "a body that was packed unasked",
        200,
        ((b"Content-Type", b"text/html"), (b"Content-Encoding", b"gzip"), (b"Content-Length", b"100")),
        b"\x1f\x8b\x08",
        known(status=200, media_type="text/html", end=HttpEnd.ENCODED, length_class=128),
        complete=False,
    ),
]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_golden_answers(golden: Golden) -> None:
    assert facts(golden.status, golden.headers, golden.body, complete=golden.complete) == golden.expected


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_the_words_of_a_certificate_gate_count_with_its_status_alone(status: int) -> None:
    body = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    assert not facts(status, ((b"Content-Type", b"text/html"),), body).client_certificate_gate


def test_another_400_is_no_certificate_gate() -> None:
    body = b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"
    assert not facts(400, ((b"Content-Type", b"text/html"),), body).client_certificate_gate


def test_a_location_counts_with_a_redirect_alone() -> None:
    headers = ((b"Location", b"/login"),)
    assert facts(201, headers).redirect_origin is None
    assert facts(307, headers).redirect_origin == SAME


def test_a_page_is_read_only_where_the_body_is_one() -> None:
    form = b'{"x": "<form><input type=password></form>"}'
    assert not facts(200, ((b"Content-Type", b"application/json"),), form).login_form
    assert facts(200, ((b"Content-Type", b"text/html"),), form[7:-2]).login_form


def test_what_a_control_was_compared_to_is_kept() -> None:
    assert facts(200, (), b"[]", body_alike=True).body_alike is True
    assert facts(200, ((b"Content-Encoding", b"br"),), b"[]", body_alike=True).body_alike is None


# ---------------------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("media", "prefix", "complete", "kind"),
    [
        (None, b"", True, BodyKind.NONE),
        (None, b"", False, BodyKind.OTHER),
        (None, b" \r\n", True, BodyKind.NONE),
        ("application/json", b"[]", True, BodyKind.EMPTY_ARRAY),
        ("application/json", b"[]", False, BodyKind.OTHER),
        ("application/json", b"[", False, BodyKind.OTHER),
        ("application/json", b"[", True, BodyKind.OTHER),
        ("application/json", b" [ \t]\n", True, BodyKind.EMPTY_ARRAY),
        ("application/json", b"\xef\xbb\xbf[]", True, BodyKind.EMPTY_ARRAY),
        ("application/json", b"[]x", True, BodyKind.OTHER),
        ("application/json", b"[],[]", True, BodyKind.OTHER),
        ("application/json", b"[{", False, BodyKind.FILLED_ARRAY),
        ("application/json", b"[\n {", False, BodyKind.FILLED_ARRAY),
        ("application/json", b"[[]]", True, BodyKind.FILLED_ARRAY),
        ("application/json", b'["1.2"]', True, BodyKind.FILLED_ARRAY),
        ("application/json", b"[null]", True, BodyKind.FILLED_ARRAY),
        ("application/json", b"[-1]", True, BodyKind.FILLED_ARRAY),
        ("application/json", b"[<", True, BodyKind.OTHER),
        ("application/json", b"{}", True, BodyKind.JSON_OBJECT),
        ("application/json", b"null", True, BodyKind.OTHER),
        ("application/json", b"<!DOCTYPE html><html>", True, BodyKind.HTML),
        ("text/html", b"[]", True, BodyKind.EMPTY_ARRAY),
        ("text/html", b"[{", False, BodyKind.FILLED_ARRAY),
        ("text/html", b"hello", True, BodyKind.HTML),
        ("application/xhtml+xml", b"<?xml version='1.0'?>", True, BodyKind.HTML),
        (None, b"\n\n<!-- x --> <HTML lang=en>", True, BodyKind.HTML),
        (None, b"<htmlx>", True, BodyKind.OTHER),
        ("text/plain", b"hello", True, BodyKind.OTHER),
        ("multipart/related", b"--boundary\r\n", False, BodyKind.OTHER),
        ("application/json", "[]".encode("utf-16"), True, BodyKind.OTHER),
    ],
)
def test_what_a_body_is_by_its_first_bytes(media: str | None, prefix: bytes, complete: bool, kind: BodyKind) -> None:
    assert body_kind(media, prefix, complete) is kind


@given(st.binary(max_size=80))
def test_an_empty_list_is_one_only_as_a_whole(tail: bytes) -> None:
    kind = body_kind("application/json", b"[]" + tail, complete=True)
    assert (kind is BodyKind.EMPTY_ARRAY) is (not tail.strip(b" \t\r\n"))


@pytest.mark.parametrize(
    ("media", "json"),
    [
        ("application/json", True),
        ("application/dicom+json", True),
        ("application/problem+json", True),
        ("text/json", True),
        ("text/html", False),
        ("application/jsonp", False),
        ("", False),
        (None, False),
    ],
)
def test_which_media_types_say_json(media: str | None, json: bool) -> None:
    assert is_json(media) is json


@pytest.mark.parametrize(
    ("value", "media"),
    [
        (b"Application/DICOM+JSON; charset=utf-8", "application/dicom+json"),
        (b" text/html ;x", "text/html"),
        (b"text/html, text/plain", None),
        (b"html", None),
        (b"", None),
        (b"text/\xe9", None),
    ],
)
def test_a_media_type_is_read_without_its_parameters(value: bytes, media: str | None) -> None:
    assert media_type(((b"Content-Type", value),)) == media


@pytest.mark.parametrize(
    ("values", "encoded"),
    [((), False), ((b"identity",), False), ((b"",), False), ((b"gzip",), True), ((b"identity, br",), True)],
)
def test_a_coding_is_anything_but_identity(values: tuple[bytes, ...], encoded: bool) -> None:
    assert is_encoded(tuple((b"Content-Encoding", value) for value in values)) is encoded


@pytest.mark.parametrize(
    ("length", "bound"), [(-1, 0), (0, 0), (1, 1), (2, 2), (3, 4), (1024, 1024), (1025, 2048), (10**30, 1 << 40)]
)
def test_lengths_are_known_to_a_power_of_two(length: int, bound: int) -> None:
    assert length_class(length) == bound


@pytest.mark.parametrize("value", [b"-1", b"1e3", b"\xb2", b"12345678901234567", b"0x10"])
def test_a_length_that_is_none_is_not_taken(value: bytes) -> None:
    assert facts(200, ((b"Content-Length", value),), b"[", complete=False).length_class is None


# ------------------------------------------------------------------------------------------------------- challenges


@pytest.mark.parametrize(
    ("values", "schemes", "name"),
    [
        ([b'Basic realm="A, b=c \\"d\\""'], ("basic",), 'A, b=c "d"'),
        ([b"Basic realm=plain"], ("basic",), "plain"),
        ([b'Digest realm="a", nonce="Basic x", qop="auth,auth-int", Basic realm="b"'], ("digest", "basic"), "a"),
        ([b"Negotiate", b"NTLM", b'Bearer error="invalid_token"'], ("negotiate", "ntlm", "bearer"), None),
        ([b"Negotiate YII="], ("negotiate",), None),
        ([b'Basic realm = "spaced"'], ("basic",), "spaced"),
        ([b'BASIC realm="x", basic realm="y"'], ("basic",), "x"),
        ([b'Basic realm="' + b"x" * 500 + b'"'], ("basic",), "x" * 64),
        ([b'Basic realm="a\x00\x1b[31mb\xe9"'], ("basic",), "a??[31mb?"),
        ([b'Basic realm="never ends'], ("basic",), "never ends"),
        ([b'notrealm="x"'], (), None),
        ([b""], (), None),
        ([b",,,"], (), None),
        ([], (), None),
    ],
)
def test_challenges_and_their_realm(values: list[bytes], schemes: tuple[str, ...], name: str | None) -> None:
    headers = tuple((b"WWW-Authenticate", value) for value in values)
    assert challenges(headers) == schemes
    assert realm(headers) == name


def test_the_number_of_challenges_is_bounded() -> None:
    headers = tuple((b"WWW-Authenticate", b"Scheme%d" % number) for number in range(100))
    assert len(challenges(headers)) == 8


# -------------------------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize(
    ("location", "origin", "path", "login"),
    [
        ("/login?next=/viewer/", SAME, "/login", True),
        ("login.jsp", SAME, "/viewer/login.jsp", True),
        ("/auth/realms/x/protocol/openid-connect/auth?response_type=code", SAME, None, True),
        ("?SAMLRequest=x", SAME, "/viewer/", True),
        ("https://archive.example.org:8443/ui/", SAME, "/ui/", False),
        ("HTTPS://ARCHIVE.example.org:8443/UI/", SAME, "/UI/", False),
        ("//archive.example.org:8443/ui/", SAME, "/ui/", False),
        ("/catalogue/blogging", SAME, "/<other>/<other>", False),
        ("/viewer/;jsessionid=SYNTH-SECRET", SAME, "/viewer/", False),
        ("/ui;x=SYNTH-SECRET/app;y", SAME, "/ui/app", False),
        ("/patients/12345678/images", SAME, "/<other>/<other>/<other>", False),
        ("/studies/1.2.840.10008.1/x", SAME, "/studies/<other>/<other>", False),
        ("/ui#SYNTH-SECRET", SAME, "/ui", False),
        ("/" + "x" * 300, SAME, "/<other>", False),
        ("/ui" * 300, SAME, "/ui" * 7, False),
        ("/caf\xe9", SAME, "/<other>", False),
        ("https://archive.example.org/ui/", "https://archive.example.org", None, False),
        ("http://archive.example.org:8443/ui/", "http://archive.example.org:8443", None, False),
        ("https://login.microsoftonline.com/SYNTH-SECRET", "https://login.microsoftonline.com", None, True),
        ("https://idp.example.net/x", "https://idp.example.net", None, True),
        ("https://other.example.net/signin", "https://other.example.net", None, True),
        ("https://other.example.net/blog", "https://other.example.net", None, False),
        ("https://u:SYNTH-SECRET@other.example.net/", "https://other.example.net", None, False),
        ("https://[fd00:20::1]:444/", "https://[fd00:20::1]:444", None, False),
        ("https://other.example.net:443/", "https://other.example.net", None, False),
        ("", MALFORMED, None, False),
        ("   ", MALFORMED, None, False),
        ("///other.example.net/", MALFORMED, None, False),
        ("/\\other.example.net/", MALFORMED, None, False),
        ("https:\\\\other.example.net/", MALFORMED, None, False),
        ("https://other.example.net\r\nX: y", MALFORMED, None, False),
        ("/\tx", MALFORMED, None, False),
        ("https://", MALFORMED, None, False),
        ("https://?x", MALFORMED, None, False),
        ("//", MALFORMED, None, False),
        ("https:///x", MALFORMED, None, False),
        ("http:/x", MALFORMED, None, False),
        ("https://[broken/", MALFORMED, None, False),
        ("https://other.example.net:99999/", MALFORMED, None, False),
        ("https://other.example.net:x/", MALFORMED, None, False),
        ("https://ex\xe4mple.net/", MALFORMED, None, False),
        ("javascript:location='/login'", MALFORMED, None, False),
        ("data:text/html,x", MALFORMED, None, False),
        ("/" + "x" * 9000, MALFORMED, None, False),
    ],
)
def test_where_a_location_leads(location: str, origin: str, path: str | None, login: bool) -> None:
    leads = redirect(location, ORIGIN, "/viewer/")
    assert (leads.origin, leads.to_login) == (origin, login)
    if path is not None:
        assert leads.path == path
    if origin != SAME:
        assert leads.path is None


@pytest.mark.parametrize("asked", ["/login", "/auth/viewer/login"])
def test_a_login_that_was_asked_for_is_no_answer(asked: str) -> None:
    assert not redirect(f"{asked}/", ORIGIN, asked).to_login


@given(st.text(max_size=200), st.sampled_from(["/", "/viewer/?tab=1", "/dicom-web/studies/<random>/series?limit=1"]))
def test_a_location_never_raises_and_stays_within_bounds(location: str, asked: str) -> None:
    leads = redirect(location, ORIGIN, asked)
    if leads.origin == SAME:
        assert leads.path is not None
        assert leads.path.startswith("/")
        assert leads.path.isascii()
        assert len(leads.path) <= 128
    else:
        assert leads.path is None


# ---------------------------------------------------------------------------------------------------------- cookies


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a=1", [CookieFacts("a", secure=False, http_only=False, same_site=None)]),
        (
            "a=b=c; secure; HTTPONLY; SameSite=STRICT; Path=/",
            [CookieFacts("a", secure=True, http_only=True, same_site="strict")],
        ),
        ("a=; SameSite=odd", [CookieFacts("a", secure=False, http_only=False, same_site=None)]),
        ("a=x secure", [CookieFacts("a", secure=False, http_only=False, same_site=None)]),
        ("=value", []),
        ("name", []),
        ("", []),
        ("bad name=x", [CookieFacts("?", secure=False, http_only=False, same_site=None)]),
        ("a" * 65 + "=x", [CookieFacts("?", secure=False, http_only=False, same_site=None)]),
    ],
)
def test_cookies_are_kept_without_their_values(line: str, expected: list[CookieFacts]) -> None:
    assert list(cookies([line])) == expected


@pytest.mark.parametrize(
    ("line", "is_set"),
    [
        ("remember=no; Path=/; Max-Age=0; Expires=Mon, 23-Nov-2026 02:00:00 GMT", False),
        ("a=; max-age=-1", False),
        ("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("a=; expires=Thu, 01-Jan-70 00:00:01 GMT", False),
        ("a=; expires=Thu, 01-Jan-1970 00:00:01 GMT", False),
        ("a=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("a=x; Expires=Sat, 01 Jan 2028 00:00:00 GMT", True),
        ("a=x; Max-Age=soon", True),
        ("a=x; Max-Age=", True),
    ],
)
def test_a_cookie_that_is_only_removed_is_none(line: str, is_set: bool) -> None:
    assert bool(cookies([line])) is is_set


def test_the_number_of_cookies_is_bounded() -> None:
    assert len(cookies(f"c{number}=x" for number in range(100))) == 16


def test_of_too_many_cookies_those_without_protection_are_kept() -> None:
    guarded = [f"session{number}=x; Secure; HttpOnly; SameSite=Lax" for number in range(16)]
    assert "JSESSIONID" in [one.name for one in cookies([*guarded, "JSESSIONID=x"])]


# ------------------------------------------------------------------------------------------------- nothing is kept


def _around(text: str) -> st.SearchStrategy[bytes]:
    return st.tuples(st.binary(max_size=60), st.binary(max_size=60)).map(lambda ends: ends[0] + text.encode() + ends[1])


_BODIES = st.one_of(
    _around(SECRET),
    st.sampled_from(
        [
            '[{"00100010":{"Value":["SYNTH-SECRET"]}}]',
            '{"error":"SYNTH-SECRET"}',
            "<html><title>SYNTH-SECRET</title><body>SYNTH-SECRET",
            "<form action='/SYNTH-SECRET'><input type=password value=SYNTH-SECRET>",
            "<meta http-equiv=refresh content='0;url=/login?SYNTH-SECRET'>",
            "<script>location.href='/login?SYNTH-SECRET'</script>",
            "<title>Index of /SYNTH-SECRET</title><a href=SYNTH-SECRET>SYNTH-SECRET</a>",
        ]
    ).map(str.encode),
)
_HEADERS = st.lists(
    st.one_of(
        st.tuples(
            st.just(b"Set-Cookie"),
            st.sampled_from([b"sid=SYNTH-SECRET; Secure", b"a=SYNTH-SECRET;Path=/SYNTH-SECRET;Domain=SYNTH-SECRET"]),
        ),
        st.tuples(
            st.just(b"Location"),
            st.sampled_from(
                [
                    b"/x?SYNTH-SECRET",
                    b"/x;SYNTH-SECRET",
                    b"/x#SYNTH-SECRET",
                    b"https://other.example.net/SYNTH-SECRET",
                    b"https://SYNTH-SECRET@other.example.net/",
                    b"SYNTH-SECRET://x",
                    b"//[SYNTH-SECRET",
                ]
            ),
        ),
        st.tuples(st.sampled_from([b"Content-Length", b"Content-Encoding", b"X-Other", b"ETag"]), _around(SECRET)),
        st.tuples(
            st.sampled_from([b"Content-Type", b"WWW-Authenticate", b"Server", b"Content-Length"]),
            st.binary(max_size=60),
        ),
    ),
    max_size=6,
).map(tuple)


@given(st.integers(100, 999), _HEADERS, _BODIES, st.booleans())
def test_nothing_raises_and_no_secret_gets_into_the_facts(
    status: int, headers: Headers, body: bytes, complete: bool
) -> None:
    found = facts(status, headers, body, complete=complete)
    assert SECRET not in repr(found).upper()
    assert found.status == status


@given(
    st.integers(0, 10**4),
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=100)), max_size=8),
    st.binary(max_size=400),
)
def test_any_bytes_at_all_give_facts(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    others = {400: {HttpEnd.WEBSOCKET_ONLY}, 426: {HttpEnd.WEBSOCKET_ONLY, HttpEnd.HTTP2_ONLY}}.get(status, set())
    assert facts(status, headers, body).end in {HttpEnd.ANSWERED, HttpEnd.ENCODED} | others


def test_the_same_answer_gives_the_same_facts_however_long_it_goes_on() -> None:
    page = b"<html><title>OHIF Viewer</title>" + b"x" * PREFIX_BYTES
    html = ((b"Content-Type", b"text/html"), (b"Content-Length", b"99999"))
    assert facts(200, html, page[:PREFIX_BYTES], complete=False) == facts(200, html, page, complete=False)


@pytest.mark.parametrize("host", ["auth.example.org", "sso.example.org", "login.example.org"])
def test_a_host_that_is_called_like_a_login_names_none_by_sending_on_to_its_own_https(host: str) -> None:
    assert not redirect(f"https://{host}/viewer/", f"http://{host}", "/viewer/").to_login
    assert redirect(f"https://{host}/", "http://archive.example.org", "/viewer/").to_login
    assert redirect(f"https://{host}/viewer/?rd=1", "http://archive.example.org", "/viewer/").to_login
    assert redirect(f"https://{host}/", "http://archive.example.org", "/").to_login


@pytest.mark.parametrize("host", ["accounts.example.org", "pacs-sts.example.org", "identity.example.org"])
def test_a_host_to_which_the_same_question_is_to_be_put_is_no_login_by_its_name(host: str) -> None:
    asked = "/dicom-web/studies/<random>/series?limit=1"
    leads = redirect(f"https://{host}{asked}", "http://archive.example.org", asked)
    assert (leads.origin, leads.to_login) == (f"https://{host}", False)
