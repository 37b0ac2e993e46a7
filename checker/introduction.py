"""Pure: by what names we come, so that whoever watches a network can expect us."""

from __future__ import annotations

from dataclasses import dataclass

from checker import __version__
from checker.codecs.dicom_requests import IMPLEMENTATION_CLASS_UID
from checker.model import Inventory


@dataclass(frozen=True, slots=True)
class Introduction:
    """The calling AE title and implementation of every association, and the User-Agent of every request.

    The certificate is the one by which we answer servers that require one; both None where there is none.
    """

    calling_ae_title: str
    user_agent: str
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    client_certificate_subject: str | None = None
    client_certificate_sha256: str | None = None

    @classmethod
    def of(cls, inventory: Inventory) -> Introduction:
        """What an inventory has us call ourselves."""
        defaults = inventory.defaults
        own = defaults.client_certificate
        return cls(
            defaults.calling_ae_title,
            defaults.user_agent or f"pacs-checker/{__version__}",
            client_certificate_subject=None if own is None else own.subject,
            client_certificate_sha256=None if own is None else own.sha256,
        )
