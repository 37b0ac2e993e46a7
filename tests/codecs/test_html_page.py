"""What pages say by their markup: logins in many forms, shells, listings, products; and what only looks like one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.web_products import Marker, Product
from checker.codecs.html_page import PREFIX_BYTES, Page, names_login, read_page

NOTHING = Page()


# ----------------------------------------------------------------------------------------------------------- logins


@pytest.mark.parametrize(
    "markup",
    [
        "<form method=post><input type=password name=pw></form>",
        '<INPUT TYPE="PASSWORD">',
        "<input\n  id='p'\n  type='password'\n  required>",
        '<input name="password" autocomplete="current-password" type="password"/>',
        "<input type=password>",
        '<input type=" password ">',
        '<div class="a>b"><input type="password"></div>',
        '<form action="j_security_check" method="POST">',
        '<form action="/oviyam2/j_security_check;x=1">',
        '<input name="j_username"><input name="j_password" type="text">',
        '<form id="kc-form-login" onsubmit="return true;">',
        '<form method="post" action="https://idp.example.net/"><input type="hidden" name="SAMLRequest" value="x">',
        "<p>a < b</p><input type=password>",
        "<!-- a login --><input type=password>",
        "<!--><input type=password>-->",
        "<!---><input type=password>",
        "<script>var a = '<b>';</script><input type=password>",
        "<script src=x.js></script>\n<input type=password>",
    ],
)
def test_a_login_form_is_seen_in_any_markup(markup: str) -> None:
    page = read_page(f"<!doctype html><html><body>{markup}".encode())
    assert page.login_form


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "latin-1"])
def test_a_login_form_is_seen_in_any_encoding_that_says_so(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert read_page(f"{mark}<title>Anmeldung für Ärzte</title><input type=password>".encode(encoding)).login_form


@pytest.mark.parametrize(
    "markup",
    [
        "<!-- <input type=password> -->",
        "<!-- <input type=password>",
        "<script>document.write('<input type=password>')</script>",
        "<style><input type=password></style>",
        "<template><input type=password></template>",
        "<noscript><input type=password></noscript>",
        "<input type=text name=password>",
        "<input data-type=password>",
        "<input type=text placeholder='type=password'>",
        '<input value="a type=password">',
        "</input type=password>",
        "<inputs type=password>",
        "<p>type=password</p>",
        "&lt;input type=password&gt;",
        "<form action=/search><input name=q>",
        "<a href=/login>Sign in</a>",
        "<h1>Login</h1>",
        "<form action=/login><button>Sign in</button></form>",
    ],
)
def test_what_only_speaks_of_a_login_is_no_form(markup: str) -> None:
    assert not read_page(f"<!doctype html><html><body>{markup}".encode()).login_form


@pytest.mark.parametrize(
    "markup",
    [
        '<meta http-equiv="refresh" content="0;url=/login">',
        "<META HTTP-EQUIV=Refresh CONTENT='0; URL=login.jsp'>",
        '<meta content="3, https://idp.example.net/x" http-equiv="refresh">',
        "<meta http-equiv=refresh content=\"0; url='/auth/signin'\">",
        "<script>window.location = '/login';</script>",
        '<script>location.href="/login?next="+1</script>',
        "<script>top.location.replace(`/sso`)</script>",
        "<script>window.location.assign('https://login.example.net/')</script>",
        "<script type=text/javascript>location='/x?SAMLRequest=1'</script>",
        "<script>document.location['href'] = '/login'</script>",
        "<script>setTimeout(\"location.href='/login'\", 0)</script>",
        "<script>(function () { location.href = '/login'; })();</script>",
        "<script>(function(){location='/login'}())</script>",
        "<script>(() => { window.location.replace('/login') })();</script>",
        "<script>window.onload = function () { location = '/login'; };</script>",
        "<script>onload = () => { location = '/login'; }</script>",
        """<body onload="location.href='/login'">""",
    ],
)
def test_a_page_that_goes_to_a_login_by_itself(markup: str) -> None:
    assert read_page(f"<html><head>{markup}</head><body>One moment</body></html>".encode(), complete=True) == Page(
        script_redirect_to_login=True
    )


@pytest.mark.parametrize(
    "markup",
    [
        '<meta http-equiv="refresh" content="1800;url=/login">',
        '<meta http-equiv="refresh" content="0;url=/viewer/">',
        '<meta http-equiv="refresh" content="5">',
        '<meta http-equiv="content-type" content="0;url=/login">',
        '<!-- <meta http-equiv="refresh" content="0;url=/login"> -->',
        '<noscript><meta http-equiv="refresh" content="0;url=/login"></noscript>',
        "<script>function logout() { location = '/login'; }</script>",
        "<script>button.onclick = () => { location.href = '/login'; }</script>",
        "<script>(function () { button.onclick = function () { location = '/login'; } })();</script>",
        "<script>var out = function () { location = '/login'; }</script>",
        """<body onload="location.href='/viewer/'"><a onclick="location='/login'">""",
        "<script>if (location == '/login') {}</script>",
        "<script>location = '/viewer/';</script>",
        "<script>allocation = '/login'</script>",
        "<p>location = '/login'</p>",
        "<script>location = '/login'</script>" + "<p>The list of studies</p>" * 20,
    ],
)
def test_a_page_that_stays_or_goes_elsewhere(markup: str) -> None:
    page = read_page(f"<html><head>{markup}</head><body>One moment</body></html>".encode(), complete=True)
    assert not page.script_redirect_to_login


def test_a_script_counts_only_where_the_whole_page_was_seen() -> None:
    page = b"<script>location = '/login'</script>"
    assert read_page(page, complete=True).script_redirect_to_login
    assert not read_page(page, complete=False).script_redirect_to_login
    assert not read_page(page + b" " * PREFIX_BYTES, complete=True).script_redirect_to_login


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/Login.aspx",
        "/user/log-in",
        "/signin",
        "/LogOn",
        "/loginPage",
        "/oauth2/start",
        "/auth/realms/x/protocol/openid-connect/auth",
        "/saml/x",
        "/adfs/ls",
        "/j_security_check",
        "/app/template/Login.vm",
    ],
)
def test_paths_that_name_a_login(path: str) -> None:
    assert names_login(path)


@pytest.mark.parametrize("path", ["/", "/blogging", "/catalogin", "/ui/", "/espresso", "/association", "/authors"])
def test_paths_that_do_not(path: str) -> None:
    assert not names_login(path)


def test_what_was_asked_for_is_no_evidence() -> None:
    assert not names_login("/login/viewer/", asked="/login/viewer")
    assert names_login("/signin", asked="/login")


def test_hosts_and_queries_of_single_sign_on() -> None:
    assert names_login("", host="login.example.net")
    assert names_login("", host="hospital.okta.com")
    assert not names_login("", host="logintegration.example.net")
    assert names_login("/x", query="client_id=1&response_type=code")
    assert not names_login("/x", query="next=/login")


# ----------------------------------------------------------------------------------------------- shells and listings


@pytest.mark.parametrize(
    "page",
    [
        '<title>Viewer</title><body><div id="root"></div><script src="/static/main.js"></script>',
        "<body><app-root></app-root><script src=main.js type=module></script>",
        "<script src=/a.js defer></script><body><noscript>You need JavaScript.</noscript><div id=app></div>",
    ],
)
def test_the_shell_of_a_single_page_application(page: str) -> None:
    assert read_page(page.encode()) == Page(single_page_shell=True)


@pytest.mark.parametrize(
    "page",
    [
        "<div id=root></div>",
        "<script src=a.js></script><p>hello",
        "<div id=roots></div><script src=a.js></script>",
        "<div id=root></div><script>inline()</script>",
        "<div id=root>" + "<p>A study of somebody</p>" * 20 + "</div><script src=a.js></script>",
    ],
)
def test_pages_that_are_more_or_less_than_a_shell(page: str) -> None:
    assert not read_page(page.encode()).single_page_shell


LISTINGS = {
    "nginx": (
        "<html>\r\n<head><title>Index of /exports/</title></head>\r\n<body>\r\n"
        '<h1>Index of /exports/</h1><hr><pre><a href="../">../</a>'
    ),
    "Apache": (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html><head><title>Index of /dicom</title></head>'
        '<body><h1>Index of /dicom</h1><table><tr><th><a href="?C=N;O=D">Name</a>'
    ),
    "IIS": (
        "<html><head><title>host.example.org - /dicom/</title></head><body><H1>host.example.org - /dicom/</H1><hr>"
        '\r\n\r\n<pre><A HREF="/">[To Parent Directory]</A><br>'
    ),
    "the root of IIS": (
        "<html><head><title>10.20.1.5 - /</title></head><body><H1>10.20.1.5 - /</H1><hr>"
        '\r\n\r\n<pre> 1/1/2026 <A HREF="/dicom/">dicom</A><br></pre>'
    ),
    "Python": (
        '<!DOCTYPE HTML>\n<html lang="en"><head><title>Directory listing for /</title></head>'
        '<body><ul><li><a href="x">x</a>'
    ),
    "Tomcat": "<html><head><title>Directory Listing For [/]</title></head><body><a href='/x'>x</a>",
    "Jetty": "<HTML><HEAD><TITLE>Directory: /dicom/</TITLE></HEAD><BODY><A HREF='x'>x</A>",
}


@pytest.mark.parametrize("page", LISTINGS.values(), ids=LISTINGS)
def test_listings_of_directories(page: str) -> None:
    assert read_page(page.encode()) == Page(directory_listing=True)


@pytest.mark.parametrize(
    "page",
    [
        "<title>Index of /x</title>nothing here",
        "<title>An index of /x</title><a href=x>x</a>",
        "<h1>Index of /x</h1><a href=x>x</a>",
        "<title>Archive - /</title><a href=x>x</a>",
        "<title>archive - /</title><h1>archive - /</h1><a href=x>x</a>",
        "<!-- [To Parent Directory] --><a href=x>x</a>",
    ],
)
def test_pages_that_are_no_listing(page: str) -> None:
    assert not read_page(page.encode()).directory_listing


# --------------------------------------------------------------------------------------------------------- products


def made(name: str, *markers: Marker) -> Product:
    return Product(id=name, name=name, kind="viewer", page="public", markers=markers, source="synthetic")


TITLED = made("titled", Marker(where="title", text="Synthetic PACS"))
STARTING = made("starting", Marker(where="title", text="Synthetic View", starts=True))
REALM = made("realm", Marker(where="realm", text="Synthetic Realm"))
BODY = made("body", Marker(where="body", text='content="synthetic"'))
ALL = (TITLED, STARTING, REALM, BODY)


@pytest.mark.parametrize(
    ("page", "realm", "expected"),
    [
        ("<title>Synthetic PACS</title>", None, "titled"),
        ("<title lang=en>\n synthetic \t pacs </title>", None, "titled"),
        ("<title>My Synthetic PACS</title>", None, None),
        ("<title>Synthetic PACS 2</title>", None, None),
        ("<title>Synthetic Viewer 3</title>", None, "starting"),
        ('<meta name=x CONTENT="synthetic">', None, "body"),
        ("", "SYNTHETIC REALM", "realm"),
        ("", "Synthetic Realm 2", None),
        ('<title>Synthetic PACS</title><meta content="synthetic">', "Synthetic Realm", "titled"),
        ('<meta content="synthetic">', "Synthetic Realm", "realm"),
        ("<!-- <title>Synthetic PACS</title> -->", None, None),
        ("<p>Synthetic PACS</p>", None, None),
    ],
)
def test_a_product_is_known_by_its_marker(page: str, realm: str | None, expected: str | None) -> None:
    assert read_page(page.encode(), realm=realm, catalogue=ALL).product == expected


def test_two_products_with_one_marker_are_not_told_apart() -> None:
    twin = made("twin", Marker(where="title", text="Synthetic PACS"))
    assert read_page(b"<title>Synthetic PACS</title>", catalogue=(*ALL, twin)).product is None


# --------------------------------------------------------------------------------------------------- any bytes at all

_PIECES = st.sampled_from(
    [
        *("<", ">", "</", "<!--", "-->", "<script>", "</script", "<title>", "</title>", "<input", "<meta", "<form"),
        *("type=", "password", '"', "'", "=", " ", "location", ".href", "='/login'", "http-equiv=refresh", "content="),
        *("0;url=", "/login", "index of /", "<a href=x>", "id=root", "<template>", "\x00", "ÿ", "<pre>", "<h1>"),
    ]
)


@given(st.one_of(st.binary(max_size=500), st.lists(_PIECES, max_size=60).map(lambda parts: "".join(parts).encode())))
def test_any_bytes_make_a_page(prefix: bytes) -> None:
    assert isinstance(read_page(prefix, complete=True), Page)


def test_nothing_behind_the_prefix_is_looked_at() -> None:
    assert read_page(b" " * PREFIX_BYTES + b"<input type=password>") == NOTHING


def _hostile() -> Iterator[bytes]:
    for unit in (b"<", b"<a ", b"<title>", b"<!--", b"<script>", b'<a x="', b"<a x='", b"location=", b"login-", b"\n"):
        yield (unit * PREFIX_BYTES)[:PREFIX_BYTES]
        yield (b"<script>" + unit.replace(b"<", b"") * PREFIX_BYTES)[: PREFIX_BYTES - 9] + b"</script>"
        yield (b"<a " + unit.replace(b"<", b"").replace(b">", b"") * PREFIX_BYTES)[: PREFIX_BYTES - 1] + b">"


def test_no_page_takes_long_to_read() -> None:
    # Thirty pages in a fraction of a second each way; what is not linear would take minutes.
    started = time.process_time()
    for page in _hostile():
        read_page(page, complete=True)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "fields",
    [
        "<input type=password name=old><input type=password name=new><input type=password name=again>",
        "<input name=user><input type=password autocomplete=new-password>",
        "<input name=server><input type=password disabled>",
    ],
)
def test_a_password_to_be_set_is_no_login_and_yet_a_password(fields: str) -> None:
    shown = f"<!doctype html><title>Studies</title><table><tr><td>1</table><form>{fields}</form>".encode()
    page = read_page(shown, True)
    assert (page.login_form, page.password_field) == (False, True)


def test_a_login_is_one_beside_a_form_that_sets_a_password() -> None:
    login = "<form><input name=user><input type=password></form>"
    new = "<form><input type=password><input type=password></form>"
    for shown in (login + new, new + login):
        assert read_page(f"<!doctype html>{shown}".encode(), True).login_form
