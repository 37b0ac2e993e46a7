"""Sans-IO: the GETs that a web service is asked, how much of an answer is read, and when two answers are alike.

Every question is built so that no study can match it, and none follows a Location to where images are given out. The
bytes that are compared here never leave: only whether they are alike does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from checker.codecs.http import SAME, body_kind, redirect
from checker.codecs.http_headers import Headers, is_encoded, media_type
from checker.model import BodyKind

RANDOM = "<random>"
SENT_ORIGIN = "https://pacs-checker.invalid"
"""What canary and control send as their Origin, to see whether a server lets the pages of anybody read its answers.

Nobody has this name (RFC 2606 section 2), so no server has a reason to allow it but that it allows them all.
"""

WORD_LENGTH = len("series")
"""How long a control's word is: as the one whose place it takes, so that answers that repeat it are equally long."""

FEW_BYTES = 64
"""How much is read of a body that came with 2xx and is no page: enough to tell an empty list from anything else."""

FEW_BYTES_OF_ERROR = 1024
"""The same for any other status; the words of an error are read to their end, so that the connection ends cleanly."""

MOST_ROOTS_ASKED = 2
"""How many roots that a configuration names are asked, canary and control each: viewers read from one or two."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110 15.4; 300 and 304 lead nowhere
# The resources and services of PS3.18, and what products name the places from which they give files away.
_GIVES_DATA = frozenset(
    {
        *("studies", "series", "instances", "patients", "frames", "bulkdata", "metadata", "rendered", "thumbnail"),
        *("wado", "wado-rs", "wado-uri", "qido", "qido-rs", "stow", "stow-rs", "ups-rs", "workitems", "rs"),
        *("export", "exports", "download", "downloads", "archive"),
    }
)
_FILE_NAME = re.compile(r".*\.(?:dcm|zip|json|xml|csv|pdf|jpe?g|png|gz|tar)", re.IGNORECASE)
_LONGEST_PATH = 512
_PRINTABLE = re.compile(r"/[!-~]*")
# No number of more than two digits, for it may be an echo, or the number of somebody; no sign that parts a name.
_PLAIN_WORD = re.compile(r"(?:[a-z](?:[a-z._-]|[0-9]{1,2}(?![0-9])){0,31})?")
_SLASH = rb"(?:/|\\/|%2[fF]|&#x2[fF];|&#47;)"


@dataclass(frozen=True, slots=True)
class Question:
    """One GET: the whole `url`; `shown` is its path and query with the `random` parts replaced, as facts have it."""

    url: str
    shown: str
    random: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Scheme, host and, where the URL has one, port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Body:
    """The first bytes of a body, for as long as it takes to compare them; `complete` says that they are all of it."""

    kind: BodyKind | None
    prefix: bytes
    complete: bool


def canary(root: str, study_uid: str) -> Question:
    """The series of a study that nobody has (PS3.18 10.6), under the base URI of a DICOMweb service.

    The study stands in the path, for servers ignore keys of a query that they do not know and then match everything.
    """
    return _under(root, study_uid, "series")


def control(root: str, study_uid: str, word: str) -> Question:
    """The canary with its last segment replaced by a word that is no resource of PS3.18, hence no route of an archive.

    Raises ValueError for a word that could be a number or a UID, or that is longer or shorter than it must be.
    """
    if len(word) != WORD_LENGTH or not word.isalnum() or not word[:1].isalpha():
        message = f"a control's word is a letter and {WORD_LENGTH - 1} letters or digits"
        raise ValueError(message)
    return _under(root, study_uid, word, word)


def page(url: str) -> Question:
    """The declared URL itself."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return Question(url, f"{path}?{parts.query}" if parts.query else path)


def next_page(asked: Question, status: int, headers: Headers) -> Question | None:
    """The page to which an answer sends us on, where it may be asked for; None where there is none, or it may not.

    It must be another path of the same origin, and no login. One that has a query or parameters, a segment that is no
    plain word, or the name of a resource that gives data is not asked for: it may be a question that we would never
    have built.
    """
    location = next((value.decode("latin-1") for key, value in headers if key.strip().lower() == b"location"), None)
    if location is None or status not in _REDIRECTS:
        return None
    leads = redirect(location, asked.origin, asked.shown)
    if leads.origin != SAME or leads.to_login:
        return None
    target = urlsplit(urljoin(asked.url, location.strip(" \t")))
    path = target.path or "/"
    if target.query or len(path) > _LONGEST_PATH or not _PRINTABLE.fullmatch(path) or path == urlsplit(asked.url).path:
        return None
    segments = unquote(path).lower().split("/")
    if not all(_PLAIN_WORD.fullmatch(segment) for segment in segments):
        return None
    if not _GIVES_DATA.isdisjoint(segments) or _FILE_NAME.fullmatch(segments[-1]):
        return None
    return Question(asked.origin + path, leads.path or path)


