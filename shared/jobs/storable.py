"""What handlers and steps return, as JSON that can be written and read again."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue
from pydantic_core import PydanticSerializationError, from_json, to_json

from shared.jobs.errors import UnstorableError

_DEEPEST = 100
"""Lists in lists: deeper results could be written, and not be read again."""


def storable(results: Any, whose: str = "the results") -> JsonValue:
    """What a handler or a step returned, as it will be stored.

    Args:
        results: what it returned.
        whose: what the error calls it.

    Raises:
        UnstorableError: they cannot be.
    """
    if results is None:
        return None
    try:
        stored: JsonValue = from_json(to_json(results), allow_inf_nan=False)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise UnstorableError(f"{whose} cannot be stored: {error}"[:500]) from None
    if _depth(stored) > _DEEPEST:
        raise UnstorableError(f"{whose} cannot be stored: they are nested more than {_DEEPEST} deep")
    return stored


def _depth(value: JsonValue) -> int:
    """How deep lists and objects are nested."""
    depth, level = 0, [value]
    while level := [each for one in level for each in _members(one)]:
        depth += 1
    return depth


def _members(value: JsonValue) -> list[JsonValue]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
