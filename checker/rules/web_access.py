"""Pure: whether a stranger is let in by one archive, from what its requests brought back, as one state with words.

Every rule of the family `web` that speaks of access, and `archive.open` through them, decides here, for viewers in
`checker.rules.web_viewer`, and nowhere else. A gate counts only where a sign of it was read: a challenge, a redirect to
a login, a login form with nothing beside it, a demand for a client certificate, or 401 for whatever is asked. Nothing
here turns silence, an error, 403 or a 404 into a gate; nothing calls an archive open whose empty answer a second
request for nonsense did not tell apart, or whose REST interface did not give the very sign that its product gives.
"""

from __future__ import annotations

from collections.abc import Sequence

from checker.catalog.web_products import product
from checker.codecs.http import is_json
from checker.codecs.http_questions import RANDOM
from checker.model import BodyKind, HttpEnd, HttpFacts, HttpPurpose, Status
from checker.rules.web_answers import (
    FORBIDDEN,
    REDIRECTS,
    UNAUTHORIZED,
    busy,
    gate,
    headers_read,
    not_answered,
    succeeded,
)
from checker.rules.web_states import SILENT, Access, State

_NO_CONTENT = 204
_LISTS = frozenset({BodyKind.EMPTY_ARRAY, BodyKind.FILLED_ARRAY})
_STUDIES = f"/studies/{RANDOM}/"


def archive_access(asked: Sequence[HttpFacts], *, rest_alone: bool = False) -> Access:
    """The state of an archive: of its DICOMweb roots, and of its product's REST interface where that was asked.

    One that is open opens it. To be gated, each root must be. `rest_alone`: where no root was to be asked, as of a page
    whose configuration names none, the REST interface decides.
    """
    roots = [access for _, access in root_accesses(asked)]
    rest = [Access(rest_state(facts), facts) for facts in asked if facts.purpose is HttpPurpose.REST]
    for access in (*roots, *rest):
        if access.status is Status.FAIL:
            return access
    if roots:
        return next((access for access in roots if access.status is not Status.PASS), roots[0])
    return together(rest if rest_alone else [])


def root_accesses(asked: Sequence[HttpFacts]) -> list[tuple[str, Access]]:
    """Each DICOMweb root that was asked with its state, by its canaries and the controls beside them.

    A root reads as `HttpFacts.path` has it: a path, behind its origin where that is not the declared one.
    """
    of_root: dict[str, list[HttpFacts]] = {}
    for facts in asked:
        if facts.purpose in (HttpPurpose.CANARY, HttpPurpose.CONTROL):
            of_root.setdefault(facts.path.rpartition(_STUDIES)[0], []).append(facts)
    found = []
    for root, mine in of_root.items():
        controls = [facts for facts in mine if facts.purpose is HttpPurpose.CONTROL]
        canaries = [facts for facts in mine if facts.purpose is HttpPurpose.CANARY]
        if canaries:
            found.append((root, together([Access(archive_state(facts, controls), facts) for facts in canaries])))
    return found


def rest_state(facts: HttpFacts) -> State:
    """The state that the answer to a product's own REST question shows.

    Where the product is, it is asked at the root of the origin, where another may stand before it: so a login counts
    as the product's own only where it bears the product's own sign, such as its realm.
    """
    if headers_read(facts) and facts.status == 200 and facts.rest_sign is not None:
        return State.OPEN_REST
    if _is_list(facts, BodyKind.FILLED_ARRAY) and RANDOM in facts.path:
        return State.OPEN_FILTER_IGNORED  # a search for what nobody has
    if facts.status == 200 and facts.body is BodyKind.FILLED_ARRAY and RANDOM in facts.path:
        return State.INCONCLUSIVE_CONTROL  # the same, not as JSON
    shut = gate(facts)
    if shut is not None:
        its_own = product(facts.product) is not None or facts.end is HttpEnd.CLIENT_CERTIFICATE_REQUIRED
        return shut if its_own else State.INCONCLUSIVE_DENIED
    if not headers_read(facts):
        return not_answered(facts)
    later = busy(facts)
    if later is not None:
        return later
    if facts.status in (UNAUTHORIZED, FORBIDDEN):
        return State.INCONCLUSIVE_DENIED
    return State.INCONCLUSIVE_FORM if facts.login_form and facts.status == 200 else State.NOT_THIS_SERVICE


