"""The catalogue of executors, and the JSON schema of files, made from the models of their settings: what editors complete and check by."""

from __future__ import annotations

from functools import cache
from typing import Any

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executing import Executor, ExecutorSettings
from shared.domains.pipelines.views import ExecutorView

_ID = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}
_IDS = {"oneOf": [_ID, {"type": "array", "items": _ID}]}


@cache
def catalogue() -> list[ExecutorView]:
    """Every executor once, by category and name."""
    found = {each.name: each for each in executors().values()}
    return [_shown(each) for each in sorted(found.values(), key=lambda each: (each.category, each.name))]


def _shown(executor: Executor[Any]) -> ExecutorView:
    return {
        "type": executor.name, "aliases": list(executor.aliases), "category": executor.category,
        "summary": executor.summary, "description": executor.description, "example": dict(executor.example),
        "settings": executor.settings.model_json_schema(),
    }  # fmt: skip


@cache
def file_schema() -> dict[str, Any]:
    """The schema of a file of pipelines (JSON Schema 2020-12)."""
    shapes: dict[str, Any] = {}
    entries = [_entry(each, shapes) for each in {each.name: each for each in executors().values()}.values()]
    common = ExecutorSettings.model_json_schema()["properties"]
    shapes["pipeline"] = {
        "type": "object",
        "properties": {
            "name": {"type": "string"}, "description": {"type": "string"},
            "executors": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/executor"}},
            "execution_sequence": {"type": "array", "items": _ID},
            "edges": {"type": "array", "items": {"$ref": "#/$defs/edge"}},
            "workflow": {"type": "object", "properties": {"steps": {"type": "array"}}, "additionalProperties": False},
        },
        "required": ["executors"],
        "additionalProperties": False,
    }  # fmt: skip
    shapes["executor"] = {
        "type": "object",
        "required": ["id", "type"],
        "properties": {
            "id": _ID, "type": {"type": "string"}, "name": {"type": "string"}, "description": {"type": "string"},
            "settings": {"type": ["object", "null"]}, "connectors": {"type": "array"}, **common,
        },
        "additionalProperties": False,
        "allOf": entries,
    }  # fmt: skip
    shapes["edge"] = {
        "type": "object",
        "required": ["from", "to"],
        "properties": {
            "from": _IDS, "to": {"anyOf": [_IDS, {"type": "array", "items": {"$ref": "#/$defs/target"}}]},
            "condition": {"type": "string"}, "description": {"type": "string"},
            "type": {"enum": ["sequential", "parallel", "join", "conditional"]}, "wait_strategy": {"enum": ["all", "any"]},
        },
        "additionalProperties": False,
    }  # fmt: skip
    shapes["target"] = {
        "type": "object", "required": ["target"], "additionalProperties": False,
        "properties": {"target": _ID, "condition": {"type": "string"}, "description": {"type": "string"}},
    }  # fmt: skip
    several = {"type": "array", "items": {"$ref": "#/$defs/pipeline"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pipelines",
        "type": "object",
        "properties": {
            **shapes["pipeline"]["properties"], "pipeline": {"$ref": "#/$defs/pipeline"}, "pipelines": several,
            "subworkflows": several, "workflows": several, "connectors": {"type": "array", "items": {"type": "object"}},
        },
        "additionalProperties": False,
        "$defs": shapes,
    }  # fmt: skip


def _entry(executor: Executor[Any], shapes: dict[str, Any]) -> dict[str, Any]:
    """What holds for an executor of a type: its settings. Those that are needed may also come from a connector, or stand beside them."""
    schema = executor.settings.model_json_schema(ref_template="#/$defs/{model}")
    shapes.update(schema.pop("$defs", {}))
    schema.pop("required", None)
    return {
        "if": {"properties": {"type": {"enum": [executor.name, *executor.aliases]}}, "required": ["type"]},
        "then": {"properties": {"settings": {"anyOf": [schema, {"type": "null"}]}}},
    }
