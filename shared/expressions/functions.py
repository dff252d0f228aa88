"""What operators and functions of expressions make of JSON values: total, so that no value makes an expression fail."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Number = int | float


class Function(NamedTuple):
    """A function of the grammar, with the numbers of arguments that it takes."""

    call: Callable[..., Any]
    least: int = 1
    most: int = 1


def equal(left: Any, right: Any) -> bool:
    """JSON's equality: true is no number, and lists and objects are equal by what is in them."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def less(left: Any, right: Any) -> bool:
    """Whether two numbers, or two texts, are in this order; of other values none is smaller."""
    if _is_number(left) and _is_number(right):
        return bool(left < right)
    return isinstance(left, str) and isinstance(right, str) and left < right


def contains(whole: Any, part: Any) -> bool:
    """Whether a list has an element, a text a part, an object a key."""
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    if isinstance(whole, dict):
        return isinstance(part, str) and part in whole
    return isinstance(whole, list) and any(equal(each, part) for each in whole)


def item(whole: Any, key: Any) -> Any:
    """The element of a list or the character of a text at a place (from the end if negative), or the value of a key; else null."""
    if isinstance(whole, dict):
        return whole.get(key) if isinstance(key, str) else None
    if isinstance(whole, list | str) and isinstance(key, int) and not isinstance(key, bool):
        return whole[key] if -len(whole) <= key < len(whole) else None
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _get(whole: Any, key: Any, default: Any = None) -> Any:
    found = item(whole, key)
    return default if found is None else found


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list | dict) else None


def _of_text(function: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: function(value) if isinstance(value, str) else None


def _starts(value: Any, start: Any) -> bool:
    return isinstance(value, str) and isinstance(start, str) and value.startswith(start)


def _ends(value: Any, end: Any) -> bool:
    return isinstance(value, str) and isinstance(end, str) and value.endswith(end)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | Number) else None


def _number(value: Any) -> Number | None:
    if isinstance(value, bool) or not isinstance(value, str | Number):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _number(value)
    return None if found is None else int(found)


FUNCTIONS = {
    "len": Function(_length),
    "lower": Function(_of_text(str.lower)),
    "upper": Function(_of_text(str.upper)),
    "strip": Function(_of_text(str.strip)),
    "startswith": Function(_starts, 2, 2),
    "endswith": Function(_ends, 2, 2),
    "contains": Function(contains, 2, 2),
    "get": Function(_get, 2, 3),
    "str": Function(_text),
    "int": Function(_whole),
    "float": Function(_number),
    "bool": Function(bool),
}
"""By name. Each can be called as a method of its first argument, too: `name.lower()`."""
