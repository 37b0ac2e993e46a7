"""Reading and validating inventories. It opens no socket, resolves no name and sends nothing.

Every fault is reported with file, line, field, value and what is expected, all of them at once; nothing of an inventory
is used while one stands.
"""

from __future__ import annotations

from checker.errors import Fault, InventoryError
from checker.inventory.loading import load
from checker.inventory.schema import schema

__all__ = ["Fault", "InventoryError", "load", "schema"]
