"""Pure: by what names we come, so that whoever watches a network can expect us."""

from __future__ import annotations

from dataclasses import dataclass

from checker import __version__
from checker.model import Inventory


@dataclass(frozen=True, slots=True)
class Introduction:
    """The calling AE title of every association and the User-Agent of every request."""

    calling_ae_title: str
    user_agent: str

    @classmethod
    def of(cls, inventory: Inventory) -> Introduction:
        """What an inventory has us call ourselves."""
        return cls(inventory.defaults.calling_ae_title, f"pacs-checker/{__version__}")