def archive_state(canary: HttpFacts, controls: Sequence[HttpFacts]) -> State:
    """The state that one canary shows, weighed against its controls."""
    shut = gate(canary)
    if shut is not None:
        if _gives_a_list(canary):
            return State.INCONCLUSIVE_CONTROL
        # Who lets nonsense through at the same place may guard the canary's path alone, and give the rest to anybody.
        # A control that was asked and says nothing leaves that open.
        decisive = _decisive(controls)
        proven = all(_gated(control) for control in decisive) if decisive else not controls
        return shut if proven else State.INCONCLUSIVE_CONTROL
    alike = any(_alike(canary, control) for control in controls)
    if _is_list(canary, BodyKind.FILLED_ARRAY):
        return State.CATCH_ALL if alike else State.OPEN_FILTER_IGNORED
    if not headers_read(canary):
        return not_answered(canary)
    later = busy(canary)
    if later is not None:
        return later
    if canary.status in (UNAUTHORIZED, FORBIDDEN):
        return _denied(canary, controls)
    if canary.status in REDIRECTS:
        return State.REDIRECTED
    if canary.end is HttpEnd.ENCODED and succeeded(canary):
        return State.INCONCLUSIVE_ENCODING
    if alike:
        return State.CATCH_ALL
    if canary.status == _NO_CONTENT or _is_list(canary, BodyKind.EMPTY_ARRAY):
        return State.OPEN_PROVEN if _told_apart(canary, controls) else State.INCONCLUSIVE_CONTROL
    return State.INCONCLUSIVE_FORM if canary.login_form and canary.status == 200 else State.NOT_THIS_SERVICE


def _gives_a_list(canary: HttpFacts) -> bool:
    # A script that sends on to a login and does not end there gives its answer all the same, to whoever stays. Of what
    # comes with a denial, a list in the media type of DICOM is no error's.
    told = canary.status in REDIRECTS or canary.media_type == "application/dicom+json"
    return told and canary.body in _LISTS and is_json(canary.media_type)


def _denied(canary: HttpFacts, controls: Sequence[HttpFacts]) -> State:
    # 401 says that a login is missing (RFC 9110 15.5.2), and for nonsense as well it means the caller, not the path.
    # 403 may have nothing to do with a login (15.5.4): object stores say it of whatever they do not have, filters of a
    # client that they take for a robot, and both let a browser in.
    decisive = _decisive(controls)
    everywhere = bool(decisive) and all(_gated(control) for control in decisive)
    return State.DENIED_NO_CHALLENGE if canary.status == UNAUTHORIZED and everywhere else State.INCONCLUSIVE_DENIED


def _gated(control: HttpFacts) -> bool:
    return control.status in (UNAUTHORIZED, FORBIDDEN) or gate(control) is not None


def _told_apart(canary: HttpFacts, controls: Sequence[HttpFacts]) -> bool:
    decisive = _decisive(controls)
    return bool(decisive) and all(_differs(canary, control) for control in decisive)


def _decisive(controls: Sequence[HttpFacts]) -> list[HttpFacts]:
    return [control for control in controls if headers_read(control) and busy(control) is None]


def _differs(canary: HttpFacts, control: HttpFacts) -> bool:
    if canary.status != control.status:
        return not (succeeded(control) and canary.body is control.body is BodyKind.EMPTY_ARRAY)
    read = control.end is HttpEnd.ANSWERED and control.body is not None
    return read and control.body is not canary.body and control.body_alike is not True


def _alike(canary: HttpFacts, control: HttpFacts) -> bool:
    if not (succeeded(canary) and succeeded(control)):
        return False
    if canary.body is control.body is BodyKind.EMPTY_ARRAY:
        return True
    return canary.status == control.status and (control.body_alike is True or canary.body is control.body)


def _is_list(facts: HttpFacts, kind: BodyKind) -> bool:
    return facts.status == 200 and facts.body is kind and is_json(facts.media_type)


def together(found: Sequence[Access]) -> Access:
    """One failure fails; a doubt that was answered outweighs a pass, silence does not."""

    def rank(access: Access) -> int:
        if access.status is Status.FAIL:
            return 0
        if access.status is Status.PASS:
            return 2
        return 3 if access.state in SILENT else 1

    return min(found, key=rank, default=Access(State.NOT_ASKED))
