"""Sans-IO: whether the answer to a product's own REST question bears the sign of an open interface. Never raises.

No byte of an answer leaves this module. One that holds something for what nobody has is data, and is left where it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from checker.catalog.web_products import Ask
from checker.codecs.http_headers import Headers, is_json, media_type
from checker.codecs.http_questions import read_enough, read_whole

LONGEST_SIGN = 4096
"""How much is read of a REST answer: one that holds no data is short."""

_OK = 200
_SEARCHED = 256  # the same of an answer to a search, which is shorter still where nothing matches
# Orthanc, OrthancServer/Sources/OrthancRestApi/OrthancRestSystem.cpp: date and time in the basic format of ISO 8601.
_TIMESTAMP = re.compile(
    rb"[12][0-9]{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9]|60)"
)


def rest_sign(ask: Ask, *, status: int, headers: Headers, prefix: bytes, complete: bool) -> bool:
    """Whether an answer bears the sign of an open interface that the catalogue knows."""
    if status != _OK or not complete or len(prefix) > LONGEST_SIGN:
        return False
    if ask.format == "timestamp":
        return media_type(headers) == "text/plain" and _TIMESTAMP.fullmatch(prefix.strip()) is not None
    found = json_value(prefix.decode("utf-8", errors="replace")) if is_json(media_type(headers)) else None
    return (
        isinstance(found, dict)
        and all(key in found for key in ask.keys)
        and (ask.empty is None or found.get(ask.empty) == [])
    )


def rest_enough(ask: Ask) -> Callable[[int, Headers, bytes], bool]:
    """Whether no more is to be read of the answer to a product's REST question."""

    def enough(status: int, headers: Headers, prefix: bytes) -> bool:
        if ask.format == "timestamp":
            return read_enough(status, headers, prefix)
        searched = ask.empty is not None and (len(prefix) >= _SEARCHED or rest_gives_data(ask, prefix))
        return searched or read_whole(status, headers, prefix)

    return enough


def rest_gives_data(ask: Ask, prefix: bytes) -> bool:
    """Whether a search for what nobody has brings something all the same, as far as the first bytes show."""
    if ask.empty is None:
        return False
    # Early versions of Dicoogle make no list of a single result.
    filled = rb'"%s"\s{0,64}:\s{0,64}(?:\[\s{0,64}[^\]\s]|[{"])' % re.escape(ask.empty.encode("ascii"))
    return re.search(filled, prefix) is not None


def json_value(text: str) -> object:
    """The value of a JSON text; None where it is none, or is nested without end."""
    try:
        return json.loads(text, parse_int=float)  # a number may have more digits than Python turns into an int
    except (ValueError, RecursionError):
        return None
