"""The kinds of values in an inventory: each checks, makes canonical, and says in a plain phrase what it expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from checker.catalog.ports import is_choice, port_set_names
from checker.inventory.addresses import parse_address, parse_network, parse_owned_network
from checker.model import OPT_IN_CANARIES, AssociationPurpose, Depth, Role

# Control characters, lone surrogates, line separators and direction overrides would garble reports and logs.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s)", re.ASCII)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_QUIET_HOURS = re.compile(rf"({_CLOCK})-({_CLOCK})", re.ASCII)
_SERVICE_KINDS = ("dicom", "dicom-tls", "web", "dicomweb", "syslog-tls", "ldaps")
_EXPOSED = re.compile(rf"(?:{'|'.join((*_SERVICE_KINDS, 'tcp', 'udp'))})/([1-9][0-9]{{0,4}})", re.ASCII)
_URL_TEXT = re.compile(r"[!-\[\]-~]+", re.ASCII)  # visible ASCII less the backslash (RFC 3986 2)
_BRACKETED = re.compile(r"\[[^\[\]]*\](?::[0-9]*)?", re.ASCII)
_TOP_PORT = 65535
_LONGEST_GAP_S = 3600.0
_SHORTEST_GAP_S = 0.001


def wrong(expected: str) -> PydanticCustomError:
    """The error of a value: `expected` is the whole plain phrase that the user reads."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


def _string(value: object, expected: str = "expected text") -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        raise wrong(f"{expected}, in quotes")
    raise wrong(expected)


