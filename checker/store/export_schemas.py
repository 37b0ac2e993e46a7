"""`python -m checker.store.export_schemas`: write the JSON Schemas of a run and of a finding to where the package ships them.

They are generated from the very dataclasses that are written, so they cannot say anything else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import orjson
import pydantic
from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from checker.model import Finding, JsonValue
from checker.summary import CLEAN, FAILING, INCOMPLETE, UNDELIVERED, RunSummary

FOLDER = Path(__file__).parent.parent / "catalog" / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"

# What the types do not tell.
_NARROWER: Mapping[type, Mapping[str, object]] = {
    Finding: {"finding_id": Annotated[str, Field(pattern="^[0-9a-f]{32}$")]},
    RunSummary: {
        "coverage": Annotated[float, Field(ge=0, le=1)],
        "exit_code": Literal[CLEAN, FAILING, INCOMPLETE, UNDELIVERED],
    },
}
