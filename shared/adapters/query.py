"""What the document adapters have in common when they turn a query into SQL."""

from __future__ import annotations

import re
from typing import Any

from shared.ports import Document, Page, Query

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def checked_name(name: str) -> str:
    """A property's name, which goes into the text of a query: only letters, digits and underscores.

    Raises:
        ValueError: if it has anything else in it.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a property: {name!r}")
    return name


def page(documents: list[Document], query: Query) -> Page:
    """One page out of up to `limit` + 1 documents: the one too many says that there are more."""
    items = documents[: query.limit]
    cursor: Any = items[-1][query.order_by] if len(documents) > query.limit and items else None
    return Page(items, cursor)
