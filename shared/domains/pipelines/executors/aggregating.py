"""Figures of a document set: sums, changes from document to document, and where they lead."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ExecutorSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.sets import across, set_of

Operation = Literal["sum", "avg", "min", "max", "count", "delta", "pct_change", "trend", "values"]
Figures = list[tuple[str, float]]
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


class Aggregation(BaseModel):
    """What is reckoned of one field."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    field_path: str = Field(description="Path in each document, with `data.` before it.", examples=["data.revenue"])
    operations: list[Operation] = Field(min_length=1, description="What is reckoned.")
    output_key: str | None = Field(default=None, description="Name of the result; unset: the last name of the path.")


class AggregationSettings(ExecutorSettings):
    """Which fields, and what of them."""

    set_data_key: str = Field(default="document_set", description="Field of the set.")
    output_key: str = Field(default="field_aggregations", description="Field of the results.")
    aggregations: list[Aggregation] = Field(
        min_length=1,
        description="A result each.",
        examples=[[{"field_path": "data.revenue", "operations": ["sum", "trend"]}]],
    )


@executor(
    "cross_document_field_aggregator",
    settings=AggregationSettings,
    category="document_set",
    example={
        "aggregations": [
            {"field_path": "data.revenue", "operations": ["sum", "delta", "trend"], "output_key": "revenue"}
        ]
    },
)
async def cross_document_field_aggregator(item: Content, settings: AggregationSettings, run: Run) -> Content:
    """Reckon figures over the documents of a set, in their order.

    Operations: `sum`, `avg`, `min`, `max`, `count`; `delta` and `pct_change` from each document to the next; `trend` (`increasing`, `mostly_increasing`, `stable`,
    `mixed` and so on, with the share of steps that go that way); `values` as they are. A text that is a number counts as one; what is none is left out.
    """
    found = set_of(item, settings.set_data_key)
    item.data[settings.output_key] = {
        "type": "field_aggregations",
        "set_id": found.get("set_id", ""),
        "set_name": found.get("set_name", ""),
        "total_documents": found.get("total_documents", len(found["documents"])),
        "aggregations": {
            each.output_key or each.field_path.rsplit(".", 1)[-1]: _reckoned(across(found, each.field_path), each)
            for each in settings.aggregations
        },
        "computed_at": run.clock.now().isoformat(),
    }
    return item


def _reckoned(values: list[tuple[str, Any]], wanted: Aggregation) -> Data:
    figures = numbers(values)
    alone = [each for _, each in figures]
    made: Data = {
        "values": [{"role": role, "value": value} for role, value in values],
        "count": len(alone),
        "sum": tidy(math.fsum(alone)) if alone else None,
        "avg": tidy(math.fsum(alone) / len(alone)) if alone else None,
        "min": tidy(min(alone)) if alone else None,
        "max": tidy(max(alone)) if alone else None,
        "delta": changes(figures, "delta", lambda before, after: tidy(after - before)) if alone else None,
        "pct_change": changes(figures, "pct_change", percent) if alone else None,
        "trend": trend(alone) if alone else None,
    }
    picked: Data = {name: made[name] for name in wanted.operations}
    return {"field_path": wanted.field_path, "document_count": len(values), **picked}


def numbers(values: list[tuple[str, Any]]) -> Figures:
    """Those values that are numbers, or texts of one."""
    found = ((role, number_in(value)) for role, value in values)
    return [(role, value) for role, value in found if value is not None]


def number_in(value: Any) -> float | None:
    """A value as a number; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(_bare(value) if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _bare(text: str) -> str:
    """The digits of an amount: without its currency, and without commas where they part thousands."""
    bare = text.strip().lstrip("$€£").strip()
    return bare.replace(",", "") if _THOUSANDS.fullmatch(bare) else bare


def tidy(value: float) -> float | int:
    """A figure without the dust of binary fractions."""
    rounded = round(value, 9)
    return int(rounded) if rounded == int(rounded) else rounded


def changes(figures: Figures, name: str, reckon: Any) -> list[Data]:
    """What lies between each document and the next."""
    return [
        {"from": role, "to": following, name: reckon(before, after)}
        for (role, before), (following, after) in pairwise(figures)
    ]


def percent(before: float, after: float) -> float | None:
    """The change in percent, two decimals; None from zero."""
    return round((after - before) / abs(before) * 100, 2) if before else None


def trend(values: list[float]) -> Data:
    """Which way figures go, and the share of changes that go that way."""
    if len(values) < 2:
        return {"direction": "insufficient_data", "confidence": 0.0}
    up = sum(after > before for before, after in pairwise(values))
    down = sum(after < before for before, after in pairwise(values))
    if not up + down:
        return {"direction": "stable", "confidence": 1.0}
    if up == down:
        direction = "mixed"
    else:
        way = "increasing" if up > down else "decreasing"
        direction = way if 0 in (up, down) else f"mostly_{way}"
    return {
        "direction": direction,
        "confidence": round(max(up, down) / (up + down), 2),
        "overall_change": tidy(values[-1] - values[0]),
        "overall_pct_change": percent(values[0], values[-1]),
        "periods_analyzed": len(values),
    }
