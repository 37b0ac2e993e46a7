"""`python -m checker.store.export_schemas`: write the JSON Schemas of runs and findings to where the package has them.

They are generated from the very dataclasses that are written, so they cannot say anything else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import orjson
import pydantic
from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from checker.model import Finding
from checker.summary import RunSummary

FOLDER = Path(__file__).parent.parent / "catalog" / "schemas"
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"

# What the types alone do not tell.
_NARROWER: Mapping[str, object] = {
    "finding_id": Annotated[str, Field(pattern="^[0-9a-f]{32}$")],
    "coverage": Annotated[float, Field(ge=0, le=1)],
    "exit_code": Literal[0, 3, 4, 5],
}


class _AsWritten(GenerateJsonSchema):
    """Every key is written, also where it is null, and every instant in one form."""

    def field_is_required(
        self, field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField, total: bool
    ) -> bool:
        return True

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time", "pattern": INSTANT}


def _schema(shape: type, title: str) -> dict[str, Any]:
    hints = get_type_hints(shape, localns={"JsonValue": pydantic.JsonValue}) | dict(_NARROWER)
    fields: dict[str, Any] = {field.name: (hints[field.name], ...) for field in dataclasses.fields(shape)}
    model = pydantic.create_model(shape.__name__, __doc__=shape.__doc__, **fields)
    generated = model.model_json_schema(mode="serialization", schema_generator=_AsWritten)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated, "title": title}


def schemas() -> dict[str, dict[str, Any]]:
    """By the name of its file: the JSON Schema (draft 2020-12) of `run.json`, and of one line of `findings.jsonl`."""
    return {
        "run.schema.json": _schema(RunSummary, "Summary of a run of pacs-checker"),
        "finding.schema.json": _schema(Finding, "Finding of pacs-checker"),
    }


def exported() -> dict[Path, bytes]:
    """The committed files and their bytes."""
    return {
        FOLDER / name: orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        for name, schema in schemas().items()
    }


if __name__ == "__main__":
    for path, text in exported().items():
        path.write_bytes(text)
