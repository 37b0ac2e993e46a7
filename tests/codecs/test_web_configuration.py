"""What a public configuration or a REST answer says: in the forms that products have, in odd ones, and in any bytes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.web_products import Ask
from checker.codecs.http import PREFIX_BYTES
from checker.codecs.http_headers import Headers
from checker.codecs.http_questions import FEW_BYTES
from checker.codecs.web_configuration import (
    MOST_ROOTS,
    UNKNOWN_ROOT,
    Configuration,
    is_internal,
    read_configuration,
)
from checker.codecs.web_rest import rest_enough, rest_gives_data, rest_sign

PAGE = "https://viewer.example.org/ohif/viewer"
SCRIPT: Headers = ((b"Content-Type", b"application/javascript"),)
JSON: Headers = ((b"Content-Type", b"application/json"),)
OHIF = Ask(path="app-config.js", shows="configuration", format="ohif")
KEYCLOAK = Ask(path="/keycloak.json", shows="configuration", format="keycloak")
ANY = Ask(path="/configuration", shows="configuration", format="json")
CLOCK = Ask(path="/tools/now", shows="rest", format="timestamp", sign="a time stamp")
SYSTEM = Ask(path="/about", shows="rest", format="json", sign="its name", keys=("ApiVersion", "Name"))
SEARCH = Ask(path="/search?query=StudyInstanceUID:{uid}", shows="rest", format="json", sign="a list", empty="results")


def read(
    ask: Ask,
    text: str,
    *,
    headers: Headers = SCRIPT,
    status: int = 200,
    complete: bool = True,
    declared: Sequence[str] = (),
) -> Configuration | None:
    return read_configuration(
        ask, status=status, headers=headers, prefix=text.encode(), complete=complete, page_url=PAGE, declared=declared
    )


def ohif(members: str) -> Configuration:
    found = read(OHIF, f"window.config = {{ routerBasename: '/', {members} }};")
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------------------- OHIF


@pytest.mark.parametrize(
    ("written", "root", "shown"),
    [
        ("qidoRoot: '/dicom-web'", "https://viewer.example.org/dicom-web", "/dicom-web"),
        ('"qidoRoot": "/dicom-web/",', "https://viewer.example.org/dicom-web", "/dicom-web"),
        ("qidoRoot: `/dicom-web`", "https://viewer.example.org/dicom-web", "/dicom-web"),
        ("wadoRoot: '../dicom-web'", "https://viewer.example.org/dicom-web", "/dicom-web"),
        ("qidoRoot: '/'", "https://viewer.example.org", "/"),
        ("qidoRoot: '//viewer.example.org:443/a'", "https://viewer.example.org/a", "/a"),
        (r"qidoRoot: 'https:\/\/viewer.example.org\/a'", "https://viewer.example.org/a", "/a"),
        ("qidoRoot: 'http://10.1.2.3:8042/dicom-web'", "http://10.1.2.3:8042/dicom-web", "http://10.1.2.3:8042"),
        (
            "qidoRoot: 'https://VIEWER.example.org:8443/a'",
            "https://viewer.example.org:8443/a",
            "https://viewer.example.org:8443",
        ),
        ("x: [{ configuration: { name: 'a', qidoRoot: '/a' } }]", "https://viewer.example.org/a", "/a"),
    ],
)
def test_a_root_is_found_as_a_browser_would_find_it(written: str, root: str, shown: str) -> None:
    found = ohif(written)
    assert (found.roots, found.named_roots) == ((root,), (shown,))


@pytest.mark.parametrize(
    "written",
    [
        "// qidoRoot: '/dicom-web'\n",
        "/* qidoRoot: '/dicom-web' */",
        "note: 'qidoRoot: \"/dicom-web\"'",
        "qidoRoot: null",
        "qidoRoot: undefined",
        "wadoUriRoot: '/wado'",
        "qidoRoot: null ?? '/dicom-web'",
        "dataSources: [{configuration: {qidoRoot, wadoRoot}}]",
        "dataSources: [{configuration: {['qidoRoot']: '/dicom-web'}}]",
        "dataSources: [{configuration: load()}]",
    ],
)
def test_what_is_no_root_is_none_and_leaves_open_which_there_is(written: str) -> None:
    found = ohif(written)
    assert (found.roots, found.named_roots) == ((), (UNKNOWN_ROOT,))


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ("https://archive.example.org/rs/", "https://archive.example.org/rs"),
        ("https://archive.example.org:443/rs", "https://archive.example.org/rs"),
        ("https://archive.example.org/other", "https://archive.example.org"),
        ("https://archive.example.org", "https://archive.example.org"),
    ],
)
def test_a_root_elsewhere_is_named_whole_where_the_inventory_has_that_very_root(declared: str, shown: str) -> None:
    written = "window.config = { routerBasename: '/', qidoRoot: 'https://archive.example.org/rs' };"
    found = read(OHIF, written, declared=[declared])
    assert found is not None
    assert (found.roots, found.named_roots) == (("https://archive.example.org/rs",), (shown,))


@pytest.mark.parametrize(
    ("written", "hosts"),
    [
        ("a: ['http://pacs-01:8042/']", 1),
        ("a: load('http://pacs-01:8042/')", 1),
        ("a: 'http://pacs-01' + ':8042'", 1),
        ("// see http://pacs-01/ and http://pacs-02/\n", 2),
        ("a: `http://${name}/`, b: ['https://viewer.example.org/', 'http://localhost/']", 0),
    ],
)
def test_a_host_is_counted_wherever_it_stands(written: str, hosts: int) -> None:
    assert ohif(written).internal_hosts == hosts


@pytest.mark.parametrize(
    "written",
    [
        "qidoRoot: window.location.origin + '/dicom-web'",
        "qidoRoot: '/dicom-web' + version",
        "qidoRoot: `${origin}/dicom-web`",
        "qidoRoot: root",
        "qidoRoot: ''",
        "qidoRoot: '/dicom-web",
        "qidoRoot: '/dicom-web?key=1'",
        "qidoRoot: '/dicom-web#x'",
        "qidoRoot: '/dicom web'",
        "qidoRoot: '/%64icom-web'",
        "qidoRoot: '/a//b'",
        r"qidoRoot: '\\\\host\\a'",
        "qidoRoot: 'ftp://host/a'",
        "qidoRoot: 'https://user:secret@host/a'",
        "qidoRoot: 'https://host:port/a'",
        "qidoRoot: 'http://[::1/a'",
        f"qidoRoot: '/{'a' * 200}'",
        f"qidoRoot: '{'/a' * 20}'",
        "note: 'it never ends",
        "note: `it never ends",
        "/* it never ends",
        "/*/",
    ],
)
def test_a_root_that_cannot_be_read_or_must_not_be_asked_is_unknown(written: str) -> None:
    found = ohif(written)
    assert (found.roots, found.named_roots) == ((), ("unknown",))
    # One that can be read beside it is not taken for all there are.
    assert ohif(f"wadoRoot: '/a', {written}").named_roots == ("/a", "unknown")


def test_roots_at_one_other_origin_cannot_be_told_apart() -> None:
    found = ohif("qidoRoot: 'http://10.1.2.3:8042/a', wadoRoot: 'http://10.1.2.3:8042/b'")
    assert found.roots == ("http://10.1.2.3:8042/a", "http://10.1.2.3:8042/b")
    assert found.named_roots == ("http://10.1.2.3:8042", "unknown")
    assert ohif("qidoRoot: '/a', wadoRoot: '/b'").named_roots == ("/a", "/b")


def test_a_root_that_climbs_is_what_it_resolves_to() -> None:
    assert ohif("qidoRoot: '../../../etc/../a'").roots == ("https://viewer.example.org/a",)


def test_a_configuration_may_be_assigned_part_by_part() -> None:
    found = read(
        OHIF,
        "window.config.routerBasename = '/ohif/'\nif (true) {\n  window.config.dataSources = [{ configuration: {"
        " qidoRoot: '../dicom-web', wadoRoot: '../dicom-web' } }];\n}\n window.config.defaultDataSourceName = 'a'\n",
    )
    assert found == Configuration(
        roots=("https://viewer.example.org/dicom-web",), named_roots=("/dicom-web",), signs_in=False
    )


@pytest.mark.parametrize(
    ("written", "signs_in"),
    [
        ("oidc: [{ authority: 'https://login.example.org', client_id: 'a' }]", True),
        ('"oidc": [ /* the first counts */ {"client_id": "a"}]', True),
        ("oidc: []", None),
        ("oidc: settings.oidc", None),
        ("// oidc: [{}]\n", False),
        ("showStudyList: true", False),
    ],
)
def test_a_login_is_one_that_the_browser_is_told_of(written: str, signs_in: bool | None) -> None:
    assert ohif(written).signs_in is signs_in


def test_what_is_missing_in_a_part_shows_nothing() -> None:
    text = "window.config = { routerBasename: '/', qidoRoot: '/a',"
    found = read(OHIF, text, complete=False)
    assert found == Configuration(("https://viewer.example.org/a",), ("/a", "unknown"), signs_in=None)
    longer = read(OHIF, text + " " * PREFIX_BYTES + "oidc: [{}] }")
    assert longer == found


def test_hosts_and_clients_are_counted_and_not_named() -> None:
    found = ohif(
        "qidoRoot: 'http://synth-archive:8042/aets/SYNTHSECRET/rs', wadoRoot: 'http://synth-archive:8042/x',"
        " a: 'https://10.1.2.3/', b: 'https://public.example.org/', c: 'http://localhost/', d: 'synth.lan',"
        " e: 'wss://synth-other.lan/', aet: 'SYNTHOTHER',"
        " oidc: [{ client_id: 'synthclient' }, { client_id: 'synthclient' }]"
    )
    assert (found.internal_hosts, found.clients) == (3, 3)
    assert found.named_roots == ("http://synth-archive:8042", "unknown")
    shown = repr([getattr(found, field.name) for field in fields(found) if field.name != "roots"])
    assert not any(word in shown for word in ("SYNTHSECRET", "SYNTHOTHER", "synthclient"))


def test_the_viewers_own_host_is_told_to_nobody_who_does_not_know_it() -> None:
    found = read_configuration(
        OHIF,
        status=200,
        headers=SCRIPT,
        prefix=b"window.config = { modes: [], qidoRoot: 'http://synth:8042/a' }",
        complete=True,
        page_url="http://synth/ohif/",
    )
    assert found is not None
    assert (found.internal_hosts, found.named_roots) == (0, ("http://synth:8042",))


def test_roots_are_bounded() -> None:
    found = ohif(", ".join(f"qidoRoot: '/root-{number}'" for number in range(40)))
    assert len(found.roots) == MOST_ROOTS
    assert found.named_roots == (*(f"/root-{number}" for number in range(MOST_ROOTS)), "unknown")


@pytest.mark.parametrize(
    ("text", "headers", "status"),
    [
        ("<!doctype html><script>window.config = { modes: [] }</script>", ((b"Content-Type", b"text/html"),), 200),
        ("window.config = { modes: [] }", SCRIPT, 404),
        ("window.config = { other: 1 }", SCRIPT, 200),
        ("config = { modes: [], qidoRoot: '/a' }", SCRIPT, 200),
        ("if (window.configured) { x = { modes: [] } }", SCRIPT, 200),
        ("// window.config = { modes: [] }", SCRIPT, 200),
        ("'window.config = { modes: [] }'", SCRIPT, 200),
        ("", SCRIPT, 200),
    ],
)
def test_what_is_no_configuration_of_ohif_is_none(text: str, headers: Headers, status: int) -> None:
    assert read(OHIF, text, headers=headers, status=status) is None


# --------------------------------------------------------------------------------------------------- JSON of others


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, Configuration(signs_in=False)),
        (
            {"realm": "r", "auth-server-url": "https://synth:8843", "resource": "ui", "public-client": True},
            Configuration(signs_in=True, internal_hosts=1, clients=1),
        ),
        (
            {"realm": "r", "url": "https://login.example.org/auth", "clientId": "ui"},
            Configuration(signs_in=True, clients=1),
        ),
        ({"error": "unauthorized"}, None),
        ({"realm": "r"}, None),
        ({"realm": 1, "url": "https://a", "clientId": "ui"}, None),
        ([], None),
        ("text", None),
    ],
)
def test_keycloaks_settings_say_whether_there_is_a_login(told: object, expected: Configuration | None) -> None:
    assert read(KEYCLOAK, json.dumps(told), headers=JSON) == expected


def test_a_part_of_keycloaks_settings_is_none() -> None:
    assert read(KEYCLOAK, "{}", headers=JSON, complete=False) is None
    assert read(KEYCLOAK, "{", headers=JSON) is None


def test_any_json_is_looked_through_for_roots_hosts_and_clients() -> None:
    told = {
        "servers": [{"dicomWebRoot": "/rs", "aeTitle": "SYNTH", "url": "http://synth.internal/x"}],
        "login": {"client_id": "ui", "deep": [[["http://192.168.1.2:1/"]]]},
    }
    assert read(ANY, json.dumps(told), headers=JSON) == Configuration(
        ("https://viewer.example.org/rs",), ("/rs",), signs_in=None, internal_hosts=2, clients=2
    )
    assert read(ANY, "{}", headers=JSON) is None


# ------------------------------------------------------------------------------------------------------------- REST


def sign(ask: Ask, body: bytes, media: bytes, *, status: int = 200, complete: bool = True) -> bool:
    headers = ((b"Content-Type", media),)
    return rest_sign(ask, status=status, headers=headers, prefix=body, complete=complete)


@pytest.mark.parametrize(
    ("body", "media", "expected"),
    [
        (b"20261125T023456", b"text/plain", True),
        (b"20261125T023456\n", b"text/plain; charset=utf-8", True),
        (b"20261325T023456", b"text/plain", False),
        (b"20261125T023456", b"text/html", False),
        (b"20261125T023456 and more", b"text/plain", False),
        (b'{"now":"20261125T023456"}', b"application/json", False),
        (b"", b"text/plain", False),
    ],
)
def test_a_time_stamp_is_nothing_but_one(body: bytes, media: bytes, expected: bool) -> None:
    assert sign(CLOCK, body, media) is expected
    assert not sign(CLOCK, body, media, status=401)
    assert not sign(CLOCK, body, media, complete=False)


@pytest.mark.parametrize(
    ("ask", "body", "expected"),
    [
        (SYSTEM, b'{"ApiVersion":17,"Name":"x"}', True),
        (SYSTEM, b'{"ApiVersion":17}', False),
        (SYSTEM, b'["ApiVersion","Name"]', False),
        (SYSTEM, b'{"error":"ApiVersion Name"}', False),
        (SEARCH, b'{"results":[],"elapsedTime":1,"numResults":0}', True),
        (SEARCH, b'{"results":[{"uri":"x"}]}', False),
        (SEARCH, b'{"results":null}', False),
        (SEARCH, b'{"error":"unauthorized"}', False),
        (SEARCH, b"[]", False),
    ],
)
def test_a_json_answer_bears_its_sign(ask: Ask, body: bytes, expected: bool) -> None:
    assert sign(ask, body, b"application/json") is expected
    assert not sign(ask, body, b"text/html")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"results":[{"uri', True),
        (b'{"numResults":9,"results" : [ "', True),
        (b'{"results":{"uri":"', True),  # a single one, of which old versions make no list
        (b'{"results":"', True),
        (b'{"results":null', False),
        (b'{"results":[', False),
        (b'{"results":[]}', False),
        (b'{"other":[{', False),
    ],
)
def test_data_in_place_of_an_empty_list_ends_the_reading(body: bytes, expected: bool) -> None:
    assert rest_gives_data(SEARCH, body) is expected
    assert rest_enough(SEARCH)(200, JSON, body) is expected
    assert not rest_gives_data(SYSTEM, body)


def test_little_is_read_of_the_answer_to_a_search() -> None:
    assert rest_enough(SEARCH)(200, JSON, b'{"a":"' + b"x" * 300)
    assert not rest_enough(SYSTEM)(200, JSON, b'{"a":"' + b"x" * 300)
    assert rest_enough(SYSTEM)(200, JSON, b'[{"a":"')
    assert rest_enough(CLOCK)(200, ((b"Content-Encoding", b"gzip"),), b"")


def test_no_more_than_a_time_stamp_is_read_but_of_a_page_which_may_be_a_login() -> None:
    assert not rest_enough(CLOCK)(200, ((b"Content-Type", b"text/plain"),), b"20261125T023456")
    assert rest_enough(CLOCK)(200, ((b"Content-Type", b"text/plain"),), b"x" * FEW_BYTES)
    assert rest_enough(CLOCK)(200, JSON, b'{"a":"' + b"x" * FEW_BYTES)
    assert not rest_enough(CLOCK)(200, ((b"Content-Type", b"text/html"),), b"<html>" + b" " * FEW_BYTES)


# ------------------------------------------------------------------------------------------------------------ hosts


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("pacs", "pacs.local", "a.lan", "a.internal", "10.0.0.1", "192.168.3.4", "fd00::1")),
        *((host, True) for host in ("172.16.0.1", "100.64.1.1", "169.254.1.1")),
        *((host, False) for host in ("example.org", "localhost", "127.0.0.1", "::1", "0.0.0.0", "8.8.8.8", "2600::1")),
    ],
)
def test_an_internal_host_is_one_without_a_public_name(host: str, expected: bool) -> None:
    assert is_internal(host) is expected


# ---------------------------------------------------------------------------------------------------------- hostile

PIECES = [
    "window.config",
    "=",
    "{",
    "}",
    "[",
    "]",
    "qidoRoot",
    ":",
    "'",
    '"',
    "`",
    "\\",
    "//",
    "/*",
    "\n",
    "${",
    "/a",
    "oidc",
]


@given(st.lists(st.sampled_from([*PIECES, "modes", ",", "http://", "aet", "\x00", "é"]), max_size=60), st.booleans())
def test_any_script_is_read_to_its_end(pieces: list[str], complete: bool) -> None:
    for ask in (OHIF, KEYCLOAK, ANY):
        found = read(ask, "".join(pieces), complete=complete)
        assert found is None or len(found.roots) <= MOST_ROOTS


@given(st.binary(max_size=400), st.integers(0, 999), st.booleans())
def test_any_bytes_at_all_are_read(body: bytes, status: int, complete: bool) -> None:
    for ask in (OHIF, KEYCLOAK, ANY):
        read_configuration(ask, status=200, headers=(), prefix=body, complete=complete, page_url=PAGE)
    for ask in (CLOCK, SYSTEM, SEARCH):
        assert not rest_sign(ask, status=status, headers=(), prefix=body, complete=complete)
        assert rest_enough(ask)(status, (), body) in (True, False)


@pytest.mark.parametrize(
    "unit",
    [
        '"',
        "'",
        "`",
        '\\"',
        "\\'",
        '"\\',
        "`${",
        "//",
        "/*",
        "{",
        "[",
        '{"a":',
        "a:",
        "a.b=",
        "window.config=",
        "http://",
    ],
)
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (PREFIX_BYTES // len(unit))
    for ask in (OHIF, KEYCLOAK, ANY):
        started = time.process_time()
        read(ask, text)
        read(ask, f"window.config = {{ modes: [], x: '{text}")
        assert time.process_time() - started < 0.5
