"""``${NAME}`` in the settings of executors: settings of the app, from a list of those that pipelines may read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

USUAL = (
    "AI_API_KEY", "AI_ENDPOINT", "AI_MODEL_NAME", "AZURE_AI_SEARCH_INDEX", "AZURE_AI_SEARCH_SERVICE_ACCOUNT_NAME",
    "AZURE_CONTENT_UNDERSTANDING_API_KEY", "AZURE_CONTENT_UNDERSTANDING_ENDPOINT", "AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT",
    "AZURE_OPENAI_EMBEDDINGS_DEPLOYMENT", "AZURE_OPENAI_EMBEDDINGS_ENDPOINT", "AZURE_OPENAI_ENDPOINT",
    "AZURE_STORAGE_ACCOUNT_NAME", "BLOB_STORAGE_ACCOUNT_NAME", "BLOB_STORAGE_CONTAINER_NAME", "COSMOS_GREMLIN_COLLECTION",
    "COSMOS_GREMLIN_DATABASE", "COSMOS_GREMLIN_ENDPOINT", "COSMOS_GREMLIN_KEY", "DOCUMENT_INTELLIGENCE_ENDPOINT",
    "SEARCH_ENDPOINT", "STORAGE_ACCOUNT",
)  # fmt: skip
"""The names that ContentFlow's own pipelines use."""
_NAME = re.compile(r"\$\{([^}]*)\}")


def names_in(value: Any) -> Iterator[str]:
    """The names that a value uses, at any depth."""
    if isinstance(value, str):
        yield from _NAME.findall(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from names_in(each)


def allowed(more: Iterable[str]) -> frozenset[str]:
    """The names that pipelines may use: the usual ones, and what a setting adds."""
    return frozenset({*USUAL, *more})


def resolved(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """The value with what is set in place of the names. Names were checked before.

    A text that is nothing but the name of what is not set is null: most executors have something built in that does without it. Within a
    longer text such a name stays as it is written.
    """
    known = os.environ if environ is None else environ
    if isinstance(value, str):
        whole = _NAME.fullmatch(value.strip())
        if whole and not known.get(whole[1]):
            return None
        return _NAME.sub(lambda found: known.get(found[1]) or found[0], value)
    if isinstance(value, dict):
        return {name: resolved(each, known) for name, each in value.items()}
    return [resolved(each, known) for each in value] if isinstance(value, list) else value
