"""When a login form is all that a page offers, and when it stands on a page that anybody may read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.codecs.html_page import PREFIX_BYTES, read_page

FORM = "<form method=post action=/login><input name=user><input type=password name=password><button>Go</button></form>"

TABLES = (
    "<table><tr><td><form action=j_security_check><table><tr><td>User<td><input name=j_username>"
    "<tr><td>Password<td><input type=password name=j_password></table></form></table>"
)
FIELDS = (
    '<form action="./Default.aspx"><input type=hidden name=__VIEWSTATE value="search"><input name=user>'
    '<select name=domain><option>CLINIC<option>LAB</select><input type=password><input type=submit value="Log in">'
    '<input type=image src="/img/header.gif"></form>'
)


def alone(body: str, head: str = "<title>Sign in</title>", *, complete: bool = True) -> bool:
    page = read_page(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode(), complete)
    assert page.login_form
    return page.login_alone


@pytest.mark.parametrize(
    "body",
    [
        FORM,
        "<h1>Image portal</h1><p>For staff of the hospital alone. Access is logged.</p>" + FORM,
        '<img src="/static/logo.svg?v=3" alt="">' + FORM + '<img src="data:image/png;base64,AAAA">',
        FORM + '<a href="/password/forgot">Forgot?</a> <a href="#help">Help</a> <a href="mailto:it@example.org">IT</a>',
        FORM + '<a href="https://vendor.example.com/">A vendor</a> <a href="?lang=de">Deutsch</a>',
        FORM + '<a href="/realms/imaging/login-actions/reset-credentials?client_id=viewer">Forgot password</a>',
        # what servlet containers and older frameworks make
        TABLES,
        FIELDS,
        # single sign-on by a form that sends itself
        '<form method=post action="https://idp.example.net/"><input type=hidden name=SAMLRequest value=x></form>',
        # what is in scripts, comments and templates is not offered by the page
        "<script>var links = '<a href=/studies>';</script><!-- <a href=/studies>all</a> -->" + FORM,
    ],
)
def test_a_login_page_has_what_a_login_needs(body: str) -> None:
    assert alone(body)


@pytest.mark.parametrize(
    "body",
    [
        '<a href="/studies">Browse</a>' + FORM,
        '<a href="viewer.html?study=1">Latest</a>' + FORM,
        '<a href="https://archive.example.org/studies">Browse</a>' + FORM,
        '<a href="//archive.example.org/studies">Browse</a>' + FORM,
        '<a href="/help/../studies">Browse</a>' + FORM,
        '<a href="javascript:show(1)">Browse</a>' + FORM,
        '<a href="ftp://archive.example.org/help">Browse</a>' + FORM,
        '<a href="http://[broken">Browse</a>' + FORM,
        '<map><area href="/studies"></map>' + FORM,
        '<img src="/thumbnails/17.jpg">' + FORM,
        '<img srcset="/thumbnails/17.jpg 2x">' + FORM,
        '<picture><source srcset="/wado?x=1"></picture>' + FORM,
        '<iframe src="/viewer/"></iframe>' + FORM,
        '<frameset><frame src="/viewer/"></frameset>' + FORM,
        '<object data="/viewer.swf"></object>' + FORM,
        "<canvas id=view></canvas>" + FORM,
        '<form action="/search"><input name=q></form>' + FORM,
        '<input type=search name=q placeholder="Find">' + FORM,
        "<input name=a><input name=b><input name=c>" + FORM,
        "<input name=patient>" + FORM,
        "<p>Guests see the public cases.</p>" + FORM,
        '<a href="/login?as=guest">x</a>' + FORM,
        '<a href="/login">Demo</a>' + FORM,
        "<button>Go on without signing in</button>" + FORM,
        "<button>Ohne Anmeldung weiter</button>" + FORM,
        "<form><input name=user><input type=password><input type=submit name=as value=Guest></form>",
        "<form><input name=user><input type=password><button name=anonymous value=1>x</button></form>",
        "<button onclick=\"window.location='/studies'\">x</button>" + FORM,
        "<div onclick=\"document.location.href='/studies'\">x</div>" + FORM,
        "<h1>Studies</h1><ul><li>one</ul>" + FORM,
        "<table><tr><th>Patient name<th>Accession</table>" + FORM,
        "<p>Study date 2024</p>" + FORM,
        "<table>" + "<tr><td>x" * 30 + "</table>" + FORM,
        f"<p>{'word ' * 400}</p>{FORM}",
    ],
)
def test_a_page_that_offers_more_is_no_gate(body: str) -> None:
    assert not alone(body)


def test_what_was_not_read_to_its_end_may_offer_more() -> None:
    assert not alone(FORM, complete=False)
    assert not alone(FORM + " " * PREFIX_BYTES)
    assert alone(FORM + " " * (PREFIX_BYTES // 2))


def test_a_shell_may_be_filled_with_anything() -> None:
    assert not alone('<div id="root"></div>' + FORM, '<script src="/app.js"></script>')


def test_a_page_without_a_login_form_is_none() -> None:
    assert not read_page(b"<!doctype html><title>Sign in</title><p>Log in by your badge.</p>", True).login_alone


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/=\"' aimgfrinputypswd#:?&;!-", max_size=400))
def test_what_is_added_to_a_login_never_raises_and_never_makes_one(added: str) -> None:
    page = read_page(f"<!doctype html><body>{added}".encode(), True)
    assert page.login_form or not page.login_alone
    more = read_page(f'<!doctype html><body><a href="/studies">x</a>{added}'.encode(), True)
    assert not more.login_alone


@pytest.mark.parametrize(
    "body",
    [
        # the end of a tag is not the first sign that looks like it
        FORM + '<a title="a>b" href="/studies">Browse</a>',
        FORM + "<a title='a<b' href='/studies'>Browse</a>",
        FORM + '<a title="<!-- " href="/studies">Browse</a>',
        FORM + '<svg><a xlink:href="/studies"><text>Browse</text></a></svg>',
        # what is pressed may do more than to log in
        FORM + '<button onclick="openViewer()">Open</button>',
        FORM + '<button formaction="/viewer">Open</button>',
        FORM + "<div ondblclick=\"location='/viewer'\">Open</div>",
        FORM + '<select onchange="location=this.value"><option value="/viewer">Open</select>',
        FORM + '<div style="background-image: url(/images/1.png)"></div>',
        # the form may wait out of sight
        "<script src=/viewer.js></script><div class='modal fade'>" + FORM + "</div>",
        "<script src=/viewer.js></script><div style='display: none'>" + FORM + "</div>",
        "<script src=/viewer.js></script><section hidden>" + FORM + "</section>",
        "<script src=/viewer.js></script><dialog>" + FORM + "</dialog>",
        "<script src=/viewer.js></script><div role=dialog aria-hidden=true>" + FORM + "</div>",
        FORM + "<textarea><p></textarea>",
    ],
)
def test_a_form_is_not_alone_beside_what_is_hard_to_see(body: str) -> None:
    assert not alone(body)


@pytest.mark.parametrize(
    "body",
    [
        "<p hidden>No script</p>" + FORM + "<div class=modal hidden>Wait</div>",
        FORM + '<button type=button onclick="togglePassword()">Show</button><a href="#" onclick="return false">?</a>',
        "<div onclick='' class=card>" + FORM + "</div>",
        FORM.replace("<form", '<form onsubmit="return validate(this)"'),
    ],
)
def test_a_login_may_have_what_helps_with_it(body: str) -> None:
    assert alone(body)


@pytest.mark.parametrize(
    "field",
    [
        '<input onkeyup="if(this.value.length>3)go()" type="password">',
        '<input placeholder="<password>" type="password">',
        "<input oninput='v => ok(v)' type='password'>",
    ],
)
def test_a_password_is_seen_behind_signs_that_look_like_the_end_of_its_tag(field: str) -> None:
    page = read_page(f"<html><form><input name=user>{field}</form></html>".encode(), True)
    assert (page.login_form, page.login_alone, page.password_field) == (True, True, True)


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_password_is_seen_in_utf_16(coding: str) -> None:
    assert read_page(f"<html>{FORM}</html>".encode(coding), True).login_alone


def test_a_form_that_a_comment_would_make_is_none() -> None:
    assert not read_page(b"<html><<!-- -->form><<!-- -->input type=password></html>", True).login_form


def test_a_form_in_a_script_is_none_whatever_its_tag_holds() -> None:
    assert not read_page(b"<html><script data-a='x>y<z'>'<form><input type=password></form>'</script>", True).login_form


@pytest.mark.parametrize(("beside", "named"), [("", "vue-pacs"), ('<a href="/v">Continue as guest</a>', None)])
def test_a_login_with_a_way_in_for_guests_is_not_its_product_alone(beside: str, named: str | None) -> None:
    page = read_page(f"<title>Vue PACS</title><p>{FORM}{beside}".encode(), True)
    assert (page.login_form, page.product) == (True, named)
