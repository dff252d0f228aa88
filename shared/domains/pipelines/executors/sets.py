"""Document sets: several items that are looked at together, each with its role and its place."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import ContentError, ExecutorSettings, Run, list_executor
from shared.domains.pipelines.executors.fields import Data, hashed, value_at
from shared.domains.pipelines.executors.forms import Names

_PREFIX = "document_set_"


class InitializerSettings(ExecutorSettings):
    """What the set is called, and how its documents are told apart."""

    set_id: str | None = Field(default=None, description="Id of the set; unset: made of its documents' ids.")
    set_name: str | None = Field(default=None, description="Name for people.", examples=["FY2024 quarterly reports"])
    ordering_strategy: Literal[
        "filename_alpha", "filename_numeric", "explicit_mapping", "last_modified", "input_order"
    ] = Field(
        default="filename_alpha",
        description="What the documents' order follows; `explicit_mapping`: that of `role_mapping`.",
    )
    role_field: str | None = Field(
        default=None, description="Where a document's role is: `data.path`, or a field of what its source says of it."
    )
    role_mapping: dict[str, str] = Field(
        default={},
        description="Roles by a part of the file's name, in any case.",
        examples=[{"Q1": "Q1_2024", "Q2": "Q2_2024"}],
    )
    validate_set_size: int = Field(default=0, ge=0, description="How many documents there must be; 0: any number.")


@list_executor(
    "document_set_initializer",
    settings=InitializerSettings,
    category="document_set",
    example={"set_name": "FY2024 quarterly reports", "role_mapping": {"Q1": "Q1_2024", "Q2": "Q2_2024"}},
)
async def document_set_initializer(items: list[Content], settings: InitializerSettings, run: Run) -> list[Content]:  # noqa: ARG001 - the shape of all
    """Make a set of all items: each is told its set, role, place and how many there are.

    Written into the summary, as `document_set_id`, `_name`, `_role`, `_order` (from 0) and `_total`. Without a rule that fits, a document's role is its file's
    name without the suffix. The same documents make the same set, whenever they are put together.
    """
    wanted = settings.validate_set_size
    if wanted and len(items) != wanted:
        raise ContentError(f"the set is to have {wanted} documents, and has {len(items)}")
    set_id = settings.set_id or hashed(*sorted(each.id.canonical_id for each in items))
    for order, item in enumerate(_ordered(items, settings)):
        item.summary_data |= {
            "document_set_id": set_id,
            "document_set_name": settings.set_name or f"{_PREFIX}{set_id[:8]}",
            "document_set_role": _role(item, settings),
            "document_set_order": order,
            "document_set_total": len(items),
        }
    return _ordered(items, settings)


def _name(item: Content) -> str:
    return item.id.filename or item.id.path or item.id.canonical_id


def _ordered(items: list[Content], settings: InitializerSettings) -> list[Content]:
    match settings.ordering_strategy:
        case "filename_alpha":
            return sorted(items, key=lambda each: (_name(each).lower(), each.id.canonical_id))
        case "filename_numeric":
            return sorted(items, key=lambda each: _numbers(_name(each)))
        case "last_modified":
            return sorted(items, key=lambda each: str((each.id.metadata or {}).get("last_modified", "")))
        case "explicit_mapping":
            patterns = [each.lower() for each in settings.role_mapping]
            return sorted(items, key=lambda each: _first_in(_name(each).lower(), patterns))
        case _:
            return items


def _numbers(name: str) -> list[tuple[int, int, str]]:
    """Numbers by their value, the rest as text: `part 2` comes before `part 10`."""
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _first_in(name: str, patterns: list[str]) -> int:
    return next((place for place, pattern in enumerate(patterns) if pattern in name), len(patterns))


def _role(item: Content, settings: InitializerSettings) -> str:
    if settings.role_field:
        path = settings.role_field
        found = value_at(item.data, path.removeprefix("data.")) if path.startswith("data.") else None
        found = found or value_at(item.scope()["metadata"], path.removeprefix("metadata."))
        if found:
            return str(found)
    name = _name(item)
    by_pattern = (role for pattern, role in settings.role_mapping.items() if pattern.lower() in name.lower())
    return next(by_pattern, name.rsplit("/", 1)[-1].rsplit(".", 1)[0])


class CollectorSettings(ExecutorSettings):
    """What of each document is collected."""

    require_complete_set: bool = Field(default=True, description="Whether a set that lacks documents fails.")
    fields_to_collect: Names = Field(default=(), description="Paths of fields of the data; none: all.")
    summary_fields_to_collect: Names = Field(
        default=(), description="Fields of the summary; none: all but `document_set_*`."
    )
    output_key: str = Field(default="document_set", description="Field of the set.")
    include_raw_content_list: bool = Field(default=False, description="Keep the whole items, as `raw_content_list`.")


@list_executor(
    "document_set_collector",
    settings=CollectorSettings,
    category="document_set",
    example={"fields_to_collect": ["text", "revenue"], "output_key": "document_set"},
)
async def document_set_collector(items: list[Content], settings: CollectorSettings, run: Run) -> list[Content]:
    """Make one item of the documents of each set.

    It has `set_id`, `set_name`, `total_documents` and `documents` in their order, each with its role, ids and the fields that are collected. Items of no set are
    one of their own, so that none is lost. The summary says whether the set is complete.
    """
    groups: dict[str, list[Content]] = {}
    for item in items:
        groups.setdefault(str(item.summary_data.get("document_set_id") or ""), []).append(item)
    return [_collected(set_id, group, settings, run) for set_id, group in groups.items()]


def _collected(set_id: str, group: list[Content], settings: CollectorSettings, run: Run) -> Content:
    first = group[0].summary_data
    name = str(first.get("document_set_name") or ("auto_collected_set" if not set_id else ""))
    total = int(first.get("document_set_total") or len(group)) if set_id else len(group)
    if settings.require_complete_set and len(group) != total:
        raise ContentError(f"the set {name!r} is to have {total} documents, and has {len(group)}")
    set_id = set_id or f"ungrouped_{hashed(*(each.id.canonical_id for each in group))[:12]}"
    ordered = sorted(group, key=lambda each: int(each.summary_data.get("document_set_order", 0)))
    data: Data = {
        settings.output_key: {
            "set_id": set_id, "set_name": name, "total_documents": len(ordered), "collected_at": run.clock.now().isoformat(),
            "documents": [_document(each, settings) for each in ordered],
        }
    }  # fmt: skip
    if settings.include_raw_content_list:
        data["raw_content_list"] = [each.model_dump(mode="json") for each in ordered]
    return Content(
        id=content_id(
            f"document_set://{set_id}", source_name="document_set_collector", source_type="document_set", path=set_id, filename=name
        ),
        data=data,
        summary_data={
            "document_set_id": set_id, "document_set_name": name, "document_set_total": len(ordered),
            "collection_status": "complete" if len(ordered) == total else "partial",
        },
    )  # fmt: skip


def _document(item: Content, settings: CollectorSettings) -> Data:
    fields: Data = {path: value_at(item.data, path) for path in settings.fields_to_collect} or dict(item.data)
    summary = {name: value for name, value in item.summary_data.items() if not name.startswith(_PREFIX)}
    if settings.summary_fields_to_collect:
        summary = {name: item.summary_data.get(name) for name in settings.summary_fields_to_collect}
    return {
        "role": item.summary_data.get("document_set_role", ""),
        "order": item.summary_data.get("document_set_order", 0),
        "canonical_id": item.id.canonical_id,
        "unique_id": item.id.unique_id,
        "filename": item.id.filename or "",
        "path": item.id.path or "",
        "data": {name: value for name, value in fields.items() if value is not None},
        "summary_data": {name: value for name, value in summary.items() if value is not None},
    }


def set_of(item: Content, key: str) -> Data:
    """The set that a collector has put into an item.

    Raises:
        ContentError: there is none.
    """
    found = value_at(item.data, key)
    if not isinstance(found, dict) or not isinstance(found.get("documents"), list):
        raise ContentError(f"there is no document set in the field {key!r}: document_set_collector makes one")
    return found


def across(found: Data, path: str) -> list[tuple[str, Any]]:
    """A field of each document with its role, in the documents' order; None where one lacks it."""
    known = path if path.startswith(("data.", "summary_data.")) else f"data.{path}"
    return [(str(each.get("role", "")), _of_document(each, known)) for each in found["documents"]]


def _of_document(document: Data, path: str) -> Any:
    """A collected field is named by its whole path, or stands in objects."""
    place, _, rest = path.partition(".")
    fields = document.get(place) or {}
    return fields[rest] if rest in fields else value_at(fields, rest)
