"""All products of the tests about the web, in the order of the table."""

from __future__ import annotations

from tests.live.web_products_archives import ARCHIVES, ORTHANC
from tests.live.web_products_pages import LOGINS, PAGES, TITLES

PRODUCTS = (*ARCHIVES, *ORTHANC, *PAGES, *LOGINS, *TITLES)
