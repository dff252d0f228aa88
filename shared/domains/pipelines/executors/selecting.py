"""Fields kept and fields left out."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data, drop, put, shown, value_at
from shared.domains.pipelines.executors.forms import Names

_CORE = ("id", "canonical_id", "source_id")


class SelectionSettings(ItemSettings):
    """Which fields."""

    mode: Literal["include", "exclude"] = Field(
        default="include", description="Keep only these fields, or remove them."
    )
    fields: Names = Field(
        min_length=1,
        description="Paths; `*` stands for any characters of one.",
        examples=[["text", "metadata.*", "temp_*"]],
    )
    nested_delimiter: str = Field(default=".", min_length=1, max_length=3, description="Between the names of a path.")
    preserve_structure: bool = Field(
        default=True, description="Keep objects in objects; else a field is named by its whole path."
    )
    conditional_selection: bool = Field(
        default=False, description="Select only in items of which the condition below holds."
    )
    condition_field: str | None = Field(default=None, description="Path that the condition looks at.")
    condition_operator: Literal["equals", "not_equals", "contains", "not_contains", "exists", "not_exists"] = Field(
        default="equals", description="How it is compared; as texts."
    )
    condition_value: Any = Field(default=None, description="What it is compared with.")
    keep_id_fields: bool = Field(
        default=True, description="Keep `id`, `canonical_id` and `source_id`, whatever is selected."
    )
    bulk_operations: bool = Field(default=False, description="Without effect: every selection is made at once.")
    fail_on_missing_field: bool = Field(default=False, description="Whether an item without one of the fields fails.")
    add_selection_metadata: bool = Field(
        default=False, description="Write counts into the summary, as `field_selection`."
    )

    @model_validator(mode="after")
    def _complete(self) -> SelectionSettings:
        if self.conditional_selection and not self.condition_field:
            raise ValueError("condition_field is needed where conditional_selection is on")
        return self


@executor(
    "field_selector",
    settings=SelectionSettings,
    category="transform",
    example={"mode": "exclude", "fields": ["temp_*", "internal.*"]},
)
async def field_selector(item: Content, settings: SelectionSettings, run: Run) -> Content:  # noqa: ARG001 - the shape of all
    """Keep some fields of items, or remove some.

    A field that is kept is kept with all that is in it, and so are the objects that it is in. The item's id, source and log are no fields, and always stay.
    """
    if settings.conditional_selection and not _holds(item, settings):
        return item
    paths = list(_paths(item.data, settings.nested_delimiter))
    chosen = _chosen(paths, settings)
    before = len(paths)
    if settings.mode == "exclude":
        for path in sorted(chosen, key=len, reverse=True):
            drop(item.data, path, settings.nested_delimiter)
        if not settings.preserve_structure:
            item.data = {
                path: value_at(item.data, path, settings.nested_delimiter) for path in _leaves(item.data, settings)
            }
    else:
        item.data = _included(item.data, chosen, settings)
    if settings.add_selection_metadata:
        left = len(list(_paths(item.data, settings.nested_delimiter)))
        item.summary_data["field_selection"] = {
            "mode": settings.mode, "fields_selected": left, "fields_removed": before - left, "patterns": list(settings.fields),
        }  # fmt: skip
    return item


def _holds(item: Content, settings: SelectionSettings) -> bool:
    value = value_at(item.data, settings.condition_field or "", settings.nested_delimiter)
    if settings.condition_operator in ("exists", "not_exists"):
        return (value is not None) == (settings.condition_operator == "exists")
    if value is None:
        return False
    wanted = shown(settings.condition_value)
    found = wanted in shown(value) if "contains" in settings.condition_operator else shown(value) == wanted
    return found != settings.condition_operator.startswith("not_")


def _paths(data: Data, delimiter: str, before: str = "") -> Iterator[str]:
    for name, value in data.items():
        path = f"{before}{name}"
        yield path
        if isinstance(value, dict):
            yield from _paths(value, delimiter, f"{path}{delimiter}")


def _leaves(data: Data, settings: SelectionSettings) -> list[str]:
    paths = list(_paths(data, settings.nested_delimiter))
    return [path for path in paths if not isinstance(value_at(data, path, settings.nested_delimiter), dict)]


def _chosen(paths: list[str], settings: SelectionSettings) -> set[str]:
    chosen: set[str] = set()
    for pattern in settings.fields:
        if any(sign in pattern for sign in "*?["):
            chosen.update(path for path in paths if fnmatchcase(path, pattern))
        elif pattern in paths:
            chosen.add(pattern)
        elif settings.fail_on_missing_field:
            raise ContentError(f"there is no field {pattern!r}")
    core = [path for path in _CORE if path in paths] if settings.keep_id_fields else []
    return chosen - set(core) if settings.mode == "exclude" else chosen.union(core)


def _included(data: Data, chosen: set[str], settings: SelectionSettings) -> Data:
    """The fields that are kept; what is in one of them comes with it."""
    delimiter = settings.nested_delimiter
    whole = [path for path in chosen if not any(path.startswith(f"{other}{delimiter}") for other in chosen)]
    kept: Data = {}
    for path in (each for each in _paths(data, delimiter) if each in whole):
        value = value_at(data, path, delimiter)
        if settings.preserve_structure:
            put(kept, path, value, delimiter)
        elif isinstance(value, dict):
            kept.update(
                {f"{path}{delimiter}{leaf}": value_at(value, leaf, delimiter) for leaf in _leaves(value, settings)}
            )
        else:
            kept[path] = value
    return kept
