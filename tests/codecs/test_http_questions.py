"""Which questions a web service is asked, where a redirect may be followed to, and how much of an answer is read."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.codecs.dicom_requests import fresh_study_uid
from checker.codecs.http import PREFIX_BYTES, body_kind, media_type
from checker.codecs.http_questions import (
    FEW_BYTES,
    FEW_BYTES_OF_ERROR,
    Body,
    Question,
    alike,
    canary,
    control,
    next_page,
    of_product,
    page,
    read_enough,
    read_whole,
    without_random,
)
from checker.model import BodyKind
from tests.codecs.helpers import feeds

ROOT = "https://archive.example.org:8443/dicom-web"
UID = fresh_study_uid(UUID(int=7))
WORD = "x7f3a9"
CANARY = canary(ROOT, UID)
CONTROL = control(ROOT, UID, WORD)
JSON = ((b"Content-Type", b"application/dicom+json"),)
HTML = ((b"Content-Type", b"text/html"),)


# --------------------------------------------------------------------------------------------------------- questions


def test_the_canary_names_its_study_in_the_path() -> None:
    assert CANARY.url == f"{ROOT}/studies/{UID}/series?limit=1"
    assert CANARY.shown == "/dicom-web/studies/<random>/series?limit=1"
    assert CANARY.random == (UID,)
    assert CANARY.origin == "https://archive.example.org:8443"


def test_the_control_differs_in_its_last_segment_alone_and_is_as_long() -> None:
    assert CONTROL.url == f"{ROOT}/studies/{UID}/{WORD}?limit=1"
    assert CONTROL.shown == "/dicom-web/studies/<random>/<random>?limit=1"
    assert len(CONTROL.url) == len(CANARY.url)


@pytest.mark.parametrize("word", ["", "series1", "x7f3a", "123456", "1.2.34", "x/7f3a", "x?7f3a", "x.7f3a"])
def test_a_control_that_could_be_a_route_or_a_number_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="a control's word"):
        control(ROOT, UID, word)


@pytest.mark.parametrize(
    ("root", "url"),
    [
        ("http://h/", f"http://h/studies/{UID}/series?limit=1"),
        ("http://h", f"http://h/studies/{UID}/series?limit=1"),
        ("http://h/a//", f"http://h/a/studies/{UID}/series?limit=1"),
        ("http://h/a?key=SYNTH-SECRET", f"http://h/a/studies/{UID}/series?limit=1"),
        ("https://[fd00:20::1]:8443/rs", f"https://[fd00:20::1]:8443/rs/studies/{UID}/series?limit=1"),
    ],
)
def test_the_root_is_taken_without_its_slashes_and_query(root: str, url: str) -> None:
    assert canary(root, UID).url == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [("http://h", "/"), ("http://h/viewer/", "/viewer/"), ("http://h/v?tab=1", "/v?tab=1")],
)
def test_a_page_is_asked_as_it_is_declared(url: str, shown: str) -> None:
    assert page(url) == Question(url, shown)


# --------------------------------------------------------------------------------------------------------- redirects


def further(location: bytes, *, status: int = 302, url: str = "http://h:8080/viewer?tab=1") -> Question | None:
    return next_page(page(url), status, ((b"LOCATION", location),))


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (b"/viewer/", "http://h:8080/viewer/"),
        (b"app/explorer.html", "http://h:8080/app/explorer.html"),
        (b"http://h:8080/ui", "http://h:8080/ui"),
        (b"//H:8080/ui", "http://h:8080/ui"),
        (b"/ui#part", "http://h:8080/ui"),
        (b"/ui?", "http://h:8080/ui"),
        (b"/stone-webviewer/index.html", "http://h:8080/stone-webviewer/index.html"),
        (b" /ui ", "http://h:8080/ui"),
    ],
)
def test_another_page_of_the_same_origin_is_asked_for(location: bytes, url: str) -> None:
    found = further(location)
    assert found is not None
    assert found.url == url
    assert found.random == ()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_may_be_followed(status: int) -> None:
    assert further(b"/ui", status=status) is not None


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 401, 500])
def test_no_other_status_is_a_redirect(status: int) -> None:
    assert further(b"/ui", status=status) is None


@pytest.mark.parametrize(
    "location",
    [
        b"/viewer",
        b"/viewer?tab=2",
        b"/ui?x=1",
        b"/ui;jsessionid=1",
        b"/ui%3bjsessionid=1",
        b"/login",
        b"/ui?response_type=code",
        b"https://h:8080/ui",
        b"http://h/ui",
        b"http://other:8080/ui",
        b"///other/ui",
        b"/studies",
        b"/studies/",
        b"/dicom-web/Studies/1.2/series",
        b"/x/%73tudies",
        b"/x%2fstudies",
        b"/instances/",
        b"/patients",
        b"/wado",
        b"/dcm4chee-arc/aets/X/rs/",
        b"/export/all",
        b"/images.ZIP",
        b"/one.dcm",
        b"/patient/12345678",
        b"/1.2.840.10008",
        b"/view/17/123",
        b"/view/DOE^JOHN",
        b"/view/DOE%5EJOHN",
        b"/view/Doe%2C%20John",
        b"/a b",
        b"/caf\xe9",
        b"/" + b"x" * 600,
        b"",
        b"http://h:99999/",
        b"javascript:1",
    ],
)
def test_what_could_be_more_than_a_page_is_not_asked_for(location: bytes) -> None:
    assert further(location) is None


def test_an_answer_without_a_location_leads_nowhere() -> None:
    assert next_page(page("http://h/"), 302, ()) is None


@given(st.binary(max_size=80))
def test_a_location_never_raises_and_never_leads_to_another_origin(location: bytes) -> None:
    found = further(location)
    assert found is None or re.fullmatch(r"http://h:8080/[!-~]*", found.url)
    assert found is None or "?" not in found.url


# ------------------------------------------------------------------------------------------------ how much is read


@pytest.mark.parametrize(
    ("seen", "path", "url", "shown"),
    [
        ("/ohif/", "app-config.js", "/ohif/app-config.js", "/ohif/app-config.js"),
        ("/ohif/viewer?a=/b/c", "app-config.js", "/ohif/app-config.js", "/ohif/app-config.js"),
        ("/", "rs/x.json", "/rs/x.json", "/rs/x.json"),
        ("/ohif/viewer", "/tools/now", "/tools/now", "/tools/now"),
        ("/a", "/search?query=StudyInstanceUID:{uid}", f"/search?query=StudyInstanceUID:{UID}", None),
    ],
)
def test_a_products_question_is_joined_to_the_page_or_to_the_origin(
    seen: str, path: str, url: str, shown: str | None
) -> None:
    asked = of_product(page(f"http://h:8080{seen}"), path, UID)
    assert asked is not None
    assert asked.url == f"http://h:8080{url}"
    assert asked.shown == (shown or "/search?query=StudyInstanceUID:<random>")
    assert asked.random == (() if shown else (UID,))


def test_a_products_question_shows_no_more_of_a_folder_than_its_page_did() -> None:
    asked = of_product(Question("http://h/secret/", "/<other>/"), "app-config.js", UID)
    assert asked == Question("http://h/secret/app-config.js", "/<other>/app-config.js")


def test_what_has_no_page_has_no_folder() -> None:
    seen = canary("http://h/dicom-web", UID)
    assert of_product(seen, "app-config.js", UID, page=False) is None
    asked = of_product(seen, "/tools/now", UID, page=False)
    assert asked is not None
    assert asked.url == "http://h/tools/now"


def test_a_short_file_is_read_to_its_end_unless_it_is_data_or_an_error() -> None:
    script = ((b"Content-Type", b"application/javascript"),)
    assert not read_whole(200, script, b"x" * 30000)
    assert read_whole(200, script, b"[{")
    assert read_whole(200, ((b"Content-Encoding", b"br"),), b"")
    assert read_whole(404, script, b"x" * 2000)


def read(status: int, headers: tuple[tuple[bytes, bytes], ...], parts: list[bytes]) -> bytes:
    """What is read of a body that comes in these parts."""
    prefix = b""
    for part in parts:
        prefix += part
        if len(prefix) > PREFIX_BYTES or read_enough(status, headers, prefix):
            break
    return prefix


def test_a_list_of_data_is_left_at_its_first_value_however_it_comes() -> None:
    for parts in feeds(b'[\n {"00100010":{"vr":"PN"}}]' + b" " * 200):
        prefix = read(200, JSON, parts)
        assert body_kind(media_type(JSON), prefix, complete=False) is BodyKind.FILLED_ARRAY
        assert len(prefix) <= max(len(parts[0]), len(b"[\n {"))


def test_an_empty_list_is_read_to_its_end_however_it_comes() -> None:
    for parts in feeds(b"\r\n[ \r\n]\r\n", junk=b""):
        assert read(200, JSON, parts) == b"\r\n[ \r\n]\r\n"


@pytest.mark.parametrize("body", [b"[" + b" " * 9999, b"x" * 9999, b'{"a":"' + b"x" * 9999, b" " * 9999])
def test_little_is_read_of_what_is_neither_a_list_nor_a_page(body: bytes) -> None:
    for parts in ([body[i : i + 1] for i in range(len(body))], [body[i : i + 100] for i in range(0, len(body), 100)]):
        assert len(read(200, JSON, parts)) < FEW_BYTES + len(parts[0])
        assert len(read(404, JSON, parts)) < FEW_BYTES_OF_ERROR + len(parts[0])


def test_a_page_is_read_also_behind_blank_lines() -> None:
    body = b"\r\n" * 200 + b"<html>" + b"x" * 5000
    assert read(200, HTML, [body[i : i + 50] for i in range(0, len(body), 50)]) == body


def test_a_page_that_says_it_is_json_is_read_as_a_page() -> None:
    body = b"<!DOCTYPE html>" + b"x" * 5000
    assert read(200, JSON, [body[:100], body[100:]]) == body


def test_nothing_is_read_of_what_is_encoded() -> None:
    assert read_enough(200, (*HTML, (b"Content-Encoding", b"gzip")), b"\x1f")


@given(st.integers(100, 599), st.binary(max_size=300))
def test_how_much_to_read_is_decided_for_any_bytes(status: int, prefix: bytes) -> None:
    decided = read_enough(status, JSON, prefix)
    if len(prefix) >= FEW_BYTES_OF_ERROR:
        assert decided or body_kind("application/dicom+json", prefix, complete=False) is BodyKind.HTML


# ---------------------------------------------------------------------------------------------------------- alike


def body(content: bytes, *, complete: bool = True) -> Body:
    return Body(body_kind(None, content, complete), content, complete)


def are_alike(one: Body, other: Body) -> bool:
    return alike((CANARY, one), (CONTROL, other))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"", b"", True),
        (b"[]", b"[ ]\n", True),
        (b"[]", b"{}", False),
        (b"[]", b"", False),
        (b"<html>a", b"<html>a\n", True),
        (b"<html>a", b"<html>b", False),
        (f"no /studies/{UID}/series".encode(), f"no /studies/{UID}/{WORD}".encode(), True),
        (f"no {UID}\\/series".encode(), f"no {UID}\\/{WORD}".encode(), True),
        (f"no {UID}%2Fseries".encode(), f"no {UID}%2F{WORD}".encode(), True),
        (f"no {UID}&#x2F;series".encode(), f"no {UID}&#x2F;{WORD}".encode(), True),
        (f"study {UID} is unknown".encode(), f"study {UID} is unknown".encode(), True),
        (f"series of {UID}".encode(), f"no route {WORD}".encode(), False),
    ],
)
def test_bodies_are_alike_but_for_the_question_that_they_repeat(one: bytes, other: bytes, expected: bool) -> None:
    assert are_alike(body(one), body(other)) is expected


def test_bodies_that_were_cut_are_alike_as_far_as_they_were_read() -> None:
    page = b"<html>" + b"x" * 500
    assert are_alike(body(page, complete=False), body(page[:-9], complete=False))
    assert not are_alike(body(page, complete=False), body(b"<html>" + b"y" * 500, complete=False))


@pytest.mark.parametrize("cut", range(90, 99))
def test_a_cut_within_the_word_that_is_repeated_makes_no_difference(cut: int) -> None:
    before = b"<html>" + b"x" * 40
    one, other = (before + f"{UID}/{last}</html>".encode() for last in ("series", WORD))
    assert are_alike(body(one[:cut], complete=False), body(other[:cut], complete=False))


def test_a_body_that_ends_is_not_alike_to_one_that_goes_on() -> None:
    assert not are_alike(body(b"<html>"), body(b"<html>", complete=False))
    assert not are_alike(body(b"<html>abc", complete=False), body(b"<html>"))


@given(st.binary(max_size=100), st.booleans())
def test_every_body_is_alike_to_itself(content: bytes, complete: bool) -> None:
    same = body(content, complete=complete)
    assert are_alike(same, same)


def test_the_random_parts_of_a_question_are_taken_out_of_headers() -> None:
    headers = ((b"Location", CONTROL.url.encode()), (b"Server", b"x"))
    assert without_random(CONTROL, headers) == (
        (b"Location", b"https://archive.example.org:8443/dicom-web/studies/<random>/<random>?limit=1"),
        (b"Server", b"x"),
    )
