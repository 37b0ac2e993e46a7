"""Pure: the states that a web service can be in for a stranger, what each means for a door, and words for people.

How a state is found is told in `checker.rules.web_access` and `checker.rules.web_viewer`; here stands which of them
are open, which are shut, and that everything else is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checker.model import HttpFacts, Status


class State(StrEnum):
    """What a web service was seen to do to a stranger; what each means for a door, `status_of` says."""

    OPEN_PROVEN = "open-proven"
    OPEN_FILTER_IGNORED = "open-filter-ignored"
    OPEN_REST = "open-rest"  # the product's own REST question was answered as it is where strangers are let in
    OPEN_PAGE = "open-page"  # a page that its product shows only to those whom it lets in
    PAGE_PUBLIC_API_OPEN = "page-public-api-open"
    GATED_BASIC = "gated-basic"
    GATED_DIGEST = "gated-digest"
    GATED_BEARER = "gated-bearer"
    GATED_CHALLENGE = "gated-challenge"  # another scheme, such as Negotiate
    GATED_FORM = "gated-form"
    GATED_REDIRECT_LOCAL = "gated-redirect-local"
    GATED_REDIRECT_EXTERNAL = "gated-redirect-external"
    GATED_CLIENT_CERT = "gated-client-cert"
    DENIED_NO_CHALLENGE = "denied-no-challenge"  # 401 to canary and control alike
    SHELL_PUBLIC_API_GATED = "shell-public-api-gated"
    SHELL_PUBLIC_API_UNKNOWN = "shell-public-api-unknown"
    PAGE_PUBLIC = "page-public"  # shown to anybody, and what is behind it is not known
    CATCH_ALL = "catch-all"
    NOT_THIS_SERVICE = "not-this-service"
    REDIRECTED = "redirected"  # elsewhere, but not to a login
    INCONCLUSIVE_DENIED = "inconclusive-denied"  # 403, or 401 for this path alone
    INCONCLUSIVE_CONTROL = "inconclusive-control"
    INCONCLUSIVE_SCRIPT_LOGIN = "inconclusive-script-login"
    INCONCLUSIVE_FORM = "inconclusive-form"  # a login form on a page that offers more, or that is public anyway
    INCONCLUSIVE_WEBSOCKET = "inconclusive-websocket"
    INCONCLUSIVE_HTTP2 = "inconclusive-http2"
    INCONCLUSIVE_429 = "inconclusive-429"
    INCONCLUSIVE_5XX = "inconclusive-5xx"
    INCONCLUSIVE_TIMEOUT = "inconclusive-timeout"
    INCONCLUSIVE_ENCODING = "inconclusive-encoding"
    INCONCLUSIVE_MALFORMED = "inconclusive-malformed"
    INCONCLUSIVE_CUT_OFF = "inconclusive-cut-off"
    INCONCLUSIVE_NO_CONNECTION = "inconclusive-no-connection"
    NOT_ASKED = "not-asked"


_OPEN = frozenset(
    {State.OPEN_PROVEN, State.OPEN_FILTER_IGNORED, State.OPEN_REST, State.OPEN_PAGE, State.PAGE_PUBLIC_API_OPEN},
)
_SHUT = frozenset(
    {
        State.GATED_BASIC,
        State.GATED_DIGEST,
        State.GATED_BEARER,
        State.GATED_CHALLENGE,
        State.GATED_FORM,
        State.GATED_REDIRECT_LOCAL,
        State.GATED_REDIRECT_EXTERNAL,
        State.GATED_CLIENT_CERT,
        State.DENIED_NO_CHALLENGE,
        State.SHELL_PUBLIC_API_GATED,
    }
)
# What says nothing either way, so that it does not undo what another request of the same kind showed.
SILENT = frozenset(
    {
        State.REDIRECTED,
        State.INCONCLUSIVE_429,
        State.INCONCLUSIVE_5XX,
        State.INCONCLUSIVE_TIMEOUT,
        State.INCONCLUSIVE_CUT_OFF,
        State.INCONCLUSIVE_NO_CONNECTION,
        State.NOT_ASKED,
    }
)
_WORDS = {
    State.OPEN_PROVEN: "a study that cannot exist is answered with an empty list, and nonsense otherwise",
    State.OPEN_FILTER_IGNORED: "a study that cannot exist is answered with a list of something, aborted unread",
    State.OPEN_REST: "a question of its REST interface that holds no data is answered without a login",
    State.OPEN_PAGE: "its page is shown without a login, which its product does only where all are let in",
    State.PAGE_PUBLIC_API_OPEN: "its page asks for no login, and the archive behind it answers anybody",
    State.GATED_BASIC: "it asks for a Basic login",
    State.GATED_DIGEST: "it asks for a Digest login",
    State.GATED_BEARER: "it asks for a token",
    State.GATED_CHALLENGE: "it challenges the caller to log in",
    State.GATED_FORM: "it shows a login form instead",
    State.GATED_REDIRECT_LOCAL: "it sends on to a login on the same server",
    State.GATED_REDIRECT_EXTERNAL: "it sends on to a login elsewhere",
    State.GATED_CLIENT_CERT: "it asks for a client certificate",
    State.DENIED_NO_CHALLENGE: "it answers whatever is asked with 401, though without a challenge",
    State.SHELL_PUBLIC_API_GATED: "its page is a public shell, and the archive behind it is gated",
    State.SHELL_PUBLIC_API_UNKNOWN: "its page is a public shell, and what its archive does was not shown",
    State.PAGE_PUBLIC: "its page asks for no login, and whether images are behind it cannot be told",
    State.CATCH_ALL: "it answers the canary and nonsense alike",
    State.NOT_THIS_SERVICE: "it answers, but not as such a service does",
    State.REDIRECTED: "it sends on to another place, which is no login as far as can be told",
    State.INCONCLUSIVE_DENIED: "it denies the request in a way that need not mean strangers",
    State.INCONCLUSIVE_CONTROL: "the answers to the canary and to nonsense do not fit together or are not complete",
    State.INCONCLUSIVE_SCRIPT_LOGIN: "its page goes to a login by script, which holds nobody back",
    State.INCONCLUSIVE_FORM: "it shows a login form, and what is beside it or behind it may be for anybody",
    State.INCONCLUSIVE_WEBSOCKET: "it speaks WebSocket alone, which was not asked",
    State.INCONCLUSIVE_HTTP2: "it speaks HTTP/2 alone, which was not asked",
    State.INCONCLUSIVE_429: "it asks to come back later",
    State.INCONCLUSIVE_5XX: "it answers with an error of its own",
    State.INCONCLUSIVE_TIMEOUT: "it did not answer in time",
    State.INCONCLUSIVE_ENCODING: "it answers with a content coding that was not asked for, and was not read",
    State.INCONCLUSIVE_MALFORMED: "it answers with something that is not HTTP",
    State.INCONCLUSIVE_CUT_OFF: "it broke off its answer",
    State.INCONCLUSIVE_NO_CONNECTION: "no connection came about",
    State.NOT_ASKED: "it was not asked",
}


@dataclass(frozen=True, slots=True)
class Access:
    """The state of a service, and the answer that decided; None where there was none."""

    state: State
    by: HttpFacts | None = None

    @property
    def status(self) -> Status:
        """What the state means for a door."""
        return status_of(self.state)


def status_of(state: State) -> Status:
    """Open fails and a proven gate passes; whatever is neither is unknown."""
    if state in _OPEN:
        return Status.FAIL
    return Status.PASS if state in _SHUT else Status.UNKNOWN


def words(access: Access) -> str:
    """The state for people, as a clause with the service as "it"; with the HTTP status where that helps."""
    status = None if access.by is None else access.by.status
    if status is None or access.status is not Status.UNKNOWN or access.state is State.PAGE_PUBLIC:
        return _WORDS[access.state]
    return f"{_WORDS[access.state]} (status {status})"
