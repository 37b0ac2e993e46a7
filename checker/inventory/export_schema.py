"""`python -m checker.inventory.export_schema`: write the JSON Schema of inventories to where the package ships it."""

from __future__ import annotations

from pathlib import Path

import orjson

from checker.inventory.schema import schema

SCHEMA_FILE = Path(__file__).parent.parent / "catalog" / "schemas" / "inventory.schema.json"


def exported() -> bytes:
    """The bytes of the committed file."""
    return orjson.dumps(schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_bytes(exported())
