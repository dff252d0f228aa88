"""Documents of a set compared: by figures where there is no model, in words where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import Run, executor
from shared.domains.pipelines.executors.aggregating import numbers, percent, tidy, trend
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.forms import Names
from shared.domains.pipelines.executors.model import DATA, ModelSettings, chat_of, endpoint_needs
from shared.domains.pipelines.executors.prompting import json_in
from shared.domains.pipelines.executors.sets import across, set_of


class ComparisonSettings(ModelSettings):
    """What is compared, and what of it is told."""

    set_data_key: str = Field(default="document_set", description="Field of the set.")
    output_key: str = Field(default="cross_document_analysis", description="Field of the result.")
    output_field: str = Field(default="cross_document_analysis", description="Without effect: see output_key.")
    comparison_instructions: str | None = Field(default=None, description="What a model is told to look at.")
    comparison_fields: Names = Field(
        default=(), description="Paths in each document; none: all.", examples=[["data.revenue"]]
    )
    output_format: Literal["json", "markdown", "structured"] = Field(
        default="structured", description="Form of the result."
    )
    include_trend_analysis: bool = Field(default=True, description="Say which way figures go.")
    include_variance_detection: bool = Field(default=True, description="Tell changes that are large.")
    variance_threshold_pct: float = Field(
        default=10.0, ge=0, description="What is large. Unit: percent from one document to the next."
    )
    temperature: float | None = Field(default=0.2, ge=0, le=2, description="Left out for models that take none.")
    max_tokens: int = Field(default=2000, ge=16, description="Most tokens of an answer.")


@executor(
    "cross_document_comparison",
    settings=ComparisonSettings,
    category="document_set",
    example={"comparison_fields": ["data.revenue"], "variance_threshold_pct": 5},
    needs=endpoint_needs,
)
async def cross_document_comparison(item: Content, settings: ComparisonSettings, run: Run) -> Content:
    """Compare the documents of a set.

    Built in: every figure that documents share, its trend and its large changes, with a line for each. A model is asked to find what they mean.
    """
    found = set_of(item, settings.set_data_key)
    chat = chat_of(settings, run.settings)
    if chat:
        shown = {
            "set": found.get("set_name"),
            "documents": [_shown(found, place, settings) for place in range(len(found["documents"]))],
        }
        answer = await chat.ask(_instructions(settings) + DATA, json.dumps(shown, ensure_ascii=False), settings)
        analysis: Any = answer if settings.output_format == "markdown" else json_in(answer)
    else:
        reckoned = _reckoned(found, settings)
        analysis = _markdown(reckoned) if settings.output_format == "markdown" else reckoned
    item.data[settings.output_key] = {
        "type": "cross_document_comparison", "set_id": found.get("set_id", ""), "set_name": found.get("set_name", ""),
        "documents_compared": len(found["documents"]), "analysis": analysis, "output_format": settings.output_format,
        "method": "model" if chat else "built-in", "generated_at": run.clock.now().isoformat(),
    }  # fmt: skip
    return item


def _instructions(settings: ComparisonSettings) -> str:
    wanted = ["summary", "key_findings", "comparisons"]
    wanted += ["trends"] if settings.include_trend_analysis else []
    wanted += (
        [f"variances (changes of more than {settings.variance_threshold_pct:g} %)"]
        if settings.include_variance_detection
        else []
    )
    form = "Markdown with a heading for each of" if settings.output_format == "markdown" else "one JSON object with"
    asked = settings.comparison_instructions or "Compare the data of these documents, in their order."
    return f"{asked}\nAnswer {form}: {', '.join(wanted)}, recommendations."


def _shown(found: Data, place: int, settings: ComparisonSettings) -> Data:
    document = found["documents"][place]
    fields = settings.comparison_fields
    data = {path: across(found, path)[place][1] for path in fields} if fields else document.get("data")
    return {"role": document.get("role"), "filename": document.get("filename"), "data": data}


def _reckoned(found: Data, settings: ComparisonSettings) -> Data:
    compared = {path: numbers(across(found, path)) for path in settings.comparison_fields or _paths(found)}
    compared = {path: figures for path, figures in compared.items() if len(figures) > 1}
    variances = [
        {"field": path, "from": role, "to": following, "change_pct": change}
        for path, figures in compared.items()
        for (role, before), (following, after) in pairwise(figures)
        if (change := percent(before, after)) is not None and abs(change) >= settings.variance_threshold_pct
    ]
    made: Data = {
        "summary": f"{len(compared)} figures compared over {len(found['documents'])} documents",
        "comparisons": [{"field": path, "values": [{"role": role, "value": tidy(value)} for role, value in figures]} for path, figures in compared.items()],
    }  # fmt: skip
    if settings.include_trend_analysis:
        made["trends"] = [
            {"field": path, **trend([value for _, value in figures])} for path, figures in compared.items()
        ]
    if settings.include_variance_detection:
        made["variances"] = variances
    return made


def _paths(found: Data) -> list[str]:
    """Every field that is a figure in some document, in the order in which they come."""
    listed = (path for document in found["documents"] for path in _leaves(document.get("data") or {}, "data"))
    return list(dict.fromkeys(listed))


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def _markdown(made: Data) -> str:
    lines = [f"## Summary\n\n{made['summary']}.", "## Comparisons\n"]
    lines += [
        f"- {each['field']}: " + ", ".join(f"{one['role']} {one['value']}" for one in each["values"])
        for each in made["comparisons"]
    ]
    if "trends" in made:
        lines += ["## Trends\n", *(f"- {each['field']}: {each['direction']}" for each in made["trends"])]
    if "variances" in made:
        lines += [
            "## Variances\n",
            *(
                f"- {each['field']}: {each['change_pct']} % from {each['from']} to {each['to']}"
                for each in made["variances"]
            ),
        ]
    return "\n".join(lines)
