"""The catalogue of web products: every file is valid, and every product is found by a page as it shows one."""

from __future__ import annotations

import re
from importlib.resources.abc import Traversable

import pytest
from pydantic import ValidationError

from checker.catalog.web_products import Product, catalogue_files, product, products, read_product
from checker.codecs.html_page import read_page
from checker.codecs.http import http_facts
from checker.model import BodyKind, HttpPurpose

# Pages and realms with the signs of each product, and words of the tests' own around them.
PAGES: dict[str, list[tuple[str, str | None]]] = {
    "aperio-eslide-manager": [("<TITLE>eSlideManager - Login</TITLE><form>", None)],
    "clearcanvas": [
        ("<title>Synthetic PACS [one]</title><span class='x'></span><span class=\"ManifestWarningTextLabel\">", None),
        ("<title>ClearCanvas ImageServer : Archive Queue</title>", None),
    ],
    "conquest": [("<HEAD><TITLE>CONQUEST DICOM server - version 1.5.0</TITLE></HEAD><BODY>x", None)],
    "dcm4chee-arc": [("<html><head><title>dcm4chee-arc-ui</title></head><body><div>x</div>", None)],
    "dicomcloud": [("<title>DICOMcloud</title>", None)],
    "dicoogle": [
        ("<title>Dicoogle</title>", None),
        ("<title>Dicoogle Webapp</title>", None),
        ('<title>x</title><meta name="description" content="Dicoogle Web Application">', None),
    ],
    "fhir": [
        ('{"resourceType":"CapabilityStatement","status":"active"', None),
        ('{\n  "resourceType": "CapabilityStatement",\n', None),
        ('{\n  "resourceType" : "CapabilityStatement",\n', None),
    ],
    "horos": [("<html><head><title>Horos Web Portal</title></head>", None)],
    "kheops": [("<title>KHEOPS</title><body><div id=app></div>", None)],
    "ohif": [
        ("<title>OHIF Viewer</title>", None),
        ('<title>Synthetic Hospital</title><meta name="description" content="@ohif/app" />', None),
    ],
    "orthanc": [("<!DOCTYPE html>\n<title>Orthanc Explorer</title>", None), ("", "Orthanc Secure Area")],
    "orthanc-explorer-2": [
        ("<title>Orthanc Explorer 2</title><body><div id=app></div>", None),
        ("<!-- data-bs-theme is changed dynamically in the C++ code, synthetic --><title>...</title>", None),
    ],
    "orthanc-stone": [("<title>Stone Web Viewer</title><body class=wv-body>", None)],
    "oviyam2": [
        ("<title>Oviyam login</title>", None),
        ("<title>Oviyam 2.0</title>", None),
        ("<title></title><body><h4>DICOM Web Workstation - Version 2.8</h4>", None),
        ("<body><h4>HTML5 Web DICOM Viewer</h4>", None),
    ],
    "solipacs-web-server": [("<title>SoliPACS Web Server</title>", None)],
    "static-dicomweb": [],  # known by its answers to a canary alone
    "synapse-mobility": [("<title>Synapse Mobility Login</title>", None)],
    "uniweb-server": [("<title>UniWeb Server</title>", None)],
    "visage-7": [("<title>Visage 7</title>", None)],
    "vue-pacs": [("<title>Vue PACS</title><input type=hidden name=x>", None)],
    "xnat": [("<!-- BEGIN xnat-templates/screens/Login.vm -->\n<title>Synthetic study group</title>", None)],
}
NAMED = [entry for entry in products() if entry.markers]


def test_every_product_has_the_id_of_its_file() -> None:
    names = [file.name.removesuffix(".yaml") for file in catalogue_files()]
    assert [entry.id for entry in products()] == names
    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize("entry", NAMED, ids=lambda entry: entry.id)
def test_every_product_is_found_by_the_pages_that_it_shows(entry: Product) -> None:
    assert PAGES[entry.id], "a product of the catalogue needs a page here"
    for page, realm in PAGES[entry.id]:
        assert read_page(page.encode(), realm=realm).product == entry.id


