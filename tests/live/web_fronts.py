"""All fronts of the tests about the web, in the order of the table."""

from __future__ import annotations

from tests.live.web_fronts_gates import GATES
from tests.live.web_fronts_headers import HEADERS
from tests.live.web_fronts_neither import NEITHER
from tests.live.web_fronts_open import OPEN
from tests.live.web_fronts_orthanc import ORTHANC
from tests.live.web_fronts_products import PRODUCTS
from tests.live.web_fronts_viewers import VIEWERS

FRONTS = (*ORTHANC, *GATES, *HEADERS, *OPEN, *NEITHER, *VIEWERS, *PRODUCTS)