def of_product(seen: Question, path: str, uid: str, *, page: bool = True) -> Question | None:
    """A product's own question, joined to the folder of the page that showed it, or to its origin.

    `uid` takes the place of `{uid}` in `path`. None for a path that needs a folder where what was `seen` is no `page`.
    """
    folder, shown = "", ""
    if not path.startswith("/"):
        if not page:
            return None
        folder, shown = (
            f"{text.partition('?')[0].rpartition('/')[0]}/" for text in (urlsplit(seen.url).path, seen.shown)
        )
    random = (uid,) if "{uid}" in path else ()
    url = f"{seen.origin}{folder}{path.replace('{uid}', uid)}"
    return Question(url, f"{shown}{path.replace('{uid}', RANDOM)}", random)


def read_whole(status: int, headers: Headers, prefix: bytes) -> bool:
    """Whether no more is to be read of a short file that holds no data: it is data or encoded, or it is an error."""
    if is_encoded(headers) or body_kind(media_type(headers), prefix, complete=False) is BodyKind.FILLED_ARRAY:
        return True
    return not 200 <= status < 300 and read_enough(status, headers, prefix)


def read_enough(status: int, headers: Headers, prefix: bytes) -> bool:
    """Whether no more of a body is to be read: it is data, it is encoded, or it is no page and some bytes are here."""
    if is_encoded(headers):
        return True
    media = media_type(headers)
    kind = body_kind(media, prefix, complete=False)
    if kind is BodyKind.FILLED_ARRAY:
        return True
    # Templates often begin a page with blank lines, which must not end the reading.
    if kind is BodyKind.HTML or (media == "text/html" and not prefix.strip()):
        return False
    return len(prefix) >= (FEW_BYTES if 200 <= status < 300 else FEW_BYTES_OF_ERROR)


def alike(canary: tuple[Question, Body], control: tuple[Question, Body]) -> bool:
    """Whether two answers have the same body, but for the random parts that they repeat, as far as both were read."""
    (_, one), (_, other) = canary, control
    if one.kind is other.kind and one.kind in (BodyKind.EMPTY_ARRAY, BodyKind.NONE):
        return True
    if one.complete and other.complete:
        return _without_echo(*canary) == _without_echo(*control)
    common = min(len(one.prefix), len(other.prefix))
    if (one.complete and len(one.prefix) == common) or (other.complete and len(other.prefix) == common):
        return False  # the one ended where the other goes on
    # What the cut leaves of an echo is not known for one: the words differ, though they are equally long.
    first, second = (
        _without_echo(question, Body(body.kind, body.prefix[:common], complete=False))
        for question, body in (canary, control)
    )
    certain = max(0, min(len(first), len(second)) - WORD_LENGTH)
    return first[:certain] == second[:certain]


def without_random(question: Question, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of an answer with the random parts of the question replaced, for a Location often repeats it."""
    replaced = []
    for key, value in headers:
        for part in question.random:
            value = value.replace(part.encode("ascii"), RANDOM.encode("ascii"))  # noqa: PLW2901 - part by part
        replaced.append((key, value))
    return tuple(replaced)


def _under(root: str, study_uid: str, resource: str, *random: str) -> Question:
    parts = urlsplit(root)
    # A base URI has no query (PS3.18 8.2); one that is there may be a key, which is nothing to ask with.
    base = parts.path.rstrip("/")
    path = f"{base}/studies/{study_uid}/{resource}?limit=1"
    shown = f"{base}/studies/{RANDOM}/{RANDOM if random else resource}?limit=1"
    return Question(f"{parts.scheme}://{parts.netloc}{path}", shown, (study_uid, *random))


def _without_echo(question: Question, body: Body) -> bytes:
    study_uid, resource = question.url.partition("?")[0].rsplit("/", 2)[1:]
    bare = body.prefix
    if study_uid.encode("ascii") in bare:  # to compile a pattern costs as much as half a request does
        uid = re.escape(study_uid.encode("ascii"))
        echo = re.compile(uid + _SLASH + re.escape(resource.encode("ascii")) + rb"|" + uid)
        bare = echo.sub(b"", bare)
    # A word of the control may be repeated alone; "series" alone is any page's own word.
    for part in question.random[1:]:
        bare = bare.replace(part.encode("ascii"), b"")
    return bare if not body.complete else bare.strip()
