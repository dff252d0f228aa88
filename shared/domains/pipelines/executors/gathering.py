"""Items filtered, put into batches and put together again."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from shared import expressions
from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import ExecutorSettings, Run, executor, list_executor
from shared.domains.pipelines.executors.fields import Data, hashed, put, shown, value_at
from shared.domains.pipelines.executors.forms import Names, TextMap

Number = int | float


class FilterSettings(ExecutorSettings):
    """Which items go on."""

    filter_condition: str = Field(
        description="Items for which this holds go on; the others end here.",
        examples=["metadata.get('file_type') == 'pdf'"],
    )
    invert: bool = Field(default=False, description="Items for which it does not hold go on.")


@executor(
    "filter_processor",
    settings=FilterSettings,
    category="transform",
    example={"filter_condition": "len(text) > 100"},
)
async def filter_processor(item: Content, settings: FilterSettings, run: Run) -> list[Content]:  # noqa: ARG001 - the shape of all
    """Let some items go on, and end the others.

    The `condition` of every executor lets items pass by; this one takes them out of the execution.
    """
    holds = expressions.parse(settings.filter_condition).holds(item.scope())
    return [item] if holds != settings.invert else []


class BatchSettings(ExecutorSettings):
    """How large batches are."""

    batch_size: int = Field(default=10, ge=1, le=10_000, description="Most items of a batch.")
    output_field: str = Field(default="batch", description="Field of a batch's items.")


@list_executor("batch_processor", settings=BatchSettings, category="transform", example={"batch_size": 50})
async def batch_processor(items: list[Content], settings: BatchSettings, run: Run) -> list[Content]:
    """Put items into batches: an item for each, with the items in a field.

    `batch_aggregator` with `merge_strategy: unpack` takes them apart again.
    """
    size = settings.batch_size
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    return [_batch(batch, number, len(batches), settings, run) for number, batch in enumerate(batches)]


def _batch(batch: list[Content], number: int, total: int, settings: BatchSettings, run: Run) -> Content:
    name = hashed(*(each.id.canonical_id for each in batch))
    return Content(
        id=content_id(f"batch://{run.executor_id}/{name}", source_name=run.executor_id, source_type="batch"),
        data={settings.output_field: [each.model_dump(mode="json") for each in batch]},
        summary_data={"batch_number": number, "batch_total": total, "batch_size": len(batch)},
    )


class AggregatorSettings(ExecutorSettings):
    """How items become one."""

    ignored: ClassVar[frozenset[str]] = frozenset({"wait_for_all", "create_summary"})

    merge_strategy: Literal["combine", "concatenate", "merge", "collect", "unpack", "merge_fields"] = Field(
        default="combine",
        description=(
            "`combine`, `merge`: one item for each canonical id of what the items come from, whose fields are joined: lists added, texts kept side by side; "
            "`concatenate`: the same, with texts added; `collect`: one item with a list of all; `unpack`: the items of batches; "
            "`merge_fields`: as `combine`, and what `combine_fields` names under these names."
        ),
    )
    merge_fields: Names = Field(default=(), description="Fields that are joined; none: all.")
    combine_fields: TextMap = Field(
        default={}, description="Names for what steps wrote, from name to the step's id or to the path of a field."
    )
    separator: str = Field(default="\n\n", description="Between texts that are added.")
    output_field: str = Field(
        default="items", description="Field of the list of `collect`, and of the batches that are unpacked."
    )
    compute_stats: list[dict[str, Any]] = Field(
        default=[], description="Numbers over all items: `field` and `operations` (sum, avg, min, max, count), written to `stats`.",
        examples=[[{"field": "sentiment.score", "operations": ["avg", "min"]}]],
    )  # fmt: skip
    include_chunk_details: bool = Field(default=False, description="Keep the single items in `parts`.")

    @model_validator(mode="before")
    @classmethod
    def _known_as(cls, given: Any) -> Any:
        """What the executors that this one stands for as well call their strategy."""
        if not isinstance(given, dict):
            return given
        other = {"aggregation_strategy": "merge_strategy", "combine_strategy": "merge_strategy"}
        return {other.get(name, name): value for name, value in given.items()}

    @model_validator(mode="after")
    def _operations(self) -> AggregatorSettings:
        for each in self.compute_stats:
            unknown = set(each.get("operations", [])) - {"sum", "avg", "min", "max", "count"}
            if "field" not in each or unknown:
                raise ValueError("compute_stats: each needs a field, and operations among sum, avg, min, max, count")
        return self


@list_executor(
    "batch_aggregator",
    settings=AggregatorSettings,
    category="transform",
    example={"merge_strategy": "combine"},
    aliases=("result_aggregator", "result_combiner"),
)
async def batch_aggregator(items: list[Content], settings: AggregatorSettings, run: Run) -> list[Content]:
    """Put items together: the parts of one content, the branches of one item, or all of them.

    Parts are rows, pages and chunks: what has a `parent_id` belongs to that.
    """
    if settings.merge_strategy == "unpack":
        return [
            Content.model_validate(each) for item in items for each in value_at(item.data, settings.output_field) or []
        ]
    groups: dict[str, list[Content]] = {}
    for item in items:
        source = (item.id.metadata or {}).get("parent_id") or item.id.canonical_id
        groups.setdefault("" if settings.merge_strategy == "collect" else str(source), []).append(item)
    return [_aggregated(source, group, settings, run) for source, group in groups.items()]


def _aggregated(source: str, group: list[Content], settings: AggregatorSettings, run: Run) -> Content:
    if settings.merge_strategy == "collect":
        name = hashed(*(each.id.canonical_id for each in group))
        made = Content(
            id=content_id(
                f"collection://{run.executor_id}/{name}", source_name=run.executor_id, source_type="collection"
            )
        )
        made.data[settings.output_field] = [each.model_dump(mode="json", exclude={"executor_logs"}) for each in group]
    else:
        made = merged(
            group, settings.merge_fields, settings.separator if settings.merge_strategy == "concatenate" else None
        )
        if made.id.canonical_id != source:
            known = made.id.model_dump(exclude={"canonical_id", "unique_id", "metadata"})
            made.id = content_id(source, **known)
    for name, path in settings.combine_fields.items():
        value = value_at(made.data, path)
        put(made.data, name, value if value is not None else made.summary_data.get(path))
    if settings.compute_stats:
        made.data["stats"] = {
            each["field"]: _stats(group, each["field"], each.get("operations", [])) for each in settings.compute_stats
        }
    if settings.include_chunk_details:
        made.data["parts"] = [{"id": each.id.canonical_id, "data": each.data} for each in group]
    made.summary_data["items_aggregated"] = len(group)
    return made


def merged(group: list[Content], fields: Iterable[str] = (), separator: str | None = None) -> Content:
    """Several items as one: the first, with what the others have beside it.

    Args:
        group: at least one.
        fields: those of the data that are joined; none: all.
        separator: between texts that differ, which are added; None: the first is kept.
    """
    made = group[0].model_copy(deep=True)
    wanted = set(fields)
    for other in group[1:]:
        for name, value in other.data.items():
            if not wanted or name in wanted or name not in made.data:
                made.data[name] = _joined(made.data.get(name), value, separator)
        made.summary_data = {**other.summary_data, **made.summary_data}
        made.executor_logs += [each for each in other.executor_logs if each not in made.executor_logs]
    return made


def _joined(left: Any, right: Any, separator: str | None) -> Any:
    if left is None or left == right:
        return copy.deepcopy(right)
    if isinstance(left, list) and isinstance(right, list):
        known = {shown(each) for each in left}
        return left + [each for each in right if shown(each) not in known]
    if isinstance(left, dict) and isinstance(right, dict):
        return {**left, **{name: _joined(left.get(name), value, separator) for name, value in right.items()}}
    if separator is not None and isinstance(left, str) and isinstance(right, str):
        return f"{left}{separator}{right}"
    return left


def _stats(group: list[Content], path: str, operations: list[str]) -> Data:
    values = [each for each in (value_at(item.data, path) for item in group) if _is_number(each)]
    made: dict[str, Any] = {
        "count": len(values), "sum": math.fsum(values) if values else None, "avg": math.fsum(values) / len(values) if values else None,
        "min": min(values, default=None), "max": max(values, default=None),
    }  # fmt: skip
    return {name: made[name] for name in operations}


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool) and math.isfinite(value)


class FanInSettings(ExecutorSettings):
    """Nothing beside what every executor has."""

    duplicate_field_merge_strategy: Literal["keep-one"] = Field(
        default="keep-one", description="Of a field that several branches wrote, the first is kept."
    )


@list_executor("fan_in_aggregator", settings=FanInSettings, category="transform", example={})
async def fan_in_aggregator(items: list[Content], settings: FanInSettings, run: Run) -> list[Content]:  # noqa: ARG001 - the shape of all
    """Join parallel branches: the items of one canonical id become one, with the fields of all.

    Of a field that several branches wrote, that of the branch which stands first in the pipeline is kept, whichever ended first.
    """
    groups: dict[str, list[Content]] = {}
    for item in items:
        groups.setdefault(item.id.canonical_id, []).append(item)
    return [_first_of_each(group) for group in groups.values()]


def _first_of_each(group: list[Content]) -> Content:
    made = group[0].model_copy(deep=True)
    for other in group[1:]:
        made.data = {**other.data, **made.data}
        made.summary_data = {**other.summary_data, **made.summary_data}
        made.executor_logs += [each for each in other.executor_logs if each not in made.executor_logs]
    return made