def _text(longest: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = _string(value).strip()
        if not text:
            raise wrong("expected text that is not empty")
        if len(text) > longest:
            raise wrong(f"expected at most {longest} characters")
        if _UNPRINTABLE.search(text):
            raise wrong("expected text without control characters")
        return text

    return check


def _site(value: object) -> str:
    return _text(200)(value) if value != "" else ""


def _prose(value: object) -> str:
    text = " ".join(_string(value).split())
    return _text(2000)(text)


def _integer(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise wrong(f"expected an integer from {low} to {high}")
        return value

    return check


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong("expected true or false")
    return value


def _version(value: object) -> int:
    if type(value) is not int or value != 1:
        raise wrong("expected 1, the version of the format")
    return 1


def _day(value: object) -> date:
    expected = "expected a day as YYYY-MM-DD"
    text = _string(value, expected)
    if not _DATE.fullmatch(text):
        raise wrong(expected)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong(f"{expected} that is in the calendar") from None


def _parsed(parse: Callable[[str], str], expected: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = _string(value, expected)
        try:
            return parse(text)
        except ValueError as error:
            raise wrong(str(error)) from None

    return check


def as_list(value: object) -> list[object]:
    """One address or a list of them, as a list."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise wrong("expected an address or a list of addresses")
    return value


def _hostname(value: object) -> str:
    text = _string(value, "expected a host name").strip().removesuffix(".").lower()
    if not text:
        raise wrong("expected a host name that is not empty")
    if not is_hostname(text):
        raise wrong("expected a host name such as archive.example.org (addresses belong under address)")
    return text


def is_hostname(text: str) -> bool:
    """Whether a text is a host name (RFC 1123 2.1, underscores allowed) that no resolver reads as an address."""
    labels = text.split(".")
    return (
        len(text) <= 253
        and all(_LABEL.fullmatch(label) for label in labels)
        and not _NUMERIC_LABEL.fullmatch(labels[-1])
    )


# RFC 9110 10.1.5: products and comments; no sign of another alphabet, for that is what a log is searched for.
_USER_AGENT = re.compile(r"^[!-~]+( [!-~]+)*$")


def _user_agent(value: object) -> str:
    expected = "expected a User-Agent such as example-audit/1.0, 1 to 200 printable ASCII characters"
    text = _string(value, expected).strip()
    if len(text) > 200 or not _USER_AGENT.fullmatch(text):
        raise wrong(expected)
    return text


def _ae_title(value: object) -> str:
    # DICOM PS3.5 6.2, VR AE: leading and trailing spaces mean nothing; no backslash, no control characters.
    text = _string(value, "expected an AE title").strip(" ")
    if not text:
        raise wrong("expected an AE title of 1 to 16 characters, not all of them spaces")
    if any(not " " <= character <= "~" or character == "\\" for character in text):
        raise wrong("expected an AE title of ASCII characters without backslash and control characters")
    if len(text) > 16:
        raise wrong("expected an AE title of 1 to 16 characters")
    return text


def _duration(value: object) -> float:
    expected = "expected a duration such as 50ms, 1s or 2.5s"
    match = _DURATION.fullmatch(_string(value, expected))
    if match is None:
        raise wrong(expected)
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    if not _SHORTEST_GAP_S <= seconds <= _LONGEST_GAP_S:
        raise wrong("expected a duration from 1ms to 3600s")
    return seconds


def _quiet_hours(value: object) -> tuple[time, time]:
    expected = 'expected hours such as "07:00-19:00"'
    match = _QUIET_HOURS.fullmatch(_string(value, expected))
    if match is None:
        raise wrong(expected)
    if match[1] == match[2]:
        raise wrong("expected hours that end at another time than they start")
    return time.fromisoformat(match[1]), time.fromisoformat(match[2])


def _exposed(value: object) -> str:
    expected = "expected a service as <kind>/<port>, tcp/<port> or udp/<port>, such as dicom-tls/2762"
    text = _string(value, expected)
    match = _EXPOSED.fullmatch(text)
    if match is None:
        raise wrong(expected)
    if int(match[1]) > _TOP_PORT:
        raise wrong(f"expected a port from 1 to {_TOP_PORT}")
    return text


def _ports(value: object) -> str | tuple[int | str, ...]:
    names = port_set_names()
    known = ", ".join(names)
    expected = f"expected one of {known}, or a list of those and of ports, such as 104, dicom/10104 or udp/161"
    if isinstance(value, str):
        if value not in names:
            raise wrong(expected)
        return value
    if not isinstance(value, list) or not value:
        raise wrong(expected)
    if not all(is_choice(part) for part in value):
        raise wrong(
            f"expected every part to be one of {known}, or a port from 1 to {_TOP_PORT}, such as 104, dicom/10104 or"
            " udp/161"
        )
    if len(set(value)) != len(value):
        raise wrong("expected no port and no set twice")
    return tuple(value)


def _canaries(value: object) -> tuple[AssociationPurpose, ...]:
    names = [purpose.value for purpose in OPT_IN_CANARIES]
    if not isinstance(value, list):
        raise wrong(f"expected a list of {', '.join(names)}")
    if not all(isinstance(name, str) and name in names for name in value):
        raise wrong(f"expected nothing but {', '.join(names)}")
    if len(set(value)) != len(value):
        raise wrong("expected no canary twice")
    return tuple(purpose for purpose in OPT_IN_CANARIES if purpose.value in value)


@dataclass(frozen=True, slots=True)
class WebUrl:
    """A checked URL: `text` is canonical; `port` is always known."""

    text: str
    port: int


def _url(value: object) -> WebUrl:
    text = _string(value, "expected a URL").strip()
    if not _URL_TEXT.fullmatch(text) or len(text) > 2000:
        raise wrong("expected a URL of at most 2000 ASCII characters without spaces and backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong("expected a URL such as https://archive.example.org:8443/dicom-web") from None
    if parts.scheme not in ("http", "https"):
        raise wrong("expected a URL that starts with https:// or http://")
    if "@" in parts.netloc:
        raise wrong("expected a URL without user name and password")
    # The parser drops what stands beside the brackets of an IPv6 address (RFC 3986 3.2.2), where nothing may.
    if "[" in parts.netloc and not _BRACKETED.fullmatch(parts.netloc):
        raise wrong("expected nothing but an IPv6 address in brackets, and a port, as the host of the URL")
    host = _url_host(parts.hostname or "", bracketed="[" in parts.netloc)
    if port == 0 or parts.netloc.endswith(":"):
        raise wrong(f"expected a port from 1 to {_TOP_PORT} in the URL")
    number = port or (443 if parts.scheme == "https" else 80)
    shown = f"[{host}]" if ":" in host else host
    suffix = f":{port}" if port else ""
    query = f"?{parts.query}" if parts.query else ""
    # A fragment (RFC 3986 3.5) is never sent, so it is not part of what is asked.
    return WebUrl(f"{parts.scheme}://{shown}{suffix}{parts.path or '/'}{query}", number)


def _url_host(written: str, *, bracketed: bool) -> str:
    name = written.lower().removesuffix(".")
    if not bracketed and is_hostname(name):
        return name
    try:
        return parse_address(written)
    except ValueError as error:
        raise wrong(f"{error} (in the host of the URL)") from None


def _schema(**keywords: object) -> WithJsonSchema:
    return WithJsonSchema(dict(keywords))


_NETWORK = {"type": "string", "pattern": r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$"}
_ADDRESS = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}

Version = Annotated[int, PlainValidator(_version), _schema(const=1, type="integer")]
Id = Annotated[str, PlainValidator(_text(128)), _schema(type="string", pattern=r"\S", maxLength=128)]
Name = Annotated[str, PlainValidator(_text(200)), _schema(type="string", pattern=r"\S", maxLength=200)]
Site = Annotated[str, PlainValidator(_site), _schema(type="string", maxLength=200)]
Prose = Annotated[str, PlainValidator(_prose), _schema(type="string", pattern=r"\S")]
Glob = Annotated[str, PlainValidator(_text(200)), _schema(type="string", pattern=r"\S", maxLength=200)]
FileName = Annotated[str, PlainValidator(_text(4096)), _schema(type="string", pattern=r"\S", maxLength=4096)]
Day = Annotated[date, PlainValidator(_day), _schema(type="string", format="date")]
Flag = Annotated[bool, PlainValidator(_flag), _schema(type="boolean")]
Port = Annotated[int, PlainValidator(_integer(1, _TOP_PORT)), _schema(type="integer", minimum=1, maximum=_TOP_PORT)]
Connections = Annotated[int, PlainValidator(_integer(1, 10_000)), _schema(type="integer", minimum=1, maximum=10_000)]
Pending = Annotated[int, PlainValidator(_integer(1, 8)), _schema(type="integer", minimum=1, maximum=8)]
NoticeDays = Annotated[int, PlainValidator(_integer(1, 3650)), _schema(type="integer", minimum=1, maximum=3650)]
AeTitle = Annotated[
    str,
    PlainValidator(_ae_title),
    _schema(type="string", pattern=r"^ *[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])? *$"),
]
UserAgent = Annotated[
    str, PlainValidator(_user_agent), _schema(type="string", pattern=_USER_AGENT.pattern, maxLength=200)
]
Duration = Annotated[
    float, PlainValidator(_duration), _schema(type="string", pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?(ms|s)$")
]
QuietHours = Annotated[
    tuple[time, time], PlainValidator(_quiet_hours), _schema(type="string", pattern=rf"^{_CLOCK}-{_CLOCK}$")
]
OneAddress = Annotated[str, PlainValidator(_parsed(parse_address, "expected an address")), WithJsonSchema(_ADDRESS)]
Network = Annotated[str, PlainValidator(_parsed(parse_network, "expected a network")), WithJsonSchema(_NETWORK)]
OwnedNetwork = Annotated[
    str, PlainValidator(_parsed(parse_owned_network, "expected a network")), WithJsonSchema(_NETWORK)
]
HostName = Annotated[
    str,
    PlainValidator(_hostname),
    _schema(type="string", pattern=r"^ *[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.? *$", maxLength=254),
]
Url = Annotated[
    WebUrl, PlainValidator(_url), _schema(type="string", format="uri", pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://")
]
Exposed = Annotated[str, PlainValidator(_exposed), _schema(type="string", pattern=f"^{_EXPOSED.pattern}$")]
PortChoice = Annotated[
    str | tuple[int | str, ...],
    PlainValidator(_ports),
    _schema(
        anyOf=[
            {"type": "string", "enum": list(port_set_names())},
            {
                "type": "array",
                "items": {
                    "anyOf": [
                        {"type": "integer", "minimum": 1, "maximum": _TOP_PORT},
                        {"type": "string", "enum": list(port_set_names())},
                        {"type": "string", "pattern": "^(udp|dicom|http|tls)/[1-9][0-9]{0,4}$"},
                    ]
                },
                "minItems": 1,
                "uniqueItems": True,
            },
        ]
    ),
]
RoleName = Annotated[Role, Field(strict=False)]
TlsDepth = Annotated[Depth, Field(strict=False), _schema(type="string", enum=[depth.value for depth in Depth])]
Canaries = Annotated[
    tuple[AssociationPurpose, ...],
    PlainValidator(_canaries),
    _schema(
        type="array",
        items={"type": "string", "enum": [purpose.value for purpose in OPT_IN_CANARIES]},
        uniqueItems=True,
    ),
]
ClientCertificate = Literal["not-asked", "optional", "required"]
# The profiles of DICOM PS3.15 annex B that are about TLS; those before B.12 are retired.
TlsProfile = Literal["B.1", "B.3", "B.9", "B.10", "B.11", "B.12", "B.13"]
ADDRESS_SCHEMA = {"anyOf": [_ADDRESS, {"type": "array", "items": _ADDRESS, "maxItems": 64}]}
