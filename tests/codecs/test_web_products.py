"""The catalogue of web products: every file is valid, and every product is found by a page as it shows one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from checker.catalog.web_products import Product, catalogue_files, product, products, read_product
from checker.codecs.html_page import read_page

# Pages and realms with the signs of each product, and words of the tests' own around them.
PAGES: dict[str, list[tuple[str, str | None]]] = {
    "conquest": [("<HEAD><TITLE>CONQUEST DICOM server version 1.5.0</TITLE></HEAD><BODY>x", None)],
    "dcm4chee-arc": [("<html><head><title>dcm4chee-arc-ui</title></head><body><div>x</div>", None)],
    "dicoogle": [
        ("<title>Dicoogle</title>", None),
        ("<title>Dicoogle Webapp</title>", None),
        ('<title>x</title><meta name="description" content="Dicoogle Web Application">', None),
    ],
    "horos": [("<html><head><title>Horos Web Portal</title></head>", None)],
    "kheops": [("<title>Kheops</title><body><div id=app></div>", None)],
    "ohif": [
        ("<title>OHIF Viewer</title>", None),
        ('<title>Synthetic Hospital</title><meta name="description" content="@ohif/app" />', None),
    ],
    "orthanc": [("<!DOCTYPE html>\n<title>Orthanc Explorer</title>", None), ("", "Orthanc Secure Area")],
    "orthanc-explorer-2": [("<title>Orthanc Explorer 2</title><body><div id=app></div>", None)],
    "oviyam2": [("<title>Oviyam login</title>", None), ("<body><h4>HTML5 Web DICOM Viewer</h4>", None)],
    "xnat": [("<!-- BEGIN xnat-templates/screens/Login.vm -->\n<title>Synthetic study group</title>", None)],
}


def test_every_product_has_the_id_of_its_file() -> None:
    names = [file.name.removesuffix(".yaml") for file in catalogue_files()]
    assert [entry.id for entry in products()] == names
    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize("entry", products(), ids=lambda entry: entry.id)
def test_every_product_is_found_by_the_pages_that_it_shows(entry: Product) -> None:
    assert PAGES[entry.id], "a product of the catalogue needs a page here"
    for page, realm in PAGES[entry.id]:
        assert read_page(page.encode(), realm=realm).product == entry.id


def test_no_page_here_is_of_a_product_that_is_gone() -> None:
    assert set(PAGES) == {entry.id for entry in products()}


@pytest.mark.parametrize("entry", products(), ids=lambda entry: entry.id)
def test_every_marker_finds_its_product_and_no_other(entry: Product) -> None:
    for marker in entry.markers:
        page = {"title": f"<title>{marker.text}</title>", "body": f"<p>{marker.text}", "realm": ""}[marker.where]
        realm = marker.text if marker.where == "realm" else None
        assert read_page(page.encode(), realm=realm).product == entry.id


@pytest.mark.parametrize("entry", products(), ids=lambda entry: entry.id)
def test_every_product_says_where_its_knowledge_is_from(entry: Product) -> None:
    assert len(entry.source) > 10
    assert all("{" not in root or "{aet}" in root for root in entry.dicomweb_roots)


@pytest.mark.parametrize(
    "page", ["<title>Welcome to nginx!</title>", "<title>Sign in</title>", "<title></title>", "<title>OHIF</title>"]
)
def test_other_pages_are_of_no_product(page: str) -> None:
    assert read_page(page.encode()).product is None


def test_a_product_is_found_by_its_id() -> None:
    found = product("orthanc")
    assert found is not None
    assert found.page == "protected"
    assert product("of-a-later-version") is None
    assert product(None) is None


VALID = """
id: synthetic
name: Synthetic
kind: archive
page: public
markers: [{where: title, text: Synthetic PACS}]
source: the tests
"""


def test_a_file_is_read_as_it_stands() -> None:
    assert read_product(VALID).markers[0].text == "synthetic pacs"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        VALID.replace("id: synthetic", "id: Not An Id"),
        VALID.replace("kind: archive", "kind: toaster"),
        VALID.replace("Synthetic PACS", "PACS"),
        VALID.replace("[{where: title, text: Synthetic PACS}]", "[]"),
        VALID + "exploit: none\n",
        VALID + "dicomweb_roots: [/dicom-web]\n",
        VALID + "canary: series-of-a-random-study\n",
        VALID + "dicomweb_roots: [dicom-web]\ncanary: series-of-a-random-study\n",
        VALID + "public_by_design: ['/x?y']\n",
        VALID.replace("source: the tests\n", ""),
    ],
)
def test_a_file_that_is_not_valid_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_product(text)
