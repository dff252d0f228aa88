"""Fields renamed, moved and put together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data, drop, filled, has, put, shown, value_at
from shared.domains.pipelines.executors.forms import JsonObject, TextMap


class MappingSettings(ItemSettings):
    """Which fields become which, and how lists on the way are taken."""

    mappings: TextMap = Field(
        default={},
        description="From path to path.",
        examples=[{"pdf_output.text": "text", "metadata.author": "creator"}],
    )
    object_mappings: JsonObject = Field(
        default={},
        description="From path to the names and sources of a list of objects: the lists at the sources are joined place by place.",
        examples=[{"pages": {"number": "pdf_output.pages.page_number", "text": "pdf_output.pages.text"}}],
    )
    source_id_mappings: TextMap = Field(
        default={},
        description="From path to a part of the item's id: `id.canonical_id`, `id`, or a text with `{id.path}`.",
    )
    copy_mode: Literal["move", "copy"] = Field(default="copy", description="Whether the source stays.")
    create_nested: bool = Field(
        default=True, description="Make objects on the way; else a path is one name where they are missing."
    )
    overwrite_existing: bool = Field(default=True, description="Whether what is at the target already is written over.")
    template_fields: bool = Field(default=True, description="Put fields in place of `{name}` in the paths.")
    nested_delimiter: str = Field(default=".", min_length=1, max_length=3, description="Between the names of a path.")
    list_handling: Literal["first", "merge", "concatenate", "all"] = Field(
        default="merge",
        description="Of lists on the way to a value: its first element, all in one list, all in one text, or lists in lists.",
    )
    join_separator: str = Field(default="\n", description="Between the parts of such a text.")
    merge_filter_empty: bool = Field(default=True, description="Leave out null and what is empty.")
    merge_deduplicate: bool = Field(default=False, description="Take equal values once.")
    case_transform: Literal["lower", "upper", "title", "camel", "snake"] | None = Field(
        default=None, description="Change the names in the targets."
    )
    fail_on_missing_source: bool = Field(default=False, description="Whether an item without a source fails.")
    remove_empty_objects: bool = Field(default=False, description="Remove objects that moving has left empty.")

    @model_validator(mode="after")
    def _says_something(self) -> MappingSettings:
        if not (self.mappings or self.object_mappings or self.source_id_mappings):
            raise ValueError("one of mappings, object_mappings and source_id_mappings is needed")
        for target, sources in self.object_mappings.items():
            if not isinstance(sources, dict) or not all(isinstance(each, str) for each in sources.values()):
                raise ValueError(f"object_mappings: {target} needs names and the paths of their sources")
        return self


@executor(
    "field_mapper",
    settings=MappingSettings,
    category="transform",
    example={"mappings": {"pdf_output.text": "text"}, "copy_mode": "move"},
)
async def field_mapper(item: Content, settings: MappingSettings, run: Run) -> Content:  # noqa: ARG001 - the shape of all
    """Rename, move and copy fields.

    First parts of the id are written, then objects, then the mappings in their order. All sources of one mapping are read before its target is written. A
    path that leads through a list goes on in each of its elements; `list_handling` says what becomes of the values.
    """
    for target, source in settings.source_id_mappings.items():
        _write(item.data, target, _of_id(item, source), settings)
    for target, sources in settings.object_mappings.items():
        _write(item.data, target, _objects(item.data, sources, settings), settings)
    emptied = []
    for source, target in settings.mappings.items():
        source, target = _named(item, source, settings), _named(item, target, settings)  # noqa: PLW2901 - as they are meant here
        if _missing(item.data, source, settings):
            if settings.fail_on_missing_source:
                raise ContentError(f"there is no field {source!r}")
            continue
        value = _combined(_values(item.data, source.split(settings.nested_delimiter), settings), settings)
        written = _write(item.data, _cased(target, settings), value, settings)
        if settings.copy_mode == "move" and written and source != _cased(target, settings):
            drop(item.data, source, settings.nested_delimiter)
            emptied.append(source)
    if settings.remove_empty_objects:
        _tidy(item.data, emptied, settings.nested_delimiter)
    return item


def _of_id(item: Content, source: str) -> Any:
    known = item.id.model_dump(mode="json")
    if "{" in source:
        return filled(source, {"id": known, **item.data}, "")
    path = source.removeprefix("content.").removeprefix("id")
    return value_at(known, path.removeprefix(".")) if path else known


def _named(item: Content, path: str, settings: MappingSettings) -> str:
    return filled(path, item.scope()) if settings.template_fields and "{" in path else path


def _write(data: Data, path: str, value: Any, settings: MappingSettings) -> bool:
    if value is None or (not settings.overwrite_existing and has(data, path, settings.nested_delimiter)):
        return False
    put(data, path, value, settings.nested_delimiter, create=settings.create_nested)
    return True


class _Several(list[Any]):
    """Values that a list on the way has led to: not a value that is a list."""


def _values(value: Any, names: list[str], settings: MappingSettings) -> Any:
    """What a path leads to: a value, or, through lists, several in several."""
    for place, name in enumerate(names):
        if isinstance(value, list) and not name.isdecimal():
            parts = value[:1] if settings.list_handling == "first" else value
            return _Several(_values(each, names[place:], settings) for each in parts)
        value = value_at(value, name, "\0")
    return value


def _missing(data: Data, path: str, settings: MappingSettings) -> bool:
    found = _values(data, path.split(settings.nested_delimiter), settings)
    return found is None or (isinstance(found, _Several) and all(each is None for each in _flat(found)))


def _flat(value: Any) -> Iterable[Any]:
    if isinstance(value, _Several):
        for each in value:
            yield from _flat(each)
    else:
        yield value


def _combined(value: Any, settings: MappingSettings) -> Any:
    if not isinstance(value, _Several):
        return value
    if settings.list_handling == "all":
        return _plain(value)
    found = list(_flat(value))
    if settings.list_handling == "first":
        return next(iter(found), None)
    found = [part for each in found for part in (each if isinstance(each, list) else [each])]
    if settings.merge_filter_empty:
        found = [each for each in found if each not in (None, "", [], {})]
    if settings.merge_deduplicate:
        found = list({shown(each): each for each in found}.values())
    return settings.join_separator.join(map(shown, found)) if settings.list_handling == "concatenate" else found


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, _Several) else value


def _objects(data: Data, sources: dict[str, str], settings: MappingSettings) -> list[Data] | Data | None:
    """The values of several paths as a list of objects: one for each element of the innermost list that all paths share."""
    shared = _shared([path.split(settings.nested_delimiter) for path in sources.values()])
    found = {name: _values(data, path.split(settings.nested_delimiter), settings) for name, path in sources.items()}
    if all(each is None for each in found.values()):
        return None
    if not any(isinstance(each, _Several) for each in found.values()):
        return found
    rows = {name: _rows(value, _lists_on(data, shared, settings)) for name, value in found.items()}
    count = max(len(each) for each in rows.values())
    objects = [
        {name: _combined(each[number], settings) for name, each in rows.items() if number < len(each)}
        for number in range(count)
    ]
    kept = [
        {k: v for k, v in each.items() if not (settings.merge_filter_empty and v in (None, "", [], {}))}
        for each in objects
    ]
    kept = [each for each in kept if each]
    return list({shown(each): each for each in kept}.values()) if settings.merge_deduplicate else kept


def _shared(paths: list[list[str]]) -> list[str]:
    """What all paths begin with, without their last names."""
    heads = [path[:-1] for path in paths]
    return [names[0] for names in zip(*heads, strict=False) if len(set(names)) == 1]


def _lists_on(data: Any, names: list[str], settings: MappingSettings) -> int:
    """How many lists there are on a path, its end included: so deep are the rows of objects."""
    deep = 0
    value = data
    for name in [*names, ""]:
        while isinstance(value, list) and not name.isdecimal():
            deep, value = deep + 1, next(iter(value), None)
        value = value_at(value, name, "\0") if name else value
    return max(1, min(deep, 1 if settings.list_handling == "first" else deep))


def _rows(value: Any, deep: int) -> list[Any]:
    """The values of one path, as many lists deep as objects are made of."""
    if not isinstance(value, _Several):
        return value if isinstance(value, list) else [value]
    return [row for each in value for row in (_rows(each, deep - 1) if deep > 1 else [each])]


def _cased(path: str, settings: MappingSettings) -> str:
    if settings.case_transform is None:
        return path
    return settings.nested_delimiter.join(
        _case(name, settings.case_transform) for name in path.split(settings.nested_delimiter)
    )


def _case(name: str, case: str) -> str:
    words = [each for each in re.split(r"[\s_-]+|(?<=[a-z0-9])(?=[A-Z])", name) if each]
    if case == "snake":
        return "_".join(each.lower() for each in words)
    if case == "camel":
        return "".join(each.lower() if not number else each.capitalize() for number, each in enumerate(words))
    return str(getattr(name, case)())


def _tidy(data: Data, paths: list[str], delimiter: str) -> None:
    for path in paths:
        names = path.split(delimiter)[:-1]
        while names and value_at(data, delimiter.join(names), delimiter) == {}:
            drop(data, delimiter.join(names), delimiter)
            names.pop()
