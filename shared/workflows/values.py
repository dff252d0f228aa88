"""What steps are given: templates of payloads, and what stands for what in them.

A template is JSON in which ``{"$": "expression"}`` stands for the value of an expression (`shared.expressions`). Its names are
`payload` (the run's), each step that has ended before by its own name (its result; what is no letter, digit or `_` in the name is
written `_`), `states` (what became of each step: `completed`, `failed`, `skipped` ...), `failures` (of each step that failed, why), in
an `each` also `item` and `index`, and in the list that it is made over `value`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import JsonValue

from shared.expressions import Expression, parse

RESERVED = frozenset({"payload", "states", "failures", "item", "index", "value"})
"""Names that stand for something else than a step."""


@lru_cache(maxsize=2048)
def parsed(text: str) -> Expression:
    """An expression that was checked when its graph was."""
    return parse(text)


def identifier(step: str) -> str:
    """How expressions call a step."""
    name = re.sub(r"\W", "_", step, flags=re.ASCII)
    return f"_{name}" if name[0].isdigit() else name


def expressions(template: JsonValue) -> Iterator[str]:
    """The texts of all expressions in a template."""
    if isinstance(template, dict):
        if set(template) == {"$"}:
            yield str(template["$"])
        else:
            for each in template.values():
                yield from expressions(each)
    elif isinstance(template, list):
        for each in template:
            yield from expressions(each)


def names_of(texts: Iterable[str]) -> set[str]:
    """All names that some expressions use."""
    return {name for text in texts for name in parsed(text).names}


def filled(template: JsonValue, values: Mapping[str, Any]) -> Any:
    """The template with the values of its expressions; what is missing is null."""
    if isinstance(template, dict):
        if set(template) == {"$"}:
            return parsed(str(template["$"])).evaluate(values)
        return {name: filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    return template
