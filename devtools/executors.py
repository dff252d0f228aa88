"""docs/reference/executors.md: every executor of pipelines, made from its declaration."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executing import Executor, ExecutorSettings, InputSettings, ItemSettings

_HEAD = """# Executors

What a pipeline can be made of. An entry of a pipeline names one as its `type`, and what it is to do in its `settings`. Made from
`shared/domains/pipelines/executors` by `python -m devtools.reference`. How good what is built in is where no model is named:
[How pipelines read texts](../explanation/pipelines-analysis.md).

| category | executors |
|---|---|
"""
_CATEGORIES = {
    "input": "Input", "extract": "Extract", "transform": "Transform", "analyse": "Analyse", "control": "Control", "document_set": "Document sets",
    "output": "Output",
}  # fmt: skip
_BASES = (ItemSettings, InputSettings, ExecutorSettings)
_COMMON = {
    ExecutorSettings: "Every executor has these.",
    ItemSettings: "Those that work on one item at a time have these as well.",
    InputSettings: "Those that find content have these as well.",
}


def page() -> str:
    """The page."""
    found = sorted(
        {each.name: each for each in executors().values()}.values(),
        key=lambda each: (list(_CATEGORIES).index(each.category), each.name),
    )
    return "".join(
        [
            _HEAD,
            *_index(found),
            "\n## Settings of all\n",
            *_common(),
            *(part for each in found for part in _section(each)),
        ]
    )


def _index(found: Iterable[Executor[Any]]) -> Iterator[str]:
    listed = list(found)
    for category, title in _CATEGORIES.items():
        names = (each.name for each in listed if each.category == category)
        yield f"| {title} | {', '.join(f'[`{name}`](#{name})' for name in names)} |\n"


def _common() -> Iterator[str]:
    for model, words in _COMMON.items():
        own = {
            name: field
            for name, field in model.model_fields.items()
            if model is ExecutorSettings or name not in ExecutorSettings.model_fields
        }
        yield f"\n{words}\n\n{_table(model, own)}"


def _section(each: Executor[Any]) -> Iterator[str]:
    yield f"\n## {each.name}\n\n"
    if each.aliases:
        yield f"Also called {', '.join(f'`{name}`' for name in each.aliases)}. "
    yield f"{inspect.cleandoc(each.description)}\n"
    yield "\n```yaml\n- id: step\n"
    yield f"  type: {each.name}\n"
    if each.example:
        yield f"  settings: {json.dumps(dict(each.example), ensure_ascii=False)}\n"
    yield "```\n"
    own = {
        name: field for name, field in each.settings.model_fields.items() if not _is_common(each.settings, name, field)
    }
    if own:
        yield f"\n{_table(each.settings, own)}"
    if each.settings.ignored:
        yield f"\nTaken, and without effect: {', '.join(f'`{name}`' for name in sorted(each.settings.ignored))}.\n"


def _is_common(model: type[ExecutorSettings], name: str, field: FieldInfo) -> bool:
    bases: tuple[type[ExecutorSettings], ...] = _BASES
    known = (each.model_fields[name] for each in bases if each in model.__mro__ and name in each.model_fields)
    return any(each.default == field.default for each in known)


def _table(model: type[ExecutorSettings], fields: Mapping[str, FieldInfo]) -> str:
    schema = model.model_json_schema()
    rows = (
        f"| `{name}` | {_default(field)} | {_sort(schema['properties'][name])} | {_meaning(field)} |\n"
        for name, field in fields.items()
    )
    return "| setting | default | expected | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    return (
        ""
        if value in (None, "", (), [], {}, PydanticUndefined)
        else f"`{_written(json.dumps(value, ensure_ascii=False))}`"
    )


def _sort(schema: Mapping[str, Any]) -> str:
    """What is expected, in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_sort(each) for each in schema["anyOf"] if each.get("type") != "null"))
    names = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "array": "list",
        "object": "object",
    }
    word = names.get(str(schema.get("type")), "anything" if "$ref" not in schema else "object")
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    bounds = [f"from {low}"] * (low is not None) + [f"to {high}"] * (high is not None)
    return " ".join([word, *bounds]) if schema.get("const") is None else f"`{schema['const']}`"


def _meaning(field: FieldInfo) -> str:
    example = f" Example: `{_written(json.dumps(field.examples[0], ensure_ascii=False))}`." if field.examples else ""
    return f"{_written(field.description or '')}{example}"


def _written(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