def test_no_page_here_is_of_a_product_that_is_gone() -> None:
    assert set(PAGES) == {entry.id for entry in products()}


@pytest.mark.parametrize("entry", NAMED, ids=lambda entry: entry.id)
def test_every_marker_finds_its_product_and_no_other(entry: Product) -> None:
    for marker in entry.markers:
        page = {"title": f"<title>{marker.text}</title>", "body": f"<p>{marker.text}", "realm": ""}[marker.where]
        realm = marker.text if marker.where == "realm" else None
        assert read_page(page.encode(), realm=realm).product == entry.id


def test_no_marker_is_on_a_page_of_another_product() -> None:
    """Not even one that would be outranked there, for such a page may lose what outranked it."""
    for entry in NAMED:
        alone = entry.model_copy(update={"id": "alone"})
        for other, samples in PAGES.items():
            for page, realm in samples if other != entry.id else []:
                assert read_page(page.encode(), realm=realm, catalogue=[alone]).product is None, f"{entry.id}: {other}"


def test_every_marker_is_needed() -> None:
    """Each finds one of the product's pages here, by itself, so that none was written down for nothing."""
    for entry in NAMED:
        for marker in entry.markers:
            alone = entry.model_copy(update={"markers": (marker,)})
            samples = PAGES[entry.id] or [(f"<title>{marker.text}</title>", None)]
            assert any(read_page(page.encode(), realm=realm, catalogue=[alone]).product for page, realm in samples) or (
                marker.text in _OF_OLDER_VERSIONS
            ), f"{entry.id}: {marker.text}"


# Titles and bodies for which the pages above have no example of their own.
_OF_OLDER_VERSIONS = frozenset({"oviyam", 'content="@ohif/viewer"'})

# What no file may hold: a value of a secret, a weakness by its number, a way in.
_NEVER = re.compile(
    r"cve-?[0-9]|cvss|exploit|payload|injection|traversal|default (?:password|user|login|account|credential)s?"
    r"|(?:password|passwd|pwd|credential|token|secret|username)s?\s*[:=]|[a-z0-9]+:[a-z0-9]+@|bearer [a-z0-9._-]{16}",
    re.IGNORECASE,
)


@pytest.mark.parametrize("file", catalogue_files(), ids=lambda file: file.name)
def test_no_file_holds_a_way_in(file: Traversable) -> None:
    assert _NEVER.findall(file.read_text(encoding="utf-8")) == []


def test_what_is_looked_for_there_would_be_found() -> None:
    for text in ("password: synthetic", "CVE-2020-0001", "the default login", "http://a:b@c", "exploit"):
        assert _NEVER.search(text), text


@pytest.mark.parametrize("entry", products(), ids=lambda entry: entry.id)
def test_no_product_asks_for_what_gives_data(entry: Product) -> None:
    """Its questions go to its own file or to a place that holds nothing; a search has a random UID and nothing else."""
    data = {"studies", "series", "instances", "patients", "frames", "wado", "export", "download", "metadata", "dump"}
    for ask in entry.asks:
        assert data.isdisjoint(re.split(r"[/?&=:]", ask.path.lower()))
        assert "?" not in ask.path or ask.path.endswith(":{uid}")


def test_a_viewer_that_is_sold_is_known_by_its_login_alone() -> None:
    """Only a title that somebody published is written down of it: no path is asked, and its page proves nothing."""
    for entry in products():
        if "nuclei-templates" in entry.source or "census" in entry.source:
            assert (entry.page, entry.asks, entry.canary, entry.dicomweb_roots) == ("public", (), None, ())


@pytest.mark.parametrize("entry", products(), ids=lambda entry: entry.id)
def test_every_product_says_where_its_knowledge_is_from(entry: Product) -> None:
    assert len(entry.source) > 10
    assert all("{" not in root or "{aet}" in root for root in entry.dicomweb_roots)


