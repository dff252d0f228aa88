"""The forms in which pipelines write lists, objects and times: as YAML has them, or, as the original's designer did, in a text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema


def _names(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        return _json(text) if text.startswith("[") else [each.strip() for each in text.split(",") if each.strip()]
    return [] if value is None else value


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.strip() in ("", "None", "null"):
        return None
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def _object(value: Any) -> Any:
    read = _json(value)
    return {} if read is None else read


def _extension(value: str) -> str:
    return value.lower() if value.startswith(".") else f".{value.lower()}"


def _extensions(value: Any) -> Any:
    names = _names(value)
    return [_extension(each) if isinstance(each, str) else each for each in names] if isinstance(names, list) else names


def _moment(value: Any) -> Any:
    """A moment without a zone is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("not a moment in the form of ISO 8601") from None
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


_TEXTS: dict[str, Any] = {
    "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}, {"type": "null"}]
}
_MAPPING: dict[str, Any] = {"anyOf": [{"type": "object"}, {"type": "string"}, {"type": "null"}]}

Names = Annotated[tuple[str, ...], BeforeValidator(_names), WithJsonSchema(_TEXTS)]
"""A list of texts, or a text with commas."""
Extensions = Annotated[tuple[str, ...], BeforeValidator(_extensions), WithJsonSchema(_TEXTS)]
"""Suffixes of files, with or without their dot."""
JsonObject = Annotated[dict[str, Any], BeforeValidator(_object), WithJsonSchema(_MAPPING)]
"""An object, or a text of JSON."""
TextMap = Annotated[dict[str, str], BeforeValidator(_object), WithJsonSchema(_MAPPING)]
"""An object of texts, or a text of JSON."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A moment in the form of ISO 8601; UTC where it names no zone."""
