"""Pure: by what names we come, so that whoever watches a network can expect us."""

from __future__ import annotations

from dataclasses import dataclass

from checker import __version__
from checker.codecs.dicom_requests import IMPLEMENTATION_CLASS_UID
from checker.model import Inventory


@dataclass(frozen=True, slots=True)
class Introduction:
    """The calling AE title and implementation of every association, and the User-Agent of every request."""

    calling_ae_title: str
    user_agent: str
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID

    @classmethod
    def of(cls, inventory: Inventory) -> Introduction:
        """What an inventory has us call ourselves."""
        defaults = inventory.defaults
        return cls(defaults.calling_ae_title, defaults.user_agent or f"pacs-checker/{__version__}")