@pytest.mark.parametrize(
    "page", ["<title>Welcome to nginx!</title>", "<title>Sign in</title>", "<title></title>", "<title>OHIF</title>"]
)
def test_other_pages_are_of_no_product(page: str) -> None:
    assert read_page(page.encode()).product is None


@pytest.mark.parametrize(("purpose", "named"), [(HttpPurpose.PAGE, "fhir"), (HttpPurpose.CANARY, None)])
def test_a_document_in_json_is_named_only_where_it_is_the_page_itself(purpose: HttpPurpose, named: str | None) -> None:
    facts = http_facts(
        purpose=purpose,
        path="/fhir/metadata",
        tls=False,
        status=200,
        headers=[(b"Content-Type", b"application/fhir+json")],
        prefix=b'{"resourceType":"CapabilityStatement","title":"<form><input type=password></form>"}',
        complete=True,
        origin="http://archive.example.net",
    )
    assert (facts.product, facts.login_form, facts.body) == (named, False, BodyKind.JSON_OBJECT)


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


def test_what_has_no_page_of_its_own_may_have_no_marker_but_needs_a_root() -> None:
    nameless = VALID.replace("[{where: title, text: Synthetic PACS}]", "[]")
    canary = "dicomweb_roots: [/dicom-web]\ncanary: series-of-a-random-study\n"
    assert read_product(nameless + canary).markers == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        VALID.replace("id: synthetic", "id: Not An Id"),
        VALID.replace("kind: archive", "kind: toaster"),
        VALID.replace("Synthetic PACS", "PACS"),
        VALID.replace("[{where: title, text: Synthetic PACS}]", "[]"),
        VALID.replace("markers: [{where: title, text: Synthetic PACS}]", ""),
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


CONFIGURATION = "{path: a.js, shows: configuration, format: ohif}"
REST = "{path: /a/b, shows: rest, format: timestamp, sign: a clock}"
SEARCH = "{path: '/search?query=StudyInstanceUID:{uid}', shows: rest, format: json, empty: results, sign: a list}"


@pytest.mark.parametrize(
    "asks",
    [
        CONFIGURATION,
        REST,
        SEARCH,
        f"{CONFIGURATION}, {REST}",
        "{path: /k.json, shows: configuration, format: keycloak}",
        "{path: api/c, shows: configuration, format: json}",
        "{path: /about, shows: rest, format: json, keys: [Name, Version], sign: its name}",
    ],
)
def test_a_product_has_questions_of_its_own(asks: str) -> None:
    assert read_product(f"{VALID}asks: [{asks}]\n").asks


@pytest.mark.parametrize(
    "asks",
    [
        ", ".join([CONFIGURATION] * 3),
        CONFIGURATION.replace("a.js", "../a.js"),
        CONFIGURATION.replace("a.js", "//host/a.js"),
        CONFIGURATION.replace("a.js", "/a/../b"),
        CONFIGURATION.replace("a.js", "http://host/a.js"),
        CONFIGURATION.replace("a.js", "'/a?b=c'"),
        CONFIGURATION.replace("a.js", "'a b'"),
        CONFIGURATION.replace("a.js", "'/a#b'"),
        CONFIGURATION.replace("a.js", "'/studies/{uid}'"),
        CONFIGURATION.replace("ohif", "yaml"),
        CONFIGURATION.replace("ohif", "timestamp"),
        CONFIGURATION.replace("configuration", "password"),
        CONFIGURATION.replace("ohif", "ohif, sign: a clock"),
        REST.replace(", sign: a clock", ""),
        REST.replace("timestamp", "ohif"),
        REST.replace("timestamp", "json"),
        REST.replace("timestamp", "timestamp, keys: [Name]"),
        SEARCH.replace("empty: results", "keys: [results]"),
        SEARCH.replace("{uid}", "1"),
        SEARCH.replace("query=", "a=b&query="),
        REST.replace("/a/b", "'/a?limit={uid}&x={uid}'"),
    ],
)
def test_a_question_that_is_not_bounded_or_not_readable_is_refused(asks: str) -> None:
    with pytest.raises(ValidationError):
        read_product(f"{VALID}asks: [{asks}]\n")
