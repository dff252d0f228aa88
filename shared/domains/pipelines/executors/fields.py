"""Fields of items by their paths (`pdf_output.pages.0.text`), and texts with fields in braces."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError

Data = dict[str, Any]
"""A JSON object."""

_FIELD = re.compile(r"\{([^{}\n]{1,200})\}")
_MISSING = object()


def value_at(data: Any, path: str, delimiter: str = ".") -> Any:
    """The value at a path of names and, in lists, numbers; None where there is none."""
    found = _walk(data, path.split(delimiter) if path else [])
    return None if found is _MISSING else found


def has(data: Any, path: str, delimiter: str = ".") -> bool:
    """Whether there is a value at a path, null or not."""
    return _walk(data, path.split(delimiter)) is not _MISSING


def _walk(value: Any, names: list[str]) -> Any:
    for name in names:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def put(data: Data, path: str, value: Any, delimiter: str = ".", *, create: bool = True) -> None:
    """Write a value at a path.

    Args:
        data: what is changed.
        path: where.
        value: what is written.
        delimiter: between the names.
        create: whether objects on the way are made; else the whole path is one name, where they are missing.

    Raises:
        ContentError: something on the way is no object.
    """
    *way, last = path.split(delimiter)
    if way and not create and not isinstance(value_at(data, delimiter.join(way), delimiter), dict):
        way, last = [], path
    place: Any = data
    for name in way:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise ContentError(f"{path!r} cannot be written: {name!r} is no object")
    place[last] = value


def drop(data: Data, path: str, delimiter: str = ".") -> None:
    """Remove what is at a path, if anything is."""
    *way, last = path.split(delimiter)
    place = _walk(data, way)
    if isinstance(place, dict):
        place.pop(last, None)
    elif isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        del place[int(last)]


def filled(template: str, names: Mapping[str, Any], missing: str | None = None) -> str:
    """A text in which `{a.b}` stands for a field. One that is missing is `missing`, or stays as it is written."""

    def value(found: re.Match[str]) -> str:
        known = value_at(dict(names), found[1].strip())
        if known is None:
            return found[0] if missing is None else missing
        return shown(known)

    return _FIELD.sub(value, template)


def shown(value: Any) -> str:
    """A value as text: JSON, but for what is text."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)


def text_at(item: Content, path: str) -> str:
    """The text in a field. Where `text` is asked for and missing, what an extractor before it wrote is taken.

    Raises:
        ContentError: there is none.
    """
    value = value_at(item.data, path)
    if value is None and path == "text":
        value = whole_text(item)
    if value is None:
        there_are = ", ".join(sorted(item.data)) or "none"
        raise ContentError(f"there is no field {path!r}; fields of this item: {there_are}")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    if not isinstance(value, str):
        raise ContentError(f"the field {path!r} holds no text")
    return value


def whole_text(item: Content) -> str | None:
    """The text of an item: its own `text` or `content`, or what the last extractor wrote."""
    for name in ("text", "content"):
        if isinstance(item.data.get(name), str):
            return str(item.data[name])
    written = [
        each["text"] for each in item.data.values() if isinstance(each, dict) and isinstance(each.get("text"), str)
    ]
    return str(written[-1]) if written else None


def hashed(*texts: str) -> str:
    """A hash of texts, safe in names and keys."""
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
