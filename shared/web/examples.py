"""Examples made of JSON schemas, for what is documented without one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UUID = "0198c3a2-0000-7000-8000-000000000000"
_FORMATS = {
    "uuid": UUID, "date-time": "2026-03-16T09:00:00Z", "date": "2026-03-16", "uri": "https://example.org/", "email": "ann@example.org"
}  # fmt: skip
_NAMES = {"user_id": "ann", "item_id": "shirt-1", "url": "https://example.org/", "timestamp": "2026-03-16T09:00:00Z"}
"""What texts of these names hold."""
Schema = Mapping[str, Any]


def example_of(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """A value that fits: what the schema itself names as one, else the least that it asks for.

    Args:
        schema: a JSON schema; references lead to components.
        components: the document's schemas by name.
    """
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    for given in ("example", "const", "default"):
        if given in schema and schema[given] is not None:
            return schema[given]
    for listed in ("examples", "enum"):
        if schema.get(listed):
            return schema[listed][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return example_of(schema[choice][0], components)
    return _of_type(schema, components)


def _of_type(schema: Schema, components: Mapping[str, Schema]) -> Any:
    match schema.get("type", "object"):
        case "string":
            return _FORMATS.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
        case "boolean":
            return False
        case "array":
            return [example_of(schema.get("items", {}), components)] * schema.get("minItems", 0)
        case "null":
            return None
    properties = schema.get("properties", {})
    needed = (name for name in schema.get("required", ()) if name in properties)
    return {name: _named(name, properties[name], components) for name in needed}


def _named(name: str, schema: Schema, components: Mapping[str, Schema]) -> Any:
    """The example of a property: texts are told apart by their names."""
    found = example_of(schema, components)
    if not isinstance(found, str) or set(found) != {"x"}:
        return found
    return _NAMES.get(name) or (UUID if name.endswith("_id") else found)
