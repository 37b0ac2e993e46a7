"""Pure: by which implementation a DICOM service answers, and which service that is from one run to the next.

An A-ASSOCIATE-AC names the implementation that made it (PS3.7 annex D.3.3.2). It says nothing of who may do what, so
associations with a certificate of our own count here as well. What an earlier run saw is handed in by who judges; here
nothing is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

from checker.catalog.dicom import toolkit
from checker.model import DicomFacts, JsonValue
from checker.rules.access import accepted
from checker.rules.base import Case, Identity


@dataclass(frozen=True, slots=True)
class Place:
    """A DICOM service at one address, told apart from all others of its asset, stably from run to run.

    `address` is empty where none is known; `ae_title` where the port is declared for one title alone, for a corrected
    title leaves the service what it is.
    """

    kind: str
    port: int
    address: str = ""
    ae_title: str = ""


@dataclass(frozen=True, slots=True)
class Implementation:
    """An Implementation Class UID and a version name, one of which may be None."""

    class_uid: str | None
    version: str | None

    @property
    def named(self) -> str:
        """For a sentence: the version name, and where there is none the UID."""
        return self.version or self.class_uid or "no name"

    def told(self) -> dict[str, JsonValue]:
        """As evidence; the toolkit is a hint at the library, not at the product."""
        return {
            "implementation_class_uid": self.class_uid,
            "implementation_version": self.version,
            "toolkit_hint": None if self.class_uid is None else toolkit(self.class_uid),
        }

    def seen_in(self, run_id: str) -> Identity:
        """As a later run will know it."""
        return Identity(run_id, self.class_uid, self.version)


def implementations(case: Case) -> tuple[Implementation, ...]:
    """All different ones that the service named in this run, in the order observed; usually one."""
    told = (
        Implementation(facts.implementation_class_uid, facts.implementation_version)
        for facts in case.facts(DicomFacts)
        if accepted(facts)
    )
    return tuple(dict.fromkeys(one for one in told if one.class_uid is not None or one.version is not None))


def implementation(case: Case) -> Implementation | None:
    """The implementation of the service in this run; None where it named none, or several.

    Several are several machines behind one address, of which none can be compared with what another run met.
    """
    found = implementations(case)
    return found[0] if len(found) == 1 else None


def earlier(case: Case) -> Implementation | None:
    """What the service named before this run; None where no run is known that saw it."""
    known = case.earlier_identity
    return None if known is None else Implementation(known.implementation_class_uid, known.implementation_version)


def service_place(case: Case) -> Place | None:
    """Which DICOM service at which address the case is about; None where it is about none."""
    service = case.service
    if service is None or not service.is_dicom:
        return None
    alike = [other for other in case.asset.services if (other.kind, other.port) == (service.kind, service.port)]
    return Place(
        kind=service.kind.value,
        port=service.port,
        address=case.address or "",
        ae_title=(service.ae_title or "") if len(alike) > 1 else "",
    )
